//! Gate checks.

use crate::elements::sample::{BIDI, LONG_WORD, MARKUP};
use crate::{Cell, Column, Empty, Fold, List, ListRow, Place, Rich, Tone};

/// The checks of the gates and their results, newest first.
pub type GateChecks = List<GateCheckRow>;

/// A gate check in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GateCheckRow {
    /// Its id.
    pub id: String,
    /// Its page.
    pub href: String,
    /// The service and environment: “booking-api, production”.
    pub target: String,
    /// The artifact or commit, shortened.
    pub artifact: String,
    /// Whether the result was go.
    pub is_go: bool,
    /// Whether it still waits for a result that may change.
    pub is_waiting: bool,
    /// The change that it was checked against; empty when there is none.
    pub change: Rich,
    /// The first open condition, as text; empty on go.
    pub why: String,
    /// The time of the check, for the reader.
    pub asked: String,
}

impl ListRow for GateCheckRow {
    const TITLE: &'static str = "Gate checks";
    const LEDE: &'static str = "Requests of pipelines and gateways, with the decisions.";

    fn columns() -> Vec<Column> {
        vec![
            Column::new("Where", Fold::Never),
            Column::new("Answer", Fold::Under),
            Column::new("Artifact", Fold::Away),
            Column::new("Change", Fold::Under),
            Column::new("Why", Fold::Under),
            Column::new("Asked", Fold::Under),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        let answer = match (self.is_go, self.is_waiting) {
            (true, _) => Tone::Ok.mark("Go"),
            (false, true) => Tone::Wait.mark("Stop, waiting"),
            (false, false) => Tone::Stop.mark("Stop"),
        };
        vec![
            Cell::title(self.target.as_str(), self.href.as_str()),
            Cell::Mark(answer),
            Cell::Text(Rich::new().code(&self.artifact)),
            Cell::Text(self.change.clone()),
            Cell::text(self.why.as_str()),
            Cell::Short(self.asked.clone()),
        ]
    }

    fn empty() -> Empty {
        Empty::new(
            "No gate checks yet",
            Rich::new()
                .text("A pipeline asks with ")
                .code("assent gate check")
                .text("; a gateway asks automatically. Each request appears here with its decision."),
        )
    }

    fn place() -> Place {
        Place::GateChecks
    }

    fn sample_rows() -> Vec<Self> {
        let row = |id: &str, target: &str, why: &str| Self {
            id: id.to_owned(),
            href: "/t/halden/gate-checks/gc-77b2f0".to_owned(),
            target: target.to_owned(),
            artifact: "sha256:6b1d…07a".to_owned(),
            change: Rich::new().link("CHG-1042", "/t/halden/changes/CHG-1042"),
            why: why.to_owned(),
            asked: "today 10:42".to_owned(),
            ..Self::default()
        };
        vec![
            Self {
                is_waiting: true,
                ..row("1", "booking-api, production", "Two approvals are missing")
            },
            Self {
                is_go: true,
                ..row("2", "edge-dns, production", "")
            },
            Self {
                change: Rich::new(),
                ..row("3", "rates-engine, production", "No change names this artifact")
            },
            row("4", MARKUP, MARKUP),
            row("5", BIDI, &LONG_WORD.repeat(10)),
        ]
    }
}
