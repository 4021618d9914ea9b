//! People's rights: a review shows all of them and removes those that its manager refuses; a report finds unused ones.

use acts::approval::{set_delegation, verbs};
use acts::audit::note_attempt;
use acts::directory::{deactivate_person, review_access, set_person, set_service};
use acts::identity::{set_token, set_workload};
use acts::policy::find_unused::{Unused, find_unused};
use acts::policy::{activate_configuration, find_unstaffed, propose_configuration};
use acts::schedule::find_conflicts;
use model::change::change_file::Actor;
use model::directory::access_review::AccessReview;
use model::directory::snapshot::Ownership;
use serde_json::{Value, json};
use store::audit::{event, log};
use store::identity::session;
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

pub const DAY: i64 = 24 * 60 * 60;

fn workload(person: &str) -> Value {
    json!({
        "issuer": "https://ci.example", "meant_for": "assent", "claims": {"repository": ["acme/booking"]},
        "person": person, "scopes": ["gate"],
    })
}

#[test]
fn a_review_takes_away_functions_words_lent_and_jobs_that_speak_for_somebody() {
    let world = World::new();
    world.system(|cx| {
        set_person::create_person(cx, &body(json!({"login": "kari", "roles": ["admin"]})))?;
        set_person::edit_person(cx, "ivo", &body(json!({"functions": ["dba", "sre"]})))?;
        set_workload::set_workload(cx, "jobs", &body(workload("pipe"))).map(drop)
    });
    let lent = json!({
        "delegate": "sam", "parts": ["owner"], "services": ["pay"],
        "starts_at": "2026-11-20T09:00:00Z", "ends_at": "2026-12-20T09:00:00Z",
    });
    let lent = world.by("olga", move |cx| {
        set_delegation::set_delegation(cx, &body(lent.clone()))
    });
    world.by("kari", |cx| review_access::begin_review(cx, &body(json!({}))).map(drop));
    let kari = world.actor("kari");
    let asked = kari.person.clone();
    let parts = world.look(move |cx| {
        let filter = Filter::new().equals("manager", asked.as_str()).order_by("id");
        Ok(record::bodies::<AccessReview>(cx.tx, &filter)?)
    });
    let part = parts.unwrap().remove(0);
    let row = |kind: &str, what: &str| {
        let found = part.rights.iter().find(|it| it.kind == kind && it.what == what);
        found
            .unwrap_or_else(|| panic!("{kind} {what}: {:?}", part.rights))
            .clone()
    };
    let (dba, word) = (row("function", "dba"), row("delegation", lent.id.as_str()));
    assert_eq!(word.person, world.actor("sam").person);
    let olga = world.actor("olga").person;
    assert_eq!(word.scope.as_deref(), Some(&*format!("person:{olga}: owner; pay")));
    assert_eq!(
        word.told_scope(|person| (*person == olga).then(|| "olga".to_owned()))
            .as_deref(),
        Some("olga: owner; pay")
    );
    let job = part.rights.iter().find(|it| it.kind == "workload").unwrap().clone();
    assert_eq!(
        (&job.person, job.scope.as_deref()),
        (&world.actor("pipe").person, Some("jobs"))
    );
    let refusal = body(json!({"refused": [dba.row, word.row, job.row], "reason": "Moved on."}));
    let actor = Actor {
        stepped_up_at: Some(world.executor.tools().clock.now()),
        ..kari
    };
    let sign =
        move |cx: &mut acts::Context<'_, '_>| review_access::sign_review(cx, part.id.as_str(), &refusal).map(drop);
    world
        .executor
        .wait(Lane::Acts, TENANT, actor, Mode::Write, sign)
        .unwrap();
    world
        .look(move |cx| {
            let directory = cx.directory()?;
            let ivo = directory.by_login("ivo").unwrap();
            assert_eq!(
                ivo.functions.iter().collect::<Vec<_>>(),
                ["sre"],
                "what is not refused stays"
            );
            let lent = directory.delegations.iter().find(|it| it.id == lent.id).unwrap();
            assert!(lent.ends_at <= cx.now, "nobody speaks for olga any more");
            assert!(!set_workload::workload(cx, "jobs")?.active);
            Ok(())
        })
        .unwrap();
    world.assert_replays();
}

