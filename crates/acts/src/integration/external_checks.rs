//! Checks requested by outside systems: received, answered, and answered again automatically when the change moves.

use std::collections::BTreeSet;

use model::change::change_file::Case;
use model::change::record::Change;
use model::change::{read_content, write};
use model::core::enums::{GateDecision, Purpose, State};
use model::core::ids::{EnvironmentKey, PersonId, RecordId, ServiceKey};
use model::core::refusal::Refusal;
use model::directory::led_elsewhere::LedBy;
use model::directory::snapshot::{Connection, Mapping};
use model::gate::provenance::{CheckReply, OutsideCheck, find_change};
use model::integration::signal::{DecisionKind, DecisionRequest};
use serde_json::json;
use store::change::changes;
use store::integration::{call, inbox};
use store::queue::timer;
use store::record::{self, Filter};

use crate::case::commit_equivalence;
use crate::change::edit_change;
use crate::core::connections;
use crate::core::context::{Context, Saved};
use crate::core::error::{Error, Result};
use crate::core::gate_question::Question;
use crate::core::secrets::{self, credential_name};
use crate::core::write::{Written, draft};
use crate::gate::said::TaskReply;
use crate::gate::{answer, run_tasks};
use crate::integration::merge_queue;

/// The kind of call that sends an answer.
pub const CALL: &str = "answer";

/// Takes a question: the same question again is known, and a push makes another one.
///
/// # Errors
/// The store's.
pub fn take(
    cx: &mut Context<'_, '_>,
    connection: &Connection,
    rows: &[&Mapping],
    environment: Option<EnvironmentKey>,
    ask: &DecisionRequest,
) -> Result<String> {
    let Some(api) = &connection.api else {
        return Ok("noted: a question, but this connection has no `api` to answer it".to_owned());
    };
    if ask.ask == DecisionKind::ProtectionRule && !is_callback(&ask.reply_to, &api.base, &ask.repository) {
        let text = "The callback's address is none of the configured host's for this repository.";
        let now = cx.now;
        inbox::turn_away(cx.tx, connection.id.as_str(), ("foreign_callback", text), now)?;
        return Ok(format!("refused: {text}"));
    }
    if ask.is_repeat
        && let Some(told) = resend_answer(cx, connection, ask)?
    {
        return Ok(told);
    }
    let natural_key = natural_key(ask);
    let filter = Filter::new()
        .equals("connection", connection.id.as_str())
        .equals("natural_key", natural_key.as_str());
    let found = record::find_one::<OutsideCheck>(cx.tx, &filter)?.map(|stored| stored.record);
    let named = find_change(&connection.links, &ask.texts);
    let (named, found_by) = named.map_or((None, None), |(key, rule)| (Some(key), Some(rule)));
    let mut check = found.unwrap_or_else(|| new_check(connection, rows, environment, ask));
    // The latest request counts: a title may be edited, and a request may be opened again.
    if check.version == 0 || !ask.is_repeat && ask.occurred_at >= check.at {
        check.at = ask.occurred_at;
        check.named = named;
        check.found_by = found_by;
        check.is_over = ask.is_over;
    }
    let is_new = check.version == 0;
    if is_new {
        check.id = RecordId(cx.new_id()?);
    }
    if ask.ask.is_merge() && !check.is_over && !ask.is_repeat {
        let who = match &ask.actor {
            Some(login) => connections::person_of(cx, &connection.kind, login)?,
            None => None,
        };
        if may_bind(connection, ask, who.is_some()) {
            bind(cx, &check, ask.before.as_deref(), who)?;
        }
        check.is_over = end_earlier_heads(cx, &check)?;
    }
    judge(cx, check, Cause::Asked)
}

/// Ends the questions about earlier heads of the same pull request; returns whether a later head was asked about already.
fn end_earlier_heads(cx: &mut Context<'_, '_>, check: &OutsideCheck) -> Result<bool> {
    let (earlier, later) = merge_queue::other_heads(cx, check)?;
    for head in earlier {
        let ended = OutsideCheck { is_over: true, ..head };
        judge(cx, ended, Cause::Moved)?;
    }
    Ok(!later.is_empty())
}

