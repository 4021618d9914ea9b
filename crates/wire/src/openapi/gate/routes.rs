//! Routes around gateways: admission, running versions, refusals, watched targets, waiting times.

use crate::openapi::rows::{GATE_QUESTION, Row, get, list, post};
use crate::openapi::{Answer, Param};

const DAYS: &[Param] = &[Param::new("days", "How many days back, at most 366; 30 unless said.")];

const PLACE: &[Param] = &[
    Param::new("service", "Only this service."),
    Param::new("environment", "Only this environment."),
];

const COVERAGE: &[Param] = &[
    Param::new("service", "Only this service."),
    Param::new(
        "days",
        "After so many days without a word it is silent; 30 unless said.",
    ),
];

/// Every row.
pub(crate) const GATEWAYS: &[Row] = &[
    Row {
        may: "ask_gate",
        params: GATE_QUESTION,
        ..get(
            "gate",
            "ask_admission",
            "/admission",
            "May this workload be admitted? Go also for what is recorded as running",
            "Admission",
        )
    },
    Row {
        may: "ask_gate",
        params: PLACE,
        ..list(
            "gate",
            "list_running",
            "/running",
            "List what is recorded as running",
            "Running",
        )
    },
    list(
        "gate",
        "list_gate_refusals",
        "/gate-refusals",
        "List questions that named nothing that is known",
        "GateRefusal",
    )
    .may("audit"),
    Row {
        may: "ask_gate @gate",
        status: 202,
        answer: Answer::Json("RefusalCounted"),
        ..post(
            "gate",
            "tell_gate_refusal",
            "/gate-refusals",
            "Count a question that a companion could not read",
            "GateRefusalInput",
            "RefusalCounted",
        )
    },
    Row {
        may: "read",
        params: COVERAGE,
        ..list(
            "gate",
            "list_coverage",
            "/coverage",
            "List production services with sources, gates and findings",
            "Coverage",
        )
    },
    Row {
        may: "read",
        params: DAYS,
        ..list(
            "gate",
            "list_completeness",
            "/completeness",
            "List deployments without a change, and changes without a deployment",
            "Unmatched",
        )
    },
    Row {
        may: "read",
        params: DAYS,
        ..list(
            "gate",
            "list_gate_waits",
            "/gate-waits",
            "How long pipelines waited, and for what",
            "GateWait",
        )
    },
];
