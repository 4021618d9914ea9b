//! The estate and its people: services, environments, ownership, groups, freezes, windows, incidents, templates.

use std::collections::BTreeSet;
use std::sync::Arc;

use derive::{Described, Noun};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::approval::absence::{Absence, Delegation};
use crate::approval::sla;
use crate::cab::{meeting, training};
use crate::change::custom_field;
use crate::compliance::erasure;
use crate::core::enums::{self, FreezeReach, Role};
pub use crate::core::enums::{DependencyKind, GroupKind, NodeKind};
use crate::core::ids::{EnvironmentKey, GroupKey, PersonId, ServiceKey};
use crate::core::shared_map::{Rows, Shelf};
use crate::core::statement;
use crate::directory::audit_mandate::AuditMandate;
pub use crate::directory::basis::Holder;
pub use crate::directory::graph::Graph;
use crate::directory::ownership_matrix::Matrix;
pub use crate::directory::ownership_matrix::Ownership;
pub use crate::directory::records::{
    Builder, CauseVerdict, ConfigItem, Connection, ConnectionApi, Deactivation, Dependency, Environment, Group,
    Incident, MaintenanceWindow, Mapping, Person, Readdressed, Service, StandardTemplate, TemplateApproval, Token,
};
use crate::directory::vendor::Vendor;
use crate::emergency::outside_look;
use crate::identity::agent::Agent;
use crate::incident::{course, watch_table};
use crate::policy::{configuration, mapping};
use crate::risk::forecast::model_record::FailureModel;
use crate::risk::{assessment, terms};
use crate::schedule::calendar::{Calendar, zone};
use crate::schedule::conflict_record::Conflict;
pub use crate::schedule::freeze::{Freeze, FreezeException};
use crate::schedule::joint_maintenance::JointMaintenance;
use crate::schedule::outside_calendar::OutsideCalendar;
use crate::schedule::planning_terms::PlanningTerms;
use crate::schedule::traffic::Traffic;
use crate::schedule::vendor_notice::VendorNotice;

/// The tenant's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "tenant_info")]
pub struct Tenant {
    /// The tenant's key as id.
    pub id: String,
    /// Grows with every save.
    pub version: i64,
    /// A name for people.
    #[card(column, text)]
    pub name: String,
    /// Whether it was filled by the demo.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub demo: bool,
    /// Whether the log is public.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub log_is_public: bool,
    /// The person who set this last, and the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub log_said: Option<statement::Stated>,
    /// Whether the status page is read without signing in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub status_is_public: bool,
    /// The person who set this last, and the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub status_said: Option<statement::Stated>,
    /// Whether rows of the ownership matrix that move decisions go live by two people, once there are two administrators.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ownership_by_two: bool,
    /// The times to acknowledge and to decide, where no rule sets others.
    #[serde(default, skip_serializing_if = "crate::approval::sla::SlaTable::is_usual")]
    #[card(object)]
    pub sla_table: sla::SlaTable,
    /// The configuration that set them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub sla_table_from: Option<configuration::InForce>,
    /// How long changes are watched after their work, by criticality and risk.
    #[serde(default, skip_serializing_if = "crate::incident::watch_table::WatchTable::is_usual")]
    #[card(object)]
    pub watch_table: watch_table::WatchTable,
    /// The configuration that set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub watch_table_from: Option<configuration::InForce>,
    /// The severity from which on an incident is major: 1 is the gravest, 0 means none.
    #[serde(default = "usual_bound", skip_serializing_if = "is_usual_bound")]
    pub major_severity: i64,
    /// The configuration that set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub major_severity_from: Option<configuration::InForce>,
    /// How long texts, files and raw deliveries are kept.
    #[serde(default, skip_serializing_if = "crate::compliance::erasure::Retention::is_usual")]
    #[card(object)]
    pub retention: erasure::Retention,
    /// The configuration that set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub retention_from: Option<configuration::InForce>,
    /// How often a review of access begins by itself.
    #[serde(default, skip_serializing_if = "crate::core::enums::Period::is_usual")]
    #[card(object)]
    pub access_review_period: enums::Period,
    /// The risk table: rows by highest impact (none, low, medium, high), columns by complexity (low, medium, high).
    #[card(object)]
    pub risk_table: assessment::RiskTable,
    /// The terms by which risk is derived from what a change reaches and touches.
    #[serde(default, skip_serializing_if = "crate::risk::terms::RiskTerms::is_usual")]
    #[card(object)]
    pub risk_terms: terms::RiskTerms,
    /// The configuration that brought the risk table; absent for the first table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub risk_table_from: Option<configuration::InForce>,
    /// The mapping from deployments to kinds of change; without rules each is normal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub mapping: Vec<mapping::MappingRule>,
    /// The configuration that brought the mapping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub mapping_from: Option<configuration::InForce>,
    /// The policies in force; absent for those that come with the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub policies: Option<configuration::InForce>,
}

