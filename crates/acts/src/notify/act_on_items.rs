//! The acts on action items: open one, acknowledge it, assign it to another person, settle it.

use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::{AboutKind, ActionKind, ActionState, Closing};
use model::core::ids::{GroupKey, PersonId};
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::directory::scope;
use model::directory::snapshot::Directory;
use model::notify::action_item::{
    About, ActionItem, ActionItemInput, Due, MOST_OPENED, NewItem, Owner, TEXT, USUAL_TIME, check_input, natural_key,
};
use model::notify::item_clock::{acknowledges, is_responsible, owners};
use store::record::{self, Filter};
use uuid::Uuid;

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::noun::PlainNoun;
use crate::guard::impersonation;
use crate::guard::self_grant::is_one;
use crate::notify::action_items::{is_open, keep, open, settle};
use crate::notify::communicate::note_acknowledged;
use crate::schedule::set_freeze::has_part;

impl PlainNoun for ActionItem {
    type Input = ActionItemInput;
    const IS_HISTORY: bool = true;

    fn key(&self) -> &str {
        &self.key
    }

    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        let found = record::find_one::<Self>(cx.tx, &Filter::new().equals("key", key.to_uppercase()))?;
        let Some(item) = found.map(|stored| stored.record) else {
            return Ok(None);
        };
        let is_seen = cx.scope()?.is_none() || item.owner.as_ref() == Some(&cx.actor.person);
        Ok(is_seen.then_some(item))
    }

    /// Opens an item of the kind `other`, which its owner settles.
    fn add(cx: &mut Context<'_, '_>, input: ActionItemInput, mut reading: Reading<'_>) -> Result<Self> {
        check_unscoped(cx)?;
        let directory = cx.directory()?;
        check_input(&mut reading, &input, cx.now);
        let about = About::new(input.about_kind, known_key(cx, &mut reading, &input)?);
        let owner = match (&input.owner, &input.group) {
            (Some(login), _) => owner_of(&mut reading, &directory, login, &input),
            (None, Some(group)) => group_of(&mut reading, &directory, group),
            (None, None) => Owner::Person(cx.actor.person.clone()),
        };
        reading.finish()?;
        check_count(cx)?;
        let item = NewItem {
            // Two people may open the same matter; the key in the address of the request makes a repeated request one item.
            // The part of no rule is an id alone: see `is_of_verb`.
            part: cx.new_id()?,
            text: input.text,
            services: input.services,
            owner,
            escalate_to: input.escalate_to,
            due: input.due_at.map_or(Due::Within(USUAL_TIME), Due::At),
            closing: Closing::Person,
            links: input.links,
            ..NewItem::new(ActionKind::Other, about, input.title)
        };
        open(cx, item)
    }
}

/// A person who is scoped to services acts on the items that they own and opens none.
fn check_unscoped(cx: &mut Context<'_, '_>) -> Result<()> {
    match cx.scope()? {
        Some(_) => Err(scope::refusal().into()),
        None => Ok(()),
    }
}

fn check_count(cx: &mut Context<'_, '_>) -> Result<()> {
    if cx.actor.is_system {
        return Ok(());
    }
    let theirs = is_open(Filter::new().equals("opened_by", cx.actor.person.as_str())).equals("kind", "other");
    // The exact count reads the items, so it is made only where the count with those of rules reaches the limit.
    if record::count::<ActionItem>(cx.tx, &theirs)? < MOST_OPENED || count_of_verb(cx, &theirs)? < MOST_OPENED {
        return Ok(());
    }
    let text = format!("{MOST_OPENED} items that you opened are open.");
    let satisfy = "Settle some of them, or ask their owners to.";
    Err(Refusal::not_now("too_many", text, satisfy, Vec::new()).into())
}

