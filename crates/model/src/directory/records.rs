//! The records of the directory: people, groups, services, environments, dependencies, templates, connections, tokens.

use std::collections::{BTreeMap, BTreeSet};

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::card::Derived;
use crate::core::enums::{Criticality, DependencyKind, GroupKind, NodeKind, Role, Touch};
use crate::core::ids::{ChangeId, EnvironmentKey, GroupKey, PersonId, RecordId, ServiceKey};
use crate::directory::impersonation::CredentialGrant;
use crate::directory::led_elsewhere::LedElsewhere;
use crate::directory::suspension::Suspended;
use crate::incident::course::{IncidentCourse, JudgedRank};
use crate::notify::preferences;
use crate::schedule::repeat::{Occurrence, Repeat};

mod template;

pub use template::{StandardTemplate, TemplateApproval, TemplateFailure, USUAL_FAILURES};

/// Where a rule looks for a change's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRule {
    /// `trailer`, `branch`, `title` or `body`.
    pub from: String,
    /// The text before the key; of a trailer, its name.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::core::typed::option"
    )]
    pub prefix: Option<String>,
}

/// A grant from outside: a right or a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// A right in the tenant.
    Role,
    /// The membership of a group.
    Group,
}

/// A right that somebody here refused a person. Only somebody here gives it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRight {
    /// A right or a membership.
    pub kind: Given,
    /// The role, or the group's key.
    pub what: String,
    /// The person who refused it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The review of access that refused it; absent where an administrator removed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<RecordId>,
}

/// The grants of a provider to a person, and until when: a right by a claim ends where no sign-in confirms it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouched {
    /// The provider's key.
    pub provider: String,
    /// When they signed in there last, as far as a day.
    pub confirmed_at: Timestamp,
    /// When what it gives ends.
    pub until: Timestamp,
    /// Rights that it gives.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
    /// Groups of which it makes the person a member.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<GroupKey>,
}

/// A person (or a pipeline's identity) in a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "person")]
pub struct Person {
    /// A random id: the log knows nothing else of a person.
    pub id: PersonId,
    /// Grows with every save.
    pub version: i64,
    /// The sign-in name: lower case, unique in the tenant.
    #[card(column, text)]
    pub login: String,
    /// The display name.
    #[card(text)]
    pub name: String,
    /// Where mail goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub email: Option<String>,
    /// Rights in the tenant.
    #[card(object)]
    pub roles: BTreeSet<Role>,
    /// IANA zone for pages and mail.
    pub zone: String,
    /// Whether the person may act.
    #[card(column)]
    pub active: bool,
    /// The login in connected systems (`github:octocat`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(text)]
    pub accounts: Vec<String>,
    /// Job functions such as `dba`, which rows of the ownership matrix may require.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub functions: BTreeSet<String>,
    /// The key of the business calendar for the person's clocks; the tenant's `default` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// The last deactivation; absent while the person is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub deactivation: Option<Deactivation>,
    /// The person's identities at identity providers: `issuer subject`. A subject belongs to one person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(text)]
    pub subjects: Vec<String>,
    /// The person's id in the directory that provisions them (SCIM `externalId`, RFC 7643 section 3.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub external_id: Option<String>,
    /// Further attributes from that directory, by the names of RFC 7643: `department`, `title`, `name.givenName`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object, text)]
    pub attributes: Vec<(String, String)>,
    /// Whether that directory removed them: they are hidden from the directory, and inactive.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
    /// The notification preferences; without them each matter is sent at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub telling: Option<preferences::NotificationPreferences>,
    /// The manager, where one was recorded here; it goes before the one from a directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<PersonId>,
    /// Rights and memberships that were refused here: no identity provider and no directory gives them back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub refused_rights: Vec<RefusedRight>,
    /// The grants of identity providers, each for a limited time after a sign-in there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub vouched: Vec<Vouched>,
    /// The person who alone moved this mail address, and when, where that was another person: the owner of the address can sign
    /// in as this person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub readdressed: Option<Readdressed>,
    /// The person who alone made the account, where a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub made_by: Option<CredentialGrant>,
    /// The services to which the person is scoped; other records are hidden. Empty for a person who sees all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<ServiceKey>,
    /// Whether it is the account of an agent, or was: it decides nothing, whatever rights it has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_agent: bool,
}

/// The person who moved somebody's mail address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readdressed {
    /// The mover.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// How a person was deactivated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deactivation {
    /// By whom.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Whether somebody else may have used the account: then its decisions are void.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compromised: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The grants of a compromised account to others, each with its decision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspended: Vec<Suspended>,
}

