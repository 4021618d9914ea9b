//! Letters: the mailed form of messages, with the same texts as on the pages, for a reader who has never seen this program.

use acts::Context;
use acts::notify::communicate::TOPIC;
use model::change::change_file::ChangeFile;
use model::change::record::Change;
use model::change::related_records::Message;
use pages::Place;
use pages::notify::mail::{Digest, DigestRow, Letter, Mail, News};

use crate::http::outside_mask::mask_text;
use crate::web::approval::card_news::{full_brief, whole_brief};
use crate::web::approval::decision_card;
use crate::web::shared::view::{View, language_of};
use crate::web::shared::words::{plain, with_times};

/// The headings of a decision card, each with the lines below it.
pub(crate) type Answers = Vec<(String, Vec<String>)>;

/// The letter of a message, for the person who acts; `None` for a message about no change, and for a message with the text of a
/// communication plan.
///
/// # Errors
/// The store's.
pub(crate) fn letter(cx: &mut Context<'_, '_>, message: &Message) -> acts::Result<Option<Mail>> {
    let Some(key) = message.change_key.clone().filter(|_| message.topic != TOPIC) else {
        return Ok(None);
    };
    let file = cx.file(&key)?;
    let tenant = cx.tenant();
    let public_url = cx.services.tools().public_url.clone();
    let mut view = open(cx)?;
    let card = match is_request(&message.topic) {
        true => Some(full_brief(&mut view, &file)?),
        false => None,
    };
    let letter = Letter {
        to: view.directory.name(&message.person),
        tenant: tenant_name(&view, &tenant),
        key: key.clone(),
        title: file.change.content.title.clone(),
        link: format!("{public_url}/t/{tenant}/changes/{key}"),
        news: news(&view, &file, message),
        card,
    };
    let language = language_of(&view.directory, &message.person);
    let mail = letter.render();
    Ok(Some(in_language(&language, masked(view.cx, mail)?)))
}

/// The view for the letter's reader.
fn open<'v, 'a, 'c>(cx: &'v mut Context<'a, 'c>) -> acts::Result<View<'v, 'a, 'c>> {
    let mut view = View::open(cx, Place::Messages)?;
    view.reader = view.reader.clone().later();
    Ok(view)
}

/// The facts of the decision cards of these changes, for a channel without an individual reader; nothing where a change does
/// not exist.
///
/// # Errors
/// The store's.
pub(crate) fn card_facts(cx: &mut Context<'_, '_>, keys: &[String]) -> acts::Result<Vec<Answers>> {
    let mut view = open(cx)?;
    let mut told = Vec::new();
    for key in keys {
        let found = match view.cx.file(key) {
            Err(acts::Error::Refused(_)) => None,
            other => Some(other?),
        };
        let card = match found {
            Some(file) => whole_brief(&mut view, &file)?,
            None => {
                told.push(Vec::new());
                continue;
            }
        };
        told.push(
            card.told()
                .into_iter()
                .map(|(question, lines)| (question.to_owned(), lines))
                .collect(),
        );
    }
    Ok(told)
}

/// The letter about several messages, for the person who acts.
///
/// # Errors
/// The store's.
pub(crate) fn digest(cx: &mut Context<'_, '_>, messages: &[Message]) -> acts::Result<Mail> {
    let tenant = cx.tenant();
    let public_url = cx.services.tools().public_url.clone();
    let view = open(cx)?;
    let row = |message: &Message| DigestRow {
        at: view.reader.moment(message.at),
        subject: message.subject.clone(),
        text: sentences(&message.text),
        link: message
            .change_key
            .as_deref()
            .map(|key| format!("{public_url}/t/{tenant}/changes/{key}"))
            .unwrap_or_default(),
    };
    let digest = Digest {
        to: view.directory.name(&view.me),
        tenant: tenant_name(&view, &tenant),
        link: format!("{public_url}/t/{tenant}/messages"),
        rows: messages.iter().map(row).collect(),
    };
    let language = language_of(&view.directory, &view.me);
    let mail = digest.render();
    Ok(in_language(&language, masked(view.cx, mail)?))
}

/// A letter without the names that its reader may not see.
fn masked(cx: &mut Context<'_, '_>, mut mail: Mail) -> acts::Result<Mail> {
    mask_text(cx, &mut mail.subject)?;
    mask_text(cx, &mut mail.body)?;
    Ok(mail)
}

