//! The room of one act: its transaction, its time, who acts, and what it has to tell.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use model::act::Act;
use model::change::Change;
use model::directory::Directory;
use model::facts::ActorFacts;
use model::file::{Actor, Case, ChangeFile, Lent, Linked, RejectedElsewhere};
use model::ids::{ChangeId, PersonId};
use model::obligation::{Requirements, Verdict};
use model::permission::{actor_facts, allowed, change_facts, person_facts, target_facts};
use model::records::{Approval, ChangeTask, ChecklistItem, Condition, Evidence, Link, PeerReview, Permit};
use model::refusal::{PolicyReason, Refusal};
use model::words::LinkKind;
use policy::PolicySet;
use store::changes::TargetRow;
use store::record::{self, Filter, Record};
use store::{Tx, counter, estate_write};

use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::keep_facts::Allowed;
use crate::known::Estate;
use crate::standing::Standings;

/// One act's room.
pub struct Room<'a, 'c> {
    /// The transaction.
    pub tx: &'a mut Tx<'c>,
    /// The desk.
    pub desk: &'a Desk,
    /// Who acts.
    pub actor: Actor,
    /// When it occurs.
    pub now: Timestamp,
    /// When it is recorded.
    pub recorded_at: Timestamp,
    /// The id that joins the act's events.
    pub act: String,
    /// Whether the transaction writes.
    pub writes: bool,
    generation: Option<i64>,
    estate: Option<Arc<Estate>>,
    /// The estate as this act saw it before it last wrote it.
    before: Option<Arc<Estate>>,
    /// Records of the estate that were written since it was last said that it was.
    written: BTreeSet<estate_write::Written>,
    has_touched: bool,
    /// What the sequencer must know of the act.
    pub(crate) standings: Standings,
    /// The policies in force, once they were asked for.
    pub(crate) policies: Option<Arc<PolicySet>>,
}

impl<'a, 'c> Room<'a, 'c> {
    pub(crate) fn new(
        tx: &'a mut Tx<'c>,
        desk: &'a Desk,
        actor: Actor,
        now: Timestamp,
        recorded_at: Timestamp,
        act: String,
        writes: bool,
    ) -> Self {
        Self {
            tx,
            desk,
            actor,
            now,
            recorded_at,
            act,
            writes,
            generation: None,
            estate: None,
            before: None,
            written: BTreeSet::new(),
            has_touched: false,
            standings: Standings::default(),
            policies: None,
        }
    }

    /// The tenant's key.
    pub fn tenant(&self) -> String {
        self.tx.tenant().to_owned()
    }

    /// A new id.
    ///
    /// # Errors
    /// A fault when there is no randomness.
    pub fn new_id(&self) -> Result<String> {
        self.desk.new_id(self.recorded_at)
    }

    /// The number of the estate as this transaction sees it: it grows with each write of people, tokens, services,
    /// freezes and templates.
    ///
    /// # Errors
    /// The store's.
    pub fn generation(&mut self) -> Result<i64> {
        if let Some(generation) = self.generation {
            return Ok(generation);
        }
        let (moment, kept) = (self.tx.moment(), self.desk.moments());
        let known = moment.and_then(|moment| kept.generation(moment, self.tx.tenant()));
        let generation = match known {
            Some(generation) => generation,
            None => counter::get(self.tx, counter::DIRECTORY)?,
        };
        if let (Some(moment), None) = (moment, known) {
            kept.keep_generation(moment, self.tx.tenant(), generation);
        }
        self.generation = Some(generation);
        Ok(generation)
    }

    /// The estate as this transaction sees it.
    ///
    /// # Errors
    /// The store's.
    pub fn directory(&mut self) -> Result<Arc<Directory>> {
        Ok(self.estate()?.directory.clone())
    }

    fn estate(&mut self) -> Result<Arc<Estate>> {
        if let Some(estate) = &self.estate {
            return Ok(estate.clone());
        }
        let generation = self.generation()?;
        let estate = match self.desk.cached_estate(self.tx.tenant(), generation) {
            Some(estate) => estate,
            None if self.writes => self.read_estate(generation)?,
            None => self.keep_estate(generation)?,
        };
        self.estate = Some(estate.clone());
        Ok(estate)
    }

