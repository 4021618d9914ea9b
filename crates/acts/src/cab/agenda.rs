//! Agendas: planned for a meeting, frozen at their time with the changes that need the board, and followed until the
//! meeting begins.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};
use model::cab::agenda::{
    Agenda, AgendaInput, AgendaState, LEAST_VOTE_MINUTES, MINUTES, MOST_ITEMS, check_freeze_at, month_span,
};
use model::cab::agenda_item::{AgendaItem, ItemListing, ListingGround, digest_of, put_in_order, waits_for};
use model::cab::meeting::{ListedChange, Meeting};
use model::cab::minutes::{Minutes, minutes_of, verifies};
use model::change::change_file::ChangeFile;
use model::change::record::Change;
use model::core::act::actions;
use model::core::enums::State;
use model::core::ids::{ChangeId, GroupKey, PersonId, RecordId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::directory::unknown_name;
use serde_json::{Value, json};
use store::queue::timer::{self, NewTimer};
use store::record::{self, Filter};

use crate::cab::board_pack::{self, BoardPack};
use crate::cab::follow_minutes;
pub use crate::cab::listed_items::items_of;
use crate::case::settle_open::settle_with_approvers;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::messages::save_message;
use crate::core::noun::PlainNoun;
use crate::core::write::{Versioned, Written, draft};

/// The table of agendas and of their timers.
pub const TABLE: &str = "agenda";
/// The kind of an agenda's timer.
const KIND: &str = "agenda";
/// How many open changes are read at once.
const A_PAGE: i64 = 1_000;
/// For how many changes the related records are read at once.
const AT_ONCE: usize = 20;
/// The most agendas of a board that are listed.
const MOST_LISTED: i64 = 100;

impl PlainNoun for Agenda {
    type Input = AgendaInput;
    const IS_HISTORY: bool = true;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn page(&self) -> Option<String> {
        Some(format!("/meetings/{}", self.id))
    }

    fn is_in_use(&self) -> bool {
        self.state != AgendaState::Signed
    }

    fn add(cx: &mut Context<'_, '_>, input: AgendaInput, mut reading: Reading<'_>) -> Result<Self> {
        let directory = cx.directory()?;
        let meeting = record::load::<Meeting>(cx.tx, &input.meeting)?.map(|stored| stored.record);
        check_plannable(cx, &mut reading, (&input, meeting.as_ref()))?;
        let group = meeting.as_ref().map(|it| it.group.clone());
        let chair = read_chair(cx, &mut reading, (input.chair.as_deref(), group.as_ref()), &directory);
        check_month(&mut reading, input.month.as_deref(), cx.now);
        reading.finish()?;
        let (Some(meeting), Some(chair)) = (meeting, chair) else {
            return Err(Refusal::not_found("meeting").into());
        };
        let planned = Planned {
            freeze_at: input.freeze_at,
            chair,
            month: input.month,
            series: None,
        };
        plan(cx, &meeting, planned)
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: AgendaInput, mut reading: Reading<'_>) -> Result<Self> {
        let directory = cx.directory()?;
        let mut edited = self.clone();
        if reading.says("meeting") {
            reading.wrong("meeting", "not_allowed", "The meeting of an agenda stays.");
        }
        if reading.says("chair") {
            let found = read_chair(
                cx,
                &mut reading,
                (input.chair.as_deref(), Some(&self.group)),
                &directory,
            );
            edited.chair = found.unwrap_or(edited.chair);
        }
        let is_open = self.state == AgendaState::Open;
        for field in ["freeze_at", "month"] {
            if reading.says(field) && !is_open {
                reading.wrong(field, "frozen", "The agenda is frozen; only its chair may change.");
            }
        }
        if is_open && reading.says("freeze_at") {
            let meeting = record::load::<Meeting>(cx.tx, self.id.as_str())?.map(|stored| stored.record);
            if let Some(meeting) = &meeting {
                check_freeze_at(&mut reading, input.freeze_at, meeting, cx.now);
            }
            edited.freeze_at = input.freeze_at;
        }
        if is_open && reading.says("month") {
            check_month(&mut reading, input.month.as_deref(), cx.now);
            edited.month = input.month;
        }
        reading.finish()?;
        let has_other_chair = edited.chair != self.chair;
        let edited = keep(cx, "agenda.edited", edited, json!({}))?;
        set_timer(cx, &edited)?;
        if has_other_chair {
            follow_minutes::change_chair(cx, &edited)?;
        }
        Ok(edited)
    }

    /// Items that came after the freeze are looked up when one agenda is shown.
    fn complete(cx: &mut Context<'_, '_>, records: &[Self], values: &mut [Value]) -> Result<()> {
        let (directory, sees_all) = (cx.directory()?, cx.scope()?.is_none());
        for (agenda, value) in records.iter().zip(values.iter_mut()) {
            if let Some(minutes) = minutes_of(agenda) {
                value["record"] = with_logins(&minutes, &directory);
                value["verifies"] = json!(verifies(agenda));
            }
            if let Value::Object(map) = value {
                map.remove("minutes");
                map.remove("pack");
            }
        }
        if let ([agenda], [value]) = (records, values) {
            let pack = agenda.pack.as_deref().filter(|_| sees_all);
            if let Some(pack) = pack.and_then(|text| serde_json::from_str::<Value>(text).ok()) {
                value["frozen_pack"] = pack;
            }
            let later: Vec<String> = later_items(cx, agenda)?.into_iter().map(|it| it.change_key).collect();
            if !later.is_empty() {
                value["later"] = json!(later);
            }
        }
        Ok(())
    }
}

/// Minutes with logins instead of people's ids, as in every response.
fn with_logins(minutes: &Minutes, directory: &Directory) -> Value {
    let mut value = json!(minutes);
    let login = |person: &PersonId| json!(directory.login(person));
    value["chair"] = login(&minutes.chair);
    for (name, people) in [
        ("present", &minutes.present),
        ("by_vote", &minutes.by_vote),
        ("absent", &minutes.absent),
    ] {
        value[name] = people.iter().map(login).collect();
    }
    for (place, row) in minutes.conflicts.iter().enumerate() {
        value["conflicts"][place]["person"] = login(&row.person);
    }
    value
}

/// The rules for the meeting of a new agenda.
fn check_plannable(
    cx: &mut Context<'_, '_>,
    reading: &mut Reading<'_>,
    (input, meeting): (&AgendaInput, Option<&Meeting>),
) -> Result<()> {
    let Some(meeting) = meeting else {
        if !input.meeting.is_empty() {
            let text = format!("There is no meeting `{}`.", input.meeting);
            reading.wrong("meeting", "unknown", text);
        }
        return Ok(());
    };
    if meeting.starts_at <= cx.now || meeting.is_over(cx.now) {
        let text = "An agenda is planned before its meeting begins; plan another meeting.";
        reading.wrong("meeting", "has_begun", text);
        return Ok(());
    }
    if cx.directory()?.members(&meeting.group).is_empty() {
        let text = format!("The group {} has no active member.", meeting.group);
        reading.wrong("meeting", "no_members", text);
    }
    if record::load::<Agenda>(cx.tx, meeting.id.as_str())?.is_some() {
        reading.wrong("meeting", "not_unique", "This meeting has an agenda already.");
    }
    check_freeze_at(reading, input.freeze_at, meeting, cx.now);
    Ok(())
}

/// The chair of a meeting: a member of its board, the acting person unless another is named.
pub(crate) fn read_chair(
    cx: &Context<'_, '_>,
    reading: &mut Reading<'_>,
    (login, group): (Option<&str>, Option<&GroupKey>),
    directory: &Directory,
) -> Option<PersonId> {
    let person = match login {
        Some(login) => directory.by_login(login).map(|person| person.id.clone()),
        None => Some(cx.actor.person.clone()),
    };
    let Some(person) = person else {
        reading.wrong(
            "chair",
            "unknown",
            unknown_name::person(directory, login.unwrap_or_default()),
        );
        return None;
    };
    let group = group?;
    if !directory.members(group).contains(&person) {
        let text = match login {
            Some(login) => format!("{login} is not a member of the group {group}; its chair is one."),
            None => format!("Name a chair: you are not a member of the group {group}."),
        };
        reading.wrong("chair", "not_of_the_board", text);
        return None;
    }
    Some(person)
}

fn check_month(reading: &mut Reading<'_>, month: Option<&str>, now: Timestamp) {
    let Some(month) = month else { return };
    match month_span(month) {
        None => reading.wrong(
            "month",
            "not_a_month",
            format!("`{month}` is not a month such as 2026-10."),
        ),
        Some((from, _)) if from > now => {
            reading.wrong("month", "ahead", format!("The month {month} has not begun."));
        }
        Some(_) => {}
    }
}

/// The inputs of a planned agenda.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    /// When it is frozen.
    pub(crate) freeze_at: Timestamp,
    /// The chair of the meeting.
    pub(crate) chair: PersonId,
    /// The month under review.
    pub(crate) month: Option<String>,
    /// The series that plans it.
    pub(crate) series: Option<RecordId>,
}

