//! Bells: rung after each committed write of a tenant, so that nobody who waits holds a thread or a connection.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// The bells of all tenants. Clones share them.
#[derive(Clone, Default)]
pub struct Bells(Arc<Inner>);

#[derive(Default)]
struct Inner {
    tenants: Mutex<HashMap<String, watch::Sender<u64>>>,
    threads: Mutex<Vec<SyncSender<()>>>,
    /// Of threads that no ring wakes.
    deaf: Mutex<Vec<SyncSender<()>>>,
    is_stopping: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A list of senders is whole after any panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bells {
    /// Wakes all who wait for news of this tenant, and the threads that work behind the doors.
    pub fn ring(&self, tenant: &str) {
        self.ring_for_readers(tenant);
        for thread in locked(&self.0.threads).iter() {
            // A full channel means that the thread is awake already.
            let _ = thread.try_send(());
        }
    }

    /// Wakes only those who wait at a door: the log moved on, and there is nothing to work.
    pub fn ring_for_readers(&self, tenant: &str) {
        let mut tenants = locked(&self.0.tenants);
        if tenants.get(tenant).is_some_and(|bell| bell.receiver_count() == 0) {
            tenants.remove(tenant);
            return;
        }
        if let Some(bell) = tenants.get(tenant) {
            bell.send_modify(|count| *count += 1);
        }
    }

    /// Whether anybody waits at a door.
    pub fn has_readers(&self) -> bool {
        locked(&self.0.tenants).values().any(|bell| bell.receiver_count() > 0)
    }

    /// Listens to a tenant's bell from now on.
    pub fn listen(&self, tenant: &str) -> watch::Receiver<u64> {
        let mut tenants = locked(&self.0.tenants);
        tenants
            .entry(tenant.to_owned())
            .or_insert_with(|| watch::Sender::new(0))
            .subscribe()
    }

    /// A channel that gets a message at each notification of any tenant; for a thread.
    pub fn wake_thread(&self) -> Receiver<()> {
        let (send, receive) = sync_channel(1);
        locked(&self.0.threads).push(send);
        receive
    }

    /// A channel that gets no message and ends when the threads are dismissed; for a thread that runs by the clock alone.
    pub fn until_dismissed(&self) -> Receiver<()> {
        let (send, receive) = sync_channel(1);
        locked(&self.0.deaf).push(send);
        receive
    }

    /// Wakes all who wait at a door, so that they go, and lets nobody begin another call: the server stops.
    pub fn stop_readers(&self) {
        self.0.is_stopping.store(true, Ordering::SeqCst);
        locked(&self.0.tenants).clear();
    }

    /// Whether the server stops: whoever waits at a door should go, and whoever calls others begins no further call.
    pub fn is_stopping(&self) -> bool {
        self.0.is_stopping.load(Ordering::SeqCst)
    }

    /// Wakes the threads once more and lets them go: their channels end.
    pub fn dismiss_threads(&self) {
        locked(&self.0.threads).clear();
        locked(&self.0.deaf).clear();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use std::sync::mpsc::TryRecvError;

    use super::*;

    #[test]
    fn a_ring_reaches_its_tenant_and_the_threads() {
        let bells = Bells::default();
        let mut ours = bells.listen("ours");
        let mut theirs = bells.listen("theirs");
        let thread = bells.wake_thread();
        let deaf = bells.until_dismissed();
        bells.ring("ours");
        bells.ring("ours");
        assert!(ours.has_changed().unwrap());
        assert!(!theirs.has_changed().unwrap());
        assert!(thread.try_recv().is_ok());
        assert!(thread.try_recv().is_err(), "two rings before waking are one word");
        ours.mark_unchanged();
        theirs.mark_unchanged();
        assert_eq!(deaf.try_recv(), Err(TryRecvError::Empty));
        bells.dismiss_threads();
        assert!(thread.recv().is_err());
        assert_eq!(deaf.try_recv(), Err(TryRecvError::Disconnected));
    }
}
