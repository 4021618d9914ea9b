//! What leaves for outgoing webhooks: gathered in one transaction, sent outside of any, and noted in another. A round that
//! is lost between the two is sent again: receivers know a delivery by its event's id.

use jiff::{SignedDuration, Timestamp};
use model::webhook::{TRIED_DAYS, Webhook, pause};
use store::event::Event;
use store::webhook::{Delivery, Rest, Tried};
use store::{Lease, webhook};

use crate::error::Result;
use crate::room::Room;
use crate::save::{Written, save_message};
use crate::{secret, set_webhook};

/// How many events of the log one round looks at.
const LOOKED_AT: i64 = 200;
/// How many deliveries leave in one round.
const SENT: i64 = 50;
/// After how long a failing webhook's owner is told.
const NOTICE: SignedDuration = SignedDuration::from_hours(1);

/// One round's work for a webhook.
pub struct Round {
    /// The webhook.
    pub webhook: Webhook,
    /// Its secrets, the present one first.
    pub secrets: Vec<Vec<u8>>,
    /// How it was before.
    pub before: webhook::State,
    /// What leaves, in order, each with its event and its subject in people's words: a change's key, else a record's id.
    pub parcels: Vec<(Delivery, Event, String)>,
}

/// Takes a webhook, looks at the log's next events and answers what may leave; `None` when there is nothing to do.
///
/// # Errors
/// The store's.
pub fn gather(room: &mut Room<'_, '_>, id: &str, holder: &str, until: Timestamp) -> Result<Option<Round>> {
    let now = room.now;
    let by = Lease {
        now,
        until,
        holder,
        most: 1,
    };
    if !webhook::lease(room.tx, id, &by)? {
        return Ok(None);
    }
    let found = set_webhook::webhook(room, id)?;
    let Some(before) = webhook::state(room.tx, id)? else {
        return Ok(None);
    };
    look_ahead(room, &found, before.position)?;
    let given_up = now - SignedDuration::from_hours(24 * TRIED_DAYS);
    if webhook::expire(room.tx, id, given_up, now)? > 0 {
        notice(room, &found, "webhook_gave_up", &now.strftime("%F").to_string())?;
    }
    let mut parcels = Vec::new();
    for delivery in webhook::ready(room.tx, id, now, SENT)? {
        if let Some(event) = store::event::load(room.tx, &delivery.event_id)? {
            let key = store::changes::key_of_id(room.tx, &delivery.subject)?;
            let subject = key.unwrap_or_else(|| event.subject_id.clone());
            parcels.push((delivery, event, subject));
        }
    }
    let mut secrets: Vec<Vec<u8>> = secret::open(room, &set_webhook::secret_name(id))?.into_iter().collect();
    if found.both_sign(now) {
        secrets.extend(secret::open(room, &set_webhook::former_name(id))?);
    }
    Ok(Some(Round {
        webhook: found,
        secrets,
        before,
        parcels,
    }))
}

/// Puts the log's next events on their way, as far as the webhook wants them.
fn look_ahead(room: &mut Room<'_, '_>, found: &Webhook, position: i64) -> Result<()> {
    let now = room.now;
    let events = store::event::page(room.tx, position, LOOKED_AT)?;
    let Some(last) = events.last().and_then(|event| event.seq) else {
        return Ok(());
    };
    for event in events.iter().filter(|event| found.wants(&event.kind)) {
        let subject = subject_of(room, event)?;
        webhook::enqueue(room.tx, found.id.as_str(), event, &subject, now)?;
    }
    webhook::move_to(room.tx, found.id.as_str(), last + 1)?;
    Ok(())
}

/// What an event is about, for the order of deliveries: the change that it names, else its own subject.
fn subject_of(room: &mut Room<'_, '_>, event: &Event) -> Result<String> {
    let leaf: serde_json::Value = serde_json::from_slice(&event.bytes)?;
    let named = leaf["data"]["change"].as_str();
    let change = named
        .map(|key| store::changes::id_of_key(room.tx, key))
        .transpose()?
        .flatten();
    Ok(change.unwrap_or_else(|| event.subject_id.clone()))
}

/// Notes what became of a round and gives the webhook back.
///
/// # Errors
/// The store's.
pub fn settle(room: &mut Room<'_, '_>, round: &Webhook, holder: &str, tried: &[Tried], rest: &Rest) -> Result<()> {
    let now = room.now;
    if !webhook::holds(room.tx, round.id.as_str(), holder)? {
        return Ok(());
    }
    for one in tried {
        webhook::note(room.tx, round.id.as_str(), one, now)?;
    }
    webhook::release(room.tx, round.id.as_str(), holder, rest)?;
    match rest.failing_since {
        Some(since) if since + NOTICE <= now => notice(room, round, "webhook_failing", &since.to_string()),
        _ => Ok(()),
    }
}

/// How a webhook is left: well, or held back because nobody takes anything there.
pub fn rest(before: &webhook::State, now: Timestamp, last: Option<&Tried>, is_away: bool, wait: Option<i64>) -> Rest {
    let Some(last) = last else {
        return Rest {
            run_at: now,
            tries: before.tries,
            failing_since: before.failing_since,
            status: before.last_status,
            error: before.last_error.clone(),
            delivered_at: None,
        };
    };
    let is_well = last.state == "delivered";
    let tries = if is_away { before.tries + 1 } else { 0 };
    let held = if is_away { pause(tries) } else { SignedDuration::ZERO };
    let asked = SignedDuration::from_secs(wait.unwrap_or(0).clamp(0, model::webhook::LONGEST_PAUSE_SECONDS));
    Rest {
        run_at: now + held.max(if is_away { asked } else { SignedDuration::ZERO }),
        tries,
        failing_since: if is_well {
            None
        } else {
            Some(before.failing_since.unwrap_or(now))
        },
        status: last.status,
        error: last.error.clone(),
        delivered_at: is_well.then_some(now),
    }
}

/// Tells the owner and the administrators that a webhook fails, or that deliveries were given up; once for each matter.
fn notice(room: &mut Room<'_, '_>, found: &Webhook, topic: &str, matter: &str) -> Result<()> {
    let directory = room.directory()?;
    let mut people = directory.with_role(model::words::Role::Admin);
    people.push(found.owner.clone());
    people.sort();
    people.dedup();
    let subject = match topic {
        "webhook_gave_up" => format!("Deliveries to the webhook {} were given up", found.name),
        _ => format!("The webhook {} takes nothing", found.name),
    };
    let text = format!(
        "{subject}.\nEvents are tried for {TRIED_DAYS} days and kept for {} days. Look at it, then send again what was \
         given up:\n  assent webhook deliveries {id} --state dead\n  assent webhook replay {id}\n",
        model::webhook::KEPT_DAYS,
        id = found.id
    );
    let mut written = Written::default();
    for person in people.iter().filter(|person| directory.is_active(person)) {
        let dedup = format!("{topic}/{}/{matter}/{person}", found.id);
        save_message(room, &mut written, person, None, (topic, &subject, &text, &dedup))?;
    }
    if written.is_empty() {
        return Ok(());
    }
    let now = room.now;
    let kind = if topic == "webhook_gave_up" {
        "webhook.gave_up"
    } else {
        "webhook.failing"
    };
    let event = crate::save::draft(kind, ("webhook", found.id.0.clone()), now, serde_json::json!({}));
    room.tell(vec![event], written)
}
