//! How many violations were opened and settled in each month: the trend beside the control reports.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use model::core::act::actions;
use model::core::enums::{ActionKind, ActionState};
use model::notify::action_item::ActionItem;
use serde::Serialize;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// How many months are shown, including this one.
const MONTHS: i64 = 12;

/// The violations of one month, in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViolationMonth {
    /// The month: `2026-11`.
    pub month: String,
    /// How many were found for the first time in this month.
    pub opened: i64,
    /// How many were remedied in it.
    pub done: i64,
    /// How many were dismissed as false positives in this month.
    pub dismissed: i64,
    /// How many were open at its end; for the present month, now.
    pub open: i64,
}

/// The violations of the last twelve months, the oldest first.
///
/// # Errors
/// 403, or the store's.
pub fn find_violation_trend(cx: &mut Context<'_, '_>) -> Result<Vec<ViolationMonth>> {
    cx.allow(actions::AUDIT)?;
    let today = cx.now.to_zoned(TimeZone::UTC).date();
    let this = today.first_of_month();
    let mut months = Vec::new();
    for back in (0..MONTHS).rev() {
        let first = this.saturating_sub(back.months());
        months.push(month(cx, first)?);
    }
    Ok(months)
}

fn month(cx: &mut Context<'_, '_>, first: Date) -> Result<ViolationMonth> {
    let (from, to) = (begin(first), begin(first.saturating_add(1.month())));
    let all = || Filter::new().equals("kind", ActionKind::ResolveViolation.as_str());
    let settled = |state: ActionState| {
        let within = all().at_least("settled_at", from).less("settled_at", to);
        within.equals("state", state.as_str())
    };
    let found_before = record::count::<ActionItem>(cx.tx, &all().less("opened_at", to))?;
    let settled_before = record::count::<ActionItem>(cx.tx, &all().less("settled_at", to))?;
    Ok(ViolationMonth {
        month: format!("{:04}-{:02}", first.year(), first.month()),
        opened: record::count::<ActionItem>(cx.tx, &all().at_least("opened_at", from).less("opened_at", to))?,
        done: record::count::<ActionItem>(cx.tx, &settled(ActionState::Done))?,
        dismissed: record::count::<ActionItem>(cx.tx, &settled(ActionState::Dismissed))?,
        open: found_before - settled_before,
    })
}

fn begin(date: Date) -> Timestamp {
    date.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |at| at.timestamp())
}
