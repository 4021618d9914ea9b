//! Caches the rows that were read at a moment, until the next commit. The same gate questions recur, and the rows
//! cannot change between two commits. Only the clock moves, so rows are cached and decisions never are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::change::change_file::Lent;
use model::core::ids::PersonId;
use store::Moment;

use crate::core::gate_question::{Asker, Found, Question};

/// How many questions of one moment are kept, about 1 KiB each.
const MOST: usize = 2_000;

/// The rows that transactions read at the latest moment that any of them saw.
#[derive(Default)]
pub(crate) struct GateReadCache(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    moment: Option<Moment>,
    tenants: HashMap<String, OfTenant>,
    count: usize,
}

#[derive(Default)]
struct OfTenant {
    generation: Option<i64>,
    /// The people who may query the gate with a token, and the kinds of their tokens.
    askers: HashMap<PersonId, Vec<Lent>>,
    found: HashMap<Question, Arc<Found>>,
}

impl GateReadCache {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        // A panic leaves the cached rows whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look<T>(&self, moment: Moment, tenant: &str, pick: impl FnOnce(&OfTenant) -> Option<T>) -> Option<T> {
        let seen = self.seen();
        if seen.moment != Some(moment) {
            return None;
        }
        seen.tenants.get(tenant).and_then(pick)
    }

    fn keep(&self, moment: Moment, tenant: &str, put: impl FnOnce(&mut OfTenant)) {
        let mut seen = self.seen();
        if seen.moment > Some(moment) {
            return;
        }
        if seen.moment != Some(moment) || seen.count >= MOST {
            *seen = Seen {
                moment: Some(moment),
                ..Seen::default()
            };
        }
        seen.count += 1;
        put(seen.tenants.entry(tenant.to_owned()).or_default());
    }

    /// The number of a tenant's estate.
    pub(crate) fn generation(&self, moment: Moment, tenant: &str) -> Option<i64> {
        self.look(moment, tenant, |of| of.generation)
    }

    /// Caches the number of a tenant's estate.
    pub(crate) fn keep_generation(&self, moment: Moment, tenant: &str, generation: i64) {
        self.keep(moment, tenant, |of| of.generation = Some(generation));
    }

    /// The rows that were found for a question.
    pub(crate) fn found(&self, moment: Moment, tenant: &str, question: &Question) -> Option<Arc<Found>> {
        self.look(moment, tenant, |of| of.found.get(question).cloned())
    }

    /// Caches the rows that were found for a question.
    pub(crate) fn keep_found(&self, moment: Moment, tenant: &str, question: &Question, found: &Arc<Found>) {
        self.keep(moment, tenant, |of| {
            of.found.insert(question.clone(), Arc::clone(found));
        });
    }

    /// Notes that a person may query the gate with a token of this kind.
    pub(crate) fn keep_asker(&self, moment: Moment, tenant: &str, person: &PersonId, lent: &Lent) {
        self.keep(moment, tenant, |of| {
            let kinds = of.askers.entry(person.clone()).or_default();
            if !kinds.contains(lent) {
                kinds.push(lent.clone());
            }
        });
    }

    /// The rows that were found for a question, if this asker may query in an estate that still has the same number.
    pub(crate) fn known(&self, moment: Moment, asker: &Asker<'_>, question: &Question) -> Option<Arc<Found>> {
        self.look(moment, asker.tenant, |of| {
            let kinds = of.askers.get(asker.person);
            let may = kinds.is_some_and(|kinds| kinds.contains(asker.lent));
            let stands = of.generation == Some(asker.generation);
            of.found.get(question).filter(|_| may && stands).cloned()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_was_seen_counts_at_its_moment_and_for_its_tenant() {
        let moments = GateReadCache::default();
        let at = Moment::numbered;
        moments.keep_generation(at(7), "acme", 3);
        assert_eq!(moments.generation(at(7), "acme"), Some(3));
        for (moment, tenant) in [(at(8), "acme"), (at(6), "acme"), (at(7), "other")] {
            assert_eq!(moments.generation(moment, tenant), None);
        }
        moments.keep_generation(at(6), "acme", 2);
        assert_eq!(
            moments.generation(at(7), "acme"),
            Some(3),
            "an older moment comes too late"
        );
        moments.keep_generation(at(8), "other", 4);
        for moment in [at(7), at(8)] {
            assert_eq!(
                moments.generation(moment, "acme"),
                None,
                "a newer moment ends all that was kept"
            );
        }
    }

    #[test]
    fn only_who_was_seen_to_be_allowed_is_answered() {
        let moments = GateReadCache::default();
        let at = Moment::numbered(1);
        let question = Question {
            service: "s".to_owned(),
            environment: "e".to_owned(),
            artifact: None,
            commit: None,
            change: None,
            purpose: None,
            member: None,
        };
        let (whole, narrowed) = (
            Lent {
                maker: PersonId::from("p"),
                roles: None,
                services: None,
            },
            Lent {
                maker: PersonId::from("p"),
                roles: Some(BTreeSet::new()),
                services: None,
            },
        );
        let answered = |generation, person: &str, lent: &Lent| {
            let asker = Asker {
                tenant: "acme",
                person: &PersonId::from(person),
                lent,
                generation,
            };
            moments.known(at, &asker, &question).is_some()
        };
        let known = |generation, person: &str| answered(generation, person, &whole);
        moments.keep_generation(at, "acme", 3);
        moments.keep_found(at, "acme", &question, &Arc::default());
        assert!(!known(3, "p"));
        moments.keep_asker(at, "acme", &PersonId::from("p"), &whole);
        assert!(known(3, "p"));
        assert!(!answered(3, "p", &narrowed), "a narrowed token is judged by itself");
        assert!(!known(4, "p"), "people or tokens were written since");
        assert!(!known(3, "q"));
    }
}
