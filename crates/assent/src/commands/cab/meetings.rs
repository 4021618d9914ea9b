//! `assent meeting`: boards that decide at a meeting.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::clock;
use crate::common::Common;
use crate::failure::Result;
use crate::lists::list;
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

/// Runs a command about meetings.
///
/// # Errors
/// The server's refusal, or why the request failed.
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
            print_attendance(&seen, output);
        }
        Meeting::Leave { id } => {
            let seen = client.delete(&format!("/meetings/{}/attendance", encode(id)))?.body;
            print_attendance(&seen, output);
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

fn print_attendance(seen: &Value, output: &Output) {
    let there = array(seen, "attendees").iter().filter(|row| row["left_at"].is_null());
    let there = there.count();
    output.data(seen, |output| output.line(&format!("{there} are there")));
}
