//! The steps of a freeze with the business, and its report.

use acts::Context;
use acts::schedule::find_freeze_report::{FreezeReport, Reported, TimeException, find_freeze_report};
use acts::schedule::step_freeze;
use axum::extract::{Path, State};
use axum::response::Response;
use model::core::body::Body;
use model::core::enums::FreezeFate;
use pages::{Entry, Fact, Place, RecordPage, Rich, Section, SectionBody, Tone};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::schedule::freeze_and_window::freeze_page;
use crate::web::schedule::freeze_parts::MOST_ROWS;
use crate::web::schedule::list::sent;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::send;
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::capital;

/// Signs the business owner's decision.
pub(crate) async fn answer(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let page = format!("/freezes/{}", escaped(&id));
    let sent = sent(
        form,
        format!("{page}/agreement"),
        &page,
        Place::Freezes,
        "freeze_answered",
    );
    let whose = id.clone();
    let run = move |cx: &mut Context<'_, '_>, body: &Body| step_freeze::answer_freeze(cx, &whose, body).map(drop);
    send(&state, &visitor, sent, run, move |view, back| {
        freeze_page(view, &id, false, back)
    })
    .await
}

/// Announces a freeze.
pub(crate) async fn announce(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let page = format!("/freezes/{}", escaped(&id));
    let sent = sent(
        form,
        format!("{page}/announcement"),
        &page,
        Place::Freezes,
        "freeze_announced",
    );
    let whose = id.clone();
    let run = move |cx: &mut Context<'_, '_>, body: &Body| step_freeze::announce_freeze(cx, &whose, body).map(drop);
    send(&state, &visitor, sent, run, move |view, back| {
        freeze_page(view, &id, false, back)
    })
    .await
}

/// The report of a freeze.
pub(crate) async fn report(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Freezes, move |view| report_page(view, &id)).await
}

fn report_page(view: &mut View<'_, '_, '_>, id: &str) -> acts::Result<String> {
    let report = find_freeze_report(view.cx, id)?;
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![
            ("Freezes".to_owned(), view.url("/freezes")),
            ("Freeze".to_owned(), view.url(&format!("/freezes/{id}"))),
        ],
        title: report.title.clone(),
        is_said: true,
        byline: Rich::from(match report.past.is_empty() {
            true => "Report of the freeze. It has not begun yet.",
            false => "Report of the freeze: the affected changes and their outcomes.",
        }),
        is_facts_first: true,
        ..RecordPage::default()
    };
    page.facts = report_facts(&report);
    page.sections.extend(times_section(view, &report));
    let groups = [
        (
            FreezeFate::Excepted,
            "excepted",
            "Exceptions",
            "No exception was granted.",
        ),
        (
            FreezeFate::LetThrough,
            "passed",
            "Passed by their risk",
            "No change passed by its risk.",
        ),
        (
            FreezeFate::Stopped,
            "stopped",
            "Waiting in it",
            "No change waits in it.",
        ),
        (FreezeFate::Moved, "moved", "Moved or cancelled", "No change was moved."),
        (
            FreezeFate::UnderWay,
            "under-way",
            "Under way in it",
            "No work is or was under way in it.",
        ),
    ];
    for (fate, anchor, title, unsaid) in groups {
        let rows: Vec<&Reported> = report.changes.iter().filter(|it| it.fate == fate).collect();
        let note = match report.hit {
            0 => String::new(),
            hit => format!("{} of {hit}", rows.len()),
        };
        let entries = rows
            .into_iter()
            .take(MOST_ROWS)
            .map(|row| reported(view, row))
            .collect();
        let section = Section::new(anchor, title, SectionBody::Entries(entries))
            .note(note)
            .unsaid(unsaid);
        page.sections.push(section);
    }
    Ok(page.render())
}

fn report_facts(report: &FreezeReport) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("Affected changes", report.hit.to_string()),
        Fact::new(
            "Exceptions",
            match report.excepted {
                0 => "none".to_owned(),
                excepted => format!("{excepted}, {} failed", report.excepted_failed),
            },
        ),
        Fact::new("Times so far", report.past.len().to_string()),
    ];
    if report.excepted_withdrawn > 0 {
        facts.push(Fact::new("Exceptions withdrawn", report.excepted_withdrawn.to_string()));
    }
    if let Some(expected) = &report.expected_failures {
        let changes = report.expected_changes.unwrap_or_default();
        facts.push(Fact::new(
            "Expected to pass",
            format!("{changes} changes, {expected} expected to fail"),
        ));
        let actual = format!("{} changes, {} failed", report.let_through, report.let_through_failed);
        facts.push(Fact::new("Passed", actual));
    }
    facts
}

/// For a repeating freeze: the changes expected to pass at each time, beside those that passed, the latest first.
fn times_section(view: &View<'_, '_, '_>, report: &FreezeReport) -> Option<Section> {
    if report.past.len() + report.ahead.len() < 2 || report.times.is_empty() {
        return None;
    }
    let rows = report.times.iter().rev().take(MOST_ROWS).map(|time| {
        let tone = match time.let_through_failed + time.excepted_failed {
            0 => Tone::Plain,
            _ => Tone::Stop,
        };
        let span = view.reader.span(time.starts_at, time.ends_at);
        let mut entry = Entry::new(tone, span);
        if let (Some(changes), Some(expected)) = (time.expected_changes, &time.expected_failures) {
            entry = entry.why(format!("{changes} changes, {expected} expected to fail"));
        }
        entry = entry.aside(format!(
            "{} changes, {} failed",
            time.let_through, time.let_through_failed
        ));
        if time.excepted > 0 {
            entry = entry.aside(format!(
                "{} by exceptions, {} failed",
                time.excepted, time.excepted_failed
            ));
        }
        time.exceptions.iter().fold(entry, |entry, it| signed(view, entry, it))
    });
    Some(Section::new(
        "by-time",
        "Expected and passed at each time",
        SectionBody::Entries(rows.collect()),
    ))
}

/// A time's entry with an exception that was signed for it.
fn signed(view: &View<'_, '_, '_>, entry: Entry, it: &TimeException) -> Entry {
    let key = Rich::new().link(it.change.as_str(), view.change_url(&it.change));
    let entry = match it.ended_at {
        None => entry.aside(key.text(" may pass")),
        Some(_) => entry.aside(key).aside("Exception withdrawn".to_owned()),
    };
    entry.aside(Rich::new().said(view.waits_on(&it.by)))
}

fn reported(view: &View<'_, '_, '_>, row: &Reported) -> Entry {
    let tone = match row.succeeded {
        Some(true) => Tone::Ok,
        Some(false) => Tone::Stop,
        None => Tone::Plain,
    };
    let outcome = match row.succeeded {
        Some(true) => "succeeded".to_owned(),
        Some(false) => "failed".to_owned(),
        None => capital(row.state.as_str()).replace('_', " "),
    };
    let text = Rich::new()
        .said_link(row.title.as_str(), view.change_url(&row.key))
        .text(" ")
        .code(row.key.as_str());
    let mut entry = Entry::new(tone, text).aside(outcome);
    if let Some(reason) = &row.reason {
        entry = entry.quote(reason.as_str());
    }
    if let Some(by) = &row.excepted_by {
        entry = entry.aside(Rich::new().said(view.waits_on(by)));
    }
    if let Some(at) = row.excepted_at {
        entry = entry.aside(view.moment(at));
    }
    match row.withdrawn_at {
        Some(_) => entry.aside("Exception withdrawn".to_owned()),
        None => entry,
    }
}
