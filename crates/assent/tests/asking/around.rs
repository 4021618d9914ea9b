//! The records of a change and its gate: its watchers, conditions, the card that is approved, a permit on standard output.

use std::path::Path;

use serde_json::{Value, json};

use crate::scripted::{Scripted, code, text};
use crate::{CHECK, change};

#[test]
fn watching_says_that_any_version_is_meant() {
    let server = Scripted::new(vec![(200, "", change("draft"))]);
    let (output, asked) = server.run(&["change", "watch", "CHG-7"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert_eq!(asked[0].line, "PUT /api/v1/changes/CHG-7/watchers HTTP/1.1");
    assert!(asked[0].headers.contains("if-match: *"), "{}", asked[0].headers);
    assert_eq!(text(&output.stdout), "CHG-7 watched\n");
}

#[test]
fn a_condition_that_lapsed_is_told_apart_from_an_open_one() {
    let row =
        |id: &str, lapsed: bool| json!({"id": id, "due": "start", "checker": "olga", "text": "Call", "lapsed": lapsed});
    let mut open = row("c-1", false);
    open.as_object_mut().unwrap().remove("lapsed");
    let list = json!({"items": [open, row("c-2", true)], "next": null});
    let server = Scripted::new(vec![(200, "", list)]);
    let (output, _) = server.run(&["change", "condition", "list", "CHG-7"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout),
        "c-1\tstart\tolga\t\tCall\t\nc-2\tstart\tolga\t\tCall\ttrue\n"
    );
}

#[test]
fn approving_for_a_program_shows_the_card_beside_its_answer() {
    let mut shown = change("authorizing");
    shown["no_rollback_reason"] = json!("The vendor migrates the data.");
    let item = json!({"id": "a-1", "change_state": "approved", "decision": "approve"});
    let server = Scripted::new(vec![(200, "", shown), (201, "", item.clone())]);
    let (output, _) = server.run(&["change", "approve", "CHG-7", "--json"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), item);
    assert!(text(&output.stderr).contains("no way back       The vendor migrates the data."));
}

#[test]
fn a_digest_that_is_no_longer_current_is_told_once_with_what_has_changed() {
    let detail =
        "The change was edited since you read it. You sent the digest sha256:old; the present digest is sha256:c.";
    let problem = json!({"status": 409, "code": "digest_not_current", "detail": detail,
        "changes": [{"field": "title", "covers": "what", "old": "Move it", "new": "Move it all"}],
        "unmet": [{"code": "digest_not_current", "text": detail, "satisfy": "Read the change as it stands now.", "waiting_on": []}]});
    let server = Scripted::new(vec![(409, "", problem)]);
    let (output, _) = server.run(&["change", "approve", "CHG-7", "--digest", "sha256:old"]);
    assert_eq!(code(&output), 1);
    let told = text(&output.stderr);
    assert_eq!(told.matches("You sent the digest sha256:old").count(), 1, "{told}");
    assert!(
        told.contains("title (covered by what): was Move it; now Move it all"),
        "{told}"
    );
    assert!(told.contains("to open: Read the change as it stands now."), "{told}");
}

#[test]
fn a_dry_import_of_holidays_says_that_nothing_was_done() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("holidays-{}.ics", std::process::id()));
    std::fs::write(&file, "BEGIN:VCALENDAR\n").unwrap();
    for (is_dry, told) in [
        (true, "would do: 2 added to default\n"),
        (false, "2 added to default\n"),
    ] {
        let report = json!({"dry_run": is_dry, "added": 2, "rows": []});
        let mut words = vec!["calendar", "import", file.to_str().unwrap()];
        words.extend(is_dry.then_some("--dry-run"));
        let (output, asked) = Scripted::new(vec![(200, "", report)]).run(&words);
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        assert_eq!(asked[0].body["dry_run"], is_dry);
        assert!(text(&output.stdout).ends_with(told), "{}", text(&output.stdout));
        assert_eq!(text(&output.stdout).contains("would"), is_dry);
    }
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_permit_on_standard_output_stands_there_alone() {
    let go = json!({"id": "g-1", "decision": "go", "change": "CHG-7", "permit": "a.b.c", "reasons": []});
    let words = [CHECK, &["--permit", "-"]].concat();
    let (output, _) = Scripted::new(vec![(201, "", go.clone())]).run(&words);
    assert_eq!((code(&output), text(&output.stdout).as_str()), (0, "a.b.c\n"));
    assert!(text(&output.stderr).contains("go CHG-7"), "{}", text(&output.stderr));
    assert!(!Path::new("-").exists());
    let (output, _) = Scripted::new(vec![(201, "", go)]).run(&[&words[..], &["--json"]].concat());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((code(&output), &told["permit"]), (0, &json!("a.b.c")));
    let reasons = json!([{"code": "freeze", "text": "A freeze.", "satisfy": "Wait.", "waiting_on": []}]);
    let stop = json!({"id": "g-1", "decision": "stop", "state": "waiting", "permit": null, "reasons": reasons});
    let (output, _) = Scripted::new(vec![(201, "", stop)]).run(&words);
    assert_eq!((code(&output), text(&output.stdout).as_str()), (1, ""));
    assert!(text(&output.stderr).contains("A freeze. (freeze)"));
    // The same of a permit ahead of the window.
    let item = json!({"id": "j-1", "permit": "a.b.c", "change_state": "approved"});
    let build = [
        "--service",
        "pay",
        "--environment",
        "production",
        "--commit",
        "abc",
        "-o",
        "-",
    ];
    let words = [&["change", "permit", "CHG-7"][..], &build].concat();
    let (output, _) = Scripted::new(vec![(201, "", item)]).run(&words);
    assert_eq!((code(&output), text(&output.stdout).as_str()), (0, "a.b.c\n"));
}
