//! The changes behind a figure of a control report, each with the way to its page and to its proof.

use acts::compliance::report_controls::{ReportRows, Which, report_rows};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::compliance::control_report::rows::ReportRow;
use model::compliance::framework::framework;
use pages::{Cell, Column, Fact, Fold, Place, RecordPage, Rich, Section, SectionBody, Table, count};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::change::change_query::Wanted;
use crate::web::compliance::control_reports::read_query;
use crate::web::shared::view::{View, Visitor, show};

/// The most changes that the page shows; the API has all.
const SHOWN: usize = 1_000;

/// The page.
pub(crate) async fn show_rows(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, framework)): Path<(String, String)>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let wanted = Wanted(pairs);
    show(&state, &visitor, Place::AuditLog, move |view| {
        let asked = read_query(view, &wanted)?;
        let which = Which {
            figure: wanted.get("figure"),
            rule: wanted.get("rule"),
        };
        let found = report_rows(view.cx, &framework, &which, &asked)?;
        Ok(page(view, &framework, &which, &found).render())
    })
    .await
}

fn page(view: &View<'_, '_, '_>, id: &str, which: &Which<'_>, found: &ReportRows) -> RecordPage {
    let (from, to) = found.span;
    let span = format!(
        "from={}&to={}&size={}",
        escaped(&from.to_string()),
        escaped(&to.to_string()),
        found.size
    );
    let report = view.url(&format!("/audit/reports/{}?{span}", escaped(id)));
    let title = framework(id).map_or(id, |it| it.title);
    let whole = found.rows.len();
    let byline = match whole > SHOWN {
        true => format!("The first {} of {} changes.", count(SHOWN as u64), count(whole as u64)),
        false => format!("{} changes.", count(whole as u64)),
    };
    RecordPage {
        frame: view.frame.clone(),
        crumb: vec![
            ("Audit log".to_owned(), view.url("/audit")),
            ("Control reports".to_owned(), view.url("/audit/reports")),
            (title.to_owned(), report),
        ],
        title: "Changes behind the figure".to_owned(),
        byline: Rich::from(byline),
        facts: vec![
            Fact::new(
                "Figure",
                Rich::new().code(which.figure.or(which.rule).unwrap_or_default()),
            ),
            Fact::new("From", Rich::from(view.reader.moment(from))),
            Fact::new("To", Rich::from(view.reader.moment(to))),
            Fact::new("Size of the log", Rich::from(count(found.size))),
        ],
        sections: vec![Section::new(
            "changes",
            "Changes",
            SectionBody::Table(table(view, found)),
        )],
        ..RecordPage::default()
    }
}

fn table(view: &View<'_, '_, '_>, found: &ReportRows) -> Table {
    let row = |it: &ReportRow| {
        let verify = view.url(&format!("/audit/verify/{}", escaped(&it.change)));
        vec![
            Cell::Text(Rich::new().said_link(it.change.as_str(), view.change_url(&it.change))),
            Cell::said(it.kind.as_str()),
            Cell::said(it.risk.as_str()),
            Cell::said(it.services.join(", ")),
            Cell::Short(it.started_at.map(|at| view.reader.moment(at)).unwrap_or_default()),
            Cell::said(it.exception.as_deref().unwrap_or_default()),
            Cell::Text(Rich::new().link(format!("Verify {}", it.change), verify)),
        ]
    };
    Table {
        caption: "Changes".to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("Kind", Fold::Under),
            Column::new("Risk", Fold::Under),
            Column::new("Services", Fold::Under),
            Column::new("Work began", Fold::Under).named(),
            Column::new("Exception", Fold::Under),
            Column::new("Bundle", Fold::Under),
        ],
        rows: found.rows.iter().take(SHOWN).map(row).collect(),
        ..Table::default()
    }
}
