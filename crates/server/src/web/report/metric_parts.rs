//! Parts of the pages of metrics: versions of a definition, the inputs of a figure, times by approver, and the map of paths.

use acts::report::export_event_log::find_process_map;
use acts::report::find_figures::{FoundFigure, VersionFigure};
use acts::report::metric_query::FIELDS;
use axum::extract::{Query, State};
use axum::response::Response;
use model::report::definition::Definition;
use model::report::figure::Figure;
use model::report::population::Dimension;
use model::report::process_map::{MapPath, ProcessMap};
use model::report::sensitivity::{Variant, Varied};
use model::report::share_chart::{FEWEST_WEEKS, ShareChart, ShareWeek};
use pages::{
    ActForm, Cell, Chart, Column, Fold, MoveLine, Place, Plot, RecordPage, Rich, Section, SectionBody, SeriesPoint,
    StepMark, Table, count,
};

use crate::api::report::metrics::week_start;
use crate::http::state::AppState;
use crate::web::report::metric_words::{MetricPageQuery, basis, by_dimension, share, value_of};
use crate::web::report::success_rate::took;
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::capital;

/// The most groups that are listed.
const MOST_GROUPS: usize = 200;
/// The most approvers that are listed.
const MOST_APPROVERS: usize = 200;

/// The figure of each version of the definition, where it changed within the window.
pub(super) fn versions(view: &View<'_, '_, '_>, found: &FoundFigure) -> Section {
    let row = |it: &VersionFigure| {
        vec![
            Cell::Name(it.definition.version.to_string()),
            Cell::Short(view.reader.absolute(it.window.from)),
            Cell::Short(view.reader.absolute(it.window.to)),
            Cell::text(value_of(it.definition, &it.figure)),
            Cell::text(basis(it.definition, &it.figure)),
            Cell::Text(Rich::new().digest(it.definition.digest.as_str())),
        ]
    };
    let table = Table {
        caption: "By version of the definition".to_owned(),
        columns: vec![
            Column::new("Version", Fold::Never),
            Column::new("From", Fold::Under).named(),
            Column::new("To", Fold::Under).named(),
            Column::new("Value", Fold::Never),
            Column::new("Of how many, and how sure", Fold::Under),
            Column::new("Digest", Fold::Under).named(),
        ],
        rows: found.versions.iter().map(row).collect(),
        ..Table::default()
    };
    Section::new("versions", "By version of the definition", SectionBody::Table(table))
        .lede("The definition changed within this window. The figure above follows the newest version.")
}

/// The sensitivity of a figure to its window and to the definition of a failure.
pub(super) fn sensitivity(definition: &Definition, found: &[Variant]) -> Section {
    let row = |it: &Variant| {
        let mark = if it.is_defined { "as defined" } else { "" };
        vec![
            Cell::Name(varied(it.varied)),
            Cell::text(value_of(definition, &it.figure)),
            Cell::text(basis(definition, &it.figure)),
            Cell::text(mark),
        ]
    };
    let table = Table {
        caption: "What the figure depends on".to_owned(),
        columns: vec![
            Column::new("Varied", Fold::Never),
            Column::new("Value", Fold::Never),
            Column::new("Of how many, and how sure", Fold::Under),
            Column::new("Note", Fold::Under),
        ],
        rows: found.iter().map(row).collect(),
        ..Table::default()
    };
    Section::new("sensitivity", "What the figure depends on", SectionBody::Table(table))
        .lede("Each line is varied alone; everything else stays as defined.")
        .unsaid("Twice this window holds too many changes to vary it.")
}

fn varied(it: Varied) -> String {
    match it {
        Varied::WindowDays(days) => format!("Window of {} days", count(days.unsigned_abs())),
        Varied::ReturnDays(1) => "A return within a day fails a deployment".to_owned(),
        Varied::ReturnDays(days) => format!("A return within {} days fails a deployment", count(days.unsigned_abs())),
        Varied::UpToSeverity(severity) => format!("Only incidents up to severity {severity} make a failure"),
    }
}