impl Person {
    /// The name in pages and letters: that of an agent shows that it is one.
    pub fn shown_name(&self) -> String {
        if self.is_agent {
            return format!("{} (agent)", self.name);
        }
        self.name.clone()
    }

    /// Whether their account was deactivated as compromised.
    pub fn is_compromised(&self) -> bool {
        self.deactivation.as_ref().is_some_and(|it| it.compromised)
    }

    /// Whether the person never decides for an owner: an agent, and by role a pipeline, a vendor, an auditor.
    pub fn is_barred_from_deciding(&self) -> bool {
        let barred = [Role::Pipeline, Role::Vendor, Role::Auditor];
        self.is_agent || barred.iter().any(|role| self.roles.contains(role))
    }
}

/// A group of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "people_group")]
pub struct Group {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// `change-managers`.
    #[card(column)]
    pub key: GroupKey,
    /// A name for people.
    #[card(column, text)]
    pub name: String,
    /// Its members.
    pub members: BTreeSet<PersonId>,
    /// A group of any people, or a team that runs services.
    #[serde(default, skip_serializing_if = "GroupKind::is_usual")]
    #[card(object)]
    pub kind: GroupKind,
    /// The key of the business calendar for the clocks of rules whose approvers are this group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Its id in the directory that provisions it (SCIM `externalId`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub external_id: Option<String>,
    /// Whether that directory removed it; the group then has no members.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

impl GroupKind {
    /// Whether this is the default.
    pub fn is_usual(&self) -> bool {
        *self == Self::Group
    }
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "service")]
pub struct Service {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// `booking-api`.
    #[card(column)]
    pub key: ServiceKey,
    /// A name for people.
    #[card(text)]
    pub name: String,
    /// How much depends on it.
    #[card(object)]
    pub criticality: Criticality,
    /// Regimes such as `sox`, `hipaa`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub regimes: BTreeSet<String>,
    /// `public`, `internal`, `confidential` or `restricted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_class: Option<String>,
    /// Sensitive things in it: a change of it touches these.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(object)]
    pub holds: BTreeSet<Touch>,
    /// The team that runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column, text)]
    pub team: Option<String>,
    /// The people who are notified of the milestones of its changes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub watchers: BTreeSet<PersonId>,
    /// Groups whose members are notified of them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub watching_groups: BTreeSet<GroupKey>,
    /// The system that leads its changes, where that is not Assent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub led_by: Option<LedElsewhere>,
}

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "environment")]
pub struct Environment {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// `production`.
    #[card(column)]
    pub key: EnvironmentKey,
    /// A name for people.
    #[card(text)]
    pub name: String,
    /// Whether customers depend on it.
    pub is_production: bool,
}

/// A config item inside a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "config_item")]
pub struct ConfigItem {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// Its key, unique in the tenant.
    #[card(column)]
    pub key: String,
    /// A name for people.
    #[card(text)]
    pub name: String,
    /// The service it belongs to.
    #[card(column)]
    pub service: ServiceKey,
    /// The kind of thing, such as `database`: a class for ownership.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Sensitive things in it: a change of it touches these.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(object)]
    pub holds: BTreeSet<Touch>,
    /// Its host names and IP addresses, in lower case, by which it can be found.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub addresses: BTreeSet<String>,
}

/// An arrow of the graph: a service or config item needs, runs on or is part of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "dependency")]
pub struct Dependency {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The service (or item) that needs, runs on or is part.
    #[card(column = "from_service")]
    pub from: ServiceKey,
    /// The service (or item) that is needed, runs the other or holds it.
    #[card(column = "to_service")]
    pub to: ServiceKey,
    /// The meaning of the arrow. Ownership comes down along `part_of` alone.
    #[serde(default, skip_serializing_if = "DependencyKind::is_usual")]
    #[card(object)]
    pub kind: DependencyKind,
    /// Whether `from` is a service or a config item.
    #[serde(default, skip_serializing_if = "NodeKind::is_usual")]
    #[card(object)]
    pub from_kind: NodeKind,
    /// Whether `to` is a service or a config item.
    #[serde(default, skip_serializing_if = "NodeKind::is_usual")]
    #[card(object)]
    pub to_kind: NodeKind,
    /// The environments in which it holds; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub environments: BTreeSet<EnvironmentKey>,
    /// Whether it was taken away.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

impl Dependency {
    /// Whether the arrow means that one service needs another.
    pub fn is_between_services(&self) -> bool {
        self.from_kind == NodeKind::Service && self.to_kind == NodeKind::Service
    }
}

impl DependencyKind {
    /// Whether this is the default meaning of an arrow.
    pub fn is_usual(&self) -> bool {
        *self == Self::DependsOn
    }
}

impl NodeKind {
    /// Whether this is the default end of an arrow.
    pub fn is_usual(&self) -> bool {
        *self == Self::Service
    }

