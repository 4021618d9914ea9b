//! A quarter ends, and the server compares the rules with it by itself; people decide on every route.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::session::Session;
use tests::{Place, Server};

use crate::approval::attacks::ask;
use crate::platform::crash::must_verify;
use crate::policy::mapping::assent;

fn shown(server: &Server, path: &str) -> Value {
    server.must("GET", path, &server.token("auditor"), None)
}

/// The quarter in which the demo closed a change last, and an hour behind its end.
fn last_quarter(server: &Server) -> (String, Timestamp) {
    let found = shown(server, "/api/v1/changes?state=closed");
    let closed = found["items"].as_array().unwrap().iter();
    let closed_at = |row: &Value| {
        let change = shown(server, &format!("/api/v1/changes/{}", row["key"].as_str()?));
        change["closed_at"].as_str()?.parse::<Timestamp>().ok()
    };
    let last = closed.filter_map(closed_at).max().expect("the demo has closed changes");
    let date = last.to_zoned(TimeZone::UTC).date();
    let quarter = (date.month() - 1) / 3 + 1;
    let begin = jiff::civil::date(date.year(), quarter * 3 - 2, 1);
    let end = begin.checked_add(3.months()).unwrap();
    let end = end.to_zoned(TimeZone::UTC).unwrap().timestamp();
    (
        format!("{}-Q{quarter}", date.year()),
        end + SignedDuration::from_hours(1),
    )
}

#[test]
fn a_quarter_that_ends_is_compared_by_itself_and_decided_by_people() {
    let place = Place::demo("risk_adjusted");
    let mut server = Server::start(&place, true);
    let (quarter, behind) = last_quarter(&server);
    if server.server_time() < behind {
        server.hold_clock(behind);
    }
    let path = format!("/api/v1/risk-adjustments/{quarter}");
    let token = server.token("auditor");
    eventually("the quarter is compared", || {
        server.ask("GET", &path, Some(&token), None).0 == 200
    });
    let made = shown(&server, &path);
    assert!(made["compared"].as_i64().unwrap() > 0, "{made:#}");
    let test = &made["comparison"]["back_test"];
    assert_eq!(test["changes"], made["compared"], "{made:#}");
    assert_eq!(made["report"], Value::Null, "the comparison is an object");
    let listed = shown(&server, "/api/v1/risk-adjustments");
    let again = listed["items"].as_array().unwrap().iter();
    assert_eq!(again.filter(|it| it["quarter"] == quarter.as_str()).count(), 1);

    let page =
        Session::begin(&server, "change_manager").get(&format!("/t/halden/risk-adjustments/{quarter}/comparison"));
    for words in [
        "Rules that required much and found nothing",
        "Changes that failed under light rules",
        "The proposed risk table",
        "Back-test on the changes of the quarter",
        "Decline it",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let page = Session::begin(&server, "requester").get(&format!("/t/halden/risk-adjustments/{quarter}/comparison"));
    assert!(!page.body.contains("Decline it"), "a requester decides nothing");

    is_declined(&server, &quarter);
    must_verify(&server);
}

fn is_declined(server: &Server, quarter: &str) {
    let path = format!("/risk-adjustments/{quarter}/decisions");
    let no = json!({"adopted": false, "reason": "One exercise."});
    let (status, _) = ask(server, &server.token("requester"), "POST", &path, &no);
    assert_eq!(status, 403);
    let args = ["risk", "decline", quarter, "--reason", "One exercise."];
    let (code, told) = assent(server, "change_manager", &args);
    assert_eq!((code, &told["state"]), (0, &json!("declined")), "{told:#}");
    let (status, refused) = ask(server, &server.token("change_manager"), "POST", &path, &no);
    assert_eq!((status, &refused["code"]), (409, &json!("not_in_state")), "{refused:#}");
}
