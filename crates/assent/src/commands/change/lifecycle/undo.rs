//! `assent change undo`: the end of a planned undo; `assent change ready`: one's team is ready. The values for security
//! questions that `assent change assess` takes are here as well.

use clap::Args;
use serde_json::{Value, json};

use super::path;
use crate::client::Client;
use crate::clock;
use crate::failure::Result;
use crate::output::Output;

/// How the planned undo ended.
#[derive(Debug, Args)]
#[command(after_help = "Example: assent change undo CHG-1042 --text 'Writes go through again'")]
pub struct Undo {
    /// The change's key.
    key: String,
    /// What you saw, or why it is called off.
    #[arg(long)]
    text: Option<String>,
    /// When it was done, such as 2026-11-21T04:00:00Z or -10m; now unless said.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    /// It is not undone: the owner or a change manager calls it off.
    #[arg(long, requires = "text", conflicts_with = "at")]
    off: bool,
}

/// Records the end of the undo.
pub(super) fn run(client: &Client, undo: &Undo, output: &Output) -> Result<()> {
    let mut body = json!({"done": !undo.off});
    if let Some(text) = &undo.text {
        body["text"] = json!(text);
    }
    if let Some(at) = &undo.at {
        body["occurred_at"] = json!(clock::moment(at, clock::now())?.to_string());
    }
    let change = client.post(&path(&undo.key, "/undo"), &body)?.body;
    let done = if undo.off {
        "has its undo called off"
    } else {
        "is undone as planned"
    };
    output.data(&change, |output| output.line(&format!("{} {done}", undo.key)));
    Ok(())
}

/// Whether one's team is ready for the planned start.
#[derive(Debug, Args)]
#[command(after_help = "Example: assent change ready CHG-1042")]
pub struct Ready {
    /// The change's key.
    key: String,
    /// Take it back: the team is not ready.
    #[arg(long)]
    not: bool,
}

/// Reports that the caller's team is ready.
pub(super) fn send_ready(client: &Client, ready: &Ready, output: &Output) -> Result<()> {
    let body = json!({"ready": !ready.not});
    let change = client.post(&path(&ready.key, "/readiness"), &body)?.body;
    let word = if ready.not { "not ready" } else { "ready" };
    output.data(&change, |output| {
        output.line(&format!("your team is {word} for {}", ready.key));
    });
    Ok(())
}

/// Values as `question=no` or `question=yes: what exactly`, in the API's form.
pub(super) fn answers_of(given: &[String]) -> Value {
    let one = |pair: &String| {
        let (question, said) = pair.split_once('=').unwrap_or((pair, ""));
        let (word, text) = said.split_once(':').unwrap_or((said, ""));
        let mut answer = json!({"question": question.trim(), "yes": word.trim()});
        if let Some(yes) = match word.trim() {
            "yes" => Some(true),
            "no" => Some(false),
            // The server reports the error of anything else.
            _ => None,
        } {
            answer["yes"] = json!(yes);
        }
        if !text.trim().is_empty() {
            answer["text"] = json!(text.trim());
        }
        answer
    };
    given.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_says_what_exactly_and_other_words_reach_the_server_as_they_are() {
        let given = ["open_ports=no", "secrets=yes: a new key", "rights=perhaps"].map(str::to_owned);
        let wanted = json!([
            {"question": "open_ports", "yes": false},
            {"question": "secrets", "yes": true, "text": "a new key"},
            {"question": "rights", "yes": "perhaps"},
        ]);
        assert_eq!(answers_of(&given), wanted);
    }
}
