//! The request for a change: the one description of its fields, for the API, the command line, the form and the rules.

use std::collections::BTreeSet;

use derive::Described;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::core::card::Words;
use crate::core::enums::{Category, Kind, Level, Touch};
use crate::core::parse::TEXT;

/// The levels of complexity.
const COMPLEXITY: Words = Words {
    all: ratings,
    why_not: why_no_rating,
};

fn ratings() -> Vec<&'static str> {
    [Level::Low, Level::Medium, Level::High].map(Level::as_str).to_vec()
}

fn why_no_rating(text: &str) -> Option<String> {
    let all = ratings();
    (!all.contains(&text)).then(|| format!("`{text}` is none of: {}", all.join(", ")))
}

/// A change as it is written. Everything may still be missing from a draft but what `required` names.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Described)]
#[serde(default)]
#[card(constants)]
pub struct NewChange {
    /// How it is governed; `normal` by default.
    #[card(words)]
    pub kind: Option<Kind>,
    /// For `standard`: the template's key.
    pub template: Option<String>,
    /// Late, not urgent.
    pub expedited: bool,
    /// Why it is late.
    #[card(most = TEXT, text, label = "Why it is late", option = "expedited")]
    pub expedited_reason: Option<String>,
    /// Its purpose in one line.
    #[card(optional, text)]
    pub title: String,
    /// The work.
    #[card(most = TEXT, text)]
    pub description: Option<String>,
    /// Why it is worth doing.
    #[card(most = TEXT, text, label = "Why now")]
    pub justification: Option<String>,
    /// The intended result.
    #[card(most = TEXT, text)]
    pub objectives: Option<String>,
    /// How success will be seen.
    #[card(most = TEXT, text, label = "How we will see that it worked")]
    pub verification: Option<String>,
    /// Its subject.
    #[card(words)]
    pub category: Option<Category>,
    /// Sensitive things it touches, beside those that its services and config items hold.
    #[card(words)]
    pub touches: BTreeSet<Touch>,
    /// At most 1,000; service, environment and artifact are unique.
    #[card(part = "NewTarget", label = "Where")]
    pub targets: Vec<Value>,
    /// Short form for equal targets: the services' keys.
    #[card(label = "Where", option = "service")]
    pub services: Option<Vec<String>>,
    /// Short form: the environment's key.
    pub environment: Option<String>,
    /// Short form: the artifact's digest.
    #[card(most = 255)]
    pub artifact: Option<String>,
    /// Short form: the commit.
    #[card(most = 64)]
    pub commit: Option<String>,
    /// Short form: keys of config items.
    #[card(option = "config-item")]
    pub config_items: Vec<String>,
    /// An axis that is not given is derived from the services and what needs them; of one that is given the higher of both counts
    /// until an approver accepts the lower one.
    #[card(part = "Impact")]
    pub impact: Option<Value>,
    /// How hard it is.
    #[card(words = COMPLEXITY)]
    pub complexity: Option<Level>,
    /// The effect that users will notice.
    #[card(part = "Disruption")]
    pub disruption: Option<Value>,
    /// From when.
    #[card(label = "Start", option = "from")]
    pub planned_start: Option<Timestamp>,
    /// Until when.
    #[card(label = "End", option = "to")]
    pub planned_end: Option<Timestamp>,
    /// The implementation plan.
    #[card(part = "Step", option = "step")]
    pub plan: Vec<Value>,
    /// The way back.
    #[card(part = "Step", option = "rollback-step")]
    pub rollback_plan: Vec<Value>,
    /// The reason why no rollback is possible.
    #[card(most = TEXT, text, label = "Why no rollback is possible")]
    pub no_rollback_reason: Option<String>,
    /// How long the way back takes.
    #[card(most = 100_000, label = "Minutes in all")]
    pub rollback_minutes: Option<i64>,
    /// The inverse that belongs to it, with its time; it is neither a rollback nor a failure.
    #[card(part = "PlannedUndo")]
    pub planned_undo: Option<Value>,
    /// A login; the requester by default.
    pub owner: Option<String>,
    /// The team.
    #[card(text)]
    pub team: Option<String>,
    /// Logins.
    #[card(option = "implementer")]
    pub implementers: Vec<String>,
    /// A login.
    pub tester: Option<String>,
    /// A login or free text.
    #[card(text)]
    pub business_contact: Option<String>,
    /// For `emergency`: the key of an incident here, or the reference that a connection delivered. It is open or was resolved at
    /// most 24 h ago, and concerns each target or something that it reaches.
    pub incident: Option<String>,
    /// For `emergency`: the threat instead of an incident; security approves it too.
    #[card(most = TEXT, text)]
    pub threat: Option<String>,
    /// Words to find it by; no approval covers them.
    #[card(text, option = "label")]
    pub labels: Vec<String>,
    /// The values of the fields that the tenant added, by their keys.
    #[card(object)]
    pub custom_fields: Option<Value>,
    /// For work that is already done.
    #[card(part = "RetrospectiveInput")]
    pub retrospective: Option<Value>,
}

impl NewChange {
    /// The request with these values: a field without one is absent.
    #[must_use]
    pub fn into_body(self) -> Map<String, Value> {
        let mut body = match serde_json::to_value(self) {
            Ok(Value::Object(body)) => body,
            _ => Map::new(),
        };
        body.retain(|_, value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            _ => true,
        });
        body
    }
}

#[cfg(test)]
mod tests {
    use super::NewChange;
    use crate::change::content::{WHAT, WHEN};
    use crate::core::card::{Described, Field};
    use crate::core::free_text::is_text;

    fn field(name: &str) -> Option<&'static Field> {
        NewChange::FIELDS.iter().find(|field| field.name == name)
    }

    #[test]
    fn a_request_has_every_covered_field_but_those_of_other_acts() {
        let of_other_acts = [
            "security",
            "security_answers",
            "dependencies_reviewed",
            "excluded",
            "risk_override",
            "wave_plan",
        ];
        for name in WHAT.iter().chain(WHEN) {
            assert_ne!(field(name).is_some(), of_other_acts.contains(name), "{name}");
        }
    }

    #[test]
    fn the_log_seals_the_free_text_of_a_request() {
        for field in NewChange::FIELDS.iter().filter(|field| field.is_free_text) {
            assert!(is_text(field.name), "{}", field.name);
        }
    }

    #[test]
    fn a_body_holds_only_what_is_given() {
        let body = NewChange {
            title: "Fix it".to_owned(),
            rollback_minutes: Some(0),
            ..NewChange::default()
        }
        .into_body();
        assert_eq!(body.keys().collect::<Vec<_>>(), ["title", "rollback_minutes"]);
    }
}
