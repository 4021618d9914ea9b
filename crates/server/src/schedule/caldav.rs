//! The calendar for CalDAV clients, read-only: the events of a person's feed as a collection, behind the secret of that feed as the
//! password of HTTP Basic. The protocol is in `connect`.

use acts::notify::make_feed::{About, find_feed_changes};
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use connect::schedule::caldav::{BODY_MAX_BYTES, CaldavRequest, Reply, Tree, password, respond};
use store::{Lane, Mode};

use crate::http::authenticate::caller_of_feed;
use crate::http::outside_mask::mask_text;
use crate::http::percent::decoded;
use crate::http::state::AppState;
use crate::web::notify::calendar_feed::objects;

/// The collection of a person's own changes.
const OWN: &str = "changes";
/// The supported methods.
const METHODS: &str = "OPTIONS, GET, HEAD, PROPFIND, REPORT";

/// Serves a client. A missing or wrong credential gets the same challenge for every tenant.
pub(crate) async fn serve(State(state): State<AppState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let Some((tenant, below)) = place(&path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if parts.method.as_str() == "OPTIONS" {
        return with_dav(StatusCode::OK.into_response());
    }
    let caller = match secret(&parts.headers) {
        Some(secret) => match caller_of_feed(&state, &secret).await {
            Ok(caller) if caller.tenant == tenant => caller,
            Err(failure) if failure.status() != 401 => return failure.into_response(),
            _ => return challenge(),
        },
        None => return challenge(),
    };
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let (method, depth) = (parts.method.as_str().to_owned(), text_of(&parts.headers, "depth"));
    let is_head = method == "HEAD";
    let below = below.to_owned();
    let made = state
        .act(Lane::Pages, &caller, Mode::Read, move |cx| {
            let tree = tree(cx, &below)?;
            let asked = CaldavRequest {
                method: &method,
                below: &below,
                depth: depth.as_deref(),
                body: &body,
            };
            Ok(respond(&tree, asked))
        })
        .await;
    match made {
        Ok(reply) => with_dav(sent(reply, is_head)),
        // A deactivated person has no calendar any more.
        Err(failure) if matches!(failure.status(), 401 | 403) => challenge(),
        Err(failure) => failure.into_response(),
    }
}

/// The tenant of a path, and the rest below the root without a slash at its end.
fn place(path: &str) -> Option<(&str, &str)> {
    let (tenant, rest) = path.strip_prefix("/t/")?.split_once('/')?;
    let below = rest.strip_prefix("caldav")?;
    Some((tenant, below.trim_matches('/')))
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

fn secret(headers: &HeaderMap) -> Option<String> {
    password(&text_of(headers, "authorization")?)
}

/// The collection that a path names, with its events: one's own changes, or those of `service-KEY` or `team-NAME`.
fn tree(cx: &mut acts::Context<'_, '_>, below: &str) -> acts::Result<Tree> {
    let first = below.split('/').next().unwrap_or_default();
    let named = decoded(first).unwrap_or_default();
    let about = About {
        service: named.strip_prefix("service-").map(str::to_owned),
        team: named.strip_prefix("team-").map(str::to_owned),
    };
    let is_about = about.service.is_some() || about.team.is_some();
    let changes = find_feed_changes(cx, &about)?;
    let (base, now) = (format!("{}/t/{}", cx.services.tools().public_url, cx.tenant()), cx.now);
    let directory = cx.visible()?;
    let mut found = objects(&changes, &directory, &base, now);
    for object in &mut found {
        mask_text(cx, &mut object.text)?;
        object.entity_tag = format!("\"{}\"", proof::crypto::digest_text(object.text.as_bytes()));
    }
    let tags: Vec<&str> = found.iter().map(|it| it.entity_tag.as_str()).collect();
    let tenant = directory
        .tenant
        .as_ref()
        .map_or("Assent", |tenant| tenant.name.as_str());
    Ok(Tree {
        root: format!("/t/{}/caldav/", cx.tenant()),
        collection: if is_about { first.to_owned() } else { OWN.to_owned() },
        name: format!("Changes, {tenant}"),
        tag: proof::crypto::digest_text(tags.join(" ").as_bytes()),
        objects: found,
    })
}

fn sent(reply: Reply, is_head: bool) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = if is_head { Bytes::new() } else { Bytes::from(reply.body) };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    let tag = reply.entity_tag.and_then(|tag| HeaderValue::from_str(&tag).ok());
    if let Some(tag) = tag {
        headers.insert(header::ETAG, tag);
    }
    response
}

fn with_dav(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert("dav", HeaderValue::from_static("1, calendar-access"));
    headers.insert(header::ALLOW, HeaderValue::from_static(METHODS));
    response
}

fn challenge() -> Response {
    let text = "Sign in with the secret of a calendar feed as the password.\n";
    let mut response = (StatusCode::UNAUTHORIZED, text).into_response();
    let realm = HeaderValue::from_static("Basic realm=\"Assent calendar\", charset=\"UTF-8\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
    response
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_path_names_its_tenant_and_what_is_below() {
        assert_eq!(super::place("/t/halden/caldav"), Some(("halden", "")));
        assert_eq!(super::place("/t/halden/caldav/"), Some(("halden", "")));
        assert_eq!(super::place("/t/halden/caldav/changes/"), Some(("halden", "changes")));
        assert_eq!(
            super::place("/t/halden/caldav/changes/a.ics"),
            Some(("halden", "changes/a.ics"))
        );
        assert_eq!(super::place("/t/halden/calendar"), None);
    }
}
