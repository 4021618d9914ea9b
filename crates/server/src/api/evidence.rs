//! Evidence: a file with its fields (multipart), or JSON alone for a note.

use acts::Room;
use axum::Router;
use axum::extract::multipart::Field;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use connect::evidence::{DOCUMENT_MAX_BYTES, Kind, Reading, read};
use model::ids::RecordId;
use model::records::Evidence;
use model::refusal::Refusal;
use model::verbs::Body;
use model::verbs::around::{FileReading, StoredFile};
use serde_json::Value;
use store::record;
use store::{Lane, Mode};

use super::around::item;
use crate::body::{JsonBody, Pace, check_length, media_type};
use crate::caller::{Caller, Scope};
use crate::failure::Failure;
use crate::files::NewFile;
use crate::route::{BASE, Once, Places, Reply, idempotency_key, see_change};
use crate::state::AppState;

/// The largest text field beside a file, in bytes.
const FIELD_LIMIT: usize = 64 * 1024;
/// The most fields beside a file.
const FIELDS: usize = 32;
/// What the form around a file may add to the limit, in bytes.
const FORM_ROOM: u64 = 64 * 1024;

/// Adding evidence, and getting its file back.
pub(crate) fn router() -> Router<AppState> {
    // The body is counted chunk by chunk below, so the framework's own limit of 2 MiB is lifted.
    let add = post(add).layer(DefaultBodyLimit::disable());
    Router::new()
        .route(&format!("{BASE}/changes/{{key}}/evidence"), add)
        .route(&format!("{BASE}/changes/{{key}}/evidence/{{id}}/file"), get(show_file))
}

/// A file as it was received, and what stood beside it.
struct Received {
    fields: Body,
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
    // Whoever may not see the change learns so before anything is kept.
    check_may_see(&state, &caller, &key).await?;
    let once = Once {
        credential: caller.credential_id().to_owned(),
        path: uri.path().to_owned(),
        key: idempotency_key(&headers)?,
        body_digest: received.digest,
    };
    let stored = keep(&state, &caller, &received.fields, received.file).await?;
    let fields = received.fields;
    let act = move |room: &mut Room<'_, '_>| {
        once.run(room, |room| {
            let id = acts::add_evidence::add_evidence(room, &key, &fields, &stored)?;
            let change = room.change(&key)?;
            Ok(Reply::created(item::<Evidence>(room, &change, &id)?))
        })
    };
    Ok(state.act(Lane::Acts, &caller, Mode::Write, act).await?.into_response())
}

async fn check_may_see(state: &AppState, caller: &Caller, key: &str) -> Result<(), Failure> {
    let (key, scope) = (key.to_owned(), caller.clone());
    let look = move |room: &mut Room<'_, '_>| {
        see_change(room, &key)?;
        Ok(scope.check_scope(Scope::Write)?)
    };
    state.act(Lane::Pages, caller, Mode::Read, look).await
}

fn malformed(text: impl Into<String>) -> Failure {
    Failure::new(400, "malformed", text)
}

