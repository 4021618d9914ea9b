//! The builds that run in the places of a change's targets, read if a rule on the change uses them.

use std::collections::{BTreeMap, BTreeSet};

use model::change::change_file::ChangeFile;
use model::change::record::Target;
use model::change::related_records::Evidence;
use model::core::enums::EvidenceKind;
use model::gate::build::are_one;
use model::gate::running::{Present, Report, Running};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The builds that run in the targets' places: before the start, for targets with a rollback. If a scanner's report is
/// compared with that of the running build, the builds of all targets are read.
///
/// # Errors
/// The store's.
pub(crate) fn present_of(cx: &mut Context<'_, '_>, file: &ChangeFile) -> Result<Present> {
    let is_open = file.change.state.is_open();
    with_reports(
        cx,
        file,
        is_open && file.evidence.iter().any(|it| !it.findings.is_empty()),
    )
}

/// The same; with the scanners' reports of the running builds if `is_compared`.
///
/// # Errors
/// The store's.
pub(crate) fn with_reports(cx: &mut Context<'_, '_>, file: &ChangeFile, is_compared: bool) -> Result<Present> {
    let change = &file.change;
    let may_begin = change.state.is_before_start();
    let is_asked = |target: &&Target| is_compared || may_begin && target.rollback_to.is_some();
    let asked = change.content.targets.iter().filter(is_asked);
    let places: BTreeSet<(&str, &str)> = asked
        .map(|target| (target.service.as_str(), target.environment.as_str()))
        .collect();
    let mut present = Present::default();
    for (service, environment) in places {
        let filter = Filter::new()
            .equals("service", service)
            .equals("environment", environment)
            .equals("active", true)
            .order_by("id");
        let rows = record::find::<Running>(cx.tx, &filter)?;
        present.rows.extend(rows.into_iter().map(|stored| stored.record));
    }
    if !is_compared {
        return Ok(present);
    }
    let mut reports = Vec::new();
    for row in &present.rows {
        reports.extend(reports_on(cx, row)?);
    }
    present.reports = reports;
    Ok(present)
}

/// The newest scanner's report of each suite on a running build, from the change that brought the build.
fn reports_on(cx: &mut Context<'_, '_>, row: &Running) -> Result<Vec<Report>> {
    let filter = Filter::new().equals("change_id", row.change.as_str()).order_by("id");
    let mut newest: BTreeMap<(EvidenceKind, String, Option<String>), Evidence> = BTreeMap::new();
    for stored in record::find::<Evidence>(cx.tx, &filter)? {
        let it = stored.record;
        let is_of_build = it
            .artifact
            .as_deref()
            .is_some_and(|build| are_one(build, &row.artifact));
        if is_of_build && matches!(it.kind, EvidenceKind::Sarif | EvidenceKind::Cyclonedx) {
            newest.insert((it.kind, it.name.clone(), it.environment.clone()), it);
        }
    }
    Ok(newest
        .into_values()
        .map(|it| Report {
            artifact: row.artifact.clone(),
            kind: it.kind,
            findings: it.findings,
        })
        .collect())
}
