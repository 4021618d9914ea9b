//! Second factors: TOTP (RFC 6238), recovery codes, passkeys. Each is added in a fresh session of its own person, shown
//! once, kept encrypted or as a digest, and used up where it can be.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use model::approval::decide;
use model::core::act;
use model::core::body::Body;
use model::core::ids::PersonId;
use model::core::percent::encoded;
use model::core::refusal::Refusal;
use model::identity::factor::Factor;
use proof::crypto::{base64url, digest_text, is_same_secret};
use proof::event::Event;
use serde_json::{Value, json};
use store::audit::event;
use store::identity::second_factor::{self, SecondFactor};
use store::identity::session;
use totp_rs::{Builder, Secret, Totp};

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::services::Way;
use crate::core::write;
use crate::guard::{impersonation, self_grant, session_end};
use crate::identity::{known_ways, note_sign_in};

/// A TOTP secret has 160 bits, as RFC 4226 section 4 recommends.
const SECRET_BYTES: usize = 20;
/// How many recovery codes there are.
const RECOVERY_CODES: usize = 10;
/// The most second factors of a person besides recovery codes.
const MOST: usize = 10;
/// The most events of a person that are read beyond those that the server has taken in: it takes them in within seconds.
const MOST_LATEST: i64 = 50;
/// The longest name, in characters.
const NAME_CHARS: usize = 60;

/// How long a factor that was set up by a password alone does not count where a rule wants a second one, in hours. An attacker
/// with a stolen password could set one up too; in that time its person is notified.
const NEW_HOURS: i64 = 24;

/// Codes from an authenticator.
pub const TOTP: &str = "totp";
/// A WebAuthn credential.
pub const PASSKEY: &str = "passkey";
/// One of the codes that can be used once.
pub const RECOVERY: &str = "recovery";
/// The same in the form of the log.
const RECOVERY_CODE: &str = "recovery_code";

fn associated(tenant: &str, id: &str) -> Vec<u8> {
    format!("assent second factor\0{tenant}\0{id}").into_bytes()
}

fn seal(cx: &Context<'_, '_>, id: &str, secret: &[u8]) -> Result<Vec<u8>> {
    let tools = cx.services.tools();
    Ok(tools
        .master
        .seal(secret, &associated(&cx.tenant(), id), tools.entropy.as_ref())?)
}

/// The secret of a factor in the clear.
///
/// # Errors
/// A fault of the keys.
pub fn open(cx: &Context<'_, '_>, factor: &SecondFactor) -> Result<Vec<u8>> {
    let bound = associated(&cx.tenant(), &factor.id);
    Ok(cx.services.tools().master.open(&factor.secret, &bound)?.to_vec())
}

/// The acting person's second factors, recovery codes and unconfirmed ones included.
///
/// # Errors
/// The store's.
pub fn own_factors(cx: &mut Context<'_, '_>) -> Result<Vec<SecondFactor>> {
    let person = cx.actor.person.clone();
    Ok(second_factor::of_person(cx.tx, person.as_str())?)
}

/// Whether a person has a second factor that counts: then a password alone is no fresh factor of theirs.
pub fn is_enrolled(factors: &[SecondFactor]) -> bool {
    factors
        .iter()
        .any(|factor| factor.is_confirmed && factor.kind != RECOVERY)
}

