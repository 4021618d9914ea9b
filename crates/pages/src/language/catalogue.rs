//! A language's file: its messages, found by the English text, and how it writes times.
//!
//! A message with parts is a pattern: `{name}` matches anything, `{#name}` a number, `{@name}` a time. Its translation names
//! the parts in any order; `{name|t}` translates a part too, `{name|one:Tag|other:Tage}` writes the form that the number needs,
//! by the categories of CLDR (<https://cldr.unicode.org/index/cldr-spec/plural-rules>).

use std::collections::HashMap;

use super::stand_ins::{is_row, is_stand_in, is_when};
use super::times::Times;

/// A pattern with fewer letters of its own than this is too vague to match a long text.
const LOOSE: usize = 7;
/// The longest text that such a pattern matches.
const SHORT: usize = 48;

/// All texts of a language.
#[derive(Debug)]
pub(super) struct Catalogue {
    keys: Vec<String>,
    /// Texts without parts.
    whole: HashMap<String, String>,
    /// Texts with parts, those with the longest fixed text first.
    patterns: Vec<Pattern>,
    /// The places of the patterns that begin with a letter of their own, by that letter.
    by_first: HashMap<char, Vec<usize>>,
    /// The places of those that begin with a part.
    open: Vec<usize>,
    /// How it writes times.
    pub(super) times: Times,
    plural: Plural,
    /// The separators of thousands and of fractions.
    marks: (char, char),
}

/// The rule by which a number chooses its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plural {
    /// One form for all.
    None,
    /// One, and the rest: German, English, Spanish, Italian, Dutch, the Nordic languages.
    One,
    /// Nought and one, and the rest: French.
    ZeroOne,
    /// Polish.
    Polish,
    /// Czech and Slovak.
    Czech,
    /// Russian and Ukrainian.
    Russian,
}

/// A text with parts.
#[derive(Debug)]
struct Pattern {
    key: String,
    said: String,
    /// The fixed texts before, between and behind the parts; one more than there are parts.
    fixed: Vec<String>,
    parts: Vec<Part>,
    says: Vec<Piece>,
    weight: usize,
}

#[derive(Debug)]
struct Part {
    name: String,
    kind: Holds,
}

/// How far a part of a pattern may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// To the end of its sentence.
    Sentence,
    /// As far as the pattern lets it.
    Anywhere,
}

/// The content that a part may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Anything,
    Number,
    Time,
}

impl Holds {
    fn fits(self, words: &str) -> bool {
        match self {
            Self::Anything => !words.is_empty(),
            Self::Number => is_number(words),
            Self::Time => is_time(words),
        }
    }
}

/// A piece of a pattern's translation.
#[derive(Debug)]
enum Piece {
    Words(String),
    /// A part as it is.
    Part(usize),
    /// A part, put into the language too.
    Translated(usize),
    /// The form for a number: category and text.
    Plural(usize, Vec<(String, String)>),
}

impl Catalogue {
    /// Reads a language's file.
    ///
    /// # Errors
    /// The errors in it, as text.
    pub(super) fn read(file: &str) -> Result<Self, String> {
        let table: toml::Table = file.parse().map_err(|error| format!("{error}"))?;
        let text = |name: &str| table.get(name).and_then(toml::Value::as_str).unwrap_or_default();
        let mark = |name: &str| text(name).chars().next().ok_or(format!("`{name}` is absent"));
        let plural = Plural::read(text("plural")).ok_or("`plural` names no rule that there is")?;
        let times = table
            .get("times")
            .and_then(toml::Value::as_table)
            .ok_or("`[times]` is absent")?;
        let messages = table.get("messages").and_then(toml::Value::as_table);
        let messages = messages.ok_or("`[messages]` is absent")?;
        let pairs = messages.iter().map(|(key, value)| {
            let said = value.as_str().ok_or(format!("`{key}` is no text"))?;
            Ok((key.as_str(), said))
        });
        let pairs: Vec<(&str, &str)> = pairs.collect::<Result<_, String>>()?;
        Self::of(
            &pairs,
            Times::read(times)?,
            plural,
            (mark("thousands")?, mark("decimal")?),
        )
    }

