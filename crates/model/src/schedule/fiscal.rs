//! Fiscal years and months of a calendar: civil months that begin on another day, or months of whole weeks (4-4-5).

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};
use serde::{Deserialize, Serialize};

use crate::core::enums::{Day, FiscalMonths};

/// The division of the fiscal year in a calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fiscal {
    /// The first month of the year, 1 to 12.
    pub first_month: i8,
    /// The first day of that month, 1 to 28; each month of the year begins on that day.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub first_day: i8,
    /// The lengths of the months.
    #[serde(default, skip_serializing_if = "FiscalMonths::is_usual")]
    pub months: FiscalMonths,
    /// The day of the week on which a year of whole weeks begins: the one nearest to the first day.
    #[serde(default = "monday", skip_serializing_if = "is_monday")]
    pub week_starts: Day,
}

fn first() -> i8 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_first(day: &i8) -> bool {
    *day == 1
}

fn monday() -> Day {
    Day::Monday
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_monday(day: &Day) -> bool {
    *day == Day::Monday
}

/// The place of a date in a year and a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthDay {
    /// The year in which the fiscal year begins.
    pub year: i16,
    /// The month of the year, 1 to 12.
    pub month: i8,
    /// The day of the month, from 1 on.
    pub day: i16,
    /// The number of days in the month.
    pub length: i16,
}

impl MonthDay {
    /// In the civil calendar.
    #[must_use]
    pub fn civil(date: Date) -> Self {
        Self {
            year: date.year(),
            month: date.month(),
            day: date.day().into(),
            length: date.days_in_month().into(),
        }
    }

    /// In a fiscal year; `None` at the ends of time.
    #[must_use]
    pub fn fiscal(date: Date, fiscal: &Fiscal) -> Option<Self> {
        let later = begin_of(date.year(), fiscal)?;
        let year = match date < later {
            true => date.year().checked_sub(1)?,
            false => date.year(),
        };
        // A year of weeks may begin in the last days of the year before.
        let next = begin_of(year.checked_add(1)?, fiscal)?;
        let year = if date >= next { year + 1 } else { year };
        let begin = begin_of(year, fiscal)?;
        let mut starts = begin;
        for month in 1..=12_i8 {
            let ends = match month {
                12 => begin_of(year.checked_add(1)?, fiscal)?,
                _ => begin.checked_add(since_begin(month, fiscal.months)).ok()?,
            };
            if date < ends {
                return Some(Self {
                    year,
                    month,
                    day: days_between(starts, date) + 1,
                    length: days_between(starts, ends),
                });
            }
            starts = ends;
        }
        None
    }
}

fn days_between(from: Date, to: Date) -> i16 {
    let days = from.until(to).map_or(0, |span| span.get_days());
    i16::try_from(days).unwrap_or(i16::MAX)
}

/// The total length of the first so many months of a year.
fn since_begin(months: i8, pattern: FiscalMonths) -> Span {
    let weeks: [i8; 3] = match pattern {
        FiscalMonths::Civil => return months.months(),
        FiscalMonths::W445 => [4, 4, 5],
        FiscalMonths::W454 => [4, 5, 4],
        FiscalMonths::W544 => [5, 4, 4],
    };
    let quarters = i64::from(months / 3) * 13;
    let rest: i64 = weeks
        .iter()
        .take((months % 3).unsigned_abs().into())
        .map(|it| i64::from(*it))
        .sum();
    (quarters + rest).weeks()
}

/// The first day of the fiscal year that begins in this year, or nearest to it.
fn begin_of(year: i16, fiscal: &Fiscal) -> Option<Date> {
    let nominal = Date::new(year, fiscal.first_month, fiscal.first_day).ok()?;
    if fiscal.months == FiscalMonths::Civil {
        return Some(nominal);
    }
    let wanted = weekday_of(fiscal.week_starts);
    (-3..=3_i64).find_map(|days| {
        let date = nominal.checked_add(days.days()).ok()?;
        (date.weekday() == wanted).then_some(date)
    })
}

/// A day of the week in the terms of the time library.
#[must_use]
pub fn weekday_of(day: Day) -> Weekday {
    match day {
        Day::Monday => Weekday::Monday,
        Day::Tuesday => Weekday::Tuesday,
        Day::Wednesday => Weekday::Wednesday,
        Day::Thursday => Weekday::Thursday,
        Day::Friday => Weekday::Friday,
        Day::Saturday => Weekday::Saturday,
        Day::Sunday => Weekday::Sunday,
    }
}

impl Fiscal {
    /// Its mistake, if any.
    #[must_use]
    pub fn trouble(&self) -> Option<&'static str> {
        if !(1..=12).contains(&self.first_month) {
            return Some("The month in which a fiscal year begins must be from 1 to 12.");
        }
        (!(1..=28).contains(&self.first_day)).then_some("The day on which a fiscal month begins must be from 1 to 28.")
    }
}
