//! Access reviews, and conspicuous rights.

use acts::Context;
use acts::directory::{review_access, review_by_clock};
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

/// Access reviews.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("find_unused_rights", unused_rights).scope(Scope::Audit),
    Route::reads("find_conflicting_rights", |cx, ask| {
        let found = find_conflicts::find_conflicts(cx)?;
        let items = found.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
        ask.whole(items)
    })
    .scope(Scope::Audit),
    Route::reads("show_access_review_schedule", |cx, _| {
        let schedule = review_by_clock::schedule(cx)?;
        schedule_view(cx, &schedule)
    }),
    Route::edits("set_access_review_schedule", tenant_version, |cx, ask| {
        let schedule = review_by_clock::set_schedule(cx, &ask.body)?;
        schedule_view(cx, &schedule)
    })
    .scope(Scope::Admin),
    Route::reads("list_access_reviews", |cx, ask| {
        let filter = review_access::seen(cx)?;
        page::<AccessReview>(cx, ask, filter, review_view)
    }),
    Route::writes("begin_access_review", |cx, ask| {
        let begun = review_access::begin_review(cx, &ask.body)?;
        let directory = cx.directory()?;
        let items: Vec<Value> = begun.iter().map(|it| review_view(it, &directory)).collect();
        Ok(Reply::created(json!({"items": items, "next": null})))
    })
    .scope(Scope::Admin),
    Route::reads("show_access_review", |cx, ask| {
        let found = review_access::review(cx, ask.place(0))?;
        Ok(Reply::ok(review_view(&found, &*cx.directory()?)))
    }),
    Route::writes("sign_access_review", |cx, ask| {
        let signed = review_access::sign_review(cx, ask.place(0), &ask.body)?;
        Ok(Reply::created(review_view(&signed, &*cx.directory()?)))
    }),
];

/// The default number of days without use after which a right is reported.
const UNUSED_DAYS: i64 = 90;

/// The longest time that a report looks back, in days.
const MOST_DAYS: i64 = 400;

fn unused_rights(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
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
    let report = find_unused::find_unused(cx, days.ok_or_else(wrong)?)?;
    Ok(Reply::ok(serde_json::to_value(report)?))
}

/// A part of a review. Scopes of rights show logins where the record has ids.
fn review_view(review: &AccessReview, directory: &Directory) -> Value {
    let mut told = review.clone();
    let login = |person: &PersonId| directory.people.get(person).map(|it| it.login.clone());
    for right in &mut told.rights {
        right.scope = right.told_scope(login);
    }
    views::shown(&told, directory)
}

fn schedule_view(cx: &mut Context<'_, '_>, schedule: &review_by_clock::Schedule) -> acts::Result<Reply> {
    let reply = Reply::ok(serde_json::to_value(schedule)?);
    Ok(match &cx.directory()?.tenant {
        Some(tenant) => reply.tagged(tenant.version),
        None => reply,
    })
}

/// The schedule is a setting of the tenant.
fn tenant_version(cx: &mut Context<'_, '_>, _: &Ask) -> acts::Result<Option<i64>> {
    Ok(cx.directory()?.tenant.as_ref().map(|tenant| tenant.version))
}
