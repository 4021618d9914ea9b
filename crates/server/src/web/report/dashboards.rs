//! Dashboards: tiles with charts and the tables behind them, each row with the page behind it; filters in the address; a mode for
//! screens on walls; live.

use acts::core::noun::PlainNoun;
use acts::report::find_changes::outcome_of_row;
use acts::report::find_tiles::{
    FoundTile, Narrow, TileRow, Wanted, find_changes_of_row, find_dashboard, find_tiles, read_narrow,
};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::compliance::control_report::ReportFormat;
use model::core::act::actions;
use model::report::dashboard::{DASHBOARDS, Source};
use model::report::saved_dashboard::{Dashboard, FILTERS};
use pages::{
    ActForm, ActTone, Cell, Chart, Column, Entry, Field, Figure, Fold, Place, Plot, RecordPage, Rich, Section,
    SectionBody, StackedBar, Table, Tone,
};
use store::{Lane, Mode};

use crate::api::report::dashboards::path_of;
use crate::compliance::download;
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::approval::decision_card::outcome_mark;
use crate::web::report::dashboard_pdf::dashboard_file;
use crate::web::report::metric_words::{NOTHING, basis, count_text, course, value_of};
use crate::web::report::success_rate::counted_from;
use crate::web::shared::view::{View, Visitor, problem, show};
use crate::web::shared::words::capital;

/// The pairs of an address.
type Pairs = Vec<(String, String)>;

fn query_value<'p>(pairs: &'p Pairs, name: &str) -> Option<&'p str> {
    let found = pairs.iter().find(|(field, _)| field == name);
    found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
}

/// The dashboards of the roles, and the saved ones.
pub(crate) async fn show_list(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Metrics, |view| {
        view.cx.allow(actions::READ)?;
        let role = |it: &model::report::dashboard::RoleDashboard| {
            let url = view.url(&format!("/dashboard/{}", it.key));
            Entry::new(Tone::Plain, Rich::new().link(it.title, url)).icon("chart")
        };
        let roles: Vec<Entry> = DASHBOARDS.iter().map(role).collect();
        let mut saved = Vec::new();
        for it in Dashboard::listed(view.cx)? {
            let url = view.url(&format!("/dashboard/{}", it.id));
            let link = Rich::new().said_link(it.title.as_str(), url);
            saved.push(Entry::new(Tone::Plain, link).icon("chart").why(view.person(&it.owner)));
        }
        let page = RecordPage {
            frame: view.frame.clone(),
            title: "Dashboards".to_owned(),
            byline: Rich::from("Each shows what you may read, and leads to the rows behind every number."),
            sections: vec![
                Section::new("roles", "By role", SectionBody::Entries(roles)),
                Section::new("saved", "Saved dashboards", SectionBody::Entries(saved)).unsaid("No dashboard is saved."),
            ],
            acts: vec![
                ActForm::link("Save a dashboard", view.url("/dashboards")),
                ActForm::link("Subscriptions by mail", view.url("/dashboard-subscriptions")).tone(ActTone::Quiet),
            ],
            ..RecordPage::default()
        };
        Ok(page.render())
    })
    .await
}

/// A dashboard.
pub(crate) async fn show_dashboard(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    Query(pairs): Query<Pairs>,
) -> Response {
    show(&state, &visitor, Place::Metrics, move |view| page(view, &id, &pairs)).await
}

/// A dashboard as a PDF.
pub(crate) async fn file(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    Query(pairs): Query<Pairs>,
) -> Response {
    let act = move |cx: &mut acts::Context<'_, '_>| dashboard_file(cx, &id, &pairs);
    match state.act(Lane::Pages, &visitor.caller, Mode::Read, act).await {
        Ok((name, bytes)) => download(&name, ReportFormat::Pdf, bytes),
        Err(failure) => problem(&state, &visitor, &failure, &format!("{}/dashboard", visitor.base())).await,
    }
}