    /// A catalogue that writes times and numbers as English does.
    pub(super) fn english(pairs: &[(&str, &str)]) -> Result<Self, String> {
        Self::of(pairs, Times::english(), Plural::One, (',', '.'))
    }

    fn of(pairs: &[(&str, &str)], times: Times, plural: Plural, marks: (char, char)) -> Result<Self, String> {
        let mut patterns = Vec::new();
        let mut whole = HashMap::new();
        for (key, said) in pairs.iter().filter(|(_, said)| !said.is_empty()) {
            if key.contains('{') {
                patterns.push(Pattern::read(key, said).map_err(|error| format!("`{key}`: {error}"))?);
            } else {
                whole.insert((*key).to_owned(), (*said).to_owned());
            }
        }
        patterns.sort_by_key(|pattern| std::cmp::Reverse(pattern.weight));
        let (mut by_first, mut open) = (HashMap::<char, Vec<usize>>::new(), Vec::new());
        for (place, pattern) in patterns.iter().enumerate() {
            match pattern.fixed.first().and_then(|words| words.chars().next()) {
                Some(letter) => by_first.entry(letter).or_default().push(place),
                None => open.push(place),
            }
        }
        Ok(Self {
            keys: pairs.iter().map(|(key, _)| (*key).to_owned()).collect(),
            whole,
            patterns,
            by_first,
            open,
            times,
            plural,
            marks,
        })
    }

    /// The translation of a message as the file has it, places and all.
    pub(super) fn raw(&self, key: &str) -> Option<String> {
        self.patterns
            .iter()
            .find(|pattern| pattern.key == key)
            .map(|pattern| pattern.said.clone())
    }

    pub(super) fn keys(&self) -> Vec<&str> {
        self.keys.iter().map(String::as_str).collect()
    }

    /// The translation of a text without parts.
    pub(super) fn whole(&self, text: &str) -> Option<&str> {
        self.whole.get(text).map(String::as_str)
    }

    /// The translation of a text that a pattern fits; `again` puts a part into the language too. Unless `reach` allows it, no
    /// part contains the end of a sentence, because the rest is then a text of its own.
    pub(super) fn fitting(&self, text: &str, reach: Reach, again: &mut dyn FnMut(&str) -> String) -> Option<String> {
        let first = text.chars().next()?;
        let none = Vec::new();
        let (mut own, mut open) = (
            self.by_first.get(&first).unwrap_or(&none).iter().copied().peekable(),
            self.open.iter().copied().peekable(),
        );
        // Both lists are sorted by weight, which is the order of the places.
        loop {
            let place = match (own.peek(), open.peek()) {
                (Some(one), Some(other)) if one < other => own.next()?,
                (_, Some(_)) => open.next()?,
                (Some(_), None) => own.next()?,
                (None, None) => return None,
            };
            let pattern = self.patterns.get(place)?;
            if let Some(parts) = pattern.parts_of(text, reach) {
                return Some(self.write(pattern, &parts, again));
            }
        }
    }

    fn write(&self, pattern: &Pattern, parts: &[&str], again: &mut dyn FnMut(&str) -> String) -> String {
        let mut out = String::new();
        for said in &pattern.says {
            match said {
                Piece::Words(words) => out.push_str(words),
                Piece::Part(place) if pattern.parts.get(*place).is_some_and(|part| part.kind == Holds::Number) => {
                    out.push_str(&self.number(parts.get(*place).unwrap_or(&"")));
                }
                // One kind of time is a plain term of the catalogue; every other time stays unchanged.
                Piece::Part(place) if pattern.parts.get(*place).is_some_and(|part| part.kind == Holds::Time) => {
                    let time = parts.get(*place).unwrap_or(&"");
                    out.push_str(self.whole(time).unwrap_or(time));
                }
                Piece::Part(place) if parts.get(*place).is_some_and(|part| is_row(part) || is_label(part)) => {
                    out.push_str(&again(parts.get(*place).unwrap_or(&"")));
                }
                Piece::Part(place) => out.push_str(parts.get(*place).unwrap_or(&"")),
                Piece::Translated(place) => out.push_str(&again(parts.get(*place).unwrap_or(&""))),
                Piece::Plural(place, words) => {
                    let category = self.plural.category(parts.get(*place).unwrap_or(&""));
                    let fits = words.iter().find(|(name, _)| name == category).or(words.last());
                    out.push_str(fits.map_or("", |(_, word)| word));
                }
            }
        }
        out
    }

