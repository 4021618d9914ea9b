//! Paths between services and config items for the search of conflicts: dependencies, dependents, and the places where a
//! service stores its data, each with the shortest path in one environment. They are closures of the graph, each cached for all
//! plans that are compared.

use std::collections::{BTreeSet, HashMap};

use crate::core::enums::{DependencyKind, NodeKind};
use crate::core::ids::EnvironmentKey;
pub use crate::directory::graph::Node;
use crate::directory::graph::{Closure, Terms, Towards, closure};
use crate::directory::snapshot::{Directory, Graph};

/// The most things that one closure holds. Things beyond are found from the other end, whose closure is almost never as large.
const MOST_REACHED: usize = 50_000;
/// The number of steps from a service within which data counts as its own.
const DATA_STEPS: usize = 2;

/// The things that one thing reaches.
struct Reached<'a> {
    walked: Closure<'a>,
    /// The position of each among them.
    places: HashMap<Node<'a>, usize>,
}

/// The places where a service stores data, each with the names on the shortest path.
type Data<'a> = HashMap<Node<'a>, Vec<String>>;

/// Paths between services and config items, each closure computed once for all changes that are compared.
pub struct Ways<'a> {
    graph: &'a Graph,
    steps: usize,
    within: Vec<Within<'a>>,
}

/// The paths of one environment: an edge of other environments alone is ignored.
struct Within<'a> {
    graph: &'a Graph,
    steps: usize,
    environments: BTreeSet<EnvironmentKey>,
    needs: HashMap<Node<'a>, Reached<'a>>,
    needed_by: HashMap<Node<'a>, Reached<'a>>,
    data: HashMap<Node<'a>, Data<'a>>,
}

impl<'a> Ways<'a> {
    /// The paths of a directory, with at most so many steps. Nothing is looked up yet.
    pub fn of(directory: &'a Directory, steps: usize) -> Self {
        Self {
            graph: &directory.dependencies,
            steps,
            within: Vec::new(),
        }
    }

    /// Finds the dependents of a thing in advance, so that many others are compared with it without a closure of their own.
    pub fn prepare(&mut self, (kind, key): Node<'_>, environment: &EnvironmentKey) {
        let Some(thing) = self.graph.node(kind, key) else {
            return;
        };
        let within = self.within(environment);
        if !within.needed_by.contains_key(&thing) {
            let found = within.reached(thing, Towards::Dependants);
            within.needed_by.insert(thing, found);
        }
    }

    /// Whether any arrow begins or ends at a config item. One without any meets itself alone, and most have none.
    pub fn is_linked(&self, item: &str) -> bool {
        self.graph.node(NodeKind::ConfigItem, item).is_some()
    }

    /// Whether two things are the same, or one of them depends on the other.
    pub fn meet(&mut self, one: Node<'_>, other: Node<'_>, environment: &EnvironmentKey) -> bool {
        let within = self.within(environment);
        within.leads(one, other) || within.leads(other, one)
    }

    /// The shortest path from one of two things to the other that it depends on; one name where they are the same.
    pub fn between(&mut self, one: Node<'_>, other: Node<'_>, environment: &EnvironmentKey) -> Option<Vec<String>> {
        let within = self.within(environment);
        match within.path(one, other) {
            Some(path) => Some(path),
            None => within.path(other, one),
        }
    }

    /// The nearest place in which both services store data, with the path from one to the place and back to the other.
    pub fn shared_data(
        &mut self,
        one: &str,
        other: &str,
        environment: &EnvironmentKey,
    ) -> Option<(String, Vec<String>)> {
        let one = self.graph.node(NodeKind::Service, one)?;
        let other = self.graph.node(NodeKind::Service, other)?;
        let within = self.within(environment);
        for service in [one, other] {
            if !within.data.contains_key(&service) {
                let found = within.data_of(service);
                within.data.insert(service, found);
            }
        }
        let (mine, theirs) = (&within.data[&one], &within.data[&other]);
        let ways = mine.iter().filter_map(|(place, path)| {
            let back = theirs.get(place)?.iter().rev().skip(1);
            Some((place.1.to_owned(), path.iter().chain(back).cloned().collect::<Vec<_>>()))
        });
        ways.min_by(|(name, path), (second, longer)| (path.len(), name).cmp(&(longer.len(), second)))
    }

