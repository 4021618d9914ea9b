//! Where plans collide: two changes at the same time on the same service and environment, or on services of which one
//! needs the other.

use std::collections::{BTreeSet, HashMap};

use acts::report::find_changes::{ChangeRow, TargetRow};
use jiff::Timestamp;
use model::core::enums::NodeKind;
use model::core::ids::{EnvironmentKey, ServiceKey};
use model::directory::graph::{Graph, Terms, Towards, closure};
use model::directory::snapshot::Directory;

/// How far a dependency is followed.
const DEPTH: usize = 4;

/// Two changes that cannot both be as planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Collision {
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
pub(crate) struct Planned<'a> {
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

/// Which changes collide, in the order of time: the places of both in the list, that of the one that starts first before. A crowd
/// of changes at the same time has as many as its square, so that how they meet is looked up by [`between`] only for those told.
pub(crate) fn collisions(ways: &mut Ways<'_>, changes: &[Planned<'_>]) -> Vec<(usize, usize)> {
    let mut order: Vec<(usize, &Planned<'_>)> = changes.iter().enumerate().collect();
    order.sort_by_key(|(_, change)| (change.start, change.key));
    let mut found = Vec::new();
    for (place, (one_at, one)) in order.iter().enumerate() {
        let beside = order.iter().skip(place + 1);
        for (other_at, other) in beside.take_while(|(_, other)| other.start < one.end) {
            if ways.meet(one, other) {
                found.push((other.start, (*one_at, *other_at)));
            }
        }
    }
    // The later one's start is when both are under way.
    found.sort_by_key(|(from, _)| *from);
    found.into_iter().map(|(_, pair)| pair).collect()
}

/// The shortest way by which two changes at the same time meet.
pub(crate) fn between(ways: &mut Ways<'_>, one: &Planned<'_>, other: &Planned<'_>) -> Option<Collision> {
    if one.start >= other.end || other.start >= one.end {
        return None;
    }
    let mut best: Option<(Vec<String>, &str)> = None;
    for (service, environment) in &one.places {
        for (second, place) in other.places.iter().filter(|(_, place)| place == environment) {
            let there = ways.path(service, second, environment);
            let Some(path) = there.or_else(|| ways.path(second, service, environment)) else {
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

/// The services with which work on one in an environment collides: itself, what it needs and what needs it, as far as
/// [`between`] looks. Two walks of the graph, whatever the number of changes that are then held against it.
pub(crate) fn around(
    directory: &Directory,
    service: &ServiceKey,
    environment: &EnvironmentKey,
) -> BTreeSet<ServiceKey> {
    let environments = BTreeSet::from([environment.clone()]);
    let mut found = BTreeSet::new();
    for towards in [Towards::Causes, Towards::Dependants] {
        let start = [(NodeKind::Service, service.as_str())];
        let walked = closure(&directory.dependencies, &start, &terms(towards, &environments));
        let services = walked.found.iter().filter(|one| one.node.0 == NodeKind::Service);
        found.extend(services.map(|one| ServiceKey::from(one.node.1)));
    }
    found
}

/// The terms under which plans collide.
fn terms(towards: Towards, environments: &BTreeSet<EnvironmentKey>) -> Terms<'_> {
    Terms {
        depth: DEPTH,
        environments: Some(environments),
        ..Terms::new(towards)
    }
}

/// What a service needs in an environment: each thing with the place of the one before it on the shortest way, the service first.
#[derive(Default)]
struct Needed {
    things: Vec<(String, Option<usize>)>,
    /// Where each other service is among them.
    places: HashMap<String, usize>,
}

impl Needed {
    /// Walks as far as dependencies are followed.
    fn by(graph: &Graph, from: &str, environment: &str) -> Self {
        let environments = BTreeSet::from([EnvironmentKey::from(environment)]);
        let start = [(NodeKind::Service, from)];
        let walked = closure(graph, &start, &terms(Towards::Causes, &environments));
        let mut needed = Self::default();
        for (place, one) in walked.found.iter().enumerate() {
            needed.things.push((one.node.1.to_owned(), one.via));
            if one.distance > 0 && one.node.0 == NodeKind::Service {
                needed.places.insert(one.node.1.to_owned(), place);
            }
        }
        needed
    }

    /// The names on the way to a service.
    fn path(&self, to: &str) -> Option<Vec<String>> {
        let mut here = Some(*self.places.get(to)?);
        let mut way = Vec::new();
        while let Some((name, via)) = here.and_then(|place| self.things.get(place)) {
            way.push(name.clone());
            here = *via;
        }
        way.reverse();
        Some(way)
    }
}

/// The ways from services to what they need, each service's looked up once for all changes that are held against each other.
pub(crate) struct Ways<'a> {
    graph: &'a Graph,
    /// By service and environment.
    known: HashMap<(String, String), Needed>,
}

impl<'a> Ways<'a> {
    /// Those of a directory; nothing is looked up yet.
    pub(crate) fn of(directory: &'a Directory) -> Self {
        Self {
            graph: &directory.dependencies,
            known: HashMap::new(),
        }
    }

    /// Whether two changes at the same time touch the same place, or places of which one needs the other.
    fn meet(&mut self, one: &Planned<'_>, other: &Planned<'_>) -> bool {
        one.places.iter().any(|(service, environment)| {
            let mut there = other.places.iter().filter(|(_, place)| place == environment);
            there
                .any(|(second, _)| self.leads(service, second, environment) || self.leads(second, service, environment))
        })
    }

    /// Whether a service is another one, or needs it.
    fn leads(&mut self, from: &str, to: &str, environment: &str) -> bool {
        from == to || self.needed_by(from, environment).places.contains_key(to)
    }

    fn needed_by(&mut self, from: &str, environment: &str) -> &Needed {
        let graph = self.graph;
        let key = (from.to_owned(), environment.to_owned());
        self.known
            .entry(key)
            .or_insert_with(|| Needed::by(graph, from, environment))
    }

    /// The shortest way from a service to one that it needs.
    fn path(&mut self, from: &str, to: &str, environment: &str) -> Option<Vec<String>> {
        if from == to {
            return Some(vec![from.to_owned()]);
        }
        self.needed_by(from, environment).path(to)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

    use model::directory::snapshot::Dependency;
    use serde_json::json;

    use super::*;

    const LIVE: &str = "production";

    fn arrow(from: &str, to: &str, more: &serde_json::Value) -> Dependency {
        let mut row = json!({"id": format!("{from}-{to}"), "version": 1, "from": from, "to": to});
        let more = more.as_object().unwrap().clone();
        row.as_object_mut().unwrap().extend(more);
        serde_json::from_value(row).unwrap()
    }

    fn directory(arrows: Vec<Dependency>) -> Directory {
        Directory {
            dependencies: arrows.into(),
            ..Directory::default()
        }
    }

    #[test]
    fn the_shortest_way_is_told_and_four_steps_are_followed() {
        let plain = json!({});
        let arrows = ["a-b", "b-c", "c-d", "d-e", "e-f", "a-c", "b-a"];
        let arrows = arrows.map(|ends| ends.split_once('-').unwrap());
        let directory = directory(arrows.map(|(from, to)| arrow(from, to, &plain)).into());
        let mut ways = Ways::of(&directory);
        assert_eq!(ways.path("a", "a", LIVE).unwrap(), ["a"]);
        assert_eq!(ways.path("a", "e", LIVE).unwrap(), ["a", "c", "d", "e"]);
        assert_eq!(ways.path("b", "f", LIVE).unwrap(), ["b", "c", "d", "e", "f"]);
        assert_eq!(ways.path("f", "a", LIVE), None, "an arrow leads one way");
        let mut longer = Ways::of(&directory);
        assert_eq!(longer.path("a", "f", LIVE).unwrap().len(), 5);
    }

    #[test]
    fn an_arrow_that_ended_and_an_item_of_a_services_name_lead_nowhere() {
        let directory = directory(vec![
            arrow("a", "b", &json!({"ended": true})),
            arrow("a", "c", &json!({"to_kind": "config_item"})),
            arrow("c", "d", &json!({})),
        ]);
        let mut ways = Ways::of(&directory);
        for to in ["b", "c", "d"] {
            assert_eq!(ways.path("a", to, LIVE), None, "to {to}");
        }
        assert_eq!(ways.path("c", "d", LIVE).unwrap(), ["c", "d"]);
    }

    /// By each step there are a hundred ways more: one that followed each of them would not come back.
    #[test]
    fn many_ways_to_the_same_things_cost_no_more_than_the_things() {
        let layer = |depth: usize, n: usize| format!("{depth}.{n}");
        let mut arrows = Vec::new();
        for depth in 0..4 {
            for from in 0..100 {
                arrows.extend((0..100).map(|to| arrow(&layer(depth, from), &layer(depth + 1, to), &json!({}))));
            }
        }
        let directory = directory(arrows);
        let mut ways = Ways::of(&directory);
        assert_eq!(
            ways.path("0.0", "4.99", LIVE).unwrap(),
            ["0.0", "1.0", "2.0", "3.0", "4.99"]
        );
        assert_eq!(ways.known[&("0.0".to_owned(), LIVE.to_owned())].places.len(), 400);
    }
}