/// The number of these items that a person opened by the verb, counted up to [`MOST_OPENED`]; rules opened the others in the
/// person's acts.
fn count_of_verb(cx: &mut Context<'_, '_>, items: &Filter) -> Result<i64> {
    let (mut count, mut after) = (0, String::new());
    loop {
        let page = items
            .clone()
            .more("id", after.as_str())
            .order_by("id")
            .limit(MOST_OPENED);
        let page = record::bodies::<ActionItem>(cx.tx, &page)?;
        count += page.iter().map(|item| i64::from(is_of_verb(item))).sum::<i64>();
        match page.last() {
            Some(last) if count < MOST_OPENED => last.id.as_str().clone_into(&mut after),
            _ => return Ok(count),
        }
    }
}

/// Whether a person opened the item by the verb: only then the part of its natural key is a bare id.
fn is_of_verb(item: &ActionItem) -> bool {
    let about = About::new(item.about_kind, item.about.as_str());
    let part = item.natural_key.strip_prefix(&natural_key(item.kind, &about, ""));
    part.is_some_and(|part| Uuid::try_parse(part).is_ok())
}

/// The key of the record that an item is about, as the record has it. Records of other kinds are not looked up.
fn known_key(cx: &mut Context<'_, '_>, reading: &mut Reading<'_>, input: &ActionItemInput) -> Result<String> {
    let said = input.about.clone().unwrap_or_default();
    if said.is_empty() {
        return Ok(said);
    }
    let directory = cx.directory()?;
    let known = match input.about_kind {
        AboutKind::Change => match cx.change(&said) {
            Ok(change) => Some(change.key),
            Err(Error::Refused(_)) => None,
            Err(error) => return Err(error),
        },
        AboutKind::Incident => directory.incidents.get(&said.to_uppercase()).map(|it| it.key.clone()),
        AboutKind::Service => directory.services.get(&said.as_str().into()).map(|it| it.key.0.clone()),
        _ => Some(said.clone()),
    };
    if known.is_none() {
        reading.wrong(
            "about",
            "unknown",
            format!("There is no {} `{said}`.", input.about_kind),
        );
    }
    Ok(known.unwrap_or(said))
}

/// The person behind a login who may own an item about these services.
fn owner_of(reading: &mut Reading<'_>, directory: &Directory, login: &str, input: &ActionItemInput) -> Owner {
    let found = directory
        .by_login(login)
        .filter(|person| directory.takes_part(&person.id));
    let Some(person) = found else {
        reading.wrong("owner", "unknown", format!("No active person has the login `{login}`."));
        return Owner::ChangeManagers;
    };
    if !sees(directory, &person.id, &input.services) {
        reading.wrong("owner", "scoped_to_services", outside(login));
    }
    Owner::Person(person.id.clone())
}

fn group_of(reading: &mut Reading<'_>, directory: &Directory, group: &GroupKey) -> Owner {
    if directory.members(group).is_empty() {
        let text = format!("The group `{group}` has no active member who could do it.");
        reading.wrong("group", "empty", text);
    }
    Owner::Group(group.clone())
}

/// Whether a person who is scoped to services may know of an item about these.
fn sees(
    directory: &Directory,
    person: &PersonId,
    services: &std::collections::BTreeSet<model::core::ids::ServiceKey>,
) -> bool {
    let scope = directory.people.get(person).map(|found| &found.services);
    scope.is_none_or(|scope| scope.is_empty() || (!services.is_empty() && services.is_subset(scope)))
}

fn outside(login: &str) -> String {
    format!("{login} is scoped to services, and the item is not about these alone.")
}

