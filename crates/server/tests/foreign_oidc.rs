//! Signing in at a foreign provider, npm's oidc-provider, and at one that sends wrong responses.
//!
//! Run with `--features foreign` and `ASSENT_TEST_NODE_MODULES` naming a folder with `oidc-provider` and `jose`.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]
#![allow(dead_code, reason = "the world has more than these tests use")]

#[path = "doors/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use world::{Answer, PASSWORD, TENANT, World};

struct Provider {
    child: Child,
    issuer: String,
    hostile: String,
    platform: String,
    /// Held open: a program that prints its notices into a closed pipe ends.
    _notices: BufReader<std::process::ChildStdout>,
}

impl Provider {
    fn start(ways_back: &[String]) -> Self {
        let modules = std::env::var_os("ASSENT_TEST_NODE_MODULES")
            .expect("ASSENT_TEST_NODE_MODULES must name a folder with oidc-provider and jose");
        let mut child = Command::new("node")
            .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/oidc_provider.mjs"))
            .args(ways_back)
            .env("ASSENT_TEST_NODE_MODULES", modules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut notices = BufReader::new(child.stdout.take().unwrap());
        notices.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).expect("the provider did not start");
        let text = |name: &str| said[name].as_str().unwrap().to_owned();
        Self {
            child,
            issuer: text("issuer"),
            hostile: text("hostile"),
            platform: text("platform"),
            _notices: notices,
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A browser that keeps cookies by host and follows nothing by itself.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

impl Browser {
    fn ask(&mut self, method: &str, url: &str, form: &str) -> Answer {
        let rest = url.strip_prefix("http://").expect("a whole address");
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let jar = self.cookies.entry(host.to_owned()).or_default();
        let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut stream = TcpStream::connect(host).unwrap();
        let head = format!(
            "{method} /{path} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\nconnection: close\r\ncookie: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            cookies.join("; "),
            form.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let (answer, set) = with_cookies(&mut stream);
        for line in set {
            let (pair, _) = line.split_once(';').unwrap_or((&line, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() || line.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// The target of a redirect, as a whole address.
    fn next(answer: &Answer, from: &str) -> String {
        assert!((301..=308).contains(&answer.status), "{answer:?}");
        let place = answer.header("location");
        if place.starts_with("http") {
            return place.to_owned();
        }
        let host = from.split('/').nth(2).unwrap();
        format!("http://{host}{place}")
    }
}

/// A response, and every cookie it sets: the world's own reader keeps one header of each name.
fn with_cookies(stream: &mut TcpStream) -> (Answer, Vec<String>) {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(stream, &mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let set = head
        .lines()
        .filter(|line| line.to_lowercase().starts_with("set-cookie:"))
        .map(|line| line.split_once(':').unwrap().1.trim().to_owned())
        .collect();
    (world::parse(&bytes), set)
}

fn worlds() -> (World, Provider) {
    let world = World::with(|settings| settings.outgoing_allow = vec!["127.0.0.0/8".to_owned()]);
    let ways: Vec<String> = ["corp", "other"]
        .iter()
        .map(|key| format!("http://{}/t/{TENANT}/sign-in/{key}/callback", world.host()))
        .collect();
    let provider = Provider::start(&ways);
    set(
        &world,
        "corp",
        &json!({
            "name": "Acme ID", "issuer": provider.issuer, "client_id": "assent", "client_secret": "not very secret",
            "scopes": ["profile", "email", "groups"], "groups_claim": "groups", "groups": {"sre": "change-managers"},
            "roles": {"sre": "implementer"}, "creates_people": true,
        }),
    );
    (world, provider)
}

fn set(world: &World, key: &str, body: &Value) {
    let path = format!("/identity-providers/{key}");
    let set = world.as_person("adam", "PUT", &path).json(body).send().expect(200);
    assert!(!set.to_string().contains("not very secret"));
}

/// Walks to the provider, signs in there, and comes back; returns the final page's text.
fn walk(world: &World, browser: &mut Browser, begin: &str, login: &str) -> Answer {
    let ours = format!("http://{}", world.host());
    let mut url = format!("{ours}{begin}");
    let mut answer = browser.ask("GET", &url, "");
    for _ in 0..8 {
        url = Browser::next(&answer, &url);
        if url.contains("/interaction/") {
            let form = format!("prompt=login&login={login}&password=x");
            answer = browser.ask("POST", &url, &form);
        } else {
            answer = browser.ask("GET", &url, "");
        }
        if url.contains("/callback") {
            return answer;
        }
    }
    panic!("the provider never sent us back: {answer:?}");
}

fn me(world: &World, browser: &mut Browser) -> Value {
    browser
        .ask("GET", &format!("http://{}/api/v1/me", world.host()), "")
        .expect(200)
}

#[test]
fn a_person_signs_in_at_a_real_provider_and_stays_one_person() {
    let (world, _provider) = worlds();
    let door = world.ask("GET", "/t/acme/sign-in").send();
    assert!(String::from_utf8_lossy(&door.body).contains("Continue with Acme ID"));
    let mut browser = Browser::default();
    let back = walk(&world, &mut browser, "/t/acme/sign-in/corp?next=/t/acme/changes", "ada");
    assert_eq!((back.status, back.header("location")), (303, "/t/acme/changes"));
    let first = me(&world, &mut browser);
    assert_eq!(
        (&first["login"], &first["name"]),
        (&json!("ada"), &json!("Ada Lovelace"))
    );
    assert_eq!(first["groups"], json!(["change-managers"]));
    assert_eq!(first["roles"], json!(["implementer"]));
    assert_eq!(first["email"], "ada@acme.example");
    let mut again = Browser::default();
    walk(&world, &mut again, "/t/acme/sign-in/corp", "ada");
    assert_eq!(me(&world, &mut again)["id"], first["id"]);
    // A second account with the same address, and one that only claims an address, become nobody.
    let twin = walk(&world, &mut Browser::default(), "/t/acme/sign-in/corp", "twin");
    assert_eq!(twin.status, 403);
    assert!(String::from_utf8_lossy(&twin.body).contains("with another account"));
    let eve = walk(&world, &mut Browser::default(), "/t/acme/sign-in/corp", "eve");
    assert_eq!(eve.status, 403);
    assert!(String::from_utf8_lossy(&eve.body).contains("is already in use"));
    world.post("adam", "/people/ada/deactivation", &json!({})).expect(201);
    let ended = walk(&world, &mut Browser::default(), "/t/acme/sign-in/corp", "ada");
    assert!(String::from_utf8_lossy(&ended.body).contains("was deactivated"));
}

/// The script of the sign-in page adds the zone to the link to the provider.
#[test]
fn the_zone_of_a_browser_goes_along_to_a_real_provider_and_back() {
    let (world, _provider) = worlds();
    let mut browser = Browser::default();
    walk(&world, &mut browser, "/t/acme/sign-in/corp?zone=Europe/Vienna", "ada");
    let telling = format!("http://{}/api/v1/people/ada/telling", world.host());
    assert_eq!(browser.ask("GET", &telling, "").expect(200)["zone"], "Europe/Vienna");
}

#[test]
fn a_fresh_factor_can_be_shown_at_the_provider_by_the_same_person() {
    let (world, _provider) = worlds();
    let mut browser = Browser::default();
    walk(&world, &mut browser, "/t/acme/sign-in/corp", "ada");
    let stepped = walk(&world, &mut browser, "/t/acme/step-up/corp?next=/t/acme/account", "ada");
    assert_eq!((stepped.status, stepped.header("location")), (303, "/t/acme/account"));
    assert_eq!(me(&world, &mut browser)["stepped_up"], true);
    world.set_password("rita");
    let mut rita = Browser::default();
    let form = format!("login=rita&password={}", PASSWORD.replace(' ', "+"));
    let url = format!("http://{}/t/acme/sign-in", world.host());
    assert_eq!(rita.ask("POST", &url, &form).status, 303);
    let other = walk(&world, &mut rita, "/t/acme/step-up/corp", "ada");
    assert_eq!(other.status, 403);
    assert!(String::from_utf8_lossy(&other.body).contains("a person other than the one of this session"));
}

/// A right from a claim that a review of access refuses stays away, however often they sign in at the provider.
#[test]
fn what_a_review_of_access_refused_is_not_given_back_by_a_claim() {
    let (world, _provider) = worlds();
    let mut browser = Browser::default();
    walk(&world, &mut browser, "/t/acme/sign-in/corp", "ada");
    let before = me(&world, &mut browser);
    assert_eq!(
        (&before["roles"], &before["groups"]),
        (&json!(["implementer"]), &json!(["change-managers"]))
    );
    world.post("adam", "/access-reviews", &json!({})).expect(201);
    world.set_password("adam");
    let mut adam = Browser::default();
    let ours = format!("http://{}/t/acme", world.host());
    let form = format!("login=adam&password={}", PASSWORD.replace(' ', "+"));
    assert_eq!(adam.ask("POST", &format!("{ours}/sign-in"), &form).status, 303);
    let parts = world.get("adam", "/access-reviews").expect(200);
    let mut refused = 0;
    for part in parts["items"].as_array().unwrap() {
        let rows = part["rights"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["person"] == "ada");
        let rows: Vec<String> = rows.map(|it| format!("&refused={}", it["row"])).collect();
        if rows.is_empty() {
            continue;
        }
        assert_eq!(part["manager"], "adam", "{part}");
        refused += rows.len();
        let url = format!("{ours}/access-reviews/{}/signature", part["id"].as_str().unwrap());
        let signed = adam.ask("POST", &url, &format!("reason=Moved+on{}", rows.concat()));
        assert_eq!(signed.status, 303, "{signed:?}");
    }
    assert_eq!(refused, 2, "{parts}");
    let is_out = |told: &Value| told["roles"] == json!([]) && told["groups"] == json!([]);
    assert!(is_out(&me(&world, &mut browser)));
    for _ in 0..2 {
        let mut again = Browser::default();
        let back = walk(&world, &mut again, "/t/acme/sign-in/corp", "ada");
        assert_eq!(back.status, 303, "they may come in: {back:?}");
        let after = me(&world, &mut again);
        assert_eq!(after["id"], before["id"]);
        assert!(is_out(&after), "a claim gave it back: {after}");
    }
    // An authorised person gives it here, and the provider's claim counts again.
    let given = json!({"roles": ["implementer"]});
    let patch = world.as_person("adam", "PATCH", "/people/ada").header("if-match", "*");
    patch.json(&given).send().expect(200);
    walk(&world, &mut browser, "/t/acme/sign-in/corp", "ada");
    assert_eq!(me(&world, &mut browser)["roles"], json!(["implementer"]));
}

#[test]
fn answers_are_bound_to_the_browser_and_to_the_provider() {
    let (world, provider) = worlds();
    set(
        &world,
        "other",
        &json!({
            "issuer": provider.issuer, "client_id": "assent", "client_secret": "not very secret",
        }),
    );
    let ours = format!("http://{}/t/acme/sign-in", world.host());
    let mut browser = Browser::default();
    let left = browser.ask("GET", &format!("{ours}/corp"), "");
    let state = part(left.header("location"), "state");
    assert_eq!(part(left.header("location"), "code_challenge_method"), "S256");
    let says = |answer: &Answer, words: &str| {
        assert_eq!(answer.status, 403, "{answer:?}");
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(body.contains(words), "{body}");
    };
    let back = format!("{ours}/corp/callback?code=x&state={state}");
    says(&Browser::default().ask("GET", &back, ""), "not begun in this browser");
    says(
        &browser.ask("GET", &format!("{ours}/other/callback?code=x&state={state}"), ""),
        "not begun in this browser",
    );
    browser.ask("GET", &format!("{ours}/corp"), "");
    says(
        &browser.ask("GET", &format!("{ours}/corp/callback?code=x&state=guessed"), ""),
        "a different sign-in",
    );
    let left = browser.ask("GET", &format!("{ours}/corp"), "");
    let state = part(left.header("location"), "state");
    let mixed = format!("{ours}/corp/callback?code=x&state={state}&iss=https://evil.example");
    says(&browser.ask("GET", &mixed, ""), "A provider other than");
    let left = browser.ask("GET", &format!("{ours}/corp"), "");
    let state = part(left.header("location"), "state");
    let denied = format!("{ours}/corp/callback?error=access_denied&error_description=No%20%3Cb%3E&state={state}");
    // This provider names itself in every response, so one without its name is none of its own.
    says(&browser.ask("GET", &denied, ""), "A provider other than");
    let left = browser.ask("GET", &format!("{ours}/corp"), "");
    let state = part(left.header("location"), "state");
    let denied = format!(
        "{ours}/corp/callback?error=access_denied&state={state}&iss={}",
        provider.issuer
    );
    says(&browser.ask("GET", &denied, ""), "refused the sign-in");
    assert_eq!(world.ask("GET", "/t/acme/sign-in/nothing").send().status, 404);
}

fn part(url: &str, name: &str) -> String {
    let query = url.split_once('?').unwrap().1;
    let found = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    found.unwrap_or_default().to_owned()
}

/// Tokens in the forms of other providers: more than one audience with the party it was made for, keys of other kinds, keys that
/// turned between two sign-ins, clocks that run a little ahead.
#[test]
fn tokens_in_the_forms_of_other_providers_open() {
    let (world, provider) = worlds();
    set(
        &world,
        "hostile",
        &json!({
            "issuer": provider.hostile, "client_id": "assent", "client_secret": "not very secret", "creates_people": true,
            "login_claim": "sub", "trusts_mail": true,
        }),
    );
    for form in ["audiences", "ahead", "es256", "ps256", "eddsa"] {
        let (answer, mut browser) = come_back(&world, form);
        assert_eq!(answer.status, 303, "{form}: {}", String::from_utf8_lossy(&answer.body));
        assert_eq!(me(&world, &mut browser)["login"], "ada", "{form}");
    }
    for form in ["party", "audiences_without_party", "letters"] {
        let (answer, mut browser) = come_back(&world, form);
        // The same subject in other letters is somebody else, whose address belongs to somebody.
        assert_eq!(answer.status, 403, "{form}: {answer:?}");
        let url = format!("http://{}/api/v1/me", world.host());
        assert_eq!(browser.ask("GET", &url, "").status, 401, "{form}");
    }
    // The first key's last token, and after it another key alone.
    for form in ["turn", "turned"] {
        assert_eq!(come_back(&world, form).0.status, 303, "{form}");
    }
    assert_eq!(
        come_back(&world, "").0.status,
        403,
        "the key that went is believed no more"
    );
}

/// Walks through the provider that gets the content of its token from the test.
fn come_back(world: &World, wrong: &str) -> (Answer, Browser) {
    let ours = format!("http://{}/t/acme/sign-in/hostile", world.host());
    let mut browser = Browser::default();
    let left = browser.ask("GET", &ours, "");
    let place = left.header("location").to_owned();
    let asked = json!({"wrong": wrong, "nonce": part(&place, "nonce")}).to_string();
    let code = proof::crypto::base64url(asked.as_bytes());
    let back = format!("{ours}/callback?code={code}&state={}", part(&place, "state"));
    (browser.ask("GET", &back, ""), browser)
}

/// For every error in a token: it opens nothing, and the page names the error.
#[test]
fn wrong_tokens_are_refused_with_their_reason() {
    let (world, provider) = worlds();
    set(
        &world,
        "hostile",
        &json!({
            "issuer": provider.hostile, "client_id": "assent", "client_secret": "not very secret", "creates_people": true,
            "login_claim": "sub", "trusts_mail": true,
        }),
    );
    for (wrong, words) in [
        ("issuer", "issued by another provider"),
        ("audience", "meant for somebody else"),
        ("nonce", "another sign-in"),
        ("expired", "has expired"),
        ("future", "cannot be taken"),
        ("unsigned", "signature"),
        ("shared_secret", "proves nothing here"),
        ("key", "not its own"),
        ("", ""),
    ] {
        let (answer, mut browser) = come_back(&world, wrong);
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        if wrong.is_empty() {
            assert_eq!(answer.status, 303, "{body}");
            assert_eq!(me(&world, &mut browser)["login"], "ada");
        } else {
            assert_eq!(answer.status, 403, "{wrong}: {body}");
            assert!(body.contains(words), "{wrong}: {body}");
            assert!(browser.cookies.values().all(|jar| !jar.contains_key("assent_session")));
        }
    }
}

/// Without the operator's setting no provider inside of the own network is called.
#[test]
fn a_provider_inside_of_the_own_network_is_not_called() {
    let world = World::new();
    set(
        &world,
        "inner",
        &json!({"issuer": "http://127.0.0.1:9", "client_id": "assent"}),
    );
    let answer = world.ask("GET", "/t/acme/sign-in/inner").send();
    assert_eq!(answer.status, 502);
    assert!(String::from_utf8_lossy(&answer.body).contains("have the operator allow the address"));
    let plain = json!({"issuer": "http://id.example", "client_id": "assent"});
    world
        .as_person("adam", "PUT", "/identity-providers/plain")
        .json(&plain)
        .send()
        .problem(422, "invalid");
}

/// The token that a job of the platform fetches for itself.
fn job_token(provider: &Provider, query: &str) -> String {
    let url = format!("{}/job?{query}", provider.platform);
    let answer = Browser::default().ask("GET", &url, "").expect(200);
    answer["value"].as_str().unwrap().to_owned()
}

fn exchange(world: &World, tenant: &str, token: &str) -> Answer {
    let grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";
    let kind = "urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt";
    let form = format!("grant_type={grant}&subject_token_type={kind}&subject_token={token}");
    world
        .ask("POST", &format!("/t/{tenant}/token"))
        .bytes("application/x-www-form-urlencoded", form.as_bytes())
        .send()
}

fn set_workload(world: &World, key: &str, body: &Value) -> Answer {
    world
        .as_person("adam", "PUT", &format!("/workloads/{key}"))
        .json(body)
        .send()
}

/// The claims of GitHub's token of a job, as far as rules look at them.
const GITHUB: &str = "aud=assent&sub=repo:acme/booking-api:environment:production&repository=acme/booking-api\
    &repository_owner=acme&environment=production&ref=refs/heads/main&run_id=1";

fn gate_as(world: &World, token: &str) -> Answer {
    world
        .ask(
            "GET",
            "/api/v1/gate?service=booking-api&environment=production&commit=abcdef1",
        )
        .header("authorization", &format!("Bearer {token}"))
        .send()
}

#[test]
fn a_job_shows_its_platforms_token_instead_of_a_stored_secret() {
    let (world, provider) = worlds();
    let rule = json!({
        "name": "Releases", "issuer": provider.platform, "meant_for": "assent", "person": "pipe", "minutes": 10,
        "claims": {"repository": ["acme/booking-api", "acme/web-*"], "environment": "production", "ref": "refs/heads/main"},
    });
    let set = set_workload(&world, "releases", &rule).expect(200);
    assert_eq!((&set["owner"], &set["scopes"]), (&json!("adam"), &json!(["gate"])));
    assert!(set["token_url"].as_str().unwrap().ends_with("/t/acme/token"));
    let shown = job_token(&provider, GITHUB);
    let given = exchange(&world, "acme", &shown).expect(200);
    assert_eq!(given["token_type"], "Bearer");
    // No longer than the platform's token counts, which is shorter than the ten minutes of the rule.
    assert!((280..=300).contains(&given["expires_in"].as_i64().unwrap()), "{given}");
    let again = exchange(&world, "acme", &shown).expect(400);
    assert_eq!(again["code"], "token_used", "each is valid once");
    let one = format!("{GITHUB}&jti=one");
    exchange(&world, "acme", &job_token(&provider, &one)).expect(200);
    let other = exchange(&world, "acme", &job_token(&provider, &format!("{one}&run_attempt=2"))).expect(400);
    assert_eq!(other["code"], "token_used", "another token of the same id is the same");
    let token = given["access_token"].as_str().unwrap();
    assert_eq!(gate_as(&world, token).header("assent-decision"), "stop");
    let write = world
        .ask("POST", "/api/v1/changes")
        .header("authorization", &format!("Bearer {token}"));
    write.json(&json!({})).send().problem(403, "scope_missing");
    // GitLab's claims, under a rule of their own for the same issuer.
    let gitlab = json!({
        "issuer": provider.platform, "meant_for": "https://assent.acme.example", "person": "pipe", "scopes": ["gate", "read"],
        "claims": {"project_path": "acme/*", "ref_protected": "true", "environment": ["production", "staging"]},
    });
    set_workload(&world, "gitlab", &gitlab).expect(200);
    let job = "aud=https://assent.acme.example&sub=project_path:acme/web:ref_type:branch:ref:main\
        &project_path=acme/web&ref_protected=true&environment=staging";
    let second = exchange(&world, "acme", &job_token(&provider, job)).expect(200);
    let second = second["access_token"].as_str().unwrap();
    world
        .ask("GET", "/api/v1/me")
        .header("authorization", &format!("Bearer {second}"))
        .send()
        .expect(200);
    // Ended, its jobs are out at once, and no new one comes in; the other rule's go on.
    world
        .as_person("adam", "DELETE", "/workloads/releases")
        .send()
        .expect(200);
    gate_as(&world, token).problem(401, "unauthenticated");
    assert_eq!(gate_as(&world, second).header("assent-decision"), "stop");
    let refused = exchange(&world, "acme", &job_token(&provider, GITHUB)).expect(400);
    assert_eq!(refused["error"], "invalid_grant");
    // With the person whom they represent they are out as well.
    world.post("adam", "/people/pipe/deactivation", &json!({})).expect(201);
    gate_as(&world, second).problem(401, "unauthenticated");
}

/// An issuer of the organisation's own admits by a claim that anybody's job has; a public platform is nobody's own.
fn an_own_issuer_is_said_to_be_one(world: &World, mut rule: Value) {
    rule["own_issuer"] = json!(true);
    set_workload(world, "own-platform", &rule).expect(200);
    let end = world.as_person("adam", "DELETE", "/workloads/own-platform");
    end.send().expect(200);
    rule["issuer"] = json!("https://gitlab.com");
    set_workload(world, "gitlab", &rule).problem(422, "invalid");
}

#[test]
fn jobs_that_nobody_trusts_are_refused_and_noted() {
    let (world, provider) = worlds();
    let rule =
        |claims: Value| json!({"issuer": provider.platform, "meant_for": "assent", "person": "pipe", "claims": claims});
    for claims in [
        json!({}),
        json!({"repository": "*"}),
        json!({"repository": ["acme/x", "**"]}),
        // This platform is nobody's that is known, so a claim that anybody's job has opens nothing.
        json!({"environment": "production"}),
        json!(null),
    ] {
        set_workload(&world, "open", &rule(claims)).problem(422, "invalid");
    }
    an_own_issuer_is_said_to_be_one(&world, rule(json!({"environment": "production"})));
    let bare = set_workload(&world, "bare", &json!({})).problem(422, "invalid");
    let fields: Vec<&Value> = bare["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["field"])
        .collect();
    assert_eq!(fields, ["issuer", "person", "meant_for", "claims"], "all at once");
    let wide = json!({"issuer": provider.platform, "meant_for": "assent", "person": "pipe", "claims": {"sub": "a"}, "scopes": ["admin"]});
    set_workload(&world, "wide", &wide).problem(422, "invalid");
    world
        .as_person("rita", "PUT", "/workloads/own")
        .json(&rule(json!({"repository": "acme/x"})))
        .send()
        .problem(403, "not_allowed");
    set_workload(
        &world,
        "releases",
        &rule(json!({"repository": "acme/booking-api", "environment": "production"})),
    )
    .expect(200);
    for (query, code) in [
        (
            GITHUB.replace("repository=acme/booking-api", "repository=evil/booking-api"),
            "not_trusted",
        ),
        (GITHUB.replace("&environment=production", ""), "not_trusted"),
        (GITHUB.replace("aud=assent", "aud=another"), "wrong_audience"),
        (format!("{GITHUB}&wrong=expired"), "token_expired"),
        (format!("{GITHUB}&wrong=early"), "bad_token"),
        (format!("{GITHUB}&wrong=long"), "token_too_long"),
        (format!("{GITHUB}&wrong=old"), "token_too_long"),
        (format!("{GITHUB}&wrong=unsigned"), "token_unsigned"),
        (format!("{GITHUB}&wrong=key"), "wrong_signature"),
    ] {
        let answer = exchange(&world, "acme", &job_token(&provider, &query));
        let body = answer.expect(400);
        assert_eq!(
            (&body["error"], &body["code"]),
            (&json!("invalid_grant"), &json!(code)),
            "{query}"
        );
        if code == "token_expired" {
            // A good one opens all the same.
            exchange(&world, "acme", &job_token(&provider, GITHUB)).expect(200);
        }
    }
    let foreign = exchange(&world, "acme", &job_token(&provider, &format!("{GITHUB}&wrong=issuer"))).json();
    let absent = exchange(&world, "nowhere", &job_token(&provider, GITHUB)).json();
    for answer in [foreign, absent] {
        assert!(answer.get("access_token").is_none(), "{answer}");
    }
}
