//! Reads a policy file's outline before Cedar parses it: the start, nesting and length of each policy.
//!
//! Cedar's parser recurses without a limit, so about 130 nested brackets abort a process with a small stack, without a
//! panic to catch (cedar-policy/cedar#2383). Nothing reaches it that this scanner has not measured. The scanner splits
//! the text as Cedar's lexer does: strings `"(\\.|[^"\\])*"`, comments from `//` to the end of the line.

use crate::{Finding, limits};

/// One policy in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement<'a> {
    /// The policy's text from its first token to its semicolon.
    pub text: &'a str,
    /// The offset of the text in the file, in bytes.
    pub offset: usize,
    /// The annotations' keys and where each begins in the file, in bytes.
    pub annotations: Vec<(&'a str, usize)>,
    /// The offset of the first `in` after the scope, in bytes of the file.
    pub membership: Option<usize>,
    /// The place where the text stops being readable, if it is nested too deep, too long or has an open string.
    pub trouble: Option<Trouble>,
}

/// The reason why a policy may not be given to the parser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub code: &'static str,
    pub text: String,
    pub offset: usize,
}

/// The line of a byte in a text, from 1.
pub(crate) fn line_of(text: &str, offset: usize) -> u32 {
    let before = &text[..text.floor_char_boundary(offset)];
    let breaks = before.matches('\n').count();
    u32::try_from(breaks + 1).unwrap_or(u32::MAX)
}

/// A token of the outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Word,
    Text,
    Open,
    Close,
    End,
    Other,
    /// A string without an end, or with a line break behind a backslash, which Cedar does not read.
    OpenText,
}

/// Splits a text into policies. A last policy without a semicolon is passed unchanged, for the parser to refuse.
pub(crate) fn statements(text: &str) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((statement, next)) = statement(text, at) {
        found.push(statement);
        at = next;
    }
    found
}

/// Refuses a schema that nests too deep for Cedar's schema parser, which also recurses without a limit.
pub(crate) fn schema_trouble(schema: &str) -> Option<Finding> {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some((token, start, end)) = next_token(schema, at) {
        at = end;
        match (token, &schema[start..end]) {
            (Token::Open, _) | (_, "<") => depth += 1,
            (Token::Close, _) | (_, ">") => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limits::NESTING {
            return Some(Finding {
                file: "schema".to_owned(),
                line: line_of(schema, start),
                code: "too_deep",
                text: format!("the schema nests deeper than {} brackets", limits::NESTING),
                help: None,
            });
        }
    }
    None
}

/// The scanner's state inside one policy.
#[derive(Default)]
struct Outline {
    depth: usize,
    ifs: usize,
    tokens: usize,
    in_condition: bool,
    awaits_key: bool,
}

fn statement(text: &str, from: usize) -> Option<(Statement<'_>, usize)> {
    let (_, offset, _) = next_token(text, from)?;
    let mut statement = Statement {
        text: "",
        offset,
        annotations: Vec::new(),
        membership: None,
        trouble: None,
    };
    let mut outline = Outline::default();
    let mut at = offset;
    while let Some((token, start, end)) = next_token(text, at) {
        at = end;
        outline.tokens += 1;
        let word = &text[start..end];
        let trouble = outline.step(token, word, start);
        if statement.trouble.is_none() {
            statement.trouble = trouble;
        }
        outline.note(token, word, start, &mut statement);
        if token == Token::End {
            break;
        }
    }
    statement.text = text[offset..at].trim_end();
    Some((statement, at))
}

impl Outline {
    /// Counts one token and reports whether the policy has become too deep or too long.
    fn step(&mut self, token: Token, word: &str, offset: usize) -> Option<Trouble> {
        match token {
            Token::Open => self.depth += 1,
            Token::Close => self.depth = self.depth.saturating_sub(1),
            Token::Word if word == "if" => self.ifs += 1,
            _ => {}
        }
        if token == Token::OpenText {
            return Some(Trouble {
                code: "open_text",
                text: "a quoted text is not closed".to_owned(),
                offset,
            });
        }
        if self.depth + self.ifs > limits::NESTING {
            let text = format!(
                "the policy nests deeper than {} (brackets and `if` together)",
                limits::NESTING
            );
            return Some(Trouble {
                code: "too_deep",
                text,
                offset,
            });
        }
        if self.tokens > limits::TOKENS {
            let text = format!("the policy has more than {} tokens", limits::TOKENS);
            return Some(Trouble {
                code: "too_long",
                text,
                offset,
            });
        }
        None
    }

    /// Records annotations, and an `in` after the scope.
    fn note<'a>(&mut self, token: Token, word: &'a str, offset: usize, statement: &mut Statement<'a>) {
        if self.awaits_key && token == Token::Word {
            statement.annotations.push((word, offset));
        }
        self.awaits_key = word == "@" && self.depth == 0;
        let is_membership = self.in_condition && word == "in" && token == Token::Word;
        if is_membership && statement.membership.is_none() {
            statement.membership = Some(offset);
        }
        // An annotation's value is in brackets too, so the scope is recognised by the token before it.
        if token == Token::Word && self.depth == 0 && matches!(word, "when" | "unless") {
            self.in_condition = true;
        }
    }
}

