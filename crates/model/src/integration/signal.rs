//! A signal is a fact that arrived from outside: a requested deployment, a reported status, a moved branch. Signals are
//! independent of any engine's format: a translator in the `connect` crate turns verified bytes into them, and the executor
//! decides on their effect.
//!
//! All content of a signal was written outside. Names and digests must have strict forms (a breach sets the whole delivery
//! aside), while free texts are merely shortened and cleaned, because a long description is no reason to lose a deployment.

mod more;
mod subject;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::gate::committers::Committer;
use crate::incident::drift::DriftReport;

pub use more::{
    Alert, Bounce, BouncedRecipient, CommitTree, DecisionKind, DecisionRequest, DecisionTexts, MailFile, MailReply,
    MemberReport, Notice, REPLY_MARK, ReportedMember, Repository, RunTask, Verdict,
};
pub use subject::{SEVERAL, subject_of};

/// The longest name of a repository, environment, ref, task, tag or person, in bytes.
pub const NAME_MAX_BYTES: usize = 255;
/// The longest address (URL) that is kept, in bytes; a longer one is dropped, not shortened.
pub const URL_MAX_BYTES: usize = 2_048;
/// The longest title or description that is kept, in bytes; a longer one is shortened.
pub const TEXT_MAX_BYTES: usize = 4_096;
/// The longest reason of a [`SetAside`], in bytes.
pub const REASON_MAX_BYTES: usize = 300;
/// The most commits that one push may name; no known engine sends more in one delivery.
pub const PUSH_MAX_COMMITS: usize = 2_048;

/// The reason why a delivery could not be read into signals. The delivery is kept and shown to an administrator; it is no fault
/// of this server, and a retry does not help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("set aside: {reason}")]
pub struct SetAside {
    /// One sentence for an administrator, at most [`REASON_MAX_BYTES`] long.
    pub reason: String,
}

impl SetAside {
    /// Makes one from a sentence, which is shortened and cleaned of control characters, because
    /// parser messages repeat parts of what the sender wrote.
    #[must_use]
    pub fn because(reason: impl fmt::Display) -> Self {
        let spaced: String = reason
            .to_string()
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        Self {
            reason: shortened(&spaced, REASON_MAX_BYTES),
        }
    }
}

/// The transport data of a delivery, apart from its body. Only the body is covered by a signature, so nothing here but
/// `body_digest` may decide anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The id of the connection whose secret verified the body.
    pub connection: String,
    /// The sender's own name for this delivery (GitHub: the header `X-GitHub-Delivery`).
    pub delivery_id: String,
    /// The sender's name for the kind of event (GitHub: the header `X-GitHub-Event`).
    pub event: String,
    /// When the body arrived here.
    pub received_at: Timestamp,
    /// `sha256:<64 hex>` of the raw body: the same body twice is the same delivery.
    pub body_digest: String,
}

impl Envelope {
    /// Checks the limits of the parts that come from outside.
    ///
    /// # Errors
    /// [`SetAside`] names the first part that is empty, too long, or holds control characters, or that the digest is malformed.
    pub fn checked(self) -> Result<Self, SetAside> {
        name("connection", &self.connection)?;
        name("delivery id", &self.delivery_id)?;
        name("event", &self.event)?;
        if digest(&self.body_digest).as_deref() != Some(self.body_digest.as_str()) {
            return Err(SetAside::because("the body's digest is not a SHA-256 digest"));
        }
        Ok(self)
    }
}

/// A fact from outside. As JSON it is an object whose `kind` names the variant in snake case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Signal {
    /// The other side tests the connection.
    Ping,
    /// A deployment was requested.
    Deployment(Deployment),
    /// A deployment went on, ended or failed.
    DeploymentStatus(DeploymentStatus),
    /// A branch or a tag moved.
    Push(Push),
    /// A pull request was opened, moved, merged, or the like.
    PullRequest(PullRequest),
    /// A release was published or changed.
    Release(Release),
    /// Something is wrong with a service, or no longer so.
    Alert(Alert),
    /// The tree of a commit.
    CommitTree(CommitTree),
    /// An outside system requests a decision.
    Ask(DecisionRequest),
    /// A person replied to a letter.
    MailReply(MailReply),
    /// A letter came back.
    Bounce(Bounce),
    /// The repository of a delivery.
    Repository(Repository),
    /// A report of a drift source.
    Drift(DriftReport),
    /// A verdict of a canary analysis.
    Verdict(Verdict),
    /// A vendor announces its own maintenance.
    Notice(Notice),
    /// The state of members of a change's waves.
    Members(MemberReport),
    /// A run of Terraform requests a decision.
    RunTask(RunTask),
    /// A delivery without a meaning here; it is kept and counted.
    Unknown {
        /// The sender's name for the event.
        event: String,
        /// The sender's name for the event, if it gave one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        action: Option<String>,
    },
}

