//! The thread that raises monitoring while changes are watched: it brings the records of raised monitors to what the changes say, puts
//! questions about objectives on their way, and makes the files for Prometheus equal to the records. It remembers nothing that
//! the records do not say, so a server that was killed finds what is due at its start.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use acts::Context;
use acts::incident::measure_objectives;
use acts::incident::raise_monitors::{self, Files};
use connect::socket::call::{Call, Caller};
use jiff::SignedDuration;
use model::change::change_file::Actor;
use store::{Lane, Mode};

use crate::background::rounds;
use crate::background::sequencer::{times, told};
use crate::http::state::AppState;

/// How long one round holds.
const BETWEEN: SignedDuration = SignedDuration::from_secs(5);

/// Where files for Prometheus are put, and how it is told to read them again.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The folder; each tenant has its own files in it.
    pub(crate) folder: PathBuf,
    /// The address that has Prometheus read its rules again.
    pub(crate) reload: Option<String>,
}

/// Starts it. It ends when the bells dismiss it.
pub(crate) fn start(state: &AppState, place: Option<Place>, caller: &Caller) -> std::io::Result<JoinHandle<()>> {
    let caller = caller.clone();
    // Nobody knows what Prometheus has read before the first round.
    let mut is_read = false;
    rounds::start_whole(state, "monitors", BETWEEN, move |state| {
        let mut are_targets_new = false;
        rounds::for_each_tenant(state, "looking for monitors to raise or lower", |tenant| {
            follow(state, tenant);
            if let Some(place) = &place {
                let written = write(state, tenant, &place.folder);
                are_targets_new |= written.targets;
                is_read &= !written.rules;
            }
        });
        if let Some(url) = place.as_ref().and_then(|place| place.reload.as_ref())
            && !is_read
            && !are_targets_new
        {
            is_read = reload(&caller, url);
        }
    })
}

/// Which files of a tenant were not as they had to be.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Written {
    targets: bool,
    rules: bool,
}

/// Brings the records of a tenant to what its changes say.
fn follow(state: &AppState, tenant: &str) {
    let executor = state.executor();
    let look = |cx: &mut Context<'_, '_>| {
        let is_due = !raise_monitors::find_due(cx)?.is_empty();
        Ok(is_due || !measure_objectives::find_due(cx)?.is_empty())
    };
    let found = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, look);
    if told(found, "looking for monitors to raise or lower") != Some(true) {
        return;
    }
    let act = |cx: &mut Context<'_, '_>| {
        let has_moved = raise_monitors::follow(cx)?;
        Ok(measure_objectives::ask(cx)? || has_moved)
    };
    let done = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, act);
    if told(done, "raising and lowering monitors") == Some(true) {
        state.bells().ring(tenant);
    }
}

/// Makes the files of a tenant equal to its records; answers what differed.
fn write(state: &AppState, tenant: &str, folder: &Path) -> Written {
    let load = |cx: &mut Context<'_, '_>| raise_monitors::files(cx);
    let found = state
        .executor()
        .wait(Lane::Worker, tenant, Actor::system(), Mode::Read, load);
    let Some(files) = told(found, "reading what is raised") else {
        return Written::default();
    };
    match write_files(folder, tenant, &files) {
        Ok(written) => written,
        Err(error) => {
            if let Some(times) = times(&format!("{tenant} files for Prometheus {error}")) {
                tracing::error!(%error, tenant, times, "files for Prometheus could not be written");
            }
            Written::default()
        }
    }
}

/// Writes what differs, each file whole or not at all. Targets are read again by Prometheus itself; told to read its rules in the
/// same second, Prometheus 2.42 goes on scraping targets that are gone, so a round that writes targets does not tell it.
/// The files of all tenants lie in one folder, since Prometheus takes no pattern in the name of a folder.
fn write_files(folder: &Path, tenant: &str, files: &Files) -> std::io::Result<Written> {
    std::fs::create_dir_all(folder)?;
    Ok(Written {
        targets: replace(&folder.join(format!("{tenant}.targets.json")), &files.targets)?,
        rules: replace(&folder.join(format!("{tenant}.rules.yml")), &files.rules)?,
    })
}

fn replace(path: &Path, text: &str) -> std::io::Result<bool> {
    if std::fs::read(path).is_ok_and(|found| found == text.as_bytes()) {
        return Ok(false);
    }
    let new = path.with_extension("new");
    let mut file = std::fs::File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    Ok(true)
}

/// Has Prometheus read its rules again (`POST /-/reload`); answers whether it did.
fn reload(caller: &Caller, url: &str) -> bool {
    let call = Call {
        method: "POST",
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let why = match caller.call(&call) {
        Ok(answer) if answer.is_taken() => return true,
        Ok(answer) => format!("it answered {}", answer.status),
        Err(why) => why,
    };
    if let Some(times) = times(&format!("Prometheus {why}")) {
        tracing::warn!(why, times, "Prometheus did not read its rules again");
    }
    false
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn files_are_made_equal_whatever_is_left_of_an_earlier_round() {
        let folder = std::env::temp_dir().join(format!("assent-monitors-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let files = |rules: &str| Files {
            targets: "[]\n".to_owned(),
            rules: rules.to_owned(),
        };
        let written = |targets, rules| Written { targets, rules };
        let write = |rules: &str| write_files(&folder, "acme", &files(rules)).unwrap();
        assert_eq!(write("a\n"), written(true, true), "there was none");
        assert_eq!(write("a\n"), written(false, false), "they are equal");
        // A server that was killed left half a file beside the whole one.
        std::fs::write(folder.join("acme.rules.new"), "hal").unwrap();
        std::fs::write(folder.join("acme.rules.yml"), "somebody wrote here\n").unwrap();
        assert_eq!(write("b\n"), written(false, true));
        assert_eq!(std::fs::read_to_string(folder.join("acme.rules.yml")).unwrap(), "b\n");
        assert!(!folder.join("acme.rules.new").exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
