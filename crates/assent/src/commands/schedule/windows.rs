//! `assent window`, and the code that freezes share with windows: spans of time that keep their id when they move.

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::client::{Client, encode};
use crate::clock;
use crate::common::Common;
use crate::failure::Result;
use crate::lists::list;
use crate::output::{Output, text_of};

/// Times in which work is welcome.
#[derive(Debug, Subcommand)]
pub enum Window {
    /// Set a maintenance window.
    #[command(
        after_help = "Example: assent window set --title 'Sunday night' --from 2026-11-29T22:00:00Z --to 2026-11-30T04:00:00Z"
    )]
    Set(WindowSet),
    /// Change a maintenance window.
    #[command(after_help = "Example: assent window edit 01J… --to +2h")]
    Edit(SpanEdit),
    /// List maintenance windows.
    List,
    /// Take a maintenance window back.
    End {
        /// The window's id, as `list` shows it.
        id: String,
    },
}

/// A maintenance window to set.
#[derive(Debug, Args)]
pub struct WindowSet {
    /// What it is called.
    #[arg(long)]
    pub title: String,
    /// Its start, such as `now` or 2026-11-29T22:00:00Z.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: String,
    /// Its end, such as +4h.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: String,
    /// A service that it is for; all unless said.
    #[arg(long)]
    pub service: Vec<String>,
    /// An environment that it is for; all unless said.
    #[arg(long)]
    pub environment: Vec<String>,
    /// How it repeats.
    #[command(flatten)]
    pub repeat: RepeatArgs,
}

/// How a window or a freeze repeats.
#[derive(Debug, Args)]
pub struct RepeatArgs {
    /// The rule by which each time begins (RFC 5545), such as `FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-3`.
    #[arg(long, value_name = "RULE")]
    pub rrule: Option<String>,
    /// How often, in a word.
    #[arg(long, value_name = "WORD", value_parser = ["daily", "weekly", "monthly", "quarterly", "yearly"])]
    pub repeats: Option<String>,
    /// The rule by which each time ends; without it each lasts as long as the first.
    #[arg(long, value_name = "RULE")]
    pub ends_rrule: Option<String>,
    /// The IANA zone of the rule; that of its calendar unless given.
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
    /// The calendar of which only working days count.
    #[arg(long, value_name = "CALENDAR")]
    pub working_days_of: Option<String>,
    /// The calendar whose fiscal months and years the rule means.
    #[arg(long, value_name = "CALENDAR")]
    pub fiscal_of: Option<String>,
    /// A local date that is left out; may be given several times.
    #[arg(long, value_name = "DATE")]
    pub except_on: Vec<String>,
    /// A time that is moved, as its local date by the rule, its start and its end, such as
    /// 2026-12-25/2026-12-28T18:00:00Z/2026-12-28T22:00:00Z; may be given several times.
    #[arg(long, value_name = "DATE/START/END")]
    pub moved: Vec<String>,
}

/// Moved times as the API takes them; the server names the missing parts.
fn moved_times(texts: &[String]) -> Value {
    let row = |text: &String| {
        let parts = ["date", "starts_at", "ends_at"].into_iter().zip(text.splitn(3, '/'));
        parts
            .map(|(name, part)| (name.to_owned(), json!(part)))
            .collect::<Map<String, Value>>()
    };
    texts.iter().map(row).collect()
}

impl RepeatArgs {
    /// Puts the given values into a request.
    pub(crate) fn put(&self, body: &mut Value) {
        for (name, value) in [
            ("rrule", &self.rrule),
            ("recurrence", &self.repeats),
            ("ends_rrule", &self.ends_rrule),
            ("time_zone", &self.time_zone),
            ("working_days_of", &self.working_days_of),
            ("fiscal_of", &self.fiscal_of),
        ] {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        }
        if !self.except_on.is_empty() {
            body["exdates"] = json!(self.except_on);
        }
        if !self.moved.is_empty() {
            body["overrides"] = moved_times(&self.moved);
        }
    }
}

