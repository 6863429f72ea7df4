// Scales, zero points and offsets of a stage of Hopper's kernel, and where they lie.
#pragma once

#include "cuda/kernel/args.h"
#include "cuda/kernel/group_terms.cuh"

namespace marlin::cuda {

// Where a lane's first scale and zero point of a column are, of feature g of its warp's.
struct LaneTerms {
    const uint8_t *scales;
    const uint8_t *zeros; // null without
};

// Where 128 rows of a column of weights lie, in memory and in a stage: nibbles, scales, zeros, or in groups of less
// than 128 rows twice that, 64 rows each. Columns have nibbles only: their scales and zeros go where those of a group
// of 128 would be.
template <Weights weights>
struct WgmmaRuns {
    const W4A16Args &args;
    Format<weights> format;
    int half_unit;      // the stage whose second half is not there, for all k is used up, or -1
    uint32_t zero_mask; // of the bits of a zero point: none where there are no zero points,
    uint32_t zero_base; // and what stands for them then

    // Parts of a stage whose terms may differ.
    static constexpr int kParts = 128 / least_group(weights);
    // Groups of less than 128 rows stand in runs of 64: a stage is two of them. The general kernels are for such groups
    // too, with offsets (candidates.cpp).
    static constexpr bool kTwoRuns = kParts > 1;
    // What a stage takes of a column at most: zeros are integers, offsets F32, in general of four groups.
    static constexpr bool kMayOffset = weights == Weights::General || weights == Weights::Offsets128;
    static constexpr int kZeroSize = is_symmetric(weights) ? 0 : kMayOffset ? 4 : 1;
    static constexpr int kMostBytes = 4096 + kParts * (128 + 64 * kZeroSize);

    __device__ __forceinline__ explicit WgmmaRuns(const W4A16Args &all)
        : args(all), format{all},
          half_unit(!format.kFixed && all.blocks_in_run == 1 && all.runs % 2 == 1 ? all.runs / 2 : -1),
          zero_mask(format.has_zeros() ? 0xff : 0), zero_base(format.has_zeros() ? 0 : 8) {
        // Else they are worked out again in every stage.
        if (!format.kFixed)
            ptx::keep(half_unit);
        if (!format.kSymmetric && !kMayOffset)
            ptx::keep(zero_mask, zero_base);
    }

    // Columns are only where groups of 128 might be.
    __device__ __forceinline__ bool grouped() const { return kTwoRuns || format.grouped(); }
    __device__ __forceinline__ int unit_size() const {
        const auto run_size = static_cast<int>(args.run_size);
        return kTwoRuns ? 2 * run_size : grouped() ? run_size : 4096;
    }
    // Of the second 64 rows in a stage, from the first. Where there are none the first are taken twice: the tokens have
    // zeros there.
    __device__ __forceinline__ int half_step(int unit) const {
        return !format.kFixed && unit == half_unit ? 0 : kTwoRuns ? static_cast<int>(args.run_size) : 2048;
    }
    // Bytes from one zero point or offset to the next. Integers are read where there are none, too, and not looked at.
    __device__ __forceinline__ int zero_step() const { return kMayOffset ? args.zero_size : kZeroSize; }
    // Those of feature `feature` of the column at `column`.
    __device__ __forceinline__ LaneTerms terms_of(const uint8_t *column, int feature) const {
        return {ptx::held_shared(column + kScalesAt + feature * 2),
                kZeroSize == 0 ? nullptr : ptx::held_shared(column + zeros_at() + feature * zero_step())};
    }
    static constexpr int kScalesAt = kTwoRuns ? 2048 : 4096;
    __device__ __forceinline__ int zeros_at() const {
        return weights == Weights::General ? args.zeros_offset : kScalesAt + (weights == Weights::Rows32 ? 256 : 128);
    }
};

// Scales and zeros that hold for all of k, of features `first` to `first` + 15 of each of some columns of 64, by a
// warp, to their places in the stage's parts, the first at `to` and kMostBytes apart. Columns behind the last are the
// last. A lane brings two bytes of each at most, and all of them at once.
template <int columns, Weights weights>
__device__ __forceinline__ void bring_column_terms(const WgmmaRuns<weights> &runs, int column, int first, int lane,
                                                   uint8_t *to) {
    const W4A16Args &args = runs.args;
    const int zero_size = runs.format.zero_size();
    const bool brings_scales = lane * 2 < 16 * 2;
    const bool brings_zeros = lane * 2 < 16 * zero_size;
    uint16_t scales[columns], zeros[columns];
    const auto load = [](const uint8_t *from) { return *reinterpret_cast<const uint16_t *>(from); };
#pragma unroll
    for (int i = 0; i < columns; ++i) {
        const int64_t feature = int64_t{64} * min(column + i, args.row_groups / 4 - 1) + first;
        scales[i] = brings_scales ? load(args.column_scales + feature * 2 + lane * 2) : uint16_t{0};
        zeros[i] = brings_zeros ? load(args.column_zeros + feature * zero_size + lane * 2) : uint16_t{0};
    }
#pragma unroll
    for (int i = 0; i < columns; ++i) {
        uint8_t *const part = to + i * runs.kMostBytes;
        if (brings_scales)
            *reinterpret_cast<uint16_t *>(part + runs.kScalesAt + first * 2 + lane * 2) = scales[i];
        if (brings_zeros)
            *reinterpret_cast<uint16_t *>(part + runs.zeros_at() + first * zero_size + lane * 2) = zeros[i];
    }
}

__device__ __forceinline__ float2 to_floats(uint32_t pair, __half) {
    return __half22float2(as_pair<__half>(pair));
}
__device__ __forceinline__ float2 to_floats(uint32_t pair, __nv_bfloat16) {
    return __bfloat1622float2(as_pair<__nv_bfloat16>(pair));
}

// Whether scales have the type of A.
template <typename T, Weights weights>
inline constexpr bool kKnowsScales = is_symmetric(weights) && !kTakesBothScales<T>;

// Scales, zero points and offsets of features g and g + 8, as dequant.cuh wants them, two a register. What weights are
// known to have is said in constants, which the compiler does not find behind the shuffling of bytes.
template <typename T, Weights weights>
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
        constexpr bool may_offset = WgmmaRuns<weights>::kMayOffset;
        const uint32_t none = splat(-0.0f, T{});
        return {low(scales), high(scales), may_offset ? low(offsets) : none, may_offset ? high(offsets) : none};
    }
    __device__ __forceinline__ ZeroTerms zero_terms() const {
        if constexpr (is_symmetric(weights))
            return cuda::zero_terms(8, 8, T{});
        else if constexpr (weights == Weights::Offsets128)
            return cuda::zero_terms(0, 0, T{});
        else
            return {low(zeros), high(zeros)};
    }
    // Of scales that load_terms() left in their type.
    __device__ __forceinline__ float2 scale_floats(const Format<weights> &format) const {
        if constexpr (kKnowsScales<T, weights>) {
            return to_floats(scales, T{});
        } else {
            // Both conversions and a choice: cheaper than a branch.
            const float2 from_bf16 = to_floats(scales, __nv_bfloat16{});
            const float2 from_f16 = to_floats(scales, __half{});
            return format.args.scale_type == Type::BF16 ? from_bf16 : from_f16;
        }
    }
};

