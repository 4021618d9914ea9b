//! Writes times for one reader: in the reader's zone, with the day's name, by
//! the reader's clock, and near times also as a distance.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Span, Timestamp, Zoned};

/// The value of a `datetime-local` control, read in the reader's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldTime {
    /// A time as usual.
    Once(Timestamp),
    /// Clocks go back over it, so it comes twice: the first of the two.
    Twice(Timestamp),
    /// Clocks go forward over it, so it never comes: the next time that does.
    Never(Timestamp),
}

/// The reader, their place, and the time. The time is given, never read from a clock.
#[derive(Debug, Clone)]
pub struct Reader {
    zone: TimeZone,
    now: Zoned,
    /// Whether it is read at another time than it is written at.
    is_later: bool,
    /// Whether hours count to 12 twice a day, with am and pm.
    is_by_twelve: bool,
}

impl Reader {
    /// A reader in `zone` at the moment `now`.
    #[must_use]
    pub fn new(zone: TimeZone, now: Timestamp) -> Self {
        let now = now.to_zoned(zone.clone());
        Self {
            zone,
            now,
            is_later: false,
            is_by_twelve: false,
        }
    }

    /// The same reader with a clock of 12 hours, or of 24.
    #[must_use]
    pub fn by_twelve(self, is_by_twelve: bool) -> Self {
        Self { is_by_twelve, ..self }
    }

    /// The time of day alone: `22:00`, `10:00 pm`.
    #[must_use]
    pub fn time(&self, at: Timestamp) -> String {
        self.clock_of(self.local(at).datetime(), false)
    }

    /// A time of day without a space, so that it is never parted at the end of a line.
    fn clock_of(&self, at: DateTime, has_seconds: bool) -> String {
        let pattern = match (self.is_by_twelve, has_seconds) {
            (false, false) => "%H:%M",
            (false, true) => "%H:%M:%S",
            (true, false) => "%-I:%M\u{a0}%P",
            (true, true) => "%-I:%M:%S\u{a0}%P",
        };
        at.strftime(pattern).to_string()
    }

    /// The same reader of a letter or a channel, who may open it days later: days and times are absolute.
    #[must_use]
    pub fn later(self) -> Self {
        Self { is_later: true, ..self }
    }

    /// The zone of a text that is read later, where no page shows it.
    #[must_use]
    pub fn zone_of_letter(&self) -> Option<&str> {
        self.is_later.then(|| self.zone_name())
    }

    /// A reader whose zone has the IANA name `zone`; an unknown name reads in UTC.
    #[must_use]
    pub fn named(zone: &str, now: Timestamp) -> Self {
        Self::new(TimeZone::get(zone).unwrap_or(TimeZone::UTC), now)
    }

    /// The zone's name, for the hint beside a time field.
    #[must_use]
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// Day and time: `today 17:00`, `Sat 21 Nov 22:00`, `Mon 4 Jan 2027 09:00`.
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> String {
        let at = self.local(at);
        format!("{} {}", self.day_word(at.date()), self.hour(&at))
    }

    /// The time of day; of one that comes twice also which of the two it is.
    fn hour(&self, at: &Zoned) -> String {
        let hour = self.clock_of(at.datetime(), false);
        match self.zone.to_ambiguous_zoned(at.datetime()).offset() {
            AmbiguousOffset::Fold { .. } => format!("{hour}\u{a0}{}", offset(at)),
            _ => hour,
        }
    }

    /// Day and time for paper, the same whenever it is read: `Sat 21 Nov 2026 22:00`.
    #[must_use]
    pub fn absolute(&self, at: Timestamp) -> String {
        let at = self.local(at);
        format!("{} {}", at.strftime("%a %-d %b %Y"), self.hour(&at))
    }

    /// From and to, as on paper.
    #[must_use]
    pub fn absolute_span(&self, from: Timestamp, to: Timestamp) -> String {
        let (start, end) = (self.local(from), self.local(to));
        match start.date() == end.date() {
            true => format!("{} to {}", self.absolute(from), self.hour(&end)),
            false => format!("{} to {}", self.absolute(from), self.absolute(to)),
        }
    }

