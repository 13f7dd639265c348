//! Reads the files of `src/capi` with `syn`: what they offer to C, and what they must not do.

use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, Item, Visibility};

/// What a file offers to C, by name.
#[derive(Default)]
pub struct Items {
    /// Structs, enums and type aliases.
    pub types: Vec<String>,
    /// The enums among them.
    pub enums: Vec<String>,
    /// Constants and functions.
    pub others: Vec<String>,
}

fn parse(path: &Path) -> Result<syn::File, String> {
    let source = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    syn::parse_file(&source).map_err(|error| format!("{}: {error}", path.display()))
}

/// The C items of a file. A public type without a C layout is an error: cbindgen would make it opaque.
pub fn collect(path: &Path) -> Result<Items, String> {
    let mut found = Items::default();
    for item in parse(path)?.items {
        match item {
            Item::Struct(item) if public(&item.vis) => {
                c_layout(&item.attrs, &item.ident).map_err(|error| format!("{}: {error}", path.display()))?;
                found.types.push(item.ident.to_string());
            }
            Item::Enum(item) if public(&item.vis) => {
                c_layout(&item.attrs, &item.ident).map_err(|error| format!("{}: {error}", path.display()))?;
                found.types.push(item.ident.to_string());
                found.enums.push(item.ident.to_string());
            }
            Item::Type(item) if public(&item.vis) => found.types.push(item.ident.to_string()),
            Item::Const(item) if public(&item.vis) => found.others.push(item.ident.to_string()),
            Item::Fn(item) if exported(&item.attrs) => found.others.push(item.sig.ident.to_string()),
            _ => {}
        }
    }
    Ok(found)
}

fn public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Whether a function carries `#[no_mangle]` or `#[unsafe(no_mangle)]`.
fn exported(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("no_mangle")
            || (attribute.path().is_ident("unsafe")
                && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("no_mangle")))
    })
}

fn c_layout(attributes: &[Attribute], name: &syn::Ident) -> Result<(), String> {
    let fits = |attribute: &Attribute| {
        attribute.path().is_ident("repr")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("C") || path.is_ident("i32"))
    };
    if attributes.iter().any(fits) {
        Ok(())
    } else {
        Err(format!("{name} is public and has neither repr(C) nor repr(i32)"))
    }
}

/// Every item must stand in the part that was made of its file.
pub fn all_present(found: &Items, part: &str) -> Result<(), String> {
    let code: Vec<&str> = part
        .split(|character: char| !character.is_alphanumeric() && character != '_')
        .filter(|word| !word.is_empty())
        .collect();
    let missing: Vec<&String> =
        found.types.iter().chain(&found.others).filter(|name| !code.contains(&name.as_str())).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("missing in the header: {missing:?}")) }
}

/// No other file of the folder may offer something to C: it would not get into the header.
pub fn nothing_elsewhere(capi: &Path, parts: &[&str]) -> Result<(), String> {
    let entries = std::fs::read_dir(capi).map_err(|error| format!("{}: {error}", capi.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_none_or(|extension| extension != "rs") || parts.contains(&name.as_str()) {
            continue;
        }
        let exports = |item: &&Item| matches!(item, Item::Fn(item) if exported(&item.attrs));
        if parse(&path)?.items.iter().find(exports).is_some() {
            return Err(format!("{} exports a function but is no part of the header", path.display()));
        }
    }
    Ok(())
}

/// Enums have no size that C and C++ agree on: parameters, results and fields are integers.
pub fn no_enum_at_the_boundary(path: &Path, enums: &[String]) -> Result<(), String> {
    let mut search = EnumSearch { enums, inside: Vec::new(), hits: Vec::new() };
    search.visit_file(&parse(path)?);
    match search.hits.first() {
        None => Ok(()),
        Some(hit) => Err(format!("{}: {hit}; use i32", path.display())),
    }
}

struct EnumSearch<'a> {
    enums: &'a [String],
    inside: Vec<String>,
    hits: Vec<String>,
}

impl<'ast> Visit<'ast> for EnumSearch<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if exported(&item.attrs) {
            self.inside.push(item.sig.ident.to_string());
            self.visit_signature(&item.sig);
            self.inside.pop();
        }
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if public(&item.vis) {
            self.inside.push(item.ident.to_string());
            visit::visit_item_struct(self, item);
            self.inside.pop();
        }
    }

    fn visit_type_path(&mut self, path: &'ast syn::TypePath) {
        let name = path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        if let (Some(owner), true) = (self.inside.last(), self.enums.contains(&name)) {
            self.hits.push(format!("{owner} uses the enum {name}"));
        }
        visit::visit_type_path(self, path);
    }
}
