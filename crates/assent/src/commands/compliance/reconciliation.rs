//! `assent reconciliation`: running versions beside approved ones, both ways.

use clap::Args;
use serde_json::Value;

use crate::client::{Client, query};
use crate::clock;
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// What to reconcile.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: assent reconciliation --from 2026-07-01T00:00:00Z --to 2026-10-01T00:00:00Z --service booking-api\n\n\
    Exit 0 where nothing was found, 1 otherwise. Permits are compared with the database unless --size is said."
)]
pub struct Reconciliation {
    /// The begin of the span; ninety days before its end unless said.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// The end of the span, not included; now unless said.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// One service; all unless said.
    #[arg(long, value_name = "KEY")]
    pub service: Option<String>,
    /// The size of the log up to which events count, one with a signed checkpoint.
    #[arg(long, value_name = "EVENTS")]
    pub size: Option<u64>,
}

/// The lists of findings, each with its heading and the fields of a row.
const LISTS: [(&str, &str, [&str; 6]); 5] = [
    (
        "not_approved",
        "not approved",
        ["lack", "service", "environment", "change", "at", "what"],
    ),
    (
        "not_seen",
        "not seen",
        ["state", "service", "environment", "change", "started_at", ""],
    ),
    ("permits", "permit", ["kind", "", "", "change", "at", "permit"]),
    (
        "not_staged",
        "not staged",
        ["kind", "service", "environment", "change", "at", "what"],
    ),
    (
        "silent",
        "silent",
        ["", "service", "environment", "", "since", "changes"],
    ),
];

/// Runs the command.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(asked: &Reconciliation, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let now = clock::now();
    let moment = |text: &Option<String>| text.as_deref().map(|text| clock::moment(text, now)).transpose();
    let (from, to) = (moment(&asked.from)?, moment(&asked.to)?);
    let (from, to) = (from.map(|at| at.to_string()), to.map(|at| at.to_string()));
    let size = asked.size.map(|size| size.to_string());
    let fields = [
        ("from", from.as_deref()),
        ("to", to.as_deref()),
        ("service", asked.service.as_deref()),
        ("size", size.as_deref()),
    ];
    let found = client.get(&format!("/reconciliation{}", query(&fields)))?.body;
    output.data(&found, |output| {
        let heads = [
            "service",
            "environment",
            "deployments",
            "approved",
            "permitted",
            "changes",
            "changes_seen",
        ];
        let line = |row: &Value| heads.map(|name| text_of(row, name)).to_vec();
        let figures: Vec<Vec<String>> = array(&found, "services").iter().map(line).collect();
        output.rows(&heads, &figures);
        let findings: Vec<Vec<String>> = LISTS.iter().flat_map(|list| lines(&found, list)).collect();
        let heads = ["finding", "kind", "service", "environment", "change", "at", "what"];
        output.rows(&heads, &findings);
    });
    let count: u64 = LISTS
        .iter()
        .filter_map(|(name, ..)| found[name]["count"].as_u64())
        .sum();
    Ok(u8::from(count > 0))
}

/// A line for each row of a list.
fn lines(found: &Value, (name, heading, fields): &(&str, &str, [&str; 6])) -> Vec<Vec<String>> {
    let cell = |row: &Value, field: &str| {
        if field.is_empty() {
            String::new()
        } else {
            text_of(row, field)
        }
    };
    let line = |row: &Value| {
        let cells = fields.iter().map(|field| cell(row, field));
        std::iter::once((*heading).to_owned()).chain(cells).collect()
    };
    array(&found[name], "rows").iter().map(line).collect()
}
