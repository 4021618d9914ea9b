//! Evidence from a form: its fields, and the file as it comes, hashed on its way and read as its kind says.

use axum::extract::Multipart;
use axum::extract::multipart::Field;
use connect::evidence::{DOCUMENT_MAX_BYTES, Kind, read};
use model::refusal::Refusal;
use model::verbs::Body;
use model::verbs::around::{FileReading, StoredFile};
use pages::Reader;
use serde_json::Value;

use super::form::Form;
use super::view::{Visitor, write};
use crate::body::Pace;
use crate::failure::Failure;
use crate::files::NewFile;
use crate::state::AppState;

/// The largest text field beside a file, in bytes.
const FIELD_LIMIT: usize = 64 * 1024;
/// The most fields beside a file.
const FIELDS: usize = 32;

/// Takes a form with its file and adds the evidence; on a refusal the form comes back.
///
/// # Errors
/// What was sent besides the file, and the refusal or fault.
pub(super) async fn take(
    state: &AppState,
    visitor: &Visitor,
    key: &str,
    mut multipart: Multipart,
) -> Result<(), (Form, Failure)> {
    let mut pairs = Vec::new();
    let file = receive(state, &mut multipart, &mut pairs).await;
    let form = Form::new(pairs);
    let reader = Reader::named("UTC", state.desk().tools().clock.now());
    let body = form.decode(&reader, &[]).body;
    let stored = match file {
        Ok(file) => keep(state, visitor, &body, file).await,
        Err(failure) => Err(failure),
    };
    let stored = match stored {
        Ok(stored) => stored,
        Err(failure) => return Err((form, failure)),
    };
    let key = key.to_owned();
    let added = write(state, visitor, move |room| {
        acts::add_evidence::add_evidence(room, &key, &body, &stored)
    })
    .await;
    added.map(drop).map_err(|failure| (form, failure))
}

fn malformed(text: impl Into<String>) -> Failure {
    Failure::new(400, "malformed", text)
}

async fn receive(
    state: &AppState,
    multipart: &mut Multipart,
    pairs: &mut Vec<(String, String)>,
) -> Result<Option<(NewFile, String)>, Failure> {
    let mut pace = Pace::new();
    let mut file = None;
    while let Some(field) = pace
        .patiently(multipart.next_field())
        .await?
        .map_err(|error| malformed(format!("{error}.")))?
    {
        let name = field.name().unwrap_or_default().to_owned();
        match field.file_name() {
            // A browser sends an empty part without a name when no file was chosen.
            Some("") => {}
            Some(_) if file.is_some() => return Err(malformed("One file at a time.")),
            Some(_) => {
                let kind = field.content_type().unwrap_or("application/octet-stream").to_owned();
                file = Some((take_file(state, field, &mut pace).await?, kind));
            }
            None if pairs.len() == FIELDS => return Err(malformed("There are too many fields.")),
            None => pairs.push((name, take_text(field, &mut pace).await?)),
        }
    }
    Ok(file)
}

async fn take_file(state: &AppState, mut field: Field<'_>, pace: &mut Pace) -> Result<NewFile, Failure> {
    let mut file = NewFile::begin(state).await?;
    while let Some(chunk) = pace
        .patiently(field.chunk())
        .await?
        .map_err(|error| malformed(format!("{error}.")))?
    {
        pace.took(chunk.len());
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

fn unreadable(text: String) -> Failure {
    Failure::from(acts::Error::from(Refusal::field("file", "unreadable", text)))
}

/// Reads the file as its kind says and keeps it; without a file the text is the document.
async fn keep(
    state: &AppState,
    visitor: &Visitor,
    body: &Body,
    file: Option<(NewFile, String)>,
) -> Result<StoredFile, Failure> {
    let kind: Option<Kind> = body
        .get("kind")
        .and_then(|word| serde_json::from_value(word.clone()).ok());
    let Some((mut file, media_type)) = file else {
        let text = body
            .get("text")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .as_bytes()
            .to_vec();
        let digest = proof::crypto::digest_text(&text);
        let size = i64::try_from(text.len()).unwrap_or(i64::MAX);
        let reading = reading_of(kind, text).await?;
        return Ok(StoredFile {
            digest,
            size,
            media_type: "text/plain; charset=utf-8".to_owned(),
            reading,
        });
    };
    let reading = match kind {
        None => None,
        Some(_) => match file.bytes(DOCUMENT_MAX_BYTES).await? {
            Some(bytes) => reading_of(kind, bytes).await?,
            None => {
                return Err(unreadable(
                    "A document that is read has at most 16 MiB; send it as a plain file.".to_owned(),
                ));
            }
        },
    };
    let size = i64::try_from(file.size()).unwrap_or(i64::MAX);
    let digest = file.keep(state, &visitor.caller).await?;
    Ok(StoredFile {
        digest,
        size,
        media_type,
        reading,
    })
}

async fn reading_of(kind: Option<Kind>, bytes: Vec<u8>) -> Result<Option<FileReading>, Failure> {
    let Some(kind) = kind else { return Ok(None) };
    let done = tokio::task::spawn_blocking(move || read(kind, &bytes))
        .await
        .map_err(|error| Failure::fault(&error))?;
    match done {
        Ok(found) => Ok(Some(FileReading {
            summary: found.summary,
            passed: found.passed,
        })),
        Err(error) => Err(unreadable(format!("{error}."))),
    }
}
