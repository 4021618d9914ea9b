//! `assent ownership`, `assent group`, `assent calendar`, and the imports and exports of people, groups, services and
//! ownership: the directory as tables.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::proposals::{activate, tell_proposal};
use crate::common::Common;
use crate::client::{Client, encode};
use crate::clock;
use crate::failure::{Failure, Result, read_text};
use crate::output::{Output, array, text_of};

/// Rows to import.
#[derive(Debug, Args)]
pub struct ImportFile {
    /// The file, `-` for standard input.
    pub file: String,
    /// How its rows are written; by its ending unless said.
    #[arg(long, value_parser = ["csv", "json"])]
    pub format: Option<String>,
    /// Show the difference and write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Propose what two people do, for another person or an approved change to put in force; says why. The rest is written.
    #[arg(long, value_name = "REASON")]
    pub propose: Option<String>,
}

/// Rows to export.
#[derive(Debug, Args)]
pub struct Export {
    /// How rows are written.
    #[arg(long, value_parser = ["csv", "json"], default_value = "csv")]
    pub format: String,
}

/// Who answers for what.
#[derive(Debug, Subcommand)]
pub enum Ownership {
    /// Add a row to the matrix, or change the one for the same scope, place, part and holder.
    #[command(
        after_help = "Example: assent ownership set --service shop --role owner --group payments --until 2027-01-01T00:00:00Z"
    )]
    Set(OwnershipSet),
    /// Propose rows, or rights, seats and whatever else two people give, for another person or an approved change to put in
    /// force, or put a proposal in force.
    #[command(
        after_help = "Example: assent ownership propose rows.json --reason 'The team was split.'\n         \
        echo '{\"groups\": [{\"key\": \"ecab\", \"joins\": [\"olga\"]}]}' | assent ownership propose - --reason 'Olga joins.'\n         \
        assent ownership propose --activate 0192…\n         \
        assent ownership propose --by-two true --reason 'Nobody moves decisions alone.'"
    )]
    Propose(Propose),
    /// List the rows.
    List,
    /// End a row now; it stays readable.
    End {
        /// The row's id, as `list` shows it.
        id: String,
    },
    /// Show who answers for a place, line by line, and why.
    #[command(after_help = "Example: assent ownership why shop production --role owner")]
    Why {
        /// The service.
        service: String,
        /// The environment.
        environment: String,
        /// Only this part.
        #[arg(long)]
        role: Option<String>,
        /// A config item inside the service; may be given several times.
        #[arg(long)]
        config_item: Vec<String>,
        /// At which instant, such as +30d; now unless said.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        at: Option<String>,
    },
    /// Import rows.
    #[command(after_help = "Example: assent ownership import owners.csv --dry-run")]
    Import {
        /// The rows.
        #[command(flatten)]
        import: ImportFile,
        /// End rows that hold now and that no line names.
        #[arg(long)]
        end_missing: bool,
    },
    /// Export all rows.
    Export(Export),
    /// List targets that nobody can approve, and those who could approve only with themselves. Answers 1 if there is one
    /// that nobody can.
    Report,
}

/// Rows to propose.
#[derive(Debug, Args)]
pub struct Propose {
    /// A file with a JSON list of rows as the API takes them, or with an object of lists: `rows`, `people`, `groups`,
    /// `dependencies`, `delegations`, `trainings`, `connections` and whatever else the API takes; `-` for standard input.
    pub file: Option<String>,
    /// The id of a row to end; may be given several times.
    #[arg(long)]
    pub end: Vec<String>,
    /// Whether rows that move decisions need two people from then on.
    #[arg(long)]
    pub by_two: Option<bool>,
    /// Why.
    #[arg(long, required_unless_present = "activate")]
    pub reason: Option<String>,
    /// Put this proposal of another person in force, by its id.
    #[arg(long, value_name = "ID", conflicts_with_all = ["file", "end", "by_two"])]
    pub activate: Option<String>,
    /// An approved change one of whose targets has the proposal's digest as its artifact.
    #[arg(long, value_name = "KEY")]
    pub change: Option<String>,
}

