//! The gate: it rewrites its rows with each change, evaluates questions by the rows, records checks and issues permits.

use std::sync::Arc;

use jiff::Timestamp;
use model::change::related_records::{self, GateCheck, Permit};
use model::change::waves::report;
use model::change::{change_file, settle, work};
use model::core::act;
use model::core::enums::{CheckState, GateDecision, Purpose, State};
use model::core::ids::{RecordId, TargetId};
use model::core::refusal::Refusal;
use model::core::unmet::{self, Unmet};
use model::gate::answer::{self, Answer, GateRow, decide, rows_of_target};
use model::gate::build::is_plain_digest;
use model::gate::names::{self, Names};
use model::gate::permit::{self, Signing};
use model::schedule::conflict_rules::known_conflicts;
use serde_json::json;
use store::gate::{gate_view, revocation};
use store::queue::timer;
use store::record::{self, Filter};

use crate::case::commit_equivalence;
use crate::change::member_lists::{MemberQuery, find_member, put_member};
use crate::change::tell_members::keep_outcomes;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::gate_question::{Asker, Found, Question, stopped};
use crate::core::grounds;
use crate::core::services::Services;
use crate::core::signing_keys;
use crate::core::write::{Written, draft};
use crate::gate::led;

/// The checks that an event may still settle, in the order of their creation. Each has an end of its wait, which keeps
/// the index small.
pub(crate) fn waiting_checks() -> Filter {
    Filter::new()
        .one_of(
            "state",
            [CheckState::Waiting.as_str(), CheckState::Collectable.as_str()],
        )
        .is_set("wait_until")
        .order_by("id")
}

/// Evaluates a question by the rows. Writes nothing.
///
/// # Errors
/// The store's.
pub fn ask(cx: &mut Context<'_, '_>, question: &Question) -> Result<Answer> {
    let now = cx.now;
    if is_outside(cx, &question.service)? {
        return Ok(unknown("unknown_service", "service", &question.service));
    }
    let led = led::led_by(cx, &question.service)?;
    let own = found(cx, question, led.is_none())?.answer(question, now);
    let answer = match led {
        Some(led) => Some(led::decide_led(cx, question, &led, own)?),
        None => own,
    };
    if let Some(answer) = answer {
        return Ok(cx.services.closed().over(cx.tx.tenant(), answer));
    }
    let asked = question.change.as_deref().map(str::to_uppercase);
    Ok(unknown_place(cx, question)?.unwrap_or_else(|| decide([], asked.as_deref(), now)))
}

/// Refuses an asker who may not query the gate, and caches the right of one who may until the next commit.
///
/// # Errors
/// [`Refusal::NotAllowed`], or the store's.
pub fn may_ask(cx: &mut Context<'_, '_>) -> Result<()> {
    cx.allow(act::actions::ASK_GATE)?;
    let is_scoped = cx.scope()?.is_some();
    // The cached result is the same for all askers, so an asker with a scope does not use it.
    let Some(moment) = cx.tx.moment().filter(|_| !is_scoped) else {
        return Ok(());
    };
    // The estate's number is cached beside it.
    cx.generation()?;
    if let Some(lent) = &cx.actor.lent {
        let kept = cx.services.gate_read_cache();
        kept.keep_asker(moment, cx.tx.tenant(), &cx.actor.person, lent);
    }
    Ok(())
}

/// Returns the result of a question at once, without a transaction, if this question was read at the present moment and
/// this asker was allowed. The time of the result is returned as well. `None` if a transaction is needed.
///
/// # Errors
/// A fault of the clock.
pub fn ask_at_once(services: &Services, asker: &Asker<'_>, question: &Question) -> Result<Option<(Answer, Timestamp)>> {
    let Some(moment) = services.tools().store.moment() else {
        return Ok(None);
    };
    let Some(found) = services.gate_read_cache().known(moment, asker, question) else {
        return Ok(None);
    };
    let now = services.now()?;
    let answer = found.answer(question, now);
    Ok(answer.map(|answer| (services.closed().over(asker.tenant, answer), now)))
}

