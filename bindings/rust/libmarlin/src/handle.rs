//! The handle: a device with its threads, stream, workspace and options.

use crate::error::check;
use crate::{sys, text, CpuIsa, Device, Math, Result};
use std::ffi::c_void;
use std::ptr::{self, NonNull};

/// The number that C has for a size; what does not fit is refused there, as everything out of range.
pub(crate) fn number(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

pub(crate) fn size_of<T>() -> u32 {
    std::mem::size_of::<T>() as u32
}

/// What a handle is made for; every field's default is the library's.
#[derive(Debug, Clone)]
pub struct HandleOptions {
    device: Device,
    device_id: i32,
    num_threads: i32,
    stream: *mut c_void,
}

impl HandleOptions {
    /// A handle for a device of this kind.
    pub fn new(device: Device) -> Self {
        Self { device, device_id: 0, num_threads: 0, stream: ptr::null_mut() }
    }

    /// CUDA ordinal; 0 on the CPU.
    pub fn device_id(mut self, device_id: i32) -> Self {
        self.device_id = device_id;
        self
    }

    /// CPU: threads that a call may use, its caller among them; 0: one for each core that this process may run on.
    pub fn num_threads(mut self, num_threads: i32) -> Self {
        self.num_threads = num_threads;
        self
    }

    /// CUDA: the stream (a `CUstream` or `cudaStream_t`) that calls are enqueued on; null is the legacy default stream.
    ///
    /// # Safety
    /// The stream must belong to the device, and outlive the handle or be replaced in time.
    pub unsafe fn stream(mut self, stream: *mut c_void) -> Self {
        self.stream = stream;
        self
    }
}

/// What a handle really is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandleInfo {
    /// The device that was chosen, never [`Device::Default`].
    pub device: Device,
    /// CUDA ordinal; 0 on the CPU.
    pub device_id: i32,
    /// 90 for sm_90; 0 on the CPU.
    pub compute_capability: i32,
    /// 0 on the CPU.
    pub sm_count: i32,
    /// 0 on CUDA.
    pub num_threads: i32,
    /// In bytes.
    pub workspace_size: usize,
    /// "NVIDIA H200", or the CPU instruction set in use, such as "avx512_bf16".
    pub name: String,
}

/// A device with its threads, stream, workspace and options: what packs and multiplies.
///
/// A handle is used by one thread at a time, by any thread: it is [`Send`], so it can be moved to another thread or
/// kept in a `Mutex`,
///
/// ```
/// # use libmarlin::{Device, Handle};
/// let handle = Handle::new(Device::Cpu)?;
/// std::thread::spawn(move || handle.info().unwrap()).join().unwrap();
/// # Ok::<(), libmarlin::Error>(())
/// ```
///
/// and not [`Sync`]: a second thread that called it meanwhile would only get an error. Make a handle for each thread.
///
/// ```compile_fail,E0277
/// # use libmarlin::{Device, Handle};
/// let handle = Handle::new(Device::Cpu)?;
/// std::thread::scope(|scope| {
///     scope.spawn(|| handle.info().unwrap()); // `Handle` cannot be shared between threads safely
/// });
/// # Ok::<(), libmarlin::Error>(())
/// ```
///
/// Dropping it waits for its work.
#[derive(Debug)]
pub struct Handle {
    raw: NonNull<sys::marlin_handle>,
    device: Device,
}

// SAFETY: marlin.h: "a handle is used by one thread at a time (any thread ...)". Nothing in it is bound to the thread
// that made it. It is not Sync, which NonNull sees to.
unsafe impl Send for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: made by marlin_handle_create, destroyed once.
        unsafe { sys::marlin_handle_destroy(self.raw()) };
    }
}

impl Handle {
    /// Makes a handle with every other option at its default.
    ///
    /// Errors: [`NotSupported`](crate::Error::NotSupported) (no such device, or one that cannot be used; feature
    /// `dlopen`: no library), [`OutOfMemory`](crate::Error::OutOfMemory), [`DeviceError`](crate::Error::DeviceError).
    pub fn new(device: Device) -> Result<Self> {
        Self::with_options(&HandleOptions::new(device))
    }

    /// Makes a handle. Errors: as [`Handle::new`], and [`InvalidArgument`](crate::Error::InvalidArgument).
    pub fn with_options(options: &HandleOptions) -> Result<Self> {
        let desc = sys::marlin_handle_desc {
            struct_size: size_of::<sys::marlin_handle_desc>(),
            device: options.device.number(),
            device_id: options.device_id,
            num_threads: options.num_threads,
            stream: options.stream.cast(),
            ..Default::default()
        };
        let mut raw = ptr::null_mut();
        // SAFETY: both live for the call; the stream is vouched for by HandleOptions::stream.
        check(ptr::null_mut(), unsafe { sys::marlin_handle_create(&desc, &mut raw) })?;
        let raw = NonNull::new(raw).expect("marlin_handle_create succeeds with a handle");
        let mut handle = Self { raw, device: Device::Default };
        handle.device = handle.info()?.device;
        Ok(handle)
    }

    /// The handle of the C interface, for calls that this crate does not have; it stays this object's.
    pub fn raw(&self) -> *mut sys::marlin_handle {
        self.raw.as_ptr()
    }

    pub(crate) fn check(&self, status: sys::marlin_status) -> Result<()> {
        check(self.raw(), status)
    }

