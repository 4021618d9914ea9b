//! Figures over real deployments, counted independently in Python: `data/govuk_deployments_2022_2024` and
//! `data/puppet_changes_2011_2021` of the folder that is shared beside the project. Where that folder is not, nothing is compared.
//!
//! Run with `--features foreign` and `ASSENT_TEST_PYTHON` naming a Python interpreter.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it fails")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use jiff::Timestamp;
use model::core::enums::{Category, Kind, Level, Outcome, State};
use model::report::change_outcome::{ChangeOutcome, TargetOutcome};
use model::report::control_chart::{BASELINE_WEEKS, chart};
use model::report::definition::{self, Exclusion};
use model::report::evaluate::{Question, Window, evaluate};
use model::report::figure::by_group;
use model::report::population::{Dimension, Facts, RowFilter};
use model::report::share_chart::share_chart;

const GOVUK: &str = "govuk_deployments_2022_2024.csv.gz";
const PUPPET: &str = "puppet_changes_2011_2021.csv.gz";

/// The shared data, where it lies beside the project or where a variable names it.
fn data(name: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/data"));
    let folder = std::env::var_os("ASSENT_TEST_SHARED_DATA").map_or(beside, PathBuf::from);
    Some(folder.join(name)).filter(|path| path.exists())
}

