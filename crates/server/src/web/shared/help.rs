//! The glossary, the page of all components, and the page for unknown addresses.

use acts::report::find_changes::{ChangeFilter, find_changes};
use axum::extract::State as Extract;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use model::core::enums::State;
use pages::{ActForm, Components, Entry, Help, Place, Problem, Rich, Tone};

use crate::http::failure::Failure;
use crate::http::state::AppState;
use crate::web::shared::response::{ASSETS, html, see};
use crate::web::shared::view::{View, Visitor, show, show_as};

/// The stops of the tour: pages in the order of a change's life, the change's page by the key of an existing change.
fn tour(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<Entry>> {
    let filter = ChangeFilter {
        states: vec![State::Authorizing.as_str().to_owned()],
        ..ChangeFilter::default()
    };
    let waiting = find_changes(view.cx, &filter, 1, None)?.rows.into_iter().next();
    let one = waiting.map_or_else(|| "/changes".to_owned(), |(row, _)| format!("/changes/{}", row.key));
    let mut stops = vec![
        (
            "home",
            "What waits for you",
            "/",
            "Each card says what, where, when and why it is safe; the decision stands on the card.",
        ),
        (
            "list",
            "A change that waits for a decision",
            one.as_str(),
            "Its decision on top; below it who is asked and why, the plan, the way back, and each entry with its place in the log.",
        ),
    ];
    if view.frame.may_create {
        stops.push((
            "plus",
            "Writing one",
            "/changes/new",
            "Nine answers; the rest comes from the service and from the last change like it.",
        ));
    }
    stops.extend([
        (
            "calendar",
            "When things happen",
            "/calendar",
            "Windows and freezes as bands, collisions with the way by which two changes meet.",
        ),
        (
            "gate",
            "What the gate answered",
            "/gate-checks",
            "Pipelines ask it before each deployment; every answer is kept with its reasons.",
        ),
        (
            "person",
            "Who answers for what",
            "/ownership",
            "Choose a place and see who is asked first, and why.",
        ),
    ]);
    if view.frame.places.contains(&Place::AuditLog) {
        stops.push((
            "log",
            "The log",
            "/audit",
            "Everything that was done, in order, with proofs that need no trust in this server.",
        ));
    }
    let entry = |(icon, words, path, why): (&'static str, &str, &str, &str)| {
        Entry::new(Tone::Plain, Rich::new().link(words, view.url(path)))
            .icon(icon)
            .why(why)
    };
    Ok(stops.into_iter().map(entry).collect())
}

/// The help page.
pub(crate) async fn show_help(Extract(state): Extract<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Help, |view| {
        let page = Help {
            frame: view.frame.clone(),
            tour: tour(view)?,
            terms: pages::glossary().to_vec(),
            keys: Help::usual_keys(),
            api_url: "/api".to_owned(),
        };
        Ok(page.render())
    })
    .await
}

/// Every component in every state, for designers.
pub(crate) async fn components(_: Visitor) -> Response {
    let page = Components::samples().into_iter().next();
    page.map_or_else(
        || html(404, Problem::not_found(None, ASSETS).render()),
        |page| html(200, page.render()),
    )
}

/// Not found: within the frame for a signed-in reader, so that the search and every other page are available.
pub(crate) async fn nothing(Extract(state): Extract<AppState>, visitor: Result<Visitor, Response>) -> Response {
    let bare = || {
        let mut page = Problem::not_found(None, ASSETS);
        page.ways.push(ActForm::link("Home", "/"));
        html(404, page.render())
    };
    let Ok(visitor) = visitor else { return bare() };
    show_as(&state, &visitor, Place::Home, 404, |view| {
        let mut page = Problem::not_found(Some(view.frame.clone()), ASSETS);
        page.ways.push(ActForm::link("Home", view.url("/")));
        Ok(page.render())
    })
    .await
}

/// An address that only accepts a form shows nothing by itself: a request for it, for example by going back in the browser
/// after a refusal, is redirected to the form's page.
pub(crate) async fn form_alone(method: Method, uri: Uri) -> Response {
    match page_of_form(uri.path()).filter(|_| method.is_safe()) {
        Some(page) => see(&page),
        None => Failure::new(405, "method_not_allowed", "This address does not take this method.").into_response(),
    }
}

/// Nouns whose records have pages of their own.
const WITH_PAGES: [&str; 6] = [
    "access-reviews",
    "changes",
    "incidents",
    "services",
    "templates",
    "workloads",
];

fn page_of_form(path: &str) -> Option<String> {
    let mut parts = path.strip_prefix("/t/")?.split('/');
    let (tenant, noun) = (parts.next()?, parts.next()?);
    let home = format!("/t/{tenant}/");
    let Some(second) = parts.next() else {
        // It is the form's own address, such as that of signing out or of a saved view.
        return Some(if noun == "views" {
            format!("{home}changes")
        } else {
            home
        });
    };
    Some(match WITH_PAGES.contains(&noun) && parts.next().is_some() {
        true => format!("{home}{noun}/{second}"),
        false if noun == "views" => format!("{home}changes"),
        false => format!("{home}{noun}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_form_leads_to_its_page() {
        let pages = [
            ("/t/halden/changes/CHG-1/evidence", "/t/halden/changes/CHG-1"),
            ("/t/halden/policies/trial", "/t/halden/policies"),
            ("/t/halden/tokens/t1/revocation", "/t/halden/tokens"),
            (
                "/t/halden/services/booking-api/watchers",
                "/t/halden/services/booking-api",
            ),
            ("/t/halden/views/sharing", "/t/halden/changes"),
            ("/t/halden/sign-out", "/t/halden/"),
        ];
        for (form, page) in pages {
            assert_eq!(page_of_form(form).as_deref(), Some(page));
        }
        assert_eq!(page_of_form("/sign-in"), None);
    }
}
