//! Route and shape of a printed emergency card; the cards themselves are on a card of a noun.

use model::core::parse::LINE;

use crate::openapi::rows::{Row, post};
use crate::openapi::shapes::{Shape, shape, text};

/// The route.
pub(crate) const ROUTES: &[Row] = &[Row {
    // Nothing new is made: the card was there, and its drawing is not kept.
    status: 200,
    ..post(
        "gate",
        "print_emergency_card",
        "/emergency-cards/{id}/print",
        "Print an emergency card, with a fresh factor: whoever has this can use it",
        "NoBody",
        "PrintedEmergencyCard",
    )
}
.may("set_window")];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[shape(
    "PrintedEmergencyCard",
    "An emergency card as it is printed.",
    &[
        text("id", LINE, "The card's id.").needed(),
        text(
            "card",
            2_300,
            "The token, a compact JWS, as the QR code has it; not in the answer to a repeated request.",
        ),
        text(
            "svg",
            200_000,
            "The drawing with the QR code and the card's limits; not in the answer to a repeated request.",
        ),
    ],
)];
