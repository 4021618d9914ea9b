//! Routing: turns the obligations of the active policies into requests to named people, each with the ground of their
//! authority. Routing runs again after every act, so that a person who lost the authority loses the request, and the timeline
//! records it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use crate::approval::authority::{able, approval_rules, approvers_name, open_rules, open_stage, targets_of};
use crate::approval::clocks::{self, What, agenda, escalate, unacknowledged, undecided};
use crate::approval::routing;
use crate::change::change_file::{self, Case};
use crate::change::record::Request;
use crate::core::enums::State;
use crate::core::ids::{PersonId, RecordId};

/// How many things one run does at most: a limit that only a mistake could reach.
const MOST_DONE: usize = 10_000;

/// Requests a decision from every approver of a rule, and withdraws the requests that no rule needs any more.
pub(crate) fn route(case: &mut Case<'_>) {
    let asks = matches!(
        case.change().state,
        State::Authorizing | State::Approved | State::Scheduled
    );
    clocks::keep(case, asks);
    sync_requests(case, asks);
    if asks && !case.change().is_on_hold() {
        notify_expired(case);
    }
    // A pause stops the clocks, and with them every hurry.
    if asks && !case.change().is_on_hold() && clocks::hurry(case) {
        sync_requests(case, asks);
    }
}

/// Compares the present requests with the required ones.
pub(crate) fn sync_requests(case: &mut Case<'_>, asks: bool) {
    let wanted = if asks { requests(case) } else { Vec::new() };
    let known = std::mem::take(&mut case.file.change.requests);
    let mut now_asked: Vec<Request> = Vec::new();
    let mut fresh: Vec<(PersonId, String)> = Vec::new();
    let mut moved: Vec<(PersonId, String)> = Vec::new();
    for mut request in wanted {
        let old = known
            .iter()
            .find(|old| old.rule == request.rule && old.person == request.person);
        match old {
            Some(old) => {
                if old.grounds != request.grounds && !old.grounds.is_empty() {
                    moved.push((request.person.clone(), request.rule.clone()));
                }
                request.asked_at = old.asked_at;
                request.acknowledge_by = old.acknowledge_by;
                request.acknowledged_at = old.acknowledged_at;
            }
            None => fresh.push((request.person.clone(), request.rule.clone())),
        }
        now_asked.push(request);
    }
    let gone: Vec<Request> = known
        .into_iter()
        .filter(|old| {
            asks && !now_asked
                .iter()
                .any(|new| new.rule == old.rule && new.person == old.person)
        })
        .collect();
    case.file.change.requests = now_asked;
    notify_withdrawn(case, gone);
    for (person, rule) in moved {
        case.emit("approval.rerouted", json!({"person": person, "rule": rule}));
    }
    notify_requested(case, fresh);
}

/// Notifies the people whose request was withdrawn, and records the reason in the timeline.
fn notify_withdrawn(case: &mut Case<'_>, gone: Vec<Request>) {
    let open = open_stage(&case.file, case.now);
    for request in gone {
        let stage = approval_rules(&case.file)
            .find(|(row, _)| row.obligation.id == request.rule)
            .map(|(_, rule)| rule.stage);
        let because = match stage {
            None => "rule_gone",
            Some(_) if !case.directory.is_active(&request.person) => "person_inactive",
            Some(stage) if stage > open => "earlier_stage_open",
            Some(_) => "authority_ended",
        };
        let (person, rule) = (request.person, request.rule);
        case.emit(
            "approval.request_ended",
            json!({"person": person, "rule": rule, "because": because}),
        );
        let news = format!("{} no longer needs your decision (rule `{rule}`).", case.change().key);
        let mark = format!("{rule}/{}", case.now);
        let next = "No action is needed; your decision remains valid.";
        case.write_to(&person, "no_longer_asked", &mark, news, next);
    }
}

fn notify_requested(case: &mut Case<'_>, fresh: Vec<(PersonId, String)>) {
    for (person, rule) in fresh {
        case.emit("approval.requested", json!({"person": person, "rule": rule}));
        let text = format!("{} needs your decision (rule `{rule}`).", case.change().key);
        let mark = format!("{}/{rule}/{}", case.change().digests.content, case.now);
        case.write_to(
            &person,
            "asked_to_approve",
            &mark,
            text,
            "Approve the change, set conditions, return it with a question, or reject it.",
        );
    }
}

