//! The list of changes.

use crate::elements::sample::{BIDI, LONG_WORD, MARKUP};
use crate::{
    Cell, Chip, Column, Empty, Field, Fold, Kind, List, ListRow, Mark, Named, Paging, Place, Rich, Risk, State, View,
};

/// All changes that the reader may see, filtered.
pub type ChangeList = List<ChangeRow>;

/// A change in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeRow {
    /// Its key: `CHG-1042`.
    pub key: String,
    /// Its page.
    pub href: String,
    /// Its title.
    pub title: String,
    /// Its kind; shown only when it is not normal.
    pub kind: Kind,
    /// Its state, or that it is on hold.
    pub state: State,
    /// How its work ended; `None` while it goes on.
    pub outcome: Option<Mark>,
    /// That it is closed, with its outcome in short; `None` while it is open, and where it has no outcome.
    pub closed: Option<Mark>,
    /// Its risk; `None` until it was computed.
    pub risk: Option<Risk>,
    /// Its services: “shipments +1”.
    pub targets: String,
    /// Its planned start, for the reader; empty when none is planned.
    pub planned: String,
    /// The person or role that it waits for; empty for nobody.
    pub waits_for: String,
    /// How old it is: “4 d”.
    pub age: String,
    /// The values of the tenant's custom fields, in one line.
    pub own: String,
    /// Its planned end; empty when none is planned.
    pub planned_end: String,
    /// The owner.
    pub owner: Named,
    /// The requester.
    pub requester: Named,
    /// Its team; empty for none.
    pub team: String,
    /// When it was written.
    pub created: String,
    /// When it last changed.
    pub updated: String,
}

impl ListRow for ChangeRow {
    const TITLE: &'static str = "Changes";
    const IS_ONE_LINE: bool = true;

    fn columns() -> Vec<Column> {
        vec![
            Column::new("Key", Fold::Under).id("key"),
            Column::new("Change", Fold::Never).id("title"),
            Column::new("State", Fold::Under).id("state"),
            Column::new("Outcome", Fold::Away).id("outcome"),
            Column::new("Risk", Fold::Under).id("risk"),
            Column::new("Where", Fold::Away).id("where"),
            Column::new("Planned", Fold::Under).id("planned"),
            Column::new("Planned end", Fold::Away).id("planned_end"),
            Column::new("Waits for", Fold::Away).id("waits_for"),
            Column::new("Owner", Fold::Away).id("owner"),
            Column::new("Requester", Fold::Away).id("requester"),
            Column::new("Team", Fold::Away).id("team"),
            Column::new("Written", Fold::Away).id("created"),
            Column::new("Last changed", Fold::Away).id("updated"),
            Column::new("Age", Fold::Away).number().id("age"),
            Column::new("Fields of your own", Fold::Away).id("own"),
        ]
    }

    fn usual() -> &'static [&'static str] {
        &[
            "key",
            "title",
            "state",
            "risk",
            "where",
            "planned",
            "waits_for",
            "owner",
            "age",
        ]
    }

    fn key(&self) -> &str {
        &self.key
    }

    fn cells(&self) -> Vec<Cell> {
        let marks = match self.kind {
            Kind::Normal => Vec::new(),
            kind => vec![kind.mark()],
        };
        vec![
            Cell::Text(Rich::new().key(&self.key)),
            Cell::Title {
                text: self.title.clone(),
                href: self.href.clone(),
                key: String::new(),
                marks,
                sub: Rich::new(),
            },
            Cell::Mark(self.state_mark()),
            self.outcome.clone().map_or(Cell::text(""), Cell::Mark),
            self.risk.map_or(Cell::text(""), |risk| Cell::Mark(risk.mark())),
            Cell::said(self.targets.as_str()),
            Cell::Short(self.planned.clone()),
            Cell::Short(self.planned_end.clone()),
            Cell::said(self.waits_for.as_str()),
            Cell::person(&self.owner),
            Cell::person(&self.requester),
            Cell::said(self.team.as_str()),
            Cell::Short(self.created.clone()),
            Cell::Short(self.updated.clone()),
            Cell::Short(self.age.clone()),
            Cell::said(self.own.as_str()),
        ]
    }

    fn empty() -> Empty {
        Empty::new(
            "No change matches these filters",
            "Remove a filter, search for something else, or write a new change.",
        )
    }

    fn place() -> Place {
        Place::Changes
    }

    fn sample_rows() -> Vec<Self> {
        let mut rows: Vec<Self> = ORDINARY.iter().map(sample_row).collect();
        for (number, text) in [MARKUP, BIDI, &LONG_WORD.repeat(10)].into_iter().enumerate() {
            let key = format!("CHG-{number}");
            rows.push(sample_row(&[
                &key,
                text,
                "emergency",
                "reviewing",
                "high",
                text,
                "",
                text,
                "16 d",
            ]));
        }
        rows
    }
}

