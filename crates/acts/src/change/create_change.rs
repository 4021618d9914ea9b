//! Creates a change, for every entry point (`POST /changes`).

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use model::change::change_file::ChangeFile;
use model::change::custom_field::FIELD;
use model::change::record::Change;
use model::change::write::{create, new_change};
use model::change::{content, custom_values, read_content};
use model::core::act::Act;
use model::core::body::Body;
use model::core::enums::Origin;
use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use store::counter;
use store::record::{self, Filter};

use crate::case::committers;
use crate::change::try_template;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::log_names::{BEFORE_FIRST, NUMBERS};
use crate::core::secrets;

/// Creates a change and returns its key. `pipeline` names the fields that came from a delivery and not from a person.
///
/// # Errors
/// 403, 422, or the store's.
pub fn create_change(cx: &mut Context<'_, '_>, body: &Body, pipeline: &[&str]) -> Result<String> {
    // An actor who may not create at all is refused before the fields are checked.
    cx.allow(Act::Create.as_str())?;
    let requester = cx.actor.person.clone();
    // The text from a pipeline's own identity was written by no person.
    let directory = cx.directory()?;
    if cx.actor.speaks_as_pipeline(&directory) {
        let fields: Vec<&str> = body.keys().map(String::as_str).collect();
        return create_change_for(cx, body, &fields, &requester);
    }
    create_change_for(cx, body, pipeline, &requester)
}

/// Creates a change with some fields filled in from an earlier one (`fill_from_similar`): no person wrote these for it.
///
/// # Errors
/// 403, 422, or the store's.
pub fn create_change_filled(cx: &mut Context<'_, '_>, body: &Body, filled: &[&'static str]) -> Result<String> {
    cx.allow(Act::Create.as_str())?;
    let requester = cx.actor.person.clone();
    make(cx, body, (&[], filled), &requester)
}

/// Creates a change on behalf of a requester, from a delivery.
///
/// # Errors
/// 403, 422, or the store's.
pub fn create_change_for(
    cx: &mut Context<'_, '_>,
    body: &Body,
    pipeline: &[&str],
    requester: &PersonId,
) -> Result<String> {
    make(cx, body, (pipeline, &[]), requester)
}

/// A change in a person's name, not stored: the rules evaluate it before it is created.
///
/// # Errors
/// 422, or the store's.
pub(crate) fn thought_of(cx: &mut Context<'_, '_>, body: &Body, requester: &PersonId) -> Result<ChangeFile> {
    let directory = cx.directory()?;
    let mut body = body.clone();
    read_content::fill_from_template(&mut body, &directory);
    custom_values::fill_defaults(&mut body, &directory);
    let input = read_content::read(&body, &directory, requester, None)?;
    let change = new_change("", String::new(), 0, input, requester.clone(), cx.now);
    Ok(ChangeFile::new(change))
}

fn make(
    cx: &mut Context<'_, '_>,
    body: &Body,
    (pipeline, filled): (&[&str], &[&str]),
    requester: &PersonId,
) -> Result<String> {
    let directory = cx.directory()?;
    check_agents_day(cx, requester)?;
    let mut body = body.clone();
    let id = cx.new_id()?;
    try_template::assign(cx, &id, &mut body, !pipeline.is_empty())?;
    let from_template = read_content::fill_from_template(&mut body, &directory);
    let is_by_default = custom_values::fill_defaults(&mut body, &directory);
    let mut input = read_content::read(&body, &directory, requester, None)?;
    if is_by_default {
        input.origins.insert(FIELD.to_owned(), Origin::Derived);
    }
    for field in from_template.iter().copied().chain(filled.iter().copied()) {
        input.origins.insert(field.to_owned(), Origin::Derived);
    }
    for field in pipeline.iter().filter(|field| content::cover(field).is_some()) {
        input.origins.insert((*field).to_owned(), Origin::Pipeline);
    }
    let number = BEFORE_FIRST + counter::next_number(cx.tx, NUMBERS)?;
    let key = format!("CHG-{number}");
    let mut change = new_change(&id, key.clone(), number, input, requester.clone(), cx.now);
    change.digest_salt = Some(proof::crypto::base64url(&secrets::fresh(cx)?));
    let mut file = ChangeFile::new(change);
    if !file.change.content.targets.is_empty() {
        file.committers = committers::of_change(cx, &file.change)?;
        file.rejected_elsewhere = cx.rejected_elsewhere(&file.change)?;
        file.known_outcomes = cx.known_outcomes(&file.change)?;
    }
    cx.on_file(None, file, create)?;
    Ok(key)
}

/// Refuses a draft of an agent that has reached its limit of drafts per day.
fn check_agents_day(cx: &mut Context<'_, '_>, requester: &PersonId) -> Result<()> {
    let directory = cx.directory()?;
    let Some(agent) = directory.agent(requester) else {
        return Ok(());
    };
    let day = cx.now.to_zoned(TimeZone::UTC).start_of_day();
    let midnight = day.map_err(|error| Error::Fault(error.to_string()))?;
    let before = midnight.timestamp() - SignedDuration::from_micros(1);
    let filter = Filter::new()
        .equals("requester", requester.as_str())
        .more("created_at", before);
    let drafted = record::count::<Change>(cx.tx, &filter)?;
    if drafted < agent.changes_per_day {
        return Ok(());
    }
    let text = format!(
        "This agent has drafted {drafted} changes today in UTC, and may draft {}.",
        agent.changes_per_day
    );
    let satisfy = "Wait for the next day in UTC, or let a person write it.";
    Err(Refusal::not_now("agents_day_is_full", text, satisfy, Vec::new()).into())
}
