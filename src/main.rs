//! The command line: `piquet --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    piquet::cli::main()
}
