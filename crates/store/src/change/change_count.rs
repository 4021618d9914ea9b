//! How many changes a list holds, counted as far as it costs little.
//!
//! The number of examined rows is bounded, not only the number of found ones: beyond the bound a count reports that there are
//! more. The part of a filter that few changes match is looked up in an index, and the found changes are tested for the rest.

use crate::change::change_order::{Order, SortKey, Spot, passed};
use crate::change::change_query::{ChangeFilter, Conditions, Few, Part, named};
use crate::error::Result;
use crate::tx::Tx;
use crate::value::Value;

/// The most changes that are tested for more than an index has.
const ASKED: i64 = 2_000;
/// The columns by which a found change may be tested.
const COLUMNS: &str = "number, \"change\".id, state, kind, risk, owner, requester, team, planned_start, \
    planned_end, created_at, updated_at, outcome, planned_undo";

/// How many changes there are of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Those that were found.
    pub found: i64,
    /// Those of them at the given position or before it.
    pub passed: i64,
    /// Whether these are all. If not, there are at least this many.
    pub is_whole: bool,
    /// How many changes were examined, over all tries.
    pub looked: i64,
}

/// The part that is looked up in an index; the found changes are tested for the rest of the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begin {
    /// The part that few targets or few texts match.
    Few(Few),
    /// A part of the filter.
    Part(Part),
    /// Nothing: the changes of the tenant.
    All,
}

/// Counts the changes of a filter, and those of them at a position of an order or before it. At most `most` are examined in
/// each of a few tries.
pub fn count_changes(tx: &mut Tx<'_>, filter: &ChangeFilter, most: i64, upto: Option<(Order, &Spot)>) -> Result<Count> {
    let few = Few::of(tx, filter)?;
    let mut best = Count::default();
    for begin in beginnings(filter, few) {
        let count = count_from(tx, filter, begin, most, upto)?;
        let looked = best.looked + count.looked;
        // Of two incomplete counts the greater is better.
        if count.is_whole || count.found >= best.found {
            best = count;
        }
        best.looked = looked;
        if best.is_whole {
            break;
        }
    }
    Ok(best)
}

/// Where a count may begin, the most promising first: where the index also has what is tested, no change is read.
fn beginnings(filter: &ChangeFilter, few: Few) -> Vec<Begin> {
    if few != Few::Nothing {
        return vec![Begin::Few(few)];
    }
    let mut parts: Vec<Part> = Part::ALL
        .into_iter()
        .filter(|part| has_condition(filter, *part))
        .collect();
    parts.sort_by_key(|part| !has_all(Begin::Part(*part), &tested(filter, Some(*part))));
    if parts.is_empty() {
        return vec![Begin::All];
    }
    parts.into_iter().map(Begin::Part).collect()
}

/// Whether a filter has a condition on this part.
fn has_condition(filter: &ChangeFilter, part: Part) -> bool {
    let mut alone = Conditions::default();
    alone.part(filter, part);
    !alone.sql.is_empty()
}

/// The parts of a filter for which found changes are tested.
fn tested(filter: &ChangeFilter, begun: Option<Part>) -> Vec<Part> {
    let parts = Part::ALL.into_iter().filter(|part| Some(*part) != begun);
    parts.filter(|part| has_condition(filter, *part)).collect()
}

/// Whether the index of a beginning has the columns of all these parts.
fn has_all(begin: Begin, parts: &[Part]) -> bool {
    let held: &[Part] = match begin {
        Begin::Part(Part::State) => &[Part::Created],
        Begin::Part(Part::Requester) => &[Part::State],
        Begin::Part(Part::Planned) => &[Part::State, Part::Risk],
        Begin::Part(Part::Created) => &[Part::State, Part::Kind],
        _ => &[],
    };
    parts.iter().all(|part| held.contains(part))
}

/// The column of a part.
fn column(part: Part) -> &'static str {
    match part {
        Part::Requester => "requester",
        Part::Owner => "owner",
        Part::Team => "team",
        Part::Outcome => "outcome",
        Part::State => "state",
        Part::Planned => "planned_start",
        Part::Created => "created_at",
        Part::Kind => "kind",
        Part::Risk => "risk",
    }
}

fn count_from(
    tx: &mut Tx<'_>,
    filter: &ChangeFilter,
    begin: Begin,
    most: i64,
    upto: Option<(Order, &Spot)>,
) -> Result<Count> {
    let (sql, mut params, asks_more) = count_sql(filter, begin, upto);
    let most = if asks_more { most.min(ASKED) } else { most };
    // One more than reported: if it is there, there are more; otherwise that was all.
    params.push(("most".to_owned(), (most + 1).into()));
    let Some(row) = tx.query_one(&sql, &named(&params))? else {
        return Ok(Count::default());
    };
    let looked = row.int("looked")?;
    Ok(Count {
        found: row.int("found")?.min(most),
        passed: row.int("passed")?.min(most),
        is_whole: looked <= most,
        looked,
    })
}

