//! Tables: one line per row; on a narrow screen the columns fold under the title.

use askama::Template;

use crate::elements::filters;
use crate::elements::form::Acts;
use crate::{ActForm, Mark, Named, Part, Rich, render};

/// When a column folds away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fold {
    /// Always in its place.
    #[default]
    Never,
    /// Under the title when narrow.
    Under,
    /// Gone when not wide; the record's own page has it.
    Away,
}

/// A sort link in a column's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// Where the other order is.
    pub href: String,
    /// `Some(true)` when the table is sorted upwards by it, `Some(false)` downwards.
    pub ascending: Option<bool>,
}

/// A column's head.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Column {
    /// Its name in an address, where columns can be chosen; empty otherwise.
    pub id: &'static str,
    /// Its word.
    pub label: &'static str,
    /// When it folds.
    pub fold: Fold,
    /// Whether it holds figures that are compared.
    pub is_number: bool,
    /// Whether its label precedes its cells where they fold, for a cell means nothing without the label.
    pub is_named: bool,
    /// Its sort link.
    pub sort: Option<Sort>,
}

impl Column {
    /// A column with the given way of folding.
    #[must_use]
    pub fn new(label: &'static str, fold: Fold) -> Self {
        Self {
            label,
            fold,
            ..Self::default()
        }
    }

    /// The same column with its name in an address.
    #[must_use]
    pub fn id(mut self, id: &'static str) -> Self {
        self.id = id;
        self
    }

    /// The same column for figures, which need the column's label.
    #[must_use]
    pub fn number(mut self) -> Self {
        self.is_number = true;
        self.named()
    }

    /// The same column, whose label precedes its cells where they fold.
    #[must_use]
    pub fn named(mut self) -> Self {
        self.is_named = true;
        self
    }

    fn class(&self) -> &'static str {
        match (self.fold, self.is_number) {
            (Fold::Never, false) => "",
            (Fold::Never, true) => "num",
            (Fold::Under, false) => "w2",
            (Fold::Under, true) => "num w2",
            (Fold::Away, false) => "w3",
            (Fold::Away, true) => "num w3",
        }
    }

    fn direction(&self) -> Option<&'static str> {
        match self.sort.as_ref()?.ascending? {
            true => Some("ascending"),
            false => Some("descending"),
        }
    }

    fn arrow(&self) -> &'static str {
        match self.direction() {
            Some("ascending") => "↑",
            Some(_) => "↓",
            None => "",
        }
    }
}

/// The content of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// The row's name, with its address, its key and marks that are not normal.
    Title {
        /// The name.
        text: String,
        /// Its page; empty when it has none.
        href: String,
        /// A key in mono behind it; empty for none.
        key: String,
        /// Marks behind it, such as the kind of a change.
        marks: Vec<Mark>,
        /// A second line in grey.
        sub: Rich,
    },
    /// The row's name as a text of this crate: a week, a purpose.
    Name(String),
    /// The same with its page and a second line: a message.
    Told {
        /// The name.
        text: String,
        /// Its page; empty when it has none.
        href: String,
        /// A second line in grey.
        sub: Rich,
    },
    /// A sentence or a term.
    Text(Rich),
    /// Text that stays on one line, such as a time.
    Short(String),
    /// A state, risk or kind.
    Mark(Mark),
    /// Acts on this row.
    Acts {
        /// Makes the ids of these acts unique on the page.
        group: String,
        /// The acts.
        forms: Vec<ActForm>,
    },
}

impl Cell {
    /// A title with its page.
    #[must_use]
    pub fn title(text: impl Into<String>, href: impl Into<String>) -> Self {
        Cell::Title {
            text: text.into(),
            href: href.into(),
            key: String::new(),
            marks: Vec::new(),
            sub: Rich::new(),
        }
    }

    /// Plain words.
    #[must_use]
    pub fn text(text: impl Into<Rich>) -> Self {
        Cell::Text(text.into())
    }