    /// A thing's key with its kind: `service:shop`, `item:orders-db`.
    pub fn scope(self, key: &str) -> String {
        match self {
            Self::Service => format!("service:{key}"),
            Self::ConfigItem => format!("item:{key}"),
        }
    }
}

/// A window is active until it is ended.
const ACTIVE: &[Derived] = &[("active", |it| (it["ended"] != true).into())];

/// A time in which work is welcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "maintenance_window", derived = ACTIVE)]
pub struct MaintenanceWindow {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// What it is called.
    #[card(text)]
    pub title: String,
    /// Its start.
    #[card(column)]
    pub starts_at: Timestamp,
    /// Its end.
    #[card(column)]
    pub ends_at: Timestamp,
    /// Services; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<ServiceKey>,
    /// Environments; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub environments: BTreeSet<EnvironmentKey>,
    /// Whether it was taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
    /// How it repeats.
    #[serde(flatten)]
    #[card(object)]
    pub repeat: Repeat,
}

impl MaintenanceWindow {
    /// The times in which work is welcome, in order.
    pub fn spans(&self) -> impl DoubleEndedIterator<Item = Occurrence> + '_ {
        self.repeat.spans(self.once())
    }

    /// The first time, as it was given.
    #[must_use]
    pub fn once(&self) -> Occurrence {
        Occurrence {
            starts_at: self.starts_at,
            ends_at: self.ends_at,
        }
    }

    /// Whether it is over, by its end or because it was withdrawn.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ended || self.spans().next_back().is_none_or(|last| last.ends_at <= now)
    }

    /// The time that is on or the next one, and the last where all are over.
    #[must_use]
    pub fn next_time(&self, now: Timestamp) -> Occurrence {
        let next = self.spans().find(|span| span.ends_at > now);
        next.or_else(|| self.spans().next_back()).unwrap_or_else(|| self.once())
    }
}

/// An incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "incident")]
pub struct Incident {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// `INC-12`.
    #[card(column)]
    pub key: String,
    /// In one line.
    #[card(text)]
    pub title: String,
    /// 1 (gravest) to 4.
    pub severity: i64,
    /// Services it hurts.
    pub services: BTreeSet<ServiceKey>,
    /// Its start.
    #[card(column)]
    pub started_at: Timestamp,
    /// Its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub resolved_at: Option<Timestamp>,
    /// When its end was recorded first. A later correction of the end makes no old incident a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_recorded_at: Option<Timestamp>,
    /// Its key elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub external_ref: Option<String>,
    /// The connection that delivered it: keys are unique only within one connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<RecordId>,
    /// The verdicts of people on changes that may have caused it, in order; the last one on a change counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub cause_verdicts: Vec<CauseVerdict>,
    /// Its states, its command, and the work that it stops.
    #[serde(flatten)]
    #[card(object)]
    pub course: IncidentCourse,
}

/// A person's verdict on a change that may have caused an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseVerdict {
    /// The change.
    pub change: ChangeId,
    /// The change's key.
    pub change_key: String,
    /// Whether it led to the incident; otherwise it is cleared.
    pub confirmed: bool,
    /// Why.
    pub reason: String,
    /// The person.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The rank of the change at that time; absent where the change was no candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<JudgedRank>,
    /// Whether the person has a part in the change: as its requester, its owner or one of its implementers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_own: bool,
}

impl Incident {
    /// The last verdict on a change.
    #[must_use]
    pub fn cause_verdict(&self, change_key: &str) -> Option<&CauseVerdict> {
        self.cause_verdicts
            .iter()
            .rev()
            .find(|row| row.change_key == change_key)
    }
}

/// For how long after its recorded end an incident is opened again as one that was resolved too early, in hours.
pub const REOPENED_WITHIN_HOURS: i64 = 24;

