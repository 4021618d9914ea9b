//! Board packs as PDF: the month's figures, and the agenda of a meeting with the risk and the conflicts of each change. Times are in
//! UTC, and the same pack gives the same bytes.

use std::collections::BTreeMap;

use acts::Context;
use acts::cab::agenda_pack::{AgendaPack, PackChange, PackItem, find_agenda_pack};
use acts::cab::board_pack::{BoardPack, PackFigure, Reviewed, find_pack};
use acts::report::find_ended::find_titles;
use acts::report::find_figures::RowOfFigure;
use jiff::Timestamp;
use model::cab::agenda::{Agenda, AgendaState};
use model::cab::agenda_item::{ItemListing, ItemOutcome};
use model::schedule::conflicts::Found;
use pages::count;

use crate::compliance::pdf_fonts::Weight;
use crate::compliance::pdf_sheets::Sheets;
use crate::web::cab::item_words::{ground_text, outcome_text};
use crate::web::report::metric_words::{basis, value_of};

/// The titles of changes by their ids.
type Titles = BTreeMap<String, String>;

/// The pack of a month as a file with its name.
///
/// # Errors
/// 403, 422, or the store's.
pub(crate) fn month_file(cx: &mut Context<'_, '_>, month: &str) -> acts::Result<(String, Vec<u8>)> {
    let pack = find_pack(cx, month)?;
    let titles = titles_of(cx, &pack)?;
    Ok((format!("board-pack-{}.pdf", pack.month), month_pdf(&pack, &titles)))
}

/// The pack of a meeting as a file with its name.
///
/// # Errors
/// 403, 404, or the store's.
pub(crate) fn agenda_file(cx: &mut Context<'_, '_>, id: &str) -> acts::Result<(String, Vec<u8>)> {
    let pack = find_agenda_pack(cx, id)?;
    let titles = match &pack.month {
        Some(month) => titles_of(cx, month)?,
        None => Titles::new(),
    };
    let day = pack.agenda.starts_at.strftime("%Y-%m-%d");
    Ok((format!("meeting-{day}.pdf"), agenda_pdf(&pack, &titles)))
}

fn titles_of(cx: &mut Context<'_, '_>, pack: &BoardPack) -> acts::Result<Titles> {
    let rows = pack.failures.iter().chain(&pack.emergencies);
    let ids: Vec<String> = rows.map(|row| row.change.clone()).collect();
    find_titles(cx, &ids)
}

fn month_pdf(pack: &BoardPack, titles: &Titles) -> Vec<u8> {
    let title = format!("Board pack {}", pack.month);
    let mut sheets = Sheets::new();
    sheets.heading(&title, true);
    put_month(&mut sheets, pack, titles);
    finish(sheets, &title, &format!("Digest {}", pack.digest()))
}

fn agenda_pdf(pack: &AgendaPack, titles: &Titles) -> Vec<u8> {
    let mut sheets = Sheets::new();
    sheets.heading(&pack.title, true);
    sheets.table(&["Meeting", ""], &[0.25, 0.75], &facts(pack));
    put_items(&mut sheets, "Agenda", &pack.items);
    if pack.items.is_empty() {
        sheets.paragraph("No change needs the board.", Weight::Plain);
    }
    if !pack.later.is_empty() {
        put_items(&mut sheets, "After the freeze", &pack.later);
    }
    if let Some(month) = &pack.month {
        sheets.heading(&format!("Review of {}", month.month), false);
        put_month(&mut sheets, month, titles);
    }
    let digest = pack.agenda.digest.as_deref().unwrap_or("not frozen");
    finish(sheets, &pack.title, &format!("Agenda {digest}"))
}

fn finish(mut sheets: Sheets, title: &str, foot: &str) -> Vec<u8> {
    if !sheets.is_whole() {
        let text = "Characters outside of Latin-1 appear as question marks here; the page has them.";
        sheets.paragraph(text, Weight::Plain);
    }
    sheets.finish(title, foot)
}