    /// The day alone: `today`, `yesterday`, `Sat 21 Nov`.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> String {
        self.day_word(self.local(at).date())
    }

    /// A day of the calendar, the same in every zone: `today`, `Sat 21 Nov`.
    #[must_use]
    pub fn date(&self, date: Date) -> String {
        self.day_word(date)
    }

    /// The time of day with seconds: `10:42:07`.
    #[must_use]
    pub fn clock(&self, at: Timestamp) -> String {
        self.clock_of(self.local(at).datetime(), true)
    }

    /// From and to, the day only once when it is the same: `Sat 21 Nov, 22:00 to 23:30`.
    #[must_use]
    pub fn span(&self, from: Timestamp, to: Timestamp) -> String {
        let (start, end) = (self.local(from), self.local(to));
        if start.date() == end.date() {
            return format!(
                "{}, {} to {}",
                self.day_word(start.date()),
                self.hour(&start),
                self.hour(&end)
            );
        }
        format!("{} to {}", self.moment(from), self.moment(to))
    }

    /// The distance from now: `in 6 h`, `19 h ago`, `in 20 min`, `4 days ago`.
    #[must_use]
    pub fn distance(&self, at: Timestamp) -> String {
        let seconds = at.as_second() - self.now.timestamp().as_second();
        let length = length(seconds.unsigned_abs());
        match seconds {
            -59..60 => "now".to_owned(),
            ..-59 => format!("{length} ago"),
            _ => format!("in {length}"),
        }
    }

    /// How long something has lasted since `since`: `19 h`, `4 days`.
    #[must_use]
    pub fn age(&self, since: Timestamp) -> String {
        let seconds = self.now.timestamp().as_second() - since.as_second();
        length(seconds.max(0).unsigned_abs())
    }

    /// A moment with its distance when it is within two days: `today 17:00, in 6 h`.
    #[must_use]
    pub fn due(&self, at: Timestamp) -> String {
        let far = self.is_later || (at.as_second() - self.now.timestamp().as_second()).abs() > 48 * 3600;
        if far {
            return self.moment(at);
        }
        format!("{}, {}", self.moment(at), self.distance(at))
    }

    /// The value of a `datetime-local` control: `2026-11-21T22:00`.
    #[must_use]
    pub fn field(&self, at: Timestamp) -> String {
        self.local(at).strftime("%Y-%m-%dT%H:%M").to_string()
    }

    /// Reads the value of a `datetime-local` control, in the reader's zone; of a time that comes twice the first. None if it is
    /// no time, or one that a change of the clocks leaves out: [`Self::why_unread`] has the reason.
    #[must_use]
    pub fn read_field(&self, value: &str) -> Option<Timestamp> {
        match self.field_time(value)? {
            FieldTime::Once(at) | FieldTime::Twice(at) => Some(at),
            FieldTime::Never(_) => None,
        }
    }

    /// The same, with the effect of a change of the clocks. None if it is no time at all.
    #[must_use]
    pub fn field_time(&self, value: &str) -> Option<FieldTime> {
        let civil: DateTime = value.trim().parse().ok()?;
        let read = self.zone.to_ambiguous_zoned(civil);
        let kind = read.offset();
        let at = read.compatible().ok()?.timestamp();
        Some(match kind {
            AmbiguousOffset::Unambiguous { .. } => FieldTime::Once(at),
            AmbiguousOffset::Fold { .. } => FieldTime::Twice(at),
            AmbiguousOffset::Gap { .. } => {
                // Read by the offset from before, it lies behind the change of the clocks or on it.
                let behind = at.checked_add(Span::new().seconds(1)).ok()?;
                let change = self.zone.preceding(behind).next()?;
                FieldTime::Never(change.timestamp())
            }
        })
    }

    /// When it is read.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now.timestamp()
    }

    /// Why [`Self::read_field`] read no time: a sentence for the person who typed it.
    #[must_use]
    pub fn why_unread(&self, value: &str) -> String {
        let civil = value.trim().parse::<DateTime>().ok();
        match (civil, self.field_time(value)) {
            (Some(civil), Some(FieldTime::Never(next))) => format!(
                "{} does not exist on {} in {}, because clocks go forward then. The next time is {}.",
                self.clock_of(civil, false),
                self.day_word(civil.date()),
                self.zone_name(),
                self.moment(next)
            ),
            _ => "This is not a day and time such as 2026-11-21 22:00.".to_owned(),
        }
    }

    /// Which of two times was read from a value that comes twice; `None` for every other.
    #[must_use]
    pub fn which_of_two(&self, value: &str) -> Option<String> {
        let FieldTime::Twice(at) = self.field_time(value)? else {
            return None;
        };
        let at = self.local(at);
        Some(format!(
            "{} occurs twice on {} in {}, because clocks go back then. The first of the two was used: {}.",
            self.clock_of(at.datetime(), false),
            self.day_word(at.date()),
            self.zone_name(),
            self.hour(&at)
        ))
    }

    /// The instant in the reader's zone.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> Zoned {
        at.to_zoned(self.zone.clone())
    }

    fn day_word(&self, date: Date) -> String {
        let today = self.now.date();
        let near = [
            (Ok(today), "today"),
            (today.yesterday(), "yesterday"),
            (today.tomorrow(), "tomorrow"),
        ];
        let is_it = |(day, _): &(Result<Date, jiff::Error>, &str)| day.as_ref().is_ok_and(|day| *day == date);
        if let Some((_, word)) = near.iter().find(|it| !self.is_later && is_it(it)) {
            return (*word).to_owned();
        }
        let pattern = if date.year() == today.year() {
            "%a %-d %b"
        } else {
            "%a %-d %b %Y"
        };
        date.strftime(pattern).to_string()
    }
}

