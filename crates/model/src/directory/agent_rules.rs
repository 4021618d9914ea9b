//! The actions that an agent may do, and the rules of its fields. An agent is refused every action that is not listed here,
//! whatever rights its account has.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::change::change_file::{Actor, ChangeFile};
use crate::change::record::Change;
use crate::core::act::{Act, actions};
use crate::core::enums::{Level, Role};
use crate::core::ids::PersonId;
use crate::core::parse::Reading;
use crate::core::refusal::Refusal;
use crate::directory::snapshot::{Directory, Person};
use crate::identity::agent::{Agent, AgentInput, LOGIN, LONGEST};

/// The acts on a change that are an agent's: drafting, testing, and the work within a permit.
const DRAFTS: &[Act] = &[Act::Create, Act::Edit, Act::AddEvidence, Act::Comment];
/// The actions among them that move a change on, which the agent's highest risk limits as well.
const WORKS: &[Act] = &[
    Act::Submit,
    Act::Start,
    Act::Record,
    Act::AskExtension,
    Act::Complete,
    Act::IssuePermit,
];
/// The rights that an agent's account may have.
const ROLES: &[Role] = &[Role::Requester, Role::Implementer, Role::Pipeline];

/// Why an account of an agent may not have these rights; nothing where it may.
#[must_use]
pub fn odd_right(roles: &BTreeSet<Role>) -> Option<String> {
    let odd = roles.iter().find(|role| !ROLES.contains(role))?;
    let known: Vec<String> = ROLES.iter().map(|role| format!("`{}`", role.as_str())).collect();
    let (right, known) = (odd.as_str(), known.join(", "));
    Some(format!(
        "The account belongs to an agent and cannot get `{right}`: an agent can only have {known}."
    ))
}

impl Directory {
    /// The agent of an account, also an ended one.
    #[must_use]
    pub fn agent(&self, person: &PersonId) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.person == *person)
    }
}

impl Agent {
    /// Whether the agent may act now: not ended, not expired, and its sponsor is active.
    #[must_use]
    pub fn is_in_force(&self, directory: &Directory, now: Timestamp) -> bool {
        self.active && now < self.ends_at && directory.is_active(&self.sponsor)
    }
}

/// Whether an agent may do this act on some change.
#[must_use]
pub fn is_act_of_agents(act: Act) -> bool {
    DRAFTS.contains(&act) || WORKS.contains(&act)
}

fn not_an_agents(doing: &str) -> Refusal {
    let text = format!(
        "An agent can draft, test and implement within a permit; it cannot {doing}. A person must do this, such as \
         its sponsor if the rules allow it."
    );
    Refusal::not_allowed("agent_decides_nothing", text)
}

/// Refuses an agent what is no agent's act on a change, and a change above its highest risk.
///
/// # Errors
/// [`Refusal::NotAllowed`] with the code `agent_decides_nothing`, `agent_is_over` or `above_agents_risk`.
pub fn check_act(
    directory: &Directory,
    actor: &Actor,
    (act, risk): (Act, Option<Level>),
    now: Timestamp,
) -> Result<(), Refusal> {
    let Some(agent) = directory.agent(&actor.person) else {
        return Ok(());
    };
    check_in_force(agent, directory, now)?;
    if !is_act_of_agents(act) {
        return Err(not_an_agents(&act.as_str().replace('_', " ")));
    }
    match risk.filter(|risk| WORKS.contains(&act) && *risk > agent.highest_risk) {
        Some(risk) => {
            let text = format!(
                "The risk of the change is {risk}, but this agent may only handle changes up to {}. A person must \
                 take over.",
                agent.highest_risk
            );
            Err(Refusal::not_allowed("above_agents_risk", text))
        }
        None => Ok(()),
    }
}

/// Refuses an agent work on a change of which it collected no permit. A start needs a live permit.
///
/// # Errors
/// [`Refusal::NotAllowed`] with the code `agent_needs_permit`.
pub fn check_permit(file: &ChangeFile, agent: &PersonId, act: Act, now: Timestamp) -> Result<(), Refusal> {
    if !matches!(act, Act::Start | Act::Record | Act::AskExtension | Act::Complete) {
        return Ok(());
    }
    let mut own = file.permits.iter().filter(|permit| permit.by == *agent);
    if own.any(|permit| act != Act::Start || permit.is_usable(now)) {
        return Ok(());
    }
    Err(needs_permit())
}

/// The refusal of work that no permit of the agent covers.
pub(crate) fn needs_permit() -> Refusal {
    let text = "An agent needs a permit that it collected itself: check the gate for the target (POST /gate-checks); \
        a go starts the change.";
    Refusal::not_allowed("agent_needs_permit", text)
}

/// Refuses an agent every action that is about no change, except reading, gate requests and drafting.
///
/// # Errors
/// [`Refusal::NotAllowed`] with the code `agent_decides_nothing` or `agent_is_over`.
pub fn check_action(directory: &Directory, actor: &Actor, action: &str, now: Timestamp) -> Result<(), Refusal> {
    let Some(agent) = directory.agent(&actor.person) else {
        return Ok(());
    };
    check_in_force(agent, directory, now)?;
    let is_open =
        matches!(action, actions::READ | actions::ASK_GATE) || Act::named(action).is_some_and(is_act_of_agents);
    if is_open {
        return Ok(());
    }
    Err(not_an_agents(&action.replace('_', " ")))
}

