//! The cost of a change in the database: bytes and rows of each table, indexes included, for each change that was created and
//! for each that was walked to its end.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::json;

use super::base::Base;
use super::lists::creation;
use super::load::{Amount, run};
use super::product::{Caller, Product, artifact};
use super::report::Line;

/// Artifacts of the closed changes are numbered from here.
const FIRST: u64 = 1 << 44;
/// The most that a created change and a closed one may cost, in kilobytes, and the rows of a created one.
const CREATED_KB: f64 = 8.0;
const CREATED_ROWS: f64 = 15.0;
const CLOSED_KB: f64 = 60.0;
/// How often it is looked whether all events have their places, every tenth of a second.
const LOOKS: usize = 600;

/// Pages and rows of each table.
type Weight = BTreeMap<String, (f64, f64)>;

/// Creates so many changes, then walks as many to their end.
pub fn measure(product: &Product, changes: u64) -> Result<Vec<Line>> {
    let empty = weigh(product)?;
    let amount = Amount {
        connections: 1,
        seconds: 3_600.0,
        count: changes,
    };
    let token = product.token("requester");
    run(product.address, amount, FIRST - changes, 201, &|number| {
        creation(token, number)
    })?;
    let created = weigh(product)?;
    let mut caller = Caller::new(product)?;
    for number in FIRST..FIRST + changes {
        close(&mut caller, number)?;
    }
    let closed = weigh(product)?;
    let mut lines = of_one("A created change", &empty, &created, changes, CREATED_KB);
    let (_, rows) = total(&empty, &created);
    let rows = rows / changes as f64;
    let figure = format!("{rows:.1} rows");
    lines.push(Line::below(
        "Rows of a created change",
        rows,
        figure,
        CREATED_ROWS,
        "rows",
    ));
    lines.extend(of_one("A closed change", &created, &closed, changes, CLOSED_KB));
    Ok(lines)
}

/// Walks a change from its draft to its closing, with three approvals and one piece of evidence.
pub fn close(caller: &mut Caller<'_>, number: u64) -> Result<()> {
    let asked = caller.nearly_approved(&artifact(number), assent::clock::now())?;
    caller.ask("change_manager", "POST", &asked.path, Some(&asked.approval))?;
    let path = asked.path.trim_end_matches("/approvals").to_owned();
    let review = json!({
        "objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": "As planned.",
    });
    let steps = [
        ("implementer", "implementation", json!({})),
        (
            "implementer",
            "implementation/entries",
            json!({"kind": "step", "text": "Both nodes run it."}),
        ),
        ("implementer", "completion", json!({"outcome": "succeeded"})),
        (
            "owner",
            "validation",
            json!({"result": "works", "text": "Printed one of each."}),
        ),
        ("requester", "review", review),
        ("requester", "closure", json!({})),
    ];
    for (role, step, body) in steps {
        caller.ask(role, "POST", &format!("{path}/{step}"), Some(&body))?;
    }
    Ok(())
}

/// Weighs every table once all events have their places.
fn weigh(product: &Product) -> Result<Weight> {
    let mut base = Base::of(product)?;
    wait_until_placed(&mut base)?;
    base.sizes()
}

fn wait_until_placed(base: &mut Base) -> Result<()> {
    for _ in 0..LOOKS {
        if base.count("event WHERE seq IS NULL")? == 0 {
            return Ok(());
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
    bail!("events wait for their places")
}

/// The growth of each table, the largest first.
fn added<'w>(before: &Weight, after: &'w Weight) -> Vec<(&'w str, f64, f64)> {
    let mut added = Vec::new();
    for (table, (bytes, rows)) in after {
        let (old_bytes, old_rows) = before.get(table).copied().unwrap_or_default();
        added.push((table.as_str(), bytes - old_bytes, rows - old_rows));
    }
    added.sort_by(|one, other| other.1.total_cmp(&one.1));
    added
}

fn total(before: &Weight, after: &Weight) -> (f64, f64) {
    let added = added(before, after);
    added.iter().fold((0.0, 0.0), |(bytes, rows), (_, more, count)| {
        (bytes + more, rows + count)
    })
}

/// The cost of one change as a whole, then by table as far as a table costs a hundred bytes.
fn of_one(what: &str, before: &Weight, after: &Weight, changes: u64, limit: f64) -> Vec<Line> {
    let each = |number: f64| number / changes as f64;
    let (bytes, rows) = total(before, after);
    let kilobytes = each(bytes) / 1_000.0;
    let figure = format!("{kilobytes:.1} kB, {:.1} rows", each(rows));
    let mut lines = vec![Line::below(what, kilobytes, figure, limit, "kB")];
    let tables = added(before, after);
    for (table, bytes, rows) in tables.into_iter().filter(|(_, bytes, _)| each(*bytes) >= 100.0) {
        let figure = format!("{:.0} bytes, {:.1} rows", each(bytes), each(rows));
        lines.push(Line::told(format!("{what}, `{table}`"), figure, "–"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_of_one_change_is_told_by_table() {
        let before = Weight::from([("event".to_owned(), (4_096.0, 2.0))]);
        let after = Weight::from([
            ("event".to_owned(), (12_288.0, 6.0)),
            ("change".to_owned(), (20_480.0, 2.0)),
            ("counter".to_owned(), (100.0, 1.0)),
        ]);
        let lines = of_one("A change", &before, &after, 2, 14.0);
        let told: Vec<(&str, &str)> = lines.iter().map(|it| (it.what.as_str(), it.figure.as_str())).collect();
        assert_eq!(
            told,
            [
                ("A change", "14.4 kB, 3.5 rows"),
                ("A change, `change`", "10240 bytes, 1.0 rows"),
                ("A change, `event`", "4096 bytes, 2.0 rows"),
            ]
        );
        assert_eq!(lines[0].is_met, Some(false));
    }
}
