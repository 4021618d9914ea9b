//! Other systems in which changes are still led: the connection by which their changes are read, and the mapping of their
//! values. Nothing is written there except the copies of changes that Assent leads, if a system mirrors them.

use std::collections::BTreeMap;

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use proof::crypto::digest_text;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::SET_CONNECTION;
use crate::core::card::{Card, Event, Page};
use crate::core::enums::{ForeignKind, ForeignPhase};
use crate::core::ids::{EnvironmentKey, RecordId, ServiceKey};
use crate::core::parse::Reading;
use crate::directory::snapshot::Directory;
use crate::directory::unknown_name;
use crate::verbs;

/// The most systems of a tenant.
pub const MOST: usize = 20;
/// The usual interval between two readings of a system, in minutes.
pub const USUAL_MINUTES: i64 = 5;
/// The longest interval between two questions, in minutes: a day.
pub const MOST_MINUTES: i64 = 1_440;
/// The usual number of days that the first reading covers.
pub const USUAL_DAYS: i64 = 90;
/// The overlap between two readings: rows become visible late, and clocks differ.
pub const OVERLAP: SignedDuration = SignedDuration::from_mins(2);
/// The longest address, in characters.
const URL: usize = 1_000;
/// The longest table of names, in characters.
const TABLE: usize = 20_000;
/// The longest further condition, in characters.
const CONDITION: usize = 1_000;

/// How long the gate trusts the last complete reading of a leading system. A system that limits requests, or a reader that is
/// stuck, reports no withdrawals meanwhile.
pub const BELIEVED: SignedDuration = SignedDuration::from_hours(1);
/// The life of a record about such a reading; then the next one is written.
const NOTED: SignedDuration = SignedDuration::from_mins(20);

/// The facts of a change that a table may map to other fields there.
pub const FACTS: &[&str] = &[
    "approvals",
    "back_out",
    "ended",
    "impact",
    "outcome",
    "plan",
    "planned_end",
    "planned_start",
    "service",
    "started",
];

/// An external system from which changes are imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct ForeignSystem {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// What it is called.
    #[card(text)]
    pub name: String,
    /// The kind of system.
    #[card(words)]
    pub kind: ForeignKind,
    /// Its address, without a path of its API.
    #[card(most = URL, text)]
    pub url: String,
    /// Whether a credential for it is kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_credential: bool,
    /// When its credential was given last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_at: Option<Timestamp>,
    /// Its changes are evaluated as changes of this environment.
    pub environment: EnvironmentKey,
    /// The number of minutes between two queries; 5 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = MOST_MINUTES)]
    pub every_minutes: Option<i64>,
    /// Only changes that were edited there since this time are imported; by default those of the last 90 days.
    pub read_since: Timestamp,
    /// A further condition in its own query language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = CONDITION, text)]
    pub narrowed_by: Option<String>,
    /// The service for each name in that system, one per line: Booking platform = booking-api.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TABLE, text)]
    pub service_map: Option<String>,
    /// The meaning of each state of that system, one per line: Deploying = started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TABLE, text)]
    pub state_map: Option<String>,
    /// The fields of that system that contain each fact, one per line: planned_start = customfield_10050.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TABLE, text)]
    pub field_map: Option<String>,
    /// Whether changes that Assent manages are copied there, for the services of its table.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mirrors: bool,
    /// The project and the issue type of copies in Jira: OPS/Change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub copies_into: Option<String>,
    /// Up to which edit there everything was read, by the clock there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_until: Option<Timestamp>,
    /// When something new was read last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// When it was read to its end last while it leads services, noted again every twenty minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole_at: Option<Timestamp>,
    /// Why the last reading failed or left rows out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub read_problem: Option<String>,
    /// Whether it is read.
    #[card(column)]
    pub active: bool,
}