/// A row to add or change.
#[derive(Debug, Args)]
pub struct OwnershipSet {
    /// The part.
    #[arg(long, value_parser = ["owner", "technical_lead", "security", "data", "implementer", "pipeline"])]
    pub role: String,
    /// The service; without service, item and class: everything.
    #[arg(long)]
    pub service: Option<String>,
    /// Or a config item.
    #[arg(long)]
    pub config_item: Option<String>,
    /// Or a whole class, such as regime:sox.
    #[arg(long)]
    pub class: Option<String>,
    /// The environment; every one unless said.
    #[arg(long)]
    pub environment: Option<String>,
    /// The person.
    #[arg(long)]
    pub person: Option<String>,
    /// Or the group.
    #[arg(long)]
    pub group: Option<String>,
    /// The job function without which nobody holds it.
    #[arg(long)]
    pub function: Option<String>,
    /// Since when; now unless said.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Until when, such as +90d.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
}

/// Groups and teams.
#[derive(Debug, Subcommand)]
pub enum Group {
    /// Make or set a group; its members are named whole.
    #[command(after_help = "Example: assent group set payments --name Payments --member olga --member tom")]
    Set {
        /// The group's key.
        key: String,
        /// A name for people.
        #[arg(long)]
        name: Option<String>,
        /// A login; may be given several times.
        #[arg(long)]
        member: Vec<String>,
        /// A group of any people, or a team.
        #[arg(long, value_parser = ["group", "team"])]
        kind: Option<String>,
    },
    /// List groups.
    List,
    /// Import groups.
    Import(ImportFile),
    /// Export groups.
    Export(Export),
}

