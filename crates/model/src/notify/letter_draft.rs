//! The draft of a change from a letter: its subject is the title, lines such as `Service: booking-api` are fields, and the rest
//! is the description. Unreadable parts are listed, never guessed.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::change::read_content::new_change::NewChange;
use crate::core::body::Body;
use crate::core::parse::{LINE, TEXT};
use crate::directory::snapshot::Directory;
use crate::schedule::calendar::zone;

/// The most lines that are searched for fields.
const MOST_LINES: usize = 60;
/// The prefixes that mail programs put before the subject of a reply or a forwarded letter.
const PREFIXES: [&str; 6] = ["re:", "aw:", "fwd:", "fw:", "wg:", "sv:"];
/// The labels that begin a line with a field, with the field.
const FIELDS: [(&str, Field); 14] = [
    ("service", Field::Service),
    ("dienst", Field::Service),
    ("environment", Field::Environment),
    ("umgebung", Field::Environment),
    ("artifact", Field::Artifact),
    ("start", Field::Start),
    ("beginn", Field::Start),
    ("end", Field::End),
    ("ende", Field::End),
    ("why", Field::Why),
    ("warum", Field::Why),
    ("grund", Field::Why),
    ("complexity", Field::Complexity),
    ("komplexität", Field::Complexity),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Service,
    Environment,
    Artifact,
    Start,
    End,
    Why,
    Complexity,
}

/// A draft from a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterDraft {
    /// The request that creates the change.
    pub body: Body,
    /// The parts of the letter that were not used, with the reasons, as whole sentences.
    pub notes: Vec<String>,
}

