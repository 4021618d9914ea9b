//! People: created, edited, deactivated; their passwords. A deactivation ends sessions and tokens at once.

use std::collections::BTreeSet;

use model::core::act;
use model::core::body::Body;
use model::core::enums::Role;
use model::core::ids::{PersonId, RecordId};
use model::core::parse::{self, LINE, Reading};
use model::core::refusal::Refusal;
use model::directory::snapshot::{self, Directory, Person};
use model::directory::{agent_rules, manager};
use model::gate::committers;
use serde_json::json;
use store::identity::{secrets, session};

use crate::case::settle_open;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::read_fields::scoped_to;
use crate::core::write;
use crate::directory::deactivate_person::end_person;
use crate::directory::suspend_given;
use crate::guard::denied_rights::{self, FromOutside};
use crate::guard::group_membership::{self, Comers};
use crate::guard::person_fields::{OWN_ACCOUNT, check_accounts, check_mail, no_login};
use crate::guard::{impersonation, last_administrator, read_directory_rows, self_grant, session_end, two_people};
use crate::identity::set_second_factor;

/// Creates a person (`POST /people {login, name, email, roles, zone, accounts, manager, services}`).
///
/// # Errors
/// 403, 409 for a right that two people give, 422, or the store's.
pub fn create_person(cx: &mut Context<'_, '_>, body: &Body) -> Result<Person> {
    cx.allow(act::actions::SET_PERSON)?;
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let login = reading.needed("login", LINE).trim().to_lowercase();
    if directory.logins.contains_key(&login) {
        reading.wrong("login", "not_unique", format!("The login `{login}` is taken."));
    }
    if let Some(text) = no_login(&login) {
        reading.wrong("login", "not_a_login", text);
    }
    let mut person = Person {
        id: PersonId(cx.new_id()?),
        version: 0,
        name: reading.name().unwrap_or_else(|| login.clone()),
        login,
        email: reading.text("email", LINE),
        roles: reading.words::<Role>("roles").unwrap_or_default().into_iter().collect(),
        zone: read_zone(&mut reading).unwrap_or_else(|| "UTC".to_owned()),
        active: true,
        accounts: reading.texts("accounts", LINE).unwrap_or_default(),
        functions: read_directory_rows::functions(&mut reading).unwrap_or_default(),
        calendar: read_directory_rows::calendar(&mut reading, &directory),
        deactivation: None,
        subjects: Vec::new(),
        external_id: None,
        attributes: Vec::new(),
        removed: false,
        telling: None,
        manager: None,
        refused_rights: Vec::new(),
        vouched: Vec::new(),
        readdressed: None,
        made_by: None,
        is_agent: false,
        services: scoped_to(&mut reading, &directory).unwrap_or_default(),
    };
    manager::read(&mut reading, &directory, &mut person);
    check_mail(&mut reading, &directory, &person);
    check_accounts(&mut reading, &directory, &person);
    reading.finish()?;
    two_people::check_person(cx, &person)?;
    person.made_by = impersonation::credential_grant(cx, &person.id);
    let person = cx.put_estate("person.created", person, json!({}))?;
    group_membership::join_well_known_groups(cx, None, &person)?;
    settle_open::settle_person(cx, None, &person)?;
    settle_committers(cx, None, &person)?;
    Ok(person)
}

/// Evaluates open changes with commits again after an edit of a person's accounts or address: the person may be a
/// committer.
pub(crate) fn settle_committers(cx: &mut Context<'_, '_>, before: Option<&Person>, after: &Person) -> Result<()> {
    let marks = |person: &Person| (person.accounts.clone(), person.email.clone());
    let were = before.map(marks).unwrap_or_default();
    if were == marks(after) {
        return Ok(());
    }
    settle_open::settle_of(cx, &after.id)
}

/// Reads an IANA time zone.
pub(crate) fn read_zone(reading: &mut Reading<'_>) -> Option<String> {
    let zone = reading.text("zone", LINE)?;
    if jiff::tz::TimeZone::get(&zone).is_err() {
        reading.wrong(
            "zone",
            "unknown",
            format!("`{zone}` is not an IANA time zone such as Europe/Oslo."),
        );
    }
    Some(zone)
}