async fn from_form(state: &AppState, request: Request) -> Result<Received, Failure> {
    let mut form = Multipart::from_request(request, state)
        .await
        .map_err(|error| malformed(format!("{error}.")))?;
    let mut pace = Pace::new();
    let mut received = Received {
        fields: Body::new(),
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

async fn take_file(
    state: &AppState,
    mut field: Field<'_>,
    pace: &mut Pace,
    seen: &mut proof::crypto::Sha256,
) -> Result<NewFile, Failure> {
    let mut file = NewFile::begin(state).await?;
    while let Some(chunk) = pace
        .patiently(field.chunk())
        .await?
        .map_err(|error| malformed(format!("{error}.")))?
    {
        pace.took(chunk.len());
        seen.update(&chunk);
        if file.write(&chunk).await? > state.evidence_limit() {
            let text = format!("A file of evidence has at most {} bytes.", state.evidence_limit());
            return Err(Failure::new(413, "too_large", text));
        }
    }
    Ok(file)
}

async fn take_text(mut field: Field<'_>, pace: &mut Pace) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = pace
        .patiently(field.chunk())
        .await?
        .map_err(|error| malformed(format!("{error}.")))?
    {
        pace.took(chunk.len());
        bytes.extend_from_slice(&chunk);
        if bytes.len() > FIELD_LIMIT {
            return Err(Failure::new(
                413,
                "too_large",
                format!("A field beside a file has at most {FIELD_LIMIT} bytes."),
            ));
        }
    }
    String::from_utf8(bytes).map_err(|_| malformed("A field is not UTF-8 text."))
}

/// Reads the file as its kind says, keeps it under its digest, and says what there is to say of it.
async fn keep(
    state: &AppState,
    caller: &Caller,
    fields: &Body,
    file: Option<(NewFile, String)>,
) -> Result<StoredFile, Failure> {
    let kind = fields.get("kind").and_then(Value::as_str).unwrap_or_default();
    let Some((mut file, media_type)) = file else {
        return without_file(fields, kind);
    };
    let reading = match reader_of(kind) {
        Some(reader) => Some(read_file(&mut file, reader).await?),
        None => None,
    };
    let size = i64::try_from(file.size()).unwrap_or(i64::MAX);
    let digest = file.keep(state, caller).await?;
    Ok(StoredFile {
        digest,
        size,
        media_type,
        reading,
    })
}

fn reader_of(kind: &str) -> Option<Kind> {
    serde_json::from_value(Value::String(kind.to_owned())).ok()
}

fn unreadable(text: String) -> Failure {
    Failure::from(acts::Error::from(Refusal::field("file", "unreadable", text)))
}

async fn read_file(file: &mut NewFile, kind: Kind) -> Result<FileReading, Failure> {
    let Some(bytes) = file.bytes(DOCUMENT_MAX_BYTES).await? else {
        return Err(unreadable(
            "A document that is read has at most 16 MiB; send it as a plain `file`.".to_owned(),
        ));
    };
    let reading = tokio::task::spawn_blocking(move || read(kind, &bytes))
        .await
        .map_err(|error| Failure::fault(&error))?;
    reading.map(found).map_err(|error| unreadable(format!("{error}.")))
}

fn found(reading: Reading) -> FileReading {
    FileReading {
        summary: reading.summary,
        passed: reading.passed,
    }
}

/// JSON alone: a note's file is its text; a document may stand in `text` as well.
fn without_file(fields: &Body, kind: &str) -> Result<StoredFile, Failure> {
    let text = fields.get("text").and_then(Value::as_str).unwrap_or_default();
    let reading = match reader_of(kind) {
        Some(reader) => Some(found(
            read(reader, text.as_bytes()).map_err(|error| unreadable(format!("{error}.")))?,
        )),
        None => None,
    };
    let size = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let media_type = "text/plain; charset=utf-8".to_owned();
    Ok(StoredFile {
        digest: proof::crypto::digest_text(text.as_bytes()),
        size,
        media_type,
        reading,
    })
}

/// The file of a piece of evidence, as an attachment that no browser opens by itself.
async fn show_file(State(state): State<AppState>, caller: Caller, mut places: Places) -> Result<Response, Failure> {
    let (key, id) = (places.take(0), places.take(1));
    let scope = caller.clone();
    let look = move |room: &mut Room<'_, '_>| {
        let change = see_change(room, &key)?;
        scope.check_scope(Scope::Read)?;
        let id = RecordId::from(id.as_str());
        let found = record::load::<Evidence>(room.tx, id.as_str())?.map(|stored| stored.record);
        let evidence = found
            .filter(|it| it.change == change.id)
            .ok_or_else(|| Refusal::not_found("evidence"))?;
        let bytes = stored_bytes(room, &evidence)?.ok_or_else(|| Refusal::not_found("file"))?;
        Ok((bytes, evidence.file_digest))
    };
    let (bytes, digest) = state.act(Lane::Pages, &caller, Mode::Read, look).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, "attachment".to_owned()),
        (header::ETAG, format!("\"{digest}\"")),
    ];
    Ok((StatusCode::OK, headers, bytes).into_response())
}

fn stored_bytes(room: &mut Room<'_, '_>, evidence: &Evidence) -> acts::Result<Option<Vec<u8>>> {
    let hex = evidence.file_digest.trim_start_matches("sha256:").to_owned();
    if let Some(folder) = &room.desk.tools().evidence_folder {
        return Ok(std::fs::read(folder.join(&hex)).ok().or_else(|| text_of(evidence)));
    }
    let mut bytes = Vec::new();
    let mut part = 0;
    while let Some(chunk) = store::blob::chunk(room.tx, &hex, part)? {
        bytes.extend_from_slice(&chunk);
        part += 1;
    }
    Ok(if part == 0 { text_of(evidence) } else { Some(bytes) })
}

fn text_of(evidence: &Evidence) -> Option<Vec<u8>> {
    evidence.text.as_ref().map(|text| text.clone().into_bytes())
}
