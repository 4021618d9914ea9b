//! The two answers of a post-incident review about an involved change: the rating of its risk, and whether its steps were
//! adequate.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_INCIDENT};
use crate::core::card::{Card, Event};
use crate::core::enums::RiskRating;
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::TEXT;
use crate::verbs;

/// The answers about one change in the review of one incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct ReviewAnswer {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The incident's key.
    #[card(column)]
    pub incident_key: String,
    /// The change's key.
    #[card(column)]
    pub change_key: String,
    /// Whether the risk was rated right.
    #[card(words)]
    pub rating: RiskRating,
    /// Whether the steps were adequate; otherwise a step or check was missing.
    pub steps_adequate: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text)]
    pub text: Option<String>,
    /// Who answered: a login.
    #[card(optional)]
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// The answers about one change in the review of one incident.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct ReviewAnswerInput {
    /// The incident's key.
    #[card(positional, example = "INC-101")]
    pub incident_key: String,
    /// The change's key.
    #[card(positional, example = "CHG-1042")]
    pub change_key: String,
    /// Whether the risk was rated right.
    #[card(words, needed, example = "too_low")]
    pub rating: Option<RiskRating>,
    /// Whether the steps were adequate; otherwise a step or check was missing.
    #[card(option = "steps-adequate", example = "false")]
    pub steps_adequate: bool,
    /// Why.
    #[card(most = TEXT, text, example = "No step checked the size of the table.")]
    pub text: Option<String>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "review-answer",
    columns: &["incident_key", "change_key", "rating", "steps_adequate", "by", "text"],
    verbs: verbs! {
        List "list_review_answers" at "/review-answers" may READ => "List answers of post-incident reviews";
        Set "answer_incident_review" at "/review-answers" may SET_INCIDENT => "Answer the two questions about a change in the review of an incident";
        Show "show_review_answer" at "/review-answers/{id}" may READ => "Show an answer of a post-incident review";
    },
    events: &[Event::new(
        "review_answer.given",
        "check",
        "answered the two questions about a change",
    )],
    ..Card::of::<ReviewAnswer, ReviewAnswerInput>("review_answer", "Answers of post-incident reviews")
};
