//! The facts that a quarterly adjustment takes from each quarter: rules in force then, and facts known afterwards.

use acts::Context;
use acts::policy::activate_configuration::activate_configuration;
use model::change::record::{CausedIncident, Change};
use model::change::related_records::Evidence;
use model::core::enums::{AdjustmentState, FindingKind, RiskRating};
use model::incident::review_answer::ReviewAnswer;
use model::risk::adjustment::Comparison;
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::adjusting::{decide, due, keep, planted, with_facts};
use crate::reviewing::go_to;
use crate::world::{World, body};

/// A change manager approves anyway, so the desk never adds an approval.
const DESK: &str = "@id(\"house.require.desk\")\n@reason(\"The desk agrees.\")\n@require(\"approval\")\n@from(\"change_manager\")\n\
    @count(\"1\")\n@covers(\"what\")\npermit (principal, action == Action::\"require\", resource)\n\
    when { resource.kind == Kind::\"normal\" && !resource.retrospective };\n";
/// It requires evidence that is there anyway.
const TESTED: &str = "@id(\"house.require.tested\")\n@reason(\"It was tested.\")\n@require(\"evidence\")\n@aspect(\"functional\")\n\
    @due(\"start\")\npermit (principal, action == Action::\"require\", resource)\n\
    when { resource.kind == Kind::\"normal\" && !resource.retrospective };\n";

/// Puts a tenant's rule in force, with a case that expects it.
fn with_rule(world: &World, id: &str, content: &str) {
    let case = format!(
        "given a service\n  people rita roles requester, olga roles owner\n  service pay, criticality low, owners olga\n  \
         environment production, production yes\n  change kind normal, risk low, touches none, requester rita\n\n\
         case the house asks as well\n  requires\n    {id}\n    base.require.validation\n    base.require.review\n    \
         base.require.owner\n    base.require.security\n    base.require.change_manager\n    base.require.evidence\n"
    );
    let set = json!({
        "reason": "The house asks as well", "files": [{"path": "house/house.cedar", "content": content}],
        "cases": [{"path": "house/cases/house.cases", "content": case}],
    });
    let id = crate::configuring::proposed(world, set).id.0;
    world.by("adam", move |cx| activate_configuration(cx, &id, &body(json!({}))));
}

/// A quarter of 106 closed changes with facts and evidence.
fn filled(world: &World) {
    let key = world.closed("Give every shipment a customs reference");
    world.system(move |cx| {
        let first = cx.change(&key)?;
        let of_first = Filter::new()
            .equals("change_id", first.id.as_str())
            .order_by("id")
            .limit(20);
        let evidence = record::bodies::<Evidence>(cx.tx, &of_first)?;
        for number in 1..=105 {
            with_facts(cx, &first, number)?;
            with_evidence(cx, &evidence, number)?;
        }
        Ok(())
    });
}

fn with_evidence(cx: &mut Context<'_, '_>, evidence: &[Evidence], number: i64) -> acts::Result<()> {
    for (place, row) in evidence.iter().enumerate() {
        let row = Evidence {
            id: format!("e{number:03}{place}").as_str().into(),
            version: 0,
            change: format!("h{number:03}").as_str().into(),
            ..row.clone()
        };
        cx.put_estate("evidence.added", row, json!({}))?;
    }
    Ok(())
}

fn useless(comparison: &Comparison) -> Vec<&str> {
    let findings = comparison.findings.iter();
    let useless = findings.filter(|it| it.kind == FindingKind::UselessRule);
    useless.map(|it| it.subject.as_str()).collect()
}

