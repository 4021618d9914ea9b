//! The whole lifecycle from a terminal, on one server: every act by its command, the output of each as JSON, and its exit code.

use std::process::{Command, Output};

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{ENVIRONMENT, SERVICE, artifact};
use tests::session::Session;
use tests::{Place, Server};

use crate::policy::mapping::assent;

/// A terminal at a server.
struct Terminal {
    server: Server,
}

impl Terminal {
    /// The output of a command that must end with this code.
    #[track_caller]
    fn says(&self, code: i32, role: &str, words: &[&str]) -> Value {
        let (ended, told) = assent(&self.server, role, words);
        assert_eq!(ended, code, "{role}: {words:?}\n{told:#}");
        told
    }

    /// An act on a change, which must be done and leave it in this state. Acts return the change, or an item with the change's
    /// state.
    #[track_caller]
    fn does(&self, role: &str, words: &[&str], state: &str) -> Value {
        let words = [&["change"], words].concat();
        let told = self.says(0, role, &words);
        let stands = told.get("change_state").unwrap_or(&told["state"]);
        assert_eq!(stands, state, "{role}: {words:?}\n{told:#}");
        told
    }

    /// An act that is refused with this code.
    #[track_caller]
    fn refused(&self, role: &str, words: &[&str], code: &str) {
        let told = self.says(1, role, &[&["change"], words].concat());
        assert_eq!(told["code"], code, "{role}: {words:?}\n{told:#}");
    }

    /// A command as it is typed, without `--json`.
    fn plain(&self, token: &str, words: &[&str]) -> Output {
        let mut command = Command::new(tests::binary());
        command
            .args(words)
            .env("ASSENT_SERVER", &self.server.url)
            .env("ASSENT_TOKEN", token);
        command.output().unwrap()
    }

    /// A new draft of low risk, in a window that is open; its key.
    fn new_change(&self, number: u64) -> String {
        let tester = self.server.person("owner")["login"].as_str().unwrap().to_owned();
        let from = (self.server.server_time() - SignedDuration::from_mins(5)).to_string();
        let words = [
            "new",
            "--title",
            "Print two languages",
            "--description",
            "German beside English.",
            "--justification",
            "Returns wait for it.",
            "--category",
            "application",
            "--service",
            SERVICE,
            "--environment",
            ENVIRONMENT,
            "--artifact",
            &artifact(number),
            "--complexity",
            "low",
            "--impact-data",
            "none",
            "--impact-availability",
            "low",
            "--impact-compliance",
            "none",
            "--from",
            &from,
            "--to",
            "+2h",
            "--step",
            "Bring it out",
            "--rollback-step",
            "Bring the old one back",
            "--rollback-minutes",
            "5",
            "--tester",
            &tester,
            "--label",
            "typed",
        ];
        let made = self.does("requester", &words, "draft");
        assert_eq!(made["labels"], json!(["typed"]));
        assert_eq!(made["targets"][0]["artifact"], artifact(number));
        made["key"].as_str().unwrap().to_owned()
    }

    /// The same, as far as approval.
    fn authorizing(&self, number: u64) -> String {
        let key = self.new_change(number);
        self.submit_and_assess(&key);
        key
    }

    fn submit_and_assess(&self, key: &str) {
        self.does("requester", &["submit", key], "assessing");
        let assessed = [
            "assess",
            key,
            "--impact-availability",
            "low",
            "--complexity",
            "low",
            "--security",
            "No new ports.",
            "--dependencies-reviewed",
        ];
        let told = self.does("requester", &assessed, "authorizing");
        assert_eq!(told["risk"]["level"], "low");
    }

    fn approve(&self, key: &str) {
        for (role, state) in [
            ("owner", "authorizing"),
            ("security", "authorizing"),
            ("change_manager", "scheduled"),
        ] {
            let told = self.does(role, &["approve", key, "--comment", "Fine by me"], state);
            assert_eq!(told["decision"], "approve");
        }
    }
}

