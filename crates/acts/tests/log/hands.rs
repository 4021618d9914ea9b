//! The maker of a credential: kept over each hop, and bound by the same rules as that person.

use acts::Context;
use acts::approval::set_delegation;
use acts::cab::training;
use acts::change::add_evidence;
use acts::change::set_template::{self, approve_template, propose_template};
use acts::directory::{deactivate_person, import_directory, provision, review_access, set_person};
use acts::identity::{audit_workload_trust, set_token};
use model::change::around;
use model::change::change_file::{Actor, Lent};
use model::change::related_records::{self, Message};
use model::core::enums::{self, ApprovalState, Noun, State, TemplateState};
use model::directory::access_review;
use model::directory::snapshot::StandardTemplate;
use model::identity::provider;
use model::integration::workload::Workload;
use serde_json::{Map, Value, json};
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::world::{ARTIFACT, TENANT, World, body};

/// Somebody by a token that somebody else made for them.
fn lent(world: &World, login: &'static str, maker: &'static str) -> Actor {
    Actor {
        by_token: true,
        method: "token".to_owned(),
        lent: Some(Lent {
            maker: world.actor(maker).person,
            roles: None,
            services: None,
        }),
        ..world.actor(login)
    }
}

/// A world with two administrators, of whom one requests changes as well.
fn world() -> World {
    let world = World::new();
    world.system(|cx| {
        let nils = json!({"login": "nils", "roles": ["admin", "requester"], "email": "nils@halden.example"});
        set_person::create_person(cx, &body(nils))?;
        set_person::create_person(cx, &body(json!({"login": "kari", "roles": ["admin"]})))
    });
    world
}

/// The refusal of a person's act; empty when it is done.
fn refused<T: Send + 'static>(
    world: &World,
    actor: &Actor,
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> String {
    let done = world.executor.wait(Lane::Acts, TENANT, actor.clone(), Mode::Write, act);
    done.map_or_else(|error| format!("{error:?}"), |_| String::new())
}

#[test]
fn what_a_borrowed_token_makes_is_its_makers_too() {
    let world = world();
    let (nils, by_kari) = (world.actor("nils").person, lent(&world, "kari", "nils"));
    let token = body(json!({"name": "x", "person": "olga"}));
    let made = world
        .executor
        .wait(Lane::Acts, TENANT, by_kari.clone(), Mode::Write, move |cx| {
            set_token::create_token(cx, &token)
        });
    assert_eq!(made.unwrap().0.owner, nils);
    let workload = body(
        json!({"issuer": "https://ci.example", "meant_for": "assent", "person": "olga",
        "claims": {"repository": "acme/*"}}),
    );
    let set = world
        .executor
        .wait(Lane::Acts, TENANT, by_kari, Mode::Write, move |cx| {
            acts::identity::set_workload::set_workload(cx, "jobs", &workload)
        });
    assert_eq!(set.unwrap().owner, nils);
}

