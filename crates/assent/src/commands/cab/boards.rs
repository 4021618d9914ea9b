//! `assent board`: boards, the steps of an agenda, and the board pack. Agendas begin with `assent agenda add`.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::Result;
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
    /// Show the board pack of a month.
    #[command(after_help = "Example: assent board pack 2026-10")]
    Pack {
        /// The month.
        month: String,
    },
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
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
        Board::Pack { month } => pack(&client.get(&format!("/board-packs/{}", encode(month)))?.body, output),
    }
    Ok(0)
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
