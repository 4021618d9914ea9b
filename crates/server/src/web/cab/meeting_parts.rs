//! The sections of a meeting's page: votes on an item, the agenda in its three parts, the room, action items, minutes.

use acts::cab::sign_minutes::items_about;
use model::cab::agenda::{Agenda, AgendaState};
use model::cab::agenda_item::{AgendaItem, ItemListing, ItemOutcome};
use model::cab::board_forecast::BoardForecast;
use model::cab::meeting::Meeting;
use model::cab::minutes::{MinutedItem, Minutes, minutes_of, verifies};
use model::change::change_file::ChangeFile;
use model::change::related_records::Approval;
use model::core::enums::{ApprovalState, Decision};
use model::core::ids::{PersonId, RecordId};
use pages::{
    Cell, Column, Entry, Field, Fold, Rich, Section, SectionBody, Table, Tone, count, minutes as minutes_of_time,
};

use crate::web::cab::item_words::{ground_text, outcome_text};
use crate::web::cab::meeting_page::Session;
use crate::web::shared::fields::{pick_field, time_field};
use crate::web::shared::view::View;
use crate::web::shared::words;

/// The votes on an item, with the forecasts that the reader may see.
pub(crate) fn vote_section(
    view: &View<'_, '_, '_>,
    session: &Session,
    (item, file): (&AgendaItem, &ChangeFile),
    forecasts: &[BoardForecast],
) -> Section {
    let meetings: Vec<&RecordId> = session
        .votes
        .iter()
        .chain([&session.meeting])
        .map(|it| &it.id)
        .collect();
    let is_here = |it: &&Approval| it.meeting.as_ref().is_some_and(|id| meetings.contains(&id));
    let stands = |it: &&Approval| it.state != ApprovalState::Withdrawn;
    let members = view.directory.members(&session.meeting.group);
    let row = |person: &PersonId| {
        let mut votes = file.approvals.iter().filter(is_here).filter(stands);
        let vote = votes.rfind(|it| &it.person == person);
        let has_conflict = session
            .votes
            .iter()
            .chain([&session.meeting])
            .any(|it| it.has_conflict(person, &item.change_id()));
        let told = match (vote, has_conflict) {
            (_, true) => Cell::Text(Rich::from("No vote: conflict of interest")),
            (Some(vote), _) => Cell::Mark(decision_tone(vote.decision).mark(decision_text(vote.decision))),
            (None, _) => Cell::Text(Rich::from("Not given yet")),
        };
        let forecast = forecasts.iter().find(|it| &it.person == person);
        let forecast = forecast.map(|it| format!("{} %", it.percent)).unwrap_or_default();
        vec![Cell::Text(view.person(person)), told, Cell::Short(forecast)]
    };
    let table = Table {
        caption: "Votes on this item".to_owned(),
        columns: vec![
            Column::new("Member", Fold::Never),
            Column::new("Vote", Fold::Never),
            Column::new("Forecast", Fold::Under).named(),
        ],
        rows: members.iter().map(row).collect(),
        ..Table::default()
    };
    Section::new("votes", "Votes on this item", SectionBody::Table(table))
        .lede("You see the forecasts of others once you have given your own.")
}

fn decision_tone(decision: Decision) -> Tone {
    match decision {
        Decision::Approve | Decision::ApproveWithConditions => Tone::Ok,
        Decision::Return => Tone::Wait,
        Decision::Reject => Tone::Stop,
        Decision::Abstain => Tone::Plain,
    }
}

fn decision_text(decision: Decision) -> String {
    words::capital(decision.as_str())
}

fn outcome_tone(outcome: ItemOutcome) -> Tone {
    match outcome {
        ItemOutcome::Approved | ItemOutcome::ApprovedWithConditions => Tone::Ok,
        ItemOutcome::Returned => Tone::Wait,
        ItemOutcome::Rejected => Tone::Stop,
        ItemOutcome::Deferred => Tone::Plain,
    }
}

/// The board's decision, as a mark.
pub(crate) fn outcome_cell(outcome: ItemOutcome) -> Cell {
    Cell::Mark(outcome_tone(outcome).mark(outcome_text(outcome)))
}

/// The agenda: items of the meeting, items for a vote before it, and items added after the freeze.
pub(crate) fn agenda_sections(view: &View<'_, '_, '_>, session: &Session) -> Vec<Section> {
    let Some(agenda) = &session.agenda else {
        return Vec::new();
    };
    if agenda.state == AgendaState::Open {
        let text = "When the agenda is frozen, the changes that need the board are added, by risk and age.";
        return vec![Section::new("agenda", "Agenda", SectionBody::Words(Rich::from(text)))];
    }
    let part = |listing: ItemListing| session.items.iter().filter(move |it| it.listing == listing);
    let live = table(view, session, (agenda, "At the meeting"), part(ItemListing::Live));
    let by_vote = table(
        view,
        session,
        (agenda, "By vote before the meeting"),
        part(ItemListing::Vote),
    );
    let mut sections = vec![
        Section::new("live", "At the meeting, by risk and age", SectionBody::Table(live))
            .unsaid("No item is left for the meeting."),
        Section::new("by-vote", "By vote before the meeting", SectionBody::Table(by_vote))
            .unsaid("No item was open for votes before the meeting."),
    ];
    if agenda.is_frozen() {
        sections.push(later_section(view, session));
    }
    sections
}

