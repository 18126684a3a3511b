//! The program `seda`; see [`seda_tools::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    seda_tools::cli::run(std::env::args())
}
