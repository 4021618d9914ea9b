//! The reader's notification preferences: at once or once a day, and quiet times.

use acts::notify::draft_by_mail;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::notify::preferences::{LANGUAGES, NotificationPreferences};
use pages::{ActForm, Fact, Field, Place, RecordPage, Rich, Section, SectionBody};
use serde_json::json;

use crate::http::state::AppState;
use crate::web::shared::flash::KEPT;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, Sent, send};
use crate::web::shared::languages;
use crate::web::shared::view::{View, Visitor, show};

/// The labels of the choices for clock and density.
const BY_DAY: &str = "24 hours";
const BY_TWELVE: &str = "12 hours, am and pm";
const COMFORTABLE: &str = "comfortable";
const COMPACT: &str = "compact";

/// The page.
pub(crate) async fn show_telling(State(state): State<AppState>, visitor: Visitor, headers: HeaderMap) -> Response {
    let offered = languages::of_browser(&headers);
    show(&state, &visitor, Place::Account, move |view| page(view, None, offered)).await
}

/// A person's preferences for display.
pub(crate) fn facts(telling: &NotificationPreferences, zone: &str) -> Vec<Fact> {
    let how = match &telling.digest_at {
        Some(at) => format!("At {at}, with what can wait"),
        None => "none, each comes at once".to_owned(),
    };
    let quiet = match &telling.quiet {
        Some(quiet) => format!("{} to {}", quiet.from, quiet.until),
        None => "none".to_owned(),
    };
    vec![
        Fact::new("Daily letter", how),
        Fact::new("Quiet hours", quiet),
        Fact::new("Language", language_name(telling)),
        Fact::new("Time zone", zone.to_owned()),
        Fact::new("Clock", if telling.is_by_twelve() { BY_TWELVE } else { BY_DAY }),
        Fact::new(
            "Rows of pages",
            if telling.is_compact() { COMPACT } else { COMFORTABLE },
        ),
    ]
}

/// The language's own name for itself, if the person chose one.
fn language_name(telling: &NotificationPreferences) -> String {
    let chosen = telling.language.as_deref().unwrap_or_default();
    let found = pages::language::CHOICES.iter().find(|(tag, _)| *tag == chosen);
    found.map_or_else(|| "as your browser asks".to_owned(), |(_, name)| (*name).to_owned())
}

/// The page. If the reader has chosen nothing yet, the form starts with the browser's settings: the language, and whether it
/// counts 12 hours.
fn page(
    view: &mut View<'_, '_, '_>,
    back: Option<&Back>,
    (language, is_by_twelve): (&str, bool),
) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let person = view.directory.people.get(&view.me);
    let telling = person.and_then(|it| it.telling.clone()).unwrap_or_default();
    let offered = match telling.is_usual() {
        true => NotificationPreferences {
            language: LANGUAGES.contains(&language).then(|| language.to_owned()),
            clock: is_by_twelve.then(|| "12".to_owned()),
            ..NotificationPreferences::default()
        },
        false => telling.clone(),
    };
    let zone = person.map(|it| it.zone.clone()).unwrap_or_default();
    let never = "Requests for decisions, escalations, problems during the work, break-glass and security messages are sent \
                 at once, at any hour. All messages also appear immediately on the page Messages.";
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Your account".to_owned(), view.url("/account"))],
        title: "Notifications".to_owned(),
        byline: Rich::from(
            "News that can wait may come in a daily letter, and not in your quiet hours. Language, time zone and clock hold for \
             pages, letters and calendars.",
        ),
        acts: vec![form(view, &offered, &zone)],
        sections: vec![
            Section::new("wishes", "As it is now", SectionBody::Facts(facts(&telling, &zone))),
            Section::new("never", "What never waits", SectionBody::Words(Rich::from(never))),
        ],
        ..RecordPage::default()
    };
    page.sections.extend(by_mail(view)?);
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

