//! Custom fields that policies read, that services fill by default, and that a form has too many of.

use serde_json::{Value, json};
use tests::journey::{artifact, request};
use tests::session::Session;
use tests::{Place, Server};

use crate::approval::attacks::{ask, below};
use crate::platform::crash::must_verify;

/// A rule on a field that is declared as a fact, and on a number beside it.
const RULE: &str = "@id(\"house.require.gold\")\n@reason(\"What gold customers depend on is rehearsed.\")\n@require(\"task\")\n\
    @kind(\"test\")\n@title(\"Rehearse it with a gold customer\")\n\
    permit (principal, action == Action::\"require\", resource) when {\n  \
    resource.words.hasTag(\"tier\") && resource.words.getTag(\"tier\") == \"gold\" &&\n  \
    resource.numbers.hasTag(\"parcels\") && resource.numbers.getTag(\"parcels\") >= 1000\n};";
const CASE: &str = "given a gold customer\n  people       sami roles security\n  \
    service      pay, criticality medium, regimes none\n  environment  prod, production yes\n  \
    change       kind normal, risk low, field tier=gold, field parcels=1000\ncase it is rehearsed\n  requires\n    \
    house.require.gold\n    base.require.validation\n    base.require.review\n    base.require.owner\n    \
    base.require.security\n    base.require.change_manager\n    base.require.evidence\n";

fn field(server: &Server, field: &Value) -> (u16, Value) {
    ask(server, &server.token("admin"), "POST", "/custom-fields", field)
}

fn tier(is_fact: bool) -> Value {
    json!({"key": "tier", "name": "Customer tier", "holds": "choice", "choices": ["gold", "silver"],
        "is_fact": is_fact, "defaults": ["label-print=silver"]})
}

/// The ids of the policies' requirements for a change with these values.
fn asked(server: &Server, number: u64, says: &Value) -> Vec<String> {
    let mut wanted = request("Print larger labels", &artifact(number), server.server_time());
    wanted["custom_fields"] = says.clone();
    let made = server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&wanted));
    let path = format!("/api/v1/changes/{}/requirements", made["key"].as_str().unwrap());
    let found = server.must("GET", &path, &server.token("auditor"), None);
    let rows = found["obligations"].as_array().unwrap().iter();
    rows.map(|row| row["obligation"]["id"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_policy_reads_a_field_that_is_declared_as_a_fact_and_no_other() {
    let place = Place::demo("fields-as-facts");
    let server = Server::start(&place, true);
    let admin = server.token("admin");
    assert_eq!(field(&server, &tier(false)).0, 201);
    let number = json!({"key": "parcels", "name": "Parcels a day", "holds": "number", "is_fact": true});
    assert_eq!(field(&server, &number).0, 201);
    let free = json!({"key": "note", "name": "Note", "holds": "text", "is_fact": true});
    let (status, told) = field(&server, &free);
    assert_eq!(
        (status, &told["errors"][0]["field"]),
        (422, &json!("is_fact")),
        "{told:#}"
    );

    let proposal = json!({
        "reason": "Gold is rehearsed", "parameters": "thorough_evidence_from = \"never\"\n",
        "files": [{"path": "house/house.cedar", "content": RULE}],
        "cases": [{"path": "house/cases/house.cases", "content": CASE}],
    });
    let (status, told) = ask(&server, &admin, "POST", "/policies", &proposal);
    assert_eq!(status, 422, "the field is not declared: {told:#}");
    assert!(
        told.to_string().contains("no field `tier` of changes is declared"),
        "{told:#}"
    );
    assert_eq!(field(&server, &tier(true)).0, 201);
    let made = server.must("POST", "/api/v1/policies", &admin, Some(&proposal));
    let path = format!("/api/v1/configurations/{}/activation", made["id"].as_str().unwrap());
    server.must("POST", &path, &server.token("change_manager"), Some(&json!({})));

    let has = |number, says: Value| {
        asked(&server, number, &says)
            .iter()
            .any(|id| id == "house.require.gold")
    };
    assert!(has(61_001, json!({"tier": "gold", "parcels": 1_000})));
    assert!(!has(61_002, json!({"tier": "gold", "parcels": 999})));
    assert!(!has(61_003, json!({"tier": "gold"})), "what is not said is no number");
    assert!(!has(61_004, json!({"parcels": 5_000})), "the service says silver");

    for (method, path, body) in [
        ("DELETE", "/custom-fields/tier", json!({})),
        ("POST", "/custom-fields", tier(false)),
    ] {
        let (status, told) = ask(&server, &admin, method, path, &body);
        assert_eq!((status, &told["code"]), (409, &json!("read_by_policy")), "{told:#}");
    }
    must_verify(&server);
}

#[test]
fn a_service_answers_by_default_and_a_form_of_too_many_fields_warns() {
    let place = Place::demo("fields-by-default");
    let server = Server::start(&place, true);
    let mut wrong = tier(false);
    for default in ["label-print=bronze", "no-such-service=gold", "label-print"] {
        wrong["defaults"] = json!([default]);
        let (status, told) = field(&server, &wrong);
        assert_eq!(
            (status, &told["errors"][0]["field"]),
            (422, &json!("defaults[0]")),
            "{told:#}"
        );
    }
    assert_eq!(field(&server, &tier(false)).0, 201);
    let requester = server.token("requester");
    let mut wanted = request("Print larger labels", &artifact(61_101), server.server_time());
    let made = server.must("POST", "/api/v1/changes", &requester, Some(&wanted));
    assert_eq!(made["custom_fields"]["tier"], "silver");
    let path = format!("/api/v1/changes/{}", made["key"].as_str().unwrap());
    let edit = json!({"custom_fields": {"tier": "gold"}});
    let (status, edited) = ask(&server, &requester, "PATCH", below(&path), &edit);
    assert_eq!(
        (status, &edited["custom_fields"]["tier"]),
        (200, &json!("gold")),
        "{edited:#}"
    );
    wanted["custom_fields"] = json!({"tier": "gold"});
    let said = server.must("POST", "/api/v1/changes", &requester, Some(&wanted));
    assert_eq!(said["custom_fields"]["tier"], "gold", "what is said goes before");
    let form = Session::begin(&server, "requester").get("/t/halden/changes/new?service=label-print");
    assert!(form.body.contains("value=\"silver\" selected"), "{}", form.body);

    let mut last = Value::Null;
    for nth in 0..8 {
        let one = json!({"key": format!("extra_{nth}"), "name": format!("Extra {nth}"), "holds": "text"});
        let (status, told) = field(&server, &one);
        assert_eq!(status, 201, "{told:#}");
        last = told;
    }
    let warned = server.must("GET", "/api/v1/custom-fields/extra_7", &server.token("admin"), None);
    assert!(
        warned["warnings"][0].as_str().unwrap().contains("9 custom fields"),
        "{warned:#} {last:#}"
    );
    let page = Session::begin(&server, "admin").get("/t/halden/fields");
    assert!(
        page.body.contains("A form has more fields than people read"),
        "{}",
        page.body
    );
    must_verify(&server);
}
