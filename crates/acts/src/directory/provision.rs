//! People and groups as a provisioning directory keeps them (SCIM). These acts look for the records they are about by
//! indexes, so that an import of a large directory costs each person the same; only whether a new address is somebody's
//! alias is looked for among all people, who are in memory.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use model::approval::absence::Absence;
use model::cab::meeting::OnCall;
use model::cab::training::Training;
use model::change::around;
use model::change::record::Change;
use model::core::act;
use model::core::confusables;
use model::core::enums::Role;
use model::core::ids::{ChangeId, GroupKey, PersonId, RecordId};
use model::core::refusal::Refusal;
use model::directory::records::Given;
use model::directory::snapshot;
use model::directory::snapshot::{Group, Ownership, Person};
use model::directory::two_people::REMEMBERED_HOURS;
use model::gate::committers;
use model::identity::provider::{ProvisionedGroup, ProvisionedPerson};
use serde::Deserialize;
use serde_json::json;
use store::identity::identities;
use store::identity::session;
use store::record::{self, Filter};

use crate::case::settle_open;
use crate::core::context::Room;
use crate::core::error;
use crate::core::error::Result;
use crate::directory::deactivate_person::end_person;
use crate::directory::set_person;
use crate::directory::set_service;
use crate::guard::group_membership;
use crate::guard::group_membership::Comers;
use crate::guard::impersonation;
use crate::guard::known_address;
use crate::guard::person_fields;
use crate::guard::read_directory_rows;
use crate::guard::self_grant;

/// The groups that the base policies name.
const WELL_KNOWN: [&str; 2] = ["change-managers", "security"];
/// How many people are looked for at once.
const AT_ONCE: usize = 200;
/// How many changes are looked through at once.
const CHANGES_AT_ONCE: i64 = 500;
/// The sentence for who would seat themselves.
const OWN_SEAT: &str = "Nobody takes a seat by themselves in a group that decides: whoever else may set groups gives it. Let the \
                        directory come with a token for a person of its own, which another administrator made.";
/// The rights of those who count for a day after they are gone, lest whoever removed them be alone. They give nothing meanwhile.
const REMEMBERED: [Role; 2] = [Role::Admin, Role::ChangeManager];
/// The longest key of a group, in characters.
const KEY_CHARS: usize = 60;

/// Refuses a caller whose person may not act or may not set people, by the policies in force.
///
/// # Errors
/// 401, 403, or the store's.
pub fn admit(room: &mut Room<'_, '_>) -> Result<()> {
    if !room.directory()?.is_active(&room.actor.person) {
        let text = "The person behind this credential may no longer act.";
        return Err(Refusal::not_allowed("unauthenticated", text).into());
    }
    room.allow(act::actions::SET_PERSON)
}

/// A person by id; one who was removed is absent.
///
/// # Errors
/// 404, or the store's.
pub fn person(room: &mut Room<'_, '_>, id: &str) -> Result<Person> {
    let found = record::load::<Person>(room.tx, id)?.map(|stored| stored.record);
    found
        .filter(|person| !person.removed)
        .ok_or_else(|| Refusal::not_found(format!("user {id}")).into())
}

/// A group by id; one that was removed is absent.
///
/// # Errors
/// 404, or the store's.
pub fn group(room: &mut Room<'_, '_>, id: &str) -> Result<Group> {
    let found = record::load::<Group>(room.tx, id)?.map(|stored| stored.record);
    found
        .filter(|group| !group.removed)
        .ok_or_else(|| Refusal::not_found(format!("group {id}")).into())
}

/// Id and name of the groups that a person belongs to.
///
/// # Errors
/// The store's.
pub fn groups_of(room: &mut Room<'_, '_>, person: &str) -> Result<Vec<(String, String)>> {
    Ok(identities::named_groups_of(room.tx, person)?)
}

/// The person of a login, removed or not.
fn by_login(room: &mut Room<'_, '_>, login: &str) -> Result<Option<Person>> {
    let filter = Filter::new().equals("login", login).order_by("id");
    Ok(record::find_one::<Person>(room.tx, &filter)?.map(|stored| stored.record))
}

