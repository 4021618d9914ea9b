//! How well the product's own model of failure forecasts on public histories, beside the base rate and a score in points: the
//! table of the data folder's README. Training is before, testing after; there is no other split.
//!
//! The histories are read from a folder beside the repository and are no part of it. Only features known before the change are
//! used, and no person. A figure that misses its bound fails the program, after the whole table is printed.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::path::Path;

use ::tests::scores::{Prediction, area, brier, calibration_error, number};
use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;
use jiff::Timestamp;
use model::risk::forecast::base::Place;
use model::risk::forecast::environment::{EnvironmentModel, Feature};
use model::risk::forecast::fit::fit_alone;
use model::risk::forecast::fixed::log2_milli;
use model::risk::forecast::outcome::{DAY, Outcome};

/// The default folder of the histories, from the root of the repository.
pub const FOLDER: &str = "../shared/data";
/// A change that is reverted within so many days has failed.
const FAILS_WITHIN_DAYS: i64 = 7;
/// A quarter, in days.
const QUARTER_DAYS: i64 = 91;
/// The most rows of a history that are read.
const MOST_ROWS: usize = 1_000_000;

/// The least skill beside the base rate's Brier score, in percent; the model has to be above it.
const SKILL_ABOVE: f64 = 0.0;
/// The most points that predicted and observed failures of operations-puppet may lie apart.
const MOST_CALIBRATION_ERROR: f64 = 0.6;
/// The least area under the curve on operations-puppet.
const LEAST_AREA: f64 = 0.61;
/// The least share of failures among the riskiest fifth of operations-puppet, in percent.
const LEAST_CAUGHT: f64 = 29.0;
/// How far Brier's score may lie above that of the logistic baseline.
const ABOVE_BASELINE: f64 = 1.03;
/// Histories of defects, each with the Brier score of a logistic baseline without exp, rexp and sexp: the table of the data
/// folder's README.
const DEFECT_HISTORIES: [(&str, &str, f64); 2] = [
    ("OpenStack", "jit_openstack.csv.gz", 0.140),
    ("Qt", "jit_qt.csv.gz", 0.111),
];

/// A figure beside its bound and its floor, the same figure of the base rate.
#[derive(Debug, Clone, PartialEq)]
struct Bound {
    what: String,
    reached: f64,
    floor: f64,
    wanted: Wanted,
}

/// The bound of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wanted {
    Above(f64),
    Least(f64),
    Most(f64),
}

impl Wanted {
    /// Whether a figure meets the bound. A figure that is no number, as a share of no failures, never does.
    fn is_met(self, reached: f64) -> bool {
        match self {
            Self::Above(bound) => reached > bound,
            Self::Least(bound) => reached >= bound,
            Self::Most(bound) => reached <= bound,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Above(bound) => format!("above {bound:.4}"),
            Self::Least(bound) => format!("at least {bound:.4}"),
            Self::Most(bound) => format!("at most {bound:.4}"),
        }
    }
}

/// A change of a history as in its file.
#[derive(Debug, Clone)]
struct Row {
    at: i64,
    known_at: i64,
    place: Place,
    /// The author: for the score in points alone, never for the model.
    person: String,
    own: Vec<i64>,
    failed: bool,
}

/// Measures everything, prints it, and fails where a figure misses its bound.
pub fn measure(folder: &Path) -> Result<()> {
    println!("| Model | Brier | Skill | ECE, points | AUC | Caught 5/10/20/50 % |\n|---|---|---|---|---|---|");
    let mut bounds = puppet(folder)?;
    for (name, file, baseline) in DEFECT_HISTORIES {
        bounds.push(defects(name, &folder.join(file), baseline)?);
    }
    judge(&bounds)
}

