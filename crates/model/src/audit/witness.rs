//! Witnesses: programs of others that cosign checkpoints of the tenant's log.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::SET_CONNECTION;
use crate::core::card::{Card, Event, Field, Kind};
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::LINE;
use crate::verbs;

/// A witness of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct Witness {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// Its verifier key, `name+id+base64`, of the type of cosignatures (0x04).
    pub key: String,
    /// The address below which it takes `add-checkpoint` (C2SP tlog-witness); without one it fetches checkpoints itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub url: Option<String>,
    /// Whether its cosignatures are taken.
    #[card(column)]
    pub active: bool,
    /// The person who added it: a login.
    #[card(optional)]
    pub by: PersonId,
    /// When.
    #[card(optional)]
    pub at: Timestamp,
}

/// A witness: somebody else's program that cosigns checkpoints which only grow.
#[derive(Debug, Default, Deserialize, Described)]
#[serde(default)]
pub struct WitnessInput {
    /// Its verifier key, `name+id+base64`, of the type of cosignatures (0x04).
    #[card(
        positional,
        example = "witness.example/w1+494d0156+BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
    )]
    pub key: String,
    /// The address below which it takes `add-checkpoint` (C2SP tlog-witness); without one it fetches checkpoints itself.
    #[card(text, example = "https://witness.example/prefix")]
    pub url: Option<String>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "log",
    columns: &["id", "name", "cosigned.size", "cosigned.at", "url"],
    shown: &[
        Field::shown("name", Kind::Text(LINE), "The name in its key.").needed(),
        Field::shown(
            "cosigned",
            Kind::Object,
            "What it cosigned last: the log's `size`, when (`at`), and the note with its line (`checkpoint`).",
        ),
    ],
    verbs: verbs! {
        List "list_witnesses" at "/witnesses" may "set_connection | audit" => "List the witnesses of the log, with what each cosigned last", token Audit;
        Add "add_witness" at "/witnesses" may SET_CONNECTION => "Add a witness by its C2SP verifier key; its cosignatures are accepted and served from then on", token Admin;
        End "end_witness" at "/witnesses/{id}" may SET_CONNECTION => "Stop accepting and serving the cosignatures of a witness", token Admin;
    },
    events: &[
        Event::new("witness.added", "eye", "added a witness of the log"),
        Event::new("witness.ended", "x", "ended a witness of the log"),
    ],
    ..Card::of::<Witness, WitnessInput>("witness", "Witnesses")
};
