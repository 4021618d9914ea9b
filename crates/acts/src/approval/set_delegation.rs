//! Lets one person decide for another for a time. People delegate their own right; administrators delegate others'
//! rights but never to themselves. Nobody gets a right that they may not hold, and delegations form no cycle.

use model::approval::absence::Delegation;
use model::approval::obligation::Asked;
use model::change::read_content;
use model::core::body::Body;
use model::core::ids::{PersonId, RecordId, ServiceKey};
use model::core::parse::{LINE, Reading, TEXT};
use model::core::refusal::Refusal;
use model::directory::snapshot::{self, Directory};
use model::directory::unknown_name;
use serde_json::json;
use store::record;

use crate::approval::set_absence::allow_own;
use crate::case::settle_open::settle_with_approvers;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::read_fields::read_recorded_span;
use crate::guard::{impersonation, required_factor, self_grant, two_people};

/// The parts that can be delegated, beside `group:KEY`.
const PARTS: [&str; 5] = ["owner", "technical_lead", "security", "data", "change_manager"];

/// Adds a delegation (`POST /delegations {delegator?, delegate, parts?, services?, starts_at, ends_at, deputy?,
/// reason?}`). If a rule in force requires a fresh factor of approvers, this act does as well.
///
/// # Errors
/// 403 (also `step_up_required` and `narrowed_token`), 422 (also for a cycle, and for a delegate who may not have the
/// right), or the store's.
pub fn set_delegation(cx: &mut Context<'_, '_>, body: &Body) -> Result<Delegation> {
    let directory = cx.directory()?;
    let delegator = delegator(&mut Reading::new(body, ""), (body, &directory), &cx.actor.person);
    allow_own(cx, &delegator)?;
    if delegator == cx.actor.person {
        impersonation::check_whole(cx)?;
    }
    required_factor::check_lent(cx)?;
    let delegation = read_delegation(cx, body)?;
    let lends = two_people::lends_of_another(cx, &delegator);
    two_people::check(cx, lends, two_people::LENT)?;
    let delegation = keep_delegation(cx, delegation)?;
    settle_with_approvers(cx)?;
    Ok(delegation)
}

fn delegator(reading: &mut Reading<'_>, (body, directory): (&Body, &Directory), actor: &PersonId) -> PersonId {
    let named = body.contains_key("delegator");
    match read_content::person(reading, "delegator", directory) {
        None if !named => actor.clone(),
        found => found.unwrap_or_default(),
    }
}

/// A delegation from a request, without the check of who may set it.
///
/// # Errors
/// 422 (also for a cycle, and for a delegate who may not have the right), or the store's.
pub(crate) fn read_delegation(cx: &mut Context<'_, '_>, body: &Body) -> Result<Delegation> {
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let delegator = delegator(&mut reading, (body, &directory), &cx.actor.person);
    let (starts_at, ends_at, corrected_at) = read_recorded_span(&mut reading, cx, None);
    if ends_at <= cx.now && reading.errors.is_empty() {
        reading.wrong("ends_at", "in_the_past", "`ends_at` must lie ahead.");
    }
    let delegate = read_content::person(&mut reading, "delegate", &directory);
    if delegate.is_none() && reading.errors.is_empty() {
        reading.wrong("delegate", "missing", "`delegate` is missing.");
    }
    let delegation = Delegation {
        id: RecordId(cx.new_id()?),
        version: 0,
        delegator,
        delegate: delegate.unwrap_or_default(),
        parts: read_parts(&mut reading, &directory).into_iter().collect(),
        services: read_services(&mut reading, &directory).into_iter().collect(),
        starts_at,
        ends_at,
        deputy: reading.boolean("deputy").unwrap_or_default(),
        reason: reading.text("reason", TEXT),
        corrected_at,
    };
    if reading.errors.is_empty() {
        check(&mut reading, &directory, &delegation, cx);
    }
    reading.finish()?;
    Ok(delegation)
}

/// Saves a delegation without a check of rights; the caller evaluates open changes again.
///
/// # Errors
/// The store's.
pub(crate) fn keep_delegation(cx: &mut Context<'_, '_>, delegation: Delegation) -> Result<Delegation> {
    cx.put_estate("delegation.set", delegation, json!({}))
}

fn read_parts(reading: &mut Reading<'_>, directory: &Directory) -> Vec<String> {
    let parts = reading.texts("parts", LINE).unwrap_or_default();
    for (place, part) in parts.iter().enumerate() {
        let known = match part.strip_prefix("group:") {
            Some(key) => directory.groups.contains_key(&key.into()),
            None => PARTS.contains(&part.as_str()),
        };
        if !known {
            let text = format!(
                "`{part}` is not one of: {}, or group:KEY of an existing group.",
                PARTS.join(", ")
            );
            reading.wrong(&format!("parts[{place}]"), "unknown_word", text);
        }
    }
    parts
}

