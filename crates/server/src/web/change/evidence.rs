//! Evidence from a form: its fields and the file, which is hashed while it arrives and read according to its kind.

use acts::change::add_evidence;
use axum::extract::Multipart;
use model::core::body::Body;
use model::core::refusal::FieldError;
use pages::Reader;
use serde_json::Value;

use crate::change::keep_evidence::{FIELDS, keep, malformed, take_file, take_text};
use crate::http::body::Pace;
use crate::http::failure::Failure;
use crate::http::files::NewFile;
use crate::http::state::AppState;
use crate::web::shared::form::Form;
use crate::web::shared::idempotent_form;
use crate::web::shared::view::{Visitor, write};

/// Receives a form with its file and adds the evidence; on a refusal the form comes back. Returns whether the same form was
/// received before.
///
/// # Errors
/// The fields besides the file, and the refusal or fault.
pub(crate) async fn take(
    state: &AppState,
    visitor: &Visitor,
    key: &str,
    mut multipart: Multipart,
) -> Result<bool, (Form, Failure)> {
    let mut pairs = Vec::new();
    let file = receive(state, &mut multipart, &mut pairs).await;
    let form = Form::new(pairs);
    let reader = Reader::named("UTC", state.executor().tools().clock.now());
    let mut body = form.decode(&reader, &[]).body;
    let has_file = matches!(file, Ok(Some(_)));
    if has_file {
        body = meant_as_file(body);
    }
    let stored = match file {
        Ok(file) => keep(state, &visitor.caller, key, &body, file).await,
        Err(failure) => Err(failure),
    };
    let stored = match stored {
        Ok(stored) => stored,
        Err(failure) => {
            let failure = beside_the_text(chosen_again(failure, has_file), &form, has_file);
            return Err((form, failure));
        }
    };
    // The same fields with another file are another form.
    let answers = form.pairs().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let whole = Form::new(answers.chain([("file".to_owned(), stored.digest.clone())]).collect());
    let once = idempotent_form::once(visitor, &format!("/changes/{key}/evidence"), &whole);
    let key = key.to_owned();
    let added = write(state, visitor, move |cx| {
        idempotent_form::run(&once, cx, |cx| {
            add_evidence::add_evidence(cx, &key, &body, &stored).map(drop)
        })
        .map(|done| done.is_again)
    })
    .await;
    added.map_err(|failure| (form, chosen_again(failure, has_file)))
}

/// A chosen file without a text was not meant as a note: the menu was at its first entry.
fn meant_as_file(mut body: Body) -> Body {
    let is_note = body.get("kind").and_then(Value::as_str) == Some("note");
    if is_note && !body.contains_key("text") {
        body.insert("kind".to_owned(), "file".into());
    }
    body
}

/// A refusal of a form whose file has to be chosen again, because the browser forgets it.
fn chosen_again(mut failure: Failure, has_file: bool) -> Failure {
    let errors = &mut failure.problem.errors;
    if has_file && !errors.is_empty() && errors.iter().all(|error| error.field != "file") {
        errors.push(FieldError::new(
            "file",
            "missing",
            "Choose the file again: it was not saved.",
        ));
    }
    failure
}

/// Puts the error of a typed document beside its text field, although the API reports it for the file.
fn beside_the_text(mut failure: Failure, form: &Form, has_file: bool) -> Failure {
    if !has_file && !form.first("text").trim().is_empty() {
        let errors = failure.problem.errors.iter_mut();
        let unreadable = errors.filter(|error| error.field == "file" && error.code == "unreadable");
        unreadable.for_each(|error| error.field = "text".to_owned());
    }
    failure
}

async fn receive(
    state: &AppState,
    multipart: &mut Multipart,
    pairs: &mut Vec<(String, String)>,
) -> Result<Option<(NewFile, String)>, Failure> {
    let mut pace = Pace::new();
    let mut seen = proof::crypto::Sha256::new();
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
                file = Some((take_file(state, field, &mut pace, &mut seen).await?, kind));
            }
            None if pairs.len() == FIELDS => return Err(malformed("There are too many fields.")),
            None => pairs.push((name, take_text(field, &mut pace).await?)),
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_without_words_is_no_note() {
        let kind = |body: Value| {
            let body = body.as_object().cloned().unwrap_or_default();
            meant_as_file(body).get("kind").cloned()
        };
        assert_eq!(kind(json!({"kind": "note"})), Some("file".into()));
        assert_eq!(
            kind(json!({"kind": "note", "text": "Seen on staging"})),
            Some("note".into())
        );
        assert_eq!(kind(json!({"kind": "sarif"})), Some("sarif".into()));
    }
}
