//! Keeps the conflicts that stay: one record for each pair of changes. A conflict is kept once both changes were submitted and left
//! alone for a while, or at once where the terms of planning hold changes for it; it is followed on every edit of either change.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use model::change::record::Change;
use model::core::enums::{AboutKind, ActionKind, ConflictDecision, ConflictState, State};
use model::core::ids::{PersonId, RecordId};
use model::core::parse::{Reading, later};
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::schedule::conflict_record::{Conflict, ConflictInput};
use model::schedule::conflict_rules::{MOST_KEPT, MOST_PRECEDENTS, are_same_ways, parts};
use model::schedule::conflicts::{Found, Planned, between, pairs};
use model::schedule::planning_terms::PlanningTerms;
use model::schedule::ways::Ways;
use serde_json::json;
use store::record::{self, Filter};

use crate::case::settle_one::settle_one;
use crate::core::context::{Context, Saved};
use crate::core::error::Result;
use crate::core::grounds;
use crate::core::noun::PlainNoun;
use crate::guard::self_grant;
use crate::notify::action_items::{self, About, Due, NewItem, Owner};
use crate::schedule::change_conflicts::{change_of, find_all};

/// A pair of changes whose conflict is to be kept or followed: `id/id`.
pub const PAIR: &str = "conflict_pair";
/// A conflict whose time to decide passed.
pub const LATE: &str = "conflict_late";

/// The parts of its action items: for the owner of each change, and for an arbiter.
const PARTS: [&str; 3] = ["one", "other", "arbiter"];

/// How long both changes must have been left alone before their conflict is kept.
const STAYS: SignedDuration = SignedDuration::from_mins(15);
/// How far ahead conflicts are kept, in days.
const AHEAD_DAYS: i64 = 60;
/// The most pairs of one round, and the most conflicts that one act begins to keep.
const MOST_PAIRS: usize = 20;
/// The most changes of one round: the next ones. Later ones come into it as time passes.
const MOST_SWEPT: i64 = 1_000;
/// The most decided conflicts among which precedents are looked for.
const MOST_DECIDED: i64 = 500;

impl PlainNoun for Conflict {
    type Input = ConflictInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let all = cx.directory()?.conflicts.to_vec();
        let mut seen = Vec::new();
        for conflict in all {
            if cx.sees(&conflict.one)? && cx.sees(&conflict.other)? {
                seen.push(conflict);
            }
        }
        Ok(seen)
    }

    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        let Some(found) = record::load::<Self>(cx.tx, key)?.map(|stored| stored.record) else {
            return Ok(None);
        };
        let is_seen = cx.sees(&found.one)? && cx.sees(&found.other)?;
        Ok(Some(found).filter(|_| is_seen))
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.state != ConflictState::Gone
    }

    fn add(_cx: &mut Context<'_, '_>, _input: ConflictInput, _reading: Reading<'_>) -> Result<Self> {
        // The card has no verb that adds one: conflicts are found.
        Err(Refusal::not_found("conflict").into())
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: ConflictInput, reading: Reading<'_>) -> Result<Self> {
        match reading.says("decision") {
            true => decide(cx, self, input, reading),
            false => assign(cx, self, &input, reading),
        }
    }
}

