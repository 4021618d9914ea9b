//! A PostgreSQL of a test's own, which may be stopped, paused and started without disturbing any other test.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{eventually, signals};

/// The owner of everything in it.
const OWNER: &str = "assent_owner";
/// The account that runs it when the caller is root, because PostgreSQL refuses root.
const ACCOUNT: &str = "postgres";

/// A cluster. Dropping it stops it and removes its data.
pub struct Cluster {
    folder: tempfile::TempDir,
    port: u16,
    server: Option<Child>,
}

impl Cluster {
    /// Makes a cluster and waits until it responds. It trusts every client at 127.0.0.1: it holds nothing but a test.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not come up.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        give(folder.path());
        let made = program("initdb", folder.path())
            .args(["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"])
            .arg(format!("--username={OWNER}"))
            .arg("-D")
            .arg(folder.path().join("data"))
            .output()
            .expect("PostgreSQL is installed: apt-get install postgresql");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut cluster = Self {
            folder,
            port: crate::free_port(),
            server: None,
        };
        cluster.start_again();
        cluster
    }

    /// Starts it again after [`Cluster::stop`], and waits until it responds.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_again(&mut self) {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .expect("its log can be written");
        let errors = log.try_clone().expect("a file handle can be shared");
        let mut server = program("postgres", self.folder.path());
        server.arg("-D").arg(self.folder.path().join("data"));
        for setting in [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            format!("unix_socket_directories={}", self.folder.path().display()),
            "max_connections=200".to_owned(),
        ] {
            server.args(["-c", &setting]);
        }
        let child = server.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        self.server = Some(child.expect("PostgreSQL starts"));
        self.wait_until_ready();
    }

    /// Waits until it takes connections.
    pub fn wait_until_ready(&self) {
        eventually("PostgreSQL answers", || self.is_ready());
    }

    fn is_ready(&self) -> bool {
        let asked = program("pg_isready", self.folder.path())
            .args(["--quiet", "--host=127.0.0.1", "--port", &self.port.to_string()])
            .status();
        asked.is_ok_and(|status| status.success())
    }

    /// The process that the others are children of.
    ///
    /// # Panics
    /// When it is stopped.
    pub fn id(&self) -> u32 {
        self.server.as_ref().expect("it runs").id()
    }

    /// Stops it with a signal of its own: `INT` breaks sessions off in order, `QUIT` leaves recovery to the next start.
    ///
    /// # Panics
    /// When it is stopped already.
    pub fn stop(&mut self, signal: &str) {
        let mut server = self.server.take().expect("it runs");
        signals::send(signal, server.id());
        let _ = server.wait();
    }

    /// Pauses every process of it; its sockets stay open, without any response.
    pub fn pause(&self) {
        // It has no more children once it is halted itself.
        signals::halt(self.id());
        for child in signals::children(self.id()) {
            signals::halt(child);
        }
    }

    /// Lets all of it go on.
    pub fn go_on(&self) {
        for child in signals::children(self.id()) {
            signals::send("CONT", child);
        }
        signals::send("CONT", self.id());
    }

    /// Runs statements in a database of it.
    ///
    /// # Panics
    /// When PostgreSQL refuses them.
    pub fn run_sql(&self, database: &str, sql: &str) {
        let done = Command::new("psql")
            .args([&self.url(database), "-v", "ON_ERROR_STOP=1", "-q", "-c", sql])
            .output()
            .expect("psql is installed with PostgreSQL");
        assert!(
            done.status.success(),
            "{sql}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    /// Makes a database, and returns its URL.
    pub fn create_database(&self, name: &str, more: &str) -> String {
        self.run_sql("postgres", &format!("CREATE DATABASE {name} {more}"));
        self.url(name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://{OWNER}@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // A test that fails while it is paused would wait for ever for its end.
            signals::send("CONT", server.id());
            signals::send("QUIT", server.id());
            let _ = server.wait();
        }
    }
}

/// Makes a folder the account's own, when there is such an account in between.
///
/// # Panics
/// When it cannot be given away.
pub fn give(folder: &Path) {
    if let Some((user, group)) = account() {
        std::os::unix::fs::chown(folder, Some(user), Some(group)).expect("root may give a folder away");
    }
}

fn program(name: &str, folder: &Path) -> Command {
    let debian = PathBuf::from("/usr/lib/postgresql/15/bin").join(name);
    let mut command = Command::new(if debian.is_file() { debian } else { PathBuf::from(name) });
    if let Some((user, group)) = account() {
        command.uid(user).gid(group);
    }
    command.current_dir(folder);
    command
}

/// The user and group that PostgreSQL runs as: the account's for root, else the caller's own.
fn account() -> Option<(u32, u32)> {
    let number = |arguments: &[&str]| -> Option<u32> {
        let done = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8_lossy(&done.stdout).trim().parse().ok()
    };
    (number(&["-u"])? == 0).then(|| number(&["-u", ACCOUNT]).zip(number(&["-g", ACCOUNT])))?
}
