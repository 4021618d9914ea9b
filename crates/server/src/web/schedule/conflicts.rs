//! Where plans collide: two changes at the same time on the same service and environment, or on services of which one
//! needs the other.

use std::collections::{BTreeSet, HashMap};

use acts::report::find_changes::{ChangeRow, TargetRow};
use jiff::Timestamp;
use model::core::enums::NodeKind;
use model::core::ids::ServiceKey;
use model::directory::snapshot::{Directory, Graph};

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
            let Some(path) = ways.path(service, second).or_else(|| ways.path(second, service)) else {
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
pub(crate) fn around(directory: &Directory, service: &ServiceKey) -> BTreeSet<ServiceKey> {
    let mut found = BTreeSet::from([service.clone()]);
    for is_down in [true, false] {
        let mut edge = BTreeSet::from([service.clone()]);
        for _ in 0..DEPTH {
            let arrows = directory.dependencies.iter().filter(|row| !row.ended);
            let ends = arrows.map(|row| match is_down {
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

type Node<'a> = (NodeKind, &'a str);

/// What a service needs, near and far: each thing with the one before it on the shortest way there, `None` next to the service.
type Needed<'a> = HashMap<Node<'a>, Option<Node<'a>>>;

/// The ways from services to what they need, each service's looked up once for all changes that are held against each other.
pub(crate) struct Ways<'a> {
    graph: &'a Graph,
    known: HashMap<String, Needed<'a>>,
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
            there.any(|(second, _)| self.leads(service, second) || self.leads(second, service))
        })
    }

    /// Whether a service is another one, or needs it.
    fn leads(&mut self, from: &str, to: &str) -> bool {
        from == to || self.needed_by(from).contains_key(&(NodeKind::Service, to))
    }

    fn needed_by(&mut self, from: &str) -> &Needed<'a> {
        if !self.known.contains_key(from) {
            self.known.insert(from.to_owned(), needed(self.graph, from));
        }
        &self.known[from]
    }

    /// The shortest way from a service to one that it needs.
    fn path(&mut self, from: &str, to: &str) -> Option<Vec<String>> {
        if from == to {
            return Some(vec![from.to_owned()]);
        }
        let known = self.needed_by(from);
        let mut way = vec![to.to_owned()];
        let mut before = *known.get(&(NodeKind::Service, to))?;
        while let Some(node) = before {
            way.push(node.1.to_owned());
            before = known.get(&node).copied().flatten();
        }
        way.push(from.to_owned());
        way.reverse();
        Some(way)
    }
}

/// What a service needs, as far as dependencies are followed. Each thing is met once, so that the number of ways to it does
/// not matter.
fn needed<'a>(graph: &'a Graph, from: &str) -> Needed<'a> {
    let mut found = Needed::new();
    let mut edge: Vec<Option<Node<'a>>> = vec![None];
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for before in edge {
            let (kind, key) = before.unwrap_or((NodeKind::Service, from));
            for row in graph.leaving(kind, key).filter(|row| !row.ended) {
                let node = (row.to_kind, row.to.as_str());
                if node == (NodeKind::Service, from) || found.contains_key(&node) {
                    continue;
                }
                found.insert(node, before);
                next.push(Some(node));
            }
        }
        edge = next;
    }
    found
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

    use model::directory::snapshot::Dependency;
    use serde_json::json;

    use super::*;

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
        assert_eq!(ways.path("a", "a").unwrap(), ["a"]);
        assert_eq!(ways.path("a", "e").unwrap(), ["a", "c", "d", "e"]);
        assert_eq!(ways.path("b", "f").unwrap(), ["b", "c", "d", "e", "f"]);
        assert_eq!(ways.path("f", "a"), None, "an arrow leads one way");
        let mut longer = Ways::of(&directory);
        assert_eq!(longer.path("a", "f").unwrap().len(), 5);
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
            assert_eq!(ways.path("a", to), None, "to {to}");
        }
        assert_eq!(ways.path("c", "d").unwrap(), ["c", "d"]);
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
        assert_eq!(ways.path("0.0", "4.99").unwrap(), ["0.0", "1.0", "2.0", "3.0", "4.99"]);
        assert_eq!(ways.known["0.0"].len(), 400);
    }
}
