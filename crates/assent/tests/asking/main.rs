//! The requests of the commands to a server and their output of its responses, against a server of the tests with the responses
//! that each test needs.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod around;
mod scripted;

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use scripted::{Answer, Scripted, code, text};

pub(crate) const CHECK: &[&str] = &[
    "gate",
    "check",
    "--service",
    "pay",
    "--environment",
    "production",
    "--commit",
    "abc",
];

fn stop(reason: &str) -> Value {
    json!({"id": "g-1", "decision": "stop", "state": "waiting", "permit": null,
        "reasons": [{"code": reason, "text": "Not yet.", "satisfy": "Olga approves.", "waiting_on": ["olga"]}]})
}

#[test]
fn a_stop_is_one_and_says_who_holds_it() {
    let server = Scripted::new(vec![(201, "", stop("approval_missing"))]);
    let (output, asked) = server.run(CHECK);
    assert_eq!(code(&output), 1);
    let told = text(&output.stdout);
    for part in [
        "stop",
        "Not yet. (approval_missing)",
        "to open: Olga approves.",
        "waits for: olga",
    ] {
        assert!(told.contains(part), "{told}");
    }
    assert!(text(&output.stderr).contains("Waited 0 s:"));
    assert_eq!(asked[0].line, "POST /api/v1/gate-checks HTTP/1.1");
    assert_eq!(
        asked[0].body,
        json!({"service": "pay", "environment": "production", "commit": "abc"})
    );
    assert!(asked[0].headers.contains("authorization: bearer ast_test"));
}

#[test]
fn a_go_at_once_writes_the_permit_for_its_owner_alone() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("permit-{}", std::process::id()));
    let go = json!({"id": "g-1", "decision": "go", "change": "CHG-7", "permit": "a.b.c", "reasons": []});
    let server = Scripted::new(vec![(201, "", go)]);
    let (output, _) = server.run(&[CHECK, &["--permit", file.to_str().unwrap(), "--json"]].concat());
    assert_eq!(code(&output), 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "a.b.c\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    std::fs::remove_file(&file).unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["decision"], &told["waited_seconds"]), (&json!("go"), &json!(0)));
    assert!(
        !text(&output.stdout).contains("a.b.c"),
        "a build log does not need the permit"
    );
}

#[cfg(unix)]
#[test]
fn a_permit_in_a_file_that_others_could_read_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("permit-of-others-{}", std::process::id()));
    std::fs::write(&file, "an older and much longer permit\n").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let words = [CHECK, &["--permit", file.to_str().unwrap()]].concat();
    let (output, _) = Scripted::new(vec![(201, "", stop("approval_missing"))]).run(&words);
    assert_eq!(code(&output), 1);
    let before = std::fs::read_to_string(&file).unwrap();
    assert_eq!(before, "an older and much longer permit\n", "a stop writes nothing");
    let go = json!({"id": "g-1", "decision": "go", "change": "CHG-7", "permit": "a.b.c", "reasons": []});
    let (output, _) = Scripted::new(vec![(201, "", go)]).run(&words);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "a.b.c\n");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_gate_is_not_asked_when_its_permit_could_not_be_kept() {
    let nowhere = ["--permit", "/nonexistent/permit.jwt"];
    let (output, asked) = Scripted::new(Vec::new()).run(&[CHECK, &nowhere].concat());
    assert_eq!((code(&output), asked.len()), (2, 0));
    assert!(text(&output.stderr).contains("`/nonexistent/permit.jwt` cannot be written"));
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("permit-of-a-stop-{}", std::process::id()));
    let kept = ["--permit", file.to_str().unwrap()];
    let (output, _) = Scripted::new(vec![(201, "", stop("approval_missing"))]).run(&[CHECK, &kept].concat());
    assert_eq!(code(&output), 1);
    assert!(!file.exists(), "an empty file would be taken for a permit");
}

