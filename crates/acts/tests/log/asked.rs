//! The approvers follow every way by which rights move: an administrator's edit, a sign-in at a provider, the provisioning
//! directory. Open changes are routed again in the same transaction, and their timelines record it.

use acts::change::{create_change, verbs};
use acts::directory::{import_directory, provision, set_person};
use acts::identity::provision_at_sign_in;
use acts::policy::{activate_configuration, propose_configuration};
use model::core::enums::{self, Role};
use model::core::ids::RecordId;
use model::identity::provider::{Claimed, IdentityProvider, ProvisionedGroup, ProvisionedPerson};
use serde_json::json;
use store::audit::event;

use crate::world::{World, body};

/// Logins of the approvers that a rule requires for a change, in order.
pub(crate) fn asked(world: &World, key: &str, rule: &'static str) -> Vec<String> {
    let key = key.to_owned();
    let found = world.look(move |cx| {
        let directory = cx.directory()?;
        let requests = cx.change(&key)?.requests;
        let of_rule = requests.iter().filter(|request| request.rule == rule);
        Ok(of_rule
            .map(|request| directory.login(&request.person))
            .collect::<Vec<_>>())
    });
    let mut found = found.unwrap();
    found.sort();
    found
}

/// A change that waits for all its approvers.
pub(crate) fn waiting(world: &World) -> String {
    let key = world.draft("Widen the column");
    let k = key.clone();
    world.by("rita", move |cx| verbs::submit_change(cx, &k));
    let (k, request) = (key.clone(), body(json!({"dependencies_reviewed": true})));
    world.by("rita", move |cx| verbs::assess_change(cx, &k, &request));
    key
}

pub(crate) fn group_id(world: &World, key: &'static str) -> String {
    let found = world.look(move |cx| Ok(cx.directory()?.groups.get(&key.into()).unwrap().id.0.clone()));
    found.unwrap()
}

fn edit(world: &World, login: &'static str, patch: serde_json::Value) {
    let patch = body(patch);
    world.system(move |cx| set_person::edit_person(cx, login, &patch).map(drop));
}

const MANAGER: &str = "base.require.change_manager";
const SECURITY: &str = "base.require.security";

#[test]
fn a_role_that_is_given_or_taken_moves_who_is_asked_at_once() {
    let world = World::new();
    let key = waiting(&world);
    assert_eq!(asked(&world, &key, MANAGER), ["mona"]);
    edit(&world, "ivo", json!({"roles": ["implementer", "change_manager"]}));
    assert_eq!(asked(&world, &key, MANAGER), ["ivo", "mona"]);
    edit(&world, "mona", json!({"roles": []}));
    assert_eq!(asked(&world, &key, MANAGER), ["ivo"]);
    world.system(|cx| {
        let nora = body(json!({"login": "nora", "roles": ["change_manager"]}));
        set_person::create_person(cx, &nora).map(drop)
    });
    assert_eq!(asked(&world, &key, MANAGER), ["ivo", "nora"]);
    world.sequence();
    let kinds = world.look(|cx| {
        let found = event::page(cx.tx, 0, 1_000)?;
        Ok(found.into_iter().map(|event| event.kind).collect::<Vec<_>>())
    });
    let ended = |kind: &&String| *kind == "approval.request_ended";
    assert_eq!(kinds.unwrap().iter().filter(ended).count(), 1);
    world.assert_replays();
}

#[test]
fn who_loses_the_role_leaves_the_group_that_came_with_it() {
    let world = World::new();
    let key = waiting(&world);
    assert_eq!(asked(&world, &key, SECURITY), ["sam"]);
    // Nobody else has the role, so that the rule requires the group: Sam is no member any more.
    edit(&world, "sam", json!({"roles": ["requester"]}));
    assert!(asked(&world, &key, SECURITY).is_empty());
    let members = world.look(|cx| Ok(cx.directory()?.members(&"security".into())));
    assert!(members.unwrap().is_empty());
    world.assert_replays();
}

