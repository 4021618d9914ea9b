//! Links between Markdown files lead somewhere: the file is there, and so is the heading.

use std::collections::BTreeMap;

use super::Finding;
use super::tree::Tree;

/// Follows every relative link of every Markdown file; addresses of the web are left alone.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| path.ends_with(".md")) {
        for (line, target) in links(text) {
            if let Some(wrong) = dead(tree, path, &target) {
                findings.push(Finding::new(path, line, wrong));
            }
        }
    }
    findings
}

/// The fault of a link, if any.
fn dead(tree: &Tree, from: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let Some(path) = resolve(from, file) else {
        return Some(format!("`{target}` leads out of the repository"));
    };
    if !tree.has(&path) {
        return Some(format!("`{target}` leads nowhere: there is no `{path}`"));
    }
    let headed = path.ends_with(".md") && !anchor.is_empty();
    let text = tree.text(&path).filter(|_| headed)?;
    let found = anchors(text).iter().any(|found| found == anchor);
    (!found).then(|| format!("`{path}` has no heading `#{anchor}`"))
}

/// The path that a link means, from the repository's root.
pub fn resolve(from: &str, file: &str) -> Option<String> {
    if file.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "" if file.starts_with('/') => return None,
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Lines outside of fenced blocks, with their numbers and without code spans.
fn prose_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(number, line)| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        (!fenced && !is_fence).then_some((number + 1, line))
    })
}

/// Every target of `[text](target)` and `[name]: target`.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose_lines(text) {
        let line: String = line.split('`').step_by(2).collect::<Vec<_>>().join("_");
        for (at, _) in line.match_indices("](") {
            let rest = &line[at + 2..];
            let Some(end) = rest.find(')') else { continue };
            let target = rest[..end].split_whitespace().next().unwrap_or("");
            links.push((number, target.trim_matches(['<', '>']).to_owned()));
        }
        let definition = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        if let Some((_, target)) = definition {
            links.push((number, target.trim().to_owned()));
        }
    }
    links
}

/// The anchors that headings make, as the usual hosts build them.
fn anchors(text: &str) -> Vec<String> {
    let mut seen = BTreeMap::new();
    let mut anchors = Vec::new();
    for (_, line) in prose_lines(text) {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let slug = slug(title.trim());
        let times = seen.entry(slug.clone()).or_insert(0_u32);
        anchors.push(if *times == 0 { slug } else { format!("{slug}-{times}") });
        *times += 1;
    }
    anchors
}

/// The anchor of a heading.
pub fn slug(title: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    title
        .to_lowercase()
        .chars()
        .filter(kept)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUIDE: &str = "# The `gate`, in short\n## Asking\n## Asking\n";

    fn findings(text: &str) -> Vec<Finding> {
        check(&Tree::of(&[
            ("docs/a.md", text),
            ("docs/guide/b.md", GUIDE),
            ("README.md", "# R"),
        ]))
    }

    #[test]
    fn living_links_pass() {
        let text = "[b](guide/b.md) [up](../README.md#r) ![p](guide/) [self](#one)\n\n# One\n\
                    [gate](guide/b.md#the-gate-in-short) [second](guide/b.md#asking-1)\n\
                    [web](https://example.org/x)\n\n[ref]: guide/b.md\n";
        assert_eq!(findings(text), []);
    }

    #[test]
    fn dead_links_are_found_with_their_lines() {
        let text = "[a](gone.md)\n[b](guide/b.md#gone)\n[c](../../x.md)\n[d](/README.md)\n[e]: gone";
        let lines: Vec<usize> = findings(text).iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn links_in_code_are_no_links() {
        assert_eq!(findings("```\n[a](gone.md)\n```\nand `[a](gone.md)`\n"), []);
    }
}
