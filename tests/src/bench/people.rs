//! An import of people and groups by SCIM, as a directory sends it: one request each, one after another. The measure is the
//! server's memory, at each quarter of the way, and the time of each quarter. At the end all people are one group, and some are
//! looked for as Entra does it. Before it some come beside a route that only commits as many rows, one after another too.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::client::{Connection, request};
use super::load::{Amount, seconds_since};
use super::product::{Product, text_of};
use super::rates;
use super::report::Line;

/// People for each group.
const MEMBERS: usize = 25;
/// The largest growth of the memory over the second half of the people, in MiB: the growth of a database's cache.
const GROWTH: f64 = 96.0;
/// How long everybody may take to become one group, in seconds.
const CROWD: f64 = 5.0;
/// How long one person may be looked for, in milliseconds.
const LOOK: f64 = 50.0;
/// How much of the floor's rate people may come at, one connection each.
const SHARE: f64 = 0.3;
/// How many people are looked for by their address.
const LOOKED_FOR: usize = 50;
/// For how long people come beside the floor, in seconds for each side.
const BESIDE: f64 = 4.0;
/// The longest time for the people, in seconds; the result until then is reported.
const LONGEST: f64 = 2_400.0;

/// Imports `people` into a product of its own.
///
/// # Errors
/// When a request is refused.
pub fn measure(product: &Product, people: usize) -> Result<Vec<Line>> {
    let mut importer = Importer::new(product)?;
    let beside = beside_commits(product, &importer.token)?;
    let began = assent::clock::now();
    let mut quarters = vec![product.memory()?.0];
    let mut times = Vec::new();
    let mut ids = Vec::new();
    for number in 0..people {
        ids.push(importer.create("Users", &user(&format!("person{number}")))?);
        if (number + 1) % people.div_ceil(4).max(1) == 0 || number + 1 == people {
            quarters.push(product.memory()?.0);
            times.push(format!("{:.0}", seconds_since(began)));
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
    let crowd = crowd(&mut importer, product, &ids)?;
    let look_up = look_up(&mut importer, ids.len())?;
    // The least that must be stored: as many bytes as the directory sent of those who came after half.
    let sent = user(&format!("person{}", ids.len())).to_string().len();
    let floor = (ids.len() - ids.len() / 2) as f64 * sent as f64 / f64::from(1 << 20);
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
    let rate = format!(
        "{:.0} people a second, {} s at the quarters",
        ids.len() as f64 / seconds,
        times.join(", ")
    );
    Ok(vec![
        Line::below(what, end - half, figure, GROWTH, "MiB").beside(format!("{floor:.0} MiB as they were sent")),
        Line::told(
            format!("Importing {} people by SCIM, one connection", ids.len()),
            rate,
            "–",
        ),
        beside,
        crowd,
        look_up,
    ])
}

/// People by SCIM beside a floor.
fn beside_commits(product: &Product, token: &str) -> Result<Line> {
    let amount = Amount {
        connections: 1,
        seconds: BESIDE,
        count: u64::from(u32::MAX),
    };
    let creating = |number: u64| {
        let body = user(&format!("early{number}"));
        request("POST", "/t/halden/scim/v2/Users", Some(token), Some(&body))
    };
    Ok(rates::beside_commits(product, amount, "People by SCIM", &creating)?.judged(SHARE))
}

/// Puts everybody into one group, reads it, takes one member away, and reads the first page of all groups.
fn crowd(importer: &mut Importer, product: &Product, ids: &[String]) -> Result<Line> {
    let id = importer.create("Groups", &json!({"displayName": "Everybody"}))?;
    let members: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
    let path = format!("Groups/{id}");
    let began = assent::clock::now();
    importer.ask(
        "PUT",
        &path,
        Some(&json!({"displayName": "Everybody", "members": members})),
    )?;
    let put = seconds_since(began);
    let began = assent::clock::now();
    let told = importer.ask("GET", &path, None)?;
    ensure!(
        told["members"].as_array().is_some_and(|it| it.len() == ids.len()),
        "not everybody is in the group"
    );
    let got = seconds_since(began);
    let one = json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", ids[0])}]);
    let began = assent::clock::now();
    importer.ask("PATCH", &path, Some(&json!({"Operations": one})))?;
    let patched = seconds_since(began);
    let began = assent::clock::now();
    importer.ask("GET", "Groups?count=200", None)?;
    let listed = seconds_since(began);
    let (now, most) = product.memory()?;
    let figure = format!(
        "{put:.1} s, one member less in {patched:.1} s, 200 groups asked for in {listed:.1} s; {now:.0} MiB resident, \
         {most:.0} MiB at most"
    );
    let what = format!("A group of {} people in one PUT by SCIM", ids.len());
    Ok(Line::below(what, put, figure, CROWD, "s").beside(format!("{got:.1} s, reading it")))
}

/// Looks for people by an address for work as Entra writes it; the longest that one took, beside a question that looks for nobody.
fn look_up(importer: &mut Importer, people: usize) -> Result<Line> {
    let mut longest: f64 = 0.0;
    for round in 0..LOOKED_FOR {
        let mail = format!("person{}@import.example", round * people / LOOKED_FOR);
        let filter = format!("emails[type%20eq%20%22work%22].value%20eq%20%22{mail}%22");
        let began = assent::clock::now();
        let found = importer.ask("GET", &format!("Users?filter={filter}"), None)?;
        ensure!(found["totalResults"] == 1, "{mail} was not found");
        longest = longest.max(seconds_since(began));
    }
    let began = assent::clock::now();
    importer.ask("GET", "ServiceProviderConfig", None)?;
    let floor = seconds_since(began) * 1_000.0;
    let what =
        format!("Looking for one of {people} people by a mail address for work, by SCIM, at most of {LOOKED_FOR}");
    Ok(Line::under(
        what,
        longest * 1_000.0,
        format!("{floor:.1} ms, what can be done"),
        LOOK,
    ))
}

/// Makes the groups, and returns their number.
fn grouped(importer: &mut Importer, ids: &[String]) -> Result<usize> {
    for (number, members) in ids.chunks(MEMBERS).enumerate() {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        let group = json!({"displayName": format!("Imported {number}"), "members": members});
        importer.create("Groups", &group)?;
    }
    Ok(ids.len().div_ceil(MEMBERS))
}

fn user(name: &str) -> Value {
    let mail = format!("{name}@import.example");
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": mail, "externalId": format!("x-{name}"), "active": true,
        "name": {"givenName": "Person", "familyName": format!("Number {name}")},
        "emails": [{"value": mail, "type": "work", "primary": true}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": format!("D{}", name.chars().last().unwrap_or_default())},
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
        text_of(&self.ask("POST", kind, Some(body))?, "id")
    }

    fn ask(&mut self, method: &str, place: &str, body: Option<&Value>) -> Result<Value> {
        let path = format!("/t/halden/scim/v2/{place}");
        let answer = self.connection.ask(&request(method, &path, Some(&self.token), body))?;
        ensure!(
            matches!(answer.status, 200 | 201),
            "{path}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        answer.json()
    }
}
