// What every W4A16 kernel is told: plain values, the same for all of them.
#pragma once

#include <cstdint>

#include "common/types.h"
#include "cuda/kernel/stripes.cuh"

namespace marlin::cuda {

// What of the weights a kernel knows when it is compiled. Branches inside the loop over k cut the compiler's schedule
// into pieces (20 % of the tile kernel), so what most checkpoints hold has instances of its own.
enum class Weights : int32_t {
    Group128,   // symmetric, groups of 128, scales in the type of A (see kTakesBothScales)
    Group64,    // the same for groups of 64 rows
    Group32,    // and of 32
    Rows128,    // any scale type, zero points or none; groups of 128 rows, or columns. Slabs: groups, offsets too
    Rows64,     // the same for groups of 64 rows
    Rows32,     // any scale type, zero points or none; groups of 32 rows
    Offsets128, // any scale type, offsets; groups of 128 rows, or columns
    General,    // any group and scale type, zero points or offsets or neither
};

constexpr bool is_symmetric(Weights weights) {
    return weights == Weights::Group128 || weights == Weights::Group64 || weights == Weights::Group32;
}
// Rows of the smallest group that such a kernel may meet.
constexpr int least_group(Weights weights) {
    switch (weights) {
    case Weights::Group128:
    case Weights::Rows128:
    case Weights::Offsets128:
        return 128;
    case Weights::Group64:
    case Weights::Rows64:
        return 64;
    default:
        return 32;
    }
}

// When a kernel begins.
enum class Begin : int32_t {
    InTurn,       // when all work before it has ended
    BesideGather, // while the kernel before gathers A, and memory is busy with that: nothing else is to be waited for
    BesideAny,    // while any kernel before ends: nothing but packed bytes is there, nothing may be written
};

struct W4A16Args {
    const void *a; // m x k, rows 16-byte aligned
    int64_t lda;
    void *c;
    int64_t ldc;
    const void *bias; // n values, or null
    const uint8_t *body;
    int64_t column_size; // bytes of a packed column of 64 features
    int64_t run_size;
    int32_t scales_offset; // in a run
    int32_t zeros_offset;
    int32_t metadata_offset;      // 2:4
    const uint8_t *column_scales; // per column: where scales and zeros stand apart, else null
    const uint8_t *column_zeros;
    int32_t m;
    int32_t n;
    int32_t k;             // columns of A
    int32_t runs;          // of a column
    int32_t blocks_in_run; // of 64 rows
    int32_t row_groups;    // of 16 features, padding included
    int32_t groups_per_cta;
    int32_t groups_in_run; // 1 or 2; 0 where scales stand apart
    int32_t zero_size;     // bytes of one zero point or offset, 0 without
    Type scale_type;
    Type zero_type;
    Type c_type;
    Type bias_type;
    Begin begin;
    int32_t gathers_row;    // slabs of 8 tokens, m = 1, not 0: every CTA gathers A, of any alignment, by itself
    int32_t row_k;          // columns of A then; k is that of the weights
    const int32_t *perm;    // then: of k source columns, or null: in order
    int32_t store_features; // that one store to C may take, by its alignment: 1, 2 or 4
    Partition partition;    // stripes
    int32_t sharers;        // CTAs of a cluster that share every tile, 1: none do
    int64_t a_step;         // stripes: bytes of A between the tokens of a thread's consecutive copies
    float *partials;        // stripes: FP32 sums of tiles that CTAs share, two tiles a CTA
    uint32_t *arrivals;     // one counter a tile: zero before and after every launch
};

} // namespace marlin::cuda
