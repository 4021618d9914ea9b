//! The page of the metrics: figures with intervals, groups, charts with their tables, and the exclusions by rules.

use std::collections::BTreeMap;

use acts::core::noun;
use acts::report::find_figures::{
    FoundFigure, MOST_CHANGES, Ordered, Rows, figure_of, kind_of, load_newest, load_of_kind,
};
use acts::report::metric_query::MetricQuery;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use model::report::change_outcome::ASSESSMENT;
use model::report::control_chart;
use model::report::definition::{self, Exclusion};
use model::report::evaluate::Window;
use model::report::figure::Figure as RowFigure;
use model::report::statistics::FEWEST_PAIRS;
use model::risk::cause::Cause;
use pages::{
    ActForm, Cell, Chart, Column, Dot, Figure, Fold, Notice, Place, Plot, RecordPage, Rich, Section, SectionBody,
    SeriesPoint, StackedBar, Table, Tone, count,
};
use store::{Lane, Mode};

use crate::api::report::metrics::week_start;
use crate::http::failure::Failure;
use crate::http::state::AppState;
use crate::web::report::metric_parts::approvers;
use crate::web::report::metric_words::{
    MetricPageQuery, basis, by_dimension, course, exclusion, interval, narrowed, share, value, value_of,
};
use crate::web::report::success_rate::took;
use crate::web::shared::view::{View, Visitor, problem, show};
use crate::web::shared::words::capital;

/// The metrics that are shown as figures, in their order: all but those that have a section of their own.
const FIGURES: [&str; 8] = [
    "success_share",
    "deployment_frequency",
    "lead_time",
    "change_failure_rate",
    "recovery_time",
    "rework_rate",
    "written_to_done",
    "emergency_share",
];
/// The most groups of a table or of a chart.
const MOST_GROUPS: usize = 50;

/// The page.
pub(crate) async fn show_metrics(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let asked = MetricPageQuery(pairs);
    show(&state, &visitor, Place::Metrics, move |view| page(view, &asked)).await
}

/// The rows of all metrics of the page, loaded once.
struct Rowset {
    rows: Rows,
    /// From when on they suffice, where the windows hold more changes than figures are computed from.
    since: Option<Timestamp>,
    /// The rows of the volume by week then, which needs its whole window.
    volume: Option<Rows>,
}

fn load(view: &mut View<'_, '_, '_>, asked: &MetricPageQuery) -> acts::Result<Rowset> {
    let (mut wide, mut volume) = (None::<Window>, None);
    for it in definition::all() {
        let window = asked.read(view, &it.id)?.window;
        let known = wide.unwrap_or(window);
        wide = Some(Window {
            from: known.from.min(window.from),
            to: known.to.max(window.to),
        });
        volume = volume.or(kind_of(it).map(|kind| (window, kind)));
    }
    let (rows, since) = match wide {
        Some(window) => load_newest(view.cx, window, MOST_CHANGES)?,
        None => (Rows::default(), None),
    };
    let volume = match volume {
        Some((window, kind)) if since.is_some() => Some(load_of_kind(view.cx, window, kind)?),
        _ => None,
    };
    Ok(Rowset { rows, since, volume })
}

/// The figures of a page, from rows that were loaded once.
struct Loaded<'r> {
    rows: Ordered<'r>,
    since: Option<Timestamp>,
    volume: Option<Ordered<'r>>,
    asked: MetricPageQuery,
}

impl Loaded<'_> {
    fn figure(&self, view: &mut View<'_, '_, '_>, id: &str, by: &str) -> acts::Result<(MetricQuery, FoundFigure)> {
        let mut query = self.asked.with(&[("by", by)]).read(view, id)?;
        let (rows, since) = match (kind_of(query.definition), &self.volume) {
            (Some(_), Some(rows)) => (rows, None),
            _ => (&self.rows, self.since),
        };
        query.window = query.window.from_on(since);
        let found = figure_of(view.cx, &query, rows)?;
        Ok((query, found))
    }
}

