//! From an empty folder: an administrator is led through people, services, owners and the first connection to a gated
//! pipeline; each colleague signs in by a link that works once. What is clicked and typed on the way is counted.

use std::process::Command;

use serde_json::json;
use tests::browser::{Browser, Look};
use tests::{Place, Server, binary};

const PASSWORD: &str = "correct horse battery";
/// The most clicks and typed fields from signing in to the first delivery awaited; what is counted here by hand.
const MOST_CLICKS: usize = 12;
const MOST_FIELDS: usize = 8;

/// What a hand did.
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

    leads_in_once(&browser, links[0]);
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
