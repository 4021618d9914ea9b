//! Accounts that count as one person on a change: for a day, an account counts with the person who alone created it or gave it
//! a part of the ownership.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::change::change_file::ChangeFile;
use crate::core::enums::{Level, OwnershipRole};
use crate::core::ids::PersonId;
use crate::directory::impersonation::LinkedAccounts;
use crate::directory::ownership_matrix::Ownership;
use crate::directory::snapshot::{Directory, Person};
use crate::gate::committers::marks_of;
use crate::risk::effective::unaccepted;
use crate::risk::terms::HELD;

/// How long an account counts with the person who created it or gave it rights, in hours.
pub const HAND_HOURS: i64 = 24;
/// The most accounts in a row of which each made the next.
const MOST_HANDS: usize = 64;

/// The shared control behind the accounts that wrote and decided on a change, and behind those that could decide now.
pub fn behind(file: &ChangeFile, directory: &Directory, now: Timestamp) -> LinkedAccounts {
    let mut hands = match is_grave(file, directory) {
        true => LinkedAccounts::of_a_grave_change(),
        false => LinkedAccounts::default(),
    };
    // An ended agent counts as well: content that it wrote stays its sponsor's.
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
    let parts: Vec<&Person> = times.keys().filter_map(|part| directory.people.get(part)).collect();
    for person in directory.people.values() {
        for part in parts.iter().filter(|part| have_one_address(part, person)) {
            hands.join(&part.id, &person.id);
        }
    }
    hands
}

/// Whether two accounts have one mail address, as some had before that was looked at: one address is one person.
fn have_one_address(left: &Person, right: &Person) -> bool {
    let (Some(one), Some(other)) = (&left.email, &right.email) else {
        return false;
    };
    !left.removed && !right.removed && one.eq_ignore_ascii_case(other)
}

