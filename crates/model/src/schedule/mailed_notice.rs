//! A vendor's notice in a letter: lines of a name, a colon and a value. All other lines are the vendor's text.

use jiff::Timestamp;

use crate::core::enums::{NoticeImpact, NoticeState};
use crate::core::parse::LINE;
use crate::integration::signal::{Notice, shortened};
use crate::schedule::vendor_notice::TEXT;

/// The most lines of a letter that are read.
const MOST_LINES: usize = 500;
/// The most services that a letter names.
const MOST_SERVICES: usize = 200;
/// The longest reference, in characters.
const REFERENCE: usize = 200;

/// The parts of a letter read so far.
#[derive(Default)]
struct Read {
    reference: Option<String>,
    title: Option<String>,
    services: Vec<String>,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    impact: Option<NoticeImpact>,
    state: Option<NoticeState>,
    text: Vec<String>,
    wrong: Vec<String>,
}

/// Reads a letter that came at a time. The subject is the title unless the letter names one.
///
/// # Errors
/// All missing or unreadable parts, in one sentence.
pub fn read(subject: &str, text: &str, came_at: Timestamp) -> Result<Notice, String> {
    let mut read = Read::default();
    for line in text.lines().take(MOST_LINES) {
        read.take(line.trim());
    }
    let mut missing = Vec::new();
    for (name, is_missing) in [
        ("Reference", read.reference.is_none()),
        ("Services", read.services.is_empty()),
        ("Start", read.starts_at.is_none()),
        ("End", read.ends_at.is_none()),
    ] {
        // A part that is there but unreadable is listed once.
        if is_missing && !read.wrong.iter().any(|it| it.starts_with(name)) {
            missing.push(name);
        }
    }
    if !missing.is_empty() {
        read.wrong.push(format!("it lacks {}", missing.join(", ")));
    }
    let (Some(reference), Some(starts_at), Some(ends_at)) = (read.reference, read.starts_at, read.ends_at) else {
        return Err(read.wrong.join("; "));
    };
    if ends_at <= starts_at {
        read.wrong.push("End does not lie after Start".to_owned());
    }
    if !read.wrong.is_empty() {
        return Err(read.wrong.join("; "));
    }
    let title = read.title.unwrap_or_else(|| subject.trim().to_owned());
    let words = read.text.join("\n").trim().to_owned();
    Ok(Notice {
        title: shortened(if title.is_empty() { &reference } else { &title }, LINE),
        reference,
        text: (!words.is_empty()).then(|| shortened(&words, TEXT)),
        components: read.services,
        starts_at,
        ends_at,
        impact: read.impact.unwrap_or_default(),
        state: read.state.unwrap_or_default(),
        actual_start: None,
        actual_end: None,
        told_at: came_at,
    })
}

impl Read {
    fn take(&mut self, line: &str) {
        let Some((name, value)) = line.split_once(':') else {
            self.text.push(line.to_owned());
            return;
        };
        let value = value.trim();
        match name.trim().to_lowercase().as_str() {
            "reference" => {
                if value.is_empty() || value.chars().count() > REFERENCE || value.chars().any(char::is_control) {
                    self.wrong.push(format!("Reference has 1 to {REFERENCE} characters"));
                } else {
                    self.reference = Some(value.to_owned());
                }
            }
            "title" => self.title = Some(value.to_owned()),
            "service" | "services" => {
                let named = value.split(',').map(str::trim).filter(|it| !it.is_empty());
                let room = MOST_SERVICES.saturating_sub(self.services.len());
                self.services.extend(named.take(room).map(str::to_owned));
            }
            "start" => self.starts_at = self.time("Start", value),
            "end" => self.ends_at = self.time("End", value),
            "impact" => match value.to_lowercase().parse::<NoticeImpact>() {
                Ok(impact) => self.impact = Some(impact),
                Err(why) => self.wrong.push(format!("Impact: {why}")),
            },
            "state" => match value.to_lowercase().replace(' ', "_").parse::<NoticeState>() {
                Ok(state) => self.state = Some(state),
                Err(why) => self.wrong.push(format!("State: {why}")),
            },
            _ => self.text.push(line.to_owned()),
        }
    }

    fn time(&mut self, name: &str, value: &str) -> Option<Timestamp> {
        let found = moment(value);
        if found.is_none() {
            self.wrong.push(format!(
                "{name} is no time such as 2026-12-02T20:00:00Z or 2026-12-02 20:00 UTC"
            ));
        }
        found
    }
}

/// A time in RFC 3339, or as `2026-12-02 20:00 UTC`. A time without a zone is none: the vendor's may be any.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let local = text.strip_suffix("UTC")?.trim().replace(' ', "T");
    let seconds = if local.len() == "2026-12-02T20:00".len() {
        ":00Z"
    } else {
        "Z"
    };
    format!("{local}{seconds}").parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    const LETTER: &str = "Dear all,\n\nReference: CW-17\nServices: backup, label-print\nStart: 2026-12-02 20:00 UTC\n\
                          End: 2026-12-02T22:00:00Z\nImpact: Outage\nDisks of row 4 are replaced.\n";

    #[test]
    fn a_letter_with_its_lines_is_a_notice() {
        let notice = read("Storage maintenance", LETTER, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(
            (notice.reference.as_str(), notice.title.as_str()),
            ("CW-17", "Storage maintenance")
        );
        assert_eq!(notice.components, ["backup", "label-print"]);
        assert_eq!(notice.starts_at.to_string(), "2026-12-02T20:00:00Z");
        assert_eq!(notice.ends_at.to_string(), "2026-12-02T22:00:00Z");
        assert_eq!(
            (notice.impact, notice.state),
            (NoticeImpact::Outage, NoticeState::Announced)
        );
        assert!(notice.text.unwrap().contains("row 4"));
        let over = format!("{LETTER}State: under way\nTitle: Disks\n");
        let notice = read("Re: it", &over, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!((notice.state, notice.title.as_str()), (NoticeState::UnderWay, "Disks"));
    }

    #[test]
    fn all_that_a_letter_lacks_is_named_at_once() {
        let why = |text: &str| read("x", text, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(why("Hello"), "it lacks Reference, Services, Start, End");
        let bad = LETTER
            .replace("2026-12-02 20:00 UTC", "tonight")
            .replace("Outage", "bad");
        let said = why(&bad);
        assert!(
            said.contains("Start is no time") && said.contains("Impact: `bad` is none of"),
            "{said}"
        );
        let turned = LETTER.replace("2026-12-02T22", "2026-12-02T19");
        assert_eq!(why(&turned), "End does not lie after Start");
        assert!(
            why(&LETTER.replace(" UTC", "")).contains("Start is no time"),
            "a time without a zone"
        );
    }
}
