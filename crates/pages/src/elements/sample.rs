//! Values that the samples of elements and pages share: hostile texts, the frame around a page, a table.

use crate::elements::frame::{Frame, Place, Seal};
use crate::elements::table::{Cell, Column, Fold, Table};
use crate::elements::words::State;

/// A text with markup, as an attacker would type it.
pub const MARKUP: &str = "<script>alert('\"x&')</script><b onclick=y>bold</b>";

/// A text with hidden characters and a look-alike letter: its looks differ from its content.
pub const BIDI: &str = "Deploy \u{202E}gpj.exe\u{202C} to p\u{0430}yments\u{200B}-db";

/// Letters without a place to break; ten of it make 200 letters and more.
pub const LONG_WORD: &str = "Donaudampfschifffahrtsgesellschaft";

/// The frame of the samples: Priya Raman of Halden Freight.
#[must_use]
pub fn frame(place: Place) -> Frame {
    Frame {
        tenant: "Halden Freight".to_owned(),
        base: "/t/halden".to_owned(),
        assets: "/assets".to_owned(),
        places: Place::shown(true, true, false),
        place,
        person: "Priya Raman".to_owned(),
        waiting: 5,
        new_messages: 2,
        may_create: true,
        seal: Seal {
            is_fresh: true,
            line: "Log sealed 12 s ago".to_owned(),
            detail: "48,213 entries, 2 witnesses".to_owned(),
        },
        ..Frame::default()
    }
}

/// A table of two changes.
pub(crate) fn stuck() -> Table {
    Table {
        caption: "Changes that are stuck".to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("State", Fold::Under),
            Column::new("Since", Fold::Under).number(),
        ],
        rows: vec![
            vec![
                Cell::title("Archive invoices from before 2016", "/t/halden"),
                Cell::Mark(State::Authorizing.mark()),
                Cell::Short("6.4 d".to_owned()),
            ],
            vec![
                Cell::title("Move ledger-db to new storage", "/t/halden"),
                Cell::Mark(State::OnHold.mark()),
                Cell::Short("1 d".to_owned()),
            ],
        ],
        ..Table::default()
    }
}
