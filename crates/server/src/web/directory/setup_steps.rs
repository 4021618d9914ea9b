//! The steps of setting Assent up, each with its state from the present data.

use acts::integration::unmatched_deliveries;
use acts::policy::activate_configuration;
use acts::report::find_records::{CheckQuery, find_gate_checks};
use model::core::act::actions;
use model::core::enums::{ConfigurationKind, ConfigurationState, OwnershipRole};
use model::directory::snapshot::Connection;
use model::policy::configuration::Configuration;
use store::integration::inbox;
use store::record::{self, Filter};

use crate::web::shared::view::View;

/// The most connections that are looked at.
const MOST: i64 = 500;

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// People who can sign in.
    People,
    /// Services.
    Services,
    /// An owner of each service.
    Owners,
    /// A policy pack.
    Rules,
    /// A system that delivers.
    Connection,
    /// A pipeline that has queried the gate.
    Gate,
}

impl Step {
    /// The steps in their order.
    pub const ALL: [Self; 6] = [
        Self::People,
        Self::Services,
        Self::Owners,
        Self::Rules,
        Self::Connection,
        Self::Gate,
    ];

    /// The heading, with the number.
    pub fn title(self) -> &'static str {
        match self {
            Self::People => "1. People",
            Self::Services => "2. Services",
            Self::Owners => "3. Owners",
            Self::Rules => "4. Rules",
            Self::Connection => "5. First connection",
            Self::Gate => "6. First gated pipeline",
        }
    }

    /// The section's id.
    pub fn id(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Services => "services",
            Self::Owners => "owners",
            Self::Rules => "rules",
            Self::Connection => "connection",
            Self::Gate => "gate",
        }
    }
}

/// The state of the installation, as far as the steps depend on it.
#[derive(Debug, Clone, Default)]
pub(super) struct SetupState {
    /// Active people.
    pub people: usize,
    /// Services.
    pub services: usize,
    /// Services with an owner in some environment.
    pub owned: usize,
    /// Whether a set of policies of the tenant's own is in force.
    pub has_rules: bool,
    /// Whether a set is proposed.
    pub has_proposal: bool,
    /// The logins of the people who may put the proposal in force; without a proposal, of those who could if the reader made
    /// one.
    pub second: Vec<String>,
    /// Connections in use: id, name, kind, whether something was delivered.
    pub connections: Vec<(String, String, String, bool)>,
    /// Names in deliveries that are mapped to nothing here.
    pub strangers: Vec<String>,
    /// Whether the gate has been queried.
    pub was_asked: bool,
}

impl SetupState {
    /// Reads the present data.
    ///
    /// # Errors
    /// 403, or the store's.
    pub fn of(view: &mut View<'_, '_, '_>) -> acts::Result<Self> {
        view.cx.allow(actions::SET_CONNECTION)?;
        let directory = view.directory.clone();
        let is_owned = |service: &&model::core::ids::ServiceKey| {
            let mut places = directory.environments.keys();
            places.any(|place| {
                !directory
                    .holders(service, place, OwnershipRole::Owner, view.now())
                    .is_empty()
            })
        };
        let owned = directory.services.keys().filter(is_owned).count();
        let proposed = Filter::new().descending_by("proposed_at").limit(MOST);
        let proposed = record::find::<Configuration>(view.cx.tx, &proposed)?;
        let proposal = proposed
            .into_iter()
            .map(|stored| stored.record)
            .find(|it| it.kind == ConfigurationKind::Policies && it.state == ConfigurationState::Proposed);
        let has_proposal = proposal.is_some();
        let proposer = proposal.map_or_else(|| view.cx.actor.person.clone(), |it| it.proposer);
        let has_rules = directory
            .tenant
            .as_ref()
            .is_some_and(|tenant| tenant.policies.is_some());
        let second = match has_proposal || !has_rules {
            true => activate_configuration::who_activates(view.cx, &proposer)?,
            false => Vec::new(),
        };
        let found = record::find::<Connection>(view.cx.tx, &Filter::new().order_by("id").limit(MOST))?;
        let mut connections = Vec::new();
        let in_use = found
            .into_iter()
            .map(|stored| stored.record)
            .filter(|it| it.active || it.waits);
        for connection in in_use {
            let id = connection.id.0.clone();
            let has_delivered = !inbox::of_connection(view.cx.tx, &id, 1)?.is_empty();
            connections.push((id, connection.name, connection.kind, has_delivered));
        }
        Ok(Self {
            people: directory.people.values().filter(|person| person.active).count(),
            services: directory.services.keys().count(),
            owned,
            has_rules,
            has_proposal,
            second,
            connections,
            strangers: unmatched_deliveries::all(view.cx)?
                .into_iter()
                .map(|it| it.text)
                .collect(),
            was_asked: !find_gate_checks(view.cx, &CheckQuery::default(), 1)?.is_empty(),
        })
    }

