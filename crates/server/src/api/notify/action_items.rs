//! Action items: the filtered list, and people's acts on an item. The routes to create and show one come from the card.

use acts::Context;
use acts::notify::act_on_items::{acknowledge, assign, settle_item};
use acts::notify::list_items::{ItemQuery, Whose, filter};
use model::core::enums::{AboutKind, ActionKind, ActionState};
use model::core::ids::GroupKey;
use model::core::refusal::Refusal;
use model::notify::action_item::ActionItem;
use std::str::FromStr;
use wire::views;

use crate::api::shared::records::{page, tagged};
use crate::http::route::{Ask, Reply, Route};

/// Action items.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_action_items", list),
    Route::writes("acknowledge_action_item", |cx, ask| {
        let item = acknowledge(cx, ask.place(0), &ask.body)?;
        made(cx, &item)
    }),
    Route::writes("assign_action_item", |cx, ask| {
        let item = assign(cx, ask.place(0), &ask.body)?;
        made(cx, &item)
    }),
    Route::writes("settle_action_item", |cx, ask| {
        let item = settle_item(cx, ask.place(0), &ask.body)?;
        made(cx, &item)
    }),
];

fn made(cx: &mut Context<'_, '_>, item: &ActionItem) -> acts::Result<Reply> {
    let directory = cx.visible()?;
    Ok(Reply {
        status: 201,
        ..tagged(&directory, item)?
    })
}

fn list(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let query = query(cx, ask)?;
    let filter = filter(cx, &query)?;
    page::<ActionItem>(cx, ask, filter, views::shown)
}

fn query(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<ItemQuery> {
    Ok(ItemQuery {
        whose: whose(cx, ask)?,
        state: closed_value::<ActionState>(ask, "state")?,
        open: flag(ask, "open")?,
        kind: closed_value::<ActionKind>(ask, "kind")?,
        about_kind: closed_value::<AboutKind>(ask, "about_kind")?,
        about: ask.query("about").map(str::to_owned),
        overdue: flag(ask, "overdue")?,
    })
}

fn whose(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Whose> {
    let given = ["whose", "owner", "group"]
        .into_iter()
        .filter(|name| ask.query(name).is_some());
    if given.count() > 1 {
        let text = "Name one of `whose`, `owner` and `group`.";
        return Err(Refusal::field("whose", "several", text).into());
    }
    if let Some(login) = ask.query("owner") {
        let directory = cx.visible()?;
        let person = directory.by_login(login);
        let text = format!("There is no person with the login `{login}`.");
        let person = person.ok_or_else(|| Refusal::field("owner", "unknown", text))?;
        return Ok(Whose::Person(person.id.clone()));
    }
    if let Some(group) = ask.query("group") {
        return Ok(Whose::Group(GroupKey::from(group)));
    }
    match ask.query("whose") {
        None => Ok(Whose::All),
        Some("mine") => Ok(Whose::Mine),
        Some("team") => Ok(Whose::Team),
        Some("unowned") => Ok(Whose::Unowned),
        Some(_) => {
            let text = "`whose` is `mine`, `team` or `unowned`.";
            Err(Refusal::field("whose", "unknown_word", text).into())
        }
    }
}

fn closed_value<T: FromStr<Err = String>>(ask: &Ask, name: &'static str) -> acts::Result<Option<T>> {
    let Some(text) = ask.query(name) else { return Ok(None) };
    let wrong = |help: String| Refusal::field(name, "unknown_word", format!("`{name}`: {help}."));
    Ok(Some(text.parse().map_err(wrong)?))
}

fn flag(ask: &Ask, name: &'static str) -> acts::Result<bool> {
    match ask.query(name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => {
            let text = format!("`{name}` is `true` or `false`.");
            Err(Refusal::field(name, "unknown_word", text).into())
        }
    }
}
