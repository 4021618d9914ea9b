//! Notifies people of a change by the communication plans: once for each stage, announced start and person.
//!
//! A saved change that came to another stage gets a timer. The timer evaluates the plans and sends what is due, a bounded
//! number in one transaction. A record with a natural key is written together with its message or letter, so a round that is
//! cut off or runs twice sends nothing a second time. A start whose timer did not run before the work ended is announced late.
//! A notice that was due before a start and was not sent becomes an action item of the change's owner.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::change::around::communication;
use model::change::record::Change;
use model::core::enums::{AboutKind, ActionKind, Audience, Closing, CommunicationStage, LetterLanguage, Severity};
use model::core::ids::{PersonId, RecordId};
use model::notify::action_item::{About, ActionItem, Due, NewItem, Owner};
use model::notify::business_unit::BusinessUnit;
use model::notify::communication::{
    Communication, Recipient, announces_start_late, customer_services, due, late_since, natural_key, recipients,
    remind_at, reminder_of, stage_of, start_behind, with_customers, with_duty, without_opted_out,
};
use model::notify::communication_plan::CommunicationPlan;
use model::notify::customer_list::{CustomerList, is_same};
use model::notify::wording::{late_line, opt_out_line, rendered, rendered_outside};
use model::schedule::calendar::Span;
use serde_json::json;
use store::queue::job;
use store::queue::timer::{self, NewTimer};
use store::record::{self, Filter};

use crate::core::context::{Context, Saved};
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::noun::PlainNoun;
use crate::core::write::{Written, draft};
use crate::notify::action_items::{open, open_about, settle};
use crate::notify::set_customer_list::{find_opted_out, opt_out_path};

/// The table of the timers, whose subject is the id of a change.
pub const TABLE: &str = "communication";
/// The kind of the job that mails a letter to an address that is no person's.
pub const LETTER: &str = "communication";
/// The topic of messages: they are mailed with the plan's text.
pub const TOPIC: &str = "communication";
/// The kind of the timers.
const KIND: &str = "communication";
/// The kind of a second timer, which exists until the begin of a change's work was announced.
const STARTED: &str = "communication_started";
/// The kinds of two more timers, due at the planned start: each exists until its stage was sent to everybody. A stage that is
/// still open at the start was missed, and the owner of the change must announce it.
const OWED: [(CommunicationStage, &str); 2] = [
    (CommunicationStage::Announced, "communication_announced"),
    (CommunicationStage::Reminder, "communication_reminder"),
];
/// How many minutes the owner has to announce a missed stage.
const MISSED_MINUTES: i64 = 60;
/// The delivery state of a letter that the mail server refuses.
pub const REFUSED: &str = "failed";
/// Precedes the number of an announcement in its natural key, when a start that moved away and back is announced again.
const AGAIN: char = '#';
/// The most letters of one round.
const MOST_SENT: usize = 200;
/// The most communications of one change that are read.
const MOST_KNOWN: i64 = 50_000;

/// Sets the timer that evaluates a change's communications once the change came to another stage. Tenants without plans have no
/// timers.
///
/// # Errors
/// The store's.
pub(crate) fn follow_stage(cx: &mut Context<'_, '_>, saved: &Saved) -> Result<()> {
    let change = &saved.after.change;
    let before = saved.before.as_ref().and_then(|file| stage_of(&file.change));
    let now = stage_of(change);
    if now.is_none() || now == before {
        return Ok(());
    }
    if record::count::<CommunicationPlan>(cx.tx, &Filter::new().equals("active", true))? == 0 {
        return Ok(());
    }
    match now {
        Some((CommunicationStage::Started, _)) => set_timer(cx, (change.id.as_str(), STARTED), cx.now)?,
        Some((CommunicationStage::Announced, start)) => {
            owe(cx, change, start, |stage| stage == CommunicationStage::Announced)?;
        }
        _ => {}
    }
    set_timer(cx, (change.id.as_str(), KIND), cx.now)
}

