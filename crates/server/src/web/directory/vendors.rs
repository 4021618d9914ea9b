//! How a vendor compares with internal teams: the measures, and the vendor's changes behind them.

use acts::Context;
use acts::report::find_parity::{FoundParity, USUAL_DAYS, find_parity};
use acts::schedule::notice_by_mail::mail_notice_address;
use axum::extract::{Path, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::{ParityMeasure, ParityVerdict};
use model::report::parity::{Compared, MINIMUM, ParityRow, Side};
use model::risk::forecast::words::percent;
use pages::{ActForm, Cell, Column, Fold, Mark, Place, RecordPage, Rich, Section, SectionBody, Table, Tone, count};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, send, sent};
use crate::web::shared::idempotent_form;
use crate::web::shared::view::{View, Visitor, show};

/// The most changes that the page lists; the API has all.
const LISTED: usize = 100;

/// The comparison of a vendor.
pub(crate) async fn show_parity(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Home, move |view| page(view, &key, None)).await
}

/// Mails the address for notices to the contacts of a vendor.
pub(crate) async fn mail_address(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    let here = format!("/vendors/{}", escaped(&key));
    let sent = sent(
        form,
        format!("{here}/notice-address"),
        format!("{here}/parity"),
        Place::Home,
    );
    let vendor = key.clone();
    let run = move |cx: &mut Context<'_, '_>, _: &Body| mail_notice_address(cx, &vendor).map(drop);
    send(&state, &visitor, sent, run, move |view, back| page(view, &key, back)).await
}

fn page(view: &mut View<'_, '_, '_>, key: &str, back: Option<&Back>) -> acts::Result<String> {
    let found = find_parity(view.cx, key, USUAL_DAYS)?;
    let score = found.score.map_or_else(
        || format!("No figure: a measure is compared from {MINIMUM} changes on each side."),
        |score| format!("Score: {} of 100.", percent(score)),
    );
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Vendors".to_owned(), view.url("/vendors"))],
        key: found.vendor.key.clone(),
        title: "Parity with internal teams".to_owned(),
        byline: Rich::from("Changes whose work began in the last 90 days.")
            .line()
            .text(score),
        sections: vec![measures(&found), changes(view, &found)],
        ..RecordPage::default()
    };
    if view.may(actions::SET_SERVICE) && !found.vendor.contacts.is_empty() {
        let url = view.url(&format!("/vendors/{}/notice-address", escaped(key)));
        page.acts.push(
            ActForm::new("notice-address", "Mail the address for notices", url)
                .field(idempotent_form::field(view))
                .note("Its contacts get an address to which they send notices of their maintenance.")
                .submit("Mail it to the contacts"),
        );
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn measures(found: &FoundParity) -> Section {
    let row = |it: &Compared| {
        vec![
            Cell::title(measure(it.measure), ""),
            Cell::Mark(verdict(it.verdict)),
            Cell::Short(side(&it.vendor)),
            Cell::Short(side(&it.internal)),
        ]
    };
    let table = Table {
        caption: "Measures".to_owned(),
        columns: vec![
            Column::new("Measure", Fold::Never),
            Column::new("Verdict", Fold::Under).named(),
            Column::new("Vendor", Fold::Under).named(),
            Column::new("Internal teams", Fold::Under).named(),
        ],
        rows: found.compared.iter().map(row).collect(),
        ..Table::default()
    };
    Section::new("measures", "Measures", SectionBody::Table(table))
        .lede("The same questions of every change. A verdict needs intervals (95 of 100) that do not overlap.")
}

fn changes(view: &View<'_, '_, '_>, found: &FoundParity) -> Section {
    let row = |it: &ParityRow| {
        let url = view.url(&format!("/changes/{}", escaped(&it.change)));
        let answer = |is: Option<bool>| match is {
            Some(true) => Cell::Mark(Tone::Ok.mark("Yes")),
            Some(false) => Cell::Mark(Tone::Stop.mark("No")),
            None => Cell::Short(String::new()),
        };
        vec![
            Cell::Text(Rich::new().link(it.change.as_str(), url)),
            answer(Some(it.facts)),
            answer(Some(it.evidence)),
            answer(Some(it.timeliness)),
            answer(it.outcomes),
        ]
    };
    let column = |measure_of: ParityMeasure| Column::new(measure(measure_of), Fold::Under).named();
    let mut columns = vec![Column::new("Change", Fold::Never)];
    columns.extend(ParityMeasure::ALL.iter().map(|it| column(*it)));
    let table = Table {
        caption: "Changes of the vendor".to_owned(),
        columns,
        rows: found.rows.iter().take(LISTED).map(row).collect(),
        ..Table::default()
    };
    Section::new("changes", "Changes of the vendor", SectionBody::Table(table)).unsaid("None in this time.")
}

fn measure(measure: ParityMeasure) -> &'static str {
    match measure {
        ParityMeasure::Facts => "Facts complete",
        ParityMeasure::Evidence => "Evidence attached",
        ParityMeasure::Timeliness => "In its times",
        ParityMeasure::Outcomes => "Succeeded",
    }
}

fn verdict(verdict: ParityVerdict) -> Mark {
    match verdict {
        ParityVerdict::Behind => Tone::Stop.mark("Behind"),
        ParityVerdict::Alike => Tone::Ok.mark("Alike"),
        ParityVerdict::Ahead => Tone::Ok.mark("Ahead"),
        ParityVerdict::NotEnough => Tone::Plain.mark("Too few changes"),
    }
}

/// `38 of 40: 95.0 % (83.5 to 98.6 %)`.
fn side(it: &Side) -> String {
    let counted = format!("{} of {}", count(it.hits), count(it.of));
    match it.estimate {
        Some(share) => format!(
            "{counted}: {} % ({} to {} %)",
            percent(share.value),
            percent(share.low),
            percent(share.high)
        ),
        None => counted,
    }
}
