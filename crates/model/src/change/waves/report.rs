//! The verbs on members: the plan and the lists, reports of outcomes, and another try of failed members.

use serde_json::json;

use crate::change::change_file::Case;
use crate::change::record::Change;
use crate::change::settle::{revoke_permits, revoke_stopped, settle};
use crate::change::waves::member_list::{ListRef, Member};
use crate::change::waves::member_outcome::{MOST_TRIES, MemberOutcome, has_failed, id_of};
use crate::change::waves::plan::WavePlan;
use crate::change::waves::run::{check_waves, count_move, fresh, open_incidents, stop};
use crate::change::waves::watched::is_watch_required;
use crate::change::write;
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::enums::{MemberState, State, WaveStopCause};
use crate::core::ids::{RecordId, TargetId};
use crate::core::parse::{Reading, TEXT};
use crate::core::refusal::Refusal;

/// A list as it is to be set: its target, the list, and its members by wave.
pub type NewList = (TargetId, ListRef, Vec<i64>);

/// Sets the plan of waves and the lists of members. A change of lists alone voids the approvals that were counted for their
/// targets, and no others.
///
/// # Errors
/// 403; 422; 409 in a state in which the content is not edited.
pub fn set_waves(case: &mut Case<'_>, plan: &WavePlan, lists: Vec<NewList>) -> Result<(), Refusal> {
    write::check_editable(case)?;
    let mut input = write::patched(case, &Body::new())?;
    if case.change().state == State::Rejected {
        let text = "The change was rejected.";
        return Err(Refusal::not_now(
            "rejected",
            text,
            "Revise it with PATCH, then set its members.",
            Vec::new(),
        ));
    }
    crate::change::next_step::check_state(case, Act::Edit)?;
    if plan.is_unwatched() && is_watch_required(&case.file) {
        let text = "A rule requires that the first wave is watched before the others follow: enter the minutes in \
             `watch_minutes`.";
        return Err(Refusal::field("watch_minutes", "missing", text));
    }
    input.content.wave_plan = Some(plan.clone());
    for target in &mut input.content.targets {
        let own = lists.iter().find(|(id, _, _)| *id == target.id);
        target.members = own.map(|(_, list, _)| list.clone());
    }
    write::apply(case, input)?;
    case.allow(Act::Edit)?;
    let digests: Vec<String> = lists.iter().map(|(_, list, _)| list.digest.clone()).collect();
    case.file.change.wave_run = fresh(plan, lists);
    case.emit(
        "change.waves_planned",
        json!({"waves": plan.waves.len(), "lists": digests}),
    );
    settle(case);
    Ok(())
}

/// The report on one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedMember {
    /// The target.
    pub target: TargetId,
    /// The member, as the list has it.
    pub member: Member,
    /// The reported state.
    pub state: MemberState,
    /// The sender's text.
    pub text: Option<String>,
    /// The known outcome before.
    pub known: Option<MemberOutcome>,
}

/// Records reports on members (`POST …/waves/outcomes`); returns the records that differ. A repeated report counts once.
/// Reports are also accepted while the waves are stopped, and for a wave that is not open, because they describe what happened.
///
/// # Errors
/// 403; 409 where the change is not under way.
pub fn report(case: &mut Case<'_>, told: Vec<ReportedMember>) -> Result<Vec<MemberOutcome>, Refusal> {
    case.allow(Act::Complete)?;
    told.iter().try_for_each(|row| case.check_agents_target(&row.target))?;
    check_waves(case)?;
    if case.change().state != State::Implementing {
        let text = "Outcomes of members can be reported only while the change is implementing.";
        let help = "Start the change (POST …/implementation), or have a member's pipeline ask the gate.";
        return Err(Refusal::not_now("not_started", text, help, Vec::new()));
    }
    let by = case.person();
    crate::change::work::remember_implementer(case, &by);
    let mut fresh: Vec<MemberOutcome> = Vec::new();
    for row in told {
        let known = row.known.as_ref().map(|it| it.state);
        // A late report of its begin does not restart a member that has ended.
        let is_late = row.state == MemberState::InProgress && known.is_some_and(|it| it != MemberState::Waiting);
        if known == Some(row.state) || is_late || row.state == MemberState::Waiting {
            continue;
        }
        fresh.push(moved(case, row));
    }
    settle(case);
    Ok(fresh)
}

/// Begins the work on a member whose gate lets it go; `None` where it has begun already.
pub fn begin(
    case: &mut Case<'_>,
    target: &TargetId,
    member: &Member,
    known: Option<MemberOutcome>,
) -> Option<MemberOutcome> {
    if known.as_ref().is_some_and(|it| it.state == MemberState::InProgress) {
        return None;
    }
    let row = ReportedMember {
        target: target.clone(),
        member: member.clone(),
        state: MemberState::InProgress,
        text: None,
        known,
    };
    Some(moved(case, row))
}

