//! The context of one act: its transaction, its time, its actor, and the events to record.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use model::change::change_file::{Actor, ChangeFile};
use model::change::record::Change;
use model::core::act::{Act, actions};
use model::core::refusal::Refusal;
use model::directory::agent_rules;
use model::directory::outside_names::OutsideNames;
use model::directory::scope::{self, Scope};
use model::directory::snapshot::Directory;
use model::policy::permission::{actor_facts, allowed};
use model::schedule::conflicts::Planned;
use policy::PolicySet;
use store::audit::act_order;
use store::change::changes;
use store::directory::estate_write;
use store::{Tx, counter, record};

use crate::core::directory_cache::Estate;
use crate::core::eligible_people::whom_rules_let_here;
use crate::core::error::{Error, Result};
use crate::core::load_directory;
use crate::core::read_set::{Standings, of_estate};
use crate::core::services::Services;

/// The most saved changes that may follow from one verb; more indicates a cycle.
const MOST_FOLLOWING: usize = 100_000;

/// A change that an act saved.
pub struct Saved {
    /// The file before the act; `None` for a new change.
    pub before: Option<ChangeFile>,
    /// The file after the act.
    pub after: ChangeFile,
}

/// An effect of a saved change, in the same transaction.
pub type Effect = fn(&mut Context<'_, '_>, &Saved) -> Result<()>;

/// The context of one act.
pub struct Context<'a, 'c> {
    /// The transaction.
    pub tx: &'a mut Tx<'c>,
    /// The tools and caches of all acts.
    pub services: &'a Services,
    /// The actor.
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
    /// The estate that this act saw before its own last write of it.
    before: Option<Arc<Estate>>,
    /// Records of the estate that were written since the last notice of an estate write.
    written: BTreeSet<estate_write::Written>,
    has_touched: bool,
    has_lacked: bool,
    effects: &'a [Effect],
    /// The changes with pending effects, by their ids.
    queue: BTreeMap<String, Saved>,
    saves: usize,
    /// The depth of nested verbs on changes.
    depth: usize,
    /// The act's read set, for the sequencer.
    pub(crate) standings: Standings,
    /// The policies in force, once they were looked up.
    pub(crate) policies: Option<Arc<PolicySet>>,
    /// The least number of entries in the log when the transaction began: the act sees every entry before that.
    pub(crate) log_size: u64,
    /// The key of the last change whose grounds an event recorded in this act.
    pub(crate) grounded: Option<String>,
    /// Whether the act recorded the event from which on events have grounds.
    pub(crate) begins_grounds: bool,
    /// The digest of the acting agent's charter, once it was looked up; none for a person.
    pub(crate) charter: Option<Option<String>>,
    /// The plans near the spans that a read-only act requested: a page needs many changes of the same window.
    pub(crate) near: BTreeMap<(Timestamp, Timestamp), Arc<Vec<Planned>>>,
}

