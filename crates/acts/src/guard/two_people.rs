//! Acts that affect decisions, and therefore need two people: every act that gives somebody a new right to decide. That
//! is a deciding role, a job function that a rule requires, a membership of a group, a delegation, or a dependency
//! along which owners are inherited. One person alone may remove such rights; the remaining deciders were appointed by
//! two people as well.
//!
//! The tenant's setting `ownership_by_two` turns the rule on, also for rows of the ownership matrix. The rule applies
//! while there is a second administrator. Acts on the host, imports at the beginning of a tenant and provisioning by a
//! directory are exempt.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use model::core::enums::{DependencyKind, OwnershipRole, Role};
use model::core::ids::{PersonId, RecordId};
use model::core::refusal::Refusal;
use model::directory::ownership_matrix::Class;
use model::directory::snapshot::{ConfigItem, Dependency, Directory, Environment, Group, Ownership, Person, Service};
use model::directory::two_people::{REMEMBERED_HOURS, administrators, is_by_two};
use model::gate::committers;
use model::identity::provider::IdentityProvider;
use model::risk::regimes::canonical;
use model::schedule::calendar::{Calendar, Holiday};
use store::audit::event;
use store::record::Record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::show_timeline::opened;
use crate::guard::other_setters::others_who_set;
use crate::guard::read_directory_rows::DATA_CLASSES;

/// Roles that decide, start a change without a decision, or give roles. Requesters, implementers, readers and programs
/// decide nothing.
const DECIDING: [Role; 6] = [
    Role::Owner,
    Role::Security,
    Role::ChangeManager,
    Role::Commander,
    Role::Executive,
    Role::Admin,
];

/// An act that one person may not do alone: the message, and the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Matter {
    pub(crate) said: &'static str,
    pub(crate) satisfy: &'static str,
}

/// Rows of the matrix.
pub(crate) const ROWS: Matter = Matter {
    said: "Putting rows that affect decisions in force takes two people here.",
    satisfy: "Propose it (`POST /ownership-proposals`, `assent ownership propose`); another person, or an approved change, \
              puts it in force.",
};

/// Things of the estate.
pub(crate) const LOOSENED: Matter = Matter {
    said: "Removing a service or an environment from a rule takes two people here.",
    satisfy: "Propose it (`POST /ownership-proposals` with `services` or `environments`); another person, or an approved \
              change, puts it in force.",
};

/// Dependencies that give a change its reach.
pub(crate) const REACHED: Matter = Matter {
    said: "Ending a dependency takes two people here: the impact of changes to what is needed would be rated lower.",
    satisfy: "Propose it (`POST /ownership-proposals` with `end_dependencies`); another person, or an approved change, puts \
              it in force.",
};

/// Rights, job functions and accounts that come back.
pub(crate) const RIGHTS: Matter = Matter {
    said: "Granting rights and job functions that affect decisions takes two people here.",
    satisfy: "Propose it (`POST /ownership-proposals` with `people`, `assent ownership propose`); another person, or an \
              approved change, puts it in force. One person can remove rights.",
};

/// Accounts and addresses that identify a person's commits.
pub(crate) const MARKS: Matter = Matter {
    said: "Removing an account or address that identifies a person's commits takes two people here: the commits would belong \
           to nobody.",
    satisfy: "Keep it among `accounts`, an earlier address as `mail:…`, or propose it (`POST /ownership-proposals` with \
              `people`); another person, or an approved change, puts it in force.",
};

/// The address with which a person signs in at a provider.
pub(crate) const ADDRESSES: Matter = Matter {
    said: "Changing a mail address takes two people here, because a provider signs people in by their mail address.",
    satisfy: "Propose it (`POST /ownership-proposals` with `people`, their earlier address kept as `mail:…` among `accounts`); \
              another person, or an approved change, puts it in force.",
};

/// The right of the second administrator.
pub(crate) const SECOND: Matter = Matter {
    said: "One person cannot remove the role `admin` from the second administrator: nobody would review the other one's acts.",
    satisfy: "Propose it (`POST /ownership-proposals` with `people`), or deactivate the person: that ends their rights at \
              once.",
};

/// Members of groups.
pub(crate) const SEATS: Matter = Matter {
    said: "Adding a member to a group takes two people here.",
    satisfy: "Propose it (`POST /ownership-proposals` with `groups`, `assent ownership propose`); another person, or an \
              approved change, puts it in force. One person can remove members.",
};

