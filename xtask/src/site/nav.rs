//! The menu of the site and the settings of MkDocs.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

/// The sections: the title, and their pages or folders. A folder's first page comes first, then its links in their order, then
/// the rest.
const SECTIONS: &[(&str, &[&str])] = &[
    ("Tasks", &["docs/site/by-role.md", "docs/guide/"]),
    ("Gateways", &["docs/guide/gateways/"]),
    ("Pipelines", &["docs/guide/pipelines/"]),
    ("Set up", &["docs/operations/setup/"]),
    ("Run", &["docs/operations/"]),
    ("Command line", &["reference/commands/"]),
    ("API", &["reference/api/"]),
    (
        "Reference",
        &[
            "reference/codes.md",
            "reference/facts.md",
            "docs/log-format.md",
            "GLOSSARY.md",
        ],
    ),
    (
        "Design",
        &[
            "ARCHITECTURE.md",
            "docs/decisions/",
            "docs/site/comparison.md",
            "SECURITY.md",
        ],
    ),
    ("Project", &["CHANGELOG.md", "CONTRIBUTING.md", "STYLE.md"]),
];

/// The pages before all sections.
const FIRST: &[&str] = &[
    "README.md",
    "docs/site/concepts.md",
    "docs/guide/tutorial.md",
    "docs/site/first-pipeline.md",
];

/// The settings of MkDocs. A page in no section is a warning of its own, and so fails.
pub fn settings(pages: &BTreeMap<String, String>, source: &Path, html: &Path) -> Value {
    let mut menu: Vec<Value> = FIRST.iter().map(|path| entry(pages, path)).collect();
    for (title, places) in SECTIONS {
        let inside: Vec<Value> = places.iter().flat_map(|place| inside(pages, place)).collect();
        menu.push(json!({*title: inside}));
    }
    json!({
        "site_name": "Assent",
        "site_description": "Decides, records and proves which changes may reach production",
        "docs_dir": source,
        "site_dir": html,
        "use_directory_urls": false,
        // Nothing is loaded from elsewhere.
        "theme": {"name": "readthedocs", "highlightjs": false, "collapse_navigation": true, "navigation_depth": 3},
        "plugins": ["search"],
        "markdown_extensions": ["attr_list", "sane_lists", {"toc": {"toc_depth": "2-3"}}],
        "validation": {
            "nav": {"omitted_files": "warn", "not_found": "warn", "absolute_links": "warn"},
            "links": {"not_found": "warn", "anchors": "warn", "absolute_links": "warn", "unrecognized_links": "warn"},
        },
        "nav": menu,
    })
}

/// The entries of a page, or of all pages right in a folder.
fn inside(pages: &BTreeMap<String, String>, place: &str) -> Vec<Value> {
    if !place.ends_with('/') {
        return vec![entry(pages, place)];
    }
    let index = format!("{place}README.md");
    let order = pages.get(&index).map(String::as_str).unwrap_or_default();
    let is_inside = |path: &&String| path.strip_prefix(place).is_some_and(|name| !name.contains('/'));
    let mut found: Vec<&String> = pages.keys().filter(is_inside).collect();
    found.retain(|path| !FIRST.contains(&path.as_str()));
    found.sort_by_key(|path| {
        let name = &path[place.len()..];
        let place = order.find(&format!("]({name}")).unwrap_or(usize::MAX);
        (**path != index, place, path.as_str().to_owned())
    });
    found.into_iter().map(|path| entry(pages, path)).collect()
}

/// A page under its own title.
fn entry(pages: &BTreeMap<String, String>, path: &str) -> Value {
    let text = pages.get(path).map(String::as_str).unwrap_or_default();
    let title = text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(path);
    let title = title.split(" {#").next().unwrap_or_default().replace('`', "");
    json!({title: path})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_begins_with_its_first_page_and_follows_its_order() {
        let page = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        let pages = BTreeMap::from([
            page("docs/guide/README.md", "# Guide {#guide}\n[b](b.md) [a](a.md)"),
            page("docs/guide/a.md", "# The `a`"),
            page("docs/guide/b.md", "# B"),
            page("docs/guide/c.md", "# C"),
            page("docs/guide/gateways/x.md", "# X"),
            page("docs/guide/tutorial.md", "# T"),
        ]);
        let found = inside(&pages, "docs/guide/");
        let wanted = [
            json!({"Guide": "docs/guide/README.md"}),
            json!({"B": "docs/guide/b.md"}),
            json!({"The a": "docs/guide/a.md"}),
            json!({"C": "docs/guide/c.md"}),
        ];
        assert_eq!(found, wanted);
    }
}
