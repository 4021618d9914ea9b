//! One build in its spellings: a digest, an image reference that ends with it, a commit, whole or short.

/// The least number of letters by which a short commit names one.
const SHORT_COMMIT: usize = 7;

/// The fewest and the most digits of a digest that says nothing but which build it is.
const DIGITS: std::ops::RangeInclusive<usize> = 32..=128;

/// Whether a text is a digest and can hold nobody's words: an algorithm's name and hexadecimal digits.
#[must_use]
pub fn is_plain_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(name, digits)| {
        let is_name = name.len() <= 8
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        is_name && DIGITS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
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

fn are_one(one: &str, other: &str) -> bool {
    let (one, other) = (bare(one), bare(other));
    if one.is_empty() || other.is_empty() {
        return false;
    }
    one == other || is_short_of(&one, &other) || is_short_of(&other, &one)
}

/// What is left of a spelling without the place where it lies and the kind of name it is.
fn bare(text: &str) -> String {
    let text = text.trim().to_lowercase();
    let digest = text.rsplit_once('@').map_or(text.as_str(), |(_, digest)| digest);
    let known = ["git:", "commit:", "sha1:"];
    let plain = known.iter().find_map(|kind| digest.strip_prefix(kind));
    plain.unwrap_or(digest).to_owned()
}

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
