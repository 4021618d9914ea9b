//! The Markdown of the repository as MkDocs reads it: anchors as the usual hosts build them, lists that begin after a blank
//! line and are indented by four, folders as their first page, and pictures where a page names them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::foreign;
use crate::tidy::links;
use crate::tidy::tree::Tree;

/// What is rendered.
pub struct Stage {
    /// Pages by path.
    pub pages: BTreeMap<String, String>,
    /// Other files by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Files of the repository that pages link to.
    linked: BTreeSet<String>,
}

impl Stage {
    /// Stages the pages of the root and of `docs`.
    ///
    /// # Errors
    /// When a page links to a folder without a first page, or a picture cannot be read.
    pub fn of(tree: &Tree, pictures: &Path) -> Result<Self> {
        let mut stage = Self {
            pages: BTreeMap::new(),
            files: BTreeMap::new(),
            linked: BTreeSet::new(),
        };
        let is_told = |path: &str| path.ends_with(".md") && (path.starts_with("docs/") || !path.contains('/'));
        for (path, text) in tree.texts().filter(|(path, _)| is_told(path)) {
            let text = stage.with_pictures(path, text, pictures)?;
            let page = stage.adapted(tree, path, &text)?;
            stage.pages.insert(path.to_owned(), page);
        }
        Ok(stage)
    }

    /// Writes everything into an empty folder.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, root: &Path, folder: &Path) -> Result<()> {
        foreign::make_empty(folder)?;
        let linked = self.linked.iter().map(|path| {
            let bytes = fs::read(root.join(path)).with_context(|| format!("cannot read {path}"))?;
            Ok((path.clone(), bytes))
        });
        let linked = linked.collect::<Result<Vec<_>>>()?;
        let pages = self.pages.iter().map(|(path, text)| (path, text.as_bytes()));
        let files = self.files.iter().map(|(path, bytes)| (path, bytes.as_slice()));
        let linked = linked.iter().map(|(path, bytes)| (path, bytes.as_slice()));
        for (path, bytes) in pages.chain(files).chain(linked) {
            let file = folder.join(path);
            if let Some(parent) = file.parent() {
                fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
            }
            fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }

    /// Puts pictures of the browser tests in place of `<!-- picture NAME: caption -->`; a missing one leaves nothing.
    fn with_pictures(&mut self, path: &str, text: &str, pictures: &Path) -> Result<String> {
        let mut lines = Vec::new();
        for line in text.lines() {
            let Some((name, caption)) = picture(line) else {
                lines.push(line.to_owned());
                continue;
            };
            let file = pictures.join(format!("{name}.png"));
            if !file.is_file() {
                continue;
            }
            let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let target = format!("pictures/{name}.png");
            let up = "../".repeat(path.matches('/').count());
            lines.push(format!("![{caption}]({up}{target})\n\n*{caption}*"));
            self.files.insert(target, bytes);
        }
        Ok(lines.join("\n"))
    }

    fn adapted(&mut self, tree: &Tree, path: &str, text: &str) -> Result<String> {
        let mut page = Page::default();
        for line in text.lines() {
            if page.take_code(line) {
                continue;
            }
            let line = self.with_links(tree, path, line)?;
            page.take(&line);
        }
        Ok(page.text)
    }

    /// A line with its links as MkDocs follows them.
    fn with_links(&mut self, tree: &Tree, path: &str, line: &str) -> Result<String> {
        let mut out = String::new();
        for (place, part) in line.split('`').enumerate() {
            if place > 0 {
                out.push('`');
            }
            if place % 2 == 1 {
                out.push_str(part);
                continue;
            }
            let mut rest = part;
            while let Some(at) = rest.find("](") {
                let (before, after) = rest.split_at(at + 2);
                let end = after.find(')').unwrap_or(after.len());
                out.push_str(before);
                out.push_str(&self.target(tree, path, &after[..end])?);
                rest = &after[end..];
            }
            out.push_str(rest);
        }
        Ok(out)
    }

    fn target(&mut self, tree: &Tree, path: &str, target: &str) -> Result<String> {
        let is_elsewhere = target.contains("://") || target.starts_with("mailto:") || target.starts_with('#');
        if is_elsewhere || target.is_empty() || target.starts_with("pictures/") || target.contains("../pictures/") {
            return Ok(target.to_owned());
        }
        let file = target.split('#').next().unwrap_or_default();
        let Some(found) = links::resolve(path, file) else {
            bail!("{path}: `{target}` leads out of the repository");
        };
        let found = found.trim_end_matches('/');
        if tree.text(&format!("{found}/README.md")).is_some() {
            return Ok(format!("{}/README.md", file.trim_end_matches('/')));
        }
        if !found.ends_with(".md") {
            if !tree.has_file(found) {
                bail!("{path}: `{target}` is a folder without a first page");
            }
            self.linked.insert(found.to_owned());
        }
        Ok(target.to_owned())
    }
}

