//! Proofs of events, timelines and bundles.

use acts::Error;
use acts::audit::cosign_log;
use acts::audit::export_bundle::pack_bundle;
use acts::audit::prove_event::prove_event;
use acts::core::show_timeline::show_timeline;
use proof::bundle;
use proof::merkle::{leaf_hash, verify_inclusion};
use proof::note::{Checkpoint, Note};
use proof::report::Outcome;

use crate::world::{TENANT, World};

fn unhex(text: &str) -> [u8; 32] {
    let byte = |at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
    std::array::from_fn(byte)
}

#[test]
fn each_event_is_proven_by_its_id_and_by_its_index() {
    let world = World::new();
    let key = world.scheduled("One");
    let k = key.clone();
    let waiting = world.look(move |cx| show_timeline(cx, &k)).unwrap();
    let id = waiting[0].event.id.clone();
    assert_eq!(waiting[0].index, None);
    let i = id.clone();
    assert!(matches!(
        world.look(move |cx| prove_event(cx, &i)),
        Err(Error::NotYet(_))
    ));
    world.noise(300);
    world.sequence();
    let by_id = world.look(move |cx| prove_event(cx, &id)).unwrap();
    let index = by_id.index.to_string();
    assert_eq!(world.look(move |cx| prove_event(cx, &index)).unwrap(), by_id);
    let checkpoint = Checkpoint::parse(&Note::parse(&by_id.checkpoint).unwrap().text).unwrap();
    let leaf = proof::crypto::from_base64_standard(&by_id.leaf).unwrap();
    let hashes: Vec<[u8; 32]> = by_id.inclusion.iter().map(|hash| unhex(hash)).collect();
    let is_included = |leaf: &[u8]| {
        verify_inclusion(
            &leaf_hash(leaf),
            by_id.index,
            checkpoint.size,
            &hashes,
            &checkpoint.root,
        )
    };
    assert!(is_included(&leaf) && !is_included(&leaf[1..]));
    for absent in ["99999", "no-such-event"] {
        let found = world.look(move |cx| prove_event(cx, absent));
        assert!(matches!(found, Err(Error::Refused(_))), "{absent}");
    }
}

#[test]
fn the_timeline_tells_what_happened_in_the_order_of_the_log() {
    let world = World::new();
    let key = world.scheduled("Give every shipment a customs reference");
    world.draft("Another");
    world.sequence();
    let told = world.look(move |cx| show_timeline(cx, &key)).unwrap();
    let indexes: Vec<u64> = told.iter().map(|told| told.index.unwrap()).collect();
    assert!(indexes.is_sorted() && indexes.len() >= 6, "{indexes:?}");
    assert!(told.iter().all(|told| told.event.tenant == TENANT));
    let texts: Vec<&String> = told.iter().flat_map(|told| told.texts.values()).collect();
    assert!(
        texts
            .iter()
            .any(|text| *text == "Give every shipment a customs reference")
    );
    assert!(!texts.iter().any(|text| *text == "Another"));
}

#[test]
fn a_closed_changes_bundle_is_good_and_stays_the_same() {
    let world = World::new();
    world.noise(270);
    let key = world.closed("Give every shipment a customs reference");
    let export = |key: &str| {
        let key = key.to_owned();
        world.look(move |cx| pack_bundle(cx, &key))
    };
    assert!(matches!(export(&key), Err(Error::NotYet(_))));
    world.sequence();
    let first = export(&key).unwrap();
    let keys = world.keys(TENANT);
    let report = bundle::verify(&first, Some(&keys));
    assert_eq!(report.outcome, Outcome::Good, "{report:?}");
    assert!(report.report.findings.is_empty(), "{:?}", report.report.findings);
    assert_eq!((report.state.as_deref(), report.is_open), (Some("closed"), Some(false)));
    assert!(report.events_proven >= 12 && report.records_checked >= 7, "{report:?}");
    let files = proof::archive::read(&first).unwrap();
    assert_eq!(
        files.iter().filter(|(name, _)| name.starts_with("evidence/")).count(),
        2
    );
    // The log grows, is cosigned again and its partial tiles become full: nothing of it moves the bundle.
    world.draft("Another");
    world.noise(300);
    world.sequence();
    world.pass_seconds(90);
    cosign_log::cosign_log(&world.executor, TENANT).unwrap();
    assert!(export(&key).unwrap() == first, "the same change gives the same bytes");
}

#[test]
fn an_open_changes_bundle_says_so_and_names_what_is_missing() {
    let world = World::new();
    let closed = world.closed("One");
    let key = world.draft("Two");
    world.sequence();
    let keys = world.keys(TENANT);
    let k = key.clone();
    let bytes = world.look(move |cx| pack_bundle(cx, &k)).unwrap();
    let report = bundle::verify(&bytes, Some(&keys));
    assert_eq!(
        (report.outcome, report.is_open),
        (Outcome::Good, Some(true)),
        "{report:?}"
    );
    std::fs::remove_dir_all(world.folder.path().join("evidence")).unwrap();
    let bytes = world.look(move |cx| pack_bundle(cx, &closed)).unwrap();
    let report = bundle::verify(&bytes, Some(&keys));
    assert_eq!(report.outcome, Outcome::Good, "{report:?}");
    assert!(report.report.has("missing"), "{report:?}");
}