/// The prefix of an [`Signal::Unknown`] for a part of a delivery that could not be read.
const NOT_READ: &str = "not read: ";

impl Signal {
    /// An unreadable part, beside the readable ones.
    #[must_use]
    pub fn unread(event: &str, why: &SetAside) -> Self {
        Self::Unknown {
            event: event.to_owned(),
            action: Some(format!("{NOT_READ}{}", why.reason)),
        }
    }

    /// The reason why a part of its delivery could not be read, if this is such a signal.
    #[must_use]
    pub fn complaint(&self) -> Option<&str> {
        match self {
            Self::Unknown { action, .. } => action.as_deref()?.strip_prefix(NOT_READ),
            _ => None,
        }
    }

    /// Names the fact itself, whatever delivery brought it: two deliveries with one natural key report one fact, which takes
    /// effect once for each connection. Repository names are compared without regard to case, as the engines do.
    ///
    /// A ping and an unknown signal have no effect, so their keys are only names to count by.
    #[must_use]
    pub fn natural_key(&self) -> String {
        match self {
            Self::Ping => "ping".to_owned(),
            Self::Deployment(it) => key("deployment", &[&folded(&it.repository), &it.deployment_id]),
            Self::DeploymentStatus(it) => key(
                "deployment_status",
                &[&folded(&it.repository), &it.deployment_id, &it.status_id],
            ),
            Self::Push(it) => key("push", &[&folded(&it.repository), &it.ref_name, &it.before, &it.after]),
            Self::PullRequest(it) => key(
                "pull_request",
                &[
                    &folded(&it.repository),
                    &it.number.to_string(),
                    &it.action,
                    &it.head_commit,
                    &it.occurred_at.to_string(),
                ],
            ),
            Self::Release(it) => key(
                "release",
                &[
                    &folded(&it.repository),
                    &it.tag,
                    &it.action,
                    &it.occurred_at.map(|at| at.to_string()).unwrap_or_default(),
                ],
            ),
            Self::Alert(it) => key("alert", &[&it.source_key, if it.is_over { "over" } else { "on" }]),
            Self::CommitTree(it) => key("commit_tree", &[&folded(&it.repository), &it.commit]),
            Self::Ask(it) => key(
                "ask",
                &[it.ask.as_str(), &folded(&it.repository), &it.commit, &it.reply_to],
            ),
            Self::MailReply(it) => key("mail_reply", &[&it.message_id]),
            Self::Bounce(it) => key("bounce", &[&it.letter]),
            Self::Repository(it) => key("repository", &[&it.id, &folded(&it.name)]),
            Self::Verdict(it) => key("verdict", &[&it.source_key]),
            Self::Notice(it) => key("notice", &[&it.reference, &it.told_at.to_string()]),
            Self::RunTask(it) => key("run_task", &[&it.result]),
            Self::Members(it) => key("members", &[&it.change, &it.id]),
            Self::Drift(it) => key("drift", &[&it.scope, &it.taken_at.to_string()]),
            Self::Unknown { event, action } => key("unknown", &[event, action.as_deref().unwrap_or_default()]),
        }
    }
}

/// A deployment was requested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The engine's id of the deployment, unique within the repository.
    pub deployment_id: String,
    /// `owner/name` as the engine writes it.
    pub repository: String,
    /// The engine's name of the environment; a connection's map turns it into ours.
    pub environment: String,
    /// The commit to be deployed, 40 or 64 lower-case hex digits; empty where the engine names an artifact alone.
    pub commit: String,
    /// The branch, tag or commit that the requester named.
    pub ref_name: String,
    /// The task, `deploy` by custom.
    pub task: String,
    /// `sha256:<64 hex>` of the deployed artifact, if the requester named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// The requester's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The login of the account that requested it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<String>,
    /// When the engine recorded it.
    pub occurred_at: Timestamp,
    /// Where the engine shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A deployment went on, ended or failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentStatus {
    /// The engine's id of its deployment.
    pub deployment_id: String,
    /// The engine's id of this report, unique within the repository.
    pub status_id: String,
    /// `owner/name` as the engine writes it.
    pub repository: String,
    /// The engine's name of the environment.
    pub environment: String,
    /// The commit that is deployed, 40 or 64 lower-case hex digits; empty where the engine names an artifact alone.
    pub commit: String,
    /// `sha256:<64 hex>` of the deployed artifact, if the requester named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// Further commits that are deployed with it, if any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_commits: Vec<String>,
    /// All deployed artifacts, if there are several and none of them is *the* artifact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<String>,
    /// The progress of the deployment.
    pub status: Progress,
    /// The reporter's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The login of the account that reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// When the engine recorded it.
    pub occurred_at: Timestamp,
    /// Where the engine, or the pipeline's run, shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The progress of a deployment, as one value; JSON has the same value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Progress {
    /// It waits for its turn.
    Queued,
    /// It has begun.
    InProgress,
    /// It ended well.
    Success,
    /// It ended badly.
    Failure,
    /// It could not be carried out.
    Error,
    /// A later deployment took its place.
    Inactive,
    /// Any other status of the engine, which is only recorded.
    Other(String),
}

