//! The content of a permit: nothing that was neither approved in the target nor attested to be made from its commit.

use acts::change::{create_change, verbs};
use acts::core::gate_question;
use acts::gate::{answer, keep_provenance};
use jiff::SignedDuration;
use model::change::related_records::Permit;
use model::core::enums::GateDecision;
use model::gate::provenance::Provenance;
use serde_json::{Value, json};
use store::record;

use crate::meant::with_commit;
use crate::{World, artifact, began, body, status};

const APPROVED: &str = "1111111111111111111111111111111111111111";
const SQUASHED: &str = "2222222222222222222222222222222222222222";
const OTHER: &str = "3333333333333333333333333333333333333333";
const BUILT: &str = "sha256:eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";

const MADE: &str = "sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";

/// The artifact and the commit that a permit names.
type Named = (Option<String>, Option<String>);

impl World {
    /// A standard change for a commit alone, scheduled.
    fn planned_for_commit(&self) -> String {
        self.by("rita", |cx| {
            let request = json!({
                "kind": "standard", "template": "deploy-pay", "title": "Deploy pay",
                "targets": [{"service": "pay", "environment": "production", "commit": APPROVED}],
                "planned_start": "2026-11-20T09:00:00Z", "planned_end": "2026-11-20T14:00:00Z",
            });
            let key = create_change::create_change(cx, &body(request), &[])?;
            verbs::submit_change(cx, &key)?;
            Ok(key)
        })
    }

    fn told(&self, commit: &'static str, tree: Option<&'static str>, artifact: Option<&'static str>) {
        let source = self.connection.clone();
        self.system(move |cx| {
            let told = Provenance {
                id: "".into(),
                version: 0,
                repository: "pay".to_owned(),
                commit: commit.to_owned(),
                tree: tree.map(str::to_owned),
                artifact: artifact.map(str::to_owned),
                files: None,
                before: None,
                committers: None,
                is_partial: false,
                merged: None,
                source: source.clone(),
                at: began(),
            };
            keep_provenance::keep(cx, told)
        });
    }

    /// The response without a check, and the artifact and commit of the permit that a check gives.
    fn asked_for(&self, artifact: Option<&'static str>, commit: Option<&'static str>) -> (GateDecision, Option<Named>) {
        let question = gate_question::Question {
            service: "pay".to_owned(),
            environment: "production".to_owned(),
            artifact: artifact.map(str::to_owned),
            commit: commit.map(str::to_owned),
            change: None,
            purpose: None,
            member: None,
        };
        self.system(move |cx| {
            let answer = answer::ask(cx, &question)?;
            let checked = answer::check(cx, &question, None)?;
            assert_eq!(checked.check.decision, answer.decision, "both ways to ask say the same");
            let Some(id) = checked.check.permit else {
                return Ok((answer.decision, None));
            };
            let permit = record::load::<Permit>(cx.tx, id.as_str())?.unwrap().record;
            Ok((answer.decision, Some((permit.artifact, permit.commit))))
        })
    }
}

fn goes(artifact: Option<&str>, commit: Option<&str>) -> (GateDecision, Option<Named>) {
    let named = (artifact.map(str::to_owned), commit.map(str::to_owned));
    (GateDecision::Go, Some(named))
}

#[test]
fn an_artifact_that_nobody_approved_or_attested_stands_in_no_permit() {
    let world = World::new();
    world.planned_for_commit();
    world.told(APPROVED, Some("tree"), None);
    world.told(SQUASHED, Some("tree"), None);
    world.told(OTHER, Some("another"), None);
    // The approved commit and one with an equal tree are go; beside an artifact that nobody attested neither is.
    assert_eq!(world.asked_for(None, Some(APPROVED)), goes(None, Some(APPROVED)));
    assert_eq!(world.asked_for(None, Some(SQUASHED)), goes(None, Some(SQUASHED)));
    for commit in [APPROVED, SQUASHED, OTHER] {
        let answer = world.asked_for(Some(BUILT), Some(commit));
        assert_eq!(answer, (GateDecision::Stop, None), "{commit}");
    }
    assert_eq!(world.asked_for(Some(BUILT), None), (GateDecision::Stop, None));
    // Attested to be made from the squash, it is in every permit for it.
    world.told(SQUASHED, None, Some(BUILT));
    assert_eq!(world.asked_for(Some(BUILT), None), goes(Some(BUILT), None));
    assert_eq!(
        world.asked_for(Some(BUILT), Some(SQUASHED)),
        goes(Some(BUILT), Some(SQUASHED))
    );
    assert_eq!(
        world.asked_for(Some(BUILT), Some(APPROVED)),
        goes(Some(BUILT), Some(APPROVED))
    );
}

#[test]
fn an_artifact_that_was_made_from_another_commit_is_stopped_whatever_commit_stands_beside_it() {
    let world = World::new();
    world.planned_for_commit();
    world.told(OTHER, None, Some(BUILT));
    assert_eq!(world.asked_for(Some(BUILT), Some(APPROVED)), (GateDecision::Stop, None));
    assert_eq!(world.asked_for(None, Some(APPROVED)), goes(None, Some(APPROVED)));
}

#[test]
fn an_artifact_that_is_attested_of_another_commit_moves_no_target_by_the_commit_beside_it() {
    let world = World::new();
    let key = world.planned_for_commit();
    world.told(OTHER, None, Some(BUILT));
    world.set_clock(began() + SignedDuration::from_mins(30));
    world.take(with_commit(status("other", BUILT, "success", 9)));
    assert_eq!(world.ends(&key), [Value::Null]);
    // Nor does an unattested one: the permit's verifier would refuse it as well.
    world.take(with_commit(status("unknown", &artifact(2, 0), "success", 9)));
    assert_eq!(world.ends(&key), [Value::Null]);
    world.told(APPROVED, None, Some(MADE));
    world.take(with_commit(status("attested", MADE, "success", 9)));
    assert_eq!(world.ends(&key), [json!("succeeded")]);
}
