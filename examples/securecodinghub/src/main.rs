//! The server `securecodinghub` and the commands beside it.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use securecodinghub::Failure;

fn main() -> ExitCode {
    // Not locked for the whole run: a server runs for long, and has other threads.
    match securecodinghub::run(std::env::args_os(), std::env::vars_os(), &mut io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_closed_output() => ExitCode::SUCCESS,
        // Help goes to the standard output with 0, a mistake to the standard error with 2.
        Err(Failure::Usage(error)) => error.exit(),
        Err(failure) => {
            let mut message = format!("error: {failure}");
            let mut cause = failure.source();
            while let Some(error) = cause {
                message.push_str(&format!(": {error}"));
                cause = error.source();
            }
            // Where even this cannot be written, the exit code has to say it.
            drop(writeln!(io::stderr(), "{message}"));
            ExitCode::FAILURE
        }
    }
}