/// Business calendars.
#[derive(Debug, Subcommand)]
pub enum Calendar {
    /// Make or change a calendar.
    #[command(
        after_help = "Example: assent calendar set default --zone Europe/Oslo --hours monday=08:00-16:00 --hours tuesday=08:00-16:00"
    )]
    Set {
        /// The calendar's key; `default` is the tenant's usual one.
        key: String,
        /// A name for people.
        #[arg(long)]
        name: Option<String>,
        /// IANA zone.
        #[arg(long)]
        zone: Option<String>,
        /// Working hours as day=from-to; may be given several times.
        #[arg(long, value_name = "DAY=FROM-TO")]
        hours: Vec<String>,
    },
    /// List calendars.
    List,
    /// Add the holidays of an iCalendar file.
    #[command(after_help = "Example: assent calendar import norway.ics --calendar default --dry-run")]
    Import {
        /// The file, `-` for standard input.
        file: String,
        /// The calendar.
        #[arg(long, default_value = "default")]
        calendar: String,
        /// Show what would be added and write nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Imports rows of one kind.
///
/// # Errors
/// The server's refusal, which names every wrong line, or why it could not be asked.
pub fn import(client: &Client, output: &Output, kind: &str, import: &ImportFile, end_missing: bool) -> Result<u8> {
    let by_ending = if import.file.ends_with(".json") { "json" } else { "csv" };
    let mut body = json!({
        "kind": kind,
        "text": read_text(&import.file)?,
        "dry_run": import.dry_run,
    });
    if kind != "backstage" {
        body["format"] = json!(import.format.as_deref().unwrap_or(by_ending));
    }
    if end_missing {
        body["end_missing"] = json!(true);
    }
    if let Some(reason) = &import.propose {
        body["propose"] = json!(true);
        body["reason"] = json!(reason);
    }
    let report = client.post("/imports", &body)?.body;
    output.data(&report, |output| show_report(output, &report));
    if import.dry_run {
        output.next("the same without --dry-run");
    } else if report["proposal"].is_object() {
        let id = text_of(&report["proposal"], "id");
        output.next(&format!("assent ownership propose --activate {id}, by another person"));
    }
    Ok(0)
}

fn show_report(output: &Output, report: &Value) {
    let heads = ["line", "what", "key", "fields"];
    let row = |item: &Value| heads.iter().map(|head| text_of(item, head)).collect();
    let rows: Vec<Vec<String>> = array(report, "rows").iter().map(row).collect();
    if !rows.is_empty() {
        output.rows(&heads, &rows);
    }
    let count = |field: &str| text_of(report, field);
    output.line(&format!(
        "{}: {} added, {} changed, {} ended, {} unchanged",
        match (report["dry_run"] == true, report.get("proposal").is_some()) {
            (true, _) => "would do",
            (false, true) => "proposed",
            (false, false) => "done",
        },
        count("added"),
        count("changed"),
        count("ended"),
        count("unchanged"),
    ));
    show_loss(output, report);
}

/// The most losses that are shown one by one.
const LOSSES: usize = 20;

/// What a dry run found that the import would take from services.
fn show_loss(output: &Output, report: &Value) {
    let lost = array(report, "no_longer_approvable");
    for finding in lost.iter().take(LOSSES) {
        let told = |field: &str| text_of(finding, field);
        output.line(&format!(
            "too few could approve {} in {} any more: {} needs {} of: {}; there would be {}",
            told("service"),
            told("environment"),
            told("rule"),
            told("needed"),
            told("asks"),
            match told("found") {
                found if found.is_empty() => "nobody".to_owned(),
                found => found,
            },
        ));
    }
    if lost.len() > LOSSES {
        output.line(&format!("and {} more; `--json` names them", lost.len() - LOSSES));
    }
    let left = report["services_not_looked_at"].as_u64().unwrap_or_default();
    if left > 0 {
        output.line(&format!(
            "{} services were looked at for what they lose, {left} were not; after the import `assent ownership report` names all",
            text_of(report, "services_looked_at"),
        ));
    }
}

/// Exports rows of one kind to standard output.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn export(client: &Client, output: &Output, noun: &str, export: &Export) -> Result<u8> {
    let found = client.get(&format!("/exports/{noun}?format={}", export.format))?.body;
    output.data(&found, |output| {
        output.line(found["text"].as_str().unwrap_or_default().trim_end())
    });
    Ok(0)
}

/// Runs a command about ownership.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn ownership(ownership: &Ownership, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match ownership {
        Ownership::Set(set) => {
            let made = client.post("/ownerships", &Value::Object(row(set)?))?.body;
            output.data(&made, |output| output.line(&format!("set {}", text_of(&made, "id"))));
        }
        Ownership::Propose(wanted) => return propose(&client, wanted, output),
        Ownership::List => {
            let heads = [
                "id",
                "service",
                "config_item",
                "class",
                "environment",
                "role",
                "person",
                "group",
                "since",
                "ends_at",
            ];
            list(&client, output, "/ownerships", &heads)?;
        }
        Ownership::End { id } => {
            let ended = client.delete(&format!("/ownerships/{}", encode(id)))?.body;
            output.data(&ended, |output| output.line(&format!("ended {id}")));
        }
        Ownership::Why {
            service,
            environment,
            role,
            config_item,
            at,
        } => {
            let mut path = format!(
                "/ownership-lines?service={}&environment={}",
                encode(service),
                encode(environment)
            );
            if let Some(role) = role {
                path.push_str(&format!("&role={}", encode(role)));
            }
            if !config_item.is_empty() {
                path.push_str(&format!("&config_item={}", encode(&config_item.join(","))));
            }
            if let Some(at) = at {
                path.push_str(&format!("&at={}", clock::moment(at, clock::now())?));
            }
            let found = client.get(&path)?.body;
            output.data(&found, |output| show_lines(output, &found));
        }
        Ownership::Import {
            import: rows,
            end_missing,
        } => return import(&client, output, "ownerships", rows, *end_missing),
        Ownership::Export(rows) => return export(&client, output, "ownerships", rows),
        Ownership::Report => return report(&client, output),
    }
    Ok(0)
}

