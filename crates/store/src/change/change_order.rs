//! Lists of changes in a chosen order, cut after the last one seen.
//!
//! An order is a value and then the number, which is unique: so each change has one position, and a page begins after a
//! position, whatever was written since. Changes without a planned start or an outcome come last in either direction, and
//! levels of risk and outcomes are not in alphabetical order: such a list consists of several stretches, each in the order of
//! an index.

use model::core::enums::{Level, Outcome};

use crate::change::change_query::{ChangeFilter, ChangeRow, Conditions};
use crate::value::Value;

/// The field by which changes are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortKey {
    /// The number in the key: the order in which they were written.
    #[default]
    Number,
    /// The planned start.
    PlannedStart,
    /// When something about them changed last.
    UpdatedAt,
    /// The level of risk; within one level the newest come first.
    Risk,
    /// The outcome of the whole, successes before failures; within one outcome the newest come first.
    Outcome,
}

impl SortKey {
    /// Every key.
    pub const ALL: [Self; 5] = [
        Self::Number,
        Self::PlannedStart,
        Self::UpdatedAt,
        Self::Risk,
        Self::Outcome,
    ];

    /// Its name in an address.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::PlannedStart => "planned_start",
            Self::UpdatedAt => "updated_at",
            Self::Risk => "risk",
            Self::Outcome => "outcome",
        }
    }
}

/// The order of a list: `planned_start` upwards, `-planned_start` downwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub key: SortKey,
    /// Whether the greatest come first.
    pub is_down: bool,
}

impl Default for Order {
    /// The newest first.
    fn default() -> Self {
        Self {
            key: SortKey::Number,
            is_down: true,
        }
    }
}

impl Order {
    /// Reads the name in an address; `None` where there is no such order.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (is_down, word) = match text.strip_prefix('-') {
            Some(word) => (true, word),
            None => (false, text),
        };
        let key = SortKey::ALL.into_iter().find(|key| key.as_str() == word)?;
        Some(Self { key, is_down })
    }

    /// The name in an address.
    #[must_use]
    pub fn word(self) -> String {
        let sign = if self.is_down { "-" } else { "" };
        format!("{sign}{}", self.key.as_str())
    }

    fn way(self) -> &'static str {
        if self.is_down { "DESC" } else { "ASC" }
    }

    /// The levels of risk in this order.
    fn levels(self) -> [Level; 3] {
        match self.is_down {
            true => [Level::High, Level::Medium, Level::Low],
            false => [Level::Low, Level::Medium, Level::High],
        }
    }

    /// The outcomes in this order.
    fn outcomes(self) -> Vec<&'static str> {
        let mut words: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
        if self.is_down {
            words.reverse();
        }
        words
    }
}

/// A change's place in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The value of the order: microseconds, or the level's rank; `None` where it has none, and in the order of numbers.
    value: Option<i64>,
    /// Its number.
    number: i64,
}

impl Spot {
    /// The place of a change.
    #[must_use]
    pub fn of(order: Order, row: &ChangeRow) -> Self {
        let value = match order.key {
            SortKey::Number => None,
            SortKey::PlannedStart => row.planned_start.map(|at| at.as_microsecond()),
            SortKey::UpdatedAt => Some(row.updated_at.as_microsecond()),
            SortKey::Risk => {
                let place = order.levels().iter().position(|level| level.as_str() == row.risk);
                place.and_then(|place| i64::try_from(place).ok())
            }
            SortKey::Outcome => {
                let words = order.outcomes();
                let place = words.iter().position(|word| Some(*word) == row.outcome.as_deref());
                place.and_then(|place| i64::try_from(place).ok())
            }
        };
        Self {
            value,
            number: row.number,
        }
    }

    /// Reads the result of [`Spot::word`]; `None` for anything else.
    #[must_use]
    pub fn parse(order: Order, text: &str) -> Option<Self> {
        if order.key == SortKey::Number {
            return Some(Self {
                value: None,
                number: text.parse().ok()?,
            });
        }
        let (value, number) = text.split_once('.')?;
        let value = match value {
            "" if matches!(order.key, SortKey::PlannedStart | SortKey::Outcome) => None,
            value => Some(value.parse().ok()?),
        };
        let number = number.parse().ok()?;
        Some(Self { value, number })
    }