    /// The estate at this number, from the latest one at hand and what was written since, or from all of its records.
    fn read_estate(&mut self, generation: i64) -> Result<Arc<Estate>> {
        let at_hand = self.before.clone();
        let at_hand = at_hand.or_else(|| self.desk.estate_before(self.tx.tenant(), generation));
        if let Some(earlier) = at_hand
            && let Some(directory) = crate::estate::advance(self.tx, &earlier.directory, generation)?
        {
            return Ok(Arc::new(Estate::new(directory)));
        }
        if self.writes {
            // Nothing was at hand and this act keeps nothing, so the next one would load all of it as well.
            self.desk.warm(self.tx.tenant());
        }
        Ok(Arc::new(Estate::new(crate::estate::load(self.tx, generation)?)))
    }

    /// Reads the estate and keeps it for others. What a writing transaction sees may never be committed, so only readers do
    /// this; one of them at a time, or many who find nothing kept would all hold a whole estate of their own.
    fn keep_estate(&mut self, generation: i64) -> Result<Arc<Estate>> {
        let turn = self.desk.reading_turn(self.tx.tenant());
        // Nothing stands behind this lock, so nothing of it is broken after a panic.
        let _mine = turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(estate) = self.desk.cached_estate(self.tx.tenant(), generation) {
            return Ok(estate);
        }
        let estate = self.read_estate(generation)?;
        self.desk.keep_estate(self.tx.tenant(), &estate);
        Ok(estate)
    }

    /// Notes that a record was written, if it is one of the estate.
    pub(crate) fn note_written(&mut self, table: &str, id: &str) {
        if crate::estate::is_held(table) {
            self.written.insert((table.to_owned(), id.to_owned()));
        }
    }

    /// Says that the estate was written: what was written of it is read anew from here on.
    ///
    /// # Errors
    /// The store's.
    pub fn touch_directory(&mut self) -> Result<()> {
        let generation = counter::next(self.tx, counter::DIRECTORY)?;
        estate_write::insert(self.tx, generation, &std::mem::take(&mut self.written))?;
        self.generation = None;
        self.before = self.estate.take().or_else(|| self.before.take());
        self.has_touched = true;
        self.policies = None;
        Ok(())
    }

