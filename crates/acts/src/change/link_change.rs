//! Links a change to another or to an incident (`POST …/links`), and takes a link away.

use std::collections::{BTreeMap, VecDeque};

use model::change::around::{LinkEnd, link, unlink};
use model::change::related_records::Link;
use model::core::body::Body;
use model::core::ids::{ChangeId, RecordId};
use serde_json::Value;
use store::change::changes;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The most changes that are looked at for a loop of dependencies.
const MOST: usize = 10_000;

/// Links; answers the link's id.
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
    // A change that the acting person does not see is none.
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
    cx.on_change(key, |case| link(case, body, &|_| end.clone()))
}

/// Takes a link away (`DELETE …/links/{id}`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn unlink_change(cx: &mut Context<'_, '_>, key: &str, id: &RecordId) -> Result<()> {
    cx.on_change(key, |case| unlink(case, id))
}

/// The keys from one change to another over links of a kind, both included; empty when there is no way.
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
