//! A reader of Rust source that is just clever enough: it knows strings, characters and comments.
//!
//! Rules look at [`Scanned::code`], in which the inside of every string, character and comment is blanked, so that text is
//! never taken for code. Lines keep their numbers.

/// A Rust file taken apart.
pub struct Scanned {
    /// The source with strings, characters and comments blanked; as many lines as the source.
    pub code: String,
    /// Every string literal with the line it begins on, as written between its quotes.
    pub strings: Vec<(usize, String)>,
    /// Every comment with the line it begins on, its marks included.
    pub comments: Vec<(usize, String)>,
}

/// Takes a source apart. Anything unfinished runs to the end of the file.
pub fn scan(source: &str) -> Scanned {
    let mut scanner = Scanner {
        source: source.chars().collect(),
        at: 0,
        line: 1,
        out: Scanned {
            code: String::with_capacity(source.len()),
            strings: Vec::new(),
            comments: Vec::new(),
        },
    };
    scanner.run();
    scanner.out
}

/// The line of a byte position in a text, counted from 1.
pub fn line_of(text: &str, position: usize) -> usize {
    text.as_bytes()
        .iter()
        .take(position)
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// The places of `word` in `code` as a whole identifier: no letter, digit or `_` touches it.
pub fn find_words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word)
        .map(|(position, _)| position)
        .filter(move |position| {
            let before = code[..*position].chars().next_back();
            let after = code[position + word.len()..].chars().next();
            !before.is_some_and(is_part) && !after.is_some_and(is_part)
        })
}

/// The position of the bracket that closes the one at `open`, in code that is already blanked.
pub fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, byte) in code.as_bytes().iter().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(offset);
                }
            }
            _ => {}
        }
    }
    None
}

struct Scanner {
    source: Vec<char>,
    at: usize,
    line: usize,
    out: Scanned,
}

impl Scanner {
    fn run(&mut self) {
        while let Some(next) = self.peek(0) {
            match (next, self.peek(1)) {
                ('/', Some('/')) => self.line_comment(),
                ('/', Some('*')) => self.block_comment(),
                ('"', _) => self.string(),
                ('r', Some('"' | '#')) if !self.inside_word() => self.maybe_raw_string(),
                ('\'', _) => self.quote(),
                _ => self.keep(),
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.source.get(self.at + ahead).copied()
    }

    /// Whether the character before belongs to an identifier that goes on here. The prefixes `b` and `c` of byte and C strings
    /// are no such identifier when they are alone.
    fn inside_word(&self) -> bool {
        let before = |back: usize| self.at.checked_sub(back).and_then(|i| self.source.get(i));
        let is_part = |c: &char| c.is_alphanumeric() || *c == '_';
        match before(1) {
            Some('b' | 'c') => before(2).is_some_and(is_part),
            Some(c) => is_part(c),
            None => false,
        }
    }

    /// Takes one character over as it is.
    fn keep(&mut self) {
        if let Some(next) = self.peek(0) {
            self.out.code.push(next);
            self.step(next);
        }
    }

    /// Takes one character over as a blank, or as the line's end that it is.
    fn blank(&mut self) -> Option<char> {
        let next = self.peek(0)?;
        self.out.code.push(if next == '\n' { '\n' } else { ' ' });
        self.step(next);
        Some(next)
    }

    fn step(&mut self, passed: char) {
        self.at += 1;
        self.line += usize::from(passed == '\n');
    }

    fn line_comment(&mut self) {
        let line = self.line;
        let mut text = String::new();
        while self.peek(0).is_some_and(|next| next != '\n') {
            text.extend(self.blank());
        }
        self.out.comments.push((line, text));
    }

    fn block_comment(&mut self) {
        let line = self.line;
        let mut text = String::new();
        let mut depth = 0_usize;
        while let Some(next) = self.peek(0) {
            let pair = (next, self.peek(1));
            if pair == ('/', Some('*')) || pair == ('*', Some('/')) {
                text.extend(self.blank());
                depth = if next == '/' {
                    depth + 1
                } else {
                    depth.saturating_sub(1)
                };
            }
            text.extend(self.blank());
            if depth == 0 {
                break;
            }
        }
        self.out.comments.push((line, text));
    }

    fn string(&mut self) {
        let line = self.line;
        let mut text = String::new();
        self.keep();
        while let Some(next) = self.peek(0) {
            match next {
                '"' => break,
                '\\' => {
                    text.extend(self.blank());
                    text.extend(self.blank());
                }
                _ => text.extend(self.blank()),
            }
        }
        self.keep();
        self.out.strings.push((line, text));
    }

    /// `r"…"` and `r#"…"#`; but `r#fn` is an identifier.
    fn maybe_raw_string(&mut self) {
        let hashes = self.source[self.at + 1..].iter().take_while(|c| **c == '#').count();
        self.keep();
        if self.peek(hashes) != Some('"') {
            return;
        }
        let line = self.line;
        for _ in 0..=hashes {
            self.keep();
        }
        let mut text = String::new();
        while self.peek(0).is_some() && !self.raw_end(hashes) {
            text.extend(self.blank());
        }
        for _ in 0..=hashes {
            self.keep();
        }
        self.out.strings.push((line, text));
    }

    fn raw_end(&self, hashes: usize) -> bool {
        self.peek(0) == Some('"') && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#'))
    }

    /// A character literal or the mark of a lifetime.
    fn quote(&mut self) {
        let escaped = self.peek(1) == Some('\\');
        if !escaped && self.peek(2) != Some('\'') {
            self.keep();
            return;
        }
        self.keep();
        if escaped {
            self.blank();
        }
        self.blank();
        while self.peek(0).is_some_and(|next| next != '\'' && next != '\n') {
            self.blank();
        }
        self.keep();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    #[test]
    fn braces_in_texts_are_no_code() {
        let source = "fn a() { let s = \"}{\\\"}\"; let c = '}'; let d = '\\''; } // }\n";
        let code = scan(source).code;
        assert_eq!(code.matches('}').count(), 1);
        assert_eq!(code.matches('{').count(), 1);
    }

    #[test]
    fn raw_strings_end_at_their_own_hashes() {
        let scanned = scan("let a = r#\"one \" two\"#; let r#fn = br\"x\"; let b = for_r;");
        let texts: Vec<&str> = scanned.strings.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["one \" two", "x"]);
        assert!(scanned.code.contains("r#fn"));
    }

    #[test]
    fn lifetimes_are_no_characters() {
        let scanned = scan("fn a<'x>(b: &'x str) -> &'x str { \"'\" }");
        assert!(scanned.code.contains("&'x str {"));
        assert_eq!(scanned.strings, [(1, "'".to_owned())]);
    }

    #[test]
    fn nested_comments_are_one_and_lines_keep_their_numbers() {
        let scanned = scan("/* a /* b */\n c */ let x = 1;\n// d\nlet s = \"two\nlines\";");
        assert_eq!(scanned.comments.len(), 2);
        assert_eq!(scanned.comments[1].0, 3);
        assert_eq!(scanned.strings[0].0, 4);
        assert_eq!(scanned.code.lines().count(), 5);
        assert!(scanned.code.contains("let x = 1;"));
    }

    #[test]
    fn whole_words_only() {
        let found: Vec<usize> = find_words("now know now_then now", "now").collect();
        assert_eq!(found, [0, 18]);
    }

    #[test]
    fn a_bracket_finds_its_partner() {
        assert_eq!(closing("a { b { c } d } e", 2), Some(14));
        assert_eq!(closing("a { b", 2), None);
    }
}
