//! Heads of a pull request, and groups of a merge queue. A push makes another question, and only the one about the latest head stays
//! open. The queue makes a commit for each pull request that waits, on top of the group before. No change names that commit, and it
//! holds the content of the groups before it as well.

use model::gate::provenance::{CheckReply, OutsideCheck};
use model::integration::signal::{DecisionKind, DecisionRequest};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The most questions of a repository, latest first, among which the one of a pull request is looked for.
const RECENT: i64 = 2_000;

/// Whether a question is about a group of a merge queue: it names no pull request, but the commit on which it is based.
pub(crate) fn is_group(ask: &DecisionRequest) -> bool {
    ask.ask == DecisionKind::Merge && ask.number.is_none() && !ask.is_repeat
}

/// The pull request that a group adds: GitHub names it in the branch, such as `gh-readonly-queue/main/pr-7-…`.
pub(crate) fn brought_by(ask: &DecisionRequest) -> Option<u64> {
    let branch = ask.texts.branch.as_deref().filter(|_| is_group(ask))?;
    let branch = branch.strip_prefix("refs/heads/").unwrap_or(branch);
    let (_, last) = branch.strip_prefix("gh-readonly-queue/")?.rsplit_once("/pr-")?;
    last.split('-').next()?.parse().ok()
}

/// The request about the pull request that a group adds, at its latest head: the queue drops a pull request whose head moves.
///
/// # Errors
/// The store's.
pub(crate) fn brought(cx: &mut Context<'_, '_>, group: &OutsideCheck) -> Result<Option<OutsideCheck>> {
    if group.base.is_none() || group.number.is_none() {
        return Ok(None);
    }
    let of_repository = format!("{}@", group.repository.to_lowercase());
    let filter = Filter::new()
        .equals("connection", group.connection.as_str())
        .starts_with("natural_key", &of_repository)
        .descending_by("id")
        .limit(RECENT);
    let mut found = record::bodies::<OutsideCheck>(cx.tx, &filter)?;
    // A closed request still counts, so that the group that merged the pull request stays approved.
    found.retain(|it| it.ask == DecisionKind::Merge && it.base.is_none() && it.number == group.number);
    Ok(found
        .into_iter()
        .max_by(|one, other| (one.at, one.id.as_str()).cmp(&(other.at, other.id.as_str()))))
}

/// The group on which this one is based, if that group is not approved.
///
/// # Errors
/// The store's.
pub(crate) fn held_before(cx: &mut Context<'_, '_>, group: &OutsideCheck) -> Result<Option<OutsideCheck>> {
    let Some(base) = &group.base else { return Ok(None) };
    let natural_key = format!("{}@{base}#0", group.repository.to_lowercase());
    let filter = Filter::new()
        .equals("connection", group.connection.as_str())
        .equals("natural_key", natural_key.as_str());
    let before = record::find_one::<OutsideCheck>(cx.tx, &filter)?.map(|stored| stored.record);
    // A group that ended before this one began is on the branch already. A group that ended since then without approval is not.
    Ok(before.filter(|it| {
        let is_past = it.is_over && it.at < group.at;
        it.base.is_some() && it.id != group.id && it.answer != CheckReply::Approved && !is_past
    }))
}

/// The open groups of the same merge queue that pass a test.
///
/// # Errors
/// The store's.
pub(crate) fn groups(
    cx: &mut Context<'_, '_>,
    check: &OutsideCheck,
    holds: impl Fn(&OutsideCheck) -> bool,
) -> Result<Vec<OutsideCheck>> {
    let filter = Filter::new()
        .equals("connection", check.connection.as_str())
        .equals("is_over", false)
        .order_by("id");
    let mut found = record::bodies::<OutsideCheck>(cx.tx, &filter)?;
    found.retain(|it| it.base.is_some() && it.repository.eq_ignore_ascii_case(&check.repository) && holds(it));
    Ok(found)
}

/// Whether this pull request had this head before.
///
/// # Errors
/// The store's.
pub(crate) fn was_head(cx: &mut Context<'_, '_>, check: &OutsideCheck, before: &str) -> Result<bool> {
    let natural_key = format!(
        "{}@{before}#{}",
        check.repository.to_lowercase(),
        check.number.unwrap_or(0)
    );
    let other = format!("{}@{before}", check.reply_to);
    let filter = Filter::new()
        .equals("connection", check.connection.as_str())
        .one_of("natural_key", [natural_key.as_str(), other.as_str()]);
    Ok(record::count::<OutsideCheck>(cx.tx, &filter)? > 0)
}

/// The open questions about other heads of the same pull request: the earlier ones, and those of a later time than this one.
///
/// # Errors
/// The store's.
pub(crate) fn other_heads(
    cx: &mut Context<'_, '_>,
    check: &OutsideCheck,
) -> Result<(Vec<OutsideCheck>, Vec<OutsideCheck>)> {
    if check.number.is_none() || check.base.is_some() {
        return Ok((Vec::new(), Vec::new()));
    }
    let filter = Filter::new()
        .equals("service", check.service.as_str())
        .equals("is_over", false)
        .order_by("id");
    let mut found = record::bodies::<OutsideCheck>(cx.tx, &filter)?;
    found.retain(|it| {
        it.connection == check.connection
            && it.ask == check.ask
            && it.base.is_none()
            && it.number == check.number
            && it.repository.eq_ignore_ascii_case(&check.repository)
            && it.commit != check.commit
            && it.at != check.at
    });
    Ok(found.into_iter().partition(|it| it.at < check.at))
}
