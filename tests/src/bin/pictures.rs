//! Pictures of pages, for designers of the look: four widths, both themes.
//!
//! `cargo run -p tests --bin pictures -- DATA ROLE PATH…` signs in to the demo server whose folder is DATA as ROLE and keeps
//! each page of the tenant under `target/browser/pictures/ROLE`. `… -- every LANGUAGE [WORDS]` starts a demo of its own,
//! furnishes it and keeps every kind of page in that language under `target/browser/pictures/every-LANGUAGE`; with WORDS,
//! parted by commas, only those whose role and path contain one of them.
#![expect(clippy::unwrap_used, reason = "a tool of the tests stops where it fails")]

use serde_json::Value;
use tests::browser::{Browser, Look};
use tests::crawl::every_page;
use tests::{Place, Server};

/// The widths of a narrow phone, a usual phone, a tablet and a desk.
const WIDTHS: [u32; 4] = [320, 390, 768, 1440];
/// Elements further to the right than the window.
const FAR: &str = "return [...document.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right >
    document.documentElement.clientWidth + 1).map((one) => one.outerHTML.slice(0, 100)).slice(-4).join('\\n');";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.as_slice() {
        [every, language] if every == "every" => all(language, ""),
        [every, language, part] if every == "every" => all(language, part),
        [data, role, paths @ ..] => some(data, role, paths),
        _ => panic!("usage: pictures DATA ROLE PATH… or pictures every LANGUAGE [WORDS]"),
    }
}

/// A path as part of a file's name.
fn name(path: &str) -> String {
    let sign = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let name: String = path.chars().map(sign).take(120).collect();
    name.trim_matches('-').to_owned()
}

fn keep(browser: &Browser, name: &str) {
    let looks = WIDTHS.into_iter().flat_map(|width| {
        [false, true].map(|is_dark| Look {
            width,
            height: 900,
            is_dark,
        })
    });
    for look in looks {
        browser.look(look);
        let kept = browser.picture(&format!("{name}-{}", look.name()), true);
        println!("{}", kept.display());
        let far = browser.run(FAR, &[]);
        println!("{}", far.as_str().unwrap_or_default());
    }
}

fn some(data: &str, role: &str, paths: &[String]) {
    let text = std::fs::read_to_string(format!("{data}/demo-credentials.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let server = file["server"].as_str().unwrap();
    let people = file["people"].as_array().unwrap();
    let person = people.iter().find(|person| person["role"] == *role).unwrap();
    let base = format!("{server}/t/{}", person["tenant"].as_str().unwrap());
    let browser = Browser::open();
    browser.go(&format!("{base}/sign-in"));
    browser.pass_the_door(person);
    for path in paths {
        browser.go(&format!("{base}{path}"));
        keep(&browser, &format!("{role}/{}", name(path)));
    }
}

fn all(language: &str, part: &str) {
    let place = Place::demo("pictures");
    let server = Server::start(&place, true);
    let browser = Browser::open();
    every_page(&server, |stop| {
        let person = server.person(stop.role);
        let base = format!("{}/t/{}", server.url, person["tenant"].as_str().unwrap());
        if stop.is_first {
            browser.forget();
            browser.go(&format!("{base}/sign-in?language={language}"));
            browser.pass_the_door(&person);
        }
        browser.look(Look::DESK);
        browser.go(&format!("{base}{}", stop.path));
        if part.split(',').any(|word| stop.name().contains(word)) {
            keep(&browser, &format!("every-{language}/{}-{}", stop.role, name(stop.path)));
        }
        let found = browser.run(
            "return [...document.querySelectorAll('a[href]')].map((one) => one.getAttribute('href'));",
            &[],
        );
        let found = found.as_array().cloned().unwrap_or_default();
        found.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    });
}
