//! Quarterly adjustments: what a comparison of rules and outcomes found, the risk table that it proposes, and what the change
//! managers decided.

use derive::{Described, Noun};
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_POLICY};
use crate::core::card::{Card, Event, Field, Kind, Page};
use crate::core::enums::AdjustmentState;
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::TEXT;
use crate::core::refusal::Refusal;
use crate::risk::adjustment::Comparison;
use crate::risk::forecast::model_record::quarter;
use crate::verbs;

/// The longest comparison, in characters. Its lists are bounded, so it stays far below.
pub const REPORT: usize = 200_000;
/// The most changes that are compared.
pub const MOST_CHANGES: usize = 5_000;
/// After so many days without a decision it escalates.
pub const DAYS_TO_DECIDE: i64 = 30;

/// The comparison of rules with what came of the changes of a quarter, with the risk table that it proposes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct RiskAdjustment {
    /// The record's id: the quarter, so that a quarter has one.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The quarter in UTC, such as 2026-Q3.
    #[card(column)]
    pub quarter: String,
    /// Where the decision is.
    #[card(words, column)]
    pub state: AdjustmentState,
    /// How many closed changes were compared.
    #[card(most = MOST_CHANGES)]
    pub compared: i64,
    /// What was found, each with what it is about.
    pub findings: Vec<String>,
    /// The comparison as JSON; answers show it as an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = REPORT)]
    pub report: Option<String>,
    /// When it was compared.
    pub at: Timestamp,
    /// Who decided: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<PersonId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text)]
    pub reason: Option<String>,
    /// The configuration that was proposed by adopting it: its id. Another person puts that in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// The set of policies with other values of parameters that was proposed by adopting it: its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<String>,
}

/// A quarter that is compared at once, where the server has not done it yet.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct RiskAdjustmentInput {
    /// The quarter in UTC, once it has ended.
    #[card(positional, example = "2026-Q3")]
    pub quarter: String,
}

/// The card. The decision has a route of its own.
pub const CARD: Card = Card {
    tag: "administration",
    command: "risk-adjustment",
    columns: &["quarter", "state", "compared", "findings", "decided_by"],
    shown: &[
        Field::shown(
            "comparison",
            Kind::Object,
            "Findings with their changes, the rules in force, the proposed ones, and the back-test.",
        ),
        Field::shown("configuration_state", Kind::Text(60), "The link to that configuration."),
        Field::shown(
            "is_in_force",
            Kind::Boolean,
            "Whether it was adopted and all of its proposals are in force; its action item stays open until then.",
        ),
        Field::shown("policies_state", Kind::Text(60), "The link to that set of policies."),
    ],
    verbs: verbs! {
        List "list_risk_adjustments" at "/risk-adjustments" may READ => "List the quarterly adjustments of the last ten years";
        Add "compare_quarter" at "/risk-adjustments" may SET_POLICY => "Compare the rules with the outcomes of the changes of a quarter", token Admin, called "compare";
        Show "show_risk_adjustment" at "/risk-adjustments/{key}" may READ => "Show a quarterly adjustment with its findings and its back-test";
    },
    events: &[
        Event::new(
            "risk_adjustment.proposed",
            "chart",
            "compared the rules with the changes of a quarter",
        ),
        Event::new("risk_adjustment.adopted", "check", "adopted a quarterly adjustment"),
        Event::new("risk_adjustment.declined", "x", "declined a quarterly adjustment"),
    ],
    page: Some(Page {
        path: "/risk-adjustments",
        byline: "A quarterly comparison of the rules with the outcomes of changes: strict rules without findings, \
            failures under light rules, and wrong risk ratings.",
        empty: "No quarter has been compared yet.",
        labels: ["Compare a quarter", "Change it", "End it"],
    }),
    ..Card::of::<RiskAdjustment, RiskAdjustmentInput>("risk_adjustment", "Quarterly adjustments")
};

/// The first instant of a quarter and that of the next one, in UTC; `None` where the text is no quarter of 2000 or later.
#[must_use]
pub fn span(text: &str) -> Option<(Timestamp, Timestamp)> {
    let (year, number) = text.split_once("-Q")?;
    let (year, number): (i16, i8) = (year.parse().ok()?, number.parse().ok()?);
    let is_written_so = format!("{year}-Q{number}") == text;
    if !is_written_so || !(2000..=9000).contains(&year) || !(1..=4).contains(&number) {
        return None;
    }
    let begin = |year: i16, month: i8| {
        let date = civil::Date::new(year, month, 1).ok()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let from = begin(year, number * 3 - 2)?;
    let to = match number {
        4 => begin(year + 1, 1)?,
        _ => begin(year, number * 3 + 1)?,
    };
    Some((from, to))
}

/// The quarter that ended last.
#[must_use]
pub fn last_ended(now: Timestamp) -> Option<String> {
    let (from, _) = span(&quarter(now))?;
    let before = from.checked_sub(jiff::SignedDuration::from_secs(1)).ok()?;
    Some(quarter(before))
}

/// The quarters that have ended, the last one first.
pub fn ended(now: Timestamp) -> impl Iterator<Item = String> {
    std::iter::successors(last_ended(now), |later| last_ended(span(later)?.0))
}

impl RiskAdjustment {
    /// Whether it waits for a decision. If its configuration was withdrawn, it is decided again.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, AdjustmentState::Proposed | AdjustmentState::NothingFound)
    }

    /// The comparison in it; `None` if this program cannot read it.
    #[must_use]
    pub fn comparison(&self) -> Option<Comparison> {
        serde_json::from_str(self.report.as_deref()?).ok()
    }

    /// Refuses a second decision.
    ///
    /// # Errors
    /// 409 once somebody decided.
    pub fn check_open(&self) -> Result<(), Refusal> {
        if self.is_open() {
            return Ok(());
        }
        let text = format!("The adjustment of {} is {}.", self.quarter, self.state);
        let satisfy = match self.state {
            AdjustmentState::Adopted => {
                "Put its proposals in force, or withdraw each of its waiting configurations to decide again."
            }
            _ => "Propose your own risk table or set of policies, or wait for the next quarter.",
        };
        Err(Refusal::not_now("not_in_state", text, satisfy, Vec::new()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn a_quarter_has_its_months_in_utc() {
        let (from, to) = span("2026-Q4").unwrap();
        assert_eq!(
            [from, to].map(|it| it.to_string()),
            ["2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"]
        );
        for wrong in [
            "2026-Q0", "2026-Q5", "2026-q1", "26-Q1", "2026-Q01", "1999-Q4", "", "2026",
        ] {
            assert_eq!(span(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_last_ended_quarter_is_the_one_before_the_present() {
        let at = |text: &str| last_ended(text.parse().unwrap()).unwrap();
        assert_eq!(at("2027-01-01T00:00:00Z"), "2026-Q4");
        assert_eq!(at("2026-12-31T23:59:59Z"), "2026-Q3");
        let before: Vec<String> = ended("2027-04-01T00:00:00Z".parse().unwrap()).take(3).collect();
        assert_eq!(before, ["2027-Q1", "2026-Q4", "2026-Q3"]);
    }
}