/// Returned, submitted again, approved, put off, held and resumed: it is scheduled.
fn plan(terminal: &Terminal, key: &str) {
    terminal.submit_and_assess(key);
    let answer = terminal.does("security", &["return", key, "--question", "Which ports?"], "draft");
    assert_eq!(answer["key"], *key);
    terminal.submit_and_assess(key);
    let evidence = [
        "evidence",
        "add",
        key,
        "--kind",
        "note",
        "--aspect",
        "functional",
        "--result",
        "passed",
        "--environment",
        "staging",
        "--artifact",
        &artifact(9_601),
        "--text",
        "412 of 412 passed",
    ];
    terminal.does("requester", &evidence, "authorizing");
    terminal.approve(key);
    // Another window requests those approvals again that cover *when*, and no others.
    let times = ["schedule", key, "--from", "now", "--to", "+3h"];
    terminal.does("requester", &times, "approved");
    terminal.does("change_manager", &["approve", key], "scheduled");
    let held = terminal.does(
        "requester",
        &["hold", key, "--reason", "The vendor called"],
        "scheduled",
    );
    assert_eq!(held["on_hold"], true);
    terminal.refused("implementer", &["start", key], "on_hold");
    let resumed = terminal.does("requester", &["resume", key], "scheduled");
    assert_eq!(resumed["on_hold"], false);
}

/// Started, noted, completed, validated, reviewed and closed.
fn carry_out(terminal: &Terminal, key: &str) {
    terminal.does("implementer", &["start", key], "implementing");
    let noted = terminal.does(
        "implementer",
        &["note", key, "Node 3 drained slowly", "--kind", "issue"],
        "implementing",
    );
    assert_eq!(noted["kind"], "issue");
    take_back(terminal, key);
    let done = terminal.does("implementer", &["complete", key, "--outcome", "succeeded"], "reviewing");
    assert_eq!(done["outcome"], "succeeded");
    terminal.refused("requester", &["close", key], "closure_refused");
    terminal.does(
        "owner",
        &["validate", key, "--works", "--text", "One of each was printed."],
        "reviewing",
    );
    let review = [
        "review",
        key,
        "--summary",
        "As planned.",
        "--improvement",
        "Drain earlier",
    ];
    terminal.does("requester", &review, "reviewing");
    terminal.does("requester", &["close", key], "closed");
    let shown = terminal.does("auditor", &["show", key], "closed");
    assert_eq!(shown["reviews"][0]["improvements"], json!(["Drain earlier"]));
}

/// A rollback that was begun by mistake is taken back, by the id that the log of actions shows.
fn take_back(terminal: &Terminal, key: &str) {
    terminal.does("implementer", &["note", key, "Drained", "--step", "1"], "implementing");
    let begun = terminal.does(
        "implementer",
        &["note", key, "Back", "--kind", "rollback"],
        "implementing",
    );
    let begun = begun["id"].as_str().unwrap();
    let back = [
        "note",
        key,
        "The wrong key",
        "--kind",
        "deviation",
        "--withdraws",
        begun,
    ];
    let kindless = terminal.says(
        1,
        "implementer",
        &["change", "note", key, "The wrong key", "--withdraws", begun],
    );
    assert_eq!(kindless["errors"][0]["field"], "withdraws", "{kindless:#}");
    assert_eq!(
        terminal.does("implementer", &back, "implementing")["withdraws"],
        json!(begun)
    );
    let listed = terminal.says(0, "implementer", &["change", "entries", key]);
    let listed = listed["items"].as_array().unwrap();
    assert_eq!(listed.len(), 4, "{listed:#?}");
    assert!(listed.iter().any(|it| it["step"] == 1), "{listed:#?}");
    let typed = terminal.plain(&terminal.server.token("implementer"), &["change", "entries", key]);
    let typed = String::from_utf8(typed.stdout).unwrap();
    assert!(
        typed
            .lines()
            .any(|line| line.starts_with(begun) && line.contains("\trollback\t")),
        "{typed}"
    );
}

