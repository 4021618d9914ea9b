//! Facts by which changes are judged are lowered by two people: criticality, regimes, the content of a thing, its place.

use acts::directory::import_directory::{Options, import_directory};
use acts::directory::set_service::{end_dependency, set_config_item, set_dependency, set_service};
use acts::policy::propose_ownership::import_and_propose;
use model::core::enums::Noun;
use model::core::refusal::Refusal;
use serde_json::{Value, json};

use crate::by_two::{activate, alone, attempt, by_two, code, lines};
use crate::two_people::dependency;
use crate::world::{World, body};

/// One administrator alone is refused, manually and by a file.
fn refused_to_one(world: &World, noun: Noun, fact: Value) {
    let words = fact.clone();
    let by_hand = attempt(world, "ada", move |cx| match noun {
        Noun::Services => set_service(cx, &body(words.clone())).map(drop),
        Noun::ConfigItems => set_config_item(cx, &body(words.clone())).map(drop),
        _ => set_dependency(cx, &body(words.clone())).map(drop),
    });
    assert_eq!(code(by_hand), "two_people_needed", "{fact}");
    let rows = lines(&[(noun, fact.clone())]);
    let by_file = attempt(world, "ada", move |cx| {
        import_directory(cx, &rows, Options::default()).map(drop)
    });
    assert_eq!(code(by_file), "two_people_needed", "{fact} by a file");
}

/// Also where one person may give approval rights, and one administrator is alone: a second person could put it in force, so
/// nobody lowers alone the facts by which changes are judged.
#[test]
fn nobody_lowers_the_facts_of_a_thing_alone() {
    let world = alone();
    world.system(|cx| {
        let mut tenant = cx.directory()?.tenant.clone().unwrap();
        tenant.ownership_by_two = false;
        cx.put_estate("tenant.edited", tenant, json!({}))?;
        let vault = json!({"key": "vault", "criticality": "high", "regimes": ["sox"], "holds": ["crypto_keys"]});
        set_service(cx, &body(vault))?;
        set_config_item(
            cx,
            &body(json!({"key": "ring", "service": "vault", "holds": ["crypto_keys"]})),
        )
        .map(drop)
    });
    let arrow = world.system(|cx| Ok(set_dependency(cx, &body(json!({"from": "vault", "to": "pay"})))?.id.0));
    let lowered = [
        (Noun::Services, json!({"key": "vault", "criticality": "low"})),
        (Noun::Services, json!({"key": "vault", "regimes": []})),
        (Noun::Services, json!({"key": "vault", "holds": []})),
        (Noun::ConfigItems, json!({"key": "ring", "holds": []})),
        (Noun::ConfigItems, json!({"key": "ring", "service": "pay"})),
        (
            Noun::Dependencies,
            json!({"from": "vault", "to": "pay", "kind": "part_of"}),
        ),
    ];
    for (noun, fact) in lowered {
        refused_to_one(&world, noun, fact);
    }
    let id = arrow.clone();
    let ended = attempt(&world, "ada", move |cx| end_dependency(cx, &id).map(drop));
    let Err(Refusal::NotNow { unmet, .. }) = &ended else {
        panic!("{ended:?}");
    };
    assert_eq!(unmet[0].waiting_on, ["mona"]);
    // They take back their own statement of today.
    let own = dependency(&world, "ada", json!({"from": "pay", "to": "vault"})).unwrap();
    attempt(&world, "ada", move |cx| end_dependency(cx, &own).map(drop)).unwrap();
    // By two it goes, also by a file.
    by_two(
        &world,
        "ada",
        json!({"services": [{"key": "vault", "holds": []}], "end_dependencies": [arrow], "reason": "It moved."}),
    );
    let rows = lines(&[(Noun::Services, json!({"key": "vault", "criticality": "low"}))]);
    let proposal = attempt(&world, "ada", move |cx| {
        Ok(
            import_and_propose(cx, &rows, Options::default(), "As measured.".to_owned())?
                .1
                .unwrap()
                .id
                .0,
        )
    });
    activate(&world, "mona", &proposal.unwrap()).unwrap();
    let kept = world.look(|cx| {
        let directory = cx.directory()?;
        let service = directory.services.get(&"vault".into()).unwrap();
        Ok((service.criticality.as_str().to_owned(), service.holds.len()))
    });
    assert_eq!(kept.unwrap(), ("low".to_owned(), 0));
    world.sequence();
    world.assert_replays();
}
