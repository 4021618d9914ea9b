//! Tokens of the API.

use acts::identity::set_token;
use model::core::act;
use model::directory::snapshot::Token;
use serde_json::json;
use store::identity::session;
use store::record::Filter;
use wire::views;

use crate::api::shared::records::{new_one, page, tagged};
use crate::http::caller::Scope;
use crate::http::route::Route;

/// Tokens.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_tokens", |cx, ask| {
        cx.allow(act::actions::SET_TOKEN)?;
        let uses = session::token_uses(cx.tx)?;
        let mut reply = page::<Token>(cx, ask, Filter::new(), views::shown)?;
        for item in reply.body["items"].as_array_mut().into_iter().flatten() {
            if let Some(at) = item["id"].as_str().and_then(|id| uses.get(id)) {
                item["last_used_at"] = json!(at);
            }
        }
        Ok(reply)
    })
    .scope(Scope::Admin),
    Route::writes("create_token", |cx, ask| {
        let (token, secret) = set_token::create_token(cx, &ask.body)?;
        let mut reply = new_one(cx, &token)?.shown_once(&["token"]);
        reply.body["token"] = json!(secret);
        Ok(reply)
    })
    .scope(Scope::Admin),
    Route::writes("revoke_token", |cx, ask| {
        let ended = set_token::revoke_token(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &ended)
    }),
];
