//! `assent audit events`: entries of the log that match the filters.

use clap::Args;
use serde_json::{Value, json};

use crate::client::{Client, query};
use crate::clock;
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, array, text_of};
use crate::progress::bar;

/// The most entries of one response.
const PAGE: usize = 200;

/// Which entries to list.
#[derive(Debug, Args)]
pub struct Events {
    /// Only this kind, such as `approval.given`, or all of a family, such as `approval`.
    #[arg(long)]
    pub kind: Option<String>,
    /// Only what this person or pipeline did; `system` for timers and deliveries.
    #[arg(long, value_name = "LOGIN")]
    pub actor: Option<String>,
    /// Only what is about this: the key of a change, service, environment, group, template or incident, a login, or the id of a
    /// freeze or window.
    #[arg(long, value_name = "KEY")]
    pub about: Option<String>,
    /// Only what was written down at this time or later.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Only what was written down before this time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// Only what was done from this IP address; sign-ins that were refused too.
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<String>,
    /// Only what was done in the session of this name.
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,
    /// Only what was done with the token of this id.
    #[arg(long, value_name = "ID")]
    pub by_token: Option<String>,
    /// Only entries before this place in the log: what a list that was cut names to go on from.
    #[arg(long, value_name = "INDEX")]
    pub before: Option<u64>,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
}

/// Lists entries of the log.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(asked: &Events, common: &Common, output: &Output) -> Result<u8> {
    let (items, next) = find(&Client::new(common)?, "/events", asked, output)?;
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    output.data(&json!({"items": items, "next": next}), |output| {
        output.rows(&["index", "recorded at", "kind", "actor", "about"], &rows);
    });
    if let Some(next) = next.filter(|_| !output.is_json()) {
        output.talk(&format!("There may be older ones: --before {next} goes on from here."));
    } else if items.is_empty() && !output.is_json() {
        output.talk("No matching entries.");
    }
    Ok(0)
}

/// Entries until there are enough, and from where the next list goes on. The server reads at most so many entries for one
/// response and returns the position for the next, so an empty response does not end the search.
pub(super) fn find(
    client: &Client,
    path: &str,
    asked: &Events,
    output: &Output,
) -> Result<(Vec<Value>, Option<String>)> {
    let now = clock::now();
    let moment = |text: &Option<String>| text.as_deref().map(|text| clock::moment(text, now)).transpose();
    let (from, to) = (moment(&asked.from)?, moment(&asked.to)?);
    let (from, to) = (from.map(|at| at.to_string()), to.map(|at| at.to_string()));
    let limit = asked.limit as usize;
    let mut items: Vec<Value> = Vec::new();
    let mut next = asked.before.map(|index| index.to_string());
    let bar = bar(output);
    loop {
        let left = (limit - items.len()).min(PAGE);
        let size = left.to_string();
        let fields = [
            ("kind", asked.kind.as_deref()),
            ("actor", asked.actor.as_deref()),
            ("about", asked.about.as_deref()),
            ("from", from.as_deref()),
            ("to", to.as_deref()),
            ("address", asked.address.as_deref()),
            ("session", asked.session.as_deref()),
            ("token", asked.by_token.as_deref()),
            ("limit", Some(size.as_str())),
            ("after", next.as_deref()),
        ];
        let joint = if path.contains('?') { "&" } else { "?" };
        let asks = query(&fields);
        let page = client
            .get(&format!("{path}{joint}{}", asks.trim_start_matches('?')))?
            .body;
        items.extend(array(&page, "items").iter().take(left).cloned());
        next = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if next.is_none() || items.len() >= limit {
            bar.finish_and_clear();
            return Ok((items, next));
        }
        bar.set_position(items.len() as u64);
    }
}

pub(super) fn row(item: &Value) -> Vec<String> {
    let mut row: Vec<String> = ["index", "recorded_at", "kind", "actor"]
        .iter()
        .map(|name| text_of(item, name))
        .collect();
    let subject = &item["subject"];
    let mut about = match text_of(subject, "name") {
        name if name.is_empty() => format!("{} {}", text_of(subject, "table"), text_of(subject, "id")),
        name => format!("{} {name}", text_of(subject, "table")),
    };
    let change = text_of(subject, "change");
    if !change.is_empty() {
        about.push_str(&format!(" of {change}"));
    }
    row.push(about);
    row
}
