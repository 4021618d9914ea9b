//! How long changes are watched after their work: the table on the page of policies, and its form.

use acts::Context;
use acts::incident::set_watch_table;
use model::core::act::actions;
use model::core::body::Body;
use model::incident::watch_table::{ROWS, WatchTable};
use pages::{ActForm, Cell, Column, Field, Fold, Section, SectionBody, Table, minutes};

use crate::web::shared::view::View;
use crate::web::shared::{idempotent_form, words};

/// The names of the columns.
const RISKS: [&str; 3] = ["low", "medium", "high"];

fn cells(table: &WatchTable, name: &str) -> [i64; 3] {
    let row = table.named(name);
    row.map_or([0; 3], |row| [row.low, row.medium, row.high])
}

/// The table with the form to propose another.
pub(super) fn section(view: &View<'_, '_, '_>) -> Section {
    let tenant = view.directory.tenant.as_ref();
    let table = tenant.map(|tenant| tenant.watch_table).unwrap_or_default();
    let section = Section::new(
        "watch-table",
        "Watch windows: how long changes are watched after their work",
        SectionBody::Table(shown(&table)),
    );
    if view.may(actions::SET_POLICY) {
        section.acts(vec![form(view, &table)])
    } else {
        section
    }
}

fn shown(table: &WatchTable) -> Table {
    let row = |name: &&str| {
        let mut row = vec![Cell::Name(words::capital(name))];
        row.extend(cells(table, name).map(|it| Cell::Short(minutes(it.unsigned_abs()))));
        row
    };
    Table {
        caption: "The watch window by the criticality of the service and the risk".to_owned(),
        columns: vec![
            Column::new("Criticality", Fold::Never),
            Column::new("Low", Fold::Never),
            Column::new("Medium", Fold::Never),
            Column::new("High", Fold::Never),
        ],
        rows: ROWS.iter().map(row).collect(),
        ..Table::default()
    }
}

fn form(view: &View<'_, '_, '_>, table: &WatchTable) -> ActForm {
    let url = view.url("/policies/watch-table/proposal");
    let mut form = ActForm::new("watches", "Propose other watch windows", url).field(idempotent_form::field(view));
    for name in ROWS {
        for (risk, value) in RISKS.into_iter().zip(cells(table, name)) {
            let label = format!("{} criticality, {risk} risk", words::capital(name));
            let field = Field::text(format!("table.{name}.{risk}"), label)
                .value(value.to_string())
                .half();
            form = form.field(field);
        }
    }
    form.field(
        Field::text("reason", "Why")
            .hint("Minutes after the end of the work. Another person puts it in force.")
            .required(),
    )
    .submit("Propose")
}

/// The table in one line.
pub(super) fn table_text(table: &WatchTable) -> String {
    let row = |name: &&str| {
        let [low, medium, high] = cells(table, name);
        format!("{name}: {low}, {medium} and {high} minutes")
    };
    ROWS.iter().map(row).collect::<Vec<_>>().join("; ")
}

/// Proposes a table; a form sends its numbers as texts.
pub(super) fn propose(cx: &mut Context<'_, '_>, body: &Body) -> acts::Result<()> {
    let mut body = body.clone();
    let rows = body.get_mut("table").and_then(serde_json::Value::as_object_mut);
    for row in rows.into_iter().flat_map(|rows| rows.values_mut()) {
        for cell in row.as_object_mut().into_iter().flat_map(|row| row.values_mut()) {
            let number = cell.as_str().and_then(|text| text.trim().parse::<i64>().ok());
            if let Some(number) = number {
                *cell = number.into();
            }
        }
    }
    set_watch_table::propose_watch_table(cx, &body).map(drop)
}
