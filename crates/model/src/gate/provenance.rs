//! Checks that outside systems request, and origins: whether a commit may be merged or deployed, which commit an artifact was
//! built from, and which commits hold the same files.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::ids::{ChangeId, EnvironmentKey, RecordId, ServiceKey};
use crate::core::unmet::Unmet;
use crate::directory::records::LinkRule;
use crate::gate::committers::Committer;
use crate::integration::signal::{DecisionKind, DecisionTexts};

/// The result for the outside system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckReply {
    /// Not yet.
    Waiting,
    /// Yes.
    Approved,
    /// No.
    Rejected,
}

impl CheckReply {
    /// The word itself.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }
}

/// A question of an outside system, answered again by itself when its change moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "outside_check")]
pub struct OutsideCheck {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The connection that asked.
    #[card(column)]
    pub connection: RecordId,
    /// What it wants to know.
    #[card(object)]
    pub ask: DecisionKind,
    /// Names the question for good within the connection; it begins with the repository.
    #[serde(with = "crate::core::typed")]
    #[card(column)]
    pub natural_key: String,
    /// `owner/name` as the engine writes it.
    #[serde(with = "crate::core::typed")]
    pub repository: String,
    /// Our service; of several that are built from the repository the first.
    #[card(column)]
    pub service: ServiceKey,
    /// The other services that are built from the repository.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<ServiceKey>,
    /// For a group of a merge queue: its base commit, which may be that of the group before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Our environment, for deployments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentKey>,
    /// The engine's name for it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::core::typed::option"
    )]
    pub theirs: Option<String>,
    /// The commit.
    #[card(column = "commit_sha")]
    pub commit: String,
    /// The pull or merge request's number; for a group of a merge queue, the number of the request that the group adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub number: Option<u64>,
    /// The address for the result.
    #[serde(with = "crate::core::typed")]
    pub reply_to: String,
    /// The change that it names, by key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
    /// The rule that found the name, such as `title`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_by: Option<String>,
    /// The change that decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column = "change_id")]
    pub change: Option<ChangeId>,
    /// Its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_key: Option<String>,
    /// What we say.
    #[card(object)]
    pub answer: CheckReply,
    /// Why, in words for whoever waits.
    #[card(text)]
    pub text: String,
    /// For a run of Terraform: its stage, such as `pre_apply`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// For a run of Terraform: whether its plan can never be applied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_speculative: bool,
    /// For a run of Terraform: the gate's reasons, each shown separately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub reasons: Vec<Unmet>,
    /// Whether nobody waits any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[card(column)]
    pub is_over: bool,
    /// The time of the request.
    pub at: Timestamp,
}

impl OutsideCheck {
    /// All services that it is about.
    pub fn services(&self) -> impl Iterator<Item = &ServiceKey> {
        std::iter::once(&self.service).chain(&self.others)
    }

    /// Whether it is about a service.
    pub fn is_about(&self, service: &ServiceKey) -> bool {
        self.services().any(|it| it == service)
    }

    /// The service names as text.
    pub fn service_names(&self) -> String {
        self.services().map(ServiceKey::as_str).collect::<Vec<_>>().join(" or ")
    }
}

/// The origin of an artifact or commit, as reported by a signed delivery or a verified attestation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "provenance")]
pub struct Provenance {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save; it is never edited.
    pub version: i64,
    /// The repository, in small letters; empty where the attestation names none.
    #[serde(with = "crate::core::typed")]
    #[card(column)]
    pub repository: String,
    /// The commit.
    #[card(column = "commit_sha")]
    pub commit: String,
    /// Its tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub tree: Option<String>,
    /// The artifact that was made from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub artifact: Option<String>,
    /// The files in the push that brought it; absent where they are not known.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::core::typed::option_list"
    )]
    pub files: Option<Vec<String>>,
    /// The commit before this push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The committers of this push, as the engine names them; absent where no push reported them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub committers: Option<BTreeSet<Committer>>,
    /// Whether the push's list of commits is incomplete.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_partial: bool,
    /// The head of the pull request that this commit merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<String>,
    /// The source: the connection, or the builder's name.
    pub source: String,
    /// When.
    pub at: Timestamp,
}

/// The places where a rule may look.
pub const PLACES: &[&str] = &["trailer", "branch", "title", "body"];

/// The usual rules: a trailer `Change: CHG-1042`, then branch, title and body.
pub fn usual_links() -> Vec<LinkRule> {
    PLACES
        .iter()
        .map(|from| LinkRule {
            from: (*from).to_owned(),
            prefix: None,
        })
        .collect()
}

