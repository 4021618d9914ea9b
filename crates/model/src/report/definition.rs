//! The definitions of the metrics, as files: one TOML file per metric in `crates/model/metrics`, compiled in. A definition has
//! a version and a digest; `versions.txt` keeps the digest of every version, so that a figure names exactly what it counted.

use std::sync::OnceLock;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::report::window::Window;

macro_rules! files {
    ($($id:literal),+ $(,)?) => {
        &[$(include_str!(concat!("../../metrics/", $id, ".toml"))),+]
    };
}

/// The files, in the order in which they are shown.
const FILES: &[&str] = files![
    "success_share",
    "deployment_frequency",
    "lead_time",
    "change_failure_rate",
    "recovery_time",
    "rework_rate",
    "written_to_done",
    "time_to_approve",
    "emergency_share",
    "emergency_volume",
];

/// The files of earlier versions, each named after its version, such as `earlier/lead_time.1`. They stay, so that a period that
/// began under one version shows that version. None yet: every definition is in its first version.
const EARLIER: &[&str] = &[];

/// Every version of every definition.
const VERSIONS: &str = include_str!("../../metrics/versions.txt");

/// The formula of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Formula {
    /// Hits among all, in parts per million, with Wilson's interval.
    Share,
    /// The median in minutes, with an interval by order statistics.
    Median,
    /// A rate per day, in thousandths, with a Poisson interval.
    PerDay,
    /// A count in each calendar week, with a control chart.
    PerWeek,
}

/// The counted population.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Population {
    /// Changes whose work ended in the window.
    Changes,
    /// Targets whose work ended in the window.
    Deployments,
    /// Approval rules that were met in the window.
    Rules,
    /// Changes that were created in the window.
    Created,
}

/// The measure of each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Nothing: each counts.
    Any,
    /// Whether it succeeded.
    Succeeded,
    /// Whether it failed.
    Failed,
    /// Whether it is rework.
    Rework,
    /// Whether it is an emergency.
    Emergency,
    /// The minutes from creation to the end of the work.
    Lead,
    /// The minutes from the start of a failure to the recovery.
    Recovery,
    /// The minutes from the request of an approval to the decision.
    Approval,
}

/// The reason why something that ended is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// The work was not done: a skipped job.
    Skipped,
    /// An earlier try of the same build at the same place within a day.
    Rerun,
    /// One of five or more returns to earlier builds within ten minutes: a mass merge.
    Burst,
    /// A planned return to an earlier build, such as a toggle.
    PlannedUndo,
    /// It ended before it began.
    Clock,
    /// Imported from another system's past: no definition counts what was governed elsewhere and reported later.
    Imported,
}

impl Exclusion {
    /// All of them, in their order.
    pub const ALL: [Self; 6] = [
        Self::Skipped,
        Self::Rerun,
        Self::Burst,
        Self::PlannedUndo,
        Self::Clock,
        Self::Imported,
    ];

    /// The name in files and responses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Rerun => "rerun",
            Self::Burst => "burst",
            Self::PlannedUndo => "planned_undo",
            Self::Clock => "clock",
            Self::Imported => "imported",
        }
    }
}

/// The direction of better values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

impl Direction {
    /// The name in files and responses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
        }
    }
}

/// A level of maturity: a value that is at least as good as the limit has it. In the unit of the formula.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// `elite`, `high` or `medium`; what is worse than all limits is `low`.
    pub level: String,
    /// The worst value that still belongs to the level.
    pub limit: i64,
}

/// A metric: its description for people, and the formula, filter and limits that the code follows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// `change_failure_rate`.
    pub id: String,
    /// Grows with every change of the file.
    pub version: i64,
    /// The day from which this version is in force.
    pub since: Date,
    /// A name for people.
    pub title: String,
    /// The description, in sentences.
    pub words: String,
    /// How the value is computed.
    pub formula: Formula,
    /// The counted population.
    pub population: Population,
    /// The measure of each row.
    pub measure: Measure,
    /// A description of the rows that are counted.
    pub filter: String,
    /// The default window, in days.
    pub window_days: i64,
    /// The excluded rows by reason, each with a count.
    pub exclusions: Vec<Exclusion>,
    /// Below so many rows there is not enough data for a value.
    pub minimum: u64,
    /// The direction of better values.
    pub direction: Direction,
    /// The source of the definition.
    pub source: String,
    /// The levels of maturity, the best first; empty for none.
    #[serde(default, rename = "band")]
    pub bands: Vec<Band>,
    /// The digest of the file: `sha256:…`.
    #[serde(skip)]
    pub digest: String,
}

