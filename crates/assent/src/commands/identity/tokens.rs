//! `assent token`: credentials for programs.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::clock;
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, Tone, array, text_of};

/// Credentials for programs.
#[derive(Debug, Subcommand)]
pub enum Token {
    /// Make a token; it is shown once.
    #[command(
        after_help = "Example: assent token create --name 'release pipeline' --person pipeline --scope gate --expires +90d"
    )]
    Create {
        /// What it is for.
        #[arg(long)]
        name: String,
        /// Whose rights it has: a login; your own unless said.
        #[arg(long, value_name = "LOGIN")]
        person: Option<String>,
        /// What it may do; may be given several times.
        #[arg(long, value_name = "SCOPE", value_parser = ["read", "write", "gate", "audit", "admin", "scim"])]
        scope: Vec<String>,
        /// Which of the person's roles it carries; may be given several times, all of them unless said.
        #[arg(long, value_name = "ROLE")]
        role: Vec<String>,
        /// Until when it is good, such as +90d; a year unless said.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        expires: Option<String>,
    },
    /// List tokens.
    List,
    /// Revoke a token.
    Revoke {
        /// The token's id, as `list` shows it.
        id: String,
    },
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(token: &Token, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match token {
        Token::Create {
            name,
            person,
            scope,
            role,
            expires,
        } => {
            let mut body = json!({"name": name});
            if let Some(person) = person {
                body["person"] = json!(person);
            }
            if !scope.is_empty() {
                body["scopes"] = json!(scope);
            }
            if !role.is_empty() {
                body["roles"] = json!(role);
            }
            if let Some(expires) = expires {
                body["expires_at"] = json!(clock::moment(expires, clock::now())?.to_string());
            }
            let made = client.post("/tokens", &body)?.body;
            print_made(output, &made);
        }
        Token::List => {
            let list = client.get("/tokens?limit=200")?.body;
            output.data(&list, |output| print_list(output, &list));
        }
        Token::Revoke { id } => {
            let gone = client.delete(&format!("/tokens/{}", encode(id)))?.body;
            output.data(&gone, |output| output.line(&format!("revoked {id}")));
        }
    }
    Ok(0)
}

fn print_made(output: &Output, made: &Value) {
    let secret = ["token", "secret"]
        .into_iter()
        .map(|name| text_of(made, name))
        .find(|text| !text.is_empty());
    output.data(made, |output| output.line(&secret.unwrap_or_default()));
    output.talk(&output.tone(Tone::Warn, "Keep it now: it is not shown again."));
    output.next("export ASSENT_TOKEN=…, then assent change list");
}

fn print_list(output: &Output, list: &Value) {
    let row = |item: &Value| {
        let state = if item.get("revoked").and_then(Value::as_bool) == Some(true) {
            "revoked"
        } else {
            "good"
        };
        let mut row: Vec<String> = ["id", "name", "person", "scopes", "last_used_at", "expires_at"]
            .iter()
            .map(|it| text_of(item, it))
            .collect();
        row.push(state.to_owned());
        row
    };
    let rows: Vec<Vec<String>> = array(list, "items").iter().map(row).collect();
    output.rows(
        &["id", "name", "person", "scopes", "last used", "expires", "state"],
        &rows,
    );
}
