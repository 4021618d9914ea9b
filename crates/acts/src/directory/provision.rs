//! People and groups of a provisioning directory (SCIM). These acts look up records by indexes, so that the cost per
//! person does not grow with the size of the import. Only the check whether a new address is another person's alias
//! scans all people, who are in memory.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use model::approval::absence::Absence;
use model::cab::meeting::OnCall;
use model::cab::training::Training;
use model::change::around;
use model::change::record::Change;
use model::core::enums::Role;
use model::core::ids::{ChangeId, GroupKey, PersonId, RecordId};
use model::core::refusal::Refusal;
use model::core::{act, confusables};
use model::directory::records::Given;
use model::directory::snapshot::{self, Group, Ownership, Person};
use model::directory::two_people::REMEMBERED_HOURS;
use model::gate::committers;
use model::identity::provider::{ProvisionedGroup, ProvisionedPerson};
use serde::Deserialize;
use serde_json::json;
use store::identity::{identities, session};
use store::record::{self, Filter};

use crate::case::settle_open;
use crate::core::context::Context;
use crate::core::error::{self, Result};
use crate::directory::deactivate_person::end_person;
use crate::directory::{set_person, set_service};
use crate::guard::group_membership::{self, Comers};
use crate::guard::{impersonation, known_address, person_fields, read_directory_rows, self_grant, session_end};

/// The groups that the base policies name.
const WELL_KNOWN: [&str; 2] = ["change-managers", "security"];
/// How many people are read at once.
const AT_ONCE: usize = 200;
/// How many changes are read at once.
const CHANGES_AT_ONCE: i64 = 500;
/// The refusal for a person who would add themselves to a group.
const OWN_SEAT: &str = "You cannot add yourself to a group that decides: another person who may set groups must do it. Give \
                        the directory a token of its own account, created by another administrator.";
/// The roles of people who count for a day after they are gone, so that the person who removed them is not alone.
/// Meanwhile these roles give no rights.
const REMEMBERED: [Role; 2] = [Role::Admin, Role::ChangeManager];
/// The longest key of a group, in characters.
const KEY_CHARS: usize = 60;

/// Refuses a caller whose person is inactive or may not set people, by the policies in force.
///
/// # Errors
/// 401, 403, or the store's.
pub fn admit(cx: &mut Context<'_, '_>) -> Result<()> {
    if !cx.directory()?.is_active(&cx.actor.person) {
        let text = "The person behind this credential may no longer act.";
        return Err(Refusal::not_allowed("unauthenticated", text).into());
    }
    cx.allow(act::actions::SET_PERSON)
}

/// A person by id; a removed one is absent.
///
/// # Errors
/// 404, or the store's.
pub fn person(cx: &mut Context<'_, '_>, id: &str) -> Result<Person> {
    let found = record::load::<Person>(cx.tx, id)?.map(|stored| stored.record);
    found
        .filter(|person| !person.removed)
        .ok_or_else(|| Refusal::not_found(format!("user {id}")).into())
}

/// A group by id; a removed one is absent.
///
/// # Errors
/// 404, or the store's.
pub fn group(cx: &mut Context<'_, '_>, id: &str) -> Result<Group> {
    let found = record::load::<Group>(cx.tx, id)?.map(|stored| stored.record);
    found
        .filter(|group| !group.removed)
        .ok_or_else(|| Refusal::not_found(format!("group {id}")).into())
}

/// Id and name of the groups that a person belongs to.
///
/// # Errors
/// The store's.
pub fn groups_of(cx: &mut Context<'_, '_>, person: &str) -> Result<Vec<(String, String)>> {
    Ok(identities::named_groups_of(cx.tx, person)?)
}

/// The person of a login, removed or not.
fn by_login(cx: &mut Context<'_, '_>, login: &str) -> Result<Option<Person>> {
    let filter = Filter::new().equals("login", login).order_by("id");
    Ok(record::find_one::<Person>(cx.tx, &filter)?.map(|stored| stored.record))
}

fn taken(field: &'static str, text: String) -> error::Error {
    Refusal::field(field, "not_unique", text).into()
}

