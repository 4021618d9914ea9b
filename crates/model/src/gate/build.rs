//! One build in its spellings: a digest, an image reference that ends with it, a commit, whole or short.

/// The fewest digits of a short commit that can identify one.
const SHORT_COMMIT: usize = 7;

/// The name before a commit that stands in place of a digest.
pub const GIT: &str = "git";

/// The algorithms whose digests name a build, each with the hexadecimal digits of a digest: those that the OCI image
/// specification registers (section "Digests"), those of in-toto's digest sets, and Git's objects. The log keeps a digest in
/// clear, and any other name before the colon could be a person's.
const ALGORITHMS: [(&str, &[usize]); 9] = [
    ("sha256", &[64]),
    ("sha512", &[128]),
    ("sha384", &[96]),
    ("sha224", &[56]),
    ("sha1", &[40]),
    ("blake3", &[64]),
    ("blake2b", &[128]),
    ("blake2s", &[64]),
    (GIT, &[40, 64]),
];

/// The numbers of hexadecimal digits that a whole digest of this algorithm can have; `None` for an unknown algorithm. The case of
/// the name does not matter.
#[must_use]
pub fn digits_of(algorithm: &str) -> Option<&'static [usize]> {
    let known = ALGORITHMS.iter().find(|(name, _)| algorithm.eq_ignore_ascii_case(name));
    known.map(|(_, digits)| *digits)
}

/// Whether a text is a digest without any free text: the name of a known algorithm in small letters, and as many hexadecimal
/// digits as its digests have.
#[must_use]
pub fn is_plain_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(name, digits)| {
        let is_whole = digits_of(name).is_some_and(|lengths| lengths.contains(&digits.len()));
        let is_small = !name.bytes().any(|byte| byte.is_ascii_uppercase());
        is_whole && is_small && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Whether two targets name one build, by an artifact or a commit of each. A rejection follows it in every spelling.
pub fn is_same_build<'a>(
    one: impl IntoIterator<Item = &'a str>,
    other: impl IntoIterator<Item = &'a str> + Clone,
) -> bool {
    one.into_iter()
        .any(|one| other.clone().into_iter().any(|other| are_one(one, other)))
}

/// Whether two spellings mean one build, or a short commit and the commit that begins with it.
#[must_use]
pub fn are_one(one: &str, other: &str) -> bool {
    let (one, other) = (canonical(one), canonical(other));
    if one.is_empty() || other.is_empty() {
        return false;
    }
    one == other || is_short_of(&one, &other) || is_short_of(&other, &one)
}

/// The same for optional names: two absent names agree, a single one does not.
#[must_use]
pub fn agree(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => are_one(one, other),
        (None, None) => true,
        _ => false,
    }
}

/// The one form of a build's name in which all of its spellings are equal: of an image reference with a digest the digest; of a
/// digest and a commit the hexadecimal digits in small letters, without the algorithm; of an image's name and tag these without
/// the registry that is meant where none is named.
#[must_use]
pub fn canonical(text: &str) -> String {
    let text = text.trim().to_lowercase();
    let name = text.rsplit_once('@').map_or(text.as_str(), |(_, digest)| digest).trim();
    let name = KINDS.iter().find_map(|kind| name.strip_prefix(kind)).unwrap_or(name);
    let mut place = name;
    for part in PLACES {
        place = place.strip_prefix(part).unwrap_or(place);
    }
    place.to_owned()
}

/// The prefixes of a commit or a digest that name only its kind.
const KINDS: [&str; 6] = ["git:", "commit:", "sha1:", "sha256:", "sha384:", "sha512:"];
/// The prefixes of an image name that carry no information: schemes, the default registry and its default namespace, in the
/// order in which they occur.
const PLACES: [&str; 7] = [
    "docker://",
    "oci://",
    "https://",
    "docker.io/",
    "index.docker.io/",
    "registry-1.docker.io/",
    "library/",
];

fn is_short_of(short: &str, whole: &str) -> bool {
    let is_hexadecimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_whole = matches!(whole.len(), 40 | 64) && is_hexadecimal(whole);
    is_whole && short.len() >= SHORT_COMMIT && is_hexadecimal(short) && whole.starts_with(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_no_digest() {
        assert!(is_plain_digest(&format!("sha256:{}", "ab".repeat(32))));
        for text in ["ola:nordmann", "sha256:12", "Ola Nordmann", "registry/x:1", ""] {
            assert!(!is_plain_digest(text), "{text}");
        }
        // A name in the place of an algorithm says whose it is, whatever digits follow.
        for (name, _) in ALGORITHMS {
            for length in 0..=130 {
                let digits = "a".repeat(length);
                let is_whole = digits_of(name).is_some_and(|lengths| lengths.contains(&length));
                assert_eq!(
                    is_plain_digest(&format!("{name}:{digits}")),
                    is_whole,
                    "{name} {length}"
                );
                assert!(!is_plain_digest(&format!("nordmann:{digits}")), "{length}");
                assert!(!is_plain_digest(&format!("x{name}:{digits}")), "{name} {length}");
            }
        }
    }

    #[test]
    fn a_build_is_one_in_all_its_spellings() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let image = format!("registry.example:5000/shop@{digest}");
        let commit = "1f2e3d4c5b6a79880011223344556677889900aa";
        for (one, other) in [
            (digest.as_str(), image.as_str()),
            (&digest.to_uppercase(), &digest),
            (commit, &commit[..7]),
            (commit, &format!("git:{commit}")),
            (&digest[7..], &digest),
            (&format!(" {digest}\n"), &digest),
            (&format!("shop:2.4@{}", digest.to_uppercase()), &image),
            ("docker.io/library/shop:1", "shop:1"),
            ("oci://index.docker.io/halden/shop:1", "halden/Shop:1"),
        ] {
            assert!(
                is_same_build([one], [other]) && is_same_build([other], [one]),
                "{one} {other}"
            );
            assert!(is_same_build(["x", one], [other, "y"]));
        }
        for (one, other) in [
            (digest.as_str(), "sha256:00"),
            (commit, &commit[..6]),
            ("shop:1", "shop:2"),
            ("", ""),
        ] {
            assert!(!is_same_build([one], [other]), "{one} {other}");
        }
    }
}
