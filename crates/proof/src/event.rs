//! One leaf of the log: an event as canonical JSON bytes. `docs/log-format.md` specifies the format byte for byte, with worked
//! examples that a test runs.

use crate::canonical::Members;
use crate::diff::RecordDelta;
use crate::{Error, Result, canonical, crypto};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version of the leaf format that this crate writes; it reads no other.
pub const VERSION: u64 = 1;

/// The largest leaf in bytes: an entry bundle prefixes each entry with a 16-bit length.
pub const MAX_LEAF_BYTES: usize = 65_535;

/// The subject of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The table of the record, in the singular.
    pub table: String,
    /// The record's id.
    pub id: String,
}

/// An event as in a leaf. The creator must have sealed its free texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The format's version, [`VERSION`].
    pub v: u64,
    /// The event's own id, UUIDv7 text.
    pub id: String,
    /// The tenant whose log holds it, or `system`.
    pub tenant: String,
    /// The kind of event, in the past tense: `change.approved`.
    pub kind: String,
    /// A person's id, or `system`.
    pub actor: String,
    /// When it happened, RFC 3339 in UTC with `Z`.
    pub occurred_at: String,
    /// When it was recorded, RFC 3339 in UTC with `Z`.
    pub recorded_at: String,
    /// The record that the event is about.
    pub subject: Subject,
    /// Facts of this kind of event; `{}` when it needs none.
    pub data: Map<String, Value>,
    /// The effect of the act on records; left out when there is none or when it is stored beside the leaf.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RecordDelta>,
    /// `sha256:<hex>` of the canonical array of deltas, when it is stored beside the leaf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records_digest: Option<String>,
    /// The id that links the events of one act.
    pub act: String,
}

/// An event as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The leaf: the bytes that are hashed into the tree and stored in the entry bundle.
    pub leaf: Vec<u8>,
    /// The canonical array of deltas, when it was too long for the leaf; it is stored beside it
    /// under [`payload_path`].
    pub records_payload: Option<Vec<u8>>,
}

/// The path of a payload of deltas under the log's prefix and in a bundle: `records/<hex>`. `None` when `digest` is no digest
/// text.
#[must_use]
pub fn payload_path(digest: &str) -> Option<String> {
    let hex = crypto::is_digest_text(digest).then(|| digest.trim_start_matches("sha256:"))?;
    Some(format!("records/{hex}"))
}

impl Event {
    /// The leaf bytes. Above [`MAX_LEAF_BYTES`], `records` moves beside the leaf and the leaf has its digest instead.
    ///
    /// # Errors
    /// [`Error::Canonical`] for a value outside the canonical subset, [`Error::Malformed`] for a
    /// field that breaks the format, [`Error::TooLarge`] when even without `records` it is too long.
    pub fn to_bytes(&self) -> Result<Encoded> {
        self.check()?;
        if self.records_digest.is_some() {
            return Err(Error::malformed("event", "the deltas are already beside the leaf"));
        }
        let whole = self.encode()?;
        if whole.len() <= MAX_LEAF_BYTES {
            return Ok(Encoded {
                leaf: whole,
                records_payload: None,
            });
        }
        let payload = canonical::objects_to_bytes(&self.records, RecordDelta::write)?;
        let mut short = self.clone();
        short.records = Vec::new();
        short.records_digest = Some(crypto::digest_text(&payload));
        let leaf = short.encode()?;
        check_size(&leaf)?;
        Ok(Encoded {
            leaf,
            records_payload: Some(payload),
        })
    }

    /// Reads a leaf strictly: canonical, of this version, without unknown members. A leaf with its deltas beside it needs
    /// [`Event::with_payload`] before they can be read.
    ///
    /// # Errors
    /// [`Error::TooLarge`] or [`Error::Malformed`].
    pub fn from_bytes(leaf: &[u8]) -> Result<Self> {
        check_size(leaf)?;
        if !canonical::is_canonical(leaf) {
            return Err(Error::malformed("event", "it is not canonical JSON"));
        }
        let event: Self = serde_json::from_slice(leaf).map_err(|error| Error::malformed("event", error.to_string()))?;
        event.check()?;
        if event.encode()? != leaf {
            return Err(Error::malformed("event", "an empty member should be left out"));
        }
        Ok(event)
    }

