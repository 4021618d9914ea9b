//! Characters that deceive whoever decides on what they see: those that nobody sees, those that change how their neighbours are
//! drawn, and letters of other alphabets that are drawn as Latin ones. Wherever a person decides they are made visible.

/// Cyrillic, Greek and Armenian letters whose usual drawing equals a Latin one.
const LOOK_ALIKES: &str = "аеорсухіјѕԁһԛԝѵьАВЕКМНОРСТХІЈЅҮԌԚԜοανρικυχωΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϳօսոցհ";

/// How a character deceives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deceit {
    /// Nobody sees it, or it moves what stands around it.
    Hidden,
    /// It is drawn as another letter.
    LookAlike,
}

/// The characters of a text in order, each with how it deceives, if it does.
pub fn read(text: &str) -> impl Iterator<Item = (char, Option<Deceit>)> + '_ {
    let alike = LookAlikes::of(text);
    let mut before = None;
    words(text).flat_map(move |word| {
        let foreign = alike.deceives(word);
        let mut read = Vec::with_capacity(word.len());
        for c in word.chars() {
            let deceit = if is_hidden(c, before) {
                Some(Deceit::Hidden)
            } else {
                (is_styled_letter(c) || (foreign && is_look_alike(c))).then_some(Deceit::LookAlike)
            };
            read.push((c, deceit));
            before = Some(c);
        }
        read
    })
}

/// The characters of a text that deceive, each once, as `U+202E`.
pub fn found_in(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    if is_plain(text) {
        return found;
    }
    for (c, _) in read(text).filter(|(_, deceit)| deceit.is_some()) {
        let code = code(c);
        if !found.contains(&code) {
            found.push(code);
        }
    }
    found
}

/// A text for where nothing but text can stand: what is hidden is spelled out, a look-alike is named behind itself. A text that
/// was spelled before stays as it is.
pub fn spelled(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    for (c, deceit) in read(text) {
        rest = &rest[c.len_utf8()..];
        if deceit != Some(Deceit::Hidden) {
            out.push(c);
        }
        let note = deceit.map(|_| format!("[{}]", code(c)));
        out.extend(note.filter(|note| !rest.starts_with(note.as_str())));
    }
    out
}

/// How a character is named: `U+202E`.
pub fn code(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// Whether a text holds nothing that could deceive; most do not, and need no closer look.
fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t'))
}

/// Whether neither HTML nor XML can carry a character.
pub fn is_forbidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

/// Whether `c` is invisible or changes how its neighbours are drawn. A variation selector is spared right after a symbol, where
/// it chooses the emoji form and nothing can hide.
pub fn is_hidden(c: char, before: Option<char>) -> bool {
    if c == '\u{FE0F}' {
        return !before.is_some_and(is_symbol);
    }
    is_forbidden(c)
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0E}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// A person's name as it stands in sentences, letters and lists: one line, and nothing in it that nobody sees. Whatever comes
/// from outside is no line of its own below somebody's words. The joiners of Persian and of Indian scripts stay.
pub fn name_in_one_line(name: &str) -> String {
    let is_seen = |c: &char| matches!(c, '\u{200C}' | '\u{200D}') || c.is_whitespace() || !is_hidden(*c, None);
    let seen: String = name.chars().filter(is_seen).collect();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_symbol(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}' | '©' | '®' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}')
}

/// Letters that are drawn as Latin ones but are none: full-width forms and the mathematical alphabets. They are never needed
/// in a change's text.
fn is_styled_letter(c: char) -> bool {
    matches!(c, '\u{FF10}'..='\u{FF19}' | '\u{FF21}'..='\u{FF3A}' | '\u{FF41}'..='\u{FF5A}' | '\u{1D400}'..='\u{1D7FF}')
}

fn is_look_alike(c: char) -> bool {
    !c.is_ascii() && LOOK_ALIKES.contains(c)
}

fn is_other_script(c: char) -> bool {
    matches!(c, '\u{0370}'..='\u{03FF}' | '\u{0400}'..='\u{052F}' | '\u{0530}'..='\u{058F}')
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '\u{00C0}'..='\u{024F}')
}

/// What the whole text tells about its scripts: a text that holds Latin words and no honest Cyrillic or Greek letter has no
/// reason for look-alikes.
struct LookAlikes {
    only_alike: bool,
}

impl LookAlikes {
    fn of(text: &str) -> Self {
        let latin = text.chars().any(is_latin);
        let honest = text.chars().any(|c| is_other_script(c) && !is_look_alike(c));
        Self {
            only_alike: latin && !honest,
        }
    }

    fn deceives(&self, word: &str) -> bool {
        if !word.chars().any(is_look_alike) {
            return false;
        }
        self.only_alike || word.chars().any(is_latin)
    }
}

/// Cuts a text into runs of letters and single other characters.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(|c: char| !c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_deceives_is_found_and_spelled_and_the_rest_stays() {
        for (text, spelled_out, codes) in [
            ("safe\u{202E}exe", "safe[U+202E]exe", &["U+202E"][..]),
            ("p\u{0430}yments", "p\u{0430}[U+0430]yments", &["U+0430"]),
            ("a\u{200B}b\u{200B}c", "a[U+200B]b[U+200B]c", &["U+200B"]),
            ("\u{FF50}ay", "\u{FF50}[U+FF50]ay", &["U+FF50"]),
            ("Größe 10 µs, 5 kΩ ❤️", "Größe 10 µs, 5 kΩ ❤️", &[]),
            ("обновить сервис payments", "обновить сервис payments", &[]),
            ("plain\ntext", "plain\ntext", &[]),
        ] {
            assert_eq!(spelled(text), spelled_out);
            assert_eq!(spelled(spelled_out), spelled_out);
            assert_eq!(found_in(text), codes, "{text:?}");
        }
    }
}
