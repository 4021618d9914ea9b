//! Whether a weekly share has changed: the limits of a p chart, and the limits of Laney's p′ chart. The latter are wider where
//! the shares vary more than by chance alone, and narrower where they vary less.
//!
//! With many items a week the limits of a p chart are so narrow that nearly every week lies outside of them, although nothing
//! happened. A p′ chart measures how much neighbouring weeks differ, in the standard deviations of a p chart, and widens the limits by
//! that. Source: D. B. Laney, “Improved Control Charts for Attributes”, Quality Engineering 14 (4), 2002, pages 531 to 537.

/// The fewest weeks with anything counted for which limits are drawn.
pub const FEWEST_WEEKS: usize = 12;
/// A limit lies so many standard deviations from the mean.
const SIGMAS: f64 = 3.0;
/// The mean of the moving range of two normal values, in standard deviations.
const RANGE_OF_TWO: f64 = 1.128;
/// Parts per million of a share.
const PPM: f64 = 1_000_000.0;

/// A week on the chart. All shares are in parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShareWeek {
    /// The number of hits.
    pub hits: u32,
    /// The number of counted rows.
    pub of: u32,
    /// The share; `None` for a week without rows, which has no limits either.
    pub value: Option<i64>,
    /// The limits of a p chart, the lower one first; `None` where there are too few weeks.
    pub plain: Option<(i64, i64)>,
    /// The limits of a p′ chart.
    pub limits: Option<(i64, i64)>,
    /// Whether it lies outside of the limits of the p chart.
    pub is_out_of_plain: bool,
    /// Whether it lies outside of the limits of the p′ chart.
    pub is_out: bool,
}

/// A share by week, with its limits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShareChart {
    /// The weeks, the oldest first.
    pub weeks: Vec<ShareWeek>,
    /// The mean share of all weeks, in parts per million.
    pub mean: Option<i64>,
    /// The difference between neighbouring weeks relative to pure chance, in thousandths: 1,000 for chance alone. `None` where
    /// there are too few weeks, or all are hits or none.
    pub spread_milli: Option<i64>,
}

impl ShareChart {
    /// The number of weeks with counted rows.
    #[must_use]
    pub fn counted(&self) -> usize {
        self.weeks.iter().filter(|week| week.of > 0).count()
    }
}

/// Judges each week, as hits and how many were counted, against the mean of all of them.
#[must_use]
pub fn share_chart(weeks: &[(u32, u32)]) -> ShareChart {
    let bare = weeks.iter().map(|(hits, of)| ShareWeek {
        hits: *hits,
        of: *of,
        value: (*of > 0).then(|| ppm(f64::from(*hits) / f64::from(*of))),
        ..ShareWeek::default()
    });
    let mut chart = ShareChart {
        weeks: bare.collect(),
        ..ShareChart::default()
    };
    let of: f64 = weeks.iter().map(|(_, of)| f64::from(*of)).sum();
    if of <= 0.0 {
        return chart;
    }
    let mean = weeks.iter().map(|(hits, _)| f64::from(*hits)).sum::<f64>() / of;
    chart.mean = Some(ppm(mean));
    if chart.counted() < FEWEST_WEEKS || mean <= 0.0 || mean >= 1.0 {
        return chart;
    }
    let spread = spread(weeks, mean);
    chart.spread_milli = Some(ppm(spread / 1_000.0));
    for week in chart.weeks.iter_mut().filter(|week| week.of > 0) {
        let half = SIGMAS * sigma(mean, week.of);
        let share = f64::from(week.hits) / f64::from(week.of);
        let between = |half: f64| ((mean - half).max(0.0), (mean + half).min(1.0));
        let is_out = |(low, high): (f64, f64)| share < low || share > high;
        let in_ppm = |(low, high): (f64, f64)| (ppm(low), ppm(high));
        let (plain, wide) = (between(half), between(half * spread));
        (week.plain, week.is_out_of_plain) = (Some(in_ppm(plain)), is_out(plain));
        (week.limits, week.is_out) = (Some(in_ppm(wide)), is_out(wide));
    }
    chart
}

/// The standard deviation of the share among so many items, if the true share is `mean`.
fn sigma(mean: f64, of: u32) -> f64 {
    (mean * (1.0 - mean) / f64::from(of)).sqrt()
}

/// Laney's factor: the mean moving range of the standardised shares, as a standard deviation.
fn spread(weeks: &[(u32, u32)], mean: f64) -> f64 {
    let counted = weeks.iter().filter(|(_, of)| *of > 0);
    let standardised: Vec<f64> = counted
        .map(|(hits, of)| (f64::from(*hits) / f64::from(*of) - mean) / sigma(mean, *of))
        .collect();
    let ranges: f64 = standardised.windows(2).map(|pair| (pair[0] - pair[1]).abs()).sum();
    let count = u32::try_from(standardised.len().saturating_sub(1)).unwrap_or(1).max(1);
    ranges / f64::from(count) / RANGE_OF_TWO
}

#[expect(clippy::cast_possible_truncation, reason = "shares and spreads are far below 2^53")]
fn ppm(value: f64) -> i64 {
    (value * PPM).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_worked_out_by_hand() {
        // Five and 35 of 100 in turns: the mean is 0.2, a standard deviation 0.04, each week 3.75 of them away from the mean, and
        // neighbours differ by 7.5, which is 7.5 / 1.128 = 6.648936 times as much as by chance.
        let weeks: Vec<(u32, u32)> = (0..FEWEST_WEEKS)
            .map(|at| if at % 2 == 0 { (5, 100) } else { (35, 100) })
            .collect();
        let chart = share_chart(&weeks);
        assert_eq!((chart.mean, chart.spread_milli), (Some(200_000), Some(6_649)));
        for week in &chart.weeks {
            assert_eq!(week.plain, Some((80_000, 320_000)));
            assert_eq!(week.limits, Some((0, 997_872)));
            assert!(week.is_out_of_plain && !week.is_out, "{week:?}");
        }
    }

    #[test]
    fn a_real_jump_stands_out_of_both_charts() {
        let mut weeks = [(200, 1_000), (210, 1_000), (190, 1_000), (205, 1_000)].repeat(5);
        weeks.push((400, 1_000));
        let last = share_chart(&weeks).weeks[20];
        assert!(last.is_out && last.is_out_of_plain, "{last:?}");
    }

    #[test]
    fn few_weeks_none_and_all_have_no_limits() {
        let few = share_chart(&[(1, 2), (0, 0), (2, 2)]);
        assert_eq!((few.mean, few.spread_milli, few.counted()), (Some(750_000), None, 2));
        assert_eq!(
            few.weeks[1],
            ShareWeek::default(),
            "nothing was counted, so there is no share"
        );
        assert!(few.weeks.iter().all(|week| week.limits.is_none() && !week.is_out));
        assert_eq!(share_chart(&[]), ShareChart::default());
        for all in [(0, 9), (9, 9)] {
            let chart = share_chart(&[all; FEWEST_WEEKS]);
            assert!(chart.spread_milli.is_none() && chart.weeks.iter().all(|week| !week.is_out));
        }
    }
}
