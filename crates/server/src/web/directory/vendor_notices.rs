//! One notice of a vendor, and the form that makes a change from it.

use acts::Context;
use acts::schedule::notice_course::take_up::{show_notice as find_notice, take_up_notice};
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use model::core::act::Act;
use model::core::body::Body;
use model::core::enums::{NoticeImpact, NoticeState};
use model::schedule::vendor_notice::VendorNotice;
use pages::{ActForm, ActTone, Fact, Mark, Place, RecordPage, Rich, Section, SectionBody, Tone};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, send, sent};
use crate::web::shared::idempotent_form;
use crate::web::shared::view::{View, Visitor, show};

/// The notice.
pub(crate) async fn show_notice(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Home, move |view| page(view, &id, None)).await
}

/// Drafts the change that takes up a notice.
pub(crate) async fn take_up(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let here = format!("/vendor-notices/{}/change", escaped(&id));
    let sent = sent(form, here.clone(), here, Place::Home);
    let notice = id.clone();
    let run = move |cx: &mut Context<'_, '_>, _: &Body| take_up_notice(cx, &notice).map(drop);
    send(&state, &visitor, sent, run, move |view, back| page(view, &id, back)).await
}

fn page(view: &mut View<'_, '_, '_>, id: &str, back: Option<&Back>) -> acts::Result<String> {
    let notice = find_notice(view.cx, id)?;
    let now = view.now();
    let facts = Section::new(
        "notice",
        "What the vendor announces",
        SectionBody::Facts(facts(view, &notice)),
    );
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Vendor notices".to_owned(), view.url("/vendor-notices"))],
        key: notice.reference.clone(),
        title: notice.title.clone(),
        is_said: true,
        marks: vec![mark(&notice, now)],
        sections: vec![facts],
        ..RecordPage::default()
    };
    if notice.state.is_live() && !notice.is_past_end(now) && view.may(Act::Create.as_str()) {
        let url = view.url(&format!("/vendor-notices/{}/change", escaped(id)));
        page.acts.push(
            ActForm::new("take-up", "Take it up as a change", url)
                .field(idempotent_form::field(view))
                .note("A draft is made with the announced window and the owner of the service. It needs the approvals of any change.")
                .submit("Draft the change")
                .tone(ActTone::Go),
        );
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn mark(notice: &VendorNotice, now: Timestamp) -> Mark {
    if notice.is_past_end(now) {
        return Tone::Stop.mark("Past its end");
    }
    match notice.state {
        NoticeState::Announced => Tone::Wait.mark("Announced"),
        NoticeState::UnderWay => Tone::Wait.mark("Under way"),
        NoticeState::Completed => Tone::Ok.mark("Completed"),
        NoticeState::Cancelled => Tone::Plain.mark("Cancelled"),
    }
}

fn facts(view: &View<'_, '_, '_>, notice: &VendorNotice) -> Vec<Fact> {
    let services: Vec<&str> = notice.services.iter().map(|key| key.as_str()).collect();
    let vendor = view.url(&format!("/vendors/{}/parity", escaped(&notice.vendor)));
    let impact = match notice.impact {
        NoticeImpact::None => "none",
        NoticeImpact::Degraded => "degraded",
        NoticeImpact::Outage => "outage",
    };
    let mut facts = vec![
        Fact::new("Vendor", Rich::new().said_link(notice.vendor.as_str(), vendor)),
        Fact::new("Services", Rich::new().said(services.join(", "))),
        Fact::new("From", view.moment(notice.starts_at)),
        Fact::new("To", view.moment(notice.ends_at)),
        Fact::new("Impact", Rich::from(impact)),
    ];
    if let Some(text) = &notice.text {
        facts.push(Fact::new("Text", Rich::new().said(text.as_str())));
    }
    let actual = [("Actual start", notice.actual_start), ("Actual end", notice.actual_end)];
    facts.extend(
        actual
            .into_iter()
            .filter_map(|(label, at)| Some(Fact::new(label, view.moment(at?)))),
    );
    if let Some(key) = &notice.change {
        facts.push(Fact::new(
            "Change",
            Rich::new().link(key.as_str(), view.change_url(key)),
        ));
    }
    facts
}
