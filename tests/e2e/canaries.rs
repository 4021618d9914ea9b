//! Secrets stay where they belong: none of them stands in any answer, log, database, backup or report.

use std::path::Path;
use std::process::Command;

use tests::Place;

/// Whether a stopped server's data holds some bytes anywhere.
pub fn holds(place: &Place, canary: &[u8]) -> bool {
    let in_database = place.database.as_ref().is_some_and(|url| {
        let dump = Command::new("pg_dump").args(["--inserts", url]).output().unwrap();
        assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
        // Bytes stand in a dump as hexadecimal digits.
        let digits: String = canary.iter().map(|byte| format!("{byte:02x}")).collect();
        contains(&dump.stdout, canary) || contains(&dump.stdout, digits.as_bytes())
    });
    in_database || folder_holds(place.folder.path(), canary)
}

fn folder_holds(folder: &Path, canary: &[u8]) -> bool {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    entries.map(|entry| entry.path()).any(|path| {
        if path.is_dir() {
            return folder_holds(&path, canary);
        }
        path.is_file() && contains(&std::fs::read(&path).unwrap(), canary)
    })
}

/// Whether bytes stand in others.
pub fn contains(whole: &[u8], part: &[u8]) -> bool {
    let first = part[0];
    let starts = whole.iter().enumerate().filter(|(_, byte)| **byte == first);
    starts.map(|(at, _)| at).any(|at| whole[at..].starts_with(part))
}