/// Plans the agenda of a meeting and has it frozen at its time.
///
/// # Errors
/// The store's.
pub(crate) fn plan(cx: &mut Context<'_, '_>, meeting: &Meeting, planned: Planned) -> Result<Agenda> {
    let agenda = Agenda {
        id: meeting.id.clone(),
        version: 0,
        group: meeting.group.clone(),
        starts_at: meeting.starts_at,
        freeze_at: planned.freeze_at,
        chair: planned.chair,
        by: meeting.by.clone(),
        state: AgendaState::Open,
        frozen_at: None,
        digest: None,
        votes: None,
        voted: false,
        current: None,
        series: planned.series,
        month: planned.month,
        pack_digest: None,
        pack: None,
        minutes: None,
        minutes_digest: None,
        signed_by: None,
        signed_at: None,
        sent_to: Vec::new(),
    };
    let agenda = keep(cx, "agenda.added", agenda, json!({"group": meeting.group}))?;
    set_timer(cx, &agenda)?;
    follow_minutes::follow_chair(cx, &agenda)?;
    Ok(agenda)
}

/// Saves a record of a board with its event; no such record is part of the estate, which stays cached.
pub fn keep<R: Versioned>(cx: &mut Context<'_, '_>, kind: &'static str, record: R, data: Value) -> Result<R> {
    let mut written = Written::default();
    let kept = cx.put(&mut written, record)?;
    let event = draft(kind, (R::TABLE, kept.id().to_owned()), cx.now, data);
    cx.emit(vec![event], written)?;
    Ok(kept)
}

