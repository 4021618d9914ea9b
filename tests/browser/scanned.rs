//! The acts of a mail scanner with a browser of its own: it opens every letter and clicks whatever it can in it, with scripts
//! running, as a stranger and in the session of the letter's recipient. Links navigate; nothing else comes of them.

use serde_json::{Value, json};
use tests::Server;
use tests::faults::{eventually, size};
use tests::journey::{artifact, request, waiting_for_approval};
use tests::letters::{Letter, Letters};

use crate::desk::Desk;

/// The roles whose approval a change needs.
const ASKED: [&str; 3] = ["owner", "security", "change_manager"];

/// The approvals of a change and its state.
fn standing(server: &Server, path: &str) -> Value {
    let auditor = server.token("auditor");
    let change = server.must("GET", path, &auditor, None);
    let words = server.must("GET", &format!("{path}/approvals"), &auditor, None);
    json!([change["state"], change["version"], change["requests"], words["items"]])
}

/// Opens a letter as a mail program shows it, its addresses as links, and clicks each; returns their number.
fn click_all(desk: &Desk, letter: &Letter) -> usize {
    let links = letter.links(&desk.server.url);
    assert!(!links.is_empty(), "a letter without a link: {letter:?}");
    for link in &links {
        desk.browser.go("about:blank");
        let script = "const link = document.createElement('a');
            link.href = arguments[0]; link.textContent = arguments[0];
            document.body.append(document.createTextNode(arguments[1]), link);
            return true;";
        let address = format!("{}{link}", desk.server.url);
        desk.browser.run(script, &[json!(address), json!(letter.text())]);
        desk.browser.leave_by(|| desk.browser.click("a"));
        let title = desk.browser.title();
        assert!(title.contains("Assent"), "{address} leads to `{title}`");
    }
    links.len()
}

#[test]
fn a_browser_that_clicks_everything_in_every_letter_decides_nothing() {
    let letters = Letters::start();
    let desk = Desk::open_told(&letters);
    let server = &desk.server;
    let wanted = size("ASSENT_TEST_CLICKED", 6);
    let mut paths: Vec<String> = Vec::new();
    while paths.len() * ASKED.len() < wanted {
        let digest = artifact(81_000 + paths.len() as u64);
        let title = format!("Clicked about {}", paths.len());
        let path = waiting_for_approval(server, &request(&title, &digest, server.server_time()), &digest);
        let subject = format!("{} needs your decision", path.rsplit('/').next().unwrap());
        eventually("whoever is asked has a letter", || {
            letters.to("", &subject).len() >= ASKED.len()
        });
        paths.push(path);
    }
    let before: Vec<Value> = paths.iter().map(|path| standing(server, path)).collect();
    let mut clicked = 0;
    desk.browser.forget();
    for letter in letters.to("", "needs your decision") {
        clicked += click_all(&desk, &letter);
    }
    for role in ASKED {
        desk.enter(&desk.browser, role, "/");
        let login = server.person(role)["login"].as_str().unwrap().to_owned();
        let own = letters.to(&format!("{login}@halden.example"), "needs your decision");
        assert!(own.len() >= paths.len(), "{role} has {} letters", own.len());
        for letter in own {
            clicked += click_all(&desk, &letter);
        }
    }
    assert!(clicked >= 2 * wanted, "only {clicked} clicks in {wanted} letters");
    let after: Vec<Value> = paths.iter().map(|path| standing(server, path)).collect();
    assert_eq!(after, before);
}
