//! Absences and delegations in the directory: the absent people, and the delegates who decide in their place.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::approval::absence::Delegation;
use crate::approval::obligation::Asked;
use crate::core::ids::{PersonId, ServiceKey};
use crate::directory::basis::{Holder, Seen};
use crate::directory::snapshot::Directory;

/// How many delegations may follow each other.
const MOST_LINKS: usize = 5;

/// The request for which delegations are followed.
#[derive(Debug, Clone, Copy)]
pub struct Passing<'a> {
    /// The approvers of the rule.
    pub asked: &'a Asked,
    /// The service it is about.
    pub service: &'a ServiceKey,
    /// The instant.
    pub now: Timestamp,
    /// Whether deputies are included because a decision is late.
    pub is_late: bool,
}

impl Directory {
    /// Whether a person is away at this instant.
    pub fn is_absent(&self, person: &PersonId, now: Timestamp) -> bool {
        self.absent_until(person, now).is_some()
    }

    /// Until when a person is away, if they are: absences that adjoin or overlap are one.
    pub fn absent_until(&self, person: &PersonId, now: Timestamp) -> Option<Timestamp> {
        let mut until = None;
        while let Some(end) = self.absence_end(person, until.unwrap_or(now)) {
            until = Some(end);
        }
        until
    }

    /// When the longest of a person's absences ends that hold at this instant.
    fn absence_end(&self, person: &PersonId, at: Timestamp) -> Option<Timestamp> {
        let rows = self.absences.iter();
        rows.filter(|row| &row.person == person && row.is_on(at))
            .map(|row| row.ends_at)
            .max()
    }

    /// The next instant after `now` at which an absence or a delegation begins or ends.
    pub fn next_people_edge(&self, now: Timestamp) -> Option<Timestamp> {
        let absences = self.absences.iter().flat_map(|row| [row.starts_at, row.ends_at]);
        let delegations = self.delegations.iter().flat_map(|row| [row.starts_at, row.ends_at]);
        absences.chain(delegations).filter(|at| *at > now).min()
    }

    /// Adds the present delegates of the holders behind them; a delegate appears once, or once for each group of a holder.
    pub fn with_delegates(&self, holders: Vec<Holder>, passing: Passing<'_>) -> Vec<Holder> {
        if self.delegations.is_empty() {
            return holders;
        }
        let are_distinct = passing.asked.distinct_groups().is_some();
        let mut found = holders;
        let mut place = 0;
        while place < found.len() {
            let holder = found[place].clone();
            place += 1;
            if holder.basis.delegations.len() >= MOST_LINKS {
                continue;
            }
            for delegation in self.delegations_of(&holder, passing) {
                if !self.may_speak(&delegation.delegate, &holder) {
                    continue;
                }
                let delegate = self.delegate_of(&holder, delegation);
                let is_other = |known: &Holder| are_distinct && known.speaks_for_another_group_than(&delegate);
                let mut known = found.iter().filter(|known| known.person == delegate.person);
                if known.all(is_other) {
                    found.push(delegate);
                }
            }
        }
        found
    }

    /// The delegations of a person that are in force now. A delegate may pass a delegated right on only during their own
    /// absence, so that nobody collects the rights of people who did not choose them.
    fn delegations_of<'a>(
        &'a self,
        holder: &Holder,
        passing: Passing<'a>,
    ) -> impl Iterator<Item = &'a Delegation> + use<'a> {
        let part = passing.asked.for_basis(&holder.basis).word();
        let person = holder.person.clone();
        let is_borrowed = !holder.basis.delegations.is_empty();
        self.delegations.iter().filter(move |row| {
            row.delegator == person
                && row.is_on(passing.now)
                && row.passes(&part, passing.service)
                && (!row.deputy || passing.is_late || self.is_absent(&person, passing.now))
                && (!is_borrowed || self.is_absent(&person, passing.now))
        })
    }

    /// Whether a delegate may hold another person's right: active, not limited to implementing or reading, and with the job
    /// function that the matrix row requires.
    fn may_speak(&self, person: &PersonId, holder: &Holder) -> bool {
        let row = holder.basis.ownership.as_ref();
        let function = row
            .and_then(|seen| self.ownerships.iter().find(|row| row.id.as_str() == seen.id))
            .and_then(|row| row.function.as_deref());
        self.people.get(person).is_some_and(|found| {
            self.takes_part(person)
                && !found.is_barred_from_deciding()
                && function.is_none_or(|needed| found.functions.contains(needed))
        })
    }

    fn delegate_of(&self, holder: &Holder, delegation: &Delegation) -> Holder {
        let mut basis = holder.basis.clone();
        basis.delegations.push(Seen {
            id: delegation.id.0.clone(),
            version: delegation.version,
        });
        basis.delegators.push(holder.person.clone());
        let word = if delegation.deputy { "deputy of" } else { "speaks for" };
        Holder {
            why: format!(
                "{word} {} until {}: {}",
                self.name(&holder.person),
                delegation.ends_at.strftime("%Y-%m-%d %H:%MZ"),
                holder.why
            ),
            person: delegation.delegate.clone(),
            basis,
        }
    }

    /// The people of a ring that a new delegation would close while it holds: from its delegate back to its delegator.
    pub fn delegation_ring(&self, new: &Delegation) -> Option<Vec<PersonId>> {
        let mut ways: Vec<Vec<PersonId>> = vec![vec![new.delegator.clone(), new.delegate.clone()]];
        let mut seen: BTreeSet<PersonId> = BTreeSet::new();
        while let Some(way) = ways.pop() {
            let last = way.last()?.clone();
            if last == new.delegator {
                return Some(way);
            }
            if !seen.insert(last.clone()) {
                continue;
            }
            let next = self
                .delegations
                .iter()
                .filter(|row| row.id != new.id && row.delegator == last)
                .filter(|row| row.overlaps(new.starts_at, new.ends_at));
            for row in next {
                let mut longer = way.clone();
                longer.push(row.delegate.clone());
                ways.push(longer);
            }
        }
        None
    }
}
