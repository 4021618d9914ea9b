//! Evidence: which results count, held against an oracle; findings that are new; waivers by two people.

use model::approval::obligation::{Due, Duty};
use model::change::around::{self, FileReading, StoredFile};
use model::core::enums::{Aspect, EvidenceKind, EvidenceResult};
use model::core::ids::RecordId;
use model::core::refusal::Refusal;
use model::gate::running::{Present, Report, Running};
use proptest::prelude::*;
use serde_json::json;

use crate::world::{World, at, body, facts, facts_but};

/// One piece of evidence as a person or a pipeline brings it.
#[derive(Debug, Clone)]
struct Brought {
    kind: &'static str,
    name: &'static str,
    environment: &'static str,
    subject: Option<&'static str>,
    result: &'static str,
    /// Whether an approver accepts it afterwards.
    is_accepted: bool,
}

fn brought() -> impl Strategy<Value = Brought> {
    (
        prop::sample::select(vec!["note", "file", "junit"]),
        prop::sample::select(vec!["Unit", "Smoke"]),
        prop::sample::select(vec!["staging", "staging", "production"]),
        prop::sample::select(vec![
            Some("git:aae5e5e"),
            Some("git:aae5e5e"),
            Some("abcdef0"),
            Some("git:ffe5e5e"),
            None,
        ]),
        prop::sample::select(vec!["passed", "passed", "failed", "failed", "unknown", "informational"]),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(kind, name, environment, subject, result, is_accepted)| Brought {
            kind,
            name,
            environment,
            subject,
            // A machine's reader is useless without a judgement.
            result: if kind == "junit" && result == "informational" {
                "passed"
            } else {
                result
            },
            is_accepted,
        })
}

fn bring(world: &mut World, it: &Brought) -> RecordId {
    let mut words = body(json!({
        "kind": it.kind, "aspect": "functional", "name": it.name, "environment": it.environment, "result": it.result, "text": "Seen.",
    }));
    if let Some(subject) = it.subject {
        words.insert("artifact".into(), subject.into());
    }
    let mut file = crate::world::file();
    if it.kind == "junit" {
        words.remove("result");
        file.reading = Some(read(it.result, &[]));
    }
    world
        .act("pip", |case| around::add_evidence(case, &words, file))
        .unwrap()
}

fn read(result: &str, findings: &[&str]) -> FileReading {
    FileReading {
        summary: "Read.".to_owned(),
        passed: Some(result == "passed"),
        is_undecided: result == "unknown",
        subjects: Vec::new(),
        suites: Vec::new(),
        findings: findings.iter().map(|it| (*it).to_owned()).collect(),
    }
}

/// A second form of the rule: a suite fails from its failure until its next pass or acceptance, and a suite passes whose last
/// result still is that pass.
fn is_enough(history: &[Brought]) -> bool {
    let counts = |it: &&Brought| {
        it.environment == "staging"
            && matches!(it.subject, Some("git:aae5e5e" | "abcdef0"))
            && it.result != "informational"
    };
    let same = |a: &Brought, b: &Brought| (a.kind, a.name, a.subject) == (b.kind, b.name, b.subject);
    let told: Vec<&Brought> = history.iter().filter(counts).collect();
    let is_accepted = |it: &Brought| it.is_accepted && it.result != "passed";
    let mut has_pass = false;
    for (place, it) in told.iter().enumerate() {
        let later = || told[place + 1..].iter().filter(|other| same(it, other));
        if it.result == "failed" && !is_accepted(it) {
            let is_over = later().any(|other| other.result == "passed" || is_accepted(other));
            if !is_over {
                return false;
            }
        }
        if it.result == "passed" || is_accepted(it) {
            has_pass |= later().next().is_none();
        }
    }
    has_pass
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_latest_result_of_each_suite_counts_and_a_failure_stays(history in prop::collection::vec(brought(), 0..7)) {
        let mut world = World::new().until_scheduled();
        world.file.evidence.clear();
        world.settle();
        for it in &history {
            world.now += jiff::SignedDuration::from_secs(1);
            let id = bring(&mut world, it);
            if it.is_accepted && matches!(it.result, "failed" | "unknown") {
                let why = body(json!({"reason": "Known"}));
                world.act("olga", |case| around::accept_evidence(case, &id, &why)).unwrap();
            }
        }
        let is_missing = world.unmet().contains(&"evidence_missing".to_owned());
        prop_assert_eq!(!is_missing, is_enough(&history), "{:?}", history);
        world.wait_until(at("11:10"));
        prop_assert_eq!(world.start("ida").is_ok(), is_enough(&history));
    }
}

