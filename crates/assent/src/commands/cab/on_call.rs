//! `assent on-call`: the members of a board on call.

use clap::Subcommand;
use serde_json::json;

use crate::client::{Client, encode};
use crate::clock;
use crate::common::Common;
use crate::failure::{Result, read_text};
use crate::lists::list;
use crate::output::{Output, text_of};

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
    /// Take the times of a group on call in from an iCalendar file. They replace those of the import before.
    #[command(after_help = "Example: assent on-call import platform duty.ics")]
    Import {
        /// The group's key.
        group: String,
        /// The file, `-` for standard input. The title of each event has the login or the name of one member.
        file: String,
    },
    /// List times on call.
    List,
    /// End a time on call.
    End {
        /// Its id, as `list` shows it.
        id: String,
    },
}

/// Runs a command about who is on call.
///
/// # Errors
/// The server's refusal, or why the request failed.
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
        OnCall::Import { group, file } => {
            let body = json!({"group": group, "text": read_text(file)?});
            let made = client.post("/on-call/imports", &body)?.body;
            let counts = ["added", "known", "ended", "left_out"].map(|name| text_of(&made, name));
            output.data(&made, |output| {
                let [added, known, ended, left_out] = &counts;
                output.line(&format!(
                    "{added} added, {known} known, {ended} ended, {left_out} left out"
                ));
            });
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
