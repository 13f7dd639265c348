//! Generates a header from a small `capi` folder and compiles it.

use std::fs;
use std::path::Path;

use super::*;
use crate::check;

const RESULTS: &str = r#"
use std::ffi::c_char;
/// What a call returns.
#[repr(i32)]
pub enum libws_result {
    LIBWS_OK = 0,
    /// `NULL`, or see [`libws_last_error`]
    LIBWS_ERR_INVALID = -1,
}
/// Switches a numeric setting off.
pub const LIBWS_OFF: u32 = u32::MAX;
/// The name of a result, such as "LIBWS_ERR_FULL" \[any\]
#[unsafe(no_mangle)]
pub extern "C" fn libws_result_name(result: i32) -> *const c_char { todo!() }
"#;

const TYPES: &str = r#"
use std::ffi::{c_char, c_void};
pub type libws_loop = u64;
pub type libws_conn = u64;
/// A message,
/// whole.
#[repr(C)]
pub struct libws_message {
    pub struct_size: usize,
    /// never NULL
    pub data: *const c_void,
    pub peer: [c_char; 64],
}
pub(crate) struct NotForC;
"#;

const CALLBACKS: &str = r#"
#[repr(C)]
pub struct libws_handlers {
    pub struct_size: usize,
    /// NULL accepts
    pub on_upgrade: Option<unsafe extern "C" fn(request: libws_conn, user: *mut c_void) -> i32>,
    pub on_message: Option<unsafe extern "C" fn(conn: libws_conn, message: *const libws_message, user: *mut c_void)>,
}
"#;

const LOOPS: &str = r#"
/// Runs `fn` once.
///
/// # Safety
/// Nobody reads this in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libws_loop_post(
    loop_: libws_loop,
    fn_: Option<unsafe extern "C" fn(loop_: libws_loop, arg: *mut c_void)>,
    arg: *mut c_void,
    handlers: *const libws_handlers,
    one_more_parameter: *const libws_message,
) -> i32 { todo!() }
#[unsafe(no_mangle)]
pub extern "C" fn libws_loop_count() -> u32 { 0 }
"#;

/// A folder with these files; every other part is empty.
fn capi(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, _) in PARTS {
        let source = files.iter().find(|(file, _)| *file == name).map_or("", |(_, source)| source);
        fs::write(folder.path().join(name).with_extension("rs"), source).expect("a file");
    }
    fs::write(folder.path().join("header_top.txt"), "libws.h - a sample\n\nof text\n").expect("a file");
    folder
}

fn sample() -> tempfile::TempDir {
    capi(&[("results", RESULTS), ("types", TYPES), ("callbacks", CALLBACKS), ("loops", LOOPS)])
}

fn error_of(files: &[(&str, &str)]) -> String {
    generate(capi(files).path()).expect_err("this must be refused")
}

#[test]
fn reads_like_a_header() {
    let text = generate(sample().path()).expect("a header");
    for expected in [
        "/*\n * libws.h - a sample\n *\n * of text\n */\n#ifndef LIBWS_H",
        "/* ---- Results ---",
        "#define LIBWS_OFF UINT32_MAX /* Switches a numeric setting off. */",
        "/* What a call returns. */\nenum libws_result {\n    LIBWS_OK          = 0,\n",
        "    LIBWS_ERR_INVALID = -1, /* NULL, or see libws_last_error */\n};\n",
        "const char *libws_result_name(int32_t result); /* The name of a result, such as \"LIBWS_ERR_FULL\" [any] */",
        "typedef uint64_t libws_loop;\ntypedef uint64_t libws_conn;\n",
        "/* A message,\n * whole. */\ntypedef struct libws_message {\n    size_t     struct_size;\n",
        "    const void *data;       /* never NULL */\n    char       peer[64];\n} libws_message;\n",
        "    /* NULL accepts */\n    int32_t (*on_upgrade)(libws_conn request, void *user);\n",
        "    void (*on_message)(libws_conn conn, const libws_message *message, void *user);\n",
        "/* Runs fn once. */\nint32_t libws_loop_post(libws_loop loop, void (*fn)(libws_loop loop, void *arg), void *arg,\n                        const libws_handlers *handlers, const libws_message *one_more_parameter);\n",
        "uint32_t libws_loop_count(void);\n",
    ] {
        assert!(text.contains(expected), "no {expected:?} in\n{text}");
    }
    for foreign in ["Safety", "Nobody", "NotForC", "__STDC_VERSION__", "`", "//"] {
        assert!(!text.contains(foreign), "{foreign:?} in\n{text}");
    }
    let longest = text.lines().map(|line| line.chars().count()).max();
    assert!(longest <= Some(polish::WIDTH), "a line of {longest:?}");
}

#[test]
fn compiles_in_every_language() {
    let folder = sample();
    let path = folder.path().join("libws.h");
    fs::write(&path, generate(folder.path()).expect("a header")).expect("a file");
    assert_eq!(check::compiles(&path).expect("it compiles").len(), 6);
    fs::write(&path, "int f(void) { return; }\n").expect("a file");
    assert!(check::compiles(&path).is_err());
}

#[test]
fn notices_a_difference() {
    let folder = sample();
    let path = folder.path().join("libws.h");
    let text = generate(folder.path()).expect("a header");
    assert!(check::same(&path, &text).is_err(), "no such file");
    fs::write(&path, &text).expect("a file");
    assert!(check::same(&path, &text).is_ok());
    assert!(check::same(&path, &text.replace("whole", "in parts")).is_err());
}

#[test]
fn notices_what_cbindgen_leaves_out() {
    let not_c = "#[unsafe(no_mangle)]\npub fn libws_lost() {}\n";
    assert!(error_of(&[("topics", not_c)]).contains("libws_lost"));
    let computed = "pub const LIBWS_COMPUTED: u32 = compute();\n";
    assert!(error_of(&[("version", computed)]).contains("LIBWS_COMPUTED"));
}

#[test]
fn refuses_types_without_a_c_layout() {
    assert!(error_of(&[("types", "pub struct libws_opaque { inner: u8 }\n")]).contains("libws_opaque"));
    assert!(error_of(&[("types", "pub enum libws_open { LIBWS_A }\n")]).contains("libws_open"));
}

#[test]
fn refuses_enums_at_the_boundary() {
    let parameter = "#[unsafe(no_mangle)]\npub extern \"C\" fn libws_f(result: libws_result) {}\n";
    assert!(error_of(&[("results", RESULTS), ("topics", parameter)]).contains("libws_f"));
    let field = "#[repr(C)]\npub struct libws_s { pub result: libws_result }\n";
    assert!(error_of(&[("results", RESULTS), ("types", field)]).contains("libws_s"));
}

#[test]
fn refuses_exports_outside_of_the_parts() {
    let folder = sample();
    let stray = "#[unsafe(no_mangle)]\npub extern \"C\" fn libws_stray() {}\n";
    fs::write(folder.path().join("guard.rs"), stray).expect("a file");
    assert!(generate(folder.path()).expect_err("this must be refused").contains("guard.rs"));
}

#[test]
fn says_which_file_is_not_there() {
    assert!(generate(Path::new("/nonexistent")).expect_err("nothing is there").contains("results.rs"));
}
