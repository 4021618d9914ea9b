//! Makes a change, from whatever door (`POST /changes`).

use model::change::change_file::ChangeFile;
use model::change::content;
use model::change::read_content;
use model::change::write::{create, new_change};
use model::core::act::Act;
use model::core::body::Body;
use model::core::enums::{Origin, Role};
use model::core::ids::PersonId;
use store::counter;

use crate::case::committers;
use crate::core::context::Room;
use crate::core::error::Result;
use crate::core::log_names::{BEFORE_FIRST, NUMBERS};
use crate::core::secrets;

/// Makes a change and answers its key. `pipeline` names the fields that a delivery told rather than a person.
///
/// # Errors
/// 403, 422, or the store's.
pub fn create_change(room: &mut Room<'_, '_>, body: &Body, pipeline: &[&str]) -> Result<String> {
    // Who may not create at all hears that before anything about the fields of the request.
    room.allow(Act::Create.as_str())?;
    let requester = room.actor.person.clone();
    // What a pipeline's own identity sends was written by no person.
    if room.actor.by_token && room.directory()?.has_role(&requester, Role::Pipeline) {
        let fields: Vec<&str> = body.keys().map(String::as_str).collect();
        return create_change_for(room, body, &fields, &requester);
    }
    create_change_for(room, body, pipeline, &requester)
}

/// Makes a change of which some fields were filled in from an earlier one (`fill_from_similar`): nobody wrote them for it.
///
/// # Errors
/// 403, 422, or the store's.
pub fn create_change_filled(room: &mut Room<'_, '_>, body: &Body, filled: &[&'static str]) -> Result<String> {
    room.allow(Act::Create.as_str())?;
    let requester = room.actor.person.clone();
    make(room, body, (&[], filled), &requester)
}

/// Makes a change on behalf of a requester: what a delivery does.
///
/// # Errors
/// 403, 422, or the store's.
pub fn create_change_for(
    room: &mut Room<'_, '_>,
    body: &Body,
    pipeline: &[&str],
    requester: &PersonId,
) -> Result<String> {
    make(room, body, (pipeline, &[]), requester)
}

fn make(
    room: &mut Room<'_, '_>,
    body: &Body,
    (pipeline, filled): (&[&str], &[&str]),
    requester: &PersonId,
) -> Result<String> {
    let directory = room.directory()?;
    let mut body = body.clone();
    let from_template = read_content::fill_from_template(&mut body, &directory);
    let mut input = read_content::read(&body, &directory, requester, None)?;
    for field in from_template.iter().copied().chain(filled.iter().copied()) {
        input.origins.insert(field.to_owned(), Origin::Derived);
    }
    for field in pipeline.iter().filter(|field| content::cover(field).is_some()) {
        input.origins.insert((*field).to_owned(), Origin::Pipeline);
    }
    let number = BEFORE_FIRST + counter::next(room.tx, NUMBERS)?;
    let key = format!("CHG-{number}");
    let mut change = new_change(&room.new_id()?, key.clone(), number, input, requester.clone(), room.now);
    change.digest_salt = Some(proof::crypto::base64url(&secrets::fresh(room)?));
    let mut file = ChangeFile::new(change);
    if !file.change.content.targets.is_empty() {
        file.committers = committers::of_change(room, &file.change)?;
        file.rejected_elsewhere = room.rejected_elsewhere(&file.change)?;
    }
    room.on_file(None, file, create)?;
    Ok(key)
}
