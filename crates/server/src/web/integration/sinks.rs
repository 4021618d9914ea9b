//! Sinks of the log: their destinations, their positions, and their errors.

use acts::integration::set_sink;
use axum::extract::{Path, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::core::refusal;
use model::integration::sink::{Sink, SinkFormat};
use pages::{
    ActForm, ActTone, Cell, Choice, Column, Fact, Field, Fold, Input, Place, RecordPage, Rich, Section, SectionBody,
    Table, Tone, count,
};
use serde_json::json;
use store::audit::log;
use store::integration::sink as states;
use store::record::{self, Filter};

use super::super::shared::form::Form;
use super::super::shared::form_page::{Back, Sent, send, sent};
use super::super::shared::view::{View, Visitor, show};
use super::super::shared::words::beginning;
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::fields::pick_field;

/// The most sinks that are listed.
const MOST: i64 = 500;

/// The list.
pub(crate) async fn show_list(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Sinks, |view| list_page(view, None)).await
}

fn list_page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::SET_CONNECTION)?;
    let size = log::state(view.cx.tx)?.map_or(0, |log| log.size);
    let mut rows = Vec::new();
    for sink in record::bodies::<Sink>(view.cx.tx, &Filter::new().order_by("id").limit(MOST))? {
        let state = states::state(view.cx.tx, sink.id.as_str())?;
        let last = state.as_ref().and_then(|it| it.delivered_at);
        rows.push(vec![
            Cell::title(
                sink.name.as_str(),
                view.url(&format!("/sinks/{}", escaped(sink.id.as_str()))),
            ),
            Cell::said(sink.url.as_str()),
            Cell::text(form_of(sink.format)),
            Cell::Short(state.as_ref().map(|it| count(behind(size, it))).unwrap_or_default()),
            Cell::Short(last.map(|at| view.reader.moment(at)).unwrap_or_default()),
            Cell::Mark(status_mark(&sink, state.as_ref())),
        ]);
    }
    let table = Table {
        caption: "Sinks of the log".to_owned(),
        columns: vec![
            Column::new("Name", Fold::Never),
            Column::new("Address", Fold::Under),
            Column::new("Form", Fold::Under).named(),
            Column::new("Entries behind", Fold::Under).number(),
            Column::new("Last delivery", Fold::Under).named(),
            Column::new("State", Fold::Under),
        ],
        rows,
        ..Table::default()
    };
    let mut page = RecordPage {
        frame: view.frame.clone(),
        title: "Sinks of the log".to_owned(),
        byline: Rich::from("Receivers such as a SIEM get every entry of the log, in order and at least once."),
        sections: vec![
            Section::new("sinks", "All of them", SectionBody::Table(table))
                .unsaid("None yet. Add one to send the log to a SIEM."),
        ],
        acts: vec![new_form(view)],
        ..RecordPage::default()
    };
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn behind(size: i64, state: &states::State) -> u64 {
    u64::try_from(size - state.position).unwrap_or_default()
}

fn form_of(format: SinkFormat) -> &'static str {
    match format {
        SinkFormat::Rfc5424 => "Syslog (RFC 5424)",
        SinkFormat::Cef => "Common Event Format",
        SinkFormat::Ocsf => "OCSF 1.8",
        SinkFormat::Hec => "Splunk HTTP Event Collector",
        SinkFormat::Otlp => "OpenTelemetry logs",
        SinkFormat::Kafka => "Kafka REST proxy",
    }
}

fn status_mark(sink: &Sink, state: Option<&states::State>) -> pages::Mark {
    match (sink.active, state) {
        (false, _) => Tone::Plain.mark("Stopped"),
        (true, Some(state)) if state.failing_since.is_some() => Tone::Stop.mark("Failing"),
        (true, _) => Tone::Ok.mark("Delivering"),
    }
}

fn new_form(view: &View<'_, '_, '_>) -> ActForm {
    let forms = SinkFormat::ALL
        .iter()
        .map(|(name, format)| Choice::new(*name, form_of(*format)));
    ActForm::new("sink", "Add a sink", view.url("/sinks"))
        .field(super::super::shared::idempotent_form::field(view))
        .field(Field::text("name", "Name").required().half())
        .field(
            Field::text("url", "Address")
                .hint("tls://host:6514, tcp://host:514, https://… or file:NAME")
                .required()
                .half(),
        )
        .field(Field::new("format", "Form", Input::Select(forms.collect())))
        .field(
            Field::textarea("kinds", "Kinds of event")
                .hint("One a line: change.approved, approval.*, or * for all. All if empty."),
        )
        .field(Field::new("with_texts", "Send free texts too", Input::Checkbox))
        .field(
            Field::new("credential", "Credential", Input::Password)
                .hint("For https: a token, or a whole value of the header Authorization."),
        )
        .field(
            pick_field(view, "people", "owner", "Owner")
                .hint("A login; the person who is notified when it fails.")
                .value(view.directory.login(&view.me)),
        )
        .note("It begins with the next entry of the log. The credential is sealed and never shown.")
        .submit("Add it")
}