/// Classes, for which rows of the ownership matrix name owners.
pub(crate) const CLASSES: Matter = Matter {
    said: "Moving a service or a config item to other owners takes two people here.",
    satisfy: "Propose it (`POST /ownership-proposals` with `services` or `config_items`); another person, or an approved \
              change, puts it in force.",
};

/// Dependencies along which owners are inherited.
pub(crate) const ARROWS: Matter = Matter {
    said: "Part-of relations take two people here, because owners are inherited along them.",
    satisfy: "Propose it (`POST /ownership-proposals` with `dependencies` or `end_dependencies`, `assent ownership propose`); \
              another person, or an approved change, puts it in force.",
};

/// Delegations.
pub(crate) const LENT: Matter = Matter {
    said: "A person appoints their delegate alone; for anybody else it takes two people here.",
    satisfy: "Propose it (`POST /ownership-proposals` with `delegations`); another person, or an approved change, puts it in \
              force. With a credential of their own, the person can do it alone.",
};

/// Trainings.
pub(crate) const TRAININGS: Matter = Matter {
    said: "Recording a training takes two people here, because rules depend on it.",
    satisfy: "Propose it (`POST /ownership-proposals` with `trainings`); another person, or an approved change, puts it in \
              force. One person can end a training.",
};

/// Trainings that began before they are recorded.
pub(crate) const EARLIER: Matter = Matter {
    said: "Recording a training that began in the past takes two people: it counts from when it is recorded.",
    satisfy: "Propose it with its `evidence_note` (`POST /ownership-proposals` with `trainings`); another person, or an \
              approved change, puts it in force. A training that begins now needs no proposal.",
};

/// Business calendars.
pub(crate) const CLOCKS: Matter = Matter {
    said: "Working hours affect lead times and the time to decide: changing them takes two people here.",
    satisfy: "Propose it (`POST /ownership-proposals` with `calendars`, or `people` and `groups` for whose calendar it is); \
              another person, or an approved change, puts it in force. One person can add holidays.",
};

/// Identity providers.
pub(crate) const PROVIDERS: Matter = Matter {
    said: "Choosing the provider of people, groups and rights takes two people here.",
    satisfy: "Propose it (`POST /ownership-proposals` with `identity_providers`); another person, or an approved change, puts \
              it in force. Set its secret with `PUT /identity-providers/{key}` afterwards; one person can end it.",
};

/// Connections whose deliveries are trusted already.
pub(crate) const CONNECTIONS: Matter = Matter {
    said: "Adding a repository or a builder to a connection, or changing its address or owner, takes two people here.",
    satisfy: "Propose it (`POST /ownership-proposals` with `connection_edits`); another person, or an approved change, puts it \
              in force. One person can remove repositories and builders and change the name.",
};

/// Refuses an act that needs two people, if the tenant requires that.
///
/// # Errors
/// 409 `two_people_needed`, or the store's.
pub(crate) fn check(cx: &mut Context<'_, '_>, needs: bool, matter: Matter) -> Result<()> {
    if !needs || cx.actor.is_system || !is_by_two(&*cx.directory()?, cx.now) {
        return Ok(());
    }
    Err(Refusal::not_now("two_people_needed", matter.said, matter.satisfy, Vec::new()).into())
}

/// Refuses an act that always needs two people, whatever the tenant's settings.
///
/// # Errors
/// 409 `two_people_needed`, or the store's.
pub(crate) fn check_always(cx: &mut Context<'_, '_>, needs: bool, matter: Matter) -> Result<()> {
    if !needs || cx.actor.is_system {
        return Ok(());
    }
    let others = others_who_may_confirm(cx)?;
    Err(Refusal::not_now("two_people_needed", matter.said, matter.satisfy, others).into())
}