/// Whether a person has a second factor, so that a password alone is no fresh factor of theirs. A factor counts as well that the
/// log gives them and whose row is gone without an event.
///
/// # Errors
/// The store's.
pub fn has_second_factor(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<bool> {
    if is_enrolled(&second_factor::of_person(cx.tx, person.as_str())?) {
        return Ok(true);
    }
    let told = cx.services.ended().factors_of(cx.tx.tenant(), person.as_str());
    let Some((mut factors, next)) = told.filter(|(factors, _)| !factors.is_empty()) else {
        return Ok(false);
    };
    let latest = event::latest_of_subject(cx.tx, ("person", person.as_str()), MOST_LATEST)?;
    let is_new = |it: &&event::Event| it.seq.is_none_or(|seq| u64::try_from(seq).is_ok_and(|seq| seq >= next));
    for it in latest.iter().rev().filter(is_new) {
        follow(&mut factors, &Event::from_bytes(&it.bytes)?);
    }
    if factors.is_empty() {
        return Ok(false);
    }
    tracing::warn!(
        tenant = cx.tx.tenant(),
        person = person.as_str(),
        "the log gives this person a second factor, and its row is gone: a password alone is not enough"
    );
    Ok(true)
}

/// The factors after an event that the reader of the log has not reached yet.
fn follow(factors: &mut BTreeSet<String>, event: &Event) {
    let factor = event.data.get("factor").and_then(Value::as_str);
    match (event.kind.as_str(), factor) {
        ("person.factor_added", Some(factor)) => {
            factors.insert(factor.to_owned());
        }
        ("person.factor_removed", Some(factor)) => {
            factors.remove(factor);
        }
        ("person.factors_reset", _) => factors.clear(),
        _ => {}
    }
}

/// Whether a factor counts where a rule wants a second one.
pub fn counts(factor: &SecondFactor, now: Timestamp) -> bool {
    factor.counts_from.is_some_and(|from| from <= now)
}

/// From when a new factor counts: at once if an existing factor confirmed it, else after the person had time to notice.
fn counts_from_now(cx: &Context<'_, '_>) -> Timestamp {
    if cx.actor.has_second_factor(cx.now) {
        return cx.now;
    }
    cx.now + SignedDuration::from_hours(NEW_HOURS)
}

/// How strong a factor is that was just used.
pub fn shown_now(cx: &Context<'_, '_>, factor: &SecondFactor) -> Factor {
    let kind = if factor.kind == RECOVERY {
        RECOVERY_CODE
    } else {
        &factor.kind
    };
    Factor::new(kind, counts(factor, cx.now))
}

/// Requires that a person who adds or removes factors has just used the existing ones.
pub(crate) fn check_fresh(cx: &Context<'_, '_>) -> Result<()> {
    if cx.actor.is_stepped_up(cx.now) {
        return Ok(());
    }
    Err(decide::step_up_required().into())
}

fn checked_name(body: &Body, usual: &str) -> Result<String> {
    let name = body
        .get("name")
        .map_or(Some(usual), Value::as_str)
        .unwrap_or_default()
        .trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS {
        let text = format!("A name has 1 to {NAME_CHARS} characters.");
        return Err(Refusal::field("name", "not_a_name", text).into());
    }
    Ok(name.to_owned())
}

/// A fresh TOTP secret for an authenticator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTotp {
    /// The factor's id.
    pub id: String,
    /// The secret as people type it: base32 (RFC 4648 section 6).
    pub secret: String,
    /// The address that authenticators on the same device open (`otpauth:`).
    pub url: String,
}

/// Makes a TOTP secret for the acting person. The secret counts once a code from it was entered. An earlier unconfirmed secret
/// is discarded.
///
/// # Errors
/// 403 `step_up_required`; 409 with too many factors; the store's.
pub fn begin_totp(cx: &mut Context<'_, '_>, body: &Body) -> Result<NewTotp> {
    check_fresh(cx)?;
    let name = checked_name(body, "Authenticator")?;
    let person = cx.actor.person.clone();
    for left in own_factors(cx)?.iter().filter(|it| it.kind == TOTP && !it.is_confirmed) {
        second_factor::delete(cx.tx, person.as_str(), &left.id)?;
    }
    check_room_for_one(cx)?;
    let mut bytes = [0_u8; SECRET_BYTES];
    cx.services.tools().entropy.fill(&mut bytes)?;
    let id = insert(cx, TOTP, name, &bytes, false)?;
    let secret = Secret::from(bytes.as_slice()).to_base32();
    let (tenant, login) = (cx.tenant(), cx.directory()?.login(&person));
    let url = format!(
        "otpauth://totp/{0}:{1}?secret={secret}&issuer={0}",
        encoded(&format!("Assent {tenant}")),
        encoded(&login)
    );
    Ok(NewTotp { id, secret, url })
}

fn check_room_for_one(cx: &mut Context<'_, '_>) -> Result<()> {
    let count = own_factors(cx)?.iter().filter(|it| it.kind != RECOVERY).count();
    if count < MOST {
        return Ok(());
    }
    let text = format!("A person has at most {MOST} second factors.");
    Err(Refusal::not_now(
        "too_many_factors",
        text,
        "Remove one that is not used any more.",
        Vec::new(),
    )
    .into())
}

