//! The text of a PDF in Helvetica, one of the 14 fonts that every reader has: its widths and its encoding (WinAnsiEncoding of
//! ISO 32000-1, annex D). No font is embedded, so the text can be selected, and the same text gives the same bytes.

/// A weight of the font.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Helvetica.
    Plain,
    /// Helvetica-Bold.
    Bold,
}

/// The widths of the characters from space to tilde, in thousandths of the size (Adobe's metrics of Helvetica).
const PLAIN: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
];
/// The same of Helvetica-Bold.
const BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611,
    556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389,
    280, 389, 584,
];
/// The width of a character beyond ASCII: not less than most have.
const BEYOND: u16 = 1_000;

/// The characters of the code page from 0x80 to 0x9f that Latin-1 does not have there.
const SPECIAL: [(char, u8); 10] = [
    ('\u{20ac}', 0x80),
    ('\u{2026}', 0x85),
    ('\u{2018}', 0x91),
    ('\u{2019}', 0x92),
    ('\u{201c}', 0x93),
    ('\u{201d}', 0x94),
    ('\u{2022}', 0x95),
    ('\u{2013}', 0x96),
    ('\u{2014}', 0x97),
    ('\u{2122}', 0x99),
];

/// The code of a character, where the font has it.
fn code(letter: char) -> Option<u8> {
    match letter {
        ' '..='~' | '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(letter)).ok(),
        _ => SPECIAL
            .iter()
            .find(|(known, _)| *known == letter)
            .map(|(_, code)| *code),
    }
}

/// A text in the font's encoding. A character that the font does not have becomes a question mark.
pub(crate) fn encoded(text: &str) -> Vec<u8> {
    text.chars().map(|letter| code(letter).unwrap_or(b'?')).collect()
}

/// Whether the font has every character of a text.
pub(crate) fn has_all(text: &str) -> bool {
    text.chars().all(|letter| code(letter).is_some())
}

/// The width of a text in points.
pub(crate) fn width(text: &str, weight: Weight, size: f32) -> f32 {
    let widths = match weight {
        Weight::Plain => &PLAIN,
        Weight::Bold => &BOLD,
    };
    let of = |byte: u8| {
        let at = usize::from(byte).checked_sub(usize::from(b' '));
        at.and_then(|at| widths.get(at)).copied().unwrap_or(BEYOND)
    };
    let total: u32 = encoded(text).into_iter().map(|byte| u32::from(of(byte))).sum();
    // A line has at most some thousand characters, which a float holds exactly.
    total as f32 * size / 1_000.0
}

/// A text in lines of at most `most` points, cut at spaces, and inside a word only if the word is longer than a line.
pub(crate) fn wrapped(text: &str, weight: Weight, size: f32, most: f32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let longer = match line.is_empty() {
            true => word.to_owned(),
            false => format!("{line} {word}"),
        };
        if width(&longer, weight, size) <= most {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for letter in word.chars() {
            line.push(letter);
            if width(&line, weight, size) > most && line.chars().count() > 1 {
                line.pop();
                lines.push(std::mem::take(&mut line));
                line.push(letter);
            }
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_within_their_width_and_lose_nothing() {
        let text =
            "Deadlines are judged as of the end of the span. sha256:0123456789abcdef0123456789abcdef0123456789abcdef";
        let lines = wrapped(text, Weight::Plain, 9.0, 120.0);
        assert!(
            lines.iter().all(|line| width(line, Weight::Plain, 9.0) <= 120.0),
            "{lines:?}"
        );
        let without = |text: &str| text.replace(' ', "");
        assert_eq!(without(&lines.concat()), without(text));
        assert_eq!(wrapped("", Weight::Bold, 9.0, 120.0), [""]);
    }

    #[test]
    fn what_the_font_lacks_is_a_question_mark() {
        assert_eq!(encoded("caf\u{e9} \u{2013} \u{65e5}"), b"caf\xe9 \x96 ?");
        assert!(has_all("caf\u{e9} \u{2013}"));
        assert!(!has_all("\u{65e5}"));
    }
}
