//! Conflicts of plans: two changes, or a change and maintenance, that overlap or lie too close and share an item, a dependency,
//! data, a person or an environment. Every page and check about conflicts uses these functions.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::change::duties::undo;
use crate::change::record::Change;
use crate::core::enums::{ConflictKind, NodeKind, State};
use crate::core::ids::{ChangeId, EnvironmentKey, PersonId, ServiceKey};
use crate::core::parse::later;
use crate::directory::snapshot::Directory;
use crate::schedule::outside_calendar::{OutsideCalendar, OutsideEvent};
use crate::schedule::planning_terms::PlanningTerms;
use crate::schedule::vendor_notice::VendorNotice;
use crate::schedule::ways::{Node, Ways};

/// Something with planned times: a change, or maintenance of another calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The change's id; empty for maintenance, and for a change that is not written yet.
    pub id: ChangeId,
    /// Its key, or the title of maintenance.
    pub key: String,
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end.
    pub ends_at: Timestamp,
    /// Service and environment of each target.
    pub places: Vec<(ServiceKey, EnvironmentKey)>,
    /// Config items of its targets, by key, each with the environment.
    pub items: BTreeSet<(String, EnvironmentKey)>,
    /// The people that do it: implementers and tester.
    pub people: BTreeSet<PersonId>,
    /// The scope of maintenance; `None` for a change.
    pub maintenance: Option<Scope>,
    /// Whether the times are those of the change's planned undo instead of its window.
    pub is_undo: bool,
}

/// The scope of maintenance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// Services; empty means all.
    pub services: BTreeSet<ServiceKey>,
    /// Environments; empty means all.
    pub environments: BTreeSet<EnvironmentKey>,
}

/// One reason why two plans conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Met {
    /// Why.
    pub kind: ConflictKind,
    /// The path from one to the other: services and items by key, a login, or an environment.
    pub path: Vec<String>,
    /// The environment, where the reason has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The shared thing in the middle of the path: the place of the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<String>,
}

/// Two plans that conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The key of the other one, or the title of the maintenance.
    pub with: String,
    /// The other change; absent for maintenance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeId>,
    /// Whether it conflicts with the planned undo of the other change instead of its window.
    #[serde(rename = "undo", skip_serializing_if = "std::ops::Not::not")]
    pub is_undo: bool,
    /// The start of the overlap, or of the later plan if the two only lie too close.
    pub from: Timestamp,
    /// The end.
    pub to: Timestamp,
    /// Every reason, the strongest first; never empty.
    pub met: Vec<Met>,
}

impl Planned {
    /// A change that is planned and neither over nor called off.
    #[must_use]
    pub fn of(change: &Change) -> Option<Self> {
        if !change.state.is_open() || change.state == State::Reviewing {
            return None;
        }
        let times = change.planned_start.zip(change.window_end())?;
        Some(Self::over(change, times))
    }

    /// The planned undo of a change, while it is still to come: the same things and people at its time.
    #[must_use]
    pub fn undo_of(change: &Change) -> Option<Self> {
        Some(Self {
            is_undo: true,
            ..Self::over(change, undo::ahead(change)?)
        })
    }

    /// The name for a list: the key or title, marked if it is an undo.
    #[must_use]
    pub fn name(&self) -> String {
        match self.is_undo {
            true => format!("the planned undo of {}", self.key),
            false => self.key.clone(),
        }
    }

    fn over(change: &Change, (starts_at, ends_at): (Timestamp, Timestamp)) -> Self {
        let targets = &change.content.targets;
        let places = targets.iter().map(|it| (it.service.clone(), it.environment.clone()));
        let items = targets.iter().flat_map(|target| {
            let items = target.config_items.iter();
            items.map(|item| (item.clone(), target.environment.clone()))
        });
        let people = change.content.implementers.iter().chain(&change.content.tester);
        Self {
            id: change.id.clone(),
            key: change.key.clone(),
            starts_at,
            ends_at,
            places: places.collect(),
            items: items.collect(),
            people: people.cloned().collect(),
            maintenance: None,
            is_undo: false,
        }
    }