    /// A number with this language's marks.
    pub(super) fn number(&self, english: &str) -> String {
        let marks = english.chars().map(|c| match c {
            ',' => self.marks.0,
            '.' => self.marks.1,
            other => other,
        });
        marks.collect()
    }
}

impl Plural {
    fn read(name: &str) -> Option<Self> {
        Some(match name {
            "none" => Self::None,
            "one" => Self::One,
            "zero-one" => Self::ZeroOne,
            "polish" => Self::Polish,
            "czech" => Self::Czech,
            "russian" => Self::Russian,
            _ => return None,
        })
    }

    /// The category of a number as English writes it; a text that is no number is other.
    fn category(self, number: &str) -> &'static str {
        let Ok(number) = number.replace(',', "").parse::<u64>() else {
            return "other";
        };
        let (tens, ones) = (number % 100, number % 10);
        let is_few = (2..=4).contains(&ones) && !(12..=14).contains(&tens);
        match (self, number) {
            (Self::One | Self::ZeroOne | Self::Polish | Self::Czech, 1) | (Self::ZeroOne, 0) => "one",
            (Self::Czech, 2..=4) => "few",
            (Self::Russian, _) if ones == 1 && tens != 11 => "one",
            (Self::Polish | Self::Russian, _) if is_few => "few",
            (Self::Polish | Self::Russian, _) => "many",
            _ => "other",
        }
    }
}

/// Cuts a text at its places: the fixed texts between them, and the content of each.
fn cut(text: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let (mut fixed, mut places) = (vec![String::new()], Vec::new());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        let (place, after) = behind.split_once('}').ok_or("a place is not closed")?;
        if let Some(last) = fixed.last_mut() {
            last.push_str(before);
        }
        fixed.push(String::new());
        places.push(place.to_owned());
        rest = after;
    }
    if let Some(last) = fixed.last_mut() {
        last.push_str(rest);
    }
    Ok((fixed, places))
}

/// Whether a text is made of times alone: those that were written in the language already, and times of day.
fn is_time(text: &str) -> bool {
    let is_clock = |word: &str| {
        let clock = ["\u{a0}am", "\u{a0}pm"].iter().find_map(|half| word.strip_suffix(half));
        let is_long = if clock.is_some() { 4..=5 } else { 5..=5 };
        let clock = clock.unwrap_or(word);
        is_long.contains(&clock.len()) && clock.contains(':') && !clock.contains(char::is_alphabetic)
    };
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    // A time may be in an element of its own, which has the form for paper.
    let stands_in = |letter: char| is_stand_in(letter) || is_when(letter);
    let are_times = |word: &str| word.chars().all(stands_in) || is_clock(word) || word == "now";
    !text.trim().is_empty() && words.into_iter().all(are_times)
}

/// Whether a text is one of this crate's labels in quotation marks, as errors name a field by its label.
fn is_label(text: &str) -> bool {
    let inner = text.strip_prefix('“').and_then(|text| text.strip_suffix('”'));
    inner.is_some_and(|inner| !inner.contains(['“', '”']))
}

/// Whether a sentence ends within a text and another begins; text in quotation marks belongs to a user.
fn holds_an_end(text: &str) -> bool {
    let mut depth = 0_u32;
    let mut before = ' ';
    for letter in text.chars() {
        match letter {
            '“' => depth += 1,
            '”' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 && matches!(before, '.' | '?') => return true,
            _ => {}
        }
        before = letter;
    }
    false
}

/// Whether a text is a number as English writes it: digits, with commas between thousands and one point.
fn is_number(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(fraction) && whole.split(',').all(digits)
}

