//! Routes and shapes of witnesses and of the log's publication.

use model::core::parse::{LINE, TEXT};

use crate::openapi::Scope;
use crate::openapi::rows::{Row, delete, list, post};
use crate::openapi::shapes::{Shape, boolean, free, integer, shape, text, texts, time};

/// Every table of this file.
pub(crate) const TABLES: &[&[Row]] = &[LOG];

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[SHAPES_OF_LOG];

/// The longest note that is read, in characters.
const NOTE: usize = 1 << 20;

const LOG: &[Row] = &[
    Row {
        scope: Scope::Audit,
        ..list(
            "log",
            "list_witnesses",
            "/witnesses",
            "List the witnesses of the log, with what each cosigned last",
            "Witness",
        )
    },
    post(
        "log",
        "add_witness",
        "/witnesses",
        "Add a witness by its C2SP verifier key; its cosignatures are taken and served from then on",
        "WitnessInput",
        "Witness",
    ),
    delete(
        "log",
        "end_witness",
        "/witnesses/{id}",
        "Take no more of a witness, and serve none of its cosignatures",
        "Witness",
    ),
    Row {
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
    ),
    post(
        "log",
        "close_log",
        "/log/publication/end",
        "Close the log again. Needs a fresh factor",
        "ReasonInput",
        "LogPublication",
    ),
];

const SHAPES_OF_LOG: &[Shape] = &[
    shape(
        "WitnessInput",
        "A witness: somebody else's program that cosigns checkpoints which only grow.",
        &[text(
            "key",
            LINE,
            "Its verifier key, `name+id+base64`, of the type of cosignatures (0x04).",
        )
        .needed()],
    ),
    shape(
        "Witness",
        "A witness of the log.",
        &[
            text("name", LINE, "The name in its key.").needed(),
            boolean("active", "Whether its cosignatures are taken."),
            text("by", LINE, "Who added it: a login."),
            time("at", "When."),
            free(
                "cosigned",
                "What it cosigned last: the log's `size`, when (`at`), and the note with its line (`checkpoint`).",
            ),
        ],
    )
    .based_on(&["WitnessInput", "Stored"]),
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