    /// Puts deltas that were stored beside the leaf back into the event.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the event names no payload or another one.
    pub fn with_payload(mut self, payload: &[u8]) -> Result<Self> {
        let digest = self.records_digest.take();
        if digest != Some(crypto::digest_text(payload)) {
            return Err(Error::malformed("event", "the deltas beside it have another digest"));
        }
        if !canonical::is_canonical(payload) {
            return Err(Error::malformed("event", "the deltas beside it are not canonical JSON"));
        }
        self.records = serde_json::from_slice(payload).map_err(|error| Error::malformed("event", error.to_string()))?;
        Ok(self)
    }

    /// The canonical bytes, members in the order of RFC 8785.
    fn encode(&self) -> Result<Vec<u8>> {
        Members::to_bytes(|event| {
            event.text("act", &self.act)?;
            event.text("actor", &self.actor)?;
            event.map("data", &self.data)?;
            event.text("id", &self.id)?;
            event.text("kind", &self.kind)?;
            event.text("occurred_at", &self.occurred_at)?;
            event.text("recorded_at", &self.recorded_at)?;
            if !self.records.is_empty() {
                event.objects("records", &self.records, RecordDelta::write)?;
            }
            if let Some(digest) = &self.records_digest {
                event.text("records_digest", digest)?;
            }
            event.object("subject", |subject| {
                subject.text("id", &self.subject.id)?;
                subject.text("table", &self.subject.table)
            })?;
            event.text("tenant", &self.tenant)?;
            event.number("v", self.v)
        })
    }

    fn check(&self) -> Result<()> {
        let fail = |why: String| Err(Error::malformed("event", why));
        if self.v != VERSION {
            return fail(format!("version {} is unknown", self.v));
        }
        let named = [
            ("id", &self.id),
            ("tenant", &self.tenant),
            ("kind", &self.kind),
            ("actor", &self.actor),
            ("act", &self.act),
            ("subject.table", &self.subject.table),
            ("subject.id", &self.subject.id),
        ];
        if let Some((name, _)) = named.iter().find(|(_, value)| value.is_empty()) {
            return fail(format!("`{name}` is empty"));
        }
        for time in [&self.occurred_at, &self.recorded_at] {
            if !is_utc_time(time) {
                return fail(format!("`{time}` is no RFC 3339 time in UTC"));
            }
        }
        match &self.records_digest {
            Some(digest) if !crypto::is_digest_text(digest) => fail("`records_digest` is no digest".to_owned()),
            Some(_) if !self.records.is_empty() => fail("deltas stand both in the leaf and beside it".to_owned()),
            _ => Ok(()),
        }
    }
}

fn check_size(leaf: &[u8]) -> Result<()> {
    if leaf.len() > MAX_LEAF_BYTES {
        return Err(Error::TooLarge {
            what: "event",
            size: leaf.len() as u64,
            limit: MAX_LEAF_BYTES as u64,
        });
    }
    Ok(())
}

