//! The users of a service by hour of the week, from the response of Prometheus to a range query.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// The longest response, in characters: an hour's samples of eight weeks, of some series.
pub const MOST: usize = 200_000;

/// Whether a text is a response and no table.
#[must_use]
pub fn is_response(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// Makes a table of the response to a range query (`GET /api/v1/query_range`): the mean of each hour of the week in a zone, of
/// all series added up. A sample that is no number is left out.
///
/// # Errors
/// A sentence that names the mistake in the response.
pub fn table_of(text: &str, zone: &TimeZone) -> Result<String, String> {
    let answer: Value = serde_json::from_str(text).map_err(|_| "The response is not JSON.".to_owned())?;
    let data = &answer["data"];
    let series = data["result"].as_array().filter(|_| data["resultType"] == "matrix");
    let Some(series) = series else {
        return Err("This is not a Prometheus response to a range query (/api/v1/query_range).".to_owned());
    };
    let mut sums: BTreeMap<i64, i64> = BTreeMap::new();
    let samples = series.iter().filter_map(|it| it["values"].as_array()).flatten();
    for (at, users) in samples.filter_map(sample) {
        let sum = sums.entry(at).or_default();
        *sum = sum.saturating_add(users);
    }
    let mut hours: BTreeMap<(i8, i8), (i64, i64)> = BTreeMap::new();
    for (at, users) in sums {
        let Ok(at) = Timestamp::from_second(at) else { continue };
        let local = at.to_zoned(zone.clone());
        let (sum, count) = hours
            .entry((local.weekday().to_monday_one_offset(), local.hour()))
            .or_default();
        (*sum, *count) = (sum.saturating_add(users), *count + 1);
    }
    if hours.is_empty() {
        return Err("The response has no samples.".to_owned());
    }
    let line = |((day, hour), (sum, count)): (&(i8, i8), &(i64, i64))| format!("{day},{hour},{}\n", sum / count);
    Ok(hours.iter().map(line).collect())
}

/// The second and the whole users of a sample: `[1764547200.5, "12.7"]`.
fn sample(value: &Value) -> Option<(i64, i64)> {
    let whole = |text: &str| text.split('.').next()?.parse::<i64>().ok();
    let at = whole(&value[0].as_number()?.to_string())?;
    let users = whole(value[1].as_str()?)?;
    Some((at, users.max(0)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use crate::schedule::traffic::read_profile;

    /// Two series of the Monday and of the Monday before, 08:00 in UTC, with one sample that is no number.
    const ANSWER: &str = r#"{"status": "success", "data": {"resultType": "matrix", "result": [
        {"metric": {"pod": "a"}, "values": [[1763971200, "100.9"], [1764576000, "300"], [1764579600, "NaN"]]},
        {"metric": {"pod": "b"}, "values": [[1763971200.4, "20"], [1764576000, "40"]]}]}}"#;

    #[test]
    fn an_answer_becomes_the_mean_of_each_hour_in_the_zone() {
        assert!(is_response(ANSWER) && !is_response("mon,9,1200"));
        let oslo = TimeZone::get("Europe/Oslo").unwrap();
        let table = table_of(ANSWER, &oslo).unwrap();
        assert_eq!(table, "1,9,230\n");
        assert_eq!(read_profile(&table).unwrap()[9], 230);
        assert_eq!(table_of(ANSWER, &TimeZone::UTC).unwrap(), "1,8,230\n");
    }

    #[test]
    fn what_is_no_answer_to_a_range_query_is_refused() {
        for (text, wanted) in [
            ("{", "not JSON"),
            (
                r#"{"data": {"resultType": "vector", "result": []}}"#,
                "not a Prometheus response",
            ),
            (r#"{"data": {"resultType": "matrix", "result": []}}"#, "no samples"),
        ] {
            let error = table_of(text, &TimeZone::UTC).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
