//! Agents: added by an administrator, for good; ended by one, or with their sponsor.

use model::core::ids::{PersonId, RecordId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::agent_rules::check;
use model::directory::snapshot::Person;
use model::identity::agent::{Agent, AgentInput, MOST};
use serde_json::json;
use store::identity::session;

use crate::case::settle_open;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::guard::{impersonation, session_end};

impl PlainNoun for Agent {
    type Input = AgentInput;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: AgentInput, mut reading: Reading<'_>) -> Result<Self> {
        let directory = cx.directory()?;
        let found = check(&mut reading, &input, &directory, cx.now);
        let risk = input.highest_risk;
        reading.finish()?;
        let (Some((person, sponsor)), Some(highest_risk)) = (found, risk) else {
            return Err(Refusal::field("person", "missing", "Name the account in `person`.").into());
        };
        if directory.agents.len() >= MOST {
            let text = format!("A tenant has at most {MOST} agents, including those that have ended.");
            let satisfy = "Use an existing agent.";
            return Err(Refusal::not_now("too_many", text, satisfy, Vec::new()).into());
        }
        let agent = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            person,
            sponsor,
            charter_digest: proof::crypto::digest_text(input.charter.as_bytes()),
            charter: input.charter,
            services: input.services,
            environments: input.environments,
            changes_per_day: input.changes_per_day,
            highest_risk,
            ends_at: input.ends_at,
            active: true,
            by: cx.actor.person.clone(),
            at: cx.now,
        };
        let agent = cx.put_estate("agent.added", agent, json!({}))?;
        bind_account(cx, &agent)?;
        let subject = ("agent", agent.id.0.clone());
        let what = "made you the sponsor of an agent, which counts as one person with you";
        impersonation::notify_represented(cx, &agent.sponsor, "agent.told", subject, what)?;
        Ok(agent)
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = cx.put_estate("agent.ended", Self { active: false, ..self }, json!({}))?;
        settle_open::settle_with_approvers(cx)?;
        Ok(ended)
    }
}

/// Marks the account: rules count the account as no approver any more, and its sessions end.
fn bind_account(cx: &mut Context<'_, '_>, agent: &Agent) -> Result<()> {
    let directory = cx.directory()?;
    let Some(before) = directory.people.get(&agent.person).cloned() else {
        return Ok(());
    };
    let ended = session::delete_of_person(cx.tx, agent.person.as_str())?;
    session_end::note_ended(cx, &ended)?;
    let bound = Person {
        is_agent: true,
        ..before.clone()
    };
    let bound = cx.put_estate("person.edited", bound, json!({}))?;
    settle_open::settle_person(cx, Some(&before), &bound)?;
    settle_open::settle_with_approvers(cx)
}

/// Ends the agents of a sponsor who leaves, and the agent whose account leaves.
///
/// # Errors
/// The store's.
pub(crate) fn end_of(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<()> {
    let directory = cx.directory()?;
    let theirs = directory.agents.iter().filter(|agent| agent.active);
    let theirs: Vec<Agent> = theirs
        .filter(|agent| agent.sponsor == *person || agent.person == *person)
        .cloned()
        .collect();
    for agent in theirs {
        cx.put_estate(
            "agent.ended",
            Agent { active: false, ..agent },
            json!({"with_sponsor": true}),
        )?;
    }
    Ok(())
}
