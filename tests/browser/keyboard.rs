//! Every page by keyboard alone: Tab reaches all controls, in reading order, with a mark that is seen and not covered, and
//! leads out again; the skip link skips; nothing reacts to a pointer alone. And whole journeys that begin at the sign-in page
//! and never touch a mouse.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::browser::Look;
use tests::crawl::{Stop, every_page};
use tests::journey;

use crate::desk::Desk;
use crate::every_page::{Findings, links};
use crate::parts::Parts;
use crate::runbook::under_way;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const SPACE: &str = " ";
/// How often Tab is pressed on the way to something before it counts as out of reach.
const MOST_TABS: u32 = 250;
/// The parts of a field for day and time are reached one after another.
const PARTS_OF_A_TIME: usize = 8;

/// The script that reads the page. A ring is an outline of at least two pixels on the element or on its container; a radio
/// button is reached with its group. Each part of an element is searched: a bar of the calendar and the text beside it are one
/// link, and most of the box around both is neither.
const ASKED: &str = "
    const told = (one) => one.outerHTML.replace(/\\s+/g, ' ').slice(0, 140);
    const isSeen = (one) => one.checkVisibility({visibilityProperty: true}) && one.getClientRects().length > 0;
    const group = (one) => [...document.querySelectorAll('input[type=radio]')].filter((other) =>
        other.name === one.name && other.form === one.form);
    const isReachedWithGroup = (one) => one.type === 'radio' &&
        one !== (group(one).find((other) => other.checked) || group(one)[0]);
    const wanted = () => [...document.querySelectorAll(
        'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex], [contenteditable]')]
        .filter((one) => !one.disabled && one.tabIndex >= 0 && isSeen(one) && !isReachedWithGroup(one));
    const hasRing = (one) => {
        for (let at = one, up = 0; at && up < 3; at = at.parentElement, up += 1) {
            const style = getComputedStyle(at);
            if (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 &&
                !style.outlineColor.endsWith(', 0)')) return true;
        }
        return false;
    };
    const rects = (one) => [one, ...one.querySelectorAll('*')].flatMap((part) => [...part.getClientRects()]);
    const isBare = (one) => rects(one).some((rect) => {
        const [left, top] = [Math.max(rect.left, 0), Math.max(rect.top, 0)];
        const [right, bottom] = [Math.min(rect.right, innerWidth), Math.min(rect.bottom, innerHeight)];
        if (right <= left || bottom <= top) return false;
        return [0.5, 0.1, 0.9].some((x) => [0.5, 0.15, 0.85].some((y) => {
            const hit = document.elementFromPoint(left + (right - left) * x, top + (bottom - top) * y);
            return hit !== null && (one.contains(hit) || hit.closest('label')?.control === one);
        }));
    });
    const scrolls = (one) => /auto|scroll/.test(getComputedStyle(one).overflow);
";

/// Whether the content of closed disclosures is walked through too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Folds {
    Closed,
    Open,
}

fn ask(desk: &Desk, script: &str, arguments: &[Value]) -> Value {
    desk.browser.run(&format!("{ASKED}\n{script}"), arguments)
}

/// Notes the elements to reach, and from now on at each press the focus: the press is over when its key comes up, and the page
/// has scrolled by then. Returns the number of things, and the most presses that reach them.
fn begin(desk: &Desk, folds: Folds) -> (usize, usize) {
    let script = "if (arguments[0]) document.querySelectorAll('details').forEach((one) => {
            one.removeAttribute('name');
            one.open = true;
        });
        scrollTo(0, 0);
        window.walked = wanted();
        window.met = [];
        addEventListener('keyup', () => {
            const one = document.activeElement;
            met.push(!one || one === document.body ? null :
                [walked.indexOf(one), told(one), hasRing(one), isBare(one), scrolls(one)]);
        }, true);
        return [walked.length, walked.filter((one) => /^(date|time)/.test(one.type)).length];";
    let counts = ask(desk, script, &[json!(folds == Folds::Open)]);
    let count = |place: usize| usize::try_from(counts[place].as_u64().unwrap()).unwrap();
    (count(0), count(0) + PARTS_OF_A_TIME * count(1) + 10)
}

