//! The authors of a change's commits: pushes report them, in any order, and a person kept apart is named.

use acts::Context;
use acts::change::create_change;
use acts::directory::{import_directory, set_person};
use acts::gate::keep_provenance;
use model::change::change_file::Actor;
use model::core::{enums, ids};
use model::gate::{committers, provenance};
use model::integration::signal::{self, Signal};
use serde_json::{Value, json};
use store::gate::gate_view;
use store::{Lane, Mode};

use crate::{World, began, body};

/// A rule that keeps approvers apart from authors, and requires nothing else of a person.
const APART: &str = r#"
@id("world.apart")
@reason("Who wrote it does not approve it.")
@require("approval")
@from("change_manager")
@count("1")
@covers("what")
@distinct_from("author")
permit (principal, action == Action::"require", resource);
"#;

const COMMITS: [&str; 3] = [
    "1111111111111111111111111111111111111111",
    "2222222222222222222222222222222222222222",
    "3333333333333333333333333333333333333333",
];

fn committer(login: Option<&str>, email: Option<&str>) -> committers::Committer {
    committers::Committer {
        login: login.map(str::to_owned),
        email: email.map(str::to_owned),
        name: None,
    }
}

fn push(before: &str, after: &str, author: committers::Committer, pusher: &str) -> Signal {
    Signal::Push(signal::Push {
        repository: "pay".to_owned(),
        ref_name: "refs/heads/main".to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
        commits: vec![signal::PushedCommit {
            commit: after.to_owned(),
            authors: vec![author],
            committer: None,
        }],
        is_partial: false,
        pusher: Some(pusher.to_owned()),
    })
}

impl World {
    /// A change for a commit, as far as its people bring it; returns its key.
    fn authorizing(&self, commit: &'static str) -> String {
        self.by("rita", move |cx| {
            let request = json!({
                "title": "Ship", "description": "It.", "justification": "Needed.", "complexity": "low",
                "impact": {"data": "none", "availability": "none", "compliance": "none"},
                "targets": [{"service": "pay", "environment": "production", "commit": commit}],
                "planned_start": "2026-11-20T09:00:00Z", "planned_end": "2026-11-20T14:00:00Z",
                "plan": [{"title": "Deploy"}], "rollback_plan": [{"title": "Back"}],
            });
            let key = create_change::create_change(cx, &body(request), &[])?;
            acts::change::verbs::submit_change(cx, &key)?;
            acts::change::verbs::assess_change(cx, &key, &body(json!({"dependencies_reviewed": true})))?;
            Ok(key)
        })
    }

    /// The unmet part of the change's approval, by rule `world.apart` alone.
    fn unmet_apart(&self, key: &str) -> Vec<(String, String)> {
        let key = key.to_owned();
        self.system(move |cx| {
            let rows = cx.ahead(&key)?.into_iter();
            let names_it = |text: &str| text.contains("world.apart");
            let of_it = rows.filter(|row| names_it(&row.unmet.satisfy) || names_it(&row.unmet.text));
            Ok(of_it.map(|row| (row.unmet.code, row.unmet.text)).collect())
        })
    }

    pub(crate) fn approve(&self, who: &'static str, key: &str) {
        let key = key.to_owned();
        self.by(who, move |cx| {
            let digest = cx.change(&key)?.digests.content;
            let decision = body(json!({"decision": "approve", "content_digest": digest}));
            acts::approval::verbs::approve_change(cx, &key, &decision)
        });
    }

    pub(crate) fn accounts(&self, login: &'static str, accounts: &[&str]) {
        let accounts: Vec<String> = accounts.iter().map(|it| (*it).to_owned()).collect();
        self.by("ada", move |cx| {
            set_person::edit_person(cx, login, &body(json!({"accounts": accounts})))
        });
    }
}

