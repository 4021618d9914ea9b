//! From an empty folder: an administrator is led through people, services, owners and the first connection to a gated pipeline;
//! each colleague signs in by a link that works once. Clicks and typed fields on the way are counted.

use std::process::Command;

use serde_json::{Value, json};
use tests::browser::{Browser, Look};
use tests::journey::{self, artifact};
use tests::{Place, Server, binary};

const PASSWORD: &str = "correct horse battery";
/// The password that each colleague chooses.
const CHOSEN: &str = "a battery of horses";
/// The most clicks and typed fields from signing in to the first delivery awaited; the user's own actions are counted here.
const MOST_CLICKS: usize = 7;
const MOST_FIELDS: usize = 4;
/// The most from signing in to the first gate check that returns go, those of the three colleagues who approve included.
const MOST_CLICKS_TO_GO: usize = 18;
const MOST_FIELDS_TO_GO: usize = 7;
/// The colleagues, each with what they may do: three who approve and one who writes changes.
const PEOPLE: &str = "Hanne Brandt <hanne@acme.example>, owner
Sven Lund <sven@acme.example>, security
Mira Vos <mira@acme.example>, change manager
Aiko Tanaka <aiko@acme.example>, requester";
/// GitHub's request when the webhook is saved.
const PING: &str = r#"{"zen":"Keep it simple.","hook_id":1}"#;
/// Signs a text with a secret, as GitHub does.
const SIGN: &str = "const [secret, text, done] = arguments;
    const bytes = (words) => new TextEncoder().encode(words);
    crypto.subtle.importKey('raw', bytes(secret), {name: 'HMAC', hash: 'SHA-256'}, false, ['sign'])
        .then((key) => crypto.subtle.sign('HMAC', key, bytes(text)))
        .then((mac) => done([...new Uint8Array(mac)].map((it) => it.toString(16).padStart(2, '0')).join('')),
            (error) => done(String(error)));";

/// The actions of a user.
struct CountingUser<'b> {
    browser: &'b Browser,
    clicks: usize,
    fields: usize,
}

impl CountingUser<'_> {
    fn fill(&mut self, css: &str, text: &str) {
        self.fields += 1;
        self.browser.fill(css, text);
    }

    /// Follows a link or presses a button with this text, which leads to another page.
    fn follow(&mut self, words: &str) {
        self.clicks += 1;
        self.browser.leave_by(|| self.browser.click_words(words));
    }

    /// Prints both counts, which may be no higher than these.
    fn told(&self, whither: &str, clicks: usize, fields: usize) {
        println!("{whither}: {} clicks, {} typed fields", self.clicks, self.fields);
        assert!(
            self.clicks <= clicks && self.fields <= fields,
            "{whither}: {} clicks, {} typed fields",
            self.clicks,
            self.fields
        );
    }

    fn set(&mut self, css: &str, value: &str) {
        self.clicks += 1;
        self.browser.set(css, value);
    }

    fn click(&mut self, css: &str) {
        self.clicks += 1;
        self.browser.click(css);
    }

    /// Sends the form of a step by its button.
    fn send(&mut self, step: &str) {
        self.clicks += 1;
        let button = format!("form[action$='/setup/{step}'] > div > button");
        self.browser.leave_by(|| self.browser.click(&button));
    }
}

fn empty() -> (Place, Server) {
    let place = Place::new("first-run");
    let mut create = Command::new(binary());
    create.args([
        "person",
        "create",
        "--admin",
        "--tenant",
        "acme",
        "--login",
        "root",
        "--password-file",
        "-",
    ]);
    match &place.database {
        Some(url) => create
            .args(["--database", url])
            .env("ASSENT_MASTER_KEY", tests::MASTER_KEY),
        None => create.arg("--data").arg(place.folder.path()),
    };
    let mut child = create
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let server = Server::start(&place, false);
    (place, server)
}

fn done(browser: &Browser, step: &str) -> bool {
    browser.text(&format!("#{step} .sec")).contains("done")
}

