//! Reconciles runs with approvals, from the log; the permits of the database are compared with the log.

use jiff::Timestamp;
use model::change::related_records::Permit;
use model::compliance::change_trail::Leaf;
use model::compliance::permit_check::PermitRows;
use model::compliance::reconciliation::{Reconciliation, ReconciliationScope, reconcile};
use model::compliance::run_trail::RunTrail;
use model::core::act::actions;
use model::core::ids::{PersonId, ServiceKey};
use model::core::refusal::Refusal;
use model::directory::unknown_name;
use serde_json::Value;
use store::record::{self, Record};

use crate::compliance::read_trail::{position, read_leaves};
use crate::compliance::report_controls::{self, span};
use crate::core::context::Context;
use crate::core::error::Result;

/// How many permits are read at once.
const BATCH: i64 = 1_000;

/// The requested reconciliation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The start of the span; ninety days before its end by default.
    pub from: Option<Timestamp>,
    /// The end of the span, not included; now by default.
    pub to: Option<Timestamp>,
    /// The size of the log up to which events count; the present size by default, and only then permits are compared.
    pub size: Option<i64>,
    /// One service.
    pub service: Option<String>,
}

/// Reconciles a span.
///
/// # Errors
/// 403; 422 for a span without a moment, a size without a checkpoint or an unknown service; the store's.
pub fn reconcile_runs(cx: &mut Context<'_, '_>, wanted: &Wanted) -> Result<Reconciliation> {
    cx.allow(actions::AUDIT)?;
    let directory = cx.directory()?;
    let service = wanted.service.as_deref();
    if let Some(key) = service.filter(|key| !directory.services.contains_key(&ServiceKey::from(*key))) {
        return Err(Refusal::field("service", "unknown", unknown_name::service(&directory, key)).into());
    }
    let spanned = report_controls::ReportParameters {
        from: wanted.from,
        to: wanted.to,
        size: wanted.size,
    };
    let (from, to) = span(cx.now, &spanned)?;
    let position = position(cx, wanted.size)?;
    let mut trail = RunTrail::default();
    read_leaves(cx, &position, Leaf::read, |index, leaf| trail.take(index, leaf))?;
    // Rows show the present: they are compared with the whole log, whose last events may have no place yet.
    let rows = match wanted.size {
        None => Some(permit_rows(cx, &trail)?),
        Some(_) => None,
    };
    let asked = ReconciliationScope {
        from,
        to,
        service: wanted.service.clone(),
    };
    let mut found = reconcile(&trail, rows.as_ref(), &asked, position);
    found.name_people(|id| match id {
        "system" => id.to_owned(),
        _ => directory.login(&PersonId::from(id)),
    });
    Ok(found)
}

/// The permits of the database. A permit whose event waits for its place in the log is left out, and so is a version
/// whose event waits.
fn permit_rows(cx: &mut Context<'_, '_>, trail: &RunTrail) -> Result<PermitRows> {
    let waiting = store::audit::event::records_unsequenced(cx.tx, Permit::TABLE)?;
    let mut rows = PermitRows::new();
    let mut after = String::new();
    loop {
        let page = record::raw_rows(cx.tx, Permit::TABLE, &after, BATCH)?;
        let Some(last) = page.iter().rev().find_map(|(id, _)| id.clone()) else {
            break;
        };
        after = last;
        for (id, row) in page {
            let Some(id) = id else { continue };
            let members = row.ok().and_then(|row| match serde_json::from_str(&row.body) {
                Ok(Value::Object(members)) => Some(members),
                _ => None,
            });
            rows.insert(id, members);
        }
    }
    for id in waiting {
        match trail.permits.get(&id) {
            Some(logged) => rows.insert(id, Some(logged.members.clone())),
            None => rows.remove(&id),
        };
    }
    Ok(rows)
}