fn insert(cx: &mut Context<'_, '_>, kind: &str, name: String, secret: &[u8], is_confirmed: bool) -> Result<String> {
    let id = cx.new_id()?;
    let counts_from = is_confirmed.then(|| counts_from_now(cx));
    let factor = SecondFactor {
        counts_from,
        secret: seal(cx, &id, secret)?,
        id: id.clone(),
        person: cx.actor.person.0.clone(),
        kind: kind.to_owned(),
        name,
        is_confirmed,
        last_step: 0,
        created_at: cx.now,
        last_used_at: None,
    };
    second_factor::insert(cx.tx, &factor)?;
    Ok(id)
}

fn totp(secret: &[u8]) -> Result<Totp> {
    let built = Builder::new().with_secret(Secret::from(secret)).build();
    built.map_err(|error| Error::Fault(format!("a stored TOTP secret cannot be used: {error}")))
}

/// Takes the first code of a new authenticator. Returns the recovery codes, once, when there were none.
///
/// # Errors
/// 404, 422 `wrong_code`, the store's.
pub fn confirm_totp(cx: &mut Context<'_, '_>, id: &str, code: &str) -> Result<Vec<String>> {
    check_fresh(cx)?;
    let factors = own_factors(cx)?;
    let Some(factor) = factors
        .iter()
        .find(|it| it.id == id && it.kind == TOTP && !it.is_confirmed)
    else {
        return Err(Refusal::not_found("authenticator").into());
    };
    let Some(totp) = readable(cx, factor)? else {
        return Err(unreadable(factor));
    };
    if !takes(cx, (factor, &totp), code)? {
        let text = "This code is not valid. Check the clock of your device, and enter the next code.";
        return Err(Refusal::field("code", "wrong_code", text).into());
    }
    let counts_from = counts_from_now(cx);
    second_factor::save_counts_from(cx.tx, &factor.id, counts_from)?;
    finish_adding(cx, TOTP, id, counts_from)
}

/// Records a new factor in the log. Returns the recovery codes, once, when there were none.
fn finish_adding(cx: &mut Context<'_, '_>, kind: &str, id: &str, counts_from: Timestamp) -> Result<Vec<String>> {
    let has_codes = own_factors(cx)?.iter().any(|it| it.kind == RECOVERY);
    let made = if has_codes { None } else { Some(new_codes(cx)?) };
    let mut data = json!({"kind": kind, "counts_from": counts_from.to_string(), "factor": id});
    if let Some(made) = &made {
        data["codes"] = json!(made.digests);
    }
    record_added(cx, data, counts_from)?;
    Ok(made.map(|made| made.codes).unwrap_or_default())
}

/// The name of a new passkey, when the acting person may add one now.
///
/// # Errors
/// 403 `step_up_required`; 409 with too many factors; 422 for a name; the store's.
pub(crate) fn check_new_passkey(cx: &mut Context<'_, '_>, body: &Body) -> Result<String> {
    check_fresh(cx)?;
    let name = checked_name(body, "Passkey")?;
    check_room_for_one(cx)?;
    Ok(name)
}

/// Keeps a passkey that was verified. Returns the recovery codes, once, when there were none.
///
/// # Errors
/// 409 with too many factors; the store's.
pub(crate) fn add_passkey(cx: &mut Context<'_, '_>, name: String, credential: &str) -> Result<Vec<String>> {
    check_room_for_one(cx)?;
    let id = insert(cx, PASSKEY, name, credential.as_bytes(), true)?;
    let counts_from = counts_from_now(cx);
    finish_adding(cx, PASSKEY, &id, counts_from)
}

/// Keeps a passkey as it is after a use: its counter moved.
///
/// # Errors
/// The store's.
pub(crate) fn save_passkey(cx: &mut Context<'_, '_>, id: &str, credential: &str) -> Result<()> {
    let secret = seal(cx, id, credential.as_bytes())?;
    second_factor::save_secret(cx.tx, id, &secret, cx.now)?;
    Ok(())
}

/// Makes new recovery codes for the acting person; the old ones open nothing any more.
///
/// # Errors
/// 403 `step_up_required`; 409 without a second factor; the store's.
pub fn renew_recovery_codes(cx: &mut Context<'_, '_>) -> Result<Vec<String>> {
    check_fresh(cx)?;
    if !is_enrolled(&own_factors(cx)?) {
        let text = "There is no second factor to recover from.";
        return Err(Refusal::not_now(
            "no_factor",
            text,
            "Add an authenticator or a passkey first.",
            Vec::new(),
        )
        .into());
    }
    let made = new_codes(cx)?;
    emit_event(cx, "person.recovery_codes_made", json!({"codes": made.digests}))?;
    Ok(made.codes)
}