impl ChangeRow {
    /// Its state; of a closed change with its outcome, so that no failure looks like a success.
    fn state_mark(&self) -> Mark {
        self.closed.clone().unwrap_or_else(|| self.state.mark())
    }
}

/// Key, title, kind, state, risk, targets, planned, waits for, age.
const ORDINARY: [[&str; 9]; 9] = [
    [
        "CHG-1033",
        "Raise memory of booking-api to 8 GB",
        "standard",
        "closed",
        "low",
        "booking-api",
        "Mon 16 Nov 12:00",
        "",
        "12 d",
    ],
    [
        "CHG-1061",
        "Restart label printing with the patched driver",
        "emergency",
        "implementing",
        "high",
        "label-print",
        "today 10:50",
        "Yusuf Demir",
        "20 min",
    ],
    [
        "CHG-1057",
        "Replace the carrier certificate on edge-dns",
        "normal",
        "authorizing",
        "medium",
        "edge-dns",
        "today 23:00",
        "Priya Raman",
        "5 h",
    ],
    [
        "CHG-1042",
        "Give every shipment a customs reference",
        "normal",
        "authorizing",
        "high",
        "shipments +1",
        "Sat 21 Nov 22:00",
        "Priya Raman",
        "4 d",
    ],
    [
        "CHG-1059",
        "Monthly patches, warehouse hosts",
        "standard",
        "scheduled",
        "low",
        "wms (34 hosts)",
        "Sun 22 Nov 02:00",
        "",
        "6 h",
    ],
    [
        "CHG-1048",
        "Open port 8443 to the customs authority",
        "normal",
        "assessing",
        "medium",
        "customs-gateway",
        "Tue 1 Dec 20:00",
        "Ingrid Solheim",
        "2 d",
    ],
    [
        "CHG-1044",
        "Turn on passkeys for warehouse scanners",
        "normal",
        "on_hold",
        "medium",
        "identity",
        "Wed 2 Dec 21:00",
        "Hanne Brandt",
        "6 d",
    ],
    [
        "CHG-1036",
        "Remove the second pricing table",
        "normal",
        "draft",
        "",
        "rates-engine",
        "",
        "Ingrid Solheim",
        "11 d",
    ],
    [
        "CHG-1029",
        "Switch invoice numbering for 2027",
        "normal",
        "rejected",
        "high",
        "invoicing",
        "Fri 4 Dec 06:00",
        "",
        "15 d",
    ],
];

fn sample_row(cells: &[&str; 9]) -> ChangeRow {
    let [key, title, kind, state, risk, targets, planned, waits_for, age] = cells.map(str::to_owned);
    ChangeRow {
        href: format!("/t/halden/changes/{key}"),
        key,
        title,
        kind: Kind::from_word(&kind).unwrap_or_default(),
        state: State::from_word(&state).unwrap_or_default(),
        risk: Risk::from_word(&risk),
        targets,
        planned,
        waits_for,
        age,
        ..ChangeRow::default()
    }
}

