//! Chores of the project: `cargo run -p xtask -- header [--check]`.

mod check;
mod header;
mod items;
mod polish;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the project");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["header"] => write_header(root),
        ["header", "--check"] => check_header(root),
        _ => Err("usage: cargo run -p xtask -- header [--check]".to_owned()),
    };
    match outcome {
        Ok(message) => {
            println!("{message}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Writes `include/libws.h`.
fn write_header(root: &Path) -> Result<String, String> {
    let text = header::generate(&root.join("src/capi"))?;
    let path = root.join("include/libws.h");
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok("include/libws.h is written".to_owned())
}

/// Compares `include/libws.h` with what would be written, and compiles it.
fn check_header(root: &Path) -> Result<String, String> {
    let path = root.join("include/libws.h");
    check::same(&path, &header::generate(&root.join("src/capi"))?)?;
    let compiled = check::compiles(&path)?;
    Ok(format!("include/libws.h is what src/capi says; it compiles as {}", compiled.join(", ")))
}
