//! Stores the facts that the policies received with each decision and each act that moves a change, and finds them
//! again.

use model::change::change_file::{ChangeFile, EventDraft};
use model::change::record::Change;
use model::change::related_records::Approval;
use model::core::act::Act;
use model::core::ids::{ChangeId, RecordId};
use model::policy::act_facts::ActFacts;
use model::policy::decision_facts::DecisionFacts;
use model::policy::facts::ActorFacts;
use model::policy::permission::{present_facts, target_facts};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::Written;

/// An action that the policies allowed during an act, and the facts about the actor that they received.
pub(crate) struct Allowed {
    pub(crate) action: String,
    pub(crate) person: ActorFacts,
}

impl Allowed {
    pub(crate) fn new(action: &str, person: &ActorFacts) -> Self {
        Self {
            action: action.to_owned(),
            person: person.clone(),
        }
    }
}

/// Writes the facts of the decisions that are new in `after`: the decisions were made on the file `before`.
///
/// # Errors
/// The store's.
pub(crate) fn keep_facts(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    before: &ChangeFile,
    after: &ChangeFile,
) -> Result<()> {
    let is_new = |row: &&Approval| !before.approvals.iter().any(|old| old.id == row.id);
    let Some(decision) = after.approvals.iter().find(is_new) else {
        return Ok(());
    };
    let digest = decision.facts_digest.clone();
    save_facts(cx, written, before, &digest)
}

/// Writes the facts of an act, as its events record it. An existing change counts as it was before the act, a new
/// change as it was created.
///
/// # Errors
/// The store's.
pub(crate) fn keep_acts(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    file: &ChangeFile,
    (events, allowed): (&[EventDraft], Vec<Allowed>),
) -> Result<()> {
    let is_told = |act: Act| events.iter().any(|event| act.told_as().contains(&event.kind));
    let mut acts: Vec<(Act, Option<ActorFacts>)> = Vec::new();
    for Allowed { action, person } in allowed {
        let Some(act) = Act::named(&action).filter(|act| is_told(*act)) else {
            continue;
        };
        acts.retain(|(known, _)| *known != act);
        acts.push((act, Some(person)));
    }
    if acts.is_empty() {
        // A delivery or the clock: the set's conditions for these steps are still evaluated.
        let steps = [Act::Start, Act::Close].into_iter().filter(|act| is_told(*act));
        acts.extend(steps.map(|act| (act, None)));
    }
    for (act, person) in acts {
        keep_act(cx, written, file, (act, person, false))?;
    }
    Ok(())
}

/// Writes the facts of an act that the policies refused; `file` is the current file.
///
/// # Errors
/// The store's.
pub(crate) fn keep_refused(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    file: &ChangeFile,
    (act, person): (Act, ActorFacts),
) -> Result<()> {
    keep_act(cx, written, file, (act, Some(person), true))
}

fn keep_act(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    file: &ChangeFile,
    (act, person_facts, was_refused): (Act, Option<ActorFacts>, bool),
) -> Result<()> {
    let digest = file.requirements.facts_digest.clone();
    save_facts(cx, written, file, &digest)?;
    let facts = ActFacts {
        id: RecordId(cx.new_id()?),
        version: 0,
        change: file.change.id.clone(),
        act,
        within: cx.act.clone(),
        person: cx.actor.person.clone(),
        at: cx.now,
        facts_digest: digest,
        person_facts,
        was_refused,
    };
    cx.put(written, facts)?;
    Ok(())
}

/// Writes the facts of a change under their digest, once.
fn save_facts(cx: &mut Context<'_, '_>, written: &mut Written, file: &ChangeFile, digest: &str) -> Result<()> {
    let are_stored = match written.has_made::<Change>() {
        // Nothing is stored of a change that this act made. On PostgreSQL a look for its facts would conflict with the acts that
        // make others.
        true => written.has_made::<DecisionFacts>(),
        false => find_facts(cx, &file.change.id, digest)?.is_some(),
    };
    if are_stored {
        return Ok(());
    }
    let directory = cx.directory()?;
    let facts = DecisionFacts {
        id: RecordId(cx.new_id()?),
        version: 0,
        change: file.change.id.clone(),
        digest: digest.to_owned(),
        told: present_facts(file, &directory, &cx.tenant(), cx.now),
        targets: target_facts(file, &directory, cx.now),
    };
    cx.put(written, facts)?;
    Ok(())
}

/// The facts of a change under a digest, if stored.
///
/// # Errors
/// The store's.
pub(crate) fn find_facts(cx: &mut Context<'_, '_>, change: &ChangeId, digest: &str) -> Result<Option<DecisionFacts>> {
    let filter = Filter::new()
        .equals("change_id", change.as_str())
        .equals("digest", digest);
    let found = record::find::<DecisionFacts>(cx.tx, &filter.order_by("id").limit(1))?;
    Ok(found.into_iter().next().map(|stored| stored.record))
}
