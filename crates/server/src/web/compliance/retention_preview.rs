//! The dry run of the retention as a page.

use acts::compliance::preview_retention::{COUNTED, HeldByOrders, RetentionPreview, Tried, preview_retention};
use axum::extract::{Query, State};
use axum::response::Response;
use model::core::refusal::Refusal;
use pages::{ActForm, Cell, Column, Fact, Field, Fold, Place, RecordPage, Rich, Section, SectionBody, Table, count};

use crate::http::state::AppState;
use crate::web::change::change_query::Wanted;
use crate::web::shared::view::{View, Visitor, show};

/// The address of the page below the tenant's.
const HERE: &str = "/retention/preview";

/// The page.
pub(crate) async fn show_page(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let wanted = Wanted(pairs);
    show(&state, &visitor, Place::AuditLog, move |view| {
        let tried = Tried {
            changes_days: days(&wanted, "changes_days")?,
            deliveries_days: days(&wanted, "deliveries_days")?,
        };
        let found = preview_retention(view.cx, tried)?;
        Ok(page(view, tried, &found).render())
    })
    .await
}

fn days(wanted: &Wanted, name: &'static str) -> Result<Option<i64>, Refusal> {
    let said = wanted.get(name).map(str::trim).filter(|text| !text.is_empty());
    let wrong = |_| {
        Refusal::field(
            name,
            "not_a_number",
            format!("`{name}` is a number of days, such as 400."),
        )
    };
    said.map(|text| text.parse().map_err(wrong)).transpose()
}

fn page(view: &View<'_, '_, '_>, tried: Tried, found: &RetentionPreview) -> RecordPage {
    let days = |name: &'static str, label: &'static str, days: Option<i64>| {
        let value = days.map(|days| days.to_string()).unwrap_or_default();
        Field::text(name, label).value(value).half()
    };
    let form = ActForm::new("try", "Try other days", view.url(HERE))
        .question()
        .field(days(
            "changes_days",
            "Days after a change has ended",
            tried.changes_days,
        ))
        .field(days(
            "deliveries_days",
            "Days for raw deliveries",
            tried.deliveries_days,
        ))
        .submit("Try");
    RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Audit log".to_owned(), view.url("/audit"))],
        title: "Dry run of the retention".to_owned(),
        byline: Rich::from("Texts that retention would erase now, and texts that a hold keeps. Nothing is erased."),
        acts: vec![form],
        facts: facts(found),
        sections: vec![goes(view, found), held(view, found)],
        ..RecordPage::default()
    }
}

fn facts(found: &RetentionPreview) -> Vec<Fact> {
    let span =
        |days: Option<i64>| Rich::from(days.map_or_else(|| "for ever".to_owned(), |days| format!("{days} days")));
    let number = |number: i64| {
        let text = count(number.max(0).unsigned_abs());
        Rich::from(if number >= COUNTED {
            format!("at least {text}")
        } else {
            text
        })
    };
    let rules = match found.rules.is_empty() {
        true => Rich::from("none"),
        false => Rich::new().code(found.rules.join(", ")),
    };
    vec![
        Fact::new("Changes are kept", span(found.retention.changes_days)),
        Fact::new("Deliveries are kept", span(found.retention.deliveries_days)),
        Fact::new("Retention rules that are on", rules),
        Fact::new("Deliveries that would be erased", number(found.deliveries)),
        Fact::new("Deliveries that holds keep", number(found.deliveries_held)),
        Fact::new("Changes for the archive", number(found.to_archive)),
    ]
}

fn goes(view: &View<'_, '_, '_>, found: &RetentionPreview) -> Section {
    let row = |key: &String| vec![Cell::Text(Rich::new().said_link(key.as_str(), view.change_url(key)))];
    let table = Table {
        caption: "Changes whose texts and files would be erased".to_owned(),
        columns: vec![Column::new("Change", Fold::Never)],
        rows: found.changes.iter().map(row).collect(),
        ..Table::default()
    };
    let section = Section::new(
        "goes",
        "Changes whose texts and files would be erased",
        SectionBody::Table(table),
    );
    match found.is_more {
        true => section.lede("More changes are due than were checked."),
        false => section
            .lede("These are all that are due.")
            .unsaid("No change is due to lose its texts."),
    }
}

fn held(view: &View<'_, '_, '_>, found: &RetentionPreview) -> Section {
    let row = |it: &HeldByOrders| {
        vec![
            Cell::Text(Rich::new().said_link(it.change.as_str(), view.change_url(&it.change))),
            Cell::said(it.orders.join(" ")),
        ]
    };
    let table = Table {
        caption: "Changes that hold orders keep".to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("Hold orders", Fold::Under),
        ],
        rows: found.held.iter().map(row).collect(),
        ..Table::default()
    };
    Section::new("held", "Changes that hold orders keep", SectionBody::Table(table))
        .unsaid("No hold order keeps a change that is due.")
}