fn usual_bound() -> i64 {
    course::USUAL_BOUND
}

fn is_usual_bound(bound: &i64) -> bool {
    *bound == course::USUAL_BOUND
}

/// The whole estate of a tenant, as decisions look at it. A write goes into a copy that shares the rest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Directory {
    /// The tenant's settings; absent only before its creation.
    pub tenant: Option<Tenant>,
    /// Grows with each write to anything in here.
    pub generation: i64,
    /// People by id.
    pub people: Shelf<PersonId, Person>,
    /// Ids by login.
    pub logins: Shelf<String, PersonId>,
    /// Groups by key.
    pub groups: Shelf<GroupKey, Group>,
    /// Services by key.
    pub services: Shelf<ServiceKey, Service>,
    /// Config items by key.
    pub config_items: Shelf<String, ConfigItem>,
    /// Environments by key.
    pub environments: Shelf<EnvironmentKey, Environment>,
    /// Dependencies.
    pub dependencies: Graph,
    /// The ownership matrix.
    pub ownerships: Matrix,
    /// Absences that are not long over.
    pub absences: Rows<Absence>,
    /// Delegations that are not long over.
    pub delegations: Rows<Delegation>,
    /// Fields that the tenant added to its changes, by key; those out of use as well.
    pub custom_fields: Shelf<String, custom_field::CustomField>,
    /// Business calendars by key.
    pub calendars: Shelf<String, Calendar>,
    /// Freezes that have not been taken back and not long gone.
    pub freezes: Rows<Freeze>,
    /// Windows.
    pub windows: Rows<MaintenanceWindow>,
    /// Incidents by key.
    pub incidents: Shelf<String, Incident>,
    /// Templates by key.
    pub templates: Shelf<String, StandardTemplate>,
    /// Meetings of boards, in the order of ids.
    pub meetings: Rows<meeting::Meeting>,
    /// The people on call, with the times.
    pub on_call: Rows<meeting::OnCall>,
    /// Duty rotas in use, one a group at most.
    pub duty_rotas: Rows<crate::cab::duty_rota::DutyRota>,
    /// The trainings of people.
    pub trainings: Rows<training::Training>,
    /// Looks from outside at the work of small teams.
    pub outside_looks: Rows<outside_look::OutsideLook>,
    /// Conflicts of changes that are kept and not gone.
    pub conflicts: Rows<Conflict>,
    /// The terms of planning; absent while they are the usual ones.
    pub planning_terms: Option<PlanningTerms>,
    /// Outside calendars, with their events.
    pub outside_calendars: Rows<OutsideCalendar>,
    /// Mandates of auditors, also ended ones.
    pub audit_mandates: Rows<AuditMandate>,
    /// Agents, also ended ones.
    pub agents: Rows<Agent>,
    /// Vendors in use.
    pub vendors: Rows<Vendor>,
    /// Notices of vendors about maintenance that is not over.
    pub vendor_notices: Rows<VendorNotice>,
    /// Coordinated maintenances in use.
    pub joint_maintenances: Rows<JointMaintenance>,
    /// The users of services by hour.
    pub traffic: Shelf<ServiceKey, Traffic>,
    /// The model of failure in force: the one that was fitted last; absent before the first.
    pub failure_model: Option<Arc<FailureModel>>,
}

impl Directory {
    /// A person's name for sentences; the id when unknown.
    pub fn name(&self, person: &PersonId) -> String {
        self.people
            .get(person)
            .map_or_else(|| person.0.clone(), |found| found.shown_name())
    }

    /// A group's name; its key where it has none, or is unknown.
    #[must_use]
    pub fn group_name(&self, group: &GroupKey) -> String {
        let known = self.groups.get(group).map(|found| found.name.clone());
        known
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| group.to_string())
    }

    /// A person's login; the id when unknown.
    pub fn login(&self, person: &PersonId) -> String {
        self.people
            .get(person)
            .map_or_else(|| person.0.clone(), |found| found.login.clone())
    }

    /// The person behind a login, in any case of letters.
    pub fn by_login(&self, login: &str) -> Option<&Person> {
        self.logins
            .get(&login.trim().to_lowercase())
            .and_then(|id| self.people.get(id))
    }

    /// Whether the person may act and has this right.
    pub fn has_role(&self, person: &PersonId, role: Role) -> bool {
        self.people
            .get(person)
            .is_some_and(|found| found.active && found.roles.contains(&role))
    }

    /// Members of a group who take part. Rules count only these members of the group.
    pub fn members(&self, key: &GroupKey) -> Vec<PersonId> {
        let Some(group) = self.groups.get(key) else {
            return Vec::new();
        };
        group.members.iter().filter(|id| self.takes_part(id)).cloned().collect()
    }

    /// Whether a person may act and has some role. A person without a role reads no change, and so gets no request about one.
    pub fn takes_part(&self, person: &PersonId) -> bool {
        let found = self.people.get(person);
        found.is_some_and(|found| found.active && !found.roles.is_empty())
    }

    /// Whether a person is known and active.
    pub fn is_active(&self, person: &PersonId) -> bool {
        self.people.get(person).is_some_and(|found| found.active)
    }

    /// Active people with a role in the tenant.
    pub fn with_role(&self, role: Role) -> Vec<PersonId> {
        self.people
            .values()
            .filter(|person| person.active && person.roles.contains(&role))
            .map(|p| p.id.clone())
            .collect()
    }
}

