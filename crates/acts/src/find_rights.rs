//! Reports on rights: those that nobody used of late, with a narrower set proposed, and those that should not lie in one
//! hand. A report proposes; whoever sets people decides.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use model::act::actions;
use model::directory::{Directory, Person, Token};
use model::words::{OwnershipRole, Role};
use serde::Serialize;
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::error::Result;
use crate::room::Room;

/// How many events are read at once.
const CHUNK: i64 = 1_000;
/// The most events that one report looks at; what lies before them is not judged.
const MOST: i64 = 200_000;

/// What shows that a role was used: beginnings of the names of events. A role that leaves no trace, as reading does, is
/// never said to be unused.
const TRACES: &[(Role, &[&str])] = &[
    (
        Role::Requester,
        &["change.created", "change.submitted", "change.assessed", "change.edited"],
    ),
    (Role::Owner, JUDGING),
    (Role::Security, JUDGING),
    (Role::ChangeManager, JUDGING),
    (
        Role::Implementer,
        &[
            "change.implementing",
            "change.completed",
            "target.completed",
            "entry.",
            "change.created",
            "permit.issued",
            "incident.",
        ],
    ),
    (Role::Commander, &["incident.", "break_glass.", "permit.revoked"]),
    (
        Role::Admin,
        &[
            "person.",
            "group.",
            "token.",
            "service.",
            "ownership.",
            "connection.",
            "identity_provider.",
            "workload.",
            "webhook.",
            "key.",
            "witness.",
            "log.published",
            "log.closed",
            "policies.",
            "risk_table.",
            "sla_table.",
            "retention.",
            "text.",
            "environment.",
            "config_item.",
            "dependency.",
            "calendar.",
        ],
    ),
    (
        Role::Pipeline,
        &[
            "gate.",
            "permit.issued",
            "evidence.added",
            "change.created",
            "target.completed",
        ],
    ),
];

const JUDGING: &[&str] = &[
    "approval.given",
    "peer_review.given",
    "change.returned",
    "change.rejection_overruled",
    "change.validated",
    "change.reviewed",
    "change.closed",
    "freeze.",
    "window.",
    "template.",
    "extension.",
    "break_glass.",
    "permit.revoked",
    "evidence.accepted",
    "change.finding_stated",
    "change.created",
];

/// A role that was not used.
#[derive(Debug, Clone, Serialize)]
pub struct Unused {
    /// The person's login.
    pub person: String,
    /// The token's id and name, where it is a token that carries more than it uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Value>,
    /// What they hold.
    pub held: Vec<String>,
    /// What of it nobody used since then.
    pub unused: Vec<String>,
    /// The request that would narrow it: method, path, body.
    pub proposal: Value,
}

/// The report on rights that nobody used.
#[derive(Debug, Clone, Serialize)]
pub struct UnusedRights {
    /// From when on events were looked at.
    pub since: Timestamp,
    /// How many there were.
    pub looked_at: i64,
    /// Whether there were more than a report looks at, so that `since` lies later than was asked.
    pub is_cut: bool,
    /// Who holds more than they use.
    pub items: Vec<Unused>,
}

/// Which people and tokens hold rights that they did not use for so many days.
///
/// # Errors
/// 403, or the store's.
pub fn find_unused(room: &mut Room<'_, '_>, days: i64) -> Result<UnusedRights> {
    room.allow(actions::AUDIT)?;
    let wanted = room.now - SignedDuration::from_hours(24 * days);
    let (used, since, looked_at, is_cut) = traces(room, wanted)?;
    let directory = room.directory()?;
    let mut items: Vec<Unused> = Vec::new();
    for person in directory.people.values().filter(|it| it.active) {
        items.extend(unused_of(person, used.get(person.id.as_str())));
    }
    let uses = store::session::token_uses(room.tx)?;
    let filter = Filter::new().equals("revoked", false).order_by("id");
    for stored in record::find::<Token>(room.tx, &filter)? {
        let token = stored.record;
        let is_over = token.expires_at.is_some_and(|end| end <= room.now);
        let was_used = uses.get(token.id.as_str()).is_some_and(|at| *at >= since);
        if is_over || was_used || token.created_at >= since {
            continue;
        }
        items.push(idle(&directory, &token));
    }
    Ok(UnusedRights {
        since,
        looked_at,
        is_cut,
        items,
    })
}

