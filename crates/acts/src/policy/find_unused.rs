//! The report on rights without recent use, with a narrower set proposed: roles, ownership rows, group memberships, scopes of
//! tokens, workloads. A report only proposes; an administrator decides.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use model::change::related_records::Approval;
use model::core::act::actions;
use model::core::enums::Role;
use model::core::ids::PersonId;
use model::directory::basis::Basis;
use model::directory::snapshot::{Directory, Group, Ownership, Person, Token};
use model::integration::workload::Workload;
use proof::diff::RecordDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::audit::{event, log};
use store::identity::session::{self, ScopeUse};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::show_timeline::opened;
use crate::identity::set_workload;
use crate::policy::approver_coverage::LeftStanding;

/// How many events are read at once.
const CHUNK: i64 = 1_000;
/// The most events that one report reads; earlier ones are not judged.
const MOST: i64 = 200_000;
/// How many decisions are read at once.
const DECISIONS: usize = 500;
/// The most members of a group whose memberships are judged: a larger one is no board.
const MOST_SEATS: usize = 50;

/// The traces of a role's use: beginnings of the names of events. [`LOOKING_ON`] lists roles that leave no trace.
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
            "member_outcome.",
            "entry.",
            "change.created",
            "permit.issued",
            "incident.",
            "emergency_report.",
        ],
    ),
    (
        Role::Commander,
        &["incident.", "break_glass.", "permit.revoked", "emergency_report."],
    ),
    (
        Role::Admin,
        &[
            "person.",
            "group.",
            "token.",
            "service.",
            "vendor.",
            "audit_mandate.",
            "agent.",
            "person_erasure.",
            "retention_rule.",
            "ownership.",
            "connection.",
            "drift_rule.",
            "identity_provider.",
            "workload.",
            "webhook.",
            "sink.",
            "key.",
            "witness.",
            "watched_log.",
            "time_authority.",
            "log.published",
            "log.closed",
            "tenant.status_opened",
            "tenant.status_closed",
            "policies.",
            "risk_table.",
            "sla_table.",
            "watch_table.",
            "major_severity.",
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
            "member_outcome.",
        ],
    ),
];

const JUDGING: &[&str] = &[
    "announcement.",
    "approval.given",
    "business_unit.",
    "communication_plan.",
    "conflict.decided",
    "customer_list.",
    "duty_rota.",
    "drift_baseline.",
    "drift_finding.decided",
    "emergency_card.",
    "peer_review.given",
    "service_lead.",
    "change.returned",
    "change.rejection_overruled",
    "change.validated",
    "change.reviewed",
    "change.closed",
    "freeze.",
    "joint_maintenance.",
    "window.",
    "monitor.",
    "objective.",
    "outside_calendar.",
    "vendor_notice.",
    "planning_terms.",
    "template.",
    "extension.",
    "break_glass.",
    "permit.revoked",
    "evidence.accepted",
    "change.finding_stated",
    "change.created",
];

