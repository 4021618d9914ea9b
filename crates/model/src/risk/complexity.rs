//! The least complexity of a change, by facts that nobody states: the number of targets, teams and files, whether outcomes of
//! its services are known, and whether its rollback was rehearsed. Each fact has points; [`MEDIUM`] of them make the complexity
//! medium at least, [`HIGH`] make it high. Work that follows a template was judged with the template, so its facts have no
//! points here.

use std::collections::BTreeSet;

use crate::change::change_file::{ChangeFile, KnownOutcomes};
use crate::change::content::plan_digest;
use crate::change::record::{Change, Target};
use crate::change::related_records::Evidence;
use crate::core::enums::{Aspect, EvidenceKind, EvidenceResult, Kind, Level, Touch};
use crate::core::ids::ServiceKey;
use crate::directory::snapshot::Directory;
use crate::gate::build::are_one;
use crate::risk::derived::is_production;
use crate::risk::forecast::base::Group;

/// The points from which complexity is medium.
pub const MEDIUM: i64 = 2;
/// The points from which it is high.
pub const HIGH: i64 = 4;
/// The numbers of targets, members of waves included, from which a change has one point and two points.
pub const TARGETS: [i64; 2] = [4, 10];
/// The same bounds for files in pushes.
pub const FILES: [i64; 2] = [50, 500];
/// The same of teams.
pub const TEAMS: [i64; 2] = [3, 5];

/// The complexity that the facts show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeastComplexity {
    /// The least level; `None` where no fact implies any.
    pub level: Option<Level>,
    /// The facts behind it, a sentence each; empty if only the category or the touches imply it.
    pub facts: Vec<String>,
}

impl LeastComplexity {
    /// The facts in sentences, with what follows: “Together these facts make the complexity medium at least”.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let Some(level) = self.level.filter(|_| !self.facts.is_empty()) else {
            return Vec::new();
        };
        let sum = format!("Together these facts make the complexity {level} at least");
        self.facts.iter().cloned().chain([sum]).collect()
    }
}

/// The facts of a change that have points, as they are or as a question supposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The number of places.
    pub targets: i64,
    /// The number of teams that run the services of its targets.
    pub teams: i64,
    /// The number of files in its builds.
    pub files: i64,
    /// Its services without a known outcome.
    pub new_services: Vec<ServiceKey>,
    /// Whether its rollback was rehearsed, by [`is_rehearsed`].
    pub is_rehearsed: bool,
}

impl Facts {
    /// The facts of a change.
    #[must_use]
    pub fn of(change: &Change, directory: &Directory, is_rehearsed: bool) -> Self {
        let targets = &change.content.targets;
        let known = |service: &&ServiceKey| targets.iter().any(|it| it.service == **service);
        Self {
            targets: count_targets(targets),
            teams: count_teams(targets, directory),
            files: change.changed_files.unwrap_or_default(),
            new_services: change.new_services.iter().filter(known).cloned().collect(),
            is_rehearsed,
        }
    }

    /// The facts with points, each with its points.
    fn weighed(&self) -> Vec<(i64, String)> {
        let over = |count: i64, bounds: [i64; 2]| bounds.iter().map(|bound| i64::from(count >= *bound)).sum::<i64>();
        let Self {
            targets, teams, files, ..
        } = self;
        let mut found = vec![
            (over(*targets, TARGETS), format!("The change goes to {targets} targets")),
            (
                over(*teams, TEAMS),
                format!("The services of its targets are run by {teams} teams"),
            ),
            (over(*files, FILES), format!("Its builds change {files} files")),
        ];
        if let Some(service) = self.new_services.first() {
            found.push((1, format!("No outcome of an earlier change of {service} is known")));
        }
        found.push((
            i64::from(!self.is_rehearsed),
            "No independent person confirmed a rehearsal of the rollback".to_owned(),
        ));
        found.retain(|(points, _)| *points > 0);
        found
    }

    /// The same facts with one of them, or the targets and their teams together, at the lowest value; each with the step that
    /// would achieve it.
    pub(crate) fn lighter(&self) -> Vec<(String, Self)> {
        let (targets, teams, files) = (TARGETS[0] - 1, TEAMS[0] - 1, FILES[0]);
        let fewer = |targets: i64, teams: i64| Self {
            targets: self.targets.min(targets),
            teams: self.teams.min(teams),
            ..self.clone()
        };
        let all = [
            (
                "With a rehearsed rollback".to_owned(),
                Self {
                    is_rehearsed: true,
                    ..self.clone()
                },
            ),
            (
                "Once an outcome of each of its services is known".to_owned(),
                Self {
                    new_services: Vec::new(),
                    ..self.clone()
                },
            ),
            (format!("With at most {targets} targets"), fewer(targets, self.teams)),
            (
                format!("With services of at most {teams} teams"),
                fewer(self.targets, teams),
            ),
            (
                format!("With at most {targets} targets of at most {teams} teams"),
                fewer(targets, teams),
            ),
            (
                format!("With builds that change fewer than {files} files"),
                Self {
                    files: self.files.min(files - 1),
                    ..self.clone()
                },
            ),
        ];
        let mut found: Vec<(String, Self)> = Vec::new();
        for (text, facts) in all {
            if facts != *self && found.iter().all(|(_, known)| *known != facts) {
                found.push((text, facts));
            }
        }
        found
    }
}

