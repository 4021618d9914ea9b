//! `assent access`: reviews of access, begun by administrators of people and signed by managers; reports on rights and
//! break-glass.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::clock;
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// Access reviews.
#[derive(Debug, Subcommand)]
pub enum Access {
    /// Ask each manager to look at the rights of their people.
    #[command(after_help = "Example: assent access begin --due +14d")]
    Begin {
        /// Until when managers sign.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "+14d")]
        due: String,
    },
    /// Show when reviews begin by themselves, or set how often.
    #[command(after_help = "Example: assent access schedule --every half_year")]
    Schedule {
        /// How often; `quarter` unless somebody says otherwise.
        #[arg(long, value_parser = ["month", "quarter", "half_year", "year", "never"])]
        every: Option<String>,
    },
    /// List rights that nobody used of late, each with the request that would narrow them.
    #[command(after_help = "Example: assent access unused --days 90")]
    Unused {
        /// How many days without use are too many.
        #[arg(long, default_value_t = 90)]
        days: i64,
    },
    /// List rights that should not lie in one hand. Answers 1 if there are any.
    Conflicts,
    /// List break-glasses, newest first, with the budgets of their teams.
    Glasses,
    /// List the parts of reviews; managers see their own.
    List,
    /// Show a part with its rights, each by its number.
    Show {
        /// Its id, as `list` shows it.
        id: String,
    },
    /// Sign one's part: what is refused is taken away at once. It needs a fresh factor (--as).
    #[command(
        after_help = "Example: assent access sign 0199… --refuse 3 --refuse 7 --reason 'They moved on.' --as acme/mona"
    )]
    Sign {
        /// Its id, as `list` shows it.
        id: String,
        /// The number of a right that is taken away; may be given several times.
        #[arg(long, value_name = "NUMBER")]
        refuse: Vec<i64>,
        /// Why; needed where something is refused.
        #[arg(long)]
        reason: Option<String>,
    },
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(access: &Access, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match access {
        Access::Begin { due } => {
            let due_at = clock::moment(due, clock::now())?.to_string();
            let begun = client.post("/access-reviews", &json!({"due_at": due_at}))?.body;
            output.data(&begun, |output| {
                for part in array(&begun, "items") {
                    let count = array(part, "rights").len();
                    let who = text_of(part, "manager");
                    output.line(&format!("{}  {who} looks at {count} rights", text_of(part, "id")));
                }
            });
        }
        Access::Schedule { every } => {
            let path = "/access-review-schedule";
            let told = match every {
                Some(every) => {
                    let etag = client.get(path)?.etag.unwrap_or_default();
                    client.conditional("PUT", path, &json!({"every": every}), &etag)?.body
                }
                None => client.get(path)?.body,
            };
            output.data(&told, |output| {
                output.line(&format!(
                    "every {}, next {}",
                    text_of(&told, "every"),
                    text_of(&told, "next_at")
                ));
            });
        }
        Access::Unused { days } => unused(&client, output, *days)?,
        Access::Conflicts => return conflicts(&client, output),
        Access::Glasses => glasses(&client, output)?,
        Access::List => {
            let list = client.get("/access-reviews?limit=200")?.body;
            let heads = ["id", "manager", "due_at", "signed_at"];
            let row = |item: &Value| heads.iter().map(|head| text_of(item, head)).collect();
            let rows: Vec<Vec<String>> = array(&list, "items").iter().map(row).collect();
            output.data(&list, |output| output.rows(&heads, &rows));
        }
        Access::Show { id } => {
            let part = client.get(&format!("/access-reviews/{}", encode(id)))?.body;
            let heads = ["row", "person", "kind", "what", "scope"];
            let row = |item: &Value| heads.iter().map(|head| text_of(item, head)).collect();
            let rows: Vec<Vec<String>> = array(&part, "rights").iter().map(row).collect();
            output.data(&part, |output| output.rows(&heads, &rows));
        }
        Access::Sign { id, refuse, reason } => {
            let body = json!({"refused": refuse, "reason": reason});
            let signed = client
                .post(&format!("/access-reviews/{}/signature", encode(id)), &body)?
                .body;
            output.data(&signed, |output| {
                let count = array(&signed, "rights").len();
                output.line(&format!("signed: {} of {count} rights taken away", refuse.len()));
            });
        }
    }
    Ok(0)
}

/// Rights that nobody used, each with the request that would take it away.
fn unused(client: &Client, output: &Output, days: i64) -> Result<()> {
    let told = client.get(&format!("/rights/unused?days={days}"))?.body;
    let row = |item: &Value| {
        let request = &item["proposal"];
        vec![
            text_of(item, "person"),
            joined_values(item, "unused"),
            text_of(item, "kind"),
            item["token"]["name"]
                .as_str()
                .map_or_else(|| text_of(item, "place"), str::to_owned),
            match request.is_null() {
                true => format!("nothing: {}", text_of(item, "kept")),
                false => format!("{} {}", text_of(request, "method"), text_of(request, "path")),
            },
        ]
    };
    let rows: Vec<Vec<String>> = array(&told, "items").iter().map(row).collect();
    output.data(&told, |output| {
        output.rows(&["person", "unused", "kind", "of", "narrowed by"], &rows)
    });
    Ok(())
}

/// People with conflicting duties; 1 where there is anybody.
fn conflicts(client: &Client, output: &Output) -> Result<u8> {
    let list = client.get("/rights/conflicts")?.body;
    let row = |item: &Value| {
        vec![
            text_of(item, "person"),
            joined_values(item, "rights"),
            text_of(item, "place"),
            text_of(item, "why"),
        ]
    };
    let rows: Vec<Vec<String>> = array(&list, "items").iter().map(row).collect();
    output.data(&list, |output| {
        output.rows(&["person", "rights", "place", "why"], &rows)
    });
    Ok(u8::from(!rows.is_empty()))
}

/// The values of a list in one cell.
fn joined_values(item: &Value, field: &str) -> String {
    let words: Vec<&str> = array(item, field).iter().filter_map(Value::as_str).collect();
    words.join(" ")
}

fn glasses(client: &Client, output: &Output) -> Result<()> {
    let list = client.get("/break-glasses?limit=200")?.body;
    let row = |item: &Value| {
        let over = item["over_budget"] == true;
        vec![
            text_of(item, "change_key"),
            text_of(item, "by"),
            text_of(item, "at"),
            text_of(item, "team"),
            format!(
                "{} of {}{}",
                item["number"],
                item["budget"],
                if over { ", over the budget" } else { "" }
            ),
        ]
    };
    let rows: Vec<Vec<String>> = array(&list, "items").iter().rev().map(row).collect();
    output.data(&list, |output| {
        output.rows(&["change", "by", "at", "team", "used"], &rows)
    });
    Ok(())
}
