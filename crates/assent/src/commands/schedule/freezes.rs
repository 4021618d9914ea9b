//! `assent freeze`: times in which no change begins.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::clock;
use crate::commands::schedule::windows::{RepeatArgs, SpanEdit, edit};
use crate::common::Common;
use crate::failure::Result;
use crate::lists::list;
use crate::output::{Output, array, text_of};

/// Times in which no change begins.
#[derive(Debug, Subcommand)]
pub enum Freeze {
    /// Set a freeze.
    #[command(
        after_help = "Example: assent freeze set --title 'Quarter end' --from 2026-12-28T00:00:00Z --to 2027-01-04T00:00:00Z"
    )]
    Set(FreezeSet),
    /// Show what a freeze would hit, and set nothing.
    #[command(
        after_help = "Example: assent freeze preview --title 'Month end' --from 2026-12-29T18:00:00Z --to 2027-01-04T12:00:00Z"
    )]
    Preview(FreezeSet),
    /// Sign the agreement of a freeze's business owner, or decline it.
    Agree {
        /// The freeze's id.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Decline it instead.
        #[arg(long)]
        decline: bool,
    },
    /// Announce a freeze; it counts from now on.
    Announce {
        /// The freeze's id.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Show what a freeze hits that is set or proposed.
    Hits {
        /// The freeze's id.
        id: String,
    },
    /// Show what a freeze did: changes hit, exceptions, what passed.
    Report {
        /// The freeze's id.
        id: String,
    },
    /// Change a freeze; its exceptions stay, and the gate does not open in between.
    #[command(after_help = "Example: assent freeze edit 01J… --to 2027-01-06T00:00:00Z")]
    Edit(FreezeEdit),
    /// List freezes.
    List,
    /// Show the freezes ahead as sync windows of Argo CD, for `spec.syncWindows` of an AppProject.
    #[command(after_help = "Example: assent freeze sync-windows --environment production --json")]
    SyncWindows {
        /// Only of this environment.
        #[arg(long)]
        environment: Option<String>,
    },
    /// Propose to end a freeze; it stands until another person confirms.
    End {
        /// The freeze's id, as `list` shows it.
        id: String,
        /// Why it may end.
        #[arg(long)]
        reason: String,
    },
    /// Confirm that a freeze is ended or shortened.
    Confirm {
        /// The freeze's id.
        id: String,
    },
    /// Let one change pass one time of a freeze.
    Except {
        /// The freeze's id.
        id: String,
        /// The change's key.
        #[arg(long)]
        change: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// The start of the time, of a freeze that repeats; the one over the change's window unless said.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        time: Option<String>,
    },
    /// Let a change no longer pass a freeze.
    Withdraw {
        /// The freeze's id.
        id: String,
        /// The change's key.
        #[arg(long)]
        change: String,
    },
}

/// A freeze to set.
#[derive(Debug, Args)]
pub struct FreezeSet {
    /// What it is called.
    #[arg(long)]
    pub title: String,
    /// Its start, such as `now` or 2026-12-28T00:00:00Z.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: String,
    /// Its end, such as +4h.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: String,
    /// A service it lies over; all unless said.
    #[arg(long)]
    pub service: Vec<String>,
    /// An environment it lies over; all unless said.
    #[arg(long)]
    pub environment: Vec<String>,
    /// Also stop what is under way.
    #[arg(long)]
    pub halt: bool,
    /// Also stop the services that need those named: `dependants`, or `none`.
    #[arg(long, value_name = "REACH", value_parser = ["none", "dependants"])]
    pub reach: Option<String>,
    /// Why.
    #[arg(long)]
    pub reason: Option<String>,
    /// Who agrees for the business: a login. The freeze is proposed, and counts from its announcement on.
    #[arg(long, value_name = "LOGIN")]
    pub business_owner: Option<String>,
    /// Changes of this risk or less pass.
    #[arg(long, value_name = "RISK", value_parser = ["none", "low", "medium"])]
    pub thaw_risk: Option<String>,
    /// How it repeats.
    #[command(flatten)]
    pub repeat: RepeatArgs,
}

impl FreezeSet {
    fn body(&self) -> Result<Value> {
        let now = clock::now();
        let mut body = json!({
            "title": self.title,
            "starts_at": clock::moment(&self.from, now)?.to_string(),
            "ends_at": clock::moment(&self.to, now)?.to_string(),
            "services": self.service,
            "environments": self.environment,
            "halt": self.halt,
        });
        for (name, value) in [
            ("reach", &self.reach),
            ("reason", &self.reason),
            ("business_owner", &self.business_owner),
            ("thaw_risk", &self.thaw_risk),
        ] {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        }
        self.repeat.put(&mut body);
        Ok(body)
    }
}

