//! The taxonomy of root causes: a shipped list that a tenant extends, changes and retires. Each cause names the features of
//! changes that it concerns, so that a review that names the cause moves the pending changes with these features.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_SERVICE};
use crate::core::card::{Card, Event, Page};
use crate::core::enums::CauseFeature;
use crate::core::ids::RecordId;
use crate::core::parse::Reading;
use crate::risk::forecast::features::{FEATURES, FEATURES_VERSION};
use crate::risk::forecast::fixed::log2_milli;
use crate::verbs;

/// The longest key, in characters.
const KEY: usize = 40;
/// The longest name, in characters.
const NAME: usize = 80;
/// The key of the cause for failures without a known cause.
pub const NOT_FOUND: &str = "unknown";
/// The most causes of a tenant beside the shipped ones.
pub const MOST: usize = 100;

/// A root cause of the taxonomy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct Cause {
    /// The record's id: its key.
    pub id: RecordId,
    /// Grows with every save; 0 for a shipped cause that nobody changed.
    pub version: i64,
    /// By what reviews name it.
    #[card(most = KEY, column)]
    pub key: String,
    /// Its display name.
    #[card(most = NAME, text)]
    pub name: String,
    /// When to use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub description: Option<String>,
    /// The features of changes that it concerns; a cause without any moves no change.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(words)]
    pub features: BTreeSet<CauseFeature>,
    /// Whether it is retired: reviews that name it keep it, new ones cannot name it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_retired: bool,
    /// Whether it is part of the taxonomy; one that was removed was in no use.
    #[card(column)]
    pub active: bool,
}

/// A root cause of the taxonomy.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct CauseInput {
    /// The key used in reviews; it never changes.
    #[card(most = KEY, positional, example = "expired_certificate")]
    pub key: String,
    /// Its display name.
    #[card(most = NAME, text, example = "A certificate expired")]
    pub name: String,
    /// When to use it.
    #[card(text, example = "A certificate or key expired before it was renewed.")]
    pub description: Option<String>,
    /// The features of changes that it concerns; a cause without any moves no change.
    #[card(words, option = "feature", example = "sensitive")]
    pub features: BTreeSet<CauseFeature>,
    /// Whether it is retired: reviews that name it keep it, new ones cannot name it.
    #[card(option = "retired")]
    pub is_retired: bool,
}

/// The card.
pub const CARD: Card = Card {
    tag: "administration",
    patch: "CausePatch",
    columns: &["key", "name", "features", "is_retired"],
    verbs: verbs! {
        List "list_causes" at "/causes" may READ => "List the taxonomy of root causes";
        Add "add_cause" at "/causes" may SET_SERVICE => "Add a root cause to the taxonomy";
        Show "show_cause" at "/causes/{id}" may READ => "Show a root cause";
        Edit "edit_cause" at "/causes/{id}" may SET_SERVICE => "Change a root cause, or retire it";
        End "remove_cause" at "/causes/{id}" may SET_SERVICE => "Remove a root cause that is in no use";
    },
    events: &[
        Event::new("cause.added", "plus", "added a root cause"),
        Event::new("cause.edited", "edit", "changed a root cause"),
        Event::new("cause.ended", "x", "removed a root cause"),
    ],
    page: Some(Page {
        path: "/causes",
        byline: "Root causes used in reviews. Each concerns features of changes: after a review, the forecasts of \
            pending changes with these features are adjusted.",
        empty: "The taxonomy is empty.",
        labels: ["Add a root cause", "Change or retire it", "Remove it"],
    }),
    ..Card::of::<Cause, CauseInput>("cause", "Root causes")
};

/// A shipped cause: key, name, description, features.
type Shipped = (&'static str, &'static str, &'static str, &'static [CauseFeature]);

/// The shipped list, in the order of its keys.
const SHIPPED: &[Shipped] = &[
    (
        "capacity",
        "Not enough capacity",
        "Load, memory, disk or quota was exhausted.",
        &[CauseFeature::HighImpact],
    ),
    (
        "configuration_error",
        "Wrong configuration",
        "A value, flag or file was not what the service needed.",
        &[CauseFeature::HighComplexity],
    ),
    (
        "credential_or_key",
        "A credential, key or right",
        "A certificate, key, account or right was missing, expired or wrong.",
        &[CauseFeature::Sensitive],
    ),
    (
        "incomplete_rollback",
        "No working rollback",
        "The change could not be undone in time.",
        &[CauseFeature::NoRollbackPlan],
    ),
    (
        "missing_test",
        "Not tested",
        "No test covered what failed.",
        &[CauseFeature::Emergency, CauseFeature::Expedited],
    ),
    (
        "outside_system",
        "An outside system",
        "A supplier or an external system failed; no feature of our changes is concerned.",
        &[],
    ),
    (
        "schema_migration",
        "A schema or data migration",
        "A schema or the data did not fit the code.",
        &[CauseFeature::Schema],
    ),
    (
        "template_outdated",
        "An outdated template",
        "A template no longer fitted the service.",
        &[CauseFeature::Standard],
    ),
    (
        "unannounced",
        "People were not prepared",
        "Users or operators were surprised by an interruption.",
        &[CauseFeature::Disruption],
    ),
    (
        "uncoordinated",
        "Several parts out of step",
        "Parts that depend on each other were changed in the wrong order or at different times.",
        &[CauseFeature::SeveralTargets, CauseFeature::SeveralServices],
    ),
    (
        NOT_FOUND,
        "Not found",
        "The review did not find the cause; no feature of changes is concerned.",
        &[],
    ),
];

