//! The round mark beside a person's name: their initials on a colour that stays theirs, drawn here and fetched from nowhere.

use crate::elements::text;

/// How many colours there are; the style sheet names each, and its white letters can be read on all of them.
const COLOURS: u32 = 8;

/// The mark of a name. It repeats the name beside it, so a screen reader skips it.
pub(crate) fn avatar(name: &str) -> String {
    // Initials are letters and digits, so nothing of them is markup.
    let letters = text::initials(name);
    format!(
        "<svg class=\"face face-{}\" viewBox=\"0 0 24 24\" aria-hidden=\"true\" translate=\"no\"><circle cx=\"12\" cy=\"12\" \
         r=\"12\"/><text x=\"12\" y=\"15.5\" text-anchor=\"middle\">{letters}</text></svg>",
        colour(name)
    )
}

/// The colour of a name: the same on every page, for every reader and after every start (FNV-1a).
fn colour(name: &str) -> u32 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash % COLOURS
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    /// The relative luminance of a colour such as `#0a5c73` (WCAG 2.2).
    fn luminance(colour: &str) -> f64 {
        let part = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            match value <= 0.040_45 {
                true => value / 12.92,
                false => ((value + 0.055) / 1.055).powf(2.4),
            }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    #[test]
    fn a_person_keeps_their_colour_and_people_differ() {
        assert_eq!(avatar("Priya Raman"), avatar("Priya Raman"));
        let names = [
            "Priya Raman",
            "Hanne Brandt",
            "Luc Moreau",
            "Marta Lindqvist",
            "Yusuf Demir",
        ];
        let colours: std::collections::BTreeSet<u32> = names.iter().map(|name| colour(name)).collect();
        assert!(colours.len() > 1, "{colours:?}");
    }

    #[test]
    fn a_name_never_becomes_markup() {
        assert!(avatar("<script> \u{202e}\"&").contains(">S</text>"));
        assert!(avatar("\u{202e}").contains(">?</text>"));
    }

    #[test]
    fn the_letters_can_be_read_on_every_colour() {
        let tokens = include_str!("../../assets/tokens.css");
        for number in 0..COLOURS {
            let name = format!("--face-{number}: ");
            let at = tokens.find(&name).unwrap() + name.len();
            let contrast = 1.05 / (luminance(&tokens[at..at + 7]) + 0.05);
            assert!(contrast >= 4.5, "{name}{contrast}");
        }
        assert!(tokens.contains("--on-face: #ffffff"));
    }
}