/// Prints each figure beside its bound and its floor.
///
/// # Errors
/// When a figure misses its bound; all that do are named.
fn judge(bounds: &[Bound]) -> Result<()> {
    println!("\n| Figure | Reached | Base rate | Wanted | |\n|---|---|---|---|---|");
    let mut missed = Vec::new();
    for Bound {
        what,
        reached,
        floor,
        wanted,
    } in bounds
    {
        let met = wanted.is_met(*reached);
        let text = wanted.text();
        println!(
            "| {what} | {reached:.4} | {floor:.4} | {text} | {} |",
            if met { "met" } else { "not met" }
        );
        if !met {
            missed.push(format!("{what}: {reached:.4}, wanted {text}"));
        }
    }
    ensure!(missed.is_empty(), "{}", missed.join("; "));
    Ok(())
}

/// The bounds on operations-puppet, of the model that is fitted each quarter beside the base rate.
fn bounds_of_puppet(own: &[Prediction], flat: &[Prediction]) -> Vec<Bound> {
    let bound = |what: &str, figure: fn(&[Prediction]) -> f64, wanted: Wanted| Bound {
        what: format!("operations-puppet, fitted each quarter: {what}"),
        reached: figure(own),
        floor: figure(flat),
        wanted,
    };
    vec![
        Bound {
            what: "operations-puppet, fitted each quarter: skill, %".to_owned(),
            reached: (1.0 - brier(own) / brier(flat)) * 100.0,
            floor: 0.0,
            wanted: Wanted::Above(SKILL_ABOVE),
        },
        bound("ECE, points", calibration_error, Wanted::Most(MOST_CALIBRATION_ERROR)),
        bound("AUC", area, Wanted::Least(LEAST_AREA)),
        bound(
            "failures caught at 20 %, %",
            |told| caught(told, 20),
            Wanted::Least(LEAST_CAUGHT),
        ),
    ]
}

fn puppet(folder: &Path) -> Result<Vec<Bound>> {
    let rows = read_puppet(&folder.join("puppet_changes_2011_2021.csv.gz"))?;
    let (train_from, test_from, end) = (
        seconds("2014-01-01T00:00:00Z")?,
        seconds("2019-01-01T00:00:00Z")?,
        seconds("2022-01-01T00:00:00Z")?,
    );
    let outcomes: Vec<Outcome> = outcomes(&rows, with_past)
        .into_iter()
        .filter(|it| it.at >= train_from && it.known_at < end)
        .collect();
    let test: Vec<&Outcome> = outcomes.iter().filter(|it| it.at >= test_from).collect();
    let rate = rate(outcomes.iter().filter(|it| it.at < test_from));
    let flat: Vec<Prediction> = test.iter().map(|it| (rate, it.failed)).collect();
    let base = brier(&flat);
    println!(
        "| operations-puppet, {} changes, {} failed: base rate {} |",
        test.len(),
        test.iter().filter(|it| it.failed).count(),
        line(&flat, base)
    );
    println!(
        "| points per person (+3 success, -5 failure), raw {} |",
        line(&points(&rows, train_from, (test_from, end)), base)
    );
    let once = fit_alone(&outcomes, &PUPPET, test_from);
    println!("| the product's, fitted once {} |", line(&told(&once, &test), base));
    let (mut alone, mut quarterly, mut abstained) = (Vec::new(), Vec::new(), 0);
    let mut from = test_from;
    while from < end {
        let until = from + QUARTER_DAYS * DAY;
        let part: Vec<&Outcome> = test
            .iter()
            .copied()
            .filter(|it| it.at >= from && it.at < until)
            .collect();
        let fitted = fit_alone(&outcomes, &PUPPET, from);
        quarterly.extend(told(&fitted, &part));
        abstained += part
            .iter()
            .filter(|it| fitted.score(&it.place, &it.inputs).missing.is_some())
            .count();
        alone.extend(told(
            &EnvironmentModel {
                regression: None,
                ..fitted
            },
            &part,
        ));
        from = until;
    }
    println!("| the product's base alone, each quarter {} |", line(&alone, base));
    println!(
        "| **the product's, fitted each quarter** ({abstained} would abstain) {} |",
        line(&quarterly, base)
    );
    Ok(bounds_of_puppet(&quarterly, &flat))
}