#[test]
fn nobody_gives_themselves_anything_by_a_borrowed_account() {
    let world = world();
    let by_kari = lent(&world, "kari", "nils");
    let person = |words: Value| {
        let words = body(words);
        refused(&world, &by_kari, move |cx| set_person::edit_person(cx, "nils", &words))
    };
    for words in [
        json!({"roles": ["admin", "owner"]}),
        json!({"functions": ["dba"]}),
        json!({"email": "other@halden.example"}),
    ] {
        let told = person(words.clone());
        assert!(told.contains("own_request"), "{words}: {told}");
    }
    assert_eq!(person(json!({"name": "Nils B"})), "");
    let told = refused(&world, &by_kari, |cx| {
        set_person::set_group(cx, "security", &body(json!({"members": ["sam", "nils"]})))
    });
    assert!(told.contains("own_request"), "{told}");
    let told = refused(&world, &by_kari, |cx| {
        training::set_training(
            cx,
            &body(json!({"person": "nils", "training": "pci_dss",
            "starts_at": "2026-11-20T08:00:00Z", "ends_at": "2026-12-20T08:00:00Z"})),
        )
    });
    assert!(told.contains("own_request"), "{told}");
    let told = refused(&world, &by_kari, |cx| set_person::set_password(cx, "nils", "phc"));
    assert!(told.contains("step_up_required"), "{told}");
    let told = refused(&world, &by_kari, |cx| {
        let line = import_directory::Line {
            number: 1,
            is_row: false,
            noun: Noun::People,
            fields: body(json!({"login": "nils", "roles": ["owner"]})),
        };
        import_directory::import_directory(cx, &[line], Default::default())
    });
    assert!(told.contains("own_request"), "{told}");
    let pass_on = body(json!({"delegate": "nils", "starts_at": "2026-11-20T08:00:00Z",
        "ends_at": "2026-12-20T08:00:00Z"}));
    let words = pass_on.clone();
    let told = refused(&world, &lent(&world, "olga", "nils"), move |cx| {
        set_delegation::set_delegation(cx, &words)
    });
    assert!(told.contains("own_request"), "{told}");
    let told = refused(&world, &world.actor("olga"), move |cx| {
        set_delegation::set_delegation(cx, &pass_on)
    });
    assert_eq!(told, "", "what is her own she passes on herself");
    // With an account and a token of her own, the other one proposes it, and a third puts it in force.
    let dba = json!([{"login": "nils", "functions": ["dba"]}]);
    crate::by_two::by_two(
        &world,
        "kari",
        json!({"people": dba, "reason": "He looks after databases."}),
    );
}

fn propose(world: &World, actor: &Actor) {
    let template = body(json!({"key": "restart", "services": ["pay"], "locked": {"category": "application"}}));
    let told = refused(world, actor, move |cx| propose_template(cx, &template));
    assert_eq!(told, "");
}

fn approve(world: &World, actor: &Actor) -> String {
    refused(world, actor, |cx| approve_template(cx, "restart", &Map::new()))
}

fn template(world: &World) -> StandardTemplate {
    world
        .look(|cx| Ok(cx.directory()?.templates.get("restart").cloned().unwrap()))
        .unwrap()
}

#[test]
fn a_template_is_approved_by_two_hands_of_which_neither_proposed_it() {
    let world = world();
    // By the first passwords of new accounts, which nils set: a token would count for nobody here, see `voices`.
    let by_password = |login: &'static str| Actor {
        by_token: false,
        method: "password".to_owned(),
        ..lent(&world, login, "nils")
    };
    propose(&world, &world.actor("nils"));
    for login in ["mona", "olga"] {
        let told = approve(&world, &by_password(login));
        assert!(
            told.contains("one_hand") && told.contains("nils already took part"),
            "{told}"
        );
    }
    // A proposal through a credential that another person made is that person's as well.
    propose(&world, &lent(&world, "rita", "nils"));
    let told = approve(&world, &by_password("mona"));
    assert!(told.contains("one_hand"), "{told}");
    propose(&world, &world.actor("mona"));
    let told = approve(&world, &world.actor("mona"));
    assert!(told.contains("own_request"), "{told}");
    propose(&world, &world.actor("rita"));
    assert_eq!(approve(&world, &by_password("mona")), "");
    let told = approve(&world, &by_password("olga"));
    assert!(told.contains("one_hand"), "{told}");
    assert_eq!(template(&world).state, TemplateState::Proposed);
    assert_eq!(approve(&world, &world.actor("olga")), "");
    assert_eq!(template(&world).state, TemplateState::Approved);
    world.assert_replays();
}

#[test]
fn a_template_rests_on_nobody_who_could_not_approve_it_any_more() {
    let world = world();
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "carla", "roles": ["change_manager"]}))));
    propose(&world, &world.actor("rita"));
    assert_eq!(approve(&world, &world.actor("mona")), "");
    world.system(|cx| deactivate_person::deactivate_person(cx, "mona", &body(json!({"compromised": true}))));
    assert_eq!(approve(&world, &world.actor("olga")), "");
    let now = template(&world);
    assert_eq!((now.state, now.approvals.len()), (TemplateState::Proposed, 1));
    assert_eq!(approve(&world, &world.actor("carla")), "");
    assert_eq!(template(&world).state, TemplateState::Approved);
    // A person who lost the right meanwhile counts no more either.
    propose(&world, &world.actor("rita"));
    assert_eq!(approve(&world, &world.actor("carla")), "");
    world.system(|cx| set_person::edit_person(cx, "carla", &body(json!({"roles": ["requester"]}))));
    assert_eq!(approve(&world, &world.actor("olga")), "");
    let now = template(&world);
    assert_eq!(now.template_version, 1, "the new version goes on waiting");
    assert_eq!(now.next.map(|next| next.approvals.len()), Some(1));
    world.assert_replays();
}

