//! English remains of a page in another language: texts that are neither people's nor data, and contain a small English-only
//! term. A sentence is known to a language as soon as a pattern fits it, also where a part of it stays unchanged; this reads
//! the result.

/// Small English terms that no other language of the pages writes the same way.
const WORDS: [&str; 72] = [
    "the", "of", "is", "are", "and", "by", "with", "for", "it", "you", "your", "has", "have", "from", "nobody",
    "somebody", "this", "that", "they", "their", "its", "be", "to", "at", "or", "on", "as", "not", "been", "until",
    "since", "who", "which", "what", "when", "were", "would", "can", "could", "may", "must", "only", "than", "then",
    "there", "where", "more", "one", "two", "other", "another", "done", "made", "given", "does", "did", "if", "but",
    "after", "before", "between", "while", "any", "each", "every", "none", "into", "out", "again", "because",
    "without", "works",
];
/// Elements between which no sentence goes on.
const BLOCKS: [&str; 22] = [
    "p", "div", "li", "dd", "dt", "td", "th", "h1", "h2", "h3", "section", "tr", "ul", "ol", "dl", "summary", "label",
    "option", "legend", "button", "title", "main",
];
/// Elements whose text is data.
const DATA: [&str; 6] = ["code", "pre", "kbd", "textarea", "script", "style"];
/// Classes with the same meaning.
const DATA_CLASSES: [&str; 3] = ["key", "face", "hidden-mark"];
/// Attributes that people read or hear.
const HUMAN: [&str; 4] = ["title", "aria-label", "placeholder", "alt"];

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

fn is_kept(tag: &str, name: &str) -> bool {
    let classes = attribute(tag, "class").unwrap_or_default();
    DATA.contains(&name)
        || attribute(tag, "translate") == Some("no")
        || classes.split(' ').any(|class| DATA_CLASSES.contains(&class))
}

fn reads_english(text: &str) -> bool {
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '-' && letter != '_');
    words
        .into_iter()
        .any(|word| WORDS.contains(&word.to_lowercase().as_str()))
}

/// The texts of a page that read as English, each unchanged, with a sign for the parts that are people's or data.
#[must_use]
pub fn left_english(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |text: &str| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if reads_english(&text) {
            found.push(text);
        }
    };
    let (mut open, mut text): (Vec<bool>, String) = (Vec::new(), String::new());
    for piece in html.split('<').skip(1) {
        let (tag, behind) = piece.split_once('>').unwrap_or((piece, ""));
        let name = tag
            .trim_start_matches('/')
            .split([' ', '/', '\n'])
            .next()
            .unwrap_or_default();
        if BLOCKS.contains(&name) {
            note(&std::mem::take(&mut text));
        }
        let is_inside = open.last() == Some(&true);
        if tag.starts_with('/') {
            open.pop();
        } else if !tag.starts_with('!') {
            let kept = is_inside || is_kept(tag, name);
            if !kept {
                HUMAN
                    .iter()
                    .filter_map(|human| attribute(tag, human))
                    .for_each(&mut note);
            }
            if !tag.ends_with('/') {
                open.push(kept);
            }
        }
        match open.last() == Some(&true) {
            true if !behind.trim().is_empty() => text.push('‹'),
            true => {}
            false => text.push_str(behind),
        }
    }
    note(&text);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_peoples_or_data_is_passed_over_and_what_is_ours_is_read() {
        let page = "<!doctype html>\n<html lang=\"de\"><body data-words=\"the\"><p>Ada <b>hat the change</b> gelesen</p>\
                    <p translate=\"no\">out of <i>the</i> box</p><p><code>the</code> fehlt</p><br/>\
                    <a title=\"To the top\">Nach oben</a><button aria-label=\"Schließen\">x</button></body></html>";
        assert_eq!(left_english(page), ["Ada hat the change gelesen", "To the top"]);
    }
}
