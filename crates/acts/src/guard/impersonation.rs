//! Impersonation: a person who sets another's password, or the provider of another's sign-in, could sign in as that
//! person. That person is notified at once. For one day a decision made by such a sign-in counts as the setter's too
//! where two people must decide: under dual control, and when rules of dual control are put in force or ended.

use jiff::SignedDuration;
use model::approval::obligation::Duty;
use model::approval::one_hand;
use model::change::change_file::{Actor, EventDraft};
use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use model::directory::impersonation::CredentialGrant;
use model::directory::snapshot::{Person, Readdressed};
use model::directory::two_people;
use model::gate::committers;
use model::policy::configuration::Configuration;
use serde_json::json;
use store::identity::{second_factor, secrets, session};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::{save_message, save_message_for};
use crate::core::providers;
use crate::core::write::{Written, draft};
use crate::guard::other_setters::others_who_set;
use crate::guard::session_end;

/// How long a credential counts as its setter's as well, in hours: time for its person to read the notice and to
/// object.
const HANDED_HOURS: i64 = 24;

/// The person accountable for a credential that is made for `person`: the setter of the acting person's sign-in, else
/// the actor. If that setter is `person`, the actor is accountable; otherwise one account could make another's
/// decisions count as that person's own. A credential made on the host has no setter, so its person is accountable:
/// somebody must read the notice when the credential ends.
pub(crate) fn maker(actor: &Actor, person: &PersonId) -> PersonId {
    if actor.is_system {
        return person.clone();
    }
    match actor.speaker() {
        speaker if speaker == person => actor.person.clone(),
        speaker => speaker.clone(),
    }
}

/// The person who sets something for another person, if they differ; the setter of the actor's sign-in counts as the
/// actor.
pub(crate) fn setter(actor: &Actor, person: &PersonId) -> Option<PersonId> {
    let maker = maker(actor, person);
    let is_another = !actor.is_system && maker != *person;
    is_another.then_some(maker)
}

/// The setter of a credential that a person gets now, if the setter is another person.
pub(crate) fn credential_grant(cx: &Context<'_, '_>, person: &PersonId) -> Option<CredentialGrant> {
    setter(&cx.actor, person).map(|by| CredentialGrant { by, at: cx.now })
}

/// The person who set up the sign-in that begins a session, if another person did so within the last day. For
/// `provider:KEY` that is the person who set the provider or changed the mail address that the provider matches;
/// otherwise the person who set the password.
///
/// # Errors
/// The store's.
pub fn credential_setter(cx: &mut Context<'_, '_>, person: &PersonId, method: &str) -> Result<Option<PersonId>> {
    let found = match method.strip_prefix("provider:") {
        Some(key) => {
            let provider = providers::provider(cx, key)?;
            let moved = cx.directory()?.people.get(person).and_then(|it| it.readdressed.clone());
            [provider.set_by.zip(provider.set_at), moved.map(|it| (it.by, it.at))]
        }
        None => {
            let setter = secrets::password_setter(cx.tx, person.as_str())?;
            [setter.map(|(by, at)| (PersonId(by), at)), None]
        }
    };
    let since = cx.now - SignedDuration::from_hours(HANDED_HOURS);
    let mut hands = found.into_iter().flatten();
    Ok(hands.find(|(by, at)| by != person && *at > since).map(|(by, _)| by))
}

/// Notes on a person which other person alone changed the mail address. A change made by two people is not noted,
/// because each checked the other.
pub(crate) fn note_address(cx: &Context<'_, '_>, before: &Person, after: &mut Person, is_alone: bool) {
    if committers::mail_mark(before) == committers::mail_mark(after) {
        return;
    }
    let by = setter(&cx.actor, &after.id).filter(|_| is_alone);
    after.readdressed = by.map(|by| Readdressed { by, at: cx.now });
}

