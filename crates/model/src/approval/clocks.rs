//! The clocks of approval rules: the times to acknowledge and to decide, and the escalation when nobody does. Silence never
//! approves; it only reaches further people, step by step, up to a group that always exists.
//!
//! | When | What |
//! |---|---|
//! | a person has not acknowledged in time | the person is reminded, and the change's owner is notified |
//! | no approver of a rule has acknowledged | deputies become approvers as well |
//! | three quarters of the time to decide are over | approvers without a decision are reminded |
//! | the time to decide is over | the line above in the matrix becomes an approver too, and further deputies |
//! | and half of that time again | the group that the rule names is notified |
//! | and the whole of it again | the last group is notified: change managers, else administrators |
//!
//! Where nobody can decide, no time is waited for: all steps are done at once. An edit that makes a change more urgent moves
//! these times forward, never back.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use crate::approval::authority::{
    able, able_on, approval_rules, approvers_name, approving_rights, is_open, members, missing_source, open_groups,
    open_rules, open_stage, targets_of,
};
use crate::approval::obligation::{ApprovalRule, Asked, TargetObligation};
use crate::approval::sla::Sla;
use crate::change::change_file::{Case, ChangeFile, Letter};
use crate::change::record::{Change, EscalationDue, Request, RuleClock};
use crate::change::related_records::CountedFor;
use crate::core::enums::{EscalationStep, Kind};
use crate::core::ids::{GroupKey, PersonId};
use crate::directory::basis::{Basis, Holder};
use crate::directory::snapshot::{Directory, last_people};
use crate::schedule::calendar::{Clock, USUAL};

impl Directory {
    /// The clock by which a person's own time runs: their calendar in its zone, else the tenant's usual one in their
    /// zone. `None` when the tenant has no calendar: all time counts.
    pub fn clock_of(&self, person: &PersonId) -> Clock<'_> {
        let found = self.people.get(person);
        let own = found
            .and_then(|person| person.calendar.as_ref())
            .and_then(|key| self.calendars.get(key));
        match own {
            Some(calendar) => Clock::new(Some(calendar), None),
            None => Clock::new(self.calendars.get(USUAL), found.map(|person| person.zone.as_str())),
        }
    }

    /// The clock by which a rule's time runs: its group's calendar, else the tenant's usual one.
    pub fn clock_of_group(&self, group: Option<&GroupKey>) -> Clock<'_> {
        let own = group
            .and_then(|key| self.groups.get(key))
            .and_then(|group| group.calendar.as_ref())
            .and_then(|key| self.calendars.get(key));
        Clock::new(own.or_else(|| self.calendars.get(USUAL)), None)
    }
}

/// The times of a rule on a change: the rule's own times, else those of the tenant's table by kind and risk.
pub fn sla(directory: &Directory, change: &Change, rule: &ApprovalRule) -> Sla {
    let table = directory
        .tenant
        .as_ref()
        .map(|tenant| tenant.sla_table)
        .unwrap_or_default();
    let usual = table.row(change.content.kind, change.content.expedited, change.risk.level);
    Sla {
        acknowledge: rule.ack_sla.unwrap_or(usual.acknowledge),
        decide: rule.decide_sla.unwrap_or(usual.decide),
    }
}

/// When a person's time to acknowledge is over that begins now: with that to decide at the latest, whatever the units of the two.
pub(crate) fn acknowledge_by(case: &Case<'_>, person: &PersonId, sla: Sla) -> Timestamp {
    let clock = case.directory.clock_of(person);
    clock
        .after(case.now, sla.acknowledge)
        .min(clock.after(case.now, sla.decide))
}

fn clock_of_rule<'a>(directory: &'a Directory, rule: &ApprovalRule) -> Clock<'a> {
    let group = match &rule.from {
        Asked::Group(key) => Some(key.clone()),
        Asked::Groups(keys) => keys.first().cloned(),
        Asked::ChangeManager => Some(GroupKey::from("change-managers")),
        _ => None,
    };
    directory.clock_of_group(group.as_ref())
}

