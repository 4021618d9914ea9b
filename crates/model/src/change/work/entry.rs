//! The log of actions: actions, skipped steps, observations and withdrawn entries.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::steps::{Run, UNDO_WITHIN, counted};
use super::{not_long_before_creation, remember_implementer, target_field};
use crate::change::change_file::Case;
use crate::change::next_step::check_state;
use crate::change::record::Step;
use crate::change::related_records::{Entry, WayBack};
use crate::change::settle::settle;
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::enums::{EntryKind, Purpose};
use crate::core::ids::{PersonId, RecordId, TargetId};
use crate::core::parse::{LINE, Reading, TEXT, later};
use crate::core::refusal::Refusal;
use crate::directory::snapshot::logins;

/// How many entries of one change are looked at.
pub const MOST_ENTRIES: i64 = 5_000;
/// The longest key of a tap.
const TAP_MAX: usize = 64;
/// By how many seconds a device's clock may differ before its times are corrected: the transfer to the server takes time too.
const CLOCK_TOLERANCE_SECONDS: i64 = 30;
/// A clock that differs by more is set wrong, and none of its times can be relied on.
const CLOCK_MOST_SECONDS: i64 = 24 * 3600;

/// The content of an entry in the log of actions.
struct EntryInput {
    text: String,
    kind: EntryKind,
    target: Option<TargetId>,
    /// The id, or the key of the tap, of what is taken back.
    withdraws: Option<String>,
    step: Option<i64>,
    is_skipped: bool,
    tap: Option<String>,
    time: SaidTime,
}

/// When it happened, as the author reports it.
#[derive(Clone, Copy)]
struct SaidTime {
    at: Timestamp,
    /// Whether a device kept the time by its own clock while it was offline.
    is_kept: bool,
    clock_ahead_seconds: Option<i64>,
}

/// The part that an entry takes back.
enum TakenBack {
    WayBack(RecordId),
    /// The entry, the number of its step, and its kind.
    Step(RecordId, i64, EntryKind),
}

impl TakenBack {
    fn id(&self) -> &RecordId {
        match self {
            Self::WayBack(id) | Self::Step(id, ..) => id,
        }
    }
}

/// The entry of an earlier identical request, by the key in the body: a device that lost the response sends the request again.
///
/// # Errors
/// 409 where the key is another person's, or another tap's.
pub fn repeated(person: &PersonId, body: &Body, earlier: &[Entry]) -> Result<Option<RecordId>, Refusal> {
    let Some(tap) = body.get("tap").and_then(|it| it.as_str()) else {
        return Ok(None);
    };
    let Some(known) = earlier.iter().find(|entry| entry.tap.as_deref() == Some(tap)) else {
        return Ok(None);
    };
    let step = body.get("step").and_then(serde_json::Value::as_i64);
    let kind = body.get("kind").and_then(|it| it.as_str()).unwrap_or("step");
    if known.by != *person || known.step != step || known.kind.as_str() != kind {
        let text = "This `tap` was already used for another entry.";
        return Err(Refusal::not_now(
            "tap_reused",
            text,
            "Use a unique key for each tap.",
            Vec::new(),
        ));
    }
    Ok(Some(known.id.clone()))
}

/// Writes into the log of actions. `earlier` holds the existing entries: they are needed where a step ends (`step`) or an entry
/// is taken back (`withdraws`).
///
/// # Errors
/// 403, 422, 409.
pub fn record(case: &mut Case<'_>, body: &Body, earlier: &[Entry]) -> Result<RecordId, Refusal> {
    case.allow(Act::Record)?;
    let mut reading = Reading::new(body, "");
    let said = read(case, &mut reading, earlier);
    reading.finish()?;
    said.target
        .iter()
        .try_for_each(|target| case.check_agents_target(target))?;
    check_state(case, Act::Record)?;
    check_skipper(case, &said)?;
    check_begin(case, &said, earlier)?;
    let taken_back = check_withdrawn(case, &said, earlier)?;
    check_watch(case, &said, earlier)?;
    let (id, change, by, at) = (case.new_id(), case.change_id(), case.person(), case.now);
    remember_implementer(case, &by);
    note_way_back(case, &said, taken_back.as_ref(), earlier);
    case.emit_at(
        "entry.recorded",
        said.time.at,
        describe(&id, &said, taken_back.as_ref()),
    );
    let (kind, step) = (said.kind, said.step);
    let is_withdrawal = matches!(taken_back, Some(TakenBack::WayBack(_)));
    case.file.entries.push(Entry {
        id: id.clone(),
        version: 0,
        change,
        kind,
        text: said.text,
        step,
        target: said.target,
        withdraws: taken_back.map(|it| it.id().clone()),
        skipped: said.is_skipped,
        tap: said.tap,
        clock_ahead_seconds: said.time.clock_ahead_seconds,
        occurred_at: said.time.at,
        by,
        at,
    });
    // The begin of a rollback is news; single steps are not.
    let is_step = matches!(kind, EntryKind::Step | EntryKind::Begin);
    let is_news = !(is_step || kind == EntryKind::Rollback && step.is_some());
    if is_news {
        notify_entry(case, &id, kind, is_withdrawal);
    }
    settle(case);
    Ok(id)
}

