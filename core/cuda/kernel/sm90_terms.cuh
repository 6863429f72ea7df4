// Scales, zero points and offsets of a stage of Hopper's kernel, and where they lie.
#pragma once

#include "cuda/kernel/args.h"
#include "cuda/kernel/group_terms.cuh"

namespace marlin::cuda {

// Where 128 rows of a column of weights lie, in memory and in a stage.
template <Weights weights>
struct WgmmaRuns {
    const W4A16Args &args;
    const Format<weights> format{args};

    // Whether scales and zeros come behind the nibbles of a stage in the same copy.
    __device__ __forceinline__ bool one_copy() const { return format.kFixed || args.blocks_in_run <= 2; }
    __device__ __forceinline__ int64_t unit_size() const {
        return format.kFixed || args.blocks_in_run == 2 ? args.run_size : 2 * args.run_size;
    }
    // Of the second 64 rows in a stage, from the first.
    __device__ __forceinline__ int half_step() const {
        return format.kFixed || args.blocks_in_run != 1 ? 2048 : static_cast<int>(args.run_size);
    }
    __device__ __forceinline__ int scales_at() const { return format.kFixed || args.blocks_in_run != 1 ? 4096 : 2048; }
    __device__ __forceinline__ int zeros_at() const { return args.blocks_in_run <= 2 ? args.zeros_offset : 4096 + 128; }
};

// Scales, zero points and offsets of features g and g + 8, as dequant.cuh wants them, two a register.
struct PairedTerms {
    uint32_t scales;
    uint32_t zeros;
    uint32_t offsets;

    static __device__ __forceinline__ uint32_t pair(uint32_t low, uint32_t high) {
        return __byte_perm(low, high, 0x5410);
    }
    static __device__ __forceinline__ uint32_t low(uint32_t pair) { return __byte_perm(pair, 0, 0x1010); }
    static __device__ __forceinline__ uint32_t high(uint32_t pair) { return __byte_perm(pair, 0, 0x3232); }
    __device__ __forceinline__ ScaleTerms scale_terms() const {
        return {low(scales), high(scales), low(offsets), high(offsets)};
    }
    __device__ __forceinline__ ZeroTerms zero_terms() const { return {low(zeros), high(zeros)}; }
};

__device__ __forceinline__ float2 to_floats(uint32_t pair, __half) {
    return __half22float2(as_pair<__half>(pair));
}
__device__ __forceinline__ float2 to_floats(uint32_t pair, __nv_bfloat16) {
    return __bfloat1622float2(as_pair<__nv_bfloat16>(pair));
}

// A pair of the other 16-bit type as one of this.
__device__ __forceinline__ uint32_t convert_pair(uint32_t pair, __half) {
    const float2 x = to_floats(pair, __nv_bfloat16{});
    return as_bits(__floats2half2_rn(x.x, x.y));
}
__device__ __forceinline__ uint32_t convert_pair(uint32_t pair, __nv_bfloat16) {
    const float2 x = to_floats(pair, __half{});
    return as_bits(__floats2bfloat162_rn(x.x, x.y));
}

// Those of every 32 rows of a stage, for feature `feature` of the column and the one eight further. All loads stand
// side by side, whether or not groups are so small: they wait for each other less than for branches.
template <typename T>
__device__ __forceinline__ void load_terms(const WgmmaRuns<Weights::General> &runs, const uint8_t *column_at,
                                           int column, int to_second, int feature, PairedTerms (&terms)[4]) {
    const W4A16Args &args = runs.args;
    const bool apart = args.groups_in_run == 0;
    const int to_half = apart || args.blocks_in_run != 1 ? 0 : to_second;
    const int to_part = args.groups_in_run == 2 ? 64 : 0;
    const int size = args.zero_size;
    const uint8_t *scales = apart ? args.column_scales + int64_t{column} * 128 : column_at + runs.scales_at();
    const uint8_t *zeros = apart ? args.column_zeros + int64_t{column} * 64 * size : column_at + runs.zeros_at();
#pragma unroll
    for (int part = 0; part < 4; ++part)
        terms[part].scales = load_scale_pair(scales + part / 2 * to_half + part % 2 * to_part * 2, feature);
    if (args.scale_type != kTypeOf<T>) {
#pragma unroll
        for (int part = 0; part < 4; ++part)
            terms[part].scales = convert_pair(terms[part].scales, T{});
    }
    zeros += feature * size;
    if (!runs.format.has_offsets()) {
#pragma unroll
        for (int part = 0; part < 4; ++part)
            terms[part].offsets = 0;
        if (runs.format.has_zeros()) {
#pragma unroll
            for (int part = 0; part < 4; ++part) {
                const uint8_t *const of_part = zeros + part / 2 * to_half + part % 2 * to_part;
                terms[part].zeros = paired_zero_terms(of_part[0], of_part[8], T{});
            }
        } else {
#pragma unroll
            for (int part = 0; part < 4; ++part)
                terms[part].zeros = paired_zero_terms(8, 8, T{});
        }
    } else {
#pragma unroll
        for (int part = 0; part < 4; ++part) {
            const uint8_t *const of_part = zeros + part / 2 * to_half + part % 2 * to_part * size;
            terms[part].zeros = paired_zero_terms(0, 0, T{});
            terms[part].offsets = PairedTerms::pair(splat_value<T>(of_part, args.zero_type),
                                                    splat_value<T>(of_part + 8 * size, args.zero_type));
        }
    }
}

} // namespace marlin::cuda
