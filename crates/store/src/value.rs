//! Values that go into a statement and rows that come out.

use std::sync::Arc;

use jiff::Timestamp;

use crate::error::{Error, Result};

/// One value of the six kinds that both engines know.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// TEXT.
    Text(String),
    /// BIGINT; times are UTC microseconds.
    Int(i64),
    /// BOOLEAN; SQLite keeps it as 0 or 1.
    Bool(bool),
    /// DOUBLE PRECISION.
    Real(f64),
    /// BYTEA.
    Bytes(Vec<u8>),
    /// NULL of any type.
    Null,
}

macro_rules! value_from {
    ($($from:ty => |$it:ident| $make:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($it: $from) -> Self { $make }
        }
    )*};
}

value_from! {
    &str => |it| Value::Text(it.to_owned());
    String => |it| Value::Text(it);
    &String => |it| Value::Text(it.clone());
    i64 => |it| Value::Int(it);
    i32 => |it| Value::Int(i64::from(it));
    u32 => |it| Value::Int(i64::from(it));
    bool => |it| Value::Bool(it);
    f64 => |it| Value::Real(it);
    Vec<u8> => |it| Value::Bytes(it);
    &[u8] => |it| Value::Bytes(it.to_vec());
    Timestamp => |it| Value::Int(it.as_microsecond());
    &Timestamp => |it| Value::Int(it.as_microsecond());
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(it: Option<T>) -> Self {
        it.map_or(Value::Null, Into::into)
    }
}

/// One row of a result, read by column name.
#[derive(Debug, Clone)]
pub struct Row {
    names: Arc<[String]>,
    values: Vec<Value>,
}

impl Row {
    pub(crate) fn new(names: Arc<[String]>, values: Vec<Value>) -> Self {
        Self { names, values }
    }

    /// The value of a column; `Error::Other` when the statement has no such column.
    pub fn get(&self, column: &str) -> Result<&Value> {
        self.names
            .iter()
            .position(|name| name == column)
            .and_then(|at| self.values.get(at))
            .ok_or_else(|| Error::Other(format!("the answer has no column `{column}`")))
    }

    /// Puts another value into a column that the statement has.
    pub(crate) fn set(&mut self, column: &str, value: Value) -> Result<()> {
        let place = self.names.iter().position(|name| name == column);
        let place = place.and_then(|at| self.values.get_mut(at));
        let place = place.ok_or_else(|| Error::Other(format!("the answer has no column `{column}`")))?;
        *place = value;
        Ok(())
    }

    /// The columns' names in the statement's order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// A text that must be there.
    pub fn text(&self, column: &str) -> Result<String> {
        self.opt_text(column)?.ok_or_else(|| missing(column))
    }

    /// A text that must be there, as a reference into the row.
    pub fn text_ref(&self, column: &str) -> Result<&str> {
        match self.get(column)? {
            Value::Text(text) => Ok(text),
            Value::Null => Err(missing(column)),
            other => Err(mismatch(column, "text", other)),
        }
    }

    /// A text or NULL.
    pub fn opt_text(&self, column: &str) -> Result<Option<String>> {
        match self.get(column)? {
            Value::Text(text) => Ok(Some(text.clone())),
            Value::Null => Ok(None),
            other => Err(mismatch(column, "text", other)),
        }
    }

    /// An integer that must be there.
    pub fn int(&self, column: &str) -> Result<i64> {
        self.opt_int(column)?.ok_or_else(|| missing(column))
    }

    /// An integer or NULL.
    pub fn opt_int(&self, column: &str) -> Result<Option<i64>> {
        match self.get(column)? {
            Value::Int(int) => Ok(Some(*int)),
            Value::Null => Ok(None),
            other => Err(mismatch(column, "integer", other)),
        }
    }

    /// A truth value that must be there; SQLite's 0 and 1 count.
    pub fn bool(&self, column: &str) -> Result<bool> {
        self.opt_bool(column)?.ok_or_else(|| missing(column))
    }

    /// A truth value or NULL.
    pub fn opt_bool(&self, column: &str) -> Result<Option<bool>> {
        match self.get(column)? {
            Value::Bool(it) => Ok(Some(*it)),
            Value::Int(0) => Ok(Some(false)),
            Value::Int(1) => Ok(Some(true)),
            Value::Null => Ok(None),
            other => Err(mismatch(column, "truth value", other)),
        }
    }

    /// A real number that must be there.
    pub fn real(&self, column: &str) -> Result<f64> {
        match self.get(column)? {
            Value::Real(it) => Ok(*it),
            other => Err(mismatch(column, "real number", other)),
        }
    }

    /// Bytes that must be there.
    pub fn bytes(&self, column: &str) -> Result<Vec<u8>> {
        self.opt_bytes(column)?.ok_or_else(|| missing(column))
    }

    /// Bytes or NULL.
    pub fn opt_bytes(&self, column: &str) -> Result<Option<Vec<u8>>> {
        match self.get(column)? {
            Value::Bytes(it) => Ok(Some(it.clone())),
            Value::Null => Ok(None),
            other => Err(mismatch(column, "bytes", other)),
        }
    }

    /// A point in time (stored as UTC microseconds) that must be there.
    pub fn time(&self, column: &str) -> Result<Timestamp> {
        self.opt_time(column)?.ok_or_else(|| missing(column))
    }

    /// A point in time or NULL.
    pub fn opt_time(&self, column: &str) -> Result<Option<Timestamp>> {
        let Some(micros) = self.opt_int(column)? else {
            return Ok(None);
        };
        Timestamp::from_microsecond(micros)
            .map(Some)
            .map_err(|_| Error::Corrupt(format!("column `{column}` holds no time")))
    }
}

fn missing(column: &str) -> Error {
    Error::Corrupt(format!("column `{column}` is empty"))
}

fn mismatch(column: &str, wanted: &str, found: &Value) -> Error {
    let kind = match found {
        Value::Text(_) => "text",
        Value::Int(_) => "integer",
        Value::Bool(_) => "truth value",
        Value::Real(_) => "real number",
        Value::Bytes(_) => "bytes",
        Value::Null => "nothing",
    };
    Error::Corrupt(format!("column `{column}` holds {kind} where {wanted} was expected"))
}