impl Pattern {
    fn read(key: &str, said: &str) -> Result<Self, String> {
        let (fixed, places) = cut(key)?;
        let part = |place: &String| Part {
            name: place.trim_start_matches(['#', '@']).to_owned(),
            kind: match place.chars().next() {
                Some('#') => Holds::Number,
                Some('@') => Holds::Time,
                _ => Holds::Anything,
            },
        };
        let parts: Vec<Part> = places.iter().map(part).collect();
        let inner = fixed.get(1..fixed.len() - 1).unwrap_or_default();
        if inner.iter().any(String::is_empty) {
            return Err("two places touch, so nobody knows where one ends".to_owned());
        }
        let (words, named) = cut(said)?;
        let mut says = Vec::new();
        for (place, text) in words.into_iter().enumerate() {
            says.push(Piece::Words(text));
            if let Some(named) = named.get(place) {
                says.push(Piece::read(named, &parts)?);
            }
        }
        let weight = fixed.iter().map(String::len).sum();
        Ok(Self {
            key: key.to_owned(),
            said: said.to_owned(),
            fixed,
            parts,
            says,
            weight,
        })
    }

    /// The content of the places of a text, where it fits.
    fn parts_of<'t>(&self, text: &'t str, reach: Reach) -> Option<Vec<&'t str>> {
        let (first, last) = (self.fixed.first()?, self.fixed.last()?);
        let inner = text.strip_prefix(first.as_str())?.strip_suffix(last.as_str())?;
        let mut found = Vec::with_capacity(self.parts.len());
        let between = self.fixed.get(1..self.fixed.len() - 1)?;
        self.fill(inner, between, reach, &mut found).then_some(found)
    }

    fn fill<'t>(&self, text: &'t str, between: &[String], reach: Reach, found: &mut Vec<&'t str>) -> bool {
        let Some(part) = self.parts.get(found.len()) else {
            return false;
        };
        let fits = |words: &str| {
            let is_short = words.len() <= SHORT && !words.contains(". ");
            let is_within = reach == Reach::Anywhere || !holds_an_end(words);
            part.kind.fits(words) && is_within && (self.weight >= LOOSE || is_short)
        };
        let Some((next, rest)) = between.split_first() else {
            if fits(text) {
                found.push(text);
            }
            return fits(text);
        };
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|ahead| ahead.find(next.as_str())) {
            let (words, behind) = (&text[..from + at], &text[from + at + next.len()..]);
            if fits(words) {
                found.push(words);
                if self.fill(behind, rest, reach, found) {
                    return true;
                }
                found.pop();
            }
            from += at + next.len();
        }
        false
    }
}

