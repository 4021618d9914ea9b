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
use crate::directory::impersonation::LinkedAccounts;
use crate::directory::snapshot::Directory;
use crate::gate::{committers, running};
use crate::identity::factor::{Factor, Wanted};
use crate::policy::facts::ActorFacts;
use crate::risk::cause_move::CauseMove;

/// The facts of a linked change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The other change's key.
    pub key: String,
    /// Its state.
    pub state: State,
    /// Whether it ended in success.
    pub has_succeeded: bool,
    /// Its owner. `None` where the change is not loaded.
    pub owner: Option<PersonId>,
}

/// A change with all records around it.
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
    /// Comments: only those that the present act adds.
    pub comments: Vec<Comment>,
    /// Links.
    pub links: Vec<Link>,
    /// States of the changes that this one depends on.
    pub depends_on: Vec<Linked>,
    /// Permits given out.
    pub permits: Vec<Permit>,
    /// Meetings of boards about it.
    pub meetings: Vec<meeting::Meeting>,
    /// The authors of its commits.
    pub committers: committers::Committers,
    /// The builds that run at its targets, as far as a rule on the change needs them.
    pub present: running::Present,
    /// The effects of reviewed failures on its forecast, in their order.
    pub cause_moves: Vec<CauseMove>,
    /// The accounts that count as one person, where the change is of high risk or sensitive.
    pub hands: LinkedAccounts,
    /// A rejected change with the same artifact, service and environment that nobody overruled.
    pub rejected_elsewhere: Option<RejectedElsewhere>,
    /// The services and environments with a known outcome that the failure model does not contain; `None` where the store was
    /// not queried.
    pub known_outcomes: Option<KnownOutcomes>,
    /// The requirements of the policies for its present content.
    pub requirements: Requirements,
    /// The people whom the policies allow the acts that rows wait for.
    pub lets: Lets,
}

/// Whether an outcome is known, by service and environment, as far as the store was queried.
pub type KnownOutcomes = BTreeMap<(ServiceKey, EnvironmentKey), bool>;

/// A rejected change that stops another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedElsewhere {
    /// Its key.
    pub key: String,
    /// The requester, who may not overrule its rejection.
    pub requester: PersonId,
    /// Requester, owner and authors: none of them overrules its rejection.
    pub of_interest_to: Vec<PersonId>,
}

type LetsJudge = dyn Fn(&ChangeFile, &Directory, &PersonId, Act, Timestamp) -> bool + Send + Sync;

/// Whether the policies let a person do an act on a change: injected by `acts`. Without this function everybody whom the model
/// finds may act.
#[derive(Clone, Default)]
pub struct Lets(Option<Arc<LetsJudge>>);

impl Lets {
    /// Evaluates the policies by this function.
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
            hands: LinkedAccounts::default(),
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

    /// Whether a person wrote the change or one of its commits. Content of an agent counts as its sponsor's.
    pub fn wrote(&self, person: &PersonId) -> bool {
        let alone = |person: &PersonId| self.change.authors.contains(person) || self.committers.people.contains(person);
        alone(person) || self.hands.has_agent(person, alone)
    }

    /// Whether a person, or an account that counts as the same person, wrote the change or one of its commits. For a change of
    /// high risk or a sensitive one, the issuer of a credential counts as an author of its content.
    pub fn wrote_by_hand(&self, person: &PersonId) -> bool {
        self.is_behind(person) || self.hands.same(person).into_iter().any(|it| self.wrote(it))
    }

    /// Whether a person issued the credential by which a change of high risk or a sensitive one was written.
    pub fn is_behind(&self, person: &PersonId) -> bool {
        let mut handed = self.change.handed_by.iter();
        self.hands.is_grave && handed.any(|hand| self.hands.are_one(hand, person))
    }

    /// Whether an approval in force counts as this person's: their own, one for which they delegated, or, under high risk, one
    /// of an account that counts as theirs.
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

/// The actor of a request and the actor's credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person; the system's own timers and deliveries act as [`Actor::system`].
    pub person: PersonId,
    /// Whether the request came by a token rather than a session.
    pub by_token: bool,
    /// When a fresh factor was last shown in this session.
    pub stepped_up_at: Option<Timestamp>,
    /// The kind of that factor.
    pub factor: Option<Factor>,
    /// Whether this is the system itself.
    pub is_system: bool,
    /// The method of authentication: `token`, `password`, `provider:corp`, and a fresh factor behind a `+`.
    pub method: String,
    /// For a lent credential: its issuer and its limits.
    pub lent: Option<Lent>,
    /// By which session or token, and from which address; absent where nothing is known of it.
    pub via: Option<WayIn>,
}

