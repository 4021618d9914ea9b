//! The review of an incident: people's answers beside the recorded facts. A review names systems and conditions, not faults of
//! people.

use acts::core::noun;
use acts::incident::draft_incident_review::draft_incident_review;
use acts::incident::problems::problems_of;
use acts::incident::review_actions::add_review_action;
use acts::risk::move_forecasts::moves_by;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use model::core::act::actions;
use model::core::body::Body;
use model::incident::incident_review::IncidentReview;
use model::incident::review_answer::ReviewAnswer;
use model::incident::review_text::{Action, Drafted, Involved};
use model::risk::cause::Cause;
use model::risk::cause_move::CauseMove;
use pages::{
    ActForm, ActTone, Cell, Choice, Column, Entry, Fact, Field, Fold, Input, Place, RecordPage, Rich, Section,
    SectionBody, Table, Tone, count,
};
use serde_json::json;
use store::{Lane, Mode};

use crate::compliance::review_pdf;
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::incident::incidents::severity;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, send, sent};
use crate::web::shared::view::{View, Visitor, problem, show};
use crate::web::shared::{idempotent_form, words};

/// The review's page.
pub(crate) async fn show_review(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Incidents, move |view| {
        review_page(view, &key, None)
    })
    .await
}

/// The review as a file in Markdown.
pub(crate) async fn markdown(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    let back = format!("{}/incidents/{}/review", visitor.base(), escaped(&key));
    let act = move |cx: &mut acts::Context<'_, '_>| draft_incident_review(cx, &key);
    match state.act(Lane::Pages, &visitor.caller, Mode::Read, act).await {
        Ok(drafted) => {
            let headers = [
                (header::CONTENT_TYPE, "text/markdown; charset=utf-8"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"review.md\""),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, drafted.markdown()).into_response()
        }
        Err(failure) => problem(&state, &visitor, &failure, &back).await,
    }
}

/// The review as a PDF.
pub(crate) async fn pdf(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    let back = format!("{}/incidents/{}/review", visitor.base(), escaped(&key));
    let act = move |cx: &mut acts::Context<'_, '_>| draft_incident_review(cx, &key);
    match state.act(Lane::Pages, &visitor.caller, Mode::Read, act).await {
        Ok(drafted) => {
            let headers = [
                (header::CONTENT_TYPE, "application/pdf"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"review.pdf\""),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, review_pdf::document(&drafted)).into_response()
        }
        Err(failure) => problem(&state, &visitor, &failure, &back).await,
    }
}

fn review_page(view: &mut View<'_, '_, '_>, key: &str, back: Option<&Back>) -> acts::Result<String> {
    let drafted = draft_incident_review(view.cx, key)?;
    let may = view.may(actions::SET_INCIDENT);
    let here = format!("/incidents/{}/review", escaped(&drafted.key));
    let mark = match drafted.completed_at {
        Some(_) => Tone::Ok.mark("Review complete"),
        None => Tone::Wait.mark("Review is a draft"),
    };
    let mut sections = vec![happened(&drafted), changes(view, &drafted, &here, may)];
    sections.push(course(view, &drafted));
    sections.push(review_actions(view, &drafted, &here, may));
    sections.push(moved(view, &drafted.key)?);
    sections.push(problems(view, &drafted.key)?);
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![
            ("Incidents".to_owned(), view.url("/incidents")),
            (
                drafted.key.clone(),
                view.url(&format!("/incidents/{}", escaped(&drafted.key))),
            ),
        ],
        title: drafted.title.clone(),
        is_said: true,
        marks: vec![mark],
        byline: Rich::from("Post-incident review. It names systems and conditions, not faults of people."),
        acts: vec![
            ActForm::link("Export as Markdown", view.url(&format!("{here}.md"))).tone(ActTone::Quiet),
            ActForm::link("Export as PDF", view.url(&format!("{here}.pdf"))).tone(ActTone::Quiet),
        ],
        facts: facts(view, &drafted),
        sections,
        ..RecordPage::default()
    };
    if may {
        page.acts.push(write_form(view, &drafted, &here)?);
    }
    if let Some(back) = back {
        let below = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, page.acts.iter_mut().chain(below));
    }
    Ok(page.render())
}

fn facts(view: &View<'_, '_, '_>, drafted: &Drafted) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("Severity", severity(drafted.severity)),
        Fact::new("Began", view.reader.moment(drafted.began)),
    ];
    facts.extend(drafted.ended.map(|at| Fact::new("Ended", view.reader.moment(at))));
    facts.push(Fact::new("Services", Rich::new().said(drafted.services.join(", "))));
    facts.extend(
        drafted
            .cause
            .as_ref()
            .map(|(_, name)| Fact::new("Root cause", Rich::new().said(name.as_str()))),
    );
    if !drafted.contributing.is_empty() {
        facts.push(Fact::new(
            "Contributing factors",
            Rich::new().said(drafted.contributing.join("; ")),
        ));
    }
    facts
}

