//! `cargo xtask docs-site`: the documentation as pages to browse and search, in `target/docs-site/html`.
//!
//! The Markdown of the repository is staged as it is, with adaptations where MkDocs reads it otherwise than the usual hosts;
//! the reference is generated from the built program and the sources; screenshots are taken where the browser tests left them.
//! MkDocs then renders everything, and a dead link, a dead anchor or a page that no menu names fails.

mod api;
mod codes;
mod commands;
mod nav;
mod stage;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::tidy::tree::Tree;
use crate::{foreign, shell};
use stage::Stage;

/// The page that names each walk of the guide under a role.
const BY_ROLE: &str = "docs/site/by-role.md";

/// Builds the site with the reference of this `assent`; returns its folder.
///
/// # Errors
/// When a page cannot be made, a walk of the guide is under no role, or MkDocs finds a dead link.
pub fn build(root: &Path, program: &Path) -> Result<PathBuf> {
    foreign::install_site(root)?;
    let tree = Tree::read(root)?;
    check_roles(&tree)?;
    let mut stage = Stage::of(&tree, &pictures(root))?;
    stage.pages.extend(commands::pages(program)?);
    let document = commands::run_help(program, &["openapi"])?;
    let parsed = serde_json::from_str(&document).context("`assent openapi` prints no JSON")?;
    stage.pages.extend(api::pages(&parsed));
    stage
        .files
        .insert("reference/openapi.json".to_owned(), document.into_bytes());
    stage.pages.extend(codes::pages(&tree)?);
    let out = shell::target_folder(root).join("docs-site");
    let (source, html) = (out.join("source"), out.join("html"));
    stage.write(root, &source)?;
    let settings = out.join("mkdocs.yml");
    // JSON is YAML.
    let text = serde_json::to_string_pretty(&nav::settings(&stage.pages, &source, &html))?;
    std::fs::write(&settings, text).context("cannot write the settings of MkDocs")?;
    let mut command = Command::new(foreign::site_python(root));
    command.args([
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "--clean",
        "--config-file",
    ]);
    shell::quiet(command.arg(&settings).current_dir(root))?;
    Ok(html)
}

/// Where the browser tests leave their pictures.
fn pictures(root: &Path) -> PathBuf {
    let named = std::env::var_os("ASSENT_TEST_PICTURES").map(PathBuf::from);
    named.unwrap_or_else(|| root.join("target/browser/pictures"))
}

/// Every walk of the guide is under a role, so that a reader finds it without its name.
fn check_roles(tree: &Tree) -> Result<()> {
    let index = tree.text(BY_ROLE).with_context(|| format!("there is no {BY_ROLE}"))?;
    let missing: Vec<&str> = tree
        .texts()
        .filter_map(|(path, _)| path.strip_prefix("docs/guide/"))
        .filter(|name| name.ends_with(".md") && !name.contains('/') && *name != "README.md")
        .filter(|name| !index.contains(&format!("](../guide/{name})")))
        .collect();
    if !missing.is_empty() {
        bail!("{BY_ROLE} names these walks under no role: {}", missing.join(", "));
    }
    Ok(())
}

/// The anchor of a heading or a name.
fn slug(text: &str) -> String {
    crate::tidy::links::slug(text)
}

/// Text for a cell of a table.
fn cell(text: &str) -> String {
    let text = text.replace('|', "\\|").replace('<', "&lt;");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    #[test]
    fn a_walk_under_no_role_is_named() {
        let walks = [
            ("docs/guide/freeze.md", "# F"),
            ("docs/guide/hold.md", "# H"),
            ("docs/guide/README.md", ""),
        ];
        let tree = |index| Tree::of(&[walks[0], walks[1], walks[2], (BY_ROLE, index)]);
        check_roles(&tree("[a](../guide/freeze.md) [b](../guide/hold.md)")).unwrap();
        let error = check_roles(&tree("[a](../guide/freeze.md)")).unwrap_err().to_string();
        assert!(error.contains("hold.md") && !error.contains("freeze.md"), "{error}");
    }

    #[test]
    fn a_cell_ends_no_column_and_opens_no_tag() {
        assert_eq!(cell("a | b\n <KEY>"), "a \\| b &lt;KEY>");
    }
}