/// The change that the texts name, with the rule that found it; the first matching rule decides.
pub fn find_change(rules: &[LinkRule], texts: &DecisionTexts) -> Option<(String, String)> {
    let usual;
    let rules = if rules.is_empty() {
        usual = usual_links();
        &usual
    } else {
        rules
    };
    rules.iter().find_map(|rule| {
        let prefix = rule.prefix.as_deref();
        let key = match rule.from.as_str() {
            "trailer" => {
                let name = prefix.unwrap_or("Change");
                trailer(texts.message.as_deref(), name).or_else(|| trailer(texts.body.as_deref(), name))
            }
            "branch" => key_in(texts.branch.as_deref(), prefix),
            "title" => key_in(texts.title.as_deref(), prefix),
            "body" => key_in(texts.body.as_deref(), prefix),
            _ => None,
        };
        key.map(|key| (key, rule.from.clone()))
    })
}

/// The value of a git trailer in the last paragraph of a text.
fn trailer(text: Option<&str>, name: &str) -> Option<String> {
    let text = text?.replace("\r\n", "\n");
    let last = text.trim_end().rsplit("\n\n").next()?.to_owned();
    last.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found
            .trim()
            .eq_ignore_ascii_case(name)
            .then(|| key_in(Some(value.trim()), None))?
    })
}

/// The first key such as `CHG-1042` in a text, in any case of letters, without an adjacent letter or digit; with a prefix, only
/// a key directly after it.
fn key_in(text: Option<&str>, prefix: Option<&str>) -> Option<String> {
    let upper = text?.to_ascii_uppercase();
    let wanted = prefix.unwrap_or_default().to_ascii_uppercase();
    let mut from = 0;
    while let Some(place) = upper[from..].find("CHG-") {
        let start = from + place;
        let digits: String = upper[start + 4..]
            .chars()
            .take_while(char::is_ascii_digit)
            .take(10)
            .collect();
        let end = start + 4 + digits.len();
        let is_apart = !upper[..start].ends_with(|c: char| c.is_ascii_alphanumeric())
            && !upper[end..].starts_with(|c: char| c.is_ascii_alphanumeric());
        let is_prefixed = wanted.is_empty() || upper[..start].ends_with(&wanted);
        if !digits.is_empty() && is_prefixed && (is_apart || !wanted.is_empty()) {
            return Some(format!("CHG-{digits}"));
        }
        from = start + 4;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(branch: &str, title: &str, body: &str, message: &str) -> DecisionTexts {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        DecisionTexts {
            branch: some(branch),
            title: some(title),
            body: some(body),
            message: some(message),
        }
    }

    #[test]
    fn the_first_rule_that_finds_a_change_decides() {
        let found = |texts: &DecisionTexts, rules: &[LinkRule]| find_change(rules, texts);
        let all = texts("chg-1001-fix", "CHG-1002: fix", "See CHG-1003.\n\nChange: chg-1004", "");
        assert_eq!(found(&all, &[]), Some(("CHG-1004".to_owned(), "trailer".to_owned())));
        let rule = |from: &str, prefix: Option<&str>| LinkRule {
            from: from.to_owned(),
            prefix: prefix.map(str::to_owned),
        };
        let of = |rules: &[LinkRule]| found(&all, rules).map(|found| found.0);
        assert_eq!(of(&[rule("branch", None)]).as_deref(), Some("CHG-1001"));
        assert_eq!(of(&[rule("title", None)]).as_deref(), Some("CHG-1002"));
        assert_eq!(of(&[rule("body", Some("see "))]).as_deref(), Some("CHG-1003"));
        assert_eq!(of(&[rule("branch", Some("change/"))]), None);
        let message = texts("", "", "", "Fix\n\nChange: CHG-7\nSigned-off-by: a\n");
        assert_eq!(found(&message, &[]).map(|it| it.0).as_deref(), Some("CHG-7"));
    }

    #[test]
    fn what_only_looks_like_a_key_names_nothing() {
        for text in ["XCHG-1", "CHG-", "CHG-1a", "CHGG-1", "EXCHG-22"] {
            assert_eq!(find_change(&[], &texts(text, text, text, "")), None, "{text}");
        }
        assert_eq!(
            find_change(&[], &texts("feature/CHG-12_x", "", "", ""))
                .map(|it| it.0)
                .as_deref(),
            Some("CHG-12")
        );
    }
}
