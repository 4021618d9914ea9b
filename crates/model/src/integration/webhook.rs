//! Outgoing webhooks: the outside addresses that receive events.

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::ids::{PersonId, RecordId, ServiceKey};

/// The format of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFormat {
    /// Signed events (CloudEvents, Standard Webhooks).
    #[default]
    Events,
    /// A decision card for an incoming webhook of Slack; its address is the secret.
    Slack,
    /// A decision card for an incoming webhook of Microsoft Teams; its address is the secret.
    Teams,
}

impl WebhookFormat {
    /// Whether it is the usual one.
    pub fn is_usual(&self) -> bool {
        *self == Self::Events
    }
}

/// A chat message about a change: plain texts, and one link that navigates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The news in one sentence.
    pub news: String,
    /// The change's title.
    pub title: String,
    /// The main facts for a decision, each with its name.
    pub facts: Vec<(String, String)>,
    /// The questions of the decision card, each with the lines of its answer.
    pub answers: Vec<(String, Vec<String>)>,
    /// The change's page.
    pub link: String,
}

/// The hours for which both secrets sign after a replacement.
pub const BOTH_SIGN_HOURS: i64 = 24;
/// The days for which an event is retried.
pub const TRIED_DAYS: i64 = 7;
/// The days for which an ended delivery is kept, and can be sent again.
pub const KEPT_DAYS: i64 = 30;
/// The longest pause between two tries, in seconds: a receiver that is back gets the event within this time.
pub const LONGEST_PAUSE_SECONDS: i64 = 300;

/// An address outside that is told of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "webhook")]
pub struct Webhook {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// A name for people.
    #[card(column, text)]
    pub name: String,
    /// Where events are posted. It may hold a token of the receiver's, so the log has only its commitment; of a chat's
    /// address only the beginning stands here, as the whole of it is the secret.
    #[card(text)]
    pub url: String,
    /// In which form.
    #[serde(default, skip_serializing_if = "WebhookFormat::is_usual")]
    #[card(object)]
    pub format: WebhookFormat,
    /// Limits the events to changes of these services; all by default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServiceKey>,
    /// The kinds of event: `change.approved`, `change.*` or `*`.
    pub kinds: Vec<String>,
    /// The person notified of a failure.
    pub owner: PersonId,
    /// Whether it is told of events.
    #[card(column)]
    pub active: bool,
    /// When its secret was last replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<Timestamp>,
}

impl Webhook {
    /// Whether it receives events of this kind.
    pub fn wants(&self, kind: &str) -> bool {
        fits(&self.kinds, kind)
    }

    /// Whether the secret before the present one still signs.
    pub fn both_sign(&self, now: Timestamp) -> bool {
        self.rotated_at
            .is_some_and(|at| now < at + SignedDuration::from_hours(BOTH_SIGN_HOURS))
    }
}

/// Whether a kind of event fits one of the patterns.
#[must_use]
pub fn fits(patterns: &[String], kind: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => kind.starts_with(beginning),
        None => pattern == kind,
    })
}

/// Whether a text is a pattern for event kinds: names with dots between them, the last of which may be `*`.
pub fn is_pattern(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if text == "*" {
        return true;
    }
    let body = text.strip_suffix(".*").unwrap_or(text);
    body.split('.').all(is_word)
}

/// The pause after so many failed tries: 1 s, 4 s, 16 s, 64 s, then [`LONGEST_PAUSE_SECONDS`].
pub fn pause(tries: i64) -> SignedDuration {
    let doubled = u32::try_from(tries.clamp(1, 8) - 1).unwrap_or_default();
    SignedDuration::from_secs(4_i64.pow(doubled).min(LONGEST_PAUSE_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_say_which_kinds() {
        let mut hook = Webhook {
            id: RecordId::from("w"),
            version: 1,
            name: "x".to_owned(),
            url: "https://example.org".to_owned(),
            format: WebhookFormat::Events,
            services: Vec::new(),
            kinds: vec!["change.*".to_owned(), "permit.revoked".to_owned()],
            owner: PersonId::from("p"),
            active: true,
            rotated_at: None,
        };
        assert!(hook.wants("change.approved") && hook.wants("permit.revoked"));
        assert!(!hook.wants("changes.approved") && !hook.wants("permit.issued"));
        hook.kinds = vec!["*".to_owned()];
        assert!(hook.wants("anything.at_all"));
        for good in ["*", "change.*", "change.approved", "deployment.unauthorized"] {
            assert!(is_pattern(good), "{good}");
        }
        for bad in [
            "",
            ".",
            "change*",
            "*.approved",
            "Change.approved",
            "change..x",
            "change.*.x",
        ] {
            assert!(!is_pattern(bad), "{bad}");
        }
    }

    #[test]
    fn pauses_grow_to_five_minutes() {
        let seconds: Vec<i64> = (1..=7).map(|tries| pause(tries).as_secs()).collect();
        assert_eq!(seconds, [1, 4, 16, 64, 256, 300, 300]);
    }
}
