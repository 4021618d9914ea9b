//! Finds the changes that wait for the acting person's word: asked by a rule that is still open, and not decided yet; and
//! those whose broken glass waits for a second signature that they could give.

use model::change::Change;
use model::file::ChangeFile;
use model::glass::{GlassUse, waits_for_cosignature};
use model::requirement::Step;
use model::words::State;
use store::record::{self, Filter};

use crate::error::Result;
use crate::find_acts::could_cosign;
use crate::room::Room;

/// The most open changes that are looked through, oldest first.
const MOST: i64 = 1_000;
/// How many of the latest broken glasses are looked at; a time box lasts for hours, so those that wait are among them.
const GLASSES: i64 = 20;

/// Finds the queue: broken glasses first, then the one asked longest ago.
///
/// # Errors
/// The store's.
pub fn find_queue(room: &mut Room<'_, '_>) -> Result<Vec<ChangeFile>> {
    let person = room.actor.person.clone();
    let deciding = [
        State::Authorizing.as_str(),
        State::Approved.as_str(),
        State::Scheduled.as_str(),
    ];
    let filter = Filter::new().one_of("state", deciding).order_by("number").limit(MOST);
    let asked: Vec<Change> = record::find::<Change>(room.tx, &filter)?
        .into_iter()
        .map(|stored| stored.record)
        .filter(|change| change.requests.iter().any(|request| request.person == person))
        .collect();
    let mut queue = Vec::new();
    for change in asked {
        let file = room.file(&change.key)?;
        if waits_for(room, &file)? {
            queue.push(file);
        }
    }
    let since = |file: &ChangeFile| {
        file.change
            .requests
            .iter()
            .filter(|request| request.person == person)
            .map(|request| request.asked_at)
            .min()
    };
    queue.sort_by_key(since);
    let mut glasses = find_unsigned(room)?;
    queue.retain(|file| glasses.iter().all(|glass| glass.change.id != file.change.id));
    glasses.append(&mut queue);
    Ok(glasses)
}

/// The changes whose broken glass opens nothing before the acting person, or another who could, signs it too.
fn find_unsigned(room: &mut Room<'_, '_>) -> Result<Vec<ChangeFile>> {
    let person = room.actor.person.clone();
    let latest = Filter::new().descending_by("id").limit(GLASSES);
    let mut found: Vec<ChangeFile> = Vec::new();
    for row in record::find::<GlassUse>(room.tx, &latest)? {
        let since = room.now.duration_since(row.record.at);
        if since > model::verbs::glass::LONGEST || found.iter().any(|file| file.change.id == row.record.change) {
            continue;
        }
        let change = room.change(&row.record.change_key)?;
        if !waits_for_cosignature(&change, room.now) {
            continue;
        }
        let file = room.file(&row.record.change_key)?;
        let directory = room.directory()?;
        if could_cosign(&file, &directory, &person, room.now) {
            found.push(file);
        }
    }
    Ok(found)
}

/// Whether an approval that is still missing waits for the acting person.
fn waits_for(room: &mut Room<'_, '_>, file: &ChangeFile) -> Result<bool> {
    let person = room.actor.person.clone();
    if file.standing().any(|approval| approval.person == person) {
        return Ok(false);
    }
    let directory = room.directory()?;
    let login = directory.login(&person);
    let ahead = model::requirement::ahead(file, &directory, room.now);
    Ok(ahead
        .iter()
        .filter(|row| matches!(row.step, Step::Approval | Step::Scheduling))
        .any(|row| row.unmet.waiting_on.contains(&login) && row.unmet.code == "approval_missing"))
}
