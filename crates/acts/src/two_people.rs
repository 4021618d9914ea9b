//! What moves decisions and so goes live by two people: whatever gives somebody a voice that they did not have. A right that
//! decides, a job function that a row asks for, a seat in a group, another's word to speak, an arrow along which owners are
//! inherited. One person alone takes voices away; whoever is asked in their place was made to answer by two people as well.
//!
//! It is asked for by the tenant's `ownership_by_two`, as it is for rows of the matrix, and holds while there is a second
//! administrator. Whoever works on the host, imports at the beginning of a tenant or provisions by a directory is not asked.

use jiff::{SignedDuration, Timestamp};
use model::directory::{Directory, Environment, Group, Ownership, Person, Service};
use model::refusal::Refusal;
use model::words::{OwnershipRole, Role};

use crate::error::Result;
use crate::room::Room;
use crate::rows::DATA_CLASSES;

/// For how long an administrator who was deactivated still counts as the second one, in hours. Else whoever stole one account
/// would deactivate the other and be alone; so the others have the time to see it.
const REMEMBERED_HOURS: i64 = 24;

/// Rights by which somebody decides, starts without a decision, or gives rights. Who asks, implements, looks on or is a program
/// moves no decision.
const DECIDING: [Role; 6] = [
    Role::Owner,
    Role::Security,
    Role::ChangeManager,
    Role::Commander,
    Role::Executive,
    Role::Admin,
];

/// What one person wants to do alone: the sentence, and what helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Matter {
    pub(crate) said: &'static str,
    pub(crate) satisfy: &'static str,
}

/// Rows of the matrix.
pub(crate) const ROWS: Matter = Matter {
    said: "Rows that move decisions go live by two people here.",
    satisfy: "Propose it (`POST /ownership-proposals`, `assent ownership propose`); another person, or an approved change, \
              puts it in force.",
};

/// Things of the estate.
pub(crate) const LOOSENED: Matter = Matter {
    said: "What takes a service or an environment from under a rule goes live by two people here.",
    satisfy: "Propose it (`POST /ownership-proposals` with `services` or `environments`); another person, or an approved \
              change, puts it in force.",
};

/// Rights, job functions and accounts that come back.
pub(crate) const RIGHTS: Matter = Matter {
    said: "Rights and job functions that move decisions are given by two people here.",
    satisfy: "Propose it (`POST /ownership-proposals` with `people`, `assent ownership propose`); another person, or an \
              approved change, puts it in force. One person takes rights away.",
};

/// The right of the second administrator.
pub(crate) const SECOND: Matter = Matter {
    said: "One person alone does not take the role `admin` from the second administrator: nobody would look at what the other \
           does.",
    satisfy: "Propose it (`POST /ownership-proposals` with `people`), or deactivate them: that ends what they may do at once.",
};

/// Seats in groups.
pub(crate) const SEATS: Matter = Matter {
    said: "A seat in a group is given by two people here.",
    satisfy: "Propose it (`POST /ownership-proposals` with `groups`, `assent ownership propose`); another person, or an \
              approved change, puts it in force. One person takes members out.",
};

/// Whether what moves decisions needs two people now: the tenant asks for it, and there is, or was within the last day, a
/// second administrator who could look.
pub fn is_by_two(directory: &Directory, now: Timestamp) -> bool {
    let asks = directory.tenant.as_ref().is_some_and(|tenant| tenant.ownership_by_two);
    asks && administrators(directory, now).count() > 1
}

/// Administrators, also those who were deactivated within the last day.
fn administrators(directory: &Directory, now: Timestamp) -> impl Iterator<Item = &Person> {
    let since = now - SignedDuration::from_hours(REMEMBERED_HOURS);
    let gone_of_late = move |person: &Person| person.deactivation.as_ref().is_some_and(|it| it.at > since);
    let counts = move |person: &&Person| person.roles.contains(&Role::Admin) && (person.active || gone_of_late(person));
    directory.people.values().filter(counts)
}

