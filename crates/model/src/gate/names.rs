//! Compares the names of a question with the names of a target: one rule for the gate, for permits and for attestations. The
//! target must have every name of the question, as an offline verifier requires of a permit.

use crate::change::read_content;
use crate::change::record::Target;
use crate::core::enums::Purpose;
use crate::core::unmet::{Unmet, unmet};
use crate::gate::build::{GIT, digits_of};

/// An artifact, a commit, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Names<'a> {
    /// The artifact's digest.
    pub artifact: Option<&'a str>,
    /// The commit.
    pub commit: Option<&'a str>,
}

impl<'a> Names<'a> {
    /// Names out of two fields.
    pub fn new(artifact: Option<&'a str>, commit: Option<&'a str>) -> Self {
        Self { artifact, commit }
    }

    /// The target's names for a purpose: a rollback names an artifact and no commit.
    pub fn of_target(target: &'a Target, purpose: Purpose) -> Self {
        match purpose {
            Purpose::Rollback => Self::new(target.rollback_to.as_deref(), None),
            Purpose::Deploy => Self::new(target.artifact.as_deref(), target.commit.as_deref()),
        }
    }

    /// Whether every name of the question equals the name here, and the question has at least one.
    pub fn name_all_of(self, asked: Names<'_>) -> bool {
        let agrees = |asked: Option<&str>, own: Option<&str>| asked.is_none() || asked == own;
        let is_something = asked.artifact.is_some() || asked.commit.is_some();
        is_something && agrees(asked.artifact, self.artifact) && agrees(asked.commit, self.commit)
    }
}

/// The names that attestations and equal trees link with a question. Without them every list is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kin {
    /// The commits that the question's artifact is attested to be made from, with those of an equal tree.
    pub of_artifact: Vec<String>,
    /// The other commits with the tree of the question's commit.
    pub of_commit: Vec<String>,
}

/// Whether a target's names match a question: each name of the question is the target's own, or attested as the same build.
/// Without an attestation, an artifact beside an approved commit is another build, and a commit beside an approved artifact is
/// not approved.
pub fn matches_question(own: Names<'_>, asked: Names<'_>, kin: &Kin) -> bool {
    let is_something = asked.artifact.is_some() || asked.commit.is_some();
    let has = |list: &[String], commit: &str| list.iter().any(|known| known == commit);
    let names_artifact = |wanted: &str| match (own.artifact, own.commit) {
        // A target with an artifact is about that artifact only, whatever else was built from its commit.
        (Some(artifact), _) => artifact == wanted,
        (None, Some(commit)) => has(&kin.of_artifact, commit),
        (None, None) => false,
    };
    // A target without a commit names none: the permit for it would let every build of that commit through.
    let names_commit = |wanted: &str| {
        own.commit
            .is_some_and(|commit| commit == wanted || has(&kin.of_commit, commit))
    };
    is_something && asked.artifact.is_none_or(names_artifact) && asked.commit.is_none_or(names_commit)
}

/// The names in a permit: all names of the question, so that an offline verifier decides this question the same way, and the
/// target's own names beside them.
pub fn permitted(own: Names<'_>, asked: Names<'_>) -> (Option<String>, Option<String>) {
    let is_own = asked == Names::default() || own.name_all_of(asked);
    let artifact = asked.artifact.or(own.artifact);
    // Beside an attested name, the target's own commit would claim that this commit was built.
    let commit = asked.commit.or(own.commit.filter(|_| is_own));
    (artifact.map(str::to_owned), commit.map(str::to_owned))
}

/// The reason why no change can have such a name: a tag, an image reference or a shortened commit. `None` if the form is right.
pub fn wrong_form(asked: Names<'_>) -> Option<Unmet> {
    asked
        .artifact
        .and_then(wrong_artifact)
        .or_else(|| asked.commit.and_then(wrong_commit))
}