    /// The same at another time.
    #[must_use]
    pub fn at(&self, starts_at: Timestamp, ends_at: Timestamp) -> Self {
        Self {
            starts_at,
            ends_at,
            ..self.clone()
        }
    }

    /// Whether two plans overlap or lie closer than the tenant's terms allow.
    #[must_use]
    pub fn is_near(&self, other: &Self, terms: &PlanningTerms) -> bool {
        let gap = terms.gap();
        self.starts_at < later(other.ends_at, gap) && other.starts_at < later(self.ends_at, gap)
    }
}

/// The conflicts of a plan, in the order of time.
#[must_use]
pub fn find(directory: &Directory, terms: &PlanningTerms, mine: &Planned, others: &[Planned]) -> Vec<Found> {
    find_first((directory, terms), mine, others, usize::MAX)
}

/// The first conflicts of a plan, in the order of time, at most `most`. Thousands of plans may lie at one time, so the paths to
/// further ones are not looked up.
#[must_use]
pub fn find_first<'p>(
    (directory, terms): (&Directory, &PlanningTerms),
    mine: &Planned,
    others: impl IntoIterator<Item = &'p Planned>,
    most: usize,
) -> Vec<Found> {
    let mut ways = prepared(directory, terms, mine);
    let is_near = |other: &&Planned| is_other(mine, other) && mine.is_near(other, terms);
    let mut near: Vec<&Planned> = others.into_iter().filter(is_near).collect();
    near.sort_by_key(|other| (other.starts_at.max(mine.starts_at), other.key.as_str()));
    let found = near.into_iter();
    found
        .filter_map(|other| between(&mut ways, (directory, terms), mine, other))
        .take(most)
        .collect()
}

/// The paths of a directory, with the dependents of a plan's things computed in advance.
fn prepared<'a>(directory: &'a Directory, terms: &PlanningTerms, mine: &Planned) -> Ways<'a> {
    let mut ways = Ways::of(directory, terms.steps());
    for (thing, place) in things(&ways, mine) {
        ways.prepare(thing, place);
    }
    ways
}

/// The things in a plan that may have dependencies: its services, and the config items in the graph.
fn things<'p>(ways: &Ways<'_>, plan: &'p Planned) -> Vec<(Node<'p>, &'p EnvironmentKey)> {
    let services = plan.places.iter();
    let services = services.map(|(service, place)| ((NodeKind::Service, service.as_str()), place));
    let items = plan.items.iter().filter(|(item, _)| ways.is_linked(item));
    let items = items.map(|(item, place)| ((NodeKind::ConfigItem, item.as_str()), place));
    services.chain(items).collect()
}

/// The times at which a plan would conflict with others, wherever it is put: those of each other plan with a shared thing.
#[must_use]
pub fn taken(
    directory: &Directory,
    terms: &PlanningTerms,
    mine: &Planned,
    others: &[Planned],
) -> Vec<(Timestamp, Timestamp)> {
    let mut ways = prepared(directory, terms, mine);
    let gap = terms.gap();
    let meets = |other: &&Planned| is_other(mine, other) && meet(&mut ways, terms, mine, other);
    others
        .iter()
        .filter(meets)
        .map(|other| (later(other.starts_at, -gap), later(other.ends_at, gap)))
        .collect()
}

