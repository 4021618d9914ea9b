//! Credentials that nobody opens to themselves or by silence: passwords, tokens, the provisioning directory.

use acts::Context;
use acts::cab::{on_call, training};
use acts::change::set_template;
use acts::directory::{deactivate_person, import_directory, provision, set_person};
use acts::identity::{set_token, set_workload};
use model::change::change_file::{self, Actor};
use model::core::enums::{self, Noun};
use model::identity::provider::{self, ProvisionedGroup, ProvisionedPerson};
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

/// The refusal of a person's act; empty when it is done.
fn refused_by<T: Send + 'static>(
    world: &World,
    actor: Actor,
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> String {
    let done = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act);
    done.map_or_else(|error| format!("{error:?}"), |_| String::new())
}

fn make(world: &World, login: &'static str, role: &'static str) {
    world.system(move |cx| set_person::create_person(cx, &body(json!({"login": login, "roles": [role]}))).map(drop));
}

/// A password is a factor: setting it without one would make the factor that grave acts require.
#[test]
fn a_name_is_one_line_by_whatever_door_it_comes() {
    let world = World::new();
    let name = "Ada\r\nOlga\tBerg \u{202E}approved\u{200B} it\u{2028}now";
    let told = provider::ProvisionedPerson {
        login: "nora".to_owned(),
        name: name.to_owned(),
        ..Default::default()
    };
    world.system(move |cx| {
        let ada = body(json!({"login": "ada", "name": name}));
        set_person::create_person(cx, &ada)?;
        provision::create_person(cx, &told)?;
        set_person::edit_person(cx, "rita", &body(json!({"name": name})))?;
        let line = import_directory::Line {
            number: 1,
            is_row: false,
            noun: enums::Noun::People,
            fields: body(json!({"login": "ivo", "name": name})),
        };
        import_directory::import_directory(cx, &[line], Default::default()).map(drop)
    });
    for login in ["ada", "nora", "rita", "ivo"] {
        let found = world.look(move |cx| Ok(cx.directory()?.by_login(login).unwrap().name.clone()));
        assert_eq!(found.unwrap(), "Ada Olga Berg approved it now", "{login}");
    }
    world.assert_replays();
}

#[test]
fn a_training_or_a_time_on_call_that_is_said_again_is_there_once() {
    let world = World::new();
    let span = json!({"person": "sam", "starts_at": "2026-11-20T08:00:00Z", "ends_at": "2026-12-20T08:00:00Z"});
    let with = |field: &str, value: &str| {
        let mut span = span.clone();
        span[field] = json!(value);
        body(span)
    };
    for _ in 0..2 {
        let (training, on_call) = (with("training", "pci_dss"), with("group", "security"));
        world.system(move |cx| {
            training::set_training(cx, &training)?;
            on_call::set_on_call(cx, &on_call).map(drop)
        });
    }
    let counts = world.look(|cx| {
        let directory = cx.directory()?;
        Ok((directory.trainings.iter().count(), directory.on_call.iter().count()))
    });
    assert_eq!(counts.unwrap(), (1, 1));
    world.system(|cx| deactivate_person::deactivate_person(cx, "ivo", &body(json!({}))).map(drop));
    let mut gone = with("training", "pci_dss");
    gone.insert("person".to_owned(), json!("ivo"));
    let actor = change_file::Actor::system();
    let told = refused_by(&world, actor, move |cx| training::set_training(cx, &gone));
    assert!(told.contains("inactive"), "{told}");
}

#[test]
fn nobody_sets_their_own_password_without_a_fresh_factor() {
    let world = World::new();
    make(&world, "adam", "admin");
    let set = |actor: Actor, login: &'static str| {
        refused_by(&world, actor, move |cx| set_person::set_password(cx, login, "phc"))
    };
    let by_token = Actor {
        by_token: true,
        ..world.actor("rita")
    };
    assert!(set(by_token, "rita").contains("step_up_required"));
    assert!(set(world.actor("rita"), "rita").contains("step_up_required"));
    assert!(
        set(world.actor("adam"), "adam").contains("step_up_required"),
        "an administrator's own, too"
    );
    let fresh = Actor {
        stepped_up_at: Some(world.executor.tools().clock.now()),
        ..world.actor("rita")
    };
    assert_eq!(set(fresh, "rita"), "");
    assert!(set(world.actor("rita"), "adam").contains("not_allowed"));
    assert_eq!(
        set(world.actor("adam"), "rita"),
        "",
        "another's is an administrator's to set"
    );
    // Where the present one was shown, the route has checked it.
    assert_eq!(
        refused_by(&world, world.actor("rita"), |cx| {
            set_person::change_password(cx, "phc")
        }),
        ""
    );
    world.assert_replays();
}

