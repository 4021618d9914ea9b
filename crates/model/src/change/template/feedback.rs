//! The gaps that operations found in a template: one response to one question for each closed change that followed it.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event, Page};
use crate::core::enums::TemplatePart;
use crate::core::ids::{PersonId, RecordId};
use crate::verbs;

/// The longest text, in characters.
pub const TEXT: usize = 1_000;

/// An answer to the question what was missing in a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct TemplateFeedback {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The change: a key.
    #[card(column = "change_key")]
    pub change: String,
    /// The template: a key.
    #[card(column)]
    pub template: String,
    /// The version of the template that the change followed.
    #[card(most = VERSIONS)]
    pub template_version: i64,
    /// The part in which something was missing.
    #[card(words)]
    pub part: TemplatePart,
    /// What was missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text)]
    pub text: Option<String>,
    /// Who answered: a login.
    #[card(optional)]
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// The highest version of a template.
const VERSIONS: usize = 1_000_000;

/// What was missing in the template of a closed change. One answer for each change.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct TemplateFeedbackInput {
    /// The change: a key.
    #[card(positional, example = "CHG-1042")]
    pub change: String,
    /// The part in which something was missing.
    #[card(words, needed, label = "Part of the template", usual = "nothing", example = "plan")]
    pub part: Option<TemplatePart>,
    /// What was missing.
    #[card(most = TEXT, text, example = "The step that drains the queue.")]
    pub text: Option<String>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "changes",
    command: "template-feedback",
    columns: &["change", "template", "template_version", "part", "text"],
    verbs: verbs! {
        List "list_template_feedback" at "/template-feedback" may READ => "List the feedback of operations on templates";
        Add "add_template_feedback" at "/template-feedback" may READ => "Answer what was missing in the template of a closed change";
        Show "show_template_feedback" at "/template-feedback/{id}" may READ => "Show an answer";
    },
    events: &[Event::new(
        "template_feedback.added",
        "comment",
        "reported what was missing in a template",
    )],
    page: Some(Page {
        path: "/template-feedback",
        byline: "One question after a change from a template has closed: what was missing?",
        empty: "There are no answers yet.",
        labels: ["What was missing?", "", ""],
    }),
    ..Card::of::<TemplateFeedback, TemplateFeedbackInput>("template_feedback", "Feedback on templates")
};
