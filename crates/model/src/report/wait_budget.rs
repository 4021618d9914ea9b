//! Budgets of waiting time: how long a stage, an approval rule or a pipeline may wait, agreed with the group that it concerns. Each
//! ended week or month is measured once it is over; above an agreed bound the group gets an action item, one for each period.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_FREEZE};
use crate::core::card::{Card, Event, Field, Kind, Page};
use crate::core::enums::{BudgetPeriod, WaitOf};
use crate::core::ids::{GroupKey, PersonId, RecordId};
use crate::directory::impersonation::LinkedAccounts;
use crate::report::change_outcome::{ASSESSMENT, AUTHORIZATION, ApprovalSpan, ChangeOutcome};
use crate::report::figure::FEWEST_APPROVERS;
use crate::report::statistics::{median, percentile};
use crate::report::window::Window;
use crate::verbs;

/// The most budgets of a tenant.
pub const MOST: usize = 200;
/// Below so many waits in a period a budget is not measured.
pub const MINIMUM: u64 = 5;
/// The largest bound: a year.
const MOST_MINUTES: i64 = 366 * 24 * 60;

/// How long something may wait: a bound on the median of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct WaitBudget {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// What waits.
    #[card(words, label = "What waits")]
    pub wait_of: WaitOf,
    /// The stage, the rule, or the pipeline as SERVICE/ENVIRONMENT.
    #[card(label = "Which one")]
    pub waits_at: String,
    /// The median that a period may reach, in minutes.
    #[card(most = MOST_MINUTES)]
    pub minutes: i64,
    /// The period over which it is measured, in UTC.
    #[card(words)]
    pub period: BudgetPeriod,
    /// The group that agrees to it and receives the action items.
    #[card(refers = "group")]
    pub group: GroupKey,
    /// Whether the group agreed to this limit. Without agreement, times are measured but raise no action item.
    #[serde(default)]
    #[card(label = "The group agrees")]
    pub is_agreed: bool,
    /// Who set the bound: a login.
    #[card(optional)]
    pub set_by: PersonId,
    /// Who agreed for the group: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<PersonId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// How long something may wait. A change manager sets the bound; a member of the group agrees by setting `is_agreed`.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct WaitBudgetInput {
    /// The stage, the rule, or the pipeline as SERVICE/ENVIRONMENT.
    #[card(positional, label = "Which one", example = "label-print/production")]
    pub waits_at: String,
    /// What waits.
    #[card(words, needed, positional, label = "What waits", example = "pipeline")]
    pub wait_of: Option<WaitOf>,
    /// The median that a period may reach, in minutes.
    #[card(most = MOST_MINUTES, example = "240")]
    pub minutes: i64,
    /// The period over which it is measured, in UTC.
    #[card(words, optional, usual = "week", example = "week")]
    pub period: BudgetPeriod,
    /// The group that agrees to it and receives the action items.
    #[card(refers = "group", example = "platform")]
    pub group: GroupKey,
    /// Whether the group agreed to this limit. Without agreement, times are measured but raise no action item.
    #[card(label = "The group agrees")]
    pub is_agreed: bool,
}

/// The card. The rules about the people who set a bound and who agree are not part of it.
pub const CARD: Card = Card {
    tag: "reports",
    command: "wait-budget",
    patch: "WaitBudgetPatch",
    columns: &[
        "id",
        "wait_of",
        "waits_at",
        "minutes",
        "group",
        "is_agreed",
        "measured.median",
    ],
    shown: &[Field::shown(
        "measured",
        Kind::Object,
        "The last completed period: its name, the number of waits, the median and the 90th percentile in minutes if \
         there are enough, and whether the median exceeds the limit.",
    )
    .needed()],
    verbs: verbs! {
        List "list_wait_budgets" at "/wait-budgets" may READ => "List the budgets of waiting time with what was measured";
        Add "add_wait_budget" at "/wait-budgets" may SET_FREEZE => "Set how long a stage, a rule or a pipeline may wait";
        Show "show_wait_budget" at "/wait-budgets/{id}" may READ => "Show a budget of waiting time";
        Edit "edit_wait_budget" at "/wait-budgets/{id}" may READ => "Change a bound, or agree to it for its group";
        End "end_wait_budget" at "/wait-budgets/{id}" may SET_FREEZE => "Retire a budget of waiting time";
    },
    events: &[
        Event::new("wait_budget.added", "clock", "set a budget of waiting time"),
        Event::new("wait_budget.edited", "edit", "changed a budget of waiting time"),
        Event::new("wait_budget.agreed", "check", "agreed to a budget of waiting time"),
        Event::new("wait_budget.ended", "x", "retired a budget of waiting time"),
    ],
    page: Some(Page {
        path: "/wait-budgets",
        byline: "Limits of the waiting time of stages, rules and pipelines. Above a limit that its group agreed to, \
            the group gets an action item for each period.",
        empty: "No budget of waiting time is set.",
        labels: ["Set a budget", "Change it or agree", "Retire it"],
    }),
    ..Card::of::<WaitBudget, WaitBudgetInput>("wait_budget", "Budgets of waiting time")
};

