//! Threads deep enough for Cedar.

/// The stack of a thread that compiles or evaluates policies: 8 MiB.
pub const STACK_BYTES: usize = 8 * 1024 * 1024;

/// Runs `work` on a new thread named `policy` with a stack of [`STACK_BYTES`], and waits for it.
///
/// # Panics
/// When the operating system gives no thread, and with the same payload when `work` panics.
pub fn on_policy_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("policy".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)
            .expect("the operating system gives a thread");
        match thread.join() {
            Ok(value) => value,
            Err(payload) => std::panic::resume_unwind(payload),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_is_named_and_answers() {
        let name = on_policy_thread(|| std::thread::current().name().map(str::to_owned));
        assert_eq!(name.as_deref(), Some("policy"));
    }
}
