//! Links of a change to other changes, to incidents and to records of other systems.

use serde_json::json;

use crate::change::blocks::{self, Block};
use crate::change::change_file::{Actor, Case, Linked};
use crate::change::eligible::{self, has_stake};
use crate::change::record::Change;
use crate::change::related_records::Link;
use crate::change::settle::recompute;
use crate::change::success;
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::enums::{LinkKind, Role, State};
use crate::core::ids::{ChangeId, PersonId, RecordId};
use crate::core::parse::{LINE, Reading};
use crate::core::refusal::Refusal;
use crate::directory::snapshot::logins;
use crate::emergency::grounds;
use crate::incident::reference;

/// A change that a link may point at: found by `acts` before the verb runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkEnd {
    /// Its id.
    pub id: ChangeId,
    /// Its key.
    pub key: String,
    /// The keys on the path back from it over links of the same kind, when that path leads to the change that is being linked.
    pub way_back: Vec<String>,
}

/// Links to another change, or to an incident by key or outside reference.
///
/// # Errors
/// 403, for a `depends_on` also to who may not write the change; 409 for a cause that cannot be one; 422 for itself, an unknown
/// change or a doubled link.
pub fn link(case: &mut Case<'_>, body: &Body, find: &dyn Fn(&str) -> Option<LinkEnd>) -> Result<RecordId, Refusal> {
    case.allow(Act::Link)?;
    let mut reading = Reading::new(body, "");
    let kind = reading.needed_word("kind", LinkKind::FollowsUp);
    check_holding(case, kind)?;
    let named = reading.needed("to", LINE);
    let end = find(&named);
    let to = read_link_end(case, &mut reading, kind, (&named, end.as_ref()));
    if end.as_ref().is_some_and(|end| end.id == case.change().id) {
        reading.wrong("to", "not_allowed", "A change cannot be linked to itself.");
    }
    let needs_change = matches!(kind, LinkKind::DependsOn | LinkKind::ParentOf | LinkKind::Replaces);
    if needs_change && end.is_none() && !to.is_empty() && !is_change_key(&named) {
        reading.wrong(
            "to",
            "not_allowed",
            format!("`{kind}` needs the key of a change, such as CHG-1042."),
        );
    }
    if let Some(end) = end.as_ref().filter(|end| needs_change && !end.way_back.is_empty()) {
        reading.wrong("to", "circular", why_circular(case.change(), kind, end));
    }
    let set_under = match kind {
        LinkKind::DependsOn => blocks::rules_of(&case.file, &case.directory, &case.actor.person, case.now),
        _ => Vec::new(),
    };
    if is_there(case, kind, &to, &set_under) {
        reading.wrong("to", "not_unique", "This link already exists.");
    }
    reading.finish()?;
    let (id, change, by, at) = (case.new_id(), case.change_id(), case.person(), case.now);
    case.emit("change.linked", json!({"link": id, "kind": kind, "to": to}));
    let to_change = end.map(|end| end.id);
    if kind == LinkKind::Caused && to_change.is_none() && !case.actor.is_system {
        success::confirm_caused(case, &to)?;
    }
    if kind == LinkKind::DependsOn {
        // Its state is not loaded here; until the file is loaded again the link holds the start, so that no start slips
        // through.
        let (key, state) = (to.clone(), State::Draft);
        case.file.depends_on.push(Linked {
            key,
            state,
            has_succeeded: false,
            owner: None,
        });
    }
    case.file.links.push(Link {
        id: id.clone(),
        version: 0,
        change,
        kind,
        to_change,
        to,
        by,
        at,
        by_grounds: false,
        set_under,
        removed_by: None,
        removed_at: None,
    });
    recompute(case);
    Ok(id)
}

/// Whether the same link exists. An approver's block is added beside a block that its author may lift; a person's link is added
/// beside a supposed one, which it confirms, and beside that of a person with a part in the change.
fn is_there(case: &Case<'_>, kind: LinkKind, to: &str, set_under: &[String]) -> bool {
    let is_supposed = |link: &Link| kind == LinkKind::Caused && is_weaker(case.change(), link, &case.actor.person);
    let is_same = |link: &Link| {
        link.kind == kind
            && link.to == to
            && (set_under.is_empty() || !link.set_under.is_empty())
            && (case.actor.is_system || !is_supposed(link))
    };
    case.file.links.iter().any(is_same)
}

/// Whether a “caused an incident” link leaves room for a person's own link: a delivery supposed it, or its author has a part in
/// the change and the person has none.
#[must_use]
pub fn is_weaker(change: &Change, link: &Link, person: &PersonId) -> bool {
    link.by == Actor::system().person || has_stake(change, &link.by) && !has_stake(change, person)
}

fn why_circular(change: &Change, kind: LinkKind, end: &LinkEnd) -> String {
    let (would, already) = match kind {
        LinkKind::ParentOf => ("be a part of itself", "already holds it"),
        LinkKind::Replaces => ("replace itself", "already replaces it"),
        _ => ("wait for itself", "already depends on it"),
    };
    let (key, way) = (&change.key, end.way_back.join(" → "));
    format!("{key} would {would}: {} {already} by way of {way}.", end.key)
}

fn is_change_key(to: &str) -> bool {
    to.to_uppercase().starts_with("CHG-")
}

