//! Changes by mail: each person has a secret address of their own, and a letter to it from their known mail address becomes a draft
//! of theirs. The address holds the person's id and a tag over tenant, person and mail address under the secret of the
//! connection. So the address works for nobody else, and ends when the mail address or the secret changes. `From` alone is not
//! enough: a forger does not know the address, and a person with the address must also write from the known mail address.
//!
//! A letter drafts and nothing more: no other act is reached from here. A letter that arrives again is the same by its Message-ID.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use model::change::around::StoredFile;
use model::change::record::Change;
use model::change::related_records::Message;
use model::change::requirement::before_submission;
use model::core::body::Body;
use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use model::directory::snapshot::Person;
use model::integration::signal::{MailFile, MailReply};
use model::notify::letter_draft::{self, LetterDraft};
use serde_json::json;
use store::record::{self, Filter};
use uuid::Uuid;

use crate::change::add_evidence;
use crate::change::create_change::create_change;
use crate::core::connections::{connection, connection_secret};
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};
use crate::notify::mail_address::{self, KIND};

/// The topic of the replies: they are sent at once, as their reader waits for them.
const TOPIC: &str = "mail";
/// How many changes a person may draft within a day, by mail or not, before letters make no more.
const MOST_A_DAY: i64 = 50;
/// How many missing or left-out parts a reply names.
const MOST_LINES: usize = 20;

/// The address from which the actor drafts changes by mail; `None` where no mail is taken, or without a mail address of theirs.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn own_address(cx: &mut Context<'_, '_>) -> Result<Option<String>> {
    // A person who issued a credential for another account does not learn its secrets this way.
    if cx.actor.hand().is_some() {
        return Ok(None);
    }
    let directory = cx.directory()?;
    let Some(person) = directory.people.get(&cx.actor.person).filter(|it| it.active) else {
        return Ok(None);
    };
    let Some(found) = mail_address::replies(cx)? else {
        return Ok(None);
    };
    let Some((local, domain)) = found.reply_to.as_deref().and_then(|it| it.split_once('@')) else {
        return Ok(None);
    };
    let (Ok(id), Some(_)) = (Uuid::parse_str(person.id.as_str()), &person.email) else {
        return Ok(None);
    };
    let secret = connection_secret(cx, found.id.as_str())?;
    let (id, tag) = (mail_address::letters(id.as_bytes()), tag(&cx.tenant(), &secret, person));
    Ok(Some(format!("{local}+{id}{tag}@{domain}")))
}

fn tag(tenant: &str, secret: &[u8], person: &Person) -> String {
    let address = person.email.as_deref().unwrap_or_default().to_lowercase();
    mail_address::tag_of(secret, &["assent draft v1", tenant, person.id.as_str(), &address])
}

/// The person to whom one of the addresses was given.
pub(crate) fn addressee(cx: &mut Context<'_, '_>, secret: &[u8], tokens: &[String]) -> Result<Option<Person>> {
    let (directory, tenant) = (cx.directory()?, cx.tenant());
    for token in tokens {
        let Some((id, told)) = mail_address::id_and_tag(token) else {
            continue;
        };
        let Some(person) = directory.people.get(&PersonId::from(id.as_str())) else {
            continue;
        };
        let expected = tag(&tenant, secret, person);
        if proof::crypto::is_same_secret(expected.as_bytes(), told.as_bytes()) {
            return Ok(Some(person.clone()));
        }
    }
    Ok(None)
}

/// Whether a letter is from the person to whose address it was sent: only its files are worth keeping.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn is_own_letter(cx: &mut Context<'_, '_>, from: &str, reply: &MailReply) -> Result<bool> {
    if connection(cx, from)?.kind != KIND {
        return Ok(false);
    }
    let secret = connection_secret(cx, from)?;
    let writer = addressee(cx, &secret, &reply.tokens)?;
    Ok(writer.is_some_and(|person| person.active && is_from(&person, reply)))
}

