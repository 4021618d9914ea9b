//! Outlines of changes: the few facts by which queues and plans compare thousands of open changes. Each version of a change is
//! read once, whatever the number of pages that ask for it.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use model::change::record::Change;
use model::change::timers::decision_due;
use model::core::enums::{Level, State};
use model::core::ids::PersonId;
use model::schedule::conflicts::Planned;
use store::Moment;

/// The most outlines of all tenants, about 1 KiB each.
const MOST: usize = 20_000;
/// From how many outlines on a list is kept; a shorter one is read in less than a millisecond.
const LONG: usize = 50;
/// The most lists kept, and the most outlines in all of them.
const MOST_LISTS: usize = 16;
const MOST_LISTED: usize = 40_000;

/// The order of a queue: the due time, the graver risk, the time of the request.
pub(crate) type Urgency = (Timestamp, Reverse<Level>, Timestamp);

/// What a version of a change implies for queues and plans.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outline {
    /// The version.
    pub version: i64,
    /// The key of the change.
    pub key: String,
    /// The people whose decision an unmet rule requests.
    pub asked: Vec<(PersonId, Urgency)>,
    /// Its plan, unless it is over or not planned.
    pub planned: Option<Planned>,
    /// Its planned undo that is still to come.
    pub undo: Option<Planned>,
}

impl Outline {
    /// The outline of a change.
    pub(crate) fn of(change: &Change) -> Self {
        Self {
            version: change.version,
            key: change.key.clone(),
            asked: requested_approvers(change),
            planned: Planned::of(change),
            undo: Planned::undo_of(change),
        }
    }

    /// The urgency of the change for a person; `None` for one whose decision no unmet rule requests.
    pub(crate) fn urgency(&self, person: &PersonId) -> Option<Urgency> {
        let mut asked = self.asked.iter();
        asked.find(|(known, _)| known == person).map(|(_, urgency)| *urgency)
    }
}

/// A met rule has a clock that stopped, and asks nobody any more. A change that missed its time requests no decision: it gets a
/// new time first.
fn requested_approvers(change: &Change) -> Vec<(PersonId, Urgency)> {
    let mut asked: Vec<(PersonId, Urgency)> = Vec::new();
    let is_deciding = matches!(change.state, State::Authorizing | State::Approved | State::Scheduled);
    if !is_deciding || change.window_missed {
        return asked;
    }
    let is_met = |rule: &str| {
        let mut clocks = change.clocks.iter();
        clocks.any(|clock| clock.met_at.is_some() && clock.rule == rule)
    };
    for request in change.requests.iter().filter(|request| !is_met(&request.rule)) {
        match asked.iter_mut().find(|(known, _)| *known == request.person) {
            Some((_, (_, _, since))) => *since = request.asked_at.min(*since),
            None => {
                let due = decision_due(change, &request.person).unwrap_or(Timestamp::MAX);
                asked.push((
                    request.person.clone(),
                    (due, Reverse(change.risk.level), request.asked_at),
                ));
            }
        }
    }
    asked
}

/// The outlines that one filter picked, in its order.
pub(crate) type OutlineList = Arc<Vec<Arc<Outline>>>;

/// The outlines that were read of committed changes, by tenant and id, and long lists of them by their filters.
#[derive(Debug, Default)]
pub(crate) struct Outlines {
    single: Mutex<HashMap<String, HashMap<String, Arc<Outline>>>>,
    lists: Mutex<Lists>,
}

/// The lists of the latest moment that any act saw.
#[derive(Debug, Default)]
struct Lists {
    moment: Option<Moment>,
    /// By tenant and filter.
    of: HashMap<(String, String), OutlineList>,
}

impl Outlines {
    /// The list that a filter of a tenant picked at this moment.
    pub(crate) fn list(&self, moment: Moment, tenant: &str, filter: &str) -> Option<OutlineList> {
        let kept = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.of.get(&(tenant.to_owned(), filter.to_owned()))?;
        (kept.moment == Some(moment)).then(|| Arc::clone(known))
    }

    /// Caches a list, unless it is short or a later moment was seen.
    pub(crate) fn keep_list(&self, moment: Moment, of: (String, String), list: &OutlineList) {
        let mut kept = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if list.len() < LONG || kept.moment > Some(moment) {
            return;
        }
        let listed: usize = kept.of.values().map(|it| it.len()).sum();
        if kept.moment != Some(moment) || kept.of.len() >= MOST_LISTS || listed + list.len() > MOST_LISTED {
            kept.of.clear();
        }
        kept.moment = Some(moment);
        kept.of.insert(of, Arc::clone(list));
    }

