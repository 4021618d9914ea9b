//! Digests in image references.

use super::{is_digest, why_not_whole};

/// A digest as it is written, or the one in which an image reference ends: where the image lies names no other build.
pub(super) fn without_place(text: String) -> String {
    let digest = text.split_once('@').map(|(_, digest)| digest);
    let usual = digest.filter(|it| why_not_whole("", it).is_some() && is_digest(it));
    usual.map(str::to_owned).unwrap_or(text)
}
