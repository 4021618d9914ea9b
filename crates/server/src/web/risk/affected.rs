//! The reach of a change: drawn, and as a table with the path to each item.

use acts::risk::find_affected::{Excluded, Reach, reach_of};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::change::affected::{Affected, affected, path};
use model::change::record;
use model::core::act::actions;
use model::core::enums::NodeKind;
use model::risk::reach::Growth;
use pages::{
    Cell, Column, Entry, Fact, Fold, Graph, GraphNode, Place, RecordPage, Rich, Section, SectionBody, Table, Tone,
    count,
};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::view::{View, Visitor, show};

/// How many things one page of the table holds.
const PAGE: usize = 200;
/// The most names of a path that are shown; the middle of a longer one is counted.
const MOST_ON_A_WAY: usize = 6;

/// Where the table begins.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize)]
pub(crate) struct AffectedQuery {
    from: Option<usize>,
}

/// The page.
pub(crate) async fn show_affected(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    Query(asked): Query<AffectedQuery>,
) -> Response {
    show(&state, &visitor, Place::Changes, move |view| {
        page(view, &key, asked.from.unwrap_or(0))
    })
    .await
}

fn page(view: &mut View<'_, '_, '_>, key: &str, from: usize) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let change = view.cx.change(key)?;
    let reach = reach_of(view.cx, &change)?;
    let found = &reach.outage;
    let reached: Vec<usize> = (0..found.len()).filter(|place| found[*place].distance > 0).collect();
    let far = found.last().map_or(0, |one| one.distance);
    let from = from.min(reached.len().saturating_sub(1));
    let shown: Vec<usize> = reached.iter().skip(from).take(PAGE).copied().collect();
    let data: Vec<usize> = (0..reach.data.len())
        .filter(|place| reach.data[*place].by_data)
        .collect();
    let url = view.change_url(&change.key);
    let title = match reached.len() {
        0 => format!("{} reaches nothing else", change.key),
        1 => format!("{} reaches one thing", change.key),
        many => format!("{} reaches {} things", change.key, count(many as u64)),
    };
    let mut sections = vec![
        Section::new(
            "graph",
            "Drawn",
            SectionBody::Graph(Box::new(graph(view, &change.key, found))),
        )
        .note(if far > 0 { arrows(far) } else { String::new() }),
        Section::new(
            "table",
            "Each with its path",
            SectionBody::Table(table(view, found, &shown)),
        )
        .note(paging(&url, from, reached.len()))
        .unsaid("No known item depends on these targets."),
        Section::new(
            "data",
            "Data that the change may damage",
            SectionBody::Table(table(view, &reach.data, &data[..data.len().min(PAGE)])),
        )
        .unsaid("No known item stores its data in these targets."),
        excluded_section(view, &reach),
    ];
    if let Some(grown) = &reach.grown {
        sections.insert(0, grown_section(grown));
    }
    let page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![
            ("Changes".to_owned(), view.url("/changes")),
            (change.key.clone(), url.clone()),
        ],
        byline: Rich::from("Services that need a target, run on it or contain it, directly or indirectly."),
        sections,
        facts: facts(view, &change, &reach, reached.len()),
        title,
        ..RecordPage::default()
    };
    Ok(page.render())
}

fn facts(view: &View<'_, '_, '_>, change: &record::Change, reach: &Reach, reached: usize) -> Vec<Fact> {
    let far = usize::try_from(reach.far).unwrap_or(usize::MAX);
    let beyond = reach.outage.iter().filter(|one| one.distance > far).count();
    let mut facts = vec![
        Fact::new("Changed", places(&change.content.targets)),
        Fact::new("Reached", count(reached as u64)),
        Fact::new("Counted individually up to", arrows(far)),
        Fact::new("Further away", count(beyond as u64)),
    ];
    if let Some(kept) = &reach.assessed {
        facts.push(Fact::new("Looked at", view.reader.moment(kept.at)));
        facts.push(Fact::new("Reached then", count(u64::try_from(kept.count).unwrap_or(0))));
    }
    facts
}

/// The items that the graph added after the assessment.
fn grown_section(grown: &Growth) -> Section {
    let entry = |thing: &String| Entry::new(Tone::Wait, Rich::new().said(thing.as_str())).icon("service");
    let mut entries: Vec<Entry> = grown.things.iter().take(PAGE).map(entry).collect();
    let rest = grown.count.saturating_sub(entries.len());
    if rest > 0 {
        let text = format!("{} more", count(rest as u64));
        entries.push(Entry::new(Tone::Wait, Rich::from(text)).icon("service"));
    }
    Section::new("grown", "New since the assessment", SectionBody::Entries(entries))
        .note("The assessment is due again.".to_owned())
}

/// The items that the assessment left out, with the reason and the author.
fn excluded_section(view: &View<'_, '_, '_>, reach: &Reach) -> Section {
    let entry = |row: &Excluded| {
        let text = Rich::new().said(row.item.as_str()).text(": ").said(row.reason.as_str());
        let entry = Entry::new(Tone::Plain, text).icon("minus");
        match (&row.by, row.at) {
            (Some(by), Some(at)) => entry.why(format!("by {by}, {}", view.reader.moment(at))),
            _ => entry,
        }
    };
    let entries = reach.excluded.iter().map(entry).collect();
    Section::new("excluded", "Left out by the assessment", SectionBody::Entries(entries))
        .unsaid("The assessment left nothing out.")
}

