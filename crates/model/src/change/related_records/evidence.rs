//! Evidence about a change: reports, files and notes.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::card::Derived;
use crate::core::enums::{Aspect, EvidenceKind, EvidenceResult};
use crate::core::ids::{ChangeId, PersonId, RecordId};
use crate::core::statement;

/// The digest by which the file is kept: [`Evidence::kept_file`].
const KEPT_FILE: &[Derived] = &[("file_digest", |it| match it["file_erased_at"].is_null() {
    true => it["file_digest"].as_str().unwrap_or_default().into(),
    false => "".into(),
})];

/// A piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "evidence", derived = KEPT_FILE)]
pub struct Evidence {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The change.
    #[card(column = "change_id")]
    pub change: ChangeId,
    /// The kind of file.
    #[card(column, words)]
    pub kind: EvidenceKind,
    /// The aspect that it is about.
    #[card(column, words)]
    pub aspect: Aspect,
    /// The result.
    #[card(object)]
    pub result: EvidenceResult,
    /// A name for people.
    #[card(text)]
    pub name: String,
    /// The environment in which it was gained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The artifact that was tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub artifact: Option<String>,
    /// Without an artifact: the digest of the plan to which it is bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_digest: Option<String>,
    /// The summary that a machine or a person read in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub text: Option<String>,
    /// The file's digest; notes have one over their text.
    pub file_digest: String,
    /// The file's size in bytes.
    pub size: i64,
    /// Its media type.
    pub media_type: String,
    /// The person who added it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Set when an approver accepted it although it failed or cannot be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub accepted: Option<statement::Stated>,
    /// The findings of a scanner's report, each as a short digest of its name, to be compared with the report of another build.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// The suites that a report of tests ran, of a failed one those that failed, or the tools of a SARIF log, each as a short
    /// digest of its name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suites: Vec<String>,
    /// Of a waiver: who agreed to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub agreed: Vec<Agreement>,
    /// When its file was erased; the digest stays, so that a holder of the file can still prove its identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_erased_at: Option<Timestamp>,
    /// The time of the measurement, where it differs from `at`: of a probe, the time that it reports; of a verdict, its own
    /// time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_at: Option<Timestamp>,
    /// Of a probe or a verdict: the place that it is about, as `service/environment`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// The part in which a person agrees to a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaiverPart {
    /// As an owner of the target.
    Owner,
    /// As security.
    Security,
}

/// A person's yes to a waiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// As what.
    pub part: WaiverPart,
    /// Where they had that part then, as `service/environment`.
    pub places: Vec<String>,
    /// The person who agreed.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

impl Evidence {
    /// Whether it shows a failure, or nothing that could be judged: either is something that a person may accept.
    pub fn is_against(&self) -> bool {
        matches!(self.result, EvidenceResult::Failed | EvidenceResult::Unknown)
    }

    /// The digest by which the file is kept; nothing once it was erased.
    pub fn kept_file(&self) -> &str {
        if self.file_erased_at.is_some() {
            ""
        } else {
            &self.file_digest
        }
    }
}
