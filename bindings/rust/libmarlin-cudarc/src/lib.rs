//! libmarlin on the arrays and streams of cudarc: device memory in and out by `CudaSlice` and its views, work enqueued
//! on a `CudaStream`, nothing `unsafe`.
//!
//! cudarc orders streams by events. A multiply here waits for earlier writers of its arrays and is waited for by later
//! users, as cudarc's own calls are.
//!
//! ```no_run
//! use cudarc::driver::CudaContext;
//! use libmarlin::{f16, PackInput, PackOptions};
//! use libmarlin_cudarc::{CudaGemm, CudaHandle};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let stream = CudaContext::new(0)?.default_stream();
//! let handle = CudaHandle::new(&stream)?;
//! let w = vec![f16::ONE; 4096 * 4096];
//! let weights = handle.pack_from_host(&PackOptions::new(4096, 4096, 128), &PackInput::new(&w))?;
//!
//! let a = stream.clone_htod(&vec![f16::ONE; 16 * 4096])?;
//! let mut c = stream.alloc_zeros::<f16>(16 * 4096)?;
//! handle.gemm(&CudaGemm::new(16), &a, &weights, &mut c)?;
//! # Ok(())
//! # }
//! ```

mod arrays;
mod error;
mod multiply;
mod pack;

pub use arrays::DeviceArray;
pub use cudarc;
pub use error::{Error, Result};
pub use multiply::CudaGemm;
pub use pack::{CudaPackInput, CudaWeights};

use cudarc::driver::CudaStream;
use libmarlin::{Device, Handle, HandleOptions};
use std::ffi::c_void;
use std::sync::Arc;

/// A libmarlin handle of the stream's GPU that enqueues its work there.
///
/// As [`Handle`], it is used by one thread at a time: [`Send`], and not [`Sync`].
///
/// ```compile_fail,E0277
/// fn share(_: impl Sync) {}
/// fn check(handle: libmarlin_cudarc::CudaHandle) {
///     share(handle); // cannot be shared between threads safely
/// }
/// ```
#[derive(Debug)]
pub struct CudaHandle {
    // Before the stream: dropping the handle waits for its work there.
    handle: Handle,
    stream: Arc<CudaStream>,
}

impl CudaHandle {
    /// Makes a handle for the stream and its GPU.
    pub fn new(stream: &Arc<CudaStream>) -> Result<Self> {
        let ordinal = i32::try_from(stream.context().ordinal()).unwrap_or(i32::MAX);
        let raw: *mut c_void = stream.cu_stream().cast();
        // SAFETY: the stream belongs to this device, and is kept until the handle was dropped.
        let options = unsafe { HandleOptions::new(Device::Cuda).device_id(ordinal).stream(raw) };
        Ok(Self { handle: Handle::with_options(&options)?, stream: stream.clone() })
    }

    /// The handle itself, for its options and `info`.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The stream that work is enqueued on.
    pub fn stream(&self) -> &Arc<CudaStream> {
        &self.stream
    }
}
