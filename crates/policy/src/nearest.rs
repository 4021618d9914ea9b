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
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The number of letters to insert, delete, replace or swap with their neighbour that turns one name into the other (optimal
/// string alignment).
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(a != b);
            let mut least = replaced.min(row[j] + 1).min(rows[i][j + 1] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
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
