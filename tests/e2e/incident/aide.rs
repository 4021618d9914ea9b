//! Debian's AIDE over a real folder: its own reports, posted unchanged, open findings, are silent about expected changes, and
//! close the findings again.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::faults::eventually;
use tests::journey::SERVICE;
use tests::session::Session;
use tests::{Place, Server};

use crate::incident::drift::Source;
use crate::platform::crash::must_verify;

/// Where Debian puts it.
const PROGRAM: &str = "/usr/bin/aide";
/// How many files are watched.
const FILES: usize = 120;

/// A watched folder with the configuration of AIDE.
struct Watched(tempfile::TempDir);

impl Watched {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        fs::create_dir_all(folder.path().join("data")).unwrap();
        let config = format!(
            "database_in=file:{path}/aide.db\ndatabase_out=file:{path}/aide.db\nreport_format=json\nreport_url=stdout\n\
             {path}/data p+n+sha256\n"
        );
        fs::write(folder.path().join("aide.conf"), config).unwrap();
        let watched = Self(folder);
        (0..FILES).for_each(|number| watched.write(number));
        watched.run("--init");
        watched
    }

    fn file(&self, number: usize) -> PathBuf {
        self.0.path().join("data").join(format!("file-{number:04}"))
    }

    /// A file as it was at the beginning.
    fn write(&self, number: usize) {
        fs::write(self.file(number), format!("{number}\n")).unwrap();
        set_mode(&self.file(number), 0o644);
    }

    /// Runs it; its exit code has the differences as bits, and is an error from 14 on.
    fn run(&self, command: &str) -> Vec<u8> {
        let run = Command::new(PROGRAM)
            .arg("--config")
            .arg(self.0.path().join("aide.conf"))
            .arg(command)
            .output()
            .unwrap_or_else(|error| panic!("`{PROGRAM}` cannot be started ({error}); run cargo xtask setup"));
        let code = run.status.code().unwrap();
        assert!(code < 14, "{command}: {code} {}", String::from_utf8_lossy(&run.stderr));
        run.stdout
    }

    /// Makes a report and posts it as it is. Reports have whole seconds, so each is made in a second of its own.
    fn report(&self, server: &Server, source: &Source<'_>, number: usize) {
        let begun = server.server_time().as_second();
        eventually("the next second has begun", || server.server_time().as_second() > begun);
        assert_eq!(source.deliver(&self.run("--check")), 202);
        source.is_taken(number);
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn reports_of_the_real_aide_open_findings_and_close_them() {
    let place = Place::demo("aide");
    let server = Server::start(&place, true);
    let watched = Watched::new();
    let pattern = format!("{}/*", watched.0.path().join("data").display());
    let source = Source::new(&server, "aide", &pattern);
    source.expect(&pattern, "perm");
    watched.report(&server, &source, 1);
    assert_eq!(source.open(), BTreeSet::new(), "nothing was changed");
    let mut wanted = BTreeSet::new();
    for number in 0..FILES {
        let file = watched.file(number);
        match number % 4 {
            0 => fs::write(&file, "changed\n").unwrap(),
            1 => fs::remove_file(&file).unwrap(),
            2 => set_mode(&file, 0o600),
            _ => continue,
        }
        if number % 4 != 2 {
            wanted.insert(file.display().to_string());
        }
    }
    watched.report(&server, &source, 2);
    assert_eq!(
        source.open(),
        wanted,
        "recall and precision are 1 with expected drift in force"
    );
    let owner = Session::begin(&server, "owner");
    eventually("the owner is told", || {
        owner
            .get("/t/halden/messages")
            .body
            .contains(&format!("Drift of {SERVICE}"))
    });
    // The same again is the same findings; a restored file's finding is gone.
    watched.report(&server, &source, 3);
    assert_eq!(source.open(), wanted);
    (0..FILES).for_each(|number| watched.write(number));
    watched.report(&server, &source, 4);
    assert_eq!(source.open(), BTreeSet::new());
    server.wait_for_log();
    must_verify(&server);
}
