//! Problems: the list, and one problem with its cases, its fix and its recurrence before and after the fix.

use acts::core::noun;
use acts::incident::problems::{self, ShownProblem, show_problem};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::ProblemState;
use model::incident::problem::{Fix, ProblemRecord};
use model::incident::record_link::{End, kind_of_key};
use model::incident::recurred::Recurrence;
use model::risk::forecast::words::percent;
use pages::{
    ActForm, ActTone, Cell, Column, Entry, Fact, Field, Fold, Mark, Place, RecordPage, Rich, Section, SectionBody,
    Table, Tone, count,
};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::incident::links;
use crate::web::shared::fields::{picks_field, service_filter, state_filter};
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, send, sent};
use crate::web::shared::idempotent_form;
use crate::web::shared::list_filter::ListQuery;
use crate::web::shared::view::{View, Visitor, show};

/// The states of the list's filter.
const STATES: [(&str, &str); 4] = [
    ("proposed", "Proposed"),
    ("open", "Open"),
    ("closed", "Closed"),
    ("dismissed", "Dismissed"),
];

const NONE: &str =
    "None. Three failures that share a service and a root cause, an alert, a step or a template propose one.";
const NOTHING_FITS: &str = "No entries match the filter";

/// The list.
pub(crate) async fn show_problems(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(words): Query<ListQuery>,
) -> Response {
    show(&state, &visitor, Place::Incidents, move |view| {
        list_page_of(view, &words, None)
    })
    .await
}

fn mark(state: ProblemState) -> Mark {
    match state {
        ProblemState::Proposed => Tone::Wait.mark("Proposed"),
        ProblemState::Dismissed => Tone::Plain.mark("Dismissed"),
        ProblemState::Open => Tone::Wait.mark("Open"),
        ProblemState::Closed => Tone::Ok.mark("Closed"),
    }
}

fn list_page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    list_page_of(view, &ListQuery::default(), back)
}

fn list_page_of(view: &mut View<'_, '_, '_>, words: &ListQuery, back: Option<&Back>) -> acts::Result<String> {
    let mut found = noun::list::<ProblemRecord>(view.cx)?;
    found.retain(|it| {
        let is_of = words.service().is_empty() || !it.services.is_empty() && words.is_of(&it.services);
        is_of && words.is_in(it.state.as_str()) && words.fit(&[it.key.as_str(), it.title.as_str()])
    });
    found.sort_by_key(|problem| (!problem.is_open(), std::cmp::Reverse(problem.at)));
    let (found, told) = words.cut(found);
    let row = |problem: &ProblemRecord| {
        let url = view.url(&format!("/problems/{}", escaped(&problem.key)));
        vec![
            Cell::Text(
                Rich::new()
                    .link(problem.key.as_str(), url)
                    .text(" ")
                    .said(problem.title.as_str()),
            ),
            Cell::Mark(mark(problem.state)),
            Cell::Short(count(problem.cases.len() as u64)),
            Cell::Text(Rich::from(problem.pattern.words())),
        ]
    };
    let table = Table {
        caption: "Problems".to_owned(),
        columns: vec![
            Column::new("Problem", Fold::Never),
            Column::new("State", Fold::Under).named(),
            Column::new("Cases", Fold::Under).named().number(),
            Column::new("Its cases share", Fold::Under).named(),
        ],
        rows: found.iter().map(row).collect(),
        ..Table::default()
    };
    let url = view.url("/problems");
    let filters = vec![
        service_filter(view, words.service()),
        state_filter(&STATES, words.state()),
    ];
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Incidents".to_owned(), view.url("/incidents"))],
        title: "Problems".to_owned(),
        byline: Rich::from("Failures that recur, and the changes that fix them for good."),
        sections: vec![
            Section::new("problems", "Problems", SectionBody::Table(table))
                .unsaid(if words.narrows() { NOTHING_FITS } else { NONE })
                .note(told.count.clone())
                .acts(words.page_acts(&url, &told)),
        ],
        acts: vec![
            words.question(url.clone(), filters),
            ActForm::link("Root causes", view.url("/causes")).tone(ActTone::Quiet),
        ],
        ..RecordPage::default()
    };
    if view.may(actions::SET_INCIDENT) {
        let search = ActForm::new("search", "Look for failures that recur", view.url("/problem-searches"))
            .field(idempotent_form::field(view));
        page.acts.push(search);
        page.acts.push(record_form(view));
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn record_form(view: &View<'_, '_, '_>) -> ActForm {
    ActForm::new("problem", "Record a problem", view.url("/problems"))
        .field(idempotent_form::field(view))
        .field(Field::text("title", "What recurs").required())
        .field(picks_field(view, "services", "services", "Services").hint("Keys, separated by commas."))
        .field(Field::textarea("description", "What is known of it"))
        .submit("Record it")
}

/// Records a problem.
pub(crate) async fn record_problem(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let sent = sent(form, "/problems".to_owned(), "/problems".to_owned(), Place::Incidents);
    let run = |cx: &mut acts::Context<'_, '_>, body: &Body| noun::add::<ProblemRecord>(cx, body).map(drop);
    send(&state, &visitor, sent, run, list_page).await
}

/// Searches for recurring failures.
pub(crate) async fn search(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let then = "/problems".to_owned();
    let sent = sent(form, "/problem-searches".to_owned(), then, Place::Incidents);
    let run = |cx: &mut acts::Context<'_, '_>, _: &Body| problems::search_problems(cx).map(drop);
    send(&state, &visitor, sent, run, list_page).await
}

/// One problem.
pub(crate) async fn show_one(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Incidents, move |view| {
        problem_page(view, &key, None)
    })
    .await
}

