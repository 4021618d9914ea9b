//! The binary `assent`: the server and its command line. Everything stands in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    assent::run(std::env::args_os())
}
