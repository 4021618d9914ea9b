//! `assent waves`: one change over many members, wave by wave.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::{Failure, Result, read_text};
use crate::output::{Output, array, text_of};

/// Members of one request, as the server takes them.
const AT_ONCE: usize = 1_000;

/// Waves.
#[derive(Debug, Subcommand)]
pub enum Waves {
    /// Show the waves of a change.
    Show {
        /// The change's key.
        key: String,
    },
    /// Set the plan of waves.
    #[command(
        after_help = "Example: assent waves plan CHG-1042 --wave canary,canary,size=12 --wave north,region=Norway --wave rest \\\n           \
        --at-once 40 --failures 3 --watch-minutes 30"
    )]
    Plan(Box<Plan>),
    /// Set members from a CSV file with the column `member`, and as needed `region`, `canary`, `service`, `environment`.
    #[command(after_help = "Example: assent waves members CHG-1042 trucks.csv --replace")]
    Members(Box<Members>),
    /// List members with their outcomes.
    List {
        /// The change's key.
        key: String,
        /// Of this wave alone.
        #[arg(long)]
        wave: Option<i64>,
        /// Those that stand so alone, such as failed.
        #[arg(long)]
        state: Option<String>,
        /// So many are left out at the beginning.
        #[arg(long, default_value_t = 0)]
        from: u32,
    },
    /// Try the waves as they are planned; nothing is written.
    DryRun {
        /// The change's key.
        key: String,
    },
    /// Tell how members stand.
    #[command(after_help = "Example: assent waves tell CHG-1042 failed NO-31877 --text 'image refused'")]
    Tell(Box<ReportMembers>),
    /// Pause the waves: no member gets a go until they are resumed.
    Pause {
        /// The change's key.
        key: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Let paused or halted waves go on.
    Resume {
        /// The change's key.
        key: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Let failed members be tried again: those that are named, else all.
    Retry {
        /// The change's key.
        key: String,
        /// Members.
        members: Vec<String>,
    },
}

/// A plan.
#[derive(Debug, Args)]
pub struct Plan {
    /// The change's key.
    key: String,
    /// A wave: its name, then as needed `canary`, `region=NAME`, `size=N`, `percent=N`, separated by commas.
    #[arg(long = "wave", value_name = "WAVE", required = true)]
    waves: Vec<String>,
    /// The most members in progress at once.
    #[arg(long)]
    at_once: Option<i64>,
    /// So many failures in one wave halt it.
    #[arg(long)]
    failures: Option<i64>,
    /// The minutes between the last outcome of a wave and the beginning of the next.
    #[arg(long)]
    watch_minutes: Option<i64>,
    /// Incidents do not halt the waves.
    #[arg(long)]
    despite_incidents: bool,
    /// Watch results do not halt the waves.
    #[arg(long)]
    despite_watch: bool,
}

/// Members to set.
#[derive(Debug, Args)]
pub struct Members {
    /// The change's key.
    key: String,
    /// The file, `-` for standard input.
    #[arg(required_unless_present_any = ["remove", "config_items_of"])]
    file: Option<String>,
    /// Members that the file does not name leave the targets that it names.
    #[arg(long)]
    replace: bool,
    /// A member that leaves.
    #[arg(long)]
    remove: Vec<String>,
    /// Config items of this service become members.
    #[arg(long, value_name = "SERVICE")]
    config_items_of: Option<String>,
    /// Of these the items of this kind alone.
    #[arg(long, value_name = "KIND", requires = "config_items_of")]
    kind: Option<String>,
}

/// What is told.
#[derive(Debug, Args)]
pub struct ReportMembers {
    /// The change's key.
    key: String,
    /// How they stand: in_progress, succeeded, failed, rolled_back or not_implemented.
    state: String,
    /// Members.
    members: Vec<String>,
    /// A file with one member a line, `-` for standard input.
    #[arg(long)]
    file: Option<String>,
    /// In words.
    #[arg(long)]
    text: Option<String>,
    /// The service, where several targets have members of the names.
    #[arg(long)]
    service: Option<String>,
    /// The environment.
    #[arg(long)]
    environment: Option<String>,
}

/// Runs a command about waves.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn waves(waves: &Waves, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match waves {
        Waves::Show { key } => {
            let found = client.get(&path(key, "/waves"))?.body;
            output.data(&found, |output| print_waves(output, &found));
        }
        Waves::Plan(plan) => {
            let made = client.post(&path(&plan.key, "/wave-plan"), &plan_of(plan)?)?.body;
            output.data(&made, |output| print_waves(output, &made));
        }
        Waves::Members(members) => {
            let made = client
                .post(&path(&members.key, "/members"), &members_of(members)?)?
                .body;
            output.data(&made, |output| print_waves(output, &made));
        }
        Waves::List { key, wave, state, from } => {
            let mut query = format!("/members?from={from}");
            if let Some(wave) = wave {
                query.push_str(&format!("&wave={wave}"));
            }
            if let Some(state) = state {
                query.push_str(&format!("&state={}", encode(state)));
            }
            let found = client.get(&path(key, &query))?.body;
            output.data(&found, |output| print_members(output, &found));
        }
        Waves::DryRun { key } => {
            let found = client.get(&path(key, "/waves/dry-run"))?.body;
            output.data(&found, |output| print_dry_run(output, &found));
        }
        Waves::Tell(told) => return send_outcomes(&client, told, output),
        Waves::Pause { key, reason } => {
            let done = client
                .post(&path(key, "/waves/pause"), &json!({"reason": reason}))?
                .body;
            output.data(&done, |output| print_waves(output, &done));
        }
        Waves::Resume { key, reason } => {
            let done = client
                .post(&path(key, "/waves/resume"), &json!({"reason": reason}))?
                .body;
            output.data(&done, |output| print_waves(output, &done));
        }
        Waves::Retry { key, members } => {
            let body = match members.is_empty() {
                true => json!({}),
                false => json!({"members": members}),
            };
            let done = client.post(&path(key, "/waves/retries"), &body)?.body;
            output.data(&done, |output| {
                output.line(&format!("{} members are tried again", text_of(&done, "moved")));
            });
        }
    }
    Ok(0)
}

