//! The file that `assent backup` writes: a ZIP archive with a manifest of digests, streamed, so that its size does not
//! matter.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use proof::crypto::{self, Sha256};
use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::bridge;
use crate::failure::{Failure, Result};

/// The master key's name in the data folder.
pub const KEY_FILE: &str = "master.key";

/// The database's name in the data folder.
pub const DATABASE_FILE: &str = "assent.db";

/// The folder of evidence in the data folder; some keep it on another disk and leave a link there.
const EVIDENCE_FOLDER: &str = "evidence";

/// The manifest's name in the archive; it is written last.
const MANIFEST: &str = "manifest.json";

/// The version of the format.
const VERSION: u32 = 1;

/// The exit code of a backup that was stopped by a signal: it could not be made.
const STOPPED: i32 = 2;

/// Secrets that only a backup with keys contains: they allow to act as this server or its people.
const SECRETS: &[&str] = &[KEY_FILE, "demo-credentials.json"];

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Files, the manifest aside.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Whether the master key is among them.
    pub has_keys: bool,
}

/// The content of an archive.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    version: u32,
    made_by: String,
    files: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    name: String,
    bytes: u64,
    digest: String,
}

fn trouble(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| Failure::could_not(format!("`{path}`: {error}."))
}

fn zip_trouble(path: &Path) -> impl Fn(zip::result::ZipError) -> Failure {
    let path = path.display().to_string();
    move |error| Failure::could_not(format!("`{path}` cannot be used as a backup: {error}."))
}

/// Saves a data folder while its server runs: first a consistent copy of the database, then the evidence, whose files are named
/// by their content and exist before the database refers to them.
///
/// # Errors
/// When the folder holds no database, the file is there already, or something cannot be read or written.
pub fn save(data: &Path, to: &Path, with_keys: bool) -> Result<Written> {
    let database = data.join(DATABASE_FILE);
    if !database.is_file() {
        return Err(Failure::could_not(format!(
            "`{}` holds no database of Assent.",
            data.display()
        )));
    }
    refuse_inside(data, to)?;
    refuse_present(to)?;
    let unfinished = Unfinished::watch();
    let (file, copy) = unfinished.begin(to)?;
    let saved = fill(data, &database, (to, file), copy, with_keys);
    unfinished.end();
    if saved.is_err() {
        // Half a backup must not be taken for one. The original error is reported; a file that stays is visible with `ls`.
        let _ = std::fs::remove_file(to);
    }
    saved
}

/// Existing files are never overwritten; for the remains of a killed backup the error names the next step.
fn refuse_present(to: &Path) -> Result<()> {
    let copy = Copied::place(to);
    let text = match (to.exists(), copy.exists()) {
        (false, false) => return Ok(()),
        (true, false) => format!(
            "`{}` is there already. Name another file, or remove that one first.",
            to.display()
        ),
        (is_there, true) => format!(
            "`{}` is there: a backup was broken off, or is being written now. If none is running, remove {}, then try again.",
            copy.display(),
            if is_there {
                format!("it and `{}`", to.display())
            } else {
                "it".to_owned()
            },
        ),
    };
    Err(Failure::could_not(text))
}

/// A backup inside of the folder would be saved into itself without an end, and into every later one.
fn refuse_inside(data: &Path, to: &Path) -> Result<()> {
    let beside = match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let folder = beside.canonicalize().map_err(trouble(to))?;
    let evidence = data.join(EVIDENCE_FOLDER);
    for inside in [data, &evidence] {
        if inside.canonicalize().is_ok_and(|inside| folder.starts_with(inside)) {
            return Err(Failure::could_not(format!(
                "`{}` lies inside of the folder that is saved. Write the backup somewhere else, best onto another disk.",
                to.display()
            )));
        }
    }
    Ok(())
}

