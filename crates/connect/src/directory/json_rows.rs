//! Where the rows of a JSON text begin: an error in a row is reported with its line.

use std::collections::BTreeMap;

/// The lines, from 1, on which the rows of each list begin, by the list's key; the rows of a text that is a list itself have an
/// empty key. The text must be valid JSON; otherwise the result has no meaning.
pub fn lines_of_rows(text: &str) -> BTreeMap<String, Vec<usize>> {
    let mut walk = Walk::default();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let end = end_of(bytes, at);
        walk.take(*byte, text.get(at..end).unwrap_or_default());
        at = end;
    }
    walk.found
}

/// Where the token ends that begins here: a string and a bare literal are one token, anything else is a byte.
fn end_of(bytes: &[u8], at: usize) -> usize {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
    match bytes[at] {
        b'"' => {
            let mut end = at + 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            (end + 1).min(bytes.len())
        }
        byte if is_plain(&byte) => at + bytes[at..].iter().take_while(|byte| is_plain(byte)).count(),
        _ => at + 1,
    }
}

#[derive(Default)]
struct Walk {
    found: BTreeMap<String, Vec<usize>>,
    /// The brackets that are open.
    open: Vec<u8>,
    /// The key of the outermost object that was read last.
    key: String,
    is_value: bool,
    lines: usize,
}

impl Walk {
    fn take(&mut self, byte: u8, token: &str) {
        match byte {
            b'\n' => self.lines += 1,
            b' ' | b'\t' | b'\r' => {}
            b'{' | b'[' => {
                self.begin();
                self.open.push(byte);
                self.is_value = byte == b'[';
            }
            b'}' | b']' => drop(self.open.pop()),
            b':' => self.is_value = true,
            b',' => self.is_value = self.open.last() == Some(&b'['),
            b'"' if self.open == [b'{'] && !self.is_value => {
                self.key = serde_json::from_str(token).unwrap_or_default();
            }
            _ => self.begin(),
        }
    }

    /// A value begins: a row, if it is in a list of the text or of its outermost object.
    fn begin(&mut self) {
        let key = match self.open.as_slice() {
            [b'['] => "",
            [b'{', b'['] => self.key.as_str(),
            _ => return,
        };
        self.found.entry(key.to_owned()).or_default().push(self.lines + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, key: &str) -> Vec<usize> {
        lines_of_rows(text).remove(key).unwrap_or_default()
    }

    #[test]
    fn rows_are_found_on_the_lines_where_they_begin() {
        let text =
            "[\n  {\n    \"key\": \"a\",\n    \"note\": \"[{, \\\" ]\"\n  },\n\n  {\"key\": [1,\n2]}, 7,\ntrue ]";
        assert_eq!(lines(text, ""), [2, 7, 8, 9]);
        assert_eq!(lines("[{\"a\": 1}, {\"a\": 2}]", ""), [1, 1]);
        assert!(lines_of_rows("[]").is_empty());
    }

    #[test]
    fn lists_of_an_object_are_found_by_their_keys() {
        let text = "{\n \"services\": [\n  {\"key\": \"a\", \"list\": [\n 1]},\n  {\"key\": \"b\"}\n ],\n \"pe\\u006fple\": [{}]\n}";
        assert_eq!(lines(text, "services"), [3, 5]);
        assert_eq!(lines(text, "people"), [7]);
    }
}