/// One login and one mail address belong to one person. A removed person has no address any more (RFC 7644, section
/// 3.6), but keeps the login for good, because the log names them by it.
fn check_unique(
    cx: &mut Context<'_, '_>,
    own: &PersonId,
    known: Option<&Person>,
    told: &ProvisionedPerson,
) -> Result<()> {
    if let Some(other) = by_login(cx, &told.login)?.filter(|other| &other.id != own) {
        let text = match other.removed {
            true => format!(
                "`{}` was the login of a user who was deleted, and the log speaks of them by it: nobody is renamed to it. Make that \
                 user again under it (POST), or choose another.",
                told.login
            ),
            false => format!("`{}` is taken.", told.login),
        };
        return Err(taken("userName", text));
    }
    let anothers = |mail: &str| {
        let text = format!("`{mail}` belongs to another person; an address can belong to only one person.");
        Err(taken("emails", text))
    };
    let stands = known.and_then(|known| known.email.as_ref());
    if let Some(mail) = &told.email
        && is_anothers(cx, own, mail, Some(mail) != stands)?
    {
        return anothers(mail);
    }
    // Several people may share a second address, such as a team mailbox, but not another person's main address or
    // alias. An existing address is accepted: no deactivation may fail because of it.
    let stood = known.map(Person::addresses).unwrap_or_default();
    for mail in told.addresses().iter().filter(|mail| !stood.contains(mail)) {
        let is_alias = known_address::by_alias(cx, mail.trim(), Some(own))?.is_some();
        if is_alias || is_anothers(cx, own, mail.trim(), false)? {
            return anothers(mail);
        }
    }
    Ok(())
}

/// Whether an address is another person's main one; for a new address, whether it is any address of another person.
fn is_anothers(cx: &mut Context<'_, '_>, own: &PersonId, mail: &str, is_new: bool) -> Result<bool> {
    if is_new {
        return Ok(known_address::of_another(cx, mail, Some(own))?.is_some());
    }
    Ok(known_address::main_of_another(cx, mail, own)?.is_some())
}

/// A new login must be valid. An existing one is accepted, because a deactivation must never fail because of it.
fn check_login(known: Option<&Person>, told: &ProvisionedPerson) -> Result<()> {
    if known.is_some_and(|known| known.login == told.login) {
        return Ok(());
    }
    match person_fields::no_login(&told.login) {
        Some(text) => Err(Refusal::field("userName", "not_a_login", text).into()),
        None => Ok(()),
    }
}

/// A new address must be valid. An existing one is accepted, because a deactivation must never fail because of it.
fn check_address(known: Option<&String>, told: &ProvisionedPerson) -> Result<()> {
    match told.email.as_ref().filter(|mail| Some(*mail) != known) {
        Some(mail) if !person_fields::is_address(mail) => {
            Err(Refusal::field("emails", "not_an_address", person_fields::no_address(mail)).into())
        }
        _ => Ok(()),
    }
}

fn described(person: Person, told: &ProvisionedPerson) -> Person {
    let name = confusables::name_in_one_line(&told.name);
    Person {
        login: told.login.clone(),
        name: if name.is_empty() { told.login.clone() } else { name },
        email: told.email.clone(),
        zone: told.zone.clone().unwrap_or(person.zone),
        external_id: told.external_id.clone(),
        attributes: told.attributes.clone(),
        removed: false,
        ..person
    }
}

/// Creates a person. A removed person who comes back under the same login is the same person in the log, but gets no
/// earlier rights: directories reassign a login to another human.
///
/// # Errors
/// 409 `not_unique`, `compromised` or `just_removed`, or the store's.
pub fn create_person(cx: &mut Context<'_, '_>, told: &ProvisionedPerson) -> Result<Person> {
    if let Some(known) = by_login(cx, &told.login)?.filter(|known| known.removed) {
        let told = ProvisionedPerson {
            active: Some(told.active.unwrap_or(true)),
            ..told.clone()
        };
        // An administrator of Assent may have reactivated the account meanwhile, knowing the person.
        let known = if known.active { known } else { come_back(cx, known)? };
        return keep_person(cx, known, &told);
    }
    check_login(None, told)?;
    let id = PersonId(cx.new_id()?);
    let made_by = impersonation::credential_grant(cx, &id);
    check_unique(cx, &id, None, told)?;
    check_address(None, told)?;
    let fresh = Person {
        id,
        version: 0,
        login: String::new(),
        name: String::new(),
        email: None,
        roles: BTreeSet::new(),
        zone: "UTC".to_owned(),
        active: told.active.unwrap_or(true),
        accounts: Vec::new(),
        functions: BTreeSet::new(),
        calendar: None,
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
        made_by,
        is_agent: false,
        services: Default::default(),
    };
    let fresh = described(fresh, told);
    if fresh.email.is_some() {
        check_aliases(cx, &fresh)?;
    }
    cx.put_estate("person.created", fresh, json!({"provisioned": true}))
}