/// Refuses to lower the facts by which changes are evaluated, if another person could put the edit in force. Unlike
/// decision rights, this does not depend on `ownership_by_two`: a stolen account could otherwise lower the facts for
/// its own change. Until the proposal is in force, the higher facts count. A person who made the record within the day
/// may correct it alone, unless decision rights need two people.
///
/// # Errors
/// 409 `two_people_needed`, or the store's.
pub(crate) fn check_facts(cx: &mut Context<'_, '_>, needs: bool, thing: (&'static str, &RecordId)) -> Result<()> {
    if needs && is_by_two(&*cx.directory()?, cx.now) {
        return check(cx, needs, LOOSENED);
    }
    check_lowered(cx, needs, thing, LOOSENED)
}

/// The same for the reach of a change. A person who added a dependency today may remove it alone.
///
/// # Errors
/// 409 `two_people_needed`, or the store's.
pub(crate) fn check_reach(cx: &mut Context<'_, '_>, needs: bool, arrow: &RecordId) -> Result<()> {
    check_lowered(cx, needs, (Dependency::TABLE, arrow), REACHED)
}

fn check_lowered(
    cx: &mut Context<'_, '_>,
    needs: bool,
    (table, id): (&'static str, &RecordId),
    matter: Matter,
) -> Result<()> {
    if !needs || cx.actor.is_system {
        return Ok(());
    }
    let others = others_who_may_confirm(cx)?;
    let waits = !others.is_empty() || is_by_two(&*cx.directory()?, cx.now);
    if !waits || is_of_own_today(cx, table, id)? {
        return Ok(());
    }
    Err(Refusal::not_now("two_people_needed", matter.said, matter.satisfy, others).into())
}

/// Whether the acting person made a record within the day: then nobody else relies on it yet.
fn is_of_own_today(cx: &mut Context<'_, '_>, table: &'static str, id: &RecordId) -> Result<bool> {
    let since = cx.now - SignedDuration::from_hours(REMEMBERED_HOURS);
    let first = event::of_record(cx.tx, table, id.as_str())?.into_iter().next();
    let Some(first) = first else { return Ok(false) };
    let (first, _) = opened(cx, &first)?;
    let at = first.occurred_at.parse::<Timestamp>().ok();
    Ok(first.actor == cx.actor.person.as_str() && at.is_some_and(|at| at > since))
}

/// The logins of people who could put a proposal of the acting person in force.
fn others_who_may_confirm(cx: &mut Context<'_, '_>) -> Result<Vec<String>> {
    let me = cx.actor.person.clone();
    others_who_set(cx, &me)
}

/// Whether lowered facts need two people here: another person could put a proposal in force.
///
/// # Errors
/// The store's.
pub(crate) fn lowers_by_two(cx: &mut Context<'_, '_>) -> Result<bool> {
    if cx.actor.is_system {
        return Ok(false);
    }
    Ok(is_by_two(&*cx.directory()?, cx.now) || !others_who_may_confirm(cx)?.is_empty())
}

/// Whether a row affects decisions; the roles that perform the work do not.
pub(crate) fn decides(row: &Ownership) -> bool {
    !matches!(row.role, OwnershipRole::Implementer | OwnershipRole::Pipeline)
}

/// Whether rules require less for a service than before.
pub(crate) fn loosens_service(directory: &Directory, service: &Service) -> bool {
    let Some(old) = directory.services.get(&service.key) else {
        return false;
    };
    let regimes = |service: &Service| -> BTreeSet<String> {
        let words = service.regimes.iter();
        words.map(|word| canonical(word).to_owned()).collect()
    };
    service.criticality < old.criticality
        || sensitivity(service) < sensitivity(old)
        || !regimes(service).is_superset(&regimes(old))
        || !service.holds.is_superset(&old.holds)
}

/// Whether work on a config item touches less than before.
pub(crate) fn loosens_item(directory: &Directory, item: &ConfigItem) -> bool {
    let old = directory.config_items.get(&item.key);
    old.is_some_and(|old| !item.holds.is_superset(&old.holds) || (!old.holds.is_empty() && old.service != item.service))
}

/// The sensitivity of a service's data, from no class to `restricted`.
fn sensitivity(service: &Service) -> Option<usize> {
    let class = service.data_class.as_deref()?;
    DATA_CLASSES.iter().position(|known| *known == class)
}

/// Whether an environment is no production any more.
pub(crate) fn loosens_environment(directory: &Directory, place: &Environment) -> bool {
    let old = directory.environments.get(&place.key);
    old.is_some_and(|old| old.is_production) && !place.is_production
}

/// The field of an edited person that needs two people, if there is one: a decision right that the person does not have
/// now (a role, a job function, an account that is active again); the loss of the second administrator; the removal of
/// an account or address by which their commits are known; another mail address, by which somebody else could sign in
/// as them; another calendar for their clocks; or another zone for a person without a calendar.
pub(crate) fn moves_person(directory: &Directory, after: &Person, now: Timestamp) -> Option<(&'static str, Matter)> {
    if let Some(field) = empowers(directory, after) {
        return Some((field, RIGHTS));
    }
    let before = directory.people.get(&after.id)?;
    if leaves_one(directory, after, now) {
        return Some(("roles", SECOND));
    }
    if committers::drops_mark(before, after) {
        return Some(("accounts", MARKS));
    }
    if readdresses(directory, before, after) {
        return Some(("email", ADDRESSES));
    }
    if before.calendar != after.calendar {
        return Some(("calendar", CLOCKS));
    }
    // Without a calendar of their own, a person's clocks use the default hours in their zone.
    let moves_zone = after.calendar.is_none() && before.zone != after.zone;
    (moves_zone && has_voice(directory, before)).then_some(("zone", CLOCKS))
}

/// A pipeline, a vendor or an auditor is barred from deciding; removal of that role gives the person a right to decide.
fn empowers(directory: &Directory, after: &Person) -> Option<&'static str> {
    let before = directory.people.get(&after.id);
    let had = |role: &Role| before.is_some_and(|person| person.roles.contains(role));
    let is_freed = before.is_some_and(|person| person.is_barred_from_deciding() && !after.is_barred_from_deciding());
    // A person without a role decides nothing; the first role activates the person's ownership rows and memberships.
    let wakes = |person: &Person| person.roles.is_empty() && !after.roles.is_empty() && has_voice(directory, person);
    if is_freed || before.is_some_and(wakes) || DECIDING.iter().any(|role| after.roles.contains(role) && !had(role)) {
        return Some("roles");
    }
    let knew = |word: &String| before.is_some_and(|person| person.functions.contains(word));
    if !after.functions.iter().all(knew) {
        return Some("functions");
    }
    let comes_back = before.is_some_and(|person| !person.active && after.active && has_voice(directory, person));
    comes_back.then_some("active")
}

/// Whether a person gets another known address. One person alone may set the first address of a person without decision
/// rights, as when creating the account.
fn readdresses(directory: &Directory, before: &Person, after: &Person) -> bool {
    let is_known = before.email.is_some() || !before.subjects.is_empty() || has_voice(directory, before);
    is_known && committers::mail_mark(before) != committers::mail_mark(after)
}

/// Whether any rule may require a person's decision.
fn has_voice(directory: &Directory, person: &Person) -> bool {
    person.roles.iter().any(|role| DECIDING.contains(role))
        || !person.functions.is_empty()
        || !directory.groups_of(&person.id).is_empty()
        || directory
            .ownerships
            .iter()
            .any(|row| row.person.as_ref() == Some(&person.id))
}

/// Whether an edit of a person leaves one administrator of two. A deactivation does not, because a deactivated
/// administrator counts for a day.
fn leaves_one(directory: &Directory, after: &Person, now: Timestamp) -> bool {
    let loses = |before: &Person| before.roles.contains(&Role::Admin) && !after.roles.contains(&Role::Admin);
    directory.people.get(&after.id).is_some_and(loses)
        && administrators(directory, now).any(|person| person.id == after.id)
        && administrators(directory, now).count() == 2
}

/// Refuses an edit of a person that needs two people.
///
/// # Errors
/// 409 `two_people_needed`, or the store's.
pub(crate) fn check_person(cx: &mut Context<'_, '_>, after: &Person) -> Result<()> {
    match moves_person(&*cx.directory()?, after, cx.now) {
        Some((_, matter)) => check(cx, true, matter),
        None => Ok(()),
    }
}

/// The field of an edited group that needs two people: a new member, or another calendar.
pub(crate) fn moves_group(directory: &Directory, after: &Group) -> Option<(&'static str, Matter)> {
    let before = directory.groups.get(&after.key);
    let sat = |person| before.is_some_and(|group| group.members.contains(person));
    if !after.members.iter().all(sat) {
        return Some(("members", SEATS));
    }
    let moves_clocks = before.is_some_and(|group| group.calendar != after.calendar);
    moves_clocks.then_some(("calendar", CLOCKS))
}

/// Whether an existing calendar changes in any way except added holidays, which only extend the times.
pub(crate) fn moves_clocks(before: Option<&Calendar>, after: &Calendar) -> bool {
    let Some(before) = before else { return false };
    let stays = |day: &Holiday| after.holidays.iter().any(|known| known.date == day.date);
    let moves_months = before.fiscal.is_some() && before.fiscal != after.fiscal;
    moves_months || (&before.zone, &before.hours) != (&after.zone, &after.hours) || !before.holidays.iter().all(stays)
}

/// Whether an edited provider becomes trusted for the first time, again, or for more. Its name and secret do not affect
/// any person.
pub(crate) fn moves_provider(before: Option<&IdentityProvider>, after: &IdentityProvider) -> bool {
    let Some(before) = before else {
        return after.active;
    };
    let same = IdentityProvider {
        version: before.version,
        name: before.name.clone(),
        has_secret: before.has_secret,
        set_by: before.set_by.clone(),
        set_at: before.set_at,
        // An earlier end of rights gives nobody anything.
        rights_last_days: before.rights_last_days.max(after.rights_last_days),
        ..after.clone()
    };
    after.active && same != *before
}

/// Whether an edited service moves into or out of a class for which ownership rows name owners.
pub(crate) fn moves_service(directory: &Directory, after: &Service, now: Timestamp) -> bool {
    let Some(before) = directory.services.get(&after.key) else {
        return false;
    };
    let (were, are) = (classes(before), classes(after));
    were.symmetric_difference(&are)
        .any(|class| applies_to(directory, class, now))
}

fn classes(service: &Service) -> BTreeSet<Class> {
    let regimes = service.regimes.iter();
    let regimes = regimes.map(|word| Class::Regime(canonical(word).to_owned()));
    let criticality = Class::Criticality(service.criticality.as_str().to_owned());
    let others = [
        Some(criticality),
        service.data_class.clone().map(Class::DataClass),
        service.team.clone().map(Class::Team),
    ];
    regimes.chain(others.into_iter().flatten()).collect()
}

/// Whether a deciding ownership row applies to a class, now or later.
fn applies_to(directory: &Directory, class: &Class, now: Timestamp) -> bool {
    let speaks = |row: &Ownership| row.class.as_ref() == Some(class) && row.ends_at.is_none_or(|end| now < end);
    directory.ownerships.iter().any(|row| decides(row) && speaks(row))
}

/// Whether an edited config item moves to another service, or to a kind with other ownership rows; a new item comes
/// under the rows of its kind.
pub(crate) fn moves_item(directory: &Directory, after: &ConfigItem, now: Timestamp) -> bool {
    let Some(before) = directory.config_items.get(&after.key) else {
        let class = after.kind.clone().map(Class::ItemKind);
        return class.is_some_and(|class| applies_to(directory, &class, now));
    };
    let kinds = [&before.kind, &after.kind].map(|kind| kind.clone().map(Class::ItemKind));
    let changes_kind = before.kind != after.kind;
    before.service != after.service
        || (changes_kind && kinds.iter().flatten().any(|class| applies_to(directory, class, now)))
}

/// Whether an edited dependency affects owners: it begins or ceases to be a part-of relation.
pub(crate) fn moves_owners(directory: &Directory, after: &Dependency) -> bool {
    let before = directory.dependencies.between(after);
    before.is_some_and(is_part) != is_part(after)
}

/// Whether an edit reverses the reach of an existing dependency, or limits it to fewer environments: a part reaches its
/// whole, and a needed thing reaches the things that need it.
pub(crate) fn turns_reach(directory: &Directory, after: &Dependency) -> bool {
    let before = directory.dependencies.between(after).filter(|known| !known.ended);
    let narrows = |known: &Dependency| {
        let (before, after) = (&known.environments, &after.environments);
        !after.is_empty() && (before.is_empty() || !before.is_subset(after))
    };
    before.is_some_and(|known| is_part(known) != is_part(after) || narrows(known))
}

/// Whether owners are inherited along a dependency.
pub(crate) fn is_part(arrow: &Dependency) -> bool {
    arrow.kind == DependencyKind::PartOf && !arrow.ended
}

/// Whether a delegation is made by another person than the delegator: by an administrator, or in a sign-in with a token
/// or password that somebody else made.
pub(crate) fn lends_of_another(cx: &Context<'_, '_>, delegator: &PersonId) -> bool {
    cx.actor.person != *delegator || cx.actor.speaker() != delegator
}
