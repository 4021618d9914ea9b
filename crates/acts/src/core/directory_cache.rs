//! What is known of an estate for as long as nobody writes it: the directory, and what the policies say to its people.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::approval::obligation::Verdict;
use model::change::change_file::Actor;
use model::core::ids::PersonId;
use model::directory::snapshot::Directory;

/// How many verdicts are kept; past it they are asked for anew.
const VERDICTS: usize = 10_000;

/// A directory with the verdicts that follow from it. Another takes its place when the directory's generation moves.
pub(crate) struct Estate {
    /// The directory.
    pub directory: Arc<Directory>,
    verdicts: Mutex<HashMap<Question, Verdict>>,
}

/// What a verdict about the tenant as a whole depends on, beside the directory.
#[derive(PartialEq, Eq, Hash)]
struct Question {
    policies: String,
    person: PersonId,
    by_token: bool,
    action: String,
    // The one thing about a person that the clock changes.
    trainings: Vec<String>,
}

impl Estate {
    /// An estate of which nothing else is known yet.
    pub(crate) fn new(directory: Directory) -> Self {
        Self {
            directory: Arc::new(directory),
            verdicts: Mutex::default(),
        }
    }

    /// What the policies with this digest say to an actor about an action of the tenant, asked once.
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
        // A map of answers is whole after any panic.
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