/// The picture that a line names, with its caption.
fn picture(line: &str) -> Option<(&str, &str)> {
    let inner = line.strip_prefix("<!-- picture ")?.strip_suffix(" -->")?;
    inner.split_once(": ")
}

/// A page on its way.
#[derive(Default)]
struct Page {
    text: String,
    seen: BTreeMap<String, u32>,
    /// By how much the fence is indented, inside of one.
    fence: Option<usize>,
    /// Where the text of the present list item begins.
    item: Option<usize>,
    was_blank: bool,
}

impl Page {
    fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        self.was_blank = line.trim().is_empty();
    }

    /// Takes a line of a fenced block, or one that begins or ends it.
    fn take_code(&mut self, line: &str) -> bool {
        let indent = indent_of(line);
        let is_fence = line.trim_start().starts_with("```");
        match self.fence {
            None if !is_fence => return false,
            None => {
                if !self.was_blank && !self.text.is_empty() {
                    self.push("");
                }
                self.fence = Some(indent);
            }
            Some(_) if is_fence => {
                self.push("```");
                self.fence = None;
                self.push("");
                return true;
            }
            Some(_) => {}
        }
        let cut = self.fence.unwrap_or_default().min(indent);
        self.push(&line[cut..]);
        true
    }

    /// Takes a line of prose.
    fn take(&mut self, line: &str) {
        if let Some(level) = heading(line) {
            self.item = None;
            let title = line[level..].trim();
            let anchor = self.anchor(title);
            let line = format!("{} {title} {{#{anchor}}}", &line[..level]);
            return self.push(&line);
        }
        let indent = indent_of(line);
        if let Some(content) = item(line).filter(|_| indent == 0) {
            if self.item.is_none() && !self.was_blank && !self.text.is_empty() {
                self.push("");
            }
            self.item = Some(content);
            return self.push(line);
        }
        let Some(content) = self.item else {
            return self.push(line);
        };
        if line.trim().is_empty() {
            return self.push("");
        }
        if indent >= content {
            let line = format!("{}{line}", " ".repeat(4_usize.saturating_sub(content)));
            return self.push(&line);
        }
        if self.was_blank {
            self.item = None;
        }
        self.push(line);
    }

    fn anchor(&mut self, title: &str) -> String {
        let slug = links::slug(title);
        let times = self.seen.entry(slug.clone()).or_insert(0);
        *times += 1;
        if *times == 1 {
            slug
        } else {
            format!("{slug}-{}", *times - 1)
        }
    }
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// How many signs a heading begins with.
fn heading(line: &str) -> Option<usize> {
    let level = line.len() - line.trim_start_matches('#').len();
    (1..=6)
        .contains(&level)
        .then_some(level)
        .filter(|_| line[level..].starts_with(' '))
}

/// Where the text of a list item begins, if the line is one.
fn item(line: &str) -> Option<usize> {
    let inner = line.trim_start();
    let digits = inner.len() - inner.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mark = match digits {
        0 => ["- ", "* "].iter().any(|mark| inner.starts_with(mark)).then_some(2)?,
        1..=3 => inner[digits..].starts_with(". ").then_some(digits + 2)?,
        _ => return None,
    };
    Some(indent_of(line) + mark)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    fn staged(text: &str) -> String {
        let tree = Tree::of(&[
            ("docs/a.md", text),
            ("docs/decisions/README.md", "# D"),
            ("LICENSE", "x"),
        ]);
        let stage = Stage::of(&tree, Path::new("/nowhere")).unwrap();
        stage.pages["docs/a.md"].clone()
    }

    #[test]
    fn headings_have_the_anchors_that_links_name() {
        let page = staged("# The `gate`, in short\n## Asking\n## Asking\n");
        assert!(page.contains("# The `gate`, in short {#the-gate-in-short}"), "{page}");
        assert!(page.contains("## Asking {#asking}\n## Asking {#asking-1}"), "{page}");
    }

    #[test]
    fn lists_begin_after_a_blank_line_and_are_indented_by_four() {
        let page = staged("Two:\n- one\n  more\n- two\n\nText\n\n1. One\n\n       code\n");
        assert!(page.contains("Two:\n\n- one\n    more\n- two\n\nText"), "{page}");
        assert!(page.contains("1. One\n\n        code"), "{page}");
    }

    #[test]
    fn a_folder_is_its_first_page_and_code_is_left_alone() {
        let page = staged("[d](decisions/) [l](../LICENSE) `[x](gone/)`\n```sh\n# no [h](gone)\n```\n");
        assert!(
            page.contains("[d](decisions/README.md) [l](../LICENSE) `[x](gone/)`"),
            "{page}"
        );
        assert!(page.contains("# no [h](gone)\n```"), "{page}");
    }

    #[test]
    fn a_picture_that_is_not_there_leaves_nothing() {
        assert!(!staged("a\n<!-- picture site/home: The first page -->\nb\n").contains("picture"));
    }
}
