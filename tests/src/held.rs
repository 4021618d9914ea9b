//! The clocks that a test holds, and waiting while they stand.
//!
//! What fails in passing (a disk that is slow for seconds, a call that took too long) is tried again after a pause by the
//! server's own clock. While a test holds that clock no pause ends. So whoever waits in a test lets the clocks that it holds
//! go, a second each second, once nothing has come for a quarter of a minute: a quiet machine never sees it.

use std::cell::RefCell;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a wait lasts at most.
const LONGEST: Duration = Duration::from_secs(120);
/// After how long the clocks go.
const STILL: Duration = Duration::from_secs(15);
/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(20);

thread_local! {
    /// Where the servers listen whose clocks the test of this thread holds.
    static HELD: RefCell<Vec<PathBuf>> = const { RefCell::new(Vec::new()) };
}

/// Notes that this thread's test holds a clock.
pub(crate) fn note(socket: &Path) {
    HELD.with_borrow_mut(|held| {
        if !held.iter().any(|known| known == socket) {
            held.push(socket.to_path_buf());
        }
    });
}

/// Moves every clock that this thread's test holds by a second. Nobody waits for an answer: a server may be paused, or gone.
fn go_on() {
    HELD.with_borrow(|held| {
        for socket in held {
            let _ = UnixStream::connect(socket).and_then(|mut stream| writeln!(stream, "advance 1"));
        }
    });
}

/// Waits until something is there, two minutes at most; `None` when it never came.
#[expect(clippy::disallowed_methods, reason = "a wait in a test must end some day")]
pub fn awaited<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let began = Instant::now();
    let mut moved = 0;
    while began.elapsed() < LONGEST {
        if let Some(found) = look() {
            return Some(found);
        }
        let stood = began.elapsed().saturating_sub(STILL).as_secs();
        if stood > moved {
            moved = stood;
            go_on();
        }
        std::thread::park_timeout(LOOK);
    }
    None
}
