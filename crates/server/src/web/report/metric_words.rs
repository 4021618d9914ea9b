//! The formats of metric values on pages, and of a query in an address.

use acts::report::find_figures::{FoundFigure, MOST_CHANGES};
use acts::report::find_tiles::{FoundTile, TileRow};
use acts::report::metric_query::{FIELDS, MetricQuery, read_query};
use jiff::Timestamp;
use model::report::dashboard::Source;
use model::report::definition::{Definition, Exclusion, Formula};
use model::report::figure::Figure;
use model::report::statistics::Estimate;
use pages::{Field, Input, Notice, Tone, count};

use crate::http::percent::escaped;
use crate::web::report::success_rate::took;
use crate::web::shared::view::View;

/// The notice that only the newest part of a window is counted, because the window holds too many changes.
pub(crate) fn narrowed(view: &View<'_, '_, '_>, since: Timestamp) -> Notice {
    let text = format!(
        "This window has more than {} changes. Its newest part is counted, from {} on.",
        count(MOST_CHANGES as u64),
        view.reader.absolute(since)
    );
    Notice::new(Tone::Plain, text)
}

/// The text in place of a tile without rows.
pub(crate) const NOTHING: &str = "There is nothing to count.";

/// How many a row of a tile counts; of a bottleneck, how long.
pub(crate) fn count_text(found: &FoundTile, row: &TileRow) -> String {
    match (found.tile.source == Source::Bottleneck, row.is_whole) {
        (true, _) => took(row.count),
        (false, true) => count(row.count.unsigned_abs()),
        (false, false) => format!("{} or more", count(row.count.unsigned_abs())),
    }
}

/// The query of a page of metrics.
#[derive(Debug, Clone, Default)]
pub(crate) struct MetricPageQuery(pub Vec<(String, String)>);