/// An earlier or present version of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The metric.
    pub id: &'static str,
    /// Its version.
    pub version: i64,
    /// The day from which it is in force.
    pub since: &'static str,
    /// The digest of its file.
    pub digest: &'static str,
}

impl Definition {
    /// Reads a definition; the error names the line.
    ///
    /// # Errors
    /// What is wrong with the file, in a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        Ok(Self {
            digest: proof::crypto::digest_text(text.as_bytes()),
            ..read
        })
    }

    /// The level of maturity of a value; `None` where the metric has no levels.
    #[must_use]
    pub fn level(&self, value: i64) -> Option<&str> {
        if self.bands.is_empty() {
            return None;
        }
        let is_as_good = |band: &&Band| match self.direction {
            Direction::Higher => value >= band.limit,
            Direction::Lower => value <= band.limit,
        };
        let found = self.bands.iter().find(is_as_good);
        Some(found.map_or("low", |band| band.level.as_str()))
    }

    /// Every version so far, the oldest first.
    #[must_use]
    pub fn versions(&self) -> Vec<Version> {
        versions().filter(|it| it.id == self.id).collect()
    }
}

/// Every version of every definition, in the order of `versions.txt`.
pub fn versions() -> impl Iterator<Item = Version> {
    VERSIONS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some(Version {
                id: words.next()?,
                version: words.next()?.parse().ok()?,
                since: words.next()?,
                digest: words.next()?,
            })
        })
}

/// Every definition, in the order in which they are shown.
#[must_use]
pub fn all() -> &'static [Definition] {
    static ALL: OnceLock<Vec<Definition>> = OnceLock::new();
    ALL.get_or_init(|| compiled_in(FILES))
}

/// The versions before those of [`all`], the oldest first.
fn earlier() -> &'static [Definition] {
    static EARLIER_ONES: OnceLock<Vec<Definition>> = OnceLock::new();
    EARLIER_ONES.get_or_init(|| {
        let mut all = compiled_in(EARLIER);
        all.sort_by_key(|it| it.version);
        all
    })
}

fn compiled_in(files: &[&str]) -> Vec<Definition> {
    let read = files.iter().map(|text| Definition::parse(text));
    read.collect::<Result<_, _>>()
        .expect("a test reads every definition that is compiled in")
}

/// The versions of a metric that were in force in a window, each with its part of it, the oldest first. A version is in force
/// from the beginning of its day in the zone; the time before the first version follows the first. A window of one version has
/// one part.
#[must_use]
pub fn parts(definition: &'static Definition, window: Window, zone: &TimeZone) -> Vec<(&'static Definition, Window)> {
    let before = earlier().iter().filter(|it| it.id == definition.id);
    let versions: Vec<&Definition> = before.chain([definition]).collect();
    split(&versions, window, zone)
}

/// The parts of a window under versions, the oldest version first.
fn split<'d>(versions: &[&'d Definition], window: Window, zone: &TimeZone) -> Vec<(&'d Definition, Window)> {
    let begins = |it: &Definition| it.since.to_zoned(zone.clone()).map_or(window.from, |at| at.timestamp());
    let part = |(at, version): (usize, &&'d Definition)| {
        let from = match at {
            0 => window.from,
            _ => begins(version).max(window.from),
        };
        let to = versions
            .get(at + 1)
            .map_or(window.to, |next| begins(next).min(window.to));
        (from < to).then_some((*version, Window { from, to }))
    };
    versions.iter().enumerate().filter_map(part).collect()
}

