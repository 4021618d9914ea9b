//! Verdicts of canary analysis while a change is watched: another system compares the new version with the old one.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event};
use crate::core::enums::WatchResult;
use crate::core::ids::{EnvironmentKey, RecordId, ServiceKey};
use crate::verbs;

/// The longest text, in characters.
pub const TEXT: usize = 2_000;

/// A verdict of an outside system on a change while it was watched. An inconclusive one is no pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct WatchVerdict {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The key of the change.
    #[card(column)]
    pub change: String,
    /// The id of the connection.
    pub connection: RecordId,
    /// The digest of the connection and the sender's own key: the same verdict again is the same record.
    #[card(column)]
    pub natural_key: String,
    /// The thing that was judged, in the words of its sender.
    pub judged: String,
    /// The service.
    pub service: ServiceKey,
    /// The environment.
    pub environment: EnvironmentKey,
    /// What it came to.
    #[card(words)]
    pub result: WatchResult,
    /// What the sender says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text)]
    pub text: Option<String>,
    /// When it was reached.
    #[card(column)]
    pub at: Timestamp,
}

/// Nothing: verdicts are told by outside systems.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct WatchVerdictInput {}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "watch-verdict",
    columns: &["at", "change", "result", "service", "environment", "judged", "id"],
    verbs: verbs! {
        List "list_watch_verdicts" at "/watch-verdicts" may READ => "List canary verdicts on changes that were watched";
        Show "show_watch_verdict" at "/watch-verdicts/{id}" may READ => "Show a canary verdict";
    },
    events: &[Event::new(
        "watch_verdict.taken",
        "eye",
        "received a canary verdict on a change",
    )],
    ..Card::of::<WatchVerdict, WatchVerdictInput>("watch_verdict", "Canary verdicts")
};

/// Whether the last verdict on each thing that was judged is a pass, in each of its places; true where there is none. Of two at one
/// instant the one that is no pass counts.
pub fn are_passed<'v>(verdicts: impl IntoIterator<Item = &'v WatchVerdict>) -> bool {
    let mut last = std::collections::BTreeMap::new();
    for it in verdicts {
        let thing = (&it.connection, &it.judged, &it.service, &it.environment);
        let known = last.entry(thing).or_insert(it);
        if it.at > known.at || it.at == known.at && it.result != WatchResult::Passed {
            *known = it;
        }
    }
    last.values().all(|it| it.result == WatchResult::Passed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    fn verdict(judged: &str, result: WatchResult, second: i64) -> WatchVerdict {
        let at = Timestamp::from_second(1_800_000_000 + second).unwrap();
        serde_json::from_value(
            json!({"id": "v", "version": 1, "change": "CHG-1", "connection": "c", "natural_key": "k",
            "judged": judged, "service": "pay", "environment": "production", "result": result, "at": at}),
        )
        .unwrap()
    }

    #[test]
    fn the_last_verdict_on_each_thing_counts_and_an_inconclusive_one_is_no_pass() {
        use WatchResult::{Failed, Inconclusive, Passed};
        assert!(are_passed(&[]));
        assert!(are_passed(&[verdict("a", Failed, 1), verdict("a", Passed, 2)]));
        assert!(are_passed(&[verdict("a", Passed, 2), verdict("a", Failed, 1)]));
        assert!(!are_passed(&[verdict("a", Passed, 1), verdict("a", Inconclusive, 2)]));
        assert!(!are_passed(&[verdict("a", Passed, 1), verdict("b", Failed, 1)]));
        assert!(!are_passed(&[verdict("a", Failed, 1), verdict("a", Passed, 1)]));
        // A pass elsewhere stands for itself.
        let mut staged = verdict("a", Passed, 2);
        staged.environment = "staging".into();
        assert!(!are_passed(&[verdict("a", Failed, 1), staged]));
    }
}
