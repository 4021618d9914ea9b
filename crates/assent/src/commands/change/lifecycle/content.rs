//! The content of a change, from flags or a file: making and editing.

use clap::Args;
use model::change::read_content::new_change::NewChange;
use model::core::card::Described;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{path, show};
use crate::client::{Client, query};
use crate::clock;
use crate::failure::{Failure, Result, read_text};
use crate::output::{Output, array, text_of};

/// What a change says. Each flag sets the field of its name; `--file` brings the rest.
#[derive(Debug, Args, Default, Serialize)]
pub struct Content {
    /// A JSON or TOML file with fields as the API names them, `-` for JSON on standard input; flags win over it.
    #[arg(long, value_name = "FILE")]
    pub file: Option<String>,
    /// In one line.
    #[arg(long)]
    pub title: Option<String>,
    /// What is done.
    #[arg(long)]
    pub description: Option<String>,
    /// Why it is worth doing.
    #[arg(long)]
    pub justification: Option<String>,
    /// What it should achieve.
    #[arg(long)]
    pub objectives: Option<String>,
    /// How success will be seen.
    #[arg(long)]
    pub verification: Option<String>,
    /// How it is governed.
    #[arg(long, value_parser = ["normal", "standard", "emergency"])]
    pub kind: Option<String>,
    /// For a standard change: the template's key.
    #[arg(long, value_name = "KEY")]
    pub template: Option<String>,
    /// Late, not urgent: why.
    #[arg(long, value_name = "REASON")]
    pub expedited: Option<String>,
    /// What it is about.
    #[arg(long, value_parser = ["application", "configuration", "database", "infrastructure", "network", "security", "data", "facility", "other"])]
    pub category: Option<String>,
    /// A sensitive thing it touches; may be given several times.
    #[arg(long, value_parser = ["privileged_access", "crypto_keys", "schema", "network", "personal_data"])]
    pub touches: Vec<String>,
    /// A service; may be given several times.
    #[arg(long, value_name = "KEY")]
    #[serde(rename = "services")]
    pub service: Vec<String>,
    /// The environment of these services.
    #[arg(long, value_name = "KEY")]
    pub environment: Option<String>,
    /// The artifact's digest.
    #[arg(long, value_name = "DIGEST")]
    pub artifact: Option<String>,
    /// The commit.
    #[arg(long, value_name = "SHA")]
    pub commit: Option<String>,
    /// A config item's key; may be given several times.
    #[arg(long, value_name = "KEY")]
    #[serde(rename = "config_items")]
    pub config_item: Vec<String>,
    /// Impact on data.
    #[arg(long, value_parser = LEVELS)]
    pub impact_data: Option<String>,
    /// Impact on availability.
    #[arg(long, value_parser = LEVELS)]
    pub impact_availability: Option<String>,
    /// Impact on compliance.
    #[arg(long, value_parser = LEVELS)]
    pub impact_compliance: Option<String>,
    /// How hard it is.
    #[arg(long, value_parser = ["low", "medium", "high"])]
    pub complexity: Option<String>,
    /// What users will notice.
    #[arg(long, value_parser = ["none", "degraded", "read_only", "outage"])]
    pub disruption: Option<String>,
    /// For how many minutes they will.
    #[arg(long, value_name = "MINUTES", requires = "disruption")]
    pub disruption_minutes: Option<i64>,
    /// The planned start, such as 2026-12-01T22:00:00Z or +2h.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// The planned end.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// A step of the plan; may be given several times.
    #[arg(long, value_name = "TITLE")]
    pub step: Vec<String>,
    /// A step of the way back; may be given several times.
    #[arg(long, value_name = "TITLE")]
    pub rollback_step: Vec<String>,
    /// The reason why no rollback is possible.
    #[arg(long, value_name = "REASON")]
    pub no_rollback_reason: Option<String>,
    /// Minutes that the way back takes.
    #[arg(long, value_name = "MINUTES")]
    pub rollback_minutes: Option<i64>,
    /// The inverse that belongs to it, such as “writable again”; it is neither a rollback nor a failure.
    #[arg(long, value_name = "TEXT", requires = "undo_at")]
    pub undo: Option<String>,
    /// When it is undone, such as 2026-11-21T04:00:00Z or +6h.
    #[arg(long, value_name = "TIME", requires = "undo", allow_hyphen_values = true)]
    pub undo_at: Option<String>,
    /// Who owns it.
    #[arg(long, value_name = "LOGIN")]
    pub owner: Option<String>,
    /// The team.
    #[arg(long)]
    pub team: Option<String>,
    /// Who implements it; may be given several times.
    #[arg(long, value_name = "LOGIN")]
    #[serde(rename = "implementers")]
    pub implementer: Vec<String>,
    /// Who tests it.
    #[arg(long, value_name = "LOGIN")]
    pub tester: Option<String>,
    /// Whom the business asks.
    #[arg(long, value_name = "LOGIN")]
    pub business_contact: Option<String>,
    /// For an emergency: the incident.
    #[arg(long, value_name = "KEY")]
    pub incident: Option<String>,
    /// For an emergency: the threat.
    #[arg(long)]
    pub threat: Option<String>,
    /// A word to find it by; may be given several times.
    #[arg(long)]
    #[serde(rename = "labels")]
    pub label: Vec<String>,
    /// What it says in a field that your organisation added; without a value it is emptied. May be given several times.
    #[arg(long, value_name = "KEY=VALUE")]
    pub field: Vec<String>,
}