/// Sets the timers of notices that are due before a start, and removes the others.
fn owe(
    cx: &mut Context<'_, '_>,
    change: &Change,
    start: Option<Timestamp>,
    is_owed: impl Fn(CommunicationStage) -> bool,
) -> Result<()> {
    for (stage, kind) in OWED {
        match start.filter(|start| *start > cx.now && is_owed(stage)) {
            Some(start) => set_timer(cx, (change.id.as_str(), kind), start)?,
            None => {
                timer::cancel(cx.tx, TABLE, change.id.as_str(), kind)?;
            }
        }
    }
    Ok(())
}

fn set_timer(cx: &mut Context<'_, '_>, (change, kind): (&str, &str), run_at: Timestamp) -> Result<()> {
    let id = cx.new_id()?;
    let new = NewTimer {
        id: &id,
        subject_table: TABLE,
        subject_id: change,
        kind,
        run_at,
    };
    Ok(timer::set(cx.tx, &new)?)
}

/// Whether the begin of a change's work was announced to nobody yet.
fn owes_start(cx: &mut Context<'_, '_>, change: &Change) -> Result<bool> {
    let timers = timer::of_subject(cx.tx, TABLE, change.id.as_str())?;
    Ok(timers.iter().any(|it| it.kind == STARTED))
}

/// Sends the due notices of a change that were not sent, and sets the timer for the remaining ones.
///
/// # Errors
/// The store's.
pub(crate) fn communicate(cx: &mut Context<'_, '_>, change: &str) -> Result<()> {
    let Some(change) = record::load::<Change>(cx.tx, change)?.map(|stored| stored.record) else {
        return Ok(());
    };
    if stage_of(&change).is_some_and(|(_, start)| start.is_none()) {
        settle_acknowledgements(cx, &change)?;
    }
    let plans = CommunicationPlan::listed(cx)?;
    let mut round = Round::begin(cx, &change)?;
    let owes_start = owes_start(cx, &change)?;
    // The start is announced to everybody before the end is announced to anybody.
    for plan in plans
        .iter()
        .filter(|plan| owes_start && announces_start_late(plan, &change))
    {
        round.tell(cx, plan, (CommunicationStage::Started, None))?;
    }
    for plan in &plans {
        for (stage, start) in due(plan, &change, cx.now) {
            round.tell(cx, plan, (stage, start))?;
        }
    }
    if round.left == 0 {
        if owes_start {
            set_timer(cx, (change.id.as_str(), STARTED), cx.now)?;
        }
        return set_timer(cx, (change.id.as_str(), KIND), cx.now);
    }
    if owes_start {
        timer::cancel(cx.tx, TABLE, change.id.as_str(), STARTED)?;
    }
    if let Some(start) = start_behind(&change, cx.now) {
        round.tell_missed(cx, &plans, start)?;
    }
    let ahead = plans.iter().filter_map(|plan| remind_at(plan, &change));
    let ahead = ahead.filter(|at| *at > cx.now).min();
    let start = stage_of(&change).and_then(|(_, start)| start);
    owe(cx, &change, start, |stage| {
        stage == CommunicationStage::Reminder && ahead.is_some()
    })?;
    match ahead {
        Some(at) => set_timer(cx, (change.id.as_str(), KIND), at),
        None => Ok(()),
    }
}

/// One round of letters about a change.
struct Round<'c> {
    change: &'c Change,
    units: Vec<BusinessUnit>,
    lists: Vec<CustomerList>,
    /// The mail addresses that opted out of letters, in small letters.
    opted_out: BTreeSet<String>,
    /// The natural keys of sent notices.
    known: BTreeSet<String>,
    /// When each plan first sent a stage, by the plan's key and the beginning of natural keys. Of announcements only those
    /// since the last move count.
    first: BTreeMap<(String, String), Timestamp>,
    /// The latest announcement to each recipient: the beginning of its natural key, and when it was sent. A start that moved away
    /// and back is announced again.
    latest: BTreeMap<String, (String, Timestamp)>,
    /// The people who must acknowledge the present start.
    asked: BTreeSet<PersonId>,
    /// Whether the change has a record that its present start was announced.
    is_noted: bool,
    /// How many more letters fit in.
    left: usize,
}

