//! Recent changes on a service or config item and on all its dependencies, before a time: one ranking for people who look for a
//! cause. The ranking is only an order; it accuses nobody and decides nothing.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;

use jiff::Timestamp;

use crate::change::record::{Change, UndoRecord};
use crate::core::enums::{Kind, Level, NodeKind, Outcome};
use crate::core::ids::ServiceKey;
use crate::directory::graph::{Terms, Towards, closure};
use crate::directory::snapshot::Directory;

/// The default number of hours to look back.
pub const HOURS: i64 = 24;
/// The most hours that are looked back: a quarter.
pub const MOST_HOURS: i64 = 24 * 92;
/// The most things of the graph that are searched, the nearest first.
pub const MOST_THINGS: usize = 300;

/// The default number of hours before an incident in which a change that led to it may have ended.
pub const CAUSE_HOURS: i64 = 4;
/// The points from which the first of the ranking is named as the likeliest cause.
pub const SURE: i64 = 60;
/// The lead over the second that this requires.
pub const SURE_LEAD: i64 = 6;

/// Whether the first of these points, the highest first, is far enough ahead; otherwise the result is “not sure”.
#[must_use]
pub fn is_sure(scores: &[i64]) -> bool {
    let second = scores.get(1).copied().unwrap_or_default();
    scores
        .first()
        .is_some_and(|first| *first >= SURE && first - second >= SURE_LEAD)
}

/// A thing with a possible influence, and its distance in the graph.
pub type Near = HashMap<(NodeKind, String), usize>;

/// All things whose change can affect a thing, the thing itself included, each with its distance; at most [`MOST_THINGS`], the
/// nearest; and whether there were more.
#[must_use]
pub fn near(directory: &Directory, kind: NodeKind, key: &str) -> (Near, bool) {
    let terms = Terms {
        most: MOST_THINGS,
        ..Terms::new(Towards::Causes)
    };
    let walked = closure(&directory.dependencies, &[(kind, key)], &terms);
    let things = walked.found.iter().map(|one| (one.node, one.distance));
    let things = things.map(|((kind, key), distance)| ((kind, key.to_owned()), distance));
    (things.collect(), walked.is_cut)
}

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// When it began.
    pub began: Timestamp,
    /// When it ended; absent while it goes on.
    pub ended: Option<Timestamp>,
    /// The distance of the nearest thing that it changed.
    pub distance: usize,
    /// Its kind of change; absent for a deployment without a change.
    pub kind: Option<Kind>,
    /// The level of risk; absent for a deployment without a change.
    pub risk: Option<Level>,
    /// The forecast probability of failure, from the outcomes of its service and team, in parts per million; absent where there
    /// was none.
    pub forecast_ppm: Option<i64>,
    /// Whether it did not succeed, as far as an outcome was recorded.
    pub failed: bool,
    /// Whether its planned undo, after the work, was its last step.
    pub undone: bool,
}

/// A happening in the ranking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// 0 to 100; higher is nearer.
    pub score: i64,
    /// The reasons as text, the weightiest first.
    pub reasons: Vec<String>,
}

/// Orders the ranking: most points first; among equals the one that ended last; changes under way before all others.
#[must_use]
pub fn order(one: (&Ranked, &Happening), other: (&Ranked, &Happening)) -> Ordering {
    let place = |(ranked, it): (&Ranked, &Happening)| {
        let ended = it.ended.unwrap_or(Timestamp::MAX);
        (Reverse(ranked.score), Reverse(ended), Reverse(it.began))
    };
    place(one).cmp(&place(other))
}