/// The kinds of events that each person caused since a time, newest first until the time or the limit is reached.
#[expect(clippy::type_complexity, reason = "four facts of one scan, taken apart at once")]
fn traces(
    room: &mut Room<'_, '_>,
    wanted: Timestamp,
) -> Result<(BTreeMap<String, BTreeSet<String>>, Timestamp, i64, bool)> {
    let size = store::log::state(room.tx)?.map_or(0, |state| state.size);
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut end, mut looked_at, mut since) = (size, 0, wanted);
    while end > 0 && looked_at < MOST {
        let from = (end - CHUNK).max(0);
        let events = store::event::page(room.tx, from, end - from)?;
        let Some(first) = events.first().map(|event| event.occurred_at) else {
            break;
        };
        for event in events.iter().filter(|event| event.occurred_at >= wanted) {
            looked_at += 1;
            let leaf: Value = serde_json::from_slice(&event.bytes).unwrap_or_default();
            let actor = leaf["actor"].as_str().unwrap_or_default().to_owned();
            used.entry(actor).or_default().insert(event.kind.clone());
        }
        end = from;
        if first < wanted {
            return Ok((used, wanted, looked_at, false));
        }
        since = first;
    }
    let is_cut = end > 0;
    Ok((used, if is_cut { since } else { wanted }, looked_at, is_cut))
}

fn unused_of(person: &Person, used: Option<&BTreeSet<String>>) -> Option<Unused> {
    let was_used = |role: Role| {
        let Some((_, traces)) = TRACES.iter().find(|(it, _)| *it == role) else {
            return true;
        };
        used.is_some_and(|kinds| {
            kinds
                .iter()
                .any(|kind| traces.iter().any(|trace| kind.starts_with(trace)))
        })
    };
    let unused: Vec<Role> = person.roles.iter().copied().filter(|role| !was_used(*role)).collect();
    if unused.is_empty() {
        return None;
    }
    let kept: Vec<&str> = person
        .roles
        .iter()
        .filter(|role| !unused.contains(role))
        .map(|role| role.as_str())
        .collect();
    Some(Unused {
        person: person.login.clone(),
        token: None,
        held: person.roles.iter().map(|role| role.as_str().to_owned()).collect(),
        unused: unused.iter().map(|role| role.as_str().to_owned()).collect(),
        proposal: json!({
            "method": "PATCH", "path": format!("/api/v1/people/{}", person.login), "body": {"roles": kept},
        }),
    })
}

fn idle(directory: &Directory, token: &Token) -> Unused {
    let scopes: Vec<String> = token.scopes.iter().cloned().collect();
    Unused {
        person: directory.login(&token.person),
        token: Some(json!({"id": token.id, "name": token.name})),
        held: scopes.clone(),
        unused: scopes,
        proposal: json!({"method": "DELETE", "path": format!("/api/v1/tokens/{}", token.id)}),
    }
}

/// Rights that should not lie in one hand, and why.
const CONFLICTS: &[(Role, Role, &str)] = &[
    (
        Role::Admin,
        Role::Owner,
        "Who sets people and ownership could make up the approvers of what they own.",
    ),
    (
        Role::Admin,
        Role::Security,
        "Who sets people could make up those who answer for security.",
    ),
    (
        Role::Admin,
        Role::ChangeManager,
        "Who sets people would run the process that watches them.",
    ),
    (Role::Auditor, Role::Admin, "Who verifies would verify their own work."),
    (
        Role::Auditor,
        Role::ChangeManager,
        "Who verifies would verify their own decisions.",
    ),
    (
        Role::Auditor,
        Role::Implementer,
        "Who verifies would verify their own work.",
    ),
    (
        Role::Implementer,
        Role::ChangeManager,
        "Who does the work would decide when it is done.",
    ),
    (
        Role::Owner,
        Role::Security,
        "One person would give both the owner's word and that of security.",
    ),
    (
        Role::Owner,
        Role::ChangeManager,
        "One person would give both the owner's word and that of change management.",
    ),
    (
        Role::Security,
        Role::ChangeManager,
        "One person would give both the word of security and that of change management.",
    ),
    (
        Role::Pipeline,
        Role::Owner,
        "A program would stand in for a person's decision.",
    ),
    (
        Role::Pipeline,
        Role::Security,
        "A program would stand in for a person's decision.",
    ),
    (
        Role::Pipeline,
        Role::ChangeManager,
        "A program would stand in for a person's decision.",
    ),
];