/// The page of a problem.
pub(crate) fn problem_page(view: &mut View<'_, '_, '_>, key: &str, back: Option<&Back>) -> acts::Result<String> {
    let shown = show_problem(view.cx, key)?;
    let problem = &shown.problem;
    let here = format!("/problems/{}", escaped(&problem.key));
    let mut sections = Vec::new();
    if let Some(text) = &problem.description {
        sections.push(Section::new(
            "known",
            "What is known of it",
            SectionBody::Prose(text.clone()),
        ));
    }
    sections.push(cases(view, problem));
    sections.push(recurrence(&shown));
    sections.push(links::section(view, &problem.key, &here)?);
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![
            ("Incidents".to_owned(), view.url("/incidents")),
            ("Problems".to_owned(), view.url("/problems")),
        ],
        key: problem.key.clone(),
        title: problem.title.clone(),
        marks: vec![mark(problem.state)],
        facts: facts(view, &shown),
        sections,
        is_facts_first: true,
        ..RecordPage::default()
    };
    if view.may(actions::SET_INCIDENT) {
        page.acts = forms(view, problem, &here);
    }
    if let Some(back) = back {
        let below = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, page.acts.iter_mut().chain(below));
    }
    Ok(page.render())
}

fn facts(view: &View<'_, '_, '_>, shown: &ShownProblem) -> Vec<Fact> {
    let problem = &shown.problem;
    let services: Vec<&str> = problem.services.iter().map(|key| key.as_str()).collect();
    let mut facts = vec![
        Fact::new("Its cases share", Rich::from(problem.pattern.words())),
        Fact::new("Services", Rich::new().said(services.join(", "))),
    ];
    if let Some(cause) = &problem.cause {
        facts.push(Fact::new("Root cause", Rich::new().said(cause.as_str())));
    }
    if let Some(fix) = &problem.fix {
        let rich = Rich::new().link(fix.as_str(), view.change_url(fix));
        facts.push(Fact::new("Its fix", rich));
        if let Some((state, _)) = &shown.fix {
            facts.push(Fact::new(
                "State of the fix",
                crate::web::shared::words::capital(state.as_str()),
            ));
        }
    }
    if !problem.former_fixes.is_empty() {
        facts.push(Fact::new(
            "Did not help",
            Rich::new().said(problem.former_fixes.join(", ")),
        ));
    }
    if let (Some(by), Some(at)) = (&problem.decided_by, problem.decided_at) {
        let rich = view.person(by).text(", ").append(view.moment(at));
        facts.push(Fact::new("Decided", rich));
    }
    if let Some(reason) = &problem.reason {
        facts.push(Fact::new("Why", Rich::new().said(reason.as_str())));
    }
    facts
}

