//! `assent policy try` and `policy apply`: the effect of a set, and putting it in force.

use clap::Args;
use serde_json::{Map, Value, json};

use super::{Files, Set};
#[cfg(feature = "server")]
use crate::bridge;
use crate::client::Client;
use crate::commands::policy::mapping;
use crate::commands::policy::proposals::{activate, print_proposal};
use crate::common::Common;
use crate::failure::{Failure, Result};
use crate::output::{Output, Tone, array, text_of};
use crate::place::Place;

/// What to try.
#[derive(Debug, Args)]
pub struct Try {
    /// The set.
    #[command(flatten)]
    pub set: Set,
    /// A mapping to try instead, on the last deployments.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["folder", "pack", "names"])]
    pub mapping: Option<String>,
    /// On how many of the last changes or deployments.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=500))]
    pub last: i64,
}

/// What to put in force.
#[derive(Debug, Args)]
pub struct Apply {
    /// The set to propose.
    #[command(flatten)]
    pub set: Set,
    /// Why.
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["activate", "recover"])]
    pub reason: Option<String>,
    /// Put this proposal of another person in force, by its id.
    #[arg(long, value_name = "ID", conflicts_with_all = ["folder", "pack", "reason"])]
    pub activate: Option<String>,
    /// An approved change one of whose targets has the set's digest as its artifact: it stands in for a second person.
    #[arg(long, value_name = "KEY")]
    pub change: Option<String>,
    /// On the host: bring the set back that was in force before the present one, loudly.
    #[arg(long, conflicts_with_all = ["folder", "pack", "reason", "activate", "change"])]
    pub recover: bool,
    /// With --recover: where the data is.
    #[command(flatten)]
    pub place: Place,
    /// With --recover: whose policies.
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,
}

fn files_of(set: &Files) -> Map<String, Value> {
    let files = |files: &[policy::SourceFile]| -> Vec<Value> {
        files
            .iter()
            .map(|file| json!({"path": file.name, "content": file.text}))
            .collect()
    };
    let mut body = Map::new();
    body.insert("files".to_owned(), json!(files(&set.policies)));
    body.insert("cases".to_owned(), json!(files(&set.cases)));
    if !set.parameters.trim().is_empty() {
        body.insert("parameters".to_owned(), json!(set.parameters));
    }
    body
}

/// Judges the last changes, decisions and acts under a proposed set. Exit code 0 when nothing differs, 1 when something does or when the set
/// leaves a forbidden path open.
///
/// # Errors
/// The server's refusal, or why files could not be read.
pub(super) fn try_on_history(asked: &Try, common: &Common, output: &Output) -> Result<u8> {
    if let Some(file) = &asked.mapping {
        return mapping::try_on_history(file, asked.last, common, output);
    }
    let mut body = files_of(&asked.set.read()?);
    body.insert("last".to_owned(), json!(asked.last));
    let trial = Client::new(common)?.post("/policies/trial", &Value::Object(body))?.body;
    let differing = array(&trial, "differing");
    output.data(&trial, |output| {
        for row in differing {
            let head = format!(
                "{}  {} ({}, risk {})",
                text_of(row, "key"),
                text_of(row, "title"),
                text_of(row, "state"),
                text_of(row, "risk")
            );
            output.line(&output.tone(Tone::Strong, &head));
            print_difference(row, output);
        }
        output.line(&format!(
            "{} of {} changes would be asked for something else",
            differing.len(),
            trial["tried"]
        ));
        print_decisions(&trial, output);
        print_acts(&trial, output);
        for story in array(&trial, "stories") {
            let head = format!(
                "forbidden path: {} The change: {}.",
                text_of(story, "title"),
                text_of(story, "about")
            );
            output.line(&output.tone(Tone::Bad, &head));
            for (place, step) in array(story, "steps").iter().enumerate() {
                output.line(&format!(
                    "  {}. {} {}.",
                    place + 1,
                    text_of(step, "who"),
                    text_of(step, "does")
                ));
            }
            output.line(&format!("  {}", text_of(story, "rule")));
        }
        for rule in array(&trial, "unmeetable") {
            let line = format!("nobody can: {}: {}", text_of(rule, "place"), text_of(rule, "text"));
            output.line(&output.tone(Tone::Bad, &line));
        }
    });
    let lists = [
        "differing",
        "decisions_differing",
        "acts_differing",
        "stories",
        "unmeetable",
    ];
    Ok(u8::from(lists.iter().any(|list| !array(&trial, list).is_empty())))
}

