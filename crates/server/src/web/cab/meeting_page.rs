//! The page of a meeting: the current item with its time box and its votes, the agenda, the attendance, action items and
//! minutes. Every act is saved at once, so that a closed browser loses nothing.

use std::collections::BTreeMap;

use acts::cab::agenda::{items_of, later_items};
use acts::cab::board_forecasts::forecasts_on;
use acts::change::find_acts::find_acts;
use acts::core::noun::PlainNoun;
use acts::report::find_ended::find_titles;
use axum::extract::{Path, State};
use axum::response::Response;
use model::cab::agenda::{Agenda, AgendaState};
use model::cab::agenda_item::{AgendaItem, ItemListing, waits_for};
use model::cab::meeting::Meeting;
use model::change::change_file::ChangeFile;
use model::compliance::control_report::ReportFormat;
use model::core::act::actions;
use model::core::ids::{PersonId, RecordId};
use model::core::refusal::Refusal;
use pages::{ActForm, ActTone, Fact, Field, Place, RecordPage, Rich, Section, SectionBody, count};
use store::{Lane, Mode};

use crate::compliance::download;
use crate::http::state::AppState;
use crate::web::approval::card_news::whole_brief;
use crate::web::cab::meeting_parts::{action_section, agenda_sections, minutes_section, room_section, vote_section};
use crate::web::cab::pack_pdf::agenda_file;
use crate::web::change::open_acts::{context, decisions, has_decided_all};
use crate::web::shared::form_page::Back;
use crate::web::shared::idempotent_form;
use crate::web::shared::view::{View, Visitor, problem, show};

/// A meeting with all data of its page.
pub(crate) struct Session {
    /// The meeting.
    pub(crate) meeting: Meeting,
    /// The meeting at which votes are given before.
    pub(crate) votes: Option<Meeting>,
    /// Its agenda, where it has one.
    pub(crate) agenda: Option<Agenda>,
    /// Its items.
    pub(crate) items: Vec<AgendaItem>,
    /// Items added after the freeze.
    pub(crate) later: Vec<AgendaItem>,
    /// The titles of changes by their ids.
    pub(crate) titles: BTreeMap<String, String>,
    /// Whether the reader leads it or plans meetings.
    pub(crate) leads: bool,
    /// Whether the reader is of its board.
    pub(crate) is_member: bool,
}

impl Session {
    fn load(view: &mut View<'_, '_, '_>, id: &str) -> acts::Result<Self> {
        view.cx.allow(actions::READ)?;
        let absent = || Refusal::not_found(format!("meeting {id}"));
        let meeting = view
            .directory
            .meeting(&RecordId(id.to_owned()))
            .cloned()
            .ok_or_else(absent)?;
        let agenda = Agenda::found(view.cx, id)?;
        let (items, later) = match &agenda {
            Some(agenda) => (items_of(view.cx, &agenda.id)?, later_items(view.cx, agenda)?),
            None => (Vec::new(), Vec::new()),
        };
        let votes = agenda.as_ref().and_then(|it| it.votes.as_ref());
        let votes = votes.and_then(|votes| view.directory.meeting(votes).cloned());
        let ids: Vec<String> = items.iter().chain(&later).map(|it| it.change.0.clone()).collect();
        let is_member = view.directory.members(&meeting.group).contains(&view.me);
        let is_chair = agenda.as_ref().is_some_and(|it| it.chair == view.me);
        Ok(Self {
            titles: find_titles(view.cx, &ids)?,
            leads: is_chair || view.may(actions::SET_MEETING),
            is_member,
            meeting,
            votes,
            agenda,
            items,
            later,
        })
    }

    /// Whether items come before the board now.
    pub(crate) fn is_live(&self, view: &View<'_, '_, '_>) -> bool {
        self.meeting.is_on(view.now())
    }

    /// The meeting at which decisions are given now: the meeting, or the votes before it.
    pub(crate) fn seat(&self, view: &View<'_, '_, '_>) -> Option<&Meeting> {
        let votes = self.votes.as_ref().filter(|it| it.is_on(view.now()));
        Some(&self.meeting).filter(|it| it.is_on(view.now())).or(votes)
    }

