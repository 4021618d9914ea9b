//! `assent metrics`: definitions, figures, the rows behind them, and the event log for process mining.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::client::{Client, encode, query};
use crate::common::Common;
use crate::failure::{Failure, Result};
use crate::output::{Output, Tone, array, text_of};

/// Figures of how changes go.
#[derive(Debug, Subcommand)]
pub enum Metrics {
    /// List the metrics with their definitions.
    List,
    /// Show a figure with its interval and its groups.
    #[command(
        after_help = "Example: assent metrics show change_failure_rate --by team --from 2026-01-01 --to 2026-02-01\n\n\
        Shares are shown in percent, times in minutes."
    )]
    Show {
        /// The metric.
        id: String,
        /// What to count.
        #[command(flatten)]
        asked: MetricFilter,
        /// Split by team, service, kind, category, risk, template, environment, vendor, cause, root_cause, stage, rule, group or approver.
        #[arg(long, value_name = "DIMENSION")]
        by: Option<String>,
    },
    /// List the changes that a figure is counted from, and those that it leaves out.
    Rows {
        /// The metric.
        id: String,
        /// What to count.
        #[command(flatten)]
        asked: MetricFilter,
    },
    /// Show how much a figure depends on its window and on what makes a failure.
    Sensitivity {
        /// The metric.
        id: String,
        /// What to count.
        #[command(flatten)]
        asked: MetricFilter,
    },
    /// Show the paths that changes really took through the lifecycle.
    Paths {
        /// Which changes.
        #[command(flatten)]
        asked: MetricFilter,
    },
    /// List the fields that people type in changes and other forms; useless ones are proposed to be dropped.
    Fields,
    /// Write the events of changes into a file for process mining.
    EventLog {
        /// The file; `-` for standard output.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Its format.
        #[arg(long, value_enum, default_value = "xes")]
        format: Format,
        /// Which changes.
        #[command(flatten)]
        asked: MetricFilter,
    },
}

/// Which rows a figure counts.
#[derive(Debug, Clone, Default, Args)]
pub struct MetricFilter {
    /// The first day, such as 2026-01-31, or a moment in RFC 3339.
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// The first day or moment behind the window.
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// The time zone of the days, such as Europe/Oslo.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Only of this team.
    #[arg(long, value_name = "TEAM")]
    team: Option<String>,
    /// Only with this service.
    #[arg(long, value_name = "KEY")]
    service: Option<String>,
    /// Only of this kind: normal, standard or emergency.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only of this category, such as database.
    #[arg(long, value_name = "CATEGORY")]
    category: Option<String>,
    /// Only of this risk: none, low, medium or high.
    #[arg(long, value_name = "LEVEL")]
    risk: Option<String>,
    /// Only from this template.
    #[arg(long, value_name = "KEY")]
    template: Option<String>,
    /// Only in this environment.
    #[arg(long, value_name = "KEY")]
    environment: Option<String>,
    /// Only implemented by this vendor.
    #[arg(long, value_name = "LOGIN")]
    vendor: Option<String>,
    /// Of times to approve, those of this approver alone: yourself; change managers name anybody.
    #[arg(long, value_name = "LOGIN")]
    approver: Option<String>,
}

/// The format of an event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// IEEE 1849-2016.
    Xes,
    /// One line per event.
    Csv,
}