/// The definition with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Definition> {
    all().iter().find(|it| it.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_is_read_and_is_the_last_of_its_versions() {
        let mut ids = Vec::new();
        for definition in all() {
            let last = definition.versions().pop().expect("a version");
            assert_eq!(
                (last.version, last.digest),
                (definition.version, definition.digest.as_str()),
                "{}: a changed file needs a new version, and a new line in versions.txt",
                definition.id
            );
            assert_eq!(last.since, definition.since.to_string());
            assert!(
                definition.window_days > 0 && definition.minimum > 0,
                "{}",
                definition.id
            );
            ids.push(definition.id.as_str());
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), FILES.len(), "each id once");
        assert!(
            versions().all(|it| find(it.id).is_some()),
            "no version of a metric that is gone"
        );
    }

    #[test]
    fn every_version_has_its_file_and_none_was_changed_afterwards() {
        let files: Vec<(&str, i64, &str)> = earlier()
            .iter()
            .chain(all())
            .map(|it| (it.id.as_str(), it.version, it.digest.as_str()))
            .collect();
        for version in versions() {
            let found = files.contains(&(version.id, version.version, version.digest));
            assert!(
                found,
                "{} {}: its file is gone or was changed",
                version.id, version.version
            );
        }
        assert_eq!(versions().count(), files.len(), "no file without a line");
    }

    fn at(text: &str) -> jiff::Timestamp {
        text.parse().expect("a time")
    }

    fn version(number: i64, since: &str) -> Definition {
        Definition {
            version: number,
            since: since.parse().expect("a day"),
            ..find("success_share").expect("known").clone()
        }
    }

    /// The versions of the parts, each with the day and hour on which its part begins.
    fn told(versions: &[Definition], (from, to): (&str, &str), zone: &TimeZone) -> Vec<(i64, String)> {
        let versions: Vec<&Definition> = versions.iter().collect();
        let window = Window {
            from: at(from),
            to: at(to),
        };
        let parts = split(&versions, window, zone);
        let ends = parts.windows(2).all(|pair| pair[0].1.to == pair[1].1.from);
        let is_whole = parts.first().map(|it| it.1.from) == Some(window.from);
        assert!(ends && is_whole && parts.last().map(|it| it.1.to) == Some(window.to));
        parts
            .iter()
            .map(|(it, part)| (it.version, part.from.to_string()))
            .collect()
    }

    #[test]
    fn a_definition_that_changed_within_a_window_splits_it_by_version() {
        let all = [
            version(1, "2026-01-01"),
            version(2, "2026-11-10"),
            version(3, "2026-11-20"),
        ];
        let november = ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z");
        let found = told(&all, november, &TimeZone::UTC);
        let versions: Vec<i64> = found.iter().map(|it| it.0).collect();
        assert_eq!(versions, [1, 2, 3]);
        assert_eq!(found[1].1, "2026-11-10T00:00:00Z");
        // A day begins earlier in Oslo.
        let oslo = TimeZone::get("Europe/Oslo").expect("a zone");
        assert_eq!(told(&all, november, &oslo)[1].1, "2026-11-09T23:00:00Z");
        // The time before the first version follows the first, and a future version is not shown.
        let before = told(&all, ("2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"), &TimeZone::UTC);
        assert_eq!(before, [(1, "2020-01-01T00:00:00Z".to_owned())]);
        // A window that begins on the very day of a version has nothing of the one before.
        let since = told(&all, ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"), &TimeZone::UTC);
        assert_eq!(since.len(), 1);
        assert_eq!(since[0].0, 3);
    }

    #[test]
    fn a_level_is_the_best_whose_limit_is_kept() {
        let level = |id: &str, value| find(id).expect("known").level(value);
        assert_eq!(level("change_failure_rate", 50_000), Some("elite"));
        assert_eq!(level("change_failure_rate", 50_001), Some("high"));
        assert_eq!(level("change_failure_rate", 400_000), Some("low"));
        assert_eq!(level("deployment_frequency", 1_500), Some("elite"));
        assert_eq!(level("deployment_frequency", 10), Some("low"));
        assert_eq!(level("success_share", 10), None);
    }

    #[test]
    fn a_wrong_file_is_told_with_its_field() {
        let wrong = FILES[0].replace("minimum", "minimal");
        let why = Definition::parse(&wrong).expect_err("an unknown field");
        assert!(why.contains("minimal"), "{why}");
    }
}
