//! `assent retention`: for how long texts, files and raw deliveries are kept, and when changes move to the archive.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, encode, query};
use crate::commands::policy::proposals::{activate, print_proposal};
use crate::common::Common;
use crate::failure::{Failure, Result};
use crate::output::{Output, array, text_of};

/// What is kept, and for how long.
#[derive(Debug, Subcommand)]
pub enum Retention {
    /// Show the retention in force.
    Show,
    /// Show what the retention would erase now and what legal holds keep; nothing is erased.
    #[command(name = "dry-run")]
    DryRun {
        /// Try these days for changes; those in force unless said.
        #[arg(long, value_name = "DAYS")]
        changes: Option<u32>,
        /// Try these days for deliveries; those in force unless said.
        #[arg(long, value_name = "DAYS")]
        deliveries: Option<u32>,
    },
    /// Do an erasure of a person's data that another person asked for (`assent person-erasure ask`).
    #[command(name = "confirm-erasure")]
    ConfirmErasure {
        /// The id of the erasure.
        id: String,
    },
    /// Propose another one, or put a proposal in force.
    #[command(
        after_help = "Example: assent retention apply --changes 3650 --deliveries 400 --reason 'Our rules of 2026'\n\n\
        At least 90 days; `ever` keeps for ever, and `--archive never` archives nothing. What is not named stays as it is."
    )]
    Apply {
        /// Days for which the texts and evidence files of a change are kept after its end, or `ever`.
        #[arg(long, value_name = "DAYS")]
        changes: Option<String>,
        /// Days for which the raw body of a delivery is kept once it was worked off, or `ever`.
        #[arg(long, value_name = "DAYS")]
        deliveries: Option<String>,
        /// Days after which an ended change moves to the archive, counted from when it was last saved, or `never`.
        #[arg(long, value_name = "DAYS")]
        archive: Option<String>,
        /// Why.
        #[arg(long, value_name = "TEXT", required_unless_present = "activate")]
        reason: Option<String>,
        /// Put this proposal of another person in force, by its id.
        #[arg(long, value_name = "ID", conflicts_with_all = ["changes", "deliveries", "archive", "reason"])]
        activate: Option<String>,
        /// An approved change one of whose targets has the retention's digest as its artifact.
        #[arg(long, value_name = "KEY")]
        change: Option<String>,
    },
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(retention: &Retention, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match retention {
        Retention::Show => {
            show(&client, output)?;
            Ok(0)
        }
        Retention::ConfirmErasure { id } => {
            let path = format!("/person-erasures/{}/confirmation", encode(id));
            let done = client.post(&path, &json!({}))?.body;
            output.data(&done, |output| {
                output.line(&format!("the data of {} is erased", text_of(&done, "person")));
            });
            Ok(0)
        }
        Retention::DryRun { changes, deliveries } => {
            dry_run(&client, (*changes, *deliveries), output)?;
            Ok(0)
        }
        Retention::Apply {
            activate: Some(id),
            change,
            ..
        } => activate(&client, id, change.as_deref(), output),
        Retention::Apply {
            changes,
            deliveries,
            archive,
            reason,
            change,
            ..
        } => {
            let mut body = json!({"reason": reason});
            for (field, days) in [
                ("changes_days", changes),
                ("deliveries_days", deliveries),
                ("archive_days", archive),
            ] {
                if let Some(days) = days {
                    body[field] = read_days(days)?;
                }
            }
            let made = client.post("/retention", &body)?.body;
            match change {
                Some(key) => activate(&client, &text_of(&made, "id"), Some(key), output),
                None => {
                    print_proposal(&made, "retention apply", output);
                    Ok(0)
                }
            }
        }
    }
}

fn show(client: &Client, output: &Output) -> Result<()> {
    let found = client.get("/retention")?.body;
    output.data(&found, |output| {
        let days = |field: &str| match found[field].as_i64() {
            Some(days) => format!("{days} days"),
            None => "for ever".to_owned(),
        };
        let rows = [
            vec![
                "texts and files of changes that have ended".to_owned(),
                days("changes_days"),
            ],
            vec![
                "raw deliveries that were worked off".to_owned(),
                days("deliveries_days"),
            ],
            vec![
                "ended changes before they move to the archive".to_owned(),
                days("archive_days"),
            ],
        ];
        output.rows(&["", "kept"], &rows);
    });
    Ok(())
}

fn dry_run(client: &Client, (changes, deliveries): (Option<u32>, Option<u32>), output: &Output) -> Result<()> {
    let [changes, deliveries] = [changes, deliveries].map(|days| days.map(|days| days.to_string()));
    let fields = [
        ("changes_days", changes.as_deref()),
        ("deliveries_days", deliveries.as_deref()),
    ];
    let found = client.get(&format!("/retention/preview{}", query(&fields)))?.body;
    output.data(&found, |output| {
        let texts = |value: &Value, name: &str| -> Vec<String> {
            let all = array(value, name)
                .iter()
                .filter_map(|it| it.as_str().map(str::to_owned));
            all.collect()
        };
        let goes = texts(&found, "changes")
            .into_iter()
            .map(|key| vec![key, "goes".to_owned()]);
        let stays = array(&found, "held").iter().map(|row| {
            let orders = texts(row, "orders").join(" ");
            vec![text_of(row, "change"), format!("held by {orders}")]
        });
        let counts = [
            ("deliveries", "deliveries"),
            ("deliveries held", "deliveries_held"),
            ("to the archive", "to_archive"),
            ("more changes are due", "is_more"),
        ];
        let counts = counts.map(|(name, field)| vec![name.to_owned(), text_of(&found, field)]);
        let rows: Vec<Vec<String>> = goes.chain(stays).chain(counts).collect();
        output.rows(&["", ""], &rows);
    });
    Ok(())
}

fn read_days(text: &str) -> Result<Value> {
    if text == "ever" || text == "never" {
        return Ok(Value::Null);
    }
    let days: Option<i64> = text.parse().ok();
    let wrong = || Failure::could_not(format!("`{text}` is no number of days: write 400, or `ever`."));
    Ok(json!(days.ok_or_else(wrong)?))
}
