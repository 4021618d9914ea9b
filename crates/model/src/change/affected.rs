//! The services and config items that a change affects: those that need its targets, near and far, each with the path.

use std::collections::{BTreeSet, HashSet};

use crate::change::record::Target;
use crate::core::enums::{DependencyKind, NodeKind};
use crate::core::ids::EnvironmentKey;
use crate::directory::graph::{Closure, Found, Node, Terms, Towards, closure};
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
    /// The place in the list of the previous thing on the path; `None` for a changed thing itself.
    pub via: Option<usize>,
    /// The kind of the last arrow of the way; `None` for what is changed itself.
    pub by: Option<DependencyKind>,
    /// Whether its data may be damaged: a thing on the path stores its data in the previous one. Only [`data_affected`] sets
    /// this.
    pub by_data: bool,
}

/// The arrows along which a change of a store affects the data of others: to things that store their data in it, and to the
/// whole of which it is a part.
const DATA: &[DependencyKind] = &[DependencyKind::StoresIn, DependencyKind::PartOf];

/// Everything that fails with the targets, the nearest first, each thing once by its shortest path: things that need them, run
/// on them or store data in them, and the whole that they are part of. Arrows that hold in none of their environments are left
/// out.
pub fn affected(directory: &Directory, targets: &[Target]) -> Vec<Affected> {
    reached(directory, targets, Terms::new(Towards::Dependants))
}

/// The things whose data a change of the targets may damage, and the things on the path to them. A thing may be listed a second
/// time on another path, on which its own data may be damaged.
pub fn data_affected(directory: &Directory, targets: &[Target]) -> Vec<Affected> {
    let terms = Terms {
        kinds: DATA,
        marks: Some(DependencyKind::StoresIn),
        ..Terms::new(Towards::Dependants)
    };
    reached(directory, targets, terms)
}

/// Whether an item is among what is reached: a key, or `service:KEY` and `item:KEY` where both exist.
pub(crate) fn is_reached(found: &[Affected], item: &str) -> bool {
    let mut reached = found.iter().filter(|one| one.distance > 0);
    reached.any(|one| one.key == item || one.kind.scope(&one.key) == item)
}

fn reached(directory: &Directory, targets: &[Target], terms: Terms<'_>) -> Vec<Affected> {
    let environments: BTreeSet<EnvironmentKey> = targets.iter().map(|it| it.environment.clone()).collect();
    let terms = Terms {
        environments: Some(&environments),
        ..terms
    };
    listed(&closure(&directory.dependencies, &nodes(targets), &terms))
}

/// The services and config items of targets, in order.
fn nodes(targets: &[Target]) -> Vec<Node<'_>> {
    targets
        .iter()
        .flat_map(|target| {
            let items = target
                .config_items
                .iter()
                .map(|item| (NodeKind::ConfigItem, item.as_str()));
            std::iter::once((NodeKind::Service, target.service.as_str())).chain(items)
        })
        .collect()
}

fn listed(walked: &Closure<'_>) -> Vec<Affected> {
    let one = |one: &Found<'_>| Affected {
        kind: one.node.0,
        key: one.node.1.to_owned(),
        distance: one.distance,
        via: one.via,
        by: one.by,
        by_data: one.is_marked,
    };
    walked.found.iter().map(one).collect()
}

/// Everything whose change reaches a thing, the thing itself included, whatever the environment.
pub fn causes(directory: &Directory, kind: NodeKind, key: &str) -> HashSet<(NodeKind, String)> {
    let walked = closure(&directory.dependencies, &[(kind, key)], &Terms::new(Towards::Causes));
    let nodes = walked.found.iter().map(|one| one.node);
    nodes.map(|(kind, key)| (kind, key.to_owned())).collect()
}

/// Whether one of a change's targets is among things.
pub fn begins_at(things: &HashSet<(NodeKind, String)>, targets: &[Target]) -> bool {
    let is_in = |kind: NodeKind, key: &str| things.contains(&(kind, key.to_owned()));
    targets.iter().any(|target| {
        let mut items = target.config_items.iter();
        is_in(NodeKind::Service, target.service.as_str()) || items.any(|item| is_in(NodeKind::ConfigItem, item))
    })
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
    use crate::core::ids::{RecordId, ServiceKey, TargetId};
    use crate::directory::records::Dependency;

    fn arrow(from: &str, kind: DependencyKind, to: &str) -> Dependency {
        Dependency {
            id: RecordId(format!("{from}-{to}")),
            version: 1,
            from: ServiceKey::from(from),
            to: ServiceKey::from(to),
            kind,
            from_kind: NodeKind::Service,
            to_kind: NodeKind::Service,
            environments: BTreeSet::new(),
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
            members: None,
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
    fn data_behind_a_longer_way_is_found_beside_the_shorter_way_that_damages_none() {
        let directory = Directory {
            dependencies: vec![
                arrow("x", DependencyKind::PartOf, "c"),
                arrow("x", DependencyKind::PartOf, "d"),
                arrow("c", DependencyKind::StoresIn, "d"),
                arrow("c", DependencyKind::PartOf, "suite"),
            ]
            .into(),
            ..Directory::default()
        };
        let by_data = |targets: &[Target]| -> Vec<(String, Vec<String>)> {
            let found = data_affected(&directory, targets);
            let places = (0..found.len()).filter(|place| found[*place].by_data);
            let way = |place: usize| -> Vec<String> { path(&found, place).into_iter().map(str::to_owned).collect() };
            places.map(|place| (found[place].key.clone(), way(place))).collect()
        };
        let told = |way: &[&str]| -> (String, Vec<String>) {
            let keys: Vec<String> = way.iter().map(|key| (*key).to_owned()).collect();
            (keys.last().cloned().unwrap_or_default(), keys)
        };
        assert_eq!(
            by_data(&[target("x")]),
            [told(&["x", "d", "c"]), told(&["x", "d", "c", "suite"])]
        );
        // A thing that stores its data in another target may lose data, though it is a target itself.
        assert_eq!(
            by_data(&[target("d"), target("c")]),
            [told(&["d", "c"]), told(&["d", "c", "suite"])]
        );
        assert!(affected(&directory, &[target("x")]).iter().all(|one| !one.by_data));
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
    #[test]
    fn data_goes_along_stores_alone_and_an_arrow_of_another_environment_leads_nowhere() {
        let mut of_staging = arrow("lab", DependencyKind::DependsOn, "db");
        of_staging.environments = BTreeSet::from([EnvironmentKey::from("staging")]);
        let directory = Directory {
            dependencies: vec![
                arrow("shard", DependencyKind::PartOf, "db"),
                arrow("orders", DependencyKind::StoresIn, "db"),
                arrow("web", DependencyKind::DependsOn, "orders"),
                of_staging,
            ]
            .into(),
            ..Directory::default()
        };
        let keys = |found: Vec<Affected>| -> Vec<String> { found.into_iter().map(|one| one.key).collect() };
        assert_eq!(
            keys(affected(&directory, &[target("shard")])),
            ["shard", "db", "orders", "web"]
        );
        let data = data_affected(&directory, &[target("shard")]);
        let by_data: Vec<&str> = data
            .iter()
            .filter(|one| one.by_data)
            .map(|one| one.key.as_str())
            .collect();
        assert_eq!(
            by_data,
            ["orders"],
            "the whole holds the part, and stores nothing in it"
        );
    }
}