fn check_in_force(agent: &Agent, directory: &Directory, now: Timestamp) -> Result<(), Refusal> {
    if agent.is_in_force(directory, now) {
        return Ok(());
    }
    let text = "This agent was ended, has expired, or its sponsor has left. An administrator can add another agent \
        with its own account.";
    Err(Refusal::not_allowed("agent_is_over", text))
}

/// Refuses what an agent leaves behind outside of its limits: a target in another environment, or itself as owner or tester.
///
/// # Errors
/// [`Refusal::Invalid`].
pub fn check_left(directory: &Directory, actor: &Actor, change: &Change) -> Result<(), Refusal> {
    let Some(agent) = directory.agent(&actor.person) else {
        return Ok(());
    };
    let content = &change.content;
    let mut targets = content.targets.iter();
    if let Some(target) = targets.find(|target| !agent.environments.contains(&target.environment)) {
        let text = format!(
            "This agent is not permitted in the environment `{}`.",
            target.environment
        );
        return Err(Refusal::field("targets", "outside_agents_limits", text));
    }
    if directory.agent(&content.owner).is_some() {
        let text = "An agent cannot own a change. Enter the accountable person in `owner`.";
        return Err(Refusal::field("owner", "agent_decides_nothing", text));
    }
    if content
        .tester
        .as_ref()
        .is_some_and(|tester| directory.agent(tester).is_some())
    {
        let text = "An agent cannot validate changes. Enter a person in `tester`.";
        return Err(Refusal::field("tester", "agent_decides_nothing", text));
    }
    Ok(())
}

/// Checks a new agent; returns its account and its sponsor.
pub fn check(
    reading: &mut Reading<'_>,
    input: &AgentInput,
    directory: &Directory,
    now: Timestamp,
) -> Option<(PersonId, PersonId)> {
    let account = active(reading, ("person", input.person.as_str()), directory);
    if let Some(found) = account {
        check_account(reading, found, directory);
    }
    let sponsor = active(reading, ("sponsor", input.sponsor.as_str()), directory);
    if let Some(found) = sponsor
        && (found.is_barred_from_deciding() || directory.agent(&found.id).is_some() || input.person == input.sponsor)
    {
        let text = "A sponsor must be a person who may approve changes here: not an agent, a pipeline, a vendor or \
            an auditor.";
        reading.wrong("sponsor", "not_a_sponsor", text);
    }
    check_limits(reading, input, directory, now);
    Some((account?.id.clone(), sponsor?.id.clone()))
}

fn active<'d>(reading: &mut Reading<'_>, (field, login): (&str, &str), directory: &'d Directory) -> Option<&'d Person> {
    let found = directory.by_login(login).filter(|person| person.active);
    if reading.says(field) && found.is_none() {
        reading.wrong(field, "unknown", format!("No active person has the login `{login}`."));
    }
    found
}

/// The account of an agent shows that it is an agent, has no right to decide, and has no sign-in by a provider.
fn check_account(reading: &mut Reading<'_>, account: &Person, directory: &Directory) {
    if !account.login.starts_with(LOGIN) {
        let text = format!("The login of an agent must begin with `{LOGIN}`, so that people recognise it as an agent.");
        reading.wrong("person", "not_an_agents_login", text);
    }
    if directory.agent(&account.id).is_some() {
        let text = "This account belongs or belonged to another agent. Each agent needs its own account.";
        reading.wrong("person", "not_unique", text);
    }
    let has_other = account.roles.iter().any(|role| !ROLES.contains(role));
    if has_other || !account.subjects.is_empty() || !directory.groups_of(&account.id).is_empty() {
        let text = "The account of an agent can only have the rights `requester`, `implementer` and `pipeline`, and \
            cannot be in a group or sign in at a provider.";
        reading.wrong("person", "other_rights", text);
    }
}

fn check_limits(reading: &mut Reading<'_>, input: &AgentInput, directory: &Directory, now: Timestamp) {
    if reading.says("services") && input.services.is_empty() {
        reading.wrong("services", "missing", "Enter at least one service.");
    }
    if reading.says("environments") && input.environments.is_empty() {
        reading.wrong("environments", "missing", "Enter at least one environment.");
    }
    let mut environments = input.environments.iter();
    if let Some(unknown) = environments.find(|key| !directory.environments.contains_key(*key)) {
        let text = format!("There is no environment `{unknown}`.");
        reading.wrong("environments", "unknown", text);
    }
    if reading.says("changes_per_day") && input.changes_per_day < 1 {
        let text = "`changes_per_day` is at least 1.";
        reading.wrong("changes_per_day", "out_of_range", text);
    }
    if reading.says("ends_at") && input.ends_at <= now {
        reading.wrong("ends_at", "in_the_past", "`ends_at` must lie ahead.");
    } else if input.ends_at.duration_since(now) > LONGEST {
        let text = "An agent may act for at most a year; then it needs a new review.";
        reading.wrong("ends_at", "too_long", text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_has_no_act_that_judges_or_breaks_a_rule() {
        for act in Act::ALL.iter().copied().filter(|act| is_act_of_agents(*act)) {
            assert!(!act.judges(), "{}", act.as_str());
        }
        for act in [
            Act::Approve,
            Act::Validate,
            Act::Review,
            Act::Close,
            Act::Assess,
            Act::BreakGlass,
            Act::PeerReview,
            Act::TickChecklist,
            Act::MeetCondition,
            Act::Overrule,
            Act::ConfirmRetrospective,
        ] {
            assert!(!is_act_of_agents(act), "{}", act.as_str());
        }
    }
}
