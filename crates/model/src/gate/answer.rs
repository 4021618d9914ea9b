//! The gate: one row per target and purpose, written with the change, and a decision that needs only the row and the clock.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::approval::obligation::Duty;
use crate::change::change_file::ChangeFile;
use crate::change::named::named;
use crate::change::record::{Change, Target};
use crate::change::requirement::{before_approved, before_scheduled, before_start};
use crate::change::template::template_review;
use crate::change::waves::gate::{self, GateMember, WaveGate, wave_gate};
use crate::change::{duties, eligible};
use crate::core::enums::{GateDecision, Purpose, State};
use crate::core::ids::{ChangeId, EnvironmentKey, ServiceKey, TargetId};
use crate::core::unmet::{Information, Unmet, unmet};
use crate::directory::led_elsewhere::LedBy;
use crate::directory::snapshot::{Directory, logins};
use crate::emergency::budget;
use crate::emergency::grounds::end_of_grounds;
use crate::gate::begun::{before_next_start, has_begun, has_starts_ahead};
use crate::gate::closing::{CLOSED, closed_unmet};
use crate::gate::names::Names;
use crate::gate::{rollback, rollback_binding};
use crate::incident::major;
use crate::schedule::freeze::Freeze;
use crate::schedule::frozen_target::{has_many, stops_begun};
use crate::schedule::repeat::Occurrence;

/// The ways past a freeze.
const EXCEPT: &str = "Wait until the freeze ends, or ask a change manager for an exception.";

/// A span of time in which a freeze stops a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenSpan {
    /// The freeze's title.
    pub title: String,
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end.
    pub ends_at: Timestamp,
    /// Whether it also stops the target while its change is under way.
    pub halt: bool,
    /// Logins of who may except the change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting_on: Vec<String>,
    /// The text shown instead if a major incident stops the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major: Option<major::Stop>,
}

/// All facts about one target that the gate needs, except the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateRow {
    /// The change.
    pub change: ChangeId,
    /// Its key.
    pub key: String,
    /// The target.
    pub target: TargetId,
    /// Service.
    pub service: ServiceKey,
    /// Environment.
    pub environment: EnvironmentKey,
    /// The approved artifact (for a rollback, the restored one).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// The commit that may go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Forward or back.
    pub purpose: Purpose,
    /// The change's state.
    pub state: State,
    /// Whether the change has other targets. A requirement of this target alone then shows the target's name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_one_of_many: bool,
    /// Whether the target has an outcome.
    pub is_done: bool,
    /// Whether the change is on hold.
    pub on_hold: bool,
    /// Planned start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Timestamp>,
    /// Planned end, or the granted extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Timestamp>,
    /// The end of a lawful break-glass, also in the past. Nobody approved the work that began under it, so forward deployment
    /// stays closed afterwards, whatever the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glass_until: Option<Timestamp>,
    /// The first end of a counted approval; for a standard change, the end of its template's approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good_until: Option<Timestamp>,
    /// Freezes over this target that do not except the change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frozen: Vec<FrozenSpan>,
    /// The unmet conditions other than clock, hold and freeze.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<Unmet>,
    /// Revocations by people that are still in force. Neither a rollback nor break-glass overrides them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<Unmet>,
    /// The change's owner: a stop waits for them when nobody else is known.
    pub owner: String,
    /// The state of the waves, for a target with many members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waves: Option<WaveGate>,
    /// The member that the question names. The row does not store it; the caller adds it.
    #[serde(skip)]
    pub member: Option<GateMember>,
    /// Known facts that stop nothing, such as conflicts. The row does not store them; the caller adds them.
    #[serde(skip)]
    pub information: Vec<Information>,
    /// The stored row, if this one was judged for a change that is not settled yet. The gate opens only if both rows allow it.
    #[serde(skip)]
    pub written: Option<Box<GateRow>>,
}

