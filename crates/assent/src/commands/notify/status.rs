//! `assent status` and `assent feed`: the present and coming effects on users, their readers, and the addresses of one's own
//! feeds.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, Tone, array, text_of};

/// The status page.
#[derive(Debug, Subcommand)]
pub enum Status {
    /// Show disruptive changes under way and in the next 30 days, and open incidents.
    Show,
    /// Open the status page to everybody. It needs a fresh factor: sign in with --as.
    #[command(after_help = "Example: assent --as acme/adam status publish --reason 'Customers ask for it'")]
    Publish {
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Close the status page to the public again. It needs a fresh factor: sign in with --as.
    #[command(after_help = "Example: assent --as acme/adam status close --reason 'The trial is over'")]
    Close {
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// Addresses with a secret, for programs that cannot sign in.
#[derive(Debug, Subcommand)]
pub enum Feed {
    /// Make a feed; its address is shown once.
    #[command(after_help = "Example: assent feed make status")]
    Make {
        /// What it tells: your calendar as iCalendar, or the status as Atom.
        #[arg(value_parser = ["calendar", "status"])]
        kind: String,
    },
    /// List your feeds, without their secrets.
    List,
    /// Revoke a feed: programs that read it find nothing from then on.
    Revoke {
        /// The feed's id, as `list` shows it.
        id: String,
    },
}

/// Runs a command about the status page.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn status(status: &Status, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let (path, reason) = match status {
        Status::Show => {
            let shown = client.get("/status")?.body;
            output.data(&shown, |output| print_status(&shown, output));
            return Ok(0);
        }
        Status::Publish { reason } => ("/status/publication", reason),
        Status::Close { reason } => ("/status/publication/end", reason),
    };
    let said = client.post(path, &json!({"reason": reason}))?.body;
    let is_public = said["status_is_public"] == true;
    output.data(&said, |output| {
        output.line(if is_public {
            "everybody reads the status page"
        } else {
            "whoever is signed in alone reads the status page"
        });
    });
    Ok(0)
}

fn print_status(shown: &Value, output: &Output) {
    let change = |when: &str, it: &Value| {
        let [key, title, disruption, start, end] =
            ["key", "title", "disruption", "planned_start", "planned_end"].map(|name| text_of(it, name));
        vec![when.to_owned(), key, title, disruption, start, end]
    };
    let incident = |it: &Value| {
        let [key, title, start] = ["key", "title", "started_at"].map(|name| text_of(it, name));
        vec!["incident".to_owned(), key, title, String::new(), start, String::new()]
    };
    let mut rows: Vec<Vec<String>> = array(shown, "incidents").iter().map(incident).collect();
    for (list, when) in [("current", "now"), ("coming", "coming")] {
        rows.extend(array(shown, list).iter().map(|it| change(when, it)));
    }
    output.rows(&["what", "key", "title", "disruption", "from", "to"], &rows);
}

/// Runs a command about feeds.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn feed(feed: &Feed, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match feed {
        Feed::Make { kind } => {
            let made = client.post("/feeds", &json!({"kind": kind}))?.body;
            output.data(&made, |output| output.line(&text_of(&made, "address")));
            output.talk(&output.tone(Tone::Warn, "Subscribe to it now: it is not shown again."));
        }
        Feed::List => {
            let list = client.get("/feeds")?.body;
            let heads = ["id", "kind", "prefix", "created_at"];
            let row = |item: &Value| heads.iter().map(|name| text_of(item, name)).collect();
            let rows: Vec<Vec<String>> = array(&list, "feeds").iter().map(row).collect();
            output.data(&list, |output| output.rows(&heads, &rows));
        }
        Feed::Revoke { id } => {
            let gone = client.delete(&format!("/tokens/{}", encode(id)))?.body;
            output.data(&gone, |output| output.line(&format!("revoked {id}")));
        }
    }
    Ok(0)
}