#[test]
fn a_rule_of_the_house_that_found_nothing_goes_once_two_people_say_so() {
    let world = crate::configuring::world();
    with_rule(&world, "house.require.desk", DESK);
    filled(&world);
    go_to(&world, "2027-01-02T08:00:00Z");
    let drawn = due(&world).unwrap();
    let comparison = drawn.comparison().unwrap();
    assert_eq!(
        useless(&comparison),
        ["house.require.desk"],
        "the base set is never called useless"
    );
    assert_eq!(comparison.removals.len(), 1, "{:#?}", comparison.removals);
    let test = &comparison.removals[0].back_test;
    assert_eq!(test.changes, 106, "{test:#?}");
    assert!(test.reproduced > 100, "{test:#?}");
    assert_eq!((test.asked_less, test.failed), (test.reproduced, 12), "{test:#?}");
    assert!(keep(&world, drawn));

    let has = |rule: &'static str| world.look(move |cx| Ok(cx.policies()?.source(rule).is_some())).unwrap();
    let adopted = decide(&world, "mona", json!({"adopted": true, "reason": "It never said no"})).unwrap();
    let id = adopted.policies.unwrap();
    assert!(has("house.require.desk"), "adopting alone moves nothing");
    world.by("ada", move |cx| activate_configuration(cx, &id, &body(json!({}))));
    assert!(!has("house.require.desk"));
    assert!(has("base.require.owner"), "all others stay");
}

#[test]
fn a_quarter_knows_the_rules_that_were_in_force_in_it() {
    let early = crate::configuring::world();
    with_rule(&early, "house.require.tested", TESTED);
    filled(&early);
    go_to(&early, "2027-01-02T08:00:00Z");
    let comparison = due(&early).unwrap().comparison().unwrap();
    assert_eq!(useless(&comparison), ["house.require.tested"]);

    let late = crate::configuring::world();
    filled(&late);
    go_to(&late, "2027-01-02T08:00:00Z");
    with_rule(&late, "house.require.tested", TESTED);
    let comparison = due(&late).unwrap().comparison().unwrap();
    assert_eq!(useless(&comparison), Vec::<&str>::new(), "it asked nobody then");
}

#[test]
fn a_quarter_that_ended_while_the_server_was_away_is_compared_later() {
    let world = planted();
    go_to(&world, "2027-05-01T08:00:00Z");
    let drawn = due(&world).unwrap();
    assert_eq!((drawn.quarter.as_str(), drawn.compared), ("2026-Q4", 106));
    assert!(keep(&world, drawn));
    assert!(due(&world).is_none(), "nothing became known in the quarter behind it");
}

#[test]
fn what_becomes_known_after_its_quarter_counts_in_the_next_one_and_once() {
    let world = planted();
    go_to(&world, "2027-01-02T08:00:00Z");
    assert!(keep(&world, due(&world).unwrap()));
    go_to(&world, "2027-02-10T08:00:00Z");
    world.system(|cx| {
        for number in [5_030, 5_031, 5_032] {
            let answer = ReviewAnswer {
                id: format!("r{number}").as_str().into(),
                version: 0,
                incident_key: "INC-900".to_owned(),
                change_key: format!("CHG-{number}"),
                rating: RiskRating::TooLow,
                steps_adequate: true,
                text: None,
                by: cx.actor.person.clone(),
                at: cx.now,
            };
            cx.put_estate("review_answer.given", answer, json!({}))?;
        }
        // One of the network had failed before; of applications, this one becomes a failure now.
        for key in ["CHG-5001", "CHG-5040"] {
            let mut change: Change = cx.change(key)?;
            change.caused_incidents.push(CausedIncident {
                incident: "INC-901".to_owned(),
                by: cx.actor.person.clone(),
                at: cx.now,
            });
            change.updated_at = cx.now;
            cx.put_estate("change.closed", change, json!({}))?;
        }
        Ok(())
    });
    go_to(&world, "2027-04-02T08:00:00Z");
    let next = due(&world).unwrap();
    assert_eq!((next.quarter.as_str(), next.compared), ("2027-Q1", 4));
    assert_eq!(next.findings, ["rated_too_low: impact low, complexity low"]);
    assert_eq!(next.state, AdjustmentState::Proposed);
    let report: Value = serde_json::from_str(next.report.as_deref().unwrap()).unwrap();
    assert_eq!(report["findings"][0]["of"], 3, "{report:#}");
    assert!(keep(&world, next));
    go_to(&world, "2027-07-02T08:00:00Z");
    assert!(due(&world).is_none(), "none of it counts again");
}