impl GateRow {
    /// The people who plan the change's times, as a list.
    fn people(&self) -> Vec<String> {
        let owner = Some(&self.owner).filter(|owner| !owner.is_empty());
        owner.into_iter().cloned().collect()
    }

    /// Whether this freeze covers the window of a change that is not under way. The change is not scheduled then.
    fn is_unscheduled_by(&self, freeze: &FrozenSpan) -> bool {
        let is_over = |opens, closes| freeze.starts_at < closes && opens < freeze.ends_at;
        let window = self.opens_at.zip(self.closes_at);
        // If a change has several targets, it stays scheduled for the others.
        let is_kept_back = self.state == State::Approved || self.state == State::Scheduled && self.is_one_of_many;
        is_kept_back && window.is_some_and(|(opens, closes)| is_over(opens, closes))
    }
}

impl GateRow {
    /// The target's name, for sentences about a stop of this target alone.
    fn named_target(&self) -> String {
        if !self.is_one_of_many {
            return String::new();
        }
        format!(" for target {} ({} in {})", self.target, self.service, self.environment)
    }
}

/// A gate's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Go or stop.
    pub decision: GateDecision,
    /// The change that was found.
    pub change: Option<String>,
    /// The target that was found.
    pub target: Option<(ChangeId, TargetId)>,
    /// The purpose, forward or rollback, that was found.
    pub purpose: Purpose,
    /// The reasons of a stop.
    pub reasons: Vec<Unmet>,
    /// Known facts about the change that stop nothing.
    pub information: Vec<Information>,
    /// The next time at which the clock alone may change the result.
    pub next_transition_at: Option<Timestamp>,
    /// The leading system, for a service whose changes another system leads.
    pub led_by: Option<LedBy>,
}

