//! The post-incident review: the course of events, the root cause from the taxonomy, and the contributing factors. The answers
//! about each change are records of their own ([`crate::incident::review_answer`]). Timeline, changes, alerts, permits and
//! decisions are drafted from the records. A review names systems and conditions, not faults of people.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_INCIDENT};
use crate::core::card::{Card, Event, Field, Kind};
use crate::core::enums::RiskRating;
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::{Reading, TEXT};
use crate::core::unmet::{Unmet, unmet};
use crate::incident::review_answer::ReviewAnswer;
use crate::verbs;

/// The most contributing factors.
pub const MOST_FACTORS: usize = 20;

/// A post-incident review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct IncidentReview {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The incident's key.
    #[card(column)]
    pub incident_key: String,
    /// What happened and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text)]
    pub summary: Option<String>,
    /// The root cause, from the taxonomy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub cause: Option<String>,
    /// What contributed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(text)]
    pub contributing: Vec<String>,
    /// Since when it is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub completed_at: Option<Timestamp>,
    /// Who wrote it last: a login.
    #[card(optional)]
    pub by: PersonId,
    /// When it was written last.
    pub at: Timestamp,
}

/// A post-incident review. It names systems and conditions, not faults of people.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct IncidentReviewInput {
    /// The incident's key.
    #[card(positional, example = "INC-101")]
    pub incident_key: String,
    /// What happened and why.
    #[card(most = TEXT, text, example = "The new column was filled while the old code still wrote.")]
    pub summary: Option<String>,
    /// The root cause: a key of the taxonomy.
    #[card(example = "schema_migration")]
    pub cause: Option<String>,
    /// What contributed.
    #[card(text, option = "factor", example = "The alert came late")]
    pub contributing: Vec<String>,
    /// Whether it is complete; otherwise it is kept as a draft.
    #[card(option = "complete")]
    pub is_complete: bool,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "incident-review",
    columns: &["incident_key", "cause", "completed_at", "by", "summary"],
    shown: &[
        Field::shown(
            "answers",
            Kind::Object,
            "What was answered about each change, by its key.",
        ),
        Field::shown(
            "missing",
            Kind::Texts(TEXT),
            "What the review still needs before it is complete.",
        ),
    ],
    verbs: verbs! {
        List "list_incident_reviews" at "/incident-reviews" may READ => "List post-incident reviews";
        Set "write_incident_review" at "/incident-reviews" may SET_INCIDENT => "Write the review of an incident, as a draft or complete", called "write";
        Show "show_incident_review" at "/incident-reviews/{key}" may READ => "Show the review of an incident";
    },
    events: &[
        Event::new("incident_review.written", "edit", "wrote the review of an incident"),
        Event::new(
            "incident_review.completed",
            "check",
            "completed the review of an incident",
        ),
    ],
    ..Card::of::<IncidentReview, IncidentReviewInput>("incident_review", "Post-incident reviews")
};

/// Limits of a review that its fields alone do not express.
pub fn check(reading: &mut Reading<'_>, input: &IncidentReviewInput) {
    if input.contributing.len() > MOST_FACTORS {
        let text = format!("A review names at most {MOST_FACTORS} contributing factors.");
        reading.wrong("contributing", "too_many", text);
    }
}

/// The missing parts of a review: a summary, a root cause, and a rating and a step assessment for each involved change.
#[must_use]
pub fn missing(
    summary: Option<&str>,
    cause: Option<&str>,
    involved: &BTreeSet<String>,
    answers: &[ReviewAnswer],
) -> Vec<Unmet> {
    let row = |code, text: String, satisfy: &str| unmet(code, text, satisfy, Vec::new());
    let mut rows = Vec::new();
    if summary.is_none_or(|text| text.trim().is_empty()) {
        let text = "The review does not explain what happened and why.".to_owned();
        rows.push(row(
            "summary_missing",
            text,
            "Fill in the summary (POST /incident-reviews).",
        ));
    }
    if cause.is_none() {
        let text = "The review names no root cause.".to_owned();
        rows.push(row(
            "cause_missing",
            text,
            "Name a cause of the taxonomy (POST /incident-reviews); `unknown` is one.",
        ));
    }
    for key in involved {
        if !answers.iter().any(|answer| &answer.change_key == key) {
            let text = format!(
                "Two answers about {key} are missing: was the risk rated correctly, and were the steps \
                    adequate?"
            );
            rows.push(row(
                "answers_missing",
                text,
                "Answer both questions about the change (POST /review-answers).",
            ));
        }
    }
    rows
}

impl RiskRating {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::TooLow => "too low",
            Self::Right => "right",
            Self::TooHigh => "too high",
        }
    }
}