/// Tasks hold their step unless they are optional; a link goes both ways until it is taken away.
fn around(terminal: &Terminal, key: &str) {
    let listed = |what: &str| {
        let told = terminal.says(0, "requester", &["change", what, "list", key]);
        told["items"].as_array().unwrap().clone()
    };
    let task = |words: &[&str]| {
        let words = [&["task", "add", key, "Warn the shops", "--kind", "implement"], words].concat();
        terminal.does("requester", &words, "draft")["id"].clone()
    };
    let (held, left) = (task(&[]), task(&["--optional"]));
    let mandatory = |id: &Value| {
        let found = listed("task").into_iter().find(|it| it["id"] == *id);
        found.unwrap()["mandatory"] == true
    };
    assert!(mandatory(&held) && !mandatory(&left));
    let both = [
        "change",
        "task",
        "add",
        key,
        "No",
        "--kind",
        "test",
        "--optional",
        "--mandatory",
    ];
    assert_eq!(terminal.plain("", &both).status.code(), Some(2));
    for id in [&held, &left] {
        let words = ["task", "drop", key, id.as_str().unwrap(), "--reason", "They know."];
        terminal.does("requester", &words, "draft");
    }
    let other = terminal.new_change(9_605);
    let linked = terminal.does(
        "requester",
        &["link", "add", key, "--kind", "depends_on", &other],
        "draft",
    );
    let id = linked["id"].as_str().unwrap();
    assert_eq!(listed("link").len(), 1);
    terminal.says(0, "requester", &["change", "link", "remove", key, id]);
    assert_eq!(listed("link"), Vec::<Value>::new());
    terminal.refused("requester", &["link", "remove", key, id], "not_found");
    terminal.does("requester", &["cancel", &other, "--reason", "Not needed"], "cancelled");
}

/// The exits: rejected, cancelled, and a break-glass that no token may use.
fn leave(terminal: &Terminal) {
    let rejected = terminal.authorizing(9_602);
    terminal.refused("requester", &["reject", &rejected, "--reason", "No"], "not_asked");
    let told = terminal.does(
        "owner",
        &["reject", &rejected, "--reason", "Not in December"],
        "rejected",
    );
    assert_eq!(told["decision"], "reject");
    let cancelled = terminal.new_change(9_603);
    terminal.does(
        "requester",
        &["cancel", &cancelled, "--reason", "Not needed"],
        "cancelled",
    );
    terminal.refused("requester", &["submit", &cancelled], "not_in_state");
    let glass = terminal.authorizing(9_604);
    terminal.refused(
        "commander",
        &["break-glass", &glass, "--reason", "Labels stand still"],
        "step_up_required",
    );
    terminal.does("requester", &["show", &glass], "authorizing");
}

/// A token works from when it is made until it is revoked; its bearer then gets an error of access, not a refusal.
fn tokens(terminal: &Terminal) {
    let made = terminal.says(
        0,
        "admin",
        &[
            "token",
            "create",
            "--name",
            "typed",
            "--scope",
            "read",
            "--expires",
            "+1d",
        ],
    );
    let (id, secret) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    let listed = |terminal: &Terminal| {
        let list = terminal.says(0, "admin", &["token", "list"]);
        let rows = list["items"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["id"] == id).unwrap()
    };
    let row = listed(terminal);
    assert_eq!((&row["name"], &row["scopes"]), (&json!("typed"), &json!(["read"])));
    assert_eq!(
        terminal
            .plain(secret, &["change", "list", "--limit", "1"])
            .status
            .code(),
        Some(0)
    );
    let told = terminal.plain(&terminal.server.token("admin"), &["token", "list"]);
    let line = |told: &Output| {
        let text = String::from_utf8(told.stdout.clone()).unwrap();
        text.lines().find(|line| line.starts_with(id)).map(str::to_owned)
    };
    assert!(line(&told).is_some_and(|line| line.ends_with("good")), "{told:?}");
    terminal.says(0, "admin", &["token", "revoke", id]);
    let told = terminal.plain(&terminal.server.token("admin"), &["token", "list"]);
    assert!(line(&told).is_none_or(|line| line.ends_with("revoked")), "{told:?}");
    assert_eq!(terminal.plain(secret, &["change", "list"]).status.code(), Some(2));
}

