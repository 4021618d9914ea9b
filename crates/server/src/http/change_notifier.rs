//! The change notifier: signals each committed write of a tenant, so that a waiting request holds neither a thread nor a
//! connection.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// The notifier of all tenants. Clones share it.
#[derive(Clone, Default)]
pub struct Bells(Arc<Inner>);

#[derive(Default)]
struct Inner {
    tenants: Mutex<HashMap<String, watch::Sender<u64>>>,
    threads: Mutex<Vec<SyncSender<()>>>,
    /// The channels of threads that no notification wakes.
    deaf: Mutex<Vec<SyncSender<()>>>,
    is_stopping: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A list of senders is whole after any panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bells {
    /// Wakes all requests that wait for events of this tenant, and the background threads.
    pub fn ring(&self, tenant: &str) {
        self.ring_for_readers(tenant);
        for thread in locked(&self.0.threads).iter() {
            // A full channel means that the thread is awake already.
            let _ = thread.try_send(());
        }
    }

    /// Wakes only waiting requests: the log has grown, and there is no background work.
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

    /// Whether any request waits.
    pub fn has_readers(&self) -> bool {
        locked(&self.0.tenants).values().any(|bell| bell.receiver_count() > 0)
    }

    /// Subscribes to a tenant's signals from now on.
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

    /// Wakes all waiting requests, so that they end, and prevents further outgoing calls: the server stops.
    pub fn stop_readers(&self) {
        self.0.is_stopping.store(true, Ordering::SeqCst);
        locked(&self.0.tenants).clear();
    }

    /// Whether the server stops: waiting requests should end, and threads begin no further outgoing call.
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
