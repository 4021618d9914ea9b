//! Boards: the list, and for each board its members, its meetings, its series and the accuracy of its members' forecasts.

use acts::Context;
use acts::cab::agenda::agendas_of;
use acts::cab::board_forecasts::board_scores;
use acts::cab::boards::find_boards;
use acts::cab::meetings::open_meeting;
use acts::core::noun;
use axum::extract::{Path, State};
use axum::response::Response;
use model::cab::agenda::{Agenda, AgendaState, month_before};
use model::cab::board_forecast::ForecastScore;
use model::cab::meeting::Meeting;
use model::cab::meeting_series::MeetingSeries;
use model::core::act::actions;
use model::core::body::Body;
use model::core::ids::{GroupKey, PersonId};
use model::core::refusal::Refusal;
use pages::{
    ActForm, ActTone, Cell, Column, Entry, Fact, Field, Fold, Place, RecordPage, Rich, Section, SectionBody, Table,
    Tone, count,
};
use serde_json::{Value, json};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::fields::{pick_field, time_field};
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, send, sent};
use crate::web::shared::idempotent_form;
use crate::web::shared::picks::MEMBERS_OF;
use crate::web::shared::view::{View, Visitor, show};

/// How many past meetings are shown.
const PAST: usize = 20;

/// Every board.
pub(crate) async fn show_boards(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Home, list_page).await
}

/// One board.
pub(crate) async fn show_board(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Home, move |view| page(view, &key, None)).await
}

/// Plans a meeting with its agenda.
pub(crate) async fn plan_meeting(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    let here = format!("/boards/{}", escaped(&key));
    let (sent, group) = (sent(form, format!("{here}/meetings"), here, Place::Home), key.clone());
    let run = move |cx: &mut Context<'_, '_>, body: &Body| {
        let part = |names: &[&str]| {
            let mut part = Body::new();
            for name in names {
                if let Some(value) = body.get(*name) {
                    part.insert((*name).to_owned(), value.clone());
                }
            }
            part
        };
        let mut meeting = part(&["title", "starts_at"]);
        meeting.insert("group".to_owned(), json!(group));
        let meeting = open_meeting(cx, &meeting)?;
        let mut agenda = part(&["freeze_at", "chair", "month"]);
        agenda.insert("meeting".to_owned(), json!(meeting.id));
        noun::add::<Agenda>(cx, &agenda).map(drop)
    };
    send(&state, &visitor, sent, run, move |view, back| page(view, &key, back)).await
}

/// Plans a series of meetings.
pub(crate) async fn plan_series(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    let here = format!("/boards/{}", escaped(&key));
    let (sent, group) = (sent(form, format!("{here}/series"), here, Place::Home), key.clone());
    let run = move |cx: &mut Context<'_, '_>, body: &Body| {
        let mut series = body.clone();
        series.insert("group".to_owned(), json!(group));
        let review = body.get("review").and_then(Value::as_str) == Some("true");
        series.insert("review".to_owned(), json!(review));
        noun::add::<MeetingSeries>(cx, &series).map(drop)
    };
    send(&state, &visitor, sent, run, move |view, back| page(view, &key, back)).await
}

/// Ends a series.
pub(crate) async fn end_series(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key, id)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let here = format!("/boards/{}", escaped(&key));
    let path = format!("{here}/series/{}/end", escaped(&id));
    let sent = sent(form, path, here, Place::Home);
    let run = move |cx: &mut Context<'_, '_>, _: &Body| noun::end::<MeetingSeries>(cx, &id).map(drop);
    send(&state, &visitor, sent, run, move |view, back| page(view, &key, back)).await
}

fn list_page(view: &mut View<'_, '_, '_>) -> acts::Result<String> {
    let boards = find_boards(view.cx)?;
    let row = |key: &GroupKey| {
        let name = view
            .directory
            .groups
            .get(key)
            .map(|group| group.name.clone())
            .unwrap_or_default();
        let next = ahead(view, key).map(|meeting| meeting.starts_at).min();
        vec![
            Cell::Title {
                text: name,
                href: view.url(&format!("/boards/{key}")),
                key: key.to_string(),
                marks: Vec::new(),
                sub: Rich::new(),
            },
            Cell::Short(count(view.directory.members(key).len() as u64)),
            Cell::Short(next.map(|at| view.reader.moment(at)).unwrap_or_default()),
        ]
    };
    let table = Table {
        caption: "Boards".to_owned(),
        columns: vec![
            Column::new("Board", Fold::Never),
            Column::new("Members", Fold::Under).named(),
            Column::new("Next meeting", Fold::Under).named(),
        ],
        rows: boards.iter().map(row).collect(),
        ..Table::default()
    };
    let month = month_before(view.now());
    let pack = ActForm::link("Board pack of last month", view.url(&format!("/board-packs/{month}")));
    let rotas = ActForm::link("Duty rotas", view.url("/duty-rotas")).tone(ActTone::Quiet);
    let policies = boards
        .is_empty()
        .then(|| ActForm::link("Policies and packs", view.url("/policies")));
    let page = RecordPage {
        frame: view.frame.clone(),
        title: "Boards".to_owned(),
        byline: Rich::from("The groups that decide at meetings."),
        acts: policies.into_iter().chain([pack, rotas]).collect(),
        sections: vec![Section::new("boards", "Boards", SectionBody::Table(table)).unsaid(
            "No rule requires a decision at a meeting, and no board has met. The policy pack “cab” contains such a rule.",
        )],
        ..RecordPage::default()
    };
    Ok(page.render())
}

