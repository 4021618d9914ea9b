//! A private PostgreSQL: made for one run, on 127.0.0.1 and a port of its own, gone afterwards.
//!
//! It does not wait for the disk: tests kill processes and not machines, and the kernel keeps the writes of a killed process.
//! Tests of disks that fail have clusters of their own. PostgreSQL refuses to run as root, so a root caller lends it the
//! account `postgres`, which the package makes.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::shell;

/// The owner of everything in the cluster; the tests make databases and serving roles with it.
const OWNER: &str = "assent_owner";

/// The prefix of the name of a cluster's folder; the number of the process that made it follows.
const FOLDER: &str = "assent-postgres-";

/// How long a start may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The account that runs the server when the caller is root.
const ACCOUNT: &str = "postgres";

/// A running cluster. Dropping it stops the server and removes its data.
pub struct Cluster {
    folder: PathBuf,
    server: Child,
    url: String,
}

/// The folder of the PostgreSQL 15 server programs, when they are installed.
pub fn programs() -> Option<PathBuf> {
    let debian = PathBuf::from("/usr/lib/postgresql/15/bin");
    if debian.join("initdb").is_file() {
        return Some(debian);
    }
    Some(shell::find("initdb")?.parent()?.to_path_buf())
}

/// Where programs are looked for: PostgreSQL's own first. Debian's wrappers start Perl on each call, and tests call `psql`
/// often.
pub fn path() -> OsString {
    let usual = std::env::var_os("PATH").unwrap_or_default();
    let folders = programs().into_iter().chain(std::env::split_paths(&usual));
    std::env::join_paths(folders).unwrap_or(usual)
}

impl Cluster {
    /// Makes a cluster in a folder and waits until it responds.
    ///
    /// # Errors
    /// When the programs are missing or the server does not come up; its log is in the message.
    pub fn start(parent: &Path) -> Result<Self> {
        let bin = programs().context("the PostgreSQL server programs are not installed")?;
        let user = account()?;
        sweep(parent);
        let folder = parent.join(format!("{FOLDER}{}", std::process::id()));
        make_private(&folder)?;
        let password = random_password()?;
        let port = free_port()?;
        let made = initialise(&bin, user, &folder, &password);
        let server = made.and_then(|()| spawn(&bin, user, &folder, port));
        let server = match server {
            Ok(server) => server,
            Err(error) => {
                let _ = fs::remove_dir_all(&folder);
                return Err(error);
            }
        };
        let url = format!("postgres://{OWNER}:{password}@127.0.0.1:{port}/postgres");
        let mut cluster = Self { folder, server, url };
        cluster.wait_until_ready(&bin, port)?;
        Ok(cluster)
    }

    /// The address of the cluster's own database, with the owner's name and password.
    pub fn url(&self) -> &str {
        &self.url
    }