/// Decides a conflict as one of its arbiters. The decision binds both changes.
fn decide(
    cx: &mut Context<'_, '_>,
    conflict: Conflict,
    input: ConflictInput,
    mut reading: Reading<'_>,
) -> Result<Conflict> {
    let (one, other) = (change_of(cx, &conflict.one)?, change_of(cx, &conflict.other)?);
    check_arbiter(cx, &conflict, [&one, &other])?;
    let is_moved = input.decision == Some(ConflictDecision::OneMoves);
    let names_one = input.moves.as_ref() == Some(&one.key) || input.moves.as_ref() == Some(&other.key);
    if is_moved && !names_one {
        let text = format!("`moves` is {} or {}: the change that moves.", one.key, other.key);
        reading.wrong("moves", "missing", text);
    }
    if input.decision.is_none() {
        reading.wrong(
            "decision",
            "missing",
            "`decision` is one_moves, both_stay or one_window.",
        );
    }
    if input.reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) || !reading.says("reason") {
        reading.wrong("reason", "missing", "`reason` says why it is decided so.");
    }
    reading.finish()?;
    let person = cx.actor.person.clone();
    let others = vec![grounds::named(&conflict)];
    let grounds = grounds::of_records(cx, (&[], others), grounds::Shown::default())?;
    let decided = conflict.decided(&input, person, cx.now);
    let data = json!({
        "one": decided.one_key, "other": decided.other_key, "decision": decided.decision, "moves": decided.moves,
        "grounds": grounds,
    });
    let decided = cx.put_estate("conflict.decided", decided, data)?;
    let news = decision_text(&decided);
    for change in [&one, &other] {
        let owner = change.content.owner.clone();
        let text = format!("{}: {news}", change.key);
        notify_people(
            cx,
            change,
            &[owner],
            ("conflict_decided", &decided),
            &text,
            "Plan the changes as decided.",
        )?;
    }
    follow_item(cx, &decided, (&one, &other))?;
    settle_both(cx, &decided)?;
    Ok(decided)
}

fn decision_text(decided: &Conflict) -> String {
    let pair = format!("the conflict of {} and {}", decided.one_key, decided.other_key);
    match (decided.decision, &decided.moves) {
        (Some(ConflictDecision::OneMoves), Some(moves)) => format!("{pair} is decided: {moves} moves."),
        (Some(ConflictDecision::OneWindow), _) => format!("{pair} is decided: both are done in one window."),
        _ => format!("{pair} is decided: both stay as planned."),
    }
}

/// Arbiters decide in person, and never through a credential issued by a person with a part in either change.
fn check_arbiter(cx: &mut Context<'_, '_>, conflict: &Conflict, changes: [&Change; 2]) -> Result<()> {
    let directory = cx.directory()?;
    let arbiters = conflict.arbiters(&directory, changes, cx.now);
    let is_arbiter = arbiters.contains(&cx.actor.person);
    let stakes = changes.iter().flat_map(|change| {
        let content = &change.content;
        let people = change
            .authors
            .iter()
            .chain(&change.planned_by)
            .chain(&content.implementers);
        people.chain([&change.requester, &content.owner])
    });
    let is_own = stakes
        .into_iter()
        .any(|person| self_grant::is_one(cx, &directory, person));
    if is_arbiter && !is_own {
        return Ok(());
    }
    let logins: Vec<String> = arbiters.iter().map(|person| directory.login(person)).collect();
    let text = "A conflict must be decided by an owner of what both changes share, or else by a change manager, and not by a \
                person involved in either change.";
    Err(Refusal::not_allowed("not_arbiter", text.to_owned())
        .with_others(logins)
        .into())
}

/// Names another owner of a conflict: the owners of both changes, its present owner and its arbiters may.
fn assign(
    cx: &mut Context<'_, '_>,
    conflict: Conflict,
    input: &ConflictInput,
    mut reading: Reading<'_>,
) -> Result<Conflict> {
    let (one, other) = (change_of(cx, &conflict.one)?, change_of(cx, &conflict.other)?);
    let directory = cx.directory()?;
    let me = &cx.actor.person;
    let is_concerned = [&one.content.owner, &other.content.owner].contains(&me)
        || conflict.owner.as_ref() == Some(me)
        || conflict.arbiters(&directory, [&one, &other], cx.now).contains(me);
    if !is_concerned {
        let text = "The owners of both changes, the owner of the conflict and its arbiters name another owner.";
        return Err(Refusal::not_allowed("not_concerned", text.to_owned()).into());
    }
    let named = input.owner.as_ref().filter(|_| reading.says("owner"));
    let owner = named.and_then(|login| directory.by_login(login.as_str()));
    let owner = owner.filter(|person| person.active).map(|person| person.id.clone());
    match named {
        None => reading.wrong("decision", "missing", "Give a `decision`, or another `owner`."),
        Some(login) if owner.is_none() => {
            reading.wrong(
                "owner",
                "unknown",
                format!("There is no active person with the login `{login}`."),
            );
        }
        Some(_) => {}
    }
    reading.finish()?;
    let next = Conflict { owner, ..conflict };
    cx.put_estate("conflict.assigned", next, json!({}))
}

