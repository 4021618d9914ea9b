//! The process map: the actual paths of changes through the lifecycle, from their events. A step is an event of the lifecycle;
//! a move is a step that directly follows another one in the same change (a directly-follows graph: van der Aalst, Process
//! Mining, 2016, section 6.2).

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::report::event_log::Case;
use crate::report::statistics::percentile;

/// The events that are steps, in the order of the lifecycle.
pub const STEPS: [&str; 14] = [
    "change.created",
    "change.submitted",
    "change.returned",
    "change.assessed",
    "change.approved",
    "change.rejected",
    "change.scheduled",
    "change.held",
    "change.resumed",
    "change.implementing",
    "change.completed",
    "change.reviewing",
    "change.closed",
    "change.cancelled",
];
/// The most paths that are shown separately; the rest is counted together.
pub const MOST_PATHS: usize = 20;
/// The most steps of a path; what comes behind is left out.
pub const MOST_STEPS: usize = 100;

/// A step that changes took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapStep {
    /// The step: `submitted`.
    pub step: &'static str,
    /// The number of changes with it.
    pub changes: u64,
}

/// A move from one step to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapMove {
    /// The step before.
    pub from: &'static str,
    /// The step behind.
    pub to: &'static str,
    /// Its count.
    pub count: u64,
    /// Its median duration, in minutes.
    pub median: i64,
}

/// A path from the first step to the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapPath {
    /// Its steps.
    pub steps: Vec<&'static str>,
    /// The number of changes with it.
    pub changes: u64,
    /// Their keys, the first five.
    pub keys: Vec<String>,
}

/// The map of some changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessMap {
    /// The number of changes with a step.
    pub changes: u64,
    /// The steps, in the order of the lifecycle.
    pub steps: Vec<MapStep>,
    /// The moves, in the order of their steps.
    pub moves: Vec<MapMove>,
    /// The paths, the most frequent first.
    pub paths: Vec<MapPath>,
    /// The number of changes on other paths.
    pub other: u64,
}

/// The most keys that a path lists.
const KEYS: usize = 5;

/// Draws the map. A step that repeats without another one between is one step.
#[must_use]
pub fn process_map(cases: &[Case]) -> ProcessMap {
    let mut steps: BTreeMap<usize, u64> = BTreeMap::new();
    let mut moves: BTreeMap<(usize, usize), Vec<i64>> = BTreeMap::new();
    let mut paths: BTreeMap<Vec<usize>, Vec<&str>> = BTreeMap::new();
    for case in cases {
        let taken = taken(case);
        let mut places: Vec<usize> = taken.iter().map(|it| it.0).collect();
        for pair in taken.windows(2) {
            let minutes = pair[1].1.duration_since(pair[0].1).as_mins().max(0);
            moves.entry((pair[0].0, pair[1].0)).or_default().push(minutes);
        }
        if !places.is_empty() {
            paths.entry(places.clone()).or_default().push(&case.key);
        }
        places.sort_unstable();
        places.dedup();
        for place in places {
            *steps.entry(place).or_default() += 1;
        }
    }
    let changes = paths.values().map(|keys| keys.len() as u64).sum();
    let paths = by_frequency(paths);
    let shown: u64 = paths.iter().map(|it| it.changes).sum();
    ProcessMap {
        changes,
        steps: steps
            .into_iter()
            .map(|(place, changes)| MapStep {
                step: step_name(place),
                changes,
            })
            .collect(),
        moves: moves.into_iter().map(move_of).collect(),
        paths,
        other: changes - shown,
    }
}

/// The steps of a case with their times, each by its place in [`STEPS`].
fn taken(case: &Case) -> Vec<(usize, Timestamp)> {
    let place = |activity: &str| STEPS.iter().position(|step| *step == activity);
    let all = case.events.iter().filter_map(|it| Some((place(&it.activity)?, it.at)));
    let mut found: Vec<(usize, Timestamp)> = all.take(MOST_STEPS).collect();
    found.dedup_by_key(|it| it.0);
    found
}

