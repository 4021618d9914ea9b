//! The export to sinks of the log: collected in one transaction, sent outside of any, and recorded in another. A delivery that
//! is lost between the two is repeated: receivers know an entry by its index. Each entry names the previously delivered one, so
//! a receiver sees a gap even where a sink leaves out kinds.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use model::core::enums;
use model::core::private_fields::is_withheld;
use model::integration::sink::{Entry, Sink, batch_after, pause};
use model::integration::webhook::LONGEST_PAUSE_SECONDS;
use proof::diff::RecordDelta;
use serde_json::Value;
use store::Lease;
use store::audit::event::{self, Event};
use store::audit::salts;
use store::change::changes;
use store::integration::sink::{self as states, Rest, State};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::field_changes::is_commitment;
use crate::core::messages::save_message;
use crate::core::secrets;
use crate::core::show_timeline::opened;
use crate::core::write::{self, Written};
use crate::integration::set_sink;

/// The most bytes of the log in one delivery.
const BATCH_BYTES: usize = 512 * 1024;
/// After how long the owner of a failing sink is notified.
const NOTICE: SignedDuration = SignedDuration::from_hours(1);
/// The most texts of an entry that are sent, and the longest, in characters.
const TEXTS: usize = 50;
const TEXT: usize = 4_000;

/// The next batch for a sink.
pub struct Round {
    /// The sink.
    pub sink: Sink,
    /// Its credential, if any.
    pub credential: Option<String>,
    /// How it was before.
    pub before: State,
    /// The position once this is delivered.
    pub position: i64,
    /// The entries to send, in the order of the log; empty when the sink wants none of the examined ones.
    pub entries: Vec<Entry>,
}

/// Locks a sink and returns the next batch; `None` when there is nothing to do or another worker was faster.
///
/// # Errors
/// The store's.
pub fn gather(cx: &mut Context<'_, '_>, id: &str, holder: &str, until: Timestamp) -> Result<Option<Round>> {
    let by = Lease {
        now: cx.now,
        until,
        holder,
        most: 1,
    };
    if !states::lease(cx.tx, id, &by)? {
        return Ok(None);
    }
    let found = set_sink::sink(cx, id)?;
    let Some(before) = states::state(cx.tx, id)? else {
        return Ok(None);
    };
    if !found.active {
        states::stop(cx.tx, id)?;
        return Ok(None);
    }
    let (mut position, mut previous, mut bytes) = (before.position, before.sent, 0);
    let mut entries = Vec::new();
    for event in event::page(cx.tx, before.position, batch_after(before.tries))? {
        bytes += event.bytes.len();
        if bytes > BATCH_BYTES && position > before.position {
            break;
        }
        let index = event.seq.unwrap_or(position);
        position = index + 1;
        if found.wants(&event.kind) {
            entries.push(entry(cx, &found, &event, (index, previous))?);
            previous = Some(index);
        }
    }
    let credential = match found.has_credential {
        true => secrets::open(cx, &secrets::sink_name(id))?,
        false => None,
    };
    Ok(Some(Round {
        sink: found,
        credential: credential.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        before,
        position,
        entries,
    }))
}

fn entry(cx: &mut Context<'_, '_>, sink: &Sink, event: &Event, place: (i64, Option<i64>)) -> Result<Entry> {
    let (leaf, _) = opened(cx, event)?;
    let directory = cx.directory()?;
    let texts = match sink.with_texts {
        true => texts(cx, event, &leaf.records)?,
        false => BTreeMap::new(),
    };
    let key = match event.subject_table.as_str() {
        "change" => changes::key_of_id(cx.tx, &event.subject_id)?,
        _ => None,
    };
    Ok(Entry {
        index: place.0,
        previous: place.1,
        id: event.id.clone(),
        kind: event.kind.clone(),
        act: event.act.clone(),
        actor: directory.login(&leaf.actor.as_str().into()),
        actor_id: leaf.actor,
        table: event.subject_table.clone(),
        subject: event.subject_id.clone(),
        key,
        occurred_at: event.occurred_at,
        recorded_at: event.recorded_at,
        data: leaf.data,
        texts,
    })
}

/// The free texts of an event that were not erased, without letters to people and private fields.
fn texts(cx: &mut Context<'_, '_>, event: &Event, records: &[RecordDelta]) -> Result<BTreeMap<String, String>> {
    let kept = salts::of_event(cx.tx, &event.id)?;
    let kept: HashMap<String, String> = kept.into_iter().map(|text| (text.commitment, text.text)).collect();
    let mut found = BTreeMap::new();
    for delta in records.iter().filter(|delta| delta.table != "message") {
        for (field, value) in &delta.set {
            gather_texts(
                &delta.table,
                &format!("{}.{field}", delta.table),
                field,
                value,
                &kept,
                &mut found,
            );
        }
    }
    Ok(found)
}

