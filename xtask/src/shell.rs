//! Running other programs: their output is shown as it comes and kept for the report.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};

/// The result of a program: whether it exited with 0, and every line it wrote, both streams together.
pub struct Finished {
    /// Whether the exit code was 0.
    pub succeeded: bool,
    /// Standard output and standard error, line by line, in the order they arrived.
    pub lines: Vec<String>,
}

/// The cargo that runs us, so that the whole suite uses one toolchain.
pub fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Runs `command` to its end without standard input, showing each line and keeping it.
///
/// # Errors
/// When the program cannot be started or waited for; a failing exit code is no error here.
pub fn tee(command: &mut Command) -> Result<Finished> {
    tee_watched(command, &|_| ())
}

/// The same, and `watch` gets each line as it comes.
///
/// # Errors
/// As [`tee`].
pub fn tee_watched(command: &mut Command, watch: &(dyn Fn(&str) + Sync)) -> Result<Finished> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{name}`"))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let lines = Mutex::new(Vec::new());
    let status = std::thread::scope(|scope| {
        out.map(|out| scope.spawn(|| collect(out, &lines, watch)));
        err.map(|err| scope.spawn(|| collect(err, &lines, watch)));
        child.wait()
    });
    Ok(Finished {
        succeeded: status.with_context(|| format!("cannot wait for `{name}`"))?.success(),
        lines: lines.into_inner().unwrap_or_else(PoisonError::into_inner),
    })
}

/// Reads one stream on a thread of its own, so that a full pipe never stops the program.
fn collect(stream: impl Read, lines: &Mutex<Vec<String>>, watch: &(dyn Fn(&str) + Sync)) {
    for bytes in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_owned();
        println!("{line}");
        watch(&line);
        lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

/// Runs `command` to its end and keeps its output, without showing it.
///
/// # Errors
/// As [`tee`].
pub fn keep(command: &mut Command) -> Result<Finished> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{name}`"))?;
    let text = [output.stdout, output.stderr].concat();
    Ok(Finished {
        succeeded: output.status.success(),
        lines: String::from_utf8_lossy(&text).lines().map(str::to_owned).collect(),
    })
}

/// Runs `command` quietly and fails, with its output, unless it exits with 0.
///
/// # Errors
/// When the program cannot be started or fails.
pub fn quiet(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{name}`"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!("`{name}` failed: {text}{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(text)
}

/// The path of a program of this name in `PATH`, if any.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Whether this process runs as the superuser.
pub fn is_root() -> bool {
    quiet(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// The folder of cargo's output, seen from `root`.
pub fn target_folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}

/// The folder of the fetched programs: `ASSENT_TOOLS`, or `.tools` in `root`.
pub fn tools_folder(root: &Path) -> PathBuf {
    std::env::var_os("ASSENT_TOOLS").map_or_else(|| root.join(".tools"), |dir| root.join(dir))
}

/// The folders that processes which are gone left behind: each has a name of this beginning, and the number of its maker after it.
pub fn orphans(parent: &Path, beginning: &str) -> Vec<PathBuf> {
    let is_orphan = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let maker = name.and_then(|name| name.strip_prefix(beginning)?.parse::<u32>().ok());
        maker.is_some_and(|maker| !Path::new("/proc").join(maker.to_string()).exists())
    };
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(is_orphan).collect()
}
