//! Intervals, medians and rank correlation. Values are whole numbers: parts per million, minutes, thousandths.

/// The quantile of the normal distribution for 95 of 100.
const Z: f64 = 1.959_964;
/// Parts of a whole share.
pub const PPM: i64 = 1_000_000;

/// A value with its interval for 95 of 100, in the same unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// The value.
    pub value: i64,
    /// The lower end.
    pub low: i64,
    /// The upper end.
    pub high: i64,
}

#[expect(clippy::cast_precision_loss, reason = "counts and minutes are far below 2^53")]
fn float(value: i64) -> f64 {
    value as f64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "figures are far below 2^53; a saturated one is still an end"
)]
fn whole(value: f64) -> i64 {
    value.round() as i64
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The share of `hits` among `of` in parts per million, with Wilson's score interval (Wilson 1927); `None` without a case.
#[must_use]
pub fn share(hits: u64, of: u64) -> Option<Estimate> {
    if of == 0 {
        return None;
    }
    let (all, part) = (float(signed(of)), float(signed(hits.min(of))) / float(signed(of)));
    let square = Z * Z / all;
    let middle = part + square / 2.0;
    let half = Z * (part * (1.0 - part) / all + square / (4.0 * all)).sqrt();
    let ppm = |part: f64| whole(part * float(PPM)).clamp(0, PPM);
    Some(Estimate {
        value: ppm(part),
        low: ppm((middle - half) / (1.0 + square)),
        high: ppm((middle + half) / (1.0 + square)),
    })
}

/// A rate per day, in thousandths, with the score interval of a Poisson count; `None` without a day.
#[must_use]
pub fn per_day(count: u64, days: i64) -> Option<Estimate> {
    if days <= 0 {
        return None;
    }
    let (count, days) = (float(signed(count)), float(days));
    let middle = count + Z * Z / 2.0;
    let half = Z * (count + Z * Z / 4.0).sqrt();
    let thousandths = |it: f64| whole(it * 1_000.0 / days).max(0);
    Some(Estimate {
        value: thousandths(count),
        low: thousandths(middle - half),
        high: thousandths(middle + half),
    })
}

/// The value below which `percent` of the sorted values lie, by the nearest rank; `None` without a value.
#[must_use]
pub fn percentile(sorted: &[i64], percent: u64) -> Option<i64> {
    let rank = (sorted.len() as u64 * percent.min(100)).div_ceil(100).max(1);
    sorted.get(usize::try_from(rank - 1).unwrap_or(usize::MAX)).copied()
}

/// The median of sorted values, with an interval by order statistics (Conover 1999, section 3.2); `None` without a value. Of few
/// values the interval is their whole range.
#[must_use]
pub fn median(sorted: &[i64]) -> Option<Estimate> {
    let value = percentile(sorted, 50)?;
    let count = float(signed(sorted.len() as u64));
    let half = Z * count.sqrt() / 2.0;
    let rank = |it: f64| usize::try_from(whole(it).max(0)).unwrap_or(0).min(sorted.len() - 1);
    Some(Estimate {
        value,
        low: sorted[rank((count / 2.0 - half).floor() - 1.0)],
        high: sorted[rank((count / 2.0 + half).ceil())],
    })
}

/// The mean, rounded; `None` without a value.
#[must_use]
pub fn mean(values: &[i64]) -> Option<i64> {
    let sum: i128 = values.iter().map(|it| i128::from(*it)).sum();
    let count = i128::try_from(values.len()).ok().filter(|it| *it > 0)?;
    i64::try_from((sum + count / 2) / count).ok()
}

/// The fewest pairs for a rank correlation: with fewer, the interval carries no information.
pub const FEWEST_PAIRS: usize = 5;

/// Spearman's rank correlation in parts per million, with the interval of Bonett and Wright (2000); `None` of fewer than
/// [`FEWEST_PAIRS`] pairs, or where all values of one side are equal.
#[must_use]
pub fn rank_correlation(pairs: &[(i64, i64)]) -> Option<Estimate> {
    if pairs.len() < FEWEST_PAIRS {
        return None;
    }
    let (xs, ys): (Vec<i64>, Vec<i64>) = pairs.iter().copied().unzip();
    let rho = pearson(&ranks(&xs), &ranks(&ys))?;
    let count = float(signed(pairs.len() as u64));
    let ppm = |it: f64| whole(it * float(PPM)).clamp(-PPM, PPM);
    // Fisher's transformation has no value at the ends.
    let inner = rho.clamp(-0.999_999, 0.999_999);
    let half = Z * ((1.0 + inner * inner / 2.0) / (count - 3.0)).sqrt();
    let middle = inner.atanh();
    Some(Estimate {
        value: ppm(rho),
        low: ppm((middle - half).tanh()),
        high: ppm((middle + half).tanh()),
    })
}

/// The ranks of values; equal ones share the mean of their ranks.
fn ranks(values: &[i64]) -> Vec<f64> {
    let rank = |value: &i64| {
        let less = values.iter().filter(|it| *it < value).count() as u64;
        let equal = values.iter().filter(|it| *it == value).count() as u64;
        float(signed(less)) + (float(signed(equal)) + 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

fn pearson(xs: &[f64], ys: &[f64]) -> Option<f64> {
    let count = float(signed(xs.len() as u64));
    let (mean_x, mean_y) = (xs.iter().sum::<f64>() / count, ys.iter().sum::<f64>() / count);
    let sums = xs.iter().zip(ys).fold((0.0, 0.0, 0.0), |(xy, xx, yy), (x, y)| {
        let (dx, dy) = (x - mean_x, y - mean_y);
        (xy + dx * dy, xx + dx * dx, yy + dy * dy)
    });
    let (xy, xx, yy) = sums;
    (xx > 0.0 && yy > 0.0).then(|| xy / (xx * yy).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_wilsons_interval() {
        let told = |hits, of| share(hits, of).map(|it| (it.value, it.low, it.high));
        // R: prop.test(38, 1226, correct = FALSE) gives 0.0227 to 0.0423; prop.test(0, 10) gives 0 to 0.2775.
        assert_eq!(told(38, 1_226), Some((30_995, 22_664, 42_256)));
        assert_eq!(told(0, 10), Some((0, 0, 277_533)));
        assert_eq!(told(10, 10), Some((1_000_000, 722_467, 1_000_000)));
        assert_eq!(told(0, 0), None);
    }

    #[test]
    fn a_median_and_a_percentile_are_values_that_were_measured() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[7]).map(|it| (it.value, it.low, it.high)), Some((7, 7, 7)));
        let hundred: Vec<i64> = (1..=100).collect();
        // Conover: the ranks of 100 values are 40 and 61.
        assert_eq!(
            median(&hundred).map(|it| (it.value, it.low, it.high)),
            Some((50, 40, 61))
        );
        assert_eq!((percentile(&hundred, 90), percentile(&[3, 4], 90)), (Some(90), Some(4)));
        assert_eq!((mean(&[1, 2, 4]), mean(&[])), (Some(2), None));
    }

    #[test]
    fn a_rate_per_day_has_the_interval_of_a_count() {
        let told = per_day(1_226, 84).map(|it| (it.value, it.low, it.high));
        assert_eq!(told, Some((14_595, 13_801, 15_435)));
        assert_eq!(per_day(0, 10).map(|it| (it.value, it.low)), Some((0, 0)));
        assert_eq!(per_day(3, 0), None);
    }

    #[test]
    fn a_rank_correlation_is_that_of_the_ranks() {
        let line: Vec<(i64, i64)> = (0..10).map(|it| (it, it * it)).collect();
        assert_eq!(rank_correlation(&line).map(|it| it.value), Some(PPM));
        // scipy.stats.spearmanr([1,2,3,4,5,6], [2,1,4,3,6,5]) is 0.828571.
        let mixed = [(1, 2), (2, 1), (3, 4), (4, 3), (5, 6), (6, 5)];
        let found = rank_correlation(&mixed).expect("six pairs");
        assert_eq!(found.value, 828_571);
        assert!(found.low < 0 && found.high > 900_000, "{found:?}: six pairs say little");
        assert_eq!(rank_correlation(&mixed[..4]), None);
        assert_eq!(rank_correlation(&[(1, 1); 6]), None, "all are equal");
    }
}
