//! Services, incidents and templates.

use super::row_acts;
use crate::samples::{BIDI, LONG_WORD, MARKUP};
use crate::{ActForm, ActTone, Cell, Column, Empty, Field, Fold, Input, List, ListRow, Place, Rich, Tone};

/// The services of the tenant and who owns them.
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
    /// How critical it is, in a word.
    pub criticality: String,
    /// Who owns it now; empty is a finding.
    pub owner: Rich,
    /// The team that runs it.
    pub team: String,
    /// The regimes it is under: “SOX, PCI DSS”.
    pub regimes: String,
    /// What happened last: “CHG-1033 closed, 2 days ago”.
    pub last_change: String,
    /// How many changes are open on it.
    pub open_changes: String,
}

impl ListRow for ServiceRow {
    const TITLE: &'static str = "Services";
    const LEDE: &'static str =
        "What can be changed, and who answers for it. The owner is asked before each change to production.";

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
            true => Rich::new().late("nobody: no change can be approved"),
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
            "No service is known yet",
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
    /// Its severity, in a word.
    pub severity: String,
    /// Whether it is still open.
    pub is_open: bool,
    /// The services it touches.
    pub services: String,
    /// When it began, for the reader.
    pub started: String,
    /// The change that may have caused it; empty for none.
    pub related: Rich,
    /// What can be done with it now.
    pub acts: Vec<ActForm>,
}

impl ListRow for IncidentRow {
    const TITLE: &'static str = "Incidents";
    const LEDE: &'static str = "What is broken now and what was. A major incident freezes the services that it touches until its commander says otherwise.";

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
        let state = match self.is_open {
            true => Tone::Wait.mark("Open"),
            false => Tone::Ok.mark("Resolved"),
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
                .field(Field::text("services", "Services").hint("Keys, parted by commas."))
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
    const LEDE: &'static str =
        "Pre-approved ways to do what is done often. A standard change walks by itself while it keeps to its template.";

    fn columns() -> Vec<Column> {
        vec![
            Column::new("Template", Fold::Never),
            Column::new("State", Fold::Under),
            Column::new("Version", Fold::Away),
            Column::new("Where", Fold::Away),
            Column::new("Record", Fold::Under),
            Column::new("Look again by", Fold::Under).named(),
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
            Cell::Mark(tone.mark(crate::text::capital(&self.state))),
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