#[test]
fn a_review_writes_no_login_and_no_name_into_the_log() {
    let world = World::new();
    world.system(|cx| {
        set_person::edit_person(cx, "olga", &body(json!({"name": "Olga Nilsen"})))?;
        set_workload::set_workload(cx, "jobs", &body(workload("pipe"))).map(drop)
    });
    let lent = json!({
        "delegate": "sam", "parts": ["owner"], "starts_at": "2026-11-20T09:00:00Z", "ends_at": "2026-12-20T09:00:00Z",
    });
    world.by("olga", move |cx| {
        set_delegation::set_delegation(cx, &body(lent.clone())).map(drop)
    });
    world.system(|cx| review_access::begin_review(cx, &body(json!({}))).map(drop));
    world.sequence();
    let written = world.look(|cx| {
        let size = log::state(cx.tx)?.unwrap().size;
        let mut texts = String::new();
        for event in event::page(cx.tx, 0, size)? {
            if event.kind == "access_review.begun" {
                texts += &String::from_utf8_lossy(&event.bytes);
                for (_, payload) in event::payloads(cx.tx, &event.id)? {
                    texts += &String::from_utf8_lossy(&payload);
                }
            }
        }
        Ok(texts)
    });
    let written = written.unwrap();
    assert!(written.contains("\"kind\":\"delegation\""), "{written}");
    for login in ["rita", "olga", "Olga Nilsen", "sam", "mona", "ivo", "pipe"] {
        let named = written
            .split(|c: char| !c.is_alphanumeric() && c != ' ')
            .any(|it| it.trim() == login);
        assert!(!named, "{login} stands in {written}");
    }
}

/// The report's row of a person: kinds and requests.
pub fn unused(world: &World, login: &str) -> Vec<Unused> {
    world.sequence();
    let report = world.by("aino", |cx| find_unused(cx, 30));
    report.items.into_iter().filter(|it| it.person == login).collect()
}

/// Those of one kind.
pub fn of_kind(world: &World, login: &str, kind: &str) -> Vec<Unused> {
    let mut found = unused(world, login);
    found.retain(|it| it.kind == kind);
    found
}

/// Days go by, and then a change is approved by its approvers.
pub fn decide_after(world: &World, days: i64, title: &str) {
    world.pass_seconds(days * DAY);
    let start = world.executor.tools().clock.now() + jiff::SignedDuration::from_hours(2);
    let end = start + jiff::SignedDuration::from_hours(2);
    let [start, end] = [start, end].map(|at| at.to_string());
    let artifact = proof::crypto::digest_text(title.as_bytes());
    world.approved(world.draft_at(title, &artifact, [&start, &end]));
}

pub fn world_with_seconds() -> World {
    let world = World::new();
    world.system(|cx| {
        for (login, role) in [("aino", "auditor"), ("otto", "requester"), ("omar", "requester")] {
            set_person::create_person(cx, &body(json!({"login": login, "roles": [role]})))?;
        }
        set_service::set_ownership(cx, &body(json!({"role": "owner", "person": "otto"})))?;
        let members = body(json!({"name": "Owners", "members": ["olga", "omar"]}));
        set_person::set_group(cx, "owners", &members).map(drop)
    });
    world
}