    /// The item that comes next at the meeting.
    fn next(&self) -> Option<&AgendaItem> {
        let current = self.agenda.as_ref().and_then(|it| it.current.as_ref());
        let is_ahead = |it: &&AgendaItem| it.listing == ItemListing::Live && it.begun_at.is_none();
        self.items.iter().filter(is_ahead).find(|it| Some(&it.id) != current)
    }

    /// The address of one of the meeting's forms.
    pub(crate) fn form(&self, view: &View<'_, '_, '_>, id: &str, label: &str, act: &str) -> ActForm {
        let url = view.url(&format!("/meetings/{}/{act}", self.meeting.id));
        ActForm::new(id, label, url).field(idempotent_form::field(view))
    }

    /// A person's name for lists.
    pub(crate) fn names(view: &View<'_, '_, '_>, people: impl Iterator<Item = PersonId>) -> Rich {
        let names: Vec<String> = people.map(|person| view.name(&person)).collect();
        Rich::new().names(&names, "and")
    }
}

/// A meeting.
pub(crate) async fn show_meeting(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Home, move |view| page(view, &id, None)).await
}

/// The pack of a meeting as a PDF.
pub(crate) async fn file(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let act = move |cx: &mut acts::Context<'_, '_>| agenda_file(cx, &id);
    match state.act(Lane::Pages, &visitor.caller, Mode::Read, act).await {
        Ok((name, bytes)) => download(&name, ReportFormat::Pdf, bytes),
        Err(failure) => problem(&state, &visitor, &failure, &format!("{}/boards", visitor.base())).await,
    }
}

/// The page; `back` is a refused form of it.
pub(crate) fn page(view: &mut View<'_, '_, '_>, id: &str, back: Option<&Back>) -> acts::Result<String> {
    let session = Session::load(view, id)?;
    view.follow(None);
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![
            ("Boards".to_owned(), view.url("/boards")),
            (
                view.directory.group_name(&session.meeting.group),
                view.url(&format!("/boards/{}", session.meeting.group)),
            ),
        ],
        title: session.meeting.title.clone(),
        is_said: true,
        byline: byline(view, &session),
        acts: head_acts(view, &session),
        facts: facts(view, &session),
        ..RecordPage::default()
    };
    if let Some((item, file)) = before_reader(view, &session)? {
        page.sections.push(item_section(view, &session, (&item, &file))?);
        let forecasts = forecasts_on(view.cx, &item.agenda, &item.change_key)?;
        page.sections
            .push(vote_section(view, &session, (&item, &file), &forecasts));
    }
    page.sections.extend(agenda_sections(view, &session));
    page.sections.push(room_section(view, &session));
    page.sections.push(action_section(view, &session)?);
    page.sections.extend(minutes_section(view, &session));
    if let Some(back) = back {
        let below = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, page.acts.iter_mut().chain(below));
    }
    Ok(page.render())
}

fn byline(view: &View<'_, '_, '_>, session: &Session) -> Rich {
    let meeting = &session.meeting;
    let when = match (meeting.ended_at, session.is_live(view)) {
        (Some(at), _) => Rich::from("Ended ").append(view.moment(at)),
        (None, true) => Rich::from("In session since ").append(view.moment(meeting.starts_at)),
        (None, false) => Rich::from("Begins ").append(view.moment(meeting.starts_at)),
    };
    let live: Vec<&AgendaItem> = session
        .items
        .iter()
        .filter(|it| it.listing == ItemListing::Live)
        .collect();
    let done = live.iter().filter(|it| it.ended_at.is_some()).count();
    match live.is_empty() {
        true => when,
        false => when.text(format!(
            ". {} of {} items are done",
            count(done as u64),
            count(live.len() as u64)
        )),
    }
}

