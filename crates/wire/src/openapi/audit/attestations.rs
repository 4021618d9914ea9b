//! Routes and shapes of attestations.

use model::core::parse::{LINE, TEXT};

use crate::openapi::rows::{Row, get};
use crate::openapi::shapes::{Shape, Words, objects, shape, text, word};

/// Every table of this file.
pub(crate) const TABLES: &[&[Row]] = &[ROUTES];

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[ANSWERS];

/// The longest statement in base64, in characters.
const PAYLOAD: usize = 1 << 20;

const ROUTES: &[Row] = &[get(
    "around a change",
    "list_attestations",
    "/changes/{key}/attestations",
    "Attest the change for other tools: in-toto statements in DSSE envelopes, a verification summary (SLSA VSA v1) for each \
     permit and, once it is closed with success, a release for each service. `log_key_pem` has the keys",
    "Attestations",
)
.may("read")];

const ANSWERS: &[Shape] = &[
    shape(
        "Attestations",
        "What other tools may verify about a change.",
        &[
            objects("envelopes", "AttestationEnvelope", "The signed statements.").needed(),
            objects("left_out", "AttestationLeftOut", "What was not attested, and why.").needed(),
        ],
    ),
    shape(
        "AttestationEnvelope",
        "A signed in-toto statement (DSSE version 1).",
        &[
            text("payloadType", LINE, "`application/vnd.in-toto+json`.").needed(),
            text("payload", PAYLOAD, "The statement, in base64.").needed(),
            objects("signatures", "AttestationSignature", "The signature of the tenant's log key.").needed(),
        ],
    ),
    shape(
        "AttestationSignature",
        "An Ed25519 signature over the envelope's type and payload.",
        &[
            text("keyid", LINE, "The SHA-256 of the key's SubjectPublicKeyInfo, in hexadecimal.").needed(),
            text("sig", TEXT, "The signature, in base64.").needed(),
        ],
    ),
    shape(
        "AttestationLeftOut",
        "A permit or a service without an attestation.",
        &[
            text("what", LINE, "`permit ID` or `service KEY`.").needed(),
            word(
                "code",
                Words::These(&["revoked", "not_succeeded", "no_digest", "too_many"]),
                "Why: the permit or its key was revoked, its target did not succeed, only a tag names the build, or the change has over 1,000 permits.",
            )
            .needed(),
        ],
    ),
];
