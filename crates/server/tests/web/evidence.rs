//! Evidence by form: its file comes, is linked, and is requested again where the form comes back.

use super::{change_form, house, send};

#[test]
fn evidence_comes_with_its_file() {
    let house = house("evidence");
    let cookie = house.sign_in("ingrid");
    send(&house, &cookie, "/t/halden/changes", &change_form(&house, "keep"));
    let field = |name: &str, value: &str| {
        format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let report = "<testsuites><testsuite name=\"s\" tests=\"2\" failures=\"0\"><testcase name=\"a\"/><testcase name=\"b\"/></testsuite></testsuites>";
    let file = |name: &str, text: &str| {
        format!(
            "--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: text/xml\r\n\r\n{text}\r\n--edge--\r\n"
        )
    };
    let headers = [
        ("cookie", cookie.as_str()),
        ("content-type", "multipart/form-data; boundary=edge"),
        ("sec-fetch-site", "same-origin"),
    ];
    let url = "/t/halden/changes/CHG-1001/evidence";
    let body =
        field("name", "Unit tests") + &field("kind", "junit") + &field("aspect", "functional") + &file("r.xml", report);
    let done = house.ask("POST", url, &headers, &body);
    assert_eq!(done.status, 303, "{done:?}");
    assert!(
        done.place()
            .starts_with("/t/halden/changes/CHG-1001?done=evidence&seal="),
        "{done:?}"
    );
    let page = house.get(&cookie, "/t/halden/changes/CHG-1001");
    assert!(page.shows("Unit tests") && page.shows("1 of 1 passed"), "{page:?}");

    let body = field("name", "Broken") + &field("kind", "junit") + &file("r.xml", "<testsuites>");
    let bad = house.ask("POST", url, &headers, &body);
    assert_eq!(bad.status, 422, "{bad:?}");
    assert!(bad.shows("Broken") && bad.shows("evidence-evidence-file-e"), "{bad:?}");
    let body = field("name", "Words") + &field("kind", "note") + &field("text", "Tried by hand") + &file("", "");
    assert_eq!(house.ask("POST", url, &headers, &body).status, 303);

    // A person who chooses a file and leaves the menu on its first entry means the file.
    let body = field("name", "Photo") + &field("kind", "note") + &file("p.txt", "seen");
    assert_eq!(house.ask("POST", url, &headers, &body).status, 303);
    let page = house.get(&cookie, "/t/halden/changes/CHG-1001");
    let (before, _) = page.body.split_once(">Photo</a>").unwrap();
    let link = before.rsplit_once("href=\"").unwrap().1.split('"').next().unwrap();
    assert!(page.shows("4 B, "), "{page:?}");
    let back = house.get(&cookie, link);
    assert!(back.status == 200 && back.body.ends_with("seen"), "{link}: {back:?}");
    let body = field("name", "Where") + &field("environment", "moon") + &file("p.txt", "seen");
    let lost = house.ask("POST", url, &headers, &body);
    assert!(lost.status == 422 && lost.shows("Choose the file again"), "{lost:?}");
}

#[test]
fn the_address_of_a_form_leads_to_its_page() {
    let house = house("forms");
    let cookie = house.sign_in("ingrid");
    send(&house, &cookie, "/t/halden/changes", &change_form(&house, "keep"));
    for (form, page) in [
        ("/changes/CHG-1001/evidence", "/changes/CHG-1001"),
        ("/policies/trial", "/policies"),
    ] {
        let answer = house.get(&cookie, &format!("/t/halden{form}"));
        let expected = format!("/t/halden{page}");
        assert_eq!((answer.status, answer.place()), (303, expected.as_str()), "{answer:?}");
    }
    assert_eq!(house.ask("DELETE", "/t/halden/policies/trial", &[], "").status, 405);
}
