//! Configurations that affect decisions: a set of policies or a risk table, proposed by one person and put in force by an
//! approved change or a second person.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::approval::sla;
use crate::compliance::erasure;
use crate::core::enums::{ConfigurationKind, ConfigurationState};
use crate::core::ids::{PersonId, RecordId};
use crate::incident::watch_table;
use crate::policy::mapping;
use crate::risk::assessment::RiskTable;
use crate::risk::terms::RiskTerms;

/// A configuration with its whole content. The content never changes once it is proposed; what becomes of it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "configuration")]
pub struct Configuration {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// Policies, the risk table, the mapping, rows of the ownership matrix, the times to acknowledge and to decide, the
    /// watch windows, or the retention.
    #[card(column, words)]
    pub kind: ConfigurationKind,
    /// Digest of the content, `sha256:…`: what an approved change names as its target's artifact.
    #[card(column)]
    pub digest: String,
    /// Where it stands.
    #[card(column, words)]
    pub state: ConfigurationState,
    /// Why it is proposed.
    #[card(text)]
    pub reason: String,
    /// The policies and their parameters' declarations, the base pack included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub files: Vec<PolicyFile>,
    /// The content of an ownership proposal, as JSON with a salt. It names people, so it is sealed as a free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub text: Option<String>,
    /// The cases that they must pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub cases: Vec<PolicyFile>,
    /// The tenant's own values, TOML.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub parameters: String,
    /// The risk table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub table: Option<RiskTable>,
    /// The terms by which risk is derived, if they differ from those of a new tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub terms: Option<RiskTerms>,
    /// The rules of a mapping.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub rules: Vec<mapping::MappingRule>,
    /// The times to acknowledge and to decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub slas: Option<sla::SlaTable>,
    /// The watch time of changes after their work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub watches: Option<watch_table::WatchTable>,
    /// The severity from which an incident is major; 0 means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major_severity: Option<i64>,
    /// The retention of texts, files and raw deliveries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub retention: Option<erasure::Retention>,
    /// The proposer.
    pub proposer: PersonId,
    /// The person who issued the proposer's credentials, if that was another person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_by: Option<PersonId>,
    /// When.
    #[card(column)]
    pub proposed_at: Timestamp,
    /// The person who put it in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated_by: Option<PersonId>,
    /// The person who issued the activator's credentials, if that was another person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation_handed_by: Option<PersonId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated_at: Option<Timestamp>,
    /// The approved change that replaced a second person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_key: Option<String>,
    /// Digest of what was in force before it: of a proposal, what was in force when it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The configuration that was in force before it; absent for the built-in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<RecordId>,
}

/// A file of a set of policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFile {
    /// The path with `/`; the folder is the pack: `sox/sox.cedar`.
    pub path: String,
    /// Its content.
    pub content: String,
}

/// The configuration in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// The configuration.
    pub id: RecordId,
    /// Its digest.
    pub digest: String,
}
