//! What works on the host, over the data itself: the first administrator, replay, backup, restore.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use proof::crypto::{Entropy, SystemEntropy, base64url};
use serde_json::{Value, json};

use super::people::Create;
use super::{audit, people, serve};
use crate::bridge::{self, Damage};
use crate::failure::{Failure, Result};
use crate::output::{Output, Tone, clean};

/// Where the data is.
#[derive(Debug, Args, Clone, Default)]
pub struct Place {
    /// The server's data folder; beside a database what it remembers of the logs.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The server's PostgreSQL database; the master key comes from ASSENT_MASTER_KEY.
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
}

impl Place {
    /// Whether either was named.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.data.is_some() || self.database.is_some()
    }

    /// Settings over this place; where it was not named, and in everything else, as variables and file say.
    ///
    /// # Errors
    /// When the settings cannot be used or there is no such folder.
    pub fn settings(&self) -> Result<server::Settings> {
        let flags = serve::Flags {
            data: self.data.as_ref().map(|data| data.display().to_string()),
            database: self.database.clone(),
            ..serve::Flags::default()
        };
        let mut settings = serve::read(&serve::merged(&flags)?)?;
        settings.remembers_logs = self.database.is_none() || self.data.is_some();
        if let Some(data) = &self.data {
            if self.database.is_none() {
                // One named in a variable belongs to the server's own start, not to this folder.
                settings.database_url = None;
            }
            if !data.is_dir() {
                return Err(Failure::could_not(format!("`{}` is no folder.", data.display())));
            }
        }
        Ok(settings)
    }

    /// Settings over a place that holds data already: whoever looks at data, or mends it, never makes it.
    ///
    /// # Errors
    /// As [`Place::settings`], and when there is no database in the folder.
    pub fn settings_of_data(&self) -> Result<server::Settings> {
        let settings = self.settings()?;
        let folder = &settings.data_dir;
        if settings.database_url.is_none() && !folder.join(crate::archive::DATABASE_FILE).is_file() {
            let text = format!(
                "`{}` holds no database of Assent. Say --data DIR or --database URL.",
                folder.display()
            );
            return Err(Failure::could_not(text));
        }
        Ok(settings)
    }
}

/// Makes a tenant, if need be, and a person in it.
pub(super) fn create_person(create: &Create, output: &Output) -> Result<u8> {
    let tenant = create
        .tenant
        .as_deref()
        .ok_or_else(|| Failure::could_not("Say --tenant: a short key such as `acme`."))?;
    bridge::check_tenant_of_people(tenant)?;
    let said = create.public_url.as_deref().map(serve::public_url).transpose();
    let said = said.map_err(|why| Failure::could_not(format!("`--public-url` cannot be used: {why}.")))?;
    let (password, is_made) = match create.password_file.as_deref() {
        Some(file) => (people::read_password(file)?, false),
        None => (new_password()?, true),
    };
    if let Some(data) = &create.place.data {
        crate::archive::make_folder(data)?;
    }
    let mut settings = create.place.settings()?;
    let host = match said {
        // Who says an address means this tenant's, also where the data's first log was begun under another.
        Some(url) => {
            settings.public_url = Some(url);
            bridge::Host::open_as_said(&settings)?
        }
        None => bridge::Host::open(&settings)?,
    };
    if settings.public_url.is_none() {
        output.talk(&format!(
            "A new tenant's log is named by the server's address, here {}. Say --public-url when people reach it otherwise.",
            host.public_url()
        ));
    }
    let name = create.tenant_name.as_deref().unwrap_or(tenant);
    host.create_person(tenant, name, create.body(), &password)?;
    let mut value = json!({"tenant": tenant, "login": create.login()});
    if is_made {
        value["password"] = json!(password);
    }
    output.data(&value, |output| {
        output.line(&format!("made {} in {tenant}", create.login()));
        if is_made {
            output.line(&format!("password: {password}"));
        }
    });
    output.next("assent serve, then sign in on its pages");
    Ok(0)
}

/// A password of 144 random bits.
fn new_password() -> Result<String> {
    let mut bytes = [0; 18];
    let filled = SystemEntropy::new().fill(&mut bytes);
    filled.map_err(|error| Failure::could_not(format!("There is no randomness: {error}.")))?;
    Ok(base64url(&bytes))
}

/// Sets a password on the host.
pub(super) fn set_password(
    place: &Place,
    tenant: Option<&str>,
    login: &str,
    password: &str,
    output: &Output,
) -> Result<u8> {
    let tenant = tenant.ok_or_else(|| Failure::could_not("Say --tenant."))?;
    let host = bridge::Host::open(&place.settings_of_data()?)?;
    host.set_password(tenant, login, password)?;
    output.data(&json!({"tenant": tenant, "login": login}), |output| {
        output.line(&format!("{login} has a new password"))
    });
    Ok(0)
}

