//! Changes of other systems, as they were read there, with the findings of the rules here. Such a record is another system's
//! claim: no approval in it counts here. The gate follows it only for a service that its system leads.

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::card::{Card, Event, NoInput};
use crate::core::enums::{ForeignDifference, ForeignPhase, Kind, Level};
use crate::core::ids::{EnvironmentKey, RecordId, ServiceKey};
use crate::verbs;

/// The longest text of another system that is kept, in characters; what is longer is cut.
pub const KEPT: usize = 200;
/// The most names of approvers that are kept.
pub const MOST_APPROVERS: usize = 50;
/// The most reasons that are kept.
pub const MOST_REASONS: usize = 50;
/// The longest sentence on why a rule would have stopped it, in characters.
pub const REASON: usize = 500;
/// The longest time that an edit there may lie ahead of this server's clock; a later edit is implausible.
pub const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// The finding on a row that disappeared: it was deleted, is hidden from the reader, or cannot be read.
pub const GONE: &str = "It was missing when its system was last read completely.";

/// The finding on a change that was over there and is open again.
const CAME_BACK: &str = "It had already ended there, and an ended change cannot open the gate again.";
/// The usual difference between two correct clocks.
const SKEW: SignedDuration = SignedDuration::from_mins(2);

/// A change of a system beside this one, with what the rules here would have said of it. It is their record: it approves nothing here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct ForeignChange {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The id of the system.
    #[card(column)]
    pub system: RecordId,
    /// Its id there, which stays when its key changes.
    #[serde(with = "crate::core::typed")]
    #[card(column)]
    pub natural_key: String,
    /// Its key there.
    #[serde(with = "crate::core::typed")]
    pub foreign_key: String,
    /// Keys that it had before.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "crate::core::typed::list")]
    pub former_keys: Vec<String>,
    /// Its title there.
    #[card(text)]
    pub title: String,
    /// How it is governed there.
    #[card(words)]
    pub kind: Kind,
    /// How much it may harm, as told there; medium where nothing is told.
    #[card(words)]
    pub impact: Level,
    /// Its state in the words there.
    #[card(text)]
    pub told_state: String,
    /// How far it has come.
    #[card(words)]
    pub phase: ForeignPhase,
    /// What it is about in the words there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub told_service: Option<String>,
    /// The service here, where a table or a key maps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub service: Option<ServiceKey>,
    /// As a change of which environment it is judged.
    pub environment: EnvironmentKey,
    /// The login or address of the person who asked for it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub told_by: Option<String>,
    /// The logins or addresses of the people who approved it there. They approve nothing here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(text)]
    pub told_approvers: Vec<String>,
    /// Its planned start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_start: Option<Timestamp>,
    /// Its planned end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_end: Option<Timestamp>,
    /// When the work began, as told there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended, as told there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// How it ended, in the words there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub told_outcome: Option<String>,
    /// Whether it has a plan there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_plan: bool,
    /// Whether it has a way back there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_way_back: bool,
    /// When it was opened there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
    /// When it was edited there last, by the clock there.
    pub edited_at: Timestamp,
    /// When that was read.
    pub read_at: Timestamp,
    /// How their decision compares with the rules here.
    #[card(words, column)]
    pub difference: ForeignDifference,
    /// When it was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_at: Option<Timestamp>,
    /// The rules here, or conditions, that would have stopped it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet_rules: Vec<String>,
    /// Why, in one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(most = REASON, text)]
    pub why: Vec<String>,
    /// What is not believed of what was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub read_problem: Option<String>,
    /// A digest of how its system was read when this was taken: the gate believes what was read as it is read now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
    /// Whether it was over there once and came back: such a change opens nothing again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub was_over: bool,
}

/// The card.
pub const CARD: Card = Card {
    tag: "administration",
    command: "foreign-change",
    columns: &[
        "foreign_key",
        "phase",
        "service",
        "difference",
        "unmet_rules",
        "edited_at",
        "title",
    ],
    verbs: verbs! {
        List "list_foreign_changes" at "/foreign-changes" may "set_connection | set_freeze | audit" => "List the changes of external systems";
        Show "show_foreign_change" at "/foreign-changes/{id}" may "set_connection | set_freeze | audit" => "Show a change of an external system";
    },
    events: &[
        Event::new("foreign_change.read", "eye", "imported a change of an external system"),
        Event::new(
            "foreign_change.edited",
            "edit",
            "imported an edit of a change of an external system",
        ),
        Event::new(
            "foreign_change.compared",
            "check",
            "compared a change of an external system with the rules",
        ),
    ],
    ..Card::of::<ForeignChange, NoInput>("foreign_change", "Changes of external systems")
};