#[test]
fn who_pushed_a_commit_does_not_approve_it_and_a_stranger_blocks_by_name() {
    let world = World::under(APART);
    let key = world.authorizing(COMMITS[1]);
    world.approve("mona", &key);
    assert_eq!(world.unmet_apart(&key), []);
    // The push arrives after the approval: it bars the approver, under whatever name git has them.
    world.accounts("mona", &["plain:mona-b"]);
    world.take(push(COMMITS[0], COMMITS[1], committer(None, Some("olga@x")), "Mona-B"));
    let codes: Vec<String> = world.unmet_apart(&key).into_iter().map(|row| row.0).collect();
    assert_eq!(codes, ["committer_unknown", "cannot_be_met"]);
    let (_, text) = &world.unmet_apart(&key)[0];
    assert!(text.contains("`mail:olga@x`") || text.contains("`olga@x`"), "{text}");
    world.accounts("olga", &["mail:Olga@x"]);
    let codes: Vec<String> = world.unmet_apart(&key).into_iter().map(|row| row.0).collect();
    assert_eq!(codes, ["cannot_be_met"], "mona alone manages, and pushed");
    // The same push again adds nobody, and moving a branch to an existing commit makes nobody its author.
    world.take(push(
        COMMITS[0],
        COMMITS[1],
        committer(None, Some("olga@x")),
        "Stranger",
    ));
    assert_eq!(world.unmet_apart(&key).len(), 1);
}

#[test]
fn a_push_that_is_told_late_bars_who_made_what_lies_behind_an_approved_commit() {
    let world = World::under(APART);
    world.accounts("olga", &["plain:olga"]);
    world.accounts("mona", &["plain:mona-b"]);
    world.take(push(COMMITS[1], COMMITS[2], committer(Some("olga"), None), "olga"));
    let key = world.authorizing(COMMITS[2]);
    world.approve("mona", &key);
    let stops = |world: &World| {
        let key = key.clone();
        world.system(move |cx| {
            let change = cx.change(&key)?.id;
            let rows = gate_view::of_change(cx.tx, change.as_str())?;
            Ok(rows.iter().any(|row| row.body.contains("world.apart")))
        })
    };
    assert!(!stops(&world));
    // No target names this commit: the change comes to it by the push after it.
    world.take(push(COMMITS[0], COMMITS[1], committer(Some("mona-b"), None), "mona-b"));
    assert!(stops(&world), "the gate's own row was not judged again");
}

#[test]
fn earlier_pushes_belong_to_a_change_until_one_that_ran() {
    let world = World::under(APART);
    world.accounts("olga", &["plain:olga"]);
    world.take(push(COMMITS[0], COMMITS[1], committer(Some("stranger"), None), "olga"));
    world.take(push(COMMITS[1], COMMITS[2], committer(Some("olga"), None), "olga"));
    let key = world.authorizing(COMMITS[2]);
    world.approve("mona", &key);
    let rows = world.unmet_apart(&key);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(rows[0].1.contains("plain:stranger"), "{rows:?}");
    // Work that was done before, and reported afterwards, decides for its commit once it is closed; here it merely ran.
    let ran = world.authorizing(COMMITS[1]);
    let told = ran.clone();
    world.system(move |cx| {
        cx.on_change(&told, |case| {
            let record = &mut case.file.change.target_records[0];
            record.outcome = Some(enums::Outcome::Succeeded);
            Ok(())
        })
    });
    assert_eq!(world.unmet_apart(&key), [], "what {ran} brought was decided then");
}

/// A commit's name, made of a number.
fn numbered(number: usize) -> String {
    format!("{number:040x}")
}

#[test]
fn a_way_back_over_more_pushes_than_are_looked_at_blocks_until_a_part_of_it_ran() {
    // As far as anybody looks back, and a little farther.
    const PUSHES: usize = 1_003;
    let world = World::under(APART);
    world.accounts("olga", &["plain:olga"]);
    for number in 1..=PUSHES {
        let author = if number == 1 { "stranger" } else { "olga" };
        let (before, after) = (numbered(number - 1), numbered(number));
        world.take(push(&before, &after, committer(Some(author), None), "olga"));
    }
    let head: &'static str = numbered(PUSHES).leak();
    let key = world.authorizing(head);
    world.approve("mona", &key);
    let rows = world.unmet_apart(&key);
    let codes: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(codes, ["committers_too_far"], "{rows:?}");
    assert!(rows[0].1.contains(&numbered(PUSHES - 1_000)), "{rows:?}");
    // The stranger at the beginning is found from a commit that is near enough, and named.
    let early: &'static str = numbered(500).leak();
    let part = world.authorizing(early);
    world.approve("mona", &part);
    let rows = world.unmet_apart(&part);
    assert!(rows[0].1.contains("plain:stranger"), "{rows:?}");
    let told = part.clone();
    world.system(move |cx| {
        cx.on_change(&told, |case| {
            let record = &mut case.file.change.target_records[0];
            record.outcome = Some(enums::Outcome::Succeeded);
            Ok(())
        })
    });
    assert_eq!(world.unmet_apart(&key), [], "what {part} brought was decided then");
}

