//! Places that are filled once per run of the tests and copied for each test that wants one; the demo is one of them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::{Place, Server, create_database};

/// The prefix of a folder's name; the number of the process that made it follows, and its own name.
const FOLDER: &str = "assent-template-";

/// The data of a server that was stopped, kept until the run's folders are swept.
pub struct Template {
    folder: PathBuf,
    database: Option<String>,
}

impl Template {
    /// Keeps a stopped server's place under a name of its own. On PostgreSQL its database is kept itself.
    ///
    /// # Panics
    /// When it cannot be copied.
    pub fn of(place: &Place, name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("{FOLDER}{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        copy(place.folder.path(), &folder);
        Self {
            folder,
            database: place.database.clone(),
        }
    }

    /// A copy of it in a folder of its own.
    ///
    /// # Panics
    /// When it cannot be copied.
    pub fn place(&self, name: &str) -> Place {
        self.place_in(tempfile::tempdir().unwrap(), name)
    }

    fn place_in(&self, folder: tempfile::TempDir, name: &str) -> Place {
        copy(&self.folder, folder.path());
        let database = self.database.as_ref().map(|url| {
            let (_, twin) = url.rsplit_once('/').unwrap();
            create_database(name, &format!("TEMPLATE {twin}"))
        });
        Place { folder, database }
    }
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
        static DEMO: OnceLock<Template> = OnceLock::new();
        DEMO.get_or_init(make_demo).place_in(folder, name)
    }
}

fn make_demo() -> Template {
    sweep(&std::env::temp_dir());
    let place = Place::new("template");
    assert!(
        Server::start(&place, true).stop().success(),
        "the demo's server stops well"
    );
    Template::of(&place, "demo")
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
        let number = name.strip_prefix(FOLDER).and_then(|rest| rest.split('-').next());
        let maker = number.and_then(|number| number.parse::<u32>().ok());
        let Some(maker) = maker else { continue };
        if !Path::new("/proc").join(maker.to_string()).exists() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