/// A new request.
fn new_check(
    connection: &Connection,
    rows: &[&Mapping],
    environment: Option<EnvironmentKey>,
    ask: &DecisionRequest,
) -> OutsideCheck {
    let mut services: Vec<ServiceKey> = rows.iter().map(|row| row.service.clone()).collect();
    services.dedup();
    OutsideCheck {
        id: RecordId(String::new()),
        version: 0,
        connection: connection.id.clone(),
        ask: ask.ask,
        natural_key: natural_key(ask),
        repository: ask.repository.clone(),
        service: services.first().cloned().unwrap_or_default(),
        others: services.get(1..).unwrap_or_default().to_vec(),
        base: ask.before.clone().filter(|_| merge_queue::is_group(ask)),
        environment,
        theirs: ask.environment.clone(),
        commit: ask.commit.clone(),
        number: ask.number.or_else(|| merge_queue::brought_by(ask)),
        reply_to: ask.reply_to.clone(),
        named: None,
        found_by: None,
        change: None,
        change_key: None,
        answer: CheckReply::Waiting,
        text: String::new(),
        stage: None,
        is_speculative: false,
        reasons: Vec::new(),
        is_over: false,
        at: ask.occurred_at,
    }
}

/// Sends the answer about a commit again; `None` when there was no request about it yet.
fn resend_answer(cx: &mut Context<'_, '_>, connection: &Connection, ask: &DecisionRequest) -> Result<Option<String>> {
    let filter = Filter::new()
        .equals("connection", connection.id.as_str())
        .equals("is_over", false)
        .order_by("id");
    let mut told = None;
    for stored in record::find::<OutsideCheck>(cx.tx, &filter)? {
        let check = stored.record;
        let is_same = check.commit == ask.commit && check.repository.eq_ignore_ascii_case(&ask.repository);
        if is_same && check.ask.is_merge() {
            told = Some(judge(cx, check, Cause::AskedAgain)?);
        }
    }
    Ok(told)
}

/// A callback is called only at the configured host, and only under the repository that the signed body names.
fn is_callback(reply_to: &str, base: &str, repository: &str) -> bool {
    let wanted = format!("{}/repos/{repository}/actions/runs/", base.trim_end_matches('/'));
    let rest = reply_to
        .get(..wanted.len())
        .filter(|beginning| beginning.eq_ignore_ascii_case(&wanted))
        .map(|_| &reply_to[wanted.len()..]);
    rest.and_then(|rest| rest.strip_suffix("/deployment_protection_rule"))
        .is_some_and(|run| !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_digit()))
}

fn natural_key(ask: &DecisionRequest) -> String {
    match ask.ask {
        DecisionKind::ProtectionRule => ask.reply_to.to_lowercase(),
        DecisionKind::Merge => format!(
            "{}@{}#{}",
            ask.repository.to_lowercase(),
            ask.commit,
            ask.number.unwrap_or(0)
        ),
        DecisionKind::StatusCheck | DecisionKind::DeploymentApproval | DecisionKind::RunTask => {
            format!("{}@{}", ask.reply_to, ask.commit)
        }
    }
}

/// Whether an open request may write its head into the change that it names.
///
/// # Errors
/// The store's.
pub(crate) fn binds(cx: &mut Context<'_, '_>, connection: &Connection, ask: &DecisionRequest) -> Result<bool> {
    if connection.api.is_none() || !ask.ask.is_merge() || ask.is_over || ask.is_repeat {
        return Ok(false);
    }
    let who = match &ask.actor {
        Some(login) => connections::person_of(cx, &connection.kind, login)?,
        None => None,
    };
    Ok(may_bind(connection, ask, who.is_some()))
}

/// Whether a request may write its head into a change: one from a repository of the map by a person here, or one that the
/// connection names. Anybody can name a change in the text of a request from a fork.
fn may_bind(connection: &Connection, ask: &DecisionRequest, is_person: bool) -> bool {
    let is_trusted = |name: &str| connection.trusted.iter().any(|it| it.eq_ignore_ascii_case(name));
    let is_mapped = |name: &str| connection.map.iter().any(|row| row.is_of(name));
    let is_of_ours = ask
        .fork
        .as_deref()
        .is_none_or(|fork| is_mapped(fork) || is_trusted(fork));
    is_of_ours && (is_person || ask.actor.as_deref().is_some_and(is_trusted))
}

