//! Administration: connections and their deliveries, outgoing webhooks, workloads, identity providers, ownership, working
//! hours, fields of changes, keys and the log's health. None of its pages needs a script.

mod connections;
mod fields;
mod hours;
mod keys;
mod ownership;
mod providers;
mod webhooks;
mod workloads;

use axum::Router;
use pages::Place;

use super::back::Sent;
use super::form::Form;
use crate::plain::{get, plain, post};
use crate::state::AppState;
pub(super) use connections::kind_words;

/// The routes of administration.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route(
            "/t/{tenant}/connections",
            get(connections::show_list).post(plain(connections::create)),
        )
        .route("/t/{tenant}/connections/{id}", get(connections::one))
        .route("/t/{tenant}/connections/{id}/{act}", post(connections::act))
        .route(
            "/t/{tenant}/workloads",
            get(workloads::show_list).post(plain(workloads::create)),
        )
        .route(
            "/t/{tenant}/workloads/{key}",
            get(workloads::one).post(plain(workloads::change)),
        )
        .route("/t/{tenant}/workloads/{key}/end", post(workloads::end))
        .route(
            "/t/{tenant}/webhooks",
            get(webhooks::show_list).post(plain(webhooks::create)),
        )
        .route("/t/{tenant}/webhooks/{id}", get(webhooks::one))
        .route("/t/{tenant}/webhooks/{id}/{act}", post(webhooks::act))
        .route(
            "/t/{tenant}/identity-providers",
            get(providers::show_list).post(plain(providers::set)),
        )
        .route("/t/{tenant}/identity-providers/{key}/end", post(providers::end))
        .route(
            "/t/{tenant}/ownership",
            get(ownership::show_matrix).post(plain(ownership::name)),
        )
        .route("/t/{tenant}/ownership/{id}/end", post(ownership::end))
        .route("/t/{tenant}/hours", get(hours::show_hours).post(plain(hours::set)))
        .route("/t/{tenant}/fields", get(fields::show_fields).post(plain(fields::set)))
        .route("/t/{tenant}/fields/{key}/end", post(fields::end))
        .route("/t/{tenant}/keys", get(keys::show_keys))
}

/// A form of a page that is shown again where it was sent.
fn sent(form: Form, path: String, then: String, place: Place) -> Sent {
    Sent {
        form,
        boxes: &[],
        path,
        then,
        place,
        done: "",
    }
}

/// The lines of a text that say something.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// The pairs of a line: `staging=test production=prod`.
fn pairs<'t>(words: impl Iterator<Item = &'t str>) -> serde_json::Map<String, serde_json::Value> {
    let pair = |word: &str| {
        let (theirs, ours) = word.split_once('=')?;
        Some((
            theirs.trim().to_owned(),
            serde_json::Value::String(ours.trim().to_owned()),
        ))
    };
    words.filter_map(pair).collect()
}
