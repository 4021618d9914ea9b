//! Tests: the search finds the open path in sets that have one, and finds nothing in the sets of the program.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use model::core::enums::Kind;
use policy::{PolicySet, SourceFile};

use super::{CLEAN, Story, check_histories, search_histories};
use crate::case::judge;

/// Every name is taken to exist.
struct AnyName;

impl policy::Directory for AnyName {
    fn group_exists(&self, _: &str) -> bool {
        true
    }
    fn person_exists(&self, _: &str) -> bool {
        true
    }
    fn service_exists(&self, _: &str) -> bool {
        true
    }
    fn environment_exists(&self, _: &str) -> bool {
        true
    }
}

fn compile(files: &[SourceFile]) -> PolicySet {
    compile_with(files, "")
}

fn compile_with(files: &[SourceFile], parameters: &str) -> PolicySet {
    PolicySet::compile(files, parameters, policy::SCHEMA, &AnyName, proof::crypto::digest_text).unwrap()
}

/// The base pack without some policies, and with some of the house's own.
fn base_but(without: &[&str], own: &str) -> PolicySet {
    let mut files = policy::base().files;
    for file in files.iter_mut().filter(|file| file.name.ends_with(".cedar")) {
        let mut parts = file.text.split("@id(");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            if !without.iter().any(|id| part.starts_with(&format!("\"{id}\""))) {
                text = format!("{text}@id({part}");
            }
        }
        file.text = text;
    }
    if !own.is_empty() {
        files.push(SourceFile {
            name: "house/house.cedar".to_owned(),
            text: own.to_owned(),
        });
    }
    compile(&files)
}

fn paths(stories: &[Story]) -> Vec<&str> {
    stories.iter().map(|story| story.path).collect()
}

#[test]
fn the_base_and_every_pack_leave_no_path_open() {
    let mut all = policy::base().files;
    let mut sets = Vec::new();
    for pack in policy::packs() {
        all.extend(pack.files.clone());
        sets.push((pack.name.to_owned(), [policy::base().files, pack.files].concat()));
    }
    sets.push(("all packs together".to_owned(), all));
    // The longest test of its program uses every core.
    std::thread::scope(|scope| {
        let searches = sets.iter().map(|(name, files)| {
            let search = scope.spawn(move || search_histories(&compile(files)));
            (name, search)
        });
        let searches: Vec<_> = searches.collect();
        for (name, search) in searches {
            let stories = search.join().unwrap();
            assert!(stories.is_empty(), "{name}: {}", stories[0]);
        }
    });
}

#[test]
fn a_set_is_remembered_only_where_no_path_is_open() {
    let (clean, open) = (
        compile(&policy::base().files),
        base_but(&["base.act.validate_break_glass"], ""),
    );
    assert!(check_histories(&clean).is_ok() && check_histories(&open).is_err());
    let is_known = |set: &PolicySet| CLEAN.lock().unwrap().iter().any(|digest| digest == set.digest());
    assert!(is_known(&clean) && !is_known(&open));
}

#[test]
fn groups_that_a_parameter_names_have_people_as_well() {
    let mut files = policy::base().files;
    files.extend(policy::pack("dual-control").unwrap().files);
    let groups = "dual_control_groups = \"group:security,group:keepers\"";
    let stories = search_histories(&compile_with(&files, groups));
    assert!(stories.is_empty(), "{}", stories[0]);
}

#[test]
fn a_set_that_lets_one_person_out_alone_is_told_as_a_story() {
    let asks = [
        "base.require.owner",
        "base.require.security",
        "base.require.change_manager",
    ];
    let set = base_but(&asks, "");
    let stories = search_histories(&set);
    let story = stories.iter().find(|story| story.path == "self_approval").unwrap();
    let told = story.to_string();
    assert!(story.steps.iter().all(|step| step.who == "alma"), "{told}");
    assert_eq!(story.steps.last().unwrap().does, "starts the work", "{told}");
    assert!(told.contains("  1. alma writes the change."), "{told}");
    assert!(told.contains("`base.require.owner`"), "{told}");
    assert_eq!(stories, search_histories(&set), "the same every time");
}