/// Presses Tab often, and returns the focus after each press.
fn press_on(desk: &Desk, times: usize) -> Vec<Value> {
    desk.browser.press(&TAB.repeat(times));
    let met = desk.browser.run("return met.splice(0);", &[]);
    met.as_array().cloned().unwrap_or_default()
}

/// The elements on the way so far.
struct Way {
    /// The place of the last thing that was reached, among all that are to be reached.
    reached: i64,
    /// Whether the focus has left the page, or begun at its top again.
    is_out: bool,
}

impl Way {
    /// One more press; returns whether the walk goes on.
    fn meet(&mut self, at: &Value, add: &mut impl FnMut(String)) -> bool {
        let (place, name) = (at[0].as_i64().unwrap_or(-1), &at[1]);
        if at.is_null() || (place >= 0 && place < self.reached) {
            self.is_out = at.is_null() || place == 0;
            if !self.is_out {
                add(format!("goes back to {name}"));
            }
            return false;
        }
        if at[2] != true {
            add(format!("shows no mark on {name}"));
        }
        if at[3] != true {
            add(format!("hides {name} while it has the focus"));
        }
        if place < 0 {
            if at[4] != true {
                add(format!("stops at {name}, which does nothing"));
            }
            return true;
        }
        if place > self.reached + 1 {
            add(format!("jumps to {name}"));
        }
        self.reached = place;
        true
    }
}

/// Walks through the current page, from its top to its end. A page that was loaded without scripts may run them by now: its own
/// have not run, and the script that notes the presses is one.
fn walk(desk: &Desk, folds: Folds, mut add: impl FnMut(String)) {
    let (count, most) = begin(desk, folds);
    let mut way = Way {
        reached: -1,
        is_out: false,
    };
    let (mut pressed, mut step) = (0, count + 1);
    'walk: while pressed < most {
        for at in press_on(desk, step) {
            if !way.meet(&at, &mut add) {
                break 'walk;
            }
        }
        pressed += step;
        step = PARTS_OF_A_TIME;
    }
    if !way.is_out {
        add("never lets go of the focus".to_owned());
    }
    let script = "return walked.slice(arguments[0] + 1).slice(0, 3).map(told);";
    for missed in ask(desk, script, &[json!(way.reached)]).as_array().unwrap() {
        add(format!("never reaches {missed}"));
    }
}

/// Elements that react to a pointer and cannot be reached by keyboard.
fn pointer_alone(desk: &Desk, mut add: impl FnMut(String)) {
    let script = "const reachable = 'a[href], button, summary, label, input, select, textarea, [tabindex]';
        return [...document.querySelectorAll('body *')].filter((one) => isSeen(one) &&
            (getComputedStyle(one).cursor === 'pointer' || one.onclick || /^(button|link|tab|menuitem|switch)$/.test(one.role)) &&
            !one.closest(reachable)).map(told);";
    for found in ask(desk, script, &[]).as_array().unwrap() {
        add(format!("lets a pointer alone use {found}"));
    }
    // The elements that the page's script listens to, wherever they are.
    let browser = &desk.browser;
    let document = browser.devtools("Runtime.evaluate", &json!({"expression": "document"}));
    let whole = json!({"objectId": document["result"]["objectId"], "depth": -1});
    let listeners = browser.devtools("DOMDebugger.getEventListeners", &whole);
    for listener in listeners["listeners"].as_array().unwrap() {
        let kind = listener["type"].as_str().unwrap();
        if !["click", "mousedown", "mouseup", "pointerdown", "pointerup", "dblclick"].contains(&kind) {
            continue;
        }
        let node = browser.devtools("DOM.resolveNode", &json!({"backendNodeId": listener["backendNodeId"]}));
        let ask = json!({"objectId": node["object"]["objectId"], "returnByValue": true,
            "functionDeclaration": "function () { return this.tabIndex >= 0 ? '' : String(this.outerHTML).slice(0, 140); }"});
        let told = browser.devtools("Runtime.callFunctionOn", &ask)["result"]["value"].clone();
        if told != "" {
            add(format!(
                "listens to {kind} on {told}, which the keyboard does not reach"
            ));
        }
    }
}