/// Refuses what needs two people, where that is so here.
///
/// # Errors
/// 409 `two_people_needed`, or the store's.
pub(crate) fn check(room: &mut Room<'_, '_>, needs: bool, matter: Matter) -> Result<()> {
    if !needs || room.actor.is_system || !is_by_two(&*room.directory()?, room.now) {
        return Ok(());
    }
    Err(Refusal::not_now("two_people_needed", matter.said, matter.satisfy, Vec::new()).into())
}

/// Whether a row moves decisions; who does the work moves none.
pub(crate) fn decides(row: &Ownership) -> bool {
    !matches!(row.role, OwnershipRole::Implementer | OwnershipRole::Pipeline)
}

/// Whether rules ask less of a service than before.
pub(crate) fn loosens_service(directory: &Directory, service: &Service) -> bool {
    let Some(old) = directory.services.get(&service.key) else {
        return false;
    };
    service.criticality < old.criticality
        || sensitivity(service) < sensitivity(old)
        || !service.regimes.is_superset(&old.regimes)
}

/// How much the data of a service asks for, from nothing said to `restricted`.
fn sensitivity(service: &Service) -> Option<usize> {
    let class = service.data_class.as_deref()?;
    DATA_CLASSES.iter().position(|known| *known == class)
}

/// Whether an environment is no production any more.
pub(crate) fn loosens_environment(directory: &Directory, place: &Environment) -> bool {
    let old = directory.environments.get(&place.key);
    old.is_some_and(|old| old.is_production) && !place.is_production
}

/// What gives a person a voice that they do not have now, by its field: a right, a job function, an account that is active again.
/// Who was barred from deciding as a pipeline, a vendor or an auditor gets a voice when that right is taken from them.
pub(crate) fn empowers(directory: &Directory, after: &Person) -> Option<&'static str> {
    let before = directory.people.get(&after.id);
    let had = |role: &Role| before.is_some_and(|person| person.roles.contains(role));
    let is_freed = before.is_some_and(|person| person.is_barred_from_deciding() && !after.is_barred_from_deciding());
    if is_freed || DECIDING.iter().any(|role| after.roles.contains(role) && !had(role)) {
        return Some("roles");
    }
    let knew = |word: &String| before.is_some_and(|person| person.functions.contains(word));
    if !after.functions.iter().all(knew) {
        return Some("functions");
    }
    let comes_back = before.is_some_and(|person| !person.active && after.active && has_voice(directory, person));
    comes_back.then_some("active")
}

/// Whether anything asks for a person's word.
fn has_voice(directory: &Directory, person: &Person) -> bool {
    person.roles.iter().any(|role| DECIDING.contains(role))
        || !person.functions.is_empty()
        || !directory.groups_of(&person.id).is_empty()
        || directory
            .ownerships
            .iter()
            .any(|row| row.person.as_ref() == Some(&person.id))
}

/// Whether a person as they are to be leaves one administrator where there are two. Deactivating them does not: they count for a
/// day.
pub(crate) fn leaves_one(directory: &Directory, after: &Person, now: Timestamp) -> bool {
    let loses = |before: &Person| before.roles.contains(&Role::Admin) && !after.roles.contains(&Role::Admin);
    directory.people.get(&after.id).is_some_and(loses)
        && administrators(directory, now).any(|person| person.id == after.id)
        && administrators(directory, now).count() == 2
}

/// Refuses a person as they are to be, where two people are needed for that.
///
/// # Errors
/// 409 `two_people_needed`, or the store's.
pub(crate) fn check_person(room: &mut Room<'_, '_>, after: &Person) -> Result<()> {
    let directory = room.directory()?;
    check(room, empowers(&directory, after).is_some(), RIGHTS)?;
    let leaves_one = leaves_one(&directory, after, room.now);
    check(room, leaves_one, SECOND)
}

/// Whether a group as it is to be has somebody in it who is not in it now.
pub(crate) fn seats(directory: &Directory, after: &Group) -> bool {
    let before = directory.groups.get(&after.key);
    let sat = |person| before.is_some_and(|group| group.members.contains(person));
    !after.members.iter().all(sat)
}
