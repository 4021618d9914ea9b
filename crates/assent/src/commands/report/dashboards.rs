//! `assent dashboard`: the counts of dashboards, and the changes behind a row; and the rework of a template.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use wire::nouns as noun;

use crate::client::{Client, encode, query};
use crate::commands::audit::paper::save;
use crate::commands::platform::nouns::{Verbs, run_verb};
use crate::common::Common;
use crate::failure::{Failure, Result};
use crate::output::{Output, Tone, array, text_of};

/// Dashboards.
#[derive(Debug, Subcommand)]
pub enum Dashboards {
    /// Save, list, show, change and end dashboards.
    #[command(flatten)]
    Verb(Verbs<noun::Dashboard>),
    /// List the tiles that a dashboard can have.
    Tiles,
    /// Show what the tiles of a dashboard count.
    #[command(after_help = "Example: assent dashboard figures change_manager --service booking-api")]
    Figures {
        /// The key of a role's dashboard, or the id of a saved one.
        #[arg(value_name = "ID")]
        id: String,
        /// Of which changes.
        #[command(flatten)]
        narrow: Narrow,
    },
    /// Save what the tiles of a dashboard count as a PDF.
    #[command(after_help = "Example: assent dashboard file change_manager -o dashboard.pdf")]
    File {
        /// The key of a role's dashboard, or the id of a saved one.
        #[arg(value_name = "ID")]
        id: String,
        /// Where to write it, `-` for standard output.
        #[arg(short = 'o', long = "output", value_name = "FILE")]
        file: String,
        /// Of which changes.
        #[command(flatten)]
        narrow: Narrow,
    },
    /// List the changes behind a row of a tile.
    #[command(after_help = "Example: assent dashboard rows change_manager states draft")]
    Rows {
        /// The key of a role's dashboard, or the id of a saved one.
        #[arg(value_name = "ID")]
        id: String,
        /// The tile.
        #[arg(value_name = "TILE")]
        tile: String,
        /// The row, by its id in the figures.
        #[arg(value_name = "ROW")]
        row: String,
        /// Of which changes.
        #[command(flatten)]
        narrow: Narrow,
    },
    /// Show what was reworked in changes from a template, and what operations missed in it.
    #[command(after_help = "Example: assent dashboard rework restart-pod")]
    Rework {
        /// The template.
        #[arg(value_name = "TEMPLATE")]
        template: String,
    },
    /// Propose a variant of a template with its proposed diff, to be tried once two people approved it.
    #[command(after_help = "Example: assent dashboard variant restart-pod restart-pod-short")]
    Variant {
        /// The template.
        #[arg(value_name = "TEMPLATE")]
        template: String,
        /// The key of the variant.
        #[arg(value_name = "KEY")]
        key: String,
        /// Take the line of this field alone; may be given several times.
        #[arg(long, value_name = "FIELD")]
        field: Vec<String>,
    },
}

/// Which changes a dashboard counts.
#[derive(Debug, Clone, Default, Args)]
pub struct Narrow {
    /// Only of this team.
    #[arg(long, value_name = "TEAM")]
    team: Option<String>,
    /// Only with this service.
    #[arg(long, value_name = "KEY")]
    service: Option<String>,
    /// Only in this environment.
    #[arg(long, value_name = "KEY")]
    environment: Option<String>,
    /// Only of this kind: normal, standard or emergency.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only of this risk: none, low, medium or high.
    #[arg(long, value_name = "LEVEL")]
    risk: Option<String>,
}

impl Narrow {
    fn query(&self, more: &[(&str, Option<&str>)]) -> String {
        let own = [
            ("team", self.team.as_deref()),
            ("service", self.service.as_deref()),
            ("environment", self.environment.as_deref()),
            ("kind", self.kind.as_deref()),
            ("risk", self.risk.as_deref()),
        ];
        let all: Vec<(&str, Option<&str>)> = own.into_iter().chain(more.iter().copied()).collect();
        query(&all)
    }
}

