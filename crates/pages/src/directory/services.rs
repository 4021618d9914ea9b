//! Services.

use crate::elements::sample::{BIDI, LONG_WORD, MARKUP};
use crate::{ActForm, Cell, Column, Empty, Field, Fold, List, ListRow, Place, Rich};

/// The services of the tenant and their owners.
pub type Services = List<ServiceRow>;

/// A service in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceRow {
    /// Its key: `booking-api`.
    pub key: String,
    /// Its page.
    pub href: String,
    /// Its full name; empty when the key is its name.
    pub name: String,
    /// How critical it is, as one term.
    pub criticality: String,
    /// The owner now; an empty value is a finding.
    pub owner: Rich,
    /// The team that runs it.
    pub team: String,
    /// The regimes it is under: “SOX, PCI DSS”.
    pub regimes: String,
    /// The latest event: “CHG-1033 closed, 2 days ago”.
    pub last_change: String,
    /// How many changes are open on it.
    pub open_changes: String,
}

impl ListRow for ServiceRow {
    const TITLE: &'static str = "Services";
    const LEDE: &'static str = "Services and their owners. The owner approves each change to production.";

    fn columns() -> Vec<Column> {
        vec![
            Column::new("Service", Fold::Never),
            Column::new("Owner", Fold::Under).named(),
            Column::new("Team", Fold::Away),
            Column::new("Criticality", Fold::Under).named(),
            Column::new("Regimes", Fold::Away),
            Column::new("Last change", Fold::Away),
            Column::new("Open", Fold::Under).number(),
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        let owner = match self.owner.is_empty() {
            true => Rich::new().late("none: no change can be approved"),
            false => self.owner.clone(),
        };
        vec![
            Cell::Title {
                text: self.key.clone(),
                href: self.href.clone(),
                key: String::new(),
                marks: Vec::new(),
                sub: Rich::new().said(self.name.as_str()),
            },
            Cell::Text(owner),
            Cell::said(self.team.as_str()),
            Cell::text(self.criticality.as_str()),
            Cell::said(self.regimes.as_str()),
            Cell::text(self.last_change.as_str()),
            Cell::Short(self.open_changes.clone()),
        ]
    }

    fn empty() -> Empty {
        Empty::new(
            "No services yet",
            "A change names the service that it changes. Add the first one here, or import them from your inventory.",
        )
    }

    fn place() -> Place {
        Place::Services
    }

    fn sample_acts() -> Vec<ActForm> {
        vec![
            ActForm::new("service", "Add a service", "/t/halden/services")
                .field(
                    Field::text("key", "Key")
                        .hint("As pipelines name it: lower case, no spaces.")
                        .required(),
                )
                .field(Field::text("name", "Name"))
                .field(Field::select("criticality", "Criticality", &[("low", "Low"), ("high", "High")]).half())
                .field(Field::text("team", "Team").half()),
        ]
    }

    fn sample_rows() -> Vec<Self> {
        [
            (
                "booking-api",
                "Bookings for carriers",
                "high",
                "Hanne Brandt",
                "Logistics",
                "SOX",
                "CHG-1033 closed, 2 days ago",
                "3",
            ),
            (
                "shipments",
                "",
                "high",
                "Hanne Brandt",
                "Logistics",
                "SOX, GDPR",
                "CHG-1039 reviewing",
                "1",
            ),
            ("edge-dns", "", "medium", "", "Platform", "", "", "1"),
            (MARKUP, MARKUP, MARKUP, MARKUP, MARKUP, MARKUP, MARKUP, "0"),
            (BIDI, BIDI, "low", BIDI, BIDI, "", "", "0"),
            (
                LONG_WORD, LONG_WORD, "low", LONG_WORD, LONG_WORD, LONG_WORD, LONG_WORD, "12",
            ),
        ]
        .into_iter()
        .map(
            |(key, name, criticality, owner, team, regimes, last_change, open)| Self {
                key: key.to_owned(),
                href: "/t/halden/services/x".to_owned(),
                name: name.to_owned(),
                criticality: criticality.to_owned(),
                owner: Rich::new().said(owner),
                team: team.to_owned(),
                regimes: regimes.to_owned(),
                last_change: last_change.to_owned(),
                open_changes: open.to_owned(),
            },
        )
        .collect()
    }
}
