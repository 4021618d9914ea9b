//! The message of a page after a form: only to the session that sent it, and only about events that happened.

use super::{change_form, house, send};

const CHANGE: &str = "/t/halden/changes/CHG-1001";

#[test]
fn a_link_that_somebody_made_tells_nothing() {
    let house = house("crafted");
    let (ingrid, hanne) = (house.sign_in("ingrid"), house.sign_in("hanne"));
    let done = send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "keep"));
    assert!(house.get(&ingrid, done.place()).shows("Change created."));
    assert!(
        !house.get(&hanne, done.place()).shows("Change created."),
        "another session did not write it"
    );
    for crafted in [
        format!("{CHANGE}?done=approvals"),
        format!("{CHANGE}?done=closure&from=CHG-1001"),
        done.place().replace("created", "closure"),
        "/t/halden/?done=approvals&key=CHG-1001".to_owned(),
        "/t/halden/freezes?done=freeze_set".to_owned(),
    ] {
        let page = house.get(&ingrid, &crafted);
        assert_eq!(page.status, 200, "{crafted}");
        assert!(!page.shows("data-answer"), "{crafted}: {page:?}");
    }
}

#[test]
fn a_link_signs_nobody_out() {
    let house = house("crafted-out");
    let ingrid = house.sign_in("ingrid");
    let words = "You are signed out on this device.";
    assert!(!house.get(&ingrid, "/t/halden/sign-in?out=1").shows(words));
    let out = house.post(&ingrid, "/t/halden/sign-out", &[]);
    assert!(house.get(&ingrid, out.place()).shows(words));
}

#[test]
fn freezes_absences_and_delegations_answer() {
    let house = house("answers");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    let times = [("starts_at", "2126-12-20T10:00"), ("ends_at", "2126-12-21T10:00")];
    let tells = |who: &str, path: &str, more: &[(&str, &str)], words: &str| {
        let pairs: Vec<_> = times.iter().chain(more).copied().collect();
        let done = house.post(who, path, &pairs);
        assert_eq!(done.status, 303, "{done:?}");
        let page = house.get(who, done.place());
        assert!(page.shows(words), "{words}: {page:?}");
        page
    };
    let page = tells(
        &marta,
        "/t/halden/freezes",
        &[("title", "Year’s end")],
        "The freeze is set.",
    );
    let end = page.body.split_once("/end\"").unwrap().0;
    let id = end.rsplit('/').next().unwrap();
    let reason = [("reason", "The year ended early.")];
    let done = house.post(&marta, &format!("/t/halden/freezes/{id}/end"), &reason);
    let page = house.get(&marta, done.place());
    assert!(
        page.shows("The freeze was ended, or its end needs a confirmation."),
        "{page:?}"
    );
    // The person who set it takes it back within an hour, without another's confirmation.
    assert!(
        !page.body.contains(&format!("/freezes/{id}/end")),
        "it is over: {page:?}"
    );
    tells(&ingrid, "/t/halden/away/absences", &[], "Absence saved.");
    tells(
        &ingrid,
        "/t/halden/away/delegations",
        &[("delegate", "hanne")],
        "Delegation saved.",
    );
}

#[test]
fn a_time_that_comes_twice_is_taken_once_and_the_page_says_which() {
    let house = house("twice-a-day");
    let marta = house.sign_in("marta");
    // In Oslo clocks go back on the last Sunday of October.
    let freeze = [
        ("title", "Autumn"),
        ("starts_at", "2027-10-31T02:30"),
        ("ends_at", "2027-10-31T09:00"),
    ];
    let done = house.post(&marta, "/t/halden/freezes", &freeze);
    let page = house.get(&marta, done.place());
    assert!(
        page.shows("02:30 occurs twice on Sun 31 Oct 2027 in Europe/Oslo")
            && page.shows("The first of the two was used"),
        "{page:?}"
    );
    assert!(page.shows("02:30\u{a0}UTC+2 to 09:00"), "{page:?}");
}

#[test]
fn a_freeze_that_repeats_has_its_moved_times_in_its_form() {
    let house = house("moved-times");
    let marta = house.sign_in("marta");
    let form = |moved: &'static str| {
        [
            ("title", "Christmas week"),
            ("starts_at", "2126-12-20T10:00"),
            ("ends_at", "2126-12-20T12:00"),
            ("rrule", "FREQ=WEEKLY"),
            ("overrides", moved),
        ]
    };
    let moved = "2126-12-20 2126-12-23 18:00 2126-12-23 22:00";
    let refused = house.post(&marta, "/t/halden/freezes", &form("2126-12-20 at noon"));
    assert!(
        refused.status == 422 && refused.shows("Write a moved time as its date by the rule"),
        "{refused:?}"
    );
    let done = house.post(&marta, "/t/halden/freezes", &form(moved));
    assert_eq!(done.status, 303, "{done:?}");
    let list = house.get(&marta, done.place());
    let end = list.body.split_once("/end\"").unwrap().0;
    let id = end.rsplit('/').next().unwrap();
    let page = house.get(&marta, &format!("/t/halden/freezes/{id}"));
    assert!(page.shows(moved), "the form has it: {page:?}");
    assert!(page.shows("18:00 to 22:00"), "it is the next time: {page:?}");
}

#[test]
fn a_feed_has_the_zones_of_the_people_and_an_ended_freeze_as_cancelled() {
    let house = house("feed-zones");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    let done = send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "keep"));
    assert_eq!(done.status, 303, "{done:?}");
    let freeze = [
        ("title", "Spring"),
        ("starts_at", "2126-12-20T10:00"),
        ("ends_at", "2126-12-21T10:00"),
    ];
    let listed = house.post(&marta, "/t/halden/freezes", &freeze);
    let seen = listed.hidden("seen");
    let again: Vec<(&str, &str)> = freeze.into_iter().chain([("seen", seen.as_str())]).collect();
    let done = house.post(&marta, "/t/halden/freezes", &again);
    assert_eq!(done.status, 303, "{done:?}");
    let made = house.post(&ingrid, "/t/halden/calendar/feed", &[]);
    let shown = made.body.replace("<wbr/>", "");
    let rest = shown.split_once("/t/halden/feed/").unwrap().1;
    let path = format!("/t/halden/feed/{}.ics", rest.split_once(".ics").unwrap().0);
    let feed = house.get("", &path).body.replace("\r\n ", "");
    assert!(
        feed.contains("\\nEurope/Oslo: ") && feed.contains("Ingrid Solheim)"),
        "{feed}"
    );
    assert!(
        feed.contains("Freeze: Spring") && !feed.contains("STATUS:CANCELLED"),
        "{feed}"
    );
    // Its setter takes it back within an hour, without another's confirmation.
    let list = house.get(&marta, done.place());
    let id = list.body.split_once("/end\"").unwrap().0.rsplit('/').next().unwrap();
    let reason = [("reason", "Spring was early.")];
    let ended = house.post(&marta, &format!("/t/halden/freezes/{id}/end"), &reason);
    assert_eq!(ended.status, 303, "{ended:?}");
    let feed = house.get("", &path).body.replace("\r\n ", "");
    assert!(
        feed.contains("Freeze: Spring") && feed.contains("STATUS:CANCELLED"),
        "{feed}"
    );
}