#[test]
fn a_right_that_a_provider_tells_at_a_sign_in_moves_who_is_asked() {
    let world = World::new();
    let key = waiting(&world);
    let sign_in = |groups: &[&str]| {
        let claimed = Claimed {
            subject: "https://id.example anna".to_owned(),
            login: Some("anna".to_owned()),
            name: None,
            mail: None,
            mail_is_verified: false,
            groups: Some(groups.iter().map(|it| (*it).to_owned()).collect()),
        };
        let provider = IdentityProvider {
            id: RecordId::from("provider-1"),
            version: 0,
            key: "corp".to_owned(),
            name: "Halden ID".to_owned(),
            issuer: "https://id.example".to_owned(),
            client_id: "assent".to_owned(),
            has_secret: false,
            scopes: Vec::new(),
            login_claim: "preferred_username".to_owned(),
            groups_claim: Some("groups".to_owned()),
            groups: std::collections::BTreeMap::new(),
            roles: [("managers".to_owned(), Role::ChangeManager)].into(),
            rights_last_days: 90,
            creates_people: true,
            trusts_mail: false,
            active: true,
            set_by: None,
            set_at: None,
        };
        world.system(move |cx| provision_at_sign_in::meet_person(cx, &provider, &claimed).map(drop));
    };
    sign_in(&["managers"]);
    assert_eq!(asked(&world, &key, MANAGER), ["anna", "mona"]);
    sign_in(&[]);
    assert_eq!(asked(&world, &key, MANAGER), ["mona"]);
    world.assert_replays();
}

#[test]
fn the_provisioning_directory_moves_who_is_asked_by_a_rule_that_names_its_group() {
    let world = World::new();
    let group = |world: &World, members: &[&'static str]| ProvisionedGroup {
        name: "Board".to_owned(),
        external_id: None,
        members: members.iter().map(|login| world.actor(login).person.0).collect(),
    };
    let told = group(&world, &["mona"]);
    let board = world.system(move |cx| provision::create_group(cx, &told));
    world.system(|cx| {
        for login in ["ada", "adam"] {
            set_person::create_person(cx, &body(json!({"login": login, "roles": ["admin"]})))?;
        }
        Ok(())
    });
    let set = body(json!({
        "reason": "The board agrees", "files": [{"path": "house/house.cedar", "content": "@id(\"house.require.board\")\n\
            @reason(\"The board agrees.\")\n@require(\"approval\")\n@from(\"group:board\")\n@covers(\"what\")\n\
            permit (principal, action == Action::\"require\", resource);"}],
        "cases": [{"path": "house/cases/house.cases", "content": CASES}],
    }));
    let proposal = world.by("ada", move |cx| propose_configuration::propose_policies(cx, &set));
    world.by("adam", move |cx| {
        activate_configuration::activate_configuration(cx, proposal.id.as_str(), &body(json!({})))
    });
    let key = waiting(&world);
    let of_board = || asked(&world, &key, "house.require.board");
    assert_eq!(of_board(), ["mona"]);
    let (id, told) = (board.id.0.clone(), group(&world, &["mona", "sam"]));
    world.system(move |cx| provision::replace_group(cx, &id, &told).map(drop));
    assert_eq!(of_board(), ["mona", "sam"]);
    // And a returning person is an approver again.
    for (active, wanted) in [(false, vec!["mona"]), (true, vec!["mona", "sam"])] {
        let id = world.actor("sam").person.0;
        let told = ProvisionedPerson {
            login: "sam".to_owned(),
            name: "Sam".to_owned(),
            active: Some(active),
            ..ProvisionedPerson::default()
        };
        world.system(move |cx| provision::replace_person(cx, &id, &told).map(drop));
        assert_eq!(of_board(), wanted);
    }
    world.assert_replays();
}

#[test]
fn nobody_seats_themselves_among_those_who_decide_by_provisioning() {
    let world = World::new();
    world.system(|cx| {
        let adam = body(json!({"login": "adam", "roles": ["admin"]}));
        set_person::create_person(cx, &adam).map(drop)
    });
    let group = |name: &str, members: &[&'static str]| ProvisionedGroup {
        name: name.to_owned(),
        external_id: None,
        members: members.iter().map(|login| world.actor(login).person.0).collect(),
    };
    let security = group_id(&world, "security");
    let told = group("Security", &["sam", "adam"]);
    let done = world.executor.wait(
        store::Lane::Acts,
        crate::world::TENANT,
        world.actor("adam"),
        store::Mode::Write,
        move |cx: &mut acts::Context<'_, '_>| provision::replace_group(cx, &security, &told).map(drop),
    );
    let refused = format!("{:?}", done.err());
    assert!(refused.contains("own_request"), "{refused}");
    let members = world.look(|cx| Ok(cx.directory()?.members(&"security".into())));
    let members: Vec<_> = members.unwrap().into_iter().collect();
    assert_eq!(members, [world.actor("sam").person]);
    // Membership of a group that decides nothing needs no care, and all other people become members as the directory reports.
    let friends = group("Football", &["adam", "sam"]);
    world.by("adam", move |cx| provision::create_group(cx, &friends));
    let id = group_id(&world, "change-managers");
    let told = group("Change managers", &["mona", "sam"]);
    world.by("adam", move |cx| provision::replace_group(cx, &id, &told));
}

