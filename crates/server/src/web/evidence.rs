//! Evidence from a form: its fields, and the file as it comes, hashed on its way and read as its kind says.

use axum::extract::Multipart;
use pages::Reader;

use super::form::Form;
use super::view::{Visitor, write};
use crate::body::Pace;
use crate::evidence::{FIELDS, keep, malformed, take_file, take_text};
use crate::failure::Failure;
use crate::files::NewFile;
use crate::state::AppState;

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
        Ok(file) => keep(state, &visitor.caller, key, &body, file).await,
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