/// The rows for a question: from the cache, if a transaction of the same moment has read them. If another system leads,
/// other facts decide as well, so the rows are not cached.
fn found(cx: &mut Context<'_, '_>, question: &Question, is_whole: bool) -> Result<Arc<Found>> {
    let (moment, kept) = (cx.tx.moment().filter(|_| is_whole), cx.services.gate_read_cache());
    let known = moment.and_then(|moment| kept.found(moment, cx.tx.tenant(), question));
    if let Some(found) = known {
        return Ok(found);
    }
    let mut found = Found::default();
    for row in found_rows(cx, question)? {
        let mut row = present_row(cx, row)?;
        if row.purpose == Purpose::Rollback {
            found.back.push(row);
        } else {
            row.information = known_conflicts(row.change.as_str(), &row.unmet, &*cx.directory()?);
            found.forward.push(row);
        }
    }
    let found = Arc::new(found);
    if let Some(moment) = moment {
        kept.keep_found(moment, cx.tx.tenant(), question, &found);
    }
    Ok(found)
}

/// A row in its present state: the row of a change that an act on the directory left unsettled is evaluated here. The
/// result is *go* only if the stored row is *go* too.
fn present_row(cx: &mut Context<'_, '_>, row: GateRow) -> Result<GateRow> {
    if !cx.is_unsettled(row.change.as_str())? {
        return Ok(row);
    }
    let judge = |case: &mut change_file::Case<'_>| {
        let rows = rows_of_target(&case.file, &case.directory, case.now, &row.target);
        let of_it = |it: &GateRow| it.target == row.target && it.purpose == row.purpose;
        Ok::<_, Refusal>(rows.into_iter().find(of_it))
    };
    let fresh = cx.as_system(|cx| cx.try_on_change(row.change.as_str(), judge))?;
    Ok(match fresh {
        Some(fresh) => GateRow {
            written: Some(Box::new(row)),
            ..fresh
        },
        None => gone(row),
    })
}

/// A row that is about to go: it opens nothing.
fn gone(mut row: GateRow) -> GateRow {
    let text = format!("{} is being re-evaluated.", row.key);
    row.closed
        .push(unmet::unmet("not_scheduled", text, "Ask the gate again.", Vec::new()));
    row
}

/// The rows for a question, in the order of changes. If no row names exactly the same, rows count that name an attested
/// equivalent: the commit behind an artifact, and commits with an equal tree.
fn found_rows(cx: &mut Context<'_, '_>, question: &Question) -> Result<Vec<GateRow>> {
    let mut rows = stored_rows(cx, question)?;
    put_member(cx, &mut rows, question)?;
    Ok(rows)
}

fn stored_rows(cx: &mut Context<'_, '_>, question: &Question) -> Result<Vec<GateRow>> {
    let (service, environment) = (question.service.as_str(), question.environment.as_str());
    let asked = question.names();
    let mut found = gate_view::find(cx.tx, service, environment, asked.artifact, asked.commit)?;
    let is_direct = |row: &gate_view::GateRow| named_by(row).name_all_of(asked);
    if found.iter().any(is_direct) {
        found.retain(is_direct);
        return read_rows(&found);
    }
    let kin = commit_equivalence::kin_of(cx, asked)?;
    for commit in kin.of_artifact.iter().chain(&kin.of_commit) {
        found.extend(gate_view::find(cx.tx, service, environment, None, Some(commit))?);
    }
    found.retain(|row| names::matches_question(named_by(row), asked, &kin));
    found.sort_by(|one, other| one.place().cmp(&other.place()));
    found.dedup();
    read_rows(&found)
}

fn named_by(row: &gate_view::GateRow) -> Names<'_> {
    Names::new(row.artifact.as_deref(), row.commit.as_deref())
}

fn read_rows(rows: &[gate_view::GateRow]) -> Result<Vec<GateRow>> {
    rows.iter().map(|row| Ok(serde_json::from_str(&row.body)?)).collect()
}

/// Evaluates the waiting checks of an artifact or a commit with a new fact again.
///
/// # Errors
/// The store's.
pub fn rejudge_named(cx: &mut Context<'_, '_>, artifact: Option<&str>, commit: &str) -> Result<()> {
    for (column, value) in [("artifact", artifact), ("commit_sha", Some(commit))] {
        let Some(value) = value else { continue };
        let filter = waiting_checks().equals(column, value);
        for stored in record::find::<GateCheck>(cx.tx, &filter)? {
            judge_check(cx, stored.record)?;
        }
    }
    Ok(())
}

/// Notes that the recorded decision relies on the current version of the change.
fn note_judged(cx: &mut Context<'_, '_>, answer: &Answer) -> Result<()> {
    match &answer.target {
        Some((change, _)) => cx.note_read_of(change.as_str()),
        None => Ok(()),
    }
}

