//! The board pack of a month as a page, made to be printed. Each figure and each list opens the rows that it is counted from.

use acts::cab::board_pack::{BoardPack, EMERGENCIES, FAILURES, PackFigure, Reviewed, Upcoming, find_pack};
use acts::report::find_ended::find_titles;
use acts::report::find_figures::RowOfFigure;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::SignedDuration;
use model::cab::agenda::month_before;
use model::cab::agenda_item::ItemOutcome;
use model::compliance::control_report::ReportFormat;
use pages::{ActForm, ActTone, Cell, Column, Fact, Fold, Place, RecordPage, Rich, Section, SectionBody, Table, count};
use store::{Lane, Mode};

use crate::compliance::download;
use crate::http::state::AppState;
use crate::web::cab::meeting_parts::outcome_cell;
use crate::web::cab::pack_pdf::month_file;
use crate::web::report::metric_words::{basis, value_of};
use crate::web::shared::view::{View, Visitor, problem, show};

/// The pack.
pub(crate) async fn show_pack(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, month)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Metrics, move |view| page(view, &month)).await
}

/// The pack as a PDF.
pub(crate) async fn file(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, month)): Path<(String, String)>,
) -> Response {
    let act = move |cx: &mut acts::Context<'_, '_>| month_file(cx, &month);
    match state.act(Lane::Pages, &visitor.caller, Mode::Read, act).await {
        Ok((name, bytes)) => download(&name, ReportFormat::Pdf, bytes),
        Err(failure) => problem(&state, &visitor, &failure, &format!("{}/boards", visitor.base())).await,
    }
}

fn page(view: &mut View<'_, '_, '_>, month: &str) -> acts::Result<String> {
    let pack = find_pack(view.cx, month)?;
    let before = month_before(pack.from);
    let after = pack
        .to
        .checked_add(SignedDuration::from_hours(24 * 32))
        .map(month_before);
    let mut moves = vec![ActForm::link(
        "The month before",
        view.url(&format!("/board-packs/{before}")),
    )];
    if let Some(after) = after.ok().filter(|_| pack.to <= view.now()) {
        moves.push(ActForm::link(
            "The month after",
            view.url(&format!("/board-packs/{after}")),
        ));
    }
    let file = view.url(&format!("/board-packs/{}/pack.pdf", pack.month));
    moves.push(ActForm::link("PDF", file).tone(ActTone::Quiet));
    let failures = rows_section(
        view,
        ("failures", "Failures", "No deployment failed."),
        (&pack, FAILURES),
        &pack.failures,
    )?;
    let emergencies = rows_section(
        view,
        ("emergencies", "Emergencies", "There was no emergency."),
        (&pack, EMERGENCIES),
        &pack.emergencies,
    )?;
    let page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Boards".to_owned(), view.url("/boards"))],
        key: pack.month.clone(),
        title: "Board pack".to_owned(),
        byline: Rich::from("Figures of the month in UTC. Each figure links to the rows behind it."),
        acts: moves,
        facts: vec![
            Fact::new("From", view.reader.absolute(pack.from)),
            Fact::new("To", view.reader.absolute(pack.to)),
            Fact::new("Digest", Rich::new().digest(pack.digest())),
        ],
        sections: vec![
            figure_section(view, &pack),
            failures,
            emergencies,
            review_section(view, &pack),
            upcoming_section(view, &pack.upcoming),
        ],
        ..RecordPage::default()
    };
    Ok(page.render())
}