fn cases(view: &View<'_, '_, '_>, problem: &ProblemRecord) -> Section {
    let entry = |key: &String| {
        let kind = kind_of_key(key)?;
        let end = End { kind, key: key.clone() };
        Some(Entry::new(Tone::Plain, links::linked(view, &end)).icon("incident"))
    };
    let entries: Vec<Entry> = problem.cases.iter().filter_map(entry).collect();
    Section::new("cases", "Cases", SectionBody::Entries(entries))
        .note(count(problem.cases.len() as u64))
        .unsaid("No failure is named.")
}

/// Days with a failure before and after the fix.
fn recurrence(shown: &ShownProblem) -> Section {
    let compared = shown.fix.as_ref().and_then(|(_, fix): &(_, Fix)| fix.compared);
    let row = |label: &str, found: Recurrence| {
        let share = found.share.map_or_else(
            || "no day yet".to_owned(),
            |it| {
                format!(
                    "{} % ({} to {} %)",
                    percent(it.value),
                    percent(it.low),
                    percent(it.high)
                )
            },
        );
        vec![
            Cell::text(label),
            Cell::Short(format!("{} of {}", count(found.days), count(found.of))),
            Cell::Short(share),
        ]
    };
    let rows = compared.map(|it| vec![row("Before the fix", it.before), row("After the fix", it.after)]);
    let table = Table {
        caption: "Recurrence".to_owned(),
        columns: vec![
            Column::new("When", Fold::Never),
            Column::new("Days with a failure", Fold::Under).named(),
            Column::new("Share of days (95 % interval)", Fold::Under).named(),
        ],
        rows: rows.unwrap_or_default(),
        ..Table::default()
    };
    Section::new("recurrence", "Recurrence", SectionBody::Table(table))
        .unsaid("It is counted once the work on the fix has ended.")
}

fn forms(view: &View<'_, '_, '_>, problem: &ProblemRecord, here: &str) -> Vec<ActForm> {
    let form = |id: &str, label: &str, rest: &str| {
        ActForm::new(id, label, view.url(&format!("{here}/{rest}"))).field(idempotent_form::field(view))
    };
    let reason = || Field::textarea("reason", "Why");
    let dismiss = || {
        form("dismiss", "Dismiss", "decisions")
            .field(Field::hidden("accepted", "false"))
            .field(reason().required())
            .submit("Dismiss it")
    };
    match problem.state {
        ProblemState::Proposed => vec![
            form("accept", "Accept", "decisions")
                .tone(ActTone::Go)
                .field(Field::hidden("accepted", "true"))
                .field(reason())
                .note("A draft of the change that fixes it is made, with you as its requester.")
                .submit("Accept it"),
            dismiss(),
        ],
        ProblemState::Open if problem.fix.is_none() => {
            vec![form("fix", "Draft the fix", "fixes").tone(ActTone::Go), dismiss()]
        }
        ProblemState::Open | ProblemState::Closed => [
            form("helped", "The fix helped", "judgements")
                .tone(ActTone::Go)
                .field(Field::hidden("helped", "true"))
                .field(reason().required())
                .note("The problem is closed. Recurrence is watched for seven days first.")
                .submit("Close it"),
            form("useless", "The fix did not help", "judgements")
                .field(Field::hidden("helped", "false"))
                .field(reason().required())
                .submit("Open it again"),
        ]
        .into_iter()
        .chain((problem.state == ProblemState::Open).then(dismiss))
        .collect(),
        ProblemState::Dismissed => Vec::new(),
    }
}

/// Decides about a problem, drafts its fix, or judges it.
pub(crate) async fn act(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key, act)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let page = format!("/problems/{}", escaped(&key));
    let sent = sent(form, format!("{page}/{}", escaped(&act)), page, Place::Incidents);
    let whose = key.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| {
        let done = match act.as_str() {
            "decisions" => problems::decide_problem(cx, &whose, body),
            "fixes" => problems::fix_problem(cx, &whose, body),
            "judgements" => problems::judge_problem(cx, &whose, body),
            _ => Err(model::core::refusal::Refusal::not_found("such page").into()),
        };
        done.map(drop)
    };
    send(&state, &visitor, sent, run, move |view, back| {
        problem_page(view, &key, back)
    })
    .await
}
