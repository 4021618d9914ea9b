//! How well candidates of incidents are ranked on a public history, and how true the probability of the first is.
//!
//! An incident is a revert of a change that was no planned undo, on the module of that change; its candidates are all changes
//! of the seven days before. The product's ranking knows no dependencies here, so every other module is four arrows away. Each
//! quarter of 2019 to 2021 is predicted by a fit of the first candidates from 2014 up to its begin, as people would have judged
//! them.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Result, ensure};
use jiff::Timestamp;
use model::core::enums::{Kind, Level};
use model::incident::cause_fit::{Label, fit, leads};
use model::incident::what_changed::{Happening, Ranked, order, rank};

use super::risk::{read, seconds};
use ::tests::scores::calibration_error;

/// So many days before an incident its candidates are looked for.
const DAYS: i64 = 7;
/// A day, in seconds.
const DAY: i64 = 86_400;
/// A quarter, in seconds: so long a fit is in force.
const QUARTER: i64 = 91 * DAY;

/// By so many points the surer half is right more often than the latest change on the same module.
const SURER_BY: f64 = 5.0;
/// The largest difference, in points, between predicted and true probability of the first.
const MOST_ERROR: f64 = 5.0;

/// A change of the history.
#[derive(Debug, Clone)]
struct Row {
    at: i64,
    key: String,
    module: String,
    /// When it was reverted, where that was no planned undo and it is no revert itself.
    reverted_at: Option<i64>,
}

/// The ranking of one incident.
#[derive(Debug, Clone)]
struct Ranking {
    at: i64,
    incident: String,
    first: String,
    points: i64,
    lead: i64,
    is_near: bool,
    /// Whether the first of the ranking was the change that was reverted.
    is_right: bool,
    /// Whether the latest change on the same module was; without one, the latest of all.
    is_latest_right: bool,
}

/// Measures, prints the table, and fails where a figure misses its target.
pub fn measure(folder: &Path) -> Result<()> {
    let rows = read_rows(&folder.join("puppet_changes_2011_2021.csv.gz"))?;
    let (from, split, end) = (
        seconds("2014-01-01T00:00:00Z")?,
        seconds("2019-01-01T00:00:00Z")?,
        seconds("2022-01-01T00:00:00Z")?,
    );
    let all = answers(&rows)?;
    let (before, after): (Vec<Ranking>, Vec<Ranking>) = all
        .into_iter()
        .filter(|it| (from..end).contains(&it.at))
        .partition(|it| it.at < split);
    ensure!(
        !after.is_empty(),
        "the history has no incident in the time that is kept back"
    );
    println!(
        "| Candidates on operations-puppet, {} incidents | |\n|---|---|",
        after.len()
    );
    let (latest, own) = (
        percent(&after, |it| it.is_latest_right),
        percent(&after, |it| it.is_right),
    );
    println!("| first right: latest change on the same module | {latest:.1} % |");
    println!("| first right: the product's ranking | {own:.1} % |");
    let told = told_each_quarter(&before, &after, (split, end));
    let (surest, error) = print_surest(&told, after.len());
    check((latest, own), surest, error)
}

/// Fails where the first is right less often than the latest change on the same module, where the surer half is not surer by enough,
/// or where the probability is not true enough.
fn check((latest, own): (f64, f64), surest: f64, error: f64) -> Result<()> {
    ensure!(
        own >= latest,
        "the first is right in {own:.1} %, below the latest change on the same module"
    );
    ensure!(
        surest >= latest + SURER_BY,
        "the surer half is right in {surest:.1} %, not {SURER_BY} points above the latest change"
    );
    ensure!(
        error <= MOST_ERROR,
        "the calibration error is {error:.1} points, above {MOST_ERROR}"
    );
    Ok(())
}

/// The probability of the first candidate of each incident, by the fit of its quarter, which knows the incidents before it
/// alone.
fn told_each_quarter(before: &[Ranking], after: &[Ranking], (split, end): (i64, i64)) -> Vec<(i64, bool)> {
    let (mut known, mut told, mut from) = (before.to_vec(), Vec::new(), split);
    while from < end {
        let until = from + QUARTER;
        let part: Vec<&Ranking> = after.iter().filter(|it| (from..until).contains(&it.at)).collect();
        if let Some(curve) = fit(&labels(&known), Vec::new()).curve {
            told.extend(
                part.iter()
                    .map(|it| (curve.ppm(it.points, it.lead, it.is_near), it.is_right)),
            );
        }
        known.extend(part.into_iter().cloned());
        from = until;
    }
    told
}

/// How often the first is right in the half of which the product is surest, and how true its probability is. Without a probability
/// there is no such half.
fn print_surest(told: &[(i64, bool)], incidents: usize) -> (f64, f64) {
    let mut sorted = told.to_vec();
    sorted.sort_by_key(|(ppm, _)| std::cmp::Reverse(*ppm));
    let half = &sorted[..sorted.len().div_ceil(2)];
    let right = half.iter().filter(|(_, is_right)| *is_right).count();
    println!("| incidents with a probability | {} of {incidents} |", told.len());
    let surest = share(right, half.len());
    println!("| first right, of the half of which it is surest | {surest:.1} % |");
    if told.is_empty() {
        return (surest, 0.0);
    }
    let error = calibration_error(told);
    println!("| calibration error of the first place | {error:.1} points |");
    (surest, error)
}

fn share(count: usize, of: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count of rows")]
    let share = count as f64 / of.max(1) as f64 * 100.0;
    share
}

fn percent(answers: &[Ranking], is: impl Fn(&Ranking) -> bool) -> f64 {
    share(answers.iter().filter(|it| is(it)).count(), answers.len())
}