/// The decisions of similar conflicts, the newest first.
///
/// # Errors
/// The store's.
pub fn precedents(cx: &mut Context<'_, '_>, conflict: &Conflict) -> Result<Vec<Conflict>> {
    let decided = find_decided(cx)?;
    precedents_among(cx, conflict, &decided)
}

/// The conflicts decided last, among which precedents are looked for.
///
/// # Errors
/// The store's.
pub fn find_decided(cx: &mut Context<'_, '_>) -> Result<Vec<Conflict>> {
    let filter = Filter::new()
        .is_set("decided_at")
        .descending_by("decided_at")
        .limit(MOST_DECIDED);
    Ok(record::bodies::<Conflict>(cx.tx, &filter)?)
}

/// The precedents of a conflict among decided ones, for a page of many conflicts.
///
/// # Errors
/// The store's.
pub fn precedents_among(cx: &mut Context<'_, '_>, conflict: &Conflict, decided: &[Conflict]) -> Result<Vec<Conflict>> {
    let mut like = Vec::new();
    for other in decided.iter().filter(|other| conflict.is_like(other)) {
        if like.len() < MOST_PRECEDENTS && cx.sees(&other.one)? && cx.sees(&other.other)? {
            like.push(other.clone());
        }
    }
    Ok(like)
}

/// Updates the conflicts of a change that was saved with another plan, in the same transaction; opens those that hold the
/// change.
///
/// # Errors
/// The store's.
pub(crate) fn follow_saved(cx: &mut Context<'_, '_>, saved: &Saved) -> Result<()> {
    let change = &saved.after.change;
    let before = saved.before.as_ref().map(|file| &file.change);
    let is_submitted = |change: &Change| change.state != State::Draft;
    let is_same = before.is_some_and(|before| {
        Planned::of(before) == Planned::of(change) && is_submitted(before) == is_submitted(change)
    });
    if is_same {
        return Ok(());
    }
    let directory = cx.directory()?;
    let mut known: Vec<Conflict> = directory
        .conflicts
        .iter()
        .filter(|it| it.is_of(change))
        .cloned()
        .collect();
    known.extend(parted(cx, change)?);
    if known.is_empty() && directory.planning().hold_kinds.is_empty() {
        return Ok(());
    }
    cx.as_system(|cx| follow(cx, change, known))
}

/// Conflicts of a change that are gone and that bind it at once if both changes meet again: they were decided, or held both.
fn parted(cx: &mut Context<'_, '_>, change: &Change) -> Result<Vec<Conflict>> {
    let mut found = Vec::new();
    for end in ["one", "other"] {
        let filter = Filter::new().equals(end, change.id.as_str()).order_by("id");
        found.extend(record::bodies::<Conflict>(cx.tx, &filter)?);
    }
    found.retain(|it| it.state == ConflictState::Gone && (it.decision.is_some() || it.holds));
    Ok(found)
}

