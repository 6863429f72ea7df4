/*
 * marlin.h - the C interface of libmarlin, and its reference manual.
 *
 * libmarlin multiplies activations by 4-bit weights: C[m, n] = A[m, k] * W[k, n] + bias, where W is stored as 4-bit
 * codes with one scale (and perhaps a zero point or an offset) for each group of consecutive k. m counts tokens (rows
 * of A and C), k input features, n output features. A program makes a handle, packs its weights once, and multiplies:
 *
 *     marlin_handle_create -> marlin_pack_size -> marlin_pack -> marlin_gemm ... -> marlin_handle_destroy
 *
 * Link with what `pkg-config marlin` or the CMake target marlin::marlin says (libmarlin.a: `pkg-config --static`,
 * marlin::static). marlin.hpp has the same for C++17. Formats of other projects, with sources: docs/layouts.md.
 *
 * Conventions that hold for every function below:
 *  - Handle first, then descriptors, then inputs, outputs last. Sizes are in bytes, dimensions and strides in elements;
 *    a size follows the pointer that it belongs to. Matrices are row-major unless said otherwise.
 *  - A descriptor is plain data. Set struct_size = sizeof(the struct) and leave the rest zero: zero is the documented
 *    default of a field, or is refused where no default is sensible (group_size). Fields are only ever appended; a
 *    larger struct from a newer header is accepted as long as the tail that this library does not know is zero.
 *    Fields named reserved must be zero. Output structs need struct_size too; their known part is filled.
 *  - Every function that can fail returns a marlin_status. MARLIN_SUCCESS is 0. After any other status nothing was
 *    written to the outputs, nothing leaked, and the handle stays usable (but see MARLIN_DEVICE_ERROR);
 *    marlin_last_error has a sentence with the name, the value and what was expected.
 *  - Functions marked [async] enqueue on the handle's stream and return: they never allocate, never synchronise, leave
 *    the current CUDA device as found, and may be captured into a CUDA graph. On a CPU handle they return when done.
 *    Whatever their pointers lead to must stay, and stay unchanged, until the stream has done the work.
 *    All other functions have finished their work when they return.
 *  - The library keeps no pointer that a call was given, except a handle's stream and workspace, and the packed bytes
 *    that a marlin_weights describes. Who allocated memory frees it.
 *  - Threads: a handle is used by one thread at a time (any thread; a second one that enters meanwhile gets
 *    MARLIN_INVALID_ARGUMENT). Different handles are independent. Packed weights are never changed by a multiply and
 *    may be shared by any number of handles of the same device. Functions without a handle may be called by any thread.
 *  - After fork() the child must not use its parent's handles: MARLIN_INVALID_ARGUMENT.
 *  - "The handle's memory" is host memory for a CPU handle and memory of the handle's GPU (or managed memory) for a
 *    CUDA handle. A pointer of the wrong kind is MARLIN_INVALID_ARGUMENT, as far as the CUDA runtime can tell.
 *  - No exception, abort or exit crosses this interface.
 *  - k and n go from 1, m from 0, up to 2147483647 each. All size arithmetic is 64-bit and checked.
 */
#ifndef MARLIN_H
#define MARLIN_H

#include <stddef.h>
#include <stdint.h>

#define MARLIN_VERSION_MAJOR 0
#define MARLIN_VERSION_MINOR 1
#define MARLIN_VERSION_PATCH 0
/* 10000 * major + 100 * minor + patch. While major is 0, a new minor version may change this interface. */
#define MARLIN_VERSION (MARLIN_VERSION_MAJOR * 10000 + MARLIN_VERSION_MINOR * 100 + MARLIN_VERSION_PATCH)

#if defined(MARLIN_STATIC)
#define MARLIN_API
#elif defined(__GNUC__)
#define MARLIN_API __attribute__((visibility("default")))
#else
#define MARLIN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Handle ------------------------------------------------------------------------------------------------------ */

typedef struct marlin_handle *marlin_handle_t; /* opaque; destroyed once, by marlin_handle_destroy */
typedef struct CUstream_st *marlin_stream_t;   /* the same type as cudaStream_t and CUstream */

