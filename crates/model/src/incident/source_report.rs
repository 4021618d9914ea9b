//! The states of a record at the source of an incident, such as an issue of Jira. The source's times order them, so that the same
//! reports in any order describe the same course.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The state of the source's record at one time. Reports are ordered by their times, then by the source's numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceReport {
    /// The time of the message at its source.
    pub at: Timestamp,
    /// The source's number of the message, which orders messages of one instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
    /// Whether the record was over.
    pub is_over: bool,
    /// When it ended, if it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The severity, from 1 (worst) to 4; absent in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<i64>,
}

impl SourceReport {
    /// The end that it reports; the time of the message where it names none.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.ended_at.unwrap_or(self.at)
    }
}

/// The first of the last reports that agree about whether the record is over: since this report the record has its present state.
#[must_use]
pub fn present(reports: &BTreeSet<SourceReport>) -> Option<&SourceReport> {
    let is_over = reports.last()?.is_over;
    reports.iter().rev().take_while(|it| it.is_over == is_over).last()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn report(minute: i64, number: Option<i64>, is_over: bool) -> SourceReport {
        SourceReport {
            at: at(minute),
            number,
            is_over,
            ended_at: None,
            severity: Some(2),
        }
    }

    #[test]
    fn the_present_state_begins_with_the_first_report_that_agrees_with_the_last() {
        assert_eq!(present(&BTreeSet::new()), None);
        let reports = BTreeSet::from([report(30, None, true), report(0, None, false), report(20, None, true)]);
        assert_eq!(present(&reports), Some(&report(20, None, true)));
        // Within one instant the source's numbers decide.
        let reports = BTreeSet::from([report(20, Some(4), false), report(20, Some(3), true)]);
        assert_eq!(present(&reports), Some(&report(20, Some(4), false)));
    }
}
