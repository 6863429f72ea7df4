//! Packed weights, and attaching bytes that were packed before.

use crate::handle::size_of;
use crate::{sys, AlignedBytes, Device, Handle, Layout, Result, Type};
use std::ffi::c_void;
use std::fmt;
use std::slice;
use std::sync::Arc;

/// Who keeps the packed bytes.
pub(crate) enum Memory {
    Owned(AlignedBytes),
    /// Not a Box: bytes that lie in the owner itself are pointed into while it moves with the weights.
    Attached(Arc<dyn AsRef<[u8]> + Send + Sync>),
    /// The caller, who promised to.
    Elsewhere,
}

/// Packed weights: k input features, n output features, 4 bits each.
///
/// They are never changed, so any number of handles of the same device may multiply by them at once: they are [`Send`]
/// and [`Sync`].
///
/// ```
/// # use libmarlin::{Device, Gemm, Handle, PackInput, PackOptions};
/// # let w = vec![7.0f32; 64 * 8];
/// let weights = Handle::new(Device::Cpu)?.pack(&PackOptions::new(64, 8, 32), &PackInput::new(&w))?;
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         scope.spawn(|| {
///             let handle = Handle::new(Device::Cpu).unwrap();
///             let mut c = [0.0f32; 8];
///             handle.gemm(&Gemm::new(1), &[1.0f32; 64], &weights, &mut c).unwrap();
///             assert_eq!(c, [448.0; 8]);
///         });
///     }
/// });
/// # Ok::<(), libmarlin::Error>(())
/// ```
///
/// What they are attached to must therefore be both, too:
///
/// ```compile_fail,E0277
/// # use libmarlin::{AlignedBytes, Device, Handle};
/// # let handle = Handle::new(Device::Cpu)?;
/// # let bytes = AlignedBytes::zeroed(256)?;
/// struct Local(std::rc::Rc<AlignedBytes>);
/// impl AsRef<[u8]> for Local {
///     fn as_ref(&self) -> &[u8] {
///         &self.0
///     }
/// }
/// handle.attach(Local(bytes.into()))?; // `Rc<AlignedBytes>` cannot be sent between threads safely
/// # Ok::<(), libmarlin::Error>(())
/// ```
pub struct Weights {
    raw: sys::marlin_weights,
    memory: Memory,
}

// SAFETY: marlin.h: packed weights "may be shared by any number of handles of the same device", and functions may be
// called by any thread. The pointers lead into bytes that nobody changes; who keeps the bytes is Send.
unsafe impl Send for Weights {}
// SAFETY: as above; a shared reference only reads, and who keeps the bytes is Sync.
unsafe impl Sync for Weights {}

impl Weights {
    pub(crate) fn new(raw: sys::marlin_weights, memory: Memory) -> Self {
        Self { raw, memory }
    }

    /// The library's own description; it may be copied, and lives no longer than `self`.
    pub fn raw(&self) -> &sys::marlin_weights {
        &self.raw
    }

    /// Input features, as in the source.
    pub fn k(&self) -> usize {
        self.raw.k as usize
    }

    /// Output features.
    pub fn n(&self) -> usize {
        self.raw.n as usize
    }

    /// Consecutive packed rows that share a scale, or [`PER_COLUMN`](crate::PER_COLUMN).
    pub fn group_size(&self) -> i64 {
        self.raw.group_size
    }

    /// Rows as stored, with padding.
    pub fn k_packed(&self) -> usize {
        self.raw.k_packed as usize
    }

    /// Groups as stored: rows of the scales that [`Handle::unpack`] gives.
    pub fn groups_packed(&self) -> usize {
        if self.raw.group_size > 0 {
            (self.raw.k_packed / self.raw.group_size) as usize
        } else {
            1
        }
    }

    /// How the packed bytes are arranged.
    pub fn layout(&self) -> Layout {
        Layout::from_number(self.raw.layout)
    }

    /// [`Type::S4`] or [`Type::U4`].
    pub fn weight_type(&self) -> Type {
        Type::from_number(self.raw.type_)
    }

    /// [`Type::F16`] or [`Type::Bf16`].
    pub fn scale_type(&self) -> Type {
        Type::from_number(self.raw.scale_type)
    }

    /// [`Type::None`], [`Type::U8`] zero points, or offsets of a float type.
    pub fn zero_type(&self) -> Type {
        Type::from_number(self.raw.zero_type)
    }

    /// 2:4 sparse: multiplied by [`Handle::sp_gemm`].
    pub fn is_sparse(&self) -> bool {
        self.raw.flags & 1 != 0
    }

    /// Whether rows were sorted by group (act-order).
    pub fn is_act_order(&self) -> bool {
        !self.raw.perm.is_null()
    }

    /// Where the packed bytes lie.
    pub fn device(&self) -> Device {
        Device::from_number(self.raw.device)
    }

    /// The packed bytes, to be written to a file; `None` where they lie in memory of a GPU.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if self.device() != Device::Cpu {
            return None;
        }
        // SAFETY: host memory of that size, which `memory` keeps, or the caller of an unsafe function does.
        Some(unsafe { slice::from_raw_parts(self.raw.data.cast(), self.raw.data_size) })
    }
}

