//! One act in a lane.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::errands::Back;
use super::work::{Attempt, Work};
use crate::driver::Connection;
use crate::error::{Error, Failure};
use crate::lanes::Mode;

/// An act with the way to return it to its lane.
pub(crate) struct Task<T, E, A, D> {
    pub(crate) tenant: String,
    pub(crate) mode: Mode,
    pub(crate) act: A,
    pub(crate) done: D,
    pub(crate) answer: Option<Result<T, E>>,
    /// Returns an act that may want an object from the bucket to its lane.
    pub(crate) back: Option<Back>,
}

impl<T, E, A, D> Work for Task<T, E, A, D>
where
    T: Send + 'static,
    E: Failure,
    A: Fn(&mut Connection, &str) -> (Result<T, E>, Option<Error>) + Send + 'static,
    D: FnOnce(Result<T, E>) + Send + 'static,
{
    fn tenant(&self) -> &str {
        &self.tenant
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn attempt(&mut self, connection: &mut Connection) -> Attempt {
        let run = AssertUnwindSafe(|| (self.act)(connection, &self.tenant));
        let Ok((answer, failed)) = catch_unwind(run) else {
            self.settle(Error::Panicked);
            return Attempt::Panicked;
        };
        match (answer, failed) {
            (Ok(answer), None) => {
                self.answer = Some(Ok(answer));
                Attempt::Keep
            }
            (Ok(_), Some(error)) => {
                self.settle(error.clone());
                Attempt::Failed(error)
            }
            (Err(refused), failed) => {
                self.answer = Some(Err(refused));
                failed.map_or(Attempt::Undo, Attempt::Failed)
            }
        }
    }

    fn settle(&mut self, error: Error) {
        self.answer = Some(Err(E::from(error)));
    }

    fn answer(mut self: Box<Self>) {
        let wanted = self
            .back
            .as_ref()
            .and_then(|back| Some((back.brought.take_wanted()?, back.clone())));
        if let Some((key, back)) = wanted {
            self.answer = None;
            return back.bring(key, self);
        }
        let Self { done, answer, .. } = *self;
        let answer = answer.unwrap_or_else(|| Err(E::from(Error::other("the act never ran"))));
        // A panic in the callback must not take the lane's thread with it.
        if catch_unwind(AssertUnwindSafe(|| done(answer))).is_err() {
            tracing::error!("an answer's callback panicked");
        }
    }
}