/// Whether a service is outside the asker's scope: the gate treats it as an unknown service.
fn is_outside(cx: &mut Context<'_, '_>, service: &str) -> Result<bool> {
    Ok(cx.scope()?.is_some_and(|scope| !scope.has(service)))
}

fn unknown(code: &str, what: &str, key: &str) -> Answer {
    let text = format!("There is no {what} `{key}`.");
    let help = format!("Register the {what}, or correct the name.");
    stopped(Purpose::Deploy, unmet::unmet(code, text, help, Vec::new()))
}

fn unknown_place(cx: &mut Context<'_, '_>, question: &Question) -> Result<Option<Answer>> {
    let directory = cx.directory()?;
    if !directory.services.contains_key(&question.service.as_str().into()) {
        return Ok(Some(unknown("unknown_service", "service", &question.service)));
    }
    if !directory
        .environments
        .contains_key(&question.environment.as_str().into())
    {
        return Ok(Some(unknown(
            "unknown_environment",
            "environment",
            &question.environment,
        )));
    }
    // A malformed name cannot be the name in a change: the asker mistyped or shortened it.
    let wrong = names::wrong_form(question.names());
    Ok(wrong.map(|reason| stopped(Purpose::Deploy, reason)))
}

/// A recorded check, with the permit if one was issued.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The record.
    pub check: GateCheck,
    /// The signed permit.
    pub permit: Option<String>,
}

/// The question of a check.
pub fn question_of(check: &GateCheck) -> Question {
    let (service, environment) = check.place();
    Question {
        service: service.to_owned(),
        environment: environment.to_owned(),
        artifact: check.artifact.clone().or_else(|| check.asked_artifact.clone()),
        commit: check.commit.clone(),
        change: check.asked_change.clone(),
        purpose: Some(check.purpose),
        member: check.member.clone(),
    }
}

fn apply_answer(check: &mut GateCheck, answer: Answer, now: Timestamp) {
    check.waited.add(&check.reasons, now.duration_since(check.checked_at));
    check.checked_at = now;
    check.decision = answer.decision;
    check.change = answer.change;
    check.reasons = answer.reasons;
    check.next_transition_at = answer.next_transition_at;
    check.led_by = answer.led_by;
}

/// Records a question; on go it starts the work and issues the permit, in the same act.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn check(cx: &mut Context<'_, '_>, question: &Question, wait_until: Option<Timestamp>) -> Result<Checked> {
    let (question, asked) = (question.clone(), question);
    let answer = ask(cx, &question)?;
    // A question without a purpose is a deployment, unless its subject is an open rollback.
    let purpose = question.purpose.unwrap_or(answer.purpose);
    note_judged(cx, &answer)?;
    let go = answer.decision == GateDecision::Go;
    let target = answer.target.clone().filter(|_| go);
    let mut record = GateCheck {
        id: RecordId(cx.new_id()?),
        version: 0,
        service: question.service,
        environment: question.environment,
        asked_place: None,
        artifact: question.artifact.clone().filter(|it| is_plain_digest(it)),
        asked_artifact: question.artifact.filter(|it| !is_plain_digest(it)),
        commit: question.commit,
        asked_change: question.change,
        member: question.member,
        purpose,
        wait_until,
        by: cx.actor.person.clone(),
        asked_at: cx.now,
        checked_at: cx.now,
        decision: GateDecision::Stop,
        change: None,
        reasons: Vec::new(),
        next_transition_at: None,
        led_by: None,
        state: if wait_until.is_some() && !go {
            CheckState::Waiting
        } else {
            CheckState::Settled
        },
        waited: related_records::Waited::default(),
        permit: None,
    };
    let now = cx.now;
    apply_answer(&mut record, answer, now);
    let mut permit = None;
    if let Some((change, target)) = target {
        match give_permit(cx, (change.as_str(), &target), purpose, asked)? {
            Given::Permit(given) => {
                record.permit = Some(given.id.clone());
                permit = Some(sign(cx, &given)?);
            }
            Given::Stop(answer) => apply_answer(&mut record, answer, now),
        }
    }
    save_check(cx, "gate.checked", record, permit)
}

