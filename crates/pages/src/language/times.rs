//! Days, moments and lengths of time, as [`crate::Reader`] writes them in English, in another language.

use std::fmt::Write;

use crate::elements::text::capital;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const LONG_DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const LONG_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const NEAR: [&str; 3] = ["today", "yesterday", "tomorrow"];
/// The units of a length; one and many of it.
const UNITS: [(&str, &str); 9] = [
    ("s", "s"),
    ("min", "min"),
    ("h", "h"),
    ("second", "seconds"),
    ("minute", "minutes"),
    ("hour", "hours"),
    ("day", "days"),
    ("week", "weeks"),
    ("month", "months"),
];

/// How a language writes times.
#[derive(Debug)]
pub(super) struct Times {
    days: Vec<String>,
    long_days: Vec<String>,
    months: Vec<String>,
    long_months: Vec<String>,
    near: Vec<String>,
    /// `{day} {date}`, `{date} {time}`, and so on.
    shapes: Shapes,
    /// Of each unit: one, many, and both behind “in” or before “ago”.
    units: Vec<Vec<String>>,
}

#[derive(Debug)]
struct Shapes {
    /// A number of a month and the month: `{d} {month}`.
    date: String,
    /// The same with the day's name before it.
    named: String,
    /// A day and a time of day.
    moment: String,
    /// Today and a time of day.
    near_moment: String,
    /// From and to.
    span: String,
    /// A time ahead and one that is past.
    ahead: String,
    past: String,
}

/// The tokens of a text, each with its separator from the next.
struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    /// A token without the marks at its end, and whether it has any; only a phrase's last token may.
    fn at(&self, place: usize) -> Option<(&'a str, bool)> {
        let word = *self.0.get(place)?;
        let bare = word.trim_end_matches(['.', ',', ';', ':', ')', '?', '!']);
        Some((bare, bare.len() < word.len()))
    }
}

/// A phrase: the number of its tokens, and its translation.
type Phrase = Option<(usize, String)>;

impl Times {
    /// As English writes them.
    pub(super) fn english() -> Self {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        Self {
            days: owned(&DAYS),
            long_days: owned(&LONG_DAYS),
            months: owned(&MONTHS),
            long_months: owned(&LONG_MONTHS),
            near: owned(&NEAR),
            shapes: Shapes {
                date: "{d} {month}".to_owned(),
                named: "{day} {date}".to_owned(),
                moment: "{date} {time}".to_owned(),
                near_moment: "{date} {time}".to_owned(),
                span: "{from} to {to}".to_owned(),
                ahead: "in {length}".to_owned(),
                past: "{length} ago".to_owned(),
            },
            units: UNITS.iter().map(|(one, many)| owned(&[one, many, one, many])).collect(),
        }
    }

    /// Reads `[times]` of a language's file.
    pub(super) fn read(table: &toml::Table) -> Result<Self, String> {
        let text = |name: &str| {
            let found = table.get(name).and_then(toml::Value::as_str);
            found.map(str::to_owned).ok_or(format!("`times.{name}` is absent"))
        };
        let texts = |name: &str, count: usize| {
            let found = table.get(name).and_then(toml::Value::as_array);
            let found = found.map(|list| list.iter().filter_map(toml::Value::as_str).map(str::to_owned).collect());
            found
                .filter(|list: &Vec<String>| list.len() == count)
                .ok_or(format!("`times.{name}` has not {count} words"))
        };
        Ok(Self {
            days: texts("days", 7)?,
            long_days: texts("long_days", 7)?,
            months: texts("months", 12)?,
            long_months: texts("long_months", 12)?,
            near: texts("near", 3)?,
            shapes: Shapes {
                date: text("date")?,
                named: text("named")?,
                moment: text("moment")?,
                near_moment: text("near_moment")?,
                span: text("span")?,
                ahead: text("ahead")?,
                past: text("past")?,
            },
            units: UNITS.iter().map(|(one, _)| texts(one, 4)).collect::<Result<_, _>>()?,
        })
    }

    /// Replaces each time in a text by the result of `put`; returns whether there was one.
    pub(super) fn replace(&self, text: &str, mut put: impl FnMut(String) -> String) -> Option<String> {
        let words = Words(text.split(' ').collect());
        let (mut out, mut place, mut found) = (String::with_capacity(text.len()), 0, false);
        while let Some(word) = words.0.get(place) {
            if place > 0 {
                out.push(' ');
            }
            match self.phrase(&words, place) {
                Some((count, said)) => {
                    let last = words.0.get(place + count - 1).copied().unwrap_or_default();
                    let (bare, _) = words.at(place + count - 1).unwrap_or_default();
                    let marks = last.get(bare.len()..).unwrap_or_default();
                    out.push_str(&put(said));
                    out.push_str(marks);
                    place += count;
                    found = true;
                }
                None => {
                    out.push_str(word);
                    place += 1;
                }
            }
        }
        found.then_some(out)
    }