impl Piece {
    fn read(place: &str, parts: &[Part]) -> Result<Self, String> {
        let mut options = place.split('|');
        let name = options.next().unwrap_or_default().trim_start_matches(['#', '@']);
        let at = parts.iter().position(|part| part.name == name);
        let at = at.ok_or(format!("the translation names `{name}`, which the text has not"))?;
        let options: Vec<&str> = options.collect();
        if options == ["t"] {
            return Ok(Self::Translated(at));
        }
        let word = |option: &&str| {
            let (category, word) = option.split_once(':').ok_or(format!("`{option}` names no category"))?;
            Ok((category.to_owned(), word.to_owned()))
        };
        match options.is_empty() {
            true => Ok(Self::Part(at)),
            false => Ok(Self::Plural(
                at,
                options.iter().map(word).collect::<Result<_, String>>()?,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
    use super::*;

    fn german(pairs: &[(&str, &str)]) -> Catalogue {
        Catalogue::of(pairs, Times::english(), Plural::One, ('.', ',')).unwrap()
    }

    fn say(catalogue: &Catalogue, text: &str) -> Option<String> {
        let mut again = |part: &str| catalogue.whole(part).unwrap_or(part).to_owned();
        catalogue.fitting(text, Reach::Sentence, &mut again)
    }

    #[test]
    fn a_label_in_quotation_marks_is_put_into_the_language_and_a_name_is_not() {
        let catalogue = german(&[
            ("{field} must lie ahead.", "{field} muss in der Zukunft liegen."),
            ("“End”", "„Ende“"),
            ("End", "Ende"),
        ]);
        assert_eq!(
            say(&catalogue, "“End” must lie ahead.").unwrap(),
            "„Ende“ muss in der Zukunft liegen."
        );
        assert_eq!(
            say(&catalogue, "End must lie ahead.").unwrap(),
            "End muss in der Zukunft liegen."
        );
    }

    #[test]
    fn the_pattern_with_the_most_words_wins_and_its_parts_may_change_places() {
        let catalogue = german(&[
            ("{who} approved", "{who} hat genehmigt"),
            ("{who} of {team} approved", "Für {team} hat {who} genehmigt"),
            ("{#n} of {#all} approvals", "{n} von {all} Genehmigungen"),
        ]);
        assert_eq!(
            say(&catalogue, "Ada of Finance approved").unwrap(),
            "Für Finance hat Ada genehmigt"
        );
        assert_eq!(say(&catalogue, "Ada approved").unwrap(), "Ada hat genehmigt");
        assert_eq!(
            say(&catalogue, "1,200 of 3,000 approvals").unwrap(),
            "1.200 von 3.000 Genehmigungen"
        );
        assert_eq!(say(&catalogue, "some of all approvals"), None);
        assert_eq!(say(&catalogue, " approved"), None);
    }

    #[test]
    fn a_number_chooses_its_word_by_the_language() {
        let catalogue = german(&[
            ("{#n} new", "{n} {n|one:neue|other:neue}"),
            ("{#n} left", "noch {n|one:eine|other:mehrere}"),
        ]);
        assert_eq!(say(&catalogue, "1 left").unwrap(), "noch eine");
        assert_eq!(say(&catalogue, "2 left").unwrap(), "noch mehrere");
        let polish: Vec<&str> = ["1", "3", "5", "12", "22", "0"]
            .map(|it| Plural::Polish.category(it))
            .to_vec();
        assert_eq!(polish, ["one", "few", "many", "many", "few", "many"]);
        assert_eq!(Plural::Russian.category("21"), "one");
        assert_eq!(Plural::Czech.category("4"), "few");
        assert_eq!(Plural::ZeroOne.category("0"), "one");
        assert_eq!(Plural::None.category("1"), "other");
    }

    #[test]
    fn a_part_is_put_into_the_language_where_the_translation_says_so() {
        let catalogue = german(&[("Five", "Fünf"), ("{count} changes", "{count|t} Changes")]);
        assert_eq!(say(&catalogue, "Five changes").unwrap(), "Fünf Changes");
    }

    #[test]
    fn a_moment_that_is_a_word_is_said_in_the_language() {
        let catalogue = german(&[
            ("{who} approved, {@when}", "{who} genehmigte, {when}"),
            ("now", "jetzt"),
        ]);
        let told = say(&catalogue, "Ada approved, now");
        assert_eq!(told.as_deref(), Some("Ada genehmigte, jetzt"));
        let told = say(&catalogue, "Ada approved, 11:00");
        assert_eq!(told.as_deref(), Some("Ada genehmigte, 11:00"));
    }

    #[test]
    fn a_part_ends_with_its_sentence_unless_it_may_reach_further() {
        let catalogue = german(&[("Asked as {role}", "Gefragt als {role}")]);
        let mut same = |part: &str| part.to_owned();
        let two = "Asked as owner. The rule says so";
        assert_eq!(catalogue.fitting(two, Reach::Sentence, &mut same), None);
        let far = catalogue.fitting(two, Reach::Anywhere, &mut same);
        assert_eq!(far.as_deref(), Some("Gefragt als owner. The rule says so"));
        let quoted = catalogue.fitting("Asked as “Who? Me. Yes.”", Reach::Sentence, &mut same);
        assert_eq!(quoted.as_deref(), Some("Gefragt als “Who? Me. Yes.”"));
    }

    #[test]
    fn a_file_that_says_nonsense_is_refused_with_the_message() {
        let broken = |pair| Catalogue::of(&[pair], Times::english(), Plural::One, ('.', ',')).unwrap_err();
        assert!(broken(("{a}{b}", "x")).contains("touch"));
        assert!(broken(("{a} b", "{c}")).contains("`c`"));
        assert!(broken(("{a b", "x")).contains("not closed"));
        assert!(Catalogue::read("plural = \"klingon\"").unwrap_err().contains("plural"));
    }
}