/// The conflicting pairs of plans, in the order of time: the places of both in the list, the earlier start first. A crowd at
/// the same time has quadratically many pairs, so [`between`] looks up the reasons only for the pairs that are shown.
#[must_use]
pub fn pairs(ways: &mut Ways<'_>, terms: &PlanningTerms, plans: &[Planned]) -> Vec<(usize, usize)> {
    let mut order: Vec<(usize, &Planned)> = plans.iter().enumerate().collect();
    order.sort_by_key(|(_, plan)| (plan.starts_at, plan.key.as_str()));
    let gap = terms.gap();
    let mut found = Vec::new();
    for (place, (one_at, one)) in order.iter().enumerate() {
        let beside = order.iter().skip(place + 1);
        let end = later(one.ends_at, gap);
        for (other_at, other) in beside.take_while(|(_, other)| other.starts_at < end) {
            if is_other(one, other) && meet(ways, terms, one, other) {
                found.push((other.starts_at, (*one_at, *other_at)));
            }
        }
    }
    // Both are under way from the later start on.
    found.sort_by_key(|(from, _)| *from);
    found.into_iter().map(|(_, pair)| pair).collect()
}

/// The reasons for a conflict of two plans; `None` where there is none.
#[must_use]
pub fn between(
    ways: &mut Ways<'_>,
    (directory, terms): (&Directory, &PlanningTerms),
    mine: &Planned,
    other: &Planned,
) -> Option<Found> {
    if !is_other(mine, other) || !mine.is_near(other, terms) || !meet(ways, terms, mine, other) {
        return None;
    }
    let met = reasons(ways, (directory, terms), mine, other);
    let from = mine.starts_at.max(other.starts_at);
    let to = mine.ends_at.min(other.ends_at).max(from);
    (!met.is_empty()).then(|| Found {
        with: other.key.clone(),
        change: (other.maintenance.is_none()).then(|| other.id.clone()),
        is_undo: other.is_undo,
        from,
        to,
        met,
    })
}

/// Whether they are two: a change does not conflict with itself, and maintenance with no other maintenance.
fn is_other(mine: &Planned, other: &Planned) -> bool {
    match (&mine.maintenance, &other.maintenance) {
        (None, None) => mine.id.as_str().is_empty() || mine.id != other.id,
        (Some(_), Some(_)) => false,
        _ => true,
    }
}

/// Whether two plans share anything, whatever their times: without the reasons, which cost more.
fn meet(ways: &mut Ways<'_>, terms: &PlanningTerms, mine: &Planned, other: &Planned) -> bool {
    if let Some((plan, scope)) = with_scope(mine, other) {
        return under(ways, plan, scope).is_some();
    }
    if mine.places.iter().any(|place| other.places.contains(place))
        || !mine.people.is_disjoint(&other.people)
        || !mine.items.is_disjoint(&other.items)
        || exclusive(terms, mine, other).is_some()
    {
        return true;
    }
    let (here, there) = (things(ways, mine), things(ways, other));
    let mut both = here.iter().flat_map(|one| there.iter().map(move |two| (one, two)));
    both.any(|((one, place), (two, second))| {
        place == second && (ways.meet(*one, *two, place) || shared_data(ways, (*one, *two), place).is_some())
    })
}

/// The place where two services both store data, and the path there. A service that shares data with itself is no news.
fn shared_data(
    ways: &mut Ways<'_>,
    both: (Node<'_>, Node<'_>),
    place: &EnvironmentKey,
) -> Option<(String, Vec<String>)> {
    match both {
        ((NodeKind::Service, one), (NodeKind::Service, two)) if one != two => ways.shared_data(one, two, place),
        _ => None,
    }
}

