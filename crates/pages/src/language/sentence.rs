//! One text, looked up: whole, then by its pattern, then sentence by sentence.

use super::catalogue::{Catalogue, Reach};
use super::stand_ins::{BEHIND, FIRST_TIME, JOINTS, has_letters, is_data, is_odd};
use crate::elements::text::capital;

/// The product's name, which is the same in every language.
const PRODUCT: &str = "Assent";
/// The separator between two texts that are translated apart, as between a page's title and the product's name.
const APART: &str = " · ";
/// The possible separators between two texts that are translated apart.
const BETWEEN: [&str; 3] = [APART, "; ", ", "];
/// How deep a part of a pattern may hold a pattern.
const DEEPEST: u8 = 3;

/// A text in the language, without anything set apart; `None` where it is not known.
pub(super) fn plain(catalogue: &Catalogue, text: &str) -> Option<String> {
    if is_odd(text) {
        return None;
    }
    translate_text(catalogue, text, 0)
}

/// Translates a text; characters that represent elements stay where the sentence needs them.
pub(super) fn translate_text(catalogue: &Catalogue, text: &str, depth: u8) -> Option<String> {
    let bare = text.trim();
    if bare.is_empty() || depth > DEEPEST {
        return None;
    }
    if let Some(found) = whole(catalogue, bare) {
        return Some(text.replacen(bare, &found, 1));
    }
    // Parts side by side are translated apart where each is known: a pattern would reach over the joint.
    if bare.contains(APART)
        && let Some(parts) = all(catalogue, bare.split(APART), depth + 1)
    {
        return Some(text.replacen(bare, &parts.join(APART), 1));
    }
    let mut times = Vec::new();
    let held = catalogue.times.replace(bare, |said| {
        times.push(said);
        stand_in(times.len() - 1)
    });
    let held = held.unwrap_or_else(|| bare.to_owned());
    let said = if !has_letters(&held) {
        numbers(catalogue, &held)
    } else if let Some(found) = pattern(catalogue, &held, depth) {
        found
    } else if let Some(found) = with_lengths(catalogue, bare, &times, depth) {
        return Some(text.replacen(bare, &found, 1));
    } else if is_data(&held) {
        held
    } else {
        return None;
    };
    Some(text.replacen(bare, &with_times(&said, &times), 1))
}

/// A text whose message holds a length of time itself, such as “in the 30 days before”.
fn with_lengths(catalogue: &Catalogue, text: &str, times: &[String], depth: u8) -> Option<String> {
    let mut again = |part: &str| translate_text(catalogue, part, depth + 1).unwrap_or_else(|| part.to_owned());
    (!times.is_empty())
        .then(|| catalogue.fitting(text, Reach::Anywhere, &mut again))
        .flatten()
}

/// A text that is in the file as it is, or differs only in its full stop or the size of its first letter.
fn whole(catalogue: &Catalogue, text: &str) -> Option<String> {
    if let Some(found) = catalogue.whole(text).or((text == PRODUCT).then_some(PRODUCT)) {
        return Some(found.to_owned());
    }
    // A rule's reason within a sentence has no full stop.
    if let Some(found) = catalogue
        .whole(&format!("{text}."))
        .and_then(|found| found.strip_suffix('.'))
    {
        return Some(found.to_owned());
    }
    let first = text.chars().next()?;
    let small: String = first.to_lowercase().chain(text.chars().skip(1)).collect();
    let found = (first.is_uppercase() && small != text).then(|| catalogue.whole(&small))??;
    Some(capital(found))
}

/// A text without times: by its pattern, by its pieces, and last by a pattern whose parts reach over several sentences, as a
/// user's text may.
fn pattern(catalogue: &Catalogue, text: &str, depth: u8) -> Option<String> {
    let mut again = |part: &str| translate_text(catalogue, part, depth + 1).unwrap_or_else(|| part.to_owned());
    catalogue
        .fitting(text, Reach::Sentence, &mut again)
        .or_else(|| in_pieces(catalogue, text, depth))
        .or_else(|| catalogue.fitting(text, Reach::Anywhere, &mut again))
}

/// A text by its sentences, by its neighbouring pieces, by its ending.
fn in_pieces(catalogue: &Catalogue, text: &str, depth: u8) -> Option<String> {
    let sentences = sentences(text);
    if sentences.len() > 1
        && let Some(parts) = all(catalogue, sentences.into_iter(), depth)
    {
        return Some(parts.join(" "));
    }
    for joint in JOINTS {
        if let Some((before, last)) = text.rsplit_once(&format!(" {joint} "))
            && let Some(word) = catalogue.whole(joint)
            && let Some(parts) = all(catalogue, [before, last].into_iter(), depth)
        {
            return Some(parts.join(&format!(" {word} ")));
        }
    }
    for between in BETWEEN.iter().filter(|between| text.contains(**between)) {
        if let Some(parts) = all(catalogue, text.split(*between), depth) {
            return Some(parts.join(between));
        }
    }
    let core = text.trim_matches([
        ',', ':', '.', ';', ' ', '(', ')', '“', '”', '…', '·', '+', '→', '↑', '↓',
    ]);
    let is_cut = !core.is_empty() && core.len() < text.len();
    let found = is_cut.then(|| translate_text(catalogue, core, depth + 1)).flatten()?;
    Some(text.replacen(core, &found, 1))
}