/// A letter in its reader's language; the first line is the change's own title, which is not translated.
fn in_language(language: &str, mail: Mail) -> Mail {
    let Some(language) = pages::language::find(language) else {
        return mail;
    };
    let mut lines = mail.body.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    let rest = lines.map(|line| language.text(line));
    let body: Vec<String> = std::iter::once(first).chain(rest).collect();
    Mail {
        subject: language.text(&mail.subject),
        body: format!("{}\n", body.join("\n")),
    }
}

fn tenant_name(view: &View<'_, '_, '_>, tenant: &str) -> String {
    let found = view.directory.tenant.as_ref();
    found.map_or_else(|| tenant.to_owned(), |found| found.name.clone())
}

/// Whether the message requests a decision of the reader, so that the letter contains the card.
fn is_request(topic: &str) -> bool {
    matches!(
        topic,
        "asked_to_approve"
            | "reminder"
            | "unacknowledged"
            | "approval_voided"
            | "approval_expired"
            | "confirm_retrospective"
    )
}

fn news(view: &View<'_, '_, '_>, file: &ChangeFile, message: &Message) -> News {
    let change = &file.change;
    news_of(view, change, message).unwrap_or_else(|| News::Other {
        // The subject of the message names the event after the key.
        subject: message
            .subject
            .strip_prefix(change.key.as_str())
            .map(str::trim)
            .filter(|words| !words.is_empty())
            .map_or_else(|| plain(&message.topic), str::to_owned),
        text: sentences(&message.text),
    })
}

/// The event of a message with its details; `None` if the text of the message is enough, or its details have gone since.
fn news_of(view: &View<'_, '_, '_>, change: &Change, message: &Message) -> Option<News> {
    let moment = |at| view.reader.moment(at);
    let request = || change.requests.iter().find(|request| request.person == message.person);
    Some(match message.topic.as_str() {
        "asked_to_approve" => {
            let request = request()?;
            News::AskedToApprove {
                why: with_times(
                    decision_card::request_reason(&request.why).trim_start_matches("asked "),
                    &view.reader,
                ),
                due: moment(request.acknowledge_by),
            }
        }
        "reminder" => News::Reminder {
            due: moment(request()?.acknowledge_by),
        },
        "approval_voided" => News::ApprovalVoided {
            what: sentences(&message.text),
        },
        "returned" => {
            let returned = change.returned.as_ref()?;
            News::Returned {
                by: view.name(&returned.by),
                question: returned.reason.clone(),
            }
        }
        "rejected" => {
            let rejection = change.rejection.as_ref()?;
            News::Rejected {
                by: view.name(&rejection.by),
                reason: rejection.reason.clone(),
            }
        }
        "window_missed" => News::WindowMissed {
            when: view.reader.span(change.planned_start?, change.planned_end?),
        },
        "overrun" => News::Overrun {
            since: moment(change.extended_until.or(change.planned_end)?),
        },
        "break_glass" => {
            let glass = change.break_glass.as_ref()?;
            News::BrokeGlass {
                by: view.name(&glass.by),
                reason: glass.reason.clone(),
                until: moment(glass.until),
            }
        }
        "extension_asked" => {
            let extension = change.extension.as_ref()?;
            News::ExtensionAsked {
                by: view.name(&extension.by),
                until: moment(extension.until),
                reason: extension.reason.clone(),
            }
        }
        _ => return None,
    })
}

/// The first paragraph of a message.
fn sentences(text: &str) -> String {
    text.split("\n\n").next().unwrap_or_default().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_in_its_readers_language_and_the_title_stays() {
        let mail = || {
            Mail {
            subject: "CHG-1 needs your decision: Home".to_owned(),
            body: "CHG-1 Home\n\nYour decision is due today 17:00. A missing decision never counts as an approval.\n\nDecide: https://x/\n"
                .to_owned(),
        }
        };
        let german = in_language("de", mail());
        assert_eq!(german.subject, "CHG-1 braucht Ihre Entscheidung: Home");
        assert!(
            german
                .body
                .starts_with("CHG-1 Home\n\nIhre Entscheidung ist fällig: heute 17:00."),
            "{}",
            german.body
        );
        assert!(german.body.ends_with("\nEntscheiden: https://x/\n"), "{}", german.body);
        assert_eq!(in_language("", mail()), mail());
    }

    #[test]
    fn a_letter_takes_the_sentences_and_leaves_the_address() {
        assert_eq!(
            sentences("It missed its window.\nSet new times.\n\nCHG-1: Title\nhttps://x\n"),
            "It missed its window. Set new times."
        );
    }
}
