//! Integer mathematics of the forecast: what is stored and shown is the same on every machine.
//!
//! Probabilities are parts per million (ppm), log-odds are millionths (micro-logits).

/// A probability of one, in parts per million.
pub const ONE: i64 = 1_000_000;
/// The largest log-odds, in micro-logits: beyond, a probability is below one in a million.
pub const MOST_LOGIT: i64 = 13_815_511;
/// The scale of the inner steps.
const FINE: i128 = 1_000_000_000_000;
/// The natural logarithm of two on the scale of the inner steps.
const LN_2: i128 = 693_147_180_560;
/// The number of terms of the series that leaves an error below one on the scale of the inner steps.
const TERMS: i128 = 16;

/// e to the power of minus `x`, with `x` at least zero, both on the scale of the inner steps.
fn exp_of_minus(x: i128) -> i128 {
    let halvings = u32::try_from(x / LN_2).unwrap_or(u32::MAX).min(120);
    let rest = x % LN_2;
    let (mut sum, mut term) = (FINE, FINE);
    for n in 1..=TERMS {
        term = -term * rest / (FINE * n);
        sum += term;
    }
    sum >> halvings
}

/// The probability at some log-odds, on the scale of the inner steps.
fn fine_probability(micro_logit: i64) -> i128 {
    let x = i128::from(micro_logit.clamp(-MOST_LOGIT, MOST_LOGIT)) * 1_000_000;
    let e = exp_of_minus(x.abs());
    let tail = e * FINE / (FINE + e);
    if x < 0 { tail } else { FINE - tail }
}

/// The probability at some log-odds, in parts per million, never 0 and never 1.
#[must_use]
pub fn probability(micro_logit: i64) -> i64 {
    let ppm = (fine_probability(micro_logit) + 500_000) / 1_000_000;
    i64::try_from(ppm).unwrap_or(ONE).clamp(1, ONE - 1)
}

/// The log-odds of a probability in parts per million, in micro-logits: [`probability`] of it is the same probability again.
#[must_use]
pub fn logit(ppm: i64) -> i64 {
    let wanted = i128::from(ppm.clamp(1, ONE - 1)) * 1_000_000;
    let (mut low, mut high) = (-MOST_LOGIT, MOST_LOGIT);
    while low < high {
        let middle = low + (high - low).div_euclid(2);
        if fine_probability(middle) < wanted {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The logarithm to the base of two of one more than a number, in thousandths: 0 is 0, 1 is 1000, 3 is 2000.
#[must_use]
pub fn log2_milli(number: i64) -> i64 {
    let value = u128::from(number.max(0).unsigned_abs()) + 1;
    let whole = value.ilog2();
    // The rest between 1 and 2 with 32 binary places, squared once for each binary place of the logarithm.
    let mut rest = (value << 64 >> whole) >> 32;
    let mut places: i64 = 0;
    for _ in 0..20 {
        rest = (rest * rest) >> 32;
        places <<= 1;
        if rest >= 2 << 32 {
            rest >>= 1;
            places += 1;
        }
    }
    i64::from(whole) * 1000 + ((places * 1000 + (1 << 19)) >> 20)
}

/// The square root, rounded down.
#[must_use]
pub fn root(square: i128) -> i128 {
    if square <= 0 {
        return 0;
    }
    let mut guess = 1_i128 << (square.ilog2() / 2 + 1);
    loop {
        let next = i128::midpoint(guess, square / guess);
        if next >= guess {
            return guess;
        }
        guess = next;
    }
}

/// A quotient rounded to the nearest whole number; the divisor is above zero.
#[must_use]
pub fn rounded(dividend: i128, divisor: i128) -> i64 {
    i64::try_from((2 * dividend + divisor).div_euclid(2 * divisor)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_and_log_odds_are_each_others_inverse() {
        for ppm in (1..1000).chain((1000..ONE).step_by(997)).chain([ONE - 1]) {
            assert_eq!(probability(logit(ppm)), ppm);
        }
        assert_eq!(logit(500_000), 0);
        assert_eq!(probability(1_000_000), 731_059);
        assert_eq!(probability(-4_000_000), 17_986);
    }

    #[test]
    fn logarithms_and_roots_are_those_of_mathematics() {
        let logs = [0, 1, 2, 3, 9, 1023, 1_000_000].map(log2_milli);
        assert_eq!(logs, [0, 1000, 1585, 2000, 3322, 10_000, 19_932]);
        assert_eq!([0, 1, 3, 4, 99, 100].map(root), [0, 1, 1, 2, 9, 10]);
        assert_eq!(rounded(-5, 2), -2);
        assert_eq!(rounded(7, 2), 4);
    }
}
