//! The gate: rows rewritten with each change, questions answered from them, checks recorded and permits given.

use std::sync::Arc;

use jiff::Timestamp;
use model::change::related_records::{self, GateCheck, Permit};
use model::change::{change_file, read_content, settle, work};
use model::core::act;
use model::core::enums::{self, CheckState, GateDecision, Purpose, State};
use model::core::ids::{RecordId, TargetId};
use model::core::refusal::Refusal;
use model::core::unmet::{self, Unmet};
use model::gate::answer::{self, Answer, GateRow, decide, rows};
use model::gate::build::is_plain_digest;
use model::gate::permit::{self, Signing};
use serde_json::json;
use store::gate::{gate_view, revocation};
use store::queue::timer;
use store::record::{self, Filter};

use crate::case::commit_equivalence;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::gate_question::{Asker, Found, Question, stopped};
use crate::core::services::Services;
use crate::core::signing_keys;
use crate::core::write::{Written, draft};

/// The checks that a turn may still move, in the order in which they were asked. All of them have an end of their wait, by
/// which their index is kept small.
pub(crate) fn waiting_checks() -> Filter {
    Filter::new()
        .one_of(
            "state",
            [CheckState::Waiting.as_str(), CheckState::Collectable.as_str()],
        )
        .is_set("wait_until")
        .order_by("id")
}

/// Answers a question from the rows. Writes nothing.
///
/// # Errors
/// The store's.
pub fn ask(cx: &mut Context<'_, '_>, question: &Question) -> Result<Answer> {
    let now = cx.now;
    if is_outside(cx, &question.service)? {
        return Ok(unknown("unknown_service", "service", &question.service));
    }
    let found = found(cx, question)?;
    if let Some(answer) = found.answer(question, now) {
        return Ok(answer);
    }
    let asked = question.change.as_deref().map(str::to_uppercase);
    Ok(unknown_place(cx, question)?.unwrap_or_else(|| decide([], asked.as_deref(), now)))
}

/// Refuses who may not ask the gate, and remembers for the moment who may.
///
/// # Errors
/// [`Refusal::NotAllowed`], or the store's.
pub fn may_ask(cx: &mut Context<'_, '_>) -> Result<()> {
    cx.allow(act::actions::ASK_GATE)?;
    let is_scoped = cx.scope()?.is_some();
    // What is answered at once is the same for everybody, so that whoever is scoped is not answered so.
    let Some(moment) = cx.tx.moment().filter(|_| !is_scoped) else {
        return Ok(());
    };
    // The number of the estate is kept beside it.
    cx.generation()?;
    if let Some(lent) = &cx.actor.lent {
        let kept = cx.services.moments();
        kept.keep_asker(moment, cx.tx.tenant(), &cx.actor.person, lent);
    }
    Ok(())
}

/// Answers a question at once, without a transaction, when at the present moment this very question was read and this
/// asker was allowed; with the time of the answer. `None` when it has to be asked in a transaction.
///
/// # Errors
/// A fault of the clock.
pub fn ask_at_once(services: &Services, asker: &Asker<'_>, question: &Question) -> Result<Option<(Answer, Timestamp)>> {
    let Some(moment) = services.tools().store.moment() else {
        return Ok(None);
    };
    let Some(found) = services.moments().known(moment, asker, question) else {
        return Ok(None);
    };
    let now = services.now()?;
    Ok(found.answer(question, now).map(|answer| (answer, now)))
}

/// What stands for a question: from memory, if a transaction of the same moment has read it.
fn found(cx: &mut Context<'_, '_>, question: &Question) -> Result<Arc<Found>> {
    let (moment, kept) = (cx.tx.moment(), cx.services.moments());
    let known = moment.and_then(|moment| kept.found(moment, cx.tx.tenant(), question));
    if let Some(found) = known {
        return Ok(found);
    }
    let (rows, about) = found_rows(cx, question)?;
    let mut found = Found::default();
    for row in rows {
        let row: GateRow = serde_json::from_str(&row.body)?;
        if !is_named(&row, &about) {
            continue;
        }
        if row.purpose == Purpose::Rollback {
            found.back.push(row);
        } else {
            found.forward.push(row);
        }
    }
    let found = Arc::new(found);
    if let Some(moment) = moment {
        kept.keep_found(moment, cx.tx.tenant(), question, &found);
    }
    Ok(found)
}