/// The rows of a change: a target that names neither artifact nor commit opens no gate.
pub fn rows(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<GateRow> {
    rows_where(file, directory, now, |_| true)
}

/// The rows of one target of a change; rows of other targets are not built.
pub fn rows_of_target(file: &ChangeFile, directory: &Directory, now: Timestamp, id: &TargetId) -> Vec<GateRow> {
    rows_where(file, directory, now, |target| target.id == *id)
}

fn rows_where(
    file: &ChangeFile,
    directory: &Directory,
    now: Timestamp,
    is_wanted: impl Fn(&Target) -> bool,
) -> Vec<GateRow> {
    let change = &file.change;
    if !change.state.is_open() {
        return Vec::new();
    }
    let unmet = Few::of(static_unmet(file, directory, now));
    // Each target's start is judged in full, also when another one has begun the change.
    let next = match has_starts_ahead(file) {
        true => Few::of(before_next_start(file, directory, now)),
        false => Few::of(Vec::new()),
    };
    let mut found = Vec::new();
    for target in change.content.targets.iter().filter(|target| is_wanted(target)) {
        let named = target.artifact.is_some() || target.commit.is_some();
        if named && change.state <= State::Reviewing {
            let is_ahead = !has_begun(change, &file.permits, &target.id);
            let mut unmet = unmet.for_target(target);
            unmet.extend(is_ahead.then(|| next.for_target(target)).into_iter().flatten());
            found.push(row(file, directory, target, Purpose::Deploy, unmet, now));
        }
        let begun = matches!(change.state, State::Implementing | State::Reviewing);
        let closed = rollback::against(change, target);
        let leads_nowhere = matches!(closed, Some(rollback::Closed::Unnamed | rollback::Closed::Told));
        if begun && !leads_nowhere {
            let unmet = closed.map(|why| rollback_binding::unmet_of(why, (file, directory, now), target));
            found.push(row(
                file,
                directory,
                target,
                Purpose::Rollback,
                unmet.unwrap_or_default(),
                now,
            ));
        }
    }
    found
}

/// The most conditions of one kind that a gate row lists beside those of its own target. Each target has a row, and each row
/// would otherwise list the missing conditions of all targets.
const MOST_OF_A_KIND: usize = 20;

/// Conditions: the first ones of each kind, one that counts the whole kind, and the omitted ones.
struct Few {
    named: Vec<Unmet>,
    left_out: Vec<Unmet>,
}

impl Few {
    /// Conflicts are all listed, because each has a text of its own.
    fn of(rows: Vec<Unmet>) -> Self {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let (mut named, left_out): (Vec<Unmet>, Vec<Unmet>) = rows.into_iter().partition(|row| {
            let count = counts.entry(row.code.clone()).or_default();
            *count += 1;
            *count <= MOST_OF_A_KIND || row.code.starts_with("conflict_")
        });
        for (code, count) in counts {
            let others: Vec<&Unmet> = left_out.iter().filter(|row| row.code == code).collect();
            if !others.is_empty() {
                named.push(counted(&code, count, &others));
            }
        }
        Self { named, left_out }
    }

    /// The conditions in the row of a target: those of each kind, and those about what the target brings out.
    fn for_target(&self, target: &Target) -> Vec<Unmet> {
        let brought = [target.artifact.as_deref(), target.commit.as_deref()];
        let is_about = |row: &&Unmet| brought.iter().flatten().any(|name| row.text.contains(*name));
        let own = self.left_out.iter().filter(is_about);
        self.named.iter().chain(own).cloned().collect()
    }
}

/// One condition in place of the omitted ones of a kind, with their total number.
fn counted(code: &str, count: usize, others: &[&Unmet]) -> Unmet {
    let people: BTreeSet<&String> = others.iter().flat_map(|row| &row.waiting_on).collect();
    Unmet {
        code: code.to_owned(),
        text: format!("In all, {count} conditions of this kind are not met."),
        satisfy: "The page of the change lists all of them.".to_owned(),
        waiting_on: people.into_iter().take(MOST_OF_A_KIND).cloned().collect(),
        cannot_be_met: others.iter().any(|row| row.cannot_be_met),
    }
}

/// The unmet conditions of a start other than clock, hold and freeze. There are none under way or under break-glass.
fn static_unmet(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    if file.change.state == State::Implementing {
        let in_charge = logins(directory, &eligible::planners(&file.change, directory));
        let asked = file.change.extension.as_ref();
        let was_granted = asked.and_then(|it| it.decision.as_ref()).is_some_and(|it| it.grant);
        let text = match was_granted {
            true => "The change has overrun its window, and its extension has ended.",
            false => "The change has overrun its window, and no extension was granted.",
        };
        let help = "The owner or a change manager grants an extension, or the implementers roll back.";
        if file.change.distrusted {
            let text = "An approval on which the work began came from a compromised account.";
            let help = "Roll back, or finish the work by hand; continue with a new change.";
            return vec![unmet("decision_voided", text, help, in_charge)];
        }
        return if file.change.overrun {
            vec![unmet("overrun", text, help, in_charge)]
        } else {
            Vec::new()
        };
    }
    // The second signature on break-glass opens the gate for everything, so it is listed before the bypassed requirements.
    let glass = budget::cosignature_unmet(file, directory, now);
    let mut rows: Vec<Unmet> = glass.into_iter().collect();
    rows.extend(before_approved(file, directory, now));
    rows.extend(
        before_scheduled(file, directory, now)
            .into_iter()
            .filter(|row| row.code != "freeze" && row.code != "window_over"),
    );
    rows.extend(before_start(file, directory, now));
    named(rows, file, directory, now)
}

fn row(
    file: &ChangeFile,
    directory: &Directory,
    target: &Target,
    purpose: Purpose,
    unmet: Vec<Unmet>,
    now: Timestamp,
) -> GateRow {
    let change = &file.change;
    let own = Names::of_target(target, purpose);
    let record = change.target_record(&target.id);
    let has_begun = has_begun(change, &file.permits, &target.id);
    GateRow {
        change: change.id.clone(),
        key: change.key.clone(),
        target: target.id.clone(),
        service: target.service.clone(),
        environment: target.environment.clone(),
        artifact: own.artifact.map(str::to_owned),
        commit: own.commit.map(str::to_owned),
        purpose,
        state: change.state,
        is_one_of_many: has_many(change),
        is_done: record.is_some_and(|it| !it.is_open()),
        on_hold: change.is_on_hold(),
        opens_at: change.planned_start,
        closes_at: change.window_end(),
        glass_until: change.lawful_break_glass().map(|glass| glass.until),
        good_until: good_until(file, directory, target, now),
        frozen: directory
            .freezes
            .iter()
            .filter(|freeze| directory.is_frozen_by(freeze, &target.service, &target.environment))
            .flat_map(|freeze| frozen_spans(freeze, (change, directory), has_begun, now))
            .collect(),
        unmet: unmet.into_iter().filter(|row| row.code != CLOSED).collect(),
        closed: closed_unmet(change, target, purpose, directory),
        owner: planner(change, directory),
        waves: Some(purpose)
            .filter(|purpose| *purpose == Purpose::Deploy)
            .and_then(|_| wave_gate(file, directory, target, now)),
        member: None,
        information: Vec::new(),
        written: None,
    }
}

/// The person who plans the times of a change: the owner, or a substitute once the owner has left.
fn planner(change: &Change, directory: &Directory) -> String {
    let people = logins(directory, &eligible::planners(change, directory));
    people.into_iter().next().unwrap_or_default()
}

/// The times of a freeze in which it stops a change, as a row keeps them.
fn frozen_spans(
    freeze: &Freeze,
    (change, directory): (&Change, &Directory),
    has_begun: bool,
    now: Timestamp,
) -> Vec<FrozenSpan> {
    let stopped = |span: Occurrence| {
        let starts_at = span.starts_at.max(freeze.stops_work_from(change, span)?);
        (starts_at < span.ends_at).then_some((starts_at, span.ends_at))
    };
    let mut spans = freeze.spans().filter_map(stopped).peekable();
    if spans.peek().is_none() {
        return Vec::new();
    }
    let waiting_on = excepters_of(freeze, (change, directory), now);
    let major = major::refusal(freeze, directory);
    let spans = spans.map(|(starts_at, ends_at)| FrozenSpan {
        title: freeze.title.clone(),
        starts_at,
        ends_at,
        halt: stops_begun(freeze, change, has_begun),
        waiting_on: waiting_on.clone(),
        major: major.clone(),
    });
    spans.collect()
}

/// The people who may grant an exception to a freeze; nobody for a freeze in the past.
fn excepters_of(freeze: &Freeze, (change, directory): (&Change, &Directory), now: Timestamp) -> Vec<String> {
    if freeze.is_over(now) {
        return Vec::new();
    }
    if let Some(incident) = major::incident_of(freeze, directory) {
        return logins(directory, &major::awaited_people(incident, directory));
    }
    logins(directory, &eligible::excepters(change, directory))
}

fn good_until(file: &ChangeFile, directory: &Directory, target: &Target, now: Timestamp) -> Option<Timestamp> {
    let change = &file.change;
    if change.state > State::Implementing || has_begun(change, &file.permits, &target.id) {
        return None;
    }
    let rules: Vec<&str> = file
        .requirements
        .obligations
        .iter()
        .filter(|row| matches!(row.obligation.duty, Duty::Approval(_)))
        .map(|row| row.obligation.id.as_str())
        .collect();
    file.standing()
        .flat_map(|approval| &approval.counted_for)
        .filter(|row| rules.contains(&row.rule.as_str()) && row.targets.contains(&target.id))
        .filter_map(|row| row.valid_until)
        .chain(template_review(file, directory))
        .chain(end_of_grounds(file, directory))
        .chain(duties::ends(file, directory))
        .filter(|until| *until > now)
        .min()
}

/// Decides over the rows that a question found. `asked_change` narrows them; it never suffices alone.
///
/// Only changes that may go make a question ambiguous; an unapproved change blocks nothing. A rollback needs no window and no
/// approval, so it may go as soon as the forward deployment may not.
pub fn decide<'a>(rows: impl IntoIterator<Item = &'a GateRow>, asked_change: Option<&str>, now: Timestamp) -> Answer {
    let named: Vec<&GateRow> = rows
        .into_iter()
        .filter(|row| asked_change.is_none_or(|key| row.key == key))
        .collect();
    let is_of = |purpose| move |row: &&&GateRow| row.purpose == purpose;
    let back: Vec<&GateRow> = named.iter().filter(is_of(Purpose::Rollback)).copied().collect();
    let forward = named.iter().filter(is_of(Purpose::Deploy));
    let forward: Vec<&GateRow> = forward.copied().filter(|row| !row.is_done).collect();
    let (onward, led_back) = (open(&forward, now), open(&back, now));
    match (one_change(&onward), one_change(&led_back)) {
        (Some(row), _) | (None, Some(row)) => return judge(row, now),
        (None, None) => {}
    }
    let several = if onward.is_empty() { led_back } else { onward };
    if !several.is_empty() {
        return stop(None, ambiguous(&several), soonest(&named, now));
    }
    let furthest = furthest(&forward).or_else(|| furthest(&back));
    match (furthest, named.first()) {
        (Some(row), _) => Answer {
            next_transition_at: soonest(&named, now),
            ..judge(row, now)
        },
        (None, Some(done)) => stop(Some(done), target_done(done), None),
        (None, None) => stop(None, change_missing(asked_change), None),
    }
}