/// The input fields of a target; a response has more.
const TARGET: [&str; 6] = [
    "service",
    "environment",
    "config_items",
    "artifact",
    "commit",
    "rollback_to",
];

const LEVELS: [&str; 4] = ["none", "low", "medium", "high"];

impl Content {
    /// The body with these values.
    fn body(&self) -> Result<Map<String, Value>> {
        let mut body = match &self.file {
            Some(file) => from_file(file)?,
            None => Map::new(),
        };
        if let Ok(Value::Object(mut given)) = serde_json::to_value(self) {
            let is_field = |name: &str| NewChange::FIELDS.iter().any(|field| field.name == name);
            given.retain(|name, value| is_field(name) && !value.is_null() && *value != json!([]));
            body.extend(given);
        }
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        for (name, titles) in [("plan", &self.step), ("rollback_plan", &self.rollback_step)] {
            if !titles.is_empty() {
                set(name, titles.iter().map(|title| json!({"title": title})).collect());
            }
        }
        if let Some(reason) = &self.expedited {
            set("expedited", json!(true));
            set(NewChange::EXPEDITED_REASON.name, json!(reason));
        }
        let now = clock::now();
        for (name, time) in [("planned_start", &self.from), ("planned_end", &self.to)] {
            if let Some(time) = time {
                set(name, json!(clock::moment(time, now)?.to_string()));
            }
        }
        if let (Some(undo), Some(at)) = (&self.undo, &self.undo_at) {
            let at = clock::moment(at, now)?.to_string();
            body.insert("planned_undo".to_owned(), json!({"text": undo, "at": at}));
        }
        self.nested(&mut body);
        Ok(body)
    }

    fn nested(&self, body: &mut Map<String, Value>) {
        let axes = [
            ("data", &self.impact_data),
            ("availability", &self.impact_availability),
            ("compliance", &self.impact_compliance),
        ];
        for (axis, level) in axes {
            if let Some(level) = level {
                let impact = body.entry("impact").or_insert_with(|| json!({}));
                impact[axis] = json!(level);
            }
        }
        for pair in &self.field {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let own = body.entry("custom_fields").or_insert_with(|| json!({}));
            own[key] = if value.is_empty() { Value::Null } else { json!(value) };
        }
        if let Some(kind) = &self.disruption {
            let mut disruption = json!({"kind": kind});
            if let Some(minutes) = self.disruption_minutes {
                disruption["minutes"] = json!(minutes);
            }
            body.insert("disruption".to_owned(), disruption);
        }
    }
}

/// Reads fields from a file; one whose name ends with `.toml` is TOML, any other JSON.
fn from_file(file: &str) -> Result<Map<String, Value>> {
    let text = read_text(file)?;
    let wrong = |why: String| Failure::could_not(format!("`{file}` cannot be used: {why}."));
    let value: Value = if file.ends_with(".toml") {
        toml::from_str(&text).map_err(|error| wrong(error.message().to_owned()))?
    } else {
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?
    };
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(wrong("it holds no object of fields".to_owned())),
    }
}

