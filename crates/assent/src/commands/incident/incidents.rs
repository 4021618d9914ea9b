//! `assent incident`: incidents, their command, and a commander's exceptions.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::client::{Client, encode};
use crate::clock;
use crate::common::Common;
use crate::failure::Result;
use crate::lists::list;
use crate::output::{Output, array, text_of};

/// Columns of incidents.
const INCIDENTS: [&str; 8] = [
    "key",
    "severity",
    "state",
    "services",
    "commander",
    "started_at",
    "resolved_at",
    "title",
];

/// Incidents.
#[derive(Debug, Subcommand)]
pub enum Incident {
    /// List incidents.
    List,
    /// Open an incident.
    #[command(after_help = "Example: assent incident open 'Labels come out blank' --severity 2 --service label-print")]
    Open(Open),
    /// Show an incident: freeze, work under way, what is stopped, contacts.
    Show {
        /// The incident's key.
        key: String,
    },
    /// Show the timeline of an incident.
    Timeline {
        /// The incident's key.
        key: String,
    },
    /// Say that the effect of an incident is contained.
    Mitigate {
        /// The incident's key.
        key: String,
    },
    /// Say that an incident is over.
    Resolve {
        /// The incident's key.
        key: String,
        /// When it was over, such as 2026-11-20T10:00:00Z or -10m.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "now")]
        at: String,
    },
    /// Open an incident again that was resolved too early.
    Reopen {
        /// The incident's key.
        key: String,
    },
    /// Close an incident that is resolved.
    Close {
        /// The incident's key.
        key: String,
        /// What is left to say.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Close an incident as a duplicate of another one.
    Merge {
        /// The incident's key.
        key: String,
        /// The incident that it repeats.
        #[arg(long)]
        into: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Take command of an incident, or hand it over.
    Command {
        /// The incident's key.
        key: String,
        /// The next commander's login; oneself unless said.
        #[arg(long)]
        to: Option<String>,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Declare an incident major: changes of high risk around it neither start nor are scheduled.
    Declare {
        /// The incident's key.
        key: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// End the freeze of a major incident that goes on; its commander does, with a fresh factor.
    StandDown {
        /// The incident's key.
        key: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Halt work under way around a major incident, or let it go on.
    Halt {
        /// The incident's key.
        key: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Let work go on instead.
        #[arg(long)]
        end: bool,
    },
    /// Let one change through a major incident; its commander does, with a fresh factor.
    #[command(
        after_help = "Example: assent incident sign INC-101 CHG-1068 --until +2h --reason 'It restores the queue'"
    )]
    Sign {
        /// The incident's key.
        key: String,
        /// The change's key.
        change: String,
        /// Why it cannot wait; may be left out for the change that fixes the incident.
        #[arg(long)]
        reason: Option<String>,
        /// Until when it may start: at most 24 hours ahead.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
    /// Take a signature back.
    Withdraw {
        /// The incident's key.
        key: String,
        /// The change's key.
        change: String,
    },
    /// Review a signature afterwards.
    ReviewSignature {
        /// The incident's key.
        key: String,
        /// The change's key.
        change: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// The change could have waited.
        #[arg(long)]
        not_justified: bool,
    },
}

/// What opens an incident.
#[derive(Debug, Args)]
pub struct Open {
    /// What is broken.
    title: String,
    /// 1 is the gravest.
    #[arg(long, default_value_t = 3)]
    severity: i64,
    /// A service that it hurts; may be repeated.
    #[arg(long = "service")]
    services: Vec<String>,
    /// Since when, such as 2026-11-20T10:00:00Z or -10m.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// A security incident.
    #[arg(long)]
    security: bool,
    /// Its key in another system, such as jira:OPS-7.
    #[arg(long)]
    external_ref: Option<String>,
}

/// Runs a command about incidents.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn incident(asked: &Incident, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match asked {
        Incident::List => list(&client, output, "/incidents", &INCIDENTS)?,
        Incident::Open(wanted) => open(wanted, &client, output)?,
        Incident::Show { key } => show(key, &client, output)?,
        Incident::Timeline { key } => timeline(key, &client, output)?,
        Incident::Mitigate { key } => patch(&client, output, key, ("mitigated_at", json!(clock::now())))?,
        Incident::Resolve { key, at } => {
            let at = clock::moment(at, clock::now())?;
            patch(&client, output, key, ("resolved_at", json!(at)))?;
        }
        Incident::Reopen { key } => patch(&client, output, key, ("resolved_at", Value::Null))?,
        other => command(other, &client, output)?,
    }
    Ok(0)
}

/// The verbs that send a body to a path below the incident.
fn command(asked: &Incident, client: &Client, output: &Output) -> Result<()> {
    let (key, path, body) = match asked {
        Incident::Close { key, reason } => (key, "closure", json!({"reason": reason})),
        Incident::Merge { key, into, reason } => (key, "merge", json!({"into": into, "reason": reason})),
        Incident::Command { key, to, reason } => (key, "command", json!({"commander": to, "reason": reason})),
        Incident::Declare { key, reason } => (key, "major", json!({"reason": reason})),
        Incident::Halt { key, reason, end } => (key, "halt", json!({"halt": !end, "reason": reason})),
        Incident::Sign {
            key,
            change,
            reason,
            until,
        } => {
            let until = until
                .as_deref()
                .map(|text| clock::moment(text, clock::now()))
                .transpose()?;
            (
                key,
                "signatures",
                json!({"change": change, "reason": reason, "until": until}),
            )
        }
        Incident::ReviewSignature {
            key,
            change,
            reason,
            not_justified,
        } => {
            let body = json!({"change": change, "justified": !not_justified, "reason": reason});
            (key, "signature-reviews", body)
        }
        Incident::StandDown { key, reason } => {
            let path = format!("/incidents/{}/major", encode(key));
            let done = client.delete_with(&path, &json!({"reason": reason}))?.body;
            print_found(output, &done);
            return Ok(());
        }
        Incident::Withdraw { key, change } => {
            let path = format!("/incidents/{}/signatures/{}", encode(key), encode(change));
            print_found(output, &client.delete(&path)?.body);
            return Ok(());
        }
        _ => return Ok(()),
    };
    let done = client
        .post(&format!("/incidents/{}/{path}", encode(key)), &without_nulls(body))?
        .body;
    print_found(output, &done);
    Ok(())
}

/// Values without an option are left out, because null would clear them.
fn without_nulls(body: Value) -> Value {
    match body {
        Value::Object(map) => map.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        other => other,
    }
}

fn print_found(output: &Output, incident: &Value) {
    output.data(incident, |output| {
        let major = if incident["major_since"].is_string() {
            ", major"
        } else {
            ""
        };
        output.line(&format!(
            "{} {}{major}",
            text_of(incident, "key"),
            text_of(incident, "state")
        ));
    });
}

fn patch(client: &Client, output: &Output, key: &str, (field, value): (&str, Value)) -> Result<()> {
    let mut body = Map::new();
    body.insert(field.to_owned(), value);
    let one = format!("/incidents/{}", encode(key));
    let etag = client.get(&one)?.etag.unwrap_or_default();
    let done = client.conditional("PATCH", &one, &Value::Object(body), &etag)?.body;
    print_found(output, &done);
    Ok(())
}

fn open(wanted: &Open, client: &Client, output: &Output) -> Result<()> {
    let since = wanted
        .since
        .as_deref()
        .map(|text| clock::moment(text, clock::now()))
        .transpose()?;
    let kind = wanted.security.then_some("security");
    let body = json!({
        "title": wanted.title, "severity": wanted.severity, "services": wanted.services, "started_at": since, "kind": kind,
        "external_ref": wanted.external_ref,
    });
    let made = client.post("/incidents", &without_nulls(body))?.body;
    print_found(output, &made);
    output.next(&format!("assent incident show {}", text_of(&made, "key")));
    Ok(())
}

fn show(key: &str, client: &Client, output: &Output) -> Result<()> {
    let found = client.get(&format!("/incidents/{}/situation", encode(key)))?.body;
    let incident = client.get(&format!("/incidents/{}", encode(key)))?.body;
    output.data(&found, |output| {
        let major = match incident["major_since"].is_string() {
            true => ", major",
            false => "",
        };
        output.line(&format!(
            "{} {}, severity {}{major}",
            text_of(&found, "incident"),
            text_of(&found, "state"),
            text_of(&incident, "severity")
        ));
        output.line(&format!("commander: {}", text_of(&found, "commander")));
        output.line(&format!("frozen services: {}", text_of(&found, "services")));
        for (name, title) in [("in_flight", "under way"), ("stopped", "stopped or signed for")] {
            output.line(&format!("{title}: {}", text_of(&found, &format!("{name}_count"))));
            let heads = ["key", "state", "risk", "services", "signed", "title"];
            let row = |item: &Value| heads.iter().map(|head| text_of(item, head)).collect();
            let rows: Vec<Vec<String>> = array(&found, name).iter().map(row).collect();
            output.rows(&heads, &rows);
        }
        let heads = ["person", "name", "roles", "services"];
        let row = |item: &Value| heads.iter().map(|head| text_of(item, head)).collect();
        let rows: Vec<Vec<String>> = array(&found, "contacts").iter().map(row).collect();
        output.rows(&heads, &rows);
    });
    Ok(())
}

fn timeline(key: &str, client: &Client, output: &Output) -> Result<()> {
    list(
        client,
        output,
        &format!("/incidents/{}/timeline", encode(key)),
        &["at", "kind", "by", "text"],
    )
}
