//! Every command of the program that a document names exists, with the options that stand there. The guide's own blocks are run by
//! other tests; this one also reads what stands inside sentences and in examples that only an installation can run.

#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::path::{Path, PathBuf};

use assent::cli::Cli;
use clap::{Command, CommandFactory};

/// Signs behind which another command begins.
const BREAKS: &[&str] = &["&&", "||", "|", ";", "$(", ")", "`", "<(", ">"];
/// Words of a shell before a command.
const BEFORE: &[&str] = &["!", "$", "do", "if", "sudo", "then", "until", "while"];
/// A word behind the program's name in the settings of Postfix, where it is a service.
const OF_POSTFIX: &str = "unix";
/// At least so many commands stand in the documents.
const LEAST: usize = 200;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn add_pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            add_pages(&path, found);
        } else if path.extension().is_some_and(|end| end == "md") {
            found.push(path);
        }
    }
}

/// The lines of code of a page: of its blocks, and between backticks.
fn code(page: &str) -> Vec<String> {
    let (mut found, mut is_block) = (Vec::new(), false);
    for line in page.replace("\\\n", " ").lines() {
        if line.trim_start().starts_with("```") {
            is_block = !is_block;
        } else if is_block || line.starts_with("    ") {
            found.push(line.to_owned());
        } else {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

/// The words of each command of the program in a line, without its name.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut parts = vec![line.to_owned()];
    for sign in BREAKS {
        parts = parts
            .iter()
            .flat_map(|part| part.split(*sign).map(str::to_owned))
            .collect();
    }
    let is_before =
        |word: &&str| BEFORE.contains(word) || word.split_once('=').is_some_and(|(name, _)| is_variable(name));
    let words_of = |part: &String| {
        let mut words = part.split_whitespace().skip_while(is_before);
        (words.next() == Some("assent")).then(|| words.map(bare).collect())
    };
    parts.iter().filter_map(words_of).collect()
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

/// A word without the signs around it.
fn bare(word: &str) -> String {
    word.trim_matches(|c: char| "\"'.,:[]".contains(c)).to_owned()
}

/// The option of this name, of a command or of all of them.
fn takes_value(cli: &Command, command: &Command, name: &str) -> Option<bool> {
    let mut options = command.get_arguments().chain(cli.get_arguments());
    let is_it = |it: &&clap::Arg| {
        let others = it.get_all_aliases().unwrap_or_default();
        it.get_long() == Some(name) || others.contains(&name)
    };
    options.find(is_it).map(|it| it.get_action().takes_values())
}

/// What is wrong with the words of a command; `None` where all of them exist.
fn wrong(cli: &Command, words: &[String]) -> Option<String> {
    let (mut command, mut words) = (cli, words.iter());
    while let Some(word) = words.next() {
        if let Some(option) = word.strip_prefix("--") {
            let (name, has_value) = option.split_once('=').map_or((option, false), |(name, _)| (name, true));
            if name.is_empty() || matches!(name, "help" | "version") {
                continue;
            }
            match takes_value(cli, command, name) {
                None => return Some(format!("`{}` has no --{name}", command.get_name())),
                Some(true) if !has_value => {
                    let _ = words.next();
                }
                Some(_) => {}
            }
        } else if command.has_subcommands() {
            let is_name = word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
            if !is_name || word.is_empty() || word == "help" || word == OF_POSTFIX {
                return None;
            }
            match command.find_subcommand(word) {
                Some(found) => command = found,
                None => return Some(format!("`{}` has no command `{word}`", command.get_name())),
            }
        }
    }
    None
}

#[test]
fn every_command_that_a_document_names_exists() {
    let cli = Cli::command();
    let mut pages = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    add_pages(&root().join("docs"), &mut pages);
    let (mut count, mut found) = (0, Vec::new());
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        for words in code(&text).iter().flat_map(|line| commands(line)) {
            count += 1;
            let told = wrong(&cli, &words);
            found.extend(told.map(|why| format!("{}: {why}: assent {}", page.display(), words.join(" "))));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(count >= LEAST, "only {count} commands were found");
}

#[test]
fn commands_are_found_in_lines_and_wrong_ones_are_named() {
    let cli = Cli::command();
    let of = |line: &str| {
        commands(line)
            .iter()
            .map(|words| wrong(&cli, words))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of("ASSENT_TOKEN=x assent --json --as acme/ada change new --title 'A' && ./deploy.sh"),
        [None]
    );
    assert_eq!(of("kubectl --namespace assent create secret"), []);
    assert_eq!(of("KEY=$(assent change list | jq .)"), [None]);
    for bad in [
        "assent change create",
        "assent change new --titel x",
        "assent chnage new",
    ] {
        assert!(matches!(&of(bad)[..], [Some(_)]), "{bad}");
    }
}
