use std::ffi::c_char;

/// The version of this header; libws_version() is that of the library that runs.
pub const LIBWS_VERSION_MAJOR: u32 = 0;
/// Minor.
pub const LIBWS_VERSION_MINOR: u32 = 1;
/// Patch.
pub const LIBWS_VERSION_PATCH: u32 = 0;

/// major << 16 | minor << 8 | patch.
#[unsafe(no_mangle)]
pub extern "C" fn libws_version() -> u32 {
    LIBWS_VERSION_MAJOR << 16 | LIBWS_VERSION_MINOR << 8 | LIBWS_VERSION_PATCH
}

/// "0.1.0". Static.
#[unsafe(no_mangle)]
pub extern "C" fn libws_version_string() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_has_the_package_version() {
        let version = format!("{LIBWS_VERSION_MAJOR}.{LIBWS_VERSION_MINOR}.{LIBWS_VERSION_PATCH}");
        assert_eq!(version, env!("CARGO_PKG_VERSION"));
    }
}