fn fill(data: &Path, database: &Path, (to, file): (&Path, File), copy: Copied, with_keys: bool) -> Result<Written> {
    let mut zip = ZipWriter::new(file);
    let mut entries = Vec::new();
    bridge::copy_database(database, &copy.file())?;
    entries.push(put(&mut zip, DATABASE_FILE, &copy.file())?);
    drop(copy);
    for path in files_of(data)? {
        let name = path
            .strip_prefix(data)
            .unwrap_or(&path)
            .to_string_lossy()
            .replace('\\', "/");
        let is_secret = SECRETS.contains(&name.as_str());
        if is_operational(&name) || (is_secret && !with_keys) {
            continue;
        }
        if name.starts_with("evidence/") && !path.exists() {
            // A file that no evidence names may be removed meanwhile; the database of this backup does not know it.
            continue;
        }
        entries.push(put(&mut zip, &name, &path)?);
    }
    let written = Written {
        files: entries.len(),
        bytes: entries.iter().map(|entry| entry.bytes).sum(),
        has_keys: entries.iter().any(|entry| entry.name == KEY_FILE),
    };
    let manifest = Manifest {
        version: VERSION,
        made_by: env!("CARGO_PKG_VERSION").to_owned(),
        files: entries,
    };
    let text = serde_json::to_vec_pretty(&manifest).map_err(|error| Failure::could_not(error.to_string()))?;
    zip.start_file(MANIFEST, options()).map_err(zip_trouble(to))?;
    zip.write_all(&text).map_err(trouble(to))?;
    let file = zip.finish().map_err(zip_trouble(to))?;
    file.sync_all().map_err(trouble(to))?;
    Ok(written)
}

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .large_file(true)
        .unix_permissions(0o600)
}

fn create_new(path: &Path) -> Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(trouble(path))
}

/// The folder beside the backup for a copy of the database; it goes when it is done with.
struct Copied(PathBuf);

impl Copied {
    /// Makes the folder, its owner's alone.
    fn begin(beside: &Path) -> Result<Self> {
        let folder = Self::place(beside);
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder).map_err(trouble(&folder))?;
        Ok(Self(folder))
    }

    /// The path of the copy for a backup.
    fn place(beside: &Path) -> PathBuf {
        with_end(beside, ".database")
    }

    fn file(&self) -> PathBuf {
        self.0.join(DATABASE_FILE)
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// The stage of a backup that a signal may stop.
enum Stage {
    Before,
    /// It writes this file.
    Writing(PathBuf),
    /// The written files stay.
    Done,
}

/// The files that a backup has written so far. They are removed when the program is stopped: half a backup must not be taken
/// for one, and the copy of the database has all data.
struct Unfinished(Arc<Mutex<Stage>>);

impl Unfinished {
    fn watch() -> Self {
        let stage = Arc::new(Mutex::new(Stage::Before));
        let watched = Arc::clone(&stage);
        let (ready, is_ready) = std::sync::mpsc::channel();
        let until_told = move || {
            if wait_for_stop(ready).is_err() {
                return;
            }
            // The lock is held to the end, so that a backup is finished before it or not at all.
            let stage = watched.lock().unwrap_or_else(PoisonError::into_inner);
            match &*stage {
                Stage::Done => return,
                Stage::Before => {}
                Stage::Writing(to) => take_away(to),
            }
            eprintln!("assent: The backup was told to stop, so nothing is saved.");
            std::process::exit(STOPPED);
        };
        // Without the thread a signal ends the program as usual, and the next backup reports the remains.
        let _ = std::thread::Builder::new().name("stop".to_owned()).spawn(until_told);
        // It listens, or it ended and never will.
        let _ = is_ready.recv();
        Self(stage)
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the file and the folder beside it. None of the files existed before, so that each of them now belongs to this
    /// backup.
    fn begin(&self, to: &Path) -> Result<(File, Copied)> {
        let mut stage = self.stage();
        let file = create_new(to)?;
        let copy = Copied::begin(to).inspect_err(|_| {
            let _ = std::fs::remove_file(to);
        })?;
        *stage = Stage::Writing(to.to_owned());
        Ok((file, copy))
    }

    /// From here on nothing is taken away.
    fn end(&self) {
        *self.stage() = Stage::Done;
    }
}

/// Removes the files of a backup that is still being written: the folder of its copy is put aside first, and nothing more can
/// be made in it by its name.
fn take_away(to: &Path) {
    let (copy, aside) = (Copied::place(to), with_end(to, ".database-stopped"));
    // The copy may be done with.
    let _ = std::fs::rename(&copy, &aside);
    let _ = std::fs::remove_dir_all(&aside);
    let _ = std::fs::remove_file(to);
}

/// Returns once the program gets a signal to stop, and reports when it listens.
fn wait_for_stop(ready: std::sync::mpsc::Sender<()>) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        drop(ready);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    })
}