impl<'c> Round<'c> {
    fn begin(cx: &mut Context<'_, '_>, change: &'c Change) -> Result<Self> {
        let filter = Filter::new().equals("change_key", change.key.as_str());
        let sent = record::bodies::<Communication>(cx.tx, &filter.order_by("id").limit(MOST_KNOWN))?;
        let (mut first, mut latest) = (BTreeMap::new(), BTreeMap::new());
        let announced = format!("{}/{}/", change.key, CommunicationStage::Announced);
        let mut last = String::new();
        for it in &sent {
            let (beginning, who) = parts(&it.natural_key);
            if it.stage == CommunicationStage::Announced {
                if last != beginning {
                    first.retain(|(_, known): &(String, String), _| !known.starts_with(&announced));
                    last.clone_from(&beginning);
                }
                latest.insert(who, (beginning.clone(), it.at));
            }
            let at = first.entry((it.plan.clone(), beginning)).or_insert(it.at);
            *at = it.at.min(*at);
        }
        let start = change.planned_start;
        let noted = change.communicated.as_ref().filter(|it| Some(it.starts_at) == start);
        Ok(Self {
            change,
            first,
            latest,
            is_noted: noted.is_some_and(|it| it.announced_at.is_some()),
            asked: noted.map(|it| it.asked_people.clone()).unwrap_or_default(),
            units: BusinessUnit::listed(cx)?,
            lists: CustomerList::listed(cx)?,
            opted_out: find_opted_out(cx)?,
            known: sent.into_iter().map(|it| it.natural_key).collect(),
            left: MOST_SENT,
        })
    }

    /// Notifies every recipient of a plan who was not notified of this stage.
    fn tell(
        &mut self,
        cx: &mut Context<'_, '_>,
        plan: &CommunicationPlan,
        (stage, start): (CommunicationStage, Option<Timestamp>),
    ) -> Result<()> {
        let mut written = Written::default();
        let mut asked = Vec::new();
        let (mut count, mut is_told) = (0, false);
        let beginning = natural_key(&self.change.key, stage, start, "");
        let is_first = !self.first.contains_key(&(plan.key.clone(), beginning));
        let asks = plan.acknowledge && stage == CommunicationStage::Announced;
        for recipient in self.reached(cx, plan, (stage, start))? {
            let who = name_of(&recipient);
            let is_sent = self.is_sent((stage, start), &who);
            let is_asked = recipient.person.as_ref().is_some_and(|it| self.asked.contains(it));
            let is_to_ask = asks && recipient.is_asked && !is_asked;
            is_told |= is_sent;
            let is_due = if is_sent {
                is_to_ask
            } else {
                self.is_news(plan, (stage, start), &who)
            };
            if !is_due {
                continue;
            }
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            if !is_sent {
                self.send(cx, &mut written, (plan, stage, start), &recipient)?;
                count += 1;
            }
            if is_to_ask {
                self.asked.extend(recipient.person.clone());
                asked.push(recipient);
            }
        }
        if count > 0 {
            let data = json!({
                "change": self.change.key, "plan": plan.key, "stage": stage, "count": count, "is_first": is_first,
            });
            let subject = ("communication_plan", plan.id.0.clone());
            cx.emit(vec![draft("communication.sent", subject, cx.now, data)], written)?;
        }
        for recipient in &asked {
            self.ask(cx, recipient)?;
        }
        let is_news = count > 0 || !asked.is_empty() || (is_told && !self.is_noted);
        match start.filter(|_| is_news && stage == CommunicationStage::Announced) {
            Some(start) => self.note_announced(cx, start, &asked),
            None => Ok(()),
        }
    }

    /// Whether a recipient was notified of a stage; of a start, whether it is the latest one announced to them.
    fn is_sent(&self, (stage, start): (CommunicationStage, Option<Timestamp>), who: &str) -> bool {
        match stage {
            CommunicationStage::Announced => self.announced_at(start, who).is_some(),
            _ => {
                let key = natural_key(&self.change.key, stage, start, who);
                self.known.contains(&key)
            }
        }
    }