fn save_check(
    cx: &mut Context<'_, '_>,
    kind: &'static str,
    record: GateCheck,
    permit: Option<String>,
) -> Result<Checked> {
    let mut written = Written::default();
    let record = record.with_place(&*cx.directory()?);
    let check = cx.put(&mut written, record)?;
    // The go rests on another system's record and on no change of Assent.
    let kind = if check.is_led_go() { "gate.led_elsewhere" } else { kind };
    let mut data = json!({"change": check.change, "service": check.service, "environment": check.environment, "led_by": check.led_by});
    if kind != "gate.led_elsewhere" {
        data["decision"] = json!(check.decision);
    }
    if let (GateDecision::Go, Some(change)) = (check.decision, &check.change) {
        data[proof::grounds::MEMBER] = grounds::of_go(cx, change)?;
    }
    let event = draft(kind, ("gate_check", check.id.0.clone()), cx.now, data);
    cx.emit(vec![event], written)?;
    let is_settled_at_once = check.version <= 1 && check.state == CheckState::Settled;
    // A check that never waited has no timer to cancel.
    if !is_settled_at_once {
        set_timer(cx, &check)?;
    }
    Ok(Checked { check, permit })
}

fn set_timer(cx: &mut Context<'_, '_>, check: &GateCheck) -> Result<()> {
    let waits = matches!(check.state, CheckState::Waiting | CheckState::Collectable);
    let run_at = [check.next_transition_at, check.wait_until]
        .into_iter()
        .flatten()
        .filter(|at| *at > cx.now)
        .min();
    let Some(run_at) = run_at.filter(|_| waits) else {
        timer::cancel(cx.tx, "gate_check", check.id.as_str(), "due")?;
        return Ok(());
    };
    let id = cx.new_id()?;
    timer::set(
        cx.tx,
        &timer::NewTimer {
            id: &id,
            subject_table: "gate_check",
            subject_id: check.id.as_str(),
            kind: "due",
            run_at,
        },
    )?;
    Ok(())
}

enum Given {
    Permit(Box<Permit>),
    Stop(Answer),
}

/// Evaluates the target anew inside the change's own act; on go it starts the work and makes the permit.
fn give_permit(
    cx: &mut Context<'_, '_>,
    (change, target): (&str, &TargetId),
    purpose: Purpose,
    question: &Question,
) -> Result<Given> {
    let signing = signing(cx)?;
    let target = target.clone();
    let (services, tenant) = (cx.services, cx.tenant());
    let closed = services.closed();
    let asked = find_member(cx, (change, &target), purpose, question)?;
    let mut begun = None;
    let given = cx.on_change(change, |case| {
        let now = case.now;
        let judged = |case: &change_file::Case<'_>| {
            let rows = rows_of_target(&case.file, &case.directory, now, &target);
            let mut rows = rows.into_iter();
            let found = rows.find(|row| row.target == target && row.purpose == purpose);
            let mut row = found.ok_or_else(|| Refusal::not_found("gate row"))?;
            row.member = asked.as_ref().map(MemberQuery::for_gate);
            Ok::<_, Refusal>(closed.over(&tenant, answer::judge(&row, now)))
        };
        let answer = judged(case)?;
        if answer.decision == GateDecision::Stop {
            return Ok(Given::Stop(answer));
        }
        let mut targets = case.change().content.targets.iter();
        let Some(named) = targets.find(|known| known.id == target).cloned() else {
            return Err(Refusal::not_found("target"));
        };
        if !may_collect(case) {
            return Ok(Given::Stop(not_yours(answer)));
        }
        let member = asked.as_ref().map(|asked| asked.name.as_str());
        if let Some(at) = permit::spent_for_agents(case, (&target, purpose, member)) {
            return Ok(Given::Stop(spent(answer, at)));
        }
        if purpose == Purpose::Deploy && case.change().state == State::Scheduled {
            work::begin(case, now);
            if case.change().wave_run.is_some() {
                // An open incident halts the waves as soon as they begin.
                settle::settle(case);
                let answer = judged(case)?;
                if answer.decision == GateDecision::Stop {
                    return Ok(Given::Stop(answer));
                }
            }
        }
        let permit = permit::give(case, (&named, purpose, member), question.names(), &signing);
        if let Some((member, known)) = asked.as_ref().and_then(MemberQuery::known) {
            begun = report::begin(case, &target, &member, known);
        }
        settle::settle(case);
        Ok(Given::Permit(Box::new(permit)))
    })?;
    keep_outcomes(cx, "member_outcome.begun", begun.into_iter().collect())?;
    Ok(given)
}

