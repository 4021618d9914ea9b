//! Writes the copy of a change as an issue of Jira Cloud (REST API 3). An issue has one status, which is moved by the
//! transitions of its workflow; all other content of the copy is in its description.

use jiff::Timestamp;
use model::core::enums::ForeignPhase;
use model::integration::foreign_mirror::{JIRA_MARK, ORIGIN};
use serde_json::{Map, Value, json};

use super::jira::{moment, phase_of};
use super::{Copied, SystemReader, Unread, Written, key};

/// The most transitions of one writing.
const MOST_STEPS: usize = 5;
/// Parts of a copy with a place of their own there, or none.
const APART: &[&str] = &[
    "correlation_id",
    "correlation_display",
    "short_description",
    "description",
    "state",
];

/// Writes a copy: the issue with this id, else the marked issue of our account, else a new one; then its status.
pub(super) fn write(asking: &SystemReader<'_>, known: Option<&str>, copy: &Copied<'_>) -> Result<Written, Unread> {
    let known = match known.and_then(key) {
        Some(id) => Some(id),
        None => marked(asking, copy.change)?,
    };
    let id = match known {
        Some(id) => {
            let marks = json!([{"add": ORIGIN}, {"add": mark(copy.change)}]);
            let body = json!({"fields": fields(asking, copy), "update": {"labels": marks}});
            asking.tell("PUT", &format!("/rest/api/3/issue/{id}"), Some(&body))?;
            id
        }
        None => make(asking, copy)?,
    };
    let problem = match follow(asking, &id, copy.phase) {
        Ok(()) => None,
        Err(Unread::Wait(seconds)) => return Err(Unread::Wait(seconds)),
        Err(Unread::TooLong) => Some("Its answer about the transitions is longer than is read.".to_owned()),
        Err(Unread::Failed(why)) => Some(why),
    };
    let stands = stand(asking, &id)?;
    Ok(Written {
        natural_key: id,
        key: stands.key,
        edited_at: stands.edited_at,
        problem,
    })
}

fn mark(change: &str) -> String {
    format!("{JIRA_MARK}{change}")
}

/// Makes the issue; returns its id.
fn make(asking: &SystemReader<'_>, copy: &Copied<'_>) -> Result<String, Unread> {
    let place = asking
        .system
        .copies_into
        .as_deref()
        .and_then(|text| text.split_once('/'));
    let Some((project, kind)) = place else {
        return Err(Unread::Failed(
            "No project and issue type are named for copies.".to_owned(),
        ));
    };
    let mut fields = fields(asking, copy);
    fields.insert("project".to_owned(), json!({"key": project}));
    fields.insert("issuetype".to_owned(), json!({"name": kind}));
    fields.insert("labels".to_owned(), json!([ORIGIN, mark(copy.change)]));
    let answer = asking.ask("POST", "/rest/api/3/issue", Some(&json!({"fields": fields})))?;
    let id = answer["id"].as_str().and_then(key);
    id.ok_or_else(|| Unread::Failed("Its answer names no issue that was made.".to_owned()))
}

/// The id of the issue that carries the mark of a change and was made by our own account: the response to its creation was
/// lost. A mark that others put on an issue of theirs does not count.
fn marked(asking: &SystemReader<'_>, change: &str) -> Result<Option<String>, Unread> {
    let jql = format!(
        "labels = \"{}\" AND creator = currentUser() ORDER BY created ASC",
        mark(change)
    );
    let body = json!({"jql": jql, "fields": ["labels"], "maxResults": 2});
    let answer = asking.ask("POST", "/rest/api/3/search/jql", Some(&body))?;
    let Some(rows) = answer["issues"].as_array() else {
        return Err(Unread::Failed("Its answer has no `issues`.".to_owned()));
    };
    match &rows[..] {
        [] => Ok(None),
        [one] => Ok(one["id"].as_str().and_then(key)),
        _ => Err(Unread::Failed(format!(
            "Several issues there say that they are the copy of {change}."
        ))),
    }
}

/// The fields of an issue with the copy's content.
fn fields(asking: &SystemReader<'_>, copy: &Copied<'_>) -> Map<String, Value> {
    let of = |name: &str| {
        copy.fields
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| text.as_str())
    };
    let mut found = Map::new();
    // A title has one line there.
    let title = of("short_description").unwrap_or_default().replace(['\n', '\r'], " ");
    found.insert("summary".to_owned(), json!(title));
    let mut lines = vec![format!(
        "Copy of {}, which Assent leads. An edit here moves nothing there.",
        copy.change
    )];
    let told = copy.fields.iter().filter(|(name, _)| !APART.contains(name));
    lines.extend(told.map(|(name, text)| format!("{name}: {text}")));
    lines.extend(of("description").unwrap_or_default().lines().map(str::to_owned));
    found.insert("description".to_owned(), document(&lines));
    for (fact, name) in [("planned_start", "start_date"), ("planned_end", "end_date")] {
        if let (Some(field), Some(text)) = (asking.system.field(fact), of(name)) {
            found.insert(field, json!(format!("{}.000+0000", text.replacen(' ', "T", 1))));
        }
    }
    found
}