/// Each of several texts; `None` where one is not known.
fn all<'t>(catalogue: &Catalogue, texts: impl Iterator<Item = &'t str>, depth: u8) -> Option<Vec<String>> {
    let each = texts.map(|text| match text.trim().is_empty() {
        true => Some(text.to_owned()),
        false => translate_text(catalogue, text, depth + 1),
    });
    each.collect()
}

/// Cuts a text behind each full stop that a space follows.
fn sentences(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(". ").or_else(|| rest.find("? ")) {
        out.push(&rest[..=at]);
        rest = &rest[at + 2..];
    }
    out.push(rest);
    out
}

/// A text of numbers alone, with the language's marks in those that have thousands.
fn numbers(catalogue: &Catalogue, text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let bare = word.trim_end_matches([',', '.', '%', '+']);
        let has_thousands = bare.split(',').skip(1).all(|part| part.len() == 3) && bare.contains(',');
        let is_fraction = bare.split('.').count() == 2 && !bare.contains(':');
        let digits = bare
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b',' || byte == b'.');
        match digits && (has_thousands || is_fraction) {
            true => format!(
                "{}{}",
                catalogue.number(bare),
                word.get(bare.len()..).unwrap_or_default()
            ),
            false => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn stand_in(place: usize) -> String {
    let code = FIRST_TIME + u32::try_from(place).unwrap_or(0).min(BEHIND - FIRST_TIME - 1);
    char::from_u32(code).map(String::from).unwrap_or_default()
}

fn with_times(text: &str, times: &[String]) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        let place = u32::from(letter)
            .checked_sub(FIRST_TIME)
            .filter(|_| u32::from(letter) < BEHIND);
        match place.and_then(|place| times.get(place as usize)) {
            Some(said) => out.push_str(said),
            // A sentence that ends with an abbreviation has one full stop.
            None if letter == '.' && out.ends_with('.') && !text.contains("..") => {}
            None => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sentences_are_said_apart_and_one_that_is_known_swallows_no_other() {
        let pairs = [
            ("Asked as {role}.", "Gefragt als {role}."),
            ("The rule says so.", "Die Regel sagt es."),
        ];
        let catalogue = Catalogue::english(&pairs).ok();
        let say = |text: &str| catalogue.as_ref().and_then(|it| plain(it, text));
        assert_eq!(
            say("Asked as owner. The rule says so.").as_deref(),
            Some("Gefragt als owner. Die Regel sagt es.")
        );
        // An unknown text may be a user's, which a part carries over.
        assert_eq!(
            say("Asked as one. Two three.").as_deref(),
            Some("Gefragt als one. Two three.")
        );
    }

    #[test]
    fn what_stands_side_by_side_is_said_apart_before_a_pattern_reaches_over_it() {
        let pairs = [
            ("{who} waits for {whom}", "{who} wartet auf {whom}"),
            ("Nothing waits for your decision", "Niemand wartet auf Sie"),
            ("{reason} (rule {rule}).", "{reason|t} (Regel {rule})."),
            ("An owner agrees.", "Verantwortliche stimmen zu."),
        ];
        let catalogue = Catalogue::english(&pairs).ok();
        let say = |text: &str| catalogue.as_ref().and_then(|it| plain(it, text));
        assert_eq!(
            say("Nothing waits for your decision · Assent").as_deref(),
            Some("Niemand wartet auf Sie · Assent")
        );
        assert_eq!(
            say("An owner agrees (rule `base.x`).").as_deref(),
            Some("Verantwortliche stimmen zu (Regel `base.x`).")
        );
    }

    #[test]
    fn a_sentence_that_ends_with_an_abbreviation_has_one_full_stop() {
        let german = crate::language::find("de").map(|language| language.text("1,221 entries, sealed 3 min ago."));
        assert_eq!(german.as_deref(), Some("1.221 Einträge, vor 3 Min. versiegelt."));
        let german = crate::language::find("de")
            .map(|language| language.text("Its planned end, Sat 21 Nov, has passed. Your decision."));
        assert_eq!(
            german.as_deref(),
            Some("Sein geplantes Ende, Sa., 21. Nov., ist verstrichen. Ihre Entscheidung.")
        );
        let open = Catalogue::english(&[("It ended {@when}.", "Es endete {when}.")]).ok();
        assert_eq!(
            open.and_then(|it| plain(&it, "It ended 3 min ago.")).as_deref(),
            Some("Es endete 3 min ago.")
        );
    }
}
