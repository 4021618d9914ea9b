//! A cache of an estate that is valid until the next write: the directory, and the policy verdicts for its people.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::approval::obligation::Verdict;
use model::change::change_file::Actor;
use model::core::ids::PersonId;
use model::directory::snapshot::Directory;

/// The most verdicts in the cache; beyond it, verdicts are computed again.
const VERDICTS: usize = 10_000;

/// A directory with the verdicts that follow from it. A new one replaces it when the directory's generation moves.
pub(crate) struct Estate {
    /// The directory.
    pub directory: Arc<Directory>,
    verdicts: Mutex<HashMap<Question, Verdict>>,
}

/// The inputs of a verdict about the tenant as a whole, beside the directory.
#[derive(PartialEq, Eq, Hash)]
struct Question {
    policies: String,
    person: PersonId,
    by_token: bool,
    action: String,
    // The person's valid trainings, which are the only input that changes with the clock.
    trainings: Vec<String>,
}

impl Estate {
    /// The cache of an estate, empty except for the directory.
    pub(crate) fn new(directory: Directory) -> Self {
        Self {
            directory: Arc::new(directory),
            verdicts: Mutex::default(),
        }
    }

    /// The verdict of the policies with this digest for an actor and an action of the tenant, computed once.
    pub(crate) fn verdict(
        &self,
        policies: &str,
        (actor, now): (&Actor, jiff::Timestamp),
        action: &str,
        ask: impl FnOnce() -> Verdict,
    ) -> Verdict {
        let question = Question {
            policies: policies.to_owned(),
            person: actor.person.clone(),
            by_token: actor.by_token,
            action: action.to_owned(),
            trainings: self.directory.trainings_of(&actor.person, now),
        };
        // A panic leaves the map of verdicts whole.
        let kept = || self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(verdict) = kept().get(&question) {
            return verdict.clone();
        }
        let verdict = ask();
        let mut verdicts = kept();
        if verdicts.len() >= VERDICTS {
            verdicts.clear();
        }
        verdicts.insert(question, verdict.clone());
        verdict
    }
}
