//! Deliveries of outside systems.

use crate::elements::list::row_acts;
use crate::elements::sample::{BIDI, LONG_WORD, MARKUP};
use crate::{ActForm, ActTone, Cell, Column, Empty, Fold, List, ListRow, Place, Rich, Tone};

/// Messages from outside systems, newest first.
pub type Deliveries = List<DeliveryRow>;

/// A delivery in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryRow {
    /// Its id, unique on the page.
    pub id: String,
    /// Its page; empty when it has none.
    pub href: String,
    /// The event: “deployment, success”.
    pub event: String,
    /// The connection that it came through.
    pub connection: String,
    /// Its state: waiting, done, unknown, set aside, unauthorized.
    pub state: String,
    /// Its meaning: done, waiting, or in need of a person.
    pub tone: Tone,
    /// Its effect: “CHG-1042, succeeded”.
    pub effect: Rich,
    /// When it came, for the reader.
    pub received: String,
    /// Acts that are legal now: read it again.
    pub acts: Vec<ActForm>,
}

impl ListRow for DeliveryRow {
    const TITLE: &'static str = "Deliveries";
    const LEDE: &'static str = "Deliveries of GitHub and other systems. Each is kept unchanged and processed once.";

    fn columns() -> Vec<Column> {
        vec![
            Column::new("Delivery", Fold::Never),
            Column::new("State", Fold::Under),
            Column::new("From", Fold::Away),
            Column::new("What came of it", Fold::Under),
            Column::new("Received", Fold::Under),
            Column::new("", Fold::Away),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::title(self.event.as_str(), self.href.as_str()),
            Cell::Mark(self.tone.mark(self.state.as_str())),
            Cell::said(self.connection.as_str()),
            Cell::Text(self.effect.clone()),
            Cell::Short(self.received.clone()),
            row_acts(&format!("delivery-{}", self.id), &self.acts),
        ]
    }

    fn empty() -> Empty {
        Empty::new(
            "Nothing was delivered yet",
            "Connect a repository, and its deployments appear here within a second.",
        )
    }

    fn place() -> Place {
        Place::Deliveries
    }

    fn sample_rows() -> Vec<Self> {
        let row = |id: &str, event: &str, state: &str, tone: Tone, effect: Rich| Self {
            id: id.to_owned(),
            event: event.to_owned(),
            connection: "GitHub, halden/booking-api".to_owned(),
            state: state.to_owned(),
            tone,
            effect,
            received: "today 10:42".to_owned(),
            ..Self::default()
        };
        let again = ActForm::new("again", "Read it again", "/t/halden/deliveries/3/reading").tone(ActTone::Link);
        vec![
            row(
                "1",
                "deployment_status, success",
                "done",
                Tone::Ok,
                Rich::new()
                    .link("CHG-1033", "/t/halden/changes/CHG-1033")
                    .text(" succeeded"),
            ),
            row("2", "push", "not asked for", Tone::Plain, Rich::from("kept, counted")),
            Self {
                acts: vec![again],
                ..row(
                    "3",
                    "deployment",
                    "set aside",
                    Tone::Stop,
                    Rich::from("The service in it is unknown: warehouse-2"),
                )
            },
            row("4", MARKUP, "waiting", Tone::Wait, Rich::from(MARKUP)),
            row("5", BIDI, "waiting", Tone::Wait, Rich::from(LONG_WORD)),
        ]
    }
}