fn table<'i>(
    view: &View<'_, '_, '_>,
    session: &Session,
    (agenda, caption): (&Agenda, &str),
    items: impl Iterator<Item = &'i AgendaItem>,
) -> Table {
    let row = |it: &AgendaItem| {
        let is_current = agenda.current.as_ref() == Some(&it.id);
        let stands = match (it.outcome, is_current, it.ended_at) {
            (Some(outcome), ..) => outcome_cell(outcome),
            (None, true, None) => Cell::Mark(Tone::Wait.mark("Before the board")),
            (None, _, Some(_)) => Cell::Mark(Tone::Plain.mark("Discussed")),
            (None, ..) => Cell::Text(Rich::new()),
        };
        let spent = match (it.spent_minutes(), it.listing) {
            (Some(spent), _) => format!("{spent} of {} min", it.box_minutes + it.added_minutes),
            (None, ItemListing::Live) => format!("{} min", it.box_minutes + it.added_minutes),
            (None, ItemListing::Vote) => String::new(),
        };
        vec![
            title_cell(view, session, it),
            Cell::Mark(words::risk(it.risk).mark()),
            Cell::Text(Rich::from(ground_text(it.ground))),
            Cell::Short(spent),
            stands,
        ]
    };
    Table {
        caption: caption.to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("Risk", Fold::Under).named(),
            Column::new("Why here", Fold::Under).named(),
            Column::new("Time box", Fold::Under).named(),
            Column::new("Decision", Fold::Under).named(),
        ],
        rows: items.map(row).collect(),
        ..Table::default()
    }
}

fn title_cell(view: &View<'_, '_, '_>, session: &Session, it: &AgendaItem) -> Cell {
    Cell::Title {
        text: session.titles.get(&it.change.0).cloned().unwrap_or_default(),
        href: view.change_url(&it.change_key),
        key: it.change_key.clone(),
        marks: Vec::new(),
        sub: Rich::new(),
    }
}

fn later_section(view: &View<'_, '_, '_>, session: &Session) -> Section {
    let entry = |it: &AgendaItem| {
        let title = session.titles.get(&it.change.0).cloned().unwrap_or_default();
        let text = Rich::new()
            .link(it.change_key.as_str(), view.change_url(&it.change_key))
            .text(" ")
            .said(title);
        let entry = Entry::new(Tone::Wait, text).why(Rich::from("For the next meeting, unless the chair adds it."));
        if !session.leads || session.meeting.is_over(view.now()) {
            return entry;
        }
        let form = session
            .form(view, &format!("add-{}", it.change_key), "Add it", "addition")
            .field(Field::hidden("change", it.change_key.as_str()))
            .field(Field::textarea("reason", "Why it cannot wait").required())
            .submit("Add it to the agenda");
        entry.act(format!("later-{}", it.change_key), form)
    };
    let entries: Vec<Entry> = session.later.iter().map(entry).collect();
    Section::new(
        "later",
        "Received or edited after the freeze",
        SectionBody::Entries(entries),
    )
    .unsaid("No change was received or edited after the freeze.")
}

/// The people present, the absent ones with their delegates, and declared conflicts of interest.
pub(crate) fn room_section(view: &View<'_, '_, '_>, session: &Session) -> Section {
    let members = view.directory.members(&session.meeting.group);
    let entry = |person: &PersonId| {
        let came = |meeting: &Meeting| meeting.attendees.iter().find(|row| &row.person == person).cloned();
        let name = view.person(person);
        if let Some(row) = came(&session.meeting) {
            let entry = Entry::new(Tone::Ok, name).why(Rich::from("at the meeting since ").append(view.moment(row.at)));
            return match row.left_at {
                Some(at) => entry.aside(Rich::from("left ").append(view.moment(at))),
                None => entry,
            };
        }
        if session.votes.as_ref().and_then(came).is_some() {
            return Entry::new(Tone::Plain, name).why(Rich::from("voted before the meeting"));
        }
        let entry = Entry::new(Tone::Wait, name);
        let now = view.now();
        let mut delegations = view.directory.delegations.iter();
        let delegate = delegations.find(|row| &row.delegator == person && row.is_on(now));
        match (view.directory.is_absent(person, now), delegate) {
            (_, Some(row)) => entry.why(
                Rich::from("represented by ")
                    .append(view.person(&row.delegate))
                    .text(", who may speak but not vote"),
            ),
            (true, None) => entry.why(Rich::from("absent, without a delegate")),
            (false, None) => entry.why(Rich::from("not present")),
        }
    };
    let mut entries: Vec<Entry> = members.iter().map(entry).collect();
    let both = session.votes.iter().chain([&session.meeting]);
    entries.extend(both.flat_map(|it| &it.conflicts).map(|row| {
        let text = Rich::new()
            .append(view.person(&row.person))
            .text(" declared a conflict of interest about ")
            .link(row.change_key.as_str(), view.change_url(&row.change_key));
        Entry::new(Tone::Stop, text).quote(row.reason.as_str())
    }));
    let there = session.meeting.there().count();
    let note = format!("{} of {} are present", count(there as u64), count(members.len() as u64));
    Section::new("room", "Attendance", SectionBody::Entries(entries))
        .note(note)
        .unsaid("No member of the board takes part in this meeting.")
}