    /// When a start was announced to a recipient, if no other start was announced to them since.
    fn announced_at(&self, start: Option<Timestamp>, who: &str) -> Option<Timestamp> {
        let wanted = natural_key(&self.change.key, CommunicationStage::Announced, start, "");
        let (_, at) = self.latest.get(who).filter(|(beginning, _)| *beginning == wanted)?;
        Some(*at)
    }

    /// All recipients of a plan at a stage.
    fn reached(
        &self,
        cx: &mut Context<'_, '_>,
        plan: &CommunicationPlan,
        (stage, start): (CommunicationStage, Option<Timestamp>),
    ) -> Result<Vec<Recipient>> {
        let directory = cx.directory()?;
        let beginning = natural_key(&self.change.key, stage, start, "");
        let first = self.first.get(&(plan.key.clone(), beginning));
        let first = first.copied().unwrap_or(cx.now);
        let found = recipients(&directory, (plan, &self.units), self.change, cx.now);
        let found = with_customers(found, &directory, (plan, &self.lists), self.change);
        let found = without_opted_out(found, &self.opted_out);
        Ok(with_duty(found, &directory, (plan, self.change), first))
    }

    /// Opens an item for the change's owner to notify the recipients who missed the notice before its start: no automatic
    /// announcement follows afterwards.
    fn tell_missed(&self, cx: &mut Context<'_, '_>, plans: &[CommunicationPlan], start: Timestamp) -> Result<()> {
        let (timers, now) = (timer::of_subject(cx.tx, TABLE, self.change.id.as_str())?, cx.now);
        for (stage, kind) in OWED {
            if !timers.iter().any(|it| it.kind == kind) {
                continue;
            }
            let mut unsent = BTreeSet::new();
            // If work began early, before its reminder was due, the reminder was not missed.
            let was_due = |plan: &CommunicationPlan| {
                stage != CommunicationStage::Reminder || reminder_of(plan, start).is_some_and(|at| at <= now)
            };
            let telling =
                |plan: &&CommunicationPlan| plan.covers(self.change) && plan.stages.contains(&stage) && was_due(plan);
            for plan in plans.iter().filter(telling) {
                for recipient in self.reached(cx, plan, (stage, Some(start)))? {
                    let who = name_of(&recipient);
                    let due = (stage, Some(start));
                    if !self.is_sent(due, &who) && self.is_news(plan, due, &who) {
                        unsent.insert(who);
                    }
                }
            }
            if !unsent.is_empty() {
                open(cx, self.missed((stage, start), unsent.len()))?;
            }
        }
        Ok(())
    }

    /// The item for a change's owner after a stage before its start was missed.
    fn missed(&self, (stage, start): (CommunicationStage, Timestamp), count: usize) -> NewItem {
        let key = &self.change.key;
        let title = match stage {
            CommunicationStage::Reminder => format!("Notify the recipients of {key}: its reminder was not sent"),
            _ => format!("Notify the recipients of {key}: its announcement was not sent"),
        };
        let targets = self.change.content.targets.iter();
        NewItem {
            part: format!("communication_missed/{stage}/{}", start.as_second()),
            text: Some(format!(
                "Recipients of the communication plans who were not notified before {start}: {count}."
            )),
            services: targets.map(|target| target.service.clone()).collect(),
            severity: Some(Severity::Medium),
            owner: Owner::Person(self.change.content.owner.clone()),
            due: Due::Within(Span::Minutes(MISSED_MINUTES)),
            closing: Closing::Person,
            ..NewItem::new(ActionKind::Other, about(self.change), title)
        }
    }

    /// Notes on the change that its start was announced, which a rule may require.
    fn note_announced(&self, cx: &mut Context<'_, '_>, start: Timestamp, asked: &[Recipient]) -> Result<()> {
        let people: BTreeSet<PersonId> = asked.iter().filter_map(|it| it.person.clone()).collect();
        cx.as_system(|cx| {
            cx.on_change(self.change.id.as_str(), |case| {
                communication::note_announced(case, start, &people);
                Ok(())
            })
        })
    }