fn one(kind: &'static str, name: &'static str, result: &'static str) -> Brought {
    Brought {
        kind,
        name,
        environment: "staging",
        subject: Some("git:aae5e5e"),
        result,
        is_accepted: false,
    }
}

#[test]
fn neither_a_note_nor_another_name_covers_a_failed_report() {
    let mut world = World::new().until_scheduled();
    bring(&mut world, &one("junit", "Unit", "failed"));
    for cover in [
        one("note", "Unit", "passed"),
        one("junit", "Unit tests", "passed"),
        one("file", "Unit", "passed"),
    ] {
        bring(&mut world, &cover);
        assert!(world.unmet().contains(&"evidence_missing".to_owned()), "{cover:?}");
    }
    // A run that cannot be judged takes no failure's place.
    bring(&mut world, &one("junit", "Unit", "unknown"));
    assert!(world.unmet().contains(&"evidence_missing".to_owned()));
    bring(&mut world, &one("junit", "Unit", "passed"));
    assert!(!world.unmet().contains(&"evidence_missing".to_owned()));
}

fn ran(world: &mut World, who: &str, result: &str, suites: &[&str]) {
    let words = body(json!({
        "kind": "junit", "aspect": "functional", "name": "Unit", "environment": "staging", "artifact": "git:aae5e5e",
    }));
    let mut file = crate::world::file();
    file.reading = Some(FileReading {
        suites: suites.iter().map(|it| (*it).to_owned()).collect(),
        ..read(result, &[])
    });
    world.wait(1);
    world.act(who, |case| around::add_evidence(case, &words, file)).unwrap();
}

fn is_missing(world: &World) -> bool {
    world.unmet().contains(&"evidence_missing".to_owned())
}

/// A file of the same name with other suites, and one from another person, prove nothing about the failed ones.
#[test]
fn neither_other_suites_nor_another_producer_cover_a_failure() {
    let mut world = World::new().until_scheduled();
    ran(&mut world, "pip", "failed", &["checkout"]);
    assert!(is_missing(&world));
    ran(&mut world, "pip", "passed", &["basket"]);
    assert!(is_missing(&world), "other suites");
    ran(&mut world, "tom", "passed", &["checkout"]);
    assert!(is_missing(&world), "somebody else");
    // A run of all of them covers it, whatever ran beside.
    ran(&mut world, "pip", "passed", &["basket", "checkout"]);
    assert!(!is_missing(&world));
}

/// A failure without an environment counts for all of them, and a pass without one shows nothing of staging.
#[test]
fn a_failure_that_names_no_environment_stands_in_each_and_such_a_pass_counts_in_none() {
    let mut world = World::new().until_scheduled();
    assert!(!is_missing(&world));
    let attest = |world: &mut World, result: &str| {
        let words = body(json!({
            "kind": "note", "aspect": "functional", "name": "Attested", "artifact": "git:aae5e5e", "result": result,
            "text": "Seen.",
        }));
        world.wait(1);
        let file = crate::world::file();
        world
            .act("pip", |case| around::add_evidence(case, &words, file))
            .unwrap();
    };
    attest(&mut world, "failed");
    assert!(is_missing(&world), "it stands beside what passed in staging");
    attest(&mut world, "passed");
    assert!(!is_missing(&world), "the same suite passed");
    world.file.evidence.retain(|it| it.environment.is_none());
    world.settle();
    assert!(is_missing(&world), "it is no pass in staging");
}

