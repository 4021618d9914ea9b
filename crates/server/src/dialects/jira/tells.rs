//! Code that deployments and builds share: numbers, names of builds, and keys of changes.

use model::gate::build::is_plain_digest;
use serde_json::Value;

use crate::dialects::DialectRequest;
use crate::dialects::api::{Refused, items_of, text_of};
use crate::http::percent::segment;

/// The most entries of one request.
pub(super) const MOST: usize = 100;
/// The most keys that an entry names.
const MOST_KEYS: usize = 100;
/// How the key of a change begins.
const CHANGE: &str = "CHG-";
/// The fewest and the most digits of a commit, whole or short.
const COMMIT: std::ops::RangeInclusive<usize> = 7..=64;

/// The entries of a request.
pub(super) fn entries<'b>(asked: &'b DialectRequest, name: &str) -> Result<&'b [Value], Refused> {
    let entries = items_of(&asked.body[name]);
    if (1..=MOST).contains(&entries.len()) {
        return Ok(entries);
    }
    Err(Refused::field(format!("`{name}` is a list of 1 to {MOST} entries.")))
}

/// A whole number, which some clients write as text.
pub(super) fn number(value: &Value, name: &str) -> Result<i64, Refused> {
    let found = value.as_i64().or_else(|| text_of(value).parse().ok());
    let wrong = || Refused::field(format!("`{name}` is a whole number that is not negative."));
    found.filter(|found| *found >= 0).ok_or_else(wrong)
}

/// A text that must be there; some clients write ids as numbers.
pub(super) fn text(value: &Value, name: &str) -> Result<String, Refused> {
    let found = plain(value);
    if found.is_empty() {
        return Err(Refused::field(format!("`{name}` is missing.")));
    }
    Ok(found)
}

/// A text or a number as text; empty for anything else.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        _ => text_of(value).trim().to_owned(),
    }
}

/// The values of the associations of a kind, and of the field that some clients write in their stead.
pub(super) fn associated<'v>(entry: &'v Value, kinds: &[&str]) -> Vec<&'v Value> {
    let all = items_of(&entry["associations"]).iter();
    let fitting = all.filter(|it| kinds.contains(&text_of(&it["associationType"])));
    let values = fitting.flat_map(|it| items_of(&it["values"]));
    let plain = items_of(&entry["issueKeys"]).iter();
    values.chain(plain.filter(|_| kinds.contains(&"issueKeys"))).collect()
}

/// The keys that an entry names: existing changes, as the API shows them, and the other keys.
pub(super) async fn changes(asked: &DialectRequest, entry: &Value) -> Result<(Vec<Value>, Vec<String>), Refused> {
    let named = associated(entry, &["issueKeys", "issueIdOrKeys"]);
    let named: Vec<&str> = named.into_iter().map(text_of).take(MOST_KEYS).collect();
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for key in named {
        let view = match key.starts_with(CHANGE) {
            true => asked.api.find(&format!("/changes/{}", segment(key))).await?,
            false => None,
        };
        match view {
            Some(view) => found.push(view),
            None => unknown.push(key.to_owned()),
        }
    }
    Ok((found, unknown))
}

/// The build that an entry is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Build {
    pub artifact: Option<String>,
    pub commit: Option<String>,
}

impl Build {
    pub(super) fn is_named(&self) -> bool {
        self.artifact.is_some() || self.commit.is_some()
    }
}

/// The build of a deployment: a digest in its label; a commit among its associations; or the commit in its name as GitLab writes it,
/// `Deployment 5 (main@1f2e3d4c) to production`.
pub(super) fn build_of(entry: &Value) -> Build {
    let label = text_of(&entry["label"]).trim();
    let associated = associated(entry, &["commit"]);
    let mut hashes = associated.iter().map(|it| text_of(&it["commitHash"]));
    let name = text_of(&entry["displayName"]);
    let in_name = name
        .split_once('@')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map(|(commit, _)| commit);
    let commit = hashes.find(|it| is_commit(it)).or(in_name.filter(|it| is_commit(it)));
    Build {
        artifact: is_plain_digest(label).then(|| label.to_owned()),
        commit: commit.map(str::to_owned),
    }
}

/// Whether a text can be a commit, whole or short.
pub(super) fn is_commit(text: &str) -> bool {
    COMMIT.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_build_is_named_by_label_association_or_name() {
        let commit = "1f2e3d4c5b6a79880011223344556677889900aa";
        let associated = json!({"associations": [{"associationType": "commit", "values": [{"commitHash": commit, "repositoryId": "r"}]}]});
        assert_eq!(build_of(&associated).commit.as_deref(), Some(commit));
        let gitlab = json!({"label": "halden/shop-production-5-1f2e3d4c", "displayName": "Deployment 5 (main@1f2e3d4c) to production"});
        assert_eq!(build_of(&gitlab).commit.as_deref(), Some("1f2e3d4c"));
        let digest = format!("sha256:{}", "ab".repeat(32));
        assert_eq!(build_of(&json!({"label": digest})).artifact, Some(digest));
        assert!(!build_of(&json!({"displayName": "#12 of shop@main) x"})).is_named());
    }

    #[test]
    fn keys_come_as_associations_and_as_a_field() {
        let entry = json!({"issueKeys": ["CHG-1"], "associations": [{"associationType": "issueIdOrKeys", "values": ["CHG-2"]},
            {"associationType": "serviceIdOrKeys", "values": ["shop"]}]});
        let keys = |kinds: &[&str]| {
            associated(&entry, kinds)
                .into_iter()
                .map(text_of)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(keys(&["issueKeys", "issueIdOrKeys"]), "CHG-2 CHG-1");
        assert_eq!(keys(&["serviceIdOrKeys"]), "shop");
    }

    #[test]
    fn a_number_may_be_text_and_is_never_negative() {
        assert_eq!(number(&json!("12"), "n").ok(), Some(12));
        assert!(number(&json!(-1), "n").is_err());
        assert!(number(&json!(1.5), "n").is_err());
        assert_eq!(text(&json!(31), "n").ok().as_deref(), Some("31"));
        assert!(text(&json!(" "), "n").is_err());
    }
}
