//! What the data folder knows of a running copy: whether this host may write it, and whether the data is an older copy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use acts::audit::check_log;
use acts::core::log_high_water::SeenLog;
use acts::{Executor, Result as ActResult};
use jiff::Timestamp;
use proof::crypto::{Entropy, SystemEntropy, base64url, hash_of_text, hash_text};
use serde::{Deserialize, Serialize};
use store::bucket::SharedBucket;
use store::copying::{self, Alive, Fence, Mark, Marks};

use crate::http::settings::Settings;
use crate::start::bucket::{BucketSettings, CopyPlace, Place};
use crate::start::seen_logs::{FILE as SEEN_LOGS, replace};
use crate::start::serve_error::ServeError;

/// The file with the host's own epoch.
pub const EPOCH_FILE: &str = "running-copy.json";
/// The file that marks data which came from a running copy.
pub const RESTORED_FILE: &str = "restored.json";
/// The file with the marks of logs that two people gave up.
pub const GIVEN_UP_FILE: &str = "given-up.json";

/// The copy that a host writes, and the host's claim to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// The copy's folder, or the address of its bucket.
    #[serde(alias = "folder")]
    pub place: String,
    /// The epoch that the host took.
    pub epoch: u64,
    /// The random id of the claim; claims of older versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl Own {
    /// Whether a fence is this host's, and not that of another host that took over or began anew.
    #[must_use]
    pub fn holds(&self, fence: &Fence) -> bool {
        self.epoch == fence.epoch && self.id == fence.id
    }
}

/// An `alive.json` that is younger than this, in seconds, may be of a host that writes.
const YOUNG_SECONDS: i64 = 15;
/// A host that writes a copy in a folder renews its sign of life within this time.
const WATCHED: Duration = Duration::from_secs(2);
/// The same for a bucket.
const BUCKET_WATCHED: Duration = Duration::from_secs(5);
/// How many random bytes distinguish one takeover from another.
const ID_BYTES: usize = 16;

fn trouble(path: &Path) -> impl Fn(std::io::Error) -> ServeError {
    let path = path.to_owned();
    move |error| ServeError::Folder(path.clone(), error)
}

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Option<T>, ServeError> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(trouble(path))?,
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| ServeError::Refused(format!("{} cannot be read: {error}", path.display())))
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), ServeError> {
    let text = serde_json::to_vec_pretty(value).map_err(|error| ServeError::Refused(error.to_string()))?;
    let beside = format!("{}.new", path.file_name().unwrap_or_default().to_string_lossy());
    replace(path, &beside, &text).map_err(trouble(path))
}

/// The copy that a data folder's host writes; nothing where there is none.
///
/// # Errors
/// [`ServeError`] where the file cannot be read.
pub fn own(data: &Path) -> Result<Option<Own>, ServeError> {
    read(&data.join(EPOCH_FILE))
}

/// Takes a copy over for the host of a data folder, as the only one.
///
/// # Errors
/// [`ServeError`] where another host was faster or a folder cannot be written.
pub fn claim((place, bucket): (&CopyPlace, &SharedBucket), data: &Path, now: Timestamp) -> Result<Own, ServeError> {
    let mut id = [0; ID_BYTES];
    let filled = SystemEntropy::new().fill(&mut id);
    filled.map_err(|error| ServeError::Refused(error.to_string()))?;
    let fence = copying::claim(bucket, (&host_name(), &base64url(&id)), now)?;
    let own = Own {
        place: name_of(place)?,
        epoch: fence.epoch,
        id: fence.id,
    };
    write(&data.join(EPOCH_FILE), &own)?;
    Ok(own)
}

/// How a data folder remembers a place: one folder has one name.
fn name_of(place: &CopyPlace) -> Result<String, ServeError> {
    match place {
        CopyPlace::Folder(folder) => {
            let folder = folder.canonicalize().map_err(trouble(folder))?;
            Ok(folder.display().to_string())
        }
        CopyPlace::Bucket(bucket) => Ok(bucket.place.text()),
    }
}

/// Makes a folder for a copy, which must not be copied into itself.
fn make_folder(folder: &Path, data: &Path) -> Result<(), ServeError> {
    std::fs::create_dir_all(folder).map_err(trouble(folder))?;
    let is_inside = |inner: &Path, outer: &Path| {
        let both = (inner.canonicalize(), outer.canonicalize());
        matches!(both, (Ok(inner), Ok(outer)) if inner.starts_with(&outer))
    };
    if is_inside(folder, data) {
        let text = "`copy_to` lies inside of the data folder. Name a folder on another disk, best another host's";
        return Err(ServeError::Refused(text.to_owned()));
    }
    Ok(())
}

