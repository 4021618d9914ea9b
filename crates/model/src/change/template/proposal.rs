//! A proposed diff of a template, from how its changes used it: a field that is always the same is locked, one that nobody
//! fills is dropped, and a locked one that people keep correcting or miss something in is left free. Assent only proposes;
//! people approve the variant, and a trial on half of the uses shows whether rework falls.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::change::read_content::new_change::NewChange;
use crate::core::enums::TemplatePart;
use crate::directory::records::StandardTemplate;
use crate::report::field_use::is_filler;

/// Below so many uses nothing is proposed.
pub const FEWEST: u64 = 20;
/// From this share of one value among all uses, in percent, a free field is locked to it.
const SAME_FROM: u64 = 95;
/// A free field is dropped if fewer uses than this share, in percent, fill it.
const FILLED_BELOW: u64 = 5;
/// From this share of reworked uses, in percent, a locked field is left free.
const REWORKED_FROM: u64 = 10;
/// From this share of uses in which a step went otherwise than planned, in percent, a locked plan is left free.
const DEVIATED_FROM: u64 = 10;
/// A locked field is left free from this number of responses that found something missing in it.
const MISSED_FROM: u64 = 3;

/// The fields that can be locked to one value: plain texts, enums and numbers.
pub const LOCKABLE: [&str; 8] = [
    NewChange::CATEGORY.name,
    NewChange::COMPLEXITY.name,
    NewChange::DESCRIPTION.name,
    NewChange::JUSTIFICATION.name,
    NewChange::OBJECTIVES.name,
    NewChange::ROLLBACK_MINUTES.name,
    NewChange::TEAM.name,
    NewChange::VERIFICATION.name,
];
/// The free fields that a template can drop.
pub const DROPPABLE: [&str; 4] = [
    NewChange::BUSINESS_CONTACT.name,
    NewChange::CONFIG_ITEMS.name,
    NewChange::LABELS.name,
    NewChange::TESTER.name,
];

/// Figures on the uses of a template.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Submitted uses.
    pub uses: u64,
    /// The values of each field: as JSON, with the number of uses of each.
    pub said: BTreeMap<String, BTreeMap<String, u64>>,
    /// In how many uses each field was edited after submission.
    pub reworked: BTreeMap<String, u64>,
    /// In how many uses a step of the plan was skipped, or an issue or a deviation was noted of it.
    pub deviated: u64,
    /// How many responses name each part in which something was missing.
    pub missing: BTreeMap<TemplatePart, u64>,
}

impl Observed {
    /// Counts the value of one use in a field; blanks and filler do not count.
    pub fn note(&mut self, field: &str, value: &Value, title: &str) {
        let is_blank = match value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty() || is_filler(text, title),
            Value::Array(items) => items.is_empty(),
            Value::Object(map) => map.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        };
        if !is_blank {
            let values = self.said.entry(field.to_owned()).or_default();
            *values.entry(value.to_string()).or_default() += 1;
        }
    }
}

/// The edit of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// It is locked to this value, and the form no longer shows it.
    Lock(Value),
    /// It is no longer locked: each change fills it in.
    Free,
    /// The template drops it.
    Drop,
}

impl Edit {
    /// The name in responses.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Lock(_) => "lock",
            Self::Free => "free",
            Self::Drop => "drop",
        }
    }
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nearly all uses have the same value.
    Same,
    /// Nearly no use has a value.
    Unfilled,
    /// Many uses edited it after submission.
    Reworked,
    /// Operations missed something in it.
    Missed,
    /// In many uses a step of it went otherwise than planned.
    Deviated,
}

impl Why {
    /// The name in responses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Unfilled => "unfilled",
            Self::Reworked => "reworked",
            Self::Missed => "missed",
            Self::Deviated => "deviated",
        }
    }
}

/// One line of the diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldEdit {
    /// The field.
    pub field: String,
    /// The edit.
    pub edit: Edit,
    /// The locked value before; `None` where it was free.
    pub before: Option<Value>,
    /// Why.
    pub why: Why,
    /// How many uses or responses support it.
    pub count: u64,
}

/// The diff that the uses support, by field; empty for fewer than [`FEWEST`] uses.
#[must_use]
pub fn propose(template: &StandardTemplate, observed: &Observed) -> Vec<FieldEdit> {
    if observed.uses < FEWEST {
        return Vec::new();
    }
    let freed = template
        .locked
        .iter()
        .filter_map(|(field, value)| freed(field, value, observed));
    let mut found: Vec<FieldEdit> = freed.collect();
    let free = template
        .free
        .iter()
        .filter(|field| !template.locked.contains_key(*field));
    found.extend(free.filter_map(|field| closed(field, observed)));
    found.sort_by(|one, other| one.field.cmp(&other.field));
    found
}

/// A locked field that should be free.
fn freed(field: &str, value: &Value, observed: &Observed) -> Option<FieldEdit> {
    let reworked = observed.reworked.get(field).copied().unwrap_or_default();
    let missed = part_of(field).and_then(|part| observed.missing.get(&part).copied());
    let missed = missed.unwrap_or_default();
    let deviated = if field == "plan" { observed.deviated } else { 0 };
    let (why, count) = if reworked * 100 >= observed.uses * REWORKED_FROM {
        (Why::Reworked, reworked)
    } else if missed >= MISSED_FROM {
        (Why::Missed, missed)
    } else if deviated * 100 >= observed.uses * DEVIATED_FROM {
        (Why::Deviated, deviated)
    } else {
        return None;
    };
    Some(FieldEdit {
        field: field.to_owned(),
        edit: Edit::Free,
        before: Some(value.clone()),
        why,
        count,
    })
}

