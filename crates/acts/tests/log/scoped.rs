//! A person scoped to services sees these and the records wholly inside; all else is absent, and nothing is brought outside.

use acts::change::{create_change, edit_change, verbs};
use acts::directory::{set_person, set_service};
use acts::report::find_changes::{ChangeFilter, count_changes, find_changes};
use model::change::change_file::{Actor, Lent};
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

fn tried(
    world: &World,
    actor: &Actor,
    mode: Mode,
    act: impl Fn(&mut acts::Context<'_, '_>) -> acts::Result<()> + Send + 'static,
) -> String {
    let done = world.executor.wait(Lane::Acts, TENANT, actor.clone(), mode, act);
    done.err().map(|error| format!("{error:?}")).unwrap_or_default()
}

fn draft(world: &World, targets: &[&str]) -> String {
    let targets: Vec<Value> = targets
        .iter()
        .map(|key| json!({"service": key, "environment": "production"}))
        .collect();
    let words = json!({
        "title": "Move it", "description": "d", "justification": "j", "complexity": "low", "targets": targets,
        "planned_start": "2026-11-20T10:00:00Z", "planned_end": "2026-11-20T12:00:00Z",
    });
    world.by("rita", move |cx| {
        create_change::create_change(cx, &body(words.clone()), &[])
    })
}

fn world() -> World {
    let world = World::new();
    world.system(|cx| {
        for key in ["disk", "shop"] {
            set_service::set_service(cx, &body(json!({"key": key, "criticality": "low"})))?;
        }
        let vendor = json!({"login": "vic", "roles": ["vendor", "implementer"], "services": ["disk"]});
        set_person::create_person(cx, &body(vendor)).map(drop)
    });
    world
}

#[test]
fn a_scoped_person_reads_lists_and_counts_what_is_inside_alone() {
    let world = world();
    let (inside, outside, both) = (
        draft(&world, &["disk"]),
        draft(&world, &["shop"]),
        draft(&world, &["disk", "shop"]),
    );
    let vic = world.actor("vic");
    let found = world.executor.wait(Lane::Pages, TENANT, vic.clone(), Mode::Read, |cx| {
        let all = ChangeFilter::default();
        let rows = find_changes(cx, &all, 50, None)?.rows;
        let keys: Vec<String> = rows.into_iter().map(|(row, _)| row.key).collect();
        let words = ChangeFilter {
            q: Some("move".to_owned()),
            ..ChangeFilter::default()
        };
        let found = find_changes(cx, &words, 50, None)?.rows.len();
        let count = count_changes(cx, &all, 100, None)?;
        let services: Vec<String> = cx.visible()?.services.keys().map(ToString::to_string).collect();
        Ok((keys, found, (count.found, count.is_whole), services))
    });
    let (keys, found, count, services) = found.unwrap();
    assert_eq!((keys, found, count), (vec![inside.clone()], 1, (1, true)));
    assert_eq!(services, ["disk"]);
    for key in [outside, both] {
        for mode in [Mode::Read, Mode::Write] {
            let k = key.clone();
            let answer = tried(&world, &vic, mode, move |cx| cx.change(&k).map(drop));
            assert!(answer.contains("NotFound"), "{answer}");
        }
        let k = key.clone();
        let answer = tried(&world, &vic, Mode::Write, move |cx| {
            verbs::comment_change(cx, &k, &body(json!({"text": "Hello"}))).map(drop)
        });
        assert!(answer.contains("NotFound"), "{answer}");
    }
    let k = inside.clone();
    assert_eq!(tried(&world, &vic, Mode::Read, move |cx| cx.change(&k).map(drop)), "");
    // With the right to set services as well, records of the whole tenant are not theirs.
    world.system(|cx| {
        let roles = body(json!({"roles": ["vendor", "admin"]}));
        set_person::edit_person(cx, "vic", &roles).map(drop)
    });
    let answer = tried(&world, &world.actor("vic"), Mode::Write, |cx| {
        set_service::set_service(cx, &body(json!({"key": "mine"}))).map(drop)
    });
    assert!(answer.contains("scoped_to_services"), "{answer}");
}

