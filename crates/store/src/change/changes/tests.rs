//! Plans of the lists of changes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::{Config, Error, Lane, Mode, Store};

/// Sets one part of a filter to the given text or time.
type Set = fn(&mut ChangeFilter, Option<String>, Option<Timestamp>);

fn plan(store: &Store, filter: &ChangeFilter, few: Few) -> String {
    let (sql, params) = list_sql(filter, few, &Stretch::of_numbers(true, Some(1_000)), 20);
    store
        .wait(Lane::Pages, "acme", Mode::Read, move |tx| {
            let rows = tx.query(&format!("EXPLAIN QUERY PLAN {sql}"), &named(&params))?;
            let lines = rows.iter().map(|row| row.text("detail"));
            Ok::<_, Error>(lines.collect::<Result<Vec<_>>>()?.join("\n"))
        })
        .unwrap()
}

/// Every combination of up to three filters uses indexes, and the usual ones their order.
#[test]
fn no_list_reads_a_whole_table() {
    let folder = std::env::temp_dir().join(format!("assent-plans-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let store = Store::open(Config::sqlite(folder.join("assent.db"))).unwrap();
    let some = || Some("x".to_owned());
    let time = Some(Timestamp::UNIX_EPOCH);
    let parts: [Set; 13] = [
        |it, text, _| it.states = text.into_iter().collect(),
        |it, text, _| it.kind = text,
        |it, text, _| it.service = text,
        |it, text, _| it.environment = text,
        |it, text, _| it.risk = text,
        |it, text, _| it.owner = text,
        |it, text, _| it.team = text,
        |it, text, _| it.requester = text,
        |it, text, _| it.q = text,
        |it, text, _| it.artifact = text,
        |it, text, _| it.commit = text,
        |it, _, time| it.planned_from = time,
        |it, _, time| it.created_to = time,
    ];
    for (first, one) in parts.iter().enumerate() {
        for (second, two) in parts.iter().enumerate() {
            for three in &parts {
                let mut filter = ChangeFilter::default();
                for set in [one, two, three] {
                    set(&mut filter, some(), time);
                }
                for few in [Few::Nothing, Few::Word(0), Few::Place] {
                    let gathers = match few {
                        Few::Nothing => false,
                        Few::Word(_) => filter.q.is_some(),
                        Few::Place => {
                            filter.service.is_some()
                                || filter.environment.is_some()
                                || filter.artifact.is_some()
                                || filter.commit.is_some()
                        }
                        Few::Plain(_) => false,
                    };
                    if few != Few::Nothing && !gathers {
                        continue;
                    }
                    let plan = plan(&store, &filter, few);
                    if gathers {
                        let first = plan.split("SCAN few").next().unwrap_or_default();
                        assert!(!first.contains("SCAN "), "{filter:?}\n{plan}");
                        assert!(
                            plan.contains("SEARCH change USING INDEX sqlite_autoindex_change_1"),
                            "{filter:?}\n{plan}"
                        );
                        continue;
                    }
                    assert!(!plan.contains("SCAN "), "{filter:?}\n{plan}");
                    let is_ordered = first == second && first <= 8 && std::ptr::eq(two, three);
                    if is_ordered {
                        assert!(!plan.contains("TEMP B-TREE"), "{filter:?}\n{plan}");
                    }
                }
            }
        }
    }
    let plain = plan(&store, &ChangeFilter::default(), Few::Nothing);
    assert!(!plain.contains("SCAN ") && !plain.contains("TEMP"), "{plain}");
    store.close();
    std::fs::remove_dir_all(&folder).unwrap();
}