/* What happened, and who must act. */
typedef enum marlin_status {
    MARLIN_SUCCESS = 0,
    MARLIN_INVALID_ARGUMENT = 1,    /* the caller: a pointer, size, stride or enumerator is wrong */
    MARLIN_NOT_SUPPORTED = 2,       /* valid, but this device or this version has nothing for it */
    MARLIN_OUT_OF_MEMORY = 3,       /* the machine: an allocation failed */
    MARLIN_WORKSPACE_TOO_SMALL = 4, /* the caller: marlin_gemm_query tells how much is needed */
    MARLIN_BAD_PACKED_DATA = 5,     /* the data: packed weights are damaged or of a layout unknown to this version */
    MARLIN_NOT_SPARSE = 6,          /* the data: source weights do not follow the 2:4 pattern */
    MARLIN_DEVICE_ERROR = 7,        /* the machine: the CUDA runtime or driver reported an error, which may have come
                                       from earlier work. After an error that CUDA calls sticky every later call on
                                       that device fails the same way until the process ends */
    MARLIN_INTERNAL_ERROR = 8,      /* us: a bug in libmarlin, please report it with the text */
    MARLIN_STATUS_FORCE_32 = 0x7fffffff
} marlin_status;

typedef enum marlin_device {
    /* CUDA where the machine has an NVIDIA GPU, otherwise the CPU. A GPU that cannot be used (driver older than CUDA 13
     * needs, compute capability below 8.0) is MARLIN_NOT_SUPPORTED with the versions named, never a silent CPU. A
     * library built without CUDA has the CPU only. */
    MARLIN_DEVICE_DEFAULT = 0,
    MARLIN_DEVICE_CUDA = 1,
    MARLIN_DEVICE_CPU = 2,
    MARLIN_DEVICE_FORCE_32 = 0x7fffffff
} marlin_device;

/* What marlin_handle_create makes a handle of. */
typedef struct marlin_handle_desc {
    uint32_t struct_size;
    int32_t device;         /* marlin_device */
    int32_t device_id;      /* CUDA ordinal; 0 on the CPU */
    int32_t num_threads;    /* CPU: threads that a call may use, its caller among them; 0: one for each core that this
                               process may run on; at most 1024. CUDA: 0 */
    marlin_stream_t stream; /* CUDA: NULL is the legacy default stream. CPU: NULL */
    void *workspace;        /* in the handle's memory, 256-byte aligned, not shared with another handle in use; NULL:
                               the library allocates its own */
    size_t workspace_size;  /* 0 with NULL: the default, at most 64 MiB and enough for every call */
} marlin_handle_desc;

/* What the handle really is. */
typedef struct marlin_handle_info {
    uint32_t struct_size;
    int32_t device; /* the one chosen, never MARLIN_DEVICE_DEFAULT */
    int32_t device_id;
    int32_t compute_capability; /* 90 for sm_90; 0 on the CPU */
    int32_t sm_count;           /* 0 on the CPU */
    int32_t num_threads;        /* 0 on CUDA */
    size_t workspace_size;
    char name[64]; /* "NVIDIA H200", or the CPU instruction set in use, such as "avx512_bf16" */
    uint64_t reserved[4];
} marlin_handle_info;

/* Creates a handle. desc may be NULL: every field its default. Starts the CPU worker threads, or loads the CUDA kernels
 * of the device, so that the first multiply costs what the others do.
 * Errors: INVALID_ARGUMENT; NOT_SUPPORTED (no such device, or one that cannot be used); OUT_OF_MEMORY; DEVICE_ERROR. */
MARLIN_API marlin_status marlin_handle_create(const marlin_handle_desc *desc, marlin_handle_t *handle);

/* Waits for the handle's own work, then frees it. NULL is fine. In a forked child the handle's memory is left alone. */
MARLIN_API void marlin_handle_destroy(marlin_handle_t handle);

/* Fills info (its struct_size set by the caller). Errors: INVALID_ARGUMENT. */
MARLIN_API marlin_status marlin_handle_get_info(marlin_handle_t handle, marlin_handle_info *info);

