//! Paths as the specification's examples have them, and tiles against a plain frontier.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::merkle::Frontier;
use proptest::prelude::*;

fn leaf(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

fn leaves(from: u64, to: u64) -> Vec<Vec<u8>> {
    (from..to).map(leaf).collect()
}

/// Appends in the given steps and gives the store with the frontier that saw the same leaves.
fn grow(steps: &[u64]) -> (MemoryTiles, Frontier) {
    let mut store = MemoryTiles::default();
    let mut frontier = Frontier::new();
    for step in steps {
        let new = leaves(frontier.size(), frontier.size() + step);
        let done = append(&store, frontier.size(), &frontier.root(), &new).unwrap();
        store.write(&done.tiles);
        new.iter().for_each(|leaf| frontier.push(merkle::leaf_hash(leaf)));
        assert_eq!((done.size, done.root), (frontier.size(), frontier.root()));
    }
    (store, frontier)
}

#[test]
fn paths_are_those_of_the_specification() {
    assert_eq!(index_path(1_234_067), "x001/x234/067");
    assert_eq!(index_path(0), "000");
    assert_eq!(index_path(1_000), "x001/000");
    assert_eq!(tile_path(0, 0, 256), "tile/0/000");
    assert_eq!(tile_path(1, 5, 17), "tile/1/005.p/17");
    assert_eq!(entries_path(1_234, 1), "tile/entries/x001/234.p/1");
}

#[test]
fn a_path_has_one_spelling() {
    let name = TileName {
        level: None,
        index: 1_234,
        width: 1,
    };
    assert_eq!(TileName::parse("tile/entries/x001/234.p/1"), Some(name));
    let wrong = [
        "tile/0",
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/+1/000",
        "tile/0/001/234",
        "tile/0/x001",
        "tile/0/x000/001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/1/",
        "tile/0/../000",
        "tile/entries/",
        "tile/0/xx01/000",
        "/tile/0/000",
        "tile/0/x99999999999999999999/000",
    ];
    for path in wrong {
        assert_eq!(TileName::parse(path), None, "{path}");
    }
}

#[test]
fn a_tree_of_70_000_has_the_tiles_that_the_specification_names() {
    let (store, _) = grow(&[70_000]);
    let count = |prefix: &str| store.0.keys().filter(|path| path.starts_with(prefix)).count();
    assert_eq!(count("tile/0/"), 274);
    assert_eq!(count("tile/entries/"), 274);
    for path in ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"] {
        assert!(store.0.contains_key(path), "{path}");
    }
    assert_eq!(count("tile/1/") + count("tile/2/"), 3);
}

#[test]
fn a_tree_of_256_has_a_partial_tile_above() {
    let (store, _) = grow(&[256]);
    let paths: Vec<_> = store.0.keys().map(String::as_str).collect();
    assert_eq!(paths, ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
}

#[test]
fn entries_survive_the_bundle_and_a_cut_one_is_refused() {
    let entries = [vec![], vec![1; 65_535], vec![2]];
    let bundle = write_entries(&entries).unwrap();
    assert_eq!(read_entries(&bundle).unwrap(), entries);
    assert!(read_entries(&bundle[..bundle.len() - 1]).is_err());
    assert!(read_entries(&[0]).is_err());
    assert!(write_entries(&[vec![0; 65_536]]).is_err());
    assert!(read_tile(&[0; 33]).is_err());
    assert!(read_tile(&[]).is_err());
    assert!(read_tile(&[0; 257 * 32]).is_err());
}

#[test]
fn leaves_and_proofs_come_from_tiles_of_any_size_so_far() {
    let (store, _) = grow(&[3, 250, 3, 1, 800, 66_000]);
    let mut frontier = Frontier::new();
    let sizes = [1, 2, 255, 256, 257, 1_057, 65_535, 65_536, 65_537, 67_057];
    for index in 0..67_057 {
        frontier.push(merkle::leaf_hash(&leaf(index)));
        if !sizes.contains(&frontier.size()) {
            continue;
        }
        let reader = TileReader::new(&store, frontier.size());
        assert_eq!(reader.root().unwrap(), frontier.root());
        for index in [0, frontier.size() / 2, frontier.size() - 1] {
            assert_eq!(reader.leaf(index).unwrap(), leaf(index));
            let proof = reader.inclusion_proof(index).unwrap();
            let hash = merkle::leaf_hash(&leaf(index));
            assert!(merkle::verify_inclusion(
                &hash,
                index,
                frontier.size(),
                &proof,
                &frontier.root()
            ));
        }
        for old in sizes.into_iter().filter(|old| *old <= frontier.size()) {
            let proof = reader.consistency_proof(old).unwrap();
            let old_root = TileReader::new(&store, old).root().unwrap();
            let size = frontier.size();
            assert!(merkle::verify_consistency(
                old,
                size,
                &proof,
                &old_root,
                &frontier.root()
            ));
        }
        assert!(reader.leaf(frontier.size()).is_err());
    }
}

#[test]
fn a_full_tile_answers_for_a_partial_one_that_was_deleted() {
    let (mut store, _) = grow(&[100, 200]);
    let old_root = TileReader::new(&store, 100).root().unwrap();
    store.0.remove("tile/0/000.p/100").unwrap();
    store.0.remove("tile/entries/000.p/100").unwrap();
    let reader = TileReader::new(&store, 100);
    assert_eq!(reader.root().unwrap(), old_root);
    assert_eq!(reader.leaf(99).unwrap(), leaf(99));
    assert!(reader.leaf(100).is_err());
}

#[test]
fn appending_to_a_changed_tree_is_refused() {
    let (store, frontier) = grow(&[300]);
    for path in ["tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44"] {
        let mut changed = store.clone();
        *changed.0.get_mut(path).unwrap().last_mut().unwrap() ^= 1;
        assert!(
            append(&changed, 300, &frontier.root(), &leaves(300, 301)).is_err(),
            "{path}"
        );
        changed.0.remove(path);
        assert!(
            append(&changed, 300, &frontier.root(), &leaves(300, 301)).is_err(),
            "{path}"
        );
    }
    assert!(append(&store, 300, &frontier.root(), &[vec![0; 65_536]]).is_err());
    let nothing = append::<Vec<u8>>(&store, 300, &frontier.root(), &[]).unwrap();
    assert_eq!((nothing.root, nothing.tiles.len()), (frontier.root(), 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_steps_of_growing_do_not_matter(steps in prop::collection::vec(0..400_u64, 1..8)) {
        let (store, frontier) = grow(&steps);
        let (at_once, _) = grow(&[frontier.size()]);
        for (path, bytes) in &at_once.0 {
            prop_assert_eq!(store.0.get(path), Some(bytes));
        }
    }
}
