//! The ownership matrix: the owner of each thing, in which part, since when.

use crate::elements::sample::{BIDI, LONG_WORD, MARKUP};
use crate::{ActForm, ActTone, Cell, Column, Empty, Field, Fold, List, ListRow, Place, Rich};

use crate::elements::list::row_acts;

/// The rows of the matrix; with a place chosen, its lines are above the table with the reasons.
pub type Ownerships = List<OwnershipRow>;

/// A row of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnershipRow {
    /// The record's id, unique on the page.
    pub id: String,
    /// The thing that it is about: “service booking-api”.
    pub scope: String,
    /// The environment; empty for all.
    pub environment: Rich,
    /// The part: “Owner”.
    pub part: String,
    /// The holder, with a link where there is one.
    pub holder: Rich,
    /// From when, and until when: “since 1 March 2025”.
    pub span: String,
    /// End it.
    pub acts: Vec<ActForm>,
}

impl ListRow for OwnershipRow {
    const TITLE: &'static str = "Ownership";
    const LEDE: &'static str = "Owners by service and environment. Choose both to see the matching rows, the most specific first, and the reason for each request.";

    fn columns() -> Vec<Column> {
        vec![
            Column::new("For", Fold::Never),
            Column::new("Environment", Fold::Under),
            Column::new("Role", Fold::Under),
            Column::new("Who", Fold::Under),
            Column::new("When", Fold::Away),
            Column::new("", Fold::Never),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::title(self.scope.as_str(), ""),
            Cell::Text(self.environment.clone()),
            Cell::text(self.part.as_str()),
            Cell::Text(self.holder.clone()),
            Cell::Short(self.span.clone()),
            row_acts(&format!("ownership-{}", self.id), &self.acts),
        ]
    }

    fn empty() -> Empty {
        Empty::new(
            "No owner",
            "Name an owner: without one, no change to this service and environment can be approved.",
        )
    }

    fn place() -> Place {
        Place::Ownership
    }

    fn sample_acts() -> Vec<ActForm> {
        vec![
            ActForm::new("ownership", "Assign a role", "/t/halden/ownership")
                .field(Field::select("role", "Role", &[("owner", "Owner"), ("security", "Security")]).half())
                .field(Field::text("person", "Login").half())
                .submit("Assign this role"),
        ]
    }

    fn sample_rows() -> Vec<Self> {
        let end = ActForm::new("end", "End it", "/t/halden/ownership/o1/end").tone(ActTone::Link);
        let row = |id: &str, scope: &str, holder: &str| Self {
            id: id.to_owned(),
            scope: scope.to_owned(),
            environment: Rich::new().said("production"),
            part: "Owner".to_owned(),
            holder: Rich::new().said(holder),
            span: "since 1 March 2025".to_owned(),
            acts: vec![end.clone()],
        };
        vec![
            row("o1", "service booking-api", "Hanne Brandt"),
            row("o2", MARKUP, BIDI),
            row("o3", LONG_WORD, MARKUP),
        ]
    }
}
