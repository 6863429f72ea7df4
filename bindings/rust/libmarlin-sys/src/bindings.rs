// Made from marlin.h by the crate libmarlin-bindgen: do not edit.

pub const MARLIN_VERSION_MAJOR: u32 = 0;
pub const MARLIN_VERSION_MINOR: u32 = 1;
pub const MARLIN_VERSION_PATCH: u32 = 0;
pub const MARLIN_VERSION: u32 = 100;
pub const MARLIN_GROUP_PER_COLUMN: i32 = -1;
#[repr(C)]
#[derive(Debug)]
pub struct marlin_handle {
    _unused: [u8; 0],
}
pub type marlin_handle_t = *mut marlin_handle;
#[repr(C)]
#[derive(Debug)]
pub struct CUstream_st {
    _unused: [u8; 0],
}
pub type marlin_stream_t = *mut CUstream_st;
pub const MARLIN_SUCCESS: marlin_status = 0;
pub const MARLIN_INVALID_ARGUMENT: marlin_status = 1;
pub const MARLIN_NOT_SUPPORTED: marlin_status = 2;
pub const MARLIN_OUT_OF_MEMORY: marlin_status = 3;
pub const MARLIN_WORKSPACE_TOO_SMALL: marlin_status = 4;
pub const MARLIN_BAD_PACKED_DATA: marlin_status = 5;
pub const MARLIN_NOT_SPARSE: marlin_status = 6;
pub const MARLIN_DEVICE_ERROR: marlin_status = 7;
pub const MARLIN_INTERNAL_ERROR: marlin_status = 8;
pub const MARLIN_STATUS_FORCE_32: marlin_status = 2147483647;
pub type marlin_status = ::core::ffi::c_uint;
pub const MARLIN_DEVICE_DEFAULT: marlin_device = 0;
pub const MARLIN_DEVICE_CUDA: marlin_device = 1;
pub const MARLIN_DEVICE_CPU: marlin_device = 2;
pub const MARLIN_DEVICE_FORCE_32: marlin_device = 2147483647;
pub type marlin_device = ::core::ffi::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct marlin_handle_desc {
    pub struct_size: u32,
    pub device: i32,
    pub device_id: i32,
    pub num_threads: i32,
    pub stream: marlin_stream_t,
    pub workspace: *mut ::core::ffi::c_void,
    pub workspace_size: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of marlin_handle_desc"][::core::mem::size_of::<marlin_handle_desc>() - 40usize];
    ["Alignment of marlin_handle_desc"][::core::mem::align_of::<marlin_handle_desc>() - 8usize];
    ["Offset of field: marlin_handle_desc::struct_size"]
        [::core::mem::offset_of!(marlin_handle_desc, struct_size) - 0usize];
    ["Offset of field: marlin_handle_desc::device"][::core::mem::offset_of!(marlin_handle_desc, device) - 4usize];
    ["Offset of field: marlin_handle_desc::device_id"][::core::mem::offset_of!(marlin_handle_desc, device_id) - 8usize];
    ["Offset of field: marlin_handle_desc::num_threads"]
        [::core::mem::offset_of!(marlin_handle_desc, num_threads) - 12usize];
    ["Offset of field: marlin_handle_desc::stream"][::core::mem::offset_of!(marlin_handle_desc, stream) - 16usize];
    ["Offset of field: marlin_handle_desc::workspace"]
        [::core::mem::offset_of!(marlin_handle_desc, workspace) - 24usize];
    ["Offset of field: marlin_handle_desc::workspace_size"]
        [::core::mem::offset_of!(marlin_handle_desc, workspace_size) - 32usize];
};
impl Default for marlin_handle_desc {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct marlin_handle_info {
    pub struct_size: u32,
    pub device: i32,
    pub device_id: i32,
    pub compute_capability: i32,
    pub sm_count: i32,
    pub num_threads: i32,
    pub workspace_size: usize,
    pub name: [::core::ffi::c_char; 64usize],
    pub reserved: [u64; 4usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of marlin_handle_info"][::core::mem::size_of::<marlin_handle_info>() - 128usize];
    ["Alignment of marlin_handle_info"][::core::mem::align_of::<marlin_handle_info>() - 8usize];
    ["Offset of field: marlin_handle_info::struct_size"]
        [::core::mem::offset_of!(marlin_handle_info, struct_size) - 0usize];
    ["Offset of field: marlin_handle_info::device"][::core::mem::offset_of!(marlin_handle_info, device) - 4usize];
    ["Offset of field: marlin_handle_info::device_id"][::core::mem::offset_of!(marlin_handle_info, device_id) - 8usize];
    ["Offset of field: marlin_handle_info::compute_capability"]
        [::core::mem::offset_of!(marlin_handle_info, compute_capability) - 12usize];
    ["Offset of field: marlin_handle_info::sm_count"][::core::mem::offset_of!(marlin_handle_info, sm_count) - 16usize];
    ["Offset of field: marlin_handle_info::num_threads"]
        [::core::mem::offset_of!(marlin_handle_info, num_threads) - 20usize];
    ["Offset of field: marlin_handle_info::workspace_size"]
        [::core::mem::offset_of!(marlin_handle_info, workspace_size) - 24usize];
    ["Offset of field: marlin_handle_info::name"][::core::mem::offset_of!(marlin_handle_info, name) - 32usize];
    ["Offset of field: marlin_handle_info::reserved"][::core::mem::offset_of!(marlin_handle_info, reserved) - 96usize];
};
impl Default for marlin_handle_info {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const MARLIN_OPTION_MATH: marlin_option = 1;
pub const MARLIN_OPTION_SM_COUNT: marlin_option = 2;
pub const MARLIN_OPTION_NUM_THREADS: marlin_option = 3;
pub const MARLIN_OPTION_CPU_ISA: marlin_option = 4;
pub const MARLIN_OPTION_KERNEL: marlin_option = 5;
pub const MARLIN_OPTION_DEPENDENT_LAUNCH: marlin_option = 6;
pub const MARLIN_OPTION_FORCE_32: marlin_option = 2147483647;
pub type marlin_option = ::core::ffi::c_uint;
pub const MARLIN_MATH_DEFAULT: marlin_math = 0;
pub const MARLIN_MATH_BATCH_INVARIANT: marlin_math = 1;
pub const MARLIN_MATH_FORCE_32: marlin_math = 2147483647;
pub type marlin_math = ::core::ffi::c_uint;
pub const MARLIN_CPU_ISA_BEST: marlin_cpu_isa = 0;
pub const MARLIN_CPU_ISA_REFERENCE: marlin_cpu_isa = 1;
pub const MARLIN_CPU_ISA_AVX2: marlin_cpu_isa = 2;
pub const MARLIN_CPU_ISA_AVX512: marlin_cpu_isa = 3;
pub const MARLIN_CPU_ISA_AVX512_BF16: marlin_cpu_isa = 4;
pub const MARLIN_CPU_ISA_FORCE_32: marlin_cpu_isa = 2147483647;
pub type marlin_cpu_isa = ::core::ffi::c_uint;
pub const MARLIN_TYPE_NONE: marlin_type = 0;
pub const MARLIN_TYPE_F16: marlin_type = 1;
pub const MARLIN_TYPE_BF16: marlin_type = 2;
pub const MARLIN_TYPE_F32: marlin_type = 3;
pub const MARLIN_TYPE_S4: marlin_type = 4;
pub const MARLIN_TYPE_U4: marlin_type = 5;
pub const MARLIN_TYPE_S8: marlin_type = 6;
pub const MARLIN_TYPE_F8E4M3: marlin_type = 7;
pub const MARLIN_TYPE_S3: marlin_type = 8;
pub const MARLIN_TYPE_U3: marlin_type = 9;
pub const MARLIN_TYPE_U8: marlin_type = 10;
pub const MARLIN_TYPE_FORCE_32: marlin_type = 2147483647;
pub type marlin_type = ::core::ffi::c_uint;
pub const MARLIN_LAYOUT_DEFAULT: marlin_layout = 0;
pub const MARLIN_LAYOUT_DENSE: marlin_layout = 1;
pub const MARLIN_LAYOUT_SPARSE24_DRAFT: marlin_layout = 4097;
pub const MARLIN_LAYOUT_CPU_DRAFT: marlin_layout = 4098;
pub const MARLIN_LAYOUT_CPU_SPARSE24_DRAFT: marlin_layout = 4099;
pub const MARLIN_LAYOUT_FORCE_32: marlin_layout = 2147483647;
pub type marlin_layout = ::core::ffi::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct marlin_weights {
    pub struct_size: u32,
    pub layout: i32,
    pub type_: i32,
    pub scale_type: i32,
    pub zero_type: i32,
    pub device: i32,
    pub device_id: i32,
    pub flags: u32,
    pub k: i64,
    pub n: i64,
    pub group_size: i64,
    pub k_packed: i64,
    pub data: *const ::core::ffi::c_void,
    pub data_size: usize,
    pub perm: *const i32,
    pub column_scales: *const f32,
    pub reserved: [u64; 8usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of marlin_weights"][::core::mem::size_of::<marlin_weights>() - 160usize];
    ["Alignment of marlin_weights"][::core::mem::align_of::<marlin_weights>() - 8usize];
    ["Offset of field: marlin_weights::struct_size"][::core::mem::offset_of!(marlin_weights, struct_size) - 0usize];
    ["Offset of field: marlin_weights::layout"][::core::mem::offset_of!(marlin_weights, layout) - 4usize];
    ["Offset of field: marlin_weights::type_"][::core::mem::offset_of!(marlin_weights, type_) - 8usize];
    ["Offset of field: marlin_weights::scale_type"][::core::mem::offset_of!(marlin_weights, scale_type) - 12usize];
    ["Offset of field: marlin_weights::zero_type"][::core::mem::offset_of!(marlin_weights, zero_type) - 16usize];
    ["Offset of field: marlin_weights::device"][::core::mem::offset_of!(marlin_weights, device) - 20usize];
    ["Offset of field: marlin_weights::device_id"][::core::mem::offset_of!(marlin_weights, device_id) - 24usize];
    ["Offset of field: marlin_weights::flags"][::core::mem::offset_of!(marlin_weights, flags) - 28usize];
    ["Offset of field: marlin_weights::k"][::core::mem::offset_of!(marlin_weights, k) - 32usize];
    ["Offset of field: marlin_weights::n"][::core::mem::offset_of!(marlin_weights, n) - 40usize];
    ["Offset of field: marlin_weights::group_size"][::core::mem::offset_of!(marlin_weights, group_size) - 48usize];
    ["Offset of field: marlin_weights::k_packed"][::core::mem::offset_of!(marlin_weights, k_packed) - 56usize];
    ["Offset of field: marlin_weights::data"][::core::mem::offset_of!(marlin_weights, data) - 64usize];
    ["Offset of field: marlin_weights::data_size"][::core::mem::offset_of!(marlin_weights, data_size) - 72usize];
    ["Offset of field: marlin_weights::perm"][::core::mem::offset_of!(marlin_weights, perm) - 80usize];
    ["Offset of field: marlin_weights::column_scales"]
        [::core::mem::offset_of!(marlin_weights, column_scales) - 88usize];
    ["Offset of field: marlin_weights::reserved"][::core::mem::offset_of!(marlin_weights, reserved) - 96usize];
};
impl Default for marlin_weights {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const MARLIN_SOURCE_PLAIN: marlin_source = 0;
pub const MARLIN_SOURCE_GPTQ_V1: marlin_source = 1;
pub const MARLIN_SOURCE_GPTQ_V2: marlin_source = 2;
pub const MARLIN_SOURCE_AWQ: marlin_source = 3;
pub const MARLIN_SOURCE_COMPRESSED_TENSORS: marlin_source = 4;
pub const MARLIN_SOURCE_MARLIN: marlin_source = 5;
pub const MARLIN_SOURCE_MARLIN_24: marlin_source = 6;
pub const MARLIN_SOURCE_FORCE_32: marlin_source = 2147483647;
pub type marlin_source = ::core::ffi::c_uint;
pub const MARLIN_ORDER_KXN: marlin_order = 0;
pub const MARLIN_ORDER_NXK: marlin_order = 1;
pub const MARLIN_ORDER_FORCE_32: marlin_order = 2147483647;
pub type marlin_order = ::core::ffi::c_uint;
pub const MARLIN_SCALE_MIN_MAX: marlin_scale_method = 0;
pub const MARLIN_SCALE_LEAST_SQUARES: marlin_scale_method = 1;
pub const MARLIN_SCALE_FORCE_32: marlin_scale_method = 2147483647;
pub type marlin_scale_method = ::core::ffi::c_uint;
pub const MARLIN_SPARSITY_DENSE: marlin_sparsity = 0;
pub const MARLIN_SPARSITY_ALREADY_24: marlin_sparsity = 1;
pub const MARLIN_SPARSITY_SELECT_24: marlin_sparsity = 2;
pub const MARLIN_SPARSITY_FORCE_32: marlin_sparsity = 2147483647;
pub type marlin_sparsity = ::core::ffi::c_uint;
pub const MARLIN_PACK_ACT_ORDER: _bindgen_ty_1 = 1;
pub const MARLIN_PACK_COLUMN_SCALES: _bindgen_ty_1 = 2;
pub type _bindgen_ty_1 = ::core::ffi::c_uint;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct marlin_pack_desc {
    pub struct_size: u32,
    pub source: i32,
    pub src_type: i32,
    pub src_order: i32,
    pub src_scale_type: i32,
    pub src_zero_type: i32,
    pub type_: i32,
    pub zero_type: i32,
    pub scale_type: i32,
    pub layout: i32,
    pub scale_method: i32,
    pub sparsity: i32,
    pub flags: u32,
    pub reserved0: i32,
    pub k: i64,
    pub n: i64,
    pub ld_src: i64,
    pub group_size: i64,
    pub reserved: [u64; 6usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of marlin_pack_desc"][::core::mem::size_of::<marlin_pack_desc>() - 136usize];
    ["Alignment of marlin_pack_desc"][::core::mem::align_of::<marlin_pack_desc>() - 8usize];
    ["Offset of field: marlin_pack_desc::struct_size"][::core::mem::offset_of!(marlin_pack_desc, struct_size) - 0usize];
    ["Offset of field: marlin_pack_desc::source"][::core::mem::offset_of!(marlin_pack_desc, source) - 4usize];
    ["Offset of field: marlin_pack_desc::src_type"][::core::mem::offset_of!(marlin_pack_desc, src_type) - 8usize];
    ["Offset of field: marlin_pack_desc::src_order"][::core::mem::offset_of!(marlin_pack_desc, src_order) - 12usize];
    ["Offset of field: marlin_pack_desc::src_scale_type"]
        [::core::mem::offset_of!(marlin_pack_desc, src_scale_type) - 16usize];
    ["Offset of field: marlin_pack_desc::src_zero_type"]
        [::core::mem::offset_of!(marlin_pack_desc, src_zero_type) - 20usize];
    ["Offset of field: marlin_pack_desc::type_"][::core::mem::offset_of!(marlin_pack_desc, type_) - 24usize];
    ["Offset of field: marlin_pack_desc::zero_type"][::core::mem::offset_of!(marlin_pack_desc, zero_type) - 28usize];
    ["Offset of field: marlin_pack_desc::scale_type"][::core::mem::offset_of!(marlin_pack_desc, scale_type) - 32usize];
    ["Offset of field: marlin_pack_desc::layout"][::core::mem::offset_of!(marlin_pack_desc, layout) - 36usize];
    ["Offset of field: marlin_pack_desc::scale_method"]
        [::core::mem::offset_of!(marlin_pack_desc, scale_method) - 40usize];
    ["Offset of field: marlin_pack_desc::sparsity"][::core::mem::offset_of!(marlin_pack_desc, sparsity) - 44usize];
    ["Offset of field: marlin_pack_desc::flags"][::core::mem::offset_of!(marlin_pack_desc, flags) - 48usize];
    ["Offset of field: marlin_pack_desc::reserved0"][::core::mem::offset_of!(marlin_pack_desc, reserved0) - 52usize];
    ["Offset of field: marlin_pack_desc::k"][::core::mem::offset_of!(marlin_pack_desc, k) - 56usize];
    ["Offset of field: marlin_pack_desc::n"][::core::mem::offset_of!(marlin_pack_desc, n) - 64usize];
    ["Offset of field: marlin_pack_desc::ld_src"][::core::mem::offset_of!(marlin_pack_desc, ld_src) - 72usize];
    ["Offset of field: marlin_pack_desc::group_size"][::core::mem::offset_of!(marlin_pack_desc, group_size) - 80usize];
    ["Offset of field: marlin_pack_desc::reserved"][::core::mem::offset_of!(marlin_pack_desc, reserved) - 88usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct marlin_pack_input {
    pub struct_size: u32,
    pub memory: i32,
    pub src: *const ::core::ffi::c_void,
    pub src_size: usize,
    pub scales: *const ::core::ffi::c_void,
    pub scales_size: usize,
    pub zeros: *const ::core::ffi::c_void,
    pub zeros_size: usize,
    pub g_idx: *const i32,
    pub g_idx_size: usize,
    pub importance: *const f32,
    pub importance_size: usize,
    pub column_scales: *const f32,
    pub column_scales_size: usize,
    pub reserved: [u64; 4usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of marlin_pack_input"][::core::mem::size_of::<marlin_pack_input>() - 136usize];
    ["Alignment of marlin_pack_input"][::core::mem::align_of::<marlin_pack_input>() - 8usize];
    ["Offset of field: marlin_pack_input::struct_size"]
        [::core::mem::offset_of!(marlin_pack_input, struct_size) - 0usize];
    ["Offset of field: marlin_pack_input::memory"][::core::mem::offset_of!(marlin_pack_input, memory) - 4usize];
    ["Offset of field: marlin_pack_input::src"][::core::mem::offset_of!(marlin_pack_input, src) - 8usize];
    ["Offset of field: marlin_pack_input::src_size"][::core::mem::offset_of!(marlin_pack_input, src_size) - 16usize];
    ["Offset of field: marlin_pack_input::scales"][::core::mem::offset_of!(marlin_pack_input, scales) - 24usize];
    ["Offset of field: marlin_pack_input::scales_size"]
        [::core::mem::offset_of!(marlin_pack_input, scales_size) - 32usize];
    ["Offset of field: marlin_pack_input::zeros"][::core::mem::offset_of!(marlin_pack_input, zeros) - 40usize];
    ["Offset of field: marlin_pack_input::zeros_size"]
        [::core::mem::offset_of!(marlin_pack_input, zeros_size) - 48usize];
    ["Offset of field: marlin_pack_input::g_idx"][::core::mem::offset_of!(marlin_pack_input, g_idx) - 56usize];
    ["Offset of field: marlin_pack_input::g_idx_size"]
        [::core::mem::offset_of!(marlin_pack_input, g_idx_size) - 64usize];
    ["Offset of field: marlin_pack_input::importance"]
        [::core::mem::offset_of!(marlin_pack_input, importance) - 72usize];
    ["Offset of field: marlin_pack_input::importance_size"]
        [::core::mem::offset_of!(marlin_pack_input, importance_size) - 80usize];
    ["Offset of field: marlin_pack_input::column_scales"]
        [::core::mem::offset_of!(marlin_pack_input, column_scales) - 88usize];
    ["Offset of field: marlin_pack_input::column_scales_size"]
        [::core::mem::offset_of!(marlin_pack_input, column_scales_size) - 96usize];
    ["Offset of field: marlin_pack_input::reserved"][::core::mem::offset_of!(marlin_pack_input, reserved) - 104usize];
};
impl Default for marlin_pack_input {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct marlin_unpack_desc {
    pub struct_size: u32,
    pub dst_type: i32,
    pub dst_order: i32,
    pub reserved0: i32,
    pub ld_dst: i64,
    pub dst: *mut ::core::ffi::c_void,
    pub dst_size: usize,
    pub scales: *mut ::core::ffi::c_void,
    pub scales_size: usize,
    pub zeros: *mut ::core::ffi::c_void,
    pub zeros_size: usize,
    pub reserved: [u64; 4usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of marlin_unpack_desc"][::core::mem::size_of::<marlin_unpack_desc>() - 104usize];
    ["Alignment of marlin_unpack_desc"][::core::mem::align_of::<marlin_unpack_desc>() - 8usize];
    ["Offset of field: marlin_unpack_desc::struct_size"]
        [::core::mem::offset_of!(marlin_unpack_desc, struct_size) - 0usize];
    ["Offset of field: marlin_unpack_desc::dst_type"][::core::mem::offset_of!(marlin_unpack_desc, dst_type) - 4usize];
    ["Offset of field: marlin_unpack_desc::dst_order"][::core::mem::offset_of!(marlin_unpack_desc, dst_order) - 8usize];
    ["Offset of field: marlin_unpack_desc::reserved0"]
        [::core::mem::offset_of!(marlin_unpack_desc, reserved0) - 12usize];
    ["Offset of field: marlin_unpack_desc::ld_dst"][::core::mem::offset_of!(marlin_unpack_desc, ld_dst) - 16usize];
    ["Offset of field: marlin_unpack_desc::dst"][::core::mem::offset_of!(marlin_unpack_desc, dst) - 24usize];
    ["Offset of field: marlin_unpack_desc::dst_size"][::core::mem::offset_of!(marlin_unpack_desc, dst_size) - 32usize];
    ["Offset of field: marlin_unpack_desc::scales"][::core::mem::offset_of!(marlin_unpack_desc, scales) - 40usize];
    ["Offset of field: marlin_unpack_desc::scales_size"]
        [::core::mem::offset_of!(marlin_unpack_desc, scales_size) - 48usize];
    ["Offset of field: marlin_unpack_desc::zeros"][::core::mem::offset_of!(marlin_unpack_desc, zeros) - 56usize];
    ["Offset of field: marlin_unpack_desc::zeros_size"]
        [::core::mem::offset_of!(marlin_unpack_desc, zeros_size) - 64usize];
    ["Offset of field: marlin_unpack_desc::reserved"][::core::mem::offset_of!(marlin_unpack_desc, reserved) - 72usize];
};
impl Default for marlin_unpack_desc {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct marlin_gemm_desc {
    pub struct_size: u32,
    pub a_type: i32,
    pub c_type: i32,
    pub bias_type: i32,
    pub m: i64,
    pub lda: i64,
    pub ldc: i64,
    pub bias: *const ::core::ffi::c_void,
    pub a_scales: *const f32,
    pub mask: *const ::core::ffi::c_void,
    pub reserved: [u64; 6usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of marlin_gemm_desc"][::core::mem::size_of::<marlin_gemm_desc>() - 112usize];
    ["Alignment of marlin_gemm_desc"][::core::mem::align_of::<marlin_gemm_desc>() - 8usize];
    ["Offset of field: marlin_gemm_desc::struct_size"][::core::mem::offset_of!(marlin_gemm_desc, struct_size) - 0usize];
    ["Offset of field: marlin_gemm_desc::a_type"][::core::mem::offset_of!(marlin_gemm_desc, a_type) - 4usize];
    ["Offset of field: marlin_gemm_desc::c_type"][::core::mem::offset_of!(marlin_gemm_desc, c_type) - 8usize];
    ["Offset of field: marlin_gemm_desc::bias_type"][::core::mem::offset_of!(marlin_gemm_desc, bias_type) - 12usize];
    ["Offset of field: marlin_gemm_desc::m"][::core::mem::offset_of!(marlin_gemm_desc, m) - 16usize];
    ["Offset of field: marlin_gemm_desc::lda"][::core::mem::offset_of!(marlin_gemm_desc, lda) - 24usize];
    ["Offset of field: marlin_gemm_desc::ldc"][::core::mem::offset_of!(marlin_gemm_desc, ldc) - 32usize];
    ["Offset of field: marlin_gemm_desc::bias"][::core::mem::offset_of!(marlin_gemm_desc, bias) - 40usize];
    ["Offset of field: marlin_gemm_desc::a_scales"][::core::mem::offset_of!(marlin_gemm_desc, a_scales) - 48usize];
    ["Offset of field: marlin_gemm_desc::mask"][::core::mem::offset_of!(marlin_gemm_desc, mask) - 56usize];
    ["Offset of field: marlin_gemm_desc::reserved"][::core::mem::offset_of!(marlin_gemm_desc, reserved) - 64usize];
};
impl Default for marlin_gemm_desc {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct marlin_gemm_info {
    pub struct_size: u32,
    pub tile_m: i32,
    pub tile_n: i32,
    pub tile_k: i32,
    pub stages: i32,
    pub blocks: i32,
    pub workspace_size: usize,
    pub kernel_number: i32,
    pub slow: i32,
    pub kernel: [::core::ffi::c_char; 64usize],
    pub why: [::core::ffi::c_char; 128usize],
    pub reserved: [u64; 4usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of marlin_gemm_info"][::core::mem::size_of::<marlin_gemm_info>() - 264usize];
    ["Alignment of marlin_gemm_info"][::core::mem::align_of::<marlin_gemm_info>() - 8usize];
    ["Offset of field: marlin_gemm_info::struct_size"][::core::mem::offset_of!(marlin_gemm_info, struct_size) - 0usize];
    ["Offset of field: marlin_gemm_info::tile_m"][::core::mem::offset_of!(marlin_gemm_info, tile_m) - 4usize];
    ["Offset of field: marlin_gemm_info::tile_n"][::core::mem::offset_of!(marlin_gemm_info, tile_n) - 8usize];
    ["Offset of field: marlin_gemm_info::tile_k"][::core::mem::offset_of!(marlin_gemm_info, tile_k) - 12usize];
    ["Offset of field: marlin_gemm_info::stages"][::core::mem::offset_of!(marlin_gemm_info, stages) - 16usize];
    ["Offset of field: marlin_gemm_info::blocks"][::core::mem::offset_of!(marlin_gemm_info, blocks) - 20usize];
    ["Offset of field: marlin_gemm_info::workspace_size"]
        [::core::mem::offset_of!(marlin_gemm_info, workspace_size) - 24usize];
    ["Offset of field: marlin_gemm_info::kernel_number"]
        [::core::mem::offset_of!(marlin_gemm_info, kernel_number) - 32usize];
    ["Offset of field: marlin_gemm_info::slow"][::core::mem::offset_of!(marlin_gemm_info, slow) - 36usize];
    ["Offset of field: marlin_gemm_info::kernel"][::core::mem::offset_of!(marlin_gemm_info, kernel) - 40usize];
    ["Offset of field: marlin_gemm_info::why"][::core::mem::offset_of!(marlin_gemm_info, why) - 104usize];
    ["Offset of field: marlin_gemm_info::reserved"][::core::mem::offset_of!(marlin_gemm_info, reserved) - 232usize];
};
impl Default for marlin_gemm_info {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const MARLIN_LOG_OFF: marlin_log_level = 0;
pub const MARLIN_LOG_ERROR: marlin_log_level = 1;
pub const MARLIN_LOG_WARNING: marlin_log_level = 2;
pub const MARLIN_LOG_CALLS: marlin_log_level = 3;
pub const MARLIN_LOG_FORCE_32: marlin_log_level = 2147483647;
pub type marlin_log_level = ::core::ffi::c_uint;
pub type marlin_log_fn = ::core::option::Option<
    unsafe extern "C" fn(user: *mut ::core::ffi::c_void, level: marlin_log_level, message: *const ::core::ffi::c_char),
>;
functions! {
    pub fn marlin_handle_create(desc: *const marlin_handle_desc, handle: *mut marlin_handle_t) -> marlin_status;
    pub fn marlin_handle_destroy(handle: marlin_handle_t);
    pub fn marlin_handle_get_info(handle: marlin_handle_t, info: *mut marlin_handle_info) -> marlin_status;
    pub fn marlin_handle_set_stream(handle: marlin_handle_t, stream: marlin_stream_t) -> marlin_status;
    pub fn marlin_handle_get_stream(handle: marlin_handle_t, stream: *mut marlin_stream_t) -> marlin_status;
    pub fn marlin_handle_set_workspace(
        handle: marlin_handle_t,
        workspace: *mut ::core::ffi::c_void,
        size: usize,
    ) -> marlin_status;
    pub fn marlin_handle_set_option(handle: marlin_handle_t, option: marlin_option, value: i64) -> marlin_status;
    pub fn marlin_handle_get_option(handle: marlin_handle_t, option: marlin_option, value: *mut i64) -> marlin_status;
    pub fn marlin_weights_attach(
        handle: marlin_handle_t,
        packed: *const ::core::ffi::c_void,
        packed_size: usize,
        weights: *mut marlin_weights,
    ) -> marlin_status;
    pub fn marlin_pack_size(handle: marlin_handle_t, desc: *const marlin_pack_desc, size: *mut usize) -> marlin_status;
    pub fn marlin_pack(
        handle: marlin_handle_t,
        desc: *const marlin_pack_desc,
        input: *const marlin_pack_input,
        packed: *mut ::core::ffi::c_void,
        packed_size: usize,
        weights: *mut marlin_weights,
    ) -> marlin_status;
    pub fn marlin_unpack(
        handle: marlin_handle_t,
        weights: *const marlin_weights,
        desc: *const marlin_unpack_desc,
    ) -> marlin_status;
    pub fn marlin_gemm_query(
        handle: marlin_handle_t,
        desc: *const marlin_gemm_desc,
        b: *const marlin_weights,
        info: *mut marlin_gemm_info,
    ) -> marlin_status;
    pub fn marlin_gemm(
        handle: marlin_handle_t,
        desc: *const marlin_gemm_desc,
        a: *const ::core::ffi::c_void,
        b: *const marlin_weights,
        c: *mut ::core::ffi::c_void,
    ) -> marlin_status;
    pub fn marlin_sp_gemm(
        handle: marlin_handle_t,
        desc: *const marlin_gemm_desc,
        a: *const ::core::ffi::c_void,
        b: *const marlin_weights,
        c: *mut ::core::ffi::c_void,
    ) -> marlin_status;
    pub fn marlin_status_name(status: marlin_status) -> *const ::core::ffi::c_char;
    pub fn marlin_status_string(status: marlin_status) -> *const ::core::ffi::c_char;
    pub fn marlin_last_error(handle: marlin_handle_t, text: *mut ::core::ffi::c_char, size: usize) -> usize;
    pub fn marlin_version() -> ::core::ffi::c_int;
    pub fn marlin_build_info() -> *const ::core::ffi::c_char;
    pub fn marlin_set_log(fn_: marlin_log_fn, user: *mut ::core::ffi::c_void, level: marlin_log_level);
}
