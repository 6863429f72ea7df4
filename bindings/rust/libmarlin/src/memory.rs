//! Host memory as packed weights need it: aligned to 256 bytes.

use crate::{Error, Result};
use std::alloc::{alloc_zeroed, dealloc, Layout};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::slice;

const ALIGNMENT: usize = 256;

/// Bytes at an address that is a multiple of 256: what packed weights must lie in.
///
/// Reading a file of packed weights into one, for [`Handle::attach`](crate::Handle::attach):
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::io::Read;
/// # use libmarlin::{AlignedBytes, Device, Handle, PackInput, PackOptions};
/// # let handle = Handle::new(Device::Cpu)?;
/// # let path = std::env::temp_dir().join(format!("aligned-bytes-{}", std::process::id()));
/// # let w = vec![1.0f32; 64 * 8];
/// # std::fs::write(&path, handle.pack(&PackOptions::new(64, 8, 32), &PackInput::new(&w))?.as_bytes().unwrap())?;
/// let mut file = std::fs::File::open(&path)?;
/// let mut bytes = AlignedBytes::zeroed(file.metadata()?.len() as usize)?;
/// file.read_exact(&mut bytes)?;
/// let weights = handle.attach(bytes)?;
/// assert_eq!((weights.k(), weights.n()), (64, 8));
/// # std::fs::remove_file(&path)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AlignedBytes {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: it owns plain bytes, as Vec<u8> does: any thread may read, write and free them.
unsafe impl Send for AlignedBytes {}
// SAFETY: a shared reference only reads.
unsafe impl Sync for AlignedBytes {}

impl AlignedBytes {
    /// `len` bytes, all zero.
    pub fn zeroed(len: usize) -> Result<Self> {
        let failed = || Error::OutOfMemory(format!("{len} bytes of host memory could not be allocated"));
        if len == 0 {
            return Ok(Self { start: NonNull::dangling(), len });
        }
        let layout = Layout::from_size_align(len, ALIGNMENT).map_err(|_| failed())?;
        // SAFETY: the size is not zero.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) }).ok_or_else(failed)?;
        Ok(Self { start, len })
    }

    /// A copy of bytes that lie anywhere.
    pub fn copy_of(bytes: &[u8]) -> Result<Self> {
        let mut copy = Self::zeroed(bytes.len())?;
        copy.copy_from_slice(bytes);
        Ok(copy)
    }
}

impl Drop for AlignedBytes {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: allocated by `zeroed` with this very layout, which was valid then.
            unsafe { dealloc(self.start.as_ptr(), Layout::from_size_align_unchecked(self.len, ALIGNMENT)) };
        }
    }
}

impl Deref for AlignedBytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: `len` initialised bytes of our own, or none.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl DerefMut for AlignedBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: `len` initialised bytes of our own, or none; `self` is borrowed mutably.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl AsRef<[u8]> for AlignedBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}