/// The rows that are open now. A stored row beside them does not count here: two changes that may go make a question ambiguous,
/// even while one of them is not yet written.
fn open<'a>(rows: &[&'a GateRow], now: Timestamp) -> Vec<&'a GateRow> {
    let is_go = |row: &&&GateRow| judge_alone(row, now).decision == GateDecision::Go;
    rows.iter().filter(is_go).copied().collect()
}

/// The first row, if all belong to one change: several of its targets may name the same commit.
fn one_change<'a>(rows: &[&'a GateRow]) -> Option<&'a GateRow> {
    let first = *rows.first()?;
    rows.iter().all(|row| row.change == first.change).then_some(first)
}

/// The row of the change that is furthest, the older one of two: what a stop is about.
fn furthest<'a>(rows: &[&'a GateRow]) -> Option<&'a GateRow> {
    // Of equal rows the first counts; `max_by_key` would take the last.
    rows.iter().rev().copied().max_by_key(|row| row.state)
}

/// The first time at which the clock alone may change the result.
fn soonest(rows: &[&GateRow], now: Timestamp) -> Option<Timestamp> {
    rows.iter().filter_map(|row| next_transition(row, now)).min()
}

fn change_missing(asked: Option<&str>) -> Vec<Unmet> {
    let text = match asked {
        Some(key) => format!("No target of {key} has this service, environment and artifact."),
        None => "No open change has a target with this service, environment and artifact.".to_owned(),
    };
    vec![unmet(
        "change_missing",
        text,
        "Create a change with this target and get it approved.",
        Vec::new(),
    )]
}