/// A permit starts work, so its collector must be allowed to implement: a pipeline, or a person whom the change or its
/// target names.
fn may_collect(case: &change_file::Case<'_>) -> bool {
    case.allow(act::Act::IssuePermit).is_ok()
}

fn not_yours(answer: Answer) -> Answer {
    let text = "The gate is open, but only a pipeline or an implementer of the change can collect its permit.";
    let satisfy = "Let a pipeline or an implementer of the change ask the gate.";
    Answer {
        decision: GateDecision::Stop,
        reasons: vec![unmet::unmet("not_allowed", text, satisfy, Vec::new())],
        ..answer
    }
}

/// A stop for an agent that has used up the target's permit.
fn spent(answer: Answer, at: Timestamp) -> Answer {
    let reason = unmet::unmet("permit_used", permit::spent_text(at), permit::SPENT_HELP, Vec::new());
    Answer {
        decision: GateDecision::Stop,
        reasons: vec![reason],
        ..answer
    }
}

/// Turns a go into a stop for an agent whose use of the target is over, so that a plain question says what a check says.
///
/// # Errors
/// The store's.
pub fn check_unspent(cx: &mut Context<'_, '_>, question: &Question, answer: Answer) -> Result<Answer> {
    let is_agent = cx.directory()?.agent(&cx.actor.person).is_some();
    let Some((change, target)) = answer.target.clone().filter(|_| is_agent) else {
        return Ok(answer);
    };
    if answer.decision == GateDecision::Stop {
        return Ok(answer);
    }
    let asked = find_member(cx, (change.as_str(), &target), answer.purpose, question)?;
    let member = asked.as_ref().map(|asked| asked.name.as_str());
    let file = cx.file(change.as_str())?;
    Ok(match permit::used_at(&file, (&target, answer.purpose, member)) {
        Some(at) => spent(answer, at),
        None => answer,
    })
}

/// Evaluates a waiting check again: after an act that touched it, or by its timer.
///
/// # Errors
/// The store's.
pub fn judge_check(cx: &mut Context<'_, '_>, check: GateCheck) -> Result<()> {
    if !matches!(check.state, CheckState::Waiting | CheckState::Collectable) {
        return Ok(());
    }
    let answer = ask(cx, &question_of(&check))?;
    note_judged(cx, &answer)?;
    let mut next = check.clone();
    let now = cx.now;
    apply_answer(&mut next, answer, now);
    let over = check.wait_until.is_some_and(|until| until <= now);
    next.state = match next.decision {
        _ if over => CheckState::Over,
        GateDecision::Go => CheckState::Collectable,
        GateDecision::Stop => CheckState::Waiting,
    };
    if over {
        next.decision = GateDecision::Stop;
        next.reasons.insert(0, wait_over(check.wait_until.unwrap_or(now)));
    }
    let same = next.decision == check.decision && next.state == check.state && next.reasons == check.reasons;
    let same = same && next.led_by == check.led_by;
    if same && next.next_transition_at == check.next_transition_at {
        set_timer(cx, &check)?;
        return Ok(());
    }
    save_check(cx, "gate.judged_again", next, None)?;
    Ok(())
}

fn wait_over(until: Timestamp) -> Unmet {
    let text = format!("The wait ended at {until}.");
    unmet::unmet("wait_over", text, "Ask the gate again.", Vec::new())
}

/// Loads a check.
///
/// # Errors
/// [`Refusal::NotFound`], or the store's.
pub fn load_check(cx: &mut Context<'_, '_>, id: &str) -> Result<GateCheck> {
    let found = record::load::<GateCheck>(cx.tx, id)?.map(|stored| stored.record);
    let scope = cx.scope()?;
    let is_seen = |check: &GateCheck| {
        let is_inside = scope.as_ref().is_none_or(|scope| scope.has(&check.service));
        is_inside || check.by == cx.actor.person
    };
    found
        .filter(is_seen)
        .ok_or_else(|| Error::Refused(Refusal::not_found("gate check")))
}

