//! Problems: failures that recur, and the change that is to fix them for good. A problem closes only after its fix succeeded
//! and recurrence was judged; an ineffective fix opens the problem again.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_INCIDENT};
use crate::core::card::{Card, Event, Field, Kind};
use crate::core::enums::{ProblemState, RecurrenceKind};
use crate::core::ids::{PersonId, RecordId, ServiceKey};
use crate::core::parse::{TEXT, later};
use crate::core::refusal::Refusal;
use crate::incident::recurred::{Compared, LEAST_WATCHED_DAYS};
use crate::verbs;

/// The most cases of a problem.
pub const MOST_CASES: usize = 200;

/// A problem: failures that recur and what is done about them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct ProblemRecord {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// Its key, such as PRB-101.
    #[card(column)]
    pub key: String,
    /// In one line.
    #[card(text)]
    pub title: String,
    /// What is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text)]
    pub description: Option<String>,
    /// What its cases share.
    #[card(words)]
    pub pattern: RecurrenceKind,
    /// The services that it hurts.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(refers = "service")]
    pub services: BTreeSet<ServiceKey>,
    /// The root cause, from the taxonomy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub cause: Option<String>,
    /// The failures: keys of incidents and changes.
    pub cases: Vec<String>,
    /// Where it is on its way.
    #[card(words, column)]
    pub state: ProblemState,
    /// Who recorded it, or the rule that proposed it: a login.
    #[card(optional)]
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Why it was accepted, dismissed, closed or opened again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text)]
    pub reason: Option<String>,
    /// Who decided that: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<PersonId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// The key of the change that is to fix it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The keys of earlier fixes, which did not help.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_fixes: Vec<String>,
    /// When it was closed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

/// A problem that a person records.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct ProblemInput {
    /// In one line.
    #[card(text, example = "Labels stop when the queue is full")]
    pub title: String,
    /// What is known of it.
    #[card(most = TEXT, text, example = "The queue has no limit.")]
    pub description: Option<String>,
    /// The services that it hurts.
    #[card(refers = "service", option = "service", example = "label-print")]
    pub services: BTreeSet<ServiceKey>,
    /// The root cause: a key of the taxonomy.
    #[card(example = "capacity")]
    pub cause: Option<String>,
    /// The failures: keys of incidents and changes.
    #[card(option = "case", example = "INC-101")]
    pub cases: Vec<String>,
}

/// The card. Decisions, fixes and judgements have routes of their own.
pub const CARD: Card = Card {
    tag: "estate",
    columns: &["key", "state", "pattern", "services", "cause", "fix", "title"],
    shown: &[
        Field::shown(
            "recurrence",
            Kind::Object,
            "Days with a failure before and after the fix, each with its 95 % interval.",
        ),
        Field::shown("fix_state", Kind::Text(60), "The link to the fixing change."),
    ],
    verbs: verbs! {
        List "list_problems" at "/problems" may READ => "List problems";
        Add "record_problem" at "/problems" may SET_INCIDENT => "Record a problem";
        Show "show_problem" at "/problems/{key}" may READ => "Show a problem with its recurrence";
    },
    events: &[
        Event::new("problem.proposed", "incident", "proposed a problem"),
        Event::new("problem.recorded", "incident", "recorded a problem"),
        Event::new("problem.recurred", "incident", "added further cases to a problem"),
        Event::new("problem.accepted", "go", "accepted a problem"),
        Event::new("problem.dismissed", "x", "dismissed a problem"),
        Event::new("problem.fix_drafted", "plus", "drafted the fix of a problem"),
        Event::new("problem.closed", "check", "closed a problem"),
        Event::new("problem.reopened", "incident", "reopened a problem"),
    ],
    ..Card::of::<ProblemRecord, ProblemInput>("problem", "Problems")
};

/// The facts about the fix of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fix {
    /// Whether it is closed and succeeded.
    pub has_succeeded: bool,
    /// When its work began and ended.
    pub worked: Option<(Timestamp, Timestamp)>,
    /// Recurrence around it, once its work ended.
    pub compared: Option<Compared>,
}