#[test]
fn a_version_that_is_approved_stays_in_force_until_the_next_one_is() {
    let world = world();
    propose(&world, &world.actor("rita"));
    for login in ["mona", "olga"] {
        assert_eq!(approve(&world, &world.actor(login)), "");
    }
    propose(&world, &world.actor("rita"));
    let stands = |template: &StandardTemplate| (template.state, template.template_version);
    assert_eq!(stands(&template(&world)), (TemplateState::Approved, 1));
    assert_eq!(
        stands(template(&world).next.as_deref().unwrap()),
        (TemplateState::Proposed, 2)
    );
    // Proposed again, it is a version of its own; taken away, the one in force is as before.
    propose(&world, &world.actor("rita"));
    let why = body(json!({"reason": "Not this way", "template_version": 3}));
    let told = refused(&world, &world.actor("mona"), move |cx| {
        set_template::end_template(cx, "restart", &why, TemplateState::Retired)
    });
    assert_eq!(told, "");
    assert_eq!(stands(&template(&world)), (TemplateState::Approved, 1));
    assert_eq!(template(&world).proposed(), None);
    propose(&world, &world.actor("rita"));
    assert_eq!(approve(&world, &world.actor("mona")), "");
    assert_eq!(stands(&template(&world)), (TemplateState::Approved, 1));
    assert_eq!(approve(&world, &world.actor("olga")), "");
    assert_eq!(stands(&template(&world)), (TemplateState::Approved, 4));
    assert_eq!(template(&world).next, None);
    world.assert_replays();
}

#[test]
fn a_template_that_a_compromised_account_approved_is_suspended() {
    let world = world();
    propose(&world, &world.actor("rita"));
    for login in ["mona", "olga"] {
        assert_eq!(approve(&world, &world.actor(login)), "");
    }
    let end = |compromised: bool, login: &'static str| {
        let why = body(json!({"compromised": compromised}));
        world.system(move |cx| deactivate_person::deactivate_person(cx, login, &why).map(drop));
    };
    end(false, "mona");
    assert_eq!(
        template(&world).state,
        TemplateState::Approved,
        "who left has approved it"
    );
    end(true, "mona");
    let now = template(&world);
    assert_eq!(now.state, TemplateState::Suspended);
    assert!(now.ended_reason.unwrap().contains("compromised"));
    let found = world.look(|cx| Ok(record::find::<Message>(cx.tx, &Filter::new().order_by("id"))?));
    let told = found.unwrap().into_iter().map(|it| it.record);
    let mut told: Vec<_> = told
        .filter(|it| it.topic == "template_suspended")
        .map(|it| it.person)
        .collect();
    told.sort();
    let mut expected = vec![world.actor("rita").person, world.actor("olga").person];
    expected.sort();
    assert_eq!(told, expected);
    world.assert_replays();
}

fn set_workload(world: &World, by: &'static str, key: &'static str, person: &'static str) {
    let wanted = body(
        json!({"issuer": "https://ci.example", "meant_for": "assent", "person": person,
        "claims": {"repository": "acme/*"}}),
    );
    world.by(by, move |cx| {
        acts::identity::set_workload::set_workload(cx, key, &wanted).map(drop)
    });
}

fn workload(world: &World, key: &'static str) -> Workload {
    world
        .look(move |cx| acts::identity::set_workload::workload(cx, key))
        .unwrap()
}