fn path(key: &str, rest: &str) -> String {
    format!("/changes/{}{rest}", encode(key))
}

fn plan_of(plan: &Plan) -> Result<Value> {
    let waves = plan
        .waves
        .iter()
        .map(|text| wave_of(text))
        .collect::<Result<Vec<_>>>()?;
    let mut body = Map::new();
    body.insert("waves".to_owned(), json!(waves));
    let numbers = [
        ("most_at_once", plan.at_once),
        ("halt_failures", plan.failures),
        ("watch_minutes", plan.watch_minutes),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            body.insert(name.to_owned(), json!(number));
        }
    }
    body.insert("halt_on_incident".to_owned(), json!(!plan.despite_incidents));
    body.insert("halt_on_watch".to_owned(), json!(!plan.despite_watch));
    Ok(Value::Object(body))
}

/// A wave as the command line writes it: `canary,canary,size=12`.
fn wave_of(text: &str) -> Result<Value> {
    let mut parts = text.split(',').map(str::trim);
    let mut wave = Map::new();
    wave.insert("wave".to_owned(), json!(parts.next().unwrap_or_default()));
    let mut regions = Vec::new();
    for part in parts {
        let number = |text: &str| {
            text.parse::<i64>()
                .map_err(|_| Failure::could_not(format!("`{text}` is no whole number of a wave")))
        };
        match part.split_once('=') {
            None if part == "canary" => drop(wave.insert("canary".to_owned(), json!(true))),
            Some(("region", region)) => regions.push(region.to_owned()),
            Some((name @ ("size" | "percent"), text)) => drop(wave.insert(name.to_owned(), json!(number(text)?))),
            _ => {
                let help = "say `canary`, `region=NAME`, `size=N` or `percent=N`";
                return Err(Failure::could_not(format!("`{part}` says nothing of a wave; {help}")));
            }
        }
    }
    if !regions.is_empty() {
        wave.insert("regions".to_owned(), json!(regions));
    }
    Ok(Value::Object(wave))
}