fn new_clock(case: &Case<'_>, row: &TargetObligation, rule: &ApprovalRule) -> RuleClock {
    let sla = sla(&case.directory, case.change(), rule);
    let clock = clock_of_rule(&case.directory, rule);
    let start = case.now;
    let decide_by = clock.after(start, sla.decide);
    // A rule may grant less time to decide than the times of its kind grant to acknowledge.
    let acknowledge_by = clock.after(start, sla.acknowledge).min(decide_by);
    let mut steps = vec![
        (EscalationStep::Deputies, acknowledge_by),
        (EscalationStep::Line, decide_by),
    ];
    if rule.escalate.is_some() {
        steps.push((EscalationStep::Group, clock.after(decide_by, sla.decide.share(1, 2))));
    }
    steps.push((EscalationStep::Last, clock.after(decide_by, sla.decide)));
    RuleClock {
        rule: row.obligation.id.clone(),
        asked_at: start,
        remind_at: clock.after(start, sla.decide.share(3, 4)),
        decide_by,
        decide: sla.decide,
        steps: steps
            .into_iter()
            .map(|(step, due_at)| EscalationDue {
                step,
                due_at,
                done_at: None,
            })
            .collect(),
        met_at: None,
        acknowledged_at: None,
    }
}

/// Moves the times of running clocks after an edit that made a change more urgent, as by a higher risk or another kind: the
/// earlier of the present and the new times holds. No edit gives more time, and finished steps stay finished.
pub(crate) fn hasten(case: &mut Case<'_>, before: &Change) {
    let rules: Vec<(TargetObligation, ApprovalRule)> = approval_rules(&case.file)
        .map(|(row, rule)| (row.clone(), rule.clone()))
        .collect();
    for (row, rule) in rules {
        let granted = sla(&case.directory, case.change(), &rule);
        if granted == sla(&case.directory, before, &rule) {
            continue;
        }
        let fresh = new_clock(case, &row, &rule);
        let clocks = case.file.change.clocks.iter_mut();
        for clock in clocks.filter(|clock| clock.rule == fresh.rule && clock.met_at.is_none()) {
            take_earlier(clock, &fresh);
        }
        let mut requests = std::mem::take(&mut case.file.change.requests);
        let open = requests.iter_mut().filter(|request| request.rule == fresh.rule);
        for request in open.filter(|request| request.acknowledged_at.is_none()) {
            let by = acknowledge_by(case, &request.person, granted);
            request.acknowledge_by = request.acknowledge_by.min(by);
        }
        case.file.change.requests = requests;
    }
}

/// Takes the earlier times of two clocks of one rule. Finished steps stay finished.
fn take_earlier(clock: &mut RuleClock, fresh: &RuleClock) {
    if fresh.decide_by < clock.decide_by {
        clock.decide = fresh.decide;
    }
    clock.decide_by = clock.decide_by.min(fresh.decide_by);
    clock.remind_at = clock.remind_at.min(fresh.remind_at);
    for due in clock.steps.iter_mut().filter(|due| due.done_at.is_none()) {
        if let Some(other) = fresh.steps.iter().find(|other| other.step == due.step) {
            due.due_at = due.due_at.min(other.due_at);
        }
    }
}

