//! The status of a tenant: disruptive changes under way and ahead.

use jiff::SignedDuration;
use model::change::record::Change;
use model::core::act::actions;
use model::core::enums::State;
use model::notify::communication_plan::is_disruptive;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::report::find_changes::{ChangeFilter, find_changes};

/// How far ahead the status looks, in hours: 30 days.
const AHEAD_HOURS: i64 = 24 * 30;
/// How far back work that is under way was planned to end at most, in hours.
const BACK_HOURS: i64 = 24 * 30;
/// The most changes that are examined.
const MOST: i64 = 500;

/// Disruptive changes, each list in the order of the planned start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Work is under way.
    pub current: Vec<Change>,
    /// Scheduled within 30 days.
    pub coming: Vec<Change>,
}

/// The disruptive changes under way and ahead that the acting person sees.
///
/// # Errors
/// 403, or the store's.
pub fn find_status(cx: &mut Context<'_, '_>) -> Result<Status> {
    cx.allow(actions::READ)?;
    let hours = SignedDuration::from_hours;
    let filter = ChangeFilter {
        states: vec![State::Scheduled.to_string(), State::Implementing.to_string()],
        planned_from: Some(cx.now - hours(BACK_HOURS)),
        planned_to: Some(cx.now + hours(AHEAD_HOURS)),
        ..ChangeFilter::default()
    };
    let mut status = Status::default();
    for (row, _) in find_changes(cx, &filter, MOST, None)?.rows {
        let change = cx.change(&row.key)?;
        let is_over = change.planned_end.is_some_and(|end| end <= cx.now);
        match change.state {
            _ if !is_disruptive(&change) => {}
            State::Implementing => status.current.push(change),
            // A change that missed its time does not take place.
            State::Scheduled if !is_over => status.coming.push(change),
            _ => {}
        }
    }
    status.current.sort_by_key(|change| change.planned_start);
    status.coming.sort_by_key(|change| change.planned_start);
    Ok(status)
}