fn wrong_artifact(text: &str) -> Option<Unmet> {
    let image = Image::read(text)?;
    let (text, satisfy) = match image {
        Image::WithDigest(digest) => (
            format!("`{text}` is an image reference, but a change contains only the digest."),
            format!("Use only the digest of the reference: `{digest}`."),
        ),
        Image::Tag => (
            format!("`{text}` is a tag. Tags can move to another image, so changes contain only digests."),
            "Use the image's digest from the registry, such as sha256:6b1d….".to_owned(),
        ),
        Image::Other => (
            format!("`{text}` is not a digest such as sha256:6b1d…, so no change can contain it."),
            "Use the artifact's digest from the registry.".to_owned(),
        ),
    };
    Some(unmet("change_missing", text, satisfy, Vec::new()))
}

fn wrong_commit(text: &str) -> Option<Unmet> {
    let is_hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex && matches!(text.len(), 40 | 64) {
        return None;
    }
    let text = if is_hex {
        let length = text.len();
        format!("`{text}` is a short commit hash of {length} digits; a full hash has 40 or 64.")
    } else {
        format!("`{text}` is not a commit hash: a full hash has 40 or 64 hexadecimal digits.")
    };
    let satisfy = "Use the full commit hash, as `git rev-parse` prints it.";
    Some(unmet("change_missing", text, satisfy, Vec::new()))
}

/// The fewest digits that a digest of any algorithm has: a tag is shorter.
const FEWEST_DIGITS: usize = 32;

/// Whether a text with this name before its colon is a digest, perhaps a shortened one, and no tag.
fn is_algorithm(name: &str) -> bool {
    name != GIT && digits_of(name).is_some()
}

/// The form of a text that is no digest.
enum Image<'a> {
    /// An image reference that ends in a digest.
    WithDigest(&'a str),
    /// An image reference with a tag, or a bare name.
    Tag,
    /// Anything else.
    Other,
}

impl<'a> Image<'a> {
    /// `None` for a digest.
    fn read(text: &'a str) -> Option<Self> {
        if let Some((_, digest)) = text.rsplit_once('@') {
            let is_whole = read_content::is_digest(digest);
            return Some(if is_whole {
                Self::WithDigest(digest)
            } else {
                Self::Other
            });
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Some(Self::Other);
        }
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let is_hex = rest.len() >= FEWEST_DIGITS && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
        // An algorithm has no slash and no dot; a registry's host or an image's path has one.
        if text.contains('/') || name.contains('.') || !rest.is_empty() && !is_hex && !is_algorithm(name) {
            return Some(Self::Tag);
        }
        (!read_content::is_digest(text)).then_some(Self::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_name_is_told() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let said = |artifact: &str| {
            let row = wrong_form(Names::new(Some(artifact), None));
            row.map(|row| format!("{} {}", row.text, row.satisfy))
        };
        assert_eq!(said(&digest), None);
        for (text, word) in [
            (format!("registry.example:5000/shop/cart@{digest}"), "image reference"),
            (format!("registry.example/shop/cart:1.2.3@{digest}"), digest.as_str()),
            ("registry.example/shop/cart:latest".to_owned(), "tag"),
            ("registry.example:5000/shop/cart".to_owned(), "tag"),
            ("a".repeat(64), "not a digest"),
            ("sha256:abc".to_owned(), "not a digest"),
            (format!("nordmann:{}", "a".repeat(64)), "not a digest"),
            ("shop:1.2.3".to_owned(), "tag"),
        ] {
            assert!(
                said(&text).unwrap_or_default().contains(word),
                "{text}: {:?}",
                said(&text)
            );
        }
        let said = |commit: &str| wrong_form(Names::new(None, Some(commit))).map(|row| row.text);
        assert_eq!(said(&"b".repeat(40)), None);
        assert_eq!(said(&"b".repeat(64)), None);
        assert!(said("abc1234").unwrap_or_default().contains("40"));
        assert!(said("main").unwrap_or_default().contains("not a commit hash"));
    }
}