/// Starts, stops and drops the clocks of rules: a clock starts with its rule's stage, stops when the rule is met, and is
/// dropped with its rule or when an earlier stage is open again. After all rules are met, their clocks stay as a record of the
/// times taken.
pub(crate) fn keep(case: &mut Case<'_>, asks: bool) {
    if !asks {
        let clocks = &mut case.file.change.clocks;
        clocks.retain(|clock| clock.met_at.is_some());
        clocks.iter_mut().for_each(|clock| clock.steps.clear());
        return;
    }
    let stage = open_stage(&case.file, case.now);
    let known = std::mem::take(&mut case.file.change.clocks);
    let mut clocks = Vec::new();
    for (row, rule) in approval_rules(&case.file) {
        let old = known.iter().find(|clock| clock.rule == row.obligation.id);
        let open = is_open(&case.file, row, rule, case.now);
        match old {
            Some(clock) if !open && clock.met_at.is_none() => clocks.push(RuleClock {
                met_at: Some(case.now),
                acknowledged_at: clock.taken_up(&case.change().requests),
                ..clock.clone()
            }),
            Some(clock) if !open => clocks.push(clock.clone()),
            Some(clock) if clock.met_at.is_none() && rule.stage <= stage => clocks.push(clock.clone()),
            _ if open && rule.stage <= stage => clocks.push(new_clock(case, row, rule)),
            _ => {}
        }
    }
    case.file.change.clocks = clocks;
}

/// Something that the clock makes due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Item {
    /// When.
    pub at: Timestamp,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Unacknowledged { rule: String, person: PersonId },
    Undecided { rule: String, person: PersonId },
    Escalation { rule: String, step: EscalationStep },
}

/// All that is still ahead or overdue, in order.
pub(crate) fn agenda(case: &Case<'_>) -> Vec<Item> {
    let change = case.change();
    let open = open_rules(&case.file, case.now);
    let mut items: Vec<Item> = Vec::new();
    let full = full_groups(&case.file, case.now);
    for request in change.requests.iter().filter(|request| open.contains(&request.rule)) {
        if is_waited_for(request, &full) {
            items.extend(reminders(case, request));
        }
    }
    for clock in running(case).filter(|clock| open.contains(&clock.rule)) {
        items.extend(clock.steps.iter().filter(|due| due.done_at.is_none()).map(|due| Item {
            at: due.due_at,
            what: What::Escalation {
                rule: clock.rule.clone(),
                step: due.step,
            },
        }));
    }
    items.sort();
    items
}

/// The clocks that run: a met rule's clock has stopped, and a new clock starts when its approval expires.
fn running<'a>(case: &'a Case<'_>) -> impl Iterator<Item = &'a RuleClock> {
    case.change().clocks.iter().filter(|clock| clock.met_at.is_none())
}

/// For rules of distinct groups: the groups that count no further person, each with its rule; nobody of such a group is waited
/// for.
fn full_groups(file: &ChangeFile, now: Timestamp) -> BTreeSet<(&str, &str)> {
    let mut found = BTreeSet::new();
    for (row, rule) in approval_rules(file) {
        let (Some(keys), Some(open)) = (rule.from.distinct_groups(), open_groups(file, row, rule, now)) else {
            continue;
        };
        let full = keys.iter().filter(|key| !open.contains(key));
        found.extend(full.map(|key| (row.obligation.id.as_str(), key.as_str())));
    }
    found
}

/// Whether an approval of this person would still add to the counted ones, as far as distinct groups are concerned.
fn is_waited_for(request: &Request, full: &BTreeSet<(&str, &str)>) -> bool {
    let is_full = |basis: &Basis| {
        let group = basis.membership.as_ref();
        group.is_some_and(|group| full.contains(&(request.rule.as_str(), group.id.as_str())))
    };
    request.grounds.is_empty() || !request.grounds.iter().all(is_full)
}

/// The reminders that are still due for an approver. Nobody is reminded while away.
fn reminders(case: &Case<'_>, request: &Request) -> Vec<Item> {
    let mut items = Vec::new();
    let (rule, person) = (request.rule.clone(), request.person.clone());
    let not_before = case.directory.absent_until(&person, case.now);
    let at = |due: Timestamp| not_before.map_or(due, |back| due.max(back));
    let told = &case.change().told;
    if request.acknowledged_at.is_none() && !told.contains(&unacknowledged_mark(request)) {
        items.push(Item {
            at: at(request.acknowledge_by),
            what: What::Unacknowledged {
                rule: rule.clone(),
                person: person.clone(),
            },
        });
    }
    if let Some(clock) = running(case).find(|clock| clock.rule == rule)
        && request.asked_at < clock.remind_at
        && !has_decided(case, &rule, &person)
        && !told.contains(&undecided_mark(clock, &person))
    {
        items.push(Item {
            at: at(clock.remind_at),
            what: What::Undecided { rule, person },
        });
    }
    items
}

