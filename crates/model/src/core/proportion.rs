//! A share of a few cases with its uncertainty: 3 of 4 is less certain than 300 of 400.

/// A share with the interval in which it lies 95 of 100 times, by Wilson's score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// How many cases are meant.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
    /// The share in whole percent.
    pub percent: u64,
    /// The lower end of its interval in whole percent.
    pub low: u64,
    /// The upper end.
    pub high: u64,
}

/// The quantile of the normal distribution for 95 of 100.
const Z: f64 = 1.959_964;

impl Share {
    /// The share of `hits` among `of`; `None` where there is no case at all. More hits than cases count as all.
    #[must_use]
    pub fn of(hits: u64, of: u64) -> Option<Self> {
        if of == 0 {
            return None;
        }
        let hits = hits.min(of);
        #[expect(clippy::cast_precision_loss, reason = "counts of changes are far below 2^53")]
        let (all, part) = (of as f64, hits as f64 / of as f64);
        let square = Z * Z / all;
        let middle = part + square / 2.0;
        let half = Z * (part * (1.0 - part) / all + square / (4.0 * all)).sqrt();
        Some(Self {
            hits,
            of,
            percent: percent(part),
            low: percent((middle - half) / (1.0 + square)),
            high: percent((middle + half) / (1.0 + square)),
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is clamped to 0..=100 first"
)]
fn percent(part: f64) -> u64 {
    (part * 100.0).round().clamp(0.0, 100.0) as u64
}

#[cfg(test)]
mod tests {
    use super::Share;

    #[test]
    fn a_share_says_how_sure_it_is() {
        let told = |hits, of| Share::of(hits, of).map(|it| (it.percent, it.low, it.high));
        // Against Brown, Cai and DasGupta (2001) and R's prop.test without correction.
        assert_eq!(told(41, 44), Some((93, 82, 98)));
        assert_eq!(told(3, 4), Some((75, 30, 95)));
        assert_eq!(told(0, 10), Some((0, 0, 28)));
        assert_eq!(told(10, 10), Some((100, 72, 100)));
        assert_eq!(told(0, 0), None);
    }
}
