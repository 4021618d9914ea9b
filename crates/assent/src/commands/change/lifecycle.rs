//! `assent change`: the lifecycle from a terminal. Each act has its own route; the response is printed the same way.

mod acts;
mod around;
mod bulk;
mod card;
mod content;
mod review;
mod show;
mod undo;

use clap::{ArgGroup, Args, Subcommand};

use crate::client::{Client, encode};
use crate::commands::gate::build::Build;
use crate::common::Common;
use crate::failure::Result;
use crate::output::Output;

pub use around::{Checklist, Condition, Evidence, Link, Task};
pub use content::Content;
pub use undo::{Ready, Undo};

/// Work on changes.
#[derive(Debug, Subcommand)]
pub enum Change {
    /// Make a change.
    #[command(
        after_help = "Example: assent change new --title 'Move booking to 4.2' --service booking-api --environment production \\\n           \
        --artifact sha256:… --complexity low --from 2026-12-01T22:00:00Z --to 2026-12-01T23:00:00Z --step 'Roll out' --rollback-step 'Roll back'"
    )]
    New(Box<Content>),
    /// Show a change.
    Show {
        /// The change's key.
        key: String,
    },
    /// List changes.
    #[command(after_help = "Example: assent change list --state authorizing,approved --service booking-api")]
    List(List),
    /// Edit a change. Only what is named changes; covered content voids the approvals it touches.
    #[command(
        after_help = "Example: assent change edit CHG-1042 --title 'Move booking to 4.2.1' --artifact sha256:…\n\
        --artifact and --commit alone go to every target where all have the same build; else give --service and --environment too."
    )]
    Edit {
        /// The change's key.
        key: String,
        /// The content to change.
        #[command(flatten)]
        content: Box<Content>,
        /// Fields to clear.
        #[arg(long, value_name = "FIELD")]
        clear: Vec<String>,
        /// The ETag to hold the edit to; the present one unless said.
        #[arg(long, value_name = "ETAG")]
        if_match: Option<String>,
    },
    /// Set the planned times.
    #[command(
        after_help = "Example: assent change schedule CHG-1042 --from 2026-12-01T22:00:00Z --to 2026-12-01T23:00:00Z"
    )]
    Schedule {
        /// The change's key.
        key: String,
        /// The planned start.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        from: String,
        /// The planned end.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        to: String,
    },
    /// Do one act to several changes: what each will answer is told first, then it is done to those that can.
    #[command(after_help = "Example: assent change bulk hold CHG-1042 CHG-1043 --reason 'The vendor called' --dry-run")]
    Bulk(bulk::Bulk),
    /// Do an act of the lifecycle.
    #[command(flatten)]
    Act(acts::Act),
    /// Comment.
    Comment {
        /// The change's key.
        key: String,
        /// What to say.
        text: String,
    },
    /// Be told of what happens to it, or no longer.
    Watch {
        /// The change's key.
        key: String,
        /// Stop watching.
        #[arg(long)]
        stop: bool,
    },
    /// Evidence: add it, list it, accept failed evidence.
    #[command(subcommand)]
    Evidence(Evidence),
    /// Work given to somebody.
    #[command(subcommand)]
    Task(Task),
    /// Links to other changes and incidents.
    #[command(subcommand)]
    Link(Link),
    /// Conditions of approvals.
    #[command(subcommand)]
    Condition(Condition),
    /// The checklist.
    #[command(subcommand)]
    Checklist(Checklist),
    /// Say that the planned undo is done, or call it off.
    Undo(Undo),
    /// Say that your team is ready for the planned start, where a rule asks.
    Ready(Ready),
    /// Show all that is still unmet before each next step, and whom it waits for.
    Requirements {
        /// The change's key.
        key: String,
    },
    /// Show the timeline.
    Events {
        /// The change's key.
        key: String,
    },
    /// Show the log of actions.
    Entries {
        /// The change's key.
        key: String,
    },
    /// Show the decisions.
    Approvals {
        /// The change's key.
        key: String,
    },
    /// Show the review that is drafted from what is known: times, incidents, permits, messages.
    ReviewDraft {
        /// The change's key.
        key: String,
    },
    /// Export the change with its proofs; `assent audit verify` checks it.
    #[command(
        after_help = "Example: assent change bundle CHG-1042 -o CHG-1042.zip && assent audit verify CHG-1042.zip"
    )]
    Bundle {
        /// The change's key.
        key: String,
        /// Where to write it.
        #[arg(short, long, value_name = "FILE")]
        output: String,
    },
    /// Get a permit ahead of the window, where a policy grants it.
    #[command(group = ArgGroup::new("build").required(true).args(["artifact", "commit"]))]
    Permit {
        /// The change's key.
        key: String,
        /// What goes where.
        #[command(flatten)]
        build: Build,
        /// Where to write it, readable by its owner alone.
        #[arg(short, long, value_name = "FILE")]
        output: String,
    },
}

