//! Control reports and reviews of incidents as files. The same report gives the same bytes: no file holds the time of its making, anything random or the
//! name of its reader.

mod oscal;
mod pdf;
pub(crate) mod pdf_fonts;
pub(crate) mod pdf_sheets;
pub(crate) mod review_pdf;
mod workbook;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::compliance::control_report::{ControlReport, ReportFormat};

use crate::web::change::export::csv_line;

/// The report as a file.
///
/// # Errors
/// A fault when a library cannot write it.
pub(crate) fn file_of(report: &ControlReport, format: ReportFormat) -> acts::Result<Vec<u8>> {
    let fault = |error: String| acts::Error::Fault(format!("a control report could not be written: {error}"));
    match format {
        ReportFormat::Pdf => Ok(pdf::document(report)),
        ReportFormat::Xlsx => workbook::workbook(report).map_err(|error| fault(error.to_string())),
        ReportFormat::Csv => Ok(csv(report).into_bytes()),
        ReportFormat::Json => serde_json::to_vec(report).map_err(|error| fault(error.to_string())),
        ReportFormat::Oscal => {
            serde_json::to_vec_pretty(&oscal::assessment_results(report)).map_err(|error| fault(error.to_string()))
        }
    }
}

/// The name of the file: framework and span.
pub(crate) fn file_name(report: &ControlReport, format: ReportFormat) -> String {
    let day = |at: jiff::Timestamp| at.to_string().chars().take(10).collect::<String>();
    format!(
        "{}-{}-{}.{}",
        report.framework,
        day(report.from),
        day(report.to),
        format.extension()
    )
}

/// A file for download, under its name.
pub(crate) fn download(name: &str, format: ReportFormat, bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (StatusCode::OK, headers, bytes).into_response()
}

/// The exceptions as CSV (RFC 4180).
pub(crate) fn csv(report: &ControlReport) -> String {
    let heads = ["control", "clause", "rule", "severity", "change", "text"];
    let lines = std::iter::once(heads).chain(report.rows());
    lines.map(|line| csv_line(line.into_iter())).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use model::compliance::change_trail::ChangeTrail;
    use model::compliance::control_report::{Exception, LogPosition, Result, control_report};
    use model::compliance::framework::framework;

    use super::*;

    /// A report in which one test has `exceptions`, with texts that try to break out of their file.
    pub(crate) fn sample(exceptions: usize) -> ControlReport {
        let span = (
            "2026-10-01T00:00:00Z".parse().unwrap(),
            "2026-11-01T00:00:00Z".parse().unwrap(),
        );
        let log = LogPosition {
            size: 48_213,
            root: format!("sha256:{}", "ab".repeat(32)),
        };
        let sox = framework("sox").unwrap();
        let ids = sox.controls.iter().flat_map(|it| it.policies);
        let policies: std::collections::BTreeSet<String> = ids.map(|id| (*id).to_owned()).collect();
        let mut report = control_report(&ChangeTrail::default(), sox, span, log, &policies);
        let control = &mut report.controls[0];
        control.result = Result::Exceptions;
        let test = &mut control.tests[0];
        test.tested = exceptions as u64;
        test.found = exceptions as u64;
        test.exceptions = (0..exceptions)
            .map(|number| Exception {
                change: format!("CHG-{number}"),
                text: format!("=HYPERLINK(\"x\") (approved) \\ at \u{2013} caf\u{e9} \u{65e5} {number}"),
                dismissed: None,
            })
            .collect();
        report
    }

    #[test]
    fn the_same_report_gives_the_same_bytes_and_another_gives_others() {
        for format in ReportFormat::ALL.iter().copied() {
            let made = file_of(&sample(3), format).unwrap();
            assert_eq!(made, file_of(&sample(3), format).unwrap(), "{format:?}");
            assert_ne!(made, file_of(&sample(2), format).unwrap(), "{format:?}");
        }
    }

    #[test]
    fn a_file_is_named_after_framework_and_span() {
        assert_eq!(
            file_name(&sample(0), ReportFormat::Oscal),
            "sox-2026-10-01-2026-11-01.oscal.json"
        );
    }
}
