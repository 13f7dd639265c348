//! Gives the shared library its SONAME and refuses a build that could not keep its promises.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Every C entry point catches panics; with `panic = "abort"` there is nothing to catch.
    if std::env::var("CARGO_CFG_PANIC").as_deref() == Ok("abort") {
        println!(
            "cargo:error=libws needs panic = \"unwind\": with \"abort\" a contained bug would end the host program"
        );
        std::process::exit(1);
    }
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libws.so.0");
    }
}
