//! Pictures of pages, for the eyes of whoever changes the look: three widths, both themes.
//!
//! `cargo run -p tests --bin pictures -- DATA ROLE PATH…` signs in to the demo server whose folder is DATA as ROLE and
//! keeps each page of the tenant under `target/browser/pictures/ROLE`.
#![expect(clippy::unwrap_used, reason = "a tool of the tests stops where it fails")]

use serde_json::Value;
use tests::browser::{Browser, Look};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [data, role, paths @ ..] = words.as_slice() else {
        panic!("usage: pictures DATA ROLE PATH…");
    };
    let text = std::fs::read_to_string(format!("{data}/demo-credentials.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let server = file["server"].as_str().unwrap();
    let people = file["people"].as_array().unwrap();
    let person = people.iter().find(|person| person["role"] == *role).unwrap();
    let base = format!("{server}/t/{}", person["tenant"].as_str().unwrap());
    let browser = Browser::open();
    browser.go(&format!("{base}/sign-in"));
    browser.type_into("input[name=login]", person["login"].as_str().unwrap());
    browser.type_into("input[name=password]", person["password"].as_str().unwrap());
    browser.click("form button");
    browser.wait_for("the door is behind", "return !location.pathname.endsWith('/sign-in');");
    let looks = [
        Look::DESK,
        Look::DESK_DARK,
        Look::TABLET,
        Look::NARROW,
        Look::NARROW_DARK,
    ];
    for path in paths {
        browser.go(&format!("{base}{path}"));
        let name: String = path
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        for look in looks {
            browser.look(look);
            let kept = browser.picture(&format!("{role}/{}-{}", name.trim_matches('-'), look.name()), true);
            println!("{}", kept.display());
        }
        let script = "return [...document.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right >
            document.documentElement.clientWidth + 1).map((one) => one.outerHTML.slice(0, 100)).slice(-4).join('\\n');";
        println!("{}", browser.run(script, &[]).as_str().unwrap_or_default());
    }
}
