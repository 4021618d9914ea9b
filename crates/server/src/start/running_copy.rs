//! What the data folder knows of a running copy: whether this host may write it, and whether the data is an older copy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use acts::audit::check_log;
use acts::core::log_high_water::SeenLog;
use acts::{Executor, Result as ActResult};
use jiff::Timestamp;
use proof::crypto::{hash_of_text, hash_text};
use serde::{Deserialize, Serialize};
use store::copying::{self, Mark, Marks};

use crate::http::settings::Settings;
use crate::start::seen_logs::{FILE as SEEN_LOGS, replace};
use crate::start::serve_error::ServeError;

/// The file with the host's own epoch.
pub const EPOCH_FILE: &str = "running-copy.json";
/// The file that says that the data came from a running copy.
pub const RESTORED_FILE: &str = "restored.json";
/// The file with the marks of logs that two people gave up.
pub const GIVEN_UP_FILE: &str = "given-up.json";

/// Which copy a host writes, and as what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// The copy's folder.
    pub folder: PathBuf,
    /// The epoch that the host took.
    pub epoch: u64,
}

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

/// The copy that a data folder's host writes; nothing where it writes none.
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
pub fn claim(folder: &Path, data: &Path, now: Timestamp) -> Result<Own, ServeError> {
    let fence = copying::claim(folder, &host_name(), now)?;
    let own = Own {
        folder: folder.canonicalize().map_err(trouble(folder))?,
        epoch: fence.epoch,
    };
    write(&data.join(EPOCH_FILE), &own)?;
    Ok(own)
}

/// The epoch in which this host writes the copy of its settings; nothing where none is kept. A new folder is taken over at once.
///
/// # Errors
/// [`ServeError::Refused`] where another host took the copy over, or the folder is none for a copy.
pub(crate) fn epoch(settings: &Settings, now: Timestamp) -> Result<Option<u64>, ServeError> {
    let Some(folder) = &settings.copy_to else {
        return Ok(None);
    };
    if settings.database_url.is_some() {
        let text = "`copy_to` is for the embedded database; PostgreSQL has replicas of its own";
        return Err(ServeError::Refused(text.to_owned()));
    }
    std::fs::create_dir_all(folder).map_err(trouble(folder))?;
    let is_inside = |inner: &Path, outer: &Path| {
        let both = (inner.canonicalize(), outer.canonicalize());
        matches!(both, (Ok(inner), Ok(outer)) if inner.starts_with(&outer))
    };
    if is_inside(folder, &settings.data_dir) {
        let text = "`copy_to` lies inside of the data folder. Name a folder on another disk, best another host's";
        return Err(ServeError::Refused(text.to_owned()));
    }
    let place = folder.canonicalize().map_err(trouble(folder))?;
    let own = own(&settings.data_dir)?.filter(|own| own.folder == place);
    match (own, copying::fence(folder)?) {
        (Some(own), Some(fence)) if own.epoch == fence.epoch => Ok(Some(own.epoch)),
        (_, None) => claim(folder, &settings.data_dir, now).map(|own| Some(own.epoch)),
        (_, Some(fence)) => Err(ServeError::Refused(format!(
            "The copy in {} is written by the host {} since {}, which may have newer data. To serve that data here, stop that host \
             and run `assent takeover --from {} --data NEW-DIR`. To begin a copy of this data, name another folder",
            folder.display(),
            fence.host,
            fence.at,
            folder.display()
        ))),
    }
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "unknown".to_owned(),
        name => name.to_owned(),
    }
}

/// How far logs were, as a copy says it.
#[must_use]
pub fn marks(logs: &BTreeMap<String, SeenLog>) -> Marks {
    let mark = |log: &SeenLog| Mark {
        size: log.size,
        root: hash_text(&log.root),
    };
    logs.iter().map(|(tenant, log)| (tenant.clone(), mark(log))).collect()
}

/// Whether the data is an older copy than what is known outside of it; then nothing may be written and the gate is closed. That is
/// asked of data that came from a running copy, and of data that a running copy is made of.
///
/// # Errors
/// [`ServeError`] where the copy's folder cannot be read, or the store's.
pub(crate) fn freeze_older(settings: &Settings, executor: &Executor) -> Result<bool, ServeError> {
    note_marks(settings, executor)?;
    // Which host may write comes first: one that was taken over serves nothing.
    epoch(settings, executor.tools().recorder.now())?;
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

/// Takes what the copy's folder knows of the logs as seen, but for what two people gave up.
fn note_marks(settings: &Settings, executor: &Executor) -> Result<(), ServeError> {
    let Some(folder) = &settings.copy_to else { return Ok(()) };
    let Some(alive) = copying::alive(folder)? else {
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

/// The tenants whose logs are behind what was seen of them, with the reason.
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

/// Remembers a log as it is from now on and gives up what was seen of it, in the data folder of a host that serves nothing.
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

/// Writes into a data folder that came from a running copy what the copy knows of the logs, and where it came from.
///
/// # Errors
/// [`ServeError`] where a file cannot be written.
pub fn note_restored(data: &Path, from: &Path, restored: &copying::Restored) -> Result<(), ServeError> {
    write(&data.join(SEEN_LOGS), &restored.marks)?;
    let told = serde_json::json!({"from": from, "moment": restored.moment, "segments": restored.segments});
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
                copy_to: Some(folder.join("copy")),
                ..Settings::new(data)
            }
        };
        let (one, two) = (host("one"), host("two"));
        assert_eq!(epoch(&one, now).unwrap(), Some(1));
        assert_eq!(epoch(&one, now).unwrap(), Some(1), "it goes on after a restart");
        assert!(epoch(&two, now).unwrap_err().to_string().contains("takeover"));
        let taken = claim(&folder.join("copy"), &two.data_dir, now).unwrap();
        assert_eq!((taken.epoch, epoch(&two, now).unwrap()), (2, Some(2)));
        assert!(epoch(&one, now).is_err(), "the host before");
        let inside = Settings {
            copy_to: Some(one.data_dir.join("copy")),
            ..one.clone()
        };
        assert!(epoch(&inside, now).unwrap_err().to_string().contains("inside"));
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
