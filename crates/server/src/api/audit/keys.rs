//! Signing keys: which there are, and their turns.

use acts::Room;
use acts::audit::turn_key;
use acts::core::signing_keys;
use model::audit::key_rotation::KeyTurn;
use model::core::act::actions::SET_CONNECTION;
use serde_json::{Value, json};
use store::audit::keys::SigningKey;
use wire::views;

use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// The table.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/keys", "Lists the signing keys, with what became of each.", keys).scope(Scope::Admin),
    Route::post(
        "/keys/{purpose}/rotation",
        "Gives a purpose a new signing key.",
        |room, ask| {
            let turn = turn_key::rotate_key(room, ask.place(0), &ask.body)?;
            turned(room, &turn)
        },
    )
    .scope(Scope::Admin),
    Route::post(
        "/keys/{kid}/revocation",
        "Revokes a stolen key of permits, with all that it signed.",
        |room, ask| {
            let turn = turn_key::revoke_key(room, ask.place(0), &ask.body)?;
            turned(room, &turn)
        },
    )
    .scope(Scope::Admin),
];

fn keys(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    room.allow(SET_CONNECTION)?;
    let turns = signing_keys::turns(room)?;
    let directory = room.directory()?;
    let mut items = Vec::new();
    for purpose in signing_keys::PURPOSES {
        for key in store::audit::keys::list(room.tx, purpose)? {
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

fn turned(room: &mut Room<'_, '_>, turn: &KeyTurn) -> acts::Result<Reply> {
    let directory = room.directory()?;
    Ok(Reply::created(views::shown(turn, &directory)))
}
