//! The route that confirms a mandate of an auditor; the mandates themselves are on a card.

use crate::openapi::Answer;
use crate::openapi::rows::{Row, at};

/// Every table of this file.
pub(crate) const TABLES: &[&[Row]] = &[ROUTES];

const ROUTES: &[Row] = &[Row {
    may: "set_policy",
    answer: Answer::Json("AuditMandate"),
    ..at(
        "POST",
        "estate",
        "confirm_audit_mandate",
        "/audit-mandates/{id}/confirmation",
        "Confirm a mandate of an auditor that another person proposed",
    )
}];
