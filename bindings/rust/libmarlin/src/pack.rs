//! Packing: weights of any source become packed bytes, once, for any number of multiplies.

use crate::handle::{number, size_of};
use crate::weights::Memory;
use crate::{
    sys, AlignedBytes, Array, Error, Handle, Layout, Order, Result, ScaleMethod, Source, Sparsity, Type, Weights,
};
use std::ffi::c_void;
use std::ptr;

/// For `group_size`: one scale a column.
pub const PER_COLUMN: i64 = sys::MARLIN_GROUP_PER_COLUMN as i64;

/// What is packed, and how it is stored. Every field but the dimensions has the library's default.
#[derive(Debug, Clone)]
pub struct PackOptions {
    source: Source,
    order: Order,
    k: i64,
    n: i64,
    ld_src: i64,
    group_size: i64,
    weight_type: Type,
    zero_type: Type,
    scale_type: Type,
    layout: Layout,
    scale_method: ScaleMethod,
    sparsity: Sparsity,
}

impl PackOptions {
    /// Weights of `k` input and `n` output features; `group_size` of 32, 64, 128 or [`PER_COLUMN`].
    pub fn new(k: usize, n: usize, group_size: i64) -> Self {
        Self {
            source: Source::Plain,
            order: Order::KxN,
            k: number(k),
            n: number(n),
            ld_src: 0,
            group_size,
            weight_type: Type::None,
            zero_type: Type::None,
            scale_type: Type::None,
            layout: Layout::Default,
            scale_method: ScaleMethod::MinMax,
            sparsity: Sparsity::Dense,
        }
    }

    /// How the source is arranged; plain otherwise.
    pub fn source(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    /// Plain sources: which index comes first; k otherwise.
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Plain sources: elements between rows, 0: tight.
    pub fn ld_src(mut self, ld_src: usize) -> Self {
        self.ld_src = number(ld_src);
        self
    }

    /// Stored: [`Type::S4`] or [`Type::U4`]; what the source holds otherwise (values: S4).
    pub fn weight_type(mut self, weight_type: Type) -> Self {
        self.weight_type = weight_type;
        self
    }

    /// Stored with U4: [`Type::U8`] zero points, or offsets of a float type; as the source otherwise.
    pub fn zero_type(mut self, zero_type: Type) -> Self {
        self.zero_type = zero_type;
        self
    }

    /// Stored: [`Type::F16`] or [`Type::Bf16`]; F16 otherwise.
    pub fn scale_type(mut self, scale_type: Type) -> Self {
        self.scale_type = scale_type;
        self
    }

    /// How the packed bytes are arranged; what the handle's device reads best otherwise.
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// How scales are computed where values are rounded.
    pub fn scale_method(mut self, scale_method: ScaleMethod) -> Self {
        self.scale_method = scale_method;
        self
    }

    /// Dense or 2:4.
    pub fn sparsity(mut self, sparsity: Sparsity) -> Self {
        self.sparsity = sparsity;
        self
    }

    fn desc(&self, input: &PackInput<'_>) -> sys::marlin_pack_desc {
        let plain = self.source == Source::Plain;
        let mut flags = 0;
        if input.g_idx.is_some() {
            flags |= sys::MARLIN_PACK_ACT_ORDER;
        }
        if input.column_scales.is_some() {
            flags |= sys::MARLIN_PACK_COLUMN_SCALES;
        }
        let none = Type::None.number();
        sys::marlin_pack_desc {
            struct_size: size_of::<sys::marlin_pack_desc>(),
            source: self.source.number(),
            src_type: if plain { input.src.code.number() } else { none },
            src_order: self.order.number(),
            src_scale_type: input.scales.map_or(none, |scales| scales.code.number()),
            src_zero_type: input.zeros.filter(|_| plain).map_or(none, |zeros| zeros.zero.number()),
            type_: self.weight_type.number(),
            zero_type: self.zero_type.number(),
            scale_type: self.scale_type.number(),
            layout: self.layout.number(),
            scale_method: self.scale_method.number(),
            sparsity: self.sparsity.number(),
            flags,
            k: self.k,
            n: self.n,
            ld_src: self.ld_src,
            group_size: self.group_size,
            ..Default::default()
        }
    }
}

/// The arrays that packing reads; [`Source`] says how each is arranged.
///
/// Values of a float type are rounded to codes here; codes (`i8` -8..7, `u8` 0..15, words) come with scales. Either all
/// arrays are host memory (slices), which a handle of any device takes, or all are memory of the handle
/// ([`Array::from_raw`]).
#[derive(Debug, Clone, Copy)]
pub struct PackInput<'a> {
    src: Array<'a>,
    scales: Option<Array<'a>>,
    zeros: Option<Array<'a>>,
    g_idx: Option<Array<'a>>,
    importance: Option<Array<'a>>,
    column_scales: Option<Array<'a>>,
}

