//! The known facts of an incident at its review, and the review as Markdown.

use std::fmt::Write;

use jiff::Timestamp;

use crate::core::enums::RiskRating;

/// The most lines of the course of an incident.
pub const MOST_LINES: usize = 200;

/// A change that was involved in an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Involved {
    /// Its key.
    pub key: String,
    /// Its title.
    pub title: String,
    /// Its role: “caused it”, “fixed it”.
    pub role: &'static str,
    /// The risk that it was rated with.
    pub risk: String,
    /// Its forecast of failure when it was assessed, as a percentage.
    pub forecast: Option<String>,
    /// The number of steps in its plan.
    pub steps: usize,
    /// The people who decided about it: logins.
    pub decided_by: Vec<String>,
    /// The number of its permits.
    pub permits: usize,
    /// When its work began.
    pub began: Option<Timestamp>,
    /// When its work ended.
    pub ended: Option<Timestamp>,
    /// The two answers, with the reason; `None` while they are missing.
    pub answer: Option<(RiskRating, bool, Option<String>)>,
}

/// An action from a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Its key.
    pub key: String,
    /// The task.
    pub title: String,
    /// The owner: a login.
    pub owner: String,
    /// The deadline.
    pub due_at: Timestamp,
    /// Its state.
    pub state: String,
}

/// All that a review shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drafted {
    /// The incident's key.
    pub key: String,
    /// Its title.
    pub title: String,
    /// Its severity.
    pub severity: i64,
    /// Its services.
    pub services: Vec<String>,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The summary of event and cause: a person's text, else a draft from the facts.
    pub summary: String,
    /// Whether a person wrote the summary.
    pub is_written: bool,
    /// Since when the review is complete.
    pub completed_at: Option<Timestamp>,
    /// The root cause: key and name.
    pub cause: Option<(String, String)>,
    /// The contributing factors.
    pub contributing: Vec<String>,
    /// The timeline.
    pub course: Vec<(Timestamp, String)>,
    /// Changes that were involved.
    pub changes: Vec<Involved>,
    /// Other linked records: the relation, and their keys.
    pub links: Vec<(&'static str, String)>,
    /// Actions.
    pub actions: Vec<Action>,
    /// Pending changes with a moved forecast, each with a sentence.
    pub moves: Vec<(String, String)>,
    /// The parts that the review still needs.
    pub missing: Vec<String>,
}

/// A text on one line in Markdown, with what Markdown would read as its own escaped.
fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if c.is_control() => {}
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '!' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// Text of several lines: each of them escaped, so that none becomes a heading or a link.
fn lines(text: &str) -> String {
    text.lines().map(line).collect::<Vec<_>>().join("  \n")
}

/// A time for readers in any zone, to the minute.
fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn or_none(text: String) -> String {
    if text.is_empty() { "None.\n".to_owned() } else { text }
}

impl Drafted {
    /// The draft of what happened, from what is recorded: it names systems and conditions, not people.
    #[must_use]
    pub fn summary_of_facts(&self) -> String {
        let services = match self.services.as_slice() {
            [] => "No service is named".to_owned(),
            services => services.join(", "),
        };
        let ended = match self.ended {
            Some(ended) => {
                let after = minutes(self.began, ended);
                format!("it ended at {}, after {after} minutes", moment(ended))
            }
            None => "it goes on".to_owned(),
        };
        let began = moment(self.began);
        let mut text = format!("{}. {services}: it began at {began}, and {ended}.", self.title);
        for change in &self.changes {
            let _ = write!(text, " {} {}.", change.key, change.role);
        }
        text
    }

