//! Communications: units and plans written by change managers, a preview of their text, the status page with its feed, and the
//! log.

use serde_json::{Value, json};
use tests::session::Session;
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

fn ask(server: &Server, role: &str, (method, path): (&str, &str), body: &Value) -> (u16, Value) {
    let token = server.token(role);
    let path = format!("/api/v1{path}");
    let body = Some(body).filter(|body| !body.is_null());
    let (status, answer) = server.ask_with(method, &path, Some(&token), body, &[]);
    (status, serde_json::from_slice(&answer).unwrap_or_default())
}

#[test]
fn a_plan_tells_what_it_would_and_the_status_shows_what_is_open() {
    let place = Place::demo("communications");
    let server = Server::start(&place, true);
    let unit = json!({"key": "dispatch", "name": "Dispatch Oslo", "services": ["label-print"], "mail_addresses": ["desk@halden.example"],
        "language": "de"});
    assert_eq!(ask(&server, "requester", ("POST", "/business-units"), &unit).0, 403);
    let (status, made) = ask(&server, "change_manager", ("POST", "/business-units"), &unit);
    assert_eq!(status, 201, "{made}");
    let wrong =
        json!({"key": "a b", "name": "x", "services": ["nowhere"], "contacts": ["nobody"], "mail_addresses": ["no"]});
    let (status, answer) = ask(&server, "change_manager", ("POST", "/business-units"), &wrong);
    assert_eq!(status, 422);
    for code in ["not_a_key", "services[0]", "contacts", "not_an_address"] {
        assert!(answer.to_string().contains(code), "{code} is not in {answer}");
    }
    let plan = json!({"key": "disruptions", "name": "Disruptions", "audiences": ["business_units"], "stages": ["announced"],
        "subject_en": "{stage}: {title}", "text_en": "{services}: {disruption}.", "text_de": "{services}: {disruption}."});
    let (status, plan) = ask(&server, "change_manager", ("POST", "/communication-plans"), &plan);
    assert_eq!(status, 201, "{plan}");
    is_previewed(&server, plan["id"].as_str().unwrap());
    shows_the_status(&server);
    feeds_the_status(&server);
    makes_feeds_by_the_api(&server);
    is_public_by_choice(&server);
    server.wait_for_log();
    let auditor = Session::begin(&server, "auditor");
    let log = auditor.get("/t/halden/audit?kind=communication_plan").body;
    assert!(log.contains("added a communication plan"), "the log has words for it");
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

fn is_previewed(server: &Server, plan: &str) {
    let change = json!({"title": "Labels rest", "description": "d", "justification": "j", "category": "application", "complexity": "low",
        "targets": [{"service": "label-print", "environment": "production"}], "disruption": {"kind": "outage", "minutes": 8},
        "plan": [{"title": "Out", "minutes": 10}], "rollback_plan": [{"title": "Back", "minutes": 5}]});
    let (status, change) = ask(server, "requester", ("POST", "/changes"), &change);
    assert_eq!(status, 201, "{change}");
    let path = format!("/communication-plans/{plan}/previews");
    let asked = json!({"change": change["key"], "stage": "announced", "language": "de"});
    let (status, preview) = ask(server, "change_manager", ("POST", &path), &asked);
    assert_eq!(status, 200, "{preview}");
    assert_eq!(preview["subject"], "Angekündigt: Labels rest");
    assert_eq!(preview["text"], "label-print: nicht verfügbar, 8 Minuten.");
    assert_eq!(
        (&preview["is_covered"], &preview["recipient_count"]),
        (&json!(true), &json!(1))
    );
    let asked = json!({"change": change["key"], "stage": "soon"});
    assert_eq!(ask(server, "change_manager", ("POST", &path), &asked).0, 422);
}

fn shows_the_status(server: &Server) {
    let incident = json!({"title": "Labels are <slow>", "severity": 2, "services": ["label-print"],
        "started_at": server.server_time().to_string()});
    let (status, incident) = ask(server, "commander", ("POST", "/incidents"), &incident);
    assert_eq!(status, 201, "{incident}");
    let (status, shown) = ask(server, "requester", ("GET", "/status"), &Value::Null);
    assert_eq!(status, 200, "{shown}");
    let open = shown["incidents"].as_array().unwrap();
    assert!(open.iter().any(|it| it["key"] == incident["key"]), "{shown}");
    let reader = Session::begin(server, "requester");
    assert!(reader.get("/t/halden/status").body.contains("Labels are &lt;slow&gt;"));
    let feed = reader.get("/t/halden/status.atom").body;
    assert!(feed.starts_with("<?xml"), "{feed}");
    assert!(
        feed.contains("<title>Incident: Labels are &lt;slow&gt;</title>"),
        "{feed}"
    );
}

/// A feed reader has no session: the secret of its address opens the status as a feed, nothing else, and until it is revoked.
fn feeds_the_status(server: &Server) {
    let reader = Session::begin(server, "requester");
    let made = reader.form("/t/halden/calendar/feed/status", &[]);
    assert_eq!(made.status, 200, "{}", made.body);
    let shown = made.body.replace("<wbr/>", "");
    let path = shown.split("/t/halden/feed/").nth(1).unwrap();
    let secret = path.split(".atom").next().unwrap().to_owned();
    assert!(secret.len() < 100, "{secret}");
    let (status, feed) = server.get(&format!("/t/halden/feed/{secret}.atom"), None);
    let feed = String::from_utf8(feed).unwrap();
    assert_eq!(status, 200, "{feed}");
    assert!(feed.contains("Labels are &lt;slow&gt;"), "{feed}");
    assert_eq!(server.get(&format!("/t/halden/feed/{secret}x.atom"), None).0, 404);
    assert_eq!(
        server.get(&format!("/t/halden/feed/{secret}.ics"), None).0,
        404,
        "it is no calendar"
    );
    assert_eq!(server.get("/api/v1/changes", Some(&secret)).0, 403, "it reads no API");
    let page = reader.get("/t/halden/calendar/feed").body;
    assert!(page.contains("The status, begins with"), "{page}");
    assert!(!page.contains(&secret), "the address is shown once");
    let mut forms = page.split("/t/halden/calendar/feed/").skip(1);
    let id = forms.find_map(|rest| Some(rest.split_once("/revocation")?.0)).unwrap();
    let revoked = reader.form(&format!("/t/halden/calendar/feed/{id}/revocation"), &[]);
    assert_eq!(revoked.status, 303, "{}", revoked.body);
    assert_eq!(server.get(&format!("/t/halden/feed/{secret}.atom"), None).0, 404);
}

/// The API and the command line make the same feed: its address comes once, and a token that another person made makes none.
fn makes_feeds_by_the_api(server: &Server) {
    let (status, made) = ask(server, "requester", ("POST", "/feeds"), &json!({"kind": "status"}));
    assert_eq!((status, &made["kind"]), (201, &json!("status")), "{made}");
    let address = made["address"].as_str().unwrap();
    let path = &address[address.find("/t/halden/feed/").unwrap()..];
    assert!(path.ends_with(".atom"), "{path}");
    assert_eq!(server.get(path, None).0, 200);
    let (_, listed) = ask(server, "requester", ("GET", "/feeds"), &Value::Null);
    assert_eq!(listed["feeds"][0]["id"], made["id"], "{listed}");
    assert!(listed["feeds"][0].get("address").is_none(), "{listed}");
    let (status, answer) = ask(server, "requester", ("POST", "/feeds"), &json!({"kind": "news"}));
    assert_eq!(status, 422, "{answer}");
    assert!(answer.to_string().contains("unknown_word"), "{answer}");
    let lent = json!({"name": "lent", "person": server.person("requester")["login"], "scopes": ["read", "write"]});
    let (status, lent) = ask(server, "admin", ("POST", "/tokens"), &lent);
    assert_eq!(status, 201, "{lent}");
    let kind = json!({"kind": "calendar"});
    let (status, answer) = server.ask("POST", "/api/v1/feeds", lent["token"].as_str(), Some(&kind));
    assert_eq!(status, 403);
    assert!(String::from_utf8(answer).unwrap().contains("lent_voice"));
    let id = format!("/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(ask(server, "requester", ("DELETE", &id), &Value::Null).0, 200);
    assert_eq!(server.get(path, None).0, 404);
}

/// Strangers read nothing until an administrator with a fresh factor opens it; then services and times alone.
fn is_public_by_choice(server: &Server) {
    let public = || server.get("/t/halden/status/public", None);
    let feed = || server.get("/t/halden/status/public.atom", None);
    assert_eq!((public().0, feed().0), (404, 404));
    let reason = json!({"reason": "Customers ask for it."});
    let path = "/api/v1/status/publication";
    let (status, _) = server.ask("POST", path, Some(&server.token("admin")), Some(&reason));
    assert_eq!(status, 403, "a token shows no fresh factor");
    assert_eq!(
        ask(server, "change_manager", ("POST", "/status/publication"), &reason).0,
        403
    );
    let admin = Session::begin(server, "admin");
    let factor = json!({"password": server.person("admin")["password"]});
    assert_eq!(admin.api("POST", "/session/step-up", &factor).0, 201);
    let (status, said) = admin.api("POST", "/status/publication", &reason);
    assert_eq!((status, &said["status_is_public"]), (201, &json!(true)), "{said}");
    assert_eq!(
        admin.api("POST", "/status/publication", &reason).1["code"],
        "already_public"
    );
    let (status, page) = public();
    let page = String::from_utf8(page).unwrap();
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("Open incidents"), "{page}");
    let (status, atom) = feed();
    let atom = String::from_utf8(atom).unwrap();
    assert_eq!(status, 200, "{atom}");
    assert!(
        atom.starts_with("<?xml") && atom.contains("<title>Incident: "),
        "{atom}"
    );
    for secret in ["Labels are", "CHG-", "INC-", "/sign-out"] {
        assert!(!page.contains(secret), "{secret} is on the public page");
        assert!(!atom.contains(secret), "{secret} is in the public feed");
    }
    assert_eq!(
        server.get("/t/cartwell/status/public", None).0,
        404,
        "another tenant chose nothing"
    );
    assert_eq!(server.get("/t/nobody/status/public", None).0, 404);
    let own = admin.get("/t/halden/status").body;
    assert!(
        own.contains("Close it to the public") && own.contains("/status/public"),
        "{own}"
    );
    let (status, said) = admin.api("POST", "/status/publication/end", &reason);
    assert_eq!((status, &said["status_is_public"]), (201, &json!(false)), "{said}");
    assert_eq!((public().0, feed().0), (404, 404));
}