/// A change as a system sent it, with every text cut to the stored length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedChange {
    /// Its id there.
    pub natural_key: String,
    /// Its key there.
    pub key: String,
    /// Its title.
    pub title: String,
    /// The kind of change.
    pub kind: Kind,
    /// The impact.
    pub impact: Level,
    /// Its state as the system names it.
    pub state: String,
    /// The phase.
    pub phase: ForeignPhase,
    /// Its service or subject.
    pub service: Option<String>,
    /// The person who requested it.
    pub by: Option<String>,
    /// The people who approved it.
    pub approvers: Vec<String>,
    /// Its planned times.
    pub planned: (Option<Timestamp>, Option<Timestamp>),
    /// Its actual times.
    pub actual: (Option<Timestamp>, Option<Timestamp>),
    /// The outcome.
    pub outcome: Option<String>,
    /// Whether it has a plan.
    pub has_plan: bool,
    /// Whether it has a rollback plan.
    pub has_way_back: bool,
    /// When it was opened.
    pub opened_at: Option<Timestamp>,
    /// When it was edited last.
    pub edited_at: Timestamp,
    /// The key of the change here that it claims to be a copy of.
    pub ours: Option<String>,
}

/// The service and place here of a foreign change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The id of the system.
    pub system: RecordId,
    /// The service here.
    pub service: Option<ServiceKey>,
    /// The environment.
    pub environment: EnvironmentKey,
    /// A digest of how the system is read.
    pub terms: String,
}

/// The effect of a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The updated record.
    pub after: ForeignChange,
    /// Whether their decision is new, so that it is compared.
    pub is_decided: bool,
}

impl ForeignPhase {
    /// Whether they let it go.
    #[must_use]
    pub fn is_let_go(self) -> bool {
        matches!(self, Self::Approved | Self::Started | Self::Ended)
    }

    /// Whether nothing comes after it.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Ended | Self::Stopped)
    }

    /// The check for this phase: whether the change may go on, may start, or is rightly stopped. A change that has ended was
    /// checked when it began.
    fn question(self) -> u8 {
        match self {
            Self::Waiting | Self::Unknown => 0,
            Self::Approved => 1,
            Self::Started | Self::Ended => 2,
            Self::Stopped => 3,
        }
    }
}

impl ForeignChange {
    /// Whether a gate may use it now or later, when read with these settings. A row that disappeared may return.
    #[must_use]
    pub fn may_open(&self, terms: &str, now: Timestamp) -> bool {
        let is_believed = self.read_problem.as_deref().is_none_or(|problem| problem == GONE);
        is_believed
            && self.terms.as_deref() == Some(terms)
            && matches!(self.phase, ForeignPhase::Approved | ForeignPhase::Started)
            && self.planned_end.is_some_and(|end| now < end)
    }

    /// The record after its system shows it no more; `None` where that is known already.
    #[must_use]
    pub fn gone(self, now: Timestamp) -> Option<Self> {
        if self.read_problem.is_some() {
            return None;
        }
        Some(Self {
            read_problem: Some(GONE.to_owned()),
            read_at: now,
            ..self
        })
    }

    /// The time of their decision, as far as it is reported and plausible: the start, else the last edit, and never later than
    /// now.
    #[must_use]
    pub fn decided_at(&self, now: Timestamp) -> Timestamp {
        let told = match self.phase {
            ForeignPhase::Started | ForeignPhase::Ended => self.started_at.unwrap_or(self.edited_at),
            _ => self.edited_at,
        };
        told.min(now)
    }
}

