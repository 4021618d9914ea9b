//! Counts the questions to the gate in memory and writes the counts once in a while, so that a look at the gate stays a
//! read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use store::gate_use::GateUse;

/// The most different questions between two writings; what comes beyond is counted without its subject.
const MOST: usize = 4_096;
/// The longest name of a door, a service, an environment, in characters.
const NAME: usize = 64;
/// The longest subject, in characters.
const SUBJECT: usize = 200;
/// The longest reason, in characters.
const TEXT: usize = 500;

/// A question as it is counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Counted {
    /// At which door.
    pub door: String,
    /// About which service.
    pub service: String,
    /// In which environment.
    pub environment: String,
    /// Why it was refused; empty when it was answered.
    pub code: String,
    /// What a refused question named.
    pub subject: String,
}

struct Count {
    asked: i64,
    text: String,
    first_at: Timestamp,
    last_at: Timestamp,
}

/// The counts that are not written yet.
#[derive(Default)]
pub(crate) struct Tally(Mutex<HashMap<(String, Counted), Count>>);

fn shortened(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

impl Tally {
    /// Counts one question of a tenant.
    pub(crate) fn note(&self, tenant: &str, question: Counted, text: &str, now: Timestamp) {
        let mut question = Counted {
            door: shortened(&question.door, NAME),
            service: shortened(&question.service, NAME),
            environment: shortened(&question.environment, NAME),
            code: question.code,
            subject: shortened(&question.subject, SUBJECT),
        };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MOST {
            question.subject.clear();
            question.service.clear();
            question.environment.clear();
        }
        let count = counts.entry((tenant.to_owned(), question)).or_insert_with(|| Count {
            asked: 0,
            text: String::new(),
            first_at: now,
            last_at: now,
        });
        count.asked += 1;
        count.last_at = now;
        count.text = shortened(text, TEXT);
    }

    /// Takes what is not written yet, by tenant.
    pub(crate) fn take(&self) -> HashMap<String, Vec<GateUse>> {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut rows: HashMap<String, Vec<GateUse>> = HashMap::new();
        for ((tenant, question), count) in counts {
            rows.entry(tenant).or_default().push(GateUse {
                door: question.door,
                service: question.service,
                environment: question.environment,
                code: question.code,
                subject: question.subject,
                text: count.text,
                asked: count.asked,
                first_at: count.first_at,
                last_at: count.last_at,
            });
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_questions_are_one_row_and_names_are_bounded() {
        let tally = Tally::default();
        let question = |subject: &str| Counted {
            door: "http".to_owned(),
            code: "not_a_digest".to_owned(),
            subject: subject.to_owned(),
            ..Counted::default()
        };
        let now = Timestamp::UNIX_EPOCH;
        for _ in 0..3 {
            tally.note("acme", question("x"), "first", now);
        }
        tally.note("acme", question(&"y".repeat(1_000)), "a\nb", now);
        let rows = tally.take().remove("acme").unwrap_or_default();
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().any(|row| row.subject == "x" && row.asked == 3));
        assert!(rows.iter().any(|row| row.subject.len() == SUBJECT && row.text == "ab"));
        assert!(tally.take().is_empty());
    }
}
