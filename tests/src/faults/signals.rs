//! Signals to processes that a test started.

use std::process::Command;

use super::eventually;

/// Sends a signal (`STOP`, `CONT`, `KILL`, `TERM` …) to one process.
///
/// # Panics
/// When there is no such process.
pub fn send(signal: &str, id: u32) {
    let sent = Command::new("kill")
        .args([&format!("-{signal}"), &id.to_string()])
        .status()
        .expect("kill is a part of every system");
    assert!(sent.success(), "process {id} could not be sent {signal}");
}

/// Stops one process, and returns when it is stopped: a signal that was sent may still be on its way.
///
/// # Panics
/// When there is no such process, or it does not stop.
pub fn halt(id: u32) {
    send("STOP", id);
    eventually("the process stands still", || word(id, 0).is_some_and(|it| it == "T"));
}

/// The processes whose parent is `id`.
pub fn children(id: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|child| parent(*child) == Some(id)).collect()
}

fn parent(id: u32) -> Option<u32> {
    word(id, 1)?.parse().ok()
}

/// A value of the kernel's status line of a process, behind the name, which may itself contain spaces and brackets: its state,
/// its parent … (proc_pid_stat(5)).
fn word(id: u32, place: usize) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, behind) = stat.rsplit_once(')')?;
    behind.split_whitespace().nth(place).map(str::to_owned)
}
