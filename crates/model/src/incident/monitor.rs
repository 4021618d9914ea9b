//! Raised monitoring: stricter monitoring while a change is at work and in its watch window. A monitor names scrape targets, a
//! stricter alert rule, or an address that is called. A record for each change shows when the monitor was raised.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::change::record::Change;
use crate::core::act::actions::SET_CONNECTION;
use crate::core::card::{Card, Event, Page};
use crate::core::ids::{EnvironmentKey, RecordId, ServiceKey};
use crate::core::parse::Reading;
use crate::notify::business_unit::is_key;
use crate::verbs;

/// The most monitors of a tenant.
pub const MOST: usize = 200;
/// The most scrape targets of a monitor.
pub const MOST_TARGETS: usize = 100;
/// The longest expression, in characters.
pub const EXPRESSION: usize = 2_000;
/// The longest time for which an expression must hold before it alerts, in minutes: a day.
const MOST_HOLD: i64 = 1_440;

/// What is watched more closely while a change of its services is at work and in its watch window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct Monitor {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The key, such as label-latency.
    #[card(column)]
    pub key: String,
    /// The title, in one line.
    #[card(text)]
    pub title: String,
    /// The services whose changes raise it; none means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(refers = "service")]
    pub services: BTreeSet<ServiceKey>,
    /// The environments in which it is raised; none means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub environments: BTreeSet<EnvironmentKey>,
    /// Scrape targets for Prometheus while the monitor is raised, as host:port.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(text)]
    pub scrape_targets: BTreeSet<String>,
    /// The expression (PromQL) of an alert rule for Prometheus while the monitor is raised; {service} and {environment}
    /// are replaced by those of the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = EXPRESSION, text)]
    pub expression: Option<String>,
    /// The number of minutes for which the expression must hold before the alert; none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = MOST_HOLD)]
    pub hold_minutes: Option<i64>,
    /// An address that is called when the monitor is raised and when it is lowered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub url: Option<String>,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// What is watched more closely while a change of its services is at work and in its watch window.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct MonitorInput {
    /// The key, such as label-latency.
    #[card(positional, example = "label-latency")]
    pub key: String,
    /// The title, in one line.
    #[card(text, example = "Latency of label printing")]
    pub title: String,
    /// The services whose changes raise it; none means all.
    #[card(refers = "service", option = "service", example = "booking-api")]
    pub services: BTreeSet<ServiceKey>,
    /// The environments in which it is raised; none means all.
    #[card(option = "environment", example = "production")]
    pub environments: BTreeSet<EnvironmentKey>,
    /// Scrape targets for Prometheus while the monitor is raised, as host:port.
    #[card(text, option = "target", example = "probe.example:9115")]
    pub scrape_targets: BTreeSet<String>,
    /// The expression (PromQL) of an alert rule for Prometheus while the monitor is raised; {service} and {environment}
    /// are replaced by those of the change.
    #[card(most = EXPRESSION, text, example = "job:latency:p99{service=\"{service}\"} > 0.5")]
    pub expression: Option<String>,
    /// The number of minutes for which the expression must hold before the alert; none by default.
    #[card(most = MOST_HOLD, option = "hold", example = "2")]
    pub hold_minutes: Option<i64>,
    /// An address that is called when the monitor is raised and when it is lowered.
    #[card(text, example = "https://monitoring.example/hooks/assent")]
    pub url: Option<String>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "administration",
    patch: "MonitorPatch",
    columns: &["id", "key", "title", "services", "environments"],
    verbs: verbs! {
        List "list_monitors" at "/monitors" may "set_connection | audit" => "List monitors that are raised while changes are watched";
        Add "add_monitor" at "/monitors" may SET_CONNECTION => "Add a monitor that is raised while changes are watched";
        Show "show_monitor" at "/monitors/{id}" may "set_connection | audit" => "Show a monitor";
        Edit "edit_monitor" at "/monitors/{id}" may SET_CONNECTION => "Change a monitor";
        End "end_monitor" at "/monitors/{id}" may SET_CONNECTION => "Retire a monitor";
    },
    events: &[
        Event::new("monitor.added", "eye", "added a monitor"),
        Event::new("monitor.edited", "edit", "changed a monitor"),
        Event::new("monitor.ended", "x", "retired a monitor"),
    ],
    page: Some(Page {
        path: "/monitors",
        byline: "Scrape targets, stricter alert rules and webhook calls, raised when a change begins and lowered \
            when its watch window ends.",
        empty: "No monitors are defined.",
        labels: ["Add a monitor", "Change it", "Retire it"],
    }),
    ..Card::of::<Monitor, MonitorInput>("monitor", "Monitors")
};

