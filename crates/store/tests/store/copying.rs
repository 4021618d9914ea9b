//! A running copy of the SQLite file: its content is restored to the moment, a damaged or taken-over copy is reported.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use store::bucket::{Bucket, Put, SharedBucket};
use store::copying::{self, Copied, Copier, Mark, Marks, restore};
use store::{Config, Error, Lane, Mode, Store, counter};

use crate::world::{ACME, Folder};

/// A store with a copy of it, and a clock that moves on by a second with every look.
struct Copies {
    folder: Folder,
    store: Store,
    copier: Copier,
    seconds: std::cell::Cell<i64>,
    /// The size of the log that each step records.
    mark: u64,
}

impl Copies {
    fn new() -> Self {
        let folder = Folder::new();
        let data = folder.path().join("data");
        std::fs::create_dir_all(data.join("evidence/ab")).unwrap();
        std::fs::write(data.join("evidence/ab/cd"), "seen").unwrap();
        let store = Store::open(Config::sqlite(data.join("assent.db"))).unwrap();
        let copy = folder.path().join("copy");
        let fence = copying::claim(
            &SharedBucket::in_folder(&copy),
            ("one", "one-id"),
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
        let copier = store.copier(&SharedBucket::in_folder(&copy), fence.epoch).unwrap();
        Self {
            folder,
            store,
            copier,
            seconds: std::cell::Cell::new(1_000),
            mark: 0,
        }
    }

    fn copy(&self) -> PathBuf {
        self.folder.path().join("copy")
    }

    fn place(&self) -> SharedBucket {
        SharedBucket::in_folder(&self.copy())
    }

    fn step(&mut self) -> Result<Copied, Error> {
        let seconds = &self.seconds;
        let clock = || {
            seconds.set(seconds.get() + 1);
            Timestamp::from_second(seconds.get()).unwrap()
        };
        let mark = Mark {
            size: self.mark,
            root: format!("sha256:{:064}", 1),
        };
        self.copier.step(Marks::from([(ACME.to_owned(), mark)]), &clock)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.seconds.get()).unwrap()
    }

    /// Counts on in one transaction, with so many bytes beside it.
    fn write(&self, bytes: usize) -> i64 {
        let filled = move |tx: &mut store::Tx<'_>| {
            let number = counter::next(tx, "n")?;
            for part in 0..bytes / 1_000 {
                counter::next(tx, &format!("{:0900}", number * 100_000 + part as i64))?;
            }
            Ok::<_, Error>(number)
        };
        self.store.wait(Lane::Acts, ACME, Mode::Write, filled).unwrap()
    }

    fn restored(&self, name: &str, at: Option<Timestamp>) -> Result<(i64, PathBuf), Error> {
        let to = self.folder.path().join(name).join("assent.db");
        restore(&self.place(), at, &to)?;
        Ok((count(&to), to))
    }
}

/// The number that a restored file has come to; the file itself is whole.
fn count(path: &Path) -> i64 {
    assert!(Store::find_damage(&Config::sqlite(path)).unwrap().is_empty());
    let store = Store::open(Config::sqlite(path)).unwrap();
    let look = |tx: &mut store::Tx<'_>| counter::get(tx, "n");
    let count = store.wait(Lane::Acts, ACME, Mode::Read, look).unwrap();
    store.close();
    count
}

#[test]
fn every_moment_since_the_base_is_restored_as_it_was() {
    let mut copies = Copies::new();
    copies.write(0);
    assert_eq!(copies.step(), Ok(Copied::Whole));
    let mut moments = Vec::new();
    // More than one round of the write-ahead log: it is moved into the main file every 2,000 pages.
    for _ in 0..30 {
        let number = copies.write(600_000);
        assert_eq!(copies.step(), Ok(Copied::Whole));
        moments.push((copies.now(), number));
    }
    for (place, (at, number)) in moments.iter().enumerate().step_by(7) {
        let (found, to) = copies.restored(&format!("at{place}"), Some(*at)).unwrap();
        assert_eq!(found, *number, "at {at}");
        let beside = to.with_file_name("evidence").join("ab/cd");
        assert_eq!(std::fs::read_to_string(beside).unwrap(), "seen");
    }
    assert_eq!(copies.restored("newest", None).unwrap().0, 31);
    let early = Timestamp::from_second(1).unwrap();
    let why = copies.restored("early", Some(early)).unwrap_err().to_string();
    assert!(why.contains("reaches back to"), "{why}");
}

