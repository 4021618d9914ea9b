//! Tries a set of policies on the acts on the last changes, both done and refused, with the stored facts: starts and permits
//! that it would have refused, attempts that it would have allowed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::change::record::Change;
use model::core::act::Act;
use model::core::refusal::PolicyReason;
use model::policy::act_facts::ActFacts;
use model::policy::decision_facts::DecisionFacts;
use serde::Serialize;
use store::audit::event;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::policy::compare_sets::{ObligationRow, Sets};

/// An act that would have gone another way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActDifference {
    /// The change's key.
    pub key: String,
    /// Its title.
    pub title: String,
    /// The act that was done or tried.
    pub act: Act,
    /// The actor: a login, or `system` for a delivery or the clock.
    pub person: String,
    /// When.
    pub at: Timestamp,
    /// Whether the policies refused it then.
    pub was_refused: bool,
    /// The additional requirements before the act: of starts, permits and closings.
    pub added: Vec<ObligationRow>,
    /// The requirements that would be absent.
    pub removed: Vec<ObligationRow>,
    /// The policies that would have refused an act that those in force allow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<PolicyReason>,
    /// The policies that would have allowed an act that those in force refuse.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<PolicyReason>,
    /// Why the proposed set could not judge it: everything would stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<String>,
}

/// The results for the acts on one change.
#[derive(Default)]
pub(crate) struct ActsTried {
    /// How many were judged.
    pub(crate) tried: usize,
    /// How many could not be, as their facts were not kept.
    pub(crate) without_facts: usize,
    /// The acts that would have had another result.
    pub(crate) differing: Vec<ActDifference>,
}

/// Judges the acts on a change with the facts at their time. An act from before facts were kept, or by the system without a
/// permission check, is counted and not judged.
///
/// # Errors
/// The store's.
pub(crate) fn try_acts(cx: &mut Context<'_, '_>, sets: &Sets<'_>, change: &Change) -> Result<ActsTried> {
    let mut found = ActsTried::default();
    let id = change.id.as_str();
    let filter = Filter::new().equals("change_id", id).order_by("id");
    let kept = record::bodies::<ActFacts>(cx.tx, &filter)?;
    let told = record::bodies::<DecisionFacts>(cx.tx, &filter)?;
    let told: BTreeMap<&str, &DecisionFacts> = told.iter().map(|it| (it.digest.as_str(), it)).collect();
    found.without_facts += without_facts(cx, id, &kept)?;
    let directory = cx.directory()?;
    for row in &kept {
        let Some(facts) = told.get(row.facts_digest.as_str()) else {
            found.without_facts += 1;
            continue;
        };
        found.tried += 1;
        let judged = judge(sets, row, facts);
        if !judged.differs() {
            continue;
        }
        found.differing.push(ActDifference {
            key: change.key.clone(),
            title: change.content.title.clone(),
            act: row.act,
            person: directory.login(&row.person),
            at: row.at,
            was_refused: row.was_refused,
            ..judged
        });
    }
    Ok(found)
}

/// How many acts on a change are in the log without stored facts.
fn without_facts(cx: &mut Context<'_, '_>, change: &str, kept: &[ActFacts]) -> Result<usize> {
    let kinds: Vec<&str> = Act::ALL.iter().flat_map(|act| act.told_as()).copied().collect();
    let done = event::acts_about(cx.tx, ("change", change), &kinds)?;
    let known: BTreeSet<&str> = kept.iter().map(|row| row.within.as_str()).collect();
    Ok(done.iter().filter(|act| !known.contains(act.as_str())).count())
}

/// How the proposed set judges an act, beside the one in force.
fn judge(sets: &Sets<'_>, row: &ActFacts, facts: &DecisionFacts) -> ActDifference {
    let mut judged = ActDifference {
        key: String::new(),
        title: String::new(),
        act: row.act,
        person: String::new(),
        at: row.at,
        was_refused: row.was_refused,
        added: Vec::new(),
        removed: Vec::new(),
        refused: Vec::new(),
        allowed: Vec::new(),
        stop: None,
    };
    if row.act.is_a_step() && !row.was_refused {
        let compared = sets.compare(&facts.told, &facts.targets);
        (judged.added, judged.removed, judged.stop) = (compared.added, compared.removed, compared.stop);
    }
    let Some(person) = &row.person_facts else {
        return judged;
    };
    let about = Some((&facts.told, facts.targets.as_slice()));
    let before = sets.active.may(person, row.act.as_str(), about);
    let after = sets.proposed.may(person, row.act.as_str(), about);
    match (before.allowed, after.allowed) {
        (true, false) if !row.was_refused => judged.refused = after.reasons,
        (false, true) if row.was_refused => judged.allowed = after.reasons,
        _ => {}
    }
    judged
}

impl ActDifference {
    fn differs(&self) -> bool {
        let asks = !self.added.is_empty() || !self.removed.is_empty() || self.stop.is_some();
        asks || !self.refused.is_empty() || !self.allowed.is_empty()
    }
}
