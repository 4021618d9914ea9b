//! Which accounts count as one person on a change: within a day, whoever made an account or gave it a part of the ownership
//! alone stands behind it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::change::change_file::ChangeFile;
use crate::core::enums::{Level, OwnershipRole};
use crate::core::ids::PersonId;
use crate::directory::hands::Hands;
use crate::directory::ownership_matrix::Ownership;
use crate::directory::snapshot::Directory;
use crate::risk::effective::unaccepted;
use crate::risk::terms::HELD;

/// For how long the hand of whoever gave it stands behind an account, in hours.
pub const HAND_HOURS: i64 = 24;

/// The hands behind what a change was written and decided with, and behind whoever could decide now.
pub fn behind(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Hands {
    let mut hands = match is_grave(file, directory) {
        true => Hands::of_a_grave_change(),
        false => Hands::default(),
    };
    // One that was ended counts as well: what it wrote stays its sponsor's.
    for agent in directory.agents.iter() {
        hands.sponsor(&agent.person, &agent.sponsor);
    }
    if !hands.is_grave {
        return hands;
    }
    for agent in directory.agents.iter() {
        let made = directory.people.get(&agent.person).and_then(|it| it.made_by.as_ref());
        if let Some(hand) = made {
            hands.make(&agent.person, &hand.by);
        }
    }
    let times = times(file, directory);
    let mut join = |person: &PersonId, by: &PersonId, at: Timestamp| {
        let is_of_late = |acted: &Timestamp| at <= *acted && *acted < at + SignedDuration::from_hours(HAND_HOURS);
        let acted = times.get(person).map_or(std::slice::from_ref(&now), Vec::as_slice);
        if acted.iter().any(is_of_late) {
            hands.join(person, by);
        }
    };
    for person in directory.people.values() {
        if let Some(hand) = person.made_by.as_ref().filter(|_| !person.is_agent) {
            join(&person.id, &hand.by, hand.at);
        }
    }
    let decides = |row: &&Ownership| !matches!(row.role, OwnershipRole::Implementer | OwnershipRole::Pipeline);
    for row in directory.ownerships.iter().filter(decides) {
        let Some(hand) = &row.hand else { continue };
        let members = row.group.iter().flat_map(|group| directory.members(group));
        for person in row.person.iter().cloned().chain(members) {
            join(&person, &hand.by, hand.at);
        }
    }
    hands
}

/// The hands behind accounts whose holders are only counted, of decisions since a moment: an agent is its sponsor, and whoever made an
/// account then, or within the day before, may be who decided by it.
pub fn among(directory: &Directory, since: Timestamp) -> Hands {
    let mut hands = Hands::default();
    for agent in directory.agents.iter() {
        hands.sponsor(&agent.person, &agent.sponsor);
    }
    let since = since
        .checked_sub(SignedDuration::from_hours(HAND_HOURS))
        .unwrap_or(since);
    for person in directory.people.values() {
        if let Some(hand) = person.made_by.as_ref().filter(|hand| hand.at >= since) {
            hands.make(&person.id, &hand.by);
        }
    }
    hands
}

/// Whether a change is of high risk or sensitive, whatever an approver accepted.
fn is_grave(file: &ChangeFile, directory: &Directory) -> bool {
    let found = unaccepted(&file.change, directory);
    found.risk.level == Level::High || found.touches.iter().any(|touch| HELD.contains(touch))
}

/// When people had a part in a change: what was given to them within the day before was given for it.
fn times(file: &ChangeFile, directory: &Directory) -> BTreeMap<PersonId, Vec<Timestamp>> {
    let change = &file.change;
    let wrote = change.authors.iter().chain([&change.requester]);
    let wrote = wrote.map(|person| (person.clone(), change.created_at));
    let decided = file.approvals.iter().map(|row| (row.person.clone(), row.at));
    let read = file.peer_reviews.iter().map(|row| (row.person.clone(), row.at));
    let pinned = change.content.template.as_ref();
    let template = pinned.and_then(|pinned| directory.templates.get(&pinned.key));
    let of_template = template.into_iter().flat_map(|template| {
        let words = template.approvals.iter();
        words.flat_map(move |word| [(word.person.clone(), word.at), (template.proposer.clone(), word.at)])
    });
    let mut times: BTreeMap<PersonId, Vec<Timestamp>> = BTreeMap::new();
    for (person, at) in wrote.chain(decided).chain(read).chain(of_template) {
        times.entry(person).or_default().push(at);
    }
    times
}
