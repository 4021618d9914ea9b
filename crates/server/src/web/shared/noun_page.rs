//! The pages of nouns with a card: the records in use, and the forms that add, change and end one.

use acts::Context;
use acts::core::noun::{self, PlainNoun};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::Timestamp;
use model::core::body::Body;
use model::core::card::{self, Does, Kind};
use model::core::parse::LINE;
use model::core::refusal::Refusal;
use model::risk::regimes;
use pages::{ActForm, ActTone, Fact, Field, Input, Place, RecordPage, Rich, Section, SectionBody};
use serde_json::Value;
use store::record::Record;
use store::{Lane, Mode};
use wire::views;

use crate::http::handler::{get, plain, post};
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::integration::monitoring_state::Seen;
use crate::web::shared::fields::{pick_field, picks_field, time_field};
use crate::web::shared::form::{Form, STANDS};
use crate::web::shared::form_page::{Back, Sent, send, sent};
use crate::web::shared::idempotent_form;
use crate::web::shared::list_filter::ListQuery;
use crate::web::shared::monitoring_section;
use crate::web::shared::view::{View, Visitor, show};

/// The table of monitors, whose page shows the state of Prometheus as well.
const MONITORS: &str = "monitor";
/// The name under which a form sends the version that it shows.
const VERSION: &str = "revision";

macro_rules! pages {
    ($($noun:ty),+ $(,)?) => {
        /// The pages of every card that has one.
        pub(crate) fn router() -> Router<AppState> {
            let router = Router::new();
            $(let router = routes::<$noun>(router);)+
            router
        }
    };
}

model::card_nouns!(pages);

fn routes<N: PlainNoun + 'static>(router: Router<AppState>) -> Router<AppState> {
    let Some(page) = N::CARD.page else {
        return router;
    };
    let path = format!("/t/{{tenant}}{}", page.path);
    router
        .route(&path, get(show_list::<N>).post(plain(add::<N>)))
        .route(&format!("{path}/{{id}}"), post(edit::<N>))
        .route(&format!("{path}/{{id}}/end"), post(end::<N>))
}

async fn show_list<N: PlainNoun + 'static>(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(words): Query<ListQuery>,
) -> Response {
    let seen = (N::CARD.table == MONITORS).then(|| state.monitoring().seen(&visitor.caller.tenant));
    show(&state, &visitor, Place::Home, move |view| {
        page_of::<N>(view, (&words, seen.as_ref()), None)
    })
    .await
}

async fn add<N: PlainNoun + 'static>(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    if N::READS_FIRST {
        // The act itself reports errors of the form.
        let _ = state
            .act(Lane::Pages, &visitor.caller, Mode::Read, noun::read_first::<N>)
            .await;
    }
    let run = |cx: &mut Context<'_, '_>, body: &Body| noun::add::<N>(cx, body).map(drop);
    send(&state, &visitor, sent_to::<N>(form, ""), run, page::<N>).await
}

async fn edit<N: PlainNoun + 'static>(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let version = form.first(VERSION).to_owned();
    let sent = sent_to::<N>(form, &format!("/{}", escaped(&id)));
    let run = move |cx: &mut Context<'_, '_>, body: &Body| {
        let edited = noun::edit::<N>(cx, &id, &whole::<N>(body))?;
        check_version(&edited, &version)
    };
    send(&state, &visitor, sent, run, page::<N>).await
}

async fn end<N: PlainNoun + 'static>(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let sent = sent_to::<N>(form, &format!("/{}/end", escaped(&id)));
    let run = move |cx: &mut Context<'_, '_>, _: &Body| noun::end::<N>(cx, &id).map(drop);
    send(&state, &visitor, sent, run, page::<N>).await
}

fn sent_to<N: PlainNoun>(form: Form, rest: &str) -> Sent {
    let path = N::CARD.page.map_or("", |page| page.path);
    let form = form.of_card(N::CARD.input.2);
    sent(form, format!("{path}{rest}"), path.to_owned(), Place::Home)
}

/// Refuses an edit of another version than the form showed; the transaction of the edit is then not committed.
fn check_version<R: Record>(edited: &R, shown: &str) -> acts::Result<()> {
    if shown.parse() == Ok(edited.version() - 1) {
        return Ok(());
    }
    let text = "Another person changed it in the meantime. Read it again and repeat your change.".to_owned();
    Err(Refusal::Stale { text }.into())
}