/// Approvals that would be added and removed, and acts that would be refused or stopped.
fn print_difference(row: &Value, output: &Output) {
    for (field, sign, tone) in [("added", "+", Tone::Warn), ("removed", "-", Tone::Good)] {
        for asked in array(row, field) {
            let line = format!("  {sign} {}: {}", text_of(asked, "policy"), text_of(asked, "asks"));
            output.line(&output.tone(tone, &line));
        }
    }
    for policy in array(row, "refused") {
        let line = format!("  refused by {}: {}", text_of(policy, "id"), text_of(policy, "reason"));
        output.line(&output.tone(Tone::Bad, &line));
    }
    for policy in array(row, "allowed") {
        let line = format!("  allowed by {}: {}", text_of(policy, "id"), text_of(policy, "reason"));
        output.line(&output.tone(Tone::Good, &line));
    }
    if !text_of(row, "stop").is_empty() {
        output.line(&output.tone(Tone::Bad, &format!("  stop: {}", text_of(row, "stop"))));
    }
}

/// The decisions that would have been others, on the facts known when they were taken.
fn print_decisions(trial: &Value, output: &Output) {
    let differing = array(trial, "decisions_differing");
    for row in differing {
        let head = format!(
            "{}  {} by {} at {}",
            text_of(row, "key"),
            text_of(row, "decision"),
            text_of(row, "person"),
            text_of(row, "at")
        );
        output.line(&output.tone(Tone::Strong, &head));
        print_difference(row, output);
    }
    output.line(&format!(
        "{} of {} decisions would have been asked for something else or refused, on what was known then",
        differing.len(),
        trial["decisions_tried"]
    ));
    let without = trial["decisions_without_facts"].as_u64().unwrap_or_default();
    if without > 0 {
        output.line(&format!("{without} older decisions kept no facts, and were not judged"));
    }
}

/// Past acts and trials that would have had another result, on the facts known then.
fn print_acts(trial: &Value, output: &Output) {
    let differing = array(trial, "acts_differing");
    for row in differing {
        let head = format!(
            "{}  {} by {} at {}",
            text_of(row, "key"),
            text_of(row, "act"),
            text_of(row, "person"),
            text_of(row, "at")
        );
        output.line(&output.tone(Tone::Strong, &head));
        print_difference(row, output);
    }
    let (tried, without) = (&trial["acts_tried"], &trial["acts_without_facts"]);
    let all = tried.as_u64().unwrap_or_default() + without.as_u64().unwrap_or_default();
    output.line(&format!(
        "of {all} acts on these changes {tried} could be judged on what was known then, {} would have gone another way",
        differing.len()
    ));
}

/// Proposes a set, activates a proposal, or recovers on the host.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub(super) fn apply(apply: &Apply, common: &Common, output: &Output) -> Result<u8> {
    if apply.recover {
        return recover(apply, output);
    }
    let client = Client::new(common)?;
    if let Some(id) = &apply.activate {
        return activate(&client, id, apply.change.as_deref(), output);
    }
    let mut body = files_of(&apply.set.read()?);
    body.insert("reason".to_owned(), json!(apply.reason));
    let made = client.post("/policies", &Value::Object(body))?.body;
    if let Some(key) = &apply.change {
        return activate(&client, &text_of(&made, "id"), Some(key), output);
    }
    print_proposal(&made, "policy apply", output);
    Ok(0)
}

/// The client holds no server, so it opens no data.
#[cfg(not(feature = "server"))]
fn recover(_: &Apply, _: &Output) -> Result<u8> {
    Err(Failure::client_only())
}

#[cfg(feature = "server")]
fn recover(apply: &Apply, output: &Output) -> Result<u8> {
    if !apply.place.is_named() {
        return Err(Failure::could_not(
            "Recovering works on the host: say --data or --database.",
        ));
    }
    let host = bridge::Host::open(&apply.place.settings_of_data()?)?;
    let tenant = match &apply.tenant {
        Some(tenant) => tenant.clone(),
        None => only_tenant(&host)?,
    };
    let recovered = host.recover_policies(&tenant)?;
    let value = json!({"tenant": tenant, "before": recovered.before, "after": recovered.after});
    output.talk(&output.tone(
        Tone::Warn,
        "The policies were set back on the host. It is an event of the log, and administrators and change managers are told.",
    ));
    output.data(&value, |output| {
        output.pairs(&[
            ("tenant", tenant.clone()),
            ("before", recovered.before.clone()),
            ("in force", recovered.after.clone()),
        ]);
    });
    Ok(0)
}

#[cfg(feature = "server")]
fn only_tenant(host: &bridge::Host) -> Result<String> {
    let mut tenants: Vec<String> = host.tenants()?.into_iter().filter(|it| it != "system").collect();
    match (tenants.pop(), tenants.is_empty()) {
        (Some(tenant), true) => Ok(tenant),
        _ => Err(Failure::could_not("Say --tenant: there are several, or none.")),
    }
}