/// Recovery codes as shown to their person, and their form in the log.
struct NewCodes {
    codes: Vec<String>,
    digests: Vec<String>,
}

/// How the log knows a recovery code: by the digest of the digest that is kept, which nobody can turn back into a row.
pub(crate) fn digest_of_code(kept: &[u8]) -> String {
    digest_text(kept)
}

fn new_codes(cx: &mut Context<'_, '_>) -> Result<NewCodes> {
    let person = cx.actor.person.clone();
    second_factor::delete_of_person(cx.tx, person.as_str(), RECOVERY)?;
    let counts_from = counts_from_now(cx);
    let (mut codes, mut digests) = (Vec::new(), Vec::new());
    for _ in 0..RECOVERY_CODES {
        let mut bytes = [0_u8; 10];
        cx.services.tools().entropy.fill(&mut bytes)?;
        let code = Secret::from(bytes.as_slice()).to_base32().to_lowercase();
        let digest = digest_text(code.as_bytes());
        digests.push(digest_of_code(digest.as_bytes()));
        let factor = SecondFactor {
            id: cx.new_id()?,
            person: person.0.clone(),
            kind: RECOVERY.to_owned(),
            name: "Recovery code".to_owned(),
            secret: digest.into_bytes(),
            is_confirmed: true,
            last_step: 0,
            created_at: cx.now,
            last_used_at: None,
            counts_from: Some(counts_from),
        };
        second_factor::insert(cx.tx, &factor)?;
        codes.push(format!(
            "{}-{}-{}-{}",
            &code[0..4],
            &code[4..8],
            &code[8..12],
            &code[12..16]
        ));
    }
    Ok(NewCodes { codes, digests })
}

