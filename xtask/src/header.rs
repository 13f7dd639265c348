//! Puts the header together: one part per file of `src/capi`, in learning order, under banners.
//!
//! cbindgen groups by kind what it sees at once, so it is run once per file.

use std::path::Path;

use crate::items::{self, Items};
use crate::polish::{self, WIDTH};

/// The files of `src/capi` with the headlines of their parts, in the order of the header.
const PARTS: [(&str, &str); 11] = [
    ("results", "Results"),
    ("types", "Types"),
    ("callbacks", "Callbacks: every one may be NULL"),
    ("options", "Options: all optional"),
    ("loops", "Loop"),
    ("timers", "Timers"),
    ("endpoints", "Server and client"),
    ("requests", "Requests"),
    ("connection", "Connection"),
    ("topics", "Topics"),
    ("version", "Version"),
];

const HEAD: &str = "\
#ifndef LIBWS_H
#define LIBWS_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern \"C\" {
#endif
";

const TAIL: &str = "
#ifdef __cplusplus
}
#endif
#endif
";

/// The whole header, from the files in `capi`.
pub fn generate(capi: &Path) -> Result<String, String> {
    let mut all = Items::default();
    let mut files = Vec::new();
    for (name, title) in PARTS {
        let path = capi.join(name).with_extension("rs");
        let found = items::collect(&path)?;
        all.enums.extend(found.enums.iter().cloned());
        files.push((path, title, found));
    }
    items::nothing_elsewhere(capi, &PARTS.map(|(name, _)| name))?;

    let mut text = opening_comment(capi)?;
    text.push_str(HEAD);
    for (path, title, found) in &files {
        items::no_enum_at_the_boundary(path, &all.enums)?;
        let part = polish::part(&run_cbindgen(path, found)?);
        items::all_present(found, &part).map_err(|missing| format!("{}: {missing}", path.display()))?;
        text.push_str(&format!("\n{}\n\n{part}", banner(title)));
    }
    text.push_str(TAIL);
    Ok(text)
}

/// The comment at the top, from `header_top.txt` beside the files.
fn opening_comment(capi: &Path) -> Result<String, String> {
    let path = capi.join("header_top.txt");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let lines = text.trim_end().lines().map(|line| format!(" * {line}").trim_end().to_owned() + "\n");
    Ok(format!("/*\n{} */\n", lines.collect::<String>()))
}

fn banner(title: &str) -> String {
    format!("/* ---- {title} {} */", "-".repeat(WIDTH.saturating_sub(title.len() + 12)))
}

/// What cbindgen makes of one file.
fn run_cbindgen(path: &Path, found: &Items) -> Result<String, String> {
    let mut config = cbindgen::Config {
        language: cbindgen::Language::C,
        style: cbindgen::Style::Both,
        documentation_style: cbindgen::DocumentationStyle::C99,
        no_includes: true,
        usize_is_size_t: true,
        // Lines are wrapped afterwards.
        line_length: 100_000,
        tab_width: 4,
        ..cbindgen::Config::default()
    };
    // A type that no function of the same file uses would vanish silently.
    config.export.include = found.types.clone();
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_src(path)
        .generate()
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let mut bytes = Vec::new();
    bindings.write(&mut bytes);
    String::from_utf8(bytes).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
