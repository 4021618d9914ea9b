//! A filter that selects among several values and compares a part of the selected ones, as Entra uses for a match by address:
//! `emails[type eq "work"].value eq "ada@acme.example"`. RFC 7644 knows this form in paths of PATCH alone, so it is rewritten
//! before it is read, into `emails[(type eq "work") and value eq "ada@acme.example"]`.

use std::borrow::Cow;

use scim_v2::filter::{Filter, PatchPath};

/// The keywords of the grammar as the library reads them: `not` with a space before its bracket, where the RFC has none
/// (`not(active eq true)`), and `true`, `false` and `null` in small letters, which some clients write as `True`.
pub(crate) fn spaced(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_.:$".contains(byte);
    let (mut out, mut done, mut at) = (String::new(), 0, 0);
    while let Some(byte) = bytes.get(at) {
        if *byte == b'"' {
            at = end_of_text(text, at);
            continue;
        }
        let length = bytes[at..].iter().take_while(is_word).count();
        if length == 0 {
            at += 1;
            continue;
        }
        let (word, end) = (&text[at..at + length], at + length);
        let written = if word.eq_ignore_ascii_case("not") && bytes.get(end) == Some(&b'(') {
            Some(format!("{word} "))
        } else {
            // A literal follows its operator; a name of these letters would precede one.
            let small = word.to_ascii_lowercase();
            let is_literal = matches!(small.as_str(), "true" | "false" | "null") && small != word;
            let is_last = matches!(text[end..].trim_start().bytes().next(), None | Some(b')' | b']'));
            let goes_on = ["and ", "or "].iter().any(|it| {
                let rest = text[end..].trim_start();
                rest.get(..it.len()).is_some_and(|head| head.eq_ignore_ascii_case(it))
            });
            (is_literal && (is_last || goes_on)).then_some(small)
        };
        if let Some(written) = written {
            out.push_str(&text[done..at]);
            out.push_str(&written);
            done = end;
        }
        at = end;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// A filter as the library reads it.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    match spaced(text) {
        Cow::Borrowed(text) => chosen_apart(text),
        Cow::Owned(text) => Cow::Owned(chosen_apart(&text).into_owned()),
    }
}

