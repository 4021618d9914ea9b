//! Another site's page, with a person's own cookie in the visitor's browser, changes nothing at any changing route: of the
//! API as its description lists them, and of the pages as their router does.

use std::collections::BTreeSet;

use serde_json::Value;
use tests::{Place, Server};

use crate::api::every_route::{count_writes, records_at_rest, sign_in};
use crate::platform::beside::Beside;

/// The marks of another site's request; an old browser sends none at all.
const FOREIGN: &[&[(&str, &str)]] = &[
    &[("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")],
    &[("Sec-Fetch-Site", "same-site")],
    &[("Origin", "https://evil.example")],
    &[("Origin", "null")],
    &[],
];

/// The routes of signing in.
const SIGN_IN: &[&str] = &[
    "/api/v1/session",
    "/api/v1/session/passkey",
    "/api/v1/session/passkey/x",
];

/// The routes that a code in a customer's letter opens, without an account: mail programs send them from anywhere (RFC 8058).
const BY_A_CODE: &[&str] = &[
    "/t/halden/customer-letters/x/x",
    "/t/halden/customer-letters/x/x/return",
];

/// Any value in the place of each name of a path.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{tenant}" => "halden",
        part if part.starts_with('{') => "x",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Changing routes of the API that a session opens.
fn of_the_api(server: &Server) -> BTreeSet<(String, String)> {
    let document: Value = serde_json::from_slice(&server.get("/api/openapi.json", None).1).unwrap();
    let mut found = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/api/v1/") {
            continue;
        }
        for method in methods.as_object().unwrap().keys() {
            if ["post", "put", "patch", "delete"].contains(&method.as_str()) {
                found.insert((method.to_uppercase(), filled(path)));
            }
        }
    }
    found
}

/// Routes of the pages that take a form, read from their router.
fn of_the_pages() -> BTreeSet<(String, String)> {
    let router = std::fs::read_to_string(tests::root().join("crates/server/src/web/mod.rs")).unwrap();
    let routes = router.split(".route(").skip(1);
    let forms = routes.filter(|route| route.contains("post("));
    forms
        .filter_map(|route| route.split('"').nth(1))
        .map(|path| ("POST".to_owned(), filled(path)))
        .collect()
}

#[test]
fn another_site_succeeds_at_no_changing_route() {
    let place = Place::demo("cross");
    let mut server = Server::start(&place, true);
    let now = server.server_time();
    server.hold_clock(now);
    server.wait_for_log();
    let cookie = sign_in(&server, "admin");
    let (api, pages) = (of_the_api(&server), of_the_pages());
    assert!(
        api.len() > 60 && pages.len() > 25,
        "{} and {} routes",
        api.len(),
        pages.len()
    );
    let mut base = Beside::of(&place);
    count_writes(&mut base);
    let before = records_at_rest(&mut base);
    let agent = tests::caller::agent();
    let mut passed = Vec::new();
    for (method, path) in api.iter().chain(&pages) {
        let kind = if path.starts_with("/api/") {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        for foreign in FOREIGN {
            let mut request = ureq::http::Request::builder()
                .method(method.as_str())
                .uri(format!("{}{path}", server.url))
                .header("Content-Type", kind)
                .header("Cookie", &cookie);
            for (name, value) in *foreign {
                request = request.header(*name, *value);
            }
            let body = if kind == "application/json" { "{}" } else { "title=x" };
            let answer = agent.run(request.body(body).unwrap()).unwrap();
            let status = answer.status().as_u16();
            // Programs sign in without any header on the site; no browser session can be abused there.
            let is_program = foreign.is_empty() && SIGN_IN.contains(&path.as_str()) && status == 422;
            let has_no_code = BY_A_CODE.contains(&path.as_str()) && status == 404;
            if status != 403 && !is_program && !has_no_code {
                passed.push(format!("{method} {path} {foreign:?}: {status}"));
            }
        }
    }
    println!("{} routes of the API and {} of the pages", api.len(), pages.len());
    assert!(passed.is_empty(), "{passed:#?}");
    assert_eq!(records_at_rest(&mut base), before, "another site changed something");
}