/// The rules of a monitor's fields that need no other record.
pub fn check(reading: &mut Reading<'_>, input: &MonitorInput) {
    if reading.says("key") && !is_key(&input.key) {
        let text = "`key` has at most 64 letters, digits, `-`, `_` and `.`.";
        reading.wrong("key", "not_a_key", text);
    }
    if input.scrape_targets.is_empty() && input.expression.is_none() && input.url.is_none() {
        let text = "A monitor needs `scrape_targets`, an `expression` or a `url`.";
        reading.wrong("expression", "missing", text);
    }
    if input.scrape_targets.len() > MOST_TARGETS {
        let text = format!("`scrape_targets` has at most {MOST_TARGETS} entries.");
        reading.wrong("scrape_targets", "too_many", text);
    }
    for target in input.scrape_targets.iter().filter(|target| !is_target(target)) {
        let text = format!("`{target}` is not a target such as probe.example:9115.");
        reading.wrong("scrape_targets", "not_a_target", text);
    }
    if input.hold_minutes.is_some() && input.expression.is_none() {
        let text = "`hold_minutes` needs an `expression`.";
        reading.wrong("hold_minutes", "not_allowed", text);
    }
    check_expression(reading, input.expression.as_deref());
    let is_web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    if input.url.as_deref().is_some_and(|url| !is_web(url)) {
        reading.wrong("url", "not_a_url", "`url` begins with https:// or http://.");
    }
}

/// Refuses an expression that is plainly cut off or mistyped. One expression that Prometheus cannot read makes it refuse every
/// rule.
pub(crate) fn check_expression(reading: &mut Reading<'_>, expression: Option<&str>) {
    if expression.is_some_and(|text| text.trim().is_empty() || !is_closed(text)) {
        let text = "`expression` is not valid: it has an unbalanced bracket or quote.";
        reading.wrong("expression", "not_an_expression", text);
    }
}

/// Whether every bracket and every quote of an expression is closed. A backslash escapes in quotes, but not between backticks, and
/// `#` begins a comment.
fn is_closed(expression: &str) -> bool {
    let mut open: Vec<char> = Vec::new();
    let mut letters = expression.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(letter) => return false,
            '#' => while letters.next().is_some_and(|it| it != '\n') {},
            '"' | '\'' | '`' => loop {
                match letters.next() {
                    Some('\\') if letter != '`' => {
                        letters.next();
                    }
                    Some(it) if it == letter => break,
                    Some(_) => {}
                    None => return false,
                }
            },
            _ => {}
        }
    }
    open.is_empty()
}

/// A host, also an IPv6 address in brackets, and a port.
fn is_target(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"-._[]:".contains(&b);
    let is_bare = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
    !host.is_empty() && !is_bare && host.bytes().all(is_letter) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

impl Monitor {
    /// The places of a change, as `service/environment`, for which it is raised.
    #[must_use]
    pub fn places(&self, change: &Change) -> BTreeSet<String> {
        let of_services = |key: &ServiceKey| self.services.is_empty() || self.services.contains(key);
        let of_environments = |key: &EnvironmentKey| self.environments.is_empty() || self.environments.contains(key);
        let targets = change.content.targets.iter();
        targets
            .filter(|it| self.active && of_services(&it.service) && of_environments(&it.environment))
            .map(|it| format!("{}/{}", it.service, it.environment))
            .collect()
    }
}

/// The change for which a monitor is raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// The key of the change.
    pub change: String,
    /// The places of the change, as `service/environment`.
    pub places: BTreeSet<String>,
}

/// An expression for a place: its names are label values, so characters that would end a value are escaped.
#[must_use]
pub fn for_place(expression: &str, place: &str) -> String {
    let (service, environment) = place.split_once('/').unwrap_or((place, ""));
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let text = expression.replace("{service}", &escaped(service));
    text.replace("{environment}", &escaped(environment))
}

/// The monitors that are raised now, each with its reasons.
pub type Now<'a> = [(&'a Monitor, Raised)];

