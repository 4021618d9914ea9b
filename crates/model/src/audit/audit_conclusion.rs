//! Conclusions of auditors on the changes of a sample.

use std::collections::BTreeMap;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::AUDIT;
use crate::core::card::{Card, Event};
use crate::core::enums::{AuditAnswer, AuditVerdict};
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
    /// The answers to the questions of the control, each as `RULE=ANSWER`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<String>,
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
    /// Answers to questions of the control, each as `RULE=held`, `RULE=exception` or `RULE=not_applicable`; the answer of the log
    /// unless said.
    #[card(option = "answer", example = "approval_after_start=held")]
    pub answers: Vec<String>,
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

/// The result of each question of a control: the auditor's where the auditor gives one, else that of the log; `asked` holds the
/// questions by their rules, each with the result of the log.
///
/// # Errors
/// A message about a result for an unknown question, a second result for one question, or an unknown value.
pub fn merged_results(said: &[String], asked: &[(&str, AuditAnswer)]) -> Result<Vec<String>, String> {
    let mut given: BTreeMap<&str, AuditAnswer> = BTreeMap::new();
    for text in said {
        let Some((rule, answer)) = text.split_once('=') else {
            return Err(format!(
                "`{text}` is not a valid answer: use `RULE=held`, `RULE=exception` or `RULE=not_applicable`."
            ));
        };
        let Some((rule, _)) = asked.iter().find(|(known, _)| *known == rule) else {
            let known: Vec<&str> = asked.iter().map(|(rule, _)| *rule).collect();
            return Err(format!(
                "The control has no question `{rule}`; it has: {}.",
                known.join(", ")
            ));
        };
        let answer = answer.parse::<AuditAnswer>().map_err(|why| format!("{why}."))?;
        if given.insert(*rule, answer).is_some() {
            return Err(format!("The question `{rule}` has two answers."));
        }
    }
    let answer = |(rule, of_log): &(&str, AuditAnswer)| format!("{rule}={}", given.get(rule).unwrap_or(of_log));
    Ok(asked.iter().map(answer).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn each_question_has_one_answer_of_the_auditor_or_of_the_log() {
        let asked = [("one", AuditAnswer::Held), ("two", AuditAnswer::NotApplicable)];
        let said = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|it| (*it).to_owned()).collect();
            merged_results(&texts, &asked)
        };
        assert_eq!(said(&[]).unwrap(), ["one=held", "two=not_applicable"]);
        assert_eq!(said(&["two=exception"]).unwrap(), ["one=held", "two=exception"]);
        for (bad, wanted) in [
            (vec!["one"], "is not a valid answer"),
            (vec!["three=held"], "it has: one, two."),
            (vec!["one=fine"], "held, exception, not_applicable"),
            (vec!["one=held", "one=exception"], "has two answers"),
        ] {
            let why = said(&bad).unwrap_err();
            assert!(why.contains(wanted), "{why}");
        }
        assert!(merged_results(&["one=held".to_owned()], &[]).is_err());
    }
}
