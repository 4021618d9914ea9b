//! Routes and shapes of the working papers of audit samples; the samples and conclusions themselves are on cards.

use model::core::enums::{AuditAnswer, AuditVerdict};
use model::core::parse::{LINE, TEXT};

use crate::openapi::rows::{Row, at, list};
use crate::openapi::shapes::{Shape, all, boolean, objects, shape, text, word};
use crate::openapi::{Answer, Scope};

/// Every table of this file.
pub(crate) const TABLES: &[&[Row]] = &[ROUTES];

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[ANSWERS];

const ROUTES: &[Row] = &[
    Row {
        may: "audit",
        scope: Scope::Audit,
        ..list(
            "log",
            "list_audit_items",
            "/audit-samples/{id}/items",
            "List the changes of a sample, each with the answers of the log to the control's questions and its conclusion",
            "AuditItem",
        )
    },
    Row {
        may: "audit",
        scope: Scope::Audit,
        answer: Answer::Json("AuditConclusion"),
        ..at(
            "POST",
            "log",
            "review_audit_conclusion",
            "/audit-conclusions/{id}/review",
            "Review a conclusion of another auditor",
        )
    },
    Row {
        may: "audit",
        scope: Scope::Audit,
        answer: Answer::Json("AuditSample"),
        ..at(
            "POST",
            "log",
            "sign_audit_sample",
            "/audit-samples/{id}/signature",
            "Sign the working paper of a sample; each change has a reviewed conclusion by then",
        )
    },
    Row {
        may: "audit @audit",
        answer: Answer::Bytes("application/zip"),
        ..at(
            "GET",
            "log",
            "export_audit_sample",
            "/audit-samples/{id}/export",
            "Export the working paper with the bundle of each change",
        )
    },
];

const ANSWERS: &[Shape] = &[
    shape(
        "AuditItem",
        "A change of a sample.",
        &[
            text("change", LINE, "Its key.").needed(),
            objects(
                "answers",
                "AuditAnswer",
                "What the control asks, with the answer of the log.",
            )
            .needed(),
            text(
                "conclusion",
                LINE,
                "The id of the conclusion; absent before there is one.",
            ),
            word("verdict", all!(AuditVerdict), "Whether the control worked for it."),
            text("text", TEXT, "What was examined and found."),
            boolean("is_reviewed", "Whether another auditor reviewed the conclusion."),
            text("by", LINE, "Who concluded: a login."),
            text("reviewed_by", LINE, "The second auditor, who reviewed it: a login."),
        ],
    ),
    shape(
        "AuditAnswer",
        "What a rule of the control found in the log.",
        &[
            text("rule", LINE, "The rule's id.").needed(),
            text("question", TEXT, "What it compares.").needed(),
            boolean("is_exception", "Whether it found an exception.").needed(),
            text("text", TEXT, "The exception."),
            word("answer", all!(AuditAnswer), "What the auditor answered."),
        ],
    ),
];
