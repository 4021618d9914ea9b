//! Finds how a vendor's changes compare with those of internal teams, with the rows behind it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use model::change::related_records::Evidence;
use model::core::act::actions;
use model::core::enums::Role;
use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use model::directory::scope;
use model::directory::vendor::Vendor;
use model::report::change_outcome::ChangeOutcome;
use model::report::evaluate::Window;
use model::report::parity::{self, Compared, ParityRow};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::report::find_figures::load_rows;

/// How many days are compared by default.
pub const USUAL_DAYS: i64 = 90;
/// The most days.
pub const MOST_DAYS: i64 = 366;
/// The most changes of each side, the newest first.
pub const MOST: usize = 1_000;

/// How a vendor compares.
#[derive(Debug, Clone)]
pub struct FoundParity {
    /// The vendor.
    pub vendor: Vendor,
    /// The start of the time in which work is compared.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// The measures.
    pub compared: Vec<Compared>,
    /// The score in parts per million.
    pub score: Option<i64>,
    /// The vendor's changes.
    pub rows: Vec<ParityRow>,
    /// The changes of internal teams.
    pub internal_rows: Vec<ParityRow>,
    /// Whether one side has more than [`MOST`].
    pub is_cut: bool,
}

/// Compares the changes whose work began in the last days. A change is the vendor's where one of its implementers belongs to
/// it, and internal where none belongs to any vendor.
///
/// # Errors
/// 403, 404, 422, or the store's.
pub fn find_parity(cx: &mut Context<'_, '_>, key: &str, days: i64) -> Result<FoundParity> {
    cx.allow(actions::READ)?;
    if cx.scope()?.is_some() {
        return Err(scope::refusal().into());
    }
    if !(1..=MOST_DAYS).contains(&days) {
        let text = format!("`days` is a whole number from 1 to {MOST_DAYS}.");
        return Err(Refusal::field("days", "out_of_range", text).into());
    }
    let vendor = Vendor::found(cx, key)?.ok_or_else(|| Refusal::not_found(format!("vendor {key}")))?;
    let window = Window {
        from: cx.now - SignedDuration::from_hours(24 * days),
        to: cx.now,
    };
    let outside = outside(cx)?;
    let loaded = load_rows(cx, window)?.changes;
    let mut ended: Vec<&ChangeOutcome> = loaded
        .iter()
        .filter(|row| row.ended_at.is_some() && row.started_at.is_some_and(|at| window.has(at)))
        .collect();
    ended.sort_by_key(|row| std::cmp::Reverse((row.started_at, row.number)));
    let has = |people: &BTreeSet<PersonId>, row: &ChangeOutcome| row.implementers.iter().any(|it| people.contains(it));
    let theirs = ended.iter().copied().filter(|row| has(&vendor.members, row));
    let ours = ended
        .iter()
        .copied()
        .filter(|row| !has(&outside, row) && !has(&vendor.members, row));
    let (theirs, ours): (Vec<_>, Vec<_>) = (theirs.collect(), ours.collect());
    let is_cut = theirs.len() > MOST || ours.len() > MOST;
    let rows = rows(cx, &theirs)?;
    let internal_rows = self::rows(cx, &ours)?;
    let compared = parity::compare(&rows, &internal_rows);
    Ok(FoundParity {
        score: parity::score(&compared),
        from: window.from,
        to: window.to,
        vendor,
        compared,
        rows,
        internal_rows,
        is_cut,
    })
}

/// The people of vendors: those that belong to one, and those with the role.
fn outside(cx: &mut Context<'_, '_>) -> Result<BTreeSet<PersonId>> {
    let directory = cx.directory()?;
    let members = directory.vendors.iter().flat_map(|it| it.members.iter().cloned());
    let by_role = directory.people.values().filter(|it| it.roles.contains(&Role::Vendor));
    Ok(members.chain(by_role.map(|it| it.id.clone())).collect())
}

fn rows(cx: &mut Context<'_, '_>, found: &[&ChangeOutcome]) -> Result<Vec<ParityRow>> {
    let mut rows = Vec::new();
    for row in found.iter().take(MOST) {
        let filter = Filter::new().equals("change_id", row.change.as_str());
        let has_evidence = record::count::<Evidence>(cx.tx, &filter)? > 0;
        if let Some(change) = cx.load_change(&row.change)? {
            rows.extend(parity::row_of(&change, has_evidence));
        }
    }
    Ok(rows)
}