#[test]
fn a_credential_named_on_the_command_line_wins_over_one_from_the_environment() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("token-{}", std::process::id()));
    std::fs::write(&file, "ast_of_the_file\n").unwrap();
    let path = file.to_str().unwrap();
    let list = [(200, "", json!({"items": [], "next": null}))];
    let (_, asked) = Scripted::new(list.to_vec()).run(&["change", "list", "--token-file", path]);
    assert!(
        asked[0].headers.contains("bearer ast_of_the_file"),
        "{}",
        asked[0].headers
    );
    let both = [("ASSENT_TOKEN_FILE", path)];
    let (_, asked) = Scripted::new(list.to_vec()).run_in(&both, &["change", "list"]);
    assert!(asked[0].headers.contains("bearer ast_test"), "{}", asked[0].headers);
    std::fs::write(&file, "\n").unwrap();
    let (output, asked) = Scripted::new(Vec::new()).run(&["change", "list", "--token-file", path]);
    assert_eq!((code(&output), asked.len()), (2, 0));
    assert!(text(&output.stderr).contains("holds no token"));
    std::fs::remove_file(&file).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_could_not_be_written_whole_is_no_success() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_assent"))
        .args(["openapi"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(code(&output), 2);
    let talk = text(&output.stderr);
    assert!(talk.contains("could not be written whole: No space left"), "{talk}");
}

#[test]
fn waiting_tells_reasons_as_they_change_and_collects_the_permit() {
    let go = json!({"id": "g-1", "decision": "go", "change": "CHG-7", "permit": null, "reasons": []});
    let collected = json!({"id": "g-1", "decision": "go", "change": "CHG-7", "permit": "a.b.c", "reasons": []});
    let server = Scripted::new(vec![
        (201, "", stop("approval_missing")),
        (200, "", stop("window_not_open")),
        (
            503,
            "Retry-After: 1\r\n",
            json!({"code": "unavailable", "detail": "Starting."}),
        ),
        (200, "", go),
        (201, "", collected),
    ]);
    let (output, asked) = server.run(&[CHECK, &["--wait", "2m"]].concat());
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("go CHG-7"));
    let talk = text(&output.stderr);
    for part in ["approval_missing", "window_not_open", "Starting."] {
        assert_eq!(talk.matches(part).count(), 1, "{part} in {talk}");
    }
    let lines: Vec<&str> = asked.iter().map(|asked| asked.line.as_str()).collect();
    assert_eq!(asked[0].body["wait_seconds"], 120, "the server counts by its own clock");
    assert!(lines[1].starts_with("GET /api/v1/gate-checks/g-1?wait="), "{lines:?}");
    assert_eq!(lines[4], "POST /api/v1/gate-checks/g-1/permit HTTP/1.1");
}

#[test]
fn a_gate_that_turns_back_before_the_permit_is_collected_is_waited_for_again() {
    let go = json!({"id": "g-1", "decision": "go", "change": "CHG-7", "permit": null, "reasons": []});
    let collected = json!({"id": "g-1", "decision": "go", "change": "CHG-7", "permit": "a.b.c", "reasons": []});
    let turned = json!({
        "status": 409, "code": "not_go", "detail": "The gate says stop.",
        "unmet": [{"code": "freeze", "text": "A freeze began.", "satisfy": "Wait for its end.", "waiting_on": []}],
    });
    let server = Scripted::new(vec![
        (201, "", stop("approval_missing")),
        (200, "", go.clone()),
        (409, "", turned.clone()),
        (200, "", go.clone()),
        (201, "", collected),
    ]);
    let (output, _) = server.run(&[CHECK, &["--wait", "2m"]].concat());
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("A freeze began."));
    // Without patience it is a stop, with its reasons; it was decided after all.
    let server = Scripted::new(vec![(201, "", go), (409, "", turned)]);
    let (output, _) = server.run(CHECK);
    assert_eq!(code(&output), 1, "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("A freeze began."));
}

