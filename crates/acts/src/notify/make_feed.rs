//! A personal feed: an address with a secret in it, for calendar programs and feed readers that cannot sign in. The secret is
//! stored as the digest of a token with no other access, and revoked like a token.

use std::collections::BTreeSet;

use model::change::record::Change;
use model::core::act::actions;
use model::core::body::Body;
use model::core::ids::{RecordId, ServiceKey};
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::directory::scope;
use model::directory::snapshot::{Freeze, Token};
use serde_json::json;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::grounds;
use crate::guard::impersonation;
use crate::identity::set_token::new_secret;
use crate::report::find_changes::{ChangeFilter, find_changes};
use crate::report::find_undos::find_undos;

/// The one scope of a calendar feed's token; nothing else accepts it.
pub const SCOPE: &str = "calendar";
/// The one scope of the token of a feed of the status; nothing else accepts it.
pub const STATUS_SCOPE: &str = "status";
/// The most feeds of one person.
pub const MOST: usize = 5;
/// The most changes in a feed.
const MOST_CHANGES: i64 = 500;
/// The most withdrawn freezes that a feed still shows.
const MOST_ENDED: i64 = 200;
/// How far back and ahead a feed looks, in hours.
const LOOK: (i64, i64) = (24 * 30, 24 * 180);

/// Makes a calendar feed of the acting person; returns it with the secret of its address, once.
///
/// # Errors
/// 403, 409 when there are too many, or the store's.
pub fn make_feed(cx: &mut Context<'_, '_>) -> Result<(Token, String)> {
    make(cx, ("Calendar feed", SCOPE))
}

/// Makes a feed of the status as the acting person sees it; returns it with the secret of its address, once. People who are
/// scoped to services may not see the status, nor its feed.
///
/// # Errors
/// 403, 409 when there are too many, or the store's.
pub fn make_status_feed(cx: &mut Context<'_, '_>) -> Result<(Token, String)> {
    check_status(cx)?;
    make(cx, ("Status feed", STATUS_SCOPE))
}

/// Makes a feed by the API (`POST /feeds {kind}`); returns it with its address, once. A feed outlives the credential by which
/// it is made, so a credential issued by another person, or with fewer roles than its person has, makes none.
///
/// # Errors
/// 403; 409 when there are too many; 422; or the store's.
pub fn make_feed_of_kind(cx: &mut Context<'_, '_>, body: &Body) -> Result<(Token, String)> {
    cx.allow(actions::READ)?;
    if cx.actor.hand().is_some() {
        let text = "Another person created your credential, and a feed would outlive it: create the feed in a session of your \
                    own.";
        return Err(Refusal::not_allowed("lent_voice", text).into());
    }
    impersonation::check_whole(cx)?;
    let mut reading = Reading::new(body, "");
    let kind = reading.needed("kind", LINE);
    if !kind.is_empty() && ![SCOPE, STATUS_SCOPE].contains(&kind.as_str()) {
        reading.wrong("kind", "unknown_word", "`kind` is `calendar` or `status`.");
    }
    reading.finish()?;
    let ((token, secret), ending) = match kind == STATUS_SCOPE {
        true => (make_status_feed(cx)?, "atom"),
        false => (make_feed(cx)?, "ics"),
    };
    let public_url = cx.services.tools().public_url.clone();
    let address = format!("{public_url}/t/{}/feed/{secret}.{ending}", cx.tenant());
    Ok((token, address))
}

/// Refuses the status to people who are scoped to services, now: their scope may be younger than their feed.
///
/// # Errors
/// 403, or the store's.
pub fn check_status(cx: &mut Context<'_, '_>) -> Result<()> {
    cx.allow(actions::READ)?;
    match cx.scope()? {
        Some(_) => Err(scope::refusal().into()),
        None => Ok(()),
    }
}

