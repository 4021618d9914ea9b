//! A change shows how likely it fails or which history is missing, everywhere, and keeps that forecast.

use serde_json::{Value, json};
use tests::journey::{artifact, request, waiting_for_approval};
use tests::session::Session;
use tests::{Place, Server};

use crate::platform::crash::must_verify;
use crate::policy::mapping::assent;

fn shown(server: &Server, path: &str) -> Value {
    server.must("GET", path, &server.token("auditor"), None)
}

#[test]
fn a_change_says_which_history_is_missing_and_keeps_what_it_said() {
    let place = Place::demo("risk_forecast");
    let server = Server::start(&place, true);
    let models = shown(&server, "/api/v1/failure-models")["items"].clone();
    assert_eq!(models.as_array().unwrap().len(), 1, "{models:#}");
    let model = &models[0];
    assert!(model["outcomes"].as_i64().unwrap() >= 40, "{model:#}");
    assert!(model["failures"].as_i64().unwrap() > 0, "{model:#}");

    let digest = artifact(8_700);
    let path = waiting_for_approval(
        &server,
        &request("Sharper labels", &digest, server.server_time()),
        &digest,
    );
    let forecast = shown(&server, &format!("{path}/forecast"));
    assert_eq!(
        (&forecast["state"], &forecast["is_recorded"], &forecast["model"]),
        (&json!("abstained"), &json!(true), &model["model"]),
        "{forecast:#}"
    );
    assert_eq!(forecast["missing"]["code"], "too_wide");
    assert!(forecast["missing"]["more"].as_i64().unwrap() > 0);
    let width = forecast["high_ppm"].as_i64().unwrap() - forecast["low_ppm"].as_i64().unwrap();
    assert!(width > 100_000, "{forecast:#}");
    assert_eq!(
        forecast["probability_ppm"],
        Value::Null,
        "no figure, and none that is zero"
    );
    let groups: Vec<&str> = forecast["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["group"].as_str().unwrap())
        .collect();
    assert_eq!(groups, ["environment", "type", "service"], "what teams add is theirs");
    let kept = shown(&server, &path)["forecast"].clone();
    assert_eq!((&kept["text"], &kept["model"]), (&forecast["text"], &forecast["model"]));

    every_door_says_the_same(&server, path.rsplit('/').next().unwrap(), &forecast, model);
    must_verify(&server);
}

fn every_door_says_the_same(server: &Server, key: &str, forecast: &Value, model: &Value) {
    let page = Session::begin(server, "owner").get(&format!("/t/halden/changes/{key}"));
    for words in [
        "Forecast of failure",
        "No figure",
        "Risk matrix",
        "This change",
        "Each cell links to its meaning.",
        "href=\"#cell-high-high\"",
        "id=\"cell-high-high\"",
        // The decision card leads there.
        "?tab=risk#matrix",
    ] {
        assert!(page.body.contains(words), "{words}");
    }
    let page = Session::begin(server, "auditor").get("/t/halden/policies");
    for words in [
        "Each cell links to its meaning.",
        "href=\"#cell-high-high\"",
        "id=\"cell-high-high\"",
    ] {
        assert!(page.body.contains(words), "{words}");
    }
    let page = Session::begin(server, "auditor").get("/t/halden/failure-models");
    assert!(
        page.body.contains("Training data of the model in force"),
        "{}",
        page.body
    );

    let (code, told) = assent(server, "auditor", &["risk", "forecast", key]);
    assert_eq!((code, &told["text"]), (0, &forecast["text"]), "{told:#}");
    let (code, told) = assent(server, "auditor", &["risk", "models"]);
    assert_eq!((code, &told["items"][0]["key"]), (0, &model["key"]), "{told:#}");
    let (code, told) = assent(server, "auditor", &["risk", "matrix", key]);
    assert_eq!(
        (code, told["cells"].as_array().map(Vec::len)),
        (0, Some(12)),
        "{told:#}"
    );
    let from = told["inputs"][1]["from"].as_str().unwrap_or_default();
    assert!(from.contains("criticality"), "{told:#}");
    assert!(told["inputs"][1]["path"].is_array(), "{told:#}");
    let here: Vec<&Value> = told["cells"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|cell| cell["is_here"] == true)
        .collect();
    assert_eq!(here.len(), 1);
}
