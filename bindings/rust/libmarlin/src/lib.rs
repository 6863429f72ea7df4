//! Multiply activations by 4-bit weights, dense or 2:4 sparse, on the CPU and on NVIDIA GPUs: the safe interface of
//! libmarlin. C\[m, n\] = A\[m, k\] * W\[k, n\] + bias, where W is stored as 4-bit codes with a scale, and perhaps a
//! zero point or an offset, for each group of consecutive k.
//!
//! ```
//! use libmarlin::{Device, Gemm, Handle, Order, PackInput, PackOptions};
//!
//! let (k, n) = (256, 64);
//! let w: Vec<f32> = (0..k * n).map(|i| (i % 13) as f32 - 6.0).collect(); // n x k, as torch.nn.Linear has it
//! let handle = Handle::new(Device::Cpu)?;
//! let weights = handle.pack(&PackOptions::new(k, n, 128).order(Order::NxK), &PackInput::new(&w))?; // once a model
//!
//! let a = vec![1.0f32; 2 * k];
//! let mut c = vec![0.0f32; 2 * n];
//! handle.gemm(&Gemm::new(2), &a, &weights, &mut c)?; // as often as you like
//! assert_eq!(c[0], c[n]);
//! # Ok::<(), libmarlin::Error>(())
//! ```
//!
//! Slices are for CPU handles, where calls are done when they return. A multiply on a GPU is enqueued on a stream and
//! uses its memory afterwards, so it takes raw pointers and is `unsafe`: [`Handle::gemm_raw`]. The crate
//! `libmarlin-cudarc` makes it safe for the arrays and streams of cudarc.
//!
//! The C header marlin.h is the manual: names here are its names, and errors carry the library's own sentence. A handle
//! is used by one thread at a time, weights by any number of them: see [`Handle`] and [`Weights`].

mod element;
mod enums;
mod error;
mod gemm;
mod handle;
mod log;
mod memory;
mod pack;
mod text;
mod unpack;
mod weights;

pub use element::{Array, ArrayMut, Element, Float};
pub use enums::{CpuIsa, Device, Layout, LogLevel, Math, Order, ScaleMethod, Source, Sparsity, Type};
pub use error::{Error, Result};
pub use gemm::{Gemm, GemmInfo};
pub use half::{bf16, f16};
pub use handle::{Handle, HandleInfo, HandleOptions};
pub use libmarlin_sys as sys;
pub use log::{set_log, LogReceiver};
pub use memory::AlignedBytes;
pub use pack::{PackInput, PackOptions, PER_COLUMN};
pub use unpack::Unpack;
pub use weights::Weights;

/// The version of the library loaded: 10000 * major + 100 * minor + patch.
pub fn version() -> i32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { sys::marlin_version() }
}

/// What the library says about its build: a JSON object with version, commit, cuda, architectures and cpu_kernels.
pub fn build_info() -> &'static str {
    // SAFETY: takes nothing and cannot fail.
    text::lasting(unsafe { sys::marlin_build_info() })
}
