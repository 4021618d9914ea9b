//! Runs of other systems: a dialect client's reports of deployments, builds, artifacts and packages, so that a later question
//! by the same name finds its change.

use derive::{Described, Noun};
use jiff::Timestamp;
use proof::crypto::digest_text;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{ASK_GATE, READ};
use crate::core::card::{Card, Event};
use crate::core::enums::OutsideRunKind;
use crate::core::ids::{PersonId, RecordId};
use crate::verbs;

/// The longest key, in characters.
const KEY: usize = 60;
/// The largest number of an update.
const MOST: i64 = i64::MAX;

/// A run of another system as its client reported it. It allows nothing: the gate decides whether a deployment may go. Its names
/// are the client's texts, so the log has commitments in their place; the change and the artifact are checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct OutsideRun {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// Made of its kind and of its name in the other system.
    #[card(most = KEY, column)]
    pub key: String,
    /// What it is.
    #[card(words)]
    pub kind: OutsideRunKind,
    /// Its name in the other system.
    #[card(text)]
    pub external_ref: String,
    /// The key of its change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub change_key: Option<String>,
    /// The service.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::core::typed::plain_option"
    )]
    pub service: Option<String>,
    /// The environment.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::core::typed::plain_option"
    )]
    pub environment: Option<String>,
    /// The artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// The commit.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::core::typed::plain_option"
    )]
    pub commit: Option<String>,
    /// What its client said last of how it stands.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::core::typed::plain_option"
    )]
    pub state: Option<String>,
    /// The number of the update that said so; one with a smaller number comes late.
    #[card(most = MOST)]
    pub sequence: i64,
    /// Who told of it first: a login.
    #[card(optional)]
    pub by: PersonId,
    /// When it was told of last.
    pub at: Timestamp,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// A run of another system. What it said of its change, service, environment and build stays; its state follows.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct OutsideRunInput {
    /// What it is.
    #[card(words, needed, positional, example = "deployment")]
    pub kind: Option<OutsideRunKind>,
    /// Its name in the other system.
    #[card(positional, text, example = "shop/deploy | 4711 | 1 | production")]
    pub external_ref: String,
    /// The key of its change.
    #[card(option = "change", example = "CHG-1042")]
    pub change_key: Option<String>,
    /// The service.
    #[card(refers = "service", example = "label-print")]
    pub service: Option<String>,
    /// The environment.
    #[card(example = "production")]
    pub environment: Option<String>,
    /// The artifact.
    #[card(example = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub artifact: Option<String>,
    /// The commit.
    #[card(example = "1f2e3d4c5b6a79880011223344556677889900aa")]
    pub commit: Option<String>,
    /// Its state.
    #[card(example = "pending")]
    pub state: Option<String>,
    /// The number of the update; 0 unless said.
    #[card(most = MOST, example = "1")]
    pub sequence: Option<i64>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "administration",
    command: "outside-run",
    columns: &[
        "key",
        "kind",
        "external_ref",
        "change_key",
        "service",
        "environment",
        "state",
    ],
    verbs: verbs! {
        List "list_outside_runs" at "/outside-runs" may READ => "List runs of other systems";
        Set "set_outside_run" at "/outside-runs" may ASK_GATE => "Report a run of another system, or its state", called "tell";
        Show "show_outside_run" at "/outside-runs/{key}" may READ => "Show a run of another system";
    },
    events: &[Event::new(
        "outside_run.told",
        "right",
        "reported a run of another system",
    )],
    ..Card::of::<OutsideRun, OutsideRunInput>("outside_run", "Runs of other systems")
};

/// The key of a run, by its kind and its name in the other system.
#[must_use]
pub fn key_of(kind: OutsideRunKind, external_ref: &str) -> String {
    let digest = digest_text(format!("{kind}\n{external_ref}").as_bytes());
    let digits = digest.rsplit_once(':').map_or(digest.as_str(), |(_, digits)| digits);
    let digits: String = digits.chars().take(32).collect();
    format!("{kind}-{digits}")
}

/// The fields of a run that may not change once they are known: the name of the field, the stored value and the new value.
/// `None` where nothing differs.
#[must_use]
pub fn differs<'r>(known: &'r OutsideRun, now: &'r OutsideRun) -> Option<(&'static str, &'r str, &'r str)> {
    let fields = [
        ("change_key", &known.change_key, &now.change_key),
        ("service", &known.service, &now.service),
        ("environment", &known.environment, &now.environment),
        ("artifact", &known.artifact, &now.artifact),
        ("commit", &known.commit, &now.commit),
    ];
    fields
        .into_iter()
        .find_map(|(name, stands, said)| match (stands, said) {
            (Some(stands), Some(said)) if stands != said => Some((name, stands.as_str(), said.as_str())),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::core::free_text::is_text;

    /// A value without the members in whose place the log has commitments.
    fn in_clear(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let clear = map.iter().filter(|(name, _)| !is_text(name));
                clear.map(|(name, inner)| (name.clone(), in_clear(inner))).collect()
            }
            Value::Array(rows) => rows.iter().map(in_clear).collect(),
            plain => plain.clone(),
        }
    }

    #[test]
    fn what_a_client_calls_a_run_is_not_in_clear_in_the_log() {
        let words = "nordmann";
        let told = OutsideRun {
            external_ref: words.to_owned(),
            environment: Some(words.to_owned()),
            commit: Some(words.to_owned()),
            state: Some(words.to_owned()),
            ..run(Some(words))
        };
        let kept = serde_json::to_value(&told).unwrap_or_default();
        assert!(kept.to_string().contains(words));
        assert!(!in_clear(&kept).to_string().contains(words), "{kept:#}");
        assert_eq!(serde_json::from_value::<OutsideRun>(kept).ok(), Some(told.clone()));
        // Runs that were told of before these rules stand in clear.
        let mut earlier = serde_json::to_value(&told).unwrap_or_default();
        earlier["state"] = json!(words);
        assert_eq!(serde_json::from_value::<OutsideRun>(earlier).ok(), Some(told));
    }

    fn run(service: Option<&str>) -> OutsideRun {
        OutsideRun {
            id: RecordId::default(),
            version: 0,
            key: key_of(OutsideRunKind::Artifact, "shop 1.0"),
            kind: OutsideRunKind::Artifact,
            external_ref: "shop 1.0".to_owned(),
            change_key: None,
            service: service.map(str::to_owned),
            environment: None,
            artifact: None,
            commit: None,
            state: None,
            sequence: 0,
            by: PersonId::default(),
            at: Timestamp::UNIX_EPOCH,
            active: true,
        }
    }

    #[test]
    fn a_key_tells_kinds_and_names_apart() {
        let one = key_of(OutsideRunKind::Deployment, "a | 1");
        assert_eq!(one, key_of(OutsideRunKind::Deployment, "a | 1"));
        assert_ne!(one, key_of(OutsideRunKind::Build, "a | 1"));
        assert_ne!(one, key_of(OutsideRunKind::Deployment, "a | 2"));
        assert!(one.len() <= KEY, "{one}");
    }

    #[test]
    fn what_was_said_stays_and_what_was_left_out_may_follow() {
        assert_eq!(differs(&run(None), &run(Some("shop"))), None);
        assert_eq!(differs(&run(Some("shop")), &run(None)), None);
        assert_eq!(
            differs(&run(Some("shop")), &run(Some("bank"))),
            Some(("service", "shop", "bank"))
        );
    }
}