/// Shows the changes that a freeze would hit.
///
/// # Errors
/// The server's refusal, or why the request failed.
fn preview(set: &FreezeSet, client: &Client, output: &Output) -> Result<()> {
    print_hits(&client.post("/freeze-previews", &set.body()?)?.body, output);
    Ok(())
}

fn print_hits(preview: &Value, output: &Output) {
    output.data(preview, |output| {
        let [hits, open] = ["hit_count", "open_count"].map(|field| text_of(preview, field));
        output.line(&format!("hits {hits} of {open} open changes"));
        for hit in array(preview, "hits") {
            let free = array(hit, "free_starts").iter().filter_map(Value::as_str);
            let free = free.collect::<Vec<_>>().join(", ");
            let [key, title, owner] = ["key", "title", "owner"].map(|field| text_of(hit, field));
            output.line(&format!("{key}  {title}  ({owner})  free: {free}"));
        }
    });
}

/// Lets one change pass one time of a freeze.
///
/// # Errors
/// The server's refusal, or why the request failed.
fn except(
    id: &str,
    (change, reason): (&str, &str),
    time: Option<&str>,
    (client, output): (&Client, &Output),
) -> Result<()> {
    let mut body = json!({"change": change, "reason": reason});
    if let Some(time) = time {
        body["time"] = json!(clock::moment(time, clock::now())?.to_string());
    }
    let freeze = client.post(&format!("/freezes/{}/exceptions", encode(id)), &body)?.body;
    output.data(&freeze, |output| {
        output.line(&format!("{change} may pass {}", text_of(&freeze, "title")))
    });
    Ok(())
}

/// Shows the effect of a freeze.
///
/// # Errors
/// The server's refusal, or why the request failed.
fn report(id: &str, client: &Client, output: &Output) -> Result<()> {
    let report = client.get(&format!("/freezes/{}/report", encode(id)))?.body;
    output.data(&report, |output| {
        let [stage, hit, stopped, moved] = ["stage", "hit", "stopped", "moved"].map(|field| text_of(&report, field));
        output.line(&format!("{stage}: {hit} hit, {stopped} stopped, {moved} moved"));
        let [excepted, passed, failed] =
            ["excepted", "let_through", "let_through_failed"].map(|field| text_of(&report, field));
        let expected = text_of(&report, "expected_failures");
        output.line(&format!(
            "{excepted} excepted; {passed} passed by their risk, {failed} failed, {expected} expected"
        ));
        for row in array(&report, "times") {
            let [from, until, passed, failed] =
                ["starts_at", "ends_at", "let_through", "let_through_failed"].map(|field| text_of(row, field));
            let expected = text_of(row, "expected_failures");
            output.line(&format!(
                "{from} to {until}: {passed} passed, {failed} failed, {expected} expected"
            ));
            for it in array(row, "exceptions") {
                let [key, by, reason, ended] = ["change", "by", "reason", "ended_at"].map(|field| text_of(it, field));
                let ended = if ended.is_empty() { "" } else { ", withdrawn" };
                output.line(&format!("  {key} excepted by {by}{ended}: {reason}"));
            }
        }
        for row in array(&report, "changes") {
            let [key, fate, title, reason] = ["key", "fate", "title", "reason"].map(|field| text_of(row, field));
            output.line(&format!("{key}  {fate}  {title}  {reason}"));
        }
    });
    Ok(())
}

/// What changes of a freeze.
#[derive(Debug, Args)]
pub struct FreezeEdit {
    /// What windows have as well.
    #[command(flatten)]
    pub span: SpanEdit,
    /// Whether it also stops what is under way.
    #[arg(long, group = "what")]
    pub halt: Option<bool>,
    /// Whether it also stops the services that need those named: `dependants`, or `none`.
    #[arg(long, value_name = "REACH", value_parser = ["none", "dependants"], group = "what")]
    pub reach: Option<String>,
    /// Why.
    #[arg(long, group = "what")]
    pub reason: Option<String>,
    /// Why it may cover less; another person confirms.
    #[arg(long)]
    pub edit_reason: Option<String>,
}

