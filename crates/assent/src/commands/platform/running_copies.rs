//! Running copies on the host: `assent restore --from` brings a moment back, `assent takeover` makes this host the one that serves.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use server::{CopyPlace, running_copy};
use store::bucket::SharedBucket;
use store::copying::{self, Restored};

use crate::archive::{DATABASE_FILE, KEY_FILE, check_empty};
use crate::clock;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::server_flags::named_copy;

/// How long the host before must have been silent, in seconds: it sends a sign of life every half second.
const SILENT_SECONDS: i64 = 15;
/// Within this time a host that reaches the copy has seen that it is fenced off.
const FENCED: Duration = Duration::from_secs(4);

/// Takes the data of a running copy over.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: assent takeover --from /mnt/other/assent --data /var/lib/assent\n\
    The host before is refused from then on: it writes nothing once it sees this. Put the master key into the folder, then start \
    `assent serve --data /var/lib/assent --copy-to /mnt/other/assent`."
)]
pub struct Takeover {
    /// The folder or bucket of the running copy; a bucket's access key comes from ASSENT_BUCKET_ACCESS_KEY and
    /// ASSENT_BUCKET_SECRET_KEY_FILE.
    #[arg(long, value_name = "PLACE")]
    pub from: String,
    /// The folder to fill; it must be empty or not there.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Take over although the host before still says that it lives; what it writes until it sees this is lost.
    #[arg(long)]
    pub while_alive: bool,
}

/// A running copy that a command names.
struct Source {
    place: CopyPlace,
    bucket: SharedBucket,
}

fn open(text: &str) -> Result<Source> {
    let (place, outgoing_ca) = named_copy(text)?;
    let bucket = place.open(outgoing_ca.as_deref()).map_err(could_not)?;
    Ok(Source { place, bucket })
}

fn could_not(error: impl std::fmt::Display) -> Failure {
    Failure::could_not(format!("{error}."))
}

/// Brings a moment of a running copy back.
///
/// # Errors
/// When the folder is not empty, or the copy does not reach to the moment or is damaged.
pub(crate) fn restore(from: &str, at: Option<&str>, data: &Path, output: &Output) -> Result<u8> {
    let at = at.map(|text| clock::moment(text, clock::now())).transpose()?;
    let restored = bring(&open(from)?, at, data)?;
    print_found(output, &restored, data);
    output.next(&format!("assent doctor --data {}", data.display()));
    Ok(0)
}

/// Takes over, then restores the last copied state.
///
/// # Errors
/// When the host before lives, another was faster, or the copy is damaged.
pub(crate) fn takeover(asked: &Takeover, output: &Output) -> Result<u8> {
    check_empty(&asked.data)?;
    let from = open(&asked.from)?;
    let Some(alive) = copying::alive(&from.bucket).map_err(could_not)? else {
        return Err(Failure::could_not(format!("`{}` holds no running copy.", from.place)));
    };
    let now = clock::now();
    let silent = now.duration_since(alive.at).as_secs();
    if silent < SILENT_SECONDS && !asked.while_alive {
        return Err(Failure::could_not(format!(
            "The host before was alive {silent} seconds ago. Stop it first and wait {SILENT_SECONDS} seconds, or say --while-alive."
        )));
    }
    crate::archive::make_folder(&asked.data)?;
    // A copy that cannot be restored must not stop the host that writes it.
    let mut restored = bring_into(&from, None, &asked.data)?;
    let own = running_copy::claim((&from.place, &from.bucket), &asked.data, now).map_err(could_not)?;
    if asked.while_alive {
        // Rows that the other host wrote until it saw the fence are copied too.
        std::thread::sleep(FENCED);
        restored = bring_into(&from, None, &asked.data)?;
    }
    print_found(output, &restored, &asked.data);
    output.talk(&format!(
        "This host writes the copy from now on, in epoch {}.",
        own.epoch
    ));
    output.next(&format!(
        "assent serve --data {} --copy-to {}",
        asked.data.display(),
        from.place
    ));
    Ok(0)
}

fn bring(from: &Source, at: Option<Timestamp>, data: &Path) -> Result<Restored> {
    check_empty(data)?;
    crate::archive::make_folder(data)?;
    bring_into(from, at, data)
}

fn bring_into(from: &Source, at: Option<Timestamp>, data: &Path) -> Result<Restored> {
    let database = data.join(DATABASE_FILE);
    let restored = copying::restore(&from.bucket, at, &database).map_err(|error| {
        // Half a database must not be taken for one.
        let _ = std::fs::remove_file(&database);
        could_not(error)
    })?;
    running_copy::note_restored(data, &from.place, &restored).map_err(could_not)?;
    Ok(restored)
}

fn print_found(output: &Output, restored: &Restored, data: &Path) {
    let value = json!({
        "data": data, "moment": restored.moment, "segments": restored.segments, "bytes": restored.bytes, "files": restored.files,
    });
    output.data(&value, |output| {
        output.line(&format!(
            "{}  as of {}, {} bytes, {} files beside it",
            data.display(),
            restored.moment,
            restored.bytes,
            restored.files
        ));
    });
    output.talk(&format!(
        "A running copy holds no master key: put it at {}.",
        data.join(KEY_FILE).display()
    ));
}
