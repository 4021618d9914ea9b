//! Incoming evidence, for the API and for the pages: received piece by piece, read according to its kind, tried, and kept.

use acts::Context;
use acts::change::add_evidence;
use axum::extract::multipart::Field;
use connect::change::evidence::{DOCUMENT_MAX_BYTES, Kind};
use connect::change::evidence_formats::read;
use model::change::around::{FileReading, StoredFile};
use model::core::body::Body;
use model::core::refusal::Refusal;
use serde_json::Value;
use store::{Lane, Mode};

use crate::http::body::Pace;
use crate::http::caller::Caller;
use crate::http::failure::Failure;
use crate::http::files::NewFile;
use crate::http::state::AppState;

/// The largest text field beside a file, in bytes.
const FIELD_LIMIT: usize = 64 * 1024;
/// The most fields beside a file.
pub(crate) const FIELDS: usize = 32;
/// The media type of a document from a text field.
const TEXT: &str = "text/plain; charset=utf-8";

pub(crate) fn malformed(text: impl Into<String>) -> Failure {
    Failure::new(400, "malformed", text)
}

/// Takes a file as it comes; `seen` digests it along with the rest of the request.
///
/// # Errors
/// 400, 408, 413, or 503 when the storage is full.
pub(crate) async fn take_file(
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
        if file.write(chunk).await? > state.evidence_limit() {
            let text = format!("A file of evidence has at most {} bytes.", state.evidence_limit());
            return Err(Failure::new(413, "too_large", text));
        }
    }
    Ok(file)
}

/// Takes a text field.
///
/// # Errors
/// 400, 408, 413.
pub(crate) async fn take_text(mut field: Field<'_>, pace: &mut Pace) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = pace
        .patiently(field.chunk())
        .await?
        .map_err(|error| malformed(format!("{error}.")))?
    {
        pace.took(chunk.len());
        bytes.extend_from_slice(&chunk);
        if bytes.len() > FIELD_LIMIT {
            let text = format!("A field beside a file has at most {FIELD_LIMIT} bytes.");
            return Err(Failure::new(413, "too_large", text));
        }
    }
    String::from_utf8(bytes).map_err(|_| malformed("A field is not UTF-8 text."))
}

fn unreadable(text: String) -> Failure {
    Failure::from(acts::Error::from(Refusal::field("file", "unreadable", text)))
}

/// Reads the file according to its kind and keeps it under its digest, unless the act would refuse it: a refused file is not
/// kept. Without a file the field `text` is the document.
///
/// # Errors
/// The act's refusal, 422 for a document that cannot be read, or 503.
pub(crate) async fn keep(
    state: &AppState,
    caller: &Caller,
    key: &str,
    fields: &Body,
    file: Option<(NewFile, String)>,
) -> Result<StoredFile, Failure> {
    let kind: Option<Kind> = fields
        .get("kind")
        .and_then(|word| serde_json::from_value(word.clone()).ok());
    let text = fields.get("text").and_then(Value::as_str).unwrap_or_default();
    let text = if text.trim().is_empty() { "" } else { text };
    let (mut file, media_type) = match (file, kind) {
        (Some(file), _) => file,
        // The reading's summary becomes the text, so the document itself is kept as a file.
        (None, Some(_)) => (NewFile::of(state, text.to_owned()).await?, TEXT.to_owned()),
        (None, None) => {
            return Ok(StoredFile {
                digest: proof::crypto::digest_text(text.as_bytes()),
                size: i64::try_from(text.len()).unwrap_or(i64::MAX),
                media_type: TEXT.to_owned(),
                reading: None,
            });
        }
    };
    let is_empty = file.size() == 0;
    let reading = match kind {
        // The act reports an empty file as missing, so the reader need not.
        _ if is_empty => None,
        None => None,
        Some(_) => match file.bytes(DOCUMENT_MAX_BYTES).await? {
            Some(bytes) => reading_of(kind, bytes).await?,
            None => {
                let text = "A document that is read has at most 16 MiB; send it as a plain `file`.";
                return Err(unreadable(text.to_owned()));
            }
        },
    };
    let stored = StoredFile {
        digest: file.digest(),
        size: i64::try_from(file.size()).unwrap_or(i64::MAX),
        media_type,
        reading,
    };
    let (key, fields, tried) = (key.to_owned(), fields.clone(), stored.clone());
    let look = move |cx: &mut Context<'_, '_>| add_evidence::would_add_evidence(cx, &key, &fields, &tried);
    state.act(Lane::Pages, caller, Mode::Read, look).await?;
    file.keep(state, caller).await?;
    Ok(stored)
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
            is_undecided: found.is_undecided,
            findings: found.findings,
            suites: found.suites,
            subjects: found.subjects,
        })),
        Err(error) => Err(unreadable(format!("{error}."))),
    }
}
