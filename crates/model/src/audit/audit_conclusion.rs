//! Conclusions of auditors on the changes of a sample.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::AUDIT;
use crate::core::card::{Card, Event};
use crate::core::enums::AuditVerdict;
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::TEXT;
use crate::verbs;

/// What an auditor concluded about one change of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct AuditConclusion {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The id of the sample.
    #[card(column)]
    pub sample: String,
    /// The key of the change.
    pub change: String,
    /// Whether the control worked for it.
    #[card(words)]
    pub verdict: AuditVerdict,
    /// What was examined and found.
    #[card(most = TEXT, text)]
    pub text: String,
    /// Who concluded: a login.
    #[card(optional)]
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The second auditor who reviewed it: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(optional)]
    pub reviewed_by: Option<PersonId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<Timestamp>,
}

/// What an auditor concludes about one change of a sample.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct AuditConclusionInput {
    /// The id of the sample.
    #[card(positional, example = "01kaqxyz")]
    pub sample: String,
    /// The key of the change.
    #[card(positional, example = "CHG-1042")]
    pub change: String,
    /// Whether the control worked for it.
    #[card(words, needed, example = "effective")]
    pub verdict: Option<AuditVerdict>,
    /// What was examined and found.
    #[card(most = TEXT, text, example = "Approved by the owner before the start; the evidence passed.")]
    pub text: String,
}

/// The card.
pub const CARD: Card = Card {
    tag: "log",
    command: "audit-conclusion",
    patch: "AuditConclusionPatch",
    columns: &["id", "sample", "change", "verdict", "by", "reviewed_by"],
    verbs: verbs! {
        List "list_audit_conclusions" at "/audit-conclusions" may AUDIT => "List conclusions on changes of samples", token Audit;
        Add "add_audit_conclusion" at "/audit-conclusions" may AUDIT => "Conclude on a change of a sample", token Audit;
        Show "show_audit_conclusion" at "/audit-conclusions/{id}" may AUDIT => "Show a conclusion", token Audit;
        Edit "edit_audit_conclusion" at "/audit-conclusions/{id}" may AUDIT => "Change a conclusion of one's own until it is reviewed", token Audit;
    },
    events: &[
        Event::new("audit_conclusion.added", "edit", "concluded on a change of a sample"),
        Event::new(
            "audit_conclusion.edited",
            "edit",
            "changed a conclusion on a change of a sample",
        ),
        Event::new(
            "audit_conclusion.reviewed",
            "check",
            "reviewed a conclusion on a change of a sample",
        ),
    ],
    ..Card::of::<AuditConclusion, AuditConclusionInput>("audit_conclusion", "Audit conclusions")
};
