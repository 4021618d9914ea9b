//! The commander's signature: the conditions under which one change passes the freeze of a major incident.

use jiff::{SignedDuration, Timestamp};

use crate::approval::decide::check_factor;
use crate::approval::one_hand;
use crate::change::change_file::Actor;
use crate::change::record::Change;
use crate::core::enums::{Level, Role};
use crate::core::ids::PersonId;
use crate::core::refusal::Refusal;
use crate::directory::snapshot::{Directory, Freeze, Incident, logins};
use crate::identity::factor::Wanted;
use crate::incident::major;

/// The longest time for which a signature lets a change start.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24);
/// The most signatures of one incident. A freeze with more exceptions has no effect, and the commander should end it.
pub const MOST: usize = 200;

/// The request for a signature.
#[derive(Debug, Clone, Copy)]
pub struct SignatureRequest<'a> {
    /// The major incident.
    pub incident: &'a Incident,
    /// Its freeze; `None` where it has none.
    pub freeze: Option<&'a Freeze>,
    /// The change to allow.
    pub change: &'a Change,
    /// Whether the person who signs has a part in the change.
    pub is_own: bool,
}

/// Checks a signature: a major incident, its commander in person with a fresh factor, the change of somebody else, and a change
/// that the incident stops.
///
/// # Errors
/// 403 `not_commander`, `step_up_required` or `own_request`; 409 `not_major`, `not_in_state`, `not_stopped`, `excepted_already` or
/// `too_many`.
pub fn check(
    asked: &SignatureRequest<'_>,
    directory: &Directory,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Refusal> {
    let (incident, change) = (asked.incident, asked.change);
    let key = &incident.key;
    let not_now = |code, text: String, satisfy: &str| Err(Refusal::not_now(code, text, satisfy, Vec::new()));
    let nothing = "No action is needed.";
    let Some(freeze) = asked.freeze.filter(|freeze| incident.is_major() && freeze.is_on(now)) else {
        return not_now(
            "not_major",
            format!("{key} is not a major incident now, so it blocks nothing."),
            nothing,
        );
    };
    major::check_in_command(incident, directory, &actor.person)?;
    check_factor(actor, Wanted::Any, now)?;
    if asked.is_own {
        return Err(own_change(incident, directory, &actor.person));
    }
    if !change.state.is_open() {
        let text = format!(
            "{} is {}, so it is not stopped by an incident.",
            change.key, change.state
        );
        return not_now("not_in_state", text, nothing);
    }
    if !is_stopped(freeze, change, directory) {
        let text = format!(
            "{key} does not stop {}: its risk is not high, or it is elsewhere.",
            change.key
        );
        return not_now("not_stopped", text, nothing);
    }
    if !freeze.stops_work_at(change, now) {
        let text = format!("{} already has permission to start.", change.key);
        let satisfy = format!(
            "Keep the signature, or withdraw it with DELETE /incidents/{key}/signatures/{}.",
            change.key
        );
        return not_now("excepted_already", text, &satisfy);
    }
    if incident.course.signatures.len() >= MOST {
        let text = format!("{MOST} changes were permitted in spite of {key}, which is the limit.");
        return not_now("too_many", text, "The commander can end the freeze.");
    }
    Ok(())
}

/// The commander does not sign a change that they requested: one person would decide alone.
fn own_change(incident: &Incident, directory: &Directory, person: &PersonId) -> Refusal {
    let mut others = major::commanders(directory);
    others.retain(|other| other != person);
    let text = format!(
        "The commander cannot sign for their own change. Hand over the command of {} first, so that the other \
         commander can sign.",
        incident.key
    );
    Refusal::not_allowed("own_request", text).with_others(logins(directory, &others))
}

/// Whether the freeze of an incident stops a change: it has high risk, or had since the incident is major, or all work is halted,
/// and one of its open targets lies in the closure.
#[must_use]
pub fn is_stopped(freeze: &Freeze, change: &Change, directory: &Directory) -> bool {
    let mut targets = change.open_targets();
    (freeze.halts_all() || freeze.level_of(change) >= Level::High)
        && targets.any(|target| directory.is_frozen_by(freeze, &target.service, &target.environment))
}

/// Refuses a review by the signer, by anybody who counts as the same person, or by a person without the right: another
/// commander or change manager reviews the signature.
///
/// # Errors
/// 403 `own_request` or `not_allowed`.
pub fn check_reviewer(by: &PersonId, directory: &Directory, actor: &Actor, now: Timestamp) -> Result<(), Refusal> {
    let mut others = major::commanders(directory);
    others.retain(|person| !one_hand::are_one(directory, (person, by), now));
    let mut own = [&actor.person, actor.speaker()].into_iter();
    if own.any(|own| one_hand::are_one(directory, (own, by), now)) {
        let text = "Another person than the commander who signed must review the signature.";
        return Err(Refusal::not_allowed("own_request", text).with_others(logins(directory, &others)));
    }
    let may = others.contains(&actor.person) || directory.has_role(&actor.person, Role::Auditor);
    if may {
        return Ok(());
    }
    let text = "Only a commander or a change manager can review signatures.";
    Err(Refusal::not_allowed("not_allowed", text).with_others(logins(directory, &others)))
}