    /// Whether the notice is news for a recipient: a late announcement replaces the reminder, and only recipients of the
    /// announcement get the cancellation.
    fn is_news(
        &self,
        plan: &CommunicationPlan,
        (stage, start): (CommunicationStage, Option<Timestamp>),
        who: &str,
    ) -> bool {
        match stage {
            CommunicationStage::Reminder => {
                let told = self.announced_at(start, who);
                let remind = start.and_then(|start| reminder_of(plan, start));
                told.is_none_or(|at| remind.is_some_and(|remind| at < remind))
            }
            CommunicationStage::Cancelled => self.latest.contains_key(who),
            _ => true,
        }
    }

    fn send(
        &mut self,
        cx: &mut Context<'_, '_>,
        written: &mut Written,
        (plan, stage, start): (&CommunicationPlan, CommunicationStage, Option<Timestamp>),
        recipient: &Recipient,
    ) -> Result<()> {
        let key = self.note_sent(cx.now, (stage, start), &name_of(recipient));
        let sent = Communication {
            id: RecordId(cx.new_id()?),
            version: 0,
            natural_key: key.clone(),
            change_key: self.change.key.clone(),
            plan: plan.key.clone(),
            stage,
            person: recipient.person.clone(),
            business_unit: recipient.business_unit.clone(),
            customer_list: recipient.customer_list.clone(),
            mail_address: recipient.mail_address.clone(),
            language: recipient.language,
            at: cx.now,
            happened_at: late_since(self.change, stage, cx.now),
            delivery: recipient.mail_address.as_ref().map(|_| "kept".to_owned()),
            undeliverable_at: None,
            undeliverable_status: None,
        };
        let sent = cx.put(written, sent)?;
        let Some(person) = &recipient.person else {
            let id = cx.new_id()?;
            let new = job::NewJob {
                id: &id,
                kind: LETTER,
                subject: sent.id.as_str(),
                payload: "",
                run_at: cx.now,
            };
            return Ok(job::insert(cx.tx, &new)?);
        };
        let directory = cx.directory()?;
        let known = directory.people.get(person);
        let zone = known.and_then(|it| model::schedule::calendar::zone(&it.zone));
        let words = (recipient.language, &zone.unwrap_or(TimeZone::UTC));
        let (subject, text) = letter_text(plan, self.change, &sent, words);
        let public_url = cx.services.tools().public_url.clone();
        let text = format!("{text}\n{public_url}/t/{}/changes/{}\n", cx.tenant(), self.change.key);
        let dedup = format!("communication/{key}");
        // Naming the change has the texts of the message erased with those of the change.
        let about = Some((&self.change.id, self.change.key.as_str()));
        save_message(cx, written, person, about, (TOPIC, &subject, &text, &dedup))
    }

    /// Records that a stage was sent to a recipient, and returns its natural key.
    fn note_sent(
        &mut self,
        now: Timestamp,
        (stage, start): (CommunicationStage, Option<Timestamp>),
        who: &str,
    ) -> String {
        let plain = natural_key(&self.change.key, stage, start, who);
        let mut key = plain.clone();
        let mut number = 1;
        while self.known.contains(&key) {
            number += 1;
            key = format!("{plain}{AGAIN}{number}");
        }
        self.known.insert(key.clone());
        if stage == CommunicationStage::Announced {
            let beginning = natural_key(&self.change.key, stage, start, "");
            self.latest.insert(who.to_owned(), (beginning, now));
        }
        key
    }

