//! The facts that the policies receive about a change and an acting person, and the check whether that person may act.

use jiff::Timestamp;

use crate::approval::authority::{self, candidates};
use crate::approval::obligation::{Duty, TargetObligation, Verdict};
use crate::change::change_file::{Actor, Case, ChangeFile};
use crate::change::record::{Content, Target};
use crate::change::{conditions, custom_values};
use crate::core::act;
use crate::core::enums::{self, OwnershipRole, Role};
use crate::core::ids::{PersonId, TargetId};
use crate::core::refusal::Refusal;
use crate::directory::agent_rules;
use crate::directory::ownership_matrix::Place;
use crate::directory::snapshot::Directory;
use crate::directory::two_people;
use crate::policy::facts::{ActorFacts, ChangeFacts, ForecastFacts, Part, TargetFacts};
use crate::risk::cause_move::current;
use crate::risk::effective::{effective, unaccepted};
use crate::risk::forecast::kept_forecast::Forecast;
use crate::risk::regimes;

impl Case<'_> {
    /// The parts that the acting person has in the change.
    pub fn parts(&self) -> Vec<Part> {
        parts_of(&self.file, &self.directory, &self.actor.person, self.now)
    }

    /// The facts about the acting person for the policies.
    pub fn actor_facts(&self) -> ActorFacts {
        actor_facts(&self.actor, &self.directory, self.parts(), self.now)
    }

    /// Evaluates the policies, and refuses with their reasons.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`] with the deciding policy.
    pub fn allow(&self, act: act::Act) -> Result<(), Refusal> {
        if self.actor.is_system {
            return Ok(());
        }
        self.check_lent(act)?;
        let verdict = (self.may)(&self.actor_facts(), act.as_str(), Some(&self.file));
        allowed(verdict, act.as_str())?;
        self.check_approved(act)
    }

    /// Refuses work by a person whose approval counts for a rule that separates approvers from implementers. The rule itself is
    /// checked at the decision, and the decision may come first.
    fn check_approved(&self, act: act::Act) -> Result<(), Refusal> {
        use crate::core::act::Act;
        if !matches!(act, Act::Start | Act::Record | Act::Complete | Act::IssuePermit) {
            return Ok(());
        }
        let Some(rule) = authority::approved_apart(&self.file, &self.actor.person) else {
            return Ok(());
        };
        let text =
            format!("You approved this change under rule `{rule}`, which separates approvers from implementers.");
        Err(Refusal::not_allowed("approved_it", text))
    }

    /// Refuses an agent what is no agent's, by the risk of the change as it counts now, whatever an approver accepted.
    fn check_agent(&self, act: act::Act) -> Result<(), Refusal> {
        if self.directory.agent(&self.actor.person).is_none() {
            return Ok(());
        }
        let counts = unaccepted(&self.file.change, &self.directory).risk.level;
        let risk = counts.max(self.file.change.risk.level);
        agent_rules::check_act(&self.directory, &self.actor, (act, Some(risk)), self.now)?;
        agent_rules::check_permit(&self.file, &self.actor.person, act, self.now)
    }

    /// Whether the acting person collected a permit for a target, whatever became of it since.
    pub fn has_collected(&self, target: &TargetId) -> bool {
        let mut permits = self.file.permits.iter();
        permits.any(|permit| permit.target == *target && permit.by == self.actor.person)
    }

    /// Refuses an agent's report on a target for which it collected no permit.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`] with the code `agent_needs_permit`.
    pub fn check_agents_target(&self, target: &TargetId) -> Result<(), Refusal> {
        let is_agent = self.directory.agent(&self.actor.person).is_some();
        if !is_agent || self.has_collected(target) {
            return Ok(());
        }
        Err(agent_rules::needs_permit())
    }

    /// [`check_lent`] of the acting person, and that no agent decides.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`].
    pub fn check_lent(&self, act: act::Act) -> Result<(), Refusal> {
        self.check_agent(act)?;
        check_lent(&self.file, &self.directory, &self.actor, self.now, act)
    }
}