/// Collects the permit of a check that became go: the check is evaluated again, and a repetition returns the same
/// permit.
///
/// # Errors
/// 404; 409 with the reasons when it is not go, or when it was settled as a stop.
pub fn collect(cx: &mut Context<'_, '_>, id: &str) -> Result<Checked> {
    let check = load_check(cx, id)?;
    if check.permit.is_some() || (check.state == CheckState::Settled && check.is_led_go()) {
        return collect_again(cx, check);
    }
    if check.state == CheckState::Settled {
        return Err(Refusal::NotNow {
            code: "not_go",
            text: "This check was answered with stop.".to_owned(),
            unmet: check.reasons,
        }
        .into());
    }
    // The timer may run a moment late, but the wait ends on time. Other reasons in the check may no longer hold.
    let is_over = |until: &Timestamp| check.state == CheckState::Over || *until <= cx.now;
    if let Some(until) = check.wait_until.filter(is_over) {
        return Err(Refusal::NotNow {
            code: "not_go",
            text: "This check waited until its time limit.".to_owned(),
            unmet: vec![wait_over(until)],
        }
        .into());
    }
    let answer = ask(cx, &question_of(&check))?;
    let mut next = check;
    let target = answer.target.clone();
    let now = cx.now;
    apply_answer(&mut next, answer, now);
    if next.is_led_go() {
        next.state = CheckState::Settled;
        return save_check(cx, "gate.judged_again", next, None);
    }
    let (GateDecision::Go, Some((change, target))) = (next.decision, target) else {
        let text = "The gate says stop.".to_owned();
        return Err(Refusal::NotNow {
            code: "not_go",
            text,
            unmet: next.reasons,
        }
        .into());
    };
    match give_permit(cx, (change.as_str(), &target), next.purpose, &question_of(&next))? {
        Given::Stop(answer) => {
            let text = "The gate says stop.".to_owned();
            Err(Refusal::NotNow {
                code: "not_go",
                text,
                unmet: answer.reasons,
            }
            .into())
        }
        Given::Permit(permit) => {
            // The act above may have evaluated this very check, so the check is read again before it is settled.
            let mut fresh = load_check(cx, next.id.as_str())?;
            fresh.decision = GateDecision::Go;
            fresh.reasons = Vec::new();
            fresh.change = next.change;
            fresh.waited = next.waited;
            fresh.checked_at = now;
            fresh.state = CheckState::Settled;
            fresh.permit = Some(permit.id.clone());
            let token = sign(cx, &permit)?;
            save_check(cx, "gate.permit_collected", fresh, Some(token))
        }
    }
}

/// Returns a permit again, while it is valid and the gate is still open; or the go of a leading system, while that is
/// still go.
fn collect_again(cx: &mut Context<'_, '_>, check: GateCheck) -> Result<Checked> {
    let permit = match &check.permit {
        Some(given) => Some(usable(cx, given)?),
        None => None,
    };
    let answer = ask(cx, &question_of(&check))?;
    if answer.decision == GateDecision::Stop || answer.led_by != check.led_by {
        return Err(Refusal::NotNow {
            code: "not_go",
            text: "The gate says stop.".to_owned(),
            unmet: answer.reasons,
        }
        .into());
    }
    let permit = match permit {
        Some(permit) => Some(sign(cx, &permit)?),
        None => None,
    };
    Ok(Checked { check, permit })
}

/// A permit that is not revoked, expired or used.
///
/// # Errors
/// 409 `not_alive`; the store's.
fn usable(cx: &mut Context<'_, '_>, permit: &RecordId) -> Result<Permit> {
    let found = record::load::<Permit>(cx.tx, permit.as_str())?.map(|stored| stored.record);
    let now = cx.now;
    let alive = found.filter(|permit| permit.is_alive(now) && permit.used_at.is_none());
    let dead = || {
        Refusal::not_now(
            "not_alive",
            "The permit is no longer alive.",
            "Ask the gate again.",
            Vec::new(),
        )
    };
    Ok(alive.ok_or_else(dead)?)
}