#[test]
fn a_hole_for_one_kind_of_service_is_found() {
    let own = "@id(\"house.require.owner\")\n@reason(\"An owner agrees, but for financial systems.\")\n\
        @require(\"approval\") @from(\"owner\") @count(\"1\") @covers(\"what\")\n\
        permit (principal, action == Action::\"require\", resource)\n\
        when { resource.kind == Kind::\"normal\" && !context.target.service.regimes.contains(Regime::\"sox\") };";
    let asks = [
        "base.require.owner",
        "base.require.security",
        "base.require.change_manager",
    ];
    let stories = search_histories(&base_but(&asks, own));
    let story = stories.iter().find(|story| story.path == "self_approval").unwrap();
    assert!(
        story.about.contains("sox") || story.about.contains("every regime"),
        "{story}"
    );
}

#[test]
fn a_pipeline_whose_word_counts_is_its_owners_own_word() {
    let own = "@id(\"house.require.release\")\n@reason(\"The release group agrees.\")\n\
        @require(\"approval\") @from(\"group:release\") @count(\"1\") @covers(\"what\")\n\
        permit (principal, action == Action::\"require\", resource) when { resource.kind == Kind::\"normal\" };";
    let asks = [
        "base.require.owner",
        "base.require.security",
        "base.require.change_manager",
    ];
    let closed = search_histories(&base_but(&asks, own));
    assert!(closed.is_empty(), "{}", closed[0]);
    let without = [&asks[..], &["base.act.pipeline_judges_nothing"]].concat();
    let stories = search_histories(&base_but(&without, own));
    let story = stories.iter().find(|story| story.path == "self_approval").unwrap();
    let by_token = story
        .steps
        .iter()
        .any(|step| step.who == "The token of robot" && step.does == "approves it");
    assert!(by_token, "{story}");
    assert!(story.rule.contains("base.act.pipeline_judges_nothing"), "{story}");
}

#[test]
fn distinct_groups_close_the_path_of_one_person_and_can_be_met() {
    let own = "@id(\"house.require.two_groups\")\n@reason(\"One of each agrees.\")\n@require(\"approval\")\n\
        @from(\"group:security,group:platform\") @count(\"2\") @distinct_groups @covers(\"what\")\n\
        permit (principal, action == Action::\"require\", resource) when { resource.kind == Kind::\"normal\" };";
    let asks = [
        "base.require.owner",
        "base.require.security",
        "base.require.change_manager",
    ];
    let stories = search_histories(&base_but(&asks, own));
    assert!(stories.is_empty(), "{}", stories[0]);
}

#[test]
fn stages_that_ask_who_spoke_before_can_be_met() {
    for last in ["change_manager", "group:change-managers", "owner"] {
        let own = format!(
            "@id(\"house.require.first\")\n@reason(\"Security first.\")\n@require(\"approval\")\n\
             @from(\"group:security\") @count(\"1\") @stage(\"1\") @covers(\"what\")\n\
             permit (principal, action == Action::\"require\", resource);\n\
             @id(\"house.require.last\")\n@reason(\"They decide last.\")\n@require(\"approval\")\n\
             @from(\"{last}\") @count(\"1\") @stage(\"2\") @covers(\"what\")\n\
             permit (principal, action == Action::\"require\", resource);"
        );
        let stories = search_histories(&base_but(&[], &own));
        assert!(stories.is_empty(), "{last}: {}", stories[0]);
    }
}

#[test]
fn high_risk_without_a_peer_is_found() {
    let stories = search_histories(&base_but(&["base.require.peer_review"], ""));
    assert_eq!(paths(&stories), ["no_peer_review"], "{}", stories[0]);
    assert!(stories[0].about.contains("high risk"), "{}", stories[0]);
}

#[test]
fn a_change_that_nobody_can_approve_is_found_with_the_rule_in_the_way() {
    let own = "@id(\"house.act.nobody\")\n@reason(\"Nobody approves a change of the network.\")\n\
        forbid (principal, action == Action::\"approve_change\", resource)\n\
        when { resource.touches.contains(Touch::\"network\") };";
    let stories = search_histories(&base_but(&[], own));
    let story = stories.iter().find(|story| story.path == "nobody_can").unwrap();
    assert!(story.rule.contains("house.act.nobody"), "{story}");
    assert!(
        story.about.contains("network") || story.about.contains("everything"),
        "{story}"
    );
}