/// Edits a person (`PATCH /people/{login}`); `active: false` deactivates.
///
/// # Errors
/// 403, 404, 409 for a right that two people give, 422, or the store's.
pub fn edit_person(cx: &mut Context<'_, '_>, login: &str, body: &Body) -> Result<Person> {
    cx.allow(act::actions::SET_PERSON)?;
    let directory = cx.directory()?;
    let Some(mut person) = directory.by_login(login).cloned() else {
        return Err(Refusal::not_found(format!("person {login}")).into());
    };
    let before = person.clone();
    if self_grant::is_own(&cx.actor, &person.id) && body.contains_key("roles") {
        return Err(Refusal::not_allowed("own_request", "You cannot change your own roles.").into());
    }
    let mut reading = Reading::new(body, "");
    person.name = reading.name().unwrap_or(person.name);
    if reading.says("email") {
        person.email = reading.text("email", LINE);
    }
    person.zone = read_zone(&mut reading).unwrap_or(person.zone);
    // Null clears a list, like an empty one.
    if reading.says("roles") {
        let roles = reading.words::<Role>("roles").unwrap_or_default();
        person.roles = roles.into_iter().collect::<BTreeSet<_>>();
        check_agents_rights(&mut reading, cx, &before, &person);
    }
    if reading.says("accounts") {
        person.accounts = reading.texts("accounts", LINE).unwrap_or_default();
    }
    if reading.says("functions") {
        person.functions = read_directory_rows::functions(&mut reading).unwrap_or_default();
    }
    if reading.says("services") {
        person.services = scoped_to(&mut reading, &directory).unwrap_or_default();
    }
    if reading.says("calendar") {
        person.calendar = read_directory_rows::calendar(&mut reading, &directory);
    }
    manager::read(&mut reading, &directory, &mut person);
    person.active = reading.boolean("active").unwrap_or(person.active);
    check_mail(&mut reading, &directory, &person);
    check_accounts(&mut reading, &directory, &person);
    reading.finish()?;
    if self_grant::is_own(&cx.actor, &person.id) && committers::drops_mark(&before, &person) {
        return Err(Refusal::not_allowed("own_request", OWN_ACCOUNT).into());
    }
    if self_grant::gives_function(cx, Some(&before), &person) {
        return Err(self_grant::own_request(self_grant::OWN_FUNCTION).into());
    }
    if self_grant::picks_manager(&cx.actor, &before, &person) {
        return Err(self_grant::own_request(self_grant::OWN_MANAGER).into());
    }
    last_administrator::check(cx, &person)?;
    two_people::check_person(cx, &person)?;
    if before.roles != person.roles {
        let outside = FromOutside::find(cx)?;
        denied_rights::note_roles(cx, &outside, &before, &mut person);
    }
    if directory.is_active(&person.id) && !person.active {
        return end_person(cx, person, false, None);
    }
    person.deactivation = person.deactivation.take().filter(|_| !person.active);
    let is_alone = !model::directory::two_people::is_by_two(&directory, cx.now);
    impersonation::note_address(cx, &before, &mut person, is_alone);
    let person = cx.put_estate("person.edited", person, json!({}))?;
    // An account that is activated again has no suspension list any more.
    suspend_given::follow(cx, &person)?;
    group_membership::join_well_known_groups(cx, Some(&before), &person)?;
    group_membership::leave_well_known_groups(cx, &before, &person)?;
    settle_open::settle_person(cx, Some(&before), &person)?;
    settle_committers(cx, Some(&before), &person)?;
    impersonation::notify_changed_address(cx, &before, &person)?;
    Ok(person)
}

/// Nobody gives an agent's account a deciding role.
fn check_agents_rights(reading: &mut Reading<'_>, cx: &Context<'_, '_>, before: &Person, person: &Person) {
    if !person.is_agent || cx.actor.is_system || before.roles == person.roles {
        return;
    }
    if let Some(text) = agent_rules::odd_right(&person.roles) {
        reading.wrong("roles", "agent_decides_nothing", text);
    }
}

/// Nobody adds an agent to a group: groups decide.
fn check_agent_membership(reading: &mut Reading<'_>, directory: &Directory, group: &snapshot::Group) {
    let known = directory.groups.get(&group.key);
    let is_new = |person: &&PersonId| known.is_none_or(|known| !known.members.contains(*person));
    for person in group.members.iter().filter(is_new) {
        if directory.people.get(person).is_some_and(|person| person.is_agent) {
            let login = directory.login(person);
            let text = format!("`{login}` is an agent, and agents cannot decide: name its sponsor.");
            reading.wrong("members", "agent_decides_nothing", text);
        }
    }
}

