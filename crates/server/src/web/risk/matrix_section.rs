//! The risk matrix on the page of a change: its cell, the facts that would move it, and the origin of each input.

use model::change::change_file::ChangeFile;
use model::core::enums::{Level, NodeKind, RatedFact};
use model::risk::assessment::RiskTable;
use model::risk::effective::Effective;
use model::risk::matrix::{Matrix, MatrixCell, MatrixInput, Way, matrix};
use model::risk::source::Source;
use pages::{Cell, Column, Entry, Fold, MatrixPicture, MatrixSquare, Rich, Section, SectionBody, Table, Tone};

use crate::http::percent::escaped;
use crate::web::shared::view::View;
use crate::web::shared::words::capital;

/// The section of a change.
///
/// # Errors
/// The store's.
pub(crate) fn section(view: &mut View<'_, '_, '_>, file: &ChangeFile) -> acts::Result<Section> {
    // A way through the graph names services outside of any scope.
    let is_scoped = view.cx.scope()?.is_some();
    let found = matrix(file, &view.directory, view.now());
    let body = SectionBody::Matrix {
        picture: Box::new(picture(view, &found)),
        cells: cells(&found),
        ways: found.ways.iter().map(way).collect(),
        inputs: inputs(view, &found, is_scoped),
    };
    let note = Rich::new().link("the table in force", view.url("/policies#risk-table"));
    Ok(Section::new("matrix", "Risk matrix", body).note(note))
}

/// The drawing: each cell shows its meaning, and links to the changes of its risk.
fn picture(view: &View<'_, '_, '_>, found: &Matrix) -> MatrixPicture {
    let square = |cell: &MatrixCell| {
        let told = meaning(cell.impact, cell.complexity, cell.level);
        let told = match (&cell.way, cell.is_here) {
            (_, true) => told.line().text("This change is here, by the inputs below."),
            (Some(way), false) => told
                .line()
                .append(Rich::from(way.as_str()))
                .text(" this change would be here."),
            (None, false) => told
                .line()
                .text("No single statement of this change would move it here."),
        };
        MatrixSquare {
            impact: cell.impact.as_str().to_owned(),
            complexity: cell.complexity.as_str().to_owned(),
            level: cell.level.as_str().to_owned(),
            is_here: cell.is_here,
            has_way: cell.way.is_some(),
            told: with_changes(view, told, cell.level),
        }
    };
    let row = |row: &[MatrixCell]| match row {
        [low, medium, high] => Some([low, medium, high].map(square)),
        _ => None,
    };
    MatrixPicture {
        rows: found.cells.chunks(3).filter_map(row).collect(),
        whole: String::new(),
    }
}

/// The meaning of a cell.
fn meaning(impact: Level, complexity: Level, level: Level) -> Rich {
    Rich::from(format!(
        "Impact {impact}, complexity {complexity}: the risk is {level}."
    ))
}

fn with_changes(view: &View<'_, '_, '_>, told: Rich, level: Level) -> Rich {
    let url = view.url(&format!("/changes?risk={level}"));
    told.line().link("Changes of this risk", url)
}

/// The table in force, drawn: each cell shows its meaning, and links to the changes of its risk.
pub(crate) fn table_picture(view: &View<'_, '_, '_>, table: &RiskTable) -> MatrixPicture {
    let square = |impact: Level, complexity: Level| {
        let level = table.level(impact, Some(complexity));
        MatrixSquare {
            impact: impact.as_str().to_owned(),
            complexity: complexity.as_str().to_owned(),
            level: level.as_str().to_owned(),
            is_here: false,
            has_way: false,
            told: with_changes(view, meaning(impact, complexity, level), level),
        }
    };
    let row = |impact: Level| [Level::Low, Level::Medium, Level::High].map(|complexity| square(impact, complexity));
    MatrixPicture {
        rows: [Level::None, Level::Low, Level::Medium, Level::High].map(row).to_vec(),
        whole: String::new(),
    }
}

/// The table in force on the card of a change, with the change's cell; the sentences are on the page of the change.
pub(crate) fn card_picture(view: &View<'_, '_, '_>, found: &Effective, whole: String) -> MatrixPicture {
    let tenant = view.directory.tenant.as_ref();
    let table = tenant.map(|tenant| tenant.risk_table.clone()).unwrap_or_default();
    let impact = found.impact.highest();
    let complexity = found.complexity.unwrap_or(Level::High).max(Level::Low);
    let here = (impact.as_str(), complexity.as_str());
    let mut picture = table_picture(view, &table);
    for square in picture.rows.iter_mut().flatten() {
        square.is_here = (square.impact.as_str(), square.complexity.as_str()) == here;
    }
    MatrixPicture { whole, ..picture }
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

fn inputs(view: &View<'_, '_, '_>, found: &Matrix, is_scoped: bool) -> Table {
    let level = |level: Option<Level>| level.map_or_else(|| "–".to_owned(), |level| capital(level.as_str()));
    let row = |input: &MatrixInput| {
        vec![
            Cell::Name(name(input.fact).to_owned()),
            Cell::Short(level(input.stated)),
            Cell::Short(level(input.derived)),
            Cell::Short(level(Some(input.counts))),
            Cell::Text(from(view, input, is_scoped)),
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

/// The origin of a counted value, and of the derived value: the facts of the change, or an item with the path to it.
fn from(view: &View<'_, '_, '_>, input: &MatrixInput, is_scoped: bool) -> Rich {
    let mut rich = Rich::from(origin(input));
    for fact in &input.facts {
        rich = rich.line().append(Rich::from(fact.as_str()));
    }
    match &input.source {
        Some(source) => rich.line().append(way_of(view, source, is_scoped)),
        None => rich,
    }
}

/// The path from a target to the item that gives a value, and the item's fact that gives it.
fn way_of(view: &View<'_, '_, '_>, source: &Source, is_scoped: bool) -> Rich {
    let mut rich = Rich::new();
    match source.path.as_slice() {
        [] => {}
        // The reader may see neither the item's name nor its facts, as in the response of the API.
        [_, _, ..] if is_scoped => return rich.text("something that it reaches"),
        path => {
            for (place, (kind, key)) in path.iter().enumerate() {
                if place > 0 {
                    rich = rich.text(" → ");
                }
                rich = match kind {
                    NodeKind::Service => rich.said_link(key.as_str(), view.url(&format!("/services/{}", escaped(key)))),
                    NodeKind::ConfigItem => rich.said(key.as_str()),
                };
            }
            rich = rich.text(": ");
        }
    }
    rich = rich.text(source.fact.as_str());
    match source.value.as_str() {
        "" => rich,
        value => rich.text(" ").said(value),
    }
}

/// The origin of a counted value.
fn origin(input: &MatrixInput) -> &'static str {
    match (input.stated, input.derived) {
        (Some(stated), Some(derived)) if stated == derived => "stated and derived alike",
        (Some(stated), _) if stated == input.counts => "stated by the change",
        (_, Some(derived)) if derived == input.counts && !input.facts.is_empty() => "derived from facts of the change",
        (_, Some(derived)) if derived == input.counts => "derived from services and what they reach",
        _ => "not stated, counts as high",
    }
}
