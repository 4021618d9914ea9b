//! The permits of the database beside those that the log issued: deleted, forged, backdated or altered ones.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proof::commitment::commitment_of;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::compliance::run_trail::LoggedPermit;

/// How much earlier than its event a permit's own time of issue may be: clocks of servers differ.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// The fault of a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PermitFault {
    /// The log issued it and the database no longer has it.
    Deleted,
    /// The database has it and the log never issued it.
    Forged,
    /// Its own time of issue, or its begin, is before its real issue.
    Backdated,
    /// Something else of it is not as the log has it.
    Altered,
}

impl PermitFault {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Forged => "forged",
            Self::Backdated => "backdated",
            Self::Altered => "altered",
        }
    }
}

/// A permit that is not as the log has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PermitFinding {
    /// The fault.
    pub kind: PermitFault,
    /// Its id.
    pub permit: String,
    /// The key of the change that it names.
    pub change: String,
    /// When the log issued it. Unknown for a forged permit, whatever time the permit itself has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The finding as text.
    pub text: String,
}

/// A permit's row: its members, or `None` where the row cannot be read.
pub type PermitRows = BTreeMap<String, Option<Map<String, Value>>>;

/// Compares the permits of the log with the rows of the database, in the order of their ids.
#[must_use]
pub fn permit_findings(log: &BTreeMap<String, LoggedPermit>, rows: &PermitRows) -> Vec<PermitFinding> {
    let mut found = Vec::new();
    for (id, logged) in log {
        let finding = match rows.get(id) {
            None => Some((
                PermitFault::Deleted,
                "The log records this permit, but the database does not have it.".to_owned(),
            )),
            Some(None) => Some((PermitFault::Altered, "The row of the permit cannot be read.".to_owned())),
            Some(Some(row)) => differs(logged, row),
        };
        if let Some((kind, text)) = finding.or_else(|| is_early(logged)) {
            found.push(PermitFinding {
                kind,
                permit: id.clone(),
                change: text_member(&logged.members, "change_key"),
                at: Some(logged.at),
                text,
            });
        }
    }
    for (id, row) in rows.iter().filter(|(id, _)| !log.contains_key(*id)) {
        let empty = Map::new();
        let members = row.as_ref().unwrap_or(&empty);
        found.push(PermitFinding {
            kind: PermitFault::Forged,
            permit: id.clone(),
            change: text_member(members, "change_key"),
            at: None,
            text: match time(members, "issued_at") {
                Some(said) => format!("The log does not record this permit. Its own time of issue is {said}."),
                None => "The log does not record this permit.".to_owned(),
            },
        });
    }
    found
}

