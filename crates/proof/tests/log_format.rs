//! Runs the worked examples of `docs/log-format.md`: each labelled block must equal the crate's own result. When the format
//! changes on purpose, run this test and copy its output.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proof::crypto::SigningKey;
use proof::diff::{self, RecordDelta};
use proof::event::{Event, Subject};
use proof::note::{self, Checkpoint, KeyKind, NoteSigner, VerifierKeys};
use proof::tile::{self, MemoryTiles, TileReader};
use proof::{canonical, commitment, crypto, merkle};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const PAGE: &str = include_str!("../../../docs/log-format.md");
const ORIGIN: &str = "assent.example/t/acme/log";

/// The labelled code blocks of the page: the second item after the fence is the label.
fn blocks() -> BTreeMap<String, String> {
    let mut blocks = BTreeMap::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        let Some((_, label)) = line.strip_prefix("```").and_then(|info| info.split_once(' ')) else {
            continue;
        };
        let content: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        assert!(
            blocks.insert(label.to_owned(), content.join("\n")).is_none(),
            "`{label}` stands twice"
        );
    }
    blocks
}

/// The expected content of the page, by label.
struct Example {
    leaves: Vec<Vec<u8>>,
    payload: Vec<u8>,
    store: MemoryTiles,
    root: crypto::Hash,
    said: BTreeMap<&'static str, String>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn salt() -> [u8; 16] {
    std::array::from_fn(|index| index.to_le_bytes()[0])
}

fn records() -> [Value; 2] {
    let title = commitment::sealed_text(&commitment::commit(&salt(), "Upgrade the ledger"));
    [
        json!({"id": "c-1", "key": "CHG-1", "label": "q4", "state": "draft", "title": title}),
        json!({
            "id": "c-1", "key": "CHG-1", "planned_start": "2026-11-21T20:00:00Z", "state": "scheduled", "title": title,
        }),
    ]
}

fn event(number: u8, kind: &str, records: Vec<RecordDelta>) -> Event {
    Event {
        v: 1,
        id: format!("019ab000-0000-7000-8000-00000000000{number}"),
        tenant: "acme".into(),
        kind: kind.into(),
        actor: "019aa000-0000-7000-8000-000000000007".into(),
        occurred_at: format!("2026-11-20T07:12:5{number}Z"),
        recorded_at: format!("2026-11-20T07:12:5{number}.000250Z"),
        subject: Subject {
            table: "change".into(),
            id: "c-1".into(),
        },
        data: Map::new(),
        records,
        records_digest: None,
        act: format!("019ac000-0000-7000-8000-00000000000{number}"),
    }
}

fn example() -> Example {
    let [first, second] = records();
    let create = diff::between("change", "c-1", 1, None, &first).unwrap();
    let schedule = diff::between("change", "c-1", 2, Some(&first), &second).unwrap();
    let mut beside = event(2, "change.scheduled", Vec::new());
    let payload = canonical::to_bytes(&json!([schedule])).unwrap();
    beside.records_digest = Some(crypto::digest_text(&payload));
    let leaves = vec![
        event(0, "change.created", vec![create]).to_bytes().unwrap().leaf,
        event(1, "change.scheduled", vec![schedule]).to_bytes().unwrap().leaf,
        canonical::to_bytes(&serde_json::to_value(&beside).unwrap()).unwrap(),
    ];
    let mut store = MemoryTiles::default();
    let done = tile::append(&store, 0, &merkle::empty_root(), &leaves).unwrap();
    store.write(&done.tiles);
    Example {
        leaves,
        payload,
        store,
        root: done.root,
        said: BTreeMap::new(),
    }
}

impl Example {
    fn say(&mut self) {
        let commitment = commitment::commit(&salt(), "Upgrade the ledger");
        let salt = hex::encode(salt());
        self.said.insert(
            "commitment",
            format!("salt:       {salt}\ntext:       Upgrade the ledger\ncommitment: {commitment}"),
        );
        let [first, second] = records();
        for (record, label, digest) in [(first, "record-1", "digest-1"), (second, "record-2", "digest-2")] {
            self.said.insert(label, canonical::to_text(&record).unwrap());
            self.said
                .insert(digest, format!("digest: {}", canonical::digest(&record).unwrap()));
        }
        for (label, leaf) in ["leaf-0", "leaf-1", "leaf-2"].into_iter().zip(&self.leaves) {
            self.said.insert(label, text(leaf));
        }
        self.say_tree();
        self.say_checkpoint();
    }

