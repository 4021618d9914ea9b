//! The facts that the directory implies for a change: the impact that its services and its reach suggest, and the sensitive
//! things in its services and config items.

use std::collections::BTreeSet;

use crate::change::affected::{Affected, affected};
use crate::change::record::{Impact, Target};
use crate::core::enums::{Criticality, Kind, Level, NodeKind, Touch};
use crate::directory::records::Service;
use crate::directory::snapshot::Directory;
use crate::risk::assessment::{capped, derived_impact, union};
use crate::risk::terms::RiskTerms;

/// The impact where nothing suggests any.
const LOWEST: Impact = Impact {
    data: Level::None,
    availability: Level::None,
    compliance: Level::None,
};

/// The impact of an emergency on an axis without a stated value.
const HIGHEST: Impact = Impact {
    data: Level::High,
    availability: Level::High,
    compliance: Level::High,
};

impl Directory {
    /// The terms of risk in force.
    pub fn risk_terms(&self) -> RiskTerms {
        let tenant = self.tenant.as_ref();
        tenant.map(|tenant| tenant.risk_terms.clone()).unwrap_or_default()
    }
}

/// Whether a target is in production; an unknown environment counts as production.
pub(crate) fn is_production(directory: &Directory, target: &Target) -> bool {
    let place = directory.environments.get(&target.environment);
    place.is_none_or(|found| found.is_production)
}

/// A count or a distance as terms have it.
pub(crate) fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The impact on availability that follows from how many things are reached.
pub(crate) fn level_by_count(terms: &RiskTerms, count: i64) -> Level {
    match count {
        _ if count >= terms.most => Level::High,
        _ if count >= terms.many => Level::Medium,
        _ => Level::None,
    }
}

/// The impact that targets and their reach suggest.
pub fn impact(directory: &Directory, targets: &[Target]) -> Impact {
    let own = targets.iter().fold(LOWEST, |sum, target| {
        let service = directory.services.get(&target.service);
        union(sum, derived_impact(service, is_production(directory, target)))
    });
    if directory.dependencies.is_empty() {
        return own;
    }
    let (inside, outside): (Vec<Target>, Vec<Target>) = targets
        .iter()
        .cloned()
        .partition(|target| is_production(directory, target));
    let reached = union(reach(directory, &inside), capped(reach(directory, &outside)));
    union(own, reached)
}

/// The impact on an axis without a stated value: high in an emergency.
pub fn unstated_impact(directory: &Directory, targets: &[Target], kind: Kind) -> Impact {
    match kind {
        Kind::Emergency => HIGHEST,
        Kind::Normal | Kind::Standard => impact(directory, targets),
    }
}

/// The impact of the things that targets reach: their number, criticality and distance.
fn reach(directory: &Directory, targets: &[Target]) -> Impact {
    if targets.is_empty() {
        return LOWEST;
    }
    let terms = directory.risk_terms();
    let found = affected(directory, targets);
    let reached = || found.iter().filter(|one| one.distance > 0);
    let mut sum = Impact {
        availability: level_by_count(&terms, whole(reached().count())),
        ..LOWEST
    };
    for one in reached().take_while(|one| whole(one.distance) <= terms.far) {
        let service = service_of(directory, one);
        sum = union(sum, felt(service, whole(one.distance) <= terms.near));
    }
    sum
}

/// The service behind a reached thing.
pub(crate) fn service_of<'d>(directory: &'d Directory, one: &Affected) -> Option<&'d Service> {
    let key = match one.kind {
        NodeKind::Service => one.key.as_str(),
        NodeKind::ConfigItem => directory.config_items.get(&one.key)?.service.as_str(),
    };
    directory.services.get(&key.into())
}

/// The impact on a reached service: by its own criticality and regimes; further away, one level less.
pub(crate) fn felt(service: Option<&Service>, is_near: bool) -> Impact {
    let Some(service) = service else { return LOWEST };
    let level = |level: Level| if is_near { level } else { one_less(level) };
    let availability = match service.criticality {
        Criticality::Low => Level::Low,
        Criticality::Medium => Level::Medium,
        Criticality::High | Criticality::Critical => Level::High,
    };
    let compliance = match service.regimes.is_empty() {
        true => Level::None,
        false => Level::Medium,
    };
    Impact {
        data: Level::None,
        availability: level(availability),
        compliance: level(compliance),
    }
}

fn one_less(level: Level) -> Level {
    match level {
        Level::High => Level::Medium,
        Level::Medium => Level::Low,
        Level::Low | Level::None => Level::None,
    }
}

/// The sensitive things in the targets. Work on named config items touches their content and that of the service as a whole. A
/// deployed build, or work without a known item, may touch any of the service's items.
pub fn held(directory: &Directory, targets: &[Target]) -> BTreeSet<Touch> {
    let mut found = BTreeSet::new();
    for target in targets {
        let service = directory.services.get(&target.service);
        found.extend(service.into_iter().flat_map(|service| service.holds.iter().copied()));
        let is_known = |item: &String| directory.config_items.contains_key(item);
        let has_build = target.artifact.is_some() || target.commit.is_some();
        let is_narrow = !has_build && !target.config_items.is_empty() && target.config_items.iter().all(is_known);
        let items = directory.config_items.values().filter(|item| {
            !item.holds.is_empty()
                && (target.config_items.contains(&item.key) || (!is_narrow && item.service == target.service))
        });
        found.extend(items.flat_map(|item| item.holds.iter().copied()));
    }
    found
}
