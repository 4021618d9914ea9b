//! The rows of a figure: filters and dimensions, and the facts of the directory that they need.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::core::enums::{Category, Kind, Level};
use crate::core::ids::{EnvironmentKey, PersonId, ServiceKey};
use crate::directory::snapshot::Directory;
use crate::report::change_outcome::{ChangeOutcome, TargetOutcome};

/// The facts that the directory adds to the rows when a figure is computed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The environments that are marked as production.
    pub production: BTreeSet<EnvironmentKey>,
    /// The teams of the services, for changes that name no team.
    pub teams: BTreeMap<ServiceKey, String>,
    /// For services that were given to another team: the teams with their start, the oldest first.
    pub former_teams: BTreeMap<ServiceKey, Vec<(Timestamp, Option<String>)>>,
    /// The people of vendors, each with the vendor's key.
    pub vendors: BTreeMap<PersonId, String>,
    /// The incidents that have ended, by key and by the key elsewhere.
    pub resolved: BTreeMap<String, Timestamp>,
    /// The severities of the incidents, 1 (gravest) to 4, by key and by the key elsewhere.
    pub severities: BTreeMap<String, i64>,
}

impl Facts {
    /// The facts of a directory.
    #[must_use]
    pub fn of(directory: &Directory) -> Self {
        let environments = directory.environments.values().filter(|it| it.is_production);
        let teams = directory
            .services
            .values()
            .filter_map(|it| Some((it.key.clone(), it.team.clone()?)));
        let members = directory.vendors.iter().flat_map(|vendor| {
            let people = vendor.members.iter();
            people.map(|person| (person.clone(), vendor.key.clone()))
        });
        let (mut resolved, mut severities) = (BTreeMap::new(), BTreeMap::new());
        for incident in directory.incidents.values() {
            let names = std::iter::once(&incident.key).chain(&incident.external_ref);
            for name in names {
                severities.insert(name.clone(), incident.severity);
                resolved.extend(incident.resolved_at.map(|at| (name.clone(), at)));
            }
        }
        Self {
            production: environments.map(|it| it.key.clone()).collect(),
            teams: teams.collect(),
            former_teams: BTreeMap::new(),
            vendors: members.collect(),
            resolved,
            severities,
        }
    }

    /// The team of a target: the team that the change names, else the team of the service when work on the target ended, or now
    /// while it has not ended.
    #[must_use]
    pub fn team<'f>(&'f self, row: &'f ChangeOutcome, target: Option<&TargetOutcome>) -> Option<&'f str> {
        let of_service = || {
            let target = target?;
            let ended_at = target.ended_at.or(row.ended_at);
            match (self.former_teams.get(&target.service), ended_at) {
                (Some(teams), Some(ended_at)) => {
                    let then = teams.iter().rev().find(|(since, _)| *since <= ended_at);
                    then.or_else(|| teams.first())?.1.as_ref()
                }
                _ => self.teams.get(&target.service),
            }
        };
        row.team.as_ref().or_else(of_service).map(String::as_str)
    }
}

/// The dimension by which figures are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    /// The team of the change, else of the service.
    Team,
    /// The service.
    Service,
    /// Normal, standard or emergency.
    Kind,
    /// The category: an application, a database, a network.
    Category,
    /// The computed risk.
    Risk,
    /// The template.
    Template,
    /// The environment.
    Environment,
    /// The vendor that implements.
    Vendor,
    /// For approvals: assessment or authorization.
    Stage,
    /// For approvals: the rule.
    Rule,
    /// For approvals: the group of the rule.
    Group,
    /// For approvals: the approver. Shown only to that person and to change managers.
    Approver,
    /// For emergencies: the cause.
    Cause,
    /// For failed changes: the root cause in their review.
    RootCause,
}

impl Dimension {
    /// All of them, in their order.
    pub const ALL: [Self; 14] = [
        Self::Team,
        Self::Service,
        Self::Kind,
        Self::Category,
        Self::Risk,
        Self::Template,
        Self::Environment,
        Self::Vendor,
        Self::Stage,
        Self::Rule,
        Self::Group,
        Self::Approver,
        Self::Cause,
        Self::RootCause,
    ];

    /// The name in addresses and responses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Team => "team",
            Self::Service => "service",
            Self::Kind => "kind",
            Self::Category => "category",
            Self::Risk => "risk",
            Self::Template => "template",
            Self::Environment => "environment",
            Self::Vendor => "vendor",
            Self::Stage => "stage",
            Self::Rule => "rule",
            Self::Group => "group",
            Self::Approver => "approver",
            Self::Cause => "cause",
            Self::RootCause => "root_cause",
        }
    }

    /// The dimension that an address names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// Only these rows; `None` leaves a part open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowFilter {
    /// Of this team.
    pub team: Option<String>,
    /// With this service.
    pub service: Option<String>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Of this category.
    pub category: Option<Category>,
    /// Of this risk.
    pub risk: Option<Level>,
    /// From this template.
    pub template: Option<String>,
    /// In this environment.
    pub environment: Option<String>,
    /// Implemented by people of this vendor: its key.
    pub vendor: Option<String>,
    /// For approvals: decided by this person.
    pub approver: Option<PersonId>,
    /// Only these services: the scope of the reader.
    pub within: Option<BTreeSet<ServiceKey>>,
}

