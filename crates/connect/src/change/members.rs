//! Members of waves: reports of their state, and the table from which a change takes them.
//!
//! ```json
//! {"id": "run-17", "change": "CHG-1042", "members": [
//!  {"member": "NO-31877", "state": "failed", "text": "image refused", "service": "tracker", "environment": "production"}]}
//! ```
//! `state` is `in_progress`, `succeeded`, `failed`, `rolled_back` or `not_implemented`; `service` and `environment` are ours,
//! and needed where several targets have a member of the name. A repeated report of the same state counts once: the natural key
//! of an outcome is the change, the member and its state.

use model::core::enums::MemberState;
use model::integration::signal::{self, MemberReport, ReportedMember, SetAside, Signal};
use serde::Deserialize;
use serde_json::Value;

use crate::directory::table::{self, Columns, Problem};
use crate::integration::received::parse;

/// The most members of one report.
pub const MOST_TOLD: usize = 1_000;

/// The columns of the table of members.
const COLUMNS: Columns = Columns {
    known: &["member", "region", "canary", "service", "environment"],
    lists: &[],
    flags: &["canary"],
};

#[derive(Deserialize)]
struct Report {
    id: String,
    change: String,
    members: Vec<MemberLine>,
}

#[derive(Deserialize)]
struct MemberLine {
    member: String,
    state: String,
    text: Option<String>,
    service: Option<String>,
    environment: Option<String>,
}

/// Reads a report.
///
/// # Errors
/// [`SetAside`] where a field is missing, a state is unknown, or there are more than [`MOST_TOLD`] members.
pub fn read_report(body: &[u8]) -> Result<Vec<Signal>, SetAside> {
    let it: Report = parse(body)?;
    if it.members.len() > MOST_TOLD {
        return Err(SetAside::because(format_args!(
            "the report tells of more than {MOST_TOLD} members"
        )));
    }
    let members = it
        .members
        .into_iter()
        .map(reported_member)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(vec![Signal::Members(MemberReport {
        id: signal::name("id", &it.id)?,
        change: signal::name("change", &it.change)?,
        members,
    })])
}

fn reported_member(it: MemberLine) -> Result<ReportedMember, SetAside> {
    let state: MemberState = it
        .state
        .parse()
        .map_err(|text| SetAside::because(format_args!("state {text}")))?;
    if state == MemberState::Waiting {
        return Err(SetAside::because(
            "state `waiting` is not told; failed members are tried again by an act",
        ));
    }
    let named = |field: &str, text: Option<String>| text.map(|text| signal::name(field, &text)).transpose();
    Ok(ReportedMember {
        service: named("service", it.service)?,
        environment: named("environment", it.environment)?,
        member: signal::name("member", &it.member)?,
        state,
        text: it.text.as_deref().and_then(signal::free_text),
    })
}

/// A row of the table of members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableRow {
    /// Its line in the file.
    pub line: usize,
    /// The member.
    pub member: String,
    /// Its region; empty for none.
    pub region: String,
    /// Whether it may go first.
    pub canary: bool,
    /// The service; empty where one target alone fits.
    pub service: String,
    /// The environment.
    pub environment: String,
}

/// Reads a CSV table (RFC 4180) of members. Its first line names the columns: `member`, and as needed `region`, `canary`
/// (`true` or `false`), `service`, `environment`.
///
/// # Errors
/// [`Problem`] with the line, for a table that cannot be read or has no column `member`.
pub fn read_table(text: &str) -> Result<Vec<TableRow>, Problem> {
    let rows = table::read(text, COLUMNS)?;
    if rows.iter().any(|(_, fields)| !fields.contains_key("member")) {
        return Err(Problem::new(1, "the column `member` is missing"));
    }
    let is_word =
        |(_, fields): &&(usize, serde_json::Map<String, Value>)| fields.get("canary").is_some_and(Value::is_string);
    if let Some((line, _)) = rows.iter().find(is_word) {
        return Err(Problem::new(*line, "`canary` is `true` or `false`"));
    }
    Ok(rows
        .into_iter()
        .map(|(line, fields)| {
            let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            TableRow {
                line,
                member: text("member"),
                region: text("region"),
                canary: fields.get("canary").and_then(Value::as_bool).unwrap_or(false),
                service: text("service"),
                environment: text("environment"),
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn a_report_names_its_members_and_a_state_that_is_none_is_set_aside() {
        let body = br#"{"id": "r", "change": "CHG-1", "members": [{"member": "a", "state": "failed", "text": " x "}]}"#;
        let signals = read_report(body).unwrap();
        let [Signal::Members(report)] = &signals[..] else {
            panic!("{signals:?}")
        };
        assert_eq!((report.change.as_str(), report.members.len()), ("CHG-1", 1));
        assert_eq!(report.members[0].state, MemberState::Failed);
        assert_eq!(report.members[0].text.as_deref(), Some("x"));
        for wrong in ["broken", "waiting"] {
            let body =
                format!(r#"{{"id": "r", "change": "CHG-1", "members": [{{"member": "a", "state": "{wrong}"}}]}}"#);
            assert!(read_report(body.as_bytes()).is_err(), "{wrong}");
        }
        let one = r#"{"member": "a", "state": "failed"}"#;
        let many = format!(
            r#"{{"id": "r", "change": "C", "members": [{}]}}"#,
            vec![one; MOST_TOLD + 1].join(",")
        );
        assert!(read_report(many.as_bytes()).is_err());
    }

    #[test]
    fn a_table_is_read_by_its_heads_and_needs_the_column_of_members() {
        let rows = read_table("region,member,canary\nNorway,NO-1,true\n,NO-2,\n").unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(
            (rows[0].member.as_str(), rows[0].region.as_str(), rows[0].canary),
            ("NO-1", "Norway", true)
        );
        assert_eq!(
            (rows[1].member.as_str(), rows[1].region.as_str(), rows[1].canary),
            ("NO-2", "", false)
        );
        assert!(read_table("region\nNorway\n").is_err());
        assert!(read_table("member,colour\na,red\n").is_err());
    }
}
