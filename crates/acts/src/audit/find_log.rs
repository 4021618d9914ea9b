//! Finds entries of the log, by their place alone or by a filter: their kind, the actor, the subject, the time of
//! recording.
//!
//! The log is long and matches may be rare, so one response scans at most [`LOOKED_AT`] entries and then names where
//! the next one begins. The subject of an entry has an index; days are found by binary search, because indexes grow
//! with time. Kinds and actors have no index: each event would write it twice, when the event is recorded and when it
//! gets its place, only so that an auditor's rare query needs one page instead of several.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use model::change::record::Change;
use model::core::act::actions;
use model::core::ids::PersonId;
use model::core::refusal::{FieldError, Refusal};
use store::audit::event::{self, Event};
use store::record::Record;

use crate::audit::find_timeline::{LogView, ShownEvent, find_seal, to_shown};
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::show_timeline::{events_of, records_of};
use crate::core::write::way_in;

/// The most entries that one response scans.
pub const LOOKED_AT: i64 = 20_000;
/// How many are read at once.
const STEP: i64 = 1_000;
/// The largest difference between the clocks of several servers: within it, entries around a moment may be in another
/// order.
const CLOCKS: SignedDuration = SignedDuration::from_mins(15);
/// The longest kind. Its characters have no meaning in a pattern except `_`, which the comparison afterwards handles.
const MOST_OF_KIND: usize = 80;

/// The filter on entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// A kind, `approval.given`, or the part before the point for all kinds that begin with it.
    pub kind: Option<String>,
    /// The actor: a login, or `system`.
    pub actor: Option<String>,
    /// The subject: the key of a change, service, environment, group, template or incident, a login, or the id of a
    /// freeze or window.
    pub about: Option<String>,
    /// Written down at this time or later.
    pub from: Option<Timestamp>,
    /// Written down before this time.
    pub to: Option<Timestamp>,
    /// Acts from this IP address, including refused sign-ins.
    pub address: Option<String>,
    /// Acts in this session, by its listed name.
    pub session: Option<String>,
    /// Acts with this token, by its id.
    pub token: Option<String>,
}

impl LogFilter {
    /// Whether everything fits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A page of the log.
#[derive(Debug, Clone, Default)]
pub struct LogPage {
    /// Entries, newest first.
    pub entries: Vec<ShownEvent>,
    /// The index before which the next page ends; `None` if no older entries are left.
    pub next: Option<i64>,
    /// Whether the page ended by [`LOOKED_AT`], so that older entries may match too.
    pub is_cut: bool,
}

/// Finds a page of the log that ends before the index `before`, newest first.
///
/// # Errors
/// 403, or the store's.
pub fn find_log(cx: &mut Context<'_, '_>, before: Option<i64>, limit: i64) -> Result<LogView> {
    cx.allow(actions::AUDIT)?;
    let mut view = find_seal(cx)?;
    let end = before.unwrap_or(view.size).clamp(0, view.size);
    let from = (end - limit).max(0);
    let mut entries: Vec<ShownEvent> = event::page(cx.tx, from, end - from)?
        .into_iter()
        .map(to_shown)
        .collect();
    entries.reverse();
    view.entries = entries;
    Ok(view)
}

/// Finds entries that match a filter before the index `before`, newest first.
///
/// # Errors
/// 403, 422 for an unknown name, or the store's.
pub fn search_log(cx: &mut Context<'_, '_>, filter: &LogFilter, before: Option<i64>, limit: i64) -> Result<LogPage> {
    search_within(cx, filter, LOOKED_AT, before, limit)
}

/// The same, with a limit on the entries that are read.
///
/// # Errors
/// As [`search_log`].
pub fn search_within(
    cx: &mut Context<'_, '_>,
    filter: &LogFilter,
    most: i64,
    before: Option<i64>,
    limit: i64,
) -> Result<LogPage> {
    cx.allow(actions::AUDIT)?;
    let asked = ResolvedFilter {
        most,
        ..ResolvedFilter::read(cx, filter)?
    };
    let size = find_seal(cx)?.size;
    let end = before.unwrap_or(size).clamp(0, size);
    match &filter.about {
        Some(about) => about_page(cx, &asked, about, end, limit),
        None => walked_page(cx, &asked, end, limit),
    }
}

/// A filter whose values were resolved.
struct ResolvedFilter {
    /// The most entries that are read.
    most: i64,
    kind: Option<String>,
    actor: Option<PersonId>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    /// The code of the address.
    address: Option<String>,
    session: Option<String>,
    token: Option<String>,
}

impl ResolvedFilter {
    fn read(cx: &mut Context<'_, '_>, filter: &LogFilter) -> Result<Self> {
        let mut wrong: Vec<FieldError> = wrong_kind(filter).into_iter().chain(wrong_span(filter)).collect();
        let actor = match actor(cx, filter.actor.as_deref()) {
            Err(Error::Refused(Refusal::Invalid(errors))) => {
                wrong.extend(errors);
                None
            }
            found => found?,
        };
        let address = match filter.address.as_deref().map(address_of).transpose() {
            Ok(address) => address,
            Err(error) => {
                wrong.push(error);
                None
            }
        };
        if !wrong.is_empty() {
            return Err(Refusal::Invalid(wrong).into());
        }
        Ok(Self {
            address: address.map(|address| way_in::address_code(cx, &address)),
            session: filter.session.clone(),
            token: filter.token.clone(),
            most: LOOKED_AT,
            kind: filter.kind.clone(),
            actor,
            from: filter.from,
            to: filter.to,
        })
    }

