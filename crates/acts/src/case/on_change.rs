//! Runs a verb of the model on a change, and saves the result.

use std::cell::RefCell;

use model::change::change_file::{Case, ChangeFile};
use model::change::{settle, timers};
use model::core::refusal::Refusal;
use model::directory::scope;
use model::notify::watching;
use model::policy::facts::ActorFacts;

use crate::case::judge::{judge, may};
use crate::core::context::Context;
use crate::core::decision_facts::Allowed;
use crate::core::eligible_people::with_names;
use crate::core::error::{Error, Result};
use crate::core::save::{Done, save_file};

impl Context<'_, '_> {
    /// Runs a verb on a change and saves the result.
    ///
    /// # Errors
    /// The verb's refusal, or the store's.
    pub fn on_change<T>(
        &mut self,
        key: &str,
        verb: impl FnOnce(&mut Case<'_>) -> std::result::Result<T, Refusal>,
    ) -> Result<T> {
        let before = self.file(key)?;
        self.check_acts()?;
        self.as_verb(|cx| {
            // The effects of an act on the directory are applied to the change before the verb.
            let before = cx.settled(before)?;
            cx.do_verb(Some(before.clone()), before, verb)
        })
    }

    /// Runs a verb on a loaded file; `before` is the stored file. Its effects are done before this returns, unless this
    /// verb is itself an effect of another one.
    ///
    /// # Errors
    /// The verb's refusal, or the store's.
    pub fn on_file<T>(
        &mut self,
        before: Option<ChangeFile>,
        file: ChangeFile,
        verb: impl FnOnce(&mut Case<'_>) -> std::result::Result<T, Refusal>,
    ) -> Result<T> {
        self.check_acts()?;
        let fresh = before.is_none().then(|| file.change.id.clone());
        self.as_verb(|cx| {
            let answer = cx.do_verb(before, file, verb)?;
            if let Some(id) = fresh {
                cx.note_judged(id.as_str())?;
            }
            Ok(answer)
        })
    }

    /// Refuses an actor who may only read: an auditor with a mandate.
    fn check_acts(&mut self) -> Result<()> {
        if self.scope()?.is_some_and(|scope| scope.is_bound()) {
            return Err(scope::read_only().into());
        }
        Ok(())
    }

    fn do_verb<T>(
        &mut self,
        before: Option<ChangeFile>,
        file: ChangeFile,
        verb: impl FnOnce(&mut Case<'_>) -> std::result::Result<T, Refusal>,
    ) -> Result<T> {
        let directory = self.directory()?;
        let tenant = self.tenant();
        let services = self.services;
        let recorded_at = self.recorded_at;
        let now = self.now;
        let mut trouble: Option<Error> = None;
        let mut ids = || match services.new_id(recorded_at) {
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
                return Err(with_names(refusal, rules, world, about).into());
            }
        };
        watching::notify_watchers(&mut case);
        let next_due = timers::next_due(&case);
        let done = Done {
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
        self.check_stays_inside(&done.file.change)?;
        save_file(self, before, done)?;
        Ok(answer)
    }

    /// Runs a verb on a change and discards the result, to find whether it would be refused.
    ///
    /// # Errors
    /// The verb's refusal, or the store's.
    pub fn try_on_change<T>(
        &mut self,
        key: &str,
        verb: impl FnOnce(&mut Case<'_>) -> std::result::Result<T, Refusal>,
    ) -> Result<T> {
        let file = self.file(key)?;
        self.check_acts()?;
        let is_stale = file.change.state.is_open() && self.is_unsettled(file.change.id.as_str())?;
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
        if is_stale {
            settle::recompute(&mut case);
            settle::settle(&mut case);
        }
        Ok(verb(&mut case)?)
    }
}