/// A set may forbid an act by mistake, for one sort of change alone.
#[test]
fn an_act_that_nobody_may_do_for_one_sort_of_change_is_found() {
    let expedited = "resource.expedited";
    let staging = "context has target && !context.target.environment.is_production";
    let both = "resource.category == Category::\"facility\" && resource.touches.contains(Touch::\"personal_data\")";
    let facility = "resource.category == Category::\"facility\"";
    let rows = [
        ("approve_change", expedited, "expedited"),
        ("approve_change", staging, "staging"),
        ("approve_change", both, "facility"),
        ("submit_change", facility, "facility"),
        ("assess_change", facility, "facility"),
        ("start_change", facility, "facility"),
        ("complete_change", facility, "facility"),
        ("validate_change", facility, "facility"),
        ("review_change", facility, "facility"),
        ("close_change", facility, "facility"),
        ("add_evidence", facility, "facility"),
    ];
    for (act, when, word) in rows {
        let own = format!(
            "@id(\"house.act.nobody\")\n@reason(\"Nobody does.\")\n\
             forbid (principal, action == Action::\"{act}\", resource) when {{ {when} }};"
        );
        let stories = search_histories(&base_but(&[], &own));
        let story = stories.iter().find(|story| story.path == "nobody_can");
        let story = story.unwrap_or_else(|| panic!("`{act}` when {when} is not found"));
        assert!(story.about.contains(word), "{act}: {story}");
        assert!(story.to_string().contains("house.act.nobody"), "{act}: {story}");
    }
}

/// An act that no story reaches for every shape.
#[test]
fn an_act_off_the_way_that_nobody_may_do_for_one_sort_of_change_is_found() {
    let network = "resource.touches.contains(Touch::\"network\")";
    let facility = "resource.category == Category::\"facility\"";
    let high = "resource.risk_number >= 3";
    for act in [
        "validate_break_glass",
        "peer_review_change",
        "meet_condition",
        "state_finding",
        "resume_change",
    ] {
        for (when, word) in [(network, "network"), (facility, "facility"), (high, "high risk")] {
            let own = format!(
                "@id(\"house.act.nobody\")\n@reason(\"Nobody does.\")\n\
                 forbid (principal, action == Action::\"{act}\", resource) when {{ {when} }};"
            );
            let stories = search_histories(&base_but(&[], &own));
            let told = stories.iter().find(|story| story.rule.contains("house.act.nobody"));
            let told = told.unwrap_or_else(|| panic!("`{act}` when {when} is not found: {stories:#?}"));
            assert!(told.about.contains(word), "{act} when {when}: {told}");
        }
        // Forbidding it to some is a rule, not a mistake.
        let some = format!(
            "@id(\"house.act.some\")\n@reason(\"The commander does not.\")\n\
             forbid (principal, action == Action::\"{act}\", resource) when {{ principal.roles.contains(Role::\"commander\") }};"
        );
        assert!(search_histories(&base_but(&[], &some)).is_empty(), "{act}");
    }
}

/// The base pack with a rule on communication for one kind of change.
fn told_before(kind: &str, asks: &str, more: &str) -> PolicySet {
    let own = format!(
        "@id(\"house.require.told\")\n@reason(\"It is told before.\")\n@require(\"communication\")\n{asks}\n\
         permit (principal, action == Action::\"require\", resource)\n\
         when {{ resource.kind == Kind::\"{kind}\" && !resource.retrospective }};\n{more}"
    );
    base_but(&[], &own)
}

#[test]
fn a_start_that_has_to_be_told_before_can_be_met() {
    let board = "@id(\"house.require.board\")\n@reason(\"The board decides.\")\n@require(\"approval\")\n\
        @from(\"group:board\") @count(\"2\") @quorum(\"3\") @covers(\"what\")\n\
        permit (principal, action == Action::\"require\", resource) when { resource.kind == Kind::\"normal\" };";
    let shortly = "@id(\"house.require.fresh\")\n@reason(\"A fresh word.\")\n@require(\"approval\")\n\
        @from(\"owner\") @count(\"1\") @valid_for(\"1h\") @covers(\"what\")\n\
        permit (principal, action == Action::\"require\", resource) when { resource.kind == Kind::\"normal\" };";
    for (kind, asks, more) in [
        (
            "normal",
            "@announced_before(\"15m\") @acknowledged @ready_from(\"owner\")",
            "",
        ),
        ("normal", "@ready_from(\"group:dispatch,group:dock\")", ""),
        ("normal", "@announced_before(\"72h\") @acknowledged", board),
        ("normal", "@announced_before(\"24h\")", shortly),
        ("standard", "@announced_before(\"24h\") @acknowledged", ""),
        ("emergency", "@announced_before(\"30m\") @ready_from(\"security\")", ""),
    ] {
        let stories = search_histories(&told_before(kind, asks, more));
        assert!(stories.is_empty(), "{kind}, {asks}: {}", stories[0]);
    }
}

