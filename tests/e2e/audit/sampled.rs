//! An auditor's sample: drawn reproducibly, concluded, reviewed by another auditor, signed and exported with its proofs.

use serde_json::{Value, json};
use tests::session::Session;
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

fn ask(server: &Server, role: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let token = server.token(role);
    let body = Some(body).filter(|body| !body.is_null());
    let (status, answer) = server.ask_with(method, &format!("/api/v1{path}"), Some(&token), body, &[]);
    (status, serde_json::from_slice(&answer).unwrap_or_default())
}

fn wanted(server: &Server, control: &str) -> Value {
    json!({
        "title": "Quarter", "control": control, "from": "2020-01-01T00:00:00Z", "to": server.server_time().to_string(),
        "seed": "a seed", "size": 2,
    })
}

#[test]
fn a_sample_is_drawn_concluded_reviewed_signed_and_exported() {
    let place = Place::demo("sampled");
    let server = Server::start(&place, true);
    server.wait_for_log();
    let (status, sample) = ask(
        &server,
        "auditor",
        "POST",
        "/audit-samples",
        &wanted(&server, "SOX-CM-1"),
    );
    assert_eq!(status, 201, "{sample}");
    let keys: Vec<String> = serde_json::from_value(sample["changes"].clone()).unwrap();
    assert_eq!(keys.len(), 2, "{sample}");
    let (_, again) = ask(
        &server,
        "auditor",
        "POST",
        "/audit-samples",
        &wanted(&server, "SOX-CM-1"),
    );
    for same in ["changes", "population_digest", "strata"] {
        assert_eq!(again[same], sample[same], "the same seed draws the same sample");
    }
    is_refused(&server, &sample, &keys);
    let id = sample["id"].as_str().unwrap();
    for key in &keys {
        concludes(&server, id, key);
    }
    let path = format!("/audit-samples/{id}/signature");
    let (status, signed) = ask(&server, "auditor", "POST", &path, &json!({}));
    assert_eq!(status, 201, "{signed}");
    assert_eq!(ask(&server, "auditor", "POST", &path, &json!({})).0, 409, "once");
    assert_eq!(
        ask(
            &server,
            "auditor",
            "DELETE",
            &format!("/audit-samples/{id}"),
            &Value::Null
        )
        .0,
        409
    );
    is_exported(&server, id, &keys, signed["paper_digest"].as_str().unwrap());
    let page = Session::begin(&server, "auditor")
        .get(&format!("/t/halden/audit-samples/{id}/paper"))
        .body;
    assert!(
        keys.iter().all(|key| page.contains(key.as_str())),
        "the page names the changes"
    );
    assert!(!page.contains("/signature"), "what is signed offers no signature");
    must_replay(&place);
    must_verify(&server);
}

fn is_refused(server: &Server, sample: &Value, keys: &[String]) {
    assert_eq!(
        ask(
            server,
            "requester",
            "POST",
            "/audit-samples",
            &wanted(server, "SOX-CM-1")
        )
        .0,
        403
    );
    let (status, answer) = ask(
        server,
        "auditor",
        "POST",
        "/audit-samples",
        &wanted(server, "SOX-CM-99"),
    );
    assert_eq!(
        (status, &answer["errors"][0]["field"]),
        (422, &json!("control")),
        "{answer}"
    );
    let mut turned = wanted(server, "SOX-CM-1");
    turned["to"] = json!("2019-01-01T00:00:00Z");
    let (status, answer) = ask(server, "auditor", "POST", "/audit-samples", &turned);
    assert_eq!(
        (status, &answer["errors"][0]["code"]),
        (422, &json!("out_of_order")),
        "{answer}"
    );
    let mut ahead = wanted(server, "SOX-CM-1");
    ahead["to"] = json!("2040-01-01T00:00:00Z");
    let (status, answer) = ask(server, "auditor", "POST", "/audit-samples", &ahead);
    assert_eq!(
        (status, &answer["errors"][0]["code"]),
        (422, &json!("in_the_future")),
        "{answer}"
    );
    let outside = json!({"sample": sample["id"], "change": "CHG-999999", "verdict": "effective", "text": "t"});
    let (status, answer) = ask(server, "auditor", "POST", "/audit-conclusions", &outside);
    assert_eq!(
        (status, &answer["errors"][0]["code"]),
        (422, &json!("not_in_sample")),
        "{answer}"
    );
    let path = format!("/audit-samples/{}/signature", sample["id"].as_str().unwrap());
    let (status, answer) = ask(server, "auditor", "POST", &path, &json!({}));
    assert_eq!(status, 409, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains(&keys[0]), "{answer}");
}

