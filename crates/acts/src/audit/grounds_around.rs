//! The histories of the people, rights, credentials, templates, services and freezes that the events of a change name
//! as their grounds: a bundle contains them, so that its verifier evaluates these by the log as well.

use std::collections::BTreeSet;

use model::directory::snapshot::Freeze;
use proof::bundle::Missing;
use proof::event::Event;
use proof::grounds::{Grounds, MEMBER};
use store::audit::event;
use store::record::Record;

use crate::core::context::Context;
use crate::core::error::Result;

/// The tables whose records are evaluated, beside freezes.
const JUDGED: [&str; 9] = [
    "person",
    "people_group",
    "ownership",
    "delegation",
    "on_call",
    "template",
    "tenant_info",
    "token",
    "workload",
];
/// Tables of which one event may contain a whole import: if they are too large, only they are left out.
const ESTATE: [&str; 3] = ["service", "config_item", "environment"];
/// The most events, and the most bytes of them, of each of the two in one bundle; if there are more, none of its tables
/// is evaluated.
const MOST_EVENTS: usize = 1_000;
const MOST_BYTES: usize = 4 << 20;

/// Records by table and id.
type Names = BTreeSet<(String, String)>;

/// The further records in a bundle.
#[derive(Debug, Default)]
pub(crate) struct Around {
    /// The events, up to the last one of the change.
    pub events: Vec<event::Event>,
    /// The tables whose named records have their whole history in the bundle; of freezes all.
    pub whole: Vec<String>,
    /// The records that are left out.
    pub missing: Vec<Missing>,
}

/// Finds the histories up to a place of the log: the same change gives the same bundle later.
///
/// # Errors
/// The store's; a fault if an event cannot be read.
pub(crate) fn find_around(cx: &mut Context<'_, '_>, of_change: &[event::Event], last: i64) -> Result<Around> {
    let names = named(of_change)?;
    if names.is_empty() {
        return Ok(Around::default());
    }
    let (estate, mut people): (Names, Names) = names
        .into_iter()
        .partition(|(table, _)| ESTATE.contains(&table.as_str()));
    let freezes = event::subjects(cx.tx, Freeze::TABLE)?;
    people.extend(freezes.into_iter().map(|id| (Freeze::TABLE.to_owned(), id)));
    let mut around = Around::default();
    let judged = JUDGED.iter().copied().chain([Freeze::TABLE]);
    let what = "histories of people, rights, credentials, templates and freezes";
    add(cx, &mut around, (&people, last), (judged.collect(), what))?;
    let what = "histories of services, config items and environments";
    add(cx, &mut around, (&estate, last), (ESTATE.to_vec(), what))?;
    Ok(around)
}

/// Adds the histories of the named records up to a place of the log, and their tables; or lists the tables that are too
/// large.
fn add(
    cx: &mut Context<'_, '_>,
    around: &mut Around,
    (names, last): (&Names, i64),
    (tables, what): (Vec<&str>, &str),
) -> Result<()> {
    let mut seen: BTreeSet<String> = around.events.iter().map(|it| it.id.clone()).collect();
    let (mut events, mut bytes) = (Vec::new(), 0);
    for (table, id) in names {
        let made = event::of_record(cx.tx, table, id)?.into_iter();
        for event in made.filter(|it| it.seq.is_some_and(|seq| seq <= last)) {
            if !seen.insert(event.id.clone()) {
                continue;
            }
            let beside = event::payloads(cx.tx, &event.id)?;
            bytes += event.bytes.len() + beside.iter().map(|(_, payload)| payload.len()).sum::<usize>();
            events.push(event);
        }
        if events.len() > MOST_EVENTS || bytes > MOST_BYTES {
            around.missing.push(Missing {
                what: what.to_owned(),
                why: format!(
                    "they have more than {MOST_EVENTS} events or {MOST_BYTES} bytes; `assent audit replay` judges them"
                ),
            });
            return Ok(());
        }
    }
    around.events.extend(events);
    around.whole.extend(tables.into_iter().map(str::to_owned));
    Ok(())
}

/// The records that the grounds of events name, by table and id.
fn named(events: &[event::Event]) -> Result<Names> {
    let mut found = BTreeSet::new();
    for stored in events {
        let event = Event::from_bytes(&stored.bytes)?;
        let stated = event.data.get(MEMBER).cloned();
        let grounds = stated.and_then(|it| serde_json::from_value::<Grounds>(it).ok());
        for entry in grounds.iter().flat_map(|it| it.records.iter().chain(&it.estate)) {
            let place = entry
                .split_once('/')
                .and_then(|(table, rest)| Some((table, rest.rsplit_once('@')?.0)));
            let is_judged = |table: &str| JUDGED.contains(&table) || ESTATE.contains(&table);
            if let Some((table, id)) = place.filter(|(table, _)| is_judged(table)) {
                found.insert((table.to_owned(), id.to_owned()));
            }
        }
    }
    Ok(found)
}
