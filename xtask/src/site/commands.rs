//! The reference of the command line, from the program's own help.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::shell;

/// The heading of the options that every command takes.
const COMMON: &str = "Everywhere:";
/// The most commands below each other; the grammar has three.
const MOST_DEEP: usize = 5;

/// Runs the program for its help, without this environment in the output.
///
/// # Errors
/// When it cannot be started or fails.
pub fn run_help(program: &Path, words: &[&str]) -> Result<String> {
    let mut command = Command::new(program);
    // Help shows the values of variables.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ASSENT_")) {
        command.env_remove(name);
    }
    shell::quiet(command.args(words).env("NO_COLOR", "1"))
}

/// A page for each command of the first level, and one that lists them.
///
/// # Errors
/// As [`run_help`].
pub fn pages(program: &Path) -> Result<Vec<(String, String)>> {
    let help = |words: &[String]| {
        let words: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
        run_help(program, &words)
    };
    pages_of(&help)
}

fn pages_of(help: &dyn Fn(&[String]) -> Result<String>) -> Result<Vec<(String, String)>> {
    let whole = help(&[])?;
    let mut index = format!(
        "# Command line\n\nGenerated from `assent --help`. What every command takes stands here alone.\n\n```text\n{}\n```\n\n\
         | Command | Purpose |\n|---|---|\n",
        whole.trim_end()
    );
    let mut pages = Vec::new();
    for (name, purpose) in commands(&whole) {
        index.push_str(&format!("| [`{name}`]({name}.md) | {} |\n", super::cell(&purpose)));
        let mut page = format!("# assent {name}\n\n");
        add_help(help, std::slice::from_ref(&name), &mut page)?;
        pages.push((format!("reference/commands/{name}.md"), page));
    }
    if pages.is_empty() {
        bail!("`assent --help` lists no command");
    }
    pages.push(("reference/commands/README.md".to_owned(), index));
    Ok(pages)
}

/// The help texts of a command and all below it.
fn add_help(help: &dyn Fn(&[String]) -> Result<String>, words: &[String], page: &mut String) -> Result<()> {
    if words.len() > MOST_DEEP {
        bail!("`assent {}` has commands without end", words.join(" "));
    }
    let text = help(words)?;
    if words.len() > 1 {
        let title = format!("assent {}", words.join(" "));
        page.push_str(&format!("## {title} {{#{}}}\n\n", super::slug(&title)));
    }
    page.push_str(&format!("```text\n{}\n```\n\n", without_common(&text)));
    for (name, _) in commands(&text) {
        let below = [words, &[name]].concat();
        add_help(help, &below, page)?;
    }
    Ok(())
}

/// The lines of a section: those that follow its name and are indented.
fn section<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let after = text.lines().skip_while(move |line| *line != name).skip(1);
    after.take_while(|line| line.is_empty() || line.starts_with(' '))
}

/// The commands that a help lists, each with its purpose.
fn commands(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in section(text, "Commands:").filter(|line| !line.is_empty()) {
        let words = line.trim();
        if line.starts_with("   ") {
            // A long purpose goes on in the next line.
            if let Some((_, purpose)) = found.last_mut() {
                purpose.push(' ');
                purpose.push_str(words);
            }
            continue;
        }
        let (name, purpose) = words.split_once(' ').unwrap_or((words, ""));
        found.push((name.to_owned(), purpose.trim().to_owned()));
    }
    found.retain(|(name, _)| name != "help");
    found
}

/// A help without the section of the options that every command takes.
fn without_common(text: &str) -> String {
    let mut kept = Vec::new();
    let mut is_common = false;
    for line in text.lines() {
        if !line.is_empty() && !line.starts_with(' ') {
            is_common = line == COMMON;
        }
        if !is_common {
            kept.push(line);
        }
    }
    kept.join("\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    const ROOT: &str = "Changes\n\nUsage: assent <COMMAND>\n\nCommands:\n  gate  Ask the gate\n        and wait\n  help  Print this\n\n\
        Options:\n  -h, --help  Print help\n\nEverywhere:\n      --server <URL>  The server\n\nExit codes: 0 yes\n";
    const GATE: &str = "Ask\n\nCommands:\n  check  Ask once\n\nEverywhere:\n      --server <URL>  The server\n";
    const CHECK: &str = "Ask once\n\nOptions:\n      --wait <S>   Wait\n\nEverywhere:\n      --server <URL>\n          The server\n\nExample: x\n";

    fn told(words: &[String]) -> Result<String> {
        let text = match words {
            [] => ROOT,
            [_] => GATE,
            _ => CHECK,
        };
        Ok(text.to_owned())
    }

    #[test]
    fn each_command_has_a_page_and_those_below_stand_on_it() {
        let pages = pages_of(&told).unwrap();
        let names: Vec<&str> = pages.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(names, ["reference/commands/gate.md", "reference/commands/README.md"]);
        assert!(
            pages[0].1.contains("## assent gate check {#assent-gate-check}"),
            "{}",
            pages[0].1
        );
        assert!(
            pages[1].1.contains("| [`gate`](gate.md) | Ask the gate and wait |"),
            "{}",
            pages[1].1
        );
    }

    #[test]
    fn what_every_command_takes_is_told_once() {
        let page = &pages_of(&told).unwrap()[0].1;
        assert!(
            page.contains("--wait") && page.contains("Example: x") && !page.contains("--server"),
            "{page}"
        );
    }
}
