//! The dependency graph, and the one function that walks it: the affected things of a change, the possible sources of a
//! failure, the scope of a freeze and conflicts are all closures of [`closure`] under different terms.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use proof::grounds::Set;

use crate::core::enums::{DependencyKind, NodeKind};
use crate::core::ids::{EnvironmentKey, ServiceKey};
use crate::core::shared_map::Rows;
use crate::directory::records::Dependency;

/// The positions of each thing's arrows among the rows.
type Places = HashMap<(NodeKind, String), Vec<usize>>;

/// A cache of services that need a set of services in some environments, or are needed by the set.
type ReachCache = HashMap<(Towards, BTreeSet<ServiceKey>, BTreeSet<EnvironmentKey>), Arc<BTreeSet<ServiceKey>>>;

/// All arrows, findable by where they begin and where they end. An index is made on first use; the first grows with the rows.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    rows: Rows<Dependency>,
    from: OnceLock<Arc<Places>>,
    into: OnceLock<Arc<Places>>,
    reached: Arc<Mutex<ReachCache>>,
    named: OnceLock<Set>,
}

impl From<Vec<Dependency>> for Graph {
    fn from(rows: Vec<Dependency>) -> Self {
        Self {
            rows: rows.into(),
            from: OnceLock::new(),
            into: OnceLock::new(),
            reached: Arc::default(),
            named: OnceLock::new(),
        }
    }
}

impl PartialEq for Graph {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}

impl Deref for Graph {
    type Target = Rows<Dependency>;

    fn deref(&self) -> &Rows<Dependency> {
        &self.rows
    }
}

impl Graph {
    fn from(&self) -> &Places {
        self.from.get_or_init(|| {
            let mut from = Places::new();
            for (place, row) in self.rows.iter().enumerate() {
                from.entry((row.from_kind, row.from.0.clone())).or_default().push(place);
            }
            Arc::new(from)
        })
    }

    fn into(&self) -> &Places {
        self.into.get_or_init(|| {
            let mut into = Places::new();
            for (place, row) in self.rows.iter().enumerate() {
                into.entry((row.to_kind, row.to.0.clone())).or_default().push(place);
            }
            Arc::new(into)
        })
    }

    /// All arrows in their versions, as the grounds of an event name them. Made on first use, since every permit names them.
    pub fn named(&self) -> Set {
        let entry = |row: &Dependency| format!("{}@{}", row.id.0, row.version);
        let made = || Set::of(self.rows.iter().filter(|row| !row.ended).map(entry).collect());
        self.named.get_or_init(made).clone()
    }

