//! Signing keys: the list, and their rotation.

use acts::Context;
use acts::audit::turn_key;
use acts::core::signing_keys;
use model::audit::key_rotation::KeyRotation;
use model::core::act::actions::SET_CONNECTION;
use serde_json::{Value, json};
use store::audit::keys::SigningKey;
use wire::views;

use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// The table.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_keys", keys).scope(Scope::Admin),
    Route::writes("rotate_key", |cx, ask| {
        let turn = turn_key::rotate_key(cx, ask.place(0), &ask.body)?;
        turned(cx, &turn)
    })
    .scope(Scope::Admin),
    Route::writes("revoke_key", |cx, ask| {
        let turn = turn_key::revoke_key(cx, ask.place(0), &ask.body)?;
        turned(cx, &turn)
    })
    .scope(Scope::Admin),
];

fn keys(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(SET_CONNECTION)?;
    let turns = signing_keys::turns(cx)?;
    let directory = cx.directory()?;
    let mut items = Vec::new();
    for purpose in signing_keys::PURPOSES {
        for key in store::audit::keys::list(cx.tx, purpose)? {
            let own = turns.iter().filter(|turn| turn.kid == key.kid);
            let own: Vec<Value> = own.map(|turn| views::shown(turn, &directory)).collect();
            items.push(view(&key, own));
        }
    }
    ask.whole(items)
}

fn view(key: &SigningKey, turns: Vec<Value>) -> Value {
    json!({
        "kid": key.kid,
        "purpose": key.purpose,
        "state": key.state,
        "public": key.public,
        "created_at": key.created_at,
        "turns": turns,
    })
}

fn turned(cx: &mut Context<'_, '_>, turn: &KeyRotation) -> acts::Result<Reply> {
    let directory = cx.directory()?;
    Ok(Reply::created(views::shown(turn, &directory)))
}