/// OpenStack and Qt: the first 70 % of the time-ordered commits train, the rest tests. Brier's score has to be near the baseline's.
fn defects(name: &str, file: &Path, baseline: f64) -> Result<Bound> {
    let rows = read_defects(file)?;
    let split = rows.len() * 7 / 10;
    let begin = rows.get(split).map_or(i64::MAX, |row| row.at);
    let outcomes = outcomes(&rows, alone);
    let test: Vec<&Outcome> = outcomes.iter().filter(|it| it.at >= begin).collect();
    let rate = rate(outcomes.iter().filter(|it| it.at < begin));
    let flat: Vec<Prediction> = test.iter().map(|it| (rate, it.failed)).collect();
    let base = brier(&flat);
    println!("| {name}, {} commits: base rate {} |", test.len(), line(&flat, base));
    let own = told(&fit_alone(&outcomes, &DEFECTS, begin), &test);
    println!(
        "| {name}: the product's, without exp, rexp and sexp {} |",
        line(&own, base)
    );
    Ok(Bound {
        what: format!("{name}: Brier"),
        reached: brier(&own),
        floor: base,
        wanted: Wanted::Most(baseline * ABOVE_BASELINE),
    })
}

const fn feature(name: &'static str) -> Feature {
    Feature { name, rising: false }
}

/// The features of a change of operations-puppet: its own, then those of its past.
const PUPPET: [Feature; 19] = [
    feature("files"),
    feature("modules"),
    feature("entropy"),
    feature("added"),
    feature("deleted"),
    feature("hours_author_to_commit"),
    feature("message_chars"),
    feature("fix_word"),
    feature("has_bug_ref"),
    feature("touches_hiera"),
    feature("touches_tests"),
    feature("night"),
    feature("weekend"),
    feature("friday"),
    feature("size_per_file"),
    feature("hours_since_last"),
    feature("changes_of_a_week"),
    feature("failures_of_a_month"),
    feature("failures_everywhere"),
];

const DEFECTS: [Feature; 11] = [
    feature("ns"),
    feature("nd"),
    feature("nf"),
    feature("entropy"),
    feature("la"),
    feature("ld"),
    feature("lt"),
    feature("fix"),
    feature("ndev"),
    feature("age"),
    feature("nuc"),
];

/// The facts known before a change: earlier changes, and of failures those that had shown by then.
#[derive(Default)]
struct Past {
    by_service: HashMap<String, VecDeque<(i64, i64, bool)>>,
    failures: VecDeque<i64>,
    waiting: Vec<i64>,
}

impl Past {
    /// Takes note of a change, after its inputs were read.
    fn add(&mut self, row: &Row) {
        let rows = self.by_service.entry(row.place.service.clone()).or_default();
        rows.push_back((row.at, row.known_at, row.failed));
        while rows.front().is_some_and(|(at, _, _)| row.at - at > 60 * DAY) && rows.len() > 1 {
            rows.pop_front();
        }
        if row.failed {
            self.waiting.push(row.known_at);
        }
    }

    /// Failures anywhere that showed within a week before an instant.
    fn failures_everywhere(&mut self, at: i64) -> usize {
        let mut shown: Vec<i64> = self.waiting.extract_if(.., |known_at| *known_at < at).collect();
        shown.sort_unstable();
        self.failures.extend(shown);
        while self.failures.front().is_some_and(|known_at| at - known_at > 7 * DAY) {
            self.failures.pop_front();
        }
        self.failures.len()
    }
}

/// Reads the inputs of a change from itself and from its past.
type Reads = fn(&mut Past, &Row) -> Vec<i64>;