    /// The review as Markdown (CommonMark).
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = format!("# Review of {}: {}\n\n", self.key, line(&self.title));
        let state = match self.completed_at {
            Some(at) => format!("complete since {at}"),
            None => "a draft".to_owned(),
        };
        let ended = self.ended.map_or_else(|| "it goes on".to_owned(), |at| at.to_string());
        let _ = write!(
            out,
            "- Review: {state}\n- Severity: {}\n- Services: {}\n- Began: {}\n- Ended: {ended}\n",
            self.severity,
            line(&self.services.join(", ")),
            self.began
        );
        let cause = match &self.cause {
            Some((key, name)) => format!("{} (`{key}`)", line(name)),
            None => "not named yet".to_owned(),
        };
        let _ = write!(
            out,
            "\n## What happened and why\n\n{}\n\n## Root cause\n\n{cause}\n",
            lines(&self.summary)
        );
        let factors: String = self.contributing.iter().map(|it| format!("- {}\n", line(it))).collect();
        let _ = write!(out, "\n## Contributing factors\n\n{}", or_none(factors));
        let changes: String = self.changes.iter().map(Involved::markdown).collect();
        let _ = write!(out, "\n## Changes involved\n\n{}", or_none(changes));
        let actions = self.actions.iter().map(|it| {
            let (key, title, owner) = (&it.key, line(&it.title), line(&it.owner));
            format!("- {key}: {title} ({owner}, until {}, {})\n", it.due_at, it.state)
        });
        let _ = write!(out, "\n## Actions\n\n{}", or_none(actions.collect()));
        let links = self
            .links
            .iter()
            .map(|(words, key)| format!("- {words} {}\n", line(key)));
        let _ = write!(out, "\n## Links\n\n{}", or_none(links.collect()));
        let moves = self.moves.iter().map(|(key, told)| format!("- {key} {}\n", line(told)));
        let _ = write!(out, "\n## Pending changes that moved\n\n{}", or_none(moves.collect()));
        let course = self.course.iter().map(|(at, text)| format!("- {at} {}\n", line(text)));
        let _ = write!(out, "\n## Course\n\n{}", or_none(course.collect()));
        out
    }
}

impl Involved {
    fn markdown(&self) -> String {
        let forecast = self.forecast.as_ref().map(|it| format!(", {it} %")).unwrap_or_default();
        let answer = match &self.answer {
            None => "not answered yet".to_owned(),
            Some((rating, adequate, why)) => {
                let steps = if *adequate {
                    "adequate"
                } else {
                    "a step or check was missing"
                };
                let why = why.as_ref().map(|it| format!(" ({})", line(it))).unwrap_or_default();
                format!("risk rated {}; steps: {steps}{why}", rating.words())
            }
        };
        let decided = match self.decided_by.as_slice() {
            [] => "nobody".to_owned(),
            people => line(&people.join(", ")),
        };
        format!(
            "- {} ({}): {}. Rated {}{forecast}; {} steps, {} permits; decided by {decided}. {answer}.\n",
            self.key,
            self.role,
            line(&self.title),
            self.risk,
            self.steps,
            self.permits
        )
    }
}

fn minutes(from: Timestamp, to: Timestamp) -> i64 {
    (to.duration_since(from).as_secs() / 60).max(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn drafted() -> Drafted {
        let at = |minute: i64| Timestamp::from_second(1_795_000_000 + minute * 60).unwrap();
        Drafted {
            key: "INC-101".to_owned(),
            title: "Labels <b>stop</b>\n# Heading".to_owned(),
            severity: 2,
            services: vec!["label-print".to_owned()],
            began: at(0),
            ended: Some(at(96)),
            summary: "The queue was full.\n# No heading".to_owned(),
            is_written: true,
            completed_at: None,
            cause: Some(("capacity".to_owned(), "Not enough capacity".to_owned())),
            contributing: vec!["[late](alert)".to_owned()],
            course: vec![(at(0), "began".to_owned())],
            changes: vec![Involved {
                key: "CHG-1042".to_owned(),
                title: "Sharper labels".to_owned(),
                role: "caused it",
                risk: "medium".to_owned(),
                forecast: Some("3.2".to_owned()),
                steps: 2,
                decided_by: vec!["olga".to_owned()],
                permits: 1,
                began: None,
                ended: None,
                answer: Some((RiskRating::TooLow, false, None)),
            }],
            links: Vec::new(),
            actions: Vec::new(),
            moves: Vec::new(),
            missing: Vec::new(),
        }
    }

    #[test]
    fn what_people_wrote_stays_text_in_markdown() {
        let text = drafted().markdown();
        assert!(
            text.starts_with("# Review of INC-101: Labels \\<b\\>stop\\</b\\> \\# Heading\n"),
            "{text}"
        );
        assert!(text.contains("The queue was full.  \n\\# No heading"), "{text}");
        assert!(text.contains("- \\[late\\](alert)"), "{text}");
        let headings = text.lines().filter(|line| line.starts_with('#')).count();
        assert_eq!(headings, 9, "the review's own alone: {text}");
        assert!(text.contains("risk rated too low; steps: a step or check was missing"));
    }

    #[test]
    fn the_draft_says_how_long_it_took_and_which_change_did_what() {
        let text = drafted().summary_of_facts();
        assert!(
            text.contains("after 96 minutes") && text.contains("CHG-1042 caused it."),
            "{text}"
        );
        assert!(
            text.contains(" UTC, and it ended at "),
            "a time is read by people: {text}"
        );
    }
}
