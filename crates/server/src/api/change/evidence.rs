//! Evidence: a file with its fields (multipart), or JSON alone for a note.

use acts::Context;
use acts::audit::note_look;
use acts::change::add_evidence;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use model::change::related_records::Evidence;
use model::core::body::Body as Fields;
use model::core::ids::RecordId;
use model::core::refusal::Refusal;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use store::{Lane, Mode, record};

use crate::api::change::evidence_file::body_of;
use crate::api::shared::change_replies::item;
use crate::change::keep_evidence::{FIELDS, keep, malformed, take_file, take_text};
use crate::http::address::BASE;
use crate::http::attempts;
use crate::http::body::{JsonBody, Pace, check_length, media_type};
use crate::http::caller::{Caller, Scope};
use crate::http::failure::Failure;
use crate::http::files::NewFile;
use crate::http::handler::{get, post};
use crate::http::route::{Once, Places, Reply, idempotency_key, see_change_as};
use crate::http::state::AppState;

/// How many bytes the form around a file may add to the limit.
const FORM_ROOM: u64 = 64 * 1024;

/// Adding evidence, and getting its file back.
pub(crate) fn router() -> Router<AppState> {
    // The body is counted chunk by chunk below, so the framework's own limit of 2 MiB is lifted.
    let add = post(add).layer(DefaultBodyLimit::disable());
    Router::new()
        .route(&format!("{BASE}/changes/{{key}}/evidence"), add)
        .route(&format!("{BASE}/changes/{{key}}/evidence/{{id}}/file"), get(show_file))
}

/// A received file, and the fields beside it in the form.
struct Received {
    fields: Fields,
    file: Option<(NewFile, String)>,
    digest: String,
}

async fn add(
    State(state): State<AppState>,
    caller: Caller,
    mut places: Places,
    uri: Uri,
    request: Request,
) -> Result<Response, Failure> {
    let key = places.take(0);
    let headers = request.headers().clone();
    check_length(&headers, state.evidence_limit() + FORM_ROOM)?;
    let received = match media_type(&headers).as_str() {
        "multipart/form-data" => from_form(&state, request).await?,
        _ => {
            let body = JsonBody::from_request(request, &state).await?;
            Received {
                fields: body.fields,
                file: None,
                digest: body.digest,
            }
        }
    };
    // A caller who may not see the change is refused before anything is kept.
    check_may_see(&state, &caller, &key).await?;
    let once = Once {
        credential: caller.credential_id().to_owned(),
        path: uri.path().to_owned(),
        key: idempotency_key(&headers)?,
        body_digest: received.digest,
    };
    // A kept response is repeated, even if the change would no longer accept the file.
    let asked = once.clone();
    let known = move |cx: &mut Context<'_, '_>| asked.known(cx);
    if once.key.is_some()
        && let Some(reply) = state.act(Lane::Pages, &caller, Mode::Read, known).await?
    {
        return Ok(reply.into_response());
    }
    let stored = keep(&state, &caller, &key, &received.fields, received.file).await?;
    let fields = received.fields;
    let act = move |cx: &mut Context<'_, '_>| {
        once.run(cx, |cx| {
            let id = add_evidence::add_evidence(cx, &key, &fields, &stored)?;
            let change = cx.change(&key)?;
            Ok(Reply::created(item::<Evidence>(cx, &change, &id)?))
        })
    };
    Ok(state.act(Lane::Acts, &caller, Mode::Write, act).await?.into_response())
}

async fn check_may_see(state: &AppState, caller: &Caller, key: &str) -> Result<(), Failure> {
    let (key, asking) = (key.to_owned(), caller.clone());
    let look = move |cx: &mut Context<'_, '_>| see_change_as(cx, &asking, &key, Scope::Write).map(drop);
    state.act(Lane::Pages, caller, Mode::Read, look).await?;
    attempts::note_scope_use(state, caller, Scope::Write);
    Ok(())
}

