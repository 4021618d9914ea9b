//! Sinks: the log of a tenant, entry by entry, for a SIEM. A sink is a format over a transport.

use std::collections::BTreeMap;

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::core::ids::{PersonId, RecordId};
use crate::integration::webhook;

/// The format of sent entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SinkFormat {
    /// Syslog (RFC 5424).
    Rfc5424,
    /// ArcSight's Common Event Format, version 0.
    Cef,
    /// Open Cybersecurity Schema Framework, version 1.8.
    Ocsf,
    /// JSON for Splunk's HTTP Event Collector.
    Hec,
    /// Log records of OpenTelemetry (OTLP/HTTP in JSON).
    Otlp,
    /// Records for a topic of Kafka's REST proxy (version 2).
    Kafka,
}

impl SinkFormat {
    /// Every format by its name.
    pub const ALL: [(&'static str, SinkFormat); 6] = [
        ("rfc5424", SinkFormat::Rfc5424),
        ("cef", SinkFormat::Cef),
        ("ocsf", SinkFormat::Ocsf),
        ("hec", SinkFormat::Hec),
        ("otlp", SinkFormat::Otlp),
        ("kafka", SinkFormat::Kafka),
    ];

    /// The format of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, it)| *it)
    }

    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rfc5424 => "rfc5424",
            Self::Cef => "cef",
            Self::Ocsf => "ocsf",
            Self::Hec => "hec",
            Self::Otlp => "otlp",
            Self::Kafka => "kafka",
        }
    }

    /// Whether entries of this format travel over a transport.
    #[must_use]
    pub fn goes_over(self, transport: Transport) -> bool {
        match transport {
            Transport::Tcp | Transport::Tls => matches!(self, Self::Rfc5424 | Self::Cef | Self::Ocsf),
            Transport::Http => true,
            Transport::File => self != Self::Kafka,
        }
    }
}

/// The transport of entries; the beginning of a sink's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `tcp://host:port`, in the clear.
    Tcp,
    /// `tls://host:port`.
    Tls,
    /// `https://…`, or `http://…` to an address that the operator allowed.
    Http,
    /// `file:NAME`, a file with rotation in the server's data folder.
    File,
}

/// The usual size at which a file is rotated, in mebibytes.
pub const ROTATE_MIB: i64 = 100;
/// The usual number of rotated files that are kept.
pub const KEEP_FILES: i64 = 10;
/// The most entries of the log that one delivery covers.
pub const BATCH: i64 = 500;

/// A receiver of the tenant's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "sink")]
pub struct Sink {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// A name for people.
    #[card(column, text)]
    pub name: String,
    /// Where entries go: `tcp://host:port`, `tls://host:port`, `https://…` or `file:NAME`.
    #[card(text)]
    pub url: String,
    /// In which form.
    #[card(object)]
    pub format: SinkFormat,
    /// The kinds of event: `change.approved`, `change.*` or `*`.
    pub kinds: Vec<String>,
    /// Whether free texts are sent too, as far as they were not erased; otherwise entries hold codes, keys, ids and numbers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_texts: bool,
    /// Whether a credential is kept for it, sealed, apart from the record.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_credential: bool,
    /// The size in mebibytes at which a file is rotated; [`ROTATE_MIB`] unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate_mib: Option<i64>,
    /// The number of rotated files that are kept; [`KEEP_FILES`] unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_files: Option<i64>,
    /// The person who is notified when it fails.
    pub owner: PersonId,
    /// Whether entries are sent.
    #[card(column)]
    pub active: bool,
}

impl Sink {
    /// Whether entries of this kind are sent.
    #[must_use]
    pub fn wants(&self, kind: &str) -> bool {
        webhook::fits(&self.kinds, kind)
    }

    /// How entries travel; `None` for an address that no transport has.
    #[must_use]
    pub fn transport(&self) -> Option<Transport> {
        transport(&self.url)
    }
}

