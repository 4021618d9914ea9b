//! `assent foreign-system` and `assent imported-change`: systems beside this one, how their decisions compare with the rules here, and
//! their past.

use clap::Subcommand;
use serde_json::json;
use wire::nouns as noun;

use crate::client::{Client, encode};
use crate::commands::platform::nouns::{Verbs, run_verb};
use crate::common::Common;
use crate::failure::{Result, read_text};
use crate::output::{Output, array, text_of};

/// External systems from which changes are imported.
#[derive(Debug, Subcommand)]
pub enum ForeignSystems {
    /// Add, list, change and end systems.
    #[command(flatten)]
    Verb(Verbs<noun::ForeignSystem>),
    /// Keep the credential of a system; the password or token is read from the file.
    #[command(after_help = "Example: assent foreign-system credential 0198… secret.txt --login assent")]
    Credential {
        /// The system's id, as `list` shows it.
        id: String,
        /// The file with the password or token, `-` for standard input.
        file: String,
        /// The login that the password belongs to; none for a token.
        #[arg(long)]
        login: Option<String>,
    },
    /// Compare its decisions with the rules here.
    #[command(after_help = "Example: assent foreign-system differences 0198… --difference would_let_go")]
    Differences {
        /// The system's id, as `list` shows it.
        id: String,
        /// Which changes are listed.
        #[arg(long, value_parser = ["same", "would_stop", "would_let_go", "not_judged", "undecided"], default_value = "would_stop")]
        difference: String,
        /// The id behind which the list goes on.
        #[arg(long)]
        after: Option<String>,
        /// How many changes are listed.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=200))]
        limit: i64,
    },
}

/// Changes of another system's past, imported as reported later.
#[derive(Debug, Subcommand)]
pub enum ImportedChanges {
    /// List and show them.
    #[command(flatten)]
    Verb(Verbs<noun::ImportedChange>),
    /// Import a table (CSV) or a JSON list; the same file again adds nothing.
    #[command(after_help = "Example: assent imported-change import servicenow past.csv --dry-run")]
    Import {
        /// The system that they come from, such as servicenow.
        source: String,
        /// The file, `-` for standard input.
        file: String,
        /// In which form it is.
        #[arg(long, value_parser = ["csv", "json"], default_value = "csv")]
        format: String,
        /// Write nothing, and tell what is wrong.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Runs a command about imported changes.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn imported(changes: &ImportedChanges, common: &Common, output: &Output) -> Result<u8> {
    match changes {
        ImportedChanges::Verb(verbs) => run_verb(verbs, common, output),
        ImportedChanges::Import {
            source,
            file,
            format,
            dry_run,
        } => {
            let body = json!({"source": source, "format": format, "text": read_text(file)?, "dry_run": dry_run});
            let told = Client::new(common)?.post("/history-imports", &body)?.body;
            let problems = array(&told, "problems");
            output.data(&told, |output| {
                let (added, known) = (text_of(&told, "added"), text_of(&told, "known"));
                output.line(&format!("{added} new, {known} imported before"));
                for problem in problems {
                    let (line, text) = (text_of(problem, "line"), text_of(problem, "text"));
                    output.line(&format!("line {line}: {text}"));
                }
            });
            Ok(u8::from(!problems.is_empty()))
        }
    }
}

/// Runs a command about systems beside this one.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(systems: &ForeignSystems, common: &Common, output: &Output) -> Result<u8> {
    match systems {
        ForeignSystems::Verb(verbs) => run_verb(verbs, common, output),
        ForeignSystems::Credential { id, file, login } => {
            let secret = read_text(file)?;
            let mut body = json!({"secret": secret.trim_end_matches(['\n', '\r'])});
            if let Some(login) = login {
                body["login"] = json!(login);
            }
            let path = format!("/foreign-systems/{}/credentials", encode(id));
            let kept = Client::new(common)?.post(&path, &body)?.body;
            output.data(&kept, |output| {
                output.line("the credential is kept, and the system is read")
            });
            Ok(0)
        }
        ForeignSystems::Differences {
            id,
            difference,
            after,
            limit,
        } => {
            let mut path = format!(
                "/foreign-systems/{}/differences?difference={difference}&limit={limit}",
                encode(id)
            );
            if let Some(after) = after {
                path.push_str(&format!("&after={}", encode(after)));
            }
            let report = Client::new(common)?.get(&path)?.body;
            output.data(&report, |output| {
                for word in ["same", "would_stop", "would_let_go", "not_judged", "undecided"] {
                    output.line(&format!("{word}: {}", text_of(&report, word)));
                }
                for change in array(&report, "changes") {
                    output.line(&format!(
                        "{}  {}",
                        text_of(change, "foreign_key"),
                        text_of(change, "why")
                    ));
                }
                if report["next"].is_string() {
                    output.line(&format!("more: --after {}", text_of(&report, "next")));
                }
            });
            Ok(0)
        }
    }
}
