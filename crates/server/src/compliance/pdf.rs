//! A control report as a PDF: pages with headings and tables whose text can be selected and searched.

use model::compliance::control_report::{ControlReport, ControlResult, TestResult};

use super::pdf_fonts::Weight;
use super::pdf_sheets::Sheets;

/// The file.
pub(super) fn document(report: &ControlReport) -> Vec<u8> {
    let title = format!("Control report: {}", report.title);
    let mut sheets = Sheets::new();
    sheets.heading(&title, true);
    let inputs: Vec<Vec<String>> = report
        .inputs()
        .into_iter()
        .map(|(label, value)| vec![label.to_owned(), value])
        .collect();
    sheets.table(&["Input", "Value"], &[0.25, 0.75], &inputs);
    sheets.heading("Population", false);
    let figures: Vec<Vec<String>> = report
        .figures()
        .into_iter()
        .map(|(label, count)| vec![label.to_owned(), count.to_string()])
        .collect();
    sheets.table(&["Figure", "Count"], &[0.75, 0.25], &figures);
    sheets.heading("Controls", false);
    let rows: Vec<Vec<String>> = report.controls.iter().map(summary).collect();
    sheets.table(
        &["Control", "Clause", "Result", "Exceptions"],
        &[0.2, 0.45, 0.2, 0.15],
        &rows,
    );
    for control in &report.controls {
        section(&mut sheets, control);
    }
    if !sheets.is_whole() {
        let text = "Characters outside of Latin-1 appear as question marks here; the forms JSON, OSCAL, CSV and XLSX have them.";
        sheets.paragraph(text, Weight::Plain);
    }
    let foot = format!(
        "{} {} to {}, log of {} events",
        report.framework, report.from, report.to, report.log.size
    );
    sheets.finish(&title, &foot)
}

fn summary(control: &ControlResult) -> Vec<String> {
    let found: u64 = control.tests.iter().map(|test| test.found).sum();
    vec![
        control.id.clone(),
        control.clause.clone(),
        control.result.as_str().to_owned(),
        found.to_string(),
    ]
}

fn section(sheets: &mut Sheets, control: &ControlResult) {
    sheets.heading(&format!("{}: {}", control.id, control.clause), false);
    sheets.paragraph(&control.objective, Weight::Bold);
    sheets.paragraph(&control.enforcement, Weight::Plain);
    if !control.policies.is_empty() {
        sheets.paragraph(&format!("Policies: {}", control.policy_line()), Weight::Plain);
    }
    if let Some(reason) = &control.reason {
        sheets.paragraph(reason, Weight::Bold);
    }
    let tests: Vec<Vec<String>> = control.tests.iter().map(test).collect();
    sheets.table(
        &["Rule", "Test", "Severity", "Exceptions"],
        &[0.22, 0.48, 0.13, 0.17],
        &tests,
    );
    let exceptions = |test: &TestResult| {
        let row = |it: &model::compliance::control_report::Exception| {
            vec![test.rule.clone(), it.change.clone(), it.text.clone()]
        };
        test.exceptions.iter().map(row).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = control.tests.iter().flat_map(exceptions).collect();
    if !rows.is_empty() {
        sheets.table(&["Rule", "Change", "Exception"], &[0.22, 0.18, 0.6], &rows);
    }
}

fn test(test: &TestResult) -> Vec<String> {
    vec![
        test.rule.clone(),
        format!("{}: {}", test.title, test.test),
        test.severity.as_str().to_owned(),
        test.found_line(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::tests::sample;

    fn pages(file: &[u8]) -> usize {
        file.windows(11).filter(|at| *at == b"/Type /Page").count() - 1
    }

    #[test]
    fn more_exceptions_need_more_pages_and_the_file_is_whole() {
        let (short, long) = (document(&sample(1)), document(&sample(300)));
        assert!(short.starts_with(b"%PDF-") && short.ends_with(b"%%EOF"));
        assert!(pages(&long) > pages(&short) + 3, "{} {}", pages(&long), pages(&short));
        let has = |file: &[u8], text: &[u8]| file.windows(text.len()).any(|at| at == text);
        assert!(has(&short, b"(CHG-0)"), "text stays text");
        assert!(!has(&short, b"(CHG-1)"));
    }
}