fn follow(cx: &mut Context<'_, '_>, change: &Change, known: Vec<Conflict>) -> Result<()> {
    let terms = cx.directory()?.planning();
    let found = match Planned::of(change) {
        Some(mine) => find_all(cx, &mine)?,
        None => Vec::new(),
    };
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for conflict in known {
        let other = match conflict.one == change.id.0 {
            true => conflict.other.clone(),
            false => conflict.one.clone(),
        };
        let meets = found
            .iter()
            .find(|it| it.change.as_ref().is_some_and(|id| id.0 == other));
        let second = change_of(cx, &other)?;
        let pair = ordered(change, &second);
        seen.insert(other);
        save_followed(cx, conflict, pair, meets, &terms)?;
    }
    if change.state == State::Draft {
        return Ok(());
    }
    // A change with this many conflicts does not start anyway, so further ones are left out.
    for one in found.iter().filter(|it| terms.hold(&it.kinds())).take(MOST_PAIRS) {
        let Some(id) = one.change.as_ref().filter(|id| !seen.contains(id.as_str())) else {
            continue;
        };
        let second = change_of(cx, id.as_str())?;
        if second.state != State::Draft {
            open(cx, ordered(change, &second), one, &terms)?;
        }
    }
    Ok(())
}

/// The change that was written first, then the other.
fn ordered<'a>(one: &'a Change, other: &'a Change) -> (&'a Change, &'a Change) {
    match one.number <= other.number {
        true => (one, other),
        false => (other, one),
    }
}

fn save_followed(
    cx: &mut Context<'_, '_>,
    conflict: Conflict,
    pair: (&Change, &Change),
    found: Option<&Found>,
    terms: &PlanningTerms,
) -> Result<()> {
    let next = conflict.clone().followed(pair, found, terms, cx.now);
    if next == conflict {
        return Ok(());
    }
    let is_gone = next.state == ConflictState::Gone;
    let kind = if is_gone { "conflict.gone" } else { "conflict.followed" };
    let data = json!({"one": next.one_key, "other": next.other_key});
    let is_reopened = conflict.state != ConflictState::Open && next.state == ConflictState::Open;
    let next = cx.put_estate(kind, next, data)?;
    if is_reopened {
        notify_found(cx, &next, pair)?;
    }
    follow_item(cx, &next, pair)?;
    settle_both(cx, &next)
}

/// Keeps a conflict; a pair that met before keeps its record. One that holds both is kept however many there are: without a record
/// nothing would hold them.
fn open(cx: &mut Context<'_, '_>, pair: (&Change, &Change), found: &Found, terms: &PlanningTerms) -> Result<()> {
    let known = Filter::new()
        .equals("one", pair.0.id.as_str())
        .equals("other", pair.1.id.as_str())
        .order_by("id");
    if let Some(known) = record::find_one::<Conflict>(cx.tx, &known)? {
        return save_followed(cx, known.record, pair, Some(found), terms);
    }
    if cx.directory()?.conflicts.len() >= MOST_KEPT && !terms.hold(&found.kinds()) {
        return Ok(());
    }
    let conflict = Conflict::new(RecordId(cx.new_id()?), pair, found, terms, cx.now);
    let data = json!({"one": conflict.one_key, "other": conflict.other_key});
    let conflict = cx.put_estate("conflict.found", conflict, data)?;
    notify_found(cx, &conflict, pair)?;
    follow_item(cx, &conflict, pair)?;
    settle_both(cx, &conflict)
}

