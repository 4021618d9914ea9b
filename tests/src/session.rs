//! A browser's session without a browser: the cookie, the origin, forms and links.

use serde_json::{Value, json};

use crate::caller::agent;
use crate::{Server, must_be_described};

/// A response as a browser sees it.
#[derive(Debug)]
pub struct Seen {
    /// The status.
    pub status: u16,
    /// Where it sends the browser, if it does.
    pub location: String,
    /// The body as text.
    pub body: String,
}

/// Somebody who signed in with their password.
pub struct Session<'s> {
    server: &'s Server,
    /// `assent_session=…`.
    pub cookie: String,
    /// The origin that the browser sends for the page of its requests.
    pub origin: String,
}

impl<'s> Session<'s> {
    /// Signs a role of the demo in.
    pub fn begin(server: &'s Server, role: &str) -> Self {
        let person = server.person(role);
        let word = |name: &str| person[name].as_str().unwrap().to_owned();
        Self::of(server, &word("tenant"), &word("login"), &word("password"))
    }

    /// Signs somebody in.
    pub fn of(server: &'s Server, tenant: &str, login: &str, password: &str) -> Self {
        let body = json!({"tenant": tenant, "login": login, "password": password});
        let request = ureq::http::Request::post(format!("{}/api/v1/session", server.url))
            .header("Content-Type", "application/json")
            .body(body.to_string())
            .unwrap();
        let answer = agent().run(request).unwrap();
        assert_eq!(answer.status().as_u16(), 201, "{login} cannot sign in");
        let line = answer.headers().get("set-cookie").unwrap().to_str().unwrap();
        let cookie = line.split(';').next().unwrap().to_owned();
        Self::with(server, &cookie)
    }

    /// With a cookie from wherever.
    pub fn with(server: &'s Server, cookie: &str) -> Self {
        Self {
            server,
            cookie: cookie.to_owned(),
            origin: server.url.clone(),
        }
    }

    /// The same cookie used by another site's page.
    pub fn from_site(&self, origin: &str) -> Self {
        Self {
            server: self.server,
            cookie: self.cookie.clone(),
            origin: origin.to_owned(),
        }
    }

    fn send(&self, method: &str, path: &str, (kind, body): (&str, &str)) -> Seen {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server.url))
            .header("Cookie", &self.cookie)
            .header("Origin", &self.origin)
            .header("Content-Type", kind)
            .body(body.to_owned())
            .unwrap();
        seen(method, path, agent().run(request).unwrap())
    }

    /// Follows a link.
    pub fn get(&self, path: &str) -> Seen {
        let request = ureq::http::Request::get(format!("{}{path}", self.server.url))
            .header("Cookie", &self.cookie)
            .body(())
            .unwrap();
        seen("GET", path, agent().run(request).unwrap())
    }

    /// Sends a form of a page.
    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
            .collect();
        self.send("POST", path, ("application/x-www-form-urlencoded", &pairs.join("&")))
    }

    /// Sends a request to the API as the pages' own script would.
    pub fn api(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let seen = self.send(
            method,
            &format!("/api/v1{path}"),
            ("application/json", &body.to_string()),
        );
        (seen.status, serde_json::from_str(&seen.body).unwrap_or(Value::Null))
    }
}

/// Records a response; one of the API must match its description, as for callers with a token.
fn seen(method: &str, path: &str, mut answer: ureq::http::Response<ureq::Body>) -> Seen {
    let text = |name: &str| {
        let found = answer.headers().get(name);
        found.map_or("", |it| it.to_str().unwrap()).to_owned()
    };
    let (location, kind, status) = (text("location"), text("content-type"), answer.status().as_u16());
    let body = answer.body_mut().read_to_string();
    if let Ok(body) = &body {
        must_be_described(method, path, (status, &kind, body.as_bytes()));
    }
    Seen {
        status,
        location,
        body: body.unwrap_or_default(),
    }
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// Every address in a page that an `href`, `src`, `action` or `formaction` names, unchanged.
pub fn links(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in ["href=\"", "src=\"", "action=\"", "formaction=\""] {
        for part in page.split(name).skip(1) {
            let link = part.split('"').next().unwrap_or_default();
            found.push(link.replace("&amp;", "&").replace("&#38;", "&"));
        }
    }
    found.sort();
    found.dedup();
    found
}
