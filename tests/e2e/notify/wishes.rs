//! Each person's settings for reading: their zone, their clock, the density of rows. Each person sets it for themselves, and it
//! holds on each page.

use serde_json::{Value, json};
use tests::session::Session;
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

fn set(server: &Server, role: &str, login: &str, body: &Value) -> (u16, Value) {
    let (path, token) = (format!("/api/v1/people/{login}/telling"), server.token(role));
    let (status, answer) = server.ask_with("PUT", &path, Some(&token), Some(body), &[("If-Match", "*")]);
    (status, serde_json::from_slice(&answer).unwrap_or_default())
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["code"].as_str().unwrap_or_default()
}

#[test]
fn zone_clock_and_density_are_ones_own_and_hold_on_every_page() {
    let place = Place::demo("wishes");
    let server = Server::start(&place, true);
    let login = server.person("requester")["login"].as_str().unwrap().to_owned();
    let reader = Session::begin(&server, "requester");
    let offered = reader.get("/t/halden/").body;
    assert!(
        offered.contains("Choose language, zone and clock"),
        "offered until it is chosen"
    );
    for (wrong, told) in [
        (json!({"how": "at_once", "zone": "Mars/Olympus"}), "unknown"),
        (json!({"how": "at_once", "clock": "13"}), "unknown_word"),
        (json!({"how": "at_once", "density": "none"}), "unknown_word"),
    ] {
        let (status, answer) = set(&server, "requester", &login, &wrong);
        assert_eq!((status, code(&answer)), (422, told), "{answer}");
    }
    let wish = json!({"how": "at_once", "zone": "Pacific/Apia", "clock": "12", "density": "compact"});
    let (status, answer) = set(&server, "owner", &login, &wish);
    assert_eq!(status, 403, "nobody says it of another: {answer}");
    let (status, answer) = set(&server, "requester", &login, &wish);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        (&answer["zone"], &answer["clock"]),
        (&json!("Pacific/Apia"), &json!("12"))
    );
    for path in ["/", "/changes", "/calendar", "/messages", "/account"] {
        let page = reader.get(&format!("/t/halden{path}")).body;
        assert!(page.contains("<body class=\"compact twelve\">"), "{path}");
        assert!(page.contains("times in Pacific/Apia"), "{path}");
    }
    let home = reader.get("/t/halden/").body;
    assert!(!home.contains("Choose language, zone and clock"), "it was chosen");
    // A form sends the same, and another reader keeps their own.
    let fields = [
        ("how", "at_once"),
        ("zone", "Europe/Oslo"),
        ("clock", "24"),
        ("density", "comfortable"),
        ("language", "de"),
    ];
    let seen = reader.form("/t/halden/telling", &fields);
    assert_eq!(seen.status, 303, "{}", seen.body);
    assert!(seen.location.contains("done=kept"), "{}", seen.location);
    let home = reader.get("/t/halden/").body;
    assert!(
        home.contains("lang=\"de\"") && !home.contains("compact twelve"),
        "as the form said"
    );
    let other = Session::begin(&server, "auditor").get("/t/halden/").body;
    assert!(!other.contains("class=\"compact"), "another reader keeps their own");
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}