/* The stream of later calls, which must stay until the handle is destroyed or given another; the handle does not own
 * it. CUDA: work already enqueued on the old stream is ordered before work on the new one (by an event, so neither
 * stream may be capturing). CPU: stream must be NULL. Errors: INVALID_ARGUMENT; DEVICE_ERROR. */
MARLIN_API marlin_status marlin_handle_set_stream(marlin_handle_t handle, marlin_stream_t stream);
/* The stream that was set, NULL: none was. Errors: INVALID_ARGUMENT. */
MARLIN_API marlin_status marlin_handle_get_stream(marlin_handle_t handle, marlin_stream_t *stream);

/* Replaces the workspace: scratch memory in the handle's memory, 256-byte aligned, whose content before and after is
 * nobody's business. It must stay until the handle is destroyed or given another. NULL and 0: the library's own.
 * The kernel chosen never depends on it; a call that needs more is MARLIN_WORKSPACE_TOO_SMALL.
 * Errors: INVALID_ARGUMENT (one without the other, alignment, memory of the wrong kind); OUT_OF_MEMORY, DEVICE_ERROR
 * (the library's own). */
MARLIN_API marlin_status marlin_handle_set_workspace(marlin_handle_t handle, void *workspace, size_t size);

/* What marlin_handle_set_option sets; all are 0 in a new handle, but NUM_THREADS, which is its description's. */
typedef enum marlin_option {
    MARLIN_OPTION_MATH = 1,             /* marlin_math */
    MARLIN_OPTION_SM_COUNT = 2,         /* CUDA: use at most so many SMs, 0: all. CPU: 0 */
    MARLIN_OPTION_NUM_THREADS = 3,      /* CPU: as in marlin_handle_desc. CUDA: 0 */
    MARLIN_OPTION_CPU_ISA = 4,          /* marlin_cpu_isa: the highest instruction set to use. CUDA: 0 */
    MARLIN_OPTION_KERNEL = 5,           /* force one kernel by its number (marlin_gemm_info), 0: choose; a kernel that
                                           cannot run a call makes it MARLIN_NOT_SUPPORTED */
    MARLIN_OPTION_DEPENDENT_LAUNCH = 6, /* CUDA, 0 or 1: a multiply begins, and prefetches weights, while the previous
                                           kernel of the stream ends, whoever launched it (programmatic dependent
                                           launch); then no unfinished work of the stream may be writing the packed
                                           bytes. A, bias, C and the workspace are touched only when all work before
                                           has ended. Before compute capability 9.0, and where A is gathered first, it
                                           changes nothing. The bits of C are the same */
    MARLIN_OPTION_FORCE_32 = 0x7fffffff
} marlin_option;

typedef enum marlin_math {
    MARLIN_MATH_DEFAULT = 0,         /* FP32 accumulation and reduction in a fixed order: same device, library, shape
                                        and options give the same bits, every run, with any number of threads */
    MARLIN_MATH_BATCH_INVARIANT = 1, /* and a row's bits do not depend on m or on the other rows (the CPU kernels always
                                        work so) */
    MARLIN_MATH_FORCE_32 = 0x7fffffff
} marlin_math;

typedef enum marlin_cpu_isa {
    MARLIN_CPU_ISA_BEST = 0,        /* the best that the machine has */
    MARLIN_CPU_ISA_REFERENCE = 1,   /* portable, slow and obvious: for checking */
    MARLIN_CPU_ISA_AVX2 = 2,        /* AVX2, FMA, F16C */
    MARLIN_CPU_ISA_AVX512 = 3,      /* AVX-512 F, BW, DQ, VL */
    MARLIN_CPU_ISA_AVX512_BF16 = 4, /* and AVX512_BF16 */
    MARLIN_CPU_ISA_FORCE_32 = 0x7fffffff
} marlin_cpu_isa;

/* Sets an option for later calls. Errors: INVALID_ARGUMENT (unknown option, value out of range or of the other kind of
 * device); NOT_SUPPORTED (the machine lacks that instruction set); OUT_OF_MEMORY (no more threads). */
