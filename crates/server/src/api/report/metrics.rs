//! Metrics: their definitions, figures with intervals, the rows behind each, and the event log for process mining.

use acts::Context;
use acts::report::export_event_log;
use acts::report::find_ended::find_titles;
use acts::report::find_field_use::{FieldUse, find_field_use};
use acts::report::find_figures::{FoundFigure, RowOfFigure, VersionFigure, find_figure, find_rows};
use acts::report::metric_query::{MetricQuery, find_metric, read_query};
use jiff::{SignedDuration, Timestamp};
use model::core::act::actions;
use model::core::refusal::Refusal;
use model::report::control_chart::Chart;
use model::report::definition::{self, Definition, Formula, Measure, Population};
use model::report::field_use::Verdict;
use model::report::figure::Figure;
use model::report::share_chart::{ShareChart, ShareWeek};
use model::report::statistics::Estimate;
use serde_json::{Map, Value, json};

use crate::api::shared::records::keyed;
use crate::http::route::{Ask, Reply, Route};

/// The metric whose window an event log has by default.
pub(super) const WINDOW_OF_LOG: &str = "written_to_done";

/// The metrics.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_metrics", |cx, ask| {
        cx.allow(actions::READ)?;
        keyed(ask, definition::all().iter().map(|it| (it.id.clone(), defined(it))))
    }),
    Route::reads("show_figure", |cx, ask| {
        let query = read_query(ask.place(0), cx.now, |name| ask.query(name))?;
        let found = find_figure(cx, &query)?;
        Ok(Reply::ok(shown(&query, &found)))
    }),
    Route::reads("show_metric", |cx, ask| {
        cx.allow(actions::READ)?;
        Ok(Reply::ok(defined(find_metric(ask.place(0))?)))
    }),
    Route::reads("list_figure_rows", rows),
    Route::reads("export_event_log", event_log),
    Route::reads("list_field_use", field_use),
];

fn field_use(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let found = find_field_use(cx)?;
    keyed(ask, found.iter().map(|it| (it.field.clone(), use_of(it))))
}

fn use_of(it: &FieldUse) -> Value {
    let counted = &it.counted;
    let mut value = json!({
        "field": it.field, "asked": counted.asked, "filled": counted.filled, "filler": counted.filler,
        "distinct": counted.distinct(), "most_common": counted.most_common(), "is_read": it.is_read,
        "verdict": match it.verdict {
            Verdict::Used => "used",
            Verdict::NotEnough => "not_enough",
            Verdict::Drop(why) => why.as_str(),
        },
    });
    if let Some(name) = &it.name {
        value["name"] = json!(name);
    }
    value
}

/// A definition in the API's format.
fn defined(it: &Definition) -> Value {
    let versions = it.versions().into_iter();
    let versions = versions.map(|one| json!({"version": one.version, "since": one.since, "digest": one.digest}));
    let bands = it
        .bands
        .iter()
        .map(|band| json!({"level": band.level, "limit": band.limit}));
    json!({
        "id": it.id, "version": it.version, "digest": it.digest, "since": it.since.to_string(), "title": it.title,
        "words": it.words, "formula": formula(it.formula), "population": population(it.population),
        "measure": measure(it.measure), "filter": it.filter, "window_days": it.window_days,
        "exclusions": it.exclusions.iter().map(|why| why.as_str()).collect::<Vec<_>>(),
        "minimum": it.minimum, "direction": it.direction.as_str(), "source": it.source,
        "bands": bands.collect::<Vec<_>>(), "versions": versions.collect::<Vec<_>>(), "unit": unit(it.formula),
    })
}

fn formula(it: Formula) -> &'static str {
    match it {
        Formula::Share => "share",
        Formula::Median => "median",
        Formula::PerDay => "per_day",
        Formula::PerWeek => "per_week",
    }
}

fn population(it: Population) -> &'static str {
    match it {
        Population::Changes => "changes",
        Population::Deployments => "deployments",
        Population::Rules => "rules",
        Population::Created => "created",
    }
}

