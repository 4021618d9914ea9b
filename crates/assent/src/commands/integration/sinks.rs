//! `assent sink`: receivers of the log, such as a SIEM.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::{Result, read_text};
use crate::output::{Output, array, text_of};

/// Receivers of the log, such as a SIEM.
#[derive(Debug, Subcommand)]
pub enum Sink {
    /// Make a sink.
    #[command(after_help = "Example: assent sink new --name siem --url tls://siem.example.org:6514 --format rfc5424")]
    New(New),
    /// List sinks.
    List,
    /// Show a sink and how far it is.
    Show {
        /// The sink's id, as `list` shows it.
        id: String,
    },
    /// Stop a sink where it is.
    Pause {
        /// The sink's id.
        id: String,
    },
    /// Continue a sink where it stopped.
    Resume {
        /// The sink's id.
        id: String,
    },
    /// Continue at another index of the log: earlier sends entries again, later leaves some out.
    #[command(after_help = "Example: assent sink move 0197… 4711")]
    Move {
        /// The sink's id.
        id: String,
        /// The index of the next entry to send.
        index: i64,
    },
    /// End a sink.
    End {
        /// The sink's id.
        id: String,
    },
}

/// What a new sink is.
#[derive(Debug, Args)]
pub struct New {
    /// A name for people.
    #[arg(long)]
    name: String,
    /// Where entries go: tcp://host:port, tls://host:port, https://… or file:NAME.
    #[arg(long)]
    url: String,
    /// In which form.
    #[arg(long, value_parser = ["rfc5424", "cef", "ocsf", "hec", "otlp", "kafka"])]
    format: String,
    /// Which kinds of event, such as change.approved or 'change.*'; may be given several times. All unless said.
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Send free texts too.
    #[arg(long)]
    with_texts: bool,
    /// A file with the credential of an https address.
    #[arg(long, value_name = "FILE")]
    credential_file: Option<String>,
    /// The size in mebibytes at which a file is rotated.
    #[arg(long, value_name = "MIB")]
    rotate_mib: Option<i64>,
    /// How many rotated files are kept.
    #[arg(long, value_name = "COUNT")]
    keep_files: Option<i64>,
    /// The person who is notified when it fails.
    #[arg(long, value_name = "LOGIN")]
    owner: Option<String>,
    /// Begin at this index of the log; unless said with the next entry.
    #[arg(long, value_name = "INDEX")]
    from: Option<i64>,
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(sink: &Sink, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let path = |id: &str| format!("/sinks/{}", encode(id));
    match sink {
        Sink::New(new) => {
            let made = client.post("/sinks", &body(new)?)?.body;
            output.data(&made, |output| {
                output.pairs(&[("id", text_of(&made, "id")), ("name", text_of(&made, "name"))])
            });
        }
        Sink::List => {
            let list = client.get("/sinks?limit=200")?.body;
            output.data(&list, |output| print_list(output, &list));
        }
        Sink::Show { id } => {
            let found = client.get(&path(id))?.body;
            output.data(&found, |output| print_one(output, &found));
        }
        Sink::Pause { id } => set_active(&client, output, &path(id), false)?,
        Sink::Resume { id } => set_active(&client, output, &path(id), true)?,
        Sink::Move { id, index } => {
            let moved = client
                .post(&format!("{}/position", path(id)), &json!({"index": index}))?
                .body;
            output.data(&moved, |output| output.line(&format!("{id} goes on at {index}")));
        }
        Sink::End { id } => {
            let ended = client.delete(&path(id))?.body;
            output.data(&ended, |output| output.line(&format!("ended {id}")));
        }
    }
    Ok(0)
}

fn body(new: &New) -> Result<Value> {
    let mut body = json!({"name": new.name, "url": new.url, "format": new.format, "with_texts": new.with_texts});
    if !new.kind.is_empty() {
        body["kinds"] = json!(new.kind);
    }
    for (field, value) in [
        ("rotate_mib", new.rotate_mib),
        ("keep_files", new.keep_files),
        ("from", new.from),
    ] {
        if let Some(value) = value {
            body[field] = json!(value);
        }
    }
    if let Some(owner) = &new.owner {
        body["owner"] = json!(owner);
    }
    if let Some(file) = &new.credential_file {
        body["credential"] = json!(read_text(file)?.trim());
    }
    Ok(body)
}

fn set_active(client: &Client, output: &Output, path: &str, active: bool) -> Result<()> {
    let set = client
        .send("PATCH", path, Some(&json!({"active": active})), &[("If-Match", "*")])?
        .body;
    let word = if active { "goes on" } else { "is paused" };
    output.data(&set, |output| output.line(&format!("{} {word}", text_of(&set, "name"))));
    Ok(())
}

fn print_list(output: &Output, list: &Value) {
    let fields = ["id", "name", "format", "url", "active"];
    let row = |item: &Value| fields.iter().map(|it| text_of(item, it)).collect();
    let rows: Vec<Vec<String>> = array(list, "items").iter().map(row).collect();
    output.rows(&fields, &rows);
}

fn print_one(output: &Output, found: &Value) {
    let mut pairs: Vec<(&str, String)> = ["name", "url", "format", "kinds", "active"]
        .into_iter()
        .map(|field| (field, text_of(found, field)))
        .collect();
    let state = &found["state"];
    for field in [
        "next_index",
        "behind",
        "delivered_at",
        "failing_since",
        "next_try_at",
        "last_error",
    ] {
        let text = text_of(state, field);
        if !text.is_empty() {
            pairs.push((field, text));
        }
    }
    output.pairs(&pairs);
}
