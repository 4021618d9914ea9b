//! Meetings of a board: a change manager or commander opens a meeting, and members join by their own act, with declared
//! conflicts of interest. Nobody brings another person into a meeting, so nobody makes a quorum alone.

use model::cab::agenda::Agenda;
use model::cab::meeting::{Attendance, DeclaredConflict, Meeting};
use model::core::body::Body;
use model::core::ids::{GroupKey, RecordId};
use model::core::parse::{LINE, Reading, TEXT};
use model::core::refusal::Refusal;
use model::core::{act, enums};
use model::directory::snapshot::Directory;
use model::directory::unknown_name;
use serde_json::json;
use store::record;

use crate::cab::follow_minutes;
use crate::case::settle_one::settle_own;
use crate::case::settle_open::settle_with_approvers;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::guard::impersonation;

/// The most people at a meeting, and the most declared conflicts.
pub const MOST_ROWS: usize = 1_000;

/// The key of an existing group.
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
pub fn open_meeting(cx: &mut Context<'_, '_>, body: &Body) -> Result<Meeting> {
    cx.allow(act::actions::SET_MEETING)?;
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let group = read_group(&mut reading, &directory);
    if directory.groups.contains_key(&group) && directory.members(&group).is_empty() {
        let text = format!("The group {group} has no active member.");
        reading.wrong("group", "no_members", text);
    }
    let title = reading.needed("title", LINE);
    let starts_at = reading.time("starts_at").unwrap_or(cx.now);
    reading.finish()?;
    let meeting = Meeting {
        id: RecordId(cx.new_id()?),
        version: 0,
        group,
        title,
        starts_at,
        ended_at: None,
        by: cx.actor.person.clone(),
        at: cx.now,
        attendees: Vec::new(),
        conflicts: Vec::new(),
        listed: None,
    };
    let meeting = cx.put_estate("meeting.opened", meeting, json!({}))?;
    settle_with_approvers(cx)?;
    Ok(meeting)
}

/// The logins of the active members of a board.
fn members_of(directory: &Directory, group: &GroupKey) -> Vec<String> {
    let members = directory.members(group);
    members.iter().map(|person| directory.login(person)).collect()
}

/// A meeting that is not over, of a board with the acting person as a member.
pub(crate) fn own_meeting(cx: &mut Context<'_, '_>, id: &str) -> Result<Meeting> {
    cx.allow(act::actions::READ)?;
    impersonation::check_whole(cx)?;
    let Some(stored) = record::load::<Meeting>(cx.tx, id)? else {
        return Err(Refusal::not_found("meeting").into());
    };
    let meeting = stored.record;
    let directory = cx.directory()?;
    let person = &cx.actor.person;
    if !directory.members(&meeting.group).contains(person) {
        let text = format!(
            "{} is not a member of the group {}, which holds this meeting.",
            directory.name(person),
            meeting.group
        );
        let members = members_of(&directory, &meeting.group);
        return Err(Refusal::not_allowed("not_of_the_board", text)
            .with_others(members)
            .into());
    }
    if meeting.is_over(cx.now) {
        let managers = directory.with_role(enums::Role::ChangeManager);
        let managers = managers.iter().map(|person| directory.login(person)).collect();
        let help = "A change manager can open another one.";
        return Err(Refusal::not_now("meeting_over", "The meeting is over.", help, managers).into());
    }
    if cx.actor.by_token && directory.has_role(person, enums::Role::Pipeline) {
        let text = "A pipeline's token cannot take part in a board.";
        let members = members_of(&directory, &meeting.group);
        return Err(Refusal::not_allowed("not_of_the_board", text)
            .with_others(members)
            .into());
    }
    Ok(meeting)
}

fn check_room_for(reading: &mut Reading<'_>, field: &str, rows: usize) {
    if rows >= MOST_ROWS {
        reading.wrong(
            field,
            "too_many",
            format!("A meeting can have at most {MOST_ROWS} of them."),
        );
    }
}

