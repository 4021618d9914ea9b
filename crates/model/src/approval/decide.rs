//! Deciding: acknowledge, approve, withdraw, return, overrule.

use jiff::Timestamp;
use serde_json::json;

use crate::approval::authority::{self, OpenRule, able, approval_rules, approvers_name, rules_open_for, targets_of};
use crate::approval::clocks::{escalated_past, note_late_decision};
use crate::approval::obligation::{ApprovalRule, Asked};
use crate::approval::separation_of_duties::{has_conflict, is_barred, is_of_interest};
use crate::cab::board::check_meeting;
use crate::change::change_file::{Actor, Case};
use crate::change::conditions;
use crate::change::lowered::{Lowering, SeenFact};
use crate::change::next_step::{check_hold, check_state};
use crate::change::read_content;
use crate::change::record::Rejection;
use crate::change::related_records::{Approval, Condition, CountedFor, Coverage};
use crate::change::settle::{lapse_conditions, move_to, recompute, revoke_permits, settle, void_all};
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::enums::{ApprovalState, ConditionDue, Decision, RatedFact, Role, State};
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::{LINE, Reading, TEXT};
use crate::core::refusal::Refusal;
use crate::core::statement::Stated;
use crate::identity::factor::Wanted;
use crate::policy::permission::allowed;
use crate::risk::effective::effective;

/// Records that an approver has seen the request: stops the approver's acknowledge clock.
///
/// # Errors
/// 403 `not_asked`, 409 in the wrong state.
pub fn acknowledge(case: &mut Case<'_>) -> Result<(), Refusal> {
    check_is_approver(case)?;
    case.allow(Act::Acknowledge)?;
    check_state(case, Act::Acknowledge)?;
    let (now, person) = (case.now, case.person());
    for request in case
        .file
        .change
        .requests
        .iter_mut()
        .filter(|request| request.person == person)
    {
        request.acknowledged_at.get_or_insert(now);
    }
    case.emit("approval.acknowledged", json!({"person": person}));
    settle(case);
    Ok(())
}

/// The rules that need a decision of the acting person, as far as the credential covers it.
fn open_rules_here(case: &Case<'_>) -> Vec<authority::OpenRule> {
    let mut asked = rules_open_for(&case.file, &case.directory, &case.actor.person, case.now);
    for asking in &mut asked {
        let from = asking.rule.from.clone();
        asking
            .counted
            .retain(|row| case.actor.speaks_as(&from.for_basis(&row.basis)));
    }
    asked.retain(|asking| !asking.counted.is_empty());
    asked
}

fn check_is_approver(case: &Case<'_>) -> Result<(), Refusal> {
    let person = case.person();
    if !open_rules_here(case).is_empty() {
        return Ok(());
    }
    // A person whom a rule bars gets no request; the refusal of their attempt names that rule.
    if case.file.requirements.refused.contains(&person) {
        case.allow(Act::Approve)?;
    }
    Err(Refusal::not_allowed("not_asked", not_approver_text(case, &person)).with_others(pending_logins(case)))
}

/// Logins of the approvers who have not decided yet.
fn pending_logins(case: &Case<'_>) -> Vec<String> {
    let has_decided = |person: &PersonId| case.file.standing().any(|approval| &approval.person == person);
    let mut found: Vec<String> = Vec::new();
    for request in &case.change().requests {
        let login = case.directory.login(&request.person);
        if !has_decided(&request.person) && !found.contains(&login) {
            found.push(login);
        }
    }
    found
}

fn not_approver_text(case: &Case<'_>, person: &PersonId) -> String {
    let name = case.name(person);
    if case.change().authors.contains(person) {
        return format!(
            "{name} wrote this change or edited its covered content, so their decision on it does not count."
        );
    }
    let is_of_times = |rule: &ApprovalRule| rule.covers.when() && !rule.covers.what();
    if case.change().planned_by.contains(person) && approval_rules(&case.file).any(|(_, rule)| is_of_times(rule)) {
        return format!(
            "{name} set the planned times, so their decision on them does not count until somebody else sets them."
        );
    }
    if has_conflict(&case.file, person) {
        return format!(
            "{name} declared a conflict of interest about this change, so their decision on it does not count."
        );
    }
    if !rules_open_for(&case.file, &case.directory, person, case.now).is_empty() {
        return format!("This token lacks the role as which {name} is asked. Use a token with that role, or sign in.");
    }
    if let Some(stage) = later_stage(case, person) {
        return format!("{name} is an approver in stage {stage}, once the rules of the earlier stages are met.");
    }
    format!("No rule makes {name} an approver of this change.")
}

