//! One freeze or maintenance window: its coverage, its history, and the form that edits it while it is in force.

use acts::Context;
use acts::audit::find_timeline::{ShownEvent, find_history};
use acts::schedule::edit_span;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::core::refusal::Refusal;
use model::directory::snapshot::{self, Freeze, MaintenanceWindow};
use model::schedule::freeze::FreezeTerms;
use pages::{ActForm, ActTone, Entry, Fact, Field, Input, Place, RecordPage, Rich, Section, SectionBody, Tone};
use store::record::{self, Record};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::schedule::freeze_parts;
use crate::web::schedule::list::{REACHES, loosening_acts, scope, scope_fields, sent, state_of};
use crate::web::shared::fields::time_field;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, send};
use crate::web::shared::record_edit_conflict::PresentRecord;
use crate::web::shared::timeline;
use crate::web::shared::view::{View, Visitor, reader_of, show};

/// The editable fields of a freeze, in the order of the form.
const OF_FREEZE: &[&str] = &[
    "title",
    "starts_at",
    "ends_at",
    "services",
    "environments",
    "reason",
    "halt",
    "reach",
    "thaw_risk",
    "rrule",
    "ends_rrule",
    "working_days_of",
    "fiscal_of",
    "time_zone",
    "exdates",
    "overrides",
];
/// The editable fields of a maintenance window.
const OF_WINDOW: &[&str] = &[
    "title",
    "starts_at",
    "ends_at",
    "services",
    "environments",
    "rrule",
    "ends_rrule",
    "working_days_of",
    "fiscal_of",
    "time_zone",
    "exdates",
    "overrides",
];

/// The query of the address.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct FormQuery {
    /// Whether the edit form is open.
    change: Option<String>,
}

/// A freeze.
pub(crate) async fn freeze(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    Query(asked): Query<FormQuery>,
) -> Response {
    show(&state, &visitor, Place::Freezes, move |view| {
        freeze_page(view, &id, asked.change.is_some(), None)
    })
    .await
}

/// A maintenance window.
pub(crate) async fn window(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    Query(asked): Query<FormQuery>,
) -> Response {
    show(&state, &visitor, Place::Calendar, move |view| {
        window_page(view, &id, asked.change.is_some(), None)
    })
    .await
}

fn load<R: Record>(cx: &mut Context<'_, '_>, id: &str, what: &'static str) -> acts::Result<R> {
    let found = record::load::<R>(cx.tx, id)?.map(|stored| stored.record);
    found.ok_or_else(|| Refusal::not_found(what).into())
}

/// The page of a freeze.
pub(super) fn freeze_page(
    view: &mut View<'_, '_, '_>,
    id: &str,
    is_open: bool,
    back: Option<&Back>,
) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let freeze = load::<Freeze>(view.cx, id, "freeze")?;
    let (is_over, time) = (freeze.is_over(view.now()), freeze.next_time(view.now()));
    let mark = match is_over {
        true => Tone::Plain.mark("over"),
        false => Tone::Freeze.mark(state_of(view, &freeze)),
    };
    let mut page = span_page(view, ("Freezes", "/freezes"), freeze.title.as_str());
    page.marks.push(mark);
    page.facts = facts(
        view,
        (time.starts_at, time.ends_at),
        scope(freeze.services.iter(), freeze.environments.iter()),
    );
    let halt = match freeze.halt {
        true => "must stop too",
        false => "goes on",
    };
    page.facts.push(Fact::new("Work that is going on", halt));
    if !freeze.reach.is_usual() {
        page.facts.push(Fact::new("Services that need these", "are frozen too"));
    }
    if let Some(key) = &freeze.course.major_incident {
        let url = view.url(&format!("/incidents/{}", escaped(key)));
        page.facts
            .push(Fact::new("Follows from", Rich::new().link(key.as_str(), url)));
    }
    page.facts.extend(freeze_parts::facts(view, &freeze));
    put_sections(view, &mut page, &freeze)?;
    let history = find_history::<Freeze>(view.cx, id)?;
    page.sections.push(history_section(view, &history));
    let follows = freeze.course.major_incident.is_some();
    if view.may(actions::SET_FREEZE) && !is_over && !follows {
        let standing = PresentRecord::of(OF_FREEZE, &freeze, freeze.version)?;
        let mut act = freeze_form(view, &freeze, &standing)?;
        act.is_open = is_open;
        page.acts = vec![act];
        page.acts.extend(loosening_acts(view, &freeze));
        page.acts.extend(freeze_parts::acts(view, &freeze));
        came_back(view, &mut page, back, &standing, &history)?;
    } else {
        page.acts = freeze_parts::acts(view, &freeze);
        if let Some(back) = back {
            back.put(view, &mut page.frame, page.acts.iter_mut());
        }
    }
    Ok(page.render())
}

