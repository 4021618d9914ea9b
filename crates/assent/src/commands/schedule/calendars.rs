//! `assent calendar`: business calendars, and the holidays of an iCalendar file.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::{Client, query};
use crate::clock;
use crate::common::Common;
use crate::failure::{Failure, Result, read_text};
use crate::lists::list;
use crate::output::{Output, array, text_of};

/// Business calendars.
#[derive(Debug, Subcommand)]
pub enum Calendar {
    /// Make or change a calendar.
    #[command(
        after_help = "Example: assent calendar set default --zone Europe/Oslo --hours monday=08:00-16:00 --hours tuesday=08:00-16:00"
    )]
    Set {
        /// The calendar's key; `default` is the tenant's usual one.
        key: String,
        /// A name for people.
        #[arg(long)]
        name: Option<String>,
        /// IANA zone.
        #[arg(long)]
        zone: Option<String>,
        /// Working hours as day=from-to; may be given several times.
        #[arg(long, value_name = "DAY=FROM-TO")]
        hours: Vec<String>,
        /// The month in which its fiscal year begins, 1 to 12.
        #[arg(long, value_name = "MONTH")]
        fiscal_from: Option<u8>,
        /// How long fiscal months are.
        #[arg(long, value_parser = ["civil", "4-4-5", "4-5-4", "5-4-4"], requires = "fiscal_from")]
        fiscal_months: Option<String>,
    },
    /// List calendars.
    List,
    /// Show freezes, windows and changes as they are planned.
    #[command(after_help = "Example: assent calendar show --from now --to +7d --service booking-api")]
    Show(Shown),
    /// Add the holidays of an iCalendar file.
    #[command(after_help = "Example: assent calendar import norway.ics --calendar default --dry-run")]
    Import {
        /// The file, `-` for standard input.
        file: String,
        /// The calendar.
        #[arg(long, default_value = "default")]
        calendar: String,
        /// Show what would be added and write nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

/// What of the calendar is shown.
#[derive(Debug, Args)]
pub struct Shown {
    /// From when.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "now")]
    from: String,
    /// Until when; 31 days later unless said.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
    /// Only this service.
    #[arg(long)]
    service: Option<String>,
    /// Only this environment.
    #[arg(long)]
    environment: Option<String>,
}

/// Shows the planned changes.
fn show(shown: &Shown, client: &Client, output: &Output) -> Result<()> {
    let time = |text: &str| -> Result<String> { Ok(clock::moment(text, clock::now())?.to_string()) };
    let from = time(&shown.from)?;
    let to = shown.to.as_deref().map(time).transpose()?;
    let fields = [
        ("from", Some(from.as_str())),
        ("to", to.as_deref()),
        ("service", shown.service.as_deref()),
        ("environment", shown.environment.as_deref()),
    ];
    let planned = client.get(&format!("/calendar{}", query(&fields)))?.body;
    let heads = ["kind", "key", "title", "starts_at", "ends_at", "state"];
    let row = |item: &Value| heads.iter().map(|head| text_of(item, head)).collect();
    let rows: Vec<Vec<String>> = array(&planned, "items").iter().map(row).collect();
    output.data(&planned, |output| output.rows(&heads, &rows));
    Ok(())
}

/// Runs a command about business calendars.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn calendar(calendar: &Calendar, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match calendar {
        Calendar::Set {
            key,
            name,
            zone,
            hours,
            fiscal_from,
            fiscal_months,
        } => {
            let mut body = json!({"key": key});
            if let Some(month) = fiscal_from {
                let months = fiscal_months.as_deref().unwrap_or("civil");
                body["fiscal"] = json!({"first_month": month, "months": months});
            }
            for (field, value) in [("name", name), ("zone", zone)] {
                if let Some(value) = value {
                    body[field] = json!(value);
                }
            }
            if !hours.is_empty() {
                body["hours"] = hours
                    .iter()
                    .map(|text| one_span(text))
                    .collect::<Result<Vec<Value>>>()?
                    .into();
            }
            let made = client.post("/calendars", &body)?.body;
            output.data(&made, |output| output.line(&format!("set {key}")));
        }
        Calendar::Show(shown) => show(shown, &client, output)?,
        Calendar::List => list(&client, output, "/calendars", &["key", "name", "zone"])?,
        Calendar::Import {
            file,
            calendar,
            dry_run,
        } => {
            let body = json!({"kind": "holidays", "text": read_text(file)?, "calendar": calendar, "dry_run": dry_run});
            let report = client.post("/imports", &body)?.body;
            output.data(&report, |output| {
                let heads = ["date", "title"];
                let row = |item: &Value| heads.iter().map(|head| text_of(item, head)).collect();
                let rows: Vec<Vec<String>> = array(&report, "rows").iter().map(row).collect();
                output.rows(&heads, &rows);
                let would = if *dry_run { "would do: " } else { "" };
                output.line(&format!("{would}{} added to {calendar}", text_of(&report, "added")));
                if *dry_run {
                    output.next("the same without --dry-run");
                }
            });
        }
    }
    Ok(0)
}

/// `monday=08:00-16:00` as the API writes it.
fn one_span(text: &str) -> Result<Value> {
    let wrong = || Failure::could_not(format!("`{text}` is no working time; write monday=08:00-16:00."));
    let (day, span) = text.split_once('=').ok_or_else(wrong)?;
    let (from, to) = span.split_once('-').ok_or_else(wrong)?;
    Ok(json!({"day": day, "from": from, "to": to}))
}