    /// A thing that has arrows, by the graph's own name for it.
    pub(crate) fn node(&self, kind: NodeKind, key: &str) -> Option<Node<'_>> {
        let thing = (kind, key.to_owned());
        let known = self.from().get_key_value(&thing);
        let ((kind, key), _) = known.or_else(|| self.into().get_key_value(&thing))?;
        Some((*kind, key.as_str()))
    }

    fn place(&self, like: &Dependency) -> Option<usize> {
        let places = self.from().get(&(like.from_kind, like.from.0.clone()))?;
        let is_same = |row: &Dependency| row.to == like.to && row.to_kind == like.to_kind;
        places
            .iter()
            .copied()
            .find(|place| self.rows.get(*place).is_some_and(is_same))
    }

    /// The arrows that begin at a thing.
    pub fn leaving(&self, kind: NodeKind, key: &str) -> impl Iterator<Item = &Dependency> {
        let places = self.from().get(&(kind, key.to_owned()));
        places.into_iter().flatten().filter_map(|place| self.rows.get(*place))
    }

    /// The arrows that end at a thing.
    pub fn arriving(&self, kind: NodeKind, key: &str) -> impl Iterator<Item = &Dependency> {
        let places = self.into().get(&(kind, key.to_owned()));
        places.into_iter().flatten().filter_map(|place| self.rows.get(*place))
    }

    /// The arrow between the same two ends, if there is one.
    pub fn between(&self, like: &Dependency) -> Option<&Dependency> {
        self.rows.get(self.place(like)?)
    }

    /// Adds an arrow; one between the same ends is replaced.
    pub fn put(&mut self, arrow: Dependency) {
        self.reached = Arc::default();
        self.named = OnceLock::new();
        let place = self.place(&arrow);
        self.into = OnceLock::new();
        match place.and_then(|place| self.rows.get_mut(place)) {
            Some(row) => *row = arrow,
            None => {
                let key = (arrow.from_kind, arrow.from.0.clone());
                if let Some(from) = self.from.get_mut() {
                    Arc::make_mut(from).entry(key).or_default().push(self.rows.len());
                }
                self.rows.push(arrow);
            }
        }
    }

    /// Updates the arrow with this record's id in rows sorted by id; an ended arrow is removed.
    pub(crate) fn renew(&mut self, arrow: Dependency) {
        self.from = OnceLock::new();
        self.into = OnceLock::new();
        self.reached = Arc::default();
        self.named = OnceLock::new();
        if arrow.ended {
            self.rows.remove(&arrow.id, |row| &row.id);
        } else {
            self.rows.put(arrow, |row| &row.id);
        }
    }

    /// The services that need one of these in some environments, near and far, without those themselves; no environment means
    /// all. The result is cached for each set, since every gate row needs it.
    pub fn dependants(
        &self,
        services: &BTreeSet<ServiceKey>,
        environments: &BTreeSet<EnvironmentKey>,
    ) -> Arc<BTreeSet<ServiceKey>> {
        self.services(Towards::Dependants, services, environments)
    }

    /// The services that these need in any environment, near and far, without those themselves.
    pub fn needed(&self, services: &BTreeSet<ServiceKey>) -> Arc<BTreeSet<ServiceKey>> {
        self.services(Towards::Causes, services, &BTreeSet::new())
    }

    fn services(
        &self,
        towards: Towards,
        services: &BTreeSet<ServiceKey>,
        environments: &BTreeSet<EnvironmentKey>,
    ) -> Arc<BTreeSet<ServiceKey>> {
        let key = (towards, services.clone(), environments.clone());
        // The cache behind the lock is consistent after any panic.
        let mut known = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(&key) {
            return Arc::clone(found);
        }
        let start: Vec<Node<'_>> = services.iter().map(|it| (NodeKind::Service, it.as_str())).collect();
        let terms = Terms {
            environments: Some(environments).filter(|it| !it.is_empty()),
            ..Terms::new(towards)
        };
        let reached = closure(self, &start, &terms).found.into_iter();
        let reached = reached.filter(|it| it.distance > 0 && it.node.0 == NodeKind::Service);
        let found: Arc<BTreeSet<ServiceKey>> = Arc::new(reached.map(|it| ServiceKey::from(it.node.1)).collect());
        known.insert(key, Arc::clone(&found));
        found
    }

    /// The things of which a thing is part, by the graph alone, in the order of keys.
    pub fn parents(&self, kind: NodeKind, key: &str) -> Vec<(NodeKind, &ServiceKey)> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let places = self.from().get(&(kind, key.to_owned())).into_iter().flatten();
        let mut found: Vec<(NodeKind, &ServiceKey)> = places
            .filter_map(|place| self.rows.get(*place))
            .filter(|row| row.kind == DependencyKind::PartOf)
            .map(|row| (row.to_kind, &row.to))
            .collect();
        found.sort_unstable();
        found
    }
}

/// A thing of the graph: its kind and its key.
pub type Node<'g> = (NodeKind, &'g str);

/// Which way a walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Towards {
    /// To things that a change of a thing affects: those that need it, run on it or store data in it, and the whole that it is
    /// part of.
    Dependants,
    /// To things that affect the thing: those that it needs, runs on or stores data in, and its parts.
    Causes,
}

/// The terms of a walk.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'t> {
    /// Which way.
    pub towards: Towards,
    /// The kinds of arrows that are followed.
    pub kinds: &'t [DependencyKind],
    /// Arrows that hold in none of these environments are left out; `None` follows all.
    pub environments: Option<&'t BTreeSet<EnvironmentKey>>,
    /// A thing reached over an arrow of this kind is found beside the same thing reached without one; `None` finds each once.
    pub marks: Option<DependencyKind>,
    /// The most arrows from the start.
    pub depth: usize,
    /// The most things that are found, the start among them.
    pub most: usize,
}