MARLIN_API marlin_status marlin_handle_set_option(marlin_handle_t handle, marlin_option option, int64_t value);
/* Reads one back. Errors: INVALID_ARGUMENT (unknown option). */
MARLIN_API marlin_status marlin_handle_get_option(marlin_handle_t handle, marlin_option option, int64_t *value);

/* ---- Packed weights ---------------------------------------------------------------------------------------------- */

/* The type of one element; each function says which it takes. */
typedef enum marlin_type {
    MARLIN_TYPE_NONE = 0,
    MARLIN_TYPE_F16 = 1,  /* IEEE 754 binary16, two bytes */
    MARLIN_TYPE_BF16 = 2, /* the upper half of an FP32, two bytes */
    MARLIN_TYPE_F32 = 3,  /* IEEE 754 binary32, four bytes */
    MARLIN_TYPE_S4 = 4,   /* codes -8..7; where they stand one a byte: int8_t */
    MARLIN_TYPE_U4 = 5,   /* codes 0..15 with a zero point or an offset; one a byte: uint8_t */
    MARLIN_TYPE_S8 = 6,   /* numbers 6 to 9 are kept for later versions: MARLIN_NOT_SUPPORTED */
    MARLIN_TYPE_F8E4M3 = 7,
    MARLIN_TYPE_S3 = 8,
    MARLIN_TYPE_U3 = 9,
    MARLIN_TYPE_U8 = 10, /* integer zero points */
    MARLIN_TYPE_FORCE_32 = 0x7fffffff
} marlin_type;

/* How packed bytes are arranged (docs/layouts.md has the diagrams). A number below 0x1000 means the same bytes for
 * ever. Arrangements still being worked on are numbered from 0x1000; a version that changes one gives it a new number
 * and refuses the old one (MARLIN_BAD_PACKED_DATA) instead of misreading it: keep the source of draft weights. */
typedef enum marlin_layout {
    MARLIN_LAYOUT_DEFAULT = 0,             /* the handle's device decides, and dense or 2:4 */
    MARLIN_LAYOUT_DENSE = 1,               /* every NVIDIA kernel, small and large m */
    MARLIN_LAYOUT_SPARSE24_DRAFT = 0x1001, /* the same with 2:4 sparsity */
    MARLIN_LAYOUT_CPU_DRAFT = 0x1002,
    MARLIN_LAYOUT_CPU_SPARSE24_DRAFT = 0x1003,
    MARLIN_LAYOUT_FORCE_32 = 0x7fffffff
} marlin_layout;

#define MARLIN_GROUP_PER_COLUMN (-1) /* as a group_size: one group, one scale a column */

/* Packed bytes start with a 256-byte header (magic, layout, shape, sizes, checksums), so that they can be written to a
 * file, mapped again and attached without the source. They do not depend on the device or machine that packed them:
 * any handle packs, unpacks and reads every layout. This struct is the library's reading of the header; only
 * marlin_pack and marlin_weights_attach fill it. It may be copied; it owns nothing. */
typedef struct marlin_weights {
    uint32_t struct_size;
    int32_t layout;     /* marlin_layout */
    int32_t type;       /* S4 or U4 */
    int32_t scale_type; /* F16 or BF16 */
    int32_t zero_type;  /* NONE (S4): w = code * scale; U8: w = (code - zero) * scale with zero 0..16;
                           F16, BF16, F32: w = code * scale + offset (GGUF Q4_1, HQQ) */
    int32_t device;     /* where data lies: a handle of another device refuses it */
    int32_t device_id;
    uint32_t flags; /* bit 0: 2:4 sparse */
    int64_t k;      /* as in the source */
    int64_t n;
    int64_t group_size; /* consecutive packed rows that share a scale, or MARLIN_GROUP_PER_COLUMN */
    int64_t k_packed;   /* rows as stored, >= k: whole tiles, and act-order groups that are not full, are padded */
    const void *data;   /* the packed bytes, header first */
    size_t data_size;
    const int32_t *perm;        /* act-order: packed row i came from source row perm[i], -1: padding; NULL: in order */
    const float *column_scales; /* n more factors, one a column, for 8-bit activations; NULL: none. Weights that have
                                   them are MARLIN_NOT_SUPPORTED by the multiplies of this version */
    uint64_t reserved[8];       /* the library's */
} marlin_weights;

