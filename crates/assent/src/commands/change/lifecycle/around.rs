//! The records of a change: comments, evidence, tasks, links, conditions, checklist, permits.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::acts::print_item;
use super::{path, show};
use crate::client::{Client, encode};
use crate::commands::gate::build::Build;
use crate::failure::{Failure, Result, SecretFile, read_file};
use crate::output::{Output, text_of};

/// Evidence.
#[derive(Debug, Subcommand)]
pub enum Evidence {
    /// Add evidence: a file, or a note.
    #[command(
        after_help = "Example: assent change evidence add CHG-1042 --kind junit --aspect functional --environment staging \\\n           \
        --artifact sha256:… --file target/junit.xml"
    )]
    Add {
        /// The change's key.
        key: String,
        /// What kind of file it is.
        #[arg(long, value_parser = ["junit", "sarif", "cyclonedx", "in_toto", "file", "note", "waiver"])]
        kind: String,
        /// Which question it answers.
        #[arg(long, value_parser = ["functional", "compatibility", "security", "backup", "rehearsal", "other"])]
        aspect: Option<String>,
        /// What it says, where its kind does not tell.
        #[arg(long, value_parser = ["passed", "failed", "informational", "unknown"])]
        result: Option<String>,
        /// A name for people.
        #[arg(long)]
        name: Option<String>,
        /// Where it was gained.
        #[arg(long)]
        environment: Option<String>,
        /// The artifact that was tested.
        #[arg(long, value_name = "DIGEST")]
        artifact: Option<String>,
        /// What you read in it; of a note, the note.
        #[arg(long)]
        text: Option<String>,
        /// The file, `-` for standard input.
        #[arg(long, value_name = "FILE")]
        file: Option<String>,
    },
    /// List evidence.
    List {
        /// The change's key.
        key: String,
    },
    /// Accept evidence although it failed.
    Accept {
        /// The change's key.
        key: String,
        /// The evidence's id.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// Work given to somebody.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Give work to somebody.
    Add {
        /// The change's key.
        key: String,
        /// What is to be done.
        title: String,
        /// Which step it holds.
        #[arg(long, value_parser = ["prepare", "test", "implement", "verify"])]
        kind: String,
        /// Who does it.
        #[arg(long, value_name = "LOGIN")]
        assignee: Option<String>,
        /// A task that comes first; may be given several times.
        #[arg(long, value_name = "ID")]
        after: Vec<String>,
        /// It holds its step while open: what every task does unless it is optional.
        #[arg(long, conflicts_with = "optional")]
        mandatory: bool,
        /// It holds nothing.
        #[arg(long)]
        optional: bool,
    },
    /// List tasks.
    List {
        /// The change's key.
        key: String,
    },
    /// Say that a task is done.
    Done {
        /// The change's key.
        key: String,
        /// The task's id.
        id: String,
        /// What came of it.
        #[arg(long)]
        text: Option<String>,
    },
    /// Drop a task.
    Drop {
        /// The change's key.
        key: String,
        /// The task's id.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// Links.
#[derive(Debug, Subcommand)]
pub enum Link {
    /// Link to a change or an incident.
    Add {
        /// The change's key.
        key: String,
        /// How they relate.
        #[arg(long, value_parser = ["parent_of", "depends_on", "follows_up", "replaces", "fixes", "caused", "in_release"])]
        kind: String,
        /// The other's key.
        to: String,
    },
    /// List links.
    List {
        /// The change's key.
        key: String,
    },
    /// Take a link away.
    Remove {
        /// The change's key.
        key: String,
        /// The link's id, as `list` shows it.
        id: String,
    },
}

/// Conditions of approvals.
#[derive(Debug, Subcommand)]
pub enum Condition {
    /// List conditions.
    List {
        /// The change's key.
        key: String,
    },
    /// Say that a condition is met.
    Met {
        /// The change's key.
        key: String,
        /// The condition's id.
        id: String,
        /// What you saw.
        #[arg(long)]
        text: Option<String>,
    },
}

/// The checklist.
#[derive(Debug, Subcommand)]
pub enum Checklist {
    /// List the items.
    List {
        /// The change's key.
        key: String,
    },
    /// Tick an item.
    Tick {
        /// The change's key.
        key: String,
        /// The item's id.
        id: String,
        /// What you saw.
        #[arg(long)]
        text: Option<String>,
    },
    /// Agree that the change may go without an item, as an owner or as security.
    Waive {
        /// The change's key.
        key: String,
        /// The item's id.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Have the probe of an item asked at once.
    Probe {
        /// The change's key.
        key: String,
        /// The item's id.
        id: String,
    },
}

fn set(fields: &[(&str, Option<&str>)]) -> Map<String, Value> {
    fields
        .iter()
        .filter_map(|(name, value)| Some(((*name).to_owned(), json!((*value)?))))
        .collect()
}

fn list(client: &Client, key: &str, rest: &str, heads: &[&str], output: &Output) -> Result<()> {
    let (items, next) = show::pages(client, &path(key, rest), &[], 10_000)?;
    let row = |item: &Value| heads.iter().map(|head| cell(item, head)).collect();
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    output.data(&json!({"items": items, "next": next}), |output| {
        output.rows(heads, &rows)
    });
    Ok(())
}

/// A field as a table shows it. A report on an item, such as that it is done, is shown by person and time.
fn cell(item: &Value, head: &str) -> String {
    match item.get(head) {
        Some(said @ Value::Object(_)) => format!("{} {}", text_of(said, "by"), text_of(said, "at")),
        _ => text_of(item, head),
    }
}

fn add(client: &Client, key: &str, rest: &str, body: &Value, done: &str, output: &Output) -> Result<()> {
    let item = client.post(&path(key, rest), body)?.body;
    print_item(output, key, &item, done);
    Ok(())
}

/// Comments.
pub(super) fn comment(client: &Client, key: &str, text: &str, output: &Output) -> Result<()> {
    add(client, key, "/comments", &json!({"text": text}), "commented", output)
}

/// Watches, or stops watching.
pub(super) fn watch(client: &Client, key: &str, stop: bool, output: &Output) -> Result<()> {
    let at = path(key, "/watchers");
    // It moves no ETag, so the present version is meant.
    let answer = match stop {
        true => client.delete(&at)?.body,
        false => client.conditional("PUT", &at, &json!({}), "*")?.body,
    };
    let done = if stop { "no longer watched" } else { "watched" };
    output.data(&answer, |output| output.line(&format!("{key} {done}")));
    Ok(())
}

/// Evidence.
pub(super) fn evidence(client: &Client, evidence: &Evidence, output: &Output) -> Result<()> {
    match evidence {
        Evidence::List { key } => list(
            client,
            key,
            "/evidence",
            &["id", "kind", "aspect", "result", "environment", "name", "at"],
            output,
        ),
        Evidence::Accept { key, id, reason } => {
            let rest = format!("/evidence/{}/acceptance", encode(id));
            add(
                client,
                key,
                &rest,
                &json!({"reason": reason}),
                "accepts the evidence",
                output,
            )
        }
        Evidence::Add {
            key,
            kind,
            aspect,
            result,
            name,
            environment,
            artifact,
            text,
            file,
        } => {
            let file_name = file.as_deref().map(|path| path.rsplit('/').next().unwrap_or(path));
            let fields = set(&[
                ("kind", Some(kind)),
                ("aspect", aspect.as_deref()),
                ("result", result.as_deref()),
                ("name", name.as_deref().or(file_name)),
                ("environment", environment.as_deref()),
                ("artifact", artifact.as_deref()),
                ("text", text.as_deref()),
            ]);
            let Some(file) = file else {
                return add(
                    client,
                    key,
                    "/evidence",
                    &Value::Object(fields),
                    "has the evidence",
                    output,
                );
            };
            let parts: Vec<(&str, String)> = fields
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default().to_owned()))
                .collect();
            let name = file_name.unwrap_or("evidence");
            let item = client
                .upload(&path(key, "/evidence"), &parts, name, &read_file(file)?)?
                .body;
            print_item(output, key, &item, "has the evidence");
            Ok(())
        }
    }
}

/// Tasks.
pub(super) fn task(client: &Client, task: &Task, output: &Output) -> Result<()> {
    match task {
        Task::List { key } => list(
            client,
            key,
            "/tasks",
            &["id", "kind", "state", "assignee", "mandatory", "title"],
            output,
        ),
        Task::Add {
            key,
            title,
            kind,
            assignee,
            after,
            mandatory: _,
            optional,
        } => {
            let mut body = set(&[
                ("title", Some(title)),
                ("kind", Some(kind)),
                ("assignee", assignee.as_deref()),
            ]);
            body.insert("mandatory".to_owned(), json!(!optional));
            if !after.is_empty() {
                body.insert("depends_on".to_owned(), json!(after));
            }
            add(client, key, "/tasks", &Value::Object(body), "has the task", output)
        }
        Task::Done { key, id, text } => {
            let body = set(&[("state", Some("done")), ("text", text.as_deref())]);
            move_task(client, key, id, body, output)
        }
        Task::Drop { key, id, reason } => move_task(
            client,
            key,
            id,
            set(&[("state", Some("dropped")), ("text", Some(reason))]),
            output,
        ),
    }
}

fn move_task(client: &Client, key: &str, id: &str, body: Map<String, Value>, output: &Output) -> Result<()> {
    // The task itself has no ETag; the change's is sent for servers that require one.
    let etag = client.get(&path(key, ""))?.etag.unwrap_or_else(|| "*".to_owned());
    let at = path(key, &format!("/tasks/{}", encode(id)));
    let change = client.conditional("PATCH", &at, &Value::Object(body), &etag)?.body;
    output.data(&change, |output| output.line(&format!("{key} task {id} moved on")));
    Ok(())
}

/// Links.
pub(super) fn link(client: &Client, link: &Link, output: &Output) -> Result<()> {
    match link {
        Link::List { key } => list(client, key, "/links", &["id", "kind", "to", "by", "at"], output),
        Link::Remove { key, id } => {
            let ended = client.delete(&path(key, &format!("/links/{}", encode(id))))?.body;
            output.data(&ended, |output| output.line(&format!("{key} has the link no more")));
            Ok(())
        }
        Link::Add { key, kind, to } => add(
            client,
            key,
            "/links",
            &json!({"kind": kind, "to": to}),
            "linked",
            output,
        ),
    }
}

/// Conditions.
pub(super) fn condition(client: &Client, condition: &Condition, output: &Output) -> Result<()> {
    match condition {
        Condition::List { key } => list(
            client,
            key,
            "/conditions",
            &["id", "due", "checker", "met", "text", "lapsed"],
            output,
        ),
        Condition::Met { key, id, text } => {
            let body = Value::Object(set(&[("text", text.as_deref())]));
            add(
                client,
                key,
                &format!("/conditions/{}/met", encode(id)),
                &body,
                "has its condition met",
                output,
            )
        }
    }
}

/// The checklist.
pub(super) fn checklist(client: &Client, checklist: &Checklist, output: &Output) -> Result<()> {
    match checklist {
        Checklist::List { key } => list(client, key, "/checklist", &["id", "kind", "done", "title"], output),
        Checklist::Waive { key, id, reason } => {
            let body = json!({"reason": reason});
            let path = format!("/checklist/{}/waiver", encode(id));
            add(client, key, &path, &body, "has a yes to go without the item", output)
        }
        Checklist::Probe { key, id } => {
            let path = format!("/checklist/{}/probe", encode(id));
            add(client, key, &path, &json!({}), "has the probe asked", output)
        }
        Checklist::Tick { key, id, text } => {
            let body = Value::Object(set(&[("text", text.as_deref())]));
            add(
                client,
                key,
                &format!("/checklist/{}/tick", encode(id)),
                &body,
                "has the item ticked",
                output,
            )
        }
    }
}

/// A permit ahead of the window.
pub(super) fn permit(client: &Client, key: &str, build: &Build, file: &str, output: &Output) -> Result<()> {
    // Opened first: a permit that could not be kept would have to be revoked.
    let kept = SecretFile::open(file)?;
    let mut item = client.post(&path(key, "/permits"), &Value::Object(build.body()))?.body;
    let token = text_of(&item, "permit");
    if token.is_empty() {
        return Err(Failure::could_not("The answer holds no permit."));
    }
    let output = output.beside(Some(file));
    // As JSON the item itself brings it to standard output.
    if file != "-" || !output.is_json() {
        kept.write(format!("{token}\n").as_bytes())?;
        item["permit"] = json!(file);
    }
    let place = if file == "-" { "standard output" } else { file };
    output.data(&item, |output| output.line(&format!("{key} permit in {place}")));
    Ok(())
}
