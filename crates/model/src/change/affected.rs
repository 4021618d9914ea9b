//! What a change reaches: the services and config items that need its targets, near and far, each with the way to it.

use std::collections::{HashSet, VecDeque};

use crate::change::record::Target;
use crate::core::enums::{DependencyKind, NodeKind};
use crate::directory::records::Dependency;
use crate::directory::snapshot::Directory;

/// A thing that a change reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    /// Whether it is a service or a config item.
    pub kind: NodeKind,
    /// Its key.
    pub key: String,
    /// How many arrows away from a target; 0 for what is changed itself.
    pub distance: usize,
    /// The place in the list of the one before it on the way; `None` for what is changed itself.
    pub via: Option<usize>,
}

type Node<'a> = (NodeKind, &'a str);

/// Everything that targets reach, the nearest first, each thing once by its shortest way. Whoever needs a thing or runs on
/// it feels its change, and so does the whole that it is part of.
pub fn affected(directory: &Directory, targets: &[Target]) -> Vec<Affected> {
    let mut found: Vec<Affected> = Vec::new();
    let mut known: HashSet<Node<'_>> = HashSet::new();
    let mut queue: VecDeque<(Node<'_>, usize)> = VecDeque::new();
    let begin = targets.iter().flat_map(|target| {
        let items = target
            .config_items
            .iter()
            .map(|item| (NodeKind::ConfigItem, item.as_str()));
        std::iter::once((NodeKind::Service, target.service.as_str())).chain(items)
    });
    for node in begin {
        if known.insert(node) {
            queue.push_back((node, found.len()));
            found.push(at(node, 0, None));
        }
    }
    while let Some((node, place)) = queue.pop_front() {
        let distance = found[place].distance + 1;
        for reached in reached_from(directory, node) {
            if known.insert(reached) {
                queue.push_back((reached, found.len()));
                found.push(at(reached, distance, Some(place)));
            }
        }
    }
    found
}

/// What feels a change of a thing at once, in the order of keys.
fn reached_from<'d>(directory: &'d Directory, (kind, key): Node<'_>) -> Vec<Node<'d>> {
    let graph = &directory.dependencies;
    let needs = |row: &&Dependency| !row.ended && row.kind != DependencyKind::PartOf;
    let is_part = |row: &&Dependency| !row.ended && row.kind == DependencyKind::PartOf;
    let by_need = graph.arriving(kind, key).filter(needs);
    let by_part = graph.leaving(kind, key).filter(is_part);
    let mut found: Vec<Node<'d>> = by_need.map(|row| (row.from_kind, row.from.as_str())).collect();
    found.extend(by_part.map(|row| (row.to_kind, row.to.as_str())));
    found.sort_unstable_by_key(|(_, key)| *key);
    found
}

/// Everything whose change reaches a thing, the thing itself included.
pub fn causes(directory: &Directory, kind: NodeKind, key: &str) -> HashSet<(NodeKind, String)> {
    let graph = &directory.dependencies;
    let mut found = HashSet::from([(kind, key.to_owned())]);
    let mut queue = VecDeque::from([(kind, key.to_owned())]);
    while let Some((kind, key)) = queue.pop_front() {
        let needed = graph
            .leaving(kind, &key)
            .filter(|row| row.kind != DependencyKind::PartOf);
        let parts = graph
            .arriving(kind, &key)
            .filter(|row| row.kind == DependencyKind::PartOf);
        let needed = needed
            .filter(|row| !row.ended)
            .map(|row| (row.to_kind, row.to.0.clone()));
        let parts = parts
            .filter(|row| !row.ended)
            .map(|row| (row.from_kind, row.from.0.clone()));
        for cause in needed.chain(parts).collect::<Vec<_>>() {
            if found.insert(cause.clone()) {
                queue.push_back(cause);
            }
        }
    }
    found
}

/// Whether one of a change's targets is among things.
pub fn begins_at(things: &HashSet<(NodeKind, String)>, targets: &[Target]) -> bool {
    let is_in = |kind: NodeKind, key: &str| things.contains(&(kind, key.to_owned()));
    targets.iter().any(|target| {
        let mut items = target.config_items.iter();
        is_in(NodeKind::Service, target.service.as_str()) || items.any(|item| is_in(NodeKind::ConfigItem, item))
    })
}

fn at((kind, key): Node<'_>, distance: usize, via: Option<usize>) -> Affected {
    Affected {
        kind,
        key: key.to_owned(),
        distance,
        via,
    }
}

/// The keys on the way to one of the list, from what is changed to the thing itself.
pub fn path(found: &[Affected], place: usize) -> Vec<&str> {
    let mut keys = Vec::new();
    let mut here = Some(place);
    while let Some(one) = here.and_then(|place| found.get(place)) {
        keys.push(one.key.as_str());
        here = one.via;
    }
    keys.reverse();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::{EnvironmentKey, RecordId, ServiceKey, TargetId};

    fn arrow(from: &str, kind: DependencyKind, to: &str) -> Dependency {
        Dependency {
            id: RecordId(format!("{from}-{to}")),
            version: 1,
            from: ServiceKey::from(from),
            to: ServiceKey::from(to),
            kind,
            from_kind: NodeKind::Service,
            to_kind: NodeKind::Service,
            ended: false,
        }
    }

    fn target(service: &str) -> Target {
        Target {
            id: TargetId("1".to_owned()),
            service: ServiceKey::from(service),
            environment: EnvironmentKey::from("production"),
            config_items: Vec::new(),
            artifact: None,
            commit: None,
            rollback_to: None,
        }
    }

    #[test]
    fn what_needs_a_target_is_reached_by_its_shortest_way_and_rings_end() {
        let directory = Directory {
            dependencies: vec![
                arrow("api", DependencyKind::DependsOn, "db"),
                arrow("web", DependencyKind::DependsOn, "api"),
                arrow("web", DependencyKind::DependsOn, "db"),
                arrow("db", DependencyKind::DependsOn, "web"),
                arrow("db", DependencyKind::PartOf, "platform"),
                arrow("db", DependencyKind::DependsOn, "disk"),
            ]
            .into(),
            ..Directory::default()
        };
        let found = affected(&directory, &[target("db")]);
        let told: Vec<(&str, usize)> = found.iter().map(|one| (one.key.as_str(), one.distance)).collect();
        assert_eq!(told, [("db", 0), ("api", 1), ("platform", 1), ("web", 1)]);
        assert_eq!(path(&found, 3), ["db", "web"]);
    }

    #[test]
    fn ten_thousand_things_in_a_row_are_reached() {
        let name = |number: usize| format!("s{number:05}");
        let arrows = (1..10_000).map(|number| arrow(&name(number), DependencyKind::DependsOn, &name(number - 1)));
        let directory = Directory {
            dependencies: arrows.collect::<Vec<_>>().into(),
            ..Directory::default()
        };
        let found = affected(&directory, &[target("s00000")]);
        assert_eq!(found.len(), 10_000);
        assert_eq!(path(&found, 9_999).len(), 10_000);
    }
}
