//! The two queries: the requirements, and the people with the right.

use crate::support::{actor, base_set, change, compile, full_set, target, with_house};
use model::approval::obligation::Due;
use model::core::enums::{Kind, Level, Role, Touch};
use model::policy::facts::{ChangeFacts, Part};
use policy::on_policy_thread;

#[test]
fn obligations_of_several_targets_are_united_and_sorted() {
    let set = full_set();
    let mut change = change();
    change.touches = vec![Touch::Schema];
    let targets = [
        target("1", "pay", &["sox"]),
        target("2", "charts", &["HIPAA"]),
        target("3", "web", &[]),
    ];
    let answer = on_policy_thread(|| set.require(&change, &targets));
    assert_eq!(answer.stop, None);
    assert_eq!(answer.policy_digest, set.digest());
    let rows: Vec<(String, Vec<&str>)> = answer
        .obligations
        .iter()
        .map(|row| {
            (
                row.obligation.id.clone(),
                row.targets.iter().map(|target| target.as_str()).collect(),
            )
        })
        .collect();
    let mut sorted = rows.clone();
    sorted.sort();
    assert_eq!(rows, sorted);
    let targets_of = |id: &str| {
        rows.iter()
            .find(|(row, _)| row == id)
            .map(|(_, targets)| targets.clone())
    };
    assert_eq!(targets_of("base.require.owner").unwrap(), ["1", "2", "3"]);
    assert_eq!(targets_of("sox.require.owners").unwrap(), ["1"]);
    assert_eq!(targets_of("hipaa.require.data_owner").unwrap(), ["2"]);
}

#[test]
fn the_facts_digest_ignores_the_order_of_sets_and_sees_all_else() {
    let set = base_set();
    let (one, two) = (target("1", "pay", &["sox", "gdpr"]), target("2", "web", &[]));
    let mut turned = one.clone();
    turned.regimes.reverse();
    let digest = |change: &_, targets: &[_]| on_policy_thread(|| set.require(change, targets).facts_digest);
    let usual = digest(&change(), &[one.clone(), two.clone()]);
    assert_eq!(usual, digest(&change(), &[two.clone(), turned]));
    assert_ne!(usual, digest(&change(), &[one]));
    let mut late = change();
    late.expedited = true;
    assert_ne!(digest(&change(), std::slice::from_ref(&two)), digest(&late, &[two]));
}

#[test]
fn what_was_asked_of_one_change_is_asked_of_another_like_it_and_of_no_other() {
    let set = base_set();
    let (low, targets) = (change(), [target("1", "pay", &[])]);
    let require = |change: &ChangeFacts| on_policy_thread(|| set.require(change, &targets));
    let first = require(&low);
    let like_it = ChangeFacts {
        change: "another".into(),
        tenant: "elsewhere".into(),
        ..low.clone()
    };
    let second = require(&like_it);
    assert_eq!(second.obligations, first.obligations);
    assert_ne!(second.facts_digest, first.facts_digest, "each has facts of its own");
    let riskier = ChangeFacts {
        risk: Level::High,
        ..like_it
    };
    assert_ne!(require(&riskier).obligations, first.obligations);
    assert_eq!(require(&low), first);
}

#[test]
fn a_verdict_is_of_its_actor_act_and_facts() {
    let set = base_set();
    let targets = [target("1", "pay", &[])];
    let like_it = ChangeFacts {
        change: "another".into(),
        ..change()
    };
    let may = |role: Role, action: &str, change: &ChangeFacts| {
        let actor = actor(&[role], &[]);
        on_policy_thread(|| set.may(&actor, action, Some((change, &targets))).allowed)
    };
    for _ in 0..2 {
        assert!(may(Role::Requester, "create_change", &change()));
        assert!(may(Role::Requester, "create_change", &like_it));
        assert!(!may(Role::Admin, "create_change", &like_it));
        assert!(!may(Role::Requester, "overrule_rejection", &change()));
    }
}

#[test]
fn a_draft_without_targets_is_judged_with_no_target_named() {
    let set = base_set();
    let answer = on_policy_thread(|| set.require(&change(), &[]));
    assert_eq!(answer.stop, None);
    assert!(!answer.obligations.is_empty());
    assert!(answer.obligations.iter().all(|row| row.targets.is_empty()));
}

