//! Whether two changes look like the same work: their titles have most terms in common.

use std::collections::BTreeSet;

/// The percentage from which two titles are alike.
pub const ALIKE_PERCENT: usize = 60;
/// The days within which a change that has ended still counts.
pub const DAYS: i64 = 14;
/// The most lookalikes that are named.
pub const MOST: usize = 5;
/// Terms without meaning for the work.
const EMPTY: &[&str] = &[
    "a", "an", "and", "der", "die", "das", "for", "in", "of", "on", "the", "to", "und", "von", "zu",
];

/// The terms of a title: lower case, without punctuation and without empty terms.
fn title_terms(title: &str) -> BTreeSet<String> {
    let lower = title.to_lowercase();
    let parts = lower.split(|letter: char| !letter.is_alphanumeric());
    parts
        .filter(|part| !part.is_empty() && !EMPTY.contains(part))
        .map(str::to_owned)
        .collect()
}

/// The similarity of two titles, 0 to 100: the Dice coefficient of their terms. Versions and numbers are terms, so that an
/// update to another version is another change.
#[must_use]
pub fn alike(one: &str, other: &str) -> usize {
    let (one, other) = (title_terms(one), title_terms(other));
    let all = one.len() + other.len();
    if all == 0 {
        return 0;
    }
    let both = one.intersection(&other).count();
    let only: BTreeSet<&String> = one.symmetric_difference(&other).collect();
    let numbers = only
        .iter()
        .filter(|word| word.chars().any(|letter| letter.is_ascii_digit()))
        .count();
    // Two titles that differ only in a number are two steps of one plan.
    if numbers > 0 && numbers == only.len() {
        return 0;
    }
    200 * both / all
}

/// Whether two titles look like the same work.
#[must_use]
pub fn is_alike(one: &str, other: &str) -> bool {
    alike(one, other) >= ALIKE_PERCENT
}

#[cfg(test)]
mod tests {
    use super::{alike, is_alike};

    #[test]
    fn the_same_words_in_another_order_are_alike() {
        assert_eq!(alike("Restart the label printer", "Label printer: restart"), 100);
        assert!(is_alike("Restart label printer in Oslo", "Restart the label printer"));
        assert!(is_alike(
            "Zertifikat von edge-dns erneuern",
            "edge-dns: Zertifikat erneuern"
        ));
    }

    #[test]
    fn other_work_and_another_version_are_not() {
        assert!(!is_alike(
            "Restart the label printer",
            "Renew the certificate of edge-dns"
        ));
        assert!(!is_alike("Deploy booking-api 4.2", "Deploy booking-api 4.3"));
        assert_eq!(alike("", ""), 0);
        assert_eq!(alike("the of", "and"), 0);
    }
}