#[test]
fn a_wait_of_nothing_is_none_and_one_beyond_a_week_is_refused_unasked() {
    let server = Scripted::new(vec![(201, "", stop("approval_missing"))]);
    let (output, asked) = server.run(&[CHECK, &["--wait", "0s"]].concat());
    assert_eq!(code(&output), 1);
    assert!(asked[0].body.get("wait_seconds").is_none(), "{}", asked[0].body);
    let (output, asked) = Scripted::new(Vec::new()).run(&[CHECK, &["--wait", "8d"]].concat());
    assert_eq!((code(&output), asked.len()), (2, 0));
    assert!(text(&output.stderr).contains("at most 7d"), "{}", text(&output.stderr));
}

#[test]
fn a_wait_that_is_over_is_a_stop() {
    let server = Scripted::new(vec![(201, "", stop("approval_missing")), (200, "", stop("wait_over"))]);
    let (output, _) = server.run(&[CHECK, &["--wait", "2m"]].concat());
    assert_eq!(code(&output), 1);
    assert!(text(&output.stdout).contains("wait_over"));
}

#[test]
fn a_server_that_stays_away_until_the_time_is_over_was_not_asked() {
    let server = Scripted::new(vec![(201, "", stop("approval_missing"))]);
    let (output, _) = server.run(&[CHECK, &["--wait", "1s"]].concat());
    let talk = text(&output.stderr);
    assert_eq!(code(&output), 2, "{talk}");
    assert!(!text(&output.stdout).contains("stop"), "{}", text(&output.stdout));
    // The socket may be closing at the first request, which is another error than a closed one.
    let told = talk.matches("cannot be asked").count();
    assert!((1..=2).contains(&told), "once, not each second: {talk}");
    let last = talk.split("no answer:").nth(1).unwrap_or_default();
    assert!(last.contains("approval_missing"), "{talk}");
}

#[test]
fn a_refusal_is_no_decision() {
    for status in [401, 403, 422, 500, 503] {
        let server = Scripted::new(vec![(status, "", json!({"code": "no", "detail": "No."}))]);
        let (output, _) = server.run(CHECK);
        assert_eq!(code(&output), 2, "{status}");
    }
    let (output, _) = Scripted::new(vec![]).run(CHECK);
    assert_eq!(code(&output), 2, "nobody answers");
}

pub(crate) fn change(state: &str) -> Value {
    json!({"key": "CHG-7", "state": state, "title": "Move it", "content_digest": "sha256:c", "on_hold": false})
}

#[test]
fn approving_names_the_digest_of_what_was_shown() {
    let item = json!({"id": "a-1", "change_state": "approved", "decision": "approve"});
    let server = Scripted::new(vec![(200, "ETag: \"7\"\r\n", change("authorizing")), (201, "", item)]);
    let (output, asked) = server.run(&["change", "approve", "CHG-7", "--comment", "Fine"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).contains("CHG-7  Move it"),
        "the card is shown first"
    );
    assert!(text(&output.stdout).ends_with("CHG-7 approved (a-1), approved\n"));
    assert_eq!(asked[1].line, "POST /api/v1/changes/CHG-7/approvals HTTP/1.1");
    assert_eq!(
        asked[1].body,
        json!({"decision": "approve", "comment": "Fine", "content_digest": "sha256:c"})
    );
}

