//! Meetings of a board: opened by a change manager or commander, attended by its members each by their own word, with
//! declared conflicts of interest. Nobody brings another person into a meeting, so nobody makes a quorum alone.

use model::cab::meeting::{Attendance, DeclaredConflict, Meeting};
use model::core::act;
use model::core::body::Body;
use model::core::enums;
use model::core::ids::{GroupKey, RecordId};
use model::core::parse::{LINE, Reading, TEXT};
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::directory::unknown_name;
use serde_json::json;
use store::record;

use crate::case::settle_open::{settle_asked, settle_open};
use crate::core::context::Room;
use crate::core::error::Result;
use crate::guard::impersonation;

/// The most people at a meeting, and the most declared conflicts.
pub const MOST_ROWS: usize = 1_000;

/// The key of a group that is there.
pub(crate) fn read_group(reading: &mut Reading<'_>, directory: &Directory) -> GroupKey {
    let group = GroupKey(reading.needed("group", LINE));
    if !group.as_str().is_empty() && !directory.groups.contains_key(&group) {
        reading.wrong("group", "unknown", unknown_name::group(directory, group.as_str()));
    }
    group
}

/// Opens a meeting (`POST /meetings {group, title, starts_at?}`).
///
/// # Errors
/// 403, 422, or the store's.
pub fn open_meeting(room: &mut Room<'_, '_>, body: &Body) -> Result<Meeting> {
    room.allow(act::actions::SET_MEETING)?;
    let directory = room.directory()?;
    let mut reading = Reading::new(body, "");
    let group = read_group(&mut reading, &directory);
    let title = reading.needed("title", LINE);
    let starts_at = reading.time("starts_at").unwrap_or(room.now);
    reading.finish()?;
    let meeting = Meeting {
        id: RecordId(room.new_id()?),
        version: 0,
        group,
        title,
        starts_at,
        ended_at: None,
        by: room.actor.person.clone(),
        at: room.now,
        attendees: Vec::new(),
        conflicts: Vec::new(),
    };
    let meeting = room.put_estate("meeting.opened", meeting, json!({}))?;
    settle_asked(room)?;
    Ok(meeting)
}

/// A meeting that is not over, of whose board the acting person is.
fn own_meeting(room: &mut Room<'_, '_>, id: &str) -> Result<Meeting> {
    room.allow(act::actions::READ)?;
    impersonation::check_whole(room)?;
    let Some(stored) = record::load::<Meeting>(room.tx, id)? else {
        return Err(Refusal::not_found("meeting").into());
    };
    let meeting = stored.record;
    let directory = room.directory()?;
    let person = &room.actor.person;
    if !directory.members(&meeting.group).contains(person) {
        let text = format!(
            "{} is not of the group {}, whose meeting this is.",
            directory.name(person),
            meeting.group
        );
        return Err(Refusal::not_allowed("not_of_the_board", text).into());
    }
    if meeting.is_over(room.now) {
        let managers = directory.with_role(enums::Role::ChangeManager);
        let managers = managers.iter().map(|person| directory.login(person)).collect();
        let help = "A change manager opens another.";
        return Err(Refusal::not_now("meeting_over", "The meeting is over.", help, managers).into());
    }
    if room.actor.by_token && directory.has_role(person, enums::Role::Pipeline) {
        let text = "A pipeline's token sits on no board.";
        return Err(Refusal::not_allowed("not_of_the_board", text).into());
    }
    Ok(meeting)
}

fn check_room_for(reading: &mut Reading<'_>, field: &str, rows: usize) {
    if rows >= MOST_ROWS {
        reading.wrong(
            field,
            "too_many",
            format!("A meeting holds at most {MOST_ROWS} of them."),
        );
    }
}

