//! Objectives of a service (SLO): a query whose value is compared with a bound while a change is at work and in its watch window.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use serde::{Deserialize, Serialize};

use crate::change::record::Change;
use crate::core::act::actions::SET_CONNECTION;
use crate::core::card::{Card, Event, Page};
use crate::core::enums::{ObjectiveBound, ObjectiveResult};
use crate::core::ids::{EnvironmentKey, RecordId, ServiceKey};
use crate::core::parse::Reading;
use crate::incident::monitor::{EXPRESSION, check_expression};
use crate::notify::business_unit::is_key;
use crate::verbs;

/// The most objectives of a tenant.
pub const MOST: usize = 200;
/// The usual interval between two queries of a value, in minutes.
pub const USUAL_MINUTES: i64 = 5;
/// The longest time between two questions, in minutes.
const MOST_MINUTES: i64 = 60;
/// The longest number, in characters.
const NUMBER: usize = 32;

/// A bound that a service keeps, which Prometheus is asked for while a change is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct Objective {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The key, such as label-errors.
    #[card(column)]
    pub key: String,
    /// The title, in one line.
    #[card(text)]
    pub title: String,
    /// The service.
    #[card(refers = "service")]
    pub service: ServiceKey,
    /// The environments in which it applies; none means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub environments: BTreeSet<EnvironmentKey>,
    /// The address of Prometheus, without /api/v1.
    #[card(text)]
    pub url: String,
    /// The query (PromQL) of one value, such as a burn rate; {service} and {environment} are replaced by those of the
    /// change.
    #[card(most = EXPRESSION, text)]
    pub expression: String,
    /// Whether the value must be at most or at least the bound.
    #[card(words)]
    pub bound_is: ObjectiveBound,
    /// The bound, a number such as 14.4.
    #[card(most = NUMBER)]
    pub bound: String,
    /// The number of minutes between two queries; 5 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = MOST_MINUTES)]
    pub every_minutes: Option<i64>,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// A bound that a service keeps, which Prometheus is asked for while a change is watched.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct ObjectiveInput {
    /// The key, such as label-errors.
    #[card(positional, example = "label-errors")]
    pub key: String,
    /// The title, in one line.
    #[card(text, example = "The error budget burns no faster than planned")]
    pub title: String,
    /// The service.
    #[card(refers = "service", example = "booking-api")]
    pub service: ServiceKey,
    /// The environments in which it applies; none means all.
    #[card(option = "environment", example = "production")]
    pub environments: BTreeSet<EnvironmentKey>,
    /// The address of Prometheus, without /api/v1.
    #[card(text, example = "https://prometheus.example")]
    pub url: String,
    /// The query (PromQL) of one value, such as a burn rate; {service} and {environment} are replaced by those of the
    /// change.
    #[card(most = EXPRESSION, text, example = "slo:burn_rate:1h{service=\"{service}\"}")]
    pub expression: String,
    /// Whether the value must be at most or at least the bound.
    #[card(words, example = "at_most")]
    pub bound_is: ObjectiveBound,
    /// The bound, a number such as 14.4.
    #[card(most = NUMBER, example = "14.4")]
    pub bound: String,
    /// The number of minutes between two queries; 5 by default.
    #[card(most = MOST_MINUTES, option = "every", example = "5")]
    pub every_minutes: Option<i64>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "administration",
    patch: "ObjectivePatch",
    columns: &["id", "key", "title", "service", "bound_is", "bound"],
    verbs: verbs! {
        List "list_objectives" at "/objectives" may "set_connection | audit" => "List objectives of services";
        Add "add_objective" at "/objectives" may SET_CONNECTION => "Add an objective that is measured while changes are watched";
        Show "show_objective" at "/objectives/{id}" may "set_connection | audit" => "Show an objective";
        Edit "edit_objective" at "/objectives/{id}" may SET_CONNECTION => "Change an objective";
        End "end_objective" at "/objectives/{id}" may SET_CONNECTION => "Retire an objective";
    },
    events: &[
        Event::new("objective.added", "eye", "added an objective of a service"),
        Event::new("objective.edited", "edit", "changed an objective of a service"),
        Event::new("objective.ended", "x", "retired an objective of a service"),
    ],
    page: Some(Page {
        path: "/objectives",
        byline: "Service level objectives. Their values are queried from Prometheus while a change is watched, and \
            recorded with the change.",
        empty: "No objectives are defined.",
        labels: ["Add an objective", "Change it", "Retire it"],
    }),
    ..Card::of::<Objective, ObjectiveInput>("objective", "Objectives")
};

