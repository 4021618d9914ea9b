//! `assent audit paper`: working papers of audit samples.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, encode, query};
use crate::common::Common;
use crate::failure::{Failure, Result};
use crate::output::{Output, array, text_of};

/// The working paper of an audit sample.
#[derive(Debug, Subcommand)]
pub enum Paper {
    /// List the changes of a sample, with the exceptions that the log names and the conclusions.
    #[command(after_help = "Example: assent audit paper show 01kaqxyz")]
    Show {
        /// The id of the sample.
        sample: String,
    },
    /// Review a conclusion of another auditor.
    #[command(after_help = "Example: assent audit paper review 01kaqabc")]
    Review {
        /// The id of the conclusion.
        conclusion: String,
    },
    /// Sign the working paper; each change has a reviewed conclusion by then.
    #[command(after_help = "Example: assent audit paper sign 01kaqxyz")]
    Sign {
        /// The id of the sample.
        sample: String,
    },
    /// Export the working paper with the bundle of each change.
    #[command(after_help = "Example: assent audit paper export 01kaqxyz -o paper.zip")]
    Export {
        /// The id of the sample.
        sample: String,
        /// Where to write it, `-` for standard output.
        #[arg(short, long, value_name = "FILE")]
        output: String,
    },
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(asked: &Paper, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match asked {
        Paper::Show { sample } => show(&client, sample, output)?,
        Paper::Review { conclusion } => {
            let path = format!("/audit-conclusions/{}/review", encode(conclusion));
            let done = client.post(&path, &json!({}))?.body;
            output.data(&done, |output| {
                output.line(&format!("{} reviewed", text_of(&done, "change")))
            });
        }
        Paper::Sign { sample } => {
            let path = format!("/audit-samples/{}/signature", encode(sample));
            let done = client.post(&path, &json!({}))?.body;
            output.data(&done, |output| {
                output.line(&format!("signed {}", text_of(&done, "paper_digest")))
            });
        }
        Paper::Export { sample, output: file } => export(&client, sample, file, output)?,
    }
    Ok(0)
}

fn show(client: &Client, sample: &str, output: &Output) -> Result<()> {
    let (mut items, mut after) = (Vec::new(), None::<String>);
    loop {
        let query = query(&[("limit", Some("100")), ("after", after.as_deref())]);
        let page = client
            .get(&format!("/audit-samples/{}/items{query}", encode(sample)))?
            .body;
        items.extend(array(&page, "items").iter().cloned());
        after = page["next"].as_str().map(str::to_owned);
        if after.is_none() {
            break;
        }
    }
    let row = |item: &Value| {
        let exceptions = array(item, "answers")
            .iter()
            .filter(|it| it["is_exception"] == true)
            .map(|it| text_of(it, "rule"));
        let exceptions: Vec<String> = exceptions.collect();
        vec![
            text_of(item, "change"),
            exceptions.join(", "),
            text_of(item, "verdict"),
            text_of(item, "is_reviewed"),
        ]
    };
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    output.data(&json!({"items": items}), |output| {
        output.rows(&["change", "exceptions in the log", "conclusion", "reviewed"], &rows);
    });
    Ok(())
}

fn export(client: &Client, sample: &str, file: &str, output: &Output) -> Result<()> {
    let bytes = client.bytes(&format!("/api/v1/audit-samples/{}/export", encode(sample)))?;
    let bytes = bytes.ok_or_else(|| Failure::Refused {
        status: 404,
        problem: json!({"code": "not_found", "detail": format!("There is no sample {sample} here.")}),
    })?;
    save(file, &bytes, output)
}

/// Writes an exported file, `-` for standard output.
pub(in crate::commands) fn save(file: &str, bytes: &[u8], output: &Output) -> Result<()> {
    if file == "-" {
        output.bytes(bytes);
        return Ok(());
    }
    std::fs::write(file, bytes).map_err(|error| Failure::could_not(format!("`{file}` cannot be written: {error}.")))?;
    let value = json!({"file": file, "bytes": bytes.len()});
    output.data(&value, |output| output.line(&format!("{file}  {} bytes", bytes.len())));
    Ok(())
}
