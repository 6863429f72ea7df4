//! The multiplies: C = A * W + bias.

use crate::handle::{number, size_of};
use crate::{sys, text, Array, Error, Float, Handle, Result, Type, Weights};
use std::ptr;

/// The shape of a multiply, and its bias.
#[derive(Debug, Clone, Copy)]
pub struct Gemm<'a> {
    m: usize,
    lda: usize,
    ldc: usize,
    bias: Option<Array<'a>>,
}

impl<'a> Gemm<'a> {
    /// `m` rows of activations, all rows tight, no bias.
    pub fn new(m: usize) -> Self {
        Self { m, lda: 0, ldc: 0, bias: None }
    }

    /// Elements between rows of A, at least k; 0: k.
    pub fn lda(mut self, lda: usize) -> Self {
        self.lda = lda;
        self
    }

    /// Elements between rows of C, at least n; 0: n.
    pub fn ldc(mut self, ldc: usize) -> Self {
        self.ldc = ldc;
        self
    }

    /// n values of a float type, added to every row.
    pub fn bias(mut self, bias: impl Into<Array<'a>>) -> Self {
        self.bias = Some(bias.into());
        self
    }

    fn desc<A: Float, C: Float>(&self, weights: &Weights) -> Result<sys::marlin_gemm_desc> {
        if let Some(bias) = self.bias {
            let element = match bias.code {
                Type::F16 | Type::Bf16 => 2,
                Type::F32 => 4,
                other => {
                    let text = format!("bias has elements of type {other:?}, expected f16, bf16 or f32");
                    return Err(Error::InvalidArgument(text));
                }
            };
            need("bias", bias.size / element, Some(weights.n()), "n")?;
        }
        Ok(sys::marlin_gemm_desc {
            struct_size: size_of::<sys::marlin_gemm_desc>(),
            a_type: A::CODE.number(),
            c_type: C::CODE.number(),
            bias_type: self.bias.map_or(Type::None, |bias| bias.code).number(),
            m: number(self.m),
            lda: number(self.lda),
            ldc: number(self.ldc),
            bias: self.bias.map_or(ptr::null(), |bias| bias.data),
            ..Default::default()
        })
    }

    /// Whether an A and a C of so many elements are large enough; what a caller of the unsafe functions should know.
    pub fn check_lengths(&self, b: &Weights, a_len: usize, c_len: usize) -> Result<()> {
        need("a", a_len, self.extent(self.lda, b.k()), "(m - 1) * lda + k")?;
        need("c", c_len, self.extent(self.ldc, b.n()), "(m - 1) * ldc + n")
    }

    /// Elements from the first of a matrix of m rows to behind its last; `None` where that is more than there can be.
    fn extent(&self, ld: usize, row: usize) -> Option<usize> {
        match self.m {
            0 => Some(0),
            m => (m - 1).checked_mul(if ld == 0 { row } else { ld })?.checked_add(row),
        }
    }
}

fn need(name: &str, has: usize, needs: Option<usize>, why: &str) -> Result<()> {
    match needs {
        Some(needs) if has >= needs => Ok(()),
        Some(needs) => {
            Err(Error::InvalidArgument(format!("{name} has {has} elements, expected {why} = {needs} or more")))
        }
        None => Err(Error::InvalidArgument(format!("{name} has {has} elements, expected {why}, which overflows"))),
    }
}

/// The kernel that a multiply gets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GemmInfo {
    /// Rows of a tile of C.
    pub tile_m: i32,
    /// Columns of a tile of C.
    pub tile_n: i32,
    /// Input features that a tile is multiplied by at a time.
    pub tile_k: i32,
    /// Tiles of B that are loaded ahead.
    pub stages: i32,
    /// Blocks of a GPU, or parts of the work on a CPU.
    pub blocks: i32,
    /// Bytes that this multiply needs.
    pub workspace_size: usize,
    /// For [`Handle::set_kernel`].
    pub kernel_number: i32,
    /// Stable name, as in logs and benchmark results.
    pub kernel: String,
    /// Why the kernel is a slow fallback, where it is one.
    pub slow: Option<String>,
}

type Multiply = unsafe extern "C" fn(
    sys::marlin_handle_t,
    *const sys::marlin_gemm_desc,
    *const std::ffi::c_void,
    *const sys::marlin_weights,
    *mut std::ffi::c_void,
) -> sys::marlin_status;

