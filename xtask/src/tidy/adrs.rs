//! Every decision record has its status, its context, the decision and its cost.

use super::Finding;
use super::tree::Tree;

const FOLDER: &str = "docs/decisions/";
const HEADINGS: &[&str] = &["## Status", "## Context", "## Decision", "## Given up"];

/// Looks at the records' names, numbers and headings.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut expected = 1;
    for (path, text) in tree.texts() {
        let Some(name) = path.strip_prefix(FOLDER) else {
            continue;
        };
        if name == "README.md" {
            continue;
        }
        let number = name.split_once('-').and_then(|(number, _)| number.parse::<u32>().ok());
        let named = name.ends_with(".md") && name.find('-') == Some(4);
        match number.filter(|_| named) {
            Some(number) if number == expected => expected += 1,
            Some(_) => {
                let text = format!("the next record is number {expected:04}: none twice, no gap");
                findings.push(Finding::new(path, 0, text));
            }
            None => findings.push(Finding::new(path, 0, "a record is named `0001-words.md`")),
        }
        findings.extend(missing_headings(path, text));
    }
    findings
}

fn missing_headings(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut lines = text.lines().enumerate();
    for heading in HEADINGS {
        let Some((number, _)) = lines.find(|(_, line)| line.trim_end() == *heading) else {
            let text = format!("`{heading}` is missing, or out of the order of the others");
            return vec![Finding::new(path, 0, text)];
        };
        let mut body = text
            .lines()
            .skip(number + 1)
            .take_while(|line| !line.starts_with("## "));
        if body.all(|line| line.trim().is_empty()) {
            findings.push(Finding::new(path, number + 1, format!("`{heading}` says nothing")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "# One\n\n## Status\nAccepted\n\n## Context\nA\n\n## Decision\nB\n\n## Given up\nC\n";

    #[test]
    fn whole_records_in_a_row_pass() {
        let tree = Tree::of(&[
            ("docs/decisions/0001-one.md", WHOLE),
            ("docs/decisions/0002-two.md", WHOLE),
            ("docs/decisions/README.md", "# Decisions"),
        ]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn a_missing_or_empty_part_is_found() {
        let missing = WHOLE.replace("## Given up\n", "## Consequences\n");
        let empty = WHOLE.replace("A\n", "");
        let tree = Tree::of(&[
            ("docs/decisions/0001-one.md", &missing),
            ("docs/decisions/0002-two.md", &empty),
        ]);
        let findings = check(&tree);
        assert_eq!(findings.len(), 2, "{findings:?}");
    }

    #[test]
    fn a_gap_in_the_numbers_is_found() {
        assert_eq!(check(&Tree::of(&[("docs/decisions/0002-two.md", WHOLE)])).len(), 1);
    }
}
