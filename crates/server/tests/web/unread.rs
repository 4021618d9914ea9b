//! An unreadable value is reported at its place: times that never come, filters of an address, addresses themselves.

use super::house;

#[test]
fn a_time_that_never_comes_is_refused_beside_its_field_and_each_error_leads_there() {
    let house = house("never");
    let marta = house.sign_in("marta");
    // In Oslo clocks go forward on the last Sunday of March.
    let freeze = [
        ("title", "Spring"),
        ("starts_at", "2027-03-28T02:30"),
        ("ends_at", "2027-03-28T09:00"),
    ];
    let refused = house.post(&marta, "/t/halden/freezes", &freeze);
    assert_eq!(refused.status, 422, "{refused:?}");
    let why = "02:30 does not exist on Sun 28 Mar 2027 in Europe/Oslo, because clocks go forward then. The next time is Sun 28 \
               Mar 2027 03:00.";
    assert!(refused.shows(why), "{refused:?}");
    let field = refused.body.split_once("name=\"starts_at\"").unwrap().1;
    let field = field.split_once('>').unwrap().0;
    assert!(field.contains("aria-invalid=\"true\""), "{field}");
    let id = "list-freeze-starts_at";
    for link in [
        "href=\"#wrong\"".to_owned(),
        format!("<a href=\"#{id}\">"),
        format!("id=\"{id}\""),
    ] {
        assert!(refused.shows(&link), "{link}: {refused:?}");
    }
    assert!(!house.get(&marta, "/t/halden/freezes").shows("Spring"));
}

#[test]
fn a_filter_that_cannot_be_read_says_so_beside_its_field() {
    let house = house("filters");
    let marta = house.sign_in("marta");
    for (query, name, why) in [
        ("planned_from=tomorrow", "planned_from", "This is not a day and time"),
        ("planned_to=2027-03-28T02:30", "planned_to", "clocks go forward then"),
        ("created_to=2026-13-01", "created_to", "This is not a day and time"),
        ("state=odd", "state", "“odd” is none of these"),
        ("outcome=failed,odd", "outcome", "“odd” is none of these"),
    ] {
        let page = house.get(&marta, &format!("/t/halden/changes?{query}"));
        assert_eq!(page.status, 200, "{query}");
        assert!(page.shows(why), "{query}: {page:?}");
        assert!(page.shows(&format!("href=\"#filter-{name}\"")), "{query}: {page:?}");
        let file = house.get(&marta, &format!("/t/halden/changes.csv?{query}"));
        assert_eq!(file.status, 422, "no file answers another question: {file:?}");
    }
    let fine = house.get(
        &marta,
        "/t/halden/changes?planned_from=2026-12-01T10:00&state=draft,assessing",
    );
    assert!(!fine.shows("A filter cannot be read"), "{fine:?}");
}

#[test]
fn an_address_that_no_page_reads_is_answered_by_a_page() {
    let house = house("addresses");
    let marta = house.sign_in("marta");
    for path in ["changes?q=%00", "services?q=a%00b", "changes/%00", "services?q=a&q=b"] {
        let page = house.get(&marta, &format!("/t/halden/{path}"));
        assert_eq!(page.status, 400, "{path}: {page:?}");
        let kind = page.header("content-type").unwrap_or_default();
        assert!(kind.starts_with("text/html"), "{path}: {kind}");
        assert!(page.shows("This could not be read"), "{path}: {page:?}");
    }
    let program = house.get(&marta, "/api/v1/changes?q=%00");
    let kind = program.header("content-type").unwrap_or_default();
    assert!(kind.contains("json"), "{kind}");
}

#[test]
fn what_stands_for_a_tenant_goes_encoded_into_the_way_to_the_door() {
    let house = house("odd-tenants");
    for odd in [
        "a%0aX",
        "a%0d%0aSet-Cookie:x",
        "%c3%a9",
        "a%3Cscript%3E",
        "a%20b",
        "a%3Fb%23c",
    ] {
        for path in [format!("/t/{odd}/changes"), format!("/t/{odd}/services/x")] {
            let sent = house.get("", &path);
            assert_eq!(sent.status, 303, "{path}: {sent:?}");
            let place = sent.place().to_owned();
            let tenant = place.strip_prefix("/t/").unwrap().split('/').next().unwrap();
            assert!(tenant.eq_ignore_ascii_case(odd), "{path}: {place}");
            let door = house.get("", &place);
            assert_eq!(door.status, 200, "{place}: {door:?}");
        }
    }
}

#[test]
fn a_form_that_is_not_utf8_is_refused_and_makes_nothing() {
    let house = house("encodings");
    let marta = house.sign_in("marta");
    let send = |cookie: &str, kind: &str, body: &str| {
        let headers = [
            ("cookie", cookie),
            ("content-type", kind),
            ("sec-fetch-site", "same-origin"),
        ];
        house.ask("POST", "/t/halden/freezes", &headers, body)
    };
    let form = "application/x-www-form-urlencoded";
    let times = "starts_at=2099-01-01T10:00&ends_at=2099-01-02T10:00";
    for title in ["%ff%fe", "Spring%ED%A0%80", "Spring%C3"] {
        for cookie in [marta.as_str(), ""] {
            let refused = send(cookie, form, &format!("{times}&title={title}"));
            assert_eq!(refused.status, 400, "{title}: {refused:?}");
            assert!(refused.shows("it is not UTF-8 text"), "{title}: {refused:?}");
        }
    }
    let other = send(
        &marta,
        &format!("{form}; charset=iso-8859-1"),
        &format!("{times}&title=Spring"),
    );
    assert_eq!(other.status, 415, "{other:?}");
    let page = house.get(&marta, "/t/halden/freezes");
    assert!(!page.shows("Spring") && !page.shows("\u{fffd}"), "{page:?}");
    let fine = send(
        &marta,
        &format!("{form}; charset=UTF-8"),
        &format!("{times}&title=Fr%C3%BChling"),
    );
    assert_eq!(fine.status, 303, "{fine:?}");
    assert!(house.get(&marta, "/t/halden/freezes").shows("Fr\u{fc}hling"));
    let query = house.get(&marta, "/t/halden/changes?q=%ff");
    assert_eq!(query.status, 400, "{query:?}");
}
