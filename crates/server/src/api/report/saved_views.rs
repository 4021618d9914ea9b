//! Saved views of lists: the caller's own, and those that others share.

use acts::report::saved_views::{self, LISTS, SavedView};
use serde_json::{Value, json};

use crate::api::shared::records::keyed;
use crate::http::route::{Ask, Reply, Route};

/// The views.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_views", |cx, ask| {
        let (list, me) = (list_of(ask), cx.actor.person.clone());
        let own = saved_views::find_views(cx, list)?;
        let shared = saved_views::find_shared_views(cx, list)?;
        let directory = cx.directory()?;
        let tenant = cx.tenant();
        let own = own.into_iter().map(|view| (me.clone(), view));
        let rows = own.chain(shared).map(|(owner, view)| {
            let login = directory.login(&owner);
            let key = format!("{}/{login}", view.name);
            (key, shown(&tenant, list, &login, owner == me, &view))
        });
        keyed(ask, rows)
    }),
    Route::reads("show_view", |cx, ask| {
        let view = saved_views::find_view(cx, list_of(ask), ask.place(0))?;
        own(cx, list_of(ask), &view)
    }),
    Route::writes("create_view", |cx, ask| {
        let (list, view) = saved_views::create_view(cx, &ask.body)?;
        Ok(Reply {
            status: 201,
            ..own(cx, &list, &view)?
        })
    }),
    Route::edits(
        "edit_view",
        |cx, ask| Ok(Some(saved_views::find_view(cx, list_of(ask), ask.place(0))?.version)),
        |cx, ask| {
            let view = saved_views::change_view(cx, list_of(ask), ask.place(0), &ask.body)?;
            own(cx, list_of(ask), &view)
        },
    ),
    Route::writes("remove_view", |cx, ask| {
        let view = saved_views::find_view(cx, list_of(ask), ask.place(0))?;
        saved_views::remove_view(cx, list_of(ask), &view.name)?;
        own(cx, list_of(ask), &view)
    }),
];

/// The list of the view; only one list has views so far.
fn list_of(ask: &Ask) -> &str {
    ask.query("list").unwrap_or(LISTS[0])
}

fn own(cx: &mut acts::Context<'_, '_>, list: &str, view: &SavedView) -> acts::Result<Reply> {
    let login = cx.directory()?.login(&cx.actor.person);
    Ok(Reply::ok(shown(&cx.tenant(), list, &login, true, view)).tagged(view.version))
}

fn shown(tenant: &str, list: &str, owner: &str, is_own: bool, view: &SavedView) -> Value {
    json!({
        "list": list, "name": view.name, "query": view.query, "owner": owner, "is_own": is_own,
        "is_shared": view.is_shared, "version": view.version, "page": format!("/t/{tenant}/{list}?{}", view.query),
    })
}
