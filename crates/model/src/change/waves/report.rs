//! The verbs on members: the plan and the lists, what is told of members, another try of failed ones.

use serde_json::json;

use crate::change::change_file::Case;
use crate::change::record::Change;
use crate::change::settle::{revoke_permits, settle};
use crate::change::waves::member_list::{ListRef, Member};
use crate::change::waves::member_outcome::{MOST_TRIES, MemberOutcome, has_failed, id_of};
use crate::change::waves::plan::WavePlan;
use crate::change::waves::run::{check_waves, count_move, fresh};
use crate::change::write;
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::enums::{MemberState, State};
use crate::core::ids::{RecordId, TargetId};
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
    input.content.wave_plan = Some(plan.clone());
    for target in &mut input.content.targets {
        let own = lists.iter().find(|(id, _, _)| *id == target.id);
        target.members = own.map(|(_, list, _)| list.clone());
    }
    write::apply(case, input)?;
    case.allow(Act::Edit)?;
    let digests: Vec<String> = lists.iter().map(|(_, list, _)| list.digest.clone()).collect();
    case.file.change.wave_run = fresh(plan, lists);
    case.tell(
        "change.waves_planned",
        json!({"waves": plan.waves.len(), "lists": digests}),
    );
    settle(case);
    Ok(())
}

/// What is told of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The target.
    pub target: TargetId,
    /// The member, as the list has it.
    pub member: Member,
    /// How it stands now.
    pub state: MemberState,
    /// In the words of the sender.
    pub text: Option<String>,
    /// What was known of it.
    pub known: Option<MemberOutcome>,
}

/// Takes what is told of members (`POST …/waves/outcomes`); answers the records that differ. What is told twice counts once.
/// It is taken also while the waves are stopped, and of a wave that is not open: it tells what happened.
///
/// # Errors
/// 403; 409 where the change is not under way.
pub fn report(case: &mut Case<'_>, told: Vec<Told>) -> Result<Vec<MemberOutcome>, Refusal> {
    case.allow(Act::Complete)?;
    check_waves(case)?;
    if case.change().state != State::Implementing {
        let text = "Outcomes of members are told while the change is implementing.";
        let help = "Start it (POST …/implementation), or have a member's pipeline ask the gate.";
        return Err(Refusal::not_now("not_started", text, help, Vec::new()));
    }
    let by = case.person();
    crate::change::work::remember_implementer(case, &by);
    let mut fresh: Vec<MemberOutcome> = Vec::new();
    for row in told {
        let known = row.known.as_ref().map(|it| it.state);
        // A member that has ended does not begin by a late word of its beginning.
        let is_late = row.state == MemberState::InProgress && known.is_some_and(|it| it != MemberState::Waiting);
        if known == Some(row.state) || is_late || row.state == MemberState::Waiting {
            continue;
        }
        fresh.push(moved(case, row));
    }
    settle(case);
    Ok(fresh)
}

/// Begins the work on a member whose gate says go; `None` where it has begun already.
pub fn begin(
    case: &mut Case<'_>,
    target: &TargetId,
    member: &Member,
    known: Option<MemberOutcome>,
) -> Option<MemberOutcome> {
    if known.as_ref().is_some_and(|it| it.state == MemberState::InProgress) {
        return None;
    }
    let row = Told {
        target: target.clone(),
        member: member.clone(),
        state: MemberState::InProgress,
        text: None,
        known,
    };
    Some(moved(case, row))
}

/// Lets failed members be tried again (`POST …/waves/retries`); answers their records.
///
/// # Errors
/// 403; 409 where the waves do not run, or where a member was tried too often.
pub fn retry(case: &mut Case<'_>, failed: Vec<(MemberOutcome, Member)>) -> Result<Vec<MemberOutcome>, Refusal> {
    case.allow(Act::Complete)?;
    check_waves(case)?;
    let spent = failed.iter().find(|(row, _)| row.tries >= MOST_TRIES);
    if let Some((row, _)) = spent {
        let text = format!("`{}` was tried {} times.", row.member, row.tries);
        let help = "Tell that it is `not_implemented`; another change carries on.";
        return Err(Refusal::not_now("too_many_tries", text, help, Vec::new()));
    }
    let mut fresh = Vec::new();
    for (row, member) in failed.into_iter().filter(|(row, _)| has_failed(row.state)) {
        let target = TargetId::from(row.target.as_str());
        let told = Told {
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

fn moved(case: &mut Case<'_>, row: Told) -> MemberOutcome {
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
    // Who was let through before the outcome needs another go for another try.
    if row.state != MemberState::InProgress {
        let (target, name) = (row.target, row.member.name);
        revoke_permits(case, "the member has an outcome", |permit| {
            permit.target == target && permit.member.as_deref() == Some(name.as_str())
        });
    }
    outcome
}

/// Whether members of a target have not ended: what a deployment's signal says is then about one of them.
#[must_use]
pub fn has_open_members(change: &Change, target: &TargetId) -> bool {
    let mut lists = change.wave_run.iter().flat_map(|run| &run.lists);
    lists.any(|list| &list.target == target && list.left() > 0)
}

/// Why a target may not be told to have succeeded: members of it have not, or not ended. `None` where it may.
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
    let help = "Tell the outcomes of the others first, or state `partially_implemented`.";
    Some(Refusal::not_now("members_open", text, help, Vec::new()))
}
