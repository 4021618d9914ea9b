//! Lists of action items: by owner, by subject, and overdue ones.

use model::core::act::actions;
use model::core::enums::{AboutKind, ActionKind, ActionState};
use model::core::ids::{GroupKey, PersonId};
use model::notify::action_item::ActionItem;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::notify::action_items::is_open;

/// The person or people whose items are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Whose {
    /// Everybody's.
    #[default]
    All,
    /// The items that the acting person owns.
    Mine,
    /// Those of the groups that the acting person is a member of.
    Team,
    /// The items without a named owner, which are the change managers'.
    Unowned,
    /// Those of a person.
    Person(PersonId),
    /// Those of a group.
    Group(GroupKey),
}

/// Which items are listed; the default lists all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemQuery {
    /// The person or people.
    pub whose: Whose,
    /// In this state alone.
    pub state: Option<ActionState>,
    /// Open and acknowledged ones alone.
    pub open: bool,
    /// Of this kind alone.
    pub kind: Option<ActionKind>,
    /// About records of this kind alone.
    pub about_kind: Option<AboutKind>,
    /// About this record alone.
    pub about: Option<String>,
    /// Overdue ones alone.
    pub overdue: bool,
}

/// The filter of a query. A person who is scoped to services sees only the items that they own.
///
/// # Errors
/// 403, or the store's.
pub fn filter(cx: &mut Context<'_, '_>, query: &ItemQuery) -> Result<Filter> {
    cx.allow(actions::READ)?;
    let me = cx.actor.person.clone();
    let mut filter = match &query.whose {
        Whose::All => Filter::new(),
        Whose::Mine => Filter::new().equals("owner", me.as_str()),
        Whose::Team => Filter::new().one_of("people_group", own_groups(cx)?),
        Whose::Unowned => Filter::new().is_null("owner").is_null("people_group"),
        Whose::Person(person) => Filter::new().equals("owner", person.as_str()),
        Whose::Group(group) => Filter::new().equals("people_group", group.as_str()),
    };
    if cx.scope()?.is_some() {
        filter = filter.equals("owner", me.as_str());
    }
    if query.open || query.overdue {
        filter = is_open(filter);
    }
    if query.overdue {
        filter = filter.at_most("due_at", cx.now);
    }
    let words = [
        ("state", query.state.map(ActionState::as_str)),
        ("kind", query.kind.map(ActionKind::as_str)),
        ("about_kind", query.about_kind.map(AboutKind::as_str)),
        ("about", query.about.as_deref()),
    ];
    for (column, word) in words {
        if let Some(word) = word {
            filter = filter.equals(column, word);
        }
    }
    Ok(filter)
}

/// The groups that the acting person is a member of.
fn own_groups(cx: &mut Context<'_, '_>) -> Result<Vec<String>> {
    let directory = cx.directory()?;
    let me = &cx.actor.person;
    let own = directory
        .groups
        .values()
        .filter(|it| !it.removed && it.members.contains(me));
    Ok(own.map(|group| group.key.0.clone()).collect())
}

/// The items of a query, the soonest due first, at most `limit`.
///
/// # Errors
/// 403, or the store's.
pub fn list(cx: &mut Context<'_, '_>, query: &ItemQuery, limit: i64) -> Result<Vec<ActionItem>> {
    let filter = filter(cx, query)?.order_by("due_at").order_by("id").limit(limit);
    Ok(record::bodies::<ActionItem>(cx.tx, &filter)?)
}

/// The items of a query that were settled last, the latest first, at most `limit`.
///
/// # Errors
/// 403, or the store's.
pub fn list_settled(cx: &mut Context<'_, '_>, query: &ItemQuery, limit: i64) -> Result<Vec<ActionItem>> {
    let filter = filter(cx, query)?.is_set("settled_at");
    let filter = filter.descending_by("settled_at").descending_by("id").limit(limit);
    Ok(record::bodies::<ActionItem>(cx.tx, &filter)?)
}

/// How many items a query finds.
///
/// # Errors
/// 403, or the store's.
pub fn count(cx: &mut Context<'_, '_>, query: &ItemQuery) -> Result<i64> {
    let filter = filter(cx, query)?;
    Ok(record::count::<ActionItem>(cx.tx, &filter)?)
}
