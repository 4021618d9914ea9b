//! Texts and times for people, made from enumerated values and the sentences of the rules.

use jiff::Timestamp;
use jiff::civil::Date;
use model::core::enums::{Kind, Level, State};
use model::directory::snapshot::Directory;
use pages::elements::text;
use pages::{Reader, Rich};

use crate::web::shared::labels::in_labels;

/// The readable form of an enumerated value: `rolled_back` is “rolled back”.
pub(crate) fn plain(word: &str) -> String {
    word.replace('_', " ")
}

/// The same with a capital.
pub(crate) fn capital(word: &str) -> String {
    text::capital(&plain(word))
}

/// The display name of an unmet condition's holder: a login, or `group:key`.
pub(crate) fn waits_on(directory: &Directory, who: &str) -> String {
    match who.strip_prefix("group:") {
        Some(group) => format!("the group {group}"),
        None => directory
            .by_login(who)
            .map_or_else(|| who.to_owned(), |person| person.shown_name()),
    }
}

/// A state as pages draw it.
pub(crate) fn state(state: State) -> pages::State {
    pages::State::from_word(state.as_str()).unwrap_or_default()
}

/// A kind as pages draw it.
pub(crate) fn kind(kind: Kind) -> pages::Kind {
    pages::Kind::from_word(kind.as_str()).unwrap_or_default()
}

/// A risk level as pages draw it; `none` is drawn as low.
pub(crate) fn risk(level: Level) -> pages::Risk {
    pages::Risk::from_word(level.as_str()).unwrap_or_default()
}

/// Replaces each time of the rules' texts (RFC 3339, a day alone, or a day with its hour in UTC) by the same time on the
/// reader's clock.
pub(crate) fn with_times(text: &str, reader: &Reader) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut words = text.split(' ').peekable();
    // Text in backticks was typed by people, and text behind “such as” is an example of input: neither is a time of ours.
    let mut is_quoted = false;
    while let Some(word) = words.next() {
        let is_as_it_is = is_quoted || out.ends_with(&["such".to_owned(), "as".to_owned()]);
        is_quoted ^= !word.matches('`').count().is_multiple_of(2);
        if is_as_it_is {
            out.push(word.to_owned());
            continue;
        }
        let hour = words.peek().and_then(|next| hour_of(word, next));
        let (told, end) = match hour {
            Some((at, end)) => {
                words.next();
                (Some(reader.moment(at)), end)
            }
            None => {
                let bare = word.trim_start_matches('(').trim_end_matches(ENDS);
                let (begin, end) = word.split_once(bare).unwrap_or_default();
                (one_time(bare, reader).map(|told| format!("{begin}{told}")), end)
            }
        };
        out.push(told.map_or_else(|| word.to_owned(), |told| format!("{told}{end}")));
    }
    out.join(" ")
}

/// Characters that may follow a time.
const ENDS: [char; 5] = ['.', ',', ';', ':', ')'];

/// A time or a day in one part.
fn one_time(bare: &str, reader: &Reader) -> Option<String> {
    if !bare.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    match bare.len() {
        10 => bare.parse::<Date>().ok().map(|day| reader.date(day)),
        20.. if bare.ends_with('Z') => bare.parse::<Timestamp>().ok().map(|at| reader.moment(at)),
        _ => None,
    }
}

/// A time in two parts, `2026-11-21 08:00Z`, with the characters behind it.
fn hour_of<'t>(day: &str, hour: &'t str) -> Option<(Timestamp, &'t str)> {
    let bare = hour.trim_end_matches(ENDS);
    let time = bare
        .strip_suffix('Z')
        .filter(|time| day.len() == 10 && time.len() == 5)?;
    let at = format!("{day}T{time}:00Z").parse().ok()?;
    Some((at, &hour[bare.len()..]))
}

