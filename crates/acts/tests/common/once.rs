//! Parts of worlds that are made once for a test program: they took most of the time that making a world takes.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use store::{Config, Store};

struct All;

impl policy::Directory for All {
    fn group_exists(&self, _: &str) -> bool {
        true
    }
    fn person_exists(&self, _: &str) -> bool {
        true
    }
    fn service_exists(&self, _: &str) -> bool {
        true
    }
    fn environment_exists(&self, _: &str) -> bool {
        true
    }
}

/// Makes a SQLite file without rows, migrated as opening a store there would do it.
pub(crate) fn empty_database(path: &Path) {
    static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
    let empty = EMPTY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy.db");
        let store = Store::open(Config::sqlite(folder.path().join("assent.db"))).unwrap();
        store.backup(&copy).unwrap();
        store.close();
        std::fs::read(copy).unwrap()
    });
    std::fs::write(path, empty).unwrap();
}

/// The policies of these files, each set compiled once. Every name in them is taken to exist.
pub(crate) fn policies(files: &[policy::SourceFile]) -> Arc<policy::PolicySet> {
    static KNOWN: Mutex<Vec<(Vec<String>, Arc<policy::PolicySet>)>> = Mutex::new(Vec::new());
    let texts: Vec<String> = files.iter().map(|file| file.text.clone()).collect();
    let mut known = KNOWN.lock().unwrap();
    if let Some((_, set)) = known.iter().find(|(of, _)| *of == texts) {
        return set.clone();
    }
    let set = policy::PolicySet::compile(files, "", policy::SCHEMA, &All, proof::crypto::digest_text);
    known.push((texts, Arc::new(set.unwrap())));
    known.last().unwrap().1.clone()
}
