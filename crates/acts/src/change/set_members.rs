//! Sets the plan of waves and the members of a change (`POST …/wave-plan`, `POST …/members`).

use std::collections::{BTreeMap, BTreeSet};

use model::change::record::{Change, Target};
use model::change::waves::member_list::{MOST_MEMBERS, Member, why_no_name};
use model::change::waves::plan::{WavePlan, assign, read_plan};
use model::change::waves::report::{self, NewList};
use model::change::waves::run::of_waves;
use model::change::write::check_editable;
use model::core::body::Body;
use model::core::parse::{LINE, Reading};
use model::core::refusal::{FieldError, Refusal};

use crate::change::member_lists::{Lists, keep_list};
use crate::core::context::Context;
use crate::core::error::Result;

/// The most wrong rows and starved members that a refusal names.
const NAMED: usize = 20;

/// A member in a file, a query or a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberRow {
    /// The place in the file: `csv line 3`.
    pub place: String,
    /// The service; if empty, the only one with the environment.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// Its name.
    pub member: String,
    /// Its region; empty for none.
    pub region: String,
    /// Whether it may go first.
    pub canary: bool,
}

/// The members of a change as a request sets them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberSet {
    /// Members to add, or to replace if the name exists.
    pub rows: Vec<MemberRow>,
    /// Whether members that are missing from the rows leave the targets in the rows.
    pub replace: bool,
    /// Members that leave.
    pub remove: Vec<String>,
    /// Config items of this service become members, in addition to the rows.
    pub config_items_of: Option<String>,
    /// Only the items of this kind.
    pub config_item_kind: Option<String>,
}

/// A list under construction: its target's place in the change, its members, and the waves of those that stay.
struct Draft<'c> {
    target: &'c Target,
    members: Vec<Member>,
    kept: BTreeMap<String, i64>,
}

/// Refuses an actor who may not set members of a change, before a request is read.
///
/// # Errors
/// 403, 404, 409, or the store's.
pub fn check_may_set(cx: &mut Context<'_, '_>, key: &str) -> Result<()> {
    cx.try_on_change(key, check_editable)
}

/// Sets the plan of waves; existing members are assigned to waves anew.
///
/// # Errors
/// 403; 422 for a wrong plan, or one that leaves members without a wave; 409 once the change is under way; the store's.
pub fn set_wave_plan(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    check_may_set(cx, key)?;
    let mut reading = Reading::new(body, "");
    let plan = read_plan(&mut reading);
    reading.finish()?;
    let change = cx.change(key)?;
    let mut lists = Lists::default();
    let mut drafts = Vec::new();
    for target in &change.content.targets {
        let Some(list) = &target.members else { continue };
        drafts.push(Draft {
            target,
            members: lists.members(cx, &list.digest)?,
            kept: BTreeMap::new(),
        });
    }
    save(cx, &change, &plan, drafts)
}

/// Sets members of a change. Those that stay keep their wave; the plan places the new ones.
///
/// # Errors
/// 403; 422 with every wrong row; 409 without a plan of waves, or once the change is under way; the store's.
pub fn set_members(cx: &mut Context<'_, '_>, key: &str, mut set: MemberSet) -> Result<()> {
    check_may_set(cx, key)?;
    let change = cx.change(key)?;
    let Some(plan) = change.content.wave_plan.clone() else {
        let text = "The change has no wave plan to assign its members to.";
        let help = "Set one first (POST …/wave-plan).";
        return Err(Refusal::not_now("no_wave_plan", text, help, Vec::new()).into());
    };
    add_config_items(cx, &change, &mut set)?;
    if set.rows.is_empty() && set.remove.is_empty() {
        let text = "List members in `csv` or by `config_items_of`, or members to remove in `remove`.";
        return Err(Refusal::field("csv", "missing", text).into());
    }
    let rows = by_target(&change, &set)?;
    let remove: BTreeSet<&str> = set.remove.iter().map(String::as_str).collect();
    let mut lists = Lists::default();
    let mut drafts = Vec::new();
    let mut gone: BTreeSet<&str> = BTreeSet::new();
    for (at, target) in change.content.targets.iter().enumerate() {
        let old = match &target.members {
            Some(list) => lists.members(cx, &list.digest)?,
            None => Vec::new(),
        };
        let told = rows.get(&at);
        let mut members: BTreeMap<String, Member> = BTreeMap::new();
        for member in &old {
            let leaves = remove.get(member.name.as_str());
            gone.extend(leaves);
            if leaves.is_none() && (told.is_none() || !set.replace) {
                members.insert(member.name.clone(), member.clone());
            }
        }
        members.extend(
            told.into_iter()
                .flatten()
                .map(|member| (member.name.clone(), member.clone())),
        );
        let stays = |member: &&Member| {
            members
                .get(&member.name)
                .is_some_and(|new| new.region == member.region && new.canary == member.canary)
        };
        let kept = old.iter().filter(stays).map(|it| (it.name.clone(), it.wave)).collect();
        if !members.is_empty() {
            drafts.push(Draft {
                target,
                members: members.into_values().collect(),
                kept,
            });
        }
    }
    if let Some(name) = remove.iter().find(|name| !gone.contains(*name)) {
        let text = format!("`{name}` is not a member of {}, so it cannot be removed.", change.key);
        return Err(Refusal::field("remove", "unknown", text).into());
    }
    save(cx, &change, &plan, drafts)
}