/// Writes the head of a pull request into the change that it names: before any decision, or in place of the same request's
/// earlier head. Approvals of the old head are void then, as with any edit, and the pusher counts as an author of the change.
fn bind(cx: &mut Context<'_, '_>, check: &OutsideCheck, before: Option<&str>, who: Option<PersonId>) -> Result<()> {
    let Some(key) = &check.named else { return Ok(()) };
    let change = match cx.change(key) {
        Ok(change) => change,
        Err(Error::Refused(_)) => return Ok(()),
        Err(error) => return Err(error),
    };
    let is_early = matches!(change.state, State::Draft | State::Assessing);
    let follows = match before {
        Some(before) => merge_queue::was_head(cx, check, before)?,
        None => false,
    };
    let takes = |target: &model::change::record::Target| {
        let is_bare = target.commit.is_none() && target.artifact.is_none();
        check.is_about(&target.service) && (is_bare && is_early || follows && target.commit.as_deref() == before)
    };
    if !change.content.targets.iter().any(takes) || change.state > State::Scheduled {
        return Ok(());
    }
    let directory = cx.directory()?;
    let present = read_content::patch_base(&change, &directory);
    let Some(serde_json::Value::Array(mut targets)) = present.get("targets").cloned() else {
        return Ok(());
    };
    for (target, shown) in change.content.targets.iter().zip(&mut targets) {
        if takes(target) {
            shown["commit"] = json!(check.commit);
        }
    }
    let body = json!({"targets": targets});
    let body = body.as_object().cloned().unwrap_or_default();
    match edit_change::edit_change(cx, key, &body) {
        // The request still gets an answer: its text states that the change does not name this commit.
        Err(Error::Refused(_)) => return Ok(()),
        other => other?,
    }
    // The person who pushed other content counts as its author, as after an edit here.
    match who {
        Some(person) => cx.on_change(key, |case| {
            write::add_author(case, &person);
            Ok(())
        }),
        None => Ok(()),
    }
}

/// Answers every open request that a saved change decides, or may decide.
///
/// # Errors
/// The store's.
pub(crate) fn answer_moved(cx: &mut Context<'_, '_>, saved: &Saved) -> Result<()> {
    let file = &saved.after;
    let mut services: Vec<&str> = file
        .change
        .content
        .targets
        .iter()
        .map(|it| it.service.as_str())
        .collect();
    services.sort_unstable();
    services.dedup();
    answer_open(cx, &services, |check| {
        check.change.as_ref().is_none_or(|id| *id == file.change.id)
            || check.named.as_deref() == Some(file.change.key.as_str())
    })
}

/// Answers requests about a service again after the service moved to another leading system, or a change in that system moved.
///
/// # Errors
/// The store's.
pub(crate) fn answer_service(cx: &mut Context<'_, '_>, service: &str) -> Result<()> {
    answer_open(cx, &[service], |_| true)
}

fn answer_open(cx: &mut Context<'_, '_>, services: &[&str], concerns: impl Fn(&OutsideCheck) -> bool) -> Result<()> {
    // A question is kept under the first service of its repository.
    let kept_under = with_siblings(cx, services)?;
    for service in kept_under {
        let filter = Filter::new()
            .equals("service", service.as_str())
            .equals("is_over", false)
            .order_by("id");
        for stored in record::find::<OutsideCheck>(cx.tx, &filter)? {
            if concerns(&stored.record) {
                judge(cx, stored.record, Cause::Moved)?;
            }
        }
    }
    Ok(())
}

/// These services, and those built from the same repositories.
fn with_siblings(cx: &mut Context<'_, '_>, services: &[&str]) -> Result<BTreeSet<ServiceKey>> {
    let mut all: BTreeSet<ServiceKey> = services.iter().map(|it| ServiceKey::from(*it)).collect();
    let connections = record::bodies::<Connection>(cx.tx, &Filter::new().order_by("id"))?;
    for connection in connections.iter().filter(|it| it.active) {
        let ours = connection
            .map
            .iter()
            .filter(|row| services.contains(&row.service.as_str()));
        for row in ours {
            let same = connection.map.iter().filter(|it| it.is_of(&row.repository));
            all.extend(same.map(|it| it.service.clone()));
        }
    }
    Ok(all)
}

