//! Encoded queries of ServiceNow: conditions joined by `^` (and), `^OR` and `^NQ`, with `ORDERBY`. An unknown condition is
//! refused, because leaving it out would find more than was requested.

use super::rows::Row;
use super::table::Table;

/// The longest query, in bytes.
const LONGEST: usize = 16_000;
/// The most conditions of a query.
const MOST: usize = 200;

/// A query: any of its groups must match, in a group all terms, in a term any condition.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    groups: Vec<Vec<Vec<Condition>>>,
    /// Fields in the order of their weight, and whether each is descending.
    order: Vec<(String, bool)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    field: String,
    operator: Operator,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Is,
    IsNot,
    Less,
    AtMost,
    More,
    AtLeast,
    Holds,
    HoldsNot,
    Begins,
    Ends,
    In,
    NotIn,
    Empty,
    NotEmpty,
}

/// The operators in their notation; an operator comes before another that is its prefix.
const OPERATORS: &[(&str, Operator)] = &[
    ("!=", Operator::IsNot),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("=", Operator::Is),
    ("<", Operator::Less),
    (">", Operator::More),
    ("NOT LIKE", Operator::HoldsNot),
    ("NOTLIKE", Operator::HoldsNot),
    ("NOT IN", Operator::NotIn),
    ("NOTIN", Operator::NotIn),
    ("LIKE", Operator::Holds),
    ("CONTAINS", Operator::Holds),
    ("STARTSWITH", Operator::Begins),
    ("ENDSWITH", Operator::Ends),
    ("ISEMPTY", Operator::Empty),
    ("ISNOTEMPTY", Operator::NotEmpty),
    ("IN", Operator::In),
];

/// Reads a query.
///
/// # Errors
/// The part that is not understood, as a sentence.
pub(super) fn read(text: &str) -> Result<Query, String> {
    if text.len() > LONGEST {
        return Err(format!("A query has at most {LONGEST} bytes."));
    }
    let mut query = Query::default();
    let mut group: Vec<Vec<Condition>> = Vec::new();
    let mut count = 0;
    for part in split(text) {
        if let Some(field) = part.strip_prefix("ORDERBYDESC") {
            query.order.push((field.to_owned(), true));
            continue;
        }
        if let Some(field) = part.strip_prefix("ORDERBY") {
            query.order.push((field.to_owned(), false));
            continue;
        }
        if part == "EQ" {
            continue;
        }
        count += 1;
        if count > MOST {
            return Err(format!("A query has at most {MOST} conditions."));
        }
        let (joint, rest) = match (part.strip_prefix("NQ"), part.strip_prefix("OR")) {
            (Some(rest), _) => ("NQ", rest),
            (_, Some(rest)) => ("OR", rest),
            _ => ("", part.as_str()),
        };
        let condition = condition(rest)?;
        match (joint, group.last_mut()) {
            ("OR", Some(term)) => term.push(condition),
            ("NQ", Some(_)) => {
                query.groups.push(std::mem::take(&mut group));
                group.push(vec![condition]);
            }
            _ => group.push(vec![condition]),
        }
    }
    if !group.is_empty() {
        query.groups.push(group);
    }
    Ok(query)
}

/// The parts between single carets; two carets are one that belongs to a value.
fn split(text: &str) -> Vec<String> {
    let marked = text.replace("^^", "\u{0}");
    let parts = marked.split('^').map(|part| part.replace('\u{0}', "^"));
    parts.filter(|part| !part.is_empty()).collect()
}

fn condition(text: &str) -> Result<Condition, String> {
    let is_name = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_.".contains(letter);
    let end = text.find(|letter| !is_name(letter)).unwrap_or(text.len());
    let (field, rest) = text.split_at(end);
    let found = OPERATORS
        .iter()
        .find_map(|(word, operator)| Some((*operator, rest.strip_prefix(word)?)));
    let Some((operator, value)) = found.filter(|_| !field.is_empty()) else {
        let known: Vec<&str> = OPERATORS.iter().map(|(word, _)| *word).collect();
        return Err(format!(
            "The condition `{text}` is not understood: a field and one of {}.",
            known.join(", ")
        ));
    };
    if value.starts_with("javascript:") {
        return Err(format!(
            "The condition `{text}` holds a script, and scripts are not run."
        ));
    }
    Ok(Condition {
        field: field.to_owned(),
        operator,
        value: value.to_owned(),
    })
}

impl Query {
    /// The values that a field must have for a record to be found, where the query names them all.
    pub(super) fn wanted(&self, field: &str) -> Option<Vec<&str>> {
        let [group] = self.groups.as_slice() else { return None };
        group.iter().find_map(|term| {
            let values = term.iter().map(|condition| match condition.operator {
                Operator::Is if condition.field == field => Some(vec![condition.value.as_str()]),
                Operator::In if condition.field == field => Some(condition.value.split(',').map(str::trim).collect()),
                _ => None,
            });
            values
                .collect::<Option<Vec<_>>>()
                .map(|values| values.into_iter().flatten().collect())
        })
    }