/// Evaluates a check anew when its request is repeated with the same key: the same check, with the gate's present
/// decision. A waiting check continues to wait, and a check whose wait is over stays over.
///
/// # Errors
/// 404; the store's, or a fault of the keys.
pub fn check_again(cx: &mut Context<'_, '_>, id: &str) -> Result<Checked> {
    let check = load_check(cx, id)?;
    if check.state != CheckState::Settled {
        judge_check(cx, check)?;
        let check = load_check(cx, id)?;
        return Ok(Checked { check, permit: None });
    }
    let answer = ask(cx, &question_of(&check))?;
    note_judged(cx, &answer)?;
    let target = answer.target.clone().filter(|_| answer.decision == GateDecision::Go);
    let mut next = settled_by(&check, answer, cx.now);
    let mut token = None;
    if let Some((change, target)) = target {
        match give_permit(cx, (change.as_str(), &target), next.purpose, &question_of(&next))? {
            Given::Permit(given) => {
                next.permit = Some(given.id.clone());
                token = Some(sign(cx, &given)?);
            }
            Given::Stop(answer) => next = settled_by(&next, answer, cx.now),
        }
    }
    let is_same = (&next.decision, &next.change, &next.reasons) == (&check.decision, &check.change, &check.reasons)
        && (&next.permit, &next.led_by) == (&check.permit, &check.led_by);
    if is_same {
        return Ok(Checked { check, permit: token });
    }
    save_check(cx, "gate.judged_again", next, token)
}

/// A settled check with a new decision, and without the permit of the earlier one.
fn settled_by(check: &GateCheck, answer: Answer, now: Timestamp) -> GateCheck {
    GateCheck {
        checked_at: now,
        decision: answer.decision,
        change: answer.change,
        reasons: answer.reasons,
        next_transition_at: answer.next_transition_at,
        led_by: answer.led_by,
        permit: None,
        ..check.clone()
    }
}

/// The revocation epoch and the signing key for a new permit.
///
/// # Errors
/// The store's, or a fault of the keys.
pub(crate) fn signing(cx: &mut Context<'_, '_>) -> Result<Signing> {
    Ok(Signing {
        epoch: revocation::state(cx.tx)?.epoch,
        kid: signing_keys::active_kid(cx, signing_keys::PERMIT)?,
    })
}

/// Signs an earlier permit again: the same token as before.
///
/// # Errors
/// 409 when it is revoked, run out or used up; as [`sign`].
pub fn sign_again(cx: &mut Context<'_, '_>, permit: &str) -> Result<String> {
    let found = usable(cx, &RecordId::from(permit))?;
    sign(cx, &found)
}

/// Refuses to repeat the earlier response if the permit is no longer valid.
///
/// # Errors
/// 409 when it is revoked or run out, or its key was revoked; the store's.
pub fn check_alive(cx: &mut Context<'_, '_>, permit: &str) -> Result<()> {
    let found = record::load::<Permit>(cx.tx, permit)?.map(|stored| stored.record);
    let now = cx.now;
    let alive = found.filter(|permit| permit.is_alive(now));
    let is_good = match &alive {
        Some(permit) => !signing_keys::is_signed_by_revoked(cx, permit)?,
        None => false,
    };
    if is_good {
        return Ok(());
    }
    Err(Refusal::not_now(
        "not_alive",
        "The permit is no longer alive.",
        "Ask the gate again.",
        Vec::new(),
    )
    .into())
}

/// Signs a permit. The same record always gives the same token.
///
/// # Errors
/// 409 when its key was revoked; a fault of the keys.
pub fn sign(cx: &mut Context<'_, '_>, permit: &Permit) -> Result<String> {
    let key = signing_keys::permit_key(cx, &permit.kid)?;
    let tenant = cx.tenant();
    cx.services.closed().check(&tenant, permit.change.as_str())?;
    let claims = proof::permit::Claims {
        iss: cx.services.tools().public_url.clone(),
        sub: permit.change_key.clone(),
        aud: proof::permit::Claims::audience(&tenant, permit.service.as_str(), permit.environment.as_str()),
        jti: permit.id.0.clone(),
        iat: permit.issued_at.as_second(),
        nbf: permit.not_before.as_second(),
        exp: permit.expires_at.as_second(),
        tenant,
        service: permit.service.0.clone(),
        environment: permit.environment.0.clone(),
        artifact: permit.artifact.clone(),
        commit: permit.commit.clone(),
        member: permit.member.clone(),
        purpose: match permit.purpose {
            Purpose::Deploy => proof::permit::Purpose::Deploy,
            Purpose::Rollback => proof::permit::Purpose::Rollback,
        },
        content_digest: permit.content_digest.clone(),
        policy_digest: permit.policy_digest.clone(),
        epoch: u64::try_from(permit.epoch).unwrap_or_default(),
        max_list_age_seconds: u64::try_from(permit.max_list_age_seconds).unwrap_or_default(),
        break_glass: permit.break_glass,
    };
    Ok(proof::permit::sign(&claims, &key)?)
}
