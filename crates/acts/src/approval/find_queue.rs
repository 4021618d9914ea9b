//! Finds the changes that wait for the acting person's decision: an open rule requests it and the person has not
//! decided yet. Changes whose break-glass waits for a second signature that the person could give are included.

use model::change::change_file::ChangeFile;
use model::change::record::Change;
use model::change::waiting_on::{self, Step};
use model::core::enums::State;
use model::emergency::break_glass;
use model::emergency::budget::waits_for_cosignature;
use model::emergency::records::BreakGlassUse;
use store::record::{self, Filter};

use crate::change::find_acts::could_cosign;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::services::Urgency;

/// The most open changes that are looked at, oldest first.
pub const MOST: i64 = 5_000;
/// For how many changes the related records are read at once.
const AT_ONCE: usize = 25;
/// How many of the latest break-glass uses are read; a time box lasts for hours, so waiting ones are among them.
const GLASSES: i64 = 20;

/// Finds the queue: break-glass first, then the most urgent; a limited number. Only as many changes are read as a whole as are
/// found; the others are compared by their outlines.
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
    let open = cx.outlines(&filter)?;
    let mut asked: Vec<(Urgency, &str)> = open
        .iter()
        .filter_map(|it| Some((it.urgency(&person)?, it.key.as_str())))
        .collect();
    asked.sort();
    let mut queue = find_unsigned(cx)?;
    for some in asked.chunks(most.clamp(1, AT_ONCE)) {
        if queue.len() >= most {
            break;
        }
        let mut changes = Vec::new();
        for (_, key) in some {
            if queue.iter().any(|file| file.change.key == **key) {
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
