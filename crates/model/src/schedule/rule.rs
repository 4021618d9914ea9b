//! Rules of RFC 5545, read and turned into dates. Plain rules are expanded by the crate `rrule`; rules over working days or
//! fiscal months, which the RFC does not know, day by day here.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rrule::RRuleSet;

use crate::schedule::calendar::Calendar;
use crate::schedule::fiscal::{Fiscal, MonthDay};

/// The longest rule, in bytes.
const MOST_BYTES: usize = 500;
/// The most dates that one rule yields.
const MOST_DATES: u16 = 8_000;
/// Parts that are read over working days and fiscal months.
const OWN_PARTS: [&str; 9] = [
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "WKST",
    "BYDAY",
    "BYMONTHDAY",
    "BYMONTH",
    "BYSETPOS",
];
/// Further parts of plain rules.
const PLAIN_PARTS: [&str; 2] = ["BYYEARDAY", "BYWEEKNO"];

/// The reason why a rule cannot be expanded: the field, a code, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The field.
    pub field: &'static str,
    /// A code.
    pub code: &'static str,
    /// A sentence for the person who wrote the rule.
    pub text: String,
}

impl Trouble {
    pub(crate) fn new(field: &'static str, code: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { field, code, text }
    }
}

/// The setting in which a rule counts.
#[derive(Debug, Clone)]
pub struct Setting<'a> {
    /// The date of the first time (DTSTART).
    pub first: Date,
    /// Only its working days count.
    pub working: Option<&'a Calendar>,
    /// The fiscal calendar for months and years, if any.
    pub fiscal: Option<&'a Fiscal>,
}

impl Setting<'_> {
    fn is_plain(&self) -> bool {
        self.working.is_none() && self.fiscal.is_none()
    }

    fn month(&self, date: Date) -> Option<MonthDay> {
        match self.fiscal {
            Some(fiscal) => MonthDay::fiscal(date, fiscal),
            None => Some(MonthDay::civil(date)),
        }
    }
}

/// The frequency of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A rule that was read.
#[derive(Debug, Clone)]
pub struct Rule {
    field: &'static str,
    parts: BTreeMap<String, String>,
    frequency: Frequency,
    /// The last date before UNTIL.
    until: Option<Date>,
}

impl Rule {
    /// Reads a rule; `clock` is the zone and the local time of the first occurrence, by which UNTIL is compared.
    ///
    /// # Errors
    /// The mistake, as text.
    pub fn read(
        field: &'static str,
        text: &str,
        setting: &Setting<'_>,
        clock: (&TimeZone, DateTime),
    ) -> Result<Self, Trouble> {
        let wrong = |text: String| Trouble::new(field, "not_a_rule", text);
        if text.len() > MOST_BYTES {
            return Err(wrong(format!("A rule has at most {MOST_BYTES} characters.")));
        }
        let parts = parts(text).map_err(wrong)?;
        let known = |name: &str| OWN_PARTS.contains(&name) || (setting.is_plain() && PLAIN_PARTS.contains(&name));
        if let Some(name) = parts.keys().find(|name| !known(name)) {
            return Err(wrong(unknown_part(name, setting)));
        }
        let frequency = match parts.get("FREQ").map(String::as_str) {
            Some("DAILY") => Frequency::Daily,
            Some("WEEKLY") => Frequency::Weekly,
            Some("MONTHLY") => Frequency::Monthly,
            Some("YEARLY") => Frequency::Yearly,
            Some(other) => {
                let text = format!(
                    "`FREQ={other}` is not one of DAILY, WEEKLY, MONTHLY, YEARLY: a rule has at most one occurrence \
                     a day."
                );
                return Err(wrong(text));
            }
            None => {
                return Err(wrong(
                    "A rule must begin with its frequency, such as `FREQ=WEEKLY;BYDAY=FR`.".to_owned(),
                ));
            }
        };
        let until = match parts.get("UNTIL") {
            None => None,
            Some(told) => Some(last_date(told, clock).ok_or_else(|| {
                wrong(format!(
                    "`UNTIL={told}` is not a date or time such as 20271231 or 20271231T230000Z."
                ))
            })?),
        };
        let rule = Self {
            field,
            parts,
            frequency,
            until,
        };
        rule.number("INTERVAL", 1..=1_000)?;
        rule.number("COUNT", 1..=10_000)?;
        // The values of the parts are checked at once, by the function that expands them.
        rule.dates(setting, setting.first)?;
        Ok(rule)
    }