fn propose(client: &Client, wanted: &Propose, output: &Output) -> Result<u8> {
    if let Some(id) = &wanted.activate {
        return activate(client, id, wanted.change.as_deref(), output);
    }
    let mut body = json!({"reason": wanted.reason});
    if !wanted.end.is_empty() {
        body["end"] = json!(wanted.end);
    }
    if let Some(by_two) = wanted.by_two {
        body["by_two"] = json!(by_two);
    }
    if let Some(file) = &wanted.file {
        take_file(&mut body, file)?;
    }
    let made = client.post("/ownership-proposals", &body)?.body;
    match &wanted.change {
        Some(key) => activate(client, &text_of(&made, "id"), Some(key), output),
        None => {
            tell_proposal(&made, "ownership propose", output);
            Ok(0)
        }
    }
}

/// Takes what a file proposes into the request. What a flag says already the file does not say again: one of both would be lost.
fn take_file(body: &mut Value, file: &str) -> Result<()> {
    let told: Value = serde_json::from_str(&read_text(file)?)
        .map_err(|why| Failure::could_not(format!("`{file}` is no JSON list of rows: {why}.")))?;
    let Value::Object(lists) = told else {
        body["rows"] = told;
        return Ok(());
    };
    for (name, rows) in lists {
        if body.get(&name).is_some() {
            let text = format!("`{file}` has `{name}`, which a flag says as well: say it in one place.");
            return Err(Failure::could_not(text));
        }
        body[name.as_str()] = rows;
    }
    Ok(())
}

fn row(set: &OwnershipSet) -> Result<Map<String, Value>> {
    let now = clock::now();
    let mut body = Map::new();
    body.insert("role".to_owned(), json!(set.role));
    let texts = [
        ("service", &set.service),
        ("config_item", &set.config_item),
        ("class", &set.class),
        ("environment", &set.environment),
        ("person", &set.person),
        ("group", &set.group),
        ("function", &set.function),
    ];
    for (field, value) in texts {
        if let Some(value) = value {
            body.insert(field.to_owned(), json!(value));
        }
    }
    for (field, value) in [("since", &set.since), ("ends_at", &set.until)] {
        if let Some(value) = value {
            body.insert(field.to_owned(), json!(clock::moment(value, now)?.to_string()));
        }
    }
    Ok(body)
}

fn show_lines(output: &Output, found: &Value) {
    for part in array(found, "parts") {
        let lines = array(part, "lines");
        if lines.is_empty() {
            continue;
        }
        output.line(&text_of(part, "role"));
        for line in lines {
            let path: Vec<&str> = array(line, "path").iter().filter_map(Value::as_str).collect();
            let way = if path.is_empty() {
                String::new()
            } else {
                format!(" (from {})", path.join(" → "))
            };
            output.line(&format!("  {}{way}", text_of(line, "scope")));
            for holder in array(line, "holders") {
                output.line(&format!(
                    "    {}: {}",
                    text_of(holder, "person"),
                    text_of(holder, "why")
                ));
            }
            for idle in array(line, "idle") {
                output.line(&format!("    nobody: {}", text_of(idle, "why")));
            }
        }
        let asked: Vec<String> = array(part, "asked")
            .iter()
            .map(|holder| text_of(holder, "person"))
            .collect();
        output.line(&format!(
            "  asked: {}",
            if asked.is_empty() {
                "nobody".to_owned()
            } else {
                asked.join(", ")
            }
        ));
    }
}