impl Terms<'_> {
    /// Along all arrows, without an end.
    pub const fn new(towards: Towards) -> Self {
        Self {
            towards,
            kinds: DependencyKind::ALL,
            environments: None,
            marks: None,
            depth: usize::MAX,
            most: usize::MAX,
        }
    }

    fn follows(&self, row: &Dependency) -> bool {
        let holds =
            |wanted: &BTreeSet<EnvironmentKey>| row.environments.is_empty() || !row.environments.is_disjoint(wanted);
        !row.ended && self.kinds.contains(&row.kind) && self.environments.is_none_or(holds)
    }
}

/// A thing that a walk found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'g> {
    /// The thing.
    pub node: Node<'g>,
    /// How many arrows away from the start.
    pub distance: usize,
    /// The place in the list of the previous thing on the path; `None` for the start.
    pub via: Option<usize>,
    /// The kind of the last arrow of the way; `None` for the start.
    pub by: Option<DependencyKind>,
    /// Whether an arrow of the kind that marks is on the way.
    pub is_marked: bool,
}

/// The result of a walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure<'g> {
    /// Each thing by its shortest path, the nearest first; equally near ones in the order of keys under the same previous
    /// thing. It is there once, or twice where a kind of arrow marks.
    pub found: Vec<Found<'g>>,
    /// Whether more follows behind the requested depth or number.
    pub is_cut: bool,
}

/// Everything that can be reached from some things under some terms, these things included. Each arrow is visited once, so that
/// hubs and loops cost no more than their arrows.
pub fn closure<'g>(graph: &'g Graph, start: &[Node<'g>], terms: &Terms<'_>) -> Closure<'g> {
    let mut found: Vec<Found<'g>> = Vec::new();
    let mut known: HashSet<(Node<'g>, bool)> = HashSet::new();
    for node in start
        .iter()
        .copied()
        .filter(|node| known.insert((*node, false)))
        .collect::<Vec<_>>()
    {
        found.push(Found {
            node,
            distance: 0,
            via: None,
            by: None,
            is_marked: false,
        });
    }
    let mut is_cut = false;
    let mut place = 0;
    while let Some(here) = found.get(place).copied() {
        for (node, kind) in neighbours(graph, here.node, terms) {
            let is_marked = here.is_marked || terms.marks == Some(kind);
            if known.contains(&(node, is_marked)) {
                continue;
            }
            if here.distance >= terms.depth || found.len() >= terms.most {
                is_cut = true;
                break;
            }
            known.insert((node, is_marked));
            found.push(Found {
                node,
                distance: here.distance + 1,
                via: Some(place),
                by: Some(kind),
                is_marked,
            });
        }
        // Later nodes are at least as far away.
        if is_cut {
            break;
        }
        place += 1;
    }
    Closure { found, is_cut }
}

/// The things one arrow away, in the order of keys.
fn neighbours<'g>(graph: &'g Graph, (kind, key): Node<'g>, terms: &Terms<'_>) -> Vec<(Node<'g>, DependencyKind)> {
    // A part leads to its whole along its arrow; a needed thing leads to its users against the arrow.
    let is_along = |row: &Dependency| (row.kind == DependencyKind::PartOf) == (terms.towards == Towards::Dependants);
    let leaving = graph
        .leaving(kind, key)
        .filter(|row| is_along(row) && terms.follows(row));
    let arriving = graph
        .arriving(kind, key)
        .filter(|row| !is_along(row) && terms.follows(row));
    let ends = leaving.map(|row| ((row.to_kind, row.to.as_str()), row.kind));
    let mut found: Vec<(Node<'g>, DependencyKind)> = ends.collect();
    found.extend(arriving.map(|row| ((row.from_kind, row.from.as_str()), row.kind)));
    found.sort_unstable_by_key(|((kind, key), by)| (*key, *kind, *by));
    found
}

impl<'g> Closure<'g> {
    /// The things on the way to one of the list, from the start to the thing itself.
    pub fn path(&self, place: usize) -> Vec<Node<'g>> {
        let mut nodes = Vec::new();
        let mut here = self.found.get(place);
        while let Some(one) = here {
            nodes.push(one.node);
            here = one.via.and_then(|via| self.found.get(via));
        }
        nodes.reverse();
        nodes
    }
}