/// Takes a row that was read: `None` if nothing is new. The id there names it, so a row whose key changes stays one record, and
/// a row that is read twice is kept once.
#[must_use]
pub fn take(
    known: Option<&ForeignChange>,
    told: &ReceivedChange,
    home: &Home,
    (id, now): (&RecordId, Timestamp),
) -> Option<Step> {
    // A row older than the stored one was read from a lagging copy. A later edit is not hidden by an earlier one with a fast
    // clock.
    let last = |known: &ForeignChange| {
        known
            .edited_at
            .min(known.read_at.checked_add(SKEW).unwrap_or(known.edited_at))
    };
    if known.is_some_and(|known| told.edited_at < last(known)) {
        return None;
    }
    let mut after = fresh(told, home, (id, now));
    if let Some(known) = known {
        after.id = known.id.clone();
        after.version = known.version;
        after.former_keys.clone_from(&known.former_keys);
        if known.foreign_key != after.foreign_key && !after.former_keys.contains(&known.foreign_key) {
            after.former_keys.push(known.foreign_key.clone());
            let cut = after.former_keys.len().saturating_sub(MOST_APPROVERS);
            after.former_keys.drain(..cut);
        }
        after.difference = known.difference;
        after.judged_at = known.judged_at;
        after.unmet_rules.clone_from(&known.unmet_rules);
        after.why.clone_from(&known.why);
        after.was_over = known.was_over || (known.phase.is_over() && told.phase != known.phase);
        after.read_problem = disbelieved(Some(known), told, now);
        // Only rows that may open a gate are stored again after a change of settings.
        let opens = matches!(after.phase, ForeignPhase::Approved | ForeignPhase::Started);
        let same = ForeignChange {
            read_at: known.read_at,
            terms: if opens {
                after.terms.clone()
            } else {
                known.terms.clone()
            },
            ..after.clone()
        };
        if same == *known {
            return None;
        }
    } else {
        after.read_problem = disbelieved(None, told, now);
    }
    let before = known.map_or(0, |known| known.phase.question());
    let question = after.phase.question();
    // A change that could not be judged without a service is judged once a table maps it.
    let is_moved = known.is_some_and(|known| known.service != after.service);
    let is_decided = question != 0 && (question != before || is_moved);
    Some(Step { after, is_decided })
}

fn fresh(told: &ReceivedChange, home: &Home, (id, now): (&RecordId, Timestamp)) -> ForeignChange {
    ForeignChange {
        id: id.clone(),
        version: 0,
        system: home.system.clone(),
        natural_key: told.natural_key.clone(),
        foreign_key: told.key.clone(),
        former_keys: Vec::new(),
        title: told.title.clone(),
        kind: told.kind,
        impact: told.impact,
        told_state: told.state.clone(),
        phase: told.phase,
        told_service: told.service.clone(),
        service: home.service.clone(),
        environment: home.environment.clone(),
        told_by: told.by.clone(),
        told_approvers: told.approvers.clone(),
        planned_start: told.planned.0,
        planned_end: told.planned.1,
        started_at: told.actual.0,
        ended_at: told.actual.1,
        told_outcome: told.outcome.clone(),
        has_plan: told.has_plan,
        has_way_back: told.has_way_back,
        opened_at: told.opened_at,
        edited_at: told.edited_at,
        read_at: now,
        difference: ForeignDifference::Undecided,
        judged_at: None,
        unmet_rules: Vec::new(),
        why: Vec::new(),
        read_problem: None,
        terms: Some(home.terms.clone()),
        was_over: false,
    }
}

/// The implausible parts of a row. They are kept as reported and marked, since hiding them would make the foreign record look
/// better than it is.
fn disbelieved(known: Option<&ForeignChange>, told: &ReceivedChange, now: Timestamp) -> Option<String> {
    let late = now.checked_add(AHEAD).unwrap_or(now);
    if told.edited_at > late {
        return Some(format!("Its last edit there, {}, lies in the future.", told.edited_at));
    }
    let (start, end) = told.actual;
    if let Some(at) = start.into_iter().chain(end).find(|at| *at > late) {
        return Some(format!("It reports work at {at}, which lies in the future."));
    }
    if let (Some(start), Some(end)) = (start, end)
        && end < start
    {
        return Some("Its work ended before it began, according to its system.".to_owned());
    }
    let known = known?;
    let before = known.phase;
    let went_back = (before.is_over() && told.phase != before)
        || (before == ForeignPhase::Started && matches!(told.phase, ForeignPhase::Waiting | ForeignPhase::Approved));
    if went_back {
        return Some(format!("It went from {before} to {} there.", told.phase));
    }
    // A finding stays while the phase is the same, except for a missing row that is present again.
    let said = known.read_problem.clone();
    let said = said.filter(|problem| told.phase == before && problem != GONE);
    // This holds for any phase between.
    let comes_back = known.was_over && !told.phase.is_over();
    said.or_else(|| comes_back.then(|| CAME_BACK.to_owned()))
}

