//! Folders: one name per area in every layer, and few files in each folder.

use std::collections::BTreeMap;

use super::Finding;
use super::tree::Tree;

/// The areas of the product; ARCHITECTURE.md describes each.
const AREAS: &[&str] = &[
    "approval",
    "audit",
    "cab",
    "change",
    "compliance",
    "directory",
    "emergency",
    "gate",
    "identity",
    "incident",
    "integration",
    "notify",
    "policy",
    "report",
    "risk",
    "schedule",
];

/// The layers that are divided by area, each with the folders that it has besides.
const LAYERS: &[(&str, &[&str])] = &[
    ("crates/acts/src/", &["case", "core", "effects", "guard"]),
    ("crates/assent/src/commands/", &["platform"]),
    ("crates/connect/src/", &[]),
    ("crates/model/src/", &["core"]),
    ("crates/pages/src/", &["elements"]),
    (
        "crates/server/src/",
        &["api", "background", "dialects", "gateway", "http", "start", "web"],
    ),
    ("crates/server/src/api/", &["shared"]),
    ("crates/server/src/web/", &["shared"]),
    ("crates/store/src/", &["queue"]),
    ("crates/wire/src/openapi/", &[]),
    ("tests/e2e/", &["api", "platform"]),
];

/// The most Rust files in one folder of sources or of end-to-end tests.
const MOST_FILES: usize = 30;

/// Looks at the folders of each layer, and counts the Rust files of each folder.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut files: BTreeMap<&str, usize> = BTreeMap::new();
    let mut named: BTreeMap<String, &[&str]> = BTreeMap::new();
    for (path, _) in tree.rust() {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if folder.ends_with("/src") || folder.contains("/src/") || folder.starts_with("tests/") {
            *files.entry(folder).or_default() += 1;
        }
        for (layer, besides) in LAYERS {
            if let Some((name, _)) = path.strip_prefix(layer).and_then(|rest| rest.split_once('/')) {
                named.insert(format!("{layer}{name}"), besides);
            }
        }
    }
    for (folder, besides) in named {
        let name = folder.rsplit('/').next().unwrap_or_default();
        if !AREAS.contains(&name) && !besides.contains(&name) && !tree.has(&format!("{folder}.rs")) {
            let text = format!("`{name}` is no area; the same word names an area in every layer");
            findings.push(Finding::new(&folder, 0, text));
        }
    }
    let crowded = files.into_iter().filter(|(_, count)| *count > MOST_FILES);
    findings.extend(crowded.map(|(folder, count)| {
        let text = format!("{count} Rust files; a folder has at most {MOST_FILES}");
        Finding::new(folder, 0, text)
    }));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_another_name_than_its_area_is_found() {
        let tree = Tree::of(&[
            ("crates/acts/src/approval/approve.rs", ""),
            ("crates/acts/src/core/save.rs", ""),
            ("crates/model/src/approvals/rules.rs", ""),
            ("crates/proof/src/anything/rows.rs", ""),
        ]);
        let found: Vec<String> = check(&tree).into_iter().map(|it| it.path).collect();
        assert_eq!(found, ["crates/model/src/approvals"]);
    }

    #[test]
    fn the_folder_of_a_file_of_the_same_name_is_no_area() {
        let tree = Tree::of(&[
            ("crates/model/src/signal.rs", ""),
            ("crates/model/src/signal/more.rs", ""),
        ]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn a_crowded_folder_is_found() {
        let paths: Vec<String> = (0..=MOST_FILES).map(|n| format!("crates/store/src/a{n}.rs")).collect();
        let all: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "")).collect();
        assert_eq!(check(&Tree::of(&all[1..])), []);
        let found = check(&Tree::of(&all));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "crates/store/src");
    }
}