/// The later stage in which a person will be an approver.
fn later_stage(case: &Case<'_>, person: &PersonId) -> Option<u32> {
    let (file, directory) = (&case.file, &case.directory);
    approval_rules(file)
        .filter(|(row, rule)| {
            let key = (row.obligation.id.as_str(), *rule);
            targets_of(file, row).any(|target| {
                let able = able(file, directory, key, target, case.now);
                able.iter().any(|holder| &holder.person == person)
            })
        })
        .map(|(_, rule)| rule.stage)
        .min()
}

struct DecisionInput {
    meeting: Option<RecordId>,
    decision: Decision,
    comment: Option<String>,
    digest: String,
    conditions: Vec<(String, ConditionDue, Option<PersonId>)>,
    lowering: Option<Lowering>,
}

/// Reads which values below the derived ones the approver accepts, and why: `{fields, reason}`.
fn read_lowering(reading: &mut Reading<'_>, case: &Case<'_>) -> Option<Lowering> {
    let lowered = effective(&case.file, &case.directory, case.now).risk.lowered;
    let (fields, reason) = reading.object("lowering", |inner| {
        let fields: Vec<RatedFact> = inner.words("fields").unwrap_or_default();
        if fields.is_empty() {
            inner.wrong("fields", "missing", "List the fields whose lower values you accept.");
        }
        (fields, inner.needed("reason", TEXT))
    })?;
    let mut facts = Vec::new();
    for fact in fields {
        match lowered.iter().find(|it| it.fact == fact) {
            Some(found) => facts.push(SeenFact {
                fact,
                derived: found.derived.clone(),
            }),
            None => {
                let text = format!(
                    "The change does not state `{fact}` below the value derived from its services and \
                    config items."
                );
                reading.wrong("lowering.fields", "not_lowered", text);
            }
        }
    }
    Some(Lowering {
        facts,
        reason: Some(reason),
    })
}

/// The part that an approval accepts: the values that it names, and for a change manager the level that the assessment stated
/// with its reason.
fn accepted(case: &Case<'_>, word: &DecisionInput, covers_what: bool) -> Option<Lowering> {
    if !covers_what || !matches!(word.decision, Decision::Approve | Decision::ApproveWithConditions) {
        return None;
    }
    let mut lowering = word.lowering.clone().unwrap_or(Lowering {
        facts: Vec::new(),
        reason: None,
    });
    let is_manager = case.directory.has_role(&case.actor.person, Role::ChangeManager);
    let lowered = effective(&case.file, &case.directory, case.now).risk.lowered;
    let level = lowered.into_iter().find(|it| it.fact == RatedFact::RiskOverride);
    let is_named = lowering.facts.iter().any(|seen| seen.fact == RatedFact::RiskOverride);
    if let Some(level) = level.filter(|_| is_manager && !is_named) {
        lowering.facts.push(SeenFact {
            fact: level.fact,
            derived: level.derived,
        });
    }
    (!lowering.facts.is_empty()).then_some(lowering)
}