#[test]
fn a_place_among_several_is_unused_when_the_others_decided() {
    let world = world_with_seconds();
    world.pass_seconds(40 * DAY);
    assert!(
        of_kind(&world, "otto", "ownership").is_empty(),
        "nobody was asked, so nobody left it to others"
    );
    decide_after(&world, 0, "one");
    let found = of_kind(&world, "otto", "ownership");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].place.as_deref(), found[0].unused.join(" ")),
        (Some("everything"), "owner".to_owned())
    );
    let path = found[0].proposal["path"].as_str().unwrap().to_owned();
    let row = world.look(move |cx| {
        let id = path.trim_start_matches("/api/v1/ownerships/").to_owned();
        Ok(record::load::<Ownership>(cx.tx, &id)?.unwrap().record)
    });
    assert_eq!(row.unwrap().person.unwrap(), world.actor("otto").person);
    assert!(of_kind(&world, "olga", "ownership").is_empty(), "who decides uses it");
    // From now on a group is the owner instead of the two.
    world.system(|cx| {
        for row in cx.directory()?.ownerships.iter().cloned().collect::<Vec<_>>() {
            set_service::end_ownership(cx, row.id.as_str())?;
        }
        set_service::set_ownership(cx, &body(json!({"role": "owner", "group": "owners"})))
    });
    decide_after(&world, 35, "two");
    let found = of_kind(&world, "omar", "group");
    assert_eq!(found.len(), 1, "{found:?}");
    let version = world.look(|cx| Ok(cx.directory()?.groups.get(&"owners".into()).unwrap().version));
    assert_eq!(
        found[0].proposal,
        json!({
            "method": "PUT", "path": "/api/v1/groups/owners", "body": {"members": ["olga"]},
            "if_match": format!("\"{}\"", version.unwrap()),
        })
    );
    assert!(of_kind(&world, "olga", "group").is_empty());
    assert!(of_kind(&world, "otto", "ownership").is_empty(), "it ended");
}

fn leave(world: &World, login: &'static str) {
    world.system(move |cx| deactivate_person::deactivate_person(cx, login, &body(json!({}))).map(drop));
}

#[test]
fn whoever_is_left_when_the_others_have_gone_is_never_proposed_to_go() {
    let world = world_with_seconds();
    world.pass_seconds(40 * DAY);
    decide_after(&world, 0, "one");
    assert_eq!(of_kind(&world, "otto", "ownership").len(), 1, "while olga is here");
    leave(&world, "olga");
    assert!(of_kind(&world, "otto", "ownership").is_empty(), "nobody else answers");
    // A group is an owner beside otto: it counts as one as long as one of its members is here.
    world.system(|cx| {
        set_person::edit_person(cx, "olga", &body(json!({"active": true})))?;
        for row in cx.directory()?.ownerships.iter().cloned().collect::<Vec<_>>() {
            set_service::end_ownership(cx, row.id.as_str())?;
        }
        set_service::set_ownership(cx, &body(json!({"role": "owner", "group": "owners"})))?;
        set_service::set_ownership(cx, &body(json!({"role": "owner", "person": "otto"})))
    });
    decide_after(&world, 35, "two");
    assert_eq!(
        of_kind(&world, "otto", "ownership").len(),
        1,
        "olga spoke for the group"
    );
    assert_eq!(of_kind(&world, "omar", "group").len(), 1, "and omar left it to her");
    leave(&world, "olga");
    assert!(of_kind(&world, "omar", "group").is_empty(), "nobody else sits in it");
    assert_eq!(
        of_kind(&world, "otto", "ownership").len(),
        1,
        "omar answers for the group"
    );
    leave(&world, "omar");
    assert!(
        of_kind(&world, "otto", "ownership").is_empty(),
        "the group has nobody left"
    );
}

#[test]
fn a_peer_review_uses_the_reviewers_seats_and_is_no_sign_against_the_others() {
    let world = world_with_seconds();
    world.system(|cx| {
        let members = body(json!({"name": "Eyes", "members": ["omar", "otto"]}));
        set_person::set_group(cx, "eyes", &members)?;
        for row in cx.directory()?.ownerships.iter().cloned().collect::<Vec<_>>() {
            set_service::end_ownership(cx, row.id.as_str())?;
        }
        set_service::set_ownership(cx, &body(json!({"role": "owner", "group": "owners"})))
    });
    decide_after(&world, 40, "one");
    assert_eq!(of_kind(&world, "omar", "group").len(), 1, "olga alone spoke");
    world.by("omar", |cx| {
        let digest = cx.change("CHG-1001")?.digests.content;
        let word = body(json!({"verdict": "agree", "content_digest": digest}));
        verbs::peer_review_change(cx, "CHG-1001", &word).map(drop)
    });
    assert!(of_kind(&world, "omar", "group").is_empty(), "omar spoke as a peer");
    assert!(
        of_kind(&world, "otto", "group").is_empty(),
        "whom the review was asked from, nobody tells"
    );
}