#[test]
fn an_edit_is_held_to_the_etag_that_was_read() {
    let server = Scripted::new(vec![
        (200, "ETag: \"7\"\r\n", change("draft")),
        (200, "", change("draft")),
    ]);
    let (output, asked) = server.run(&["change", "edit", "CHG-7", "--title", "Move both", "--clear", "tester"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert_eq!(asked[1].line, "PATCH /api/v1/changes/CHG-7 HTTP/1.1");
    assert!(asked[1].headers.contains("if-match: \"7\""));
    assert_eq!(asked[1].body, json!({"title": "Move both", "tester": null}));
}

fn of_build(artifact: &str) -> Value {
    json!({"id": "t1", "service": "pay", "environment": "production", "state": "open", "artifact": artifact,
        "rollback_to": "sha256:0"})
}

#[test]
fn a_build_that_is_named_alone_goes_to_the_targets_that_are_there() {
    let edit = ["change", "edit", "CHG-7", "--artifact", "sha256:b"];
    let mut before = change("draft");
    before["targets"] = json!([of_build("sha256:a")]);
    let server = Scripted::new(vec![
        (200, "ETag: \"7\"\r\n", before.clone()),
        (200, "", change("draft")),
    ]);
    let (output, asked) = server.run(&edit);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let target =
        json!({"service": "pay", "environment": "production", "artifact": "sha256:b", "rollback_to": "sha256:0"});
    assert_eq!(asked[1].body, json!({"targets": [target]}));
    before["targets"] = json!([of_build("sha256:a"), of_build("sha256:c")]);
    let server = Scripted::new(vec![(200, "ETag: \"7\"\r\n", before)]);
    let (output, _) = server.run(&edit);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("also give --service and --environment"));
}

#[test]
fn a_broken_glass_that_opened_nothing_says_so_and_whose_signature_is_missing() {
    let mut answer = change("draft");
    answer["break_glass"] = json!({"reason": "Down", "until": "2026-11-22T23:00:00Z", "needs_cosignature": true});
    let row = json!({"step": "implementation", "code": "cosignature_missing", "text": "It opens nothing yet.",
        "satisfy": "Sign it too.", "waiting_on": ["sue"]});
    let server = Scripted::new(vec![(200, "", answer), (200, "", json!({"items": [row]}))]);
    let (output, _) = server.run(&["change", "break-glass", "CHG-7", "--reason", "Down"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let told = text(&output.stdout);
    for part in [
        "CHG-7 used break-glass, draft: nothing opened yet",
        "cosignature_missing",
        "waits for: sue",
    ] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn who_co_signs_may_name_what_they_read() {
    let answer = change("implementing");
    for (words, sent) in [
        (&["change", "cosign", "CHG-7"][..], json!({})),
        (
            &["change", "cosign", "CHG-7", "--digest", "sha256:ab"],
            json!({"content_digest": "sha256:ab"}),
        ),
    ] {
        let server = Scripted::new(vec![(200, "", answer.clone())]);
        let (output, asked) = server.run(words);
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        assert_eq!(asked[0].body, sent);
        assert!(
            asked[0].line.contains("/changes/CHG-7/break-glass/co-signature"),
            "{:?}",
            asked[0].line
        );
    }
}

#[test]
fn what_is_missing_names_both_choices_and_nothing_that_a_variable_gave() {
    for (words, choice) in [
        (&["change", "validate", "CHG-7"][..], "<--works|--does-not>"),
        (
            &["gate", "check", "--service", "pay", "--environment", "production"],
            "<--artifact <DIGEST>|--commit <SHA>>",
        ),
    ] {
        let (output, _) = Scripted::new(Vec::new()).run(words);
        assert_eq!(code(&output), 2);
        let told = text(&output.stderr);
        assert!(told.contains(choice) && !told.contains("--token"), "{told}");
    }
}

#[test]
fn a_refusal_names_options_and_commands_where_the_api_names_fields_and_routes() {
    let problem = json!({"status": 409, "code": "field_missing", "detail": "It cannot be submitted yet.",
        "unmet": [{"code": "field_missing", "text": "The change still needs a planned start.", "satisfy": "Fill in `planned_start`.",
            "waiting_on": []}]});
    let server = Scripted::new(vec![(409, "", problem)]);
    let (output, _) = server.run(&["change", "submit", "CHG-7"]);
    let told = text(&output.stderr);
    assert!(told.contains("Fill in `--from` with `assent change edit`."), "{told}");
}

#[test]
fn a_dry_import_marks_what_the_server_would_refuse() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("estate-{}.toml", std::process::id()));
    std::fs::write(&file, "[[services]]\nkey = \"pay\"\n\n[[people]]\nlogin = \"olga\"\n").unwrap();
    let problem = json!({"status": 422, "code": "invalid", "detail": "`name` is missing.",
        "errors": [{"field": "row 2: name", "code": "missing", "text": "`name` is missing."}]});
    let nothing = json!({"items": [], "next": null});
    let server = Scripted::new(vec![(200, "", nothing.clone()), (200, "", nothing), (422, "", problem)]);
    let (output, asked) = server.run(&["import", file.to_str().unwrap(), "--dry-run"]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(code(&output), 1, "{}", text(&output.stderr));
    assert_eq!(
        (&asked[2].body["kind"], &asked[2].body["dry_run"]),
        (&json!("estate"), &json!(true))
    );
    let told = text(&output.stdout);
    for part in [
        "refused  people olga (line 4)",
        "would be: 1 made, 0 changed, 0 the same, 1 refused",
    ] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn a_dry_import_of_ownership_names_what_nobody_could_approve_any_more() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rows-{}.csv", std::process::id()));
    std::fs::write(&file, "service,role,person\npay,owner,olga\n").unwrap();
    let finding = |place: &str, found: Value| {
        json!({"service": "shop", "environment": place, "rule": "base.require.owner", "asks": "the service's owner",
            "needed": 2, "found": found})
    };
    let mut lost = vec![finding("production", json!([])), finding("staging", json!(["tom"]))];
    lost.extend((0..20).map(|place| finding(&format!("lab-{place}"), json!([]))));
    let report = json!({"dry_run": true, "added": 0, "changed": 0, "unchanged": 1, "ended": 3, "rows": [],
        "no_longer_approvable": lost, "services_looked_at": 200, "services_not_looked_at": 7});
    let server = Scripted::new(vec![(200, "", report)]);
    let path = file.to_str().unwrap();
    let (output, _) = server.run(&["ownership", "import", path, "--dry-run", "--end-missing"]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let told = text(&output.stdout);
    let rule = "base.require.owner needs 2 of: the service's owner";
    for part in [
        format!("too few could approve shop in production any more: {rule}; there would be nobody"),
        format!("too few could approve shop in staging any more: {rule}; there would be tom"),
        "and 2 more; `--json` names them".to_owned(),
        "200 services were looked at for what they lose, 7 were not".to_owned(),
    ] {
        assert!(told.contains(&part), "{told}");
    }
    assert!(!told.contains("lab-18"), "{told}");
}

#[test]
fn a_refused_act_says_what_opens_it_and_who_holds_it() {
    let problem = json!({"status": 409, "code": "not_in_state", "detail": "It is not possible to close it now.",
        "unmet": [{"code": "review_missing", "text": "The review is missing.", "satisfy": "Write it.", "waiting_on": ["olga"]}]});
    let server = Scripted::new(vec![(409, "", problem)]);
    let (output, _) = server.run(&["change", "close", "CHG-7"]);
    assert_eq!(code(&output), 1);
    assert!(output.stdout.is_empty(), "what is no result stays off standard output");
    let told = text(&output.stderr);
    for part in [
        "not possible to close it now. (not_in_state)",
        "The review is missing.",
        "to open: Write it.",
        "waits for: olga",
    ] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn an_act_that_the_rules_refuse_says_whom_to_ask() {
    let reason = "Owners review and close a change.";
    let problem = json!({"status": 403, "code": "not_allowed", "detail": reason,
        "policies": [{"id": "base.act.close", "reason": reason}],
        "unmet": [{"code": "not_allowed", "text": reason, "satisfy": "Somebody else does it.", "waiting_on": ["olga", "mona"]}]});
    let server = Scripted::new(vec![(403, "", problem)]);
    let (output, _) = server.run(&["change", "close", "CHG-7"]);
    assert_eq!(code(&output), 1);
    let told = text(&output.stderr);
    assert!(told.contains("\n  ask: olga, mona"), "{told}");
    // The rule has the rest of the sentence.
    assert!(!told.contains("Somebody else does it."), "{told}");
}

#[test]
fn a_new_change_says_what_the_flags_say() {
    let server = Scripted::new(vec![(200, "", json!({"items": []})), (201, "", change("draft"))]);
    let (output, asked) = server.run(&[
        "change",
        "new",
        "--title",
        "Move it",
        "--service",
        "pay",
        "--environment",
        "production",
        "--impact-data",
        "low",
        "--step",
        "Roll out",
        "--label",
        "q4",
        "--json",
    ]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let expected = json!({"title": "Move it", "services": ["pay"], "environment": "production", "impact": {"data": "low"},
        "plan": [{"title": "Roll out"}], "labels": ["q4"]});
    assert_eq!(asked[1].body, expected);
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["key"], "CHG-7");
}

#[test]
fn lists_are_read_page_by_page_until_the_limit() {
    let page = |keys: &[&str], next: Value| json!({"items": keys.iter().map(|key| json!({"key": key})).collect::<Vec<_>>(), "next": next});
    let server = Scripted::new(vec![
        (200, "", page(&["CHG-1", "CHG-2"], json!("c/2"))),
        (200, "", page(&["CHG-3"], Value::Null)),
    ]);
    let (output, asked) = server.run(&["change", "list", "--state", "draft", "--limit", "5"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).lines().count(), 3);
    assert!(
        asked[0].line.starts_with("GET /api/v1/changes?state=draft&limit=5 "),
        "{}",
        asked[0].line
    );
    assert!(asked[1].line.contains("limit=3&after=c%2F2"), "{}", asked[1].line);
}

#[test]
fn a_person_signs_in_with_a_fresh_factor_and_out_again() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("password-{}", std::process::id()));
    std::fs::write(&file, "correct horse\n").unwrap();
    let server = Scripted::new(vec![
        (
            201,
            "Set-Cookie: assent_session=s-1; Path=/; HttpOnly\r\n",
            json!({"tenant": "acme", "login": "olga"}),
        ),
        (201, "", json!({"stepped_up": true})),
        (201, "", change("implementing")),
        (200, "", json!({"ended": true})),
    ]);
    let address = server.address.clone();
    let words = [
        "change",
        "break-glass",
        "CHG-7",
        "--reason",
        "Down",
        "--as",
        "acme/olga",
        "--as-password",
    ];
    let (output, asked) = server.run(&[words.as_slice(), &[file.to_str().unwrap()]].concat());
    std::fs::remove_file(&file).unwrap();
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert_eq!(
        asked[0].body,
        json!({"tenant": "acme", "login": "olga", "password": "correct horse"})
    );
    assert_eq!(asked[1].line, "POST /api/v1/session/step-up HTTP/1.1");
    assert_eq!(asked[2].line, "POST /api/v1/changes/CHG-7/break-glass HTTP/1.1");
    assert!(
        asked[2].headers.contains("cookie: assent_session=s-1")
            && asked[2].headers.contains(&format!("origin: {address}"))
    );
    assert!(
        !asked[2].headers.contains("authorization"),
        "the person speaks, not the token"
    );
    assert_eq!(asked[3].line, "DELETE /api/v1/session HTTP/1.1");
}

#[test]
fn whoever_has_a_second_factor_shows_its_code() {
    for (code_given, shown) in [
        ("123456", json!({"code": "123456"})),
        ("abcd-efgh-ijkl-mnop", json!({"recovery_code": "abcd-efgh-ijkl-mnop"})),
    ] {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("password-{}-{code_given}", std::process::id()));
        std::fs::write(&file, "correct horse\n").unwrap();
        let server = Scripted::new(vec![
            (
                201,
                "Set-Cookie: assent_session=s-1; Path=/; HttpOnly\r\n",
                json!({"tenant": "acme"}),
            ),
            (
                201,
                "",
                json!({"stepped_up": true, "factor": "totp", "is_second_factor": true}),
            ),
            (201, "", change("implementing")),
            (200, "", json!({"ended": true})),
        ]);
        let password = file.to_str().unwrap().to_owned();
        let words = [
            "change",
            "cosign",
            "CHG-7",
            "--as",
            "acme/olga",
            "--as-password",
            &password,
            "--as-code",
            code_given,
        ];
        let (output, asked) = server.run(&words);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        assert_eq!(asked[1].body, shown);
        assert_eq!(
            asked[2].line,
            "POST /api/v1/changes/CHG-7/break-glass/co-signature HTTP/1.1"
        );
    }
}

#[test]
fn a_credential_is_not_sent_in_plain_sight() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assent"));
    let output = command
        .args(["change", "list", "--server", "http://assent.example", "--token", "t"])
        .output()
        .unwrap();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("in plain sight"));
}