/// Something that was not used.
#[derive(Debug, Clone, Serialize)]
pub struct Unused {
    /// `role`, `ownership`, `group`, `token` or `workload`.
    pub kind: &'static str,
    /// The person's login.
    pub person: String,
    /// Where it holds, for a part in owning: `service:shop in production`; the workload's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The token's id and name, where it is a token that carries more than it uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Value>,
    /// Their present rights.
    pub held: Vec<String>,
    /// The parts that nobody used since then.
    pub unused: Vec<String>,
    /// The request that would narrow it: method, path, body; `if_match`; and `then` the request that ends the replaced one.
    /// Null where nothing is proposed.
    pub proposal: Value,
    /// Why nothing is proposed, or why some of it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

/// The report on rights that nobody used.
#[derive(Debug, Clone, Serialize)]
pub struct UnusedRights {
    /// From when on events were examined.
    pub since: Timestamp,
    /// How many there were.
    pub looked_at: i64,
    /// Whether there was more than a report reads, so that `since` is later than requested.
    pub is_cut: bool,
    /// People with more rights than they use.
    pub items: Vec<Unused>,
}

/// The people, tokens and workloads with rights that were unused for so many days.
///
/// An owner among several is unused when other owners decided and this one did not: without a request there is no sign. The
/// last possible approver is never proposed for removal, even when those who decided have left. Each proposal removes only the
/// right in its row, and all proposals together leave every rule in force with enough people and the tenant with an
/// administrator: a right that must stay for that is listed with the reason.
///
/// # Errors
/// 403, or the store's.
pub fn find_unused(cx: &mut Context<'_, '_>, days: i64) -> Result<UnusedRights> {
    cx.allow(actions::AUDIT)?;
    let wanted = cx.now - SignedDuration::from_hours(24 * days);
    let scan = scan(cx, wanted)?;
    let spoken = find_used_rights(cx, &scan)?;
    let directory = cx.directory()?;
    let mut items: Vec<Unused> = Vec::new();
    let away = away(cx, &directory, &scan)?;
    let mut left = LeftStanding::new(cx)?;
    for person in directory.people.values().filter(|it| it.active) {
        let used = scan.kinds.get(person.id.as_str());
        let is_away = away.contains(&person.id);
        let mut unused = person.roles.clone();
        unused.retain(|role| !was_used(*role, used, is_away));
        if !unused.is_empty() {
            let lately = given_lately(cx, person, scan.since)?;
            unused.retain(|role| !lately.contains(role));
            items.extend(unused_of(person, unused, &mut left));
        }
    }
    items.extend(unused_rows(cx, &directory, &spoken, (scan.since, &mut left))?);
    for group in directory
        .groups
        .values()
        .filter(|it| !scan.set.contains(it.id.as_str()))
    {
        items.extend(unused_memberships(&directory, group, &spoken, &mut left));
    }
    items.extend(unused_tokens(cx, &directory, scan.since)?);
    for workload in set_workload::workloads(cx)? {
        let is_told = |ids: &BTreeSet<String>| ids.contains(workload.id.as_str());
        if workload.active && !is_told(&scan.entered) && !is_told(&scan.set) {
            items.push(unused_workload(&directory, &workload));
        }
    }
    Ok(UnusedRights {
        since: scan.since,
        looked_at: scan.looked_at,
        is_cut: scan.is_cut,
        items,
    })
}

/// Roles that only read, or act on requests of others: they leave no trace of their own in the log. They are unused where their
/// holder was not here at all.
const LOOKING_ON: [Role; 3] = [Role::Auditor, Role::Executive, Role::Vendor];

/// The people without a trace in the whole time: no sign-in, no use of their tokens, nothing in the log. A person counts as
/// away only if sign-ins were recorded for that long and the person was not made or changed since.
fn away(cx: &mut Context<'_, '_>, directory: &Directory, scan: &Scan) -> Result<BTreeSet<PersonId>> {
    let seen = session::seen(cx.tx)?;
    if !seen.values().any(|(first_at, _)| *first_at <= scan.since) {
        return Ok(BTreeSet::new());
    }
    let uses = session::token_uses(cx.tx)?;
    let mut by_token: BTreeSet<PersonId> = BTreeSet::new();
    for stored in record::find::<Token>(cx.tx, &Filter::new().order_by("id"))? {
        let token = stored.record;
        if uses.get(token.id.as_str()).is_some_and(|at| scan.since <= *at) {
            by_token.insert(token.person);
        }
    }
    let is_away = |person: &&PersonId| {
        let signed_in = seen
            .get(person.as_str())
            .is_some_and(|(_, last_at)| scan.since <= *last_at);
        let is_new = scan.set.contains(person.as_str());
        !(signed_in || is_new || by_token.contains(*person) || scan.kinds.contains_key(person.as_str()))
    };
    Ok(directory.people.keys().filter(is_away).cloned().collect())
}

/// The log's facts about the time of a report.
#[derive(Default)]
struct Scan {
    /// The kinds of events that each person caused.
    kinds: BTreeMap<String, BTreeSet<String>>,
    /// Ids of the decisions that were given.
    decisions: Vec<String>,
    /// The people who gave a peer review.
    peers: BTreeSet<PersonId>,
    /// Ids of the workloads that let a job in.
    entered: BTreeSet<String>,
    /// Ids of the groups, workloads and people that were set: they are too new to judge.
    set: BTreeSet<String>,
    /// From when on events were examined.
    since: Timestamp,
    looked_at: i64,
    is_cut: bool,
}

impl Scan {
    fn take(&mut self, event: &event::Event) {
        self.looked_at += 1;
        let leaf: Value = serde_json::from_slice(&event.bytes).unwrap_or_default();
        match event.kind.as_str() {
            "approval.given" => {
                let id = leaf["data"]["approval"].as_str();
                self.decisions.extend(id.map(str::to_owned));
            }
            "peer_review.given" => self.peers.extend(leaf["data"]["by"].as_str().map(PersonId::from)),
            "workload.entered" => drop(self.entered.insert(event.subject_id.clone())),
            "workload.set" | "group.set" | "person.created" | "person.edited" => {
                self.set.insert(event.subject_id.clone());
            }
            _ => {}
        }
        let actor = leaf["actor"].as_str().unwrap_or_default().to_owned();
        self.kinds.entry(actor).or_default().insert(event.kind.clone());
    }
}

/// Reads the log back to a time, or as far as a report looks.
fn scan(cx: &mut Context<'_, '_>, wanted: Timestamp) -> Result<Scan> {
    let mut end = log::state(cx.tx)?.map_or(0, |state| state.size);
    let mut found = Scan {
        since: wanted,
        ..Scan::default()
    };
    let mut reached = wanted;
    while end > 0 && found.looked_at < MOST {
        let from = (end - CHUNK).max(0);
        let events = event::page(cx.tx, from, end - from)?;
        let Some(first) = events.first().map(|event| event.occurred_at) else {
            break;
        };
        for event in events.iter().filter(|event| event.occurred_at >= wanted) {
            found.take(event);
        }
        end = from;
        if first < wanted {
            return Ok(found);
        }
        reached = first;
    }
    found.is_cut = end > 0;
    if found.is_cut {
        found.since = reached;
    }
    Ok(found)
}

/// The basis of the decisions of a time.
#[derive(Default)]
struct Spoken {
    /// Ids of rows of the matrix.
    rows: BTreeSet<String>,
    /// Keys of groups, each with the people who acted as its members.
    seats: BTreeMap<String, BTreeSet<PersonId>>,
    /// The people who acted as a peer. The log does not record the peer's group, so each of the peer's memberships counts as
    /// used, and there is no sign that the review was requested from anybody else.
    peers: BTreeSet<PersonId>,
}

/// The fields of a decision that show its basis.
#[derive(Deserialize)]
struct Decided {
    person: PersonId,
    counted_for: Vec<Counted>,
}

#[derive(Deserialize)]
struct Counted {
    #[serde(default)]
    basis: Basis,
}

fn find_used_rights(cx: &mut Context<'_, '_>, scan: &Scan) -> Result<Spoken> {
    let mut found = Spoken {
        peers: scan.peers.clone(),
        ..Spoken::default()
    };
    for ids in scan.decisions.chunks(DECISIONS) {
        let filter = Filter::new()
            .one_of("id", ids.iter().map(String::as_str))
            .order_by("id");
        for decided in record::parts::<Approval, Decided>(cx.tx, &filter)? {
            for basis in decided.counted_for.into_iter().map(|it| it.basis) {
                found.rows.extend(basis.ownership.map(|row| row.id));
                let Some(group) = basis.membership else { continue };
                // A delegate who acted for a member used that member's membership.
                let seats = found.seats.entry(group.id).or_default();
                seats.insert(decided.person.clone());
                seats.extend(basis.delegators);
            }
        }
    }
    Ok(found)
}

/// Parts in owning by which nobody decided, while others of the same part did.
fn unused_rows(
    cx: &Context<'_, '_>,
    directory: &Directory,
    spoken: &Spoken,
    (since, left): (Timestamp, &mut LeftStanding),
) -> Result<Vec<Unused>> {
    let now = cx.now;
    let mut alike: BTreeMap<(String, &'static str), Vec<&Ownership>> = BTreeMap::new();
    for row in directory.ownerships.iter().filter(|row| row.is_in_force(now)) {
        alike.entry((place_of(row), row.role.as_str())).or_default().push(row);
    }
    let mut found = Vec::new();
    for ((place, role), rows) in alike {
        let (used, idle): (Vec<&Ownership>, Vec<&Ownership>) =
            rows.into_iter().partition(|row| spoken.rows.contains(row.id.as_str()));
        if !used.iter().any(|row| can_decide(directory, row)) {
            continue;
        }
        for row in idle.into_iter().filter(|row| row.since < since) {
            let Some(person) = row.person.as_ref().filter(|it| directory.is_active(it)) else {
                continue;
            };
            let kept = left.take_row(cx, row, person)?;
            let proposal = json!({"method": "DELETE", "path": format!("/api/v1/ownerships/{}", row.id)});
            found.push(Unused {
                kind: "ownership",
                person: directory.login(person),
                place: Some(place.clone()),
                token: None,
                held: vec![role.to_owned()],
                unused: vec![role.to_owned()],
                proposal: unless(kept.as_ref(), proposal),
                kept,
            });
        }
    }
    Ok(found)
}

/// A proposal, unless something must stay.
fn unless(kept: Option<&String>, proposal: Value) -> Value {
    match kept {
        Some(_) => Value::Null,
        None => proposal,
    }
}

/// Whether a row names an active person who can decide.
fn can_decide(directory: &Directory, row: &Ownership) -> bool {
    let by_group = |key| !directory.members(key).is_empty();
    row.person.as_ref().is_some_and(|it| directory.is_active(it)) || row.group.as_ref().is_some_and(by_group)
}

/// The subject and place of a row: `service:shop in production`.
fn place_of(row: &Ownership) -> String {
    match &row.environment {
        Some(environment) => format!("{} in {environment}", row.scope()),
        None => row.scope(),
    }
}

/// Group memberships without use, while other members, still active, acted for the group. Each proposal removes one membership;
/// it names the version of the group for which it was made, so that one of two proposals cannot undo the other.
fn unused_memberships(directory: &Directory, group: &Group, spoken: &Spoken, left: &mut LeftStanding) -> Vec<Unused> {
    let Some(speakers) = spoken.seats.get(group.key.as_str()) else {
        return Vec::new();
    };
    let did_speak = |it: &&PersonId| speakers.contains(*it) || spoken.peers.contains(*it);
    let (used, idle): (Vec<&PersonId>, Vec<&PersonId>) = group.members.iter().partition(did_speak);
    let is_answered = used.iter().any(|it| directory.is_active(it));
    if group.removed || !is_answered || group.members.len() > MOST_SEATS {
        return Vec::new();
    }
    let proposal = |person: &PersonId| {
        let others = group.members.iter().filter(|it| *it != person);
        let others: Vec<String> = others.map(|it| directory.login(it)).collect();
        json!({
            "method": "PUT", "path": format!("/api/v1/groups/{}", group.key), "body": {"members": others},
            "if_match": format!("\"{}\"", group.version),
        })
    };
    let idle = idle.into_iter().filter(|person| directory.is_active(person));
    idle.map(|person| {
        let kept = left.take_seat(group, person);
        Unused {
            kind: "group",
            person: directory.login(person),
            place: None,
            token: None,
            held: vec![group.key.to_string()],
            unused: vec![group.key.to_string()],
            proposal: unless(kept.as_ref(), proposal(person)),
            kept,
        }
    })
    .collect()
}

/// Whether a person used a role.
fn was_used(role: Role, used: Option<&BTreeSet<String>>, is_away: bool) -> bool {
    if LOOKING_ON.contains(&role) {
        return !is_away;
    }
    let Some((_, traces)) = TRACES.iter().find(|(it, _)| *it == role) else {
        return true;
    };
    let is_trace = |kind: &String| traces.iter().any(|trace| kind.starts_with(trace));
    used.is_some_and(|kinds| kinds.iter().any(is_trace))
}

/// The roles that a person did not have for the whole time: they are too new to judge. A person without any event has been here
/// for longer than the log.
fn given_lately(cx: &mut Context<'_, '_>, person: &Person, since: Timestamp) -> Result<BTreeSet<Role>> {
    let id = person.id.as_str();
    let written = event::written_at(cx.tx, ("person", id), person.version)?;
    if written.is_none_or(|at| at < since) {
        return Ok(BTreeSet::new());
    }
    let mut before: BTreeSet<Role> = BTreeSet::new();
    let mut lasting = person.roles.clone();
    for row in event::of_record(cx.tx, "person", id)? {
        let (event, _) = opened(cx, &row)?;
        let is_theirs = |delta: &&RecordDelta| delta.table == "person" && delta.id == id;
        let Some(delta) = event.records.iter().find(is_theirs) else {
            continue;
        };
        let roles: BTreeSet<Role> = match delta.set.get("roles") {
            Some(roles) => serde_json::from_value(roles.clone())?,
            None if delta.unset.iter().any(|field| field == "roles") => BTreeSet::new(),
            None => continue,
        };
        if row.occurred_at < since {
            before = roles;
        } else {
            lasting.retain(|role| roles.contains(role));
        }
    }
    Ok(person
        .roles
        .iter()
        .filter(|role| !(lasting.contains(role) && before.contains(role)))
        .copied()
        .collect())
}

fn unused_of(person: &Person, unused: BTreeSet<Role>, left: &mut LeftStanding) -> Option<Unused> {
    if unused.is_empty() {
        return None;
    }
    let mut roles = person.roles.clone();
    let mut kept: Vec<String> = Vec::new();
    for role in &unused {
        match left.take_role(&person.id, *role) {
            Some(why) => kept.push(format!("The right `{role}` stays. {why}")),
            None => drop(roles.remove(role)),
        }
    }
    let proposal = match roles == person.roles {
        true => Value::Null,
        false => json!({
            "method": "PATCH", "path": format!("/api/v1/people/{}", person.login), "body": {"roles": role_names(roles)},
        }),
    };
    Some(Unused {
        kind: "role",
        person: person.login.clone(),
        place: None,
        token: None,
        held: role_names(person.roles.iter().copied()),
        unused: role_names(unused),
        proposal,
        kept: (!kept.is_empty()).then(|| kept.join(" ")),
    })
}

fn role_names(roles: impl IntoIterator<Item = Role>) -> Vec<String> {
    roles.into_iter().map(|role| role.as_str().to_owned()).collect()
}

/// Tokens that nobody used, and unused scopes of the others.
fn unused_tokens(cx: &mut Context<'_, '_>, directory: &Directory, since: Timestamp) -> Result<Vec<Unused>> {
    let (uses, scopes) = (session::token_uses(cx.tx)?, session::scope_uses(cx.tx)?);
    let filter = Filter::new().equals("revoked", false).order_by("id");
    let mut found = Vec::new();
    for token in record::find::<Token>(cx.tx, &filter)?
        .into_iter()
        .map(|stored| stored.record)
    {
        let is_over = token.expires_at.is_some_and(|end| end <= cx.now);
        if is_over || token.created_at >= since {
            continue;
        }
        if uses.get(token.id.as_str()).is_none_or(|at| *at < since) {
            found.push(idle(directory, &token));
        } else if let Some(uses) = scopes.get(token.id.as_str()) {
            found.extend(unused_scopes(directory, &token, uses, since));
        }
    }
    Ok(found)
}

fn idle(directory: &Directory, token: &Token) -> Unused {
    let scopes: Vec<String> = token.scopes.iter().cloned().collect();
    Unused {
        kind: "token",
        person: directory.login(&token.person),
        place: None,
        token: Some(json!({"id": token.id, "name": token.name})),
        held: scopes.clone(),
        unused: scopes,
        proposal: json!({"method": "DELETE", "path": format!("/api/v1/tokens/{}", token.id)}),
        kept: None,
    }
}

/// The scopes of a token without use, once its uses have been recorded for the whole time.
fn unused_scopes(directory: &Directory, token: &Token, uses: &[ScopeUse], since: Timestamp) -> Option<Unused> {
    let is_kept = uses.iter().any(|it| it.first_at <= since);
    let was_used = |scope: &&String| uses.iter().any(|it| &it.scope == *scope && it.last_at >= since);
    let (kept, unused): (Vec<&String>, Vec<&String>) = token.scopes.iter().partition(was_used);
    if !is_kept || kept.is_empty() || unused.is_empty() {
        return None;
    }
    let mut narrower = json!({"name": token.name, "person": directory.login(&token.person), "scopes": kept});
    if let Some(roles) = &token.roles {
        narrower["roles"] = json!(roles);
    }
    if let Some(end) = token.expires_at {
        narrower["expires_at"] = json!(end);
    }
    Some(Unused {
        unused: unused.into_iter().cloned().collect(),
        proposal: json!({
            "method": "POST", "path": "/api/v1/tokens", "body": narrower,
            "then": {"method": "DELETE", "path": format!("/api/v1/tokens/{}", token.id)},
        }),
        ..idle(directory, token)
    })
}

fn unused_workload(directory: &Directory, workload: &Workload) -> Unused {
    let scopes: Vec<String> = workload.scopes.iter().cloned().collect();
    Unused {
        kind: "workload",
        person: directory.login(&workload.person),
        place: Some(workload.key.clone()),
        token: None,
        held: scopes.clone(),
        unused: scopes,
        proposal: json!({"method": "DELETE", "path": format!("/api/v1/workloads/{}", workload.key)}),
        kept: None,
    }
}