impl<'a> PackInput<'a> {
    /// The weights: values, codes, or words of eight codes.
    pub fn new(src: impl Into<Array<'a>>) -> Self {
        Self { src: src.into(), scales: None, zeros: None, g_idx: None, importance: None, column_scales: None }
    }

    /// A factor for each group and column, of a float type; computed here otherwise, which takes values.
    pub fn scales(mut self, scales: impl Into<Array<'a>>) -> Self {
        self.scales = Some(scales.into());
        self
    }

    /// Integer zero points (`u8` 0..16, or words), or offsets of a float type.
    pub fn zeros(mut self, zeros: impl Into<Array<'a>>) -> Self {
        self.zeros = Some(zeros.into());
        self
    }

    /// Act-order: k entries of type `i32`, the group of each source row.
    pub fn g_idx(mut self, g_idx: impl Into<Array<'a>>) -> Self {
        self.g_idx = Some(g_idx.into());
        self
    }

    /// k weights >= 0 of type `f32`, one a source row, for rounding and 2:4 selection; all 1 otherwise.
    pub fn importance(mut self, importance: impl Into<Array<'a>>) -> Self {
        self.importance = Some(importance.into());
        self
    }

    /// n more factors of type `f32`, one a column, kept with the weights.
    pub fn column_scales(mut self, column_scales: impl Into<Array<'a>>) -> Self {
        self.column_scales = Some(column_scales.into());
        self
    }

    /// As C takes it; refuses what the C interface cannot express or check.
    fn to_c(self) -> Result<sys::marlin_pack_input> {
        let others = [
            ("scales", self.scales),
            ("zeros", self.zeros),
            ("g_idx", self.g_idx),
            ("importance", self.importance),
            ("column_scales", self.column_scales),
        ];
        let place = |on_host| if on_host { "host memory" } else { "raw memory" };
        for (name, array) in others {
            if let Some(array) = array.filter(|array| array.on_host != self.src.on_host) {
                return Err(Error::InvalidArgument(format!(
                    "{name} is {}, expected {} as src is",
                    place(array.on_host),
                    place(self.src.on_host)
                )));
            }
        }
        let kinds = [
            ("g_idx", self.g_idx, Type::None),
            ("importance", self.importance, Type::F32),
            ("column_scales", self.column_scales, Type::F32),
        ];
        for (name, array, expected) in kinds {
            if let Some(array) = array.filter(|array| array.code != expected) {
                return Err(Error::InvalidArgument(format!(
                    "{name} has elements of type {:?}, expected {}",
                    array.code,
                    if expected == Type::F32 { "f32" } else { "i32" }
                )));
            }
        }
        let data = |array: Option<Array<'_>>| array.map_or(ptr::null(), |array| array.data);
        let size = |array: Option<Array<'_>>| array.map_or(0, |array| array.size);
        Ok(sys::marlin_pack_input {
            struct_size: size_of::<sys::marlin_pack_input>(),
            memory: self.src.on_host.into(),
            src: self.src.data,
            src_size: self.src.size,
            scales: data(self.scales),
            scales_size: size(self.scales),
            zeros: data(self.zeros),
            zeros_size: size(self.zeros),
            g_idx: data(self.g_idx).cast(),
            g_idx_size: size(self.g_idx),
            importance: data(self.importance).cast(),
            importance_size: size(self.importance),
            column_scales: data(self.column_scales).cast(),
            column_scales_size: size(self.column_scales),
            ..Default::default()
        })
    }
}

