//! Digests in image references.

use super::{is_digest, why_not_whole};

/// A digest as written, or the digest at the end of an image reference: the registry in the reference does not matter for the
/// build.
pub(super) fn without_place(text: String) -> String {
    let digest = text.split_once('@').map(|(_, digest)| digest);
    let usual = digest.filter(|it| why_not_whole("", it).is_some() && is_digest(it));
    usual.map(str::to_owned).unwrap_or(text)
}
