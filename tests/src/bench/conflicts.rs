//! Conflicts of plans: the conflicts of an edit of a plan, among many open changes on a graph of services with hubs, and many
//! plans on a crowded calendar; in this process, without a database.
//!
//! The floor is the work that no check can do without: comparing the times of the plan with those of every other.

use std::collections::BTreeSet;

use ::tests::dice::Dice;
use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp};
use model::core::enums::ConflictKind;
use model::core::ids::{ChangeId, EnvironmentKey, PersonId, ServiceKey};
use model::directory::snapshot::{Dependency, Directory};
use model::schedule::conflicts::{Planned, find};
use model::schedule::planning_terms::PlanningTerms;
use serde_json::json;

use super::load::seconds_since;
use super::load::share_of;
use super::report::Line;

/// An environment that takes one change at a time.
const EXCLUSIVE: &str = "clean-room";
/// The longest that a check of one edit may take, in milliseconds, at p99.
const LIMIT: f64 = 200.0;
/// Every so many hours another pair is planted, far from the pair before it.
const APART: i64 = 8;

/// How large it is.
struct Sizes {
    /// Services of the graph.
    services: usize,
    /// Open changes.
    open: usize,
    /// Edits of them that are checked.
    edits: usize,
    /// Entries of the crowded calendar, over 400 days.
    entries: usize,
    /// Plans that are proposed on it.
    proposals: usize,
    /// Planted pairs of each kind.
    pairs: usize,
}

const WHOLE: Sizes = Sizes {
    services: 100_000,
    open: 5_000,
    edits: 500,
    entries: 100_000,
    proposals: 5_000,
    pairs: 50,
};

/// Measures at full size.
///
/// # Errors
/// When a planted collision is not found, or a false one is reported.
pub fn measure() -> Result<Vec<Line>> {
    measured(&WHOLE)
}

fn measured(sizes: &Sizes) -> Result<Vec<Line>> {
    let mut dice = Dice::new(50);
    let start: Timestamp = "2026-11-20T00:00:00Z".parse()?;
    let directory = estate(&mut dice, sizes)?;
    let terms = PlanningTerms {
        exclusive_environments: BTreeSet::from([EnvironmentKey::from(EXCLUSIVE)]),
        ..PlanningTerms::default()
    };
    let planted = planted(&directory, &terms, start, sizes.pairs)?;
    let open: Vec<Planned> = (0..sizes.open)
        .map(|number| plan(&mut dice, sizes.services, number, (start, 14 * 24)))
        .collect();
    let edits: Vec<&Planned> = (0..sizes.edits).map(|_| dice.pick(&open)).collect();
    let (took, floors, met) = checked(&directory, &terms, &edits, &open);
    let what = format!(
        "Conflicts of an edit among {} open changes on {} services with hubs, p99 of {}; {met} found",
        sizes.open, sizes.services, sizes.edits
    );
    let floor = format!("{:.2} ms, the times alone", share_of(&floors, 0.99));
    let one = Line::under(what, share_of(&took, 0.99), floor, LIMIT);

    let entries: Vec<Planned> = (0..sizes.entries)
        .map(|number| plan(&mut dice, sizes.services, number, (start, 400 * 24)))
        .collect();
    let proposals: Vec<Planned> = (0..sizes.proposals)
        .map(|number| plan(&mut dice, sizes.services, sizes.entries + number, (start, 400 * 24)))
        .collect();
    let (took, floors, met) = checked(&directory, &terms, &proposals.iter().collect::<Vec<_>>(), &entries);
    let what = format!(
        "Conflicts of {} proposals on {} calendar entries, p99 of one; {met} found",
        sizes.proposals, sizes.entries
    );
    let floor = format!("{:.2} ms, the times alone", share_of(&floors, 0.99));
    let many = Line::under(what, share_of(&took, 0.99), floor, LIMIT);
    Ok(vec![one, many, planted])
}

/// The milliseconds of each check, those of its floor, and how many conflicts there were.
fn checked(
    directory: &Directory,
    terms: &PlanningTerms,
    plans: &[&Planned],
    others: &[Planned],
) -> (Vec<f64>, Vec<f64>, usize) {
    let (mut took, mut floors, mut met) = (Vec::new(), Vec::new(), 0);
    for mine in plans {
        let begun = assent::clock::now();
        met += find(directory, terms, mine, others).len();
        took.push(seconds_since(begun) * 1e3);
        let begun = assent::clock::now();
        let near = others.iter().filter(|other| mine.is_near(other, terms)).count();
        std::hint::black_box(near);
        floors.push(seconds_since(begun) * 1e3);
    }
    (took, floors, met)
}

fn service(number: usize) -> String {
    format!("service-{number}")
}

fn arrow(from: &str, to: &str, kind: &str, to_kind: &str) -> Result<Dependency> {
    Ok(serde_json::from_value(json!({
        "id": format!("{from}-{to}"), "version": 1, "from": from, "to": to, "kind": kind, "to_kind": to_kind,
    }))?)
}