    /// Refuses a field that the records of a table do not have.
    pub(super) fn check(&self, known: &[&str]) -> Result<(), String> {
        let conditions = self.groups.iter().flatten().flatten().map(|it| it.field.as_str());
        let mut fields = conditions.chain(self.order.iter().map(|(field, _)| field.as_str()));
        match fields.find(|field| !known.contains(&base(field)) || !is_read_through(field)) {
            None => Ok(()),
            Some(field) if known.contains(&base(field)) => Err(format!(
                "There is no field `{field}` here. Of a reference only what is kept with it is compared: `.sys_id`, of a change \
                 `.number`, of a person `.user_name`, of a group `.name`."
            )),
            Some(field) => Err(format!(
                "There is no field `{field}` here. There are: {}.",
                known.join(", ")
            )),
        }
    }

    /// Whether a record is found.
    pub(super) fn finds(&self, row: &Row) -> bool {
        let meets_all = |group: &Vec<Vec<Condition>>| group.iter().all(|term| term.iter().any(|it| it.is_met(row)));
        self.groups.is_empty() || self.groups.iter().any(meets_all)
    }

    /// Sorts records in the requested order.
    pub(super) fn sort(&self, rows: &mut [Row]) {
        for (field, is_descending) in self.order.iter().rev() {
            rows.sort_by(|one, two| {
                let order = compare(&value_of(one, field), &value_of(two, field));
                if *is_descending { order.reverse() } else { order }
            });
        }
    }
}

/// The field without the part that is read through a reference, such as `.number`.
fn base(field: &str) -> &str {
    field.split_once('.').map_or(field, |(base, _)| base)
}

/// The targets of references, each with the field that a record holds beside the id: the number of a change, the login of a
/// person and the name of a group.
const REFERENCES: &[(Table, &str, &[&str])] = &[
    (
        Table::Change,
        "number",
        &[
            "change",
            "change_request",
            "parent",
            "sysapproval",
            "document_id",
            "rfc",
        ],
    ),
    (
        Table::SysUser,
        "user_name",
        &["requested_by", "opened_by", "assigned_to", "closed_by", "approver"],
    ),
    (Table::SysUserGroup, "name", &["assignment_group"]),
    (Table::CmdbCi, "", &["cmdb_ci", "u_assent_service"]),
];

/// The table to which a field refers.
pub(super) fn leads_to(field: &str) -> Option<Table> {
    let found = REFERENCES.iter().find(|(_, _, names)| names.contains(&field));
    found.map(|(table, _, _)| *table)
}

/// Whether a field is read through a reference only where that is known; a plain one is.
fn is_read_through(field: &str) -> bool {
    let Some((base, read)) = field.split_once('.') else {
        return true;
    };
    let found = REFERENCES.iter().find(|(_, _, names)| names.contains(&base));
    found.is_some_and(|(_, known, _)| read == "sys_id" || read == *known)
}

/// The value that a condition compares: the field's value, or for a reference its displayed text.
fn value_of(row: &Row, field: &str) -> String {
    let Some(found) = row.get(base(field)) else {
        return String::new();
    };
    match field.split_once('.') {
        None | Some((_, "sys_id")) => found.value.clone(),
        Some(_) => found.display.clone(),
    }
}

/// Compares numbers by value, and other texts by their characters.
fn compare(one: &str, two: &str) -> std::cmp::Ordering {
    match (one.parse::<i64>(), two.parse::<i64>()) {
        (Ok(one), Ok(two)) => one.cmp(&two),
        _ => one.to_lowercase().cmp(&two.to_lowercase()),
    }
}