/// A share by week, with the limits of a p′ chart, and in the table beside them those of a p chart.
pub(super) fn by_week(view: &View<'_, '_, '_>, found: &FoundFigure, chart: &ShareChart) -> Section {
    let day = |week: usize| {
        let at = week_start(found.window.from, week);
        view.reader.date(view.reader.local(at).date())
    };
    // The chart counts in thousandths, here of a percent.
    let points = chart.weeks.iter().map(|week| SeriesPoint {
        value: week.value.unwrap_or_default() / 10,
        limit: week.limits.map(|(_, high)| high / 10),
        is_out: week.is_out,
    });
    let between = |limits: Option<(i64, i64)>| {
        limits.map_or_else(String::new, |(low, high)| format!("{} to {}", share(low), share(high)))
    };
    let row = |(at, week): (usize, &ShareWeek)| {
        let note = match (week.is_out, week.is_out_of_plain) {
            (true, _) => "outside of the limits",
            (false, true) => "outside of the p chart alone",
            (false, false) => "",
        };
        vec![
            Cell::Name(day(at)),
            Cell::Short(week.value.map(share).unwrap_or_default()),
            Cell::text(format!("{} of {}", count(week.hits.into()), count(week.of.into()))),
            Cell::Short(between(week.limits)),
            Cell::Short(between(week.plain)),
            Cell::text(note),
        ]
    };
    let table = Table {
        caption: "By week".to_owned(),
        columns: vec![
            Column::new("Week from", Fold::Never),
            Column::new("Share", Fold::Never).number(),
            Column::new("Of how many", Fold::Under),
            Column::new("Limits, p′ chart", Fold::Under).named(),
            Column::new("Limits, p chart", Fold::Under).named(),
            Column::new("Note", Fold::Under),
        ],
        rows: chart.weeks.iter().enumerate().rev().map(row).collect(),
        ..Table::default()
    };
    let lede = match chart.spread_milli {
        Some(spread) => format!(
            "Neighbouring weeks differ {}.{} times as much as by chance, and the limits allow for that (Laney’s p′ chart, 2002).",
            spread / 1_000,
            spread % 1_000 / 100
        ),
        None => format!(
            "Limits need {FEWEST_WEEKS} weeks in which anything was counted, hits and misses; this window has {}.",
            chart.counted()
        ),
    };
    let last = chart.weeks.len().saturating_sub(1);
    let drawn = Chart {
        told: "The share by week, the oldest first, with the upper limit".to_owned(),
        drawing: Plot::Series(points.collect(), day(0), day(last)),
    };
    let body = SectionBody::Chart(Box::new(drawn), table);
    Section::new("weeks", "By week", body)
        .lede(lede)
        .unsaid("The window has no whole week.")
}

/// The figure of each group; a group of a dimension that narrows leads to its rows.
pub(super) fn groups(
    view: &View<'_, '_, '_>,
    asked: &MetricPageQuery,
    (found, by): (&FoundFigure, Dimension),
) -> Section {
    let (it, word) = (found.definition, by.as_str());
    let row = |(name, figure): (&String, &Figure)| {
        let rows = asked.with(&[("by", ""), (word, name)]);
        let group = match FIELDS.contains(&word) {
            true => Cell::title(name.as_str(), rows.url(view, &format!("/metrics/{}", it.id))),
            false => Cell::said(name.as_str()),
        };
        vec![group, Cell::text(value_of(it, figure)), Cell::text(basis(it, figure))]
    };
    let table = Table {
        caption: "Figures by group".to_owned(),
        columns: vec![
            Column::new("Group", Fold::Never),
            Column::new("Value", Fold::Never),
            Column::new("Of how many, and how sure", Fold::Under),
        ],
        rows: found.groups.iter().take(MOST_GROUPS).map(row).collect(),
        ..Table::default()
    };
    let all = found.groups.len();
    let note = match all > MOST_GROUPS {
        true => format!("the first {MOST_GROUPS} of {}", count(all as u64)),
        false => count(all as u64),
    };
    let lede = match (&found.bottleneck, by) {
        (Some((rule, part)), Dimension::Rule) => format!("The rule {rule} takes most of the time: {}.", share(*part)),
        (Some((group, part)), Dimension::Group) => {
            format!("The group {group} takes most of the time: {}.", share(*part))
        }
        _ => String::new(),
    };
    Section::new("groups", by_dimension(word), SectionBody::Table(table))
        .lede(lede)
        .note(note)
        .unsaid("No row in this window names one.")
}

