//! SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format): how many results of which
//! level. A result without a level takes the one that its run's invocation sets for the rule, else its rule's own (section
//! 3.27.10), and a suppressed result does not count (section 3.27.23). A rule is named by id, by index, or by a reference to
//! one of the tool's extensions. Results that only a person can judge, or that lie in another file, leave open whether the
//! document passed.

use std::collections::{BTreeSet, HashMap};

use crate::change::evidence::{self, Kind, Reading, Unreadable};
use crate::change::sarif_log::{Log, Outcome, Run};
use crate::change::sarif_rules::{Level, Rules};

#[derive(Default)]
struct Counts {
    errors: u64,
    warnings: u64,
    notes: u64,
    suppressed: u64,
    undecided: u64,
    findings: Vec<String>,
}

/// Reads a log. It passed if it has a run, no result of level `error`, and no run with a failure of the tool itself. Where
/// nothing failed and something is left open, it is undecided.
///
/// # Errors
/// [`Unreadable`] as in [`crate::change::evidence_formats::read`], or where the version is not 2.x.
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
    let is_elsewhere = log.runs.iter().any(has_results_elsewhere);
    let has_run =
        !log.runs.is_empty() && (log.runs.iter()).all(|run| run.results.is_some() || has_results_elsewhere(run));
    let has_failed = !has_run || is_broken || counts.errors > 0;
    let is_open = counts.undecided > 0 || is_elsewhere;
    let mut summary = counted(&log, &counts);
    if is_broken {
        summary.push_str(" The tool says that it did not run to its end.");
    }
    if !has_run {
        summary.push_str(" It holds no results, not even an empty list.");
    }
    if is_elsewhere {
        summary.push_str(" Results lie in another file, which was not read.");
    }
    Ok(Reading {
        kind: Kind::Sarif,
        summary,
        passed: Some(!has_failed && !is_open),
        is_undecided: is_open && !has_failed,
        subjects: Vec::new(),
        findings: evidence::findings(counts.findings.into_iter()),
        suites: tools_of(&log),
    })
}

/// The tools that ran: another tool's report proves nothing about the findings of one.
fn tools_of(log: &Log) -> Vec<String> {
    let names = log.runs.iter().filter_map(|run| run.tool.driver.name.as_deref());
    let names: BTreeSet<String> = names.map(evidence::label).collect();
    names.into_iter().collect()
}

fn counted(log: &Log, counts: &Counts) -> String {
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
    if counts.undecided > 0 {
        summary.push_str(&format!(
            " {} cannot be judged.",
            evidence::count(counts.undecided, "result")
        ));
    }
    summary
}

fn failed_to_run(run: &Run) -> bool {
    run.invocations
        .iter()
        .flatten()
        .any(|it| it.execution_successful == Some(false))
}

fn has_results_elsewhere(run: &Run) -> bool {
    let elsewhere = run.external_property_file_references.as_ref();
    elsewhere
        .and_then(|it| it.results.as_ref())
        .is_some_and(|files| !files.is_empty())
}

fn tally(run: &Run, counts: &mut Counts) {
    let rules = Rules::of(run);
    let mut seen: HashMap<String, u64> = HashMap::new();
    // A result that is gone since the baseline is still listed, and is no finding (section 3.27.24).
    let is_there = |result: &&Outcome| result.baseline_state.as_deref() != Some("absent");
    for result in run.results.iter().flatten().filter(is_there) {
        if is_suppressed(result) {
            counts.suppressed += 1;
            continue;
        }
        match level(result, &rules) {
            Level::None => continue,
            Level::Undecided => {
                counts.undecided += 1;
                continue;
            }
            Level::Note => counts.notes += 1,
            Level::Warning => counts.warnings += 1,
            Level::Error => counts.errors += 1,
        }
        let name = named(result, rules.id_of(result));
        let nth = seen.entry(name.clone()).or_insert(0);
        *nth += 1;
        // The same finding twice in one place is one more than once.
        counts
            .findings
            .push(if *nth == 1 { name } else { format!("{name} ({nth})") });
    }
}

