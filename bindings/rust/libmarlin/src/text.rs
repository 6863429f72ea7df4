//! Texts of the C interface as Rust strings.

use std::ffi::{c_char, CStr};

/// A text that the library keeps as long as the process lives.
pub(crate) fn lasting(text: *const c_char) -> &'static str {
    // SAFETY: the library's constant texts end in a zero and are never freed.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or("text that is not UTF-8")
}

/// A text in an array of fixed size, up to its zero.
pub(crate) fn in_array(text: &[c_char]) -> String {
    let bytes: Vec<u8> = text.iter().take_while(|&&c| c != 0).map(|&c| c.to_ne_bytes()[0]).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
