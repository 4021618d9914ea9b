//! The only file that reads the clock. All other code gets the time as a parameter.

use std::time::Instant;

use acts::Clock;
use jiff::Timestamp;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the outermost layer hands the time to everything below"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The present for measuring and patience only; it never decides anything of the business.
#[expect(clippy::disallowed_methods, reason = "the outermost layer measures and waits")]
pub(crate) fn tick() -> Instant {
    Instant::now()
}

#[cfg(all(feature = "test-clock", not(debug_assertions)))]
compile_error!("the feature `test-clock` has no place in a release artifact");

#[cfg(all(feature = "test-clock", debug_assertions))]
pub(crate) use held::HeldClock;

#[cfg(all(feature = "test-clock", debug_assertions))]
mod held {
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::Path;
    use std::sync::{Arc, Mutex, PoisonError};

    use acts::Clock;
    use jiff::{SignedDuration, Timestamp};

    use super::SystemClock;
    use crate::http::change_notifier::Bells;

    /// A clock for tests: it follows the machine's clock until it is set, and then stops until it is moved.
    #[derive(Clone, Default)]
    pub(crate) struct HeldClock(Arc<Mutex<Option<Timestamp>>>);

    impl Clock for HeldClock {
        fn now(&self) -> Timestamp {
            let held = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            held.unwrap_or_else(|| SystemClock.now())
        }
    }

    impl HeldClock {
        fn hold(&self, at: Timestamp) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
        }

        /// Runs one line: `set <RFC 3339>`, `advance <seconds>`, or `creep <seconds>`, which has no effect on a running clock.
        fn obey(&self, line: &str) -> Result<(), String> {
            match line.trim().split_once(' ') {
                Some(("set", text)) => {
                    self.hold(text.trim().parse().map_err(|error| format!("{error}"))?);
                    Ok(())
                }
                Some(("advance", text)) => {
                    let seconds: i64 = text.trim().parse().map_err(|error| format!("{error}"))?;
                    self.hold(self.now() + SignedDuration::from_secs(seconds));
                    Ok(())
                }
                Some(("creep", text)) => {
                    let seconds: i64 = text.trim().parse().map_err(|error| format!("{error}"))?;
                    let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                    *held = held.map(|at| at + SignedDuration::from_secs(seconds));
                    Ok(())
                }
                _ => Err("say `set <RFC 3339>`, `advance <seconds>` or `creep <seconds>`".to_owned()),
            }
        }

        /// Listens on `clock.sock` in the data folder, for as long as the process lives.
        pub(crate) fn listen(&self, data_dir: &Path, bells: &Bells) -> std::io::Result<()> {
            let path = data_dir.join("clock.sock");
            if path.exists() {
                std::fs::remove_file(&path)?;
            }
            let listener = UnixListener::bind(&path)?;
            let (clock, bells) = (self.clone(), bells.clone());
            std::thread::Builder::new()
                .name("test-clock".to_owned())
                .spawn(move || {
                    for stream in listener.incoming().flatten() {
                        clock.talk(&stream, &bells);
                    }
                })?;
            Ok(())
        }

        fn talk(&self, stream: &UnixStream, bells: &Bells) {
            let mut answers = stream;
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let answer = match self.obey(&line) {
                    Ok(()) => "ok".to_owned(),
                    Err(why) => format!("error {why}"),
                };
                // Timers may be due at once; the workers look again.
                bells.ring("");
                if writeln!(answers, "{answer}").is_err() {
                    return;
                }
            }
        }
    }
}