fn page(view: &mut View<'_, '_, '_>, asked: &MetricPageQuery) -> acts::Result<String> {
    let rowset = load(view, asked)?;
    let loaded = Loaded {
        rows: Ordered::of(&rowset.rows),
        since: rowset.since,
        volume: rowset.volume.as_ref().map(Ordered::of),
        asked: asked.clone(),
    };
    let by = asked.get("by").unwrap_or("team").to_owned();
    let (figures, excluded) = figures(view, &loaded)?;
    let mut sections = vec![
        figures,
        groups(view, &loaded, &by)?,
        against(view, &loaded, &by)?,
        approvals(view, &loaded)?,
        by_approver(view, &loaded)?,
        emergencies(view, &loaded)?,
        causes(view, &loaded)?,
        root_causes(view, &loaded)?,
        left_out(&excluded),
    ];
    sections.retain(|section| !section.is_empty() || !section.unsaid.is_empty());
    let query = asked.read(view, "change_failure_rate")?;
    let filter = ActForm {
        is_question: true,
        fields: asked.fields(view, &[]),
        submit_label: Some("Show these".to_owned()),
        ..ActForm::new("filter", "Filter", view.url("/metrics"))
    };
    let file = |name: &str| asked.url(view, &format!("/metrics/event-log.{name}"));
    let cut = rowset.since.filter(|since| query.window.from < *since);
    let notices = behind(&rowset.rows)
        .into_iter()
        .chain(cut.map(|since| narrowed(view, since)));
    let page = RecordPage {
        frame: view.frame.clone(),
        title: "Metrics".to_owned(),
        byline: Rich::new()
            .text("From ")
            .text(view.reader.absolute(query.window.from))
            .text(" to ")
            .text(view.reader.absolute(query.window.to)),
        notices: notices.collect(),
        acts: vec![
            filter,
            ActForm::link("Dashboards", view.url("/dashboard")),
            ActForm::link("Paths of changes", asked.url(view, "/metrics/process-map")),
            ActForm::link("Budgets of waiting time", view.url("/wait-budgets")),
            ActForm::link("Event log as XES", file("xes")),
            ActForm::link("Event log as CSV", file("csv")),
        ],
        sections,
        ..RecordPage::default()
    };
    Ok(page.render())
}

/// The notice that the rows are behind the log.
pub(crate) fn behind(rows: &Rows) -> Option<Notice> {
    let missing = rows.log_size - rows.position;
    let text = format!(
        "{} entries of the log are not counted yet. Load the page again in a moment.",
        count(missing.unsigned_abs())
    );
    (missing > 0).then(|| Notice::new(Tone::Plain, text))
}

type LeftOut = BTreeMap<Exclusion, u64>;

fn figures(view: &mut View<'_, '_, '_>, loaded: &Loaded<'_>) -> acts::Result<(Section, LeftOut)> {
    let (mut drawn, mut rows, mut excluded) = (Vec::new(), Vec::new(), LeftOut::new());
    for id in FIGURES {
        let found = loaded.figure(view, id, "")?.1;
        let it = found.definition;
        let href = loaded.asked.with(&[("by", "")]).url(view, &format!("/metrics/{id}"));
        let (said, of) = (value_of(it, &found.whole), basis(it, &found.whole));
        drawn.push(Figure {
            label: it.title.clone(),
            href,
            value: said.clone(),
            before: of.clone(),
            points: course(&found),
            unit: "week".to_owned(),
        });
        rows.push(vec![Cell::Name(it.title.clone()), Cell::text(said), Cell::text(of)]);
        if id == "change_failure_rate" {
            excluded.clone_from(&found.whole.excluded);
        }
    }
    let table = Table {
        caption: "Figures".to_owned(),
        columns: vec![
            Column::new("Figure", Fold::Never),
            Column::new("Value", Fold::Never),
            Column::new("Of how many, and how sure", Fold::Under),
        ],
        rows,
        ..Table::default()
    };
    let note = Rich::from("each leads to its definition and its rows");
    let section = Section::new("figures", "Figures", SectionBody::Figures(drawn, table)).note(note);
    Ok((section, excluded))
}

/// The metrics in the columns of the table by group.
const GROUPED: [&str; 4] = [
    "success_share",
    "change_failure_rate",
    "deployment_frequency",
    "lead_time",
];

