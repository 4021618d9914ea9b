//! The spans in which a change was ready: the gate would have let it go but for the clock. A signal that arrives late is judged
//! by them, so that the order of deliveries decides nothing.

use jiff::{SignedDuration, Timestamp};

use crate::change::change_file::Case;
use crate::change::record::{Change, ReadySpan};
use crate::change::related_records::Permit;
use crate::change::requirement::before_start;
use crate::core::enums::{Purpose, State};
use crate::core::ids::TargetId;
use crate::core::parse::later;
use crate::directory::snapshot::Directory;
use crate::gate::begun::{before_next_start, has_begun, has_starts_ahead};
use crate::gate::closing::was_closed;
use crate::schedule::freeze::Freeze;
use crate::schedule::frozen_target::stops_begun;

pub use crate::integration::occurrence::SKEW;

/// How late a report of a start may arrive and still be judged by the time of the start. A later start has to be recorded by
/// people.
pub const LATE: SignedDuration = SignedDuration::from_hours(72);
/// The most spans that are kept; the oldest leave.
const MOST: usize = 16;

/// Records whether the change is ready now; the last step of every settling.
pub(crate) fn note(case: &mut Case<'_>) {
    let now = case.now;
    let change = case.change();
    let is_ahead = change.state == State::Scheduled || has_starts_ahead(&case.file) && !change.distrusted;
    let may_be = is_ahead && !change.is_on_hold();
    if !may_be && change.ready.last().is_none_or(|span| span.until.is_some()) {
        return;
    }
    let is_ready = may_be
        && match change.state {
            State::Scheduled => before_start(&case.file, &case.directory, now),
            _ => before_next_start(&case.file, &case.directory, now),
        }
        .is_empty();
    let wanted = match (change.planned_start, change.window_end()) {
        (Some(opens_at), Some(closes_at)) if is_ready => Some(ReadySpan {
            from: now,
            until: None,
            opens_at,
            closes_at,
            what: change.digests.what.clone(),
        }),
        _ => None,
    };
    let spans = &mut case.file.change.ready;
    if let Some(last) = spans.last_mut().filter(|span| span.until.is_none()) {
        let goes_on = wanted.as_ref().is_some_and(|wanted| {
            (wanted.opens_at, wanted.closes_at, &wanted.what) == (last.opens_at, last.closes_at, &last.what)
        });
        if goes_on {
            return;
        }
        last.until = Some(now);
    }
    spans.extend(wanted);
    let surplus = spans.len().saturating_sub(MOST);
    spans.drain(..surplus);
}

/// Whether a start at this instant, reported now, was lawful: the change was ready then, inside of its window and outside of
/// every freeze, and its approved content is unchanged. `made_by_it` marks a standard change that the signal itself created: it
/// had no earlier span, and the template's approval counts from the window's start.
pub fn was_open(case: &Case<'_>, target: &TargetId, at: Timestamp, made_by_it: bool) -> bool {
    stood_open(case.change(), &case.directory, case.now, (target, at, made_by_it))
}

/// The same of a change that nobody is about to move.
pub fn stood_open(
    change: &Change,
    directory: &Directory,
    now: Timestamp,
    (target, at, made_by_it): (&TargetId, Timestamp, bool),
) -> bool {
    if change.is_on_hold() || later(at, LATE) < now || is_frozen(change, directory, target, at) {
        return false;
    }
    if was_closed(change, target, Purpose::Deploy, at) {
        return false;
    }
    if change.state == State::Scheduled && change.ready.is_empty() {
        // A record from before these spans were kept.
        return inside(change.planned_start, change.planned_end, at);
    }
    let may_still_start = matches!(change.state, State::Authorizing | State::Approved | State::Scheduled);
    may_still_start && change.ready.iter().any(|span| covers(span, change, at, made_by_it))
}

