//! Lists as files for machines (`GET /exports/{noun}/file`): every list of the API with its own rights, filters and fields, as
//! CSV (RFC 4180), sent as it is read, or as a workbook with real dates and numbers.

use acts::Context;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, Request, Uri, header};
use axum::response::{IntoResponse, Response};
use model::core::enums::Noun;
use model::core::parse::nearest;
use model::core::refusal::Refusal;
use serde_json::Value;
use store::{Lane, Mode};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use wire::openapi::columns::{Column, columns, lists};

use crate::api::report::export_book::{cell, workbook};
use crate::api::rows;
use crate::http::address::BASE;
use crate::http::attempts;
use crate::http::caller::Caller;
use crate::http::failure::Failure;
use crate::http::handler::get;
use crate::http::route::{Places, Route, list_page, query_of};
use crate::http::state::AppState;
use crate::web::change::export::defused;

/// The endpoint's path in the API's document.
const DOOR: &str = "/exports/{noun}/file";
/// How many rows are read at once: the most of a page of a list.
const PAGE: &str = "200";
/// The most rows of a CSV file. A longer file is cut off with an error, so that no recipient takes it for the whole.
const MOST_ROWS: usize = 1_000_000;
/// The most rows of a workbook, which is made in memory.
const MOST_BOOK_ROWS: usize = 20_000;
/// How many pages are read ahead of the recipient.
const AHEAD: usize = 2;

/// The requested export: a list, its columns, and their format.
struct Wanted {
    route: &'static Route,
    noun: &'static str,
    columns: Vec<Column>,
    /// The filters of the list.
    query: Vec<(String, String)>,
    is_book: bool,
    is_safe: bool,
}

/// The endpoint, which is no plain act: its response takes longer than one transaction.
pub(crate) fn router() -> Router<AppState> {
    Router::new().route(&format!("{BASE}{DOOR}"), get(export))
}

/// The address of the file for a request to the plain address, `GET /exports/{noun}`. It exists for every list except those
/// that an import reads back, which have a JSON response there; for those only where `Accept` prefers CSV.
pub(crate) fn as_file<B>(request: &Request<B>) -> Option<Uri> {
    let uri = request.uri();
    let noun = uri.path().strip_prefix(BASE)?.strip_prefix("/exports/")?;
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_read || !lists().any(|(known, _)| known == noun) {
        return None;
    }
    let accepted = request.headers().get(header::ACCEPT).and_then(|it| it.to_str().ok());
    let takes_csv = accepted.is_some_and(|it| it.trim_start().starts_with("text/csv"));
    if noun.parse::<Noun>().is_ok() && !takes_csv {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{BASE}/exports/{noun}/file{query}").parse().ok()
}

async fn export(
    State(state): State<AppState>,
    caller: Caller,
    mut places: Places,
    uri: Uri,
) -> Result<Response, Failure> {
    let wanted = read(&places.take(0), query_of(&uri)?).map_err(Failure::from)?;
    let first = page(&state, &caller, &wanted, None).await?;
    attempts::note_scope_use(&state, &caller, wanted.route.scope);
    let name = format!(
        "attachment; filename=\"{}.{}\"",
        wanted.noun,
        if wanted.is_book { "xlsx" } else { "csv" }
    );
    let (kind, body) = if wanted.is_book {
        let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        (kind, Body::from(book(&state, &caller, &wanted, first).await?))
    } else {
        (
            "text/csv; charset=utf-8; header=present",
            streamed(state, caller, wanted, first),
        )
    };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, body).into_response())
}