/// Ends the credentials that a compromised account issued: sessions that began by them, and passwords of the last day,
/// which the account's user knows.
///
/// # Errors
/// The store's.
pub(crate) fn take_back(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<()> {
    let since = cx.now - SignedDuration::from_hours(HANDED_HOURS);
    let ended = session::delete_set_by(cx.tx, person.as_str())?;
    session_end::note_ended(cx, &ended)?;
    for whose in secrets::delete_passwords_set_by(cx.tx, person.as_str(), since)? {
        cx.emit(vec![password_removed(cx, whose)], Written::default())?;
    }
    Ok(())
}

/// Removes a person's credentials (password and second factors of every kind) and records the removal in the log: a
/// replay reports rows that are gone without an event.
///
/// # Errors
/// The store's.
pub(crate) fn forget_ways_in(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<()> {
    let mut told = Vec::new();
    if secrets::delete_password(cx.tx, person.as_str())? {
        told.push(password_removed(cx, person.0.clone()));
    }
    if second_factor::delete_of_person(cx.tx, person.as_str(), "")? > 0 {
        told.push(draft(
            "person.factors_reset",
            ("person", person.0.clone()),
            cx.now,
            json!({}),
        ));
    }
    if told.is_empty() {
        return Ok(());
    }
    cx.emit(told, Written::default())
}

fn password_removed(cx: &Context<'_, '_>, whose: String) -> EventDraft {
    draft("person.password_removed", ("person", whose), cx.now, json!({}))
}

/// Notifies a person that another person changed their sign-in.
///
/// # Errors
/// The store's.
pub(crate) fn notify_changed_sign_in(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    person: &PersonId,
    what: &str,
) -> Result<()> {
    if cx.actor.is_system || &cx.actor.person == person {
        return Ok(());
    }
    let name = cx.directory()?.name(&cx.actor.person);
    let text = format!("{name} {what}. If you did not request this, notify another administrator now.\n");
    let dedup = format!("way_in/{}", cx.new_id()?);
    let message = ("way_in", "Your sign-in was changed", text.as_str(), dedup.as_str());
    save_message(cx, written, person, None, message)
}

/// Notifies a person, at the earlier mail address, that another person changed their address or accounts: a provider
/// may let the owner of the address sign in as them.
///
/// # Errors
/// The store's.
pub(crate) fn notify_changed_address(cx: &mut Context<'_, '_>, before: &Person, after: &Person) -> Result<()> {
    let moved = (&before.email, &before.accounts) != (&after.email, &after.accounts);
    if !moved || cx.actor.is_system || cx.actor.person == after.id {
        return Ok(());
    }
    let name = cx.directory()?.name(&cx.actor.person);
    let what = if before.email == after.email {
        "changed the accounts and addresses that identify you"
    } else {
        "changed your mail address, by which a provider may sign you in; letters now go to the new address"
    };
    let text = format!("{name} {what}. If you did not request this, notify another administrator now.\n");
    let dedup = format!("way_in/{}", cx.new_id()?);
    let message = ("way_in", "Your mail address was changed", text.as_str(), dedup.as_str());
    let earlier = before.email.as_deref().unwrap_or_default();
    let mut written = Written::default();
    save_message_for(cx, &mut written, (&after.id, earlier), None, message)?;
    let subject = ("person", after.id.0.clone());
    let event = draft("person.told_of_address", subject, cx.now, json!({}));
    cx.emit(vec![event], written)
}

/// Notifies a person that a user of their password set up a second factor in their name.
///
/// # Errors
/// The store's.
pub(crate) fn notify_added_factor(cx: &mut Context<'_, '_>, written: &mut Written, person: &PersonId) -> Result<()> {
    let text = "Somebody who knew your password set up a second factor for you. Rules that require a second factor accept it \
                one day later. If this was not you, have an administrator remove it, and set a new password now.\n";
    let dedup = format!("way_in/{}", cx.new_id()?);
    let message = ("way_in", "A second factor was set up for you", text, dedup.as_str());
    save_message(cx, written, person, None, message)
}

/// Notifies a person of a record that lets another act for them: `subject` is its table and id. Programs get no
/// messages.
///
/// # Errors
/// The store's.
pub(crate) fn notify_represented(
    cx: &mut Context<'_, '_>,
    person: &PersonId,
    event: &'static str,
    subject: (&'static str, String),
    what: &str,
) -> Result<()> {
    let directory = cx.directory()?;
    let found = directory.people.get(person);
    let decides = found.is_some_and(|person| !person.is_barred_from_deciding());
    if cx.actor.is_system || *person == cx.actor.person || !decides {
        return Ok(());
    }
    let mut written = Written::default();
    notify_changed_sign_in(cx, &mut written, person, what)?;
    cx.emit(vec![draft(event, subject, cx.now, json!({}))], written)
}

/// Refuses a decision right that one other person alone delegated, outside of a change; a new account's first day does
/// not count.
///
/// # Errors
/// 403 `lent_voice`, or the store's.
pub(crate) fn check_voice(cx: &mut Context<'_, '_>) -> Result<()> {
    let directory = cx.directory()?;
    Ok(two_people::check_voice(&directory, &cx.actor, cx.now, |_| true)?)
}

/// Refuses a token that carries fewer roles than its person has, in acts that need all of them: a delegation, an
/// absence or a board membership affects the decisions of every role.
///
/// # Errors
/// 403 `narrowed_token`, or the store's.
pub(crate) fn check_whole(cx: &mut Context<'_, '_>) -> Result<()> {
    let Some(carried) = cx.actor.narrowed_to().cloned() else {
        return Ok(());
    };
    let directory = cx.directory()?;
    let held = directory.people.get(&cx.actor.person).map(|person| &person.roles);
    if held.is_some_and(|held| held.is_subset(&carried)) {
        return Ok(());
    }
    let carried: Vec<&str> = carried.iter().map(|role| role.as_str()).collect();
    let text = format!(
        "This token carries only {} of your roles, but this act needs all of them: use a session of your own, or a token \
         without restrictions.",
        carried.join(", ")
    );
    Err(Refusal::not_allowed("narrowed_token", text).into())
}

/// Whether a rule of dual control is in force.
///
/// # Errors
/// The store's.
fn is_dual(cx: &mut Context<'_, '_>) -> Result<bool> {
    let policies = cx.policies()?;
    let mut obligations = policies.obligations();
    Ok(obligations.any(|it| matches!(&it.duty, Duty::Approval(rule) if rule.dual_control)))
}

/// Whether the acting person is no second person for a proposal, because the proposer set up their sign-in. A token
/// that the proposer made always counts so, because its person can sign in without it. A password of the first day, or
/// an account that the proposer made within the day, counts only if somebody else could be the second person.
///
/// # Errors
/// The store's.
pub(crate) fn is_same_person(cx: &mut Context<'_, '_>, proposal: &Configuration) -> Result<bool> {
    let first = proposal.handed_by.as_ref().unwrap_or(&proposal.proposer);
    if cx.actor.by_token && cx.actor.hand() == Some(first) {
        return Ok(true);
    }
    let (speaker, person) = (cx.actor.speaker().clone(), cx.actor.person.clone());
    is_controlled_by_same(cx, (&speaker, &person), proposal)
}

/// The same check for an earlier decision, by its person and the setter of its sign-in (`speaker`): the proposer, an
/// account that the proposer made within the day, or an account that made the proposer's. Such a decision is no second
/// person for any kind of configuration, unless nobody else could be one: otherwise a new tenant could not begin.
///
/// # Errors
/// The store's.
pub(crate) fn is_controlled_by_same(
    cx: &mut Context<'_, '_>,
    (speaker, person): (&PersonId, &PersonId),
    proposal: &Configuration,
) -> Result<bool> {
    let first = proposal.handed_by.as_ref().unwrap_or(&proposal.proposer).clone();
    let directory = cx.directory()?;
    let now = cx.now;
    let is_made = |person: &PersonId| one_hand::is_one_holder(&directory, (person, &first), now);
    if *speaker != first && !is_made(speaker) {
        return Ok(false);
    }
    // Two people are required because one account may be stolen, and an administrator's account makes tokens and
    // passwords for others. In these two cases setters therefore count, whatever the rules require.
    if two_people::is_by_two(&directory, cx.now) || is_dual(cx)? {
        return Ok(true);
    }
    let others = others_who_set(cx, &first)?;
    let mut others = others.iter().filter_map(|login| directory.by_login(login));
    Ok(others.any(|other| other.id != *person && other.id != proposal.proposer && !is_made(&other.id)))
}
