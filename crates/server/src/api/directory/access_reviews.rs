//! Reviews of access, and rights that stand out.

use acts::Room;
use acts::directory::review_access;
use acts::directory::review_by_clock;
use acts::policy::find_unused;
use acts::schedule::find_conflicts;
use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use model::directory::access_review::AccessReview;
use model::directory::snapshot::Directory;
use serde_json::{Value, json};
use wire::views;

use crate::api::shared::records::page;
use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// Reviews of access.
pub(crate) const ROUTES: &[Route] = &[
    Route::get(
        "/rights/unused",
        "Finds rights that nobody used of late.",
        unused_rights,
    )
    .scope(Scope::Audit),
    Route::get(
        "/rights/conflicts",
        "Finds rights that should not lie in one hand.",
        |room, ask| {
            let found = find_conflicts::find_conflicts(room)?;
            let items = found.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
            ask.whole(items)
        },
    )
    .scope(Scope::Audit),
    Route::get(
        "/access-review-schedule",
        "Shows when reviews of access begin by themselves.",
        |room, _| {
            let schedule = review_by_clock::schedule(room)?;
            schedule_view(room, &schedule)
        },
    ),
    Route::put(
        "/access-review-schedule",
        "Sets how often a review of access begins by itself.",
        tenant_version,
        |room, ask| {
            let schedule = review_by_clock::set_schedule(room, &ask.body)?;
            schedule_view(room, &schedule)
        },
    )
    .scope(Scope::Admin),
    Route::get("/access-reviews", "Lists reviews of access.", |room, ask| {
        let filter = review_access::seen(room)?;
        page::<AccessReview>(room, ask, filter, review_view)
    }),
    Route::post(
        "/access-reviews",
        "Asks managers to look at the rights of their people.",
        |room, ask| {
            let begun = review_access::begin_review(room, &ask.body)?;
            let directory = room.directory()?;
            let items: Vec<Value> = begun.iter().map(|it| review_view(it, &directory)).collect();
            Ok(Reply::created(json!({"items": items, "next": null})))
        },
    )
    .scope(Scope::Admin),
    Route::get("/access-reviews/{id}", "Shows a review of access.", |room, ask| {
        let found = review_access::review(room, ask.place(0))?;
        Ok(Reply::ok(review_view(&found, &*room.directory()?)))
    }),
    Route::post(
        "/access-reviews/{id}/signature",
        "Signs a review of access; what is refused is taken away.",
        |room, ask| {
            let signed = review_access::sign_review(room, ask.place(0), &ask.body)?;
            Ok(Reply::created(review_view(&signed, &*room.directory()?)))
        },
    ),
];

/// How many days without use are too many, unless a report is asked otherwise.
const UNUSED_DAYS: i64 = 90;

/// The longest time that a report looks back, in days.
const MOST_DAYS: i64 = 400;

fn unused_rights(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let days = match ask.query("days") {
        None => Some(UNUSED_DAYS),
        Some(text) => text.parse().ok().filter(|days| (1..=MOST_DAYS).contains(days)),
    };
    let wrong = || {
        Refusal::field(
            "days",
            "out_of_range",
            format!("`days` lies between 1 and {MOST_DAYS}."),
        )
    };
    let report = find_unused::find_unused(room, days.ok_or_else(wrong)?)?;
    Ok(Reply::ok(serde_json::to_value(report)?))
}

/// A part of a review with logins also in what its rights are about, where the record has ids.
fn review_view(review: &AccessReview, directory: &Directory) -> Value {
    let mut told = review.clone();
    let login = |person: &PersonId| directory.people.get(person).map(|it| it.login.clone());
    for right in &mut told.rights {
        right.scope = right.told_scope(login);
    }
    views::shown(&told, directory)
}

fn schedule_view(room: &mut Room<'_, '_>, schedule: &review_by_clock::Schedule) -> acts::Result<Reply> {
    let reply = Reply::ok(serde_json::to_value(schedule)?);
    Ok(match &room.directory()?.tenant {
        Some(tenant) => reply.tagged(tenant.version),
        None => reply,
    })
}

/// The schedule is a setting of the tenant.
fn tenant_version(room: &mut Room<'_, '_>, _: &Ask) -> acts::Result<Option<i64>> {
    Ok(room.directory()?.tenant.as_ref().map(|tenant| tenant.version))
}