impl Progress {
    /// The word itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Queued => "queued",
            Self::InProgress => "in_progress",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
            Self::Inactive => "inactive",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for Progress {
    fn from(word: String) -> Self {
        match word.as_str() {
            "queued" => Self::Queued,
            "in_progress" => Self::InProgress,
            "success" => Self::Success,
            "failure" => Self::Failure,
            "error" => Self::Error,
            "inactive" => Self::Inactive,
            _ => Self::Other(word),
        }
    }
}

impl From<Progress> for String {
    fn from(progress: Progress) -> Self {
        progress.as_str().to_owned()
    }
}

/// A branch or a tag moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// `owner/name` as the engine writes it.
    pub repository: String,
    /// The full ref, such as `refs/heads/main`.
    pub ref_name: String,
    /// The commit before; all zeros where the ref is new.
    pub before: String,
    /// The commit after; all zeros where the ref was deleted.
    pub after: String,
    /// The commits that the push brought, oldest first, as far as the engine lists them.
    pub commits: Vec<PushedCommit>,
    /// Whether the engine left some of them out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_partial: bool,
    /// The account that pushed, where the engine names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pusher: Option<String>,
}

/// One commit of a push, with the people behind it as the engine or git names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedCommit {
    /// The commit, 40 or 64 lower-case hex digits.
    pub commit: String,
    /// Its author and the co-authors in its message; accounts are without their engine.
    #[serde(default)]
    pub authors: Vec<Committer>,
    /// Its committer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committer: Option<Committer>,
}

/// A pull request was opened, moved, merged, or the like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    /// `owner/name` of the repository that it would change.
    pub repository: String,
    /// Its number within the repository.
    pub number: u64,
    /// The engine's name for the event: `opened`, `synchronize`, `closed` and others.
    pub action: String,
    /// The commit at its head.
    pub head_commit: String,
    /// The commit that merged it, or the engine's trial merge while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge_commit: Option<String>,
    /// Its title.
    pub title: String,
    /// The login of its author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Whether it is merged.
    pub merged: bool,
    /// When the engine recorded what happened.
    pub occurred_at: Timestamp,
}

/// A release was published or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// `owner/name` as the engine writes it.
    pub repository: String,
    /// The release's tag.
    pub tag: String,
    /// The engine's name for the event: `published`, `edited`, `deleted` and others.
    pub action: String,
    /// The branch or commit that the tag was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The login of its author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The time at which the engine recorded the event, if it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
}

/// Accepts a name (repository, environment, ref, task, tag, login, id).
///
/// # Errors
/// [`SetAside`] where it is empty, longer than [`NAME_MAX_BYTES`] or holds a control character;
/// `field` names it in the reason. Names are never shortened: a shortened name is another name.
pub fn name(field: &str, text: &str) -> Result<String, SetAside> {
    if text.is_empty() {
        return Err(SetAside::because(format_args!("{field} is empty")));
    }
    if text.len() > NAME_MAX_BYTES {
        return Err(SetAside::because(format_args!(
            "{field} is longer than {NAME_MAX_BYTES} bytes"
        )));
    }
    if text.chars().any(char::is_control) {
        return Err(SetAside::because(format_args!("{field} holds a control character")));
    }
    Ok(text.to_owned())
}

/// A name or an address from git, on one line and shortened; `None` where nothing remains.
#[must_use]
pub fn line(text: &str) -> Option<String> {
    let clean: String = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    (!clean.is_empty()).then(|| shortened(&clean, NAME_MAX_BYTES))
}

/// The co-authors in a commit's message (`Co-authored-by: Ada <ada@x>`).
#[must_use]
pub fn co_authors(message: &str) -> Vec<Committer> {
    let named = message.lines().filter_map(|text| {
        let (key, value) = text.split_once(':')?;
        key.trim().eq_ignore_ascii_case("co-authored-by").then_some(value)
    });
    named
        .filter_map(|value| {
            let (name, rest) = value.split_once('<')?;
            let mail = rest.split('>').next().unwrap_or_default();
            Some(Committer {
                login: None,
                email: line(&mail.to_lowercase()),
                name: line(name),
            })
        })
        .collect()
}

