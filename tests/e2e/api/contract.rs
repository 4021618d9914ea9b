//! The promises to an outsider, checked with curl from outside: statuses, headers, shapes and their order, route by route.
//!
//! Walks through whole changes are in the guide; the rules that hold for every one of them are here.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::journey::{artifact, gate_path, question, request, scheduled};
use tests::{Place, Server, binary};

/// A response as curl saw it.
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The response is a problem (RFC 9457) with this status and code.
    fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert!(
            self.header("content-type").starts_with("application/problem+json"),
            "{:?}",
            self.headers
        );
        let told = self.json();
        assert_eq!(told["code"], code, "{told}");
        assert_eq!(told["status"], status, "{told}");
        told
    }

    fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.json()
    }
}

/// curl against a server.
struct Curl<'a> {
    server: &'a Server,
}

impl Curl<'_> {
    fn run(&self, method: &str, path: &str, headers: &[&str], body: Option<&str>) -> Answer {
        let mut command = Command::new("curl");
        command.args(["-sS", "-i", "--http1.1", "--max-time", "60", "-X", method]);
        for header in headers {
            command.args(["-H", header]);
        }
        if let Some(body) = body {
            command.args(["--data-binary", body]);
        }
        command.arg(format!("{}{path}", self.server.url));
        let done = command.output().expect("curl is installed: apt-get install curl");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        read(&String::from_utf8_lossy(&done.stdout))
    }

    /// As a role of the demo, with a JSON body.
    fn by(&self, role: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.with(role, method, path, body, &[])
    }

    fn with(&self, role: &str, method: &str, path: &str, body: Option<&Value>, more: &[&str]) -> Answer {
        let token = format!("Authorization: Bearer {}", self.server.token(role));
        let mut headers = vec![token.as_str()];
        if body.is_some() {
            headers.push("Content-Type: application/json");
        }
        headers.extend(more);
        let path = match path.starts_with("/t/") {
            true => path.to_owned(),
            false => format!("/api/v1{path}"),
        };
        self.run(method, &path, &headers, body.map(Value::to_string).as_deref())
    }

    fn draft(&self, title: &str) -> String {
        let body = json!({"title": title, "services": ["edge-dns"], "environment": "production"});
        let made = self.by("requester", "POST", "/changes", Some(&body)).ok(201);
        made["key"].as_str().unwrap().to_owned()
    }
}

