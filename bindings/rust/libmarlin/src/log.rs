//! The library's log, of the whole process.

use crate::{sys, LogLevel};
use std::ffi::{c_char, c_void, CStr};
use std::panic;
use std::ptr;

/// Receives a message of the log, on the thread that made the call; it must not call the library with the same handle.
pub type LogReceiver = fn(LogLevel, &str);

/// Sets the receiver of the log, `None`: standard error. The level is off until it is set here or, before the first
/// handle, by the environment variable `MARLIN_LOG` (off, error, warning, calls).
pub fn set_log(receiver: Option<LogReceiver>, level: LogLevel) {
    let (function, user): (sys::marlin_log_fn, *mut c_void) = match receiver {
        Some(receiver) => (Some(forward), receiver as *mut c_void),
        None => (None, ptr::null_mut()),
    };
    // SAFETY: `forward` gets back the function that it is given here, which lives for ever.
    unsafe { sys::marlin_set_log(function, user, level.number() as sys::marlin_log_level) };
}

unsafe extern "C" fn forward(user: *mut c_void, level: sys::marlin_log_level, message: *const c_char) {
    // SAFETY: set_log put a LogReceiver there, which is a pointer to a function.
    let receiver = unsafe { std::mem::transmute::<*mut c_void, LogReceiver>(user) };
    // SAFETY: the message ends in a zero and lives until this returns.
    let message = unsafe { CStr::from_ptr(message) }.to_string_lossy();
    // A panic must not cross the C interface; it was reported on standard error.
    let _ = panic::catch_unwind(|| receiver(LogLevel::from_number(level as i32), &message));
}