#[test]
fn scopes_and_workloads_that_nobody_used_are_found() {
    let world = world_with_seconds();
    world.system(|cx| set_workload::set_workload(cx, "jobs", &body(workload("pipe"))).map(drop));
    let token = json!({"name": "ci", "person": "pipe", "scopes": ["gate", "write"], "roles": ["pipeline"]});
    let token = world.system(move |cx| set_token::create_token(cx, &body(token.clone())));
    let id = token.0.id.0.clone();
    let used = |scopes: &'static [&'static str]| {
        let id = id.clone();
        world.system(move |cx| {
            note_attempt::note_use(cx, &id, None)?;
            let note = |scope: &&str| note_attempt::note_use(cx, &id, Some(scope));
            scopes.iter().try_for_each(note)
        });
    };
    world.pass_seconds(35 * DAY);
    used(&["gate"]);
    assert!(
        of_kind(&world, "pipe", "token").is_empty(),
        "its uses are kept since today only"
    );
    world.pass_seconds(35 * DAY);
    used(&["gate"]);
    let found = of_kind(&world, "pipe", "token");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].held.join(" "), found[0].unused.join(" ")),
        ("gate write".into(), "write".into())
    );
    let proposal = &found[0].proposal;
    assert_eq!(
        (&proposal["body"]["scopes"], &proposal["body"]["roles"]),
        (&json!(["gate"]), &json!(["pipeline"]))
    );
    assert_eq!(proposal["then"]["path"], json!(format!("/api/v1/tokens/{id}")));
    used(&["write"]);
    assert!(of_kind(&world, "pipe", "token").is_empty());
    let jobs = of_kind(&world, "pipe", "workload");
    assert_eq!(
        (jobs.len(), jobs[0].proposal["path"].clone()),
        (1, json!("/api/v1/workloads/jobs"))
    );
    let told = crate::world::shown(json!({"repository": "acme/booking", "sub": "job"}), "one");
    world.system(move |cx| set_workload::enter(cx, "jobs", &told).map(drop));
    assert!(of_kind(&world, "pipe", "workload").is_empty(), "a job was let in");
}

#[test]
fn who_looks_on_and_was_not_here_for_long_is_found() {
    let world = world_with_seconds();
    world.system(|cx| {
        for (login, roles) in [
            ("vera", vec!["vendor", "requester"]),
            ("ezra", vec!["executive"]),
            ("anton", vec!["auditor"]),
            ("nils", vec!["executive"]),
        ] {
            set_person::create_person(cx, &body(json!({"login": login, "roles": roles})))?;
        }
        Ok(())
    });
    let sign_in = |login: &'static str| {
        let id = world.actor(login).person.0;
        world.system(move |cx| Ok(session::note_seen(cx.tx, &id, cx.now)?));
    };
    let token = json!({"name": "eye", "person": "nils", "scopes": ["read"]});
    let token = world.system(move |cx| set_token::create_token(cx, &body(token.clone())));
    world.pass_seconds(10 * DAY);
    sign_in("anton");
    sign_in("ezra");
    world.pass_seconds(25 * DAY);
    assert!(
        of_kind(&world, "ezra", "role").is_empty(),
        "sign-ins are not kept for the whole time yet"
    );
    world.pass_seconds(10 * DAY);
    sign_in("ezra");
    let id = token.0.id.0.clone();
    world.system(move |cx| note_attempt::note_use(cx, &id, None));
    let found = of_kind(&world, "anton", "role");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        found[0].proposal,
        json!({"method": "PATCH", "path": "/api/v1/people/anton", "body": {"roles": []}})
    );
    let vera = of_kind(&world, "vera", "role");
    assert_eq!(vera[0].unused, ["requester", "vendor"]);
    assert!(of_kind(&world, "ezra", "role").is_empty(), "they were here");
    assert!(of_kind(&world, "nils", "role").is_empty(), "by a token");
    // A recent right is too new to judge.
    world.system(|cx| {
        let new = body(json!({"login": "neu", "roles": ["auditor"]}));
        set_person::create_person(cx, &new).map(drop)
    });
    assert!(of_kind(&world, "neu", "role").is_empty());
}