fn read(case: &Case<'_>, reading: &mut Reading<'_>, earlier: &[Entry]) -> EntryInput {
    let text = reading.needed("text", TEXT);
    let kind = reading.word("kind").unwrap_or(EntryKind::Step);
    let target = target_field(case, reading);
    let withdraws = withdraws_field(reading, kind);
    let plan = followed(case, walked(kind, earlier));
    let steps = i64::try_from(plan.len()).unwrap_or(i64::MAX);
    let step = reading.integer("step", 1..=steps.max(1));
    let is_skipped = reading.boolean("skipped").unwrap_or(false);
    let ends_steps = matches!(kind, EntryKind::Step | EntryKind::Rollback);
    if is_skipped && (step.is_none() || !ends_steps) {
        let text = "`skipped` needs a `step` and the kind `step`, or `rollback` for a rollback step.";
        reading.wrong("skipped", "not_here", text);
    }
    if kind == EntryKind::Begin && !reading.says("step") {
        reading.wrong(
            "step",
            "missing",
            "`step` is missing: the kind `begin` needs the step that began.",
        );
    }
    let takes_back_step = withdraws.is_some() && kind == EntryKind::Step;
    if takes_back_step && (step.is_some() || is_skipped) {
        let text = "Use `withdraws` without `step`: the withdrawn entry already contains the step.";
        reading.wrong("step", "not_here", text);
    }
    EntryInput {
        text,
        kind,
        target,
        withdraws,
        step,
        is_skipped,
        tap: reading.technical("tap", TAP_MAX),
        time: time_field(
            case,
            reading,
            step.is_some() && (ends_steps || kind == EntryKind::Begin),
        ),
    }
}

/// The kind under which the ends of the steps are recorded that an entry is about: a step begins in the plan that is followed.
fn walked(kind: EntryKind, earlier: &[Entry]) -> EntryKind {
    match kind {
        EntryKind::Begin if WayBack::of(earlier).is_some() => EntryKind::Rollback,
        EntryKind::Begin => EntryKind::Step,
        other => other,
    }
}

/// The plan whose steps a kind of entry is about.
fn followed<'c>(case: &'c Case<'_>, kind: EntryKind) -> &'c [Step] {
    let content = &case.change().content;
    match kind {
        EntryKind::Rollback => &content.rollback_plan,
        _ => &content.plan,
    }
}

/// When it happened. A device that was without a connection also sends `sent_at`, the sending time by its own clock: the
/// difference to the server's time is the error of that clock, and corrects `occurred_at`.
fn time_field(case: &Case<'_>, reading: &mut Reading<'_>, ends_step: bool) -> SaidTime {
    let said_at = reading.time("occurred_at");
    let sent_at = reading.time("sent_at");
    let ahead = sent_at.map_or(0, |sent| sent.duration_since(case.now).as_secs());
    if ahead.abs() > CLOCK_MOST_SECONDS {
        let text =
            "The clock of the device differs by more than a day from the server’s. Set it, or send without the times.";
        reading.wrong("sent_at", "out_of_range", text);
    }
    let is_off = ahead.abs() > CLOCK_TOLERANCE_SECONDS;
    let corrected = |at: Timestamp| match is_off {
        true => later(at, SignedDuration::from_secs(ahead.saturating_neg())),
        false => at,
    };
    let mut at = said_at.map_or(case.now, corrected);
    let tolerance = SignedDuration::from_secs(if sent_at.is_some() { CLOCK_TOLERANCE_SECONDS } else { 0 });
    if at > case.now {
        if at > later(case.now, tolerance) {
            reading.wrong("occurred_at", "in_the_future", "`occurred_at` cannot lie ahead.");
        }
        at = case.now;
    }
    not_long_before_creation(case, reading, "occurred_at", said_at.map(|_| at));
    let change = case.change();
    let start = change
        .actual_start
        .filter(|_| ends_step && change.retrospective.is_none());
    if let Some(start) = start.filter(|start| at < *start) {
        if at < later(start, -tolerance) {
            let text = format!(
                "`occurred_at` lies before the start of the work, at {start}. A step can only be done \
                after the start."
            );
            reading.wrong("occurred_at", "out_of_order", text);
        }
        at = start;
    }
    SaidTime {
        at,
        is_kept: sent_at.is_some(),
        clock_ahead_seconds: Some(ahead).filter(|_| is_off),
    }
}

