//! The inputs of a forecast: a change's content, with the facts that count, as they are known before the work. No person is
//! among them, and nothing that happens afterwards.

use crate::approval::obligation::level_number;
use crate::change::record::{Change, Content};
use crate::core::enums::{Disruption, Kind, Level, Touch};
use crate::directory::snapshot::Directory;
use crate::risk::effective::unaccepted;
use crate::risk::forecast::base::Place;
pub use crate::risk::forecast::features::{FEATURES, FEATURES_VERSION};
use crate::risk::forecast::fixed::log2_milli;

/// The inputs of a change, in thousandths. Impact, complexity and touches are the higher of the stated and the derived value,
/// so that an understatement lowers no forecast; acceptance of a lower value comes after the forecast.
#[must_use]
pub fn inputs(change: &Change, directory: &Directory) -> Vec<i64> {
    let content = &change.content;
    let facts = unaccepted(change, directory);
    let yes = |is: bool| i64::from(is) * 1000;
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let mut services: Vec<&str> = content.targets.iter().map(|target| target.service.as_str()).collect();
    services.sort_unstable();
    services.dedup();
    vec![
        log2_milli(count(content.targets.len())),
        log2_milli(count(services.len())),
        level_number(facts.complexity.unwrap_or(Level::High)) * 1000,
        level_number(facts.impact.highest()) * 1000,
        count(facts.touches.len()) * 1000,
        yes(facts.touches.contains(&Touch::Schema)),
        yes(content.kind == Kind::Emergency),
        yes(content.kind == Kind::Standard),
        yes(content.expedited),
        yes(content.rollback_plan.is_empty()),
        log2_milli(count(content.plan.len())),
        yes(is_noticed(content)),
    ]
}

fn is_noticed(content: &Content) -> bool {
    let plan = content.disruption.as_ref();
    plan.is_some_and(|plan| plan.kind != Disruption::None)
}

/// The groups of a change at a service. A team counts if a service in the directory names it; any other text may name a person.
#[must_use]
pub fn place(change: &Change, service: &str, directory: &Directory) -> Place {
    let is_known = |team: &&String| directory.services.values().any(|it| it.team.as_ref() == Some(*team));
    let team = change.content.team.as_ref().filter(is_known);
    Place {
        kind: change.content.category.as_str().to_owned(),
        service: service.to_owned(),
        team: team.cloned().unwrap_or_default(),
    }
}