/// Files of the running server or of the database itself.
fn is_operational(name: &str) -> bool {
    let is_database = name
        .strip_prefix(DATABASE_FILE)
        .is_some_and(|rest| matches!(rest, "" | "-wal" | "-shm" | "-journal"));
    is_database
        // Restored data may be older than the log that this server saw.
        || server::SEEN_LOGS_FILES.contains(&name)
        // A running copy has one host; a restore elsewhere makes another one.
        || name == server::running_copy::EPOCH_FILE
        || name == server::running_copy::RESTORED_FILE
        || name == server::running_copy::GIVEN_UP_FILE
        || name.starts_with("uploads/")
        || name.ends_with(".lock")
        || name.ends_with(".sock")
        || name.ends_with(".pid")
}

/// Every ordinary file under a folder, sorted, also where a link leads to it: a folder on another disk is saved as well.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        if !seen.insert(folder.canonicalize().map_err(trouble(&folder))?) {
            // A link that leads round.
            continue;
        }
        for entry in std::fs::read_dir(&folder).map_err(trouble(&folder))? {
            let entry = entry.map_err(trouble(&folder))?;
            let path = entry.path();
            let mut kind = entry.file_type().map_err(trouble(&path))?;
            if kind.is_symlink() {
                kind = std::fs::metadata(&path).map_err(trouble(&path))?.file_type();
            }
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn put(zip: &mut ZipWriter<File>, name: &str, path: &Path) -> Result<Entry> {
    let mut from = File::open(path).map_err(trouble(path))?;
    zip.start_file(name, options()).map_err(zip_trouble(path))?;
    let (bytes, digest) = copy(&mut from, zip, path)?;
    Ok(Entry {
        name: name.to_owned(),
        bytes,
        digest,
    })
}

/// Copies and digests at once.
fn copy(from: &mut dyn Read, to: &mut dyn Write, path: &Path) -> Result<(u64, String)> {
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let mut part = vec![0; 1 << 16];
    loop {
        let count = from.read(&mut part).map_err(trouble(path))?;
        if count == 0 {
            return Ok((bytes, crypto::hash_text(&hash.finish())));
        }
        hash.update(&part[..count]);
        to.write_all(&part[..count]).map_err(trouble(path))?;
        bytes += count as u64;
    }
}

/// Fills an empty folder from a backup. Every file is checked against the manifest.
///
/// # Errors
/// When the folder is not empty, the backup is damaged, or something cannot be read or written.
pub fn restore(from: &Path, data: &Path) -> Result<Written> {
    check_empty(data)?;
    let mut zip = ZipArchive::new(File::open(from).map_err(trouble(from))?).map_err(zip_trouble(from))?;
    let manifest = read_manifest(&mut zip, from)?;
    let mut made = Made {
        data: data.to_owned(),
        was_there: data.exists(),
        files: Vec::new(),
    };
    let unpacked = unpack(&mut zip, &manifest, from, data, &mut made.files);
    if unpacked.is_err() {
        made.take_back();
    }
    unpacked
}

/// The files that a restore has made so far.
struct Made {
    data: PathBuf,
    was_there: bool,
    files: Vec<PathBuf>,
}

impl Made {
    /// Half a restore must not be taken for one: a server would start on it. The next restore, which needs an empty folder,
    /// reports files that cannot be removed.
    fn take_back(&self) {
        for file in &self.files {
            let _ = std::fs::remove_file(file);
            for folder in file.ancestors().skip(1).take_while(|folder| **folder != self.data) {
                // Only an empty folder goes.
                let _ = std::fs::remove_dir(folder);
            }
        }
        if !self.was_there {
            let _ = std::fs::remove_dir(&self.data);
        }
    }
}

fn unpack(
    zip: &mut ZipArchive<File>,
    manifest: &Manifest,
    from: &Path,
    data: &Path,
    made: &mut Vec<PathBuf>,
) -> Result<Written> {
    make_folder(data)?;
    let mut written = Written {
        files: 0,
        bytes: 0,
        has_keys: false,
    };
    for entry in &manifest.files {
        let path = data.join(safe(&entry.name)?);
        // Noted first: its folder is made, and is to go again, although the file may never be.
        made.push(path.clone());
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        let mut source = zip.by_name(&entry.name).map_err(zip_trouble(from))?;
        let mut target = create_new(&path)?;
        let (bytes, digest) = copy(&mut source, &mut target, &path)?;
        if bytes != entry.bytes || digest != entry.digest {
            return Err(Failure::could_not(format!(
                "`{}` is damaged: `{}` is not what was saved.",
                from.display(),
                entry.name
            )));
        }
        target.sync_all().map_err(trouble(&path))?;
        written.files += 1;
        written.bytes += bytes;
        written.has_keys |= entry.name == KEY_FILE;
    }
    Ok(written)
}

fn read_manifest(zip: &mut ZipArchive<File>, from: &Path) -> Result<Manifest> {
    let wrong = |why: &str| Failure::could_not(format!("`{}` is no whole backup: {why}.", from.display()));
    let mut text = String::new();
    let part = zip.by_name(MANIFEST).map_err(|_| wrong("its manifest is missing"))?;
    part.take(256 << 20).read_to_string(&mut text).map_err(trouble(from))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|_| wrong("its manifest cannot be read"))?;
    if manifest.version != VERSION {
        return Err(wrong("it was made by a newer version"));
    }
    if !manifest.files.iter().any(|entry| entry.name == DATABASE_FILE) {
        return Err(wrong("it holds no database"));
    }
    Ok(manifest)
}

