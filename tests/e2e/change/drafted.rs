//! Input in the form of a new change is kept until the author sends it or throws it away, and only for the author.

use jiff::SignedDuration;
use serde_json::Value;
use tests::session::{Seen, Session};
use tests::{Place, Server};

use crate::platform::crash::must_verify;

const NEW: &str = "/t/halden/changes/new";
const SAVE: &str = "/t/halden/changes/new/draft";

/// The script's request after some letters.
fn typed<'s>(form: &'s str, seen: &'s str, title: &'s str) -> Vec<(&'s str, &'s str)> {
    vec![
        ("draft", form),
        ("draft_version", seen),
        ("title", title),
        ("targets.0.service", "label-print"),
        ("touches", "schema"),
        ("touches", "network"),
    ]
}

fn version(seen: &Seen) -> i64 {
    assert_eq!(seen.status, 200, "{}", seen.body);
    let told: Value = serde_json::from_str(&seen.body).unwrap();
    told["version"].as_i64().unwrap()
}

#[test]
fn what_was_typed_is_restored_to_its_writer_alone() {
    let place = Place::demo("form-drafts");
    let mut server = Server::start(&place, true);
    {
        let writer = Session::begin(&server, "requester");
        assert_eq!(version(&writer.form(SAVE, &typed("", "0", "Half a thought"))), 1);
        assert_eq!(version(&writer.form(SAVE, &typed("", "1", "Half a <thought>"))), 2);
        let again = Session::begin(&server, "requester").get(NEW);
        for words in [
            "Your draft is restored",
            "Half a &lt;thought&gt;",
            "Throw it away and begin anew",
        ] {
            assert!(again.body.contains(words), "{words}: {}", again.body);
        }
        let other = Session::begin(&server, "owner").get(NEW);
        assert_eq!(other.status, 200);
        assert!(!other.body.contains("Half a"), "a draft is its writer's alone");
        other_windows_and_wrong_forms_are_refused(&writer);
        let nobody = Session::begin(&server, "auditor").form(SAVE, &typed("", "0", "None"));
        assert_eq!(nobody.status, 403, "who creates no change drafts none");
        let elsewhere = writer
            .from_site("https://evil.example")
            .form(SAVE, &typed("", "2", "Planted"));
        assert_eq!(elsewhere.status, 403, "{}", elsewhere.body);
    }
    let later = server.server_time() + SignedDuration::from_hours(24 * 31);
    server.hold_clock(later);
    let gone = Session::begin(&server, "requester").get(NEW);
    assert!(!gone.body.contains("Half a"), "after a month without a word it is gone");
    must_verify(&server);
}

fn other_windows_and_wrong_forms_are_refused(writer: &Session<'_>) {
    let stale = writer.form(SAVE, &typed("", "1", "From another window"));
    assert_eq!(stale.status, 409, "{}", stale.body);
    let wrong = writer.form(SAVE, &typed("next=//evil.example", "0", "Away"));
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    let long = "x".repeat(65 * 1024);
    let large = writer.form(SAVE, &typed("", "2", &long));
    assert!(matches!(large.status, 413 | 422), "{}", large.status);
    let forms: Vec<String> = (0..9).map(|nth| format!("after=template-{nth}")).collect();
    for form in &forms {
        assert_eq!(version(&writer.form(SAVE, &typed(form, "0", "One of many"))), 1);
    }
    let many = writer.form(SAVE, &typed("after=one-too-many", "0", "One of many"));
    assert_eq!(many.status, 422, "{}", many.body);
    assert!(writer.get(NEW).body.contains("Other drafts of yours"));
}

#[test]
fn a_draft_is_put_aside_without_a_script_and_ends_when_it_is_sent_or_thrown_away() {
    let place = Place::demo("form-drafts-by-hand");
    let server = Server::start(&place, true);
    let writer = Session::begin(&server, "requester");
    let with = |act: &'static str, seen: &'static str| {
        let mut form = typed("", seen, "Print larger labels");
        form.extend([("act", act), ("targets.0.environment", "production")]);
        writer.form("/t/halden/changes", &form)
    };
    let aside = with("aside", "0");
    assert_eq!((aside.status, aside.location.as_str()), (303, NEW), "{}", aside.body);
    assert!(writer.get(NEW).body.contains("Print larger labels"));
    let twice = with("aside", "0");
    assert_eq!(twice.status, 409, "another window was faster");
    assert!(twice.body.contains("Print larger labels"), "what was typed stays");

    let made = with("keep", "1");
    assert_eq!(made.status, 303, "{}", made.body);
    let fresh = writer.get(NEW);
    assert!(!fresh.body.contains("Your draft is restored"), "it was sent");

    with("aside", "0");
    let gone = writer.form("/t/halden/changes/new/draft/removal", &[("draft", "")]);
    assert_eq!((gone.status, gone.location.as_str()), (303, NEW));
    assert!(!writer.get(NEW).body.contains("Print larger labels"));
    must_verify(&server);
}
