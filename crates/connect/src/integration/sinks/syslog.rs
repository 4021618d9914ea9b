//! Syslog as RFC 5424 has it. The facility is 13 (log audit); structured data hold the index of the entry and its subject.

use model::integration::sink::Entry;

use super::{Source, facts, severity};

/// Facility 13 of RFC 5424, section 6.2.1.
const FACILITY: u8 = 13;
/// The id of our structured data. 32473 is the number that RFC 5612 sets aside for documentation: the product has none of its own.
const OURS: &str = "assent@32473";
/// The largest `sequenceId` of RFC 5424, section 7.3.1.
const SEQUENCES: i64 = 2_147_483_647;

/// One message.
pub(super) fn message(source: &Source, entry: &Entry) -> String {
    let mut data = format!("[meta sequenceId=\"{}\"][{OURS}", entry.index % SEQUENCES + 1);
    let previous = entry.previous.map(|index| index.to_string());
    let rows = [
        ("index", Some(entry.index.to_string())),
        ("previous", previous),
        ("id", Some(entry.id.clone())),
        ("tenant", Some(source.tenant.clone())),
        ("act", Some(entry.act.clone())),
        ("actor", Some(entry.actor.clone())),
        ("table", Some(entry.table.clone())),
        ("subject", Some(entry.subject.clone())),
        ("key", entry.key.clone()),
    ];
    for (name, value) in rows {
        if let Some(value) = value {
            data.push_str(&format!(" {name}=\"{}\"", escaped(&value)));
        }
    }
    data.push(']');
    format!("{} {data} {}", head(source, entry), facts(entry))
}

/// Another format's line as the message of one without structured data.
pub(super) fn wrapped(source: &Source, entry: &Entry, line: &str) -> String {
    format!("{} - {line}", head(source, entry))
}

fn head(source: &Source, entry: &Entry) -> String {
    // Severities of RFC 5424: 3 error, 4 warning, 5 notice.
    let level = match severity(entry) {
        4 => 3,
        3 => 4,
        _ => 5,
    };
    let priority = FACILITY * 8 + level;
    // Six digits of a second are the most that the RFC allows.
    let at = format!("{:.6}", entry.occurred_at);
    let host = token(&source.host, 255);
    let kind = token(&entry.kind, 32);
    format!("<{priority}>1 {at} {host} assent - {kind}")
}

/// A field of the head: printable ASCII without spaces, cut at its longest; `-` where nothing is left.
fn token(text: &str, longest: usize) -> String {
    let text: String = text.chars().filter(char::is_ascii_graphic).take(longest).collect();
    if text.is_empty() { "-".to_owned() } else { text }
}

/// The value of a parameter: `"`, `\` and `]` are escaped, control characters become spaces.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '"' | '\\' | ']' => out.extend(['\\', letter]),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}
