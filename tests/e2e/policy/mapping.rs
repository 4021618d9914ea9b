//! The mapping from the command line: the rule that decides, the effect of a proposed mapping on the last deployments, the
//! person who puts it in force; and a stored delivery that is shown and read once more.

use std::process::Command;

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{ENVIRONMENT, SERVICE, artifact};
use tests::{Place, Server};

/// Runs the command line as somebody; its exit code and its JSON.
pub(crate) fn assent(server: &Server, role: &str, words: &[&str]) -> (i32, Value) {
    let done = Command::new(tests::binary())
        .args(words)
        .arg("--json")
        .env("ASSENT_SERVER", &server.url)
        .env("ASSENT_TOKEN", server.token(role))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    let found = serde_json::from_str(&told);
    let found = found.unwrap_or_else(|_| panic!("{words:?}: {told}{}", String::from_utf8_lossy(&done.stderr)));
    (done.status.code().unwrap(), found)
}

const RULES: &str = "[[rules]]\n\
    rule = \"labels\"\n\
    pipeline = \"print*\"\n\
    environments = [\"production\"]\n\
    kind = \"emergency\"\n";

#[test]
fn a_mapping_is_explained_tried_on_the_last_deployments_and_put_in_force_from_the_command_line() {
    let place = Place::demo("mapping");
    let server = Server::start(&place, true);
    let request = json!({
        "kind": "plain", "name": "Pipelines",
        "map": [{"repository": "printer", "service": SERVICE, "environments": {"prod": ENVIRONMENT}}],
    });
    let made = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {}", text("secret"));
    for number in 0..3 {
        let body = json!({
            "id": format!("run-{number}"), "service": "printer", "environment": "prod", "status": "success",
            "artifact": artifact(900 + number), "at": server.server_time().to_string(),
        });
        let headers = [("Authorization", bearer.as_str())];
        assert_eq!(
            server
                .ask_with("POST", &text("hook_path"), None, Some(&body), &headers)
                .0,
            202
        );
    }
    let connection = text("id");
    let listed = || assent(&server, "admin", &["delivery", "list", &connection, "--state", "done"]).1;
    eventually("the deliveries were read", || {
        listed()["items"].as_array().unwrap().len() == 3
    });

    let question = [
        "policy",
        "explain",
        "--service",
        SERVICE,
        "--environment",
        ENVIRONMENT,
        "--pipeline",
        "printer",
    ];
    let (code, told) = assent(&server, "requester", &question);
    assert_eq!((code, &told["mapped"]["kind"]), (0, &json!("normal")), "{told:#}");
    assert!(told["mapped"]["rule"].is_null(), "{told:#}");

    let file = server.data.join("mapping.toml");
    std::fs::write(&file, RULES).unwrap();
    let file = file.to_str().unwrap();
    // The two newest of three, each another kind than it is.
    let (code, told) = assent(&server, "admin", &["policy", "try", "--mapping", file, "--last", "2"]);
    assert_eq!((code, &told["differ"]), (1, &json!(2)), "{told:#}");
    let tried = told["deployments"].as_array().unwrap();
    assert!(
        tried.len() == 2 && tried.iter().all(|row| row["proposed"]["rule"] == "labels"),
        "{told:#}"
    );

    put_in_force(&server, file);
    let (_, told) = assent(&server, "requester", &question);
    assert_eq!(
        (&told["mapped"]["rule"], &told["mapped"]["kind"]),
        (&json!("labels"), &json!("emergency"))
    );
    // The active mapping, tried on past deployments, gives the results that they have.
    let (code, told) = assent(&server, "admin", &["policy", "try", "--mapping", file, "--last", "2"]);
    assert_eq!((code, &told["differ"]), (0, &json!(0)), "{told:#}");

    replayed(&server, &listed());
}

/// A delivery is shown with its read fields, and replayed without doing anything twice.
fn replayed(server: &Server, listed: &Value) {
    let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
    let (_, shown) = assent(server, "admin", &["delivery", "show", &id]);
    assert_eq!(shown["signals"][0]["status"], "success", "{shown:#}");
    let (code, told) = assent(server, "admin", &["delivery", "replay", &id]);
    assert_eq!((code, &told["result"]), (0, &json!("known already")), "{told:#}");
}

/// One proposes the mapping, another activates it.
fn put_in_force(server: &Server, file: &str) {
    let propose = ["mapping", "apply", file, "--reason", "Labels are urgent"];
    let (code, proposal) = assent(server, "admin", &propose);
    assert_eq!(code, 0, "{proposal:#}");
    let activate = ["mapping", "apply", "--activate", proposal["id"].as_str().unwrap()];
    assert_eq!(assent(server, "change_manager", &activate).0, 0);
}
