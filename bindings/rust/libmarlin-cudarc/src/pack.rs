//! Packing into device memory, from host or device memory.

use crate::{CudaHandle, DeviceArray, Result};
use cudarc::driver::{CudaSlice, DevicePtr, DevicePtrMut, SyncOnDrop};
use libmarlin::{Array, PackInput, PackOptions, Weights};

/// Packed weights in device memory of their own.
#[derive(Debug)]
pub struct CudaWeights {
    weights: Weights,
    pub(crate) packed: CudaSlice<u8>,
}

impl CudaWeights {
    /// Their description.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }
}

/// The arrays in device memory that packing reads; the fields are those of [`PackInput`].
#[derive(Clone, Copy)]
pub struct CudaPackInput<'a> {
    src: &'a dyn DeviceArray,
    scales: Option<&'a dyn DeviceArray>,
    zeros: Option<&'a dyn DeviceArray>,
    g_idx: Option<&'a dyn DeviceArray>,
    importance: Option<&'a dyn DeviceArray>,
    column_scales: Option<&'a dyn DeviceArray>,
}

impl<'a> CudaPackInput<'a> {
    /// The weights: values, codes, or words of eight codes.
    pub fn new(src: &'a dyn DeviceArray) -> Self {
        Self { src, scales: None, zeros: None, g_idx: None, importance: None, column_scales: None }
    }

    /// A factor for each group and column.
    pub fn scales(mut self, scales: &'a dyn DeviceArray) -> Self {
        self.scales = Some(scales);
        self
    }

    /// Zero points or offsets.
    pub fn zeros(mut self, zeros: &'a dyn DeviceArray) -> Self {
        self.zeros = Some(zeros);
        self
    }

    /// Act-order: the group of each source row, `i32`.
    pub fn g_idx(mut self, g_idx: &'a dyn DeviceArray) -> Self {
        self.g_idx = Some(g_idx);
        self
    }

    /// A weight for each source row, `f32`.
    pub fn importance(mut self, importance: &'a dyn DeviceArray) -> Self {
        self.importance = Some(importance);
        self
    }

    /// A factor more for each column, `f32`.
    pub fn column_scales(mut self, column_scales: &'a dyn DeviceArray) -> Self {
        self.column_scales = Some(column_scales);
        self
    }
}

impl CudaHandle {
    /// Packs slices of host memory. Errors: as `Handle::pack`.
    pub fn pack_from_host(&self, options: &PackOptions, input: &PackInput<'_>) -> Result<CudaWeights> {
        self.pack_into_new(options, input)
    }

    /// Reads packed bytes that were made here or elsewhere, such as a file. Errors: as `Handle::attach`.
    pub fn attach_from_host(&self, bytes: &[u8]) -> Result<CudaWeights> {
        let packed = self.stream.clone_htod(bytes)?;
        self.stream.synchronize()?;
        let weights = {
            let (address, _read) = packed.device_ptr(&self.stream);
            // SAFETY: as in `pack_into_new`.
            unsafe { self.handle.attach_raw(address as *const _, bytes.len()) }?
        };
        Ok(CudaWeights { weights, packed })
    }

    /// The packed bytes, to be written to a file.
    pub fn to_host(&self, weights: &CudaWeights) -> Result<Vec<u8>> {
        let mut bytes = self.stream.clone_dtoh(&weights.packed)?;
        bytes.truncate(weights.weights.raw().data_size);
        Ok(bytes)
    }

    fn pack_into_new(&self, options: &PackOptions, input: &PackInput<'_>) -> Result<CudaWeights> {
        let size = self.handle.pack_size(options, input)?;
        // SAFETY: packing writes the bytes before anyone reads them.
        let mut packed = unsafe { self.stream.alloc::<u8>(size) }?;
        // The memory is there in the order of the stream; packing finishes before it returns, in an order of its own.
        self.stream.synchronize()?;
        let weights = {
            let (address, _written) = packed.device_ptr_mut(&self.stream);
            // SAFETY: `size` bytes that are kept with the weights, and not freed while a stream still reads them, which
            // the multiplies tell cudarc.
            unsafe { self.handle.pack_raw(options, input, address as *mut _, size) }?
        };
        Ok(CudaWeights { weights, packed })
    }

    /// Packs device memory. The call has finished when it returns. Errors: as `Handle::pack`.
    pub fn pack(&self, options: &PackOptions, input: &CudaPackInput<'_>) -> Result<CudaWeights> {
        // SAFETY: for packing on this stream; a guard is kept for each array until that is over.
        let (src, _src) = unsafe { input.src.array(&self.stream) };
        let mut arrays = PackInput::new(src);
        let mut guards: Vec<SyncOnDrop<'_>> = Vec::new();
        type Put<'a> = fn(PackInput<'a>, Array<'a>) -> PackInput<'a>;
        let others: [(Option<&dyn DeviceArray>, Put<'_>); 5] = [
            (input.scales, PackInput::scales),
            (input.zeros, PackInput::zeros),
            (input.g_idx, PackInput::g_idx),
            (input.importance, PackInput::importance),
            (input.column_scales, PackInput::column_scales),
        ];
        for (array, put) in others {
            if let Some(array) = array {
                // SAFETY: as above.
                let (array, guard) = unsafe { array.array(&self.stream) };
                guards.push(guard);
                arrays = put(arrays, array);
            }
        }
        self.pack_into_new(options, &arrays)
    }
}