fn facts(view: &View<'_, '_, '_>, session: &Session) -> Vec<Fact> {
    let board = view.directory.group_name(&session.meeting.group);
    let mut facts = vec![Fact::new("Board", Rich::new().said(board))];
    let Some(agenda) = &session.agenda else {
        facts.push(Fact::new("Agenda", "No agenda was planned for this meeting"));
        return facts;
    };
    facts.push(Fact::new("Chair", view.person(&agenda.chair)));
    let frozen = match agenda.frozen_at {
        Some(at) => Rich::from("frozen ").append(view.moment(at)),
        None => Rich::from("freezes ").append(view.moment(agenda.freeze_at)),
    };
    facts.push(Fact::new("Agenda", frozen));
    if let Some(digest) = &agenda.digest {
        facts.push(Fact::new("Digest", Rich::new().digest(digest.as_str())));
    }
    if let Some(month) = &agenda.month {
        let url = view.url(&format!("/board-packs/{month}"));
        facts.push(Fact::new("Board pack", Rich::new().link(month.as_str(), url)));
    }
    if let Some(digest) = &agenda.pack_digest {
        facts.push(Fact::new(
            "Digest of the board pack",
            Rich::new().digest(digest.as_str()),
        ));
    }
    facts.push(Fact::new("Saved", "Each vote and each step, immediately"));
    facts
}

fn head_acts(view: &View<'_, '_, '_>, session: &Session) -> Vec<ActForm> {
    let mut forms = Vec::new();
    if session.agenda.is_some() {
        let file = view.url(&format!("/meetings/{}/pack.pdf", session.meeting.id));
        forms.push(ActForm::link("PDF", file).tone(ActTone::Quiet));
    }
    if let Some(seat) = session.seat(view).filter(|_| session.is_member) {
        let at = Field::hidden("at", seat.id.as_str());
        forms.push(match (seat.has(&view.me), session.is_live(view)) {
            (true, _) => session
                .form(view, "leave", "Leave", "departure")
                .field(at)
                .tone(ActTone::Quiet),
            (false, true) => session
                .form(view, "attend", "Attend", "attendance")
                .field(at)
                .tone(ActTone::Go),
            (false, false) => session
                .form(view, "attend", "Take part in the votes", "attendance")
                .field(at)
                .tone(ActTone::Go),
        });
    }
    let Some(agenda) = session.agenda.as_ref().filter(|_| session.leads) else {
        return forms;
    };
    if agenda.state == AgendaState::Open && !session.meeting.is_over(view.now()) && view.may(actions::SET_MEETING) {
        forms.push(
            session
                .form(view, "freeze", "Freeze the agenda", "freeze")
                .note("Changes that need the board now are on the agenda; later ones are listed separately."),
        );
    }
    if agenda.is_frozen() && session.is_live(view) {
        forms.extend(turns(view, session, agenda));
    }
    if agenda.is_frozen() && session.meeting.starts_at <= view.now() && agenda.chair == view.me {
        forms.push(
            session
                .form(view, "sign", "Sign the minutes", "signature")
                .note("The meeting ends, and its minutes are sent to the members.")
                .submit("Sign and send them"),
        );
    }
    forms
}

/// Going on to the next item, and more time for the one before the board.
fn turns(view: &View<'_, '_, '_>, session: &Session, agenda: &Agenda) -> Vec<ActForm> {
    let mut forms = Vec::new();
    if let Some(next) = session.next() {
        let label = match agenda.current {
            Some(_) => "Next item",
            None => "First item",
        };
        forms.push(
            session
                .form(view, "next", label, "turn")
                .field(Field::hidden("item", next.id.as_str()))
                .key('N'),
        );
    }
    let current = session.items.iter().find(|it| agenda.current.as_ref() == Some(&it.id));
    if let Some(current) = current.filter(|it| it.room() >= 3) {
        forms.push(
            session
                .form(view, "more-time", "Add 3 minutes", "turn")
                .field(Field::hidden("item", current.id.as_str()))
                .field(Field::hidden("minutes", "3"))
                .key('T'),
        );
    }
    forms
}

