//! `assent change bulk`: one act on several changes. The result for each change is shown first; then the act is performed on
//! the changes that allow it.

use clap::Args;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::Result;
use crate::output::{Output, Tone, array, text_of};

/// One act on several changes.
#[derive(Debug, Args)]
pub struct Bulk {
    /// The act.
    #[arg(value_parser = ["approve", "acknowledge", "watch", "hold", "cancel"])]
    pub act: String,
    /// The changes' keys, at most 50.
    #[arg(required = true, value_name = "KEY")]
    pub keys: Vec<String>,
    /// Why, for hold and cancel; of an approval, the comment.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Only tell what each will answer.
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs it; the exit code is 1 when a change refused.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub(super) fn run(client: &Client, bulk: &Bulk, output: &Output) -> Result<u8> {
    let rows: Vec<Value> = bulk.keys.iter().map(|key| json!({"key": key})).collect();
    let tried = send_bulk(client, bulk, &rows, true)?;
    if bulk.dry_run {
        print_found(&tried, output);
        return Ok(u8::from(tried["refused"] != 0));
    }
    // The act covers exactly the content that was shown: the digests are those of the trial.
    let able = array(&tried, "items").iter().filter(|row| row["result"] == "able");
    let rows: Vec<Value> = able
        .map(|row| json!({"key": row["key"], "content_digest": row["content_digest"]}))
        .collect();
    if rows.is_empty() {
        print_found(&tried, output);
        return Ok(1);
    }
    let mut done = send_bulk(client, bulk, &rows, false)?;
    let refused: Vec<Value> = array(&tried, "items")
        .iter()
        .filter(|row| row["result"] == "refused")
        .cloned()
        .collect();
    let count = done["refused"].as_u64().unwrap_or_default() + u64::try_from(refused.len()).unwrap_or_default();
    done["refused"] = json!(count);
    if let Some(items) = done["items"].as_array_mut() {
        items.extend(refused);
    }
    print_found(&done, output);
    Ok(u8::from(count > 0))
}

fn send_bulk(client: &Client, bulk: &Bulk, rows: &[Value], is_trial: bool) -> Result<Value> {
    let mut body = json!({"act": bulk.act, "changes": rows, "dry_run": is_trial});
    if let Some(reason) = &bulk.reason {
        body["reason"] = json!(reason);
    }
    Ok(client.post("/changes/bulk", &body)?.body)
}

fn print_found(told: &Value, output: &Output) {
    output.data(told, |output| {
        for row in array(told, "items") {
            let problem = &row["problem"];
            let why = array(problem, "unmet")
                .first()
                .or_else(|| array(problem, "errors").first());
            let why = why.map_or_else(|| text_of(problem, "detail"), |row| text_of(row, "text"));
            let (tone, word) = match row["result"].as_str() {
                Some("refused") => (Tone::Bad, "refused"),
                Some("able") => (Tone::Good, "would be done"),
                _ => (Tone::Good, "done"),
            };
            let line = format!(
                "{} {} {}",
                text_of(row, "key"),
                output.tone(tone, word),
                text_of(row, "title")
            );
            output.line(line.trim_end());
            if !why.is_empty() {
                output.line(&format!("  - {why} ({})", text_of(problem, "code")));
            }
        }
    });
}