impl<'a, 'c> Context<'a, 'c> {
    pub(crate) fn new(
        tx: &'a mut Tx<'c>,
        (services, effects): (&'a Services, &'a [Effect]),
        actor: Actor,
        (now, recorded_at): (Timestamp, Timestamp),
        act: String,
        writes: bool,
    ) -> Self {
        // The store takes its snapshot with the first statement, so the size known here is not larger than the
        // snapshot's.
        let known = services.tools().seen_logs.seen(tx.tenant());
        Self {
            log_size: known.map_or(0, |log| log.size),
            grounded: None,
            begins_grounds: false,
            charter: None,
            near: BTreeMap::new(),
            tx,
            services,
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
            has_lacked: false,
            effects,
            queue: BTreeMap::new(),
            saves: 0,
            depth: 0,
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
        self.services.new_id(self.recorded_at)
    }

    /// The number of the estate in this transaction: it grows with each write of people, tokens, services, freezes and
    /// templates.
    ///
    /// # Errors
    /// The store's.
    pub fn generation(&mut self) -> Result<i64> {
        if let Some(generation) = self.generation {
            return Ok(generation);
        }
        let (moment, kept) = (self.tx.moment(), self.services.gate_read_cache());
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
        let directory = self.estate()?.directory.clone();
        let ends_by = self.services.ends_by(self.now);
        if ends_by == self.now {
            return Ok(directory);
        }
        Ok(Arc::new(directory.without_ended(self.now, ends_by)))
    }

    fn estate(&mut self) -> Result<Arc<Estate>> {
        if let Some(estate) = &self.estate {
            return Ok(estate.clone());
        }
        let generation = self.generation()?;
        let estate = match self.services.cached_estate(self.tx.tenant(), generation) {
            Some(estate) => estate,
            None if self.writes => self.read_estate(generation)?,
            None => self.keep_estate(generation)?,
        };
        self.estate = Some(estate.clone());
        Ok(estate)
    }

    /// Returns the estate at this number. It is built from the latest cached estate and later writes, or from all its
    /// records.
    fn read_estate(&mut self, generation: i64) -> Result<Arc<Estate>> {
        let at_hand = self.before.clone();
        let at_hand = at_hand.or_else(|| self.services.estate_before(self.tx.tenant(), generation));
        if let Some(earlier) = at_hand
            && let Some(directory) = load_directory::advance(self.tx, &earlier.directory, generation)?
        {
            return Ok(Arc::new(Estate::new(directory)));
        }
        if self.writes {
            // The cache is empty and this act fills no cache, so the next act would load the whole estate as well.
            self.has_lacked = true;
        }
        Ok(Arc::new(Estate::new(load_directory::load(self.tx, generation)?)))
    }

    /// Reads the estate into the cache. Only readers do this, because a writing transaction may see data that is never
    /// committed. One reader at a time loads it: many at once would each hold a whole estate in memory.
    fn keep_estate(&mut self, generation: i64) -> Result<Arc<Estate>> {
        let turn = self.services.reading_turn(self.tx.tenant());
        // The lock guards no data, so a panic leaves nothing broken.
        let _mine = turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(estate) = self.services.cached_estate(self.tx.tenant(), generation) {
            return Ok(estate);
        }
        let estate = self.read_estate(generation)?;
        self.services.keep_estate(self.tx.tenant(), &estate);
        Ok(estate)
    }

    /// Notes the write of a record that belongs to the estate.
    pub(crate) fn note_written(&mut self, table: &str, id: &str) {
        if load_directory::is_held(table) {
            self.written.insert((table.to_owned(), id.to_owned()));
        }
    }

    /// Records that the estate was written: later reads load the written records anew.
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

    /// Records this at the end of an act that wrote a record of the estate without a notice: no reader may continue
    /// with the old record.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn emit_written(&mut self) -> Result<()> {
        if self.written.is_empty() {
            return Ok(());
        }
        self.touch_directory()
    }

    /// Whether records of the estate were written without a notice so far.
    pub(crate) fn has_untold(&self) -> bool {
        !self.written.is_empty()
    }

    /// Whether the estate was written here.
    pub(crate) fn has_touched_directory(&self) -> bool {
        self.has_touched
    }

    /// Whether the act had to read the whole estate for itself alone.
    pub(crate) fn has_lacked_estate(&self) -> bool {
        self.has_lacked
    }

    /// Notes that the act relies on this version of a change.
    pub(crate) fn note_read(&mut self, change: &Change) {
        if self.writes {
            self.standings.note_read(change.id.as_str(), change.version);
        }
    }

