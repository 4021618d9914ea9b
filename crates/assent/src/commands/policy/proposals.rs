//! Proposals of configurations: the missing approvals of one, and putting it in force.

use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::failure::Result;
use crate::output::{Output, clean, text_of};

/// Reports the approvals that a proposal waits for.
pub(crate) fn print_proposal(made: &Value, command: &str, output: &Output) {
    output.data(made, |output| {
        output.pairs(&[("proposed", text_of(made, "id")), ("digest", text_of(made, "digest"))]);
        output.line(&format!(
            "It comes into force when another person runs: assent {command} --activate {}",
            text_of(made, "id")
        ));
        output.line("or when you name an approved change whose target has this digest as its artifact.");
    });
}

/// Puts a proposal in force.
///
/// # Errors
/// The server's refusal.
pub(crate) fn activate(client: &Client, id: &str, change: Option<&str>, output: &Output) -> Result<u8> {
    show_content(client, id, output)?;
    let body = json!({"change": change});
    let made = client
        .post(&format!("/configurations/{}/activation", encode(id)), &body)?
        .body;
    output.data(&made, |output| {
        output.pairs(&[
            ("in force", text_of(&made, "digest")),
            ("before", text_of(&made, "before")),
            ("change", text_of(&made, "change_key")),
        ]);
    });
    Ok(0)
}

/// Shows people the content of a proposal of ownership before it is in force: the second person is responsible for all of it,
/// and its digest means nothing to them. Programs read it themselves.
fn show_content(client: &Client, id: &str, output: &Output) -> Result<()> {
    if output.is_json() {
        return Ok(());
    }
    let proposal = client.get(&format!("/configurations/{}", encode(id)))?.body;
    if text_of(&proposal, "kind") == "ownership" {
        let content = proposal["files"][0]["content"].as_str().unwrap_or_default();
        output.line(&clean(content));
    }
    Ok(())
}
