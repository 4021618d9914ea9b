//! A permit ahead of its window, as a file: it is signed for this response alone and shown nowhere again.

use acts::gate::verbs;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::form::Form;
use crate::web::shared::view::{Visitor, problem, reader_of, write};

/// Issues a permit ahead, as the API does, and returns it as a file.
pub(crate) async fn fetch(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    let back = format!("{}/changes/{}", visitor.base(), escaped(&key));
    let done = write(&state, &visitor, move |cx| {
        let directory = cx.directory()?;
        let body = form.decode(&reader_of(cx, &directory), &[]).body;
        let (permit, token) = verbs::issue_permit(cx, &key, &body)?;
        Ok((permit.change_key, permit.service, token))
    })
    .await;
    match done {
        Ok((key, service, token)) => {
            let name = format!("attachment; filename=\"{key}-{service}.permit.jwt\"");
            let headers = [
                (header::CONTENT_TYPE, "application/jwt".to_owned()),
                (header::CONTENT_DISPOSITION, name),
                (header::CACHE_CONTROL, "no-store".to_owned()),
            ];
            (StatusCode::OK, headers, format!("{token}\n")).into_response()
        }
        Err(failure) => problem(&state, &visitor, &failure, &back).await,
    }
}