#[test]
fn a_workload_ends_with_who_answers_for_it() {
    let world = world();
    set_workload(&world, "nils", "his", "olga");
    set_workload(&world, "kari", "hers", "olga");
    set_workload(&world, "kari", "for-him", "nils");
    let enter = |key: &'static str| {
        let told = crate::world::shown(json!({"repository": "acme/booking"}), key);
        refused(&world, &Actor::system(), move |cx| {
            acts::identity::set_workload::enter(cx, key, &told)
        })
    };
    assert_eq!(enter("his"), "");
    assert!(enter("his").contains("token_used"), "each is valid once");
    world.by("kari", |cx| {
        deactivate_person::deactivate_person(cx, "nils", &body(json!({"compromised": true}))).map(drop)
    });
    let active = ["his", "hers", "for-him"].map(|key| workload(&world, key).active);
    assert_eq!(active, [false, true, false]);
    assert!(enter("his").contains("not_trusted"));
    assert_eq!(enter("hers"), "");
    // One that was left behind lets nobody in either.
    let left = Workload {
        active: true,
        ..workload(&world, "his")
    };
    world.system(move |cx| cx.put_estate("workload.set", left.clone(), json!({})).map(drop));
    assert!(enter("his").contains("not_trusted"));
    world.assert_replays();
}

#[test]
fn a_role_that_a_review_refuses_takes_its_seat_along() {
    let world = world();
    world.by("kari", |cx| review_access::begin_review(cx, &body(json!({}))).map(drop));
    let sam = world.actor("sam").person;
    let part = world.look(|cx| {
        let filter = Filter::new().equals("is_open", true).order_by("id");
        Ok(record::find::<access_review::AccessReview>(cx.tx, &filter)?)
    });
    let parts = part.unwrap().into_iter().map(|it| it.record);
    let is_it =
        |right: &&access_review::HeldRight| right.person == sam && right.kind == "role" && right.what == "security";
    let (part, row) = parts
        .filter_map(|part| Some((part.clone(), part.rights.iter().find(is_it)?.row)))
        .next()
        .unwrap();
    let manager = Actor {
        person: part.manager.clone(),
        stepped_up_at: Some(world.executor.tools().clock.now()),
        ..world.actor("kari")
    };
    let sits = |world: &World| {
        let sam = world.actor("sam").person;
        let found = world.look(move |cx| Ok(cx.directory()?.groups_of(&sam).contains(&"security".into())));
        found.unwrap()
    };
    assert!(sits(&world));
    let refusal = body(json!({"refused": [row], "reason": "Moved on."}));
    let signed = refused(&world, &manager, move |cx| {
        review_access::sign_review(cx, part.id.as_str(), &refusal)
    });
    assert_eq!((signed.as_str(), sits(&world)), ("", false));
    world.assert_replays();
}

#[test]
fn a_directory_takes_no_address_from_who_runs_it_and_gives_none_that_is_an_alias() {
    let world = world();
    let nils = world.actor("nils").person;
    let told = |login: &str, mail: &str| provider::ProvisionedPerson {
        login: login.to_owned(),
        name: login.to_owned(),
        email: Some(mail.to_owned()),
        active: Some(true),
        ..Default::default()
    };
    let keep = |actor: &Actor, mail: &str| {
        let (nils, told) = (nils.clone(), told("nils", mail));
        refused(&world, actor, move |cx| {
            provision::replace_person(cx, nils.as_str(), &told)
        })
    };
    let marks = || {
        let found = world.look(|cx| Ok(cx.directory()?.by_login("nils").unwrap().clone()));
        let found = found.unwrap();
        (found.email.unwrap(), found.accounts)
    };
    // By another's account too: the token is of his making.
    assert_eq!(keep(&lent(&world, "kari", "nils"), "n@halden.example"), "");
    let alias = "mail:nils@halden.example".to_owned();
    assert_eq!(marks(), ("n@halden.example".to_owned(), vec![alias.clone()]));
    let dummy = told("dummy", "Nils@halden.example");
    let again = dummy.clone();
    let made = refused(&world, &world.actor("kari"), move |cx| {
        provision::create_person(cx, &dummy)
    });
    assert!(made.contains("not_unique"), "{made}");
    let made = refused(&world, &world.actor("kari"), move |cx| {
        let words = json!({"login": again.login, "email": again.email});
        set_person::create_person(cx, &body(words))
    });
    assert!(made.contains("not_unique"), "{made}");
    // Another directory's entry of him is accepted; and his own, sent back, is.
    assert_eq!(keep(&world.actor("kari"), "nb@halden.example"), "");
    assert_eq!(marks(), ("nb@halden.example".to_owned(), vec![alias]));
    assert_eq!(keep(&world.actor("nils"), "nils@halden.example"), "");
    assert_eq!(marks().0, "nils@halden.example");
    world.assert_replays();
}