impl RowFilter {
    /// Whether a target of a row fits; without a target, only the row is checked.
    #[must_use]
    pub fn fits(&self, row: &ChangeOutcome, target: Option<&TargetOutcome>, facts: &Facts) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|it| found == Some(it));
        let service = target.map(|it| it.service.as_str());
        let environment = target.map(|it| it.environment.as_str());
        let is_within = self
            .within
            .as_ref()
            .is_none_or(|scope| target.is_some_and(|it| scope.contains(&it.service)));
        is_within
            && is(&self.team, facts.team(row, target))
            && is(&self.service, service)
            && is(&self.template, row.template.as_deref())
            && is(&self.environment, environment)
            && self.kind.is_none_or(|it| it == row.kind)
            && self.category.is_none_or(|it| it == row.category)
            && self.risk.is_none_or(|it| it == row.risk)
            && self.vendor.as_deref().is_none_or(|it| vendors(row, facts).contains(it))
    }
}

/// The vendors of the implementers, each once.
fn vendors<'f>(row: &ChangeOutcome, facts: &'f Facts) -> BTreeSet<&'f str> {
    let keys = row.implementers.iter().filter_map(|person| facts.vendors.get(person));
    keys.map(String::as_str).collect()
}

/// The values of a dimension that one target of a row has; a row without a value has none and is in no group.
#[must_use]
pub fn values(row: &ChangeOutcome, target: Option<&TargetOutcome>, facts: &Facts, by: Dimension) -> Vec<String> {
    let one = |value: Option<&str>| value.map(str::to_owned).into_iter().collect();
    match by {
        Dimension::Team => one(facts.team(row, target)),
        Dimension::Service => one(target.map(|it| it.service.as_str())),
        Dimension::Kind => vec![row.kind.as_str().to_owned()],
        Dimension::Category => vec![row.category.as_str().to_owned()],
        Dimension::Risk => vec![row.risk.as_str().to_owned()],
        Dimension::Template => one(row.template.as_deref()),
        Dimension::Environment => one(target.map(|it| it.environment.as_str())),
        Dimension::Vendor => vendors(row, facts).into_iter().map(str::to_owned).collect(),
        Dimension::Cause => one(row.cause.map(|it| it.as_str())),
        Dimension::RootCause => one(row.root_cause.as_deref()),
        Dimension::Stage | Dimension::Rule | Dimension::Group | Dimension::Approver => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;
    use crate::core::enums::Role;
    use crate::directory::manager::tests::somebody;

    #[test]
    fn a_vendor_is_an_organisation_and_no_login() {
        let mut directory = Directory::default();
        for id in ["p1", "p2", "p3"] {
            let mut person = somebody(id, &format!("login-{id}"));
            person.roles.insert(Role::Vendor);
            directory.people.insert(person.id.clone(), person);
        }
        let vendor = json!({
            "id": "v1", "version": 1, "key": "cartwell", "name": "Cartwell Hosting", "members": ["p1", "p2"], "active": true,
        });
        directory.vendors.push(serde_json::from_value(vendor).unwrap());
        let facts = Facts::of(&directory);
        let row = |implementers: &[&str]| -> ChangeOutcome {
            let row = json!({
                "change": "c1", "version": 1, "number": 1, "key": "CHG-1", "kind": "normal", "category": "facility",
                "risk": "low", "state": "closed", "created_at": "2026-11-20T08:00:00Z", "targets": [],
                "implementers": implementers,
            });
            serde_json::from_value(row).unwrap()
        };
        let of = |implementers: &[&str]| values(&row(implementers), None, &facts, Dimension::Vendor);
        assert_eq!(of(&["p1", "p2"]), ["cartwell"], "one row for the people of one vendor");
        assert!(of(&["p3"]).is_empty(), "who belongs to none is no vendor");
        let fits = |vendor: &str| {
            let filter = RowFilter {
                vendor: Some(vendor.to_owned()),
                ..RowFilter::default()
            };
            filter.fits(&row(&["p2"]), None, &facts)
        };
        assert!(fits("cartwell") && !fits("login-p2"));
    }
    #[test]
    fn work_counts_for_the_team_that_ran_the_service_when_it_ended() {
        let at = |day: &str| -> Timestamp { format!("2026-11-{day}T10:00:00Z").parse().unwrap() };
        let row = |ended: Option<&str>| -> ChangeOutcome {
            let mut target = json!({"target": "1", "service": "web", "environment": "production"});
            if let Some(day) = ended {
                target["ended_at"] = json!(at(day));
            }
            let row = json!({
                "change": "c1", "version": 1, "number": 1, "key": "CHG-1", "kind": "normal", "category": "facility",
                "risk": "low", "state": "closed", "created_at": "2026-11-01T08:00:00Z", "targets": [target],
            });
            serde_json::from_value(row).unwrap()
        };
        let old = Some("Old shop".to_owned());
        let facts = Facts {
            teams: [("web".into(), "Shop".to_owned())].into(),
            former_teams: [(
                "web".into(),
                vec![(at("05"), old), (at("10"), None), (at("20"), Some("Shop".to_owned()))],
            )]
            .into(),
            ..Facts::default()
        };
        let team = |ended: Option<&str>| {
            let row = row(ended);
            facts.team(&row, row.targets.first()).map(str::to_owned)
        };
        assert_eq!(team(Some("06")).as_deref(), Some("Old shop"));
        assert_eq!(team(Some("02")).as_deref(), Some("Old shop"), "the first that is known");
        assert_eq!(team(Some("12")), None, "it had no team then");
        assert_eq!(team(Some("22")).as_deref(), Some("Shop"));
        assert_eq!(team(None).as_deref(), Some("Shop"), "whose work has not ended");
    }
}