    /// The longest time that begins at a token.
    fn phrase(&self, words: &Words<'_>, at: usize) -> Phrase {
        let (first, first_said) = self.one(words, at)?;
        let joins = words.at(at + first) == Some(("to", false)) && !words.at(at + first - 1)?.1;
        match self.one(words, at + first + 1).filter(|_| joins) {
            Some((second, second_said)) => {
                let said = self
                    .shapes
                    .span
                    .replace("{from}", &first_said)
                    .replace("{to}", &second_said);
                Some((first + 1 + second, said))
            }
            // A time of day alone reads alike everywhere.
            None if is_clock(words.at(at)?.0) => None,
            None => Some((first, first_said)),
        }
    }

    fn one(&self, words: &Words<'_>, at: usize) -> Phrase {
        self.distance(words, at).or_else(|| self.moment(words, at))
    }

    fn moment(&self, words: &Words<'_>, at: usize) -> Phrase {
        let (bare, ends) = words.at(at)?;
        if is_clock(bare) {
            return Some((1, bare.to_owned()));
        }
        let (count, said, is_near) = match NEAR.iter().position(|word| *word == bare.to_lowercase()) {
            Some(place) => (1, self.near.get(place)?.clone(), true),
            None => {
                let (count, said) = self.date(words, at)?;
                (count, said, false)
            }
        };
        let ends = ends && count == 1 || words.at(at + count - 1)?.1;
        let said = if bare == "Today" || bare == "Tomorrow" || bare == "Yesterday" {
            capital(&said)
        } else {
            said
        };
        match words.at(at + count).filter(|(clock, _)| !ends && is_clock(clock)) {
            Some((clock, _)) => {
                let shape = if is_near {
                    &self.shapes.near_moment
                } else {
                    &self.shapes.moment
                };
                Some((count + 1, shape.replace("{date}", &said).replace("{time}", clock)))
            }
            None => Some((count, said)),
        }
    }

    /// `Sat 21 Nov`, `Sat 21 Nov 2026`, `Saturday 21 November 2026`, `21 November`, `November 2026`, `Sat 21`.
    fn date(&self, words: &Words<'_>, at: usize) -> Phrase {
        let (bare, ends) = words.at(at)?;
        let pick = |english: &[&str], ours: &[String]| {
            let place = english.iter().position(|name| *name == bare)?;
            ours.get(place).cloned()
        };
        if let Some(day) = pick(&DAYS, &self.days).or_else(|| pick(&LONG_DAYS, &self.long_days)) {
            if ends {
                return None;
            }
            let (count, date) = self.number(words, at + 1)?;
            return Some((
                count + 1,
                self.shapes.named.replace("{day}", &day).replace("{date}", &date),
            ));
        }
        if let Some(month) = pick(&LONG_MONTHS, &self.long_months).filter(|_| !ends) {
            let (year, _) = words.at(at + 1).filter(|(year, _)| is_year(year))?;
            return Some((2, format!("{month} {year}")));
        }
        // A number alone is no day.
        self.number(words, at).filter(|(count, _)| *count > 1)
    }

    /// A day's number, with its month and year where they follow.
    fn number(&self, words: &Words<'_>, at: usize) -> Phrase {
        let (day, ends) = words.at(at)?;
        if day.is_empty() || day.len() > 2 || !day.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let pick = |name: &str| {
            let short = MONTHS
                .iter()
                .position(|month| *month == name)
                .and_then(|place| self.months.get(place));
            let long = || LONG_MONTHS.iter().position(|month| *month == name);
            short
                .or_else(|| long().and_then(|place| self.long_months.get(place)))
                .cloned()
        };
        let month = words
            .at(at + 1)
            .filter(|_| !ends)
            .and_then(|(name, ends)| Some((pick(name)?, ends)));
        let Some((month, month_ends)) = month else {
            let alone = self.shapes.date.replace("{d}", day).replace("{month}", "");
            return Some((1, alone.trim_end().to_owned()));
        };
        let said = self.shapes.date.replace("{d}", day).replace("{month}", &month);
        match words.at(at + 2).filter(|(year, _)| !month_ends && is_year(year)) {
            Some((year, _)) => Some((3, format!("{said} {year}"))),
            None => Some((2, said)),
        }
    }

    /// `in 6 h`, `4 days ago`, `1 h 15 min`.
    fn distance(&self, words: &Words<'_>, at: usize) -> Phrase {
        let is_ahead = words.at(at)?.0.eq_ignore_ascii_case("in") && words.0.get(at)?.len() == 2;
        let from = at + usize::from(is_ahead);
        let count = tokens_of_length(words, from)?;
        let is_past = !words.at(from + count - 1)?.1 && words.at(from + count).is_some_and(|(word, _)| word == "ago");
        let length = self.length(words, from, count, is_ahead || is_past)?;
        let said = match (is_ahead, is_past) {
            (true, _) => self.shapes.ahead.replace("{length}", &length),
            (_, true) => self.shapes.past.replace("{length}", &length),
            _ => return Some((count, length)),
        };
        let is_capital = words.0.get(at)?.starts_with('I');
        Some((count + 1, if is_capital { capital(&said) } else { said }))
    }