fn read_decision(case: &Case<'_>, body: &Body) -> Result<DecisionInput, Refusal> {
    let mut reading = Reading::new(body, "");
    let directory = case.directory.clone();
    let decision = reading.needed_word("decision", Decision::Abstain);
    let comment = reading.text("comment", TEXT);
    let digest = reading.needed("content_digest", LINE);
    let meeting = reading.text("meeting", LINE).map(RecordId);
    let conditions = reading
        .objects("conditions", |inner| {
            let text = inner.needed("text", TEXT);
            let due = inner.needed_word("due", ConditionDue::Start);
            let checker = read_content::person(inner, "checker", &directory);
            if let Some(checker) = &checker {
                read_content::refuse_departed(inner, "checker", checker, &directory);
                if conditions::is_own(&case.file, checker) {
                    let text = "The requester and the authors of a change cannot check its conditions.";
                    inner.wrong("checker", "not_allowed", text);
                }
            }
            (text, due, checker)
        })
        .unwrap_or_default();
    if decision == Decision::ApproveWithConditions && conditions.is_empty() {
        reading.wrong(
            "conditions",
            "missing",
            "An approval with conditions needs at least one condition.",
        );
    }
    if decision != Decision::ApproveWithConditions && !conditions.is_empty() {
        reading.wrong(
            "conditions",
            "not_allowed",
            "Only an approval with conditions can have conditions.",
        );
    }
    let lowering = read_lowering(&mut reading, case);
    let is_yes = matches!(decision, Decision::Approve | Decision::ApproveWithConditions);
    if lowering.is_some() && !is_yes {
        reading.wrong("lowering", "not_allowed", "Only an approval can accept lower values.");
    }
    let is_of_what = open_rules_here(case).iter().any(|asking| asking.rule.covers.what());
    if lowering.is_some() && !is_of_what {
        let text = "Only approvers of *what* is done can accept lower values.";
        reading.wrong("lowering", "not_allowed", text);
    }
    let speechless = matches!(decision, Decision::Reject | Decision::Return) && comment.is_none();
    if speechless {
        reading.wrong("comment", "missing", "Give a reason in `comment`.");
    }
    reading.finish()?;
    Ok(DecisionInput {
        meeting,
        decision,
        comment,
        digest,
        conditions,
        lowering,
    })
}

/// Decides. One decision counts for every rule that needs this person.
///
/// # Errors
/// 403 `not_asked` or `step_up_required`; 422; 409 when the digest is no longer current, on hold or in the wrong state.
pub fn approve(case: &mut Case<'_>, body: &Body) -> Result<RecordId, Refusal> {
    check_is_approver(case)?;
    case.allow(Act::Approve)?;
    // A question back binds nobody, so it needs no fresh factor.
    if body.get("decision").and_then(serde_json::Value::as_str) != Some(Decision::Return.as_str()) {
        check_step_up(case)?;
    }
    let word = read_decision(case, body)?;
    check_state(case, Act::Approve)?;
    check_hold(case)?;
    check_digest(case, &word.digest)?;
    if word.decision == Decision::Return {
        return Ok(give_back(case, &word));
    }
    if matches!(word.decision, Decision::Approve | Decision::ApproveWithConditions) {
        check_is_distinct(case)?;
    }
    check_board_vote(case, &word)?;
    let approval = take_decision(case, &word);
    let id = approval.id.clone();
    if let Some(since) = approval.escalated_at {
        note_late_decision(case, since);
    }
    replace_earlier(case, &approval.person);
    let mut facts = json!({
        "approval": id, "decision": word.decision, "policy_digest": approval.policy_digest,
        "facts_digest": approval.facts_digest, "content_digest": approval.content_digest,
    });
    if let Some(lowering) = &approval.lowering {
        let fields: Vec<&str> = lowering.facts.iter().map(|seen| seen.fact.as_str()).collect();
        facts["lowering"] = json!(fields);
    }
    case.file.approvals.push(approval);
    add_conditions(case, &id, word.conditions);
    case.emit("approval.given", facts);
    acknowledge_by_deciding(case);
    if word.decision == Decision::Reject {
        reject(case, word.comment.unwrap_or_default());
    }
    recompute(case);
    settle(case);
    Ok(id)
}

/// Checks that a board's approval is given at its meeting: only there the board's rules count it, and a person who is an
/// approver only through a board cannot approve elsewhere.
fn check_board_vote(case: &mut Case<'_>, word: &DecisionInput) -> Result<(), Refusal> {
    if let Some(id) = &word.meeting {
        let meeting = check_meeting(case, id)?;
        if !case.file.meetings.iter().any(|known| known.id == meeting.id) {
            case.file.meetings.push(meeting);
        }
        return Ok(());
    }
    let asked = rules_open_for(&case.file, &case.directory, &case.actor.person, case.now);
    if asked.iter().any(|asking| asking.rule.quorum.is_none()) {
        return Ok(());
    }
    let groups: Vec<String> = asked.iter().map(|asking| approvers_name(&asking.rule.from)).collect();
    let text = format!(
        "{} decides at a meeting: enter its id in `meeting`.",
        groups.join(" and ")
    );
    Err(Refusal::field("meeting", "missing", text))
}

