//! Finds the changes that wait for the acting person's decision: an open rule requests it and the person has not
//! decided yet. Changes whose break-glass waits for a second signature that the person could give are included.

use std::cmp::Reverse;

use jiff::Timestamp;
use model::change::change_file::ChangeFile;
use model::change::record::Change;
use model::change::waiting_on::{self, Step};
use model::core::enums::{Kind, Level, State};
use model::core::ids::PersonId;
use model::emergency::break_glass;
use model::emergency::budget::waits_for_cosignature;
use model::emergency::records::BreakGlassUse;
use serde::Deserialize;
use store::record::{self, Filter};

use crate::change::find_acts::could_cosign;
use crate::core::context::Context;
use crate::core::error::{Error, Result};

/// The most open changes that are read, oldest first.
const MOST: i64 = 1_000;
/// For how many changes the related records are read at once.
const AT_ONCE: usize = 20;
/// How many of the latest break-glass uses are read; a time box lasts for hours, so waiting ones are among them.
const GLASSES: i64 = 20;

/// The fields read of every open change that names the acting person; the few changes that request their decision are
/// then read as a whole.
#[derive(Deserialize)]
struct Open {
    key: String,
    kind: Kind,
    risk: OpenRisk,
    #[serde(default)]
    requests: Vec<OpenRequest>,
    #[serde(default)]
    clocks: Vec<OpenClock>,
    planned_start: Option<Timestamp>,
}

#[derive(Deserialize)]
struct OpenRisk {
    level: Level,
}

#[derive(Deserialize)]
struct OpenRequest {
    rule: String,
    person: PersonId,
    asked_at: Timestamp,
}

#[derive(Deserialize)]
struct OpenClock {
    rule: String,
    decide_by: Timestamp,
    met_at: Option<Timestamp>,
}

impl Open {
    /// Sorts by due time (see [`model::change::timers::decision_due`]), then by risk, then by the time of the request;
    /// `None` for a person whose decision is not requested.
    fn urgency(&self, person: &PersonId) -> Option<(Timestamp, Reverse<Level>, Timestamp)> {
        let own = || self.requests.iter().filter(|request| &request.person == person);
        let asked_at = own().map(|request| request.asked_at).min()?;
        let clocks = self.clocks.iter().filter(|clock| clock.met_at.is_none());
        let by_rule = clocks.filter(|clock| own().any(|request| request.rule == clock.rule));
        let is_emergency = self.kind == Kind::Emergency;
        let start = self.planned_start.filter(|start| !is_emergency || *start > asked_at);
        let due = by_rule.map(|clock| clock.decide_by).chain(start).min();
        Some((due.unwrap_or(Timestamp::MAX), Reverse(self.risk.level), asked_at))
    }
}

/// Finds the queue: break-glass first, then the most urgent; a limited number.
///
/// # Errors
/// The store's.
pub fn find_queue(cx: &mut Context<'_, '_>, most: usize) -> Result<Vec<ChangeFile>> {
    let person = cx.actor.person.clone();
    let deciding = [
        State::Authorizing.as_str(),
        State::Approved.as_str(),
        State::Scheduled.as_str(),
    ];
    let filter = Filter::new().one_of("state", deciding).order_by("number").limit(MOST);
    let open = record::parts_naming::<Change, Open>(cx.tx, &filter, person.as_str())?;
    let mut asked: Vec<_> = open
        .into_iter()
        .filter_map(|it| Some((it.urgency(&person)?, it.key)))
        .collect();
    asked.sort();
    let mut queue = find_unsigned(cx)?;
    for some in asked.chunks(AT_ONCE) {
        if queue.len() >= most {
            break;
        }
        let mut changes = Vec::new();
        for (_, key) in some {
            if queue.iter().any(|file| file.change.key == *key) {
                continue;
            }
            match cx.change(key) {
                Ok(change) => changes.push(change),
                // Changes outside of the acting person's scope wait for others.
                Err(Error::Refused(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        for file in seen_files(cx, changes)? {
            if queue.len() < most && waits_for(cx, &file)? {
                queue.push(file);
            }
        }
    }
    Ok(queue)
}

/// The files of changes, read at once; one that the acting person may not see is left out.
fn seen_files(cx: &mut Context<'_, '_>, changes: Vec<Change>) -> Result<Vec<ChangeFile>> {
    match cx.files(changes.clone()) {
        Err(Error::Refused(_)) => {}
        files => return files,
    }
    let mut seen = Vec::new();
    for change in changes {
        match cx.files(vec![change]) {
            Ok(files) => seen.extend(files),
            Err(Error::Refused(_)) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(seen)
}

/// The changes whose break-glass has no effect before a second signature, which the acting person could give.
fn find_unsigned(cx: &mut Context<'_, '_>) -> Result<Vec<ChangeFile>> {
    let person = cx.actor.person.clone();
    let latest = Filter::new().descending_by("id").limit(GLASSES);
    let mut found: Vec<ChangeFile> = Vec::new();
    for row in record::find::<BreakGlassUse>(cx.tx, &latest)? {
        let since = cx.now.duration_since(row.record.at);
        if since > break_glass::LONGEST || found.iter().any(|file| file.change.id == row.record.change) {
            continue;
        }
        let change = match cx.change(&row.record.change_key) {
            Ok(change) => change,
            Err(Error::Refused(_)) => continue,
            Err(fault) => return Err(fault),
        };
        if !waits_for_cosignature(&change, cx.now) {
            continue;
        }
        let file = cx.file(&row.record.change_key)?;
        let directory = cx.directory()?;
        if could_cosign(&file, &directory, &person, cx.now) {
            found.push(file);
        }
    }
    Ok(found)
}

/// Whether a missing approval waits for the acting person.
fn waits_for(cx: &mut Context<'_, '_>, file: &ChangeFile) -> Result<bool> {
    let person = cx.actor.person.clone();
    // A change that missed its time requests no decision: it gets a new time first.
    if file.change.window_missed {
        return Ok(false);
    }
    // An approval that an edit voided in part is in force, and its author is requested again; any other decision is
    // final.
    let mut own = file.standing().filter(|approval| approval.person == person);
    if own.any(|approval| !approval.is_yes()) {
        return Ok(false);
    }
    let directory = cx.directory()?;
    let login = directory.login(&person);
    let ahead = waiting_on::ahead(file, &directory, cx.now);
    Ok(ahead
        .iter()
        .filter(|row| matches!(row.step, Step::Approval | Step::Scheduling))
        .any(|row| row.unmet.waiting_on.contains(&login) && row.unmet.code == "approval_missing"))
}