/// Replays one tenant or all, after a look at the storage itself.
pub(super) fn replay(place: &Place, tenant: Option<&str>, output: &Output) -> Result<u8> {
    let settings = place.settings_of_data()?;
    let mut damage = bridge::Host::find_damage(&settings)?;
    let (host, strays, mut tenants) = match opened(&settings) {
        Ok(opened) => opened,
        // Why it does not open was found already, and it is bad, not merely unknown.
        Err(failure) if !damage.is_empty() => {
            let what = format!("Nothing else was compared: {}", failure.text());
            damage.push(Damage::of_database(what));
            return Ok(tell_replays(output, &damage, &[], 1));
        }
        Err(failure) => return Err(failure),
    };
    damage.extend(strays);
    if let Some(tenant) = tenant {
        tenants.retain(|known| known == tenant);
        if tenants.is_empty() {
            return Err(Failure::could_not(format!("There is no tenant `{tenant}` here.")));
        }
    }
    let bar = crate::progress::bar(output);
    let moving = bar.clone();
    let progress: acts::replay_log::Progress = Arc::new(move |what, done| {
        moving.set_message(what.to_owned());
        moving.set_position(done);
        true
    });
    let mut code = u8::from(!damage.is_empty());
    let mut reports = Vec::new();
    for tenant in &tenants {
        let report = match host.replay(tenant, &progress)? {
            Ok(report) => report,
            Err(why) => {
                let what =
                    format!("The storage cannot be read any further: {why}. The comparison of {tenant} ended there.");
                damage.push(Damage::of_database(what));
                code = 1;
                continue;
            }
        };
        let is_equal = report.findings.is_empty();
        let of_log = report.log.as_ref().map_or(2, |log| log.outcome.exit_code());
        // What is proven false weighs more than what cannot be told.
        code = match (is_equal && of_log != 1, of_log) {
            (false, _) => 1,
            (true, 2) if code == 0 => 2,
            _ => code,
        };
        reports.push(json!({"tenant": tenant, "is_equal": is_equal, "report": report}));
    }
    bar.finish_and_clear();
    Ok(tell_replays(output, &damage, &reports, code))
}

/// The data, opened without changing it, the rows of no tenant in it, and its tenants.
fn opened(settings: &server::Settings) -> Result<(bridge::Host, Vec<Damage>, Vec<String>)> {
    if let Some(first) = bridge::Host::waiting_migrations(settings)?.first() {
        let text = format!(
            "The migration {first} was not run on this database, or nothing tells of it. A comparison changes nothing: \
             replay with the version that serves it, or start the server of this version once."
        );
        return Err(Failure::could_not(text));
    }
    let host = bridge::Host::open(settings)?;
    let (strays, tenants) = (host.strays()?, host.tenants()?);
    Ok((host, strays, tenants))
}

/// Where something is damaged, as far as it can be named.
pub(super) fn place_of(damage: &Damage) -> String {
    let column = damage.column.as_deref().unwrap_or_default();
    format!("{} {} {column}", damage.table, damage.id)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn tell_replays(output: &Output, damage: &[Damage], reports: &[Value], code: u8) -> u8 {
    let findings: Vec<Value> = damage
        .iter()
        .map(|it| json!({"table": it.table, "id": it.id, "field": it.column, "what": it.what}))
        .collect();
    let storage = json!({"is_sound": damage.is_empty(), "findings": findings});
    output.data(&json!({"tenants": reports, "storage": storage}), |output| {
        if !damage.is_empty() {
            output.line(&format!("storage: {}", output.tone(Tone::Bad, "damaged")));
        }
        for found in damage {
            output.line(&clean(&format!("  - {}: {}", place_of(found), found.what)));
        }
        reports.iter().for_each(|report| tell_replay(output, report));
    });
    code
}

fn tell_replay(output: &Output, replay: &Value) {
    let report = &replay["report"];
    let (word, tone) = if replay["is_equal"] == true {
        ("equal", Tone::Good)
    } else {
        ("differs", Tone::Bad)
    };
    let text = |name: &str| crate::output::text_of(report, name);
    output.line(&format!(
        "{}: {}, {} records and {} events compared, {} files of evidence hashed, log {}",
        crate::output::text_of(replay, "tenant"),
        output.tone(tone, word),
        text("records"),
        text("events"),
        text("files"),
        crate::output::text_of(&report["log"], "outcome")
    ));
    for finding in crate::output::array(report, "findings") {
        let field = crate::output::text_of(finding, "field");
        let place = format!(
            "{} {} {field}",
            crate::output::text_of(finding, "table"),
            crate::output::text_of(finding, "id")
        );
        output.line(&clean(&format!(
            "  - {}: {}",
            place.trim_end(),
            crate::output::text_of(finding, "what")
        )));
    }
    for finding in crate::output::array(&report["log"], "findings") {
        output.line(&format!("  - log: {}", crate::output::text_of(finding, "text")));
    }
}

/// Saves the data.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: assent backup --data /var/lib/assent -o assent-2026-11-20.backup\n\
    With --database and no --output it prints the commands of PostgreSQL's own tools.\n\
    Without --with-keys the master key is left out: keep it elsewhere, a restored server needs it."
)]
pub struct Backup {
    /// Where the data is.
    #[command(flatten)]
    pub place: Place,
    /// The file to write; it must not be there yet. With --database there is none: PostgreSQL's own tools write it.
    #[arg(short, long, value_name = "FILE", required_unless_present = "database")]
    pub output: Option<PathBuf>,
    /// Put the master key into the backup: whoever has it can sign as this server.
    #[arg(long)]
    pub with_keys: bool,
}

