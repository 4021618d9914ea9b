//! No error ever allows, whatever the facts.

use std::sync::LazyLock;

use crate::support::{actor, change, compile, full_set, target, with_house};
use model::approval::obligation::level_number;
use model::core::act::{Act, actions};
use model::core::enums::{Category, Criticality, Kind, Level, OwnershipRole, Role, State, Touch};
use model::core::ids::{GroupKey, PersonId};
use model::policy::facts::{ActorFacts, ChangeFacts, ForecastFacts, Part, TargetFacts};
use policy::{PolicySet, on_policy_thread};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

/// Overflows, and so errs, from medium risk on; strict validation does not see it.
const ERRS: &str = "resource.risk_number * 9223372036854775807 >= 0";

fn house(effect: &str, annotation: &str, action: &str) -> PolicySet {
    let text = format!(
        "@id(\"house.errs\")\n@reason(\"It errs.\")\n{annotation}\n{effect} (principal, action == Action::\"{action}\", resource)\nwhen {{ {ERRS} }};"
    );
    compile(&with_house(&text), "").unwrap()
}

static FULL: LazyLock<PolicySet> = LazyLock::new(full_set);
static PERMIT_ERRS: LazyLock<PolicySet> = LazyLock::new(|| house("permit", "", "approve_change"));
static FORBID_ERRS: LazyLock<PolicySet> = LazyLock::new(|| house("forbid", "", "approve_change"));
static REQUIRE_ERRS: LazyLock<PolicySet> = LazyLock::new(|| house("permit", "@require(\"review\")", "require"));

prop_compose! {
    fn any_change()(
        kind in select(Kind::ALL), state in select(State::ALL), category in select(Category::ALL),
        touches in subsequence(Touch::ALL, 0..=5), levels in proptest::array::uniform5(select(Level::ALL)),
        expedited in any::<bool>(), retrospective in any::<bool>(), names_threat in any::<bool>(), people in proptest::array::uniform4("[a-z \"\\\\]{0,4}"),
    ) -> ChangeFacts {
        let [requester, owner, author, implementer] = people.map(PersonId::from);
        ChangeFacts {
            kind, state, category, touches, expedited, retrospective, names_threat, requester, owner,
            risk: levels[0], impact_data: levels[1], impact_availability: levels[2], impact_compliance: levels[3],
            complexity: levels[4], authors: vec![author], implementers: vec![implementer.clone()],
            implemented_by: vec![implementer], ..change()
        }
    }
}

prop_compose! {
    fn any_target()(
        service in "[a-z\"\\\\]{0,4}", criticality in select(Criticality::ALL), is_production in any::<bool>(),
        regimes in prop::collection::vec("(sox|hipaa|PCI-DSS|[a-z]{1,5})", 0..3), data_class in prop::option::of("[a-z]{0,8}"),
        owners in prop::collection::vec((select(OwnershipRole::ALL), "[a-z]{0,2}"), 0..4),
    ) -> TargetFacts {
        let owners = owners.into_iter().map(|(role, person)| (role, PersonId::from(person))).collect();
        TargetFacts { criticality, is_production, data_class, owners, regimes, ..target("1", &service, &[]) }
    }
}

prop_compose! {
    fn any_actor()(
        roles in subsequence(Role::ALL, 0..=11), groups in prop::collection::vec("[a-z\"\\\\]{0,3}", 0..3),
        by_token in any::<bool>(), person in "[a-z]{0,2}",
        parts in subsequence(vec![Part::Requester, Part::Owner, Part::Author, Part::Implementer, Part::Asked, Part::Approver, Part::Peer], 0..=7),
    ) -> ActorFacts {
        let groups = groups.into_iter().map(GroupKey::from).collect();
        ActorFacts { person: PersonId::from(person), groups, by_token, ..actor(&roles, &parts) }
    }
}

