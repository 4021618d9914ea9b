//! How a vendor's changes compare with those of internal teams, and the change that takes up a notice.

use acts::Context;
use acts::core::noun::PlainNoun;
use acts::report::find_parity::{USUAL_DAYS, find_parity};
use acts::schedule::notice_by_mail;
use acts::schedule::notice_course::take_up::take_up_notice;
use model::core::refusal::Refusal;
use model::report::parity::{Compared, MINIMUM, Side};
use model::schedule::vendor_notice::VendorNotice;
use serde_json::{Map, Value, json};
use wire::views;

use crate::http::route::{Ask, Reply, Route};

/// The comparison, the address for notices, and the change that takes up a notice.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("show_vendor_parity", parity),
    Route::writes("mail_notice_address", |cx, ask| {
        let vendor = notice_by_mail::mail_notice_address(cx, ask.place(0))?;
        Ok(Reply::created(views::shown(&vendor, &*cx.directory()?)))
    }),
    Route::writes("take_up_vendor_notice", take_up),
];

fn take_up(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let notice = take_up_notice(cx, ask.place(0))?;
    let directory = cx.visible()?;
    let mut values = vec![views::noun(&notice, &directory)];
    VendorNotice::complete(cx, std::slice::from_ref(&notice), &mut values)?;
    Ok(Reply::created(values.pop().unwrap_or_default()))
}

fn parity(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let found = find_parity(cx, ask.place(0), days(ask.query("days"))?)?;
    let measures: Vec<Value> = found.compared.iter().map(compared).collect();
    let mut value = json!({
        "vendor": found.vendor.key, "from": found.from.to_string(), "to": found.to.to_string(), "minimum": MINIMUM,
        "measures": measures, "rows": found.rows, "internal_rows": found.internal_rows, "is_cut": found.is_cut,
    });
    if let Some(score) = found.score {
        value["score"] = json!(score);
    }
    Ok(Reply::ok(value))
}

/// Reads the number of days.
///
/// # Errors
/// 422 for a text that is no number.
pub(crate) fn days(said: Option<&str>) -> acts::Result<i64> {
    let Some(text) = said else { return Ok(USUAL_DAYS) };
    let wrong = |_| Refusal::field("days", "not_a_number", format!("`{text}` is no whole number."));
    Ok(text.parse().map_err(wrong)?)
}

fn compared(it: &Compared) -> Value {
    json!({
        "measure": it.measure, "verdict": it.verdict, "vendor": side(&it.vendor), "internal": side(&it.internal),
    })
}

fn side(it: &Side) -> Value {
    let mut map = Map::new();
    map.insert("hits".to_owned(), json!(it.hits));
    map.insert("of".to_owned(), json!(it.of));
    if let Some(estimate) = it.estimate {
        map.insert("share".to_owned(), json!(estimate.value));
        map.insert("low".to_owned(), json!(estimate.low));
        map.insert("high".to_owned(), json!(estimate.high));
    }
    Value::Object(map)
}