/// The short name of a step: `submitted`.
fn step_name(place: usize) -> &'static str {
    let step = STEPS[place];
    step.strip_prefix("change.").unwrap_or(step)
}

fn move_of(((from, to), mut times): ((usize, usize), Vec<i64>)) -> MapMove {
    times.sort_unstable();
    MapMove {
        from: step_name(from),
        to: step_name(to),
        count: times.len() as u64,
        median: percentile(&times, 50).unwrap_or_default(),
    }
}

fn by_frequency(paths: BTreeMap<Vec<usize>, Vec<&str>>) -> Vec<MapPath> {
    let mut all: Vec<(Vec<usize>, Vec<&str>)> = paths.into_iter().collect();
    all.sort_by(|one, other| other.1.len().cmp(&one.1.len()).then_with(|| one.0.cmp(&other.0)));
    all.truncate(MOST_PATHS);
    let path = |(places, keys): (Vec<usize>, Vec<&str>)| MapPath {
        steps: places.into_iter().map(step_name).collect(),
        changes: keys.len() as u64,
        keys: keys.into_iter().take(KEYS).map(str::to_owned).collect(),
    };
    all.into_iter().map(path).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use crate::report::event_log::CaseEvent;

    fn case(key: &str, events: &[(&str, &str)]) -> Case {
        let event = |(activity, at): &(&str, &str)| CaseEvent {
            activity: format!("change.{activity}"),
            resource: "person-1".to_owned(),
            at: format!("2026-11-02T{at}:00Z").parse().unwrap(),
        };
        Case {
            key: key.to_owned(),
            kind: "normal".to_owned(),
            risk: "low".to_owned(),
            services: Vec::new(),
            events: events.iter().map(event).collect(),
        }
    }

    #[test]
    fn a_map_has_the_steps_the_moves_and_the_paths_that_were_taken() {
        let straight = [("created", "08:00"), ("submitted", "09:00"), ("closed", "10:00")];
        let returned = [
            ("created", "08:00"),
            ("submitted", "08:10"),
            ("commented", "08:20"),
            ("returned", "08:30"),
            ("submitted", "09:00"),
            ("submitted", "09:01"),
            ("closed", "09:30"),
        ];
        let map = process_map(&[
            case("CHG-1", &straight),
            case("CHG-2", &returned),
            case("CHG-3", &straight),
            case("CHG-4", &[("commented", "08:00")]),
        ]);
        assert_eq!(map.changes, 3, "one took no step");
        let steps: Vec<(&str, u64)> = map.steps.iter().map(|it| (it.step, it.changes)).collect();
        assert_eq!(
            steps,
            [("created", 3), ("submitted", 3), ("returned", 1), ("closed", 3)]
        );
        let moved = |from: &str, to: &str| {
            let found = map.moves.iter().find(|it| it.from == from && it.to == to);
            found.map(|it| (it.count, it.median))
        };
        assert_eq!(moved("created", "submitted"), Some((3, 60)));
        assert_eq!(moved("returned", "submitted"), Some((1, 30)));
        assert_eq!(moved("submitted", "submitted"), None, "a repeated step is one step");
        assert_eq!((map.paths.len(), map.other), (2, 0));
        assert_eq!(map.paths[0].steps, ["created", "submitted", "closed"]);
        assert_eq!(map.paths[0].keys, ["CHG-1", "CHG-3"]);
    }

    #[test]
    fn rare_paths_are_counted_together() {
        // Each path has one more return than the one before.
        let path = |returns: usize| {
            let mut events = vec![("created", "08:00")];
            for _ in 0..returns {
                events.extend([("submitted", "08:01"), ("returned", "08:02")]);
            }
            case(&format!("CHG-{returns}"), &events)
        };
        let cases: Vec<Case> = (0..=MOST_PATHS).map(path).collect();
        let map = process_map(&cases);
        assert_eq!((map.paths.len(), map.other), (MOST_PATHS, 1));
        assert_eq!(process_map(&[]), ProcessMap::default());
    }
}
