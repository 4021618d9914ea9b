//! `assent doctor`: finds and explains the faults of an installation, on the host or from outside.

mod failover;
mod outside;
mod running_copy;

use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use proof::note::{Checkpoint, Note};
use serde::Serialize;
use serde_json::json;

use acts::compliance::archive_changes::{COUNTED, OPENED};

use crate::archive::{DATABASE_FILE, KEY_FILE};
use crate::bridge::{self, BACKLOG, Damage, Host, LogStanding};
use crate::clock;
use crate::common::Common;
use crate::failure::{Failure, Result};
use crate::output::{Output, Tone};
use crate::place::Place;

/// Less free space than this is a warning, a tenth of it is bad.
const LITTLE_SPACE_KIB: u64 = 2 << 20;

/// The result of checks that need the data, where the data cannot be opened.
const SAME_REASON: &str = "The server would refuse to start for the same reason.";

/// A checkpoint is signed or attested anew every minute; after this many seconds a part has stopped.
pub(in crate::commands) const STALE_SECONDS: i64 = 300;

/// Finds what is wrong.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing is bad, 1 something is, 2 it could not be told.\n\
    Example: assent doctor --data /var/lib/assent\n         \
    assent doctor --server https://assent.example --tenant acme"
)]
pub struct Doctor {
    /// On the host: where the data is. Without it, the server is looked at from outside.
    #[command(flatten)]
    pub place: Place,
    /// From outside: the tenant whose keys and log to look at; the credential's unless said.
    #[arg(long)]
    pub tenant: Option<String>,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::commands) enum Weight {
    Good,
    Warn,
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub(in crate::commands) struct Check {
    name: &'static str,
    weight: Weight,
    text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    help: String,
}

/// Everything that was looked at.
#[derive(Debug, Default)]
pub(in crate::commands) struct Checks(Vec<Check>);

impl Checks {
    pub(in crate::commands) fn good(&mut self, name: &'static str, text: impl Into<String>) {
        self.0.push(Check {
            name,
            weight: Weight::Good,
            text: text.into(),
            help: String::new(),
        });
    }

    pub(in crate::commands) fn warn(&mut self, name: &'static str, text: impl Into<String>, help: &str) {
        self.0.push(Check {
            name,
            weight: Weight::Warn,
            text: text.into(),
            help: help.to_owned(),
        });
    }

    pub(in crate::commands) fn bad(&mut self, name: &'static str, text: impl Into<String>, help: &str) {
        self.0.push(Check {
            name,
            weight: Weight::Bad,
            text: text.into(),
            help: help.to_owned(),
        });
    }

    fn worst(&self) -> Weight {
        self.0.iter().map(|check| check.weight).max().unwrap_or(Weight::Good)
    }
}

/// Checks, and prints the findings.
///
/// # Errors
/// When there was nothing to look at.
pub fn run(doctor: &Doctor, common: &Common, output: &Output) -> Result<u8> {
    let mut checks = Checks::default();
    if doctor.place.is_named() {
        on_host(&doctor.place, &mut checks)?;
    } else {
        outside::look(doctor.tenant.as_deref(), common, &mut checks)?;
    }
    let is_bad = checks.worst() == Weight::Bad;
    output.data(&json!({"is_good": !is_bad, "checks": checks.0}), |output| {
        for check in &checks.0 {
            let (word, tone) = match check.weight {
                Weight::Good => ("good", Tone::Good),
                Weight::Warn => ("warn", Tone::Warn),
                Weight::Bad => ("bad ", Tone::Bad),
            };
            output.line(
                &crate::output::clean(&format!("{word}  {}: {}", check.name, check.text)).replacen(
                    word,
                    &output.tone(tone, word),
                    1,
                ),
            );
            if !check.help.is_empty() {
                output.line(&format!("      {}", check.help));
            }
        }
    });
    Ok(u8::from(is_bad))
}

fn on_host(place: &Place, checks: &mut Checks) -> Result<()> {
    let settings = place.settings()?;
    match bridge::check(&settings) {
        Err(Failure::CouldNot(text)) => checks.bad("settings", text, SAME_REASON),
        said => {
            said?;
            checks.good("settings", "they can be used");
        }
    }
    if let Some(data) = &place.data {
        check_folder(data, checks);
        check_space(data, checks);
        running_copy::check(data, clock::now(), checks);
    }
    if let Some(data) = place.data.as_ref().filter(|_| settings.database_url.is_none()) {
        check_key(data, checks);
        if !data.join(DATABASE_FILE).is_file() {
            checks.bad(
                "database",
                format!("there is no {DATABASE_FILE} in {}", data.display()),
                "Start `assent serve` once, or restore a backup.",
            );
            return Ok(());
        }
    }
    check_mail(&settings, checks);
    if let Some(tls) = &settings.tls {
        check_certificate(server::certificate_end(tls), clock::now(), checks);
    }
    // Where the database cannot be reached, opening it reports the reason.
    if let Ok(damage) = Host::find_damage(&settings) {
        check_damage(&damage, settings.database_url.is_none(), checks);
    }
    if let Ok(Some(standing)) = Host::failover_standing(&settings) {
        failover::check(&standing, checks);
    }
    let opened = match Host::waiting_migrations(&settings) {
        Ok(waiting) if !waiting.is_empty() => {
            warn_of_migrations(&waiting, checks);
            return Ok(());
        }
        Ok(_) => Host::open(&settings),
        Err(failure) => Err(failure),
    };
    match opened {
        Ok(host) => check_data(&host, clock::now(), checks),
        Err(Failure::CouldNot(text)) => {
            checks.bad("database", text, SAME_REASON);
            Ok(())
        }
        Err(refused) => Err(refused),
    }
}

/// Whether the storage itself is whole, apart from its content. PostgreSQL looks after its own pages: see the operators' guide.
fn check_damage(damage: &[Damage], is_file: bool, checks: &mut Checks) {
    let (good, help) = if is_file {
        (
            "pages, indexes and the types of all cells fit each other, and the schema is the one that its migrations made",
            "Stop the server, copy the data folder as it is, and bring the newest good backup back (`assent restore`). \
             An index alone is made anew by `REINDEX` of the sqlite3 shell; then run `assent audit replay`.",
        )
    } else {
        (
            "the schema is the one that its migrations made",
            "Somebody changed it past the product. Undo that, or bring the newest good backup back; then run \
             `assent audit replay`, for what the change did to rows stays done.",
        )
    };
    if damage.is_empty() {
        return checks.good("storage", good);
    }
    for found in damage {
        let place = bridge::place_of(found);
        checks.bad("storage", format!("{place}: {}", found.what), help);
    }
}

/// A look changes nothing: an older server may still serve this database.
fn warn_of_migrations(waiting: &[&str], checks: &mut Checks) {
    let (first, last) = (waiting[0], waiting[waiting.len() - 1]);
    let text = match waiting {
        [only] => format!("this version brings the migration {only}, which was not run yet"),
        _ => format!(
            "this version brings {} migrations, {first} to {last}, which were not run yet",
            waiting.len()
        ),
    };
    checks.warn(
        "database",
        format!("{text}; what lies in it was not looked at"),
        "`assent serve` of this version runs them when it starts. Take a backup with the version that serves it now first.",
    );
}

fn check_data(host: &Host, now: Timestamp, checks: &mut Checks) -> Result<()> {
    checks.good(
        "database",
        "it opens, its schema fits this version, and the master key is its own",
    );
    for stray in host.strays()? {
        let help = "Somebody or something changed it past the server. `assent audit replay` says what else is not as the log tells.";
        let place = bridge::place_of(&stray);
        checks.bad("tenants", format!("{place}: {}", stray.what), help);
    }
    check_queues(host.stuck()?, checks);
    // Over rows without codes nothing else of a tenant can be read.
    if !check_codes(host, checks)? {
        return Ok(());
    }
    for lost in host.lost_tenants()? {
        let text = format!("{lost}: its log was seen, and its rows are gone");
        let help = "Restore a backup that has them. `assent audit replay` says what else is not as the log tells.";
        checks.bad("tenants", text, help);
    }
    check_policies(host, checks)?;
    check_workloads(host, checks)?;
    check_signing_keys(host, checks)?;
    check_secrets(host, checks)?;
    check_connections(host, checks)?;
    check_sinks(host, checks)?;
    check_archive(host, checks)?;
    check_administrators(host, checks)?;
    let logs = host.logs()?;
    logs.iter().for_each(|log| check_log(log, now, checks));
    let cosigned = logs.iter().flat_map(|log| &log.cosigned);
    check_witnesses(cosigned.map(String::as_str), checks);
    checks.good(
        "more",
        "`assent audit replay` compares every record with the events, which takes longer",
    );
    Ok(())
}

/// Work that was tried often and is not done.
fn check_queues([letters, timers]: [i64; 2], checks: &mut Checks) {
    if letters + timers == 0 {
        return checks.good("queues", "nothing is set aside, and no timer fails again and again");
    }
    if letters > 0 {
        let help = "`assent mail again --data DIR` has them sent again. The server's log says why they failed, \
            with `a row could not be worked`.";
        checks.warn(
            "queues",
            format!("{letters} letters were set aside after too many tries"),
            help,
        );
    }
    if timers > 0 {
        let help = "They are tried on, every nine minutes at last. The server's log says why they fail, \
            with `a row could not be worked`.";
        checks.warn("queues", format!("{timers} timers failed five times or more"), help);
    }
}

/// Whether each tenant's policies can be compiled: without rules nothing is judged.
fn check_policies(host: &Host, checks: &mut Checks) -> Result<()> {
    for tenant in host.tenants()?.into_iter().filter(|tenant| tenant != "system") {
        match host.policies(&tenant) {
            Ok(digest) => checks.good("policies", format!("{tenant} is under {digest}")),
            Err(failure) => checks.bad(
                "policies",
                format!("the policies of {tenant} cannot be used: {failure:?}"),
                "`assent policy apply --recover` brings the set before them back.",
            ),
        }
    }
    Ok(())
}

/// Whether the rows of people and services are taken by their codes. Nothing else of a tenant without codes can be looked at.
fn check_codes(host: &Host, checks: &mut Checks) -> Result<bool> {
    let help = "If somebody wrote into the database, bring the newest good backup back (`assent restore`). If the data came back \
        without its codes, `assent audit renew-codes` writes them anew: it replays the whole log first, and two people answer for it.";
    let mut is_good = true;
    for tenant in host.tenants()?.into_iter().filter(|tenant| tenant != "system") {
        if let Some(why) = host.code_trouble(&tenant)? {
            checks.bad("codes", format!("{tenant}: {why}"), help);
            is_good = false;
        }
    }
    if is_good {
        checks.good("codes", "people and services carry valid codes of a server");
    }
    Ok(is_good)
}

/// Whether every key of every tenant can sign and be verified by. A tenant whose log has not begun has none yet.
fn check_signing_keys(host: &Host, checks: &mut Checks) -> Result<()> {
    let help = "Somebody or something changed the keys past the server. Bring the newest good backup back (`assent restore`), \
        and see what `assent audit replay` says.";
    let mut is_good = true;
    for tenant in host.tenants()? {
        for what in host.key_trouble(&tenant)? {
            checks.bad("keys", format!("{tenant}: {what}"), help);
            is_good = false;
        }
    }
    if is_good {
        checks.good(
            "keys",
            "every key fits its own id, and the master key opens its private half",
        );
    }
    Ok(())
}

/// Whether every secret that is in use is there and can be opened: without it deliveries are refused, and nothing is sent.
fn check_secrets(host: &Host, checks: &mut Checks) -> Result<()> {
    let help = "Somebody or something changed it past the server. Give the connection, webhook or provider a new secret, or bring \
        the newest good backup back (`assent restore`).";
    let mut is_good = true;
    for tenant in host.tenants()?.into_iter().filter(|tenant| tenant != "system") {
        for what in host.secret_trouble(&tenant)? {
            checks.bad("secrets", format!("{tenant}: {what}"), help);
            is_good = false;
        }
    }
    if is_good {
        checks.good("secrets", "each that is in use is there, and the master key opens it");
    }
    Ok(())
}

/// Whether the deliveries of connections are mapped to anything.
fn check_connections(host: &Host, checks: &mut Checks) -> Result<()> {
    let mut is_good = true;
    for tenant in host.tenants()?.into_iter().filter(|tenant| tenant != "system") {
        for text in host.unmatched_connections(&tenant)? {
            checks.warn("connections", format!("{tenant}: {text}"), UNMATCHED);
            is_good = false;
        }
    }
    if is_good {
        checks.good("connections", "what each delivers is mapped to something here");
    }
    Ok(())
}

/// Whether every segment of the archive is unchanged, and whether the archive keeps up.
fn check_archive(host: &Host, checks: &mut Checks) -> Result<()> {
    let help = "What it holds cannot be read. Bring its file, or the database, back from a backup, then run `assent audit replay`.";
    let late = "The server moves about 480 changes in a few seconds. If the number does not fall, its log says why.";
    let (mut is_good, mut changes, mut bytes) = (true, 0, 0);
    for tenant in host.tenants()?.into_iter().filter(|tenant| tenant != "system") {
        for text in host.archive_trouble(&tenant)? {
            checks.bad("archive", format!("{tenant}: {text}"), help);
            is_good = false;
        }
        let report = host.archive(&tenant)?;
        changes += report.state.changes;
        bytes += report.state.size;
        if report.waiting >= COUNTED {
            let text = format!("{tenant}: {} changes or more wait for the archive", report.waiting);
            checks.warn("archive", text, late);
            is_good = false;
        }
    }
    if is_good {
        checks.good(
            "archive",
            format!(
                "it holds {changes} changes in {bytes} bytes, and its segments are as they were written; of each tenant at most \
                 {OPENED} were opened"
            ),
        );
    }
    Ok(())
}

/// Whether every sink of the log is fed.
fn check_sinks(host: &Host, checks: &mut Checks) -> Result<()> {
    let help = "Nothing is lost: a sink goes on where it stopped. See `assent sink show ID`, and whether its receiver takes anything.";
    let mut is_good = true;
    for tenant in host.tenants()?.into_iter().filter(|tenant| tenant != "system") {
        for text in host.sink_trouble(&tenant)? {
            checks.warn("sinks", format!("{tenant}: {text}"), help);
            is_good = false;
        }
    }
    if is_good {
        checks.good("sinks", "none fails, and none is far behind its log");
    }
    Ok(())
}

/// The advice where the deliveries of a connection match nothing.
const UNMATCHED: &str =
    "Map what it names (`assent connection edit ID --add …`, or the page of the connection), or end it.";

/// Whether somebody in each tenant may set people up: a provisioning directory can take the last one away.
fn check_administrators(host: &Host, checks: &mut Checks) -> Result<()> {
    let help = "Make one on the host: `assent person create --admin --tenant … --login …`.";
    let mut is_good = true;
    for tenant in host.tenants()?.into_iter().filter(|tenant| tenant != "system") {
        if !host.has_administrator(&tenant)? {
            checks.bad("people", format!("{tenant}: nobody is an administrator"), help);
            is_good = false;
        } else if host.is_two_people_idle(&tenant)? {
            let text = format!(
                "{tenant}: two people are asked for, and there is no second administrator, so one alone moves ownership"
            );
            checks.warn(
                "people",
                text,
                "Give another active person the role `admin`, so that `ownership_by_two` holds.",
            );
            is_good = false;
        }
    }
    if is_good {
        checks.good(
            "people",
            "every tenant has an administrator, and a second one where two people are asked for",
        );
    }
    Ok(())
}

/// Whether any workload lets in any job of a platform: one of an older version may.
fn check_workloads(host: &Host, checks: &mut Checks) -> Result<()> {
    let mut found = Vec::new();
    for tenant in host.tenants()?.into_iter().filter(|tenant| tenant != "system") {
        let keys = host.open_workloads(&tenant)?;
        found.extend(keys.iter().map(|key| format!("`{key}` of {tenant}")));
    }
    if found.is_empty() {
        checks.good("workloads", "none lets in jobs of anybody");
        return Ok(());
    }
    let text = format!("jobs of anybody are let in by {}", found.join(", "));
    let help = "Name the repositories with their owner written out (`assent workload set KEY --claim repository=acme/*`), or end it.";
    checks.warn("workloads", text, help);
    Ok(())
}

fn check_log(log: &LogStanding, now: Timestamp, checks: &mut Checks) {
    let tenant = &log.tenant;
    if let Some(why) = &log.distrusted {
        let help = "No server signs it on. `assent audit replay` says what was changed; docs/operations/README.md, when a log \
                    stands still, says how to go on.";
        return checks.bad("log", format!("{tenant}: {why}"), help);
    }
    let Some(signed_at) = log.signed_at else {
        return checks.warn(
            "log",
            format!("{tenant}: no checkpoint was signed yet"),
            "A running server signs one within a minute.",
        );
    };
    let age = now.duration_since(signed_at).as_secs();
    if age < -60 {
        let text = format!(
            "{tenant}: its last checkpoint was signed at {signed_at}, which lies ahead of this machine's clock"
        );
        return checks.bad(
            "clock",
            text,
            "Set the clock right (chrony, systemd-timesyncd); permits and windows hang on it.",
        );
    }
    let backlog = log.backlog;
    if backlog >= BACKLOG as usize {
        let text = format!("{tenant}: {backlog} or more events are waiting to be sequenced in the log");
        checks.bad(
            "log",
            text,
            "The sequencer does not keep up or stands still; look for its name in the server's log.",
        );
    } else if age > STALE_SECONDS {
        let text =
            format!("{tenant}: its checkpoint was signed or attested last {age} seconds ago, {backlog} events wait");
        checks.warn(
            "log",
            text,
            "That is fine while no server runs; otherwise the sequencer stands still.",
        );
    } else {
        checks.good(
            "log",
            format!("{tenant}: signed {age} seconds ago, {backlog} events wait"),
        );
    }
}

/// Without a witness run by others, a rewrite by the holder of the signing key cannot be found.
pub(in crate::commands) fn check_witnesses<'a>(notes: impl Iterator<Item = &'a str>, checks: &mut Checks) {
    let mut names: Vec<String> = notes.flat_map(witnesses).collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        let help = "Whoever holds the signing key could rewrite the log unseen. Let somebody else keep checkpoints: \
            `assent audit verify --log … --older FILE --save FILE`, run by them, regularly.";
        checks.warn("witnesses", "there are none", help);
    } else {
        checks.good("witnesses", names.join(", "));
    }
}

