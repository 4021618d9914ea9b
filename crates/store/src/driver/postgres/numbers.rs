//! The numbers of records, each taken in a short transaction of its own. Serializable transactions that raise one counter fail
//! one after another, so acts that number records would wait for each other and lose their work.

use postgres::{Client, SimpleQueryMessage};

use super::{Address, PostgresConnection};
use crate::error::Result;

/// The numbers that one session takes.
pub(super) struct Numbers {
    address: Address,
    role: Option<String>,
    second: Second,
    /// Those of the present transaction.
    taken: Vec<Number>,
    /// Those of the attempts before it at the same act.
    spare: Vec<Number>,
}

/// The second session.
enum Second {
    /// Not opened yet, or broken since.
    None,
    Open(Box<PostgresConnection>),
    /// There is none to be had, or it is with another node: acts raise the counter themselves.
    Refused,
}

struct Number {
    tenant: String,
    name: String,
    value: i64,
}

impl Numbers {
    pub(super) fn new(address: &Address, role: Option<&str>) -> Self {
        Self {
            address: address.clone(),
            role: role.map(str::to_owned),
            second: Second::None,
            taken: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// A number of a counter, the one of an attempt before if there is one; `None` where the act raises the counter itself.
    /// `first` is the session of the act.
    pub(super) fn take(&mut self, first: &mut Client, tenant: &str, name: &str) -> Option<i64> {
        let mut spare = self.spare.iter();
        let number = match spare.position(|it| it.tenant == tenant && it.name == name) {
            Some(place) => self.spare.remove(place),
            None => Number {
                tenant: tenant.to_owned(),
                name: name.to_owned(),
                value: self.raise(first, tenant, name)?,
            },
        };
        let value = number.value;
        self.taken.push(number);
        Some(value)
    }

    /// The transaction committed, or nobody knows, or its numbers may be those of other records.
    pub(super) fn keep(&mut self) {
        self.taken.clear();
    }

    /// A transaction begins: numbers that are left were of one that did not commit. Another attempt at the same act takes
    /// them again; otherwise the last number goes back to its counter, and one that is no longer the last is left out.
    pub(super) fn begin(&mut self, is_again: bool) {
        self.spare.append(&mut self.taken);
        self.spare.sort_by_key(|number| number.value);
        if is_again {
            return;
        }
        while let Some(number) = self.spare.pop() {
            let lower = format!(
                "UPDATE counter SET value = value - 1 WHERE tenant = {} AND name = {} AND value = {}",
                quoted(&number.tenant),
                quoted(&number.name),
                number.value
            );
            // A number that does not go back is left out.
            self.ask(&number.tenant, &lower);
        }
    }

    /// Raises a counter, on a new session if the one of the last number has broken since.
    fn raise(&mut self, first: &mut Client, tenant: &str, name: &str) -> Option<i64> {
        let raise = format!(
            "INSERT INTO counter (tenant, name, value) VALUES ({}, {}, 1)
             ON CONFLICT (tenant, name) DO UPDATE SET value = counter.value + 1 RETURNING value",
            quoted(tenant),
            quoted(name)
        );
        if let Some(value) = self.ask(tenant, &raise) {
            return value.parse().ok();
        }
        if matches!(self.second, Second::None) {
            self.second = match self.open(first) {
                Ok(Some(session)) => Second::Open(session),
                Ok(None) | Err(_) => Second::Refused,
            };
        }
        self.ask(tenant, &raise)?.parse().ok()
    }

    /// A second session with the node of the first: another one may be a former primary that nobody has told so.
    fn open(&self, first: &mut Client) -> Result<Option<Box<PostgresConnection>>> {
        let mut session = PostgresConnection::open(&self.address, self.role.as_deref())?;
        let is_same = match (node(first), node(&mut session.client)) {
            (Some(first), Some(second)) => first == second,
            _ => false,
        };
        Ok(is_same.then(|| Box::new(session)))
    }

    /// The value that a statement returns in a transaction of its own, if there is a session. What it wrote is on the disk before
    /// the act that goes on: the act's commit waits for all of the log before. A session in which it failed is not used again.
    fn ask(&mut self, tenant: &str, statement: &str) -> Option<String> {
        let Second::Open(session) = &mut self.second else {
            return None;
        };
        let said = session.client.simple_query(&format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off; SET LOCAL assent.tenant = {};
             {statement}; COMMIT",
            quoted(tenant)
        ));
        match said {
            Ok(said) => first_value(&said),
            Err(error) => {
                tracing::debug!(%error, "a number was not taken");
                self.second = Second::None;
                None
            }
        }
    }
}

/// A text constant: a tenant's id and a counter's name have no backslash.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Which server this is, and since when it runs.
fn node(client: &mut Client) -> Option<String> {
    let said = client
        .simple_query("SELECT concat(inet_server_addr(), ' ', inet_server_port(), ' ', pg_postmaster_start_time())");
    first_value(&said.ok()?)
}

fn first_value(said: &[SimpleQueryMessage]) -> Option<String> {
    said.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    })
}
