//! Feature `dlopen`: opens libmarlin.so once, when it is first needed, and stands in for it where there is none.

use crate::bindings::{marlin_handle_t, marlin_status, Functions, MARLIN_NOT_SUPPORTED, MARLIN_VERSION};
use core::ffi::{c_char, c_int, c_void, CStr};
use std::sync::OnceLock;

extern "C" {
    fn dlopen(file: *const c_char, mode: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlerror() -> *const c_char;
}
const RTLD_NOW: c_int = 2;

/// As the loader finds it: LD_LIBRARY_PATH, the program's own run path, the system's folders.
const NAME: &str = concat!("libmarlin.so.", env!("CARGO_PKG_VERSION_MAJOR"), "\0");

/// An open library; never closed, since pointers into it live on.
pub(crate) struct Library(*mut c_void);

impl Library {
    fn open() -> Result<Self, String> {
        // SAFETY: NAME ends in a zero.
        let library = unsafe { dlopen(NAME.as_ptr().cast(), RTLD_NOW) };
        if library.is_null() {
            return Err(last_error());
        }
        Ok(Self(library))
    }

    /// The address of a symbol, whose name ends in a zero.
    pub(crate) fn symbol(&self, name: &'static str) -> Result<*mut c_void, String> {
        assert!(name.ends_with('\0'));
        // SAFETY: the library is open, and the name ends in a zero.
        let address = unsafe { dlsym(self.0, name.as_ptr().cast()) };
        if address.is_null() {
            return Err(last_error());
        }
        Ok(address)
    }
}

/// What the loader said about this thread's last failure.
fn last_error() -> String {
    // SAFETY: dlerror returns NULL or a text that lives until this thread's next call of the loader.
    unsafe {
        let text = dlerror();
        if text.is_null() {
            return "the loader gave no reason".into();
        }
        CStr::from_ptr(text).to_string_lossy().into_owned()
    }
}

struct State {
    functions: Functions,
    /// Why the functions are stand-ins.
    reason: Option<String>,
}

fn state() -> &'static State {
    static STATE: OnceLock<State> = OnceLock::new();
    STATE.get_or_init(|| match find() {
        Ok(functions) => State { functions, reason: None },
        Err(reason) => {
            let mut functions = Functions::missing();
            functions.marlin_last_error = missing_last_error;
            functions.marlin_status_name = missing_status_name;
            State { functions, reason: Some(reason) }
        }
    })
}

fn find() -> Result<Functions, String> {
    let failed = |text| format!("libmarlin could not be opened: {text}");
    let library = Library::open().map_err(failed)?;
    // SAFETY: a library of this name is libmarlin; marlin_version is the same in all its versions.
    let functions = unsafe { Functions::find(&library) }.map_err(failed)?;
    // SAFETY: marlin_version takes nothing and cannot fail.
    let version = unsafe { (functions.marlin_version)() };
    // While the major version is 0, a new minor version may change the interface.
    if i64::from(version) / 100 != i64::from(MARLIN_VERSION) / 100 {
        return Err(format!(
            "libmarlin could not be opened: its version is {version}, expected {} to {}",
            MARLIN_VERSION / 100 * 100,
            MARLIN_VERSION / 100 * 100 + 99
        ));
    }
    Ok(functions)
}

pub(crate) fn functions() -> &'static Functions {
    &state().functions
}

pub(crate) fn load() -> Result<(), &'static str> {
    match &state().reason {
        None => Ok(()),
        Some(reason) => Err(reason),
    }
}

/// What a function returns where there is no library.
pub(crate) trait Missing {
    fn missing() -> Self;
}

impl Missing for () {
    fn missing() {}
}
impl Missing for marlin_status {
    fn missing() -> Self {
        MARLIN_NOT_SUPPORTED
    }
}
impl Missing for c_int {
    fn missing() -> Self {
        0
    }
}
impl Missing for usize {
    fn missing() -> Self {
        0
    }
}
impl Missing for *const c_char {
    fn missing() -> Self {
        c"libmarlin could not be opened".as_ptr()
    }
}

/// As marlin_last_error: copies what fits, and returns the whole length.
unsafe extern "C" fn missing_last_error(_: marlin_handle_t, text: *mut c_char, size: usize) -> usize {
    let reason = load().err().unwrap_or_default();
    if !text.is_null() && size > 0 {
        let length = reason.len().min(size - 1);
        // SAFETY: the caller gave `size` bytes at `text`.
        unsafe {
            core::ptr::copy_nonoverlapping(reason.as_ptr(), text.cast(), length);
            *text.add(length) = 0;
        }
    }
    reason.len()
}

/// The one status that the stand-ins return.
unsafe extern "C" fn missing_status_name(_: marlin_status) -> *const c_char {
    c"MARLIN_NOT_SUPPORTED".as_ptr()
}