/// Accepts a commit: 40 (SHA-1) or 64 (SHA-256) lower-case hex digits.
///
/// # Errors
/// [`SetAside`] for anything else; `field` names it in the reason.
pub fn commit(field: &str, text: &str) -> Result<String, SetAside> {
    if !matches!(text.len(), 40 | 64) || !text.bytes().all(is_lower_hex) {
        return Err(SetAside::because(format_args!("{field} is not a commit id")));
    }
    Ok(text.to_owned())
}

/// Reads a digest `sha256:<64 hex>`, also at the end of an image reference (`name@sha256:…`);
/// upper-case hex digits are lowered. `None` for anything else, because the field in which
/// requesters name an artifact belongs to them and may hold what other tools understand.
#[must_use]
pub fn digest(text: &str) -> Option<String> {
    let digest = match text.rsplit_once('@') {
        Some((_, digest)) => digest,
        None => text,
    };
    let hex = digest.strip_prefix("sha256:")?;
    if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    Some(format!("sha256:{}", hex.to_ascii_lowercase()))
}

/// Cleans a free text: control characters other than line feed and tab become U+FFFD (a NUL
/// cannot be stored on every database), and what is over [`TEXT_MAX_BYTES`] is cut off with `…`.
/// `None` where nothing but white space remains.
#[must_use]
pub fn free_text(text: &str) -> Option<String> {
    let clean: String = text
        .trim()
        .replace("\r\n", "\n")
        .chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect();
    (!clean.is_empty()).then(|| shortened(&clean, TEXT_MAX_BYTES))
}

/// Accepts an address that a page may link to: `https://` or `http://`, printable ASCII without
/// spaces, at most [`URL_MAX_BYTES`]. `None` for anything else, since a link is a convenience.
#[must_use]
pub fn url(text: &str) -> Option<String> {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    let is_plain = text.bytes().all(|b| b.is_ascii_graphic());
    (is_web && is_plain && text.len() <= URL_MAX_BYTES).then(|| text.to_owned())
}

