//! Many things on one page: saved views, filters, a table, paging. [`ListRow`] defines the content of a row once per kind of
//! record.

use askama::Template;

use crate::elements::form::{Acts, Fields};
use crate::elements::{filters, parts};
use crate::{ActForm, Cell, Column, Empty, Field, Frame, Paging, Rich, Table, render};

/// The prefix of the ids of the fields in a list's filters: see [`Field::id`].
pub const FILTER_FORM: &str = "filter";

/// A saved view: the same list with other filters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    /// Its name.
    pub label: String,
    /// Where it is.
    pub href: String,
    /// The number of records, as text; empty when not counted.
    pub count: String,
    /// Whether it is shown now.
    pub is_current: bool,
    /// Whether somebody gave it its name.
    pub is_said: bool,
}

/// A filter that is on; the whole chip removes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chip {
    /// The filter's name: “Environment”.
    pub label: String,
    /// The value that it lets through: “production”.
    pub value: String,
    /// The list without it.
    pub remove_url: String,
    /// Whether the value is a name or a text of a user.
    pub is_said: bool,
}

/// An order of the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListOrder {
    /// Its label: “newest first”.
    pub label: String,
    /// The list in this order.
    pub href: String,
    /// Whether it is shown now.
    pub is_current: bool,
}

/// The content of a list of one kind of record.
pub trait ListRow: Sized {
    /// The page's title when the server gives none.
    const TITLE: &'static str;
    /// The sentence under the title; empty for none.
    const LEDE: &'static str = "";
    /// Whether each row is one line on a wide screen: a longer text is cut, as the record's own page has it.
    const IS_ONE_LINE: bool = false;

    /// The heads of the table, in the order of the cells.
    fn columns() -> Vec<Column>;
    /// The ids of the columns that are shown when nobody chose; empty for all.
    fn usual() -> &'static [&'static str] {
        &[]
    }
    /// One cell per column.
    fn cells(&self) -> Vec<Cell>;
    /// The row's key, where rows can be picked or followed live; empty otherwise.
    fn key(&self) -> &str {
        ""
    }
    /// The text of an empty list.
    fn empty() -> Empty;
    /// Believable rows, the last ones extreme.
    fn sample_rows() -> Vec<Self>;
    /// The form that makes one, for the samples.
    fn sample_acts() -> Vec<ActForm> {
        Vec::new()
    }
    /// The place in the navigation, for the samples.
    fn place() -> crate::Place;
}

/// Acts on the rows that are picked. The button leads to a page that shows the effect on each row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bulk {
    /// Where the picked keys are sent by GET.
    pub url: String,
    /// The acts: the value sent as `act`, and the button's label.
    pub acts: Vec<(String, String)>,
    /// The same page with every row picked, for readers without script.
    pub all_url: String,
    /// The same page with no row picked.
    pub none_url: String,
    /// Whether every row is picked as the page comes.
    pub is_all: bool,
}

impl Bulk {
    /// The page on which it is the other way round.
    fn other_url(&self) -> &str {
        if self.is_all { &self.none_url } else { &self.all_url }
    }
}

/// A list of records of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<R> {
    /// Everything around it.
    pub frame: Frame,
    /// The news as a title: “Two freezes lie ahead”; empty takes the kind's own.
    pub title: String,
    /// The sentence under the title; empty takes the kind's own.
    pub lede: String,
    /// Acts on the list: make one, export.
    pub acts: Vec<ActForm>,
    /// Saved views.
    pub views: Vec<View>,
    /// Filters that are on.
    pub chips: Vec<Chip>,
    /// The form of filters, sent by GET to `filter_url`; empty for none.
    pub filters: Vec<Field>,
    /// Where the filters are sent.
    pub filter_url: String,
    /// The records.
    pub rows: Vec<R>,
    /// Heads with sort links, where the server offers them; empty takes the kind's own.
    pub columns: Vec<Column>,
    /// The orders to choose from, for readers that see no heads; empty for one alone.
    pub orders: Vec<ListOrder>,
    /// How many there are, with their whole: “214 changes”.
    pub count: String,
    /// Links to the neighbouring pages.
    pub paging: Paging,
    /// The ids of the columns to show, in their order; empty takes the usual ones.
    pub shown: Vec<String>,
    /// The form that chooses columns, sent by GET to `filter_url`; empty for none.
    pub column_fields: Vec<Field>,
    /// Acts beside the filters: save this view.
    pub view_acts: Vec<ActForm>,
    /// Acts on picked rows; `None` for none.
    pub bulk: Option<Bulk>,
    /// A list above the table, for the most urgent rows.
    pub first: Vec<parts::Entry>,
    /// The heading of that list; empty for none.
    pub first_title: String,
    /// The text without rows, where the tenant has records but none is found.
    pub unfound: Option<Empty>,
}

impl<R> Default for List<R> {
    fn default() -> Self {
        Self {
            frame: Frame::default(),
            title: String::new(),
            lede: String::new(),
            acts: Vec::new(),
            views: Vec::new(),
            chips: Vec::new(),
            filters: Vec::new(),
            filter_url: String::new(),
            rows: Vec::new(),
            columns: Vec::new(),
            orders: Vec::new(),
            count: String::new(),
            paging: Paging::default(),
            shown: Vec::new(),
            column_fields: Vec::new(),
            view_acts: Vec::new(),
            bulk: None,
            first: Vec::new(),
            first_title: String::new(),
            unfound: None,
        }
    }
}