fn members_of(members: &Members) -> Result<Value> {
    let mut body = Map::new();
    if let Some(file) = &members.file {
        body.insert("csv".to_owned(), json!(read_text(file)?));
    }
    if members.replace {
        body.insert("replace".to_owned(), json!(true));
    }
    if !members.remove.is_empty() {
        body.insert("remove".to_owned(), json!(members.remove));
    }
    for (name, text) in [
        ("config_items_of", &members.config_items_of),
        ("config_item_kind", &members.kind),
    ] {
        if let Some(text) = text {
            body.insert(name.to_owned(), json!(text));
        }
    }
    Ok(Value::Object(body))
}

fn send_outcomes(client: &Client, told: &ReportMembers, output: &Output) -> Result<u8> {
    let mut names: BTreeSet<String> = told.members.iter().cloned().collect();
    if let Some(file) = &told.file {
        let text = read_text(file)?;
        names.extend(
            text.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned),
        );
    }
    let names: Vec<String> = names.into_iter().collect();
    let (mut moved, mut last) = (0, Value::Null);
    for part in names.chunks(AT_ONCE) {
        let outcomes: Vec<Value> = part.iter().map(|name| outcome_of(told, name)).collect();
        last = client
            .post(&path(&told.key, "/waves/outcomes"), &json!({"outcomes": outcomes}))?
            .body;
        moved += last["moved"].as_i64().unwrap_or_default();
    }
    if names.is_empty() {
        return Err(Failure::could_not(
            "name at least one member, or a file of them".to_owned(),
        ));
    }
    output.data(&last, |output| {
        output.line(&format!("{moved} members moved"));
        print_waves(output, &last["waves"]);
    });
    Ok(0)
}

fn outcome_of(told: &ReportMembers, name: &str) -> Value {
    let mut word = json!({"member": name, "state": told.state});
    for (field, text) in [
        ("text", &told.text),
        ("service", &told.service),
        ("environment", &told.environment),
    ] {
        if let Some(text) = text {
            word[field] = json!(text);
        }
    }
    word
}

fn print_waves(output: &Output, found: &Value) {
    let row = |(number, it): (usize, &Value)| {
        vec![
            (number + 1).to_string(),
            text_of(it, "wave"),
            text_of(it, "count"),
            text_of(it, "done"),
            text_of(it, "failed"),
            text_of(it, "left"),
        ]
    };
    let rows: Vec<Vec<String>> = array(found, "waves").iter().enumerate().map(row).collect();
    output.rows(&["", "wave", "members", "done", "failed", "left"], &rows);
    if let Some(stop) = found.get("stop") {
        let people: Vec<&str> = array(found, "waiting_on").iter().filter_map(Value::as_str).collect();
        output.talk(&format!("{} Waits for: {}.", text_of(stop, "text"), people.join(", ")));
    }
}

fn print_members(output: &Output, found: &Value) {
    let row = |it: &Value| {
        let cells = ["member", "region", "wave", "state", "tries", "text"];
        cells.iter().map(|name| text_of(it, name)).collect()
    };
    let rows: Vec<Vec<String>> = array(found, "items").iter().map(row).collect();
    output.rows(&["member", "region", "wave", "state", "tries", "detail"], &rows);
    if found["more"] == true {
        output.talk(&format!(
            "There are {} in all; ask on with --from.",
            text_of(found, "count")
        ));
    }
}

fn print_dry_run(output: &Output, found: &Value) {
    let row = |it: &Value| {
        let cells = ["number", "wave", "count", "minutes"];
        cells.iter().map(|name| text_of(it, name)).collect()
    };
    let rows: Vec<Vec<String>> = array(found, "waves").iter().map(row).collect();
    output.rows(&["", "wave", "members", "minutes"], &rows);
    output.line(&format!("conflicts: {}", text_of(found, "conflict_count")));
    for shared in array(found, "shared") {
        let (change, count) = (text_of(shared, "change"), text_of(shared, "count"));
        output.line(&format!("{change} has {count} of the same members"));
    }
    for missing in array(found, "missing") {
        output.line(&format!("missing: {}", text_of(missing, "text")));
    }
}