#[test]
fn an_empty_installation_leads_its_administrator_to_a_connection_that_waits() {
    let (_place, server) = empty();
    let browser = Browser::open();
    browser.look(Look::DESK);
    browser.go(&format!("{}/t/acme/", server.url));
    browser.pass_the_door(&json!({"login": "root", "password": PASSWORD}));
    let mut hand = CountingUser {
        browser: &browser,
        clicks: 0,
        fields: 0,
    };
    browser.wait_for_words("not set up yet");
    hand.clicks += 1;
    browser.leave_by(|| browser.click_words("Set up Assent"));
    assert!(!done(&browser, "people") && !done(&browser, "services"));
    assert!(browser.text("#people").contains("Add a second administrator"));
    browser.wait_for(
        "the lines for the pipeline can be copied",
        "return document.querySelector('#gate').innerText.includes('Copy');",
    );
    assert_eq!(browser.axe(), Vec::<String>::new());
    hand.fill("textarea[name=people]", PEOPLE);
    hand.send("people");
    browser.wait_for_words("People added: 4");
    let links = shown(&browser);
    assert_eq!(links.len(), 4, "{links:?}");
    assert!(done(&browser, "people"));
    hand.fill("textarea[name=services]", "wms, Warehouse, Logistics\nrates");
    hand.send("services");
    browser.wait_for(
        "the services are there",
        "return document.querySelector('#services .sec').innerText.includes('done');",
    );
    hand.fill("form[action$='/setup/owner'] [name=person]", "hanne");
    hand.send("owner");
    browser.wait_for(
        "they have an owner",
        "return document.querySelector('#owners .sec').innerText.includes('done');",
    );
    browser.picture("first-run/setup", true);
    connect(&mut hand);
    hand.told("to the first delivery awaited", MOST_CLICKS, MOST_FIELDS);
    to_the_gate(&mut hand, &server, &links);
    hand.told("to the first gate that says go", MOST_CLICKS_TO_GO, MOST_FIELDS_TO_GO);
    browser.forget();
    browser.go(&format!("{}/t/acme/setup", server.url));
    browser.pass_the_door(&json!({"login": "root", "password": PASSWORD}));
    browser.go(&format!("{}/t/acme/setup", server.url));
    assert!(done(&browser, "gate"), "{}", browser.text("#gate"));
    leads_in_once(&browser, &links[3]);
}

/// The values that the answer of a form shows this once.
fn shown(browser: &Browser) -> Vec<String> {
    let script = "return [...document.querySelectorAll('.notice[data-answer] code')].map((one) => one.textContent);";
    let shown = browser.run(script, &[]);
    let shown = shown.as_array().unwrap().iter().filter_map(Value::as_str);
    shown.map(|one| one.trim().to_owned()).collect()
}

/// Goes on: the first delivery arrives under the eyes of the administrator, who makes a token. A pipeline is stopped and writes a
/// change about its artifact, and once three colleagues approve it the gate returns go.
fn to_the_gate(hand: &mut CountingUser<'_>, server: &Server, links: &[String]) {
    let browser = hand.browser;
    deliver(browser);
    browser.wait_for_words("The first delivery arrived");
    hand.follow("Continue the set-up");
    assert!(done(browser, "connection"));
    hand.follow("Create a token for the pipeline");
    browser.wait_for_words("Copy it now");
    let pipeline = shown(browser).pop().unwrap();
    let admin = admin_token(browser, server);
    let low = json!({"key": "shop", "name": "Shop", "criticality": "low"});
    server.must("POST", "/api/v1/services", &admin, Some(&low));
    let question = json!({"service": "shop", "environment": "production", "artifact": artifact(1)});
    let ask = || server.must("POST", "/api/v1/gate-checks", &pipeline, Some(&question));
    let stopped = ask();
    assert_eq!(stopped["decision"], "stop", "{stopped}");
    write(server, &pipeline, &question);
    for link in &links[..3] {
        approve(hand, link);
    }
    let let_through = ask();
    assert_eq!(let_through["decision"], "go", "{let_through}");
}

