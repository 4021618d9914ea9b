//! `assent webhook`: outside addresses that are notified of events.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, Tone, array, text_of};

/// Addresses outside that are told of events.
#[derive(Debug, Subcommand)]
pub enum Webhook {
    /// Make a webhook; its secret is shown once.
    #[command(
        after_help = "Example: assent webhook new --name chat --url https://hooks.example.org/assent --kind 'change.*'"
    )]
    New {
        /// A name for people.
        #[arg(long)]
        name: String,
        /// Where events are posted.
        #[arg(long)]
        url: String,
        /// Which kinds of event, such as change.approved or 'change.*'; may be given several times. All unless said.
        #[arg(long, value_name = "KIND")]
        kind: Vec<String>,
        /// Who is told when it fails.
        #[arg(long, value_name = "LOGIN")]
        owner: Option<String>,
        /// In which form: signed events, or a decision card for a chat, whose address is then never shown.
        #[arg(long, default_value = "events", value_parser = ["events", "slack", "teams"])]
        format: String,
        /// Only changes of this service; may be given several times.
        #[arg(long, value_name = "KEY")]
        service: Vec<String>,
    },
    /// List webhooks.
    List,
    /// Show a webhook and how it fares.
    Show {
        /// The webhook's id, as `list` shows it.
        id: String,
    },
    /// Replace a webhook's secret; for a day both sign.
    Rotate {
        /// The webhook's id.
        id: String,
    },
    /// End a webhook.
    End {
        /// The webhook's id.
        id: String,
    },
    /// List what is on its way, was taken, or was given up.
    Deliveries {
        /// The webhook's id.
        id: String,
        /// Which of them.
        #[arg(long, default_value = "waiting", value_parser = ["waiting", "delivered", "dead"])]
        state: String,
    },
    /// Send again what was given up.
    #[command(after_help = "Example: assent webhook replay 0197… --from 4711 --delivered")]
    Replay {
        /// The webhook's id.
        id: String,
        /// From this place of the log.
        #[arg(long, value_name = "INDEX")]
        from: Option<i64>,
        /// Up to this place of the log, not included.
        #[arg(long, value_name = "INDEX")]
        to: Option<i64>,
        /// Also what was taken.
        #[arg(long)]
        delivered: bool,
    },
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(webhook: &Webhook, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let path = |id: &str| format!("/webhooks/{}", encode(id));
    match webhook {
        Webhook::New {
            name,
            url,
            kind,
            owner,
            format,
            service,
        } => {
            let mut body = json!({"name": name, "url": url, "format": format, "services": service});
            if !kind.is_empty() {
                body["kinds"] = json!(kind);
            }
            if let Some(owner) = owner {
                body["owner"] = json!(owner);
            }
            print_secret(output, &client.post("/webhooks", &body)?.body);
        }
        Webhook::List => {
            let list = client.get("/webhooks?limit=200")?.body;
            output.data(&list, |output| print_list(output, &list));
        }
        Webhook::Show { id } => {
            let found = client.get(&path(id))?.body;
            output.data(&found, |output| print_one(output, &found));
        }
        Webhook::Rotate { id } => print_secret(output, &client.post(&format!("{}/secret", path(id)), &json!({}))?.body),
        Webhook::End { id } => {
            let ended = client.delete(&path(id))?.body;
            output.data(&ended, |output| output.line(&format!("ended {id}")));
        }
        Webhook::Deliveries { id, state } => {
            let list = client
                .get(&format!("{}/deliveries?state={state}&limit=200", path(id)))?
                .body;
            output.data(&list, |output| print_deliveries(output, &list));
        }
        Webhook::Replay {
            id,
            from,
            to,
            delivered,
        } => {
            let mut body = json!({"delivered": delivered});
            for (field, value) in [("from", from), ("to", to)] {
                if let Some(value) = value {
                    body[field] = json!(value);
                }
            }
            let done = client.post(&format!("{}/replays", path(id)), &body)?.body;
            output.data(&done, |output| {
                output.line(&format!("{} are sent again", text_of(&done, "deliveries")));
            });
        }
    }
    Ok(0)
}

fn print_secret(output: &Output, made: &Value) {
    output.data(made, |output| {
        output.pairs(&[("id", text_of(made, "id")), ("secret", text_of(made, "secret"))]);
    });
    output.talk(&output.tone(Tone::Warn, "Keep the secret now: it is not shown again."));
}

fn print_list(output: &Output, list: &Value) {
    let row = |item: &Value| {
        ["id", "name", "kinds", "active", "url"]
            .iter()
            .map(|it| text_of(item, it))
            .collect()
    };
    let rows: Vec<Vec<String>> = array(list, "items").iter().map(row).collect();
    output.rows(&["id", "name", "kinds", "active", "url"], &rows);
}

fn print_one(output: &Output, found: &Value) {
    let mut pairs: Vec<(&str, String)> = ["name", "url", "kinds", "active"]
        .into_iter()
        .map(|field| (field, text_of(found, field)))
        .collect();
    let state = &found["state"];
    for field in ["delivered_at", "failing_since", "next_try_at", "last_error"] {
        let text = text_of(state, field);
        if !text.is_empty() {
            pairs.push((field, text));
        }
    }
    output.pairs(&pairs);
}

fn print_deliveries(output: &Output, list: &Value) {
    let row = |item: &Value| {
        ["index", "kind", "tries", "next_try_at", "ended_at", "last_error"]
            .iter()
            .map(|it| text_of(item, it))
            .collect()
    };
    let rows: Vec<Vec<String>> = array(list, "items").iter().map(row).collect();
    output.rows(&["index", "kind", "tries", "next try", "ended", "last error"], &rows);
}
