//! Nobody gives themselves a right to decide: no role, no job function, no part in ownership, no membership of a group.
//! Another person with the right to set it does.

use std::collections::BTreeSet;

use model::approval::one_hand;
use model::change::change_file::Actor;
use model::core::enums::{NodeKind, OwnershipRole};
use model::core::ids::{PersonId, ServiceKey};
use model::core::refusal::Refusal;
use model::directory::snapshot::{Dependency, Directory, Group, Ownership, Person};

use crate::core::context::Context;
use crate::guard::two_people;

/// The sentence for a part in owning.
pub(crate) const OWN_PART: &str =
    "You cannot assign ownership to yourself: another person who may set ownership must do it.";
/// The message for a dependency along which owners are inherited.
pub(crate) const OWN_WHOLE: &str =
    "You cannot make something part of what you own: another person who may set services must do it.";
/// The sentence for a group.
pub(crate) const OWN_SEAT: &str = "You cannot add yourself to a group: another person who may set groups must do it.";

/// The sentence for a job function.
pub(crate) const OWN_FUNCTION: &str =
    "You cannot give yourself a job function, because rules depend on it. Another administrator must do it.";

/// The sentence for a manager.
pub(crate) const OWN_MANAGER: &str =
    "You cannot choose your own manager, who reviews your rights. Another administrator must do it.";

/// Whether a person would choose the reviewer of their own rights.
pub(crate) fn picks_manager(actor: &Actor, before: &Person, after: &Person) -> bool {
    is_own(actor, &after.id) && before.manager != after.manager
}

/// Whether a person is the acting person or the person who set up the actor's sign-in: either may be the real actor, so
/// an act for either is an act for oneself.
pub(crate) fn is_own(actor: &Actor, person: &PersonId) -> bool {
    !actor.is_system && (person == &actor.person || person == actor.speaker())
}

/// Whether the acting person, or the setter of their sign-in, counts as one with the proposer or with the setter of the
/// proposer's sign-in.
pub(crate) fn is_behind(
    cx: &Context<'_, '_>,
    directory: &Directory,
    (by, handed_by): (&PersonId, Option<&PersonId>),
) -> bool {
    let mut theirs = [Some(by), handed_by].into_iter().flatten();
    theirs.any(|theirs| is_one(cx, directory, theirs))
}

/// Whether the acting person, or the setter of their sign-in, counts as one with another person where two people must
/// act. This is the same person, an agent of the person, an account that one made for the other within the day, a
/// shared address, or a delegation in force between the two.
pub(crate) fn is_one(cx: &Context<'_, '_>, directory: &Directory, person: &PersonId) -> bool {
    let mine = [&cx.actor.person, cx.actor.speaker()];
    mine.into_iter()
        .any(|mine| one_hand::are_one(directory, (mine, person), cx.now))
}

/// Whether the edit gives the acting person a job function that they do not have now.
pub(crate) fn gives_function(cx: &Context<'_, '_>, before: Option<&Person>, after: &Person) -> bool {
    is_own(&cx.actor, &after.id) && before.is_some_and(|before| !after.functions.is_subset(&before.functions))
}

/// Whether an ownership row would give the acting person a decision right, directly or through a group.
pub(crate) fn gives_voice(cx: &mut Context<'_, '_>, row: &Ownership) -> crate::Result<bool> {
    let decides = !matches!(row.role, OwnershipRole::Implementer | OwnershipRole::Pipeline);
    if cx.actor.is_system || !decides {
        return Ok(false);
    }
    let directory = cx.directory()?;
    let through = row.group.as_ref().and_then(|key| directory.groups.get(key));
    let mut voices = row.person.iter().chain(through.iter().flat_map(|group| &group.members));
    Ok(voices.any(|person| is_own(&cx.actor, person)))
}

/// Whether a part-of dependency would make a thing the acting person's, because that person is accountable for the
/// whole.
pub(crate) fn gives_part(cx: &Context<'_, '_>, directory: &Directory, arrow: &Dependency) -> bool {
    if cx.actor.is_system || !two_people::moves_owners(directory, arrow) || !two_people::is_part(arrow) {
        return false;
    }
    let wholes = wholes(directory, arrow);
    let speaks = |row: &Ownership| {
        let item = row.config_item.as_ref().map(|key| (NodeKind::ConfigItem, key.as_str()));
        let service = row.service.as_ref().map(|key| (NodeKind::Service, key.as_str()));
        let decides = two_people::decides(row) && row.ends_at.is_none_or(|end| cx.now < end);
        let of_whole = |(kind, key): (NodeKind, &str)| wholes.contains(&(kind, ServiceKey::from(key)));
        decides && (item.is_some_and(of_whole) || service.is_some_and(of_whole))
    };
    let own = |person: &PersonId| is_own(&cx.actor, person);
    let holds = |row: &Ownership| {
        let through = row.group.as_ref().and_then(|key| directory.groups.get(key));
        row.person.as_ref().is_some_and(own) || through.is_some_and(|group| group.members.iter().any(own))
    };
    directory.ownerships.iter().any(|row| speaks(row) && holds(row))
}

/// The wholes that a dependency adds to its source: its target, and everything that the target is part of.
fn wholes(directory: &Directory, arrow: &Dependency) -> BTreeSet<(NodeKind, ServiceKey)> {
    let mut open = vec![(arrow.to_kind, arrow.to.clone())];
    let mut found = BTreeSet::new();
    while let Some((kind, key)) = open.pop() {
        let parents = directory.dependencies.parents(kind, key.as_str());
        let parents: Vec<_> = parents.into_iter().map(|(kind, key)| (kind, key.clone())).collect();
        if found.insert((kind, key)) {
            open.extend(parents);
        }
    }
    found
}

/// Whether the edit makes the acting person a member of the group.
pub(crate) fn gives_membership(cx: &Context<'_, '_>, before: Option<&Group>, after: &Group) -> bool {
    let sat = |person: &PersonId| before.is_some_and(|group| group.members.contains(person));
    let mut seated = after.members.iter().filter(|person| !sat(person));
    seated.any(|person| is_own(&cx.actor, person))
}

/// The refusal.
pub(crate) fn own_request(text: &str) -> Refusal {
    Refusal::not_allowed("own_request", text)
}