    fn within(&mut self, environment: &EnvironmentKey) -> &mut Within<'a> {
        let known = self.within.iter().position(|it| it.environments.contains(environment));
        let place = known.unwrap_or_else(|| {
            self.within.push(Within {
                graph: self.graph,
                steps: self.steps,
                environments: BTreeSet::from([environment.clone()]),
                needs: HashMap::new(),
                needed_by: HashMap::new(),
                data: HashMap::new(),
            });
            self.within.len() - 1
        });
        &mut self.within[place]
    }
}

impl<'a> Within<'a> {
    /// Whether a thing is another one, or depends on it.
    fn leads(&mut self, from: Node<'_>, to: Node<'_>) -> bool {
        if from == to {
            return true;
        }
        if let Some(known) = self.needed_by.get(&to).filter(|known| !known.is_cut()) {
            return known.places.contains_key(&from);
        }
        self.needs(from).is_some_and(|known| known.places.contains_key(&to))
    }

    /// The dependencies of a thing; `None` for one without an edge.
    fn needs(&mut self, from: Node<'_>) -> Option<&Reached<'a>> {
        let thing = self.graph.node(from.0, from.1)?;
        if !self.needs.contains_key(&thing) {
            let found = self.reached(thing, Towards::Causes);
            self.needs.insert(thing, found);
        }
        self.needs.get(&thing)
    }

    /// The shortest path from a thing to one that it depends on.
    fn path(&mut self, from: Node<'_>, to: Node<'_>) -> Option<Vec<String>> {
        if from == to {
            return Some(vec![from.1.to_owned()]);
        }
        if let Some(known) = self.needed_by.get(&to).filter(|known| !known.is_cut()) {
            let mut path = known.path(from)?;
            path.reverse();
            return Some(path);
        }
        self.needs(from)?.path(to)
    }

    fn terms(&self, towards: Towards) -> Terms<'_> {
        Terms {
            environments: Some(&self.environments),
            most: MOST_REACHED,
            ..Terms::new(towards)
        }
    }

    /// The things that a thing reaches in the steps that are followed.
    fn reached(&self, thing: Node<'a>, towards: Towards) -> Reached<'a> {
        let terms = Terms {
            depth: self.steps,
            ..self.terms(towards)
        };
        let walked = closure(self.graph, &[thing], &terms);
        let places = walked.found.iter().enumerate();
        Reached {
            places: places.map(|(place, one)| (one.node, place)).collect(),
            walked,
        }
    }

    /// A service's own data, and the data of what it needs next.
    fn data_of(&self, service: Node<'a>) -> Data<'a> {
        let near = Terms {
            depth: DATA_STEPS - 1,
            ..self.terms(Towards::Causes)
        };
        let stores = Terms {
            kinds: &[DependencyKind::StoresIn],
            depth: 1,
            ..self.terms(Towards::Causes)
        };
        let walked = closure(self.graph, &[service], &near);
        let mut places = Data::new();
        for (number, one) in walked.found.iter().enumerate() {
            let stored = closure(self.graph, &[one.node], &stores).found;
            for place in stored.into_iter().filter(|it| it.distance > 0) {
                // The nearest comes first.
                places.entry(place.node).or_insert_with(|| {
                    let way = walked.path(number).into_iter().chain([place.node]);
                    way.map(|(_, key)| key.to_owned()).collect()
                });
            }
        }
        places
    }
}

impl Reached<'_> {
    /// Whether there may be more than a closure holds.
    fn is_cut(&self) -> bool {
        self.walked.found.len() >= MOST_REACHED
    }

    /// The names from where the closure begins to a thing.
    fn path(&self, to: Node<'_>) -> Option<Vec<String>> {
        let nodes = self.walked.path(*self.places.get(&to)?);
        Some(nodes.into_iter().map(|(_, key)| key.to_owned()).collect())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

    use serde_json::json;

    use super::*;
    use crate::directory::snapshot::Dependency;

    fn production() -> EnvironmentKey {
        EnvironmentKey::from("production")
    }

    fn of(service: &str) -> Node<'_> {
        (NodeKind::Service, service)
    }

    fn path(ways: &mut Ways<'_>, from: &str, to: &str) -> Option<Vec<String>> {
        ways.within(&production()).path(of(from), of(to))
    }

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
        for is_prepared in [false, true] {
            let mut ways = Ways::of(&directory, 4);
            if is_prepared {
                for service in ["a", "e", "f"] {
                    ways.prepare(of(service), &production());
                }
            }
            assert_eq!(path(&mut ways, "a", "a").unwrap(), ["a"]);
            assert_eq!(path(&mut ways, "a", "e").unwrap(), ["a", "c", "d", "e"]);
            assert_eq!(path(&mut ways, "b", "f").unwrap(), ["b", "c", "d", "e", "f"]);
            assert_eq!(path(&mut ways, "f", "a"), None, "an arrow leads one way");
            assert_eq!(path(&mut ways, "a", "f").unwrap().len(), 5);
            assert!(ways.meet(of("f"), of("a"), &production()));
        }
        assert!(
            !Ways::of(&directory, 3).meet(of("a"), of("f"), &production()),
            "three steps do not reach it"
        );
    }

