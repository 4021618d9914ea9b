//! The name of a request's field stands as text in few files: code names a field by the constant of its card. Their count only
//! falls.

use super::Finding;
use super::tree::Tree;

/// Fields of the request for a change, and the most shipped files with the name as text: the lists of what a digest covers and of
/// what the log seals, and one for the names of another system or of a form.
const MOST: &[(&str, usize)] = &[("justification", 3), ("rollback_minutes", 3), ("expedited_reason", 2)];

/// The card.
const CARD: &str = "crates/model/src/change/read_content/new_change.rs";

/// Counts the files of each name.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let texts: Vec<String> = tree
        .rust()
        .filter(|(path, _)| is_shipped(path))
        .map(|(_, text)| without_comments_and_tests(text))
        .collect();
    let count = |name: &str| {
        let literal = format!("\"{name}\"");
        texts.iter().filter(|text| text.contains(&literal)).count()
    };
    MOST.iter()
        .filter_map(|(name, most)| judge(name, count(name), *most))
        .collect()
}

fn judge(name: &str, count: usize, most: usize) -> Option<Finding> {
    let constant = name.to_uppercase();
    let text = match count {
        _ if count > most => {
            format!("{count} files have the text \"{name}\", where {most} may; write NewChange::{constant}.name")
        }
        _ if count < most => {
            format!("{count} files have the text \"{name}\" by now; lower the ceiling of {most} in field_texts.rs")
        }
        _ => return None,
    };
    Some(Finding::new(CARD, 0, text))
}

fn is_shipped(path: &str) -> bool {
    let source = path.strip_prefix("crates/").and_then(|rest| rest.split_once("/src/"));
    source.is_some_and(|(name, _)| !name.contains('/')) && !path.ends_with("tests.rs") && !path.contains("/tests/")
}

/// The code up to the file's own module of tests.
fn without_comments_and_tests(text: &str) -> String {
    let shipped = text
        .split_once("\n#[cfg(test)]\nmod ")
        .map_or(text, |(shipped, _)| shipped);
    let lines = shipped.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_comments_and_tests_are_not_counted() {
        let file = "let a = \"justification\";\n";
        let beside =
            "// \"justification\"\nfn a() {}\n\n#[cfg(test)]\nmod tests {\n    let b = \"justification\";\n}\n";
        let paths: Vec<String> = (0..=MOST[0].1).map(|n| format!("crates/acts/src/a{n}.rs")).collect();
        let mut files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), file)).collect();
        files.push(("crates/acts/src/b.rs", beside));
        files.push(("crates/acts/tests/log/c.rs", file));
        files.push(("crates/model/src/gate/tests.rs", file));
        let found = |files: &[(&str, &str)]| {
            let found = check(&Tree::of(files));
            found.iter().filter(|it| it.text.contains("\"justification\"")).count()
        };
        assert_eq!(found(&files), 1);
        assert_eq!(found(&files[1..]), 0, "the ceiling is reached");
        assert_eq!(found(&files[2..]), 1, "the ceiling falls");
    }
}
