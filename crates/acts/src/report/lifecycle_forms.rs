//! The forms of the lifecycle, which no card lists, for the report on useless fields: where their records are, and which of their
//! fields may be left out.

use std::collections::BTreeMap;

use model::report::field_use::Counted;
use serde_json::Value;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;

/// The most records of another form than that of changes that are examined, the newest.
pub(super) const MOST_OF_FORM: i64 = 500;

/// A form and the records that it makes.
#[derive(Debug)]
pub struct Form {
    /// The shape of its input in the API.
    pub shape: &'static str,
    /// Its name in the report.
    pub name: &'static str,
    /// The table of the records.
    pub table: &'static str,
    /// The members from the record down to what the form makes; of a list each item.
    pub way: &'static [&'static str],
    /// A member that has one of some values where the fields may be left out.
    pub only: Option<(&'static str, &'static [&'static str])>,
    /// The texts that people may leave out, by their names in requests and records.
    pub texts: &'static [&'static str],
    /// Further fields that may be left out, which rules of the product read.
    pub ruled: &'static [&'static str],
    /// Fields of the input that the record does not keep, or keeps under another name with a value of every form.
    pub elsewhere: &'static [&'static str],
}

impl Form {
    const fn new(shape: &'static str, name: &'static str, table: &'static str) -> Self {
        Self {
            shape,
            name,
            table,
            way: &[],
            only: None,
            texts: &[],
            ruled: &[],
            elsewhere: &[],
        }
    }
}

/// The forms.
pub const FORMS: &[Form] = &[
    Form {
        // To reject or to return a change takes a comment.
        only: Some(("decision", &["approve", "approve_with_conditions"])),
        texts: &["comment"],
        elsewhere: &["meeting", "conditions", "lowering"],
        ..Form::new("ApprovalInput", "approval", "approval")
    },
    Form {
        texts: &["text"],
        ..Form::new("PeerReviewInput", "peer_review", "peer_review")
    },
    Form {
        way: &["met"],
        texts: &["text"],
        ..Form::new("OptionalTextInput", "condition", "condition")
    },
    Form {
        way: &["done"],
        texts: &["text"],
        ..Form::new("OptionalTextInput", "checklist_item", "checklist_item")
    },
    Form {
        // The text of a note is the note, and that of a waiver its reason.
        only: Some(("kind", &["junit", "sarif", "cyclonedx", "in_toto", "file"])),
        texts: &["text"],
        ruled: &["environment", "artifact"],
        elsewhere: &["aspect", "result", "name", "measured_at", "target"],
        ..Form::new("EvidenceInput", "evidence", "evidence")
    },
    Form {
        ruled: &["assignee", "depends_on", "mandatory", "planned_start", "planned_end"],
        ..Form::new("TaskInput", "task", "task")
    },
    Form {
        only: Some(("state", &["done"])),
        texts: &["text"],
        ruled: &["actual_start", "actual_end"],
        elsewhere: &["state", "assignee"],
        ..Form::new("TaskPatch", "task", "task")
    },
    Form {
        ruled: &["step", "skipped", "target", "withdraws"],
        elsewhere: &["kind", "occurred_at", "sent_at", "tap"],
        ..Form::new("EntryInput", "entry", "entry")
    },
    Form {
        way: &["hold"],
        ruled: &["until"],
        ..Form::new("HoldInput", "hold", "change")
    },
    Form {
        way: &["extension", "decision"],
        texts: &["reason"],
        ..Form::new("ExtensionDecisionInput", "extension_decision", "change")
    },
    Form {
        way: &["target_records"],
        ruled: &["actual_downtime_minutes"],
        elsewhere: &["target", "actual_start", "actual_end", "reason"],
        ..Form::new("CompletionInput", "completion", "change")
    },
    Form {
        way: &["break_glass"],
        ruled: &["incident"],
        ..Form::new("BreakGlassInput", "break_glass", "change")
    },
    Form {
        // To call it off takes a reason.
        way: &["undo"],
        only: Some(("done", &["true"])),
        texts: &["text"],
        elsewhere: &["done", "occurred_at"],
        ..Form::new("UndoInput", "undo", "change")
    },
    Form {
        way: &["validations"],
        texts: &["text"],
        ..Form::new("ValidationInput", "validation", "change")
    },
    Form {
        way: &["retrospective", "confirmation"],
        texts: &["text"],
        ..Form::new("ConfirmationInput", "confirmation", "change")
    },
    Form {
        way: &["reviews"],
        ruled: &[
            "cause",
            "cause_text",
            "improvements",
            "improvements_owner",
            "improvements_due_at",
            "incidents",
            "emergency_cause",
            "dependencies_reviewed",
        ],
        ..Form::new("ReviewInput", "review", "change")
    },
];

/// The counts of one field of a form.
#[derive(Debug)]
pub(super) struct OfField {
    /// `FORM.FIELD`.
    pub(super) field: String,
    /// The counted records.
    pub(super) counted: Counted,
    /// Whether a rule of the product reads it.
    pub(super) is_read: bool,
}