fn places(targets: &[record::Target]) -> String {
    let names: Vec<String> = targets.iter().take(5).map(|target| target.service.0.clone()).collect();
    match targets.len().saturating_sub(names.len()) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// Links to the neighbouring pages of the table.
fn paging(url: &str, from: usize, all: usize) -> Rich {
    let mut note = Rich::from(format!(
        "{} of {} ",
        PAGE.min(all.saturating_sub(from)),
        count(all as u64)
    ));
    if from > 0 {
        note = note
            .link(
                "nearer",
                format!("{url}/affected?from={}#table", from.saturating_sub(PAGE)),
            )
            .text(" ");
    }
    if from + PAGE < all {
        note = note.link("further", format!("{url}/affected?from={}#table", from + PAGE));
    }
    note
}

fn href(view: &View<'_, '_, '_>, one: &Affected) -> String {
    match one.kind {
        NodeKind::Service => view.url(&format!("/services/{}", escaped(&one.key))),
        NodeKind::ConfigItem => String::new(),
    }
}

/// How far the farthest is.
fn arrows(far: usize) -> String {
    match far {
        1 => "one step away".to_owned(),
        many => format!("at most {many} steps away"),
    }
}

/// The nearest items, column by column; further items are counted, and listed in the table.
pub(crate) fn graph(view: &View<'_, '_, '_>, key: &str, found: &[Affected]) -> Graph {
    let mut columns: Vec<Vec<GraphNode>> = Vec::new();
    // The row of each drawn item in its column.
    let mut rows: Vec<Option<usize>> = vec![None; found.len()];
    let mut drawn = 0;
    for (place, one) in found
        .iter()
        .enumerate()
        .take_while(|(_, one)| one.distance < Graph::MOST_COLUMNS)
    {
        let from = one.via.map(|via| rows[via]);
        if from == Some(None) {
            continue;
        }
        while columns.len() <= one.distance {
            columns.push(Vec::new());
        }
        let column = &mut columns[one.distance];
        if column.len() >= Graph::MOST_ROWS {
            continue;
        }
        rows[place] = Some(column.len());
        drawn += 1;
        column.push(GraphNode {
            key: one.key.clone(),
            href: href(view, one),
            from: from.flatten(),
            is_origin: one.distance == 0,
        });
    }
    let far = found.last().map_or(0, |one| one.distance);
    let reached = found.iter().filter(|one| one.distance > 0).count();
    let rest = found.len() - drawn;
    Graph {
        told: format!(
            "What {key} reaches: {}, {}",
            match reached {
                1 => "one thing".to_owned(),
                many => format!("{} things", count(many as u64)),
            },
            arrows(far)
        ),
        columns,
        rest: match rest {
            0 => String::new(),
            rest => format!("{} more are in the table.", count(rest as u64)),
        },
    }
}

fn table(view: &View<'_, '_, '_>, found: &[Affected], shown: &[usize]) -> Table {
    let rows = shown.iter().map(|place| {
        let one = &found[*place];
        let kind = if one.kind == NodeKind::Service {
            "service"
        } else {
            "config item"
        };
        vec![
            Cell::title(one.key.as_str(), href(view, one)),
            Cell::text(kind),
            Cell::Short(one.distance.to_string()),
            Cell::said(way(&path(found, *place))),
        ]
    });
    Table {
        caption: "Affected items, the nearest first".to_owned(),
        columns: vec![
            Column::new("Reached", Fold::Never),
            Column::new("Kind", Fold::Under),
            Column::new("Arrows", Fold::Under).number(),
            Column::new("By", Fold::Under),
        ],
        rows: rows.collect(),
        ..Table::default()
    }
}

/// A path as text, the changed item first.
fn way(keys: &[&str]) -> String {
    if keys.len() <= MOST_ON_A_WAY {
        return keys.join(" → ");
    }
    let (first, last) = (&keys[..2], &keys[keys.len() - 2..]);
    format!("{} → {} more → {}", first.join(" → "), keys.len() - 4, last.join(" → "))
}

/// A line on the page of the change that leads here.
pub(crate) fn line(view: &View<'_, '_, '_>, change: &record::Change) -> Option<Entry> {
    let found = affected(&view.directory, &change.content.targets);
    let near: Vec<&str> = found
        .iter()
        .filter(|one| one.distance == 1)
        .take(4)
        .map(|one| one.key.as_str())
        .collect();
    let all = found.iter().filter(|one| one.distance > 0).count();
    if all == 0 {
        return None;
    }
    let words = if all == 1 {
        "1 item depends on it".to_owned()
    } else {
        format!("{} items depend on it", count(all as u64))
    };
    let text = Rich::new().link(words, format!("{}/affected", view.change_url(&change.key)));
    Some(
        Entry::new(Tone::Plain, text)
            .icon("service")
            .why(format!("nearest: {}", near.join(", "))),
    )
}

#[cfg(test)]
mod tests {
    use super::way;

    #[test]
    fn a_long_way_keeps_its_ends() {
        assert_eq!(way(&["a", "b"]), "a → b");
        assert_eq!(way(&["a", "b", "c", "d", "e", "f", "g"]), "a → b → 3 more → f → g");
    }
}
