//! Ways between services as conflicts are found by: what a service needs, what needs it, and where it stores its data, each with the
//! shortest way there in one environment. They are closures of the graph's one walk, each kept for all plans that are compared.

use std::collections::{BTreeSet, HashMap};

use crate::core::enums::{DependencyKind, NodeKind};
use crate::core::ids::EnvironmentKey;
use crate::directory::graph::{Closure, Node, Terms, Towards, closure};
use crate::directory::snapshot::{Directory, Graph};

/// The most things that one closure holds. What lies behind is looked for from the other end, which is as good as never as large.
const MOST_REACHED: usize = 50_000;
/// Within so many steps from a service its data counts as its own.
const DATA_STEPS: usize = 2;

/// The things that one service reaches.
struct Reached<'a> {
    walked: Closure<'a>,
    /// Where each service stands among them.
    services: HashMap<&'a str, usize>,
}

/// Where a service stores data, each place with the names on the shortest way there.
type Data<'a> = HashMap<Node<'a>, Vec<String>>;

/// Ways between services, each closure made once for all changes that are compared.
pub struct Ways<'a> {
    graph: &'a Graph,
    steps: usize,
    within: Vec<Within<'a>>,
}

/// Those of one environment: an arrow that holds in others alone leads nowhere.
struct Within<'a> {
    graph: &'a Graph,
    steps: usize,
    environments: BTreeSet<EnvironmentKey>,
    needs: HashMap<String, Reached<'a>>,
    needed_by: HashMap<String, Reached<'a>>,
    data: HashMap<String, Data<'a>>,
}

impl<'a> Ways<'a> {
    /// Those of a directory, with at most so many steps. Nothing is looked up yet.
    pub fn of(directory: &'a Directory, steps: usize) -> Self {
        Self {
            graph: &directory.dependencies,
            steps,
            within: Vec::new(),
        }
    }

    /// Finds what needs a service beforehand, so that many others are compared with it without a closure of their own.
    pub fn prepare(&mut self, service: &str, environment: &EnvironmentKey) {
        let within = self.within(environment);
        if within.needed_by.contains_key(service) {
            return;
        }
        let found = within.reached(service, Towards::Dependants);
        within.needed_by.insert(service.to_owned(), found);
    }

    /// Whether two services are one, or one of them needs the other.
    pub fn meet(&mut self, one: &str, other: &str, environment: &EnvironmentKey) -> bool {
        let within = self.within(environment);
        within.leads(one, other) || within.leads(other, one)
    }

    /// The shortest way from one of two services to the other that it needs; one name where they are the same.
    pub fn between(&mut self, one: &str, other: &str, environment: &EnvironmentKey) -> Option<Vec<String>> {
        let within = self.within(environment);
        match within.path(one, other) {
            Some(path) => Some(path),
            None => within.path(other, one),
        }
    }

    /// The nearest place in which both services store data, with the way there from the one and back to the other.
    pub fn shared_data(
        &mut self,
        one: &str,
        other: &str,
        environment: &EnvironmentKey,
    ) -> Option<(String, Vec<String>)> {
        let within = self.within(environment);
        for service in [one, other] {
            if !within.data.contains_key(service) {
                let found = within.data_of(service);
                within.data.insert(service.to_owned(), found);
            }
        }
        let (mine, theirs) = (&within.data[one], &within.data[other]);
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
    /// Whether a service is another one, or needs it.
    fn leads(&mut self, from: &str, to: &str) -> bool {
        if from == to {
            return true;
        }
        if let Some(known) = self.needed_by.get(to).filter(|known| !known.is_cut()) {
            return known.services.contains_key(from);
        }
        self.needs(from).services.contains_key(to)
    }

    fn needs(&mut self, from: &str) -> &Reached<'a> {
        if !self.needs.contains_key(from) {
            let found = self.reached(from, Towards::Causes);
            self.needs.insert(from.to_owned(), found);
        }
        &self.needs[from]
    }

    /// The shortest way from a service to one that it needs.
    fn path(&mut self, from: &str, to: &str) -> Option<Vec<String>> {
        if from == to {
            return Some(vec![from.to_owned()]);
        }
        if let Some(known) = self.needed_by.get(to).filter(|known| !known.is_cut()) {
            let mut path = known.path(from)?;
            path.reverse();
            return Some(path);
        }
        self.needs(from).path(to)
    }

    fn terms(&self, towards: Towards) -> Terms<'_> {
        Terms {
            environments: Some(&self.environments),
            most: MOST_REACHED,
            ..Terms::new(towards)
        }
    }

    /// What a service reaches in the steps that are followed.
    fn reached(&self, service: &str, towards: Towards) -> Reached<'a> {
        let start: Vec<Node<'a>> = self.graph.node(NodeKind::Service, service).into_iter().collect();
        let terms = Terms {
            depth: self.steps,
            ..self.terms(towards)
        };
        let walked = closure(self.graph, &start, &terms);
        let services = walked.found.iter().enumerate();
        let services = services.filter(|(_, one)| one.node.0 == NodeKind::Service);
        Reached {
            services: services.map(|(place, one)| (one.node.1, place)).collect(),
            walked,
        }
    }

    /// Its own data, and the data of what it needs next.
    fn data_of(&self, service: &str) -> Data<'a> {
        let start: Vec<Node<'a>> = self.graph.node(NodeKind::Service, service).into_iter().collect();
        let near = Terms {
            depth: DATA_STEPS - 1,
            ..self.terms(Towards::Causes)
        };
        let stores = Terms {
            kinds: &[DependencyKind::StoresIn],
            depth: 1,
            ..self.terms(Towards::Causes)
        };
        let walked = closure(self.graph, &start, &near);
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

    /// The names from where the closure begins to a service.
    fn path(&self, to: &str) -> Option<Vec<String>> {
        let nodes = self.walked.path(*self.services.get(to)?);
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

    fn path(ways: &mut Ways<'_>, from: &str, to: &str) -> Option<Vec<String>> {
        ways.within(&production()).path(from, to)
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
                    ways.prepare(service, &production());
                }
            }
            assert_eq!(path(&mut ways, "a", "a").unwrap(), ["a"]);
            assert_eq!(path(&mut ways, "a", "e").unwrap(), ["a", "c", "d", "e"]);
            assert_eq!(path(&mut ways, "b", "f").unwrap(), ["b", "c", "d", "e", "f"]);
            assert_eq!(path(&mut ways, "f", "a"), None, "an arrow leads one way");
            assert_eq!(path(&mut ways, "a", "f").unwrap().len(), 5);
            assert!(ways.meet("f", "a", &production()));
        }
        assert!(
            !Ways::of(&directory, 3).meet("a", "f", &production()),
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

    /// By each step there are a hundred ways more: a walk that followed each of them would not come back.
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
        assert_eq!(ways.within(&production()).needs["0.0"].walked.found.len(), 401);
    }

    /// The list of what a change reaches says the same: both ask one walk.
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
                    ways.prepare(service, &production());
                    ways.prepare(service, &staging);
                }
            }
            assert_eq!(ways.between("a", "b", &production()), None);
            assert_eq!(ways.between("a", "b", &staging).unwrap(), ["a", "b"]);
            assert_eq!(ways.shared_data("a", "c", &production()), None);
            assert_eq!(ways.shared_data("a", "c", &staging).unwrap().0, "db");
            assert_eq!(
                ways.between("shard", "web", &production()).unwrap(),
                ["web", "b", "shard"]
            );
        }
    }
}