/// Adds the config items that a query names to every target of their service.
fn add_config_items(cx: &mut Context<'_, '_>, change: &Change, set: &mut MemberSet) -> Result<()> {
    let Some(service) = &set.config_items_of else {
        return Ok(());
    };
    let directory = cx.visible()?;
    let is_wanted = |kind: Option<&str>| {
        set.config_item_kind
            .as_deref()
            .is_none_or(|wanted| kind == Some(wanted))
    };
    let targets = change.content.targets.iter();
    let of_it = targets.filter(|target| target.service.as_str() == service);
    let mut environments: BTreeSet<&str> = of_it.map(|target| target.environment.as_str()).collect();
    if environments.is_empty() {
        // No target matches, so each row is refused.
        environments.insert("");
    }
    let mut rows: Vec<MemberRow> = Vec::new();
    let items = directory.config_items.values();
    for item in items.filter(|item| item.service.as_str() == service && is_wanted(item.kind.as_deref())) {
        rows.extend(environments.iter().map(|environment| MemberRow {
            place: format!("config item {}", item.key),
            service: service.clone(),
            environment: (*environment).to_owned(),
            member: item.key.clone(),
            ..MemberRow::default()
        }));
    }
    if rows.is_empty() {
        let text = format!("`{service}` has no such config items.");
        return Err(Refusal::field("config_items_of", "unknown", text).into());
    }
    set.rows.extend(rows);
    Ok(())
}

/// The rows by the place of their target; every wrong row is reported at once.
fn by_target(change: &Change, set: &MemberSet) -> Result<BTreeMap<usize, Vec<Member>>> {
    let mut errors: Vec<FieldError> = Vec::new();
    let mut found: BTreeMap<usize, Vec<Member>> = BTreeMap::new();
    let mut names: BTreeSet<(usize, &str)> = BTreeSet::new();
    if set.rows.len() > MOST_MEMBERS {
        let text = format!(
            "A change has at most {MOST_MEMBERS} members, and these are {}.",
            set.rows.len()
        );
        return Err(Refusal::field("csv", "too_many", text).into());
    }
    for row in &set.rows {
        let mut wrong = |code: &str, text: String| errors.push(FieldError::new(row.place.as_str(), code, text));
        let targets = change.content.targets.iter().enumerate();
        let mut places = targets.filter(|(_, target)| {
            (row.service.is_empty() || target.service.as_str() == row.service)
                && (row.environment.is_empty() || target.environment.as_str() == row.environment)
        });
        let (first, second) = (places.next(), places.next());
        let Some((at, _)) = first else {
            wrong(
                "unknown",
                format!(
                    "{} has no target `{}` in `{}`.",
                    change.key, row.service, row.environment
                ),
            );
            continue;
        };
        if second.is_some() {
            wrong(
                "ambiguous",
                "Several targets fit: name `service` and `environment` of one.".to_owned(),
            );
            continue;
        }
        let region = Some(row.region.as_str()).filter(|region| !region.is_empty());
        if let Some(text) = why_no_name(&row.member).or_else(|| region.and_then(why_no_name)) {
            wrong("not_technical", text);
            continue;
        }
        if !names.insert((at, row.member.as_str())) {
            wrong("not_unique", format!("`{}` is listed twice.", row.member));
            continue;
        }
        found.entry(at).or_default().push(Member {
            name: row.member.clone(),
            region: row.region.clone(),
            canary: row.canary,
            wave: 1,
        });
    }
    if errors.is_empty() {
        return Ok(found);
    }
    let more = errors.len().saturating_sub(NAMED);
    errors.truncate(NAMED);
    if more > 0 {
        errors.push(FieldError::new(
            "csv",
            "too_many",
            format!("{more} more rows are wrong."),
        ));
    }
    Err(Refusal::Invalid(errors).into())
}

/// Assigns the members to waves, stores the lists and sets them.
fn save(cx: &mut Context<'_, '_>, change: &Change, plan: &WavePlan, drafts: Vec<Draft<'_>>) -> Result<()> {
    let count: usize = drafts.iter().map(|draft| draft.members.len()).sum();
    if count > MOST_MEMBERS {
        let text = format!("A change has at most {MOST_MEMBERS} members, and this makes {count}.");
        return Err(Refusal::field("csv", "too_many", text).into());
    }
    let (mut members, mut kept, mut targets) = (Vec::new(), Vec::new(), Vec::new());
    for draft in drafts {
        members.push(draft.members);
        kept.push(draft.kept);
        targets.push(draft.target);
    }
    if let Err(starved) = assign(plan, &mut members, &kept) {
        let names: Vec<&str> = starved.iter().take(NAMED).map(String::as_str).collect();
        let text = format!(
            "No wave contains {} of {count} members: {}. Let the last wave contain every remaining member.",
            starved.len(),
            names.join(", ")
        );
        return Err(Refusal::field("waves", "starved", text).into());
    }
    let mut lists: Vec<NewList> = Vec::new();
    for (target, members) in targets.into_iter().zip(&members) {
        let list = keep_list(cx, &target.service, members)?;
        lists.push((target.id.clone(), list.reference(), of_waves(plan, members)));
    }
    cx.on_change(&change.key, |case| report::set_waves(case, plan, lists))
}

/// Reads a request's fields other than the file: whether the list is replaced, the members to remove, and the query.
pub fn read_set(reading: &mut Reading<'_>) -> MemberSet {
    MemberSet {
        rows: Vec::new(),
        replace: reading.boolean("replace").unwrap_or(false),
        remove: reading.texts("remove", LINE).unwrap_or_default(),
        config_items_of: reading.text("config_items_of", LINE),
        config_item_kind: reading.text("config_item_kind", LINE),
    }
}
