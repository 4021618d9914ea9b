//! The regimes that policies can test: laws and standards that a service is under. A service may name others, which only rows of
//! the ownership matrix look at; but a slip of the pen must not take a service from under its rules in silence.

use strsim::levenshtein;

/// The regimes that policies can test, as the schema writes them.
pub const REGIMES: [&str; 9] = [
    "sox",
    "hipaa",
    "pci_dss",
    "gdpr",
    "dora",
    "nis2",
    "gxp",
    "iso_27001",
    "soc_2",
];

/// Others that one of these begins with, and that are something else.
const OTHERS: [&str; 2] = ["nis", "gdp"];

/// How many letters a word has at least for one wrong letter to be a slip: there are too many short ones.
const LONG: usize = 5;

/// A word without letter case, blanks and signs, in which people write the same regime differently.
fn plain(word: &str) -> String {
    let signs = word.chars().filter(|c| c.is_alphanumeric());
    signs.flat_map(char::to_lowercase).collect()
}

/// The regime that a word names, however people write it: `PCI-DSS` is `pci_dss`.
pub fn known(word: &str) -> Option<&'static str> {
    let written = plain(word);
    REGIMES.into_iter().find(|known| plain(known) == written)
}

/// A regime as policies write it, where they know it.
pub fn canonical(word: &str) -> &str {
    known(word).unwrap_or(word)
}

/// The letters of a word in the order of the alphabet: two that were exchanged are the same.
fn letters(word: &str) -> Vec<char> {
    let mut letters: Vec<char> = word.chars().collect();
    letters.sort_unstable();
    letters
}

/// A word's number: ISO 27005 and NIST are other standards than ISO 27001 and NIS 2, however near they are written.
fn number(word: &str) -> String {
    word.chars().filter(char::is_ascii_digit).collect()
}

/// Whether the one is written for the other: two letters exchanged, or one of many wrong.
fn is_slip(written: &str, known: &str) -> bool {
    let is_near = letters(written) == letters(known) || (known.len() >= LONG && levenshtein(written, known) == 1);
    is_near && number(written) == number(known)
}

/// The regime that was meant, where a word is none that policies can test but is near to one: `pci` for `pci_dss`, `sox_404` for
/// `sox`. Nothing where that one is named as well.
pub fn meant<'a>(word: &str, named: impl IntoIterator<Item = &'a str>) -> Option<&'static str> {
    let written = plain(word);
    if known(word).is_some() || OTHERS.iter().any(|other| plain(other) == written) {
        return None;
    }
    let begins =
        |known: &String| written.len() >= 3 && (known.starts_with(&written) || written.starts_with(known.as_str()));
    let begun = REGIMES.into_iter().find(|known| begins(&plain(known)));
    let near = begun.or_else(|| REGIMES.into_iter().find(|known| is_slip(&written, &plain(known))))?;
    let is_named = named.into_iter().any(|other| known(other) == Some(near));
    (!is_named).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_what_was_meant() {
        for (word, known) in [
            ("pci", "pci_dss"),
            ("sox_404", "sox"),
            ("HIPPA", "hipaa"),
            ("soc", "soc_2"),
            ("ISO", "iso_27001"),
            ("gpdr", "gdpr"),
            ("ISO 27001:2022", "iso_27001"),
        ] {
            assert_eq!(meant(word, []), Some(known), "{word}");
        }
    }

    #[test]
    fn what_is_known_is_far_or_stands_beside_it_is_no_slip() {
        for word in [
            "SOC-1",
            "gmp",
            "GDP",
            "iso 27701",
            "ISO 27005",
            "iso_27010",
            "iso_27011",
            "NIST",
            "nis",
            "J-SOX",
            "gvp",
            "PCI-DSS",
            "iso 27001",
            "SOC 2",
            "nis2",
            "bafin",
            "bsi",
            "kritis",
            "iso_9001",
            "ü",
        ] {
            assert_eq!(meant(word, []), None, "{word}");
        }
        assert_eq!(meant("sox_404", ["sox_404", "SOX"]), None);
    }
}