fn taken(field: &'static str, text: String) -> error::Error {
    Refusal::field(field, "not_unique", text).into()
}

/// One login and one mail address are one person. Who was removed has no address any more (RFC 7644, section 3.6), but their
/// login for good, for the log speaks of them by it.
fn check_unique(
    room: &mut Room<'_, '_>,
    own: &PersonId,
    known: Option<&Person>,
    told: &ProvisionedPerson,
) -> Result<()> {
    if let Some(other) = by_login(room, &told.login)?.filter(|other| &other.id != own) {
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
        let text = format!("`{mail}` belongs to another person; one address is one person.");
        Err(taken("emails", text))
    };
    let stands = known.and_then(|known| known.email.as_ref());
    if let Some(mail) = &told.email
        && is_anothers(room, own, mail, Some(mail) != stands)?
    {
        return anothers(mail);
    }
    // Several may share one beside their main ones, such as a team's box, but not what is one person's main one or alias. What
    // stood before is let stand: no deactivation may fail over it.
    let stood = known.map(Person::addresses).unwrap_or_default();
    for mail in told.addresses().iter().filter(|mail| !stood.contains(mail)) {
        let is_alias = known_address::by_alias(room, mail.trim(), Some(own))?.is_some();
        if is_alias || is_anothers(room, own, mail.trim(), false)? {
            return anothers(mail);
        }
    }
    Ok(())
}

/// Whether an address is somebody else's main one; one that is newly told, whether it is any of theirs.
fn is_anothers(room: &mut Room<'_, '_>, own: &PersonId, mail: &str, is_new: bool) -> Result<bool> {
    if is_new {
        return Ok(known_address::of_another(room, mail, Some(own))?.is_some());
    }
    Ok(known_address::main_of_another(room, mail, own)?.is_some())
}

/// A login that is newly told is one. One that stood before is let stand, for a deactivation must never fail over it.
fn check_login(known: Option<&Person>, told: &ProvisionedPerson) -> Result<()> {
    if known.is_some_and(|known| known.login == told.login) {
        return Ok(());
    }
    match person_fields::no_login(&told.login) {
        Some(text) => Err(Refusal::field("userName", "not_a_login", text).into()),
        None => Ok(()),
    }
}

/// An address that is newly told is one. One that stood before is let stand, for a deactivation must never fail over it.
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

/// Makes a person. One who was removed before and comes back under the same login is the same person in the log, and has nothing of
/// what they had: directories give a login to another human.
///
/// # Errors
/// 409 `not_unique`, `compromised` or `just_removed`, or the store's.
pub fn create_person(room: &mut Room<'_, '_>, told: &ProvisionedPerson) -> Result<Person> {
    if let Some(known) = by_login(room, &told.login)?.filter(|known| known.removed) {
        let told = ProvisionedPerson {
            active: Some(told.active.unwrap_or(true)),
            ..told.clone()
        };
        // An administrator of Assent may have let them in again meanwhile, and knew whom.
        let known = if known.active { known } else { come_back(room, known)? };
        return keep_person(room, known, &told);
    }
    check_login(None, told)?;
    let id = PersonId(room.new_id()?);
    check_unique(room, &id, None, told)?;
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
    };
    let fresh = described(fresh, told);
    if fresh.email.is_some() {
        check_aliases(room, &fresh)?;
    }
    room.put_estate("person.created", fresh, json!({"provisioned": true}))
}