fn set_timer(cx: &mut Context<'_, '_>, agenda: &Agenda) -> Result<()> {
    let Some(run_at) = agenda.next_at(cx.now) else {
        timer::cancel(cx.tx, TABLE, agenda.id.as_str(), KIND)?;
        return Ok(());
    };
    let id = cx.new_id()?;
    let new = NewTimer {
        id: &id,
        subject_table: TABLE,
        subject_id: agenda.id.as_str(),
        kind: KIND,
        run_at,
    };
    Ok(timer::set(cx.tx, &new)?)
}

/// An agenda with its meeting.
///
/// # Errors
/// 404, or the store's.
pub fn load_agenda(cx: &mut Context<'_, '_>, id: &str) -> Result<(Agenda, Meeting)> {
    cx.allow(actions::READ)?;
    let agenda = record::load::<Agenda>(cx.tx, id)?.map(|stored| stored.record);
    let meeting = record::load::<Meeting>(cx.tx, id)?.map(|stored| stored.record);
    match (agenda, meeting) {
        (Some(agenda), Some(meeting)) => Ok((agenda, meeting)),
        _ => Err(Refusal::not_found(format!("agenda {id}")).into()),
    }
}

/// The agendas of a board, the latest meeting first, at most 100.
///
/// # Errors
/// 403, or the store's.
pub fn agendas_of(cx: &mut Context<'_, '_>, group: &GroupKey) -> Result<Vec<Agenda>> {
    cx.allow(actions::READ)?;
    let filter = Filter::new().equals("people_group", group.as_str());
    Ok(record::bodies::<Agenda>(
        cx.tx,
        &filter.descending_by("starts_at").limit(MOST_LISTED),
    )?)
}

