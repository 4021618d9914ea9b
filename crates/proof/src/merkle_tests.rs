//! Known roots of the CT reference tree, and every proof against a naive recursive tree.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use proptest::prelude::*;

/// The tree as RFC 9162 section 2.1 writes it down, with no thought of speed.
struct Naive(Vec<Vec<u8>>);

impl Naive {
    fn mth(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => crypto::sha256(b""),
            [leaf] => crypto::sha256(&[b"\0".as_slice(), leaf].concat()),
            _ => {
                let (left, right) = leaves.split_at(Self::split(leaves.len()));
                crypto::sha256(&[b"\x01".as_slice(), &Self::mth(left), &Self::mth(right)].concat())
            }
        }
    }

    fn split(n: usize) -> usize {
        let mut k = 1;
        while k * 2 < n {
            k *= 2;
        }
        k
    }

    fn path(m: usize, leaves: &[Vec<u8>]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let k = Self::split(leaves.len());
        let (left, right) = leaves.split_at(k);
        let (mut proof, other) = if m < k {
            (Self::path(m, left), right)
        } else {
            (Self::path(m - k, right), left)
        };
        proof.push(Self::mth(other));
        proof
    }

    fn subproof(m: usize, leaves: &[Vec<u8>], is_whole: bool) -> Vec<Hash> {
        if m == leaves.len() {
            return if is_whole { Vec::new() } else { vec![Self::mth(leaves)] };
        }
        let k = Self::split(leaves.len());
        let (left, right) = leaves.split_at(k);
        let (mut proof, other) = if m <= k {
            (Self::subproof(m, left, is_whole), right)
        } else {
            (Self::subproof(m - k, right, false), left)
        };
        proof.push(Self::mth(other));
        proof
    }
}

impl NodeSource for Naive {
    fn node(&self, level: u8, index: u64) -> Result<Hash> {
        let width = 1_usize << level;
        let start = usize::try_from(index).unwrap() * width;
        Ok(Self::mth(&self.0[start..start + width]))
    }
}

fn tree(size: usize) -> Naive {
    Naive((0..size).map(|i| format!("leaf {i}").into_bytes()).collect())
}

/// The eight leaves that the Certificate Transparency reference tests use, and their roots.
const REFERENCE_LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const REFERENCE_ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn roots_are_those_of_the_reference_tree() {
    let mut frontier = Frontier::new();
    assert_eq!(
        hex::encode(frontier.root()),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    for (leaf, root) in REFERENCE_LEAVES.iter().zip(REFERENCE_ROOTS) {
        frontier.push(leaf_hash(&hex::decode(leaf).unwrap()));
        assert_eq!(hex::encode(frontier.root()), root, "size {}", frontier.size());
    }
}

#[test]
fn all_proofs_up_to_70_leaves_equal_the_recursive_definition() {
    let tree = tree(70);
    let mut frontier = Frontier::new();
    for size in 1..=70_usize {
        let leaves = &tree.0[..size];
        frontier.push(leaf_hash(&leaves[size - 1]));
        let expected = Naive::mth(leaves);
        assert_eq!(frontier.root(), expected);
        assert_eq!(root(&tree, size as u64).unwrap(), expected);
        for index in 0..size {
            let proof = inclusion_proof(&tree, index as u64, size as u64).unwrap();
            assert_eq!(proof, Naive::path(index, leaves), "leaf {index} of {size}");
            let leaf = leaf_hash(&leaves[index]);
            assert!(verify_inclusion(&leaf, index as u64, size as u64, &proof, &expected));
        }
        for old in 1..=size {
            let proof = consistency_proof(&tree, old as u64, size as u64).unwrap();
            assert_eq!(proof, Naive::subproof(old, leaves, true), "{old} to {size}");
            let old_root = Naive::mth(&leaves[..old]);
            assert!(verify_consistency(
                old as u64,
                size as u64,
                &proof,
                &old_root,
                &expected
            ));
        }
    }
}

#[test]
fn subtrees_may_be_appended_whole() {
    let tree = tree(21);
    let mut frontier = Frontier::new();
    for (level, index) in [(2, 0), (2, 1), (3, 1), (1, 8), (0, 18), (0, 19), (0, 20)] {
        frontier.push_subtree(level, tree.node(level, index).unwrap());
    }
    assert_eq!((frontier.size(), frontier.root()), (21, Naive::mth(&tree.0)));
}

#[test]
#[should_panic(expected = "multiple of its size")]
fn a_subtree_must_fit() {
    let mut frontier = Frontier::new();
    frontier.push([0; 32]);
    frontier.push_subtree(1, [0; 32]);
}

#[test]
fn proofs_outside_the_tree_are_refused() {
    let tree = tree(5);
    assert!(inclusion_proof(&tree, 5, 5).is_err());
    assert!(consistency_proof(&tree, 6, 5).is_err());
    let root = Naive::mth(&tree.0);
    let leaf = leaf_hash(&tree.0[0]);
    assert!(!verify_inclusion(&leaf, 5, 5, &[], &root));
    assert!(!verify_inclusion(&leaf, 0, 0, &[], &empty_root()));
    assert!(!verify_consistency(6, 5, &[], &root, &root));
    assert!(!verify_consistency(3, 5, &[], &root, &root));
    assert!(verify_consistency(0, 5, &[], &empty_root(), &root));
    assert!(!verify_consistency(0, 5, &[], &root, &root));
    assert!(!verify_consistency(5, 5, &[root], &root, &root));
}

fn sizes() -> impl Strategy<Value = (usize, usize)> {
    (1..300_usize).prop_flat_map(|size| (Just(size), 0..size))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_changed_inclusion_proof_never_verifies(
        (size, index) in sizes(), at in any::<prop::sample::Index>(), bit in 0..8_u8,
    ) {
        let tree = tree(size);
        let expected = Naive::mth(&tree.0);
        let leaf = leaf_hash(&tree.0[index]);
        let (index, size) = (index as u64, size as u64);
        let mut proof = inclusion_proof(&tree, index, size).unwrap();
        prop_assert!(verify_inclusion(&leaf, index, size, &proof, &expected));
        prop_assert!(!verify_inclusion(&leaf, index ^ 1, size, &proof, &expected) || size == 1);
        let longer = [proof.as_slice(), &[leaf]].concat();
        prop_assert!(!verify_inclusion(&leaf, index, size, &longer, &expected));
        if !proof.is_empty() {
            prop_assert!(!verify_inclusion(&leaf, index, size, &proof[1..], &expected));
            let at = at.index(proof.len() * 32);
            proof[at / 32][at % 32] ^= 1 << bit;
            prop_assert!(!verify_inclusion(&leaf, index, size, &proof, &expected));
        }
    }

    #[test]
    fn a_changed_consistency_proof_never_verifies(
        (size, old) in sizes(), at in any::<prop::sample::Index>(), bit in 0..8_u8,
    ) {
        let tree = tree(size);
        let expected = Naive::mth(&tree.0);
        let old_root = Naive::mth(&tree.0[..old]);
        let (old, size) = (old as u64, size as u64);
        let mut proof = consistency_proof(&tree, old, size).unwrap();
        prop_assert!(verify_consistency(old, size, &proof, &old_root, &expected));
        if !proof.is_empty() {
            let at = at.index(proof.len() * 32);
            proof[at / 32][at % 32] ^= 1 << bit;
            prop_assert!(!verify_consistency(old, size, &proof, &old_root, &expected));
        }
    }
}
