//! The change management policy as a document: a version that two people approved, its rules, and the controls that they enforce.

use serde_json::json;
use tests::session::Session;
use tests::{Place, Server, journey};

#[test]
fn the_document_has_a_new_version_only_once_a_second_person_approved_it() {
    let place = Place::demo("policy-document");
    let server = Server::start(&place, true);
    let reader = Session::begin(&server, "auditor");
    let document = || {
        let seen = reader.get("/t/halden/policies/document");
        assert_eq!(seen.status, 200, "{}", seen.body);
        seen.body
    };
    let version = |page: &str| {
        let told = page
            .split(">Version ")
            .nth(1)
            .or_else(|| page.split("Version ").nth(1))
            .unwrap_or_default();
        told.split(' ')
            .next()
            .unwrap_or_default()
            .parse::<u64>()
            .unwrap_or_default()
    };
    let first = document();
    let before = version(&first);
    assert!(before >= 1, "{first}");
    for words in [
        "base.require.owner",
        "SOX-CM-1",
        "COBIT BAI06.01",
        "IT general controls",
        "approval_after_start",
    ] {
        assert!(first.contains(words), "{words}");
    }
    let reason = "High risk waits for nobody";
    let table = json!({"high": {"acknowledge": "1bh", "decide": "4bh"}});
    let proposal = json!({"reason": reason, "table": table});
    let proposer = server.token("change_manager");
    let made = server.must("POST", "/api/v1/sla-table", &proposer, Some(&proposal));
    let proposed = document();
    assert_eq!(version(&proposed), before, "what is proposed is no version");
    assert!(!proposed.contains(reason), "nor is it told as one");
    let path = format!("/api/v1/configurations/{}/activation", made["id"].as_str().unwrap());
    let (status, _) = server.ask("POST", &path, Some(&proposer), Some(&json!({})));
    assert!(
        (400..500).contains(&status),
        "nobody approves what they proposed: {status}"
    );
    assert_eq!(version(&document()), before);
    server.must("POST", &path, &server.token("admin"), Some(&json!({})));
    let approved = document();
    assert_eq!(version(&approved), before + 1);
    assert!(
        approved.contains(reason),
        "with its reason, who proposed and who approved it"
    );
    let names = ["change_manager", "admin"].map(|role| server.person(role)["login"].as_str().unwrap().to_owned());
    for login in names {
        assert!(approved.contains(&format!("/t/halden/people/{login}\"")), "{login}");
    }
    let stranger = Session::begin(&server, "other_requester").get("/t/halden/policies/document");
    assert_eq!(stranger.status, 303, "another tenant’s reader is sent to the door");
}

#[test]
fn a_change_that_stood_in_for_a_second_person_is_named_with_its_approvers() {
    let place = Place::demo("policy-by-change");
    let server = Server::start(&place, true);
    let proposer = server.token("change_manager");
    let table = json!({"high": {"acknowledge": "1bh", "decide": "4bh"}});
    let proposal = json!({"reason": "High risk waits for nobody", "table": table});
    let made = server.must("POST", "/api/v1/sla-table", &proposer, Some(&proposal));
    let path = journey::scheduled(&server, "Shorter times", made["digest"].as_str().unwrap());
    let key = path.rsplit('/').next().unwrap();
    let activation = format!("/api/v1/configurations/{}/activation", made["id"].as_str().unwrap());
    server.must("POST", &activation, &proposer, Some(&json!({"change": key})));
    let page = Session::begin(&server, "auditor")
        .get("/t/halden/policies/document")
        .body;
    let approved = page.split("Approved by").nth(1).unwrap_or_default();
    let fact = approved.split("Digest of the rules").next().unwrap_or_default();
    assert!(fact.contains(&format!("/t/halden/changes/{key}")), "{fact}");
    let owner = server.person("owner")["login"].as_str().unwrap().to_owned();
    assert!(fact.contains(&format!("/t/halden/people/{owner}\"")), "{fact}");
}

#[test]
fn what_the_rules_ask_is_told_of_a_change_that_nobody_has_written() {
    let place = Place::demo("like-this");
    let server = Server::start(&place, true);
    let session = Session::begin(&server, "requester");
    assert!(session.get("/t/halden/policies").body.contains("/policies/like-this"));
    let page = |query: &str| session.get(&format!("/t/halden/policies/like-this{query}"));
    assert!(page("").body.contains("Check a change"));
    let low = page("?kind=normal&service=label-print&environment=production&impact=low&complexity=low").body;
    assert!(low.contains("Security agrees to what is done."), "{low}");
    assert!(!low.contains("has reviewed a high-risk change."), "{low}");
    let high = page("?kind=normal&service=ledger-db&environment=production&impact=&complexity=high").body;
    assert!(high.contains("has reviewed a high-risk change."), "{high}");
    let standard = page("?kind=standard&service=label-print&environment=production&complexity=low").body;
    assert!(!standard.contains("Security agrees to what is done."), "{standard}");
    assert_eq!(page("?service=no-such&environment=production").status, 422);
    let german = page("?kind=normal&service=label-print&environment=production&language=de").body;
    assert!(german.contains("Die Sicherheit stimmt dem Vorhaben zu."), "{german}");
}