fn withdraws_field(reading: &mut Reading<'_>, kind: EntryKind) -> Option<String> {
    let named = reading.text("withdraws", LINE)?;
    if !matches!(kind, EntryKind::Deviation | EntryKind::Step) {
        let text = "`withdraws` needs the kind `deviation` for the start of a rollback, so that the same people are \
            notified, and the kind `step` for a step that was recorded by mistake.";
        reading.wrong("withdraws", "not_here", text);
    }
    Some(named)
}

/// What the event of an entry says beside its words.
fn describe(id: &RecordId, said: &EntryInput, taken_back: Option<&TakenBack>) -> serde_json::Value {
    let mut data = json!({"entry": id, "kind": said.kind});
    if let Some(taken_back) = taken_back {
        data["withdraws"] = json!(taken_back.id());
    }
    if let Some(TakenBack::Step(_, number, kind)) = taken_back {
        data["undoes"] = (*number).into();
        data["undone_kind"] = json!(kind);
    }
    if let Some(number) = said.step {
        data["step"] = number.into();
    }
    if said.is_skipped {
        data["skipped"] = true.into();
    }
    if let Some(ahead) = said.time.clock_ahead_seconds {
        data["clock_ahead_seconds"] = ahead.into();
    }
    data
}

/// Whether a rollback is in progress: one of its steps is done, or a permit for it was used. A step that was recorded by
/// mistake does not count.
fn note_way_back(case: &mut Case<'_>, said: &EntryInput, taken_back: Option<&TakenBack>, earlier: &[Entry]) {
    let is_back = said.kind == EntryKind::Rollback && said.step.is_some() && !said.is_skipped;
    if is_back {
        case.file.change.way_back_taken = true;
    }
    let Some(TakenBack::Step(id, _, EntryKind::Rollback)) = taken_back else {
        return;
    };
    let is_done =
        |entry: &&Entry| entry.id != *id && entry.kind == EntryKind::Rollback && entry.step.is_some() && !entry.skipped;
    let has_used = case
        .file
        .permits
        .iter()
        .any(|permit| permit.purpose == Purpose::Rollback && permit.used_at.is_some());
    case.file.change.way_back_taken = has_used || counted(earlier).iter().any(is_done);
}

/// Owner and change managers are notified of an entry that is more than a step.
fn notify_entry(case: &mut Case<'_>, id: &RecordId, kind: EntryKind, is_withdrawal: bool) {
    let (name, key) = (case.name(&case.person()), &case.change().key);
    let news = match kind {
        _ if is_withdrawal => format!("{name} withdrew the start of the rollback of {key}: the work continues."),
        EntryKind::Rollback => format!("{name} began to roll {key} back."),
        _ => format!("{name} reports a {kind} on {key}."),
    };
    for person in case.people_in_charge() {
        case.write_to(
            &person,
            "work_report",
            id.as_str(),
            news.clone(),
            "Read the log of actions and decide whether to continue.",
        );
    }
}

/// The part that is taken back, where that is allowed.
fn check_withdrawn(case: &Case<'_>, said: &EntryInput, earlier: &[Entry]) -> Result<Option<TakenBack>, Refusal> {
    let Some(named) = said.withdraws.as_deref() else {
        return Ok(None);
    };
    match said.kind {
        EntryKind::Step => check_undone(case, said, named, earlier).map(Some),
        _ => check_way_back(named, earlier).map(Some),
    }
}

/// A rollback that was begun by mistake is taken back before any of its steps was done: finished steps stay.
fn check_way_back(named: &str, earlier: &[Entry]) -> Result<TakenBack, Refusal> {
    match WayBack::of(earlier).filter(|back| is_named(back.begun, named)) {
        Some(back) if back.is_walked => Err(Refusal::not_now(
            "way_back_walked",
            "The rollback cannot be withdrawn: one of its steps is done.",
            "Finish the rollback, and record the outcome.",
            Vec::new(),
        )),
        Some(back) => Ok(TakenBack::WayBack(back.begun.id.clone())),
        None => {
            let text = "`withdraws` is not the start of a rollback that is in progress.";
            Err(Refusal::field("withdraws", "unknown", text))
        }
    }
}