fn facts(pack: &AgendaPack) -> Vec<Vec<String>> {
    let row = |label: &str, value: String| vec![label.to_owned(), value];
    vec![
        row("Board", pack.board.clone()),
        row("Begins", minute(pack.agenda.starts_at)),
        row("Chair", pack.chair.clone()),
        row("Agenda", state(&pack.agenda)),
    ]
}

fn state(agenda: &Agenda) -> String {
    match (agenda.state, agenda.frozen_at) {
        (AgendaState::Open, _) => format!("Freezes {}; until then changes come and go.", minute(agenda.freeze_at)),
        (_, Some(at)) => format!("Frozen {}", minute(at)),
        (_, None) => "Frozen".to_owned(),
    }
}

fn put_items(sheets: &mut Sheets, title: &str, items: &[PackItem]) {
    sheets.heading(title, false);
    let rows: Vec<Vec<String>> = items.iter().map(item_row).collect();
    if rows.is_empty() {
        return;
    }
    sheets.table(
        &["No.", "Change", "Risk", "Planned", "Decided"],
        &[0.07, 0.43, 0.1, 0.22, 0.18],
        &rows,
    );
    for item in items {
        if let Some(change) = &item.change {
            put_change(sheets, item, change);
        }
    }
}

fn item_row(it: &PackItem) -> Vec<String> {
    let title = it
        .change
        .as_ref()
        .map_or("not visible here", |change| change.title.as_str());
    let planned = it.change.as_ref().and_then(|change| change.planned);
    let decided = match (it.item.outcome, it.item.listing) {
        (Some(outcome), _) => outcome_text(outcome).to_owned(),
        (None, ItemListing::Vote) => "By vote before".to_owned(),
        (None, ItemListing::Live) => format!("At the meeting, {} min", it.item.box_minutes),
    };
    vec![
        it.item.place.to_string(),
        format!("{} {title}", it.item.change_key),
        it.item.risk.as_str().to_owned(),
        planned.map_or_else(|| "no time".to_owned(), span),
        decided,
    ]
}

fn put_change(sheets: &mut Sheets, it: &PackItem, change: &PackChange) {
    sheets.heading(&format!("{}: {}", it.item.change_key, change.title), false);
    sheets.paragraph(
        &format!("Owner: {}. Targets: {}.", change.owner, change.targets.join(", ")),
        Weight::Plain,
    );
    sheets.paragraph(
        &format!(
            "Risk {}, {}.",
            it.item.risk.as_str(),
            ground_text(it.item.ground).to_lowercase()
        ),
        Weight::Bold,
    );
    for reason in &change.risk_reasons {
        sheets.paragraph(reason, Weight::Plain);
    }
    if change.conflicts.is_empty() {
        sheets.paragraph("No conflicts with other changes or maintenance.", Weight::Plain);
        return;
    }
    let rows: Vec<Vec<String>> = change.conflicts.iter().map(conflict_row).collect();
    sheets.table(&["Conflict with", "Why", "When"], &[0.25, 0.45, 0.3], &rows);
}

fn conflict_row(found: &Found) -> Vec<String> {
    let why = |met: &model::schedule::conflicts::Met| {
        format!("{}: {}", met.kind.as_str().replace('_', " "), met.path.join(" - "))
    };
    let whys: Vec<String> = found.met.iter().map(why).collect();
    vec![found.name(), whys.join("; "), span((found.from, found.to))]
}

fn put_month(sheets: &mut Sheets, pack: &BoardPack, titles: &Titles) {
    let figure = |it: &PackFigure| {
        vec![
            it.definition.title.clone(),
            value_of(it.definition, &it.figure),
            basis(it.definition, &it.figure),
        ]
    };
    let figures: Vec<Vec<String>> = pack.figures.iter().map(figure).collect();
    sheets.heading("Figures", false);
    sheets.table(&["Metric", "Value", "Counted from"], &[0.4, 0.2, 0.4], &figures);
    put_rows(sheets, ("Failures", "No deployment failed."), &pack.failures, titles);
    put_rows(
        sheets,
        ("Emergencies", "There was no emergency."),
        &pack.emergencies,
        titles,
    );
    put_reviews(sheets, pack);
    let ahead = pack.upcoming.iter();
    let rows: Vec<Vec<String>> = ahead
        .map(|it| vec![it.key.clone(), it.title.clone(), minute(it.starts_at)])
        .collect();
    put_table(
        sheets,
        (
            "High-risk changes ahead",
            "No change of high risk is planned for the next 31 days.",
        ),
        (&["Change", "Title", "Planned"], &[0.15, 0.55, 0.3]),
        &rows,
    );
}

