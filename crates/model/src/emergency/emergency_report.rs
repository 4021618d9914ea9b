//! Reports of records that hosts wrote while no server could be reached.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_INCIDENT};
use crate::core::card::{Card, Event};
use crate::core::ids::{PersonId, RecordId};
use crate::verbs;

/// The longest record, in characters.
pub const RECORD: usize = 512 * 1_024;
/// The most lines of a record.
pub const MOST_LINES: usize = 500;

/// The report of a host's record. The same record again adds nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct EmergencyReport {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The record's name, which its host gave it.
    #[card(column)]
    pub named: String,
    /// How many lines it had.
    #[card(column, most = MOST_LINES)]
    pub lines: i64,
    /// How many of them were new.
    #[card(most = MOST_LINES)]
    pub added: i64,
    /// The differences of the whole record and of its new lines, each once.
    pub differences: Vec<String>,
    /// Who reported it: a login.
    #[card(optional)]
    pub by: PersonId,
    /// When it was reported.
    #[card(column)]
    pub at: Timestamp,
}

/// A record that a host wrote while no server could be reached.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct EmergencyReportInput {
    /// The record, line by line as the host wrote it.
    #[card(label = "Record", most = RECORD, positional, example = "{}")]
    pub record: String,
}

/// The card.
pub const CARD: Card = Card {
    tag: "gate",
    command: "emergency-report",
    columns: &["at", "named", "lines", "added", "differences", "by"],
    verbs: verbs! {
        List "list_emergency_reports" at "/emergency-reports" may READ => "List reports of what was done while no server could be reached";
        Add "report_emergency_record" at "/emergency-reports" may SET_INCIDENT => "Report a host's record of offline work; repeating a record has no effect", called "add";
        Show "show_emergency_report" at "/emergency-reports/{id}" may READ => "Show a report of what was done while no server could be reached";
    },
    events: &[Event::new(
        "emergency_report.added",
        "clock",
        "reported a host's record of offline work",
    )],
    ..Card::of::<EmergencyReport, EmergencyReportInput>("emergency_report", "Reported records")
};