impl Directory {
    /// The same without delegations and absences that had ended before the clock was set back to `now` from `ends_by`: what
    /// was lent is not lent again.
    #[must_use]
    pub fn without_ended(&self, now: Timestamp, ends_by: Timestamp) -> Self {
        let had_ended = |end: Timestamp| now < end && end <= ends_by;
        let delegations = self.delegations.iter().filter(|row| !had_ended(row.ends_at));
        let absences = self.absences.iter().filter(|row| !had_ended(row.ends_at));
        Self {
            delegations: delegations.cloned().collect::<Vec<_>>().into(),
            absences: absences.cloned().collect::<Vec<_>>().into(),
            ..self.clone()
        }
    }

    /// Whether a freeze covers this service and environment, by its own scope or by a dependency on its services.
    pub fn is_frozen_by(&self, freeze: &Freeze, service: &ServiceKey, environment: &EnvironmentKey) -> bool {
        if freeze.covers(service, environment) {
            return true;
        }
        freeze.reach == FreezeReach::Dependants
            && freeze.is_in(environment)
            && (self
                .dependencies
                .dependants(&freeze.services, &BTreeSet::from([environment.clone()]))
                .contains(service)
                || freeze.course.major_incident.is_some()
                    && self.dependencies.needed(&freeze.services).contains(service))
    }

    /// Whether a freeze, in force or over, covers a service and an environment: by its own scope or by services that need each
    /// other.
    #[must_use]
    pub fn is_about(
        &self,
        freeze: &Freeze,
        service: Option<&ServiceKey>,
        environment: Option<&EnvironmentKey>,
    ) -> bool {
        let places = &freeze.environments;
        if environment.is_some_and(|place| !places.is_empty() && !places.contains(place)) {
            return false;
        }
        let Some(service) = service else {
            return true;
        };
        if freeze.services.is_empty() || freeze.services.contains(service) {
            return true;
        }
        let within = environment.map_or_else(|| places.clone(), |place| BTreeSet::from([place.clone()]));
        freeze.reach == FreezeReach::Dependants
            && (self
                .dependencies
                .dependants(&freeze.services, &within)
                .contains(service)
                || freeze.course.major_incident.is_some()
                    && self.dependencies.needed(&freeze.services).contains(service))
    }

    /// The services that a freeze is about; none for all of them.
    pub fn frozen_services(&self, freeze: &Freeze) -> BTreeSet<ServiceKey> {
        let mut services = freeze.services.clone();
        if freeze.reach == FreezeReach::Dependants {
            let needing = self.dependencies.dependants(&freeze.services, &freeze.environments);
            services.extend(needing.iter().cloned());
        }
        if freeze.course.major_incident.is_some() {
            services.extend(self.dependencies.needed(&freeze.services).iter().cloned());
        }
        services
    }
}

impl Directory {
    /// When a message to a person that was written at an instant is mailed.
    pub fn told_at(&self, person: &PersonId, topic: &str, written_at: Timestamp) -> Timestamp {
        let Some(found) = self.people.get(person).filter(|it| it.active) else {
            return written_at;
        };
        let Some(telling) = &found.telling else {
            return written_at;
        };
        let zone = zone(&found.zone).unwrap_or(TimeZone::UTC);
        telling.due(topic, written_at, &zone)
    }

    /// Whether a person gets what may wait in one letter a day.
    pub fn has_digest(&self, person: &PersonId) -> bool {
        let telling = self.people.get(person).and_then(|it| it.telling.as_ref());
        telling.is_some_and(|it| it.digest_at.is_some())
    }
}

pub(crate) fn logins(directory: &Directory, people: &[PersonId]) -> Vec<String> {
    people.iter().map(|person| directory.login(person)).collect()
}

/// The group that always exists: change managers, by right or by group; else administrators.
pub fn last_people(directory: &Directory) -> Vec<PersonId> {
    let mut people = directory.with_role(Role::ChangeManager);
    for person in directory.members(&GroupKey::from("change-managers")) {
        if !people.contains(&person) {
            people.push(person);
        }
    }
    if people.is_empty() {
        people = directory.with_role(Role::Admin);
    }
    people
}