/// Whether a person has decided for a rule and the decision is still valid.
fn has_decided(case: &Case<'_>, rule: &str, person: &PersonId) -> bool {
    let is_over = |row: &CountedFor| row.rule == rule && row.valid_until.is_some_and(|until| until <= case.now);
    let mut own = case.file.standing().filter(|approval| &approval.person == person);
    own.any(|approval| !approval.is_yes() || !approval.counted_for.iter().any(is_over))
}

fn unacknowledged_mark(request: &Request) -> String {
    format!(
        "unacknowledged/{}/{}/{}",
        request.rule, request.person, request.acknowledge_by
    )
}

fn undecided_mark(clock: &RuleClock, person: &PersonId) -> String {
    // A pause moves the time to decide, so the mark uses the time of the request.
    format!("undecided/{}/{person}/{}", clock.rule, clock.asked_at)
}

pub(crate) fn unacknowledged(case: &mut Case<'_>, rule: &str, person: &PersonId) {
    let found = case
        .change()
        .requests
        .iter()
        .find(|row| row.rule == rule && &row.person == person);
    let Some(request) = found.cloned() else { return };
    if !case.file.change.tell_once(&unacknowledged_mark(&request)) {
        return;
    }
    case.emit("approval.unacknowledged", json!({"person": person, "rule": rule}));
    let mark = format!("{rule}/{}", request.acknowledge_by);
    let news = format!("{} still waits for your decision.", case.change().key);
    let next = "Acknowledge the request, decide, or return the change with a question.";
    case.write_to(person, "reminder", &mark, news, next);
    let (owner, name) = (case.change().content.owner.clone(), case.name(person));
    let news = format!("{name} has not acknowledged {}.", case.change().key);
    case.write_under(
        &owner,
        ("unacknowledged", Some(format!("waits for {name}"))),
        &format!("{mark}/{person}"),
        news,
        "Contact them or another approver.",
    );
}

pub(crate) fn undecided(case: &mut Case<'_>, rule: &str, person: &PersonId) {
    let Some(clock) = case.change().clocks.iter().find(|clock| clock.rule == rule).cloned() else {
        return;
    };
    if !case.file.change.tell_once(&undecided_mark(&clock, person)) {
        return;
    }
    case.emit(
        "approval.reminded",
        json!({"person": person, "rule": rule, "decide_by": clock.decide_by.to_string()}),
    );
    let news = format!(
        "{} awaits your decision until {} (rule `{rule}`).",
        case.change().key,
        clock.decide_by
    );
    let next = "Decide, or return the change with a question; afterwards it is escalated to others as well.";
    case.write_to(
        person,
        "decide_soon",
        &format!("{rule}/{}", clock.decide_by),
        news,
        next,
    );
}

/// Where too few can decide, or all who can are away until it is too late, nothing is waited for: the steps are done now, one
/// after the other, until enough can. Returns whether a step was done.
pub(crate) fn hurry(case: &mut Case<'_>) -> bool {
    let rules: Vec<String> = case
        .change()
        .clocks
        .iter()
        .filter(|clock| clock.met_at.is_none())
        .map(|clock| clock.rule.clone())
        .collect();
    let mut done = false;
    for rule in rules {
        for step in [
            EscalationStep::Deputies,
            EscalationStep::Line,
            EscalationStep::Group,
            EscalationStep::Last,
        ] {
            if !lacks_people(case, &rule) {
                break;
            }
            note_unapprovable(case, &rule);
            done |= escalate(case, &rule, step);
        }
    }
    done
}