/// The signers of a checkpoint besides the log and the server's own cosigner.
fn witnesses(note: &str) -> Vec<String> {
    let Ok(note) = Note::parse(note) else { return Vec::new() };
    let Ok(checkpoint) = Checkpoint::parse(&note.text) else {
        return Vec::new();
    };
    let own = format!("{}/cosigner", checkpoint.origin);
    let names = note.signatures.into_iter().map(|signature| signature.name);
    names
        .filter(|name| *name != checkpoint.origin && *name != own)
        .collect()
}

#[cfg(unix)]
fn mode_of(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    Some(std::fs::metadata(path).ok()?.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode_of(_: &Path) -> Option<u32> {
    None
}

fn check_folder(data: &Path, checks: &mut Checks) {
    match mode_of(data) {
        Some(mode) if mode & 0o077 != 0 => {
            let text = format!(
                "{} has mode {mode:04o}: others on this machine can look into it",
                data.display()
            );
            checks.warn("folder", text, &format!("chmod 0700 {}", data.display()));
        }
        _ => checks.good("folder", format!("{} is its owner's alone", data.display())),
    }
}

fn check_key(data: &Path, checks: &mut Checks) {
    let path = data.join(KEY_FILE);
    if !path.is_file() {
        let text = format!("{} is not there", path.display());
        return checks.bad(
            "master key",
            text,
            "Put the saved key there (mode 0600), or set ASSENT_MASTER_KEY. Without it nothing can be signed.",
        );
    }
    match mode_of(&path) {
        Some(mode) if mode & 0o077 != 0 => {
            let text = format!("{} has mode {mode:04o}: others can read it", path.display());
            checks.bad(
                "master key",
                text,
                &format!("chmod 0600 {}, and consider rotating the keys.", path.display()),
            );
        }
        _ => checks.good("master key", "it is there, and its owner's alone"),
    }
}

fn check_space(data: &Path, checks: &mut Checks) {
    let told = std::process::Command::new("df").arg("-Pk").arg(data).output();
    let free = told
        .ok()
        .and_then(|told| free_kib(&String::from_utf8_lossy(&told.stdout)));
    let help = "When it is full, nothing can be written and the gate stops.";
    match free {
        None => checks.warn("disk", "how much is free could not be told", "Look with `df`."),
        Some(free) if free < LITTLE_SPACE_KIB / 10 => checks.bad("disk", format!("{} MiB are free", free / 1024), help),
        Some(free) if free < LITTLE_SPACE_KIB => checks.warn("disk", format!("{} MiB are free", free / 1024), help),
        Some(free) => checks.good("disk", format!("{} MiB are free", free / 1024)),
    }
}

/// The current content of the certificate's files; a running server reloads them by itself.
fn check_certificate(end: std::result::Result<Option<Timestamp>, String>, now: Timestamp, checks: &mut Checks) {
    let renew = "Renew its files; a running server takes them up within seconds.";
    match end {
        Err(why) => checks.bad(
            "certificate",
            why,
            "A running server keeps the former pair; one that starts would refuse.",
        ),
        Ok(None) => checks.warn(
            "certificate",
            "when it ends could not be told",
            "Look with `openssl x509`.",
        ),
        Ok(Some(end)) if end <= now => checks.bad("certificate", format!("it has ended at {end}"), renew),
        Ok(Some(end)) if end.duration_since(now) < server::CERTIFICATE_ENDS_SOON => {
            checks.warn("certificate", format!("it ends at {end}"), renew);
        }
        Ok(Some(end)) => checks.good("certificate", format!("it is good until {end}")),
    }
}

/// The fourth column of the second line of `df -Pk`, as POSIX defines it.
fn free_kib(told: &str) -> Option<u64> {
    told.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

fn check_mail(settings: &server::Settings, checks: &mut Checks) {
    let Some(smtp) = &settings.smtp else {
        let help = "Set `smtp` and `smtp_from`; until then people read their messages on the pages only.";
        return checks.warn("mail", "no mail server is set", help);
    };
    let place = format!("{}:{}", smtp.server.host, smtp.server.port);
    let reached = place
        .to_socket_addrs()
        .map_err(|error| error.to_string())
        .and_then(|addresses| {
            let mut last = "its name has no address".to_owned();
            for address in addresses {
                match TcpStream::connect_timeout(&address, Duration::from_secs(5)) {
                    Ok(_) => return Ok(()),
                    Err(error) => last = error.to_string(),
                }
            }
            Err(last)
        });
    match reached {
        Ok(()) => checks.good("mail", format!("{place} can be reached")),
        Err(why) => checks.bad(
            "mail",
            format!("{place} cannot be reached: {why}"),
            "Mail waits and is tried again; pages show it meanwhile.",
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use proof::crypto::SigningKey;
    use proof::note::NoteSigner;

    #[test]
    fn free_space_is_read_as_posix_tells_it() {
        let told = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 100 40 60 40% /\n";
        assert_eq!(free_kib(told), Some(60));
        assert_eq!(free_kib("df: no such file\n"), None);
    }

    #[test]
    fn what_is_stuck_is_told_with_what_helps() {
        let told = |stuck| {
            let mut checks = Checks::default();
            check_queues(stuck, &mut checks);
            checks.0.into_iter().map(|it| (it.weight, it.text)).collect::<Vec<_>>()
        };
        assert!(matches!(told([0, 0])[..], [(Weight::Good, _)]));
        let found = told([2, 1]);
        assert_eq!(found[0].1, "2 letters were set aside after too many tries");
        assert_eq!(found[1].1, "1 timers failed five times or more");
        assert!(found.iter().all(|(weight, _)| *weight == Weight::Warn));
        assert_eq!((told([1, 0]).len(), told([0, 1]).len()), (1, 1));
    }

    #[test]
    fn a_certificate_is_warned_of_before_it_ends() {
        let now: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let weight = |end| {
            let mut checks = Checks::default();
            check_certificate(end, now, &mut checks);
            checks.worst()
        };
        let days = |count: i64| Ok(Some(now + jiff::SignedDuration::from_hours(24 * count)));
        assert_eq!(weight(days(40)), Weight::Good);
        assert_eq!(weight(days(20)), Weight::Warn);
        assert_eq!(weight(days(-1)), Weight::Bad);
        assert_eq!(weight(Err("it is for another key".to_owned())), Weight::Bad);
    }

    #[test]
    fn only_others_count_as_witnesses() {
        let checkpoint = Checkpoint {
            origin: "assent.example/t/acme/log".into(),
            size: 0,
            root: proof::merkle::empty_root(),
        };
        let signer = |name: &str| NoteSigner::new(name, SigningKey::from_seed([7; 32]).unwrap()).unwrap();
        let mut note = checkpoint.sign(&signer("assent.example/t/acme/log"));
        note.signatures
            .push(signer("assent.example/t/acme/log/cosigner").cosign(&note.text, 1));
        assert!(witnesses(&note.to_text()).is_empty());
        note.signatures.push(signer("witness.example").cosign(&note.text, 1));
        assert_eq!(witnesses(&note.to_text()), ["witness.example"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_bad() {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("assent-doctor-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let key = folder.join(KEY_FILE);
        let weigh = || {
            let mut checks = Checks::default();
            check_key(&folder, &mut checks);
            checks.worst()
        };
        assert_eq!(weigh(), Weight::Bad, "it is missing");
        std::fs::write(&key, "x").unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(weigh(), Weight::Bad, "others can read it");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(weigh(), Weight::Good);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
