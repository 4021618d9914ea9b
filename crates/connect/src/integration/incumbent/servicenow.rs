//! ServiceNow's Table API: `change_request` in the order of `sys_updated_on` and `sys_id`, with the approvals of
//! `sysapproval_approver`. Its times are UTC when the raw values are requested.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::core::enums::{ForeignPhase, Kind};
use model::core::percent::encoded;
use model::integration::foreign_change::{MOST_APPROVERS, ReceivedChange};
use model::integration::foreign_mirror::ORIGIN;
use serde_json::Value;

use super::{Page, Position, SystemReader, Unread, gathered, impact, kept, key};

/// The requested fields; those of the system's table are added.
const FIELDS: &[&str] = &[
    "sys_id",
    "number",
    "short_description",
    "type",
    "state",
    "approval",
    "requested_by.user_name",
    "sys_created_on",
    "sys_updated_on",
    "correlation_id",
    "correlation_display",
];
/// The most approvals that are requested for the rows of a page.
const MOST_APPROVALS: usize = 1_000;

/// The default field of a fact.
fn usual(fact: &str) -> &'static str {
    match fact {
        "service" => "cmdb_ci",
        "planned_start" => "start_date",
        "planned_end" => "end_date",
        "started" => "work_start",
        "ended" => "work_end",
        "impact" => "impact",
        "outcome" => "close_code",
        "plan" => "implementation_plan",
        "back_out" => "backout_plan",
        _ => "",
    }
}

/// A page behind a position.
pub(super) fn page(asking: &SystemReader<'_>, position: &Position, size: usize) -> Result<Page, Unread> {
    let (rows, approvals) = rows(asking, &query(position, asking.system.narrowed_by.as_deref()), size)?;
    let (read, left_out) = gathered(rows.iter().map(|row| received_change(asking, row, &approvals)));
    let behind = |row: &ReceivedChange| (row.edited_at, row.natural_key.as_str()) > (position.at, position.id.as_str());
    // Rows before the position were not requested: such a system would be read for ever.
    if !position.id.is_empty() && !read.iter().all(behind) {
        return Err(Unread::Failed(
            "Its pages do not go on: a row of one before came again.".to_owned(),
        ));
    }
    let last = read
        .iter()
        .max_by(|a, b| (a.edited_at, &a.natural_key).cmp(&(b.edited_at, &b.natural_key)));
    if last.is_none() && !rows.is_empty() {
        let why = left_out.map(|(_, why)| why).unwrap_or_default();
        return Err(Unread::Failed(format!("No row of a page could be read: {why}.")));
    }
    // A page may be shorter than requested, so only an empty one is the last.
    let next = last.map(|row| Position {
        at: row.edited_at,
        id: row.natural_key.clone(),
        token: None,
    });
    Ok(Page {
        rows: read,
        left_out,
        next,
    })
}

/// The rows with these ids that are shown and can be read.
pub(super) fn these(asking: &SystemReader<'_>, ids: &[String]) -> Result<Vec<ReceivedChange>, Unread> {
    let query = query_of(ids, asking.system.narrowed_by.as_deref());
    let (rows, approvals) = rows(asking, &query, ids.len())?;
    let read = rows
        .iter()
        .filter_map(|row| received_change(asking, row, &approvals).ok());
    Ok(read.collect())
}

/// The people who approved, by the id of a change.
type Approvals = BTreeMap<String, Vec<String>>;

/// At most so many rows that a query finds, with the approvals of each.
fn rows(asking: &SystemReader<'_>, query: &str, size: usize) -> Result<(Vec<Value>, Approvals), Unread> {
    let query = encoded(query);
    let fields = encoded(&fields(asking).join(","));
    let path = format!(
        "/api/now/table/change_request?sysparm_query={query}&sysparm_fields={fields}&sysparm_limit={size}\
         &sysparm_offset=0&sysparm_display_value=all&sysparm_exclude_reference_link=true"
    );
    let answer = asking.ask("GET", &path, None)?;
    let Some(rows) = answer["result"].as_array() else {
        return Err(Unread::Failed("Its answer has no `result`.".to_owned()));
    };
    if rows.len() > size {
        let text = format!("It answered {} rows where {size} were asked.", rows.len());
        return Err(Unread::Failed(text));
    }
    let approvals = approvals(asking, rows)?;
    Ok((rows.clone(), approvals))
}

