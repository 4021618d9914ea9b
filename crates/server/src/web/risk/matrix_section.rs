//! The risk matrix on the page of a change: its cell, what would move it, and where each input comes from.

use model::change::change_file::ChangeFile;
use model::core::enums::{Level, RatedFact};
use model::risk::matrix::{Matrix, MatrixCell, MatrixInput, Way, matrix};
use pages::{Cell, Column, Entry, Fold, Rich, Section, SectionBody, Table, Tone};

use crate::web::shared::view::View;
use crate::web::shared::words::capital;

/// The section of a change.
pub(crate) fn section(view: &View<'_, '_, '_>, file: &ChangeFile) -> Section {
    let found = matrix(file, &view.directory, view.now());
    let body = SectionBody::Matrix {
        cells: cells(&found),
        ways: found.ways.iter().map(way).collect(),
        inputs: inputs(&found),
    };
    Section::new("matrix", "Risk matrix", body)
        .note(Rich::new().link("the table in force", view.url("/policies#risk-table")))
}

/// Rows by the highest impact, columns by complexity.
fn cells(found: &Matrix) -> Table {
    let cell = |cell: &MatrixCell| {
        let level = Rich::new().strong(capital(cell.level.as_str()));
        Cell::Text(match (&cell.way, cell.is_here) {
            (_, true) => level.text(" This change"),
            (Some(way), false) => level.line().append(Rich::from(way.as_str())),
            (None, false) => Rich::from(capital(cell.level.as_str())),
        })
    };
    let row = |row: &[MatrixCell]| {
        let impact = row.first().map_or(Level::None, |first| first.impact);
        [Cell::Name(capital(impact.as_str()))]
            .into_iter()
            .chain(row.iter().map(cell))
            .collect()
    };
    Table {
        caption: "Risk by the highest impact (rows) and complexity (columns)".to_owned(),
        columns: vec![
            Column::new("Impact", Fold::Never),
            Column::new("Low complexity", Fold::Never),
            Column::new("Medium", Fold::Never),
            Column::new("High", Fold::Never),
        ],
        rows: found.cells.chunks(3).rev().map(row).collect(),
        ..Table::default()
    }
}

fn way(way: &Way) -> Entry {
    let text = Rich::from(way.text.as_str())
        .text(" the risk is ")
        .strong(way.level.as_str())
        .text(".");
    Entry::new(Tone::Plain, text)
}

fn inputs(found: &Matrix) -> Table {
    let level = |level: Option<Level>| level.map_or_else(|| "–".to_owned(), |level| capital(level.as_str()));
    let row = |input: &MatrixInput| {
        vec![
            Cell::Name(name(input.fact).to_owned()),
            Cell::Short(level(input.stated)),
            Cell::Short(level(input.derived)),
            Cell::Short(level(Some(input.counts))),
            Cell::text(origin(input)),
        ]
    };
    Table {
        caption: "Inputs of the matrix".to_owned(),
        columns: vec![
            Column::new("Input", Fold::Never),
            Column::new("Stated", Fold::Under).named(),
            Column::new("Derived", Fold::Under).named(),
            Column::new("Counts", Fold::Never),
            Column::new("From", Fold::Under),
        ],
        rows: found.inputs.iter().map(row).collect(),
        ..Table::default()
    }
}

fn name(fact: RatedFact) -> &'static str {
    match fact {
        RatedFact::Data => "Impact on data",
        RatedFact::Availability => "Impact on availability",
        RatedFact::Compliance => "Impact on compliance",
        RatedFact::Complexity => "Complexity",
        RatedFact::Touches => "Touches",
        RatedFact::RiskOverride => "Stated risk",
    }
}

/// Where what counts comes from.
fn origin(input: &MatrixInput) -> &'static str {
    match (input.stated, input.derived) {
        (Some(stated), Some(derived)) if stated == derived => "stated and derived alike",
        (Some(stated), _) if stated == input.counts => "stated by the change",
        (_, Some(derived)) if derived == input.counts => "derived from services and what they reach",
        _ => "not stated, counts as high",
    }
}
