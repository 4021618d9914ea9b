//! The source of a derived input of the matrix: the thing whose facts imply the value, and the path in the dependency graph by
//! which the change reaches that thing.

use crate::change::affected::{Affected, affected};
use crate::change::record::{Impact, Target};
use crate::core::enums::{Kind, Level, NodeKind, RatedFact};
use crate::directory::records::Service;
use crate::directory::snapshot::Directory;
use crate::risk::assessment::derived_impact;
use crate::risk::derived::{felt, impact, is_production, level_by_count, service_of, whole};

/// The source of a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// The things on the path, from a target to the source; empty where there is no single source.
    pub path: Vec<(NodeKind, String)>,
    /// The fact's name: “criticality”.
    pub fact: String,
    /// The fact's value; empty where the name is enough.
    pub value: String,
}

impl Source {
    /// A source without a path.
    #[must_use]
    pub fn of(fact: impl Into<String>) -> Self {
        Self {
            fact: fact.into(),
            ..Self::default()
        }
    }

    /// In one line: “ledger-db → booking-api: criticality high”.
    #[must_use]
    pub fn told(&self) -> String {
        let keys: Vec<&str> = self.path.iter().map(|(_, key)| key.as_str()).collect();
        let value = match self.value.as_str() {
            "" => String::new(),
            value => format!(" {value}"),
        };
        match keys.as_slice() {
            [] => format!("{}{value}", self.fact),
            keys => format!("{}: {}{value}", keys.join(" → "), self.fact),
        }
    }
}

fn axis(impact: Impact, fact: RatedFact) -> Level {
    match fact {
        RatedFact::Data => impact.data,
        RatedFact::Availability => impact.availability,
        RatedFact::Compliance => impact.compliance,
        RatedFact::Complexity | RatedFact::Touches | RatedFact::RiskOverride => Level::None,
    }
}

/// The source of the derived impact on an axis: the first target whose own facts imply it, else the nearest reached thing, else
/// the number of reached things. `None` where no impact is derived.
#[must_use]
pub fn of_impact(directory: &Directory, targets: &[Target], kind: Kind, fact: RatedFact) -> Option<Source> {
    if kind == Kind::Emergency {
        return Some(Source::of("high by default for an emergency"));
    }
    let most = axis(impact(directory, targets), fact);
    if most == Level::None {
        return None;
    }
    let says = |target: &&Target| {
        let service = directory.services.get(&target.service);
        axis(derived_impact(service, is_production(directory, target)), fact) == most
    };
    if let Some(target) = targets.iter().find(says) {
        let path = vec![(NodeKind::Service, target.service.0.clone())];
        return Some(implied_source(directory.services.get(&target.service), fact, path));
    }
    let (inside, outside): (Vec<Target>, Vec<Target>) = targets
        .iter()
        .cloned()
        .partition(|target| is_production(directory, target));
    reached(directory, &inside, fact, |level| level == most).or_else(|| {
        let as_outside = |level: Level| level.min(Level::Low) == most;
        reached(directory, &outside, fact, as_outside)
    })
}

/// The reached thing, or the number of them, that implies a level of an axis.
fn reached(
    directory: &Directory,
    targets: &[Target],
    fact: RatedFact,
    is_it: impl Fn(Level) -> bool,
) -> Option<Source> {
    if targets.is_empty() {
        return None;
    }
    let terms = directory.risk_terms();
    let found = affected(directory, targets);
    let near = |one: &Affected| whole(one.distance) <= terms.near;
    let says = |one: &&Affected| {
        let is_within = one.distance > 0 && whole(one.distance) <= terms.far;
        is_within && is_it(axis(felt(service_of(directory, one), near(one)), fact))
    };
    if let Some(one) = found.iter().find(says) {
        return Some(implied_source(service_of(directory, one), fact, path(&found, one)));
    }
    let count = whole(found.iter().filter(|one| one.distance > 0).count());
    let is_by_count = fact == RatedFact::Availability && is_it(level_by_count(&terms, count));
    is_by_count.then(|| Source::of(format!("{count} services and config items depend on it")))
}

/// The things on the path to one, from the target at its beginning.
fn path(found: &[Affected], one: &Affected) -> Vec<(NodeKind, String)> {
    let mut path = vec![(one.kind, one.key.clone())];
    let mut via = one.via;
    // Each step leads to an earlier place of the list, so the walk ends.
    while let Some(before) = via.and_then(|place| found.get(place)) {
        path.push((before.kind, before.key.clone()));
        via = before.via;
    }
    path.reverse();
    path
}

/// The level of an axis that a service's own facts imply.
fn implied_source(service: Option<&Service>, fact: RatedFact, path: Vec<(NodeKind, String)>) -> Source {
    let Some(service) = service else {
        return Source {
            path,
            fact: "no service of this name is known".to_owned(),
            value: String::new(),
        };
    };
    let (words, value) = match fact {
        RatedFact::Data => ("data class", service.data_class.clone().unwrap_or_default()),
        RatedFact::Compliance => {
            let regimes: Vec<&str> = service.regimes.iter().map(String::as_str).collect();
            ("regimes", regimes.join(", "))
        }
        _ => ("criticality", service.criticality.as_str().to_owned()),
    };
    Source {
        path,
        fact: words.to_owned(),
        value,
    }
}
