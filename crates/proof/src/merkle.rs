//! Merkle tree hashing and proofs as RFC 9162 section 2.1 (and RFC 6962) define them.
//!
//! A *node* is named by its level (0 for leaves) and its index within the level, and represents the complete subtree over
//! leaves `index << level .. (index + 1) << level`. Proofs are made from any [`NodeSource`] and verified from bytes alone.

use crate::crypto::{self, Hash};
use crate::{Error, Result};

/// The hash of one leaf: SHA-256(0x00 ‖ leaf).
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    crypto::sha256_parts(&[&[0x00], leaf])
}

/// The hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [0x01; 65];
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    crypto::sha256(&bytes)
}

/// The root of the tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    crypto::sha256(&[])
}

/// Where the hashes of complete subtrees come from.
pub trait NodeSource {
    /// The hash of the complete subtree at `level` and `index`.
    ///
    /// # Errors
    /// [`Error::Source`] when it cannot be read.
    fn node(&self, level: u8, index: u64) -> Result<Hash>;
}

/// A growing tree that keeps only the roots of its largest complete subtrees, at most 64 hashes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// One hash per set bit of `size`, the largest subtree first.
    roots: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends the next leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        self.push_subtree(0, leaf);
    }

    /// Appends the 2^`level` leaves of a complete subtree by its root.
    ///
    /// # Panics
    /// When the size so far is no multiple of 2^`level`: the subtree would not be one of this tree.
    pub fn push_subtree(&mut self, level: u8, root: Hash) {
        let before = self.size >> level;
        assert_eq!(
            before << level,
            self.size,
            "a subtree must begin at a multiple of its size"
        );
        let mut hash = root;
        for _ in 0..before.trailing_ones() {
            // One root exists for each set bit, and the loop runs over set bits only.
            let Some(left) = self.roots.pop() else { break };
            hash = node_hash(&left, &hash);
        }
        self.roots.push(hash);
        self.size += 1 << level;
    }

    /// The root over all leaves so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        join(&self.roots)
    }
}

/// The root over complete subtrees of falling size, joined from the right.
fn join(roots: &[Hash]) -> Hash {
    let folded = roots
        .iter()
        .rev()
        .copied()
        .reduce(|right, left| node_hash(&left, &right));
    folded.unwrap_or_else(empty_root)
}

/// The complete subtrees that make up leaves `start..end`, left to right, where `start` must be
/// a multiple of the largest power of two that is used: the decomposition RFC 9162 splits into.
fn cover(start: u64, end: u64) -> Vec<(u8, u64)> {
    let mut nodes = Vec::new();
    let mut at = start;
    while at < end {
        // The largest complete subtree that begins here and does not reach beyond the end.
        let fitting = (end - at).ilog2();
        let level = if at == 0 {
            fitting
        } else {
            fitting.min(at.trailing_zeros())
        };
        // A level is at most 63, so it fits.
        nodes.push((level as u8, at >> level));
        at += 1 << level;
    }
    nodes
}

fn range_root(source: &dyn NodeSource, start: u64, end: u64) -> Result<Hash> {
    let nodes = cover(start, end);
    let hashes: Result<Vec<Hash>> = nodes.iter().map(|&(level, index)| source.node(level, index)).collect();
    Ok(join(&hashes?))
}

/// The root of the first `size` leaves.
///
/// # Errors
/// [`Error::Source`] from the source.
pub fn root(source: &dyn NodeSource, size: u64) -> Result<Hash> {
    range_root(source, 0, size)
}

/// The largest power of two smaller than `size`, which must be at least 2.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// `PATH(index, D[0:size])` of RFC 9162 section 2.1.3.1, leaf end first.
///
/// # Errors
/// [`Error::Malformed`] when `index` is not below `size`, [`Error::Source`] from the source.
pub fn inclusion_proof(source: &dyn NodeSource, index: u64, size: u64) -> Result<Vec<Hash>> {
    if index >= size {
        return Err(Error::malformed("inclusion proof", "the index lies outside the tree"));
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(range_root(source, middle, end)?);
            end = middle;
        } else {
            proof.push(range_root(source, start, middle)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// `PROOF(old, D[0:new])` of RFC 9162 section 2.1.4.1; empty when the sizes are equal or `old` is 0.
///
/// # Errors
/// [`Error::Malformed`] when `old` is larger than `new`, [`Error::Source`] from the source.
pub fn consistency_proof(source: &dyn NodeSource, old: u64, new: u64) -> Result<Vec<Hash>> {
    if old > new {
        return Err(Error::malformed(
            "consistency proof",
            "the older tree is the larger one",
        ));
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, new);
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(range_root(source, middle, end)?);
            end = middle;
        } else {
            proof.push(range_root(source, start, middle)?);
            start = middle;
        }
    }
    // A subtree that begins at 0 is the old tree itself, which the verifier knows already.
    if start != 0 {
        proof.push(range_root(source, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Verifies an inclusion proof (RFC 9162 section 2.1.3.2).
#[must_use]
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Verifies a consistency proof (RFC 9162 section 2.1.4.2). The empty tree is consistent with every
/// tree by an empty proof, and a tree with itself.
#[must_use]
pub fn verify_consistency(old: u64, new: u64, proof: &[Hash], old_root: &Hash, new_root: &Hash) -> bool {
    if old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == empty_root();
    }
    let (first, rest) = match proof.split_first() {
        _ if old.is_power_of_two() => (old_root, proof),
        Some((first, rest)) => (first, rest),
        None => return false,
    };
    let shift = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut from_old, mut from_new) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            from_old = node_hash(sibling, &from_old);
            from_new = node_hash(sibling, &from_new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            from_new = node_hash(&from_new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && from_old == *old_root && from_new == *new_root
}

#[cfg(test)]
#[path = "merkle_tests.rs"]
mod tests;
