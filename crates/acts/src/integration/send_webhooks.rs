//! The deliveries of outgoing webhooks: collected in one transaction, sent outside of any, and recorded in another. A round
//! that is lost between the two is sent again: receivers know a delivery by its event's id.

use jiff::{SignedDuration, Timestamp};
use model::change::record::Change;
use model::core::enums;
use model::integration::webhook::{Card, TRIED_DAYS, Webhook, pause};
use store::audit::event::{self, Event};
use store::change::changes;
use store::integration::webhook::{self, Delivery, Rest, Tried};
use store::{Lease, record};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::secrets;
use crate::core::write::{self, Written};
use crate::integration::set_webhook;
use crate::notify::chat_card;

/// How many events of the log one round reads.
const LOOKED_AT: i64 = 200;
/// How many deliveries leave in one round.
const SENT: i64 = 200;
/// After how long a failing webhook's owner is notified.
const NOTICE: SignedDuration = SignedDuration::from_hours(1);

/// One round's work for a webhook.
pub struct Round {
    /// The webhook.
    pub webhook: Webhook,
    /// Its secrets, the present one first.
    pub secrets: Vec<Vec<u8>>,
    /// How it was before.
    pub before: webhook::State,
    /// Where they go.
    pub address: String,
    /// The deliveries, in order.
    pub parcels: Vec<Parcel>,
}

/// One thing that leaves.
pub struct Parcel {
    /// Its place on the way.
    pub delivery: Delivery,
    /// Its event.
    pub event: Event,
    /// The subject's readable name: a change's key, else a record's id.
    pub subject: String,
    /// The card for a chat.
    pub card: Option<Card>,
}

fn lease<'a>(cx: &Context<'_, '_>, holder: &'a str, until: Timestamp) -> Lease<'a> {
    Lease {
        now: cx.now,
        until,
        holder,
        most: 1,
    }
}

/// Keeps a webhook from everybody until then.
///
/// # Errors
/// The store's.
pub fn leave_alone(cx: &mut Context<'_, '_>, id: &str, holder: &str, until: Timestamp) -> Result<()> {
    let by = lease(cx, holder, until);
    webhook::lease(cx.tx, id, &by)?;
    Ok(())
}

/// Locks a webhook, reads the log's next events and returns the deliveries that may be sent; `None` when there is nothing to
/// do.
///
/// # Errors
/// The store's.
pub fn gather(cx: &mut Context<'_, '_>, id: &str, holder: &str, until: Timestamp) -> Result<Option<Round>> {
    let now = cx.now;
    let by = lease(cx, holder, until);
    if !webhook::lease(cx.tx, id, &by)? {
        return Ok(None);
    }
    let found = set_webhook::webhook(cx, id)?;
    let Some(before) = webhook::state(cx.tx, id)? else {
        return Ok(None);
    };
    let given_up = now - SignedDuration::from_hours(24 * TRIED_DAYS);
    if webhook::expire(cx.tx, id, given_up, now)? > 0 {
        notice(cx, &found, "webhook_gave_up", &now.strftime("%F").to_string())?;
    }
    let mut parcels = Vec::new();
    for delivery in next(cx, &found, before.position)? {
        if let Some(event) = event::load(cx.tx, &delivery.event_id)? {
            let key = changes::key_of_id(cx.tx, &delivery.subject)?;
            let card = if found.format.is_usual() {
                None
            } else {
                Some(card(cx, &delivery.subject, &event)?)
            };
            let subject = key.unwrap_or_else(|| event.subject_id.clone());
            parcels.push(Parcel {
                delivery,
                event,
                subject,
                card,
            });
        }
    }
    let mut secrets: Vec<Vec<u8>> = secrets::open(cx, &secrets::secret_name(id))?.into_iter().collect();
    if found.both_sign(now) {
        secrets.extend(secrets::open(cx, &secrets::former_name(id))?);
    }
    let address = match found.format.is_usual() {
        true => found.url.clone(),
        false => {
            let kept = secrets::open(cx, &secrets::address_name(id))?.unwrap_or_default();
            String::from_utf8_lossy(&kept).into_owned()
        }
    };
    Ok(Some(Round {
        webhook: found,
        address,
        secrets,
        before,
        parcels,
    }))
}

/// The deliveries that may be sent next. The log is read only when few deliveries are left, so that the queue stays short
/// however long a receiver was away: each round looks through all of it.
fn next(cx: &mut Context<'_, '_>, found: &Webhook, position: i64) -> Result<Vec<Delivery>> {
    let (id, now) = (found.id.as_str(), cx.now);
    let ready = webhook::ready(cx.tx, id, now, SENT)?;
    if i64::try_from(ready.len()).is_ok_and(|count| count >= SENT) {
        return Ok(ready);
    }
    look_ahead(cx, found, position)?;
    Ok(webhook::ready(cx.tx, id, now, SENT)?)
}