/// The meeting's results beside votes: action items with owners.
pub(crate) fn action_section(view: &mut View<'_, '_, '_>, session: &Session) -> acts::Result<Section> {
    let items = items_about(view.cx, &session.meeting.id)?;
    let entry = |it: &model::notify::action_item::ActionItem| {
        let text = Rich::new()
            .link(it.key.as_str(), view.url(&format!("/inbox/{}", it.key)))
            .text(" ")
            .said(it.title.as_str());
        let owner = match (&it.owner, &it.group) {
            (Some(person), _) => view.name(person),
            (None, Some(group)) => view.directory.group_name(group),
            (None, None) => String::new(),
        };
        let tone = if it.state.is_open() { Tone::Wait } else { Tone::Ok };
        Entry::new(tone, text)
            .why(Rich::new().said(owner))
            .aside(Rich::from("until ").append(view.moment(it.due_at)))
    };
    let entries: Vec<Entry> = items.iter().map(entry).collect();
    let section = Section::new("actions", "Action items", SectionBody::Entries(entries))
        .unsaid("No action item was opened at this meeting.");
    if !session.leads && !session.is_member {
        return Ok(section);
    }
    let form = session
        .form(view, "action", "Add an action item", "action")
        .field(Field::text("title", "What to do").required())
        .field(pick_field(view, "people", "owner", "Assigned to").hint("A login; you by default."))
        .field(time_field(view, "due_at", "Until"))
        .submit("Add it");
    Ok(section.acts(vec![form]))
}

/// The signed minutes.
pub(crate) fn minutes_section(view: &View<'_, '_, '_>, session: &Session) -> Option<Section> {
    let agenda = session.agenda.as_ref()?;
    let minutes = minutes_of(agenda)?;
    let row = |it: &MinutedItem| {
        vec![
            Cell::Text(Rich::new().link(it.change_key.as_str(), view.change_url(&it.change_key))),
            outcome_cell(it.outcome),
            Cell::Short(format!("{}, {}", it.yes, it.no)),
            Cell::Short(
                it.spent_minutes
                    .map(|spent| minutes_of_time(spent.unsigned_abs()))
                    .unwrap_or_default(),
            ),
        ]
    };
    let table = Table {
        caption: "Decisions".to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("Decision", Fold::Never),
            Column::new("For, against", Fold::Under).named(),
            Column::new("Time", Fold::Under).named(),
        ],
        rows: minutes.items.iter().map(row).collect(),
        ..Table::default()
    };
    Some(
        Section::new("minutes", "Minutes", SectionBody::Table(table))
            .note(signature(view, agenda, &minutes))
            .unsaid("No item was on the agenda."),
    )
}

fn signature(view: &View<'_, '_, '_>, agenda: &Agenda, minutes: &Minutes) -> Rich {
    let signer = agenda
        .signed_by
        .as_ref()
        .map(|person| view.name(person))
        .unwrap_or_default();
    let signed = Rich::from("Signed by ").name(signer);
    let signed = match agenda.signed_at {
        Some(at) => signed.text(", ").append(view.moment(at)),
        None => signed,
    };
    let sent = count(agenda.sent_to.len() as u64);
    let verified = match verifies(agenda) {
        true => "They match the signature.",
        false => "They do not match the signature.",
    };
    signed
        .text(format!(". Sent to {sent} members. Digest "))
        .digest(agenda.minutes_digest.clone().unwrap_or_default())
        .text(". ")
        .text(verified)
        .line()
        .text("Present: ")
        .append(Session::names(view, minutes.present.iter().cloned()))
        .line()
        .text("Voted before: ")
        .append(Session::names(view, minutes.by_vote.iter().cloned()))
        .line()
        .text("Absent: ")
        .append(Session::names(view, minutes.absent.iter().cloned()))
}