fn outcomes(rows: &[Row], reads: Reads) -> Vec<Outcome> {
    let mut past = Past::default();
    let outcome = |row: &Row| {
        let inputs = reads(&mut past, row);
        past.add(row);
        Outcome {
            at: row.at,
            known_at: row.known_at,
            place: row.place.clone(),
            inputs,
            failed: row.failed,
        }
    };
    rows.iter().map(outcome).collect()
}

fn alone(_: &mut Past, row: &Row) -> Vec<i64> {
    row.own.clone()
}

fn with_past(past: &mut Past, row: &Row) -> Vec<i64> {
    let everywhere = past.failures_everywhere(row.at);
    let rows = past.by_service.get(&row.place.service);
    let since = rows
        .and_then(|rows| rows.back())
        .map_or(24 * 365, |(at, _, _)| (row.at - at) / 3600);
    let within = |days: i64| {
        rows.into_iter()
            .flatten()
            .filter(move |(at, _, _)| row.at - at < days * DAY)
    };
    let shown =
        |(_, known_at, failed): &&(i64, i64, bool)| *failed && *known_at < row.at && row.at - known_at < 30 * DAY;
    let counted = |number: usize| log2_milli(i64::try_from(number).unwrap_or(i64::MAX));
    let mut inputs = row.own.clone();
    inputs.extend([
        log2_milli(since),
        counted(within(7).count()),
        counted(within(60).filter(shown).count()),
        counted(everywhere),
    ]);
    inputs
}

fn told(model: &EnvironmentModel, test: &[&Outcome]) -> Vec<Prediction> {
    test.iter()
        .map(|it| (model.score(&it.place, &it.inputs).ppm, it.failed))
        .collect()
}

/// The score in points that each person collects: 3 for a success, 5 less for a failure, from 50 within 0 and 100; the rest to
/// 100 is read as the probability of failure.
fn points(rows: &[Row], from: i64, (test_from, end): (i64, i64)) -> Vec<Prediction> {
    let mut by_person: HashMap<&str, i64> = HashMap::new();
    let mut shown: Vec<&Row> = rows.iter().filter(|row| row.at >= from && row.known_at < end).collect();
    let mut known = shown.clone();
    known.sort_by_key(|row| row.known_at);
    shown.sort_by_key(|row| row.at);
    let mut known = known.into_iter().peekable();
    let mut found = Vec::new();
    for row in shown {
        while let Some(ended) = known.next_if(|ended| ended.known_at < row.at) {
            let points = by_person.entry(&ended.person).or_insert(50);
            *points = (*points + if ended.failed { -5 } else { 3 }).clamp(0, 100);
        }
        if row.at >= test_from {
            let points = by_person.get(row.person.as_str()).copied().unwrap_or(50);
            found.push(((100 - points) * 10_000, row.failed));
        }
    }
    found
}

fn rate<'o>(outcomes: impl Iterator<Item = &'o Outcome>) -> i64 {
    let (mut all, mut failed) = (0, 0);
    for outcome in outcomes {
        all += 1;
        failed += i64::from(outcome.failed);
    }
    failed * 1_000_000 / all.max(1)
}

fn line(told: &[Prediction], base: f64) -> String {
    let [a, b, c, d] = [5, 10, 20, 50].map(|share| caught(told, share));
    format!(
        "| {:.5} | {:+.2} % | {:.2} | {:.3} | {a:.0}/{b:.0}/{c:.0}/{d:.0}",
        brier(told),
        (1.0 - brier(told) / base) * 100.0,
        calibration_error(told),
        area(told)
    )
}

/// The share of failures among the riskiest of so many percent, in percent.
fn caught(told: &[Prediction], percent: usize) -> f64 {
    let mut sorted = told.to_vec();
    sorted.sort_by_key(|(ppm, _)| *ppm);
    let riskiest = &sorted[sorted.len() - sorted.len() * percent / 100..];
    let failed = |rows: &[Prediction]| number(rows.iter().filter(|row| row.1).count());
    failed(riskiest) / failed(told) * 100.0
}