fn groups(view: &mut View<'_, '_, '_>, loaded: &Loaded<'_>, by: &str) -> acts::Result<Section> {
    let mut all = Vec::new();
    for id in GROUPED {
        all.push(loaded.figure(view, id, by)?.1);
    }
    let mut names: Vec<String> = all.iter().flat_map(|it| it.groups.keys().cloned()).collect();
    names.sort_unstable();
    names.dedup();
    let total = names.len();
    names.truncate(MOST_GROUPS);
    let row = |name: &String| {
        let told = |at: usize| {
            let it = &all[at];
            it.groups
                .get(name)
                .map_or_else(String::new, |figure| match figure.estimate {
                    Some(_) if at == 1 => format!("{} of {}", count(figure.hits), count(figure.of)),
                    Some(found) => value(it.definition, found.value),
                    None => format!("too few: {} of {}", count(figure.of), count(it.definition.minimum)),
                })
        };
        let sure = all[1].groups.get(name).and_then(|it| it.estimate);
        let level = all[1]
            .groups
            .get(name)
            .and_then(|it| it.level.clone())
            .unwrap_or_default();
        let href = loaded
            .asked
            .with(&[("by", ""), (by, name)])
            .url(view, "/metrics/change_failure_rate");
        vec![
            Cell::title(name.as_str(), href),
            Cell::text(told(0)),
            Cell::text(told(1)),
            Cell::text(match sure.map(|it| interval(all[1].definition, it)) {
                Some(likely) if level.is_empty() => likely,
                Some(likely) => format!("{likely}; level {level}"),
                None => String::new(),
            }),
            Cell::text(told(2)),
            Cell::text(told(3)),
        ]
    };
    let table = Table {
        caption: "Figures by group".to_owned(),
        columns: vec![
            Column::new("Group", Fold::Never),
            Column::new("Succeeded", Fold::Under).number(),
            Column::new("Failed", Fold::Never).number(),
            Column::new("Likely", Fold::Under).named(),
            Column::new("Deployments", Fold::Under).named(),
            Column::new("Lead time", Fold::Under).named(),
        ],
        rows: names.iter().map(row).collect(),
        ..Table::default()
    };
    let note = match total > MOST_GROUPS {
        true => format!("the first {MOST_GROUPS} of {}", count(total as u64)),
        false => count(total as u64),
    };
    Ok(Section::new("groups", by_dimension(by), SectionBody::Table(table))
        .note(note)
        .unsaid("No deployment and no change in this window names one."))
}

/// Failure rate against frequency, one dot for each group with enough data.
fn against(view: &mut View<'_, '_, '_>, loaded: &Loaded<'_>, by: &str) -> acts::Result<Section> {
    let by = if by == "service" { "service" } else { "team" };
    let (_, found) = loaded.figure(view, "change_failure_rate", by)?;
    let enough = found
        .groups
        .iter()
        .filter_map(|(name, it)| Some((name, it, it.estimate?)));
    let (mut dots, mut rows) = (Vec::new(), Vec::new());
    for (name, figure, estimate) in enough.take(MOST_GROUPS) {
        let href = loaded
            .asked
            .with(&[("by", ""), (by, name)])
            .url(view, "/metrics/change_failure_rate");
        rows.push(vec![
            Cell::title(name.as_str(), href.as_str()),
            Cell::Short(count(figure.of)),
            Cell::Short(share(estimate.value)),
            Cell::text(interval(found.definition, estimate)),
        ]);
        dots.push(Dot {
            label: name.clone(),
            href,
            x: i64::try_from(figure.of).unwrap_or(i64::MAX),
            y: estimate.value,
        });
    }
    let table = Table {
        caption: "Failure rate against frequency".to_owned(),
        columns: vec![
            Column::new("Group", Fold::Never),
            Column::new("Deployments", Fold::Never).number(),
            Column::new("Failed", Fold::Never).number(),
            Column::new("Likely", Fold::Under).named(),
        ],
        rows,
        ..Table::default()
    };
    let lede = match found.correlation {
        Some((Some(it), groups)) => format!(
            "Spearman's rank correlation over {groups} groups is {}, likely {} to {}.",
            hundredths(it.value),
            hundredths(it.low),
            hundredths(it.high)
        ),
        _ => format!("A rank correlation needs at least {FEWEST_PAIRS} groups with enough data."),
    };
    let chart = Chart {
        told: "Failure rate against frequency, one dot for each group".to_owned(),
        drawing: Plot::Dots(dots, "deployments".to_owned(), "failed".to_owned()),
    };
    let body = SectionBody::Chart(Box::new(chart), table);
    Ok(Section::new("against", "Failure rate against frequency", body)
        .lede(lede)
        .unsaid("No group has enough deployments to production for a failure rate."))
}

