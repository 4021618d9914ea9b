//! The calendar as a table: with the collisions of each change, and its other warnings before a decision.

use std::collections::BTreeMap;

use model::schedule::conflicts::Planned;
use pages::{Cell, Column, Fold, Rich, Table};

use super::{Board, NAMED, Others, state_text};
use crate::web::approval::warnings;
use crate::web::shared::view::View;
use crate::web::shared::words;

/// The table.
pub(super) fn table(view: &View<'_, '_, '_>, board: &Board) -> Table {
    let rows = board.changes.iter().map(|one| {
        let places: Vec<String> = one
            .targets
            .iter()
            .map(|t| format!("{} {}", t.service, t.environment))
            .collect();
        let others = board.colliding.get(&one.listed.key);
        let clash = others.map_or_else(Rich::new, |others| Rich::new().late(with(others)));
        let found = board.warned.get(&one.listed.key);
        let warned = found.map_or_else(Rich::new, |found| warnings::short(found));
        vec![
            Cell::Short(view.reader.span(one.start.timestamp(), one.end.timestamp())),
            Cell::Title {
                text: format!("{} {}", one.listed.key, one.listed.title),
                href: view.change_url(&one.listed.key),
                key: String::new(),
                marks: Vec::new(),
                sub: warned,
            },
            Cell::text(words::capital(&state_text(&one.listed, &one.targets, view.now()))),
            Cell::said(places.join(", ")),
            Cell::Text(clash),
        ]
    });
    Table {
        caption: "What is planned".to_owned(),
        columns: vec![
            Column::new("From and to", Fold::Under),
            Column::new("Change", Fold::Never),
            Column::new("State", Fold::Under),
            Column::new("Where", Fold::Away),
            Column::new("Collides", Fold::Under),
        ],
        rows: rows.collect(),
        ..Table::default()
    }
}

/// The changes that each of the changes collides with, by its window or by its planned undo.
pub(super) fn others(planned: &[Planned], pairs: &[(usize, usize)]) -> BTreeMap<String, Others> {
    let mut found: BTreeMap<String, Others> = BTreeMap::new();
    for (one, other) in pairs.iter().flat_map(|(one, other)| [(*one, *other), (*other, *one)]) {
        let row = found.entry(planned[one].key.clone()).or_default();
        match row.named.len() < NAMED {
            true => row.named.push(planned[other].name()),
            false => row.more += 1,
        }
    }
    found
}

/// The colliding changes of a change: some by their keys, and the number of the others.
pub(super) fn with(others: &Others) -> String {
    let named = others.named.join(", ");
    match others.more {
        0 => format!("with {named}"),
        more => format!("with {named} and {more} more"),
    }
}