fn labels(answers: &[Ranking]) -> Vec<Label> {
    let label = |it: &Ranking| Label {
        incident: it.incident.clone(),
        change: it.first.clone(),
        points: it.points,
        lead: it.lead,
        is_near: it.is_near,
        confirmed: it.is_right,
    };
    answers.iter().map(label).collect()
}

/// The ranking of every incident of a history, which is in the order of time.
fn answers(rows: &[Row]) -> Result<Vec<Ranking>> {
    let mut found = Vec::new();
    for cause in rows {
        let Some(at) = cause.reverted_at else { continue };
        let begin = rows.partition_point(|row| row.at < at - DAYS * DAY);
        let end = rows.partition_point(|row| row.at < at);
        found.extend(answer(cause, at, &rows[begin..end])?);
    }
    Ok(found)
}

fn answer(cause: &Row, at: i64, window: &[Row]) -> Result<Option<Ranking>> {
    let time = Timestamp::from_second(at)?;
    let mut ranked: Vec<(Ranked, Happening, &Row)> = Vec::new();
    for row in window {
        let happening = happening(row, &cause.module)?;
        ranked.push((rank(&happening, time), happening, row));
    }
    ranked
        .sort_by(|one, other| order((&one.0, &one.1), (&other.0, &other.1)).then_with(|| other.2.key.cmp(&one.2.key)));
    let Some((first, _, row)) = ranked.first() else {
        return Ok(None);
    };
    let points: Vec<i64> = ranked.iter().take(2).map(|(it, _, _)| it.score).collect();
    let own = window.iter().rev().find(|it| it.module == cause.module);
    let latest = own.or(window.last());
    Ok(Some(Ranking {
        at,
        incident: format!("{}:{at}", cause.key),
        first: row.key.clone(),
        points: first.score,
        lead: leads(&points).first().copied().unwrap_or_default(),
        is_near: row.module == cause.module,
        is_right: row.key == cause.key,
        is_latest_right: latest.is_some_and(|it| it.key == cause.key),
    }))
}

fn happening(row: &Row, module: &str) -> Result<Happening> {
    let at = Timestamp::from_second(row.at)?;
    Ok(Happening {
        began: at,
        ended: Some(at),
        distance: if row.module == module { 0 } else { 4 },
        kind: Some(Kind::Normal),
        risk: Some(Level::Low),
        forecast_ppm: None,
        failed: false,
        undone: false,
    })
}

fn read_rows(file: &Path) -> Result<Vec<Row>> {
    let mut found = Vec::new();
    for row in read(file)? {
        let text = |name: &str| row.get(name).cloned().unwrap_or_default();
        let is_none = |row: &HashMap<String, String>, name: &str| row.get(name).is_none_or(|it| it != "1");
        let is_failure = is_none(&row, "is_revert") && is_none(&row, "looks_planned_undo");
        let reverted = Some(text("reverted_at")).filter(|it| is_failure && !it.is_empty());
        found.push(Row {
            at: seconds(&text("committed_at"))?,
            key: text("commit"),
            module: text("module"),
            reverted_at: reverted.map(|it| seconds(&it)).transpose()?,
        });
    }
    found.sort_by(|one, other| (one.at, &one.key).cmp(&(other.at, &other.key)));
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    /// Changes of five modules, one every ten minutes, of which every seventh is reverted after the given minutes.
    fn history(minutes: i64) -> Vec<Row> {
        let row = |number: i64| Row {
            at: number * 600,
            key: format!("c{number:05}"),
            module: format!("m{}", number % 5),
            reverted_at: (number % 7 == 0).then_some(number * 600 + minutes * 60),
        };
        (0..700).map(row).collect()
    }

    #[test]
    fn where_all_else_is_alike_the_first_is_the_latest_on_the_same_module() {
        for minutes in [5, 20, 55, 300] {
            let all = answers(&history(minutes)).unwrap();
            assert!(all.len() >= 95, "{}", all.len());
            assert!(all.iter().all(|it| it.is_right == it.is_latest_right), "{minutes}");
            // The next change of a module comes after fifty minutes.
            let wanted = minutes < 50;
            assert!(all.iter().all(|it| it.is_right == wanted), "{minutes}");
        }
    }

    #[test]
    fn a_figure_that_is_not_what_is_wanted_fails() {
        assert!(check((63.1, 63.1), 82.9, 4.2).is_ok());
        for (places, surest, error) in [
            ((63.1, 63.0), 82.9, 4.2),
            ((63.1, 63.1), 68.0, 4.2),
            ((63.1, 63.1), 82.9, 5.1),
        ] {
            assert!(check(places, surest, error).is_err());
        }
        assert!(
            check((0.0, 0.0), print_surest(&[], 1).0, 0.0).is_err(),
            "nothing was told"
        );
    }

    #[test]
    fn quick_reverts_are_told_as_likelier_than_late_ones() {
        let mut all = answers(&history(5)).unwrap();
        let late = answers(&history(300)).unwrap();
        all.extend(late.into_iter().map(|it| Ranking {
            incident: format!("late {}", it.incident),
            ..it
        }));
        let learned = fit(&labels(&all), Vec::new());
        assert!(learned.brier_ppm < learned.base_brier_ppm, "{learned:#?}");
        // After five minutes a change has 72 points and leads by 9, after fifty 63 and 3.
        let curve = learned.curve.unwrap();
        let (quick, slow) = (curve.ppm(72, 9, true), curve.ppm(63, 3, true));
        assert!(quick > 600_000 && slow < 400_000, "{quick} {slow} {curve:?}");
    }
}