    fn say_tree(&mut self) {
        let hashes: Vec<crypto::Hash> = self.leaves.iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
        let node = merkle::node_hash(&hashes[0], &hashes[1]);
        let mut lines: Vec<String> = (0..3)
            .map(|index| format!("leaf hash {index}: {}", hex::encode(hashes[index])))
            .collect();
        lines.push(format!("node 0-1:    {}", hex::encode(node)));
        lines.push(format!(
            "root of 3:   {}",
            hex::encode(merkle::node_hash(&node, &hashes[2]))
        ));
        self.said.insert("tree", lines.join("\n"));
        let start = hex::encode(&self.store.0["tile/entries/000.p/3"][..16]);
        self.said.insert("bundle-start", format!("bytes: {start}"));
    }

    fn say_checkpoint(&mut self) {
        let signer = |name: &str, seed| NoteSigner::new(name, SigningKey::from_seed([seed; 32]).unwrap()).unwrap();
        let (log, cosigner) = (signer(ORIGIN, 1), signer("assent.example/cosigner", 2));
        let checkpoint = Checkpoint {
            origin: ORIGIN.into(),
            size: 3,
            root: self.root,
        };
        let mut note = checkpoint.sign(&log);
        note.signatures.push(cosigner.cosign(&note.text, 1_795_158_780));
        let keys = VerifierKeys(vec![
            log.verifier(KeyKind::Ed25519),
            cosigner.verifier(KeyKind::Cosigner),
        ]);
        self.said.insert("checkpoint", note.to_text().trim_end().to_owned());
        self.said.insert("key", keys.to_text().trim_end().to_owned());
    }
}

#[test]
fn every_block_of_the_page_is_what_is_computed() {
    let mut example = example();
    example.say();
    let page = blocks();
    let labels: Vec<&str> = page.keys().map(String::as_str).collect();
    assert_eq!(labels, example.said.keys().copied().collect::<Vec<_>>());
    for (label, said) in &example.said {
        assert_eq!(page[*label], *said, "\n\nblock `{label}` should be\n\n{said}\n");
    }
}

#[test]
fn what_the_page_says_can_be_checked_by_its_own_rules() {
    let page = blocks();
    let leaves: Vec<&[u8]> = ["leaf-0", "leaf-1", "leaf-2"]
        .iter()
        .map(|label| page[*label].as_bytes())
        .collect();
    let keys = VerifierKeys::parse(&page["key"]).unwrap();
    let open = note::open_checkpoint(&format!("{}\n", page["checkpoint"]), &keys, Some(ORIGIN)).unwrap();
    assert_eq!(open.cosigned, [("assent.example/cosigner".to_owned(), 1_795_158_780)]);
    let hashes: Vec<crypto::Hash> = leaves.iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
    let (size, root) = (open.checkpoint.size, open.checkpoint.root);
    assert!(merkle::verify_inclusion(
        &hashes[1],
        1,
        size,
        &[hashes[0], hashes[2]],
        &root
    ));
    let old = merkle::node_hash(&hashes[0], &hashes[1]);
    assert!(merkle::verify_consistency(2, 3, &[hashes[2]], &old, &root));

    let events: Vec<Event> = leaves.iter().map(|leaf| Event::from_bytes(leaf).unwrap()).collect();
    let first = diff::apply(&events[0].records[0], None).unwrap();
    assert_eq!(canonical::to_text(&first).unwrap(), page["record-1"]);
    let second = diff::apply(&events[1].records[0], Some(&first)).unwrap();
    assert_eq!(canonical::to_text(&second).unwrap(), page["record-2"]);
    assert_eq!(events[1].records[0].unset, ["label"]);
    let beside = events[2].clone().with_payload(&example().payload).unwrap();
    assert_eq!(beside.records, events[1].records);
    assert!(page["commitment"].ends_with(commitment::commitment_of(&first["title"]).unwrap()));
}

#[test]
fn the_example_log_has_the_files_that_the_page_names() {
    let example = example();
    let paths: Vec<&str> = example.store.0.keys().map(String::as_str).collect();
    assert_eq!(paths, ["tile/0/000.p/3", "tile/entries/000.p/3"]);
    let reader = TileReader::new(&example.store, 3);
    let hashes: Vec<crypto::Hash> = example.leaves.iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
    assert_eq!(reader.inclusion_proof(1).unwrap(), [hashes[0], hashes[2]]);
    assert_eq!(reader.consistency_proof(2).unwrap(), [hashes[2]]);
}
