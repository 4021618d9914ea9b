//! Lists of changes in other orders than that of numbers, cut behind a place, and their counts.

use model::change::record::Change;
use serde_json::json;
use store::change::change_count::{Count, count_changes};
use store::change::change_order::{Order, Spot};
use store::change::changes::{ChangeFilter, list_ordered};
use store::record;

use crate::world::{World, at, change_json, check};

const ORDERS: [&str; 10] = [
    "number",
    "-number",
    "planned_start",
    "-planned_start",
    "updated_at",
    "-updated_at",
    "risk",
    "-risk",
    "outcome",
    "-outcome",
];

/// The outcomes that changes have in turn, in their order; every third has none.
const OUTCOMES: [&str; 2] = ["partially_implemented", "failed"];

/// A change whose values are shared by others: every third has no planned start, the others two, and so on.
fn insert(world: &World, number: i64) {
    let mut body = change_json(&format!("c{number}"), number);
    if number % 3 != 0 {
        body["planned_start"] = json!(at(500 + number % 2).to_string());
    }
    body["updated_at"] = json!(at(700 + number % 4).to_string());
    body["risk"]["level"] = json!(["low", "medium", "high"][usize::try_from(number % 5).unwrap().min(2)]);
    if number % 3 != 0 {
        let first = ["succeeded", "failed"][usize::try_from(number % 2).unwrap()];
        body["target_records"] = json!([{"target": "1", "outcome": first}, {"target": "2", "outcome": "failed"}]);
    }
    if number % 2 == 0 {
        body["state"] = json!("scheduled");
    }
    let change: Change = serde_json::from_value(body).unwrap();
    world.act(move |tx| record::insert(tx, &change, "{}"));
}

/// The numbers of all changes, read two at a time; between pages `between` is done.
fn numbers(world: &World, filter: &ChangeFilter, order: Order, mut between: impl FnMut(usize)) -> Vec<i64> {
    let mut found = Vec::new();
    let mut after: Option<Spot> = None;
    for page in 0.. {
        let (filter, place) = (filter.clone(), after.clone());
        let rows = world.read(move |tx| list_ordered(tx, &filter, order, 2, place.as_ref()));
        found.extend(rows.iter().map(|row| row.number));
        let Some(last) = rows.last() else { break };
        let spot = Spot::of(order, last);
        assert_eq!(Spot::parse(order, &spot.word(order)).as_ref(), Some(&spot));
        after = Some(spot);
        between(page);
    }
    found
}

/// The intended order, computed without the database: values as they were written, ties by number.
fn expected(order: &str, amount: i64) -> Vec<i64> {
    let is_down = order.starts_with('-');
    let turned = |value: i64| if is_down { -value } else { value };
    let mut numbers: Vec<i64> = (1..=amount).collect();
    numbers.sort_by_key(|number| match order.trim_start_matches('-') {
        "number" => (0, turned(*number), 0),
        "outcome" if number % 3 == 0 => (1, -number, 0),
        "outcome" => (0, turned(number % 2), -number),
        "planned_start" if number % 3 == 0 => (1, -number, 0),
        "planned_start" => (0, turned(number % 2), turned(*number)),
        "updated_at" => (0, turned(number % 4), turned(*number)),
        _ => (0, turned((number % 5).min(2)), -number),
    });
    numbers
}

#[test]
fn every_order_is_the_one_that_is_meant_on_both_engines() {
    check(|world| {
        for number in 1..=17 {
            insert(world, number);
        }
        for word in ORDERS {
            let order = Order::parse(word).unwrap();
            let found = numbers(world, &ChangeFilter::default(), order, |_| ());
            assert_eq!(found, expected(word, 17), "{word} on {}", world.engine);
            let scheduled = ChangeFilter {
                states: vec!["scheduled".to_owned()],
                ..ChangeFilter::default()
            };
            let even: Vec<i64> = expected(word, 17).into_iter().filter(|it| it % 2 == 0).collect();
            assert_eq!(numbers(world, &scheduled, order, |_| ()), even, "{word}, scheduled");
            let failed = ChangeFilter {
                outcomes: OUTCOMES.map(str::to_owned).to_vec(),
                ..ChangeFilter::default()
            };
            let ended: Vec<i64> = expected(word, 17).into_iter().filter(|it| it % 3 != 0).collect();
            assert_eq!(numbers(world, &failed, order, |_| ()), ended, "{word}, failed");
            let medium = ChangeFilter {
                risk: Some("medium".to_owned()),
                service: Some("web".to_owned()),
                ..ChangeFilter::default()
            };
            let first: Vec<i64> = expected(word, 17).into_iter().filter(|it| it % 5 == 1).collect();
            assert_eq!(numbers(world, &medium, order, |_| ()), first, "{word}, medium");
        }
    });
}

#[test]
fn no_change_is_lost_or_doubled_while_others_are_added() {
    check(|world| {
        let mut next = 12;
        for number in 1..=12 {
            insert(world, number);
        }
        for word in ORDERS {
            let present = next;
            let order = Order::parse(word).unwrap();
            let found = numbers(world, &ChangeFilter::default(), order, |page| {
                if page < 4 {
                    next += 1;
                    insert(world, next);
                }
            });
            let mut once = found.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), found.len(), "{word}: {found:?} holds one twice");
            let missing: Vec<i64> = (1..=present).filter(|it| !found.contains(it)).collect();
            assert!(missing.is_empty(), "{word}: {missing:?} are missing");
        }
    });
}

#[test]
fn a_count_is_whole_or_says_that_it_is_not() {
    check(|world| {
        for number in 1..=9 {
            insert(world, number);
        }
        let count = |filter: &ChangeFilter, most: i64, upto: Option<(Order, Spot)>| -> Count {
            let filter = filter.clone();
            world.read(move |tx| {
                let upto = upto.as_ref().map(|(order, spot)| (*order, spot));
                count_changes(tx, &filter, most, upto)
            })
        };
        let all = ChangeFilter::default();
        let told = |it: Count| (it.found, it.is_whole);
        assert_eq!(told(count(&all, 100, None)), (9, true));
        assert_eq!(told(count(&all, 9, None)), (9, true));
        assert_eq!(told(count(&all, 8, None)), (8, false));
        let scheduled = ChangeFilter {
            states: vec!["scheduled".to_owned(), "closed".to_owned()],
            ..ChangeFilter::default()
        };
        assert_eq!(told(count(&scheduled, 100, None)), (4, true));
        let both = ChangeFilter {
            risk: Some("high".to_owned()),
            q: Some("no-such-word".to_owned()),
            ..scheduled.clone()
        };
        assert_eq!(told(count(&both, 100, None)), (0, true));
        // Of two parts the one that comes to an end is reported: nine are of one requester, four are scheduled.
        let narrow = ChangeFilter {
            states: vec!["scheduled".to_owned()],
            requester: Some("p-1".to_owned()),
            ..ChangeFilter::default()
        };
        assert_eq!(told(count(&narrow, 5, None)), (4, true));
        for word in ORDERS {
            let order = Order::parse(word).unwrap();
            let rows = world.read(move |tx| list_ordered(tx, &ChangeFilter::default(), order, 9, None));
            for (place, row) in (1..).zip(&rows) {
                let counted = count(&all, 100, Some((order, Spot::of(order, row))));
                assert_eq!((counted.found, counted.passed), (9, place), "{word} at {}", row.number);
            }
        }
    });
}