/// The order of the rows.
const ORDER: &str = "^ORDERBYsys_updated_on^ORDERBYsys_id";

fn query_of(ids: &[String], narrowed_by: Option<&str>) -> String {
    let and = narrowed_by.map(|text| format!("^{text}")).unwrap_or_default();
    format!("sys_idIN{}{and}{ORDER}", ids.join(","))
}

fn query(position: &Position, narrowed_by: Option<&str>) -> String {
    let at = position.at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S");
    let and = narrowed_by.map(|text| format!("^{text}")).unwrap_or_default();
    match position.id.as_str() {
        "" => format!("sys_updated_on>={at}{and}{ORDER}"),
        id => format!("sys_updated_on={at}^sys_id>{id}{and}^NQsys_updated_on>{at}{and}{ORDER}"),
    }
}

fn field(asking: &SystemReader<'_>, fact: &str) -> String {
    asking.system.field(fact).unwrap_or_else(|| usual(fact).to_owned())
}

fn fields(asking: &SystemReader<'_>) -> Vec<String> {
    let facts = model::integration::foreign_system::FACTS.iter();
    let more = facts.map(|fact| field(asking, fact)).filter(|name| !name.is_empty());
    FIELDS.iter().map(|name| (*name).to_owned()).chain(more).collect()
}

/// The people who approved each of these changes, by its id.
fn approvals(asking: &SystemReader<'_>, rows: &[Value]) -> Result<Approvals, Unread> {
    let ids: Vec<String> = rows.iter().filter_map(|row| key(&raw(row, "sys_id"))).collect();
    let mut found = Approvals::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let query = encoded(&format!("state=approved^sysapprovalIN{}^ORDERBYsys_id", ids.join(",")));
    let path = format!(
        "/api/now/table/sysapproval_approver?sysparm_query={query}&sysparm_fields=sysapproval,approver.user_name\
         &sysparm_limit={MOST_APPROVALS}&sysparm_offset=0&sysparm_display_value=all&sysparm_exclude_reference_link=true"
    );
    let answer = asking.ask("GET", &path, None)?;
    for row in answer["result"].as_array().into_iter().flatten().take(MOST_APPROVALS) {
        let people = found.entry(raw(row, "sysapproval")).or_default();
        if let Some(person) = kept(&raw(row, "approver.user_name"))
            && people.len() < MOST_APPROVERS
            && !people.contains(&person)
        {
            people.push(person);
        }
    }
    Ok(found)
}

fn received_change(asking: &SystemReader<'_>, row: &Value, approvals: &Approvals) -> Result<ReceivedChange, String> {
    let id = key(&raw(row, "sys_id")).ok_or("a row has no `sys_id`")?;
    let number = key(&raw(row, "number")).ok_or_else(|| format!("`{id}` has no number"))?;
    let edited_at = moment(&raw(row, "sys_updated_on")).ok_or_else(|| format!("{number} has no `sys_updated_on`"))?;
    let of = |fact: &str| raw(row, &field(asking, fact));
    let time = |fact: &str| moment(&of(fact));
    let state = raw(row, "state");
    let shown = shown(row, "state");
    let phase = asking.system.phase(&state).or_else(|| asking.system.phase(&shown));
    Ok(ReceivedChange {
        title: kept(&raw(row, "short_description")).unwrap_or_else(|| number.clone()),
        kind: match raw(row, "type").to_lowercase().as_str() {
            "standard" => Kind::Standard,
            "emergency" => Kind::Emergency,
            _ => Kind::Normal,
        },
        impact: impact(&of("impact")),
        phase: phase.unwrap_or_else(|| phase_of(&state, &raw(row, "approval"))),
        state: kept(&shown).unwrap_or_else(|| "-".to_owned()),
        service: kept(&shown_of(row, &field(asking, "service"))),
        by: kept(&raw(row, "requested_by.user_name")),
        approvers: approvals.get(&id).cloned().unwrap_or_default(),
        planned: (time("planned_start"), time("planned_end")),
        actual: (time("started"), time("ended")),
        outcome: kept(&of("outcome")),
        has_plan: !of("plan").trim().is_empty(),
        has_way_back: !of("back_out").trim().is_empty(),
        opened_at: moment(&raw(row, "sys_created_on")),
        edited_at,
        ours: (raw(row, "correlation_display") == ORIGIN)
            .then(|| key(&raw(row, "correlation_id")))
            .flatten(),
        natural_key: id,
        key: number,
    })
}

