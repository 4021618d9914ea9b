//! Signals beside deployments: alerts, trees of commits, and questions whether to go on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::enums::{MemberState, NoticeImpact, NoticeState, WatchResult};

/// Something is wrong with a service, or no longer so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The sender's key: it names one matter while that is open, and may return once it is over.
    pub source_key: String,
    /// Whether it is over.
    pub is_over: bool,
    /// Whether a matter that was over is open again under the same key, as the sender says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reopens: bool,
    /// Whether each message tells the whole state of the matter rather than what moved it: what is open there was opened again only
    /// where the sender had said that it was over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tells_state: bool,
    /// In one line.
    pub title: String,
    /// The services, in the sender's words, where it says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// From 1 (worst) to 4.
    pub severity: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// When further parts of a group began, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub later_starts: Vec<Timestamp>,
    /// When the sender said so, where the order of its messages rather than their times tells occurrences apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// When it ended, once it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

impl Alert {
    /// When a sender that tells the state of the matter said that it is over.
    #[must_use]
    pub fn over_told_at(&self) -> Option<Timestamp> {
        let is_told = self.is_over && self.tells_state;
        self.told_at.or(self.ended_at).filter(|_| is_told)
    }

    /// When the sender said that the matter, which had been over, is open again.
    #[must_use]
    pub fn reopened_at(&self) -> Option<Timestamp> {
        self.told_at.filter(|_| self.reopens && !self.tells_state)
    }
}

/// What a system that compares a new version with the old one says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The sender's key of this verdict.
    pub source_key: String,
    /// What was judged, in the sender's words.
    pub judged: String,
    /// Where, in the sender's words.
    pub place: String,
    /// What it came to.
    pub result: WatchResult,
    /// What the sender says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When it was reached.
    pub at: Timestamp,
}

/// What a commit holds: two commits with one tree hold the same files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitTree {
    /// `owner/name` as the engine writes it.
    pub repository: String,
    /// The commit.
    pub commit: String,
    /// Its tree.
    pub tree: String,
    /// The files that the push touches, where all are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<String>>,
    /// The commit that the push went on from, where the files are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// When it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
}

/// The line of a letter above which its reader answers; what stands below it in a reply is the letter itself.
pub const REPLY_MARK: &str = "[Reply above this line]";

/// A person's answer to a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailReply {
    /// The mail's own id; empty when it has none.
    pub message_id: String,
    /// The address that it says it comes from, in small letters.
    pub from: String,
    /// The signed parts of the addresses that it was sent to; which of them is ours is for the act to say.
    pub tokens: Vec<String>,
    /// The new words in it, without what they answer; perhaps empty.
    pub text: String,
    /// Its subject line; perhaps empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The files that came with it and were kept; empty while none were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<MailFile>,
    /// The names of files that were not kept, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// A file that came with a letter and was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailFile {
    /// Its name, without folders.
    pub name: String,
    /// Its media type, by its name.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// `sha256:…`.
    pub digest: String,
}

/// What an outside system wants to know before it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskKind {
    /// GitHub: may this run deploy to the environment?
    ProtectionRule,
    /// GitHub: may this commit be merged?
    Merge,
    /// GitLab: may this merge request be merged?
    StatusCheck,
    /// GitLab: may this blocked deployment go on?
    DeploymentApproval,
    /// Terraform: may this run go on?
    RunTask,
}

impl AskKind {
    /// The word itself.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProtectionRule => "protection_rule",
            Self::Merge => "merge",
            Self::StatusCheck => "status_check",
            Self::DeploymentApproval => "deployment_approval",
            Self::RunTask => "run_task",
        }
    }

    /// Whether it is about merging rather than deploying.
    #[must_use]
    pub fn is_merge(self) -> bool {
        matches!(self, Self::Merge | Self::StatusCheck)
    }
}

/// An outside system asks whether it may go on, and waits for the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// What it wants to know.
    pub ask: AskKind,
    /// `owner/name` as the engine writes it.
    pub repository: String,
    /// The engine's name of the environment, for deployments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The commit that it is about.
    pub commit: String,
    /// The commit before, where a push replaced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The pull or merge request's number, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Where the answer goes: a callback's address, or the ids that the engine's API wants.
    pub reply_to: String,
    /// Whether it needs no answer any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_over: bool,
    /// The login of the account whose doing it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Whose request it is, where the engine tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The repository that the commit lies in, where the engine tells another than `repository`; empty where that is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork: Option<String>,
    /// Whether somebody wants the answer once more: it tells nothing newer than was told with the question itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_repeat: bool,
    /// Where a change may be named: branch, title, body and the commit's message.
    #[serde(default)]
    pub texts: AskTexts,
    /// When it was asked.
    pub occurred_at: Timestamp,
}

/// A run of Terraform asks whether it may go on, and waits for the result of its task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunTask {
    /// `organisation/workspace` as Terraform writes them.
    pub workspace: String,
    /// The run.
    pub run: String,
    /// The result that it waits for; it names the question for good.
    pub result: String,
    /// Where the run is, one of [`RunTask::STAGES`].
    pub stage: String,
    /// Whether nothing of the plan can ever be applied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_speculative: bool,
    /// The commit that it was planned from; empty where it names none.
    pub commit: String,
    /// Whether the commit is the word of whoever started the run: the configuration was uploaded, and nothing else ties it to one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_claimed: bool,
    /// The account that started the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Where the result goes.
    pub reply_to: String,
    /// The sealed token for it, which is shown to nobody.
    #[serde(skip)]
    pub token: String,
    /// Where a change may be named: the branch and the message of the run.
    #[serde(default)]
    pub texts: AskTexts,
    /// When it was asked.
    pub occurred_at: Timestamp,
}

impl RunTask {
    /// The places in a run at which it asks.
    pub const STAGES: [&'static str; 4] = ["pre_plan", "post_plan", "pre_apply", Self::APPLIED];
    /// The last of them: nothing can be held back any more.
    pub const APPLIED: &'static str = "post_apply";
}

/// Which repository a delivery is of: its name may be another one later, and its id stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// The engine's id of it.
    pub id: String,
    /// `owner/name` as the engine writes it now.
    pub name: String,
}

/// Texts in which a change may be named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskTexts {
    /// The branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The title of the pull or merge request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The commit's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A vendor tells of its own maintenance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The vendor's own reference.
    pub reference: String,
    /// What is done.
    pub title: String,
    /// The vendor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The vendor's names of what it concerns; a connection's map turns them into services.
    pub components: Vec<String>,
    /// Its announced start.
    pub starts_at: Timestamp,
    /// Its announced end.
    pub ends_at: Timestamp,
    /// What it does to them.
    pub impact: NoticeImpact,
    /// Where it stands.
    pub state: NoticeState,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_start: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_end: Option<Timestamp>,
    /// When the vendor said so.
    pub told_at: Timestamp,
}

/// How members of a change's waves stand, as their sender tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberReport {
    /// The sender's name of the report.
    pub id: String,
    /// The key of the change.
    pub change: String,
    /// The members.
    pub members: Vec<MemberWord>,
}

/// One member of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberWord {
    /// Our service, where several targets have such a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Our environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The member.
    pub member: String,
    /// How it stands.
    pub state: MemberState,
    /// In the words of the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}