#[test]
fn a_start_that_nobody_can_tell_before_is_found() {
    let silent = "@id(\"house.act.silent\")\n@reason(\"Nobody speaks.\")\n\
        forbid (principal, action == Action::\"comment_change\", resource)\n\
        when { resource.category == Category::\"facility\" };";
    let stories = search_histories(&told_before("normal", "@ready_from(\"owner\")", silent));
    let story = stories.iter().find(|story| story.path == "nobody_can").unwrap();
    assert!(story.about.contains("facility"), "{story}");
    assert!(story.rule.contains("house.act.silent"), "{story}");
    // An emergency starts within two days, so it is never known so long before.
    let stories = search_histories(&told_before("emergency", "@announced_before(\"72h\")", ""));
    let story = stories.iter().find(|story| story.path == "nobody_can").unwrap();
    assert!(story.about.starts_with("emergency"), "{story}");
}

/// A required announcement hides no hole: one person can make the announcement as well.
#[test]
fn a_path_for_one_person_is_found_also_where_it_has_to_be_told() {
    let own = "@id(\"house.require.told\")\n@reason(\"It is told before.\")\n@require(\"communication\")\n\
        @announced_before(\"1h\") @acknowledged @ready_from(\"owner\")\n\
        permit (principal, action == Action::\"require\", resource) when { !resource.retrospective };";
    let stories = search_histories(&base_but(&ASKED, own));
    let story = stories.iter().find(|story| story.path == "self_approval").unwrap();
    assert_eq!(story.steps.last().unwrap().does, "starts the work", "{story}");
}

#[test]
fn a_broken_glass_that_nobody_may_validate_is_found() {
    let stories = search_histories(&base_but(&["base.act.validate_break_glass"], ""));
    assert!(paths(&stories).contains(&"nobody_can"), "{stories:#?}");
}

#[test]
fn a_standard_change_that_nobody_may_start_is_found() {
    let own = "@id(\"house.act.no_templates\")\n@reason(\"Nothing starts by a template.\")\n\
        forbid (principal, action == Action::\"start_change\", resource) when { resource.kind == Kind::\"standard\" };";
    let stories = search_histories(&base_but(&[], own));
    let story = stories.iter().find(|story| story.path == "nobody_can").unwrap();
    assert!(story.about.starts_with("standard"), "{story}");
    assert!(story.rule.contains("house.act.no_templates"), "{story}");
}

#[test]
fn work_told_afterwards_that_nobody_may_confirm_is_found() {
    let stories = search_histories(&base_but(&["base.act.confirm_retrospective"], ""));
    let story = stories.iter().find(|story| story.path == "nobody_can").unwrap();
    assert!(story.about.starts_with("told afterwards"), "{story}");
}

/// The base pack with an exception in some of its rules.
fn base_except(ids: &[&str], when: &str) -> PolicySet {
    let mut files = policy::base().files;
    for file in files.iter_mut().filter(|file| file.name.ends_with(".cedar")) {
        let parts = file.text.split("@id(").map(|part| {
            let is_meant = ids.iter().any(|id| part.starts_with(&format!("\"{id}\"")));
            match is_meant {
                true => part.replacen(" };", &format!(" && !({when}) }};"), 1),
                false => part.to_owned(),
            }
        });
        file.text = parts.collect::<Vec<_>>().join("@id(");
    }
    compile(&files)
}

const ASKED: [&str; 3] = [
    "base.require.owner",
    "base.require.security",
    "base.require.change_manager",
];