/// The next token at or behind `from`, with its range in bytes.
fn next_token(text: &str, from: usize) -> Option<(Token, usize, usize)> {
    let start = skip_blank(text, from);
    let first = text[start..].chars().next()?;
    if first == '"' {
        let (end, is_whole) = text_end(text, start);
        return Some((if is_whole { Token::Text } else { Token::OpenText }, start, end));
    }
    if first.is_alphanumeric() || first == '_' {
        let length = text[start..]
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(text.len() - start);
        return Some((Token::Word, start, start + length));
    }
    const PAIRS: [&str; 7] = ["::", "==", "!=", "<=", ">=", "||", "&&"];
    if PAIRS.iter().any(|pair| text[start..].starts_with(pair)) {
        return Some((Token::Other, start, start + 2));
    }
    let token = match first {
        '(' | '[' | '{' => Token::Open,
        ')' | ']' | '}' => Token::Close,
        ';' => Token::End,
        _ => Token::Other,
    };
    Some((token, start, start + first.len_utf8()))
}

/// The end of blanks and comments.
fn skip_blank(text: &str, from: usize) -> usize {
    let mut at = from;
    loop {
        let rest = &text[at..];
        let trimmed = rest.trim_start();
        at += rest.len() - trimmed.len();
        if !trimmed.starts_with("//") {
            return at;
        }
        // Cedar ends a comment at a carriage return too; a scanner that read on would miss the text behind it.
        at += trimmed.find(['\n', '\r']).unwrap_or(trimmed.len());
    }
}

/// The end of a text in quotes, and whether it has the form that Cedar requires.
fn text_end(text: &str, start: usize) -> (usize, bool) {
    let mut is_escaped = false;
    for (place, c) in text[start + 1..].char_indices() {
        if is_escaped {
            if c == '\n' {
                return (text.len(), false);
            }
            is_escaped = false;
        } else if c == '\\' {
            is_escaped = true;
        } else if c == '"' {
            return (start + 1 + place + 1, true);
        }
    }
    (text.len(), false)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says by panicking what is wrong")]
    use super::*;

    #[test]
    fn splits_at_semicolons_outside_texts_and_comments() {
        let text = "// a; b\n@id(\"x;y\") permit(a); // c;\r\n\n permit (b);\nforbid";
        let found = statements(text);
        let texts: Vec<&str> = found.iter().map(|s| s.text).collect();
        assert_eq!(texts, ["@id(\"x;y\") permit(a);", "permit (b);", "forbid"]);
        assert_eq!(found[0].annotations, [("id", 9)]);
        assert_eq!(line_of(text, found[1].offset), 4);
    }

    #[test]
    fn a_carriage_return_ends_a_comment() {
        let text = format!(
            "// hidden \r permit(a) when {{ {}1{} }};",
            "(".repeat(40),
            ")".repeat(40)
        );
        assert_eq!(statements(&text)[0].trouble.as_ref().unwrap().code, "too_deep");
    }

    #[test]
    fn measures_depth_length_and_ifs() {
        let deep = format!("permit(a) when {{ {}true{} }};", "(".repeat(32), ")".repeat(32));
        assert_eq!(statements(&deep)[0].trouble.as_ref().unwrap().code, "too_deep");
        let fits = format!("permit(a) when {{ {}true{} }};", "(".repeat(31), ")".repeat(31));
        assert_eq!(statements(&fits)[0].trouble, None);
        let long = format!("permit(a) when {{ 1{} }};", "+1".repeat(500));
        assert_eq!(statements(&long)[0].trouble.as_ref().unwrap().code, "too_long");
        let chain = format!("permit(a) when {{ {} true }};", "if true then true else ".repeat(40));
        assert_eq!(statements(&chain)[0].trouble.as_ref().unwrap().code, "too_deep");
        let open = "permit(a) when { \"open };";
        assert_eq!(statements(open)[0].trouble.as_ref().unwrap().code, "open_text");
    }

    #[test]
    fn sees_membership_behind_the_scope_only() {
        let scope = "permit(principal, action in [A], resource) when { true };";
        assert_eq!(statements(scope)[0].membership, None);
        let condition = "permit(p) when { a in b };";
        assert_eq!(statements(condition)[0].membership, Some(19));
        let text = "permit(p) when { a == \"in\" };";
        assert_eq!(statements(text)[0].membership, None);
    }
}
