//! Access reviews: the list, one manager's part of it, and the signature that removes refused rights.

use acts::directory::review_access::{begin_review, review, reviews, sign_review};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::core::ids::PersonId;
use model::directory::access_review::{AccessReview, HeldRight};
use pages::{
    ActForm, Cell, Choice, Column, Fact, Field, Fold, Input, Place, RecordPage, Rich, Section, SectionBody, Table, Tone,
};
use serde_json::json;

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, Sent, send};
use crate::web::shared::list_filter::ListQuery;
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::{fields, idempotent_form};

/// The most parts that the pages of the list hold together, the newest first.
const MOST: i64 = 5_000;

/// The list of reviews that the reader may see.
pub(crate) async fn show_list(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(words): Query<ListQuery>,
) -> Response {
    show(&state, &visitor, Place::People, move |view| {
        list_page_of(view, &words, None)
    })
    .await
}

fn list_page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    list_page_of(view, &ListQuery::default(), back)
}

fn list_page_of(view: &mut View<'_, '_, '_>, words: &ListQuery, back: Option<&Back>) -> acts::Result<String> {
    let mut found = reviews(view.cx, MOST)?;
    found.retain(|it| words.fit(&[view.name(&it.manager).as_str()]));
    let (found, told) = words.cut(found);
    let rows = found.iter().map(|it| row(view, it)).collect();
    let table = Table {
        caption: "Access reviews".to_owned(),
        columns: vec![
            Column::new("Manager", Fold::Never),
            Column::new("State", Fold::Under),
            Column::new("Rights", Fold::Under).named(),
            Column::new("Until", Fold::Under).named(),
        ],
        rows,
        ..Table::default()
    };
    let url = view.url("/access-reviews");
    let none = "None yet. Each manager reviews and signs the rights of their people; rights they refuse are removed.";
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("People".to_owned(), view.url("/people"))],
        title: "Access reviews".to_owned(),
        byline: Rich::from("Once a quarter, each manager reviews the rights of their people."),
        sections: vec![
            Section::new("reviews", "Reviews", SectionBody::Table(table))
                .unsaid(if words.narrows() {
                    "No entries match the filter"
                } else {
                    none
                })
                .note(told.count.clone())
                .acts(words.page_acts(&url, &told)),
        ],
        acts: vec![words.question(url.clone(), Vec::new())],
        ..RecordPage::default()
    };
    if view.may(actions::SET_PERSON) {
        page.acts.push(
            ActForm::new("begin", "Start a review", view.url("/access-reviews"))
                .field(idempotent_form::field(view))
                .field(fields::time_field(view, "due_at", "Until when managers sign").hint("In 14 days unless set."))
                .note("Each manager is notified and gets a part of their own.")
                .submit("Ask the managers"),
        );
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn row(view: &View<'_, '_, '_>, it: &AccessReview) -> Vec<Cell> {
    let (tone, word) = review_status(view, it);
    vec![
        Cell::Title {
            text: view.name(&it.manager),
            href: view.url(&format!("/access-reviews/{}", escaped(it.id.as_str()))),
            key: String::new(),
            marks: Vec::new(),
            sub: Rich::new(),
        },
        Cell::Mark(tone.mark(word)),
        Cell::text(counted(it)),
        Cell::Short(view.reader.day(it.due_at)),
    ]
}

/// The number of rights under review, and the results.
fn counted(it: &AccessReview) -> String {
    match (it.signed_at, it.refused().count()) {
        (None, _) => it.rights.len().to_string(),
        (Some(_), 0) => format!("{}, none refused", it.rights.len()),
        (Some(_), refused) => format!("{}, {refused} refused", it.rights.len()),
    }
}

fn review_status(view: &View<'_, '_, '_>, it: &AccessReview) -> (Tone, &'static str) {
    match it.signed_at {
        Some(_) => (Tone::Ok, "Signed"),
        None if it.due_at <= view.now() => (Tone::Stop, "Late"),
        None => (Tone::Wait, "Waits"),
    }
}

/// One part.
pub(crate) async fn one(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::People, move |view| one_page(view, &id, None)).await
}

