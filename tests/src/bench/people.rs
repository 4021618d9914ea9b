//! An import of people and groups by SCIM, as a directory sends it: one request each, one after another. What is looked at
//! is the server's memory, at each quarter of the way.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::client::{Connection, request};
use super::load::seconds_since;
use super::product::{Product, text_of};
use super::report::Line;

/// People for each group.
const MEMBERS: usize = 25;
/// How much the memory may grow over the second half of the people, in MiB: what a database's cache still takes.
const GROWTH: f64 = 96.0;
/// The longest that the people may take, in seconds; what came until then is told.
const LONGEST: f64 = 2_400.0;

/// Imports `people` into a product of its own.
///
/// # Errors
/// When a request is refused.
pub fn measure(product: &Product, people: usize) -> Result<Vec<Line>> {
    let mut importer = Importer::new(product)?;
    let began = assent::clock::now();
    let mut quarters = vec![product.memory()?.0];
    let mut ids = Vec::new();
    for number in 0..people {
        ids.push(importer.create("Users", &user(number))?);
        if (number + 1) % people.div_ceil(4).max(1) == 0 || number + 1 == people {
            quarters.push(product.memory()?.0);
            eprintln!(
                "bench: {} people after {:.0} s, {:.0} MiB resident",
                number + 1,
                seconds_since(began),
                quarters.last().copied().unwrap_or_default()
            );
        }
        if seconds_since(began) > LONGEST {
            quarters.push(product.memory()?.0);
            break;
        }
    }
    let seconds = seconds_since(began);
    let groups = grouped(&mut importer, &ids)?;
    let end = product.memory()?.0;
    let half = quarters
        .get(quarters.len() / 2)
        .copied()
        .context("nothing was looked at")?;
    let told: Vec<String> = quarters.iter().map(|mib| format!("{mib:.0}")).collect();
    let figure = format!("{} MiB at the quarters, {end:.0} with the groups", told.join(", "));
    let what = format!(
        "Memory over an import of {} people and {groups} groups by SCIM, growth after half",
        ids.len()
    );
    let rate = format!("{:.0} people a second, {:.0} s", ids.len() as f64 / seconds, seconds);
    Ok(vec![
        Line::below(what, end - half, figure, GROWTH, "MiB"),
        Line::told(
            format!("Importing {} people by SCIM, one connection", ids.len()),
            rate,
            "–",
        ),
    ])
}

/// Makes the groups, and answers how many.
fn grouped(importer: &mut Importer, ids: &[String]) -> Result<usize> {
    for (number, members) in ids.chunks(MEMBERS).enumerate() {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        let group = json!({"displayName": format!("Imported {number}"), "members": members});
        importer.create("Groups", &group)?;
    }
    Ok(ids.len().div_ceil(MEMBERS))
}

fn user(number: usize) -> Value {
    let mail = format!("person{number}@import.example");
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": mail, "externalId": format!("x{number}"), "active": true,
        "name": {"givenName": "Person", "familyName": format!("Number {number}")},
        "emails": [{"value": mail, "type": "work", "primary": true}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": format!("D{}", number % 40)},
    })
}

/// The directory that sends.
struct Importer {
    connection: Connection,
    token: String,
}

impl Importer {
    fn new(product: &Product) -> Result<Self> {
        let mut connection = Connection::open(product.address)?;
        let body = json!({"name": "provisioning", "scopes": ["scim"]});
        let asked = request("POST", "/api/v1/tokens", Some(product.token("admin")), Some(&body));
        let token = text_of(&connection.ask(&asked)?.json()?, "token")?;
        Ok(Self { connection, token })
    }

    fn create(&mut self, kind: &str, body: &Value) -> Result<String> {
        let path = format!("/t/halden/scim/v2/{kind}");
        let answer = self
            .connection
            .ask(&request("POST", &path, Some(&self.token), Some(body)))?;
        ensure!(
            answer.status == 201,
            "{path}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        text_of(&answer.json()?, "id")
    }
}