/// Opens the action items of a conflict that is to be decided, for the owners of both changes and an arbiter; settles them once
/// it is decided or gone. The letter about the conflict is the owners' letter.
fn follow_item(cx: &mut Context<'_, '_>, conflict: &Conflict, (one, other): (&Change, &Change)) -> Result<()> {
    let about = About::new(AboutKind::Conflict, conflict.id.as_str());
    if conflict.state != ConflictState::Open {
        let reason = match conflict.state {
            ConflictState::Decided => "The conflict is decided.",
            _ => "The changes no longer conflict.",
        };
        for part in PARTS {
            action_items::settle_by_rule(cx, ActionKind::DecideConflict, &about, part, reason)?;
        }
        return Ok(());
    }
    let directory = cx.directory()?;
    let arbiters = conflict.arbiters(&directory, [one, other], cx.now);
    let (mine, theirs) = (&one.content.owner, &other.content.owner);
    let owners = [
        Some(Owner::Person(mine.clone())),
        (theirs != mine).then(|| Owner::Person(theirs.clone())),
        Some(arbiters.into_iter().next().map_or(Owner::ChangeManagers, Owner::Person)),
    ];
    let address = format!("{}/t/{}/changes", cx.services.tools().public_url, cx.tenant());
    let links = [&conflict.one_key, &conflict.other_key].map(|key| format!("{address}/{key}"));
    for (part, owner) in PARTS.into_iter().zip(owners) {
        let Some(owner) = owner else { continue };
        let title = format!("Decide the conflict of {} and {}", conflict.one_key, conflict.other_key);
        // Where the arbiter leaves, it falls to nobody who may not decide.
        let involved: BTreeSet<PersonId> = match part {
            "arbiter" => [one, other].into_iter().flat_map(parts).cloned().collect(),
            _ => BTreeSet::new(),
        };
        let item = NewItem {
            involved,
            part: part.to_owned(),
            text: Some("Move one of the changes, or have the conflict decided.".to_owned()),
            services: conflict.services.clone(),
            owner,
            due: Due::At(conflict.due_at),
            links: links.to_vec(),
            tells: false,
            ..NewItem::new(ActionKind::DecideConflict, about.clone(), title)
        };
        action_items::open(cx, item)?;
    }
    Ok(())
}

/// Notifies the owners of both changes and the arbiters.
fn notify_found(cx: &mut Context<'_, '_>, conflict: &Conflict, (one, other): (&Change, &Change)) -> Result<()> {
    let directory = cx.directory()?;
    let arbiters = conflict.arbiters(&directory, [one, other], cx.now);
    let why = conflict.why.first().cloned().unwrap_or_default();
    let text = format!(
        "{} and {} conflict from {} to {}: {why}. It is to be decided by {}.",
        one.key, other.key, conflict.overlaps_from, conflict.overlaps_to, conflict.due_at
    );
    let next = "Move one of the changes, or have the conflict decided.";
    notify_people(
        cx,
        one,
        std::slice::from_ref(&one.content.owner),
        ("conflict_found", conflict),
        &text,
        next,
    )?;
    let mut people = vec![other.content.owner.clone()];
    people.extend(arbiters);
    notify_people(cx, other, &people, ("conflict_found", conflict), &text, next)
}