/// Parts per million as a number with two decimal places.
fn hundredths(ppm: i64) -> String {
    let rounded = (ppm.abs() + 5_000) / 10_000;
    let sign = if ppm < 0 && rounded > 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", rounded / 100, rounded % 100)
}

fn approvals(view: &mut View<'_, '_, '_>, loaded: &Loaded<'_>) -> acts::Result<Section> {
    let (_, found) = loaded.figure(view, "time_to_approve", "rule")?;
    let it = found.definition;
    let (mut bars, mut rows) = (Vec::new(), Vec::new());
    if !found.groups.is_empty() {
        bars.push(StackedBar {
            label: "All rules".to_owned(),
            is_said: false,
            value: value_of(it, &found.whole),
            parts: found.whole.parts.unwrap_or_default().to_vec(),
        });
    }
    for (rule, figure) in found.groups.iter().take(MOST_GROUPS) {
        let part = |at: usize| figure.parts.map(|parts| took(parts[at])).unwrap_or_default();
        let is_said = rule != ASSESSMENT;
        bars.push(StackedBar {
            label: if is_said { rule.clone() } else { capital(rule) },
            is_said,
            value: value_of(it, figure),
            parts: figure.parts.unwrap_or_default().to_vec(),
        });
        rows.push(vec![
            match is_said {
                true => Cell::said(rule.as_str()),
                false => Cell::Name(capital(rule)),
            },
            Cell::text(value_of(it, figure)),
            Cell::Short(part(0)),
            Cell::Short(part(1)),
            Cell::Short(part(2)),
            Cell::Short(figure.mean.map(took).unwrap_or_default()),
            Cell::Short(figure.p90.map(took).unwrap_or_default()),
            Cell::Short(count(figure.of)),
        ]);
    }
    let table = Table {
        caption: "Time to approve by rule".to_owned(),
        columns: vec![
            Column::new("Rule", Fold::Never),
            Column::new("Median", Fold::Never).named(),
            Column::new("Queue", Fold::Under).named(),
            Column::new("Touch", Fold::Under).named(),
            Column::new("On hold", Fold::Under).named(),
            Column::new("Mean", Fold::Under).named(),
            Column::new("9 of 10 within", Fold::Under).named(),
            Column::new("Approvals", Fold::Under).number(),
        ],
        rows,
        ..Table::default()
    };
    let lede = match &found.bottleneck {
        Some((rule, part)) => format!("The rule {rule} takes most of the time: {}.", share(*part)),
        None => String::new(),
    };
    let chart = Chart {
        told: "Median time to approve by rule: queue, touch and pause".to_owned(),
        drawing: Plot::Bars(bars),
    };
    let rows = loaded
        .asked
        .with(&[("by", "rule")])
        .url(view, "/metrics/time_to_approve");
    let body = SectionBody::Chart(Box::new(chart), table);
    Ok(Section::new("approvals", "Time to approve", body)
        .lede(lede)
        .note(Rich::new().link("definition and rows", rows))
        .unsaid("No approval rule was met in this window."))
}

fn by_approver(view: &mut View<'_, '_, '_>, loaded: &Loaded<'_>) -> acts::Result<Section> {
    let (_, found) = loaded.figure(view, "time_to_approve", "approver")?;
    Ok(approvers(view, &loaded.asked, &found))
}

