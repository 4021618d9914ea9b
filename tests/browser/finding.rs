//! Finding by keyboard: the palette, the search without script, the keys over the page, J and K in lists, times in natural
//! language.

use serde_json::{Value, json};

use crate::desk::Desk;

const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const TAB: &str = "\u{e004}";
const CONTROL: &str = "\u{e009}";
const DOWN: &str = "\u{e015}";

/// Presses Ctrl and K.
fn open_palette(desk: &Desk) {
    desk.browser.press_held(CONTROL, "k");
    desk.browser.wait_for(
        "the palette is open and has the focus",
        "return document.querySelector('dialog.palette[open]') !== null && document.activeElement.role === 'combobox';",
    );
}

/// Waits until the palette shows an option with this text.
fn wait_for_option(desk: &Desk, words: &str) {
    let script = format!(
        "return [...document.querySelectorAll('.palette [role=option]')].some((one) => one.textContent.includes({}));",
        json!(words)
    );
    desk.browser.wait_for(&format!("`{words}` is offered"), &script);
}

#[test]
fn an_approval_is_recorded_by_the_palette_and_the_keyboard_alone() {
    let (desk, change) = Desk::open_asked();
    let browser = &desk.browser;
    let key = change["key"].as_str().unwrap();
    desk.sign_in("security");
    open_palette(&desk);
    browser.press(&format!("approve {key}"));
    wait_for_option(&desk, "Approve");
    assert_eq!(browser.axe(), Vec::<String>::new());
    browser.picture("finding/palette", false);
    browser.leave_by(|| browser.press(ENTER));
    browser.wait_for(
        "the act has the focus",
        "return document.activeElement.closest('[data-act=approve]') !== null;",
    );
    browser.leave_by(|| browser.press(ENTER));
    browser.wait_for_words("Approval recorded");
    let login = desk.server.person("security")["login"].clone();
    let said = desk.api("security", "GET", &format!("/changes/{key}/approvals"), Value::Null);
    let stands = said["items"].as_array().unwrap().iter();
    let mut stands = stands.filter(|one| one["person"] == login && one["decision"] == "approve");
    assert!(stands.any(|one| one["state"] == "standing"), "{said}");
    // The change that was looked at is offered again, before anything is typed.
    desk.go("/");
    open_palette(&desk);
    wait_for_option(&desk, key);
    // A setting is found by its name.
    browser.press("quiet hours");
    wait_for_option(&desk, "Daily letter and quiet hours");
}

#[test]
fn the_palette_completes_operators_moves_by_arrows_and_closes() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("change_manager");
    open_palette(&desk);
    browser.press("outc");
    wait_for_option(&desk, "outcome:");
    browser.press(TAB);
    let value = "return document.querySelector('.palette input').value";
    browser.wait_for("the operator is completed", &format!("{value} === 'outcome:';"));
    browser.press("fai");
    wait_for_option(&desk, "outcome:failed");
    browser.press(TAB);
    browser.wait_for("its value is completed", &format!("{value} === 'outcome:failed';"));
    let chosen = "return [...document.querySelectorAll('.palette [role=option]')]
        .findIndex((one) => one.getAttribute('aria-selected') === 'true')";
    // The changes of the whole query are listed: a list that comes later begins at its first again.
    wait_for_option(&desk, "CHG-");
    browser.wait_for("the first is chosen", &format!("{chosen} === 0;"));
    browser.press(DOWN);
    browser.wait_for("the second is chosen", &format!("{chosen} === 1;"));
    browser.press(ESCAPE);
    browser.wait_for(
        "it is closed",
        "return document.querySelector('dialog.palette[open]') === null;",
    );
}

#[test]
fn the_keys_are_shown_over_the_page_and_walk_the_rows_of_a_list() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("change_manager");
    desk.go("/changes");
    browser.press("?");
    browser.wait_for_words("search and commands, such as approve CHG-1042");
    assert!(browser.url().ends_with("/changes"), "{}", browser.url());
    assert_eq!(browser.axe(), Vec::<String>::new());
    browser.press(ENTER);
    browser.wait_for("they are closed", "return document.querySelector('dialog') === null;");
    let row = "return [...document.querySelectorAll('main tbody tr')].findIndex((one) => one.contains(document.activeElement));";
    browser.press("j");
    assert_eq!(browser.run(row, &[]), 0);
    browser.press("jj");
    assert_eq!(browser.run(row, &[]), 2);
    browser.press("k");
    assert_eq!(browser.run(row, &[]), 1);
}

#[test]
fn without_script_the_search_is_a_page_that_explains_itself() {
    let desk = Desk::open();
    let browser = &desk.browser;
    browser.set_scripts(false);
    desk.sign_in("change_manager");
    browser.type_into(".find input", "label-print");
    browser.leave_by(|| browser.press(ENTER));
    assert!(browser.url().contains("/search?q=label-print"), "{}", browser.url());
    assert!(browser.text("#hits-services").contains("label-print"));
    assert!(browser.text("#operators").contains("outcome:failed"));
    assert_eq!(browser.axe(), Vec::<String>::new());
    browser.picture("finding/search", true);
    desk.go("/search?q=outcome:faild");
    let told = browser.text("main");
    assert!(
        told.contains("The search cannot be read") && told.contains("failed"),
        "{told}"
    );
    desk.go("/search?q=servce:label-print");
    assert!(browser.text("main").contains("service:"));
}

#[test]
fn a_time_is_typed_in_words_and_read_in_the_zone_of_its_writer() {
    let desk = Desk::open();
    let browser = &desk.browser;
    browser.set_scripts(false);
    desk.sign_in("requester");
    desk.go("/away");
    let script = "const form = document.querySelector('form[action$=\"/away/absences\"]');
        form.closest('details')?.setAttribute('open', 'open');
        return form.elements['in_words:starts_at:ends_at'].id;";
    let id = browser.run(script, &[]);
    let field = format!("[id=\"{}\"]", id.as_str().unwrap());
    browser.fill(&field, "in a while");
    browser.leave_by(|| browser.press(ENTER));
    browser.wait_for_words("is not a time");
    browser.fill(&field, "tomorrow 22:00 for 2 h");
    browser.leave_by(|| browser.press(ENTER));
    let kept = desk.api("requester", "GET", "/absences", Value::Null);
    let login = desk.server.person("requester")["login"].clone();
    let own = kept["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["person"] == login);
    let hours = own.map(|row| {
        let time = |name: &str| row[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        time("ends_at").duration_since(time("starts_at")).as_hours()
    });
    assert!(hours.into_iter().any(|hours| hours == 2), "{kept}");
}

#[test]
fn of_several_keys_the_last_one_is_searched_for_and_the_others_stay() {
    let desk = Desk::open();
    let browser = &desk.browser;
    desk.sign_in("change_manager");
    desk.go("/freezes");
    browser.click_words("Set a freeze");
    browser.type_into("[name=services]", "wms, label");
    browser.wait_for(
        "the second key is offered behind the first",
        "return [...document.querySelector('[name=services]').list.options].some((one) => one.value === 'wms, label-print');",
    );
    browser.fill("[name=environments]", "prod");
    browser.wait_for(
        "environments are offered too",
        "return [...document.querySelector('[name=environments]').list.options].some((one) => one.value === 'production');",
    );
}