    /// Names and other texts of people, which are never translated.
    #[must_use]
    pub fn said(text: impl Into<String>) -> Self {
        Cell::Text(Rich::new().said(text))
    }

    /// A person's name, which leads to their page where the reader may open it.
    #[must_use]
    pub fn person(named: &Named) -> Self {
        Cell::Text(match named.href.is_empty() {
            true => Rich::new().said(named.name.as_str()),
            false => Rich::new().said_link(named.name.as_str(), named.href.as_str()),
        })
    }

    fn class(&self) -> &'static str {
        match self {
            Cell::Short(_) => "nowrap tnum own",
            Cell::Text(rich) if rich.begins_with_words() => "words own",
            Cell::Text(_) => "words",
            Cell::Title { .. } | Cell::Name(_) | Cell::Told { .. } | Cell::Mark(_) | Cell::Acts { .. } => "",
        }
    }

    fn inner(&self) -> String {
        match self {
            Cell::Title { .. } | Cell::Told { .. } => String::new(),
            Cell::Name(words) => crate::elements::text::mark(words),
            Cell::Text(rich) => rich.html(),
            Cell::Short(words) => crate::elements::text::mark(words),
            Cell::Mark(mark) => mark.html(),
            Cell::Acts { group, forms } => Acts { group, forms }.html(),
        }
    }

    /// Whether the cell has any content.
    fn is_said(&self) -> bool {
        match self {
            Cell::Title { .. } | Cell::Name(_) | Cell::Told { .. } => true,
            Cell::Acts { forms, .. } => !forms.is_empty(),
            Cell::Text(_) | Cell::Short(_) | Cell::Mark(_) => !self.inner().is_empty(),
        }
    }
}

impl Part for Cell {
    fn html(&self) -> String {
        self.inner()
    }
}

/// A table. Exactly one column holds titles.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "parts/table.html")]
pub struct Table {
    /// The subject of the table, for readers that do not see it.
    pub caption: String,
    /// The heads.
    pub columns: Vec<Column>,
    /// The rows; each has one cell per column.
    pub rows: Vec<Vec<Cell>>,
    /// The keys of the rows, where a row can be picked or followed live; empty otherwise.
    pub keys: Vec<String>,
    /// Whether each row begins with a box that picks it, sent as `key`.
    pub is_picked: bool,
    /// The same page with every row picked, or with none where all are; empty offers neither.
    pub pick_url: String,
    /// Whether every row is picked as the page comes.
    pub is_all_picked: bool,
}

impl Table {
    /// The same table without the columns that are empty in every row.
    fn told(&self) -> Self {
        let is_said = |(place, column): (usize, &Column)| {
            let mut rows = self.rows.iter();
            column.sort.is_some() || rows.any(|row| row.get(place).is_some_and(Cell::is_said))
        };
        let said: Vec<bool> = self.columns.iter().enumerate().map(is_said).collect();
        Self {
            caption: self.caption.clone(),
            columns: kept(&self.columns, &said),
            rows: self.rows.iter().map(|row| kept(row, &said)).collect(),
            keys: self.keys.clone(),
            is_picked: self.is_picked,
            pick_url: self.pick_url.clone(),
            is_all_picked: self.is_all_picked,
        }
    }

