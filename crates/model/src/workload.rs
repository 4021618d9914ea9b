//! Workloads: jobs of other people's pipelines, which show a token of their platform instead of a stored secret. What is
//! trusted is written down claim by claim: anybody in the world can have a token of a public platform.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::{PersonId, RecordId};
use crate::words::Role;

/// Which jobs of a platform are let in, as whom, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// `github-main`: stands in its address.
    pub key: String,
    /// A name for people.
    pub name: String,
    /// The platform's issuer, letter for letter as its tokens name it.
    pub issuer: String,
    /// For whom its tokens must be meant.
    pub meant_for: String,
    /// What its tokens must say: for each claim the patterns of which one must fit. `*` stands for anything.
    pub claims: BTreeMap<String, BTreeSet<String>>,
    /// The person for whom its jobs speak.
    pub person: PersonId,
    /// Who answers for it.
    pub owner: PersonId,
    /// What its jobs may do: `read`, `write`, `gate`, `audit`.
    pub scopes: BTreeSet<String>,
    /// The roles that they carry of the person's; absent for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<BTreeSet<Role>>,
    /// How long one is let in for one token of the platform, in minutes.
    pub minutes: i64,
    /// Whether anybody is let in.
    pub active: bool,
}

impl Workload {
    /// The claim that does not fit, if there is one.
    pub fn misfit(&self, told: &Map<String, Value>) -> Option<&str> {
        let fits = |(name, patterns): (&String, &BTreeSet<String>)| {
            let text = told.get(name).and_then(text_of);
            text.is_some_and(|text| patterns.iter().any(|pattern| fits(pattern, &text)))
        };
        self.claims
            .iter()
            .find(|row| !fits(*row))
            .map(|(name, _)| name.as_str())
    }
}

/// The value of a claim as patterns see it. Lists and objects fit nothing.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether a text fits a pattern in which `*` stands for any run of characters. The time is bounded by the product of
/// their lengths.
pub fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    #[test]
    fn patterns_fit_whole_texts() {
        for (pattern, text, is_so) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a", "", false),
            ("*", "", true),
            ("refs/tags/*", "refs/tags/v1", true),
            ("refs/tags/*", "refs/heads/refs/tags/v1", false),
            ("acme/*-api", "acme/booking-api", true),
            ("acme/*-api", "acme/booking-api-evil", false),
            ("acme/*", "acme-evil/x", false),
            ("*a*b*", "xaybz", true),
            ("*a*b*", "xbya", false),
            ("ab*ba", "aba", false),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(fits(pattern, text), is_so, "{pattern} {text}");
        }
    }

    #[test]
    fn every_claim_must_fit_and_be_there() {
        let workload: Workload = serde_json::from_value(json!({
            "id": "w", "version": 1, "key": "k", "name": "n", "issuer": "https://i.example", "meant_for": "a",
            "claims": {"repository": ["acme/api", "acme/web"], "ref_protected": ["true"]},
            "person": "p", "owner": "o", "scopes": ["gate"], "minutes": 15, "active": true,
        }))
        .unwrap();
        let misfit = |value: Value| workload.misfit(value.as_object().unwrap()).map(str::to_owned);
        assert_eq!(misfit(json!({"repository": "acme/web", "ref_protected": true})), None);
        assert_eq!(misfit(json!({"repository": "acme/web", "ref_protected": "true"})), None);
        assert_eq!(
            misfit(json!({"repository": "acme/web"})).as_deref(),
            Some("ref_protected")
        );
        assert_eq!(
            misfit(json!({"repository": ["acme/web"], "ref_protected": true})).as_deref(),
            Some("repository")
        );
        assert_eq!(
            misfit(json!({"repository": "evil/web", "ref_protected": true})).as_deref(),
            Some("repository")
        );
    }
}
