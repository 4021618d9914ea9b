//! Gateways: what is amiss around them, one row a matter.

use crate::samples::{BIDI, LONG_WORD, MARKUP};
use crate::{Cell, Column, Empty, Fold, List, ListRow, Place, Rich, Tone};

/// What is watched and found amiss, what has no partner, what was refused, how long was waited.
pub type Gateways = List<GatewayRow>;

/// A matter in the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GatewayRow {
    /// The service and environment, or the gateway: “edge-dns, production”.
    pub place: String,
    /// What kind of matter: “No gate”, “No change”, “Refused 12 times”.
    pub word: String,
    /// How grave it is.
    pub tone: Tone,
    /// The sentence, with links.
    pub text: Rich,
    /// Who answers for it.
    pub owners: Rich,
    /// Since when, or when last, for the reader.
    pub when: String,
}

impl ListRow for GatewayRow {
    const TITLE: &'static str = "Gateways";
    const LEDE: &'static str =
        "Whether every deployment passes a gate and is told of, what was refused, and how long pipelines waited.";

    fn columns() -> Vec<Column> {
        vec![
            Column::new("Where", Fold::Never),
            Column::new("What", Fold::Under),
            Column::new("Why", Fold::Under),
            Column::new("Who answers", Fold::Away),
            Column::new("When", Fold::Under),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::title(self.place.as_str(), ""),
            Cell::Mark(self.tone.mark(self.word.as_str())),
            Cell::Text(self.text.clone()),
            Cell::Text(self.owners.clone()),
            Cell::Short(self.when.clone()),
        ]
    }

    fn empty() -> Empty {
        Empty::new(
            "Nothing is amiss",
            "Every production service has a source and a gate, and each deployment met its change.",
        )
    }

    fn place() -> Place {
        Place::Gateways
    }

    fn sample_rows() -> Vec<Self> {
        let row = |place: &str, word: &str, tone: Tone, text: Rich| Self {
            place: place.to_owned(),
            word: word.to_owned(),
            tone,
            text,
            owners: Rich::new().said("Hanne Vik"),
            when: "today 10:42".to_owned(),
        };
        vec![
            row(
                "edge-dns, production",
                "No gate",
                Tone::Stop,
                Rich::from("No gate has ever asked about it."),
            ),
            row(
                "status-page, production",
                "No deployment",
                Tone::Wait,
                Rich::new()
                    .link("CHG-1042", "/t/halden/changes/CHG-1042")
                    .text(" says that it was deployed."),
            ),
            row(
                "kubernetes",
                "Refused 12 times",
                Tone::Plain,
                Rich::new().code("unknown_kind").text(" Widget is no kind of workload."),
            ),
            row(MARKUP, MARKUP, Tone::Wait, Rich::from(MARKUP)),
            row(BIDI, "Waited", Tone::Plain, Rich::from(LONG_WORD)),
        ]
    }
}