/// The first Tab shows the skip link; Enter on it leads into the page, and the next Tab to the first thing there.
fn skips(desk: &Desk) -> bool {
    let browser = &desk.browser;
    browser.press(TAB);
    let is_first = ask(
        desk,
        "const one = document.activeElement; return one.matches('.skip') && isBare(one);",
        &[],
    );
    browser.press(ENTER);
    let is_in = browser.run(
        "return document.activeElement.id === 'main' && location.hash === '#main';",
        &[],
    );
    browser.press(TAB);
    let is_ahead = ask(
        desk,
        "const [main, at] = [document.getElementById('main'), document.activeElement];
        return main.contains(at) || ![...main.querySelectorAll('a[href], button, summary, input, select, textarea')].some(isSeen);",
        &[],
    );
    is_first == true && is_in == true && is_ahead == true
}

fn check(desk: &Desk, stop: Stop<'_>, parts: &mut Parts, findings: &mut Findings) -> Vec<String> {
    let browser = &desk.browser;
    browser.look(Look::DESK);
    desk.go(stop.path);
    let found = links(desk);
    if !parts.are_new(desk) {
        return found;
    }
    let page = stop.name();
    walk(desk, Folds::Closed, |what| findings.add(&page, what));
    pointer_alone(desk, |what| findings.add(&page, what));
    let plain = format!("{page}, at 400 % and without script");
    browser.look(Look::ZOOMED_DARK);
    browser.set_scripts(false);
    desk.go(stop.path);
    browser.set_scripts(true);
    walk(desk, Folds::Open, |what| findings.add(&plain, what));
    browser.set_scripts(false);
    desk.go(stop.path);
    if browser.has("nav.side") && !skips(desk) {
        findings.add(&plain, "has a skip link that does not skip");
    }
    browser.set_scripts(true);
    found
}

#[test]
fn every_page_is_walked_through_by_keyboard_alone_with_script_and_without() {
    let desk = Desk::open();
    let (mut parts, mut findings) = (Parts::new(), Findings::default());
    desk.browser.go(&desk.at("/sign-in"));
    walk(&desk, Folds::Open, |what| findings.add("the door", what));
    every_page(&desk.server, |stop| {
        if stop.is_first {
            desk.sign_in(stop.role);
        }
        check(&desk, stop, &mut parts, &mut findings)
    });
    findings.must_be_none();
}

/// How far the tabs of a strip are moved, pixel by pixel: farther than one of them and its gap are wide.
const MOST_MOVED: u32 = 100;

/// With script arrows move among the tabs of a change, so its strip is walked as it is without one.
/// A browser does not scroll sideways to a link of which a pixel is seen. Which tab begins at the very edge of its strip
/// rests on numbers in those before it, so each is brought there.
#[test]
fn a_tab_at_the_edge_of_its_strip_is_seen_when_it_gets_the_focus() {
    let (desk, change) = Desk::open_asked();
    desk.sign_in("security");
    desk.browser.look(Look::ZOOMED_DARK);
    desk.browser.set_scripts(false);
    desk.go(&format!("/changes/{}", change["key"].as_str().unwrap()));
    desk.browser.set_scripts(true);
    begin(&desk, Folds::Closed);
    let script = "const strip = document.querySelector('main .tabs');
        strip.firstElementChild.style.paddingInlineStart = `${arguments[0]}px`;
        strip.scrollLeft = 0;
        strip.firstElementChild.focus();
        return [strip.childElementCount, strip.scrollWidth > strip.clientWidth];";
    let mut findings = Findings::default();
    for moved in 0..MOST_MOVED {
        let strip = desk.browser.run(script, &[json!(moved)]);
        assert_eq!(strip[1], true, "the strip has room for all its tabs");
        let tabs = usize::try_from(strip[0].as_u64().unwrap()).unwrap();
        let met = press_on(&desk, tabs - 1);
        assert_eq!(met.len(), tabs - 1, "{met:?}");
        for hidden in met.iter().filter(|at| at[3] != true) {
            findings.add(&format!("moved by {moved}"), format!("hides {}", hidden[1]));
        }
    }
    findings.must_be_none();
}

/// Presses Tab until the focus fits: a function's body over `one`.
fn tab_to(desk: &Desk, what: &str, fits: &str) {
    let script = format!("const one = document.activeElement; return Boolean(one && ({fits}));");
    for _ in 0..MOST_TABS {
        desk.browser.press(TAB);
        if desk.browser.run(&script, &[]) == true {
            return;
        }
    }
    panic!("Tab never reaches {what} on {}", desk.browser.url());
}

