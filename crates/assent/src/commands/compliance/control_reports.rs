//! `assent control-report`: the findings of the tests of a framework's controls, from the log.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::{Client, encode, query};
use crate::clock;
use crate::commands::audit::paper::save;
use crate::common::Common;
use crate::failure::{Failure, Result};
use crate::output::{Output, array, text_of};

/// Reports on controls.
#[derive(Debug, Subcommand)]
pub enum ControlReport {
    /// List the frameworks.
    List,
    /// Report on a framework; exit 0 without exceptions, 1 with some.
    #[command(
        after_help = "Example: assent control-report show sox --from 2026-07-01T00:00:00Z --to 2026-10-01T00:00:00Z\n\n\
        The same framework, span and size of the log give the same report."
    )]
    Show(Show),
    /// List the changes behind a figure of a report.
    #[command(
        after_help = "Example: assent control-report rows sox --figure rolled_back\n         \
        assent control-report rows sox --rule gate_off"
    )]
    Rows {
        /// What to report on.
        #[command(flatten)]
        show: Show,
        /// A figure of the population.
        #[arg(long, required_unless_present = "rule", conflicts_with = "rule",
            value_parser = ["changes", "ended", "succeeded", "rolled_back", "emergency", "break_glass", "unauthorized"])]
        figure: Option<String>,
        /// The id of a rule, whose tested changes are listed.
        #[arg(long)]
        rule: Option<String>,
    },
    /// Export a report as a file; exit 0 without regard to exceptions.
    #[command(
        after_help = "Example: assent control-report export sox --format oscal --from 2026-07-01T00:00:00Z --to 2026-10-01T00:00:00Z -o sox.json\n\n\
        The same framework, span, size of the log and format give the same bytes."
    )]
    Export {
        /// What to report on.
        #[command(flatten)]
        show: Show,
        /// The form of the file: `pdf`, `xlsx`, `csv`, `json` or `oscal`.
        #[arg(long, value_parser = ["pdf", "xlsx", "csv", "json", "oscal"])]
        format: String,
        /// Where to write it, `-` for standard output.
        #[arg(short, long, value_name = "FILE")]
        output: String,
    },
}

/// What to report on.
#[derive(Debug, Args)]
pub struct Show {
    /// The framework's id: `sox`, `pci-dss`, `hipaa`, `iso-27001`, `soc-2` or `nist-800-53`.
    pub framework: String,
    /// The begin of the span; ninety days before its end unless said.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// The end of the span, not included; now unless said.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// The size of the log up to which events count, one with a signed checkpoint.
    #[arg(long, value_name = "EVENTS")]
    pub size: Option<u64>,
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(asked: &ControlReport, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match asked {
        ControlReport::List => {
            let found = client.get("/control-reports")?.body;
            let row = |it: &Value| ["id", "title", "controls"].map(|name| text_of(it, name)).to_vec();
            let rows: Vec<Vec<String>> = array(&found, "items").iter().map(row).collect();
            output.data(&found, |output| output.rows(&["id", "title", "controls"], &rows));
            Ok(0)
        }
        ControlReport::Show(show) => report(&client, show, output),
        ControlReport::Rows { show, figure, rule } => {
            rows(&client, show, (figure.as_deref(), rule.as_deref()), output)?;
            Ok(0)
        }
        ControlReport::Export {
            show,
            format,
            output: file,
        } => export(&client, show, (format, file), output),
    }
}

fn export(client: &Client, show: &Show, (format, file): (&str, &str), output: &Output) -> Result<u8> {
    let path = format!("/api/v1{}", path(show, "/file", &[("format", Some(format))])?);
    let bytes = client.bytes(&path)?;
    let bytes = bytes.ok_or_else(|| Failure::could_not(format!("There is no framework `{}`.", show.framework)))?;
    save(file, &bytes, output)?;
    Ok(0)
}

fn rows(client: &Client, show: &Show, (figure, rule): (Option<&str>, Option<&str>), output: &Output) -> Result<()> {
    let (mut items, mut next): (Vec<Value>, Option<String>) = (Vec::new(), None);
    loop {
        let more = [
            ("figure", figure),
            ("rule", rule),
            ("limit", Some("200")),
            ("after", next.as_deref()),
        ];
        let page = client.get(&path(show, "/rows", &more)?)?.body;
        items.extend(array(&page, "items").iter().cloned());
        next = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if next.is_none() {
            break;
        }
    }
    let fields = ["change", "kind", "risk", "services", "started_at", "exception"];
    let row = |it: &Value| fields.iter().map(|name| text_of(it, name)).collect();
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    let found = json!({"items": items});
    output.data(&found, |output| output.rows(&fields, &rows));
    Ok(())
}

/// The address of a report, or of a part of it.
fn path(show: &Show, below: &str, more: &[(&str, Option<&str>)]) -> Result<String> {
    let now = clock::now();
    let moment = |text: &Option<String>| text.as_deref().map(|text| clock::moment(text, now)).transpose();
    let (from, to) = (moment(&show.from)?, moment(&show.to)?);
    let (from, to) = (from.map(|at| at.to_string()), to.map(|at| at.to_string()));
    let size = show.size.map(|size| size.to_string());
    let mut fields = vec![
        ("from", from.as_deref()),
        ("to", to.as_deref()),
        ("size", size.as_deref()),
    ];
    fields.extend(more);
    Ok(format!(
        "/control-reports/{}{below}{}",
        encode(&show.framework),
        query(&fields)
    ))
}

fn report(client: &Client, show: &Show, output: &Output) -> Result<u8> {
    let path = path(show, "", &[])?;
    let found = client.get(&path)?.body;
    let rows: Vec<Vec<String>> = array(&found, "controls").iter().flat_map(lines).collect();
    let has_exceptions = array(&found, "controls")
        .iter()
        .any(|control| ["exceptions", "not_enforced"].contains(&text_of(control, "result").as_str()));
    output.data(&found, |output| {
        output.line(&format!(
            "{}, {} to {}",
            text_of(&found, "title"),
            text_of(&found, "from"),
            text_of(&found, "to")
        ));
        output.rows(&["control", "rule", "tested", "found", "dismissed", "changes"], &rows);
    });
    Ok(u8::from(has_exceptions))
}

/// A line for each test of a control.
fn lines(control: &Value) -> Vec<Vec<String>> {
    let line = |test: &Value| {
        let keys: Vec<String> = array(test, "exceptions")
            .iter()
            .map(|it| text_of(it, "change"))
            .collect();
        vec![
            text_of(control, "id"),
            text_of(test, "rule"),
            text_of(test, "tested"),
            text_of(test, "found"),
            text_of(test, "dismissed"),
            keys.join(" "),
        ]
    };
    array(control, "tests").iter().map(line).collect()
}
