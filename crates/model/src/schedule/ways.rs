//! The closure of the graph that conflicts are found by: what a service or config item needs, what needs it, and where a service
//! stores its data, each with the shortest way there. A thing is met once, so that the number of ways to it does not matter.

use std::collections::{HashMap, HashSet};

use crate::core::enums::{DependencyKind, NodeKind};
use crate::directory::snapshot::{Directory, Graph};

/// The most things that one closure holds. What lies behind is looked for from the other end, which is as good as never as large.
const MOST_REACHED: usize = 50_000;
/// Within so many steps from a service its data counts as its own.
const DATA_STEPS: usize = 2;

/// A service or a config item, by its key.
pub type Node<'a> = (NodeKind, &'a str);

/// Each thing that is reached with the one before it on the shortest way, `None` next to the thing where the way begins.
type Before<'a> = HashMap<Node<'a>, Option<Node<'a>>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Needs,
    NeededBy,
}

/// The things that one thing reaches.
struct Reached<'a> {
    before: Before<'a>,
    /// Whether there was more than a closure holds.
    is_cut: bool,
}

/// Where a service stores data: the places, and the ways there.
struct Data<'a> {
    before: Before<'a>,
    places: HashSet<Node<'a>>,
}

/// The closures that were made, by the thing where each begins.
#[derive(Default)]
struct Closures<'a> {
    services: HashMap<String, Reached<'a>>,
    items: HashMap<String, Reached<'a>>,
}

impl<'a> Closures<'a> {
    fn of(&self, (kind, key): Node<'_>) -> Option<&Reached<'a>> {
        match kind {
            NodeKind::Service => self.services.get(key),
            NodeKind::ConfigItem => self.items.get(key),
        }
    }

    fn keep(&mut self, (kind, key): Node<'_>, found: Reached<'a>) {
        let known = match kind {
            NodeKind::Service => &mut self.services,
            NodeKind::ConfigItem => &mut self.items,
        };
        known.insert(key.to_owned(), found);
    }
}

/// Ways between services and config items, each closure made once for all changes that are compared.
pub struct Ways<'a> {
    graph: &'a Graph,
    steps: usize,
    needs: Closures<'a>,
    needed_by: Closures<'a>,
    data: HashMap<String, Data<'a>>,
    linked: HashMap<String, bool>,
}

impl<'a> Ways<'a> {
    /// Those of a directory, with at most so many steps. Nothing is looked up yet.
    pub fn of(directory: &'a Directory, steps: usize) -> Self {
        Self {
            graph: &directory.dependencies,
            steps,
            needs: Closures::default(),
            needed_by: Closures::default(),
            data: HashMap::new(),
            linked: HashMap::new(),
        }
    }

    /// Finds what needs a thing beforehand, so that many others are compared with it without a closure of their own.
    pub fn prepare(&mut self, thing: Node<'_>) {
        if self.needed_by.of(thing).is_some() {
            return;
        }
        let found = reached(self.graph, thing, (Way::NeededBy, self.steps), |_, _| ());
        self.needed_by.keep(thing, found);
    }

    /// Whether any arrow begins or ends at a config item. One without any meets itself alone, and most have none.
    pub fn is_linked(&mut self, item: &str) -> bool {
        if let Some(known) = self.linked.get(item) {
            return *known;
        }
        let mut leaving = self.graph.leaving(NodeKind::ConfigItem, item);
        let mut arriving = self.graph.arriving(NodeKind::ConfigItem, item);
        let is_linked = leaving.any(|row| !row.ended) || arriving.any(|row| !row.ended);
        self.linked.insert(item.to_owned(), is_linked);
        is_linked
    }

    /// Whether two things are one, or one of them needs the other.
    pub fn meet(&mut self, one: Node<'_>, other: Node<'_>) -> bool {
        self.leads(one, other) || self.leads(other, one)
    }

    /// The shortest way from one of two things to the other that it needs; one name where they are the same.
    pub fn between(&mut self, one: Node<'_>, other: Node<'_>) -> Option<Vec<String>> {
        match self.path(one, other) {
            Some(path) => Some(path),
            None => self.path(other, one),
        }
    }

    /// Whether a thing is another one, or needs it.
    fn leads(&mut self, from: Node<'_>, to: Node<'_>) -> bool {
        if from == to {
            return true;
        }
        if let Some(known) = self.needed_by.of(to).filter(|known| !known.is_cut) {
            return known.before.contains_key(&from);
        }
        self.needs(from).is_some_and(|before| before.contains_key(&to))
    }

