//! Watched logs: other organisations' logs whose checkpoints this tenant cosigns as a witness (C2SP tlog-witness).

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::SET_CONNECTION;
use crate::core::card::{Card, Event, Field, Kind};
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::LINE;
use crate::verbs;

/// A log of others that this tenant watches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct WatchedLog {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The verifier key of the log, `name+id+base64`, of the type of logs (0x01); its name is the origin of the checkpoints.
    pub key: String,
    /// Whether its checkpoints are cosigned.
    #[card(column)]
    pub active: bool,
    /// The person who added it: a login.
    #[card(optional)]
    pub by: PersonId,
    /// When.
    #[card(optional)]
    pub at: Timestamp,
}

/// A watched log: a log of others whose checkpoints are cosigned here as long as it only grows.
#[derive(Debug, Default, Deserialize, Described)]
#[serde(default)]
pub struct WatchedLogInput {
    /// The verifier key of the log, `name+id+base64`, of the type of logs (0x01); its name is the origin of the checkpoints.
    #[card(
        positional,
        example = "log.example/acme+7895ec0a+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
    )]
    pub key: String,
}

/// The card.
pub const CARD: Card = Card {
    tag: "log",
    command: "watched-log",
    columns: &["id", "origin", "seen.size", "seen.at"],
    shown: &[
        Field::shown("origin", Kind::Text(LINE), "The name in its key.").needed(),
        Field::shown(
            "seen",
            Kind::Object,
            "The last checkpoint that was cosigned: its `size`, its `root`, and when (`at`).",
        ),
    ],
    verbs: verbs! {
        List "list_watched_logs" at "/watched-logs" may "set_connection | audit" => "List the external logs that are witnessed here, with the last checkpoint of each", token Audit;
        Add "add_watched_log" at "/watched-logs" may SET_CONNECTION => "Witness an external log by its C2SP verifier key; it submits its checkpoints to `/t/{tenant}/witness`", token Admin;
        End "end_watched_log" at "/watched-logs/{id}" may SET_CONNECTION => "Stop witnessing a log; its last checkpoint is kept", token Admin;
    },
    events: &[
        Event::new("watched_log.added", "eye", "started witnessing an external log"),
        Event::new("watched_log.ended", "x", "stopped witnessing an external log"),
    ],
    ..Card::of::<WatchedLog, WatchedLogInput>("watched_log", "Witnessed logs")
};
