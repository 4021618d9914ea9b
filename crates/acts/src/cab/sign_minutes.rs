//! Signs the minutes of a meeting: they are generated from the votes and the attendance, closed under their digest, and
//! sent.

use std::collections::BTreeSet;

use model::cab::agenda::{Agenda, AgendaState};
use model::cab::agenda_item::{AgendaItem, ItemOutcome, outcome_of};
use model::cab::meeting::Meeting;
use model::cab::minutes::Minutes;
use model::core::act::actions;
use model::core::enums::AboutKind;
use model::core::ids::{PersonId, RecordId};
use model::core::refusal::Refusal;
use model::notify::action_item::{About, ActionItem};
use serde_json::json;
use store::record::{self, Filter};

use crate::cab::agenda::{TABLE, end_votes, file_of, items_of, keep, load_agenda};
use crate::cab::agenda_items::end_current;
use crate::cab::follow_minutes;
use crate::case::settle_open::settle_with_approvers;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};
use crate::guard::impersonation;

/// The most action items that minutes name.
const MOST_ITEMS: i64 = 200;

/// Ends a meeting and signs its minutes, as its chair (`POST /agendas/{id}/signature`). They are sent to the members.
///
/// # Errors
/// 403 for a person who is not the chair, 404, 409 before the meeting began or once they are signed, or the store's.
pub fn sign_minutes(cx: &mut Context<'_, '_>, id: &str) -> Result<Agenda> {
    cx.allow(actions::READ)?;
    impersonation::check_voice(cx)?;
    impersonation::check_whole(cx)?;
    let (agenda, meeting) = load_agenda(cx, id)?;
    check_signable(cx, &agenda, &meeting)?;
    let agenda = match agenda.voted {
        true => agenda,
        false => end_votes(cx, agenda)?,
    };
    end_current(cx, &agenda)?;
    // Ending the votes may have listed more at it.
    let (_, meeting) = load_agenda(cx, id)?;
    let meeting = match meeting.ended_at {
        Some(_) => meeting,
        None => {
            let ended = Meeting {
                ended_at: Some(cx.now),
                ..meeting
            };
            let ended = cx.put_estate("meeting.ended", ended, json!({}))?;
            // Items without a decision wait for another meeting.
            settle_with_approvers(cx)?;
            ended
        }
    };
    let votes = match &agenda.votes {
        Some(votes) => record::load::<Meeting>(cx.tx, votes.as_str())?.map(|stored| stored.record),
        None => None,
    };
    let items = minuted(cx, &agenda, (&meeting, votes.as_ref()))?;
    let members = cx.directory()?.members(&agenda.group);
    let asked = items_about(cx, &agenda.id)?.into_iter().map(|item| item.key).collect();
    let minutes = Minutes::of(&agenda, (&meeting, votes.as_ref()), &items, (&members, asked), cx.now);
    let (text, digest) = minutes.sealed();
    let signed = Agenda {
        state: AgendaState::Signed,
        current: None,
        minutes: Some(text),
        minutes_digest: Some(digest.clone()),
        signed_by: Some(cx.actor.person.clone()),
        signed_at: Some(cx.now),
        sent_to: members,
        ..agenda
    };
    let data = json!({"digest": digest, "agenda_digest": signed.digest, "items": items.len()});
    let signed = keep(cx, "agenda.signed", signed, data)?;
    send(cx, &signed, &items)?;
    follow_minutes::settle_all(cx, &signed, "The minutes are signed.")?;
    Ok(signed)
}

fn check_signable(cx: &mut Context<'_, '_>, agenda: &Agenda, meeting: &Meeting) -> Result<()> {
    let directory = cx.directory()?;
    if cx.actor.person != agenda.chair {
        let text = format!(
            "{} chairs this meeting and signs its minutes.",
            directory.name(&agenda.chair)
        );
        let help = vec![directory.login(&agenda.chair)];
        return Err(Refusal::not_allowed("not_the_chair", text).with_others(help).into());
    }
    if agenda.state == AgendaState::Signed {
        let text = "The minutes are signed.";
        return Err(Refusal::not_now("signed", text, "Nothing is left to do.", Vec::new()).into());
    }
    if agenda.state == AgendaState::Open || meeting.starts_at > cx.now {
        let text = format!("The meeting begins at {}.", meeting.starts_at);
        return Err(Refusal::not_now(
            "meeting_not_begun",
            text,
            "Sign its minutes once it is over.",
            Vec::new(),
        )
        .into());
    }
    Ok(())
}

/// The items with the decision about each.
fn minuted(
    cx: &mut Context<'_, '_>,
    agenda: &Agenda,
    (meeting, votes): (&Meeting, Option<&Meeting>),
) -> Result<Vec<AgendaItem>> {
    let both = || votes.into_iter().chain([meeting]);
    let came: BTreeSet<PersonId> = both()
        .flat_map(|it| &it.attendees)
        .map(|row| row.person.clone())
        .collect();
    let ids: Vec<RecordId> = both().map(|it| it.id.clone()).collect();
    let mut items = Vec::new();
    for item in items_of(cx, &agenda.id)? {
        let (outcome, yes, no) = match file_of(cx, &item.change_key)? {
            Some(file) => outcome_of(&file, &item, (&ids, &came), cx.now),
            None => (ItemOutcome::Deferred, 0, 0),
        };
        let item = AgendaItem {
            outcome: Some(outcome),
            yes,
            no,
            ..item
        };
        let data = json!({"change_key": item.change_key, "outcome": outcome, "yes": yes, "no": no});
        items.push(keep(cx, "agenda_item.minuted", item, data)?);
    }
    Ok(items)
}

/// The action items about a meeting, at most 200.
///
/// # Errors
/// The store's.
pub fn items_about(cx: &mut Context<'_, '_>, meeting: &RecordId) -> Result<Vec<ActionItem>> {
    let about = About::new(AboutKind::Meeting, meeting.as_str());
    let filter = Filter::new()
        .equals("about_kind", about.kind.as_str())
        .equals("about", about.key.as_str());
    Ok(record::bodies::<ActionItem>(
        cx.tx,
        &filter.order_by("id").limit(MOST_ITEMS),
    )?)
}

/// Sends the minutes to the recipients that they list.
fn send(cx: &mut Context<'_, '_>, agenda: &Agenda, items: &[AgendaItem]) -> Result<()> {
    let url = format!(
        "{}/t/{}/meetings/{}",
        cx.services.tools().public_url,
        cx.tenant(),
        agenda.id
    );
    let row = |it: &AgendaItem| {
        let outcome = it.outcome.map_or("deferred", ItemOutcome::as_str).replace('_', " ");
        format!("{}: {outcome}, {} for, {} against\n", it.change_key, it.yes, it.no)
    };
    let rows: String = items.iter().map(row).collect();
    let directory = cx.directory()?;
    let signer = directory.name(&agenda.chair);
    let digest = agenda.minutes_digest.as_deref().unwrap_or_default();
    let subject = format!("Minutes of {}", directory.group_name(&agenda.group));
    let text = format!("{rows}Signed by {signer}, digest {digest}.\n{url}\n");
    let mut written = Written::default();
    for person in &agenda.sent_to {
        let dedup = format!("minutes/{}/{person}", agenda.id);
        let message = ("minutes", subject.as_str(), text.as_str(), dedup.as_str());
        save_message(cx, &mut written, person, None, message)?;
    }
    let event = draft("agenda.minutes_sent", (TABLE, agenda.id.0.clone()), cx.now, json!({}));
    cx.emit(vec![event], written)
}