fn happened(drafted: &Drafted) -> Section {
    let note = if drafted.is_written {
        ""
    } else {
        "drafted from what is recorded"
    };
    let mut section = Section::new(
        "happened",
        "What happened and why",
        SectionBody::Prose(drafted.summary.clone()),
    )
    .note(note);
    if !drafted.missing.is_empty() && drafted.completed_at.is_none() {
        section = section.lede(
            "Before the review is complete it needs the summary, a root cause, and both answers about each change.",
        );
    }
    section
}

fn write_form(view: &mut View<'_, '_, '_>, drafted: &Drafted, here: &str) -> acts::Result<ActForm> {
    let named = drafted.cause.as_ref().map(|(key, _)| key.clone()).unwrap_or_default();
    let causes = noun::list::<Cause>(view.cx)?;
    let mut choices = vec![Choice::new("", "Not named yet")];
    choices.extend(
        causes
            .iter()
            .filter(|cause| !cause.is_retired || cause.key == named)
            .map(|cause| Choice::said(cause.key.as_str(), cause.name.as_str())),
    );
    let summary = Field::textarea("summary", "What happened and why")
        .value(drafted.summary.as_str())
        .hint("Name systems and conditions, not faults of people.");
    let factors = Field::textarea("contributing", "Contributing factors")
        .value(drafted.contributing.join("\n"))
        .hint("One a line.");
    let complete = Field::new("is_complete", "The review is complete", Input::Checkbox)
        .value(drafted.completed_at.is_some().to_string());
    Ok(ActForm::new("review", "Write the review", view.url(here))
        .tone(ActTone::Go)
        .field(idempotent_form::field(view))
        .field(summary)
        .field(Field::new("cause", "Root cause", Input::Select(choices)).value(named))
        .field(factors)
        .field(complete)
        .submit("Keep the review"))
}

/// The involved changes, with the two answers and their forms.
fn changes(view: &View<'_, '_, '_>, drafted: &Drafted, here: &str, may: bool) -> Section {
    let entries = drafted.changes.iter().map(|change| {
        let text = Rich::new()
            .link(change.key.as_str(), view.change_url(&change.key))
            .text(" ")
            .said(change.title.as_str())
            .text(format!(", {}", change.role));
        let tone = if change.answer.is_some() { Tone::Ok } else { Tone::Wait };
        Entry::new(tone, text).icon("list").why(known(view, change))
    });
    let forms = drafted
        .changes
        .iter()
        .filter(|_| may)
        .map(|change| answer_form(view, change, here));
    Section::new("changes", "Changes involved", SectionBody::Entries(entries.collect()))
        .unsaid("No change is linked as the cause or the fix.")
        .acts(forms.collect())
}

/// The recorded facts about a change, and the two answers.
fn known(view: &View<'_, '_, '_>, change: &Involved) -> Rich {
    let mut rich = match &change.forecast {
        Some(percent) => Rich::from(format!("Rated {}, {percent} %", change.risk)),
        None => Rich::from(format!("Rated {}", change.risk)),
    };
    rich = rich.text(format!("; steps: {}; permits: {}", change.steps, change.permits));
    if !change.decided_by.is_empty() {
        let names: Vec<String> = change.decided_by.iter().map(|login| view.waits_on(login)).collect();
        rich = rich.text("; decided by ").said(names.join(", "));
    }
    rich = rich.line();
    match &change.answer {
        None => rich.text("Two answers are missing."),
        Some((rating, adequate, why)) => {
            let steps = if *adequate {
                "steps adequate"
            } else {
                "a step or check was missing"
            };
            let rich = rich.text(format!("Risk rated {}; {steps}", rating.words()));
            match why {
                Some(why) => rich.text(": ").said(why.as_str()),
                None => rich,
            }
        }
    }
}

fn answer_form(view: &View<'_, '_, '_>, change: &Involved, here: &str) -> ActForm {
    let ratings = [("too_low", "Too low"), ("right", "Right"), ("too_high", "Too high")];
    let adequate = [("true", "Yes"), ("false", "No, a step or check was missing")];
    let given = change.answer.as_ref();
    let rating = given.map(|it| it.0.to_string()).unwrap_or_default();
    let steps = given.map(|it| it.1.to_string()).unwrap_or_default();
    let why = given.and_then(|it| it.2.clone()).unwrap_or_default();
    let label = format!("Answer about {}", change.key);
    ActForm::new(
        format!("answer-{}", change.key),
        label,
        view.url(&format!("{here}/answers")),
    )
    .tone(ActTone::Link)
    .field(idempotent_form::field(view))
    .field(Field::hidden("change_key", change.key.as_str()))
    .field(
        Field::radio("rating", "Was the risk rated right?", &ratings)
            .value(rating)
            .required(),
    )
    .field(
        Field::radio("steps_adequate", "Were the steps adequate?", &adequate)
            .value(steps)
            .required(),
    )
    .field(Field::textarea("text", "Why").value(why))
    .submit("Keep the answers")
}