/// The sections of a freeze's page besides its facts and its history.
fn put_sections(view: &mut View<'_, '_, '_>, page: &mut RecordPage, freeze: &Freeze) -> acts::Result<()> {
    page.sections.push(freeze_parts::steps(view, freeze));
    if !freeze.is_over(view.now()) {
        page.sections.push(freeze_parts::hits(view, freeze)?);
    }
    page.sections.push(
        Section::new(
            "reason",
            "Reason and agreement",
            SectionBody::Prose(freeze.reason.clone().unwrap_or_default()),
        )
        .unsaid("No reason is given."),
    );
    page.sections.extend(freeze_parts::times(view, &freeze.repeat));
    let signatures = freeze_parts::signatures(view, freeze);
    if !signatures.is_empty() {
        page.sections.push(Section::new(
            "signatures",
            "Signed steps",
            SectionBody::Entries(signatures),
        ));
    }
    let exceptions = SectionBody::Entries(exceptions(view, freeze));
    page.sections
        .push(Section::new("exceptions", "Exceptions", exceptions).unsaid("No change may pass it."));
    let steps = loosened(view, freeze);
    if !steps.is_empty() {
        page.sections.push(Section::new(
            "loosened",
            "Ended or shortened",
            SectionBody::Entries(steps),
        ));
    }
    Ok(())
}

/// The proposals and confirmations that let the freeze cover less.
fn loosened(view: &View<'_, '_, '_>, freeze: &Freeze) -> Vec<Entry> {
    let span = |terms: Option<&FreezeTerms>| match terms {
        Some(terms) => format!(" sets its time to {}", view.reader.span(terms.starts_at, terms.ends_at)),
        None => " ends it".to_owned(),
    };
    let proposed = freeze.loosening.iter().map(|row| {
        let text = Rich::new()
            .append(view.person(&row.by))
            .text(" proposes this; it waits for a confirmation:")
            .text(span(row.terms.as_ref()));
        Entry::new(Tone::Wait, text)
            .quote(row.reason.as_str())
            .aside(view.moment(row.at))
    });
    let done = freeze.loosened.iter().rev().map(|row| {
        let text = Rich::new()
            .append(view.person(&row.by))
            .text(span(row.after.as_ref()))
            .text("; confirmed by ")
            .append(view.person(&row.confirmed_by));
        let before = view.reader.span(row.before.starts_at, row.before.ends_at);
        Entry::new(Tone::Plain, text)
            .quote(row.reason.as_str())
            .why(format!("Before: {before}"))
            .aside(view.moment(row.confirmed_at))
    });
    proposed.chain(done).collect()
}