/// Changes a freeze.
///
/// # Errors
/// The server's refusal, or why the request failed.
fn edit_freeze(wanted: &FreezeEdit, client: &Client, output: &Output) -> Result<()> {
    let mut body = wanted.span.body()?;
    if let Some(halt) = wanted.halt {
        body.insert("halt".to_owned(), json!(halt));
    }
    for (name, value) in [("reach", &wanted.reach), ("reason", &wanted.reason)] {
        if let Some(value) = value {
            body.insert(name.to_owned(), json!(value));
        }
    }
    if let Some(reason) = &wanted.edit_reason {
        body.insert("edit_reason".to_owned(), json!(reason));
    }
    edit(client, output, &format!("/freezes/{}", encode(&wanted.span.id)), body)
}

/// Sets or proposes a freeze.
///
/// # Errors
/// The server's refusal, or why the request failed.
fn set_freeze(set: &FreezeSet, client: &Client, output: &Output) -> Result<()> {
    let made = client.post("/freezes", &set.body()?)?.body;
    let id = text_of(&made, "id");
    let (done, next) = match set.business_owner.is_some() {
        true => (
            "proposed",
            format!("the business owner: assent freeze agree {id} --reason TEXT"),
        ),
        false => ("set", format!("assent freeze end {id} --reason TEXT")),
    };
    output.data(&made, |output| output.line(&format!("{done} {id}")));
    output.next(&next);
    Ok(())
}

/// Runs a command about freezes.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn freeze(freeze: &Freeze, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let heads = [
        "id",
        "title",
        "starts_at",
        "ends_at",
        "services",
        "environments",
        "halt",
        "ended",
    ];
    match freeze {
        Freeze::Set(set) => set_freeze(set, &client, output)?,
        Freeze::Preview(set) => preview(set, &client, output)?,
        Freeze::Hits { id } => print_hits(&client.get(&format!("/freezes/{}/preview", encode(id)))?.body, output),
        Freeze::Report { id } => report(id, &client, output)?,
        Freeze::Agree { id, reason, decline } => {
            let decision = if *decline { "decline" } else { "agree" };
            let body = json!({"decision": decision, "reason": reason});
            let signed = client.post(&format!("/freezes/{}/agreement", encode(id)), &body)?.body;
            output.data(&signed, |output| output.line(&format!("signed {decision} {id}")));
            output.next(&match decline {
                true => format!("whoever proposed it: assent freeze edit {id}, or assent freeze end {id}"),
                false => format!("a change manager: assent freeze announce {id} --reason TEXT"),
            });
        }
        Freeze::Announce { id, reason } => {
            let path = format!("/freezes/{}/announcement", encode(id));
            let signed = client.post(&path, &json!({"reason": reason}))?.body;
            output.data(&signed, |output| output.line(&format!("announced {id}")));
            output.next(&format!("assent freeze report {id}"));
        }
        Freeze::Edit(wanted) => edit_freeze(wanted, &client, output)?,
        Freeze::List => list(&client, output, "/freezes", &heads)?,
        Freeze::SyncWindows { environment } => sync_windows(&client, environment.as_deref(), output)?,
        Freeze::End { id, reason } => {
            let path = format!("/freezes/{}", encode(id));
            let proposed = client.delete_with(&path, &json!({"reason": reason}))?.body;
            output.data(&proposed, |output| output.line(&format!("proposed to end {id}")));
            output.next(&format!("another person: assent freeze confirm {id}"));
        }
        Freeze::Confirm { id } => {
            let path = format!("/freezes/{}/confirmation", encode(id));
            let freeze = client.post(&path, &json!({}))?.body;
            output.data(&freeze, |output| output.line(&format!("confirmed {id}")));
        }
        Freeze::Except {
            id,
            change,
            reason,
            time,
        } => except(id, (change, reason), time.as_deref(), (&client, output))?,
        Freeze::Withdraw { id, change } => {
            let path = format!("/freezes/{}/exceptions/{}", encode(id), encode(change));
            let freeze = client.delete(&path)?.body;
            output.data(&freeze, |output| {
                output.line(&format!("{change} may pass {} no more", text_of(&freeze, "title")))
            });
        }
    }
    Ok(0)
}

/// Shows the freezes ahead as sync windows of Argo CD.
fn sync_windows(client: &Client, environment: Option<&str>, output: &Output) -> Result<()> {
    let path = match environment {
        Some(key) => format!("/argocd/sync-windows?environment={}", encode(key)),
        None => "/argocd/sync-windows".to_owned(),
    };
    let shown = client.get(&path)?.body;
    output.data(&shown, |output| {
        for window in array(&shown, "sync_windows") {
            let applications: Vec<&str> = array(window, "applications").iter().filter_map(Value::as_str).collect();
            output.line(&format!(
                "{} for {}: {}",
                text_of(window, "schedule"),
                text_of(window, "duration"),
                applications.join(", ")
            ));
        }
    });
    Ok(())
}
