//! Copies of changes of Assent in another system, for people who still look there. Assent leads: a copy approves nothing, and
//! an edit of a copy notifies people but changes nothing here.

use derive::{Described, Noun};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::change::record::Change;
use crate::core::card::{Card, Event, NoInput};
use crate::core::enums::{ForeignKind, ForeignPhase, Outcome, State};
use crate::core::ids::RecordId;
use crate::integration::foreign_change::ReceivedChange;
use crate::integration::foreign_comment::CopiedComment;
use crate::integration::foreign_system::ForeignSystem;
use crate::verbs;

/// The origin that a copy names.
pub const ORIGIN: &str = "Assent";
/// The prefix of the label of a copy in Jira that names its change; [`ORIGIN`] is a label of the copy too.
pub const JIRA_MARK: &str = "assent:";
/// The longest text of a field there, in characters.
const TEXT: usize = 4_000;
/// The longest title there, in characters.
const TITLE: usize = 160;

/// A copy of a change in a system beside this one. The change here leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct ForeignMirror {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The id of the system.
    #[card(column)]
    pub system: RecordId,
    /// The key of the change here.
    #[card(column)]
    pub change_key: String,
    /// The id of the copy there, once it was written. The copy is recognised by it, whatever becomes of its mark.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::core::typed::option"
    )]
    #[card(column)]
    pub natural_key: Option<String>,
    /// The key of the copy there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::core::typed::option"
    )]
    pub foreign_key: Option<String>,
    /// When the copy was edited last that is known, by the clock there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// When it was written last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_at: Option<Timestamp>,
    /// Whether somebody edited it there otherwise than the change here stands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub differs: bool,
    /// Why it could not be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub read_problem: Option<String>,
    /// The comments that were copied, in either direction.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(part = "CopiedComment")]
    pub comments: Vec<CopiedComment>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "administration",
    command: "foreign-mirror",
    columns: &["change_key", "foreign_key", "written_at", "differs", "read_problem"],
    verbs: verbs! {
        List "list_foreign_mirrors" at "/foreign-mirrors" may "set_connection | set_freeze | audit" => "List the copies of changes in external systems";
        Show "show_foreign_mirror" at "/foreign-mirrors/{id}" may "set_connection | set_freeze | audit" => "Show the copy of a change in an external system";
    },
    events: &[
        Event::new(
            "foreign_mirror.begun",
            "right",
            "requested a copy of a change in an external system",
        ),
        Event::new(
            "foreign_mirror.written",
            "right",
            "wrote the copy of a change in an external system",
        ),
        Event::new(
            "foreign_mirror.failed",
            "x",
            "could not write the copy of a change in an external system",
        ),
        Event::new(
            "foreign_mirror.differed",
            "eye",
            "imported an edit of the copy of a change in an external system",
        ),
        Event::new(
            "foreign_mirror.commented",
            "comment",
            "copied comments between a change and its copy in an external system",
        ),
    ],
    ..Card::of::<ForeignMirror, NoInput>("foreign_mirror", "Copies in external systems")
};

/// The number of a state in the usual model of changes there, and how far a copy with it has come.
fn stated(state: State) -> (&'static str, ForeignPhase) {
    match state {
        State::Draft | State::Rejected => ("-5", ForeignPhase::Waiting),
        State::Assessing => ("-4", ForeignPhase::Waiting),
        // Its times are not confirmed, but Scheduled would promise both.
        State::Authorizing | State::Approved => ("-3", ForeignPhase::Waiting),
        State::Scheduled => ("-2", ForeignPhase::Approved),
        State::Implementing => ("-1", ForeignPhase::Started),
        State::Reviewing => ("0", ForeignPhase::Ended),
        State::Closed => ("3", ForeignPhase::Ended),
        State::Cancelled => ("4", ForeignPhase::Stopped),
    }
}

/// The approval state in the system's values. It promises no more than the state does, for there both together let a change go.
/// A change that may not go now never reads as approved: one on hold, or one whose work began around its approvals.
fn approval(state: State, is_stopped: bool) -> &'static str {
    match state {
        State::Authorizing | State::Approved => "requested",
        State::Scheduled | State::Implementing | State::Reviewing | State::Closed if !is_stopped => "approved",
        _ => "not requested",
    }
}

/// The close code in the system's values.
fn close_code(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "successful",
        Outcome::SucceededWithIssues => "successful_issues",
        _ => "unsuccessful",
    }
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// A time in the system's format, in UTC.
fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Whether a change may not go now: it is on hold, or its work began around its approvals.
fn is_stopped(change: &Change) -> bool {
    let is_around = change.break_glass.is_some() || change.retrospective.is_some() || change.unauthorized;
    is_around || change.is_on_hold()
}