/// The meaning of a state in the usual model of changes. A state that a tenant there added is unknown until the system's table
/// names it.
fn phase_of(state: &str, approval: &str) -> ForeignPhase {
    match (state, approval) {
        ("4", _) => ForeignPhase::Stopped,
        ("0" | "3", _) => ForeignPhase::Ended,
        ("-1", _) => ForeignPhase::Started,
        (_, "rejected") => ForeignPhase::Stopped,
        ("-2", _) | ("-3", "approved") => ForeignPhase::Approved,
        ("-5" | "-4" | "-3", _) => ForeignPhase::Waiting,
        _ => ForeignPhase::Unknown,
    }
}

/// The raw value of a field, requested with its display value or without.
pub(super) fn raw(row: &Value, field: &str) -> String {
    let value = &row[field];
    let text = value.as_str().or_else(|| value["value"].as_str());
    text.unwrap_or_default().to_owned()
}

/// The display value of a field there, else its value.
fn shown(row: &Value, field: &str) -> String {
    let text = row[field]["display_value"].as_str().filter(|text| !text.is_empty());
    text.map_or_else(|| raw(row, field), str::to_owned)
}

fn shown_of(row: &Value, field: &str) -> String {
    if field.is_empty() {
        String::new()
    } else {
        shown(row, field)
    }
}

/// A moment such as `2026-11-28 10:00:00`, in UTC.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let local: DateTime = text.trim().parse().ok()?;
    Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn a_page_begins_behind_the_last_row_also_among_rows_of_the_same_second() {
        let at: Timestamp = "2026-11-28T10:00:00Z".parse().unwrap();
        let first = query(&Position::since(at), Some("type=normal"));
        assert_eq!(
            first,
            "sys_updated_on>=2026-11-28 10:00:00^type=normal^ORDERBYsys_updated_on^ORDERBYsys_id"
        );
        let next = Position {
            id: "a1".to_owned(),
            ..Position::since(at)
        };
        assert_eq!(
            query(&next, None),
            "sys_updated_on=2026-11-28 10:00:00^sys_id>a1^NQsys_updated_on>2026-11-28 10:00:00^ORDERBYsys_updated_on^ORDERBYsys_id"
        );
    }

    #[test]
    fn rows_are_asked_by_their_ids_under_the_same_condition() {
        let ids = ["a1", "b2"].map(str::to_owned);
        assert_eq!(
            query_of(&ids, Some("type=normal")),
            "sys_idINa1,b2^type=normal^ORDERBYsys_updated_on^ORDERBYsys_id"
        );
    }

    #[test]
    fn states_mean_what_the_usual_model_says_and_others_mean_nothing() {
        assert_eq!(phase_of("-3", "requested"), ForeignPhase::Waiting);
        assert_eq!(phase_of("-3", "approved"), ForeignPhase::Approved);
        assert_eq!(phase_of("-3", "rejected"), ForeignPhase::Stopped);
        assert_eq!(
            phase_of("-1", "rejected"),
            ForeignPhase::Started,
            "a no that nobody kept to is a start"
        );
        assert_eq!(phase_of("111", "approved"), ForeignPhase::Unknown);
    }

    #[test]
    fn moments_are_read_in_utc_and_nothing_else_is_one() {
        assert_eq!(
            moment("2026-11-28 10:00:00").unwrap().to_string(),
            "2026-11-28T10:00:00Z"
        );
        for bad in ["", "yesterday", "28/11/2026"] {
            assert_eq!(moment(bad), None, "{bad}");
        }
    }
}