#[test]
fn what_is_written_while_the_base_is_copied_is_in_the_copy() {
    let mut copies = Copies::new();
    copies.write(8_000_000);
    std::thread::scope(|scope| {
        let store = copies.store.clone();
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let writer = scope.spawn(move || {
            let mut written = 0;
            while stopped.try_recv().is_err() {
                let next = |tx: &mut store::Tx<'_>| counter::next(tx, "n");
                written = store.wait(Lane::Acts, ACME, Mode::Write, next).unwrap();
            }
            written
        });
        assert_eq!(copies.step(), Ok(Copied::Whole));
        // The writer may be gone only by a panic, which its join reports.
        let _ = stop.send(());
        let written = writer.join().unwrap();
        assert_eq!(copies.step(), Ok(Copied::Whole));
        assert_eq!(copies.restored("meanwhile", None).unwrap().0, written);
    });
}

/// Where in the main file SQLite's shared lock begins (sqlite.org/fileformat2.html, section 1.4).
#[cfg(target_os = "linux")]
const SHARED_LOCK: &str = "1073741826";

/// Without the lock another program that closes the database, such as `assent backup`, removes the write-ahead log that the server
/// writes.
#[cfg(target_os = "linux")]
#[test]
fn a_base_that_was_copied_leaves_the_lock_on_the_database() {
    use std::os::unix::fs::MetadataExt;

    let mut copies = Copies::new();
    let file = copies.folder.path().join("data/assent.db");
    let file = format!(":{} {SHARED_LOCK} ", std::fs::metadata(file).unwrap().ino());
    let is_locked = || std::fs::read_to_string("/proc/locks").unwrap().contains(&file);
    assert!(is_locked(), "before");
    copies.write(0);
    assert_eq!(copies.step(), Ok(Copied::Whole));
    assert!(is_locked(), "after a base");
}

#[test]
fn files_that_were_erased_are_erased_in_the_copy() {
    let mut copies = Copies::new();
    assert_eq!(copies.step(), Ok(Copied::Whole));
    let copied = copies.copy().join("files/evidence/ab/cd");
    assert!(copied.exists());
    std::fs::remove_file(copies.folder.path().join("data/evidence/ab/cd")).unwrap();
    copies.write(0);
    assert_eq!(copies.step(), Ok(Copied::Whole));
    assert!(!copied.exists());
}

/// The files of the only generation with this end.
fn parts(copy: &Path, end: &str) -> Vec<PathBuf> {
    let generation = std::fs::read_dir(copy.join("generations")).unwrap().next().unwrap();
    let files = std::fs::read_dir(generation.unwrap().path()).unwrap();
    let mut files: Vec<PathBuf> = files.map(|it| it.unwrap().path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(end));
    files.sort();
    files
}

#[test]
fn a_damaged_copy_is_never_restored_as_if_it_were_whole() {
    let mut copies = Copies::new();
    for _ in 0..4 {
        copies.write(5_000);
        assert_eq!(copies.step(), Ok(Copied::Whole));
    }
    let segments = parts(&copies.copy(), ".wal");
    assert!(segments.len() >= 4, "{segments:?}");
    let second = segments[segments.len() - 2].clone();
    for path in [second.clone(), parts(&copies.copy(), "base-00001.zst")[0].clone()] {
        let whole = std::fs::read(&path).unwrap();
        for at in [whole.len() / 2, whole.len() - 1] {
            let mut other = whole.clone();
            other[at] ^= 4;
            std::fs::write(&path, other).unwrap();
            assert!(copies.restored("damaged", None).is_err(), "{} at {at}", path.display());
        }
        std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        assert!(copies.restored("cut", None).is_err(), "{}", path.display());
        std::fs::write(&path, whole).unwrap();
    }
    let kept = std::fs::read(&second).unwrap();
    std::fs::remove_file(&second).unwrap();
    let why = copies.restored("gap", None).unwrap_err().to_string();
    assert!(why.contains("it is missing"), "{why}");
    std::fs::write(&second, kept).unwrap();
    assert_eq!(copies.restored("whole", None).unwrap().0, 4);
}

