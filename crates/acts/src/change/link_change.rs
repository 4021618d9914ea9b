//! Links a change to another or to an incident (`POST …/links`), and removes a link.

use std::collections::{BTreeMap, VecDeque};

use jiff::SignedDuration;
use model::change::around::{LinkEnd, link, unlink};
use model::change::related_records::Link;
use model::core::body::Body;
use model::core::enums::{AboutKind, ActionKind, Closing, LinkKind};
use model::core::ids::{ChangeId, RecordId};
use model::notify::action_item::{About, Due, NewItem, Owner};
use serde_json::Value;
use store::change::changes;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::notify::action_items::open;

/// The most changes that are read to find a loop of dependencies.
const MOST: usize = 10_000;
/// The time in which the owner completes the points that a review's addendum leaves open.
const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_hours(24 * 14);

/// Adds a link; returns its id.
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn link_change(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<RecordId> {
    let wanted = body
        .get("to")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_uppercase();
    let kind = body.get("kind").and_then(Value::as_str).unwrap_or_default();
    // A change that the acting person does not see counts as unknown.
    let end = match changes::id_of_key(cx.tx, &wanted)? {
        Some(id) if cx.sees(&id)? => {
            let from = cx.change(key)?.id;
            let id = ChangeId::from(id.as_str());
            let way_back = way_back(cx, kind, (&id, &wanted), &from)?;
            Some(LinkEnd {
                id,
                key: wanted.clone(),
                way_back,
            })
        }
        _ => None,
    };
    let id = cx.on_change(key, |case| link(case, body, &|_| end.clone()))?;
    request_open_points(cx, key, kind)?;
    Ok(id)
}

/// Requests the open points of an addendum from the owner of a closed change, if the addendum records an incident that
/// the change caused.
fn request_open_points(cx: &mut Context<'_, '_>, key: &str, kind: &str) -> Result<()> {
    if kind != LinkKind::Caused.as_str() {
        return Ok(());
    }
    let change = cx.change(key)?;
    let Some(review) = change.reviews.last().filter(|review| review.is_unanswered()) else {
        return Ok(());
    };
    let incident = review.incidents.first().map(String::as_str).unwrap_or_default();
    // The last addendum may record that a cause was withdrawn.
    if !change.caused_incidents.iter().any(|row| row.incident == incident) {
        return Ok(());
    }
    let item = NewItem {
        part: proof::crypto::digest_text(incident.as_bytes()),
        services: change.content.targets.iter().map(|it| it.service.clone()).collect(),
        owner: Owner::Person(change.content.owner.clone()),
        due: Due::At(cx.now + ANSWERED_WITHIN),
        closing: Closing::Person,
        ..NewItem::new(
            ActionKind::Other,
            About::new(AboutKind::Change, change.key.as_str()),
            format!("Review {} again: the change caused {incident}", change.key),
        )
    };
    open(cx, item).map(drop)
}

/// Removes a link (`DELETE …/links/{id}`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn unlink_change(cx: &mut Context<'_, '_>, key: &str, id: &RecordId) -> Result<()> {
    cx.on_change(key, |case| unlink(case, id))
}

/// The keys from one change to another over links of a kind, both included; empty without a path.
fn way_back(
    cx: &mut Context<'_, '_>,
    kind: &str,
    (from, key): (&ChangeId, &str),
    to: &ChangeId,
) -> Result<Vec<String>> {
    let mut ways: BTreeMap<ChangeId, Vec<String>> = BTreeMap::from([(from.clone(), vec![key.to_owned()])]);
    let mut open = VecDeque::from([from.clone()]);
    while let Some(at) = open.pop_front() {
        let way = ways.get(&at).cloned().unwrap_or_default();
        let filter = Filter::new()
            .equals("from_change", at.as_str())
            .equals("kind", kind)
            .order_by("id");
        for stored in record::find::<Link>(cx.tx, &filter)? {
            let Some(next) = stored.record.to_change.filter(|_| stored.record.removed_at.is_none()) else {
                continue;
            };
            let mut further = way.clone();
            further.push(stored.record.to);
            if &next == to {
                return Ok(further);
            }
            if !ways.contains_key(&next) && ways.len() < MOST {
                ways.insert(next.clone(), further);
                open.push_back(next);
            }
        }
    }
    Ok(Vec::new())
}