fn figure_section(view: &View<'_, '_, '_>, pack: &BoardPack) -> Section {
    let row = |it: &PackFigure| {
        vec![
            Cell::Told {
                text: it.definition.title.clone(),
                href: view.url(&pack.rows_path(&it.definition.id)),
                sub: Rich::new(),
            },
            Cell::Short(value_of(it.definition, &it.figure)),
            Cell::Text(Rich::from(basis(it.definition, &it.figure))),
        ]
    };
    let table = Table {
        caption: "Figures of the month".to_owned(),
        columns: vec![
            Column::new("Metric", Fold::Never),
            Column::new("Value", Fold::Never),
            Column::new("Counted from", Fold::Under).named(),
        ],
        rows: pack.figures.iter().map(row).collect(),
        ..Table::default()
    };
    Section::new("figures", "Figures", SectionBody::Table(table))
}

fn rows_section(
    view: &mut View<'_, '_, '_>,
    (id, title, none): (&str, &str, &str),
    (pack, metric): (&BoardPack, &str),
    rows: &[RowOfFigure],
) -> acts::Result<Section> {
    let ids: Vec<String> = rows.iter().map(|row| row.change.clone()).collect();
    let titles = find_titles(view.cx, &ids)?;
    let row = |it: &RowOfFigure| {
        let place = match it.service.is_empty() {
            true => String::new(),
            false => format!("{}, {}", it.service, it.environment),
        };
        vec![
            Cell::Title {
                text: titles.get(&it.change).cloned().unwrap_or_default(),
                href: view.change_url(&it.key),
                key: it.key.clone(),
                marks: Vec::new(),
                sub: Rich::new(),
            },
            Cell::said(place),
            Cell::Short(view.reader.moment(it.at)),
        ]
    };
    let table = Table {
        caption: title.to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("Where", Fold::Under).named(),
            Column::new("When", Fold::Under).named(),
        ],
        rows: rows.iter().map(row).collect(),
        ..Table::default()
    };
    let all = view.url(&pack.rows_path(metric));
    Ok(Section::new(id, title, SectionBody::Table(table))
        .note(Rich::new().link("All rows", all))
        .unsaid(none))
}

fn review_section(view: &View<'_, '_, '_>, pack: &BoardPack) -> Section {
    let row = |it: &Reviewed| {
        vec![
            Cell::Text(Rich::new().link(it.item.change_key.as_str(), view.change_url(&it.item.change_key))),
            outcome_cell(it.item.outcome.unwrap_or(ItemOutcome::Deferred)),
            Cell::Short(format!("{}, {}", it.item.yes, it.item.no)),
            Cell::Text(Rich::new().link("Minutes", view.url(&format!("/meetings/{}", it.meeting)))),
        ]
    };
    let table = Table {
        caption: "What boards decided".to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("Decision", Fold::Never),
            Column::new("For, against", Fold::Under).named(),
            Column::new("Meeting", Fold::Under).named(),
        ],
        rows: pack.reviewed.iter().map(row).collect(),
        ..Table::default()
    };
    let note = format!(
        "{} of {} decisions changed something",
        count(pack.changed() as u64),
        count(pack.reviewed.len() as u64)
    );
    Section::new("reviews", "Effect of board reviews", SectionBody::Table(table))
        .note(note)
        .lede("Conditions, returns and rejections of the meetings whose minutes are signed.")
        .unsaid("No minutes of this month are signed.")
}

fn upcoming_section(view: &View<'_, '_, '_>, upcoming: &[Upcoming]) -> Section {
    let row = |it: &Upcoming| {
        vec![
            Cell::Title {
                text: it.title.clone(),
                href: view.change_url(&it.key),
                key: it.key.clone(),
                marks: Vec::new(),
                sub: Rich::new(),
            },
            Cell::Short(view.reader.moment(it.starts_at)),
        ]
    };
    let table = Table {
        caption: "High-risk changes ahead".to_owned(),
        columns: vec![Column::new("Change", Fold::Never), Column::new("Planned", Fold::Never)],
        rows: upcoming.iter().map(row).collect(),
        ..Table::default()
    };
    Section::new("upcoming", "High-risk changes ahead", SectionBody::Table(table))
        .lede("Planned for the next 31 days.")
        .unsaid("No change of high risk is planned for the next 31 days.")
}
