//! Nouns without a card: a record that `store` maps without one, outside of `model::nouns`. Their count only falls.

use super::Finding;
use super::tree::Tree;

/// The most records without a card. A count below it is a finding too, so that the ceiling falls with it.
const CEILING: usize = 1;

/// Where records without a card are listed.
const LIST: &str = "crates/store/src/nouns.rs";

/// Counts the records in the list.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.text(LIST).map_or_else(Vec::new, |text| judge(count(text)))
}

fn judge(count: usize) -> Vec<Finding> {
    let text = match count {
        _ if count > CEILING => {
            format!(
                "{count} nouns have no card, where {CEILING} may; give the new one a card (CONTRIBUTING, Add a noun)"
            )
        }
        _ if count < CEILING => {
            format!("{count} nouns have no card by now; lower the ceiling of {CEILING} in cards.rs")
        }
        _ => return Vec::new(),
    };
    vec![Finding::new(LIST, 0, text)]
}

/// The rows `Change in "change" |it| {…}` of the list.
fn count(text: &str) -> usize {
    let is_row = |line: &&str| line.starts_with("    ") && line.contains(" in \"") && line.contains("\" |it| {");
    text.lines().filter(is_row).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_and_the_ceiling_only_falls() {
        let text = "nouns! {\n    Change in \"change\" |it| {\n    }\n    Link in \"link\" |it| { kind = it.kind }\n}\nfor a in \"b\" {}\n";
        assert_eq!(count(text), 2);
        assert_eq!(judge(CEILING), []);
        assert_eq!(judge(CEILING + 1).len(), 1);
        assert_eq!(judge(CEILING - 1).len(), 1);
    }
}