fn measure(it: Measure) -> &'static str {
    match it {
        Measure::Any => "any",
        Measure::Succeeded => "succeeded",
        Measure::Failed => "failed",
        Measure::Rework => "rework",
        Measure::Emergency => "emergency",
        Measure::Lead => "lead",
        Measure::Recovery => "recovery",
        Measure::Approval => "approval",
    }
}

/// The unit of the values.
pub(crate) fn unit(it: Formula) -> &'static str {
    match it {
        Formula::Share => "parts_per_million",
        Formula::Median => "minutes",
        Formula::PerDay => "thousandths_per_day",
        Formula::PerWeek => "thousandths_per_week",
    }
}

fn shown(query: &MetricQuery, found: &FoundFigure) -> Value {
    let it = found.definition;
    let groups = found.groups.iter().map(|(name, figure)| {
        let mut value = figure_value(figure);
        value.insert("group".to_owned(), json!(name));
        Value::Object(value)
    });
    let mut value = figure_value(&found.whole);
    value.extend([
        ("definition".to_owned(), named(it)),
        ("unit".to_owned(), json!(unit(it.formula))),
        ("from".to_owned(), json!(found.window.from.to_string())),
        ("to".to_owned(), json!(found.window.to.to_string())),
        ("zone".to_owned(), json!(query.zone.iana_name().unwrap_or("UTC"))),
        ("minimum".to_owned(), json!(it.minimum)),
        ("groups".to_owned(), groups.collect()),
        ("projected_to".to_owned(), json!(found.position)),
        ("log_size".to_owned(), json!(found.log_size)),
    ]);
    if let Some(by) = query.by {
        value.insert("by".to_owned(), json!(by.as_str()));
    }
    if let Some((correlation, groups)) = found.correlation {
        let mut told = json!({"groups": groups, "has_enough_data": correlation.is_some()});
        if let Some(it) = correlation {
            told["rho_ppm"] = json!(it.value);
            told["low_ppm"] = json!(it.low);
            told["high_ppm"] = json!(it.high);
        }
        value.insert("correlation".to_owned(), told);
    }
    if let Some((group, share)) = &found.bottleneck {
        value.insert("bottleneck".to_owned(), json!({"group": group, "share_ppm": share}));
    }
    if !found.versions.is_empty() {
        let versions = found.versions.iter().map(version_value).collect();
        value.insert("versions".to_owned(), versions);
    }
    if !found.causes.is_empty() {
        value.insert("causes".to_owned(), causes(found));
    }
    if let Some(chart) = &found.chart {
        value.insert("weeks".to_owned(), weeks(chart, found.window.from));
        value.insert("shifts".to_owned(), shifts(chart, found.window.from));
    }
    if let Some(chart) = &found.shares {
        value.insert("share_weeks".to_owned(), share_weeks(chart, found.window.from));
        if let Some(spread) = chart.spread_milli {
            value.insert("spread_milli".to_owned(), json!(spread));
        }
    }
    Value::Object(value)
}

/// The figure of one version of a definition.
fn version_value(it: &VersionFigure) -> Value {
    let mut value = figure_value(&it.figure);
    value.insert("definition".to_owned(), named(it.definition));
    value.insert("from".to_owned(), json!(it.window.from.to_string()));
    value.insert("to".to_owned(), json!(it.window.to.to_string()));
    Value::Object(value)
}

/// The causes of emergencies, by rule and as reviews left them.
fn causes(found: &FoundFigure) -> Value {
    let causes = found.causes.iter().map(|(cause, count)| {
        json!({
            "cause": cause, "counted": count.counted, "by_rule": count.by_rule, "confirmed": count.confirmed,
            "changed": count.changed,
        })
    });
    causes.collect()
}

/// The definition of a figure, with its version.
pub(crate) fn named(it: &Definition) -> Value {
    json!({"id": it.id, "version": it.version, "digest": it.digest, "title": it.title})
}