fn emergencies(view: &mut View<'_, '_, '_>, loaded: &Loaded<'_>) -> acts::Result<Section> {
    let (_, found) = loaded.figure(view, "emergency_volume", "")?;
    let from = found.window.from;
    let chart = found.chart.unwrap_or_default();
    let day = |week: usize| view.reader.date(view.reader.local(week_start(from, week)).date());
    let points = chart.weeks.iter().map(|week| SeriesPoint {
        value: i64::from(week.count) * 1_000,
        limit: week.high_milli,
        is_out: week.is_out || week.is_alert,
    });
    let points: Vec<SeriesPoint> = points.collect();
    let row = |(at, week): (usize, &control_chart::Week)| {
        let note = match (week.is_alert, week.is_out) {
            (true, _) => "a lasting shift was found",
            (false, true) => "outside of the limits",
            (false, false) => "",
        };
        let limit = week.high_milli.map(|it| format!("{}.{}", it / 1_000, it % 1_000 / 100));
        vec![
            Cell::Name(day(at)),
            Cell::Short(week.count.to_string()),
            Cell::Short(limit.unwrap_or_default()),
            Cell::text(note),
        ]
    };
    let table = Table {
        caption: "Emergencies per week".to_owned(),
        columns: vec![
            Column::new("Week from", Fold::Never),
            Column::new("Emergencies", Fold::Never).number(),
            Column::new("Upper limit", Fold::Under).number(),
            Column::new("Note", Fold::Under),
        ],
        rows: chart.weeks.iter().enumerate().rev().map(row).collect(),
        ..Table::default()
    };
    let lede = match chart.shifts.last() {
        Some(it) => format!(
            "Emergencies rose in the week from {}: {}.{} a week before, {}.{} since.",
            day(it.began_in),
            it.before_milli / 1_000,
            it.before_milli % 1_000 / 100,
            it.after_milli / 1_000,
            it.after_milli % 1_000 / 100
        ),
        None if points.len() <= control_chart::BASELINE_WEEKS => format!(
            "Limits need {} weeks; this window has {}.",
            control_chart::BASELINE_WEEKS + 1,
            points.len()
        ),
        None => "No lasting shift was found.".to_owned(),
    };
    let last = points.len().saturating_sub(1);
    let drawn = Chart {
        told: "Emergencies per week, the oldest first, with the upper limit".to_owned(),
        drawing: Plot::Series(points, day(0), day(last)),
    };
    let rows = loaded
        .asked
        .with(&[("by", "cause")])
        .url(view, "/metrics/emergency_volume");
    let body = SectionBody::Chart(Box::new(drawn), table);
    Ok(Section::new("emergencies", "Emergencies per week", body)
        .lede(lede)
        .note(Rich::new().link("definition and rows", rows))
        .unsaid("The window has no whole week."))
}