/// Runs a command about dashboards.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn dashboard(dashboards: &Dashboards, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match dashboards {
        Dashboards::Verb(verbs) => return run_verb(verbs, common, output),
        Dashboards::Tiles => {
            let found = client.get("/dashboard-tiles?limit=100")?.body;
            rows(output, &found, &["id", "title", "words"]);
        }
        Dashboards::Figures { id, narrow } => {
            let found = client
                .get(&format!("/dashboards/{}/figures{}", encode(id), narrow.query(&[])))?
                .body;
            output.data(&found, |output| {
                array(&found, "tiles").iter().for_each(|tile| show_tile(tile, output))
            });
        }
        Dashboards::File { id, file, narrow } => {
            let path = format!("/api/v1/dashboards/{}/file{}", encode(id), narrow.query(&[]));
            let bytes = client.bytes(&path)?;
            let bytes = bytes.ok_or_else(|| Failure::could_not("There is no such dashboard.".to_owned()))?;
            save(file, &bytes, output)?;
        }
        Dashboards::Rows { id, tile, row, narrow } => {
            let asked = [
                ("tile", Some(tile.as_str())),
                ("row", Some(row.as_str())),
                ("limit", Some("200")),
            ];
            let found = client
                .get(&format!("/dashboards/{}/rows{}", encode(id), narrow.query(&asked)))?
                .body;
            rows(output, &found, &["key", "state", "kind", "risk", "created_at", "title"]);
        }
        Dashboards::Rework { template } => {
            let found = client.get(&format!("/templates/{}/rework", encode(template)))?.body;
            output.data(&found, |output| show_rework(&found, output));
        }
        Dashboards::Variant { template, key, field } => {
            let mut body = json!({"key": key});
            if !field.is_empty() {
                body["fields"] = json!(field);
            }
            let path = format!("/templates/{}/variants", encode(template));
            let made = client.post(&path, &body)?.body;
            output.data(&made, |output| {
                output.line(&format!("proposed {}; two people approve it", text_of(&made, "key")));
            });
        }
    }
    Ok(0)
}

fn rows(output: &Output, found: &Value, heads: &[&str]) {
    let cells: Vec<Vec<String>> = array(found, "items")
        .iter()
        .map(|it| heads.iter().map(|head| text_of(it, head)).collect())
        .collect();
    output.data(found, |output| output.rows(heads, &cells));
}

fn show_tile(tile: &Value, output: &Output) {
    output.line(&output.tone(Tone::Strong, &text_of(tile, "title")));
    if tile["figure"].is_object() {
        let figure = &tile["figure"];
        let value = if figure["value"].is_null() {
            "not enough data".to_owned()
        } else {
            text_of(figure, "value")
        };
        output.line(&format!(
            "  {value} ({} of {})",
            text_of(figure, "hits"),
            text_of(figure, "of")
        ));
    }
    if tile["counted_from"].is_string() {
        output.line(&format!("  counted from {} on", text_of(tile, "counted_from")));
    }
    for row in array(tile, "rows") {
        let more = if row["is_whole"] == false { " or more" } else { "" };
        output.line(&format!("  {}: {}{more}", text_of(row, "label"), text_of(row, "count")));
    }
}

fn show_rework(found: &Value, output: &Output) {
    output.pairs(&[
        ("uses", text_of(found, "uses")),
        ("reworked", text_of(found, "reworked")),
        ("returned", text_of(found, "returned")),
    ]);
    let fields: Vec<Vec<String>> = array(found, "fields")
        .iter()
        .map(|it| ["field", "reworked", "answered"].map(|head| text_of(it, head)).to_vec())
        .collect();
    output.rows(&["field", "reworked", "answered"], &fields);
    let heads = ["number", "title", "uses", "reworked", "skipped", "issues", "deviations"];
    let steps: Vec<Vec<String>> = array(found, "steps")
        .iter()
        .map(|it| heads.map(|head| text_of(it, head)).to_vec())
        .collect();
    output.rows(&heads, &steps);
    for part in array(found, "missing") {
        output.line(&format!(
            "missing in {}: {}",
            text_of(part, "part"),
            text_of(part, "answers")
        ));
    }
    for line in array(found, "proposal") {
        output.line(&format!(
            "proposed: {} {} ({}, {})",
            text_of(line, "edit"),
            text_of(line, "field"),
            text_of(line, "why"),
            text_of(line, "count")
        ));
    }
}
