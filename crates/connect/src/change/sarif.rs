//! SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format): how many results of which
//! level. A result without a level takes its rule's (section 3.27.10), and one that was
//! suppressed does not count (section 3.27.23).

use std::collections::HashMap;

use serde::Deserialize;

use crate::change::evidence::{self, Kind, Reading, Unreadable};

#[derive(Deserialize)]
struct Log {
    version: String,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    results: Option<Vec<Outcome>>,
    invocations: Option<Vec<Invocation>>,
}

#[derive(Deserialize)]
struct Tool {
    driver: Component,
    extensions: Option<Vec<Component>>,
}

#[derive(Deserialize)]
struct Component {
    name: Option<String>,
    rules: Option<Vec<Rule>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: Option<String>,
    default_configuration: Option<Configuration>,
}

#[derive(Deserialize)]
struct Configuration {
    level: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    kind: Option<String>,
    level: Option<String>,
    rule_id: Option<String>,
    rule_index: Option<i64>,
    rule: Option<RuleReference>,
    suppressions: Option<Vec<Suppression>>,
    baseline_state: Option<String>,
}

#[derive(Deserialize)]
struct RuleReference {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Suppression {
    status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: Option<bool>,
}

#[derive(Default)]
struct Counts {
    errors: u64,
    warnings: u64,
    notes: u64,
    suppressed: u64,
}

/// Reads a log. It passed if it has a run, no result of level `error`, and no run says that the
/// tool itself failed.
///
/// # Errors
/// [`Unreadable`] as [`crate::change::evidence_formats::read`] says, or where the version is not 2.x.
pub fn read(document: &[u8]) -> Result<Reading, Unreadable> {
    let log: Log = evidence::json(document)?;
    if !log.version.starts_with("2.") {
        return Err(Unreadable::because("the document is not SARIF 2"));
    }
    let mut counts = Counts::default();
    for run in &log.runs {
        tally(run, &mut counts);
    }
    let is_broken = log.runs.iter().any(failed_to_run);
    let has_run = !log.runs.is_empty() && log.runs.iter().all(|run| run.results.is_some());
    let tools: Vec<String> = log
        .runs
        .iter()
        .filter_map(|run| run.tool.driver.name.as_deref())
        .map(evidence::label)
        .take(5)
        .collect();
    let mut summary = format!(
        "{}: {}, {}, {}.",
        if tools.is_empty() {
            "No tool".to_owned()
        } else {
            tools.join(", ")
        },
        evidence::count(counts.errors, "error"),
        evidence::count(counts.warnings, "warning"),
        evidence::count(counts.notes, "note"),
    );
    if counts.suppressed > 0 {
        summary.push_str(&format!(" {} suppressed.", counts.suppressed));
    }
    if is_broken {
        summary.push_str(" The tool says that it did not run to its end.");
    }
    if !has_run {
        summary.push_str(" It holds no results, not even an empty list.");
    }
    Ok(Reading {
        kind: Kind::Sarif,
        summary,
        passed: Some(has_run && !is_broken && counts.errors == 0),
        subjects: Vec::new(),
    })
}

fn failed_to_run(run: &Run) -> bool {
    run.invocations
        .iter()
        .flatten()
        .any(|it| it.execution_successful == Some(false))
}

fn tally(run: &Run, counts: &mut Counts) {
    let levels = RuleLevels::of(&run.tool);
    // A result that is gone since the baseline is told of, and is none of what was found (section 3.27.24).
    let is_there = |result: &&Outcome| result.baseline_state.as_deref() != Some("absent");
    for result in run.results.iter().flatten().filter(is_there) {
        if is_suppressed(result) {
            counts.suppressed += 1;
            continue;
        }
        match levels.level(result) {
            "error" => counts.errors += 1,
            "note" => counts.notes += 1,
            "none" => {}
            // The standard's default, also for a word that it does not know.
            _ => counts.warnings += 1,
        }
    }
}

/// Suppressed means: at least one suppression, and none still under review or rejected.
fn is_suppressed(result: &Outcome) -> bool {
    let suppressions = result.suppressions.as_deref().unwrap_or_default();
    !suppressions.is_empty()
        && suppressions
            .iter()
            .all(|it| matches!(it.status.as_deref(), None | Some("accepted")))
}

/// The levels that a run's rules set for their results.
struct RuleLevels<'a> {
    driver: &'a [Rule],
    by_id: HashMap<&'a str, &'a str>,
}

impl<'a> RuleLevels<'a> {
    fn of(tool: &'a Tool) -> Self {
        let extensions = tool.extensions.as_deref().unwrap_or_default();
        let by_id = std::iter::once(&tool.driver)
            .chain(extensions)
            .flat_map(|component| component.rules.as_deref().unwrap_or_default())
            .filter_map(|rule| Some((rule.id.as_deref()?, default_level(rule)?)))
            .collect();
        Self {
            driver: tool.driver.rules.as_deref().unwrap_or_default(),
            by_id,
        }
    }