#[test]
fn parts_in_one_hand_are_found_by_whatever_rows_they_come() {
    let world = World::new();
    world.system(|cx| {
        set_person::create_person(cx, &body(json!({"login": "aino", "roles": ["auditor"]})))?;
        set_service::set_service(cx, &body(json!({"key": "ledger", "regimes": ["sox"]})))?;
        // Olga owns everything; her other rights come by a class, and by a group.
        let class = json!({"class": "regime:sox", "role": "security", "person": "olga"});
        set_service::set_ownership(cx, &body(class))?;
        set_person::set_group(cx, "builders", &body(json!({"members": ["olga", "ivo"]})))?;
        let work = json!({"service": "pay", "role": "implementer", "group": "builders"});
        set_service::set_ownership(cx, &body(work))?;
        let seats = body(json!({"name": "Security", "members": ["sam", "mona"]}));
        set_person::set_group(cx, "security", &seats).map(drop)
    });
    let found = world.by("aino", find_conflicts::find_conflicts);
    let told: Vec<(String, String, String)> = found
        .into_iter()
        .map(|it| (it.person, it.rights.join(" and "), it.place))
        .collect();
    let row = |person: &str, rights: &str, place: &str| (person.to_owned(), rights.to_owned(), place.to_owned());
    assert_eq!(
        told,
        [
            row("mona", "security and change_manager", "tenant"),
            row("olga", "owner and security", "service:ledger"),
            row("olga", "owner and implementer", "service:pay"),
        ]
    );
}

#[test]
fn whether_a_pack_is_staffed_is_told_of_all_services_or_with_how_many_were_looked_at() {
    let world = World::new();
    let row = |world: &World| {
        let found = world.look(find_unstaffed::find_unstaffed).unwrap();
        found.into_iter().next().unwrap()
    };
    // Sixty services that one person owns are one kind.
    world.system(|cx| {
        for number in 0..60 {
            let key = format!("alike-{number}");
            set_service::set_service(cx, &body(json!({"key": key, "criticality": "low"})))?;
        }
        Ok(())
    });
    let all = row(&world);
    assert_eq!((all.services_looked_at, all.services), (61, 61));
    let group = body(json!({"name": "Security", "members": ["sam", "mona", "rita"]}));
    world.system(move |cx| set_person::set_group(cx, "security", &group).map(drop));
    let staffed = row(&world);
    assert!(staffed.is_staffed, "{:?}", staffed.lacks);
    // Each with an owner of its own, they are more kinds than are looked at.
    world.system(|cx| {
        for number in 0..55 {
            let login = format!("owner-{number}");
            set_person::create_person(cx, &body(json!({"login": login, "roles": ["owner"]})))?;
            let own = json!({"service": format!("alike-{number}"), "role": "owner", "person": login});
            set_service::set_ownership(cx, &body(own))?;
        }
        Ok(())
    });
    let some = row(&world);
    assert!(some.services_looked_at < some.services, "{some:?}");
    assert!(
        !some.is_staffed && some.lacks.is_empty(),
        "what was not looked at is not called staffed: {some:?}"
    );
}

