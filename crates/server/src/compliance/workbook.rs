//! A control report as a workbook: its inputs, its months, its controls, its tests and its exceptions, a sheet each.

use model::compliance::control_report::ControlReport;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::web::change::export::defused;

/// A cell. Every text is written as text, so that no spreadsheet computes it.
enum Cell<'a> {
    Text(&'a str),
    Number(u64),
}

/// The file.
pub(super) fn workbook(report: &ControlReport) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // A workbook contains its creation time; the end of the span is used, so that every copy is equal.
    let made = ExcelDateTime::from_timestamp(report.to.as_second())?;
    book.set_properties(
        &DocProperties::new()
            .set_title(format!("Control report: {}", report.title))
            .set_creation_datetime(&made),
    );
    about(book.add_worksheet().set_name("Report")?, report)?;
    months(book.add_worksheet().set_name("Months")?, report)?;
    controls(book.add_worksheet().set_name("Controls")?, report)?;
    tests(book.add_worksheet().set_name("Tests")?, report)?;
    let sheet = book.add_worksheet().set_name("Exceptions")?;
    let rows = report.rows().map(|row| row.map(Cell::Text).into_iter().collect());
    let heads = ["Control", "Clause", "Rule", "Severity", "Change", "Exception"];
    table(sheet, &heads, rows)?;
    book.save_to_buffer()
}

fn about(sheet: &mut Worksheet, report: &ControlReport) -> Result<(), XlsxError> {
    let inputs = report.inputs();
    let figures = report.figures();
    let inputs = inputs
        .iter()
        .map(|(label, value)| vec![Cell::Text(label), Cell::Text(value)]);
    let figures = figures
        .iter()
        .map(|(label, count)| vec![Cell::Text(label), Cell::Number(*count)]);
    table(sheet, &["Figure", "Value"], inputs.chain(figures))
}

fn months(sheet: &mut Worksheet, report: &ControlReport) -> Result<(), XlsxError> {
    let rows = report.population.by_month.iter().map(|(month, it)| {
        vec![
            Cell::Text(month),
            Cell::Number(it.changes),
            Cell::Number(it.ended),
            Cell::Number(it.succeeded),
        ]
    });
    table(sheet, &["Month", "Changes", "Work ended", "Succeeded"], rows)
}

fn controls(sheet: &mut Worksheet, report: &ControlReport) -> Result<(), XlsxError> {
    let policies: Vec<String> = report.controls.iter().map(|it| it.policy_line()).collect();
    let rows = report.controls.iter().zip(&policies).map(|(it, policies)| {
        vec![
            Cell::Text(&it.id),
            Cell::Text(&it.clause),
            Cell::Text(it.result.as_str()),
            Cell::Number(it.tests.iter().map(|test| test.found).sum()),
            Cell::Text(&it.objective),
            Cell::Text(&it.enforcement),
            Cell::Text(policies),
        ]
    });
    let heads = [
        "Control",
        "Clause",
        "Result",
        "Exceptions",
        "Objective",
        "Enforcement",
        "Policies",
    ];
    table(sheet, &heads, rows)
}

fn tests(sheet: &mut Worksheet, report: &ControlReport) -> Result<(), XlsxError> {
    let rows = report.controls.iter().flat_map(|control| {
        control.tests.iter().map(|test| {
            vec![
                Cell::Text(&control.id),
                Cell::Text(&test.rule),
                Cell::Text(&test.title),
                Cell::Text(test.severity.as_str()),
                Cell::Number(test.tested),
                Cell::Number(test.found),
                Cell::Text(&test.test),
                Cell::Number(test.dismissed),
            ]
        })
    });
    let heads = [
        "Control",
        "Rule",
        "Finds",
        "Severity",
        "Tested",
        "Exceptions",
        "Test",
        "Dismissed",
    ];
    table(sheet, &heads, rows)
}

fn table<'a>(
    sheet: &mut Worksheet,
    heads: &[&str],
    rows: impl Iterator<Item = Vec<Cell<'a>>>,
) -> Result<(), XlsxError> {
    let strong = Format::new().set_bold();
    for (column, head) in (0_u16..).zip(heads) {
        sheet.write_string_with_format(0, column, *head, &strong)?;
    }
    for (line, row) in (1_u32..).zip(rows) {
        for (column, cell) in (0_u16..).zip(row) {
            match cell {
                Cell::Text(text) => sheet.write_string(line, column, defused(text))?,
                // Counts of changes are far below 2^53.
                Cell::Number(number) => sheet.write_number(line, column, number as f64)?,
            };
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}