/// A free field that should be locked or dropped. A field that uses reworked was thought about, so it stays.
fn closed(field: &str, observed: &Observed) -> Option<FieldEdit> {
    let uses = observed.uses;
    let none = BTreeMap::new();
    let said = observed.said.get(field).unwrap_or(&none);
    let filled: u64 = said.values().sum();
    let line = |edit: Edit, why: Why, count: u64| FieldEdit {
        field: field.to_owned(),
        edit,
        before: None,
        why,
        count,
    };
    if DROPPABLE.contains(&field) {
        let is_unfilled = filled * 100 < uses * FILLED_BELOW;
        return is_unfilled.then(|| line(Edit::Drop, Why::Unfilled, uses - filled.min(uses)));
    }
    let is_reworked = observed.reworked.get(field).copied().unwrap_or_default() * 100 >= uses * REWORKED_FROM;
    if !LOCKABLE.contains(&field) || is_reworked {
        return None;
    }
    let (value, count) = said.iter().max_by_key(|(_, count)| **count)?;
    let value = serde_json::from_str(value).ok()?;
    (count * 100 >= uses * SAME_FROM).then(|| line(Edit::Lock(value), Why::Same, *count))
}

/// The part of a template that a field is, as the question to operations calls it.
fn part_of(field: &str) -> Option<TemplatePart> {
    match field {
        "description" => Some(TemplatePart::Description),
        "plan" => Some(TemplatePart::Plan),
        "rollback_plan" => Some(TemplatePart::Rollback),
        "verification" => Some(TemplatePart::Verification),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    fn template() -> StandardTemplate {
        serde_json::from_value(json!({
            "id": "t1", "version": 1, "key": "restart", "template_version": 2, "state": "approved", "title": "Restart",
            "locked": {"category": "application", "plan": [{"title": "Restart"}], "rollback_plan": [{"title": "Nothing"}]},
            "free": ["planned_start", "planned_end", "title", "description", "justification", "team", "tester", "labels"],
            "review_by": "2027-11-28T00:00:00Z", "watch_minutes": 60, "proposer": "rita", "digest": "sha256:00",
        }))
        .unwrap()
    }

    fn observed(uses: u64) -> Observed {
        let mut found = Observed {
            uses,
            ..Observed::default()
        };
        for number in 0..uses {
            found.note("justification", &json!("Policy requires it"), "Restart");
            found.note("description", &json!(format!("Host {number} hangs")), "Restart");
            found.note("team", &json!("n/a"), "Restart");
            found.note("labels", &json!([]), "Restart");
            found.note("tester", &json!("tess"), "Restart");
        }
        found
    }

    fn told(found: &[FieldEdit]) -> Vec<(&str, &str, &str)> {
        found
            .iter()
            .map(|it| (it.field.as_str(), it.edit.as_str(), it.why.as_str()))
            .collect()
    }

    #[test]
    fn a_field_that_is_always_the_same_is_locked_and_one_that_nobody_fills_is_dropped() {
        let found = propose(&template(), &observed(40));
        assert_eq!(
            told(&found),
            [("justification", "lock", "same"), ("labels", "drop", "unfilled")],
            "filler is no value that is worth a lock, and what differs stays free"
        );
        assert_eq!(found[0].edit, Edit::Lock(json!("Policy requires it")));
        assert_eq!((found[0].count, found[1].count), (40, 40));
    }

    #[test]
    fn a_locked_field_that_is_corrected_or_in_which_something_is_missing_is_left_free() {
        let mut uses = observed(40);
        uses.reworked.insert("plan".to_owned(), 4);
        uses.missing.insert(TemplatePart::Rollback, 3);
        uses.missing.insert(TemplatePart::Nothing, 30);
        let found = propose(&template(), &uses);
        assert!(told(&found).contains(&("plan", "free", "reworked")));
        assert!(told(&found).contains(&("rollback_plan", "free", "missed")));
        let plan = found.iter().find(|it| it.field == "plan").unwrap();
        assert_eq!(plan.before, Some(json!([{"title": "Restart"}])));
        uses.reworked.insert("plan".to_owned(), 3);
        uses.missing.insert(TemplatePart::Rollback, 2);
        uses.reworked.insert("justification".to_owned(), 4);
        assert_eq!(
            told(&propose(&template(), &uses)),
            [("labels", "drop", "unfilled")],
            "too few speak for the two, and what was corrected is no constant"
        );
    }

    #[test]
    fn a_locked_plan_of_which_steps_go_otherwise_is_left_free() {
        let mut uses = observed(40);
        uses.deviated = 3;
        assert!(
            !told(&propose(&template(), &uses))
                .iter()
                .any(|(field, ..)| *field == "plan")
        );
        uses.deviated = 4;
        let found = propose(&template(), &uses);
        assert!(told(&found).contains(&("plan", "free", "deviated")));
        assert!(
            !told(&found).iter().any(|(field, ..)| *field == "rollback_plan"),
            "the way back is another plan"
        );
    }

    #[test]
    fn few_uses_propose_nothing() {
        assert!(propose(&template(), &observed(FEWEST - 1)).is_empty());
        assert!(!propose(&template(), &observed(FEWEST)).is_empty());
    }
}
