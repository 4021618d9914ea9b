//! The services that need others, near and far, and those that others need: along the arrows of the graph or against them. The
//! whole that a thing is part of depends on the thing.

use std::collections::{BTreeSet, HashMap};

use crate::core::enums::{DependencyKind, NodeKind};
use crate::core::ids::ServiceKey;
use crate::directory::records::Dependency;

/// The services that are reached from some by arrows that have not ended, without those themselves.
pub fn dependants<'a>(
    arrows: impl Iterator<Item = &'a Dependency>,
    services: &BTreeSet<ServiceKey>,
) -> BTreeSet<ServiceKey> {
    reached(arrows, services, |cause, effect| (cause, effect))
}

/// The services that some need: the same arrows the other way.
pub fn dependencies<'a>(
    arrows: impl Iterator<Item = &'a Dependency>,
    services: &BTreeSet<ServiceKey>,
) -> BTreeSet<ServiceKey> {
    reached(arrows, services, |cause, effect| (effect, cause))
}

type Node<'a> = (NodeKind, &'a str);

fn reached<'a>(
    arrows: impl Iterator<Item = &'a Dependency>,
    services: &BTreeSet<ServiceKey>,
    turned: impl Fn(Node<'a>, Node<'a>) -> (Node<'a>, Node<'a>),
) -> BTreeSet<ServiceKey> {
    let mut next: HashMap<Node<'_>, Vec<Node<'_>>> = HashMap::new();
    for row in arrows.filter(|row| !row.ended) {
        let (from, to) = ((row.from_kind, row.from.as_str()), (row.to_kind, row.to.as_str()));
        let (cause, effect) = match row.kind {
            DependencyKind::PartOf => (from, to),
            _ => (to, from),
        };
        let (begin, end) = turned(cause, effect);
        next.entry(begin).or_default().push(end);
    }
    let begin = services.iter().map(|service| (NodeKind::Service, service.as_str()));
    let mut known: BTreeSet<Node<'_>> = begin.collect();
    let mut open: Vec<Node<'_>> = known.iter().copied().collect();
    while let Some(node) = open.pop() {
        for one in next.get(&node).into_iter().flatten() {
            if known.insert(*one) {
                open.push(*one);
            }
        }
    }
    let found = known.into_iter().filter(|(kind, _)| *kind == NodeKind::Service);
    let found = found.map(|(_, key)| ServiceKey::from(key));
    found.filter(|service| !services.contains(service)).collect()
}
