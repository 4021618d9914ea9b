//! Templates of standard changes.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::custom_field;
use crate::core::enums::{Role, TemplateState};
use crate::core::ids::{ChangeId, EnvironmentKey, PersonId, RecordId, ServiceKey};
use crate::directory::template_bounds::TemplateBounds;

/// A pre-approved kind of change: the record holds the present version, its events the earlier ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "template")]
pub struct StandardTemplate {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// `patch-web-tier`.
    #[card(column)]
    pub key: String,
    /// Grows when its fields change.
    #[card(column)]
    pub template_version: i64,
    /// Its state.
    #[card(column, words)]
    pub state: TemplateState,
    /// A name for people.
    #[card(text)]
    pub title: String,
    /// Fields whose values are fixed: name to value, in the API's form of a change.
    #[card(object)]
    pub locked: serde_json::Map<String, serde_json::Value>,
    /// The values of each change in the tenant's own fields. They are kept apart, because typed text is sealed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub custom_fields: Vec<custom_field::CustomValue>,
    /// Fields that each change fills in.
    pub free: BTreeSet<String>,
    /// How far each change may go in them.
    #[serde(default)]
    #[card(object)]
    pub bounds: TemplateBounds,
    /// Services it may touch; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<ServiceKey>,
    /// Environments it may touch; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub environments: BTreeSet<EnvironmentKey>,
    /// After this day it stops until reviewed.
    pub review_by: Timestamp,
    /// Minutes after completion until a clean change closes by itself.
    pub watch_minutes: i64,
    /// So many of its changes fail before it is suspended.
    #[serde(default = "usual_failures")]
    pub suspend_after: i64,
    /// The changes of this version that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub failures: Vec<TemplateFailure>,
    /// The proposer of this version.
    pub proposer: PersonId,
    /// The person who issued the proposer's credential, where that was another person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_by: Option<PersonId>,
    /// The approvers of this version, each with the capacity in which they approved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub approvals: Vec<TemplateApproval>,
    /// Digest of the locked fields of this version.
    pub digest: String,
    /// Why it was suspended or retired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub ended_reason: Option<String>,
    /// The next version, which is proposed beside this one and replaces it after approval; or the last one that was retired, so
    /// that its number is not used again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub next: Option<Box<StandardTemplate>>,
}

/// So many failures suspend a template where its proposer states no number.
pub const USUAL_FAILURES: i64 = 3;

fn usual_failures() -> i64 {
    USUAL_FAILURES
}

/// A change of a template that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateFailure {
    /// The change.
    pub change: ChangeId,
    /// Its key.
    pub change_key: String,
    /// When that was known.
    pub at: Timestamp,
}

/// A yes to a template's version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateApproval {
    /// The approver.
    pub person: PersonId,
    /// As owner or as change manager.
    pub role: Role,
    /// The person who issued the approver's credential, where that was another person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_by: Option<PersonId>,
    /// When.
    pub at: Timestamp,
}

impl TemplateApproval {
    /// The person behind the approval: the issuer of the credential, else the approver.
    pub fn speaker(&self) -> &PersonId {
        self.handed_by.as_ref().unwrap_or(&self.person)
    }
}
