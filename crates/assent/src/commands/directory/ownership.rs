//! `assent ownership`: the owners of services, things and decisions.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::client::{Client, encode};
use crate::clock;
use crate::commands::directory::rows::{Export, ImportFile, export, import};
use crate::commands::policy::proposals::{activate, print_proposal};
use crate::common::Common;
use crate::failure::{Failure, Result, read_text};
use crate::lists::list;
use crate::output::{Output, array, text_of};

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
    /// Whether rows that affect decisions need two people from then on.
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

/// Runs a command about ownership.
///
/// # Errors
/// The server's refusal, or why the request failed.
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
            print_proposal(&made, "ownership propose", output);
            Ok(0)
        }
    }
}

/// Takes the proposal of a file into the request. A value of a flag must not be repeated in the file: one of both would be
/// lost.
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
