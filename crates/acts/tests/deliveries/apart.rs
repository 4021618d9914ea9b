//! Approver and deployer are two people where a rule requires it: also where a signal reports the deployment.

use acts::directory::set_person;
use acts::policy::{activate_configuration, set_mapping};
use model::integration::signal::Signal;
use serde_json::json;

use crate::{World, artifact, began, body, status};

/// A rule that keeps approvers apart from implementers.
const IMPLEMENTERS: &str = r#"
@id("world.two")
@reason("Who approves it does not deploy it.")
@require("approval")
@from("change_manager")
@count("1")
@covers("what")
@distinct_from("implementer")
permit (principal, action == Action::"require", resource);
"#;

fn by(who: &str, mut signal: Signal) -> Signal {
    if let Signal::DeploymentStatus(told) = &mut signal {
        told.actor = Some(who.to_owned());
    }
    signal
}

#[test]
fn a_deployment_that_an_approver_triggered_is_unauthorized_where_a_rule_keeps_implementers_apart() {
    for rule in [
        IMPLEMENTERS.to_owned(),
        IMPLEMENTERS.replace("@distinct_from(\"implementer\")\n", ""),
    ] {
        let is_apart = rule == IMPLEMENTERS;
        let world = World::under(&rule);
        world.accounts("mona", &["plain:mona-b"]);
        world.accounts("olga", &["plain:olga"]);
        let artifact = artifact(1, 0);
        let key = world.planned(artifact.clone());
        let state = |id: &str| world.outcome(&artifact, id)["changes"][0]["state"].clone();
        assert_eq!(state("none"), "authorizing");
        world.approve("mona", &key);
        assert_eq!(state("none"), "scheduled");
        world.set_clock(began() + jiff::SignedDuration::from_mins(5));
        world.take(by("Mona-B", status("run-1", &artifact, "in_progress", 2)));
        let told = world.outcome(&artifact, "run-1");
        assert_eq!(told["deployments"][0]["unauthorized"], is_apart, "{told:#}");
        assert_eq!(state("run-1"), if is_apart { "scheduled" } else { "implementing" });
        assert_eq!(world.alarms() > 0, is_apart, "owners and change managers are told");
        // Its end does not make it lawful, and another's deployment of the same is.
        world.take(by("olga", status("run-1", &artifact, "success", 3)));
        let told = world.outcome(&artifact, "run-1");
        assert_eq!(told["deployments"][0]["unauthorized"], is_apart, "{told:#}");
        if is_apart {
            world.take(by("olga", status("run-2", &artifact, "in_progress", 4)));
            let told = world.outcome(&artifact, "run-2");
            assert_eq!(told["deployments"][0]["unauthorized"], false, "{told:#}");
            assert_eq!(state("run-2"), "implementing");
        }
    }
}

/// A rule that lets only people who build systems make and submit changes.
const BUILDERS: &str = r#"
@id("world.builders")
@reason("Who hands in a change builds systems.")
forbid (principal, action in [Action::"create_change", Action::"submit_change"], resource)
when { resource is Change && !principal.functions.contains("engineering") };
"#;

/// The mapping makes a standard change of each deployment to pay.
fn map_to_template(world: &World) {
    let rules = json!({
        "reason": "It walks by itself",
        "rules": [{"rule": "pay", "services": ["pay"], "kind": "standard", "template": "deploy-pay"}],
    });
    let proposal = world.by("ada", move |cx| set_mapping::propose_mapping(cx, &body(rules.clone())));
    let id = proposal.id.0;
    world.by("mona", move |cx| {
        activate_configuration::activate_configuration(cx, &id, &body(json!({}))).map(drop)
    });
}

/// A rule on authors and submitters of changes holds for those that a delivery makes in a person's name.
#[test]
fn a_delivery_hands_in_a_change_for_nobody_whom_the_rules_do_not_let() {
    for (builder, requester, state) in [
        (None, "rita", "draft"),
        (Some("olga"), "olga", "implementing"),
        (Some("rita"), "rita", "implementing"),
    ] {
        let world = World::under(BUILDERS);
        map_to_template(&world);
        if let Some(login) = builder {
            let functions = json!({"functions": ["engineering"]});
            world.by("ada", move |cx| {
                set_person::edit_person(cx, login, &body(functions.clone())).map(drop)
            });
        }
        world.set_clock(began() + jiff::SignedDuration::from_mins(5));
        let artifact = artifact(1, 0);
        let said = world.take_by(&world.connection, status("run-1", &artifact, "in_progress", 2));
        let told = world.outcome(&artifact, "run-1");
        let change = &told["changes"][0];
        assert_eq!(
            (&change["requester"], &change["state"]),
            (&json!(requester), &json!(state)),
            "{said}: {told:#}"
        );
        assert_eq!(told["deployments"][0]["unauthorized"], builder.is_none(), "{said}");
        assert_eq!(said.contains("world.builders"), builder.is_none(), "{said}");
    }
}