/// Whether too few people could meet a rule in time.
fn lacks_people(case: &Case<'_>, rule_id: &str) -> bool {
    let (file, now) = (&case.file, case.now);
    let decide_by = file
        .change
        .clocks
        .iter()
        .find(|clock| clock.rule == rule_id)
        .map(|clock| clock.decide_by);
    let is_there = |holder: &Holder| {
        let back = case.directory.absent_until(&holder.person, now);
        back.is_none_or(|back| decide_by.is_some_and(|by| back < by))
    };
    approval_rules(file)
        .filter(|(row, _)| row.obligation.id == rule_id)
        .any(|(row, rule)| {
            targets_of(file, row).any(|target| {
                let what = rule.covers.what();
                let yes = approving_rights(file, (rule_id, rule), &target.id, now, what);
                let open = able_on(file, &case.directory, (rule_id, rule), target, now, what);
                let there: Vec<&Holder> = open.iter().filter(|holder| is_there(holder)).collect();
                let needed = rule.count.max(rule.quorum.unwrap_or_default());
                yes.count_with(&yes.helping(rule, &there)) < needed as usize
            })
        })
}

/// The finding that nobody can approve, once for each clock.
fn note_unapprovable(case: &mut Case<'_>, rule: &str) {
    let since = case
        .change()
        .clocks
        .iter()
        .find(|clock| clock.rule == rule)
        .map(|clock| clock.asked_at);
    let mark = format!("nobody/{rule}/{}", since.map(|at| at.to_string()).unwrap_or_default());
    if case.file.change.tell_once(&mark) {
        case.emit("approval.nobody_can", json!({"rule": rule}));
    }
}

/// Does one step of a rule's escalation; returns whether the step was still open.
pub(crate) fn escalate(case: &mut Case<'_>, rule_id: &str, step: EscalationStep) -> bool {
    let found = approval_rules(&case.file).find(|(row, _)| row.obligation.id == rule_id);
    let Some((row, rule)) = found.map(|(row, rule)| (row.clone(), rule.clone())) else {
        return false;
    };
    let full = full_groups(&case.file, case.now);
    let has_it = |request: &Request| {
        request.rule == rule_id && request.acknowledged_at.is_some() && is_waited_for(request, &full)
    };
    let seen =
        step == EscalationStep::Deputies && !lacks_people(case, rule_id) && case.change().requests.iter().any(has_it);
    let before = reached(case, &row, &rule);
    let now = case.now;
    let Some(clock) = case.file.change.clocks.iter_mut().find(|clock| clock.rule == rule_id) else {
        return false;
    };
    let decide_by = clock.decide_by;
    let Some(due) = clock
        .steps
        .iter_mut()
        .find(|due| due.step == step && due.done_at.is_none())
    else {
        return false;
    };
    if seen && due.due_at < decide_by {
        // An approver has acknowledged the request, so the escalation waits until the time to decide is over.
        due.due_at = decide_by;
        return false;
    }
    due.done_at = Some(now);
    let due_at = due.due_at.min(now);
    let people = match step {
        EscalationStep::Deputies | EscalationStep::Line => {
            reached(case, &row, &rule).difference(&before).cloned().collect()
        }
        EscalationStep::Group => group_people(&case.directory, rule.escalate.as_ref()),
        EscalationStep::Last => last_people(&case.directory),
    };
    notify_step(case, (&row, &rule), step, due_at, people);
    true
}

fn reached(case: &Case<'_>, row: &TargetObligation, rule: &ApprovalRule) -> BTreeSet<PersonId> {
    let (file, directory) = (&case.file, &case.directory);
    targets_of(file, row)
        .flat_map(|target| able(file, directory, (&row.obligation.id, rule), target, case.now))
        .map(|holder| holder.person)
        .collect()
}

