//! The `ssoproof` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    ssoproof::cli::main(std::env::args_os())
}
