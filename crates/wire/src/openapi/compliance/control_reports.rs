//! Routes and shapes of control reports.

use model::core::parse::{LINE, TEXT};

use crate::openapi::rows::{Row, at, get, list};
use crate::openapi::shapes::{Shape, Words, free, integer, objects, shape, text, texts, time, word};
use crate::openapi::{Answer, Param, Scope};

/// Every table of this file.
pub(crate) const TABLES: &[&[Row]] = &[ROUTES];

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[ANSWERS];

const SPAN: &[Param] = &[
    Param::time("from", "The begin of the span; ninety days before its end unless said."),
    Param::time("to", "The end of the span, not included; now unless said."),
    Param::new(
        "size",
        "The size of the log up to which events count, one with a signed checkpoint; the present size unless said.",
    ),
];

const FILE: &[Param] = &[
    Param::new(
        "format",
        "`pdf`, `xlsx`, `csv` (the exceptions), `json` or `oscal` (assessment results of OSCAL 1.2.1).",
    )
    .needed(),
    SPAN[0],
    SPAN[1],
    SPAN[2],
];

const BEHIND: &[Param] = &[
    Param::new(
        "figure",
        "A figure of the population: `changes`, `ended`, `succeeded`, `rolled_back`, `emergency`, `break_glass` or `unauthorized`.",
    ),
    Param::new(
        "rule",
        "Instead of a figure: the id of a rule, whose tested changes are listed.",
    ),
    SPAN[0],
    SPAN[1],
    SPAN[2],
];

const ROUTES: &[Row] = &[
    Row {
        may: "audit",
        scope: Scope::Audit,
        params: BEHIND,
        ..list(
            "log",
            "list_control_report_rows",
            "/control-reports/{framework}/rows",
            "List the changes behind a figure of a report, in the order of their keys",
            "ControlReportRow",
        )
    },
    Row {
        may: "audit",
        scope: Scope::Audit,
        ..list(
            "log",
            "list_control_reports",
            "/control-reports",
            "List the frameworks that can be reported on",
            "ControlFramework",
        )
    },
    Row {
        may: "audit",
        scope: Scope::Audit,
        params: SPAN,
        ..get(
            "log",
            "show_control_report",
            "/control-reports/{framework}",
            "Report on the controls of a framework over a span. The same framework, span and size of the log give the same report",
            "ControlReport",
        )
    },
    Row {
        may: "audit @audit",
        answer: Answer::Bytes("application/octet-stream"),
        params: FILE,
        ..at(
            "GET",
            "log",
            "export_control_report",
            "/control-reports/{framework}/file",
            "Export a report as a file. The same framework, span, size of the log and format give the same bytes",
        )
    },
    Row {
        may: "audit",
        scope: Scope::Audit,
        ..list(
            "log",
            "list_violation_months",
            "/violation-trend",
            "List how many violations were opened and settled in each of the last twelve months",
            "ViolationMonth",
        )
    },
];

const ANSWERS: &[Shape] = &[
    shape(
        "ControlReportRow",
        "A change behind a figure of a control report.",
        &[
            text("change", LINE, "Its key.").needed(),
            text("kind", LINE, "Its kind.").needed(),
            text("risk", LINE, "Its risk; `unknown` without one.").needed(),
            texts("services", LINE, "Its services.").needed(),
            time("started_at", "When its work began."),
            text("exception", TEXT, "The exception that the rule found."),
        ],
    ),
    shape(
        "ViolationMonth",
        "The violations of one month, in UTC: the action items that control rules opened.",
        &[
            text("month", LINE, "The month: `2026-11`.").needed(),
            integer("opened", 0, i64::MAX, "How many were found in it for the first time.").needed(),
            integer("done", 0, i64::MAX, "How many were remedied in it.").needed(),
            integer("dismissed", 0, i64::MAX, "How many were dismissed in it as false positives.").needed(),
            integer("open", 0, i64::MAX, "How many were open at its end; of this month, now.").needed(),
        ],
    ),
    shape(
        "ControlFramework",
        "A standard or regulation whose controls over changes can be reported on.",
        &[
            text("id", LINE, "Its id: `sox`, `pci-dss`, `hipaa`, `iso-27001`, `soc-2` or `nist-800-53`.").needed(),
            text("title", LINE, "Its name.").needed(),
            text("source", LINE, "The publication that its clauses cite.").needed(),
            integer("controls", 1, i64::MAX, "How many controls it has here.").needed(),
        ],
    ),
    shape(
        "ControlReport",
        "What the tests of a framework's controls found over a span of the log.",
        &[
            text("framework", LINE, "The framework's id.").needed(),
            text("title", LINE, "Its name.").needed(),
            text("source", LINE, "The publication that its clauses cite.").needed(),
            text("definition", LINE, "The digest of framework and rules.").needed(),
            time("from", "The begin of the span.").needed(),
            time("to", "The end of the span, not included; deadlines are judged as of it.").needed(),
            free("log", "`size` and `root` of the log that the report was computed from.").needed(),
            free(
                "population",
                "The changes whose work began in the span: `changes`, `ended`, `succeeded`, `rolled_back`, `break_glass`, \
                 `unauthorized`, counts `by_kind`, `by_risk` and `by_service`, and `by_month` with `changes`, `ended` and `succeeded`.",
            )
            .needed(),
            free(
                "administration",
                "Events about people, rights, policies, keys and connections in the span, counted by kind.",
            )
            .needed(),
            integer("unreadable", 0, i64::MAX, "Changes of the log that could not be read.").needed(),
            objects("controls", "ControlResult", "Each control with its tests.").needed(),
        ],
    ),
    shape(
        "ControlResult",
        "A control with what its tests found.",
        &[
            text("id", LINE, "The control’s id.").needed(),
            text("clause", LINE, "The clause of the publication.").needed(),
            text("objective", TEXT, "What is controlled.").needed(),
            text("enforcement", TEXT, "How it is enforced here.").needed(),
            texts("policies", LINE, "The policies that enforce it, by id.").needed(),
            texts("not_in_force", LINE, "Those of them that were not in force all through the span.").needed(),
            text("reason", TEXT, "Why it counts as not enforced."),
            word(
                "result",
                Words::These(&["no_exceptions", "exceptions", "not_tested", "not_enforced"]),
                "What the tests came to together.",
            )
            .needed(),
            objects("tests", "ControlTest", "Each test.").needed(),
        ],
    ),
    shape(
        "ControlTest",
        "A test of a control with its exceptions.",
        &[
            text("rule", LINE, "The rule’s id.").needed(),
            text("title", LINE, "What it finds.").needed(),
            text("test", TEXT, "What it compares.").needed(),
            word("severity", Words::These(&["high", "medium", "low"]), "How much an exception matters.").needed(),
            integer("tested", 0, i64::MAX, "How many changes were tested: those that have what the rule looks at.").needed(),
            integer("found", 0, i64::MAX, "How many exceptions there are, without those that were dismissed.").needed(),
            integer("dismissed", 1, i64::MAX, "How many were dismissed as false positives; absent where none was."),
            objects(
                "exceptions",
                "ControlException",
                "The exceptions, also those that were dismissed; at most 1,000 are listed.",
            )
            .needed(),
        ],
    ),
    shape(
        "ControlException",
        "A change that violates a rule.",
        &[
            text("change", LINE, "The key of the change.").needed(),
            text("text", TEXT, "What was found, and that it was dismissed.").needed(),
            free(
                "dismissed",
                "That it was dismissed as a false positive: `at`, the action `item`, and the commitment of the `reason` in the log.",
            ),
        ],
    ),
];