    fn level(&self, result: &'a Outcome) -> &'a str {
        if let Some(level) = result.level.as_deref() {
            return level;
        }
        if !matches!(result.kind.as_deref(), None | Some("fail")) {
            return "none";
        }
        let reference = result.rule.as_ref().and_then(|rule| rule.id.as_deref());
        let by_id = result
            .rule_id
            .as_deref()
            .or(reference)
            .and_then(|id| self.by_hierarchy(id));
        by_id.or_else(|| self.by_index(result)).unwrap_or("warning")
    }

    /// An id may name a part of a rule after a slash, with the rule's own id before it (section 3.27.5).
    fn by_hierarchy(&self, id: &str) -> Option<&'a str> {
        let mut id = id;
        loop {
            if let Some(level) = self.by_id.get(id) {
                return Some(level);
            }
            id = id.rsplit_once('/')?.0;
        }
    }

    fn by_index(&self, result: &Outcome) -> Option<&'a str> {
        let index = usize::try_from(result.rule_index?).ok()?;
        default_level(self.driver.get(index)?)
    }
}

fn default_level(rule: &Rule) -> Option<&str> {
    rule.default_configuration.as_ref()?.level.as_deref()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn log(results: &str) -> Reading {
        let text = format!(
            r#"{{"$schema":"https://example.org/x","version":"2.1.0","runs":[{{
                "tool":{{"driver":{{"name":"Checker","rules":[
                    {{"id":"R1","defaultConfiguration":{{"level":"error"}}}},
                    {{"id":"R2","defaultConfiguration":{{"level":"note"}}}},
                    {{"id":"R3"}}]}}}},
                "results":{results}}}]}}"#
        );
        read(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_part_of_a_rule_has_the_rule_s_level_and_what_is_gone_does_not_count() {
        let reading = log(r#"[{"ruleId":"R1/part/of"},{"ruleId":"R2/part"},{"ruleId":"R4/part"}]"#);
        assert_eq!(reading.summary, "Checker: 1 error, 1 warning, 1 note.");
        let gone = log(r#"[{"ruleId":"R1","baselineState":"absent"},{"ruleId":"R2","baselineState":"new"}]"#);
        assert_eq!(gone.summary, "Checker: 0 errors, 0 warnings, 1 note.");
        assert_eq!(gone.passed, Some(true));
    }

    #[test]
    fn levels_are_counted_and_errors_fail() {
        let reading = log(r#"[{"level":"error"},{"level":"warning"},{"level":"none"},{}]"#);
        assert_eq!(reading.summary, "Checker: 1 error, 2 warnings, 0 notes.");
        assert_eq!(reading.passed, Some(false));
        assert_eq!(log("[]").passed, Some(true));
    }

    #[test]
    fn a_result_without_a_level_takes_its_rule_s() {
        let by_id = log(r#"[{"ruleId":"R1"},{"ruleId":"R2"},{"ruleId":"R3"},{"rule":{"id":"R1"}}]"#);
        assert_eq!(by_id.summary, "Checker: 2 errors, 1 warning, 1 note.");
        assert_eq!(log(r#"[{"ruleIndex":0}]"#).passed, Some(false));
        assert_eq!(log(r#"[{"ruleIndex":-1}]"#).passed, Some(true));
        assert_eq!(log(r#"[{"ruleId":"R1","kind":"pass"}]"#).passed, Some(true));
        assert_eq!(log(r#"[{"ruleId":"R1","level":"note"}]"#).passed, Some(true));
    }

    #[test]
    fn only_settled_suppressions_count() {
        let settled = log(r#"[{"level":"error","suppressions":[{"kind":"inSource"}]}]"#);
        assert_eq!(settled.passed, Some(true));
        assert!(settled.summary.contains("1 suppressed"));
        for status in ["underReview", "rejected"] {
            let open = format!(r#"[{{"level":"error","suppressions":[{{"status":"{status}"}}]}}]"#);
            assert_eq!(log(&open).passed, Some(false));
        }
        assert_eq!(log(r#"[{"level":"error","suppressions":[]}]"#).passed, Some(false));
    }

    #[test]
    fn a_log_that_shows_nothing_passes_nothing() {
        let none = read(br#"{"version":"2.1.0","runs":[]}"#).unwrap();
        assert_eq!(none.passed, Some(false));
        let unscanned = br#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}}}]}"#;
        assert_eq!(read(unscanned).unwrap().passed, Some(false));
        let broken = br#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[],
            "invocations":[{"executionSuccessful":false}]}]}"#;
        assert_eq!(read(broken).unwrap().passed, Some(false));
        assert!(read(br#"{"version":"1.0.0","runs":[]}"#).is_err());
    }
}
