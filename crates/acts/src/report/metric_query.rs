//! A metric query: the metric, the time, the filter of rows, and the dimension of the split. All errors are returned at once.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::core::enums::Role;
use model::core::ids::{EnvironmentKey, PersonId, ServiceKey};
use model::core::parse;
use model::core::refusal::{FieldError, Refusal};
use model::directory::snapshot::Directory;
use model::directory::unknown_name;
use model::report::definition::{self, Definition, Formula, Population};
use model::report::evaluate::Window;
use model::report::population::{Dimension, RowFilter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The longest window, in days: ten years.
pub const LONGEST_DAYS: i64 = 3_660;
/// The fields of the query, in the order in which they are listed.
pub const FIELDS: [&str; 13] = [
    "from",
    "to",
    "zone",
    "by",
    "team",
    "service",
    "kind",
    "category",
    "risk",
    "template",
    "environment",
    "vendor",
    "approver",
];

/// A question about a metric.
#[derive(Debug, Clone)]
pub struct MetricQuery {
    /// The metric.
    pub definition: &'static Definition,
    /// When.
    pub window: Window,
    /// The zone that defines the window's days.
    pub zone: TimeZone,
    /// Which rows.
    pub filter: RowFilter,
    /// The dimension of the split.
    pub by: Option<Dimension>,
    /// Of times to approve: those of this approver alone; a login.
    pub approver: Option<String>,
}

/// The metric with this id.
///
/// # Errors
/// 404 with the nearest id.
pub fn find_metric(id: &str) -> Result<&'static Definition> {
    let known = || definition::all().iter().map(|it| it.id.as_str()).collect::<Vec<_>>();
    definition::find(id).ok_or_else(|| {
        let hint = parse::nearest(id, &known()).map(|it| format!(" (did you mean `{it}`?)"));
        Refusal::not_found(format!("metric `{id}`{}", hint.unwrap_or_default())).into()
    })
}

/// Reads a query; `get` returns the value of a field, and an empty value counts as absent.
///
/// # Errors
/// 404 for an unknown metric; 422 with every field that is wrong.
pub fn read_query<'q>(id: &str, now: Timestamp, get: impl Fn(&str) -> Option<&'q str>) -> Result<MetricQuery> {
    let definition = find_metric(id)?;
    let mut reading = Fields { get, wrong: Vec::new() };
    let zone = reading.zone();
    let window = reading.window(definition, &zone, now);
    let text = |reading: &Fields<_>, name: &str| reading.value(name).map(str::to_owned);
    let filter = RowFilter {
        team: text(&reading, "team"),
        service: text(&reading, "service"),
        kind: reading.word("kind"),
        category: reading.word("category"),
        risk: reading.word("risk"),
        template: text(&reading, "template"),
        environment: text(&reading, "environment"),
        vendor: text(&reading, "vendor"),
        approver: None,
        within: None,
    };
    let by = reading.dimension();
    let approver = text(&reading, "approver");
    if approver.is_some() && definition.population != Population::Rules {
        let text = "`approver` applies only to times to approve.";
        reading.refuse("approver", "not_allowed", text.to_owned());
    }
    match reading.wrong {
        wrong if wrong.is_empty() => Ok(MetricQuery {
            definition,
            window,
            zone,
            filter,
            by,
            approver,
        }),
        wrong => Err(Refusal::Invalid(wrong).into()),
    }
}

/// Checks that the places of a filter are known: for a misspelled place a figure would show that nothing happened.
///
/// # Errors
/// 422 with each name that nothing here has, and those near it.
pub(crate) fn check_places(directory: &Directory, filter: &RowFilter) -> Result<()> {
    let mut wrong = Vec::new();
    if let Some(key) = &filter.service
        && !directory.services.contains_key(&ServiceKey::from(key.as_str()))
    {
        wrong.push(FieldError::new(
            "service",
            "unknown",
            unknown_name::service(directory, key),
        ));
    }
    if let Some(key) = &filter.environment
        && !directory.environments.contains_key(&EnvironmentKey::from(key.as_str()))
    {
        let text = unknown_name::environment(directory, key);
        wrong.push(FieldError::new("environment", "unknown", text));
    }
    if let Some(key) = &filter.vendor
        && directory.vendors.iter().all(|vendor| vendor.key != *key)
    {
        wrong.push(FieldError::new(
            "vendor",
            "unknown",
            format!("There is no vendor `{key}`."),
        ));
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Refusal::Invalid(wrong).into()),
    }
}