/// A text in the format of Jira's documents, a paragraph a line.
pub(super) fn document(lines: &[String]) -> Value {
    let full = lines.iter().filter(|line| !line.trim().is_empty());
    let paragraphs: Vec<Value> = full
        .map(|line| json!({"type": "paragraph", "content": [{"type": "text", "text": line}]}))
        .collect();
    json!({"type": "doc", "version": 1, "content": paragraphs})
}

/// The state of an issue.
struct Stands {
    key: String,
    status: String,
    phase: ForeignPhase,
    edited_at: Timestamp,
}

fn stand(asking: &SystemReader<'_>, id: &str) -> Result<Stands, Unread> {
    let row = asking.ask("GET", &format!("/rest/api/3/issue/{id}?fields=status,updated"), None)?;
    let (status, phase) = meaning(asking, &row["fields"]["status"]);
    let found = row["key"].as_str().and_then(key).zip(moment(&row["fields"]["updated"]));
    let Some((key, edited_at)) = found else {
        return Err(Unread::Failed(
            "Its answer about the copy has no key or no `updated`.".to_owned(),
        ));
    };
    Ok(Stands {
        key,
        status,
        phase,
        edited_at,
    })
}

/// A status and its meaning.
fn meaning(asking: &SystemReader<'_>, status: &Value) -> (String, ForeignPhase) {
    let name = status["name"].as_str().unwrap_or_default();
    let category = status["statusCategory"]["key"].as_str().unwrap_or_default();
    let phase = asking.system.phase(name).unwrap_or_else(|| phase_of(name, category));
    (name.to_owned(), phase)
}

/// How far along the usual way a phase is.
fn rank(phase: ForeignPhase) -> Option<usize> {
    let way = [
        ForeignPhase::Waiting,
        ForeignPhase::Approved,
        ForeignPhase::Started,
        ForeignPhase::Ended,
    ];
    way.iter().position(|known| *known == phase)
}

/// Moves an issue to a status of this phase, step by step and never beyond it.
fn follow(asking: &SystemReader<'_>, id: &str, wanted: ForeignPhase) -> Result<(), Unread> {
    for _ in 0..MOST_STEPS {
        let now = stand(asking, id)?;
        if now.phase == wanted {
            return Ok(());
        }
        let path = format!("/rest/api/3/issue/{id}/transitions");
        let answer = asking.ask("GET", &path, None)?;
        let rows = answer["transitions"].as_array().into_iter().flatten();
        let ways = rows.filter_map(|row| Some((row["id"].as_str().and_then(key)?, meaning(asking, &row["to"]).1)));
        let Some(way) = next(now.phase, wanted, ways) else {
            return Err(Unread::Failed(format!(
                "No transition of {} leads from `{}` to a status that means {wanted}; name its statuses in `state_map`, or move it by hand.",
                now.key, now.status
            )));
        };
        asking.tell("POST", &path, Some(&json!({"transition": {"id": way}})))?;
    }
    Err(Unread::Failed(format!(
        "{MOST_STEPS} transitions did not lead to a status that means {wanted}."
    )))
}

/// The transition to the wanted phase, else the one that leads furthest towards it.
fn next(now: ForeignPhase, wanted: ForeignPhase, ways: impl Iterator<Item = (String, ForeignPhase)>) -> Option<String> {
    let ways: Vec<(String, ForeignPhase)> = ways.collect();
    if let Some((id, _)) = ways.iter().find(|(_, phase)| *phase == wanted) {
        return Some(id.clone());
    }
    let (from, to) = (rank(now)?, rank(wanted)?);
    let between = ways.iter().filter_map(|(id, phase)| Some((rank(*phase)?, id)));
    let furthest = between
        .filter(|(rank, _)| (from + 1..to).contains(rank))
        .max_by_key(|(rank, _)| *rank);
    furthest.map(|(_, id)| id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(now: ForeignPhase, wanted: ForeignPhase, ways: &[(&str, ForeignPhase)]) -> Option<String> {
        next(now, wanted, ways.iter().map(|(id, phase)| ((*id).to_owned(), *phase)))
    }

    #[test]
    fn a_copy_is_moved_towards_its_change_and_never_beyond() {
        let (waiting, approved, started, ended) = (
            ForeignPhase::Waiting,
            ForeignPhase::Approved,
            ForeignPhase::Started,
            ForeignPhase::Ended,
        );
        let ways = [
            ("11", approved),
            ("21", started),
            ("31", ended),
            ("41", ForeignPhase::Stopped),
        ];
        assert_eq!(chosen(waiting, approved, &ways).as_deref(), Some("11"));
        assert_eq!(chosen(waiting, ForeignPhase::Stopped, &ways).as_deref(), Some("41"));
        assert_eq!(
            chosen(waiting, ended, &ways[..2]).as_deref(),
            Some("21"),
            "the furthest step"
        );
        assert_eq!(
            chosen(waiting, approved, &ways[1..]),
            None,
            "it would read as further than it is"
        );
        assert_eq!(chosen(started, waiting, &ways), None, "no step back but the exact one");
        assert_eq!(chosen(ForeignPhase::Unknown, ended, &ways[..2]), None);
    }

    #[test]
    fn a_document_has_no_empty_text() {
        let lines = ["one".to_owned(), " ".to_owned(), "two".to_owned()];
        let made = document(&lines);
        assert_eq!(made["content"].as_array().map(Vec::len), Some(2), "{made}");
        assert_eq!(made["content"][1]["content"][0]["text"], "two");
    }
}
