//! `assent meeting` and `assent on-call`: boards that decide at a meeting.

use clap::Subcommand;
use serde_json::{Value, json};

use super::estate::list;
use crate::common::Common;
use crate::client::{Client, encode};
use crate::clock;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// Meetings of boards.
#[derive(Debug, Subcommand)]
pub enum Meeting {
    /// Open a meeting.
    #[command(after_help = "Example: assent meeting open cab --title 'Tuesday'")]
    Open {
        /// The board: a group's key.
        group: String,
        /// What it is called.
        #[arg(long)]
        title: String,
        /// From when it sits.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "now")]
        from: String,
    },
    /// List meetings.
    List,
    /// Say that you are there.
    Attend {
        /// The meeting's id, as `list` shows it.
        id: String,
    },
    /// Say that you are there no more.
    Leave {
        /// The meeting's id.
        id: String,
    },
    /// Declare a conflict of interest of your own about a change.
    #[command(after_help = "Example: assent meeting conflict 0198… --change CHG-1042 --reason 'I own the supplier'")]
    Conflict {
        /// The meeting's id.
        id: String,
        /// The change's key.
        #[arg(long)]
        change: String,
        /// Which interest.
        #[arg(long)]
        reason: String,
    },
    /// End a meeting.
    End {
        /// The meeting's id.
        id: String,
    },
}

/// Who of a board is on call.
#[derive(Debug, Subcommand)]
pub enum OnCall {
    /// Say that a member of a board is on call.
    #[command(after_help = "Example: assent on-call set ecab olga --from now --to +12h")]
    Set {
        /// The board: a group's key.
        group: String,
        /// The member's login.
        person: String,
        /// Its start.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "now")]
        from: String,
        /// Its end.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        to: String,
    },
    /// List times on call.
    List,
    /// End a time on call.
    End {
        /// Its id, as `list` shows it.
        id: String,
    },
}

/// Looks from outside at the work of small teams.
#[derive(Debug, Subcommand)]
pub enum Look {
    /// Record that you looked, and what you saw.
    #[command(after_help = "Example: assent look record outside --text 'Four changes, each approved by the other.'")]
    Record {
        /// The group of those who look from outside.
        group: String,
        /// What you saw.
        #[arg(long)]
        text: String,
    },
    /// List looks.
    List,
}

/// Runs a command about looks from outside.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn look(look: &Look, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match look {
        Look::Record { group, text } => {
            let made = client
                .post("/outside-looks", &json!({"group": group, "text": text}))?
                .body;
            let count = array(&made, "changes").len();
            output.data(&made, |output| output.line(&format!("recorded, about {count} changes")));
        }
        Look::List => list(&client, output, "/outside-looks", &["at", "group", "by", "text"])?,
    }
    Ok(0)
}

/// Runs a command about meetings.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn meeting(meeting: &Meeting, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match meeting {
        Meeting::Open { group, title, from } => {
            let starts_at = clock::moment(from, clock::now())?.to_string();
            let made = client.post(
                "/meetings",
                &json!({"group": group, "title": title, "starts_at": starts_at}),
            )?;
            output.data(&made.body, |output| {
                output.line(&format!("opened {}", text_of(&made.body, "id")));
            });
            output.next(&format!("assent meeting attend {}", text_of(&made.body, "id")));
        }
        Meeting::List => {
            let heads = ["id", "group", "title", "starts_at", "ended_at"];
            list(&client, output, "/meetings", &heads)?;
        }
        Meeting::Attend { id } => {
            let seen = client
                .post(&format!("/meetings/{}/attendance", encode(id)), &json!({}))?
                .body;
            tell_who_is_there(&seen, output);
        }
        Meeting::Leave { id } => {
            let seen = client.delete(&format!("/meetings/{}/attendance", encode(id)))?.body;
            tell_who_is_there(&seen, output);
        }
        Meeting::Conflict { id, change, reason } => {
            let body = json!({"change": change, "reason": reason});
            let seen = client.post(&format!("/meetings/{}/conflicts", encode(id)), &body)?.body;
            output.data(&seen, |output| output.line(&format!("you have no say in {change}")));
        }
        Meeting::End { id } => {
            let ended = client.delete(&format!("/meetings/{}", encode(id)))?.body;
            output.data(&ended, |output| output.line("the meeting is over"));
        }
    }
    Ok(0)
}

fn tell_who_is_there(seen: &Value, output: &Output) {
    let there = array(seen, "attendees").iter().filter(|row| row["left_at"].is_null());
    let there = there.count();
    output.data(seen, |output| output.line(&format!("{there} are there")));
}

/// Runs a command about who is on call.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn on_call(row: &OnCall, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match row {
        OnCall::Set {
            group,
            person,
            from,
            to,
        } => {
            let now = clock::now();
            let body = json!({
                "group": group, "person": person,
                "starts_at": clock::moment(from, now)?.to_string(), "ends_at": clock::moment(to, now)?.to_string(),
            });
            let made = client.post("/on-call", &body)?.body;
            output.data(&made, |output| output.line(&format!("{person} is on call for {group}")));
        }
        OnCall::List => {
            let heads = ["id", "group", "person", "starts_at", "ends_at"];
            list(&client, output, "/on-call", &heads)?;
        }
        OnCall::End { id } => {
            let ended = client.delete(&format!("/on-call/{}", encode(id)))?.body;
            output.data(&ended, |output| output.line("it is over"));
        }
    }
    Ok(0)
}