/// A token for what the test itself sets: it is no step of a user.
fn admin_token(browser: &Browser, server: &Server) -> String {
    browser.go(&format!("{}/t/acme/tokens", server.url));
    browser.click_words("Create a token");
    let form = "form[action$='/tokens']";
    browser.fill(&format!("{form} [name=name]"), "The test");
    for scope in ["read", "write", "admin"] {
        browser.click(&format!("{form} [name=scopes][value={scope}]"));
    }
    browser.leave_by(|| browser.click_words("Create this token"));
    shown(browser).pop().unwrap()
}

/// The pipeline writes a change about its artifact, with the evidence for it.
fn write(server: &Server, pipeline: &str, question: &Value) {
    let must = |path: &str, body: &Value| server.must("POST", &format!("/api/v1{path}"), pipeline, Some(body));
    let mut wanted = journey::request("Ship it", &artifact(1), server.server_time());
    wanted["targets"] = json!([question]);
    let made = must("/changes", &wanted);
    let path = format!("/changes/{}", made["key"].as_str().unwrap());
    must(&format!("{path}/submission"), &json!({}));
    must(&format!("{path}/assessment"), &json!({"dependencies_reviewed": true}));
    must(&format!("{path}/evidence"), &journey::evidence(&artifact(1)));
}

/// A colleague follows the link, chooses a password and approves what waits at home.
fn approve(hand: &mut CountingUser<'_>, link: &str) {
    let browser = hand.browser;
    browser.forget();
    hand.clicks += 1;
    browser.go(link);
    hand.fill("[name=password]", CHOSEN);
    hand.clicks += 1;
    browser.leave_by(|| browser.click("form button"));
    browser.wait_for("they are in", "return location.pathname === '/t/acme/';");
    hand.follow("Approve");
    browser.wait_for_words("Approval recorded");
}

/// Delivers GitHub's first message, signed with the secret that the page shows this once.
fn deliver(browser: &Browser) {
    let shown = shown(browser);
    let (address, secret) = (shown[0].as_str(), shown[1].as_str());
    let mac = browser.run_async(SIGN, &[json!(secret), json!(PING)]);
    let answer = tests::caller::agent()
        .post(address)
        .header("Content-Type", "application/json")
        .header("X-GitHub-Event", "ping")
        .header("X-GitHub-Delivery", "first-run-1")
        .header("X-Hub-Signature-256", format!("sha256={}", mac.as_str().unwrap()))
        .send(PING)
        .unwrap();
    assert_eq!(answer.status().as_u16(), 202);
}

/// The link lets its person in once, with a password of their own.
fn leads_in_once(browser: &Browser, link: &str) {
    let enter = |password: &str| {
        browser.forget();
        browser.go(link);
        browser.fill("[name=password]", password);
        browser.leave_by(|| browser.click("form button"));
    };
    enter("short");
    browser.wait_for_words("at least 10 characters");
    enter(CHOSEN);
    browser.wait_for("aiko is in", "return location.pathname === '/t/acme/';");
    enter("another one of mine");
    browser.wait_for_words("This link was already used");
}

/// Connects GitHub, and reads the guide that waits for its first delivery.
fn connect(hand: &mut CountingUser<'_>) {
    let browser = hand.browser;
    hand.click("#connection summary");
    hand.set("form[action$='/setup/connection'] [name=kind]", "github");
    hand.fill("form[action$='/setup/connection'] [name=name]", "GitHub of Logistics");
    hand.send("connection");
    browser.wait_for_words("Waiting for the first delivery from GitHub");
    assert!(
        browser.text("#webhook").contains("/hooks/"),
        "{}",
        browser.text("#webhook")
    );
    assert!(browser.text("#events").contains("become gate checks"));
    assert_eq!(browser.axe(), Vec::<String>::new());
    browser.picture("first-run/connection", true);
}
