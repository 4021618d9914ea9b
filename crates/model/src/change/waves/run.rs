//! How far the waves of a change have come: counting, opening the next wave, and halting by rule.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::change::change_file::Case;
use crate::change::record::{Change, Content};
use crate::change::waves::kept_run::{ListCount, WaveCount, WaveRun, WaveStop};
use crate::change::waves::member_list::ListRef;
use crate::change::waves::member_outcome::{has_ended, has_failed};
use crate::change::waves::plan::WavePlan;
use crate::core::enums::{MemberState, State, WaveStopCause};
use crate::core::ids::{PersonId, TargetId};
use crate::core::parse::later;
use crate::core::refusal::Refusal;
use crate::incident::watch;

/// The run of a plan that has not begun. `of_waves` are the members of each wave, for each target with a list.
#[must_use]
pub fn fresh(plan: &WavePlan, lists: Vec<(TargetId, ListRef, Vec<i64>)>) -> Option<WaveRun> {
    if lists.is_empty() {
        return None;
    }
    let wave = |rule: &crate::change::waves::plan::WaveRule| WaveCount {
        wave: rule.wave.clone(),
        count: 0,
        done: 0,
        failed: 0,
        left_out: 0,
        fresh_failures: 0,
        started_at: None,
        ended_at: None,
    };
    let list = |(target, list, of_waves): (TargetId, ListRef, Vec<i64>)| ListCount {
        target,
        digest: list.digest,
        of_waves,
        done: 0,
        not_done: 0,
    };
    let mut run = WaveRun {
        waves: plan.waves.iter().map(wave).collect(),
        lists: lists.into_iter().map(list).collect(),
        current: 1,
        opens_at: None,
        in_progress: 0,
        stop: None,
        known_incidents: Vec::new(),
    };
    run.count();
    skip_empty(&mut run);
    Some(run)
}

/// A wave without members is through at once.
fn skip_empty(run: &mut WaveRun) {
    while !run.is_through() && run.wave_mut(run.current).is_some_and(|wave| wave.count == 0) {
        run.current += 1;
    }
}

/// Keeps the member lists of unchanged targets, under the targets' present numbers.
pub fn keep_lists(content: &mut Content, before: &Content) {
    content.wave_plan.clone_from(&before.wave_plan);
    let mut lists: Vec<_> = before.targets.iter().filter(|it| it.members.is_some()).collect();
    for target in &mut content.targets {
        let is_place = |old: &&crate::change::record::Target| {
            old.service == target.service
                && old.environment == target.environment
                && old.config_items == target.config_items
        };
        if let Some(at) = lists.iter().position(is_place) {
            target.members = lists.remove(at).members.clone();
        }
    }
}

/// Keeps of the run what is about lists that the content still names: nothing has begun when a change is edited.
pub fn follow_edit(change: &mut Change) {
    let Some(run) = &mut change.wave_run else { return };
    let mut known = std::mem::take(&mut run.lists);
    for target in &change.content.targets {
        let Some(list) = &target.members else { continue };
        if let Some(at) = known.iter().position(|row| row.digest == list.digest) {
            let mut row = known.remove(at);
            row.target = target.id.clone();
            run.lists.push(row);
        }
    }
    run.count();
    run.current = 1;
    skip_empty(run);
    if run.lists.is_empty() {
        change.wave_run = None;
    }
}

/// The targets whose lists differ where nothing else does; `None` where something else of the content differs.
#[must_use]
pub fn only_lists(before: &Content, after: &Content) -> Option<std::collections::BTreeSet<TargetId>> {
    let bare = |content: &Content| {
        let mut content = content.clone();
        for target in &mut content.targets {
            target.members = None;
        }
        content
    };
    if bare(before) != bare(after) {
        return None;
    }
    let pairs = before.targets.iter().zip(&after.targets);
    let moved = pairs.filter(|(old, new)| old.members != new.members);
    Some(moved.map(|(_, new)| new.id.clone()).collect())
}

