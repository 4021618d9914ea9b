//! Absences and delegations of people.

use clap::Args;
use serde_json::json;

use crate::client::Client;
use crate::clock;
use crate::failure::Result;
use crate::output::{Output, text_of};

/// A delegation to make.
#[derive(Debug, Args)]
pub struct Delegate {
    /// Who speaks: a login.
    #[arg(long)]
    pub to: String,
    /// Whose right it is: a login; one's own unless said.
    #[arg(long)]
    pub of: Option<String>,
    /// Its start.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "now")]
    pub from: String,
    /// Its end.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: String,
    /// A part that is passed on, such as owner or group:ecab; all unless said.
    #[arg(long)]
    pub part: Vec<String>,
    /// Only while the other is away, or late with an answer.
    #[arg(long)]
    pub deputy: bool,
    /// Why.
    #[arg(long)]
    pub reason: Option<String>,
}

/// Records an absence.
pub(crate) fn away(client: &Client, login: Option<&String>, (from, to): (&str, &str), output: &Output) -> Result<u8> {
    let now = clock::now();
    let mut body = json!({
        "starts_at": clock::moment(from, now)?.to_string(), "ends_at": clock::moment(to, now)?.to_string(),
    });
    if let Some(login) = login {
        body["person"] = json!(login);
    }
    let made = client.post("/absences", &body)?.body;
    output.data(&made, |output| {
        output.line(&format!("{} is away", text_of(&made, "person")));
    });
    Ok(0)
}

/// Makes a delegation.
pub(crate) fn delegate(client: &Client, row: &Delegate, output: &Output) -> Result<u8> {
    let now = clock::now();
    let mut body = json!({
        "delegate": row.to, "parts": row.part, "deputy": row.deputy,
        "starts_at": clock::moment(&row.from, now)?.to_string(),
        "ends_at": clock::moment(&row.until, now)?.to_string(),
    });
    for (field, value) in [("delegator", &row.of), ("reason", &row.reason)] {
        if let Some(value) = value {
            body[field] = json!(value);
        }
    }
    let made = client.post("/delegations", &body)?.body;
    output.data(&made, |output| {
        output.line(&format!(
            "{} speaks for {}",
            text_of(&made, "delegate"),
            text_of(&made, "delegator")
        ))
    });
    Ok(0)
}