/* Reads the header of packed bytes that marlin_pack made, here or elsewhere, and checks the checksums of header and
 * body (one pass over the bytes). packed is in the handle's memory, 256-byte aligned, and must outlive weights and its
 * copies; packed_size may exceed what the header says.
 * Errors: INVALID_ARGUMENT; BAD_PACKED_DATA (damaged, truncated, or of an unknown layout); OUT_OF_MEMORY;
 * DEVICE_ERROR. */
MARLIN_API marlin_status marlin_weights_attach(marlin_handle_t handle, const void *packed, size_t packed_size,
                                               marlin_weights *weights);

/* How the source of marlin_pack is arranged. Groups below means ceil(k / group_size), 1 with one scale a column.
 * docs/layouts.md describes each, with the project that defined it.
 *
 *   source             src                                 scales            zeros (may be NULL unless said)
 *   PLAIN, order 0     k x n values or codes, ld_src >= n  groups x n        groups x n of src_zero_type
 *   PLAIN, order 1     n x k values or codes, ld_src >= k  n x groups        n x groups of src_zero_type
 *   GPTQ_V1, GPTQ_V2   ceil(k/8) x n words along k         groups x n        groups x ceil(n/8) words along n
 *   AWQ                k x n/8 words along n, interleaved  groups x n        groups x n/8 words, required; n % 8 == 0
 *   COMPRESSED_TENSORS n x ceil(k/8) words along k         n x groups        ceil(n/8) x groups words along n
 *   MARLIN             k/16 x 2n words; k % 16, n % 64: 0  groups x n        none
 *
 * Words are 32-bit, little-endian, eight codes each, lowest bits first unless the format interleaves them. */
typedef enum marlin_source {
    MARLIN_SOURCE_PLAIN = 0,              /* values or codes of src_type in src_order */
    MARLIN_SOURCE_GPTQ_V1 = 1,            /* AutoGPTQ: stored zero + 1 is the zero point, 1..16; no zeros: 8 */
    MARLIN_SOURCE_GPTQ_V2 = 2,            /* the same, zero points as stored */
    MARLIN_SOURCE_AWQ = 3,                /* AutoAWQ "gemm": nibble i of a word is column 0 2 4 6 1 3 5 7 [i] */
    MARLIN_SOURCE_COMPRESSED_TENSORS = 4, /* "pack-quantized"; no zeros: 8 */
    MARLIN_SOURCE_MARLIN = 5,             /* IST-DASLab's marlin: B and s as its kernel reads them, symmetric */
    MARLIN_SOURCE_MARLIN_24 = 6,          /* kept for marlin-24 checkpoints: MARLIN_NOT_SUPPORTED in this version */
    MARLIN_SOURCE_FORCE_32 = 0x7fffffff
} marlin_source;

/* How a matrix of source weights, or of unpacked ones, lies in memory: row-major either way. */
typedef enum marlin_order {
    MARLIN_ORDER_KXN = 0, /* one row for each input feature */
    MARLIN_ORDER_NXK = 1, /* one row for each output feature: torch.nn.Linear, GGUF */
    MARLIN_ORDER_FORCE_32 = 0x7fffffff
} marlin_order;

/* How values are rounded to codes when scales are computed here. FP32 in a written order, the same bytes on every
 * device; core/quantize has the formulas. Symmetric (S4): scale = max|w| / 7. Asymmetric (U4): scale = (max - min) / 15
 * with min <= 0 <= max for integer zero points, offset = min for offsets. */