/// Counts a member's change of state; `before` is `None` where no outcome was reported.
pub(crate) fn count_move(
    run: &mut WaveRun,
    (target, wave): (&TargetId, i64),
    before: Option<MemberState>,
    after: MemberState,
    now: Timestamp,
) {
    if let Some(list) = run.lists.iter_mut().find(|list| &list.target == target) {
        let mut add = |state: MemberState, by: i64| match state {
            MemberState::Succeeded => list.done += by,
            other if has_ended(other) => list.not_done += by,
            _ => {}
        };
        if let Some(before) = before {
            add(before, -1);
        }
        add(after, 1);
    }
    let is_going = |state: MemberState| i64::from(state == MemberState::InProgress);
    run.in_progress += is_going(after) - before.map_or(0, is_going);
    let Some(row) = run.wave_mut(wave) else { return };
    let mut add = |state: MemberState, by: i64| match state {
        MemberState::Succeeded => row.done += by,
        MemberState::NotImplemented => row.left_out += by,
        other if has_failed(other) => row.failed += by,
        _ => {}
    };
    if let Some(before) = before {
        add(before, -1);
    }
    add(after, 1);
    if has_failed(after) && before.is_none_or(|before| !has_failed(before)) {
        row.fresh_failures += 1;
    }
    if after != MemberState::Waiting {
        row.started_at.get_or_insert(now);
    }
    row.ended_at = match row.left() {
        0 => row.ended_at.or(Some(now)),
        _ => None,
    };
}

/// Halts by rule, and opens the next wave where the open one is through. Returns whether the waves were stopped now.
pub(crate) fn advance(case: &mut Case<'_>) -> bool {
    let change = case.change();
    if change.state != State::Implementing || change.wave_run.is_none() {
        return false;
    }
    let was_stopped = is_stopped(change);
    halt_by_rule(case);
    let (now, watch) = (
        case.now,
        case.change()
            .content
            .wave_plan
            .as_ref()
            .map_or(0, |plan| plan.watch_minutes),
    );
    let mut passed = Vec::new();
    let Some(run) = &mut case.file.change.wave_run else {
        return false;
    };
    while run.stop.is_none() && !run.is_through() {
        let number = run.current;
        let Some(wave) = run.wave_mut(number).filter(|wave| wave.left() <= 0) else {
            break;
        };
        let ended = wave.ended_at.unwrap_or(now);
        if wave.count > 0 {
            passed.push((number, wave.count, wave.failed));
        }
        let has_members = wave.count > 0;
        run.current += 1;
        if has_members {
            run.opens_at = Some(later(ended, SignedDuration::from_mins(watch))).filter(|_| watch > 0);
        }
    }
    for (number, count, failed) in passed {
        case.emit(
            "change.wave_passed",
            json!({"wave": number, "count": count, "failed": failed}),
        );
    }
    !was_stopped && is_stopped(case.change())
}

/// Whether a permit is for a target whose members go in waves.
pub(crate) fn is_in_waves(change: &Change, target: &TargetId) -> bool {
    let mut lists = change.wave_run.iter().flat_map(|run| &run.lists);
    lists.any(|list| &list.target == target)
}

fn is_stopped(change: &Change) -> bool {
    change.wave_run.as_ref().is_some_and(|run| run.stop.is_some())
}

fn halt_by_rule(case: &mut Case<'_>) {
    let change = case.change();
    let (Some(run), Some(plan)) = (&change.wave_run, &change.content.wave_plan) else {
        return;
    };
    if run.stop.is_some() {
        return;
    }
    if run.waves.iter().any(|wave| wave.fresh_failures >= plan.halt_failures) {
        return stop(case, WaveStopCause::Failures, None, None);
    }
    let open = match plan.halt_on_incident {
        true => open_incidents(case),
        false => Vec::new(),
    };
    let fresh = open.into_iter().find(|key| !run.known_incidents.contains(key));
    if let Some(key) = fresh {
        stop(case, WaveStopCause::Incident, Some(key), None);
    }
}