/// The rules of an objective's fields that need no other record.
pub fn check(reading: &mut Reading<'_>, input: &ObjectiveInput) {
    if reading.says("key") && !is_key(&input.key) {
        let text = "`key` has at most 64 letters, digits, `-`, `_` and `.`.";
        reading.wrong("key", "not_a_key", text);
    }
    if reading.says("bound") && !input.bound.is_empty() && number(&input.bound).is_none() {
        reading.wrong("bound", "not_a_number", "`bound` is a number such as 14.4.");
    }
    if input.every_minutes == Some(0) {
        reading.wrong("every_minutes", "out_of_range", "`every_minutes` is 1 to 60.");
    }
    check_expression(reading, Some(input.expression.as_str()).filter(|text| !text.is_empty()));
    let is_web = input.url.starts_with("https://") || input.url.starts_with("http://");
    if reading.says("url") && !input.url.is_empty() && (!is_web || input.url.contains(['?', '#', '@'])) {
        let text = "`url` is the address of a Prometheus, such as https://prometheus.example.";
        reading.wrong("url", "not_a_url", text);
    }
}

/// A finite number.
#[must_use]
pub fn number(text: &str) -> Option<f64> {
    let is_plain = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E');
    let found: f64 = text.parse().ok()?;
    (found.is_finite() && text.bytes().all(is_plain)).then_some(found)
}

impl Objective {
    /// The places of a change, as `service/environment`, at which it counts.
    #[must_use]
    pub fn places(&self, change: &Change) -> BTreeSet<String> {
        let is_in = |key: &EnvironmentKey| self.environments.is_empty() || self.environments.contains(key);
        let targets = change.content.targets.iter();
        targets
            .filter(|it| self.active && it.service == self.service && is_in(&it.environment))
            .map(|it| format!("{}/{}", it.service, it.environment))
            .collect()
    }

    /// The result for a value.
    #[must_use]
    pub fn judge(&self, value: &str) -> ObjectiveResult {
        let (Some(value), Some(bound)) = (number(value), number(&self.bound)) else {
            return ObjectiveResult::Unknown;
        };
        let is_met = match self.bound_is {
            ObjectiveBound::AtMost => value <= bound,
            ObjectiveBound::AtLeast => value >= bound,
        };
        if is_met {
            ObjectiveResult::Met
        } else {
            ObjectiveResult::Missed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_compared_with_its_bound_and_what_is_no_number_is_unknown() {
        let mut objective = Objective {
            id: RecordId::from("o"),
            version: 1,
            key: "label-errors".to_owned(),
            title: String::new(),
            service: ServiceKey::from("pay"),
            environments: BTreeSet::new(),
            url: "https://p.example".to_owned(),
            expression: "up".to_owned(),
            bound_is: ObjectiveBound::AtMost,
            bound: "14.4".to_owned(),
            every_minutes: None,
            active: true,
        };
        assert_eq!(objective.judge("14.4"), ObjectiveResult::Met);
        assert_eq!(objective.judge("1.5e1"), ObjectiveResult::Missed);
        assert_eq!(objective.judge("NaN"), ObjectiveResult::Unknown);
        assert_eq!(objective.judge("+Inf"), ObjectiveResult::Unknown);
        objective.bound_is = ObjectiveBound::AtLeast;
        assert_eq!(objective.judge("14.3"), ObjectiveResult::Missed);
        assert_eq!(objective.judge("15"), ObjectiveResult::Met);
    }
}
