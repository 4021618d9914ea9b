//! Probes: addresses that the product queries for a fact of a checklist, such as the age of the last backup that was restored.

use derive::{Described, Noun};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::SET_CONNECTION;
use crate::core::card::{Card, Event, Page};
use crate::core::enums::ProbeReads;
use crate::core::ids::{GroupKey, RecordId};
use crate::core::parse::{LINE, Reading};
use crate::core::percent::encoded;
use crate::verbs;

/// The longest address, in characters.
pub const URL: usize = 1_000;
/// The most probes of a tenant.
pub const MOST: usize = 100;

/// An address that is asked for a fact of a checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct Probe {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The key used in rules: restored-backup.
    #[card(column)]
    pub key: String,
    /// The title, in one line.
    #[card(text)]
    pub title: String,
    /// The address; {service} and {environment} are replaced by those of the target.
    #[card(most = URL, text, label = "Address")]
    pub url: String,
    /// The JSON pointer of the value in the response, such as /restored/age (RFC 6901).
    pub pointer: String,
    /// The title of the value.
    #[card(words)]
    pub reads: ProbeReads,
    /// The group that maintains the address.
    #[card(optional)]
    pub owner: GroupKey,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// An address that is asked for a fact of a checklist.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct ProbeInput {
    /// The key used in rules: restored-backup.
    #[card(positional, example = "restored-backup")]
    pub key: String,
    /// The title, in one line.
    #[card(text, example = "The last backup that was restored")]
    pub title: String,
    /// The address; {service} and {environment} are replaced by those of the target.
    #[card(most = URL, text, label = "Address", example = "https://backups.example/{service}/{environment}")]
    pub url: String,
    /// The JSON pointer of the value in the response, such as /restored/age (RFC 6901).
    #[card(example = "/restored/age_hours")]
    pub pointer: String,
    /// The title of the value.
    #[card(words, example = "age_hours")]
    pub reads: ProbeReads,
    /// The group that maintains the address.
    #[card(refers = "group", example = "security")]
    pub owner: GroupKey,
}

/// The card.
pub const CARD: Card = Card {
    tag: "administration",
    patch: "ProbePatch",
    columns: &["id", "key", "title", "url", "pointer", "reads", "owner"],
    verbs: verbs! {
        List "list_probes" at "/probes" may "set_connection | audit" => "List the checklist probes";
        Add "add_probe" at "/probes" may SET_CONNECTION => "Add a checklist probe";
        Show "show_probe" at "/probes/{id}" may "set_connection | audit" => "Show a probe";
        Edit "edit_probe" at "/probes/{id}" may SET_CONNECTION => "Change a probe";
        End "end_probe" at "/probes/{id}" may SET_CONNECTION => "Retire a probe";
    },
    events: &[
        Event::new("probe.added", "eye", "added a checklist probe"),
        Event::new("probe.edited", "edit", "changed a checklist probe"),
        Event::new("probe.ended", "x", "retired a checklist probe"),
    ],
    page: Some(Page {
        path: "/probes",
        byline: "Addresses that are queried for checklist facts, such as the age of the last restored backup.",
        empty: "No probes are defined.",
        labels: ["Add a probe", "Change it", "Retire it"],
    }),
    ..Card::of::<Probe, ProbeInput>("probe", "Probes")
};

/// The rules of a probe's fields: a key that policies can name, an address over HTTP, a pointer.
pub fn check(reading: &mut Reading<'_>, input: &ProbeInput) {
    let is_key = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    if reading.says("key") && (!is_key(&input.key) || input.key.len() > 64) {
        let text = "`key` has at most 64 letters, digits, `-`, `_` and `.`.";
        reading.wrong("key", "not_a_key", text);
    }
    let is_web = input.url.starts_with("https://") || input.url.starts_with("http://");
    if reading.says("url") && !input.url.is_empty() && !is_web {
        reading.wrong("url", "not_an_address", "`url` begins with `https://` or `http://`.");
    }
    if reading.says("pointer") && !input.pointer.is_empty() && !input.pointer.starts_with('/') {
        let text = "`pointer` begins with `/`, as in `/restored/age_hours` (RFC 6901).";
        reading.wrong("pointer", "not_a_pointer", text);
    }
    if input.pointer.len() > LINE {
        reading.wrong(
            "pointer",
            "too_long",
            format!("`pointer` has at most {LINE} characters."),
        );
    }
}

impl Probe {
    /// The address for a place, with its names escaped.
    pub fn address(&self, service: &str, environment: &str) -> String {
        let url = self.url.replace("{service}", &encoded(service));
        url.replace("{environment}", &encoded(environment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_a_place_stay_names_in_an_address() {
        let probe = Probe {
            id: RecordId::default(),
            version: 1,
            key: "backup".to_owned(),
            title: String::new(),
            url: "https://b.example/{service}/{environment}?x=1".to_owned(),
            pointer: "/age".to_owned(),
            reads: ProbeReads::AgeHours,
            owner: GroupKey::from("dba"),
            active: true,
        };
        let address = probe.address("a/../b?c", "production");
        assert_eq!(address, "https://b.example/a%2F..%2Fb%3Fc/production?x=1");
    }
}