/// Runs a property on the deep stack that the callers of this crate have, on 64 samples that are the same each time.
fn check<S: Strategy + Sync>(strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError> + Send) {
    on_policy_thread(|| {
        let config = ProptestConfig {
            cases: 64,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut runner = TestRunner::new_with_rng(config, rng);
        runner.run(&strategy, test).unwrap_or_else(|error| panic!("{error}"));
    });
}

#[test]
fn an_erring_policy_refuses_whatever_else_permits() {
    check(
        (any_actor(), any_change(), any_target()),
        |(mut actor, change, target)| {
            actor.parts.push(Part::Asked);
            actor.by_token = false;
            for set in [&*PERMIT_ERRS, &*FORBID_ERRS] {
                let verdict = set.may(&actor, "approve_change", Some((&change, std::slice::from_ref(&target))));
                if level_number(change.risk) >= 2 {
                    prop_assert!(!verdict.allowed);
                    prop_assert_eq!(
                        &verdict.reasons[0].reason,
                        "a rule could not be evaluated: `house.errs`"
                    );
                } else {
                    let is_forbid = std::ptr::eq(set, &*FORBID_ERRS);
                    prop_assert_eq!(verdict.allowed, !is_forbid, "the policy decides where it does not err");
                }
            }
            Ok(())
        },
    );
}

#[test]
fn an_erring_requirement_stops_everything() {
    check(
        (any_change(), prop::collection::vec(any_target(), 0..3)),
        |(change, targets)| {
            let answer = REQUIRE_ERRS.require(&change, &targets);
            if level_number(change.risk) >= 2 {
                prop_assert_eq!(
                    answer.stop.as_deref(),
                    Some("a rule could not be evaluated: `house.errs`")
                );
                prop_assert!(answer.obligations.is_empty());
            } else {
                prop_assert_eq!(answer.stop, None);
                prop_assert!(answer.obligations.iter().any(|row| row.obligation.id == "house.errs"));
            }
            Ok(())
        },
    );
}

#[test]
fn a_forecast_asks_for_more_and_never_for_less() {
    let forecast = |ppm: i64| ForecastFacts {
        model: "sha256:0".to_owned(),
        features_version: 1,
        probability_ppm: Some(ppm),
        low_ppm: ppm / 2,
        high_ppm: ppm.midpoint(1_000_000),
        moved_ppm: None,
    };
    // A model that abstains over the same interval.
    let unknown = |ppm: i64| ForecastFacts {
        probability_ppm: None,
        ..forecast(ppm)
    };
    let asked = |change: &ChangeFacts, target: &TargetFacts| -> Vec<String> {
        let answer = FULL.require(change, std::slice::from_ref(target));
        answer.obligations.into_iter().map(|row| row.obligation.id).collect()
    };
    check(
        (any_change(), any_target(), 0..1_000_000_i64, 0..1_000_000_i64),
        |(change, target, one, other)| {
            let with = |ppm: Option<i64>| ChangeFacts {
                forecast: ppm.map(forecast),
                ..change.clone()
            };
            let steps = [None, Some(one.min(other)), Some(one.max(other))];
            let rules = steps.map(|ppm| asked(&with(ppm), &target));
            for pair in rules.windows(2) {
                prop_assert!(pair[0].iter().all(|id| pair[1].contains(id)), "{pair:?}");
            }
            let abstained = ChangeFacts {
                forecast: Some(unknown(one)),
                ..change.clone()
            };
            let more = asked(&abstained, &target);
            prop_assert!(rules[0].iter().all(|id| more.contains(id)), "{more:?}");
            // A reviewed failure moves a forecast upwards, and requires the same as a forecast of that height.
            let moved = ChangeFacts {
                forecast: Some(ForecastFacts {
                    moved_ppm: Some(one.max(other)),
                    ..forecast(one.min(other))
                }),
                ..change.clone()
            };
            prop_assert_eq!(&asked(&moved, &target), &rules[2]);
            Ok(())
        },
    );
}

#[test]
fn the_shipped_packs_judge_all_facts() {
    check(
        (any_actor(), any_change(), prop::collection::vec(any_target(), 0..3)),
        |(actor, change, targets)| {
            let answer = FULL.require(&change, &targets);
            prop_assert_eq!(answer.stop, None);
            prop_assert!(
                answer
                    .obligations
                    .iter()
                    .any(|row| row.obligation.id == "base.require.validation")
            );
            for action in Act::ALL
                .iter()
                .map(|act| act.as_str())
                .chain(actions::ALL.iter().copied())
            {
                let verdict = FULL.may(&actor, action, Some((&change, &targets)));
                prop_assert!(
                    verdict.reasons.iter().all(|reason| !reason.id.starts_with("assent.")),
                    "{action}: {verdict:?}"
                );
                prop_assert!(!verdict.reasons.is_empty());
            }
            Ok(())
        },
    );
}

/// Pieces of policies, right and wrong, from which hostile files are made.
const PIECES: [&str; 36] = [
    "@id(\"house.a\")",
    "@id(\"house.b\")",
    "@reason(\"Why.\")",
    "@require(\"review\")",
    "@step_up",
    "@",
    "permit",
    "forbid",
    "(principal, action == Action::\"require\", resource)",
    "(principal, action == Action::\"approve_change\", resource)",
    "(principal, action, resource)",
    "when {",
    "unless {",
    "}",
    "(",
    ")",
    "[",
    "]",
    ";",
    "\"",
    "\\",
    "// remark\r",
    "\n",
    "resource.risk_number > 1",
    "context.target",
    "principal in",
    "&&",
    "!",
    "1 + 1 ==",
    "if",
    "then",
    "else",
    "?principal",
    "Level::\"low\"",
    "é",
    "like",
];

#[test]
fn no_text_panics_and_every_finding_has_a_place() {
    check(prop::collection::vec(select(PIECES.to_vec()), 0..40), |pieces| {
        let text = pieces.join(" ");
        let lines = u32::try_from(text.lines().count().max(1)).unwrap();
        for finding in compile(&with_house(&text), "").err().unwrap_or_default() {
            prop_assert_eq!(&finding.file, "house/house.cedar");
            prop_assert!((1..=lines + 1).contains(&finding.line), "{finding}");
            prop_assert!(!finding.text.is_empty());
        }
        Ok(())
    });
}