#[test]
fn whom_a_rule_names_stands_for_nobody_else() {
    let world = World::new();
    world.system(|cx| {
        for login in WRITERS.iter().chain(&["ada", "adam"]) {
            let role = if login.starts_with("ada") { "admin" } else { "requester" };
            set_person::create_person(cx, &body(json!({"login": login, "roles": [role]})))?;
        }
        let seats = body(json!({"name": "Security", "members": ["sam", "mona", "rita"]}));
        set_person::set_group(cx, "security", &seats).map(drop)
    });
    let in_force = |world: &World| world.look(find_unstaffed::find_unstaffed).unwrap().remove(0);
    // As many writers as are tried of those alike may not submit, nor may anybody else who was there before: the last may.
    for (barred, is_staffed) in [(4, true), (5, false)] {
        let people = ["rita", "olga", "ivo", "sam", "mona"].iter().chain(&WRITERS[..barred]);
        let named: Vec<String> = people
            .map(|login| format!("Person::\"{}\"", world.actor(login).person))
            .collect();
        let rita = &world.actor("rita").person;
        let set = body(json!({
            "reason": "They do not hand in",
            "files": [{"path": "house/house.cedar", "content": format!("@id(\"house.forbid.some\")\n\
                @reason(\"They do not hand in.\")\nforbid (principal, action == Action::\"submit_change\", resource)\n\
                when {{ [{}].contains(principal.person) }};", named.join(", "))}],
            "cases": [{"path": "house/cases/house.cases", "content": format!("given a service\n  \
                people {rita} roles requester, olga roles owner, ivo roles implementer\n  \
                service pay, criticality low, owners olga\n  environment production, production yes\n  \
                change kind normal, risk low, requester {rita}, implementers ivo\n\n\
                case they do not hand in\n  {rita} submit_change as requester no house.forbid.some\n")}],
        }));
        let proposal = world.by("ada", move |cx| propose_configuration::propose_policies(cx, &set));
        world.by("adam", move |cx| {
            activate_configuration::activate_configuration(cx, proposal.id.as_str(), &body(json!({})))
        });
        assert_eq!(in_force(&world).is_staffed, is_staffed, "{:?}", in_force(&world).lacks);
    }
}

/// People with equal facts for policies.
const WRITERS: [&str; 5] = ["writer-1", "writer-2", "writer-3", "writer-4", "writer-5"];

#[test]
fn staffing_asks_a_packs_rules_of_the_services_that_they_are_about() {
    let world = World::with_pack("sox");
    let rows = |world: &World| world.look(find_unstaffed::find_unstaffed).unwrap();
    let sox = |rows: &[find_unstaffed::Staffing], pack: &str| {
        let row = rows.iter().find(|row| row.pack == pack).unwrap().clone();
        let lacks = row.lacks.iter().filter(|lack| lack.rule == "sox.require.owners");
        let services: Vec<String> = lacks.flat_map(|lack| lack.services.clone()).collect();
        (services, row.assumed)
    };
    let before = rows(&world);
    assert_eq!(sox(&before, "in force"), (Vec::new(), None), "it is about nothing here");
    let (services, assumed) = sox(&before, "sox");
    assert_eq!(services, ["pay"], "as if it were about all");
    assert!(assumed.unwrap().contains("No service is under the regime sox yet"));
    world.system(|cx| {
        let ledger = json!({"key": "ledger", "regimes": ["sox"]});
        set_service::set_service(cx, &body(ledger)).map(drop)
    });
    let found = rows(&world);
    for pack in ["in force", "sox"] {
        assert_eq!(
            sox(&found, pack),
            (vec!["ledger".to_owned()], None),
            "{pack}: pay is not under it"
        );
    }
}

#[test]
fn a_role_that_was_given_within_the_time_is_too_new_to_judge() {
    let world = world_with_seconds();
    let set = |roles: Value| {
        world.system(move |cx| set_person::edit_person(cx, "otto", &body(json!({"roles": roles.clone()}))).map(drop));
    };
    assert!(of_kind(&world, "otto", "role").is_empty(), "they came a moment ago");
    world.pass_seconds(40 * DAY);
    assert_eq!(of_kind(&world, "otto", "role")[0].unused, ["requester"]);
    set(json!(["requester", "implementer"]));
    let found = of_kind(&world, "otto", "role");
    assert_eq!(found[0].unused, ["requester"], "{found:?}");
    assert_eq!(found[0].held, ["requester", "implementer"], "{found:?}");
    // A right removed and given back is new again; a name is no role.
    set(json!(["implementer"]));
    set(json!(["requester", "implementer"]));
    assert!(of_kind(&world, "otto", "role").is_empty());
    world.pass_seconds(40 * DAY);
    world.system(|cx| set_person::edit_person(cx, "otto", &body(json!({"name": "Otto Berg"}))).map(drop));
    assert_eq!(of_kind(&world, "otto", "role")[0].unused.len(), 2);
}