fn make(cx: &mut Context<'_, '_>, (name, word): (&str, &str)) -> Result<(Token, String)> {
    cx.allow(actions::READ)?;
    if find_feeds(cx)?.len() >= MOST {
        let text = format!("You have {MOST} feeds already.");
        return Err(Refusal::not_now(
            "too_many",
            text,
            "Revoke one that no program reads any more.",
            Vec::new(),
        )
        .into());
    }
    let secret = new_secret(cx)?;
    let person = cx.actor.person.clone();
    let token = Token {
        id: RecordId(cx.new_id()?),
        version: 0,
        name: name.to_owned(),
        person: person.clone(),
        owner: person,
        digest: proof::crypto::digest_text(secret.as_bytes()),
        prefix: secret.chars().take(8).collect(),
        scopes: BTreeSet::from([word.to_owned()]),
        roles: None,
        services: cx.actor.lent.as_ref().and_then(|lent| lent.services.clone()),
        created_at: cx.now,
        expires_at: None,
        revoked: false,
    };
    let grounds = grounds::of_records(cx, (&[], Vec::new()), grounds::Shown::default())?;
    let token = cx.put_estate("token.created", token, json!({"grounds": grounds}))?;
    Ok((token, secret))
}

/// The acting person's feeds that are not revoked.
///
/// # Errors
/// The store's.
pub fn find_feeds(cx: &mut Context<'_, '_>) -> Result<Vec<Token>> {
    let person = cx.actor.person.clone();
    let filter = Filter::new().equals("person", person.as_str()).order_by("id");
    let found = record::find::<Token>(cx.tx, &filter)?;
    let tokens = found.into_iter().map(|stored| stored.record);
    let is_feed = |token: &Token| [SCOPE, STATUS_SCOPE].iter().any(|word| token.scopes.contains(*word));
    Ok(tokens.filter(|token| !token.revoked && is_feed(token)).collect())
}

/// The subject of a feed; without one, the feed is about its person.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub struct About {
    /// All changes of this service.
    pub service: Option<String>,
    /// All changes of services that this team runs.
    pub team: Option<String>,
}

/// The changes of a feed: those of a service or a team that the acting person sees, or those in which they have a part; planned from
/// a month back to half a year ahead, or to be undone then.
///
/// # Errors
/// 403, or the store's.
pub fn find_feed_changes(cx: &mut Context<'_, '_>, about: &About) -> Result<Vec<Change>> {
    let hours = jiff::SignedDuration::from_hours;
    let filter = ChangeFilter {
        planned_from: Some(cx.now - hours(LOOK.0)),
        planned_to: Some(cx.now + hours(LOOK.1)),
        service: about.service.clone(),
        ..ChangeFilter::default()
    };
    let directory = cx.visible()?;
    let runs = |service: &ServiceKey| {
        let known = directory.services.get(service);
        known.is_some_and(|it| it.team.is_some() && it.team == about.team)
    };
    let is_about = about.service.is_some() || about.team.is_some();
    let me = cx.actor.person.clone();
    // A change planned earlier is listed while it may be rolled back.
    let undone = ChangeFilter {
        planned_to: filter.planned_from,
        service: about.service.clone(),
        ..ChangeFilter::default()
    };
    let span = (cx.now - hours(LOOK.0), cx.now + hours(LOOK.1));
    let mut found = Vec::new();
    for (row, _) in find_changes(cx, &filter, MOST_CHANGES, None)?.rows {
        found.push(cx.change(&row.key)?);
    }
    found.extend(find_undos(cx, undone, span)?);
    let mut own = Vec::new();
    for change in found {
        let content = &change.content;
        let has_part = change.requester == me
            || content.owner == me
            || content.tester.as_ref() == Some(&me)
            || content.implementers.contains(&me)
            || change.requests.iter().any(|request| request.person == me);
        let is_of_team = about.team.is_none() || content.targets.iter().any(|target| runs(&target.service));
        if (is_about && is_of_team) || (!is_about && has_part) {
            own.push(change);
        }
    }
    Ok(own)
}

/// The freezes that were taken back, as the acting person sees them, those with the latest end first. The estate in memory
/// leaves them out, but a calendar program may keep an entry that only vanishes from its feed.
///
/// # Errors
/// 403, or the store's.
pub fn find_ended_freezes(cx: &mut Context<'_, '_>) -> Result<Vec<Freeze>> {
    cx.allow(actions::READ)?;
    let filter = Filter::new()
        .equals("active", false)
        .descending_by("ends_at")
        .order_by("id")
        .limit(MOST_ENDED);
    let ended = record::bodies::<Freeze>(cx.tx, &filter)?;
    let Some(scope) = cx.scope()? else {
        return Ok(ended);
    };
    let seen = cx.visible()?;
    let inside = ended.iter().filter_map(|row| scope.freeze(row, &seen.incidents));
    Ok(inside.collect())
}
