//! `assent what-changed`: the changes of a service, and of its dependencies, before a time.

use clap::Args;
use serde_json::Value;

use crate::client::{Client, encode};
use crate::clock;
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// What is asked.
#[derive(Debug, Args)]
#[command(after_help = "Example: assent what-changed booking-api --before 2026-11-20T10:00:00Z --hours 4")]
pub struct WhatChanged {
    /// A service's key; with --item a config item's key, name or address; with --incident an incident's key.
    of: String,
    /// The name is an incident's: changes that may have led to it.
    #[arg(long, conflicts_with_all = ["item", "before"])]
    incident: bool,
    /// The name is a config item's.
    #[arg(long)]
    item: bool,
    /// Before this time, such as 2026-11-20T10:00:00Z or -2h.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "now")]
    before: String,
    /// How many hours are looked back: 24, or before an incident those of its services, unless said.
    #[arg(long)]
    hours: Option<i64>,
}

/// Fetches and shows the ranking.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(asked: &WhatChanged, common: &Common, output: &Output) -> Result<u8> {
    let before = clock::moment(&asked.before, clock::now())?;
    let field = if asked.item { "item" } else { "service" };
    let of = encode(&asked.of);
    let path = match (asked.incident, asked.hours) {
        (true, None) => format!("/incidents/{of}/candidates"),
        (true, Some(hours)) => format!("/incidents/{of}/candidates?hours={hours}"),
        (false, hours) => {
            let before = encode(&before.to_string());
            format!(
                "/what-changed?{field}={of}&before={before}&hours={}",
                hours.unwrap_or(24)
            )
        }
    };
    let found = Client::new(common)?.get(&path)?.body;
    output.data(&found, |output| print_found(output, &found));
    Ok(0)
}

fn print_found(output: &Output, found: &Value) {
    let row = |item: &Value| {
        let key = match text_of(item, "change") {
            key if key.is_empty() => "(no change)".to_owned(),
            key => key,
        };
        let reasons: Vec<&str> = array(item, "reasons").iter().filter_map(Value::as_str).collect();
        let likely = item["probability_ppm"].as_i64();
        vec![
            text_of(item, "score"),
            likely.map_or_else(String::new, |ppm| format!("{} %", (ppm + 5_000) / 10_000)),
            key,
            text_of(item, "service"),
            text_of(item, "began_at"),
            text_of(item, "ended_at"),
            text_of(item, "title"),
            reasons.join("; "),
        ]
    };
    let rows: Vec<Vec<String>> = array(found, "items").iter().map(row).collect();
    output.rows(
        &[
            "points", "likely", "change", "service", "began", "ended", "title", "why",
        ],
        &rows,
    );
    if found["sure"] == false && !rows.is_empty() {
        output.talk("Not sure: none is far enough ahead of the others.");
    }
    let gap = match found["gap"].as_str() {
        Some("too_few") => "No probability: people judged too few candidates so far.",
        Some("one_sided") => "No probability: people confirmed, or cleared, too few candidates so far.",
        Some(_) => "No probability: the points predict no better than the share of confirmed candidates.",
        None => "",
    };
    if !gap.is_empty() && !rows.is_empty() {
        output.talk(gap);
    }
    if found["more"] == true {
        output.talk("Not everything is shown; choose fewer hours.");
    }
}