/// The auditor concludes; only another auditor reviews, and then nothing changes any more.
fn concludes(server: &Server, id: &str, key: &str) {
    let mut said = json!({"sample": id, "change": key, "verdict": "effective", "text": "Approved before the start.",
        "answers": ["no_such_rule=held"]});
    let (status, answer) = ask(server, "auditor", "POST", "/audit-conclusions", &said);
    assert_eq!(
        (status, &answer["errors"][0]["field"]),
        (422, &json!("answers")),
        "{answer}"
    );
    said["answers"] = json!(["approval_after_start=held"]);
    let (status, made) = ask(server, "auditor", "POST", "/audit-conclusions", &said);
    assert_eq!(status, 201, "{made}");
    assert_eq!(
        ask(server, "auditor", "POST", "/audit-conclusions", &said).0,
        409,
        "one for each change"
    );
    let path = format!("/audit-conclusions/{}", made["id"].as_str().unwrap());
    let review = format!("{path}/review");
    let (status, answer) = ask(server, "auditor", "POST", &review, &json!({}));
    assert_eq!((status, &answer["code"]), (403, &json!("own_conclusion")), "{answer}");
    assert_eq!(ask(server, "admin", "POST", &review, &json!({})).0, 201);
    let token = server.token("auditor");
    let edit = json!({"verdict": "exception"});
    let answer = server.ask_with(
        "PATCH",
        &format!("/api/v1{path}"),
        Some(&token),
        Some(&edit),
        &[("If-Match", "\"2\"")],
    );
    assert_eq!(answer.0, 409, "a reviewed conclusion stays");
    let (_, items) = ask(
        server,
        "auditor",
        "GET",
        &format!("/audit-samples/{id}/items"),
        &Value::Null,
    );
    let item = items["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["change"] == key)
        .unwrap();
    assert_eq!(
        (&item["verdict"], &item["is_reviewed"]),
        (&json!("effective"), &json!(true)),
        "{item}"
    );
    let answers = item["answers"].as_array().unwrap();
    assert!(!answers.is_empty(), "the log answers: {item}");
    assert!(
        answers.iter().all(|it| it["answer"].is_string()),
        "each question has an answer: {item}"
    );
    assert!(item["by"].is_string() && item["reviewed_by"].is_string(), "{item}");
}

fn is_exported(server: &Server, id: &str, keys: &[String], digest: &str) {
    let path = format!("/api/v1/audit-samples/{id}/export");
    let (status, bytes) = server.get(&path, Some(&server.token("auditor")));
    assert_eq!(status, 200);
    let files = proof::archive::read(&bytes).unwrap();
    let of = |name: &str| files.iter().find(|(found, _)| *found == name).map(|(_, bytes)| *bytes);
    let paper = of("working-paper.json").expect("the paper is in it");
    assert_eq!(
        proof::crypto::digest_text(paper),
        digest,
        "what was signed is what is exported"
    );
    let text = String::from_utf8_lossy(of("working-paper.txt").expect("the paper is a text too")).into_owned();
    for wanted in [
        "Sampled by: ",
        "Signed by: ",
        "Question approval_after_start: ",
        "Answer: ",
        "Reviewed by: ",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in {text}");
    }
    assert!(!text.contains("nobody yet"), "{text}");
    for key in keys {
        let bundle = of(&format!("bundles/{key}.zip")).expect("each change has its bundle");
        assert_eq!(
            proof::bundle::verify(bundle, None).outcome,
            proof::report::Outcome::Good,
            "{key}"
        );
    }
}
