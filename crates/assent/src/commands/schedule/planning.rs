//! `assent slots`, `conflicts`, `traffic` and `outside-calendar`: planning beside others.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use wire::nouns as noun;

use crate::client::{Client, encode};
use crate::clock;
use crate::commands::platform::nouns::{Verbs, run_verb};
use crate::common::Common;
use crate::failure::{Result, read_text};
use crate::output::{Output, array, text_of};

/// Calendars of others.
#[derive(Debug, Subcommand)]
pub enum OutsideCalendars {
    /// Add, list, change and remove calendars.
    #[command(flatten)]
    Verb(Verbs<noun::OutsideCalendar>),
    /// Replace the events of a calendar by those of an iCalendar file.
    #[command(after_help = "Example: assent outside-calendar import 0198… works.ics")]
    Import {
        /// The calendar's id, as `list` shows it.
        id: String,
        /// The file, `-` for standard input.
        file: String,
    },
    /// Keep the login and password for a calendar's address; the password is read from the file.
    #[command(after_help = "Example: assent outside-calendar credential 0198… assent works-password.txt")]
    Credential {
        /// The calendar's id, as `list` shows it.
        id: String,
        /// The login.
        login: String,
        /// The file with the password, `-` for standard input.
        file: String,
    },
}

/// Users of services by hour.
#[derive(Debug, Subcommand)]
pub enum TrafficTables {
    /// Set, list, show and forget tables.
    #[command(flatten)]
    Verb(Verbs<noun::Traffic>),
    /// Set the users of a service from a CSV file with lines of weekday, hour and users, or from what Prometheus answers to a range
    /// query.
    #[command(after_help = "Example: assent traffic import booking-api users.csv --zone Europe/Oslo")]
    Import {
        /// The service.
        service: String,
        /// The file, `-` for standard input.
        file: String,
        /// The IANA zone of its hours.
        #[arg(long, default_value = "UTC")]
        zone: String,
    },
}

/// For what free times are looked for.
#[derive(Debug, Args)]
pub struct Slots {
    /// The change's key.
    key: String,
    /// How long it takes; as planned unless said.
    #[arg(long)]
    minutes: Option<i64>,
    /// From when on.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    after: Option<String>,
    /// How many.
    #[arg(long, default_value_t = 10)]
    count: i64,
    /// The IANA zone of days.
    #[arg(long)]
    zone: Option<String>,
}

/// Of which plan conflicts are shown.
#[derive(Debug, Args)]
pub struct Conflicts {
    /// The change's key.
    key: String,
    /// Its start, where another than planned is tried.
    #[arg(long, value_name = "TIME", requires = "to", allow_hyphen_values = true)]
    from: Option<String>,
    /// Its end.
    #[arg(long, value_name = "TIME", requires = "from", allow_hyphen_values = true)]
    to: Option<String>,
}

/// For which conflict precedents are shown.
#[derive(Debug, Args)]
pub struct Precedents {
    /// The conflict's id, as `assent conflict list` shows it.
    id: String,
}

/// Shows how conflicts like one were decided.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn precedents(asked: &Precedents, common: &Common, output: &Output) -> Result<u8> {
    let path = format!("/conflicts/{}/precedents", encode(&asked.id));
    let found = Client::new(common)?.get(&path)?.body;
    output.data(&found, |output| {
        let heads = ["one_key", "other_key", "decision", "moves", "decided_at", "reason"];
        let row = |it: &Value| heads.iter().map(|name| text_of(it, name)).collect();
        let rows: Vec<Vec<String>> = array(&found, "conflicts").iter().map(row).collect();
        output.rows(&heads, &rows);
    });
    Ok(0)
}