impl LetterDraft {
    /// The draft without its fields: title and description alone.
    pub fn bare(&self) -> Body {
        let kept = self
            .body
            .iter()
            .filter(|(name, _)| matches!(name.as_str(), "title" | "description"));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// Reads a letter. Times without a zone are read in the writer's.
pub fn read(subject: &str, text: &str, directory: &Directory, writers_zone: &str) -> LetterDraft {
    let (mut said, mut rest) = (Vec::new(), Vec::new());
    for (place, line) in text.lines().enumerate() {
        match field_of(line).filter(|_| place < MOST_LINES) {
            Some((field, value)) if said.iter().all(|(known, _)| *known != field) => said.push((field, value)),
            _ => rest.push(line),
        }
    }
    let value = |field: Field| said.iter().find(|(known, _)| *known == field).map(|(_, value)| *value);
    let mut draft = LetterDraft {
        body: Body::new(),
        notes: Vec::new(),
    };
    draft.body.insert("title".to_owned(), title(subject, text).into());
    let description: String = rest.join("\n").trim().chars().take(TEXT).collect();
    if !description.is_empty() {
        draft.body.insert("description".to_owned(), description.into());
    }
    if let Some(why) = value(Field::Why) {
        draft.body.insert(NewChange::JUSTIFICATION.name.to_owned(), why.into());
    }
    if let Some(complexity) = value(Field::Complexity) {
        draft
            .body
            .insert("complexity".to_owned(), complexity.to_lowercase().into());
    }
    let artifact = value(Field::Artifact);
    draft.target(directory, value(Field::Service), value(Field::Environment), artifact);
    let zone = zone(writers_zone).unwrap_or(TimeZone::UTC);
    for (name, field) in [("planned_start", Field::Start), ("planned_end", Field::End)] {
        if let Some(text) = value(field) {
            draft.time(name, text, &zone);
        }
    }
    draft
}

impl LetterDraft {
    fn target(
        &mut self,
        directory: &Directory,
        service: Option<&str>,
        environment: Option<&str>,
        artifact: Option<&str>,
    ) {
        let Some(service) = service else {
            if environment.is_some() || artifact.is_some() {
                self.notes
                    .push("The environment was ignored, because the mail has no line `Service:`.".to_owned());
            }
            return;
        };
        let known = directory
            .services
            .keys()
            .find(|key| key.as_str().eq_ignore_ascii_case(service));
        let Some(known) = known else {
            self.notes.push(format!("There is no service `{service}`."));
            return;
        };
        let place = environment.and_then(|named| {
            let mut keys = directory.environments.keys();
            keys.find(|key| key.as_str().eq_ignore_ascii_case(named))
        });
        let Some(place) = place else {
            self.notes.push(match environment {
                Some(named) => format!("There is no environment `{named}`."),
                None => "The service was ignored, because the mail has no line `Environment:`.".to_owned(),
            });
            return;
        };
        let mut target = json!({"service": known.as_str(), "environment": place.as_str()});
        if let Some(artifact) = artifact {
            target["artifact"] = artifact.into();
        }
        self.body.insert("targets".to_owned(), Value::Array(vec![target]));
    }

    fn time(&mut self, name: &str, text: &str, zone: &TimeZone) {
        match read_time(text, zone) {
            Some(at) => {
                self.body.insert(name.to_owned(), at.to_string().into());
            }
            None => self.notes.push(format!(
                "`{text}` is not a valid time. Use the format `2026-11-21 22:00`."
            )),
        }
    }
}

/// `2026-11-21 22:00` in a zone, or an instant of RFC 3339.
fn read_time(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let at = DateTime::strptime("%Y-%m-%d %H:%M", text).ok()?;
    Some(at.to_zoned(zone.clone()).ok()?.timestamp())
}

fn field_of(line: &str) -> Option<(Field, &str)> {
    let (word, value) = line.split_once(':')?;
    let (word, value) = (word.trim().to_lowercase(), value.trim());
    let (_, field) = FIELDS.iter().find(|(known, _)| *known == word)?;
    (!value.is_empty() && value.chars().count() <= LINE).then_some((*field, value))
}

/// The subject without what programs put before it, else the first line.
fn title(subject: &str, text: &str) -> String {
    let mut rest = subject.trim();
    while let Some(prefix) = PREFIXES.iter().find(|it| rest.to_lowercase().starts_with(**it)) {
        rest = rest.get(prefix.len()..).unwrap_or_default().trim_start();
    }
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    let found = if rest.is_empty() {
        first.unwrap_or("A change by mail")
    } else {
        rest
    };
    let line: String = found
        .chars()
        .map(|it| if it.is_control() { ' ' } else { it })
        .take(LINE)
        .collect();
    match line.trim() {
        "" => "A change by mail".to_owned(),
        title => title.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn the_subject_is_the_title_and_the_rest_the_description() {
        let text = "Please move the labels.\n\nWhy: The old ones smear\nStart: 2026-11-21 22:00\nEnd: soon\nService: nowhere\n\nThanks: Ada";
        let draft = read("Fwd: RE: Move the labels", text, &Directory::default(), "Europe/Oslo");
        assert_eq!(draft.body["title"], "Move the labels");
        assert_eq!(draft.body["description"], "Please move the labels.\n\n\nThanks: Ada");
        assert_eq!(draft.body["justification"], "The old ones smear");
        assert_eq!(draft.body["planned_start"], "2026-11-21T21:00:00Z");
        assert!(!draft.body.contains_key("planned_end") && !draft.body.contains_key("targets"));
        assert_eq!(draft.notes.len(), 2, "{:?}", draft.notes);
        assert_eq!(draft.bare().len(), 2);
    }

    #[test]
    fn a_letter_without_a_subject_has_a_title_too() {
        let title = |subject: &str, text: &str| read(subject, text, &Directory::default(), "UTC").body["title"].clone();
        assert_eq!(title("Re: ", "\n First line \nmore"), "First line");
        assert_eq!(title("", ""), "A change by mail");
        assert_eq!(title("a\u{0}b", ""), "a b");
        assert_eq!(title(&"x".repeat(500), "").as_str().unwrap().len(), LINE);
    }

    proptest::proptest! {
        #[test]
        fn no_letter_brings_the_reader_down(subject in ".{0,80}", text in "(?s).{0,400}") {
            let draft = read(&subject, &text, &Directory::default(), "UTC");
            proptest::prop_assert!(!draft.body["title"].as_str().unwrap().is_empty());
        }
    }
}