#[derive(Template)]
#[template(path = "list.html")]
struct ListView<'a> {
    title: &'a str,
    lede: Rich,
    acts: &'a [ActForm],
    views: &'a [View],
    chips: &'a [Chip],
    filters: &'a [Field],
    filter_url: &'a str,
    table: Table,
    orders: &'a [ListOrder],
    count: &'a str,
    paging: &'a Paging,
    empty: Empty,
    first: &'a [parts::Entry],
    first_title: &'a str,
    column_fields: &'a [Field],
    view_acts: &'a [ActForm],
    bulk: Option<&'a Bulk>,
    is_one_line: bool,
}

impl ListView<'_> {
    fn act_row(&self) -> Acts<'_> {
        Acts {
            group: "list",
            forms: self.acts,
        }
    }

    /// Whether the filters are open: one of them cannot be read.
    fn is_filter_open(&self) -> bool {
        self.filters.iter().any(|field| field.error.is_some())
    }

    fn filter_fields(&self) -> Fields<'_> {
        Fields {
            form_id: FILTER_FORM,
            fields: self.filters,
        }
    }

    fn column_choice(&self) -> Fields<'_> {
        Fields {
            form_id: "columns",
            fields: self.column_fields,
        }
    }

    fn view_row(&self) -> Acts<'_> {
        Acts {
            group: "view",
            forms: self.view_acts,
        }
    }

    /// The current order, as text.
    fn order(&self) -> &str {
        order_of(self.orders)
    }

    fn first_entries(&self) -> parts::Entries<'_> {
        parts::Entries {
            entries: self.first,
            wide: true,
        }
    }
}

fn order_of(orders: &[ListOrder]) -> &str {
    let mut orders = orders.iter();
    orders.find(|order| order.is_current).map_or("", |order| &order.label)
}

impl<R: ListRow> List<R> {
    /// The whole document.
    #[must_use]
    pub fn render(&self) -> String {
        let title = if self.title.is_empty() { R::TITLE } else { &self.title };
        let lede = if self.lede.is_empty() { R::LEDE } else { &self.lede };
        let columns = if self.columns.is_empty() {
            R::columns()
        } else {
            self.columns.clone()
        };
        let view = ListView {
            title,
            lede: Rich::from(lede),
            acts: &self.acts,
            views: &self.views,
            chips: &self.chips,
            filters: &self.filters,
            filter_url: &self.filter_url,
            table: self.table(title, &columns),
            orders: &self.orders,
            // The text in place of the list already shows that it is empty.
            count: if self.rows.is_empty() { "" } else { &self.count },
            paging: &self.paging,
            empty: self.unfound.clone().unwrap_or_else(R::empty),
            first: &self.first,
            first_title: &self.first_title,
            column_fields: &self.column_fields,
            view_acts: &self.view_acts,
            bulk: self.bulk.as_ref(),
            is_one_line: R::IS_ONE_LINE,
        };
        self.frame.around(title, true, &render(&view))
    }

    /// The rows in the columns that were chosen, in their order.
    fn table(&self, title: &str, columns: &[Column]) -> Table {
        let usual: Vec<&str> = match self.shown.is_empty() {
            true => R::usual().to_vec(),
            false => self.shown.iter().map(String::as_str).collect(),
        };
        let places: Vec<usize> = match usual.is_empty() {
            true => (0..columns.len()).collect(),
            false => {
                let place = |id: &&str| columns.iter().position(|column| column.id == *id);
                usual.iter().filter_map(place).collect()
            }
        };
        let chosen = |row: &R| {
            let cells = row.cells();
            places.iter().filter_map(|place| cells.get(*place).cloned()).collect()
        };
        let keys = self.rows.iter().map(|row| row.key().to_owned());
        Table {
            caption: match order_of(&self.orders) {
                "" => title.to_owned(),
                order => format!("{title}, {order}"),
            },
            columns: places.iter().filter_map(|place| columns.get(*place).cloned()).collect(),
            rows: self.rows.iter().map(chosen).collect(),
            keys: keys.filter(|key| !key.is_empty()).collect(),
            is_picked: self.bulk.is_some(),
            pick_url: self
                .bulk
                .as_ref()
                .map_or_else(String::new, |bulk| bulk.other_url().to_owned()),
            is_all_picked: self.bulk.as_ref().is_some_and(|bulk| bulk.is_all),
        }
    }

    /// Believable instances: empty, and with ordinary and extreme rows.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let frame = crate::elements::sample::frame(R::place());
        let empty = Self {
            frame: frame.clone(),
            ..Self::default()
        };
        let rows = R::sample_rows();
        let full = Self {
            frame,
            acts: R::sample_acts(),
            count: format!("{} in all", rows.len()),
            rows,
            ..Self::default()
        };
        vec![empty, full]
    }
}

/// The acts on one row; nothing when there are none.
pub(crate) fn row_acts(group: &str, acts: &[ActForm]) -> Cell {
    Cell::Acts {
        group: group.to_owned(),
        forms: acts.to_vec(),
    }
}