/// Ranks a happening before a time: the distance in the graph weighs up to 45, the time up to 30, the type up to 10, the risk (the
/// forecast of failure where there is one) up to 8 and an outcome that was no success 7.
#[must_use]
pub fn rank(it: &Happening, before: Timestamp) -> Ranked {
    let mut reasons = Vec::new();
    let near = match it.distance {
        0 => 45,
        1 => 28,
        2 => 16,
        3 => 8,
        _ => 3,
    };
    reasons.push(match it.distance {
        0 => "on it itself".to_owned(),
        1 => "on a dependency of the service".to_owned(),
        many => format!("{many} dependencies away"),
    });
    let last = it.ended.filter(|end| *end <= before);
    let minutes = last.map_or(0, |end| before.duration_since(end).as_mins().max(0));
    reasons.push(match last {
        None => "under way at that time".to_owned(),
        Some(_) => format!("ended {} before", span(minutes)),
    });
    if it.undone {
        reasons.push("with its planned undo".to_owned());
    }
    // Each doubling of the gap costs three: an hour 15, a day 0.
    let doublings = i64::from(u64::try_from(minutes + 1).unwrap_or(1).ilog2());
    let recent = (30 - 3 * doublings).max(0);
    let kind = match it.kind {
        None => {
            reasons.push("no change names it".to_owned());
            10
        }
        Some(Kind::Emergency) => {
            reasons.push("an emergency".to_owned());
            6
        }
        Some(Kind::Normal) => 3,
        Some(Kind::Standard) => 0,
    };
    let risk = match (it.forecast_ppm, it.risk) {
        // A figure from what came of like changes goes before the level of a table.
        (Some(ppm), _) => {
            reasons.push(format!("forecast to fail with {} %", (ppm + 5_000) / 10_000));
            match ppm {
                100_000.. => 8,
                50_000.. => 6,
                25_000.. => 4,
                10_000.. => 2,
                _ => 0,
            }
        }
        (None, Some(Level::High)) => {
            reasons.push("high risk".to_owned());
            8
        }
        (None, Some(Level::Medium)) => 4,
        (None, _) => 0,
    };
    let failed = if it.failed { 7 } else { 0 };
    if it.failed {
        reasons.push("it did not succeed".to_owned());
    }
    Ranked {
        score: near + recent + kind + risk + failed,
        reasons,
    }
}

fn span(minutes: i64) -> String {
    match minutes {
        0 => "less than a minute".to_owned(),
        1 => "1 minute".to_owned(),
        many if many < 120 => format!("{many} minutes"),
        many if many < 48 * 60 => format!("{} hours", many / 60),
        many => format!("{} days", many / (24 * 60)),
    }
}

/// The time at which a change last touched production, and whether that was its planned undo, which may come long after the
/// work.
fn last_touch(
    worked_until: Option<Timestamp>,
    undo: Option<&UndoRecord>,
    before: Timestamp,
) -> (Option<Timestamp>, bool) {
    let undone_at = undo
        .filter(|it| it.done && it.occurred_at <= before)
        .map(|it| it.occurred_at);
    match (worked_until, undone_at) {
        (Some(end), Some(undone)) if undone > end => (Some(undone), true),
        _ => (worked_until, false),
    }
}

