//! The gate of a service that another system leads. It decides by that system's changes, as far as they are trusted, and by the
//! freezes here. It issues no permit, because a permit belongs to a change of Assent.

use jiff::Timestamp;

use crate::change::related_records::GateCheck;
use crate::core::enums::{ForeignPhase, GateDecision, Purpose};
use crate::core::ids::EnvironmentKey;
use crate::core::unmet::{Unmet, unmet};
use crate::directory::led_elsewhere::{LedBy, LedElsewhere};
use crate::gate::answer::Answer;
use crate::integration::foreign_change::ForeignChange;

/// The code of its unmet condition.
pub const LED_ELSEWHERE: &str = "led_elsewhere";
/// The code of a stop because several changes may go and the question names none.
pub const CHANGE_AMBIGUOUS: &str = "change_ambiguous";

/// A question about a service that another system leads.
#[derive(Debug, Clone, Copy)]
pub struct LedQuestion<'a> {
    /// The environment.
    pub environment: &'a EnvironmentKey,
    /// The change's key in that system, if the question names one.
    pub change: Option<&'a str>,
    /// The reason why the system is not trusted now.
    pub unread: Option<&'a str>,
    /// A digest of how the system is read: two people confirmed this, and not what was read otherwise before.
    pub terms: &'a str,
}

/// Decides by the changes of the leading system. If several may go now, the question's `change` selects one.
#[must_use]
pub fn decide(led: &LedElsewhere, changes: &[ForeignChange], asked: LedQuestion<'_>, now: Timestamp) -> Answer {
    if let Some(why) = asked.unread {
        let text = format!(
            "{} manages the changes of this service, and its changes cannot be imported now: {why}",
            led.kind.label()
        );
        return stop(
            led,
            None,
            vec![against(
                text,
                "Repair the connection to the external system, or make Assent the system of record for the service \
                 again.",
            )],
        );
    }
    let is_named = |it: &&ForeignChange| {
        asked.change.is_none_or(|key| {
            let is_key = |known: &String| known.eq_ignore_ascii_case(key);
            is_key(&it.foreign_key) || it.former_keys.iter().any(is_key)
        })
    };
    let named: Vec<&ForeignChange> = changes
        .iter()
        .filter(|it| it.system == led.system && it.environment == *asked.environment)
        .filter(is_named)
        .collect();
    let open: Vec<&ForeignChange> = named
        .iter()
        .filter(|it| lacks(it, (led, asked.terms), now).is_none())
        .copied()
        .collect();
    match open.as_slice() {
        [one] => Answer {
            decision: GateDecision::Go,
            next_transition_at: one.planned_end,
            ..stop(led, Some(*one), Vec::new())
        },
        [] => shut(led, &named, asked, now),
        several => {
            let keys: Vec<&str> = several.iter().map(|it| it.foreign_key.as_str()).collect();
            let text = format!(
                "Several changes in {} may go now: {}.",
                led.kind.label(),
                keys.join(", ")
            );
            stop(
                led,
                None,
                vec![unmet(CHANGE_AMBIGUOUS, text, "Ask again with `change=`.", Vec::new())],
            )
        }
    }
}

/// The stop if no change is open, with the change that was edited last.
fn shut(led: &LedElsewhere, named: &[&ForeignChange], asked: LedQuestion<'_>, now: Timestamp) -> Answer {
    let newest =
        |a: &&&ForeignChange, b: &&&ForeignChange| (a.edited_at, &a.foreign_key).cmp(&(b.edited_at, &b.foreign_key));
    let Some(last) = named.iter().max_by(newest).copied() else {
        let system = led.kind.label();
        let text = match asked.change {
            Some(key) => {
                format!(
                    "{system} manages the changes of this service, and no change `{key}` was imported from there \
                    for this environment."
                )
            }
            None => format!(
                "{system} manages the changes of this service, and no change was imported from there for \
                this environment."
            ),
        };
        let help = format!("Get the change approved in {system}; Assent imports it within minutes.");
        return stop(led, None, vec![against(text, help)]);
    };
    let next = named
        .iter()
        .filter_map(|it| it.planned_start)
        .filter(|at| *at > now)
        .min();
    Answer {
        next_transition_at: next,
        ..stop(
            led,
            Some(last),
            lacks(last, (led, asked.terms), now).into_iter().collect(),
        )
    }
}

/// The unmet condition of a foreign change; `None` if it may go now.
fn lacks(change: &ForeignChange, (led, terms): (&LedElsewhere, &str), now: Timestamp) -> Option<Unmet> {
    let (key, system) = (&change.foreign_key, led.kind.label());
    if let Some(problem) = &change.read_problem {
        let text = format!("{key} of {system} is not accepted: {problem}");
        return Some(against(text, format!("Correct the change in {system}.")));
    }
    if change.terms.as_deref() != Some(terms) {
        let text = format!("{key} was imported before the settings of {system} changed.");
        let help = "The change is imported again once the external system is saved (`PATCH /foreign-systems/{id}`).";
        return Some(against(text, help));
    }
    if !matches!(change.phase, ForeignPhase::Approved | ForeignPhase::Started) {
        let text = format!(
            "{key} is {} in {system}, which manages the changes of this service.",
            change.phase
        );
        return Some(against(text, format!("The change must be approved in {system}.")));
    }
    let (Some(start), Some(end)) = (change.planned_start, change.planned_end) else {
        let text = format!("{key} of {system} has no planned times.");
        return Some(against(text, format!("Schedule the change in {system}.")));
    };
    // Work that began early was allowed there.
    if now < start && change.phase == ForeignPhase::Approved {
        let text = format!("The window of {key} in {system} opens at {start}.");
        return Some(against(
            text,
            "Wait until the window opens, or plan another time there.",
        ));
    }
    if now >= end {
        let text = format!("The window of {key} in {system} ended at {end}.");
        return Some(against(text, "Plan another time there."));
    }
    None
}