async fn from_form(state: &AppState, request: Request) -> Result<Received, Failure> {
    let mut form = Multipart::from_request(request, state)
        .await
        .map_err(|error| malformed(format!("{error}.")))?;
    let mut pace = Pace::new();
    let mut received = Received {
        fields: Fields::new(),
        file: None,
        digest: String::new(),
    };
    let mut seen = proof::crypto::Sha256::new();
    while let Some(field) = pace
        .patiently(form.next_field())
        .await?
        .map_err(|error| malformed(format!("{error}.")))?
    {
        let name = field.name().unwrap_or_default().to_owned();
        seen.update(name.as_bytes());
        if field.file_name().is_some() {
            if received.file.is_some() {
                return Err(malformed("One file at a time."));
            }
            let kind = field.content_type().unwrap_or("application/octet-stream").to_owned();
            let file = take_file(state, field, &mut pace, &mut seen).await?;
            received.file = Some((file, kind));
            continue;
        }
        if received.fields.len() == FIELDS || received.fields.contains_key(&name) {
            return Err(malformed(format!(
                "The field `{name}` stands twice, or there are too many fields."
            )));
        }
        let text = take_text(field, &mut pace).await?;
        seen.update(text.as_bytes());
        received.fields.insert(name, Value::String(text));
    }
    received.digest = proof::crypto::hash_text(&seen.finish());
    Ok(received)
}

/// The file of a piece of evidence, as an attachment that no browser opens by itself.
async fn show_file(State(state): State<AppState>, caller: Caller, mut places: Places) -> Result<Response, Failure> {
    let (key, id) = (places.take(0), places.take(1));
    let asking = caller.clone();
    let look = move |cx: &mut Context<'_, '_>| {
        let change = see_change_as(cx, &asking, &key, Scope::Read)?;
        let id = RecordId::from(id.as_str());
        let found = record::load::<Evidence>(cx.tx, id.as_str())?.map(|stored| stored.record);
        let evidence = found
            .filter(|it| it.change == change.id)
            .ok_or_else(|| Refusal::not_found("evidence"))?;
        // The same content may still be kept for another change; for this change the file was erased.
        if evidence.file_erased_at.is_some() {
            return Err(Refusal::not_found("file").into());
        }
        let noted = note_look::wanted(cx, ("change", &key.to_uppercase()))?;
        Ok((evidence, noted))
    };
    let (evidence, noted) = state.act(Lane::Pages, &caller, Mode::Read, look).await?;
    attempts::note_looked(&state, &caller, noted).await?;
    attempts::note_scope_use(&state, &caller, Scope::Read);
    let (body, length) = body_of(&state, &caller, &evidence).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, attachment(&evidence.name)),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::ETAG, format!("\"{}\"", evidence.file_digest)),
    ];
    Ok((StatusCode::OK, headers, body).into_response())
}

/// What is encoded in the name of an attachment: everything but `attr-char` (RFC 8187, section 3.2.1).
const NOT_IN_NAMES: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// How an attachment is called (RFC 6266): in plain letters for old readers, and as it is written (RFC 8187).
fn attachment(name: &str) -> String {
    let is_odd = |c: char| c.is_control() || "/\\:*?\"<>|%".contains(c);
    let whole: String = name.chars().map(|c| if is_odd(c) { '_' } else { c }).collect();
    let plain: String = whole.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
    let encoded = utf8_percent_encode(&whole, NOT_IN_NAMES);
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attachment_has_a_name_that_harms_nobody() {
        assert_eq!(
            attachment("Unit tests"),
            "attachment; filename=\"Unit tests\"; filename*=UTF-8''Unit%20tests"
        );
        assert_eq!(
            attachment("../\"Prüfung\"\r\nX"),
            "attachment; filename=\"..__Pr_fung___X\"; filename*=UTF-8''..__Pr%C3%BCfung___X"
        );
    }
}