typedef enum marlin_scale_method {
    MARLIN_SCALE_MIN_MAX = 0,
    MARLIN_SCALE_LEAST_SQUARES = 1, /* of the min-max scale times 1 - i / 64, i = 0..31, the one with the least squared
                                       error weighted by importance; the first of equals */
    MARLIN_SCALE_FORCE_32 = 0x7fffffff
} marlin_scale_method;

/* Whether weights are packed as 2:4: two of each four consecutive rows (k) of a column, and where they stood. */
typedef enum marlin_sparsity {
    MARLIN_SPARSITY_DENSE = 0,
    MARLIN_SPARSITY_ALREADY_24 = 1, /* of each four consecutive rows at most two are not zero, else MARLIN_NOT_SPARSE */
    MARLIN_SPARSITY_SELECT_24 = 2,  /* keep the two largest |w| * importance of four here, ties to the lower row */
    MARLIN_SPARSITY_FORCE_32 = 0x7fffffff
} marlin_sparsity;

/* Bits of marlin_pack_desc.flags. */
enum {
    MARLIN_PACK_ACT_ORDER = 1,    /* marlin_pack_input.g_idx will be given */
    MARLIN_PACK_COLUMN_SCALES = 2 /* marlin_pack_input.column_scales will be given */
};

/* What marlin_pack is given and what it shall store; marlin_source has the shapes. */
typedef struct marlin_pack_desc {
    uint32_t struct_size;
    int32_t source;         /* marlin_source */
    int32_t src_type;       /* PLAIN: F16, BF16 or F32 are rounded to codes here; S4, U4: codes, one a byte. Else 0 */
    int32_t src_order;      /* PLAIN: marlin_order. Else 0 */
    int32_t src_scale_type; /* F16, BF16 or F32; 0 where no scales are given */
    int32_t src_zero_type;  /* PLAIN with zeros: U8 (0..16), or F16, BF16, F32 offsets. Else 0 */
    int32_t type;           /* stored: S4 or U4; 0: what the source holds (values: S4) */
    int32_t zero_type;      /* stored: NONE with S4; with U4 U8 or an offset type; 0: as the source (values: U8) */
    int32_t scale_type;     /* stored: F16 or BF16, 0: F16. A scale that overflows it is MARLIN_INVALID_ARGUMENT */
    int32_t layout;         /* marlin_layout */
    int32_t scale_method;   /* marlin_scale_method, when rounding */
    int32_t sparsity;       /* marlin_sparsity */
    uint32_t flags;         /* MARLIN_PACK_... */
    int32_t reserved0;
    int64_t k; /* any, padding is marlin_pack's business */
    int64_t n;
    int64_t ld_src;     /* PLAIN, in elements, 0: tight */
    int64_t group_size; /* 32, 64, 128 or MARLIN_GROUP_PER_COLUMN; 0 is refused */
    uint64_t reserved[6];
} marlin_pack_desc;

/* The arrays that the description speaks of. */
typedef struct marlin_pack_input {
    uint32_t struct_size;
    int32_t memory;     /* 0: the handle's memory; 1: host memory, which a CUDA handle copies to its GPU for the call.
                           The same for CPU handles */
    const void *src;    /* src, scales and zeros: any alignment; the typed pointers: that of their type */
    size_t src_size;    /* exactly what the description gives, as all below */
    const void *scales; /* NULL: computed here (values only) */
    size_t scales_size;
    const void *zeros; /* integer zero points or offsets, see marlin_source */
    size_t zeros_size;
    const int32_t *g_idx; /* k entries, the group of each source row (act-order); needs MARLIN_PACK_ACT_ORDER */
    size_t g_idx_size;
    const float *importance; /* k entries >= 0, one a source row; weighs rounding and 2:4 selection; NULL: all 1 */
    size_t importance_size;
    const float *column_scales; /* n entries; needs MARLIN_PACK_COLUMN_SCALES */
    size_t column_scales_size;
    uint64_t reserved[4];
} marlin_pack_input;

/* Size in bytes of the buffer that marlin_pack fills for this description; an upper bound with MARLIN_PACK_ACT_ORDER,
 * and for GPTQ and compressed-tensors words with type 0, whose zeros may be absent.
 * Errors: INVALID_ARGUMENT, NOT_SUPPORTED. */
