//! “What changed?”: the changes on a service or config item, and on its dependencies, before a time, ranked.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use model::change::record::Change;
use model::change::related_records::Deployment;
use model::core::act::actions;
use model::core::enums::{DriftEnding, NodeKind, NoticeState, Outcome, State};
use model::core::ids::ServiceKey;
use model::core::refusal::Refusal;
use model::directory::snapshot::{Directory, Incident};
use model::directory::unknown_name;
use model::incident::drift::finding::DriftFinding;
use model::incident::watch::{is_in_watch, longest};
use model::incident::what_changed::{Happening, Near, Ranked, near, of_change, order, rank};
use model::schedule::vendor_notice::{LONGEST, VendorNotice};
use store::change::changes;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The most changes and deployments that are examined.
const MOST: i64 = 2_000;
/// The most pages of deployments that are read.
const MOST_PAGES: usize = 5;
/// The most items in a result.
pub const ANSWERED: usize = 100;

/// The question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// A service, or `None` when the question is about a config item.
    pub service: Option<String>,
    /// A config item, by its key, its name or one of its addresses.
    pub item: Option<String>,
    /// Before this time.
    pub before: Timestamp,
    /// How many hours are looked back.
    pub hours: i64,
}

/// One thing that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The change's key; absent for a deployment that no change names.
    pub change: Option<String>,
    /// The deployment's id, where no change names it.
    pub deployment: Option<String>,
    /// The id of a finding of drift, where no change explains it.
    pub drift: Option<String>,
    /// The id of a vendor's notice of maintenance that began.
    pub notice: Option<String>,
    /// In one line.
    pub title: String,
    /// The nearest service that it changed.
    pub service: String,
    /// When, how far away, of which kind.
    pub happening: Happening,
    /// Its place, and why.
    pub ranked: Ranked,
    /// The change's state.
    pub state: Option<State>,
    /// The outcome of the whole change, once each target has one.
    pub outcome: Option<Outcome>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangesFound {
    /// Whether the question is about a service or a config item.
    pub kind: NodeKind,
    /// Its key.
    pub key: String,
    /// From when on.
    pub from: Timestamp,
    /// Before when.
    pub before: Timestamp,
    /// How many things were searched: the subject and its dependencies.
    pub things: usize,
    /// The changes and events, the likeliest cause first.
    pub items: Vec<Changed>,
    /// Whether there was more than was searched or is listed.
    pub more: bool,
}

/// Answers the question. For a person who is scoped to services, the rest is absent.
///
/// # Errors
/// 403, 404, 422, or the store's.
pub fn find_what_changed(cx: &mut Context<'_, '_>, question: &Question) -> Result<ChangesFound> {
    cx.allow(actions::READ)?;
    let directory = cx.visible()?;
    let (kind, key) = find_subject(&directory, question)?;
    let (mut things, is_cut) = near(&directory, kind, &key);
    let before = question.before;
    let back = SignedDuration::from_hours(question.hours);
    let from = before.checked_sub(back).unwrap_or(Timestamp::MIN);
    // A change of the service of an item names the service, so the search is by services.
    let services = services(&directory, &things);
    let scope = cx.scope()?;
    if let Some(scope) = &scope {
        things.retain(|(kind, key), _| *kind == NodeKind::ConfigItem || scope.has(key));
    }
    let mut items = Vec::new();
    let ids = changes::worked_since(cx.tx, from, &services, MOST)?;
    let mut more = is_cut || ids.len() as i64 >= MOST;
    for id in &ids {
        let Some(stored) = record::load::<Change>(cx.tx, id)? else {
            continue;
        };
        let change = stored.record;
        if scope.as_ref().is_some_and(|scope| !scope.sees(&change)) {
            continue;
        }
        items.extend(changed(&change, &things, (from, before)));
    }
    if scope.is_none() {
        let (found, is_more) = deployments(cx, &things, (from, before))?;
        items.extend(found);
        more |= is_more;
        let told: BTreeSet<String> = items.iter().filter_map(|it| it.change.clone()).collect();
        let (found, is_more) = drift(cx, (&things, &services, &told), (from, before))?;
        items.extend(found);
        more |= is_more;
        items.extend(maintenance(cx, &things, (from, before))?);
    }
    items.sort_by(|one, other| {
        order((&one.ranked, &one.happening), (&other.ranked, &other.happening))
            .then_with(|| one.change.cmp(&other.change))
    });
    more |= items.len() > ANSWERED;
    items.truncate(ANSWERED);
    Ok(ChangesFound {
        kind,
        key,
        from,
        before,
        things: things.len(),
        items,
        more,
    })
}