impl MetricFilter {
    /// The query of a request, with further fields.
    fn query(&self, more: &[(&str, Option<&str>)]) -> String {
        let own = [
            ("from", &self.from),
            ("to", &self.to),
            ("zone", &self.zone),
            ("team", &self.team),
            ("service", &self.service),
            ("kind", &self.kind),
            ("category", &self.category),
            ("risk", &self.risk),
            ("template", &self.template),
            ("environment", &self.environment),
            ("vendor", &self.vendor),
            ("approver", &self.approver),
        ];
        let own = own.into_iter().map(|(name, value)| (name, value.as_deref()));
        let all: Vec<(&str, Option<&str>)> = own.chain(more.iter().copied()).collect();
        query(&all)
    }
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed; a file that cannot be written.
pub fn run(metrics: &Metrics, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match metrics {
        Metrics::List => list(&client, output)?,
        Metrics::Show { id, asked, by } => {
            let path = format!("/metrics/{}{}", encode(id), asked.query(&[("by", by.as_deref())]));
            let figure = client.get(&path)?.body;
            output.data(&figure, |output| show(&figure, output));
        }
        Metrics::Rows { id, asked } => {
            let path = format!("/metrics/{}/rows{}", encode(id), asked.query(&[("limit", Some("200"))]));
            let rows = client.get(&path)?.body;
            output.data(&rows, |output| show_rows(&rows, output));
        }
        Metrics::Sensitivity { id, asked } => {
            let path = format!("/metrics/{}/sensitivity{}", encode(id), asked.query(&[]));
            let found = client.get(&path)?.body;
            output.data(&found, |output| show_sensitivity(&found, output));
        }
        Metrics::Paths { asked } => {
            let map = client.get(&format!("/process-map{}", asked.query(&[])))?.body;
            output.data(&map, |output| show_paths(&map, output));
        }
        Metrics::Fields => fields(&client, output)?,
        Metrics::EventLog { out, format, asked } => event_log(&client, output, (out, *format), asked)?,
    }
    Ok(0)
}

fn list(client: &Client, output: &Output) -> Result<()> {
    let list = client.get("/metrics")?.body;
    let row = |it: &Value| {
        ["id", "version", "title", "minimum", "digest"]
            .map(|head| text_of(it, head))
            .to_vec()
    };
    let rows: Vec<Vec<String>> = array(&list, "items").iter().map(row).collect();
    output.data(&list, |output| {
        output.rows(&["id", "version", "title", "minimum", "digest"], &rows);
    });
    Ok(())
}

fn fields(client: &Client, output: &Output) -> Result<()> {
    let (mut items, mut after) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/field-use?limit=200{after}"))?.body;
        items.extend(array(&page, "items").iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={}", encode(next)),
            None => break,
        }
    }
    let found = json!({"items": items});
    let heads = [
        "field",
        "asked",
        "filled",
        "filler",
        "most_common",
        "is_read",
        "verdict",
    ];
    let row = |it: &Value| heads.map(|head| text_of(it, head)).to_vec();
    let rows: Vec<Vec<String>> = array(&found, "items").iter().map(row).collect();
    output.data(&found, |output| output.rows(&heads, &rows));
    Ok(())
}

/// A value in the unit of its figure.
fn describe(unit: &str, value: &Value) -> String {
    let Some(value) = value.as_i64() else {
        return String::new();
    };
    match unit {
        "parts_per_million" => {
            let tenths = (value + 500) / 1_000;
            format!("{}.{} %", tenths / 10, tenths % 10)
        }
        "minutes" => format!("{value} min"),
        _ => format!("{}.{}", value / 1_000, value % 1_000 / 100),
    }
}

fn cells(unit: &str, figure: &Value) -> [String; 4] {
    let interval = match figure["value"].is_null() {
        true => String::new(),
        false => format!(
            "{} to {}",
            describe(unit, &figure["low"]),
            describe(unit, &figure["high"])
        ),
    };
    let value = match figure["value"].is_null() {
        true if figure["is_withheld"] == true => "withheld".to_owned(),
        true => "not enough data".to_owned(),
        false => describe(unit, &figure["value"]),
    };
    [value, interval, text_of(figure, "hits"), text_of(figure, "of")]
}

/// How many weeks of a share lie outside of its limits, where it has any.
fn show_weeks(figure: &Value, output: &Output) {
    let weeks = array(figure, "share_weeks");
    if weeks.iter().any(|week| !week["high_ppm"].is_null()) {
        let out = |name: &str| weeks.iter().filter(|week| week[name] == true).count();
        output.line(&format!(
            "weeks outside of the limits: {} of {} on a p\u{2032} chart, {} on a p chart",
            out("is_out"),
            weeks.len(),
            out("is_out_of_p")
        ));
    }
}

