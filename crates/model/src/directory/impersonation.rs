//! Accounts under one person's control: for a day, an account counts as the person who alone made it or gave it a part of the
//! ownership; and a credential counts as its maker's. For changes of high risk and for sensitive ones such accounts are one
//! person under every rule: otherwise the thief of one administrator's account could act as requester, owner, security and
//! manager at once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::ids::PersonId;

/// The person who gave somebody a means to decide, and the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialGrant {
    /// The giver.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// Accounts that count as one person on one change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkedAccounts {
    /// Whether the change is of high risk or sensitive: of others each account counts as itself.
    pub is_grave: bool,
    /// The first account of each group, for each account that counts with another.
    roots: BTreeMap<PersonId, PersonId>,
    /// The sponsors of agents: an agent counts as one person with its sponsor on every change.
    sponsors: BTreeMap<PersonId, PersonId>,
    /// The makers of agents' accounts, and in statistics of other accounts too. The acts of such an agent count as its maker's
    /// too, but maker and sponsor do not count as one.
    makers: BTreeMap<PersonId, PersonId>,
}

impl LinkedAccounts {
    /// Those of a change of high risk or of a sensitive one, where each account counts as itself so far.
    pub fn of_a_grave_change() -> Self {
        Self {
            is_grave: true,
            ..Self::default()
        }
    }

    /// Counts two accounts as one person.
    pub fn join(&mut self, left: &PersonId, right: &PersonId) {
        let (left, right) = (self.root(left).clone(), self.root(right).clone());
        if left == right {
            return;
        }
        for root in self.roots.values_mut().filter(|root| **root == left) {
            *root = right.clone();
        }
        self.roots.insert(left, right.clone());
        self.roots.insert(right.clone(), right);
    }

    /// Counts an agent as one person with its sponsor.
    pub fn sponsor(&mut self, agent: &PersonId, sponsor: &PersonId) {
        self.sponsors.insert(agent.clone(), sponsor.clone());
    }

    /// Counts the acts of an agent as its maker's, too.
    pub fn make(&mut self, agent: &PersonId, maker: &PersonId) {
        self.makers.insert(agent.clone(), maker.clone());
    }

    /// Whether one of a person's agents, or an agent that the person made, has some part.
    pub fn has_agent(&self, person: &PersonId, part: impl Fn(&PersonId) -> bool) -> bool {
        let mut pairs = self.sponsors.iter().chain(&self.makers);
        pairs.any(|(agent, of)| of == person && part(agent))
    }

    /// The account that represents the group of an account.
    pub fn root<'a>(&'a self, person: &'a PersonId) -> &'a PersonId {
        let person = self.sponsors.get(person).unwrap_or(person);
        self.roots.get(person).unwrap_or(person)
    }

    /// All accounts that count as the same person, this one included.
    pub fn same<'a>(&'a self, person: &'a PersonId) -> BTreeSet<&'a PersonId> {
        let root = self.root(person);
        let others = self.roots.iter().filter(|(_, of)| *of == root).map(|(other, _)| other);
        let pairs = self.sponsors.iter().filter(|(agent, _)| self.root(agent) == root);
        let made = self.makers.iter().filter(|(_, maker)| self.root(maker) == root);
        others
            .chain(pairs.flat_map(|(agent, sponsor)| [agent, sponsor]))
            .chain(made.map(|(agent, _)| agent))
            .chain([person])
            .collect()
    }

    /// Whether somebody counts as one with another account.
    pub fn is_joined(&self, person: &PersonId) -> bool {
        self.roots.contains_key(person)
    }

    /// How many people control these accounts: an account whose maker is among them is no further person.
    pub fn count(&self, accounts: &BTreeSet<PersonId>) -> usize {
        let is_made = |account: &&PersonId| {
            let maker = self.makers.get(*account);
            maker.is_some_and(|maker| maker != *account && accounts.contains(maker))
        };
        let people: BTreeSet<&PersonId> = accounts
            .iter()
            .filter(|account| !is_made(account))
            .map(|account| self.root(account))
            .collect();
        people.len()
    }

    /// Whether two accounts count as one person.
    pub fn are_one(&self, left: &PersonId, right: &PersonId) -> bool {
        self.root(left) == self.root(right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_joined_by_some_way_is_one() {
        let mut hands = LinkedAccounts::default();
        let people: Vec<PersonId> = ["a", "b", "c", "d", "e"].map(PersonId::from).to_vec();
        hands.join(&people[0], &people[1]);
        hands.join(&people[2], &people[3]);
        assert!(!hands.are_one(&people[0], &people[2]));
        hands.join(&people[1], &people[3]);
        for person in &people[..4] {
            assert!(hands.are_one(person, &people[2]), "{person}");
        }
        assert_eq!(hands.same(&people[0]).len(), 4);
        assert!(!hands.is_joined(&people[4]) && hands.same(&people[4]).len() == 1);
    }

    #[test]
    fn an_account_that_another_one_made_is_no_further_person() {
        let mut hands = LinkedAccounts::default();
        let [olga, second, sam, agent, ada] = ["olga", "second", "sam", "agent", "ada"].map(PersonId::from);
        hands.make(&second, &olga);
        hands.make(&sam, &ada);
        hands.sponsor(&agent, &sam);
        let count = |accounts: &[&PersonId]| hands.count(&accounts.iter().map(|it| (*it).clone()).collect());
        assert_eq!(count(&[&olga, &second, &sam]), 2);
        assert_eq!(count(&[&second, &sam]), 2, "whoever made one has no part in it");
        assert_eq!(count(&[&olga, &sam, &agent]), 2);
        assert_eq!(count(&[]), 0);
    }

    #[test]
    fn agents_of_one_sponsor_are_one_with_them_and_join_nobody_else() {
        let mut hands = LinkedAccounts::default();
        let people: Vec<PersonId> = ["agent-a", "agent-b", "agent-c", "sponsor", "other"]
            .map(PersonId::from)
            .to_vec();
        let [a, b, c, sponsor, other] = &people[..] else {
            panic!("five")
        };
        hands.sponsor(a, sponsor);
        hands.sponsor(b, sponsor);
        hands.sponsor(c, other);
        assert!(
            hands.are_one(a, b) && hands.are_one(a, sponsor) && !hands.are_one(a, c) && !hands.are_one(sponsor, other)
        );
        assert_eq!(hands.same(sponsor).len(), 3);
        assert_eq!(hands.same(a).len(), 3);
        assert!(hands.has_agent(sponsor, |agent| agent == b) && !hands.has_agent(other, |agent| agent == b));
        assert!(!hands.is_joined(sponsor), "no hand stands behind a sponsor");
    }

    #[test]
    fn whoever_made_an_agent_is_not_one_with_its_sponsor() {
        let mut hands = LinkedAccounts::of_a_grave_change();
        let [agent, sponsor, maker, owner] = ["agent", "sponsor", "maker", "owner"].map(PersonId::from);
        hands.sponsor(&agent, &sponsor);
        hands.make(&agent, &maker);
        // The maker gave another person a part of the ownership, who is one with them.
        hands.join(&owner, &maker);
        assert!(!hands.are_one(&maker, &sponsor) && !hands.are_one(&owner, &sponsor));
        assert!(!hands.same(&owner).contains(&sponsor) && !hands.same(&sponsor).contains(&maker));
        assert!(
            hands.same(&maker).contains(&agent),
            "what the agent wrote, its maker may have written"
        );
        assert!(hands.has_agent(&maker, |it| *it == agent));
    }
}
