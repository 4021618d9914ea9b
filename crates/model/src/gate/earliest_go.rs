//! The earliest time at which a gate may open. The clock's transitions are tried one after another; nothing that depends on
//! people is promised.

use jiff::Timestamp;

use crate::core::enums::{GateDecision, State};
use crate::gate::answer::{GateRow, judge};

/// The most moments of the clock that are tried.
const MOST_TRIED: usize = 200;

/// The known earliest time of an open gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarliestGo {
    /// The gate is open.
    Now,
    /// The clock alone opens the gate, at this time.
    At(Timestamp),
    /// People have to act, and even then not before this time.
    NotBefore(Timestamp),
    /// It depends on people; the time is unknown.
    Unknown,
    /// The gate cannot open any more within its planned times.
    OtherTimes,
}

/// The earliest time at which the gate may open for this row.
#[must_use]
pub fn earliest_go(row: &GateRow, now: Timestamp) -> EarliestGo {
    if judge(row, now).decision == GateDecision::Go {
        return EarliestGo::Now;
    }
    if let Some(at) = by_clock(row, now) {
        return EarliestGo::At(at);
    }
    let met = with_people_done(row);
    let excepted = GateRow {
        frozen: Vec::new(),
        ..met.clone()
    };
    for tried in [&met, &excepted] {
        if judge(tried, now).decision == GateDecision::Go {
            return EarliestGo::Unknown;
        }
        if let Some(at) = by_clock(tried, now) {
            return EarliestGo::NotBefore(at);
        }
    }
    match row.opens_at {
        Some(_) => EarliestGo::OtherTimes,
        // Its times are not set yet.
        None => EarliestGo::Unknown,
    }
}

/// The first moment of the clock at which the row is go.
fn by_clock(row: &GateRow, now: Timestamp) -> Option<Timestamp> {
    let mut at = now;
    for _ in 0..MOST_TRIED {
        at = judge(row, at).next_transition_at?;
        if judge(row, at).decision == GateDecision::Go {
            return Some(at);
        }
    }
    None
}

/// The row as if everybody had done what it waits for; only its times and freezes still count.
fn with_people_done(row: &GateRow) -> GateRow {
    GateRow {
        unmet: Vec::new(),
        closed: Vec::new(),
        on_hold: false,
        good_until: None,
        waves: None,
        written: None,
        state: match row.state {
            State::Implementing => State::Implementing,
            _ => State::Scheduled,
        },
        ..row.clone()
    }
}
