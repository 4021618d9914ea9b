//! The closed words of scheduled reports.

use serde::{Deserialize, Serialize};

words! {
    /// The form of a report as a file.
    #[derive(Default)]
    ReportFormat {
        /// A document for reading and printing.
        #[default]
        Pdf = "pdf",
        /// A workbook of Office Open XML.
        Xlsx = "xlsx",
        /// The exceptions as rows (RFC 4180).
        Csv = "csv",
        /// The report as the API answers it.
        Json = "json",
        /// Assessment results of OSCAL 1.2.1, in JSON.
        Oscal = "oscal",
    }
    /// The span of a scheduled report, in UTC: the last one that has ended.
    #[derive(Default)]
    ReportSpan {
        /// A calendar month.
        #[default]
        LastMonth = "last_month",
        /// A quarter of a calendar year.
        LastQuarter = "last_quarter",
        /// A calendar year.
        LastYear = "last_year",
    }
}
