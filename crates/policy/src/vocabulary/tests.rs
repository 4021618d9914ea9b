//! The obligations that annotations compile to, and the messages for mistakes.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what is wrong")]

use super::*;
use model::approval::obligation::Party;

fn compile(pairs: &[(&str, &str)]) -> Result<Obligation, Vec<Problem>> {
    let annotations = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    obligation("p.x", "Why.", &annotations, &Parameters::default())
}

#[test]
fn an_approval_keeps_every_word() {
    let found = compile(&[
        ("id", "p.x"),
        ("reason", "Why."),
        ("require", "approval"),
        ("from", "group:security"),
        ("count", "2"),
        ("covers", "what_and_when"),
        ("distinct_from", "author,implementer"),
        ("valid_for", "30d"),
        ("lead_time", "5bd"),
        ("ack_sla", "4h"),
        ("decide_sla", "2bd"),
        ("escalate", "ecab"),
        ("stage", "2"),
        ("step_up", ""),
        ("dual_control", ""),
        ("quorum", "3"),
        ("on_call", ""),
        ("function", "dba"),
        ("training", "pci_dss"),
        ("while_active", ""),
    ]);
    let rule = ApprovalRule {
        from: Asked::Group(GroupKey::from("security")),
        count: 2,
        covers: Covers::Both,
        distinct_from: vec![Party::Author, Party::Implementer],
        valid_for_minutes: Some(43_200),
        lead_time: Some(Span::WorkDays(5)),
        lead_time_fields: Vec::new(),
        step_up: true,
        second_factor: false,
        ack_sla: Some(Span::Minutes(240)),
        decide_sla: Some(Span::WorkDays(2)),
        escalate: Some(GroupKey::from("ecab")),
        stage: 2,
        dual_control: true,
        quorum: Some(3),
        on_call: true,
        function: Some("dba".to_owned()),
        training: Some("pci_dss".to_owned()),
        while_active: true,
    };
    assert_eq!(found.unwrap().duty, Duty::Approval(rule));
}

/// An approval of somebody, with more annotations.
fn asking(from: &str, more: &[(&str, &str)]) -> Result<Obligation, Vec<Problem>> {
    let mut pairs = vec![("require", "approval"), ("covers", "what"), ("from", from)];
    pairs.extend(more.iter().copied());
    compile(&pairs)
}

#[test]
fn distinct_groups_are_named_and_enough() {
    let both = "group:security,group:platform";
    let rule = asking(both, &[("count", "2"), ("distinct_groups", "")]).unwrap();
    let Duty::Approval(rule) = rule.duty else {
        panic!("no approval: {:?}", rule.duty);
    };
    let groups = ["security", "platform"].map(GroupKey::from).to_vec();
    assert_eq!((rule.from, rule.count), (Asked::Groups(groups), 2));
    type Wrong<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let wrong: &[Wrong<'_>] = &[
        (both, &[("count", "2")], "from"),
        (both, &[("distinct_groups", "")], "count"),
        (both, &[("count", "3"), ("distinct_groups", "")], "count"),
        (both, &[("count", "2"), ("distinct_groups", "yes")], "distinct_groups"),
        (
            both,
            &[("count", "2"), ("distinct_groups", ""), ("quorum", "2")],
            "quorum",
        ),
        (
            both,
            &[("count", "2"), ("distinct_groups", ""), ("on_call", "")],
            "on_call",
        ),
        (
            "group:security",
            &[("count", "2"), ("distinct_groups", "")],
            "distinct_groups",
        ),
        ("owner,security", &[("count", "2"), ("distinct_groups", "")], "from"),
    ];
    for (from, more, key) in wrong {
        let problems = asking(from, more).unwrap_err();
        let found = (problems[0].code, problems[0].key.as_deref());
        assert_eq!(found, ("bad_value", Some(*key)), "{from} {more:?}");
    }
    let validation = compile(&[("require", "validation"), ("from", both)]).unwrap_err();
    assert_eq!(validation[0].code, "bad_value", "only approvals are counted");
}