impl fmt::Debug for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = match &self.memory {
            Memory::Owned(bytes) => bytes.len(),
            Memory::Attached(owner) => (**owner).as_ref().len(),
            Memory::Elsewhere => 0,
        };
        f.debug_struct("Weights")
            .field("k", &self.k())
            .field("n", &self.n())
            .field("group_size", &self.group_size())
            .field("weight_type", &self.weight_type())
            .field("layout", &self.layout())
            .field("device", &self.device())
            .field("size", &self.raw.data_size)
            .field("bytes_kept", &kept)
            .finish()
    }
}

impl Handle {
    /// Reads packed bytes that were made here or elsewhere, and checks their checksums. They lie at an address that is
    /// a multiple of 256 ([`AlignedBytes`], a file in a memory map), and live as long as the weights: they are moved
    /// into them. For CPU handles; a handle of a GPU attaches its own memory by [`Handle::attach_raw`].
    ///
    /// Errors: [`BadPackedData`](crate::Error::BadPackedData) (damaged, truncated, or of an unknown layout),
    /// [`InvalidArgument`](crate::Error::InvalidArgument), [`OutOfMemory`](crate::Error::OutOfMemory).
    pub fn attach(&self, bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Weights> {
        self.need_cpu("attach_raw")?;
        let owner: Arc<dyn AsRef<[u8]> + Send + Sync> = Arc::new(bytes);
        let bytes = (*owner).as_ref();
        // SAFETY: the owner is kept with the weights, does not move, and nobody else can get at it.
        let raw = unsafe { self.attach_to(bytes.as_ptr().cast(), bytes.len()) }?;
        Ok(Weights::new(raw, Memory::Attached(owner)))
    }

    /// Reads packed bytes in memory of the handle, 256-byte aligned.
    ///
    /// Errors: as [`Handle::attach`], and [`DeviceError`](crate::Error::DeviceError).
    ///
    /// # Safety
    /// The memory must stay as it is until the weights were dropped and every multiply by them has finished.
    pub unsafe fn attach_raw(&self, packed: *const c_void, packed_size: usize) -> Result<Weights> {
        // SAFETY: the caller vouches for the memory.
        let raw = unsafe { self.attach_to(packed, packed_size) }?;
        Ok(Weights::new(raw, Memory::Elsewhere))
    }

    unsafe fn attach_to(&self, packed: *const c_void, packed_size: usize) -> Result<sys::marlin_weights> {
        let mut weights = sys::marlin_weights { struct_size: size_of::<sys::marlin_weights>(), ..Default::default() };
        // SAFETY: the handle is alive, the struct says its size, the caller vouches for the memory.
        self.check(unsafe { sys::marlin_weights_attach(self.raw(), packed, packed_size, &mut weights) })?;
        Ok(weights)
    }
}