    /// Notes that the act relies on the current version of a change.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn note_read_of(&mut self, change: &str) -> Result<()> {
        if !self.writes || self.standings.has_noted(change) {
            return Ok(());
        }
        if let Some(version) = record::version::<Change>(self.tx, change)? {
            self.standings.note_read(change, version);
        }
        Ok(())
    }

    /// Passes the act's read set to the sequencer, at the end of the act.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn emit_standings(&mut self) -> Result<()> {
        let Some((event, changes)) = std::mem::take(&mut self.standings).of_changes() else {
            return Ok(());
        };
        let mut standings = changes;
        if self.has_touched || self.generation.is_some() {
            let generation = self.generation()?;
            standings.push(of_estate(generation, self.has_touched));
        }
        for standing in standings {
            act_order::insert(self.tx, &event, &standing)?;
        }
        Ok(())
    }

    /// Notes a saved change: its effects run once the verb that saved it is over. If the change is saved again before
    /// that, only the first and the last state count.
    pub(crate) fn queue_saved(&mut self, saved: Saved) {
        self.saves += 1;
        let id = saved.after.change.id.0.clone();
        match self.queue.entry(id) {
            Entry::Occupied(mut known) => known.get_mut().after = saved.after,
            Entry::Vacant(place) => {
                place.insert(saved);
            }
        }
    }

    /// How many files of changes the act saved.
    pub(crate) fn saves(&self) -> usize {
        self.saves
    }

    /// Runs a verb on a change and then its effects, unless this verb is itself an effect of another one.
    ///
    /// # Errors
    /// The verb's own, or those of its effects.
    pub(crate) fn as_verb<T>(&mut self, verb: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        let answer = verb(self);
        self.depth -= 1;
        let answer = answer?;
        self.follow_up()?;
        Ok(answer)
    }

    /// Runs the effects of saved changes until none is left.
    ///
    /// # Errors
    /// The effects' own; a fault if changes save each other without end.
    pub(crate) fn follow_up(&mut self) -> Result<()> {
        if self.depth > 0 {
            return Ok(());
        }
        self.depth += 1;
        let done = self.drain();
        self.depth -= 1;
        done
    }

    fn drain(&mut self) -> Result<()> {
        let mut owed: BTreeMap<String, Vec<(usize, Option<ChangeFile>)>> = BTreeMap::new();
        for _ in 0..MOST_FOLLOWING {
            let Some((id, saved)) = self.queue.pop_first() else {
                return Ok(());
            };
            let earlier = owed.remove(&id).unwrap_or_default();
            if let Some(next) = self.follow_one(&id, &saved, &earlier)? {
                let rest = earlier.into_iter().map(|(from, before)| (from.max(next), before));
                owed.insert(id, rest.chain([(next, saved.before)]).collect());
            }
        }
        Err(Error::Fault(format!(
            "more than {MOST_FOLLOWING} changes were saved for the sake of one"
        )))
    }

    /// Runs the effects of one saved change. Effects from the named places on have not seen earlier saves, so they
    /// compare with the file before the first of these saves. Returns the place of the next effect if an effect saved
    /// the change again.
    fn follow_one(
        &mut self,
        id: &str,
        saved: &Saved,
        earlier: &[(usize, Option<ChangeFile>)],
    ) -> Result<Option<usize>> {
        let effects = self.effects;
        for (place, effect) in effects.iter().enumerate() {
            match earlier.iter().find(|(from, _)| *from <= place) {
                Some((_, before)) => {
                    let whole = Saved {
                        before: before.clone(),
                        after: saved.after.clone(),
                    };
                    effect(self, &whole)?;
                }
                None => effect(self, saved)?,
            }
            // An effect saved the change again: the remaining effects start from its new state.
            if self.queue.contains_key(id) {
                return Ok(Some(place + 1));
            }
        }
        Ok(None)
    }

    /// Refuses an action on the tenant that the policies do not allow the acting person.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`].
    pub fn allow(&mut self, action: &str) -> Result<()> {
        if self.actor.is_system {
            return Ok(());
        }
        self.check_scope(action)?;
        let estate = self.estate()?;
        let policies = self.policies()?;
        let ask = || {
            let facts = actor_facts(&self.actor, &estate.directory, Vec::new(), self.now);
            policies.may(&facts, action, None)
        };
        let verdict = estate.verdict(policies.digest(), (&self.actor, self.now), action, ask);
        let named = |refusal: Refusal| {
            let here = (&*estate.directory, self.now);
            refusal.with_others(whom_rules_let_here(action, &policies, here, &self.actor.person))
        };
        allowed(verdict, action).map_err(named)?;
        if let Some(roles) = self.actor.narrowed_to() {
            let facts = actor_facts(&self.actor, &estate.directory, Vec::new(), self.now).narrowed(roles);
            allowed(policies.may(&facts, action, None), action)?;
        }
        Ok(())
    }

    /// The services to which the acting person or their token is scoped; `None` for an actor without a scope.
    ///
    /// # Errors
    /// The store's.
    pub fn scope(&mut self) -> Result<Option<Scope>> {
        if self.actor.is_system {
            return Ok(None);
        }
        let now = self.now;
        Ok(Scope::of(&self.estate()?.directory, &self.actor, now))
    }

    /// The estate as visible to the acting person. Decisions always use the whole estate.
    ///
    /// # Errors
    /// The store's.
    pub fn visible(&mut self) -> Result<Arc<Directory>> {
        let directory = self.directory()?;
        Ok(match self.scope()? {
            Some(scope) => Arc::new(scope.narrow(&directory)),
            None => directory,
        })
    }

    /// The names that are hidden from the acting person; `None` if nothing is hidden.
    ///
    /// # Errors
    /// The store's.
    pub fn outside_names(&mut self) -> Result<Option<OutsideNames>> {
        let Some(scope) = self.scope()? else { return Ok(None) };
        Ok(Some(OutsideNames::of(&*self.directory()?, &scope)))
    }

    /// Whether the acting person sees a change, by its key. A change that does not exist is not seen.
    ///
    /// # Errors
    /// The store's.
    pub fn sees_key(&mut self, key: &str) -> Result<bool> {
        let id = changes::id_of_key(self.tx, key)?.unwrap_or_default();
        self.sees(&id)
    }

    /// Refuses actions on the tenant to an actor who is scoped to services. Such an actor may read, query the gate and
    /// act on changes in scope.
    fn check_scope(&mut self, action: &str) -> Result<()> {
        let now = self.now;
        agent_rules::check_action(&self.estate()?.directory, &self.actor, action, now)?;
        if action != actions::READ && self.scope()?.is_some_and(|scope| scope.is_bound()) {
            return Err(scope::read_only().into());
        }
        if matches!(action, actions::READ | actions::ASK_GATE)
            || action == Act::Create.as_str()
            || self.scope()?.is_none()
        {
            return Ok(());
        }
        Err(scope::refusal().into())
    }

    /// A change by its key (`CHG-1042`, in any case of letters) or by its id. A change outside of the acting person's
    /// scope is absent; the scope does not limit the effects of an act.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], or the store's.
    pub fn change(&mut self, key: &str) -> Result<Change> {
        let wanted = key.to_uppercase();
        let id = changes::id_of_key(self.tx, &wanted)?.unwrap_or_else(|| key.to_owned());
        let found = self.load_change(&id)?;
        let scope = if self.depth == 0 { self.scope()? } else { None };
        let seen = found.filter(|change| scope.is_none_or(|scope| scope.sees(change)));
        seen.ok_or_else(|| Refusal::not_found(format!("change {key}")).into())
    }

    /// Whether the acting person sees a change, by its id.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn sees(&mut self, id: &str) -> Result<bool> {
        let Some(scope) = self.scope()? else { return Ok(true) };
        Ok(self.load_change(id)?.is_some_and(|change| scope.sees(&change)))
    }

    /// Refuses a change that an actor with a scope moved out of that scope.
    ///
    /// # Errors
    /// [`Refusal::Invalid`], or the store's.
    pub(crate) fn check_stays_inside(&mut self, change: &Change) -> Result<()> {
        let scope = if self.depth > 1 { None } else { self.scope()? };
        if self.depth <= 1 {
            agent_rules::check_left(&self.estate()?.directory, &self.actor, change)?;
        }
        let outside = |scope: &Scope| {
            let mut targets = change.content.targets.iter();
            targets
                .find(|target| !scope.has(target.service.as_str()))
                .map(|target| target.service.clone())
        };
        match scope.as_ref().and_then(outside) {
            Some(service) => {
                let text = format!("There is no service `{service}`.");
                Err(Refusal::field("targets", "unknown", text).into())
            }
            None => Ok(()),
        }
    }

    /// A change by its id; the act relies on this version from here on.
    pub(crate) fn load_change(&mut self, id: &str) -> Result<Option<Change>> {
        let found = record::load::<Change>(self.tx, id)?.map(|stored| stored.record);
        if let Some(change) = &found {
            self.note_read(change);
        }
        Ok(found)
    }

    /// Runs a part of an act as the system: the content of a delivery is subject to no person's rights.
    ///
    /// # Errors
    /// The part's own.
    pub fn as_system<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let person = std::mem::replace(&mut self.actor, Actor::system());
        let done = part(self);
        self.actor = person;
        done
    }
}
