//! The clocks that a test holds, and waiting while they are held.
//!
//! A passing failure (a disk that is slow for seconds, a call that took too long) is retried after a pause by the server's own
//! clock. While a test holds that clock no pause ends. So a waiting test lets the clocks that it holds creep, a second each
//! second, once nothing has come for a quarter of a minute: a quiet machine never sees it. They creep by less than a minute
//! until the test moves them again, so that a test's minutes stay true.

use std::cell::RefCell;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a wait lasts at most.
const LONGEST: Duration = Duration::from_secs(120);
/// After how long the clocks creep.
const STILL: Duration = Duration::from_secs(15);
/// By how many seconds they creep at most: pauses of 2, 4, 8 and 16 seconds end.
const MOST: u32 = 45;
/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(20);

thread_local! {
    /// Where the servers listen whose clocks the test of this thread holds, and by how many seconds each has crept.
    static HELD: RefCell<Vec<(PathBuf, u32)>> = const { RefCell::new(Vec::new()) };
}

/// Notes that this thread's test has set or moved a clock.
pub(crate) fn note(socket: &Path) {
    HELD.with_borrow_mut(|held| {
        held.retain(|(known, _)| known != socket);
        held.push((socket.to_path_buf(), 0));
    });
}

/// Lets every clock that this thread's test holds creep by a second. The response is not awaited: a server may be paused, or
/// gone.
fn creep() {
    HELD.with_borrow_mut(|held| {
        for (socket, crept) in held.iter_mut().filter(|(_, crept)| *crept < MOST) {
            if *crept == 0 {
                println!("nothing came for {STILL:?}: the clock of {} creeps", socket.display());
            }
            *crept += 1;
            let _ = UnixStream::connect(socket).and_then(|mut stream| writeln!(stream, "creep 1"));
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
            creep();
        }
        std::thread::park_timeout(LOOK);
    }
    None
}