/// A person who comes back has only the provisioned fields: no credentials, rights or rows.
fn come_back(cx: &mut Context<'_, '_>, known: Person) -> Result<Person> {
    let since = cx.now - SignedDuration::from_hours(REMEMBERED_HOURS);
    let is_late = known.deactivation.as_ref().is_some_and(|it| it.at > since);
    let counts = known.roles.iter().any(|role| REMEMBERED.contains(role));
    // Removed and restored without their rights they would no longer count, and one person alone would have caused
    // that.
    if is_late && counts && !cx.actor.is_system {
        let text = format!(
            "`{}` could set people or policies, and was removed within the last {REMEMBERED_HOURS} hours: they count until these are \
             over.",
            known.login
        );
        let satisfy = "Make them again then, or under another login.";
        return Err(Refusal::not_now("just_removed", text, satisfy, Vec::new()).into());
    }
    forget(cx, &known.id)?;
    end_watching_changes(cx, &known.id)?;
    let accounts = committers::untaken_accounts(&*cx.directory()?, &known);
    Ok(Person {
        roles: BTreeSet::new(),
        // All may belong to somebody else by now; the directory sends the addresses anew.
        email: None,
        attributes: Vec::new(),
        accounts,
        ..bare(known)
    })
}

/// A person without the data that the next user of their login would inherit.
fn bare(person: Person) -> Person {
    let remembered = person.roles.into_iter().filter(|role| REMEMBERED.contains(role));
    Person {
        roles: remembered.collect(),
        functions: BTreeSet::new(),
        subjects: Vec::new(),
        manager: None,
        refused_rights: Vec::new(),
        vouched: Vec::new(),
        telling: None,
        ..person
    }
}