/// Compares their decision with the requirements of the rules here: each rule or condition with a sentence.
#[must_use]
pub fn compared(mut change: ForeignChange, unmet: &[(String, String)], now: Timestamp) -> ForeignChange {
    let would_go = unmet.is_empty();
    change.difference = match (change.phase.is_let_go(), would_go) {
        (true, false) => ForeignDifference::WouldStop,
        (false, true) => ForeignDifference::WouldLetGo,
        _ => ForeignDifference::Same,
    };
    let cut = |text: &str| text.chars().take(REASON).collect::<String>();
    let mut rules: Vec<String> = Vec::new();
    for (rule, _) in unmet.iter().take(MOST_REASONS) {
        if !rules.contains(rule) {
            rules.push(rule.clone());
        }
    }
    change.unmet_rules = rules;
    change.why = unmet.iter().take(MOST_REASONS).map(|(_, text)| cut(text)).collect();
    change.judged_at = Some(now);
    change
}

/// A change that cannot be judged here, with the reason.
#[must_use]
pub fn not_judged(mut change: ForeignChange, why: String, now: Timestamp) -> ForeignChange {
    change.difference = ForeignDifference::NotJudged;
    change.unmet_rules = Vec::new();
    change.why = vec![why];
    change.judged_at = Some(now);
    change
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    const NOW: &str = "2026-11-20T12:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn told(phase: ForeignPhase, edited: &str) -> ReceivedChange {
        ReceivedChange {
            natural_key: "a1".to_owned(),
            key: "CHG1".to_owned(),
            title: "T".to_owned(),
            kind: Kind::Normal,
            impact: Level::Medium,
            state: "-1".to_owned(),
            phase,
            service: Some("Shop".to_owned()),
            by: None,
            approvers: Vec::new(),
            planned: (None, None),
            actual: (None, None),
            outcome: None,
            has_plan: true,
            has_way_back: true,
            opened_at: None,
            edited_at: at(edited),
            ours: None,
        }
    }

    fn taken(known: Option<&ForeignChange>, told: &ReceivedChange) -> Option<Step> {
        let home = Home {
            system: RecordId::from("s"),
            service: Some(ServiceKey::from("shop")),
            environment: EnvironmentKey::from("production"),
            terms: "sha256:aa".to_owned(),
        };
        take(known, told, &home, (&RecordId::from("r"), at(NOW)))
    }

    #[test]
    fn a_row_that_is_read_twice_is_kept_once_and_an_older_copy_changes_nothing() {
        let told_first = told(ForeignPhase::Approved, "2026-11-20T10:00:00Z");
        let first = taken(None, &told_first).unwrap();
        assert!(first.is_decided);
        assert_eq!(taken(Some(&first.after), &told_first), None);
        let older = told(ForeignPhase::Waiting, "2026-11-20T09:00:00Z");
        assert_eq!(taken(Some(&first.after), &older), None);
    }

    #[test]
    fn an_edit_by_a_clock_that_ran_ahead_hides_no_later_one() {
        let ahead = taken(None, &told(ForeignPhase::Approved, "2026-11-20T20:00:00Z"));
        let ahead = ahead.unwrap().after;
        let stopped = taken(Some(&ahead), &told(ForeignPhase::Stopped, "2026-11-20T12:05:00Z"));
        assert_eq!(stopped.unwrap().after.phase, ForeignPhase::Stopped);
        let older = told(ForeignPhase::Waiting, "2026-11-20T11:00:00Z");
        assert_eq!(taken(Some(&ahead), &older), None, "it is older than that reading");
    }

    #[test]
    fn what_may_open_a_gate_is_kept_anew_once_its_system_is_read_in_another_way() {
        let read_otherwise = |phase: ForeignPhase| {
            let told = told(phase, "2026-11-20T10:00:00Z");
            let mut known = taken(None, &told).unwrap().after;
            known.terms = Some("sha256:bb".to_owned());
            taken(Some(&known), &told)
        };
        let step = read_otherwise(ForeignPhase::Approved).unwrap();
        assert_eq!(step.after.terms.as_deref(), Some("sha256:aa"));
        assert!(!step.is_decided, "it is the same decision");
        assert_eq!(
            read_otherwise(ForeignPhase::Ended),
            None,
            "what opens nothing writes nothing"
        );
    }

    #[test]
    fn a_row_whose_key_changes_stays_one_record_with_both_keys() {
        let first = taken(None, &told(ForeignPhase::Approved, "2026-11-20T10:00:00Z"))
            .unwrap()
            .after;
        let renamed = ReceivedChange {
            key: "CHG9".to_owned(),
            ..told(ForeignPhase::Approved, "2026-11-20T11:00:00Z")
        };
        let step = taken(Some(&first), &renamed).unwrap();
        assert_eq!(step.after.foreign_key, "CHG9");
        assert_eq!(step.after.former_keys, ["CHG1"]);
        assert!(!step.is_decided, "the same decision is not a new one");
    }

    #[test]
    fn each_question_is_put_once_and_what_cannot_be_so_is_named() {
        let approved = taken(None, &told(ForeignPhase::Approved, "2026-11-20T10:00:00Z"))
            .unwrap()
            .after;
        let started = taken(Some(&approved), &told(ForeignPhase::Started, "2026-11-20T10:10:00Z")).unwrap();
        assert!(started.is_decided);
        let ended = taken(Some(&started.after), &told(ForeignPhase::Ended, "2026-11-20T10:20:00Z")).unwrap();
        assert!(!ended.is_decided && ended.after.read_problem.is_none());
        let back = taken(Some(&ended.after), &told(ForeignPhase::Waiting, "2026-11-20T10:30:00Z")).unwrap();
        assert!(back.after.read_problem.unwrap().contains("from ended to waiting"));
        let ahead = taken(None, &told(ForeignPhase::Started, "2031-01-01T00:00:00Z"))
            .unwrap()
            .after;
        assert!(ahead.read_problem.as_ref().unwrap().contains("lies in the future"));
        assert_eq!(ahead.decided_at(at(NOW)), at(NOW));
    }

    #[test]
    fn what_was_over_once_is_never_believed_to_go_again() {
        let step = |known: &ForeignChange, phase: ForeignPhase, edited: &str| {
            taken(Some(known), &told(phase, edited)).unwrap().after
        };
        let first = taken(None, &told(ForeignPhase::Started, "2026-11-20T10:00:00Z")).unwrap();
        for over in [ForeignPhase::Ended, ForeignPhase::Stopped] {
            let mut known = step(&first.after, over, "2026-11-20T10:10:00Z");
            assert!(known.read_problem.is_none() && !known.was_over, "{known:?}");
            let way = [
                (ForeignPhase::Unknown, "2026-11-20T10:20:00Z"),
                (ForeignPhase::Approved, "2026-11-20T10:30:00Z"),
                (ForeignPhase::Approved, "2026-11-20T10:40:00Z"),
                (ForeignPhase::Started, "2026-11-20T10:50:00Z"),
            ];
            for (phase, edited) in way {
                known = step(&known, phase, edited);
                assert!(known.was_over && known.read_problem.is_some(), "{phase}: {known:?}");
            }
        }
    }

    #[test]
    fn a_row_that_was_gone_is_believed_once_it_is_there_again() {
        let there = told(ForeignPhase::Approved, "2026-11-20T10:00:00Z");
        let mut gone = taken(None, &there).unwrap().after;
        gone.read_problem = Some(GONE.to_owned());
        let back = taken(Some(&gone), &there).unwrap();
        assert!(back.after.read_problem.is_none() && !back.is_decided, "{back:?}");
        gone.was_over = true;
        assert!(taken(Some(&gone), &there).unwrap().after.read_problem.is_some());
    }

    #[test]
    fn decisions_compare_both_ways() {
        let approved = taken(None, &told(ForeignPhase::Approved, "2026-11-20T10:00:00Z"))
            .unwrap()
            .after;
        let stopped = taken(None, &told(ForeignPhase::Stopped, "2026-11-20T10:00:00Z"))
            .unwrap()
            .after;
        let lacks = [("base.owner".to_owned(), "The owner has not approved.".to_owned())];
        let difference =
            |change: &ForeignChange, unmet: &[(String, String)]| compared(change.clone(), unmet, at(NOW)).difference;
        assert_eq!(difference(&approved, &[]), ForeignDifference::Same);
        assert_eq!(difference(&approved, &lacks), ForeignDifference::WouldStop);
        assert_eq!(difference(&stopped, &lacks), ForeignDifference::Same);
        assert_eq!(difference(&stopped, &[]), ForeignDifference::WouldLetGo);
        assert_eq!(compared(approved, &lacks, at(NOW)).unmet_rules, ["base.owner"]);
    }
}