/// A decision to return: the history keeps it beside the decisions that it voids, and it covers nothing itself.
fn give_back(case: &mut Case<'_>, word: &DecisionInput) -> RecordId {
    let mut approval = take_decision(case, word);
    let id = approval.id.clone();
    replace_earlier(case, &approval.person);
    for part in [&mut approval.what, &mut approval.when] {
        if *part == Coverage::Standing {
            *part = Coverage::Voided;
        }
    }
    approval.state = ApprovalState::Voided;
    approval.ended = Some("the decision returned the change with a question".to_owned());
    case.emit(
        "approval.given",
        json!({
            "approval": id, "decision": word.decision, "policy_digest": approval.policy_digest,
            "facts_digest": approval.facts_digest, "content_digest": approval.content_digest,
        }),
    );
    case.file.approvals.push(approval);
    acknowledge_by_deciding(case);
    send_back(case, word.comment.clone().unwrap_or_default());
    id
}

fn acknowledge_by_deciding(case: &mut Case<'_>) {
    let (now, person) = (case.now, case.person());
    for request in case
        .file
        .change
        .requests
        .iter_mut()
        .filter(|request| request.person == person)
    {
        request.acknowledged_at.get_or_insert(now);
    }
}

/// The digest must be the present one: a decision on another text than the one shown is refused.
pub(crate) fn check_digest(case: &Case<'_>, named: &str) -> Result<(), Refusal> {
    let digests = &case.change().digests;
    if named == digests.content {
        return Ok(());
    }
    let text = format!(
        "The change was edited since you read it. You sent the digest {named}; the present digest is {} (what {}, \
         when {}).",
        digests.content, digests.what, digests.when
    );
    Err(Refusal::NotCurrent {
        text,
        changes: Vec::new(),
    })
}

fn check_step_up(case: &Case<'_>) -> Result<(), Refusal> {
    let wanted = open_rules_here(case)
        .iter()
        .map(|asking| asking.rule.wanted_factor())
        .max();
    check_factor(&case.actor, wanted.unwrap_or(Wanted::Nothing), case.now)
}

/// Checks that the actor's authentication is strong and fresh enough for the requirement.
///
/// # Errors
/// 403 `step_up_required`.
pub fn check_factor(actor: &Actor, wanted: Wanted, now: Timestamp) -> Result<(), Refusal> {
    if actor.shows(wanted, now) {
        return Ok(());
    }
    Err(match wanted {
        Wanted::Second => second_factor_required(actor, now),
        Wanted::Any | Wanted::Nothing => step_up_required(),
    })
}

/// Under dual control one person counts once, and a decision also counts as one of the person who created its credential.
fn check_is_distinct(case: &Case<'_>) -> Result<(), Refusal> {
    let (me, speaker) = (&case.actor.person, case.actor.speaker());
    let dual = |asking: &&OpenRule| asking.rule.dual_control;
    for asking in open_rules_here(case).iter().filter(dual) {
        let counts = |row: &CountedFor| asking.counted.iter().any(|own| own.rule == row.rule);
        let spoken = case.file.standing().any(|approval| {
            let is_same = approval.speaker() == speaker && &approval.person != me;
            approval.is_yes() && is_same && approval.counted_for.iter().any(counts)
        });
        if spoken || (speaker != me && is_barred(&case.file, &asking.rule, speaker)) {
            return Err(same_person_refusal(case));
        }
    }
    Ok(())
}

/// The refusal of a second decision that counts as the same person's.
pub(crate) fn same_person_refusal(case: &Case<'_>) -> Refusal {
    let text = format!(
        "{} has already decided on this change. Under dual control, an account counts as the person who set its \
         password or provider within the last day, or created its token.",
        case.name(case.actor.speaker())
    );
    Refusal::not_allowed("one_hand", text)
}

/// The refusal for an act that needs a fresh factor.
pub fn step_up_required() -> Refusal {
    Refusal::not_allowed(
        "step_up_required",
        "This needs a fresh factor, shown within the last five minutes in a session: your second factor, or your password \
         again if you have none. A token alone is not enough.",
    )
}

