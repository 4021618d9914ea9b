//! Forms that are refused: they come back filled in, with all errors at once, under the labels of the form.

use super::{Answer, SECRET, change_form, house, send};

/// The content of the control of this name, with its surroundings.
fn control<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let mark = format!("name=\"{name}\"");
    let at = answer
        .body
        .find(&mark)
        .unwrap_or_else(|| panic!("no {name} in {answer:?}"));
    let until = answer.body[at..]
        .find("</div>")
        .map_or(answer.body.len(), |end| at + end);
    &answer.body[at..until]
}

#[test]
fn a_refusal_names_the_fields_of_its_form_and_the_time_of_its_reader() {
    let house = house("filled-words");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    assert_eq!(
        send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "submit")).status,
        303
    );
    let change = "/t/halden/changes/CHG-1001";
    let times = [
        ("planned_start", "2001-02-03T10:00"),
        ("planned_end", "2001-02-03T11:00"),
    ];
    let past = house.post(&ingrid, &format!("{change}/schedule"), &times);
    assert_eq!(past.status, 422, "{past:?}");
    assert!(past.shows("“End”, Sat 3 Feb 2001 11:00, must lie ahead."), "{past:?}");
    assert!(
        !past.shows("2001-02-03T10:00:00Z") && !past.shows("`planned_end`"),
        "{past:?}"
    );

    let left_out = [
        ("excluded", "DR site: not affected\nload"),
        ("dependencies_reviewed", "true"),
    ];
    let unsaid = house.post(&marta, &format!("{change}/assessment"), &left_out);
    assert_eq!(unsaid.status, 422, "{unsaid:?}");
    assert!(
        unsaid.shows("Line 2 needs the item, a colon and the reason."),
        "{unsaid:?}"
    );
    assert!(!unsaid.shows("excluded["), "{unsaid:?}");
}

#[test]
fn every_error_of_a_form_is_told_at_once() {
    let house = house("filled-once");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    let mut form = change_form(&house, "draft");
    form.retain(|(name, _)| !["implementers", "rollback_minutes", "planned_start"].contains(name));
    form.push(("implementers", "ada, bo".to_owned()));
    form.push(("planned_start", "tomorrow".to_owned()));
    form.push(("rollback_minutes", "soon".to_owned()));
    let refused = send(&house, &ingrid, "/t/halden/changes", &form);
    assert_eq!(refused.status, 422, "{refused:?}");
    for told in [
        "the login `ada`.",
        "the login `bo`.",
        "This is not a day and time",
        "“Minutes in all” must be a whole number",
    ] {
        assert!(refused.shows(told), "{told}: {refused:?}");
    }

    let token = [("name", ""), ("person", "ada"), ("expires_at", "never")];
    let refused = house.post(&marta, "/t/halden/tokens", &token);
    assert_eq!(refused.status, 422);
    for told in [
        "“Name” is missing.",
        "the login `ada`.",
        "This is not a day and time",
        "Choose at least one scope",
    ] {
        assert!(refused.shows(told), "{told}: {refused:?}");
    }

    let template = [
        ("key", ""),
        ("services", "one, two"),
        ("free", "three, four"),
        ("review_by", "some day"),
        ("watch_minutes", "soon"),
    ];
    let refused = house.post(&marta, "/t/halden/templates", &template);
    assert_eq!(refused.status, 422);
    for told in [
        "“Key” is missing.",
        "`one`",
        "`two`",
        "`three`",
        "`four`",
        "This is not a day and time",
        "whole number",
    ] {
        assert!(refused.shows(told), "{told}: {refused:?}");
    }
}

#[test]
fn forms_beside_a_list_or_an_account_come_back_filled_in() {
    let house = house("filled-back");
    let marta = house.sign_in("marta");
    let freeze = [
        ("title", "Quarter end"),
        ("starts_at", "2030-01-01T00:00"),
        ("ends_at", "2030-01-02T00:00"),
        ("reason", "Agreed with finance"),
    ];
    assert_eq!(house.post(&marta, "/t/halden/freezes", &freeze).status, 303);
    let list = house.get(&marta, "/t/halden/freezes");
    let (_, rest) = list.body.split_once("action=\"/t/halden/freezes/").unwrap();
    let id = rest.split(['/', '"']).next().unwrap();
    let except = [("change", "CHG-4711"), ("reason", "The bank insists")];
    let refused = house.post(&marta, &format!("/t/halden/freezes/{id}/exceptions"), &except);
    assert_eq!(refused.status, 422, "{refused:?}");
    assert!(refused.shows("There is no change CHG-4711 here."), "{refused:?}");
    assert!(control(&refused, "change").contains("value=\"CHG-4711\""));
    assert!(refused.shows("The bank insists</textarea>"), "{refused:?}");

    let words = [("present", "another one"), ("password", "short")];
    let refused = house.post(&marta, "/t/halden/account/password", &words);
    assert_eq!(refused.status, 422, "{refused:?}");
    assert!(refused.shows("The present password is not correct."), "{refused:?}");
    assert!(refused.shows("at least"), "both are told: {refused:?}");
    assert!(
        !refused.shows("value=\"short\"") && !refused.shows("another one\""),
        "{refused:?}"
    );

    let view = [("name", " "), ("query", "state=open")];
    let refused = house.post(&marta, "/t/halden/views", &view);
    assert_eq!(refused.status, 422, "{refused:?}");
    assert!(refused.shows("A view has a name of at most 60 letters."), "{refused:?}");
    assert!(refused.shows("name=\"query\" value=\"state=open\""), "{refused:?}");
}