/// The epoch in which this host writes the copy of its settings; nothing where no copy is kept. A new folder is claimed at
/// once. Data that has a copy is not served without it: such a host would not notice another host's takeover.
///
/// # Errors
/// [`ServeError::Refused`] where another host took the copy over, or the place is none for a copy of this data.
pub(crate) fn epoch(settings: &Settings, now: Timestamp) -> Result<Option<u64>, ServeError> {
    let own = own(&settings.data_dir)?;
    let Some(place) = &settings.copy_to else {
        return match own {
            Some(own) if settings.database_url.is_none() => Err(not_without(&own, settings)),
            _ => Ok(None),
        };
    };
    if settings.database_url.is_some() {
        let text = "`copy_to` is for the embedded database; PostgreSQL has replicas of its own";
        return Err(ServeError::Refused(text.to_owned()));
    }
    if let CopyPlace::Folder(folder) = place {
        // The folder of an existing copy is never made anew: a missing folder is not mounted, or is the wrong one.
        match &own {
            Some(own) if !folder.exists() => return Err(not_without(own, settings)),
            _ => make_folder(folder, &settings.data_dir)?,
        }
    }
    let name = name_of(place)?;
    let bucket = place.open(settings.outgoing_ca.as_deref())?;
    match (own, copying::fence(&bucket)?) {
        (Some(own), Some(fence)) if own.place == name && own.holds(&fence) => Ok(Some(own.epoch)),
        (Some(own), _) => Err(not_without(&own, settings)),
        (None, None) => claim((place, &bucket), &settings.data_dir, now).map(|own| Some(own.epoch)),
        (None, Some(fence)) => Err(ServeError::Refused(format!(
            "{}. To begin a copy of this data, name another folder",
            taken_over(&place.to_string(), &fence)
        ))),
    }
}

fn taken_over(place: &str, fence: &Fence) -> String {
    format!(
        "The copy in {place} is written by the host {} since {}, which may have newer data. To serve that data here, stop that \
         host and run `assent takeover --from {place} --data NEW-DIR`",
        fence.host, fence.at
    )
}

/// The error for data that has a copy and is served without it, depending on the state of the copy's place.
fn not_without(own: &Own, settings: &Settings) -> ServeError {
    let place = &own.place;
    let leave = format!(
        "To give that copy up, be sure that no other host serves this data, remove `{EPOCH_FILE}` from the data folder, and start again"
    );
    let mount = format!("Mount or reach it and start with `--copy-to {place}`");
    let fence = place_of(own, settings).and_then(|bucket| Ok(copying::fence(&bucket)?));
    ServeError::Refused(match fence {
        Ok(Some(fence)) if !own.holds(&fence) => taken_over(place, &fence),
        Ok(Some(_)) => format!(
            "This data has its running copy in {place}, and without it this host would not see that another took over. Start with \
             `--copy-to {place}`. {leave}"
        ),
        Ok(None) => format!(
            "This data has its running copy in {place}, which holds none now, so that nobody knows whether another host took over. \
             {mount}. {leave}"
        ),
        Err(error) => format!(
            "This data has its running copy in {place}, which cannot be read ({error}), so that nobody knows whether another host \
             took over. {mount}. {leave}"
        ),
    })
}

/// The place of a host's copy; a bucket is accessed with the access key of the settings.
fn place_of(own: &Own, settings: &Settings) -> Result<SharedBucket, ServeError> {
    let place = if own.place.contains("://") {
        let key = match &settings.copy_to {
            Some(CopyPlace::Bucket(bucket)) => Some(bucket),
            _ => settings.archive_bucket.as_ref(),
        };
        let key = key.ok_or_else(|| ServeError::Refused("the settings name no access key for it".to_owned()))?;
        CopyPlace::Bucket(BucketSettings {
            place: Place::parse(&own.place).map_err(ServeError::Refused)?,
            ..key.clone()
        })
    } else {
        CopyPlace::Folder(PathBuf::from(&own.place))
    };
    place.open(settings.outgoing_ca.as_deref())
}