/// The phase of a copy that has one status and no field for approvals: no further than the change may go.
#[must_use]
pub fn phase(change: &Change) -> ForeignPhase {
    match stated(change.state).1 {
        ForeignPhase::Approved if is_stopped(change) => ForeignPhase::Waiting,
        phase => phase,
    }
}

/// Whether a change moved in a field of its copy.
#[must_use]
pub fn has_moved(before: &Change, after: &Change) -> bool {
    fields(before) != fields(after)
}

/// The fields of a copy, with the mark of its origin. They contain the progress of the approvals, but no approver.
#[must_use]
pub fn fields(change: &Change) -> Vec<(&'static str, String)> {
    let content = &change.content;
    let mut found = vec![
        ("correlation_id", change.key.clone()),
        ("correlation_display", ORIGIN.to_owned()),
        ("short_description", cut(&content.title, TITLE)),
        (
            "description",
            cut(content.description.as_deref().unwrap_or_default(), TEXT),
        ),
        ("type", content.kind.to_string()),
        ("state", stated(change.state).0.to_owned()),
        ("approval", approval(change.state, is_stopped(change)).to_owned()),
        ("on_hold", change.is_on_hold().to_string()),
    ];
    if change.is_on_hold() {
        found.push(("on_hold_reason", format!("{} is on hold in Assent.", change.key)));
    }
    for (name, at) in [("start_date", change.planned_start), ("end_date", change.planned_end)] {
        found.extend(at.map(|at| (name, moment(at))));
    }
    if let Some(outcome) = change.outcome {
        found.push(("close_code", close_code(outcome).to_owned()));
        found.push(("close_notes", format!("{} ended in Assent: {outcome}.", change.key)));
    }
    if change.state == State::Cancelled {
        found.push(("close_notes", format!("{} was cancelled in Assent.", change.key)));
    }
    found
}

/// The fields of a copy that differ from its change: its mark, its state or its planned times, as far as the system has fields
/// for them. An echo of a write has no differences.
#[must_use]
pub fn differences(system: &ForeignSystem, change: &Change, told: &ReceivedChange) -> Vec<&'static str> {
    let mut found = Vec::new();
    let is_jira = system.kind == ForeignKind::Jira;
    if told.ours.as_ref() != Some(&change.key) {
        found.push(if is_jira { "labels" } else { "correlation_id" });
    }
    let written = if is_jira { phase(change) } else { stated(change.state).1 };
    if told.phase != written {
        found.push("state");
    }
    // Times there have whole seconds.
    let seconds = |at: Option<Timestamp>| at.map(Timestamp::as_second);
    for (name, fact, ours, theirs) in [
        ("start_date", "planned_start", change.planned_start, told.planned.0),
        ("end_date", "planned_end", change.planned_end, told.planned.1),
    ] {
        let has_field = !is_jira || system.field(fact).is_some();
        if has_field && seconds(ours) != seconds(theirs) {
            found.push(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_never_reads_as_further_than_its_change_is() {
        for state in State::ALL {
            let (number, phase) = stated(*state);
            let is_let_go = phase.is_let_go();
            assert_eq!(
                is_let_go,
                *state >= State::Scheduled && *state <= State::Closed,
                "{state}"
            );
            assert!(!number.is_empty());
        }
    }

    #[test]
    fn a_copy_reads_as_approved_once_its_change_may_go_and_never_where_work_began_around_it() {
        for state in State::ALL {
            let is_approved = approval(*state, false) == "approved";
            assert_eq!(is_approved, stated(*state).1.is_let_go(), "{state}");
            assert_ne!(approval(*state, true), "approved", "{state}");
        }
        assert_eq!(approval(State::Authorizing, false), "requested");
        assert_eq!(approval(State::Cancelled, false), "not requested");
    }

    #[test]
    fn a_failure_is_never_written_as_a_success() {
        for outcome in Outcome::ALL {
            let is_good = close_code(*outcome) != "unsuccessful";
            let is_meant = matches!(outcome, Outcome::Succeeded | Outcome::SucceededWithIssues);
            assert_eq!(is_good, is_meant, "{outcome}");
        }
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(moment(Timestamp::UNIX_EPOCH), "1970-01-01 00:00:00");
        assert_eq!(cut("äöü", 2), "äö");
    }
}
