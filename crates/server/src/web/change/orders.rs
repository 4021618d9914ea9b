//! The orders of the list of changes: links in the heads of its columns, and the same as text for views without heads.

use acts::report::find_changes::{Order, SortKey};
use pages::{ChangeRow, Column, ListOrder, ListRow, Sort};

use crate::web::change::change_query::Wanted;

/// Every order: its key, whether it is descending, and its label.
const ORDERS: [(SortKey, bool, &str); 10] = [
    (SortKey::Number, true, "newest first"),
    (SortKey::Number, false, "oldest first"),
    (SortKey::PlannedStart, false, "soonest planned first"),
    (SortKey::PlannedStart, true, "latest planned first"),
    (SortKey::UpdatedAt, true, "last changed first"),
    (SortKey::UpdatedAt, false, "longest unchanged first"),
    (SortKey::Risk, true, "highest risk first"),
    (SortKey::Risk, false, "lowest risk first"),
    (SortKey::Outcome, true, "failures first"),
    (SortKey::Outcome, false, "successes first"),
];

/// The column whose head sorts by a key.
fn column(key: SortKey) -> &'static str {
    match key {
        SortKey::Number => "key",
        SortKey::PlannedStart => "planned",
        SortKey::UpdatedAt => "updated",
        SortKey::Risk => "risk",
        SortKey::Outcome => "outcome",
    }
}

/// The address of the list in an order; the default order is left out.
fn address(url: &str, wanted: &Wanted, order: Order) -> String {
    let word = match order == Order::default() {
        true => String::new(),
        false => order.word(),
    };
    format!("{url}{}", wanted.with("sort", &word))
}

/// The heads of the list: a click on a head selects its column's first order, and a second click the reverse.
pub(crate) fn heads(url: &str, wanted: &Wanted, present: Order) -> Vec<Column> {
    let mut heads = ChangeRow::columns();
    for head in &mut heads {
        let Some((key, first, _)) = ORDERS.iter().find(|(key, _, _)| column(*key) == head.id) else {
            continue;
        };
        let is_present = *key == present.key;
        let next = Order {
            key: *key,
            is_down: if is_present { !present.is_down } else { *first },
        };
        head.sort = Some(Sort {
            href: address(url, wanted, next),
            ascending: is_present.then_some(!present.is_down),
        });
    }
    heads
}

/// The same orders as text.
pub(crate) fn list_orders(url: &str, wanted: &Wanted, present: Order) -> Vec<ListOrder> {
    let order = |(key, is_down, words): (SortKey, bool, &str)| {
        let order = Order { key, is_down };
        ListOrder {
            label: words.to_owned(),
            href: address(url, wanted, order),
            is_current: order == present,
        }
    };
    ORDERS.into_iter().map(order).collect()
}

/// The label of an order, for the description of a file.
pub(crate) fn order_label(present: Order) -> &'static str {
    let mut orders = ORDERS.into_iter();
    let found = orders.find(|(key, is_down, _)| *key == present.key && *is_down == present.is_down);
    found.map_or("", |(_, _, words)| words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(pairs: &[(&str, &str)]) -> Wanted {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Wanted(pairs.iter().map(pair).collect())
    }

    #[test]
    fn a_head_leads_to_its_order_and_then_round_and_keeps_the_filters() {
        let asked = wanted(&[("state", "open"), ("sort", "planned_start"), ("after", "1.7")]);
        let present = Order::parse("planned_start").unwrap_or_default();
        let heads = heads("/changes", &asked, present);
        let sort = |id: &str| {
            heads
                .iter()
                .find(|head| head.id == id)
                .and_then(|head| head.sort.clone())
        };
        let link = |href: &str, ascending: Option<bool>| {
            let href = href.to_owned();
            Some(Sort { href, ascending })
        };
        assert_eq!(
            sort("planned"),
            link("/changes?state=open&sort=-planned_start", Some(true))
        );
        assert_eq!(sort("key"), link("/changes?state=open", None));
        assert_eq!(sort("risk"), link("/changes?state=open&sort=-risk", None));
        assert_eq!(sort("title"), None);
    }

    #[test]
    fn every_order_has_words_and_one_is_current() {
        for (key, is_down, words) in ORDERS {
            let present = Order { key, is_down };
            let orders = list_orders("/changes", &Wanted::default(), present);
            let current: Vec<&str> = orders
                .iter()
                .filter(|order| order.is_current)
                .map(|order| order.label.as_str())
                .collect();
            assert_eq!(current, [words]);
            assert_eq!(order_label(present), words);
        }
    }
}
