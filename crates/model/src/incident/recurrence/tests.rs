#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use super::*;
use crate::core::ids::RecordId;

const DAY: i64 = 86_400;

fn at(day: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + day * DAY).unwrap()
}

fn failure(key: &str, day: i64) -> Failure {
    Failure {
        key: key.to_owned(),
        at: at(day),
        services: BTreeSet::from(["pay".to_owned()]),
        cause: None,
        alert: None,
        steps: BTreeSet::new(),
        templates: BTreeSet::new(),
        also: BTreeSet::new(),
    }
}

fn of_cause(key: &str, day: i64, cause: &str) -> Failure {
    Failure {
        cause: Some(cause.to_owned()),
        ..failure(key, day)
    }
}

fn problem(proposal: &Proposal, state: ProblemState) -> ProblemRecord {
    ProblemRecord {
        id: RecordId::from("p"),
        version: 1,
        key: "PRB-101".to_owned(),
        title: "t".to_owned(),
        description: None,
        pattern: proposal.pattern.kind,
        services: proposal.services.iter().map(|key| key.as_str().into()).collect(),
        cause: None,
        cases: proposal.cases.clone(),
        state,
        by: "system".into(),
        at: at(0),
        reason: None,
        decided_by: None,
        decided_at: None,
        fix: None,
        former_fixes: Vec::new(),
        closed_at: None,
    }
}

#[test]
fn three_planted_failures_propose_one_problem() {
    let mut failures: Vec<Failure> = [("INC-1", 1), ("INC-2", 20), ("INC-3", 40)]
        .map(|(key, day)| of_cause(key, day, "schema_migration"))
        .to_vec();
    // The failures share a template and a failed step as well; they are still one problem.
    for row in &mut failures {
        row.templates.insert("restart".to_owned());
        row.steps.insert("fill the column".to_owned());
        row.services.insert("web".to_owned());
    }
    let (proposals, further) = propose(&failures, &[]);
    assert_eq!((proposals.len(), further.len()), (1, 0), "{proposals:#?}");
    assert_eq!(proposals[0].pattern.kind, RecurrenceKind::Cause);
    assert_eq!(proposals[0].cases, ["INC-1", "INC-2", "INC-3"]);
    let two = propose(&failures[..2], &[]);
    assert_eq!(two, (Vec::new(), Vec::new()), "two are not enough");
    let known = problem(&proposals[0], ProblemState::Proposed);
    assert_eq!(
        propose(&failures, std::slice::from_ref(&known)),
        (Vec::new(), Vec::new())
    );
}

#[test]
fn failures_that_share_nothing_and_causes_that_were_not_found_propose_nothing() {
    let different = [
        of_cause("INC-1", 1, "capacity"),
        of_cause("INC-2", 2, "missing_test"),
        failure("INC-3", 3),
    ];
    assert_eq!(propose(&different, &[]).0, []);
    let unknown = [1, 2, 3].map(|day| of_cause(&format!("INC-{day}"), day, "unknown"));
    assert_eq!(propose(&unknown, &[]).0, []);
}

#[test]
fn what_a_person_recorded_has_the_failures_of_its_service_and_cause_and_what_its_cases_share() {
    let by_hand = |cause: Option<&str>, cases: &[&str]| ProblemRecord {
        pattern: RecurrenceKind::Named,
        services: BTreeSet::from(["pay".into()]),
        cause: cause.map(str::to_owned),
        cases: cases.iter().map(|key| (*key).to_owned()).collect(),
        ..problem(
            &propose(
                &[1, 2, 3].map(|day| of_cause(&format!("INC-{day}"), day, "capacity")),
                &[],
            )
            .0[0],
            ProblemState::Closed,
        )
    };
    let mut elsewhere = of_cause("INC-3", 3, "capacity");
    elsewhere.services = BTreeSet::from(["web".to_owned()]);
    let failures = [
        of_cause("INC-1", 1, "capacity"),
        of_cause("INC-2", 2, "missing_test"),
        elsewhere,
    ];
    let named = by_hand(Some("capacity"), &[]);
    assert_eq!(times(&named, &failures), [at(1)]);
    let (_, further) = propose(&failures, std::slice::from_ref(&named));
    assert_eq!(further[0].cases, ["INC-1"], "it is a case of it");
    // The alert of one case comes again; two cases share a template.
    let alert = |key: &str, day| Failure {
        alert: Some("c1/disk".to_owned()),
        templates: BTreeSet::from(["restart".to_owned()]),
        ..failure(key, day)
    };
    let mut other = alert("CHG-7", 7);
    other.alert = None;
    let failures = [alert("INC-5", 5), alert("INC-6", 6), other];
    assert_eq!(times(&by_hand(None, &["INC-5"]), &failures), [at(5), at(6)]);
    let both = by_hand(None, &["INC-5", "INC-6"]);
    assert_eq!(times(&both, &failures), [at(5), at(6), at(7)]);
}

#[test]
fn alerts_steps_and_templates_propose_each_for_itself() {
    let alerts = [1, 2, 3].map(|day| Failure {
        alert: Some("c1/disk".to_owned()),
        ..failure(&format!("INC-{day}"), day)
    });
    let steps = [4, 5, 6].map(|day| Failure {
        steps: BTreeSet::from(["fill the column".to_owned()]),
        ..failure(&format!("CHG-{day}"), day)
    });
    let templates = [7, 8, 9].map(|day| Failure {
        templates: BTreeSet::from(["restart".to_owned()]),
        ..failure(&format!("CHG-{day}"), day)
    });
    let all = [alerts.to_vec(), steps.to_vec(), templates.to_vec()].concat();
    let kinds: Vec<RecurrenceKind> = propose(&all, &[]).0.iter().map(|it| it.pattern.kind).collect();
    assert_eq!(
        kinds,
        [RecurrenceKind::Alert, RecurrenceKind::Step, RecurrenceKind::Template]
    );
}

#[test]
fn a_further_failure_joins_its_problem_and_a_dismissed_one_needs_as_many_anew() {
    let mut failures: Vec<Failure> = (1..=3)
        .map(|day| of_cause(&format!("INC-{day}"), day, "capacity"))
        .collect();
    let proposal = propose(&failures, &[]).0.remove(0);
    let open = [problem(&proposal, ProblemState::Open)];
    let dismissed = [problem(&proposal, ProblemState::Dismissed)];
    failures.push(of_cause("INC-4", 4, "capacity"));
    let joined = Further {
        problem: "PRB-101".to_owned(),
        cases: vec!["INC-4".to_owned()],
    };
    assert_eq!(propose(&failures, &open), (Vec::new(), vec![joined]));
    assert_eq!(propose(&failures, &dismissed), (Vec::new(), Vec::new()));
    failures.extend((5..=6).map(|day| of_cause(&format!("INC-{day}"), day, "capacity")));
    let (again, _) = propose(&failures, &dismissed);
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].cases, ["INC-4", "INC-5", "INC-6"]);
}

#[test]
fn a_change_and_the_incident_that_it_caused_are_one_failure() {
    let failures = [1, 2, 3].map(|day| Failure {
        templates: BTreeSet::from(["restart".to_owned()]),
        also: BTreeSet::from([format!("CHG-{day}")]),
        ..of_cause(&format!("INC-{day}"), day, "capacity")
    });
    let (proposals, _) = propose(&failures, &[]);
    assert_eq!(proposals.len(), 1);
}
