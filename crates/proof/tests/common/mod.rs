//! A small tenant's log and the bundle of its one change, for the tests of bundles and of foreign
//! programs. Everything in it is fixed, so that its bytes are the same in each run.

use proof::bundle::{self, Attachment, BundleParts, EventPart, Missing, Piece, RecordPart};
use proof::commitment::{self, SALT_BYTES};
use proof::crypto::{SeededEntropy, SigningKey};
use proof::diff::{self, RecordDelta};
use proof::event::{Event, Subject};
use proof::note::{Checkpoint, KeyKind, NoteSigner, VerifierKeys};
use proof::tile::{self, MemoryTiles, TileReader};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The origin of the tenant's log.
pub const ORIGIN: &str = "assent.example/t/acme/log";

/// The log's signer.
pub fn signer(seed: u8) -> NoteSigner {
    NoteSigner::new(ORIGIN, SigningKey::from_seed([seed; 32]).unwrap()).unwrap()
}

/// The keys of the signer with this seed.
pub fn keys(seed: u8) -> VerifierKeys {
    VerifierKeys(vec![signer(seed).verifier(KeyKind::Ed25519)])
}

/// A record's last body and sealed form.
type Stand = (u64, Value, Value);

/// A tenant whose acts are written into a log.
pub struct Tenant {
    entropy: SeededEntropy,
    records: BTreeMap<(String, String), Stand>,
    /// Salt by commitment.
    pub salts: BTreeMap<String, [u8; SALT_BYTES]>,
    /// Leaf and payload of each event.
    pub leaves: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Tenant {
    /// A tenant without history.
    pub fn new() -> Self {
        Self {
            entropy: SeededEntropy::new(1),
            records: BTreeMap::new(),
            salts: BTreeMap::new(),
            leaves: Vec::new(),
        }
    }

    /// One act: the records become these bodies, and one event records it.
    pub fn act(&mut self, kind: &str, bodies: &[(&str, &str, Value)]) {
        self.act_on(kind, bodies, &json!({}));
    }

    /// The same with facts of the event.
    pub fn act_on(&mut self, kind: &str, bodies: &[(&str, &str, Value)], data: &Value) {
        let deltas: Vec<RecordDelta> = bodies
            .iter()
            .map(|(table, id, body)| self.save(table, id, body))
            .collect();
        let index = self.leaves.len();
        let (table, id) = bodies.first().map_or(("tenant", "acme"), |(table, id, _)| (table, id));
        let event = Event {
            v: 1,
            id: format!("0193-event-{index}"),
            tenant: "acme".into(),
            kind: kind.into(),
            actor: "0193-person-1".into(),
            occurred_at: "2026-11-20T07:12:52Z".into(),
            recorded_at: "2026-11-20T07:12:52.000001Z".into(),
            subject: Subject {
                table: table.into(),
                id: id.into(),
            },
            data: data.as_object().cloned().unwrap_or_default(),
            records: deltas,
            records_digest: None,
            act: format!("0193-act-{index}"),
        };
        let encoded = event.to_bytes().unwrap();
        self.leaves.push((encoded.leaf, encoded.records_payload));
    }

    fn save(&mut self, table: &str, id: &str, body: &Value) -> RecordDelta {
        let name = (table.to_owned(), id.to_owned());
        let before = self.records.get(&name);
        let is_text = |field: &str| matches!(field, "title" | "text" | "notes");
        let previous = before.map(|(_, body, sealed)| (body, sealed));
        let made = commitment::seal_record(body, &is_text, previous, &self.entropy).unwrap();
        let version = before.map_or(1, |(version, ..)| version + 1);
        let delta = diff::between(table, id, version, before.map(|(.., sealed)| sealed), &made.sealed).unwrap();
        self.salts
            .extend(made.new_salts.into_iter().map(|new| (new.commitment, new.salt)));
        self.records.insert(name, (version, body.clone(), made.sealed));
        delta
    }

    /// The log over all events, with its signed checkpoint.
    pub fn log(&self, seed: u8) -> MemoryTiles {
        let mut store = MemoryTiles::default();
        let leaves: Vec<&Vec<u8>> = self.leaves.iter().map(|(leaf, _)| leaf).collect();
        let done = tile::append(&store, 0, &proof::merkle::empty_root(), &leaves).unwrap();
        store.write(&done.tiles);
        let checkpoint = Checkpoint {
            origin: ORIGIN.into(),
            size: done.size,
            root: done.root,
        };
        store.0.insert(
            "checkpoint".into(),
            checkpoint.sign(&signer(seed)).to_text().into_bytes(),
        );
        store
    }

    /// The parts of a bundle over all records and the events at `indexes`.
    pub fn parts(&self, indexes: &[u64], evidence: &[Vec<u8>]) -> BundleParts {
        let store = self.log(1);
        let reader = TileReader::new(&store, self.leaves.len() as u64);
        let event = |index: &u64| {
            let (leaf, records_payload) = self.leaves[*index as usize].clone();
            EventPart {
                index: *index,
                leaf,
                records_payload,
                proof: reader.inclusion_proof(*index).unwrap(),
            }
        };
        let record = |((table, id), (version, body, sealed)): (&(String, String), &Stand)| RecordPart {
            table: table.clone(),
            id: id.clone(),
            version: *version,
            body: body.clone(),
            sealed: sealed.clone(),
        };
        let records: Vec<RecordPart> = self.records.iter().map(record).collect();
        let wanted = |commitment: &String| {
            records
                .iter()
                .any(|record| bundle::commitments(&record.sealed).contains(commitment))
        };
        BundleParts {
            whole: Vec::new(),
            stamps: Vec::new(),
            tenant: "acme".into(),
            key: "CHG-1042".into(),
            subject: Subject {
                table: "change".into(),
                id: "c-1".into(),
            },
            state: "closed".into(),
            is_open: false,
            created_at: "2026-11-20T08:00:00Z".into(),
            missing: vec![Missing {
                what: "time stamp".into(),
                why: "no time-stamping authority is set up".into(),
            }],
            salts: self
                .salts
                .iter()
                .filter(|(c, _)| wanted(c))
                .map(|(c, s)| (c.clone(), *s))
                .collect(),
            records,
            events: indexes.iter().map(event).collect(),
            checkpoint: String::from_utf8(store.0["checkpoint"].clone()).unwrap(),
            keys: keys(1),
            evidence: evidence.iter().map(|content| Attachment::of(content)).collect(),
        }
    }
}

/// The whole bundle of these parts, its files of evidence taken from `evidence`.
pub fn packed(parts: &BundleParts, evidence: &[Vec<u8>]) -> Vec<u8> {
    let bundle = bundle::build(parts, &signer(1)).unwrap();
    let content = |digest: &[u8; 32]| evidence.iter().find(|it| Attachment::of(it).sha256 == *digest).unwrap();
    let mut whole = Vec::new();
    for piece in &bundle.pieces {
        whole.extend_from_slice(match piece {
            Piece::Bytes(bytes) => bytes,
            Piece::Evidence(digest) => content(digest),
        });
    }
    assert_eq!(whole.len() as u64, bundle.bytes);
    whole
}

/// The grounds of the approval of the story's change.
fn grounds() -> Value {
    let mut sets: BTreeMap<&str, Value> = proof::grounds::AROUND.iter().map(|table| (*table, json!([]))).collect();
    sets.insert("change", json!(["c-1@2"]));
    sets.insert("approval", json!(["a-1@1"]));
    sets.insert("evidence", json!(["e-1@1"]));
    json!({
        "size": 1, "change": "c-1", "sets": sets, "stops": {"rejection": [], "hold": [], "revocation": []},
        "rules": [{"rule": "base.owner", "count": 1, "approvals": ["a-1"]}],
    })
}

/// A tenant with one change, an approval and evidence among `noise` events of no record.
pub fn story(noise: usize) -> (Tenant, Vec<u64>, Vec<Vec<u8>>) {
    let evidence = b"<testsuite tests=\"3\" failures=\"0\"/>".to_vec();
    let mut tenant = Tenant::new();
    let change = |state: &str, title: &str, notes: Value| json!({"id": "c-1", "key": "CHG-1042", "state": state, "title": title, "notes": notes, "risk": 2});
    let mut indexes = Vec::new();
    let mut act_on = |tenant: &mut Tenant, kind: &str, bodies: &[(&str, &str, Value)], data: Value| {
        indexes.push(tenant.leaves.len() as u64);
        tenant.act_on(kind, bodies, &data);
        (0..noise).for_each(|_| tenant.act("tenant.looked_at", &[]));
    };
    let draft = change("draft", "Upgrade the ledger", json!([]));
    act_on(&mut tenant, "change.created", &[("change", "c-1", draft)], json!({}));
    let digest = proof::crypto::digest_text(&evidence);
    let file = json!({"id": "e-1", "change": "c-1", "name": "smoke", "digest": digest, "text": "All passed"});
    act_on(&mut tenant, "evidence.added", &[("evidence", "e-1", file)], json!({}));
    let approved = change("approved", "Upgrade the ledger", json!(["Grüße", "x".repeat(40)]));
    let approval = json!({
        "id": "a-1", "change": "c-1", "person": "0193-person-1", "decision": "approve", "state": "standing", "text": "Fine by me",
    });
    act_on(
        &mut tenant,
        "change.approved",
        &[("approval", "a-1", approval), ("change", "c-1", approved)],
        json!({"grounds": grounds()}),
    );
    let closed = change("closed", "Upgrade the ledger to 7", json!(["Grüße"]));
    act_on(&mut tenant, "change.closed", &[("change", "c-1", closed)], json!({}));
    (tenant, indexes, vec![evidence])
}
