//! cudarc's arrays as libmarlin's.

use cudarc::driver::{CudaSlice, CudaStream, CudaView, CudaViewMut, DevicePtr, SyncOnDrop};
use libmarlin::{Array, Element};

/// Device memory that a call reads: `CudaSlice`, `CudaView` and `CudaViewMut` of libmarlin's element types.
pub trait DeviceArray: sealed::Sealed {
    /// The array for work on a stream, which waits for earlier writers.
    ///
    /// # Safety
    /// It must be used by work of that stream only, and what is returned beside it dropped when the work is enqueued.
    unsafe fn array<'a>(&'a self, stream: &'a CudaStream) -> (Array<'a>, SyncOnDrop<'a>);
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! device_array {
    ($($array:ty),*) => {
        $(
            impl<T: Element> sealed::Sealed for $array {}
            impl<T: Element> DeviceArray for $array {
                unsafe fn array<'a>(&'a self, stream: &'a CudaStream) -> (Array<'a>, SyncOnDrop<'a>) {
                    let (address, guard) = self.device_ptr(stream);
                    // SAFETY: memory of that many elements, borrowed while the caller enqueues work; the guard then
                    // tells cudarc when the stream is done with it.
                    (unsafe { Array::from_raw(address as *const T, self.len()) }, guard)
                }
            }
        )*
    };
}

device_array!(CudaSlice<T>, CudaView<'_, T>, CudaViewMut<'_, T>);
