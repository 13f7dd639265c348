//! Shares notes without a window; see `--help`.

use std::process::ExitCode;

use notes_core::{ServeOptions, USAGE, serve};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        print!("notes-serve --data DIR --listen ADDR [--note NAME]...\n{USAGE}");
        return ExitCode::SUCCESS;
    }
    let served = ServeOptions::parse(args).and_then(|options| serve(options, &mut std::io::stdout().lock()));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("notes-serve: {error}");
            ExitCode::FAILURE
        }
    }
}