impl GateCheck {
    /// Whether a leading system allowed it, so that it has no permit.
    #[must_use]
    pub fn is_led_go(&self) -> bool {
        self.decision == GateDecision::Go && self.led_by.is_some()
    }
}

fn against(text: impl Into<String>, satisfy: impl Into<String>) -> Unmet {
    unmet(LED_ELSEWHERE, text, satisfy, Vec::new())
}

fn stop(led: &LedElsewhere, change: Option<&ForeignChange>, reasons: Vec<Unmet>) -> Answer {
    Answer {
        decision: GateDecision::Stop,
        change: None,
        target: None,
        purpose: Purpose::Deploy,
        reasons,
        information: Vec::new(),
        next_transition_at: None,
        led_by: Some(LedBy {
            system: led.system.clone(),
            kind: led.kind,
            change: change.map(|it| it.foreign_key.clone()),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    const TERMS: &str = "sha256:aa";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn led() -> LedElsewhere {
        serde_json::from_value(json!({"system": "s", "kind": "servicenow", "since": "2026-11-01T00:00:00Z"})).unwrap()
    }

    fn change(key: &str, phase: &str) -> ForeignChange {
        serde_json::from_value(json!({
            "id": key, "version": 1, "system": "s", "natural_key": key, "foreign_key": key, "title": "T", "kind": "normal",
            "impact": "low", "told_state": "x", "phase": phase, "environment": "production",
            "planned_start": "2026-11-20T10:00:00Z", "planned_end": "2026-11-20T12:00:00Z",
            "edited_at": "2026-11-20T09:00:00Z", "read_at": "2026-11-20T09:01:00Z", "difference": "same",
            "terms": TERMS,
        }))
        .unwrap()
    }

    fn answer(changes: &[ForeignChange], asked: Option<&str>, now: &str) -> Answer {
        let environment = EnvironmentKey::from("production");
        let asked = LedQuestion {
            environment: &environment,
            change: asked,
            unread: None,
            terms: TERMS,
        };
        decide(&led(), changes, asked, at(now))
    }

    const WITHIN: &str = "2026-11-20T11:00:00Z";

    #[test]
    fn an_approved_change_goes_within_its_window_and_names_its_system() {
        let found = answer(&[change("CHG1", "approved")], None, WITHIN);
        assert_eq!(found.decision, GateDecision::Go);
        assert_eq!((found.change, found.target), (None, None), "it opens nothing of ours");
        assert_eq!(found.led_by.unwrap().change.as_deref(), Some("CHG1"));
        for (phase, now) in [
            ("approved", "2026-11-20T09:59:59Z"),
            ("approved", "2026-11-20T12:00:00Z"),
            ("started", "2026-11-20T12:00:00Z"),
            ("waiting", WITHIN),
            ("ended", WITHIN),
            ("stopped", WITHIN),
            ("unknown", WITHIN),
        ] {
            let found = answer(&[change("CHG1", phase)], None, now);
            assert_eq!(found.decision, GateDecision::Stop, "{phase} at {now}");
            assert_eq!(found.reasons[0].code, LED_ELSEWHERE);
        }
    }

    #[test]
    fn what_is_not_believed_opens_nothing() {
        let mut odd = change("CHG1", "approved");
        odd.read_problem = Some("Its last edit there lies in the future.".to_owned());
        let mut unplanned = change("CHG2", "started");
        unplanned.planned_end = None;
        let mut elsewhere = change("CHG3", "approved");
        elsewhere.environment = "lab".into();
        let mut other = change("CHG4", "approved");
        other.system = "another".into();
        // Read from another address, or with another mapping table, before two people confirmed the settings.
        let mut otherwise = change("CHG5", "approved");
        otherwise.terms = Some("sha256:bb".to_owned());
        let mut never_told = change("CHG6", "approved");
        never_told.terms = None;
        for one in [odd, unplanned, elsewhere, other, otherwise, never_told] {
            let key = one.foreign_key.clone();
            assert_eq!(answer(&[one], None, WITHIN).decision, GateDecision::Stop, "{key}");
        }
        let environment = EnvironmentKey::from("production");
        let asked = LedQuestion {
            environment: &environment,
            change: None,
            unread: Some("It answered 401."),
            terms: TERMS,
        };
        let found = decide(&led(), &[change("CHG1", "approved")], asked, at(WITHIN));
        assert_eq!(found.decision, GateDecision::Stop, "an old copy is no word of today");
    }

    #[test]
    fn two_that_may_go_are_told_apart_by_the_question() {
        let two = [change("CHG1", "approved"), change("CHG2", "started")];
        assert_eq!(answer(&two, None, WITHIN).reasons[0].code, "change_ambiguous");
        let named = answer(&two, Some("chg2"), WITHIN);
        assert_eq!(named.led_by.unwrap().change.as_deref(), Some("CHG2"));
        assert_eq!(answer(&two, Some("CHG3"), WITHIN).decision, GateDecision::Stop);
        assert_eq!(answer(&[], None, WITHIN).decision, GateDecision::Stop);
    }
}
