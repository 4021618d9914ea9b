//! The paper form of a page: times that count from no “now”, and digests as a whole.

use super::{change_form, house, send};

#[test]
fn paper_tells_times_absolute_and_digests_whole() {
    let house = house("paper");
    let ingrid = house.sign_in("ingrid");
    let form = change_form(&house, "submit");
    send(&house, &ingrid, "/t/halden/changes", &form);
    let page = house.get(&ingrid, "/t/halden/changes/CHG-1001");
    let now = house.running.state().executor().tools().clock.now();
    let day = now
        .to_zoned(jiff::tz::TimeZone::get("Europe/Oslo").unwrap())
        .strftime("%Y")
        .to_string();
    let whole = page.body.split_once("data-whole=\"").unwrap().1;
    let whole = whole.split('"').next().unwrap();
    assert_eq!(whole.len(), "sha256:".len() + 64, "{whole}");
    let written = page.body.split_once("by Ingrid Solheim, ").unwrap().1;
    let absolute = written.split_once("data-label=\"").unwrap().1;
    let absolute = absolute.split('"').next().unwrap();
    assert!(absolute.contains(&day) && absolute.contains(':'), "{absolute}");
    assert!(page.shows("As of ") && page.shows("times in Europe/Oslo."), "{page:?}");
    let style = house.get("", "/assets/app.css");
    let print = style.body.split_once("@media print {\n    .side").unwrap().1;
    for rule in [
        "content: attr(data-label)",
        "content: attr(data-whole)",
        ".as-of { display: block; }",
    ] {
        assert!(print.contains(rule), "{rule}");
    }
}
