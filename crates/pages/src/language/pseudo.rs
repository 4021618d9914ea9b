//! The language of the tests: it distinguishes translated text from untranslated text.

use super::catalogue::Catalogue;

/// A catalogue that puts each message into brackets, with accents on its vowels.
pub(super) fn of<'m>(messages: impl Iterator<Item = &'m str>) -> Catalogue {
    let pairs: Vec<(&str, String)> = messages.map(|message| (message, accented(message))).collect();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(message, said)| (*message, said.as_str())).collect();
    Catalogue::english(&pairs).unwrap_or_else(|error| panic!("the pseudo language: {error}"))
}

/// A message with accents, its places untouched: `Back in {time}` is `[Báck ín {time}]`.
fn accented(message: &str) -> String {
    let mut is_place = false;
    let letters = message.chars().map(|letter| {
        is_place = (is_place || letter == '{') && letter != '}';
        match letter {
            _ if is_place => letter,
            'a' => 'á',
            'e' => 'é',
            'i' => 'í',
            'o' => 'ó',
            'u' => 'ú',
            'A' => 'Á',
            'E' => 'É',
            'I' => 'Í',
            'O' => 'Ó',
            'U' => 'Ú',
            other => other,
        }
    });
    format!("[{}]", letters.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_get_accents_and_places_stay() {
        assert_eq!(
            accented("Back in {time}, {#n} of {#all}"),
            "[Báck ín {time}, {#n} óf {#all}]"
        );
    }
}