/// The packs that the directory cannot staff: exit 1 for a named one, with the rule; an unknown name is an error.
fn staffing(terminal: &Terminal) {
    let test = |pack: &[&'static str]| [&["policy", "test", "--staffing"], pack].concat();
    let all = terminal.says(0, "auditor", &test(&[]));
    let packs: Vec<&str> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["pack"].as_str())
        .collect();
    assert!(
        packs.contains(&"dual-control") && packs.contains(&"small-team"),
        "{packs:?}"
    );
    let one = terminal.says(0, "auditor", &test(&["--pack", "dual-control"]));
    assert_eq!(one["items"].as_array().unwrap().len(), 1, "{one}");
    let lacking = terminal.says(1, "auditor", &test(&["--pack", "small-team", "--pack", "dual-control"]));
    let row = &lacking["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["pack"] == "small-team")
        .unwrap()["lacks"][0];
    assert_eq!(row["rule"], "small-team.require.outside_look", "{lacking}");
    let wrong = terminal.plain(&terminal.server.token("auditor"), &test(&["--pack", "sock"]));
    let told = String::from_utf8_lossy(&wrong.stderr);
    assert!(
        wrong.status.code() == Some(2) && told.contains("There is no pack `sock`."),
        "{told}"
    );
}

/// A change's export verifies under the log's key, a changed one does not; an event is proven by its place and by its id.
fn audit(terminal: &Terminal, key: &str) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let auditor = terminal.server.token("auditor");
    std::fs::write(at("key"), terminal.server.get("/t/halden/log/key", Some(&auditor)).1).unwrap();
    eventually("all of it stands in the log", || {
        assent(
            &terminal.server,
            "auditor",
            &["audit", "export", key, "-o", &at("it.zip")],
        )
        .0 == 0
    });
    let good = terminal.says(0, "auditor", &["audit", "verify", &at("it.zip"), "--key", &at("key")]);
    assert_eq!(
        (&good["outcome"], &good["key"], &good["state"]),
        (&json!("good"), &json!(key), &json!("closed"))
    );
    let mut bytes = std::fs::read(at("it.zip")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(at("bad.zip"), bytes).unwrap();
    terminal.says(1, "auditor", &["audit", "verify", &at("bad.zip"), "--key", &at("key")]);
    terminal.says(
        2,
        "auditor",
        &["audit", "verify", &at("nothing.zip"), "--key", &at("key")],
    );
    let events = terminal.says(0, "auditor", &["change", "events", key]);
    let id = events["items"][0]["id"].as_str().unwrap();
    let log = format!("{}/t/halden/log", terminal.server.url);
    let by_id = terminal.says(
        0,
        "auditor",
        &["audit", "prove", id, "--log", &log, "--key", &at("key")],
    );
    assert_eq!((&by_id["is_proven"], &by_id["event"]["id"]), (&json!(true), &json!(id)));
    let index = by_id["index"].to_string();
    let by_place = terminal.says(0, "auditor", &["audit", "prove", &index, "--log", &log]);
    assert_eq!(by_place["event"], by_id["event"]);
    let served = terminal.says(0, "auditor", &["audit", "prove", id, "--key", &at("key")]);
    assert_eq!(
        (&served["is_proven"], &served["index"]),
        (&json!(true), &by_id["index"])
    );
    // A refused credential learns nothing of the log, neither good nor bad.
    let outside = terminal.says(2, "requester", &["audit", "prove", id]);
    assert_eq!(outside["status"], 403);
    let absent = terminal.says(1, "auditor", &["audit", "prove", "999999999", "--log", &log]);
    assert_eq!(absent["is_proven"], false);
    entries(terminal, &auditor, events["items"].as_array().unwrap());
    listed_entries(terminal, &auditor, key);
    told_command(terminal, &auditor);
}

/// The log is listed by its filters, from where a cut list ended, and the subjects of entries have their names.
fn listed_entries(terminal: &Terminal, auditor: &str, key: &str) {
    let asked = |more: &[&str]| terminal.says(0, "auditor", &[&["audit", "events", "--about", key], more].concat());
    let approvals = asked(&["--kind", "approval"]);
    let items = approvals["items"].as_array().unwrap();
    assert!(items.len() >= 3 && approvals["next"].is_null(), "{approvals:#}");
    for item in items {
        assert!(item["kind"].as_str().unwrap().starts_with("approval."), "{item:#}");
        assert_eq!(item["subject"]["name"], json!(key), "{item:#}");
    }
    let first = asked(&["--kind", "approval", "--limit", "2"]);
    assert_eq!(first["items"].as_array().unwrap()[..], items[..2], "{first:#}");
    let before = first["next"].as_str().unwrap();
    let rest = asked(&["--kind", "approval", "--before", before]);
    assert_eq!(rest["items"].as_array().unwrap()[..], items[2..], "{rest:#}");
    let owner = terminal.server.person("owner")["login"].as_str().unwrap().to_owned();
    let by_owner = asked(&["--actor", &owner, "--from", "-1d", "--to", "+1d"]);
    let by_owner = by_owner["items"].as_array().unwrap();
    assert!(
        !by_owner.is_empty() && by_owner.iter().all(|it| it["actor"] == json!(owner)),
        "{by_owner:#?}"
    );
    let typed = terminal.plain(
        auditor,
        &["audit", "events", "--about", key, "--kind", "approval", "--limit", "2"],
    );
    let lines = String::from_utf8(typed.stdout).unwrap();
    let told = String::from_utf8(typed.stderr).unwrap();
    assert!(
        lines.lines().count() == 2 && lines.contains(&format!("\tchange {key}")),
        "{lines}"
    );
    assert!(told.contains(&format!("--before {before}")), "{told}");
    let wrong = terminal.says(1, "auditor", &["audit", "events", "--kind", "Approval!"]);
    assert_eq!(wrong["errors"][0]["field"], "kind", "{wrong:#}");
    let refused = terminal.says(1, "requester", &["audit", "events"]);
    assert_eq!(refused["code"], "not_allowed");
    let never = terminal.says(2, "auditor", &["audit", "events", "--from", "yesterday"]);
    assert_eq!(never["code"], "could_not", "{never:#}");
}

/// An entry of the log is shown with its writes, by its id and by its place, to a reader of the log.
fn entries(terminal: &Terminal, auditor: &str, events: &[Value]) {
    let made = events.iter().find(|it| it["kind"] == "change.created").unwrap();
    let id = made["id"].as_str().unwrap();
    let by_id = terminal.says(0, "auditor", &["audit", "show", id]);
    let title = by_id["records"][0]["changes"].as_array().unwrap().iter();
    let title = title.clone().find(|it| it["field"] == "title").unwrap();
    assert_eq!(
        (title.get("before"), &title["after"]),
        (None, &json!("Print two languages"))
    );
    let index = made["index"].to_string();
    assert_eq!(terminal.says(0, "auditor", &["audit", "show", &index]), by_id);
    let typed = |event: &str| {
        let told = terminal.plain(auditor, &["audit", "show", event]);
        assert_eq!(told.status.code(), Some(0), "{told:?}");
        String::from_utf8(told.stdout).unwrap()
    };
    let lines = typed(id);
    assert!(
        lines.contains("change.created by ") && lines.contains("\ttitle\t-\tPrint two languages"),
        "{lines}"
    );
    let mut ids = events.iter().map(|it| it["id"].as_str().unwrap());
    let is_by_another = |id: &&str| {
        terminal
            .says(0, "auditor", &["audit", "show", id])
            .get("told_by")
            .is_some()
    };
    let another = typed(ids.find(is_by_another).expect("an event that wrote nothing by itself"));
    assert!(
        another.contains("It wrote no record by itself; below stands what event "),
        "{another}"
    );
    let refused = terminal.says(1, "requester", &["audit", "show", id]);
    assert_eq!(refused["code"], "not_allowed");
    let absent = terminal.says(1, "auditor", &["audit", "show", "999999999"]);
    assert_eq!(absent["code"], "not_found");
}

/// The command on the page of the log that checks it, run unchanged.
fn told_command(terminal: &Terminal, auditor: &str) {
    let page = Session::begin(&terminal.server, "auditor").get("/t/halden/audit").body;
    let start = page.find("assent audit verify ").expect("the page names the command");
    let command: String = page[start..].chars().take_while(|it| !"<\n".contains(*it)).collect();
    let folder = tempfile::tempdir().unwrap();
    let key = terminal.server.get("/t/halden/log/key", Some(auditor)).1;
    std::fs::write(folder.path().join("halden.pub"), key).unwrap();
    let done = Command::new(tests::binary())
        .args(command.split_whitespace().skip(1))
        .current_dir(folder.path())
        .env("ASSENT_SERVER", &terminal.server.url)
        .env("ASSENT_TOKEN", auditor)
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(0), "{command}\n{done:?}");
    assert!(String::from_utf8_lossy(&done.stdout).starts_with("good"), "{done:?}");
}