fn course(view: &View<'_, '_, '_>, drafted: &Drafted) -> Section {
    let row =
        |(at, text): &(jiff::Timestamp, String)| vec![Cell::Short(view.reader.moment(*at)), Cell::said(text.as_str())];
    let table = Table {
        caption: "Course".to_owned(),
        columns: vec![Column::new("Time", Fold::Never), Column::new("Event", Fold::Never)],
        rows: drafted.course.iter().map(row).collect(),
        ..Table::default()
    };
    Section::new("course", "Course", SectionBody::Table(table))
}

fn review_actions(view: &View<'_, '_, '_>, drafted: &Drafted, here: &str, may: bool) -> Section {
    let row = |action: &Action| {
        vec![
            Cell::said(action.title.as_str()),
            Cell::said(action.owner.as_str()),
            Cell::Short(view.reader.moment(action.due_at)),
            Cell::text(words::capital(&action.state)),
        ]
    };
    let table = Table {
        caption: "Actions of this review".to_owned(),
        columns: vec![
            Column::new("Action", Fold::Never),
            Column::new("Owner", Fold::Under).named(),
            Column::new("Due", Fold::Under).named(),
            Column::new("State", Fold::Under).named(),
        ],
        rows: drafted.actions.iter().map(row).collect(),
        ..Table::default()
    };
    let form = || {
        ActForm::new("action", "Add an action", view.url(&format!("{here}/actions")))
            .field(idempotent_form::field(view))
            .field(Field::text("title", "Action").required())
            .field(
                crate::web::shared::fields::pick_field(view, "people", "owner", "Owner")
                    .required()
                    .half()
                    .hint("A login."),
            )
            .field(
                crate::web::shared::fields::time_field(view, "due_at", "Due")
                    .required()
                    .half(),
            )
            .submit("Add it")
    };
    Section::new("actions", "Actions", SectionBody::Table(table))
        .unsaid("No action yet. Each has an owner and a due time.")
        .acts(may.then(form).into_iter().collect())
}

fn moved(view: &mut View<'_, '_, '_>, key: &str) -> acts::Result<Section> {
    let moves = moves_by(view.cx, key)?;
    let entries = moves.iter().map(|row| move_entry(view, row));
    Ok(Section::new(
        "moved",
        "Pending changes that moved",
        SectionBody::Entries(entries.collect()),
    )
    .unsaid("None. Once the review is complete, forecasts of pending changes that share a feature with its root cause move."))
}

/// A moved forecast, as text.
fn move_entry(view: &View<'_, '_, '_>, row: &CauseMove) -> Entry {
    let text = Rich::new().link(row.change_key.as_str(), view.change_url(&row.change_key));
    Entry::new(Tone::Wait, text)
        .icon("chart")
        .why(words::capital(&move_text(row)))
}

/// A moved forecast as text: the figures before and after, and the cause.
pub(crate) fn move_text(row: &CauseMove) -> String {
    row.told()
}

fn problems(view: &mut View<'_, '_, '_>, key: &str) -> acts::Result<Section> {
    let found = problems_of(view.cx, key)?;
    let entries = found.iter().map(|problem| {
        let url = view.url(&format!("/problems/{}", escaped(&problem.key)));
        let text = Rich::new()
            .link(problem.key.as_str(), url)
            .text(" ")
            .said(problem.title.as_str());
        Entry::new(Tone::Plain, text).icon("incident").why(format!(
            "{}; {} cases",
            words::capital(problem.state.as_str()),
            count(problem.cases.len() as u64)
        ))
    });
    Ok(
        Section::new("problems", "Problems", SectionBody::Entries(entries.collect()))
            .unsaid("This incident is no case of a problem. Three failures with something in common propose one."),
    )
}

/// Sends a form of the review, and shows the page again with the errors if the act refuses it.
async fn sent_to<A>(state: &AppState, visitor: &Visitor, key: String, (rest, form): (&str, Form), run: A) -> Response
where
    A: Fn(&mut acts::Context<'_, '_>, &Body) -> acts::Result<()> + Send + 'static,
{
    let page = format!("/incidents/{}/review", escaped(&key));
    let mut sent = sent(form, format!("{page}{rest}"), page, Place::Incidents);
    if rest.is_empty() {
        sent.boxes = &["is_complete"];
    }
    send(state, visitor, sent, run, move |view, back| {
        review_page(view, &key, back)
    })
    .await
}

fn about(body: &Body, key: &str) -> Body {
    let mut body = body.clone();
    body.insert("incident_key".to_owned(), json!(key));
    body
}

/// Keeps the review.
pub(crate) async fn write_review(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    let whose = key.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| {
        noun::add::<IncidentReview>(cx, &about(body, &whose)).map(drop)
    };
    sent_to(&state, &visitor, key, ("", form), run).await
}

/// Keeps the answers about a change.
pub(crate) async fn answer_review(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    let whose = key.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| {
        noun::add::<ReviewAnswer>(cx, &about(body, &whose)).map(drop)
    };
    sent_to(&state, &visitor, key, ("/answers", form), run).await
}

/// Adds an action.
pub(crate) async fn add_action(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    let whose = key.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| add_review_action(cx, &whose, body).map(drop);
    sent_to(&state, &visitor, key, ("/actions", form), run).await
}