/// The seconds since 1970 of a time.
pub(super) fn seconds(time: &str) -> Result<i64> {
    let time: Timestamp = time.parse().with_context(|| format!("`{time}` is no time"))?;
    Ok(time.as_second())
}

/// The fields of each line by the names of the first; no field of these files holds a comma.
pub(super) fn read(file: &Path) -> Result<Vec<HashMap<String, String>>> {
    let opened = File::open(file).with_context(|| {
        format!(
            "{} cannot be opened; name the folder of the histories: --risk DIR",
            file.display()
        )
    })?;
    let text =
        std::io::read_to_string(GzDecoder::new(opened)).with_context(|| format!("{} is no gzip", file.display()))?;
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().context("the history is empty")?.split(',').collect();
    let mut found = Vec::new();
    for line in lines.take(MOST_ROWS) {
        let fields: Vec<&str> = line.split(',').collect();
        ensure!(
            fields.len() == names.len(),
            "a line of {} has {} fields",
            file.display(),
            fields.len()
        );
        found.push(
            names
                .iter()
                .zip(fields)
                .map(|(name, field)| ((*name).to_owned(), field.to_owned()))
                .collect(),
        );
    }
    Ok(found)
}

/// A number of a row in thousandths.
fn thousandths(row: &HashMap<String, String>, name: &str) -> i64 {
    let number: f64 = row.get(name).and_then(|it| it.parse().ok()).unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, reason = "counts of lines and hours are small")]
    let thousandths = (number * 1000.0).round() as i64;
    thousandths
}

fn logarithm(row: &HashMap<String, String>, name: &str) -> i64 {
    log2_milli(thousandths(row, name) / 1000)
}

fn read_puppet(file: &Path) -> Result<Vec<Row>> {
    let mut found = Vec::new();
    for row in read(file)? {
        let is = |name: &str| row.get(name).is_some_and(|it| it == "1");
        if is("is_revert") || is("looks_planned_undo") {
            continue;
        }
        let text = |name: &str| row.get(name).cloned().unwrap_or_default();
        let at = seconds(&text("committed_at"))?;
        let reverted = Some(text("reverted_at"))
            .filter(|it| !it.is_empty())
            .map(|it| seconds(&it))
            .transpose()?;
        let failed_at = reverted.filter(|reverted| reverted - at <= FAILS_WITHIN_DAYS * DAY);
        let (hour, weekday) = (at / 3600 % 24, (at / DAY + 4) % 7);
        let yes = |is: bool| i64::from(is) * 1000;
        let mut own: Vec<i64> = ["files", "modules"].map(|name| logarithm(&row, name)).into();
        own.push(thousandths(&row, "entropy"));
        own.extend(["added", "deleted", "hours_author_to_commit", "message_chars"].map(|name| logarithm(&row, name)));
        own.extend(["fix_word", "has_bug_ref", "touches_hiera", "touches_tests"].map(|name| yes(is(name))));
        own.extend([
            yes(!(6..20).contains(&hour)),
            yes(weekday == 0 || weekday == 6),
            yes(weekday == 5),
        ]);
        own.push(own[3] + own[4] - own[0]);
        found.push(Row {
            at,
            known_at: failed_at.unwrap_or(at + FAILS_WITHIN_DAYS * DAY),
            place: Place {
                kind: text("main_ext"),
                service: text("module"),
                team: String::new(),
            },
            person: text("person"),
            own,
            failed: failed_at.is_some(),
        });
    }
    found.sort_by_key(|row| row.at);
    Ok(found)
}