/// Says that one is there (`POST /meetings/{id}/attendance`); again, it changes nothing.
///
/// # Errors
/// 403 for whoever is not of the board, 404, 409 when the meeting is over or has not begun, or the store's.
pub fn attend_meeting(room: &mut Room<'_, '_>, id: &str, body: &Body) -> Result<Meeting> {
    impersonation::check_voice(room)?;
    let mut meeting = own_meeting(room, id)?;
    let mut reading = Reading::new(body, "");
    check_room_for(&mut reading, "attendees", meeting.attendees.len());
    reading.finish()?;
    if meeting.starts_at > room.now {
        let text = format!("The meeting begins at {}.", meeting.starts_at);
        return Err(Refusal::not_now("meeting_not_begun", text, "Attend it then.", Vec::new()).into());
    }
    let person = room.actor.person.clone();
    if meeting.has(&person) {
        return Ok(meeting);
    }
    // Whoever comes again is there from now on.
    meeting.attendees.retain(|row| row.person != person);
    meeting.attendees.push(Attendance {
        person: person.clone(),
        at: room.now,
        left_at: None,
    });
    let meeting = room.put_estate("meeting.attended", meeting, json!({"person": person}))?;
    settle_asked(room)?;
    Ok(meeting)
}

/// Says that one is there no more (`DELETE /meetings/{id}/attendance`): from here on the person counts for no quorum and votes
/// no more, until they come again. Words that they gave stand, and so does what was decided while they were there.
///
/// # Errors
/// 403 for whoever is not of the board, 404, 409 when the meeting is over or they never came, or the store's.
pub fn leave_meeting(room: &mut Room<'_, '_>, id: &str) -> Result<Meeting> {
    let mut meeting = own_meeting(room, id)?;
    let person = room.actor.person.clone();
    let Some(row) = meeting.attendees.iter_mut().find(|row| row.person == person) else {
        let text = format!("You are not at the meeting “{}”.", meeting.title);
        return Err(Refusal::not_now("not_attending", text, "Nothing is left to do.", Vec::new()).into());
    };
    if row.left_at.is_some() {
        return Ok(meeting);
    }
    row.left_at = Some(room.now);
    let meeting = room.put_estate("meeting.left", meeting, json!({"person": person}))?;
    settle_asked(room)?;
    Ok(meeting)
}

/// Declares a conflict of interest of one's own (`POST /meetings/{id}/conflicts {change, reason}`): from here on the person
/// counts neither for the quorum nor for a vote about that change, and a vote given before counts no more.
///
/// # Errors
/// 403 for whoever is not of the board, 404, 409 when the meeting is over, 422, or the store's.
pub fn declare_conflict(room: &mut Room<'_, '_>, id: &str, body: &Body) -> Result<Meeting> {
    impersonation::check_voice(room)?;
    let mut meeting = own_meeting(room, id)?;
    let mut reading = Reading::new(body, "");
    let key = reading.needed("change", LINE);
    let reason = reading.needed("reason", TEXT);
    check_room_for(&mut reading, "conflicts", meeting.conflicts.len());
    reading.finish()?;
    let change = room.change(&key)?;
    let person = room.actor.person.clone();
    if meeting.has_conflict(&person, &change.id) {
        return Ok(meeting);
    }
    meeting.conflicts.push(DeclaredConflict {
        person: person.clone(),
        change: change.id.clone(),
        change_key: change.key.clone(),
        reason,
        at: room.now,
    });
    let data = json!({"person": person, "change": change.id});
    let meeting = room.put_estate("meeting.conflict_declared", meeting, data)?;
    settle_open(room, |open| open.id == change.id)?;
    Ok(meeting)
}

/// Ends a meeting (`DELETE /meetings/{id}`); what was decided at it stands.
///
/// # Errors
/// 403, 404, or the store's.
pub fn end_meeting(room: &mut Room<'_, '_>, id: &str) -> Result<Meeting> {
    room.allow(act::actions::SET_MEETING)?;
    let Some(stored) = record::load::<Meeting>(room.tx, id)? else {
        return Err(Refusal::not_found("meeting").into());
    };
    if stored.record.ended_at.is_some() {
        return Ok(stored.record);
    }
    let ended = Meeting {
        ended_at: Some(room.now),
        ..stored.record
    };
    room.put_estate("meeting.ended", ended, json!({}))
}