/// The result of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// The period: `2026-W48` or `2026-11`.
    pub period: String,
    /// Its window, in UTC.
    pub window: Window,
    /// The number of waits that ended in it.
    pub of: u64,
    /// The median in minutes; `None` below [`MINIMUM`] waits.
    pub median: Option<i64>,
    /// The 90th percentile in minutes; `None` below [`MINIMUM`] waits.
    pub p90: Option<i64>,
    /// The people who ended these waits with a decision; empty for pipelines and for assessments.
    pub approvers: BTreeSet<PersonId>,
}

impl Measured {
    /// The result for a reader who may not see how fast others decide: only the count where fewer than [`FEWEST_APPROVERS`]
    /// people decided, unless the reader alone did. Accounts of one person count once.
    #[must_use]
    pub fn shown_to(self, reader: &PersonId, hands: &LinkedAccounts) -> Self {
        let is_own = self.approvers.len() == 1 && self.approvers.contains(reader);
        if self.approvers.is_empty() || hands.count(&self.approvers) >= FEWEST_APPROVERS || is_own {
            return self;
        }
        Self {
            median: None,
            p90: None,
            ..self
        }
    }

    /// Whether it is above a bound. With too few waits it never is.
    #[must_use]
    pub fn is_above(&self, minutes: i64) -> bool {
        self.median.is_some_and(|it| it > minutes)
    }
}

impl WaitBudget {
    /// Whether it raises an alarm about a period: the group had agreed to the bound before the period ended.
    #[must_use]
    pub fn alarms(&self, measured: &Measured) -> bool {
        let was_agreed = self.confirmed_at.is_some_and(|at| at < measured.window.to);
        self.active && self.is_agreed && was_agreed && measured.is_above(self.minutes)
    }

    /// The result of the last ended period. `rows` reach back to its beginning.
    #[must_use]
    pub fn measure(&self, rows: &[ChangeOutcome], now: Timestamp) -> Measured {
        let (period, window) = last_ended(self.period, now);
        let mut waits: Vec<i64> = rows.iter().flat_map(|row| self.waits(row, window)).collect();
        waits.sort_unstable();
        let of = waits.len() as u64;
        let is_enough = of >= MINIMUM;
        Measured {
            period,
            window,
            of,
            median: median(&waits).map(|it| it.value).filter(|_| is_enough),
            p90: percentile(&waits, 90).filter(|_| is_enough),
            approvers: rows.iter().flat_map(|row| self.deciders(row, window)).collect(),
        }
    }

    /// The people whose decisions ended the waits of a change in a window.
    fn deciders<'r>(&'r self, row: &'r ChangeOutcome, window: Window) -> impl Iterator<Item = PersonId> + 'r {
        let spans = row.approvals.iter().filter(move |it| window.has(it.met_at));
        spans
            .filter(move |it| self.is_about(it))
            .filter_map(|it| it.approver.clone())
    }

    /// Whether a span of approval is what waits here; none is for a pipeline.
    fn is_about(&self, span: &ApprovalSpan) -> bool {
        match self.wait_of {
            WaitOf::Stage => span.stage == self.waits_at,
            WaitOf::Rule => span.rule == self.waits_at,
            WaitOf::Pipeline => false,
        }
    }

    /// The waits of a change that ended in a window, in minutes. Time on hold does not count.
    fn waits(&self, row: &ChangeOutcome, window: Window) -> Vec<i64> {
        let spans = row.approvals.iter().filter(|it| window.has(it.met_at));
        match self.wait_of {
            WaitOf::Pipeline => piped(row, &self.waits_at)
                .filter(|it| window.has(it.1))
                .map(|(from, to)| to.duration_since(from).as_mins().max(0))
                .into_iter()
                .collect(),
            WaitOf::Stage | WaitOf::Rule => spans
                .filter(|it| self.is_about(it))
                .map(|it| (it.queue_seconds + it.touch_seconds) / 60)
                .collect(),
        }
    }
}

