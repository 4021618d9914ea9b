//! Schedules of control reports: a report on each span that has ended, made from the log, with its digest in the log.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::AUDIT;
use crate::core::card::{Card, Event, Page};
use crate::core::enums::{ReportFormat, ReportSpan};
use crate::core::ids::{PersonId, RecordId};
use crate::verbs;

/// The most schedules of a tenant.
pub const MOST: usize = 50;
/// The most people who get the letter of one schedule.
pub const MOST_CONTACTS: usize = 50;
/// For how many minutes after its span a report waits, so that the last events of the span have their place in the log.
pub const SETTLING_MINUTES: i64 = 10;

/// A report that is made on each span that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct ReportSchedule {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The framework's id, such as sox.
    pub framework: String,
    /// The period of each report.
    #[card(words)]
    pub span: ReportSpan,
    /// The form of the file.
    #[card(words)]
    pub format: ReportFormat,
    /// The people who receive a mail with the link: logins.
    #[card(text)]
    pub contacts: BTreeSet<PersonId>,
    /// The last reported period, such as 2026-10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_for: Option<String>,
    /// The size of the log that the last report was computed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_size: Option<i64>,
    /// The digest of the last report as a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_digest: Option<String>,
    /// The time of the last report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Timestamp>,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// A report on each completed period; the first report is created at once, on the last completed period.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct ReportScheduleInput {
    /// The framework's id, such as sox.
    #[card(positional, example = "sox")]
    pub framework: String,
    /// The period of each report.
    #[card(words, example = "last_month")]
    pub span: ReportSpan,
    /// The form of the file.
    #[card(words, optional, usual = "pdf", example = "oscal")]
    pub format: ReportFormat,
    /// The people who receive a mail with the link: logins.
    #[card(option = "contact", example = "adam")]
    pub contacts: BTreeSet<String>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "log",
    command: "report-schedule",
    patch: "ReportSchedulePatch",
    columns: &[
        "id",
        "framework",
        "span",
        "format",
        "contacts",
        "made_for",
        "made_digest",
    ],
    verbs: verbs! {
        List "list_report_schedules" at "/report-schedules" may AUDIT => "List schedules of control reports, with the last report of each", token Audit;
        Add "add_report_schedule" at "/report-schedules" may AUDIT => "Schedule a control report on each completed period", token Audit;
        Show "show_report_schedule" at "/report-schedules/{id}" may AUDIT => "Show a schedule of control reports", token Audit;
        Edit "edit_report_schedule" at "/report-schedules/{id}" may AUDIT => "Change a schedule of control reports", token Audit;
        End "end_report_schedule" at "/report-schedules/{id}" may AUDIT => "End a schedule of control reports", token Audit;
    },
    events: &[
        Event::new("report_schedule.added", "calendar", "scheduled a control report"),
        Event::new(
            "report_schedule.edited",
            "edit",
            "changed a schedule of control reports",
        ),
        Event::new("report_schedule.made", "check", "made a control report"),
        Event::new("report_schedule.ended", "x", "ended a schedule of control reports"),
    ],
    page: Some(Page {
        path: "/report-schedules",
        byline: "Control reports on each completed month, quarter or year; the log keeps the digest of each report.",
        empty: "No control report is scheduled.",
        labels: ["Schedule a report", "Change it", "End it"],
    }),
    ..Card::of::<ReportSchedule, ReportScheduleInput>("report_schedule", "Schedules of control reports")
};

/// The last span that has ended at `now`: its name and its moments, the end not included, in UTC. `None` beyond the calendar.
#[must_use]
pub fn last_ended(span: ReportSpan, now: Timestamp) -> Option<(String, Timestamp, Timestamp)> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let (year, month) = (today.year(), today.month());
    let (first, end) = match span {
        ReportSpan::LastMonth => {
            let end = date(year, month, 1);
            (months_before(end, 1)?, end)
        }
        ReportSpan::LastQuarter => {
            let end = date(year, (month - 1) / 3 * 3 + 1, 1);
            (months_before(end, 3)?, end)
        }
        ReportSpan::LastYear => {
            let end = date(year, 1, 1);
            (months_before(end, 12)?, end)
        }
    };
    let name = match span {
        ReportSpan::LastMonth => format!("{:04}-{:02}", first.year(), first.month()),
        ReportSpan::LastQuarter => format!("{:04}-Q{}", first.year(), (first.month() - 1) / 3 + 1),
        ReportSpan::LastYear => format!("{:04}", first.year()),
    };
    let moment = |day: Date| day.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    Some((name, moment(first)?, moment(end)?))
}

fn months_before(day: Date, months: i64) -> Option<Date> {
    day.checked_sub(jiff::Span::new().months(months)).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn the_last_span_ends_where_the_present_one_begins() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-01-01T00:00:00Z");
        let found = |span| last_ended(span, now).unwrap();
        let month = (
            "2025-12".to_owned(),
            at("2025-12-01T00:00:00Z"),
            at("2026-01-01T00:00:00Z"),
        );
        assert_eq!(found(ReportSpan::LastMonth), month);
        let quarter = (
            "2025-Q4".to_owned(),
            at("2025-10-01T00:00:00Z"),
            at("2026-01-01T00:00:00Z"),
        );
        assert_eq!(found(ReportSpan::LastQuarter), quarter);
        let year = (
            "2025".to_owned(),
            at("2025-01-01T00:00:00Z"),
            at("2026-01-01T00:00:00Z"),
        );
        assert_eq!(found(ReportSpan::LastYear), year);
        let late = last_ended(ReportSpan::LastQuarter, at("2026-09-30T23:59:59Z")).unwrap();
        assert_eq!(late.0, "2026-Q2");
    }
}
