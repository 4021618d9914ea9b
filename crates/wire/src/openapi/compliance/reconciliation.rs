//! Routes and shapes of the reconciliation of runs with approvals, of the dry run of the retention, and of erasures of people's data.

use model::core::parse::LINE;

use crate::openapi::rows::{Row, at, get, post};
use crate::openapi::shapes::{Shape, boolean, free, frees, integer, integer_or_null, shape, texts, time};
use crate::openapi::{Answer, Param, Scope};

/// Every table of this file.
pub(crate) const TABLES: &[&[Row]] = &[ROUTES];

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[ANSWERS];

const ROUTES: &[Row] = &[
    Row {
        may: "audit",
        scope: Scope::Audit,
        params: &[
            Param::time("from", "The begin of the span; ninety days before its end unless said."),
            Param::time("to", "The end of the span, not included; now unless said."),
            Param::new("service", "One service; all unless said."),
            Param::new(
                "size",
                "The size of the log up to which events count, one with a signed checkpoint; the present size unless said, and only \
                 then permits are compared with the database.",
            ),
        ],
        ..get(
            "log",
            "show_reconciliation",
            "/reconciliation",
            "Compare what ran with what was approved over a span, both ways",
            "Reconciliation",
        )
    },
    Row {
        may: "audit",
        scope: Scope::Audit,
        params: &[
            Param::new(
                "changes_days",
                "Try these days for changes; those in force unless said.",
            ),
            Param::new(
                "deliveries_days",
                "Try these days for deliveries; those in force unless said.",
            ),
        ],
        ..get(
            "administration",
            "preview_retention",
            "/retention/preview",
            "Show what the retention would erase now and what legal holds keep; nothing is erased",
            "RetentionPreview",
        )
    },
    Row {
        may: "set_policy",
        ..post(
            "administration",
            "lift_hold_order",
            "/hold-orders/{id}/lifting",
            "Lift a hold order with a reason; where two people are needed, the first one asks and another one lifts it",
            "ReasonInput",
            "HoldOrder",
        )
    },
    Row {
        may: "set_policy",
        answer: Answer::Json("PersonErasure"),
        ..at(
            "POST",
            "administration",
            "confirm_person_erasure",
            "/person-erasures/{id}/confirmation",
            "Do an erasure of a person's data that another person asked for",
        )
    },
];

const ANSWERS: &[Shape] = &[
    shape(
        "Reconciliation",
        "What ran beside what was approved. Each list has the `count` of all its rows and at most 1,000 of them as `rows`.",
        &[
            time("from", "The begin of the span.").needed(),
            time("to", "The end of the span, not included.").needed(),
            free("log", "`size` and `root` of the log that it was computed from.").needed(),
            frees(
                "services",
                "Figures per `service` and `environment`: `deployments`, of these `approved` and `permitted`; `gate_asked`, of these \
                 `gate_refused`; `running`; `drift`, of these `drift_open`; `changes` that were approved and begun, of these \
                 `changes_seen`; `last_signal_at`.",
            )
            .needed(),
            free(
                "not_approved",
                "What ran without an approval before it: `kind`, `id`, `service`, `environment`, `at`, `change`, `what`, `lack`; `backdated` where it was told in the span as of a time before it.",
            )
            .needed(),
            free(
                "not_seen",
                "Approved changes of which nothing was reported that ran: `change`, `service`, `environment`, `state`, `started_at`.",
            )
            .needed(),
            free(
                "permits",
                "Permits that differ from the log: `kind` (`deleted`, `forged`, `backdated`, `altered`), `permit`, `change`, \
                 `at`, `text`.",
            )
            .needed(),
            free("not_staged", "What came to production and was in no other environment before, as in `not_approved`.").needed(),
            free("silent", "Services that reported nothing from a place in production in the span: `service`, `environment` where one is known, `since`, `changes`.").needed(),
            free("administration", "Changes of people, rights, policies and keys in the span, counted by event.").needed(),
            free(
                "people",
                "Who could have changed what in the span, and did: `person`; `roles`, `services` and `active` at the end of the log; \
                 `held` with each `right`, what it is `of`, its `environment`, `from` and `until`; `administered`, `approved`, \
                 `implemented`.",
            )
            .needed(),
            free("erased", "What was erased in the span: `changes`, `texts`, `deliveries`, `people`.").needed(),
        ],
    ),
    shape(
        "RetentionPreview",
        "A dry run of the retention.",
        &[
            integer_or_null("changes_days", "The days for changes that were tried, as the rules allow."),
            integer_or_null("deliveries_days", "The days for deliveries."),
            integer_or_null("archive_days", "The days until the archive."),
            texts("rules", LINE, "The retention rules that are on.").needed(),
            texts("changes", LINE, "The changes whose texts and files would go.").needed(),
            frees("held", "The changes that are old enough and that hold orders keep: `change` and the ids of `orders`.").needed(),
            boolean("is_more", "Whether more changes are due than were looked at.").needed(),
            integer("deliveries", 0, i64::MAX, "Raw bodies of deliveries that would go, counted up to 10,000.").needed(),
            integer("deliveries_held", 0, i64::MAX, "Those that would go if no hold order stood.").needed(),
            integer("to_archive", 0, i64::MAX, "Changes that would move to the archive, counted up to 10,000.").needed(),
        ],
    ),
];
