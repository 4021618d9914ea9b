//! Removes evidence files that no evidence names. Such files remain from acts that were refused, or interrupted, after their
//! file had been kept. Files younger than a day are never touched, so that no running act loses its file.

use std::path::{Path, PathBuf};

use acts::Context;
use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Actor;
use store::change::blob;
use store::{Lane, Mode};

use crate::background::sequencer::log_fault;
use crate::http::state::AppState;

/// How old a file that nothing names must be to go.
const AGE: SignedDuration = SignedDuration::from_hours(24);
/// How many files one look checks against the store.
const BATCH: usize = 100;
/// The prefix of a file that waits for its last check. A start and the next round restore files with it.
const ASIDE: &str = "swept-";

/// Looks through all evidence files, in the folder and in the database. Returns how many were removed from the folder.
pub(crate) fn sweep_evidence(state: &AppState, tenants: &[String]) -> usize {
    let before = state.executor().tools().recorder.now() - AGE;
    for tenant in tenants {
        let sweep = move |cx: &mut Context<'_, '_>| Ok(blob::sweep(cx.tx, before)?);
        let executor = state.executor();
        let swept = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, sweep);
        log_fault(swept, "sweeping evidence in the database");
    }
    let Some(folder) = state.executor().tools().evidence_folder.clone() else {
        return 0;
    };
    bring_back(&folder);
    let mut gone = 0;
    let mut batch = Vec::new();
    for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if digest_of(&path).is_none() || !is_older(&path, before) {
            continue;
        }
        batch.push(path);
        if batch.len() == BATCH {
            gone += sweep_batch(state, tenants, before, &std::mem::take(&mut batch));
        }
    }
    gone + sweep_batch(state, tenants, before, &batch)
}

/// `sha256:…` of a file that lies under its digest.
fn digest_of(path: &Path) -> Option<String> {
    let digest = format!("sha256:{}", path.file_name()?.to_str()?);
    proof::crypto::is_digest_text(&digest).then_some(digest)
}

fn is_older(path: &Path, than: Timestamp) -> bool {
    let modified = std::fs::metadata(path).and_then(|it| it.modified()).ok();
    modified
        .and_then(|at| Timestamp::try_from(at).ok())
        .is_some_and(|at| at < than)
}

fn sweep_batch(state: &AppState, tenants: &[String], before: Timestamp, batch: &[PathBuf]) -> usize {
    let Some(found) = unnamed(state, tenants, batch) else {
        return 0;
    };
    // From here on a new file with the same content is stored under its digest again, whatever becomes of this one.
    let aside: Vec<(PathBuf, PathBuf)> = found
        .into_iter()
        .filter_map(|path| Some((aside_of(&path)?, path)))
        .filter(|(aside, path)| std::fs::rename(path, aside).is_ok())
        .collect();
    let moved: Vec<PathBuf> = aside.iter().map(|(_, path)| path.clone()).collect();
    let Some(still) = unnamed(state, tenants, &moved) else {
        aside.iter().for_each(|(aside, path)| put_back(aside, path));
        return 0;
    };
    let mut gone = 0;
    for (aside, path) in &aside {
        // It may have been exchanged for a young one of the same content between the look and the move.
        if !still.contains(path) || !is_older(aside, before) {
            put_back(aside, path);
        } else if std::fs::remove_file(aside).is_ok() {
            tracing::info!(file = %path.display(), "an evidence file that nothing names was removed");
            gone += 1;
        }
    }
    gone
}

fn aside_of(path: &Path) -> Option<PathBuf> {
    Some(path.with_file_name(format!("{ASIDE}{}", path.file_name()?.to_str()?)))
}

/// Files of the batch that no tenant's evidence names; `None` when the store cannot be read.
fn unnamed(state: &AppState, tenants: &[String], batch: &[PathBuf]) -> Option<Vec<PathBuf>> {
    let (tenants, digests) = (
        tenants.to_vec(),
        batch.iter().filter_map(|it| digest_of(it)).collect::<Vec<_>>(),
    );
    let look = move |tx: &mut store::CrossTx<'_>| Ok(blob::named(tx, &tenants, &digests)?);
    let executor = state.executor();
    let named = log_fault(
        executor.wait_across(Lane::Worker, "which files evidence names", Mode::Read, look),
        "looking for evidence files that nothing names",
    )?;
    let is_unnamed = |path: &&PathBuf| digest_of(path).is_some_and(|digest| !named.contains(&digest));
    Some(batch.iter().filter(is_unnamed).cloned().collect())
}

/// A file of the same name that came in meanwhile has the same content; either may stay.
fn put_back(aside: &Path, path: &Path) {
    let done = if path.exists() {
        std::fs::remove_file(aside)
    } else {
        std::fs::rename(aside, path)
    };
    if let Err(error) = done {
        tracing::error!(%error, file = %aside.display(), "an evidence file could not be put back; the next round tries again");
    }
}

/// Restores files that an interrupted round left with the prefix.
pub(crate) fn bring_back(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let aside = entry.path();
        let name = aside.file_name().and_then(|name| name.to_str());
        if let Some(hex) = name.and_then(|name| name.strip_prefix(ASIDE)) {
            put_back(&aside, &aside.with_file_name(hex));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn what_an_interrupted_round_left_comes_back() {
        let folder = std::env::temp_dir().join(format!("assent-swept-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let at = |name: &str| folder.join(name);
        std::fs::write(at("swept-aa"), "old").unwrap();
        std::fs::write(at("swept-bb"), "old").unwrap();
        std::fs::write(at("bb"), "young").unwrap();
        bring_back(&folder);
        assert_eq!(std::fs::read_to_string(at("aa")).unwrap(), "old");
        assert_eq!(std::fs::read_to_string(at("bb")).unwrap(), "young");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
