//! A dashboard as PDF: each tile with the rows that it counts, for its reader. Times are in UTC, and the same counts at the
//! same time give the same bytes.

use acts::Context;
use acts::report::find_tiles::{FoundTile, Narrow, TileRow, Wanted, find_dashboard, find_tiles, read_narrow};
use jiff::Timestamp;
use model::directory::snapshot::Directory;
use model::report::dashboard::Source;

use crate::compliance::pdf_fonts::Weight;
use crate::compliance::pdf_sheets::Sheets;
use crate::web::report::metric_words::{NOTHING, basis, count_text, value_of};
use crate::web::shared::words::{capital, waits_on};

/// The dashboard with this key as a file with its name, narrowed by the pairs of an address.
///
/// # Errors
/// 403, 404, 422 for a filter with a value that nothing has, or the store's.
pub(crate) fn dashboard_file(
    cx: &mut Context<'_, '_>,
    key: &str,
    pairs: &[(String, String)],
) -> acts::Result<(String, Vec<u8>)> {
    let wanted = find_dashboard(cx, key)?;
    let directory = cx.visible()?;
    let narrow = read_narrow(&directory, &wanted.narrow, |name| {
        let found = pairs.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    })?;
    let tiles = find_tiles(cx, &wanted.tiles, &narrow)?;
    let file = document(&directory, (&wanted, &narrow), &tiles, cx.now);
    Ok((format!("dashboard-{}.pdf", wanted.key), file))
}

fn document(
    directory: &Directory,
    (wanted, narrow): (&Wanted, &Narrow),
    tiles: &[FoundTile],
    now: Timestamp,
) -> Vec<u8> {
    let title = format!("Dashboard: {}", wanted.title);
    let mut sheets = Sheets::new();
    sheets.heading(&title, true);
    sheets.paragraph(&filters(narrow), Weight::Plain);
    for found in tiles {
        put_tile(&mut sheets, directory, found);
    }
    if !sheets.is_whole() {
        let text = "Characters outside of Latin-1 appear as question marks here; the page has them.";
        sheets.paragraph(text, Weight::Plain);
    }
    sheets.finish(&title, &format!("Counted {}", minute(now)))
}

/// The active filters as text.
fn filters(narrow: &Narrow) -> String {
    if narrow.is_empty() {
        return "Everything that its reader may read.".to_owned();
    }
    let parts: Vec<String> = narrow
        .iter()
        .map(|(name, value)| format!("{} {value}", capital(name)))
        .collect();
    format!("{}.", parts.join(", "))
}

fn put_tile(sheets: &mut Sheets, directory: &Directory, found: &FoundTile) {
    sheets.heading(found.tile.title, false);
    sheets.paragraph(found.tile.words, Weight::Plain);
    if let Some(since) = found.since {
        let text = format!(
            "Its window holds more changes than a dashboard reads: counted from {} on.",
            minute(since)
        );
        sheets.paragraph(&text, Weight::Plain);
    }
    // A bottleneck has a figure, too, and counts by its rows.
    if let (Some(figure), Source::Metric(_)) = (&found.figure, found.tile.source) {
        let it = figure.definition;
        let row = vec![it.title.clone(), value_of(it, &figure.whole), basis(it, &figure.whole)];
        sheets.table(
            &["Figure", "Value", "Of how many, and how sure"],
            &[0.35, 0.2, 0.45],
            &[row],
        );
        return;
    }
    if found.rows.is_empty() {
        sheets.paragraph(NOTHING, Weight::Plain);
        return;
    }
    let rows: Vec<Vec<String>> = found.rows.iter().map(|row| row_texts(directory, found, row)).collect();
    let heads = match found.tile.source {
        Source::Bottleneck => ["What", "Time", "When"],
        _ => ["What", "Count", "When"],
    };
    sheets.table(&heads, &[0.45, 0.15, 0.4], &rows);
    if found.is_cut {
        sheets.paragraph("Only a part is shown.", Weight::Plain);
    }
}

fn row_texts(directory: &Directory, found: &FoundTile, row: &TileRow) -> Vec<String> {
    let label = match row.span {
        Some((from, _)) if !row.is_said => from.strftime("%Y-%m-%d").to_string(),
        _ if row.is_said && !row.changes.is_empty() => waits_on(directory, &row.label),
        _ if row.is_said => row.label.clone(),
        _ => capital(&row.label),
    };
    let when = row
        .span
        .map(|(from, to)| format!("{} to {}", minute(from), minute(to)))
        .unwrap_or_default();
    vec![label, count_text(found, row), when]
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use model::report::dashboard::tile_of;

    use super::*;

    fn has(file: &[u8], text: &str) -> bool {
        file.windows(text.len()).any(|at| at == text.as_bytes())
    }

    fn tile(id: &str, rows: Vec<TileRow>) -> FoundTile {
        FoundTile {
            tile: tile_of(id).unwrap(),
            rows,
            figure: None,
            is_cut: false,
            since: None,
        }
    }

    fn made(label: &str) -> Vec<u8> {
        let wanted = Wanted {
            key: "board".to_owned(),
            title: "Board".to_owned(),
            is_said: false,
            tiles: Vec::new(),
            narrow: Narrow::new(),
        };
        let row = TileRow {
            id: "draft".to_owned(),
            label: label.to_owned(),
            count: 7,
            is_whole: true,
            ..TileRow::default()
        };
        let narrow = vec![("service", "ledger".to_owned())];
        let tiles = [tile("states", vec![row]), tile("freezes", Vec::new())];
        let now = "2026-11-29T08:00:00Z".parse().unwrap();
        document(&Directory::default(), (&wanted, &narrow), &tiles, now)
    }

    #[test]
    fn a_file_has_each_tile_with_its_rows_and_the_filters_and_says_where_characters_are_missing() {
        let file = made("rolled_back");
        assert!(file.starts_with(b"%PDF-") && file.ends_with(b"%%EOF"));
        for text in [
            "(Rolled back)",
            "(7)",
            "(Service ledger.)",
            "(Freezes ahead)",
            "(There is nothing to count.)",
        ] {
            assert!(has(&file, text), "{text}");
        }
        assert_eq!(file, made("rolled_back"), "the same counts, the same bytes");
        assert!(!has(&file, "question marks") && has(&made("\u{65e5}"), "question marks"));
    }
}