/// The statement of a count, its parameters except `$most`, and whether it tests more than its index has.
fn count_sql(
    filter: &ChangeFilter,
    begin: Begin,
    upto: Option<(Order, &Spot)>,
) -> (String, Vec<(String, Value)>, bool) {
    let (few, begun) = match begin {
        Begin::Few(few) => (few, None),
        Begin::Part(part) => (Few::Nothing, Some(part)),
        Begin::All => (Few::Nothing, None),
    };
    let mut list = match begun {
        Some(part) => Conditions::looked_up_by(part),
        None => Conditions::default(),
    };
    let gathered = list.gathered(filter, few);
    if let Some(part) = begun {
        list.part(filter, part);
    }
    let begins = std::mem::take(&mut list.sql);
    let tested = tested(filter, begun);
    for part in &tested {
        list.part(filter, *part);
    }
    let of_parts = list.sql.len();
    list.of_others(filter, few);
    let has_others = list.sql.len() > of_parts;
    let rest = match list.sql.strip_prefix(" AND ") {
        Some(rest) => rest.to_owned(),
        None => "1 = 1".to_owned(),
    };
    // Every order has an index that holds its values, which the index of a filter does not but for numbers.
    let of_index = match upto.map(|(order, _)| order.key) {
        None | Some(SortKey::Number) if has_all(begin, &tested) => {
            let columns = std::iter::once("number").chain(tested.iter().map(|part| column(*part)));
            Some(columns.collect::<Vec<_>>().join(", "))
        }
        Some(key) if begin == Begin::All && tested.is_empty() => Some(format!("number, {}", key.as_str())),
        _ => None,
    };
    let of_index = of_index.filter(|_| !has_others);
    let columns = of_index.as_deref().unwrap_or(COLUMNS);
    let (upto, given) = match upto {
        Some((order, spot)) => passed(order, spot),
        None => ("1 = 0".to_owned(), Vec::new()),
    };
    let mut params = list.params;
    params.extend(given);
    let sql = format!(
        "SELECT count(*) AS looked, COALESCE(SUM(CASE WHEN {rest} THEN 1 ELSE 0 END), 0) AS found,
            COALESCE(SUM(CASE WHEN {rest} AND {upto} THEN 1 ELSE 0 END), 0) AS passed
         FROM (SELECT {columns} FROM {gathered}\"change\" WHERE \"change\".tenant = $tenant{begins} LIMIT $most) AS \"change\""
    );
    (sql, params, of_index.is_none())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::{Config, Error, Lane, Mode, Store};

    fn plan(store: &Store, filter: &ChangeFilter, begin: Begin, upto: Option<(Order, &Spot)>) -> String {
        let (sql, mut params, _) = count_sql(filter, begin, upto);
        params.push(("most".to_owned(), 10.into()));
        let explain = move |tx: &mut Tx<'_>| {
            let rows = tx.query(&format!("EXPLAIN QUERY PLAN {sql}"), &named(&params))?;
            let lines = rows.iter().map(|row| row.text("detail"));
            Ok::<_, Error>(lines.collect::<Result<Vec<_>>>()?.join("\n"))
        };
        store.wait(Lane::Pages, "acme", Mode::Read, explain).unwrap()
    }

    #[test]
    fn a_count_begins_at_an_index_and_reads_no_row_where_that_says_all() {
        let name = format!("assent-counts-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let store = Store::open(Config::sqlite(folder.join("assent.db"))).unwrap();
        let all = ChangeFilter::default();
        let open = ChangeFilter {
            states: vec!["draft".to_owned(), "scheduled".to_owned()],
            ..ChangeFilter::default()
        };
        let mine = ChangeFilter {
            requester: Some("p-1".to_owned()),
            ..open.clone()
        };
        let old = ChangeFilter {
            created_to: Some(jiff::Timestamp::UNIX_EPOCH),
            ..open.clone()
        };
        let ahead = ChangeFilter {
            planned_from: Some(jiff::Timestamp::UNIX_EPOCH),
            risk: Some("high".to_owned()),
            ..open.clone()
        };
        assert_eq!(
            beginnings(&ahead, Few::Nothing).first(),
            Some(&Begin::Part(Part::Planned)),
            "its index also has the state and the risk"
        );
        for (filter, begin) in [
            (&all, Begin::All),
            (&open, Begin::Part(Part::State)),
            (&old, Begin::Part(Part::State)),
            (&mine, Begin::Part(Part::Requester)),
            (&ahead, Begin::Part(Part::Planned)),
        ] {
            let plan = plan(&store, filter, begin, None);
            assert!(plan.contains("COVERING INDEX"), "{filter:?}\n{plan}");
        }
        for word in ["-number", "planned_start", "-updated_at", "risk"] {
            let order = Order::parse(word).unwrap();
            let at = if order.key == SortKey::Number { "7" } else { "1.7" };
            let spot = Spot::parse(order, at).unwrap();
            let plan = plan(&store, &all, Begin::All, Some((order, &spot)));
            assert!(plan.contains("COVERING INDEX"), "{word}\n{plan}");
        }
        assert_eq!(
            beginnings(&mine, Few::Nothing),
            [Begin::Part(Part::Requester), Begin::Part(Part::State)]
        );
        let plan = plan(&store, &mine, Begin::Part(Part::Requester), None);
        assert!(plan.contains("(tenant=? AND requester=?)"), "{plan}");
        store.close();
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