/// A device without a connection knows what it noted by the key of the tap alone.
fn is_named(entry: &Entry, named: &str) -> bool {
    entry.id.as_str() == named || entry.tap.as_deref() == Some(named)
}

/// A step that was noted by mistake is taken back by the same person within minutes. Both entries stay in the log.
fn check_undone(case: &Case<'_>, said: &EntryInput, named: &str, earlier: &[Entry]) -> Result<TakenBack, Refusal> {
    let found = counted(earlier).into_iter().find(|entry| is_named(entry, named));
    let ended = found.filter(|entry| matches!(entry.kind, EntryKind::Step | EntryKind::Begin | EntryKind::Rollback));
    let Some((entry, step)) = ended.and_then(|entry| Some((entry, entry.step?))) else {
        let text = "`withdraws` must be the entry of a step that is done or skipped. Use the kind `deviation` to \
            withdraw a rollback that was started by mistake.";
        return Err(Refusal::field("withdraws", "unknown", text));
    };
    if entry.by != case.person() {
        let text = format!(
            "{} recorded this step, and only they can withdraw it.",
            case.name(&entry.by)
        );
        let who = logins(&case.directory, std::slice::from_ref(&entry.by));
        return Err(Refusal::not_allowed("not_your_entry", text).with_others(who));
    }
    // Only a device that kept the tap knows an earlier time than the server's.
    let at = if said.time.is_kept { said.time.at } else { case.now };
    if at > later(entry.occurred_at, UNDO_WITHIN) && case.now > later(entry.at, UNDO_WITHIN) {
        let text = format!(
            "A step can be withdrawn within {} minutes; this step was recorded at {}.",
            UNDO_WITHIN.as_mins(),
            entry.at
        );
        let next = "Record differences with the kind `deviation`: the owner and the change managers are notified.";
        return Err(Refusal::not_now("undo_too_late", text, next, Vec::new()));
    }
    Ok(TakenBack::Step(entry.id.clone(), step, entry.kind))
}

/// A reason for going without a step is a person's.
fn check_skipper(case: &Case<'_>, said: &EntryInput) -> Result<(), Refusal> {
    if !said.is_skipped || case.directory.agent(&case.person()).is_none() {
        return Ok(());
    }
    let text = "An agent cannot skip a step; an implementer can, with a reason.";
    Err(Refusal::not_allowed("agent_skips_nothing", text))
}

/// A step begins once, and not after its end.
fn check_begin(case: &Case<'_>, said: &EntryInput, earlier: &[Entry]) -> Result<(), Refusal> {
    let Some(number) = said.step.filter(|_| said.kind == EntryKind::Begin) else {
        return Ok(());
    };
    let run = Run::of(case.change(), walked(said.kind, earlier), earlier);
    let text = match run.begin_of(number) {
        _ if run.standing(number).is_over() => format!("Step {number} was already done or skipped."),
        Some(begin) => format!("{} recorded the start of step {number}.", case.name(&begin.by)),
        None => return Ok(()),
    };
    let next = "Record its end with the kind `step` or `rollback`, or a difference with the kind `deviation`.";
    Err(Refusal::not_now("step_begun", text, next, Vec::new()))
}

/// A watch step ends after its minutes, and after the steps before it; only skipping ends the watch earlier.
fn check_watch(case: &Case<'_>, said: &EntryInput, earlier: &[Entry]) -> Result<(), Refusal> {
    let ends = matches!(said.kind, EntryKind::Step | EntryKind::Rollback) && !said.is_skipped;
    let Some(number) = said.step.filter(|_| ends) else {
        return Ok(());
    };
    let place = usize::try_from(number - 1).unwrap_or(usize::MAX);
    if !followed(case, said.kind).get(place).is_some_and(|step| step.watch) {
        return Ok(());
    }
    let run = Run::of(case.change(), said.kind, earlier);
    if let Some(open) = run.open_before(number) {
        let text = format!("Step {number} is a watch step, and step {open} before it is neither done nor skipped.");
        let next = format!("Record step {open} first, or skip step {number} with a reason (`skipped`).");
        return Err(Refusal::not_now("watch_not_begun", text, next, Vec::new()));
    }
    let Some(until) = run.watches_until(number).filter(|until| said.time.at < *until) else {
        return Ok(());
    };
    let text = format!("Step {number} is a watch step that lasts until {until}.");
    let next = "Continue watching until then, or skip the step with a reason (`skipped`).";
    Err(Refusal::not_now("watch_goes_on", text, next, Vec::new()))
}
