//! A passkey from its making to its end, with an authenticator that the browser plays.

use serde_json::json;

use crate::desk::Desk;

#[test]
fn a_passkey_is_made_signs_in_steps_up_and_is_removed_and_without_it_the_password_stays() {
    let desk = Desk::open_as("localhost");
    let browser = &desk.browser;
    let here = desk.server.url.replace("127.0.0.1", "localhost");
    let at = |path: &str| format!("{here}/t/halden{path}");
    let by_password = || {
        let person = desk.server.person("executive");
        browser.forget();
        browser.go(&at("/account"));
        browser.type_into("input[name=login]", person["login"].as_str().unwrap());
        browser.type_into("input[name=password]", person["password"].as_str().unwrap());
        browser.click("form button");
        browser.wait_for_words("Second factors");
    };
    let authenticator = browser.add_authenticator();
    by_password();
    browser.click_words("Add a passkey");
    browser.type_into("#factors form[action$='/account/passkeys'] input[name=name]", "Laptop");
    browser.leave_by(|| browser.click("#factors form[action$='/account/passkeys'] button"));
    assert_eq!(browser.title(), "Add a passkey · Assent");
    assert!(browser.axe().is_empty(), "{:?}", browser.axe());
    browser.leave_by(|| browser.click_words("Make it"));
    browser.wait_for_words("Your recovery codes");

    // On the sign-in page it replaces login and password.
    browser.forget();
    browser.go(&at("/account"));
    browser.leave_by(|| browser.click_words("Use a passkey"));
    assert!(browser.axe().is_empty(), "{:?}", browser.axe());
    browser.picture("passkey/door", false);
    let door = browser.text("main");
    for words in ["Your device asks for your finger", "Use your passkey", "Go back"] {
        assert!(door.contains(words), "{words}: {door}");
    }
    browser.leave_by(|| browser.click_words("Use your passkey"));
    browser.wait_for_words("Second factors");
    assert!(browser.url().ends_with("/account"), "{}", browser.url());
    browser.wait_for_words("By passkey, from");
    let factors = browser.text("#factors");
    assert!(factors.contains("Laptop"), "{factors}");

    // After a password it is the fresh factor. An unverified person has none.
    by_password();
    browser.leave_by(|| browser.click_words("Remove Laptop"));
    browser.wait_for_words("Your code");
    browser.leave_by(|| browser.click_words("Use your passkey"));
    browser.set_verified(&authenticator, false);
    browser.click_words("Use your passkey");
    browser.wait_for_words("No passkey was used");
    browser.set_verified(&authenticator, true);
    browser.leave_by(|| browser.click_words("Use your passkey"));
    browser.wait_for_words("Second factors");
    browser.leave_by(|| browser.click_words("Remove Laptop"));
    browser.wait_for_words("None yet.");

    // Without script the page names the way to go on, and the password works as before.
    browser.set_scripts(false);
    browser.go(&at("/passkey"));
    let shown = "return document.querySelector('form[data-passkey]').checkVisibility();";
    assert_eq!(browser.run(shown, &[]), json!(false));
    let words = browser.text("main");
    assert!(words.contains("use another method"), "{words}");
    browser.set_scripts(true);
    by_password();
}
