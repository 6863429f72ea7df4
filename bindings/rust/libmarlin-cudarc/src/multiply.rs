//! The multiplies on a stream.

use crate::{CudaHandle, CudaWeights, DeviceArray, Result};
use cudarc::driver::{DevicePtr, DevicePtrMut};
use libmarlin::{Float, Gemm};

/// The shape of a multiply, and its bias.
#[derive(Clone, Copy)]
pub struct CudaGemm<'a> {
    gemm: Gemm<'static>,
    bias: Option<&'a dyn DeviceArray>,
}

impl<'a> CudaGemm<'a> {
    /// `m` rows of activations, all rows tight, no bias.
    pub fn new(m: usize) -> Self {
        Self { gemm: Gemm::new(m), bias: None }
    }

    /// Elements between rows of A, at least k; 0: k.
    pub fn lda(mut self, lda: usize) -> Self {
        self.gemm = self.gemm.lda(lda);
        self
    }

    /// Elements between rows of C, at least n; 0: n.
    pub fn ldc(mut self, ldc: usize) -> Self {
        self.gemm = self.gemm.ldc(ldc);
        self
    }

    /// n values of a float type, added to every row.
    pub fn bias(mut self, bias: &'a dyn DeviceArray) -> Self {
        self.bias = Some(bias);
        self
    }
}

impl CudaHandle {
    /// Enqueues C\[m, n\] = A\[m, k\] * B + bias, B dense or 2:4 sparse: no allocation, no synchronisation.
    ///
    /// Errors: as `Handle::gemm_raw`, and `InvalidArgument` where an array is too short for the shape.
    pub fn gemm<A: Float, C: Float>(
        &self,
        gemm: &CudaGemm<'_>,
        a: &impl DevicePtr<A>,
        b: &CudaWeights,
        c: &mut impl DevicePtrMut<C>,
    ) -> Result<()> {
        let weights = b.weights();
        gemm.gemm.check_lengths(weights, a.len(), c.len())?;
        // SAFETY: for the multiply on this stream; the guard is kept until that is enqueued.
        let bias = gemm.bias.map(|bias| unsafe { bias.array(&self.stream) });
        let shape = match &bias {
            Some((array, _)) => gemm.gemm.bias(*array),
            None => gemm.gemm,
        };
        let (_, _packed) = b.packed.device_ptr(&self.stream);
        let (a, _a) = a.device_ptr(&self.stream);
        let (c, _c) = c.device_ptr_mut(&self.stream);
        // SAFETY: the arrays are large enough, C is borrowed alone, and the guards tell cudarc when the stream is done
        // with each of them.
        unsafe {
            if weights.is_sparse() {
                self.handle.sp_gemm_raw(&shape, a as *const A, weights, c as *mut C)?;
            } else {
                self.handle.gemm_raw(&shape, a as *const A, weights, c as *mut C)?;
            }
        }
        Ok(())
    }
}