/// The scrape targets of what is raised, in the form of Prometheus' `file_sd`.
#[must_use]
pub fn targets(now: &Now<'_>) -> Value {
    let mut found = Vec::new();
    for (monitor, raised) in now.iter().filter(|(monitor, _)| !monitor.scrape_targets.is_empty()) {
        for place in &raised.places {
            let (service, environment) = place.split_once('/').unwrap_or((place, ""));
            found.push(json!({
                "targets": monitor.scrape_targets,
                "labels": {
                    "assent_change": raised.change, "assent_monitor": monitor.key, "service": service,
                    "environment": environment,
                },
            }));
        }
    }
    Value::Array(found)
}

/// The alert rules of what is raised, as a rule file of Prometheus. JSON is YAML as well, so one form serves both.
#[must_use]
pub fn rules(tenant: &str, now: &Now<'_>) -> Value {
    let mut found = Vec::new();
    for (monitor, raised) in now {
        let Some(expression) = &monitor.expression else {
            continue;
        };
        for place in &raised.places {
            let (service, environment) = place.split_once('/').unwrap_or((place, ""));
            found.push(json!({
                "alert": alert_name(&monitor.key),
                "expr": for_place(expression, place),
                "for": format!("{}m", monitor.hold_minutes.unwrap_or_default()),
                "labels": {
                    "assent_change": raised.change, "assent_monitor": monitor.key, "service": service,
                    "environment": environment,
                },
                // Braces in a title would be a template.
                "annotations": {"summary": monitor.title.replace("{{", "{ {")},
            }));
        }
    }
    match found.is_empty() {
        true => json!({"groups": []}),
        false => json!({"groups": [{"name": format!("assent-{tenant}"), "rules": found}]}),
    }
}

/// `label-latency` as `AssentLabelLatency`.
fn alert_name(key: &str) -> String {
    let mut name = String::from("Assent");
    for part in key.split(['-', '_', '.']) {
        let mut letters = part.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn monitor() -> Monitor {
        Monitor {
            id: RecordId::from("m"),
            version: 1,
            key: "label-latency".to_owned(),
            title: "Latency {{ of }} labels".to_owned(),
            services: BTreeSet::new(),
            environments: BTreeSet::new(),
            scrape_targets: BTreeSet::from(["probe.example:9115".to_owned()]),
            expression: Some("p99{service=\"{service}\", env=\"{environment}\"} > 0.5".to_owned()),
            hold_minutes: Some(2),
            url: None,
            active: true,
        }
    }

    #[test]
    fn what_is_raised_is_a_file_of_targets_and_one_of_rules() {
        let raised = Raised {
            change: "CHG-7".to_owned(),
            places: BTreeSet::from(["pay/production".to_owned()]),
        };
        let monitor = monitor();
        let now = [(&monitor, raised)];
        let targets = targets(&now);
        assert_eq!(targets[0]["targets"], json!(["probe.example:9115"]));
        assert_eq!(targets[0]["labels"]["assent_change"], "CHG-7");
        let rules = rules("halden", &now);
        let rule = &rules["groups"][0]["rules"][0];
        assert_eq!(rule["alert"], "AssentLabelLatency");
        assert_eq!(rule["expr"], "p99{service=\"pay\", env=\"production\"} > 0.5");
        assert_eq!(
            (&rule["for"], &rule["annotations"]["summary"]),
            (&json!("2m"), &json!("Latency { { of }} labels"))
        );
        assert_eq!(super::rules("halden", &[]), json!({"groups": []}));
        assert_eq!(super::targets(&[]), json!([]));
    }

    #[test]
    fn an_expression_with_an_open_bracket_or_quote_is_none() {
        for text in [
            "up",
            "rate(up{job=\"a]\"}[5m]) > 1",
            "up{a='\\'('} # (",
            "up{a=`\\`}",
            "x{s=\"{service}\"}",
        ] {
            assert!(is_closed(text), "{text}");
        }
        for text in ["rate(up[5m", "up)", "up{a=\"b}", "sum(up]", "up{a=\"b\\\"}"] {
            assert!(!is_closed(text), "{text}");
        }
    }

    #[test]
    fn a_target_is_a_host_and_a_port_and_a_name_ends_no_label() {
        for target in ["a.example:80", "10.0.0.7:9100", "[::1]:9100"] {
            assert!(is_target(target), "{target}");
        }
        for target in ["a.example", ":80", "::1:80", "a b:80", "a:0", "a:99999", "http://a:80"] {
            assert!(!is_target(target), "{target}");
        }
        assert_eq!(for_place("up{s=\"{service}\"}", "a\"b\\c/x"), "up{s=\"a\\\"b\\\\c\"}");
    }
}