impl MetricPageQuery {
    /// The value of a field; nothing where it is absent or empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// The same question with other values; an empty one takes the field away.
    pub(crate) fn with(&self, values: &[(&str, &str)]) -> Self {
        let is_set = |field: &str| values.iter().any(|(name, _)| *name == field);
        let kept = self.0.iter().filter(|(field, _)| !is_set(field)).cloned();
        let set = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self(kept.chain(set).filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The address of all metrics: without the split, and without the parameters of single metrics.
    pub(crate) fn url_of_all(&self, view: &View<'_, '_, '_>) -> String {
        let own = ["by", "stage", "rule", "group", "approver", "cause", "root_cause"];
        self.with(&own.map(|name| (name, ""))).url(view, "/metrics")
    }

    /// The address of a page with this question.
    pub(crate) fn url(&self, view: &View<'_, '_, '_>, path: &str) -> String {
        let known = self
            .0
            .iter()
            .filter(|(field, value)| FIELDS.contains(&field.as_str()) && !value.is_empty());
        let parts: Vec<String> = known
            .map(|(field, value)| format!("{field}={}", escaped(value)))
            .collect();
        match parts.as_slice() {
            [] => view.url(path),
            parts => view.url(&format!("{path}?{}", parts.join("&"))),
        }
    }

    /// Reads the question for one metric; days are those of the reader's zone unless the address names one.
    pub(crate) fn read(&self, view: &View<'_, '_, '_>, id: &str) -> acts::Result<MetricQuery> {
        let zone = view.reader.local(view.now()).time_zone().iana_name().map(str::to_owned);
        read_query(id, view.now(), |name| match (name, self.get(name)) {
            ("zone", None) => zone.as_deref(),
            (_, value) => value,
        })
    }

    /// The fields of the filter form; `also` are further dimensions by which a figure is split.
    pub(crate) fn fields(&self, view: &View<'_, '_, '_>, also: &[(&str, &str)]) -> Vec<Field> {
        let value = |name: &str| self.get(name).unwrap_or_default().to_owned();
        let text = |name: &str, label: &str| Field::text(name, label).value(value(name)).half();
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
        let categories = [
            ("", "Any"),
            ("application", "Application"),
            ("configuration", "Configuration"),
            ("database", "Database"),
            ("infrastructure", "Infrastructure"),
            ("network", "Network"),
            ("security", "Security"),
            ("data", "Data"),
            ("facility", "Facility"),
            ("other", "Other"),
        ];
        let by = [
            ("team", "Team"),
            ("service", "Service"),
            ("kind", "Kind"),
            ("category", "Category"),
            ("risk", "Risk"),
            ("template", "Template"),
            ("environment", "Environment"),
            ("vendor", "Vendor"),
        ];
        let by = [by.as_slice(), also].concat();
        vec![
            Field::new("from", "From", Input::Date).value(value("from")).half(),
            Field::new("to", "Up to, without this day", Input::Date)
                .hint(format!("In {}.", view.reader.zone_name()))
                .value(value("to"))
                .half(),
            Field::select("by", "Split by", &by)
                .value(self.get("by").unwrap_or("team"))
                .half(),
            Field::select("kind", "Kind", &kinds).value(value("kind")).half(),
            Field::select("category", "Category", &categories)
                .value(value("category"))
                .half(),
            Field::select("risk", "Risk", &risks).value(value("risk")).half(),
            text("team", "Team"),
            text("service", "Service"),
            text("template", "Template"),
            text("environment", "Environment"),
            text("vendor", "Vendor"),
        ]
    }
}

/// Tenths of a percent of parts per million: “3.1 %”.
pub(crate) fn share(ppm: i64) -> String {
    let tenths = (ppm + 500) / 1_000;
    format!("{} %", decimal(tenths, 10))
}

/// A number with one decimal place.
fn decimal(value: i64, unit: i64) -> String {
    format!("{}.{}", value / unit, (value % unit).abs() * 10 / unit)
}

/// A value in the format of its metric.
pub(crate) fn value(definition: &Definition, value: i64) -> String {
    match definition.formula {
        Formula::Share => share(value),
        Formula::Median => took(value),
        Formula::PerDay => format!("{} a day", rate(value)),
        Formula::PerWeek => format!("{} a week", rate(value)),
    }
}

/// Thousandths as a number with one decimal place, or with two where one would make nothing of a little.
fn rate(milli: i64) -> String {
    match milli {
        1..=94 => format!("0.{:02}", ((milli + 5) / 10).max(1)),
        _ => decimal((milli + 50) / 100, 10),
    }
}

/// The counts by week for the line of a figure: none for a median, as the line would be of another quantity, and none where
/// the data does not suffice for the figure itself.
pub(crate) fn course(found: &FoundFigure) -> Vec<u32> {
    match (found.definition.formula, found.whole.estimate) {
        (Formula::Median, _) | (_, None) => Vec::new(),
        _ => found.course.clone(),
    }
}

/// The value of a figure, or that there is not enough data.
pub(crate) fn value_of(definition: &Definition, figure: &Figure) -> String {
    match figure.estimate {
        Some(it) => value(definition, it.value),
        None if figure.is_withheld => "Withheld".to_owned(),
        None => "Not enough data".to_owned(),
    }
}

/// How sure a figure is and of how many, or how many are missing.
pub(crate) fn basis(definition: &Definition, figure: &Figure) -> String {
    let of = match definition.formula {
        Formula::Share => format!("{} of {}", count(figure.hits), count(figure.of)),
        Formula::PerWeek => count(figure.hits),
        _ => count(figure.of),
    };
    match (figure.estimate, &figure.level) {
        (None, _) if figure.is_withheld => format!("{of}; fewer than three people decided"),
        (None, _) if definition.minimum == 1 => format!("{of}; at least one is needed"),
        (None, _) => format!("{of}; at least {} are needed", count(definition.minimum)),
        (Some(it), None) => format!("{of}; likely {}", interval(definition, it)),
        (Some(it), Some(level)) => format!("{of}; likely {}; level {level}", interval(definition, it)),
    }
}

/// The interval of a value.
pub(crate) fn interval(definition: &Definition, it: Estimate) -> String {
    format!("{} to {}", value(definition, it.low), value(definition, it.high))
}

/// The reason of an exclusion, as text.
pub(crate) fn exclusion(why: Exclusion) -> &'static str {
    match why {
        Exclusion::Skipped => "Work that was not done",
        Exclusion::Rerun => "Earlier tries of the same build",
        Exclusion::Burst => "Returns in a burst",
        Exclusion::PlannedUndo => "Planned returns",
        Exclusion::Clock => "Ended before they began",
        Exclusion::Imported => "Imported from another system’s past",
    }
}

/// The label of a row's counting.
pub(crate) fn counted(word: &str) -> &'static str {
    let excluded = Exclusion::ALL.into_iter().find(|why| why.as_str() == word);
    match (excluded, word) {
        (Some(why), _) => exclusion(why),
        (None, "hit") => "Counted, a hit",
        _ => "Counted",
    }
}

/// The heading of figures that are split by a dimension.
pub(crate) fn by_dimension(by: &str) -> &'static str {
    match by {
        "team" => "By team",
        "service" => "By service",
        "kind" => "By kind",
        "category" => "By category",
        "risk" => "By risk",
        "template" => "By template",
        "environment" => "By environment",
        "vendor" => "By vendor",
        "stage" => "By stage",
        "rule" => "By rule",
        "approver" => "By approver",
        "cause" => "By cause",
        "root_cause" => "By root cause",
        _ => "By group",
    }
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn a_rate_above_nothing_is_never_written_as_nothing() {
        assert_eq!([0, 3, 57, 94, 95].map(rate), ["0.0", "0.01", "0.06", "0.09", "0.1"]);
        assert_eq!([580, 607, 1_250].map(rate), ["0.6", "0.6", "1.3"]);
    }
}
