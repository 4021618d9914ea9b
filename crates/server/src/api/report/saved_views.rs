//! Saved views of lists: one's own, and those that others share.

use acts::report::saved_views;
use acts::report::saved_views::{LISTS, SavedView};
use serde_json::{Value, json};

use crate::api::shared::records::keyed;
use crate::http::route::{Ask, Reply, Route};

/// The views.
pub(crate) const ROUTES: &[Route] = &[
    Route::get(
        "/views",
        "Lists one's own views and those that others share.",
        |room, ask| {
            let (list, me) = (list_of(ask), room.actor.person.clone());
            let own = saved_views::find_views(room, list)?;
            let shared = saved_views::find_shared_views(room, list)?;
            let directory = room.directory()?;
            let tenant = room.tenant();
            let own = own.into_iter().map(|view| (me.clone(), view));
            let rows = own.chain(shared).map(|(owner, view)| {
                let login = directory.login(&owner);
                let key = format!("{}/{login}", view.name);
                (key, shown(&tenant, list, &login, owner == me, &view))
            });
            keyed(ask, rows)
        },
    ),
    Route::get("/views/{name}", "Shows one of one's own views.", |room, ask| {
        let view = saved_views::find_view(room, list_of(ask), ask.place(0))?;
        own(room, list_of(ask), &view)
    }),
    Route::post(
        "/views",
        "Keeps filters and columns of a list as a view.",
        |room, ask| {
            let (list, view) = saved_views::create_view(room, &ask.body)?;
            Ok(Reply {
                status: 201,
                ..own(room, &list, &view)?
            })
        },
    ),
    Route::patch(
        "/views/{name}",
        "Renames or changes a view, shares it or keeps it to oneself.",
        |room, ask| Ok(Some(saved_views::find_view(room, list_of(ask), ask.place(0))?.version)),
        |room, ask| {
            let view = saved_views::change_view(room, list_of(ask), ask.place(0), &ask.body)?;
            own(room, list_of(ask), &view)
        },
    ),
    Route::delete("/views/{name}", "Removes a view.", |room, ask| {
        let view = saved_views::find_view(room, list_of(ask), ask.place(0))?;
        saved_views::remove_view(room, list_of(ask), &view.name)?;
        own(room, list_of(ask), &view)
    }),
];

/// Which list; there is one so far.
fn list_of(ask: &Ask) -> &str {
    ask.query("list").unwrap_or(LISTS[0])
}

fn own(room: &mut acts::Room<'_, '_>, list: &str, view: &SavedView) -> acts::Result<Reply> {
    let login = room.directory()?.login(&room.actor.person);
    Ok(Reply::ok(shown(&room.tenant(), list, &login, true, view)).tagged(view.version))
}

fn shown(tenant: &str, list: &str, owner: &str, is_own: bool, view: &SavedView) -> Value {
    json!({
        "list": list, "name": view.name, "query": view.query, "owner": owner, "is_own": is_own,
        "is_shared": view.is_shared, "version": view.version, "page": format!("/t/{tenant}/{list}?{}", view.query),
    })
}
