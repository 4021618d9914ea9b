//! The figures in Prometheus' text format (version 0.0.4), for clients without OpenMetrics.

use std::collections::BTreeMap;
use std::fmt::Write;

use axum::http::{HeaderMap, header};

/// Its media type.
pub(super) const KIND: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Whether an `Accept` header prefers the text format. Without a preference the response is OpenMetrics, as before.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let lines = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let ranges: Vec<(String, u32)> = lines.flat_map(|line| line.split(',')).map(range).collect();
    let weight = |kind: &str| {
        ranges
            .iter()
            .filter(|(of, _)| of == kind)
            .map(|(_, weight)| *weight)
            .max()
    };
    weight("text/plain").unwrap_or_default() > weight("application/openmetrics-text").unwrap_or_default()
}

/// A media range with its weight in thousandths (RFC 9110, section 12.4.2); an unreadable weight counts as 1.
fn range(text: &str) -> (String, u32) {
    let mut parts = text.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts
        .find_map(|part| part.strip_prefix("q="))
        .map_or(1_000, thousandths);
    (kind, weight)
}

fn thousandths(text: &str) -> u32 {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = rest.chars().chain("000".chars()).take(3).collect();
    match (whole.parse::<u32>(), digits.parse::<u32>()) {
        (Ok(whole), Ok(part)) => (whole * 1_000 + part).min(1_000),
        _ => 1_000,
    }
}

/// An OpenMetrics exposition in the text format: a counter gets the name of its samples, and parts unknown to the older format
/// (units, exemplars, the end) are left out.
pub(super) fn text_format(openmetrics: &str) -> String {
    let kinds: BTreeMap<&str, &str> = openmetrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .collect();
    let named = |name: &str| match kinds.get(name).copied() {
        Some("counter") => format!("{name}_total"),
        Some("info") => format!("{name}_info"),
        _ => name.to_owned(),
    };
    let mut text = String::with_capacity(openmetrics.len());
    for line in openmetrics.lines() {
        // Writing into a text cannot fail.
        let _ = match line
            .strip_prefix("# ")
            .map(|rest| rest.splitn(3, ' ').collect::<Vec<_>>())
        {
            None => writeln!(text, "{}", line.split(" # ").next().unwrap_or(line)),
            Some(words) => match words[..] {
                ["HELP", name, help] => writeln!(text, "# HELP {} {help}", named(name)),
                ["TYPE", name, kind] => writeln!(text, "# TYPE {} {}", named(name), older(kind)),
                _ => Ok(()),
            },
        };
    }
    text
}

fn older(kind: &str) -> &str {
    match kind {
        "counter" | "gauge" | "histogram" | "summary" => kind,
        "info" | "stateset" => "gauge",
        _ => "untyped",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn accepts(text: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, text.parse().unwrap());
        is_wanted(&headers)
    }

    #[test]
    fn the_text_format_is_answered_to_whoever_prefers_it() {
        assert!(accepts("text/plain") && accepts("text/plain; version=0.0.4"));
        assert!(accepts("application/openmetrics-text;q=0.2, text/plain;q=0.5"));
        assert!(
            !accepts("*/*") && !accepts("application/openmetrics-text; version=1.0.0") && !is_wanted(&HeaderMap::new())
        );
        // The header that Prometheus sends by default.
        assert!(!accepts(
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
        ));
    }

    #[test]
    fn counters_are_named_as_their_samples_and_nothing_newer_is_left() {
        let told = "# HELP asked Questions.\n# TYPE asked counter\n# UNIT asked things\nasked_total{of=\"a\"} 3 # {id=\"7\"} 1\n\
                    # HELP wait How long.\n# TYPE wait histogram\nwait_bucket{le=\"+Inf\"} 2\n# TYPE odd unknown\nodd 1\n# EOF\n";
        let wanted = "# HELP asked_total Questions.\n# TYPE asked_total counter\nasked_total{of=\"a\"} 3\n\
                      # HELP wait How long.\n# TYPE wait histogram\nwait_bucket{le=\"+Inf\"} 2\n# TYPE odd untyped\nodd 1\n";
        assert_eq!(text_format(told), wanted);
    }
}