#[test]
fn a_scoped_token_narrows_its_person_and_brings_no_change_outside() {
    let world = world();
    let outside = draft(&world, &["shop"]);
    let mut rita = world.actor("rita");
    rita.by_token = true;
    rita.lent = Some(Lent {
        maker: rita.person.clone(),
        roles: None,
        services: Some(["disk".into()].into_iter().collect()),
    });
    let answer = tried(&world, &rita, Mode::Read, move |cx| cx.change(&outside).map(drop));
    assert!(answer.contains("NotFound"), "{answer}");
    let words = json!({"title": "New", "targets": [{"service": "shop", "environment": "production"}]});
    let answer = tried(&world, &rita, Mode::Write, move |cx| {
        create_change::create_change(cx, &body(words.clone()), &[]).map(drop)
    });
    assert!(answer.contains("Invalid"), "{answer}");
    let own = draft(&world, &["disk"]);
    let k = own.clone();
    let away = json!({"targets": [{"service": "shop", "environment": "production"}]});
    let answer = tried(&world, &rita, Mode::Write, move |cx| {
        edit_change::edit_change(cx, &k, &body(away.clone())).map(drop)
    });
    assert!(answer.contains("Invalid"), "{answer}");
    let k = own.clone();
    let answer = tried(&world, &rita, Mode::Write, move |cx| {
        edit_change::edit_change(cx, &k, &body(json!({"title": "Inside"}))).map(drop)
    });
    assert_eq!(answer, "");
}

#[test]
fn what_follows_from_an_act_is_not_bound_by_the_scope_of_who_did_it() {
    let world = world();
    let (first, second) = (draft(&world, &["disk"]), draft(&world, &["shop"]));
    let (from, to) = (second.clone(), first.clone());
    world.by("rita", move |cx| {
        let words = json!({"kind": "depends_on", "to": to});
        acts::change::link_change::link_change(cx, &from, &body(words)).map(drop)
    });
    let mut rita = world.actor("rita");
    rita.lent = Some(Lent {
        maker: rita.person.clone(),
        roles: None,
        services: Some(["disk".into()].into_iter().collect()),
    });
    let answer = tried(&world, &rita, Mode::Write, move |cx| {
        verbs::cancel_change(cx, &first, &body(json!({"reason": "No need"}))).map(drop)
    });
    assert_eq!(answer, "");
    let rows = world.look(move |cx| cx.ahead(&second)).unwrap();
    let told: Vec<&str> = rows
        .iter()
        .filter(|row| row.unmet.code == "dependency_open")
        .map(|row| row.unmet.text.as_str())
        .collect();
    assert!(matches!(told[..], [text] if text.contains("cancelled")), "{rows:?}");
}

#[test]
fn incidents_of_security_and_those_without_services_are_outside_of_every_scope() {
    let world = world();
    let known = [
        json!({"title": "Inside", "services": ["disk"]}),
        json!({"title": "Outside", "services": ["shop"]}),
        json!({"title": "Anywhere"}),
        json!({"title": "Breach", "severity": 1, "services": ["disk"], "kind": "security"}),
    ];
    for incident in known {
        world.system(move |cx| acts::incident::set_incident::open_incident(cx, &body(incident.clone())).map(drop));
    }
    let vic = world.actor("vic");
    let seen = world.executor.wait(Lane::Pages, TENANT, vic, Mode::Read, |cx| {
        let directory = cx.visible()?;
        let titles: Vec<String> = directory.incidents.values().map(|it| it.title.clone()).collect();
        let freezes: Vec<String> = directory.freezes.iter().map(|it| it.title.clone()).collect();
        Ok((titles, freezes))
    });
    let (titles, freezes) = seen.unwrap();
    assert_eq!(titles, ["Inside"]);
    assert!(
        !freezes.is_empty() && freezes.iter().all(|title| !title.contains("Breach")),
        "{freezes:?}"
    );
}
