//! The review of an incident as a PDF: the same parts as in Markdown.

use model::incident::review_text::{Drafted, Involved};

use super::pdf_fonts::Weight;
use super::pdf_sheets::Sheets;

/// The file. The same review gives the same bytes.
pub(crate) fn document(review: &Drafted) -> Vec<u8> {
    let title = format!("Review of {}: {}", review.key, review.title);
    let mut sheets = Sheets::new();
    sheets.heading(&title, true);
    sheets.table(&["Fact", "Value"], &[0.25, 0.75], &facts(review));
    sheets.heading("What happened and why", false);
    paragraphs(&mut sheets, &review.summary);
    sheets.heading("Contributing factors", false);
    for factor in &review.contributing {
        sheets.paragraph(factor, Weight::Plain);
    }
    none_where(&mut sheets, review.contributing.is_empty());
    sheets.heading("Changes involved", false);
    let changes: Vec<Vec<String>> = review.changes.iter().map(change).collect();
    sheets.table(
        &["Change", "Rated", "Decided by", "Answers"],
        &[0.34, 0.14, 0.2, 0.32],
        &changes,
    );
    sheets.heading("Actions", false);
    let action = |it: &model::incident::review_text::Action| {
        let until = it.due_at.to_string();
        vec![
            format!("{}: {}", it.key, it.title),
            it.owner.clone(),
            until,
            it.state.clone(),
        ]
    };
    let actions: Vec<Vec<String>> = review.actions.iter().map(action).collect();
    sheets.table(
        &["Action", "Owner", "Until", "State"],
        &[0.46, 0.16, 0.24, 0.14],
        &actions,
    );
    pairs(&mut sheets, ("Links", ["Relation", "Record"]), links(review));
    pairs(
        &mut sheets,
        ("Pending changes that moved", ["Change", "Why"]),
        review.moves.clone(),
    );
    let course = review.course.iter().map(|(at, text)| (at.to_string(), text.clone()));
    pairs(&mut sheets, ("Course", ["When", "What"]), course.collect());
    if !sheets.is_whole() {
        let text = "Characters outside of Latin-1 appear as question marks here; the form Markdown has them.";
        sheets.paragraph(text, Weight::Plain);
    }
    let foot = match review.completed_at {
        Some(at) => format!("{}, complete since {at}", review.key),
        None => format!("{}, a draft", review.key),
    };
    sheets.finish(&title, &foot)
}

fn facts(review: &Drafted) -> Vec<Vec<String>> {
    let row = |label: &str, value: String| vec![label.to_owned(), value];
    let ended = review
        .ended
        .map_or_else(|| "it goes on".to_owned(), |at| at.to_string());
    let state = match review.completed_at {
        Some(at) => format!("complete since {at}"),
        None => "a draft".to_owned(),
    };
    let cause = match &review.cause {
        Some((key, name)) => format!("{name} ({key})"),
        None => "not named yet".to_owned(),
    };
    vec![
        row("Review", state),
        row("Severity", review.severity.to_string()),
        row("Services", review.services.join(", ")),
        row("Began", review.began.to_string()),
        row("Ended", ended),
        row("Root cause", cause),
    ]
}

fn change(it: &Involved) -> Vec<String> {
    let answers = match &it.answer {
        None => "not answered yet".to_owned(),
        Some((rating, is_adequate, why)) => {
            let steps = if *is_adequate {
                "adequate"
            } else {
                "a step or check was missing"
            };
            let why = why.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
            format!("risk rated {}; steps: {steps}{why}", rating.words())
        }
    };
    let forecast = it.forecast.as_ref().map(|it| format!(", {it} %")).unwrap_or_default();
    vec![
        format!("{} ({}): {}", it.key, it.role, it.title),
        format!("{}{forecast}", it.risk),
        it.decided_by.join(", "),
        answers,
    ]
}

fn links(review: &Drafted) -> Vec<(String, String)> {
    let row = |(words, key): &(&'static str, String)| ((*words).to_owned(), key.clone());
    review.links.iter().map(row).collect()
}

/// A heading with a table of two columns.
fn pairs(sheets: &mut Sheets, (title, heads): (&str, [&str; 2]), rows: Vec<(String, String)>) {
    sheets.heading(title, false);
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(one, other)| vec![one, other]).collect();
    sheets.table(&heads, &[0.28, 0.72], &rows);
}

fn paragraphs(sheets: &mut Sheets, text: &str) {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        sheets.paragraph(line, Weight::Plain);
    }
    none_where(sheets, text.trim().is_empty());
}

fn none_where(sheets: &mut Sheets, is_empty: bool) {
    if is_empty {
        sheets.paragraph("None.", Weight::Plain);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn review(title: &str, lines: usize) -> Drafted {
        let began: jiff::Timestamp = "2026-11-20T08:00:00Z".parse().unwrap();
        Drafted {
            key: "INC-101".to_owned(),
            title: title.to_owned(),
            severity: 2,
            services: vec!["label-print".to_owned()],
            began,
            ended: None,
            summary: "The queue was full.\n\nNobody saw it.".to_owned(),
            is_written: true,
            completed_at: None,
            cause: None,
            contributing: Vec::new(),
            course: (0..lines).map(|number| (began, format!("alert {number}"))).collect(),
            changes: Vec::new(),
            links: vec![("caused by", "CHG-1042".to_owned())],
            actions: Vec::new(),
            moves: Vec::new(),
            missing: Vec::new(),
        }
    }

    #[test]
    fn the_same_review_gives_the_same_bytes_and_a_longer_course_more_pages() {
        let (short, long) = (
            document(&review("Labels stop", 2)),
            document(&review("Labels stop", 190)),
        );
        assert_eq!(short, document(&review("Labels stop", 2)));
        assert!(short.starts_with(b"%PDF-") && short.ends_with(b"%%EOF"));
        let pages = |file: &[u8]| file.windows(11).filter(|at| *at == b"/Type /Page").count();
        assert!(pages(&long) > pages(&short));
        let has = |file: &[u8], text: &[u8]| file.windows(text.len()).any(|at| at == text);
        assert!(
            has(&short, b"(CHG-1042)") && has(&long, b"(alert 189)"),
            "text stays text"
        );
        assert!(!has(&short, b"(alert 189)"));
    }
}