#[test]
fn what_was_built_of_a_commit_in_numbers_hides_no_push_of_it() {
    let world = World::under(APART);
    let connection = world.connection.clone();
    for number in 0..60 {
        let (connection, artifact) = (connection.clone(), format!("sha256:{number:064x}"));
        world.system(move |cx| {
            let told = provenance::Provenance {
                id: ids::RecordId(String::new()),
                version: 0,
                repository: "pay".to_owned(),
                commit: COMMITS[1].to_owned(),
                tree: None,
                artifact: Some(artifact.clone()),
                files: None,
                before: None,
                committers: None,
                is_partial: false,
                merged: None,
                source: connection.clone(),
                at: began(),
            };
            keep_provenance::keep(cx, told)
        });
    }
    world.take(push(COMMITS[0], COMMITS[1], committer(Some("stranger"), None), "rita"));
    let key = world.authorizing(COMMITS[1]);
    world.approve("mona", &key);
    let rows = world.unmet_apart(&key);
    assert!(rows.iter().any(|row| row.1.contains("plain:stranger")), "{rows:?}");
}

#[test]
fn the_branch_of_a_merged_pull_request_belongs_to_the_merge() {
    let world = World::under(APART);
    world.accounts("olga", &["plain:olga"]);
    let none = "0000000000000000000000000000000000000000";
    world.take(push(none, COMMITS[0], committer(Some("stranger"), None), "olga"));
    world.take(Signal::PullRequest(signal::PullRequest {
        repository: "pay".to_owned(),
        number: 7,
        action: "closed".to_owned(),
        head_commit: COMMITS[0].to_owned(),
        merge_commit: Some(COMMITS[2].to_owned()),
        title: "A zone".to_owned(),
        author: None,
        merged: true,
        occurred_at: began(),
    }));
    world.take(push(COMMITS[1], COMMITS[2], committer(Some("olga"), None), "olga"));
    let key = world.authorizing(COMMITS[2]);
    let rows = world.unmet_apart(&key);
    assert!(rows.iter().any(|row| row.1.contains("plain:stranger")), "{rows:?}");
}

#[test]
fn one_account_is_one_person_and_nobody_drops_their_own() {
    let world = World::new();
    world.accounts("olga", &["plain:olga"]);
    let tried = |who: &'static str, login: &'static str, accounts: Value| {
        world.system(move |cx| {
            let person = cx.directory()?.by_login(who).unwrap().id.clone();
            let before = std::mem::replace(
                &mut cx.actor,
                Actor {
                    person,
                    is_system: false,
                    ..Actor::system()
                },
            );
            let done = set_person::edit_person(cx, login, &body(json!({"accounts": accounts.clone()})));
            cx.actor = before;
            Ok(done.is_ok())
        })
    };
    assert!(!tried("ada", "mona", json!(["Plain:Olga"])), "it is olga's");
    assert!(tried("ada", "ada", json!(["plain:ada"])));
    assert!(!tried("ada", "ada", json!([])), "her commits would be nobody's");
    assert!(tried("ada", "ada", json!(["plain:ada", "mail:ada@home"])));
    let line = |fields: Value| import_directory::Line {
        number: 1,
        is_row: false,
        noun: enums::Noun::People,
        fields: body(fields),
    };
    let row = line(json!({"login": "ada", "accounts": ["plain:ada"]}));
    let actor = world.system(|cx| Ok(cx.directory()?.by_login("ada").unwrap().id.clone()));
    let actor = Actor {
        person: actor,
        is_system: false,
        ..Actor::system()
    };
    let import = move |cx: &mut Context<'_, '_>| {
        import_directory::import_directory(cx, std::slice::from_ref(&row), Default::default()).map(drop)
    };
    let done = world.executor.wait(Lane::Acts, "halden", actor, Mode::Write, import);
    assert!(done.is_err(), "nor by a file");
}
