//! The binary `assent`: the server and its command line. All code is in the library beside it.

use std::process::ExitCode;

/// The allocator of the C library fills with gaps when one thread frees what another allocated: lists of changes took twice as
/// long, and memory grew over months.
#[cfg(feature = "server")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    assent::run(std::env::args_os())
}
