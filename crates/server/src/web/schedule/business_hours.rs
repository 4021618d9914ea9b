//! Working hours and holidays: the business calendars by which clocks run.

use acts::schedule::set_calendar;
use axum::extract::State;
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::schedule::calendar::{self, Calendar, USUAL};
use pages::{ActForm, ActTone, Fact, Field, Place, RecordPage, Rich, Section, SectionBody};
use serde_json::{Value, json};

use super::super::shared::form::{Form, lines};
use super::super::shared::form_page::{Back, send, sent};
use super::super::shared::propose_form::{propose_or, with_reason_field};
use super::super::shared::view::{View, Visitor, show};
use super::super::shared::words::capital;
use crate::http::state::AppState;

/// The most holidays listed by name.
const TOLD: usize = 12;

/// The page.
pub(crate) async fn show_hours(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Hours, |view| page(view, None)).await
}

fn page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let may_set = view.may(actions::SET_SERVICE);
    let directory = view.directory.clone();
    let mut sections: Vec<Section> = directory
        .calendars
        .values()
        .map(|calendar| section(view, calendar, may_set))
        .collect();
    if sections.is_empty() {
        sections.push(
            Section::new("none", "None yet", SectionBody::Facts(Vec::new()))
                .unsaid("Clocks run day and night. With a calendar they pause outside working hours and on holidays."),
        );
    }
    let mut page = RecordPage {
        frame: view.frame.clone(),
        title: "Working hours".to_owned(),
        byline: Rich::from("The business calendars by which the clocks of approvals and escalations run."),
        sections,
        ..RecordPage::default()
    };
    if may_set {
        page.acts.push(form("calendar", "Add a calendar", view, None));
    }
    if let Some(back) = back {
        let below = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, page.acts.iter_mut().chain(below));
    }
    Ok(page.render())
}

fn section(view: &View<'_, '_, '_>, calendar: &Calendar, may_set: bool) -> Section {
    let hours: Vec<Rich> = calendar
        .hours
        .iter()
        .map(|row| Rich::from(format!("{} {} to {}", capital(row.day.as_str()), row.from, row.to)))
        .collect();
    let today = view.reader.local(view.now()).date().to_string();
    let ahead: Vec<&calendar::Holiday> = calendar.holidays.iter().filter(|day| day.date >= today).collect();
    let mut holidays: Vec<Rich> = ahead
        .iter()
        .take(TOLD)
        .map(|day| {
            let date = day.date.parse();
            let told = date.map_or_else(|_| day.date.clone(), |date| view.reader.date(date));
            Rich::from(format!("{told} ")).said(day.title.as_str())
        })
        .collect();
    if ahead.len() > TOLD {
        holidays.push(Rich::from(format!("and {} more", ahead.len() - TOLD)));
    }
    let many = |label: &str, values: Vec<Rich>, none: &str| Fact {
        label: label.to_owned(),
        values: if values.is_empty() {
            vec![Rich::from(none)]
        } else {
            values
        },
        ..Fact::default()
    };
    let facts = vec![
        Fact::new("Time zone", calendar.zone.as_str()),
        many("Hours", hours, "day and night"),
        many("Holidays ahead", holidays, "none known"),
    ];
    let usual = if calendar.key == USUAL { "the default" } else { "" };
    let section = Section::new(
        format!("calendar-{}", calendar.key),
        calendar.name.as_str(),
        SectionBody::Facts(facts),
    )
    .said()
    .note(usual);
    match may_set {
        true => section.acts(vec![
            form(&format!("change-{}", calendar.key), "Change it", view, Some(calendar)).tone(ActTone::Link),
        ]),
        false => section,
    }
}

fn form(id: &str, label: &str, view: &View<'_, '_, '_>, known: Option<&Calendar>) -> ActForm {
    let key = match known {
        Some(calendar) => Field::hidden("key", calendar.key.as_str()),
        None => Field::text("key", "Key")
            .hint(format!("`{USUAL}` is the default."))
            .required()
            .half(),
    };
    let hours: Vec<String> = known.map_or_else(
        || {
            ["monday", "tuesday", "wednesday", "thursday", "friday"]
                .map(|day| format!("{day} 08:00 16:00"))
                .to_vec()
        },
        |it| {
            it.hours
                .iter()
                .map(|row| format!("{} {} {}", row.day, row.from, row.to))
                .collect()
        },
    );
    let holidays: Vec<String> = known
        .map(|it| {
            it.holidays
                .iter()
                .map(|day| format!("{} {}", day.date, day.title))
                .collect()
        })
        .unwrap_or_default();
    let form = ActForm::new(id, label, view.url("/hours"))
        .field(key)
        .field(
            Field::text("name", "Name")
                .value(known.map(|it| it.name.clone()).unwrap_or_default())
                .half(),
        )
        .field(
            Field::text("zone", "Time zone")
                .value(known.map_or_else(|| view.reader.zone_name().to_owned(), |it| it.zone.clone()))
                .required()
                .half(),
        )
        .field(
            Field::textarea("hours", "Hours")
                .hint("One per line: a day, from, to.")
                .value(hours.join("\n")),
        )
        .field(
            Field::textarea("holidays", "Holidays")
                .hint("One per line: 2026-12-25 Christmas Day.")
                .value(holidays.join("\n")),
        )
        .note("Running clocks keep their times.");
    with_reason_field(view, form).submit("Keep this calendar")
}

/// Converts the lines of the form into the API's format.
fn gather(body: &Body) -> Body {
    let mut body = body.clone();
    let text = |body: &mut Body, name: &str| match body.remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    let hours = text(&mut body, "hours");
    let hour = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let word = |place: usize| words.get(place).copied().unwrap_or_default();
        json!({"day": word(0).to_lowercase(), "from": word(1), "to": word(2)})
    };
    body.insert("hours".to_owned(), lines(&hours).map(hour).collect());
    let holidays = text(&mut body, "holidays");
    let holiday = |line: &str| match line.split_once(' ') {
        Some((date, title)) => json!({"date": date, "title": title.trim()}),
        None => json!({"date": line}),
    };
    body.insert("holidays".to_owned(), lines(&holidays).map(holiday).collect());
    body
}

/// Sets a calendar.
pub(crate) async fn set(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let path = "/hours".to_owned();
    let sent = sent(form, path.clone(), path, Place::Hours);
    let run = |cx: &mut acts::Context<'_, '_>, body: &Body| {
        propose_or(cx, ("calendars", gather(body)), set_calendar::set_calendar)
    };
    send(&state, &visitor, sent, run, page).await
}
