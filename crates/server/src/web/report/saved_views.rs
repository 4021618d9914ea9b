//! Views of a list that a person keeps under a name.

use acts::report::saved_views::{change_view, find_view, remove_view, save_view};
use axum::extract::State;
use axum::response::Response;
use model::core::body;

use crate::http::state::AppState;
use crate::web::change::list::{self, LIST};
use crate::web::shared::form::Form;
use crate::web::shared::form_page::Back;
use crate::web::shared::response::see;
use crate::web::shared::view::{Visitor, problem, write};

/// Keeps the filters and columns of the list of changes as a view.
pub(crate) async fn save(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let query = form.first("query").to_owned();
    let list = list_url(&visitor, &query);
    let (sent, kept_query) = (form.clone(), query.clone());
    let kept = write(&state, &visitor, move |cx| {
        save_view(cx, LIST, sent.first("name"), &kept_query)
    })
    .await;
    match kept {
        Ok(()) => see(&list),
        Err(failure) if failure.status() == 422 => {
            let back = Back::new(&state, &visitor, "/views", form, failure);
            list::show_back(&state, &visitor, &query, back).await
        }
        Err(failure) => problem(&state, &visitor, &failure, &list).await,
    }
}

/// Takes a view away.
pub(crate) async fn remove(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let list = list_url(&visitor, "");
    match write(&state, &visitor, move |cx| remove_view(cx, LIST, form.first("name"))).await {
        Ok(()) => see(&list),
        Err(failure) => problem(&state, &visitor, &failure, &list).await,
    }
}

/// Shows a view to everybody, or keeps it to oneself again.
pub(crate) async fn share(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let list = list_url(&visitor, "");
    let shared = write(&state, &visitor, move |cx| {
        let mut wish = body::Body::new();
        wish.insert("is_shared".to_owned(), (form.first("is_shared") == "yes").into());
        let name = find_view(cx, LIST, form.first("name"))?.name;
        Ok(change_view(cx, LIST, &name, &wish)?.query)
    })
    .await;
    match shared {
        Ok(query) => see(&list_url(&visitor, &query)),
        Err(failure) => problem(&state, &visitor, &failure, &list).await,
    }
}

fn list_url(visitor: &Visitor, query: &str) -> String {
    // The query from the form becomes part of an address only if it is a valid one already.
    let is_plain = query.chars().all(|c| c.is_ascii_graphic());
    match query.is_empty() || !is_plain {
        true => format!("{}/changes", visitor.base()),
        false => format!("{}/changes?{query}", visitor.base()),
    }
}