/// The refusal for an act that needs a second factor by a rule; the text differs for a missing factor and for an own factor
/// that is too new.
fn second_factor_required(actor: &Actor, now: Timestamp) -> Refusal {
    let shown = actor.fresh_factor(now).map(|factor| factor.kind.as_str());
    let text = match shown {
        Some("totp" | "passkey" | "recovery_code") => {
            "This needs a second factor, and yours was set up with only your password less than a day ago. Decide \
             when that day is over, or let another person decide."
        }
        Some(kind) if kind.starts_with("provider:") => {
            "This needs a second factor, and your identity provider did not report one. Sign in there again with \
             more than a password, or set up an authenticator app or a passkey on your account page."
        }
        _ => {
            "This needs a second factor, shown within the last five minutes in a session: confirm with your authenticator app or \
             a passkey. A password or a token alone is not enough. If you have none yet, set one up on your account page."
        }
    };
    Refusal::not_allowed("step_up_required", text)
}

/// Whether an approval is given where a rule counts it: anywhere, or for a board's rule at a meeting of that board.
fn sits_in(case: &Case<'_>, asking: &OpenRule, word: &DecisionInput) -> bool {
    if asking.rule.quorum.is_none() {
        return true;
    }
    let at = word.meeting.as_ref().and_then(|id| case.directory.meeting(id));
    at.is_some_and(|meeting| asking.rule.from == Asked::Group(meeting.group.clone()))
}

fn take_decision(case: &mut Case<'_>, word: &DecisionInput) -> Approval {
    let person = case.person();
    let counted_for: Vec<CountedFor> = open_rules_here(case)
        .into_iter()
        .filter(|asking| sits_in(case, asking, word))
        .flat_map(|asking| asking.counted)
        .collect();
    let own: Vec<&str> = counted_for
        .iter()
        .filter(|row| !row.basis.escalated && row.basis.delegations.is_empty())
        .map(|row| row.rule.as_str())
        .collect();
    let escalated_at = escalated_past(case.change(), &own);
    let part = |covered: bool| {
        if covered {
            Coverage::Standing
        } else {
            Coverage::NotCovered
        }
    };
    let (id, change) = (case.new_id(), case.change_id());
    let lowering = accepted(case, word, counted_for.iter().any(|row| row.what));
    let digests = case.change().digests.clone();
    let evidence_seen = case
        .file
        .evidence
        .iter()
        .map(|evidence| evidence.file_digest.clone())
        .collect();
    Approval {
        id,
        version: 0,
        change,
        person,
        decision: word.decision,
        comment: word.comment.clone(),
        content_digest: digests.content,
        what_digest: digests.what,
        when_digest: digests.when,
        what: part(counted_for.iter().any(|row| row.what)),
        when: part(counted_for.iter().any(|row| row.when)),
        counted_for,
        state: ApprovalState::Standing,
        evidence_seen,
        policy_digest: case.file.requirements.policy_digest.clone(),
        facts_digest: case.file.requirements.facts_digest.clone(),
        person_facts: Some(case.actor_facts()),
        at: case.now,
        stepped_up: case.actor.is_stepped_up(case.now),
        factor: case.actor.fresh_factor(case.now).cloned(),
        method: Some(case.actor.method.clone()),
        handed_by: case.actor.hand().cloned(),
        ended: None,
        escalated_at,
        meeting: word.meeting.clone(),
        lowering,
    }
}

/// A second decision by the same person replaces the first, which stays in the history.
fn replace_earlier(case: &mut Case<'_>, person: &PersonId) {
    let mut replaced = Vec::new();
    for approval in &mut case.file.approvals {
        if &approval.person == person && approval.state == ApprovalState::Standing {
            approval.state = ApprovalState::Replaced;
            approval.ended = Some("replaced by a later decision of the same person".to_owned());
            replaced.push(approval.id.clone());
        }
    }
    for id in replaced {
        lapse_conditions(case, &id);
    }
}

fn add_conditions(case: &mut Case<'_>, approval: &RecordId, conditions: Vec<(String, ConditionDue, Option<PersonId>)>) {
    for (text, due, checker) in conditions {
        let (id, change) = (case.new_id(), case.change_id());
        let checker = checker.unwrap_or_else(|| case.person());
        case.emit(
            "condition.set",
            json!({"condition": id, "due": due, "checker": checker}),
        );
        let approval = approval.clone();
        case.file.conditions.push(Condition {
            id,
            version: 0,
            change,
            approval,
            text,
            due,
            checker,
            met: None,
            lapsed: false,
        });
    }
}

