//! Templates.

use crate::elements::list::row_acts;
use crate::elements::sample::{BIDI, MARKUP};
use crate::{ActForm, ActTone, Cell, Column, Empty, Fold, List, ListRow, Place, Rich, Tone};

/// Templates of standard changes.
pub type Templates = List<TemplateRow>;

/// A template in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateRow {
    /// Its key.
    pub key: String,
    /// Its page.
    pub href: String,
    /// Its title.
    pub title: String,
    /// Its state: proposed, approved, suspended, retired.
    pub state: String,
    /// Its version: “v3”.
    pub version: String,
    /// Where it may be used.
    pub targets: Rich,
    /// When it must be looked at again, for the reader.
    pub review_by: String,
    /// How it went: “24 used, 1 failed”.
    pub record: String,
    /// Acts that are legal now: approve, suspend, retire.
    pub acts: Vec<ActForm>,
}

impl ListRow for TemplateRow {
    const TITLE: &'static str = "Templates";
    const LEDE: &'static str = "Pre-authorised plans for recurring work. A standard change needs no further approval while it matches its template.";

    fn columns() -> Vec<Column> {
        vec![
            Column::new("Template", Fold::Never),
            Column::new("State", Fold::Under),
            Column::new("Version", Fold::Away),
            Column::new("Where", Fold::Away),
            Column::new("Record", Fold::Under),
            Column::new("Review by", Fold::Under).named(),
            Column::new("", Fold::Never),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        let tone = match self.state.as_str() {
            "approved" => Tone::Ok,
            "proposed" => Tone::Wait,
            "suspended" => Tone::Stop,
            _ => Tone::Plain,
        };
        vec![
            Cell::Title {
                text: self.title.clone(),
                href: self.href.clone(),
                key: self.key.clone(),
                marks: Vec::new(),
                sub: Rich::new(),
            },
            Cell::Mark(tone.mark(crate::elements::text::capital(&self.state))),
            Cell::said(self.version.as_str()),
            Cell::Text(self.targets.clone()),
            Cell::text(self.record.as_str()),
            Cell::Short(self.review_by.clone()),
            row_acts(&format!("template-{}", self.key), &self.acts),
        ]
    }

    fn empty() -> Empty {
        Empty::new(
            "No template is approved yet",
            "When the same change goes well again and again, propose it as a template from its page.",
        )
    }

    fn place() -> Place {
        Place::Templates
    }

    fn sample_rows() -> Vec<Self> {
        let row = |key: &str, title: &str, state: &str| Self {
            key: key.to_owned(),
            href: "/t/halden/templates/x".to_owned(),
            title: title.to_owned(),
            state: state.to_owned(),
            version: "v3".to_owned(),
            targets: Rich::new().said("booking-api, rates-engine"),
            review_by: "Mon 1 Mar 2027".to_owned(),
            record: "24 used, 1 failed".to_owned(),
            acts: Vec::new(),
        };
        let mut proposed = row("TPL-7", "Monthly patches", "proposed");
        proposed
            .acts
            .push(ActForm::new("approve", "Approve", "/t/halden/templates/TPL-7/approval").tone(ActTone::Link));
        vec![
            row("TPL-4", "API release", "approved"),
            proposed,
            row("TPL-2", "Certificate renewal", "suspended"),
            row("TPL-1", MARKUP, "retired"),
            row("TPL-0", BIDI, "retired"),
        ]
    }
}
