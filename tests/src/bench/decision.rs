//! A decision: the requirements of many policies for a change of one target, in this process, without a database.
//!
//! The floor is Cedar's own call with request, entities and policies made ready: besides, the product reads the facts into
//! entities, checks them for gaps, and turns the result into obligations.

use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use model::core::enums::{Category, Criticality, Kind, Level, OwnershipRole, State};
use model::policy::facts::{ChangeFacts, TargetFacts};
use policy::{Directory, PolicySet, SourceFile, on_policy_thread};

use super::report::Line;

/// Policies that set the needs of a change, those of the base pack among them.
const POLICIES: usize = 200;
/// How often each is measured; the middle time counts.
const TIMES: usize = 201;
/// How many times Cedar's call a decision may take.
const LIMIT: f64 = 3.0;

/// Every name is taken to exist.
struct AnyName;

impl Directory for AnyName {
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

/// Measures decisions about changes of different people, so that no result is cached.
///
/// # Errors
/// When the policies cannot be compiled, or when their result differs from the intended one.
pub fn measure() -> Result<Line> {
    let set = compiled()?;
    on_policy_thread(move || measured(&set))
}

/// The base pack, and so many policies of a tenant that they are [`POLICIES`].
fn compiled() -> Result<PolicySet> {
    let mut files = policy::base().files;
    let base = files
        .iter()
        .map(|file| file.text.matches("action == Action::\"require\"").count());
    let own = POLICIES - base.sum::<usize>();
    let rules: Vec<String> = (0..own).map(rule).collect();
    files.push(SourceFile {
        name: "house/house.cedar".to_owned(),
        text: rules.join("\n"),
    });
    let digest = proof::crypto::digest_text;
    let set = PolicySet::compile(&files, "", policy::SCHEMA, &AnyName, digest);
    set.map_err(|findings| anyhow!("{:?}", findings.first()))
}

/// One rule of the tenant; every tenth sets a condition on the measured change.
fn rule(number: usize) -> String {
    let level = if number.is_multiple_of(10) { "low" } else { "high" };
    format!(
        "@id(\"house.rule{number}\")\n@reason(\"Rule {number} of the house.\")\n@require(\"approval\")\n\
         @from(\"group:board-{number}\")\n@count(\"1\")\n@covers(\"what\")\n\
         permit (principal, action == Action::\"require\", resource)\n\
         when {{ resource.kind == Kind::\"normal\" && !resource.retrospective && resource.risk == Level::\"{level}\" }};"
    )
}

#[expect(clippy::disallowed_methods, reason = "this is the measuring")]
fn measured(set: &PolicySet) -> Result<Line> {
    let target = target();
    let bare = set.bare(&change(0), &target).map_err(|why| anyhow!(why))?;
    ensure!(bare.policies() == POLICIES, "{} policies are asked", bare.policies());
    let wanted = bare.ask();
    // Several policies may ask for one thing, and each decision has to come to the same things.
    let things = set
        .require(&change(TIMES), std::slice::from_ref(&target))
        .obligations
        .len();
    ensure!(things > 0, "nothing is required");
    let (mut took, mut floors) = (Vec::new(), Vec::new());
    for number in 0..TIMES {
        let change = change(number);
        let begun = Instant::now();
        let required = set.require(&change, std::slice::from_ref(&target));
        took.push(begun.elapsed().as_secs_f64() * 1e6);
        ensure!(
            required.stop.is_none() && required.obligations.len() == things,
            "{} things are required, and not {things}",
            required.obligations.len()
        );
        let begun = Instant::now();
        let found = bare.ask();
        floors.push(begun.elapsed().as_secs_f64() * 1e6);
        ensure!(found == wanted, "Cedar answered {found} of {wanted}");
    }
    let what = format!("A decision with {POLICIES} policies, of which {wanted} ask something, middle of {TIMES}");
    Ok(Line::times(what, middle(took), middle(floors), "µs", LIMIT))
}

fn middle(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn change(number: usize) -> ChangeFacts {
    ChangeFacts {
        fields: std::collections::BTreeMap::new(),
        tenant: "halden".to_owned(),
        change: format!("c{number}"),
        kind: Kind::Normal,
        expedited: false,
        retrospective: false,
        names_threat: false,
        state: State::Authorizing,
        category: Category::Application,
        touches: Vec::new(),
        risk: Level::Low,
        impact_data: Level::None,
        impact_availability: Level::Low,
        impact_compliance: Level::None,
        complexity: Level::Low,
        forecast: None,
        requester: format!("p{number}").into(),
        owner: "p1".into(),
        authors: vec!["p1".into()],
        implementers: vec!["p2".into()],
        implemented_by: Vec::new(),
        tester: None,
    }
}

fn target() -> TargetFacts {
    TargetFacts {
        target: "1".into(),
        service: "label-print".into(),
        criticality: Criticality::Medium,
        regimes: vec!["sox".to_owned()],
        data_class: Some("internal".to_owned()),
        environment: "production".to_owned(),
        is_production: true,
        has_artifact: true,
        owners: vec![(OwnershipRole::Owner, "p3".into())],
    }
}