    /// Opens an item to acknowledge an announcement, until the change starts.
    fn ask(&self, cx: &mut Context<'_, '_>, recipient: &Recipient) -> Result<()> {
        let (Some(person), Some(start)) = (&recipient.person, self.change.planned_start) else {
            return Ok(());
        };
        let targets = self.change.content.targets.iter();
        let item = NewItem {
            part: format!("communication/{person}"),
            services: targets.map(|target| target.service.clone()).collect(),
            owner: Owner::Person(person.clone()),
            // A start that is announced shortly before still leaves some time to read the announcement.
            due: Due::At(start.max(cx.now + SignedDuration::from_mins(15))),
            closing: Closing::Person,
            // The announcement itself was the letter.
            tells: false,
            ..NewItem::new(
                ActionKind::Acknowledge,
                about(self.change),
                format!("Acknowledge the announcement of {}", self.change.key),
            )
        };
        open(cx, item)?;
        Ok(())
    }
}

fn about(change: &Change) -> About {
    About::new(AboutKind::Change, change.key.as_str())
}

/// The beginning of a communication's natural key, and its recipient.
fn parts(natural_key: &str) -> (String, String) {
    let (beginning, rest) = natural_key.rsplit_once('/').unwrap_or_default();
    let who = rest.split_once(AGAIN).map_or(rest, |(who, _)| who);
    (format!("{beginning}/"), who.to_owned())
}

/// The recipient's part of natural keys: an id, or the digest of an address, which may contain a person's name.
fn name_of(recipient: &Recipient) -> String {
    match (&recipient.person, &recipient.mail_address) {
        (Some(person), _) => person.0.clone(),
        (None, Some(address)) => proof::crypto::digest_text(address.to_lowercase().as_bytes()),
        (None, None) => String::new(),
    }
}

/// Notes on the change that its announcement was acknowledged by the addressee or a delegate: the item names the addressee.
///
/// # Errors
/// The store's.
pub(crate) fn note_acknowledged(cx: &mut Context<'_, '_>, item: &ActionItem) -> Result<()> {
    let Some(person) = item.announced_to() else {
        return Ok(());
    };
    let key = item.about.clone();
    cx.as_system(|cx| {
        cx.on_change(&key, |case| {
            communication::note_acknowledged(case, &person);
            Ok(())
        })
    })
}

/// No acknowledgement is needed any more once the change has begun or was cancelled.
fn settle_acknowledgements(cx: &mut Context<'_, '_>, change: &Change) -> Result<()> {
    for item in open_about(cx, &about(change))? {
        if item.kind == ActionKind::Acknowledge {
            let reason = "The change has started or does not take place.";
            settle(cx, item, model::core::enums::ActionState::Done, reason)?;
        }
    }
    Ok(())
}

/// The subject and the text of a communication; a late one starts with a note before the plan's text.
fn letter_text(
    plan: &CommunicationPlan,
    change: &Change,
    sent: &Communication,
    words: (LetterLanguage, &TimeZone),
) -> (String, String) {
    let (subject, text) = rendered(plan, change, sent.stage, words);
    (subject, with_late_note(text, sent, words))
}

fn with_late_note(text: String, sent: &Communication, words: (LetterLanguage, &TimeZone)) -> String {
    match sent.happened_at {
        Some(at) => format!("{}\n\n{text}", late_line(at, words)),
        None => text,
    }
}

/// A letter to a mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressLetter {
    /// The address.
    pub address: String,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// When it was written.
    pub at: Timestamp,
    /// The opt-out address in a letter to a customer.
    pub unsubscribe: Option<String>,
}

/// The letter of a communication to a mail address; `None` where the plan is gone, the record is about a person, or the address
/// opted out meanwhile.
///
/// # Errors
/// The store's.
pub fn address_letter(cx: &mut Context<'_, '_>, id: &str) -> Result<Option<AddressLetter>> {
    let Some(sent) = record::load::<Communication>(cx.tx, id)?.map(|stored| stored.record) else {
        return Ok(None);
    };
    let filter = Filter::new().equals("key", sent.plan.as_str()).equals("active", true);
    let plan = record::bodies::<CommunicationPlan>(cx.tx, &filter.order_by("id").limit(1))?.pop();
    let (Some(plan), Some(address)) = (plan, sent.mail_address.clone()) else {
        return Ok(None);
    };
    if find_opted_out(cx)?.contains(&address.to_lowercase()) {
        return Ok(None);
    }
    let change = cx.change(&sent.change_key)?;
    if let Some(list) = sent.customer_list.clone() {
        return customer_letter(cx, (&plan, &change), &sent, (&list, address));
    }
    let (subject, text) = letter_text(&plan, &change, &sent, (sent.language, &TimeZone::UTC));
    Ok(Some(AddressLetter {
        address,
        subject,
        text,
        at: sent.at,
        unsubscribe: None,
    }))
}

