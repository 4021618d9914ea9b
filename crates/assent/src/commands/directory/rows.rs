//! Imports and exports of people, groups, services and ownership: the directory as tables.

use clap::Args;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::{Result, read_text};
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

/// Imports rows of one kind.
///
/// # Errors
/// The server's refusal, which names every wrong line, or why the request failed.
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

/// The result of a dry run: the parts that the import would take from services.
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
/// The server's refusal, or why the request failed.
pub fn export(client: &Client, output: &Output, noun: &str, export: &Export) -> Result<u8> {
    let found = client.get(&format!("/exports/{noun}?format={}", export.format))?.body;
    output.data(&found, |output| {
        output.line(found["text"].as_str().unwrap_or_default().trim_end())
    });
    Ok(0)
}