/// The authenticator made from its secret, or `None` when the record is damaged or encrypted under another master key. The
/// server's log reports it to the operator.
fn readable(cx: &Context<'_, '_>, factor: &SecondFactor) -> Result<Option<Totp>> {
    match open(cx, factor).and_then(|secret| totp(&secret)) {
        Ok(found) => Ok(Some(found)),
        Err(error @ (Error::Proof(_) | Error::Fault(_))) => {
            warn_unreadable(cx, factor, &error);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// Reports to the operator a factor whose record cannot be read.
pub(crate) fn warn_unreadable(cx: &Context<'_, '_>, factor: &SecondFactor, error: &dyn std::fmt::Display) {
    tracing::warn!(
        tenant = cx.tenant(),
        person = factor.person,
        factor = factor.id,
        kind = factor.kind,
        error = %error,
        "a second factor cannot be read"
    );
}

fn unreadable(factor: &SecondFactor) -> Error {
    let text = format!("Your authenticator `{}` cannot be read here.", factor.name);
    let satisfy = "Use another second factor or a recovery code, or ask an administrator to remove this one.";
    Refusal::not_now("factor_unreadable", text, satisfy, Vec::new()).into()
}

/// Whether a code is one that the authenticator shows now, and was not taken before: of a time step that was taken, and of
/// those before it, no code is taken again.
fn takes(cx: &mut Context<'_, '_>, (factor, totp): (&SecondFactor, &Totp), code: &str) -> Result<bool> {
    let plain: String = code.chars().filter(|it| !it.is_whitespace()).collect();
    let now = u64::try_from(cx.now.as_second()).unwrap_or_default();
    let Some(step) = totp.check(&plain, now) else {
        return Ok(false);
    };
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    Ok(second_factor::use_step(cx.tx, &factor.id, step, cx.now)?)
}

/// Uses a code of one of the acting person's authenticators; returns how strong the factor is, if the code was right.
///
/// # Errors
/// 409 `factor_unreadable` where none of them can be read; the store's.
pub fn use_code(cx: &mut Context<'_, '_>, code: &str) -> Result<Option<Factor>> {
    let mut broken = None;
    let mut is_any_readable = false;
    for factor in own_factors(cx)?
        .into_iter()
        .filter(|it| it.kind == TOTP && it.is_confirmed)
    {
        if known_ways::is_over(cx, Way::Factor(&factor.id), &factor.person) {
            continue;
        }
        let Some(totp) = readable(cx, &factor)? else {
            broken = Some(factor);
            continue;
        };
        is_any_readable = true;
        if takes(cx, (&factor, &totp), code)? {
            let shown = shown_now(cx, &factor);
            note_sign_in::note_step_up(cx, &shown, Some(factor.id.clone()))?;
            return Ok(Some(shown));
        }
    }
    match broken {
        // Where another one could be read, the code was tried on it: it is wrong, and counts as a try.
        Some(factor) if !is_any_readable => Err(unreadable(&factor)),
        _ => Ok(None),
    }
}

/// Uses a recovery code; returns how strong the factor is, if the code was right. The code is then removed, and the log records
/// it. A recovery code replaces the factor that its person lost, so it proves more than a password.
///
/// # Errors
/// The store's.
pub fn use_recovery_code(cx: &mut Context<'_, '_>, code: &str) -> Result<Option<Factor>> {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    let digest = digest_text(plain.to_lowercase().as_bytes());
    let person = cx.actor.person.clone();
    let found = own_factors(cx)?
        .into_iter()
        .find(|it| it.kind == RECOVERY && is_same_secret(&it.secret, digest.as_bytes()));
    let Some(found) = found else { return Ok(None) };
    let code = digest_of_code(&found.secret);
    let is_over = known_ways::is_over(cx, Way::RecoveryCode(&code), person.as_str());
    if is_over || !second_factor::delete(cx.tx, person.as_str(), &found.id)? {
        return Ok(None);
    }
    let told = json!({"code": code});
    emit_event(cx, "person.recovery_code_used", told)?;
    Ok(Some(shown_now(cx, &found)))
}

/// Removes one of the acting person's factors; with the last one the recovery codes go too.
///
/// # Errors
/// 403 `step_up_required`, 404, the store's.
pub fn remove_factor(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    check_fresh(cx)?;
    let person = cx.actor.person.clone();
    let found = own_factors(cx)?
        .into_iter()
        .find(|it| it.id == id && it.kind != RECOVERY);
    let Some(found) = found else {
        return Err(Refusal::not_found("second factor").into());
    };
    second_factor::delete(cx.tx, person.as_str(), id)?;
    if !is_enrolled(&own_factors(cx)?) {
        second_factor::delete_of_person(cx.tx, person.as_str(), RECOVERY)?;
    }
    emit_event(
        cx,
        "person.factor_removed",
        json!({"kind": found.kind, "factor": found.id}),
    )
}

/// Removes all second factors of a person who lost them, and ends their sessions. Nobody does it for themselves.
///
/// # Errors
/// 403, 404, the store's.
pub fn reset_factors(cx: &mut Context<'_, '_>, login: &str) -> Result<()> {
    cx.allow(act::actions::SET_PERSON)?;
    let directory = cx.directory()?;
    let Some(person) = directory.by_login(login) else {
        return Err(Refusal::not_found(format!("person {login}")).into());
    };
    if self_grant::is_own(&cx.actor, &person.id) {
        let text = "You cannot remove your own second factors without using one.";
        return Err(Refusal::not_allowed("own_request", text).into());
    }
    second_factor::delete_of_person(cx.tx, person.id.as_str(), "")?;
    let ended = session::delete_of_person(cx.tx, person.id.as_str())?;
    session_end::note_ended(cx, &ended)?;
    let id = person.id.clone();
    let subject = ("person", id.0.clone());
    let event = write::draft("person.factors_reset", subject, cx.now, json!({}));
    let mut written = write::Written::default();
    impersonation::notify_changed_sign_in(cx, &mut written, &id, "removed your second factors")?;
    cx.emit(vec![event], written)
}

/// A random name for a ceremony or a session: the name gives no access.
///
/// # Errors
/// A fault when there is no randomness.
pub fn random_name(cx: &Context<'_, '_>) -> Result<String> {
    let mut bytes = [0_u8; 16];
    cx.services.tools().entropy.fill(&mut bytes)?;
    Ok(base64url(&bytes))
}

/// Records a new factor in the log and notifies its person, in case an attacker with the password added the factor.
fn record_added(cx: &mut Context<'_, '_>, data: Value, counts_from: Timestamp) -> Result<()> {
    let person = cx.actor.person.clone();
    let subject = ("person", person.0.clone());
    let event = write::draft("person.factor_added", subject, cx.now, data);
    let mut written = write::Written::default();
    if counts_from > cx.now {
        impersonation::notify_added_factor(cx, &mut written, &person)?;
    }
    cx.emit(vec![event], written)
}

fn emit_event(cx: &mut Context<'_, '_>, kind: &'static str, data: Value) -> Result<()> {
    let subject = ("person", cx.actor.person.0.clone());
    let event = write::draft(kind, subject, cx.now, data);
    cx.emit(vec![event], write::Written::default())
}
