//! The `ssoproof` program.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// The stack and its browsers allocate and free all the time, on every thread.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    ssoproof::cli::main(std::env::args_os())
}