/// The meetings of a board that are on or still to come.
fn ahead<'v>(view: &'v View<'_, '_, '_>, key: &'v GroupKey) -> impl Iterator<Item = &'v Meeting> {
    let now = view.now();
    let meetings = view.directory.meetings.iter();
    meetings.filter(move |meeting| &meeting.group == key && !meeting.is_over(now))
}

fn page(view: &mut View<'_, '_, '_>, key: &str, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let key = GroupKey::from(key);
    let Some(name) = view.directory.groups.get(&key).map(|group| group.name.clone()) else {
        return Err(Refusal::not_found(format!("group {key}")).into());
    };
    let agendas = agendas_of(view.cx, &key)?;
    let series = noun::list::<MeetingSeries>(view.cx)?;
    let scores = board_scores(view.cx, &key)?;
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Boards".to_owned(), view.url("/boards"))],
        key: key.to_string(),
        title: name,
        byline: Rich::from("Meetings, members and the accuracy of their forecasts."),
        acts: plan_forms(view, &key),
        facts: facts(view, &key),
        sections: vec![
            coming_section(view, &key, &agendas),
            past_section(view, &agendas),
            series_section(view, &key, &series),
            score_section(view, &scores),
        ],
        ..RecordPage::default()
    };
    if let Some(back) = back {
        let below = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, page.acts.iter_mut().chain(below));
    }
    Ok(page.render())
}

fn facts(view: &View<'_, '_, '_>, key: &GroupKey) -> Vec<Fact> {
    let now = view.now();
    let members = view.directory.members(key);
    let names = |people: Vec<&PersonId>| people.into_iter().map(|person| view.name(person)).collect::<Vec<_>>();
    let away = members
        .iter()
        .filter(|person| view.directory.is_absent(person, now))
        .collect();
    let on_call = view.directory.on_call.iter();
    let on_call = on_call
        .filter(|row| &row.group == key && row.is_on(now))
        .map(|row| &row.person)
        .collect();
    vec![
        Fact::people("Members", names(members.iter().collect())),
        Fact::people("Absent now", names(away)),
        Fact::people("On call now", names(on_call)),
    ]
}

fn plan_forms(view: &View<'_, '_, '_>, key: &GroupKey) -> Vec<ActForm> {
    if !view.may(actions::SET_MEETING) {
        return Vec::new();
    }
    let url = |path: &str| view.url(&format!("/boards/{key}/{path}"));
    let members = format!("{MEMBERS_OF}{key}");
    let chair = || {
        let hint = "Login of a board member; you by default.";
        pick_field(view, &members, "chair", "Chair").hint(hint)
    };
    vec![
        ActForm::new("meeting", "Plan a meeting", url("meetings"))
            .field(idempotent_form::field(view))
            .field(Field::text("title", "What it is called").required())
            .field(time_field(view, "starts_at", "Begins").required())
            .field(
                time_field(view, "freeze_at", "Its agenda is frozen")
                    .hint("At most 24 hours before it begins. Members vote from then on.")
                    .required(),
            )
            .field(chair())
            .submit("Plan it"),
        ActForm::new("series", "Plan a series", url("series"))
            .field(idempotent_form::field(view))
            .field(Field::text("title", "Title of its meetings").required())
            .field(time_field(view, "starts_at", "The first one begins").required())
            .field(
                Field::text("rrule", "Rule")
                    .hint("Such as FREQ=WEEKLY;BYDAY=TU.")
                    .required(),
            )
            .field(Field::text("time_zone", "Time zone").value(view.reader.zone_name()))
            .field(chair())
            .field(
                Field::select(
                    "review",
                    "What they are",
                    &[
                        ("false", "Meetings on changes"),
                        ("true", "Reviews of the month before, with its board pack"),
                    ],
                )
                .value("false"),
            )
            .submit("Plan the series"),
    ]
}

