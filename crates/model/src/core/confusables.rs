//! Deceptive characters: invisible ones, those that change how their neighbours are drawn, and letters of other alphabets that
//! are drawn as Latin ones. They are made visible wherever a person decides.

use unicode_normalization::UnicodeNormalization;

/// Cyrillic, Greek and Armenian letters whose usual drawing equals a Latin one.
const LOOK_ALIKES: &str = "аеорсухіјѕԁһԛԝѵьАВЕКМНОРСТХІЈЅҮԌԚԜοανρικυχωΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϳօսոցհ";

/// Latin letters that are drawn as an ASCII one, or nearly so: those without a dot, with a hook, and small capitals (after the
/// data of Unicode UTS #39). Some are honest letters of a language, so that texts keep them unmarked.
const LATIN_LOOK_ALIKES: &str = "ȷɑɡɩɪɾʋɣʏɯʙɢʜʟɴʀƅƍƽƨǀȝȣᴀᴄᴅᴇᴊᴋᴍᴏᴑᴘᴛᴜᴠᴡᴢᶃᶌỿẝꜰꜱꞟꬲꬵꭇꭈꭎꭒ";

/// How a character deceives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deceit {
    /// It is invisible, or it moves the text around it.
    Hidden,
    /// It is drawn as another letter.
    LookAlike,
}

/// The characters of a text in order, each with how it deceives, if it does.
pub fn read(text: &str) -> impl Iterator<Item = (char, Option<Deceit>)> + '_ {
    let alike = LookAlikes::of(text);
    let mut hidden = hidden(text);
    runs_of(text).flat_map(move |word| {
        let foreign = alike.deceives(word);
        let read: Vec<(char, Option<Deceit>)> = hidden
            .by_ref()
            .take(word.chars().count())
            .map(|(c, is_hidden)| {
                let is_alike = is_styled_letter(c) || (foreign && is_look_alike(c));
                let deceit = match is_hidden {
                    true => Some(Deceit::Hidden),
                    false => is_alike.then_some(Deceit::LookAlike),
                };
                (c, deceit)
            })
            .collect();
        read
    })
}