/// Failed evidence stays whatever its build is called, and a pass counts for the build in any spelling.
#[test]
fn evidence_follows_its_build_in_every_spelling() {
    let digest = format!("sha256:{}", "ab".repeat(32));
    let targets =
        json!([{"service": "shop", "environment": "production", "artifact": digest, "rollback_to": "git:00e5e5e"}]);
    let spellings = [
        digest.to_uppercase().replace("SHA256", "sha256"),
        format!("registry.example/shop:2.4@{digest}"),
        "ab".repeat(32),
    ];
    for spelling in spellings {
        let mut world = World::with(facts_but(json!({ "targets": targets })), Vec::new()).until_authorizing();
        world.evidence("pip", "passed", Some(&spelling)).unwrap();
        assert!(!is_missing(&world), "{spelling}");
        world.wait(1);
        world.evidence("pip", "failed", Some(&spelling)).unwrap();
        assert!(is_missing(&world), "{spelling}");
        world.wait(1);
        world.evidence("pip", "passed", Some(&digest)).unwrap();
        assert!(!is_missing(&world), "{spelling}");
    }
}

/// A target names the digest alone, wherever its image lies.
#[test]
fn an_image_reference_with_a_digest_is_kept_as_the_digest() {
    let digest = format!("sha256:{}", "ab".repeat(32));
    let image = format!("registry.example/shop:2.4@{}", digest.replace("ab", "AB"));
    let targets = json!([{"service": "shop", "environment": "production", "artifact": image}]);
    let world = World::with(facts_but(json!({ "targets": targets })), Vec::new());
    assert_eq!(
        world.change().content.targets[0].artifact.as_deref(),
        Some(digest.as_str())
    );
}

#[test]
fn what_cannot_be_judged_satisfies_nothing_whatever_its_bringer_states() {
    let mut world = World::new().until_scheduled();
    world.file.evidence.clear();
    let words = body(json!({
        "kind": "sarif", "aspect": "functional", "environment": "staging", "artifact": "git:aae5e5e", "result": "passed",
    }));
    let mut file = crate::world::file();
    file.reading = Some(read("unknown", &[]));
    let id = world
        .act("pip", |case| around::add_evidence(case, &words, file))
        .unwrap();
    let found = world.file.evidence.iter().find(|it| it.id == id).unwrap();
    assert_eq!(found.result, EvidenceResult::Unknown);
    assert!(world.unmet().contains(&"evidence_missing".to_owned()));
    let why = body(json!({"reason": "Read by hand"}));
    world
        .act("olga", |case| around::accept_evidence(case, &id, &why))
        .unwrap();
    assert!(!world.unmet().contains(&"evidence_missing".to_owned()));
}

#[test]
fn evidence_without_a_build_satisfies_no_target_that_has_one() {
    let mut world = World::new().until_scheduled();
    world.file.evidence.clear();
    world.evidence("tom", "passed", None).unwrap();
    assert!(world.unmet().contains(&"evidence_missing".to_owned()));
    let by_hand = json!([{"service": "shop", "environment": "production"}]);
    let mut world = World::with(facts_but(json!({ "targets": by_hand })), Vec::new()).until_authorizing();
    world.evidence("tom", "passed", None).unwrap();
    assert!(!world.unmet().contains(&"evidence_missing".to_owned()));
    world.edit("rita", json!({"plan": [{"title": "Another way"}]})).unwrap();
    assert!(
        world.unmet().contains(&"evidence_missing".to_owned()),
        "it was about another plan"
    );
}

/// A world whose changes need a security test, where `git:old` runs with these findings in its own report.
fn secured(own: Option<&[&str]>) -> World {
    let duty = Duty::Evidence {
        aspect: Aspect::Security,
        environment: None,
    };
    let mut world = World::with(facts(), vec![(Due::Start, duty)]).until_authorizing();
    let target = world.change().content.targets[0].clone();
    let row = Running {
        id: "r1".into(),
        version: 1,
        service: target.service,
        environment: target.environment,
        config_items: Vec::new(),
        artifact: "git:old".to_owned(),
        change: "c0".into(),
        change_key: "CHG-0".to_owned(),
        target: "1".into(),
        since: world.now,
        until: None,
        ended_by: None,
        ended_target: None,
    };
    let mut reports = Vec::new();
    if let Some(own) = own {
        // The same names give the same digests: they are made by bringing the report once.
        let mut copy = world.clone();
        let id = report(&mut copy, "cyclonedx", own);
        let findings = copy
            .file
            .evidence
            .iter()
            .find(|it| it.id == id)
            .unwrap()
            .findings
            .clone();
        reports.push(Report {
            artifact: "git:old".to_owned(),
            kind: EvidenceKind::Cyclonedx,
            findings,
        });
    }
    world.file.present = Present {
        rows: vec![row],
        reports,
    };
    world
}

