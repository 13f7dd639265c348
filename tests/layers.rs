//! The layer rule of `docs/architecture.md`: a file uses its own layer and those below it, never one above.

use std::fs;
use std::path::{Path, PathBuf};

/// Lowest first.
const LAYERS: [&str; 7] = ["error", "proto", "net", "event_loop", "http", "roles", "capi"];

fn layer(module: &str) -> Option<usize> {
    match module {
        "Error" | "ErrorCode" | "Result" => Some(0),
        module => LAYERS.iter().position(|layer| *layer == module),
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The names that follow `crate::` in a line of code, also in `use crate::{a, b}`.
fn uses(line: &str) -> Vec<&str> {
    let code = line.split("//").next().unwrap_or("");
    let mut names = Vec::new();
    for after in code.split("crate::").skip(1) {
        let list = after.strip_prefix('{').map_or(after, |list| list.split('}').next().unwrap_or(""));
        let items = if after.starts_with('{') { list.split(',').collect() } else { vec![list] };
        names.extend(items.iter().filter_map(|item| {
            item.trim()
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .filter(|name| !name.is_empty())
        }));
    }
    names
}

fn violations(own: &str, text: &str) -> Vec<String> {
    let own_layer = layer(own).unwrap_or_else(|| panic!("{own}: not in the list of layers"));
    let mut found = Vec::new();
    for line in text.lines() {
        for name in uses(line) {
            match layer(name) {
                Some(used) if used <= own_layer => {}
                Some(_) => found.push(format!("{own} uses {name}: {}", line.trim())),
                None => {
                    found.push(format!("{own} uses crate::{name}, which is in no layer: {}", line.trim()))
                }
            }
        }
    }
    found
}

#[test]
fn no_file_uses_a_layer_above_its_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 30, "only {} files found", files.len());
    let mut found = Vec::new();
    for path in files {
        let relative = path.strip_prefix(&root).unwrap();
        let own = relative.components().next().unwrap().as_os_str().to_str().unwrap();
        let own = own.trim_end_matches(".rs");
        if own != "lib" {
            found.extend(violations(own, &fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_violation_would_be_seen() {
    assert_eq!(violations("proto", "use crate::net::stream;").len(), 1);
    assert_eq!(violations("net", "use crate::{error::Result, roles::core};").len(), 1);
    assert_eq!(violations("net", "let x = crate::event_loop::ids::lookup(1);").len(), 1);
    assert!(violations("roles", "use crate::net::stream; // crate::capi").is_empty());
}

#[test]
fn the_protocol_touches_no_clock_thread_or_socket() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/proto");
    let mut files = Vec::new();
    sources(&root, &mut files);
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for word in
            ["Instant::now", "SystemTime::now", "std::thread", "std::net::Tcp", "getrandom", "mio::", "log::"]
        {
            assert!(!code.contains(word), "{} contains {word}", path.display());
        }
    }
}
