//! Change fields without use: blank, filled with filler, or always the same, and read by no policy.

use std::collections::BTreeMap;

/// The fewest changes on which a field is judged.
pub const FEWEST: u64 = 30;
/// Below this share of filled fields, in percent, a field counts as blank.
pub const BLANK_BELOW: u64 = 5;
/// The share of filler among the filled fields, in percent, from which a field counts as filler.
pub const FILLER_FROM: u64 = 50;
/// The share of one value among the filled fields, in percent, from which a field counts as constant.
pub const CONSTANT_FROM: u64 = 95;

/// Texts that fill a field without content.
const FILLER: &[&str] = &[
    "-",
    "--",
    "---",
    ".",
    "..",
    "...",
    "/",
    "?",
    "asd",
    "asdf",
    "as discussed",
    "foo",
    "keine",
    "n.a.",
    "n/a",
    "na",
    "nein",
    "nil",
    "no",
    "none",
    "not applicable",
    "nothing",
    "ok",
    "see above",
    "see description",
    "see title",
    "siehe oben",
    "siehe titel",
    "tba",
    "tbd",
    "test",
    "todo",
    "x",
    "xx",
    "xxx",
    "yes",
];

/// The counts of one field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// The number of changes that have the field.
    pub asked: u64,
    /// The number of changes with a value.
    pub filled: u64,
    /// The number of changes with filler text.
    pub filler: u64,
    values: BTreeMap<String, u64>,
}

/// The reason why a field is useless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Useless {
    /// It is almost always empty.
    Blank,
    /// Nearly every text is filler.
    Filler,
    /// Nearly all texts are the same, so the text can be a default.
    Constant,
}

impl Useless {
    /// The value in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Filler => "filler",
            Self::Constant => "constant",
        }
    }
}

/// The verdict on a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A policy reads it, or people use it.
    Used,
    /// Fewer than [`FEWEST`] changes had it.
    NotEnough,
    /// It can be dropped, or be a default.
    Drop(Useless),
}

impl Counted {
    /// Counts the field of one change. `title` is the change's: a field that repeats it is filler.
    pub fn count(&mut self, value: Option<&str>, title: &str, is_text: bool) {
        self.asked += 1;
        let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else {
            return;
        };
        self.filled += 1;
        self.filler += u64::from(is_text && is_filler(value, title));
        *self.values.entry(value.to_lowercase()).or_default() += 1;
    }

    /// The number of different values.
    #[must_use]
    pub fn distinct(&self) -> u64 {
        self.values.len() as u64
    }

    /// The number of changes with the most frequent value.
    #[must_use]
    pub fn most_common(&self) -> u64 {
        self.values.values().copied().max().unwrap_or_default()
    }

    /// Whether it can be dropped. A field that a policy reads is used, whatever its content.
    #[must_use]
    pub fn judge(&self, is_read: bool) -> Verdict {
        if self.asked < FEWEST {
            return Verdict::NotEnough;
        }
        if is_read {
            return Verdict::Used;
        }
        if self.filled * 100 < self.asked * BLANK_BELOW {
            return Verdict::Drop(Useless::Blank);
        }
        if self.filler * 100 >= self.filled * FILLER_FROM {
            return Verdict::Drop(Useless::Filler);
        }
        match self.most_common() * 100 >= self.filled * CONSTANT_FROM {
            true => Verdict::Drop(Useless::Constant),
            false => Verdict::Used,
        }
    }
}

/// Whether a text is filler: a usual filler, the title once more, fewer than two letters or digits, or one character over and
/// over.
#[must_use]
pub fn is_filler(text: &str, title: &str) -> bool {
    let plain = text.trim().to_lowercase();
    let letters: Vec<char> = plain.chars().filter(|letter| letter.is_alphanumeric()).collect();
    letters.len() < 2
        || letters.iter().all(|letter| letter == &letters[0])
        || FILLER.contains(&plain.trim_end_matches(['.', '!']))
        || FILLER.contains(&plain.as_str())
        || plain == title.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[Option<&str>]) -> Counted {
        let mut counted = Counted::default();
        for value in values {
            counted.count(*value, "Ship it", true);
        }
        counted
    }

    #[test]
    fn a_planted_useless_field_of_each_kind_is_found_and_a_used_one_stays() {
        let blank = [vec![None; 39], vec![Some("CC-1")]].concat();
        assert_eq!(of(&blank).judge(false), Verdict::Drop(Useless::Blank));
        let filler = [
            vec![Some("n/a"); 20],
            vec![Some("ship it"); 10],
            vec![Some("A rack moves"); 10],
        ]
        .concat();
        assert_eq!(of(&filler).judge(false), Verdict::Drop(Useless::Filler));
        let constant = [vec![Some("Cost centre 7"); 39], vec![Some("Cost centre 8")]].concat();
        assert_eq!(of(&constant).judge(false), Verdict::Drop(Useless::Constant));
        let used = [vec![Some("Cost centre 7"); 20], vec![Some("Cost centre 8"); 20]].concat();
        assert_eq!(of(&used).judge(false), Verdict::Used);
    }

    #[test]
    fn a_field_that_a_policy_reads_or_that_few_changes_have_is_not_proposed() {
        assert_eq!(of(&[None; 40]).judge(true), Verdict::Used);
        assert_eq!(of(&[None; 29]).judge(false), Verdict::NotEnough);
        assert_eq!(of(&[]).judge(false), Verdict::NotEnough);
    }

    #[test]
    fn filler_says_nothing_and_a_short_true_answer_is_none() {
        for text in ["N/A", "tbd.", "xxxxxx", "-", " Ship it ", "None!"] {
            assert!(is_filler(text, "Ship it"), "{text}");
        }
        for text in ["No downtime", "Ticket 4711", "v2"] {
            assert!(!is_filler(text, "Ship it"), "{text}");
        }
    }
}