/// The subject of the question: a service by its key, a config item by its key, its name or one of its addresses.
fn find_subject(directory: &Directory, question: &Question) -> Result<(NodeKind, String)> {
    if let Some(key) = &question.service {
        return match directory.services.get(&key.as_str().into()) {
            Some(service) => Ok((NodeKind::Service, service.key.0.clone())),
            None => Err(Refusal::field("service", "unknown", unknown_name::service(directory, key)).into()),
        };
    }
    let Some(name) = &question.item else {
        let text = "Name a `service`, or a config item as `item`.";
        return Err(Refusal::field("service", "missing", text).into());
    };
    if let Some(item) = directory.config_items.get(name) {
        return Ok((NodeKind::ConfigItem, item.key.clone()));
    }
    let address = name.to_lowercase();
    let mut named = directory
        .config_items
        .values()
        .filter(|item| item.name.eq_ignore_ascii_case(name) || item.addresses.contains(&address));
    match (named.next(), named.next()) {
        (Some(item), None) => Ok((NodeKind::ConfigItem, item.key.clone())),
        (Some(_), Some(_)) => {
            let text = format!("Several config items are called `{name}`; name one by its key.");
            Err(Refusal::field("item", "ambiguous", text).into())
        }
        (None, _) => {
            let text = format!("There is no config item `{name}`.");
            Err(Refusal::field("item", "unknown", text).into())
        }
    }
}

fn services(directory: &Directory, things: &Near) -> BTreeSet<String> {
    let of = |(kind, key): &(NodeKind, String)| match kind {
        NodeKind::Service => Some(key.clone()),
        NodeKind::ConfigItem => directory.config_items.get(key).map(|item| item.service.0.clone()),
    };
    things.keys().filter_map(of).collect()
}

/// The changes of the services of an incident in whose work or watch it began, however long ago their work ended.
///
/// # Errors
/// The store's.
pub(crate) fn find_watching(cx: &mut Context<'_, '_>, incident: &Incident) -> Result<Vec<Changed>> {
    let (directory, visible) = (cx.directory()?, cx.visible()?);
    let seen = incident
        .services
        .iter()
        .filter(|key| visible.services.contains_key(*key));
    let services: BTreeSet<String> = seen.map(|key| key.0.clone()).collect();
    if services.is_empty() {
        return Ok(Vec::new());
    }
    let things: Near = services
        .iter()
        .map(|key| ((NodeKind::Service, key.clone()), 0))
        .collect();
    let before = incident.started_at;
    let from = before.checked_sub(longest(&directory)).unwrap_or(Timestamp::MIN);
    let scope = cx.scope()?;
    let mut found = Vec::new();
    for id in changes::worked_since(cx.tx, from, &services, MOST)? {
        let Some(stored) = record::load::<Change>(cx.tx, &id)? else {
            continue;
        };
        let change = stored.record;
        let is_seen = scope.as_ref().is_none_or(|scope| scope.sees(&change));
        if is_seen && is_in_watch(&change, &directory, incident) {
            found.extend(changed(&change, &things, (from, before)));
        }
    }
    for it in &mut found {
        it.ranked.reasons.push("in its watch window".to_owned());
    }
    Ok(found)
}

fn changed(change: &Change, things: &Near, span: (Timestamp, Timestamp)) -> Option<Changed> {
    let (happening, service) = of_change(change, things, span)?;
    Some(Changed {
        change: Some(change.key.clone()),
        deployment: None,
        drift: None,
        notice: None,
        title: change.content.title.clone(),
        service: service.0,
        ranked: rank(&happening, span.1),
        happening,
        state: Some(change.state),
        outcome: change.outcome,
    })
}

/// Deployments that no change names, or that nothing allowed, even when a draft was made of them. They were reported in the
/// time, so their ids lie in the range of the time. A deployment that was reported late is found by its own time.
fn deployments(
    cx: &mut Context<'_, '_>,
    things: &Near,
    (from, before): (Timestamp, Timestamp),
) -> Result<(Vec<Changed>, bool)> {
    let (rows, more) = strays(cx, from)?;
    let mut last: HashMap<(String, String), Changed> = HashMap::new();
    for row in rows
        .into_iter()
        .filter(|row| row.same_as.is_none() && (row.change.is_none() || row.has_begun()))
        .filter(|row| from <= row.at && row.at <= before)
    {
        let Some(distance) = things.get(&(NodeKind::Service, row.service.0.clone())) else {
            continue;
        };
        let happening = Happening {
            began: row.at,
            ended: Some(row.status_at.unwrap_or(row.at).max(row.at)),
            distance: *distance,
            kind: None,
            risk: None,
            forecast_ppm: None,
            failed: row
                .status
                .as_deref()
                .is_some_and(|status| matches!(status, "failure" | "failed" | "error")),
            undone: false,
        };
        let changed = Changed {
            change: None,
            deployment: Some(row.id.0.clone()),
            drift: None,
            notice: None,
            title: format!("Deployment of {} to {}", row.service, row.environment),
            service: row.service.0.clone(),
            ranked: rank(&happening, before),
            happening,
            state: None,
            outcome: None,
        };
        last.insert((row.id.0, row.natural_key), changed);
    }
    Ok((last.into_values().collect(), more))
}