fn show(figure: &Value, output: &Output) {
    let unit = text_of(figure, "unit");
    let [value, interval, hits, of] = cells(&unit, figure);
    let definition = &figure["definition"];
    output.line(&output.tone(Tone::Strong, &text_of(definition, "title")));
    output.pairs(&[
        ("value", value),
        ("interval", interval),
        ("hits", hits),
        ("of", of),
        ("level", text_of(figure, "level")),
        (
            "window",
            format!("{} to {}", text_of(figure, "from"), text_of(figure, "to")),
        ),
        (
            "definition",
            format!(
                "{} version {} {}",
                text_of(definition, "id"),
                text_of(definition, "version"),
                text_of(definition, "digest")
            ),
        ),
    ]);
    if let Some(excluded) = figure["excluded"].as_object() {
        for (why, count) in excluded {
            output.line(&format!("left out as {why}: {count}"));
        }
    }
    show_weeks(figure, output);
    for part in array(figure, "versions") {
        let [value, interval, hits, of] = cells(&unit, part);
        output.line(&format!(
            "by version {} from {} to {}: {value} {interval} ({hits} of {of})",
            text_of(&part["definition"], "version"),
            text_of(part, "from"),
            text_of(part, "to")
        ));
    }
    for cause in array(figure, "causes") {
        let count = |name: &str| text_of(cause, name);
        output.line(&format!(
            "cause {}: {}, by rule {}, confirmed {}, changed in review {}",
            count("cause"),
            count("counted"),
            count("by_rule"),
            count("confirmed"),
            count("changed")
        ));
    }
    for shift in array(figure, "shifts") {
        output.line(&format!(
            "a lasting rise since {}: {} a week before, {} since",
            text_of(shift, "began_at"),
            describe("thousandths_per_week", &shift["before_milli"]),
            describe("thousandths_per_week", &shift["after_milli"])
        ));
    }
    let row = |group: &Value| {
        let mut row = vec![text_of(group, "group")];
        row.extend(cells(&unit, group));
        row
    };
    let rows: Vec<Vec<String>> = array(figure, "groups").iter().map(row).collect();
    if !rows.is_empty() {
        output.rows(&["group", "value", "interval", "hits", "of"], &rows);
    }
}

fn show_sensitivity(found: &Value, output: &Output) {
    let unit = text_of(found, "unit");
    let row = |it: &Value| {
        let mut row = vec![text_of(it, "varied"), text_of(it, "varied_to")];
        row.extend(cells(&unit, it));
        row.push(if it["is_defined"] == true {
            "as defined".to_owned()
        } else {
            String::new()
        });
        row
    };
    let rows: Vec<Vec<String>> = array(found, "rows").iter().map(row).collect();
    output.rows(&["varied", "to", "value", "interval", "hits", "of", "note"], &rows);
}

fn show_paths(map: &Value, output: &Output) {
    let row = |it: &Value| {
        let steps = array(it, "steps").iter().filter_map(Value::as_str);
        vec![text_of(it, "changes"), steps.collect::<Vec<_>>().join(" > ")]
    };
    let rows: Vec<Vec<String>> = array(map, "paths").iter().map(row).collect();
    output.rows(&["changes", "steps"], &rows);
    let heads = ["from", "to", "count", "median_minutes"];
    let moved = |it: &Value| heads.map(|head| text_of(it, head)).to_vec();
    let moves: Vec<Vec<String>> = array(map, "moves").iter().map(moved).collect();
    output.rows(&heads, &moves);
}

fn show_rows(rows: &Value, output: &Output) {
    let heads = ["key", "at", "counted", "service", "environment", "minutes"];
    let row = |it: &Value| heads.iter().map(|head| text_of(it, head)).collect();
    let cells: Vec<Vec<String>> = array(rows, "items").iter().map(row).collect();
    output.rows(&heads, &cells);
    if rows["next"].is_string() {
        output.talk("There are more rows. Set --from and --to closer together, or page through the API.");
    }
}

fn event_log(client: &Client, output: &Output, (out, format): (&PathBuf, Format), asked: &MetricFilter) -> Result<()> {
    let word = match format {
        Format::Xes => "xes",
        Format::Csv => "csv",
    };
    let path = format!("/event-log{}", asked.query(&[("format", Some(word))]));
    let log = client.get(&path)?.body;
    let text = log["text"].as_str().unwrap_or_default();
    let name = out.display().to_string();
    if name == "-" {
        output.bytes(text.as_bytes());
        return Ok(());
    }
    std::fs::write(out, text).map_err(|error| Failure::CouldNot(format!("{name}: {error}")))?;
    output.data(&log["cases"], |output| {
        output.line(&format!(
            "wrote {} events of {} changes to {name}",
            text_of(&log, "events"),
            text_of(&log, "cases")
        ));
    });
    Ok(())
}