/// What changes of a window or a freeze; the rest stays.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true))]
pub struct SpanEdit {
    /// Its id, as `list` shows it.
    pub id: String,
    /// What it is called.
    #[arg(long, group = "what")]
    pub title: Option<String>,
    /// Its start, such as `now` or 2026-12-28T00:00:00Z.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, group = "what")]
    pub from: Option<String>,
    /// Its end, such as +4h.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, group = "what")]
    pub to: Option<String>,
    /// The services it lies over, instead of those before; may be given several times.
    #[arg(long, group = "what", conflicts_with = "all_services")]
    pub service: Vec<String>,
    /// It lies over all services.
    #[arg(long, group = "what")]
    pub all_services: bool,
    /// The environments it lies over, instead of those before; may be given several times.
    #[arg(long, group = "what", conflicts_with = "all_environments")]
    pub environment: Vec<String>,
    /// It lies over all environments.
    #[arg(long, group = "what")]
    pub all_environments: bool,
    /// The single times that are moved, instead of those before, as DATE/START/END; may be given several times.
    #[arg(long, value_name = "DATE/START/END", group = "what")]
    pub moved: Vec<String>,
}

impl SpanEdit {
    pub(crate) fn body(&self) -> Result<Map<String, Value>> {
        let now = clock::now();
        let mut body = Map::new();
        if let Some(title) = &self.title {
            body.insert("title".to_owned(), json!(title));
        }
        for (field, time) in [("starts_at", &self.from), ("ends_at", &self.to)] {
            if let Some(time) = time {
                body.insert(field.to_owned(), json!(clock::moment(time, now)?.to_string()));
            }
        }
        for (field, keys, is_all) in [
            ("services", &self.service, self.all_services),
            ("environments", &self.environment, self.all_environments),
        ] {
            if is_all || !keys.is_empty() {
                body.insert(field.to_owned(), json!(keys));
            }
        }
        if !self.moved.is_empty() {
            body.insert("overrides".to_owned(), moved_times(&self.moved));
        }
        Ok(body)
    }
}

/// Changes a record of a list in its current version; a concurrent edit is not overwritten.
pub(crate) fn edit(client: &Client, output: &Output, one: &str, body: Map<String, Value>) -> Result<()> {
    let etag = client.get(one)?.etag.unwrap_or_default();
    let made = client.conditional("PATCH", one, &Value::Object(body), &etag)?.body;
    output.data(&made, |output| {
        let [id, from, to] = ["id", "starts_at", "ends_at"].map(|field| text_of(&made, field));
        output.line(&format!("changed {id}: {from} to {to}"));
    });
    Ok(())
}

/// Runs a command about maintenance windows.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn window(window: &Window, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let heads = [
        "id",
        "title",
        "starts_at",
        "ends_at",
        "services",
        "environments",
        "ended",
    ];
    match window {
        Window::Set(set) => {
            let now = clock::now();
            let mut body = json!({
                "title": set.title,
                "starts_at": clock::moment(&set.from, now)?.to_string(),
                "ends_at": clock::moment(&set.to, now)?.to_string(),
                "services": set.service,
                "environments": set.environment,
            });
            set.repeat.put(&mut body);
            let made = client.post("/windows", &body)?.body;
            output.data(&made, |output| output.line(&format!("set {}", text_of(&made, "id"))));
            output.next(&format!("assent window edit {} --to TIME", text_of(&made, "id")));
        }
        Window::Edit(wanted) => {
            edit(
                &client,
                output,
                &format!("/windows/{}", encode(&wanted.id)),
                wanted.body()?,
            )?;
        }
        Window::List => list(&client, output, "/windows", &heads)?,
        Window::End { id } => {
            let ended = client.delete(&format!("/windows/{}", encode(id)))?.body;
            output.data(&ended, |output| output.line(&format!("ended {id}")));
        }
    }
    Ok(0)
}