/// Whoever comes back, as they come: without ways in, rights and rows.
fn come_back(room: &mut Room<'_, '_>, known: Person) -> Result<Person> {
    let since = room.now - SignedDuration::from_hours(REMEMBERED_HOURS);
    let is_late = known.deactivation.as_ref().is_some_and(|it| it.at > since);
    let counts = known.roles.iter().any(|role| REMEMBERED.contains(role));
    // Taken out and put back without their rights they would count no more, and one person alone would have seen to that.
    if is_late && counts && !room.actor.is_system {
        let text = format!(
            "`{}` could set people or policies, and was removed within the last {REMEMBERED_HOURS} hours: they count until these are \
             over.",
            known.login
        );
        let satisfy = "Make them again then, or under another login.";
        return Err(Refusal::not_now("just_removed", text, satisfy, Vec::new()).into());
    }
    forget(room, &known.id)?;
    end_watching_changes(room, &known.id)?;
    let accounts = committers::untaken_accounts(&*room.directory()?, &known);
    Ok(Person {
        roles: BTreeSet::new(),
        // All may have become somebody else's; the addresses are told anew.
        email: None,
        attributes: Vec::new(),
        accounts,
        ..bare(known)
    })
}

/// A person without what whoever is given their login later would have from them.
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

/// Takes away what somebody signs in with, and ends their own rows of the matrix, their times and trainings, and their watching of
/// services: all of it stays readable. The caller judges open changes again.
fn forget(room: &mut Room<'_, '_>, person: &PersonId) -> Result<()> {
    session::delete_of_person(room.tx, person.as_str())?;
    impersonation::forget_ways_in(room, person)?;
    let rows = Filter::new().equals("person", person.as_str()).order_by("id");
    for stored in record::find::<Ownership>(room.tx, &rows)? {
        set_service::end_row(room, stored.record.id.as_str())?;
    }
    end_times(room, person)?;
    end_watching_services(room, person)
}

/// Ends what of somebody lasts until a time: absences, times on call, trainings.
fn end_times(room: &mut Room<'_, '_>, person: &PersonId) -> Result<()> {
    let now = room.now;
    let lasting = Filter::new()
        .equals("person", person.as_str())
        .more("ends_at", now)
        .order_by("id");
    for stored in record::find::<Absence>(room.tx, &lasting)? {
        let ended = Absence {
            ends_at: now,
            ..stored.record
        };
        room.put_estate("absence.ended", ended, json!({}))?;
    }
    for stored in record::find::<OnCall>(room.tx, &lasting)? {
        let ended = OnCall {
            ends_at: now,
            ..stored.record
        };
        room.put_estate("on_call.ended", ended, json!({}))?;
    }
    for stored in record::find::<Training>(room.tx, &lasting)? {
        let ended = Training {
            ends_at: now,
            ..stored.record
        };
        room.put_estate("training.ended", ended, json!({}))?;
    }
    Ok(())
}

fn end_watching_services(room: &mut Room<'_, '_>, person: &PersonId) -> Result<()> {
    let directory = room.directory()?;
    for service in directory.services.values().filter(|it| it.watchers.contains(person)) {
        let mut service = service.clone();
        service.watchers.remove(person);
        room.put_estate("service.watching_ended", service, json!({"person": person}))?;
    }
    Ok(())
}

/// What is read of a change to see who watches it.
#[derive(Deserialize)]
struct Watched {
    id: ChangeId,
    #[serde(default)]
    watchers: Vec<PersonId>,
}

/// Ends somebody's watching of changes, closed ones among them, for people comment on those too. All changes are looked through,
/// some at once; it is done when a login is given again, which is rare, for nobody is told of anything who is inactive.
fn end_watching_changes(room: &mut Room<'_, '_>, person: &PersonId) -> Result<()> {
    let last = record::find_one::<Change>(room.tx, &Filter::new().descending_by("number"))?;
    let last = last.map_or(0, |stored| stored.record.number);
    let mut from = 0;
    while from < last {
        let some = Filter::new()
            .more("number", from)
            .at_most("number", from + CHANGES_AT_ONCE)
            .order_by("number");
        let found = record::parts_naming::<Change, Watched>(room.tx, &some, person.as_str())?;
        for watched in found.iter().filter(|it| it.watchers.contains(person)) {
            room.on_change(watched.id.as_str(), |case| {
                around::end_watching(case, person);
                Ok(())
            })?;
        }
        from += CHANGES_AT_ONCE;
    }
    Ok(())
}