/// Runs an agenda's due step: freezes it, or ends the votes before its meeting.
///
/// # Errors
/// The store's.
pub(crate) fn follow(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let (agenda, meeting) = load_agenda(cx, id)?;
    // A meeting that was called off needs no agenda.
    if meeting.ended_at.is_some() {
        return Ok(());
    }
    match agenda.state {
        AgendaState::Open if agenda.freeze_at <= cx.now => freeze(cx, agenda, meeting).map(drop),
        AgendaState::Frozen if !agenda.voted && agenda.starts_at <= cx.now => end_votes(cx, agenda).map(drop),
        _ => set_timer(cx, &agenda),
    }
}

/// Freezes an agenda before its time (`POST /agendas/{id}/freeze`).
///
/// # Errors
/// 403, 404, 409 if it is frozen or its meeting is over, or the store's.
pub fn freeze_agenda(cx: &mut Context<'_, '_>, id: &str) -> Result<Agenda> {
    cx.allow(actions::SET_MEETING)?;
    let (agenda, meeting) = load_agenda(cx, id)?;
    if agenda.state != AgendaState::Open {
        let text = "The agenda is frozen already.";
        return Err(Refusal::not_now("frozen", text, "The chair can add urgent items.", Vec::new()).into());
    }
    if meeting.is_over(cx.now) {
        return Err(Refusal::not_now("meeting_over", "The meeting is over.", "Plan another.", Vec::new()).into());
    }
    freeze(cx, agenda, meeting)
}

fn freeze(cx: &mut Context<'_, '_>, agenda: Agenda, meeting: Meeting) -> Result<Agenda> {
    let mut items = find_items(cx, &agenda.group, &[])?;
    let is_time_left = agenda.starts_at.duration_since(cx.now) >= SignedDuration::from_mins(LEAST_VOTE_MINUTES);
    for item in items
        .iter_mut()
        .filter(|it| !is_time_left && it.listing == ItemListing::Vote)
    {
        (item.listing, item.ground) = (ItemListing::Live, ListingGround::NoVotes);
    }
    let digest = digest_of(&items);
    for item in &mut items {
        item.id = RecordId(cx.new_id()?);
        item.agenda = agenda.id.clone();
        let data = json!({"agenda": agenda.id, "change_key": item.change_key, "listing": item.listing});
        keep(cx, "agenda_item.listed", item.clone(), data)?;
    }
    let of = |listing: ItemListing| items.iter().filter(move |it| it.listing == listing);
    let live: Vec<ListedChange> = of(ItemListing::Live).map(listed).collect();
    let by_vote: Vec<ListedChange> = of(ItemListing::Vote).map(listed).collect();
    let votes = match by_vote.is_empty() {
        true => None,
        false => Some(open_votes(cx, (&agenda, &meeting), by_vote)?),
    };
    let meeting = Meeting {
        listed: Some(live),
        ..meeting
    };
    cx.put_estate("meeting.listed", meeting, json!({}))?;
    let pack = match &agenda.month {
        Some(month) => match board_pack::find_pack(cx, month) {
            Ok(pack) => Some(pack),
            // An agenda does not fail when there are too many rows for the figures.
            Err(Error::Refused(_)) => None,
            Err(fault) => return Err(fault),
        },
        None => None,
    };
    let frozen = Agenda {
        state: AgendaState::Frozen,
        frozen_at: Some(cx.now),
        digest: Some(digest.clone()),
        voted: votes.is_none(),
        votes,
        pack_digest: pack.as_ref().map(BoardPack::digest),
        pack: pack.map(|it| it.text()).filter(|text| text.len() <= MINUTES),
        ..agenda
    };
    let data = json!({"digest": digest, "items": items.len()});
    let frozen = keep(cx, "agenda.frozen", frozen, data)?;
    set_timer(cx, &frozen)?;
    notify_members(cx, &frozen)?;
    follow_minutes::follow_chair(cx, &frozen)?;
    settle_with_approvers(cx)?;
    Ok(frozen)
}