    /// Says so at the end of an act that wrote a record of the estate and said nothing yet: nobody may go on with what
    /// stood there before.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn tell_written(&mut self) -> Result<()> {
        if self.written.is_empty() {
            return Ok(());
        }
        self.touch_directory()
    }

    /// Whether the act goes by the estate as it stands.
    pub(crate) fn has_read_generation(&self) -> bool {
        self.generation.is_some()
    }

    /// Whether the estate was written here.
    pub(crate) fn has_touched_directory(&self) -> bool {
        self.has_touched
    }

    /// Refuses unless the policies allow the acting person this action, which is not about one change.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`].
    pub fn allow(&mut self, action: &str) -> Result<()> {
        if self.actor.is_system {
            return Ok(());
        }
        let estate = self.estate()?;
        let policies = self.policies()?;
        let ask = || {
            let facts = actor_facts(&self.actor, &estate.directory, Vec::new(), self.now);
            policies.may(&facts, action, None)
        };
        let verdict = estate.verdict(policies.digest(), (&self.actor, self.now), action, ask);
        let named = |refusal: Refusal| {
            let here = (&*estate.directory, self.now);
            refusal.with_others(crate::who_could::whom_rules_let_here(
                action,
                &policies,
                here,
                &self.actor.person,
            ))
        };
        allowed(verdict, action).map_err(named)?;
        if let Some(roles) = self.actor.narrowed_to() {
            let facts = actor_facts(&self.actor, &estate.directory, Vec::new(), self.now).narrowed(roles);
            allowed(policies.may(&facts, action, None), action)?;
        }
        Ok(())
    }

    /// A change by its key (`CHG-1042`, in any case of letters) or by its id.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], or the store's.
    pub fn change(&mut self, key: &str) -> Result<Change> {
        let wanted = key.to_uppercase();
        let id = store::changes::id_of_key(self.tx, &wanted)?.unwrap_or_else(|| key.to_owned());
        self.load_change(&id)?
            .ok_or_else(|| Refusal::not_found(format!("change {key}")).into())
    }

    /// A change by its id, by which the act goes from here on.
    fn load_change(&mut self, id: &str) -> Result<Option<Change>> {
        let found = record::load::<Change>(self.tx, id)?.map(|stored| stored.record);
        if let Some(change) = &found {
            self.note_read(change);
        }
        Ok(found)
    }

    /// What hangs on changes, by the id of the change; what hangs on all of them is read at once.
    fn around<R: Record>(
        &mut self,
        column: &str,
        ids: &[String],
        of: fn(&R) -> &ChangeId,
    ) -> Result<HashMap<String, Vec<R>>> {
        let filter = match ids {
            [only] => Filter::new().equals(column, only.as_str()),
            _ => Filter::new().one_of(column, ids.iter().map(String::as_str)),
        };
        let mut found: HashMap<String, Vec<R>> = HashMap::new();
        for stored in record::find::<R>(self.tx, &filter.order_by("id"))? {
            let change = of(&stored.record).0.clone();
            found.entry(change).or_default().push(stored.record);
        }
        Ok(found)
    }

    /// The whole file of a change, judged by the policies as it stands.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], or the store's.
    pub fn file(&mut self, key: &str) -> Result<ChangeFile> {
        let change = self.change(key)?;
        let files = self.files(vec![change])?;
        let file = files.into_iter().next();
        file.ok_or_else(|| Error::Fault(format!("the file of {key} was not made")))
    }

    /// The whole files of changes, in their order, each judged by the policies as it stands.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn files(&mut self, changes: Vec<Change>) -> Result<Vec<ChangeFile>> {
        let ids: Vec<String> = changes.iter().map(|change| change.id.0.clone()).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut approvals = self.around("change_id", &ids, |it: &Approval| &it.change)?;
        let mut conditions = self.around("change_id", &ids, |it: &Condition| &it.change)?;
        let mut peer_reviews = self.around("change_id", &ids, |it: &PeerReview| &it.change)?;
        let mut evidence = self.around("change_id", &ids, |it: &Evidence| &it.change)?;
        let mut tasks = self.around("change_id", &ids, |it: &ChangeTask| &it.change)?;
        let mut checklist = self.around("change_id", &ids, |it: &ChecklistItem| &it.change)?;
        let mut permits = self.around("change_id", &ids, |it: &Permit| &it.change)?;
        let mut links = self.around("from_change", &ids, |it: &Link| &it.change)?;
        let mut files = Vec::with_capacity(changes.len());
        for (change, id) in changes.into_iter().zip(&ids) {
            let mut file = ChangeFile::new(change);
            file.approvals = approvals.remove(id).unwrap_or_default();
            file.conditions = conditions.remove(id).unwrap_or_default();
            file.peer_reviews = peer_reviews.remove(id).unwrap_or_default();
            file.evidence = evidence.remove(id).unwrap_or_default();
            file.tasks = tasks.remove(id).unwrap_or_default();
            file.checklist = checklist.remove(id).unwrap_or_default();
            file.permits = permits.remove(id).unwrap_or_default();
            file.links = links.remove(id).unwrap_or_default();
            file.links.retain(|link| link.removed_at.is_none());
            files.push(self.judged(file)?);
        }
        Ok(files)
    }

    /// A file with what other changes and pushes say of it, judged.
    fn judged(&mut self, mut file: ChangeFile) -> Result<ChangeFile> {
        file.depends_on = self.depends_on(&file)?;
        file.rejected_elsewhere = self.rejected_elsewhere(&file.change)?;
        file.committers = crate::committers::of_change(self, &file.change)?;
        let directory = self.directory()?;
        file.meetings = directory.meetings_about(&file);
        file.requirements = judge(self.policies()?.as_ref(), &self.tenant(), (&directory, self.now), &file);
        Ok(file)
    }

    fn depends_on(&mut self, file: &ChangeFile) -> Result<Vec<Linked>> {
        let mut found = Vec::new();
        for link in file.links.iter().filter(|link| link.kind == LinkKind::DependsOn) {
            let Some(id) = &link.to_change else { continue };
            if let Some(other) = self.load_change(id.as_str())? {
                found.push(Linked {
                    key: other.key,
                    state: other.state,
                    owner: Some(other.content.owner),
                });
            }
        }
        Ok(found)
    }

    /// Another change for the same artifact, service and environment that was rejected and not overruled.
    pub(crate) fn rejected_elsewhere(&mut self, change: &Change) -> Result<Option<RejectedElsewhere>> {
        for target in &change.content.targets {
            let Some(artifact) = &target.artifact else { continue };
            let rows = store::changes::targets_for(
                self.tx,
                target.service.as_str(),
                target.environment.as_str(),
                Some(artifact),
                None,
            )?;
            // What another one would go back to is not what was rejected.
            let is_another = |row: &TargetRow| row.change_id != change.id.0 && row.artifact.as_ref() == Some(artifact);
            for row in rows.into_iter().filter(is_another) {
                let Some(other) = self.load_change(&row.change_id)? else {
                    continue;
                };
                if crate::settle_others::stops_others(&other) {
                    return Ok(Some(RejectedElsewhere {
                        key: other.key,
                        requester: other.requester,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// Does a verb on a change and saves what became of it.
    ///
    /// # Errors
    /// The verb's refusal, or the store's.
    pub fn on_change<T>(
        &mut self,
        key: &str,
        verb: impl FnOnce(&mut Case<'_>) -> std::result::Result<T, Refusal>,
    ) -> Result<T> {
        let before = self.file(key)?;
        self.on_file(Some(before.clone()), before, verb)
    }

    /// Does a verb on a file in hand; `before` is what stands in the store.
    ///
    /// # Errors
    /// The verb's refusal, or the store's.
    pub fn on_file<T>(
        &mut self,
        before: Option<ChangeFile>,
        file: ChangeFile,
        verb: impl FnOnce(&mut Case<'_>) -> std::result::Result<T, Refusal>,
    ) -> Result<T> {
        let directory = self.directory()?;
        let tenant = self.tenant();
        let desk = self.desk;
        let recorded_at = self.recorded_at;
        let now = self.now;
        let mut trouble: Option<Error> = None;
        let mut ids = || match desk.new_id(recorded_at) {
            Ok(id) => id,
            Err(error) => {
                trouble = Some(error);
                String::new()
            }
        };
        let policies = self.policies()?;
        let judge_it = |file: &ChangeFile| judge(&policies, &tenant, (&directory, now), file);
        let lent = self.actor.lent.clone();
        let yes: RefCell<Vec<Allowed>> = RefCell::default();
        let may_it = |facts: &ActorFacts, act: &str, file: Option<&ChangeFile>| {
            let verdict = may(&policies, &tenant, (&directory, now), (facts, lent.as_ref()), act, file);
            yes.borrow_mut()
                .extend(verdict.allowed.then(|| Allowed::new(act, facts)));
            verdict
        };
        let mut case = Case {
            file,
            directory: directory.clone(),
            actor: self.actor.clone(),
            now: self.now,
            ids: &mut ids,
            judge: &judge_it,
            may: &may_it,
            events: Vec::new(),
            letters: Vec::new(),
            revoked: Vec::new(),
        };
        let answer = match verb(&mut case) {
            Ok(answer) => answer,
            Err(refusal) => {
                let (rules, world) = ((&*policies, tenant.as_str()), (&*directory, now));
                let about = (&case.file, &case.actor.person);
                return Err(crate::who_could::with_names(refusal, rules, world, about).into());
            }
        };
        model::watching::tell_watchers(&mut case);
        let next_due = model::due::next_due(&case);
        let done = crate::save::Done {
            file: case.file,
            events: case.events,
            letters: case.letters,
            revoked: case.revoked,
            next_due,
            allowed: yes.take(),
        };
        if let Some(error) = trouble {
            return Err(error);
        }
        crate::save::file(self, before.as_ref(), done)?;
        Ok(answer)
    }

    /// Does a verb on a change and forgets what became of it: whether it would be refused.
    ///
    /// # Errors
    /// The verb's refusal, or the store's.
    pub fn try_on_change<T>(
        &mut self,
        key: &str,
        verb: impl FnOnce(&mut Case<'_>) -> std::result::Result<T, Refusal>,
    ) -> Result<T> {
        let file = self.file(key)?;
        let (directory, policies, tenant) = (self.directory()?, self.policies()?, self.tenant());
        let now = self.now;
        let judge_it = |file: &ChangeFile| judge(&policies, &tenant, (&directory, now), file);
        let lent = self.actor.lent.clone();
        let may_it = |facts: &ActorFacts, act: &str, file: Option<&ChangeFile>| {
            may(&policies, &tenant, (&directory, now), (facts, lent.as_ref()), act, file)
        };
        let mut case = Case {
            file,
            directory: directory.clone(),
            actor: self.actor.clone(),
            now: self.now,
            // Nothing is saved, so nothing needs a name.
            ids: &mut String::new,
            judge: &judge_it,
            may: &may_it,
            events: Vec::new(),
            letters: Vec::new(),
            revoked: Vec::new(),
        };
        Ok(verb(&mut case)?)
    }

    /// Does a part of an act as the system: what a delivery says is judged by nobody's rights.
    ///
    /// # Errors
    /// The part's own.
    pub fn as_system<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let person = std::mem::replace(&mut self.actor, Actor::system());
        let done = part(self);
        self.actor = person;
        done
    }

    /// What is unmet ahead of a change.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], or the store's.
    pub fn ahead(&mut self, key: &str) -> Result<Vec<model::awaited::Ahead>> {
        let file = self.file(key)?;
        let directory = self.directory()?;
        Ok(model::awaited::ahead(&file, &directory, self.now))
    }
}

/// Of how many who are asked it is looked at whether a rule forbids their word. Where more are, somebody will be let.
const MOST_ASKED: usize = 100;

/// Asks the policies what a change requires, and of those whom it asks then, whom they would refuse. Whatever they say, what
/// would go out by one person's word, or with high risk and no peer, goes nowhere.
pub fn judge(
    policies: &PolicySet,
    tenant: &str,
    (directory, now): (&Directory, Timestamp),
    file: &ChangeFile,
) -> Requirements {
    let requirements = judge_by_rules(policies, tenant, (directory, now), file);
    let (change, targets) = (change_facts(file, tenant), target_facts(file, directory, now));
    crate::never_without::stopped(&change, &targets, requirements)
}

/// The same by the rules alone: what they leave out is found by whoever searches them.
pub(crate) fn judge_by_rules(
    policies: &PolicySet,
    tenant: &str,
    (directory, now): (&Directory, Timestamp),
    file: &ChangeFile,
) -> Requirements {
    let (change, targets) = (change_facts(file, tenant), target_facts(file, directory, now));
    let requirements = policies.require(&change, &targets);
    let forbids = policies.forbids(Act::Approve.as_str());
    // What the base forbids of decisions is about pipelines, whom no rule asks.
    if forbids.iter().all(|id| id.starts_with("base.")) || !file.change.state.is_before_start() {
        return requirements;
    }
    let mut asked = file.clone();
    asked.requirements = requirements.clone();
    let is_refused = |person: &PersonId| {
        let facts = person_facts(&asked, directory, person, now);
        let verdict = policies.may(&facts, Act::Approve.as_str(), Some((&change, &targets)));
        let by_forbid = |row: &PolicyReason| forbids.contains(&row.id.as_str());
        !verdict.allowed && verdict.reasons.iter().any(by_forbid)
    };
    let refused = model::authority::all_able(&asked, directory, now);
    Requirements {
        refused: refused.into_iter().take(MOST_ASKED).filter(is_refused).collect(),
        ..requirements
    }
}

fn may(
    policies: &PolicySet,
    tenant: &str,
    (directory, now): (&Directory, Timestamp),
    (facts, lent): (&ActorFacts, Option<&Lent>),
    act: &str,
    file: Option<&ChangeFile>,
) -> Verdict {
    let known = file.map(|file| (change_facts(file, tenant), target_facts(file, directory, now)));
    let about = known.as_ref().map(|(change, targets)| (change, targets.as_slice()));
    let verdict = policies.may(facts, act, about);
    // What a narrowed token may, its person may as well: it takes away and never gives.
    match lent.and_then(|lent| lent.roles.as_ref()).filter(|_| verdict.allowed) {
        Some(roles) => policies.may(&facts.narrowed(roles), act, about),
        None => verdict,
    }
}
