//! The services and items that a change reaches.

use acts::Context;
use acts::risk::find_affected::{Excluded, Reach, find_affected};
use model::change::affected::{Affected, path};
use model::core::refusal::Refusal;
use serde_json::{Value, json};

use crate::http::route::{Ask, Reply, Route};

/// The reach.
pub(crate) const ROUTES: &[Route] = &[Route::reads("show_affected", show_affected)];

/// The most entries of each list in a response.
const MOST: usize = 500;
/// The most names of a way; the middle of a longer one is counted.
const MOST_ON_A_WAY: usize = 20;

fn show_affected(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let from = number(ask, "from", 0)?;
    let depth = number(ask, "depth", usize::MAX)?;
    let found = find_affected(cx, ask.place(0))?;
    Ok(Reply::ok(view(&found, from, depth)))
}

fn number(ask: &Ask, name: &str, usual: usize) -> acts::Result<usize> {
    let Some(text) = ask.query(name) else { return Ok(usual) };
    text.parse().map_err(|_| {
        let help = format!("`{name}` is a whole number.");
        Refusal::field(name, "not_a_number", help).into()
    })
}

fn view(found: &Reach, from: usize, depth: usize) -> Value {
    let far = usize::try_from(found.far).unwrap_or(usize::MAX);
    let beyond = found.outage.iter().filter(|one| one.distance > far).count();
    let mut view = json!({
        "change": found.key,
        "digest": found.digest,
        "cut_off": {"arrows": found.far, "beyond": beyond},
        "outage": list(&found.outage, from, depth, |_| true),
        "data": list(&found.data, from, depth, |one| one.by_data),
        "excluded": found.excluded.iter().map(excluded).collect::<Vec<_>>(),
        "open_questions": found.open_questions.iter().map(|it| json!({"question": it, "text": it.asked()})).collect::<Vec<_>>(),
    });
    if let Some(kept) = &found.assessed {
        view["assessed"] = json!({"digest": kept.digest, "count": kept.count, "at": kept.at});
        if let Some(at) = kept.grown_at {
            view["assessed"]["grown_at"] = json!(at);
        }
    }
    if let Some(grown) = &found.grown {
        view["grown"] = json!({"count": grown.count, "things": grown.things.iter().take(MOST).collect::<Vec<_>>()});
    }
    view
}

/// A page of the items that a change reaches, with their count.
fn list(found: &[Affected], from: usize, depth: usize, shows: impl Fn(&Affected) -> bool) -> Value {
    let is_shown = |one: &Affected| one.distance > 0 && one.distance <= depth && shows(one);
    let places: Vec<usize> = (0..found.len()).filter(|place| is_shown(&found[*place])).collect();
    let items = places.iter().skip(from).take(MOST).map(|place| item(found, *place));
    json!({
        "count": places.len(),
        "more": places.len() > from.saturating_add(MOST),
        "items": items.collect::<Vec<_>>(),
    })
}

fn item(found: &[Affected], place: usize) -> Value {
    let one = &found[place];
    let mut way = path(found, place);
    let left_out = way.len().saturating_sub(MOST_ON_A_WAY);
    if left_out > 0 {
        way.drain(MOST_ON_A_WAY / 2..MOST_ON_A_WAY / 2 + left_out);
    }
    let mut view = json!({
        "kind": one.kind,
        "key": one.key,
        "distance": one.distance,
        "by": one.by,
        "path": way,
    });
    if left_out > 0 {
        view["path_left_out"] = json!(left_out);
    }
    view
}

fn excluded(row: &Excluded) -> Value {
    let mut view = json!({"item": row.item, "reason": row.reason});
    if let Some(by) = &row.by {
        view["by"] = json!(by);
    }
    if let Some(at) = row.at {
        view["at"] = json!(at);
    }
    view
}
