//! `assent mapping`: from deployments to kinds of change. `policy explain` and `policy try` use it, too.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::Client;
use crate::commands::policy::proposals::{activate, print_proposal};
use crate::common::Common;
use crate::failure::{Failure, Result, read_text};
use crate::output::{Output, Tone, array, text_of};

/// From deployments to kinds of change.
#[derive(Debug, Subcommand)]
pub enum Mapping {
    /// Show the mapping in force.
    Show,
    /// Propose a mapping, or put a proposal in force.
    #[command(
        after_help = "Example: assent mapping apply mapping.toml --reason 'Documentation walks by itself'\n\n\
        The first rule that fits decides; a condition that is absent fits everything:\n\
        [[rules]]\n\
        rule = \"docs\"\n\
        pipeline = \"halden/*\"\n\
        environments = [\"production\"]\n\
        files = [\"docs/*\", \"*.md\"]\n\
        kind = \"standard\"\n\
        template = \"publish-docs\""
    )]
    Apply {
        /// The rules, TOML or JSON.
        #[arg(
            value_name = "FILE",
            required_unless_present = "activate",
            conflicts_with = "activate"
        )]
        file: Option<String>,
        /// Why.
        #[arg(long, value_name = "TEXT", required_unless_present = "activate")]
        reason: Option<String>,
        /// Put this proposal of another person in force, by its id.
        #[arg(long, value_name = "ID")]
        activate: Option<String>,
        /// An approved change one of whose targets has the mapping's digest as its artifact.
        #[arg(long, value_name = "KEY")]
        change: Option<String>,
    },
}

/// A deployment whose deciding rule is asked for.
#[derive(Debug, Args)]
pub struct Question {
    /// Name the rule of the mapping that decides about a deployment of this service.
    #[arg(long, value_name = "SERVICE", requires = "environment", conflicts_with_all = ["change", "facts"])]
    pub service: Option<String>,
    /// With --service: our environment.
    #[arg(long, value_name = "ENVIRONMENT")]
    pub environment: Option<String>,
    /// With --service: the repository, job or application.
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
    /// With --service: the engine's name of the stage.
    #[arg(long, value_name = "NAME")]
    pub stage: Option<String>,
    /// With --service: the commit, whose files a push may have told.
    #[arg(long, value_name = "SHA")]
    pub commit: Option<String>,
    /// With --service: a touched file; may be given several times.
    #[arg(long = "touches", value_name = "PATH")]
    pub files: Vec<String>,
}

fn rules(file: &str) -> Result<Value> {
    let text = read_text(file)?;
    let found: std::result::Result<Value, String> = if text.trim_start().starts_with(['{', '[']) && !text.contains("[[")
    {
        serde_json::from_str(&text).map_err(|error| format!("JSON: {error}"))
    } else {
        toml::from_str(&text).map_err(|error| format!("TOML: {}", error.message()))
    };
    let found = found.map_err(|error| Failure::could_not(format!("`{file}` is no {error}.")))?;
    Ok(if found.is_array() {
        found
    } else {
        found["rules"].clone()
    })
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(mapping: &Mapping, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match mapping {
        Mapping::Show => {
            let found = client.get("/mapping")?.body;
            output.data(&found, |output| print_rules(output, &found));
            Ok(0)
        }
        Mapping::Apply {
            activate: Some(id),
            change,
            ..
        } => activate(&client, id, change.as_deref(), output),
        Mapping::Apply {
            file, reason, change, ..
        } => {
            let rules = rules(file.as_deref().unwrap_or_default())?;
            let made = client
                .post("/mapping", &json!({"rules": rules, "reason": reason}))?
                .body;
            match change {
                Some(key) => activate(&client, &text_of(&made, "id"), Some(key), output),
                None => {
                    print_proposal(&made, "mapping apply", output);
                    Ok(0)
                }
            }
        }
    }
}

/// Names the rule that decides about a deployment (`policy explain --service …`).
///
/// # Errors
/// The server's refusal, or why the request failed.
pub(crate) fn explain(asked: &Question, common: &Common, output: &Output) -> Result<u8> {
    let mut body = json!({"service": asked.service, "environment": asked.environment});
    for (field, value) in [
        ("pipeline", &asked.pipeline),
        ("stage", &asked.stage),
        ("commit", &asked.commit),
    ] {
        if let Some(value) = value {
            body[field] = json!(value);
        }
    }
    if !asked.files.is_empty() {
        body["files"] = json!(asked.files);
    }
    let found = Client::new(common)?.post("/mapping/explanation", &body)?.body;
    output.data(&found, |output| {
        let mapped = &found["mapped"];
        output.pairs(&[
            ("rule", rule_of(mapped, "none fits: a normal change")),
            ("kind", text_of(mapped, "kind")),
            ("template", text_of(mapped, "template")),
            ("complexity", text_of(mapped, "complexity")),
        ]);
    });
    Ok(0)
}

/// Maps the last deployments under a proposed mapping (`policy try --mapping FILE`). Exit code 1 when something differs.
///
/// # Errors
/// The server's refusal, or why the file could not be read.
pub(crate) fn try_on_history(file: &str, last: i64, common: &Common, output: &Output) -> Result<u8> {
    let body = json!({"rules": rules(file)?, "last": last});
    let tried = Client::new(common)?.post("/mapping/trial", &body)?.body;
    let differ = tried["differ"].as_i64().unwrap_or_default();
    output.data(&tried, |output| {
        let said = |value: &Value| format!("{} ({})", text_of(value, "kind"), rule_of(value, "no rule"));
        let deployments = array(&tried, "deployments");
        let rows: Vec<Vec<String>> = deployments
            .iter()
            .map(|row| vec![text_of(row, "deployment"), said(&row["now"]), said(&row["proposed"])])
            .collect();
        output.rows(&["deployment", "now", "proposed"], &rows);
        let line = format!(
            "{differ} of {} deployments would be another kind of change",
            deployments.len()
        );
        output.line(&output.tone(if differ > 0 { Tone::Warn } else { Tone::Good }, &line));
    });
    Ok(u8::from(differ > 0))
}

fn rule_of(mapped: &Value, none: &str) -> String {
    let rule = text_of(mapped, "rule");
    if rule.is_empty() { none.to_owned() } else { rule }
}

fn print_rules(output: &Output, found: &Value) {
    let fields = [
        "rule",
        "pipeline",
        "stage",
        "environments",
        "services",
        "criticality",
        "files",
        "kind",
        "template",
    ];
    let rules = array(found, "rules");
    if rules.is_empty() {
        output.line("No rule: every deployment without a change creates a draft of a normal change.");
        return;
    }
    let cell = |rule: &Value, field: &str| match &rule[field] {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        _ => text_of(rule, field),
    };
    let rows: Vec<Vec<String>> = rules
        .iter()
        .map(|rule| fields.iter().map(|field| cell(rule, field)).collect())
        .collect();
    output.rows(&fields, &rows);
}