/// The current facts about a change for the policies: risk, impact, complexity and touches count as the directory is now. A
/// change that has ended keeps its recorded facts.
pub fn present_facts(file: &ChangeFile, directory: &Directory, tenant: &str, now: Timestamp) -> ChangeFacts {
    let told = change_facts(file, directory, tenant);
    if file.change.state.is_final() {
        return told;
    }
    let counts = effective(file, directory, now);
    ChangeFacts {
        touches: counts.touches.into_iter().collect(),
        risk: counts.risk.level,
        impact_data: counts.impact.data,
        impact_availability: counts.impact.availability,
        impact_compliance: counts.impact.compliance,
        complexity: counts.complexity.unwrap_or(enums::Level::High),
        ..told
    }
}

/// The recorded facts about a change for the policies; among custom fields, only those that are declared as facts.
pub fn change_facts(file: &ChangeFile, directory: &Directory, tenant: &str) -> ChangeFacts {
    let change = &file.change;
    let content = &change.content;
    ChangeFacts {
        tenant: tenant.to_owned(),
        change: change.id.0.clone(),
        kind: content.kind,
        expedited: content.expedited,
        retrospective: change.retrospective.is_some(),
        names_threat: content.kind == enums::Kind::Emergency && content.threat.is_some(),
        state: change.state,
        category: content.category,
        touches: content.touches.iter().copied().collect(),
        risk: change.risk.level,
        impact_data: content.impact.data,
        impact_availability: content.impact.availability,
        impact_compliance: content.impact.compliance,
        complexity: content.complexity.unwrap_or(enums::Level::High),
        forecast: change.forecast.as_ref().map(|it| forecast_facts(it, file)),
        requester: change.requester.clone(),
        owner: content.owner.clone(),
        authors: change.authors.clone(),
        implementers: content.implementers.clone(),
        implemented_by: change.implemented_by.clone(),
        tester: content.tester.clone(),
        fields: custom_values::facts(&content.custom_fields, directory),
    }
}

fn forecast_facts(forecast: &Forecast, file: &ChangeFile) -> ForecastFacts {
    let moves = current(&file.change, &file.cause_moves);
    ForecastFacts {
        model: forecast.model.clone(),
        features_version: forecast.features_version,
        probability_ppm: forecast.probability_ppm,
        low_ppm: forecast.low_ppm,
        high_ppm: forecast.high_ppm,
        moved_ppm: moves.last().map(|row| row.to_ppm),
    }
}

