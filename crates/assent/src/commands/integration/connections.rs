//! `assent connection`: the systems that deliver here, and the meaning of their repositories.

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::{Failure, Result};
use crate::lists::list;
use crate::output::{Output, array, text_of};

/// Systems that deliver here.
#[derive(Debug, Subcommand)]
pub enum Connection {
    /// List connections.
    List,
    /// Change a connection; its address and its secret stay.
    #[command(
        after_help = "Example: assent connection edit 01J… --add halden/booking-web=booking-api:prod=production --remove halden/old"
    )]
    Edit(Edit),
}

/// What changes of a connection; the rest stays.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true))]
pub struct Edit {
    /// Its id, as `list` shows it.
    pub id: String,
    /// What it is called.
    #[arg(long, group = "what")]
    pub name: Option<String>,
    /// The login of who stands for drafts of unknown senders.
    #[arg(long, group = "what")]
    pub owner: Option<String>,
    /// A repository, our service and its environments; one that is there is replaced. May be given several times.
    #[arg(long, group = "what", value_name = "REPOSITORY=SERVICE[:THEIRS=OURS,…]")]
    pub add: Vec<String>,
    /// A repository to take out; may be given several times.
    #[arg(long, group = "what", value_name = "REPOSITORY")]
    pub remove: Vec<String>,
}

/// A row of the map as it is typed.
fn row(text: &str) -> Result<Value> {
    let wrong = || {
        Failure::could_not(format!(
            "`{text}` is no row; write halden/web=web:prod=production,test=staging."
        ))
    };
    let (repository, rest) = text.split_once('=').ok_or_else(wrong)?;
    let (service, places) = rest.split_once(':').unwrap_or((rest, ""));
    let mut environments = Map::new();
    for pair in places.split(',').filter(|pair| !pair.is_empty()) {
        let (theirs, ours) = pair.split_once('=').ok_or_else(wrong)?;
        environments.insert(theirs.to_owned(), json!(ours));
    }
    Ok(json!({"repository": repository.to_lowercase(), "service": service, "environments": environments}))
}

fn edit(client: &Client, wanted: &Edit, output: &Output) -> Result<()> {
    let one = format!("/connections/{}", encode(&wanted.id));
    let found = client.get(&one)?;
    let mut body = Map::new();
    for (field, value) in [("name", &wanted.name), ("owner", &wanted.owner)] {
        if let Some(value) = value {
            body.insert(field.to_owned(), json!(value));
        }
    }
    if !wanted.add.is_empty() || !wanted.remove.is_empty() {
        let added = wanted
            .add
            .iter()
            .map(|text| row(text))
            .collect::<Result<Vec<Value>>>()?;
        let is_named = |known: &Value, name: &str| {
            known["repository"]
                .as_str()
                .is_some_and(|it| it.eq_ignore_ascii_case(name))
        };
        let goes = |known: &Value| {
            wanted.remove.iter().any(|name| is_named(known, name))
                || added
                    .iter()
                    .any(|row| is_named(known, row["repository"].as_str().unwrap_or_default()))
        };
        let stay = array(&found.body, "map").iter().filter(|known| !goes(known)).cloned();
        let map: Vec<Value> = stay.chain(added.iter().cloned()).collect();
        body.insert("map".to_owned(), json!(map));
    }
    // Nobody who was faster is overwritten: a map is written as a whole.
    let etag = found.etag.unwrap_or_default();
    let made = client.conditional("PATCH", &one, &Value::Object(body), &etag)?.body;
    output.data(&made, |output| {
        let count = array(&made, "map").len();
        output.line(&format!("changed {}: {count} repositories", text_of(&made, "name")));
    });
    Ok(())
}

/// Runs a command about connections.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(connection: &Connection, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match connection {
        Connection::List => list(
            &client,
            output,
            "/connections",
            &["id", "kind", "name", "owner", "active"],
        )?,
        Connection::Edit(wanted) => edit(&client, wanted, output)?,
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_row_of_the_map_is_typed_in_one_word() {
        let web = row("Halden/Web=web:prod=production,test=staging").unwrap();
        let environments = json!({"prod": "production", "test": "staging"});
        assert_eq!(
            web,
            json!({"repository": "halden/web", "service": "web", "environments": environments})
        );
        assert_eq!(row("halden/web=web").unwrap()["environments"], json!({}));
        for wrong in ["halden/web", "halden/web=web:prod"] {
            assert!(row(wrong).is_err(), "{wrong}");
        }
    }
}
