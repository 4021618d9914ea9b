//! The binary `assent`: the server and its command line. All code is in the library beside it.

use std::ffi::OsString;
use std::process::ExitCode;

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    assent::memory::settle(&words);
    assent::run(words)
}