/// The rows that a question is about. Where none names what was asked about, those of the commits that it stands for are:
/// the commit behind an attested artifact, and commits with an equal tree.
fn found_rows(cx: &mut Context<'_, '_>, question: &Question) -> Result<(Vec<gate_view::GateRow>, Question)> {
    let (service, environment) = (question.service.as_str(), question.environment.as_str());
    let (artifact, commit) = (question.artifact.as_deref(), question.commit.as_deref());
    let mut found = gate_view::find(cx.tx, service, environment, artifact, commit)?;
    if commit_equivalence::is_of_another_commit(cx, artifact, commit)? {
        found.retain(|row| row.artifact.as_deref() == artifact);
    }
    let is_direct = |row: &gate_view::GateRow| {
        let agrees = |asked: Option<&str>, named: Option<&str>| asked.is_none() || named.is_none() || asked == named;
        agrees(artifact, row.artifact.as_deref()) && agrees(commit, row.commit.as_deref())
    };
    if found.iter().any(is_direct) {
        return Ok((found, question.clone()));
    }
    for kin in commit_equivalence::commits_behind(cx, artifact, commit)? {
        let rows = gate_view::find(cx.tx, service, environment, None, Some(&kin))?;
        // A target that names an artifact of its own is about that one, whatever the commit.
        let rows: Vec<_> = rows
            .into_iter()
            .filter(|row| row.artifact.is_none() || row.artifact.as_deref() == artifact)
            .collect();
        if !rows.is_empty() {
            let commit = Some(kin);
            return Ok((
                rows,
                Question {
                    commit,
                    ..question.clone()
                },
            ));
        }
    }
    Ok((found, question.clone()))
}

/// Judges again the waiting checks that ask about an artifact or a commit of which something new is known.
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

/// A target as the permit names it: its own words, and what the gate found it by. Nobody approved the artifact that whoever
/// asks names beside a commit, so the permit names it only where it is attested to be made from the target's commit.
fn as_asked(
    named: model::change::record::Target,
    question: &Question,
    purpose: Purpose,
    attested: &[String],
) -> model::change::record::Target {
    if purpose == Purpose::Rollback {
        return named;
    }
    let is_direct = question.commit.is_some() && named.commit == question.commit
        || question.artifact.is_some() && named.artifact == question.artifact;
    let is_attested = named.commit.as_ref().is_some_and(|commit| attested.contains(commit));
    let asked = question.artifact.clone().filter(|_| is_attested);
    model::change::record::Target {
        artifact: named.artifact.clone().or(asked),
        commit: if is_direct {
            named.commit.clone()
        } else {
            question.commit.clone()
        },
        ..named
    }
}

/// The commits from which the artifact of a question is attested to be made.
fn attested_commits(cx: &mut Context<'_, '_>, question: &Question) -> Result<Vec<String>> {
    let Some(artifact) = &question.artifact else {
        return Ok(Vec::new());
    };
    Ok(commit_equivalence::commits_of(cx, artifact)?.unwrap_or_default())
}

/// Notes that what is written of this answer goes by the change as it stands.
fn note_judged(cx: &mut Context<'_, '_>, answer: &Answer) -> Result<()> {
    match &answer.target {
        Some((change, _)) => cx.note_read_of(change.as_str()),
        None => Ok(()),
    }
}

/// Whether a row names what was asked about. A question that says artifact and commit is about both: a target that names
/// another artifact beside the right commit (or the other way round) is not the one.
fn is_named(row: &GateRow, question: &Question) -> bool {
    let agrees = |asked: &Option<String>, named: &Option<String>| match (asked, named) {
        (Some(asked), Some(named)) => asked == named,
        _ => true,
    };
    agrees(&question.artifact, &row.artifact) && agrees(&question.commit, &row.commit)
}

/// Whether a service is outside of the scope of who asks: there is none of that name for them.
fn is_outside(cx: &mut Context<'_, '_>, service: &str) -> Result<bool> {
    Ok(cx.scope()?.is_some_and(|scope| !scope.has(service)))
}

fn unknown(code: &str, what: &str, key: &str) -> Answer {
    let text = format!("There is no {what} `{key}`.");
    let help = format!("Register the {what}, or mend the name.");
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
    Ok(question.artifact.as_deref().and_then(no_digest))
}

