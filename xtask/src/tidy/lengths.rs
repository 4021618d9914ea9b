//! Functions of at most 70 lines, Rust files of at most 800.

use super::tree::Tree;
use super::{Finding, scan};

const FUNCTION_LINES: usize = 70;
const FILE_LINES: usize = 800;

/// Measures every Rust file and every function with a body in it.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust() {
        let lines = text.lines().count();
        if lines > FILE_LINES {
            let text = format!("{lines} lines; a file has at most {FILE_LINES}");
            findings.push(Finding::new(path, lines, text));
        }
        for function in functions(text) {
            if function.lines > FUNCTION_LINES {
                let text = format!(
                    "`{}` has {} lines; a function has at most {FUNCTION_LINES}",
                    function.name, function.lines
                );
                findings.push(Finding::new(path, function.line, text));
            }
        }
    }
    findings
}

struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// Every function with a body, from the line of its `fn` to the line of its last bracket.
fn functions(source: &str) -> Vec<Function> {
    let code = scan::scan(source).code;
    let mut functions = Vec::new();
    for at in scan::find_words(&code, "fn") {
        let rest = code[at + 2..].trim_start();
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if name.is_empty() {
            continue;
        }
        let Some(open) = body(&code, at) else {
            continue;
        };
        let Some(end) = scan::closing(&code, open) else {
            continue;
        };
        let line = scan::line_of(&code, at);
        let lines = scan::line_of(&code, end) + 1 - line;
        functions.push(Function { name, line, lines });
    }
    functions
}

/// Where the body opens: the first curly bracket outside of the signature's own brackets, unless
/// the declaration ends before it.
fn body(code: &str, at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, byte) in code.as_bytes().iter().enumerate().skip(at) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b'{' if depth == 0 => return Some(offset),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        format!(
            "fn long(a: [u8; 2]) -> u8 {{\n{}}}\n",
            "    let _ = '}';\n".repeat(lines - 2)
        )
    }

    #[test]
    fn seventy_lines_pass_and_seventy_one_do_not() {
        let (good, bad) = (function(70), function(71));
        assert_eq!(check(&Tree::of(&[("a.rs", &good)])), []);
        let findings = check(&Tree::of(&[("a.rs", &bad)]));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].text.contains("`long` has 71 lines"), "{findings:?}");
    }

    #[test]
    fn declarations_and_function_types_have_no_length() {
        let source = "trait A { fn a(&self) -> u8; }\ntype B = fn(u8) -> u8;\nfn c() { let s = \"fn d() {\"; }";
        let names: Vec<String> = functions(source).into_iter().map(|f| f.name).collect();
        assert_eq!(names, ["c"]);
    }

    #[test]
    fn a_file_of_801_lines_is_found() {
        let (good, bad) = ("// x\n".repeat(800), "// x\n".repeat(801));
        assert_eq!(check(&Tree::of(&[("a.rs", &good)])), []);
        assert_eq!(check(&Tree::of(&[("a.rs", &bad)])).len(), 1);
    }
}
