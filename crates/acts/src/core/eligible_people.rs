//! Lists people who may perform an action that the rules refused: the refused person learns whom to contact.

use jiff::Timestamp;
use model::approval::authority;
use model::change::change_file::{Actor, ChangeFile};
use model::change::named::named_in;
use model::change::record::Change;
use model::core::act::actions::READ;
use model::core::enums::Role;
use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::policy::permission::{actor_facts, person_facts, present_facts, target_facts};
use policy::PolicySet;

/// The most people whose rights are checked.
const LOOKED_AT: usize = 30;
/// The most people in the list.
const NAMED: usize = 5;

/// The same refusal with the logins of people whom the rules allow, if the rules refused. An actor who may not read
/// gets none. Any other refusal is unchanged.
pub(crate) fn with_names(
    refusal: Refusal,
    (policies, tenant): (&PolicySet, &str),
    (directory, now): (&Directory, Timestamp),
    (file, asking): (&ChangeFile, &PersonId),
) -> Refusal {
    let mut refusal = named_in(refusal, file, directory, now);
    if let Refusal::NotAllowed { act, waiting_on, .. } = &mut refusal {
        let may_know = may_read(policies, (directory, now), asking);
        match act {
            _ if !may_know => waiting_on.clear(),
            Some(act) => *waiting_on = whom_rules_let(act, (policies, tenant), (directory, now), (file, asking)),
            None => {}
        }
    }
    refusal
}

fn whom_rules_let(
    act: &str,
    (policies, tenant): (&PolicySet, &str),
    (directory, now): (&Directory, Timestamp),
    (file, asking): (&ChangeFile, &PersonId),
) -> Vec<String> {
    let (change, targets) = (
        present_facts(file, directory, tenant, now),
        target_facts(file, directory, now),
    );
    let may = |person: &PersonId| {
        let facts = person_facts(file, directory, person, now);
        policies.may(&facts, act, Some((&change, &targets))).allowed
    };
    let near = near(file, directory, now).into_iter();
    let others = near.filter(|person| person != asking && directory.is_active(person));
    let able = others.take(LOOKED_AT).filter(may).take(NAMED);
    able.map(|person| directory.login(&person)).collect()
}

/// Some people whom the rules allow to perform an act on the tenant, administrators and change managers first.
pub(crate) fn whom_rules_let_here(
    action: &str,
    policies: &PolicySet,
    (directory, now): (&Directory, Timestamp),
    asking: &PersonId,
) -> Vec<String> {
    whom_rules_let_here_but(action, policies, (directory, now), (asking, &|_| false))
}

/// The same without people whom a rule of the tenant excludes from this act.
pub(crate) fn whom_rules_let_here_but(
    action: &str,
    policies: &PolicySet,
    (directory, now): (&Directory, Timestamp),
    (asking, is_out): (&PersonId, &dyn Fn(&PersonId) -> bool),
) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    if !may_read(policies, (directory, now), asking) {
        return found;
    }
    for role in [
        Role::Admin,
        Role::ChangeManager,
        Role::Auditor,
        Role::Owner,
        Role::Security,
    ] {
        let able = directory.with_role(role).into_iter().filter(|person| !is_out(person));
        for person in able.take(NAMED) {
            let facts = actor_facts(&own_session(&person), directory, Vec::new(), now);
            let login = directory.login(&person);
            if person != *asking && !found.contains(&login) && policies.may(&facts, action, None).allowed {
                found.push(login);
            }
        }
    }
    found.truncate(NAMED);
    found
}

/// Whether a person may read here at all: other people must not learn names.
fn may_read(policies: &PolicySet, (directory, now): (&Directory, Timestamp), person: &PersonId) -> bool {
    let facts = actor_facts(&own_session(person), directory, Vec::new(), now);
    policies.may(&facts, READ, None).allowed
}

/// A person in a session of their own.
fn own_session(person: &PersonId) -> Actor {
    Actor {
        person: person.clone(),
        is_system: false,
        ..Actor::system()
    }
}

/// People near a change, the nearest first: people with a part in it, people who could decide about it, and change
/// managers.
fn near(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<PersonId> {
    let mut people = parts(&file.change);
    let able = authority::all_able(file, directory, now);
    people.extend(able.into_iter().take(LOOKED_AT));
    for role in [Role::ChangeManager, Role::Commander, Role::Implementer] {
        people.extend(directory.with_role(role).into_iter().take(LOOKED_AT));
    }
    let mut found: Vec<PersonId> = Vec::new();
    for person in people {
        if !found.contains(&person) {
            found.push(person);
        }
    }
    found
}

fn parts(change: &Change) -> Vec<PersonId> {
    let content = &change.content;
    let named = [&content.owner, &change.requester].into_iter().chain(&content.tester);
    named.chain(&content.implementers).cloned().collect()
}
