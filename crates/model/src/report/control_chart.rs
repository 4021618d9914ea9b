//! Whether a weekly volume has changed: a Laney u′ chart for single weeks, CUSUM for a lasting shift, and the week in which the
//! shift began. A plain c-chart treats a volume as a Poisson count; real volumes vary more, so a c-chart alarms in a third of
//! all weeks.

/// The weeks before a week that form its baseline.
pub const BASELINE_WEEKS: usize = 26;
/// A limit lies so many standard deviations from the mean.
const SIGMAS: f64 = 3.0;
/// The mean of the moving range of two normal values, in standard deviations.
const RANGE_OF_TWO: f64 = 1.128;
/// The slack of CUSUM in standard deviations: half of the shift that is to be found.
const SLACK: f64 = 0.75;
/// The number of standard deviations from which CUSUM alerts. With a baseline of 26 weeks of 8, under 5 % of half years alert
/// falsely.
const DECISION: f64 = 4.5;
/// Thousandths of a count.
const MILLI: f64 = 1_000.0;

/// The known facts of a series before a week.
#[derive(Debug, Clone, Copy)]
struct Baseline {
    mean: f64,
    /// The standard deviation of a week: that of a Poisson count, wider by Laney's factor where weeks vary more.
    sigma: f64,
}

impl Baseline {
    /// `None` of fewer than [`BASELINE_WEEKS`] weeks.
    fn of(weeks: &[u32]) -> Option<Self> {
        if weeks.len() < BASELINE_WEEKS {
            return None;
        }
        let weeks = &weeks[weeks.len() - BASELINE_WEEKS..];
        let mean = mean(weeks);
        // A baseline of nothing but zeros still has a spread: that of half an event.
        let poisson = mean.max(1.0 / 2.0).sqrt();
        let ranges = weeks
            .windows(2)
            .map(|pair| f64::from(pair[0].abs_diff(pair[1])) / poisson);
        let count = f64::from(u32::try_from(weeks.len() - 1).unwrap_or(1));
        let laney = (ranges.sum::<f64>() / count / RANGE_OF_TWO).max(1.0);
        Some(Self {
            mean,
            sigma: poisson * laney,
        })
    }
}

fn mean(weeks: &[u32]) -> f64 {
    let sum: f64 = weeks.iter().map(|it| f64::from(*it)).sum();
    sum / f64::from(u32::try_from(weeks.len()).unwrap_or(1).max(1))
}

/// A week on the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Week {
    /// The count.
    pub count: u32,
    /// The mean of the weeks before, in thousandths; `None` while there are fewer than [`BASELINE_WEEKS`].
    pub mean_milli: Option<i64>,
    /// The lower limit, in thousandths.
    pub low_milli: Option<i64>,
    /// The upper limit, in thousandths.
    pub high_milli: Option<i64>,
    /// Whether it lies outside of the limits.
    pub is_out: bool,
    /// Whether CUSUM alerts in this week.
    pub is_alert: bool,
}

/// A lasting shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// The week in which CUSUM alerted, counted from 0.
    pub found_in: usize,
    /// The week in which the shift began, by the likelihood of the counts.
    pub began_in: usize,
    /// The mean before, in thousandths.
    pub before_milli: i64,
    /// The mean from then on to the alert, in thousandths.
    pub after_milli: i64,
}

/// A series with its limits and shifts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chart {
    /// The weeks, the oldest first.
    pub weeks: Vec<Week>,
    /// The shifts upwards, the oldest first.
    pub shifts: Vec<Shift>,
}

/// Judges each week against the [`BASELINE_WEEKS`] before it, and looks for shifts upwards. After a shift the weeks since its
/// beginning are the new baseline, once they are enough.
#[must_use]
pub fn chart(counts: &[u32]) -> Chart {
    let mut chart = Chart::default();
    let mut sum = 0.0;
    // The weeks of the regime that CUSUM compares with begin here, and end where CUSUM began to add up.
    let (mut regime, mut since) = (0, None);
    for (at, count) in counts.iter().enumerate() {
        let mut week = single(&counts[..at], *count);
        let frozen = since.unwrap_or(at);
        if let Some(baseline) = Baseline::of(&counts[regime..frozen]) {
            sum = (sum + (f64::from(*count) - baseline.mean) / baseline.sigma - SLACK).max(0.0);
            since = (sum > 0.0).then_some(frozen);
            if sum > DECISION {
                week.is_alert = true;
                let shift = shift(counts, regime, at);
                chart.shifts.push(shift);
                (regime, since, sum) = (shift.began_in, None, 0.0);
            }
        }
        chart.weeks.push(week);
    }
    chart
}