fn tab_to_words(desk: &Desk, words: &str) {
    let fits = format!(
        "one.innerText.replace(/\\s+/g, ' ').trim().startsWith({})",
        json!(words)
    );
    tab_to(desk, words, &fits);
}

fn tab_to_field(desk: &Desk, name: &str) {
    tab_to(desk, name, &format!("one.name === {}", json!(name)));
}

/// Signs in on the sign-in page in the window, by keyboard.
fn enter(desk: &Desk, role: &str, path: &str) {
    let person = desk.server.person(role);
    desk.browser.forget();
    desk.go(path);
    tab_to_field(desk, "login");
    desk.browser.press(person["login"].as_str().unwrap());
    tab_to_field(desk, "password");
    desk.browser.press(person["password"].as_str().unwrap());
    desk.browser.leave_by(|| desk.browser.press(ENTER));
}

#[test]
fn a_change_is_approved_from_the_queue_without_a_mouse() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.waiting_for("security");
    let digest = journey::artifact(303);
    let second = journey::request("Print the rest", &digest, desk.server.server_time());
    journey::waiting_for_approval(&desk.server, &second, &digest);
    enter(&desk, "security", "/");
    browser.wait_for(
        "the card is there",
        "return document.querySelector('[data-card]') !== null;",
    );
    let card = "const card = document.activeElement.closest('[data-card]');
        return [...card.querySelectorAll('a[href]')].map((one) => one.getAttribute('href')).find((href) => href.includes('/changes/CHG-'));";
    tab_to_words(&desk, "Approve");
    let href = browser.run(card, &[]);
    let href = href.as_str().unwrap();
    let key = href.rsplit('/').next().unwrap().split(['?', '#']).next().unwrap();
    browser.leave_by(|| browser.press(ENTER));
    browser.wait_for_words("Approval recorded");
    browser.picture("journeys/keyboard-approved", false);
    let login = desk.server.person("security")["login"].clone();
    let said = desk.api("security", "GET", &format!("/changes/{key}/approvals"), Value::Null);
    let stands = said["items"]
        .as_array()
        .unwrap()
        .iter()
        .any(|one| one["person"] == login && one["state"] == "standing" && one["decision"] == "approve");
    assert!(stands, "{said}");
    // The next one of the queue gets a question.
    tab_to_words(&desk, "Return with a question");
    browser.press(ENTER);
    let field = "one.tagName === 'TEXTAREA' && one.closest('details[open]') !== null";
    tab_to(&desk, "the question's field", field);
    browser.press("Who watches it at night?");
    browser.press(TAB);
    browser.leave_by(|| browser.press(ENTER));
    browser.wait_for_words("Returned with your question");
}

/// The keys that type a day and time into a field, in the order of its parts in this browser.
fn time_keys(desk: &Desk, days: i64, hour: u8) -> String {
    let day = desk.server.server_time() + SignedDuration::from_hours(24 * days);
    let day = day.to_string();
    let script = "const format = new Intl.DateTimeFormat(navigator.language, {
            year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit'});
        const [year, month, day] = arguments[0].split('-');
        const halves = format.resolvedOptions().hour12;
        const two = (number) => String(number).padStart(2, '0');
        const hour = two(halves ? arguments[1] % 12 || 12 : arguments[1]);
        const keys = {year: `${year}\\ue014`, month, day, hour, minute: '00', dayPeriod: arguments[1] < 12 ? 'A' : 'P'};
        return format.formatToParts(new Date()).map((part) => keys[part.type] || '').join('');";
    let keys = desk
        .browser
        .run(script, &[json!(day.split('T').next().unwrap()), json!(hour)]);
    keys.as_str().unwrap().to_owned()
}