/// Answers the open requests of a repository again: the origin of its commits is better known.
///
/// # Errors
/// The store's.
pub fn rejudge_of(cx: &mut Context<'_, '_>, repository: &str) -> Result<()> {
    let filter = Filter::new().equals("is_over", false).order_by("id");
    for stored in record::find::<OutsideCheck>(cx.tx, &filter)? {
        if stored.record.repository.eq_ignore_ascii_case(repository) {
            judge(cx, stored.record, Cause::Moved)?;
        }
    }
    Ok(())
}

/// Judges a request by its id; its timer calls this.
///
/// # Errors
/// The store's.
pub fn judge_again(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    if let Some(stored) = record::load::<OutsideCheck>(cx.tx, id)? {
        let cause = match stored.record.ask {
            // The waiting run gets the notice that it still waits.
            DecisionKind::RunTask => Cause::AskedAgain,
            _ => Cause::Moved,
        };
        judge(cx, stored.record, cause)?;
    }
    Ok(())
}

/// Judges a question for the first time.
///
/// # Errors
/// The store's.
pub(crate) fn judge_first(cx: &mut Context<'_, '_>, check: OutsideCheck) -> Result<String> {
    judge(cx, check, Cause::Asked)
}

/// Why a question is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// It was asked.
    Asked,
    /// A request to send the answer again.
    AskedAgain,
    /// Something moved on which the answer may rest.
    Moved,
}

/// A request with its stored answer: judging another request may have changed that answer since this one was read.
fn with_kept(check: OutsideCheck, kept: Option<&OutsideCheck>) -> OutsideCheck {
    match kept.filter(|it| it.version > check.version) {
        None => check,
        Some(kept) => OutsideCheck {
            at: check.at,
            named: check.named,
            found_by: check.found_by,
            is_over: check.is_over || kept.is_over,
            ..kept.clone()
        },
    }
}

fn judge(cx: &mut Context<'_, '_>, check: OutsideCheck, cause: Cause) -> Result<String> {
    let kept = record::load::<OutsideCheck>(cx.tx, check.id.as_str())?.map(|stored| stored.record);
    let check = with_kept(check, kept.as_ref());
    let said = match check.ask {
        // A result is sent once and never changes.
        DecisionKind::RunTask if check.is_over => return Ok(format!("run_task {}: told", check.answer.as_str())),
        DecisionKind::RunTask => run_tasks::present_reply(cx, &check, may_deploy)?,
        DecisionKind::Merge | DecisionKind::StatusCheck => may_be_merged(cx, &check)?,
        DecisionKind::ProtectionRule | DecisionKind::DeploymentApproval => may_deploy(cx, &check)?,
    };
    let mut next = check.clone();
    next.answer = said.answer;
    next.text = said.text;
    // The other kinds get one text.
    if next.ask == DecisionKind::RunTask {
        next.reasons = said.reasons;
    }
    next.is_over = check.is_over || said.is_over;
    next.change = said.change.as_ref().map(|it| it.id.clone());
    next.change_key = said.change.map(|it| it.key);
    let told = format!("{} {}: {}", next.ask.as_str(), next.answer.as_str(), next.text);
    set_timer(cx, &next, said.next)?;
    // A request that is over by now, or names another change, is stored even with the same answer.
    let is_same = |kept: &OutsideCheck| {
        OutsideCheck {
            at: next.at,
            ..kept.clone()
        } == next
    };
    if kept.as_ref().is_some_and(is_same) {
        if cause == Cause::AskedAgain {
            queue_answer(cx, &next)?;
        }
        return Ok(told);
    }
    let is_other = next.answer != check.answer || next.text != check.text || next.reasons != check.reasons;
    let is_opened_again = kept.as_ref().is_some_and(|it| it.is_over) && !next.is_over;
    let is_news = check.version == 0 || cause == Cause::AskedAgain || is_other || is_opened_again;
    let mut written = Written::default();
    let saved = cx.put(&mut written, next)?;
    let now = cx.now;
    let data = json!({"change": saved.change_key, "ask": saved.ask.as_str(), "answer": saved.answer.as_str(), "service": saved.service});
    let event = draft(
        "outside_check.answered",
        ("outside_check", saved.id.0.clone()),
        now,
        data,
    );
    cx.emit(vec![event], written)?;
    if is_news && (!saved.is_over || !saved.ask.is_merge()) {
        queue_answer(cx, &saved)?;
    }
    if kept.is_none_or(|it| saved.answer != it.answer || saved.is_over != it.is_over) {
        answer_those_behind(cx, &saved)?;
    }
    Ok(told)
}