/// The time for which a pipeline waited for people: from the submission of its change to the last approval. `None` for a change
/// that a person entered, for another pipeline, and while the wait lasts.
fn piped(row: &ChangeOutcome, pipeline: &str) -> Option<(Timestamp, Timestamp)> {
    let (service, environment) = pipeline.split_once('/')?;
    let mut targets = row.targets.iter();
    let is_its = targets.any(|it| it.service.as_str() == service && it.environment.as_str() == environment);
    let times = row.submitted_at.zip(row.approved_at);
    times.filter(|_| row.is_piped && is_its)
}

/// Whether a name is a stage of approval.
#[must_use]
pub fn is_stage(word: &str) -> bool {
    [ASSESSMENT, AUTHORIZATION].contains(&word)
}

/// The last period that has ended, with its name and its window in UTC.
#[must_use]
pub fn last_ended(period: BudgetPeriod, now: Timestamp) -> (String, Window) {
    let today = now.to_zoned(TimeZone::UTC).date();
    let start = match period {
        BudgetPeriod::Week => {
            let back = i64::from(today.weekday().since(Weekday::Monday));
            today.checked_sub(back.days()).unwrap_or(today)
        }
        BudgetPeriod::Month => today.first_of_month(),
    };
    let before = match period {
        BudgetPeriod::Week => start.checked_sub(1.week()),
        BudgetPeriod::Month => start.checked_sub(1.month()),
    };
    let before = before.unwrap_or(start);
    let begin = |day: Date| day.to_zoned(TimeZone::UTC).map_or(now, |at| at.timestamp());
    let name = match period {
        BudgetPeriod::Week => {
            let week = before.iso_week_date();
            format!("{}-W{:02}", week.year(), week.week())
        }
        BudgetPeriod::Month => format!("{}-{:02}", before.year(), before.month()),
    };
    let window = Window {
        from: begin(before),
        to: begin(start),
    };
    (name, window)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::{Value, json};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A Monday, so that the week before has just ended.
    const NOW: &str = "2026-11-30T09:00:00Z";

    fn budget(wait_of: WaitOf, waits_at: &str) -> WaitBudget {
        WaitBudget {
            id: RecordId::from("w1"),
            version: 1,
            wait_of,
            waits_at: waits_at.to_owned(),
            minutes: 60,
            period: BudgetPeriod::Week,
            group: GroupKey::from("platform"),
            is_agreed: true,
            set_by: PersonId::from("mona"),
            confirmed_by: Some(PersonId::from("olga")),
            confirmed_at: Some(at("2026-11-01T00:00:00Z")),
            active: true,
        }
    }

    fn row(number: i64, members: Value) -> ChangeOutcome {
        let mut all = json!({
            "change": format!("c{number}"), "version": 1, "number": number, "key": format!("CHG-{number}"), "kind": "normal",
            "category": "application", "risk": "low", "state": "closed", "created_at": "2026-11-24T08:00:00Z",
            "targets": [{"target": "1", "service": "web", "environment": "production"}],
        });
        all.as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    /// A change with a decision by its owner after so many minutes, and on hold for so many more.
    fn decided(number: i64, minutes: i64, paused: i64) -> ChangeOutcome {
        let span = json!({
            "stage": "authorization", "rule": "owner-approves", "asked_at": "2026-11-24T08:00:00Z",
            "met_at": "2026-11-25T08:00:00Z", "queue_seconds": minutes * 60, "touch_seconds": 0, "paused_seconds": paused * 60,
        });
        row(number, json!({"approvals": [span]}))
    }

    fn told(number: i64, is_piped: bool, approved: &str) -> ChangeOutcome {
        row(
            number,
            json!({"is_piped": is_piped, "submitted_at": "2026-11-24T08:00:00Z", "approved_at": approved}),
        )
    }

    #[test]
    fn the_last_ended_week_and_month_are_named_and_whole() {
        let (week, window) = last_ended(BudgetPeriod::Week, at(NOW));
        assert_eq!((week.as_str(), window.from), ("2026-W48", at("2026-11-23T00:00:00Z")));
        assert_eq!(window.to, at("2026-11-30T00:00:00Z"));
        let (month, window) = last_ended(BudgetPeriod::Month, at(NOW));
        assert_eq!((month.as_str(), window.to), ("2026-10", at("2026-11-01T00:00:00Z")));
        // The first days of a year end a week of the year before.
        assert_eq!(last_ended(BudgetPeriod::Week, at("2027-01-05T00:00:00Z")).0, "2026-W53");
    }

    #[test]
    fn a_median_above_an_agreed_bound_alarms_and_time_on_hold_is_no_wait() {
        let slow: Vec<ChangeOutcome> = (1..=5).map(|number| decided(number, 90, 0)).collect();
        let held: Vec<ChangeOutcome> = (1..=5).map(|number| decided(number, 30, 900)).collect();
        let rule = budget(WaitOf::Rule, "owner-approves");
        let found = rule.measure(&slow, at(NOW));
        assert_eq!((found.of, found.median), (5, Some(90)));
        assert!(rule.alarms(&found));
        assert!(!rule.alarms(&rule.measure(&held, at(NOW))));
        assert!(budget(WaitOf::Stage, AUTHORIZATION).alarms(&found));
        let other = budget(WaitOf::Stage, ASSESSMENT);
        assert_eq!(other.measure(&slow, at(NOW)).of, 0);
    }

    #[test]
    fn how_fast_few_people_decide_is_their_own() {
        let by = |people: usize| -> Vec<ChangeOutcome> {
            let mut rows: Vec<ChangeOutcome> = (1..=6).map(|number| decided(number, 90, 0)).collect();
            for (row, person) in rows
                .iter_mut()
                .zip(["olga", "sam", "mona"].into_iter().take(people).cycle())
            {
                row.approvals[0].approver = Some(PersonId::from(person));
            }
            rows
        };
        let rule = budget(WaitOf::Rule, "owner-approves");
        let seen = |people: usize, reader: &str| {
            let found = rule.measure(&by(people), at(NOW));
            assert!(rule.alarms(&found), "the alarm goes by what was measured");
            let shown = found.shown_to(&PersonId::from(reader), &LinkedAccounts::default());
            (shown.of, shown.median.is_some(), shown.p90.is_some())
        };
        assert_eq!(seen(1, "sam"), (6, false, false));
        assert_eq!(seen(1, "olga"), (6, true, true), "her own");
        assert_eq!(seen(2, "olga"), (6, false, false), "what is not hers is the other's");
        assert_eq!(seen(3, "rita"), (6, true, true));
        // Olga made one of the three.
        let mut hands = LinkedAccounts::default();
        hands.make(&PersonId::from("sam"), &PersonId::from("olga"));
        let shown = rule.measure(&by(3), at(NOW)).shown_to(&PersonId::from("rita"), &hands);
        assert_eq!(shown.median, None);
    }

    #[test]
    fn few_waits_and_a_bound_that_nobody_agreed_to_in_time_raise_no_alarm() {
        let slow: Vec<ChangeOutcome> = (1..=5).map(|number| decided(number, 90, 0)).collect();
        let rule = budget(WaitOf::Rule, "owner-approves");
        let few = rule.measure(&slow[..4], at(NOW));
        assert_eq!((few.of, few.median), (4, None));
        assert!(!rule.alarms(&few));
        let found = rule.measure(&slow, at(NOW));
        let open = WaitBudget {
            is_agreed: false,
            ..rule.clone()
        };
        assert!(!open.alarms(&found));
        let late = WaitBudget {
            confirmed_at: Some(at("2026-11-30T00:00:00Z")),
            ..rule.clone()
        };
        assert!(!late.alarms(&found), "agreed once the week was over");
        let ended = WaitBudget { active: false, ..rule };
        assert!(!ended.alarms(&found));
    }

    #[test]
    fn a_pipeline_waits_from_submission_to_approval_and_what_people_typed_is_none_of_it() {
        let mut rows: Vec<ChangeOutcome> = (1..=5)
            .map(|number| told(number, true, "2026-11-24T10:00:00Z"))
            .collect();
        rows.extend((6..=20).map(|number| told(number, false, "2026-11-24T08:01:00Z")));
        rows.push(told(21, true, "2026-11-30T00:00:00Z"));
        let pipeline = budget(WaitOf::Pipeline, "web/production");
        let found = pipeline.measure(&rows, at(NOW));
        assert_eq!(
            (found.of, found.median),
            (5, Some(120)),
            "the last one ended a week later"
        );
        assert!(pipeline.alarms(&found));
        assert_eq!(budget(WaitOf::Pipeline, "web/staging").measure(&rows, at(NOW)).of, 0);
        assert_eq!(budget(WaitOf::Pipeline, "web").measure(&rows, at(NOW)).of, 0);
    }
}
