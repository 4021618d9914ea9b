//! The context of one act: its transaction, its time, its actor, and the events that it owes.

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

/// How many saved changes one verb is followed by at most; more is a circle.
const MOST_FOLLOWING: usize = 100_000;

/// A change that an act saved.
pub struct Saved {
    /// As it stood before; `None` for a new one.
    pub before: Option<ChangeFile>,
    /// As it stands now.
    pub after: ChangeFile,
}

/// What follows from a saved change, in the same transaction.
pub type Effect = fn(&mut Context<'_, '_>, &Saved) -> Result<()>;

/// The context of one act.
pub struct Context<'a, 'c> {
    /// The transaction.
    pub tx: &'a mut Tx<'c>,
    /// The tools and caches of all acts.
    pub services: &'a Services,
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
    has_lacked: bool,
    effects: &'a [Effect],
    /// The changes of which something follows, by their ids.
    queue: BTreeMap<String, Saved>,
    /// How many verbs on changes are under way, one for the sake of another.
    depth: usize,
    /// What the sequencer must know of the act.
    pub(crate) standings: Standings,
    /// The policies in force, once they were asked for.
    pub(crate) policies: Option<Arc<PolicySet>>,
    /// How many entries the log had at least when the transaction began: whatever stands before that is seen by the act.
    pub(crate) log_size: u64,
    /// The key of the change whose grounds an event of the act told last.
    pub(crate) grounded: Option<String>,
    /// Whether the act told that events have grounds from now on.
    pub(crate) begins_grounds: bool,
    /// The digest of the charter of the agent that acts, once it was looked up; none of a person.
    pub(crate) charter: Option<Option<String>>,
    /// The plans near the spans that an act which only reads asked for: a page asks for many changes of the same window.
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
        // The store takes its snapshot with the first statement, so what is known here lies before it.
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

    /// The number of the estate as this transaction sees it: it grows with each write of people, tokens, services,
    /// freezes and templates.
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

    /// The estate at this number, from the latest one at hand and what was written since, or from all of its records.
    fn read_estate(&mut self, generation: i64) -> Result<Arc<Estate>> {
        let at_hand = self.before.clone();
        let at_hand = at_hand.or_else(|| self.services.estate_before(self.tx.tenant(), generation));
        if let Some(earlier) = at_hand
            && let Some(directory) = load_directory::advance(self.tx, &earlier.directory, generation)?
        {
            return Ok(Arc::new(Estate::new(directory)));
        }
        if self.writes {
            // Nothing was at hand and this act keeps nothing, so the next one would load all of it as well.
            self.has_lacked = true;
        }
        Ok(Arc::new(Estate::new(load_directory::load(self.tx, generation)?)))
    }

    /// Reads the estate and keeps it for others. What a writing transaction sees may never be committed, so only readers do
    /// this; one of them at a time, or many who find nothing kept would all hold a whole estate of their own.
    fn keep_estate(&mut self, generation: i64) -> Result<Arc<Estate>> {
        let turn = self.services.reading_turn(self.tx.tenant());
        // Nothing stands behind this lock, so nothing of it is broken after a panic.
        let _mine = turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(estate) = self.services.cached_estate(self.tx.tenant(), generation) {
            return Ok(estate);
        }
        let estate = self.read_estate(generation)?;
        self.services.keep_estate(self.tx.tenant(), &estate);
        Ok(estate)
    }

    /// Notes that a record was written, if it is one of the estate.
    pub(crate) fn note_written(&mut self, table: &str, id: &str) {
        if load_directory::is_held(table) {
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

    /// Whether records of the estate were written of which nobody was told yet.
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

    /// Notes that the act goes by this version of a change.
    fn note_read(&mut self, change: &Change) {
        if self.writes {
            self.standings.note_read(change.id.as_str(), change.version);
        }
    }

    /// Notes that the act goes by a change as it stands.
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

    /// Leaves for the sequencer what it must know of the act; at the act's end.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn tell_standings(&mut self) -> Result<()> {
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

    /// Notes a saved change: what follows from it is done once the verb that saved it is over. Of a change that is saved again
    /// before that, only the first and the last state count.
    pub(crate) fn queue_saved(&mut self, saved: Saved) {
        let id = saved.after.change.id.0.clone();
        match self.queue.entry(id) {
            Entry::Occupied(mut known) => known.get_mut().after = saved.after,
            Entry::Vacant(place) => {
                place.insert(saved);
            }
        }
    }

    /// Does a verb on a change, and what follows from it, unless this verb follows from another one itself.
    ///
    /// # Errors
    /// The verb's own, or those of what follows.
    pub(crate) fn as_verb<T>(&mut self, verb: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        let answer = verb(self);
        self.depth -= 1;
        let answer = answer?;
        self.follow_up()?;
        Ok(answer)
    }

    /// Does what follows from saved changes, until nothing follows any more.
    ///
    /// # Errors
    /// The effects' own; a fault where changes save each other without an end.
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

    /// Does the effects of one saved change. Those from the named places on have not seen earlier saves, so that they compare
    /// with how it stood before the first of these. Gives the place of the next effect where one saved it again.
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
            // An effect saved it again: the rest follows from how it stands now.
            if self.queue.contains_key(id) {
                return Ok(Some(place + 1));
            }
        }
        Ok(None)
    }

    /// Refuses unless the policies allow the acting person this action, which is not about one change.
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

    /// The services to which the acting person or their token is scoped; `None` for who sees everything.
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

    /// The estate as the acting person sees it. What is judged is judged by the whole of it.
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

    /// The names that the acting person does not see; `None` where nothing is hidden from them.
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

    /// Refuses whoever is scoped to services what is about the tenant: they read and ask the gate, and act on their changes.
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

    /// A change by its key (`CHG-1042`, in any case of letters) or by its id. One outside of the acting person's scope is absent;
    /// what follows from an act on another one is not bound by it.
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

    /// Refuses a change that an act by somebody scoped brought outside of their scope.
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

    /// A change by its id, by which the act goes from here on.
    pub(crate) fn load_change(&mut self, id: &str) -> Result<Option<Change>> {
        let found = record::load::<Change>(self.tx, id)?.map(|stored| stored.record);
        if let Some(change) = &found {
            self.note_read(change);
        }
        Ok(found)
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
}
