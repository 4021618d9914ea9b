//! People who are counted apart: each for one group, and each group once.
//!
//! The count is a maximum matching of people and groups: a member of two groups counts once, two members of one group count
//! once, and a member of several groups is moved to another group where that lets one more person count.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::ids::PersonId;

/// The most people who can be counted, each for another group, and for which.
#[derive(Debug, Clone, Default)]
pub struct Apart<'a> {
    groups: BTreeMap<&'a PersonId, BTreeSet<&'a str>>,
    counted: BTreeMap<&'a str, &'a PersonId>,
}

impl<'a> Apart<'a> {
    /// Counts people, each with a group for which the person may count; a member of several groups has one entry for each.
    pub fn of(rows: impl IntoIterator<Item = (&'a PersonId, &'a str)>) -> Self {
        let mut found = Self::default();
        for (person, group) in rows {
            found.groups.entry(person).or_default().insert(group);
        }
        let people: Vec<&'a PersonId> = found.groups.keys().copied().collect();
        for person in people {
            found.place(person, &mut BTreeSet::new());
        }
        found
    }

    /// The same people and others.
    #[must_use]
    pub fn with(&self, rows: impl IntoIterator<Item = (&'a PersonId, &'a str)>) -> Self {
        let known = self
            .groups
            .iter()
            .flat_map(|(person, groups)| groups.iter().map(|group| (*person, *group)));
        Self::of(known.chain(rows))
    }

    /// The same people without one of them.
    #[must_use]
    pub fn without(&self, person: &PersonId) -> Self {
        let others = self.groups.iter().filter(|(other, _)| **other != person);
        Self::of(others.flat_map(|(other, groups)| groups.iter().map(|group| (*other, *group))))
    }

    /// Whether it is known that a person may be counted for a group.
    pub fn knows(&self, person: &PersonId, group: &str) -> bool {
        self.groups.get(person).is_some_and(|groups| groups.contains(group))
    }

    /// How many are counted.
    pub fn count(&self) -> usize {
        self.counted.len()
    }

    /// The counted people. Others could replace them, but a matching with more people does not exist.
    pub fn people(&self) -> impl Iterator<Item = &'a PersonId> {
        self.counted.values().copied()
    }

    /// Whether one more person of this group would count: the group is free, or its counted person can move to another group.
    pub fn takes(&self, group: &str) -> bool {
        self.makes_room(group, &mut BTreeSet::new())
    }

    fn makes_room<'s>(&'s self, group: &'s str, seen: &mut BTreeSet<&'s str>) -> bool {
        if !seen.insert(group) {
            return false;
        }
        let Some(person) = self.counted.get(group) else {
            return true;
        };
        let mut others = self.groups.get(person).into_iter().flatten().copied();
        others.any(|other| self.makes_room(other, seen))
    }

    /// Counts a person for a group of theirs, if need be by moving others to another group of theirs.
    fn place(&mut self, person: &'a PersonId, seen: &mut BTreeSet<&'a str>) -> bool {
        let groups: Vec<&'a str> = self.groups.get(person).into_iter().flatten().copied().collect();
        for group in groups {
            if !seen.insert(group) {
                continue;
            }
            let other = self.counted.get(group).copied();
            if other.is_none_or(|other| self.place(other, seen)) {
                self.counted.insert(group, person);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(rows: &[(&str, &str)]) -> usize {
        let people: Vec<PersonId> = rows.iter().map(|(person, _)| PersonId::from(*person)).collect();
        Apart::of(people.iter().zip(rows).map(|(person, (_, group))| (person, *group))).count()
    }

    #[test]
    fn each_person_and_each_group_counts_once() {
        assert_eq!(count(&[]), 0);
        assert_eq!(count(&[("ann", "a"), ("bea", "a")]), 1);
        assert_eq!(count(&[("ann", "a"), ("ann", "b")]), 1);
        assert_eq!(count(&[("ann", "a"), ("bea", "b")]), 2);
        // Ann may count for either group and moves so that Bea counts, who moves for Cy.
        assert_eq!(
            count(&[("ann", "a"), ("ann", "b"), ("bea", "a"), ("bea", "c"), ("cy", "a")]),
            3
        );
    }

    #[test]
    fn a_group_takes_one_more_where_room_can_be_made() {
        let (ann, bea) = (PersonId::from("ann"), PersonId::from("bea"));
        let either = Apart::of([(&ann, "a"), (&ann, "b")]);
        assert!(either.takes("a") && either.takes("b"));
        let one = Apart::of([(&ann, "a")]);
        assert!(!one.takes("a") && one.takes("b"));
        let both = either.with([(&bea, "a")]);
        assert!(!both.takes("a") && !both.takes("b") && both.takes("c"));
        assert_eq!((both.count(), both.without(&bea).count()), (2, 1));
    }
}
