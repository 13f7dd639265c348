//! What comes from C: pointers, lengths and structs, checked before anything reads them.

use std::ffi::{CStr, c_char, c_void};

use super::types::LIBWS_UNCOMPRESSED;
use crate::error::{Error, ErrorCode, Result};
use crate::proto::Kind;
use crate::roles::write::Form;

/// An option struct: its first field says how long the caller's version of it is.
///
/// # Safety
/// `#[repr(C)]`, its first field is `struct_size: usize`, and all-zero bytes are a valid value.
pub unsafe trait Growable: Copy {}

/// Reads an option struct; None for NULL. A shorter one than ours ends in zeros, a longer one must.
///
/// # Safety
/// `pointer` is NULL or points to as many readable bytes as its first field says.
pub unsafe fn options<T: Growable>(pointer: *const T, name: &str) -> Result<Option<T>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: by the contract the first field is readable.
    let size = unsafe { pointer.cast::<usize>().read_unaligned() };
    check_size(size, name)?;
    let own = size_of::<T>();
    if size > own {
        // SAFETY: by the contract `size` bytes are readable.
        let tail = unsafe { std::slice::from_raw_parts(pointer.cast::<u8>().add(own), size - own) };
        if tail.iter().any(|&byte| byte != 0) {
            let what = format!("{name} has fields that this version of the library does not know");
            return Err(Error::new(ErrorCode::Unsupported, what));
        }
    }
    let mut value = std::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: both sides are valid for that many bytes, and zeros are a valid T.
    unsafe {
        let len = size.min(own);
        std::ptr::copy_nonoverlapping(pointer.cast::<u8>(), value.as_mut_ptr().cast::<u8>(), len);
        Ok(Some(value.assume_init()))
    }
}

/// No struct of this library will ever be longer: a bigger number is a mistake, not a newer version.
const LONGEST: usize = 4096;

fn check_size(size: usize, name: &str) -> Result<()> {
    if (size_of::<usize>()..=LONGEST).contains(&size) {
        return Ok(());
    }
    Err(Error::invalid(format!("{name}: struct_size is {size}; set it to sizeof the struct")))
}

/// Writes a struct to a caller whose version of it may be shorter than ours.
///
/// # Safety
/// `out` is NULL or points to as many writable bytes as its first field says.
pub unsafe fn write_out<T: Growable>(out: *mut T, mut value: T, name: &str) -> Result<()> {
    if out.is_null() {
        return Err(Error::invalid(format!("{name} is NULL")));
    }
    // SAFETY: by the contract the first field is readable.
    let size = unsafe { out.cast::<usize>().read_unaligned() };
    check_size(size, name)?;
    let len = size.min(size_of::<T>());
    // SAFETY: the first field of T is its size, which stays as the caller set it.
    unsafe {
        (&raw mut value).cast::<usize>().write_unaligned(size);
        std::ptr::copy_nonoverlapping((&raw const value).cast::<u8>(), out.cast::<u8>(), len);
    }
    Ok(())
}

/// Text; None for NULL.
///
/// # Safety
/// `pointer` is NULL or a NUL-terminated string that nobody changes during the call.
pub unsafe fn text<'a>(pointer: *const c_char, name: &str) -> Result<Option<&'a str>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: by the contract.
    let bytes = unsafe { CStr::from_ptr(pointer) };
    bytes.to_str().map(Some).map_err(|_| Error::new(ErrorCode::Utf8, format!("{name} is not UTF-8")))
}

/// Text that must be there.
///
/// # Safety
/// As for [`text`].
pub unsafe fn required_text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str> {
    // SAFETY: the same contract.
    unsafe { text(pointer, name) }?.ok_or_else(|| Error::invalid(format!("{name} is NULL")))
}

/// Bytes; NULL is fine where `len` is 0.
///
/// # Safety
/// `data` is NULL or points to `len` bytes that nobody changes during the call.
pub unsafe fn bytes<'a>(data: *const c_void, len: usize) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Error::invalid(format!("data is NULL but len is {len}")));
    }
    if len > isize::MAX as usize {
        return Err(Error::invalid(format!("len {len} is more than any object can have")));
    }
    // SAFETY: by the contract; the length fits an object.
    Ok(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), len) })
}

/// Where a result goes.
///
/// # Safety
/// `out` is NULL or writable.
pub unsafe fn store<T>(out: *mut T, value: T, name: &str) -> Result<()> {
    if out.is_null() {
        return Err(Error::invalid(format!("{name} is NULL")));
    }
    // SAFETY: by the contract.
    unsafe { out.write_unaligned(value) };
    Ok(())
}

/// Refuses NULL where a result must go, before anything is done.
pub fn must_have<T>(out: *mut T, name: &str) -> Result<()> {
    if out.is_null() { Err(Error::invalid(format!("{name} is NULL"))) } else { Ok(()) }
}

/// Copies text with its NUL into the caller's buffer; returns its length.
///
/// # Safety
/// `out` points to `size` writable bytes, or is NULL.
pub unsafe fn copy_text(out: *mut c_char, size: usize, text: &str) -> Result<i32> {
    must_have(out, "out")?;
    if text.len() >= size {
        let what = format!("the buffer has {size} bytes, {} are needed", text.len() + 1);
        return Err(Error::new(ErrorCode::TooBig, what));
    }
    // SAFETY: by the contract, and the text with its NUL fits.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr(), out.cast::<u8>(), text.len());
        out.add(text.len()).write(0);
    }
    Ok(text.len() as i32)
}

/// A fixed array of characters, cut at a character's border and NUL-terminated.
pub fn fixed<const N: usize>(text: &str) -> [c_char; N] {
    let mut array = [0; N];
    let cut = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|&end| end < N).last();
    for (to, byte) in array.iter_mut().zip(&text.as_bytes()[..cut.unwrap_or(0)]) {
        *to = *byte as c_char;
    }
    array
}

/// A message's kind, maybe with LIBWS_UNCOMPRESSED.
pub fn form(number: i32) -> Result<Form> {
    let compress = number & LIBWS_UNCOMPRESSED == 0;
    let kind = match number & !LIBWS_UNCOMPRESSED {
        1 => Kind::Text,
        2 => Kind::Binary,
        _ => return Err(Error::invalid(format!("kind {number} is neither LIBWS_TEXT nor LIBWS_BINARY"))),
    };
    Ok(Form { kind, compress })
}

/// A flag that is 0 or 1.
pub fn flag(value: i32, name: &str) -> Result<bool> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Error::invalid(format!("{name} is {other}: 0 or 1"))),
    }
}
