//! Routes and shapes of sinks: the log in the formats of a SIEM.

use crate::openapi::Answer;
use crate::openapi::rows::{Row, at, delete, get, list, post};
use crate::openapi::shapes::{
    Shape, Words, boolean, integer, integer_or_null, object, shape, text, text_or_null, texts, time_or_null, word,
};

const LINE: usize = 200;
const URL: usize = 2_000;
const FORMATS: Words = Words::These(&["rfc5424", "cef", "ocsf", "hec", "otlp", "kafka"]);

/// The routes.
pub(crate) const ROUTES: &[Row] = &[
    list("sinks", "list_sinks", "/sinks", "List sinks of the log", "Sink").may("set_connection"),
    post(
        "sinks",
        "create_sink",
        "/sinks",
        "Make a sink of the log",
        "SinkInput",
        "Sink",
    )
    .may("set_connection"),
    get(
        "sinks",
        "show_sink",
        "/sinks/{id}",
        "Show a sink and how far it is",
        "Sink",
    )
    .may("set_connection"),
    Row {
        may: "set_connection",
        body: Some("SinkPatch"),
        answer: Answer::Json("Sink"),
        ..at(
            "PATCH",
            "sinks",
            "edit_sink",
            "/sinks/{id}",
            "Change, stop or continue a sink",
        )
    },
    delete("sinks", "end_sink", "/sinks/{id}", "End a sink", "Sink").may("set_connection"),
    post(
        "sinks",
        "move_sink",
        "/sinks/{id}/position",
        "Continue a sink at another index of the log",
        "SinkPosition",
        "Sink",
    )
    .may("set_connection"),
];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "SinkInput",
        "A receiver of the log: a format over a transport.",
        &[
            text("name", LINE, "A name for people.").needed(),
            text(
                "url",
                URL,
                "`tcp://host:port`, `tls://host:port`, `https://…` or `file:NAME`.",
            )
            .needed(),
            word("format", FORMATS, "The form of an entry.").needed(),
            texts("kinds", LINE, "`change.approved`, `change.*` or `*`; all unless set."),
            boolean(
                "with_texts",
                "Whether free texts are sent too; without, entries hold codes, keys, ids and numbers.",
            ),
            text(
                "credential",
                4_000,
                "For `https`: a token, or a whole value of `Authorization` such as `Basic …`. It is sealed and never shown.",
            ),
            integer(
                "rotate_mib",
                1,
                10_240,
                "The size in mebibytes at which a file is rotated; 100 unless set.",
            ),
            integer(
                "keep_files",
                1,
                1_000,
                "How many rotated files are kept; 10 unless set.",
            ),
            text(
                "owner",
                LINE,
                "The person who is notified when it fails: a login; oneself unless set.",
            ),
            integer(
                "from",
                0,
                i64::MAX,
                "The first index of the log to send; the next entry unless set.",
            ),
        ],
    ),
    shape(
        "SinkPatch",
        "What is to be different.",
        &[
            text("name", LINE, "A name for people."),
            text("url", URL, "Where entries go."),
            word("format", FORMATS, "The form of an entry."),
            texts("kinds", LINE, "Which kinds of event."),
            boolean("with_texts", "Whether free texts are sent too."),
            text_or_null("credential", "Another credential; null takes it away."),
            integer(
                "rotate_mib",
                1,
                10_240,
                "The size in mebibytes at which a file is rotated.",
            ),
            integer("keep_files", 1, 1_000, "How many rotated files are kept."),
            text("owner", LINE, "The person who is notified when it fails: a login."),
            boolean("active", "Whether entries are sent; it continues where it stopped."),
        ],
    ),
    shape(
        "Sink",
        "A sink of the log.",
        &[
            text("name", LINE, "A name for people."),
            text("url", URL, "Where entries go."),
            word("format", FORMATS, "The form of an entry."),
            texts("kinds", LINE, "Which kinds of event."),
            boolean("with_texts", "Whether free texts are sent too."),
            boolean("has_credential", "Whether a credential is kept."),
            integer(
                "rotate_mib",
                1,
                10_240,
                "The size in mebibytes at which a file is rotated.",
            ),
            integer("keep_files", 1, 1_000, "How many rotated files are kept."),
            text("owner", LINE, "The person who is notified when it fails."),
            boolean("active", "Whether entries are sent."),
            object("state", "SinkState", "How far it is."),
        ],
    )
    .based_on(&["Stored"]),
    shape(
        "SinkState",
        "How far a sink is.",
        &[
            integer("next_index", 0, i64::MAX, "The next index of the log that it examines."),
            integer_or_null("last_index", "The last index that it delivered."),
            integer(
                "behind",
                0,
                i64::MAX,
                "How many entries of the log it has not examined.",
            ),
            time_or_null("failing_since", "Since when it fails; null while it is well."),
            time_or_null("next_try_at", "When it is tried again, while it fails."),
            text_or_null("last_error", "What went wrong last."),
            time_or_null("delivered_at", "When entries were last delivered."),
        ],
    ),
    shape(
        "SinkPosition",
        "Where a sink continues.",
        &[integer("index", 0, i64::MAX, "The next index of the log to send.").needed()],
    ),
];