/// Every reason why two plans meet, one of each kind: the shortest.
fn reasons(
    ways: &mut Ways<'_>,
    (directory, terms): (&Directory, &PlanningTerms),
    mine: &Planned,
    other: &Planned,
) -> Vec<Met> {
    if let Some((plan, scope)) = with_scope(mine, other) {
        return under(ways, plan, scope).into_iter().collect();
    }
    let mut found = Vec::new();
    if let Some((item, place)) = mine.items.intersection(&other.items).next() {
        found.push(Met::at(ConflictKind::SameItem, vec![item.clone()], place));
    }
    let (here, there) = (things(ways, mine), things(ways, other));
    for (one, place) in &here {
        for (two, _) in there.iter().filter(|(_, second)| second == place) {
            if let Some(path) = ways.between(*one, *two, place) {
                let kind = match path.len() {
                    1 => ConflictKind::SameItem,
                    _ => ConflictKind::Dependency,
                };
                found.push(Met::at(kind, path, place));
            }
            if let Some((shared, path)) = shared_data(ways, (*one, *two), place) {
                let met = Met::at(ConflictKind::SharedData, path, place);
                found.push(Met {
                    shared: Some(shared),
                    ..met
                });
            }
        }
    }
    if let Some(person) = mine.people.intersection(&other.people).next() {
        found.push(Met::of(ConflictKind::People, vec![directory.login(person)]));
    }
    if let Some(place) = exclusive(terms, mine, other) {
        found.push(Met::at(ConflictKind::Environment, vec![place.0.clone()], place));
    }
    found.sort_by(|one, two| (one.kind, one.path.len(), &one.path).cmp(&(two.kind, two.path.len(), &two.path)));
    found.dedup_by_key(|met| met.kind);
    found
}

/// A shared environment that takes one change at a time.
fn exclusive<'a>(terms: &PlanningTerms, mine: &'a Planned, other: &Planned) -> Option<&'a EnvironmentKey> {
    let mut places = mine.places.iter().map(|(_, place)| place);
    places.find(|place| {
        terms.exclusive_environments.contains(*place) && other.places.iter().any(|(_, second)| second == *place)
    })
}

fn with_scope<'a>(mine: &'a Planned, other: &'a Planned) -> Option<(&'a Planned, &'a Scope)> {
    match (&mine.maintenance, &other.maintenance) {
        (None, Some(scope)) => Some((mine, scope)),
        (Some(scope), None) => Some((other, scope)),
        _ => None,
    }
}

/// The shortest path from a plan to the things under maintenance.
fn under(ways: &mut Ways<'_>, plan: &Planned, scope: &Scope) -> Option<Met> {
    let mut best: Option<Met> = None;
    let here = |place: &EnvironmentKey| scope.environments.is_empty() || scope.environments.contains(place);
    for ((kind, key), place) in things(ways, plan).into_iter().filter(|(_, place)| here(place)) {
        let mut paths: Vec<Vec<String>> = Vec::new();
        if scope.services.is_empty() && kind == NodeKind::Service {
            paths.push(vec![key.to_owned()]);
        }
        for maintained in &scope.services {
            paths.extend(ways.between((kind, key), (NodeKind::Service, maintained.as_str()), place));
        }
        for path in paths {
            if best.as_ref().is_none_or(|known| path.len() < known.path.len()) {
                best = Some(Met::at(ConflictKind::Maintenance, path, place));
            }
        }
    }
    best
}

impl Met {
    fn of(kind: ConflictKind, path: Vec<String>) -> Self {
        Self {
            kind,
            path,
            environment: None,
            shared: None,
        }
    }

    fn at(kind: ConflictKind, path: Vec<String>, environment: &EnvironmentKey) -> Self {
        Self {
            environment: Some(environment.0.clone()),
            ..Self::of(kind, path)
        }
    }

    /// The reason in a sentence without a full stop, beginning in lower case.
    #[must_use]
    pub fn sentence(&self) -> String {
        let place = self.environment.as_deref().unwrap_or_default();
        let path = self.path.join(" → ");
        match (self.kind, self.path.as_slice()) {
            (ConflictKind::SameItem, _) => format!("both touch {path} in {place}"),
            (ConflictKind::Dependency, _) => format!("{}, in {place}", self.path.join(" needs ")),
            (ConflictKind::SharedData, _) => {
                let shared = self.shared.as_deref().unwrap_or_default();
                format!("both store data in {shared}, in {place}: {path}")
            }
            (ConflictKind::People, _) => format!("both need {path}"),
            (ConflictKind::Environment, _) => format!("{place} takes one change at a time"),
            (ConflictKind::Maintenance, [one]) => format!("{one} in {place} is under maintenance"),
            (ConflictKind::Maintenance, _) => format!("maintenance reaches it in {place}: {path}"),
        }
    }
}