    fn pattern(&self) -> String {
        self.kind
            .as_ref()
            .map_or_else(|| "%".to_owned(), |kind| format!("{kind}%"))
    }

    fn fits(&self, told: &ShownEvent) -> bool {
        let is_kind =
            |kind: &String| told.kind == *kind || told.kind.strip_prefix(kind).is_some_and(|it| it.starts_with('.'));
        self.kind.as_ref().is_none_or(is_kind)
            && self.actor.as_ref().is_none_or(|actor| told.actor == *actor)
            && self.from.is_none_or(|from| told.recorded_at >= from)
            && self.to.is_none_or(|to| told.recorded_at < to)
            && self.came_by(told)
    }

    /// Whether an entry came from the address, session and token of the filter.
    fn came_by(&self, told: &ShownEvent) -> bool {
        let via = |name: &str| told.data.get(way_in::MEMBER)?.get(name)?.as_str();
        [
            ("address", &self.address),
            ("session", &self.session),
            ("token", &self.token),
        ]
        .into_iter()
        .all(|(name, asked)| asked.as_deref().is_none_or(|asked| via(name) == Some(asked)))
    }
}

fn wrong_kind(filter: &LogFilter) -> Option<FieldError> {
    let kind = filter.kind.as_deref()?;
    let is_word = kind.bytes().all(|it| it.is_ascii_lowercase() || b"._".contains(&it));
    (!is_word || kind.len() > MOST_OF_KIND).then(|| {
        let text = format!(
            "`{kind}` is not a kind of entry. Use a kind such as `approval.given`, or `approval` for all of its \
                     kinds."
        );
        FieldError::new("kind", "unknown", text)
    })
}

/// An address in its normal form, as in requests.
fn address_of(text: &str) -> std::result::Result<String, FieldError> {
    let address: std::result::Result<IpAddr, _> = text.trim().parse();
    address.map(|it| it.to_canonical().to_string()).map_err(|_| {
        let why = format!("`{text}` is not an IP address such as 203.0.113.7 or 2001:db8::7.");
        FieldError::new("address", "unreadable", why)
    })
}

fn wrong_span(filter: &LogFilter) -> Option<FieldError> {
    let is_wrong = filter.to? <= filter.from?;
    is_wrong.then(|| FieldError::new("to", "out_of_order", "`to` must be later than `from`."))
}

fn actor(cx: &mut Context<'_, '_>, login: Option<&str>) -> Result<Option<PersonId>> {
    let Some(login) = login else {
        return Ok(None);
    };
    if login == "system" {
        return Ok(Some(PersonId::from(login)));
    }
    match cx.directory()?.by_login(login) {
        Some(person) => Ok(Some(person.id.clone())),
        None => Err(Refusal::field("actor", "unknown", format!("No person has the login `{login}`.")).into()),
    }
}

/// The page of entries about one thing.
fn about_page(cx: &mut Context<'_, '_>, asked: &ResolvedFilter, about: &str, end: i64, limit: i64) -> Result<LogPage> {
    let (found, is_cut) = match cx.change(about) {
        // All of a change's entries are read, whatever their number.
        Ok(change) => (around(cx, &change)?, false),
        Err(Error::Refused(_)) => {
            let (table, id) = named(cx, about)?;
            let found = event::of_subject_below(cx.tx, (table, &id), end, asked.most)?;
            let is_full = i64::try_from(found.len()).unwrap_or(i64::MAX) >= asked.most;
            (found, is_full)
        }
        Err(error) => return Err(error),
    };
    let oldest = found.iter().filter_map(|event| event.seq).min();
    let mut placed: Vec<ShownEvent> = found.into_iter().map(to_shown).collect();
    placed.retain(|told| told.index.is_some_and(|index| index < end) && asked.fits(told));
    placed.sort_by_key(|told| std::cmp::Reverse(told.index));
    let mut page = cut(placed, limit);
    if page.next.is_none() && is_cut {
        page.next = oldest;
        page.is_cut = true;
    }
    Ok(page)
}

fn around(cx: &mut Context<'_, '_>, change: &Change) -> Result<Vec<Event>> {
    let names = records_of(cx, change)?;
    events_of(cx, change, &names)
}

/// The first `limit` of the matches, and where to continue.
fn cut(mut entries: Vec<ShownEvent>, limit: i64) -> LogPage {
    let limit = usize::try_from(limit).unwrap_or_default();
    let is_more = entries.len() > limit;
    entries.truncate(limit);
    LogPage {
        next: entries.last().and_then(|told| told.index).filter(|_| is_more),
        entries,
        is_cut: false,
    }
}

/// The record behind a value: its table and id.
fn named(cx: &mut Context<'_, '_>, word: &str) -> Result<(&'static str, String)> {
    use model::directory::snapshot::{
        Environment, Freeze, Group, Incident, MaintenanceWindow, Person, Service, StandardTemplate,
    };
    let it = cx.directory()?;
    let found = (it
        .services
        .get(&word.into())
        .map(|row| (Service::TABLE, row.id.0.clone())))
    .or_else(|| {
        it.environments
            .get(&word.into())
            .map(|row| (Environment::TABLE, row.id.0.clone()))
    })
    .or_else(|| it.by_login(word).map(|row| (Person::TABLE, row.id.0.clone())))
    .or_else(|| it.groups.get(&word.into()).map(|row| (Group::TABLE, row.id.0.clone())))
    .or_else(|| {
        it.templates
            .get(word)
            .map(|row| (StandardTemplate::TABLE, row.id.0.clone()))
    })
    .or_else(|| {
        it.incidents
            .get(&word.to_uppercase())
            .map(|row| (Incident::TABLE, row.id.0.clone()))
    })
    .or_else(|| {
        it.freezes
            .iter()
            .find(|row| row.id.0 == word)
            .map(|row| (Freeze::TABLE, row.id.0.clone()))
    })
    .or_else(|| {
        it.windows
            .iter()
            .find(|row| row.id.0 == word)
            .map(|row| (MaintenanceWindow::TABLE, row.id.0.clone()))
    });
    found.ok_or_else(|| {
        let text = format!(
            "`{word}` is neither the key of a change, service, environment, group, template or incident nor a login."
        );
        Refusal::field("about", "unknown", text).into()
    })
}

/// The page of entries found by walking down the log, step by step.
fn walked_page(cx: &mut Context<'_, '_>, asked: &ResolvedFilter, end: i64, limit: i64) -> Result<LogPage> {
    let floor = match asked.from.and_then(|at| at.checked_sub(CLOCKS).ok()) {
        Some(at) => first_since(cx, at, end)?,
        None => 0,
    };
    let mut top = match asked.to.and_then(|at| at.checked_add(CLOCKS).ok()) {
        Some(at) => first_since(cx, at, end)?,
        None => end,
    };
    let last = floor.max(top.saturating_sub(asked.most));
    let (pattern, mut fits) = (asked.pattern(), Vec::new());
    while top > last {
        let from = last.max(top - STEP);
        let step = event::page_below(cx.tx, from, top, &pattern)?.into_iter().map(to_shown);
        fits.extend(step.filter(|told| asked.fits(told)));
        top = from;
        if i64::try_from(fits.len()).unwrap_or(i64::MAX) > limit {
            return Ok(cut(fits, limit));
        }
    }
    let is_cut = last > floor;
    Ok(LogPage {
        entries: fits,
        next: is_cut.then_some(last),
        is_cut,
    })
}

/// The index of the first entry below `end` that was recorded at a time or later.
pub(crate) fn first_since(cx: &mut Context<'_, '_>, at: Timestamp, end: i64) -> Result<i64> {
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        match event::recorded_at(cx.tx, middle)? {
            Some(recorded) if recorded < at => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}