/// How far a clock is ahead of UTC: `UTC+2`, `UTC-3:30`.
fn offset(at: &Zoned) -> String {
    let seconds = at.offset().seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    match minutes % 60 {
        0 => format!("UTC{sign}{}", minutes / 60),
        rest => format!("UTC{sign}{}:{rest:02}", minutes / 60),
    }
}

/// A length in the largest fitting unit: `20 min`, `6 h`, `1 day`, `12 days`.
fn length(seconds: u64) -> String {
    let minutes = seconds / 60;
    let hours = minutes / 60;
    let days = hours / 24;
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h"),
        (1, _, _) => "1 day".to_owned(),
        _ => format!("{days} days"),
    }
}

/// Writes minutes in the usual form: `9 min`, `1 h 15 min`, `2 h`.
#[must_use]
pub fn minutes(count: u64) -> String {
    match (count / 60, count % 60) {
        (0, rest) => format!("{rest} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, rest) => format!("{hours} h {rest} min"),
    }
}

/// Writes a count with separators: `48,213`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The size of a file as people read it: `812 B`, `48 kB`, `3.2 MB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => {
            let tenths = bytes.div_ceil(100_000);
            format!("{}.{} MB", count(tenths / 10), tenths % 10)
        }
    }
}

/// A count as text at the start of a title: `Five`, `No`, `214`.
#[must_use]
pub fn count_word(number: u64) -> String {
    const WORDS: [&str; 11] = [
        "No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten",
    ];
    usize::try_from(number)
        .ok()
        .and_then(|place| WORDS.get(place))
        .map_or_else(|| count(number), |word| (*word).to_owned())
}