#[test]
fn a_change_is_written_and_submitted_without_a_mouse_and_without_a_script() {
    let desk = Desk::open();
    let browser = &desk.browser;
    browser.set_scripts(false);
    enter(&desk, "requester", "/");
    tab_to_words(&desk, "New change");
    browser.leave_by(|| browser.press(ENTER));
    let answers = [
        ("targets.0.service", journey::SERVICE.to_owned()),
        ("targets.0.environment", journey::ENVIRONMENT.to_owned()),
        ("title", "Let the labels carry the new logo".to_owned()),
        (
            "description",
            "The template of the label gets another picture.".to_owned(),
        ),
        ("justification", "Sales shows it from Monday on.".to_owned()),
        ("impact.availability", "Low".to_owned()),
        ("complexity", "Low".to_owned()),
        ("planned_start", time_keys(&desk, 3, 20)),
        ("planned_end", time_keys(&desk, 3, 21)),
    ];
    for (name, keys) in answers {
        tab_to_field(&desk, name);
        // A radio button is moved by arrows, and one that is not chosen yet by the space bar.
        let kind = browser.run("return document.activeElement.type;", &[]);
        browser.press(if kind == "radio" { SPACE } else { &keys });
    }
    browser.picture("journeys/keyboard-written", true);
    tab_to_words(&desk, "Submit for assessment");
    browser.leave_by(|| browser.press(ENTER));
    browser.wait_for_words("Submitted for assessment");
    let url = browser.url();
    let key = url.split('?').next().unwrap().rsplit('/').next().unwrap();
    let made = desk.api("requester", "GET", &format!("/changes/{key}"), Value::Null);
    assert_eq!(made["state"], "assessing", "{made}");
    assert_eq!(made["title"], "Let the labels carry the new logo");
    assert_eq!(made["targets"][0]["service"], journey::SERVICE);
}

#[test]
fn another_time_is_tried_and_set_without_a_mouse_and_what_it_collides_with_is_said_first() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let path = journey::scheduled(&desk.server, "Wash the conveyor", &journey::artifact(304));
    let key = path.rsplit('/').next().unwrap();
    let day = |days: i64| desk.server.server_time() + SignedDuration::from_hours(24 * days);
    let freeze = json!({"title": "Stocktaking", "reason": "Counting", "services": [], "environments": [],
        "starts_at": day(39).to_string(), "ends_at": day(42).to_string()});
    desk.api("change_manager", "POST", "/freezes", freeze);
    browser.set_scripts(false);
    enter(&desk, "change_manager", &format!("/changes/{key}"));
    tab_to_words(&desk, "Another time");
    browser.leave_by(|| browser.press(ENTER));
    for (name, hour) in [("planned_start", 20), ("planned_end", 21)] {
        tab_to_field(&desk, name);
        browser.press(&time_keys(&desk, 40, hour));
    }
    tab_to_words(&desk, "Check for conflicts");
    browser.leave_by(|| browser.press(ENTER));
    let against = browser.text("#against");
    assert!(against.contains("Stocktaking forbids it"), "{against}");
    let before = desk.api("change_manager", "GET", &format!("/changes/{key}"), Value::Null);
    tab_to_words(&desk, "A week later");
    browser.leave_by(|| browser.press(ENTER));
    browser.wait_for_words("No conflict with a freeze or another change");
    browser.picture("keyboard/another-time", true);
    tab_to_words(&desk, "Set these times");
    browser.press(ENTER);
    tab_to(
        &desk,
        "its button",
        "one.tagName === 'BUTTON' && one.closest('details[open] form[method=post]') !== null",
    );
    browser.leave_by(|| browser.press(ENTER));
    let after = desk.api("change_manager", "GET", &format!("/changes/{key}"), Value::Null);
    let start = |change: &Value| -> jiff::Timestamp { change["planned_start"].as_str().unwrap().parse().unwrap() };
    assert!(start(&before) < day(1), "looking at a time sets none");
    assert!(
        start(&after) > day(46) && start(&after) < day(48),
        "{}",
        after["planned_start"]
    );
}

/// Sends a form by its label: a button at once, or the button behind a disclosure.
fn send_form(desk: &Desk, words: &str) {
    tab_to_words(desk, words);
    if desk.browser.run("return document.activeElement.tagName;", &[]) == "SUMMARY" {
        desk.browser.press(ENTER);
        send_open_form(desk);
        return;
    }
    desk.browser.leave_by(|| desk.browser.press(ENTER));
}