fn ambiguous(rows: &[&GateRow]) -> Vec<Unmet> {
    let mut keys: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    let text = format!("Several changes that may go now name it: {}.", keys.join(", "));
    vec![unmet("change_ambiguous", text, "Ask again with `change=`.", Vec::new())]
}

fn target_done(row: &GateRow) -> Vec<Unmet> {
    let text = format!("Target {} of {} has its outcome already.", row.target, row.key);
    vec![unmet(
        "target_done",
        text,
        "Create a new change for another deployment.",
        row.people(),
    )]
}

fn stop(row: Option<&GateRow>, reasons: Vec<Unmet>, next: Option<Timestamp>) -> Answer {
    Answer {
        decision: GateDecision::Stop,
        change: row.map(|row| row.key.clone()),
        target: row.map(|row| (row.change.clone(), row.target.clone())),
        purpose: row.map_or(Purpose::Deploy, |row| row.purpose),
        reasons,
        information: row.map_or_else(Vec::new, |row| row.information.clone()),
        next_transition_at: next,
        led_by: None,
    }
}

/// Judges one row by the clock. If there is also a stored row, both must be open.
pub fn judge(row: &GateRow, now: Timestamp) -> Answer {
    let answer = judge_alone(row, now);
    match &row.written {
        Some(written) if answer.decision == GateDecision::Go => judge_alone(written, now),
        _ => answer,
    }
}

