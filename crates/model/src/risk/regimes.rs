//! The regimes that policies can test: laws and standards that apply to a service. A service may name others, which only rows
//! of the ownership matrix use; but a typing error must not silently exempt a service from its rules.

use strsim::levenshtein;

/// The regimes that policies can test, in the schema's spelling.
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

/// Their names for people, in the same order.
const NAMES: [&str; 9] = [
    "SOX",
    "HIPAA",
    "PCI DSS",
    "GDPR",
    "DORA",
    "NIS 2",
    "GxP",
    "ISO 27001",
    "SOC 2",
];

/// Names that begin like one of these but are something else.
const OTHERS: [&str; 2] = ["nis", "gdp"];

/// The shortest name in which one wrong letter counts as a slip: there are too many similar short names.
const LONG: usize = 5;

/// A name without letter case, blanks and signs, which people write differently.
fn plain(word: &str) -> String {
    let signs = word.chars().filter(|c| c.is_alphanumeric());
    signs.flat_map(char::to_lowercase).collect()
}

/// The regime that a text names, in any spelling: `PCI-DSS` is `pci_dss`.
pub fn known(word: &str) -> Option<&'static str> {
    let written = plain(word);
    REGIMES.into_iter().find(|known| plain(known) == written)
}

/// A regime in the policies' spelling, if it is known.
pub fn canonical(word: &str) -> &str {
    known(word).unwrap_or(word)
}

/// The name of a regime for people: `pci_dss` is “PCI DSS”, and a regime that policies do not know has its own name.
pub fn name(word: &str) -> &str {
    let written = plain(word);
    let mut named = REGIMES.into_iter().zip(NAMES);
    named
        .find(|(known, _)| plain(known) == written)
        .map_or(word, |(_, name)| name)
}

/// The letters of a name in the order of the alphabet: names with two exchanged letters are equal.
fn letters(word: &str) -> Vec<char> {
    let mut letters: Vec<char> = word.chars().collect();
    letters.sort_unstable();
    letters
}

/// The number in a name: ISO 27005 and NIST are other standards than ISO 27001 and NIS 2, however similar the names.
fn number(word: &str) -> String {
    word.chars().filter(char::is_ascii_digit).collect()
}

/// Whether one name is a misspelling of the other: two letters exchanged, or one wrong letter in a long name.
fn is_slip(written: &str, known: &str) -> bool {
    let is_near = letters(written) == letters(known) || (known.len() >= LONG && levenshtein(written, known) == 1);
    is_near && number(written) == number(known)
}

/// The regime that was meant, if a name is unknown to policies but near to a known one: `pci` for `pci_dss`, `sox_404` for
/// `sox`. `None` if that regime is named as well.
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
    fn a_known_regime_has_a_name_for_people_and_another_its_own() {
        for (word, told) in [
            ("pci_dss", "PCI DSS"),
            ("sox", "SOX"),
            ("ISO 27001", "ISO 27001"),
            ("bafin_zait", "bafin_zait"),
        ] {
            assert_eq!(name(word), told, "{word}");
        }
        // A name is a spelling of its regime, so that it can be typed.
        assert!(REGIMES.into_iter().all(|word| known(name(word)) == Some(word)));
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