    /// The place as an address holds it.
    #[must_use]
    pub fn word(&self, order: Order) -> String {
        match (order.key, self.value) {
            (SortKey::Number, _) => self.number.to_string(),
            (_, Some(value)) => format!("{value}.{}", self.number),
            (_, None) => format!(".{}", self.number),
        }
    }
}

/// A stretch of a list: the common values of its changes, and their order.
#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    kind: Kind,
    is_down: bool,
    order: String,
}

#[derive(Debug, Clone)]
enum Kind {
    /// By number, after one.
    Numbers(Option<i64>),
    /// By a column of times and then by number, behind both.
    Times(&'static str, Option<(i64, i64)>),
    /// Those without a value in a column, by number downwards, after one. With the condition of the column, no index has it.
    Without((&'static str, &'static str), Option<i64>),
    /// Those with one value in a column, by number downwards, after one.
    Word(&'static str, &'static str, Option<i64>),
}

impl Stretch {
    fn of(kind: Kind, is_down: bool, order: String) -> Self {
        Self { kind, is_down, order }
    }

    /// All changes by their numbers, after one.
    pub(crate) fn of_numbers(is_down: bool, after: Option<i64>) -> Self {
        let way = if is_down { "DESC" } else { "ASC" };
        Self::of(Kind::Numbers(after), is_down, format!("number {way}"))
    }

    /// Whether it is in the order that the indexes of all filters have.
    pub(crate) fn is_by_number(&self) -> bool {
        matches!(self.kind, Kind::Numbers(_))
    }

    /// The text after `ORDER BY`. Where rare rows are looked up and sorted, no index may give the order instead.
    pub(crate) fn order(&self, is_of_index: bool) -> String {
        match is_of_index {
            true => self.order.clone(),
            false => self.order.replace(" ASC", " + 0 ASC").replace(" DESC", " + 0 DESC"),
        }
    }

    /// Adds the common values of its changes. Only with `is_looked_up` may an engine use an index for them.
    pub(crate) fn add_to(&self, list: &mut Conditions, is_looked_up: bool) {
        let number = |list: &mut Conditions, is_down: bool, after: &Option<i64>| {
            list.compare("number", if is_down { "<" } else { ">" }, *after);
        };
        let hidden = |column: &str, nothing: &str| match is_looked_up {
            true => column.to_owned(),
            false => format!("{column}{nothing}"),
        };
        match &self.kind {
            Kind::Numbers(after) => number(list, self.is_down, after),
            Kind::Without((column, nothing), after) => {
                list.sql.push_str(&format!(" AND {} IS NULL", hidden(column, nothing)));
                number(list, true, after);
            }
            Kind::Word(column, word, after) => {
                list.compare(&hidden(column, " || ''"), "=", Some(*word));
                number(list, true, after);
            }
            Kind::Times(column, after) => {
                // Without a place the first page begins behind the place before all others, in one statement with the rest.
                let edge = if self.is_down { i64::MAX } else { i64::MIN };
                let (value, past) = after.unwrap_or((edge, edge));
                let sign = if self.is_down { "<" } else { ">" };
                let column = hidden(column, " + 0");
                list.sql
                    .push_str(&format!(" AND ({column}, number) {sign} ($past, $past_number)"));
                list.params.push(("past".to_owned(), Value::from(value)));
                list.params.push(("past_number".to_owned(), Value::from(past)));
            }
        }
    }
}

/// The stretches of a list that lie behind a place, in their order.
pub(crate) fn stretches(filter: &ChangeFilter, order: Order, after: Option<&Spot>) -> Vec<Stretch> {
    let past = after.map(|spot| spot.number);
    let times = |column: &'static str| {
        let behind = after.and_then(|spot| Some((spot.value?, spot.number)));
        let way = order.way();
        Stretch::of(
            Kind::Times(column, behind),
            order.is_down,
            format!("{column} {way}, number {way}"),
        )
    };
    let newest = |kind: Kind| Stretch::of(kind, order.is_down, "number DESC".to_owned());
    match order.key {
        SortKey::Number => vec![Stretch::of_numbers(order.is_down, past)],
        SortKey::UpdatedAt => vec![times("updated_at")],
        SortKey::PlannedStart => {
            let is_behind = after.is_some_and(|spot| spot.value.is_none());
            let unplanned = newest(Kind::Without(("planned_start", " + 0"), past.filter(|_| is_behind)));
            match is_behind {
                true => vec![unplanned],
                false => vec![times("planned_start"), unplanned],
            }
        }
        SortKey::Risk => {
            let begun = after.and_then(|spot| usize::try_from(spot.value?).ok()).unwrap_or(0);
            let levels = order.levels().into_iter().enumerate().skip(begun);
            let wanted = levels.filter(|(_, level)| filter.risk.as_deref().is_none_or(|risk| risk == level.as_str()));
            wanted
                .map(|(place, level)| newest(Kind::Word("risk", level.as_str(), past.filter(|_| place == begun))))
                .collect()
        }
        SortKey::Outcome => of_outcomes(filter, order, after),
    }
}