/// What is no digest cannot be what a change names: whoever asks so has mistyped it.
fn no_digest(artifact: &str) -> Option<Answer> {
    if read_content::is_digest(artifact) {
        return None;
    }
    let text = format!("`{artifact}` is no digest such as sha256:6b1d…, so no change names it.");
    let satisfy = "Ask with the artifact's digest, as its registry names it.";
    let reason = unmet::unmet("change_missing", text, satisfy, Vec::new());
    Some(stopped(Purpose::Deploy, reason))
}

/// A recorded check, with the permit if one was given.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The record.
    pub check: GateCheck,
    /// The signed permit.
    pub permit: Option<String>,
}

/// The question that a check asked.
pub fn question_of(check: &GateCheck) -> Question {
    Question {
        service: check.service.clone(),
        environment: check.environment.clone(),
        artifact: check.artifact.clone().or_else(|| check.asked_artifact.clone()),
        commit: check.commit.clone(),
        change: check.asked_change.clone(),
        purpose: Some(check.purpose),
    }
}

fn take_answer(check: &mut GateCheck, answer: Answer, now: Timestamp) {
    check.waited.add(&check.reasons, now.duration_since(check.checked_at));
    check.checked_at = now;
    check.decision = answer.decision;
    check.change = answer.change;
    check.reasons = answer.reasons;
    check.next_transition_at = answer.next_transition_at;
}

