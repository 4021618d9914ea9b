//! A bounded queue that is fair: lanes share its threads by weight, and within a lane tenants take turns.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::lanes::Work;

type Item = Box<dyn Work>;

/// The scaled price of one unit of cost for a lane of weight 1.
const SCALE: u64 = 1_000;

/// The queue before one or more threads.
pub(crate) struct Queue {
    state: Mutex<State>,
}

struct State {
    slots: Vec<Slot>,
    /// The cost of the lane that was served last: a lane that begins to wait starts from here, so that it gets no credit for
    /// idle time.
    reached: u64,
    waiting: usize,
    /// The idle threads, the last one last.
    resting: VecDeque<Arc<Condvar>>,
    wakes: Wakes,
    closed: bool,
}

/// Which idle thread is woken first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wakes {
    /// The longest idle: over SQLite the gate gives a twentieth more responses so, as measured in turns with the other order.
    First,
    /// The shortest idle: on PostgreSQL its process is warm with the statements that it prepared, and under low load the
    /// connections of the others are never made.
    Last,
}

/// The lane of some work, and its cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent {
    /// The lane's slot.
    pub(crate) slot: usize,
    /// Its cost, in any unit that is the same for all lanes.
    pub(crate) cost: u64,
}

/// The waiting acts of one lane, by tenant. A tenant that was served goes to the end.
struct Slot {
    limit: usize,
    weight: u64,
    /// The cost of its work so far, divided by its weight: the lane with the lowest value is served next.
    used: u64,
    /// The recent average cost of its work: used until the true cost is known.
    guess: u64,
    waiting: usize,
    tenants: VecDeque<(String, VecDeque<Item>)>,
}

impl Queue {
    /// One slot for each lane: how many acts may wait in it, and its weight among the lanes, at least 1. While all lanes
    /// have work, each gets of the cost that is spent the part that its weight is of all weights.
    pub(crate) fn new(lanes: &[(usize, u64)], wakes: Wakes) -> Self {
        let slots = lanes
            .iter()
            .map(|(limit, weight)| Slot {
                limit: *limit,
                weight: (*weight).max(1),
                used: 0,
                guess: 1,
                waiting: 0,
                tenants: VecDeque::new(),
            })
            .collect();
        Self {
            state: Mutex::new(State {
                slots,
                reached: 0,
                waiting: 0,
                resting: VecDeque::new(),
                wakes,
                closed: false,
            }),
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
        let reached = state.reached;
        state.slots[slot].push(work, reached);
        state.waiting += 1;
        let woken = match state.wakes {
            Wakes::First => state.resting.pop_front(),
            Wakes::Last => state.resting.pop_back(),
        };
        drop(state);
        if let Some(bell) = woken {
            bell.notify_one();
        }
        Ok(())
    }

    /// Waits for work and takes up to `most`; `None` once the queue is closed and empty.
    pub(crate) fn take(&self, most: usize) -> Option<Vec<Item>> {
        Some(self.take_counted(most)?.0)
    }

    /// Like [`Queue::take`], with the slot of each. The caller must pass the cost of all of it, and of work from
    /// [`Queue::take_waiting`] meanwhile, to [`Queue::settle`] before it waits for work again.
    pub(crate) fn take_counted(&self, most: usize) -> Option<(Vec<Item>, Vec<usize>)> {
        let mut state = self.lock();
        while state.waiting == 0 {
            if state.closed {
                return None;
            }
            let bell = Arc::new(Condvar::new());
            state.resting.push_back(Arc::clone(&bell));
            state = bell.wait(state).unwrap_or_else(PoisonError::into_inner);
            // Still there when it woke without being rung for.
            state.resting.retain(|it| !Arc::ptr_eq(it, &bell));
        }
        Some(state.take(most))
    }

    /// Takes up to `most` waiting acts, at once and counted; nothing when nothing waits.
    pub(crate) fn take_waiting(&self, most: usize) -> (Vec<Item>, Vec<usize>) {
        self.lock().take(most)
    }

    /// Replaces the guessed cost of work by the true one.
    pub(crate) fn settle(&self, spent: &[Spent]) {
        let mut state = self.lock();
        for (at, slot) in state.slots.iter_mut().enumerate() {
            let costs = || spent.iter().filter(|spent| spent.slot == at).map(|spent| spent.cost);
            slot.settle(costs().count() as u64, costs().sum());
        }
    }

    /// How many acts wait.
    pub(crate) fn waiting(&self, slot: usize) -> usize {
        self.lock().slots[slot].waiting
    }

    /// Accepts no more work; waiting work is still done.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for bell in state.resting.drain(..) {
            bell.notify_one();
        }
    }
}

impl State {
    /// Up to `most` waiting acts, with the slot of each.
    fn take(&mut self, most: usize) -> (Vec<Item>, Vec<usize>) {
        let (mut taken, mut slots) = (Vec::new(), Vec::new());
        while taken.len() < most
            && let Some((slot, work)) = self.next()
        {
            taken.push(work);
            slots.push(slot);
        }
        (taken, slots)
    }

