//! The figures that `bench --risk` prints of predictions, beside those that scikit-learn finds for the same predictions.
//!
//! Run with `ASSENT_TEST_PYTHON` naming a Python interpreter.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it fails")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use tests::dice::Dice;
use tests::scores::{BINS, Prediction, area, brier, calibration_error};

/// Reads one prediction in millionths and one outcome from each line; prints Brier's score, the area under the curve, and the mean
/// distance of the points of the calibration curve from the diagonal, over bins of equal size.
const JUDGE: &str = r#"
import sys
import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, roc_auc_score

bins = int(sys.argv[1])
rows = np.array([[int(part) for part in line.split()] for line in sys.stdin])
predicted, failed = rows[:, 0] / 1e6, rows[:, 1]
observed, expected = calibration_curve(failed, predicted, n_bins=bins, strategy='quantile')
print(brier_score_loss(failed, predicted))
print(roc_auc_score(failed, predicted))
print(100 * np.abs(observed - expected).mean())
"#;

/// What scikit-learn says of predictions.
fn judged(told: &[Prediction]) -> [f64; 3] {
    let python = std::env::var_os("ASSENT_TEST_PYTHON").expect("ASSENT_TEST_PYTHON must name a Python interpreter");
    let mut child = Command::new(python)
        .args(["-c", JUDGE, &BINS.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut text = String::new();
    for (ppm, failed) in told {
        writeln!(text, "{ppm} {}", u8::from(*failed)).unwrap();
    }
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "scikit-learn has no answer");
    let answer = String::from_utf8(done.stdout).unwrap();
    let figures: Vec<f64> = answer.lines().map(|line| line.parse().unwrap()).collect();
    figures.try_into().unwrap()
}

fn must_be_near(what: &str, own: f64, theirs: f64) {
    assert!(
        (own - theirs).abs() < 1e-9,
        "{what}: {own} here, {theirs} by scikit-learn"
    );
}

/// A thousand changes of which few fail, each with a prediction of its own that is somewhat right. Bins of equal size are the same for
/// both where no two predictions are.
#[test]
fn brier_area_and_calibration_are_those_of_scikit_learn() {
    for seed in 1..=5 {
        let mut dice = Dice::new(seed);
        let mut told: Vec<Prediction> = Vec::new();
        for number in 0..1_000_i64 {
            let ppm = number * number / 4 + number;
            let failed = i64::try_from(dice.roll(1_000_000)).unwrap() < ppm * 2 / 3 + 20_000;
            told.push((ppm, failed));
        }
        let [their_brier, their_area, their_distance] = judged(&told);
        must_be_near("Brier", brier(&told), their_brier);
        must_be_near("area", area(&told), their_area);
        must_be_near("calibration, in points", calibration_error(&told), their_distance);
    }
}

/// Equal predictions count half in the area under the curve, as the base rate alone shows.
#[test]
fn equal_predictions_are_judged_alike() {
    let mut dice = Dice::new(7);
    let mut told: Vec<Prediction> = Vec::new();
    for _ in 0..1_000 {
        let ppm = *dice.pick(&[10_000, 20_000, 50_000, 200_000]);
        told.push((ppm, dice.roll(1_000_000) < usize::try_from(ppm).unwrap() * 2));
    }
    let [their_brier, their_area, _] = judged(&told);
    must_be_near("Brier", brier(&told), their_brier);
    must_be_near("area", area(&told), their_area);
    let flat: Vec<Prediction> = told.iter().map(|(_, failed)| (43_000, *failed)).collect();
    must_be_near("area of one prediction", area(&flat), 0.5);
}