fn report(world: &mut World, kind: &str, findings: &[&str]) -> RecordId {
    let words = body(
        json!({"kind": kind, "aspect": "security", "name": "Scan", "artifact": "git:aae5e5e", "result": "passed"}),
    );
    let reading = FileReading {
        passed: (kind == "sarif").then_some(true),
        ..read("passed", findings)
    };
    let file = StoredFile {
        reading: Some(reading),
        ..crate::world::file()
    };
    world
        .act("pip", |case| around::add_evidence(case, &words, file))
        .unwrap()
}

fn result(world: &World, id: &RecordId) -> (EvidenceResult, String) {
    let found = world.file.evidence.iter().find(|it| &it.id == id).unwrap();
    (found.result, found.text.clone().unwrap_or_default())
}

/// Whether the security test is still missing.
fn lacks_security(world: &World) -> bool {
    let rows = model::change::waiting_on::ahead(&world.file, &world.directory, world.now);
    rows.iter()
        .any(|row| row.unmet.code == "evidence_missing" && row.unmet.text.contains("security"))
}

#[test]
fn a_finding_that_the_running_build_has_not_fails_the_security_test() {
    let mut world = secured(Some(&["CVE-1", "CVE-2"]));
    let id = report(&mut world, "cyclonedx", &["CVE-2", "CVE-3"]);
    let (found, text) = result(&world, &id);
    assert_eq!(found, EvidenceResult::Failed);
    assert!(text.contains("New compared with the running build: CVE-3."), "{text}");
    assert!(lacks_security(&world));
    report(&mut world, "cyclonedx", &["CVE-1"]);
    assert!(!lacks_security(&world), "the same suite passed with what runs already");
}

#[test]
fn findings_without_a_report_to_compare_them_with_are_unknown() {
    let mut world = secured(None);
    let id = report(&mut world, "sarif", &["R1 a.c"]);
    assert_eq!(result(&world, &id).0, EvidenceResult::Unknown);
    assert!(lacks_security(&world));
    let clean = report(&mut world, "sarif", &[]);
    assert_eq!(result(&world, &clean).0, EvidenceResult::Passed);
    assert!(!lacks_security(&world));
    // Where nothing runs, nothing is new against anything.
    let mut world = secured(None);
    world.file.present = Present::default();
    let id = report(&mut world, "sarif", &["R1 a.c"]);
    assert_eq!(result(&world, &id).0, EvidenceResult::Passed);
}

#[test]
fn a_report_is_compared_again_when_another_build_runs() {
    let mut world = secured(Some(&["CVE-1"]));
    report(&mut world, "cyclonedx", &["CVE-1"]);
    assert!(!lacks_security(&world));
    world.file.present.reports[0].findings.clear();
    assert!(lacks_security(&world), "what runs now has none of it");
}

/// A bill of materials as a person brings it beside another, under the named aspect or under none.
fn bill(world: &mut World, aspect: Option<&str>, findings: &[&str]) -> RecordId {
    let mut words = body(json!({"kind": "cyclonedx", "name": "Bill", "artifact": "git:aae5e5e"}));
    if let Some(aspect) = aspect {
        words.insert("aspect".into(), aspect.into());
    }
    let file = StoredFile {
        reading: Some(FileReading {
            passed: None,
            ..read("passed", findings)
        }),
        ..crate::world::file()
    };
    world.wait(1);
    world
        .act("pip", |case| around::add_evidence(case, &words, file))
        .unwrap()
}

