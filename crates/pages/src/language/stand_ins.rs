//! The characters that represent times and elements within a text, and the kinds of text: labels, names, data.

/// The first of the characters that represent a time already translated; nobody types them, and a text that has one is left
/// alone.
pub(super) const FIRST_TIME: u32 = 0xF_8000;
/// The first of those that represent an element within a sentence.
pub(super) const FIRST_ELEMENT: u32 = 0xF_0000;
/// The first of those that represent an element with a time.
pub(super) const FIRST_WHEN: u32 = 0xF_4000;
/// The character behind the last of both.
pub(super) const BEHIND: u32 = 0xF_FFFE;
/// The joints between the last two of several names.
pub(super) const JOINTS: [&str; 2] = ["or", "and"];

/// Whether a text of a page has a character that represents something else here.
pub(super) fn is_odd(text: &str) -> bool {
    text.chars().any(|c| (FIRST_ELEMENT..BEHIND).contains(&u32::from(c)))
}

/// The element that a character represents.
pub(super) fn element_of(letter: char) -> Option<usize> {
    let place = u32::from(letter);
    (FIRST_ELEMENT..FIRST_TIME)
        .contains(&place)
        .then(|| ((place - FIRST_ELEMENT) % (FIRST_WHEN - FIRST_ELEMENT)) as usize)
}

/// Whether a character represents an element with a time.
pub(super) fn is_when(letter: char) -> bool {
    (FIRST_WHEN..FIRST_TIME).contains(&u32::from(letter))
}

/// Whether a text has any letters to translate.
pub(super) fn has_letters(text: &str) -> bool {
    text.chars().any(char::is_alphabetic)
}

/// Whether a text is nothing but names side by side: the character of each, and the joints between them.
pub(super) fn is_row(text: &str) -> bool {
    let is_joint = |word: &&str| JOINTS.contains(word);
    let words = || text.split([' ', ',']).filter(|word| !word.is_empty());
    words().any(|word| is_joint(&word)) && words().filter(|word| !is_joint(word)).all(|word| !has_letters(word))
}

/// Whether a text is a key, a digest, an address or the like, and not to be translated.
pub(super) fn is_data(text: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_digit() || "_/@:=#{".contains(c);
    let is_word = |word: &str| has_letters(word) && !word.trim_end_matches(':').contains(is_sign);
    !text.split_whitespace().any(is_word)
}

/// Whether a character represents a time.
pub(super) fn is_stand_in(letter: char) -> bool {
    (FIRST_TIME..BEHIND).contains(&u32::from(letter))
}