/// Removes a person's credentials, and ends their own ownership rows, their absences, times on call and trainings, and
/// their watching of services: all of it stays readable. The caller evaluates open changes again.
fn forget(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<()> {
    let ended = session::delete_of_person(cx.tx, person.as_str())?;
    session_end::note_ended(cx, &ended)?;
    impersonation::forget_ways_in(cx, person)?;
    let rows = Filter::new().equals("person", person.as_str()).order_by("id");
    for stored in record::find::<Ownership>(cx.tx, &rows)? {
        set_service::end_row(cx, stored.record.id.as_str())?;
    }
    end_times(cx, person)?;
    end_watching_services(cx, person)
}

/// Ends a person's records with an end time: absences, times on call, trainings.
fn end_times(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<()> {
    let now = cx.now;
    let lasting = Filter::new()
        .equals("person", person.as_str())
        .more("ends_at", now)
        .order_by("id");
    for stored in record::find::<Absence>(cx.tx, &lasting)? {
        let ended = Absence {
            ends_at: now,
            ..stored.record
        };
        cx.put_estate("absence.ended", ended, json!({}))?;
    }
    for stored in record::find::<OnCall>(cx.tx, &lasting)? {
        let ended = OnCall {
            ends_at: now,
            ..stored.record
        };
        cx.put_estate("on_call.ended", ended, json!({}))?;
    }
    for stored in record::find::<Training>(cx.tx, &lasting)? {
        let ended = Training {
            ends_at: now,
            ..stored.record
        };
        cx.put_estate("training.ended", ended, json!({}))?;
    }
    Ok(())
}

fn end_watching_services(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<()> {
    let directory = cx.directory()?;
    for service in directory.services.values().filter(|it| it.watchers.contains(person)) {
        let mut service = service.clone();
        service.watchers.remove(person);
        cx.put_estate("service.watching_ended", service, json!({"person": person}))?;
    }
    Ok(())
}

/// The fields of a change that list its watchers.
#[derive(Deserialize)]
struct Watched {
    id: ChangeId,
    #[serde(default)]
    watchers: Vec<PersonId>,
}

/// Ends a person's watching of changes, including closed ones, because people comment on those too. All changes are
/// scanned, a batch at a time. This happens only when a login is given again, which is rare; an inactive person gets no
/// notifications.
fn end_watching_changes(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<()> {
    let last = record::find_one::<Change>(cx.tx, &Filter::new().descending_by("number"))?;
    let last = last.map_or(0, |stored| stored.record.number);
    let mut from = 0;
    while from < last {
        let some = Filter::new()
            .more("number", from)
            .at_most("number", from + CHANGES_AT_ONCE)
            .order_by("number");
        let found = record::parts_naming::<Change, Watched>(cx.tx, &some, person.as_str())?;
        for watched in found.iter().filter(|it| it.watchers.contains(person)) {
            cx.on_change(watched.id.as_str(), |case| {
                around::end_watching(case, person);
                Ok(())
            })?;
        }
        from += CHANGES_AT_ONCE;
    }
    Ok(())
}

/// Sets a person from a provisioning directory. A person who was deactivated here as compromised can be activated only
/// here: a directory that does not know of the mark must not restore the access.
///
/// # Errors
/// 404; 409 `not_unique` or `compromised`; the store's.
pub fn replace_person(cx: &mut Context<'_, '_>, id: &str, told: &ProvisionedPerson) -> Result<Person> {
    let known = person(cx, id)?;
    keep_person(cx, known, told)
}

/// Refuses a new address that is another person's alias: one address is one person.
fn check_aliases(cx: &mut Context<'_, '_>, next: &Person) -> Result<()> {
    let directory = cx.directory()?;
    match committers::taken_account(&directory, next) {
        Some((account, other)) => {
            let text = format!(
                "`{account}` belongs to `{}`; an account can belong to only one person.",
                other.login
            );
            Err(taken("emails", text))
        }
        None => Ok(()),
    }
}

/// A person who provisions with a token of their own, or with one that they made, cannot thereby remove an address and
/// the link to the commits made with it: the address stays as an alias. A refusal would block the directory for good.
fn keep_own_address(cx: &Context<'_, '_>, known: &Person, mut next: Person) -> Person {
    if self_grant::is_own(&cx.actor, &known.id) && committers::drops_mark(known, &next) {
        next.accounts.extend(committers::mail_mark(known));
    }
    next
}

fn keep_person(cx: &mut Context<'_, '_>, known: Person, told: &ProvisionedPerson) -> Result<Person> {
    check_login(Some(&known), told)?;
    check_unique(cx, &known.id, Some(&known), told)?;
    check_address(known.email.as_ref(), told)?;
    let active = told.active.unwrap_or(known.active);
    if active && !known.active && known.is_compromised() {
        let text = format!(
            "`{}` was deactivated as compromised. An administrator of Assent activates it.",
            known.login
        );
        return Err(Refusal::not_now("compromised", text, "Ask an administrator of Assent.", Vec::new()).into());
    }
    let was_active = known.active;
    let next = keep_own_address(cx, &known, described(known.clone(), told));
    if next.email != known.email {
        check_aliases(cx, &next)?;
    }
    if was_active && !active {
        return end_person(cx, next, told.compromised, None);
    }
    let next = if active {
        Person {
            active: true,
            deactivation: None,
            ..next
        }
    } else {
        next
    };
    if !active && told.compromised && !next.is_compromised() {
        return end_person(cx, next, true, None);
    }
    if next == known {
        return Ok(known);
    }
    let mut next = next;
    // Provisioning by a directory does not need two people, so the token's owner changes the address alone.
    impersonation::note_address(cx, &known, &mut next, true);
    let kept = cx.put_estate("person.edited", next, json!({"provisioned": true}))?;
    settle_open::settle_person(cx, Some(&known), &kept)?;
    set_person::settle_committers(cx, Some(&known), &kept)?;
    impersonation::notify_changed_address(cx, &known, &kept)?;
    Ok(kept)
}

/// Removes a person: deactivated, without groups, rights, rows and credentials, and absent for the directory. The
/// record stays, because the log names it.
///
/// # Errors
/// 404, or the store's.
pub fn remove_person(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let known = person(cx, id)?;
    for (group_id, _) in groups_of(cx, id)? {
        let found = group(cx, &group_id)?;
        let mut members = found.members.clone();
        members.remove(&known.id);
        // The record of a removed person keeps for a day the marks that count for a day, whatever their memberships
        // gave.
        cx.put_estate("group.set", Group { members, ..found }, json!({"provisioned": true}))?;
    }
    forget(cx, &known.id)?;
    let removed = Person {
        removed: true,
        external_id: None,
        ..bare(known)
    };
    end_person(cx, removed, false, None)?;
    Ok(())
}

/// A key for a group's name: `Change Managers` is `change-managers`.
fn key_of(name: &str) -> String {
    let mut key = String::new();
    for letter in name.to_lowercase().chars() {
        if letter.is_alphanumeric() {
            key.push(letter);
        } else if !key.is_empty() && !key.ends_with('-') {
            key.push('-');
        }
    }
    key.trim_end_matches('-').chars().take(KEY_CHARS).collect()
}

fn by_key(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Group>> {
    let filter = Filter::new().equals("key", key).order_by("id");
    Ok(record::find_one::<Group>(cx.tx, &filter)?.map(|stored| stored.record))
}

/// The members as people; each must exist. A person who was refused the membership here is left out: a directory sends
/// the whole group with each change of it, so an error would block everybody else's membership.
fn members_of(
    cx: &mut Context<'_, '_>,
    told: &ProvisionedGroup,
    key: &str,
    known: Option<&Group>,
) -> Result<BTreeSet<PersonId>> {
    let members: BTreeSet<PersonId> = told.members.iter().map(|id| PersonId::from(id.as_str())).collect();
    let stays = |id: &&PersonId| known.is_some_and(|group| group.members.contains(id));
    let fresh: Vec<&PersonId> = members.iter().filter(|id| !stays(id)).collect();
    let mut refused: BTreeSet<PersonId> = BTreeSet::new();
    for some in fresh.chunks(AT_ONCE) {
        let filter = Filter::new()
            .one_of("id", some.iter().map(|id| id.as_str()))
            .order_by("id");
        let found = record::find::<Person>(cx.tx, &filter)?;
        let there: BTreeSet<&PersonId> = found
            .iter()
            .filter(|stored| !stored.record.removed)
            .map(|stored| &stored.record.id)
            .collect();
        if let Some(id) = some.iter().find(|id| !there.contains(*id)) {
            let text = format!("There is no user `{id}`.");
            return Err(Refusal::field("members", "unknown", text).into());
        }
        let people = found.into_iter().map(|stored| stored.record);
        let barred = people.filter(|person| person.is_refused(Given::Group, key));
        refused.extend(barred.map(|person| person.id));
    }
    Ok(members.difference(&refused).cloned().collect())
}

/// The stored name of a group: one line, like a person's name, and not empty. An existing name is accepted, because a
/// change of the members must never fail because of it.
fn named(known: Option<&Group>, told: &ProvisionedGroup) -> Result<String> {
    if let Some(known) = known.filter(|known| known.name == told.name) {
        return Ok(known.name.clone());
    }
    let name = confusables::name_in_one_line(&told.name);
    if key_of(&name).is_empty() {
        let text = "A group's name has letters or digits.";
        return Err(Refusal::field("displayName", "not_a_name", text).into());
    }
    if confusables::is_mistakable(&key_of(&name)) {
        let text = "A group's name has no characters that nobody sees, or that look like others.";
        return Err(Refusal::field("displayName", "not_a_name", text).into());
    }
    Ok(name)
}

/// Creates a group. A name that comes back is the same group.
///
/// # Errors
/// 409 `not_unique`, 422, or the store's.
pub fn create_group(cx: &mut Context<'_, '_>, told: &ProvisionedGroup) -> Result<Group> {
    let name = named(None, told)?;
    let key = key_of(&name);
    let known = by_key(cx, &key)?;
    if let Some(known) = &known
        && !known.removed
    {
        // Every tenant has these groups before any directory sends them: the first directory to do so takes them over.
        let is_empty_own =
            WELL_KNOWN.contains(&key.as_str()) && known.external_id.is_none() && known.members.is_empty();
        if !is_empty_own {
            return Err(taken(
                "displayName",
                format!("There is a group `{}` already.", known.name),
            ));
        }
    }
    if known.is_none() {
        check_twin(cx, &key)?;
    }
    let members = members_of(cx, told, &key, known.as_ref())?;
    let before = match known {
        Some(known) => known,
        None => Group {
            id: RecordId(cx.new_id()?),
            version: 0,
            key: GroupKey(key),
            name: String::new(),
            members: BTreeSet::new(),
            kind: snapshot::GroupKind::Group,
            calendar: None,
            external_id: None,
            removed: false,
        },
    };
    let made = Group {
        name,
        members,
        external_id: told.external_id.clone(),
        removed: false,
        ..before
    };
    save_group(cx, made)
}

/// A new group's key must not look like another group's.
fn check_twin(cx: &mut Context<'_, '_>, key: &str) -> Result<()> {
    let directory = cx.directory()?;
    match read_directory_rows::twin_group(&directory, key) {
        Some(twin) => {
            let text = format!("There already is a group `{}`, which looks the same.", twin.key);
            Err(taken("displayName", text))
        }
        None => Ok(()),
    }
}

/// A group cannot get the name of another one: a search by name finds one group.
fn check_name(cx: &mut Context<'_, '_>, known: &Group, name: &str) -> Result<()> {
    let key = key_of(name);
    if key_of(&known.name) == key {
        return Ok(());
    }
    let directory = cx.directory()?;
    let is_taken = |other: &&Group| {
        other.id != known.id && !other.removed && (other.key.as_str() == key || key_of(&other.name) == key)
    };
    match directory.groups.values().find(is_taken) {
        Some(other) => Err(taken(
            "displayName",
            format!("There is a group `{}` already.", other.name),
        )),
        None => Ok(()),
    }
}

/// Sets a group from a provisioning directory. Its key stays, because policies name it.
///
/// # Errors
/// 404, 422, or the store's.
pub fn replace_group(cx: &mut Context<'_, '_>, id: &str, told: &ProvisionedGroup) -> Result<Group> {
    let known = group(cx, id)?;
    let name = named(Some(&known), told)?;
    check_name(cx, &known, &name)?;
    let members = members_of(cx, told, known.key.as_str(), Some(&known))?;
    let next = Group {
        name,
        external_id: told.external_id.clone(),
        members,
        ..known.clone()
    };
    if next == known {
        return Ok(known);
    }
    save_group(cx, next)
}

/// Removes a group: it has no members any more. A rule that requires the group reports that nobody can decide; no gate
/// opens by that.
///
/// # Errors
/// 404, or the store's.
pub fn remove_group(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let known = group(cx, id)?;
    let empty = Group {
        members: BTreeSet::new(),
        removed: true,
        external_id: None,
        ..known
    };
    save_group(cx, empty).map(drop)
}

/// Saves a group; open changes are routed again only if ownership or a policy names it.
fn save_group(cx: &mut Context<'_, '_>, group: Group) -> Result<Group> {
    // A token acts for a person, so a person who provisions with their own token could add themselves to a deciding
    // group.
    let before = by_key(cx, group.key.as_str())?;
    if self_grant::gives_membership(cx, before.as_ref(), &group) && matters(cx, &group.key)? {
        return Err(self_grant::own_request(OWN_SEAT).into());
    }
    // A directory knows only groups: its membership of a group also sets the role that belongs to it, in both
    // directions.
    let saved = group_membership::put_group(cx, group, json!({"provisioned": true}), Comers::Empowered)?;
    if matters(cx, &saved.key)? {
        settle_open::settle_with_approvers(cx)?;
    }
    Ok(saved)
}

fn matters(cx: &mut Context<'_, '_>, key: &GroupKey) -> Result<bool> {
    // `@escalate("ecab")`, `@from("group:ecab")`, `@from("group:ecab,group:cab")`: a false match of a longer key costs
    // only an evaluation.
    let ways = [format!("\"{key}\""), format!("group:{key}")];
    let named = cx
        .policies()?
        .sources()
        .any(|it| ways.iter().any(|way| it.text.contains(way)));
    let owns = Filter::new().equals("people_group", key.as_str());
    Ok(WELL_KNOWN.contains(&key.as_str()) || named || record::count::<Ownership>(cx.tx, &owns)? > 0)
}