/// The letter to a customer: in language for people outside the organisation, with the way to opt out.
fn customer_letter(
    cx: &mut Context<'_, '_>,
    (plan, change): (&CommunicationPlan, &Change),
    sent: &Communication,
    (list, address): (&str, String),
) -> Result<Option<AddressLetter>> {
    let lists = CustomerList::listed(cx)?;
    let list = lists.iter().find(|it| it.key == list);
    let list = list.filter(|it| it.mail_addresses.iter().any(|it| is_same(it, &address)));
    // If the plan no longer addresses customers, its text is for the organisation only.
    let Some(list) = list.filter(|_| plan.audiences.contains(&Audience::Customers)) else {
        return Ok(None);
    };
    let directory = cx.directory()?;
    let services = customer_services(&directory, list, change);
    let words = (sent.language, &TimeZone::UTC);
    let (subject, text) = rendered_outside((plan, &services), change, sent.stage, words);
    let text = with_late_note(text, sent, words);
    let link = format!(
        "{}{}",
        cx.services.tools().public_url,
        opt_out_path(cx, sent.id.as_str())
    );
    Ok(Some(AddressLetter {
        address,
        subject,
        text: format!("{text}\n\n{}\n", opt_out_line(&link, sent.language)),
        at: sent.at,
        unsubscribe: Some(link),
    }))
}

/// Records the delivery of a communication's letter; a refused one is reported to the person who can correct the address. A letter
/// that came back stays failed.
///
/// # Errors
/// The store's.
pub fn mark_letter(cx: &mut Context<'_, '_>, id: &str, delivery: &str) -> Result<()> {
    let Some(sent) = record::load::<Communication>(cx.tx, id)?.map(|stored| stored.record) else {
        return Ok(());
    };
    if sent.undeliverable_at.is_some() {
        return Ok(());
    }
    let mut written = Written::default();
    let marked = Communication {
        delivery: Some(delivery.to_owned()),
        ..sent
    };
    let marked = cx.put(&mut written, marked)?;
    cx.emit(Vec::new(), written)?;
    match delivery == REFUSED {
        true => follow_refused(cx, &marked),
        false => Ok(()),
    }
}

/// Has the mail address of a letter corrected that did not reach it.
///
/// # Errors
/// The store's.
pub(crate) fn follow_refused(cx: &mut Context<'_, '_>, sent: &Communication) -> Result<()> {
    let Some(address) = sent.mail_address.as_deref() else {
        return Ok(());
    };
    let (about, title) = match (&sent.business_unit, &sent.customer_list) {
        (Some(unit), _) => (
            format!("business-unit {unit}"),
            format!("Correct a mail address of the business unit {unit}"),
        ),
        (None, Some(list)) => (
            format!("customer-list {list}"),
            format!("Correct a mail address of the customers’ list {list}"),
        ),
        (None, None) => return Ok(()),
    };
    request_correction(cx, address, (about, title))
}

/// Opens an item for the change managers, who set the plans, to correct a mail address of a business unit, a customers' list or a
/// person: its letters reach nobody.
///
/// # Errors
/// The store's.
pub(crate) fn request_correction(
    cx: &mut Context<'_, '_>,
    address: &str,
    (about, title): (String, String),
) -> Result<()> {
    let about = About::new(AboutKind::Other, about);
    let item = NewItem {
        part: format!(
            "refused/{}",
            proof::crypto::digest_text(address.to_lowercase().as_bytes())
        ),
        text: Some(format!("The mail server refused a letter to {address}.")),
        closing: Closing::Person,
        ..NewItem::new(ActionKind::Other, about, title)
    };
    open(cx, item).map(drop)
}