/// Judges a merge. No change names the commit of a merge queue's group, so a group is judged by the pull request that it adds and by
/// the groups on which it is based.
fn may_be_merged(cx: &mut Context<'_, '_>, check: &OutsideCheck) -> Result<TaskReply> {
    let mut said = may_merge(cx, check)?;
    if said.answer == CheckReply::Waiting
        && let Some(request) = merge_queue::brought(cx, check)?
    {
        said = may_merge(cx, &request)?;
        said.text = format!("Pull request {}: {}", request.number.unwrap_or(0), said.text);
    }
    with_those_before(cx, check, said)
}

/// A group of a merge queue includes the groups before it, so it waits for their results.
fn with_those_before(cx: &mut Context<'_, '_>, check: &OutsideCheck, mut said: TaskReply) -> Result<TaskReply> {
    let (Some(base), Some(held)) = (check.base.as_deref(), merge_queue::held_before(cx, check)?) else {
        return Ok(said);
    };
    let short: String = base.chars().take(12).collect();
    if said.answer == CheckReply::Approved {
        said.answer = held.answer;
    }
    said.text = format!(
        "{} It stands on {short} of the same queue, of which is said: {}",
        said.text, held.text
    );
    Ok(said)
}

/// Judges the groups that depend on this one again: those based on it, or those that add this pull request.
fn answer_those_behind(cx: &mut Context<'_, '_>, check: &OutsideCheck) -> Result<()> {
    if check.ask != DecisionKind::Merge {
        return Ok(());
    }
    let rests_on = |it: &OutsideCheck| match &check.base {
        Some(_) => it.base.as_deref() == Some(check.commit.as_str()),
        None => check.number.is_some() && it.number == check.number,
    };
    for behind in merge_queue::groups(cx, check, |it| it.id != check.id && rests_on(it))? {
        judge(cx, behind, Cause::Moved)?;
    }
    Ok(())
}

/// Queues the call with the answer.
fn queue_answer(cx: &mut Context<'_, '_>, check: &OutsideCheck) -> Result<()> {
    let (id, now) = (cx.new_id()?, cx.now);
    call::insert(cx.tx, &id, (CALL, check.id.as_str()), now)?;
    Ok(())
}

fn set_timer(cx: &mut Context<'_, '_>, check: &OutsideCheck, at: Option<jiff::Timestamp>) -> Result<()> {
    let Some(run_at) = at.filter(|_| !check.is_over) else {
        timer::cancel(cx.tx, "outside_check", check.id.as_str(), "due")?;
        return Ok(());
    };
    let id = cx.new_id()?;
    let new = timer::NewTimer {
        id: &id,
        subject_table: "outside_check",
        subject_id: check.id.as_str(),
        kind: "due",
        run_at,
    };
    timer::set(cx.tx, &new)?;
    Ok(())
}