fn one_page(view: &mut View<'_, '_, '_>, id: &str, back: Option<&Back>) -> acts::Result<String> {
    let found = review(view.cx, id)?;
    let (tone, word) = review_status(view, &found);
    let rows = found
        .rights
        .iter()
        .map(|right| right_row(view, right, &found))
        .collect();
    let table = Table {
        caption: "Rights".to_owned(),
        columns: vec![
            Column::new("Person", Fold::Never),
            Column::new("Right", Fold::Under),
            Column::new("Result", Fold::Under),
        ],
        rows,
        ..Table::default()
    };
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Access reviews".to_owned(), view.url("/access-reviews"))],
        title: format!("Rights of the people of {}", view.name(&found.manager)),
        facts: vec![
            Fact::new("State", Rich::from(word)),
            Fact::new("Begun by", view.person(&found.begun_by)),
            Fact::new("Until", view.reader.day(found.due_at)),
        ],
        sections: vec![Section::new("rights", "Rights", SectionBody::Table(table))],
        ..RecordPage::default()
    };
    if let Some(reason) = &found.reason {
        page.facts.push(Fact::new("Why", Rich::new().said(reason.as_str())));
    }
    if tone == Tone::Stop {
        page.byline = Rich::new().late("The signature is overdue.");
    }
    if found.signed_at.is_none() && found.manager == view.me {
        page.acts.push(signature(view, &found));
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn right_text(view: &View<'_, '_, '_>, right: &HeldRight) -> String {
    let name = |person: &PersonId| view.directory.people.get(person).map(|it| it.shown_name());
    match (right.kind.as_str(), &right.told_scope(name)) {
        ("role", _) => format!("right {}", crate::web::shared::words::plain(&right.what)),
        ("function", _) => format!("job function {}", right.what),
        ("group", _) => format!("member of {}", right.what),
        ("delegation", Some(scope)) => format!("speaks for {scope}"),
        ("ownership", Some(scope)) => part_in(scope),
        (kind, Some(scope)) => format!("{kind} {scope}"),
        (kind, None) => format!("{kind} {}", right.what),
    }
}

/// A row of the matrix as text, from its key: `service:shop production owner person:…`.
fn part_in(key: &str) -> String {
    let words: Vec<&str> = key.split(' ').collect();
    let [scope, place, role, ..] = words[..] else {
        return key.to_owned();
    };
    let what = match scope.split_once(':') {
        Some(("class", class)) => format!("all with {class}"),
        Some((_, key)) => key.to_owned(),
        None => scope.to_owned(),
    };
    let place = match place {
        "*" => String::new(),
        place => format!(" in {place}"),
    };
    format!(
        "answers for {what}{place} as {}",
        crate::web::shared::words::plain(role)
    )
}

fn right_row(view: &View<'_, '_, '_>, right: &HeldRight, of: &AccessReview) -> Vec<Cell> {
    let mark = match (of.signed_at, right.refused) {
        (None, _) => Tone::Wait.mark("Not reviewed yet"),
        (Some(_), true) => Tone::Stop.mark("Revoked"),
        (Some(_), false) => Tone::Ok.mark("Stays"),
    };
    vec![
        Cell::title(view.name(&right.person), ""),
        Cell::text(right_text(view, right)),
        Cell::Mark(mark),
    ]
}

fn signature(view: &View<'_, '_, '_>, found: &AccessReview) -> ActForm {
    let choices = found.rights.iter().map(|right| {
        Choice::new(
            right.row.to_string(),
            format!("{}: {}", view.name(&right.person), right_text(view, right)),
        )
    });
    let url = view.url(&format!("/access-reviews/{}/signature", escaped(found.id.as_str())));
    ActForm::new("sign", "Sign it", url)
        .field(Field::new(
            "refused",
            "Rights to remove",
            Input::Many(choices.collect()),
        ))
        .field(Field::textarea("reason", "Why").hint("Required if a right is removed."))
        .note("Ticked rights are removed at once; the others are kept. You must authenticate again.")
        .submit("Sign this review")
}

/// Begins a review.
pub(crate) async fn begin(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let path = "/access-reviews".to_owned();
    let sent = Sent {
        form,
        boxes: &[],
        path: path.clone(),
        then: path,
        place: Place::People,
        done: "",
    };
    let run = |cx: &mut acts::Context<'_, '_>, body: &Body| begin_review(cx, body).map(drop);
    send(&state, &visitor, sent, run, list_page).await
}

/// Signs a part.
pub(crate) async fn sign(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let mut body = Body::new();
    let rows = form
        .all("refused")
        .iter()
        .filter_map(|row| row.parse::<i64>().ok())
        .collect::<Vec<_>>();
    body.insert("refused".to_owned(), json!(rows));
    if !form.first("reason").trim().is_empty() {
        body.insert("reason".to_owned(), json!(form.first("reason")));
    }
    let then = format!("/access-reviews/{}", escaped(&id));
    let sent = Sent {
        form,
        boxes: &[],
        path: format!("{then}/signature"),
        then,
        place: Place::People,
        done: "",
    };
    let whose = id.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, _: &Body| sign_review(cx, &id, &body).map(drop);
    send(&state, &visitor, sent, run, move |view, back| {
        one_page(view, &whose, back)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::part_in;

    #[test]
    fn a_part_in_the_matrix_reads_as_words() {
        for (key, words) in [
            ("everything * owner person:1", "answers for everything as owner"),
            (
                "service:shop production technical_lead person:1",
                "answers for shop in production as technical lead",
            ),
            (
                "class:regime:sox * security person:1",
                "answers for all with regime:sox as security",
            ),
            ("odd", "odd"),
        ] {
            assert_eq!(part_in(key), words);
        }
    }
}