/// A form as an edit: the form shows every field, so an empty field is cleared.
fn whole<N: PlainNoun>(body: &Body) -> Body {
    let mut whole = body.clone();
    for field in N::CARD.input.2 {
        whole.entry(field.name.to_owned()).or_insert(Value::Null);
    }
    whole
}

fn page<N: PlainNoun>(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    page_of::<N>(view, (&ListQuery::default(), None), back)
}

/// The page; that of monitors also shows the state of the files for Prometheus, where it is known.
fn page_of<N: PlainNoun>(
    view: &mut View<'_, '_, '_>,
    (words, seen): (&ListQuery, Option<&Seen>),
    back: Option<&Back>,
) -> acts::Result<String> {
    let (records, told) = words.cut(noun::list::<N>(view.cx)?);
    let asked = words;
    let Some(words) = N::CARD.page else {
        return Err(Refusal::not_found("page").into());
    };
    let mut page = RecordPage {
        title: N::CARD.title.to_owned(),
        byline: Rich::from(words.byline),
        ..RecordPage::default()
    };
    if records.is_empty() {
        page.byline = Rich::from(words.byline).line().text(words.empty);
    }
    for record in &records {
        page.sections.push(section(view, record)?);
    }
    page.sections
        .extend(seen.map(|seen| monitoring_section::section(view, seen)));
    if may::<N>(view, Does::Add) || may::<N>(view, Does::Set) {
        page.acts
            .push(form::<N>(view, words.labels[0], words.path, &Value::Null));
    }
    page.acts.extend(asked.page_acts(&view.url(words.path), &told));
    page.frame = view.frame.clone();
    if let Some(back) = back {
        let below = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, page.acts.iter_mut().chain(below));
    }
    Ok(page.render())
}

fn may<N: PlainNoun>(view: &View<'_, '_, '_>, does: Does) -> bool {
    let verb = N::CARD.verb(does);
    verb.is_some_and(|verb| verb.may.split(" | ").any(|action| view.may(action)))
}

/// A record: its first text as the heading, the other fields as facts.
fn section<N: PlainNoun>(view: &mut View<'_, '_, '_>, record: &N) -> acts::Result<Section> {
    let further = record.further(view.cx)?;
    // People are named by their logins, as in the API.
    let body = views::shown(record, &view.directory);
    let fields = N::CARD.input.2;
    let title = fields
        .first()
        .and_then(|field| Some(word_name(field, body[field.name].as_str()?)))
        .unwrap_or(N::CARD.title);
    let facts = fields.iter().skip(1).filter_map(|field| {
        let value = shown_value(view, field, &body[field.name]);
        (!value.is_empty()).then(|| Fact::new(field.label, value))
    });
    let further = further.into_iter().filter(|(_, texts)| !texts.is_empty());
    let facts = facts.chain(further.map(|(label, texts)| Fact::new(label, told_further(view, &texts))));
    let id = record.key();
    let section = Section::new(format!("record-{id}"), title, SectionBody::Facts(facts.collect())).said();
    let (Some(words), path) = (N::CARD.page, escaped(id)) else {
        return Ok(section);
    };
    let mut acts = Vec::new();
    if let Some(page) = record.page() {
        acts.push(ActForm::link("Open the page", view.url(&page)).tone(ActTone::Link));
    }
    if let Some(print) = record.print().filter(|_| may::<N>(view, Does::Edit)) {
        acts.push(ActForm::new(format!("print-{id}"), "Print it", view.url(&print)).tone(ActTone::Link));
    }
    if may::<N>(view, Does::Edit) {
        let edit = form::<N>(view, words.labels[1], &format!("{}/{path}", words.path), &body);
        acts.push(edit.tone(ActTone::Link));
    }
    if may::<N>(view, Does::End) {
        let url = view.url(&format!("{}/{path}/end", words.path));
        acts.push(ActForm::new(format!("end-{id}"), words.labels[2], url).tone(ActTone::Link));
    }
    Ok(section.acts(acts))
}

/// A value as a reader sees it.
fn shown_value(view: &View<'_, '_, '_>, field: &card::Field, value: &Value) -> Rich {
    match (field.kind, value) {
        (Kind::Time, Value::String(text)) => text
            .parse::<Timestamp>()
            .map_or_else(|_| Rich::new(), |at| view.moment(at)),
        (_, Value::String(text)) => Rich::new().said(word_name(field, text)),
        (_, Value::Array(items)) if !items.is_empty() => Rich::new().said(joined(items)),
        (_, Value::Number(number)) => Rich::from(number.to_string()),
        (_, Value::Bool(true)) => Rich::from("yes"),
        _ => Rich::new(),
    }
}

