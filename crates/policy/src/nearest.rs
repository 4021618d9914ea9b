//! The nearest known name to a misspelt one.

/// Names longer than this are not compared.
const LONGEST: usize = 64;

/// The known name that is nearest to `word`, if it is near enough to be meant: at most a third of its letters differ, and at
/// least one edit is allowed.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let allowed = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant_or_nothing() {
        let known = ["approval", "evidence", "peer_review", "permit"];
        assert_eq!(nearest("aproval", known), Some("approval"));
        assert_eq!(nearest("evidenec", known), Some("evidence"));
        assert_eq!(nearest("rsik", ["risk", "kind"]), Some("risk"));
        assert_eq!(nearest("peerreview", known), Some("peer_review"));
        assert_eq!(nearest("sandwich", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest("permit", known), Some("permit"));
    }
}