/// Refuses to write a copy that another host writes in the same epoch at this moment: the host whose data folder was copied to
/// this one.
fn check_alone(settings: &Settings, epoch: u64, now: Timestamp) -> Result<(), ServeError> {
    let Some(place) = &settings.copy_to else { return Ok(()) };
    let bucket = place.open(settings.outgoing_ca.as_deref())?;
    let is_young = |alive: &Alive| now.duration_since(alive.at).as_secs().abs() < YOUNG_SECONDS;
    let Some(before) = copying::alive(&bucket)?.filter(|alive| alive.epoch == epoch && is_young(alive)) else {
        return Ok(());
    };
    std::thread::sleep(match place {
        CopyPlace::Folder(_) => WATCHED,
        CopyPlace::Bucket(_) => BUCKET_WATCHED,
    });
    if copying::alive(&bucket)?.is_none_or(|after| after.at == before.at) {
        return Ok(());
    }
    Err(ServeError::Refused(format!(
        "Another host writes the copy in {place} at this moment from the same data: one data folder is a copy of the other. Serve from \
         one of them only; to move the data here, stop that host and run `assent takeover --from {place} --data NEW-DIR`"
    )))
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "unknown".to_owned(),
        name => name.to_owned(),
    }
}

/// The logs' sizes in the form that a copy records.
#[must_use]
pub fn marks(logs: &BTreeMap<String, SeenLog>) -> Marks {
    let mark = |log: &SeenLog| Mark {
        size: log.size,
        root: hash_text(&log.root),
    };
    logs.iter().map(|(tenant, log)| (tenant.clone(), mark(log))).collect()
}

/// Whether the data is an older copy than the marks outside of it; then nothing may be written and the gate is closed. This is
/// checked for data that came from a running copy, and for data that has a running copy.
///
/// # Errors
/// [`ServeError`] where the copy cannot be read, or the store's.
pub(crate) fn freeze_older(settings: &Settings, executor: &Executor) -> Result<bool, ServeError> {
    note_marks(settings, executor)?;
    // The right to write is checked first: a host that was taken over serves nothing.
    let now = executor.tools().recorder.now();
    if let Some(epoch) = epoch(settings, now)? {
        check_alone(settings, epoch, now)?;
    }
    let is_restored = settings.data_dir.join(RESTORED_FILE).exists();
    if !is_restored && settings.copy_to.is_none() {
        return Ok(false);
    }
    let behind = behind(executor)?;
    let Some((_, why)) = behind.first() else {
        return Ok(false);
    };
    let why = format!(
        "this is an older copy, as {why}; two people accept the loss with `assent audit accept-loss` on the host, or the newest \
         copy is brought back"
    );
    tracing::error!(why, "the data is read-only");
    freeze(executor, &why);
    Ok(true)
}

/// Refuses every write from now on, and closes the gates of all tenants.
pub(crate) fn freeze(executor: &Executor, why: &str) {
    executor.tools().store.freeze(why);
    executor.services().closed().close_all(why);
}

/// Records the log sizes from the copy as seen, except those that two people gave up.
fn note_marks(settings: &Settings, executor: &Executor) -> Result<(), ServeError> {
    let Some(place) = &settings.copy_to else { return Ok(()) };
    let bucket = place.open(settings.outgoing_ca.as_deref())?;
    let Some(alive) = copying::alive(&bucket)? else {
        return Ok(());
    };
    let given_up: Marks = read(&settings.data_dir.join(GIVEN_UP_FILE))?.unwrap_or_default();
    for (tenant, mark) in alive.marks {
        let Some(root) = hash_of_text(&mark.root) else { continue };
        if given_up.get(&tenant) != Some(&mark) {
            executor
                .tools()
                .seen_logs
                .note(&tenant, SeenLog { size: mark.size, root });
        }
    }
    Ok(())
}

/// The tenants whose logs are behind the sizes that were seen, with the reason.
///
/// # Errors
/// The store's.
pub fn behind(executor: &Executor) -> ActResult<Vec<(String, String)>> {
    let mut found = Vec::new();
    for tenant in executor.tools().seen_logs.tenants() {
        let why = match check_log::present(executor, &tenant)? {
            None => Some(format!("the log of the tenant {tenant} is missing")),
            Some(_) => check_log::look_at_log(executor, executor.services(), &tenant)?,
        };
        found.extend(why.map(|why| (tenant, why)));
    }
    Ok(found)
}

/// Accepts the present log and gives up the size that was seen before, in the data folder of a host that serves nothing.
///
/// # Errors
/// [`ServeError`] where a file cannot be read or written.
pub fn give_up(data: &Path, tenant: &str, now: Option<SeenLog>) -> Result<(), ServeError> {
    let path = data.join(SEEN_LOGS);
    let mut seen: Marks = read(&path)?.unwrap_or_default();
    let Some(lost) = seen.remove(tenant) else { return Ok(()) };
    let path_given_up = data.join(GIVEN_UP_FILE);
    let mut given_up: Marks = read(&path_given_up)?.unwrap_or_default();
    given_up.insert(tenant.to_owned(), lost);
    write(&path_given_up, &given_up)?;
    if let Some(log) = now {
        seen.extend(marks(&BTreeMap::from([(tenant.to_owned(), log)])));
    }
    write(&path, &seen)
}