fn group_people(directory: &Directory, key: Option<&GroupKey>) -> Vec<PersonId> {
    key.map(|key| members(directory, key))
        .unwrap_or_default()
        .into_iter()
        .map(|holder| holder.person)
        .collect()
}

fn notify_step(
    case: &mut Case<'_>,
    (row, rule): (&TargetObligation, &ApprovalRule),
    step: EscalationStep,
    due_at: Timestamp,
    people: Vec<PersonId>,
) {
    let rule_id = row.obligation.id.as_str();
    case.emit(
        "approval.escalated",
        json!({"rule": rule_id, "step": step, "due_at": due_at.to_string(), "people": people}),
    );
    // Deputies and the line above become approvers, so they get the same letter as other approvers.
    if matches!(step, EscalationStep::Deputies | EscalationStep::Line) {
        return;
    }
    let news = format!(
        "{} still waits for {} (rule `{rule_id}`); no change is approved by a timeout.",
        case.change().key,
        approvers_name(&missing_source(&case.file, row, rule, case.now))
    );
    let next = "Contact the approvers, or have an administrator change the owners and groups.";
    let mark = format!("{rule_id}/{}/{due_at}", step.as_str());
    for person in people {
        case.write_to(&person, "escalated", &mark, news.clone(), next);
    }
}

/// The time of the first escalation past a person who is an approver in their own right.
pub(crate) fn escalated_past(change: &Change, rules: &[&str]) -> Option<Timestamp> {
    change
        .clocks
        .iter()
        .filter(|clock| rules.contains(&clock.rule.as_str()))
        .filter_map(RuleClock::escalated_at)
        .min()
}

/// Notifies a person who decides late that the request was escalated, also in their own inbox.
pub(crate) fn note_late_decision(case: &mut Case<'_>, since: Timestamp) {
    let person = case.person();
    let change = case.change();
    let letter = Letter {
        topic: "answered_late",
        headline: None,
        news: format!("Your decision on {} came after the escalation at {since}.", change.key),
        next: "No action is needed; others have been asked or notified meanwhile.".to_owned(),
        dedup: format!("{}/answered_late/{since}/{person}", change.key),
        to: person,
    };
    case.letters.push(letter);
}

/// Moves every clock on by the length of a pause, so that the remaining working time is unchanged.
pub(crate) fn pause_over(case: &mut Case<'_>, paused_at: Timestamp) {
    let (now, directory) = (case.now, case.directory.clone());
    let emergency = case.change().content.kind == Kind::Emergency;
    let rules: Vec<(String, ApprovalRule)> = approval_rules(&case.file)
        .map(|(row, rule)| (row.obligation.id.clone(), rule.clone()))
        .collect();
    let shifted = |clock: &Clock<'_>, due: Timestamp, asked_at: Timestamp| {
        let since = paused_at.max(asked_at);
        if due <= since {
            return due;
        }
        if emergency {
            return now.checked_add(due.duration_since(since)).unwrap_or(due);
        }
        clock.after_worked(now, clock.worked(since, due))
    };
    for request in case
        .file
        .change
        .requests
        .iter_mut()
        .filter(|row| row.acknowledged_at.is_none())
    {
        let clock = directory.clock_of(&request.person);
        request.acknowledge_by = shifted(&clock, request.acknowledge_by, request.asked_at);
    }
    for clock in case
        .file
        .change
        .clocks
        .iter_mut()
        .filter(|clock| clock.met_at.is_none())
    {
        let rule = rules.iter().find(|(id, _)| *id == clock.rule);
        let by = rule.map_or_else(
            || directory.clock_of_group(None),
            |(_, rule)| clock_of_rule(&directory, rule),
        );
        clock.remind_at = shifted(&by, clock.remind_at, clock.asked_at);
        clock.decide_by = shifted(&by, clock.decide_by, clock.asked_at);
        for due in clock.steps.iter_mut().filter(|due| due.done_at.is_none()) {
            due.due_at = shifted(&by, due.due_at, clock.asked_at);
        }
    }
}
