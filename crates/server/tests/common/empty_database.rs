//! A database without rows, migrated once for all servers of a test program: the migrations took most of the time that starting
//! one takes.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::OnceLock;

use store::{Config, Store};

/// Makes a data folder with the embedded database, as a server that opens its store there would make it.
pub(crate) fn make(data: &Path) {
    static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
    let empty = EMPTY.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("assent-empty-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let copy = folder.join("copy.db");
        let store = Store::open(Config::sqlite(folder.join("assent.db"))).unwrap();
        store.backup(&copy).unwrap();
        store.close();
        let bytes = std::fs::read(copy).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        bytes
    });
    let folder = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data);
    folder.unwrap();
    std::fs::write(data.join("assent.db"), empty).unwrap();
}
