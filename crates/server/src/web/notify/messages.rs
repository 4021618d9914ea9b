//! The reader's messages.

use std::collections::{BTreeMap, BTreeSet};

use acts::report::find_records;
use axum::extract::State;
use axum::response::Response;
use model::change::related_records::Message;
use model::core::act::actions;
use pages::{MessageRow, Messages, Place};
use store::change::changes;

use crate::http::state::AppState;
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::beginning;

/// How many messages are shown.
const MESSAGES: i64 = 200;

/// The titles of the changes that messages refer to, by key, as far as the reader may see changes.
fn titles(view: &mut View<'_, '_, '_>, messages: &[Message]) -> acts::Result<BTreeMap<String, String>> {
    if !view.may(actions::READ) {
        return Ok(BTreeMap::new());
    }
    let keys: BTreeSet<&str> = messages.iter().filter_map(|it| it.change_key.as_deref()).collect();
    let keys: Vec<&str> = keys.into_iter().collect();
    Ok(changes::titles_of_keys(view.cx.tx, &keys)?)
}

/// The reader's messages.
pub(crate) async fn messages(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Messages, |view| {
        let day_ago = view.now() - jiff::SignedDuration::from_hours(24);
        let mut found = find_records::find_messages(view.cx, MESSAGES)?;
        // A history that was filled in afterwards, as the demo's, was not written in the order of its times.
        found.sort_by_key(|it| std::cmp::Reverse(it.at));
        let titles = titles(view, &found)?;
        let rows = found.into_iter().map(|message| MessageRow {
            href: message
                .change_key
                .as_deref()
                .map(|key| view.change_url(key))
                .unwrap_or_default(),
            about: message
                .change_key
                .as_ref()
                .and_then(|key| titles.get(key).cloned())
                .unwrap_or_default(),
            summary: view.plain(&beginning(&message.text, 160)),
            is_new: message.at > day_ago,
            sent: view.reader.moment(message.at),
            delivery: match message.delivery.as_str() {
                "mailed" => "by mail",
                "failed" => "mail failed",
                "kept" => "here only",
                "held" => "by mail later, as you wished",
                _ => "on its way",
            }
            .to_owned(),
            subject: message.subject,
        });
        let rows: Vec<MessageRow> = rows.collect();
        let page = Messages {
            frame: view.frame.clone(),
            count: format!("{} shown", rows.len()),
            rows,
            ..Messages::default()
        };
        Ok(page.render())
    })
    .await
}