fn judge_alone(row: &GateRow, now: Timestamp) -> Answer {
    let mut reasons = row.closed.clone();
    match row.purpose {
        Purpose::Rollback => reasons.extend(row.unmet.clone()),
        Purpose::Deploy => {
            reasons.extend(gate::against(&row.key, (row.waves.as_ref(), row.member.as_ref()), now));
            reasons.extend(against(row, now));
        }
    }
    let next = next_transition(row, now);
    if !reasons.is_empty() {
        return stop(Some(row), reasons, next);
    }
    Answer {
        decision: GateDecision::Go,
        ..stop(Some(row), Vec::new(), next)
    }
}

fn against(row: &GateRow, now: Timestamp) -> Vec<Unmet> {
    let mut rows = Vec::new();
    if let Some(until) = row.glass_until {
        if now >= until {
            rows.push(unmet(
                "window_over",
                format!("The break-glass of {} ended at {until}.", row.key),
                "Roll back, or finish the work by hand; continue with a new change.",
                row.people(),
            ));
        }
        // Break-glass overrides every freeze except the halt of a major incident.
        let is_halted = |freeze: &FrozenSpan| freeze.major.as_ref().is_some_and(|it| it.halted);
        rows.extend(freezes_unmet(row, now, is_halted));
        return rows;
    }
    rows.extend(row.unmet.iter().cloned());
    let begun = row.state == State::Implementing;
    if !begun && row.state != State::Scheduled {
        let text = format!("{} is {}.", row.key, row.state);
        rows.push(unmet(
            "not_scheduled",
            text,
            "The change must be approved and scheduled first.",
            row.people(),
        ));
    }
    if row.on_hold {
        rows.push(unmet(
            "on_hold",
            format!("{} is on hold.", row.key),
            "The change must be resumed first.",
            row.people(),
        ));
    }
    rows.extend(window_unmet(row, now));
    rows.extend(freezes_unmet(row, now, |_| true));
    if row.good_until.is_some_and(|until| now >= until) {
        rows.push(unmet(
            "approval_expired",
            "An approval of the change is no longer valid.",
            "The approver is asked to approve again.",
            row.people(),
        ));
    }
    rows
}

/// The freezes that stop a row now, among those that count for it.
fn freezes_unmet(row: &GateRow, now: Timestamp, counts: impl Fn(&FrozenSpan) -> bool) -> Vec<Unmet> {
    let begun = row.state == State::Implementing;
    let mut rows = Vec::new();
    for freeze in row
        .frozen
        .iter()
        .filter(|freeze| now < freeze.ends_at && counts(freeze))
    {
        let is_on = freeze.starts_at <= now && (!begun || freeze.halt);
        let whose = row.named_target();
        let text = if let Some(major) = freeze.major.as_ref().filter(|_| is_on || row.is_unscheduled_by(freeze)) {
            major.sentence(&whose)
        } else if is_on {
            format!("The freeze “{}” is on{whose} until {}.", freeze.title, freeze.ends_at)
        } else if row.is_unscheduled_by(freeze) {
            format!(
                "The freeze “{}” lies over the window{whose}, from {} until {}.",
                freeze.title, freeze.starts_at, freeze.ends_at
            )
        } else {
            continue;
        };
        rows.push(unmet(
            "freeze",
            text,
            freeze.major.as_ref().map_or(EXCEPT, |it| it.satisfy.as_str()),
            freeze.waiting_on.clone(),
        ));
    }
    rows
}