fn read(noun: &str, mut query: Vec<(String, String)>) -> acts::Result<Wanted> {
    let mut taken = |word: &str| {
        let place = query.iter().position(|(name, _)| name == word)?;
        Some(query.remove(place).1)
    };
    let (format, safe) = (taken("format"), taken("safe"));
    let is_book = match format.as_deref() {
        None | Some("csv") => false,
        Some("xlsx") => true,
        Some(_) => return Err(Refusal::field("format", "unknown_word", "`format` is csv or xlsx.").into()),
    };
    let is_safe = match safe.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Refusal::field("safe", "unknown_word", "`safe` is true or false.").into()),
    };
    if let Some((word, _)) = query.iter().find(|(name, _)| name == "limit" || name == "after") {
        let text = format!("A file has all rows, so `{word}` is not allowed; narrow it by the filters of the list.");
        return Err(Refusal::field(word, "unknown_field", text).into());
    }
    let found = lists().find(|(known, _)| *known == noun);
    let route = found.and_then(|(noun, _)| {
        let path = format!("/{noun}");
        rows().iter().find(|row| row.method == "GET" && row.path == path)
    });
    let (Some((noun, shape)), Some(route)) = (found, route) else {
        let known: Vec<&str> = lists().map(|(noun, _)| noun).collect();
        let help = nearest(noun, &known).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        return Err(Refusal::not_found(format!("list {noun}{help}")).into());
    };
    Ok(Wanted {
        route,
        noun,
        columns: columns(shape),
        query,
        is_book,
        is_safe,
    })
}

/// A page of the list, as the list's own endpoint returns it.
async fn page(state: &AppState, caller: &Caller, wanted: &Wanted, after: Option<&str>) -> Result<Value, Failure> {
    let mut query = wanted.query.clone();
    query.push(("limit".to_owned(), PAGE.to_owned()));
    query.extend(after.map(|after| ("after".to_owned(), after.to_owned())));
    let (asked, route) = (caller.clone(), wanted.route);
    let act = move |cx: &mut Context<'_, '_>| {
        // A file is read for minutes, in which a credential may end.
        asked.check_alive(cx)?;
        list_page(cx, DOOR, (route, &asked), &query)
    };
    state.act(Lane::Pages, caller, Mode::Read, act).await
}

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A body that reads page after page. If a page fails, the body is cut off.
fn streamed(state: AppState, caller: Caller, wanted: Wanted, first: Value) -> Body {
    let (send, receive) = mpsc::channel::<Result<Bytes, std::io::Error>>(AHEAD);
    tokio::spawn(async move {
        let mut text = line(wanted.columns.iter().map(|column| column.name.clone()));
        let (mut page_in_hand, mut count) = (first, 0);
        loop {
            let rows = items(&page_in_hand);
            count += rows.len();
            rows.iter().for_each(|row| text.push_str(&row_of(&wanted, row)));
            if send.send(Ok(Bytes::from(std::mem::take(&mut text)))).await.is_err() {
                return;
            }
            let Some(next) = page_in_hand["next"].as_str().map(str::to_owned) else {
                return;
            };
            let following = match count < MOST_ROWS {
                true => page(&state, &caller, &wanted, Some(&next)).await,
                false => Err(too_long(MOST_ROWS)),
            };
            match following {
                Ok(following) if following["next"] != next.as_str() => page_in_hand = following,
                Ok(_) => return broken(&send, &wanted, "the list does not go on").await,
                Err(failure) => return broken(&send, &wanted, &failure.problem.code).await,
            }
        }
    });
    Body::from_stream(ReceiverStream::new(receive))
}

async fn broken(send: &mpsc::Sender<Result<Bytes, std::io::Error>>, wanted: &Wanted, why: &str) {
    tracing::warn!(noun = wanted.noun, why, "an export was broken off");
    // The missing end shows the recipient that the file is incomplete.
    let _ = send.send(Err(std::io::Error::other("the export was broken off"))).await;
}

fn too_long(most: usize) -> Failure {
    let text = format!(
        "The list has more than {most} rows. Narrow it by its filters, or use CSV, which can have up to {MOST_ROWS}."
    );
    Failure::from(acts::Error::from(Refusal::field("noun", "too_many", text)))
}