/// Cuts a text to at most `max` bytes at a character's border, ending it with `…` when cut.
pub fn shortened(text: &str, max: usize) -> String {
    const MARK: char = '…';
    if text.len() <= max {
        return text.to_owned();
    }
    let mut end = max.saturating_sub(MARK.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut cut = text[..end].to_owned();
    cut.push(MARK);
    cut
}

/// Joins the parts of a natural key. A JSON array cannot be read in two ways, whatever
/// separators the parts themselves contain.
fn key(kind: &str, parts: &[&str]) -> String {
    let all: Vec<serde_json::Value> = std::iter::once(kind)
        .chain(parts.iter().copied())
        .map(Into::into)
        .collect();
    serde_json::Value::from(all).to_string()
}

fn folded(repository: &str) -> String {
    repository.to_lowercase()
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use proptest::prelude::*;

    const HEX: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn status(repository: &str, deployment_id: &str, status_id: &str) -> Signal {
        Signal::DeploymentStatus(DeploymentStatus {
            deployment_id: deployment_id.to_owned(),
            status_id: status_id.to_owned(),
            repository: repository.to_owned(),
            environment: "production".to_owned(),
            commit: HEX[..40].to_owned(),
            artifact: None,
            other_commits: Vec::new(),
            artifacts: Vec::new(),
            status: Progress::InProgress,
            description: None,
            actor: None,
            occurred_at: "2026-01-02T03:04:05Z".parse().unwrap(),
            url: None,
        })
    }

    #[test]
    fn a_signal_is_json_without_nulls_and_reads_back() {
        let signal = status("acme/shop", "7", "9");
        let json = serde_json::to_value(&signal).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "kind": "deployment_status", "deployment_id": "7", "status_id": "9",
                "repository": "acme/shop", "environment": "production", "commit": &HEX[..40],
                "status": "in_progress", "occurred_at": "2026-01-02T03:04:05Z",
            })
        );
        assert_eq!(serde_json::from_value::<Signal>(json).unwrap(), signal);
        let ping = serde_json::to_string(&Signal::Ping).unwrap();
        assert_eq!(ping, r#"{"kind":"ping"}"#);
        assert_eq!(serde_json::from_str::<Signal>(&ping).unwrap(), Signal::Ping);
    }

    #[test]
    fn unknown_fields_are_ignored_and_missing_ones_are_told() {
        let more = r#"{"kind":"unknown","event":"star","since":[1,{"x":null}]}"#;
        assert_eq!(
            serde_json::from_str::<Signal>(more).unwrap().natural_key(),
            r#"["unknown","star",""]"#
        );
        let less = serde_json::from_str::<Signal>(r#"{"kind":"push","repository":"a/b"}"#);
        assert!(less.unwrap_err().to_string().contains("ref_name"));
    }

    #[test]
    fn natural_keys_tell_facts_apart_and_nothing_else() {
        let one = status("acme/shop", "7", "9").natural_key();
        assert_eq!(one, status("Acme/Shop", "7", "9").natural_key());
        assert_ne!(one, status("acme/shop", "79", "").natural_key());
        assert_ne!(one, status("acme/shop", "7", "10").natural_key());
        assert_ne!(one, status("acme/other", "7", "9").natural_key());
    }

    #[test]
    fn names_are_refused_rather_than_shortened() {
        assert_eq!(name("task", "deploy").unwrap(), "deploy");
        assert_eq!(name("task", "").unwrap_err().reason, "task is empty");
        assert!(name("task", &"x".repeat(NAME_MAX_BYTES)).is_ok());
        assert!(name("task", &"x".repeat(NAME_MAX_BYTES + 1)).is_err());
        assert!(name("task", "a\0b").is_err());
        assert!(name("task", "a\nb").is_err());
    }

    #[test]
    fn commits_and_digests_have_one_form() {
        assert!(commit("sha", &HEX[..40]).is_ok());
        assert!(commit("sha", HEX).is_ok());
        assert!(commit("sha", &HEX[..39]).is_err());
        assert!(commit("sha", &HEX[..40].to_uppercase()).is_err());
        let wanted = Some(format!("sha256:{HEX}"));
        assert_eq!(digest(&format!("sha256:{HEX}")), wanted);
        assert_eq!(digest(&format!("sha256:{}", HEX.to_uppercase())), wanted);
        assert_eq!(digest(&format!("ghcr.io/a/b:1@sha256:{HEX}")), wanted);
        assert_eq!(digest(HEX), None);
        assert_eq!(digest(&format!("sha256:{HEX}0")), None);
        assert_eq!(digest("app.zip"), None);
    }

    #[test]
    fn links_are_web_links_or_none() {
        assert!(url("https://example.org/a?b=c").is_some());
        assert!(url("javascript:alert(1)").is_none());
        assert!(url("https://example.org/a b").is_none());
        assert!(url(&format!("https://{}", "x".repeat(URL_MAX_BYTES))).is_none());
    }

    #[test]
    fn an_envelope_is_held_to_its_limits() {
        let good = Envelope {
            connection: "c".to_owned(),
            delivery_id: "d".to_owned(),
            event: "push".to_owned(),
            received_at: "2026-01-02T03:04:05Z".parse().unwrap(),
            body_digest: format!("sha256:{HEX}"),
        };
        assert!(good.clone().checked().is_ok());
        let long = Envelope {
            delivery_id: "d".repeat(NAME_MAX_BYTES + 1),
            ..good.clone()
        };
        assert!(long.checked().unwrap_err().reason.contains("delivery id"));
        let odd = Envelope {
            body_digest: format!("x@sha256:{HEX}"),
            ..good
        };
        assert!(odd.checked().unwrap_err().reason.contains("digest"));
    }

    proptest! {
        #[test]
        fn any_text_becomes_storable_and_short(text in any::<String>()) {
            if let Some(clean) = free_text(&text) {
                prop_assert!(clean.len() <= TEXT_MAX_BYTES);
                prop_assert!(!clean.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
            }
        }

        #[test]
        fn shortening_keeps_the_limit_and_the_beginning(text in "\\PC*", max in 3usize..64) {
            let short = shortened(&text, max);
            prop_assert!(short.len() <= max);
            prop_assert!(text.starts_with(short.trim_end_matches('…')) || text == short);
        }

        #[test]
        fn any_word_of_progress_reads_back(word in any::<String>()) {
            let progress = Progress::from(word.clone());
            prop_assert_eq!(String::from(progress), word);
        }

        #[test]
        fn keys_of_different_ids_differ(a in "[a-z\",\\[/]{1,6}", b in "[a-z\",\\[/]{1,6}", c in "[a-z\",\\[/]{1,6}", d in "[a-z\",\\[/]{1,6}") {
            let same = (&a, &b) == (&c, &d);
            let left = status("acme/shop", &a, &b).natural_key();
            let right = status("acme/shop", &c, &d).natural_key();
            prop_assert_eq!(left == right, same);
        }
    }
}
