//! Rules that repeat from year to year (RFC 5545 section 3.3.10): on the same day, on days of named months, or on the
//! fourth Thursday of November.

use jiff::civil::{Date, Weekday};

/// The most years between two times that a rule names.
const MOST_INTERVAL: i16 = 100;

/// A rule of repetition that is counted in years.
#[derive(Debug, Default)]
pub(super) struct Yearly {
    /// The last day on which it may begin.
    until: Option<Date>,
    /// How often it comes in all.
    count: Option<usize>,
    /// The interval in years; one by default.
    interval: Option<i16>,
    /// `BYMONTH`, from 1 to 12.
    months: Vec<i8>,
    /// `BYMONTHDAY`: from the month's begin, or with a minus from its end.
    days: Vec<i8>,
    /// `BYDAY`: a day of the week, and which one of its month where that is given.
    weekdays: Vec<(Option<i8>, Weekday)>,
}

impl Yearly {
    /// Reads a rule; `None` for one that repeats otherwise.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut found = Self::default();
        let mut is_yearly = false;
        for part in text.split(';').map(|part| part.trim().to_ascii_uppercase()) {
            match part.split_once('=')? {
                ("FREQ", "YEARLY") => is_yearly = true,
                // On which day a week begins matters to rules that name weeks alone.
                ("WKST", _) => {}
                ("INTERVAL", years) => {
                    found.interval = Some(years.parse().ok().filter(|it| (1..=MOST_INTERVAL).contains(it))?);
                }
                // Some write the end of a whole day with a time, such as 20301231T235959Z.
                ("UNTIL", end) => found.until = Some(super::day(end.split('T').next()?)?),
                ("COUNT", count) => found.count = Some(count.parse::<usize>().ok().filter(|count| *count > 0)?),
                ("BYMONTH", list) => found.months = numbers(list, 1..=12)?,
                ("BYMONTHDAY", list) => found.days = numbers(list, -31..=31)?,
                ("BYDAY", list) => found.weekdays = list.split(',').map(weekday).collect::<Option<_>>()?,
                _ => return None,
            }
        }
        // Without a month, days of the week are counted through the year, which no holiday uses.
        let is_of_months = found.weekdays.is_empty() || !found.months.is_empty();
        (is_yearly && is_of_months).then_some(found)
    }

    /// The days on which an event begins that began on `first`, from one year to another, both included.
    pub(super) fn starts(&self, first: Date, (from, to): (i16, i16)) -> Vec<Date> {
        let step = usize::try_from(self.interval.unwrap_or(1)).unwrap_or(1);
        let years = (first.year()..=to).step_by(step);
        // A rule that counts counts from the first day on, also those that are not carried on any more.
        let all = years.flat_map(|year| self.in_year(first, year));
        let all = all.filter(|day| *day >= first).take(self.count.unwrap_or(usize::MAX));
        let all = all.take_while(|day| self.until.is_none_or(|until| *day <= until));
        all.filter(|day| day.year() >= from).collect()
    }

    fn in_year(&self, first: Date, year: i16) -> Vec<Date> {
        let is_bare = self.days.is_empty() && self.weekdays.is_empty();
        let months: Vec<i8> = match (self.months.is_empty(), is_bare) {
            (false, _) => self.months.clone(),
            (true, true) => vec![first.month()],
            (true, false) => (1..=12).collect(),
        };
        let begins = months.into_iter().filter_map(|month| Date::new(year, month, 1).ok());
        let days = begins
            .flat_map(|begin| (1..=begin.days_in_month()).filter_map(move |day| begin.with().day(day).build().ok()));
        days.filter(|day| {
            if is_bare {
                day.day() == first.day()
            } else {
                self.fits(*day)
            }
        })
        .collect()
    }

    fn fits(&self, day: Date) -> bool {
        let from_end = day.day() - day.days_in_month() - 1;
        let is_day = self.days.is_empty() || self.days.iter().any(|it| *it == day.day() || *it == from_end);
        let (nth, nth_from_end) = ((day.day() - 1) / 7 + 1, (from_end + 1) / 7 - 1);
        let is_weekday = |(which, weekday): &(Option<i8>, Weekday)| {
            *weekday == day.weekday() && which.is_none_or(|which| which == nth || which == nth_from_end)
        };
        is_day && (self.weekdays.is_empty() || self.weekdays.iter().any(is_weekday))
    }
}

/// Numbers within a range, none of them 0, in their order and each once.
fn numbers(list: &str, range: std::ops::RangeInclusive<i8>) -> Option<Vec<i8>> {
    let one = |text: &str| text.parse::<i8>().ok().filter(|it| range.contains(it) && *it != 0);
    let mut found: Vec<i8> = list.split(',').map(one).collect::<Option<_>>()?;
    found.sort_unstable();
    found.dedup();
    Some(found)
}

/// `TH`, `4TH`, `-1MO`.
fn weekday(text: &str) -> Option<(Option<i8>, Weekday)> {
    let (which, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let weekday = match name {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    };
    if which.is_empty() {
        return Some((None, weekday));
    }
    let which = which
        .parse::<i8>()
        .ok()
        .filter(|it| (1..=5).contains(&it.unsigned_abs()))?;
    Some((Some(which), weekday))
}