/// A week against the limits of the weeks before.
fn single(before: &[u32], count: u32) -> Week {
    let Some(baseline) = Baseline::of(before) else {
        return Week {
            count,
            mean_milli: None,
            low_milli: None,
            high_milli: None,
            is_out: false,
            is_alert: false,
        };
    };
    let half = SIGMAS * baseline.sigma;
    let (low, high) = ((baseline.mean - half).max(0.0), baseline.mean + half);
    let value = f64::from(count);
    Week {
        count,
        mean_milli: Some(milli(baseline.mean)),
        low_milli: Some(milli(low)),
        high_milli: Some(milli(high)),
        is_out: value > high || value < low,
        is_alert: false,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "weekly counts are far below 2^53")]
fn milli(value: f64) -> i64 {
    (value * MILLI).round() as i64
}

/// The most likely week of a change of the mean between the beginning of a regime and an alert: that of the largest Poisson
/// likelihood of two means.
fn shift(counts: &[u32], regime: usize, alert: usize) -> Shift {
    let weeks = &counts[regime..=alert];
    let likelihood = |part: &[u32]| {
        let sum: f64 = part.iter().map(|it| f64::from(*it)).sum();
        if sum > 0.0 { sum * mean(part).ln() } else { 0.0 }
    };
    let of_split = |at: usize| likelihood(&weeks[..at]) + likelihood(&weeks[at..]);
    let split = (1..weeks.len())
        .filter(|at| mean(&weeks[*at..]) > mean(&weeks[..*at]))
        .max_by(|one, other| of_split(*one).total_cmp(&of_split(*other)))
        .unwrap_or(weeks.len() - 1);
    Shift {
        found_in: alert,
        began_in: regime + split,
        before_milli: milli(mean(&weeks[..split])),
        after_milli: milli(mean(&weeks[split..])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same numbers on every run.
    struct Dice(u64);

    impl Dice {
        fn unit(&mut self) -> f64 {
            // SplitMix64 (Steele, Lea and Flood 2014).
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
            f64::from(u32::try_from(mixed >> 32).expect("32 bits")) / f64::from(u32::MAX)
        }

        /// A Poisson count (Knuth).
        fn poisson(&mut self, mean: f64) -> u32 {
            let (limit, mut product, mut count) = ((-mean).exp(), self.unit(), 0);
            while product > limit {
                product *= self.unit();
                count += 1;
            }
            count
        }

        fn weeks(&mut self, mean: f64, count: usize) -> Vec<u32> {
            (0..count).map(|_| self.poisson(mean)).collect()
        }
    }

    const RUNS: u64 = 200;

    #[test]
    fn a_doubling_of_eight_a_week_is_found_within_half_a_year_and_rarely_where_there_is_none() {
        let (mut found, mut dated, mut false_alarms) = (0, 0, 0);
        for seed in 0..RUNS {
            let mut dice = Dice(seed);
            let quiet = dice.weeks(8.0, BASELINE_WEEKS);
            let doubled = [quiet.clone(), dice.weeks(16.0, 26)].concat();
            if let Some(shift) = chart(&doubled).shifts.first() {
                found += 1;
                dated += u32::from(shift.began_in.abs_diff(BASELINE_WEEKS) <= 3);
            }
            let still = [quiet, dice.weeks(8.0, 26)].concat();
            false_alarms += u32::from(!chart(&still).shifts.is_empty());
        }
        println!("found {found}, dated {dated}, false alarms {false_alarms}, each of {RUNS}");
        assert!(found >= 190, "{found} of {RUNS} doublings were found");
        assert!(false_alarms <= 10, "{false_alarms} of {RUNS} quiet half years alerted");
        assert!(dated >= 180, "{dated} of {RUNS} shifts were dated within three weeks");
    }

    #[test]
    fn a_volume_that_varies_more_than_a_poisson_count_has_wider_limits() {
        let calm = [8_u32; BASELINE_WEEKS + 1];
        let wild: Vec<u32> = (0..=BASELINE_WEEKS)
            .map(|at| if at % 2 == 0 { 2 } else { 14 })
            .collect();
        let limit = |weeks: &[u32]| chart(weeks).weeks[BASELINE_WEEKS].high_milli.expect("a baseline");
        assert_eq!(limit(&calm), 16_485);
        assert_eq!(limit(&wild), 39_915);
    }

    #[test]
    fn few_weeks_have_no_limits_and_no_alert() {
        let few = chart(&[0, 90, 0, 90]);
        assert!(few.shifts.is_empty() && few.weeks.iter().all(|week| week.high_milli.is_none() && !week.is_out));
        assert_eq!(chart(&[]), Chart::default());
    }

    #[test]
    fn zeros_alone_are_no_signal_and_one_after_them_is_none_either() {
        let mut weeks = vec![0_u32; BASELINE_WEEKS];
        weeks.push(1);
        let last = chart(&weeks).weeks[BASELINE_WEEKS];
        assert!(!last.is_out && !last.is_alert, "{last:?}");
    }
}