/// Which changes to list.
#[derive(Debug, Args)]
pub struct List {
    /// Only these states, separated by commas.
    #[arg(long)]
    pub state: Option<String>,
    /// Only this kind.
    #[arg(long)]
    pub kind: Option<String>,
    /// Only with a target of this service.
    #[arg(long)]
    pub service: Option<String>,
    /// Only with a target in this environment.
    #[arg(long)]
    pub environment: Option<String>,
    /// Only with a target of this artifact.
    #[arg(long, value_name = "DIGEST")]
    pub artifact: Option<String>,
    /// Only with a target of this commit; its first seven digits suffice.
    #[arg(long, value_name = "SHA")]
    pub commit: Option<String>,
    /// Only with this outcome of the whole: `failed`, `rolled_back` …; several with commas.
    #[arg(long)]
    pub outcome: Option<String>,
    /// Only this risk level.
    #[arg(long)]
    pub risk: Option<String>,
    /// Only of this owner.
    #[arg(long, value_name = "LOGIN")]
    pub owner: Option<String>,
    /// Only of this team.
    #[arg(long)]
    pub team: Option<String>,
    /// Only of this requester.
    #[arg(long, value_name = "LOGIN")]
    pub requester: Option<String>,
    /// Only with these words.
    #[arg(short, long, value_name = "WORDS")]
    pub q: Option<String>,
    /// Planned to end after this.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub planned_from: Option<String>,
    /// Planned to start before this.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub planned_to: Option<String>,
    /// With an outcome, and ended at or after this.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub ended_from: Option<String>,
    /// With an outcome, and ended before this.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub ended_to: Option<String>,
    /// The order: `number`, `planned_start`, `updated_at`, `risk` or `outcome`; with `-` before it downwards.
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true)]
    pub sort: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
}

/// The path of a change, with the rest of the path.
pub(crate) fn path(key: &str, rest: &str) -> String {
    format!("/changes/{}{rest}", encode(key))
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(change: &Change, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match change {
        Change::New(content) => content::create(&client, content, output)?,
        Change::Edit {
            key,
            content,
            clear,
            if_match,
        } => {
            content::edit(&client, key, content, clear, if_match.as_deref(), output)?;
        }
        Change::Schedule { key, from, to } => acts::schedule(&client, key, from, to, output)?,
        Change::Bulk(bulk) => return bulk::run(&client, bulk, output),
        Change::Act(act) => acts::run(&client, act, output)?,
        Change::Show { key } => show::show(&client, key, output)?,
        Change::List(list) => show::list(&client, list, output)?,
        Change::Requirements { key } => show::requirements(&client, key, output)?,
        Change::Events { key } => show::events(&client, key, output)?,
        Change::Entries { key } => show::entries(&client, key, output)?,
        Change::Approvals { key } => show::approvals(&client, key, output)?,
        Change::ReviewDraft { key } => show::review_draft(&client, key, output)?,
        Change::Bundle { key, output: file } => show::bundle(&client, key, file, output)?,
        Change::Comment { key, text } => around::comment(&client, key, text, output)?,
        Change::Watch { key, stop } => around::watch(&client, key, *stop, output)?,
        Change::Evidence(evidence) => around::evidence(&client, evidence, output)?,
        Change::Task(task) => around::task(&client, task, output)?,
        Change::Link(link) => around::link(&client, link, output)?,
        Change::Condition(condition) => around::condition(&client, condition, output)?,
        Change::Checklist(checklist) => around::checklist(&client, checklist, output)?,
        Change::Undo(undo) => undo::run(&client, undo, output)?,
        Change::Ready(ready) => undo::send_ready(&client, ready, output)?,
        Change::Permit {
            key,
            build,
            output: file,
        } => around::permit(&client, key, build, file, output)?,
    }
    Ok(0)
}

/// Writes the bundle of a change into a file; `assent audit export` is another name for it.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub(crate) fn export(common: &Common, key: &str, file: &str, output: &Output) -> Result<()> {
    show::bundle(&Client::new(common)?, key, file, output)
}