/// Adds a sink.
pub(crate) async fn create(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let path = "/sinks".to_owned();
    let sent = Sent {
        boxes: &["with_texts"],
        ..sent(form, path.clone(), path, Place::Sinks)
    };
    let run = |cx: &mut acts::Context<'_, '_>, body: &Body| set_sink::create_sink(cx, body).map(drop);
    send(&state, &visitor, sent, run, list_page).await
}

/// One sink.
pub(crate) async fn one(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Sinks, move |view| page(view, &id, None)).await
}

fn page(view: &mut View<'_, '_, '_>, id: &str, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::SET_CONNECTION)?;
    let sink = set_sink::sink(view.cx, id)?;
    let state = states::state(view.cx.tx, id)?;
    let size = log::state(view.cx.tx)?.map_or(0, |log| log.size);
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Sinks of the log".to_owned(), view.url("/sinks"))],
        title: sink.name.clone(),
        is_said: true,
        marks: vec![status_mark(&sink, state.as_ref())],
        byline: Rich::new().code(sink.url.as_str()),
        facts: facts(view, &sink, state.as_ref(), size),
        acts: acts_of(view, &sink, state.as_ref()),
        ..RecordPage::default()
    };
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn facts(view: &View<'_, '_, '_>, sink: &Sink, state: Option<&states::State>, size: i64) -> Vec<Fact> {
    let mut kinds = Rich::new();
    for (place, kind) in sink.kinds.iter().enumerate() {
        if place > 0 {
            kinds = kinds.text(", ");
        }
        kinds = kinds.code(kind.as_str());
    }
    let mut facts = vec![
        Fact::people("Owner", vec![view.named(&sink.owner)]),
        Fact::new("Form", form_of(sink.format)),
        Fact::new("Kinds of event", kinds),
        Fact::new("Free texts", if sink.with_texts { "sent" } else { "left out" }),
    ];
    let Some(state) = state else { return facts };
    facts.push(Fact::new("Next entry", count(state.position.unsigned_abs())));
    facts.push(Fact::new("Entries behind", count(behind(size, state))));
    if let Some(at) = state.delivered_at {
        facts.push(Fact::new("Last delivery", view.reader.moment(at)));
    }
    if let Some(since) = state.failing_since {
        facts.push(Fact::new(
            "Failing",
            Rich::new().late(format!("since {}", view.reader.moment(since))),
        ));
        facts.push(Fact::new("Next try", view.reader.due(state.run_at)));
    }
    if let Some(error) = &state.last_error {
        facts.push(Fact::new("Last answer", Rich::new().said(beginning(error, 200))));
    }
    facts
}

fn acts_of(view: &View<'_, '_, '_>, sink: &Sink, state: Option<&states::State>) -> Vec<ActForm> {
    let url = |act: &str| view.url(&format!("/sinks/{}/{act}", escaped(sink.id.as_str())));
    if !sink.active {
        return vec![ActForm::new("go-on", "Go on", url("go-on"))];
    }
    let next = state.map(|state| state.position.to_string()).unwrap_or_default();
    vec![
        ActForm::new("position", "Go on elsewhere", url("position"))
            .field(super::super::shared::idempotent_form::field(view))
            .field(Field::new("index", "Next entry", Input::Number).value(next).required())
            .note("An earlier entry sends entries again; a later one leaves some out.")
            .submit("Go on there"),
        ActForm::new("pause", "Pause", url("pause")),
        ActForm::new("end", "End it", url("end"))
            .tone(ActTone::Stop)
            .note("Nothing more is sent.")
            .submit("End this sink"),
    ]
}

/// Moves, pauses, continues or ends a sink.
pub(crate) async fn act(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id, act)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let url = format!("/sinks/{}", escaped(&id));
    let sent = sent(form, format!("{url}/{}", escaped(&act)), url, Place::Sinks);
    let whose = id.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| {
        let active = |is: bool| json!({"active": is}).as_object().cloned().unwrap_or_default();
        match act.as_str() {
            "end" => set_sink::end_sink(cx, &whose).map(drop),
            "pause" => set_sink::edit_sink(cx, &whose, &active(false)).map(drop),
            "go-on" => set_sink::edit_sink(cx, &whose, &active(true)).map(drop),
            "position" => set_sink::move_sink(cx, &whose, body).map(drop),
            _ => Err(refusal::Refusal::not_found("page").into()),
        }
    };
    send(&state, &visitor, sent, run, move |view, back| page(view, &id, back)).await
}