pub(crate) fn check_empty(data: &Path) -> Result<()> {
    match std::fs::read_dir(data) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(Failure::could_not(format!(
                "`{}` is not empty; a backup goes into an empty folder.",
                data.display()
            ))),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(trouble(data)(error)),
    }
}

/// Makes a folder that is its owner's alone, and those above it.
pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(trouble(folder))
}

/// A name from an archive must stay inside the folder.
fn safe(name: &str) -> Result<&Path> {
    let path = Path::new(name);
    let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    if is_inside && !name.is_empty() {
        Ok(path)
    } else {
        Err(Failure::could_not(format!(
            "The backup names `{name}`, which lies outside of the folder."
        )))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        for fine in ["assent.db", "evidence/ab/cd"] {
            assert!(safe(fine).is_ok(), "{fine}");
        }
        for wrong in ["", "/etc/passwd", "../up", "a/../../b", "./a"] {
            assert!(safe(wrong).is_err(), "{wrong}");
        }
    }

    /// A folder of one test, with one for the data and one in place of another disk.
    fn two_disks(test: &str) -> (PathBuf, PathBuf, PathBuf) {
        let folder = std::env::temp_dir().join(format!("assent-backup-{test}-{}", std::process::id()));
        let (data, disk) = (folder.join("data"), folder.join("disk"));
        for made in [&data, &disk] {
            std::fs::create_dir_all(made).unwrap();
        }
        (folder, data, disk)
    }

    #[test]
    fn a_backup_is_never_saved_into_itself() {
        let (folder, data, disk) = two_disks("inside");
        std::os::unix::fs::symlink(&disk, data.join("evidence")).unwrap();
        for inside in [
            "data/backup",
            "data/../data/backup",
            "data/evidence/backup",
            "disk/backup",
        ] {
            assert!(refuse_inside(&data, &folder.join(inside)).is_err(), "{inside}");
        }
        assert!(refuse_inside(&data, &folder.join("backup")).is_ok());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_a_broken_backup_left_is_named_and_stays() {
        let (folder, _, _) = two_disks("left");
        let (to, copy) = (folder.join("backup"), folder.join("backup.database"));
        assert!(refuse_present(&to).is_ok());
        std::fs::create_dir(&copy).unwrap();
        let why = refuse_present(&to).unwrap_err().text();
        assert!(
            why.contains("backup.database` is there") && why.contains("remove it, then"),
            "{why}"
        );
        std::fs::write(&to, "half").unwrap();
        let why = refuse_present(&to).unwrap_err().text();
        assert!(
            why.contains("remove it and `") && why.contains("backup`, then"),
            "{why}"
        );
        std::fs::remove_dir(&copy).unwrap();
        let why = refuse_present(&to).unwrap_err().text();
        assert!(why.contains("Name another file"), "{why}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn evidence_on_another_disk_is_saved_too() {
        let (folder, data, disk) = two_disks("linked");
        std::fs::write(disk.join("ab12"), "x").unwrap();
        let link = data.join("evidence");
        std::os::unix::fs::symlink(&disk, &link).unwrap();
        std::os::unix::fs::symlink(&data, disk.join("round")).unwrap();
        assert_eq!(files_of(&data).unwrap(), [link.join("ab12")]);
        std::fs::remove_dir_all(&disk).unwrap();
        assert!(files_of(&data).is_err(), "a disk that is not there is no empty one");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// An archive of these files; the third value is the manifest's entry for each.
    fn archive(path: &Path, files: &[(&str, &str, &str)]) {
        archive_without(path, files, "");
    }

    /// The same, where one of them is named and not there.
    fn archive_without(path: &Path, files: &[(&str, &str, &str)], absent: &str) {
        let mut zip = ZipWriter::new(File::create(path).unwrap());
        let mut entries = Vec::new();
        for (name, content, said) in files {
            if *name != absent {
                zip.start_file(*name, options()).unwrap();
                zip.write_all(content.as_bytes()).unwrap();
            }
            let mut hash = Sha256::new();
            hash.update(said.as_bytes());
            entries.push(Entry {
                name: (*name).to_owned(),
                bytes: said.len() as u64,
                digest: crypto::hash_text(&hash.finish()),
            });
        }
        let manifest = Manifest {
            version: VERSION,
            made_by: "a test".to_owned(),
            files: entries,
        };
        zip.start_file(MANIFEST, options()).unwrap();
        zip.write_all(&serde_json::to_vec(&manifest).unwrap()).unwrap();
        zip.finish().unwrap();
    }

    #[test]
    fn a_restore_that_fails_leaves_nothing_that_a_server_could_start_on() {
        let folder = std::env::temp_dir().join(format!("assent-restore-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("empty")).unwrap();
        let backup = folder.join("backup");
        let damaged = [(DATABASE_FILE, "rows", "rows"), ("evidence/ab/cd", "seen", "sent")];
        archive(&backup, &damaged);
        for (data, is_left) in [("new", false), ("empty", true)] {
            let data = folder.join(data);
            let why = restore(&backup, &data).unwrap_err().text();
            assert!(why.contains("`evidence/ab/cd` is not what was saved"), "{why}");
            assert_eq!(data.exists(), is_left);
            assert!(!is_left || std::fs::read_dir(&data).unwrap().next().is_none());
        }
        // A file that the manifest names and the archive lacks is noticed when its folders exist already.
        let lacking = folder.join("lacking");
        archive_without(
            &lacking,
            &[(DATABASE_FILE, "rows", "rows"), ("evidence/ab/cd", "seen", "seen")],
            "evidence/ab/cd",
        );
        let empty = folder.join("empty");
        assert!(restore(&lacking, &empty).is_err());
        assert!(std::fs::read_dir(&empty).unwrap().next().is_none(), "a folder was left");
        archive(&backup, &[(DATABASE_FILE, "rows", "rows")]);
        let written = restore(&backup, &folder.join("new")).unwrap();
        assert_eq!((written.files, written.bytes), (1, 4));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_belongs_to_the_running_server_is_left_out() {
        for left in [
            "assent.db",
            "assent.db-wal",
            "assent.db-shm",
            "uploads/1",
            "server.lock",
            "clock.sock",
            "seen-logs.json",
            "running-copy.json",
        ] {
            assert!(is_operational(left), "{left}");
        }
        for kept in ["evidence/sha", "master.key", "assent.db.old"] {
            assert!(!is_operational(kept), "{kept}");
        }
    }
}
