//! Figures as OpenMetrics text (OpenMetrics 1.0, the exposition format of Prometheus).

use std::fmt::Write;

/// A gauge with its samples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gauge {
    /// Its name: letters, digits and `_`.
    pub name: String,
    /// Its help text, in one line.
    pub help: String,
    /// Its samples: labels with their values, and the number.
    pub samples: Vec<(Vec<(&'static str, String)>, String)>,
}

/// The text, with its end.
#[must_use]
pub fn text(gauges: &[Gauge]) -> String {
    let mut text = String::new();
    for gauge in gauges.iter().filter(|gauge| !gauge.samples.is_empty()) {
        // Writing to a text does not fail.
        let _ = writeln!(text, "# TYPE {} gauge", gauge.name);
        let _ = writeln!(text, "# HELP {} {}", gauge.name, escaped(&gauge.help));
        for (labels, number) in &gauge.samples {
            let labels: Vec<String> = labels
                .iter()
                .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
                .collect();
            let labels = if labels.is_empty() {
                String::new()
            } else {
                format!("{{{}}}", labels.join(","))
            };
            let _ = writeln!(text, "{}{labels} {number}", gauge.name);
        }
    }
    text.push_str("# EOF\n");
    text
}

/// A label's value or a help text: a backslash, a quote and a line feed are escaped.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::{Gauge, text};

    #[test]
    fn a_gauge_has_its_type_its_help_and_escaped_labels() {
        let gauge = Gauge {
            name: "assent_changes_open".to_owned(),
            help: "Open changes.".to_owned(),
            samples: vec![
                (vec![("state", "draft".to_owned())], "3".to_owned()),
                (vec![("state", "a\"b\\c\nd".to_owned())], "1".to_owned()),
            ],
        };
        let empty = Gauge {
            name: "assent_empty".to_owned(),
            ..Gauge::default()
        };
        assert_eq!(
            text(&[gauge, empty]),
            "# TYPE assent_changes_open gauge\n# HELP assent_changes_open Open changes.\n\
             assent_changes_open{state=\"draft\"} 3\nassent_changes_open{state=\"a\\\"b\\\\c\\nd\"} 1\n# EOF\n"
        );
    }

    #[test]
    fn no_figures_are_an_end_alone() {
        assert_eq!(text(&[]), "# EOF\n");
    }
}