/// Services of which each needs one or two that came before it, early ones by far the most often; and the ways of the planted pairs.
fn estate(dice: &mut Dice, sizes: &Sizes) -> Result<Directory> {
    let mut arrows = Vec::new();
    for number in 1..sizes.services {
        let mut needed = BTreeSet::new();
        for _ in 0..=dice.roll(2) {
            // The cube of an even share: of a thousand services the first has a tenth of all arrows.
            let share = dice.roll(1_000_000) as f64 / 1e6;
            needed.insert((share.powi(3) * number as f64) as usize);
        }
        for place in needed {
            arrows.push(arrow(&service(number), &service(place), "depends_on", "service")?);
        }
    }
    for pair in 0..sizes.pairs {
        let name = |part: &str| format!("planted-{pair}-{part}");
        arrows.push(arrow(&name("a"), &name("m"), "depends_on", "service")?);
        arrows.push(arrow(&name("m"), &name("z"), "depends_on", "service")?);
        // Both need the greatest hub, which makes them no conflict.
        for clean in ["x", "y"] {
            arrows.push(arrow(&name(clean), &service(0), "depends_on", "service")?);
        }
    }
    Ok(Directory {
        dependencies: arrows.into(),
        ..Directory::default()
    })
}

/// A change of two hours to one service, within so many hours of a start.
fn plan(dice: &mut Dice, services: usize, number: usize, (start, hours): (Timestamp, usize)) -> Planned {
    let minutes = i64::try_from(dice.roll(hours * 60)).unwrap_or_default();
    let name = service(dice.roll(services));
    at(
        &format!("CHG-{number}"),
        &name,
        "production",
        start + SignedDuration::from_mins(minutes),
    )
}

fn at(key: &str, service: &str, place: &str, starts_at: Timestamp) -> Planned {
    Planned {
        id: ChangeId::from(key),
        key: key.to_owned(),
        starts_at,
        ends_at: starts_at + SignedDuration::from_hours(2),
        places: vec![(ServiceKey::from(service), EnvironmentKey::from(place))],
        items: BTreeSet::new(),
        people: BTreeSet::new(),
        maintenance: None,
        is_undo: false,
    }
}

/// Pairs that collide by a way of two steps, a person or an environment, and as many that do not, each found or not among all of them.
fn planted(directory: &Directory, terms: &PlanningTerms, start: Timestamp, pairs: usize) -> Result<Line> {
    let mut all = Vec::new();
    let mut wanted = Vec::new();
    for pair in 0..pairs {
        let kinds = [
            Some(ConflictKind::Dependency),
            Some(ConflictKind::People),
            Some(ConflictKind::Environment),
            None,
        ];
        for (place, kind) in kinds.into_iter().enumerate() {
            let number = i64::try_from(pair * kinds.len() + place).unwrap_or_default();
            let when = start + SignedDuration::from_hours(number * APART);
            let name = |part: &str| format!("planted-{pair}-{part}");
            let (one, other) = match kind {
                Some(ConflictKind::Dependency) => (name("a"), name("z")),
                _ => (name("x"), name("y")),
            };
            let room = if kind == Some(ConflictKind::Environment) {
                EXCLUSIVE
            } else {
                "production"
            };
            for (part, service) in [("one", one), ("other", other)] {
                let mut plan = at(&format!("{pair}-{place}-{part}"), &service, room, when);
                if kind == Some(ConflictKind::People) {
                    plan.people.insert(PersonId::from(name("who").as_str()));
                }
                all.push(plan);
                wanted.push(kind);
            }
        }
    }
    let (mut missed, mut wrong) = (0_usize, 0_usize);
    for (mine, kind) in all.iter().zip(&wanted) {
        let found = find(directory, terms, mine, &all);
        let has = |kind: ConflictKind| {
            found
                .iter()
                .any(|it| it.kinds().contains(&kind) && !it.met[0].path.is_empty())
        };
        missed += usize::from(kind.is_some_and(|kind| !has(kind)));
        wrong += usize::from(kind.is_none() && !found.is_empty());
    }
    let clean = wanted.iter().filter(|kind| kind.is_none()).count();
    ensure!(missed == 0, "{missed} planted collisions were not found");
    ensure!(
        wrong * 20 <= clean,
        "{wrong} of {clean} clean plans were said to collide"
    );
    let what = "Planted collisions (two steps, person, environment), each with its way";
    let figure = format!(
        "{} of {0} found, {wrong} of {clean} clean ones wrong",
        all.len() - clean
    );
    Ok(Line {
        wanted: "all, at most 5 % wrong".to_owned(),
        is_met: Some(true),
        ..Line::told(what, figure, "–")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn what_is_planted_is_found_and_what_is_clean_is_not() {
        let small = Sizes {
            services: 2_000,
            open: 200,
            edits: 20,
            entries: 500,
            proposals: 20,
            pairs: 5,
        };
        let lines = measured(&small).unwrap();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[2].figure, "30 of 30 found, 0 of 10 clean ones wrong");
    }
}
