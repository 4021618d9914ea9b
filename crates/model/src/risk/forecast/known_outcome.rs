//! The outcomes of changes for the model: success has the product's one definition, and an outcome counts from the time at
//! which it was known.

use crate::change::record::{Change, Target};
use crate::change::success::{succeeded, target_succeeded};
use crate::directory::snapshot::Directory;
use crate::risk::forecast::features::FEATURES_VERSION;
use crate::risk::forecast::inputs::{inputs, place};
pub use crate::risk::forecast::outcome::ByEnvironment;
use crate::risk::forecast::outcome::Outcome;

/// Adds the outcome of a closed change, once for each service and environment of its targets: the outcome at another place is
/// no information about this one. A change that is open, and a place where nothing was implemented, add nothing.
pub fn add(found: &mut ByEnvironment, change: &Change, directory: &Directory) {
    let (Some(closed_at), Some(_)) = (change.closed_at, succeeded(change)) else {
        return;
    };
    // An incident may show the failure after the closing; before, the change counted as a success.
    let shown_at = change.caused_incidents.iter().map(|row| row.at).min();
    let pinned = change.forecast.as_ref();
    let judged_at = pinned.map(|it| it.at).or(change.assessed_at).or(change.submitted_at);
    let told = pinned.filter(|it| it.features_version == FEATURES_VERSION);
    let inputs = told.map_or_else(|| inputs(change, directory), |it| it.inputs.clone());
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for target in &change.content.targets {
        let (service, environment) = (target.service.as_str(), target.environment.as_str());
        if seen.contains(&(service, environment)) {
            continue;
        }
        seen.push((service, environment));
        let Some(failed) = failed_at(change, target) else {
            continue;
        };
        let known_at = shown_at.filter(|_| failed).map_or(closed_at, |at| at.max(closed_at));
        found.entry(environment.to_owned()).or_default().push(Outcome {
            at: judged_at.unwrap_or(change.created_at).as_second(),
            known_at: known_at.as_second(),
            place: place(change, service, directory),
            inputs: inputs.clone(),
            failed,
        });
    }
}

/// Whether a change failed at the place of a target; `None` if none of its targets there was implemented.
fn failed_at(change: &Change, target: &Target) -> Option<bool> {
    let is_there = |other: &&Target| (&other.service, &other.environment) == (&target.service, &target.environment);
    let targets = change.content.targets.iter().filter(is_there);
    let records = targets.filter_map(|it| change.target_records.iter().find(|record| record.target == it.id));
    records
        .filter_map(|record| target_succeeded(change, record))
        .map(|well| !well)
        .reduce(|one, other| one || other)
}
