//! The characters that stand for times and elements within a text, and what a text is made of: words, names, data.

/// The first of the characters that stand for a time already written in the language; nobody types them, and a text
/// that holds one is left alone.
pub(super) const FIRST_TIME: u32 = 0xF_8000;
/// The first of those that stand for an element within a sentence.
pub(super) const FIRST_ELEMENT: u32 = 0xF_0000;
/// The first of those that stand for an element which tells a time.
pub(super) const FIRST_WHEN: u32 = 0xF_4000;
/// The character behind the last of both.
pub(super) const BEHIND: u32 = 0xF_FFFE;
/// The words between the last two of several names.
pub(super) const JOINTS: [&str; 2] = ["or", "and"];

/// Whether a text of a page holds a character that stands for something else here.
pub(super) fn is_odd(text: &str) -> bool {
    text.chars().any(|c| (FIRST_ELEMENT..BEHIND).contains(&u32::from(c)))
}

/// The element that a character stands for.
pub(super) fn element_of(letter: char) -> Option<usize> {
    let place = u32::from(letter);
    (FIRST_ELEMENT..FIRST_TIME)
        .contains(&place)
        .then(|| ((place - FIRST_ELEMENT) % (FIRST_WHEN - FIRST_ELEMENT)) as usize)
}

/// Whether a character stands for an element which tells a time.
pub(super) fn is_when(letter: char) -> bool {
    (FIRST_WHEN..FIRST_TIME).contains(&u32::from(letter))
}

/// Whether a text says something in words.
pub(super) fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphabetic)
}

/// Whether a text is nothing but names side by side: what stands for each, and the words between them.
pub(super) fn is_row(text: &str) -> bool {
    let is_joint = |word: &&str| JOINTS.contains(word);
    let words = || text.split([' ', ',']).filter(|word| !word.is_empty());
    words().any(|word| is_joint(&word)) && words().filter(|word| !is_joint(word)).all(|word| !has_words(word))
}

/// Whether a text is a key, a digest, an address or the like, and no word of any language.
pub(super) fn is_data(text: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_digit() || "_/@:=#{".contains(c);
    let is_word = |word: &str| has_words(word) && !word.trim_end_matches(':').contains(is_sign);
    !text.split_whitespace().any(is_word)
}

/// Whether a character stands for a time.
pub(super) fn is_stand_in(letter: char) -> bool {
    (FIRST_TIME..BEHIND).contains(&u32::from(letter))
}