fn window_page(view: &mut View<'_, '_, '_>, id: &str, is_open: bool, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let window = load::<MaintenanceWindow>(view.cx, id, "window")?;
    let (is_over, time) = (window.is_over(view.now()), window.next_time(view.now()));
    let mut page = span_page(view, ("Calendar", "/windows"), window.title.as_str());
    page.marks.push(match is_over {
        true => Tone::Plain.mark("over"),
        false => Tone::Plain.mark("Window"),
    });
    page.facts = facts(
        view,
        (time.starts_at, time.ends_at),
        scope(window.services.iter(), window.environments.iter()),
    );
    page.sections.extend(freeze_parts::times(view, &window.repeat));
    let history = find_history::<MaintenanceWindow>(view.cx, id)?;
    page.sections.push(history_section(view, &history));
    if view.may(actions::SET_WINDOW) && !is_over {
        let standing = PresentRecord::of(OF_WINDOW, &window, window.version)?;
        let mut act = window_form(view, &window, &standing)?;
        act.is_open = is_open;
        let end = ActForm::new("end", "Take it back", view.url(&format!("/windows/{id}/end"))).tone(ActTone::Stop);
        page.acts = vec![act, end];
        came_back(view, &mut page, back, &standing, &history)?;
    } else if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn span_page(view: &View<'_, '_, '_>, (list, url): (&str, &str), title: &str) -> RecordPage {
    RecordPage {
        frame: view.frame.clone(),
        crumb: vec![(list.to_owned(), view.url(url))],
        title: title.to_owned(),
        is_said: true,
        is_facts_first: true,
        ..RecordPage::default()
    }
}

fn facts(view: &View<'_, '_, '_>, (from, to): (jiff::Timestamp, jiff::Timestamp), covers: Rich) -> Vec<Fact> {
    vec![
        Fact::new("From and to", view.reader.span(from, to)),
        Fact::new("Covers", covers),
    ]
}

fn exceptions(view: &View<'_, '_, '_>, freeze: &Freeze) -> Vec<Entry> {
    let one = |row: &snapshot::FreezeException| {
        let entry = Entry::new(
            Tone::Ok,
            Rich::new()
                .link(row.change_key.as_str(), view.change_url(&row.change_key))
                .text(" may pass"),
        );
        let entry = entry
            .quote(row.reason.as_str())
            .aside(view.person(&row.by))
            .aside(view.moment(row.at));
        match row.time.filter(|_| freeze.repeat.is_set()) {
            Some(time) => entry.aside(view.reader.span(time.starts_at, time.ends_at)),
            None => entry,
        }
    };
    freeze.exceptions.iter().map(one).collect()
}

fn history_section(view: &View<'_, '_, '_>, history: &[ShownEvent]) -> Section {
    let moments = history.iter().map(|told| timeline::moment(view, told)).collect();
    Section::new("history", "What happened", SectionBody::Timeline(moments)).note("newest first")
}

/// Puts a returned form into the first act of its page, the one that changes the span.
fn came_back(
    view: &View<'_, '_, '_>,
    page: &mut RecordPage,
    back: Option<&Back>,
    standing: &PresentRecord,
    history: &[ShownEvent],
) -> acts::Result<()> {
    let Some(back) = back else {
        return Ok(());
    };
    let edited = history.iter().find(|told| told.kind.ends_with(".edited"));
    let who = edited.map_or_else(|| "Somebody".to_owned(), |told| view.name(&told.actor));
    standing.put(
        view,
        (&mut page.frame, &mut page.acts[0]),
        back,
        (&who, history.first()),
    )
}

/// The fields that a freeze and a window share, filled in.
fn span_fields(view: &View<'_, '_, '_>, act: ActForm, standing: &PresentRecord) -> acts::Result<ActForm> {
    let value = |name: &str| standing.value(name, &view.reader);
    let [services, environments] = scope_fields(view);
    let [revision, was] = standing.hidden()?;
    Ok(act
        .field(revision)
        .field(was)
        .field(Field::text("title", "Name").value(value("title")).required())
        .field(
            time_field(view, "starts_at", "From")
                .value(value("starts_at"))
                .required(),
        )
        .field(time_field(view, "ends_at", "To").value(value("ends_at")).required())
        .field(services.value(value("services")))
        .field(environments.value(value("environments"))))
}

/// The fields by which a freeze or a window repeats, filled in.
fn with_repeat(view: &View<'_, '_, '_>, mut act: ActForm, standing: &PresentRecord) -> ActForm {
    for field in freeze_parts::repeat_fields(view, false) {
        let value = standing.value(&field.name, &view.reader);
        act = act.field(field.value(value));
    }
    act
}

fn freeze_form(view: &View<'_, '_, '_>, freeze: &Freeze, standing: &PresentRecord) -> acts::Result<ActForm> {
    let value = |name: &str| standing.value(name, &view.reader);
    let act = ActForm::new("change", "Change it", view.url(&format!("/freezes/{}", freeze.id)));
    Ok(with_repeat(view, span_fields(view, act, standing)?, standing)
        .field(freeze_parts::thaw_field().value(value("thaw_risk")))
        .field(Field::textarea("reason", "Reason and agreement").value(value("reason")))
        .field(
            Field::new("halt", "Work that is going on must stop too", Input::Checkbox).value(freeze.halt.to_string()),
        )
        .field(Field::select("reach", "Services that need these", &REACHES).value(freeze.reach.as_str()))
        .field(
            Field::textarea("edit_reason", "Reason for covering less")
                .hint("Required if the freeze ends earlier, begins later or covers less. The present freeze stays in force \
                    until another person confirms."),
        )
        .note("The freeze keeps its exceptions, and no gate opens during the edit. Changes that it newly covers stop; those \
            that it no longer covers may start.")
        .submit("Keep these edits"))
}

fn window_form(view: &View<'_, '_, '_>, window: &MaintenanceWindow, standing: &PresentRecord) -> acts::Result<ActForm> {
    let act = ActForm::new("change", "Change it", view.url(&format!("/windows/{}", window.id)));
    Ok(with_repeat(view, span_fields(view, act, standing)?, standing).submit("Keep these edits"))
}

/// Changes a freeze.
pub(crate) async fn edit_freeze(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let path = format!("/freezes/{}", escaped(&id));
    let (typed, whose) = (form.clone(), id.clone());
    let run = move |cx: &mut Context<'_, '_>, body: &Body| {
        let freeze = load::<Freeze>(cx, &whose, "freeze")?;
        let standing = PresentRecord::of(OF_FREEZE, &freeze, freeze.version)?;
        let directory = cx.directory()?;
        let mut patch = standing.patch(&typed, body, &reader_of(cx, &directory))?;
        if let Some(said) = body.get("edit_reason").filter(|_| !patch.is_empty()) {
            patch.insert("edit_reason".to_owned(), said.clone());
        }
        edit_span::edit_freeze(cx, &whose, &patch).map(drop)
    };
    let sent = sent(form, path.clone(), &path, Place::Freezes, "freeze_changed");
    send(&state, &visitor, sent, run, move |view, back| {
        freeze_page(view, &id, false, back)
    })
    .await
}

/// Changes a maintenance window.
pub(crate) async fn edit_window(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let path = format!("/windows/{}", escaped(&id));
    let (typed, whose) = (form.clone(), id.clone());
    let run = move |cx: &mut Context<'_, '_>, body: &Body| {
        let window = load::<MaintenanceWindow>(cx, &whose, "window")?;
        let standing = PresentRecord::of(OF_WINDOW, &window, window.version)?;
        let directory = cx.directory()?;
        let patch = standing.patch(&typed, body, &reader_of(cx, &directory))?;
        edit_span::edit_window(cx, &whose, &patch).map(drop)
    };
    let sent = sent(form, path.clone(), &path, Place::Calendar, "window_changed");
    send(&state, &visitor, sent, run, move |view, back| {
        window_page(view, &id, false, back)
    })
    .await
}