const ENTERED: &str = "ast_job";

fn entered() -> Answer {
    (
        200,
        "",
        json!({"access_token": ENTERED, "token_type": "Bearer", "expires_in": 900}),
    )
}

#[test]
fn a_job_on_github_asks_its_platform_and_enters_without_any_stored_secret() {
    let server = Scripted::new(vec![(200, "", json!({"value": "e30.job.sig"})), entered()]);
    let github = [
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "{server}/idtoken?api-version=2.0"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-runner"),
    ];
    let (output, asked) = server.run_in(&github, &["workload", "enter", "--tenant", "acme"]);
    assert_eq!((code(&output), text(&output.stdout).trim()), (0, ENTERED));
    assert_eq!(asked[0].line, "GET /idtoken?api-version=2.0&audience=assent HTTP/1.1");
    assert!(asked[0].headers.contains("authorization: bearer of-the-runner"));
    assert_eq!(asked[1].line, "POST /t/acme/token HTTP/1.1");
    assert!(!asked[1].headers.contains("authorization:"), "no credential goes along");
    let form = asked[1].body.as_str().unwrap();
    assert!(form.contains("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange"));
    assert!(form.ends_with("&subject_token=e30.job.sig"), "{form}");
}

#[test]
fn a_job_that_is_not_trusted_reads_why_and_its_token_stands_nowhere() {
    let refusal = json!({"error": "invalid_grant", "code": "not_trusted",
        "error_description": "The workload `releases` does not accept the token's value of `ref`."});
    let server = Scripted::new(vec![(400, "", refusal)]);
    let given = [("ASSENT_JOB_TOKEN", "e30.job.sig")];
    let (output, _) = server.run_in(&given, &["workload", "enter", "--tenant", "acme"]);
    assert_eq!(code(&output), 1);
    let told = text(&output.stderr);
    assert!(
        told.contains("does not accept the token's value of `ref`") && told.contains("(not_trusted)"),
        "{told}"
    );
    assert!(!told.contains("e30.job.sig") && output.stdout.is_empty());
    // Where there is no token of a platform, it names the way to one, and sends no request.
    let (output, _) = Scripted::new(vec![]).run_in(
        &[("ACTIONS_ID_TOKEN_REQUEST_URL", ""), ("ASSENT_JOB_TOKEN", "")],
        &["workload", "enter", "--tenant", "acme"],
    );
    assert_eq!(code(&output), 2);
}

#[test]
fn a_workload_that_is_there_is_changed_as_it_was_read() {
    let there = json!({"key": "releases", "active": true, "claims": {"repository": ["acme/a"]}});
    let server = Scripted::new(vec![
        (200, "ETag: \"3\"\r\n", there.clone()),
        (200, "ETag: \"4\"\r\n", there),
    ]);
    let words = "workload set releases --issuer https://gitlab.com --person pipe --claim ref=refs/tags/* --claim ref=refs/heads/main";
    let (output, asked) = server.run(&words.split(' ').collect::<Vec<_>>());
    assert_eq!(code(&output), 0);
    assert_eq!(asked[1].line, "PUT /api/v1/workloads/releases HTTP/1.1");
    assert!(asked[1].headers.contains("if-match: \"3\""));
    assert_eq!(
        asked[1].body,
        json!({"issuer": "https://gitlab.com", "meant_for": "assent", "person": "pipe",
            "claims": {"ref": ["refs/tags/*", "refs/heads/main"]}})
    );
    assert!(text(&output.stdout).contains("repository=acme/a"));
}