/// A filter in the RFC's own grammar. A text of another form stays unchanged, and its reader refuses it.
///
/// Each moved piece was read by the grammar by itself before, so that its brackets and quotes are balanced: a text that is no
/// filter does not become one by being rewritten.
fn chosen_apart(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut done = 0;
    let mut open = None;
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at) {
        match byte {
            b'"' => {
                at = end_of_text(text, at);
                continue;
            }
            b'[' => open = Some(at),
            b']' => {
                if let Some(piece) = open.take().and_then(|from| Piece::read(text, from, at)) {
                    out.push_str(&text[done..piece.from]);
                    piece.write(&mut out);
                    (done, at) = (piece.to, piece.to);
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// Where the text in quotes that begins here ends, just behind its last quote; the end of all where it has none.
fn end_of_text(text: &str, from: usize) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(from + 1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// `attribute[choice].part operator value`.
struct Piece<'a> {
    from: usize,
    to: usize,
    attribute: &'a str,
    choice: &'a str,
    test: &'a str,
}

impl<'a> Piece<'a> {
    /// Reads the piece whose brackets are at `open` and `close`; `None` for any other form.
    fn read(text: &'a str, open: usize, close: usize) -> Option<Self> {
        let of_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:$".contains(byte);
        let from = open
            - text.as_bytes()[..open]
                .iter()
                .rev()
                .take_while(|it| of_path(it))
                .count();
        let behind = text[close + 1..].strip_prefix('.')?;
        let length = test_length(behind)?;
        let (begin, to) = (close + 2, close + 2 + length);
        let name = behind.split_ascii_whitespace().next()?;
        let path: PatchPath = format!("{}.{name}", &text[from..=close]).parse().ok()?;
        if !matches!(path, PatchPath::Value(_)) || !matches!(text[begin..to].parse(), Ok(Filter::Attr(_))) {
            return None;
        }
        Some(Self {
            from,
            to,
            attribute: &text[from..open],
            choice: &text[open + 1..close],
            test: &text[begin..to],
        })
    }

    fn write(&self, out: &mut String) {
        for part in [self.attribute, "[(", self.choice, ") and ", self.test, "]"] {
            out.push_str(part);
        }
    }
}

/// How long the comparison is with which a text begins: `value eq "x"` or `value pr`.
fn test_length(text: &str) -> Option<usize> {
    let space = |at: usize| text[at..].bytes().take_while(u8::is_ascii_whitespace).count();
    let word = |at: usize| text[at..].bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = text
        .bytes()
        .take_while(|it| it.is_ascii_alphanumeric() || b"-_".contains(it))
        .count();
    let gap = space(name);
    let operator = name + gap;
    let end = operator + word(operator);
    if name == 0 || gap == 0 || end == operator {
        return None;
    }
    if text[operator..end].eq_ignore_ascii_case("pr") {
        return Some(end);
    }
    let value = end + space(end);
    if text[value..].starts_with('"') {
        return Some(end_of_text(text, value));
    }
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"()[]".contains(byte);
    let bare = text.as_bytes()[value..].iter().take_while(|it| !ends(it)).count();
    (bare > 0).then_some(value + bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_stands_right_before_its_bracket() {
        for (text, wanted) in [
            (r#"not(userName eq "not(x")"#, r#"not (userName eq "not(x")"#),
            (r#"NOT(a pr) and b[not(c pr)]"#, r#"NOT (a pr) and b[not (c pr)]"#),
            ("(not(not(a pr)))", "(not (not (a pr)))"),
            ("knot(a pr)", "knot(a pr)"),
            ("not (a pr)", "not (a pr)"),
            ("not", "not"),
        ] {
            assert_eq!(plain(text), wanted);
        }
        assert!(plain("not(userName pr)").parse::<Filter>().is_ok());
    }

    #[test]
    fn a_part_of_chosen_values_becomes_a_choice_of_its_own() {
        for (text, wanted) in [
            (
                r#"emails[type eq "work"].value eq "a@b""#,
                r#"emails[(type eq "work") and value eq "a@b"]"#,
            ),
            (
                r#"active eq true and (emails[type eq "work" or primary eq true].value co "]." or title pr)"#,
                r#"active eq true and (emails[(type eq "work" or primary eq true) and value co "]."] or title pr)"#,
            ),
            (
                r#"not (emails[type eq "a]b[c\"].value eq "].value eq null)"#,
                r#"not (emails[(type eq "a]b[c\"].value eq ") and value eq null])"#,
            ),
            (
                r#"a[b eq "1"].c pr and d[e eq "2"].f Eq false"#,
                r#"a[(b eq "1") and c pr] and d[(e eq "2") and f Eq false]"#,
            ),
            (
                r#"urn:x:2.0:User:emails[type eq "work"].value sw "é]""#,
                r#"urn:x:2.0:User:emails[(type eq "work") and value sw "é]"]"#,
            ),
        ] {
            assert_eq!(plain(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_not_of_this_form_stays_as_it_is() {
        for text in [
            r#"emails[type eq "work"]"#,
            r#"emails[type eq "work"] and userName eq "x""#,
            r#"userName eq "emails[type eq \"work\"].value eq \"x\"""#,
            // Brackets that would close others if nested in some.
            r#"emails[type eq "a") or (type eq "b"].value eq "x""#,
            r#"emails[type eq "work"].value eq "x"#,
            r#"emails[type eq "work"].value eq"#,
            r#"emails[type eq "work"].value.more eq "x""#,
            r#"emails[type eq "work"].value"#,
            r#"emails[type eq "work"]..value eq "x""#,
            r#"emails[type eq "work"].value eq x"#,
            r#"emails[type eq "work"].value eq ) or (title pr"#,
            r#"emails[].value eq "x""#,
            r#"[type eq "work"].value eq "x""#,
            r#"].value eq "x""#,
            "[",
            "]",
            "[]",
            "].",
            "\"",
            "é[é].é é é",
        ] {
            assert!(matches!(plain(text), Cow::Borrowed(_)), "{text} became {}", plain(text));
        }
    }
}