/// The facts about its targets for the policies. A target whose service is unknown counts as critical.
pub fn target_facts(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<TargetFacts> {
    file.change
        .content
        .targets
        .iter()
        .map(|target| one_target(target, directory, now))
        .collect()
}

fn one_target(target: &Target, directory: &Directory, now: Timestamp) -> TargetFacts {
    let service = directory.services.get(&target.service);
    let environment = directory.environments.get(&target.environment);
    let owners = OwnershipRole::ALL
        .iter()
        .flat_map(|role| {
            let holders = directory.holders_at(&Place::from(target), *role, now);
            holders.into_iter().map(move |holder| (*role, holder.person))
        })
        .collect();
    TargetFacts {
        target: target.id.clone(),
        service: target.service.clone(),
        criticality: service.map_or(enums::Criticality::Critical, |found| found.criticality),
        regimes: service
            .map(|found| {
                found
                    .regimes
                    .iter()
                    .map(|it| regimes::canonical(it).to_owned())
                    .collect()
            })
            .unwrap_or_default(),
        data_class: service.and_then(|found| found.data_class.clone()),
        environment: target.environment.0.clone(),
        is_production: environment.is_none_or(|found| found.is_production),
        has_artifact: target.artifact.is_some() || target.commit.is_some(),
        owners,
    }
}

/// Turns a verdict into permission or refusal.
///
/// # Errors
/// [`Refusal::NotAllowed`] with the deciding policies.
pub fn allowed(verdict: Verdict, act: &str) -> Result<(), Refusal> {
    if verdict.allowed {
        return Ok(());
    }
    let text = match verdict.reasons.first() {
        Some(reason) => format!("{} (rule `{}`).", reason.reason.trim_end_matches('.'), reason.id),
        None => format!("No rule lets you {}.", act.replace('_', " ")),
    };
    Err(Refusal::NotAllowed {
        code: "not_allowed",
        text,
        policies: verdict.reasons,
        act: Some(act.to_owned()),
        waiting_on: Vec::new(),
    })
}

/// The facts about an acting person for the policies.
pub fn actor_facts(actor: &Actor, directory: &Directory, parts: Vec<Part>, now: Timestamp) -> ActorFacts {
    let person = directory.people.get(&actor.person);
    ActorFacts {
        person: actor.person.clone(),
        roles: person
            .filter(|p| p.active)
            .map(|p| p.roles.iter().copied().collect())
            .unwrap_or_default(),
        groups: directory.groups_of(&actor.person),
        by_token: actor.by_token,
        parts,
        functions: person
            .map(|p| p.functions.iter().cloned().collect())
            .unwrap_or_default(),
        trainings: directory.trainings_of(&actor.person, now),
    }
}

/// The facts about a person on a change for the policies, as if they acted in a session of their own.
pub fn person_facts(file: &ChangeFile, directory: &Directory, person: &PersonId, now: Timestamp) -> ActorFacts {
    let actor = Actor {
        person: person.clone(),
        is_system: false,
        ..Actor::system()
    };
    actor_facts(&actor, directory, parts_of(file, directory, person, now), now)
}

/// Refuses a decision through a token that was made by a person with an interest in this change: it would be their own decision
/// in another's name. Where two people decide, a decision with credentials from one other person does not count.
///
/// # Errors
/// [`Refusal::NotAllowed`] with the code `own_request` or `lent_voice`.
pub fn check_lent(
    file: &ChangeFile,
    directory: &Directory,
    actor: &Actor,
    now: Timestamp,
    act: act::Act,
) -> Result<(), Refusal> {
    use crate::core::act::Act;
    let change = &file.change;
    let opener = change.break_glass.as_ref().map(|glass| &glass.by);
    let wrote = |maker: &PersonId| change.authors.contains(maker) || (file.hands.is_grave && file.wrote_by_hand(maker));
    let set_up = |maker: &PersonId| wrote(maker) || change.planned_by.contains(maker);
    let has_stake = |maker: &PersonId| set_up(maker) || change.requester == *maker || opener == Some(maker);
    let maker = actor.lent.as_ref().map(|lent| &lent.maker);
    let of_another = maker.filter(|maker| **maker != actor.person && has_stake(maker));
    if let Some(maker) = of_another.filter(|_| file.hands.is_grave && !actor.by_token && act.judges()) {
        let text = format!(
            "{} issued the credential that you used, and has a stake in this change: a decision with it would count \
             as their own.",
            directory.name(maker)
        );
        return Err(Refusal::not_allowed("own_request", text));
    }
    if let Some(maker) = of_another.filter(|_| actor.by_token && act.judges()) {
        let text = format!(
            "This token was created by {}, who has a stake in this change: a decision with it would count as their \
             own.",
            directory.name(maker)
        );
        return Err(Refusal::not_allowed("own_request", text));
    }
    if act.judges() || matches!(act, Act::BreakGlass | Act::Review) {
        // On a first day people approve and read as peers; whatever one person may do alone waits until it is over.
        let is_of_first_day = matches!(act, Act::Approve | Act::PeerReview);
        let works =
            |maker: &PersonId| change.content.implementers.contains(maker) || file.committers.people.contains(maker);
        let passes = |maker: &PersonId| is_of_first_day && !has_stake(maker) && !works(maker);
        two_people::check_voice(directory, actor, now, passes)?;
    }
    Ok(())
}

/// The parts that a person has in a change.
pub fn parts_of(file: &ChangeFile, directory: &Directory, person: &PersonId, now: Timestamp) -> Vec<Part> {
    let change = &file.change;
    let content = &change.content;
    let owns = |role| {
        content
            .targets
            .iter()
            .any(|t| directory.holds(person, &t.service, &t.environment, role, now))
    };
    let may_implement = if content.implementers.is_empty() {
        owns(OwnershipRole::Implementer)
            || owns(OwnershipRole::Pipeline)
            || directory.has_role(person, Role::Implementer)
            || directory.has_role(person, Role::Pipeline)
    } else {
        content.implementers.contains(person)
    };
    let asked = !authority::rules_open_for(file, directory, person, now).is_empty();
    let approved = file
        .standing()
        .any(|approval| &approval.person == person && approval.is_yes());
    let wrote = file.wrote(person);
    let verbal = change
        .retrospective
        .as_ref()
        .is_some_and(|retro| &retro.verbal_approver == person);
    let checks = file.conditions.iter().any(|condition| {
        &condition.checker == person || conditions::checkers(file, directory, condition).contains(person)
    });
    let checks = checks || has_item(file, directory, person, now);
    [
        (&change.requester == person, Part::Requester),
        (&content.owner == person || owns(OwnershipRole::Owner), Part::Owner),
        (wrote, Part::Author),
        (may_implement, Part::Implementer),
        (
            change.implemented_by.contains(person)
                || file
                    .hands
                    .has_agent(person, |agent| change.implemented_by.contains(agent)),
            Part::Implemented,
        ),
        (
            content.tester.as_ref() == Some(person) || is_validator(file, directory, person, now),
            Part::Tester,
        ),
        (asked, Part::Asked),
        (approved, Part::Approver),
        (!wrote && !approved, Part::Peer),
        (verbal, Part::VerbalApprover),
        (checks, Part::Checker),
        (holds_every_target(content, directory, person, now), Part::Holder),
    ]
    .into_iter()
    .filter_map(|(has, part)| has.then_some(part))
    .collect()
}

/// Whether a person has an item of a change's checklist.
fn has_item(file: &ChangeFile, directory: &Directory, person: &PersonId, now: Timestamp) -> bool {
    let is_theirs = |row: &TargetObligation| match &row.obligation.duty {
        Duty::Item { owner, .. } => authority::targets_of(file, row).any(|target| {
            let holders = candidates(file, directory, owner, target, now);
            holders.iter().any(|holder| &holder.person == person)
        }),
        _ => false,
    };
    file.requirements.obligations.iter().any(is_theirs)
}

/// Whether a person has a right of their own over each target. The author of a change names its owner and implementers, so
/// these roles alone give no right over a service.
fn holds_every_target(content: &Content, directory: &Directory, person: &PersonId, now: Timestamp) -> bool {
    let holds = |target: &Target| {
        let (service, environment) = (&target.service, &target.environment);
        [
            OwnershipRole::Owner,
            OwnershipRole::TechnicalLead,
            OwnershipRole::Implementer,
        ]
        .into_iter()
        .any(|role| directory.holds(person, service, environment, role, now))
    };
    directory.has_role(person, Role::Implementer) || !content.targets.is_empty() && content.targets.iter().all(holds)
}

/// Whether a rule names the person as a validator beside tester and owner.
fn is_validator(file: &ChangeFile, directory: &Directory, person: &PersonId, now: Timestamp) -> bool {
    file.requirements.obligations.iter().any(|row| {
        let Duty::Validation { from: Some(asked), .. } = &row.obligation.duty else {
            return false;
        };
        file.change
            .content
            .targets
            .iter()
            .filter(|target| row.targets.contains(&target.id))
            .any(|target| {
                candidates(file, directory, asked, target, now)
                    .iter()
                    .any(|holder| &holder.person == person)
            })
    })
}