/// A regime among the words of a field by its name for people, and any other text as it is.
fn word_name<'t>(field: &card::Field, text: &'t str) -> &'t str {
    match field.kind {
        Kind::Word(_) => regimes::name(text),
        _ => text,
    }
}

/// Texts that a record adds: a time alone is shown like the times of its fields.
fn told_further(view: &View<'_, '_, '_>, texts: &[String]) -> Rich {
    let time = match texts {
        [one] => one.parse::<Timestamp>().ok(),
        _ => None,
    };
    time.map_or_else(|| Rich::new().said(texts.join(", ")), |at| view.moment(at))
}

fn joined(items: &[Value]) -> String {
    items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

/// The form that adds a record, or edits the record with this body.
fn form<N: PlainNoun>(view: &View<'_, '_, '_>, label: &str, path: &str, body: &Value) -> ActForm {
    let id = format!("{}-{}", N::CARD.table, body["id"].as_str().unwrap_or("new"));
    let mut form = ActForm::new(id, label, view.url(path));
    form = match body["version"].as_i64() {
        Some(version) => form
            .field(Field::hidden(VERSION, version.to_string()))
            .field(Field::hidden(STANDS, times::<N>(body))),
        None => form.field(idempotent_form::field(view)),
    };
    for field in N::CARD.input.2 {
        form = form.field(control(view, field, &body[field.name]));
    }
    form.submit(label)
}

/// The times of a record to the instant, so that an untouched field keeps its seconds.
fn times<N: PlainNoun>(body: &Value) -> String {
    let times = N::CARD.input.2.iter().filter(|field| matches!(field.kind, Kind::Time));
    let times: Body = times
        .map(|field| (field.name.to_owned(), body[field.name].clone()))
        .collect();
    Value::Object(times).to_string()
}

/// The kind of [`crate::web::shared::picks`] of which a field holds keys; `None` for a field with other values.
fn searched(field: &card::Field) -> Option<&'static str> {
    match (field.refers, field.name) {
        ("service", _) => Some("services"),
        ("group", _) => Some("groups"),
        (_, "person" | "people" | "members") => Some("people"),
        (_, "change" | "changes") => Some("changes"),
        (_, "environment" | "environments") => Some("environments"),
        _ => None,
    }
}

fn control(view: &View<'_, '_, '_>, field: &card::Field, value: &Value) -> Field {
    let text = value.as_str().unwrap_or(field.usual);
    let control = match field.kind {
        Kind::Time => {
            let shown = text
                .parse::<Timestamp>()
                .map_or_else(|_| String::new(), |at| view.reader.field(at));
            time_field(view, field.name, field.label).value(shown)
        }
        Kind::Text(most) if most > LINE => Field::textarea(field.name, field.label).value(text).hint(field.doc),
        Kind::Texts(_) | Kind::Words(_) => {
            let items = value.as_array().map(|items| joined(items)).unwrap_or_default();
            let control = match searched(field) {
                Some(kind) => picks_field(view, kind, field.name, field.label),
                None => Field::text(field.name, field.label),
            };
            control.value(items).hint(field.doc)
        }
        Kind::Boolean => {
            Field::new(field.name, field.label, Input::Checkbox).value(value.as_bool().unwrap_or_default().to_string())
        }
        Kind::Word(words) => {
            let words = (words.all)().into_iter().map(|word| (word, regimes::name(word)));
            let words: Vec<(&str, &str)> = words.collect();
            Field::select(field.name, field.label, &words)
                .value(text)
                .hint(field.doc)
        }
        Kind::Integer(..) => {
            let number = value.as_i64().map(|it| it.to_string()).unwrap_or_default();
            Field::new(field.name, field.label, Input::Number)
                .value(number)
                .hint(field.doc)
        }
        Kind::Text(_) | Kind::Object | Kind::Part(_) | Kind::Parts(_) => {
            let control = match searched(field) {
                Some(kind) => pick_field(view, kind, field.name, field.label),
                None => Field::text(field.name, field.label),
            };
            control.value(text).hint(field.doc)
        }
    };
    if field.is_needed { control.required() } else { control }
}