/// The reader's own address for changes by mail, where mail is taken.
fn by_mail(view: &mut View<'_, '_, '_>) -> acts::Result<Option<Section>> {
    let Some(address) = draft_by_mail::own_address(view.cx)? else {
        return Ok(None);
    };
    let what = "A letter from your mail address to this one becomes a draft of yours, with its files as evidence. Lines such as \
                “Service: booking-api”, “Environment: production” and “Start: 2026-11-21 22:00” fill its fields. The address is \
                yours alone: keep it to yourself.";
    let facts = vec![
        Fact::new("Your address for changes", Rich::new().code(address.as_str())),
        Fact::new("How it is used", Rich::from(what)),
    ];
    Ok(Some(Section::new(
        "by-mail",
        "Changes by mail",
        SectionBody::Facts(facts),
    )))
}

fn languages() -> Vec<(&'static str, &'static str)> {
    std::iter::once(("", "As your browser asks"))
        .chain(pages::language::CHOICES)
        .collect()
}

fn form(view: &View<'_, '_, '_>, telling: &NotificationPreferences, zone: &str) -> ActForm {
    let how = if telling.digest_at.is_some() {
        "digest"
    } else {
        "at_once"
    };
    let quiet = telling.quiet.as_ref();
    let text = |value: Option<&String>| value.cloned().unwrap_or_default();
    let choices = [("at_once", "Each at once"), ("digest", "A daily letter")];
    ActForm::new("telling", "Set your notifications", view.url("/telling"))
        .field(Field::select("how", "Letters", &choices).value(how).required())
        .field(
            Field::text("digest_at", "The daily letter comes at")
                .hint("A time of day in your zone, such as 08:00; only for a daily letter.")
                .value(text(telling.digest_at.as_ref())),
        )
        .field(
            Field::text("quiet_from", "Quiet from")
                .hint("Such as 22:00. Both stay empty for no quiet hours.")
                .value(text(quiet.map(|it| &it.from)))
                .half(),
        )
        .field(
            Field::text("quiet_until", "Quiet until")
                .hint("Such as 07:00.")
                .value(text(quiet.map(|it| &it.until)))
                .half(),
        )
        .field(
            Field::select("language", "Language of pages and letters", &languages())
                .value(text(telling.language.as_ref())),
        )
        .field(
            Field::text("zone", "Time zone")
                .hint("Such as Europe/Oslo.")
                .value(zone)
                .half(),
        )
        .field(
            Field::select("clock", "Clock", &[("24", BY_DAY), ("12", BY_TWELVE)])
                .value(if telling.is_by_twelve() { "12" } else { "24" })
                .half(),
        )
        .field(
            Field::select(
                "density",
                "Rows of pages",
                &[("comfortable", COMFORTABLE), ("compact", COMPACT)],
            )
            .value(if telling.is_compact() { "compact" } else { "comfortable" })
            .half(),
        )
        .field(
            Field::select(
                "has_invitations",
                "Invitations to the times of your changes",
                &[("no", "None"), ("yes", "By mail, for your calendar program")],
            )
            .value(if telling.has_invitations { "yes" } else { "no" }),
        )
        .submit("Save")
}

/// Sets the reader's wishes.
pub(crate) async fn set_telling(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let sent = Sent {
        form,
        boxes: &[],
        path: "/telling".to_owned(),
        then: "/telling".to_owned(),
        place: Place::Account,
        done: KEPT,
    };
    let run = |cx: &mut acts::Context<'_, '_>, body: &Body| {
        let (me, mut said) = (cx.actor.person.clone(), body.clone());
        let login = cx.directory()?.login(&me);
        if said.get("how") == Some(&json!("at_once")) {
            said.remove("digest_at");
        }
        // A default value needs no preference.
        for (field, usual) in [("clock", "24"), ("density", "comfortable")] {
            if said.get(field) == Some(&json!(usual)) {
                said.remove(field);
            }
        }
        // A form sends text.
        let invitations = said.remove("has_invitations");
        said.insert("has_invitations".to_owned(), json!(invitations == Some(json!("yes"))));
        acts::notify::set_telling::set_telling(cx, &login, &said).map(drop)
    };
    send(&state, &visitor, sent, run, |view, back| page(view, back, ("", false))).await
}