    fn needs(&mut self, from: Node<'_>) -> Option<&Before<'a>> {
        if self.needs.of(from).is_none() {
            let found = reached(self.graph, from, (Way::Needs, self.steps), |_, _| ());
            self.needs.keep(from, found);
        }
        self.needs.of(from).map(|known| &known.before)
    }

    /// The shortest way from a thing to one that it needs.
    fn path(&mut self, from: Node<'_>, to: Node<'_>) -> Option<Vec<String>> {
        if from == to {
            return Some(vec![from.1.to_owned()]);
        }
        if let Some(known) = self.needed_by.of(to).filter(|known| !known.is_cut) {
            return way(&known.before, from, to.1);
        }
        let mut path = way(self.needs(from)?, to, from.1)?;
        path.reverse();
        Some(path)
    }

    /// The nearest place in which both services store data, with the way there from the one and back to the other.
    pub fn shared_data(&mut self, one: &str, other: &str) -> Option<(String, Vec<String>)> {
        for service in [one, other] {
            if !self.data.contains_key(service) {
                self.data.insert(service.to_owned(), Data::of(self.graph, service));
            }
        }
        let (mine, theirs) = (&self.data[one], &self.data[other]);
        let shared = mine.places.iter().filter(|place| theirs.places.contains(*place));
        let ways = shared.filter_map(|place| {
            let mut path = way(&mine.before, *place, one)?;
            path.reverse();
            path.extend(way(&theirs.before, *place, other)?.into_iter().skip(1));
            Some((place.1.to_owned(), path))
        });
        ways.min_by(|(name, path), (second, longer)| (path.len(), name).cmp(&(longer.len(), second)))
    }
}

/// The names from a thing back to where the closure begins.
fn way<'a>(before: &Before<'a>, to: Node<'a>, begin: &str) -> Option<Vec<String>> {
    let mut path = vec![to.1.to_owned()];
    let mut last = *before.get(&to)?;
    while let Some(node) = last {
        path.push(node.1.to_owned());
        last = before.get(&node).copied().flatten();
    }
    path.push(begin.to_owned());
    Some(path)
}

/// What a thing reaches in at most so many steps. Each arrow that is followed is noted, also one to a known thing.
fn reached<'a>(
    graph: &'a Graph,
    from: Node<'_>,
    (direction, steps): (Way, usize),
    mut note: impl FnMut(DependencyKind, Node<'a>),
) -> Reached<'a> {
    let mut found = Before::new();
    let mut edge: Vec<Option<Node<'a>>> = vec![None];
    for _ in 0..steps {
        let mut next = Vec::new();
        for before in edge {
            let (kind, key) = before.unwrap_or(from);
            for (arrow, node) in neighbours(graph, (kind, key), direction) {
                note(arrow, node);
                if node == from || found.contains_key(&node) {
                    continue;
                }
                if found.len() >= MOST_REACHED {
                    return Reached {
                        before: found,
                        is_cut: true,
                    };
                }
                found.insert(node, before);
                next.push(Some(node));
            }
        }
        edge = next;
    }
    Reached {
        before: found,
        is_cut: false,
    }
}

fn neighbours<'a>(graph: &'a Graph, (kind, key): Node<'_>, direction: Way) -> Vec<(DependencyKind, Node<'a>)> {
    match direction {
        Way::Needs => {
            let arrows = graph.leaving(kind, key).filter(|row| !row.ended);
            arrows.map(|row| (row.kind, (row.to_kind, row.to.as_str()))).collect()
        }
        Way::NeededBy => {
            let arrows = graph.arriving(kind, key).filter(|row| !row.ended);
            arrows
                .map(|row| (row.kind, (row.from_kind, row.from.as_str())))
                .collect()
        }
    }
}

impl<'a> Data<'a> {
    /// Its own data, and the data of what it needs next.
    fn of(graph: &'a Graph, service: &str) -> Self {
        let mut places = HashSet::new();
        let found = reached(
            graph,
            (NodeKind::Service, service),
            (Way::Needs, DATA_STEPS),
            |arrow, node| {
                if arrow == DependencyKind::StoresIn {
                    places.insert(node);
                }
            },
        );
        Self {
            before: found.before,
            places,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

    use serde_json::json;

    use super::*;
    use crate::directory::snapshot::Dependency;

    fn arrow(from: &str, to: &str, more: &serde_json::Value) -> Dependency {
        let mut row = json!({"id": format!("{from}-{to}"), "version": 1, "from": from, "to": to});
        let more = more.as_object().unwrap().clone();
        row.as_object_mut().unwrap().extend(more);
        serde_json::from_value(row).unwrap()
    }

    fn of(service: &str) -> Node<'_> {
        (NodeKind::Service, service)
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
                ["a", "e", "f"]
                    .into_iter()
                    .for_each(|service| ways.prepare(of(service)));
            }
            assert_eq!(ways.path(of("a"), of("a")).unwrap(), ["a"]);
            assert_eq!(ways.path(of("a"), of("e")).unwrap(), ["a", "c", "d", "e"]);
            assert_eq!(ways.path(of("b"), of("f")).unwrap(), ["b", "c", "d", "e", "f"]);
            assert_eq!(ways.path(of("f"), of("a")), None, "an arrow leads one way");
            assert_eq!(ways.path(of("a"), of("f")).unwrap().len(), 5);
            assert!(ways.meet(of("f"), of("a")));
        }
        assert!(
            !Ways::of(&directory, 3).meet(of("a"), of("f")),
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
            assert_eq!(ways.path(of("a"), of(to)), None, "to {to}");
        }
        assert_eq!(ways.path(of("c"), of("d")).unwrap(), ["c", "d"]);
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
        let found = ways.shared_data("a", "b").unwrap();
        assert_eq!(
            found,
            ("db".to_owned(), ["a", "db", "c", "b"].map(str::to_owned).into())
        );
        assert_eq!(ways.shared_data("a", "e"), None, "three steps are too far");
        let (place, _) = ways.shared_data("b", "d").unwrap();
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
            ways.path(of("0.0"), of("4.99")).unwrap(),
            ["0.0", "1.0", "2.0", "3.0", "4.99"]
        );
        assert_eq!(ways.needs(of("0.0")).unwrap().len(), 400);
    }
}