/// Records in a data folder that came from a running copy where it came from, and the copy's log sizes.
///
/// # Errors
/// [`ServeError`] where a file cannot be written.
pub fn note_restored(data: &Path, from: &CopyPlace, restored: &copying::Restored) -> Result<(), ServeError> {
    write(&data.join(SEEN_LOGS), &restored.marks)?;
    let told = serde_json::json!({"from": from.to_string(), "moment": restored.moment, "segments": restored.segments});
    write(&data.join(RESTORED_FILE), &told)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn one_host_writes_a_copy_and_the_one_before_is_refused() {
        let folder = std::env::temp_dir().join(format!("assent-own-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let host = |name: &str| {
            let data = folder.join(name);
            std::fs::create_dir_all(&data).unwrap();
            Settings {
                copy_to: Some(CopyPlace::Folder(folder.join("copy"))),
                ..Settings::new(data)
            }
        };
        let (one, two) = (host("one"), host("two"));
        assert_eq!(epoch(&one, now).unwrap(), Some(1));
        assert_eq!(epoch(&one, now).unwrap(), Some(1), "it goes on after a restart");
        assert!(epoch(&two, now).unwrap_err().to_string().contains("takeover"));
        let copy = CopyPlace::Folder(folder.join("copy"));
        let bucket = copy.open(None).unwrap();
        let taken = claim((&copy, &bucket), &two.data_dir, now).unwrap();
        assert_eq!((taken.epoch, epoch(&two, now).unwrap()), (2, Some(2)));
        assert!(epoch(&one, now).is_err(), "the host before");
        let three = host("three");
        let inside = Settings {
            copy_to: Some(CopyPlace::Folder(three.data_dir.join("copy"))),
            ..three.clone()
        };
        assert!(epoch(&inside, now).unwrap_err().to_string().contains("inside"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn data_that_has_a_copy_is_served_neither_without_it_nor_with_another() {
        let folder = std::env::temp_dir().join(format!("assent-elsewhere-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let with = |place: Option<&str>| Settings {
            copy_to: place.map(|name| CopyPlace::Folder(folder.join(name))),
            ..Settings::new(folder.join("data"))
        };
        let refusal = |place: Option<&str>| epoch(&with(place), now).unwrap_err().to_string();
        std::fs::create_dir_all(folder.join("data")).unwrap();
        std::fs::create_dir_all(folder.join("next")).unwrap();
        assert_eq!(epoch(&with(None), now).unwrap(), None, "it never had one");
        assert_eq!(epoch(&with(Some("copy")), now).unwrap(), Some(1));
        let before = own(&folder.join("data")).unwrap();
        for place in [None, Some("other")] {
            assert!(refusal(place).contains("Start with `--copy-to"), "{place:?}");
        }
        let copy = CopyPlace::Folder(folder.join("copy"));
        claim((&copy, &copy.open(None).unwrap()), &folder.join("next"), now).unwrap();
        for place in [None, Some("other"), Some("copy")] {
            assert!(refusal(place).contains("assent takeover"), "{place:?}");
        }
        assert!(!folder.join("other").exists());
        std::fs::remove_dir_all(folder.join("copy")).unwrap();
        for place in [None, Some("other"), Some("copy")] {
            assert!(refusal(place).contains("holds none now"), "{place:?}");
        }
        // A copy that another host began there has the same epoch, and is still another host's.
        std::fs::create_dir_all(folder.join("copy")).unwrap();
        claim((&copy, &copy.open(None).unwrap()), &folder.join("next"), now).unwrap();
        assert!(refusal(Some("copy")).contains("assent takeover"));
        assert_eq!(own(&folder.join("data")).unwrap(), before);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_two_people_gave_up_is_not_seen_again() {
        let folder = std::env::temp_dir().join(format!("assent-given-up-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let log = |size, byte| SeenLog { size, root: [byte; 32] };
        let logs = BTreeMap::from([("halden".to_owned(), log(9, 1)), ("system".to_owned(), log(4, 2))]);
        write(&folder.join(SEEN_LOGS), &marks(&logs)).unwrap();
        give_up(&folder, "halden", Some(log(7, 3))).unwrap();
        let seen: Marks = read(&folder.join(SEEN_LOGS)).unwrap().unwrap();
        let given_up: Marks = read(&folder.join(GIVEN_UP_FILE)).unwrap().unwrap();
        assert_eq!(
            (seen["halden"].size, seen["system"].size, given_up["halden"].size),
            (7, 4, 9)
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
