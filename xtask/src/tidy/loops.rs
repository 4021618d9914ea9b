//! Imports go in one direction: the largest group of files that import each other in a loop, per crate.
//!
//! A path through `crate`, `super` or `self` is an import of the file that it ends in; a re-export counts as an import of the file
//! that has the item. A file and its own submodules count as one place, and inline test modules do not count.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::Tree;
use super::{Finding, scan};

/// The largest loop that each crate may have. A bound only ever falls: a smaller loop than its bound is a finding too.
const LARGEST: &[(&str, usize)] = &[("connect", 2), ("policy", 3), ("proof", 2), ("server", 2)];

/// A module's path from the root of its crate.
type Module = Vec<String>;

/// Measures every crate.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut crates: BTreeMap<&str, BTreeMap<Module, &str>> = BTreeMap::new();
    for (path, text) in tree.rust() {
        let Some((name, file)) = path.strip_prefix("crates/").and_then(|rest| rest.split_once("/src/")) else {
            continue;
        };
        if !name.contains('/') && !file.starts_with("bin/") && file != "main.rs" {
            crates.entry(name).or_default().insert(module_of(file), text);
        }
    }
    let bound = |name: &str| LARGEST.iter().find(|(of, _)| *of == name).map_or(1, |(_, most)| *most);
    crates
        .into_iter()
        .filter_map(|(name, files)| judge(name, &largest_loop(&files), bound(name)))
        .collect()
}

fn judge(name: &str, found: &[Module], most: usize) -> Option<Finding> {
    let size = found.len().max(1);
    let text = match size {
        _ if size > most => {
            let names: Vec<String> = found.iter().map(|module| module.join("::")).collect();
            let names = names.join(", ");
            format!("{size} files import each other in a loop, where {most} may: {names}")
        }
        _ if size < most => format!("the largest loop is {size} by now; lower its bound of {most} in loops.rs"),
        _ => return None,
    };
    Some(Finding::new(&format!("crates/{name}/src"), 0, text))
}

fn module_of(file: &str) -> Module {
    let parts = file.trim_end_matches(".rs").split('/');
    parts
        .filter(|part| !["mod", "lib"].contains(part))
        .map(str::to_owned)
        .collect()
}

/// The files of the largest loop, or none.
fn largest_loop(files: &BTreeMap<Module, &str>) -> Vec<Module> {
    let paths: BTreeMap<&Module, Vec<Import>> = files.iter().map(|(at, text)| (at, imports(at, text))).collect();
    let exports = exports(files, &paths);
    let edges: BTreeMap<&Module, BTreeSet<&Module>> = paths
        .iter()
        .map(|(from, found)| {
            let ends = found.iter().filter_map(|import| end_of(files, &exports, &import.path));
            let others = ends.filter(|to| !to.starts_with(from) && !from.starts_with(to));
            (*from, others.collect())
        })
        .collect();
    let reach: BTreeMap<&Module, BTreeSet<&Module>> = edges.keys().map(|from| (*from, reached(&edges, from))).collect();
    let loops = reach.iter().map(|(from, ends)| {
        let back = ends.iter().filter(|end| reach[*end].contains(from));
        back.map(|module| (*module).clone()).collect::<Vec<_>>()
    });
    loops.max_by_key(Vec::len).unwrap_or_default()
}

fn reached<'a>(edges: &BTreeMap<&'a Module, BTreeSet<&'a Module>>, from: &Module) -> BTreeSet<&'a Module> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&Module> = edges[from].iter().copied().collect();
    while let Some(next) = open.pop() {
        if seen.insert(next) {
            open.extend(&edges[next]);
        }
    }
    seen
}