#[test]
fn whoever_was_deactivated_comes_back_by_a_word_and_never_by_silence() {
    let world = World::new();
    let id = world.actor("rita").person.0;
    let tell = |active: Option<bool>, mail: Option<&'static str>| {
        let id = id.clone();
        let told = ProvisionedPerson {
            login: "rita".to_owned(),
            name: "Rita".to_owned(),
            email: mail.map(str::to_owned),
            active,
            ..ProvisionedPerson::default()
        };
        let act = move |cx: &mut Context<'_, '_>| provision::replace_person(cx, &id, &told);
        world
            .executor
            .wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, act)
    };
    assert!(!tell(Some(false), None).unwrap().active);
    assert!(!tell(None, None).unwrap().active, "what is not said stays");
    assert!(tell(Some(true), None).unwrap().active);
    let wrong = tell(None, Some("rita@acme.example\r\nBcc: eve@evil.example"));
    assert!(format!("{:?}", wrong.unwrap_err()).contains("not_an_address"));
    assert!(tell(None, Some("rita@acme.example")).unwrap().active);
    world.assert_replays();
}

#[test]
fn a_group_is_not_renamed_to_another_one() {
    let world = World::new();
    let told = |name: &str| ProvisionedGroup {
        name: name.to_owned(),
        ..ProvisionedGroup::default()
    };
    let night = told("Night Shift");
    world.system(move |cx| provision::create_group(cx, &night).map(drop));
    let day = told("Day Shift");
    let id = world.system(move |cx| Ok(provision::create_group(cx, &day)?.id.0));
    let rename = |name: &str| {
        let (id, told) = (id.clone(), told(name));
        refused_by(&world, Actor::system(), move |cx| {
            provision::replace_group(cx, &id, &told)
        })
    };
    assert!(rename("night  SHIFT").contains("not_unique"));
    assert_eq!(rename("DAY shift"), "", "its own name in other letters");
    assert_eq!(rename("Early Shift"), "");
}

#[test]
fn what_names_nobody_nothing_or_no_field_is_refused() {
    let world = World::new();
    make(&world, "adam", "admin");
    let token = |asked: Value| {
        let asked = body(asked);
        refused_by(&world, world.actor("adam"), move |cx| {
            set_token::create_token(cx, &asked)
        })
    };
    assert!(
        token(json!({"name": "x", "scopes": []})).contains("missing"),
        "an empty list is no default"
    );
    assert_eq!(token(json!({"name": "x", "person": "rita"})), "");
    let end = body(json!({"reason": "Left"}));
    world.system(move |cx| deactivate_person::deactivate_person(cx, "rita", &end).map(drop));
    assert!(token(json!({"name": "x", "person": "rita"})).contains("inactive"));
    let workload = |active: bool| {
        let asked = body(
            json!({"issuer": "https://ci.example", "meant_for": "assent", "person": "rita",
            "claims": {"repository": "acme/*"}, "active": active}),
        );
        refused_by(&world, world.actor("adam"), move |cx| {
            set_workload::set_workload(cx, "jobs", &asked)
        })
    };
    assert!(workload(true).contains("inactive"));
    assert_eq!(workload(false), "", "one that lets nobody in may name who has left");
    let mail = body(json!({"login": "x", "email": "x@acme.example\nBcc: eve@evil.example"}));
    let mail = refused_by(&world, world.actor("adam"), move |cx| {
        set_person::create_person(cx, &mail)
    });
    assert!(mail.contains("control_character"), "{mail}");
    let group = body(json!({"key": "day", "members": []}));
    let group = refused_by(&world, world.actor("adam"), move |cx| {
        set_person::set_group(cx, "night", &group)
    });
    assert!(group.contains("not_allowed"), "{group}");
    let asked = body(json!({"key": "t", "free": ["titel"], "review_by": "2001-01-01T00:00:00Z"}));
    let template = refused_by(&world, world.actor("mona"), move |cx| {
        set_template::propose_template(cx, &asked)
    });
    assert!(
        template.contains("unknown_field") && template.contains("in_the_past"),
        "{template}"
    );
    let asked = body(json!({"key": "t", "free": ["title", "planned_start"]}));
    let template = refused_by(&world, world.actor("mona"), move |cx| {
        set_template::propose_template(cx, &asked)
    });
    assert_eq!(template, "");
}

#[test]
fn whoever_a_file_makes_member_of_a_group_joins_those_in_it() {
    let world = World::new();
    make(&world, "adam", "admin");
    let night = body(json!({"members": ["rita"]}));
    world.by("adam", move |cx| set_person::set_group(cx, "night", &night).map(drop));
    let join = || {
        let lines = [
            (Noun::People, json!({"login": "otto", "roles": ["requester"]})),
            (Noun::Groups, json!({"key": "night", "joins": ["otto"]})),
        ];
        let lines = lines.map(|(noun, fields)| import_directory::Line {
            number: 1,
            is_row: false,
            noun,
            fields: body(fields),
        });
        world.by("adam", move |cx| {
            let options = import_directory::Options::default();
            import_directory::import_directory(cx, &lines, options).map(|report| report.rows.len())
        })
    };
    assert_eq!(join(), 2);
    let members = world.look(|cx| {
        let directory = cx.directory()?;
        let mut found: Vec<String> = directory
            .members(&"night".into())
            .iter()
            .map(|it| directory.login(it))
            .collect();
        found.sort();
        Ok(found)
    });
    assert_eq!(members.unwrap(), ["otto", "rita"]);
    assert_eq!(join(), 0, "again it is no change");
}
