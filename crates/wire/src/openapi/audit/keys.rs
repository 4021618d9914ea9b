//! Routes and shapes of signing keys.

use model::core::enums::KeyRotationKind;
use model::core::parse::{LINE, TEXT};

use crate::openapi::rows::{Row, list, post};
use crate::openapi::shapes::{Shape, Words, all, integer, objects, shape, text, time, word};

/// Every table of this file.
pub(crate) const TABLES: &[&[Row]] = &[KEYS];

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[ANSWERS];

/// The purposes of a key.
const PURPOSES: Words = Words::These(&["permit", "log", "cosigner"]);

const KEYS: &[Row] = &[
    list(
        "administration",
        "list_keys",
        "/keys",
        "List the signing keys, with what became of each",
        "SigningKey",
    ).may("set_connection"),
    post(
        "administration",
        "rotate_key",
        "/keys/{purpose}/rotation",
        "Give a purpose (`permit`, `log` or `cosigner`) a new signing key; what the old one signed stays good. Needs a fresh factor",
        "ReasonInput",
        "KeyTurn",
    ).may("set_connection"),
    post(
        "administration",
        "revoke_key",
        "/keys/{kid}/revocation",
        "Revoke a stolen key of permits, with all that it signed. Needs a fresh factor",
        "ReasonInput",
        "KeyTurn",
    ).may("set_connection"),
];

const ANSWERS: &[Shape] = &[
    shape(
        "SigningKey",
        "The public half of a key that signs for the tenant.",
        &[
            text("kid", LINE, "Its id: the thumbprint of its public half (RFC 7638).").needed(),
            word("purpose", PURPOSES, "What it signs.").needed(),
            word(
                "state",
                Words::These(&["active", "retired", "revoked"]),
                "Whether it signs.",
            )
            .needed(),
            text(
                "public",
                LINE,
                "Its public half: base64url of 32 bytes for permits, a C2SP verifier key for the log and its cosigner.",
            )
            .needed(),
            time("created_at", "When it was made.").needed(),
            objects("turns", "KeyTurn", "Result.").needed(),
        ],
    ),
    shape(
        "KeyTurn",
        "What became of a signing key: another one took its place, or it was revoked.",
        &[
            integer("number", 1, i64::MAX, "Which turn of the tenant's keys it is.").needed(),
            word("kind", all!(KeyRotationKind), "What became of the key.").needed(),
            word("purpose", PURPOSES, "What the key signs.").needed(),
            text("kid", LINE, "The key.").needed(),
            text(
                "next",
                LINE,
                "The key that signs in its place; none where another one signed already.",
            ),
            time("served_until", "Until when a retired key of permits stays published."),
            integer(
                "revoked_permits",
                0,
                i64::MAX,
                "How many good permits were revoked with it so far; absent for none.",
            ),
            text(
                "revoking_after",
                LINE,
                "While its permits are being revoked: when the last one ends that was looked at, at first empty; absent once all were.",
            ),
            text("reason", TEXT, "Why.").needed(),
            text("by", LINE, "Who: a login.").needed(),
            time("at", "When.").needed(),
        ],
    )
    .based_on(&["Stored"]),
];