/// A check of form only: `YYYY-MM-DDTHH:MM:SS[.f]Z` with one to six digits of fraction. The event's creator must ensure that
/// the day exists.
fn is_utc_time(text: &str) -> bool {
    let Some((seconds, rest)) = text.as_bytes().split_at_checked(19) else {
        return false;
    };
    let is_form = seconds
        .iter()
        .zip(b"dddd-dd-ddTdd:dd:dd")
        .all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            mark => byte == mark,
        });
    let is_end = match rest {
        [b'Z'] => true,
        [b'.', fraction @ .., b'Z'] => (1..=6).contains(&fraction.len()) && fraction.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    is_form && is_end
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use crate::diff;
    use serde_json::json;

    #[test]
    fn an_event_is_written_as_its_value_would_be() {
        let mut event = sample(10);
        event.data = json!({"b": {"z": [1, {"y": "\u{1f600}é\n\"", "a": true}], "c": -4}, "a": "x"})
            .as_object()
            .unwrap()
            .clone();
        let old = json!({"note": "x", "gone": 1, "éa": 2, "a": 3});
        let new = json!({"note": "y", "list": [], "more": {"b": 1, "a": [[], {}]}});
        event
            .records
            .push(diff::between("task", "t\t1", 2, Some(&old), &new).unwrap());
        let check = |event: &Event| {
            let value = serde_json::to_value(event).unwrap();
            assert_eq!(event.encode().unwrap(), canonical::to_bytes(&value).unwrap());
        };
        check(&event);
        let payload = canonical::objects_to_bytes(&event.records, RecordDelta::write).unwrap();
        let value = serde_json::to_value(&event.records).unwrap();
        assert_eq!(payload, canonical::to_bytes(&value).unwrap());
        event.records.clear();
        event.records_digest = Some(crypto::digest_text(&payload));
        check(&event);
    }

    #[test]
    fn what_is_not_canonical_is_refused_with_its_place() {
        let mut deep = json!(1);
        for _ in 0..62 {
            deep = json!([deep]);
        }
        let refused = |data: Value| {
            let mut event = sample(1);
            event.data = data.as_object().unwrap().clone();
            let value = serde_json::to_value(&event).unwrap();
            let (direct, through) = (event.encode(), canonical::to_bytes(&value));
            assert_eq!(direct.is_err(), through.is_err(), "{data}");
            direct.err().map(|error| error.to_string())
        };
        assert_eq!(refused(json!({"a": deep.clone()})), None);
        assert!(refused(json!({"a": [deep]})).unwrap().contains("64 deep"));
        assert!(refused(json!({"a": {"b": 0.5}})).unwrap().contains("/data/a/b"));
        assert!(refused(json!({"a": null})).unwrap().contains("/data/a"));
    }

    fn sample(size: usize) -> Event {
        let record = json!({"note": "x".repeat(size)});
        Event {
            v: 1,
            id: "e-1".into(),
            tenant: "acme".into(),
            kind: "change.created".into(),
            actor: "p-1".into(),
            occurred_at: "2026-11-20T07:12:52Z".into(),
            recorded_at: "2026-11-20T07:12:52.123456Z".into(),
            subject: Subject {
                table: "change".into(),
                id: "c-1".into(),
            },
            data: Map::new(),
            records: vec![diff::between("change", "c-1", 1, None, &record).unwrap()],
            records_digest: None,
            act: "a-1".into(),
        }
    }

    #[test]
    fn a_small_event_travels_whole() {
        let event = sample(10);
        let encoded = event.to_bytes().unwrap();
        assert_eq!(encoded.records_payload, None);
        assert_eq!(Event::from_bytes(&encoded.leaf).unwrap(), event);
    }

    #[test]
    fn long_deltas_stand_beside_the_leaf() {
        let event = sample(70_000);
        let encoded = event.to_bytes().unwrap();
        let payload = encoded.records_payload.unwrap();
        assert!(encoded.leaf.len() < 1_000);
        let short = Event::from_bytes(&encoded.leaf).unwrap();
        assert_eq!(
            payload_path(short.records_digest.as_ref().unwrap()).unwrap(),
            format!("records/{}", hex::encode(crypto::sha256(&payload)))
        );
        assert_eq!(short.clone().with_payload(&payload).unwrap(), event);
        assert!(short.with_payload(b"[]").is_err());
        assert!(event.with_payload(&payload).is_err());
    }

    #[test]
    fn the_limit_is_exact() {
        let spare = MAX_LEAF_BYTES - sample(0).to_bytes().unwrap().leaf.len();
        let largest = sample(spare).to_bytes().unwrap();
        assert_eq!(largest.leaf.len(), MAX_LEAF_BYTES);
        assert!(sample(spare + 1).to_bytes().unwrap().records_payload.is_some());
        let mut event = sample(0);
        event.data.insert("long".into(), json!("x".repeat(MAX_LEAF_BYTES)));
        assert!(matches!(event.to_bytes(), Err(Error::TooLarge { .. })));
    }

    #[test]
    fn malformed_leaves_are_refused() {
        let good = String::from_utf8(sample(1).to_bytes().unwrap().leaf).unwrap();
        let cases = [
            good.replace("\"v\":1", "\"v\":2"),
            good.replace("\"v\":1", "\"v\":1,\"w\":1"),
            good.replace("\"actor\":\"p-1\"", "\"actor\":\"\""),
            good.replace("\"actor\":\"p-1\",", ""),
            good.replace("07:12:52Z", "07:12:52+00:00"),
            good.replace("07:12:52Z", "07:12:52.Z"),
            good.replace("07:12:52Z", "07:12:52.1234567Z"),
            good.replace("2026-11-20T07:12:52Z", "2026-11-20 07:12:52Z"),
            good.replace('{', "{ "),
            good.replace("\"data\":{}", "\"data\":[]"),
        ];
        for case in cases {
            assert_ne!(case, good);
            assert!(Event::from_bytes(case.as_bytes()).is_err(), "accepted {case}");
        }
        let mut event = sample(1);
        event.records.clear();
        let bare = String::from_utf8(event.to_bytes().unwrap().leaf).unwrap();
        let padded = bare.replace("\"subject\"", "\"records\":[],\"subject\"");
        assert!(Event::from_bytes(padded.as_bytes()).is_err());
    }
}