/// Differences that no change explains and no baseline expects: a manual change, whatever was decided about it afterwards. One
/// thing has one row, its latest difference; a difference whose change is listed already has none.
fn drift(
    cx: &mut Context<'_, '_>,
    (things, services, told): (&Near, &BTreeSet<String>, &BTreeSet<String>),
    (from, before): (Timestamp, Timestamp),
) -> Result<(Vec<Changed>, bool)> {
    if services.is_empty() {
        return Ok((Vec::new(), false));
    }
    let seen = Filter::new()
        .at_least("last_seen", from)
        .one_of("service", services.iter().map(String::as_str))
        .descending_by("id")
        .limit(MOST);
    let rows = record::bodies::<DriftFinding>(cx.tx, &seen)?;
    let more = rows.len() as i64 >= MOST;
    let mut last: HashMap<(String, String), Changed> = HashMap::new();
    for row in rows {
        let is_told = row.change.as_ref().is_some_and(|key| told.contains(key));
        let is_explained = is_told || row.ending == Some(DriftEnding::Explained);
        let is_expected = row.baseline.is_some() || row.ending == Some(DriftEnding::Expected);
        let at = row.appeared_at;
        if is_explained || is_expected || at < from || before < at {
            continue;
        }
        let place = |kind: NodeKind, key: &str| things.get(&(kind, key.to_owned())).copied();
        let Some(service) = row.service else { continue };
        let item = row.config_item.as_deref();
        let item = item.and_then(|item| place(NodeKind::ConfigItem, item));
        let own = place(NodeKind::Service, service.as_str());
        let Some(distance) = own.into_iter().chain(item).min() else {
            continue;
        };
        let happening = Happening {
            began: at,
            ended: Some(at),
            distance,
            kind: None,
            risk: None,
            forecast_ppm: None,
            failed: false,
            undone: false,
        };
        let thing = (row.source.0, row.address);
        if last.get(&thing).is_some_and(|known| known.happening.began > at) {
            continue;
        }
        let changed = Changed {
            change: None,
            deployment: None,
            drift: Some(row.id.0),
            notice: None,
            title: format!("Drift of {}", thing.1),
            service: service.0,
            ranked: rank(&happening, before),
            happening,
            state: None,
            outcome: None,
        };
        last.insert(thing, changed);
    }
    Ok((last.into_values().collect(), more))
}

/// Maintenance of vendors that began: under way, or over since.
fn maintenance(
    cx: &mut Context<'_, '_>,
    things: &Near,
    (from, before): (Timestamp, Timestamp),
) -> Result<Vec<Changed>> {
    let begun = [NoticeState::UnderWay, NoticeState::Completed].map(NoticeState::as_str);
    // Maintenance that is over ended within its announced times, or not much later.
    let since = from.checked_sub(LONGEST).unwrap_or(Timestamp::MIN);
    let told = Filter::new().one_of("state", begun).at_least("ends_at", since);
    let rows = record::bodies::<VendorNotice>(cx.tx, &told.descending_by("ends_at").limit(MOST))?;
    let mut found = Vec::new();
    for row in rows {
        let began = row.actual_start.unwrap_or(row.starts_at);
        let ended = match row.state {
            NoticeState::Completed => Some(row.actual_end.unwrap_or(row.ends_at)),
            _ => None,
        };
        if began > before || ended.is_some_and(|end| end < from) {
            continue;
        }
        let place = |key: &ServiceKey| things.get(&(NodeKind::Service, key.0.clone())).copied();
        let services = row.services.iter().filter_map(|key| Some((place(key)?, key.clone())));
        let Some((distance, service)) = services.min() else {
            continue;
        };
        let happening = Happening {
            began,
            ended,
            distance,
            kind: None,
            risk: None,
            forecast_ppm: None,
            failed: false,
            undone: false,
        };
        found.push(Changed {
            change: None,
            deployment: None,
            drift: None,
            notice: Some(row.id.0),
            title: format!("{} ({} {})", row.title, row.vendor, row.reference),
            service: service.0,
            ranked: rank(&happening, before),
            happening,
            state: None,
            outcome: None,
        });
    }
    Ok(found)
}

/// Deployments without a change since a time, and those without a lawful start; and whether there are more.
fn strays(cx: &mut Context<'_, '_>, from: Timestamp) -> Result<(Vec<Deployment>, bool)> {
    let mut found = Vec::new();
    let mut after = first_id(from);
    for _ in 0..MOST_PAGES {
        let page = Filter::new().more("id", after.as_str()).order_by("id").limit(MOST);
        let rows = record::bodies::<Deployment>(cx.tx, &page)?;
        let is_last = (rows.len() as i64) < MOST;
        if let Some(last) = rows.last() {
            after.clone_from(&last.id.0);
        }
        found.extend(rows.into_iter().filter(|row| row.change.is_none() || row.unauthorized));
        if is_last {
            return Ok((found, false));
        }
    }
    Ok((found, true))
}

/// The least id of a record that was made at a time: ids are UUIDv7 and begin with milliseconds.
pub(crate) fn first_id(at: Timestamp) -> String {
    let milliseconds = u64::try_from(at.as_millisecond()).unwrap_or_default();
    format!("{:08x}-{:04x}", milliseconds >> 16, milliseconds & 0xffff)
}