    #[test]
    fn an_arrow_that_ended_and_an_item_of_a_services_name_lead_nowhere() {
        let directory = directory(vec![
            arrow("a", "b", &json!({"ended": true})),
            arrow("a", "c", &json!({"to_kind": "config_item"})),
            arrow("c", "d", &json!({})),
        ]);
        let mut ways = Ways::of(&directory, 4);
        for to in ["b", "c", "d"] {
            assert_eq!(path(&mut ways, "a", to), None, "to {to}");
        }
        assert_eq!(path(&mut ways, "c", "d").unwrap(), ["c", "d"]);
    }

    #[test]
    fn data_is_shared_within_two_steps_and_what_lies_between_is_no_data() {
        let store = json!({"kind": "stores_in", "to_kind": "config_item"});
        let directory = directory(vec![
            arrow("a", "db", &store),
            arrow("b", "c", &json!({})),
            arrow("c", "db", &store),
            arrow("d", "c", &json!({})),
            arrow("e", "f", &json!({})),
            arrow("f", "c", &json!({})),
        ]);
        let mut ways = Ways::of(&directory, 4);
        let found = ways.shared_data("a", "b", &production()).unwrap();
        assert_eq!(
            found,
            ("db".to_owned(), ["a", "db", "c", "b"].map(str::to_owned).into())
        );
        assert_eq!(
            ways.shared_data("a", "e", &production()),
            None,
            "three steps are too far"
        );
        let (place, _) = ways.shared_data("b", "d", &production()).unwrap();
        assert_eq!(place, "db", "the service between them is no data");
    }

    /// With each step there are a hundred paths more: a walk along each of them would not end.
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
        let mut ways = Ways::of(&directory, 4);
        assert_eq!(
            path(&mut ways, "0.0", "4.99").unwrap(),
            ["0.0", "1.0", "2.0", "3.0", "4.99"]
        );
        assert_eq!(ways.within(&production()).needs[&of("0.0")].walked.found.len(), 401);
    }

    /// The list of a change's reach is the same, because both use one walk.
    #[test]
    fn an_arrow_of_another_environment_leads_nowhere_and_a_part_leads_to_its_whole() {
        let directory = directory(vec![
            arrow("a", "b", &json!({"environments": ["staging"]})),
            arrow("a", "db", &json!({"kind": "stores_in", "environments": ["staging"]})),
            arrow("c", "db", &json!({"kind": "stores_in"})),
            arrow("shard", "b", &json!({"kind": "part_of"})),
            arrow("web", "b", &json!({})),
        ]);
        let staging = EnvironmentKey::from("staging");
        for is_prepared in [false, true] {
            let mut ways = Ways::of(&directory, 4);
            if is_prepared {
                for service in ["b", "db", "shard"] {
                    ways.prepare(of(service), &production());
                    ways.prepare(of(service), &staging);
                }
            }
            assert_eq!(ways.between(of("a"), of("b"), &production()), None);
            assert_eq!(ways.between(of("a"), of("b"), &staging).unwrap(), ["a", "b"]);
            assert_eq!(ways.shared_data("a", "c", &production()), None);
            assert_eq!(ways.shared_data("a", "c", &staging).unwrap().0, "db");
            assert_eq!(
                ways.between(of("shard"), of("web"), &production()).unwrap(),
                ["web", "b", "shard"]
            );
        }
    }
}
