//! Action items: opened by people and by rules, in the inbox of their owner, settled with a reason or by their condition, and in the
//! log.

use serde_json::{Value, json};
use tests::session::Session;
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

const TITLE: &str = "Renew the certificate of the label printer";

fn ask(server: &Server, role: &str, (method, path): (&str, &str), body: &Value) -> (u16, Value) {
    let token = server.token(role);
    let path = format!("/api/v1{path}");
    let body = Some(body).filter(|body| !body.is_null());
    let (status, answer) = server.ask_with(method, &path, Some(&token), body, &[]);
    (status, serde_json::from_slice(&answer).unwrap_or_default())
}

fn login(server: &Server, role: &str) -> String {
    let (_, me) = ask(server, role, ("GET", "/me"), &Value::Null);
    me["login"].as_str().unwrap().to_owned()
}

#[test]
fn an_action_item_is_in_the_inbox_of_its_owner_until_it_is_settled() {
    let place = Place::demo("items");
    let server = Server::start(&place, true);
    is_refused_with_all_errors(&server);
    let owner = login(&server, "owner");
    let request = json!({"title": TITLE, "owner": owner, "about_kind": "service", "about": "label-print", "services": ["label-print"]});
    let (status, item) = ask(&server, "requester", ("POST", "/action-items"), &request);
    assert_eq!(status, 201, "{item}");
    assert_eq!(
        (&item["kind"], &item["state"], &item["owner"]),
        (&json!("other"), &json!("open"), &json!(owner))
    );
    let key = item["key"].as_str().unwrap();
    is_listed(&server, key, &owner);
    is_settled_by_its_owner(&server, key);
    a_review_of_access_is_settled_by_its_signature_alone(&server);
    server.wait_for_log();
    let auditor = Session::begin(&server, "auditor");
    let log = auditor.get("/t/halden/audit?kind=action_item").body;
    assert!(log.contains("settled an action item"), "the log has words for it");
    assert!(
        auditor.get("/t/halden/audit/reports").body.contains("Open at its end"),
        "the trend is there"
    );
    let (status, trend) = ask(&server, "auditor", ("GET", "/violation-trend"), &Value::Null);
    assert_eq!(
        (status, trend["items"].as_array().map(Vec::len)),
        (200, Some(12)),
        "{trend}"
    );
    assert_eq!(
        ask(&server, "requester", ("GET", "/violation-trend"), &Value::Null).0,
        403
    );
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

fn is_refused_with_all_errors(server: &Server) {
    let wrong = json!({"titel": "x", "owner": "nobody", "group": "nowhere", "about_kind": "servce", "due_at": "2020-01-01T00:00:00Z"});
    let (status, answer) = ask(server, "requester", ("POST", "/action-items"), &wrong);
    assert_eq!(status, 422, "{answer}");
    let errors = answer["errors"].as_array().unwrap();
    for field in ["titel", "title", "group", "about_kind", "due_at", "owner"] {
        assert!(
            errors.iter().any(|error| error["field"] == field),
            "{field} is not in {answer}"
        );
    }
}

fn is_listed(server: &Server, key: &str, owner: &str) {
    let keys = |role: &str, query: &str| -> Vec<String> {
        let (status, list) = ask(server, role, ("GET", &format!("/action-items?{query}")), &Value::Null);
        assert_eq!(status, 200, "{list}");
        let items = list["items"].as_array().unwrap().iter();
        items.map(|item| item["key"].as_str().unwrap().to_owned()).collect()
    };
    let about = "about_kind=service&about=label-print";
    assert!(keys("owner", "whose=mine&open=true").contains(&key.to_owned()));
    assert_eq!(keys("requester", &format!("owner={owner}&{about}")), [key]);
    assert!(!keys("requester", "whose=mine").contains(&key.to_owned()));
    assert!(keys("requester", &format!("overdue=true&{about}")).is_empty());
    assert!(keys("requester", &format!("state=done&{about}")).is_empty());
    for query in ["whose=everybody", "open=yes", "kind=nothing", "whose=mine&group=x"] {
        let (status, answer) = ask(
            server,
            "requester",
            ("GET", &format!("/action-items?{query}")),
            &Value::Null,
        );
        assert_eq!(status, 422, "{query}: {answer}");
    }
    let inbox = |role: &str, page: &str| Session::begin(server, role).get(&format!("/t/halden{page}")).body;
    assert!(inbox("owner", "/inbox").contains(TITLE));
    assert!(!inbox("implementer", "/inbox").contains(TITLE));
    assert!(inbox("implementer", &format!("/inbox?owner={owner}")).contains(TITLE));
    let page = format!("/inbox/{key}");
    assert!(inbox("owner", &page).contains("Settle it"));
    assert!(!inbox("implementer", &page).contains("Settle it"));
}

fn is_settled_by_its_owner(server: &Server, key: &str) {
    let path = |verb: &str| format!("/action-items/{key}/{verb}");
    let done = json!({"state": "done", "reason": "Renewed."});
    let (status, answer) = ask(server, "implementer", ("POST", &path("settlement")), &done);
    assert_eq!((status, &answer["code"]), (403, &json!("not_the_owner")), "{answer}");
    let (status, seen) = ask(server, "owner", ("POST", &path("acknowledgement")), &json!({}));
    assert_eq!((status, &seen["state"]), (201, &json!("acknowledged")), "{seen}");
    let owner = Session::begin(server, "owner");
    let form = owner.form(
        &format!("/t/halden/inbox/{key}/settlement"),
        &[("state", "done"), ("reason", "Renewed until 2028.")],
    );
    assert_eq!(form.status, 303);
    let (_, settled) = ask(
        server,
        "requester",
        ("GET", &format!("/action-items/{key}")),
        &Value::Null,
    );
    assert_eq!(
        (&settled["state"], &settled["reason"]),
        (&json!("done"), &json!("Renewed until 2028."))
    );
    let (status, answer) = ask(server, "owner", ("POST", &path("settlement")), &done);
    assert_eq!((status, &answer["code"]), (409, &json!("settled")), "{answer}");
}

fn a_review_of_access_is_settled_by_its_signature_alone(server: &Server) {
    let (status, begun) = ask(server, "admin", ("POST", "/access-reviews"), &json!({}));
    assert_eq!(status, 201, "{begun}");
    let review = begun["items"][0]["id"].as_str().unwrap();
    let query = format!("/action-items?about_kind=access_review&about={review}");
    let (_, list) = ask(server, "admin", ("GET", &query), &Value::Null);
    let item = &list["items"][0];
    assert_eq!(
        (&item["kind"], &item["closing"]),
        (&json!("review_access"), &json!("condition")),
        "{list}"
    );
    assert_eq!(item["owner"], begun["items"][0]["manager"]);
    let path = format!("/action-items/{}/settlement", item["key"].as_str().unwrap());
    let tick = json!({"state": "dismissed", "reason": "Next time."});
    let (status, answer) = ask(server, "change_manager", ("POST", &path), &tick);
    assert_eq!(
        (status, &answer["code"]),
        (409, &json!("waits_for_condition")),
        "{answer}"
    );
}