/// The stretches of a list by outcomes: one for each requested outcome, and after them the changes without one.
fn of_outcomes(filter: &ChangeFilter, order: Order, after: Option<&Spot>) -> Vec<Stretch> {
    let words = order.outcomes();
    let begun = after.map_or(0, |spot| {
        let place = spot.value.map(|value| usize::try_from(value).unwrap_or(0));
        place.unwrap_or(words.len())
    });
    let newest = |kind: Kind| Stretch::of(kind, order.is_down, "number DESC".to_owned());
    let behind = |place: usize| after.map(|spot| spot.number).filter(|_| place == begun);
    let is_wanted = |word: &str| filter.outcomes.is_empty() || filter.outcomes.iter().any(|it| it == word);
    let mut found = Vec::new();
    for (place, word) in words.iter().enumerate().skip(begun) {
        if is_wanted(word) {
            found.push(newest(Kind::Word("outcome", word, behind(place))));
        }
    }
    if filter.outcomes.is_empty() {
        found.push(newest(Kind::Without(("outcome", " || ''"), behind(words.len()))));
    }
    found
}

/// The condition of [`passed`] where values have a rank: within one rank the newest come first.
fn by_rank(rank: &str, place: i64, number: (String, Value)) -> (String, Vec<(String, Value)>) {
    let sql = format!("({rank} < $passed OR ({rank} = $passed AND number >= $passed_number))");
    (sql, vec![("passed".to_owned(), Value::from(place)), number])
}