/// Records a question; on go it starts the work and gives the permit, in the same act.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn check(cx: &mut Context<'_, '_>, question: &Question, wait_until: Option<Timestamp>) -> Result<Checked> {
    let question = question.clone();
    let asked = question.clone();
    let answer = ask(cx, &question)?;
    // Without a word on the purpose it is the way forward, unless what was asked about is a way back that is open.
    let purpose = question.purpose.unwrap_or(answer.purpose);
    note_judged(cx, &answer)?;
    let go = answer.decision == GateDecision::Go;
    let target = answer.target.clone().filter(|_| go);
    let mut record = GateCheck {
        id: RecordId(cx.new_id()?),
        version: 0,
        service: question.service,
        environment: question.environment,
        artifact: question.artifact.clone().filter(|it| is_plain_digest(it)),
        asked_artifact: question.artifact.filter(|it| !is_plain_digest(it)),
        commit: question.commit,
        asked_change: question.change,
        purpose,
        wait_until,
        by: cx.actor.person.clone(),
        asked_at: cx.now,
        checked_at: cx.now,
        decision: GateDecision::Stop,
        change: None,
        reasons: Vec::new(),
        next_transition_at: None,
        state: if wait_until.is_some() && !go {
            CheckState::Waiting
        } else {
            CheckState::Settled
        },
        waited: related_records::Waited::default(),
        permit: None,
    };
    let now = cx.now;
    take_answer(&mut record, answer, now);
    let mut permit = None;
    if let Some((change, target)) = target {
        match give_permit(cx, (change.as_str(), &target), purpose, &asked)? {
            Given::Permit(given) => {
                record.permit = Some(given.id.clone());
                permit = Some(sign(cx, &given)?);
            }
            Given::Stop(answer) => take_answer(&mut record, answer, now),
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
    let check = cx.put(&mut written, record)?;
    let data = json!({"decision": check.decision, "change": check.change, "service": check.service, "environment": check.environment});
    let event = draft(kind, ("gate_check", check.id.0.clone()), cx.now, data);
    cx.tell(vec![event], written)?;
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

/// Judges the target anew inside the change's own act; on go it starts the work and makes the permit.
fn give_permit(
    cx: &mut Context<'_, '_>,
    (change, target): (&str, &TargetId),
    purpose: Purpose,
    question: &Question,
) -> Result<Given> {
    let signing = signing(cx)?;
    let attested = attested_commits(cx, question)?;
    let target = target.clone();
    cx.on_change(change, |case| {
        let now = case.now;
        let found = rows(&case.file, &case.directory, now)
            .into_iter()
            .find(|row| row.target == target && row.purpose == purpose);
        let Some(row) = found else {
            return Err(Refusal::not_found("gate row"));
        };
        let answer = answer::judge(&row, now);
        if answer.decision == GateDecision::Stop {
            return Ok(Given::Stop(answer));
        }
        let named = case
            .change()
            .content
            .targets
            .iter()
            .find(|known| known.id == target)
            .cloned();
        let Some(named) = named else {
            return Err(Refusal::not_found("target"));
        };
        if !may_collect(case) {
            return Ok(Given::Stop(not_yours(answer)));
        }
        if purpose == Purpose::Deploy && case.change().state == State::Scheduled {
            work::begin(case, now);
        }
        let named = as_asked(named, question, purpose, &attested);
        let permit = permit::issue(case, &named, purpose, &signing);
        settle::settle(case);
        Ok(Given::Permit(Box::new(permit)))
    })
}

/// A permit starts work, so only who may implement collects one: pipelines, and whom the change or its target names.
fn may_collect(case: &change_file::Case<'_>) -> bool {
    case.allow(act::Act::IssuePermit).is_ok()
}

fn not_yours(answer: Answer) -> Answer {
    let text = "The gate is open, but its permit is collected by a pipeline or by who implements the change.";
    let satisfy = "A pipeline, or an implementer of the change, asks.";
    Answer {
        decision: GateDecision::Stop,
        reasons: vec![unmet::unmet("not_allowed", text, satisfy, Vec::new())],
        ..answer
    }
}

/// Judges a waiting check again: by an act that touched it, or by its timer.
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
    take_answer(&mut next, answer, now);
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

/// Collects the permit of a check that turned go: judged anew, and the same permit when asked again.
///
/// # Errors
/// 404; 409 with the reasons when it is not go, or when it was settled as a stop.
pub fn collect(cx: &mut Context<'_, '_>, id: &str) -> Result<Checked> {
    let check = load_check(cx, id)?;
    if let Some(given) = &check.permit {
        return collect_again(cx, check.clone(), given.clone());
    }
    if check.state == CheckState::Settled {
        return Err(Refusal::NotNow {
            code: "not_go",
            text: "This check was answered with stop.".to_owned(),
            unmet: check.reasons,
        }
        .into());
    }
    // Its timer may come a moment late; the end of the wait does not. What else held it up then may hold no more, and stands in
    // the check.
    let is_over = |until: &Timestamp| check.state == CheckState::Over || *until <= cx.now;
    if let Some(until) = check.wait_until.filter(is_over) {
        return Err(Refusal::NotNow {
            code: "not_go",
            text: "This check waited until its end.".to_owned(),
            unmet: vec![wait_over(until)],
        }
        .into());
    }
    let answer = ask(cx, &question_of(&check))?;
    let mut next = check;
    let target = answer.target.clone();
    let now = cx.now;
    take_answer(&mut next, answer, now);
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
            // The act above may have judged this very check again, so it is read anew before it is settled.
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

fn collect_again(cx: &mut Context<'_, '_>, check: GateCheck, permit: RecordId) -> Result<Checked> {
    let found = record::load::<Permit>(cx.tx, permit.as_str())?.map(|stored| stored.record);
    let now = cx.now;
    let alive = found.filter(|permit| permit.state == enums::PermitState::Issued && permit.expires_at > now);
    let Some(permit) = alive else {
        return Err(Refusal::not_now(
            "not_alive",
            "This check's permit is no longer alive.",
            "Ask the gate again.",
            Vec::new(),
        )
        .into());
    };
    let token = sign(cx, &permit)?;
    Ok(Checked {
        check,
        permit: Some(token),
    })
}

/// Under what a permit is made now.
///
/// # Errors
/// The store's, or a fault of the keys.
pub(crate) fn signing(cx: &mut Context<'_, '_>) -> Result<Signing> {
    Ok(Signing {
        epoch: revocation::state(cx.tx)?.epoch,
        kid: signing_keys::active_kid(cx, signing_keys::PERMIT)?,
    })
}

/// Signs a permit that was given before: the same token as then, whatever has become of it.
///
/// # Errors
/// 404 when there is none; as [`sign`].
pub fn sign_again(cx: &mut Context<'_, '_>, permit: &str) -> Result<String> {
    let found = record::load::<Permit>(cx.tx, permit)?;
    let found = found.ok_or_else(|| Refusal::not_found("permit"))?;
    sign(cx, &found.record)
}

/// Signs a permit. The same record always gives the same token.
///
/// # Errors
/// 409 when its key was revoked; a fault of the keys.
pub fn sign(cx: &mut Context<'_, '_>, permit: &Permit) -> Result<String> {
    let key = signing_keys::permit_key(cx, &permit.kid)?;
    let tenant = cx.tenant();
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
