//! A list as a workbook: times are dates, numbers are numbers, texts are texts and never formulas.

use jiff::Timestamp;
use model::core::refusal::Refusal;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use serde_json::Value;
use wire::openapi::columns::Column;

use crate::http::failure::Failure;

/// The most characters of a cell in a workbook (Excel specifications and limits).
const MOST_CHARACTERS: usize = 32_767;
/// The greatest whole number that a cell holds exactly: 2^53.
const MOST_EXACT: i64 = 9_007_199_254_740_992;
/// How a moment in UTC is shown.
const TIME: &str = "yyyy-mm-dd hh:mm:ss";

/// A value as one cell: a text unchanged, null as an empty cell, lists and objects as JSON.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The file.
///
/// # Errors
/// 422 where a text is longer than a cell; a fault where the file cannot be written.
pub(super) fn workbook(columns: &[Column], rows: &[Value]) -> Result<Vec<u8>, Failure> {
    for column in columns {
        let mut cells = rows.iter().map(|row| cell(&row[column.name.as_str()]));
        if cells.any(|text| text.chars().count() > MOST_CHARACTERS) {
            let text = format!(
                "A value of `{}` is longer than the {MOST_CHARACTERS} characters of a cell. Use CSV.",
                column.name
            );
            let refusal = Refusal::field("format", "too_long", text);
            return Err(Failure::from(acts::Error::from(refusal)));
        }
    }
    written(columns, rows).map_err(|error| Failure::fault(&error))
}

fn written(columns: &[Column], rows: &[Value]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let (strong, time) = (Format::new().set_bold(), Format::new().set_num_format(TIME));
    for (place, column) in (0_u16..).zip(columns) {
        sheet.write_string_with_format(0, place, &column.name, &strong)?;
        for (row, at) in rows.iter().zip(1_u32..) {
            write(sheet, (at, place), (&row[column.name.as_str()], column.is_time), &time)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    book.save_to_buffer()
}

fn write(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    (value, is_time): (&Value, bool),
    time: &Format,
) -> Result<(), XlsxError> {
    if let Some(moment) = value.as_str().filter(|_| is_time).and_then(moment) {
        sheet.write_datetime_with_format(row, column, &moment, time)?;
        return Ok(());
    }
    match value {
        Value::Null => {}
        Value::Bool(flag) => {
            sheet.write_boolean(row, column, *flag)?;
        }
        Value::Number(number) if number.as_i64().is_none_or(|it| it.abs() <= MOST_EXACT) => {
            sheet.write_number(row, column, number.as_f64().unwrap_or_default())?;
        }
        other => {
            sheet.write_string(row, column, cell(other))?;
        }
    }
    Ok(())
}

/// A moment as a workbook has it, to the second; none outside of its calendar.
fn moment(text: &str) -> Option<ExcelDateTime> {
    let at: Timestamp = text.parse().ok()?;
    ExcelDateTime::from_timestamp(at.as_second()).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;
    use wire::openapi::columns::Column;

    use super::{MOST_CHARACTERS, workbook};

    fn columns() -> Vec<Column> {
        [("at", true), ("text", false)]
            .map(|(name, is_time)| Column {
                name: name.to_owned(),
                is_time,
            })
            .to_vec()
    }

    #[test]
    fn a_workbook_is_made_of_times_numbers_and_texts() {
        let rows = [
            json!({"at": "2026-11-28T08:00:00Z", "text": "=1+1"}),
            json!({"at": "soon", "text": 7}),
            json!({"text": ["a"]}),
        ];
        let bytes = workbook(&columns(), &rows).unwrap();
        assert!(bytes.starts_with(b"PK"), "a workbook is a zip file");
    }

    #[test]
    fn a_text_that_is_no_cell_is_refused() {
        let rows = [json!({"text": "x".repeat(MOST_CHARACTERS + 1)})];
        assert_eq!(workbook(&columns(), &rows).unwrap_err().status(), 422);
    }
}