/// Errors name the remedy with the names of the command line.
fn errors(terminal: &Terminal) {
    let token = terminal.server.token("requester");
    let told = |token: &str, words: &[&str], code: i32| {
        let done = terminal.plain(token, words);
        assert_eq!(done.status.code(), Some(code), "{words:?} {done:?}");
        String::from_utf8(done.stderr).unwrap() + &String::from_utf8(done.stdout).unwrap()
    };
    let sort = told(&token, &["change", "list", "--sort", "frob"], 1);
    assert!(sort.contains("`planned_start`") && !sort.contains("--from"), "{sort}");
    assert_eq!(
        sort.matches("is not one of").count(),
        1,
        "a sentence is said once: {sort}"
    );
    let stranger = told("ast_nobody", &["change", "list"], 2);
    assert!(
        !stranger.contains("Bearer") && stranger.contains("Set ASSENT_TOKEN, or give --token-file."),
        "{stranger}"
    );
    let nothing = told("", &["audit", "verify"], 2);
    assert!(nothing.contains("BUNDLE|--log <URL/DIR>"), "{nothing}");
    let place = [
        "gate",
        "check",
        "--service",
        SERVICE,
        "--environment",
        ENVIRONMENT,
        "--artifact",
    ];
    let gate = told(&token, &[&place[..], &["notadigest"]].concat(), 1);
    assert!(
        gate.contains("`notadigest` is not a digest such as sha256:6b1d…") && gate.contains("(change_missing)"),
        "{gate}"
    );
}