    /// The cached outlines of these ids and versions, in their order.
    pub(crate) fn known(&self, tenant: &str, wanted: &[(String, i64)]) -> Vec<Option<Arc<Outline>>> {
        // A panic leaves the cached outlines whole.
        let kept = self.single.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(own) = kept.get(tenant) else {
            return vec![None; wanted.len()];
        };
        let found = wanted.iter();
        found
            .map(|(id, version)| own.get(id).filter(|it| it.version == *version).cloned())
            .collect()
    }

    /// Caches outlines of committed changes. Few changes are open, so the cache is simply emptied when it is large.
    pub(crate) fn keep(&self, tenant: &str, fresh: &HashMap<String, Arc<Outline>>) {
        if fresh.is_empty() {
            return;
        }
        let mut kept = self.single.lock().unwrap_or_else(PoisonError::into_inner);
        let count: usize = kept.values().map(HashMap::len).sum();
        if count + fresh.len() > MOST {
            kept.clear();
        }
        let own = kept.entry(tenant.to_owned()).or_default();
        own.extend(fresh.iter().map(|(id, outline)| (id.clone(), Arc::clone(outline))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(version: i64) -> Arc<Outline> {
        Arc::new(Outline {
            version,
            key: "CHG-1".to_owned(),
            asked: vec![(
                PersonId::from("ada"),
                (Timestamp::UNIX_EPOCH, Reverse(Level::Low), Timestamp::UNIX_EPOCH),
            )],
            planned: None,
            undo: None,
        })
    }

    #[test]
    fn an_outline_counts_for_its_tenant_and_its_version_alone() {
        let kept = Outlines::default();
        kept.keep("acme", &HashMap::from([("c1".to_owned(), outline(3))]));
        let known = |tenant: &str, version: i64| kept.known(tenant, &[("c1".to_owned(), version)])[0].is_some();
        assert!(known("acme", 3));
        assert!(!known("acme", 4), "another version is read anew");
        assert!(!known("other", 3), "an id of another tenant says nothing");
    }

    #[test]
    fn a_cache_that_is_full_begins_anew() {
        let kept = Outlines::default();
        let many = (0..MOST).map(|number| (number.to_string(), outline(1)));
        kept.keep("acme", &many.collect());
        kept.keep("acme", &HashMap::from([("c1".to_owned(), outline(1))]));
        let wanted = [("c1".to_owned(), 1), ("7".to_owned(), 1)];
        let known = kept.known("acme", &wanted);
        assert!(known[0].is_some() && known[1].is_none());
    }

    #[test]
    fn a_list_counts_at_its_moment_for_its_tenant_and_filter() {
        let kept = Outlines::default();
        let (at, of) = (Moment::numbered, |tenant: &str| (tenant.to_owned(), "open".to_owned()));
        let long: OutlineList = Arc::new(vec![outline(1); LONG]);
        kept.keep_list(at(7), of("acme"), &long);
        assert!(kept.list(at(7), "acme", "open").is_some());
        for (moment, tenant, filter) in [
            (8, "acme", "open"),
            (6, "acme", "open"),
            (7, "other", "open"),
            (7, "acme", "all"),
        ] {
            assert!(
                kept.list(at(moment), tenant, filter).is_none(),
                "{moment} {tenant} {filter}"
            );
        }
        kept.keep_list(at(6), of("other"), &long);
        assert!(
            kept.list(at(6), "other", "open").is_none(),
            "an older moment comes too late"
        );
        kept.keep_list(at(8), of("other"), &long);
        assert!(
            kept.list(at(8), "acme", "open").is_none(),
            "a newer moment ends what was kept"
        );
        kept.keep_list(at(8), of("acme"), &Arc::new(vec![outline(1)]));
        assert!(kept.list(at(8), "acme", "open").is_none(), "a short list is read anew");
    }

    #[test]
    fn only_the_people_of_an_unmet_rule_are_asked() {
        assert!(outline(1).urgency(&PersonId::from("ada")).is_some());
        assert!(outline(1).urgency(&PersonId::from("bo")).is_none());
    }
}
