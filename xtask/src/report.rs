//! Counts passed and failed tests, and reports them at the end.

use std::fmt::Write as _;
use std::time::Duration;

/// How many lines of a failing part are repeated near the end.
const TAIL: usize = 60;

/// The result of one part of the suite.
pub struct PartResult {
    /// The part's name, as given on the command line.
    pub name: &'static str,
    /// Test functions and checks that passed.
    pub passed: u64,
    /// Test functions and checks that failed.
    pub failed: u64,
    /// How long the part took, by the wall clock.
    pub took: Duration,
    /// The end of the failing programs' output; empty when all is well.
    pub tail: Vec<String>,
}

/// Counts of one or several programs, before the part's time is known.
#[derive(Default)]
pub struct Count {
    /// Test functions and checks that passed.
    pub passed: u64,
    /// Test functions and checks that failed.
    pub failed: u64,
    /// The end of the failing programs' output.
    pub tail: Vec<String>,
}

impl Count {
    /// The count of a check that has no test functions: it passes or fails as one.
    pub fn of_check(succeeded: bool, lines: &[String]) -> Self {
        let mut count = Self {
            passed: u64::from(succeeded),
            ..Self::default()
        };
        if !succeeded {
            count.fail("", lines);
        }
        count
    }

    /// The count of a `cargo test` run.
    ///
    /// A run that failed before any test function did (it did not compile, a test program died)
    /// counts as one failure, an ignored test too, and so does a run without any test: a suite that
    /// runs nothing must not look healthy.
    pub fn of_tests(what: &str, succeeded: bool, lines: &[String]) -> Self {
        let mut count = Self::default();
        let mut ignored = 0;
        for sums in lines.iter().filter_map(|line| parse_result(line)) {
            count.passed += sums.passed;
            count.failed += sums.failed;
            ignored += sums.ignored;
        }
        if !succeeded && count.failed == 0 {
            count.fail(&format!("{what} failed outside of any test function"), lines);
        } else if count.failed > 0 {
            count.tail = interesting(lines);
        }
        if ignored > 0 {
            count.fail(&format!("{what}: {ignored} tests are ignored"), &[]);
        }
        if count.passed + count.failed == 0 {
            count.fail(&format!("{what} ran no test"), lines);
        }
        count
    }

    /// Adds one failure with a sentence and the end of its output.
    pub fn fail(&mut self, sentence: &str, lines: &[String]) {
        self.failed += 1;
        self.tail.extend(interesting(lines));
        if !sentence.is_empty() {
            self.tail.push(sentence.to_owned());
        }
    }

    /// Adds another count to this one.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.tail.extend(other.tail);
    }
}

/// The lines worth repeating: from the first list of failures on if there is one, else the last.
fn interesting(lines: &[String]) -> Vec<String> {
    let start = lines.len().saturating_sub(TAIL);
    let failures = lines.iter().position(|line| line == "failures:").unwrap_or(start);
    lines.iter().skip(failures).take(TAIL).cloned().collect()
}

struct Sums {
    passed: u64,
    failed: u64,
    ignored: u64,
}

/// Reads libtest's `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
fn parse_result(line: &str) -> Option<Sums> {
    let rest = line.trim().strip_prefix("test result: ")?;
    let number = |word: &str| -> Option<u64> {
        let part = rest
            .split(['.', ';'])
            .map(str::trim)
            .find(|part| part.ends_with(word))?;
        part.split_whitespace().next()?.parse().ok()
    };
    Some(Sums {
        passed: number(" passed")?,
        failed: number(" failed")?,
        ignored: number(" ignored")?,
    })
}

/// The whole report: failing tails, the table of minutes, and the sum alone on the last line.
pub fn render(parts: &[PartResult]) -> String {
    let mut text = String::new();
    for part in parts.iter().filter(|part| !part.tail.is_empty()) {
        let _ = writeln!(text, "\n--- {} failed; the end of its output:", part.name);
        for line in &part.tail {
            let _ = writeln!(text, "{line}");
        }
    }
    let _ = writeln!(text, "\n{:<10}{:>9}{:>9}{:>9}", "part", "passed", "failed", "minutes");
    for part in parts {
        let minutes = part.took.as_secs_f64() / 60.0;
        let _ = writeln!(
            text,
            "{:<10}{:>9}{:>9}{:>9.1}",
            part.name, part.passed, part.failed, minutes
        );
    }
    let passed: u64 = parts.iter().map(|part| part.passed).sum();
    let failed: u64 = parts.iter().map(|part| part.failed).sum();
    let _ = writeln!(text, "\n{passed} passed, {failed} failed");
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn test_results_of_several_programs_are_summed() {
        let out = lines(
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
             noise\n\
             test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
        );
        let count = Count::of_tests("unit", false, &out);
        assert_eq!((count.passed, count.failed), (15, 2));
    }

    #[test]
    fn a_run_without_a_test_fails() {
        let out = lines("test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured");
        let count = Count::of_tests("foreign", true, &out);
        assert_eq!((count.passed, count.failed), (0, 1));
        assert_eq!(count.tail.last().unwrap(), "foreign ran no test");
    }

    #[test]
    fn a_run_that_dies_after_good_tests_fails() {
        let out = lines("test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured\naborted");
        let count = Count::of_tests("unit", false, &out);
        assert_eq!((count.passed, count.failed), (4, 1));
    }

    #[test]
    fn an_ignored_test_fails() {
        let out = lines("test result: ok. 4 passed; 0 failed; 1 ignored; 0 measured");
        assert_eq!(Count::of_tests("unit", true, &out).failed, 1);
    }

    #[test]
    fn the_sum_stands_alone_on_the_last_line() {
        let part = |name, passed, failed| PartResult {
            name,
            passed,
            failed,
            took: Duration::from_secs(90),
            tail: Vec::new(),
        };
        let text = render(&[part("fmt", 1, 0), part("unit", 40, 2)]);
        assert_eq!(text.lines().last().unwrap(), "41 passed, 2 failed");
        assert!(
            text.contains("1.5"),
            "a part of 90 seconds shows as 1.5 minutes: {text}"
        );
    }

    #[test]
    fn a_failing_part_repeats_its_failures() {
        let out = lines("one\nfailures:\nfirst went wrong\ntest result: FAILED. 0 passed; 1 failed; 0 ignored;");
        let count = Count::of_tests("unit", false, &out);
        assert_eq!(count.tail.first().unwrap(), "failures:");
        assert!(count.tail.iter().any(|line| line == "first went wrong"));
    }
}