fn reject(case: &mut Case<'_>, reason: String) {
    let (by, at) = (case.person(), case.now);
    case.file.change.rejection = Some(Rejection {
        by: by.clone(),
        at,
        reason,
        overruled: None,
    });
    move_to(case, State::Rejected);
    revoke_permits(case, "the change was rejected", |_| true);
    let requester = case.change().requester.clone();
    let news = format!("{} rejected {}.", case.name(&by), case.change().key);
    case.write_to(
        &requester,
        "rejected",
        &at.to_string(),
        news,
        "Revise the change, which makes it a draft again, or cancel it.",
    );
}

/// Takes one's own decision back, until a permit is issued.
///
/// # Errors
/// 404 for another person's decision or an unknown one, 409 after a permit, in the wrong state or when the decision is no
/// longer in force.
pub fn withdraw(case: &mut Case<'_>, approval: &RecordId) -> Result<(), Refusal> {
    let person = case.person();
    let Some(found) = case.file.approvals.iter().find(|a| &a.id == approval) else {
        return Err(Refusal::not_found("such decision"));
    };
    if found.person != person {
        return Err(
            Refusal::not_allowed("not_yours", "Only the author of a decision can withdraw it.")
                .with_others(vec![case.directory.login(&found.person)]),
        );
    }
    let standing = found.state == ApprovalState::Standing;
    let used = case.file.permits.iter().any(|permit| permit.issued_at >= found.at);
    case.allow(Act::Withdraw)?;
    check_state(case, Act::Withdraw)?;
    if !standing {
        return Err(Refusal::not_now(
            "not_standing",
            "This decision is no longer valid.",
            "Decide again.",
            Vec::new(),
        ));
    }
    if used {
        let text = "A permit was issued on the basis of this decision, so the decision can no longer be withdrawn.";
        return Err(Refusal::not_now(
            "permit_issued",
            text,
            "Return the change, which voids its decisions and permits, or put it on hold, which revokes its permits.",
            Vec::new(),
        ));
    }
    for row in case.file.approvals.iter_mut().filter(|a| &a.id == approval) {
        row.state = ApprovalState::Withdrawn;
        row.ended = Some("withdrawn by its author".to_owned());
    }
    lapse_conditions(case, approval);
    case.emit("approval.withdrawn", json!({"approval": approval, "person": person}));
    recompute(case);
    settle(case);
    Ok(())
}

/// Sends the change back to draft with a question; all decisions are void.
///
/// # Errors
/// 403, 422, 409.
pub fn return_change(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    case.allow(Act::Return)?;
    let mut reading = Reading::new(body, "");
    let question = reading.needed("question", TEXT);
    reading.finish()?;
    check_state(case, Act::Return)?;
    send_back(case, question);
    Ok(())
}

fn send_back(case: &mut Case<'_>, question: String) {
    let (by, at) = (case.person(), case.now);
    let requester = case.change().requester.clone();
    case.file.change.returned = Some(Stated {
        by: by.clone(),
        at,
        reason: question,
    });
    case.emit("change.returned", json!({"by": by}));
    void_all(case, "the change was returned with a question");
    move_to(case, State::Draft);
    revoke_permits(case, "the change was returned", |_| true);
    let news = format!("{} returned {} with a question.", case.name(&by), case.change().key);
    case.write_to(
        &requester,
        "returned",
        &at.to_string(),
        news,
        "Answer the question in the change and submit the change again.",
    );
    settle(case);
}

/// Lets others with the same artifact go on in spite of this change's rejection.
///
/// # Errors
/// 403 for anyone but a change manager who is not the requester; 422; 409 when not rejected.
pub fn overrule(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    case.check_lent(Act::Overrule)?;
    allowed(
        (case.may)(&case.actor_facts(), Act::Overrule.as_str(), Some(&case.file)),
        Act::Overrule.as_str(),
    )?;
    let manager = case.directory.has_role(&case.actor.person, Role::ChangeManager);
    let same = case.file.hands.same(&case.actor.person);
    if !manager || same.into_iter().any(|person| is_of_interest(case.change(), person)) {
        let text = "Only a change manager who is not the requester, the owner or an author of the change can overrule its \
             rejection.";
        return Err(Refusal::not_allowed("not_allowed", text));
    }
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    check_state(case, Act::Overrule)?;
    let stated = Stated {
        by: case.person(),
        at: case.now,
        reason,
    };
    if let Some(rejection) = &mut case.file.change.rejection {
        rejection.overruled = Some(stated);
    }
    case.emit("change.rejection_overruled", json!({"by": case.person()}));
    Ok(())
}