fn page(view: &mut View<'_, '_, '_>, id: &str, pairs: &Pairs) -> acts::Result<String> {
    let wanted = find_dashboard(view.cx, id)?;
    let narrow = read_narrow(&view.directory, &wanted.narrow, |name| query_value(pairs, name))?;
    let tiles = find_tiles(view.cx, &wanted.tiles, &narrow)?;
    view.follow(None);
    view.frame.is_wall = query_value(pairs, "wall") == Some("on");
    let sections = tiles.iter().map(|tile| section(view, &wanted, &narrow, tile)).collect();
    let path = format!("/dashboard/{}", wanted.key);
    let page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Dashboards".to_owned(), view.url("/dashboard"))],
        title: wanted.title.clone(),
        is_said: wanted.is_said,
        byline: filter_text(&narrow),
        is_live: true,
        acts: vec![
            filter(view, &path, &narrow),
            ActForm::link(
                "For a screen on a wall",
                view.url(&with(&path, &narrow, &[("wall", "on")])),
            )
            .tone(ActTone::Quiet),
            ActForm::link("PDF", view.url(&with(&format!("{path}/dashboard.pdf"), &narrow, &[]))).tone(ActTone::Quiet),
            ActForm::link("All dashboards", view.url("/dashboard")).tone(ActTone::Quiet),
            ActForm::link("Save a dashboard", view.url("/dashboards")).tone(ActTone::Quiet),
        ],
        sections,
        ..RecordPage::default()
    };
    Ok(page.render())
}

/// The active filters as text.
fn filter_text(narrow: &Narrow) -> Rich {
    let mut rich = Rich::new();
    for (place, (name, value)) in narrow.iter().enumerate() {
        let label = capital(name);
        rich = match place {
            0 => rich.text(label),
            _ => rich.text(", ").text(label),
        };
        rich = rich.text(" ").said(value.as_str());
    }
    match narrow.is_empty() {
        true => Rich::from("Everything that you may read."),
        false => rich,
    }
}

/// An address with the filters and further pairs.
fn with(path: &str, narrow: &Narrow, more: &[(&str, &str)]) -> String {
    let own = narrow.iter().map(|(name, value)| (*name, value.as_str()));
    let pairs: Vec<String> = own
        .chain(more.iter().copied())
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    match pairs.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{}", pairs.join("&")),
    }
}