    #[expect(clippy::disallowed_methods, reason = "waiting for a program must end some day")]
    fn wait_until_ready(&mut self, bin: &Path, port: u16) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.server.try_wait().context("cannot watch PostgreSQL")? {
                bail!("PostgreSQL stopped ({status}) while starting:\n{}", self.log());
            }
            let mut ask = Command::new(bin.join("pg_isready"));
            ask.args(["--quiet", "--timeout=1", "--host=127.0.0.1", "--port"])
                .arg(port.to_string());
            if shell::quiet(&mut ask).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("PostgreSQL did not answer within {PATIENCE:?}:\n{}", self.log())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown: it breaks open sessions off and ends cleanly.
        let _ = shell::quiet(Command::new("kill").arg("-INT").arg(self.server.id().to_string()));
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes the folders of runs that were interrupted: their maker and their server are both gone.
fn sweep(parent: &Path) {
    for folder in shell::orphans(parent, FOLDER) {
        if !folder.join("data/postmaster.pid").exists() {
            // A folder of another user cannot be removed, as it should be.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// The user and group the server must run as: the account `postgres` for root, else our own.
fn account() -> Result<Option<(u32, u32)>> {
    if !shell::is_root() {
        return Ok(None);
    }
    let number = |flag: &str| -> Result<u32> {
        let text = shell::quiet(Command::new("id").args([flag, ACCOUNT]))
            .with_context(|| format!("there is no account `{ACCOUNT}` to run PostgreSQL as"))?;
        text.trim().parse().context("`id` did not answer with a number")
    };
    Ok(Some((number("-u")?, number("-g")?)))
}

/// Makes a folder that nobody else may enter.
fn make_private(folder: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot make {}", folder.display()))
}

/// A command of PostgreSQL's, run as the account and from a folder that the account may enter.
fn command(program: &Path, user: Option<(u32, u32)>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command.current_dir(folder);
    command
}

/// Runs initdb with password authentication for every connection, local ones too.
fn initialise(bin: &Path, user: Option<(u32, u32)>, folder: &Path, password: &str) -> Result<()> {
    let password_file = folder.join("password");
    fs::write(&password_file, password).context("cannot write the password file")?;
    if let Some((uid, gid)) = user {
        for path in [folder, &password_file] {
            std::os::unix::fs::chown(path, Some(uid), Some(gid))
                .with_context(|| format!("cannot give {} away", path.display()))?;
        }
    }
    let mut initdb = command(&bin.join("initdb"), user, folder);
    initdb
        .args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"])
        .arg(format!("--username={OWNER}"))
        .arg(format!("--pwfile={}", password_file.display()))
        .arg(format!("--pgdata={}", folder.join("data").display()));
    shell::quiet(&mut initdb).context("initdb failed")?;
    fs::remove_file(&password_file).context("cannot remove the password file")
}

/// Starts the server as a child of this process, so that an interrupt from the terminal reaches it too.
fn spawn(bin: &Path, user: Option<(u32, u32)>, folder: &Path, port: u16) -> Result<Child> {
    let log = fs::File::create(folder.join("log")).context("cannot make PostgreSQL's log")?;
    let errors = log.try_clone().context("cannot share PostgreSQL's log")?;
    let settings = [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        format!("unix_socket_directories={}", folder.display()),
        "fsync=off".to_owned(),
        "full_page_writes=off".to_owned(),
        "max_connections=300".to_owned(),
        // A server that a test pauses in a transaction keeps the predicate locks of all others from being freed.
        "max_pred_locks_per_transaction=2048".to_owned(),
        "max_locks_per_transaction=512".to_owned(),
    ];
    let mut server = command(&bin.join("postgres"), user, folder);
    server.arg("-D").arg(folder.join("data"));
    for setting in settings {
        server.args(["-c", &setting]);
    }
    server.stdin(Stdio::null()).stdout(log).stderr(errors);
    server.spawn().context("cannot start PostgreSQL")
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("there is no free port")?;
    Ok(listener.local_addr().context("the free port has no number")?.port())
}

/// 32 hexadecimal digits from the system's random source.
fn random_password() -> Result<String> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("cannot read the system's random source")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    #[test]
    fn passwords_are_long_and_differ() {
        let (one, other) = (random_password().unwrap(), random_password().unwrap());
        assert_eq!(one.len(), 32);
        assert_ne!(one, other);
    }

    #[test]
    fn sweeping_spares_what_lives_and_what_is_not_ours() {
        let parent = std::env::temp_dir().join(format!("assent-sweep-{}", std::process::id()));
        let living = format!("{FOLDER}{}", std::process::id());
        let served = format!("{FOLDER}{}/data/postmaster.pid", u32::MAX);
        let dead = format!("{FOLDER}{}", u32::MAX - 1);
        for name in [&living, &served, &dead, "other"] {
            fs::create_dir_all(parent.join(name)).unwrap();
        }
        sweep(&parent);
        let left: Vec<bool> = [&living, &served, &dead, "other"]
            .iter()
            .map(|name| parent.join(name).exists())
            .collect();
        assert_eq!(left, [true, true, false, true]);
        fs::remove_dir_all(&parent).unwrap();
    }

    #[test]
    fn a_free_port_can_be_bound() {
        assert!(TcpListener::bind(("127.0.0.1", free_port().unwrap())).is_ok());
    }
}
