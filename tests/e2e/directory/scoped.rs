//! The demo's vendor is scoped: on every route they see their own services and the changes on these alone, and so does a token
//! that is scoped.

use serde_json::{Value, json};
use tests::journey::{self, SERVICE, artifact};
use tests::session::{Session, links};
use tests::{Place, Server};

/// A service of the demo that the vendor has nothing to do with.
const OTHER: &str = "edge-dns";

fn made(server: &Server, title: &str, services: &[&str], number: u64) -> String {
    let mut request = journey::request(title, &artifact(number), server.server_time());
    let targets: Vec<Value> = services
        .iter()
        .map(|service| json!({"service": service, "environment": "production", "artifact": artifact(number)}))
        .collect();
    let map = request.as_object_mut().unwrap();
    for short in ["services", "environment", "artifact", "commit"] {
        map.remove(short);
    }
    map.insert("targets".to_owned(), json!(targets));
    let change = server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&request));
    change["key"].as_str().unwrap().to_owned()
}

fn read(server: &Server, token: &str, path: &str) -> (u16, String) {
    let (status, bytes) = server.get(&format!("/api/v1{path}"), Some(token));
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

/// Nothing about the other service, and all that is one's own.
fn sees_own_alone(server: &Server, token: &str, (own, other, both): (&str, &str, &str)) {
    for key in [other, both] {
        for rest in [
            "",
            "/requirements",
            "/comments",
            "/links",
            "/events",
            "/evidence",
            "/approvals",
        ] {
            assert_eq!(
                read(server, token, &format!("/changes/{key}{rest}")).0,
                404,
                "{key}{rest}"
            );
        }
        let said = json!({"text": "Hello"});
        let (status, _) = server.ask(
            "POST",
            &format!("/api/v1/changes/{key}/comments"),
            Some(token),
            Some(&said),
        );
        assert_eq!(status, 404, "{key}");
    }
    assert_eq!(read(server, token, &format!("/changes/{own}")).0, 200);
    for path in [
        "/changes?limit=200",
        "/changes?q=disks&limit=200",
        "/calendar",
        "/services",
        "/incidents",
        "/freezes",
        "/windows",
        "/templates",
        "/config-items",
    ] {
        let (status, text) = read(server, token, path);
        assert_eq!(status, 200, "{path}: {text}");
        for word in [other, both, OTHER] {
            assert!(!text.contains(&format!("\"{word}\"")), "{path} tells of {word}: {text}");
        }
    }
    assert!(read(server, token, "/changes?q=disks&limit=200").1.contains(own));
    assert_eq!(read(server, token, &format!("/services/{OTHER}")).0, 404);
    assert_eq!(read(server, token, &format!("/services/{SERVICE}")).0, 200);
    for path in [
        "/people",
        "/ownerships",
        "/dependencies",
        "/exports/services",
        "/coverage",
    ] {
        assert!(matches!(read(server, token, path).0, 403 | 404), "{path}");
    }
    let reach = format!("/changes/{own}/affected");
    assert_eq!(read(server, token, &reach).0, 404, "it names what is outside");
    names_nothing_outside(server, token, (own, other));
}

/// No result or query names anything outside.
fn names_nothing_outside(server: &Server, token: &str, (own, other): (&str, &str)) {
    // Records for the whole tenant are refused, and not hidden: the route names nothing.
    let (status, _) = server.ask("POST", "/api/v1/connections", Some(token), Some(&json!({})));
    assert_eq!(status, 403, "a connection");
    let link = json!({"kind": "follows_up", "to": other});
    let (status, _) = server.ask(
        "POST",
        &format!("/api/v1/changes/{own}/links"),
        Some(token),
        Some(&link),
    );
    assert!(matches!(status, 404 | 422), "a link outside: {status}");
    let question = format!(
        "/gate?service={OTHER}&environment=production&artifact={}",
        artifact(61_002)
    );
    assert!(read(server, token, &question).1.contains("unknown_service"));
}

/// The response to a caller's own text does not depend on whether the text names something outside.
fn guesses_are_answered_alike(server: &Server, token: &str, own: &str) {
    let answers = |name: &str| {
        let post = |path: &str, body: Value| {
            let (status, bytes) = server.ask("POST", &format!("/api/v1{path}"), Some(token), Some(&body));
            let said: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            (status, said)
        };
        let comments = format!("/changes/{own}/comments");
        let comment = post(&comments, json!({"text": format!("It needs {name}, and CHG-9999.")}));
        assert!(comment.1["text"].as_str().unwrap().contains(name), "{comment:?}");
        assert!(read(server, token, &comments).1.contains(name));
        let asked = json!({"service": name, "environment": "production", "artifact": artifact(61_009), "commit": name});
        let check = post("/gate-checks", asked);
        assert_eq!(check.0, 201, "{check:?}");
        let link = post(&format!("/changes/{own}/links"), json!({"kind": name, "to": own}));
        let parts = [
            json!([comment.0, comment.1["text"]]),
            json!([
                check.0,
                check.1["service"],
                check.1["commit"],
                check.1["reasons"],
                check.1["errors"],
                check.1.as_object().unwrap().keys().collect::<Vec<_>>()
            ]),
            json!([link.0, link.1["errors"]]),
        ];
        parts.map(|part| part.to_string().replace(name, "NAME"))
    };
    assert_eq!(answers(OTHER), answers("edge-dnx"));
    // The page of the change shows the comments as they were written as well, beside nothing else that it leaves out.
    let page = Session::begin(server, "vendor")
        .get(&format!("/t/halden/changes/{own}"))
        .body;
    for name in [OTHER, "edge-dnx"] {
        assert!(page.contains(&format!("It needs {name}, and")), "{name}");
    }
    assert!(
        !page.contains("CHG-9999"),
        "keys are left out, whether they exist or not"
    );
    // What they ask a page for stays in its links.
    let vendor = Session::begin(server, "vendor");
    for path in ["/changes?q=", "/changes?service=", "/search?q=", "/calendar?service="] {
        let found = [OTHER, "edge-dnx"].map(|name| {
            let page = vendor.get(&format!("/t/halden{path}{name}")).body;
            links(&page).join(" ").replace(name, "NAME")
        });
        assert_eq!(found[0], found[1], "{path}");
    }
    let checks = read(server, token, "/gate-checks?limit=50").1;
    assert_eq!(checks.contains(OTHER), checks.contains("edge-dnx"), "{checks}");
}

#[test]
fn the_vendor_sees_their_own_services_and_nothing_else_through_every_door() {
    let place = Place::demo("scoped-vendor");
    let server = Server::start(&place, true);
    let own = made(&server, "Swap the disks", &[SERVICE], 61_001);
    let other = made(&server, "Swap the disks elsewhere", &[OTHER], 61_002);
    let both = made(&server, "Swap all the disks", &[SERVICE, OTHER], 61_003);
    sees_own_alone(&server, &server.token("vendor"), (&own, &other, &both));
    guesses_are_answered_alike(&server, &server.token("vendor"), &own);

    let requester = server.person("requester")["login"].clone();
    let scoped =
        json!({"name": "narrow", "person": requester, "scopes": ["read", "write", "gate"], "services": [SERVICE]});
    let token = server.must("POST", "/api/v1/tokens", &server.token("admin"), Some(&scoped));
    sees_own_alone(&server, token["token"].as_str().unwrap(), (&own, &other, &both));

    let vendor = Session::begin(&server, "vendor");
    for path in ["/changes", "/changes.csv", "/calendar", "/"] {
        let page = vendor.get(&format!("/t/halden{path}"));
        assert_eq!(page.status, 200, "{path}");
        for word in [&other, &both] {
            assert!(!page.body.contains(word.as_str()), "{path} tells of {word}");
        }
    }
    assert!(vendor.get("/t/halden/changes.csv").body.contains(&own));
    assert_eq!(vendor.get(&format!("/t/halden/changes/{own}")).status, 200);
    let absent = [
        format!("/changes/{other}"),
        format!("/changes/{both}/runbook"),
        "/services".to_owned(),
        "/people".to_owned(),
        "/ownership".to_owned(),
        "/gate-checks".to_owned(),
    ];
    for path in absent {
        assert_eq!(vendor.get(&format!("/t/halden{path}")).status, 404, "{path}");
    }
}