/// Writes to people about a change, once for each time that the conflict was found.
fn notify_people(
    cx: &mut Context<'_, '_>,
    change: &Change,
    people: &[PersonId],
    (topic, conflict): (&'static str, &Conflict),
    text: &str,
    next: &str,
) -> Result<()> {
    let mark = format!("{}-{}", conflict.id, conflict.found_at.as_second());
    cx.as_system(|cx| {
        cx.on_change(change.id.as_str(), |case| {
            for person in people {
                case.write_to(person, topic, &mark, text.to_owned(), next);
            }
            Ok(())
        })
    })
}

/// Judges both changes again, because the conflict's hold on them changed.
fn settle_both(cx: &mut Context<'_, '_>, conflict: &Conflict) -> Result<()> {
    let pair = [conflict.one.clone(), conflict.other.clone()];
    cx.as_system(|cx| {
        for id in &pair {
            if change_of(cx, id)?.state.is_open() {
                settle_one(cx, id)?;
            }
        }
        Ok(())
    })
}

/// The work of a round: pairs whose conflict is to be stored or updated, and conflicts whose time passed. It is computed in a
/// read, so that a change of the graph that touches many changes does not hold the writer.
///
/// # Errors
/// The store's.
pub(crate) fn pending_work(cx: &mut Context<'_, '_>) -> Result<Vec<(&'static str, String)>> {
    let (directory, now) = (cx.directory()?, cx.now);
    let is_late = |it: &&Conflict| it.state == ConflictState::Open && !it.escalated && it.due_at <= now;
    let late = directory.conflicts.iter().filter(is_late).take(MOST_PAIRS);
    let mut work: Vec<(&'static str, String)> = late.map(|it| (LATE, it.id.0.clone())).collect();
    work.extend(pending_pairs(cx, &directory)?.into_iter().map(|pair| (PAIR, pair)));
    Ok(work)
}

fn pending_pairs(cx: &mut Context<'_, '_>, directory: &Directory) -> Result<Vec<String>> {
    let mark = newest(cx, directory)?;
    let tenant = cx.tenant();
    if cx.services.has_conflicts_of(&tenant, mark) {
        return Ok(Vec::new());
    }
    let (terms, now) = (directory.planning(), cx.now);
    let changes = submitted(cx)?;
    let plans: Vec<Planned> = changes.iter().filter_map(Planned::of).collect();
    let numbers: BTreeMap<&str, i64> = changes.iter().map(|it| (it.id.as_str(), it.number)).collect();
    let fresh: BTreeSet<&str> = changes
        .iter()
        .filter(|it| later(it.updated_at, STAYS) > now)
        .map(|it| it.id.as_str())
        .collect();
    let known: BTreeMap<(&str, &str), &Conflict> = directory
        .conflicts
        .iter()
        .map(|it| (in_order(&it.one, &it.other), it))
        .collect();
    let mut ways = Ways::of(directory, terms.steps());
    let (mut found, mut met, mut is_waiting) = (Vec::new(), BTreeSet::new(), false);
    for (one, other) in pairs(&mut ways, &terms, &plans) {
        let (one, other) = (&plans[one], &plans[other]);
        let pair = in_order(one.id.as_str(), other.id.as_str());
        let kept = known.get(&pair);
        met.extend(kept.map(|_| pair));
        // As it is kept: from the change that was written first.
        let (first, second) = match numbers.get(one.id.as_str()) <= numbers.get(other.id.as_str()) {
            true => (one, other),
            false => (other, one),
        };
        let is_full = directory.conflicts.len() >= MOST_KEPT;
        let is_right = match kept {
            Some(kept) => between(&mut ways, (directory, &terms), first, second)
                .is_some_and(|found| matches_found(kept, &found, &terms)),
            // Beyond the limit, only conflicts that hold changes are stored.
            None if is_full && !terms.hold_kinds.is_empty() => {
                between(&mut ways, (directory, &terms), first, second).is_none_or(|found| !terms.hold(&found.kinds()))
            }
            None => is_full,
        };
        let is_fresh = kept.is_none() && (fresh.contains(pair.0) || fresh.contains(pair.1));
        is_waiting = is_waiting || (!is_right && is_fresh);
        if !is_right && !is_fresh && found.len() < MOST_PAIRS {
            found.push(format!("{}/{}", one.id, other.id));
        }
    }
    let ids: BTreeSet<&str> = plans.iter().map(|plan| plan.id.as_str()).collect();
    let parted = known
        .keys()
        .filter(|pair| ids.contains(pair.0) && ids.contains(pair.1) && !met.contains(*pair));
    found.extend(parted.take(MOST_PAIRS).map(|(one, other)| format!("{one}/{other}")));
    if found.is_empty() && !is_waiting {
        cx.services.note_conflicts_of(&tenant, mark);
    }
    Ok(found)
}

/// Two ids in order, so that a pair is found in any order.
fn in_order<'a>(one: &'a str, other: &'a str) -> (&'a str, &'a str) {
    (one.min(other), one.max(other))
}

/// Whether a record equals the result, and holds both changes where the terms do by now.
fn matches_found(kept: &Conflict, found: &Found, terms: &PlanningTerms) -> bool {
    let is_to_hold = kept.state == ConflictState::Open && terms.hold(&found.kinds());
    let why: Vec<String> = found.met.iter().map(|met| met.sentence()).collect();
    (kept.holds || !is_to_hold)
        && kept.kinds == found.kinds()
        && kept.overlaps_from == found.from
        && kept.overlaps_to == found.to
        && are_same_ways(&why, &kept.why)
}

/// The next changes that were submitted and are not over, by their start.
fn submitted(cx: &mut Context<'_, '_>) -> Result<Vec<Change>> {
    let states = State::ALL.iter();
    let states = states.filter(|state| state.is_open() && ![State::Draft, State::Reviewing].contains(state));
    let filter = Filter::new()
        .one_of("state", states.map(|state| state.as_str()))
        .less(
            "planned_start",
            later(cx.now, SignedDuration::from_hours(24 * AHEAD_DAYS)),
        )
        .more("planned_end", cx.now)
        .order_by("planned_start")
        .limit(MOST_SWEPT);
    Ok(record::bodies::<Change>(cx.tx, &filter)?)
}

/// By which it is known whether anything was written since: the generation of the directory, the newest change, and the hour, as work
/// ends and terms pass without anybody writing.
fn newest(cx: &mut Context<'_, '_>, directory: &Directory) -> Result<(i64, i64, i64)> {
    let last = Filter::new().descending_by("updated_at").limit(1);
    let last = record::bodies::<Change>(cx.tx, &last)?;
    let updated = last.first().map_or(0, |change| change.updated_at.as_microsecond());
    Ok((directory.generation, updated, cx.now.as_second() / 3_600))
}

/// Keeps or follows the conflict of a pair, as `id/id`.
///
/// # Errors
/// The store's.
pub(crate) fn follow_pair(cx: &mut Context<'_, '_>, pair: &str) -> Result<()> {
    let Some((one, other)) = pair.split_once('/') else {
        return Ok(());
    };
    let (one, other) = (change_of(cx, one)?, change_of(cx, other)?);
    let (one, other) = ordered(&one, &other);
    let directory = cx.directory()?;
    let terms = directory.planning();
    let plans = Planned::of(one).zip(Planned::of(other));
    let mut ways = Ways::of(&directory, terms.steps());
    let found = plans.and_then(|(mine, second)| between(&mut ways, (&directory, &terms), &mine, &second));
    let known = directory
        .conflicts
        .iter()
        .find(|it| it.one == one.id.0 && it.other == other.id.0);
    match (known.cloned(), &found) {
        (Some(known), _) => save_followed(cx, known, (one, other), found.as_ref(), &terms),
        (None, Some(found)) => open(cx, (one, other), found, &terms),
        (None, None) => Ok(()),
    }
}

/// Escalates a conflict that nobody decided in time: change managers may decide from now on, and are notified.
///
/// # Errors
/// The store's.
pub(crate) fn escalate(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let Some(conflict) = record::load::<Conflict>(cx.tx, id)?.map(|stored| stored.record) else {
        return Ok(());
    };
    if conflict.state != ConflictState::Open || conflict.escalated || cx.now < conflict.due_at {
        return Ok(());
    }
    let next = Conflict {
        escalated: true,
        ..conflict
    };
    let data = json!({"one": next.one_key, "other": next.other_key, "due_at": next.due_at});
    let next = cx.put_estate("conflict.escalated", next, data)?;
    let (one, other) = (change_of(cx, &next.one)?, change_of(cx, &next.other)?);
    let directory = cx.directory()?;
    let arbiters = next.arbiters(&directory, [&one, &other], cx.now);
    let text = format!(
        "The conflict of {} and {} was to be decided by {}.",
        next.one_key, next.other_key, next.due_at
    );
    notify_people(
        cx,
        &other,
        &arbiters,
        ("conflict_escalated", &next),
        &text,
        "Decide it.",
    )
}