fn coming_section(view: &View<'_, '_, '_>, key: &GroupKey, agendas: &[Agenda]) -> Section {
    let is_votes = |meeting: &Meeting| agendas.iter().any(|it| it.votes.as_ref() == Some(&meeting.id));
    let mut meetings: Vec<&Meeting> = ahead(view, key).filter(|meeting| !is_votes(meeting)).collect();
    meetings.sort_by_key(|meeting| meeting.starts_at);
    let entry = |meeting: &&Meeting| {
        let text = Rich::new().said_link(meeting.title.as_str(), view.url(&format!("/meetings/{}", meeting.id)));
        let agenda = agendas.iter().find(|it| it.id == meeting.id);
        let why = match agenda {
            None => Rich::from("Without an agenda."),
            Some(it) if it.state == AgendaState::Open => {
                Rich::from("Its agenda is frozen ").append(view.moment(it.freeze_at))
            }
            Some(it) if !it.voted => Rich::from("Votes are open until it begins."),
            Some(_) => Rich::from("Its agenda is frozen."),
        };
        let tone = if meeting.is_on(view.now()) {
            Tone::Ok
        } else {
            Tone::Plain
        };
        Entry::new(tone, text)
            .icon("calendar")
            .why(why)
            .aside(view.moment(meeting.starts_at))
    };
    Section::new(
        "coming",
        "Meetings",
        SectionBody::Entries(meetings.iter().map(entry).collect()),
    )
    .unsaid("No meeting is open or planned.")
}

fn past_section(view: &View<'_, '_, '_>, agendas: &[Agenda]) -> Section {
    let now = view.now();
    let past = agendas
        .iter()
        .filter(|it| it.state == AgendaState::Signed || it.starts_at <= now);
    let entry = |it: &Agenda| {
        let title = view
            .directory
            .meeting(&it.id)
            .map(|meeting| meeting.title.clone())
            .unwrap_or_default();
        let text = Rich::new().said_link(title, view.url(&format!("/meetings/{}", it.id)));
        let entry = match it.signed_at {
            Some(at) => Entry::new(Tone::Ok, text).why(Rich::from("Minutes signed ").append(view.moment(at))),
            None => Entry::new(Tone::Wait, text).why(Rich::from("Its minutes are not signed.")),
        };
        entry.aside(view.moment(it.starts_at))
    };
    Section::new(
        "past",
        "Minutes",
        SectionBody::Entries(past.take(PAST).map(entry).collect()),
    )
    .unsaid("No meeting with an agenda has begun.")
}

fn series_section(view: &View<'_, '_, '_>, key: &GroupKey, series: &[MeetingSeries]) -> Section {
    let entry = |it: &MeetingSeries| {
        let what = match it.review {
            true => "Reviews the month before, with its board pack.",
            false => "Meetings on changes.",
        };
        let text = Rich::new().said(it.title.as_str()).text(" ").code(it.rrule.as_str());
        let why = Rich::from(what).text(" Chair: ").append(view.person(&it.chair));
        let entry = Entry::new(Tone::Plain, text).icon("calendar").why(why);
        if !view.may(actions::SET_MEETING) {
            return entry;
        }
        let url = view.url(&format!("/boards/{key}/series/{}/end", it.id));
        let end = ActForm::new(format!("end-{}", it.id), "End the series", url)
            .field(idempotent_form::field(view))
            .tone(ActTone::Link);
        entry.act(format!("series-{}", it.id), end)
    };
    let own = series.iter().filter(|it| &it.group == key);
    Section::new("series", "Series", SectionBody::Entries(own.map(entry).collect()))
        .unsaid("This board has no series of meetings.")
}

fn score_section(view: &View<'_, '_, '_>, scores: &[ForecastScore]) -> Section {
    let percent = |it: Option<i64>| it.map_or_else(|| "fewer than 5".to_owned(), |it| format!("{it} %"));
    let row = |it: &ForecastScore| {
        let brier = it.brier.map_or_else(
            || "fewer than 5".to_owned(),
            |it| format!("{}.{:03}", it / 1_000_000, it % 1_000_000 / 1_000),
        );
        vec![
            Cell::Text(view.person(&it.person)),
            Cell::Short(format!("{} of {}", count(it.compared as u64), count(it.given as u64))),
            Cell::Short(percent(it.expected)),
            Cell::Short(format!(
                "{} of {}",
                count(it.succeeded as u64),
                count(it.compared as u64)
            )),
            Cell::Short(brier),
        ]
    };
    let table = Table {
        caption: "Forecasts of members and outcomes of changes".to_owned(),
        columns: vec![
            Column::new("Member", Fold::Never),
            Column::new("With an outcome", Fold::Under).named(),
            Column::new("Expected success", Fold::Under).named(),
            Column::new("Succeeded", Fold::Under).named(),
            Column::new("Brier score", Fold::Under).named(),
        ],
        rows: scores.iter().map(row).collect(),
        ..Table::default()
    };
    Section::new("forecasts", "Forecasts and outcomes", SectionBody::Table(table))
        .lede("The Brier score is the mean squared distance between forecast and outcome: 0 is best; always forecasting 50 % \
            gives 0.250.")
        .unsaid("No member gave a forecast.")
}
