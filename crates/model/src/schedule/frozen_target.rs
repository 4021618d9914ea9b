//! The effect of a freeze on one target of a change that has several: that target is stopped, and the others are free.

use jiff::Timestamp;

use crate::change::eligible;
use crate::change::record::{Change, Target};
use crate::core::unmet::{Unmet, unmet};
use crate::directory::snapshot::{Directory, logins};
use crate::incident::major;
use crate::schedule::freeze::Freeze;
use crate::schedule::repeat::Occurrence;

/// Freezes in `[from, to)` over a target without an exception for its change.
pub fn over_target<'a>(
    (change, target): (&'a Change, &'a Target),
    directory: &'a Directory,
    (from, to): (Timestamp, Timestamp),
) -> impl Iterator<Item = &'a Freeze> {
    directory.freezes.iter().filter(move |freeze| {
        freeze.stops_over(change, (from, to)) && directory.is_frozen_by(freeze, &target.service, &target.environment)
    })
}

/// Freezes in `[from, to)` that stop a change as a whole: each of its open targets is under one of them.
pub fn stopping<'a>(
    change: &'a Change,
    directory: &'a Directory,
    (from, to): (Timestamp, Timestamp),
) -> Vec<&'a Freeze> {
    stopping_where(change, directory, |freeze| freeze.stops_over(change, (from, to)))
}

/// Freezes that stop the work of a change as a whole at this instant; the halt of a major incident stops it whatever its risk.
pub fn stopping_work<'a>(change: &'a Change, directory: &'a Directory, now: Timestamp) -> Vec<&'a Freeze> {
    let is_over = |freeze: &Freeze| freeze.is_on(now) && freeze.stops_work_at(change, now);
    stopping_where(change, directory, is_over)
}

fn stopping_where<'a>(
    change: &'a Change,
    directory: &'a Directory,
    stops: impl Fn(&Freeze) -> bool,
) -> Vec<&'a Freeze> {
    let found: Vec<&Freeze> = directory.freezes.iter().filter(|freeze| stops(freeze)).collect();
    let is_in = |freeze: &Freeze, target: &Target| directory.is_frozen_by(freeze, &target.service, &target.environment);
    let is_free = |target: &Target| !found.iter().any(|freeze| is_in(freeze, target));
    if change.open_targets().any(is_free) {
        return Vec::new();
    }
    let covers = |freeze: &&Freeze| !frozen(change, directory, freeze).is_empty();
    found.into_iter().filter(covers).collect()
}

/// The halts of major incidents that cover a target now, where the risk of its change alone would let it pass.
pub fn halts_over<'a>(
    (change, target): (&'a Change, &'a Target),
    directory: &'a Directory,
    now: Timestamp,
) -> impl Iterator<Item = &'a Freeze> {
    directory.freezes.iter().filter(move |freeze| {
        freeze.halts_all()
            && freeze.is_on(now)
            && freeze.excepts_at(change, now)
            && freeze.stops_work_at(change, now)
            && directory.is_frozen_by(freeze, &target.service, &target.environment)
    })
}

/// The open targets of a change that a freeze is about.
fn frozen<'a>(change: &'a Change, directory: &Directory, freeze: &Freeze) -> Vec<&'a Target> {
    let is_in = |target: &&Target| directory.is_frozen_by(freeze, &target.service, &target.environment);
    change.open_targets().filter(is_in).collect()
}

/// Whether a change has more than one target, so that a sentence must name the target.
pub fn has_many(change: &Change) -> bool {
    change.content.targets.len() > 1
}

/// A target in a sentence.
pub fn target_text(target: &Target) -> String {
    format!("target {} ({} in {})", target.id, target.service, target.environment)
}

/// A freeze over a change's time as an unmet condition: it names the affected targets, if the change has several, and the
/// freeze's time in `[from, to)`.
pub fn freeze_unmet(
    freeze: &Freeze,
    (change, directory): (&Change, &Directory),
    (from, to): (Timestamp, Timestamp),
) -> Unmet {
    let stops = |time: &Occurrence| freeze.stops_work_from(change, *time).is_some();
    let first = || freeze.over(from, to).next().unwrap_or_else(|| freeze.once());
    let span = freeze.over(from, to).find(stops).unwrap_or_else(first);
    let named: Vec<String> = frozen(change, directory, freeze).into_iter().map(target_text).collect();
    let over = match has_many(change) && !named.is_empty() {
        true => named.join(" and "),
        false => "it".to_owned(),
    };
    if let Some(stop) = major::refusal(freeze, directory) {
        let whose = if over == "it" {
            String::new()
        } else {
            format!(" for {over}")
        };
        let asked = major::incident_of(freeze, directory).map(|it| major::awaited_people(it, directory));
        let waiting_on = logins(directory, &asked.unwrap_or_default());
        return unmet("freeze", stop.sentence(&whose), stop.satisfy, waiting_on);
    }
    unmet(
        "freeze",
        format!(
            "The freeze “{}” lies over {over}, from {} to {}.",
            freeze.title, span.starts_at, span.ends_at
        ),
        "Plan another time, or ask a change manager for an exception.",
        logins(directory, &eligible::past_a_freeze(change, directory)),
    )
}

/// Whether a freeze stops a target although its change is under way: it halts, or the target's own work has not begun.
/// Otherwise the free target would open the gate of the frozen one. `has_begun` is about the target itself.
pub fn stops_begun(freeze: &Freeze, change: &Change, has_begun: bool) -> bool {
    freeze.halt || (!has_begun && has_many(change))
}