impl ProblemRecord {
    /// Whether it needs a decision or an action.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, ProblemState::Proposed | ProblemState::Open)
    }

    /// Refuses a decision on a problem that was decided. One that was accepted by mistake is still dismissed.
    ///
    /// # Errors
    /// 409.
    pub fn check_decidable(&self, is_accepted: bool) -> Result<(), Refusal> {
        let is_open_dismissed = self.state == ProblemState::Open && !is_accepted;
        if self.state == ProblemState::Proposed || is_open_dismissed {
            return Ok(());
        }
        let text = format!("{} has already been decided: it is {}.", self.key, self.state);
        Err(Refusal::not_now(
            "decided",
            text,
            "Reload the problem; no decision is needed.",
            Vec::new(),
        ))
    }

    /// Refuses another fix while there is one, or while the problem is not open.
    ///
    /// # Errors
    /// 409.
    pub fn check_fixable(&self) -> Result<(), Refusal> {
        if self.state != ProblemState::Open {
            let text = format!("{} is {}, so no fix can be drafted for it.", self.key, self.state);
            return Err(Refusal::not_now("not_open", text, "Accept it first.", Vec::new()));
        }
        if let Some(fix) = &self.fix {
            let text = format!("{fix} already addresses {}.", self.key);
            let satisfy = "Continue with that change, or record that it did not help.";
            return Err(Refusal::not_now("fix_is_there", text, satisfy, Vec::new()));
        }
        Ok(())
    }

    /// Refuses a judgement without a fix. That the fix helped is refused before it succeeded, before recurrence was watched for
    /// [`LEAST_WATCHED_DAYS`] days, and where the failures recur as often as before.
    ///
    /// # Errors
    /// 409.
    pub fn check_judgement(&self, fix: &Fix, has_helped: bool) -> Result<(), Refusal> {
        let Some(key) = self.fix.as_ref().filter(|_| self.state != ProblemState::Dismissed) else {
            let text = format!("{} has no fix that could be evaluated.", self.key);
            return Err(Refusal::not_now("no_fix", text, "Draft its fix first.", Vec::new()));
        };
        if !has_helped {
            // This includes a fix that failed or was cancelled, so that another one can be drafted.
            return Ok(());
        }
        let (Some((_, ended)), Some(compared), true) = (fix.worked, fix.compared, fix.has_succeeded) else {
            let text = format!("{key} has not succeeded yet: it is not closed, or it failed.");
            let satisfy = format!("Close {key} as succeeded first.");
            return Err(Refusal::not_now("fix_not_done", text, satisfy, Vec::new()));
        };
        if compared.has_not_helped() {
            let text = format!(
                "The failures recur as often as before {key}: on {} of {} days.",
                compared.after.days, compared.after.of
            );
            let satisfy = "Record that it did not help; the problem is then reopened.";
            return Err(Refusal::not_now("it_recurs", text, satisfy, Vec::new()));
        }
        if compared.after.of < LEAST_WATCHED_DAYS {
            let days = i64::try_from(LEAST_WATCHED_DAYS).unwrap_or(i64::MAX);
            let until = later(ended, SignedDuration::from_hours(24 * days));
            let text = format!(
                "Recurrence must be watched for {LEAST_WATCHED_DAYS} days after the fix before it can be \
                    evaluated."
            );
            let satisfy = format!("Evaluate it at {until} or later.");
            return Err(Refusal::not_now("too_early", text, satisfy, Vec::new()));
        }
        Ok(())
    }

    /// The problem after an ineffective fix: it is open again, and the fix is one of its former fixes.
    #[must_use]
    pub fn reopened(self, reason: String) -> Self {
        let mut former_fixes = self.former_fixes;
        former_fixes.extend(self.fix);
        Self {
            state: ProblemState::Open,
            fix: None,
            former_fixes,
            reason: Some(reason),
            closed_at: None,
            ..self
        }
    }
}
