//! strace, attached to a running server: system calls fail or are written down, until it is taken off again.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// An attached tracer. Dropping it takes it off; the traced process goes on.
pub struct Tracer {
    child: Child,
    record: PathBuf,
}

impl Tracer {
    /// Attaches to every thread of a process. `options` are strace's own, such as `-e inject=fdatasync:error=EIO`; the calls
    /// are written to `record`.
    ///
    /// # Panics
    /// When strace is not there or may not trace.
    pub fn attach(id: u32, options: &[&str], record: &Path) -> Self {
        Self::try_attach(id, options, record).unwrap_or_else(|said| panic!("strace cannot trace process {id}: {said}"))
    }

    /// The same for a process that may end meanwhile.
    ///
    /// # Errors
    /// What strace said.
    ///
    /// # Panics
    /// When strace is not there.
    pub fn try_attach(id: u32, options: &[&str], record: &Path) -> Result<Self, String> {
        let mut child = Command::new("strace")
            .args(["-f", "-y", "-s", "32", "-p", &id.to_string(), "-o"])
            .arg(record)
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace is installed: apt-get install strace");
        let said = child.stderr.take().expect("its errors are piped");
        let mut lines = BufReader::new(said).lines();
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        if !first.contains("attached") {
            let _ = child.wait();
            return Err(first);
        }
        // Later lines report new threads; nobody needs them, but the pipe must not fill up.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self {
            child,
            record: record.to_path_buf(),
        })
    }

    /// The calls so far.
    pub fn record(&self) -> String {
        std::fs::read_to_string(&self.record).unwrap_or_default()
    }

    /// How many calls were made to fail.
    pub fn injected(&self) -> usize {
        self.record().matches("(INJECTED)").count()
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // On SIGINT strace lets the traced process go before it ends itself.
        let _ = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        let _ = self.child.wait();
    }
}