/// Rights in one hand that conflict.
#[derive(Debug, Clone, Serialize)]
pub struct Conflict {
    /// The person's login.
    pub person: String,
    /// The two rights.
    pub rights: [String; 2],
    /// Where they meet: `tenant`, or a scope of the ownership matrix.
    pub place: String,
    /// Why they should not lie in one hand.
    pub why: String,
}

/// Which people hold rights that conflict: two roles, or two parts in owning one thing.
///
/// # Errors
/// 403, or the store's.
pub fn find_conflicts(room: &mut Room<'_, '_>) -> Result<Vec<Conflict>> {
    room.allow(actions::AUDIT)?;
    let (directory, now) = (room.directory()?, room.now);
    let mut found = Vec::new();
    for person in directory.people.values().filter(|it| it.active) {
        for (one, other, why) in CONFLICTS {
            if person.roles.contains(one) && person.roles.contains(other) {
                found.push(Conflict {
                    person: person.login.clone(),
                    rights: [one.as_str().to_owned(), other.as_str().to_owned()],
                    place: "tenant".to_owned(),
                    why: (*why).to_owned(),
                });
            }
        }
    }
    found.extend(double_parts(&directory, now));
    found.sort_by(|a, b| (&a.person, &a.place, &a.rights).cmp(&(&b.person, &b.place, &b.rights)));
    Ok(found)
}

/// People who answer in two deciding parts for the very same scope, themselves or through a group.
fn double_parts(directory: &Directory, now: Timestamp) -> Vec<Conflict> {
    let decides = |role: OwnershipRole| !matches!(role, OwnershipRole::Implementer | OwnershipRole::Pipeline);
    let mut parts: BTreeMap<(String, String), BTreeSet<&'static str>> = BTreeMap::new();
    for row in directory.ownerships.iter() {
        let stands = row.since <= now && row.ends_at.is_none_or(|end| now < end);
        if !stands || !decides(row.role) {
            continue;
        }
        let members = row.group.as_ref().map(|key| directory.members(key)).unwrap_or_default();
        let scope = scope_of(row);
        for person in row.person.iter().cloned().chain(members) {
            parts
                .entry((directory.login(&person), scope.clone()))
                .or_default()
                .insert(row.role.as_str());
        }
    }
    let mut found = Vec::new();
    for ((person, place), roles) in parts {
        let roles: Vec<&str> = roles.into_iter().collect();
        for (at, one) in roles.iter().enumerate() {
            for other in &roles[at + 1..] {
                found.push(Conflict {
                    person: person.clone(),
                    rights: [(*one).to_owned(), (*other).to_owned()],
                    place: place.clone(),
                    why: "One person would give two words that rules ask from two people.".to_owned(),
                });
            }
        }
    }
    found
}

fn scope_of(row: &model::directory::Ownership) -> String {
    let scope = match (&row.service, &row.config_item, &row.class) {
        (Some(service), ..) => format!("service:{service}"),
        (_, Some(item), _) => format!("config_item:{item}"),
        (.., Some(class)) => format!("class:{}", json!(class).as_str().unwrap_or_default()),
        _ => "everything".to_owned(),
    };
    match &row.environment {
        Some(environment) => format!("{scope} in {environment}"),
        None => scope,
    }
}