/// The valid decisions on a change: by whom, and their states.
fn decisions(world: &World, key: &str) -> Vec<(String, ApprovalState)> {
    let key = key.to_owned();
    let found = world.look(move |cx| {
        let (file, directory) = (cx.file(&key)?, cx.directory()?);
        let rows = file.approvals.iter();
        Ok(rows
            .map(|it| (directory.login(&it.person), it.state))
            .collect::<Vec<_>>())
    });
    found.unwrap()
}

fn compromised(world: &World, login: &'static str) {
    world.system(move |cx| {
        let words = body(json!({"compromised": true, "reason": "Stolen."}));
        deactivate_person::deactivate_person(cx, login, &words).map(drop)
    });
}

#[test]
fn what_a_compromised_account_said_by_anothers_way_in_falls_with_it() {
    let world = World::new();
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "ada", "roles": ["admin"]}))).map(drop));
    let key = world.draft("Move booking to 4.2");
    let k = key.clone();
    world.by("rita", move |cx| {
        acts::change::verbs::submit_change(cx, &k)?;
        acts::change::verbs::assess_change(cx, &k, &body(json!({"dependencies_reviewed": true})))
    });
    for (login, actor) in [("olga", Some("ada")), ("sam", None), ("mona", None)] {
        let actor = actor.map_or_else(|| world.actor(login), |maker| lent(&world, login, maker));
        let k = key.clone();
        let approve = move |cx: &mut Context<'_, '_>| {
            let digest = cx.change(&k)?.digests.content;
            let words = body(json!({"decision": "approve", "content_digest": digest}));
            acts::approval::verbs::approve_change(cx, &k, &words)
        };
        assert_eq!(refused(&world, &actor, approve), "", "{login}");
    }
    let k = key.clone();
    let state = |k: String| world.look(move |cx| Ok(cx.change(&k)?.state)).unwrap();
    assert_eq!(state(k.clone()), State::Scheduled);
    compromised(&world, "ada");
    let rows = decisions(&world, &key);
    assert_eq!(
        rows,
        [
            ("olga".to_owned(), ApprovalState::Voided),
            ("sam".to_owned(), ApprovalState::Standing),
            ("mona".to_owned(), ApprovalState::Standing)
        ]
    );
    assert_ne!(state(k), State::Scheduled);
    world.assert_replays();
}

#[test]
fn what_a_compromised_account_accepted_or_found_to_be_so_is_open_again() {
    let world = World::new();
    let key = world.scheduled("Move booking to 4.2");
    let k = key.clone();
    world.by("rita", move |cx| {
        let failed = json!({"kind": "note", "aspect": "functional", "result": "failed", "environment": "staging",
            "artifact": ARTIFACT, "text": "One of three fails."});
        let file = around::StoredFile {
            digest: proof::crypto::digest_text(b"One of three fails."),
            size: 19,
            media_type: "text/plain".into(),
            reading: None,
        };
        add_evidence::add_evidence(cx, &k, &body(failed), &file)
    });
    let k = key.clone();
    world.by("sam", move |cx| {
        let digest = cx.change(&k)?.digests.content;
        let conditions = json!([{"text": "A backup is there", "due": "close", "checker": "olga"}]);
        let words = json!({"decision": "approve_with_conditions", "content_digest": digest, "conditions": conditions});
        acts::approval::verbs::approve_change(cx, &k, &body(words))
    });
    let k = key.clone();
    world.by("olga", move |cx| {
        let file = cx.file(&k)?;
        let (evidence, condition) = (file.evidence[0].id.clone(), file.conditions[0].id.clone());
        acts::change::verbs::accept_evidence(cx, &k, &evidence, &body(json!({"reason": "A test of old times."})))?;
        acts::change::verbs::meet_condition(cx, &k, &condition, &body(json!({"text": "I saw it."})))
    });
    let said = |k: String| {
        let found = world.look(move |cx| {
            let file = cx.file(&k)?;
            Ok((file.evidence[0].accepted.is_some(), file.conditions[0].met.is_some()))
        });
        found.unwrap()
    };
    assert_eq!(said(key.clone()), (true, true));
    compromised(&world, "olga");
    assert_eq!(said(key), (false, false));
    world.assert_replays();
}

