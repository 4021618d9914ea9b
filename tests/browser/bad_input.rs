//! Input that must break no page: texts that deceive, texts without a break, ten thousand things that need a target, cells that
//! look like formulas.

use std::fmt::Write;

use serde_json::{Value, json};
use tests::browser::Look;
use tests::journey;

use crate::desk::Desk;

const WORD: &str = "Donaudampfschifffahrtsgesellschaftskapitän";

#[test]
fn texts_that_deceive_are_shown_for_what_they_are_on_every_page_that_tells_them() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let title = format!(
        "=cmd|' /C calc'!A0 <img src=x onerror=alert(1)> \u{202e}gpj\u{202c}\u{200b} {}",
        WORD.repeat(3)
    );
    let mut request = journey::request(&title, &journey::artifact(6), desk.server.server_time());
    request["description"] = json!(format!(
        "<script>alert(1)</script> {} \u{2067}abc\u{2069}",
        WORD.repeat(6)
    ));
    request["plan"] = json!([{"title": format!("\u{202e}{}", WORD.repeat(4)), "check": "<b onclick=alert(1)>x</b>"}]);
    request["labels"] = json!(["\u{202e}label", WORD]);
    let made = desk.api("requester", "POST", "/changes", request);
    let key = made["key"].as_str().unwrap();
    desk.sign_in("requester");
    let pages = [
        "/".to_owned(),
        "/changes".to_owned(),
        format!("/changes/{key}"),
        format!("/changes/{key}/runbook"),
        format!("/changes/{key}/affected"),
        "/calendar".to_owned(),
        "/calendar?view=service".to_owned(),
        "/calendar?view=month".to_owned(),
        format!("/changes/{key}/edit"),
        format!("/changes/{key}/clone"),
    ];
    for page in &pages {
        browser.look(Look::NARROW);
        desk.go(page);
        assert_eq!(desk.too_wide(), 0, "{page} scrolls sideways");
        assert_eq!(
            browser.run("return document.querySelectorAll('img, main script').length;", &[]),
            0,
            "{page}"
        );
        let html = browser.run("return document.querySelector('main').innerText;", &[]);
        let told = html.as_str().unwrap();
        assert!(!told.contains('\u{202e}'), "{page} turns the eye round");
        browser.look(Look::DESK);
        assert_eq!(desk.too_wide(), 0, "{page} scrolls sideways on a desk");
    }
    desk.go(&format!("/changes/{key}"));
    browser.wait_for_words("U+202E");
    browser.picture("journeys/deceiving-text", true);
    let console = browser.console();
    assert!(console.iter().all(|(_, line)| !line.contains("alert")), "{console:?}");
    let csv = desk.fetched(&format!("/changes.csv?q={key}"));
    let row = csv
        .lines()
        .find(|line| line.contains("cmd|"))
        .unwrap_or_else(|| panic!("no row in\n{csv}"));
    assert!(
        row.contains("\"'=cmd|"),
        "a cell that looks like a formula is a text: {row}"
    );
}

#[test]
fn ten_thousand_things_that_need_a_target_are_drawn_counted_and_told_page_by_page() {
    let desk = Desk::open();
    let browser = &desk.browser;
    // In parts: the test waits for each response.
    for part in 0..4 {
        let mut items = String::from("key,name,service\n");
        let mut arrows = String::from("from,to,kind,from_kind,to_kind\n");
        for number in part * 2_500..(part + 1) * 2_500 {
            writeln!(items, "unit-{number:05},Unit {number},label-print").unwrap();
            let (to, kind) = match number {
                0..100 => (journey::SERVICE.to_owned(), "service"),
                _ => (format!("unit-{:05}", number / 100), "config_item"),
            };
            writeln!(arrows, "unit-{number:05},{to},depends_on,config_item,{kind}").unwrap();
        }
        for (kind, text) in [("config_items", items), ("dependencies", arrows)] {
            let told = desk.api(
                "admin",
                "POST",
                "/imports",
                json!({"kind": kind, "format": "csv", "text": text}),
            );
            assert_eq!(told["added"], 2_500, "{}", told["errors"]);
        }
    }
    let request = journey::request("Change what all need", &journey::artifact(7), desk.server.server_time());
    let made = desk.api("requester", "POST", "/changes", request);
    let key = made["key"].as_str().unwrap();
    desk.sign_in("requester");
    desk.go(&format!("/changes/{key}"));
    browser.click_words("10,0");
    browser.wait_for_words(&format!("{key} reaches 10,0"));
    browser.wait_for_words("more are in the table");
    desk.look_at("journeys/affected");
    let rows = browser.run("return document.querySelectorAll('#table tbody tr').length;", &[]);
    assert_eq!(rows, 200, "a page of the table");
    let weight = browser.run("return document.documentElement.outerHTML.length;", &[]);
    assert!(weight.as_i64().unwrap() < 150 * 1024, "{weight}");
    browser.click_words("further");
    browser.wait_for("the next page is there", "return location.search.includes('from=200');");
    let way = browser.text("#table tbody tr:last-child");
    assert!(
        way.contains(&format!("{} → unit-", journey::SERVICE)),
        "each with its way: {way}"
    );
    let list = desk.api("requester", "GET", &format!("/changes/{key}"), Value::Null);
    assert_eq!(list["key"], key);
}