/// Reads the output of `curl -i`; interim responses are skipped.
fn read(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status: u16 = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    if status == 100 {
        return read(body);
    }
    let pairs = lines.filter_map(|line| line.split_once(": "));
    Answer {
        status,
        headers: pairs
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}

#[test]
fn what_an_outsider_may_rely_on_holds() {
    let place = Place::demo("contract");
    let mut server = Server::start(&place, true);
    let now = server.server_time();
    server.hold_clock(now);
    let curl = Curl { server: &server };
    files_are_private(&server);
    doors_without_a_credential(&curl);
    errors_come_in_their_order(&curl);
    edits_are_merge_patches_under_a_version(&curl);
    repeated_requests_answer_alike(&curl);
    lists_are_paged_and_filtered(&curl);
    items_and_acts_answer_in_their_shapes(&curl);
    what_another_tenant_has_is_absent(&curl);
    the_gate_answers_and_records(&curl, now);
    permits_and_their_list_are_as_promised(&curl, now);
    a_window_ends_ahead(&curl, now);
    the_log_and_bundles_are_served(&curl);
    commands_tell_by_their_exit_code(&server);
    server.stop();
    the_demo_opens_its_own_again(&place);
}

fn files_are_private(server: &Server) {
    let private = ["demo-credentials.json", "master.key"];
    for file in private.iter().filter(|file| server.data.join(file).exists()) {
        let mode = std::fs::metadata(server.data.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let roles = [
        "requester",
        "owner",
        "security",
        "change_manager",
        "implementer",
        "auditor",
        "commander",
        "executive",
        "admin",
        "pipeline",
        "vendor",
        "other_requester",
        "other_admin",
    ];
    for role in roles {
        let person = server.person(role);
        for field in ["tenant", "login", "password", "token"] {
            assert!(
                person[field].as_str().is_some_and(|it| !it.is_empty()),
                "{role}.{field}"
            );
        }
    }
}

fn doors_without_a_credential(curl: &Curl<'_>) {
    for path in [
        "/healthz",
        "/readyz",
        "/metrics",
        "/api",
        "/api/openapi.json",
        "/t/halden/.well-known/jwks.json",
        "/t/halden/log/key",
    ] {
        assert_eq!(curl.run("GET", path, &[], None).status, 200, "{path}");
    }
    assert_eq!(
        curl.run("GET", "/api/openapi.json", &[], None).json()["openapi"],
        "3.1.0"
    );
    let metrics = curl.run("GET", "/metrics", &[], None);
    assert!(metrics.body.trim_end().ends_with("# EOF"), "OpenMetrics ends so");
    assert!(!metrics.body.contains("halden"), "figures name no tenant's content");
    for path in ["/api/v1/changes", "/api/v1/gate", "/t/halden/log/checkpoint"] {
        let answer = curl.run("GET", path, &[], None);
        answer.problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
}

fn errors_come_in_their_order(curl: &Curl<'_>) {
    let key = curl.draft("Wrong in every way");
    let token = format!("Authorization: Bearer {}", curl.server.token("vendor"));
    let path = format!("/api/v1/changes/{key}");
    let absent = "/api/v1/changes/CHG-999999";
    let (text, json_type) = ("Content-Type: text/plain", "Content-Type: application/json");
    let large = "Content-Length: 1048577";
    curl.run("PATCH", &path, &[text], Some("{"))
        .problem(401, "unauthenticated");
    curl.run("PATCH", absent, &[&token, text, large], None)
        .problem(413, "too_large");
    curl.run("PATCH", absent, &[&token, text], Some("{"))
        .problem(415, "not_json");
    curl.run("PATCH", absent, &[&token, json_type], Some("{"))
        .problem(400, "malformed");
    let wrong = json!({"title": 7, "complexity": "huge", "colour": "red"});
    curl.by("vendor", "PATCH", "/changes/CHG-999999", Some(&wrong))
        .problem(404, "not_found");
    // Outside of a person's scope a change is absent; a person who sees it learns which act is not allowed.
    curl.by("vendor", "PATCH", &format!("/changes/{key}"), Some(&wrong))
        .problem(404, "not_found");
    let refused = curl.by("auditor", "PATCH", &format!("/changes/{key}"), Some(&wrong));
    let refused = refused.problem(403, "not_allowed");
    let policy = &refused["policies"][0];
    assert!(policy["id"].is_string() && policy["reason"].is_string(), "{refused}");
    let patch = |more: &[&str]| curl.with("requester", "PATCH", &format!("/changes/{key}"), Some(&wrong), more);
    patch(&[]).problem(428, "if_match_needed");
    patch(&["If-Match: \"999\""]).problem(412, "stale");
    let invalid = patch(&["If-Match: *"]).problem(422, "invalid");
    let fields: Vec<&str> = invalid["errors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["field"].as_str())
        .collect();
    assert_eq!(fields.len(), 3, "all at once: {invalid}");
    assert!(
        fields.contains(&"colour"),
        "an unknown field is refused by name: {invalid}"
    );
    let early = curl.by(
        "requester",
        "POST",
        &format!("/changes/{key}/closure"),
        Some(&json!({})),
    );
    let early = early.problem(409, "not_in_state");
    let unmet = early["unmet"].as_array().unwrap();
    assert_eq!(unmet.len(), 1, "{early}");
    for field in ["code", "text", "satisfy", "waiting_on"] {
        assert!(unmet[0].get(field).is_some(), "{early}");
    }
}

fn edits_are_merge_patches_under_a_version(curl: &Curl<'_>) {
    let key = curl.draft("Edited");
    let path = format!("/changes/{key}");
    let tag = |answer: &Answer| answer.header("etag").to_owned();
    let before = tag(&curl.by("requester", "GET", &path, None));
    curl.by(
        "requester",
        "POST",
        &format!("{path}/comments"),
        Some(&json!({"text": "Hello."})),
    )
    .ok(201);
    assert_eq!(
        tag(&curl.by("requester", "GET", &path, None)),
        before,
        "comments leave the ETag"
    );
    let edit =
        |body: Value, tag: &str| curl.with("requester", "PATCH", &path, Some(&body), &[&format!("If-Match: {tag}")]);
    let first = edit(json!({"description": "Long.", "labels": ["a", "b"]}), &before);
    assert_eq!(first.ok(200)["labels"], json!(["a", "b"]));
    assert_ne!(tag(&first), before);
    edit(json!({"title": "Late"}), &before).problem(412, "stale");
    let second = edit(json!({"description": null, "labels": ["c"]}), &tag(&first)).ok(200);
    assert_eq!(second["labels"], json!(["c"]), "arrays are replaced");
    assert!(second["description"].is_null(), "null clears");
    assert_eq!(second["title"], "Edited");
}

fn repeated_requests_answer_alike(curl: &Curl<'_>) {
    let body = json!({"title": "Once", "services": ["edge-dns"], "environment": "production"});
    let ask = |body: &Value| {
        curl.with(
            "requester",
            "POST",
            "/changes",
            Some(body),
            &["Idempotency-Key: contract-1"],
        )
    };
    let (first, second) = (ask(&body), ask(&body));
    assert_eq!(first.ok(201), second.ok(201));
    assert_eq!(
        (
            first.header("idempotent-replayed"),
            second.header("idempotent-replayed")
        ),
        ("", "true")
    );
    assert_eq!(ask(&json!({"title": "Other"})).status, 422);
    let token = json!({"name": "once", "scopes": ["read"]});
    let ask = || {
        curl.with(
            "admin",
            "POST",
            "/tokens",
            Some(&token),
            &["Idempotency-Key: contract-2"],
        )
        .ok(201)
    };
    let (first, second) = (ask(), ask());
    assert!(
        first["token"].is_string() && second.get("token").is_none(),
        "secrets are never replayed"
    );
    assert_eq!(first["id"], second["id"]);
}

fn lists_are_paged_and_filtered(curl: &Curl<'_>) {
    let mut path = "/changes?limit=7&state=closed".to_owned();
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let answer = curl.by("requester", "GET", &path, None);
        let page = answer.ok(200);
        for row in page["items"].as_array().unwrap() {
            assert_eq!(row["state"], "closed");
            seen.push(row["key"].as_str().unwrap().to_owned());
        }
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        let link = answer.header("link").to_owned();
        assert!(link.contains("rel=\"next\"") && link.contains(next), "{link}");
        let target = link.trim_start_matches('<').split('>').next().unwrap();
        path = target.trim_start_matches("/api/v1").to_owned();
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert!(
        pages > 2 && seen.len() == count,
        "{count} rows on {pages} pages, each once"
    );
    for filter in [
        "kind=standard",
        "service=edge-dns",
        "environment=production",
        "risk=low",
        "owner=hanne",
        "team=Logistics",
        "requester=ingrid",
        "q=label",
        "planned_from=2020-01-01T00:00:00Z",
        "planned_to=2040-01-01T00:00:00Z",
        "created_from=2020-01-01T00:00:00Z",
        "created_to=2040-01-01T00:00:00Z",
        "ended_from=2020-01-01T00:00:00Z",
        "ended_to=2040-01-01T00:00:00Z",
        "outcome=failed&sort=-outcome",
    ] {
        curl.by("requester", "GET", &format!("/changes?limit=2&{filter}"), None)
            .ok(200);
    }
    assert_eq!(curl.by("requester", "GET", "/changes?colour=red", None).status, 422);
}

fn items_and_acts_answer_in_their_shapes(curl: &Curl<'_>) {
    let key = curl.draft("Shapes");
    let path = format!("/changes/{key}");
    let comment = curl
        .by(
            "requester",
            "POST",
            &format!("{path}/comments"),
            Some(&json!({"text": "Hi."})),
        )
        .ok(201);
    assert!(
        comment["id"].is_string() && comment["change_state"] == "draft",
        "{comment}"
    );
    let watched = curl
        .with(
            "owner",
            "PUT",
            &format!("{path}/watchers"),
            Some(&json!({})),
            &["If-Match: *"],
        )
        .ok(200);
    assert_eq!(watched["key"], json!(key), "PUT answers with the change");
    let held = curl
        .by(
            "requester",
            "POST",
            &format!("{path}/hold"),
            Some(&json!({"reason": "Wait."})),
        )
        .ok(201);
    assert_eq!((&held["on_hold"], &held["state"]), (&json!(true), &json!("draft")));
    let refused = curl.by("requester", "POST", &format!("{path}/submission"), Some(&json!({})));
    assert_eq!(refused.status, 409);
    assert!(refused.body.contains("on_hold"), "{}", refused.body);
    for field in [
        "key",
        "state",
        "requester",
        "risk",
        "digests",
        "content_digest",
        "origins",
        "version",
        "targets",
    ] {
        assert!(held.get(field).is_some(), "{field} stands in a change");
    }
    assert_eq!(held["targets"][0]["id"], "1");
    for digest in ["what", "when"] {
        assert!(held["digests"][digest].as_str().unwrap().starts_with("sha256:"));
    }
    let ahead = curl
        .by("requester", "GET", &format!("{path}/requirements"), None)
        .ok(200);
    assert!(ahead.to_string().contains("submission"), "{ahead}");
    let events = curl.by("requester", "GET", &format!("{path}/events"), None).ok(200);
    assert!(!events["items"].as_array().unwrap().is_empty());
}

fn what_another_tenant_has_is_absent(curl: &Curl<'_>) {
    let theirs = curl.by("other_requester", "GET", "/changes", None).ok(200);
    let id = theirs["items"][0]["id"].as_str().unwrap_or("0").to_owned();
    let absent = curl.by("requester", "GET", "/changes/CHG-999999", None);
    let foreign = curl.by("requester", "GET", &format!("/changes/{id}"), None);
    assert_eq!((absent.status, foreign.status), (404, 404));
    let told = |answer: &Answer, place: &str| answer.body.replace(place, "PLACE");
    assert_eq!(told(&absent, "CHG-999999"), told(&foreign, &id));
    let log = curl.with("auditor", "GET", "/t/cartwell/log/checkpoint", None, &[]);
    assert!(matches!(log.status, 403 | 404), "{}", log.status);
}

fn the_gate_answers_and_records(curl: &Curl<'_>, now: Timestamp) {
    let unknown = curl.by(
        "pipeline",
        "GET",
        gate_path(&artifact(77)).trim_start_matches("/api/v1"),
        None,
    );
    assert_eq!(unknown.status, 403);
    assert_eq!(unknown.header("assent-decision"), "stop");
    let told = unknown.json();
    assert_eq!(
        (&told["decision"], &told["reasons"][0]["code"]),
        (&json!("stop"), &json!("change_missing"))
    );
    for field in ["checked_at", "next_transition_at", "change"] {
        assert!(told.get(field).is_some(), "{field}: {told}");
    }
    let path = "/gate?service=nobody&environment=production&artifact=sha256:00";
    assert_eq!(
        curl.by("pipeline", "GET", path, None).header("assent-decision"),
        "stop",
        "an unknown service stops"
    );
    let refused = curl.by("pipeline", "GET", "/gate?change=CHG-1001", None);
    assert_eq!(
        (refused.status, refused.header("assent-decision")),
        (422, ""),
        "a key alone never suffices"
    );
    let late = json!({"wait_until": (now + SignedDuration::from_hours(24 * 7 + 1)).to_string()});
    let mut asked = question(&artifact(77));
    asked["wait_until"] = late["wait_until"].clone();
    assert_eq!(
        curl.by("pipeline", "POST", "/gate-checks", Some(&asked)).status,
        422,
        "at most seven days"
    );
    let stop = curl
        .by("pipeline", "POST", "/gate-checks", Some(&question(&artifact(77))))
        .ok(201);
    assert_eq!((&stop["decision"], &stop["permit"]), (&json!("stop"), &Value::Null));
    let id = stop["id"].as_str().unwrap();
    let read = curl.by("pipeline", "GET", &format!("/gate-checks/{id}"), None).ok(200);
    assert_eq!(read["decision"], "stop");
}

/// The header and the claims of a compact JWS.
fn opened(token: &str) -> (Value, Value) {
    let mut parts = token
        .split('.')
        .map(|part| proof::crypto::from_base64url(part).unwrap_or_default());
    let mut next = || serde_json::from_slice::<Value>(&parts.next().unwrap()).unwrap();
    (next(), next())
}

fn permits_and_their_list_are_as_promised(curl: &Curl<'_>, now: Timestamp) {
    let wanted = artifact(78);
    scheduled(curl.server, "To be let through", &wanted);
    let go = curl.by(
        "pipeline",
        "GET",
        gate_path(&wanted).trim_start_matches("/api/v1"),
        None,
    );
    assert_eq!((go.status, go.header("assent-decision")), (200, "go"));
    assert!(go.json()["permit"].is_null(), "the plain question gives no permit");
    let check = curl
        .by("pipeline", "POST", "/gate-checks", Some(&question(&wanted)))
        .ok(201);
    let (header, claims) = opened(check["permit"].as_str().unwrap());
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&json!("EdDSA"), &json!("assent-permit+jwt"))
    );
    for claim in [
        "iss",
        "sub",
        "aud",
        "jti",
        "iat",
        "nbf",
        "exp",
        "tenant",
        "service",
        "environment",
        "artifact",
        "purpose",
        "content_digest",
        "policy_digest",
        "epoch",
        "max_list_age_seconds",
        "break_glass",
    ] {
        assert!(claims.get(claim).is_some(), "{claim}: {claims}");
    }
    assert_eq!(claims["aud"], "halden/label-print/production");
    assert_eq!(claims["max_list_age_seconds"], 900);
    let life = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap();
    assert!(
        life <= 15 * 60 && claims["nbf"].as_i64().unwrap() <= now.as_second(),
        "{claims}"
    );
    let keys = curl.run("GET", "/t/halden/.well-known/jwks.json", &[], None).json();
    assert_eq!(keys["tenant"], "halden");
    assert!(
        keys["keys"]
            .as_array()
            .unwrap()
            .iter()
            .any(|key| key["kid"] == header["kid"])
    );
    the_list_names_what_was_revoked(curl, &header, &claims);
}

fn a_window_ends_ahead(curl: &Curl<'_>, now: Timestamp) {
    let request = request("A window that is over", &artifact(79), now);
    let made = curl.by("requester", "POST", "/changes", Some(&request)).ok(201);
    let path = format!("/changes/{}", made["key"].as_str().unwrap());
    curl.by("requester", "POST", &format!("{path}/submission"), Some(&json!({})))
        .ok(201);
    let times = json!({
        "planned_start": (now - SignedDuration::from_mins(9)).to_string(),
        "planned_end": (now - SignedDuration::from_mins(1)).to_string(),
    });
    let set = curl.with(
        "requester",
        "PUT",
        &format!("{path}/schedule"),
        Some(&times),
        &["If-Match: *"],
    );
    assert_eq!(set.status, 422, "planned_end lies ahead: {}", set.body);
}

fn the_list_names_what_was_revoked(curl: &Curl<'_>, header: &Value, claims: &Value) {
    let list = || {
        let answer = curl.run("GET", "/t/halden/.well-known/assent-revocations", &[], None);
        (answer.status == 200).then(|| opened(answer.body.trim()))
    };
    let mut found = None;
    tests::faults::eventually("a list of revocations is signed", || {
        found = list();
        found.is_some()
    });
    let (before_header, before) = found.unwrap();
    assert_ne!(before_header["typ"], header["typ"], "a list is no permit");
    let path = format!("/permits/{}/revocation", claims["jti"].as_str().unwrap());
    curl.by("owner", "POST", &path, Some(&json!({"reason": "Taken back."})))
        .ok(201);
    tests::faults::eventually("the list names the permit", || {
        list().is_some_and(|(_, list)| {
            list["revoked"].as_array().unwrap().contains(&claims["jti"])
                && list["epoch"].as_i64() > before["epoch"].as_i64()
        })
    });
}

fn the_log_and_bundles_are_served(curl: &Curl<'_>) {
    curl.server.wait_for_log();
    let checkpoint = curl.by("auditor", "GET", "/t/halden/log/checkpoint", None);
    assert_eq!(checkpoint.status, 200);
    let lines: Vec<&str> = checkpoint.body.lines().collect();
    assert!(lines[0].ends_with("/t/halden/log") && lines[1].parse::<u64>().is_ok() && lines[3].is_empty());
    let signatures = lines[4..].iter().filter(|line| line.starts_with("\u{2014} ")).count();
    assert!(signatures >= 2, "the log's and the cosigner's: {}", checkpoint.body);
    for path in ["/t/halden/log/tile/0/000", "/t/halden/log/tile/entries/000"] {
        assert_eq!(curl.by("auditor", "GET", path, None).status, 200, "{path}");
    }
    assert_eq!(curl.by("vendor", "GET", "/t/halden/log/checkpoint", None).status, 403);
    let bundle = curl.server.data.join("bundle.zip");
    let path = format!("{}/api/v1/changes/CHG-1001/bundle", curl.server.url);
    let token = format!("Authorization: Bearer {}", curl.server.token("auditor"));
    let fetch = |to: &std::path::Path| {
        let done = Command::new("curl")
            .args(["-sS", "-f", "-H", &token, "-o"])
            .arg(to)
            .arg(&path)
            .status();
        assert!(done.unwrap().success());
        std::fs::read(to).unwrap()
    };
    assert_eq!(fetch(&bundle), fetch(&bundle), "the same change gives the same bytes");
    let verified = Command::new(binary())
        .args(["audit", "verify"])
        .arg(&bundle)
        .output()
        .unwrap();
    assert_eq!(
        verified.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
}

fn commands_tell_by_their_exit_code(server: &Server) {
    let run = |arguments: &[&str], address: &str| {
        let mut command = Command::new(binary());
        command.args(arguments).env("ASSENT_SERVER", address);
        command
            .env("ASSENT_TOKEN", server.token("pipeline"))
            .env("NO_COLOR", "1");
        let done = command.output().unwrap();
        assert!(
            !String::from_utf8_lossy(&done.stdout).contains('\u{1b}'),
            "NO_COLOR is honoured"
        );
        done.status.code()
    };
    let place = ["--service", "label-print", "--environment", "production"];
    let (unknown, wanted) = (artifact(99), artifact(98));
    scheduled(server, "For the command line", &wanted);
    let check = |artifact: &str, address: &str| {
        let arguments = [&["gate", "check"][..], &place, &["--artifact", artifact]].concat();
        run(&arguments, address)
    };
    assert_eq!(check(&unknown, &server.url), Some(1), "stop");
    assert_eq!(check(&wanted, &server.url), Some(0), "go");
    assert_eq!(check(&wanted, "http://127.0.0.1:9"), Some(2), "could not ask");
    let missing = server.data.join("nothing");
    let missing = missing.to_str().unwrap();
    let verify = [
        &["permit", "verify", missing][..],
        &place,
        &["--artifact", &wanted, "--keys", missing, "--revocations", missing],
    ];
    assert_eq!(run(&verify.concat(), &server.url), Some(2), "cannot tell");
    assert_eq!(run(&["audit", "verify", missing], &server.url), Some(2), "cannot tell");
}

/// `--demo` opens its own data again.
fn the_demo_opens_its_own_again(place: &Place) {
    let before = std::fs::read(place.folder.path().join("demo-credentials.json")).unwrap();
    let again = Server::start(place, true);
    let after = std::fs::read(again.data.join("demo-credentials.json")).unwrap();
    assert_eq!(before, after, "later starts leave the credentials as they are");
    again.stop();
}