#[test]
fn every_kind_compiles() {
    let evidence = compile(&[("require", "evidence"), ("aspect", "backup"), ("due", "close")]).unwrap();
    assert_eq!(
        (evidence.due, evidence.duty),
        (
            Due::Close,
            Duty::Evidence {
                aspect: Aspect::Backup,
                environment: None
            }
        )
    );
    let peer = compile(&[("require", "peer_review"), ("from", "security"), ("due", "approval")]).unwrap();
    assert_eq!(
        peer.duty,
        Duty::PeerReview {
            count: 1,
            from: Some(GroupKey::from("security"))
        }
    );
    let list = compile(&[("require", "checklist"), ("items", "One; Two")]).unwrap();
    assert_eq!(
        list.duty,
        Duty::Checklist {
            items: vec!["One".to_owned(), "Two".to_owned()]
        }
    );
}

#[test]
fn each_way_of_checking_an_item_has_annotations_of_its_own() {
    let with = |more: &[(&'static str, &'static str)]| {
        let mut pairs = vec![("require", "item"), ("title", "A backup"), ("owner", "group:dba")];
        pairs.extend(more);
        compile(&pairs)
    };
    let probe = with(&[("check", "probe"), ("probe", "restored-backup"), ("max_age", "24h")]).unwrap();
    assert_eq!(
        (probe.due, probe.duty),
        (
            Due::Start,
            Duty::Item {
                title: "A backup".to_owned(),
                check: ItemCheck::Probe {
                    probe: "restored-backup".to_owned(),
                    max_age_minutes: 24 * 60,
                },
                owner: Asked::Group(GroupKey::from("dba")),
            }
        )
    );
    for good in [
        &[("check", "manual"), ("distinct_from", "author")][..],
        &[("check", "manual"), ("due", "approval")],
        &[("check", "evidence"), ("aspect", "backup"), ("max_age", "7d")],
        &[("check", "evidence"), ("aspect", "backup"), ("distinct_from", "author")],
        &[
            ("check", "evidence"),
            ("aspect", "backup"),
            ("probe", "restored-backup"),
            ("max_age", "24h"),
        ],
    ] {
        assert!(with(good).is_ok(), "{good:?}");
    }
    for (wrong, code) in [
        (&[][..], "annotation_missing"),
        (&[("check", "glance")], "bad_value"),
        (&[("check", "probe"), ("probe", "x")], "annotation_missing"),
        (&[("check", "probe"), ("max_age", "1h")], "annotation_missing"),
        (&[("check", "evidence")], "annotation_missing"),
        (
            &[("check", "evidence"), ("aspect", "backup"), ("probe", "x")],
            "annotation_missing",
        ),
        (
            &[
                ("check", "evidence"),
                ("aspect", "backup"),
                ("distinct_from", "approver"),
            ],
            "bad_value",
        ),
        (&[("check", "manual"), ("aspect", "backup")], "bad_value"),
        (&[("check", "manual"), ("max_age", "1h")], "bad_value"),
        (&[("check", "manual"), ("items", "One")], "misplaced_annotation"),
    ] {
        assert_eq!(with(wrong).unwrap_err()[0].code, code, "{wrong:?}");
    }
    assert_eq!(
        compile(&[("require", "security_answers"), ("due", "approval")])
            .unwrap()
            .duty,
        Duty::SecurityAnswers {}
    );
}

#[test]
fn a_rule_on_communication_compiles() {
    let communication = compile(&[
        ("require", "communication"),
        ("announced_before", "24h"),
        ("acknowledged", ""),
        ("ready_from", "group:ops,group:network"),
    ])
    .unwrap();
    assert_eq!(
        communication.duty,
        Duty::Communication {
            announced_minutes: Some(1_440),
            acknowledged: true,
            ready_from: Some(Asked::Groups(vec!["ops".into(), "network".into()])),
        }
    );
}

#[test]
fn a_task_may_ask_that_the_first_part_is_watched() {
    let task = [
        ("require", "task"),
        ("kind", "implement"),
        ("title", "Look"),
        ("watched", ""),
    ];
    let task = compile(&task).unwrap();
    assert!(matches!(task.duty, Duty::Task { watched: true, .. }));
}

