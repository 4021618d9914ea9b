//! A board member's overview: the board's meetings, and the changes that need its decision.

use model::cab::meeting::Meeting;
use model::change::change_file::ChangeFile;
use model::core::ids::GroupKey;
use pages::{ActForm, ActTone, Entry, Field, Rich, Section, SectionBody, Tone};

use crate::web::cab::meetings::boards;
use crate::web::shared::view::View;
use crate::web::shared::words;

/// The most changes that a board's section names.
const MOST: usize = 12;

/// A section for each board of the reader that meets, or whose decision a change needs.
pub(crate) fn sections(view: &View<'_, '_, '_>, queue: &[ChangeFile]) -> Vec<Section> {
    let asked = |group: &GroupKey| {
        let files = queue.iter().filter(|file| boards(file).contains(group));
        files.collect::<Vec<_>>()
    };
    let groups = view.directory.groups.values();
    groups
        .filter(|group| !group.removed && group.members.contains(&view.me))
        .filter_map(|group| {
            let meetings: Vec<&Meeting> = sittings(view, &group.key);
            let agenda = asked(&group.key);
            let is_board = !meetings.is_empty() || !agenda.is_empty();
            is_board.then(|| section(view, (&group.key, &group.name), &meetings, &agenda))
        })
        .collect()
}

/// The meetings of a board that are on or still to come, the first one first.
fn sittings<'v>(view: &'v View<'_, '_, '_>, group: &GroupKey) -> Vec<&'v Meeting> {
    let meetings = view.directory.meetings.iter();
    let mut found: Vec<&Meeting> = meetings
        .filter(|meeting| &meeting.group == group && !meeting.is_over(view.now()))
        .collect();
    found.sort_by_key(|meeting| meeting.starts_at);
    found
}

fn section(
    view: &View<'_, '_, '_>,
    (key, name): (&GroupKey, &str),
    meetings: &[&Meeting],
    agenda: &[&ChangeFile],
) -> Section {
    let mut entries: Vec<Entry> = meetings
        .iter()
        .map(|meeting| sitting(view, meeting, agenda.first().copied()))
        .collect();
    if meetings.is_empty() {
        let text = "No meeting is open or planned; a change manager opens one.";
        entries.push(Entry::new(Tone::Wait, text).icon("calendar"));
    }
    entries.extend(agenda.iter().take(MOST).map(|file| item(view, meetings, file)));
    if agenda.len() > MOST {
        entries.push(Entry::new(
            Tone::Plain,
            format!("And {} more, in the queue above.", agenda.len() - MOST),
        ));
    }
    let note = match agenda.len() {
        0 => "no change waits for its decision".to_owned(),
        1 => "one change needs your decision there".to_owned(),
        many => format!("{many} changes need your decision there"),
    };
    Section::new(
        format!("board-{key}"),
        format!("Before {name} decides"),
        SectionBody::Entries(entries),
    )
    .acts(vec![ActForm::link(
        "Open the board",
        view.url(&format!("/boards/{key}")),
    )])
    .note(note)
}

fn sitting(view: &View<'_, '_, '_>, meeting: &Meeting, first: Option<&ChangeFile>) -> Entry {
    let title = format!("“{}”", meeting.title);
    let there = meeting.there().count();
    let people = match there {
        0 => "nobody is present yet".to_owned(),
        1 => "one person is present".to_owned(),
        many => format!("{many} people are present"),
    };
    if !meeting.is_on(view.now()) {
        return Entry::new(Tone::Plain, Rich::new().name(title.as_str()).text(" is still to come"))
            .icon("calendar")
            .why(format!("begins {}", view.reader.moment(meeting.starts_at)));
    }
    let entry = Entry::new(Tone::Ok, Rich::new().name(title.as_str()).text(" is on"))
        .icon("calendar")
        .why(format!("since {}, {people}", view.reader.moment(meeting.starts_at)));
    if meeting.has(&view.me) {
        return entry.aside("you are present");
    }
    let Some(file) = first else { return entry };
    let url = format!(
        "{}/meetings/{}/attendance",
        view.change_url(&file.change.key),
        meeting.id
    );
    let attend = ActForm::new(format!("attend-{}", meeting.id), format!("Attend {title}"), url)
        .tone(ActTone::Link)
        .field(Field::hidden("next", "home"));
    entry.act(format!("sitting-{}", meeting.id), attend)
}

fn item(view: &View<'_, '_, '_>, meetings: &[&Meeting], file: &ChangeFile) -> Entry {
    let change = &file.change;
    let text = Rich::new()
        .link(change.key.as_str(), view.change_url(&change.key))
        .text(" ")
        .said(change.content.title.as_str());
    let risk = format!("{} risk", words::capital(change.risk.level.as_str()));
    let why = match change.planned_start {
        Some(start) => format!("{risk}, planned {}", view.reader.moment(start)),
        None => risk,
    };
    let is_conflicted = meetings
        .iter()
        .any(|meeting| meeting.has_conflict(&view.me, &change.id));
    let entry = Entry::new(Tone::Wait, text).why(why);
    match is_conflicted {
        true => entry.aside("you declared a conflict of interest"),
        false => entry,
    }
}