impl Found {
    /// The other plan's name: its key or title, marked if it is an undo.
    #[must_use]
    pub fn name(&self) -> String {
        match self.is_undo {
            true => format!("the planned undo of {}", self.with),
            false => self.with.clone(),
        }
    }

    /// All reasons in one line without a full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        self.met.iter().map(Met::sentence).collect::<Vec<_>>().join("; ")
    }

    /// The kinds of its reasons.
    #[must_use]
    pub fn kinds(&self) -> BTreeSet<ConflictKind> {
        self.met.iter().map(|met| met.kind).collect()
    }
}

/// The farthest distance of a conflicting plan: no work is planned for longer.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 31);

impl Directory {
    /// The tenant's terms of planning, or the usual ones.
    #[must_use]
    pub fn planning(&self) -> PlanningTerms {
        self.planning_terms.clone().unwrap_or_default()
    }

    /// Maintenance of imported calendars and of vendors that lies over any instant of `[from, to)`.
    #[must_use]
    pub fn maintenance(&self, from: Timestamp, to: Timestamp) -> Vec<Planned> {
        let calendars = self.outside_calendars.iter().filter(|calendar| calendar.active);
        let planned = calendars.flat_map(|calendar| {
            let events = calendar.events();
            let near = events.filter(move |event| event.starts_at < to && from < event.ends_at);
            let near = near.filter(move |event| !self.has_notice(calendar, event));
            near.map(|event| Planned {
                id: ChangeId::default(),
                key: event.title,
                starts_at: event.starts_at,
                ends_at: event.ends_at,
                places: Vec::new(),
                items: BTreeSet::new(),
                people: BTreeSet::new(),
                maintenance: Some(Scope {
                    services: calendar.services.clone(),
                    environments: calendar.environments.clone(),
                }),
                is_undo: false,
            })
        });
        planned.chain(self.announced(from, to)).collect()
    }

    /// Whether an event of a vendor's calendar is maintenance by its notice already.
    fn has_notice(&self, calendar: &OutsideCalendar, event: &OutsideEvent) -> bool {
        let times = (event.starts_at, event.ends_at);
        let mut notices = self.vendor_notices.iter();
        calendar.vendor.as_ref().is_some_and(|vendor| {
            notices.any(|notice| notice.vendor == *vendor && (notice.starts_at, notice.ends_at) == times)
        })
    }

    /// Maintenance announced by vendors that overlaps `[from, to)`.
    fn announced(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Planned> + '_ {
        let near = move |notice: &&VendorNotice| notice.starts_at < to && from < notice.ends_at;
        self.vendor_notices
            .iter()
            .filter(near)
            .map(|notice| self.planned_notice(notice))
    }

    /// The maintenance that a change carries out: the change is that maintenance, so the two do not conflict.
    #[must_use]
    pub fn taken_up_by(&self, change: &str) -> Vec<Planned> {
        let own = |notice: &&VendorNotice| notice.change.as_deref() == Some(change);
        let own = self.vendor_notices.iter().filter(own);
        own.map(|notice| self.planned_notice(notice)).collect()
    }

    fn planned_notice(&self, notice: &VendorNotice) -> Planned {
        let name = self
            .vendor(&notice.vendor)
            .map_or(&notice.vendor, |vendor| &vendor.name);
        Planned {
            id: ChangeId::default(),
            key: format!("{name}: {} (impact: {})", notice.title, notice.impact),
            starts_at: notice.starts_at,
            ends_at: notice.ends_at,
            places: Vec::new(),
            items: BTreeSet::new(),
            people: BTreeSet::new(),
            maintenance: Some(Scope {
                services: notice.services.clone(),
                environments: BTreeSet::new(),
            }),
            is_undo: false,
        }
    }
}