/// Sets a person as a directory tells of them. Somebody who was deactivated here as compromised is activated here alone:
/// a directory that has not heard of it must not open the door again.
///
/// # Errors
/// 404; 409 `not_unique` or `compromised`; the store's.
pub fn replace_person(room: &mut Room<'_, '_>, id: &str, told: &ProvisionedPerson) -> Result<Person> {
    let known = person(room, id)?;
    keep_person(room, known, told)
}

/// Refuses a new address that is an alias of somebody else: one address is one person.
fn check_aliases(room: &mut Room<'_, '_>, next: &Person) -> Result<()> {
    let directory = room.directory()?;
    match committers::taken_account(&directory, next) {
        Some((account, other)) => {
            let text = format!("`{account}` belongs to `{}`; one account is one person.", other.login);
            Err(taken("emails", text))
        }
        None => Ok(()),
    }
}

/// Whoever provisions by a token of their own, or by one that they made, is not rid of an address by it, and of the commits
/// that they made by that: it stays as an alias. To refuse it would hold the directory up for good.
fn keep_own_address(room: &Room<'_, '_>, known: &Person, mut next: Person) -> Person {
    if self_grant::is_own(&room.actor, &known.id) && committers::drops_mark(known, &next) {
        next.accounts.extend(committers::mail_mark(known));
    }
    next
}

fn keep_person(room: &mut Room<'_, '_>, known: Person, told: &ProvisionedPerson) -> Result<Person> {
    check_login(Some(&known), told)?;
    check_unique(room, &known.id, Some(&known), told)?;
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
    let next = keep_own_address(room, &known, described(known.clone(), told));
    if next.email != known.email {
        check_aliases(room, &next)?;
    }
    if was_active && !active {
        return end_person(room, next, told.compromised, None);
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
        return end_person(room, next, true, None);
    }
    if next == known {
        return Ok(known);
    }
    let mut next = next;
    // Two people are not asked where a directory provisions, so that whoever owns its token moves the address alone.
    impersonation::note_address(room, &known, &mut next, true);
    let kept = room.put_estate("person.edited", next, json!({"provisioned": true}))?;
    settle_open::settle_person(room, Some(&known), &kept)?;
    set_person::settle_committers(room, Some(&known), &kept)?;
    impersonation::tell_address(room, &known, &kept)?;
    Ok(kept)
}