    /// Whether it ends by itself.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.until.is_some() || self.parts.contains_key("COUNT")
    }

    /// Its dates from the first on, up to and with `last`.
    ///
    /// # Errors
    /// The mistake in its parts, as text.
    pub fn dates(&self, setting: &Setting<'_>, last: Date) -> Result<Vec<Date>, Trouble> {
        match setting.is_plain() {
            true => self.plain(setting.first, last),
            false => self.own(setting, last),
        }
    }

    fn wrong(&self, text: impl Into<String>) -> Trouble {
        Trouble::new(self.field, "not_a_rule", text)
    }

    /// Expanded by the crate, in floating time; zones are applied afterwards.
    fn plain(&self, first: Date, last: Date) -> Result<Vec<Date>, Trouble> {
        let mut text = format!("DTSTART:{}T000000Z\nRRULE:", first.strftime("%Y%m%d"));
        let parts = self.parts.iter().filter(|(name, _)| *name != "UNTIL");
        let mut words: Vec<String> = parts.map(|(name, value)| format!("{name}={value}")).collect();
        if let Some(until) = self.until {
            if until < first {
                return Ok(Vec::new());
            }
            words.push(format!("UNTIL={}T000000Z", until.strftime("%Y%m%d")));
        }
        text.push_str(&words.join(";"));
        let set: RRuleSet = text
            .parse()
            .map_err(|error| self.wrong(format!("This is not a valid rule of RFC 5545: {error}")))?;
        let end = last
            .to_zoned(TimeZone::UTC)
            .map_or(i64::MAX, |at| at.timestamp().as_second());
        let mut dates = Vec::new();
        // The crate itself stops a rule that never matches.
        for at in set.limit().into_iter().take(MOST_DATES.into()) {
            if at.timestamp() > end {
                break;
            }
            let date = Timestamp::from_second(at.timestamp()).map(|it| it.to_zoned(TimeZone::UTC).date());
            dates.extend(date.ok());
        }
        Ok(dates)
    }

    /// Day by day: by working days, fiscal months or both.
    fn own(&self, setting: &Setting<'_>, last: Date) -> Result<Vec<Date>, Trouble> {
        let wanted = self.wanted(setting)?;
        let begin = match self.frequency {
            Frequency::Daily => setting.first,
            Frequency::Weekly => week_begin(setting.first, wanted.week_starts),
            // The whole month or year of the first time is expanded, because positions are counted in it.
            Frequency::Monthly => setting.first.saturating_sub(2.months()),
            Frequency::Yearly => setting.first.saturating_sub(13.months()),
        };
        let end = match self.frequency {
            Frequency::Daily | Frequency::Weekly => last.saturating_add(7.days()),
            Frequency::Monthly => last.saturating_add(2.months()),
            Frequency::Yearly => last.saturating_add(13.months()),
        };
        let origin = self.period(setting, setting.first, &wanted);
        let mut groups: BTreeMap<i64, Vec<Date>> = BTreeMap::new();
        let mut date = begin;
        while date <= end {
            if let Some(period) = self.period(setting, date, &wanted)
                && origin.is_some_and(|origin| period >= origin && (period - origin) % wanted.interval == 0)
                && wanted.fits(setting, date)
            {
                groups.entry(period).or_default().push(date);
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        let chosen = groups.into_values().flat_map(|days| wanted.positions(&days));
        let until = self.until.unwrap_or(Date::MAX);
        let dates = chosen.filter(|date| *date >= setting.first && *date <= until);
        Ok(dates.take(wanted.count).filter(|date| *date <= last).collect())
    }

    /// The number of the day, week, month or year in which a date lies.
    fn period(&self, setting: &Setting<'_>, date: Date, wanted: &Wanted) -> Option<i64> {
        let days = |date: Date| {
            Date::new(1970, 1, 5)
                .ok()
                .map(|zero| (date - zero).get_days())
                .map(i64::from)
        };
        match self.frequency {
            Frequency::Daily => days(date),
            Frequency::Weekly => days(week_begin(date, wanted.week_starts)).map(|it| it.div_euclid(7)),
            Frequency::Monthly => setting
                .month(date)
                .map(|it| i64::from(it.year) * 12 + i64::from(it.month)),
            Frequency::Yearly => setting.month(date).map(|it| i64::from(it.year)),
        }
    }

    fn wanted(&self, setting: &Setting<'_>) -> Result<Wanted, Trouble> {
        let interval = self.number("INTERVAL", 1..=1_000)?.unwrap_or(1);
        let count = self.number("COUNT", 1..=10_000)?;
        let mut wanted = Wanted {
            interval,
            count: count.and_then(|it| usize::try_from(it).ok()).unwrap_or(usize::MAX),
            week_starts: self.days("WKST")?.first().copied().unwrap_or(Weekday::Monday),
            days: self.days("BYDAY")?,
            month_days: self.numbers("BYMONTHDAY", 31)?,
            months: self.numbers("BYMONTH", 12)?,
            positions: self.numbers("BYSETPOS", 366)?,
        };
        if wanted.months.iter().any(|month| *month < 1) {
            return Err(self.wrong("`BYMONTH` must have months from 1 to 12."));
        }
        // A rule without days means those of its first time, unless it names positions among all days.
        let is_open = wanted.days.is_empty() && wanted.month_days.is_empty() && wanted.positions.is_empty();
        let first = setting.month(setting.first);
        if is_open && self.frequency == Frequency::Weekly {
            wanted.days.push(setting.first.weekday());
        }
        if is_open
            && matches!(self.frequency, Frequency::Monthly | Frequency::Yearly)
            && let Some(first) = first
        {
            wanted.month_days.push(first.day.into());
            if self.frequency == Frequency::Yearly && wanted.months.is_empty() {
                wanted.months.push(first.month.into());
            }
        }
        Ok(wanted)
    }

    fn number(&self, part: &str, range: std::ops::RangeInclusive<i64>) -> Result<Option<i64>, Trouble> {
        let Some(text) = self.parts.get(part) else {
            return Ok(None);
        };
        let number = text.parse().ok().filter(|number| range.contains(number));
        let text = || {
            format!(
                "`{part}={text}` is not a whole number from {} to {}.",
                range.start(),
                range.end()
            )
        };
        number.map(Some).ok_or_else(|| self.wrong(text()))
    }

    fn numbers(&self, part: &str, most: i64) -> Result<Vec<i64>, Trouble> {
        let Some(text) = self.parts.get(part) else {
            return Ok(Vec::new());
        };
        let read = |word: &str| word.parse().ok().filter(|it: &i64| *it != 0 && it.abs() <= most);
        let numbers: Option<Vec<i64>> = text.split(',').map(read).collect();
        numbers.ok_or_else(|| {
            self.wrong(format!(
                "`{part}={text}` has a number that is not from 1 to {most} or -1 to -{most}."
            ))
        })
    }

    fn days(&self, part: &str) -> Result<Vec<Weekday>, Trouble> {
        let Some(text) = self.parts.get(part) else {
            return Ok(Vec::new());
        };
        let days: Option<Vec<Weekday>> = text.split(',').map(weekday).collect();
        days.ok_or_else(|| {
            self.wrong(format!(
                "`{part}={text}` is not a list of days such as MO,TU. For working days and fiscal months, use \
                 BYSETPOS for positions."
            ))
        })
    }
}

/// The requested parts of a rule.
struct Wanted {
    interval: i64,
    count: usize,
    week_starts: Weekday,
    days: Vec<Weekday>,
    month_days: Vec<i64>,
    months: Vec<i64>,
    positions: Vec<i64>,
}

impl Wanted {
    fn fits(&self, setting: &Setting<'_>, date: Date) -> bool {
        let Some(month) = setting.month(date) else { return false };
        let (day, length) = (i64::from(month.day), i64::from(month.length));
        let is_day = |wanted: &i64| *wanted == day || *wanted == day - length - 1;
        (self.days.is_empty() || self.days.contains(&date.weekday()))
            && (self.month_days.is_empty() || self.month_days.iter().any(is_day))
            && (self.months.is_empty() || self.months.contains(&month.month.into()))
            && setting.working.is_none_or(|calendar| calendar.works_on(date))
    }

    /// The days at the wanted positions of a period; all of them where none is named.
    fn positions(&self, days: &[Date]) -> Vec<Date> {
        if self.positions.is_empty() {
            return days.to_vec();
        }
        let length = i64::try_from(days.len()).unwrap_or(i64::MAX);
        let place = |position: &i64| match *position {
            front if front > 0 => front - 1,
            back => length + back,
        };
        let places = self.positions.iter().map(place);
        let mut found: Vec<Date> = places
            .filter_map(|place| days.get(usize::try_from(place).ok()?).copied())
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// `FREQ=WEEKLY;BYDAY=FR`, with or without `RRULE:` before it, as its parts.
fn parts(text: &str) -> Result<BTreeMap<String, String>, String> {
    let text = text.trim().to_uppercase();
    let text = text.strip_prefix("RRULE:").unwrap_or(&text);
    let mut parts = BTreeMap::new();
    for part in text.split(';').filter(|part| !part.is_empty()) {
        let Some((name, value)) = part.split_once('=') else {
            return Err(format!("`{part}` is not part of a rule such as `FREQ=WEEKLY`."));
        };
        let is_plain = value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b",+-".contains(&byte));
        if value.is_empty() || !is_plain {
            return Err(format!("`{part}` has an invalid value."));
        }
        if parts.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(format!("`{name}` is given twice."));
        }
    }
    if parts.contains_key("COUNT") && parts.contains_key("UNTIL") {
        return Err("A rule can end by COUNT or UNTIL, not by both.".to_owned());
    }
    Ok(parts)
}

/// The rule in its usual spelling: parts in the order of the RFC's examples, FREQ first.
///
/// # Errors
/// The mistake in its parts, as text.
pub fn spelled(text: &str) -> Result<String, String> {
    let parts = parts(text)?;
    let order = |name: &&String| {
        OWN_PARTS
            .iter()
            .position(|known| known == name)
            .unwrap_or(OWN_PARTS.len())
    };
    let mut names: Vec<&String> = parts.keys().collect();
    names.sort_by_key(order);
    let words: Vec<String> = names.iter().map(|name| format!("{name}={}", parts[*name])).collect();
    Ok(words.join(";"))
}

/// The frequency of a rule, as the value that forms use: `weekly`.
#[must_use]
pub fn frequency_of(text: &str) -> Option<String> {
    parts(text).ok()?.get("FREQ").map(|word| word.to_lowercase())
}

fn unknown_part(name: &str, setting: &Setting<'_>) -> String {
    match name {
        "BYHOUR" | "BYMINUTE" | "BYSECOND" => {
            format!("`{name}` cannot be used: the times of day are those of `starts_at` and `ends_at`.")
        }
        _ if !setting.is_plain() => format!(
            "`{name}` cannot be used over working days or fiscal months; use {}.",
            OWN_PARTS.join(", ")
        ),
        _ => format!("`{name}` is not part of a rule (RFC 5545, 3.3.10)."),
    }
}

fn weekday(word: &str) -> Option<Weekday> {
    Some(match word {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    })
}

fn week_begin(date: Date, starts: Weekday) -> Date {
    date.saturating_sub(date.weekday().since(starts).days())
}

/// The last date before UNTIL for occurrences at this local time of day.
fn last_date(told: &str, (zone, starts): (&TimeZone, DateTime)) -> Option<Date> {
    let date = |text: &str| Date::strptime("%Y%m%d", text).ok();
    if told.len() == 8 {
        return date(told);
    }
    let at = match told.strip_suffix('Z') {
        Some(text) => {
            let utc = DateTime::strptime("%Y%m%dT%H%M%S", text).ok()?;
            let at = utc.to_zoned(TimeZone::UTC).ok()?.timestamp();
            at.to_zoned(zone.clone()).datetime()
        }
        None => DateTime::strptime("%Y%m%dT%H%M%S", told).ok()?,
    };
    match at.time() < starts.time() {
        true => at.date().yesterday().ok(),
        false => Some(at.date()),
    }
}
