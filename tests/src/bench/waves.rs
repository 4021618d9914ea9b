//! A change over ten thousand members: its list made in one request, its dry run, its approvals, and the gate's results for
//! single members while the first wave is open, beside those of a change over a hundredth of the members.

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use jiff::SignedDuration;
use serde_json::json;

use super::load::{seconds_since, share_of};
use super::product::{Caller, ENVIRONMENT, Product, SERVICE, artifact, text_of};
use super::report::Line;

/// Members of the change and of the small one, those of the first wave, and the questions about single ones.
const MEMBERS: usize = 10_000;
const FEW: usize = 100;
const CANARIES: usize = 50;
const QUESTIONS: usize = 500;
/// The most that the gate may take about one of many members, by its time about one of few.
const FLAT: f64 = 2.0;
/// The artifact of this measure is numbered far from those of the other measures.
const FIRST: u64 = 1 << 46;

/// The time of making a list and of its dry run, and of each question about one of its members, in milliseconds.
struct Taken {
    made: f64,
    tried: f64,
    asked: Vec<f64>,
}

/// Measures many members at the first product, and few at the other; each is a product of its own.
///
/// # Errors
/// When a request is refused, or a member has no wave.
pub fn measure(product: &Product, other: &Product) -> Result<Vec<Line>> {
    let few = taken(other, FEW)?;
    let many = taken(product, MEMBERS)?;
    let asked = format!("The gate about one of {MEMBERS} members, p99 of {QUESTIONS}");
    let middle = |taken: &Taken| share_of(&taken.asked, 0.5) * 1_000.0;
    Ok(vec![
        Line::told(
            format!("Making a list of {MEMBERS} members"),
            format!("{:.0} ms", many.made),
            format!("{:.0} ms of {FEW}", few.made),
        ),
        Line::below(
            format!("A dry run over {MEMBERS} members"),
            many.tried / 1_000.0,
            format!("{:.2} s", many.tried / 1_000.0),
            20.0,
            "s",
        ),
        Line::under(asked, share_of(&many.asked, 0.99), "–", 10.0),
        Line::times(
            format!("The gate about one of {MEMBERS} members, beside one of {FEW}, middle of {QUESTIONS}"),
            middle(&many),
            middle(&few),
            "µs",
            FLAT,
        ),
    ])
}

fn taken(product: &Product, members: usize) -> Result<Taken> {
    let mut caller = Caller::new(product)?;
    let build = artifact(FIRST);
    let key = draft(&mut caller, &build)?;
    let path = format!("/changes/{key}");
    let began = assent::clock::now();
    let list = json!({"csv": listed(members)?});
    let waves = caller.ask("requester", "POST", &format!("{path}/members"), Some(&list))?;
    let made = seconds_since(began) * 1_000.0;
    ensure!(waves["waves"][0]["count"] == CANARIES, "{}", waves["waves"]);
    let began = assent::clock::now();
    let dry = caller.ask("requester", "GET", &format!("{path}/waves/dry-run"), None)?;
    let tried = seconds_since(began) * 1_000.0;
    ensure!(dry["count"] == members, "the dry run counts {}", dry["count"]);
    approve(&mut caller, &path, &build)?;
    let first = json!({"service": SERVICE, "environment": ENVIRONMENT, "artifact": build, "member": name(0)});
    let check = caller.ask("pipeline", "POST", "/gate-checks", Some(&first))?;
    ensure!(check["decision"] == "go", "the first member waits: {check}");
    let mut asked = Vec::new();
    for number in 0..QUESTIONS {
        let member = name(number % CANARIES);
        let question = format!("/gate?service={SERVICE}&environment={ENVIRONMENT}&artifact={build}&member={member}");
        let began = assent::clock::now();
        caller.ask("pipeline", "GET", &question, None)?;
        asked.push(seconds_since(began) * 1_000.0);
    }
    Ok(Taken { made, tried, asked })
}

fn name(number: usize) -> String {
    format!("lp-{number}")
}

/// The members as a file, the first ones canaries.
fn listed(members: usize) -> Result<String> {
    let mut csv = String::from("member,region,canary\n");
    for number in 0..members {
        let mark = if number < CANARIES { "true" } else { "" };
        writeln!(csv, "{},Norway,{mark}", name(number))?;
    }
    Ok(csv)
}

/// A change with a plan of two waves; its key.
fn draft(caller: &mut Caller<'_>, build: &str) -> Result<String> {
    let now = assent::clock::now();
    let wanted = json!({
        "title": "Printer firmware", "description": "New firmware.", "justification": "Security.",
        "category": "application", "complexity": "low",
        "impact": {"data": "none", "availability": "low", "compliance": "none"},
        "targets": [{"service": SERVICE, "environment": ENVIRONMENT, "artifact": build}],
        "planned_start": (now - SignedDuration::from_mins(5)).to_string(),
        "planned_end": (now + SignedDuration::from_hours(6)).to_string(),
        "plan": [{"title": "Flash", "minutes": 2}],
        "rollback_plan": [{"title": "Flash the old one", "minutes": 2}], "rollback_minutes": 5,
    });
    let key = text_of(&caller.ask("requester", "POST", "/changes", Some(&wanted))?, "key")?;
    let plan = json!({"waves": [{"wave": "canary", "canary": true}, {"wave": "rest"}], "halt_failures": 3});
    caller.ask("requester", "POST", &format!("/changes/{key}/wave-plan"), Some(&plan))?;
    Ok(key)
}

/// Brings a draft to where its first wave is open.
fn approve(caller: &mut Caller<'_>, path: &str, build: &str) -> Result<()> {
    caller.ask("requester", "POST", &format!("{path}/submission"), Some(&json!({})))?;
    let assessment = json!({"dependencies_reviewed": true});
    let assessed = caller.ask("requester", "POST", &format!("{path}/assessment"), Some(&assessment))?;
    let evidence = json!({
        "kind": "note", "aspect": "functional", "result": "passed", "name": "Tests in staging",
        "environment": "staging", "artifact": build, "text": "412 of 412 passed",
    });
    caller.ask("requester", "POST", &format!("{path}/evidence"), Some(&evidence))?;
    let decision = json!({"decision": "approve", "content_digest": text_of(&assessed, "content_digest")?});
    for role in ["owner", "security", "change_manager"] {
        caller.ask(role, "POST", &format!("{path}/approvals"), Some(&decision))?;
    }
    Ok(())
}