pub(crate) fn listed(item: &AgendaItem) -> ListedChange {
    ListedChange {
        change: item.change_id(),
        content_digest: item.content_digest.clone(),
    }
}

/// Opens the meeting for votes in advance: each member takes part by their own act.
fn open_votes(
    cx: &mut Context<'_, '_>,
    (agenda, meeting): (&Agenda, &Meeting),
    listed: Vec<ListedChange>,
) -> Result<RecordId> {
    let votes = Meeting {
        id: RecordId(cx.new_id()?),
        version: 0,
        group: agenda.group.clone(),
        title: format!("Votes before {}", meeting.title).chars().take(200).collect(),
        starts_at: cx.now,
        ended_at: None,
        by: agenda.by.clone(),
        at: cx.now,
        attendees: Vec::new(),
        conflicts: Vec::new(),
        listed: Some(listed),
    };
    Ok(cx.put_estate("meeting.opened", votes, json!({}))?.id)
}

/// Notifies the members that the agenda is frozen, and whether their votes are requested.
fn notify_members(cx: &mut Context<'_, '_>, agenda: &Agenda) -> Result<()> {
    let url = format!(
        "{}/t/{}/meetings/{}",
        cx.services.tools().public_url,
        cx.tenant(),
        agenda.id
    );
    let what = match agenda.voted {
        true => "Everything on it is decided at the meeting.",
        false => {
            "Vote on the items of low and medium risk before the meeting, or object, and they are discussed there."
        }
    };
    let board = cx.directory()?.group_name(&agenda.group);
    let subject = format!("The agenda of {board} is frozen");
    let text = format!("The meeting begins at {}. {what}\n{url}\n", agenda.starts_at);
    let mut written = Written::default();
    for person in cx.directory()?.members(&agenda.group) {
        let dedup = format!("agenda/{}/{person}", agenda.id);
        let message = ("agenda_frozen", subject.as_str(), text.as_str(), dedup.as_str());
        save_message(cx, &mut written, &person, None, message)?;
    }
    let event = draft("agenda.members_told", (TABLE, agenda.id.0.clone()), cx.now, json!({}));
    cx.emit(vec![event], written)
}

/// The changes that need a board now, in the order of an agenda, at most 200; unchanged ones among `on` are left out.
///
/// # Errors
/// The store's.
pub(crate) fn find_items(cx: &mut Context<'_, '_>, group: &GroupKey, on: &[AgendaItem]) -> Result<Vec<AgendaItem>> {
    let members = cx.directory()?.members(group);
    let first_asked = |change: &Change| {
        let asked = change.requests.iter().filter(|it| members.contains(&it.person));
        asked.map(|it| it.asked_at).min()
    };
    let is_on = |change: &Change| {
        let same = |it: &AgendaItem| it.change_id() == change.id && it.content_digest == change.digests.content;
        on.iter().any(same)
    };
    let mut open = open_changes(cx, |change| first_asked(change).is_some() && !is_on(change))?;
    // The first changes of an agenda are read first, so that reading can stop once the agenda is full.
    open.sort_by_cached_key(|change| (Reverse(change.risk.level), first_asked(change)));
    let mut found = Vec::new();
    for some in open.chunks(AT_ONCE) {
        for file in cx.files(some.to_vec())? {
            if let Some(since) = waits_for(&file, group, cx.now) {
                found.push(AgendaItem::of(&file, since));
            }
        }
        if found.len() >= MOST_ITEMS {
            break;
        }
    }
    put_in_order(&mut found);
    found.truncate(MOST_ITEMS);
    Ok(found)
}

