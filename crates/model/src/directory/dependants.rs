//! The services that need others, near and far: whoever needs a thing or runs on it, and the whole that it is part of.

use std::collections::{BTreeSet, HashMap};

use crate::core::enums::{DependencyKind, NodeKind};
use crate::core::ids::ServiceKey;
use crate::directory::records::Dependency;

/// The services that are reached from some by arrows that have not ended, without those themselves.
pub fn dependants<'a>(
    arrows: impl Iterator<Item = &'a Dependency>,
    services: &BTreeSet<ServiceKey>,
) -> BTreeSet<ServiceKey> {
    let mut next: HashMap<(NodeKind, &str), Vec<(NodeKind, &str)>> = HashMap::new();
    for row in arrows.filter(|row| !row.ended) {
        let (from, to) = ((row.from_kind, row.from.as_str()), (row.to_kind, row.to.as_str()));
        let (cause, reached) = match row.kind {
            DependencyKind::PartOf => (from, to),
            _ => (to, from),
        };
        next.entry(cause).or_default().push(reached);
    }
    let begin = services.iter().map(|service| (NodeKind::Service, service.as_str()));
    let mut known: BTreeSet<(NodeKind, &str)> = begin.collect();
    let mut open: Vec<(NodeKind, &str)> = known.iter().copied().collect();
    while let Some(node) = open.pop() {
        for reached in next.get(&node).into_iter().flatten() {
            if known.insert(*reached) {
                open.push(*reached);
            }
        }
    }
    let found = known.into_iter().filter(|(kind, _)| *kind == NodeKind::Service);
    let found = found.map(|(_, key)| ServiceKey::from(key));
    found.filter(|service| !services.contains(service)).collect()
}
