//! The result of a check: good, bad or undecided, with every reason.

use serde::Serialize;

/// The three results of a check; the command line exits with 0, 1 and 2 for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything that was checked holds.
    Good,
    /// Something needed for a result is missing; do not trust, but nothing is proven false.
    CannotTell,
    /// Something is proven false.
    Bad,
}

impl Outcome {
    /// The exit code of a command: 0 good, 1 bad, 2 undecided.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Bad => 1,
            Self::CannotTell => 2,
        }
    }
}

/// One thing that a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its effect on the result; `good` marks a remark that does not change it.
    pub outcome: Outcome,
    /// A stable code for programs.
    pub code: &'static str,
    /// One sentence for people.
    pub text: String,
    /// The file, record or log index it is about, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// The most findings that are kept; more would add nothing new.
pub const MAX_FINDINGS: usize = 200;

/// All findings of a check.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// The findings in the order in which they were found, at most [`MAX_FINDINGS`].
    pub findings: Vec<Finding>,
}

impl Report {
    /// The worst of all findings; good when there are none.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let worst = self.findings.iter().map(|finding| finding.outcome).max();
        worst.unwrap_or(Outcome::Good)
    }

    /// Whether a finding with this code was made.
    #[must_use]
    pub fn has(&self, code: &str) -> bool {
        self.findings.iter().any(|finding| finding.code == code)
    }

    pub(crate) fn bad(&mut self, code: &'static str, at: &str, text: impl Into<String>) {
        self.add(Outcome::Bad, code, at, text.into());
    }

    pub(crate) fn cannot_tell(&mut self, code: &'static str, at: &str, text: impl Into<String>) {
        self.add(Outcome::CannotTell, code, at, text.into());
    }

    pub(crate) fn remark(&mut self, code: &'static str, at: &str, text: impl Into<String>) {
        self.add(Outcome::Good, code, at, text.into());
    }

    fn add(&mut self, outcome: Outcome, code: &'static str, at: &str, text: String) {
        // A worse result is never dropped for lack of room: it replaces the last one.
        if self.findings.len() >= MAX_FINDINGS {
            if outcome <= self.outcome() {
                return;
            }
            self.findings.pop();
        }
        let at = (!at.is_empty()).then(|| at.to_owned());
        self.findings.push(Finding {
            outcome,
            code,
            text,
            at,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_finding_is_the_answer_even_when_there_are_many() {
        let mut report = Report::default();
        assert_eq!(report.outcome().exit_code(), 0);
        for _ in 0..MAX_FINDINGS {
            report.remark("note", "", "A remark.");
        }
        report.cannot_tell("unclear", "a", "Unclear.");
        assert_eq!(report.outcome().exit_code(), 2);
        report.bad("wrong", "b", "Wrong.");
        assert_eq!(report.outcome().exit_code(), 1);
        assert!(report.has("wrong"));
        assert_eq!(report.findings.len(), MAX_FINDINGS);
    }
}