fn text_member(members: &Map<String, Value>, name: &str) -> String {
    members.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn time(members: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    members.get(name)?.as_str()?.parse().ok()
}

/// The first member in which a row is not as the log has it. Texts are sealed in the log and not compared here.
fn differs(logged: &LoggedPermit, row: &Map<String, Value>) -> Option<(PermitFault, String)> {
    for name in ["issued_at", "not_before"] {
        let (said, issued) = (time(row, name), time(&logged.members, name));
        if let (Some(said), Some(issued)) = (said, issued)
            && said < issued
        {
            let text = format!("The `{name}` of the permit is {said}; the log has {issued}.");
            return Some((PermitFault::Backdated, text));
        }
    }
    let is_told = |name: &str| !matches!(name, "id" | "version");
    let other = logged
        .members
        .iter()
        .find(|(name, value)| is_told(name) && commitment_of(value).is_none() && row.get(*name) != Some(*value));
    let added = row
        .keys()
        .find(|name| is_told(name) && !logged.members.contains_key(*name));
    let name = other.map(|(name, _)| name).or(added)?;
    Some((
        PermitFault::Altered,
        format!("The `{name}` of the permit differs from the log."),
    ))
}

/// A permit whose own event names a time of issue before that event.
fn is_early(logged: &LoggedPermit) -> Option<(PermitFault, String)> {
    let issued = time(&logged.members, "issued_at")?;
    let is_early = logged.at.duration_since(issued) > TOLERANCE;
    let text = || {
        format!(
            "The permit was issued at {issued}, but its event in the log is from {}.",
            logged.at
        )
    };
    is_early.then(|| (PermitFault::Backdated, text()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use proof::commitment::{SALT_BYTES, commit, sealed_text};
    use serde_json::json;

    use super::*;

    fn members(issued_at: &str) -> Map<String, Value> {
        let value = json!({"change_key": "CHG-1", "issued_at": issued_at, "not_before": issued_at, "state": "issued"});
        value.as_object().unwrap().clone()
    }

    fn kinds(log: &[(&str, &str, &str)], rows: &[(&str, Option<Map<String, Value>>)]) -> Vec<(&'static str, String)> {
        let log = log.iter().map(|(id, issued_at, at)| {
            let logged = LoggedPermit {
                members: members(issued_at),
                at: at.parse().unwrap(),
            };
            ((*id).to_owned(), logged)
        });
        let rows = rows.iter().map(|(id, row)| ((*id).to_owned(), row.clone()));
        let found = permit_findings(&log.collect(), &rows.collect());
        found.into_iter().map(|it| (it.kind.as_str(), it.permit)).collect()
    }

    #[test]
    fn each_fault_is_named_with_its_kind() {
        let at = "2026-11-20T08:00:00Z";
        let mut revoked = members(at);
        revoked.insert("state".to_owned(), json!("revoked"));
        let found = kinds(
            &[
                ("a", at, at),
                ("b", at, at),
                ("c", at, at),
                ("d", at, at),
                ("e", at, at),
            ],
            &[
                ("a", Some(members(at))),
                ("c", Some(members("2026-11-19T08:00:00Z"))),
                ("d", Some(revoked)),
                ("e", None),
                ("z", Some(members(at))),
            ],
        );
        let wanted = [
            ("deleted", "b"),
            ("backdated", "c"),
            ("altered", "d"),
            ("altered", "e"),
            ("forged", "z"),
        ];
        assert_eq!(found, wanted.map(|(kind, id)| (kind, id.to_owned())));
    }

    #[test]
    fn a_forged_permit_has_no_time_whatever_it_says() {
        for said in ["1999-01-01T00:00:00Z", "2099-01-01T00:00:00Z"] {
            let rows = [("z".to_owned(), Some(members(said)))];
            let found = permit_findings(&BTreeMap::new(), &rows.into());
            assert_eq!((found.len(), found[0].at), (1, None));
            assert!(found[0].text.contains(said), "{}", found[0].text);
        }
    }

    #[test]
    fn a_permit_that_was_issued_with_an_earlier_date_is_backdated_by_its_own_event() {
        let (said, at) = ("2026-11-20T07:00:00Z", "2026-11-20T08:00:00Z");
        assert_eq!(
            kinds(&[("a", said, at)], &[("a", Some(members(said)))]),
            [("backdated", "a".to_owned())]
        );
        let close = "2026-11-20T07:59:00Z";
        assert!(kinds(&[("a", close, at)], &[("a", Some(members(close)))]).is_empty());
    }

    #[test]
    fn a_sealed_text_is_not_compared() {
        let mut logged = members("2026-11-20T08:00:00Z");
        let at = "2026-11-20T08:00:00Z".parse().unwrap();
        let mut row = logged.clone();
        let sealed = sealed_text(&commit(&[7; SALT_BYTES], "Wrong build"));
        logged.insert("revoked_reason".to_owned(), sealed);
        row.insert("revoked_reason".to_owned(), json!("Wrong build"));
        let log = BTreeMap::from([("a".to_owned(), LoggedPermit { members: logged, at })]);
        let rows = BTreeMap::from([("a".to_owned(), Some(row))]);
        assert!(permit_findings(&log, &rows).is_empty());
    }
}
