//! The quality of predictions, beside the outcomes. scikit-learn is the judge of these figures (`tests/foreign_scores.rs`).

/// A prediction in millionths, and the outcome.
pub type Prediction = (i64, bool);

/// Into how many groups of like probability a calibration is divided.
pub const BINS: usize = 10;

fn share(ppm: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "millionths are exact in a double")]
    let share = ppm as f64 / 1e6;
    share
}

/// A count as a fraction.
pub fn number(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count of rows")]
    let number = count as f64;
    number
}

/// The mean square of prediction less outcome.
pub fn brier(told: &[Prediction]) -> f64 {
    let squares = told
        .iter()
        .map(|(ppm, failed)| (share(*ppm) - f64::from(u8::from(*failed))).powi(2));
    squares.sum::<f64>() / number(told.len())
}

/// The mean distance of predicted and observed failures over groups of like probability and equal size, in points.
pub fn calibration_error(told: &[Prediction]) -> f64 {
    let mut sorted = told.to_vec();
    sorted.sort_by_key(|(ppm, _)| *ppm);
    let mut sum = 0.0;
    for bin in 0..BINS {
        let rows = &sorted[sorted.len() * bin / BINS..sorted.len() * (bin + 1) / BINS];
        let predicted: f64 = rows.iter().map(|(ppm, _)| share(*ppm)).sum();
        sum += (predicted - number(rows.iter().filter(|row| row.1).count())).abs();
    }
    sum / number(told.len()) * 100.0
}

/// The probability that a failure is predicted above a success (area under the curve); equal predictions count half.
pub fn area(told: &[Prediction]) -> f64 {
    let mut sorted = told.to_vec();
    sorted.sort_by_key(|(ppm, _)| *ppm);
    let failed = number(told.iter().filter(|row| row.1).count());
    let (mut ranks, mut from) = (0.0, 0);
    while from < sorted.len() {
        let same = sorted[from..].iter().take_while(|row| row.0 == sorted[from].0).count();
        let middle = number(from) + (number(same) + 1.0) / 2.0;
        ranks += middle * number(sorted[from..from + same].iter().filter(|row| row.1).count());
        from += same;
    }
    (ranks - failed * (failed + 1.0) / 2.0) / (failed * (number(told.len()) - failed))
}
