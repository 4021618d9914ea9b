//! The log's facts about one change, without reading the whole log.

use std::collections::{BTreeMap, BTreeSet};

use model::change::record::Change;
use model::change::related_records::{Approval, Deployment, Evidence, GateCheck, Permit};
use model::compliance::change_trail::{ChangeFacts, ChangeTrail, Leaf};
use model::core::enums::Level;
use model::core::ids::PersonId;
use store::audit::event::{self, Event};
use store::record::{self, Filter};

use crate::compliance::read_trail::leaf;
use crate::core::context::Context;
use crate::core::error::Result;

/// The events that show the people responsible for these accounts: sponsors of agents, and on a high-risk change the
/// creator of each account.
fn responsible_people(cx: &mut Context<'_, '_>, change: &Change, people: &BTreeSet<PersonId>) -> Result<Vec<Event>> {
    let directory = cx.directory()?;
    let mut found = Vec::new();
    for agent in directory.agents.iter().filter(|agent| people.contains(&agent.person)) {
        found.extend(event::of_record(cx.tx, "agent", agent.id.as_str())?);
    }
    if change.risk.level == Level::High {
        for person in people {
            found.extend(event::of_record(cx.tx, "person", person.as_str())?);
        }
    }
    Ok(found)
}

/// The log's facts about one change: from its own events, and from those that wrote it, its approvals, evidence,
/// deployments and permits, the questions to the gate about it, and the first one about each place of its deployments.
/// With a size of the log, events from this index on do not count.
///
/// # Errors
/// The store's.
pub(crate) fn facts_of(cx: &mut Context<'_, '_>, change: &Change, size: Option<i64>) -> Result<Option<ChangeFacts>> {
    let id = change.id.as_str();
    let of_change = || Filter::new().equals("change_id", id).order_by("id");
    let mut found = event::of_subject(cx.tx, "change", id)?;
    found.extend(event::of_record(cx.tx, "change", id)?);
    let mut people: BTreeSet<PersonId> = change.authors.iter().chain([&change.requester]).cloned().collect();
    for approval in record::bodies::<Approval>(cx.tx, &of_change())? {
        found.extend(event::of_record(cx.tx, "approval", approval.id.as_str())?);
        people.insert(approval.person);
        people.extend(approval.handed_by);
    }
    found.extend(responsible_people(cx, change, &people)?);
    for evidence in record::bodies::<Evidence>(cx.tx, &of_change())? {
        found.extend(event::of_record(cx.tx, "evidence", evidence.id.as_str())?);
    }
    let mut places = BTreeSet::new();
    for deployment in record::bodies::<Deployment>(cx.tx, &of_change())? {
        found.extend(event::of_record(cx.tx, "deployment", deployment.id.as_str())?);
        places.insert((deployment.service, deployment.environment));
    }
    for permit in record::bodies::<Permit>(cx.tx, &of_change())? {
        found.extend(event::of_record(cx.tx, "permit", permit.id.as_str())?);
    }
    let about = Filter::new().equals("change_key", change.key.as_str()).order_by("id");
    let mut checks = record::bodies::<GateCheck>(cx.tx, &about)?;
    for (service, environment) in &places {
        let first = Filter::new()
            .equals("service", service.as_str())
            .equals("environment", environment.as_str())
            .order_by("id")
            .limit(1);
        checks.extend(record::bodies::<GateCheck>(cx.tx, &first)?);
    }
    for check in checks {
        found.extend(event::of_record(cx.tx, "gate_check", check.id.as_str())?);
    }
    let placed = found
        .into_iter()
        .filter(|event| event.seq.zip(size).is_none_or(|(seq, size)| seq < size))
        .filter_map(|event| Some((u64::try_from(event.seq?).ok()?, event)));
    let placed: BTreeMap<u64, Event> = placed.collect();
    let mut trail = ChangeTrail::default();
    for (index, event) in &placed {
        trail.take(*index, leaf(cx, event, Leaf::read_slim)?);
    }
    Ok(trail.facts_of(id))
}