/// Lets failed members be tried again (`POST …/waves/retries`); returns their records.
///
/// # Errors
/// 403; 409 where the waves do not run, or where a member was tried too often.
pub fn retry(case: &mut Case<'_>, failed: Vec<(MemberOutcome, Member)>) -> Result<Vec<MemberOutcome>, Refusal> {
    case.allow(Act::Complete)?;
    check_waves(case)?;
    let spent = failed.iter().find(|(row, _)| row.tries >= MOST_TRIES);
    if let Some((row, _)) = spent {
        let text = format!("`{}` was already tried {} times.", row.member, row.tries);
        let help = "Report the outcome `not_implemented`; continue with another change.";
        return Err(Refusal::not_now("too_many_tries", text, help, Vec::new()));
    }
    let mut fresh = Vec::new();
    for (row, member) in failed.into_iter().filter(|(row, _)| has_failed(row.state)) {
        let target = TargetId::from(row.target.as_str());
        let told = ReportedMember {
            target,
            member,
            state: MemberState::Waiting,
            text: row.text.clone(),
            known: Some(row),
        };
        fresh.push(moved(case, told));
    }
    settle(case);
    Ok(fresh)
}

fn moved(case: &mut Case<'_>, row: ReportedMember) -> MemberOutcome {
    let (now, by) = (case.now, case.person());
    let change: &mut Change = &mut case.file.change;
    let before = row.known.as_ref().map(|it| it.state);
    if let Some(run) = &mut change.wave_run {
        count_move(run, (&row.target, row.member.wave), before, row.state, now);
    }
    let begins = row.state != MemberState::Waiting && before.is_none_or(|it| it == MemberState::Waiting);
    let outcome = MemberOutcome {
        id: RecordId(id_of(&change.id, &row.target, &row.member.name)),
        version: row.known.as_ref().map_or(0, |it| it.version),
        change: change.id.to_string(),
        change_key: change.key.clone(),
        target: row.target.to_string(),
        member: row.member.name.clone(),
        wave: row.member.wave,
        state: row.state,
        text: row.text,
        tries: row.known.as_ref().map_or(0, |it| it.tries) + i64::from(begins),
        at: now,
        by,
    };
    // A permit from before the outcome does not cover another try.
    if row.state != MemberState::InProgress {
        let (target, name) = (row.target, row.member.name);
        revoke_permits(case, "the member has an outcome", |permit| {
            permit.target == target && permit.member.as_deref() == Some(name.as_str())
        });
    }
    outcome
}

/// A watch result on the change is no pass.
pub fn note_watch(case: &mut Case<'_>) {
    let change = case.change();
    let halts = change.content.wave_plan.as_ref().is_some_and(|plan| plan.halt_on_watch);
    let runs = change.wave_run.as_ref().is_some_and(|run| run.stop.is_none());
    if halts && runs && change.state == State::Implementing {
        stop(case, WaveStopCause::Watch, None, None);
        revoke_stopped(case);
        settle(case);
    }
}

/// Pauses the waves (`POST …/waves/pause {reason}`): no member gets a go until somebody resumes them.
///
/// # Errors
/// 403, 422, 409 where there are no waves, or where they are stopped already.
pub fn pause(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    case.allow(Act::Complete)
        .or_else(|refusal| case.allow(Act::Hold).map_err(|_| refusal))?;
    let reason = read_reason(body)?;
    check_waves(case)?;
    if case.change().wave_run.as_ref().is_some_and(|run| run.stop.is_some()) {
        let text = "The waves are stopped already.";
        return Err(Refusal::not_now(
            "waves_stopped",
            text,
            "Resume them first.",
            Vec::new(),
        ));
    }
    let by = case.person();
    stop(case, WaveStopCause::Person, None, Some((by, reason)));
    revoke_stopped(case);
    settle(case);
    Ok(())
}

/// Lets stopped waves go on (`POST …/waves/resume {reason}`). Failures count from zero, and incidents that are open now no
/// longer halt the waves.
///
/// # Errors
/// 403, 422, 409 where they are not stopped.
pub fn resume(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    case.allow(Act::Complete)?;
    read_reason(body)?;
    check_waves(case)?;
    let open = open_incidents(case);
    let change = &mut case.file.change;
    let Some(run) = change.wave_run.as_mut().filter(|run| run.stop.is_some()) else {
        let text = "The waves are not stopped.";
        return Err(Refusal::not_now("waves_run", text, "No resume is needed.", Vec::new()));
    };
    run.stop = None;
    run.known_incidents = open;
    for wave in &mut run.waves {
        wave.fresh_failures = 0;
    }
    let wave = run.current;
    case.emit("change.waves_resumed", json!({"wave": wave}));
    settle(case);
    Ok(())
}

fn read_reason(body: &Body) -> Result<String, Refusal> {
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    Ok(reason)
}