/// A figure in the API's format: whole numbers alone.
pub(crate) fn figure_value(figure: &Figure) -> Map<String, Value> {
    let mut value = Map::new();
    value.insert("has_enough_data".to_owned(), json!(figure.is_enough()));
    if figure.is_withheld {
        value.insert("is_withheld".to_owned(), json!(true));
    }
    value.insert("of".to_owned(), json!(figure.of));
    value.insert("hits".to_owned(), json!(figure.hits));
    if let Some(Estimate { value: it, low, high }) = figure.estimate {
        value.insert("value".to_owned(), json!(it));
        value.insert("low".to_owned(), json!(low));
        value.insert("high".to_owned(), json!(high));
    }
    let numbers = [("mean", figure.mean), ("p90", figure.p90), ("total", figure.total)];
    for (name, number) in numbers {
        if let Some(number) = number {
            value.insert(name.to_owned(), json!(number));
        }
    }
    if let Some([queue, touch, paused]) = figure.parts {
        value.insert("queue".to_owned(), json!(queue));
        value.insert("touch".to_owned(), json!(touch));
        value.insert("paused".to_owned(), json!(paused));
    }
    if let Some(level) = &figure.level {
        value.insert("level".to_owned(), json!(level));
    }
    let excluded = figure
        .excluded
        .iter()
        .map(|(why, count)| (why.as_str().to_owned(), json!(count)));
    value.insert("excluded".to_owned(), Value::Object(excluded.collect()));
    value
}

/// When a week of a window begins.
pub(crate) fn week_start(from: Timestamp, week: usize) -> Timestamp {
    let hours = i64::try_from(week).unwrap_or_default().saturating_mul(7 * 24);
    from.checked_add(SignedDuration::from_hours(hours)).unwrap_or(from)
}

fn weeks(chart: &Chart, from: Timestamp) -> Value {
    let one = |(at, week): (usize, &model::report::control_chart::Week)| {
        let mut told = json!({
            "starts_at": week_start(from, at).to_string(), "count": week.count, "is_out": week.is_out,
            "is_alert": week.is_alert,
        });
        let limits = [
            ("mean_milli", week.mean_milli),
            ("low_milli", week.low_milli),
            ("high_milli", week.high_milli),
        ];
        for (name, limit) in limits {
            if let Some(limit) = limit {
                told[name] = json!(limit);
            }
        }
        told
    };
    chart.weeks.iter().enumerate().map(one).collect()
}

/// The weeks of a share with the limits of both charts.
fn share_weeks(chart: &ShareChart, from: Timestamp) -> Value {
    let one = |(at, week): (usize, &ShareWeek)| {
        let mut told = json!({
            "starts_at": week_start(from, at).to_string(), "hits": week.hits, "of": week.of, "is_out": week.is_out,
            "is_out_of_p": week.is_out_of_plain,
        });
        let numbers = [
            ("value_ppm", week.value),
            ("low_ppm", week.limits.map(|(low, _)| low)),
            ("high_ppm", week.limits.map(|(_, high)| high)),
            ("p_low_ppm", week.plain.map(|(low, _)| low)),
            ("p_high_ppm", week.plain.map(|(_, high)| high)),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                told[name] = json!(number);
            }
        }
        told
    };
    chart.weeks.iter().enumerate().map(one).collect()
}

fn shifts(chart: &Chart, from: Timestamp) -> Value {
    let one = |it: &model::report::control_chart::Shift| {
        json!({
            "began_at": week_start(from, it.began_in).to_string(), "found_at": week_start(from, it.found_in).to_string(),
            "before_milli": it.before_milli, "after_milli": it.after_milli,
        })
    };
    chart.shifts.iter().map(one).collect()
}