fn put_reviews(sheets: &mut Sheets, pack: &BoardPack) {
    let reviewed = |it: &Reviewed| {
        let outcome = outcome_text(it.item.outcome.unwrap_or(ItemOutcome::Deferred));
        vec![
            it.item.change_key.clone(),
            outcome.to_owned(),
            format!("{}, {}", it.item.yes, it.item.no),
        ]
    };
    let rows: Vec<Vec<String>> = pack.reviewed.iter().map(reviewed).collect();
    put_table(
        sheets,
        ("Effect of board reviews", "No minutes of this month are signed."),
        (&["Change", "Decision", "For, against"], &[0.3, 0.4, 0.3]),
        &rows,
    );
    if !rows.is_empty() {
        let text = format!(
            "{} of {} decisions changed something.",
            count(pack.changed() as u64),
            count(rows.len() as u64)
        );
        sheets.paragraph(&text, Weight::Plain);
    }
}

fn put_rows(sheets: &mut Sheets, words: (&str, &str), rows: &[RowOfFigure], titles: &Titles) {
    let row = |it: &RowOfFigure| {
        let place = match it.service.is_empty() {
            true => String::new(),
            false => format!("{}, {}", it.service, it.environment),
        };
        let title = titles.get(&it.change).map_or("", String::as_str);
        vec![format!("{} {title}", it.key), place, minute(it.at)]
    };
    let rows: Vec<Vec<String>> = rows.iter().map(row).collect();
    put_table(sheets, words, (&["Change", "Where", "When"], &[0.45, 0.3, 0.25]), &rows);
}

fn put_table(
    sheets: &mut Sheets,
    (title, none): (&str, &str),
    (heads, shares): (&[&str], &[f32]),
    rows: &[Vec<String>],
) {
    sheets.heading(title, false);
    match rows.is_empty() {
        true => sheets.paragraph(none, Weight::Plain),
        false => sheets.table(heads, shares, rows),
    }
}

fn span((from, to): (Timestamp, Timestamp)) -> String {
    format!("{} to {}", minute(from), minute(to))
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn has(file: &[u8], text: &str) -> bool {
        file.windows(text.len()).any(|at| at == text.as_bytes())
    }

    fn pack(title: &str) -> BoardPack {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        BoardPack {
            month: "2026-10".to_owned(),
            from: at("2026-10-01T00:00:00Z"),
            to: at("2026-11-01T00:00:00Z"),
            figures: Vec::new(),
            failures: Vec::new(),
            emergencies: Vec::new(),
            reviewed: Vec::new(),
            upcoming: vec![acts::cab::board_pack::Upcoming {
                key: "CHG-7".to_owned(),
                title: title.to_owned(),
                starts_at: at("2026-11-03T20:00:00Z"),
            }],
        }
    }

    #[test]
    fn a_pack_names_what_is_ahead_and_says_where_characters_are_missing() {
        let made = month_pdf(&pack("Ledger"), &Titles::new());
        assert!(made.starts_with(b"%PDF-") && made.ends_with(b"%%EOF"));
        assert!(has(&made, "(CHG-7)") && has(&made, "(Ledger)"));
        assert!(has(&made, "(No deployment failed.)"));
        assert!(!has(&made, "question marks"));
        assert_eq!(
            made,
            month_pdf(&pack("Ledger"), &Titles::new()),
            "the same pack, the same bytes"
        );
        let other = month_pdf(&pack("\u{65e5}"), &Titles::new());
        assert!(has(&other, "question marks"));
    }
}
