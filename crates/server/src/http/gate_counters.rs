//! Counts the questions to the gate in memory and writes the counts once in a while, so that a look at the gate stays a
//! read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use store::gate::gate_use::GateUse;

/// The most different requests between two writings; further ones are counted without their subject.
const MOST: usize = 4_096;
/// The longest name of an endpoint, a service, an environment, in characters.
const NAME: usize = 64;
/// The longest subject, in characters.
const SUBJECT: usize = 200;
/// The longest reason, in characters.
const TEXT: usize = 500;

/// A question as it is counted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counted<'a> {
    /// The endpoint.
    pub door: &'a str,
    /// About which service.
    pub service: &'a str,
    /// The environment.
    pub environment: &'a str,
    /// The code of the refusal; empty when a decision was given.
    pub code: &'a str,
    /// The subject that a refused request named.
    pub subject: &'a str,
}

struct Count {
    tenant: String,
    row: GateUse,
}

/// Counts that are not written yet, by the fields that distinguish them.
#[derive(Default)]
pub(crate) struct Tally(Mutex<HashMap<String, Count>>);

/// Adds a text without control characters, cut after so many characters.
fn push(into: &mut String, text: &str, most: usize) {
    let is_plain = text.len() <= most && !text.chars().any(char::is_control);
    if is_plain {
        into.push_str(text);
    } else {
        into.extend(text.chars().filter(|c| !c.is_control()).take(most));
    }
}

fn shortened(text: &str, most: usize) -> String {
    let mut short = String::new();
    push(&mut short, text, most);
    short
}

impl Counted<'_> {
    /// The fields that distinguish a gate request, in one text. A control character separates the parts and occurs in none of
    /// them.
    fn key(&self, tenant: &str) -> String {
        let mut key = String::with_capacity(128);
        let parts = [
            (tenant, NAME),
            (self.door, NAME),
            (self.service, NAME),
            (self.environment, NAME),
            (self.code, NAME),
            (self.subject, SUBJECT),
        ];
        for (part, most) in parts {
            push(&mut key, part, most);
            key.push('\u{1f}');
        }
        key
    }

    fn row(&self, now: Timestamp) -> GateUse {
        GateUse {
            door: shortened(self.door, NAME),
            service: shortened(self.service, NAME),
            environment: shortened(self.environment, NAME),
            code: shortened(self.code, NAME),
            subject: shortened(self.subject, SUBJECT),
            text: String::new(),
            asked: 0,
            first_at: now,
            last_at: now,
        }
    }
}

impl Tally {
    /// Counts one question of a tenant.
    pub(crate) fn note(&self, tenant: &str, mut question: Counted<'_>, text: &str, now: Timestamp) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MOST {
            (question.service, question.environment, question.subject) = ("", "", "");
        }
        let fresh = || Count {
            tenant: tenant.to_owned(),
            row: question.row(now),
        };
        let count = counts.entry(question.key(tenant)).or_insert_with(fresh);
        count.row.asked += 1;
        count.row.last_at = now;
        if count.row.text != text {
            count.row.text = shortened(text, TEXT);
        }
    }

    /// Takes the unwritten counts, by tenant.
    pub(crate) fn take(&self) -> HashMap<String, Vec<GateUse>> {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut rows: HashMap<String, Vec<GateUse>> = HashMap::new();
        for Count { tenant, row } in counts.into_values() {
            rows.entry(tenant).or_default().push(row);
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
        fn question(subject: &str) -> Counted<'_> {
            Counted {
                door: "http",
                code: "not_a_digest",
                subject,
                ..Counted::default()
            }
        }
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
