//! Finds the changes that wait for the acting person's word: asked by a rule that is still open, and not decided yet.

use model::change::Change;
use model::file::ChangeFile;
use model::requirement::Step;
use model::words::State;
use store::record::{self, Filter};

use crate::error::Result;
use crate::room::Room;

/// The most open changes that are looked through, oldest first.
const MOST: i64 = 1_000;

/// Finds the queue, the one asked longest ago first.
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
    Ok(queue)
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
