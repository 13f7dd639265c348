//! Is the header that is there the right one, and do compilers take it?

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Fails with a diff when the file does not hold exactly `text`.
pub fn same(path: &Path, text: &str) -> Result<(), String> {
    if std::fs::read_to_string(path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    let advice = format!("{} is out of date: make header", path.display());
    let mut command = Command::new("diff");
    command.arg("-u").arg(path).arg("-").stdin(Stdio::piped());
    let shown = command.spawn().and_then(|mut diff| {
        if let Some(mut input) = diff.stdin.take() {
            input.write_all(text.as_bytes())?;
        }
        diff.wait()
    });
    match shown {
        Ok(_) => Err(advice),
        Err(error) => Err(format!("{advice} (no diff: {error})")),
    }
}

/// The languages that a header must compile in, without a warning.
const LANGUAGES: [(&str, &str, &[&str]); 2] =
    [("cc", "c", &["c99", "c11", "c17"]), ("c++", "c++", &["c++11", "c++17", "c++20"])];

/// Compiles the header in every language and returns their names.
pub fn compiles(path: &Path) -> Result<Vec<&'static str>, String> {
    let mut compiled = Vec::new();
    for (compiler, language, standards) in LANGUAGES {
        for standard in standards {
            let status = Command::new(compiler)
                .args(["-x", language, "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"])
                .arg(format!("-std={standard}"))
                .arg(path)
                .status()
                .map_err(|error| format!("{compiler} does not start ({error}): apt-get install gcc g++"))?;
            if !status.success() {
                return Err(format!("{} does not compile as {standard}", path.display()));
            }
            compiled.push(*standard);
        }
    }
    Ok(compiled)
}
