//! The demo, filled once per run of the tests and copied for each test that wants one.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::{Place, Server, create_database};

/// The prefix of the folder's name; the number of the process that made it follows.
const FOLDER: &str = "assent-template-";

struct Template {
    folder: PathBuf,
    database: Option<String>,
}

impl Place {
    /// A place with the demo in it, stopped, as after one run of the server.
    ///
    /// # Panics
    /// When the demo cannot be made or copied.
    pub fn demo(name: &str) -> Self {
        Self::demo_in(tempfile::tempdir().unwrap(), name)
    }

    /// The same, in a folder that the caller chose.
    ///
    /// # Panics
    /// When the demo cannot be made or copied.
    pub fn demo_in(folder: tempfile::TempDir, name: &str) -> Self {
        static TEMPLATE: OnceLock<Template> = OnceLock::new();
        let template = TEMPLATE.get_or_init(make);
        copy(&template.folder, folder.path());
        let database = template.database.as_ref().map(|url| {
            let (_, twin) = url.rsplit_once('/').unwrap();
            create_database(name, &format!("TEMPLATE {twin}"))
        });
        Self { folder, database }
    }
}

fn make() -> Template {
    sweep(&std::env::temp_dir());
    let place = Place::new("template");
    assert!(
        Server::start(&place, true).stop().success(),
        "the demo's server stops well"
    );
    let folder = std::env::temp_dir().join(format!("{FOLDER}{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    copy(place.folder.path(), &folder);
    Template {
        folder,
        database: place.database,
    }
}

/// Copies the files of a stopped server; its lock and its log stay behind.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status();
    assert!(copied.unwrap().success(), "{} cannot be copied", from.display());
}

/// Removes the remains of processes that are gone.
fn sweep(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let maker = name.strip_prefix(FOLDER).and_then(|number| number.parse::<u32>().ok());
        let Some(maker) = maker else { continue };
        if !Path::new("/proc").join(maker.to_string()).exists() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
