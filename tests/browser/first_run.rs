//! From an empty folder: an administrator is led through people, services, owners and the first connection to a gated pipeline;
//! each colleague signs in by a link that works once. Clicks and typed fields on the way are counted.

use std::process::Command;

use serde_json::{Value, json};
use tests::browser::{Browser, Look};
use tests::journey::{self, artifact};
use tests::{Place, Server, binary};

const PASSWORD: &str = "correct horse battery";
/// The most clicks and typed fields from signing in to the first delivery awaited; the user's own actions are counted here.
const MOST_CLICKS: usize = 12;
const MOST_FIELDS: usize = 8;
/// The most from there until the pipeline has its token.
const MOST_CLICKS_ON: usize = 7;
const MOST_FIELDS_ON: usize = 1;
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
struct Hand<'b> {
    browser: &'b Browser,
    clicks: usize,
    fields: usize,
}

impl Hand<'_> {
    fn fill(&mut self, css: &str, text: &str) {
        self.fields += 1;
        self.browser.fill(css, text);
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
    let mut hand = Hand {
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
    hand.fill(
        "textarea[name=people]",
        "Hanne Brandt <hanne@acme.example>\nAiko Tanaka <aiko@acme.example>",
    );
    hand.click("[name=roles][value=requester]");
    hand.send("people");
    browser.wait_for_words("People added: 2");
    let script = "return [...document.querySelectorAll('.notice[data-answer] code')].map((one) => one.textContent);";
    let links = browser.run(script, &[]);
    let links: Vec<&str> = links
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one.as_str())
        .collect();
    assert_eq!(links.len(), 2, "{links:?}");
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
    println!("{} clicks, {} typed fields", hand.clicks, hand.fields);
    assert!(
        hand.clicks <= MOST_CLICKS && hand.fields <= MOST_FIELDS,
        "{} {}",
        hand.clicks,
        hand.fields
    );
    to_the_gate(&browser, &server);
    leads_in_once(&browser, links[0]);
}

/// Goes on: the first delivery arrives under the eyes of the administrator, who makes a token. A pipeline is stopped, and once
/// a change about its artifact is approved the gate returns go, which is the last step of the set-up.
fn to_the_gate(browser: &Browser, server: &Server) {
    deliver(browser);
    browser.wait_for_words("The first delivery arrived");
    let mut hand = Hand {
        browser,
        clicks: 0,
        fields: 0,
    };
    hand.clicks += 1;
    browser.leave_by(|| browser.click_words("On with the set-up"));
    assert!(done(browser, "connection"));
    hand.clicks += 1;
    browser.leave_by(|| browser.click_words("Make a token for the pipeline"));
    hand.clicks += 1;
    browser.click_words("Make a token");
    let form = "form[action$='/tokens']";
    hand.fill(&format!("{form} [name=name]"), "The first pipeline");
    for scope in ["read", "write", "admin"] {
        hand.click(&format!("{form} [name=scopes][value={scope}]"));
    }
    hand.clicks += 1;
    browser.leave_by(|| browser.click_words("Make this token"));
    assert!(
        hand.clicks <= MOST_CLICKS_ON && hand.fields <= MOST_FIELDS_ON,
        "{} {}",
        hand.clicks,
        hand.fields
    );
    let token = browser.text(".notice code");
    goes(server, token.trim());
    browser.go(&format!("{}/t/acme/setup", server.url));
    assert!(done(browser, "gate"), "{}", browser.text("#gate"));
}

/// Delivers GitHub's first message, signed with the secret that the page shows this once.
fn deliver(browser: &Browser) {
    let script = "return [...document.querySelectorAll('.notice[data-answer] code')].map((one) => one.textContent);";
    let shown = browser.run(script, &[]);
    let (address, secret) = (shown[0].as_str().unwrap(), shown[1].as_str().unwrap());
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

/// A change is written, approved by three others and checked by the pipeline, each with a token of their own.
fn goes(server: &Server, admin: &str) {
    let must = |token: &str, method: &str, path: &str, body: &Value| {
        server.must(method, &format!("/api/v1{path}"), token, Some(body))
    };
    let account = |login: &str, role: &str| -> String {
        must(
            admin,
            "POST",
            "/people",
            &json!({"login": login, "name": login, "roles": [role]}),
        );
        let token = json!({"name": login, "person": login, "scopes": ["read", "write", "gate"]});
        let made = must(admin, "POST", "/tokens", &token);
        made["token"].as_str().unwrap().to_owned()
    };
    let [rita, olga, sven, mira, deploy] = [
        ("rita", "requester"),
        ("olga", "owner"),
        ("sven", "security"),
        ("mira", "change_manager"),
        ("deploy", "pipeline"),
    ]
    .map(|(login, role)| account(login, role));
    let service = json!({"key": "shop", "name": "Shop", "criticality": "low"});
    must(admin, "POST", "/services", &service);
    let owner = json!({"service": "shop", "role": "owner", "person": "olga"});
    must(admin, "POST", "/ownerships", &owner);
    let artifact = artifact(1);
    let question = json!({"service": "shop", "environment": "production", "artifact": artifact});
    let stopped = must(&deploy, "POST", "/gate-checks", &question);
    assert_eq!(stopped["decision"], "stop", "{stopped}");
    let mut wanted = journey::request("Ship it", &artifact, server.server_time());
    wanted["targets"] = json!([question]);
    let made = must(&rita, "POST", "/changes", &wanted);
    let path = format!("/changes/{}", made["key"].as_str().unwrap());
    must(&rita, "POST", &format!("{path}/submission"), &json!({}));
    let assessment = json!({"dependencies_reviewed": true});
    must(&rita, "POST", &format!("{path}/assessment"), &assessment);
    must(
        &rita,
        "POST",
        &format!("{path}/evidence"),
        &journey::evidence(&artifact),
    );
    for token in [&olga, &sven, &mira] {
        let digest = server.must("GET", &format!("/api/v1{path}"), token, None)["content_digest"].clone();
        let decision = json!({"decision": "approve", "content_digest": digest});
        must(token, "POST", &format!("{path}/approvals"), &decision);
    }
    let let_through = must(&deploy, "POST", "/gate-checks", &question);
    assert_eq!(let_through["decision"], "go", "{let_through}");
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
    enter("a battery of horses");
    browser.wait_for("hanne is in", "return location.pathname === '/t/acme/';");
    enter("another one of mine");
    browser.wait_for_words("This link was used already");
}

/// Connects GitHub, and reads the guide that waits for its first delivery.
fn connect(hand: &mut Hand<'_>) {
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
