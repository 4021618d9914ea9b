//! Compares two versions of a change's content, field by field, with the last editor of each field. The versions are
//! rebuilt from the change's own events, so only the log must be trusted.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use model::change::change_file::ChangeFile;
use model::change::record::Change;
use model::change::related_records::Approval;
use model::core::act::actions::READ;
use model::core::ids::PersonId;
use model::core::refusal::{FieldChange, Refusal};
use model::core::statement::Stated;
use proof::diff::{self, RecordDelta};
use serde::Serialize;
use serde_json::Value;
use store::audit::{event, salts};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::field_changes;
use crate::core::show_timeline::opened;

/// The most versions that are kept for comparison; of a change with more, the newest.
const MOST_VERSIONS: usize = 100;
/// The name of the version that the acting person last decided about.
pub const MINE: &str = "mine";

/// A version of a change's content: it begins with the event after which the content digest differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContentVersion {
    /// Counts from 1.
    pub number: usize,
    /// The content digest, which an approval names.
    pub digest: String,
    /// The author of the version.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The id of the event that made it.
    pub event: String,
}

/// A field in which two versions differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edited {
    /// Which field, before and after.
    #[serde(flatten)]
    pub change: FieldChange,
    /// The last editor of the field.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// Two versions of a change and their differences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// All versions, the oldest first.
    pub versions: Vec<ContentVersion>,
    /// The number of the older one.
    pub from: usize,
    /// The number of the newer one.
    pub to: usize,
    /// Each field that differs, in the order of names.
    pub edits: Vec<Edited>,
    /// The questions with which the change was returned between the two versions, the oldest first: they explain the
    /// edits.
    pub questions: Vec<Stated>,
}

/// The versions of a change, with the sealed content of the newest, and the last editor of each member after each of
/// them.
#[derive(Default)]
struct History {
    versions: Vec<ContentVersion>,
    sealed: VecDeque<(usize, Value)>,
    writers: Vec<(usize, String, PersonId, Timestamp)>,
    /// The questions with which it was returned, sealed, the oldest first.
    questions: Vec<Value>,
}

/// Compares two versions of a change by its key (`GET /changes/{key}/versions`). `from` is a number or [`MINE`];
/// without it, the version that the acting person decided about, otherwise the one before `to`. `to` is a number;
/// without it, the newest.
///
/// # Errors
/// 403, 404, 422 for a version that there is not or that is too old, or the store's.
pub fn compare_versions(
    cx: &mut Context<'_, '_>,
    key: &str,
    (from, to): (Option<&str>, Option<&str>),
) -> Result<Comparison> {
    cx.allow(READ)?;
    let file = cx.file(key)?;
    let history = history(cx, &file.change)?;
    let newest = history.versions.len();
    let to = match to {
        Some(text) => history.number("to", text)?,
        None => newest,
    };
    let mine = last_decision(&file, &cx.actor.person).and_then(|it| history.with_digest(&it.content_digest));
    let from = match (from, mine) {
        (Some(MINE), Some(mine)) | (None, Some(mine)) if mine <= to => mine,
        (Some(MINE), _) => {
            return Err(wrong("from", "You have not decided about this change before that version.").into());
        }
        (Some(text), _) => history.number("from", text)?,
        (None, _) => to.saturating_sub(1).max(1),
    };
    if from > to {
        return Err(wrong("from", "The version `from` is older than the version `to`.").into());
    }
    compare(cx, &file, history, (from, to))
}

/// The differences of a change since this person last decided about it; none if the person never did, or if the content
/// is the same.
///
/// # Errors
/// The store's.
pub fn since_decision(cx: &mut Context<'_, '_>, file: &ChangeFile, person: &PersonId) -> Result<Option<Comparison>> {
    let Some(decided) = last_decision(file, person) else {
        return Ok(None);
    };
    if decided.content_digest == file.change.digests.content {
        return Ok(None);
    }
    let history = history(cx, &file.change)?;
    let Some(from) = history.with_digest(&decided.content_digest) else {
        return Ok(None);
    };
    let to = history.versions.len();
    if !history.is_kept(from) || from >= to {
        return Ok(None);
    }
    compare(cx, file, history, (from, to)).map(Some)
}

/// The last question with which a change was returned, even if resolved since; none if the change was never returned.
///
/// # Errors
/// The store's.
pub fn last_question(cx: &mut Context<'_, '_>, change: &Change) -> Result<Option<Stated>> {
    if let Some(returned) = &change.returned {
        return Ok(Some(returned.clone()));
    }
    let events = event::of_subject(cx.tx, "change", change.id.as_str())?;
    if !events.iter().any(|it| it.kind == "change.returned") {
        return Ok(None);
    }
    let history = history(cx, change)?;
    Ok(questions(cx, change, &history)?.pop())
}

/// The last decision of a person about a change, even if it no longer counts.
#[must_use]
pub fn last_decision<'f>(file: &'f ChangeFile, person: &PersonId) -> Option<&'f Approval> {
    let own = file.approvals.iter().filter(|it| it.person == *person);
    own.max_by_key(|it| it.at)
}

/// The parts of a field in which two values differ, each with its path: the form in which log entries show plans and
/// targets.
#[must_use]
pub fn parts(field: &str, before: Option<&Value>, after: Option<&Value>) -> Vec<FieldChange> {
    field_changes::parts(field, before, after)
}

impl History {
    fn with_digest(&self, digest: &str) -> Option<usize> {
        let found = self.versions.iter().rev().find(|it| it.digest == digest);
        found.map(|it| it.number)
    }

    fn is_kept(&self, number: usize) -> bool {
        self.sealed.iter().any(|(it, _)| *it == number)
    }

