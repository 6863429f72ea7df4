//! Errors: the library's status as a variant, with the library's sentence.

use crate::sys;
use std::fmt;
use std::ptr;

/// What went wrong and who must act, with a sentence that has the name, the value and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The caller: a pointer, size, stride or enumerator is wrong.
    InvalidArgument(String),
    /// Valid, but this device or this version has nothing for it.
    NotSupported(String),
    /// The machine: an allocation failed.
    OutOfMemory(String),
    /// The caller: [`Handle::query`](crate::Handle::query) tells how much is needed.
    WorkspaceTooSmall(String),
    /// The data: packed weights are damaged or of a layout unknown to this version.
    BadPackedData(String),
    /// The data: source weights do not follow the 2:4 pattern.
    NotSparse(String),
    /// The machine: the CUDA runtime or driver reported an error, which may have come from earlier work.
    DeviceError(String),
    /// A bug in libmarlin: please report it with the text.
    InternalError(String),
    /// A status that a newer library has and this crate does not know: its number, and the sentence.
    Other(u32, String),
}

/// The result of everything that can fail.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The number that the C interface has for it, a `marlin_status`.
    pub fn status(&self) -> u32 {
        match self {
            Self::InvalidArgument(_) => sys::MARLIN_INVALID_ARGUMENT,
            Self::NotSupported(_) => sys::MARLIN_NOT_SUPPORTED,
            Self::OutOfMemory(_) => sys::MARLIN_OUT_OF_MEMORY,
            Self::WorkspaceTooSmall(_) => sys::MARLIN_WORKSPACE_TOO_SMALL,
            Self::BadPackedData(_) => sys::MARLIN_BAD_PACKED_DATA,
            Self::NotSparse(_) => sys::MARLIN_NOT_SPARSE,
            Self::DeviceError(_) => sys::MARLIN_DEVICE_ERROR,
            Self::InternalError(_) => sys::MARLIN_INTERNAL_ERROR,
            Self::Other(number, _) => *number,
        }
    }

    /// The name that the C interface has for it, such as `MARLIN_NOT_SUPPORTED`.
    pub fn name(&self) -> &'static str {
        // SAFETY: any number will do.
        crate::text::lasting(unsafe { sys::marlin_status_name(self.status()) })
    }

    /// The sentence: `desc.lda is 100, expected 0 or >= k = 4096`.
    pub fn text(&self) -> &str {
        match self {
            Self::InvalidArgument(text)
            | Self::NotSupported(text)
            | Self::OutOfMemory(text)
            | Self::WorkspaceTooSmall(text)
            | Self::BadPackedData(text)
            | Self::NotSparse(text)
            | Self::DeviceError(text)
            | Self::InternalError(text)
            | Self::Other(_, text) => text,
        }
    }

    fn new(status: sys::marlin_status, text: String) -> Self {
        match status {
            sys::MARLIN_INVALID_ARGUMENT => Self::InvalidArgument(text),
            sys::MARLIN_NOT_SUPPORTED => Self::NotSupported(text),
            sys::MARLIN_OUT_OF_MEMORY => Self::OutOfMemory(text),
            sys::MARLIN_WORKSPACE_TOO_SMALL => Self::WorkspaceTooSmall(text),
            sys::MARLIN_BAD_PACKED_DATA => Self::BadPackedData(text),
            sys::MARLIN_NOT_SPARSE => Self::NotSparse(text),
            sys::MARLIN_DEVICE_ERROR => Self::DeviceError(text),
            sys::MARLIN_INTERNAL_ERROR => Self::InternalError(text),
            number => Self::Other(number, text),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.text())
    }
}

impl std::error::Error for Error {}

/// What a call on `handle` came to; a null handle stands for calls that have none.
pub(crate) fn check(handle: sys::marlin_handle_t, status: sys::marlin_status) -> Result<()> {
    if status == sys::MARLIN_SUCCESS {
        return Ok(());
    }
    // SAFETY: NULL and 0 ask for the length only; then there is room for the text and its terminator.
    let text = unsafe {
        let length = sys::marlin_last_error(handle, ptr::null_mut(), 0);
        let mut text = vec![0u8; length + 1];
        sys::marlin_last_error(handle, text.as_mut_ptr().cast(), text.len());
        text.truncate(length);
        String::from_utf8_lossy(&text).into_owned()
    };
    Err(Error::new(status, text))
}
