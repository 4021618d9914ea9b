//! People's notification preferences.

use acts::notify::{draft_by_mail, set_telling};
use model::directory::snapshot::Person;
use model::notify::preferences;
use serde_json::{Value, json};

use crate::api::directory::people::person_version;
use crate::http::route::{Reply, Route};

/// Wishes.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("show_telling", |cx, ask| {
        let (person, telling) = set_telling::preferences_of(cx, ask.place(0))?;
        let mut view = preferences_view(&person, &telling);
        // The address is the person's own secret: administrators cannot read it either.
        if person.id == cx.actor.person
            && let Some(address) = draft_by_mail::own_address(cx)?
        {
            view["change_address"] = json!(address);
        }
        Ok(Reply::ok(view).tagged(person.version))
    }),
    Route::edits("set_telling", person_version, |cx, ask| {
        let (person, telling) = set_telling::set_telling(cx, ask.place(0), &ask.body)?;
        Ok(Reply::ok(preferences_view(&person, &telling)).tagged(person.version))
    }),
];

/// A person's preferences in the format in which they are set.
fn preferences_view(person: &Person, telling: &preferences::NotificationPreferences) -> Value {
    let mut view = json!({
        "person": person.login, "zone": person.zone,
        "how": if telling.digest_at.is_some() { "digest" } else { "at_once" },
        "has_invitations": telling.has_invitations,
    });
    let quiet = telling.quiet.as_ref();
    for (field, value) in [
        ("digest_at", telling.digest_at.as_ref()),
        ("quiet_from", quiet.map(|it| &it.from)),
        ("quiet_until", quiet.map(|it| &it.until)),
        ("language", telling.language.as_ref()),
        ("clock", telling.clock.as_ref()),
        ("density", telling.density.as_ref()),
    ] {
        if let Some(value) = value {
            view[field] = json!(value);
        }
    }
    view
}