/// Whether the acting person reads as a change manager: by right, and with a token that carries the right.
///
/// # Errors
/// The store's.
pub(crate) fn is_change_manager(cx: &mut Context<'_, '_>) -> Result<bool> {
    let role = Role::ChangeManager;
    let may_speak = cx.actor.narrowed_to().is_none_or(|roles| roles.contains(&role));
    Ok(may_speak && cx.directory()?.has_role(&cx.actor.person, role))
}

/// The approver whom a query names. Only that person and change managers may see how fast an approver decides; the refusal does
/// not reveal whether the login is known.
///
/// # Errors
/// 403; 422 for a login that nobody has.
pub(crate) fn find_approver(cx: &mut Context<'_, '_>, login: &str) -> Result<PersonId> {
    let directory = cx.directory()?;
    let found = directory.by_login(login).map(|person| person.id.clone());
    if found.as_ref() == Some(&cx.actor.person) {
        return Ok(cx.actor.person.clone());
    }
    if !is_change_manager(cx)? {
        let text = "Times of an approver are shown only to that approver and to change managers.";
        return Err(Refusal::not_allowed("not_yours", text).into());
    }
    let text = || format!("`approver`: no person has the login `{login}`.");
    Ok(found.ok_or_else(|| Refusal::field("approver", "unknown", text()))?)
}

struct Fields<G> {
    get: G,
    wrong: Vec<FieldError>,
}

impl<'q, G: Fn(&str) -> Option<&'q str>> Fields<G> {
    fn value(&self, name: &str) -> Option<&'q str> {
        (self.get)(name).map(str::trim).filter(|it| !it.is_empty())
    }

    fn refuse(&mut self, name: &str, code: &str, text: String) {
        self.wrong.push(FieldError::new(name, code, text));
    }

    fn zone(&mut self) -> TimeZone {
        let Some(name) = self.value("zone") else {
            return TimeZone::UTC;
        };
        TimeZone::get(name).unwrap_or_else(|_| {
            let text = format!("`zone`: `{name}` is no time zone; an example is `Europe/Oslo`.");
            self.refuse("zone", "unknown_word", text);
            TimeZone::UTC
        })
    }

    fn word<T: std::str::FromStr<Err = String>>(&mut self, name: &str) -> Option<T> {
        match self.value(name)?.parse() {
            Ok(word) => Some(word),
            Err(why) => {
                self.refuse(name, "unknown_word", format!("`{name}`: {why}."));
                None
            }
        }
    }

    fn dimension(&mut self) -> Option<Dimension> {
        let word = self.value("by")?;
        let found = Dimension::parse(word);
        if found.is_none() {
            let words = Dimension::ALL.map(Dimension::as_str).join(", ");
            self.refuse("by", "unknown_word", format!("`by`: `{word}` is none of: {words}."));
        }
        found
    }

    /// A day in the zone, or a moment in RFC 3339.
    fn moment(&mut self, name: &str, zone: &TimeZone) -> Option<Timestamp> {
        let text = self.value(name)?;
        if let Ok(day) = text.parse::<Date>()
            && text.len() == "2026-01-31".len()
            && let Ok(start) = day.to_zoned(zone.clone())
        {
            return Some(start.timestamp());
        }
        match text.parse() {
            Ok(at) => Some(at),
            Err(_) => {
                let text = format!("`{name}`: `{text}` is no day such as `2026-01-31` and no moment in RFC 3339.");
                self.refuse(name, "not_readable", text);
                None
            }
        }
    }

    fn window(&mut self, definition: &Definition, zone: &TimeZone, now: Timestamp) -> Window {
        let (from, to) = (self.moment("from", zone), self.moment("to", zone));
        let last = match definition.formula {
            Formula::PerWeek => week_begins(now, zone),
            _ => now,
        };
        let to = to.unwrap_or(last);
        let span = SignedDuration::from_hours(24 * definition.window_days);
        let from = from.unwrap_or_else(|| to.checked_sub(span).unwrap_or(Timestamp::MIN));
        let length = to.duration_since(from);
        if length <= SignedDuration::ZERO {
            self.refuse("to", "out_of_order", "`to` must be later than `from`.".to_owned());
        } else if length > SignedDuration::from_hours(24 * LONGEST_DAYS) {
            let text = format!("A window has at most {LONGEST_DAYS} days. Set `from` and `to` closer together.");
            self.refuse("from", "too_long", text);
        }
        Window { from, to }
    }
}

/// The Monday with which the week of a moment begins.
#[must_use]
pub fn week_begins(at: Timestamp, zone: &TimeZone) -> Timestamp {
    let date = at.to_zoned(zone.clone()).date();
    let back = date.weekday().since(Weekday::Monday);
    let monday = date.checked_sub(i64::from(back).days());
    let start = monday.and_then(|it| it.to_zoned(zone.clone()));
    start.map_or(at, |it| it.timestamp())
}