fn is_from(person: &Person, reply: &MailReply) -> bool {
    let known = person.email.as_deref();
    known.is_some_and(|known| known.eq_ignore_ascii_case(&reply.from))
}

/// Makes a draft from a letter; returns the result as text. The writer gets a reply; a stranger gets none.
///
/// # Errors
/// The store's. A letter that becomes nothing is no error.
pub(crate) fn take_letter(cx: &mut Context<'_, '_>, person: &Person, reply: &MailReply) -> Result<String> {
    if !person.active {
        return Ok("refused: whom the address was given to may not act any more".to_owned());
    }
    if !is_from(person, reply) {
        return warn_of_stranger(cx, person, reply);
    }
    if reply.message_id.is_empty() {
        return Ok("refused: the letter has no Message-ID, by which it would be known when it comes again".to_owned());
    }
    let once = format!(
        "letter/{}/{}",
        person.id,
        proof::crypto::digest_text(reply.message_id.as_bytes())
    );
    if record::count::<Message>(cx.tx, &Filter::new().equals("dedup", once.as_str()))? > 0 {
        return Ok("noted: this letter was taken before".to_owned());
    }
    let since = cx.now - SignedDuration::from_hours(24);
    let today = Filter::new()
        .equals("requester", person.id.as_str())
        .more("created_at", since);
    let made = match cx.directory()?.agent(&person.id) {
        Some(_) => Err("an agent drafts with its token, not by mail".to_owned()),
        None if record::count::<Change>(cx.tx, &today)? >= MOST_A_DAY => {
            Err(format!("{MOST_A_DAY} changes of yours were drafted within a day"))
        }
        None => draft_change(cx, person, reply)?,
    };
    match made {
        Ok(drafted) => {
            reply_to_writer(cx, person, &drafted, reply, &once)?;
            Ok(format!("{} is drafted", drafted.key))
        }
        Err(why) => {
            let text = format!(
                "No change was drafted from your letter “{}”: {why}. Correct it and send it again, or write the change \
                 here:\n\n{}\n",
                reply.subject,
                page(cx, "/changes/new")
            );
            let letter = (
                TOPIC,
                "No change was drafted from your letter",
                text.as_str(),
                once.as_str(),
            );
            write_letter(cx, person, letter, ("reply.refused", None))?;
            Ok(format!("refused: {why}"))
        }
    }
}

fn page(cx: &Context<'_, '_>, path: &str) -> String {
    format!("{}/t/{}{path}", cx.services.tools().public_url, cx.tenant())
}

/// Once a day, the owner of an address is notified that another person wrote to it: the address is known to others.
fn warn_of_stranger(cx: &mut Context<'_, '_>, person: &Person, reply: &MailReply) -> Result<String> {
    let day = cx.now.to_zoned(TimeZone::UTC).date();
    let once = format!("letter_of_another/{}/{day}", person.id);
    let text = format!(
        "A letter from {} came to your address for changes by mail, and no change was drafted. If it was yours, write from the \
         address that Assent knows. If it was not, others know the address: ask an administrator to renew the secret of the mail \
         connection.\n",
        reply.from
    );
    let letter = (
        TOPIC,
        "A letter to your address for changes was not taken",
        text.as_str(),
        once.as_str(),
    );
    write_letter(cx, person, letter, ("reply.refused", None))?;
    Ok("refused: it was not sent by the person whom the address belongs to".to_owned())
}

