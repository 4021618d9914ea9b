//! How the allocator of the C library is set up for a process that runs for months, unless jemalloc is built in.
//!
//! glibc keeps an area of memory for each of many threads, and these fill with gaps: the server's own data is bounded, and yet
//! its process grows (docs/operations/README.md, "Memory"). Two areas are enough for it. The library reads that from the
//! environment when it begins, before any code of this program, so the process replaces itself by itself once; its id stays.

use std::ffi::OsString;

/// The commands that stay.
const STAYING: &[&str] = &["serve", "gateway"];
/// Variables of the C library; if one of them is set, the choice is already made.
const DECIDED: &[&str] = &["MALLOC_ARENA_MAX", "GLIBC_TUNABLES", "LD_PRELOAD"];

/// Whether this process begins anew.
fn begins_anew(words: &[OsString], is_set: impl Fn(&str) -> bool) -> bool {
    let stays = words.get(1).is_some_and(|word| STAYING.iter().any(|name| word == name));
    stays && !DECIDED.iter().any(|name| is_set(name))
}

/// Restarts a long-running command with few memory areas; returns where that is not wanted, or not possible.
#[cfg(all(target_os = "linux", target_env = "gnu", not(feature = "jemalloc")))]
pub fn settle(words: &[OsString]) {
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    if !begins_anew(words, |name| std::env::var_os(name).is_some()) {
        return;
    }
    let (Ok(program), [name, rest @ ..]) = (std::env::current_exe(), words) else {
        return;
    };
    // It returns only after a failure, and then the process goes on with more areas.
    let _ = Command::new(program).arg0(name).args(rest).env(DECIDED[0], "2").exec();
}

/// Other allocators keep no such areas.
#[cfg(not(all(target_os = "linux", target_env = "gnu", not(feature = "jemalloc"))))]
pub fn settle(words: &[OsString]) {
    let _ = begins_anew(words, |_| true);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_stay_begin_anew_once_and_others_never() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert!(begins_anew(&words("assent serve --demo"), |_| false));
        assert!(begins_anew(&words("assent gateway --tenant x"), |_| false));
        assert!(!begins_anew(&words("assent serve --demo"), |name| name == "MALLOC_ARENA_MAX"));
        assert!(!begins_anew(&words("assent change list"), |_| false));
        assert!(!begins_anew(&words("assent"), |_| false));
    }
}
