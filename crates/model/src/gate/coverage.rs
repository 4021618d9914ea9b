//! Whether every production service is watched: the sources that report its deployments, the gates that check them, and the
//! last time of each.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::change::record::{Change, Target};
use crate::change::related_records::Deployment;
use crate::core::parse::later;
use crate::core::unmet::{Unmet, unmet};
use crate::gate::build;

/// A source or a gate counts as silent after so many days without a report or check, if the request sets no other number.
pub const SILENT_DAYS: i64 = 30;

/// A gate that checked the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoorUse {
    /// The door's name.
    pub door: String,
    /// The time of its last check.
    pub last_at: Timestamp,
    /// The number of its checks.
    pub asked: i64,
}

/// A service in a production environment, and what is heard of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Watched {
    /// The service's key.
    pub service: String,
    /// The environment's key; empty while the service is nowhere.
    pub environment: String,
    /// Connections that report its deployments, by name.
    pub sources: Vec<String>,
    /// Gates that have checked it.
    pub doors: Vec<DoorUse>,
    /// The time of the last reported deployment.
    pub last_signal_at: Option<Timestamp>,
    /// The time of the last gate check.
    pub last_check_at: Option<Timestamp>,
    /// Logins of the service's owners.
    pub owners: Vec<String>,
}

/// The findings on a service: no source, no gate, or silence for `days`.
pub fn findings(watched: &Watched, days: i64, now: Timestamp) -> Vec<Unmet> {
    let mut found = Vec::new();
    let place = format!("{} in {}", watched.service, watched.environment);
    let mut tell = |code: &str, text: String, satisfy: &str| {
        found.push(unmet(code, text, satisfy, watched.owners.clone()));
    };
    let silent = |at: Option<Timestamp>| at.is_none_or(|at| at + SignedDuration::from_hours(24 * days) <= now);
    if watched.sources.is_empty() {
        tell(
            "no_source",
            format!("No connection reports deployments of {place}."),
            "Map the repository in a connection, or have the pipeline report its deployments.",
        );
    } else if silent(watched.last_signal_at) {
        tell(
            "silent_source",
            since("a deployment of", &place, watched.last_signal_at, "was told"),
            "Check whether deliveries still arrive, and whether the service is still in use.",
        );
    }
    if watched.doors.is_empty() {
        tell(
            "no_gate",
            format!("No gate check was ever made for {place}."),
            "Put a gateway before it, or `assent gate check` into its pipeline.",
        );
    } else if silent(watched.last_check_at) {
        tell(
            "silent_gate",
            since("the gate for", &place, watched.last_check_at, "was asked"),
            "Check whether the gate is still in front of the service.",
        );
    }
    found
}

fn since(what: &str, place: &str, at: Option<Timestamp>, done: &str) -> String {
    match at {
        Some(at) => format!("Not since {} {what} {place} {done}.", at.strftime("%Y-%m-%d")),
        None => format!("Never yet {what} {place} {done}."),
    }
}

/// How far a reported deployment may lie outside the work of a retrospective change: clocks differ, and people record times
/// afterwards.
const TOLD_TOLERANCE: SignedDuration = SignedDuration::from_mins(15);

/// The target by which a retrospective change explains a deployment without a change: the verbal approver has confirmed it,
/// service, environment and build are the same, and the deployment falls into the work. A denied or unconfirmed change explains
/// nothing. Work that was confirmed late explains nothing unless a change manager has recorded a finding.
#[must_use]
pub fn explained_by<'c>(change: &'c Change, deployment: &Deployment) -> Option<&'c Target> {
    let answer = change.retrospective.as_ref()?.confirmation.as_ref()?;
    if !answer.confirmed || (change.unauthorized && change.finding.is_none()) {
        return None;
    }
    let (start, end) = (change.actual_start?, change.actual_end?);
    let (from, until) = (
        start.checked_sub(TOLD_TOLERANCE).unwrap_or(Timestamp::MIN),
        later(end, TOLD_TOLERANCE),
    );
    if !(from..=until).contains(&deployment.at) {
        return None;
    }
    let mut targets = change.content.targets.iter();
    targets.find(|target| {
        target.service == deployment.service
            && target.environment == deployment.environment
            && is_same_build(target, deployment)
    })
}

/// Whether a target has all names of the reported deployment.
fn is_same_build(target: &Target, deployment: &Deployment) -> bool {
    let commit = Some(deployment.commit.as_str()).filter(|commit| !commit.is_empty());
    let artifact = deployment.artifact.as_deref();
    let agrees = |told: Option<&str>, named: Option<&str>| match (told, named) {
        (Some(told), Some(named)) => Some(build::are_one(told, named)),
        _ => None,
    };
    let answers = [
        agrees(commit, target.commit.as_deref()),
        agrees(artifact, target.artifact.as_deref()),
    ];
    answers.contains(&Some(true)) && !answers.contains(&Some(false))
}

/// A deployment without an approved change, or a change without a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmatched {
    /// `deployment_without_change` or `change_without_deployment`.
    pub code: &'static str,
    /// The sentence.
    pub text: String,
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The vendors that operate the service, by name and key.
    pub vendor: Option<String>,
    /// The artifact, if there is one.
    pub artifact: Option<String>,
    /// The commit, if there is one.
    pub commit: Option<String>,
    /// The change's key: a change that was not open for the deployment, or a change without one.
    pub change: Option<String>,
    /// The deployment's record.
    pub deployment: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// Whether it was reported within the requested period but dated before it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub backdated: bool,
    /// Its age, in seconds.
    pub age_seconds: i64,
    /// Logins of the service's owners.
    pub owners: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_and_silence_are_findings() {
        let now: Timestamp = "2026-11-20T10:00:00Z".parse().expect("a time");
        let codes =
            |watched: &Watched| -> Vec<String> { findings(watched, 30, now).into_iter().map(|row| row.code).collect() };
        let mut watched = Watched {
            service: "shop".to_owned(),
            environment: "production".to_owned(),
            sources: Vec::new(),
            doors: Vec::new(),
            last_signal_at: None,
            last_check_at: None,
            owners: vec!["hanne".to_owned()],
        };
        assert_eq!(codes(&watched), ["no_source", "no_gate"]);
        watched.sources.push("GitHub".to_owned());
        let door = DoorUse {
            door: "nginx".to_owned(),
            last_at: now,
            asked: 1,
        };
        watched.doors.push(door);
        watched.last_check_at = Some(now - SignedDuration::from_hours(24 * 29));
        assert_eq!(codes(&watched), ["silent_source"]);
        watched.last_signal_at = Some(now);
        watched.last_check_at = Some(now - SignedDuration::from_hours(24 * 30));
        assert_eq!(codes(&watched), ["silent_gate"]);
        assert_eq!(findings(&watched, 30, now)[0].waiting_on, ["hanne"]);
    }
}
