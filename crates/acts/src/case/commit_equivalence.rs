//! Equivalent commits: an artifact's commit by attestation, and commits of one repository with the same tree, as
//! squash, rebase and merge queues make them. Nothing else inherits an approval.

use model::gate::names::{Kin, Names};
use model::gate::provenance::Provenance;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The most commits that one question leads to.
const MOST: i64 = 50;

pub(crate) fn find(cx: &mut Context<'_, '_>, column: &str, value: &str) -> Result<Vec<Provenance>> {
    let filter = Filter::new().equals(column, value).order_by("id").limit(MOST);
    Ok(record::find::<Provenance>(cx.tx, &filter)?
        .into_iter()
        .map(|stored| stored.record)
        .collect())
}

/// The other commits that are equivalent to an artifact or a commit; never the commit itself.
///
/// # Errors
/// The store's.
pub fn commits_behind(cx: &mut Context<'_, '_>, artifact: Option<&str>, commit: Option<&str>) -> Result<Vec<String>> {
    let mut known: Vec<String> = Vec::new();
    if let Some(artifact) = artifact {
        known.extend(find(cx, "artifact", artifact)?.into_iter().map(|it| it.commit));
        // A question that names both means one build: the attested commit is the commit in the question.
        if let Some(commit) = commit
            && !known.is_empty()
            && !known.iter().any(|it| it == commit)
        {
            return Ok(Vec::new());
        }
    }
    let mut from = known.clone();
    from.extend(commit.map(str::to_owned));
    for start in from {
        for told in find(cx, "commit_sha", &start)? {
            let Some(tree) = &told.tree else { continue };
            let same = find(cx, "tree", tree)?;
            known.extend(
                same.into_iter()
                    .filter(|it| it.repository == told.repository)
                    .map(|it| it.commit),
            );
        }
    }
    known.sort();
    known.dedup();
    known.retain(|it| Some(it.as_str()) != commit);
    Ok(known)
}

/// The commits that an artifact was built from by attestation, with those of an equal tree; `None` without an
/// attestation.
///
/// # Errors
/// The store's.
pub fn commits_of(cx: &mut Context<'_, '_>, artifact: &str) -> Result<Option<Vec<String>>> {
    if find(cx, "artifact", artifact)?.is_empty() {
        return Ok(None);
    }
    Ok(Some(commits_behind(cx, Some(artifact), None)?))
}

/// The facts from attestations and equal trees about the names in a question.
///
/// # Errors
/// The store's.
pub fn kin_of(cx: &mut Context<'_, '_>, asked: Names<'_>) -> Result<Kin> {
    let of_artifact = match asked.artifact {
        Some(artifact) => commits_of(cx, artifact)?.unwrap_or_default(),
        None => Vec::new(),
    };
    let of_commit = commits_behind(cx, None, asked.commit)?;
    Ok(Kin { of_artifact, of_commit })
}

/// The files in which a commit differs from an earlier one, if the pushes between the two reported all their files;
/// `None` if the path between the two is unknown. The last push alone would hide earlier changes.
///
/// # Errors
/// The store's.
pub fn files_between(cx: &mut Context<'_, '_>, earlier: &str, commit: &str) -> Result<Option<Vec<String>>> {
    let mut files = std::collections::BTreeSet::new();
    let mut at = commit.to_owned();
    for _ in 0..MOST {
        if at == earlier {
            return Ok(Some(files.into_iter().collect()));
        }
        let push = find(cx, "commit_sha", &at)?
            .into_iter()
            .find_map(|it| Some((it.files?, it.before?)));
        let Some((told, before)) = push else {
            return Ok(None);
        };
        files.extend(told);
        at = before;
    }
    Ok(None)
}

/// Whether two commits of a repository hold the same files.
///
/// # Errors
/// The store's.
pub fn are_equal(cx: &mut Context<'_, '_>, one: &str, other: &str) -> Result<bool> {
    Ok(one == other || commits_behind(cx, None, Some(one))?.iter().any(|it| it == other))
}