impl Incident {
    /// The end for rules on recent incidents: the earlier of the stated end and the moment at which an end was first recorded.
    /// `None` while the incident is open.
    #[must_use]
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.resolved_at.into_iter().chain(self.end_recorded_at).min()
    }

    /// The incident with the time at which its end was recorded, where a person or a delivery moved the end. An incident that
    /// is reopened soon was resolved too early; a later reopening keeps the recorded end.
    #[must_use]
    pub fn with_recorded_end(self, before: Option<&Self>, now: Timestamp) -> Self {
        let recorded = before.and_then(|it| it.end_recorded_at.or(it.resolved_at));
        let is_late = |at: &Timestamp| now.duration_since(*at) > SignedDuration::from_hours(REOPENED_WITHIN_HOURS);
        let end_recorded_at = match self.resolved_at {
            Some(_) => recorded.or(Some(now)),
            None => recorded.filter(is_late),
        };
        Self {
            end_recorded_at,
            ..self
        }
    }
}

/// A connection to an outside system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "connection")]
pub struct Connection {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// `github`.
    #[card(column)]
    pub kind: String,
    /// A name for people.
    #[card(column, text)]
    pub name: String,
    /// Which repository is which service.
    #[card(object)]
    pub map: Vec<Mapping>,
    /// Where the name of a change is looked for; what is usual when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub links: Vec<LinkRule>,
    /// The API for gate requests from this sender, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub api: Option<ConnectionApi>,
    /// The builders whose attestations tie an artifact to a commit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub builders: Vec<Builder>,
    /// For mail: the address for replies, without its signed part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Accounts and repositories outside of the map that may bind a commit to a change as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "crate::core::typed::list")]
    pub trusted: Vec<String>,
    /// The human owner, who becomes the requester where no sender is known.
    pub owner: PersonId,
    /// Whether deliveries are taken.
    pub active: bool,
    /// Whether it never was believed yet, and waits for two people to put it in force.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
}

/// How an outside system is called; its credential rests apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionApi {
    /// The base address of its API, such as `https://api.github.com`.
    pub base: String,
    /// For merges at GitHub: `commit_status` or `check_run`.
    pub status: String,
    /// A GitHub App's id, where the credential is its private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<i64>,
    /// The installation whose tokens are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<i64>,
}

/// A builder and the key that verifies its attestations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Builder {
    /// The name of the builder.
    #[serde(with = "crate::core::typed")]
    pub builder: String,
    /// Its public key, PEM (SubjectPublicKeyInfo): Ed25519 or ECDSA P-256.
    pub public_key: String,
}

/// A repository and the places that it is mapped to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// `halden/booking-api`.
    #[serde(with = "crate::core::typed")]
    pub repository: String,
    /// Our service.
    pub service: ServiceKey,
    /// Their environment names to ours.
    pub environments: BTreeMap<String, EnvironmentKey>,
    /// Since when it is mapped, where it was added to an existing connection: earlier runs there are ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The repository's id at the sender, once known: a renamed repository is followed by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_id: Option<String>,
    /// The first name of a renamed repository: earlier deliveries use it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::core::typed::option"
    )]
    pub first_named: Option<String>,
}

impl Mapping {
    /// The name by which deployments of the repository are known, whatever it is called now.
    pub fn keyed_by(&self) -> &str {
        self.first_named.as_deref().unwrap_or(&self.repository)
    }

    /// Whether a sender's name is this row's.
    pub fn is_of(&self, repository: &str) -> bool {
        self.repository.eq_ignore_ascii_case(repository)
    }

    /// Our environment of a name that is theirs.
    pub fn environment_of(&self, theirs: &str) -> Option<&EnvironmentKey> {
        let mut known = self.environments.iter();
        let found = known.find(|(name, _)| name.eq_ignore_ascii_case(theirs));
        found.map(|(_, ours)| ours)
    }
}

/// An API token: only its digest is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "token")]
pub struct Token {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// A name for people.
    #[card(text)]
    pub name: String,
    /// The person for whom it speaks.
    #[card(column)]
    pub person: PersonId,
    /// The person responsible for it.
    pub owner: PersonId,
    /// SHA-256 of the secret: `sha256:…`.
    #[card(column)]
    pub digest: String,
    /// The first characters, so that people can distinguish tokens.
    pub prefix: String,
    /// The permitted scopes: `read`, `write`, `gate`, `audit`, `admin`.
    pub scopes: BTreeSet<String>,
    /// The person's roles that the token carries; absent for all of them, also later ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub roles: Option<BTreeSet<Role>>,
    /// The services to which it is scoped; absent for all that its person sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<BTreeSet<ServiceKey>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub expires_at: Option<Timestamp>,
    /// Whether it was revoked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[card(column)]
    pub revoked: bool,
}
