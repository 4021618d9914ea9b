//! Texts that deceive (T28): directions that turn, characters that nobody sees, letters that look like others. Wherever
//! somebody decides, each of them is marked: the change's page with its card, the list, the letter, the API, the command line.
//! `ASSENT_TEST_TRICKS` sets the number of texts.

use std::collections::BTreeSet;

use serde_json::json;
use tests::faults::size;
use tests::letters::Letters;
use tests::session::Session;
use tests::{Place, Server, binary, journey};

/// The default number of texts.
const TEXTS: usize = 96;
/// The number of tricks in one title.
const IN_ONE: usize = 8;

/// Characters that nobody sees or that turn the text around them.
const HIDDEN: &[char] = &[
    '\u{00AD}',
    '\u{034F}',
    '\u{061C}',
    '\u{115F}',
    '\u{180E}',
    '\u{200B}',
    '\u{200C}',
    '\u{200D}',
    '\u{200E}',
    '\u{200F}',
    '\u{202A}',
    '\u{202B}',
    '\u{202C}',
    '\u{202D}',
    '\u{202E}',
    '\u{2060}',
    '\u{2063}',
    '\u{2066}',
    '\u{2067}',
    '\u{2068}',
    '\u{2069}',
    '\u{2800}',
    '\u{3164}',
    '\u{FE00}',
    '\u{FEFF}',
    '\u{FFA0}',
    '\u{E0041}',
    '\u{E0061}',
];
/// Letters that look like Latin ones, with the letter that each resembles.
const ALIKE: &[(char, char)] = &[
    ('a', '\u{0430}'),
    ('e', '\u{0435}'),
    ('o', '\u{043E}'),
    ('p', '\u{0440}'),
    ('c', '\u{0441}'),
    ('y', '\u{0443}'),
    ('x', '\u{0445}'),
    ('o', '\u{03BF}'),
    ('a', '\u{FF41}'),
    ('e', '\u{FF45}'),
    ('p', '\u{1D429}'),
    ('r', '\u{1D5CB}'),
];
const WORDS: &[&str] = &[
    "payments", "approve", "ledger", "export", "rollback", "proxy", "secure", "boat",
];

/// A text with one trick in it, and the character.
fn trick(number: usize) -> (String, char) {
    let word = WORDS[number % WORDS.len()];
    let letters: Vec<char> = word.chars().collect();
    if number.is_multiple_of(3) {
        let fits: Vec<&(char, char)> = ALIKE.iter().filter(|(plain, _)| letters.contains(plain)).collect();
        let (plain, alike) = fits[number / 3 % fits.len()];
        return (word.replacen(*plain, &alike.to_string(), 1), *alike);
    }
    let hidden = HIDDEN[number % HIDDEN.len()];
    let place = 1 + number / 7 % (letters.len() - 1);
    let text: String = letters[..place]
        .iter()
        .chain([&hidden])
        .chain(&letters[place..])
        .collect();
    (text, hidden)
}

/// The same for every run: a title of several tricks.
struct Title {
    text: String,
    tricks: Vec<char>,
}

fn titles(count: usize) -> Vec<Title> {
    let all: Vec<(String, char)> = (0..count).map(trick).collect();
    let cut = all.chunks(IN_ONE).enumerate().map(|(number, some)| Title {
        text: format!(
            "Ship {number}: {}",
            some.iter().map(|it| it.0.clone()).collect::<Vec<_>>().join(" ")
        ),
        tricks: some.iter().map(|it| it.1).collect(),
    });
    cut.collect()
}

fn code(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// Each trick of a title is marked wherever it was shown, and none that hides appears unchanged.
#[track_caller]
fn must_mark(title: &Title, shown: &str, note: impl Fn(char) -> String, surface: &str) {
    let kinds: BTreeSet<char> = title.tricks.iter().copied().collect();
    for kind in kinds {
        let wanted = title.tricks.iter().filter(|it| **it == kind).count();
        let found = shown.matches(&note(kind)).count();
        assert!(
            found >= wanted,
            "{surface}: {} of {wanted} {} are marked in\n{shown}",
            found,
            code(kind)
        );
    }
}

fn without_controls(page: &str) -> String {
    // A value that a form sends back, and one that a script reads, keeps its characters; nobody reads it there.
    page.split('<')
        .filter(|tag| !tag.starts_with("input"))
        .collect::<Vec<_>>()
        .join("<")
}

fn in_letter(letters: &Letters, key: &str) -> Option<String> {
    let letter = letters
        .all()
        .into_iter()
        .find(|it| it.text().contains(key) || it.raw.contains(key))?;
    Some(decoded(&letter.raw))
}

/// A letter with its encoded parts and its quoted-printable text as text; pure ASCII stays unchanged.
fn decoded(raw: &str) -> String {
    let script = "import sys, email, email.policy\n\
        m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)\n\
        out = [str(m['subject'])] + [p.get_content() for p in m.walk() if p.get_content_maintype() == 'text']\n\
        sys.stdout.buffer.write('\\n'.join(out).encode())";
    let mut child = std::process::Command::new("python3")
        .args(["-c", script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), raw.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success());
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn every_text_that_deceives_is_marked_wherever_somebody_decides() {
    let count = size("ASSENT_TEST_TRICKS", TEXTS);
    let place = Place::demo("tricks");
    let letters = Letters::start();
    let server = start(&place, &letters);
    let owner = Session::begin(&server, "owner");
    let titles = titles(count);
    for (number, title) in titles.iter().enumerate() {
        let artifact = journey::artifact(70_000 + number as u64);
        let request = journey::request(&title.text, &artifact, server.server_time());
        let path = journey::waiting_for_approval(&server, &request, &artifact);
        let key = path.rsplit('/').next().unwrap().to_owned();
        let mark = |c: char| format!("class=\"hidden-mark\" title=\"{}\"", code(c));
        for (surface, page) in [
            ("the card", format!("/t/halden/changes/{key}")),
            ("the list", format!("/t/halden/changes?q=Ship+{number}")),
        ] {
            let page = without_controls(&owner.get(&page).body);
            assert!(page.contains(&key), "{surface}: {page}");
            must_mark(title, &page, mark, surface);
            let bare = title
                .tricks
                .iter()
                .find(|it| HIDDEN.contains(it) && page.contains(**it));
            assert_eq!(bare, None, "{surface} holds what nobody sees: {page}");
        }
        let token = server.token("owner");
        let told = server.must("GET", &path, &token, None);
        for trick in &title.tricks {
            let named = told["deceiving"]["title"]
                .as_array()
                .is_some_and(|it| it.contains(&json!(code(*trick))));
            assert!(named, "the API: {} in {}", code(*trick), told["deceiving"]);
        }
        let shown = std::process::Command::new(binary())
            .args(["change", "show", &key])
            .env("ASSENT_SERVER", &server.url)
            .env("ASSENT_TOKEN", &token)
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        must_mark(title, &shown, |c| format!("[{}]", code(c)), "the command line");
        let letter = tests::held::awaited(|| in_letter(&letters, &key));
        let letter = letter.unwrap_or_else(|| panic!("no letter of {key}"));
        must_mark(title, &letter, |c| format!("[{}]", code(c)), "the letter");
        let bare = title
            .tricks
            .iter()
            .find(|it| HIDDEN.contains(it) && letter.contains(**it));
        assert_eq!(bare, None, "the letter holds what nobody sees: {letter}");
    }
    println!(
        "{count} texts in {} changes, each marked on five surfaces",
        titles.len()
    );
}

/// A server that mails.
fn start(place: &Place, letters: &Letters) -> Server {
    crate::notify::told::start(place, letters)
}
