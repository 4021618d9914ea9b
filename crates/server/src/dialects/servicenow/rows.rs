//! Records as ServiceNow shows them: flat fields, each with a value and a display text.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::sys_id::of_key;
use super::table::Table;

/// The form of times.
const TIME: &str = "%Y-%m-%d %H:%M:%S";

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub name: &'static str,
    pub value: String,
    pub display: String,
    /// The table that a reference leads to.
    pub table: Option<Table>,
}

/// A record: its fields in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row(pub Vec<Field>);

/// The form in which a field is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    Values,
    Displays,
    Both,
}

/// How records are shown.
#[derive(Debug)]
pub(super) struct Shape {
    pub show: Show,
    /// The requested fields; none means all.
    pub fields: Vec<String>,
    /// Before the path of a reference; none leaves links out.
    pub links: Option<String>,
    /// The records that fields such as `requested_by.name` are read from, by their table and id.
    pub walked: HashMap<(Table, String), Row>,
}

impl Field {
    pub(super) fn text(name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        Self {
            name,
            display: value.clone(),
            value,
            table: None,
        }
    }

    pub(super) fn choice(name: &'static str, value: impl Into<String>, display: impl Into<String>) -> Self {
        Self {
            name,
            value: value.into(),
            display: display.into(),
            table: None,
        }
    }

    pub(super) fn time(name: &'static str, value: &Value) -> Self {
        let time = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
        Self::text(name, time.map_or_else(String::new, shown_time))
    }

    pub(super) fn flag(name: &'static str, value: bool) -> Self {
        Self::text(name, value.to_string())
    }

    /// A reference to the record of a table with this key; an empty key refers to nothing.
    pub(super) fn refers(name: &'static str, table: Table, key: &str) -> Self {
        let id = if key.is_empty() { String::new() } else { of_key(key) };
        Self {
            table: (!key.is_empty()).then_some(table),
            ..Self::choice(name, id, key)
        }
    }

    fn shown(&self, shape: &Shape) -> Value {
        let link = self
            .table
            .zip(shape.links.as_ref())
            .map(|(table, base)| format!("{base}/api/now/table/{}/{}", table.name(), self.value));
        match (shape.show, link) {
            (Show::Values, None) => json!(self.value),
            (Show::Values, Some(link)) => json!({"link": link, "value": self.value}),
            (Show::Displays, None) => json!(self.display),
            (Show::Displays, Some(link)) => json!({"display_value": self.display, "link": link}),
            (Show::Both, None) => json!({"display_value": self.display, "value": self.value}),
            (Show::Both, Some(link)) => json!({"display_value": self.display, "link": link, "value": self.value}),
        }
    }
}

impl Row {
    pub(super) fn get(&self, name: &str) -> Option<&Field> {
        self.0.iter().find(|field| field.name == name)
    }

    /// The value of a field; empty where there is none.
    pub(super) fn value(&self, name: &str) -> &str {
        self.get(name).map_or("", |field| field.value.as_str())
    }

    /// The record as it is shown.
    pub(super) fn shown(&self, shape: &Shape) -> Value {
        let all = self.0.iter().filter(|_| shape.fields.is_empty());
        let all = all.map(|field| (field.name.to_owned(), field.shown(shape)));
        let asked = shape.fields.iter().filter_map(|name| {
            let field = self.read(name, shape)?;
            Some((name.clone(), field.shown(shape)))
        });
        Value::Object(all.chain(asked).collect::<Map<String, Value>>())
    }

    /// A field, or one of the record to which a reference leads. Through a reference to nothing there is an empty text.
    fn read(&self, name: &str, shape: &Shape) -> Option<Field> {
        let Some((base, rest)) = name.split_once('.') else {
            return self.get(name).cloned();
        };
        let reference = self.get(base)?;
        let place = reference.table.map(|table| (table, reference.value.clone()));
        let found = place.and_then(|place| shape.walked.get(&place)?.get(rest).cloned());
        Some(found.unwrap_or_else(|| Field::text("", "")))
    }
}

/// A time as it is written, in UTC.
pub(super) fn shown_time(time: Timestamp) -> String {
    time.strftime(TIME).to_string()
}

/// A time as it is read: as it is written, or by RFC 3339.
pub(super) fn read_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let plain = || format!("{}Z", text.replacen(' ', "T", 1)).parse::<Timestamp>().ok();
    text.parse().ok().or_else(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(show: Show, links: Option<&str>) -> Shape {
        Shape {
            show,
            fields: Vec::new(),
            links: links.map(str::to_owned),
            walked: HashMap::new(),
        }
    }

    #[test]
    fn a_field_is_read_through_a_reference() {
        let row = Row(vec![
            Field::refers("opened_by", Table::SysUser, "ada"),
            Field::refers("closed_by", Table::SysUser, ""),
        ]);
        let ada = Row(vec![Field::text("name", "Ada")]);
        let shape = Shape {
            fields: ["opened_by.name", "closed_by.name"].map(str::to_owned).to_vec(),
            walked: HashMap::from([((Table::SysUser, of_key("ada")), ada)]),
            ..shape(Show::Values, None)
        };
        assert_eq!(
            row.shown(&shape),
            json!({"opened_by.name": "Ada", "closed_by.name": ""})
        );
    }

    #[test]
    fn a_field_shows_its_value_what_people_read_or_both() {
        let row = Row(vec![
            Field::choice("state", "-5", "New"),
            Field::refers("opened_by", Table::SysUser, "ada"),
            Field::refers("closed_by", Table::SysUser, ""),
        ]);
        let id = of_key("ada");
        let link = format!("http://here/api/now/table/sys_user/{id}");
        assert_eq!(
            row.shown(&shape(Show::Values, None)),
            json!({"state": "-5", "opened_by": id, "closed_by": ""})
        );
        assert_eq!(
            row.shown(&shape(Show::Displays, None)),
            json!({"state": "New", "opened_by": "ada", "closed_by": ""})
        );
        assert_eq!(
            row.shown(&shape(Show::Both, Some("http://here"))),
            json!({"state": {"display_value": "New", "value": "-5"},
                "opened_by": {"display_value": "ada", "link": link, "value": id},
                "closed_by": {"display_value": "", "value": ""}})
        );
        let narrow = Shape {
            fields: vec!["state".to_owned()],
            ..shape(Show::Values, None)
        };
        assert_eq!(row.shown(&narrow), json!({"state": "-5"}));
    }

    #[test]
    fn times_are_written_and_read_in_utc() {
        let field = Field::time("start_date", &json!("2026-11-28T17:05:00Z"));
        assert_eq!(field.value, "2026-11-28 17:05:00");
        assert_eq!(
            read_time("2026-11-28 17:05:00").map(shown_time).as_deref(),
            Some("2026-11-28 17:05:00")
        );
        assert_eq!(
            read_time("2026-11-28T18:05:00+01:00").map(shown_time).as_deref(),
            Some("2026-11-28 17:05:00")
        );
        assert_eq!(read_time("tomorrow"), None);
    }
}