/// A change as a happening, if its work lies in the time span and on one of the things; and the nearest of its services.
#[must_use]
pub fn of_change(
    change: &Change,
    things: &Near,
    (from, before): (Timestamp, Timestamp),
) -> Option<(Happening, ServiceKey)> {
    if change.outcome == Some(Outcome::NotImplemented) {
        return None;
    }
    let began = change.seen_work.earliest(change.actual_start)?;
    let is_over = change.outcome.is_some();
    let worked_until = change.seen_work.latest(change.actual_end).filter(|_| is_over);
    let (ended, undone) = last_touch(worked_until, change.undo.as_ref(), before);
    if began > before || ended.is_some_and(|end| end < from) {
        return None;
    }
    let place = |kind: NodeKind, key: &str| things.get(&(kind, key.to_owned())).copied();
    let targets = change.content.targets.iter().filter_map(|target| {
        let items = target
            .config_items
            .iter()
            .filter_map(|item| place(NodeKind::ConfigItem, item));
        let own = place(NodeKind::Service, target.service.as_str());
        let distance = own.into_iter().chain(items).min()?;
        Some((distance, target.service.clone()))
    });
    let (distance, service) = targets.min_by(|one, other| one.0.cmp(&other.0))?;
    let happening = Happening {
        began,
        ended,
        distance,
        kind: Some(change.content.kind),
        risk: Some(change.risk.level),
        forecast_ppm: change.forecast.as_ref().and_then(|it| it.probability_ppm),
        failed: change.outcome.is_some_and(|outcome| !outcome.is_success()),
        undone,
    };
    Some((happening, service))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::RecordId;
    use crate::directory::records::Dependency;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).expect("a time")
    }

    fn happening(distance: usize, ended: Option<i64>) -> Happening {
        Happening {
            began: at(-500),
            ended: ended.map(at),
            distance,
            kind: Some(Kind::Normal),
            risk: Some(Level::Low),
            forecast_ppm: None,
            failed: false,
            undone: false,
        }
    }

    #[test]
    fn a_planned_undo_is_the_last_touch_of_its_change_once_it_was_done() {
        let undo = |done: bool, minute: i64| UndoRecord {
            done,
            occurred_at: at(minute),
            late: false,
            text: None,
            by: "p1".into(),
            at: at(minute),
        };
        let touched = |undo: &UndoRecord| last_touch(Some(at(-600)), Some(undo), at(0));
        assert_eq!(touched(&undo(true, -5)), (Some(at(-5)), true));
        assert_eq!(
            touched(&undo(true, 5)),
            (Some(at(-600)), false),
            "after the time asked about"
        );
        assert_eq!(touched(&undo(false, -5)), (Some(at(-600)), false), "called off");
        assert_eq!(
            last_touch(None, Some(&undo(true, -5)), at(0)),
            (None, false),
            "the work goes on"
        );
        let undone = Happening {
            undone: true,
            ..happening(0, Some(-5))
        };
        assert_eq!(
            rank(&undone, at(0)).reasons,
            ["on it itself", "ended 5 minutes before", "with its planned undo"]
        );
    }

    #[test]
    fn of_as_many_points_the_latest_comes_first_and_a_forecast_goes_before_the_level() {
        let (early, late) = (happening(0, Some(-6)), happening(0, Some(-5)));
        let ranks = [&early, &late].map(|it| rank(it, at(0)));
        assert_eq!(ranks[0].score, ranks[1].score, "six and five minutes are alike");
        assert_eq!(order((&ranks[1], &late), (&ranks[0], &early)), Ordering::Less);
        let running = happening(0, None);
        assert_eq!(order((&ranks[1], &running), (&ranks[1], &late)), Ordering::Less);
        let told = |ppm: i64| {
            let it = Happening {
                risk: Some(Level::High),
                forecast_ppm: Some(ppm),
                ..happening(0, Some(-60))
            };
            rank(&it, at(0)).score - rank(&happening(0, Some(-60)), at(0)).score
        };
        assert_eq!([9_999, 10_000, 25_000, 50_000, 100_000].map(told), [0, 2, 4, 6, 8]);
    }

    #[test]
    fn the_same_service_comes_first_then_the_time_the_type_and_the_risk() {
        let score = |it: &Happening| rank(it, at(0)).score;
        assert!(score(&happening(0, Some(-60))) > score(&happening(1, Some(-1))));
        assert!(score(&happening(1, Some(-1))) > score(&happening(1, Some(-60))));
        let told = |it: Happening| score(&it);
        let base = happening(1, Some(-60));
        assert!(
            told(Happening {
                kind: Some(Kind::Emergency),
                ..base.clone()
            }) > told(base.clone())
        );
        assert!(
            told(Happening {
                risk: Some(Level::High),
                ..base.clone()
            }) > told(base.clone())
        );
        assert!(
            told(Happening {
                kind: None,
                risk: None,
                ..base.clone()
            }) > told(base.clone())
        );
        let most = Happening {
            kind: None,
            risk: Some(Level::High),
            failed: true,
            ..happening(0, None)
        };
        assert_eq!(told(most), 100);
        assert_eq!(
            rank(&happening(0, Some(-3_000)), at(0)).reasons,
            ["on it itself", "ended 2 days before"]
        );
    }

    #[test]
    fn the_first_is_sure_only_with_points_and_a_lead() {
        assert!(is_sure(&[70]) && is_sure(&[70, 64]));
        assert!(!is_sure(&[]) && !is_sure(&[59]) && !is_sure(&[70, 65]));
    }

    fn arrow(from: &str, to: &str) -> Dependency {
        Dependency {
            id: RecordId(format!("{from}-{to}")),
            version: 1,
            from: from.into(),
            to: to.into(),
            kind: crate::core::enums::DependencyKind::DependsOn,
            from_kind: NodeKind::Service,
            to_kind: NodeKind::Service,
            environments: Default::default(),
            ended: false,
        }
    }

    #[test]
    fn what_lies_beyond_the_most_things_is_told() {
        let things = |count: usize| {
            let arrows: Vec<Dependency> = (1..count).map(|number| arrow("web", &format!("s{number}"))).collect();
            let directory = Directory {
                dependencies: arrows.into(),
                ..Directory::default()
            };
            let (found, is_cut) = near(&directory, NodeKind::Service, "web");
            (found.len(), is_cut)
        };
        assert_eq!(things(MOST_THINGS), (MOST_THINGS, false));
        assert_eq!(things(MOST_THINGS + 1), (MOST_THINGS, true));
    }

    #[test]
    fn what_a_service_needs_is_near_it_and_what_needs_it_is_not() {
        let directory = Directory {
            dependencies: vec![
                arrow("web", "api"),
                arrow("api", "db"),
                arrow("db", "web"),
                arrow("shop", "web"),
            ]
            .into(),
            ..Directory::default()
        };
        let (found, _) = near(&directory, NodeKind::Service, "web");
        let distance = |key: &str| found.get(&(NodeKind::Service, key.to_owned())).copied();
        assert_eq!(
            [distance("web"), distance("api"), distance("db"), distance("shop")],
            [Some(0), Some(1), Some(2), None]
        );
    }
}
