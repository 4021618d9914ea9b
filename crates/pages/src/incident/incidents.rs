//! Incidents.

use crate::elements::list::row_acts;
use crate::elements::sample::{BIDI, LONG_WORD, MARKUP};
use crate::{ActForm, ActTone, Cell, Column, Empty, Field, Fold, Input, List, ListRow, Place, Rich, Tone};

/// Incidents, open ones first.
pub type Incidents = List<IncidentRow>;

/// An incident in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IncidentRow {
    /// Its key: `INC-318`.
    pub key: String,
    /// Its page; empty when it has none.
    pub href: String,
    /// Its title.
    pub title: String,
    /// Its severity, as one term.
    pub severity: String,
    /// Whether it is still open.
    pub is_open: bool,
    /// Whether it is a major incident now.
    pub is_major: bool,
    /// The services it touches.
    pub services: String,
    /// When it began, for the reader.
    pub started: String,
    /// The change that may have caused it; empty for none.
    pub related: Rich,
    /// The acts on it that are legal now.
    pub acts: Vec<ActForm>,
}

impl ListRow for IncidentRow {
    const TITLE: &'static str = "Incidents";
    const LEDE: &'static str =
        "Open and past incidents. A major incident freezes its services until its commander ends the freeze.";

    fn columns() -> Vec<Column> {
        vec![
            Column::new("Key", Fold::Under),
            Column::new("Incident", Fold::Never),
            Column::new("State", Fold::Under),
            Column::new("Severity", Fold::Under).named(),
            Column::new("Where", Fold::Away),
            Column::new("Began", Fold::Under),
            Column::new("Change-related", Fold::Away),
            Column::new("", Fold::Away),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        let state = match (self.is_major, self.is_open) {
            (true, _) => Tone::Stop.mark("Major"),
            (false, true) => Tone::Wait.mark("Open"),
            (false, false) => Tone::Ok.mark("Resolved"),
        };
        vec![
            Cell::Text(Rich::new().key(&self.key)),
            Cell::title(self.title.as_str(), self.href.as_str()),
            Cell::Mark(state),
            Cell::text(self.severity.as_str()),
            Cell::said(self.services.as_str()),
            Cell::Short(self.started.clone()),
            Cell::Text(self.related.clone()),
            row_acts(&format!("incident-{}", self.key), &self.acts),
        ]
    }

    fn empty() -> Empty {
        Empty::new(
            "No incident is recorded",
            "When something breaks, report it here or let your incident tool do it; changes are then linked to it by themselves.",
        )
    }

    fn place() -> Place {
        Place::Incidents
    }

    fn sample_acts() -> Vec<ActForm> {
        vec![
            ActForm::new("incident", "Report an incident", "/t/halden/incidents")
                .field(Field::text("title", "What is broken").required())
                .field(Field::select("severity", "Severity", &[("minor", "Minor"), ("major", "Major")]).half())
                .field(Field::new("started_at", "Since", Input::DateTime).half())
                .field(Field::text("services", "Services").hint("Keys, separated by commas."))
                .field(Field::text("external_ref", "Its key in your incident tool")),
        ]
    }

    fn sample_rows() -> Vec<Self> {
        let resolve = ActForm::new("resolve", "Resolve", "/t/halden/incidents/INC-318").tone(ActTone::Link);
        let open = Self {
            key: "INC-318".to_owned(),
            href: "/t/halden/incidents/INC-318".to_owned(),
            title: "Slow label printing".to_owned(),
            severity: "minor".to_owned(),
            is_open: true,
            is_major: false,
            services: "label-print".to_owned(),
            started: "today 09:40".to_owned(),
            related: Rich::new()
                .link("CHG-1055", "/t/halden/changes/CHG-1055")
                .text(", likely"),
            acts: vec![resolve],
        };
        let done = Self {
            key: "INC-311".to_owned(),
            title: "Double lookups at customs".to_owned(),
            is_open: false,
            started: "Mon 2 Nov 08:12".to_owned(),
            acts: Vec::new(),
            ..open.clone()
        };
        let odd = |key: &str, text: &str| Self {
            key: key.to_owned(),
            title: text.to_owned(),
            services: text.to_owned(),
            severity: text.to_owned(),
            ..done.clone()
        };
        vec![
            open,
            done.clone(),
            odd("INC-1", MARKUP),
            odd("INC-2", BIDI),
            odd("INC-3", &LONG_WORD.repeat(10)),
        ]
    }
}
