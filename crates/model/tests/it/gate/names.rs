//! The target must contain all names in a query, and an offline verifier has the same result for the permit. Generated targets,
//! questions, attestations and trees; the oracle beside it is written apart from the rule.

use model::gate::names::{Kin, Names, matches_question, permitted};
use proof::crypto::{SigningKey, digest_text};
use proof::jwks::{Jwk, Jwks};
use proof::permit::{self, Claims, Expected, Purpose};
use proof::revocation::RevocationList;
use proptest::prelude::*;

const NOW: i64 = 1_800_000_000;

/// Which commits each artifact is attested to be made from, and which tree each commit has.
#[derive(Debug, Clone)]
struct Facts {
    attested: Vec<Vec<usize>>,
    trees: Vec<usize>,
}

fn artifact(n: usize) -> String {
    digest_text(format!("artifact {n}").as_bytes())
}

fn commit(n: usize) -> String {
    format!("{n:040x}")
}

impl Facts {
    fn equal(&self, to: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.trees.len()).filter(move |it| self.trees[*it] == self.trees[to])
    }

    fn kin(&self, asked: Asked) -> Kin {
        let made = asked.0.map(|it| self.attested[it].clone()).unwrap_or_default();
        let of_artifact = made.iter().flat_map(|it| self.equal(*it)).map(commit).collect();
        let of_commit = asked
            .1
            .into_iter()
            .flat_map(|it| self.equal(it).filter(move |kin| *kin != it));
        Kin {
            of_artifact,
            of_commit: of_commit.map(commit).collect(),
        }
    }

    /// Whether an artifact is known to be made from a commit or its equal.
    fn made_of(&self, artifact: usize, commit: usize) -> bool {
        self.attested[artifact]
            .iter()
            .any(|it| self.trees[*it] == self.trees[commit])
    }

    /// The rule as the issue has it: everything that is named must be named by the target.
    fn oracle(&self, own: Asked, asked: Asked) -> bool {
        let artifact = match (asked.0, own) {
            (None, _) => true,
            (Some(wanted), (Some(artifact), _)) => wanted == artifact,
            (Some(wanted), (None, Some(commit))) => self.made_of(wanted, commit),
            (Some(_), (None, None)) => false,
        };
        let commit = match (asked.1, own) {
            (None, _) => true,
            (Some(wanted), (_, Some(commit))) => self.trees[wanted] == self.trees[commit],
            (Some(_), (_, None)) => false,
        };
        asked != (None, None) && artifact && commit
    }
}

type Asked = (Option<usize>, Option<usize>);

fn names<T>(it: Asked, use_them: impl FnOnce(Names<'_>) -> T) -> T {
    let (artifact, commit) = (it.0.map(artifact), it.1.map(commit));
    use_them(Names::new(artifact.as_deref(), commit.as_deref()))
}

/// The offline verifier's result for a permit with these names, about a query.
fn verifies((own_artifact, own_commit): (Option<String>, Option<String>), asked: Asked) -> bool {
    let key = SigningKey::from_seed([7; 32]).unwrap();
    let claims = Claims {
        iss: "https://assent.example".into(),
        sub: "CHG-1".into(),
        aud: "acme/shop/production".into(),
        jti: "p-1".into(),
        iat: NOW,
        nbf: NOW,
        exp: NOW + 900,
        tenant: "acme".into(),
        service: "shop".into(),
        environment: "production".into(),
        artifact: own_artifact,
        commit: own_commit,
        member: None,
        purpose: Purpose::Deploy,
        content_digest: digest_text(b"content"),
        policy_digest: digest_text(b"policy"),
        epoch: 1,
        max_list_age_seconds: 900,
        break_glass: false,
    };
    let token = permit::sign(&claims, &key).unwrap();
    let keys = Jwks {
        tenant: "acme".into(),
        keys: vec![Jwk::new(*key.public())],
    };
    let list = RevocationList {
        tenant: Some("acme".into()),
        epoch: 1,
        issued_at: NOW,
        next_update: NOW + 60,
        revoked: Vec::new(),
        not_before: Vec::new(),
    };
    names(asked, |asked| {
        let expected = Expected {
            service: "shop",
            environment: "production",
            artifact: asked.artifact,
            commit: asked.commit,
            purpose: Some(Purpose::Deploy),
            content_digest: None,
            now: NOW,
            max_list_age_seconds: None,
        };
        permit::verify(&token, &keys, Some(&list), &expected).is_ok()
    })
}

const ARTIFACTS: usize = 2;
const COMMITS: usize = 4;

fn facts() -> impl Strategy<Value = Facts> {
    let attested = proptest::collection::vec(proptest::collection::vec(0..COMMITS, 0..3), ARTIFACTS);
    (attested, proptest::collection::vec(0..3_usize, COMMITS)).prop_map(|(attested, trees)| Facts { attested, trees })
}

fn named() -> impl Strategy<Value = Asked> {
    let some = |most: usize| proptest::option::of(0..most);
    (some(ARTIFACTS), some(COMMITS))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn everything_that_a_question_names_is_named_by_the_target_and_the_verifier_says_the_same(
        facts in facts(), own in named(), asked in named(), again in named(),
    ) {
        let online = |asked: Asked| {
            names(own, |own| names(asked, |named| matches_question(own, named, &facts.kin(asked))))
        };
        prop_assert_eq!(online(asked), facts.oracle(own, asked));
        if !online(asked) {
            return Ok(());
        }
        // The permit that the gate gives for it passes the verifier for it, and for nothing that the gate would stop.
        let permit = names(own, |own| names(asked, |asked| permitted(own, asked)));
        prop_assert!(verifies(permit.clone(), asked));
        if verifies(permit, again) {
            prop_assert!(online(again), "the verifier lets through what the gate stops");
        }
    }
}

#[test]
fn a_target_with_a_commit_alone_is_not_go_beside_any_artifact_nor_the_other_way_round() {
    let facts = Facts {
        attested: vec![vec![], vec![0]],
        trees: vec![0, 1, 2, 3],
    };
    for (own, asked, is_go) in [
        ((None, Some(0)), (None, Some(0)), true),
        ((None, Some(0)), (Some(0), Some(0)), false),
        ((None, Some(0)), (Some(1), Some(0)), true),
        ((Some(0), None), (Some(0), Some(0)), false),
        ((Some(1), None), (Some(1), Some(0)), false),
        ((Some(1), None), (None, Some(0)), false),
        ((Some(0), None), (Some(0), None), true),
        ((Some(0), Some(1)), (Some(0), Some(1)), true),
        ((Some(0), Some(1)), (Some(0), Some(2)), false),
        ((Some(0), Some(1)), (None, None), false),
    ] {
        let answer = names(own, |own| {
            names(asked, |named| matches_question(own, named, &facts.kin(asked)))
        });
        assert_eq!(answer, is_go, "{own:?} asked for {asked:?}");
    }
}
