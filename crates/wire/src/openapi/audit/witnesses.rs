//! Routes and shapes of cosignatures and of the log's publication.

use model::core::parse::{LINE, TEXT};

use crate::openapi::Scope;
use crate::openapi::rows::{Row, post};
use crate::openapi::shapes::{Shape, boolean, integer, shape, text, texts, time};

/// Every table of this file.
pub(crate) const TABLES: &[&[Row]] = &[LOG];

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[SHAPES_OF_LOG];

/// The longest note that is read, in characters.
const NOTE: usize = 1 << 20;

const LOG: &[Row] = &[
    Row {
        may: "audit",
        scope: Scope::Audit,
        ..post(
            "log",
            "take_cosignature",
            "/log/cosignatures",
            "Take a checkpoint of this log that witnesses cosigned (C2SP tlog-cosignature)",
            "CosignedCheckpointInput",
            "CosignedCheckpoint",
        )
    },
    post(
        "log",
        "publish_log",
        "/log/publication",
        "Open the log to everybody. Needs a fresh factor",
        "ReasonInput",
        "LogPublication",
    )
    .may("set_connection"),
    post(
        "log",
        "close_log",
        "/log/publication/end",
        "Close the log again. Needs a fresh factor",
        "ReasonInput",
        "LogPublication",
    )
    .may("set_connection"),
];

const SHAPES_OF_LOG: &[Shape] = &[
    shape(
        "CosignedCheckpointInput",
        "A checkpoint of this log with the lines of witnesses.",
        &[text(
            "checkpoint",
            NOTE,
            "The whole signed note, as `checkpoint` serves it, with the witness's line.",
        )
        .needed()],
    ),
    shape(
        "LogPublication",
        "Whether everybody reads the log, and who said so.",
        &[
            boolean("log_is_public", "Whether it is read without a credential.").needed(),
            text("by", LINE, "Who said so: a login.").needed(),
            time("at", "When.").needed(),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
    shape(
        "CosignedCheckpoint",
        "Which lines were taken.",
        &[
            integer("size", 0, i64::MAX, "The log's size in that checkpoint.").needed(),
            texts(
                "witnesses",
                LINE,
                "Names of the witnesses whose line was taken; one who signed something newer before is not among them.",
            )
            .needed(),
        ],
    ),
];
