//! Signals to processes that a test started.

use std::process::Command;

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

/// The processes whose parent is `id`.
pub fn children(id: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|child| parent(*child) == Some(id)).collect()
}

/// The parent stands behind the name, which may itself hold spaces and brackets.
fn parent(id: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, behind) = stat.rsplit_once(')')?;
    behind.split_whitespace().nth(1)?.parse().ok()
}