#[test]
fn dues_are_as_the_policies_say() {
    let set = base_set();
    let mut high = change();
    high.risk = Level::High;
    let answer = on_policy_thread(|| set.require(&high, &[target("1", "web", &[])]));
    let due = |id: &str| {
        answer
            .obligations
            .iter()
            .find(|row| row.obligation.id == id)
            .map(|row| row.obligation.due)
    };
    assert_eq!(due("base.require.peer_review"), Some(Due::Approval));
    assert_eq!(due("base.require.evidence"), Some(Due::Start));
    assert_eq!(due("base.require.validation"), Some(Due::Close));
}

#[test]
fn an_act_is_allowed_only_if_every_target_allows_it() {
    let mut files = policy::base().files;
    files.extend(policy::pack("sox").unwrap().files);
    let set = compile(&files, "").unwrap();
    let may = |targets: &[_]| {
        let actor = actor(&[Role::Implementer], &[Part::Implementer, Part::Author]);
        on_policy_thread(|| set.may(&actor, "start_change", Some((&change(), targets))))
    };
    let verdict = may(&[target("1", "web", &[])]);
    assert!(verdict.allowed);
    assert_eq!(verdict.reasons[0].id, "base.act.implement");
    let verdict = may(&[target("1", "web", &[]), target("2", "pay", &["sox"])]);
    assert!(!verdict.allowed);
    assert_eq!(verdict.reasons[0].id, "sox.act.implement_own");
    assert_eq!(
        verdict.reasons[0].reason,
        "Authors of a change of a financial system may not deploy it to production."
    );
}

#[test]
fn a_refusal_without_a_forbid_names_whose_right_it_is() {
    let set = base_set();
    let verdict = on_policy_thread(|| set.may(&actor(&[Role::Admin], &[]), "set_freeze", None));
    assert!(!verdict.allowed);
    assert_eq!(verdict.reasons.len(), 1);
    assert_eq!(verdict.reasons[0].reason, "Change managers set freezes.");
}

#[test]
fn creating_may_be_asked_with_and_without_a_change() {
    let set = base_set();
    let requester = actor(&[Role::Requester], &[]);
    on_policy_thread(|| {
        assert!(set.may(&requester, "create_change", None).allowed);
        assert!(set.may(&requester, "create_change", Some((&change(), &[]))).allowed);
        assert!(
            set.may(
                &requester,
                "create_change",
                Some((&change(), &[target("1", "web", &[])]))
            )
            .allowed
        );
        assert!(!set.may(&actor(&[Role::Admin], &[]), "create_change", None).allowed);
    });
}

#[test]
fn an_unknown_act_and_a_missing_change_are_refused() {
    let set = base_set();
    let manager = actor(&[Role::ChangeManager, Role::Admin], &[Part::Asked, Part::Owner]);
    for action in ["require", "Approve_change", "", "approve_changes"] {
        let verdict = set.may(&manager, action, Some((&change(), &[])));
        assert_eq!(
            (verdict.allowed, verdict.reasons[0].id.as_str()),
            (false, "assent.unknown_action")
        );
    }
    let verdict = set.may(&manager, "approve_change", None);
    assert_eq!(
        (verdict.allowed, verdict.reasons[0].id.as_str()),
        (false, "assent.facts")
    );
}

#[test]
fn membership_of_a_group_can_be_tested_by_acts() {
    let text = "@id(\"house.freeze\")\n@reason(\"Owners of pay.\")\npermit (principal in Group::\"own-pay\", action == Action::\"set_freeze\", resource);";
    let set = compile(&with_house(text), "").unwrap();
    let mut olga = actor(&[Role::Owner], &[]);
    assert!(!set.may(&olga, "set_freeze", None).allowed);
    olga.groups = vec!["own-pay".into(), "others".into()];
    let verdict = set.may(&olga, "set_freeze", None);
    assert_eq!(
        (verdict.allowed, verdict.reasons[0].id.as_str()),
        (true, "house.freeze")
    );
}

#[test]
fn every_kind_gets_the_base_obligation() {
    let set = full_set();
    for kind in Kind::ALL {
        let mut change = change();
        change.kind = *kind;
        let answer = on_policy_thread(|| set.require(&change, &[target("1", "web", &["house rule 7"])]));
        assert_eq!(answer.stop, None);
        assert!(
            answer
                .obligations
                .iter()
                .any(|row| row.obligation.id == "base.require.validation")
        );
    }
}