/// The counts of their fields, by the newest records; none of a form that made none.
///
/// # Errors
/// The store's.
pub(super) fn of_lifecycle(cx: &mut Context<'_, '_>) -> Result<Vec<OfField>> {
    let mut records: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let mut found = Vec::new();
    for form in FORMS {
        if !records.contains_key(form.table) {
            let bodies = record::raw_newest(cx.tx, form.table, MOST_OF_FORM)?;
            let read = bodies.iter().map(|body| serde_json::from_str(body));
            records.insert(form.table, read.collect::<std::result::Result<_, _>>()?);
        }
        let records = records.get(form.table).map(Vec::as_slice).unwrap_or_default();
        found.extend(of_form(form, records));
    }
    Ok(found)
}

/// The counts of a form's fields by its records.
fn of_form(form: &Form, records: &[Value]) -> Vec<OfField> {
    let texts = form.texts.iter().map(|field| (*field, true));
    let fields: Vec<(&str, bool)> = texts.chain(form.ruled.iter().map(|field| (*field, false))).collect();
    let mut counts = vec![Counted::default(); fields.len()];
    for record in records {
        let title = record["title"].as_str().unwrap_or_default();
        for made in parts(record, form.way)
            .into_iter()
            .filter(|made| has_fields(form, made))
        {
            for ((field, is_text), counted) in fields.iter().zip(&mut counts) {
                let value = filled(&made[*field], "");
                counted.count(value.as_deref(), title, *is_text);
            }
        }
    }
    let used = fields.into_iter().zip(counts).filter(|(_, counted)| counted.asked > 0);
    used.map(|((field, is_text), counted)| OfField {
        field: format!("{}.{field}", form.name),
        counted,
        is_read: !is_text,
    })
    .collect()
}

/// Whether the form that made this asked for its fields without needing them.
fn has_fields(form: &Form, made: &Value) -> bool {
    let Some((member, values)) = form.only else { return true };
    let said = match &made[member] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    values.contains(&said.as_str())
}

/// The value of a record's field; `None` where the field is empty or has its default.
pub(super) fn filled(value: &Value, usual: &str) -> Option<String> {
    let text = match value {
        Value::Null | Value::Bool(false) => return None,
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => return None,
        Value::Object(members) if members.is_empty() => return None,
        other => other.to_string(),
    };
    (text != usual).then_some(text)
}

/// What lies at the end of a way, of a list each item.
fn parts<'v>(value: &'v Value, way: &[&str]) -> Vec<&'v Value> {
    match (way.split_first(), value) {
        (_, Value::Null) => Vec::new(),
        (_, Value::Array(items)) => items.iter().flat_map(|item| parts(item, way)).collect(),
        (None, found) => vec![found],
        (Some((member, rest)), found) => parts(&found[*member], rest),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use model::report::field_use::{Useless, Verdict};
    use serde_json::json;

    use super::*;

    fn form(name: &str) -> &'static Form {
        FORMS.iter().find(|form| form.name == name).unwrap()
    }

    #[test]
    fn a_comment_that_nobody_writes_is_proposed_to_be_dropped_and_one_that_is_needed_counts_for_nothing() {
        let approved = json!({"decision": "approve"});
        let rejected = json!({"decision": "reject", "comment": "The window is too short."});
        let records = [vec![approved; 40], vec![rejected; 10]].concat();
        let found = of_form(form("approval"), &records);
        assert_eq!((found.len(), found[0].field.as_str()), (1, "approval.comment"));
        assert_eq!(found[0].counted.asked, 40);
        let verdict = |it: &OfField| it.counted.judge(it.is_read);
        assert_eq!(verdict(&found[0]), Verdict::Drop(Useless::Blank));
    }

    #[test]
    fn each_validation_of_a_change_counts_and_a_repeated_title_is_filler() {
        let change = json!({
            "title": "Rotate keys",
            "validations": [{"result": "works", "text": "Rotate keys"}, {"result": "works", "text": "All doors open."}],
        });
        let found = of_form(form("validation"), &vec![change; 20]);
        assert_eq!((found[0].counted.asked, found[0].counted.filler), (40, 20));
        assert_eq!(found[0].counted.judge(found[0].is_read), Verdict::Drop(Useless::Filler));
        assert!(of_form(form("undo"), &[json!({"undo": {"done": false, "text": "Kept."}})]).is_empty());
        assert!(
            of_form(form("confirmation"), &[json!({"title": "x"})]).is_empty(),
            "it has no such form"
        );
    }

    #[test]
    fn what_rules_read_is_counted_and_stays() {
        let changes = vec![json!({"reviews": [{"summary": "Fine."}]}); 40];
        let found = of_form(form("review"), &changes);
        assert_eq!(found.len(), 8);
        assert!(found.iter().all(|it| it.counted.judge(it.is_read) == Verdict::Used));
    }
}