/// Section 3.27.10: the result's own level, else none for a result that is no failure, else the level of its rule.
fn level(result: &Outcome, rules: &Rules<'_>) -> Level {
    if let Some(level) = result.level.as_deref() {
        return Level::of(level);
    }
    match result.kind.as_deref() {
        None | Some("fail") => rules.level(result),
        // Section 3.27.9: the tool could not decide, or leaves it to a person.
        Some("open" | "review") => Level::Undecided,
        Some(_) => Level::None,
    }
}

/// The name of a finding in any report of the same tool: its rule and its fingerprints, else its file and message. The line
/// moves from build to build.
fn named(result: &Outcome, rule: Option<&str>) -> String {
    let rule = rule.unwrap_or("a finding");
    let prints = result.fingerprints.as_ref().filter(|it| !it.is_empty());
    let prints = prints
        .or(result.partial_fingerprints.as_ref())
        .filter(|it| !it.is_empty());
    if let Some(prints) = prints {
        let prints: Vec<String> = prints.iter().map(|(key, value)| format!("{key}={value}")).collect();
        return evidence::label(&format!("{rule} {}", prints.join(" ")));
    }
    let place = result.locations.iter().flatten().find_map(|it| {
        let location = it.physical_location.as_ref()?.artifact_location.as_ref()?;
        location.uri.as_deref()
    });
    let message = result.message.as_ref();
    let text = message.and_then(|it| it.text.as_deref().or(it.id.as_deref()));
    let words: Vec<&str> = [Some(rule), place, text].into_iter().flatten().collect();
    evidence::label(&words.join(" "))
}

