//! The regimes that policies can test: laws and standards that a service is under. A service may name others, which only rows of
//! the ownership matrix look at; but a slip of the pen must not take a service from under its rules in silence.

use crate::reading::distance;

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

/// Others that are near to one of these and are something else.
const OTHERS: [&str; 12] = [
    "soc_1",
    "soc_3",
    "gmp",
    "glp",
    "gcp",
    "gdp",
    "nis",
    "nis1",
    "iso_27002",
    "iso_27017",
    "iso_27018",
    "iso_27701",
];

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

/// The regime that was meant, where a word is none that policies can test but is near to one: `pci` for `pci_dss`, `sox_404` for
/// `sox`. Nothing where that one is named as well.
pub fn meant<'a>(word: &str, named: impl IntoIterator<Item = &'a str>) -> Option<&'static str> {
    let written = plain(word);
    if known(word).is_some() || OTHERS.iter().any(|other| plain(other) == written) {
        return None;
    }
    let begins =
        |known: &String| written.len() >= 3 && (known.starts_with(&written) || written.starts_with(known.as_str()));
    let is_slip = |known: &String| distance(&written, known) == 1 || letters(&written) == letters(known);
    let begun = REGIMES.into_iter().find(|known| begins(&plain(known)));
    let near = begun.or_else(|| REGIMES.into_iter().find(|known| is_slip(&plain(known))))?;
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
