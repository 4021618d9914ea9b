//! The file of a change: all that a decision may look at, and the case that an act works on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::approval::obligation::{Asked, Requirements, Verdict};
use crate::cab::meeting;
use crate::change::record::Change;
use crate::change::related_records::{
    Approval, ChangeTask, ChecklistItem, Comment, Condition, Entry, Evidence, Link, PeerReview, Permit,
};
use crate::core::act::Act;
use crate::core::enums::{ApprovalState, PeerVerdict, Role, State};
use crate::core::ids::{ChangeId, EnvironmentKey, PersonId, RecordId, ServiceKey};
use crate::directory::impersonation::Hands;
use crate::directory::snapshot::Directory;
use crate::gate::{committers, running};
use crate::identity::factor::{Factor, Wanted};
use crate::policy::facts::ActorFacts;
use crate::risk::cause_move::CauseMove;

/// What a linked change has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The other change's key.
    pub key: String,
    /// Its state.
    pub state: State,
    /// Whether it ended in success.
    pub has_succeeded: bool,
    /// Who sees to it: its owner. `None` where it is not at hand.
    pub owner: Option<PersonId>,
}

/// A change with everything that stands around it.
#[derive(Debug, Clone)]
pub struct ChangeFile {
    /// The change.
    pub change: Change,
    /// All decisions, also ended ones.
    pub approvals: Vec<Approval>,
    /// Conditions.
    pub conditions: Vec<Condition>,
    /// Peer reviews.
    pub peer_reviews: Vec<PeerReview>,
    /// Evidence.
    pub evidence: Vec<Evidence>,
    /// The log of actions.
    pub entries: Vec<Entry>,
    /// Tasks.
    pub tasks: Vec<ChangeTask>,
    /// Checklist items.
    pub checklist: Vec<ChecklistItem>,
    /// Comments: only those that the act at hand adds.
    pub comments: Vec<Comment>,
    /// Links.
    pub links: Vec<Link>,
    /// States of the changes that this one depends on.
    pub depends_on: Vec<Linked>,
    /// Permits given out.
    pub permits: Vec<Permit>,
    /// Meetings of boards that have to do with it.
    pub meetings: Vec<meeting::Meeting>,
    /// Who made the commits that it brings.
    pub committers: committers::Committers,
    /// What runs in the places of its targets, as far as a rule on it asks.
    pub present: running::Present,
    /// How reviewed failures moved its forecast, in their order.
    pub cause_moves: Vec<CauseMove>,
    /// Whose accounts count as one person's, where the change is of high risk or sensitive.
    pub hands: Hands,
    /// A rejected change with the same artifact, service and environment that nobody overruled.
    pub rejected_elsewhere: Option<RejectedElsewhere>,
    /// Of which services and environments that the model of failure does not know an outcome is known all the same; `None` where
    /// nobody asked the store.
    pub known_outcomes: Option<KnownOutcomes>,
    /// What the policies require of it as it stands.
    pub requirements: Requirements,
    /// Whom the policies let do what a row waits for.
    pub lets: Lets,
}

/// Whether an outcome is known, by service and environment, as far as somebody asked.
pub type KnownOutcomes = BTreeMap<(ServiceKey, EnvironmentKey), bool>;

/// A rejected change that stops another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedElsewhere {
    /// Its key.
    pub key: String,
    /// Who asked for it, and so may not overrule its rejection.
    pub requester: PersonId,
    /// Who asked for it, owns or wrote it: none of them overrules its rejection.
    pub of_interest_to: Vec<PersonId>,
}

type LetsJudge = dyn Fn(&ChangeFile, &Directory, &PersonId, Act, Timestamp) -> bool + Send + Sync;

/// Whether the policies let a person do an act on a change: injected by `acts`. Without it they let everybody whom the model
/// finds.
#[derive(Clone, Default)]
pub struct Lets(Option<Arc<LetsJudge>>);

impl Lets {
    /// Asks the policies by this function.
    pub fn by(judge: Arc<LetsJudge>) -> Self {
        Self(Some(judge))
    }

    pub(crate) fn judge(&self) -> Option<&LetsJudge> {
        self.0.as_deref()
    }
}

impl fmt::Debug for Lets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "by policies" } else { "everybody" })
    }
}

