//! `assent man`: the man pages, one for each command, from the grammar of the command line.

use std::path::Path;

use clap::{Command, CommandFactory};
use serde_json::json;

use crate::cli::Cli;
use crate::failure::{Failure, Result};
use crate::output::Output;

/// Writes the man pages into a folder.
///
/// # Errors
/// When a page cannot be written.
pub fn write(folder: &Path, output: &Output) -> Result<u8> {
    let pages = pages(Cli::command())?;
    let failed = |error: std::io::Error| {
        Failure::could_not(format!(
            "The pages cannot be written to `{}`: {error}.",
            folder.display()
        ))
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    for (name, text) in &pages {
        std::fs::write(folder.join(name), text).map_err(failed)?;
    }
    output.data(&json!({"folder": folder, "pages": pages.len()}), |output| {
        output.line(&format!("{} pages in {}", pages.len(), folder.display()));
    });
    Ok(0)
}

/// Each page with its file name: `assent.1`, `assent-gate.1`, `assent-gate-check.1` and so on, by name.
fn pages(mut command: Command) -> Result<Vec<(String, Vec<u8>)>> {
    command.build();
    let mut found = Vec::new();
    let mut left = vec![("assent".to_owned(), command)];
    while let Some((name, command)) = left.pop() {
        for below in command.get_subcommands().filter(is_shown) {
            left.push((format!("{name}-{}", below.get_name()), below.clone()));
        }
        let mut text = Vec::new();
        // Without a date: the same grammar makes the same pages.
        let page = clap_mangen::Man::new(command).title(&name).date("");
        page.render(&mut text)
            .map_err(|error| Failure::could_not(format!("The page `{name}` cannot be made: {error}.")))?;
        found.push((format!("{name}.1"), text));
    }
    found.sort();
    Ok(found)
}

/// The commands `help` would each bring a copy of every page.
fn is_shown(command: &&Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn each_command_has_a_page_that_names_it_and_its_options() {
        let pages = pages(Cli::command()).unwrap();
        let page = |name: &str| {
            let found = pages.iter().find(|(file, _)| file == name);
            String::from_utf8(found.unwrap_or_else(|| panic!("no page {name}")).1.clone()).unwrap()
        };
        assert!(pages.len() > 70, "{} pages", pages.len());
        assert!(page("assent.1").contains(".TH assent 1"));
        let check = page("assent-gate-check.1");
        assert!(
            check.contains(".TH assent\\-gate\\-check 1") || check.contains(".TH assent-gate-check 1"),
            "{check}"
        );
        assert!(check.contains("artifact"), "{check}");
    }
}
