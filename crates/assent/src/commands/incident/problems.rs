//! `assent problem`, `assent incident-review` and `assent record-link`: recurring faults, reviews, and links between records.

use clap::Subcommand;
use serde_json::{Value, json};
use wire::nouns as noun;

use crate::client::{Client, encode};
use crate::clock;
use crate::commands::platform::nouns::{Verbs, run_verb};
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// Problems: failures that recur, and the changes that fix them.
#[derive(Debug, Subcommand)]
pub enum Problem {
    /// Record, list and show problems.
    #[command(flatten)]
    Verb(Verbs<noun::ProblemRecord>),
    /// Look for failures that recur now.
    Search,
    /// Accept a proposed problem, which drafts its fix.
    #[command(after_help = "Example: assent problem accept PRB-101")]
    Accept {
        /// The problem.
        #[arg(value_name = "KEY")]
        key: String,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Dismiss a proposed or an open problem.
    #[command(after_help = "Example: assent problem dismiss PRB-101 --reason 'Three exercises'")]
    Dismiss {
        /// The problem.
        #[arg(value_name = "KEY")]
        key: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Draft the fix of an open problem without one.
    Fix {
        /// The problem.
        #[arg(value_name = "KEY")]
        key: String,
    },
    /// Judge the fix: the problem is closed, or open again.
    #[command(after_help = "Example: assent problem judge PRB-101 --helped --reason 'Quiet for a month'")]
    Judge {
        /// The problem.
        #[arg(value_name = "KEY")]
        key: String,
        /// The fix helped; without this it did not.
        #[arg(long)]
        helped: bool,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// Post-incident reviews.
#[derive(Debug, Subcommand)]
pub enum Review {
    /// Write, list and show reviews.
    #[command(flatten)]
    Verb(Verbs<noun::IncidentReview>),
    /// Print the review of an incident as Markdown, with all that is known.
    #[command(after_help = "Example: assent incident-review export INC-101 > review.md")]
    Export {
        /// The incident.
        #[arg(value_name = "KEY")]
        key: String,
    },
    /// Add an action to the review of an incident.
    #[command(after_help = "Example: assent incident-review action INC-101 'Bound the queue' --owner olga --due +14d")]
    Action {
        /// The incident.
        #[arg(value_name = "KEY")]
        key: String,
        /// What is to be done.
        title: String,
        /// Who does it: a login.
        #[arg(long)]
        owner: String,
        /// Until when, such as +14d.
        #[arg(long, value_name = "TIME")]
        due: String,
    },
}

/// Links between records.
#[derive(Debug, Subcommand)]
pub enum RecordLink {
    /// Add, list, show, change and end links.
    #[command(flatten)]
    Verb(Verbs<noun::RecordLink>),
    /// List the links of a record, as it shows them.
    #[command(after_help = "Example: assent record-link of INC-101")]
    Of {
        /// The record: a key, the id of a deployment, or a reference such as jira:OPS-7.
        #[arg(value_name = "KEY")]
        key: String,
    },
    /// List the edits of a link.
    History {
        /// The link's id.
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// Runs a command about problems.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn problem(problem: &Problem, common: &Common, output: &Output) -> Result<u8> {
    let post = |path: String, body: Value| -> Result<Value> { Ok(Client::new(common)?.post(&path, &body)?.body) };
    let path = |key: &str, rest: &str| format!("/problems/{}/{rest}", encode(key));
    let decided = |key: &str, accepted: bool, reason: &Option<String>| {
        let mut body = json!({"accepted": accepted});
        if let Some(reason) = reason {
            body["reason"] = json!(reason);
        }
        post(path(key, "decisions"), body)
    };
    let answer = match problem {
        Problem::Verb(verbs) => return run_verb(verbs, common, output),
        Problem::Search => {
            let found = post("/problem-searches".to_owned(), json!({}))?;
            output.data(&found, |output| {
                let row = |it: &Value| vec![text_of(it, "key"), text_of(it, "state"), text_of(it, "title")];
                let rows: Vec<Vec<String>> = array(&found, "items").iter().map(row).collect();
                output.rows(&["problem", "state", "title"], &rows);
            });
            return Ok(0);
        }
        Problem::Accept { key, reason } => decided(key, true, reason)?,
        Problem::Dismiss { key, reason } => decided(key, false, &Some(reason.clone()))?,
        Problem::Fix { key } => post(path(key, "fixes"), json!({}))?,
        Problem::Judge { key, helped, reason } => {
            post(path(key, "judgements"), json!({"helped": helped, "reason": reason}))?
        }
    };
    output.data(&answer, |output| {
        output.pairs(&[
            ("problem", text_of(&answer, "key")),
            ("state", text_of(&answer, "state")),
            ("fix", text_of(&answer, "fix")),
        ]);
    });
    Ok(0)
}

/// Runs a command about reviews of incidents.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn review(review: &Review, common: &Common, output: &Output) -> Result<u8> {
    match review {
        Review::Verb(verbs) => run_verb(verbs, common, output),
        Review::Export { key } => {
            let path = format!("/incident-reviews/{}/draft", encode(key));
            let found = Client::new(common)?.get(&path)?.body;
            output.data(&found, |output| output.line(&text_of(&found, "markdown")));
            Ok(0)
        }
        Review::Action { key, title, owner, due } => {
            let due_at = clock::moment(due, clock::now())?;
            let body = json!({"title": title, "owner": owner, "due_at": due_at.to_string()});
            let path = format!("/incident-reviews/{}/actions", encode(key));
            let made = Client::new(common)?.post(&path, &body)?.body;
            output.data(&made, |output| output.line(&text_of(&made, "key")));
            Ok(0)
        }
    }
}

/// Runs a command about links between records.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn record_link(link: &RecordLink, common: &Common, output: &Output) -> Result<u8> {
    match link {
        RecordLink::Verb(verbs) => run_verb(verbs, common, output),
        RecordLink::Of { key } => {
            let found = Client::new(common)?
                .get(&format!("/record-links/of/{}", encode(key)))?
                .body;
            output.data(&found, |output| {
                let row = |it: &Value| {
                    vec![
                        text_of(it, "reads"),
                        text_of(&it["other"], "key"),
                        text_of(&it["link"], "origin"),
                        text_of(&it["link"], "confidence_ppm"),
                        text_of(&it["link"], "reason"),
                        text_of(&it["link"], "id"),
                    ]
                };
                let rows: Vec<Vec<String>> = array(&found, "items").iter().map(row).collect();
                output.rows(&["reads", "record", "origin", "confidence", "why", "link"], &rows);
            });
            Ok(0)
        }
        RecordLink::History { id } => {
            let found = Client::new(common)?
                .get(&format!("/record-links/{}/history", encode(id)))?
                .body;
            output.data(&found, |output| {
                let row = |it: &Value| vec![text_of(it, "at"), text_of(it, "kind"), text_of(it, "index")];
                let rows: Vec<Vec<String>> = array(&found, "items").iter().map(row).collect();
                output.rows(&["at", "event", "index"], &rows);
            });
            Ok(0)
        }
    }
}
