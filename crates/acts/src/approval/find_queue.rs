//! Finds the changes that wait for the acting person's word: asked by a rule that is still open, and not decided yet; and
//! those whose broken glass waits for a second signature that they could give.

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

/// The most open changes that are looked through, oldest first.
const MOST: i64 = 1_000;
/// Of how many changes what hangs on them is read at once.
const AT_ONCE: usize = 20;
/// How many of the latest broken glasses are looked at; a time box lasts for hours, so those that wait are among them.
const GLASSES: i64 = 20;

/// What is looked at of every open change that names the acting person; the few that ask them are then read as a whole.
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
    /// What is due first comes first (see [`model::change::timers::decision_due`]), then the graver, then what was asked longest ago;
    /// nothing for who is not asked.
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

/// Finds the queue: broken glasses first, then the most urgent; so many at most.
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
                // Outside of the acting person's scope nothing waits for them.
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

/// The changes whose broken glass opens nothing before the acting person, or another who could, signs it too.
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

/// Whether an approval that is still missing waits for the acting person.
fn waits_for(cx: &mut Context<'_, '_>, file: &ChangeFile) -> Result<bool> {
    let person = cx.actor.person.clone();
    // Nobody is asked about a time that has passed: it gets new times first.
    if file.change.window_missed {
        return Ok(false);
    }
    // A yes of which an edit voided a part stands, and its author is asked anew; any other word is their last.
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
