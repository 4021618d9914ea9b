//! Time-stamping authorities (RFC 3161): servers of others that attest when a checkpoint of the log existed.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::SET_CONNECTION;
use crate::core::card::{Card, Event, Field, Kind};
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::LINE;
use crate::verbs;

/// The longest list of certificates, in characters.
pub const CERTIFICATES: usize = 20_000;
/// The most authorities of a tenant.
pub const MOST: usize = 5;
/// How many hours lie between two time stamps by default.
pub const EVERY_HOURS: i64 = 24;
/// The most hours between two time stamps.
pub const MOST_HOURS: i64 = 720;

/// A time-stamping authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct TimeAuthority {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The address that takes requests over HTTP (RFC 3161, section 3.4).
    #[card(text)]
    pub url: String,
    /// PEM certificates that make its time stamps trusted: its own, or those of its issuers.
    #[card(most = CERTIFICATES)]
    pub certificates: String,
    /// The number of hours between two time stamps; no time stamp is requested while the log does not grow.
    pub every_hours: i64,
    /// Whether time stamps are asked for.
    #[card(column)]
    pub active: bool,
    /// The person who added it: a login.
    #[card(optional)]
    pub by: PersonId,
    /// When.
    #[card(optional)]
    pub at: Timestamp,
}

/// A time-stamping authority: a server of others that attests when a checkpoint of the log existed.
#[derive(Debug, Default, Deserialize, Described)]
#[serde(default)]
pub struct TimeAuthorityInput {
    /// The address that takes requests over HTTP (RFC 3161, section 3.4).
    #[card(text, positional, example = "https://tsa.example/tsr")]
    pub url: String,
    /// PEM certificates that make its time stamps trusted: its own, or those of its issuers.
    #[card(most = CERTIFICATES, example = "-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----")]
    pub certificates: String,
    /// The number of hours between two time stamps; no time stamp is requested while the log does not grow.
    #[card(most = MOST_HOURS, option = "every-hours", example = "24")]
    pub every_hours: Option<i64>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "log",
    command: "time-authority",
    columns: &["id", "url", "every_hours", "stamped.size", "stamped.at"],
    shown: &[
        Field::shown("signer", Kind::Text(LINE), "The subject of the first certificate.").needed(),
        Field::shown(
            "stamped",
            Kind::Object,
            "The newest time stamp: the `size` of the log and the attested time (`at`).",
        ),
    ],
    verbs: verbs! {
        List "list_time_authorities" at "/time-authorities" may "set_connection | audit" => "List the time-stamping authorities, with the newest time stamp of each", token Audit;
        Add "add_time_authority" at "/time-authorities" may SET_CONNECTION => "Add a time-stamping authority (RFC 3161); checkpoints of the log are stamped from then on", token Admin;
        End "end_time_authority" at "/time-authorities/{id}" may SET_CONNECTION => "Stop requesting time stamps from an authority; earlier ones are kept", token Admin;
    },
    events: &[
        Event::new("time_authority.added", "clock", "added a time-stamping authority"),
        Event::new("time_authority.ended", "x", "ended a time-stamping authority"),
    ],
    ..Card::of::<TimeAuthority, TimeAuthorityInput>("time_authority", "Time-stamping authorities")
};
