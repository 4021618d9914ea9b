//! A gate question, its asker, and the rows that decide it. No row is read here.

use jiff::Timestamp;
use model::change::change_file;
use model::core::enums::{GateDecision, Purpose};
use model::core::ids;
use model::core::unmet::{self, Unmet};
use model::gate::answer::{Answer, GateRow, decide};
use model::gate::names::Names;

/// A question to the gate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// The service's key.
    pub service: String,
    /// The environment's key.
    pub environment: String,
    /// The artifact's digest.
    pub artifact: Option<String>,
    /// Or the commit.
    pub commit: Option<String>,
    /// The change that the caller names; it never suffices alone.
    pub change: Option<String>,
    /// Deployment, rollback, or either.
    pub purpose: Option<Purpose>,
    /// The member of a target that goes to many in waves.
    pub member: Option<String>,
}

impl Question {
    /// The names in the question.
    pub fn names(&self) -> Names<'_> {
        Names::new(self.artifact.as_deref(), self.commit.as_deref())
    }
}

/// The holder of a token, as looked up.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The tenant's key.
    pub tenant: &'a str,
    /// The person to whom the token belongs.
    pub person: &'a ids::PersonId,
    /// The facts about the token.
    pub lent: &'a change_file::Lent,
    /// The estate's number, tokens included, when the token was looked up.
    pub generation: i64,
}

/// The rows that a question is about, read.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) forward: Vec<GateRow>,
    pub(crate) back: Vec<GateRow>,
}

impl Found {
    /// The decision of the rows. `None` when there are no rows and the place may be unknown.
    pub(crate) fn answer(&self, question: &Question, now: Timestamp) -> Option<Answer> {
        let asked = question.change.as_deref().map(str::to_uppercase);
        let asked = asked.as_deref();
        let (forward, back) = (&self.forward, &self.back);
        match question.purpose {
            Some(Purpose::Rollback) if back.is_empty() => Some(no_way_back(question)),
            Some(Purpose::Rollback) => Some(decide(back, asked, now)),
            Some(Purpose::Deploy) => (!forward.is_empty()).then(|| decide(forward, asked, now)),
            // Rows that may go forward decide. Otherwise an open rollback applies, so that a missing row never stops a
            // rollback at night.
            None if forward.is_empty() && back.is_empty() => None,
            None => Some(decide(forward.iter().chain(back), asked, now)),
        }
    }
}

fn no_way_back(question: &Question) -> Answer {
    let text = format!(
        "No change in progress names this as its rollback for {} in {}.",
        question.service, question.environment
    );
    let satisfy = "A rollback is allowed from a change's start until its closing, to its target's `rollback_to`.";
    stopped(
        Purpose::Rollback,
        unmet::unmet("change_missing", text, satisfy, Vec::new()),
    )
}

/// A stop for one reason, about no change.
pub(crate) fn stopped(purpose: Purpose, reason: Unmet) -> Answer {
    Answer {
        decision: GateDecision::Stop,
        change: None,
        target: None,
        purpose,
        reasons: vec![reason],
        information: Vec::new(),
        next_transition_at: None,
        led_by: None,
    }
}