fn send_open_form(desk: &Desk) {
    tab_to(
        desk,
        "its button",
        "one.tagName === 'BUTTON' && one.closest('details[open] form[method=post]') !== null",
    );
    desk.browser.leave_by(|| desk.browser.press(ENTER));
}

#[test]
fn an_auditor_goes_from_a_figure_to_a_proof_and_has_a_sample_signed_without_a_mouse() {
    let desk = Desk::open();
    let browser = &desk.browser;
    browser.set_scripts(false);
    enter(&desk, "auditor", "/");
    for words in ["Control reports", "SOX"] {
        tab_to_words(&desk, words);
        browser.leave_by(|| browser.press(ENTER));
    }
    for (what, fits) in [
        ("the population", "(one.href || '').includes('figure=changes')"),
        ("a change behind it", "/changes\\/CHG-/.test(one.href || '')"),
    ] {
        tab_to(&desk, what, fits);
        browser.leave_by(|| browser.press(ENTER));
    }
    for words in ["Timeline", "Verify all"] {
        tab_to_words(&desk, words);
        browser.leave_by(|| browser.press(ENTER));
    }
    browser.wait_for_words("is good");
    browser.picture("keyboard/auditor-proof", true);

    desk.go("/");
    tab_to_words(&desk, "Audit samples");
    browser.leave_by(|| browser.press(ENTER));
    tab_to_words(&desk, "Draw a sample");
    browser.press(ENTER);
    let answers = [
        ("title", "The quarter by keyboard".to_owned()),
        ("control", "SOX-CM-1".to_owned()),
        ("from", time_keys(&desk, -300, 1)),
        ("to", time_keys(&desk, -1, 1)),
        ("size", "1".to_owned()),
    ];
    for (name, keys) in answers {
        tab_to_field(&desk, name);
        browser.press(&keys);
    }
    send_open_form(&desk);
    tab_to_words(&desk, "Open the page");
    browser.leave_by(|| browser.press(ENTER));
    tab_to_words(&desk, "Conclude");
    browser.press(ENTER);
    tab_to_field(&desk, "text");
    browser.press("The approval stands before the start.");
    send_open_form(&desk);
    browser.wait_for_words("The approval stands before the start.");
    let paper = browser.url();
    let paper = paper.split('?').next().unwrap().split("/t/halden").nth(1).unwrap();

    // Another one reviews it; then the auditor signs and exports.
    enter(&desk, "admin", paper);
    send_form(&desk, "Review the conclusion");
    enter(&desk, "auditor", paper);
    send_form(&desk, "Sign the working paper");
    browser.picture("keyboard/auditor-paper", true);
    tab_to_words(&desk, "Export as ZIP");
    browser.set_scripts(true);
    let script = "const done = arguments[arguments.length - 1];
        fetch(document.activeElement.href).then((answer) => answer.arrayBuffer())
            .then((bytes) => done([...new Uint8Array(bytes).slice(0, 2)]));";
    assert_eq!(browser.run_async(script, &[]), json!([80, 75]), "the export is a ZIP");
    let samples = desk.api("auditor", "GET", "/audit-samples", Value::Null);
    assert!(samples["items"][0]["signed_at"].is_string(), "{samples}");
}

#[test]
fn a_step_of_the_runbook_is_done_and_a_deviation_told_without_a_mouse() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let key = under_way(&desk);
    browser.set_scripts(false);
    browser.look(Look::NARROW_DARK);
    enter(&desk, "implementer", &format!("/changes/{key}/runbook"));
    browser.wait_for_words("Step 1 of 3");
    tab_to_words(&desk, "Done, check passed");
    browser.leave_by(|| browser.press(ENTER));
    browser.wait_for_words("Step 2 of 3");
    tab_to(
        &desk,
        "the deviation",
        "one.tagName === 'SUMMARY' && /differ|deviat|otherwise/i.test(one.innerText)",
    );
    browser.press(ENTER);
    tab_to(&desk, "its text", "one.tagName === 'TEXTAREA' || one.type === 'text'");
    browser.press("The queue was empty already.");
    tab_to(
        &desk,
        "its button",
        "one.tagName === 'BUTTON' && one.closest('details[open]') !== null",
    );
    browser.leave_by(|| browser.press(ENTER));
    browser.picture("journeys/keyboard-runbook", false);
    let found = desk.api(
        "implementer",
        "GET",
        &format!("/changes/{key}/implementation/entries"),
        Value::Null,
    );
    let kinds: Vec<&str> = found["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["kind"].as_str())
        .collect();
    assert!(kinds.contains(&"step") && kinds.contains(&"deviation"), "{found}");
}

