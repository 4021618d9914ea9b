//! No text of a SCIM filter is ever part of a statement (T22): the server logs each statement that it prepares, and none has
//! the filter's text. `ASSENT_TEST_CANARIES` sets the number of filters.

use serde_json::{Value, json};
use tests::faults::size;
use tests::{Place, Server};

use crate::directory::tenants::escaped;

/// The default number of filters.
const FILTERS: usize = 600;
/// The text in every filter and in no statement.
const CANARY: &str = "qzxcanary";

/// Filters that would be a part of a statement if any text of one ever were; `C` is the canary.
const SHAPES: &[&str] = &[
    r#"userName eq "C""#,
    r#"userName eq "C' OR '1'='1""#,
    r#"userName eq "C\"; DROP TABLE person; --""#,
    r#"externalId eq "C' union all select body from secret --""#,
    r#"id eq "C" or id eq "$C""#,
    r#"id eq "C') OR (tenant <> $tenant""#,
    r#"emails[type eq "C"].value eq "C""#,
    r#"emails[type eq "work" and value co "C"]"#,
    r#"emails.value ew "C" and not (displayName sw "C")"#,
    r#"displayName co "C%" or title eq "_C""#,
    r#"meta.lastModified gt "C""#,
    r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "C""#,
    r#"members[value eq "C"]"#,
    r#"members eq "C""#,
    r#"C eq "x""#,
    r#"userName C "x""#,
    r#"urn:C:2.0:User:userName eq "x""#,
    r#"emails[C eq "x"].C eq "x""#,
    r#"userName eq C"#,
    r#"(((userName eq "C" and active eq true)"#,
    "C",
];

/// Where a text of the client's is taken besides the filter.
const PLACES: &[&str] = &[
    "sortBy",
    "sortOrder",
    "attributes",
    "excludedAttributes",
    "startIndex",
    "count",
];

#[test]
fn no_text_of_a_filter_stands_in_a_statement() {
    let count = size("ASSENT_TEST_CANARIES", FILTERS);
    let place = Place::demo("scim_canary");
    let server = Server::start_saying(&place, crate::platform::plans::LEVELS);
    let body = json!({"name": "provisioning", "scopes": ["scim"]});
    let made = server.must("POST", "/api/v1/tokens", &server.token("admin"), Some(&body));
    let token = made["token"].as_str().unwrap();
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    for number in 0..count {
        let canary = format!("{CANARY}{number}");
        let filter = SHAPES[number % SHAPES.len()].replace('C', &canary);
        let kind = ["Users", "Groups"][number / SHAPES.len() % 2];
        let base = "/t/halden/scim/v2";
        let (status, answer) = match number % 5 {
            0 => {
                let asked = json!({"filter": filter, PLACES[number % PLACES.len()]: canary});
                server.ask("POST", &format!("{base}/{kind}/.search"), Some(token), Some(&asked))
            }
            1 => {
                let operation = json!({"op": "replace", "path": filter, "value": canary});
                let path = format!("{base}/{kind}/{canary}");
                let operations = json!({"Operations": [operation]});
                server.ask("PATCH", &path, Some(token), Some(&operations))
            }
            2 => {
                let more = format!("{}={}", PLACES[number % PLACES.len()], escaped(&canary, false));
                let path = format!("{base}/{kind}?filter={}&{more}", escaped(&filter, false));
                server.get(&path, Some(token))
            }
            _ => server.get(
                &format!("{base}/{kind}?filter={}", escaped(&filter, false)),
                Some(token),
            ),
        };
        let told = String::from_utf8_lossy(&answer);
        assert!(matches!(status, 200 | 400 | 404), "{status} to {filter}: {told}");
        let told: Value = serde_json::from_slice(&answer).unwrap();
        let found = told["totalResults"].as_i64().unwrap_or_default();
        let is_negated = filter.contains("not (") || filter.contains("gt \"");
        assert!(found == 0 || is_negated, "{filter} found {found}");
        *statuses.entry(status).or_default() += 1;
    }
    let log = server.log();
    let statements: Vec<&str> = log.lines().filter(|line| line.contains("assent_statements")).collect();
    for word in ["person_identity", "people_group", "FROM \\\"person\\\""] {
        assert!(
            statements.iter().any(|it| it.contains(word)),
            "no statement on {word} was said"
        );
    }
    let leaked = log.lines().find(|line| line.contains(CANARY));
    assert_eq!(leaked, None, "a text of a filter stands in a statement or in the log");
    println!("{count} filters, {statuses:?}, {} statements", statements.len());
    assert!(statuses.get(&200).is_some_and(|it| *it * 4 > count), "{statuses:?}");
}

#[test]
fn no_address_query_or_body_with_a_null_reaches_a_statement() {
    let place = Place::demo("nulls");
    let server = Server::start(&place, true);
    let body = json!({"name": "provisioning", "scopes": ["scim"]});
    let made = server.must("POST", "/api/v1/tokens", &server.token("admin"), Some(&body));
    let (scim, admin) = (made["token"].as_str().unwrap(), server.token("admin"));
    for (path, token) in [
        ("/api/v1/changes/%00", admin.as_str()),
        ("/api/v1/people/a%00b", &admin),
        ("/api/v1/changes?q=%00", &admin),
        ("/api/v1/gate?service=%00&environment=production&artifact=x", &admin),
        ("/t/halden/scim/v2/Users/%00", scim),
        ("/t/halden/scim/v2/Users?filter=id%20eq%20%22%00%22", scim),
        ("/t/hal%00den/scim/v2/Users", scim),
    ] {
        let (status, answer) = server.get(path, Some(token));
        assert_eq!(status, 400, "{path}: {}", String::from_utf8_lossy(&answer));
    }
    let titled = json!({"title": "a\u{0}b", "services": ["edge-dns"], "environment": "production"});
    let user = json!({"userName": "a\u{0}b", "externalId": "\u{0}"});
    for (path, token, body) in [
        ("/api/v1/changes", server.token("requester").as_str(), &titled),
        ("/t/halden/scim/v2/Users", scim, &user),
    ] {
        let (status, answer) = server.ask("POST", path, Some(token), Some(body));
        assert_eq!(status, 400, "{path}: {}", String::from_utf8_lossy(&answer));
    }
}