/// The characters of a text in order, each with whether it is invisible or moves the text around it. A joiner within one emoji
/// is part of the visible emoji.
pub fn hidden(text: &str) -> impl Iterator<Item = (char, bool)> + '_ {
    let letters: Vec<char> = text.chars().collect();
    (0..letters.len()).map(move |at| {
        let before = at.checked_sub(1).and_then(|before| letters.get(before)).copied();
        let c = letters[at];
        (c, is_hidden(c, before) && !joins_emoji(&letters, at))
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

/// Whether a typed name that is compared, such as a login or a key, can be mistaken for another one: it has deceptive
/// characters, a variant form of an ASCII letter, or a letter with a separate mark in place of the combined letter. The dotless
/// `ı` is left to the caller: whole languages need it.
pub fn is_mistakable(name: &str) -> bool {
    if is_plain(name) {
        return false;
    }
    let is_dressed = |c: char| !c.is_ascii() && std::iter::once(c).nfkc().all(|plain| plain.is_ascii());
    let mut before = ' ';
    let is_marked_apart = name.chars().any(|c| {
        let on = std::mem::replace(&mut before, c);
        // A dot on a dotted letter is invisible, and a letter with a stroke has a code of its own.
        (c == '\u{0307}' && matches!(on, 'i' | 'j')) || ('\u{0334}'..='\u{0338}').contains(&c)
    });
    is_marked_apart
        || name.nfc().ne(name.chars())
        || name
            .chars()
            .any(|c| LATIN_LOOK_ALIKES.contains(c) && !c.is_ascii() || is_dressed(c))
        || !found_in(name).is_empty()
}

/// A text for plain-text output: invisible characters are spelled out, and a look-alike is followed by its name. A text that
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

/// A person's name for sentences, letters and lists: one line, without invisible characters. An outside name must not add a
/// line of its own below a person's text. The joiners of Persian and of Indian scripts stay.
pub fn name_in_one_line(name: &str) -> String {
    let is_seen = |c: &char| matches!(c, '\u{200C}' | '\u{200D}') || c.is_whitespace() || !is_hidden(*c, None);
    let seen: String = name.chars().filter(is_seen).collect();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The tags behind a black flag that are flags of their own (Unicode UTS #51, table of tag sequences that are recommended for
/// interchange). Any other row of tags is a text that nobody sees.
const FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];
/// How many tags follow the flag, the last one included.
const LONGEST_FLAG: usize = 6;
/// The joiner of two emoji.
const JOINER: char = '\u{200D}';
/// The selector for the picture of a symbol.
const AS_PICTURE: char = '\u{FE0F}';
/// The character that makes a keycap of a digit or a sign before it.
const KEYCAP: char = '\u{20E3}';
const BLACK_FLAG: char = '\u{1F3F4}';
const LAST_TAG: char = '\u{E007F}';

/// Whether the character at a place is a part of an emoji made of several (Unicode UTS #51, section 1.4).
fn joins_emoji(letters: &[char], at: usize) -> bool {
    let letter = |at: usize| letters.get(at).copied().unwrap_or_default();
    let behind = |back: usize| at.checked_sub(back).map(letter).unwrap_or_default();
    match letter(at) {
        JOINER => {
            let is_begun = is_picture(behind(1)) || (behind(1) == AS_PICTURE && is_picture(behind(2)));
            is_begun && is_picture(letter(at + 1))
        }
        AS_PICTURE => matches!(behind(1), '0'..='9' | '#' | '*') && letter(at + 1) == KEYCAP,
        '\u{E0020}'..=LAST_TAG => is_in_flag(letters, at),
        _ => false,
    }
}

/// Whether the tag at a place belongs to one of the [`FLAGS`].
fn is_in_flag(letters: &[char], at: usize) -> bool {
    // No flag has more tags, however many a text holds.
    let from = at.saturating_sub(LONGEST_FLAG);
    let Some(near) = letters[from..at].iter().rposition(|letter| *letter == BLACK_FLAG) else {
        return false;
    };
    let flag = from + near;
    let tags = &letters[flag + 1..];
    FLAGS.iter().any(|name| {
        let wanted = name.chars().filter_map(|c| char::from_u32(0xE_0000 + u32::from(c)));
        let wanted: Vec<char> = wanted.chain(std::iter::once(LAST_TAG)).collect();
        tags.starts_with(&wanted) && at <= flag + wanted.len()
    })
}

/// Whether a character is drawn as a picture, of which emoji are made.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{1F300}'..='\u{1FAFF}' | '\u{2600}'..='\u{27BF}' | '\u{2194}' | '\u{2195}' | '\u{2B1B}')
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

/// The scripts of the whole text: a text with Latin letters and no honest Cyrillic or Greek letter has no reason for
/// look-alikes.
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
fn runs_of(text: &str) -> impl Iterator<Item = &str> {
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
            ("👩🏽‍💻 ❤️‍🔥 🏳️‍🌈 👨‍👩‍👧", "👩🏽‍💻 ❤️‍🔥 🏳️‍🌈 👨‍👩‍👧", &[]),
            ("1️⃣ #️⃣ 🇩🇪 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣ #️⃣ 🇩🇪 🏴󠁧󠁢󠁥󠁮󠁧󠁿", &[]),
            ("a\u{200D}b", "a[U+200D]b", &["U+200D"]),
            ("💻\u{200D}", "💻[U+200D]", &["U+200D"]),
            ("💻\u{200D}x", "💻[U+200D]x", &["U+200D"]),
            ("7\u{FE0F}", "7[U+FE0F]", &["U+FE0F"]),
            ("💻\u{202E}💻", "💻[U+202E]💻", &["U+202E"]),
            ("🏴\u{E0067}\u{E0062}", "🏴[U+E0067][U+E0062]", &["U+E0067", "U+E0062"]),
            ("🏴󠁧󠁢󠁥󠁮󠁧󠁿\u{E0041}", "🏴󠁧󠁢󠁥󠁮󠁧󠁿[U+E0041]", &["U+E0041"]),
        ] {
            assert_eq!(spelled(text), spelled_out);
            assert_eq!(spelled(spelled_out), spelled_out);
            assert_eq!(found_in(text), codes, "{text:?}");
        }
    }

    #[test]
    fn a_name_that_can_be_taken_for_another_is_told_from_an_ordinary_one() {
        for name in [
            "h\u{251}nne",
            "ji\u{307}m",
            "ha\u{280}ry",
            "u\u{308}we",
            "\u{2170}da",
            "\u{fb01}nn",
            "o\u{338}le",
        ] {
            assert!(is_mistakable(name), "{name:?}");
        }
        for name in ["han\u{200b}ne", "p\u{430}y", "\u{ff41}da", "li\u{217c}y", "\u{1d04}ora"] {
            assert!(is_mistakable(name), "{name:?}");
        }
        for name in [
            "jürgen",
            "søren",
            "łukasz",
            "þóra",
            "đorđe",
            "nguyễn",
            "zoë",
            "соня",
            "李雷",
            "ada.b-c_d@x",
            "yazılım",
        ] {
            assert!(!is_mistakable(name), "{name:?}");
        }
    }
}