fn filter(view: &View<'_, '_, '_>, path: &str, narrow: &Narrow) -> ActForm {
    let value = |name: &str| {
        let found = narrow.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let kinds = [
        ("", "Any"),
        ("normal", "Normal"),
        ("standard", "Standard"),
        ("emergency", "Emergency"),
    ];
    let risks = [
        ("", "Any"),
        ("none", "None"),
        ("low", "Low"),
        ("medium", "Medium"),
        ("high", "High"),
    ];
    let fields = FILTERS.iter().map(|name| match *name {
        "kind" => Field::select("kind", "Kind", &kinds).value(value("kind")).half(),
        "risk" => Field::select("risk", "Risk", &risks).value(value("risk")).half(),
        name => Field::text(name, capital(name)).value(value(name)).half(),
    });
    ActForm {
        is_question: true,
        fields: fields.collect(),
        submit_label: Some("Show these".to_owned()),
        ..ActForm::new("filter", "Filter", view.url(path))
    }
}

fn section(view: &View<'_, '_, '_>, wanted: &Wanted, narrow: &Narrow, found: &FoundTile) -> Section {
    let tile = found.tile;
    let body = match (&found.figure, tile.source) {
        (Some(figure), Source::Metric(id)) => {
            let (value, of) = (
                value_of(figure.definition, &figure.whole),
                basis(figure.definition, &figure.whole),
            );
            let href = view.url(&with(&format!("/metrics/{id}"), narrow, &[]));
            let drawn = Figure {
                label: figure.definition.title.clone(),
                href: href.clone(),
                value: value.clone(),
                before: of.clone(),
                points: course(figure),
                unit: "week".to_owned(),
            };
            let row = vec![
                Cell::title(figure.definition.title.as_str(), href),
                Cell::text(value),
                Cell::text(of),
            ];
            SectionBody::Figures(vec![drawn], metric_table(tile.title, row))
        }
        _ => chart(view, wanted, narrow, found),
    };
    // The page of a metric has its definition; the tile of one needs no sentence beside its link.
    let lede = match tile.source {
        Source::Metric(_) => "",
        _ => tile.words,
    };
    let section = Section::new(tile.id, tile.title, body).lede(lede).unsaid(NOTHING);
    match (found.since, found.is_cut) {
        (Some(since), _) => section.note(counted_from(view, since)),
        (None, true) => section.note("only a part is shown"),
        (None, false) => section,
    }
}

fn metric_table(title: &str, row: Vec<Cell>) -> Table {
    Table {
        caption: title.to_owned(),
        columns: vec![
            Column::new("Figure", Fold::Never),
            Column::new("Value", Fold::Never),
            Column::new("Of how many, and how sure", Fold::Under),
        ],
        rows: vec![row],
        ..Table::default()
    }
}

/// The rows of a tile as bars, and the table behind them.
fn chart(view: &View<'_, '_, '_>, wanted: &Wanted, narrow: &Narrow, found: &FoundTile) -> SectionBody {
    let is_minutes = found.tile.source == Source::Bottleneck;
    let value = |row: &TileRow| count_text(found, row);
    let bars = found.rows.iter().map(|row| StackedBar {
        label: label(view, row),
        is_said: row.is_said,
        value: value(row),
        parts: vec![row.count],
    });
    let rows = found.rows.iter().map(|row| {
        let href = href(view, wanted, narrow, found, row);
        let title = match (row.is_said, href.is_empty()) {
            (true, _) => Cell::title(label(view, row), href),
            (false, true) => Cell::Name(label(view, row)),
            (false, false) => Cell::Text(Rich::new().link(label(view, row), href)),
        };
        let when = row
            .span
            .map(|(from, to)| view.reader.span(from, to))
            .unwrap_or_default();
        vec![title, Cell::Short(value(row)), Cell::text(when)]
    });
    let table = Table {
        caption: found.tile.title.to_owned(),
        columns: vec![
            Column::new("What", Fold::Never),
            Column::new(if is_minutes { "Time" } else { "Count" }, Fold::Never).number(),
            Column::new("When", Fold::Under),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    // A title of a freeze has no length that a bar could show.
    if found.tile.source == Source::Freezes || found.rows.is_empty() {
        return SectionBody::Table(table);
    }
    let chart = Chart {
        told: found.tile.title.to_owned(),
        drawing: Plot::Bars(bars.collect()),
    };
    SectionBody::Chart(Box::new(chart), table)
}

/// The label of a row for the reader: a week by its first day, a person by the name.
fn label(view: &View<'_, '_, '_>, row: &TileRow) -> String {
    match row.span {
        Some((from, _)) if !row.is_said => view.reader.day(from),
        _ if row.is_said && !row.changes.is_empty() => view.waits_on(&row.label),
        _ if row.is_said => row.label.clone(),
        _ => capital(&row.label.replace('_', " ")),
    }
}

/// The page behind a row.
fn href(view: &View<'_, '_, '_>, wanted: &Wanted, narrow: &Narrow, found: &FoundTile, row: &TileRow) -> String {
    let path = path_of(row);
    if !path.is_empty() {
        return view.url(&path);
    }
    let more = [("tile", found.tile.id), ("row", row.id.as_str())];
    view.url(&with(&format!("/dashboard/{}/rows", wanted.key), narrow, &more))
}

/// The changes behind a row that no list has.
pub(crate) async fn show_rows(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    Query(pairs): Query<Pairs>,
) -> Response {
    show(&state, &visitor, Place::Metrics, move |view| {
        rows_page(view, &id, &pairs)
    })
    .await
}

fn rows_page(view: &mut View<'_, '_, '_>, id: &str, pairs: &Pairs) -> acts::Result<String> {
    let wanted = find_dashboard(view.cx, id)?;
    let narrow = read_narrow(&view.directory, &wanted.narrow, |name| query_value(pairs, name))?;
    let (tile, row) = (
        query_value(pairs, "tile").unwrap_or_default(),
        query_value(pairs, "row").unwrap_or_default(),
    );
    let found = find_changes_of_row(view.cx, (tile, row), &narrow)?;
    let rows = found.iter().map(|row| {
        let link = Rich::new()
            .link(row.key.as_str(), view.change_url(&row.key))
            .text(" ")
            .said(row.title.as_str());
        vec![
            Cell::Text(link),
            match outcome_of_row(row) {
                Some(outcome) => Cell::Mark(outcome_mark(outcome)),
                None => Cell::text(capital(&row.state)),
            },
            Cell::text(capital(&row.risk)),
            Cell::Short(view.reader.moment(row.created_at)),
        ]
    });
    let table = Table {
        caption: "Changes".to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("State", Fold::Under),
            Column::new("Risk", Fold::Under),
            Column::new("Written", Fold::Under),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    let title = model::report::dashboard::tile_of(tile).map_or("Changes", |tile| tile.title);
    let page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![(
            wanted.title.clone(),
            view.url(&with(&format!("/dashboard/{}", wanted.key), &narrow, &[])),
        )],
        title: title.to_owned(),
        byline: Rich::new().said(view.waits_on(row)),
        sections: vec![
            Section::new("changes", "Changes", SectionBody::Table(table))
                .unsaid("No change is behind this row any more."),
        ],
        ..RecordPage::default()
    };
    Ok(page.render())
}