/// The changes between assessment and start for which `is_wanted` is true, all of them.
fn open_changes(cx: &mut Context<'_, '_>, is_wanted: impl Fn(&Change) -> bool) -> Result<Vec<Change>> {
    let states = [State::Authorizing, State::Approved, State::Scheduled].map(State::as_str);
    let (mut found, mut after) = (Vec::new(), -1_i64);
    loop {
        let filter = Filter::new()
            .one_of("state", states)
            .more("number", after)
            .order_by("number")
            .limit(A_PAGE);
        let page = record::bodies::<Change>(cx.tx, &filter)?;
        let Some(last) = page.last() else {
            return Ok(found);
        };
        after = last.number;
        found.extend(page.into_iter().filter(&is_wanted));
    }
}

/// The changes that need the board of a frozen agenda and are not on it in their present version: they were added or
/// edited after the freeze.
///
/// # Errors
/// The store's.
pub fn later_items(cx: &mut Context<'_, '_>, agenda: &Agenda) -> Result<Vec<AgendaItem>> {
    if !agenda.is_frozen() {
        return Ok(Vec::new());
    }
    let items = items_of(cx, &agenda.id)?;
    find_items(cx, &agenda.group, &items)
}

/// Ends the votes before a meeting: undecided items are decided at the meeting.
pub(crate) fn end_votes(cx: &mut Context<'_, '_>, agenda: Agenda) -> Result<Agenda> {
    for item in items_of(cx, &agenda.id)? {
        if item.listing != ItemListing::Vote {
            continue;
        }
        let Some(file) = file_of(cx, &item.change_key)? else {
            continue;
        };
        if waits_for(&file, &agenda.group, cx.now).is_some() {
            move_to_meeting(cx, &agenda, item, ListingGround::Undecided)?;
        }
    }
    if let Some(votes) = &agenda.votes
        && let Some(stored) = record::load::<Meeting>(cx.tx, votes.as_str())?
        && stored.record.ended_at.is_none()
    {
        let ended = Meeting {
            ended_at: Some(cx.now),
            ..stored.record
        };
        cx.put_estate("meeting.ended", ended, json!({}))?;
    }
    let ended = keep(cx, "agenda.votes_ended", Agenda { voted: true, ..agenda }, json!({}))?;
    settle_with_approvers(cx)?;
    Ok(ended)
}

/// The file of a change; `None` if the change is erased or archived.
pub(crate) fn file_of(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<ChangeFile>> {
    match cx.file(key) {
        Ok(file) => Ok(Some(file)),
        Err(Error::Refused(Refusal::NotFound { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Moves an item from the votes to the meeting.
pub(crate) fn move_to_meeting(
    cx: &mut Context<'_, '_>,
    agenda: &Agenda,
    item: AgendaItem,
    ground: ListingGround,
) -> Result<AgendaItem> {
    let moved = AgendaItem {
        listing: ItemListing::Live,
        ground,
        ..item
    };
    let data = json!({"agenda": agenda.id, "change_key": moved.change_key, "ground": ground});
    let moved = keep(cx, "agenda_item.moved", moved, data)?;
    let change = moved.change_id();
    if let Some(votes) = &agenda.votes {
        relist(cx, votes, &change, None)?;
    }
    relist(cx, &agenda.id, &change, Some(listed(&moved)))?;
    Ok(moved)
}

/// Removes a change from the list of a meeting, or lists its present version there.
pub(crate) fn relist(
    cx: &mut Context<'_, '_>,
    meeting: &RecordId,
    change: &ChangeId,
    next: Option<ListedChange>,
) -> Result<()> {
    let Some(stored) = record::load::<Meeting>(cx.tx, meeting.as_str())? else {
        return Ok(());
    };
    let mut after = stored.record.clone();
    after.list_anew(change, next);
    if after == stored.record {
        return Ok(());
    }
    cx.put_estate("meeting.listed", after, json!({"change": change}))?;
    Ok(())
}