MARLIN_API marlin_status marlin_pack_size(marlin_handle_t handle, const marlin_pack_desc *desc, size_t *size);

/* Rearranges weights into packed (in the handle's memory, 256-byte aligned, packed_size >= marlin_pack_size; must not
 * overlap the input) and describes them in weights; packed must outlive weights. Rows of act-order weights are sorted
 * by group; a multiply then reads A in that order. The bytes are the same whichever device packs.
 * Errors: INVALID_ARGUMENT (also non-finite values and scales, codes and zero points out of range: named with their
 * position); NOT_SUPPORTED; NOT_SPARSE (names the first offending four); OUT_OF_MEMORY; DEVICE_ERROR. */
MARLIN_API marlin_status marlin_pack(marlin_handle_t handle, const marlin_pack_desc *desc,
                                     const marlin_pack_input *input, void *packed, size_t packed_size,
                                     marlin_weights *weights);

/* What marlin_unpack shall write, and where. */
typedef struct marlin_unpack_desc {
    uint32_t struct_size;
    int32_t dst_type;  /* F16, BF16, F32: w computed in FP32, rounded once; S4, U4 (the stored type): one code a byte */
    int32_t dst_order; /* marlin_order; source row order, act-order undone */
    int32_t reserved0;
    int64_t ld_dst;  /* in elements, 0: tight */
    void *dst;       /* in the handle's memory; NULL: not wanted, as all below */
    size_t dst_size; /* in bytes, at least ((rows - 1) * ld_dst + row length) elements */
    void *scales;    /* packed groups x n of the stored scale type, packed groups = k_packed / group_size (or 1) */
    size_t scales_size;
    void *zeros; /* packed groups x n of the stored zero type */
    size_t zeros_size;
    uint64_t reserved[4];
} marlin_unpack_desc;

/* The way back from any layout, 2:4 included: pruned weights are 0 (as codes: the code that means 0).
 * Errors: INVALID_ARGUMENT; NOT_SUPPORTED (codes of 2:4 weights where no code means 0); OUT_OF_MEMORY; DEVICE_ERROR. */
MARLIN_API marlin_status marlin_unpack(marlin_handle_t handle, const marlin_weights *weights,
                                       const marlin_unpack_desc *desc);

/* ---- Multiply ---------------------------------------------------------------------------------------------------- */

/* Types and strides of one multiply. A is m x k, C is m x n; k, n and everything about B are the weights'. */
typedef struct marlin_gemm_desc {
    uint32_t struct_size;
    int32_t a_type;        /* F16 (0 means it), BF16 or F32 (CPU only) */
    int32_t c_type;        /* F16, BF16 or F32; 0: as A */
    int32_t bias_type;     /* F16, BF16 or F32; 0: as C */
    int64_t m;             /* 0 is a success that does nothing */
    int64_t lda;           /* elements between rows of A, >= k; 0: k */
    int64_t ldc;           /* elements between rows of C, >= n; 0: n. CUDA is at its best where A and C are 16-byte
                              aligned and lda, ldc, n are multiples of 8; otherwise a named slower kernel runs, which
                              marlin_gemm_query shows with the reason */
    const void *bias;      /* n values in the handle's memory, NULL: none */
    const float *a_scales; /* for 8-bit activations, which this version has not: NULL */
    const void *mask;      /* for run-time 2:4 masks, which this version has not: NULL */
    uint64_t reserved[6];
} marlin_gemm_desc;

/* The kernel that a multiply gets. */
typedef struct marlin_gemm_info {
    uint32_t struct_size;
    int32_t tile_m;
    int32_t tile_n;
    int32_t tile_k;
    int32_t stages;
    int32_t blocks;
    size_t workspace_size; /* needed by this multiply */
    int32_t kernel_number; /* for MARLIN_OPTION_KERNEL */
    int32_t slow;          /* nonzero: a fallback, see why */
    char kernel[64];       /* stable name, as in logs and benchmark results */
    char why[128];         /* one sentence when slow, else empty */
    uint64_t reserved[4];
} marlin_gemm_info;

