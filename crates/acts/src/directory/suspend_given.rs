//! Every right has a source. The rights that a compromised account gave others are suspended with it at once, by
//! whichever token they were given, until another person confirms them. The list is in the record of the account's
//! deactivation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::approval::absence::Delegation;
use model::approval::one_hand::are_one;
use model::cab::training::Training;
use model::core::act;
use model::core::body::Body;
use model::core::enums::{AboutKind, ActionKind, Role};
use model::core::ids::{GroupKey, PersonId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::snapshot::{Connection, Directory, Group, Ownership, Person};
use model::directory::suspension::{Decided, GivenKind, Suspended, givers};
use model::identity::provider::IdentityProvider;
use model::integration::sink::Sink;
use model::integration::webhook::Webhook;
use model::integration::workload::Workload;
use model::notify::action_item::{About, NewItem, Owner};
use proof::diff;
use serde_json::{Value, json};
use store::audit::{event, salts};
use store::record::{self, Filter, Record};

use crate::case::settle_open;
use crate::core::context::Context;
use crate::core::eligible_people::whom_rules_let_here_but;
use crate::core::error::{Error, Result};
use crate::core::messages::save_message;
use crate::core::show_timeline::opened;
use crate::core::write::{Versioned, Written, draft};
use crate::guard::{group_membership, self_grant, session_end, two_people};
use crate::notify::action_items;

/// A record's contents with their actors, from the first version on.
type Versions = Vec<(String, Value)>;
/// Distinguishes the action item of a suspension list from others about the same account.
const PART: &str = "suspended";

/// The records that are suspended with a compromised account.
pub(crate) struct Given {
    /// The rights that the account gave others, and those that the accounts it made gave.
    pub(crate) things: Vec<Suspended>,
    /// The accounts that it made, and those that these made in turn, active or not.
    pub(crate) made: Vec<PersonId>,
}

/// Suspends the rights that a compromised account gave others, and those given by the accounts that it made. Returns
/// the list. The acting person's rights stay, because otherwise nobody could continue; they are in the list all the
/// same.
///
/// # Errors
/// The store's.
pub(crate) fn suspend_given(cx: &mut Context<'_, '_>, giver: &PersonId) -> Result<Given> {
    let directory = cx.directory()?;
    let mut known = Histories::default();
    let mut found = Vec::new();
    given(cx, &directory, (&mut known, giver), &mut found)?;
    let made = made_in_turn(cx, &directory, &mut known, giver)?;
    let actors = known.actors();
    for by in made.iter().filter(|by| actors.contains(*by)) {
        let mut own = Vec::new();
        given(cx, &directory, (&mut known, by), &mut own)?;
        own.retain(|it: &Suspended| it.person.as_ref() != Some(giver) && !found.contains(it));
        found.extend(own);
    }
    let acting = cx.actor.person.clone();
    for (place, item) in found.iter_mut().enumerate() {
        item.number = i64::try_from(place).unwrap_or(i64::MAX).saturating_add(1);
        item.holds = item.person.as_ref() == Some(&acting);
        if !item.holds {
            set(cx, item, false, giver)?;
        }
    }
    if !found.is_empty() {
        notify_administrators(cx, giver, found.len())?;
    }
    Ok(Given { things: found, made })
}

/// The histories of records, each read once.
#[derive(Default)]
struct Histories(BTreeMap<(&'static str, String), Arc<Versions>>);

impl Histories {
    fn of(&mut self, cx: &mut Context<'_, '_>, table: &'static str, id: &str) -> Result<Arc<Versions>> {
        let key = (table, id.to_owned());
        if let Some(known) = self.0.get(&key) {
            return Ok(known.clone());
        }
        let read = Arc::new(versions(cx, table, id)?);
        self.0.insert(key, read.clone());
        Ok(read)
    }

    /// The authors of the versions that were read.
    fn actors(&self) -> BTreeSet<PersonId> {
        let versions = self.0.values().flat_map(|versions| versions.iter());
        versions.map(|(actor, _)| PersonId::from(actor.as_str())).collect()
    }
}

/// The rights that one account gave others.
fn given(
    cx: &mut Context<'_, '_>,
    directory: &Directory,
    (known, giver): (&mut Histories, &PersonId),
    found: &mut Vec<Suspended>,
) -> Result<()> {
    given_to_people(cx, directory, (known, giver), found)?;
    given_rows(cx, directory, (known, giver), found)?;
    given_ways(cx, (known, giver), found)
}

/// The accounts that an account made, and those that these made in turn, the nearest first. The acting person and the
/// accounts that this person made are left out, because the acting person is accountable for them.
fn made_in_turn(
    cx: &mut Context<'_, '_>,
    directory: &Directory,
    known: &mut Histories,
    giver: &PersonId,
) -> Result<Vec<PersonId>> {
    let mut makers: BTreeMap<PersonId, Vec<PersonId>> = BTreeMap::new();
    for id in directory.people.keys() {
        let versions = known.of(cx, Person::TABLE, id.as_str())?;
        if let Some((maker, _)) = versions.first() {
            makers
                .entry(PersonId::from(maker.as_str()))
                .or_default()
                .push(id.clone());
        }
    }
    let acting = cx.actor.person.clone();
    let (mut line, mut next) = (Vec::new(), 0);
    let mut by = giver.clone();
    loop {
        let made = makers.remove(&by).unwrap_or_default().into_iter();
        line.extend(made.filter(|id| id != giver && *id != acting));
        let Some(id) = line.get(next) else { return Ok(line) };
        by = id.clone();
        next += 1;
    }
}

fn item(kind: GivenKind, person: Option<&PersonId>, what: &str) -> Suspended {
    Suspended {
        number: 0,
        kind,
        person: person.cloned(),
        what: what.to_owned(),
        text: None,
        until: None,
        holds: false,
        decided: None,
    }
}

/// The sealed versions of a record with their authors.
fn versions(cx: &mut Context<'_, '_>, table: &str, id: &str) -> Result<Versions> {
    let (mut found, mut sealed) = (Vec::new(), None);
    for stored in event::of_record(cx.tx, table, id)? {
        let (event, _) = opened(cx, &stored)?;
        let Some(delta) = event
            .records
            .iter()
            .find(|delta| delta.table == table && delta.id == id)
        else {
            continue;
        };
        let next = diff::apply(delta, sealed.as_ref())?;
        found.push((event.actor.clone(), next.clone()));
        sealed = Some(next);
    }
    Ok(found)
}

/// The elements of a list in each version, by their authors.
fn lists<'v>(versions: &'v Versions, field: &str) -> Vec<(&'v str, Vec<String>)> {
    let texts = |value: &Value| -> Vec<String> {
        let rows = value[field].as_array().into_iter().flatten();
        rows.map(|row| row.as_str().map_or_else(|| row.to_string(), str::to_owned))
            .collect()
    };
    versions
        .iter()
        .map(|(actor, value)| (actor.as_str(), texts(value)))
        .collect()
}

fn given_by(versions: &Versions, field: &str, giver: &PersonId) -> Vec<String> {
    let found = givers(lists(versions, field)).into_iter();
    found
        .filter(|(_, actor)| *actor == giver.as_str())
        .map(|(one, _)| one)
        .collect()
}

/// Whether an account made a record, or was the last person to set it. Later writes of the system do not count.
fn is_of(versions: &Versions, giver: &PersonId) -> bool {
    let mut people = versions.iter().rev().map(|(actor, _)| actor.as_str());
    people.find(|actor| *actor != "system") == Some(giver.as_str())
}

fn given_to_people(
    cx: &mut Context<'_, '_>,
    directory: &Directory,
    (histories, giver): (&mut Histories, &PersonId),
    found: &mut Vec<Suspended>,
) -> Result<()> {
    for person in directory
        .people
        .values()
        .filter(|person| person.id != *giver && person.active)
    {
        let id = &person.id;
        let known = histories.of(cx, Person::TABLE, id.as_str())?;
        if known.first().is_some_and(|(actor, _)| actor == giver.as_str()) {
            // The account's rights are suspended and restored with the account.
            found.push(item(GivenKind::Person, Some(id), ""));
            continue;
        }
        for role in given_by(&known, "roles", giver) {
            found.push(item(GivenKind::Role, Some(id), &role));
        }
        for function in given_by(&known, "functions", giver) {
            found.push(item(GivenKind::Function, Some(id), &function));
        }
        let sealed = given_by(&known, "accounts", giver);
        if sealed.is_empty() {
            continue;
        }
        let kept = salts::of_record(cx.tx, Person::TABLE, id.as_str())?;
        for (commitment, text) in kept {
            if sealed.iter().any(|one| one.contains(&commitment)) {
                let mut one = item(GivenKind::Account, Some(id), "");
                one.text = Some(text.text.clone());
                found.push(one);
            }
        }
    }
    for group in directory.groups.values().filter(|group| !group.removed) {
        let known = histories.of(cx, Group::TABLE, group.id.as_str())?;
        for member in given_by(&known, "members", giver) {
            let member = PersonId::from(member.as_str());
            if member != *giver && group.members.contains(&member) {
                found.push(item(GivenKind::Group, Some(&member), group.key.as_str()));
            }
        }
    }
    Ok(())
}

fn given_rows(
    cx: &mut Context<'_, '_>,
    directory: &Directory,
    (histories, giver): (&mut Histories, &PersonId),
    found: &mut Vec<Suspended>,
) -> Result<()> {
    let now = cx.now;
    for row in directory
        .ownerships
        .iter()
        .filter(|row| row.ends_at.is_none_or(|end| now < end))
    {
        if is_of(&*histories.of(cx, Ownership::TABLE, row.id.as_str())?, giver) {
            let mut one = item(GivenKind::Ownership, row.person.as_ref(), row.id.as_str());
            one.until = row.ends_at;
            found.push(one);
        }
    }
    for row in directory.delegations.iter().filter(|row| now < row.ends_at) {
        if is_of(&*histories.of(cx, Delegation::TABLE, row.id.as_str())?, giver) {
            let mut one = item(GivenKind::Delegation, Some(&row.delegate), row.id.as_str());
            one.until = Some(row.ends_at);
            found.push(one);
        }
    }
    // A training that a person passed here is of their own making.
    for row in directory
        .trainings
        .iter()
        .filter(|row| row.person != *giver && now < row.ends_at)
    {
        if is_of(&*histories.of(cx, Training::TABLE, row.id.as_str())?, giver) {
            let mut one = item(GivenKind::Training, Some(&row.person), row.id.as_str());
            one.until = Some(row.ends_at);
            found.push(one);
        }
    }
    Ok(())
}

/// Access and integrations: connections, webhooks, sinks, providers, workloads.
fn given_ways(
    cx: &mut Context<'_, '_>,
    (histories, giver): (&mut Histories, &PersonId),
    found: &mut Vec<Suspended>,
) -> Result<()> {
    let active = || Filter::new().equals("active", true).order_by("id");
    let mut ways: Vec<(GivenKind, &'static str, String)> = Vec::new();
    let mut add = |kind: GivenKind, table: &'static str, id: &str| ways.push((kind, table, id.to_owned()));
    for it in record::bodies::<Connection>(cx.tx, &Filter::new().order_by("id"))?
        .iter()
        .filter(|it| it.active)
    {
        add(GivenKind::Connection, Connection::TABLE, it.id.as_str());
    }
    for it in record::bodies::<Webhook>(cx.tx, &Filter::new().order_by("id"))?
        .iter()
        .filter(|it| it.active)
    {
        add(GivenKind::Webhook, Webhook::TABLE, it.id.as_str());
    }
    for it in record::bodies::<Sink>(cx.tx, &active())? {
        add(GivenKind::Sink, Sink::TABLE, it.id.as_str());
    }
    for it in record::bodies::<IdentityProvider>(cx.tx, &active())? {
        add(GivenKind::IdentityProvider, IdentityProvider::TABLE, it.id.as_str());
    }
    for it in record::bodies::<Workload>(cx.tx, &Filter::new().order_by("id"))?
        .iter()
        .filter(|it| it.active)
    {
        add(GivenKind::Workload, Workload::TABLE, it.id.as_str());
    }
    for (kind, table, id) in ways {
        if is_of(&*histories.of(cx, table, &id)?, giver) {
            found.push(item(kind, None, &id));
        }
    }
    Ok(())
}

/// Removes a right, or restores it.
fn set(cx: &mut Context<'_, '_>, item: &Suspended, on: bool, giver: &PersonId) -> Result<()> {
    let data = json!({"suspended_with": giver, "holds": on});
    let ends = if on { item.until } else { Some(cx.now) };
    match item.kind {
        GivenKind::Person | GivenKind::Role | GivenKind::Function | GivenKind::Account => {
            set_person(cx, item, on, data)
        }
        GivenKind::Group => set_membership(cx, item, on, data),
        GivenKind::Ownership => put::<Ownership>(cx, item, "ownership", on, data, |row| row.ends_at = ends),
        GivenKind::Delegation => put::<Delegation>(cx, item, "delegation", on, data, |row| {
            row.ends_at = ends.unwrap_or(row.ends_at);
        }),
        GivenKind::Training => put::<Training>(cx, item, "training", on, data, |row| {
            row.ends_at = ends.unwrap_or(row.ends_at);
        }),
        GivenKind::Webhook => put::<Webhook>(cx, item, "webhook", on, data, |row| row.active = on),
        GivenKind::Sink => put::<Sink>(cx, item, "sink", on, data, |row| row.active = on),
        GivenKind::Connection => put::<Connection>(cx, item, "connection", on, data, |row| row.active = on),
        GivenKind::IdentityProvider => {
            put::<IdentityProvider>(cx, item, "identity_provider", on, data, |row| row.active = on)
        }
        GivenKind::Workload => put::<Workload>(cx, item, "workload", on, data, |row| row.active = on),
    }
}

fn put<R: Record + Versioned>(
    cx: &mut Context<'_, '_>,
    item: &Suspended,
    noun: &str,
    on: bool,
    data: Value,
    change: impl FnOnce(&mut R),
) -> Result<()> {
    let Some(stored) = record::load::<R>(cx.tx, &item.what)? else {
        return Ok(());
    };
    let mut row = stored.record;
    change(&mut row);
    let kind = match (noun, on) {
        ("ownership", true) => "ownership.set",
        ("ownership", false) => "ownership.ended",
        ("delegation", true) => "delegation.set",
        ("delegation", false) => "delegation.ended",
        ("training", true) => "training.set",
        ("training", false) => "training.ended",
        ("webhook", true) => "webhook.edited",
        ("webhook", false) => "webhook.ended",
        ("sink", true) => "sink.edited",
        ("sink", false) => "sink.ended",
        ("connection", true) => "connection.edited",
        ("connection", false) => "connection.ended",
        ("identity_provider", true) => "identity_provider.set",
        ("identity_provider", false) => "identity_provider.ended",
        ("workload", true) => "workload.set",
        _ => "workload.ended",
    };
    cx.put_estate(kind, row, data)?;
    Ok(())
}

fn set_person(cx: &mut Context<'_, '_>, item: &Suspended, on: bool, data: Value) -> Result<()> {
    let found = item
        .person
        .as_ref()
        .and_then(|id| cx.directory().ok()?.people.get(id).cloned());
    let Some(before) = found else { return Ok(()) };
    let mut person = before.clone();
    match item.kind {
        GivenKind::Role => {
            let role = item
                .what
                .parse::<Role>()
                .map_err(|_| Error::Fault(format!("{} is no role", item.what)))?;
            if on {
                person.roles.insert(role);
            } else {
                person.roles.remove(&role);
            }
        }
        GivenKind::Function if on => {
            person.functions.insert(item.what.clone());
        }
        GivenKind::Function => {
            person.functions.remove(&item.what);
        }
        GivenKind::Account => {
            let text = item.text.clone().unwrap_or_default();
            person.accounts.retain(|account| *account != text);
            if on {
                person.accounts.push(text);
            }
        }
        _ => person.active = on,
    }
    if person == before {
        return Ok(());
    }
    let person = cx.put_estate("person.edited", person, data)?;
    if !person.active {
        let ended = store::identity::session::delete_of_person(cx.tx, person.id.as_str())?;
        session_end::note_ended(cx, &ended)?;
    }
    match on {
        true => group_membership::join_well_known_groups(cx, Some(&before), &person)?,
        false => group_membership::leave_well_known_groups(cx, &before, &person)?,
    }
    settle_open::settle_person(cx, Some(&before), &person)
}

fn set_membership(cx: &mut Context<'_, '_>, item: &Suspended, on: bool, data: Value) -> Result<()> {
    let found = cx.directory()?.groups.get(&GroupKey::from(item.what.as_str())).cloned();
    let (Some(mut group), Some(person)) = (found, &item.person) else {
        return Ok(());
    };
    let is_other = match on {
        true => group.members.insert(person.clone()),
        false => group.members.remove(person),
    };
    if is_other {
        group_membership::put_group(cx, group, data, group_membership::Comers::Seated)?;
    }
    Ok(())
}

fn notify_administrators(cx: &mut Context<'_, '_>, giver: &PersonId, count: usize) -> Result<()> {
    let directory = cx.directory()?;
    let name = directory.name(giver);
    let page = format!("/t/{}/people/{}", cx.tenant(), directory.login(giver));
    let url = format!("{}{page}", cx.services.tools().public_url);
    let mut written = Written::default();
    for person in directory.with_role(Role::Admin) {
        let dedup = format!("suspended:{giver}:{}:{person}", cx.now);
        let subject = format!("{count} rights given by {name} are suspended");
        let text = format!(
            "The account of {name} is compromised. {count} things that it gave others are suspended until another person \
             confirms each of them, on the page of the account: {url}\n"
        );
        save_message(cx, &mut written, &person, None, ("kept", &subject, &text, &dedup))?;
    }
    let subject = ("person", giver.0.clone());
    let event = draft("person.gifts_suspended", subject, cx.now, json!({"count": count}));
    cx.emit(vec![event], written)
}

/// Opens the action item of the list of a compromised account, for the person who deactivated it, or settles the item
/// once nothing of the list waits.
///
/// # Errors
/// The store's.
pub(crate) fn follow(cx: &mut Context<'_, '_>, giver: &Person) -> Result<()> {
    let about = About::new(AboutKind::Other, giver.id.as_str());
    let mut rows = giver.deactivation.iter().flat_map(|it| &it.suspended);
    if !rows.any(|row| row.decided.is_none()) {
        let reason = "No decision is pending any more.";
        return action_items::settle_by_rule(cx, ActionKind::Other, &about, PART, reason).map(drop);
    }
    let title = "Decide on the rights that a compromised account granted";
    let item = NewItem {
        part: PART.to_owned(),
        owner: Owner::Person(cx.actor.person.clone()),
        // Every administrator gets a letter of their own about the list.
        tells: false,
        ..NewItem::new(ActionKind::Other, about, title)
    };
    action_items::open(cx, item).map(drop)
}

/// The name of a suspended record, for records other than a person's plain right: its own name, or the subject of an
/// ownership row or a delegation.
///
/// # Errors
/// The store's.
pub fn display_name(cx: &mut Context<'_, '_>, item: &Suspended) -> Result<String> {
    let id = item.what.as_str();
    let name = match item.kind {
        GivenKind::Ownership => record::load::<Ownership>(cx.tx, id)?.map(|it| {
            let row = it.record;
            let place = row.environment.as_ref().map_or("*", |it| it.as_str());
            format!("{} {place} {}", row.scope(), row.role)
        }),
        GivenKind::Delegation => {
            let found = record::load::<Delegation>(cx.tx, id)?;
            let directory = cx.directory()?;
            found.map(|it| directory.name(&it.record.delegator))
        }
        GivenKind::Training => record::load::<Training>(cx.tx, id)?.map(|it| it.record.training),
        GivenKind::Webhook => record::load::<Webhook>(cx.tx, id)?.map(|it| it.record.name),
        GivenKind::Connection => record::load::<Connection>(cx.tx, id)?.map(|it| it.record.name),
        GivenKind::IdentityProvider => record::load::<IdentityProvider>(cx.tx, id)?.map(|it| it.record.name),
        GivenKind::Workload => record::load::<Workload>(cx.tx, id)?.map(|it| it.record.name),
        GivenKind::Sink => record::load::<Sink>(cx.tx, id)?.map(|it| it.record.name),
        GivenKind::Account => item.text.clone(),
        GivenKind::Person | GivenKind::Role | GivenKind::Function | GivenKind::Group => None,
    };
    Ok(name.unwrap_or_else(|| item.what.clone()))
}

/// Decides about a suspended right (`POST /people/{login}/suspensions/{number} {confirmed}`): it is valid again, now
/// given by the confirming person, or it is gone for good. Nobody confirms their own right, and the account cannot
/// confirm a right that it gave.
///
/// # Errors
/// 403, also if rights need two people; 404; 409 if it is decided already; 422; the store's.
pub fn decide_suspended(cx: &mut Context<'_, '_>, login: &str, number: &str, body: &Body) -> Result<Person> {
    cx.allow(act::actions::SET_PERSON)?;
    let mut reading = Reading::new(body, "");
    let confirmed = reading.needed_boolean("confirmed");
    reading.finish()?;
    let found = cx.directory()?.by_login(login).cloned();
    let Some(mut person) = found else {
        return Err(Refusal::not_found(format!("person {login}")).into());
    };
    let rows = person.deactivation.iter().flat_map(|it| &it.suspended);
    let Some(item) = rows.into_iter().find(|row| row.number.to_string() == number).cloned() else {
        return Err(Refusal::not_found(format!("suspension {number} of {login}")).into());
    };
    if item.decided.is_some() {
        let text = "This has already been decided.";
        return Err(Refusal::not_now(
            "decided_already",
            text,
            "Grant it again where it is needed.",
            Vec::new(),
        )
        .into());
    }
    let directory = cx.directory()?;
    let is_theirs = |of: &PersonId| self_grant::is_one(cx, &directory, of);
    if is_theirs(&person.id) || item.person.as_ref().is_some_and(is_theirs) {
        let refusal = Refusal::not_allowed(
            "own_request",
            "You cannot confirm a right that you received or granted.",
        );
        let (policies, now) = (cx.policies()?, cx.now);
        let is_out = |of: &PersonId| {
            let mut theirs = std::iter::once(&person.id).chain(&item.person);
            theirs.any(|person| are_one(&directory, (of, person), now))
        };
        let asking = (&cx.actor.person, &is_out as &dyn Fn(&PersonId) -> bool);
        let others = whom_rules_let_here_but(act::actions::SET_PERSON, &policies, (&directory, now), asking);
        return Err(refusal.with_others(others).into());
    }
    two_people::check(cx, confirmed, two_people::RIGHTS)?;
    if confirmed != item.holds {
        set(cx, &item, confirmed, &person.id)?;
    }
    let decided = Decided {
        by: cx.actor.person.clone(),
        at: cx.now,
        confirmed,
    };
    let rows = person.deactivation.iter_mut().flat_map(|it| &mut it.suspended);
    for row in rows.filter(|row| row.number == item.number) {
        row.decided = Some(decided.clone());
    }
    let data = json!({"suspension": item.number, "confirmed": confirmed});
    let person = cx.put_estate("person.edited", person, data)?;
    follow(cx, &person)?;
    settle_open::settle_with_approvers(cx)?;
    Ok(person)
}
