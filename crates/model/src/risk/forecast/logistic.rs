//! A logistic regression with a penalty on its coefficients, fitted by Newton's method in a fixed order of operations. Its
//! coefficients are rounded to whole numbers before anything is judged by them.

/// The most steps of Newton's method; it settles in fewer than ten.
const MOST_STEPS: usize = 25;
/// Below such a step it has settled.
const SETTLED: f64 = 1e-8;

/// One row: its base value (log-odds), its columns, its failure and its weight.
#[derive(Debug, Clone)]
pub struct Row {
    /// Log-odds before any column.
    pub offset: f64,
    /// The columns; the first is the constant.
    pub columns: Vec<f64>,
    /// Whether it failed.
    pub failed: bool,
    /// Its weight.
    pub weight: f64,
}

/// The known facts of a column before the fit.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The penalty on the square of its coefficient.
    pub penalty: f64,
    /// Whether a coefficient below zero is set to zero: more of it never makes a failure less likely.
    pub rising: bool,
}

/// Fits the coefficients. Columns that may only rise and would fall are removed, one after another, and the rest is fitted
/// again.
#[must_use]
pub fn fit(rows: &[Row], columns: &[Column]) -> Vec<f64> {
    let mut used: Vec<bool> = columns.iter().map(|_| true).collect();
    loop {
        let found = newton(rows, columns, &used);
        let falls = |at: &usize| columns[*at].rising && found[*at] < 0.0;
        let worst = (0..columns.len())
            .filter(falls)
            .min_by(|a, b| found[*a].total_cmp(&found[*b]));
        match worst {
            Some(at) => used[at] = false,
            None => return found,
        }
    }
}

fn newton(rows: &[Row], columns: &[Column], used: &[bool]) -> Vec<f64> {
    let places: Vec<usize> = (0..columns.len()).filter(|at| used[*at]).collect();
    let size = places.len();
    let mut found = vec![0.0; columns.len()];
    for _ in 0..MOST_STEPS {
        let mut gradient = vec![0.0; size];
        let mut curve = vec![vec![0.0; size]; size];
        for row in rows {
            add(row, &places, &found, &mut gradient, &mut curve);
        }
        for (at, place) in places.iter().enumerate() {
            gradient[at] -= columns[*place].penalty * found[*place];
            curve[at][at] += columns[*place].penalty + 1e-9;
        }
        let step = solve(curve, gradient);
        for (at, place) in places.iter().enumerate() {
            found[*place] += step[at].clamp(-2.0, 2.0);
        }
        if step.iter().all(|it| it.abs() < SETTLED) {
            break;
        }
    }
    found
}

fn add(row: &Row, places: &[usize], found: &[f64], gradient: &mut [f64], curve: &mut [Vec<f64>]) {
    let sum: f64 = places.iter().map(|place| found[*place] * row.columns[*place]).sum();
    let p = 1.0 / (1.0 + (-(row.offset + sum)).exp());
    let miss = row.weight * (f64::from(u8::from(row.failed)) - p);
    let slope = row.weight * p * (1.0 - p);
    for (at, place) in places.iter().enumerate() {
        let value = row.columns[*place];
        gradient[at] += miss * value;
        let part = slope * value;
        for (other, second) in places.iter().enumerate().take(at + 1) {
            curve[at][other] += part * row.columns[*second];
        }
    }
}

/// Solves a symmetric positive system of which the lower half is given (Cholesky).
fn solve(mut lower: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let size = right.len();
    for at in 0..size {
        for other in 0..=at {
            let mut sum = lower[at][other];
            for (left, right) in lower[at][..other].iter().zip(&lower[other]) {
                sum -= left * right;
            }
            lower[at][other] = if at == other {
                sum.max(1e-12).sqrt()
            } else {
                sum / lower[other][other]
            };
        }
    }
    for at in 0..size {
        for k in 0..at {
            right[at] -= lower[at][k] * right[k];
        }
        right[at] /= lower[at][at];
    }
    for at in (0..size).rev() {
        for k in at + 1..size {
            right[at] -= lower[k][at] * right[k];
        }
        right[at] /= lower[at][at];
    }
    right
}
