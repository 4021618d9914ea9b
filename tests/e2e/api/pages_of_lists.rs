//! Every list whose description names `limit` and `after` heeds both: no page is longer than its limit, the pages together are
//! the list, and a limit that is no number is refused.

use serde_json::Value;
use tests::{Place, Server};

/// Those who may read a list between them.
const READERS: [&str; 3] = ["admin", "auditor", "change_manager"];

/// The parameters that a list needs.
const NEEDED: &[(&str, &str)] = &[
    (
        "/api/v1/change-lookalikes",
        "title=Update%20the%20booking%20service&service=booking-api",
    ),
    ("/api/v1/forensic-timeline", "actor=hanne"),
];

/// How many items of a list are read one by one.
const ENOUGH: usize = 12;

/// The paths of the lists whose pages have a `limit`, without those under one record.
fn lists(server: &Server) -> Vec<String> {
    let document: Value = serde_json::from_slice(&server.get("/api/openapi.json", None).1).unwrap();
    let is_paged = |methods: &Value| {
        let params = methods["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let named = params.iter().filter_map(|it| it["$ref"].as_str());
        named.filter(|it| it.ends_with("/limit")).count() == 1
    };
    let all = document["paths"].as_object().unwrap().iter();
    let paged = all.filter(|(path, methods)| !path.contains('{') && is_paged(methods));
    paged.map(|(path, _)| path.clone()).collect()
}

/// The address of a list with this query, and with its required parameters.
fn address(path: &str, query: &str) -> String {
    let needed = NEEDED.iter().find(|(of, _)| *of == path).map(|(_, needed)| *needed);
    match (needed, query) {
        (None, "") => path.to_owned(),
        (None, query) => format!("{path}?{query}"),
        (Some(needed), "") => format!("{path}?{needed}"),
        (Some(needed), query) => format!("{path}?{needed}&{query}"),
    }
}

fn read(server: &Server, token: &str, path: &str) -> (u16, Value) {
    let (status, body) = server.get(path, Some(token));
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// The whole list read in pages of one, or the first so many items of a long one.
fn one_by_one(server: &Server, token: &str, path: &str) -> Result<Vec<Value>, String> {
    let mut found = Vec::new();
    let mut after = String::new();
    while found.len() < ENOUGH {
        let (status, page) = read(server, token, &address(path, &format!("limit=1{after}")));
        let items = page["items"]
            .as_array()
            .filter(|items| status == 200 && items.len() <= 1);
        let Some(items) = items else {
            return Err(format!("{path}?limit=1{after} answers {status} {page}"));
        };
        found.extend(items.iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={}", encoded(next)),
            None => return Ok(found),
        }
    }
    Ok(found)
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The faults of a list, and whether it has more than one item.
fn judged(server: &Server, path: &str) -> (Vec<String>, bool) {
    let mut wrong = Vec::new();
    let tokens = READERS.map(|role| server.token(role));
    let reader = tokens.iter().find_map(|token| {
        let (status, whole) = read(server, token, &address(path, ""));
        (status == 200).then_some((token, whole))
    });
    let Some((token, whole)) = reader else {
        return (vec![format!("none of the readers may read {path}")], false);
    };
    for query in ["limit=0", "limit=many"] {
        let (status, told) = read(server, token, &address(path, query));
        if status != 422 || told["errors"][0]["field"] != "limit" {
            wrong.push(format!("{path}?{query} answers {status} {told}"));
        }
    }
    let whole = whole["items"].as_array().unwrap().len();
    let found = one_by_one(server, token, path);
    match found {
        Err(why) => wrong.push(why),
        Ok(found) if found.len() != whole.min(ENOUGH) => {
            wrong.push(format!("{path} holds {whole} items, and {} one by one", found.len()));
        }
        Ok(_) => {}
    }
    (wrong, whole > 1)
}

#[test]
fn every_list_heeds_how_much_of_it_was_asked_for() {
    let place = Place::demo("pages-of-lists");
    let server = Server::start(&place, true);
    let judged: Vec<(Vec<String>, bool)> = lists(&server).iter().map(|path| judged(&server, path)).collect();
    let wrong: Vec<&String> = judged.iter().flat_map(|(wrong, _)| wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let walked = judged.iter().filter(|(_, is_long)| *is_long).count();
    assert!(walked > 15, "{walked} lists held more than one item");
}
