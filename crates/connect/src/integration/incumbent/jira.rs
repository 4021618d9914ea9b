//! Jira Cloud: the search by JQL (`POST /rest/api/3/search/jql`) in the order of `updated`, page by page with `nextPageToken`. The
//! lower bound is written in milliseconds since 1970, so that it depends on no time zone of an account.

use jiff::Timestamp;
use model::core::enums::{ForeignPhase, Kind};
use model::integration::foreign_change::{MOST_APPROVERS, ReceivedChange};
use model::integration::foreign_mirror::{JIRA_MARK, ORIGIN};
use serde_json::{Value, json};

use super::{Page, Position, SMALL_PAGE, SystemReader, Unread, gathered, impact, kept, key};

/// The longest token of a page that is sent back.
const MOST_TOKEN: usize = 4_000;
/// The most issues for which a search uses their present state; a page of ids is no longer.
const MOST_RECONCILED: usize = 50;

/// The default field of a fact.
fn usual(fact: &str) -> &'static str {
    match fact {
        "service" => "components",
        "outcome" => "resolution",
        _ => "",
    }
}

fn field(asking: &SystemReader<'_>, fact: &str) -> String {
    asking.system.field(fact).unwrap_or_else(|| usual(fact).to_owned())
}

/// A page behind a position.
pub(super) fn page(asking: &SystemReader<'_>, position: &Position, size: usize) -> Result<Page, Unread> {
    let jql = query(position, asking.system.narrowed_by.as_deref());
    let answer = search(asking, &jql, (position.token.as_deref(), size), &[])?;
    let rows = issues(&answer, size)?;
    let (read, left_out) = gathered(rows.iter().map(|row| received_change(asking, row)));
    let token = answer["nextPageToken"]
        .as_str()
        .filter(|token| token.len() <= MOST_TOKEN);
    let is_last = answer["isLast"].as_bool().unwrap_or(token.is_none());
    let token = token.filter(|_| !is_last && !rows.is_empty());
    if token.is_some() && token == position.token.as_deref() {
        return Err(Unread::Failed(
            "Its pages do not go on: the same token came again.".to_owned(),
        ));
    }
    // The lower bound stays while tokens lead on: the token belongs to this very question.
    let next = token.map(|token| Position {
        at: position.at,
        id: position.id.clone(),
        token: Some(token.to_owned()),
    });
    Ok(Page {
        rows: read,
        left_out,
        next,
    })
}

/// The issues with these ids that are shown and can be read. A search by an id that is gone is refused as a whole, so the
/// existing ids are found first.
pub(super) fn these(asking: &SystemReader<'_>, ids: &[String]) -> Result<Vec<ReceivedChange>, Unread> {
    let body = json!({"issueIdsOrKeys": ids, "fields": ["updated"]});
    let answer = asking.ask("POST", "/rest/api/3/issue/bulkfetch", Some(&body))?;
    let there = there(&answer, ids)?;
    if there.is_empty() {
        return Ok(Vec::new());
    }
    let jql = query_of(&there, asking.system.narrowed_by.as_deref());
    let answer = search(asking, &jql, (None, there.len()), &there)?;
    let rows = issues(&answer, there.len())?;
    Ok(rows
        .iter()
        .filter_map(|row| received_change(asking, row).ok())
        .collect())
}

/// Those of the given ids that a response of `bulkfetch` shows. An issue that is gone or hidden is absent there without an
/// error. An id among the errors was only not read, so it is requested again among fewer ids, and is never taken for gone.
fn there(answer: &Value, ids: &[String]) -> Result<Vec<String>, Unread> {
    if let Some(error) = answer["issueErrors"].as_array().and_then(|errors| errors.first()) {
        if ids.len() > SMALL_PAGE {
            return Err(Unread::TooLong);
        }
        let why = kept(error["errorMessage"].as_str().unwrap_or_default());
        let why = why.unwrap_or_else(|| "it does not say why".to_owned());
        return Err(Unread::Failed(format!(
            "It did not answer about an issue that was asked for by its id: {}.",
            why.trim_end_matches('.')
        )));
    }
    let rows = issues(answer, ids.len())?.iter();
    let known = rows.filter_map(|row| row["id"].as_str().and_then(key));
    Ok(known.filter(|id| ids.contains(id)).collect())
}