#[test]
fn nobody_gives_themselves_a_job_function() {
    let world = World::new();
    world.system(|cx| {
        for login in ["ada", "adam"] {
            set_person::create_person(cx, &body(json!({"login": login, "roles": ["admin"]})))?;
        }
        Ok(())
    });
    let by_adam = |line: bool, functions: serde_json::Value| {
        let actor = world.actor("adam");
        let act = move |cx: &mut acts::Context<'_, '_>| {
            let patch = body(json!({"functions": functions}));
            if !line {
                return set_person::edit_person(cx, "adam", &patch).map(drop);
            }
            let mut fields = patch;
            fields.insert("login".to_owned(), json!("adam"));
            let line = import_directory::Line {
                number: 1,
                is_row: false,
                noun: enums::Noun::People,
                fields,
            };
            import_directory::import_directory(cx, &[line], Default::default()).map(drop)
        };
        let done = world
            .executor
            .wait(store::Lane::Acts, crate::world::TENANT, actor, store::Mode::Write, act);
        done.err().map(|error| format!("{error:?}")).unwrap_or_default()
    };
    for line in [false, true] {
        let refused = by_adam(line, json!(["dba"]));
        assert!(refused.contains("own_request"), "{refused}");
    }
    let two = json!([{"login": "adam", "functions": ["dba", "sre"]}]);
    crate::by_two::by_two(
        &world,
        "ada",
        json!({"people": two, "reason": "He looks after databases."}),
    );
    assert_eq!(by_adam(false, json!(["dba"])), "", "to have one less is no gift");
    assert_eq!(by_adam(true, json!(["dba"])), "");
}

const CASES: &str = "given a service\n  people rita roles requester, olga roles owner, ivo roles implementer\n  \
    service pay, criticality low, owners olga\n  environment production, production yes\n  \
    change kind normal, category facility, risk low, touches none, requester rita, implementers ivo\n\n\
    case the board agrees\n  requires\n    house.require.board\n    base.require.validation\n    \
    base.require.review\n    base.require.owner\n    base.require.security\n    base.require.change_manager\n    \
    base.require.evidence\n";

#[test]
fn nobody_is_asked_whose_word_a_rule_forbids() {
    let world = World::with_pack("dual-control");
    let of_keys = |implementer: &str| {
        let request = body(json!({
            "title": "Turn the keys", "description": "New keys.", "justification": "The old ones are old.",
            "category": "security", "complexity": "high", "touches": ["crypto_keys"],
            "impact": {"data": "high"}, "implementers": [implementer], "tester": "olga",
            "targets": [{"service": "pay", "environment": "production"}],
            "planned_start": "2026-11-20T10:00:00Z", "planned_end": "2026-11-20T12:00:00Z",
            "plan": [{"title": "Turn them", "minutes": 10}], "rollback_plan": [{"title": "Turn back", "minutes": 5}],
        }));
        let key = world.by("rita", move |cx| create_change::create_change(cx, &request, &[]));
        let k = key.clone();
        let rows = world.look(move |cx| cx.ahead(&k)).unwrap();
        let of_security = rows.into_iter().map(|row| row.unmet).find(|row| {
            let is_of_rule = [&row.text, &row.satisfy]
                .iter()
                .any(|it| it.contains("`base.require.security`"));
            is_of_rule && row.code != "peer_review_missing"
        });
        (key, of_security.unwrap())
    };
    let (_, row) = of_keys("ivo");
    assert_eq!(
        (row.code.as_str(), row.waiting_on.as_slice()),
        ("approval_missing", &["sam".to_owned()][..])
    );
    // Sam alone is security, and the pack lets nobody approve their own implementation, under any rule.
    let (_, row) = of_keys("sam");
    assert_eq!(row.code, "cannot_be_met", "{row:?}");
    assert!(!row.waiting_on.contains(&"sam".to_owned()), "{row:?}");
}
