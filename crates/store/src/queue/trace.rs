//! The trace that work of the present thread belongs to. Deferred work of an act (jobs, calls, deliveries, events) keeps it, so
//! that the worker continues the trace. The store knows only the text, a `traceparent` of W3C Trace Context.

use std::cell::RefCell;

thread_local! {
    static CURRENT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Restores the previous trace, also when the work panics.
struct Back(Option<String>);

impl Drop for Back {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Runs work; every act that this thread begins meanwhile stores `traceparent` with its deferred work; `None` stores none.
pub fn within<T>(traceparent: Option<String>, work: impl FnOnce() -> T) -> T {
    let _back = Back(CURRENT.replace(traceparent));
    work()
}

/// The trace that work of this thread belongs to.
pub(crate) fn current() -> Option<String> {
    CURRENT.with_borrow(Clone::clone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_holds_for_its_work_alone_and_for_no_other_thread() {
        assert_eq!(current(), None);
        let found = within(Some("outer".to_owned()), || {
            let inner = within(None, current);
            let elsewhere = std::thread::spawn(current).join();
            (inner, elsewhere.ok().flatten(), current())
        });
        assert_eq!(found, (None, None, Some("outer".to_owned())));
        assert_eq!(current(), None);
    }
}