/// Removes a person: deactivated, out of all groups, without rights, rows and ways in, and absent for the directory. The record
/// stays, for the log speaks of it.
///
/// # Errors
/// 404, or the store's.
pub fn remove_person(room: &mut Room<'_, '_>, id: &str) -> Result<()> {
    let known = person(room, id)?;
    for (group_id, _) in groups_of(room, id)? {
        let found = group(room, &group_id)?;
        let mut members = found.members.clone();
        members.remove(&known.id);
        // The record of who is removed keeps for a day what counts for a day, whatever their seats gave.
        room.put_estate("group.set", Group { members, ..found }, json!({"provisioned": true}))?;
    }
    forget(room, &known.id)?;
    let removed = Person {
        removed: true,
        external_id: None,
        ..bare(known)
    };
    end_person(room, removed, false, None)?;
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

fn by_key(room: &mut Room<'_, '_>, key: &str) -> Result<Option<Group>> {
    let filter = Filter::new().equals("key", key).order_by("id");
    Ok(record::find_one::<Group>(room.tx, &filter)?.map(|stored| stored.record))
}

/// The members as people; each must be there. Whom somebody here refused the seat is left out: a directory tells the whole
/// group with each change of it, so that an error would hold up everybody else's seats.
fn members_of(
    room: &mut Room<'_, '_>,
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
        let found = record::find::<Person>(room.tx, &filter)?;
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

/// The name of a group as it is kept: in one line, as a person's is, and with something to know it by. One that stood before is
/// let stand, for a change of its members must never fail over it.
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

/// Makes a group. A name that comes back is the same group.
///
/// # Errors
/// 409 `not_unique`, 422, or the store's.
pub fn create_group(room: &mut Room<'_, '_>, told: &ProvisionedGroup) -> Result<Group> {
    let name = named(None, told)?;
    let key = key_of(&name);
    let known = by_key(room, &key)?;
    if let Some(known) = &known
        && !known.removed
    {
        // The groups that every tenant has are there before any directory tells of them: the first to do so takes them up.
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
        check_twin(room, &key)?;
    }
    let members = members_of(room, told, &key, known.as_ref())?;
    let before = match known {
        Some(known) => known,
        None => Group {
            id: RecordId(room.new_id()?),
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
    save_group(room, made)
}

/// A new group has no key that a reader would take for another's.
fn check_twin(room: &mut Room<'_, '_>, key: &str) -> Result<()> {
    let directory = room.directory()?;
    match read_directory_rows::twin_group(&directory, key) {
        Some(twin) => {
            let text = format!("There is a group `{}` already, which reads the same.", twin.key);
            Err(taken("displayName", text))
        }
        None => Ok(()),
    }
}

/// A group is not given the name of another one: whoever looks for it by name finds one.
fn check_name(room: &mut Room<'_, '_>, known: &Group, name: &str) -> Result<()> {
    let key = key_of(name);
    if key_of(&known.name) == key {
        return Ok(());
    }
    let directory = room.directory()?;
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

/// Sets a group as a directory tells of it. Its key stays, for policies name it.
///
/// # Errors
/// 404, 422, or the store's.
pub fn replace_group(room: &mut Room<'_, '_>, id: &str, told: &ProvisionedGroup) -> Result<Group> {
    let known = group(room, id)?;
    let name = named(Some(&known), told)?;
    check_name(room, &known, &name)?;
    let members = members_of(room, told, known.key.as_str(), Some(&known))?;
    let next = Group {
        name,
        external_id: told.external_id.clone(),
        members,
        ..known.clone()
    };
    if next == known {
        return Ok(known);
    }
    save_group(room, next)
}

/// Removes a group: nobody is in it any more. A rule that asks it says that nobody can decide; no gate opens by that.
///
/// # Errors
/// 404, or the store's.
pub fn remove_group(room: &mut Room<'_, '_>, id: &str) -> Result<()> {
    let known = group(room, id)?;
    let empty = Group {
        members: BTreeSet::new(),
        removed: true,
        external_id: None,
        ..known
    };
    save_group(room, empty).map(drop)
}

/// Saves a group; open changes are routed again only where ownership or a policy speaks of it.
fn save_group(room: &mut Room<'_, '_>, group: Group) -> Result<Group> {
    // A token speaks for a person, so that whoever provisions with their own would seat themselves among those who decide.
    let before = by_key(room, group.key.as_str())?;
    if self_grant::gives_seat(room, before.as_ref(), &group) && matters(room, &group.key)? {
        return Err(self_grant::own_request(OWN_SEAT).into());
    }
    // A directory knows groups alone: its word on a seat is its word on the role that stands beside it, both ways.
    let saved = group_membership::put_group(room, group, json!({"provisioned": true}), Comers::Empowered)?;
    if matters(room, &saved.key)? {
        settle_open::settle_asked(room)?;
    }
    Ok(saved)
}

fn matters(room: &mut Room<'_, '_>, key: &GroupKey) -> Result<bool> {
    // `@escalate("ecab")`, `@from("group:ecab")`, `@from("group:ecab,group:cab")`: a longer key costs no more than a look.
    let ways = [format!("\"{key}\""), format!("group:{key}")];
    let named = room
        .policies()?
        .sources()
        .any(|it| ways.iter().any(|way| it.text.contains(way)));
    let owns = Filter::new().equals("people_group", key.as_str());
    Ok(WELL_KNOWN.contains(&key.as_str()) || named || record::count::<Ownership>(room.tx, &owns)? > 0)
}
