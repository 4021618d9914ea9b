//! Adds evidence whose file was stored under its digest (`POST …/evidence`).

use model::change::around::{self, StoredFile};
use model::core::body::Body;
use model::core::ids::RecordId;

use crate::case::present::with_reports;
use crate::core::context::Context;
use crate::core::error::Result;

/// Adds evidence; returns its id.
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn add_evidence(cx: &mut Context<'_, '_>, key: &str, body: &Body, file: &StoredFile) -> Result<RecordId> {
    let before = cx.file(key)?;
    let before = cx.as_verb(|cx| cx.settled(before))?;
    let mut judged = before.clone();
    if file.reading.as_ref().is_some_and(|found| !found.findings.is_empty()) {
        // The report of the running build shows which findings are new.
        judged.present = with_reports(cx, &judged, true)?;
    }
    cx.on_file(Some(before), judged, |case| {
        around::add_evidence(case, body, file.clone())
    })
}

/// Checks whether evidence would be added, and writes nothing: files are stored only for acts that are not refused.
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn would_add_evidence(cx: &mut Context<'_, '_>, key: &str, body: &Body, file: &StoredFile) -> Result<()> {
    cx.try_on_change(key, |case| around::add_evidence(case, body, file.clone()).map(drop))
}