/// The names that each module re-exports, and their sources.
fn exports(
    files: &BTreeMap<Module, &str>,
    paths: &BTreeMap<&Module, Vec<Import>>,
) -> BTreeMap<(Module, String), Module> {
    let mut exports = BTreeMap::new();
    for (at, found) in paths {
        for import in found.iter().filter(|import| import.is_exported) {
            let relative = [at.as_slice(), &import.path].concat();
            let path = if ends_below(files, &relative) {
                relative
            } else {
                import.path.clone()
            };
            exports.insert(((*at).clone(), import.name.clone()), path);
        }
    }
    exports
}

fn ends_below(files: &BTreeMap<Module, &str>, path: &[String]) -> bool {
    (1..=path.len())
        .rev()
        .any(|length| length > 1 && files.contains_key(&path[..length]))
}

/// The file that a path ends in, through re-exports.
fn end_of<'a>(
    files: &'a BTreeMap<Module, &str>,
    exports: &BTreeMap<(Module, String), Module>,
    path: &[String],
) -> Option<&'a Module> {
    let mut path = path.to_vec();
    // A chain of re-exports that never ends does not compile.
    for _ in 0..8 {
        let length = (0..=path.len())
            .rev()
            .find(|length| files.contains_key(&path[..*length]))?;
        let next = path
            .get(length)
            .and_then(|name| exports.get(&(path[..length].to_vec(), name.clone())));
        match next {
            Some(next) => path = next.clone(),
            None => {
                return files
                    .get_key_value(&path[..length])
                    .map(|(module, _)| module)
                    .filter(|it| !it.is_empty());
            }
        }
    }
    None
}

/// A path of this crate that a file names.
struct Import {
    /// From the root of the crate.
    path: Module,
    /// The name that the file knows it by.
    name: String,
    is_exported: bool,
}

/// Every path through `crate`, `super` or `self` in a file, and every path that the file re-exports.
fn imports(at: &Module, text: &str) -> Vec<Import> {
    let scanned = scan::scan(text);
    let code = without_tests(&scanned.code);
    let mut tokens = tokens_of(&code);
    // Attributes of serde name functions in texts.
    for (_, string) in scanned
        .strings
        .iter()
        .filter(|(_, string)| string.starts_with("crate::"))
    {
        tokens.extend(tokens_of(string));
        tokens.push(";".to_owned());
    }
    let mut reader = Reader {
        at,
        tokens: &tokens,
        next: 0,
        depth: 0,
        found: Vec::new(),
    };
    reader.run();
    reader.found
}

/// The code before the inline module of tests.
fn without_tests(code: &str) -> String {
    let Some(start) = code.find("#[cfg(test)]\nmod tests {") else {
        return code.to_owned();
    };
    let end = code[start..]
        .find('{')
        .and_then(|open| scan::closing(code, start + open));
    format!("{}{}", &code[..start], end.map_or("", |end| &code[end + 1..]))
}

fn tokens_of(code: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut is_word = false;
    for letter in code.chars() {
        let goes_on = letter.is_alphanumeric() || letter == '_';
        match tokens.last_mut() {
            Some(last) if goes_on && is_word => last.push(letter),
            Some(last) if letter == ':' && last == ":" && !is_word => last.push(letter),
            _ if letter.is_whitespace() => {}
            _ => tokens.push(letter.to_string()),
        }
        is_word = goes_on;
    }
    tokens
}

struct Reader<'a> {
    at: &'a Module,
    tokens: &'a [String],
    next: usize,
    /// The number of enclosing inline modules; their `super` is this file.
    depth: usize,
    found: Vec<Import>,
}