/// The shipped causes.
pub fn shipped() -> impl Iterator<Item = Cause> {
    SHIPPED.iter().map(|(key, name, description, features)| Cause {
        id: RecordId::from(*key),
        version: 0,
        key: (*key).to_owned(),
        name: (*name).to_owned(),
        description: Some((*description).to_owned()),
        features: features.iter().copied().collect(),
        is_retired: false,
        active: true,
    })
}

/// The shipped cause with a key.
#[must_use]
pub fn shipped_by_key(key: &str) -> Option<Cause> {
    shipped().find(|cause| cause.key == key)
}

/// The taxonomy: the records of a tenant, and the shipped causes that no record replaces, in the order of their keys.
#[must_use]
pub fn taxonomy(own: Vec<Cause>) -> Vec<Cause> {
    let mut all: Vec<Cause> = shipped()
        .filter(|cause| !own.iter().any(|it| it.key == cause.key))
        .collect();
    all.extend(own.into_iter().filter(|it| it.active));
    all.sort_by(|one, other| one.key.cmp(&other.key));
    all
}

/// The form of a key: letters, digits and underscores, so that it can be part of an address.
pub fn check_key(reading: &mut Reading<'_>, key: &str) {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !key.is_empty() && !key.chars().all(is_plain) {
        let text = "A key can have only lower-case letters, digits and underscores, such as `expired_certificate`.";
        reading.wrong("key", "not_a_key", text);
    }
}

/// The place of a feature among the inputs of the forecast, and from which value on a change has it, in thousandths.
fn threshold(feature: CauseFeature) -> (&'static str, i64) {
    match feature {
        CauseFeature::SeveralTargets => ("targets", log2_milli(2)),
        CauseFeature::SeveralServices => ("services", log2_milli(2)),
        CauseFeature::HighComplexity => ("complexity", 3_000),
        CauseFeature::HighImpact => ("impact", 3_000),
        CauseFeature::Sensitive => ("touches", 1),
        CauseFeature::Schema => ("schema", 1),
        CauseFeature::Emergency => ("emergency", 1),
        CauseFeature::Standard => ("standard", 1),
        CauseFeature::Expedited => ("expedited", 1),
        CauseFeature::NoRollbackPlan => ("no_rollback_plan", 1),
        CauseFeature::Disruption => ("disruption", 1),
    }
}

impl CauseFeature {
    /// Whether a change has the property, by the inputs of its forecast. Inputs of another version of the features cannot show
    /// it.
    #[must_use]
    pub fn is_in(self, features_version: i64, inputs: &[i64]) -> bool {
        let (name, least) = threshold(self);
        let place = FEATURES.iter().position(|feature| feature.name == name);
        let input = place.and_then(|place| inputs.get(place));
        features_version == FEATURES_VERSION && input.is_some_and(|input| *input >= least)
    }

    /// The phrase after “the change”.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::SeveralTargets => "has several targets",
            Self::SeveralServices => "changes several services",
            Self::HighComplexity => "is of high complexity",
            Self::HighImpact => "has a high impact",
            Self::Sensitive => "touches something sensitive",
            Self::Schema => "changes a schema",
            Self::Emergency => "is an emergency",
            Self::Standard => "follows a template",
            Self::Expedited => "is expedited",
            Self::NoRollbackPlan => "has no rollback plan",
            Self::Disruption => "interrupts people",
        }
    }
}

impl Cause {
    /// The features of the cause that a change has, by the inputs of its forecast.
    #[must_use]
    pub fn shared(&self, features_version: i64, inputs: &[i64]) -> Vec<CauseFeature> {
        let is_in = |feature: &CauseFeature| feature.is_in(features_version, inputs);
        self.features.iter().copied().filter(is_in).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_is_an_input_of_the_forecast() {
        for feature in CauseFeature::ALL {
            let (name, _) = threshold(*feature);
            assert!(FEATURES.iter().any(|it| it.name == name), "{feature}");
        }
    }

    #[test]
    fn a_record_of_the_tenant_replaces_the_shipped_cause_and_a_removed_one_is_gone() {
        let own = |key: &str, active: bool| Cause {
            id: RecordId::from(key),
            version: 1,
            key: key.to_owned(),
            name: "Own".to_owned(),
            description: None,
            features: BTreeSet::new(),
            is_retired: false,
            active,
        };
        let all = taxonomy(vec![own("capacity", true), own("removed", false), own("own", true)]);
        let names = |key: &str| {
            all.iter()
                .filter(|it| it.key == key)
                .map(|it| it.name.as_str())
                .collect::<Vec<_>>()
        };
        assert_eq!(names("capacity"), ["Own"]);
        assert_eq!(names("own"), ["Own"]);
        assert_eq!(names("removed"), Vec::<&str>::new());
        assert_eq!(all.len(), SHIPPED.len() + 1);
        assert!(SHIPPED.is_sorted_by_key(|it| it.0));
    }
}
