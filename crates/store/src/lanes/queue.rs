//! A bounded queue that is fair: lanes take turns, and within a lane tenants do.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::lanes::Work;

type Item = Box<dyn Work>;

/// The queue before one or more threads.
pub(crate) struct Queue {
    state: Mutex<State>,
    ready: Condvar,
}

struct State {
    slots: Vec<Slot>,
    next_slot: usize,
    waiting: usize,
    closed: bool,
}

/// The waiting acts of one lane, by tenant. A tenant that was served goes to the end.
struct Slot {
    limit: usize,
    waiting: usize,
    tenants: VecDeque<(String, VecDeque<Item>)>,
}

impl Queue {
    /// One slot for each limit.
    pub(crate) fn new(limits: &[usize]) -> Self {
        let slots = limits
            .iter()
            .map(|limit| Slot {
                limit: *limit,
                waiting: 0,
                tenants: VecDeque::new(),
            })
            .collect();
        Self {
            state: Mutex::new(State {
                slots,
                next_slot: 0,
                waiting: 0,
                closed: false,
            }),
            ready: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts work in, or gives it back when the slot is full or the queue closed.
    pub(crate) fn push(&self, slot: usize, work: Item) -> Result<(), Item> {
        let mut state = self.lock();
        if state.closed || state.slots[slot].waiting >= state.slots[slot].limit {
            return Err(work);
        }
        state.slots[slot].push(work);
        state.waiting += 1;
        drop(state);
        self.ready.notify_one();
        Ok(())
    }

    /// Waits for work and takes up to `most`; `None` once the queue is closed and empty.
    pub(crate) fn take(&self, most: usize) -> Option<Vec<Item>> {
        let mut state = self.lock();
        while state.waiting == 0 {
            if state.closed {
                return None;
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let mut taken = Vec::new();
        while taken.len() < most && state.waiting > 0 {
            let at = state.next_slot;
            state.next_slot = (at + 1) % state.slots.len();
            if let Some(work) = state.slots[at].pop() {
                state.waiting -= 1;
                taken.push(work);
            }
        }
        Some(taken)
    }

    /// How many acts wait.
    pub(crate) fn waiting(&self, slot: usize) -> usize {
        self.lock().slots[slot].waiting
    }

    /// Takes no more work in; what waits is still done.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }
}

impl Slot {
    fn push(&mut self, work: Item) {
        self.waiting += 1;
        let known = self.tenants.iter_mut().find(|(tenant, _)| tenant == work.tenant());
        match known {
            Some((_, line)) => line.push_back(work),
            None => {
                let tenant = work.tenant().to_owned();
                self.tenants.push_back((tenant, VecDeque::from([work])));
            }
        }
    }

    fn pop(&mut self) -> Option<Item> {
        let (tenant, mut line) = self.tenants.pop_front()?;
        let work = line.pop_front();
        self.waiting -= usize::from(work.is_some());
        if !line.is_empty() {
            self.tenants.push_back((tenant, line));
        }
        work
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::driver::Connection;
    use crate::error::Error;
    use crate::lanes::Mode;
    use crate::lanes::task::Attempt;

    struct Named(&'static str);

    impl Work for Named {
        fn tenant(&self) -> &str {
            self.0
        }
        fn mode(&self) -> Mode {
            Mode::Read
        }
        fn attempt(&mut self, _: &mut Connection) -> Attempt {
            Attempt::Keep
        }
        fn settle(&mut self, _: Error) {}
        fn answer(self: Box<Self>) {}
    }

    fn order(queue: &Queue, most: usize) -> Vec<String> {
        let taken = queue.take(most).unwrap();
        taken.iter().map(|it| it.tenant().to_owned()).collect()
    }

    #[test]
    fn tenants_and_lanes_take_turns() {
        let queue = Queue::new(&[10, 10]);
        for (slot, name) in [(0, "a"), (0, "a"), (0, "a"), (0, "b"), (1, "c")] {
            assert!(queue.push(slot, Box::new(Named(name))).is_ok());
        }
        assert_eq!(order(&queue, 3), ["a", "c", "b"]);
        assert_eq!(order(&queue, 9), ["a", "a"]);
    }

    #[test]
    fn a_full_lane_refuses_and_a_closed_queue_still_empties() {
        let queue = Queue::new(&[1, 1]);
        assert!(queue.push(0, Box::new(Named("a"))).is_ok());
        assert!(queue.push(0, Box::new(Named("a"))).is_err());
        assert!(queue.push(1, Box::new(Named("a"))).is_ok());
        assert_eq!(queue.waiting(0), 1);
        queue.close();
        assert!(queue.push(1, Box::new(Named("a"))).is_err());
        assert_eq!(order(&queue, 9).len(), 2);
        assert!(queue.take(9).is_none());
    }
}
