//! `assent backup` and `assent restore`, on the host.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::commands::platform::running_copies;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::place::Place;

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
    Then put the master key into the folder, unless the backup holds it, and run `assent doctor`.\n\
    Example: assent restore --from /mnt/other/assent --at 2026-11-28T14:05:00Z --data /var/lib/assent-then"
)]
pub struct Restore {
    /// The backup.
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    pub file: Option<PathBuf>,
    /// The folder or bucket of a running copy (`assent serve --copy-to`), instead of a backup.
    #[arg(long, value_name = "PLACE")]
    pub from: Option<String>,
    /// The moment to bring back from the running copy; what was copied last unless said.
    #[arg(long, value_name = "TIME", requires = "from", allow_hyphen_values = true)]
    pub at: Option<String>,
    /// The folder to fill; it must be empty or not there.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
}

/// Saves database and evidence while the server runs.
///
/// # Errors
/// The file that could not be read or written.
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
        // A caller that named a file expects a backup in it, and must not take the commands for one.
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
    let Some(file) = &restore.file else {
        let from = restore.from.as_deref().unwrap_or_default();
        return running_copies::restore(from, restore.at.as_deref(), &restore.data, output);
    };
    let written = crate::archive::restore(file, &restore.data)?;
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