fn causes(view: &mut View<'_, '_, '_>, loaded: &Loaded<'_>) -> acts::Result<Section> {
    let (_, found) = loaded.figure(view, "emergency_volume", "cause")?;
    let bars = found
        .causes
        .iter()
        .filter(|(_, it)| it.counted > 0)
        .map(|(cause, it)| StackedBar {
            label: capital(cause.as_str()),
            is_said: false,
            value: count(it.counted),
            parts: vec![i64::try_from(it.counted).unwrap_or(i64::MAX)],
        });
    let bars: Vec<StackedBar> = bars.collect();
    let rows = found.causes.iter().map(|(cause, it)| {
        vec![
            Cell::Name(capital(cause.as_str())),
            Cell::Short(count(it.counted)),
            Cell::Short(count(it.by_rule)),
            Cell::Short(count(it.confirmed)),
            Cell::Short(count(it.changed)),
        ]
    });
    let table = Table {
        caption: "Causes of emergencies".to_owned(),
        columns: vec![
            Column::new("Cause", Fold::Never),
            Column::new("Changes", Fold::Never).number(),
            Column::new("By rule", Fold::Under).number(),
            Column::new("Confirmed", Fold::Under).number(),
            Column::new("Changed in review", Fold::Under).number(),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    let chart = Chart {
        told: "Causes of emergencies".to_owned(),
        drawing: Plot::Bars(bars),
    };
    let body = SectionBody::Chart(Box::new(chart), table);
    Ok(Section::new("causes", "Causes of emergencies", body)
        .lede("The cause is derived from the change; its review confirms it or names another one. Both are counted.")
        .unsaid("There was no emergency in this window."))
}

/// The root causes of failed changes from their reviews; each links to the figure that counts it.
fn root_causes(view: &mut View<'_, '_, '_>, loaded: &Loaded<'_>) -> acts::Result<Section> {
    let (_, found) = loaded.figure(view, "success_share", "root_cause")?;
    let known = noun::list::<Cause>(view.cx)?;
    let name = |key: &str| {
        let cause = known.iter().find(|it| it.key == key);
        cause.map_or_else(|| key.to_owned(), |it| it.name.clone())
    };
    let failed = |it: &RowFigure| it.of.saturating_sub(it.hits);
    let mut bars: Vec<StackedBar> = found
        .groups
        .iter()
        .filter(|(_, it)| failed(it) > 0)
        .map(|(cause, it)| StackedBar {
            label: name(cause),
            is_said: true,
            value: count(failed(it)),
            parts: vec![i64::try_from(failed(it)).unwrap_or(i64::MAX)],
        })
        .collect();
    bars.sort_by(|one, other| (&other.parts, &one.label).cmp(&(&one.parts, &other.label)));
    let rows = bars
        .iter()
        .map(|bar| vec![Cell::said(bar.label.as_str()), Cell::Short(bar.value.clone())]);
    let table = Table {
        caption: "Root causes of failed changes".to_owned(),
        columns: vec![
            Column::new("Root cause", Fold::Never),
            Column::new("Changes", Fold::Never).number(),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    let chart = Chart {
        told: "Root causes of failed changes".to_owned(),
        drawing: Plot::Bars(bars),
    };
    let rows = loaded
        .asked
        .with(&[("by", "root_cause")])
        .url(view, "/metrics/success_share");
    let body = SectionBody::Chart(Box::new(chart), table);
    Ok(Section::new("root-causes", "Root causes of failed changes", body)
        .lede("The review of a failed change names the cause; pending changes that share its features move.")
        .note(Rich::new().link("definition and rows", rows))
        .unsaid("No review of a failed change named a root cause in this window."))
}

/// The deployments that rules leave out.
fn left_out(excluded: &LeftOut) -> Section {
    let rows = excluded
        .iter()
        .map(|(why, found)| vec![Cell::Name(exclusion(*why).to_owned()), Cell::Short(count(*found))]);
    let table = Table {
        caption: "Left out by rule".to_owned(),
        columns: vec![
            Column::new("Rule", Fold::Never),
            Column::new("Deployments", Fold::Never).number(),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    Section::new("left-out", "Left out by rule", SectionBody::Table(table))
        .unsaid("No deployment is left out of the failure rate.")
}

/// The event log as XES.
pub(crate) async fn xes(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    file(
        &state,
        &visitor,
        MetricPageQuery(pairs),
        ("application/xml", "event-log.xes"),
    )
    .await
}

/// The event log as CSV.
pub(crate) async fn csv(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    file(
        &state,
        &visitor,
        MetricPageQuery(pairs),
        ("text/csv; charset=utf-8", "event-log.csv"),
    )
    .await
}

async fn file(
    state: &AppState,
    visitor: &Visitor,
    asked: MetricPageQuery,
    (kind, name): (&'static str, &'static str),
) -> Response {
    let act = move |cx: &mut acts::Context<'_, '_>| {
        let view = View::open(cx, Place::Metrics)?;
        let query = asked.read(&view, "written_to_done")?;
        let cases = acts::report::export_event_log::export_event_log(view.cx, query.window, &query.filter)?;
        Ok(match name.ends_with("csv") {
            true => connect::report::event_log::csv(&cases),
            false => connect::report::event_log::xes(&cases),
        })
    };
    let made: Result<String, Failure> = state.act(Lane::Pages, &visitor.caller, Mode::Read, act).await;
    match made {
        Ok(text) => {
            let headers = [
                (header::CONTENT_TYPE, kind.to_owned()),
                (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
                (header::CACHE_CONTROL, "no-store".to_owned()),
            ];
            (headers, text.into_bytes()).into_response()
        }
        Err(failure) => problem(state, visitor, &failure, "").await,
    }
}