/// The rows behind a figure, a page at a time; `after` is a place in the list.
fn rows(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let query = read_query(ask.place(0), cx.now, |name| ask.query(name))?;
    let limit = usize::try_from(ask.limit()?).unwrap_or_default();
    let wrong = || Refusal::field("after", "unknown", "`after` is the `next` of the page before.");
    let after: usize = ask
        .query("after")
        .map_or(Ok(0), |text| text.parse().map_err(|_| wrong()))?;
    let found = find_rows(cx, &query)?;
    let end = after.saturating_add(limit).min(found.len());
    let page = found.get(after..end).unwrap_or_default();
    let ids: Vec<String> = page.iter().map(|row| row.change.clone()).collect();
    let titles = find_titles(cx, &ids)?;
    let items = page.iter().map(|row| row_value(row, titles.get(&row.change)));
    let next = (end < found.len()).then(|| end.to_string());
    Ok(ask.page(items.collect(), next))
}

fn row_value(row: &RowOfFigure, title: Option<&String>) -> Value {
    let mut told = json!({"key": row.key, "at": row.at.to_string(), "counted": row.counted});
    let texts = [
        ("title", title.map_or("", String::as_str)),
        ("service", &row.service),
        ("environment", &row.environment),
        ("rule", &row.rule),
    ];
    for (name, text) in texts {
        if !text.is_empty() {
            told[name] = json!(text);
        }
    }
    if let Some(minutes) = row.minutes {
        told["minutes"] = json!(minutes);
    }
    told
}

fn event_log(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let format = ask.query("format").unwrap_or("xes");
    if !["xes", "csv"].contains(&format) {
        let text = format!("`format`: `{format}` is none of: xes, csv.");
        return Err(Refusal::field("format", "unknown_word", text).into());
    }
    let query = read_query(WINDOW_OF_LOG, cx.now, |name| ask.query(name))?;
    let cases = export_event_log::export_event_log(cx, query.window, &query.filter)?;
    let text = match format {
        "csv" => connect::report::event_log::csv(&cases),
        _ => connect::report::event_log::xes(&cases),
    };
    Ok(Reply::ok(json!({
        "format": format, "from": query.window.from.to_string(), "to": query.window.to.to_string(), "cases": cases.len(),
        "events": cases.iter().map(|case| case.events.len()).sum::<usize>(), "text": text,
    })))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use acts::report::lifecycle_forms::FORMS;
    use serde_json::Value;

    /// Bodies of the lifecycle that no record keeps, and the assessment, whose fields are those of the change.
    const NO_FORMS: [&str; 5] = [
        "AssessmentInput",
        "CosignatureInput",
        "ErasureInput",
        "PermitInput",
        "ReadinessInput",
    ];

    /// The fields of a shape that a request may leave out.
    fn left_out(document: &Value, shape: &str) -> BTreeSet<String> {
        let schema = &document["components"]["schemas"][shape];
        let needed = schema["required"].as_array().cloned().unwrap_or_default();
        let fields = schema["properties"]
            .as_object()
            .into_iter()
            .flat_map(|it| it.keys().cloned());
        fields.filter(|field| !needed.iter().any(|it| it == field)).collect()
    }

    #[test]
    fn every_field_of_the_lifecycles_forms_that_may_be_left_out_is_counted_or_named_as_kept_elsewhere() {
        let document = wire::openapi::document("http://127.0.0.1");
        for form in FORMS {
            let listed = form.texts.iter().chain(form.ruled).chain(form.elsewhere);
            let listed: BTreeSet<String> = listed.map(|field| (*field).to_owned()).collect();
            assert_eq!(left_out(&document, form.shape), listed, "{}", form.shape);
        }
        // Waves and their members come from files and pipelines.
        let is_form = |path: &str| {
            let mut parts = path.split("/changes/{key}/").skip(1);
            parts.any(|part| !part.starts_with("wave") && !part.starts_with("members"))
        };
        let of_changes = wire::openapi::routes().iter().filter(|route| is_form(&route.path));
        let mut missing: BTreeSet<&str> = of_changes.filter_map(|route| route.body).collect();
        missing.retain(|shape| !left_out(&document, shape).is_empty());
        missing.retain(|shape| FORMS.iter().all(|form| form.shape != *shape));
        assert_eq!(missing.into_iter().collect::<Vec<_>>(), NO_FORMS);
    }
}