/// The item whose decision is shown: the current one, or during the votes before a meeting the first that waits for the reader.
fn before_reader(view: &mut View<'_, '_, '_>, session: &Session) -> acts::Result<Option<(AgendaItem, ChangeFile)>> {
    let Some(agenda) = session.agenda.as_ref().filter(|it| it.is_frozen()) else {
        return Ok(None);
    };
    if let Some(current) = session.items.iter().find(|it| agenda.current.as_ref() == Some(&it.id)) {
        return Ok(found(view, current)?.map(|file| (current.clone(), file)));
    }
    if agenda.voted || !session.is_member {
        return Ok(None);
    }
    for item in session.items.iter().filter(|it| it.listing == ItemListing::Vote) {
        if let Some(file) = found(view, item)?
            && waits_for(&file, &agenda.group, view.now()).is_some()
            && !has_decided_all(view, &file)
        {
            return Ok(Some((item.clone(), file)));
        }
    }
    Ok(None)
}

/// The file of an item's change; `None` where it is erased or archived.
fn found(view: &mut View<'_, '_, '_>, item: &AgendaItem) -> acts::Result<Option<ChangeFile>> {
    match view.cx.file(&item.change_key) {
        Ok(file) => Ok(Some(file)),
        Err(acts::Error::Refused(Refusal::NotFound { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

fn item_section(
    view: &mut View<'_, '_, '_>,
    session: &Session,
    (item, file): (&AgendaItem, &ChangeFile),
) -> acts::Result<Section> {
    let open = find_acts(view.cx, file)?;
    let stay = |form: ActForm| match form.is_link {
        true => form,
        false => form.field(Field::hidden("next", format!("meeting-{}", session.meeting.id))),
    };
    let mut forms: Vec<ActForm> = decisions(view, file, &open, &context(view, file))
        .into_iter()
        .map(stay)
        .collect();
    forms.extend(own_forms(view, session, item));
    let note = match item.box_ends_at() {
        Some(until) if item.ended_at.is_none() => Rich::new()
            .countdown(format!("until {}", view.reader.clock(until)), until.to_string())
            .text(format!(" of {} minutes", item.box_minutes + item.added_minutes)),
        Some(_) => Rich::from("The board moved on"),
        None => Rich::from("Decided by vote before the meeting"),
    };
    let title = session.titles.get(&item.change.0).cloned().unwrap_or_default();
    let card = whole_brief(view, file)?;
    Ok(Section::new("item", title, SectionBody::Brief(Box::new(card)))
        .said()
        .note(note)
        .acts(forms))
}

/// A member's acts beside voting: a forecast, an objection, a conflict of interest.
fn own_forms(view: &View<'_, '_, '_>, session: &Session, item: &AgendaItem) -> Vec<ActForm> {
    let Some(seat) = session.seat(view).filter(|_| session.is_member) else {
        return Vec::new();
    };
    let change = || Field::hidden("change", item.change_key.as_str());
    let mut forms = vec![
        session
            .form(view, "forecast", "Forecast", "forecast")
            .field(change())
            .field(Field::text("percent", "Probability of success, in percent").required())
            .tone(ActTone::Quiet)
            .submit("Keep the forecast"),
    ];
    if seat.has_conflict(&view.me, &item.change_id()) {
        return forms;
    }
    if item.listing == ItemListing::Vote {
        forms.push(
            session
                .form(view, "objection", "Discuss it at the meeting", "objection")
                .field(Field::hidden("item", item.id.as_str()))
                .field(Field::textarea("reason", "Reason for the discussion").required())
                .submit("Move it to the meeting"),
        );
    }
    forms.push(
        session
            .form(view, "conflict", "Declare a conflict of interest", "conflict")
            .field(Field::hidden("at", seat.id.as_str()))
            .field(change())
            .field(Field::textarea("reason", "Your interest in the change").required())
            .tone(ActTone::Stop)
            .note("You then count neither for the quorum nor for the vote on this change.")
            .submit("Declare it"),
    );
    forms
}
