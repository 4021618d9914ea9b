//! The cost of pages for a person with thousands of waiting changes: the server's time of each, beside that of the same page
//! before any of them was made.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::client::Connection;
use super::load::{seconds_since, share_of};
use super::product::{Caller, Product, artifact, text_of};
use super::report::Line;

/// The reader for whom they wait.
const READER: &str = "change_manager";
/// Artifacts of this measure are numbered from here, far from those of the other measures.
const FIRST: u64 = 1 << 46;
/// How often each page is loaded before it counts: caches are filled then.
const WARM: usize = 3;
/// The most that a page's server may take, in milliseconds, at the 95th of a hundred loads.
const SERVER: f64 = 50.0;
/// Pages that show or count waiting changes; `{key}` is one of them.
const PAGES: [(&str, &str); 12] = [
    ("Home", "/"),
    ("The list of changes", "/changes"),
    ("What waits, as a list", "/changes?state=authorizing"),
    ("The graver first", "/changes?state=authorizing&sort=-risk"),
    ("A change that waits", "/changes/{key}"),
    ("What it collides with", "/changes/{key}?tab=schedule"),
    ("The calendar, a week", "/calendar"),
    ("Messages", "/messages"),
    ("The inbox", "/inbox"),
    ("Conflicts", "/conflicts"),
    ("The service of all of them", "/services/label-print"),
    ("The palette, an act alone", "/search?look=1&q=approve"),
];

/// Measures on a product of its own: so many changes wait for one reader, and each page is loaded `loads` times.
///
/// # Errors
/// When a request is refused, or a page fails.
pub fn measure(product: &Product, waiting: usize, loads: usize) -> Result<Vec<Line>> {
    let now = assent::clock::now();
    let mut caller = Caller::new(product)?;
    let mut wait = |number: usize| -> Result<String> {
        let asked = caller.nearly_approved(&artifact(FIRST + number as u64), now)?;
        let key = asked
            .path
            .trim_start_matches("/changes/")
            .trim_end_matches("/approvals");
        Ok(key.to_owned())
    };
    let key = wait(0)?;
    let reader = Reader::sign_in(product)?;
    let before = reader.take(&key, loads)?;
    for number in 1..waiting {
        wait(number)?;
    }
    let after = reader.take(&key, loads)?;
    let lines = PAGES.iter().zip(before.iter().zip(&after));
    let line = |((name, _), (before, after)): (&(&str, &str), (&f64, &f64))| {
        let what = format!("{name}: the server's time with {waiting} changes waiting for its reader, p95 of {loads}");
        Line::under(what, *after, format!("{before:.1} ms with one"), SERVER)
    };
    Ok(lines.map(line).collect())
}

/// Somebody who is signed in.
struct Reader<'a> {
    product: &'a Product,
    tenant: String,
    cookie: String,
}

impl<'a> Reader<'a> {
    fn sign_in(product: &'a Product) -> Result<Self> {
        let person = product.person(READER)?;
        let tenant = text_of(&person, "tenant")?;
        let body = json!({
            "tenant": tenant, "login": text_of(&person, "login")?, "password": text_of(&person, "password")?,
        });
        let answer = ::tests::caller::agent()
            .post(format!("http://{}/api/v1/session", product.address))
            .header("Content-Type", "application/json")
            .send(body.to_string())?;
        let line = answer.headers().get("set-cookie").context("no session began")?;
        let cookie = line.to_str()?.split(';').next().unwrap_or_default().to_owned();
        Ok(Self {
            product,
            tenant,
            cookie,
        })
    }

    /// Milliseconds of each page, p95 of so many loads.
    fn take(&self, key: &str, loads: usize) -> Result<Vec<f64>> {
        let mut connection = Connection::open(self.product.address)?;
        let mut found = Vec::new();
        for (_, path) in PAGES {
            let path = path.replace("{key}", key);
            let (tenant, cookie) = (&self.tenant, &self.cookie);
            let ask = format!("GET /t/{tenant}{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n");
            let mut took = Vec::new();
            for load in 0..WARM + loads {
                let began = assent::clock::now();
                let answer = connection.ask(ask.as_bytes())?;
                let milliseconds = seconds_since(began) * 1_000.0;
                ensure!(answer.status == 200, "{path} answered {}", answer.status);
                if load >= WARM {
                    took.push(milliseconds);
                }
            }
            found.push(share_of(&took, 0.95));
        }
        Ok(found)
    }
}
