//! People who watch a change, or a service that it touches, are notified of its milestones.

use std::collections::BTreeSet;

use crate::change::change_file::Case;
use crate::core::ids::PersonId;

/// The events that are milestones, each with the text after the change's key.
const MILESTONES: &[(&str, &str)] = &[
    ("change.authorizing", "waits for its decisions"),
    ("change.scheduled", "is approved and scheduled"),
    ("change.implementing", "has started"),
    ("change.reviewing", "is done and being reviewed"),
    ("change.closed", "is closed"),
    ("change.rejected", "was rejected"),
    ("change.cancelled", "was cancelled"),
    ("change.held", "is on hold"),
    ("change.window_missed", "missed its window"),
];

/// The most people notified of one milestone; with more watchers, the first of them by id.
pub const MOST_TOLD: usize = 2_000;

/// Notifies the watchers of the last milestone of this act, except people who get a letter of their own in it.
pub fn notify_watchers(case: &mut Case<'_>) {
    let last = case.events.iter().rev().find_map(|event| {
        let found = MILESTONES.iter().find(|(kind, _)| *kind == event.kind);
        found.map(|(_, words)| *words)
    });
    let Some(words) = last else { return };
    let told: BTreeSet<PersonId> = case.letters.iter().map(|letter| letter.to.clone()).collect();
    let people = watchers(case);
    let news = format!("{} {words}.", case.change().key);
    let mark = case.now.to_string();
    for person in people.difference(&told).take(MOST_TOLD) {
        case.write_to(
            person,
            "milestone",
            &mark,
            news.clone(),
            "You receive this because you watch the change or one of its services.",
        );
    }
}

/// The active people who watch the change or a service of one of its targets, themselves or in a group.
fn watchers(case: &Case<'_>) -> BTreeSet<PersonId> {
    let (change, directory) = (case.change(), &case.directory);
    let mut people: BTreeSet<PersonId> = change.watchers.iter().cloned().collect();
    for target in &change.content.targets {
        let Some(service) = directory.services.get(&target.service) else {
            continue;
        };
        people.extend(service.watchers.iter().cloned());
        for group in &service.watching_groups {
            people.extend(directory.members(group));
        }
    }
    people.retain(|person| directory.is_active(person));
    people
}