impl ChangeFile {
    /// A file that holds a new change and nothing else.
    pub fn new(change: Change) -> Self {
        Self {
            change,
            approvals: Vec::new(),
            conditions: Vec::new(),
            peer_reviews: Vec::new(),
            evidence: Vec::new(),
            entries: Vec::new(),
            tasks: Vec::new(),
            checklist: Vec::new(),
            comments: Vec::new(),
            links: Vec::new(),
            depends_on: Vec::new(),
            permits: Vec::new(),
            meetings: Vec::new(),
            committers: committers::Committers::default(),
            present: running::Present::default(),
            cause_moves: Vec::new(),
            hands: Hands::default(),
            rejected_elsewhere: None,
            known_outcomes: None,
            requirements: Requirements::default(),
            lets: Lets::default(),
        }
    }

    /// Decisions that still count in some part.
    pub fn standing(&self) -> impl Iterator<Item = &Approval> {
        self.approvals
            .iter()
            .filter(|approval| approval.state == ApprovalState::Standing)
    }

    /// Whether somebody wrote what the change brings: the change itself, or one of its commits. What an agent wrote, its sponsor
    /// wrote.
    pub fn wrote(&self, person: &PersonId) -> bool {
        let alone = |person: &PersonId| self.change.authors.contains(person) || self.committers.people.contains(person);
        alone(person) || self.hands.has_agent(person, alone)
    }

    /// Whether somebody, or one who counts as the same person, wrote what the change brings. Of a change of high risk and of a
    /// sensitive one, whoever handed out the way in by which it was written wrote it as well.
    pub fn wrote_by_hand(&self, person: &PersonId) -> bool {
        self.is_behind(person) || self.hands.same(person).into_iter().any(|it| self.wrote(it))
    }

    /// Whether somebody handed out the way in by which a change of high risk or a sensitive one was written.
    pub fn is_behind(&self, person: &PersonId) -> bool {
        let mut handed = self.change.handed_by.iter();
        self.hands.is_grave && handed.any(|hand| self.hands.are_one(hand, person))
    }

    /// Whether a standing approval says yes that is this person's: their own, one for which they delegated, or, under high
    /// risk, one of an account that counts as theirs.
    pub fn approves(&self, person: &PersonId) -> bool {
        let is_theirs = |approval: &Approval| {
            let by_hand = self.hands.is_grave && self.hands.are_one(approval.speaker(), person);
            let mut rows = approval.counted_for.iter();
            by_hand
                || self.hands.are_one(&approval.person, person)
                || rows.any(|row| row.basis.delegators.contains(person))
        };
        self.standing().any(|approval| approval.is_yes() && is_theirs(approval))
    }

    /// Whether a peer review agrees with the present content.
    pub fn agreeing_peers(&self) -> impl Iterator<Item = &PeerReview> {
        self.peer_reviews
            .iter()
            .filter(|review| review.state == ApprovalState::Standing && review.verdict == PeerVerdict::Agree)
    }
}

/// The system among people.
const SYSTEM: &str = "system";

/// Who acts, and with what behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person; the system's own timers and deliveries act as [`Actor::system`].
    pub person: PersonId,
    /// Whether a token, not a session, speaks.
    pub by_token: bool,
    /// When a fresh factor was last shown in this session.
    pub stepped_up_at: Option<Timestamp>,
    /// Which factor that was.
    pub factor: Option<Factor>,
    /// Whether this is the system itself.
    pub is_system: bool,
    /// With what they showed who they are: `token`, `password`, `provider:corp`, and a fresh factor behind a `+`.
    pub method: String,
    /// For a way in that somebody handed out: who did, and how far it carries.
    pub lent: Option<Lent>,
    /// By which session or token, and from which address; absent where nothing is known of it.
    pub via: Option<WayIn>,
}

/// The member of an event's data that holds the way in.
pub const VIA: &str = "via";

/// The way in by which somebody acts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WayIn {
    /// The session, by the name under which it is listed and ended.
    pub session: Option<String>,
    /// The token's record.
    pub token: Option<String>,
    /// The address from which the request came. The log holds a code of it.
    pub address: Option<String>,
    /// The digest of what lets a job of a workload in. It stays out of the log.
    pub job: Option<String>,
}