#[test]
fn the_name_of_a_new_factor_comes_back() {
    let house = house("filled-factor");
    let marta = house.sign_in("marta");
    let long = "x".repeat(61);
    let refused = house.post(&marta, "/t/halden/account/factors", &[("name", &long)]);
    assert_eq!(refused.status, 422, "{refused:?}");
    assert!(refused.shows("A name has 1 to 60 characters."), "{refused:?}");
    assert_eq!(
        refused.body.matches(&format!("value=\"{long}\"")).count(),
        1,
        "{refused:?}"
    );
}

#[test]
fn what_stood_beside_a_file_comes_back_after_the_session_ended() {
    let house = house("filled-file");
    let ingrid = house.sign_in("ingrid");
    assert_eq!(
        send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "draft")).status,
        303
    );
    let path = "/t/halden/changes/CHG-1001/evidence";
    let part =
        |name: &str, value: &str| format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let file = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"load.txt\"\r\n\r\nsecret bytes\r\n";
    let body = [&part("kind", "file"), file, &part("name", "Load test"), "--b--\r\n"].concat();
    let headers = [
        ("cookie", ""),
        ("content-type", "multipart/form-data; boundary=b"),
        ("sec-fetch-site", "same-origin"),
    ];
    let held = house.ask("POST", path, &headers, &body);
    assert_eq!(held.status, 401, "{held:?}");
    assert_eq!(
        (held.hidden("held"), held.hidden("held:name")),
        (path.to_owned(), "Load test".to_owned())
    );
    assert!(!held.shows("secret bytes"), "{held:?}");

    let back = [
        ("login", "ingrid"),
        ("password", SECRET),
        ("held", path),
        ("held:kind", "file"),
        ("held:name", "Load test"),
    ];
    let kept = house.post("", "/t/halden/sign-in", &back);
    assert_eq!(kept.status, 200, "{kept:?}");
    assert!(
        kept.shows("enctype=\"multipart/form-data\"") && kept.shows("type=\"file\""),
        "{kept:?}"
    );
    assert!(kept.shows("Choose the file again: it was not saved."), "{kept:?}");
    assert!(kept.shows("<dt>Name</dt>"), "{kept:?}");
}

/// The labels of each field of the forms of a page: where the form goes, the field, the label.
fn labels(page: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for form in page.split("<form ").skip(1) {
        let form = form.split("</form>").next().unwrap();
        let Some(action) = form.split("action=\"").nth(1).and_then(|rest| rest.split('"').next()) else {
            continue;
        };
        if !form.contains("method=\"post\"") {
            continue;
        }
        for field in form.split("<label for=\"").skip(1) {
            let (id, rest) = field.split_once('"').unwrap();
            let label = rest.split_once('>').unwrap().1.split("</label>").next().unwrap();
            let label = label
                .rsplit_once("<span>")
                .map_or(label, |(_, words)| words.trim_end_matches("</span>"));
            let control = format!("id=\"{id}\" name=\"");
            let Some(name) = form.split(&control).nth(1).and_then(|rest| rest.split('"').next()) else {
                continue;
            };
            found.push((action.to_owned(), name.to_owned(), label.to_owned()));
        }
    }
    found
}

#[test]
fn a_form_that_is_given_back_names_its_fields_as_the_form_does() {
    let house = house("filled-labels");
    let (marta, ingrid) = (house.sign_in("marta"), house.sign_in("ingrid"));
    assert_eq!(
        send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "submit")).status,
        303
    );
    let pages = [
        "/changes/new",
        "/changes?state=open",
        "/changes/CHG-1001",
        "/freezes",
        "/windows",
        "/services",
        "/services/booking-api",
        "/incidents",
        "/templates",
        "/policies",
        "/people",
        "/tokens",
        "/account",
        "/away",
        "/telling",
        "/access-reviews",
        "/connections",
        "/webhooks",
        "/sinks",
        "/identity-providers",
        "/ownership",
        "/fields",
        "/hours",
        "/workloads",
    ];
    let (mut seen, mut wrong) = (0, Vec::new());
    for page in pages {
        let shown = house.get(&marta, &format!("/t/halden{page}"));
        assert_eq!(shown.status, 200, "{page}");
        for (action, name, label) in labels(&shown.body) {
            if ["present", "password", "code", "client_secret", "file"].contains(&name.as_str()) {
                continue;
            }
            let kept = pages::Kept {
                action_url: action.clone(),
                fields: vec![(name.clone(), "x".to_owned())],
                ..pages::Kept::default()
            };
            let kept = kept.render();
            // The author of the change is not known any more where the form is given back.
            let own = format!("{}</dt>", label.replace(" to Ingrid Solheim", ""));
            if !kept.contains(&own) {
                wrong.push(format!("{action} {name} is “{label}”"));
            }
            seen += 1;
        }
    }
    assert!(
        wrong.is_empty(),
        "add them to crates/pages/src/kept/labels.rs: {wrong:#?}"
    );
    assert!(seen > 120, "only {seen} fields were seen");
}
