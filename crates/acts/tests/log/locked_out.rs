//! A set that shuts everybody out does not go in force: its rule is reported by file and line, with the missing right and the
//! remedy.

use acts::directory::set_person::{self, edit_person};
use acts::directory::set_service;
use acts::policy::activate_configuration::activate_configuration;
use acts::policy::propose_configuration::propose_policies;
use acts::policy::try_policies;
use model::core::refusal::{FieldError, Refusal};
use serde_json::{Value, json};

use crate::configuring::{ASKED, CASES, attempt, digest_in_force, proposed, refusal, strict, world};
use crate::world::{World, body};

fn sox() -> Value {
    json!({"packs": ["sox"], "reason": "The ledger is audited."})
}

/// The place of a pack's rule: its file and line.
fn place(pack: &str, rule: &str) -> String {
    let files = policy::pack(pack).unwrap().files;
    let file = files.iter().find(|file| file.name.ends_with(".cedar")).unwrap();
    let line = file.text.lines().position(|line| line == format!("@id(\"{rule}\")"));
    format!("{}:{}", file.name, line.unwrap() + 1)
}

/// A world with two owners, whose one service is under a regime.
fn audited(regime: &'static str) -> World {
    let world = world();
    world.system(move |cx| {
        set_person::create_person(cx, &body(json!({"login": "otto", "roles": ["owner"]})))?;
        set_service::set_ownership(cx, &body(json!({"role": "owner", "person": "otto"})))?;
        set_service::set_service(cx, &body(json!({"key": "pay", "regimes": [regime]}))).map(drop)
    });
    world
}

fn errors<T: std::fmt::Debug>(answer: acts::Result<T>) -> Vec<FieldError> {
    match refusal(answer) {
        Refusal::Invalid(errors) => errors,
        other => panic!("{other:?}"),
    }
}

fn functions(world: &World, login: &'static str, words: &'static [&'static str]) {
    world.system(move |cx| edit_person(cx, login, &body(json!({"functions": words}))).map(drop));
}

#[test]
fn a_pack_whose_job_function_nobody_has_is_refused_by_its_line_until_somebody_has_it() {
    let world = audited("sox");
    let before = digest_in_force(&world);
    let told = errors(attempt(&world, "ada", |cx| propose_policies(cx, &body(sox()))));
    let [rule] = told.as_slice() else { panic!("{told:#?}") };
    assert_eq!(
        (rule.field.as_str(), rule.code.as_str()),
        (place("sox", "sox.act.create_function").as_str(), "nobody_can")
    );
    for part in [
        "Nobody can meet `sox.act.create_function`: of those who could create a change of pay in production, nobody has the job \
         function engineering, operations, database or security.",
        "give it to somebody first, for example `PATCH /people/",
        "` with `{\"functions\":[\"engineering\"]}`",
    ] {
        assert!(rule.text.contains(part), "{part} is missing in {}", rule.text);
    }
    let trial = attempt(&world, "ada", |cx| {
        try_policies::try_policies(cx, &body(json!({"packs": ["sox"]})))
    });
    let unmeetable = trial.unwrap().unmeetable;
    assert_eq!((unmeetable.len(), &unmeetable[0].text), (1, &rule.text));
    // An auditor who builds nothing is not among the possible people.
    world.system(|cx| {
        let aino = json!({"login": "aino", "roles": ["auditor"], "functions": ["engineering"]});
        set_person::create_person(cx, &body(aino)).map(drop)
    });
    errors(attempt(&world, "ada", |cx| propose_policies(cx, &body(sox()))));
    functions(&world, "rita", &["engineering"]);
    let id = proposed(&world, sox()).id.0;
    functions(&world, "rita", &[]);
    let again = id.clone();
    let late = errors(attempt(&world, "adam", move |cx| {
        activate_configuration(cx, &again, &body(json!({})))
    }));
    assert_eq!(late[0].field, rule.field, "who had it has it no more");
    assert_eq!(digest_in_force(&world), before);
    functions(&world, "rita", &["engineering"]);
    world.by("adam", move |cx| activate_configuration(cx, &id, &body(json!({}))));
    assert_ne!(digest_in_force(&world), before);
    world.draft_of("Move booking to 4.2", "git:0ee5e5e");
}

#[test]
fn a_training_that_nobody_has_is_told_with_the_command_that_gives_it() {
    let world = audited("pci_dss");
    let told = errors(attempt(&world, "ada", |cx| {
        propose_policies(cx, &body(json!({"packs": ["pci"], "reason": "Cards."})))
    }));
    let create = told
        .iter()
        .find(|it| it.field == place("pci", "pci.act.create_untrained"));
    let create = create.unwrap_or_else(|| panic!("{told:#?}"));
    assert!(
        create.text.contains("nobody has a valid training pci_dss"),
        "{}",
        create.text
    );
    assert!(
        create.text.contains("`assent person train ") && create.text.contains(" pci_dss --until 2027-"),
        "{}",
        create.text
    );
}

#[test]
fn a_pack_about_nothing_here_shuts_nobody_out() {
    let world = audited("hipaa");
    proposed(&world, sox());
}

#[test]
fn a_rule_without_a_case_is_told_with_an_example_and_beside_what_else_is_wrong_with_it() {
    let world = world();
    let mut wanted = strict();
    wanted["files"][0]["content"] = json!(
        "@id(\"house.require.more\")\n@reason(\"x\")\n@require(\"approval\")\n@from(\"owner\")\n@count(\"20\")\n@covers(\"what\")\n\
         permit (principal, action == Action::\"require\", resource)\nwhen { resource.category == Category::\"facility\" };\n"
    );
    wanted["cases"][0]["content"] = json!(
        CASES
            .replace(&format!("    {ASKED}\n"), "")
            .replace("category facility, ", "")
    );
    let told = errors(attempt(&world, "ada", move |cx| {
        propose_policies(cx, &body(wanted.clone()))
    }));
    let of = |code: &str| {
        let found = told.iter().find(|it| it.code == code);
        found.unwrap_or_else(|| panic!("{told:#?}")).text.clone()
    };
    assert!(of("nobody_can").contains("it asks 20 of the owners of any one service"));
    let silent = of("never_decides");
    for part in [
        "`house/cases/house.cases`",
        "for example `case ",
        "`requires`",
        "`house.require.more`",
    ] {
        assert!(silent.contains(part), "{part} is missing in {silent}");
    }
}