/// What is known of the token with which somebody speaks, or of a session that began by a password or a provider which
/// somebody else set of late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lent {
    /// Who made the token, or set the password or the provider.
    pub maker: PersonId,
    /// The roles that it carries of its person's; `None` for all of them.
    pub roles: Option<BTreeSet<Role>>,
    /// The services to which it is scoped; `None` for all that its person sees.
    pub services: Option<BTreeSet<ServiceKey>>,
}

impl Actor {
    /// The system: timers and judged deliveries.
    pub fn system() -> Self {
        Self {
            person: PersonId::from(SYSTEM),
            by_token: false,
            stepped_up_at: None,
            factor: None,
            is_system: true,
            method: "system".to_owned(),
            lent: None,
            via: None,
        }
    }

    /// Who handed out the way in by which they came, where that was another person: then two may stand behind one word.
    pub fn hand(&self) -> Option<&PersonId> {
        let maker = &self.lent.as_ref()?.maker;
        let is_another = *maker != self.person && maker.as_str() != SYSTEM && !maker.as_str().is_empty();
        is_another.then_some(maker)
    }

    /// Whose hand gives a word: whoever handed out the way in, else the person.
    pub fn speaker(&self) -> &PersonId {
        self.hand().unwrap_or(&self.person)
    }

    /// The roles to which the token is narrowed, if it is.
    pub fn narrowed_to(&self) -> Option<&BTreeSet<Role>> {
        self.lent.as_ref()?.roles.as_ref()
    }

    /// Whether a pipeline's own token speaks: one that is narrowed to other roles is its person's word.
    pub fn speaks_as_pipeline(&self, directory: &Directory) -> bool {
        let carries = self.narrowed_to().is_none_or(|roles| roles.contains(&Role::Pipeline));
        self.by_token && carries && directory.has_role(&self.person, Role::Pipeline)
    }

    /// Whether a decision that a rule asks for may come through the token: one that is narrowed speaks for its roles alone,
    /// and for no group that stands for none of them.
    pub fn speaks_as(&self, asked: &Asked) -> bool {
        let Some(roles) = self.narrowed_to() else { return true };
        match asked {
            Asked::Owner | Asked::TechnicalLead | Asked::Data | Asked::Tester => roles.contains(&Role::Owner),
            Asked::Security => roles.contains(&Role::Security),
            Asked::ChangeManager => roles.contains(&Role::ChangeManager),
            Asked::Group(key) => match key.as_str() {
                "security" => roles.contains(&Role::Security),
                "change-managers" => roles.contains(&Role::ChangeManager),
                _ => false,
            },
            Asked::Groups(keys) => keys.iter().any(|key| self.speaks_as(&Asked::Group(key.clone()))),
        }
    }

    /// Whether a factor was shown within the last five minutes.
    pub fn is_stepped_up(&self, now: Timestamp) -> bool {
        !self.by_token
            && self
                .stepped_up_at
                .is_some_and(|at| at <= now && now.duration_since(at).as_secs() <= 300)
    }

    /// The factor that was shown within the last five minutes.
    pub fn fresh_factor(&self, now: Timestamp) -> Option<&Factor> {
        self.factor.as_ref().filter(|_| self.is_stepped_up(now))
    }

    /// Whether a second factor was shown within the last five minutes.
    pub fn has_second_factor(&self, now: Timestamp) -> bool {
        self.fresh_factor(now).is_some_and(|factor| factor.is_second)
    }

    /// Whether what was shown is enough for what a rule asks.
    pub fn shows(&self, wanted: Wanted, now: Timestamp) -> bool {
        match wanted {
            Wanted::Nothing => true,
            Wanted::Any => self.is_stepped_up(now),
            Wanted::Second => self.has_second_factor(now),
        }
    }
}

/// An event that an act wants recorded; `acts` gives it bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct EventDraft {
    /// `change.approved`.
    pub kind: &'static str,
    /// The table and id of its subject.
    pub subject: (&'static str, String),
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What there is to say beside the record's difference: codes, keys, ids, numbers; no free text.
    pub data: Map<String, Value>,
}