fn read_defects(file: &Path) -> Result<Vec<Row>> {
    let mut found = Vec::new();
    for row in read(file)? {
        let at = thousandths(&row, "date") / 1000;
        let mut own: Vec<i64> = ["ns", "nd", "nf"].map(|name| logarithm(&row, name)).into();
        own.push(thousandths(&row, "entrophy"));
        own.extend(["la", "ld", "lt"].map(|name| logarithm(&row, name)));
        own.push(thousandths(&row, "fix"));
        own.extend(["ndev", "age", "nuc"].map(|name| logarithm(&row, name)));
        found.push(Row {
            at,
            known_at: at,
            place: Place {
                kind: row.get("fix").cloned().unwrap_or_default(),
                ..Place::default()
            },
            person: String::new(),
            own,
            failed: row.get("bug").is_some_and(|it| it == "1"),
        });
    }
    found.sort_by_key(|row| row.at);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A history in which every fifth change of the one service fails and shows it three days later.
    fn rows() -> Vec<Row> {
        let row = |number: i64| Row {
            at: number * DAY / 2,
            known_at: number * DAY / 2 + 3 * DAY,
            place: Place {
                kind: "pp".to_owned(),
                service: format!("s{}", number % 2),
                team: String::new(),
            },
            person: String::new(),
            own: vec![number % 7 * 1000],
            failed: number % 5 == 0,
        };
        (0..200).map(row).collect()
    }

    /// Whether the inputs of some change are others than with everything left out that was not known before it.
    fn sees_the_future(reads: Reads) -> bool {
        let rows = rows();
        let whole = outcomes(&rows, reads);
        (0..rows.len()).step_by(7).any(|place| {
            let now = rows[place].at;
            let hide = |row: &Row| match row.known_at < now {
                true => row.clone(),
                false => Row {
                    failed: false,
                    known_at: i64::MAX,
                    ..row.clone()
                },
            };
            let known: Vec<Row> = rows[..=place].iter().map(hide).collect();
            outcomes(&known, reads)[place].inputs != whole[place].inputs
        })
    }

    #[test]
    fn no_input_comes_from_the_future_and_a_planted_one_is_found() {
        assert!(!sees_the_future(alone));
        assert!(!sees_the_future(with_past));
        assert!(sees_the_future(|_, row| vec![i64::from(row.failed) * 1000]));
        assert!(sees_the_future(|past, row| {
            let failed = past.by_service.values().flatten().filter(|it| it.2).count();
            vec![row.own[0], i64::try_from(failed).unwrap_or(0)]
        }));
    }

    #[test]
    fn figures_are_those_of_the_textbook() {
        let told = [(100_000, false), (400_000, false), (350_000, true), (800_000, true)];
        // The example of `roc_auc_score` in scikit-learn's documentation.
        assert!((brier(&told) - 0.158_125).abs() < 1e-9);
        assert!((area(&told) - 0.75).abs() < 1e-9);
        assert!((caught(&told, 50) - 50.0).abs() < 1e-9);
        let even = [(250_000, false), (250_000, false), (250_000, true), (250_000, false)];
        assert!((area(&even) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_figure_that_misses_its_bound_fails_and_is_named() {
        // Two hundred changes, of which the last twenty fail, as the model predicts; the base rate predicts the same of all.
        let own: Vec<Prediction> = (0..200)
            .map(|it| (if it < 180 { 1_000 } else { 999_000 }, it >= 180))
            .collect();
        let flat: Vec<Prediction> = own.iter().map(|(_, failed)| (100_000, *failed)).collect();
        let met = bounds_of_puppet(&own, &flat);
        assert_eq!(met.len(), 4);
        assert!(judge(&met).is_ok(), "{met:?}");
        // The base rate alone has no skill, no area and catches no more than chance.
        let error = judge(&bounds_of_puppet(&flat, &flat)).err().map(|it| format!("{it:#}"));
        let told = error.unwrap_or_default();
        assert!(told.contains("skill") && told.contains("AUC"), "{told}");
        for (place, worse) in [(0, 0.0), (1, 0.61), (2, 0.6), (3, 28.9), (3, f64::NAN)] {
            let mut bounds = met.clone();
            bounds[place].reached = worse;
            let told = judge(&bounds).err().map(|it| format!("{it:#}")).unwrap_or_default();
            assert!(told.starts_with(&bounds[place].what), "{told}");
        }
    }
}