/// A sentence of the rules for the reader: times by their clock, text in backticks and digests as code, a capital at its
/// beginning.
pub(crate) fn sentence(text: &str, reader: &Reader) -> Rich {
    let text = text::capital(&with_times(&in_labels(text), reader));
    let mut rich = Rich::new();
    for (place, part) in text.split('`').enumerate() {
        if place % 2 == 1 {
            rich = rich.code(part);
            continue;
        }
        for word in part.split_inclusive(' ') {
            rich = match word.starts_with("sha256:") {
                true => {
                    let digest = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
                    rich.digest(digest).text(&word[digest.len()..])
                }
                false => rich.text(word),
            };
        }
    }
    rich
}

/// Several texts in a sentence: `a, b and c`.
pub(crate) fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Several names in a sentence, each marked as not translatable.
pub(crate) fn names(names: &[String]) -> Rich {
    Rich::new().names(names, "and")
}

/// A long text of a person within a sentence or a notice of ours: as plain text, without its Markdown.
pub(crate) fn free(text: &str) -> Rich {
    Rich::new().said(text::plain_text(text))
}

/// The beginning of a long text in Markdown.
pub(crate) fn beginning_of_prose(text: &str, most: usize) -> String {
    beginning(&text::plain_text(text), most)
}

/// The beginning of a text.
pub(crate) fn beginning(text: &str, most: usize) -> String {
    let line = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default()
        .trim();
    if line.chars().count() <= most {
        return line.to_owned();
    }
    let cut: String = line.chars().take(most).collect();
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_sentences_are_written_for_the_reader() {
        let now = Timestamp::UNIX_EPOCH;
        let reader = Reader::named("Europe/Oslo", now);
        assert_eq!(
            with_times("It ends at 1970-01-01T10:00:00Z.", &reader),
            "It ends at today 11:00."
        );
        assert_eq!(with_times("Nothing here, 12 h.", &reader), "Nothing here, 12 h.");
        assert_eq!(
            with_times(
                "owner of x since 1969-03-01, deputy until 1970-01-04 10:00Z: so",
                &reader
            ),
            "owner of x since Sat 1 Mar 1969, deputy until Sun 4 Jan 11:00: so"
        );
        assert_eq!(
            with_times("`ends_at` (1970-01-01T10:00:00Z) must lie after it", &reader),
            "`ends_at` (today 11:00) must lie after it"
        );
        assert_eq!(with_times("CHG-1 2026-11-2x 08:00", &reader), "CHG-1 2026-11-2x 08:00");
    }

    #[test]
    fn what_was_typed_and_what_a_form_takes_stay_as_they_are() {
        let reader = Reader::named("Europe/Oslo", Timestamp::UNIX_EPOCH);
        for text in [
            "`25.12.` is not a date such as 2026-12-25.",
            "`from 2026-12-25 on` is not a date such as 2026-12-25.",
            "`x` must be a time such as 2026-11-21T22:00:00Z.",
        ] {
            assert_eq!(with_times(text, &reader), text);
        }
        assert_eq!(
            with_times("`a` ends 2026-12-25, such as it is.", &reader),
            "`a` ends Fri 25 Dec 2026, such as it is."
        );
    }

    #[test]
    fn rules_and_digests_in_sentences_are_code() {
        let reader = Reader::named("UTC", Timestamp::UNIX_EPOCH);
        let digest = format!("sha256:{}", "ab".repeat(32));
        let rich = sentence(&format!("the rule `base.x` asks for {digest}, now."), &reader);
        assert_eq!(rich.plain(), "The rule base.x asks for sha256:abab…bab, now.");
    }

    #[test]
    fn words_are_joined_and_cut() {
        let words = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        assert_eq!(and(&words), "a, b and c");
        assert_eq!(beginning("\nabcdef\nx", 3), "abc…");
        assert_eq!(capital("rolled_back"), "Rolled back");
        assert_eq!(beginning_of_prose("**ab**\ncdef", 4), "ab c…");
        assert_eq!(free("see [it](https://example.org)").plain(), "see it");
    }
}