    /// The next work of the lane with the lowest value; of several the first.
    fn next(&mut self) -> Option<(usize, Item)> {
        let waiting = self.slots.iter().enumerate().filter(|(_, slot)| slot.waiting > 0);
        let (at, _) = waiting.min_by_key(|(_, slot)| slot.used)?;
        let slot = &mut self.slots[at];
        self.reached = self.reached.max(slot.used);
        let work = slot.pop()?;
        slot.used += slot.guess * SCALE / slot.weight;
        self.waiting -= 1;
        Some((at, work))
    }
}

impl Slot {
    fn push(&mut self, work: Item, reached: u64) {
        if self.waiting == 0 {
            self.used = self.used.max(reached);
        }
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

    fn settle(&mut self, count: u64, cost: u64) {
        if count == 0 {
            return;
        }
        let (guessed, cost) = (self.guess * count * SCALE / self.weight, cost * SCALE / self.weight);
        self.used = (self.used + cost).saturating_sub(guessed);
        self.guess = (cost * self.weight / SCALE / count).max(1);
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
    use crate::lanes::work::Attempt;

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
        let queue = Queue::new(&[(10, 1), (10, 1)], Wakes::First);
        for (slot, name) in [(0, "a"), (0, "a"), (0, "a"), (0, "b"), (1, "c")] {
            assert!(queue.push(slot, Box::new(Named(name))).is_ok());
        }
        assert_eq!(order(&queue, 3), ["a", "c", "b"]);
        assert_eq!(order(&queue, 9), ["a", "a"]);
    }

    /// How much each lane was served of so many acts, when both always have work.
    fn served(queue: &Queue, acts: usize, most: usize, costs: [u64; 2]) -> [u64; 2] {
        let mut served = [0, 0];
        for _ in 0..acts {
            for slot in [0, 1] {
                while queue.waiting(slot) < most {
                    assert!(queue.push(slot, Box::new(Named("a"))).is_ok());
                }
            }
            let (_, slots) = queue.take_counted(most).unwrap();
            let spent: Vec<Spent> = slots
                .into_iter()
                .map(|slot| Spent {
                    slot,
                    cost: costs[slot],
                })
                .collect();
            spent.iter().for_each(|spent| served[spent.slot] += spent.cost);
            queue.settle(&spent);
        }
        served
    }

    #[test]
    fn lanes_with_work_share_what_is_spent_by_weight() {
        for (costs, most) in [([1, 1], 1), ([3, 100], 8), ([100, 3], 8), ([5, 40], 16)] {
            let queue = Queue::new(&[(20, 4), (20, 1)], Wakes::First);
            let [much, little] = served(&queue, 4_000, most, costs);
            let ratio = much as f64 / little as f64;
            assert!((3.6..4.4).contains(&ratio), "{costs:?}: {ratio}");
        }
    }

    #[test]
    fn a_lane_alone_gets_all_and_is_owed_nothing_for_its_rest() {
        let queue = Queue::new(&[(1_000, 1), (1_000, 1)], Wakes::First);
        let push = |slot, name, count| {
            for _ in 0..count {
                assert!(queue.push(slot, Box::new(Named(name))).is_ok());
            }
        };
        push(0, "a", 500);
        assert_eq!(order(&queue, 500).len(), 500);
        push(0, "a", 10);
        push(1, "b", 10);
        let next = order(&queue, 10);
        let of_b = next.iter().filter(|name| *name == "b").count();
        assert!((4..=6).contains(&of_b), "{next:?}");
    }

    #[test]
    fn a_full_lane_refuses_and_a_closed_queue_still_empties() {
        let queue = Queue::new(&[(1, 1), (1, 1)], Wakes::First);
        assert!(queue.push(0, Box::new(Named("a"))).is_ok());
        assert!(queue.push(0, Box::new(Named("a"))).is_err());
        assert!(queue.push(1, Box::new(Named("a"))).is_ok());
        assert_eq!(queue.waiting(0), 1);
        queue.close();
        assert!(queue.push(1, Box::new(Named("a"))).is_err());
        assert_eq!(order(&queue, 9).len(), 2);
        assert!(queue.take(9).is_none());
    }

    /// Which of three threads served each of twenty acts, one after the other.
    fn who_serves(wakes: Wakes) -> Vec<usize> {
        let queue = Queue::new(&[(10, 1)], wakes);
        let (say, served) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            for number in 0..3 {
                let (queue, say) = (&queue, say.clone());
                scope.spawn(move || {
                    while queue.take(1).is_some() {
                        say.send(number).unwrap();
                    }
                });
            }
            let who = (0..20).map(|_| {
                while queue.lock().resting.len() < 3 {
                    std::thread::yield_now();
                }
                assert!(queue.push(0, Box::new(Named("a"))).is_ok());
                served.recv().unwrap()
            });
            let who = who.collect();
            queue.close();
            who
        })
    }

    #[test]
    fn who_rested_last_or_longest_is_woken_first() {
        let who = who_serves(Wakes::Last);
        assert!(who.iter().all(|number| *number == who[0]), "{who:?}");
        let who = who_serves(Wakes::First);
        assert!(who.iter().zip(&who[3..]).all(|(one, next)| one == next), "{who:?}");
        assert!(who[0] != who[1] && who[1] != who[2] && who[2] != who[0], "{who:?}");
    }
}