/// Notifies approvers whose approval has expired while the rule is open, and requests a new one: the clock runs as for a first
/// approval.
fn notify_expired(case: &mut Case<'_>) {
    let open = open_rules(&case.file, case.now);
    let mut expired: Vec<(RecordId, PersonId, String, Timestamp)> = Vec::new();
    for approval in case.file.standing().filter(|approval| approval.is_yes()) {
        for row in approval.counted_for.iter().filter(|row| open.contains(&row.rule)) {
            let Some(until) = row.valid_until.filter(|until| *until <= case.now) else {
                continue;
            };
            expired.push((approval.id.clone(), approval.person.clone(), row.rule.clone(), until));
        }
    }
    for (approval, person, rule, until) in expired {
        let is_asked = |row: &Request| row.person == person && row.rule == rule;
        let is_asked = case.change().requests.iter().any(is_asked);
        if !is_asked || !case.file.change.tell_once(&format!("expired/{approval}/{rule}")) {
            continue;
        }
        renew_request(case, &person, &rule);
        let data = json!({"approval": approval, "person": person, "rule": rule, "valid_until": until.to_string()});
        case.emit("approval.expired", data);
        let news = format!(
            "Your approval of {} was valid until {until} (rule `{rule}`) and has expired.",
            case.change().key
        );
        let mark = format!("{approval}/{rule}");
        let next = "Review the change and decide again.";
        case.write_to(&person, "approval_expired", &mark, news, next);
    }
}

/// An edit of what is done voids acknowledgements as it voids decisions: the approvers get a new request, and a letter about it
/// unless they already have one about their void decision. Rules on *when* alone stay as they are.
pub(crate) fn forget_acknowledgements(case: &mut Case<'_>) {
    let covers_what = |rule: &str| {
        let mut rules = approval_rules(&case.file);
        rules.any(|(row, it)| row.obligation.id == rule && it.covers.what())
    };
    let had = |request: &&Request| request.acknowledged_at.is_some() && covers_what(&request.rule);
    let seen: Vec<(PersonId, String)> = case
        .change()
        .requests
        .iter()
        .filter(had)
        .map(|request| (request.person.clone(), request.rule.clone()))
        .collect();
    for (person, rule) in seen {
        renew_request(case, &person, &rule);
        let knows = |letter: &change_file::Letter| letter.topic == "approval_voided" && letter.to == person;
        if case.actor.person == person || case.letters.iter().any(knows) {
            continue;
        }
        let text = format!(
            "{} was edited since you acknowledged it (rule `{rule}`).",
            case.change().key
        );
        let mark = format!("{}/{rule}/{}", case.change().digests.content, case.now);
        let next = "Review what changed, and acknowledge again or decide.";
        case.write_to(&person, "asked_to_approve", &mark, text, next);
    }
}

fn renew_request(case: &mut Case<'_>, person: &PersonId, rule_id: &str) {
    let rule = approval_rules(&case.file).find(|(row, _)| row.obligation.id == rule_id);
    let Some(sla) = rule.map(|(_, rule)| clocks::sla(&case.directory, case.change(), rule)) else {
        return;
    };
    let (now, by) = (case.now, clocks::acknowledge_by(case, person, sla));
    let requests = case.file.change.requests.iter_mut();
    for request in requests.filter(|row| &row.person == person && row.rule == rule_id) {
        (request.asked_at, request.acknowledge_by, request.acknowledged_at) = (now, by, None);
    }
}

fn requests(case: &Case<'_>) -> Vec<Request> {
    let (file, directory) = (&case.file, &case.directory);
    let stage = open_stage(file, case.now);
    let mut found: Vec<Request> = Vec::new();
    for (row, rule) in approval_rules(file).filter(|(_, rule)| rule.stage <= stage) {
        let mut places: BTreeMap<PersonId, usize> = BTreeMap::new();
        for target in targets_of(file, row) {
            for holder in able(file, directory, (&row.obligation.id, rule), target, case.now) {
                if let Some(known) = places.get(&holder.person).and_then(|place| found.get_mut(*place)) {
                    if !known.targets.contains(&target.id) {
                        known.targets.push(target.id.clone());
                    }
                    if !known.grounds.contains(&holder.basis) {
                        known.grounds.push(holder.basis);
                    }
                    continue;
                }
                places.insert(holder.person.clone(), found.len());
                let sla = clocks::sla(directory, &file.change, rule);
                found.push(Request {
                    rule: row.obligation.id.clone(),
                    acknowledge_by: clocks::acknowledge_by(case, &holder.person, sla),
                    person: holder.person,
                    targets: vec![target.id.clone()],
                    why: format!(
                        "asked as {}: {}",
                        approvers_name(&rule.from.for_basis(&holder.basis)),
                        holder.why
                    ),
                    grounds: vec![holder.basis],
                    asked_at: case.now,
                    acknowledged_at: None,
                });
            }
        }
    }
    found
}

/// Does all that is due by now, in the order of its times. Doing it twice does nothing the second time.
pub(crate) fn run(case: &mut Case<'_>) {
    if !matches!(
        case.change().state,
        State::Authorizing | State::Approved | State::Scheduled
    ) {
        return;
    }
    for _ in 0..MOST_DONE {
        let Some(item) = agenda(case).into_iter().next().filter(|item| item.at <= case.now) else {
            return;
        };
        match item.what {
            What::Unacknowledged { rule, person } => unacknowledged(case, &rule, &person),
            What::Undecided { rule, person } => undecided(case, &rule, &person),
            What::Escalation { rule, step } => {
                escalate(case, &rule, step);
                routing::sync_requests(case, true);
            }
        }
    }
}