    /// Whether a step is done.
    pub fn is_done(&self, step: Step) -> bool {
        match step {
            Step::People => self.people > 1,
            Step::Services => self.services > 0,
            Step::Owners => self.services > 0 && self.owned == self.services,
            Step::Rules => self.has_rules,
            Step::Connection => self.connections.iter().any(|(_, _, _, has_delivered)| *has_delivered),
            Step::Gate => self.was_asked,
        }
    }

    /// The first step with something left to fill in: proposed rules wait for another person.
    pub fn to_fill(&self) -> Option<Step> {
        let mut open = Step::ALL.into_iter().filter(|step| !self.is_done(*step));
        open.find(|step| *step != Step::Rules || !self.has_proposal)
    }

    /// The first step that is not done.
    pub fn current(&self) -> Option<Step> {
        Step::ALL.into_iter().find(|step| !self.is_done(*step))
    }
}

/// The reasons of a set's policies, each a sentence: the requirements of its rules, without Cedar.
pub(super) fn sentences(texts: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in texts.iter().flat_map(|text| text.lines()) {
        let reason = line
            .trim()
            .strip_prefix("@reason(\"")
            .and_then(|rest| rest.strip_suffix("\")"));
        if let Some(reason) = reason.filter(|it| !found.iter().any(|known| known == it)) {
            found.push(reason.to_owned());
        }
    }
    found
}

/// The repository in a delivery, if the sentence about the delivery begins with one.
pub(super) fn repository_of(text: &str) -> Option<&str> {
    text.split_whitespace().next().filter(|word| word.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_follow_what_is_there() {
        let mut standing = SetupState {
            people: 1,
            ..SetupState::default()
        };
        assert_eq!(standing.current(), Some(Step::People));
        standing.people = 2;
        assert_eq!(standing.current(), Some(Step::Services));
        standing.services = 2;
        standing.owned = 1;
        assert_eq!(standing.current(), Some(Step::Owners), "one service has no owner");
        standing.owned = 2;
        standing.has_proposal = true;
        assert_eq!(standing.current(), Some(Step::Rules), "a proposal is not in force");
        assert_eq!(
            standing.to_fill(),
            Some(Step::Connection),
            "and it waits for somebody else"
        );
        standing.has_rules = true;
        let connection = |has_delivered| ("1".to_owned(), "GitHub".to_owned(), "github".to_owned(), has_delivered);
        standing.connections = vec![connection(false)];
        assert_eq!(standing.current(), Some(Step::Connection), "nothing was delivered");
        standing.connections.push(connection(true));
        assert_eq!(standing.current(), Some(Step::Gate));
        standing.was_asked = true;
        assert_eq!(standing.current(), None);
    }

    #[test]
    fn every_pack_says_its_rules_in_sentences() {
        for pack in policy::packs() {
            let texts: Vec<&str> = pack.files.iter().map(|file| file.text.as_str()).collect();
            let found = sentences(&texts);
            assert!(!found.is_empty(), "{}", pack.name);
            assert!(found.iter().all(|text| text.ends_with('.')), "{found:?}");
        }
    }

    #[test]
    fn a_repository_is_read_from_what_was_noted() {
        assert_eq!(
            repository_of("halden/wms to prod is mapped to nothing here"),
            Some("halden/wms")
        );
        assert_eq!(repository_of("nothing is mapped"), None);
    }
}