impl Handle {
    /// C\[m, n\] = A\[m, k\] * B + bias, B dense: for CPU handles, done when it returns.
    ///
    /// A, C and the bias have types of their own; see `marlin_gemm` in marlin.h for the numbers.
    ///
    /// Errors: [`InvalidArgument`](Error::InvalidArgument), [`NotSupported`](Error::NotSupported),
    /// [`WorkspaceTooSmall`](Error::WorkspaceTooSmall), [`BadPackedData`](Error::BadPackedData).
    pub fn gemm<A: Float, C: Float>(&self, gemm: &Gemm<'_>, a: &[A], b: &Weights, c: &mut [C]) -> Result<()> {
        self.multiply_slices(sys::marlin_gemm, "gemm_raw", gemm, a, b, c)
    }

    /// The same with 2:4 sparse B.
    pub fn sp_gemm<A: Float, C: Float>(&self, gemm: &Gemm<'_>, a: &[A], b: &Weights, c: &mut [C]) -> Result<()> {
        self.multiply_slices(sys::marlin_sp_gemm, "sp_gemm_raw", gemm, a, b, c)
    }

    /// C\[m, n\] = A\[m, k\] * B + bias, B dense, with pointers to memory of the handle. On a GPU it is enqueued on the
    /// handle's stream: no allocation, no synchronisation, fit for CUDA graphs.
    ///
    /// Errors: as [`Handle::gemm`], and [`DeviceError`](Error::DeviceError).
    ///
    /// # Safety
    /// Until the stream has finished the multiply (CPU: until it returns), A, the bias and the packed bytes of B must
    /// stay as they are, nothing else may use C, and all must be as large as the shape says: m rows of `lda` (or k) and
    /// `ldc` (or n) elements.
    pub unsafe fn gemm_raw<A: Float, C: Float>(
        &self,
        gemm: &Gemm<'_>,
        a: *const A,
        b: &Weights,
        c: *mut C,
    ) -> Result<()> {
        // SAFETY: the caller's promise.
        unsafe { self.multiply(sys::marlin_gemm, gemm, a, b, c) }
    }

    /// The same with 2:4 sparse B.
    ///
    /// # Safety
    /// As [`Handle::gemm_raw`].
    pub unsafe fn sp_gemm_raw<A: Float, C: Float>(
        &self,
        gemm: &Gemm<'_>,
        a: *const A,
        b: &Weights,
        c: *mut C,
    ) -> Result<()> {
        // SAFETY: the caller's promise.
        unsafe { self.multiply(sys::marlin_sp_gemm, gemm, a, b, c) }
    }

    /// Would this multiply of an A by B to a C of these types run, with which kernel and how much workspace? Launches
    /// nothing. Errors: the multiply's.
    pub fn query<A: Float, C: Float>(&self, gemm: &Gemm<'_>, b: &Weights) -> Result<GemmInfo> {
        let desc = gemm.desc::<A, C>(b)?;
        let mut info = sys::marlin_gemm_info { struct_size: size_of::<sys::marlin_gemm_info>(), ..Default::default() };
        // SAFETY: handle and weights are alive, the structs say their sizes.
        self.check(unsafe { sys::marlin_gemm_query(self.raw(), &desc, b.raw(), &mut info) })?;
        Ok(GemmInfo {
            tile_m: info.tile_m,
            tile_n: info.tile_n,
            tile_k: info.tile_k,
            stages: info.stages,
            blocks: info.blocks,
            workspace_size: info.workspace_size,
            kernel_number: info.kernel_number,
            kernel: text::in_array(&info.kernel),
            slow: (info.slow != 0).then(|| text::in_array(&info.why)),
        })
    }

    fn multiply_slices<A: Float, C: Float>(
        &self,
        function: Multiply,
        other: &str,
        gemm: &Gemm<'_>,
        a: &[A],
        b: &Weights,
        c: &mut [C],
    ) -> Result<()> {
        self.need_cpu(other)?;
        if let Err(error) = gemm.check_lengths(b, a.len(), c.len()) {
            // Where the shape itself is wrong, that is what to say, in the library's words.
            self.query::<A, C>(gemm, b)?;
            return Err(error);
        }
        // SAFETY: both slices are as large as the shape says, borrowed for the call, and a CPU is done when it returns.
        unsafe { self.multiply(function, gemm, a.as_ptr(), b, c.as_mut_ptr()) }
    }

    unsafe fn multiply<A: Float, C: Float>(
        &self,
        function: Multiply,
        gemm: &Gemm<'_>,
        a: *const A,
        b: &Weights,
        c: *mut C,
    ) -> Result<()> {
        let desc = gemm.desc::<A, C>(b)?;
        // SAFETY: handle and weights are alive, the struct says its size; the caller vouches for the pointers.
        self.check(unsafe { function(self.raw(), &desc, a.cast(), b.raw(), c.cast()) })
    }
}