/// An external system from which changes are imported.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct ForeignSystemInput {
    /// What it is called.
    #[card(text, example = "ServiceNow of the group")]
    pub name: String,
    /// The kind of system.
    #[card(words, example = "servicenow")]
    pub kind: ForeignKind,
    /// Its address, without a path of its API.
    #[card(most = URL, text, label = "Address", example = "https://example.service-now.com")]
    pub url: String,
    /// Its changes are evaluated as changes of this environment.
    #[card(example = "production")]
    pub environment: EnvironmentKey,
    /// The number of minutes between two queries; 5 by default.
    #[card(most = MOST_MINUTES, option = "every", example = "5")]
    pub every_minutes: Option<i64>,
    /// Only changes that were edited there since this time are imported; by default those of the last 90 days.
    #[card(label = "Read since", option = "since", example = "2026-11-01T00:00:00Z")]
    pub read_since: Option<Timestamp>,
    /// A further condition in its own query language.
    #[card(most = CONDITION, text, label = "Further condition", example = "assignment_group.name=Platform")]
    pub narrowed_by: Option<String>,
    /// The service for each name in that system, one per line: Booking platform = booking-api.
    #[card(most = TABLE, text, label = "Services", example = "Booking platform = booking-api")]
    pub service_map: Option<String>,
    /// The meaning of each state of that system, one per line: Deploying = started.
    #[card(most = TABLE, text, label = "States", example = "Deploying = started")]
    pub state_map: Option<String>,
    /// The fields of that system that contain each fact, one per line: planned_start = customfield_10050.
    #[card(most = TABLE, text, label = "Fields", example = "service = business_service")]
    pub field_map: Option<String>,
    /// Whether changes that Assent manages are copied there, for the services of its table.
    #[card(label = "Copies changes there", example = "false")]
    pub mirrors: bool,
    /// The project and the issue type of copies in Jira: OPS/Change.
    #[card(text, label = "Copies go into", example = "OPS/Change")]
    pub copies_into: Option<String>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "administration",
    command: "foreign-system",
    patch: "ForeignSystemPatch",
    columns: &["id", "name", "kind", "url", "read_until", "read_problem"],
    verbs: verbs! {
        List "list_foreign_systems" at "/foreign-systems" may "set_connection | set_freeze | audit" => "List the external systems";
        Add "add_foreign_system" at "/foreign-systems" may SET_CONNECTION => "Connect an external system whose changes are imported";
        Show "show_foreign_system" at "/foreign-systems/{id}" may "set_connection | set_freeze | audit" => "Show an external system";
        Edit "edit_foreign_system" at "/foreign-systems/{id}" may SET_CONNECTION => "Change the settings of an external system";
        End "end_foreign_system" at "/foreign-systems/{id}" may SET_CONNECTION => "Disconnect an external system";
    },
    events: &[
        Event::new("foreign_system.added", "link", "connected an external system"),
        Event::new(
            "foreign_system.edited",
            "edit",
            "changed the settings of an external system",
        ),
        Event::new("foreign_system.read", "eye", "imported changes of an external system"),
        Event::new("foreign_system.failed", "x", "could not read an external system"),
        Event::new("foreign_system.ended", "x", "disconnected an external system"),
    ],
    page: Some(Page {
        path: "/foreign-systems",
        byline: "Systems in which changes are still managed. Assent imports their changes and compares them with its \
            rules.",
        empty: "No external system is connected.",
        labels: ["Connect an external system", "Change it", "Disconnect it"],
    }),
    ..Card::of::<ForeignSystem, ForeignSystemInput>("foreign_system", "External systems")
};

/// The beginning of a problem text about single rows, while the others are read.
pub const LEFT_OUT: &str = "Rows that could not be read";

/// A wrong line of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: usize,
    /// The mistake.
    pub text: String,
}

/// Reads a table of `left = right`, one a line; empty lines and lines that begin with `#` are skipped.
///
/// # Errors
/// The first line that is none.
pub fn table(text: Option<&str>) -> Result<BTreeMap<String, String>, BadLine> {
    let mut found = BTreeMap::new();
    for (place, line) in text.unwrap_or_default().lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let parts = line.rsplit_once('=').map(|(left, right)| (left.trim(), right.trim()));
        let Some((left, right)) = parts.filter(|(left, right)| !left.is_empty() && !right.is_empty()) else {
            let text = "it is no line such as `Booking platform = booking-api`".to_owned();
            return Err(BadLine { line: place + 1, text });
        };
        if found.insert(left.to_lowercase(), right.to_owned()).is_some() {
            let text = format!("`{left}` stands there twice");
            return Err(BadLine { line: place + 1, text });
        }
    }
    Ok(found)
}

