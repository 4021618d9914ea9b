//! The route and the shapes of the state of Prometheus; monitors and raised monitors have cards.

use model::incident::monitor::EXPRESSION;

use crate::openapi::rows::{Row, get};
use crate::openapi::shapes::{Shape, boolean, objects, shape, text, text_or_null, texts, time, time_or_null};

const LINE: usize = 200;

/// The route.
pub(crate) const ROUTES: &[Row] = &[get(
    "administration",
    "show_monitoring_state",
    "/monitoring-state",
    "Show what is placed in Prometheus now, and whether its files were written and reloaded",
    "MonitoringState",
)
.may("set_connection | audit @read")];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "MonitoringState",
        "The files for Prometheus and its last reload, as the responding server saw them since its start, and the raised monitors.",
        &[
            text_or_null("folder", "The folder of the files; null where none is set.").needed(),
            boolean("reloads", "Whether an address for reloads is set.").needed(),
            time_or_null(
                "files_checked_at",
                "When the files were compared with the records last; null before the first time.",
            )
            .needed(),
            text_or_null(
                "files_failed",
                "Why they could not be written then; null where they could.",
            )
            .needed(),
            time_or_null(
                "files_written_at",
                "When one of them was written last; null where none had to be since the start.",
            )
            .needed(),
            time_or_null(
                "reload_at",
                "When Prometheus was asked to reload last; null before the first time.",
            )
            .needed(),
            text_or_null("reload_failed", "Why it did not reload then; null where it did.").needed(),
            texts(
                "left_out",
                LINE,
                "The keys of monitors whose expression Prometheus cannot read, so that their rule is left out.",
            )
            .needed(),
            objects("raised", "PlacedMonitor", "The monitors that are raised now.").needed(),
        ],
    ),
    shape(
        "PlacedMonitor",
        "A monitor that is raised for a change, with what Prometheus gets for it.",
        &[
            text("monitor", LINE, "The monitor's key.").needed(),
            text("change", LINE, "The change's key.").needed(),
            texts("places", LINE, "The places of the change, as service/environment.").needed(),
            time("raised_at", "Since when it is raised.").needed(),
            texts("targets", LINE, "The scrape targets.").needed(),
            texts(
                "expressions",
                EXPRESSION * 8,
                "The expressions of the alert rules, one for each place.",
            )
            .needed(),
        ],
    ),
];