/// Times to approve by approver: the reader's own, and those of all for change managers.
pub(super) fn approvers(view: &View<'_, '_, '_>, asked: &MetricPageQuery, found: &FoundFigure) -> Section {
    let it = found.definition;
    let row = |(login, figure): (&String, &Figure)| {
        let part = |at: usize| figure.parts.map(|parts| took(parts[at])).unwrap_or_default();
        let rows = asked.with(&[("by", ""), ("approver", login)]);
        vec![
            Cell::title(view.waits_on(login), rows.url(view, "/metrics/time_to_approve")),
            Cell::text(value_of(it, figure)),
            Cell::Short(part(0)),
            Cell::Short(part(1)),
            Cell::Short(figure.p90.map(took).unwrap_or_default()),
            Cell::Short(count(figure.of)),
        ]
    };
    let table = Table {
        caption: "Time to approve by approver".to_owned(),
        columns: vec![
            Column::new("Approver", Fold::Never),
            Column::new("Median", Fold::Never).named(),
            Column::new("Queue", Fold::Under).named(),
            Column::new("Touch", Fold::Under).named(),
            Column::new("9 of 10 within", Fold::Under).named(),
            Column::new("Approvals", Fold::Under).number(),
        ],
        rows: found.groups.iter().take(MOST_APPROVERS).map(row).collect(),
        ..Table::default()
    };
    Section::new("approvers", "Time to approve by approver", SectionBody::Table(table))
        .lede("You see your own times; change managers see those of all approvers.")
        .unsaid("None of your decisions met a rule in this window.")
}

/// The page of the paths that changes took.
pub(crate) async fn show_process_map(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let asked = MetricPageQuery(pairs);
    show(&state, &visitor, Place::Metrics, move |view| page(view, &asked)).await
}

fn page(view: &mut View<'_, '_, '_>, asked: &MetricPageQuery) -> acts::Result<String> {
    let query = asked.read(view, "written_to_done")?;
    let (map, created) = find_process_map(view.cx, query.window, &query.filter)?;
    let filter = ActForm {
        is_question: true,
        fields: asked.fields(view, &[]),
        submit_label: Some("Show these".to_owned()),
        ..ActForm::new("filter", "Filter", view.url("/metrics/process-map"))
    };
    let page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Metrics".to_owned(), asked.url_of_all(view))],
        title: "Paths of changes".to_owned(),
        byline: Rich::from(format!(
            "{} of {} changes that were created in the window, the newest 2,000 at most.",
            count(map.changes),
            count(created)
        )),
        acts: vec![filter],
        sections: vec![moves(&map), paths(view, &map)],
        ..RecordPage::default()
    };
    Ok(page.render())
}

fn moves(map: &ProcessMap) -> Section {
    let place = |step: &str| map.steps.iter().position(|it| it.step == step);
    let marks = map.steps.iter().map(|it| StepMark {
        label: capital(it.step),
        value: count(it.changes),
    });
    let lines = map.moves.iter().filter_map(|it| {
        Some(MoveLine {
            from: place(it.from)?,
            to: place(it.to)?,
            count: it.count,
        })
    });
    let chart = Chart {
        told: "Steps of the lifecycle and the moves between them; dashed lines lead back".to_owned(),
        drawing: Plot::Steps(marks.collect(), lines.collect()),
    };
    let rows = map.moves.iter().map(|it| {
        vec![
            Cell::Name(capital(it.from)),
            Cell::text(capital(it.to)),
            Cell::Short(count(it.count)),
            Cell::Short(took(it.median)),
        ]
    });
    let table = Table {
        caption: "Moves between steps".to_owned(),
        columns: vec![
            Column::new("From", Fold::Never),
            Column::new("To", Fold::Never),
            Column::new("How often", Fold::Never).number(),
            Column::new("Median", Fold::Under).named(),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    let body = SectionBody::Chart(Box::new(chart), table);
    Section::new("moves", "Moves between steps", body).unsaid("No change was created in this window.")
}

fn paths(view: &View<'_, '_, '_>, map: &ProcessMap) -> Section {
    let row = |it: &MapPath| {
        let mut steps = Rich::new();
        for (place, step) in it.steps.iter().enumerate() {
            if place > 0 {
                steps = steps.text(" ").said("→").text(" ");
            }
            steps = steps.text(capital(step));
        }
        let mut examples = Rich::new();
        for key in &it.keys {
            examples = examples.said_link(key.as_str(), view.change_url(key)).text(" ");
        }
        vec![Cell::Text(steps), Cell::Short(count(it.changes)), Cell::Text(examples)]
    };
    let table = Table {
        caption: "Paths".to_owned(),
        columns: vec![
            Column::new("Steps", Fold::Never),
            Column::new("Changes", Fold::Never).number(),
            Column::new("For example", Fold::Under),
        ],
        rows: map.paths.iter().map(row).collect(),
        ..Table::default()
    };
    let note = match map.other {
        0 => String::new(),
        other => format!("{} changes took other paths", count(other)),
    };
    Section::new("paths", "Paths", SectionBody::Table(table))
        .note(note)
        .unsaid("No change was created in this window.")
}