/// Searches. For ids in `surely` the present state is used: the search index follows edits with a delay.
fn search(
    asking: &SystemReader<'_>,
    jql: &str,
    (token, size): (Option<&str>, usize),
    surely: &[String],
) -> Result<Value, Unread> {
    let facts = model::integration::foreign_system::FACTS.iter();
    let mut fields: Vec<String> = [
        "summary",
        "status",
        "issuetype",
        "reporter",
        "created",
        "updated",
        "labels",
    ]
    .map(str::to_owned)
    .to_vec();
    fields.extend(facts.map(|fact| field(asking, fact)).filter(|name| !name.is_empty()));
    let mut body = json!({"jql": jql, "fields": fields, "maxResults": size});
    if let Some(token) = token {
        body["nextPageToken"] = json!(token);
    }
    let numbers = surely.iter().filter_map(|id| id.parse::<i64>().ok());
    let reconciled: Vec<i64> = numbers.take(MOST_RECONCILED).collect();
    if !reconciled.is_empty() {
        body["reconcileIssues"] = json!(reconciled);
    }
    asking.ask("POST", "/rest/api/3/search/jql", Some(&body))
}

fn issues(answer: &Value, size: usize) -> Result<&Vec<Value>, Unread> {
    let Some(rows) = answer["issues"].as_array() else {
        return Err(Unread::Failed("Its answer has no `issues`.".to_owned()));
    };
    if rows.len() > size {
        let text = format!("It answered {} issues where {size} were asked.", rows.len());
        return Err(Unread::Failed(text));
    }
    Ok(rows)
}

fn query_of(ids: &[String], narrowed_by: Option<&str>) -> String {
    let and = narrowed_by.map(|text| format!(" AND ({text})")).unwrap_or_default();
    format!("id in ({}){and} ORDER BY updated ASC, key ASC", ids.join(", "))
}

fn query(position: &Position, narrowed_by: Option<&str>) -> String {
    let since = position.at.as_millisecond();
    let and = narrowed_by.map(|text| format!(" AND ({text})")).unwrap_or_default();
    format!("updated >= {since}{and} ORDER BY updated ASC, key ASC")
}

fn received_change(asking: &SystemReader<'_>, row: &Value) -> Result<ReceivedChange, String> {
    let id = row["id"].as_str().and_then(key).ok_or("an issue has no `id`")?;
    let issue = row["key"]
        .as_str()
        .and_then(key)
        .ok_or_else(|| format!("`{id}` has no key"))?;
    let fields = &row["fields"];
    let edited_at = moment(&fields["updated"]).ok_or_else(|| format!("{issue} has no `updated`"))?;
    let of = |fact: &str| &fields[field(asking, fact).as_str()];
    let state = text(&fields["status"]);
    let category = fields["status"]["statusCategory"]["key"].as_str().unwrap_or_default();
    let phase = asking.system.phase(&state);
    let is_there =
        |value: &Value| !matches!(value, Value::Null) && value.as_str().is_none_or(|it| !it.trim().is_empty());
    Ok(ReceivedChange {
        title: kept(&text(&fields["summary"])).unwrap_or_else(|| issue.clone()),
        kind: kind(&text(&fields["issuetype"])),
        impact: impact(&text(of("impact"))),
        phase: phase.unwrap_or_else(|| phase_of(&state, category)),
        state: kept(&state).unwrap_or_else(|| "-".to_owned()),
        service: kept(&text(of("service"))),
        by: kept(&person(&fields["reporter"])),
        approvers: approvers(of("approvals")),
        planned: (moment(of("planned_start")), moment(of("planned_end"))),
        actual: (moment(of("started")), moment(of("ended"))),
        outcome: kept(&text(of("outcome"))),
        has_plan: is_there(of("plan")),
        has_way_back: is_there(of("back_out")),
        opened_at: moment(&fields["created"]),
        edited_at,
        ours: ours(&fields["labels"]),
        natural_key: id,
        key: issue,
    })
}

/// The key of the change here of which an issue is marked as the copy.
fn ours(labels: &Value) -> Option<String> {
    let names: Vec<&str> = labels
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mark = names.iter().find_map(|name| name.strip_prefix(JIRA_MARK));
    mark.filter(|_| names.contains(&ORIGIN)).and_then(key)
}

fn kind(name: &str) -> Kind {
    let name = name.to_lowercase();
    if name.contains("emergency") {
        Kind::Emergency
    } else if name.contains("standard") {
        Kind::Standard
    } else {
        Kind::Normal
    }
}

/// The meaning of a status in Jira Service Management's usual workflow of changes. An unknown status has no phase until the
/// system's table names it, except that one of the category *to do* waits.
pub(super) fn phase_of(state: &str, category: &str) -> ForeignPhase {
    match state.to_lowercase().as_str() {
        "awaiting implementation" | "approved" | "scheduled" => ForeignPhase::Approved,
        "implementing" | "in progress" => ForeignPhase::Started,
        "completed" | "closed" | "done" | "failed" | "resolved" | "review" => ForeignPhase::Ended,
        "declined" | "canceled" | "cancelled" | "rejected" => ForeignPhase::Stopped,
        "planning"
        | "authorize"
        | "awaiting cab approval"
        | "awaiting approval"
        | "peer review / change manager approval" => ForeignPhase::Waiting,
        _ if category == "new" => ForeignPhase::Waiting,
        _ => ForeignPhase::Unknown,
    }
}

