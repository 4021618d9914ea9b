//! How and when a person is notified.

use clap::Args;
use serde_json::json;

use crate::client::{Client, encode};
use crate::failure::{Failure, Result};
use crate::output::{Output, text_of};

/// How a person is told.
#[derive(Debug, Args)]
pub struct PreferencesCommand {
    /// The person's login.
    pub login: String,
    /// Each matter at once.
    #[arg(long, conflicts_with = "digest")]
    pub at_once: bool,
    /// One letter a day, at this time in the person's zone.
    #[arg(long, value_name = "HH:MM")]
    pub digest: Option<String>,
    /// No letter between these times; without it there are no quiet hours.
    #[arg(long, value_name = "HH:MM-HH:MM")]
    pub quiet: Option<String>,
    /// The language of pages and letters, `en` or `de`; without it, what the browser asks for.
    #[arg(long, value_name = "TAG")]
    pub language: Option<String>,
    /// The time zone of pages and letters, such as Europe/Oslo; without it, it stays.
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
    /// The clock by which times are written, `24` or `12`; without it, 24 hours.
    #[arg(long, value_name = "HOURS", value_parser = ["24", "12"])]
    pub clock: Option<String>,
    /// How close rows stand on pages, `comfortable` or `compact`; without it, comfortable.
    #[arg(long, value_name = "WORD", value_parser = ["comfortable", "compact"])]
    pub density: Option<String>,
    /// Get the planned times of your changes by mail, as invitations for a calendar program.
    #[arg(long)]
    pub invitations: bool,
}

/// Shows a person's wishes, or sets them when some are named.
pub(crate) fn show_or_set(client: &Client, wishes: &PreferencesCommand, output: &Output) -> Result<u8> {
    let path = format!("/people/{}/telling", encode(&wishes.login));
    let mut body = json!({"how": if wishes.digest.is_some() { "digest" } else { "at_once" }});
    if let Some(at) = &wishes.digest {
        body["digest_at"] = json!(at);
    }
    if let Some(quiet) = &wishes.quiet {
        let Some((from, until)) = quiet.split_once('-') else {
            return Err(Failure::could_not(format!(
                "`{quiet}` is no span of the day, such as 22:00-07:00."
            )));
        };
        body["quiet_from"] = json!(from);
        body["quiet_until"] = json!(until);
    }
    let words = [
        ("language", &wishes.language),
        ("zone", &wishes.zone),
        ("clock", &wishes.clock),
        ("density", &wishes.density),
    ];
    for (field, said) in words {
        if let Some(said) = said {
            body[field] = json!(said);
        }
    }
    if wishes.invitations {
        body["has_invitations"] = json!(true);
    }
    let is_set = wishes.at_once
        || wishes.digest.is_some()
        || wishes.quiet.is_some()
        || words.iter().any(|(_, said)| said.is_some())
        || wishes.invitations;
    let told = if is_set {
        let etag = client.get(&path)?.etag.unwrap_or_default();
        client.conditional("PUT", &path, &body, &etag)?.body
    } else {
        client.get(&path)?.body
    };
    let heads = [
        "person",
        "how",
        "digest_at",
        "quiet_from",
        "quiet_until",
        "language",
        "has_invitations",
        "zone",
        "clock",
        "density",
    ];
    let pairs: Vec<(&str, String)> = heads
        .iter()
        .filter(|head| told.get(**head).is_some())
        .map(|head| (*head, text_of(&told, head)))
        .collect();
    output.data(&told, |output| output.pairs(&pairs));
    Ok(0)
}