impl ForeignSystem {
    /// The next reading after one now; `None` for a system that is no longer read.
    #[must_use]
    pub fn next_reading(&self, now: Timestamp) -> Option<Timestamp> {
        let minutes = self.every_minutes.unwrap_or(USUAL_MINUTES).clamp(1, MOST_MINUTES);
        now.checked_add(SignedDuration::from_mins(minutes))
            .ok()
            .filter(|_| self.active)
    }

    /// The start of the next reading: a little before the last one's end, so that nothing is lost.
    #[must_use]
    pub fn begins_at(&self) -> Timestamp {
        let behind = |at: Timestamp| at.checked_sub(OVERLAP).unwrap_or(at);
        self.read_until.map_or(self.read_since, behind).max(self.read_since)
    }

    /// Whether less is read than before, or less often: withdrawals there would go unnoticed.
    #[must_use]
    pub fn reads_less_than(&self, before: &Self) -> bool {
        let minutes = |system: &Self| system.every_minutes.unwrap_or(USUAL_MINUTES);
        self.read_since > before.read_since || minutes(self) > minutes(before)
    }

    /// Whether another connection leads to the same system.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        let place = |system: &Self| system.url.trim_end_matches('/').to_lowercase();
        self.kind == other.kind && place(self) == place(other)
    }

    /// Whether its table of services maps to this one.
    #[must_use]
    pub fn maps_to(&self, service: &ServiceKey) -> bool {
        let rows = table(self.service_map.as_deref()).unwrap_or_default();
        rows.values().any(|key| key == service.as_str())
    }

    /// The reason why it is not read completely now; omitted rows do not affect the others.
    #[must_use]
    pub fn unread(&self) -> Option<&str> {
        self.read_problem
            .as_deref()
            .filter(|problem| !problem.starts_with(LEFT_OUT))
    }

    /// Whether its last complete reading is too old for the gate of a service that it leads.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.whole_at.is_none_or(|at| now.duration_since(at) > BELIEVED)
    }

    /// Whether a reading to its end is to be noted.
    #[must_use]
    pub fn notes_whole(&self, now: Timestamp) -> bool {
        self.whole_at.is_none_or(|at| now.duration_since(at) >= NOTED)
    }

    /// A digest of the reading and mapping settings. The credential is part of it, because another credential may see fewer
    /// changes there.
    #[must_use]
    pub fn terms_digest(&self) -> String {
        let parts = [
            Some(self.kind.as_str()),
            Some(self.url.as_str()),
            Some(self.environment.as_str()),
            self.narrowed_by.as_deref(),
            self.service_map.as_deref(),
            self.state_map.as_deref(),
            self.field_map.as_deref(),
        ];
        let said = |part: Option<&str>| part.map_or_else(|| "-".to_owned(), |text| format!("{}:{text}", text.len()));
        let credential = self.credential_at.map(|at| at.to_string());
        let parts: Vec<String> = parts.into_iter().map(said).chain(credential).collect();
        digest_text(parts.join("\n").as_bytes())
    }

    /// A digest of the settings on which two people transfer the lead: connection and mapping, start and interval.
    #[must_use]
    pub fn lead_digest(&self) -> String {
        let minutes = self.every_minutes.unwrap_or(USUAL_MINUTES);
        let said = format!("{}\n{}\n{minutes}", self.terms_digest(), self.read_since);
        digest_text(said.as_bytes())
    }

    /// The field there for a fact, if the table names one.
    #[must_use]
    pub fn field(&self, fact: &str) -> Option<String> {
        table(self.field_map.as_deref()).ok()?.remove(fact)
    }

    /// The phase that a foreign state maps to, if the table has it.
    #[must_use]
    pub fn phase(&self, state: &str) -> Option<ForeignPhase> {
        let word = table(self.state_map.as_deref()).ok()?.remove(&state.to_lowercase())?;
        word.parse().ok()
    }

    /// The service here for a name there: by the table, or by the key itself.
    #[must_use]
    pub fn service(&self, name: &str, directory: &Directory) -> Option<ServiceKey> {
        let mapped = table(self.service_map.as_deref())
            .ok()?
            .remove(&name.trim().to_lowercase());
        let key = ServiceKey::from(mapped.as_deref().unwrap_or(name.trim()));
        directory.services.contains_key(&key).then_some(key)
    }
}

