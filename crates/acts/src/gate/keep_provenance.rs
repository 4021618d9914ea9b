//! Stores the sources of commits and artifacts, and evaluates dependent checks again.

use model::core::ids::RecordId;
use model::gate::provenance::Provenance;

use crate::case::commit_equivalence::find;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::{Written, draft};
use crate::gate::answer::rejudge_named;
use crate::integration::external_checks::rejudge_of;

/// Whether two rows record the same fact, whatever their source and time. For the source of a tree or an artifact the
/// first record counts; each push records its own commits.
fn is_same(one: &Provenance, other: &Provenance) -> bool {
    let of_push = |it: &Provenance| (it.committers.clone(), it.merged.clone(), it.is_partial);
    let is_one_push = one.committers.is_none() || one.before == other.before;
    one.repository == other.repository
        && one.tree == other.tree
        && one.artifact == other.artifact
        && of_push(one) == of_push(other)
        && is_one_push
}

/// Stores a source fact; the same fact is stored once. Returns whether the fact was new.
///
/// # Errors
/// The store's.
pub fn keep(cx: &mut Context<'_, '_>, mut told: Provenance) -> Result<bool> {
    let known = find(cx, "commit_sha", &told.commit)?;
    let is_known = known.iter().any(|it| is_same(it, &told));
    if is_known {
        return Ok(false);
    }
    told.id = RecordId(cx.new_id()?);
    told.version = 0;
    let mut written = Written::default();
    let saved = cx.put(&mut written, told)?;
    let data = serde_json::json!({"commit": saved.commit, "tree": saved.tree, "artifact": saved.artifact});
    let event = draft("provenance.told", ("provenance", saved.id.0.clone()), saved.at, data);
    cx.emit(vec![event], written)?;
    rejudge_named(cx, saved.artifact.as_deref(), &saved.commit)?;
    rejudge_of(cx, &saved.repository)?;
    Ok(true)
}