/// Bash completion is a script that bash reads, and it offers the acts.
fn completions(terminal: &Terminal) {
    let made = terminal.plain("", &["completions", "bash"]);
    assert_eq!(made.status.code(), Some(0));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &made.stdout).unwrap();
    let asks = "source \"$1\"; COMP_WORDS=(assent change br); COMP_CWORD=2; \
        $(complete -p assent | sed 's/.*-F \\([^ ]*\\).*/\\1/') assent br change; echo \"${COMPREPLY[@]}\"";
    let done = Command::new("bash")
        .args(["-c", asks, "bash"])
        .arg(file.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), "break-glass", "{done:?}");
}

/// The manager of a person is set, shown and taken away.
fn managers(terminal: &Terminal) {
    let person = |words: &[&str]| terminal.says(0, "admin", &[&["person"], words].concat());
    let made = person(&["create", "nils.ny", "--role", "requester"]);
    assert_eq!(made.get("manager"), None, "{made:#}");
    let other = person(&["create", "nora.ny", "--role", "requester", "--manager", "nils.ny"]);
    assert_eq!(other["manager"], "nils.ny", "{other:#}");
    assert_eq!(person(&["manager", "nora.ny"])["manager"], "nils.ny");
    let ring = terminal.says(1, "admin", &["person", "manager", "nils.ny", "--to", "nora.ny"]);
    assert_eq!(ring["errors"][0]["code"], "manager_cycle", "{ring:#}");
    assert_eq!(person(&["manager", "nora.ny", "--none"]).get("manager"), None);
    assert_eq!(person(&["manager", "nils.ny", "--to", "nora.ny"])["manager"], "nora.ny");
}

#[test]
fn the_whole_lifecycle_is_walked_from_a_terminal() {
    let place = Place::demo("terminal");
    let server = Server::start(&place, true);
    let terminal = Terminal { server };
    let key = terminal.new_change(9_601);
    terminal.refused("implementer", &["start", &key], "not_in_state");
    around(&terminal, &key);
    plan(&terminal, &key);
    carry_out(&terminal, &key);
    leave(&terminal);
    tokens(&terminal);
    staffing(&terminal);
    managers(&terminal);
    audit(&terminal, &key);
    completions(&terminal);
    errors(&terminal);
    let wrong = terminal.plain("", &["change", "unmake", &key]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    terminal.refused("requester", &["show", "CHG-999999"], "not_found");
}