impl ChangeList {
    /// A list with views, filters, a sorted head and paging, as it is used.
    #[must_use]
    pub fn sample_in_use() -> Self {
        let mut rows: Vec<ChangeRow> = ChangeRow::sample_rows().into_iter().take(9).collect();
        rows[0].closed = Some(crate::Tone::Wait.mark("Closed · rolled back"));
        let view = |label: &str, count: &str, is_current: bool| View {
            label: label.to_owned(),
            href: "/t/halden/changes?view=x".to_owned(),
            count: count.to_owned(),
            is_current,
            is_said: false,
        };
        let chip = |label: &str, value: &str| Chip {
            label: label.to_owned(),
            value: value.to_owned(),
            remove_url: "/t/halden/changes".to_owned(),
            is_said: true,
        };
        Self {
            frame: crate::elements::sample::frame(Place::Changes),
            acts: vec![crate::ActForm::link("Export as CSV", "/t/halden/changes.csv")],
            shown: ["key", "title", "state", "risk", "where", "planned", "waits_for", "age"]
                .map(str::to_owned)
                .to_vec(),
            column_fields: vec![Field::many(
                "columns",
                "Columns",
                &[("key", "Key"), ("state", "State"), ("team", "Team")],
            )],
            view_acts: vec![
                crate::ActForm::new("save-view", "Save as a view", "/t/halden/views")
                    .tone(crate::ActTone::Link)
                    .field(Field::text("name", "Name of the view").required()),
            ],
            bulk: Some(crate::Bulk {
                url: "/t/halden/changes/bulk".to_owned(),
                acts: vec![
                    ("approve".to_owned(), "Approve".to_owned()),
                    ("watch".to_owned(), "Watch".to_owned()),
                ],
                all_url: "/t/halden/changes?picked=all".to_owned(),
                none_url: "/t/halden/changes".to_owned(),
                is_all: false,
            }),
            views: vec![
                view("All open", "61", false),
                view("Production around the freeze", "214", true),
                view("Waiting for my team", "7", false),
                view("Emergencies, 30 days", "9", false),
                view("Missed their window", "2", false),
            ],
            chips: vec![
                chip("Environment", "production"),
                chip("Planned", "8 Nov to 4 Dec"),
                chip("Team", "Logistics, Platform"),
            ],
            filters: sample_filters(),
            filter_url: "/t/halden/changes".to_owned(),
            rows,
            columns: sample_columns(),
            orders: sample_orders(),
            count: "214 changes".to_owned(),
            paging: Paging {
                newer: None,
                older: Some("/t/halden/changes?after=CHG-1029".to_owned()),
                count: "1 to 9 of 214".to_owned(),
                is_sorted: true,
            },
            ..Self::default()
        }
    }
}

/// The heads of a list that is sorted by the planned start.
fn sample_columns() -> Vec<Column> {
    let mut columns = ChangeRow::columns();
    if let Some(planned) = columns.iter_mut().find(|column| column.label == "Planned") {
        planned.sort = Some(crate::Sort {
            href: "/t/halden/changes?sort=-planned_start".to_owned(),
            ascending: Some(true),
        });
    }
    columns
}

fn sample_orders() -> Vec<crate::ListOrder> {
    let order = |label: &str, is_current: bool| crate::ListOrder {
        label: label.to_owned(),
        href: "/t/halden/changes?sort=planned_start".to_owned(),
        is_current,
    };
    vec![
        order("newest first", false),
        order("soonest planned first", true),
        order("highest risk first", false),
    ]
}

fn sample_filters() -> Vec<Field> {
    vec![
        Field::text("q", "Words, key or person").half(),
        Field::select(
            "state",
            "State",
            &[("", "Any"), ("draft", "Draft"), ("authorizing", "Authorizing")],
        )
        .half(),
        Field::select("kind", "Kind", &[("", "Any"), ("emergency", "Emergency")]).half(),
        Field::select("risk", "Risk", &[("", "Any"), ("high", "High")]).half(),
        Field::text("service", "Service").half(),
        Field::select(
            "environment",
            "Environment",
            &[("", "Any"), ("production", "production")],
        )
        .value("production")
        .half(),
        Field::new("planned_from", "Planned from", crate::Input::DateTime).half(),
        Field::new("planned_to", "Planned to", crate::Input::DateTime).half(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tone;

    #[test]
    fn a_closed_change_is_marked_with_its_outcome() {
        let marked = |state: State, closed: Option<Mark>| {
            let row = ChangeRow {
                state,
                closed,
                ..ChangeRow::default()
            };
            row.state_mark()
        };
        let failed = Tone::Stop.mark("Closed · failed");
        assert_eq!(marked(State::Closed, Some(failed.clone())), failed);
        assert_eq!(marked(State::Closed, None), State::Closed.mark());
        assert_eq!(marked(State::Reviewing, None), State::Reviewing.mark());
    }
}