/// Paths that open only when several things come together, or when one person has several parts.
const HIDDEN: [&str; 11] = [
    "resource.implementers.contains(resource.requester)",
    "context.target.service.owners.contains(resource.requester)",
    "resource.owner != resource.requester && resource.implementers.contains(resource.owner)",
    "resource.has_tester",
    "resource.state == State::\"authorizing\"",
    "resource.state == State::\"scheduled\"",
    "resource.category == Category::\"facility\" && context.target.service.criticality == Criticality::\"low\"",
    "resource.category == Category::\"facility\" && resource.expedited \
     && context.target.service.regimes.contains(Regime::\"gdpr\")",
    "context.target.service.data_class == DataClass::\"payment\" \
     && context.target.service.criticality == Criticality::\"low\" \
     && resource.touches.contains(Touch::\"network\") && resource.touches.contains(Touch::\"crypto_keys\")",
    "resource.has_tester && !context.target.has_artifact && resource.touches.contains(Touch::\"schema\") \
     && resource.impact_compliance == Level::\"medium\" && resource.complexity == Level::\"low\"",
    "resource.authors.contains(Person::\"tomasz\") && resource.implementers.contains(Person::\"luc\")",
];

#[test]
fn a_hole_where_several_things_come_together_is_found() {
    for when in HIDDEN {
        let stories = search_histories(&base_except(&ASKED, when));
        let story = stories.iter().find(|story| story.path == "self_approval");
        let story = story.unwrap_or_else(|| panic!("not found: {when}: {stories:#?}"));
        assert!(story.rule.contains("`base.require.owner`"), "{when}: {story}");
        let stories = search_histories(&base_except(&["base.require.peer_review"], when));
        assert!(paths(&stories).contains(&"no_peer_review"), "{when}: {stories:#?}");
    }
}

/// One condition in each rule: only together do they exclude everybody.
#[test]
fn a_hole_that_no_rule_has_alone_is_found() {
    let mut files = base_except(&["base.require.owner"], "resource.category == Category::\"facility\"");
    let next = [
        ("base.require.security", "resource.expedited"),
        (
            "base.require.change_manager",
            "!context.target.environment.is_production",
        ),
    ];
    for (id, when) in next {
        assert!(search_histories(&files).is_empty(), "somebody is asked still");
        let mut texts = policy::base().files;
        for file in &mut texts {
            let rules = files.sources().filter(|rule| rule.file == file.name);
            let rules = rules.map(|rule| match rule.id == id {
                true => rule.text.replacen(" };", &format!(" && !({when}) }};"), 1),
                false => rule.text.clone(),
            });
            if file.name.ends_with(".cedar") {
                file.text = rules.collect::<Vec<_>>().join("\n");
            }
        }
        files = compile(&texts);
    }
    let stories = search_histories(&files);
    assert_eq!(paths(&stories), ["self_approval"], "{stories:#?}");
    let about = &stories[0].about;
    assert!(about.contains("facility") && about.contains("expedited"), "{about}");
    assert!(about.contains("outside production"), "{about}");
}

/// Even for a path that the search misses: a change without possible approvers stops and shows why.
#[test]
fn a_change_for_which_nobody_is_asked_stands_still() {
    let shape = super::Shape::plain(Kind::Normal, true);
    let judged = |set: &PolicySet| {
        policy::on_policy_thread(|| {
            let words = super::cast::NamesInSet::of(set);
            let alone = super::cast::Cast::one_person(&words);
            let alma = super::stage::StageActor::person("alma");
            let stage = super::stage::Stage::open(set, &alone.directory, &alma, (&shape, &[])).unwrap();
            judge::judge(set, "acme", (&alone.directory, stage.now), &stage.file).stop
        })
    };
    assert_eq!(judged(&base_but(&[], "")), None);
    let stop = judged(&base_but(&ASKED, "")).unwrap_or_default();
    assert!(!stop.contains("nobody"), "a peer is asked still: {stop}");
    let without = [&ASKED[..], &["base.require.peer_review"]].concat();
    let stop = judged(&base_but(&without, "")).unwrap_or_default();
    assert!(stop.contains("nobody but its author about `a plain service`"), "{stop}");
    let stop = judged(&base_but(&["base.require.peer_review"], "")).unwrap_or_default();
    assert!(stop.contains("no peer about `a plain service`"), "{stop}");
}