// A pair of the other 16-bit type as one of this.
__device__ __forceinline__ uint32_t convert_pair(uint32_t pair, __half) {
    const float2 x = to_floats(pair, __nv_bfloat16{});
    return as_bits(__floats2half2_rn(x.x, x.y));
}
__device__ __forceinline__ uint32_t convert_pair(uint32_t pair, __nv_bfloat16) {
    const float2 x = to_floats(pair, __half{});
    return as_bits(__floats2bfloat162_rn(x.x, x.y));
}

// Those of every part of a stage, for a lane's feature and the one eight further, `further` bytes behind `lane`. All
// loads stand side by side, whether or not groups are so small: they wait for each other less than for branches. To
// scale weights, scales come in the type of A, else as they are.
template <typename T, bool to_scale_weights, Weights weights, int parts>
__device__ __forceinline__ void load_terms(const WgmmaRuns<weights> &runs, const LaneTerms &lane, int further,
                                           int half_step, PairedTerms<T, weights> (&terms)[parts]) {
    static_assert(parts == WgmmaRuns<weights>::kParts);
    const W4A16Args &args = runs.args;
    const int to_half = runs.kTwoRuns ? half_step : 0;
    const int to_part = (weights == Weights::General ? args.groups_in_run == 2 : parts == 4) ? 64 : 0;
    const int size = runs.zero_step();
    const auto half = [](int part) { return part * 2 / parts; };
    const auto quarter = [](int part) { return parts == 4 ? part % 2 : 0; };
    const uint8_t *const scales = lane.scales + further;
    const uint8_t *const zeros = lane.zeros + further;
#pragma unroll
    for (int part = 0; part < parts; ++part)
        terms[part].scales = load_scale_pair(scales + half(part) * to_half + quarter(part) * to_part * 2, 0);
    if (to_scale_weights && !kKnowsScales<T, weights> && args.scale_type != kTypeOf<T>) {
#pragma unroll
        for (int part = 0; part < parts; ++part)
            terms[part].scales = convert_pair(terms[part].scales, T{});
    }
    if constexpr (!WgmmaRuns<weights>::kMayOffset) {
#pragma unroll
        for (int part = 0; part < parts; ++part)
            terms[part].offsets = splat(-0.0f, T{});
            // Without zero points what is read counts for nothing: cheaper than a branch.
#pragma unroll
        for (int part = 0; part < parts; ++part) {
            if (runs.format.kSymmetric) {
                terms[part].zeros = paired_zero_terms(8, 8, T{});
            } else {
                const uint8_t *const of_part = zeros + half(part) * to_half + quarter(part) * to_part;
                terms[part].zeros = paired_zero_terms(ptx::and_or(of_part[0], runs.zero_mask, runs.zero_base),
                                                      ptx::and_or(of_part[8], runs.zero_mask, runs.zero_base), T{});
            }
        }
    } else {
#pragma unroll
        for (int part = 0; part < parts; ++part)
            terms[part].zeros = paired_zero_terms(0, 0, T{});
        const auto of_part = [&](int part) { return zeros + half(part) * to_half + quarter(part) * to_part * size; };
        if (args.zero_type == kTypeOf<T>) {
#pragma unroll
            for (int part = 0; part < parts; ++part)
                terms[part].offsets = load_scale_pair(of_part(part), 0);
        } else {
#pragma unroll
            for (int part = 0; part < parts; ++part)
                terms[part].offsets = terms[part].pair(splat_value<T>(of_part(part), args.zero_type),
                                                       splat_value<T>(of_part(part) + 8 * size, args.zero_type));
        }
    }
}

} // namespace marlin::cuda
