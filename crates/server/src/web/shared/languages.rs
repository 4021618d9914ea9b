//! Translates a page into its reader's language, at the one place that all pages pass on their way out.
//!
//! The order of precedence: the address (`?language=de`, which is also kept in a cookie), then the preference of the reader's
//! account, then the cookie, then the browser. A page in English is left as it is.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use pages::language;

use crate::http::caller::cookie;
use crate::http::state::AppState;

/// The cookie that keeps a choice made before signing in; it holds nothing but a tag.
const COOKIE: &str = "assent_language";
/// The name in an address.
const ASKED: &str = "language";
/// How long the cookie is kept, in seconds: a year.
const KEPT: u32 = 31_536_000;

/// The language settings of a request.
struct Wishes {
    /// In the address.
    asked: Option<&'static str>,
    kept: Option<&'static str>,
    accepted: &'static str,
}

impl Wishes {
    fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let mut pairs = uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        let accepted = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok());
        Self {
            asked: pairs
                .find(|(name, _)| *name == ASKED)
                .and_then(|(_, tag)| language::known(tag)),
            kept: cookie(headers, COOKIE).and_then(language::known),
            accepted: language::accepted(accepted.unwrap_or_default()),
        }
    }

    /// The language of a page for a reader with this choice, or without one.
    fn settle(&self, chosen: Option<&'static str>) -> &'static str {
        self.asked.or(chosen).or(self.kept).unwrap_or(self.accepted)
    }
}

/// The language of a file for a reader whose account is set to `chosen`; `None` for English.
pub(crate) fn of_file(uri: &Uri, headers: &HeaderMap, chosen: &str) -> Option<&'static language::Language> {
    let tag = Wishes::of(uri, headers).settle(language::known(chosen).filter(|_| !chosen.is_empty()));
    language::find(tag)
}

/// A browser's settings on a person's first visit: the language, empty where it names none, and whether its region counts 12
/// hours.
pub(crate) fn of_browser(headers: &HeaderMap) -> (&'static str, bool) {
    let wish = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kept = cookie(headers, COOKIE).and_then(language::known);
    let accepted = if wish.is_empty() { "" } else { language::accepted(wish) };
    (kept.unwrap_or(accepted), language::is_by_twelve(wish))
}

/// Translates a page into its reader's language on its way out.
pub(crate) async fn translate(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let wishes = Wishes::of(request.uri(), request.headers());
    let mut response = next.run(request).await;
    if let Some(tag) = wishes.asked {
        let secure = if state.is_secure() { "; Secure" } else { "" };
        let line = format!("{COOKIE}={tag}; Path=/; Max-Age={KEPT}; HttpOnly; SameSite=Lax{secure}");
        if let Ok(line) = HeaderValue::from_str(&line) {
            response.headers_mut().append(header::SET_COOKIE, line);
        }
    }
    if !is_page(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // The whole page is in memory already, so no limit is needed.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    let tag = wishes.settle(language::chosen(text));
    let set = &mut parts.headers;
    set.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(tag));
    set.append(header::VARY, HeaderValue::from_static("Accept-Language, Cookie"));
    let Some(language) = language::find(tag) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    // A declared length is that of the English page.
    set.remove(header::CONTENT_LENGTH);
    let said = language.page(text);
    Response::from_parts(parts, Body::from(said))
}

fn is_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/html"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
    use super::*;
    use model::notify::preferences;

    fn settled(address: &str, cookie: &str, accept: &str, chosen: Option<&'static str>) -> &'static str {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookie.parse().unwrap());
        headers.insert(header::ACCEPT_LANGUAGE, accept.parse().unwrap());
        Wishes::of(&address.parse().unwrap(), &headers).settle(chosen)
    }

    #[test]
    fn the_address_comes_first_then_the_account_then_the_cookie_then_the_browser() {
        let cookie = "a=b; assent_language=de";
        assert_eq!(settled("/t/halden/?language=en", cookie, "de", Some("de")), "en");
        assert_eq!(settled("/t/halden/", cookie, "de", Some("en")), "en");
        assert_eq!(settled("/t/halden/", cookie, "en", None), "de");
        assert_eq!(settled("/t/halden/", "a=b", "de-CH,en;q=0.3", None), "de");
        assert_eq!(
            settled("/t/halden/?language=tlh", "assent_language=x", "fr", None),
            "en"
        );
    }

    #[test]
    fn a_first_visit_takes_what_was_chosen_at_the_door_or_what_the_browser_asks_for() {
        let asked = |cookie: &str, accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, cookie.parse().unwrap());
            headers.insert(header::ACCEPT_LANGUAGE, accept.parse().unwrap());
            of_browser(&headers)
        };
        assert_eq!(asked("a=b", "de-AT,de;q=0.9"), ("de", false));
        assert_eq!(asked("assent_language=de", "en-US,en;q=0.9"), ("de", true));
        assert_eq!(of_browser(&HeaderMap::new()), ("", false));
    }

    #[test]
    fn people_may_choose_the_languages_that_an_account_may_keep() {
        let tags: Vec<&str> = language::CHOICES.iter().map(|(tag, _)| *tag).collect();
        assert_eq!(tags, preferences::LANGUAGES);
        let has_words = |tag: &str| tag == language::ENGLISH || language::find(tag).is_some();
        assert!(tags.into_iter().all(has_words));
    }
}