/// The output of a program.
fn python(program: &str, path: &std::path::Path) -> String {
    let python = std::env::var_os("ASSENT_TEST_PYTHON").expect("ASSENT_TEST_PYTHON must name a Python interpreter");
    let done = Command::new(python).arg("-c").arg(program).arg(path).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// Prints the production rows unchanged.
const PLAIN: &str = "
import csv, gzip, sys
for row in csv.DictReader(gzip.open(sys.argv[1], 'rt')):
    if row['environment'] == 'production':
        print(row['time'], row['service'], row['tag'])
";

/// Counts deployments, failures, bursts and reruns by service and month, by the documented rules and without the product's
/// code.
const COUNTED: &str = "
import csv, gzip, sys, bisect
from datetime import datetime, timedelta as td
rows = []
for number, row in enumerate(r for r in csv.DictReader(gzip.open(sys.argv[1], 'rt')) if r['environment'] == 'production'):
    rows.append((datetime.fromisoformat(row['time'].replace('Z', '+00:00')), number, row['service'], row['tag']))
rows.sort()
first = rows[0][0].replace(day=1, hour=0, minute=0, second=0)
month = first
while month <= rows[-1][0]:
    end = (month + td(days=32)).replace(day=1)
    seen = [r for r in rows if month - td(days=90) <= r[0] < end + td(days=30)]
    places = {}
    for r in seen:
        places.setdefault(r[2], []).append(r)
    out, returns = {}, []
    for service, its in places.items():
        for one, other in zip(its, its[1:]):
            if one[3] == other[3] and other[0] - one[0] <= td(hours=24):
                out[one[1]] = 'rerun'
        known, last = set(), None
        for r in its:
            if r[1] in out:
                continue
            if last and r[3] != last[3] and r[3] in known:
                returns.append((r, last))
            known.add(r[3])
            last = r
    returns.sort()
    for at in range(len(returns) - 4):
        if returns[at + 4][0][0] - returns[at][0][0] <= td(minutes=10):
            for back, _ in returns[at:at + 5]:
                out[back[1]] = 'burst'
    failed = {taken[1] for back, taken in returns if out.get(back[1]) != 'burst' and back[0] - taken[0] <= td(days=7)}
    count = {}
    for r in seen:
        if month <= r[0] < end:
            c = count.setdefault(r[2], [0, 0, 0, 0])
            why = out.get(r[1])
            if why == 'burst':
                c[2] += 1
            elif why == 'rerun':
                c[3] += 1
            else:
                c[0] += 1
                c[1] += r[1] in failed
    for service, c in sorted(count.items()):
        print(month.strftime('%Y-%m-%dT00:00:00Z'), end.strftime('%Y-%m-%dT00:00:00Z'), service, *c)
    month = end
";

fn row(number: i64, time: &str, service: &str, tag: &str) -> ChangeOutcome {
    let at: Timestamp = time.parse().unwrap();
    ChangeOutcome {
        change: number.to_string(),
        version: 1,
        number,
        key: format!("CHG-{number}"),
        kind: Kind::Normal,
        category: Category::Application,
        risk: Level::Low,
        state: State::Closed,
        team: None,
        template: None,
        implementers: Vec::new(),
        outcome: Some(Outcome::Succeeded),
        succeeded: Some(true),
        incidents: Vec::new(),
        fails_by_incidents: false,
        is_piped: false,
        root_cause: None,
        cause: None,
        cause_by_rule: None,
        is_cause_confirmed: false,
        is_rework: false,
        follows: Vec::new(),
        undo_from: None,
        created_at: at,
        submitted_at: None,
        assessed_at: None,
        approved_at: None,
        started_at: Some(at),
        ended_at: Some(at),
        closed_at: None,
        targets: vec![TargetOutcome {
            target: "1".to_owned(),
            service: service.into(),
            environment: "production".into(),
            build: Some(tag.to_owned()),
            outcome: Some(Outcome::Succeeded),
            failed: Some(false),
            fails_by_incidents: false,
            was_rolled_back: false,
            started_at: Some(at),
            ended_at: Some(at),
        }],
        approvals: Vec::new(),
    }
}

#[test]
fn figures_of_each_service_in_each_month_are_those_of_an_independent_count() {
    let Some(path) = data(GOVUK) else {
        println!("the shared data is not here");
        return;
    };
    let plain = python(PLAIN, &path);
    let rows: Vec<ChangeOutcome> = plain
        .lines()
        .zip(0..)
        .map(|(line, number)| {
            let parts: Vec<&str> = line.split(' ').collect();
            row(number, parts[0], parts[1], parts[2])
        })
        .collect();
    assert!(rows.len() > 5_000, "{} deployments", rows.len());
    let mut wanted: BTreeMap<(String, String), BTreeMap<String, [u64; 4]>> = BTreeMap::new();
    for line in python(COUNTED, &path).lines() {
        let parts: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| parts[at].parse::<u64>().unwrap();
        let month = (parts[0].to_owned(), parts[1].to_owned());
        let of_month = wanted.entry(month).or_default();
        of_month.insert(parts[2].to_owned(), [number(3), number(4), number(5), number(6)]);
    }
    let facts = Facts {
        production: ["production".into()].into(),
        ..Facts::default()
    };
    let definition = definition::find("change_failure_rate").unwrap();
    let (mut compared, mut sums) = (0, [0_u64; 4]);
    for ((from, to), services) in &wanted {
        let window = Window {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        };
        let filter = RowFilter::default();
        let question = Question {
            definition,
            window,
            filter: &filter,
            by: Some(Dimension::Service),
        };
        let counted = evaluate(&question, &rows, &facts);
        let found = by_group(definition, &counted, window);
        let out = |it: &model::report::figure::Figure, why| it.excluded.get(&why).copied().unwrap_or_default();
        let found: BTreeMap<String, [u64; 4]> = found
            .into_iter()
            .map(|(name, it)| {
                let counts = [it.of, it.hits, out(&it, Exclusion::Burst), out(&it, Exclusion::Rerun)];
                (name, counts)
            })
            .collect();
        assert_eq!(&found, services, "{from}");
        compared += found.len();
        for counts in found.values() {
            for (sum, count) in sums.iter_mut().zip(counts) {
                *sum += count;
            }
        }
    }
    println!("{compared} figures; deployments, failures, bursts, reruns: {sums:?}");
    assert!(
        compared > 1_000 && sums[1] > 20 && sums[2] > 50,
        "{compared} figures, {sums:?}"
    );
}

/// Prints how many changes each whole week has.
const WEEKS: &str = "
import csv, gzip, sys
from datetime import date, timedelta as td
weeks = {}
for row in csv.DictReader(gzip.open(sys.argv[1], 'rt')):
    day = date.fromisoformat(row['committed_at'][:10])
    monday = day - td(days=day.weekday())
    weeks[monday] = weeks.get(monday, 0) + 1
monday, last = min(weeks) + td(days=7), max(weeks)
while monday < last:
    print(weeks.get(monday, 0))
    monday += td(days=7)
";

#[test]
fn the_chart_of_a_real_volume_alarms_in_few_weeks_where_a_c_chart_alarms_in_many() {
    let Some(path) = data(PUPPET) else {
        println!("the shared data is not here");
        return;
    };
    let weeks: Vec<u32> = python(WEEKS, &path).lines().map(|line| line.parse().unwrap()).collect();
    let drawn = chart(&weeks);
    let judged = weeks.len() - BASELINE_WEEKS;
    let out = drawn.weeks.iter().filter(|week| week.is_out).count();
    // A c-chart takes the mean of the weeks before for the variance.
    let is_out_of_c = |at: usize| {
        let before = &weeks[at - BASELINE_WEEKS..at];
        let mean = before.iter().map(|it| f64::from(*it)).sum::<f64>() / 26.0;
        (f64::from(weeks[at]) - mean).abs() > 3.0 * mean.sqrt()
    };
    let plain = (BASELINE_WEEKS..weeks.len()).filter(|at| is_out_of_c(*at)).count();
    println!("{out} of {judged} weeks alarm, {plain} on a c-chart");
    assert!(judged > 400 && out * 100 <= judged * 6, "{out} of {judged}");
    assert!(plain > 3 * out, "{plain} against {out}");
}

/// Prints hits and all of each whole week, with the limits of a p chart and of Laney's p′ chart as his paper defines them, in
/// parts per million: hits are changes that were reverted.
const SHARES: &str = "
import csv, gzip, sys
from datetime import date, timedelta as td
from fractions import Fraction
weeks = {}
for row in csv.DictReader(gzip.open(sys.argv[1], 'rt')):
    day = date.fromisoformat(row['committed_at'][:10])
    monday = day - td(days=day.weekday())
    x, n = weeks.get(monday, (0, 0))
    weeks[monday] = (x + (row['reverted_at'] != ''), n + 1)
monday, last = min(weeks) + td(days=7), max(weeks)
series = []
while monday < last:
    series.append(weeks.get(monday, (0, 0)))
    monday += td(days=7)
centre = float(Fraction(sum(x for x, n in series), sum(n for x, n in series)))
sd = lambda n: (centre * (1 - centre) / n) ** 0.5
z = [(x / n - centre) / sd(n) for x, n in series if n]
sigma_z = sum(abs(a - b) for a, b in zip(z[1:], z)) / (len(z) - 1) / 1.128
for x, n in series:
    if n == 0:
        print(x, n)
        continue
    cut = lambda k: (max(0.0, centre - k * sd(n)), min(1.0, centre + k * sd(n)))
    print(x, n, *(round(it * 1e6) for k in (3, 3 * sigma_z) for it in cut(k)))
print('spread', round(sigma_z * 1000))
";

#[test]
fn limits_of_a_real_share_are_those_of_an_independent_calculation() {
    let Some(path) = data(PUPPET) else {
        println!("the shared data is not here");
        return;
    };
    let told = python(SHARES, &path);
    let (mut weeks, mut wanted, mut spread) = (Vec::new(), Vec::new(), None);
    for line in told.lines() {
        if let Some(milli) = line.strip_prefix("spread ") {
            spread = Some(milli.parse::<i64>().unwrap());
            continue;
        }
        let numbers: Vec<i64> = line.split(' ').map(|it| it.parse().unwrap()).collect();
        weeks.push((u32::try_from(numbers[0]).unwrap(), u32::try_from(numbers[1]).unwrap()));
        wanted.push(numbers.get(2..6).map(<[i64]>::to_vec));
    }
    let drawn = share_chart(&weeks);
    assert_eq!(drawn.spread_milli, spread);
    for (week, wanted) in drawn.weeks.iter().zip(&wanted) {
        let found = week.plain.zip(week.limits);
        let found = found.map(|(plain, wide)| [plain.0, plain.1, wide.0, wide.1]);
        assert_eq!(found.is_some(), wanted.is_some(), "{week:?}");
        for (one, other) in found.iter().flatten().zip(wanted.iter().flatten()) {
            // Two ways to round the last bit of a float.
            assert!(one.abs_diff(*other) <= 1, "{week:?}: {wanted:?}");
        }
    }
    let plain = drawn.weeks.iter().filter(|week| week.is_out_of_plain).count();
    let wide = drawn.weeks.iter().filter(|week| week.is_out).count();
    println!(
        "{wide} of {} weeks lie outside of a p′ chart, {plain} of a p chart, {spread:?}",
        weeks.len()
    );
    assert!(weeks.len() > 400 && wide <= plain, "{wide} against {plain}");
}