/// One entry of the log on its way to a sink.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its index in the log.
    pub index: i64,
    /// The index of the entry that the same sink delivered before it.
    pub previous: Option<i64>,
    /// The event's id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// The act that it belongs to.
    pub act: String,
    /// A login, or `system`.
    pub actor: String,
    /// The person's id, or `system`.
    pub actor_id: String,
    /// The table of its subject.
    pub table: String,
    /// The subject's id.
    pub subject: String,
    /// The subject's key, where it is a change.
    pub key: Option<String>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Codes, keys, ids and numbers.
    pub data: Map<String, Value>,
    /// Free texts by `table.field`, where the sink sends them.
    pub texts: BTreeMap<String, String>,
}

/// The transport that an address names.
#[must_use]
pub fn transport(url: &str) -> Option<Transport> {
    let (scheme, _) = url.split_once(':')?;
    match scheme {
        "tcp" => Some(Transport::Tcp),
        "tls" => Some(Transport::Tls),
        "http" | "https" => Some(Transport::Http),
        "file" => Some(Transport::File),
        _ => None,
    }
}

/// Host and port of `tcp://host:port` and `tls://host:port`; an IPv6 address is in brackets, which are left out here.
#[must_use]
pub fn host_port(url: &str) -> Option<(&str, u16)> {
    let rest = url.strip_prefix("tcp://").or_else(|| url.strip_prefix("tls://"))?;
    let (host, port) = rest.rsplit_once(':')?;
    let inner = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let is_good = match inner {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(is_name),
    };
    let port = port.parse().ok().filter(|port| *port > 0)?;
    is_good.then_some((inner.unwrap_or(host), port))
}

/// The name of `file:NAME`: small letters, digits, `.`, `-` and `_`, at most 100 of them; no path.
#[must_use]
pub fn file_name(url: &str) -> Option<&str> {
    let name = url.strip_prefix("file:")?;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_');
    let is_good = !name.is_empty() && name.len() <= 100 && !name.starts_with('.') && name.bytes().all(is_plain);
    is_good.then_some(name)
}

/// The number of entries in the next delivery after so many failed tries. If a receiver finds a batch too large or refuses one
/// entry, the batch shrinks until it fits or the refused entry is alone.
#[must_use]
pub fn batch_after(tries: i64) -> i64 {
    (BATCH >> tries.clamp(0, 16)).max(1)
}

/// The pause after so many failed tries: as for webhooks, at most five minutes.
#[must_use]
pub fn pause(tries: i64) -> SignedDuration {
    webhook::pause(tries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_their_transport_and_hold_no_path_where_none_belongs() {
        assert_eq!(host_port("tcp://siem.example:514"), Some(("siem.example", 514)));
        assert_eq!(host_port("tls://[2001:db8::1]:6514"), Some(("2001:db8::1", 6514)));
        for bad in [
            "tcp://siem",
            "tcp://:514",
            "tcp://a:0",
            "tcp://a:70000",
            "tls://a b:1",
            "tcp://a/b:1",
            "tcp://me@a:1",
        ] {
            assert_eq!(host_port(bad), None, "{bad}");
        }
        assert_eq!(file_name("file:siem.jsonl"), Some("siem.jsonl"));
        for bad in ["file:", "file:../x", "file:/etc/x", "file:.x", "file:A", "x"] {
            assert_eq!(file_name(bad), None, "{bad}");
        }
        assert_eq!(transport("https://x.example"), Some(Transport::Http));
        assert_eq!(transport("udp://x:514"), None);
    }

    #[test]
    fn formats_travel_where_a_receiver_can_read_them() {
        assert!(SinkFormat::Rfc5424.goes_over(Transport::Tls) && SinkFormat::Kafka.goes_over(Transport::Http));
        assert!(!SinkFormat::Kafka.goes_over(Transport::File) && !SinkFormat::Hec.goes_over(Transport::Tcp));
        for (name, format) in SinkFormat::ALL {
            assert_eq!((SinkFormat::named(name), format.as_str()), (Some(format), name));
        }
    }

    #[test]
    fn a_batch_shrinks_to_one_entry() {
        let sizes: Vec<i64> = [0, 1, 2, 8, 9, 40].into_iter().map(batch_after).collect();
        assert_eq!(sizes, [500, 250, 125, 1, 1, 1]);
    }
}
