//! `assent board`: boards, the steps of an agenda, and the board pack. Agendas begin with `assent agenda add`.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::commands::audit::paper::save;
use crate::common::Common;
use crate::failure::{Failure, Result};
use crate::output::{Output, array, text_of};

/// Groups that decide at meetings (`assent agenda` plans agendas, `assent agenda-item` lists their items).
#[derive(Debug, Subcommand)]
pub enum Board {
    /// List boards.
    List,
    /// Freeze an agenda before its time.
    Freeze {
        /// The id of the agenda, which is that of its meeting.
        agenda: String,
    },
    /// Object to a decision by vote: the item is discussed at the meeting.
    Object {
        /// The id of the item.
        item: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Bring an item before the board, or give it more time.
    Turn {
        /// The id of the item.
        item: String,
        /// How many minutes more it gets.
        #[arg(long)]
        minutes: Option<i64>,
    },
    /// End a meeting and sign its minutes, as its chair.
    Sign {
        /// The id of the agenda.
        agenda: String,
    },
    /// List how the forecasts of a board's members came true.
    Scores {
        /// The board: a group's key.
        board: String,
    },
    /// Show the board pack of a month, or save it as a PDF.
    #[command(after_help = "Example: assent board pack 2026-10")]
    Pack {
        /// The month.
        month: String,
        /// Where to write the PDF, `-` for standard output.
        #[arg(short = 'o', long = "output", value_name = "FILE")]
        file: Option<String>,
    },
    /// Save the pack of a meeting as a PDF: its agenda with the risk and the conflicts of each change.
    #[command(after_help = "Example: assent board meeting-pack 01kb2m6w8e0000000000000000 -o board.pdf")]
    MeetingPack {
        /// The id of the agenda, which is that of its meeting.
        agenda: String,
        /// Where to write it, `-` for standard output.
        #[arg(short = 'o', long = "output", value_name = "FILE")]
        file: String,
    },
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(asked: &Board, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match asked {
        Board::List => rows(
            &client.get("/boards?limit=200")?.body,
            &["key", "name", "members", "next_at"],
            output,
        ),
        Board::Freeze { agenda } => {
            let done = client
                .post(&format!("/agendas/{}/freeze", encode(agenda)), &json!({}))?
                .body;
            output.data(&done, |output| {
                output.line(&format!("frozen, digest {}", text_of(&done, "digest")))
            });
        }
        Board::Object { item, reason } => {
            let path = format!("/agenda-items/{}/objections", encode(item));
            let done = client.post(&path, &json!({"reason": reason}))?.body;
            output.data(&done, |output| {
                output.line(&format!("{} is discussed at the meeting", text_of(&done, "change_key")));
            });
        }
        Board::Turn { item, minutes } => {
            let body = minutes.map_or_else(|| json!({}), |minutes| json!({"minutes": minutes}));
            let done = client
                .post(&format!("/agenda-items/{}/turns", encode(item)), &body)?
                .body;
            output.data(&done, |output| {
                output.line(&format!("{} is before the board", text_of(&done, "change_key")));
            });
        }
        Board::Sign { agenda } => {
            let done = client
                .post(&format!("/agendas/{}/signature", encode(agenda)), &json!({}))?
                .body;
            output.data(&done, |output| {
                output.line(&format!("signed, digest {}", text_of(&done, "minutes_digest")));
            });
        }
        Board::Scores { board } => rows(
            &client
                .get(&format!("/boards/{}/forecast-scores?limit=200", encode(board)))?
                .body,
            &["person", "given", "compared", "succeeded", "expected", "brier"],
            output,
        ),
        Board::Pack { month, file: None } => {
            pack(&client.get(&format!("/board-packs/{}", encode(month)))?.body, output);
        }
        Board::Pack {
            month,
            file: Some(file),
        } => pdf(&client, &format!("/board-packs/{}/file", encode(month)), file, output)?,
        Board::MeetingPack { agenda, file } => {
            pdf(&client, &format!("/agendas/{}/file", encode(agenda)), file, output)?;
        }
    }
    Ok(0)
}

fn pdf(client: &Client, path: &str, file: &str, output: &Output) -> Result<()> {
    let bytes = client.bytes(&format!("/api/v1{path}"))?;
    let bytes = bytes.ok_or_else(|| Failure::could_not("There is no such agenda.".to_owned()))?;
    save(file, &bytes, output)?;
    Ok(())
}

fn rows(list: &Value, heads: &[&str], output: &Output) {
    let row = |item: &Value| heads.iter().map(|name| text_of(item, name)).collect();
    let rows: Vec<Vec<String>> = array(list, "items").iter().map(row).collect();
    output.data(list, |output| output.rows(heads, &rows));
}

fn pack(pack: &Value, output: &Output) {
    output.data(pack, |output| {
        let heads = ["metric", "value", "hits", "of"];
        let row = |item: &Value| heads.iter().map(|name| text_of(item, name)).collect();
        let rows: Vec<Vec<String>> = array(pack, "figures").iter().map(row).collect();
        output.rows(&heads, &rows);
        for list in ["failures", "emergencies", "reviewed", "upcoming"] {
            output.line(&format!("{list}: {}", array(pack, list).len()));
        }
    });
}