/// Runs a command about calendars of others.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn outside_calendar(calendar: &OutsideCalendars, common: &Common, output: &Output) -> Result<u8> {
    match calendar {
        OutsideCalendars::Verb(verbs) => run_verb(verbs, common, output),
        OutsideCalendars::Import { id, file } => {
            let body = json!({"text": read_text(file)?});
            let path = format!("/outside-calendars/{}/imports", encode(id));
            let made = Client::new(common)?.post(&path, &body)?.body;
            output.data(&made, |output| {
                let (count, left_out) = (text_of(&made, "event_count"), text_of(&made, "left_out"));
                output.line(&format!("{count} events, {left_out} left out"));
            });
            Ok(0)
        }
        OutsideCalendars::Credential { id, login, file } => {
            let password = read_text(file)?;
            let body = json!({"login": login, "password": password.trim_end_matches(['\n', '\r'])});
            let path = format!("/outside-calendars/{}/credentials", encode(id));
            let kept = Client::new(common)?.post(&path, &body)?.body;
            output.data(&kept, |output| {
                output.line("the credential is kept, and the calendar is read")
            });
            Ok(0)
        }
    }
}

/// Runs a command about users by hour.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn traffic(traffic: &TrafficTables, common: &Common, output: &Output) -> Result<u8> {
    match traffic {
        TrafficTables::Verb(verbs) => run_verb(verbs, common, output),
        TrafficTables::Import { service, file, zone } => {
            let profile = read_text(file)?;
            let source = if profile.trim_start().starts_with('{') {
                "Prometheus"
            } else {
                "csv"
            };
            let body = json!({"service": service, "zone": zone, "profile": profile, "source": source});
            let made = Client::new(common)?.post("/traffic", &body)?.body;
            output.data(&made, |output| output.line(&format!("set {service}")));
            Ok(0)
        }
    }
}

/// Shows free times.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn slots(slots: &Slots, common: &Common, output: &Output) -> Result<u8> {
    let mut body = json!({"change": slots.key, "count": slots.count});
    if let Some(minutes) = slots.minutes {
        body["minutes"] = json!(minutes);
    }
    if let Some(after) = &slots.after {
        body["after"] = json!(clock::moment(after, clock::now())?.to_string());
    }
    if let Some(zone) = &slots.zone {
        body["zone"] = json!(zone);
    }
    let found = Client::new(common)?.post("/slots", &body)?.body;
    output.data(&found, |output| {
        let row = |slot: &Value| {
            let reasons = array(slot, "reasons").iter().map(|it| text_of(it, "text"));
            let why: Vec<String> = reasons.collect();
            vec![
                text_of(slot, "starts_at"),
                text_of(slot, "ends_at"),
                text_of(slot, "score"),
                why.join(" "),
            ]
        };
        let rows: Vec<Vec<String>> = array(&found, "slots").iter().map(row).collect();
        output.rows(&["starts_at", "ends_at", "score", "why"], &rows);
    });
    Ok(0)
}

/// Shows conflicts.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn conflicts(conflicts: &Conflicts, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let found = match (&conflicts.from, &conflicts.to) {
        (Some(from), Some(to)) => {
            let time = |text: &str| -> Result<String> { Ok(clock::moment(text, clock::now())?.to_string()) };
            let (from, to) = (time(from)?, time(to)?);
            let body = json!({"change": conflicts.key, "planned_start": from, "planned_end": to});
            client.post("/conflict-previews", &body)?.body
        }
        _ => {
            client
                .get(&format!("/changes/{}/conflicts", encode(&conflicts.key)))?
                .body
        }
    };
    output.data(&found, |output| {
        let row = |it: &Value| {
            let why: Vec<&str> = array(it, "why").iter().filter_map(Value::as_str).collect();
            let with = match it["undo"] == true {
                true => format!("the planned undo of {}", text_of(it, "with")),
                false => text_of(it, "with"),
            };
            vec![with, text_of(it, "from"), text_of(it, "to"), why.join("; ")]
        };
        let rows: Vec<Vec<String>> = array(&found, "conflicts").iter().map(row).collect();
        output.rows(&["with", "from", "to", "why"], &rows);
    });
    Ok(0)
}