#[test]
fn tasks_times_and_permits_compile() {
    let task = compile(&[("require", "task"), ("kind", "verify"), ("title", "Look")]).unwrap();
    assert_eq!(
        (task.due, task.duty),
        (
            Due::Close,
            Duty::Task {
                kind: TaskKind::Verify,
                title: "Look".to_owned(),
                watched: false,
            }
        )
    );
    for (text, span) in [
        ("5d", Span::Minutes(7_200)),
        ("5bd", Span::WorkDays(5)),
        ("4bh", Span::WorkMinutes(240)),
    ] {
        let lead = compile(&[("require", "lead_time"), ("lead_time", text)]).unwrap();
        let fields = Vec::new();
        assert_eq!(lead.duty, Duty::LeadTime { span, fields });
    }
    let named = [
        ("require", "lead_time"),
        ("lead_time", "5d"),
        ("fields", "targets, plan"),
    ];
    let lead = compile(&named).unwrap();
    let fields = vec!["plan".to_owned(), "targets".to_owned()];
    assert_eq!(
        lead.duty,
        Duty::LeadTime {
            span: Span::Minutes(7_200),
            fields
        }
    );
    let emergency = compile(&[("require", "emergency"), ("resolved_within", "4h")]).unwrap();
    assert_eq!(
        emergency.duty,
        Duty::Emergency {
            resolved_within_minutes: Some(240),
            start_within_minutes: None,
        }
    );
    let permit = compile(&[
        ("require", "permit"),
        ("minutes", "30"),
        ("ahead", ""),
        ("max_list_age", "24h"),
    ])
    .unwrap();
    assert_eq!(
        permit.duty,
        Duty::Permit {
            minutes: Some(30),
            ahead: true,
            max_list_age_seconds: Some(86_400)
        }
    );
    assert_eq!(compile(&[("require", "review")]).unwrap().duty, Duty::Review {});
    let validation = compile(&[("require", "validation"), ("from", "tester")]).unwrap();
    assert_eq!(
        validation.duty,
        Duty::Validation {
            distinct_from: vec![],
            from: Some(Asked::Tester)
        }
    );
}

#[test]
fn wrong_annotations_are_named_with_the_nearest() {
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);
    let cases: &[Case<'_>] = &[
        (&[("require", "aproval")], "unknown_kind", "did you mean `approval`?"),
        (
            &[("require", "review"), ("dual_controll", "")],
            "unknown_annotation",
            "did you mean `@dual_control`?",
        ),
        (&[("require", "review"), ("count", "2")], "misplaced_annotation", ""),
        (&[("require", "approval"), ("from", "owner")], "annotation_missing", ""),
        (&[("require", "permit")], "annotation_missing", ""),
        (&[("require", "evidence"), ("aspect", "functinal")], "bad_value", ""),
        (&[("require", "permit"), ("minutes", "1441")], "bad_value", ""),
        (&[("require", "permit"), ("max_list_age", "25h")], "bad_value", ""),
        (&[("require", "permit"), ("ahead", "yes")], "bad_value", ""),
        (&[("require", "lead_time"), ("lead_time", "5wd")], "bad_value", ""),
        (&[("require", "peer_review"), ("count", "$many")], "parameter", ""),
        (
            &[
                ("require", "approval"),
                ("from", "owner"),
                ("covers", "what"),
                ("quorum", "2"),
            ],
            "bad_value",
            "",
        ),
        (&[], "require_missing", ""),
    ];
    for (pairs, code, help) in cases {
        let problems = compile(pairs).unwrap_err();
        assert_eq!(problems[0].code, *code, "{pairs:?}");
        assert_eq!(problems[0].help.as_deref().unwrap_or_default(), *help, "{pairs:?}");
    }
}

#[test]
fn other_policies_have_an_id_and_a_reason_only() {
    let annotations = [("id", ""), ("reason", ""), ("count", "2"), ("reson", "")]
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
    let codes: Vec<_> = plain(&annotations).into_iter().map(|p| p.code).collect();
    assert_eq!(codes, ["misplaced_annotation", "unknown_annotation"]);
}