/// The condition that a change is at a position or before it, with the names `$passed` and `$passed_number` for the position.
/// An unknown value counts as no.
pub(crate) fn passed(order: Order, spot: &Spot) -> (String, Vec<(String, Value)>) {
    let number = ("passed_number".to_owned(), Value::from(spot.number));
    let sign = if order.is_down { ">=" } else { "<=" };
    let by_times = |column: &str| match spot.value {
        Some(value) => (
            format!("({column}, number) {sign} ($passed, $passed_number)"),
            vec![("passed".to_owned(), Value::from(value)), number.clone()],
        ),
        None => (
            format!("({column} IS NOT NULL OR number >= $passed_number)"),
            vec![number.clone()],
        ),
    };
    match order.key {
        SortKey::Number => (format!("number {sign} $passed_number"), vec![number]),
        SortKey::PlannedStart => by_times("planned_start"),
        SortKey::UpdatedAt => by_times("updated_at"),
        SortKey::Risk => {
            let [first, second, _] = order.levels().map(Level::as_str);
            let rank = format!("CASE risk WHEN '{first}' THEN 0 WHEN '{second}' THEN 1 ELSE 2 END");
            by_rank(&rank, spot.value.unwrap_or(0), number)
        }
        SortKey::Outcome => {
            let words = order.outcomes();
            let mut rank = "CASE outcome".to_owned();
            for (place, word) in words.iter().enumerate() {
                rank.push_str(&format!(" WHEN '{word}' THEN {place}"));
            }
            let last = i64::try_from(words.len()).unwrap_or(i64::MAX);
            rank.push_str(&format!(" ELSE {last} END"));
            by_rank(&rank, spot.value.unwrap_or(last), number)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use jiff::Timestamp;

    use super::*;
    use crate::change::change_query::{Few, Part, named};
    use crate::change::changes::list_sql;
    use crate::error::Result;
    use crate::tx::Tx;
    use crate::{Config, Error, Lane, Mode, Store};

    const ORDERS: [&str; 9] = [
        "number",
        "planned_start",
        "-planned_start",
        "updated_at",
        "-updated_at",
        "risk",
        "-risk",
        "outcome",
        "-outcome",
    ];

    #[test]
    fn orders_and_places_are_read_as_they_are_written() {
        for word in ORDERS.into_iter().chain(["-number"]) {
            let order = Order::parse(word).unwrap();
            assert_eq!(order.word(), word);
            let value = (order.key != SortKey::Number).then_some(2);
            let spot = Spot { value, number: 7 };
            assert_eq!(Spot::parse(order, &spot.word(order)), Some(spot), "{word}");
        }
        for word in ["", "-", "title", "--number", "Number", "planned_start,risk"] {
            assert_eq!(Order::parse(word), None, "{word}");
        }
        let planned = Order::parse("planned_start").unwrap();
        let unplanned = Spot { value: None, number: 7 };
        assert_eq!(unplanned.word(planned), ".7");
        assert_eq!(Spot::parse(planned, ".7"), Some(unplanned));
        assert_eq!(Spot::parse(Order::parse("risk").unwrap(), ".7"), None);
        for word in ["", "7", "x.7", "1.", "1.2.3"] {
            assert_eq!(Spot::parse(planned, word), None, "{word}");
        }
    }

    /// How SQLite finds each stretch of a list.
    fn plans(store: &Store, filter: &ChangeFilter, few: Few, order: &str) -> Vec<String> {
        let order = Order::parse(order).unwrap();
        let plan = |stretch: Stretch| {
            let (sql, params) = list_sql(filter, few, &stretch, 20);
            let explain = move |tx: &mut Tx<'_>| {
                let rows = tx.query(&format!("EXPLAIN QUERY PLAN {sql}"), &named(&params))?;
                let lines = rows.iter().map(|row| row.text("detail"));
                Ok::<_, Error>(lines.collect::<Result<Vec<_>>>()?.join("\n"))
            };
            store.wait(Lane::Pages, "acme", Mode::Read, explain).unwrap()
        };
        stretches(filter, order, None).into_iter().map(plan).collect()
    }

    /// A frequent value is scanned in the requested order without sorting; a rare one is looked up.
    #[test]
    fn each_order_has_an_index_and_what_few_have_is_looked_up() {
        let name = format!("assent-orders-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let store = Store::open(Config::sqlite(folder.join("assent.db"))).unwrap();
        let some = || Some("x".to_owned());
        let all = ChangeFilter::default;
        let filters = [
            (
                ChangeFilter {
                    requester: some(),
                    ..all()
                },
                Part::Requester,
                "requester=?",
            ),
            (ChangeFilter { owner: some(), ..all() }, Part::Owner, "owner=?"),
            (ChangeFilter { team: some(), ..all() }, Part::Team, "team=?"),
            (ChangeFilter { kind: some(), ..all() }, Part::Kind, "kind=?"),
            (
                ChangeFilter {
                    states: vec!["draft".to_owned(), "closed".to_owned()],
                    ..all()
                },
                Part::State,
                "state=?",
            ),
            (
                ChangeFilter {
                    created_from: Some(Timestamp::UNIX_EPOCH),
                    ..all()
                },
                Part::Created,
                "created_at>?",
            ),
        ];
        for order in ORDERS {
            for (filter, part, found_by) in &filters {
                for plan in plans(&store, filter, Few::Nothing, order) {
                    assert!(!plan.contains("SCAN "), "{order} {filter:?}\n{plan}");
                    let is_by_number = order == "number";
                    assert!(
                        is_by_number || !plan.contains("TEMP B-TREE"),
                        "{order} {filter:?}\n{plan}"
                    );
                }
                // A list by numbers has no such question, as every filter's index is in that order.
                let sorted = (order != "number").then(|| plans(&store, filter, Few::Plain(*part), order));
                for plan in sorted.into_iter().flatten() {
                    assert!(plan.contains(found_by), "{order} {filter:?}\n{plan}");
                }
            }
            for plan in plans(&store, &all(), Few::Nothing, order) {
                assert!(!plan.contains("SCAN ") && !plan.contains("TEMP"), "{order}\n{plan}");
            }
        }
        store.close();
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