fn gather_texts(
    table: &str,
    path: &str,
    field: &str,
    value: &Value,
    kept: &HashMap<String, String>,
    found: &mut BTreeMap<String, String>,
) {
    if is_withheld(table, field) || found.len() >= TEXTS {
        return;
    }
    match value {
        Value::Object(map) if is_commitment(map) => {
            let text = map["c"].as_str().and_then(|commitment| kept.get(commitment));
            if let Some(text) = text {
                found.insert(path.to_owned(), text.chars().take(TEXT).collect());
            }
        }
        Value::Object(map) => {
            for (name, inner) in map {
                gather_texts(table, &format!("{path}.{name}"), name, inner, kept, found);
            }
        }
        Value::Array(rows) => {
            for (place, inner) in rows.iter().enumerate() {
                gather_texts(table, &format!("{path}.{place}"), field, inner, kept, found);
            }
        }
        _ => {}
    }
}

/// Keeps a sink from everybody until then, where its entries could not be gathered.
///
/// # Errors
/// The store's.
pub fn leave_alone(cx: &mut Context<'_, '_>, id: &str, holder: &str, until: Timestamp) -> Result<()> {
    let by = Lease {
        now: cx.now,
        until,
        holder,
        most: 1,
    };
    states::lease(cx.tx, id, &by)?;
    Ok(())
}

/// The result of a delivery: delivered, or the reason why not and the seconds that the receiver wants to wait.
pub type Outcome = std::result::Result<(), (String, Option<i64>)>;

/// Records the result of a delivery and releases the sink.
///
/// # Errors
/// The store's.
pub fn settle(cx: &mut Context<'_, '_>, round: &Round, holder: &str, outcome: &Outcome) -> Result<()> {
    let now = cx.now;
    let rest = rest(round, now, outcome);
    if !states::release(cx.tx, round.sink.id.as_str(), holder, &rest)? {
        return Ok(());
    }
    match (rest.failing_since, &rest.error) {
        (Some(since), Some(why)) if since + NOTICE <= now => notice(cx, &round.sink, since, why),
        _ => Ok(()),
    }
}

fn rest(round: &Round, now: Timestamp, outcome: &Outcome) -> Rest {
    let before = &round.before;
    match outcome {
        Ok(()) => Rest {
            position: round.position,
            sent: round.entries.last().map(|entry| entry.index).or(before.sent),
            run_at: now,
            tries: 0,
            failing_since: None,
            error: None,
            delivered_at: (!round.entries.is_empty()).then_some(now),
        },
        Err((why, wait)) => {
            let tries = before.tries + 1;
            let asked = SignedDuration::from_secs(wait.unwrap_or(0).clamp(0, LONGEST_PAUSE_SECONDS));
            Rest {
                position: before.position,
                sent: before.sent,
                run_at: now + pause(tries).max(asked),
                tries,
                failing_since: Some(before.failing_since.unwrap_or(now)),
                error: Some(why.chars().take(500).collect()),
                delivered_at: None,
            }
        }
    }
}

/// Notifies the owner and the administrators that a sink fails; once for each failure.
fn notice(cx: &mut Context<'_, '_>, sink: &Sink, since: Timestamp, why: &str) -> Result<()> {
    let directory = cx.directory()?;
    let mut people = directory.with_role(enums::Role::Admin);
    people.push(sink.owner.clone());
    people.sort();
    people.dedup();
    let subject = format!("The sink {} delivers nothing", sink.name);
    let text = format!(
        "{subject} since {since}: {why}\nNothing is lost: it goes on where it stopped. Look at it:\n  assent sink show {id}\nWhere the \
         receiver refuses one entry for ever, leave that entry out:\n  assent sink move {id} INDEX\n",
        id = sink.id
    );
    let mut written = Written::default();
    for person in people.iter().filter(|person| directory.is_active(person)) {
        let dedup = format!("sink_failing/{}/{since}/{person}", sink.id);
        save_message(
            cx,
            &mut written,
            person,
            None,
            ("sink_failing", &subject, &text, &dedup),
        )?;
    }
    if written.is_empty() {
        return Ok(());
    }
    let now = cx.now;
    let event = write::draft("sink.failing", ("sink", sink.id.0.clone()), now, serde_json::json!({}));
    cx.emit(vec![event], written)
}

/// Sinks of the tenant that fail or are far behind, as text; for `assent doctor`.
///
/// # Errors
/// The store's.
pub fn trouble(cx: &mut Context<'_, '_>) -> Result<Vec<String>> {
    let size = store::audit::log::state(cx.tx)?.map_or(0, |log| log.size);
    let active = store::record::Filter::new().equals("active", true).order_by("id");
    let mut found = Vec::new();
    for sink in store::record::bodies::<Sink>(cx.tx, &active)? {
        let Some(state) = states::state(cx.tx, sink.id.as_str())? else {
            continue;
        };
        let behind = (size - state.position).max(0);
        match (state.failing_since, &state.last_error) {
            (Some(since), Some(why)) => found.push(format!(
                "the sink `{}` fails since {since} and is {behind} entries behind: {why}",
                sink.name
            )),
            _ if behind > FAR_BEHIND => found.push(format!("the sink `{}` is {behind} entries behind", sink.name)),
            _ => {}
        }
    }
    Ok(found)
}

/// From this number of unsent entries on, a sink without failures is far behind.
const FAR_BEHIND: i64 = 10_000;
