//! How long a check of the gate waited.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::core::unmet::Unmet;

/// How long a check waited, and for what, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waited {
    /// For people: some reason waited on somebody.
    pub people_ms: i64,
    /// For a window, a freeze or another turn of the clock.
    pub queue_ms: i64,
    /// For the gate itself: from the turn to go until the permit.
    pub decision_ms: i64,
}

/// Whether a reason waits for somebody and not for the clock: a window opens by itself, also where it could be moved.
fn waits_for_people(reason: &Unmet) -> bool {
    match reason.code.as_str() {
        "change_missing" => true,
        "window_not_open" => false,
        _ => !reason.waiting_on.is_empty(),
    }
}

impl Waited {
    /// Whether nothing was waited for.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Adds a span during which these reasons stood.
    pub fn add(&mut self, reasons: &[Unmet], span: SignedDuration) {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX).max(0);
        if reasons.is_empty() {
            self.decision_ms += span;
        } else if reasons.iter().any(waits_for_people) {
            self.people_ms += span;
        } else {
            self.queue_ms += span;
        }
    }
}