/// The keys of the open incidents on services of the change, also those that began before the change did. The incident that the
/// change was made for is left out.
pub(crate) fn open_incidents(case: &Case<'_>) -> Vec<String> {
    let found = watch::open_around(case.change(), &case.directory).into_iter();
    found.map(|incident| incident.key.clone()).collect()
}

/// Stops the waves. The caller revokes the permits of their targets.
pub(crate) fn stop(
    case: &mut Case<'_>,
    cause: WaveStopCause,
    incident_key: Option<String>,
    said: Option<(PersonId, String)>,
) {
    let now = case.now;
    let change = &mut case.file.change;
    let (Some(run), Some(plan)) = (&mut change.wave_run, &change.content.wave_plan) else {
        return;
    };
    let (by, reason) = said.unzip();
    let is_by_rule = by.is_none();
    let halted = WaveStop {
        cause,
        reason,
        incident_key: incident_key.clone(),
        by,
        at: now,
    };
    let news = format!("{}: {}", change.key, halted.sentence(run, plan));
    run.stop = Some(halted);
    let (wave, number) = (run.current, run.in_progress);
    let data = json!({"cause": cause, "wave": wave, "in_progress": number, "incident_key": incident_key});
    case.emit(
        if is_by_rule {
            "change.waves_halted"
        } else {
            "change.waves_paused"
        },
        data,
    );
    if !is_by_rule {
        return;
    }
    let mut people = case.people_in_charge();
    let named = case.change().content.implementers.clone();
    people.extend(named.into_iter().filter(|it| !case.people_in_charge().contains(it)));
    let next = "Investigate what failed, then resume the waves or retry the failed members.";
    for person in people {
        case.write_to(&person, "waves_halted", &now.to_string(), news.clone(), next);
    }
}

/// Refuses acts on waves of a change without waves, or in a state in which they do not run.
pub(crate) fn check_waves(case: &Case<'_>) -> Result<(), Refusal> {
    if case.change().wave_run.is_none() {
        let text = "The change has no waves.";
        let help = "Set its plan of waves and its members first (POST …/wave-plan, POST …/members).";
        return Err(Refusal::not_now("no_waves", text, help, Vec::new()));
    }
    if !matches!(case.change().state, State::Scheduled | State::Implementing) {
        let text = format!(
            "Waves run while a change is scheduled or implementing; it is {}.",
            case.change().state
        );
        return Err(Refusal::not_now(
            "waves_not_open",
            text,
            "Start the change first.",
            Vec::new(),
        ));
    }
    Ok(())
}

/// Members by wave, of one list.
#[must_use]
pub fn of_waves(plan: &WavePlan, members: &[crate::change::waves::member_list::Member]) -> Vec<i64> {
    let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
    for member in members {
        *counts.entry(member.wave).or_default() += 1;
    }
    (1..=i64::try_from(plan.waves.len()).unwrap_or(0))
        .map(|number| counts.get(&number).copied().unwrap_or(0))
        .collect()
}

/// Whether members of a target have not ended: a deployment's signal is then about one of them.
#[must_use]
pub fn has_open_members(change: &Change, target: &TargetId) -> bool {
    let mut lists = change.wave_run.iter().flat_map(|run| &run.lists);
    lists.any(|list| &list.target == target && list.left() > 0)
}

/// Why a target's success may not be recorded: some of its members have not succeeded, or not ended. `None` where it may.
#[must_use]
pub fn against_success(change: &Change, targets: &[TargetId]) -> Option<Refusal> {
    let run = change.wave_run.as_ref()?;
    let list = run
        .lists
        .iter()
        .find(|list| targets.contains(&list.target) && (list.left() > 0 || list.not_done > 0))?;
    let text = format!(
        "Of target {}, {} members have not ended and {} ended without success.",
        list.target,
        list.left(),
        list.not_done
    );
    let help = "Report the outcomes of the others first, or record `partially_implemented`.";
    Some(Refusal::not_now("members_open", text, help, Vec::new()))
}
