//! The end of the process after a sync that failed.

/// The exit code after a sync that failed (EX_IOERR of sysexits.h).
const EXIT_IO_ERROR: i32 = 74;

/// Nothing may be acknowledged after a failed sync, so the process ends before any response is sent.
pub(crate) fn end_after_failed_sync(error: &dyn std::fmt::Display) -> ! {
    tracing::error!(%error, "the storage failed to keep what was written; this process ends");
    std::process::exit(EXIT_IO_ERROR)
}
