//! The content of the demo's changes.

use jiff::Timestamp;
use model::change::read_content::new_change::NewChange;
use serde_json::{Value, json};

/// A change of the history: title, services, category, complexity, touches.
pub struct Plan {
    /// In one line.
    pub title: &'static str,
    /// The services, all in production.
    pub services: &'static [&'static str],
    /// The team that does it, which runs the first of the services.
    pub team: &'static str,
    /// The category of the change.
    pub category: &'static str,
    /// The complexity.
    pub complexity: &'static str,
    /// The description of the change.
    pub description: &'static str,
    /// Why.
    pub justification: &'static str,
}

/// The ordinary work of three months, used in turn.
pub const PLANS: &[Plan] = &[
    Plan {
        title: "Raise the memory of the booking API to 8 GB",
        services: &["booking-api"],
        team: "Logistics",
        category: "configuration",
        complexity: "low",
        description: "Each node gets 8 GB instead of 6; they are restarted one at a time.",
        justification: "Two nodes ran short of memory in the Monday peak.",
    },
    Plan {
        title: "Bring driver-app 7.2 to all drivers",
        services: &["driver-app"],
        team: "Mobile",
        category: "application",
        complexity: "medium",
        description: "Version 7.2 goes from a tenth of the drivers to all of them.",
        justification: "Drivers can sign for a pallet without a network.",
    },
    Plan {
        title: "Print return labels in two languages",
        services: &["label-print"],
        team: "Warehouse",
        category: "application",
        complexity: "low",
        description: "The return label carries German beside English.",
        justification: "Returns from Germany wait for a translation today.",
    },
    Plan {
        title: "Correct the fuel surcharge for ferries",
        services: &["rates-engine"],
        team: "Pricing",
        category: "application",
        complexity: "low",
        description: "The surcharge follows the weekly table again.",
        justification: "Ferry rates were 0.4 % too low since Tuesday.",
    },
    Plan {
        title: "Add an index to the ledger's posting table",
        services: &["ledger-db"],
        team: "Finance",
        category: "database",
        complexity: "medium",
        description: "An index on account and day, built without a lock.",
        justification: "Month-end reports take eleven minutes.",
    },
    Plan {
        title: "Send invoices as structured data to the public sector",
        services: &["invoicing"],
        team: "Finance",
        category: "application",
        complexity: "medium",
        description: "Invoices to public buyers go out in the prescribed format.",
        justification: "The law asks for it from January.",
    },
    Plan {
        title: "Show the queue at the customs gateway",
        services: &["customs-gateway", "status-page"],
        team: "Logistics",
        category: "application",
        complexity: "low",
        description: "The status page shows how many declarations wait.",
        justification: "Dispatch calls the desk forty times a day to ask.",
    },
    Plan {
        title: "Patch the warehouse hosts",
        services: &["wms"],
        team: "Warehouse",
        category: "infrastructure",
        complexity: "low",
        description: "Security patches of the month on 34 hosts, in four waves.",
        justification: "Two of the patches close known holes.",
    },
];

/// Work on the network of the edge. It is rated low and fails often, so that the quarterly comparison has something to find.
pub const NETWORK: Plan = Plan {
    title: "Move a zone of the edge to the new resolvers of staging",
    services: &["edge-dns"],
    team: "Platform",
    category: "network",
    complexity: "low",
    description: "One zone answers from the new resolvers, the old ones stay up for a day.",
    justification: "The old resolvers are out of support.",
};

/// The request for a plan, number `n`, in a window.
pub fn request(plan: &Plan, n: usize, start: Timestamp, end: Timestamp) -> Value {
    let artifact = artifact(n);
    let before = ran_before(plan, n);
    let targets: Vec<Value> = plan
        .services
        .iter()
        .map(|service| json!({"service": service, "environment": "production", "artifact": artifact, "rollback_to": before}))
        .collect();
    let rest = json!({
        "title": plan.title,
        "objectives": "The change does what its title says, and nobody notices more than that.",
        "verification": "The dashboards of the service stay green for an hour.",
        "category": plan.category, "complexity": plan.complexity, "targets": targets,
        "disruption": {"kind": "none"},
        "planned_start": start.to_string(), "planned_end": end.to_string(),
        "plan": [
            {"title": "Bring the new version out, one node at a time", "owner": "pipeline", "minutes": 18, "check": "The error rate stays below 0.2 %"},
            {"title": "Watch the dashboards", "owner": "tomasz", "minutes": 20, "check": "No alert for twenty minutes"},
        ],
        "rollback_plan": [{"title": "Bring the version before back", "owner": "pipeline", "minutes": 9, "check": "The old version on every node"}],
        (NewChange::ROLLBACK_MINUTES.name): 9, "implementers": ["tomasz", "pipeline"], "tester": "hanne", "team": plan.team,
    });
    described(plan.description, plan.justification, rest)
}

/// A request, or the locked part of a template, with its description and its justification.
pub fn described(description: &str, justification: &str, mut rest: Value) -> Value {
    rest[NewChange::DESCRIPTION.name] = description.into();
    rest[NewChange::JUSTIFICATION.name] = justification.into();
    rest
}

/// The artifact of change number `n`: any digest that differs from all others.
pub fn artifact(n: usize) -> String {
    proof::crypto::digest_text(format!("demo artifact {n}").as_bytes())
}

/// How many ordinary changes the three months hold.
pub const ORDINARY: usize = 40;

/// The build that a change rolls back to: where a pipeline reported the running version, the build of the ordinary change
/// before it.
fn ran_before(plan: &Plan, n: usize) -> String {
    let is_told = plan.services == ["driver-app"];
    let same = |earlier: &usize| is_told && PLANS[earlier % PLANS.len()].services == plan.services;
    let earlier = (0..n.min(ORDINARY)).rev().find(same);
    earlier.map_or_else(|| artifact_before(n), artifact)
}

/// The artifact that ran before change number `n`.
pub fn artifact_before(n: usize) -> String {
    proof::crypto::digest_text(format!("demo artifact before {n}").as_bytes())
}
