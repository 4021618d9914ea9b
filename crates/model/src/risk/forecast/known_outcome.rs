//! The outcomes of changes as a model learns from them: success is the product's one definition, and an outcome counts from the
//! moment in which it was known.

use crate::change::record::Change;
use crate::change::success::succeeded;
use crate::directory::snapshot::Directory;
use crate::risk::forecast::features::FEATURES_VERSION;
use crate::risk::forecast::inputs::{inputs, place};
pub use crate::risk::forecast::outcome::ByEnvironment;
use crate::risk::forecast::outcome::Outcome;

/// Adds the outcome of a closed change, once for each service and environment of its targets. A change that is open or
/// was not implemented adds nothing.
pub fn add(found: &mut ByEnvironment, change: &Change, directory: &Directory) {
    let (Some(closed_at), Some(succeeded)) = (change.closed_at, succeeded(change)) else {
        return;
    };
    // An incident may show the failure after the closing; before, the change counted as a success.
    let shown_at = change.caused_incidents.iter().map(|row| row.at).min();
    let known_at = shown_at
        .filter(|_| !succeeded)
        .map_or(closed_at, |at| at.max(closed_at));
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
        found.entry(environment.to_owned()).or_default().push(Outcome {
            at: judged_at.unwrap_or(change.created_at).as_second(),
            known_at: known_at.as_second(),
            place: place(change, service, directory),
            inputs: inputs.clone(),
            failed: !succeeded,
        });
    }
}