/// Queues the log's next events, as far as the webhook wants them.
fn look_ahead(cx: &mut Context<'_, '_>, found: &Webhook, position: i64) -> Result<()> {
    let now = cx.now;
    let events = event::page(cx.tx, position, LOOKED_AT)?;
    let Some(last) = events.last().and_then(|event| event.seq) else {
        return Ok(());
    };
    for event in events.iter().filter(|event| found.wants(&event.kind)) {
        if !found.format.is_usual() && chat_card::is_repeated(event)? {
            continue;
        }
        let subject = subject_of(cx, event)?;
        if !is_about(cx, found, &subject)? {
            continue;
        }
        webhook::enqueue(cx.tx, found.id.as_str(), event, &subject, now)?;
    }
    webhook::move_to(cx.tx, found.id.as_str(), last + 1)?;
    Ok(())
}

/// Whether something is about a service of a webhook's filter.
fn is_about(cx: &mut Context<'_, '_>, found: &Webhook, subject: &str) -> Result<bool> {
    if found.services.is_empty() {
        return Ok(true);
    }
    let change = record::load::<Change>(cx.tx, subject)?;
    Ok(change.is_some_and(|change| {
        let targets = &change.record.content.targets;
        targets.iter().any(|target| found.services.contains(&target.service))
    }))
}

/// The chat's card about an event: it shows the change's present state, which is what a decision would see. The formatter adds
/// the card's buttons; the card of a communication has the text of its plan.
fn card(cx: &mut Context<'_, '_>, subject: &str, event: &Event) -> Result<Card> {
    let base = format!("{}/t/{}", cx.services.tools().public_url, cx.tenant());
    let what = event.kind.replace(['.', '_'], " ");
    let Some(stored) = record::load::<Change>(cx.tx, subject)? else {
        return Ok(Card {
            news: what,
            title: String::new(),
            facts: Vec::new(),
            answers: Vec::new(),
            link: format!("{base}/"),
        });
    };
    let (change, directory) = (stored.record, cx.directory()?);
    let link = format!("{base}/changes/{}", change.key);
    if let Some((news, lines)) = chat_card::card_text(cx, event, &change)? {
        return Ok(Card {
            news,
            title: change.content.title.clone(),
            facts: Vec::new(),
            answers: vec![(change.key.clone(), lines)],
            link,
        });
    }
    let news = match event.kind.as_str() {
        "change.assessed" => format!("{} asks for a decision", change.key),
        _ => format!("{}: {what}", change.key),
    };
    let facts = vec![
        ("Kind".to_owned(), change.content.kind.to_string()),
        ("Risk".to_owned(), change.risk.level.to_string()),
        ("State".to_owned(), change.state.to_string()),
        ("Asked for by".to_owned(), directory.name(&change.requester)),
    ];
    Ok(Card {
        news,
        title: change.content.title.clone(),
        facts,
        answers: Vec::new(),
        link,
    })
}

/// The subject by which deliveries are ordered: the change that the event names, else the event's own subject.
fn subject_of(cx: &mut Context<'_, '_>, event: &Event) -> Result<String> {
    let leaf: serde_json::Value = serde_json::from_slice(&event.bytes)?;
    let named = leaf["data"]["change"].as_str();
    let change = named.map(|key| changes::id_of_key(cx.tx, key)).transpose()?.flatten();
    Ok(change.unwrap_or_else(|| event.subject_id.clone()))
}

/// Records the result of a round and releases the webhook.
///
/// # Errors
/// The store's.
pub fn settle(cx: &mut Context<'_, '_>, round: &Webhook, holder: &str, tried: &[Tried], rest: &Rest) -> Result<()> {
    let now = cx.now;
    if !webhook::holds(cx.tx, round.id.as_str(), holder)? {
        return Ok(());
    }
    for one in tried {
        webhook::note(cx.tx, round.id.as_str(), one, now)?;
    }
    webhook::release(cx.tx, round.id.as_str(), holder, rest)?;
    match rest.failing_since {
        Some(since) if since + NOTICE <= now => notice(cx, round, "webhook_failing", &since.to_string()),
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
    let asked = SignedDuration::from_secs(
        wait.unwrap_or(0)
            .clamp(0, model::integration::webhook::LONGEST_PAUSE_SECONDS),
    );
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

/// Notifies the owner and the administrators, once for each matter, that a webhook fails or that deliveries were given up.
fn notice(cx: &mut Context<'_, '_>, found: &Webhook, topic: &str, matter: &str) -> Result<()> {
    let directory = cx.directory()?;
    let mut people = directory.with_role(enums::Role::Admin);
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
        model::integration::webhook::KEPT_DAYS,
        id = found.id
    );
    let mut written = Written::default();
    for person in people.iter().filter(|person| directory.is_active(person)) {
        let dedup = format!("{topic}/{}/{matter}/{person}", found.id);
        save_message(cx, &mut written, person, None, (topic, &subject, &text, &dedup))?;
    }
    if written.is_empty() {
        return Ok(());
    }
    let now = cx.now;
    let kind = if topic == "webhook_gave_up" {
        "webhook.gave_up"
    } else {
        "webhook.failing"
    };
    let event = write::draft(kind, ("webhook", found.id.0.clone()), now, serde_json::json!({}));
    cx.emit(vec![event], written)
}