#[test]
fn a_form_that_is_sent_twice_does_its_work_once_and_other_answers_are_another_form() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("requester");
    desk.go("/changes/new");
    browser.type_into("[name=title]", "Written once");
    // Two at the same moment, then one more as from the page before, then one with another title.
    let script = "const done = arguments[0];
        const form = document.querySelector('form[data-draft]');
        const send = (title) => {
            const body = new URLSearchParams(new FormData(form));
            body.set('act', 'keep');
            body.set('title', title);
            return fetch(form.action, {method: 'POST', body}).then((one) => new URL(one.url).pathname);
        };
        (async () => {
            const both = await Promise.all([send('Written once'), send('Written once')]);
            done([...both, await send('Written once'), await send('Written again')]);
        })().catch((error) => done(String(error)));";
    let led = browser.run_async(script, &[]);
    assert!(
        led[0].as_str().is_some_and(|path| path.contains("/changes/CHG-")),
        "{led}"
    );
    assert_eq!((&led[0], &led[0]), (&led[1], &led[2]), "one form is one change: {led}");
    assert_ne!(led[0], led[3], "{led}");
    browser.go(&format!("{}{}?tab=comments", desk.server.url, led[0].as_str().unwrap()));
    browser.click_words("Comment");
    browser.type_into("#comments textarea", "Said once");
    let script = "const done = arguments[0];
        const form = document.querySelector('#comments details[open] form');
        const send = () => fetch(form.action, {method: 'POST', body: new URLSearchParams(new FormData(form))});
        Promise.all([send(), send()]).then((both) => done(both.map((one) => one.status)), (error) => done(String(error)));";
    assert_eq!(browser.run_async(script, &[]), json!([200, 200]));
    let key = led[0].as_str().unwrap().rsplit('/').next().unwrap();
    let comments = desk.api("requester", "GET", &format!("/changes/{key}/comments"), Value::Null);
    assert_eq!(comments["items"].as_array().unwrap().len(), 1, "{comments}");
}

/// Prints the cells of a workbook's first sheet with Python's own library: the number of formulas, and the texts row by row.
const SHEET: &str = "
import json, sys, zipfile
import xml.etree.ElementTree as tree
book = zipfile.ZipFile(sys.argv[1])
main = '{http://schemas.openxmlformats.org/spreadsheetml/2006/main}'
whole = lambda one: ''.join(part.text or '' for part in one.iter(main + 't'))
shared = [whole(one) for one in tree.fromstring(book.read('xl/sharedStrings.xml')).iter(main + 'si')]
sheet = tree.fromstring(book.read('xl/worksheets/sheet1.xml'))
def said(cell):
    value = cell.find(main + 'v')
    if cell.get('t') == 's':
        return shared[int(value.text)]
    return whole(cell) if value is None else value.text
print(json.dumps({'formulas': len(list(sheet.iter(main + 'f'))),
    'rows': [[said(cell) for cell in row.iter(main + 'c')] for row in sheet.iter(main + 'row')]}))
";

/// The rows of the workbook at an address, read by another program; it has no formula.
pub fn workbook(desk: &Desk, address: &str) -> Vec<Vec<String>> {
    let script = "const done = arguments[1];
        fetch(arguments[0]).then((one) => one.arrayBuffer()).then((all) => done([...new Uint8Array(all)]), (e) => done(String(e)));";
    let bytes = desk.browser.run_async(script, &[json!(address)]);
    let bytes: Vec<u8> = bytes
        .as_array()
        .unwrap()
        .iter()
        .map(|byte| u8::try_from(byte.as_u64().unwrap()).unwrap())
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let done = std::process::Command::new(crate::feed::python())
        .args(["-c", SHEET])
        .arg(file.path())
        .output()
        .expect("Python is there: run `cargo xtask setup`");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let told: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(told["formulas"], 0, "{told}");
    serde_json::from_value(told["rows"].clone()).unwrap()
}

#[test]
fn a_cell_of_a_workbook_that_looks_like_a_formula_is_a_text() {
    let desk = Desk::open();
    let title = "=HYPERLINK(0,1)+cmd|calc!A0";
    let request = journey::request(title, &journey::artifact(8), desk.server.server_time());
    let key = desk.api("requester", "POST", "/changes", request)["key"].clone();
    desk.sign_in("requester");
    let rows = workbook(&desk, &format!("/t/halden/changes.xlsx?q={}", key.as_str().unwrap()));
    assert!(
        rows.iter().flatten().any(|cell| cell.contains("HYPERLINK(0,1)")),
        "{rows:?}"
    );
}