    fn number(&self, field: &str, text: &str) -> Result<usize> {
        let newest = self.versions.len();
        let number = text.parse::<usize>().ok().filter(|it| (1..=newest).contains(it));
        let Some(number) = number else {
            return Err(wrong(field, &format!("`{field}` is a version from 1 to {newest}.")).into());
        };
        match self.is_kept(number) {
            true => Ok(number),
            false => Err(wrong(
                field,
                &format!("Only the newest {MOST_VERSIONS} versions are compared."),
            )
            .into()),
        }
    }
}

fn wrong(field: &str, text: &str) -> Refusal {
    Refusal::field(field, "unknown", text)
}

fn history(cx: &mut Context<'_, '_>, change: &Change) -> Result<History> {
    let mut found = History::default();
    let mut sealed: Option<Value> = None;
    for row in event::of_record(cx.tx, "change", change.id.as_str())? {
        let (event, _) = opened(cx, &row)?;
        let of_change = |delta: &&RecordDelta| delta.table == "change" && delta.id == change.id.0;
        let Some(delta) = event.records.iter().find(of_change) else {
            continue;
        };
        let next = diff::apply(delta, sealed.as_ref())?;
        if let Some(asked) = delta.set.get("returned") {
            found.questions.push(asked.clone());
        }
        let digest = next["digests"]["content"].as_str().unwrap_or_default().to_owned();
        if found.versions.last().is_none_or(|it| it.digest != digest) {
            let (number, by) = (found.versions.len() + 1, PersonId::from(event.actor.as_str()));
            let names = delta.set.keys().chain(&delta.unset);
            found
                .writers
                .extend(names.map(|name| (number, name.clone(), by.clone(), row.occurred_at)));
            found.versions.push(ContentVersion {
                number,
                digest,
                by,
                at: row.occurred_at,
                event: row.id.clone(),
            });
            found.sealed.push_back((number, next.clone()));
            if found.sealed.len() > MOST_VERSIONS {
                found.sealed.pop_front();
            }
        }
        sealed = Some(next);
    }
    Ok(found)
}

fn compare(
    cx: &mut Context<'_, '_>,
    file: &ChangeFile,
    history: History,
    (from, to): (usize, usize),
) -> Result<Comparison> {
    let (old, new) = (
        version(cx, &file.change, &history, from)?,
        version(cx, &file.change, &history, to)?,
    );
    let between = history
        .writers
        .iter()
        .filter(|(number, ..)| from < *number && *number <= to);
    let last: BTreeMap<&str, (&PersonId, Timestamp)> =
        between.map(|(_, name, by, at)| (name.as_str(), (by, *at))).collect();
    let newest = &history.versions[to - 1];
    let edited = |change: FieldChange| {
        // The editor of the member that contains the field; the owner of a step is inside its plan.
        let member = change.field.split(['.', '[']).next().unwrap_or_default();
        let (by, at) = last.get(member).copied().unwrap_or((&newest.by, newest.at));
        Edited {
            by: by.clone(),
            at,
            change,
        }
    };
    let differences = field_changes::between(&old, &new, &*cx.directory()?);
    let (begin, end) = (history.versions[from - 1].at, newest.at);
    let questions = questions(cx, &file.change, &history)?;
    let questions = questions.into_iter().filter(|it| begin <= it.at && it.at <= end);
    Ok(Comparison {
        edits: differences.into_iter().map(edited).collect(),
        from,
        to,
        questions: questions.collect(),
        versions: history.versions,
    })
}

/// The questions of all returns, their texts opened, the oldest first.
fn questions(cx: &mut Context<'_, '_>, change: &Change, history: &History) -> Result<Vec<Stated>> {
    if history.questions.is_empty() {
        return Ok(Vec::new());
    }
    let texts = salts::of_record(cx.tx, "change", change.id.as_str())?;
    let mut found = Vec::new();
    for sealed in &history.questions {
        let mut value = sealed.clone();
        field_changes::open(&mut value, &texts);
        found.push(serde_json::from_value(value)?);
    }
    Ok(found)
}

/// The change in a kept version, its texts opened.
fn version(cx: &mut Context<'_, '_>, change: &Change, history: &History, number: usize) -> Result<Change> {
    let kept = history.sealed.iter().find(|(it, _)| *it == number);
    let mut value = kept.map(|(_, value)| value.clone()).unwrap_or_default();
    field_changes::open(&mut value, &salts::of_record(cx.tx, "change", change.id.as_str())?);
    Ok(serde_json::from_value(value)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    fn history() -> History {
        let version = |number: usize| ContentVersion {
            number,
            digest: format!("sha256:{}", number % 3),
            by: PersonId::from("rita"),
            at: Timestamp::UNIX_EPOCH,
            event: number.to_string(),
        };
        History {
            versions: (1..=5).map(version).collect(),
            sealed: (3..=5).map(|number| (number, json!({}))).collect(),
            ..History::default()
        }
    }

    #[test]
    fn a_digest_that_came_back_is_its_newest_version() {
        assert_eq!(history().with_digest("sha256:1"), Some(4));
        assert_eq!(history().with_digest("sha256:9"), None);
    }

    #[test]
    fn a_version_that_there_is_not_or_that_is_too_old_is_refused_with_what_there_is() {
        for text in ["0", "6", "x", "-1", ""] {
            let refused = history().number("from", text).unwrap_err();
            assert!(format!("{refused:?}").contains("1 to 5"), "{text}: {refused:?}");
        }
        let old = history().number("from", "2").unwrap_err();
        assert!(format!("{old:?}").contains("newest"), "{old:?}");
        assert_eq!(history().number("from", "3").ok(), Some(3));
    }
}