/// Acknowledges an item (`POST /action-items/{key}/acknowledgement`): its owner has seen it and is reminded no more before it is due.
/// An item that needs only the acknowledgement is done by it. The announcement of a change is acknowledged by its addressee, or
/// by a delegate who has no part in the change.
///
/// # Errors
/// 403 for people who are not responsible for the item, and for an impersonated account at an announcement; 404; 409
/// when it is settled; the store's.
pub fn acknowledge(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<ActionItem> {
    let item = open_item(cx, key)?;
    Reading::new(body, "").finish()?;
    match item.announced_to() {
        Some(asked) => check_acknowledges(cx, &item, &asked)?,
        None => check_is_responsible(cx, &item)?,
    }
    if item.state == ActionState::Acknowledged {
        return Ok(item);
    }
    let next = ActionItem {
        state: ActionState::Acknowledged,
        acknowledged_by: Some(cx.actor.person.clone()),
        acknowledged_at: Some(cx.now),
        ..item
    };
    if next.kind == ActionKind::Acknowledge {
        // The acknowledgement was all that the item needed.
        let settled = settle(cx, next, ActionState::Done, "Acknowledged.")?;
        note_acknowledged(cx, &settled)?;
        return Ok(settled);
    }
    keep(cx, "action_item.acknowledged", next, false)
}

/// Gives an item another owner (`POST /action-items/{key}/assignment {owner | group}`); the new owner gets a letter.
///
/// # Errors
/// 403 for people who are not responsible for the item; 404; 409 when it is settled, or when its record names the owner; 422;
/// the store's.
pub fn assign(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<ActionItem> {
    check_unscoped(cx)?;
    let item = open_item(cx, key)?;
    check_is_responsible(cx, &item)?;
    if item.has_fixed_owner() {
        let text = format!("The owner of {} is set in the record that it is about.", item.key);
        let satisfy = "The owner must do it; if they cannot, change that record.";
        return Err(Refusal::not_now("fixed_owner", text, satisfy, Vec::new()).into());
    }
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let (login, group) = (reading.text("owner", LINE), reading.text("group", LINE).map(GroupKey));
    let named = ActionItemInput {
        services: item.services.clone(),
        ..ActionItemInput::default()
    };
    let owner = match (&login, &group) {
        (Some(login), None) => owner_of(&mut reading, &directory, login, &named),
        (None, Some(group)) => group_of(&mut reading, &directory, group),
        _ => {
            reading.wrong("owner", "missing", "Name either `owner` or `group`.");
            Owner::ChangeManagers
        }
    };
    reading.finish()?;
    let (owner, group) = match owner {
        Owner::Person(person) => (Some(person), None),
        Owner::Group(group) => (None, Some(group)),
        Owner::ServiceOwner | Owner::ChangeManagers => (None, None),
    };
    if (&owner, &group) == (&item.owner, &item.group) {
        return Ok(item);
    }
    let next = ActionItem {
        owner,
        group,
        state: ActionState::Open,
        acknowledged_by: None,
        acknowledged_at: None,
        ..item
    };
    keep(cx, "action_item.assigned", next, true)
}

/// Settles an item (`POST /action-items/{key}/settlement {state, reason}`) as `done` or `dismissed`. An item with a condition
/// cannot be ticked off, and a finding is never dismissed by the person whom it is about.
///
/// # Errors
/// 403; 404; 409 when it is settled or waits for its condition; 422; the store's.
pub fn settle_item(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<ActionItem> {
    let item = open_item(cx, key)?;
    check_may_settle(cx, &item)?;
    let mut reading = Reading::new(body, "");
    let state = reading.needed_word("state", ActionState::Done);
    if state.is_open() {
        reading.wrong("state", "not_allowed", "`state` is `done` or `dismissed`.");
    }
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    let waits = match item.closing {
        Closing::Person | Closing::Uninvolved => item.announced_to().is_some(),
        Closing::Condition => true,
        Closing::ConditionOrDismissal => state == ActionState::Done,
    };
    if waits {
        return Err(waits_for_condition(cx, &item)?.into());
    }
    settle(cx, item, state, &reason)
}

fn check_may_settle(cx: &mut Context<'_, '_>, item: &ActionItem) -> Result<()> {
    if matches!(item.closing, Closing::ConditionOrDismissal | Closing::Uninvolved) {
        let directory = cx.directory()?;
        if item.involved.iter().any(|person| is_one(cx, &directory, person)) {
            let text = "A finding must be settled by a person not involved in its subject.";
            return Err(Refusal::not_allowed("own_request", text).into());
        }
        impersonation::check_voice(cx)?;
        if cx.allow(actions::AUDIT).is_ok() {
            return Ok(());
        }
    }
    check_is_responsible(cx, item)
}

fn waits_for_condition(cx: &mut Context<'_, '_>, item: &ActionItem) -> Result<Refusal> {
    let directory = cx.directory()?;
    let text = format!("{} is settled automatically once its condition is met.", item.key);
    let satisfy = match item.kind {
        ActionKind::ValidateBreakGlass => "Validate the break-glass.",
        ActionKind::ConfirmRetrospective => "The named approver confirms or denies the change.",
        ActionKind::ReviewAccess => "Sign the access review.",
        ActionKind::Acknowledge => "The person asked acknowledges the announcement.",
        ActionKind::ResolveViolation => "Remedy what was found, or dismiss it as a false positive with a reason.",
        _ => "Do what the item asks for; it is then settled automatically.",
    };
    let waits: Vec<String> = owners(&directory, item, cx.now)
        .iter()
        .map(|it| directory.login(it))
        .collect();
    Ok(Refusal::not_now("waits_for_condition", text, satisfy, waits))
}

/// An item that is not settled, as the acting person sees it.
fn open_item(cx: &mut Context<'_, '_>, key: &str) -> Result<ActionItem> {
    cx.allow(actions::READ)?;
    let item = ActionItem::found(cx, key)?.ok_or_else(|| Refusal::not_found(format!("action item {key}")))?;
    if item.state.is_open() {
        return Ok(item);
    }
    let text = format!("{} is settled: it is {}.", item.key, item.state);
    Err(Refusal::not_now(
        "settled",
        text,
        "Open a new item if something is left to do.",
        Vec::new(),
    )
    .into())
}

/// A rule may require the acknowledgement before a change starts, so no delegate gives it in their own matter.
fn check_acknowledges(cx: &mut Context<'_, '_>, item: &ActionItem, asked: &PersonId) -> Result<()> {
    let directory = cx.directory()?;
    if cx.actor.is_system {
        return Ok(());
    }
    if !acknowledges(&directory, item, &cx.actor.person, cx.now) {
        let text = format!(
            "{} is not yours: its owner or their delegate must acknowledge the announcement.",
            item.key
        );
        return Err(not_theirs(cx, item, text)?.into());
    }
    impersonation::check_voice(cx)?;
    if cx.actor.person == *asked {
        return Ok(());
    }
    let change = cx.change(&item.about)?;
    if has_part(cx, &directory, &change) {
        let text = "A person involved in the change cannot acknowledge its announcement for another.";
        return Err(Refusal::not_allowed("own_request", text)
            .with_others(vec![directory.login(asked)])
            .into());
    }
    Ok(())
}

fn check_is_responsible(cx: &mut Context<'_, '_>, item: &ActionItem) -> Result<()> {
    let directory = cx.directory()?;
    if cx.actor.is_system || is_responsible(&directory, item, &cx.actor.person, cx.now) {
        return Ok(());
    }
    let text = format!(
        "{} is not yours: only its owner, their deputy or a change manager can do this.",
        item.key
    );
    Err(not_theirs(cx, item, text)?.into())
}

/// The refusal of an act that only the owners of an item do, with their logins.
fn not_theirs(cx: &mut Context<'_, '_>, item: &ActionItem, text: String) -> Result<Refusal> {
    let directory = cx.directory()?;
    let able = owners(&directory, item, cx.now);
    let others = able.iter().map(|person| directory.login(person)).collect();
    Ok(Refusal::not_allowed("not_the_owner", text).with_others(others))
}
