//! The history of a change, event by event.

use std::collections::{BTreeMap, BTreeSet};

use model::cab::agenda_item::AgendaItem;
use model::change::record::Change;
use model::change::related_records::{
    Approval, ChangeTask, ChecklistItem, Comment, Condition, Deployment, Entry, Evidence, GateCheck, Link, PeerReview,
    Permit,
};
use model::integration::outside_run::OutsideRun;
use model::policy::act_facts::ActFacts;
use model::policy::decision_facts::DecisionFacts;
use proof::event::Event;
use serde::Serialize;
use store::audit::{event, salts};
use store::record::{self, Filter, Record};

use crate::core::context::Context;
use crate::core::error::{Error, Result};

/// An event of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimelineEvent {
    /// Its index in the log, once it has its place.
    pub index: Option<u64>,
    /// The event.
    pub event: Event,
    /// The plain texts that the event brought, by their commitments; erased ones are missing.
    pub texts: BTreeMap<String, String>,
}

/// The events about a change and the records around it, in the order of the log; events without a place come last.
///
/// # Errors
/// [`model::core::refusal::Refusal::NotFound`], a fault when an event cannot be read, or the store's.
pub fn show_timeline(cx: &mut Context<'_, '_>, key: &str) -> Result<Vec<TimelineEvent>> {
    let change = cx.change(key)?;
    let names = records_of(cx, &change)?;
    let mut told = Vec::new();
    for event in events_of(cx, &change, &names)? {
        let texts = salts::of_event(cx.tx, &event.id)?;
        told.push(TimelineEvent {
            index: event.seq.and_then(|seq| u64::try_from(seq).ok()),
            event: opened(cx, &event)?.0,
            texts: texts.into_iter().map(|text| (text.commitment, text.text)).collect(),
        });
    }
    Ok(told)
}

/// A record's table and id.
pub(crate) type Name = (&'static str, String);

/// The change and the records that belong to it, by table and id.
pub(crate) fn records_of(cx: &mut Context<'_, '_>, change: &Change) -> Result<Vec<Name>> {
    let id = change.id.as_str();
    let mut names = vec![(Change::TABLE, id.to_owned())];
    add::<Approval>(cx, "change_id", id, &mut names)?;
    add::<DecisionFacts>(cx, "change_id", id, &mut names)?;
    add::<ActFacts>(cx, "change_id", id, &mut names)?;
    add::<Condition>(cx, "change_id", id, &mut names)?;
    add::<PeerReview>(cx, "change_id", id, &mut names)?;
    add::<Evidence>(cx, "change_id", id, &mut names)?;
    add::<Entry>(cx, "change_id", id, &mut names)?;
    add::<ChangeTask>(cx, "change_id", id, &mut names)?;
    add::<ChecklistItem>(cx, "change_id", id, &mut names)?;
    add::<Comment>(cx, "change_id", id, &mut names)?;
    add::<Link>(cx, "from_change", id, &mut names)?;
    add::<Permit>(cx, "change_id", id, &mut names)?;
    add::<Deployment>(cx, "change_id", id, &mut names)?;
    names.sort();
    Ok(names)
}

/// The records that are about the change by its key: its gate checks, with the text of the asker, the runs that clients of
/// other systems told of, and its agenda items. An agenda item contains why a member objected or the chair added the change.
pub(crate) fn records_about(cx: &mut Context<'_, '_>, change: &Change) -> Result<Vec<Name>> {
    let about = Filter::new().equals("change_key", change.key.as_str()).order_by("id");
    let checks = record::bodies::<GateCheck>(cx.tx, &about)?.into_iter();
    let items = record::bodies::<AgendaItem>(cx.tx, &about)?.into_iter();
    let runs = record::bodies::<OutsideRun>(cx.tx, &about)?.into_iter();
    let checks = checks.map(|check| (GateCheck::TABLE, check.id.0));
    let items = items.map(|item| (AgendaItem::TABLE, item.id.0));
    let runs = runs.map(|run| (OutsideRun::TABLE, run.id.0));
    Ok(checks.chain(items).chain(runs).collect())
}

fn add<R: Record>(cx: &mut Context<'_, '_>, column: &str, change: &str, names: &mut Vec<Name>) -> Result<()> {
    let found = record::find::<R>(cx.tx, &Filter::new().equals(column, change).order_by("id"))?;
    names.extend(found.iter().map(|stored| (R::TABLE, stored.record.id().to_owned())));
    Ok(())
}

/// Every event about the change or that made a version of one of these records, in the order of the log.
pub(crate) fn events_of(cx: &mut Context<'_, '_>, change: &Change, names: &[Name]) -> Result<Vec<event::Event>> {
    let mut events = event::of_subject(cx.tx, Change::TABLE, change.id.as_str())?;
    let mut seen: BTreeSet<String> = events.iter().map(|event| event.id.clone()).collect();
    for (table, id) in names {
        for event in event::of_record(cx.tx, table, id)? {
            if seen.insert(event.id.clone()) {
                events.push(event);
            }
        }
    }
    events.sort_by(|a, b| a.place().cmp(&b.place()));
    Ok(events)
}

/// An event as written, with the deltas stored beside it and the bytes of those deltas.
pub(crate) fn opened(cx: &mut Context<'_, '_>, stored: &event::Event) -> Result<(Event, Option<Vec<u8>>)> {
    let event = Event::from_bytes(&stored.bytes)?;
    let Some(digest) = event.records_digest.clone() else {
        return Ok((event, None));
    };
    let beside = event::payloads(cx.tx, &stored.id)?
        .into_iter()
        .find(|(found, _)| *found == digest);
    let Some((_, payload)) = beside else {
        return Err(Error::Fault(format!("what stands beside event {} is gone", stored.id)));
    };
    Ok((event.with_payload(&payload)?, Some(payload)))
}