/// Whether work on a target of a change under way was lawful at this instant, reported now. The work had begun before, a permit
/// for it was good, or the gate would have let it go: ready at that time, or after the first start inside of the window or the
/// time box of break-glass, and neither halted by a freeze nor on hold.
pub fn may_go_on(case: &Case<'_>, target: &TargetId, at: Timestamp) -> bool {
    let (change, directory) = (case.change(), &case.directory);
    let record = change.target_record(target);
    if record.is_some_and(|it| it.actual_start.is_some()) {
        return true;
    }
    if forward_permits(case, target).any(|permit| was_good(permit, at)) {
        return true;
    }
    if was_closed(change, target, Purpose::Deploy, at) {
        return false;
    }
    // The change was ready then, also in a window that it has left since.
    let was_ready = change.ready.iter().any(|span| covers(span, change, at, false));
    if was_ready && !is_frozen(change, directory, target, at) {
        return true;
    }
    if change.actual_start.is_some_and(|began| later(at, SKEW) < began) {
        return false;
    }
    if let Some(glass) = change.lawful_break_glass() {
        return at < glass.until;
    }
    let is_held = change.hold.as_ref().is_some_and(|hold| hold.at <= at);
    let is_inside = inside(change.planned_start, change.window_end(), at);
    let has_begun = has_begun(change, &case.file.permits, target);
    // Of several targets each start is judged in full: the change was ready then, or has no spans because its record is older
    // than them.
    let is_judged = has_begun || was_ready || change.ready.is_empty();
    let is_stopped = is_under(change, directory, (target, at), |freeze| {
        stops_begun(freeze, change, has_begun)
    });
    is_inside && is_judged && !is_held && !change.distrusted && !is_stopped
}

/// Whether a person's report that the work on a target began at this instant describes a lawful start: no earlier than the
/// recorded start, or under a good permit, or while the change was ready and not frozen. As of deliveries, clocks outside may
/// be a little behind.
pub fn may_have_begun(case: &Case<'_>, target: &TargetId, at: Timestamp) -> bool {
    let (change, directory) = (case.change(), &case.directory);
    if change.retrospective.is_some() || change.actual_start.is_none_or(|began| began <= later(at, SKEW)) {
        return true;
    }
    if forward_permits(case, target).any(|permit| was_good(permit, at)) {
        return true;
    }
    if was_closed(change, target, Purpose::Deploy, at) {
        return false;
    }
    let was_ready = match change.ready.as_slice() {
        // A record from before these spans were kept.
        [] => inside(change.planned_start, change.window_end(), at),
        spans => spans.iter().any(|span| covers(span, change, at, false)),
    };
    was_ready && !is_frozen(change, directory, target, at)
}

/// The earliest instant at which work on a target could lawfully begin, of a change whose work has begun.
pub fn earliest_start(case: &Case<'_>, target: &TargetId) -> Option<Timestamp> {
    let change = case.change();
    let spans = change.ready.iter().map(|span| span.from.max(span.opens_at));
    let freezes = case.directory.freezes.iter();
    let thawed = freezes.flat_map(|freeze| freeze.spans().map(|span| span.ends_at));
    let permits = forward_permits(case, target).map(|permit| permit.not_before);
    spans
        .chain(thawed)
        .chain(permits)
        .chain(change.planned_start.filter(|_| change.ready.is_empty()))
        .chain(change.actual_start)
        .filter(|at| may_have_begun(case, target, *at))
        .min()
}

fn forward_permits<'a>(case: &'a Case<'_>, target: &'a TargetId) -> impl Iterator<Item = &'a Permit> {
    let permits = case.file.permits.iter();
    permits.filter(move |it| &it.target == target && it.purpose == Purpose::Deploy)
}

/// Whether a permit could be used at an instant, whatever has become of it since.
fn was_good(permit: &Permit, at: Timestamp) -> bool {
    permit.not_before <= later(at, SKEW)
        && at < later(permit.expires_at, SKEW)
        && permit.revoked_at.is_none_or(|gone| at < gone)
}

fn covers(span: &ReadySpan, change: &Change, at: Timestamp, made_by_it: bool) -> bool {
    span.what == change.digests.what
        && (made_by_it || span.from <= later(at, SKEW))
        && span.until.is_none_or(|until| at < until)
        && inside(Some(span.opens_at), Some(span.closes_at), at)
}

fn inside(from: Option<Timestamp>, to: Option<Timestamp>, at: Timestamp) -> bool {
    from.is_some_and(|from| from <= at) && to.is_some_and(|to| at < to)
}

fn is_frozen(change: &Change, directory: &Directory, target: &TargetId, at: Timestamp) -> bool {
    is_under(change, directory, (target, at), |_| true)
}

fn is_under(
    change: &Change,
    directory: &Directory,
    (target, at): (&TargetId, Timestamp),
    stops: impl Fn(&Freeze) -> bool,
) -> bool {
    let Some(target) = change.content.targets.iter().find(|it| &it.id == target) else {
        return true;
    };
    directory.freezes.iter().any(|freeze| {
        stops(freeze)
            && freeze.is_on(at)
            && directory.is_frozen_by(freeze, &target.service, &target.environment)
            && !freeze.excepts_at(change, at)
    })
}
