//! Columns that somebody alters past the server, and queries that test them.

use model::change::record::Change;
use serde_json::json;
use store::{Error, Filter, Value, record};

use crate::world::{ACME, at, change_json, check};

/// Somebody who alters a column moves a row into what a query picks; the body shows it, whatever the query tests.
#[test]
fn columns_that_a_filter_tests_are_compared_with_the_body() {
    check(|world| {
        let all = Filter::new;
        let cases: Vec<(&str, Value, Filter)> = vec![
            ("state", "scheduled".into(), all().equals("state", "scheduled")),
            (
                "state",
                "scheduled".into(),
                all().one_of("state", ["scheduled", "closed"]),
            ),
            ("state", "scheduled".into(), all().differs("state", "draft")),
            ("planned_start", at(500).into(), all().more("planned_start", at(100))),
            (
                "planned_start",
                at(500).into(),
                all().at_least("planned_start", at(100)),
            ),
            ("planned_start", at(5).into(), all().less("planned_start", at(10))),
            ("planned_start", at(5).into(), all().at_most("planned_start", at(10))),
            ("planned_start", Value::Null, all().is_null("planned_start")),
            ("planned_end", at(500).into(), all().is_set("planned_end")),
            ("key", "OTHER-1".into(), all().starts_with("key", "OTHER")),
        ];
        for (place, (column, wrong, filter)) in cases.into_iter().enumerate() {
            let number = i64::try_from(place).unwrap() + 1;
            let id = format!("c{number}");
            let mut change = change_json(&id, number);
            change["planned_start"] = json!(at(50).to_string());
            let change: Change = serde_json::from_value(change).unwrap();
            world.act(move |tx| record::insert(tx, &change, "{}"));
            let wanted = filter.equals("number", number);
            let found = || {
                let wanted = wanted.clone();
                world.try_act(ACME, move |tx| Ok(record::bodies::<Change>(tx, &wanted)?.len()))
            };
            assert_eq!(found(), Ok(0), "{column}");
            world.act(move |tx| {
                let sql = format!("UPDATE \"change\" SET {column} = $wrong WHERE tenant = $tenant AND id = $id");
                tx.execute(&sql, &[("wrong", wrong.clone()), ("id", id.as_str().into())])
            });
            let told = found();
            assert!(matches!(told, Err(Error::Corrupt(_))), "{place} {column}: {told:?}");
        }
    });
}