/// Keeps a password as its PHC text, which the caller has hashed outside the transaction. Ends other sessions.
///
/// One's own password needs a fresh factor. A password is itself a factor, so a stolen session or token that could set
/// it would create the factor that is required elsewhere.
///
/// # Errors
/// 403 for another's password without the right, and `step_up_required` for one's own; 404; the store's.
pub fn set_password(cx: &mut Context<'_, '_>, login: &str, phc: &str) -> Result<()> {
    let directory = cx.directory()?;
    let Some(person) = directory.by_login(login) else {
        return Err(Refusal::not_found(format!("person {login}")).into());
    };
    if self_grant::is_own(&cx.actor, &person.id) {
        set_second_factor::check_fresh(cx)?;
    }
    // A person who set up another's account cannot set the own password of that account, unless they may set others'
    // passwords.
    if person.id != cx.actor.person {
        cx.allow(act::actions::SET_PERSON)?;
    }
    keep_password(cx, person.id.clone(), phc)
}

/// Saves one's own new password, on a page that checked the present one.
///
/// # Errors
/// The store's.
pub fn change_password(cx: &mut Context<'_, '_>, phc: &str) -> Result<()> {
    let person = cx.actor.person.clone();
    keep_password(cx, person, phc)
}

fn keep_password(cx: &mut Context<'_, '_>, id: PersonId, phc: &str) -> Result<()> {
    let by = impersonation::setter(&cx.actor, &id);
    let hand = by.as_ref().map(PersonId::as_str);
    // A person who sets their own password in a session that another set up does not restart that other's day.
    let before = secrets::password_setter(cx.tx, id.as_str())?;
    let is_own_choice = cx.actor.person == id;
    let began = before.filter(|(setter, _)| is_own_choice && Some(setter.as_str()) == hand);
    let at = began.map_or(cx.now, |(_, at)| at);
    secrets::save_password(cx.tx, id.as_str(), phc, (hand, at))?;
    let ended = session::delete_of_person(cx.tx, id.as_str())?;
    session_end::note_ended(cx, &ended)?;
    // Its hash is salted, so the digest does not help to guess the password; a replay uses the digest to detect that
    // the password was exchanged.
    let told = json!({
        "hash_digest": proof::crypto::digest_text(phc.as_bytes()),
        "set_by": hand.unwrap_or(id.as_str()),
    });
    let event = write::draft("person.password_set", ("person", id.0.clone()), cx.now, told);
    let mut written = write::Written::default();
    impersonation::notify_changed_sign_in(cx, &mut written, &id, "set a new password for your account")?;
    cx.emit(vec![event], written)
}

/// Ends all sessions of a person, by an administrator of people; returns how many there were.
///
/// # Errors
/// 403, or the store's.
pub fn end_sessions(cx: &mut Context<'_, '_>, person: &str) -> Result<u64> {
    cx.allow(act::actions::SET_PERSON)?;
    let ended = session::delete_of_person(cx.tx, person)?;
    session_end::note_requested(cx, person, &ended)?;
    Ok(u64::try_from(ended.len()).unwrap_or_default())
}

/// Creates or edits a group (`PUT /groups/{key} {name, members}`).
///
/// # Errors
/// 403, 409 for a membership that needs two people, 422, or the store's.
pub fn set_group(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<snapshot::Group> {
    cx.allow(act::actions::SET_PERSON)?;
    let directory = cx.directory()?;
    let mut named = body.clone();
    named.insert("key".to_owned(), json!(key));
    let mut reading = Reading::new(&named, "");
    reading.errors.extend(parse::other_key(body, key));
    let mut group = read_directory_rows::group(&mut reading, &directory);
    check_agent_membership(&mut reading, &directory, &group);
    reading.finish()?;
    if self_grant::gives_membership(cx, directory.groups.get(&group.key), &group) {
        return Err(self_grant::own_request(self_grant::OWN_SEAT).into());
    }
    if let Some((_, matter)) = two_people::moves_group(&directory, &group) {
        two_people::check(cx, true, matter)?;
    }
    if group.id.as_str().is_empty() {
        group.id = RecordId(cx.new_id()?);
    }
    let known = directory.groups.get(&group.key);
    let before = known.map(|known| known.members.clone()).unwrap_or_default();
    let group = group_membership::put_group(cx, group, json!({}), Comers::Seated)?;
    if before != group.members {
        let outside = FromOutside::find(cx)?;
        denied_rights::note_memberships(cx, &outside, &before, &group)?;
    }
    settle_open::settle_with_approvers(cx)?;
    Ok(group)
}
