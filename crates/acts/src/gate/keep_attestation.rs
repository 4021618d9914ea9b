//! Stores the contents of a verified build attestation: the commit that an artifact was built from (`POST
//! /attestations`).

use model::core::act;
use model::core::ids::RecordId;
use model::directory::snapshot::{Builder, Connection};
use model::gate::provenance::Provenance;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::gate::keep_provenance;

/// The most artifacts that one attestation names.
const MOST: usize = 100;

/// The contents of an attestation with a valid signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// `owner/name`, in small letters.
    pub repository: String,
    /// The commit.
    pub commit: String,
    /// The artifacts built from the commit, `sha256:…`.
    pub artifacts: Vec<String>,
}

/// The trusted builders of a repository: those of the connections that map the repository.
///
/// # Errors
/// 403, or the store's.
pub fn builders_of(cx: &mut Context<'_, '_>, repository: &str) -> Result<Vec<Builder>> {
    cx.allow(act::actions::ASK_GATE)?;
    let rows = record::find::<Connection>(cx.tx, &Filter::new().order_by("id"))?;
    let mut found = Vec::new();
    for row in rows.into_iter().map(|stored| stored.record) {
        let maps_it = row.map.iter().any(|it| it.repository.eq_ignore_ascii_case(repository));
        if row.active && maps_it {
            found.extend(row.builders);
        }
    }
    Ok(found)
}

/// Stores that a commit was built into these artifacts, by a builder with a valid signature; returns how many are new.
///
/// # Errors
/// 403, or the store's.
pub fn keep_attestation(cx: &mut Context<'_, '_>, builder: &str, built: &Built) -> Result<usize> {
    cx.allow(act::actions::ASK_GATE)?;
    let mut new = 0;
    for artifact in built.artifacts.iter().take(MOST) {
        let told = Provenance {
            id: RecordId(String::new()),
            version: 0,
            repository: built.repository.clone(),
            commit: built.commit.clone(),
            tree: None,
            artifact: Some(artifact.clone()),
            files: None,
            before: None,
            committers: None,
            is_partial: false,
            merged: None,
            source: builder.to_owned(),
            at: cx.now,
        };
        new += usize::from(keep_provenance::keep(cx, told)?);
    }
    Ok(new)
}
