//! A refusal or a fault as a page by itself, for an unauthenticated reader.

use axum::http::{HeaderValue, header};
use axum::response::Response;
use pages::{ActForm, Rich};

use crate::http::failure::{ARCHIVE_AWAY, Failure};
use crate::web::shared::labels::{in_labels, plain_error};
use crate::web::shared::response::{ASSETS, html};

/// A refusal for an unauthenticated reader.
pub(crate) fn bare_problem(failure: &Failure) -> Response {
    failed_html(failure, bare_page(failure).render())
}

/// The same with a way on.
pub(crate) fn bare_problem_with(failure: &Failure, way: ActForm) -> Response {
    let mut page = bare_page(failure);
    page.ways.push(way);
    failed_html(failure, page.render())
}

/// A page about a failure, with its status, and the seconds after which a retry may help (RFC 9110, section 10.2.3).
pub(crate) fn failed_html(failure: &Failure, page: String) -> Response {
    let mut response = html(failure.status(), page);
    if let Some(seconds) = failure.retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn bare_page(failure: &Failure) -> pages::Problem {
    let mut page = problem_of(failure);
    if let Some(row) = failure.problem.unmet.first() {
        page.opens = Rich::from(in_labels(&row.satisfy).replace('`', ""));
    }
    page
}

/// Why something was refused, a sentence a field: of one field the sentence is the refusal's own.
pub(crate) fn reasons(failure: &Failure) -> Vec<String> {
    let told = &failure.problem;
    let fields = told.errors.iter();
    let fields = fields.map(|error| plain_error(&in_labels(&error.text), &error.field));
    match told.errors.len() {
        0 => vec![told.detail.clone()],
        1 => fields.collect(),
        _ => std::iter::once(told.detail.clone()).chain(fields).collect(),
    }
}

/// The four parts of a refusal: the failure, the reason, the remedy, the people who can help.
pub(crate) fn problem_of(failure: &Failure) -> pages::Problem {
    let told = &failure.problem;
    let (what, opens) = match told.status {
        404 => return pages::Problem::not_found(None, ASSETS),
        403 => (
            "You may not do this",
            "Ask a person who has the right, or ask an administrator to give it to you.",
        ),
        409 => ("Not possible now", ""),
        412 => (
            "Another person was faster",
            "Read the current version, and repeat what still fits.",
        ),
        413 => ("Too large", "Send less, or a smaller file."),
        422 => ("Some answers need a second look", "Go back and correct them."),
        503 if told.code == ARCHIVE_AWAY => (
            "The archive cannot be reached now",
            "Try again in a few minutes; if the problem persists, notify the administrator.",
        ),
        503 => (
            "The server is busy",
            "Try again in a few seconds. Nothing was done twice.",
        ),
        400..=499 => ("This could not be read", "Go back and try again."),
        _ => (
            "The page could not be made",
            "Try again. The operator of this server can find the cause in its log.",
        ),
    };
    let why = reasons(failure)
        .iter()
        .fold(Rich::new(), |why, text| match why.is_empty() {
            true => why.text(text),
            false => why.line().text(text),
        });
    pages::Problem {
        assets: ASSETS.to_owned(),
        status: told.status,
        code: told.code.clone(),
        what: what.to_owned(),
        why,
        opens: Rich::from(opens),
        ..pages::Problem::default()
    }
}