/// The least complexity of a change with these touches, by its category and its facts.
#[must_use]
pub fn least(change: &Change, directory: &Directory, touches: &BTreeSet<Touch>, facts: &Facts) -> LeastComplexity {
    let by_terms = directory.risk_terms().complexity_of(touches, change.content.category);
    let found = facts.weighed();
    let points: i64 = found.iter().map(|(points, _)| points).sum();
    let by_facts = match points {
        _ if change.content.kind == Kind::Standard => None,
        HIGH.. => Some(Level::High),
        MEDIUM..HIGH => Some(Level::Medium),
        _ => None,
    };
    let facts = match by_facts > by_terms {
        true => found.into_iter().map(|(_, fact)| fact).collect(),
        false => Vec::new(),
    };
    LeastComplexity {
        level: by_facts.max(by_terms),
        facts,
    }
}

/// The number of places of a change. A target with waves counts as its members.
fn count_targets(targets: &[Target]) -> i64 {
    let places: BTreeSet<_> = targets.iter().map(|it| (&it.service, &it.environment)).collect();
    let more = |target: &Target| target.members.as_ref().map_or(0, |list| (list.count - 1).max(0));
    let members = targets.iter().map(more).fold(0_i64, i64::saturating_add);
    i64::try_from(places.len()).unwrap_or(i64::MAX).saturating_add(members)
}

/// The number of teams that run the services of the targets.
fn count_teams(targets: &[Target], directory: &Directory) -> i64 {
    let team = |target: &Target| directory.services.get(&target.service)?.team.as_ref();
    let teams: BTreeSet<&String> = targets.iter().filter_map(team).collect();
    i64::try_from(teams.len()).unwrap_or(i64::MAX)
}

/// The services in production targets of a change without any known outcome there: neither in the current model nor, since its
/// fit, in the store. A service that was new stays new for this change. Without a model the list is empty.
#[must_use]
pub fn new_services(file: &ChangeFile, directory: &Directory) -> Vec<ServiceKey> {
    let change = &file.change;
    if !change.state.is_before_start() {
        return change.new_services.clone();
    }
    let is_new = |target: &&Target| {
        let place = (target.service.clone(), target.environment.clone());
        let told = |known: &KnownOutcomes| known.get(&place) == Some(&false);
        is_unknown(target, directory) && file.known_outcomes.as_ref().is_none_or(told)
    };
    let targets = change.content.targets.iter();
    let found = targets.filter(|it| change.new_services.contains(&it.service) || is_new(it));
    let services: BTreeSet<ServiceKey> = found.map(|it| it.service.clone()).collect();
    services.into_iter().collect()
}

/// Whether a target is in production, and the model in force knows no outcome of its service there.
#[must_use]
pub fn is_unknown(target: &Target, directory: &Directory) -> bool {
    let Some(model) = directory
        .failure_model
        .as_ref()
        .filter(|_| is_production(directory, target))
    else {
        return false;
    };
    let counts = &model.of(target.environment.as_str()).counts.0;
    let services = counts.get(&Group::Service);
    services.is_none_or(|known| !known.contains_key(target.service.as_str()))
}

/// The number of files in the builds of a change, from the pushes behind them; once the work began, the number known then.
#[must_use]
pub fn changed_files(file: &ChangeFile) -> Option<i64> {
    if !file.change.state.is_before_start() {
        return file.change.changed_files;
    }
    Some(file.committers.files).filter(|files| *files > 0)
}

/// Whether somebody who did not write the change showed, for each of its targets, that the rollback was rehearsed: the last
/// evidence about it passed, for the build or, without one, for the current plan.
#[must_use]
pub fn is_rehearsed(file: &ChangeFile) -> bool {
    if !file.evidence.iter().any(|it| it.aspect == Aspect::Rehearsal) {
        return false;
    }
    let plan = plan_digest(&file.change.content);
    let targets = &file.change.content.targets;
    !targets.is_empty() && targets.iter().all(|target| is_rehearsed_for(file, target, &plan))
}

fn is_rehearsed_for(file: &ChangeFile, target: &Target, plan: &str) -> bool {
    let builds: Vec<&String> = target.artifact.iter().chain(&target.commit).collect();
    let is_about = |it: &&Evidence| match (&it.artifact, &it.plan_digest) {
        (Some(named), _) => builds.iter().any(|build| are_one(named, build)),
        (None, Some(digest)) => builds.is_empty() && digest == plan,
        (None, None) => false,
    };
    let rows = file.evidence.iter().filter(|it| {
        it.aspect == Aspect::Rehearsal
            && it.result != EvidenceResult::Informational
            && !matches!(
                it.kind,
                EvidenceKind::Waiver | EvidenceKind::Probe | EvidenceKind::Verdict
            )
    });
    let last = rows
        .filter(is_about)
        .filter(|it| it.result != EvidenceResult::Passed || !file.wrote_by_hand(&it.by))
        .max_by_key(|it| (it.at, &it.id));
    last.is_some_and(|it| it.result == EvidenceResult::Passed)
}