fn read_services(reading: &mut Reading<'_>, directory: &Directory) -> Vec<ServiceKey> {
    let keys: Vec<ServiceKey> = reading
        .texts("services", LINE)
        .unwrap_or_default()
        .into_iter()
        .map(ServiceKey)
        .collect();
    for (place, key) in keys
        .iter()
        .enumerate()
        .filter(|(_, key)| !directory.services.contains_key(*key))
    {
        let text = unknown_name::service(directory, key.as_str());
        reading.wrong(&format!("services[{place}]"), "unknown", text);
    }
    keys
}

fn check(reading: &mut Reading<'_>, directory: &Directory, delegation: &Delegation, cx: &Context<'_, '_>) {
    let (from, to) = (&delegation.delegator, &delegation.delegate);
    if from == to {
        reading.wrong("delegate", "not_allowed", "You cannot delegate to yourself.");
        return;
    }
    if self_grant::is_own(&cx.actor, to) {
        let text =
            "You cannot delegate another person's rights to yourself; that person or another administrator must do it.";
        reading.wrong("delegate", "own_request", text);
    }
    if let Some(text) = may_not_hold(directory, delegation) {
        reading.wrong("delegate", "may_not_hold", text);
    }
    if let Some(ring) = directory.delegation_ring(delegation) {
        let names: Vec<String> = ring.iter().map(|person| directory.login(person)).collect();
        let text = format!(
            "These delegations would form a cycle in which nobody decides: {}. Remove one of these delegations for that \
             period.{}",
            names.join(" → "),
            way_out(directory, &ring, delegation)
        );
        reading.wrong("delegate", "delegation_cycle", text);
    }
}

/// An example of how to avoid a cycle: the next of its delegations ends first, or this one begins after it.
fn way_out(directory: &Directory, ring: &[PersonId], new: &Delegation) -> String {
    let (Some(from), Some(to)) = (ring.get(1), ring.get(2)) else {
        return String::new();
    };
    // A delegation that is over, or begins when the new one has ended, closes no cycle.
    let next = directory
        .delegations
        .iter()
        .filter(|row| row.overlaps(new.starts_at, new.ends_at))
        .find(|row| &row.delegator == from && &row.delegate == to);
    next.map_or_else(String::new, |row| {
        let (whose, id, end) = (directory.login(from), &row.id, row.ends_at);
        format!(
            " Example: end the delegation by {whose} (`DELETE /delegations/{id}`), or start after it ends (`starts_at` \
             {end})."
        )
    })
}

/// Why the delegate may not have the delegated right, if so.
fn may_not_hold(directory: &Directory, delegation: &Delegation) -> Option<String> {
    let person = directory.people.get(&delegation.delegate)?;
    let name = &person.name;
    if !person.active {
        return Some(format!("{name} is no longer active."));
    }
    if !directory.takes_part(&delegation.delegate) {
        return Some(format!(
            "{name} is not eligible: they have no role here, so they could not read the requests. Give them a role first."
        ));
    }
    if person.is_barred_from_deciding() {
        return Some(format!(
            "{name} is not eligible: pipelines, vendors and auditors cannot decide."
        ));
    }
    let passes = |part: &str| delegation.parts.is_empty() || delegation.parts.contains(part);
    let lacking = directory.ownerships.iter().find(|row| {
        let asked = [Asked::Owner, Asked::TechnicalLead, Asked::Security, Asked::Data]
            .into_iter()
            .find(|asked| asked.ownership_role() == Some(row.role));
        asked.is_some_and(|asked| passes(&asked.word()))
            && row.is_in_force(delegation.starts_at)
            && holds(directory, row, &delegation.delegator)
            && row
                .service
                .as_ref()
                .is_none_or(|key| delegation.services.is_empty() || delegation.services.contains(key))
            && row
                .function
                .as_ref()
                .is_some_and(|function| !person.functions.contains(function))
    })?;
    let function = lacking.function.as_deref().unwrap_or_default();
    Some(format!(
        "{name} is not eligible for the part {} of {}: the job function `{function}` is required. Name `parts` or `services` \
         without it.",
        lacking.role,
        lacking.scope()
    ))
}

fn holds(directory: &Directory, row: &snapshot::Ownership, person: &PersonId) -> bool {
    match (&row.person, &row.group) {
        (Some(own), _) => own == person,
        (None, Some(key)) => directory
            .groups
            .get(key)
            .is_some_and(|group| group.members.contains(person)),
        (None, None) => false,
    }
}

/// Ends a delegation now (`DELETE /delegations/{id}`): by either of the two, or an administrator.
///
/// # Errors
/// 403, 404, or the store's.
pub fn end_delegation(cx: &mut Context<'_, '_>, id: &str) -> Result<Delegation> {
    let Some(stored) = record::load::<Delegation>(cx.tx, id)? else {
        return Err(Refusal::not_found("delegation").into());
    };
    let row = stored.record;
    if [&row.delegator, &row.delegate].contains(&&cx.actor.person) {
        impersonation::check_whole(cx)?;
    }
    if row.delegate != cx.actor.person {
        allow_own(cx, &row.delegator)?;
    }
    if row.ends_at <= cx.now {
        return Ok(row);
    }
    let ended = Delegation { ends_at: cx.now, ..row };
    let ended = cx.put_estate("delegation.ended", ended, json!({}))?;
    settle_with_approvers(cx)?;
    Ok(ended)
}