/// A text, the name or value of an object, or those of the first of a list.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.first().map(text_of_object).unwrap_or_default(),
        other => text_of_object(other),
    }
}

fn text_of_object(value: &Value) -> String {
    let found = ["name", "value"].iter().find_map(|name| value[*name].as_str());
    found.or_else(|| value.as_str()).unwrap_or_default().to_owned()
}

/// The address of a person, else the name that people read.
fn person(value: &Value) -> String {
    let found = ["emailAddress", "displayName", "accountId"]
        .iter()
        .find_map(|name| value[*name].as_str());
    found.unwrap_or_default().to_owned()
}

/// The people who approved: those of finished approvals of Jira Service Management with a positive decision, or a list of
/// people.
fn approvers(value: &Value) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |who: &Value| {
        if let Some(name) = kept(&person(who))
            && found.len() < MOST_APPROVERS
            && !found.contains(&name)
        {
            found.push(name);
        }
    };
    for row in value.as_array().into_iter().flatten() {
        let Some(decisions) = row["approvers"].as_array() else {
            add(row);
            continue;
        };
        let is_yes = |it: &&Value| it["approverDecision"] == "approved";
        decisions.iter().filter(is_yes).for_each(|it| add(&it["approver"]));
    }
    found
}

/// A moment such as `2026-11-28T10:00:00.123+0000`.
pub(super) fn moment(value: &Value) -> Option<Timestamp> {
    let text = value.as_str()?;
    let parsed = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", text).ok();
    parsed
        .and_then(|it| it.to_timestamp().ok())
        .or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn the_lower_bound_depends_on_no_time_zone() {
        let at: Timestamp = "2026-11-28T10:00:00Z".parse().unwrap();
        assert_eq!(
            query(&Position::since(at), Some("project = OPS OR project = NET")),
            "updated >= 1795860000000 AND (project = OPS OR project = NET) ORDER BY updated ASC, key ASC"
        );
    }

    #[test]
    fn what_bulkfetch_leaves_out_is_gone_and_what_it_could_not_answer_is_not() {
        let ids: Vec<String> = (1..=6).map(|number| number.to_string()).collect();
        let shown = json!({"issues": [{"id": "1"}, {"id": "9"}, {"id": "3"}], "issueErrors": []});
        assert_eq!(there(&shown, &ids), Ok(vec!["1".to_owned(), "3".to_owned()]));
        let failed =
            json!({"issues": [{"id": "1"}], "issueErrors": [{"id": "2", "errorMessage": "Too much at once."}]});
        assert_eq!(there(&failed, &ids), Err(Unread::TooLong), "fewer may be answered");
        let Err(Unread::Failed(why)) = there(&failed, &ids[..2]) else {
            panic!("it is an error among few as well");
        };
        assert!(why.ends_with("by its id: Too much at once."), "{why}");
    }

    #[test]
    fn an_issue_is_a_copy_by_both_of_its_labels() {
        assert_eq!(
            ours(&json!(["x", "Assent", "assent:CHG-1042"])).as_deref(),
            Some("CHG-1042")
        );
        for none in [
            json!(["assent:CHG-1042"]),
            json!(["Assent"]),
            json!(["Assent", "assent:a b"]),
            Value::Null,
        ] {
            assert_eq!(ours(&none), None, "{none}");
        }
    }

    #[test]
    fn moments_are_read_with_their_offset() {
        let read = moment(&json!("2026-11-28T12:00:00.500+0200")).unwrap();
        assert_eq!(read.to_string(), "2026-11-28T10:00:00.5Z");
        assert_eq!(moment(&json!("tomorrow")), None);
    }

    #[test]
    fn only_those_who_said_yes_are_approvers() {
        let decision = |mail: &str, said: &str| json!({"approver": {"emailAddress": mail}, "approverDecision": said});
        let value = json!([{"finalDecision": "approved", "approvers": [decision("a@x", "approved"), decision("b@x", "declined")]}]);
        assert_eq!(approvers(&value), ["a@x"]);
        assert_eq!(approvers(&json!([{"displayName": "Ada"}])), ["Ada"]);
    }

    #[test]
    fn statuses_of_an_own_workflow_are_unknown() {
        assert_eq!(
            phase_of("Awaiting implementation", "indeterminate"),
            ForeignPhase::Approved
        );
        assert_eq!(phase_of("Deploying", "indeterminate"), ForeignPhase::Unknown);
        assert_eq!(phase_of("Idea", "new"), ForeignPhase::Waiting);
    }
}