/// Suppressed means: at least one suppression, and none still under review or rejected.
fn is_suppressed(result: &Outcome) -> bool {
    let suppressions = result.suppressions.as_deref().unwrap_or_default();
    !suppressions.is_empty()
        && suppressions
            .iter()
            .all(|it| matches!(it.status.as_deref(), None | Some("accepted")))
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
    fn a_log_names_the_tools_that_ran() {
        let run = |name: &str| format!(r#"{{"tool":{{"driver":{{"name":"{name}"}}}},"results":[]}}"#);
        let runs = [run("Semgrep"), run("CodeQL"), run("Semgrep")].join(",");
        let text = format!(r#"{{"version":"2.1.0","runs":[{runs}]}}"#);
        assert_eq!(read(text.as_bytes()).unwrap().suites, ["CodeQL", "Semgrep"]);
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

    /// A log whose run has these members beside its tool.
    fn run_of(members: &str) -> Reading {
        let text = format!(
            r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"Checker","rules":[
                {{"id":"R1","defaultConfiguration":{{"level":"error"}}}},{{"id":"R2","defaultConfiguration":{{"level":"note"}}}}]}},
                "extensions":[{{"name":"More","guid":"g-1","rules":[{{"id":"X1"}},{{"id":"X2","guid":"r-2",
                    "defaultConfiguration":{{"level":"error"}}}}]}}]}},{members}}}]}}"#
        );
        read(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_rule_is_found_by_index_also_in_an_extension() {
        for (result, passed) in [
            (r#"{"rule":{"index":0}}"#, false),
            (r#"{"rule":{"index":1}}"#, true),
            (r#"{"rule":{"index":1,"toolComponent":{"index":0}}}"#, false),
            (r#"{"rule":{"index":0,"toolComponent":{"index":0}}}"#, true),
            (r#"{"rule":{"index":1,"toolComponent":{"guid":"g-1"}}}"#, false),
            (r#"{"ruleIndex":1,"rule":{"toolComponent":{"name":"More"}}}"#, false),
            (r#"{"rule":{"guid":"r-2"}}"#, false),
            (r#"{"ruleId":"R2","ruleIndex":0}"#, false),
        ] {
            let reading = run_of(&format!(r#""results":[{result}]"#));
            assert_eq!(reading.passed, Some(passed), "{result}: {}", reading.summary);
        }
    }

    #[test]
    fn an_invocation_overrides_the_level_of_a_rule() {
        let raised = r#""invocations":[{"executionSuccessful":true,"ruleConfigurationOverrides":[
            {"descriptor":{"index":1},"configuration":{"level":"error"}},
            {"descriptor":{"id":"R1"},"configuration":{"level":"note"}}]}]"#;
        let one = |result: &str| run_of(&format!(r#"{raised},"results":[{result}]"#)).passed;
        assert_eq!(one(r#"{"ruleId":"R2"}"#), Some(false));
        assert_eq!(one(r#"{"ruleId":"R1"}"#), Some(true));
        assert_eq!(one(r#"{"ruleId":"R1","level":"error"}"#), Some(false));
        // Of several invocations the named one counts; where none is named, the worst level.
        let two = r#""invocations":[{"executionSuccessful":true,"ruleConfigurationOverrides":[
            {"descriptor":{"id":"R1"},"configuration":{"level":"note"}}]},{"executionSuccessful":true}]"#;
        let of_two = |result: &str| run_of(&format!(r#"{two},"results":[{result}]"#)).passed;
        assert_eq!(of_two(r#"{"ruleId":"R1"}"#), Some(false));
        assert_eq!(
            of_two(r#"{"ruleId":"R1","provenance":{"invocationIndex":0}}"#),
            Some(true)
        );
        assert_eq!(
            of_two(r#"{"ruleId":"R1","provenance":{"invocationIndex":1}}"#),
            Some(false)
        );
    }

    #[test]
    fn what_only_a_person_can_judge_or_lies_elsewhere_is_undecided() {
        for members in [
            r#""results":[{"ruleId":"R2","kind":"review"}]"#,
            r#""results":[{"kind":"open"}]"#,
            r#""results":[{"ruleIndex":7}]"#,
            r#""results":[{"rule":{"index":0,"toolComponent":{"index":4}}}]"#,
            r#""externalPropertyFileReferences":{"results":[{"location":{"uri":"r.sarif"}}]}"#,
        ] {
            let reading = run_of(members);
            assert!(
                reading.is_undecided && reading.passed == Some(false),
                "{members}: {}",
                reading.summary
            );
        }
        let worse = run_of(r#""results":[{"kind":"review"},{"ruleId":"R1"}]"#);
        assert!(!worse.is_undecided && worse.passed == Some(false));
    }

    #[test]
    fn a_finding_keeps_its_name_when_its_line_moves() {
        let at = |line: u32, text: &str| {
            format!(
                r#"{{"ruleId":"R2","message":{{"text":"{text}"}},"locations":[{{"physicalLocation":{{
                    "artifactLocation":{{"uri":"a.c"}},"region":{{"startLine":{line}}}}}}}]}}"#
            )
        };
        let names = |results: &[String]| run_of(&format!(r#""results":[{}]"#, results.join(","))).findings;
        assert_eq!(names(&[at(3, "x")]), names(&[at(9, "x")]));
        assert_ne!(names(&[at(3, "x")]), names(&[at(3, "y")]));
        assert_eq!(names(&[at(3, "x"), at(4, "x")]).len(), 2);
        let printed =
            r#"{"ruleId":"R2","partialFingerprints":{"primaryLocationLineHash":"ab"},"message":{"text":"z"}}"#;
        assert_eq!(names(&[printed.to_owned()]), ["R2 primaryLocationLineHash=ab"]);
        assert_eq!(
            names(&[r#"{"ruleId":"R2","suppressions":[{"kind":"inSource"}]}"#.to_owned()]),
            Vec::<String>::new()
        );
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