    pub(crate) fn on_cpu(&self) -> bool {
        self.device == Device::Cpu
    }

    /// The device that was chosen, and how it is used.
    pub fn info(&self) -> Result<HandleInfo> {
        let mut info =
            sys::marlin_handle_info { struct_size: size_of::<sys::marlin_handle_info>(), ..Default::default() };
        // SAFETY: the handle is alive, the struct says its size.
        self.check(unsafe { sys::marlin_handle_get_info(self.raw(), &mut info) })?;
        Ok(HandleInfo {
            device: Device::from_number(info.device),
            device_id: info.device_id,
            compute_capability: info.compute_capability,
            sm_count: info.sm_count,
            num_threads: info.num_threads,
            workspace_size: info.workspace_size,
            name: text::in_array(&info.name),
        })
    }

    /// CUDA: enqueues later calls on another stream, ordered after what is on the old one. CPU: null.
    ///
    /// # Safety
    /// The stream must belong to the device, and outlive the handle or be replaced in time.
    pub unsafe fn set_stream(&self, stream: *mut c_void) -> Result<()> {
        // SAFETY: the handle is alive; the caller vouches for the stream.
        self.check(unsafe { sys::marlin_handle_set_stream(self.raw(), stream.cast()) })
    }

    /// The stream that calls are enqueued on; null on the CPU.
    pub fn stream(&self) -> Result<*mut c_void> {
        let mut stream = ptr::null_mut();
        // SAFETY: the handle is alive, the result has room.
        self.check(unsafe { sys::marlin_handle_get_stream(self.raw(), &mut stream) })?;
        Ok(stream.cast())
    }

    /// Replaces the workspace by `size` bytes of the handle's memory, 256-byte aligned; null and 0: the library's own.
    ///
    /// # Safety
    /// The memory must be the handle's alone until the handle is dropped or given another.
    pub unsafe fn set_workspace(&self, workspace: *mut c_void, size: usize) -> Result<()> {
        // SAFETY: the handle is alive; the caller vouches for the memory.
        self.check(unsafe { sys::marlin_handle_set_workspace(self.raw(), workspace, size) })
    }

    fn set_option(&self, option: sys::marlin_option, value: i64) -> Result<()> {
        // SAFETY: the handle is alive.
        self.check(unsafe { sys::marlin_handle_set_option(self.raw(), option, value) })
    }

    fn option(&self, option: sys::marlin_option) -> Result<i64> {
        let mut value = 0;
        // SAFETY: the handle is alive, the result has room.
        self.check(unsafe { sys::marlin_handle_get_option(self.raw(), option, &mut value) })?;
        Ok(value)
    }

    /// What a result's bits may depend on.
    pub fn set_math(&self, math: Math) -> Result<()> {
        self.set_option(sys::MARLIN_OPTION_MATH, math.number().into())
    }

    /// What a result's bits may depend on.
    pub fn math(&self) -> Result<Math> {
        Ok(Math::from_number(self.option(sys::MARLIN_OPTION_MATH)? as i32))
    }

    /// CUDA: use at most so many SMs, 0: all.
    pub fn set_sm_count(&self, count: i64) -> Result<()> {
        self.set_option(sys::MARLIN_OPTION_SM_COUNT, count)
    }

    /// CUDA: use at most so many SMs, 0: all.
    pub fn sm_count(&self) -> Result<i64> {
        self.option(sys::MARLIN_OPTION_SM_COUNT)
    }

    /// CPU: threads that a call may use, its caller among them; 0: one for each core that this process may run on.
    pub fn set_num_threads(&self, count: i64) -> Result<()> {
        self.set_option(sys::MARLIN_OPTION_NUM_THREADS, count)
    }

    /// CPU: threads that a call may use.
    pub fn num_threads(&self) -> Result<i64> {
        self.option(sys::MARLIN_OPTION_NUM_THREADS)
    }

    /// CPU: the highest instruction set to use.
    pub fn set_cpu_isa(&self, isa: CpuIsa) -> Result<()> {
        self.set_option(sys::MARLIN_OPTION_CPU_ISA, isa.number().into())
    }

    /// CPU: the highest instruction set to use.
    pub fn cpu_isa(&self) -> Result<CpuIsa> {
        Ok(CpuIsa::from_number(self.option(sys::MARLIN_OPTION_CPU_ISA)? as i32))
    }

    /// Forces one kernel by its number ([`GemmInfo::kernel_number`](crate::GemmInfo)), 0: choose.
    pub fn set_kernel(&self, kernel_number: i64) -> Result<()> {
        self.set_option(sys::MARLIN_OPTION_KERNEL, kernel_number)
    }

    /// The kernel that is forced, 0: none.
    pub fn kernel(&self) -> Result<i64> {
        self.option(sys::MARLIN_OPTION_KERNEL)
    }

    /// CUDA: prefetch weights while the previous kernel of the stream ends; then no unfinished work of the stream may
    /// be writing the packed bytes.
    pub fn set_dependent_launch(&self, on: bool) -> Result<()> {
        self.set_option(sys::MARLIN_OPTION_DEPENDENT_LAUNCH, on.into())
    }

    /// CUDA: whether weights are prefetched while the previous kernel of the stream ends.
    pub fn dependent_launch(&self) -> Result<bool> {
        Ok(self.option(sys::MARLIN_OPTION_DEPENDENT_LAUNCH)? != 0)
    }
}