impl Condition {
    fn is_met(&self, row: &Row) -> bool {
        let value = value_of(row, &self.field);
        let (has, wanted) = (value.to_lowercase(), self.value.to_lowercase());
        // A condition may name a reference by its id or by its displayed text, such as the number of a change.
        let shown = row.get(&self.field).filter(|field| field.table.is_some());
        let shown = shown.map_or_else(|| has.clone(), |field| field.display.to_lowercase());
        let is_in = || {
            wanted
                .split(',')
                .any(|word| [&has, &shown].iter().any(|it| it.as_str() == word.trim()))
        };
        let is_named = [&has, &shown].contains(&&wanted);
        let order = compare(&value, &self.value);
        match self.operator {
            Operator::Is => is_named,
            Operator::IsNot => !is_named,
            Operator::Less => !has.is_empty() && order.is_lt(),
            Operator::AtMost => !has.is_empty() && order.is_le(),
            Operator::More => order.is_gt(),
            Operator::AtLeast => order.is_ge(),
            Operator::Holds => has.contains(&wanted),
            Operator::HoldsNot => !has.contains(&wanted),
            Operator::Begins => has.starts_with(&wanted),
            Operator::Ends => has.ends_with(&wanted),
            Operator::In => is_in(),
            Operator::NotIn => !is_in(),
            Operator::Empty => has.is_empty(),
            Operator::NotEmpty => !has.is_empty(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop where it fails")]
mod tests {
    use super::*;
    use crate::dialects::servicenow::rows::Field;

    fn row(number: &str, state: &str, title: &str) -> Row {
        Row(vec![
            Field::text("number", number),
            Field::choice("state", state, "New"),
            Field::text("short_description", title),
        ])
    }

    fn found(query: &str) -> Vec<String> {
        let query = read(query).unwrap();
        let mut rows = vec![
            row("CHG-1", "-5", "Move the cache"),
            row("CHG-2", "-4", "Renew a certificate"),
            row("CHG-10", "0", "Move ^ the queue"),
        ];
        rows.retain(|row| query.finds(row));
        query.sort(&mut rows);
        rows.iter()
            .map(|row| row.get("number").unwrap().value.clone())
            .collect()
    }

    #[test]
    fn conditions_are_joined_by_and_or_and_new_queries() {
        assert_eq!(found(""), ["CHG-1", "CHG-2", "CHG-10"]);
        assert_eq!(found("state=-5"), ["CHG-1"]);
        assert_eq!(found("state!=-5^short_descriptionLIKEmove"), ["CHG-10"]);
        assert_eq!(
            found("state=-5^ORstate=0^short_descriptionSTARTSWITHmove"),
            ["CHG-1", "CHG-10"]
        );
        assert_eq!(found("state=-5^NQnumber=chg-2"), ["CHG-1", "CHG-2"]);
        assert_eq!(found("numberINCHG-1,CHG-10"), ["CHG-1", "CHG-10"]);
        assert_eq!(found("numberNOT INCHG-1,CHG-10"), ["CHG-2"]);
        assert_eq!(found("state>=-4"), ["CHG-2", "CHG-10"]);
        assert_eq!(found("short_descriptionLIKE^^"), ["CHG-10"]);
        assert_eq!(found("state.displayISEMPTY"), Vec::<String>::new());
    }

    #[test]
    fn a_reference_is_named_by_its_id_or_by_what_people_read() {
        let row = Row(vec![Field::refers("change_request", Table::Change, "CHG-7")]);
        let id = row.value("change_request").to_owned();
        for (query, is_found) in [
            (format!("change_request={id}"), true),
            ("change_request=CHG-7".to_owned(), true),
            ("change_request.number=CHG-7".to_owned(), true),
            ("change_requestINCHG-6,CHG-7".to_owned(), true),
            ("change_request!=CHG-7".to_owned(), false),
            ("change_request=CHG-70".to_owned(), false),
        ] {
            assert_eq!(read(&query).unwrap().finds(&row), is_found, "{query}");
        }
    }

    #[test]
    fn an_order_is_by_numbers_where_both_are_and_the_first_field_weighs_most() {
        assert_eq!(found("ORDERBYstate"), ["CHG-1", "CHG-2", "CHG-10"]);
        assert_eq!(found("ORDERBYDESCstate"), ["CHG-10", "CHG-2", "CHG-1"]);
        assert_eq!(
            found("short_descriptionISNOTEMPTY^ORDERBYshort_description"),
            ["CHG-10", "CHG-1", "CHG-2"]
        );
    }

    #[test]
    fn what_is_not_understood_is_refused_and_not_left_out() {
        for text in ["state", "stateSOMETHING1", "=1", "opened_at>javascript:gs.daysAgo(1)"] {
            assert!(read(text).is_err(), "{text}");
        }
        let query = read("colour=red").unwrap();
        assert!(query.check(&["number", "state"]).unwrap_err().contains("`colour`"));
        assert!(
            read("state=1^change.number=2")
                .unwrap()
                .check(&["state", "change"])
                .is_ok()
        );
    }

    #[test]
    fn through_a_reference_only_what_is_known_of_it_is_read() {
        let known = ["state", "change_request", "assigned_to", "cmdb_ci"];
        let checked = |text: &str| read(text).unwrap().check(&known);
        for text in [
            "change_request.number=CHG-7",
            "assigned_to.user_name=ada",
            "cmdb_ci.sys_id=1",
            "ORDERBYassigned_to.user_name",
        ] {
            assert_eq!(checked(text), Ok(()), "{text}");
        }
        for text in [
            "change_request.state=-1",
            "change_request.=1",
            "assigned_to.email=ada@example.com",
            "assigned_to.number=ada",
            "assigned_to.manager.user_name=ada",
            "state.number=1",
            "ORDERBYchange_request.risk",
        ] {
            assert!(checked(text).is_err(), "{text}");
        }
        let row = Row(vec![Field::refers("change_request", Table::Change, "CHG-7")]);
        let query = format!("change_request.sys_id={}", row.value("change_request"));
        assert!(read(&query).unwrap().finds(&row));
    }

    #[test]
    fn a_field_is_wanted_only_where_nothing_else_could_be_found() {
        let wanted = |text: &str| read(text).unwrap().wanted("number").map(|it| it.join(" "));
        assert_eq!(wanted("active=true^number=CHG-1").as_deref(), Some("CHG-1"));
        assert_eq!(wanted("numberINCHG-1,CHG-2").as_deref(), Some("CHG-1 CHG-2"));
        assert_eq!(wanted("number=CHG-1^ORstate=1"), None);
        assert_eq!(wanted("number=CHG-1^NQstate=1"), None);
        assert_eq!(wanted("number!=CHG-1"), None);
    }
}
