//! One metric: its definition, its figure, and the rows that it is counted from.

use acts::report::find_ended::find_titles;
use acts::report::find_figures::{Explained, FoundFigure, RowOfFigure, explain_figure};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::report::definition::{Definition, Measure, Population};
use model::report::population::Dimension;
use pages::{ActForm, Cell, Column, Fact, Fold, Place, RecordPage, Rich, Section, SectionBody, Table, Tone, count};

use crate::http::state::AppState;
use crate::web::report::metric_parts::{approvers, by_week, groups, sensitivity, versions};
use crate::web::report::metric_words::{MetricPageQuery, basis, counted, narrowed, value, value_of};
use crate::web::report::success_rate::took;
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::capital;

/// The most rows that are shown.
const ROWS: usize = 500;

/// The page.
pub(crate) async fn show_metric(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let asked = MetricPageQuery(pairs);
    show(&state, &visitor, Place::Metrics, move |view| page(view, &id, &asked)).await
}

fn page(view: &mut View<'_, '_, '_>, id: &str, asked: &MetricPageQuery) -> acts::Result<String> {
    // The form splits by team by default, and so does the page.
    let asked = &match asked.get("by") {
        Some(_) => asked.clone(),
        None => asked.with(&[("by", "team")]),
    };
    let query = asked.read(view, id)?;
    let Explained {
        figure: found,
        rows,
        variants,
        since,
    } = explain_figure(view.cx, &query)?;
    let it = found.definition;
    let filter = ActForm {
        is_question: true,
        fields: asked.fields(view, also(it)),
        submit_label: Some("Show these".to_owned()),
        ..ActForm::new("filter", "Filter", view.url(&format!("/metrics/{id}")))
    };
    let (kept, out): (Vec<RowOfFigure>, Vec<RowOfFigure>) =
        rows.into_iter().partition(|row| matches!(row.counted, "hit" | "miss"));
    let mut sections = vec![Section::new(
        "definition",
        "Definition",
        SectionBody::Words(Rich::from(it.words.clone())),
    )];
    if !found.versions.is_empty() {
        sections.push(versions(view, &found));
    }
    match query.by {
        Some(Dimension::Approver) if it.id == "time_to_approve" => sections.push(approvers(view, asked, &found)),
        Some(by) => sections.push(groups(view, asked, (&found, by))),
        None => {}
    }
    if let Some(chart) = &found.shares {
        sections.push(by_week(view, &found, chart));
    }
    sections.push(sensitivity(it, &variants));
    sections.push(listed(
        view,
        ("rows", "Counted"),
        &kept,
        "No row is counted in this window.",
    )?);
    sections.push(listed(
        view,
        ("left-out", "Left out by rule"),
        &out,
        "No row is left out.",
    )?);
    let page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Metrics".to_owned(), asked.url_of_all(view))],
        title: it.title.clone(),
        byline: Rich::from(basis(it, &found.whole)),
        notices: since.map(|since| narrowed(view, since)).into_iter().collect(),
        acts: vec![filter],
        sections,
        facts: facts(view, &found),
        ..RecordPage::default()
    };
    Ok(page.render())
}

/// The dimensions that only some metrics have.
fn also(it: &Definition) -> &'static [(&'static str, &'static str)] {
    match (it.population, it.measure) {
        (Population::Rules, _) => &[
            ("stage", "Stage"),
            ("rule", "Rule"),
            ("group", "Group that is asked"),
            ("approver", "Approver"),
        ],
        (_, Measure::Emergency) => &[("cause", "Cause")],
        (_, Measure::Succeeded) => &[("root_cause", "Root cause")],
        _ => &[],
    }
}

fn facts(view: &View<'_, '_, '_>, found: &FoundFigure) -> Vec<Fact> {
    let (it, window) = (found.definition, found.window);
    let bands = it
        .bands
        .iter()
        .map(|band| format!("{} {}", band.level, value(it, band.limit)));
    let bands: Vec<String> = bands.collect();
    let mut facts = vec![
        Fact::new("Value", value_of(it, &found.whole)),
        Fact::new("From", view.reader.absolute(window.from)),
        Fact::new("To", view.reader.absolute(window.to)),
        Fact::new(
            "Version",
            Rich::new()
                .text(it.version.to_string())
                .line()
                .text(it.since.to_string()),
        ),
        Fact::new("Digest", Rich::new().digest(it.digest.as_str())),
        Fact::new("Needed for a value", count(it.minimum)),
        Fact::new("Better", capital(it.direction.as_str())),
        Fact::new("Source", Rich::new().said(it.source.as_str())),
    ];
    if !bands.is_empty() {
        facts.push(Fact::new("Levels", Rich::new().said(bands.join(", "))));
    }
    facts
}

fn listed(
    view: &mut View<'_, '_, '_>,
    (id, title): (&str, &str),
    rows: &[RowOfFigure],
    none: &str,
) -> acts::Result<Section> {
    let shown = &rows[..rows.len().min(ROWS)];
    let ids: Vec<String> = shown.iter().map(|row| row.change.clone()).collect();
    let titles = find_titles(view.cx, &ids)?;
    let row = |it: &RowOfFigure| {
        let place = match (it.service.is_empty(), it.rule.is_empty()) {
            (false, _) => format!("{}, {}", it.service, it.environment),
            (true, false) => it.rule.clone(),
            (true, true) => String::new(),
        };
        let tone = if it.counted == "hit" { Tone::Ok } else { Tone::Plain };
        vec![
            Cell::Title {
                text: titles.get(&it.change).cloned().unwrap_or_default(),
                href: view.change_url(&it.key),
                key: it.key.clone(),
                marks: Vec::new(),
                sub: Rich::new(),
            },
            Cell::said(place),
            Cell::Mark(tone.mark(counted(it.counted))),
            Cell::Short(view.reader.moment(it.at)),
            Cell::Short(it.minutes.map(took).unwrap_or_default()),
        ]
    };
    let table = Table {
        caption: title.to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("Where", Fold::Under),
            Column::new("How it counts", Fold::Under),
            Column::new("When", Fold::Under).named(),
            Column::new("Time", Fold::Under).named(),
        ],
        rows: shown.iter().map(row).collect(),
        ..Table::default()
    };
    let note = match rows.len() {
        all if all > ROWS => format!("the newest {ROWS} of {}", count(all as u64)),
        all => count(all as u64),
    };
    Ok(Section::new(id, title, SectionBody::Table(table))
        .note(note)
        .unsaid(none))
}