impl Handle {
    /// The bytes that packing fills; an upper bound with `g_idx`, and for GPTQ and compressed-tensors words.
    pub fn pack_size(&self, options: &PackOptions, input: &PackInput<'_>) -> Result<usize> {
        let desc = options.desc(input);
        let mut size = 0;
        // SAFETY: the handle is alive, the struct says its size.
        self.check(unsafe { sys::marlin_pack_size(self.raw(), &desc, &mut size) })?;
        Ok(size)
    }

    /// Packs into host memory, which the result owns: for CPU handles. A handle of a GPU packs into its own memory, by
    /// [`Handle::pack_raw`].
    ///
    /// Errors: [`InvalidArgument`](Error::InvalidArgument) (also non-finite values, codes and zero points out of range:
    /// named with their position), [`NotSupported`](Error::NotSupported), [`NotSparse`](Error::NotSparse),
    /// [`OutOfMemory`](Error::OutOfMemory).
    pub fn pack(&self, options: &PackOptions, input: &PackInput<'_>) -> Result<Weights> {
        self.need_cpu("pack_raw")?;
        let mut packed = AlignedBytes::zeroed(self.pack_size(options, input)?)?;
        let size = packed.len();
        // SAFETY: the memory is `size` bytes of our own, and stays with the weights.
        let raw = unsafe { self.pack_to(options, input, packed.as_mut_ptr().cast(), size) }?;
        Ok(Weights::new(raw, Memory::Owned(packed)))
    }

    /// Packs into `packed_size` bytes of the handle's memory, 256-byte aligned, [`Handle::pack_size`] or more. The
    /// call has finished when it returns.
    ///
    /// Errors: as [`Handle::pack`], and [`DeviceError`](Error::DeviceError).
    ///
    /// # Safety
    /// The memory must be writable, not be the input, and stay as it is until the weights were dropped and every
    /// multiply by them has finished.
    pub unsafe fn pack_raw(
        &self,
        options: &PackOptions,
        input: &PackInput<'_>,
        packed: *mut c_void,
        packed_size: usize,
    ) -> Result<Weights> {
        // SAFETY: the caller vouches for the memory.
        let raw = unsafe { self.pack_to(options, input, packed, packed_size) }?;
        Ok(Weights::new(raw, Memory::Elsewhere))
    }

    unsafe fn pack_to(
        &self,
        options: &PackOptions,
        input: &PackInput<'_>,
        packed: *mut c_void,
        packed_size: usize,
    ) -> Result<sys::marlin_weights> {
        let desc = options.desc(input);
        let input = input.to_c()?;
        let mut weights = sys::marlin_weights { struct_size: size_of::<sys::marlin_weights>(), ..Default::default() };
        // SAFETY: the handle is alive, the structs say their sizes, slices give theirs, the caller vouches for the
        // rest.
        self.check(unsafe { sys::marlin_pack(self.raw(), &desc, &input, packed, packed_size, &mut weights) })?;
        Ok(weights)
    }

    /// Calls that take slices are for the CPU: a GPU would go on using them after the call.
    pub(crate) fn need_cpu(&self, other: &str) -> Result<()> {
        if self.on_cpu() {
            return Ok(());
        }
        Err(Error::InvalidArgument(format!("the handle is of a GPU, expected a CPU handle for slices: call {other}")))
    }
}