impl Reader<'_> {
    fn run(&mut self) {
        while let Some(token) = self.tokens.get(self.next) {
            let before = self
                .next
                .checked_sub(1)
                .and_then(|i| self.tokens.get(i))
                .map_or("", String::as_str);
            match token.as_str() {
                "use" => {
                    let is_exported = self.is_public();
                    self.next += 1;
                    self.tree(&[], is_exported);
                }
                "crate" | "super" | "self" if before != "::" && self.token(1) == "::" => self.tree(&[], false),
                _ => self.next += 1,
            }
        }
    }

    fn token(&self, ahead: usize) -> &str {
        self.tokens.get(self.next + ahead).map_or("", String::as_str)
    }

    /// Whether the `use` at this place is public, by any measure.
    fn is_public(&self) -> bool {
        let before = |back: usize| {
            self.next
                .checked_sub(back)
                .and_then(|i| self.tokens.get(i))
                .map_or("", String::as_str)
        };
        before(1) == "pub" || (before(1) == ")" && before(4) == "pub")
    }

    /// Reads a path, or a tree of paths in brackets, behind a prefix.
    fn tree(&mut self, prefix: &[String], is_exported: bool) {
        let mut path = prefix.to_vec();
        loop {
            match self.token(0) {
                "{" => {
                    self.next += 1;
                    while !["}", ""].contains(&self.token(0)) {
                        self.tree(&path, is_exported);
                        self.next += usize::from(self.token(0) == ",");
                    }
                    self.next += 1;
                    return;
                }
                word if word == "*" || word.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                    path.push(word.to_owned());
                    self.next += 1;
                }
                _ => self.next += 1,
            }
            if self.token(0) != "::" {
                break;
            }
            self.next += 1;
            if self.token(0) == "<" {
                break;
            }
        }
        if self.token(0) == "as" {
            self.next += 1;
            let name = self.token(0).to_owned();
            self.next += 1;
            return self.keep(&path, name, is_exported);
        }
        let name = path
            .iter()
            .rev()
            .find(|word| *word != "self")
            .cloned()
            .unwrap_or_default();
        self.keep(&path, name, is_exported);
    }

    fn keep(&mut self, path: &[String], name: String, is_exported: bool) {
        let ups = path.iter().take_while(|word| *word == "super").count();
        let own = path
            .first()
            .is_some_and(|word| ["crate", "super", "self"].contains(&word.as_str()));
        if !own && !is_exported {
            return;
        }
        let base: &[String] = match path.first().map(String::as_str) {
            Some("super") => &self.at[..self.at.len().saturating_sub(ups.saturating_sub(self.depth))],
            Some("self") => self.at,
            _ => &[],
        };
        let rest = path.iter().skip(if own { ups.max(1) } else { 0 });
        let rest = rest.filter(|word| !["*", "self"].contains(&word.as_str()));
        let path = base.iter().chain(rest).cloned().collect();
        self.found.push(Import {
            path,
            name,
            is_exported,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).into_iter().map(|it| it.text).collect()
    }

    #[test]
    fn a_loop_is_found_through_groups_texts_and_re_exports() {
        let a = "use crate::{b::{self, Two}, other};\n";
        let b = "struct Two { #[serde(default = \"crate::c::three\")] x: u8 }\n";
        let c = "fn three(a: &super::One) {}\n";
        let root = "mod a; mod b; mod c;\npub use a::One;\n";
        let files = [
            ("crates/model/src/lib.rs", root),
            ("crates/model/src/a.rs", a),
            ("crates/model/src/b.rs", b),
            ("crates/model/src/c.rs", c),
        ];
        assert_eq!(
            found(&files),
            ["3 files import each other in a loop, where 1 may: a, b, c"]
        );
    }

    #[test]
    fn one_direction_a_files_own_parts_and_tests_are_no_loop() {
        let files = [
            ("crates/model/src/lib.rs", "mod a; mod b;\n"),
            (
                "crates/model/src/a.rs",
                "mod part;\nuse self::part::Low;\nuse crate::b::Two;\n",
            ),
            ("crates/model/src/a/part.rs", "use super::One;\n"),
            (
                "crates/model/src/b.rs",
                "struct Two;\n#[cfg(test)]\nmod tests {\n    use crate::a::One;\n}\n",
            ),
        ];
        assert_eq!(found(&files), Vec::<String>::new());
    }

    #[test]
    fn a_bound_only_falls() {
        assert!(judge("model", &[], 3).is_some_and(|it| it.text.contains("lower its bound")));
        assert!(judge("model", &[], 1).is_none());
    }
}