/// Something to tell a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// To whom.
    pub to: PersonId,
    /// What it is about: `asked_to_approve`.
    pub topic: &'static str,
    /// What its subject says behind the change's key, where that is more than the topic's words.
    pub headline: Option<String>,
    /// The one sentence of news.
    pub news: String,
    /// What the reader can do.
    pub next: String,
    /// The same matter is told once.
    pub dedup: String,
}

/// Owner of the change and change managers: whom bad news reaches at once.
pub fn people_in_charge(change: &Change, directory: &Directory) -> Vec<PersonId> {
    let mut people = vec![change.content.owner.clone()];
    for manager in directory.with_role(Role::ChangeManager) {
        if !people.contains(&manager) {
            people.push(manager);
        }
    }
    people
}

/// Asks the policies what a change requires: injected by `acts`.
pub type Judge<'a> = dyn Fn(&ChangeFile) -> Requirements + 'a;

/// Asks the policies whether a person may do an act on a change: injected by `acts`.
pub type May<'a> = dyn Fn(&ActorFacts, &str, Option<&ChangeFile>) -> Verdict + 'a;

/// The working copy of one act: the file as it becomes, and what is to be told.
pub struct Case<'a> {
    /// The file.
    pub file: ChangeFile,
    /// The estate.
    pub directory: Arc<Directory>,
    /// Who acts.
    pub actor: Actor,
    /// The time of the act.
    pub now: Timestamp,
    /// Gives new ids.
    pub ids: &'a mut dyn FnMut() -> String,
    /// Asks the policies for obligations.
    pub judge: &'a Judge<'a>,
    /// Asks the policies for permission.
    pub may: &'a May<'a>,
    /// Events to write.
    pub events: Vec<EventDraft>,
    /// People to tell.
    pub letters: Vec<Letter>,
    /// Permits whose revocation must enter the list.
    pub revoked: Vec<RecordId>,
}

impl Case<'_> {
    /// A new id.
    pub fn new_id(&mut self) -> RecordId {
        RecordId((self.ids)())
    }

    /// The change.
    pub fn change(&self) -> &Change {
        &self.file.change
    }

    /// The acting person.
    pub fn person(&self) -> PersonId {
        self.actor.person.clone()
    }

    /// Notes an event about the change.
    pub fn tell(&mut self, kind: &'static str, data: Value) {
        let at = self.now;
        self.tell_at(kind, at, data);
    }

    /// Notes an event that happened at another time than it is recorded.
    pub fn tell_at(&mut self, kind: &'static str, occurred_at: Timestamp, data: Value) {
        let data = match data {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        let subject = ("change", self.file.change.id.0.clone());
        self.events.push(EventDraft {
            kind,
            subject,
            occurred_at,
            data,
        });
    }

    /// Writes to a person, once per `mark`.
    pub fn write_to(&mut self, to: &PersonId, topic: &'static str, mark: &str, news: String, next: &str) {
        self.write_under(to, (topic, None), mark, news, next);
    }

    /// The same under a headline of its own, where the topic's words would speak of another than the one who is written to.
    pub(crate) fn write_under(
        &mut self,
        to: &PersonId,
        (topic, headline): (&'static str, Option<String>),
        mark: &str,
        news: String,
        next: &str,
    ) {
        let is_blind = !self.directory.sees(to, &self.file.change);
        if self.actor.person == *to || to.as_str() == "system" || is_blind {
            return;
        }
        let dedup = format!("{}/{topic}/{mark}/{to}", self.file.change.key);
        self.letters.push(Letter {
            to: to.clone(),
            topic,
            headline,
            news,
            next: next.to_owned(),
            dedup,
        });
    }

    /// Owner of the change and change managers: whom bad news reaches at once.
    pub fn people_in_charge(&self) -> Vec<PersonId> {
        people_in_charge(&self.file.change, &self.directory)
    }

    /// Judges the change by the policies anew.
    pub fn rejudge(&mut self) {
        self.file.requirements = (self.judge)(&self.file);
    }

    /// The id of the change.
    pub fn change_id(&self) -> ChangeId {
        self.file.change.id.clone()
    }

    /// A person's name for sentences.
    pub fn name(&self, person: &PersonId) -> String {
        self.directory.name(person)
    }
}