/// The rows as a workbook.
async fn book(state: &AppState, caller: &Caller, wanted: &Wanted, first: Value) -> Result<Vec<u8>, Failure> {
    let (mut rows, mut page_in_hand) = (Vec::new(), first);
    loop {
        let next = page_in_hand["next"].as_str().map(str::to_owned);
        rows.extend(items(&page_in_hand).iter().cloned());
        if rows.len() > MOST_BOOK_ROWS {
            return Err(too_long(MOST_BOOK_ROWS));
        }
        let Some(next) = next else { break };
        page_in_hand = page(state, caller, wanted, Some(&next)).await?;
    }
    workbook(&wanted.columns, &rows)
}

fn row_of(wanted: &Wanted, row: &Value) -> String {
    let written = |column: &Column| {
        let value = &row[column.name.as_str()];
        match wanted.is_safe && value.is_string() {
            true => defused(&cell(value)),
            false => cell(value),
        }
    };
    line(wanted.columns.iter().map(written))
}

/// A record of RFC 4180: fields with a comma, a quote or a line break in quotes, ended by CRLF.
fn line(cells: impl Iterator<Item = String>) -> String {
    let quoted = cells.map(|cell| match cell.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    });
    quoted.collect::<Vec<_>>().join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use axum::http::{Request, header};
    use serde_json::json;

    use super::{as_file, cell, line, read, row_of};

    #[test]
    fn the_plain_address_is_the_file_of_what_no_import_reads_back() {
        let led = |method: &str, path: &str, accept: &str| {
            let request = Request::builder().method(method).uri(path);
            let request = request.header(header::ACCEPT, accept).body(()).unwrap();
            as_file(&request).map(|uri| uri.to_string())
        };
        let file = |path: &str| Some(path.to_owned());
        assert_eq!(
            led("GET", "/api/v1/exports/changes?state=draft", "*/*"),
            file("/api/v1/exports/changes/file?state=draft")
        );
        assert_eq!(
            led("GET", "/api/v1/exports/services", "text/csv"),
            file("/api/v1/exports/services/file")
        );
        for (method, path, accept) in [
            ("GET", "/api/v1/exports/services?format=csv", "application/json"),
            ("GET", "/api/v1/exports/secrets", "text/csv"),
            ("GET", "/api/v1/exports/changes/file", "text/csv"),
            ("POST", "/api/v1/exports/changes", "text/csv"),
            ("GET", "/api/v1/changes", "text/csv"),
        ] {
            assert_eq!(led(method, path, accept), None, "{method} {path}");
        }
    }

    #[test]
    fn a_record_is_as_rfc_4180_says_and_raw() {
        let cells = ["plain", "a,b", "say \"no\"", "two\r\nlines", ""].map(str::to_owned);
        assert_eq!(
            line(cells.into_iter()),
            "plain,\"a,b\",\"say \"\"no\"\"\",\"two\r\nlines\",\r\n"
        );
        let values = [json!(null), json!("=1+1"), json!(7), json!(true), json!(["a", 1])];
        assert_eq!(values.map(|value| cell(&value)), ["", "=1+1", "7", "true", "[\"a\",1]"]);
    }

    #[test]
    fn formulas_are_defused_where_it_is_asked_and_numbers_never() {
        let of = |safe: &str| read("announcements", vec![("safe".to_owned(), safe.to_owned())]).unwrap();
        let row = json!({"id": "=1+1", "version": -4});
        let at =
            |text: String, safe: bool| text.contains("'=1+1") == safe && text.contains("-4") && !text.contains("'-4");
        assert!(at(row_of(&of("true"), &row), true));
        assert!(at(row_of(&of("false"), &row), false));
    }

    #[test]
    fn what_is_no_list_and_no_word_is_refused() {
        let word = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        for (noun, query) in [
            ("secrets", Vec::new()),
            ("changes/{key}", Vec::new()),
            ("changes", word("format", "pdf")),
            ("changes", word("safe", "yes")),
            ("changes", word("limit", "5")),
        ] {
            assert!(read(noun, query.clone()).is_err(), "{noun} {query:?}");
        }
        assert!(read("changes", word("state", "draft")).is_ok());
    }
}
