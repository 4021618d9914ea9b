//! The personal calendar feed: made manually, read by a foreign parser, gone when it is revoked.

use std::path::PathBuf;
use std::process::Command;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::{journey, root};

use crate::desk::Desk;

/// Reads a calendar with PyPI's `icalendar` and prints its events as JSON.
const READER: &str = "
import json, sys
from icalendar import Calendar
calendar = Calendar.from_ical(open(sys.argv[1], 'rb').read())
assert calendar['VERSION'] == '2.0' and calendar['PRODID'], calendar
events = calendar.walk('VEVENT')
for event in events:
    assert not event.errors, event.errors
    assert event['DTSTART'].dt.utcoffset().total_seconds() == 0 and event['DTSTART'].dt < event['DTEND'].dt
    assert event['UID'] and event['DTSTAMP']
print(json.dumps([{
    'summary': str(event['SUMMARY']), 'status': str(event.get('STATUS', '')), 'uid': str(event['UID']),
    'start': event['DTSTART'].dt.strftime('%Y-%m-%dT%H:%M:%SZ'), 'url': str(event.get('URL', '')),
} for event in events]))
";

/// The Python of the tests.
pub fn python() -> PathBuf {
    std::env::var_os("ASSENT_TEST_PYTHON").map_or_else(|| root().join(".tools/venv/bin/python"), PathBuf::from)
}

fn events(calendar: &[u8]) -> Vec<Value> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), calendar).unwrap();
    let done = Command::new(python()).args(["-c", READER]).arg(file.path()).output();
    let done = done.expect("Python is there: run `cargo xtask setup`");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let told: Value = serde_json::from_slice(&done.stdout).unwrap();
    told.as_array().unwrap().clone()
}

#[test]
fn a_personal_calendar_feed_is_read_by_another_parser_and_ends_when_it_is_revoked() {
    let desk = Desk::open();
    let browser = &desk.browser;
    let title = "Labels; with a comma, a \\ and ž everywhere: ".to_owned() + &"longer than a line ".repeat(6);
    let start = desk.server.server_time() + SignedDuration::from_hours(50);
    let request = journey::request(title.trim(), &journey::artifact(5), start);
    let made = desk.api("requester", "POST", "/changes", request);
    let key = made["key"].as_str().unwrap();
    desk.sign_in("requester");
    desk.go("/calendar");
    browser.click_words("Subscribe");
    browser.wait_for_words("Your calendar elsewhere");
    browser.click_words("Make a feed");
    browser.click("details[open] form.panel > div > button");
    browser.wait_for_words("Your feed was created");
    assert!(browser.axe().is_empty(), "{:?}", browser.axe());
    browser.picture("journeys/feed", false);
    let address = browser.text(".notice code");
    let path = address.trim().split_once(&desk.server.url).map_or_else(
        || format!("/t/{}", address.trim().split_once("/t/").unwrap().1),
        |(_, path)| path.to_owned(),
    );
    let (status, calendar) = desk.server.get(&path, None);
    assert_eq!(status, 200);
    let found = events(&calendar);
    let own = found
        .iter()
        .find(|event| event["summary"].as_str().unwrap().starts_with(key))
        .unwrap();
    assert_eq!(
        own["summary"],
        format!("{key} {}", title.trim()),
        "folded and escaped, it reads back whole"
    );
    assert_eq!(own["status"], "TENTATIVE");
    let planned: jiff::Timestamp = made["planned_start"].as_str().unwrap().parse().unwrap();
    assert_eq!(own["start"], planned.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    assert!(own["url"].as_str().unwrap().ends_with(&format!("/changes/{key}")));
    // Only the person's own matters are in it.
    let list = desk.api("auditor", "GET", "/changes?limit=200", Value::Null);
    assert!(found.len() < list["items"].as_array().unwrap().len());
    // The secret opens nothing else, and is nowhere in the data folder.
    let secret = path.rsplit('/').next().unwrap().trim_end_matches(".ics").to_owned();
    let (status, _) = desk.server.get("/api/v1/changes", Some(&secret));
    assert_eq!(status, 403, "the token of a feed reads no API");
    let (status, _) = desk.server.get(&path.replace(&secret, &format!("{secret}x")), None);
    assert_eq!(status, 404);
    let database = std::fs::read(desk.server.data.join("assent.db")).unwrap_or_default();
    assert!(
        !database.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()),
        "kept as a digest alone"
    );
    desk.go("/calendar/feed");
    browser.click_words("Revoke");
    browser.click("details[open] form.panel > div > button");
    browser.wait_for_words("None yet");
    let (status, told) = desk.server.get(&path, None);
    assert_eq!(status, 404, "{}", String::from_utf8_lossy(&told));
    let tokens = desk.api("admin", "GET", "/tokens?limit=200", json!(null));
    assert!(
        tokens.to_string().contains("\"calendar\""),
        "it stands among the tokens, revoked: {tokens}"
    );
}
