//! The definitions of the metrics, as files: one TOML file per metric in `crates/model/metrics`, compiled in. A definition has
//! a version and a digest; `versions.txt` keeps the digest of every version, so that a figure names exactly what it counted.

use std::sync::OnceLock;

use jiff::civil::Date;
use serde::Deserialize;

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

/// Every version of every definition.
const VERSIONS: &str = include_str!("../../metrics/versions.txt");

/// How the value is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Formula {
    /// Hits among all, in parts per million, with Wilson's interval.
    Share,
    /// The median in minutes, with an interval by order statistics.
    Median,
    /// How many per day, in thousandths, with a Poisson interval.
    PerDay,
    /// How many in each calendar week, with a control chart.
    PerWeek,
}

/// What is counted.
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

/// What is asked of each.
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

/// Why something that ended is not counted.
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

    /// The word in files and answers.
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

/// Which values are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

impl Direction {
    /// The word in files and answers.
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
    /// The worst value that still has it.
    pub limit: i64,
}

/// A metric: its words for people, and the formula, filter and limits that the code follows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// `change_failure_rate`.
    pub id: String,
    /// Grows with every change of the file.
    pub version: i64,
    /// The day from which this version counts.
    pub since: Date,
    /// A name for people.
    pub title: String,
    /// What it counts, in sentences.
    pub words: String,
    /// How the value is computed.
    pub formula: Formula,
    /// What is counted.
    pub population: Population,
    /// What is asked of each.
    pub measure: Measure,
    /// Which rows are looked at, in words.
    pub filter: String,
    /// The window unless another is asked for, in days.
    pub window_days: i64,
    /// What is not counted, each with a count.
    pub exclusions: Vec<Exclusion>,
    /// Below so many rows there is not enough data for a value.
    pub minimum: u64,
    /// Which values are better.
    pub direction: Direction,
    /// Where the definition comes from.
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
    /// From when it counts.
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

    /// Every version that there was, the oldest first.
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
    ALL.get_or_init(|| {
        let read = FILES.iter().map(|text| Definition::parse(text));
        read.collect::<Result<_, _>>()
            .expect("a test reads every definition that is compiled in")
    })
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