/// The reporter does not choose whether security hears of the findings.
#[test]
fn a_new_finding_stands_against_security_under_whatever_aspect_it_is_brought() {
    for aspect in [None, Some("functional"), Some("other"), Some("security")] {
        let mut world = secured(Some(&["CVE-1"]));
        report(&mut world, "cyclonedx", &["CVE-1"]);
        assert!(!lacks_security(&world));
        let id = bill(&mut world, aspect, &["CVE-2"]);
        assert_eq!(result(&world, &id).0, EvidenceResult::Failed, "{aspect:?}");
        assert!(lacks_security(&world), "{aspect:?}");
    }
    let mut world = secured(None);
    let id = bill(&mut world, None, &[]);
    let found = world.file.evidence.iter().find(|it| it.id == id).unwrap();
    assert_eq!(found.aspect, Aspect::Security, "what a scanner reports");
}

#[test]
fn a_bill_that_judges_nothing_is_compared_again_when_another_build_runs() {
    let mut world = secured(Some(&["CVE-1"]));
    report(&mut world, "cyclonedx", &[]);
    let id = bill(&mut world, None, &["CVE-1"]);
    assert_eq!(result(&world, &id).0, EvidenceResult::Informational);
    assert!(!lacks_security(&world));
    world.file.present.reports[0].findings.clear();
    assert!(lacks_security(&world), "what runs now has none of it");
    bill(&mut world, None, &[]);
    assert!(!lacks_security(&world), "the newer bill lists none");
}

fn waive(world: &mut World, who: &str, words: serde_json::Value) -> Result<RecordId, Refusal> {
    let mut all = body(json!({"kind": "waiver", "artifact": "git:aae5e5e"}));
    all.extend(body(words));
    let file = StoredFile {
        size: 0,
        ..crate::world::file()
    };
    world.act(who, |case| around::add_evidence(case, &all, file))
}

fn agree(world: &mut World, who: &str, waiver: &RecordId) -> Result<(), Refusal> {
    let why = body(json!({"reason": "The scanner is down"}));
    world.act(who, |case| around::accept_evidence(case, waiver, &why))
}

#[test]
fn a_waiver_counts_once_an_owner_and_security_agreed() {
    let mut world = secured(None);
    let words = json!({"aspect": "security", "text": "The scanner is down.", "result": "passed"});
    let id = waive(&mut world, "rita", words).unwrap();
    assert_eq!(
        result(&world, &id).0,
        EvidenceResult::Informational,
        "nobody passes by a waiver"
    );
    assert!(lacks_security(&world));
    assert!(agree(&mut world, "rita", &id).is_err(), "not one's own");
    assert!(agree(&mut world, "mia", &id).is_err(), "a change manager is neither");
    agree(&mut world, "olga", &id).unwrap();
    agree(&mut world, "olga", &id).unwrap();
    assert!(lacks_security(&world), "one of the two");
    agree(&mut world, "sam", &id).unwrap();
    assert!(!lacks_security(&world));
    // It counts for its own aspect and build alone.
    assert!(world.unmet().contains(&"evidence_missing".to_owned()), "functional");
    world
        .edit(
            "rita",
            json!({"targets": [{"service": "shop", "environment": "production", "artifact": "git:bbe5e5e"}]}),
        )
        .unwrap();
    assert!(lacks_security(&world));
}

/// A waiver that names an environment counts for the tests of that environment alone.
#[test]
fn a_waiver_for_another_environment_satisfies_nothing() {
    for (environment, is_enough) in [(Some("production"), false), (Some("staging"), true), (None, true)] {
        let mut world = World::new().until_scheduled();
        world.file.evidence.clear();
        world.settle();
        assert!(is_missing(&world));
        let mut words = json!({"aspect": "functional", "text": "The device is gone."});
        if let Some(environment) = environment {
            words["environment"] = json!(environment);
        }
        let id = waive(&mut world, "rita", words).unwrap();
        agree(&mut world, "olga", &id).unwrap();
        agree(&mut world, "sam", &id).unwrap();
        assert_eq!(is_missing(&world), !is_enough, "{environment:?}");
    }
}

#[test]
fn a_waiver_names_aspect_and_reason() {
    let mut world = secured(None);
    for words in [json!({"text": "No time"}), json!({"aspect": "security"})] {
        let Err(Refusal::Invalid(errors)) = waive(&mut world, "rita", words) else {
            panic!("it is refused");
        };
        assert_eq!(errors[0].code, "missing");
    }
}