/// Writes a letter about no change; it has no reply address, so that no two programs write to each other.
fn write_letter(
    cx: &mut Context<'_, '_>,
    person: &Person,
    letter: (&str, &str, &str, &str),
    (event, files): (&'static str, Option<usize>),
) -> Result<()> {
    let mut written = Written::default();
    save_message(cx, &mut written, &person.id, None, letter)?;
    if written.is_empty() {
        return Ok(());
    }
    let subject = ("person", person.id.0.clone());
    let data = files.map_or_else(|| json!({}), |count| json!({"files": count}));
    let event = draft(event, subject, cx.now, data);
    cx.emit(vec![event], written)
}

/// A change that a letter made.
struct Drafted {
    key: String,
    notes: Vec<String>,
    missing: Vec<String>,
    files: usize,
}

/// Makes the draft with the writer's rights; the inner error is the rule that refuses it.
fn draft_change(
    cx: &mut Context<'_, '_>,
    person: &Person,
    reply: &MailReply,
) -> Result<std::result::Result<Drafted, String>> {
    let directory = cx.directory()?;
    let read = letter_draft::read(&reply.subject, &reply.text, &directory, &person.zone);
    let before = std::mem::replace(&mut cx.actor, mail_address::writer_of(&person.id));
    let made = make(cx, read, reply);
    cx.actor = before;
    match made {
        Ok(drafted) => Ok(Ok(drafted)),
        Err(Error::Refused(refusal)) => Ok(Err(refusal.to_string().trim_end_matches('.').to_owned())),
        Err(fault) => Err(fault),
    }
}

fn make(cx: &mut Context<'_, '_>, read: LetterDraft, reply: &MailReply) -> Result<Drafted> {
    let bare = read.bare();
    let mut notes = read.notes;
    let key = match create_change(cx, &read.body, &[]) {
        // Wrong values in a letter do not discard the rest of it.
        Err(Error::Refused(Refusal::Invalid(errors))) => {
            notes.extend(errors.into_iter().map(|error| error.text));
            create_change(cx, &bare, &[])?
        }
        made => made?,
    };
    let mut files = 0;
    for file in &reply.files {
        match add_file(cx, &key, file) {
            Ok(()) => files += 1,
            Err(Error::Refused(refusal)) => notes.push(format!("{}: {refusal}", file.name)),
            Err(fault) => return Err(fault),
        }
    }
    notes.extend(reply.left_out.iter().cloned());
    let (change, directory) = (cx.change(&key)?, cx.directory()?);
    let missing = before_submission(&change, &directory)
        .into_iter()
        .map(|row| row.text)
        .collect();
    Ok(Drafted {
        key,
        notes,
        missing,
        files,
    })
}

/// Adds a file of the letter as evidence without a result: a person must state the result.
fn add_file(cx: &mut Context<'_, '_>, key: &str, file: &MailFile) -> Result<()> {
    let body: Body = [
        ("kind", "file"),
        ("name", file.name.as_str()),
        ("text", "It came with the letter."),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.into()))
    .collect();
    let stored = StoredFile {
        digest: file.digest.clone(),
        size: file.size,
        media_type: file.media_type.clone(),
        reading: None,
    };
    add_evidence::add_evidence(cx, key, &body, &stored).map(drop)
}

/// Replies to the writer with the parts that the draft lacks.
fn reply_to_writer(
    cx: &mut Context<'_, '_>,
    person: &Person,
    made: &Drafted,
    reply: &MailReply,
    once: &str,
) -> Result<()> {
    let mut parts = vec![
        format!("Your letter “{}” is the draft {}.", reply.subject, made.key),
        page(cx, &format!("/changes/{}", made.key)),
    ];
    let list = |head: &str, rows: &[String]| {
        let rows: Vec<String> = rows.iter().take(MOST_LINES).map(|row| format!("- {row}")).collect();
        (!rows.is_empty()).then(|| format!("{head}\n{}", rows.join("\n")))
    };
    parts.extend(list("Before it can be submitted:", &made.missing));
    parts.extend(list("Not taken from the letter:", &made.notes));
    if made.files > 0 {
        parts.push(format!("Files kept as evidence: {}.", made.files));
    }
    parts.push("Nothing is decided by mail: submit it on its page.".to_owned());
    let text = format!("{}\n", parts.join("\n\n"));
    let subject = format!("{} is drafted from your letter", made.key);
    let letter = (TOPIC, subject.as_str(), text.as_str(), once);
    write_letter(cx, person, letter, ("letter.taken", Some(made.files)))
}