/* Would this multiply run, with which kernel and how much workspace? Launches nothing. Errors: the multiply's. */
MARLIN_API marlin_status marlin_gemm_query(marlin_handle_t handle, const marlin_gemm_desc *desc,
                                           const marlin_weights *b, marlin_gemm_info *info);

/* C[m, n] = A[m, k] * dequantize(B)[k, n] + bias, B dense. [async]
 *
 * Numbers: a weight is code * scale, (code - zero) * scale or code * scale + offset. It is not rounded on the CPU, nor
 * on CUDA where m <= 16 and there are no offsets; other CUDA kernels round scale, offset and weight to the type of A.
 * Products accumulate in FP32; one rounding to the type of C, where overflow gives infinity. A NaN or infinity in a row
 * of A stays in that row of C (an infinity may become a NaN). Elements of A beyond k within lda are never read into a
 * result; elements of C beyond n within ldc are not written. C must not overlap A, B or bias.
 * Memory: A, B, C and bias lie in the handle's memory. Alignment: A, C and bias to their element size.
 * Packed weights of the other device's layout run on a CPU handle through the kernel cpu_reference, with a warning in
 * the log.
 * Errors: INVALID_ARGUMENT; NOT_SUPPORTED; WORKSPACE_TOO_SMALL; BAD_PACKED_DATA; DEVICE_ERROR. */
MARLIN_API marlin_status marlin_gemm(marlin_handle_t handle, const marlin_gemm_desc *desc, const void *a,
                                     const marlin_weights *b, void *c);

/* The same with 2:4 sparse B: pruned positions are skipped, not multiplied by zero. Errors: the same. [async] */
MARLIN_API marlin_status marlin_sp_gemm(marlin_handle_t handle, const marlin_gemm_desc *desc, const void *a,
                                        const marlin_weights *b, void *c);

/* ---- Errors, versions, log --------------------------------------------------------------------------------------- */

MARLIN_API const char *marlin_status_name(marlin_status status);   /* "MARLIN_NOT_SUPPORTED"; never NULL */
MARLIN_API const char *marlin_status_string(marlin_status status); /* one sentence; never NULL */

/* Copies what went wrong in the handle's last failed call into text (cut to size - 1 characters, always terminated when
 * size > 0) and returns the full length without the terminator; 0 when no call failed yet. A NULL handle asks for this
 * thread's last failed call that had no usable handle (marlin_handle_create; a handle that is NULL, of the parent
 * process, or in use by another thread). text may be NULL when size is 0. The text of a handle stays until its next
 * failed call. */
MARLIN_API size_t marlin_last_error(marlin_handle_t handle, char *text, size_t size);

MARLIN_API int marlin_version(void);            /* MARLIN_VERSION of the library loaded */
MARLIN_API const char *marlin_build_info(void); /* JSON object: version, commit, cuda, architectures, cpu_kernels */

/* Which messages are wanted; each level has those of the levels below it. */
typedef enum marlin_log_level {
    MARLIN_LOG_OFF = 0,
    MARLIN_LOG_ERROR = 1,   /* the text of every failed call */
    MARLIN_LOG_WARNING = 2, /* and what works, but slower than it could */
    MARLIN_LOG_CALLS = 3,   /* and one line for each multiply, in the form that the benchmark program reads back */
    MARLIN_LOG_FORCE_32 = 0x7fffffff
} marlin_log_level;

/* Called by the thread that made the call. It may be called by several threads at once, must not call libmarlin with
 * the same handle, and must not throw. message lives until it returns. */
typedef void (*marlin_log_fn)(void *user, marlin_log_level level, const char *message);

/* Sets the process-wide log receiver; NULL: standard error. The level is MARLIN_LOG_OFF until it is set here or, before
 * the first handle, by the environment variable MARLIN_LOG (off, error, warning, calls). */
MARLIN_API void marlin_set_log(marlin_log_fn fn, void *user, marlin_log_level level);

#ifdef __cplusplus
}
#endif

#endif /* MARLIN_H */
