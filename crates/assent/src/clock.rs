//! The command line's clock: the outermost layer, so it may read the time; all layers below get the time as a parameter.

use jiff::Timestamp;

/// The present.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the command line is the outermost layer; its commands are handed this"
)]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// The present for measuring and patience only: it goes on evenly when somebody sets the clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the outermost layer measures and waits")]
pub fn tick() -> std::time::Instant {
    std::time::Instant::now()
}

/// Reads a moment: RFC 3339 with any offset, `now`, or a span from now such as `+90m`, `+2h`, `-1d`.
///
/// # Errors
/// A sentence with the accepted forms.
pub fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if text == "now" {
        return Ok(now);
    }
    if let Some(span) = text.strip_prefix('+') {
        return Ok(now + jiff::SignedDuration::from_secs(seconds(span)?));
    }
    if let Some(span) = text.strip_prefix('-') {
        return Ok(now - jiff::SignedDuration::from_secs(seconds(span)?));
    }
    text.parse()
        .map_err(|_| format!("`{text}` is no moment; write 2026-12-01T22:00:00Z, `now`, or a span such as +2h or -1d"))
}

/// Reads a span such as `45s`, `30m`, `2h`, `1d` as seconds.
///
/// # Errors
/// A sentence with the accepted forms.
pub fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no span; write 45s, 30m, 2h or 1d");
    let (number, unit) = text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: i64 = number.parse().map_err(|_| wrong())?;
    let seconds = number
        .checked_mul(unit)
        .filter(|seconds| (0..=366 * 86_400).contains(seconds));
    seconds.ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn moments_are_absolute_or_from_now() {
        let now: Timestamp = "2026-11-20T08:00:00Z".parse().unwrap();
        assert_eq!(moment("now", now).unwrap(), now);
        assert_eq!(moment("+90m", now).unwrap().to_string(), "2026-11-20T09:30:00Z");
        assert_eq!(
            moment("2026-12-01T22:00:00+01:00", now).unwrap().to_string(),
            "2026-12-01T21:00:00Z"
        );
        assert_eq!(moment("-1d", now).unwrap().to_string(), "2026-11-19T08:00:00Z");
        for wrong in ["tomorrow", "-", "--1d", "+-1d"] {
            assert!(moment(wrong, now).is_err(), "{wrong}");
        }
    }

    #[test]
    fn spans_have_a_unit_and_a_limit() {
        assert_eq!(seconds("45s"), Ok(45));
        assert_eq!(seconds("1d"), Ok(86_400));
        for wrong in ["", "m", "5", "-5m", "5 m", "9999999999999999999d", "1000d", "5µ"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