/// The other end of a link as it is kept: a change or an incident by its key, else an outside reference. A record has one name
/// here whatever the case of the letters, so that the same incident counts once.
fn read_link_end(
    case: &Case<'_>,
    reading: &mut Reading<'_>,
    kind: LinkKind,
    (named, end): (&str, Option<&LinkEnd>),
) -> String {
    if let Some(end) = end {
        return end.key.clone();
    }
    if is_change_key(named) {
        reading.wrong("to", "unknown", format!("There is no change {named}."));
        return named.to_owned();
    }
    let points_at_change = matches!(kind, LinkKind::DependsOn | LinkKind::ParentOf | LinkKind::Replaces);
    // Releases are no records here, so their names are free.
    let is_release = kind == LinkKind::InRelease && !named.to_uppercase().starts_with("INC-");
    if named.is_empty() || points_at_change || is_release {
        return named.to_owned();
    }
    match reference::incident(&case.directory, named) {
        Ok(found) => found.into_text(),
        Err(text) => {
            reading.wrong("to", "unknown", text);
            named.to_owned()
        }
    }
}

/// Refuses a `depends_on` link by a person who may not write the change: this link holds the start, where other links only
/// inform.
fn check_holding(case: &Case<'_>, kind: LinkKind) -> Result<(), Refusal> {
    if kind == LinkKind::DependsOn {
        return case.allow(Act::Edit);
    }
    Ok(())
}

/// The incident that an emergency names is linked while the change names it.
fn check_no_ground(case: &Case<'_>, place: usize) -> Result<(), Refusal> {
    let link = &case.file.links[place];
    let named = grounds::incident_of(case.change(), &case.directory);
    if !link.by_grounds || named.as_ref() != Some(&link.to) {
        return Ok(());
    }
    let text = format!("{} is the incident that this emergency names.", link.to);
    let help = "Name another incident or a threat first (PATCH).";
    let writers = logins(&case.directory, &eligible::writers(case.change(), &case.directory));
    Err(Refusal::not_now("incident_named", text, help, writers))
}

/// Takes a link away. A removed `depends_on` link no longer holds the start.
///
/// # Errors
/// 403, for a `depends_on` also to who may not write the change; 404 for a link that is not there.
pub fn unlink(case: &mut Case<'_>, id: &RecordId) -> Result<(), Refusal> {
    case.allow(Act::Link)?;
    let is_it = |link: &Link| &link.id == id && link.removed_at.is_none();
    let Some(place) = case.file.links.iter().position(is_it) else {
        return Err(Refusal::not_found("such link"));
    };
    check_holding(case, case.file.links[place].kind)?;
    check_no_ground(case, place)?;
    blocks::check_lift(case, Block::of_link(&case.file.links[place]), "link")?;
    check_withdrawal(case, &case.file.links[place])?;
    let (by, at) = (case.person(), case.now);
    let link = &mut case.file.links[place];
    link.removed_by = Some(by);
    link.removed_at = Some(at);
    let (kind, to) = (link.kind, link.to.clone());
    let is_left = |link: &Link| link.kind == kind && link.to == to && link.removed_at.is_none();
    if kind == LinkKind::DependsOn && !case.file.links.iter().any(is_left) {
        case.file.depends_on.retain(|other| other.key != to);
    }
    let is_confirmed = |link: &Link| {
        link.kind == LinkKind::Caused && link.to == to && link.removed_at.is_none() && link.by != Actor::system().person
    };
    if kind == LinkKind::Caused && !case.file.links.iter().any(is_confirmed) {
        success::withdraw_caused(case, &to);
    }
    case.emit("change.unlinked", json!({"link": id, "kind": kind, "to": to}));
    recompute(case);
    Ok(())
}

/// A “caused an incident” link is removed by its author, or by a change manager without a part in the change. Once the work has
/// ended, its outcome rests on the link: nobody with a part in the change removes it, not even its author.
fn check_withdrawal(case: &Case<'_>, link: &Link) -> Result<(), Refusal> {
    let person = case.person();
    let is_apart = |person: &PersonId| !has_stake(case.change(), person);
    let is_manager = case.directory.has_role(&person, Role::ChangeManager) && is_apart(&person);
    // A link that a delivery supposed has no author and revised nothing.
    let is_supposed = link.by == Actor::system().person && is_apart(&person);
    let speaker_may = case.change().outcome.is_none() || is_apart(&link.by);
    let is_own = link.by == person && speaker_may;
    if link.kind != LinkKind::Caused || link.to_change.is_some() || is_own || is_manager || is_supposed {
        return Ok(());
    }
    let text = match speaker_may {
        true => {
            "The statement that a change caused an incident can be withdrawn only by its author or by a change \
             manager without a part in the change."
        }
        false => {
            "After the work, only a change manager without a part in the change can withdraw the statement that it \
             caused an incident."
        }
    };
    let mut others = case.directory.with_role(Role::ChangeManager);
    others.retain(is_apart);
    others.extend(speaker_may.then(|| link.by.clone()));
    let others = others
        .iter()
        .filter(|it| case.directory.is_active(it))
        .cloned()
        .collect::<Vec<_>>();
    Err(Refusal::not_allowed("not_yours", text).with_others(logins(&case.directory, &others)))
}
