//! The commander's signature: lets one change through the freeze of a major incident, is taken back, and is reviewed afterwards.

use jiff::Timestamp;
use model::change::record::Change;
use model::change::related_records::Link;
use model::core::act;
use model::core::body::Body;
use model::core::enums::{LinkKind, TimelineKind};
use model::core::parse::{LINE, Reading, TEXT, later};
use model::core::refusal::Refusal;
use model::directory::snapshot::{Directory, Freeze, FreezeException, Incident};
use model::emergency::grounds::named_by;
use model::incident::course::{Signature, SignatureReview};
use model::incident::major;
use model::incident::signature::{self, LONGEST};
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::case::settle_one::settle_own;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::grounds;
use crate::incident::link_records::has_fix;
use crate::incident::note_entry::note;
use crate::incident::set_incident::find;
use crate::incident::sync_major::freeze_of;
use crate::schedule::set_freeze::has_part;

/// The content of a signature.
struct SignatureInput {
    change: String,
    reason: Option<String>,
    until: Option<Timestamp>,
}

/// Signs for one change (`POST /incidents/{key}/signatures {change, reason, until}`): it may start until then, in its present
/// version. For the incident's fix the link has the reason, so reason and time may be left out.
///
/// # Errors
/// 403 `not_commander`, `step_up_required` or `own_request`; 404; 409 for a change that is not stopped or an incident that is
/// not major; 422; or the store's.
pub fn sign_exception(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<Incident> {
    cx.allow(act::actions::SET_INCIDENT)?;
    let (directory, incident) = (cx.directory()?, find(cx, key)?);
    let said = read(body, cx.now)?;
    let change = cx.change(&said.change)?;
    let freeze = freeze_of(&directory, &incident).cloned();
    let asked = signature::SignatureRequest {
        incident: &incident,
        freeze: freeze.as_ref(),
        change: &change,
        is_own: has_part(cx, &directory, &change),
    };
    signature::check(&asked, &directory, &cx.actor, cx.now)?;
    let fixes = is_fix(cx, &directory, &change, &incident)?;
    let (reason, until) = filled(said, fixes, &incident, cx.now)?;
    let Some(freeze) = freeze else {
        return Err(Refusal::not_found("freeze").into());
    };
    let signed = Signature {
        change: change.id.clone(),
        change_key: change.key.clone(),
        what_digest: change.digests.what.clone(),
        reason,
        until,
        fixes,
        by: cx.actor.person.clone(),
        at: cx.now,
        factor: cx
            .actor
            .fresh_factor(cx.now)
            .map(|factor| factor.kind.as_str().to_owned()),
        withdrawn_at: None,
        review: None,
    };
    save(cx, incident, freeze, (&change, signed))
}

/// Writes the signature and the resulting exception.
fn save(
    cx: &mut Context<'_, '_>,
    mut incident: Incident,
    mut freeze: Freeze,
    (change, signed): (&Change, Signature),
) -> Result<Incident> {
    let rested_on = vec![
        grounds::named(change),
        grounds::named(&incident),
        grounds::named(&freeze),
    ];
    let why = grounds::of_records(
        cx,
        (std::slice::from_ref(&signed.by), rested_on),
        grounds::Shown::default(),
    )?;
    freeze.end_exceptions(|row| row.change == change.id, Some(&cx.actor.person), cx.now);
    freeze.exceptions.push(FreezeException {
        change: signed.change.clone(),
        change_key: signed.change_key.clone(),
        reason: signed.reason.clone(),
        by: signed.by.clone(),
        at: signed.at,
        what_digest: signed.what_digest.clone(),
        until: Some(signed.until),
        time: None,
    });
    let mut data = json!({"change": change.key, "by": signed.by, "until": signed.until, "fixes": signed.fixes,
        "number": incident.course.signatures.len() + 1});
    data[proof::grounds::MEMBER] = why.clone();
    let text = format!("{} may start until {}: {}", change.key, signed.until, signed.reason);
    incident.course.signatures.push(signed);
    let saved = cx.put_estate("incident.exception_signed", incident, data)?;
    cx.put_estate(
        "freeze.excepted",
        freeze,
        json!({"change": change.key, (proof::grounds::MEMBER): why}),
    )?;
    settle_own(cx, change)?;
    note(cx, &saved, TimelineKind::Signature, &text)?;
    notify_owner(cx, &saved, change)?;
    Ok(saved)
}

fn notify_owner(cx: &mut Context<'_, '_>, incident: &Incident, change: &Change) -> Result<()> {
    let key = incident.key.clone();
    cx.on_change(change.id.as_str(), |case| {
        let owner = case.change().content.owner.clone();
        let news = format!("The commander of {key} allows {}.", case.change().key);
        let mark = format!("{key}/{}", case.now);
        case.write_to(
            &owner,
            "exception_signed",
            &mark,
            news,
            "Start the change before the signature expires.",
        );
        Ok(())
    })?;
    Ok(())
}

fn read(body: &Body, now: Timestamp) -> Result<SignatureInput> {
    let mut reading = Reading::new(body, "");
    let change = reading.needed("change", LINE);
    let reason = reading.text("reason", TEXT);
    let until = reading.time("until");
    if until.is_some_and(|until| until <= now) {
        reading.wrong("until", "in_the_past", "`until` must lie ahead.");
    } else if until.is_some_and(|until| until > later(now, LONGEST)) {
        reading.wrong("until", "too_long", "A signature is valid for at most 24 hours.");
    }
    reading.finish()?;
    Ok(SignatureInput { change, reason, until })
}

/// Reason and end of a signature; both have defaults for the fix.
fn filled(said: SignatureInput, fixes: bool, incident: &Incident, now: Timestamp) -> Result<(String, Timestamp)> {
    if fixes {
        let reason = said.reason.unwrap_or_else(|| format!("It fixes {}.", incident.key));
        return Ok((reason, said.until.unwrap_or_else(|| later(now, LONGEST))));
    }
    let field = if said.reason.is_none() { "reason" } else { "until" };
    let (Some(reason), Some(until)) = (said.reason, said.until) else {
        let text = "A signature needs a reason (`reason`) and the latest start of the change (`until`); both are optional only \
                    for the change that fixes the incident.";
        return Err(Refusal::field(field, "missing", text).into());
    };
    Ok((reason, until))
}

/// Whether a change fixes the incident: an emergency that names the incident, or a change with a link of that kind.
fn is_fix(cx: &mut Context<'_, '_>, directory: &Directory, change: &Change, incident: &Incident) -> Result<bool> {
    if named_by(change, directory).is_some_and(|it| it.id == incident.id) {
        return Ok(true);
    }
    let filter = Filter::new()
        .equals("from_change", change.id.as_str())
        .equals("kind", LinkKind::Fixes.as_str())
        .order_by("id");
    let links = record::bodies::<Link>(cx.tx, &filter)?;
    let is_it = |link: &Link| link.to == incident.key && link.removed_at.is_none();
    Ok(links.iter().any(is_it) || has_fix(cx, &incident.key, &change.key)?)
}

/// Takes a signature back (`DELETE /incidents/{key}/signatures/{change}`): the incident stops the change again. The signature stays
/// in the record and is reviewed all the same.
///
/// # Errors
/// 403 `not_commander`; 404, also for a change that nobody signed for; or the store's.
pub fn withdraw_signature(cx: &mut Context<'_, '_>, key: &str, change: &str) -> Result<Incident> {
    cx.allow(act::actions::SET_INCIDENT)?;
    let (directory, mut incident) = (cx.directory()?, find(cx, key)?);
    let change = cx.change(change)?;
    let now = cx.now;
    let mut rows = incident.course.signatures.iter_mut();
    let Some(row) = rows.find(|row| row.change == change.id && row.is_in_force(now)) else {
        return Err(Refusal::not_found(format!("signature for {} in {key}", change.key)).into());
    };
    row.withdrawn_at = Some(now);
    major::check_in_command(&incident, &directory, &cx.actor.person)?;
    let freeze = freeze_of(&directory, &incident).cloned();
    let data = json!({"change": change.key, "by": cx.actor.person});
    let saved = cx.put_estate("incident.signature_withdrawn", incident, data)?;
    if let Some(mut freeze) = freeze {
        freeze.end_exceptions(|row| row.change == change.id, Some(&cx.actor.person), now);
        cx.put_estate("freeze.exception_withdrawn", freeze, json!({"change": change.key}))?;
    }
    settle_own(cx, &change)?;
    let text = format!("{} may start no more", change.key);
    note(cx, &saved, TimelineKind::Signature, &text)?;
    Ok(saved)
}

/// Reviews a signature (`POST /incidents/{key}/signature-reviews {change, justified, reason}`): by a person other than the
/// signer, at any time until the incident is closed. It reviews all signatures for the change that nobody reviewed.
///
/// # Errors
/// 403 `own_request` or `not_allowed`; 404; 422; or the store's.
pub fn review_signature(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<Incident> {
    cx.allow(act::actions::READ)?;
    let (directory, mut incident) = (cx.directory()?, find(cx, key)?);
    let mut reading = Reading::new(body, "");
    let named = reading.needed("change", LINE);
    let justified = reading.boolean("justified");
    if justified.is_none() && !reading.says("justified") {
        let text = "`justified` is missing: state whether the change was too urgent to wait.";
        reading.wrong("justified", "missing", text);
    }
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    let change = cx.change(&named)?;
    let (by, at, justified) = (cx.actor.person.clone(), cx.now, justified.unwrap_or_default());
    let mut found = false;
    for row in incident
        .course
        .signatures
        .iter_mut()
        .filter(|row| row.change == change.id && row.review.is_none())
    {
        signature::check_reviewer(&row.by, &directory, &cx.actor, cx.now)?;
        if has_part(cx, &directory, &change) {
            let text = "You cannot review the signature for your own change.";
            return Err(Refusal::not_allowed("own_request", text).into());
        }
        row.review = Some(SignatureReview {
            justified,
            reason: reason.clone(),
            by: by.clone(),
            at,
        });
        found = true;
    }
    if !found {
        return Err(Refusal::not_found(format!("signature for {} that waits for a review", change.key)).into());
    }
    let data: Value = json!({"change": change.key, "by": by, "justified": justified});
    let saved = cx.put_estate("incident.signature_reviewed", incident, data)?;
    let word = if justified { "justified" } else { "not justified" };
    note(
        cx,
        &saved,
        TimelineKind::Signature,
        &format!("The signature for {} was {word}: {reason}", change.key),
    )?;
    Ok(saved)
}