/// Checks an input for a system.
pub fn check(reading: &mut Reading<'_>, input: &ForeignSystemInput, directory: &Directory) {
    if reading.says("environment") && !directory.environments.contains_key(&input.environment) {
        let text = format!("There is no environment `{}`.", input.environment);
        reading.wrong("environment", "unknown", text);
    }
    if reading.says("url") && !input.url.is_empty() {
        let is_web = input.url.starts_with("https://") || input.url.starts_with("http://");
        let is_plain = |c: char| !c.is_whitespace() && !matches!(c, '@' | '?' | '#');
        if !is_web || !input.url.chars().all(is_plain) {
            let text =
                "`url` is an address such as https://example.service-now.com, without login, query and fragment.";
            reading.wrong("url", "not_a_url", text);
        }
    }
    if input.every_minutes == Some(0) {
        reading.wrong("every_minutes", "out_of_range", "`every_minutes` is 1 to 1440.");
    }
    if input.mirrors && input.kind == ForeignKind::Jira && !input.copies_into.as_deref().is_some_and(is_place) {
        let text = "`copies_into` needs a Jira project and an issue type, such as OPS/Change.";
        reading.wrong("copies_into", "not_a_place", text);
    }
    check_condition(reading, input);
    check_tables(reading, input, directory);
}

/// Whether a text names a project and an issue type.
fn is_place(text: &str) -> bool {
    let is_key = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    let parts = text.split_once('/');
    parts.is_some_and(|(project, kind)| !project.is_empty() && project.bytes().all(is_key) && !kind.trim().is_empty())
}

/// A further condition must stay one: it narrows the reading and neither widens nor orders it.
fn check_condition(reading: &mut Reading<'_>, input: &ForeignSystemInput) {
    let Some(condition) = &input.narrowed_by else { return };
    let upper = condition.to_uppercase();
    let is_wide = match input.kind {
        ForeignKind::Servicenow => upper.contains("^NQ") || upper.contains("ORDERBY") || upper.contains("^EQ"),
        ForeignKind::Jira => upper.contains("ORDER BY"),
    };
    if is_wide {
        let text = "`narrowed_by` can only narrow the import: it cannot contain `^NQ`, `^EQ` or an order.";
        reading.wrong("narrowed_by", "not_allowed", text);
    }
}

fn check_tables(reading: &mut Reading<'_>, input: &ForeignSystemInput, directory: &Directory) {
    let tables = [
        ("service_map", &input.service_map),
        ("state_map", &input.state_map),
        ("field_map", &input.field_map),
    ];
    for (field, text) in tables {
        let rows = match table(text.as_deref()) {
            Ok(rows) => rows,
            Err(bad) => {
                reading.wrong(
                    field,
                    "not_a_table",
                    format!("Line {} of `{field}`: {}.", bad.line, bad.text),
                );
                continue;
            }
        };
        for (left, right) in rows {
            let wrong = match field {
                "service_map" => {
                    let key = ServiceKey::from(right.as_str());
                    (!directory.services.contains_key(&key)).then(|| unknown_name::service(directory, &right))
                }
                "state_map" => right.parse::<ForeignPhase>().err(),
                _ => wrong_fact(&left, &right),
            };
            if let Some(wrong) = wrong {
                reading.wrong(field, "unknown", wrong);
            }
        }
    }
}