fn of_key(cx: &mut Context<'_, '_>, key: Option<&str>) -> Result<Option<Change>> {
    let Some(key) = key else { return Ok(None) };
    match cx.change(key) {
        Ok(change) => Ok(Some(change)),
        Err(Error::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The gate's decision about a requested deployment.
fn may_deploy(cx: &mut Context<'_, '_>, check: &OutsideCheck) -> Result<TaskReply> {
    let question = Question {
        service: check.service.0.clone(),
        environment: check.environment.as_ref().map(|it| it.0.clone()).unwrap_or_default(),
        artifact: None,
        commit: Some(check.commit.clone()),
        change: check.named.clone(),
        purpose: Some(Purpose::Deploy),
        member: None,
    };
    let answer = answer::ask(cx, &question)?;
    // A permission by another system is no decision about a change here, which is only a shadow.
    let key = match &answer.led_by {
        Some(_) => None,
        None => (answer.change.clone())
            .or_else(|| check.change_key.clone())
            .or_else(|| check.named.clone()),
    };
    let change = of_key(cx, key.as_deref())?;
    let is_go = answer.decision == GateDecision::Go;
    let is_dead = change.as_ref().is_some_and(|it| {
        matches!(
            it.state,
            State::Rejected | State::Cancelled | State::Closed | State::Reviewing
        )
    });
    let was_approved = check.answer == CheckReply::Approved;
    let reasons: Vec<String> = answer.reasons.iter().take(3).map(|it| it.text.clone()).collect();
    let word = match (is_go, is_dead || was_approved) {
        (true, _) => CheckReply::Approved,
        (false, true) => CheckReply::Rejected,
        (false, false) => CheckReply::Waiting,
    };
    let text = match (&change, is_go) {
        (Some(change), true) => format!("{} is approved, and its window is open.", change.key),
        (None, true) => led_text(answer.led_by.as_ref()),
        _ if reasons.is_empty() => "The gate says stop.".to_owned(),
        _ => reasons.join(" "),
    };
    Ok(TaskReply {
        answer: word,
        text,
        reasons: answer.reasons,
        next: answer.next_transition_at,
        // An ended request stays answered: the run went through, or was stopped for good.
        is_over: is_dead,
        change,
    })
}

/// The text for a permission without a change here: the system that leads the service let one of its own changes go.
fn led_text(led: Option<&LedBy>) -> String {
    match led.and_then(|led| Some((led.change.as_deref()?, led.kind.label()))) {
        Some((key, system)) => format!("{system} leads this service: {key} there is let go, and its window is open."),
        None => "The gate says go.".to_owned(),
    }
}

fn may_merge(cx: &mut Context<'_, '_>, check: &OutsideCheck) -> Result<TaskReply> {
    let say = |answer: CheckReply, text: String, change: Option<Change>| TaskReply {
        answer,
        text,
        reasons: Vec::new(),
        change,
        next: None,
        is_over: false,
    };
    let change = match of_key(cx, check.named.as_deref())? {
        Some(change) => Some(change),
        None if check.named.is_some() => {
            let text = format!("There is no change {}.", check.named.as_deref().unwrap_or_default());
            return Ok(say(CheckReply::Waiting, text, None));
        }
        None => by_commit(cx, check)?,
    };
    let Some(change) = change else {
        let text = "No change is linked. Name one in a trailer `Change: CHG-…`, the branch, the title or the body.";
        return Ok(say(CheckReply::Waiting, text.to_owned(), None));
    };
    let change = as_judged(cx, change)?;
    let key = change.key.clone();
    if matches!(change.state, State::Rejected | State::Cancelled) {
        return Ok(say(
            CheckReply::Rejected,
            format!("{key} is {}.", change.state),
            Some(change),
        ));
    }
    let commits: Vec<String> = change
        .content
        .targets
        .iter()
        .filter(|it| check.is_about(&it.service))
        .filter_map(|it| it.commit.clone())
        .collect();
    let mut is_named = false;
    for commit in &commits {
        is_named = is_named || commit_equivalence::are_equal(cx, &check.commit, commit)?;
    }
    if !is_named {
        let text = format!(
            "{key} does not name this commit for {}; name it there and have it approved.",
            check.service_names()
        );
        return Ok(say(CheckReply::Waiting, text, Some(change)));
    }
    if change.is_on_hold() {
        return Ok(say(CheckReply::Waiting, format!("{key} is on hold."), Some(change)));
    }
    let is_approved = change.state >= State::Approved;
    let text = if is_approved {
        format!("{key} is approved with this content.")
    } else {
        format!("{key} is not approved yet: it is {}.", change.state)
    };
    let word = if is_approved {
        CheckReply::Approved
    } else {
        CheckReply::Waiting
    };
    Ok(say(word, text, Some(change)))
}

/// A change that an act on the directory left unsettled, in the earlier of its present and its coming state: an answer needs
/// both.
fn as_judged(cx: &mut Context<'_, '_>, change: Change) -> Result<Change> {
    if !change.state.is_open() || !cx.is_unsettled(change.id.as_str())? {
        return Ok(change);
    }
    let judged = |case: &mut Case<'_>| Ok::<_, Refusal>(case.change().clone());
    let judged = cx.as_system(|cx| cx.try_on_change(change.id.as_str(), judged))?;
    Ok(if judged.state < change.state { judged } else { change })
}

/// The one open change that names the commit, where the texts name none.
fn by_commit(cx: &mut Context<'_, '_>, check: &OutsideCheck) -> Result<Option<Change>> {
    let mut commits = vec![check.commit.clone()];
    commits.extend(commit_equivalence::commits_behind(cx, None, Some(&check.commit))?);
    let mut found: Vec<Change> = Vec::new();
    let places: Vec<String> = cx.directory()?.environments.keys().map(|it| it.0.clone()).collect();
    for commit in &commits {
        for place in &places {
            for service in check.services() {
                for row in changes::targets_for(cx.tx, service.as_str(), place, None, Some(commit))? {
                    let change = cx.change(&row.change_id)?;
                    if !found.iter().any(|it| it.id == change.id) {
                        found.push(change);
                    }
                }
            }
        }
    }
    found.retain(|it| it.state.is_open());
    Ok(if found.len() == 1 { found.pop() } else { None })
}

/// The data for sending an answer.
#[derive(Debug, Clone)]
pub struct Errand {
    /// The request with its answer.
    pub check: OutsideCheck,
    /// The connection of the request.
    pub connection: Connection,
    /// The credential for its API.
    pub credential: String,
    /// Where people read more.
    pub page: String,
}

/// Loads the data for the call; `None` when nothing is left to send.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn errand(cx: &mut Context<'_, '_>, id: &str) -> Result<Option<Errand>> {
    let Some(stored) = record::load::<OutsideCheck>(cx.tx, id)? else {
        return Ok(None);
    };
    let check = stored.record;
    let connection = connections::connection(cx, check.connection.as_str())?;
    if !connection.active || connection.api.is_none() {
        return Ok(None);
    }
    let bytes = match check.ask {
        // The token is removed once the result was sent, and nothing more is sent.
        DecisionKind::RunTask => match secrets::open(cx, &run_tasks::token_name(check.id.as_str()))? {
            Some(token) => token,
            None => return Ok(None),
        },
        _ => secrets::open(cx, &credential_name(connection.id.as_str()))?.unwrap_or_default(),
    };
    let place = check
        .change_key
        .as_ref()
        .map_or_else(String::new, |key| format!("/changes/{key}"));
    let page = format!("{}/t/{}{place}", cx.services.tools().public_url, cx.tenant());
    Ok(Some(Errand {
        check,
        connection,
        credential: String::from_utf8_lossy(&bytes).into_owned(),
        page,
    }))
}

#[cfg(test)]
mod tests {
    use model::core::enums::ForeignKind;
    use model::directory::led_elsewhere::LedBy;

    use super::{is_callback, led_text};

    #[test]
    fn a_go_of_a_system_that_leads_names_its_change_and_none_of_ours() {
        let led = LedBy {
            system: "s".into(),
            kind: ForeignKind::Servicenow,
            change: Some("CHG0030001".to_owned()),
        };
        let text = led_text(Some(&led));
        assert!(
            text.contains("ServiceNow") && text.contains("CHG0030001 there is let go"),
            "{text}"
        );
        assert_eq!(led_text(None), "The gate says go.");
    }

    #[test]
    fn a_callback_goes_to_the_configured_host_and_repository_alone() {
        let base = "https://api.github.com";
        let good = "https://api.github.com/repos/Acme/Shop/actions/runs/17/deployment_protection_rule";
        assert!(is_callback(good, base, "acme/shop"));
        for bad in [
            "https://api.github.com.evil.example/repos/acme/shop/actions/runs/17/deployment_protection_rule",
            "https://evil.example/repos/acme/shop/actions/runs/17/deployment_protection_rule",
            "https://api.github.com@evil.example/repos/acme/shop/actions/runs/17/deployment_protection_rule",
            "https://api.github.com/repos/acme/other/actions/runs/17/deployment_protection_rule",
            "https://api.github.com/repos/acme/shop/actions/runs/../../x/deployment_protection_rule",
            "https://api.github.com/repos/acme/shop/actions/runs/17/deployment_protection_rule?x=1",
            "https://api.github.com/repos/acme/shop/actions/runs/17",
            "http://api.github.com/repos/acme/shop/actions/runs/17/deployment_protection_rule",
        ] {
            assert!(!is_callback(bad, base, "acme/shop"), "{bad}");
        }
    }
}
