//! Where plans collide: two changes at the same time on the same service and environment, or on services of which one
//! needs the other.

use std::collections::BTreeSet;

use acts::find_changes::{ChangeRow, TargetRow};
use jiff::Timestamp;
use model::directory::Directory;
use model::ids::ServiceKey;

/// How far a dependency is followed.
const DEPTH: usize = 4;

/// Two changes that cannot both be as planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Collision {
    /// The key of the one that starts first.
    pub one: String,
    /// The other's key.
    pub other: String,
    /// When both are under way.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// From a service of the one to a service of the other: one name when both touch it.
    pub path: Vec<String>,
    /// The environment that both touch.
    pub environment: String,
}

/// A change with its targets and its planned times.
pub(super) struct Planned<'a> {
    /// The key.
    pub key: &'a str,
    /// The planned start.
    pub start: Timestamp,
    /// The planned end.
    pub end: Timestamp,
    /// Service and environment of each target.
    pub places: Vec<(&'a str, &'a str)>,
}

impl<'a> Planned<'a> {
    /// A row of a list, when it is planned and neither over nor called off.
    pub fn of(row: &'a ChangeRow, targets: &'a [TargetRow]) -> Option<Self> {
        if matches!(row.state.as_str(), "cancelled" | "rejected" | "closed" | "reviewing") {
            return None;
        }
        Some(Self {
            key: &row.key,
            start: row.planned_start?,
            end: row.planned_end?,
            places: targets
                .iter()
                .map(|target| (target.service.as_str(), target.environment.as_str()))
                .collect(),
        })
    }
}

/// Every collision among changes, in the order of time.
pub(super) fn collisions(directory: &Directory, changes: &[Planned<'_>]) -> Vec<Collision> {
    let mut order: Vec<&Planned<'_>> = changes.iter().collect();
    order.sort_by_key(|change| (change.start, change.key));
    let mut found = Vec::new();
    for (place, one) in order.iter().enumerate() {
        for other in order.iter().skip(place + 1).take_while(|other| other.start < one.end) {
            found.extend(between(directory, one, other));
        }
    }
    found.sort_by_key(|collision: &Collision| collision.from);
    found
}

/// The shortest way by which two changes at the same time meet.
pub(super) fn between(directory: &Directory, one: &Planned<'_>, other: &Planned<'_>) -> Option<Collision> {
    if one.start >= other.end || other.start >= one.end {
        return None;
    }
    let mut best: Option<(Vec<String>, &str)> = None;
    for (service, environment) in &one.places {
        for (second, place) in other.places.iter().filter(|(_, place)| place == environment) {
            let Some(path) = path(directory, service, second).or_else(|| path(directory, second, service)) else {
                continue;
            };
            if best.as_ref().is_none_or(|(known, _)| path.len() < known.len()) {
                best = Some((path, place));
            }
        }
    }
    let (path, environment) = best?;
    Some(Collision {
        one: one.key.to_owned(),
        other: other.key.to_owned(),
        from: one.start.max(other.start),
        to: one.end.min(other.end),
        path,
        environment: environment.to_owned(),
    })
}

/// The services with which work on one collides: itself, what it needs and what needs it, as far as [`between`] looks.
/// Found in a few passes over the graph, whatever the number of changes that are then held against it.
pub(super) fn around(directory: &Directory, service: &ServiceKey) -> BTreeSet<ServiceKey> {
    let mut found = BTreeSet::from([service.clone()]);
    for is_down in [true, false] {
        let mut edge = BTreeSet::from([service.clone()]);
        for _ in 0..DEPTH {
            let ends = directory.dependencies.iter().map(|row| match is_down {
                true => (&row.from, &row.to),
                false => (&row.to, &row.from),
            });
            let next = ends.filter(|(near, _)| edge.contains(near)).map(|(_, far)| far.clone());
            edge = next.collect();
            found.extend(edge.iter().cloned());
        }
    }
    found
}

/// The shortest way from a service to one that it needs, by the graph of dependencies.
fn path(directory: &Directory, from: &str, to: &str) -> Option<Vec<String>> {
    let mut ways = vec![vec![ServiceKey::from(from)]];
    for _ in 0..=DEPTH {
        if let Some(way) = ways
            .iter()
            .find(|way| way.last().is_some_and(|last| last.as_str() == to))
        {
            return Some(way.iter().map(|key| key.0.clone()).collect());
        }
        let mut longer = Vec::new();
        for way in &ways {
            let Some(last) = way.last() else { continue };
            let needed = directory
                .dependencies
                .iter()
                .filter(|row| row.from == *last)
                .map(|row| &row.to);
            for next in needed {
                if !way.contains(next) {
                    let mut more = way.clone();
                    more.push(next.clone());
                    longer.push(more);
                }
            }
        }
        ways = longer;
    }
    None
}