fn report(client: &Client, output: &Output) -> Result<u8> {
    let (mut unapprovable, mut alone) = (Vec::new(), Vec::new());
    let mut after = String::new();
    loop {
        let part = client
            .get(&format!("/ownership-reports?limit=50&after={}", encode(&after)))?
            .body;
        unapprovable.extend(array(&part, "unapprovable").iter().cloned());
        alone.extend(array(&part, "alone").iter().cloned());
        match part["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    let answer = if unapprovable.is_empty() { 0 } else { 1 };
    let all = json!({"unapprovable": unapprovable, "alone": alone});
    output.data(&all, |output| {
        let heads = ["service", "environment", "rule", "asks", "needed", "found", "why"];
        let table = |items: &[Value]| -> Vec<Vec<String>> {
            let row = |item: &Value| heads.iter().map(|head| text_of(item, head)).collect();
            items.iter().map(row).collect()
        };
        output.line(&format!(
            "{} that nobody can approve",
            array(&all, "unapprovable").len()
        ));
        output.rows(&heads, &table(array(&all, "unapprovable")));
        output.line(&format!(
            "{} that only just enough people can",
            array(&all, "alone").len()
        ));
        output.rows(&heads, &table(array(&all, "alone")));
    });
    Ok(answer)
}

/// Runs a command about groups.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn group(group: &Group, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match group {
        Group::Set {
            key,
            name,
            member,
            kind,
        } => {
            let mut body = json!({"members": member});
            for (field, value) in [("name", name), ("kind", kind)] {
                if let Some(value) = value {
                    body[field] = json!(value);
                }
            }
            let path = format!("/groups/{}", encode(key));
            let made = client.send("PUT", &path, Some(&body), &[("If-Match", "*")])?.body;
            output.data(&made, |output| output.line(&format!("set {key}")));
        }
        Group::List => list(&client, output, "/groups", &["key", "name", "kind", "members"])?,
        Group::Import(rows) => return import(&client, output, "groups", rows, false),
        Group::Export(rows) => return export(&client, output, "groups", rows),
    }
    Ok(0)
}

/// Runs a command about business calendars.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn calendar(calendar: &Calendar, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match calendar {
        Calendar::Set { key, name, zone, hours } => {
            let mut body = json!({"key": key});
            for (field, value) in [("name", name), ("zone", zone)] {
                if let Some(value) = value {
                    body[field] = json!(value);
                }
            }
            if !hours.is_empty() {
                body["hours"] = hours
                    .iter()
                    .map(|text| one_span(text))
                    .collect::<Result<Vec<Value>>>()?
                    .into();
            }
            let made = client.post("/calendars", &body)?.body;
            output.data(&made, |output| output.line(&format!("set {key}")));
        }
        Calendar::List => list(&client, output, "/calendars", &["key", "name", "zone"])?,
        Calendar::Import {
            file,
            calendar,
            dry_run,
        } => {
            let body = json!({"kind": "holidays", "text": read_text(file)?, "calendar": calendar, "dry_run": dry_run});
            let report = client.post("/imports", &body)?.body;
            output.data(&report, |output| {
                let heads = ["date", "title"];
                let row = |item: &Value| heads.iter().map(|head| text_of(item, head)).collect();
                let rows: Vec<Vec<String>> = array(&report, "rows").iter().map(row).collect();
                output.rows(&heads, &rows);
                let would = if *dry_run { "would do: " } else { "" };
                output.line(&format!("{would}{} added to {calendar}", text_of(&report, "added")));
                if *dry_run {
                    output.next("the same without --dry-run");
                }
            });
        }
    }
    Ok(0)
}

/// `monday=08:00-16:00` as the API writes it.
fn one_span(text: &str) -> Result<Value> {
    let wrong = || Failure::could_not(format!("`{text}` is no working time; write monday=08:00-16:00."));
    let (day, span) = text.split_once('=').ok_or_else(wrong)?;
    let (from, to) = span.split_once('-').ok_or_else(wrong)?;
    Ok(json!({"day": day, "from": from, "to": to}))
}
