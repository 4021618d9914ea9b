//! Signals beside deployments: alerts, trees of commits, and questions whether to go on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::enums::{MemberState, NoticeImpact, NoticeState, WatchResult};
use crate::incident::source_report::SourceReport;

/// Something is wrong with a service, or no longer so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The sender's key: it identifies one matter while that is open, and may be used again once the matter is over.
    pub source_key: String,
    /// Whether it is over.
    pub is_over: bool,
    /// Whether the sender reports that a matter that was over is open again under the same key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reopens: bool,
    /// Whether each message reports the whole state of the matter rather than one transition. An open matter was then reopened
    /// only if the sender had reported its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tells_state: bool,
    /// In one line.
    pub title: String,
    /// The services as the sender names them, if it does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// From 1 (worst) to 4.
    pub severity: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// The starts of further parts of a group, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub later_starts: Vec<Timestamp>,
    /// The time of the sender's message, if the order of its messages rather than their times separates occurrences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// The sender's number of its message, which orders messages of one instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_number: Option<i64>,
    /// When it ended, once it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

impl Alert {
    /// The state of the sender's record, if the alert reports one with a time: that the record is over, or open.
    #[must_use]
    pub fn report(&self) -> Option<SourceReport> {
        let at = match self.is_over {
            true => self.told_at.or(self.ended_at).filter(|_| self.tells_state),
            false => self.told_at.filter(|_| self.reopens),
        };
        Some(SourceReport {
            at: at?,
            number: self.told_number,
            is_over: self.is_over,
            ended_at: self.ended_at,
            severity: Some(self.severity),
        })
    }
}

/// The verdict of a canary analysis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The sender's key of this verdict.
    pub source_key: String,
    /// The subject of the verdict, as the sender names it.
    pub judged: String,
    /// The place, as the sender names it.
    pub place: String,
    /// The result.
    pub result: WatchResult,
    /// The sender's explanation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When it was reached.
    pub at: Timestamp,
}

/// The tree of a commit: two commits with one tree hold the same files.
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
    /// The time of the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
}

/// The line in a letter above which its reader replies; everything below it in a reply is the letter itself.
pub const REPLY_MARK: &str = "[Reply above this line]";

/// A person's reply to a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailReply {
    /// The mail's own id; empty when it has none.
    pub message_id: String,
    /// The sender's address as the reply claims it, in lower case.
    pub from: String,
    /// The signed parts of the recipient addresses; the executor finds the product's own one.
    pub tokens: Vec<String>,
    /// The new text of the reply, without the quoted letter; may be empty.
    pub text: String,
    /// Its subject line; perhaps empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The stored files of the letter; empty if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<MailFile>,
    /// The names of files that were not stored, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// A letter came back: a mail server gave up on recipients (RFC 3464).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounce {
    /// The Message-ID of the letter; empty where the report names none.
    pub letter: String,
    /// The recipients that the letter did not reach.
    pub recipients: Vec<BouncedRecipient>,
}

/// A recipient that a letter did not reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BouncedRecipient {
    /// The address in the report, and the one before aliases, in lower case.
    pub addresses: Vec<String>,
    /// The enhanced status code (RFC 3463), such as `5.1.1`.
    pub status: String,
}

/// A stored file of a letter.
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

/// The decision that an outside system requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
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

impl DecisionKind {
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

/// An outside system requests a decision and waits for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionRequest {
    /// The kind of decision.
    pub ask: DecisionKind,
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
    /// The address for the result: a callback, or the ids that the engine's API needs.
    pub reply_to: String,
    /// Whether no result is needed any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_over: bool,
    /// The login of the account that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The author of the request, if the engine names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The repository that contains the commit, if the engine names another than `repository`; empty if that repository is
    /// gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork: Option<String>,
    /// Whether the result is requested once more; such a request has no newer data than the first one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_repeat: bool,
    /// Where a change may be named: branch, title, body and the commit's message.
    #[serde(default)]
    pub texts: DecisionTexts,
    /// The time of the request.
    pub occurred_at: Timestamp,
}

/// A run of Terraform requests a decision and waits for the result of its task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunTask {
    /// `organisation/workspace` as Terraform writes them.
    pub workspace: String,
    /// The run.
    pub run: String,
    /// The result that it waits for, which identifies the question for good.
    pub result: String,
    /// The stage of the run, one of [`RunTask::STAGES`].
    pub stage: String,
    /// Whether nothing of the plan can ever be applied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_speculative: bool,
    /// The commit that it was planned from; empty where it names none.
    pub commit: String,
    /// Whether the commit is only the claim of the person who started the run: the configuration was uploaded, and nothing else
    /// ties the run to a commit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_claimed: bool,
    /// The account that started the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Where the result goes.
    pub reply_to: String,
    /// The sealed token for it, which is never shown.
    #[serde(skip)]
    pub token: String,
    /// Where a change may be named: the branch and the message of the run.
    #[serde(default)]
    pub texts: DecisionTexts,
    /// The time of the request.
    pub occurred_at: Timestamp,
}

impl RunTask {
    /// The stages of a run at which it requests a decision.
    pub const STAGES: [&'static str; 4] = ["pre_plan", "post_plan", "pre_apply", Self::APPLIED];
    /// The last of them: nothing can be held back any more.
    pub const APPLIED: &'static str = "post_apply";
}

/// The repository of a delivery: its name may change, and its id stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// The engine's id of it.
    pub id: String,
    /// `owner/name` as the engine writes it now.
    pub name: String,
}

/// Texts in which a change may be named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionTexts {
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

/// A vendor announces its own maintenance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The vendor's own reference.
    pub reference: String,
    /// The work.
    pub title: String,
    /// The text of the vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The vendor's names of the affected components; a connection's map turns them into services.
    pub components: Vec<String>,
    /// Its announced start.
    pub starts_at: Timestamp,
    /// Its announced end.
    pub ends_at: Timestamp,
    /// The effect on users.
    pub impact: NoticeImpact,
    /// Where it stands.
    pub state: NoticeState,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_start: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_end: Option<Timestamp>,
    /// The time of the vendor's message.
    pub told_at: Timestamp,
}

/// The state of members of a change's waves, as their sender reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberReport {
    /// The sender's name of the report.
    pub id: String,
    /// The key of the change.
    pub change: String,
    /// The members.
    pub members: Vec<ReportedMember>,
}

/// One member of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedMember {
    /// Our service, where several targets have such a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Our environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The member.
    pub member: String,
    /// The member's state.
    pub state: MemberState,
    /// The sender's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}