/// The shared control behind accounts in statistics, for decisions since a moment: an agent counts with its sponsor, and an
/// account with its creator if it was created since then or within the day before.
pub fn among(directory: &Directory, since: Timestamp) -> LinkedAccounts {
    let mut hands = LinkedAccounts::default();
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

/// Whether two accounts count as one person, where two people look outside of a change: an agent and its sponsor, two accounts
/// created by one person within the last day, two accounts with one address, or accounts with a delegation in force between
/// them.
pub fn are_one(directory: &Directory, (left, right): (&PersonId, &PersonId), now: Timestamp) -> bool {
    let [behind, other] = [left, right].map(|person| behind_account(directory, person, now));
    let lends = || {
        let mut rows = directory.delegations.iter().filter(|row| row.is_on(now));
        rows.any(|row| {
            let pair = (&row.delegator, &row.delegate);
            [(behind, other), (other, behind), (left, right), (right, left)].contains(&pair)
        })
    };
    is_one_holder(directory, (left, right), now) || lends()
}

/// The same without delegations: one human may have both accounts.
pub fn is_one_holder(directory: &Directory, (left, right): (&PersonId, &PersonId), now: Timestamp) -> bool {
    let [behind, other] = [left, right].map(|person| behind_account(directory, person, now));
    behind == other || share_a_mark(directory, left, right)
}

/// The person behind an account: an agent's sponsor, and the person who alone created the account within the last day.
fn behind_account<'a>(directory: &'a Directory, person: &'a PersonId, now: Timestamp) -> &'a PersonId {
    let since = now.checked_sub(SignedDuration::from_hours(HAND_HOURS)).unwrap_or(now);
    let mut found = person;
    for _ in 0..MOST_HANDS {
        let sponsor = directory.agent(found).map(|agent| &agent.sponsor);
        let made = directory.people.get(found).and_then(|it| it.made_by.as_ref());
        let maker = made.filter(|hand| hand.at > since).map(|hand| &hand.by);
        match sponsor.or(maker) {
            Some(by) if by != found => found = by,
            _ => break,
        }
    }
    found
}

/// Whether two accounts share an address, an account elsewhere or a subject at a provider: they are then one person's. New
/// accounts of this kind are refused; this covers accounts from before that check.
fn share_a_mark(directory: &Directory, left: &PersonId, right: &PersonId) -> bool {
    let [Some(left), Some(right)] = [left, right].map(|id| directory.people.get(id)) else {
        return false;
    };
    !known_by(left).is_disjoint(&known_by(right))
}

/// The outside marks of an account: addresses, accounts elsewhere and subjects. An account that a directory removed has none,
/// because its marks may belong to another person by now.
fn known_by(person: &Person) -> BTreeSet<String> {
    if person.removed {
        return BTreeSet::new();
    }
    let addresses = person.addresses().into_iter().map(|mail| format!("mail:{mail}"));
    let subjects = person.subjects.iter().map(|subject| format!("subject:{subject}"));
    marks_of(person).chain(addresses).chain(subjects).collect()
}

/// Whether a change is of high risk or sensitive, whatever an approver accepted.
fn is_grave(file: &ChangeFile, directory: &Directory) -> bool {
    let found = unaccepted(&file.change, directory);
    found.risk.level == Level::High || found.touches.iter().any(|touch| HELD.contains(touch))
}

/// The times at which people took part in a change: grants within the day before count as made for it.
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use crate::directory::impersonation::CredentialGrant;
    use crate::directory::manager::tests::somebody;

    const NAMES: [&str; 4] = ["a", "b", "c", "d"];

    fn now() -> Timestamp {
        "2026-11-20T10:00:00Z".parse().unwrap()
    }

    /// Each account was made by nobody, or by one before it, an hour or two days ago: 5 ways for the third alone.
    fn histories() -> Vec<Vec<Option<(usize, i64)>>> {
        let mut found = vec![vec![None]];
        for place in 1..NAMES.len() {
            let makers = (0..place).flat_map(|maker| [Some((maker, 1)), Some((maker, 48))]);
            let ways: Vec<Option<(usize, i64)>> = makers.chain([None]).collect();
            let longer = found.iter().flat_map(|before| {
                ways.iter().map(move |way| {
                    let mut longer = before.clone();
                    longer.push(*way);
                    longer
                })
            });
            found = longer.collect();
        }
        found
    }

    #[test]
    fn accounts_are_one_exactly_where_hands_of_the_last_day_lead_from_one_to_the_other() {
        for history in histories() {
            let mut directory = Directory::default();
            let mut of: Vec<usize> = (0..NAMES.len()).collect();
            for (place, made) in history.iter().enumerate() {
                let mut person = somebody(NAMES[place], NAMES[place]);
                person.made_by = made.map(|(maker, hours)| CredentialGrant {
                    by: NAMES[maker].into(),
                    at: now() - SignedDuration::from_hours(hours),
                });
                directory.people.insert(person.id.clone(), person);
                if let Some((maker, 1)) = made {
                    let (from, to) = (of[place], of[*maker]);
                    of.iter_mut().filter(|it| **it == from).for_each(|it| *it = to);
                }
            }
            for (left, one) in NAMES.iter().enumerate() {
                for (right, other) in NAMES.iter().enumerate() {
                    let pair = (&PersonId::from(*one), &PersonId::from(*other));
                    assert_eq!(
                        are_one(&directory, pair, now()),
                        of[left] == of[right],
                        "{history:?} {one} {other}"
                    );
                }
            }
        }
    }

    #[test]
    fn two_accounts_with_one_address_in_any_spelling_are_one_until_one_is_removed() {
        let mut directory = Directory::default();
        let mut first = somebody("p1", "mira");
        first.email = Some("Mira@Halden.example".to_owned());
        let mut second = somebody("p2", "mira2");
        second.accounts = vec!["mail:mira@halden.example".to_owned()];
        let pair = [PersonId::from("p1"), PersonId::from("p2")];
        for (is_removed, expected) in [(false, true), (true, false)] {
            second.removed = is_removed;
            for person in [&first, &second] {
                directory.people.insert(person.id.clone(), person.clone());
            }
            assert_eq!(are_one(&directory, (&pair[0], &pair[1]), now()), expected);
        }
        assert!(!are_one(&directory, (&pair[0], &"p3".into()), now()), "nobody knows p3");
    }
}