    fn length(&self, words: &Words<'_>, at: usize, count: usize, is_distance: bool) -> Option<String> {
        let mut out = String::new();
        for place in (at..at + count).step_by(2) {
            let (number, unit) = (words.at(place)?.0, unit(words.at(place + 1)?.0)?);
            let form = usize::from(number != "1") + if is_distance { 2 } else { 0 };
            let space = if out.is_empty() { "" } else { " " };
            // Writing into a String cannot fail.
            let _ = write!(out, "{space}{number} {}", self.units.get(unit)?.get(form)?);
        }
        Some(out)
    }
}

/// The number of tokens of a length of time: `1 h 15 min` takes four.
fn tokens_of_length(words: &Words<'_>, at: usize) -> Option<usize> {
    let pair = |at: usize| {
        let (number, number_ends) = words.at(at)?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
        let (word, ends) = words.at(at + 1)?;
        (is_number && !number_ends && unit(word).is_some()).then_some(ends)
    };
    let ends = pair(at)?;
    match pair(at + 2).filter(|_| !ends) {
        Some(_) => Some(4),
        None => Some(2),
    }
}

fn unit(word: &str) -> Option<usize> {
    UNITS.iter().position(|(one, many)| *one == word || *many == word)
}

/// A time of day: `17:00`, `10:42:07`, by the other clock `5:00 pm`, and of one that comes twice also which it is, `02:30
/// UTC+2`; each as one token.
fn is_clock(word: &str) -> bool {
    let mut parts = word.split('\u{a0}');
    let clock = parts.next().unwrap_or_default();
    let mut is_by_twelve = false;
    for part in parts {
        match part {
            "am" | "pm" => is_by_twelve = true,
            _ if part.starts_with("UTC") => {}
            _ => return false,
        }
    }
    let padded = match is_by_twelve && clock.find(':') == Some(1) {
        true => format!("0{clock}"),
        false => clock.to_owned(),
    };
    let bytes = padded.as_bytes();
    let digits = |places: &[usize]| {
        places
            .iter()
            .all(|place| bytes.get(*place).is_some_and(u8::is_ascii_digit))
    };
    (bytes.len() == 5 || bytes.len() == 8 && bytes.get(5) == Some(&b':') && digits(&[6, 7]))
        && bytes.get(2) == Some(&b':')
        && digits(&[0, 1, 3, 4])
}

fn is_year(word: &str) -> bool {
    word.len() == 4 && word.starts_with(['1', '2']) && word.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
    use super::*;

    fn german(text: &str) -> String {
        let file: toml::Table = include_str!("../../languages/de.toml").parse().unwrap();
        let times = Times::read(file["times"].as_table().unwrap()).unwrap();
        times
            .replace(text, |said| said)
            .unwrap_or_else(|| format!("none: {text}"))
    }

    #[test]
    fn moments_and_spans_are_written_as_the_language_does() {
        assert_eq!(german("Sat 21 Nov 22:00"), "Sa., 21. Nov., 22:00");
        assert_eq!(german("Mon 4 Jan 2027 09:00"), "Mo., 4. Jan. 2027, 09:00");
        assert_eq!(german("due today 17:00, in 6 h"), "due heute 17:00, in 6 Std.");
        assert_eq!(german("Tue 24 Nov, 22:00 to 23:30."), "Di., 24. Nov., 22:00 bis 23:30.");
        assert_eq!(
            german("today 22:00 to Wed 25 Nov 01:00"),
            "heute 22:00 bis Mi., 25. Nov., 01:00"
        );
        assert_eq!(german("Saturday 21 November 2026"), "Samstag, 21. November 2026");
        assert_eq!(
            german("Sun 31 Oct 2027, 02:30\u{a0}UTC+2 to 04:00"),
            "So., 31. Okt. 2027, 02:30\u{a0}UTC+2 bis 04:00"
        );
        assert_eq!(
            german("Sat 21 Nov 9:00\u{a0}pm to 11:30\u{a0}pm"),
            "Sa., 21. Nov., 9:00\u{a0}pm bis 11:30\u{a0}pm"
        );
        assert_eq!(german("November 2026"), "November 2026");
        assert_eq!(german("March 2027"), "März 2027");
        assert_eq!(german("It began yesterday."), "It began gestern.");
        assert_eq!(german("16 to 22 November 2026"), "16 to 22. November 2026");
    }

    #[test]
    fn distances_have_the_case_that_their_word_asks_for() {
        assert_eq!(german("4 days ago"), "vor 4 Tagen");
        assert_eq!(german("waits 4 days"), "waits 4 Tage");
        assert_eq!(german("1 h 15 min, then 9 min"), "1 Std. 15 Min., then 9 Min.");
        assert_eq!(german("In 1 day"), "In 1 Tag");
        assert_eq!(german("in 3 places, 5 of 6"), "none: in 3 places, 5 of 6");
    }

    #[test]
    fn english_times_stay_as_they_are() {
        for text in [
            "Sat 21 Nov 22:00 to 23:30",
            "today 17:00, in 6 h",
            "Mon 4 Jan 2027 09:00",
            "1 h 15 min",
            "3 days ago",
        ] {
            assert_eq!(Times::english().replace(text, |said| said).as_deref(), Some(text));
        }
    }
}