#[test]
fn a_template_goes_forward_and_never_back() {
    let world = world();
    let template = |key: &str| {
        let words = json!({
            "key": key, "title": "Deploy", "services": ["pay"], "environments": ["production"], "free": [],
            "locked": {
                "category": "application", "complexity": "low", "description": "Deploy what was built.",
                "justification": "It is tested.", "plan": [{"title": "Deploy", "minutes": 3}],
                "rollback_plan": [{"title": "Deploy the old one", "minutes": 5}],
            },
        });
        world.by("rita", move |cx| {
            set_template::propose_template(cx, &body(words.clone())).map(drop)
        });
    };
    let moved = |key: &'static str, to: enums::TemplateState| {
        let why = body(json!({"reason": "Not like this."}));
        refused(&world, &world.actor("mona"), move |cx| {
            set_template::end_template(cx, key, &why, to)
        })
    };
    use model::core::enums::TemplateState::{Retired, Suspended};
    template("one");
    assert!(moved("one", Suspended).contains("not_in_state"), "nobody approved it");
    assert_eq!(moved("one", Retired), "", "a proposal is taken back");
    assert!(moved("one", Suspended).contains("not_in_state"));
    assert!(moved("one", Retired).contains("not_in_state"));
    template("two");
    for login in ["olga", "mona"] {
        world.by(login, |cx| {
            set_template::approve_template(cx, "two", &body(json!({}))).map(drop)
        });
    }
    assert_eq!(moved("two", Suspended), "");
    assert!(moved("two", Suspended).contains("not_in_state"));
    assert_eq!(moved("two", Retired), "");
}

#[test]
fn whoever_answers_for_a_workload_that_lets_in_anybody_is_told_once() {
    let world = world();
    set_workload(&world, "kari", "narrow", "olga");
    set_workload(&world, "kari", "open", "olga");
    let letters = || {
        let found = world.look(|cx| {
            Ok(record::find::<related_records::Message>(
                cx.tx,
                &Filter::new().order_by("id"),
            )?)
        });
        let about = |it: &related_records::Message| it.subject == "A workload accepts jobs of anyone";
        found.unwrap().into_iter().map(|it| it.record).filter(about).count()
    };
    crate::reviewing::work(&world);
    assert_eq!(letters(), 0, "both say whose jobs they let in");
    // As a version before wrote it: any repository of a platform on which everybody may have one.
    let old = Workload {
        issuer: "https://gitlab.com".to_owned(),
        claims: [("ref_protected".to_owned(), ["true".to_owned()].into())].into(),
        ..workload(&world, "open")
    };
    world.system(move |cx| cx.put_estate("workload.set", old.clone(), json!({})).map(drop));
    let doubted = world.look(audit_workload_trust::doubted).unwrap();
    assert_eq!(doubted.iter().map(|it| it.key.as_str()).collect::<Vec<_>>(), ["open"]);
    crate::reviewing::work(&world);
    assert_eq!(letters(), 1);
    assert!(workload(&world, "open").doubted_at.is_some());
    crate::reviewing::work(&world);
    assert_eq!(letters(), 1, "once");
    let told = crate::world::shown(json!({"ref_protected": "true"}), "one");
    world.system(move |cx| acts::identity::set_workload::enter(cx, "open", &told).map(drop));
    // Set anew it must name the jobs that it lets in, and is in doubt no more.
    set_workload(&world, "kari", "open", "olga");
    assert_eq!(workload(&world, "open").doubted_at, None);
    assert!(world.look(audit_workload_trust::doubted).unwrap().is_empty());
    world.assert_replays();
}