/// Brings a backup back.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: assent restore assent-2026-11-20.backup --data /var/lib/assent\n\
    Then put the master key into the folder, unless the backup holds it, and run `assent doctor`."
)]
pub struct Restore {
    /// The backup.
    pub file: PathBuf,
    /// The folder to fill; it must be empty or not there.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
}

/// Saves database and evidence while the server runs.
///
/// # Errors
/// What could not be read or written.
pub fn backup(backup: &Backup, output: &Output) -> Result<u8> {
    if backup.place.database.is_some() {
        let text = "On PostgreSQL everything but the master key is in the database, evidence included. Save it with:\n  \
            pg_dump --format=custom --file=assent.dump \"$ASSENT_DATABASE\"\n\
            and keep ASSENT_MASTER_KEY elsewhere. Bring it back into an empty database with:\n  \
            pg_restore --exit-on-error --no-owner --dbname=\"$ASSENT_DATABASE\" assent.dump";
        let Some(file) = &backup.output else {
            output.data(
                &json!({"command": "pg_dump --format=custom --file=assent.dump \"$ASSENT_DATABASE\""}),
                |output| output.line(text),
            );
            return Ok(0);
        };
        // Whoever named a file expects a backup in it, and must not take the commands for one.
        output.aside().line(text);
        return Err(Failure::could_not(format!(
            "`{}` was not written: a PostgreSQL database is saved with its own tools.",
            file.display()
        )));
    }
    let file = backup
        .output
        .as_deref()
        .ok_or_else(|| Failure::could_not("Say which file to write: --output FILE."))?;
    let data = backup
        .place
        .data
        .as_deref()
        .ok_or_else(|| Failure::could_not("Say where the data is: --data DIR."))?;
    if file == Path::new("-") {
        let text = "A backup is written to a file, not to standard output: name one with --output FILE.";
        return Err(Failure::could_not(text));
    }
    let written = crate::archive::save(data, file, backup.with_keys)?;
    let value = json!({"file": file, "files": written.files, "bytes": written.bytes, "has_keys": written.has_keys});
    output.data(&value, |output| {
        output.line(&format!(
            "{}  {} files, {} bytes",
            file.display(),
            written.files,
            written.bytes
        ));
    });
    if backup.with_keys && !written.has_keys {
        output.talk(
            "The folder holds no master key: the server has it from ASSENT_MASTER_KEY, so it is not in the backup.",
        );
    }
    if !written.has_keys {
        output
            .talk("The master key is not in it. Keep it elsewhere: without it nothing can be signed after a restore.");
    }
    output.next(&format!("assent restore {} --data EMPTY-DIR", file.display()));
    Ok(0)
}

/// Fills an empty folder from a backup.
///
/// # Errors
/// When the folder is not empty, or the backup is damaged.
pub fn restore(restore: &Restore, output: &Output) -> Result<u8> {
    let written = crate::archive::restore(&restore.file, &restore.data)?;
    let value =
        json!({"data": restore.data, "files": written.files, "bytes": written.bytes, "has_keys": written.has_keys});
    output.data(&value, |output| {
        output.line(&format!(
            "{}  {} files, {} bytes",
            restore.data.display(),
            written.files,
            written.bytes
        ));
    });
    if !written.has_keys {
        output.talk(&format!(
            "The backup holds no master key: put it at {}.",
            Path::new(&restore.data).join(crate::archive::KEY_FILE).display()
        ));
    }
    output.next(&format!("assent doctor --data {}", restore.data.display()));
    Ok(0)
}