/// The member of an event's data that holds the actor's credential.
pub const VIA: &str = "via";

/// The credential of an actor.
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

/// Facts of the token in use, or of a session by a password or provider that another person set recently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lent {
    /// The person who made the token, or set the password or the provider.
    pub maker: PersonId,
    /// The person's roles that the credential carries; `None` for all of them.
    pub roles: Option<BTreeSet<Role>>,
    /// The services to which the credential is scoped; `None` for all that its person sees.
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

    /// The person who issued the credential, where that was another person: then two people may be behind one decision.
    pub fn hand(&self) -> Option<&PersonId> {
        let maker = &self.lent.as_ref()?.maker;
        let is_another = *maker != self.person && maker.as_str() != SYSTEM && !maker.as_str().is_empty();
        is_another.then_some(maker)
    }

    /// The person behind a decision: the issuer of the credential, else the actor.
    pub fn speaker(&self) -> &PersonId {
        self.hand().unwrap_or(&self.person)
    }

    /// The roles to which the token is narrowed, if it is.
    pub fn narrowed_to(&self) -> Option<&BTreeSet<Role>> {
        self.lent.as_ref()?.roles.as_ref()
    }

    /// Whether the credential is a pipeline's own token: one that is narrowed to other roles acts for its person.
    pub fn speaks_as_pipeline(&self, directory: &Directory) -> bool {
        let carries = self.narrowed_to().is_none_or(|roles| roles.contains(&Role::Pipeline));
        self.by_token && carries && directory.has_role(&self.person, Role::Pipeline)
    }

    /// Whether a rule's decision may come by this token: a narrowed token acts for its roles alone, and for no group without
    /// one of these roles.
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

    /// Whether the shown factor is enough for a rule's requirement.
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
    /// The data beside the record's difference: codes, keys, ids, numbers; no free text.
    pub data: Map<String, Value>,
}

/// A notification for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// To whom.
    pub to: PersonId,
    /// The topic, such as `asked_to_approve`.
    pub topic: &'static str,
    /// The subject line behind the change's key, where it is more than the topic's usual phrase.
    pub headline: Option<String>,
    /// The one sentence of news.
    pub news: String,
    /// The next step for the reader.
    pub next: String,
    /// The mark by which one matter is sent only once.
    pub dedup: String,
}

/// Owner of the change and change managers: the first recipients of bad news.
pub fn people_in_charge(change: &Change, directory: &Directory) -> Vec<PersonId> {
    let mut people = vec![change.content.owner.clone()];
    for manager in directory.with_role(Role::ChangeManager) {
        if !people.contains(&manager) {
            people.push(manager);
        }
    }
    people
}

/// Evaluates the requirements of the policies for a change: injected by `acts`.
pub type Judge<'a> = dyn Fn(&ChangeFile) -> Requirements + 'a;

/// Evaluates whether the policies allow a person an act on a change: injected by `acts`.
pub type May<'a> = dyn Fn(&ActorFacts, &str, Option<&ChangeFile>) -> Verdict + 'a;

/// The working copy of one act: the changed file, and the events and letters to write.
pub struct Case<'a> {
    /// The file.
    pub file: ChangeFile,
    /// The estate.
    pub directory: Arc<Directory>,
    /// The actor.
    pub actor: Actor,
    /// The time of the act.
    pub now: Timestamp,
    /// Gives new ids.
    pub ids: &'a mut dyn FnMut() -> String,
    /// Evaluates the policies' obligations.
    pub judge: &'a Judge<'a>,
    /// Evaluates the policies' permissions.
    pub may: &'a May<'a>,
    /// Events to write.
    pub events: Vec<EventDraft>,
    /// Letters to send.
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
    pub fn emit(&mut self, kind: &'static str, data: Value) {
        let at = self.now;
        self.emit_at(kind, at, data);
    }

    /// Notes an event that happened at another time than it is recorded.
    pub fn emit_at(&mut self, kind: &'static str, occurred_at: Timestamp, data: Value) {
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

    /// The same under a headline of its own, where the topic's usual phrase would name another person than the recipient.
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

    /// Owner of the change and change managers: the first recipients of bad news.
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