#[test]
fn a_host_that_was_taken_over_writes_nothing_more() {
    let mut copies = Copies::new();
    assert_eq!(copies.step(), Ok(Copied::Whole));
    let fence = copying::claim(&copies.place(), ("two", "two-id"), copies.now()).unwrap();
    assert_eq!(fence.epoch, 2);
    let before = parts(&copies.copy(), ".wal");
    copies.write(0);
    assert_eq!(copies.step(), Ok(Copied::Fenced(fence)));
    assert_eq!(parts(&copies.copy(), ".wal"), before);
    copies.store.freeze("the host two took over");
    let next = |tx: &mut store::Tx<'_>| counter::next(tx, "n");
    let refused = copies.store.wait(Lane::Acts, ACME, Mode::Write, next);
    assert_eq!(refused, Err(Error::ReadOnly("the host two took over".to_owned())));
    let look = |tx: &mut store::Tx<'_>| counter::get(tx, "n");
    assert_eq!(copies.store.wait(Lane::Acts, ACME, Mode::Read, look), Ok::<_, Error>(1));
}

#[test]
fn the_folder_says_how_far_the_logs_were() {
    let mut copies = Copies::new();
    let mark = Mark {
        size: 7,
        root: format!("sha256:{:064}", 1),
    };
    let marks = Marks::from([(ACME.to_owned(), mark)]);
    let now = copies.now();
    copies.copier.step(marks.clone(), &|| now).unwrap();
    let alive = copying::alive(&copies.place()).unwrap().unwrap();
    assert_eq!((alive.at, &alive.marks), (now, &marks));
    assert!(now + SignedDuration::from_secs(1) > alive.at);
    let to = copies.folder.path().join("back/assent.db");
    assert_eq!(restore(&copies.place(), None, &to).unwrap().marks, marks);
}

/// A place whose host writes on at the moment at which a reader has come to the end.
struct WrittenMeanwhile {
    place: SharedBucket,
    copies: Mutex<Copies>,
    is_written: AtomicBool,
}

impl Bucket for WrittenMeanwhile {
    fn put(&self, key: &str, bytes: &[u8], when: Put) -> Result<bool, Error> {
        self.place.0.put(key, bytes, when)
    }

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let found = self.place.0.get(key)?;
        if found.is_none() && !self.is_written.swap(true, Ordering::Relaxed) {
            let mut copies = self.copies.lock().unwrap();
            copies.write(0);
            copies.mark = 2;
            copies.step()?;
        }
        Ok(found)
    }

    fn list(&self, prefix: &str, after: &str) -> Result<Vec<String>, Error> {
        self.place.0.list(prefix, after)
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        self.place.0.delete(key)
    }
}

#[test]
fn a_copy_that_is_written_while_it_is_restored_holds_at_least_its_marks() {
    let mut copies = Copies::new();
    copies.write(0);
    copies.mark = 1;
    assert_eq!(copies.step(), Ok(Copied::Whole));
    let (place, folder) = (copies.place(), Folder::new());
    let meanwhile = WrittenMeanwhile {
        place,
        copies: Mutex::new(copies),
        is_written: AtomicBool::new(false),
    };
    let to = folder.path().join("assent.db");
    let restored = restore(&SharedBucket(Arc::new(meanwhile)), None, &to).unwrap();
    let marked = restored.marks[ACME].size;
    assert_eq!((count(&to), marked), (2, 1));
}