/// Records that the acting person is present (`POST /meetings/{id}/attendance`); a repetition changes nothing.
///
/// # Errors
/// 403 for a person who is not of the board, 404, 409 when the meeting is over or has not begun, or the store's.
pub fn attend_meeting(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<Meeting> {
    impersonation::check_voice(cx)?;
    let mut meeting = own_meeting(cx, id)?;
    let mut reading = Reading::new(body, "");
    check_room_for(&mut reading, "attendees", meeting.attendees.len());
    reading.finish()?;
    if meeting.starts_at > cx.now {
        let text = format!("The meeting begins at {}.", meeting.starts_at);
        return Err(Refusal::not_now("meeting_not_begun", text, "Attend it then.", Vec::new()).into());
    }
    let person = cx.actor.person.clone();
    if meeting.has(&person) {
        return Ok(meeting);
    }
    // A person who comes back is present from now on.
    meeting.attendees.retain(|row| row.person != person);
    meeting.attendees.push(Attendance {
        person: person.clone(),
        at: cx.now,
        left_at: None,
    });
    let meeting = cx.put_estate("meeting.attended", meeting, json!({"person": person}))?;
    settle_with_approvers(cx)?;
    Ok(meeting)
}

/// Records that the acting person has left (`DELETE /meetings/{id}/attendance`): from here on the person counts for no
/// quorum and has no vote until they come back. Their earlier votes stay valid, and so do the decisions made while they
/// were present.
///
/// # Errors
/// 403 for a person who is not of the board, 404, 409 when the meeting is over or they never came, or the store's.
pub fn leave_meeting(cx: &mut Context<'_, '_>, id: &str) -> Result<Meeting> {
    let mut meeting = own_meeting(cx, id)?;
    let person = cx.actor.person.clone();
    let Some(row) = meeting.attendees.iter_mut().find(|row| row.person == person) else {
        let text = format!("You are not attending the meeting “{}”.", meeting.title);
        return Err(Refusal::not_now("not_attending", text, "Nothing is left to do.", Vec::new()).into());
    };
    if row.left_at.is_some() {
        return Ok(meeting);
    }
    row.left_at = Some(cx.now);
    let meeting = cx.put_estate("meeting.left", meeting, json!({"person": person}))?;
    settle_with_approvers(cx)?;
    Ok(meeting)
}

/// Declares a conflict of interest of one's own (`POST /meetings/{id}/conflicts {change, reason}`): from here on the
/// person counts neither for the quorum nor for a vote about that change, and an earlier vote is void.
///
/// # Errors
/// 403 for a person who is not of the board, 404, 409 when the meeting is over, 422, or the store's.
pub fn declare_conflict(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<Meeting> {
    impersonation::check_voice(cx)?;
    let mut meeting = own_meeting(cx, id)?;
    let mut reading = Reading::new(body, "");
    let key = reading.needed("change", LINE);
    let reason = reading.needed("reason", TEXT);
    check_room_for(&mut reading, "conflicts", meeting.conflicts.len());
    reading.finish()?;
    let change = cx.change(&key)?;
    let person = cx.actor.person.clone();
    if meeting.has_conflict(&person, &change.id) {
        return Ok(meeting);
    }
    meeting.conflicts.push(DeclaredConflict {
        person: person.clone(),
        change: change.id.clone(),
        change_key: change.key.clone(),
        reason,
        at: cx.now,
    });
    let data = json!({"person": person, "change": change.id});
    let meeting = cx.put_estate("meeting.conflict_declared", meeting, data)?;
    settle_own(cx, &change)?;
    Ok(meeting)
}

/// Ends a meeting (`DELETE /meetings/{id}`); its decisions stay valid.
///
/// # Errors
/// 403, 404, or the store's.
pub fn end_meeting(cx: &mut Context<'_, '_>, id: &str) -> Result<Meeting> {
    cx.allow(act::actions::SET_MEETING)?;
    let Some(stored) = record::load::<Meeting>(cx.tx, id)? else {
        return Err(Refusal::not_found("meeting").into());
    };
    if stored.record.ended_at.is_some() {
        return Ok(stored.record);
    }
    let ended = Meeting {
        ended_at: Some(cx.now),
        ..stored.record
    };
    let ended = cx.put_estate("meeting.ended", ended, json!({}))?;
    // Open items wait for another meeting.
    settle_with_approvers(cx)?;
    if ended.starts_at > cx.now
        && let Some(agenda) = record::load::<Agenda>(cx.tx, ended.id.as_str())?
    {
        follow_minutes::settle_all(cx, &agenda.record, "The meeting was cancelled.")?;
    }
    Ok(ended)
}