/// A digest as people compare it: the first and the last letters, `9f2c…e41`.
#[must_use]
pub fn short_digest(digest: &str) -> String {
    let (prefix, rest) = digest
        .split_once(':')
        .map_or(("", digest), |(algorithm, hex)| (algorithm, hex));
    let letters: Vec<char> = rest.chars().collect();
    let colon = if prefix.is_empty() { "" } else { ":" };
    if letters.len() <= 12 {
        return digest.to_owned();
    }
    let head: String = letters.iter().take(4).collect();
    let tail: String = letters.iter().skip(letters.len() - 3).collect();
    format!("{prefix}{colon}{head}…{tail}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
    use super::*;

    #[test]
    fn a_size_is_told_in_the_unit_that_people_know() {
        assert_eq!(
            [0, 999, 1_000, 48_213, 3_180_000, 2_000_000_000].map(size),
            ["0 B", "999 B", "1 kB", "49 kB", "3.2 MB", "2,000.0 MB"]
        );
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn oslo() -> Reader {
        Reader::named("Europe/Oslo", at("2026-11-20T10:00:00Z"))
    }

    #[test]
    fn near_days_have_words_and_far_days_their_year() {
        let reader = oslo();
        assert_eq!(reader.moment(at("2026-11-20T16:00:00Z")), "today 17:00");
        assert_eq!(reader.moment(at("2026-11-19T15:10:00Z")), "yesterday 16:10");
        assert_eq!(reader.moment(at("2026-11-24T02:00:00Z")), "Tue 24 Nov 03:00");
        assert_eq!(reader.moment(at("2027-01-04T08:00:00Z")), "Mon 4 Jan 2027 09:00");
        assert_eq!(reader.absolute(at("2026-11-20T16:00:00Z")), "Fri 20 Nov 2026 17:00");
        assert_eq!(
            reader.absolute_span(at("2026-11-20T16:00:00Z"), at("2026-11-20T17:30:00Z")),
            "Fri 20 Nov 2026 17:00 to 18:30"
        );
    }

    #[test]
    fn spans_distances_and_due_times_read_as_sentences() {
        let reader = oslo();
        assert_eq!(
            reader.span(at("2026-11-24T21:00:00Z"), at("2026-11-24T22:30:00Z")),
            "Tue 24 Nov, 22:00 to 23:30"
        );
        assert_eq!(reader.due(at("2026-11-20T16:00:00Z")), "today 17:00, in 6 h");
        assert_eq!(reader.distance(at("2026-11-16T10:00:00Z")), "4 days ago");
        assert_eq!(reader.distance(at("2026-11-20T10:00:30Z")), "now");
    }

    #[test]
    fn what_is_read_later_names_its_days() {
        let reader = oslo().later();
        let (from, to) = (at("2026-11-20T11:45:00Z"), at("2026-11-20T12:45:00Z"));
        assert_eq!(reader.span(from, to), "Fri 20 Nov, 12:45 to 13:45");
        assert_eq!(reader.due(from), "Fri 20 Nov 12:45");
        assert_eq!(reader.zone_of_letter(), Some("Europe/Oslo"));
        assert_eq!(oslo().zone_of_letter(), None);
        assert_eq!(oslo().span(from, to), "today, 12:45 to 13:45");
    }

    #[test]
    fn a_field_reads_back_what_it_wrote() {
        let reader = oslo();
        let moment = at("2026-11-21T21:00:00Z");
        assert_eq!(reader.field(moment), "2026-11-21T22:00");
        assert_eq!(reader.read_field("2026-11-21T22:00"), Some(moment));
        assert_eq!(reader.read_field("tomorrow"), None);
    }

    #[test]
    fn a_clock_of_twelve_hours_says_which_half_of_the_day_and_is_one_word() {
        let reader = oslo().by_twelve(true);
        let night = at("2026-11-21T21:05:09Z");
        assert_eq!(reader.moment(night), "tomorrow 10:05\u{a0}pm");
        assert_eq!(reader.clock(night), "10:05:09\u{a0}pm");
        assert_eq!(reader.time(at("2026-11-20T23:00:00Z")), "12:00\u{a0}am");
        assert_eq!(
            reader.field(night),
            "2026-11-21T22:05",
            "a control keeps its own format"
        );
        assert_eq!(oslo().time(night), "22:05");
    }

    #[test]
    fn a_time_that_clocks_leave_out_is_no_time_and_its_day_is_named() {
        let reader = oslo();
        assert_eq!(reader.read_field("2027-03-28T02:30"), None);
        assert_eq!(
            reader.why_unread("2027-03-28T02:30"),
            "02:30 does not exist on Sun 28 Mar 2027 in Europe/Oslo, because clocks go forward then. The next time is Sun 28 \
             Mar 2027 03:00."
        );
        let change = at("2027-03-28T01:00:00Z");
        for skipped in ["2027-03-28T02:00", "2027-03-28T02:59"] {
            assert_eq!(reader.field_time(skipped), Some(FieldTime::Never(change)), "{skipped}");
        }
        assert_eq!(reader.read_field("2027-03-28T03:00"), Some(change));
        assert!(reader.why_unread("tomorrow").starts_with("This is not a day and time"));
    }

    #[test]
    fn of_a_time_that_comes_twice_the_first_is_taken_and_both_are_told_apart() {
        let reader = oslo();
        let (first, second) = (at("2027-10-31T00:30:00Z"), at("2027-10-31T01:30:00Z"));
        assert_eq!(reader.read_field("2027-10-31T02:30"), Some(first));
        assert_eq!(
            reader.which_of_two("2027-10-31T02:30").as_deref(),
            Some(
                "02:30 occurs twice on Sun 31 Oct 2027 in Europe/Oslo, because clocks go back then. The first of the two was \
                 used: 02:30\u{a0}UTC+2."
            )
        );
        assert_eq!(reader.which_of_two("2027-10-31T03:30"), None);
        assert_eq!(reader.moment(second), "Sun 31 Oct 2027 02:30\u{a0}UTC+1");
        assert_eq!(
            reader.span(first, at("2027-10-31T03:00:00Z")),
            "Sun 31 Oct 2027, 02:30\u{a0}UTC+2 to 04:00"
        );
    }

    #[test]
    fn counts_lengths_and_digests() {
        assert_eq!(count(48_213), "48,213");
        assert_eq!(count(7), "7");
        assert_eq!(count_word(5), "Five");
        assert_eq!(minutes(75), "1 h 15 min");
        assert_eq!(short_digest("sha256:6b1d000000000000000000000007a"), "sha256:6b1d…07a");
        assert_eq!(short_digest("3fe90c2"), "3fe90c2");
    }
}