#[test]
fn the_narrow_pages_menu_opens_and_closes_by_keyboard_and_gives_the_focus_back() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("change_manager");
    browser.look(Look::NARROW);
    browser.set_scripts(false);
    desk.go("/");
    tab_to(&desk, "the menu", "one.getAttribute('popovertarget') === 'nav'");
    browser.press(ENTER);
    tab_to(&desk, "its first link", "one.closest('nav.side') !== null");
    let ring = ask(
        &desk,
        "return hasRing(document.activeElement) && isBare(document.activeElement);",
        &[],
    );
    assert_eq!(ring, true);
    browser.picture("keyboard/menu", false);
    browser.press(ESCAPE);
    let back = browser.run(
        "return document.activeElement.getAttribute('popovertarget') === 'nav' && !document.querySelector('nav.side').matches(':popover-open');",
        &[],
    );
    assert_eq!(back, true, "Escape closes it, and the focus is where it was");
    browser.press(ENTER);
    tab_to_words(&desk, "Calendar");
    browser.leave_by(|| browser.press(ENTER));
    assert!(browser.url().ends_with("/calendar"), "{}", browser.url());
}

#[test]
fn a_change_on_the_calendar_is_moved_by_arrows_and_by_the_mouse_to_what_it_would_mean() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let later = (desk.server.server_time() + SignedDuration::from_hours(48)).to_string();
    let noon = format!("{}T12:00:00Z", &later[..10]);
    let request = journey::request("Move the label store", &journey::artifact(640), noon.parse().unwrap());
    let made = desk.api("requester", "POST", "/changes", request);
    let key = made["key"].as_str().unwrap();
    let day = made["planned_start"].as_str().unwrap()[..10].to_owned();
    let bar = format!("[data-propose$='change={key}']");
    desk.sign_in("requester");
    let focus = "const bar = document.querySelector(arguments[0]); bar.focus(); return bar.dataset.from;";
    let proposed = |from: &str, hours: i64| {
        let asked = browser.run("return new URLSearchParams(location.search).get('planned_start');", &[]);
        let from: jiff::civil::DateTime = from.parse().unwrap();
        let wanted = from + SignedDuration::from_hours(hours);
        assert_eq!(asked, wanted.strftime("%Y-%m-%dT%H:%M").to_string());
        browser.wait_for_words(&format!("Another time for {key}"));
    };
    desk.go(&format!("/calendar?view=week&from={day}"));
    let from = browser.run(focus, &[json!(bar)]);
    let from = from.as_str().unwrap();
    // An hour later and a day later.
    browser.press("\u{e015}\u{e014}");
    browser.wait_for_words("Show what this time would mean");
    let found = browser.axe();
    assert!(found.is_empty(), "{found:?}");
    browser.leave_by(|| browser.press(ENTER));
    proposed(from, 25);
    desk.go(&format!("/calendar?view=service&from={day}"));
    browser.run(focus, &[json!(bar)]);
    browser.press("\u{e014}");
    browser.press(ESCAPE);
    let drag = "
        const bar = document.querySelector(arguments[0]);
        const chart = bar.closest('svg');
        const box = bar.querySelector('rect').getBoundingClientRect();
        const hour = chart.getBoundingClientRect().width / (24 * chart.querySelectorAll('line.grid').length);
        const send = (kind, by) => bar.dispatchEvent(new PointerEvent(kind, {
            bubbles: true, button: 0, pointerType: 'mouse', clientX: box.left + 2 + by, clientY: box.top + 2,
        }));
        send('pointerdown', 0);
        send('pointermove', 12 * hour);
        setTimeout(() => send('pointerup', 12 * hour));
        return true;";
    browser.leave_by(|| {
        browser.run(drag, &[json!(bar)]);
    });
    proposed(from, 12);
    let stands = desk.api("requester", "GET", &format!("/changes/{key}"), Value::Null);
    assert_eq!(stands["planned_start"], made["planned_start"], "nothing is set by it");
}