/// Makes a change.
pub(super) fn create(client: &Client, content: &Content, output: &Output) -> Result<()> {
    let body = content.body()?;
    if body.is_empty() {
        return Err(Failure::could_not("Say at least --title, or bring a --file."));
    }
    print_lookalikes(client, &body, output);
    let made = client.post("/changes", &Value::Object(body))?.body;
    show::print_done(output, &made, "made");
    Ok(())
}

/// Names the changes that look like one that is about to be made. The warning is a hint: no result of the server stops the
/// command.
fn print_lookalikes(client: &Client, body: &Map<String, Value>, output: &Output) {
    let targets = body.get("targets").and_then(Value::as_array).into_iter().flatten();
    let plain = body.get("services").and_then(Value::as_array).into_iter().flatten();
    let named = targets.filter_map(|target| target["service"].as_str());
    let services: Vec<&str> = named.chain(plain.filter_map(Value::as_str)).collect();
    let Some(title) = body
        .get("title")
        .and_then(Value::as_str)
        .filter(|_| !services.is_empty())
    else {
        return;
    };
    let path = format!(
        "/change-lookalikes{}",
        query(&[("title", Some(title)), ("service", Some(&services.join(",")))])
    );
    let Ok(found) = client.get(&path) else { return };
    for row in array(&found.body, "items") {
        output.talk(&format!(
            "looks like {} ({}): {}",
            text_of(row, "key"),
            text_of(row, "state"),
            text_of(row, "title")
        ));
    }
}

/// Edits a change, on the condition that nobody was faster since it was read.
pub(super) fn edit(
    client: &Client,
    key: &str,
    content: &Content,
    clear: &[String],
    if_match: Option<&str>,
    output: &Output,
) -> Result<()> {
    let mut body = content.body()?;
    for field in clear {
        body.insert(field.clone(), Value::Null);
    }
    if body.is_empty() {
        return Err(Failure::could_not(
            "Nothing is said to change; `assent change edit --help` lists the fields.",
        ));
    }
    let before = client.get(&path(key, ""))?;
    place_build(&mut body, key, &before.body)?;
    let etag = if_match
        .map(str::to_owned)
        .or(before.etag)
        .unwrap_or_else(|| "*".to_owned());
    let after = client
        .conditional("PATCH", &path(key, ""), &Value::Object(body), &etag)?
        .body;
    let had_approvers = ["authorizing", "approved", "scheduled"].contains(&text_of(&before.body, "state").as_str());
    if had_approvers && text_of(&before.body, "content_digest") != text_of(&after, "content_digest") {
        output.talk("The covered content changed: approvals that it touches are void.");
    }
    show::print_done(output, &after, "edited");
    show::print_turned_normal(output, &after);
    Ok(())
}

/// A build that is named alone goes to the targets that are there, where all have the same one; which of several different
/// ones was meant, nobody knows.
fn place_build(body: &mut Map<String, Value>, key: &str, change: &Value) -> Result<()> {
    let has = |name: &str| body.contains_key(name);
    if !(has("artifact") || has("commit")) || has("services") || has("targets") || body.contains_key("environment") {
        return Ok(());
    }
    let targets = array(change, "targets");
    let build = |target: &Value| ["artifact", "commit"].map(|name| text_of(target, name));
    let is_one = targets
        .first()
        .is_some_and(|first| targets.iter().all(|it| build(it) == build(first)));
    if !is_one {
        let why = match targets.is_empty() {
            true => format!("{key} has no target yet"),
            false => format!("The targets of {key} have different builds"),
        };
        return Err(Failure::could_not(format!(
            "{why}: also give --service and --environment, or all targets in a --file."
        )));
    }
    let (artifact, commit) = (body.remove("artifact"), body.remove("commit"));
    let placed = targets.iter().map(|target| {
        let mut target = target.clone();
        for (name, value) in [("artifact", &artifact), ("commit", &commit)] {
            if let Some(value) = value {
                target[name] = value.clone();
            }
        }
        if let Some(fields) = target.as_object_mut() {
            fields.retain(|name, _| TARGET.contains(&name.as_str()));
        }
        target
    });
    let placed = placed.collect();
    body.insert("targets".to_owned(), placed);
    Ok(())
}