fn window_unmet(row: &GateRow, now: Timestamp) -> Option<Unmet> {
    let (Some(opens), Some(closes)) = (row.opens_at, row.closes_at) else {
        return (!row.unmet.iter().any(|u| u.code == "not_planned")).then(|| {
            unmet(
                "not_planned",
                format!("{} has no planned times.", row.key),
                "Set the planned times.",
                row.people(),
            )
        });
    };
    if now < opens {
        return Some(unmet(
            "window_not_open",
            format!("The window of {} opens at {opens}.", row.key),
            "Wait until the window opens, or plan another time.",
            row.people(),
        ));
    }
    if now >= closes {
        let text = format!("The window of {} ended at {closes}.", row.key);
        return Some(unmet(
            "window_over",
            text,
            "Plan another time, or request an extension.",
            row.people(),
        ));
    }
    None
}

fn next_transition(row: &GateRow, now: Timestamp) -> Option<Timestamp> {
    let written = row.written.as_deref().and_then(|it| next_transition(it, now));
    next_of(row, now).into_iter().chain(written).min()
}

fn next_of(row: &GateRow, now: Timestamp) -> Option<Timestamp> {
    // Neither a freeze nor the end of the window stops a rollback.
    if row.purpose == Purpose::Rollback {
        return None;
    }
    let wave = gate::waits_until(row.waves.as_ref(), row.member.as_ref());
    let mut instants = vec![row.opens_at, row.closes_at, row.glass_until, row.good_until, wave];
    for freeze in &row.frozen {
        instants.push(Some(freeze.starts_at));
        instants.push(Some(freeze.ends_at));
    }
    instants.into_iter().flatten().filter(|instant| *instant > now).min()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn target(artifact: &str) -> Target {
        let told = serde_json::json!({
            "id": "1", "service": "shop", "environment": "production", "artifact": artifact,
        });
        serde_json::from_value(told).unwrap()
    }

    fn evidence(number: usize) -> Unmet {
        let text = format!("Passed evidence is missing for sha256:{number:064}.");
        unmet(
            "evidence_missing",
            text,
            "Add it.",
            vec![format!("person-{}", number % 3)],
        )
    }

    #[test]
    fn a_row_names_few_conditions_of_a_kind_and_all_of_its_own_target() {
        let mut rows: Vec<Unmet> = (0..1_000).map(evidence).collect();
        rows.push(unmet(
            "approval_missing",
            "Security is missing.",
            "Ask.",
            vec!["rita".to_owned()],
        ));
        let few = Few::of(rows);
        let of = |number: usize| few.for_target(&target(&format!("sha256:{number:064}")));
        let named = of(3);
        assert_eq!(named.len(), MOST_OF_A_KIND + 2);
        assert!(named.contains(&evidence(3)));
        let counts = named.iter().find(|row| row.text.starts_with("In all, 1000 conditions"));
        assert_eq!(counts.unwrap().waiting_on, ["person-0", "person-1", "person-2"]);
        let named = of(700);
        assert_eq!(named.len(), MOST_OF_A_KIND + 3);
        assert_eq!(
            named.last(),
            Some(&evidence(700)),
            "what is missing for the target itself is named"
        );
    }

    #[test]
    fn a_few_conditions_and_all_conflicts_are_named_as_they_are() {
        let rows: Vec<Unmet> = (0..MOST_OF_A_KIND).map(evidence).collect();
        assert_eq!(Few::of(rows.clone()).for_target(&target("sha256:0")), rows);
        let conflict = |number| {
            unmet(
                "conflict_open",
                format!("It meets CHG-{number}."),
                "Settle it.",
                Vec::new(),
            )
        };
        let rows: Vec<Unmet> = (0..50).map(conflict).collect();
        assert_eq!(Few::of(rows.clone()).for_target(&target("sha256:0")), rows);
    }
}