    /// The cells that fold under the title, each with its label where needed: not the acts, which stay reachable as a column.
    fn folded<'a>(&'a self, row: &'a [Cell]) -> Vec<(&'static str, &'a Cell)> {
        self.columns
            .iter()
            .zip(row)
            .filter(|(column, cell)| column.fold == Fold::Under && !matches!(cell, Cell::Acts { .. }))
            .map(|(column, cell)| (if column.is_named { column.label } else { "" }, cell))
            .filter(|(_, cell)| !cell.inner().is_empty())
            .collect()
    }

    /// Cells that fold under a cell that is no title, where the row has none: they would be gone otherwise.
    fn under<'a>(&'a self, row: &'a [Cell], place: &usize) -> Vec<(&'static str, &'a Cell)> {
        let is_title = |cell: &Cell| matches!(cell, Cell::Title { .. } | Cell::Told { .. } | Cell::Name(_));
        let stays = self.columns.iter().position(|column| column.fold == Fold::Never);
        match stays == Some(*place) && !row.iter().any(is_title) {
            true => self.folded(row),
            false => Vec::new(),
        }
    }

    fn cell_class(&self, column: &Column, cell: &Cell) -> String {
        format!("{} {}", column.class(), cell.class()).trim().to_owned()
    }

    fn key(&self, place: &usize) -> &str {
        self.keys.get(*place).map_or("", String::as_str)
    }

    fn placed<'a>(&'a self, row: &'a [Cell]) -> Vec<(&'a Column, &'a Cell)> {
        self.columns.iter().zip(row).collect()
    }
}

/// The items at the places that are kept.
fn kept<T: Clone>(all: &[T], said: &[bool]) -> Vec<T> {
    let pairs = all.iter().zip(said);
    pairs
        .filter(|(_, is_said)| **is_said)
        .map(|(one, _)| one.clone())
        .collect()
}

impl Part for Table {
    fn html(&self) -> String {
        render(&self.told())
    }
}

/// Links to the neighbouring pages of a list that is cut by key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "parts/paging.html")]
pub struct Paging {
    /// The page before; `None` on the first.
    pub newer: Option<String>,
    /// The page after; `None` on the last.
    pub older: Option<String>,
    /// The count with its whole: “1 to 13 of 214”.
    pub count: String,
    /// Whether the list is in another order than that of age, so that no page is newer than the next.
    pub is_sorted: bool,
}

impl Paging {
    /// The labels of both links.
    fn words(&self) -> (&'static str, &'static str) {
        match self.is_sorted {
            true => ("First page", "Next page"),
            false => ("Newer", "Older"),
        }
    }

    fn is_needed(&self) -> bool {
        self.newer.is_some() || self.older.is_some()
    }
}

impl Part for Paging {
    fn html(&self) -> String {
        if self.is_needed() { render(self) } else { String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_without_a_title_can_be_opened_all_the_same() {
        let table = Table {
            columns: vec![Column::new("Change", Fold::Never)],
            rows: vec![vec![Cell::title("", "/t/halden/changes/CHG-7")]],
            ..Table::default()
        };
        let link = "<a class=\"title\" href=\"/t/halden/changes/CHG-7\">(no title)</a>";
        assert!(table.html().contains(link), "{}", table.html());
    }

    #[test]
    fn a_row_that_has_no_title_folds_under_its_first_column() {
        let table = Table {
            columns: vec![
                Column::new("Service", Fold::Never),
                Column::new("Builds", Fold::Under).number(),
            ],
            rows: vec![vec![Cell::said("wms"), Cell::Short("3".to_owned())]],
            ..Table::default()
        };
        let html = table.html();
        assert!(
            html.contains("<div class=\"under\"><span><span>Builds</span> 3</span></div></td>"),
            "{html}"
        );
    }

    #[test]
    fn a_figure_and_a_day_that_fold_say_what_they_are() {
        let table = Table {
            columns: vec![
                Column::new("Manager", Fold::Never),
                Column::new("State", Fold::Under),
                Column::new("Open", Fold::Under).number(),
                Column::new("Until", Fold::Under).named(),
            ],
            rows: vec![vec![
                Cell::title("Nils Berg", ""),
                Cell::text("Waits"),
                Cell::Short("38".to_owned()),
                Cell::Short("Sat 5 Dec".to_owned()),
            ]],
            ..Table::default()
        };
        let html = table.html();
        let under = "<div class=\"under\"><span>Waits</span><span><span>Open</span> 38</span>\
                     <span><span>Until</span> Sat 5 Dec</span></div>";
        assert!(html.contains(under), "{html}");
        assert_eq!(html.matches(">Open<").count(), 2, "the head says it too: {html}");
    }
}