fn wrong_fact(fact: &str, field: &str) -> Option<String> {
    if !FACTS.contains(&fact) {
        return Some(format!("`{fact}` is none of: {}.", FACTS.join(", ")));
    }
    let is_name = field
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'));
    (!is_name).then(|| format!("`{field}` is not a field name: use letters, digits, `_` and `.`."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn a_table_is_read_line_by_line_and_says_which_line_is_none() {
        let rows = table(Some("# services\nBooking = Core = booking-api\n\nShop=shop")).unwrap();
        assert_eq!(rows["booking = core"], "booking-api");
        assert_eq!(rows["shop"], "shop");
        assert_eq!(table(Some("a = b\nnothing")).unwrap_err().line, 2);
        assert_eq!(
            table(Some("a = b\nA = c")).unwrap_err().line,
            2,
            "a name stands there once"
        );
    }

    #[test]
    fn copies_go_into_a_project_as_an_issue_type() {
        assert!(is_place("OPS/Change request"));
        for bad in ["OPS", "OPS/", "/Change", "ops/Change", "OPS\" OR/Change"] {
            assert!(!is_place(bad), "{bad}");
        }
    }

    #[test]
    fn a_reading_begins_a_little_behind_the_last_one_and_never_before_its_first_day() {
        let system: ForeignSystem = serde_json::from_value(serde_json::json!({
            "id": "s", "version": 1, "name": "S", "kind": "servicenow", "url": "https://s.example", "active": true,
            "environment": "production", "read_since": "2026-11-01T00:00:00Z", "read_until": "2026-11-20T10:00:00Z",
        }))
        .unwrap();
        assert_eq!(system.begins_at().to_string(), "2026-11-20T09:58:00Z");
        let fresh = ForeignSystem {
            read_until: None,
            ..system
        };
        assert_eq!(fresh.begins_at(), fresh.read_since);
        // The confirmation covers how it is read, not how far.
        let (terms, moved) = (fresh.terms_digest(), fresh.clone());
        let read = ForeignSystem {
            read_at: Some(fresh.read_since),
            version: 9,
            ..fresh
        };
        assert_eq!(read.terms_digest(), terms);
        let noted = ForeignSystem {
            whole_at: Some(moved.read_since),
            ..moved.clone()
        };
        let after = |minutes: i64| noted.read_since + SignedDuration::from_mins(minutes);
        assert!(
            moved.is_stale(after(0)) && moved.notes_whole(after(0)),
            "nothing was noted"
        );
        assert!(!noted.is_stale(after(60)) && noted.is_stale(after(61)));
        assert!(!noted.notes_whole(after(19)) && noted.notes_whole(after(20)));
        let seldom = ForeignSystem {
            every_minutes: Some(1_440),
            ..moved.clone()
        };
        assert!(seldom.reads_less_than(&moved) && !moved.reads_less_than(&seldom));
        let later = ForeignSystem {
            read_since: moved.read_since + SignedDuration::from_hours(24),
            ..moved.clone()
        };
        assert!(later.reads_less_than(&moved) && !moved.reads_less_than(&moved));
        // Rows that were read stay trusted, and the people who confirm a lead also confirm the interval.
        for less in [&seldom, &later] {
            assert_eq!(less.terms_digest(), moved.terms_digest());
            assert_ne!(less.lead_digest(), moved.lead_digest());
        }
        let moved = ForeignSystem {
            state_map: Some("Draft = approved".to_owned()),
            ..moved
        };
        assert_ne!(moved.terms_digest(), terms);
        let other = ForeignSystem {
            credential_at: Some(moved.read_since),
            ..moved.clone()
        };
        assert_ne!(other.terms_digest(), moved.terms_digest());
        assert_ne!(other.lead_digest(), moved.lead_digest());
        let one = |problem: &str| ForeignSystem {
            read_problem: Some(problem.to_owned()),
            ..moved.clone()
        };
        assert_eq!(one("It answered 401.").unread(), Some("It answered 401."));
        assert_eq!(one("Rows that could not be read: 1 of a page; x.").unread(), None);
    }
}
